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

	// Shapes in a field of ChartWidth by ChartHeight, as data of SVG paths; ""
	// for what there is none of.
	Bars, Capped, Wide, Half, Middle string
}

// The size of a chart's field.
const (
	ChartWidth  = 320
	ChartHeight = 84
	chartTop    = 4
	chartDays   = 14 // of the past
	chartAhead  = 7
	chartTimes  = 3 // how many times as high as the highest bar a range may be drawn
)

// Chart draws the last days, and what is likely of the next. nil where there is
// nothing to draw. gb is the operator's.
func (v Voice) Chart(days []ChartDay, ahead Ahead, gb int64) *Chart {
	gb = cleanGB(gb)
	days = days[max(0, len(days)-chartDays):]
	ahead.Days = min(ahead.Days, chartAhead)
	slots := int64(len(days) + ahead.Days)
	if slots == 0 {
		return nil
	}
	c := &Chart{Title: v.T("chart.title")}
	top := topOf(days, ahead)
	y := func(bytes int64) int64 {
		return ChartHeight - min(bytes, top)*(ChartHeight-chartTop)/top
	}
	var words []string
	var bars, capped strings.Builder
	for i, d := range days {
		x, next := int64(i)*ChartWidth/slots, int64(i+1)*ChartWidth/slots
		h := max(ChartHeight-y(d.Bytes), 1)
		to, say := &bars, "chart.day"
		if d.Capped {
			to, say = &capped, "chart.day.capped"
		}
		fmt.Fprintf(to, "M%d %dh%dv%dh-%dz", x+1, ChartHeight-h, max(next-x-2, 1), h, max(next-x-2, 1))
		words = append(words, v.Say(say, locale.Args{"day": v.Day(d.At, time.UTC), "data": v.Bytes(d.Bytes, gb)}))
	}
	c.Bars, c.Capped = bars.String(), capped.String()
	if ahead.Days > 0 {
		x := int64(len(days)) * ChartWidth / slots
		open := min(x+ChartWidth/slots, ChartWidth)
		fan := func(r [2]int64) string {
			return fmt.Sprintf("M%d %dL%d %dH%dV%dH%dz", x, y(ahead.Median), open, y(r[1]), ChartWidth, y(r[0]), open)
		}
		c.Wide, c.Half, c.Middle = fan(ahead.Wide), fan(ahead.Half), fmt.Sprintf("M%d %dH%d", x, y(ahead.Median), ChartWidth)
		words = append(words, v.AheadText(ahead, gb))
	}
	c.Desc = strings.Join(words, v.T("chart.then"))
	return c
}

// AheadText says the ranges in words.
func (v Voice) AheadText(a Ahead, gb int64) string {
	gb = cleanGB(gb)
	return v.Say("chart.ahead", locale.Args{
		"half_low": v.Bytes(a.Half[0], gb), "half_high": v.Bytes(a.Half[1], gb),
		"low": v.Bytes(a.Wide[0], gb), "high": v.Bytes(a.Wide[1], gb),
	})
}

// Bytes is an amount of data. gb is the operator's.
func (v Voice) Bytes(n, gb int64) string { return locale.Data(v.Lang, n, cleanGB(gb)) }

// topOf is how many bytes the field is high. Ranges are wide; what was used
// should still be seen beside them.
func topOf(days []ChartDay, a Ahead) int64 {
	var bars int64
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
