// Package inboxsim is a deliverer that delivers to a page: every letter of a
// channel lands in one inbox in memory, which a handler shows. It stands in for
// mail, SMS and the rest in the demo, in the simulated town and in tests, and
// misbehaves on request.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package inboxsim

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/tsuzuku/tsuzuku/message"
)

// Fault is what happens to one letter.
type Fault string

// The faults.
const (
	None         Fault = ""
	Refuse       Fault = "refuse"        // the address is dead
	Busy         Fault = "busy"          // turned away for now
	SilentBefore Fault = "silent_before" // never arrived; the caller hears nothing
	SilentAfter  Fault = "silent_after"  // arrived; the caller hears nothing
	Slow         Fault = "slow"          // arrives, but the caller has lost patience by then
)

// Faults are all faults but None, for tests that try each.
var Faults = []Fault{Refuse, Busy, SilentBefore, SilentAfter, Slow}

// maxKept is how many letters an inbox keeps; older ones are dropped.
const maxKept = 1000

// Inbox is a [message.Deliverer]. The zero value takes mail. It is safe for
// concurrent use; its fields are set before its first use.
type Inbox struct {
	Takes message.Channel  // empty: email
	Now   func() time.Time // when a letter arrives, for the page; nil: not shown

	// Choose decides the fate of each letter; nil means None. It is called
	// under the inbox's lock.
	Choose func(message.Letter) Fault

	// Meanwhile, if not nil, is called while a letter is under way: after it
	// arrived or was lost, and before the caller hears. A test lets another
	// worker look at that worst moment.
	Meanwhile func(message.Letter)

	mu       sync.Mutex
	kept     []Kept
	attempts int
}

// Kept is a letter that has arrived.
type Kept struct {
	message.Letter
	At    time.Time // zero for an inbox without a clock
	Times int       // how often it arrived; a second time with the same identifier is not shown again
}

// Name implements [message.Deliverer].
func (in *Inbox) Name() string { return "inboxsim" }

// Channel implements [message.Deliverer].
func (in *Inbox) Channel() message.Channel {
	if in.Takes == "" {
		return message.Email
	}
	return in.Takes
}

// Deliver implements [message.Deliverer].
func (in *Inbox) Deliver(ctx context.Context, l message.Letter) (message.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return message.Receipt{}, fmt.Errorf("inboxsim: %w: %w", message.ErrNotSent, err)
	}
	if !deliverable(l.To.Value) || l.To.Channel != in.Channel() {
		return message.Receipt{}, &message.Refusal{Reason: message.BadLetter, Code: "sim", Text: "not an address of this channel"}
	}
	l.Subject = strings.Map(oneLine, l.Subject)
	fault := in.take(l)
	if in.Meanwhile != nil {
		in.Meanwhile(l)
	}
	switch fault {
	case None:
		return message.Receipt{Ref: "sim-" + l.ID}, nil
	case Refuse:
		return message.Receipt{}, &message.Refusal{Reason: message.AddressDead, Code: "sim", Text: "no such mailbox"}
	case Busy:
		return message.Receipt{}, fmt.Errorf("inboxsim: busy: %w", message.ErrNotSent)
	case SilentBefore, SilentAfter:
		return message.Receipt{}, fmt.Errorf("inboxsim: no answer: %w", message.ErrUnknown)
	case Slow:
		<-ctx.Done()
		return message.Receipt{}, fmt.Errorf("inboxsim: slow: %w: %w", message.ErrUnknown, ctx.Err())
	}
	panic("inboxsim: unknown fault " + string(fault))
}

// take decides what happens to l and keeps it if it arrives.
func (in *Inbox) take(l message.Letter) Fault {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.attempts++
	fault := None
	if in.Choose != nil {
		fault = in.Choose(l)
	}
	if fault == Refuse || fault == Busy || fault == SilentBefore {
		return fault
	}
	for i := range in.kept {
		if in.kept[i].ID == l.ID {
			in.kept[i].Times++
			return fault
		}
	}
	k := Kept{Letter: l, Times: 1}
	if in.Now != nil {
		k.At = in.Now()
	}
	if len(in.kept) == maxKept {
		in.kept = in.kept[1:]
	}
	in.kept = append(in.kept, k)
	return fault
}

// Letters are the letters that have arrived, oldest first.
func (in *Inbox) Letters() []Kept {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]Kept(nil), in.kept...)
}

// To are the letters that have arrived for one address, oldest first.
func (in *Inbox) To(address string) []Kept {
	var out []Kept
	for _, k := range in.Letters() {
		if k.To.Value == address {
			out = append(out, k)
		}
	}
	return out
}

// Attempts is how often Deliver has been asked to carry a letter.
func (in *Inbox) Attempts() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.attempts
}

func deliverable(address string) bool {
	return address != "" && !strings.ContainsFunc(address, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r)
	})
}

func oneLine(r rune) rune {
	if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
		return ' '
	}
	return r
}
