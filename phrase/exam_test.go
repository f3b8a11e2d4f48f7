package phrase

import (
	"bufio"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The examination reads public test sets that are not copied into the project
// (see docs/understanding.md). Each file has the share of its cases, in
// percent, that were understood when the share was written down; it may rise.

// exams is where the public test sets lie.
const exams = "../../shared/exams"

// examined is one case of Recognizers-Text.
type examined struct {
	Input                string
	NotSupported         string
	NotSupportedByDesign string
	Context              struct{ ReferenceDateTime string }
	Results              []expected
}

// expected is one thing that a case wants found.
type expected struct {
	Text       string
	Type       string
	TypeName   string
	Resolution map[string]any
	Value      *struct {
		FutureResolution map[string]string
	}
}

// is returns a value of the resolution, "" if it is not there.
func (e expected) is(key string) string {
	s, _ := e.Resolution[key].(string)
	return s
}

// lines returns the lines of a file of a public set, and skips where it is not.
func lines(t *testing.T, set, file string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(exams, set, file))
	if err != nil {
		t.Skipf("THE PUBLIC TEST SETS ARE NOT HERE, so %s is not examined: %v", file, err)
	}
	defer f.Close() //nolint:errcheck // only read
	var all []string
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		if line := strings.TrimSpace(scanner.Text()); line != "" {
			all = append(all, line)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// cases returns the cases of a file that the reference implementation supports.
func cases(t *testing.T, file string) []examined {
	t.Helper()
	var all []examined
	for _, line := range lines(t, "recognizers-text", file+".jsonl") {
		var c examined
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !strings.Contains(c.NotSupported+c.NotSupportedByDesign, "dotnet") {
			all = append(all, c)
		}
	}
	return all
}

// today is the day on which a case is said; theirs is a time of day, too.
func (c examined) today() time.Time {
	if len(c.Context.ReferenceDateTime) < 10 {
		return time.Date(2016, 11, 7, 0, 0, 0, 0, time.UTC)
	}
	day, err := time.Parse(time.DateOnly, c.Context.ReferenceDateTime[:10])
	if err != nil {
		panic(err)
	}
	return day
}

// mark holds the share of cases that were understood against what it was.
func mark(t *testing.T, passed, total, share int) {
	t.Helper()
	t.Logf("%-50s %4d of %4d, %3d %%", t.Name(), passed, total, passed*100/max(total, 1))
	if total == 0 || passed*100 < share*total {
		t.Errorf("understood %d of %d; it was %d %%", passed, total, share)
	}
}

// same compares a value with one that was computed in floating point.
func same(e Exact, said string) bool {
	want, ok := new(big.Rat).SetString(said)
	if !ok || e.Den == 0 {
		return false
	}
	got, _ := big.NewRat(e.Num, e.Den).Float64()
	w, _ := want.Float64()
	return strconv.FormatFloat(got, 'g', 12, 64) == strconv.FormatFloat(w, 'g', 12, 64)
}

var languages = map[Language]string{Chinese: "Chinese", Japanese: "Japanese", English: "English"}

func TestExamOfNumbers(t *testing.T) {
	for l, share := range map[Language]int{Chinese: 0, Japanese: 0, English: 0} {
		file := "Number_" + languages[l] + "_NumberModel"
		t.Run(file, func(t *testing.T) {
			passed, all := 0, cases(t, file)
			for _, c := range all {
				var got []Number
				for _, n := range Numbers(c.Input, l) {
					if !n.Ordinal {
						got = append(got, n)
					}
				}
				ok := len(got) == len(c.Results)
				for i := 0; ok && i < len(got); i++ {
					ok = same(got[i].Value, c.Results[i].is("value"))
				}
				if !ok {
					t.Logf("  %s: %v, want %v", c.Input, shown(got), c.Results)
					continue
				}
				passed++
			}
			mark(t, passed, len(all), share)
		})
	}
}

func shown(got []Number) []string {
	var s []string
	for _, n := range got {
		s = append(s, n.Value.String())
	}
	return s
}

func TestExamOfOrdinals(t *testing.T) {
	for l, share := range map[Language]int{Chinese: 0, Japanese: 0, English: 0} {
		file := "Number_" + languages[l] + "_OrdinalModel"
		t.Run(file, func(t *testing.T) {
			passed, total := 0, 0
			for _, c := range cases(t, file) {
				var want []string
				for _, e := range c.Results {
					switch e.is("relativeTo") {
					case "start":
						want = append(want, e.is("value"))
					case "end":
						offset, _ := strconv.Atoi(e.is("offset"))
						want = append(want, strconv.Itoa(offset-1)) // the last is -1 here
					}
				}
				if len(want) != len(c.Results) {
					continue // "next" and "previous" of a list: nobody has a place in one
				}
				total++
				var got []Number
				for _, n := range Numbers(c.Input, l) {
					if n.Ordinal {
						got = append(got, n)
					}
				}
				ok := len(got) == len(want)
				for i := 0; ok && i < len(got); i++ {
					ok = same(got[i].Value, want[i])
				}
				if !ok {
					t.Logf("  %s: %v, want %v", c.Input, shown(got), want)
					continue
				}
				passed++
			}
			mark(t, passed, total, share)
		})
	}
}

// seconds is the length as Recognizers-Text counts it: months of 30 days.
func (d Duration) seconds() int {
	days := d.Years*365 + d.Months*30 + d.Days
	return ((days*24+d.Hours)*60+d.Minutes)*60 + d.Seconds
}

func TestExamOfDurations(t *testing.T) {
	for l, share := range map[Language]int{Chinese: 0, Japanese: 0, English: 0} {
		file := "DateTime_" + languages[l] + "_DurationParser"
		t.Run(file, func(t *testing.T) {
			passed, all := 0, cases(t, file)
			for _, c := range all {
				got := Durations(c.Input, l)
				ok := len(got) == len(c.Results)
				for i := 0; ok && i < len(got); i++ {
					want := c.Results[i].Value
					ok = want != nil && strconv.Itoa(got[i].seconds()) == want.FutureResolution["duration"]
				}
				if !ok {
					t.Logf("  %s: %v, want %v", c.Input, got, c.Results)
					continue
				}
				passed++
			}
			mark(t, passed, len(all), share)
		})
	}
}

// The model's cases hold many kinds of things; those with nothing but durations count.
func TestExamOfDurationsAmongOthers(t *testing.T) {
	for l, share := range map[Language]int{Chinese: 0, Japanese: 0, English: 0} {
		file := "DateTime_" + languages[l] + "_DateTimeModel"
		t.Run(file, func(t *testing.T) {
			passed, total := 0, 0
			for _, c := range cases(t, file) {
				var want []string
				for _, e := range c.Results {
					if v := e.values(); strings.HasSuffix(e.TypeName, ".duration") && len(v) == 1 {
						want = append(want, v[0]["value"])
					}
				}
				if len(want) == 0 || len(want) != len(c.Results) {
					continue
				}
				total++
				got := Durations(c.Input, l)
				ok := len(got) == len(want)
				for i := 0; ok && i < len(got); i++ {
					ok = strconv.Itoa(got[i].seconds()) == want[i]
				}
				if !ok {
					t.Logf("  %s: %v, want %v", c.Input, got, want)
					continue
				}
				passed++
			}
			mark(t, passed, total, share)
		})
	}
}

// values returns the readings that a model gives of one thing.
func (e expected) values() []map[string]string {
	var all []map[string]string
	list, _ := e.Resolution["values"].([]any)
	for _, v := range list {
		m := map[string]string{}
		fields, _ := v.(map[string]any)
		for key, value := range fields {
			m[key], _ = value.(string)
		}
		all = append(all, m)
	}
	return all
}

// endsOf are the ends of what was found, as Recognizers-Text writes them: the
// day itself, or of a period the day after it.
func endsOf(days []Day) []string {
	var ends []string
	for i, d := range days {
		switch {
		case d.From && i+1 < len(days) && days[i+1].Until: // a range
		case d.From && !d.Until:
			ends = append(ends, d.First.Format(time.DateOnly))
		case d.First.Equal(d.Date):
			ends = append(ends, d.Date.Format(time.DateOnly))
		default:
			ends = append(ends, d.Date.AddDate(0, 0, 1).Format(time.DateOnly))
		}
	}
	return ends
}

func TestExamOfDays(t *testing.T) {
	for l, shares := range map[Language][2]int{Chinese: {0, 0}, Japanese: {0, 0}, English: {0, 0}} {
		for i, kind := range []string{"DateParser", "DatePeriodParser"} {
			file, share := "DateTime_"+languages[l]+"_"+kind, shares[i]
			t.Run(file, func(t *testing.T) {
				passed, total := 0, 0
				for _, c := range cases(t, file) {
					var want []string
					for _, e := range c.Results {
						if e.Value != nil {
							v := e.Value.FutureResolution
							end := v["date"] + v["endDate"]
							if end == "" {
								end = v["startDate"]
							}
							if end != "0001-01-01" { // there is no such day
								want = append(want, end)
							}
						}
					}
					if strings.Join(want, "") == "" && len(want) > 0 {
						continue // seasons have no dates
					}
					total++
					got := Days(c.Input, l, c.today())
					if ends := endsOf(got); strings.Join(ends, " ") != strings.Join(want, " ") {
						t.Logf("  %s (%s): %v, want %v", c.Input, c.today().Format("2006-01-02 Mon"), ends, want)
						continue
					}
					passed++
				}
				mark(t, passed, total, share)
			})
		}
	}
}

// Of the model's cases those count that hold nothing but days and periods.
func TestExamOfDaysAmongOthers(t *testing.T) {
	for l, share := range map[Language]int{Chinese: 0, Japanese: 0, English: 0} {
		file := "DateTime_" + languages[l] + "_DateTimeModel"
		t.Run(file, func(t *testing.T) {
			passed, total := 0, 0
			for _, c := range cases(t, file) {
				var want []string
				for _, e := range c.Results {
					v := e.values()
					if kind := e.TypeName; len(v) > 0 && (strings.HasSuffix(kind, ".date") || strings.HasSuffix(kind, ".daterange")) {
						future := v[len(v)-1]
						end := future["value"] + future["end"]
						if end == "" {
							end = future["start"]
						}
						if len(end) == len(time.DateOnly) {
							want = append(want, end)
						}
					}
				}
				if len(want) == 0 || len(want) != len(c.Results) {
					continue
				}
				total++
				if ends := endsOf(Days(c.Input, l, c.today())); strings.Join(ends, " ") != strings.Join(want, " ") {
					t.Logf("  %s (%s): %v, want %v", c.Input, c.today().Format("2006-01-02 Mon"), ends, want)
					continue
				}
				passed++
			}
			mark(t, passed, total, share)
		})
	}
}
