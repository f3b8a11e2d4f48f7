package catalogue

import (
	"strings"
	"testing"
	"time"
)

// everything is an adapter that can do all that a policy can promise.
func everything() Able {
	return Able{Extend: true, Queue: true, Parallel: true, SameDay: true, AfterEnd: 365 * 24 * time.Hour, PerDay: true, Cancel: true}
}

// A policy that promises more than its operator can do is refused, with the place
// of the promise.
func TestPromisesBeyondTheOperator(t *testing.T) {
	for want, change := range map[string]func(*Able){
		"":                                    func(*Able) {},
		"promises append, which the adapter":  func(a *Able) { a.Extend = false },
		"promises queue, which the adapter":   func(a *Able) { a.Queue = false },
		"promises parallel, which the":        func(a *Able) { a.Parallel = false },
		"promises same_day, which the":        func(a *Able) { a.SameDay = false },
		"at most 1h0m0s after it":             func(a *Able) { a.AfterEnd = time.Hour },
		"extends only lines in use":           func(a *Able) { a.ActiveOnly = true },
		"takes no number of days":             func(a *Able) { a.PerDay = false },
		"takes nothing back, so a refund":     func(a *Able) { a.Cancel = false },
		"staff may take 12h0m0s, and a line ": func(a *Able) { a.ByHand = 12 * time.Hour },
	} {
		simple := everything()
		change(&simple)
		_, warnings, err := CheckWith("demo.yaml", DemoFile(), map[string]Able{"simple": simple, "esimaccess": everything(), "airalo": everything(), "esimgo": everything(), "cmi": everything()})
		said := warnings.Error()
		if err != nil {
			said += err.Error()
		}
		if want == "" && said != "" || !strings.Contains(said, want) {
			t.Errorf("want %q, got:\n%s", want, said)
		}
		for _, line := range strings.Split(strings.TrimSpace(said), "\n") {
			also := strings.HasPrefix(want, "promises append") && strings.Contains(line, "promises adds, which the adapter")
			if want != "" && (!strings.Contains(line, want) && !also || strings.Contains(line, ":1:1:")) {
				t.Errorf("%q is not at its place, or not about %q", line, want)
			}
		}
	}
}

// An adapter that nobody knows is no mistake: a seller may have built it in.
func TestUnknownAdapter(t *testing.T) {
	_, warnings, err := CheckWith("demo.yaml", DemoFile(), map[string]Able{"simpel": everything(), "esimaccess": everything(), "airalo": everything(), "esimgo": everything(), "cmi": everything()})
	if err != nil || len(warnings) != 3 || !strings.Contains(warnings.Error(), `did you mean "simpel"?`) {
		t.Errorf("%v\n%v", err, warnings)
	}
	if _, warnings, err := Check("demo.yaml", DemoFile()); err != nil || len(warnings) > 0 {
		t.Errorf("without adapters to compare with: %v %v", err, warnings)
	}
}
