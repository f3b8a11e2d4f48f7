package ui

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/locale"
)

var coordinate = regexp.MustCompile(`(-?\d+) (-?\d+)`)

// Whatever is left and may be left, the fan stays in its field, its dates do not
// touch, and everything that is drawn is said.
func TestFanStaysInItsField(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.OneOf(rapid.Int64Range(0, 20<<30), rapid.SampledFrom([]int64{0, 1, 1 << 52}))
		d := FanData{
			Today: time.Date(2026, 12, 10, 12, 0, 0, 0, time.UTC), Gone: rapid.IntRange(0, 1440).Draw(t, "gone"),
			Now: amount.Draw(t, "now"), Before: rapid.SliceOfN(amount, 0, 12).Draw(t, "before"),
		}
		for range rapid.IntRange(0, 31).Draw(t, "days") {
			d.Ahead = append(d.Ahead, FanDay{amount.Draw(t, "median"), [2]int64{0, d.Now}, [2]int64{0, d.Now}, [2]int64{0, 1 << 60}})
		}
		if rapid.Bool().Draw(t, "out") {
			d.Out = d.Today.AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "when"))
		}
		l := rapid.SampledFrom(locale.All).Draw(t, "language")
		f := NewVoice(l, time.UTC, d.Today).Fan(d, 1<<30)
		if len(d.Ahead) == 0 {
			if f != nil {
				t.Fatal("nothing to come is drawn")
			}
			return
		}
		for _, path := range []string{f.Nearly, f.Most, f.Half, f.Middle, f.Past, f.Down} {
			for _, at := range coordinate.FindAllStringSubmatch(path, -1) {
				x, _ := strconv.Atoi(at[1])
				y, _ := strconv.Atoi(at[2])
				if x < 0 || x > ChartWidth || y < 0 || y > FanHeight {
					t.Fatalf("outside of the field: %s", path)
				}
			}
		}
		for i, a := range f.Labels {
			for _, b := range f.Labels[:i] {
				if a.X-b.X < fanApart && b.X-a.X < fanApart {
					t.Fatalf("dates touch: %+v", f.Labels)
				}
			}
		}
		if f.Title == "" || f.Key == "" || strings.ContainsAny(f.Desc, "{}[]") || (f.Out != "") != !d.Out.IsZero() {
			t.Fatalf("%+v", f)
		}
	})
}

// The fan begins where the past ends, and goes down to the day on which it is
// used up.
func TestFan(t *testing.T) {
	today := time.Date(2026, 12, 10, 12, 0, 0, 0, time.UTC)
	d := FanData{Today: today, Gone: 720, Now: 4 << 30, Before: []int64{5 << 30, 8 << 30}, Out: today.AddDate(0, 0, 1)}
	d.Ahead = []FanDay{
		{2 << 30, [2]int64{1 << 30, 3 << 30}, [2]int64{1 << 29, 7 << 29}, [2]int64{0, 4 << 30}},
		{0, [2]int64{0, 1 << 30}, [2]int64{0, 2 << 30}, [2]int64{0, 3 << 30}},
	}
	f := NewVoice(locale.En, time.UTC, today).Fan(d, 1<<30)
	if f.Past != "M80 16L160 47L200 57" || f.Middle != "M200 57L240 78L320 98" || f.Half != "M200 57L240 68L320 88L320 98L240 88z" || f.Top != "8 GB" {
		t.Errorf("%+v", f)
	}
	const want = "now 4 GB; used up around Fri 11 Dec; at the end of Fri 11 Dec about 0 MB; in half of all cases between 0 MB and 1 GB, in 80 of 100 between 0 MB and 2 GB, in 95 between 0 MB and 3 GB"
	if f.Desc != want {
		t.Errorf("says %q", f.Desc)
	}
}
