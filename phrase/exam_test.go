package phrase

import (
	"bufio"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
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
	for l, share := range map[Language]int{Chinese: 97, Japanese: 96, English: 93} {
		file := "Number_" + languages[l] + "_NumberModel"
		t.Run(file, func(t *testing.T) {
			passed, all := 0, cases(t, file)
			all = slices.DeleteFunc(all, func(c examined) bool { return strings.Contains(c.Input, "^") }) // powers
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
	for l, share := range map[Language]int{Chinese: 100, Japanese: 100, English: 85} {
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

// leftOut are things that nobody says about a trip: decades and centuries,
// quarters of business years in Chinese and Japanese, weeks by their number, reigns before
// the present ones, feasts that move, years on their own as the ends of a
// range, counts that are none ("a few") and days on which businesses are open.
var leftOut = regexp.MustCompile(`(?i)年代|世纪|世紀|世代|decade|centur|\d0 ?'?s\b|(seven|nine|for)ties|noughties` +
	`|季度|四半期|クォーター|半期|\bcy ?\d|fy ?\d|calendar year` +
	`|第\d+週|week \d+|weeks? of (20|two thousand)` +
	`|康熙|雍正|神龙|神龍|民国|寛政` +
	`|easter|thanksgiving|independence|workers|black friday|独立記念` +
	`|(19|20)\d\d年?[ ]?(から|到|与|至|and|to|or|-|–|~|through|以降)[ ]?(19|20)\d\d|[<>=]|二零一六年至` +
	`|(before|after|than|since|on|year) (the year )?(of )?(19|20)\d\d\b|(19|20)\d\d年?(前|後|后)|(19|20)\d\d年以` +
	`|数日|数月|数週|数か月|\bfew\b|営業日|工作日|business day|working|年間最|週間優|of the day` +
	`|最近|この間|EOY|to date`)

// disagrees reports whether the reference ends a range of months or years on the
// first day of the last one, which here belongs to it as a whole.
func disagrees(got, want []string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		end, err1 := time.Parse(time.DateOnly, got[i])
		theirs, err2 := time.Parse(time.DateOnly, want[i])
		month := theirs.AddDate(0, 1, 0)
		year := theirs.AddDate(1, 0, 0)
		if got[i] != want[i] && (err1 != nil || err2 != nil || theirs.Day() != 1 || !end.Equal(month) && !end.Equal(year)) {
			return false
		}
	}
	return true
}

// daysMarked counts the cases of a file.
type daysMarked struct{ passed, disagreed, leftOut, leftOutPassed, total int }

func (m *daysMarked) take(t *testing.T, c examined, l Language, want []string) {
	got := endsOf(Days(c.Input, l, c.today()))
	m.total++
	switch {
	case leftOut.MatchString(c.Input):
		m.leftOut++
		if strings.Join(got, " ") == strings.Join(want, " ") {
			m.leftOutPassed++
		}
	case strings.Join(got, " ") == strings.Join(want, " "):
		m.passed++
	case disagrees(got, want):
		m.disagreed++
	default:
		t.Logf("  %s (%s): %v, want %v", c.Input, c.today().Format("2006-01-02 Mon"), got, want)
	}
}

// mark holds the share of the cases that are a trip's.
func (m *daysMarked) mark(t *testing.T, share int) {
	t.Logf("with what is left out: %d of %d; the end of a range is another: %d", m.passed+m.leftOutPassed, m.total, m.disagreed)
	mark(t, m.passed, m.total-m.leftOut, share)
}

// seconds is the length as Recognizers-Text counts it: months of 30 days, and
// half a year of 182 and a half.
func (d Duration) seconds() int {
	days := d.Years*365 + d.Months*30 + d.Days
	if d.Months == 6 {
		days, d.Hours = days+2, d.Hours+12
	}
	return ((days*24+d.Hours)*60+d.Minutes)*60 + d.Seconds
}

func TestExamOfDurations(t *testing.T) {
	for l, share := range map[Language]int{Chinese: 100, Japanese: 100, English: 89} {
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
	for l, share := range map[Language]int{Chinese: 88, Japanese: 76, English: 75} {
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
		case d.From && i+1 < len(days) && days[i+1].Until && !days[i+1].Date.Before(d.First): // a range
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
	for l, shares := range map[Language][2]int{Chinese: {90, 92}, Japanese: {95, 85}, English: {85, 87}} {
		for i, kind := range []string{"DateParser", "DatePeriodParser"} {
			file, share := "DateTime_"+languages[l]+"_"+kind, shares[i]
			t.Run(file, func(t *testing.T) {
				var m daysMarked
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
					m.take(t, c, l, want)
				}
				m.mark(t, share)
			})
		}
	}
}

// Of the model's cases those count that hold nothing but days and periods.
func TestExamOfDaysAmongOthers(t *testing.T) {
	for l, share := range map[Language]int{Chinese: 83, Japanese: 78, English: 78} {
		file := "DateTime_" + languages[l] + "_DateTimeModel"
		t.Run(file, func(t *testing.T) {
			var m daysMarked
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
				m.take(t, c, l, want)
			}
			m.mark(t, share)
		})
	}
}

// noFare is money that nobody pays a data line with, and abbreviations of the
// stock exchange.
var noFare = regexp.MustCompile(`(?i)bitcoin|btc|satoshi|₿|比特币|markka|guilder|\bsen\b|M(USD|GBP|AUD)`)

// A word for the money of several countries is right where the reference's is
// among them: it takes 元 for China's, and $ for no country's.
func TestExamOfAmounts(t *testing.T) {
	for l, share := range map[Language]int{Chinese: 94, Japanese: 100, English: 96} {
		file := "NumberWithUnit_" + languages[l] + "_CurrencyModel"
		t.Run(file, func(t *testing.T) {
			passed, total := 0, 0
			for _, c := range cases(t, file) {
				if noFare.MatchString(c.Input) {
					continue
				}
				want := slices.DeleteFunc(c.Results, func(e expected) bool { return e.is("value") == "" }) // a currency without an amount
				total++
				got := Amounts(c.Input, l)
				ok := len(got) == len(want)
				for i := 0; ok && i < len(got); i++ {
					ok = got[i].is(want[i])
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

// is compares an amount with the reference's, which names cents and pence.
func (a Amount) is(e expected) bool {
	iso, unit := money.Currency(e.is("isoCurrency")), e.is("unit")
	value := a.Value
	if unit == "Cent" || unit == "Pence" {
		value, _ = value.times(Whole(100))
	}
	return same(value, e.is("value")) && (iso == "" || a.Currency == iso || slices.Contains(a.Maybe, iso))
}

// Of yes and no the reference asks for the word and says how sure it is; an
// answer that says both, or more, is unsure here and always will be.
func TestExamOfAnswers(t *testing.T) {
	for l, share := range map[Language]int{Chinese: 86, Japanese: 100, English: 66} {
		file := "Choice_" + languages[l] + "_BooleanModel"
		t.Run(file, func(t *testing.T) {
			passed, all := 0, cases(t, file)
			for _, c := range all {
				want := No
				if c.Results[0].Resolution["value"] == true {
					want = Yes
				}
				switch got := Answer(c.Input, l); {
				case got == want:
					passed++
				case got != Unsure:
					t.Errorf("%q is %q, want %s", c.Input, got, want)
				default:
					t.Logf("  %s: %s, want %s", c.Input, got, want)
				}
			}
			mark(t, passed, len(all), share)
		})
	}
}

// spoken are the two forms of a case of NeMo: what is said and what is written.
func spoken(t *testing.T, file string) [][2]string {
	t.Helper()
	var all [][2]string
	for _, line := range lines(t, "nemo-itn", file+".txt") {
		said, written, ok := strings.Cut(line, "~")
		if !ok {
			t.Fatalf("%s: %q", file, line)
		}
		all = append(all, [2]string{said, written})
	}
	return all
}

// What is said must mean what is written.
func TestExamOfSpokenForms(t *testing.T) {
	today := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	values := func(text string, l Language) (all []string) {
		for _, n := range Numbers(text, l) {
			all = append(all, n.Value.String())
		}
		return all
	}
	days := func(text string, l Language) (all []string) {
		for _, d := range Days(text, l, today) {
			all = append(all, d.Date.Format(time.DateOnly))
		}
		return all
	}
	sums := func(text string, l Language) (all []string) {
		for _, a := range Amounts(text, l) {
			all = append(all, a.Value.String())
		}
		return all
	}
	for _, f := range []struct {
		file  string
		l     Language
		read  func(string, Language) []string
		share int
	}{
		{"zh_test_cases_cardinal", Chinese, values, 100},
		{"zh_test_cases_decimal", Chinese, values, 100},
		{"zh_test_cases_ordinal", Chinese, values, 100},
		{"zh_test_cases_fraction", Chinese, values, 100},
		{"zh_test_cases_date", Chinese, days, 100},
		{"zh_test_cases_money", Chinese, sums, 100},
		{"ja_test_cases_cardinal", Japanese, values, 100},
		{"ja_test_cases_decimal", Japanese, values, 100},
		{"ja_test_cases_ordinal", Japanese, values, 100},
		{"ja_test_cases_fraction", Japanese, values, 93},
		{"ja_test_cases_date", Japanese, days, 78},
		{"en_test_cases_cardinal", English, values, 90},
		{"en_test_cases_decimal", English, values, 100},
		{"en_test_cases_ordinal", English, values, 100},
		{"en_test_cases_date", English, days, 66},
		{"en_test_cases_money", English, sums, 96},
	} {
		t.Run(f.file, func(t *testing.T) {
			passed, total := 0, 0
			for _, c := range spoken(t, f.file) {
				total++
				said, written := f.read(c[0], f.l), f.read(c[1], f.l)
				if strings.Join(said, " ") != strings.Join(written, " ") || len(said) == 0 {
					t.Logf("  %s: %v, and %s: %v", c[0], said, c[1], written)
					continue
				}
				passed++
			}
			mark(t, passed, total, f.share)
		})
	}
}
