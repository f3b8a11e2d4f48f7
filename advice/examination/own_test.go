package examination

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/advice/travellers"
	"github.com/tsuzuku/tsuzuku/fault"
)

// export is what a seller with these travellers would have: their meters' days.
func export(n int) string {
	var b strings.Builder
	b.WriteString("line,day,bytes,throttled,segment,end_told\n")
	for i := range n {
		t := of(uint64(i), travellers.New(5, uint64(i), travellers.Who{From: 20000, To: 20300}))
		m := repeat(&terms().Shop, &t, terms().hold(dice(5, &t), len(t.demand)), func(*moment) {})
		for k, d := range m.seen {
			told := ""
			if t.told[k] != 0 {
				told = t.told[k].String()
			}
			fmt.Fprintf(&b, "L%d,%s,%d,%v,%s/%s,%s\n", i, d.Date, d.Bytes, d.Capped, t.segment.Group, t.segment.Purpose, told)
		}
	}
	return b.String()
}

// A seller's own history is examined as the made-up travellers are.
func TestOwnHistory(t *testing.T) {
	r, mistakes, err := OwnHistory(t.Context(), strings.NewReader(export(600)), Options{Seed: 1})
	if err != nil || len(mistakes) > 0 {
		t.Fatal(err, mistakes)
	}
	if r.Users < 60 || r.Split.Fitted < 200 || r.Split.Calibrated < 60 {
		t.Errorf("%d examined, %+v", r.Users, r.Split)
	}
	if r.Cover80 < 0.6 || r.Cover80 > 0.95 || r.Forecast.Failed > 0 {
		t.Errorf("coverage %.2f, %d failed", r.Cover80, r.Forecast.Failed)
	}
	names := map[string]bool{}
	for _, b := range r.Buckets {
		names[b.Dimension+" "+b.Name] = true
	}
	for _, want := range []string{"throttled never", "throttled some day", "group KR", "end told", "history no history"} {
		if !names[want] {
			t.Errorf("no bucket %q in %v", want, names)
		}
	}
	var out bytes.Buffer
	if err := r.Table(&out); err != nil || !strings.Contains(out.String(), "own-mean") {
		t.Error(err, out.String())
	}
	out.Reset()
	if err := r.JSON(&out); err != nil || !strings.Contains(out.String(), `"regret_mean"`) {
		t.Error(err, out.String())
	}
}

// Everything that is wrong with a file is said with its line, and nothing is
// examined.
func TestOwnHistorySaysWhatIsWrong(t *testing.T) {
	const file = `line,day,bytes,throttled,segment,end told
a,2026-01-01,5,no,KR,
a,2026-01-01,6,no,KR,
,2026-13-01,-5,perhaps,KR,tomorrow
a,2026-01-02,5
a,2026-01-03,99999999999999,yes,KR,2026-01-05
"a,2026-01-04
`
	_, mistakes, err := OwnHistory(t.Context(), strings.NewReader(file), Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range mistakes {
		got = append(got, m.String())
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{
		"line 3: this day of this line stands in line 2 already",
		"line 4: the line is empty", "line 4: day:", "line 4: bytes:", "line 4: throttled:", "line 4: end told:",
		"line 5: 3 columns, where the heading has 6", "line 6: bytes:", "line 7:",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not said: %s\n%s", want, text)
		}
	}
	for _, bad := range []string{"", "a,b\n", "line,day,bytes,throttled,segment,end told\na,2026-01-01,5,no,KR,\n"} {
		if _, _, err := OwnHistory(t.Context(), strings.NewReader(bad), Options{Seed: 1}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Silence of more than a week begins another trip; shorter silence is use of
// nothing; what was told stands until something else is.
func TestOwnTrips(t *testing.T) {
	day := func(d, bytes int, told advice.Date) ownRow {
		return ownRow{line: "a", day: advice.Date(20000 + d), bytes: int64(bytes), told: told}
	}
	all := ownTrips([]ownRow{day(3, 4, 0), day(0, 1, 20005), day(1, 2, 0), day(11, 5, 0), day(30, 6, 0)})
	if len(all) != 3 {
		t.Fatalf("%d trips", len(all))
	}
	if got := fmt.Sprint(all[0].demand, all[0].told, all[0].open, all[1].demand, all[2].open); got !=
		"[1 2 0 4] [2024-10-09 2024-10-09 2024-10-09 2024-10-09] false [5] true" {
		t.Error(got)
	}
}
