package esimaccess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// This file decides what became of an extension whose answer was lost. All
// there is to go by is the line before and the line now.
//
// What may make a line grow: our extension; a top-up that the seller's staff
// made by hand at the operator's site; a gift of the operator. Never a second
// extension of ours: they are asked for one after the other on each line.
// So the line has our extension when it grew by our package once and by nothing
// else. It has none when it did not grow at all. Everything else is for a
// person to look at, since money depends on the answer.
//
// Which package it was is read from the list of packages on the line, where a
// new row names it. Should the operator not list top-ups there (the document
// does not say), the growth itself must be that of our package, whose size is
// then read from the package list.
//
// One case cannot be told apart: the same package, put on by hand while ours
// was under way and lost. The line then has what the customer paid for, once.

// picture is a [carrier.Snapshot]: what a line was before an extension.
type picture struct {
	TranNo        string         `json:"esimTranNo"`
	TotalVolume   int64          `json:"totalVolume"`   // bytes
	TotalDuration int64          `json:"totalDuration"` // days
	ExpiredAt     time.Time      `json:"expiredTime"`
	Status        string         `json:"esimStatus"`
	Active        bool           `json:"active"` // expiredTime is an end of service
	DataType      string         `json:"dataType"`
	Packages      map[string]int `json:"packages"` // how often each code is on the line
	TakenAt       time.Time      `json:"takenAt"`
}

// clockSkew is how far the operator's clock may be behind ours.
const clockSkew = 10 * time.Minute

func pictureOf(l line, at time.Time) picture {
	p := picture{
		TranNo:        string(l.TranNo),
		TotalVolume:   l.TotalVolume.n,
		TotalDuration: l.TotalDuration.n,
		ExpiredAt:     l.ExpiredTime.Time,
		Status:        string(l.Status),
		Active:        l.active(),
		DataType:      string(l.DataType),
		Packages:      map[string]int{},
		TakenAt:       at,
	}
	for _, h := range l.Packages {
		p.Packages[string(h.Code)]++
	}
	return p
}

func readPicture(s carrier.Snapshot) (picture, error) {
	var p picture
	if err := json.Unmarshal(s, &p); err != nil {
		return picture{}, err
	}
	if p.TranNo == "" || p.TakenAt.IsZero() {
		return picture{}, errors.New("it is not one of ours")
	}
	return p, nil
}

func (p picture) daily() bool { return daily(p.DataType) }

// growth is how a line differs from its picture.
type growth struct {
	volume   int64  // bytes
	duration int64  // days
	ours     []held // new rows of the package that was ordered, newest first
	others   int    // new rows of other packages
	gone     int    // rows that are no longer there
}

// growthOf counts rows by package: their times and sizes have no promise of
// staying as they were.
func growthOf(before picture, now line, e carrier.Extension) growth {
	g := growth{
		volume:   now.TotalVolume.n - before.TotalVolume,
		duration: now.TotalDuration.n - before.TotalDuration,
	}
	newest := slices.Clone(now.Packages)
	slices.SortStableFunc(newest, func(a, b held) int { return b.CreateTime.Compare(a.CreateTime.Time) })
	more := map[string]int{}
	for _, h := range newest {
		more[string(h.Code)]++
	}
	for code, n := range before.Packages {
		more[code] -= n
		if more[code] < 0 {
			g.gone -= more[code]
		}
	}
	for _, h := range newest {
		switch code := string(h.Code); {
		case more[code] <= 0:
			continue
		case h.is(e.Package):
			g.ours = append(g.ours, h)
		default:
			g.others++
		}
		more[string(h.Code)]--
	}
	return g
}

// shows reports whether an extension that was carried out is on the line.
func (l line) shows(e carrier.Extension) bool {
	before, err := readPicture(e.Snapshot)
	if err != nil {
		return true // there is nothing to compare with
	}
	g := growthOf(before, l, e)
	return len(g.ours) > 0 || g.volume > 0 || g.duration > 0
}

