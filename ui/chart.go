package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
)

// ChartDay is one day of a chart.
type ChartDay struct {
	At     time.Time // an instant of the day, in UTC
	Bytes  int64
	Capped bool // more may have been wanted
}

// Ahead is what is expected of an ordinary day to come: most of them lie
// within Wide, half of them within Half.
type Ahead struct {
	Days       int
	Wide, Half [2]int64 // bytes
	Median     int64
}

// Chart is use per day as a picture, and the same in words.
type Chart struct {
	Title string
	Desc  string // every day and the ranges, for those who do not see the picture
	Key   string // what is drawn of the days ahead; "" where there are none

	// Shapes in a field of ChartWidth by ChartHeight, as data of SVG paths; ""
	// for what there is none of. Of a day to come Wide is a thin bar and Half a
	// thick one, with Middle across.
	Bars, Capped, Wide, Half, Middle string
	Limit                            string // of a day's full speed
	LimitText                        string
	LimitY                           int64
}

// The size of a chart's field.
const (
	ChartWidth  = 320
	ChartHeight = 84
	chartTop    = 14
	chartDays   = 10 // of the past
	chartAhead  = 5
	chartTimes  = 2 // how many times as high as the highest bar a range may be drawn
)

// Chart draws the last days, and what is likely of the next. limit is what may
// be used of a day at full speed; 0: there is no such limit. nil where there is
// nothing to draw. gb is the operator's.
func (v Voice) Chart(days []ChartDay, ahead Ahead, limit, gb int64) *Chart {
	gb = cleanGB(gb)
	days = days[max(0, len(days)-chartDays):]
	ahead.Days = min(ahead.Days, chartAhead)
	slots := int64(len(days) + ahead.Days)
	if slots == 0 {
		return nil
	}
	c := &Chart{Title: v.T("chart.title")}
	top := topOf(days, ahead, limit)
	y := func(bytes int64) int64 {
		return ChartHeight - min(bytes, top)*(ChartHeight-chartTop)/top
	}
	var words []string
	for i, d := range days {
		x, wide := slot(int64(i), slots)
		h := max(ChartHeight-y(d.Bytes), 1)
		to, say := &c.Bars, "chart.day"
		if d.Capped {
			to, say = &c.Capped, "chart.day.capped"
		}
		*to += fmt.Sprintf("M%d %dh%dv%dh-%dz", x, ChartHeight-h, wide, h, wide)
		words = append(words, v.Say(say, locale.Args{"day": v.Day(d.At, time.UTC), "data": v.Bytes(d.Bytes, gb)}))
	}
	for i := range ahead.Days {
		x, wide := slot(int64(len(days)+i), slots)
		bar := func(r [2]int64, part int64) string {
			w := max(wide/part, 1)
			h := max(y(r[0])-y(r[1]), 1)
			return fmt.Sprintf("M%d %dh%dv%dh-%dz", x+(wide-w)/2, y(r[0])-h, w, h, w)
		}
		c.Wide += bar(ahead.Wide, 4)
		c.Half += bar(ahead.Half, 1)
		c.Middle += fmt.Sprintf("M%d %dh%d", x, y(ahead.Median), wide)
	}
	if ahead.Days > 0 {
		c.Key = v.AheadText(ahead, gb)
	}
	if limit > 0 {
		c.LimitY, c.Limit = y(limit), fmt.Sprintf("M0 %dh%d", y(limit), ChartWidth)
		c.LimitText = v.Say("chart.limit", locale.Args{"data": v.Bytes(limit, gb)})
		words = append(words, c.LimitText)
	}
	c.Desc = strings.Join(words, v.T("chart.then"))
	if c.Desc == "" {
		c.Desc = c.Key
	}
	return c
}

// slot is where one of so many days is drawn: a narrow one leaves one unit for
// the gap, and few days are not drawn as wide as doors.
func slot(i, slots int64) (x, wide int64) {
	const widest = 30
	x = i*ChartWidth/slots + 1
	wide = max((i+1)*ChartWidth/slots-x-1, 1)
	if wide > widest {
		x, wide = x+(wide-widest)/2, widest
	}
	return x, wide
}

// AheadText says the ranges in words.
func (v Voice) AheadText(a Ahead, gb int64) string {
	gb = cleanGB(gb)
	return v.Say("chart.ahead", locale.Args{
		"half_low": v.About(a.Half[0], gb), "half_high": v.About(a.Half[1], gb),
		"low": v.About(a.Wide[0], gb), "high": v.About(a.Wide[1], gb),
	})
}

// Bytes is an amount of data. gb is the operator's.
func (v Voice) Bytes(n, gb int64) string { return locale.Data(v.Lang, n, cleanGB(gb)) }

// About is an estimate of an amount of data. gb is the operator's.
func (v Voice) About(n, gb int64) string { return locale.DataAbout(v.Lang, n, cleanGB(gb)) }

// topOf is how many bytes the field is high. Ranges are wide; what was used
// should still be seen beside them.
func topOf(days []ChartDay, a Ahead, limit int64) int64 {
	bars := limit
	for _, d := range days {
		bars = max(bars, d.Bytes)
	}
	top := bars
	if a.Days > 0 {
		top = max(bars, a.Wide[1])
		if bars > 0 {
			top = max(bars, min(top, max(chartTimes*bars, a.Median)))
		}
	}
	return max(top, 1)
}
