package outbound

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrNoTurn says that the caller's time was over while another one asked for the
// token that both need. Nothing was sent for this caller.
var ErrNoTurn = errors.New("outbound: waiting for a token")

// Token is what a stranger gives for our credentials, and all calls to them share
// until it ends. At most one caller asks for it at a time, and the others wait for
// what that one brings: strangers give few tokens a minute.
type Token struct {
	turn chan struct{} // whoever asks has put something into it

	mu    sync.Mutex
	value string // empty: none
	until time.Time
}

// NewToken returns a Token that is still to be asked for.
func NewToken() *Token { return &Token{turn: make(chan struct{}, 1)} }

// Kept is the token, if there is one that is still good; else it is empty.
func (t *Token) Kept(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !now.Before(t.until) {
		t.value = ""
	}
	return t.value
}

// Drop forgets a token that was refused, unless another has taken its place.
func (t *Token) Drop(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == value {
		t.value = ""
	}
}

// Get returns the token that is kept, or asks for one. fresh says that it was asked
// for just now. ask says until when it may be used. Errors are those of ask, or wrap
// [ErrNoTurn].
func (t *Token) Get(
	ctx context.Context, now func() time.Time, ask func(context.Context) (value string, until time.Time, err error),
) (value string, fresh bool, err error) {
	if v := t.Kept(now()); v != "" {
		return v, false, nil
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", false, fmt.Errorf("%w: %w", ErrNoTurn, ctx.Err())
	}
	if v := t.Kept(now()); v != "" { // who had the turn before has brought it
		return v, false, nil
	}
	value, until, err := ask(ctx)
	if err != nil {
		return "", false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.until = value, until
	return value, true, nil
}
