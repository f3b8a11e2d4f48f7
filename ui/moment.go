package ui

import (
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/locale"
)

// Moment is an instant as it is shown: in the operator's time, and in the
// traveller's where their clock shows something else.
type Moment struct {
	Text string // "Wed 4 Mar 2026, 23:59:59 JST"
	Own  string // the same in the traveller's zone; "" where that is the same or not known
	ISO  string // RFC 3339, for <time datetime>
}

// Moment says t in loc, to the minute.
func (v Voice) Moment(t time.Time, loc *time.Location) Moment {
	return v.moment(t, loc, locale.Moment)
}

// End says until when something lasts that ends at end, exclusive: the last
// second that is covered, so that the day is the one that people mean.
func (v Voice) End(end time.Time, loc *time.Location) Moment {
	return v.moment(calendar.LastSecond(end), loc, toTheSecond)
}

// Day says the date of t in loc.
func (v Voice) Day(t time.Time, loc *time.Location) string { return locale.Day(v.Lang, t, loc) }

// Ago says how long before now t was: "12 minutes ago".
func (v Voice) Ago(t time.Time) string {
	if v.Now.Sub(t) < time.Minute {
		return v.T("time.just_now")
	}
	return v.Say("time.ago", locale.Args{"span": locale.Span(v.Lang, v.Now.Sub(t))})
}

// In says how long after now t is: "in 2 days 3 hours"; "" for the past.
func (v Voice) In(t time.Time) string {
	if !t.After(v.Now) {
		return ""
	}
	return v.Say("time.in", locale.Args{"span": locale.Span(v.Lang, t.Sub(v.Now))})
}

func (v Voice) moment(t time.Time, loc *time.Location, write func(locale.Language, time.Time, *time.Location) string) Moment {
	m := Moment{Text: write(v.Lang, t, loc), ISO: t.In(loc).Format(time.RFC3339)}
	if v.Zone == nil {
		return m
	}
	here, own := t.In(loc), t.In(v.Zone)
	_, a := here.Zone()
	_, b := own.Zone()
	if a == b {
		return m
	}
	text := write(v.Lang, t, v.Zone)
	if here.YearDay() == own.YearDay() { // the day is said already
		text = strings.TrimLeft(strings.TrimPrefix(text, locale.Day(v.Lang, t, v.Zone)), ", ")
	}
	m.Own = v.Say("time.yours", locale.Args{"time": text})
	return m
}

// toTheSecond is [locale.Moment] with seconds. The clock stands before the
// zone, which may look like one ("UTC+5:30"), in every language.
func toTheSecond(l locale.Language, t time.Time, loc *time.Location) string {
	return strings.Replace(locale.Moment(l, t, loc), locale.Clock(l, t, loc), t.In(loc).Format(time.TimeOnly), 1)
}
