package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// turn is about how long one side renews before the other has its turn.
	turn = time.Second

	// warmUp is how many renewals each side makes before the clock starts,
	// for every client: connections are made and statements prepared then.
	warmUp = 8

	// turnMax bounds what is prepared for one turn.
	turnMax = 50_000
)

// side is one of the two that are compared.
type side struct {
	tally

	// renew renews all lots with so many clients at once and says how long
	// each renewal, or each set, took.
	renew func(ctx context.Context, clients int, lots []lot) ([]time.Duration, error)

	next int // how many lots its next turn gets
}

// measure lets the desk and the limit take turns until the desk has renewed for
// as long as was asked.
func (s *shop) measure(ctx context.Context, o Options, clients int) (Run, error) {
	ours, limit := &side{renew: s.byDesk}, &side{renew: s.byLimit}
	if o.Sets > 0 {
		ours.renew, limit.renew = s.bySteps, s.byLimitSets
	}
	for _, each := range []*side{ours, limit} {
		each.next = max(1, o.Sets) * clients * warmUp
		if err := s.turn(ctx, clients, each); err != nil {
			return Run{}, err
		}
		each.tally = tally{}
	}
	wanted := time.Duration(o.Seconds) * time.Second
	for round := 1; ours.elapsed < wanted; round++ {
		first, second := ours, limit
		if round%2 == 0 {
			first, second = limit, ours
		}
		if err := errors.Join(s.turn(ctx, clients, first), s.turn(ctx, clients, second)); err != nil {
			return Run{}, err
		}
		_, _ = fmt.Fprintf(o.Progress, "bench: %s, %d clients: %v of %v, %d/s, limit %d/s\n", o.Engine, clients,
			ours.elapsed.Round(time.Second/10), wanted, ours.perSecond()/1000, limit.perSecond()/1000) // who watches may go away
	}
	return runOf(clients, ours.tally, limit.tally), nil
}

// turn makes customers and quotes, and then measures how long e takes to renew
// their lines. From that it guesses how many would fill the next turn.
func (s *shop) turn(ctx context.Context, clients int, e *side) error {
	lots, err := s.stock(ctx, e.next)
	if err != nil {
		return err
	}
	start := s.db.Now()
	took, err := e.renew(ctx, clients, lots)
	elapsed := s.db.Now().Sub(start)
	if err != nil {
		return err
	}
	s.renewed += len(lots)
	e.add(len(lots), elapsed, took)
	e.next = nextTurn(len(lots), elapsed, max(1, s.sets)*clients)
	return nil
}

// nextTurn is how many renewals fill a turn at the rate of the last one: a
// multiple of what all clients take at once.
func nextTurn(renewals int, elapsed time.Duration, step int) int {
	n := turnMax
	if elapsed > 0 {
		n = int(min(int64(renewals)*int64(turn)/int64(elapsed), turnMax))
	}
	return max(1, (n+step/2)/step) * step
}

// race lets so many clients repeat what do does until it finds no more work or
// one fails. It says how long each piece of work took.
func (s *shop) race(ctx context.Context, clients int, do func(context.Context) (more bool, err error)) ([]time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took := make([][]time.Duration, clients)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				start := s.db.Now()
				more, err := do(ctx)
				if err != nil {
					cancel(err)
				}
				if !more || err != nil {
					return
				}
				took[i] = append(took[i], s.db.Now().Sub(start))
			}
		})
	}
	all.Wait()
	var out []time.Duration
	for _, t := range took {
		out = append(out, t...)
	}
	return out, context.Cause(ctx)
}

// each is for race: every lot is given to one client.
func each(lots []lot, do func(context.Context, lot) error) func(context.Context) (bool, error) {
	var next atomic.Int64
	return func(ctx context.Context) (bool, error) {
		i := next.Add(1) - 1
		if i >= int64(len(lots)) {
			return false, nil
		}
		return true, do(ctx, lots[i])
	}
}
