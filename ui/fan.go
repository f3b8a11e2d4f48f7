package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
)

// FanDay is how much may be left at the end of a day to come: in half of the
// cases within Half, in 80 of 100 within Most, in 95 within Nearly.
type FanDay struct {
	Median             int64 // bytes
	Half, Most, Nearly [2]int64
}

// FanData is what was left of a volume, is left, and may be left.
type FanData struct {
	Today  time.Time // an instant of today's date in UTC
	Gone   int       // minutes of today that are over
	Before []int64   // bytes at the end of yesterday, of the day before …
	Now    int64     // bytes
	Ahead  []FanDay  // today first
	Out    time.Time // of the day by whose end half of the cases have used it up; zero: none is in sight
}

// Fan is what is left day by day as a picture, and the same in words.
type Fan struct {
	Title string
	Desc  string // for those who do not see the picture
	Key   string // what the shapes mean

	// Shapes in a field of ChartWidth by FanHeight, as data of SVG paths; "" for
	// what there is none of.
	Nearly, Most, Half, Middle, Past string
	Edges                            string // full, and nothing left
	Now                              string // a dot
	Out, Down                        string // where it runs out, a dot and a line to it; "" while that is not in sight
	Top                              string // how much the upper edge is
	Labels                           []FanLabel
}

// FanLabel is a date below the field.
type FanLabel struct {
	X      int64
	Anchor string // start, middle or end
	Text   string
}

// The size of a fan's field, with the dates below it.
const (
	FanHeight = 118
	fanFloor  = 98 // where nothing is left
	fanTop    = 16
	FanBefore = 7  // days of the past
	fanTimes  = 4  // how many times as much as now there may have been
	fanApart  = 62 // two dates nearer than that would touch
)

// Fan draws d; nil where there is nothing to come. gb is the operator's.
func (v Voice) Fan(d FanData, gb int64) *Fan {
	if len(d.Ahead) == 0 {
		return nil
	}
	gb = cleanGB(gb)
	d.Before = d.Before[:min(len(d.Before), FanBefore)]
	for i, b := range d.Before {
		if b > fanTimes*max(d.Now, 1) { // what is to come should be seen
			d.Before = d.Before[:i]
			break
		}
	}
	slots := int64(len(d.Before) + len(d.Ahead))
	top := max(d.Now, 1)
	for _, b := range d.Before {
		top = max(top, b)
	}
	p := fanPlot{begin: int64(len(d.Before)), slots: slots, top: top}
	f := &Fan{Title: v.T("fan.title"), Key: v.T("fan.key"), Top: v.Bytes(top, gb)}
	x, y := p.now(d.Gone), p.y(d.Now)
	f.Now, f.Edges = dot(x, y), fmt.Sprintf("M0 %dh%dM0 %dh%d", fanTop, ChartWidth, fanFloor, ChartWidth)
	band := func(of func(FanDay) [2]int64) string {
		var over, back strings.Builder
		for i, day := range d.Ahead {
			fmt.Fprintf(&over, "L%d %d", p.x(i+1), p.y(of(day)[1]))
			end := d.Ahead[len(d.Ahead)-1-i]
			fmt.Fprintf(&back, "L%d %d", p.x(len(d.Ahead)-i), p.y(of(end)[0]))
		}
		return fmt.Sprintf("M%d %d%s%sz", x, y, over.String(), back.String())
	}
	f.Half = band(func(d FanDay) [2]int64 { return d.Half })
	f.Most = band(func(d FanDay) [2]int64 { return d.Most })
	f.Nearly = band(func(d FanDay) [2]int64 { return d.Nearly })
	f.Middle = fmt.Sprintf("M%d %d", x, y)
	for i, day := range d.Ahead {
		f.Middle += fmt.Sprintf("L%d %d", p.x(i+1), p.y(day.Median))
	}
	for i := len(d.Before) - 1; i >= 0; i-- {
		f.Past += fmt.Sprintf("%c%d %d", pen(f.Past), p.x(-i), p.y(d.Before[i]))
	}
	if f.Past != "" {
		f.Past += fmt.Sprintf("L%d %d", x, y)
	}
	v.fanDates(f, &d, p, x)
	f.Desc = v.fanWords(&d, gb)
	return f
}

// pen begins a path, or goes on.
func pen(path string) rune {
	if path == "" {
		return 'M'
	}
	return 'L'
}

func dot(x, y int64) string { return fmt.Sprintf("M%d %da4 4 0 1 0 8 0a4 4 0 1 0-8 0", x-4, y) }

// fanPlot places days and bytes. Day 0 begins with today.
type fanPlot struct{ begin, slots, top int64 }

func (p fanPlot) x(day int) int64 { return (p.begin + int64(day)) * ChartWidth / p.slots }

func (p fanPlot) now(gone int) int64 {
	return p.x(0) + int64(gone)*ChartWidth/p.slots/(24*60)
}

// y divides first: bytes may be anything that a phone can use in a year.
func (p fanPlot) y(bytes int64) int64 {
	return fanFloor - min(max(bytes, 0), p.top)*(fanFloor-fanTop)/p.top
}

// fanDates writes the dates that have room: today, the end, and the day on which
// it runs out before the others.
func (v Voice) fanDates(f *Fan, d *FanData, p fanPlot, now int64) {
	add := func(x int64, text string) {
		l := FanLabel{X: x, Anchor: "middle", Text: text}
		switch {
		case x < fanApart/2:
			l.X, l.Anchor = 0, "start"
		case x > ChartWidth-fanApart/2:
			l.X, l.Anchor = ChartWidth, "end"
		}
		for _, other := range f.Labels {
			if gap := other.X - l.X; gap > -fanApart && gap < fanApart {
				return
			}
		}
		f.Labels = append(f.Labels, l)
	}
	date := func(day int) string { return locale.MonthDay(v.Lang, d.Today.AddDate(0, 0, day), time.UTC) }
	if !d.Out.IsZero() {
		days := int(d.Out.Sub(d.Today).Hours()/24 + 0.5)
		x := p.x(min(days+1, len(d.Ahead)))
		f.Out, f.Down = dot(x, fanFloor), fmt.Sprintf("M%d %dV%d", x, fanTop, fanFloor)
		add(x, date(days))
	}
	add(now, v.T("fan.today"))
	add(ChartWidth, date(len(d.Ahead)-1))
	add(0, date(-len(d.Before)))
}

// fanWords says what the picture shows: now, the last day that is drawn, and
// when it runs out.
func (v Voice) fanWords(d *FanData, gb int64) string {
	last := d.Ahead[len(d.Ahead)-1]
	day := func(t time.Time) string { return locale.NearDay(v.Lang, t, time.UTC) }
	said := v.Say("fan.now", locale.Args{"left": locale.DataLeft(v.Lang, d.Now, gb)})
	if !d.Out.IsZero() {
		said += v.T("chart.then") + v.Say("fan.until", locale.Args{"day": day(d.Out)})
	}
	end := day(d.Today.AddDate(0, 0, len(d.Ahead)-1))
	if last.Nearly[1] == 0 {
		return said + v.T("chart.then") + v.Say("fan.gone", locale.Args{"day": end})
	}
	return said + v.T("chart.then") + v.Say("fan.then", locale.Args{
		"day": end, "middle": v.About(last.Median, gb),
		"half_low": v.About(last.Half[0], gb), "half_high": v.About(last.Half[1], gb),
		"low": v.About(last.Most[0], gb), "high": v.About(last.Most[1], gb),
		"least": v.About(last.Nearly[0], gb), "most": v.About(last.Nearly[1], gb),
	})
}