// String says what was compared, for staff.
func (g growth) String() string {
	return fmt.Sprintf("bytes %+d, days %+d, rows of this package %+d, of others %+d, gone %d",
		g.volume, g.duration, len(g.ours), g.others, g.gone)
}

// judge says what became of e. Found is empty when the line grew and no row
// says by what.
func (g growth) judge(before picture, now line, e carrier.Extension) (found carrier.Found, why string) {
	switch {
	case g.gone > 0 || g.volume < 0 || g.duration < 0:
		return carrier.FoundUnsure, "the line has less than before"
	case g.others > 0:
		return carrier.FoundUnsure, "another package was put on the line"
	case len(g.ours) > 1:
		return carrier.FoundUnsure, "this package was put on the line more than once"
	case len(g.ours) == 1:
		row := g.ours[0]
		if !row.CreateTime.IsZero() && row.CreateTime.Before(before.TakenAt.Add(-clockSkew)) {
			return carrier.FoundUnsure, "the new row of this package is older than the request"
		}
		if !g.fits(row.Volume.n, row.Duration.n, int64(e.Days)) {
			return carrier.FoundUnsure, "the line grew by more than this package"
		}
		return carrier.FoundDone, "this package was put on the line"
	case g.volume > 0 || g.duration > 0:
		return "", ""
	case before.Active && !now.ExpiredTime.Equal(before.ExpiredAt):
		return carrier.FoundUnsure, "the line's end moved, but nothing was put on it"
	}
	return carrier.FoundAbsent, "the line has what it had before"
}

// judgeBySize is judge for a line that grew without a row to say by what. The
// growth is then the only evidence, so every part of the package must show in
// it; but for the data of a day pass, of which nobody says how it is counted.
func (g growth) judgeBySize(size held, e carrier.Extension, daily bool) (found carrier.Found, why string) {
	whole := (g.volume > 0 || size.Volume.n == 0 || daily) && (g.duration > 0 || size.Duration.n == 0)
	switch {
	case size.Code == "":
		return carrier.FoundUnsure, "the line grew, and this package is no longer sold to say whether by that"
	case whole && g.fits(size.Volume.n, size.Duration.n, int64(e.Days)):
		return carrier.FoundDone, "the line grew by what this package holds"
	}
	return carrier.FoundUnsure, "the line grew by something that is not this package"
}

// fits reports whether a package of this size explains the growth. A part that
// did not grow is no contradiction: a daily amount need not be added up, and a
// package may have no days. For a day pass the totals may count the pass or
// each of its days; which is not documented.
func (g growth) fits(volume, duration, days int64) bool {
	volumeFits := g.volume == 0 || g.volume == volume
	durationFits := g.duration == 0 || g.duration == duration
	if days > 0 {
		volumeFits = volumeFits || g.volume/days == volume && g.volume%days == 0
		durationFits = g.duration == 0 || g.duration == days ||
			g.duration/days == duration && g.duration%days == 0
	}
	return volumeFits && durationFits
}

// receipt is what the line says after an extension was found on it. Where the
// totals have not moved (yet), they say nothing.
func (g growth) receipt(now line, e carrier.Extension) carrier.Receipt {
	r := carrier.Receipt{Ref: e.Ref} // under which the operator has it
	if now.active() && g.duration > 0 {
		r.EndsAt = now.ExpiredTime.Time
	}
	if g.volume > 0 && !daily(string(now.DataType)) {
		r.Total = now.TotalVolume.n
	}
	return r
}

// sizeOf is what the ordered package holds, according to the operator's list
// of what fits this line; with an empty code when it is not there.
func (a *Adapter) sizeOf(ctx context.Context, e carrier.Extension, l line) (held, error) {
	list, err := a.list(ctx, packageQuestion{Type: "TOPUP", ICCID: string(l.ICCID)})
	if err != nil {
		return held{}, err
	}
	for _, p := range list {
		h := held{Code: p.Code, Slug: p.Slug, Volume: p.Volume, Duration: p.Duration}
		if h.is(e.Package) {
			return h, nil
		}
	}
	return held{}, nil
}
