// Package upstream is what operators sell to the seller, at which price, and what is
// left of the seller's money with them, held against the catalogue: which packages
// were withdrawn, what a term earns, and when a balance runs low.
//
// It asks operators nothing that changes anything, and nothing here changes an order.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// asksFor is how long one operator may take to answer one question; a list may have
// many pages.
const asksFor = 2 * time.Minute

// Answer is what one operator answered.
type Answer[T any] struct {
	Carrier string // the adapter's name
	Value   T
	Err     error // of the port's kinds
	Took    time.Duration
	AsOf    time.Time // when it was asked
}

// Said is what there is to say of the answer: empty where it is one.
func (a Answer[T]) Said() string {
	r, refused := errors.AsType[*carrier.Refusal](a.Err)
	switch {
	case a.Err == nil:
		return ""
	case refused && r.Reason == carrier.OperatorRefuses:
		return r.Text
	case refused:
		return fmt.Sprintf("refuses, %s: %s", r.Reason, carrier.Clip(r.Code+" "+r.Text))
	}
	return "no usable answer: " + carrier.Clip(a.Err.Error())
}

// Untold reports whether the operator has no such question, which is no trouble.
func (a Answer[T]) Untold() bool {
	r, refused := errors.AsType[*carrier.Refusal](a.Err)
	return refused && r.Reason == carrier.OperatorRefuses
}

// all asks every operator the same, side by side, and returns the answers in the order
// of their names. now is the clock.
func all[T any](ctx context.Context, carriers map[string]carrier.Carrier, now func() time.Time, ask func(context.Context, carrier.Carrier) (T, error)) []Answer[T] {
	names := slices.Sorted(maps.Keys(carriers))
	out := make([]Answer[T], len(names))
	var each sync.WaitGroup
	for i, name := range names {
		each.Go(func() {
			limited, cancel := context.WithTimeout(ctx, asksFor)
			defer cancel()
			began := now()
			value, err := ask(limited, carriers[name])
			out[i] = Answer[T]{name, value, err, now().Sub(began), began.UTC()}
		})
	}
	each.Wait()
	return out
}

// Health asks all operators how they are.
func Health(ctx context.Context, carriers map[string]carrier.Carrier, now func() time.Time) []Answer[carrier.Health] {
	return all(ctx, carriers, now, carrier.Ask)
}

// Balances asks all operators what is left with them.
func Balances(ctx context.Context, carriers map[string]carrier.Carrier, now func() time.Time) []Answer[carrier.Cost] {
	return all(ctx, carriers, now, func(ctx context.Context, c carrier.Carrier) (carrier.Cost, error) { return c.Balance(ctx) })
}

// Listings asks all operators for everything that they sell. An operator without a
// list is one that refuses.
func Listings(ctx context.Context, carriers map[string]carrier.Carrier, now func() time.Time) []Answer[[]carrier.Package] {
	return all(ctx, carriers, now, listing)
}

func listing(ctx context.Context, c carrier.Carrier) ([]carrier.Package, error) {
	if c.Abilities().ByHand {
		return nil, &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: "staff carry it out by hand: there is no list but the catalogue"}
	}
	list, err := c.Packages(ctx, carrier.Profile{})
	if err == nil && len(list) == 0 {
		return nil, &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: "it has no list of what it sells"}
	}
	return list, err
}

// Refused reports whether the operator answered with a no.
func (a Answer[T]) Refused() bool {
	_, refused := errors.AsType[*carrier.Refusal](a.Err)
	return refused
}
