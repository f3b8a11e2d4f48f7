package examination

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

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
	for bad, want := range map[string]string{
		"":      "the file is empty",
		"a,b\n": `the heading lacks "line", "day", "bytes", "throttled", "segment", "end told"; columns are separated by commas`,
		"line,day,bytes,throttled,segment,end told,Bytes\n":                          `the heading has the column "bytes" twice`,
		"line,day,bytes,throttled,segment,end told\na,2026-01-01,5,no,KR,\n":         "0 finished trips are too few",
		"\ufeffline,day,bytes,throttled,segment,end_told\r\na,2026-01-01,5,no,,\r\n": "0 finished trips are too few",
	} {
		if _, _, err := OwnHistory(t.Context(), strings.NewReader(bad), Options{Seed: 1}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", bad, err, want)
		}
	}
}

// A history has no days that have not come, and no end that nobody can tell: an
// examination of them would have no basis.
func TestOwnHistoryHasHappened(t *testing.T) {
	const file = `line,day,bytes,throttled,segment,end told
a,2026-01-01,5,no,KR,2027-12-31
a,2026-01-02,5,no,KR,2028-01-03
a,2026-01-03,5,no,KR,
b,x,5,no,KR,2026-01-05
`
	today := advice.DateOf(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), time.UTC)
	_, mistakes, err := OwnHistory(t.Context(), strings.NewReader(file), Options{Seed: 1, Today: today})
	if got := fmt.Sprint(mistakes, err); got != `[line 3: end told: 2028-01-03 is more than 730 days ahead line 4: day: 2026-01-03 has not come yet line 5: day: "x" is no date like 2026-01-31] <nil>` {
		t.Error(got)
	}
}

// Of what nobody can know of a history nothing is said, neither to people nor to
// programs: whom an oracle knows, whose end was told, what another day changes.
func TestNoNumberWithoutABasis(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("line,day,bytes,throttled,segment,end told\n")
	for i := range 300 { // a day each
		fmt.Fprintf(&rows, "L%d,%s,%d,no,,2020-01-01\n", i, advice.Date(20000+i), 500_000_000+i)
	}
	r, mistakes, err := OwnHistory(t.Context(), strings.NewReader(rows.String()), Options{Seed: 1})
	if err != nil || len(mistakes) > 0 {
		t.Fatal(err, mistakes)
	}
	if r.Told != nil || r.Flips != nil || r.NoPast == nil || r.Buckets[0].Oracle != nil {
		t.Errorf("%+v", r)
	}
	var object, text bytes.Buffer
	if err := errors.Join(r.JSON(&object), r.Table(&text)); err != nil {
		t.Fatal(err)
	}
	for _, none := range []string{"regret_told", "gap_closed", "flips", "oracle", "NaN"} {
		if strings.Contains(object.String(), none) {
			t.Errorf("the report has %s", none)
		}
	}
	if !regexp.MustCompile(`advice flips with one more day +-\s`).MatchString(text.String()) || strings.Contains(text.String(), "mean regret, end told") || strings.Contains(text.String(), "NaN") {
		t.Error(text.String())
	}
	nothing := regexp.MustCompile(`,50\d+,`).ReplaceAllString(rows.String(), ",0,")
	if _, _, err := OwnHistory(t.Context(), strings.NewReader(nothing), Options{Seed: 1}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "nothing was used") {
		t.Errorf("nobody uses anything: %v", err)
	}
	if ci := r.Forecast.Cover95CI; ci[0] <= 0 || ci[0] >= 1 || ci[1] > 1 || ci[1] < 1-1e-9 {
		t.Errorf("all of %d cases are held, and the interval is %v", r.Users, ci)
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
