package calls

import (
	"fmt"
	"time"
)

// State is how an operator stands. The values are stored; do not rename.
type State string

// The states of an operator.
const (
	Well    State = ""        // it answers
	Braked  State = "braked"  // it did not, and is left alone
	Probing State = "probing" // one question is under way that decides
)

const (
	// silentFrom is how many calls in a row without an answer brake an operator.
	silentFrom = 5

	// Of the last lately calls, at least enough of them, a share of badFrom percent
	// without an answer, or with one that took slowFrom, brake it, too.
	lately   = 20
	enough   = 10
	badFrom  = 50
	slowFrom = 10 * time.Second

	// lateFor is how long an outcome counts.
	lateFor = 5 * time.Minute

	// The brake holds for shortest, twice as long after each question that was not
	// answered, and for longest at most.
	shortest = 15 * time.Second
	longest  = 5 * time.Minute
)

// brake is the circuit breaker of one operator. A refusal is an answer: it says
// that the operator is well.
type brake struct {
	state State
	since time.Time
	until time.Time
	why   string

	holds   time.Duration
	asked   time.Time // when the question began that decides
	silence int       // calls in a row without an answer
	past    []outcome // the last ones, oldest first
}

type outcome struct {
	at  time.Time
	bad bool
}

// lets reports whether a call may begin. When the time of the brake is over, one
// that changes nothing may.
func (b *brake) lets(now time.Time, read bool) bool {
	switch {
	case b.state == Well:
		return true
	case !read || b.state == Braked && now.Before(b.until):
		return false
	case b.state == Probing && now.Before(b.asked.Add(longest)):
		return false // unless whoever asked has died over it
	}
	b.state, b.asked = Probing, now
	return true
}

// answered notes an answer, whatever it says.
func (b *brake) answered(now time.Time, took time.Duration) {
	if b.state == Probing {
		*b = brake{since: now} // what came before is history
	}
	b.silence = 0
	b.note(now, took >= slowFrom)
	if why := b.bad(); b.state == Well && why != "" {
		b.hold(now, why)
	}
}

// silent notes a call without an answer.
func (b *brake) silent(now time.Time, err error) {
	b.silence++
	b.note(now, true)
	switch {
	case b.state == Probing:
		b.hold(now, fmt.Sprintf("asked again, and no answer: %.300s", err))
	case b.state == Braked: // an answer that was under way when it was braked
	case b.silence >= silentFrom:
		b.hold(now, fmt.Sprintf("%d calls in a row without an answer, the last: %.300s", b.silence, err))
	default:
		if why := b.bad(); why != "" {
			b.hold(now, fmt.Sprintf("%s, the last: %.300s", why, err))
		}
	}
}

// unheard is for a call whose caller left: it decides nothing.
func (b *brake) unheard() {
	if b.state == Probing {
		b.state = Braked
	}
}

func (b *brake) note(now time.Time, bad bool) {
	b.past = append(b.past, outcome{now, bad})
	for len(b.past) > lately || now.Sub(b.past[0].at) > lateFor {
		b.past = b.past[1:]
	}
}

// bad says what is wrong with the calls of late; empty: nothing.
func (b *brake) bad() string {
	n := 0
	for _, o := range b.past {
		if o.bad {
			n++
		}
	}
	if len(b.past) < enough || 100*n < badFrom*len(b.past) {
		return ""
	}
	return fmt.Sprintf("%d of the last %d calls took %v or had no answer", n, len(b.past), slowFrom)
}

func (b *brake) hold(now time.Time, why string) {
	if b.state == Well {
		b.since = now
	}
	b.holds = min(longest, max(shortest, 2*b.holds))
	b.state, b.until, b.why = Braked, now.Add(b.holds), why
	b.past, b.silence = nil, 0
}

// Released has something to receive when the operator answered the question that a
// brake had let through: whatever waits for it may be tried at once. It holds one
// release at most; whoever receives takes it.
func (o *Operator) Released() <-chan struct{} { return o.released }

// release rings once, however often nobody has listened.
func (o *Operator) release() {
	select {
	case o.released <- struct{}{}:
	default:
	}
}
