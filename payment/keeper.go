package payment

import (
	"context"
	"log/slog"
	"time"
)

// Token is what a provider knows a kept tool by. With the seller's keys it moves
// money, so it does not appear in logs. It is never a card's number.
type Token string

// Forgotten stands in an attempt for a token that the caller no longer has. It
// charges nothing; what became of an earlier charge can still be asked.
const Forgotten Token = "-"

// String hides the token.
func (Token) String() string { return "[token]" }

// GoString hides the token from %#v too.
func (Token) GoString() string { return "[token]" }

// LogValue hides the token.
func (Token) LogValue() slog.Value { return slog.StringValue("[token]") }

// Kept is a customer's tool as a provider keeps it for us.
type Kept struct {
	Token  Token
	Holder string // the provider's name for the customer; "" if it has none
	Label  string // by which the customer knows it again, in no language: "Visa •• 4242"

	// Mark is the same whenever the same card or account is kept again, and of
	// no other; "" where the provider cannot tell.
	Mark string

	// Until is the last month in which it can be charged; zero: no end is known.
	Until Month
}

// Month is a month of a year, as it stands on a card. The zero value is none.
type Month struct {
	Year  int
	Month time.Month
}

// IsZero reports whether m is no month.
func (m Month) IsZero() bool { return m == Month{} }

// Over reports whether the month has ended everywhere on earth: a card is good
// until the end of its month where the bank is, and nobody knows where that is.
func (m Month) Over(now time.Time) bool {
	if m.IsZero() {
		return false
	}
	const westernmost = 12 * time.Hour // behind UTC
	return !now.Before(time.Date(m.Year, m.Month+1, 1, 0, 0, 0, 0, time.UTC).Add(westernmost))
}

// Keeper is a [Provider] that can keep a customer's tool for later charges.
//
// # Keeping
//
// An attempt that says Keep is paid as any other; once it is Paid, the
// observation tells what was kept, then or, where the provider needs longer,
// later. A provider that would not keep it takes the money all the same.
//
// # Charging
//
// An attempt with Saved is charged by Start, with no page of the provider and
// nothing for the customer to do, unless their bank asks: then it is
// NeedsCustomer and goes on as any other. With Absent it never is NeedsCustomer:
// a bank that would ask has refused, with [NotAuthenticated].
//
// A refusal is Dead, or Open with its Reason where something is left at the
// provider that the caller should close with Abandon: nobody can try another
// tool in such an attempt. ToolGone and CardExpired say that the tool itself is
// of no use any more.
//
// Start sends nothing after the attempt's ExpiresAt. Query and Abandon never
// charge, not even to find out what became of a Start whose answer was lost:
// where the provider has nothing to look through, it stays Unknown until a
// notification gives the caller the provider's identifier.
type Keeper interface {
	Provider

	// Keeps are those of Limits().Rails whose tools can be kept.
	Keeps() []Rail

	// Forget makes the provider forget a kept tool. It succeeds too where the
	// provider has forgotten it already, so it may be called again after any
	// error. Errors wrap [ErrUnknown] or [ErrNotSent].
	Forget(ctx context.Context, k Kept) error
}
