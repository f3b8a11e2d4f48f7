package order

import (
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// An order whose payment's time is over waits for one answer of the provider. Where that
// is lost, it must not wait as long again as it did for all of those before; chaos saw
// half an hour.
func TestLostAnswerAtTheEndIsAskedForSoon(t *testing.T) {
	end := time.Date(2026, 3, 2, 3, 30, 0, 0, time.UTC)
	for _, state := range []payment.State{payment.Created, payment.Pending, payment.Unknown} {
		for attempts := range 12 {
			p := Payment{State: state, Attempts: attempts, ExpiresAt: end}
			for _, late := range []time.Duration{0, time.Second, 20 * time.Minute, 59 * time.Minute} {
				now := end.Add(late)
				if next := p.nextLook(now, false); !next.After(now) || next.Sub(now) > endAgain {
					t.Errorf("%s, %d looks, %v after its end: asked again after %v", state, attempts, late, next.Sub(now))
				}
			}
			if next := p.nextLook(end.Add(-time.Second), false); next.After(end) {
				t.Errorf("%s, %d looks: not asked at its end, but %v later", state, attempts, next.Sub(end))
			}
			if gone := end.Add(endFor); p.nextLook(gone, false).Sub(gone) != max(p.pause(), endFor/4) {
				t.Errorf("%s, %d looks: a provider that is gone for long is asked too often", state, attempts)
			}
		}
	}
}

// A provider that never says what became of an attempt is asked for a week, but not
// at every hour of it.
func TestSilenceIsAskedAboutLessAndLess(t *testing.T) {
	end := time.Date(2026, 3, 2, 3, 30, 0, 0, time.UTC)
	p := Payment{State: payment.Unknown, Attempts: 12, ExpiresAt: end}
	looks, longest := 0, time.Duration(0)
	for now := end; !now.IsZero(); looks++ {
		p.Attempts++
		next := p.nextLook(now, false)
		if age := now.Sub(end); !next.IsZero() && next.Sub(now) > max(time.Hour, age/4) {
			t.Errorf("%v after its end it is left alone for %v", age, next.Sub(now))
		}
		longest = max(longest, next.Sub(now))
		now = next
	}
	if looks > 60 || longest > unclearFor/4 {
		t.Errorf("%d looks, %v apart at most", looks, longest)
	}
}

// What is dead is asked about for a day, because money may come late; what its
// provider has closed is not, because none can.
func TestClosedAttemptsRest(t *testing.T) {
	now := time.Date(2026, 3, 2, 3, 30, 0, 0, time.UTC)
	p := Payment{State: payment.NeedsCustomer, ExpiresAt: now}
	for closed, rests := range map[bool]bool{true: true, false: false} {
		if got := p.after(payment.Observation{State: payment.Dead, Closed: closed}, now); got.DueAt.IsZero() != rests {
			t.Errorf("closed by its provider: %t; asked again at %v", closed, got.DueAt)
		}
	}
	paid := Payment{State: payment.Paid, PaidAt: now, ExpiresAt: now}
	if got := paid.after(payment.Observation{State: payment.Dead, Closed: true}, now); got.State != payment.Paid {
		t.Errorf("paid, and then %s", got.State)
	}
}

// An operator that was away is heard within five minutes of being back, as long as a
// customer may be waiting, and a person looks after about ten hours without a word.
func TestLooksAreSoonAndEnd(t *testing.T) {
	var waited time.Duration
	for attempt := 1; attempt < maxLooks; attempt++ {
		after := lookPause(attempt)
		if after > 5*time.Minute && waited < 2*time.Hour || after > 20*time.Minute {
			t.Errorf("after %v it is left alone for %v", waited, after)
		}
		waited += after
	}
	if waited < 9*time.Hour || waited > 11*time.Hour {
		t.Errorf("a person looks after %v", waited)
	}
}
