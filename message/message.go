// Package message is what is said to people: the port to everything that
// carries letters, the rows that wait to be sent, and the words. One channel's
// adapter is one folder below; messagetest is the suite that all of them pass.
//
// Together with packages payment and carrier, their suites and app.Main this is
// what Tsuzuku promises to other modules: a seller may build in an adapter of
// their own.
//
// # What a caller does
//
// Whoever has something to say queues a [Draft] in the transaction that makes
// it true; the row is the work, and its key makes it once. A [Sender] claims
// rows when they are due, writes each in the customer's language and hands it to
// the channel's [Deliverer]. An answer is one of four: a [Receipt] (handed over),
// a [*Refusal] (never, as it is), [ErrNotSent] (certainly not; try again) or
// [ErrUnknown] (perhaps). After ErrUnknown a letter is sent at most once more,
// with the same [Letter.ID], so that a receiver can drop the second.
package message

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
)

// ErrUnknown says that a letter may or may not be on its way: the connection
// broke after it was handed over and before that was confirmed.
var ErrUnknown = errors.New("message: outcome unknown")

// ErrNotSent says that a letter is certainly not on its way, and that the same
// letter may be accepted later: no connection, a busy server, a full mailbox, a
// mistake in our own configuration.
var ErrNotSent = errors.New("message: not sent")

// Refusal is the channel's definite no to this letter. Nothing was sent, and
// sending the same again would be refused again.
type Refusal struct {
	Reason Reason
	Code   string // the channel's own code, for staff
	Text   string // the channel's own words, for staff
}

// Error implements error, for the log.
func (r *Refusal) Error() string {
	return "message: refused: " + string(r.Reason) + " (" + r.Code + " " + r.Text + ")"
}

// Reason is why a letter was refused, in the few words that we act on.
type Reason string

// The reasons. The values are stored; do not rename.
const (
	AddressDead Reason = "address_dead" // there is no such address, or no longer
	NotWanted   Reason = "not_wanted"   // the receiver, or somebody for them, blocks letters from us
	BadLetter   Reason = "bad_letter"   // too long, malformed, or an address that the channel cannot read: a bug
	Refused     Reason = "refused"      // a definite no that fits no other word
)

// Channel is a way to reach people.
type Channel string

// The channels. The values are stored; do not rename.
const (
	Email Channel = "email"
	SMS   Channel = "sms"
	Push  Channel = "push"
	Chat  Channel = "chat"
)

// Valid reports whether c is one of the channels.
func (c Channel) Valid() bool {
	switch c {
	case Email, SMS, Push, Chat:
		return true
	}
	return false
}

// Address is where one person is reached by one channel.
type Address struct {
	Channel Channel
	Value   string // name@host, +81901234567, or what the channel's adapter understands
}

// Letter is one message, ready to be carried. Every part is a single line or
// plain paragraphs of valid Unicode; an adapter nevertheless never trusts a
// part to stay on its line.
type Letter struct {
	// ID is the same whenever the same letter is sent again, and of no other
	// letter: at most 64 of [0-9a-z_]. By mail it becomes the Message-ID.
	ID string

	To       Address
	Language locale.Language
	Subject  string // one line
	Text     string // the whole letter as plain text, lines ended by \n
	HTML     string // the same as an HTML document; empty where there is none

	// Link is the one address that the letter is about, which is also in Text
	// and HTML; empty when it is about none. Channels with buttons use it.
	Link string

	// About is the same of letters about the same thing, of which only the newest
	// matters: where a channel can, it replaces the one before. Empty: the letter
	// stands for itself.
	About string

	// Until is when the letter is worthless, for channels that keep it for somebody
	// who is away; zero: not known.
	Until time.Time

	// Urgent says that somebody loses something who does not see it soon.
	Urgent bool

	// Headers are further facts for channels that have headers, such as
	// List-Unsubscribe. An adapter drops those it does not know.
	Headers map[string]string
}

// Receipt is the channel's yes: the letter has been taken over. It does not say
// that anybody has read it.
type Receipt struct {
	Ref string // the channel's own reference, for staff; may be empty
}

// Deliverer carries letters by one channel. Implementations are safe for
// concurrent use, give up when ctx ends, and make at most one attempt a call.
//
// Every error is a [*Refusal], wraps [ErrNotSent], or wraps [ErrUnknown]. An
// adapter that cannot tell says ErrUnknown.
type Deliverer interface {
	// Name is the adapter's name in configuration and in stored rows.
	Name() string

	// Channel is the channel of the addresses it takes.
	Channel() Channel

	// Deliver hands one letter over. It may be called again with the same
	// Letter.ID, after any answer but a Receipt and a Refusal.
	Deliver(ctx context.Context, l Letter) (Receipt, error)
}
