package calls

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

var (
	errSilent = fmt.Errorf("%w: no answer", carrier.ErrUnknown)
	errAway   = fmt.Errorf("%w: connection refused", carrier.ErrNotSent)
	errNo     = &carrier.Refusal{Reason: carrier.NoBalance}
)

// What brakes an operator, and what does not: each story is a line of calls, of
// which the last decides. s is silence, n is not sent, r a refusal, l an answer that
// took long, a an answer; a digit lets so many minutes pass.
func TestWhatBrakes(t *testing.T) {
	for story, want := range map[string]State{
		"aaaaaaaaaaaa":           Well,
		"ssss":                   Well,
		"sssss":                  Braked,
		"nnnnn":                  Braked,
		"snsns":                  Braked,
		"ssssassss":              Well, // neither in a row, nor enough in all
		"ssssrssssa":             Braked,
		"rrrrrrrrrrrrrrrrrrrrrr": Well, // a refusal is an answer
		"sararasarara":           Well,
		"sasasasas":              Well,
		"sasasasasa":             Braked, // half of ten
		"lallalalal":             Braked,
		"lalaaalaaa":             Well,
		"ssss6s":                 Braked, // nothing was heard between
		"sasasasas6a":            Well,   // that was long ago
	} {
		t.Run(story, func(t *testing.T) {
			o, c, clock := counted(one(1000, time.Second))
			for _, s := range story {
				switch s {
				case 's', 'n', 'r', 'l', 'a':
					c.err, c.takes = map[rune]error{'s': errSilent, 'n': errAway, 'r': errNo}[s], 0
					if s == 'l' {
						c.takes = slowFrom
					}
					if _, err := o.Extend(t.Context(), carrier.Extension{}); errors.Is(err, errBraked) {
						t.Fatalf("braked too early: %+v", o.Look())
					}
				default:
					*clock = clock.Add(time.Duration(s-'0') * time.Minute)
				}
			}
			if got := o.Look(); got.State != want || (got.Why == "") != (want == Well) {
				t.Errorf("%+v, want %q", got, want)
			}
		})
	}
}

// braked is an operator that has just been braked.
func braked(t *testing.T) (*Operator, *counter, *time.Time) {
	t.Helper()
	o, c, clock := counted(one(1000, time.Second))
	c.err = errSilent
	for range silentFrom {
		_, _ = o.Extend(t.Context(), carrier.Extension{})
	}
	if o.Look().State != Braked {
		t.Fatal("not braked")
	}
	c.asked = nil
	return o, c, clock
}

// A braked operator hears nothing until its time is over; then it hears one question
// that changes nothing, and no order before that is answered.
func TestBrakeIsReleasedByAQuestion(t *testing.T) {
	o, c, clock := braked(t)
	try := func(want int, what string) {
		t.Helper()
		for _, ask := range []func() error{
			func() error { _, err := o.Extend(t.Context(), carrier.Extension{}); return err },
			func() error { _, err := o.Issue(t.Context(), carrier.Purchase{}); return err },
			func() error { _, err := o.Status(t.Context(), carrier.Profile{}); return err },
		} {
			if err := ask(); want == 0 && !errors.Is(err, carrier.ErrNotSent) {
				if _, refused := errors.AsType[*carrier.Refusal](err); !refused {
					t.Errorf("%s: %v", what, err)
				}
			}
		}
		if len(c.asked) != want {
			t.Errorf("%s: asked %d times, want %d", what, len(c.asked), want)
		}
	}
	try(0, "at once")
	*clock = clock.Add(shortest - 1)
	if o.Probe(t.Context()) {
		t.Error("asked before its time")
	}
	try(0, "just before")
	*clock = clock.Add(1)
	try(1, "a question when the time is over")
	if s := o.Look(); s.State != Braked || s.Until.Sub(*clock) != 2*shortest || !strings.Contains(s.Why, "asked again") || s.Since != epoch {
		t.Errorf("after a question without an answer: %+v", s)
	}
	*clock = clock.Add(2 * shortest)
	c.asked, c.err = nil, errNo
	if !o.Probe(t.Context()) || len(c.asked) != 1 || o.Look().State != Well {
		t.Errorf("a refusal is an answer: %+v, asked %d times", o.Look(), len(c.asked))
	}
	c.asked = nil
	try(2, "released") // all but Issue: the adapter is no Issuer
}

// While the one question is under way, nobody else asks; if nobody ever hears what
// came of it, it is asked again.
func TestOneQuestionAtATime(t *testing.T) {
	o, _, clock := braked(t)
	*clock = clock.Add(shortest)
	o.mu.Lock()
	first, second := o.brake.lets(*clock, true), o.brake.lets(*clock, true)
	late := o.brake.lets(clock.Add(longest), true)
	o.mu.Unlock()
	if !first || second || !late {
		t.Errorf("the first %v, a second %v, after a long time %v", first, second, late)
	}
}

// A brake never holds for longer than its limit, however long the operator is away.
func TestBrakeGrowsToALimit(t *testing.T) {
	o, _, clock := braked(t)
	last := time.Duration(0)
	for range 20 {
		holds := o.Look().Until.Sub(*clock)
		if holds < last || holds > longest {
			t.Fatalf("holds for %v after %v", holds, last)
		}
		last = holds
		*clock = o.Look().Until
		if !o.Probe(t.Context()) {
			t.Fatal("not asked when its time was over")
		}
	}
	if last != longest {
		t.Errorf("holds for %v at the end", last)
	}
}

// Whose caller leaves has learnt nothing: not that the operator is well, and not that
// it is silent.
func TestWhoLeavesDecidesNothing(t *testing.T) {
	o, c, _ := counted(one(1000, time.Second))
	c.err = errSilent
	ctx, leave := context.WithCancel(t.Context())
	leave()
	for range 3 * silentFrom {
		_, _ = o.Extend(ctx, carrier.Extension{})
	}
	if s := o.Look(); s.State != Well {
		t.Errorf("%+v", s)
	}
}

// The jobs of a braked operator are let through, to be turned away: each waits, is
// told and is refunded as one that was not sent.
func TestBrakedJobsAreLetThrough(t *testing.T) {
	o, c, _ := braked(t)
	g, chosen := o.Plan([]Job{{ID: "a", Cost: 1}, {ID: "b", Cost: 1}}, 0, 20)
	defer g.Return()
	if len(chosen) != 2 {
		t.Errorf("%v chosen", chosen)
	}
	if _, err := o.Extend(g.With(t.Context()), carrier.Extension{}); !errors.Is(err, carrier.ErrNotSent) || len(c.asked) != 0 {
		t.Errorf("asked %d times: %v", len(c.asked), err)
	}
}
