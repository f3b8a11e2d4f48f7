package ui

import (
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Tone is how good or bad something is. Each has a colour and a shape of its
// own, so that nobody needs to see the colour.
type Tone string

// The tones. They are names of classes in style.css.
const (
	Good Tone = "good" // a disc
	Busy Tone = "busy" // a half disc: it will change by itself
	Warn Tone = "warn" // a triangle
	Bad  Tone = "bad"  // a square
	Off  Tone = "off"  // a ring
)

// Shape is the tone's sign.
func (t Tone) Shape() string {
	switch t {
	case Good:
		return "●"
	case Busy:
		return "◐"
	case Warn:
		return "▲"
	case Bad:
		return "■"
	case Off:
	}
	return "○"
}

// Badge is a state in one word.
type Badge struct {
	Tone Tone
	Word string
}

// Meter is a part of a whole, as a bar.
type Meter struct {
	Percent int    // 0 to 100
	Label   string // the same in words, for those who do not see the bar
	Tone    Tone

	Part, Whole int64 // bytes
}

// Left is what a line still has.
type Left struct {
	Headline string // "1.2 GB left", "Unlimited": never "0" of something unlimited
	Detail   string
	Meter    *Meter // nil where there is no part of a whole
	AsOf     string // how old the figure is; "" where there is none
}

// soon is how long before the end a line is said to end soon.
const soon = 72 * time.Hour

// LineBadge is the line's state in a word.
func (v Voice) LineBadge(l line.Line, p catalogue.Plan, loc *time.Location) Badge {
	say := func(t Tone, word string) Badge { return Badge{t, v.T("state." + word)} }
	switch l.At(v.Now) {
	case line.New:
		return say(Off, "new")
	case line.Grace:
		return say(Warn, "grace")
	case line.Ended:
		return say(Bad, "ended")
	case line.Terminal, line.Recycled:
		return say(Off, "closed")
	case line.Suspended:
		return say(Bad, "suspended")
	case line.Active:
	}
	switch {
	case l.Extending != "":
		return say(Busy, "extending")
	case stopped(l, p, v.Now, loc):
		return say(Bad, "used_up")
	case l.Usage.Throttled && fresh(l, p, v.Now, loc):
		return say(Warn, "throttled")
	case l.EndsAt.Sub(v.Now) <= soon:
		return say(Warn, "ends_soon")
	}
	return say(Good, "active")
}

// stopped reports whether the line has no service although its period runs.
func stopped(l line.Line, p catalogue.Plan, now time.Time, loc *time.Location) bool {
	if p.Kind == catalogue.Volume {
		return l.Usage.Empty() && p.ThrottleKbps == 0
	}
	return p.Kind == catalogue.DailyCap && p.ThrottleKbps == 0 && capUsed(l, p) && fresh(l, p, now, loc)
}

// Spent reports whether the line is slow or silent because its data is used up, as
// far as is known: waiting for a better signal does not help.
func Spent(l line.Line, p catalogue.Plan, now time.Time, loc *time.Location) bool {
	return stopped(l, p, now, loc) || l.Usage.Throttled && fresh(l, p, now, loc) || p.Kind == catalogue.Volume && l.Usage.Empty()
}

// capUsed reports whether nothing that could be shown is left of the cap.
func capUsed(l line.Line, p catalogue.Plan) bool {
	const shown = 1 << 10
	return dayCap(l, p) > 0 && dayCap(l, p)-l.Usage.Used < shown
}

// dayCap is how much there is until the reset, as the operator says, or else
// as the plan does.
func dayCap(l line.Line, p catalogue.Plan) int64 {
	if l.Usage.Total > 0 {
		return l.Usage.Total
	}
	return p.DailyCap
}

// fresh reports whether the figures are of the stretch that is running: a cap
// that has begun anew since they were measured says nothing about now.
func fresh(l line.Line, p catalogue.Plan, now time.Time, loc *time.Location) bool {
	switch {
	case l.Usage.AsOf.IsZero():
		return false
	case p.Kind == catalogue.Volume || p.Reset == catalogue.ResetNone:
		return true
	}
	return renewal.NextReset(p, l, l.Usage.AsOf, loc).After(now)
}

// Left says what a running line has left. gb is the operator's.
func (v Voice) Left(l line.Line, p catalogue.Plan, gb int64, loc *time.Location) Left {
	gb = cleanGB(gb)
	var left Left
	switch {
	case p.Kind == catalogue.Volume:
		left = v.leftOfVolume(l, p, gb)
	case dayCap(l, p) == 0:
		left = Left{Headline: v.T("left.unlimited"), Detail: v.T("left.unlimited.detail")}
		if l.Usage.Throttled {
			left.Detail = v.T("left.unlimited.slow")
		}
	default:
		left = v.leftOfCap(l, p, gb, loc)
	}
	if !l.Usage.AsOf.IsZero() && (left.Meter != nil || l.Usage.Throttled) {
		left.AsOf = v.Say("left.as_of", locale.Args{
			"time": locale.Moment(v.Lang, l.Usage.AsOf, loc), "ago": v.Ago(l.Usage.AsOf),
		})
	}
	return left
}

func (v Voice) leftOfVolume(l line.Line, p catalogue.Plan, gb int64) Left {
	u := l.Usage
	switch {
	case u.Total <= 0 || u.AsOf.IsZero():
		return Left{Headline: v.T("left.unknown"), Detail: v.T("left.unknown.detail")}
	case u.Empty() && p.ThrottleKbps > 0:
		return Left{
			Headline: v.T("left.used_up"), Meter: v.meter(u, u.Total, gb),
			Detail: v.Say("left.used_up.slow", locale.Args{"speed": locale.Speed(v.Lang, p.ThrottleKbps)}),
		}
	case u.Empty():
		return Left{Headline: v.T("left.used_up"), Detail: v.T("left.used_up.stop"), Meter: v.meter(u, u.Total, gb)}
	}
	return Left{
		Headline: v.Say("left.volume", locale.Args{"left": locale.DataLeft(v.Lang, u.Left(), gb)}),
		Detail:   v.Say("left.volume.detail", locale.Args{"total": locale.Data(v.Lang, u.Total, gb)}),
		Meter:    v.meter(u, u.Total, gb),
	}
}

func (v Voice) leftOfCap(l line.Line, p catalogue.Plan, gb int64, loc *time.Location) Left {
	limit := dayCap(l, p)
	args := locale.Args{
		"cap":   v.volume(limit, gb),
		"left":  locale.DataLeft(v.Lang, limit-l.Usage.Used, gb),
		"speed": locale.Speed(v.Lang, p.ThrottleKbps),
		"reset": locale.Moment(v.Lang, renewal.NextReset(p, l, v.Now, loc), resetZone(p, loc)),
	}
	slows := p.Kind == catalogue.Unlimited && p.ThrottleKbps > 0
	switch {
	case !fresh(l, p, v.Now, loc) && slows:
		return Left{Headline: v.T("left.unlimited"), Detail: v.Say("left.cap.unknown.slow", args)}
	case !fresh(l, p, v.Now, loc):
		return Left{Headline: v.Say("left.cap.unknown", args), Detail: v.Say("left.cap.unknown.stop", args)}
	case (l.Usage.Throttled || capUsed(l, p)) && slows:
		return Left{Headline: v.Say("left.cap.slow", args), Detail: v.Say("left.cap.slow.detail", args), Meter: v.meter(l.Usage, limit, gb)}
	case capUsed(l, p):
		return Left{Headline: v.T("left.cap.stop"), Detail: v.Say("left.cap.stop.detail", args), Meter: v.meter(l.Usage, limit, gb)}
	case slows:
		return Left{Headline: v.Say("left.cap", args), Detail: v.Say("left.cap.then_slow", args), Meter: v.meter(l.Usage, limit, gb)}
	}
	return Left{Headline: v.Say("left.cap", args), Detail: v.Say("left.cap.then_stop", args), Meter: v.meter(l.Usage, limit, gb)}
}

// resetZone is in which the plan's cap begins anew.
func resetZone(p catalogue.Plan, operator *time.Location) *time.Location {
	if p.ResetZone != "" {
		if loc, err := p.ResetZone.Location(); err == nil {
			return loc
		}
	}
	return operator
}

// meter is what is left of a total. A bar is full when nothing is used.
func (v Voice) meter(u line.Usage, total, gb int64) *Meter {
	left := max(0, total-u.Used)
	m := Meter{Tone: Good, Percent: percent(left, total), Part: left, Whole: total}
	switch {
	case m.Percent < 10:
		m.Tone = Bad
	case m.Percent < 25:
		m.Tone = Warn
	}
	m.Label = v.Say("left.meter", locale.Args{
		"left": locale.DataLeft(v.Lang, left, gb), "total": v.volume(total, gb), "percent": m.Percent,
	})
	return &m
}

// percent is part of total, rounded down, 0 to 100.
func percent(part, total int64) int {
	if total <= 0 {
		return 0
	}
	return int(max(0, min(part, total)) * 100 / total)
}
