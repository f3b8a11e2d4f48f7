package carriertest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// An honest carrier keeps every promise, and none is skipped.
func TestHonestCarrierPasses(t *testing.T) {
	Run(t, func(*testing.T) Bench { return open("") })
	if got := outcomes(t, func() Bench { return open("") }); len(got.failed)+len(got.skipped) > 0 {
		t.Errorf("failed %q, skipped %q; want none", got.failed, got.skipped)
	}
}

// Each flaw that has lost somebody money is caught by the promise that is
// about it.
func TestDishonestCarriersAreCaught(t *testing.T) {
	for flaw, want := range map[string][]string{
		"lost answers are refusals":       {"a lost answer is unknown", "a lost request is unknown", "a request that acts late"},
		"lost answers were not sent":      {"a lost answer is unknown", "a broken answer", "a garbled answer", "a lost answer to taking back"},
		"5xx is a refusal":                {"a broken answer", "a broken answer to a purchase", "a broken answer to taking back"},
		"garbled answers are a yes":       {"a garbled answer", "a garbled answer to a purchase", "a garbled answer to taking back"},
		"asks again by itself":            {"a lost answer is unknown", "a lost request is unknown", "a broken answer", "a busy operator", "a lost answer to a purchase", "a broken answer to a purchase"},
		"asks again after the time limit": {"a lost answer is unknown", "a lost request is unknown", "a request that acts late"},
		"done looks absent":               {"an extension happens once", "a lost answer is unknown", "a request that acts late"},
		"absent looks done":               {"an extension that was never asked for", "a lost request is unknown"},
		"any extension is this one":       {"a second extension", "an extension by someone else's hand"},
		"pictures of any age":             {"no picture is taken"},
		"readings without an age":         {"an extension that was never asked for", "a profile that nobody installed"},
		"readings as of their answer":     {"a reading says when it began"},
		"readings that never settle":      {"a lost request is unknown", "a lost purchase is unknown"},
		"readings that settle at once":    {"a request that acts late", "taking back that acts late"},
		"settles at once":                 {"its abilities make sense"},
		"refused connections are unknown": {"a refused connection", "a purchase over a refused connection", "taking back over a refused connection"},
		"busy is unknown":                 {"a busy operator", "a purchase from a busy operator", "taking back from a busy operator"},
		"lines are mixed up":              {"lines can be extended side by side"},
		"lost readings are unknown":       {"a reading that is lost"},
		"cancelling is a refusal":         {"a cancelled context"},
		"errors of no kind":               {"a lost answer is unknown", "a cancelled context"},
		"refusals are unknown":            {"an unknown line", "an unknown package", "an ended line", "a purchase of an unknown package"},
		"ended is any refusal":            {"an ended line"},
		"figures of the future":           {"a status is never newer"},
		"a receipt of the past":           {"an extension happens once"},
		"a receipt without a reference":   {"an extension happens once"},
		"an empty shelf":                  {"its packages"}, // it may have no list of everything
		"an unread shop is empty":         {"a spoilt reading"},
		"sells what it sold once":         {"what is withdrawn"},
		"lists a package twice":           {"everything that it sells"},
		"another price for everybody":     {"everything that it sells"},
		"prices of yesterday":             {"its balance falls"},
		"never well":                      {"it says how it is"},
		"notifications panic":             {"no notification"},
		"bells without a name":            {"no notification"},
		"a number nobody gave":            {"a new profile is made once"},
		"found by their number alone":     {"a new profile is made once", "a lost answer to a purchase"},
		"pending looks done":              {"a new profile is made once"},
		"profiles are mixed up":           {"a second purchase"},
		"a code that is none":             {"a new profile is made once"},
		"new profiles are running":        {"a new profile is made once"},

		"says that it takes back":             {"who takes new profiles back"},
		"taken back once is refused":          {"a profile that nobody installed", "a lost answer to taking back"},
		"another is taken back":               {"a profile that nobody installed"},
		"installed is any refusal":            {"a profile that is installed stays"},
		"installed is taken back":             {"a profile that is installed stays"},
		"what changed meanwhile is a refusal": {"a profile that is installed meanwhile"},
		"stumbles are refusals":               {"an operator that fails inside"},
		"gone looks there":                    {"a profile that nobody installed", "a lost answer to taking back"},
		"there looks gone":                    {"a profile that nobody installed", "a lost request to take back", "taking back that acts late"},
		"what is not heard is there":          {"what became of a profile"},
		"unknown lines are gone":              {"an unknown profile"},
	} {
		t.Run(flaw, func(t *testing.T) {
			got := outcomes(t, func() Bench { return open(flaw) })
			for _, w := range want {
				if !slices.ContainsFunc(got.failed, func(s string) bool { return strings.HasPrefix(s, w) }) {
					t.Errorf("%q was not caught by %q, only by %q", flaw, w, got.failed)
				}
			}
		})
	}
}

// A promise that cannot be checked is skipped with its reason, never passed.
func TestMissingControlsAreSaid(t *testing.T) {
	got := outcomes(t, func() Bench {
		b := open("")
		return Bench{Carrier: b.Carrier, Profile: b.Profile, Package: b.Package, Now: b.Now}
	})
	if len(got.failed) > 0 {
		t.Errorf("failed %q, want none", got.failed)
	}
	want := []string{ // need no more than a carrier, a line, a package and a clock
		"its abilities make sense",
		"its packages and balance can be read",
		"everything that it sells can be read",
		"it says how it is",
		"a status is never newer than now",
		"an extension happens once and has a receipt",
		"an extension that was never asked for is absent",
		"no picture is taken of a line that does not show its last extension",
		"a cancelled context refuses nothing",
		"an unknown line is refused",
		"an unknown package is refused",
		"no notification makes it panic",
		"who sells new profiles is able to",
		"who takes new profiles back is able to",
	}
	for _, p := range promises {
		if slices.Contains(want, p.says) == slices.Contains(got.skipped, p.says) {
			t.Errorf("%q: skipped %t", p.says, slices.Contains(got.skipped, p.says))
		}
	}
}

type result struct{ failed, skipped []string }

// outcomes runs the suite without failing t.
func outcomes(t *testing.T, open func() Bench) result {
	var all result
	for _, p := range promises {
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.check(r, open())
		}()
		<-done
		switch {
		case len(r.failures) > 0:
			all.failed = append(all.failed, p.says)
		case r.skipped:
			all.skipped = append(all.skipped, p.says)
		}
	}
	return all
}

// recorder notes what a test says instead of failing.
type recorder struct {
	testing.TB
	failures []string
	skipped  bool
}

func (r *recorder) Helper()              {}
func (r *recorder) Log(...any)           {}
func (r *recorder) Error(a ...any)       { r.failures = append(r.failures, fmt.Sprint(a...)) }
func (r *recorder) Fatal(a ...any)       { r.Error(a...); runtime.Goexit() }
func (r *recorder) Skipf(string, ...any) { r.skipped = true; runtime.Goexit() }
func (r *recorder) Errorf(format string, a ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, a...))
}
func (r *recorder) Fatalf(format string, a ...any) { r.Errorf(format, a...); runtime.Goexit() }
