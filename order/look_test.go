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
			if gone := end.Add(endFor); p.nextLook(gone, false).Sub(gone) != p.pause() {
				t.Errorf("%s, %d looks: a provider that is gone for long is asked too often", state, attempts)
			}
		}
	}
}
