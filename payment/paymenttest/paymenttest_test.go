package paymenttest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// An honest provider passes, and no promise is skipped for it.
func TestHonestProviderPasses(t *testing.T) {
	for name, v := range verdicts(t, "") {
		if v.skipped || len(v.failures) > 0 {
			t.Errorf("%s: skipped %t, failures %q", name, v.skipped, v.failures)
		}
	}
	Run(t, func(*testing.T) Bench { return newShop("").bench() })
}

// Each of these providers breaks one promise, and that very promise sees it.
func TestWrongProvidersAreCaught(t *testing.T) {
	tests := []struct{ wrong, by string }{
		{"hides the way", "start shows the customer the way"},
		{"takes a hundred times as much", "a customer who pays is seen"},
		{"mixes attempts", "attempts side by side"},
		{"captures only when the customer comes back", "a customer who pays and never comes back"},
		{"takes a refusal for payment", "a declined customer"},
		{"forgets why", "a declined customer"},
		{"says dead of what it never saw", "an attempt that was never started"},
		{"says dead and closes nothing", "an abandoned attempt is dead"},
		{"abandons what was paid", "abandoning what was paid"},
		{"calls a lost start dead", "abandoning a lost start"},
		{"lets the dead pay and does not say so", "an abandoned attempt is dead"},
		{"lets the dead pay and does not say so", "an attempt nobody pays dies"},
		{"never lapses", "an attempt nobody pays dies"},
		{"regresses after two days", "paid never regresses"},
		{"regresses when refunded", "a refund returns exactly"},
		{"takes a dispute for death", "a dispute is counted"},
		{"does not count refunds", "a refund at the provider's desk"},
		{"charges a repeated start", "the answer is lost: start"},
		{"charges a repeated start", "the request arrives late: start"},
		{"charges a repeated start", "the request arrives twice"},
		{"opens a second attempt", "one attempt started by many"},
		{"opens a second attempt", "the provider acts and breaks: start"},
		{"takes silence at the start for dead", "the request is lost: start"},
		{"takes silence for nothing", "the request is lost: a refund"},
		{"takes a refused connection for silence", "the connection is refused: abandoning"},
		{"answers an unread question with unknown", "the question is lost"},
		{"refunds again when asked again", "the answer is lost: a refund"},
		{"refunds again when asked again", "a refund by many at once"},
		{"refunds more than was paid", "more than was paid"},
		{"finds refunds that are not there", "a refund that was never asked for"},
		{"takes refunds by hand for ours", "a refund at the provider's desk"},
		{"believes every notification", "a changed, bare or foreign"},
		{"believes a notification without a signature", "a changed, bare or foreign"},
		{"believes another's key", "a changed, bare or foreign"},
		{"signs only the beginning", "a changed, bare or foreign"},
		{"believes old notifications", "a stale notification"},
		{"refuses genuine notifications", "notifications verify"},
		{"rings for nobody", "notifications verify"},
	}
	for _, tt := range tests {
		t.Run(tt.wrong+"/"+tt.by, func(t *testing.T) {
			var caught []string
			for name, v := range verdicts(t, tt.wrong) {
				if len(v.failures) > 0 {
					caught = append(caught, name)
				}
			}
			if !slices.ContainsFunc(caught, func(name string) bool { return strings.HasPrefix(name, tt.by) }) {
				t.Errorf("not caught by %q, only by %q", tt.by, caught)
			}
		})
	}
}

// A provider without keys is not asked to repeat; the rest still holds.
func TestProviderWithoutKeysPasses(t *testing.T) {
	for name, v := range verdicts(t, "is not keyed") {
		if len(v.failures) > 0 {
			t.Errorf("%s: %q", name, v.failures)
		}
	}
}

type verdict struct {
	failures []string
	skipped  bool
}

func verdicts(t *testing.T, wrong string) map[string]verdict {
	got := map[string]verdict{}
	for _, p := range promises() {
		r := &recorder{ctx: t.Context()}
		func() {
			defer func() {
				if e := recover(); e != nil && e != (stop{}) {
					panic(e)
				}
			}()
			p.keep(r, newShop(wrong).bench())
		}()
		if _, ok := got[p.name]; ok {
			t.Errorf("two promises are called %q", p.name)
		}
		got[p.name] = r.verdict
	}
	return got
}

// recorder is a tester that remembers instead of failing.
type recorder struct {
	ctx context.Context
	mu  sync.Mutex
	verdict
}

type stop struct{}

func (*recorder) Helper()                    {}
func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(stop{})
}

func (r *recorder) Skip(...any) {
	r.skipped = true
	panic(stop{})
}
