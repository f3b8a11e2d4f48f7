package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
)

// Watch keeps an eye on what operators have of the seller's money and on what they
// sell, and tells staff.
type Watch struct {
	DB       *db.DB
	Shelf    *catalogue.Shelf
	Carriers map[string]carrier.Carrier // those whose calls are planned are asked as the plan allows
	Floors   Floors
	Log      *slog.Logger
}

const (
	// readsEvery is how often a balance is read, and untoldEvery how often one is asked
	// for that an operator does not tell.
	readsEvery  = 10 * time.Minute
	untoldEvery = 24 * time.Hour

	// laterBy is when it is tried again where the operator's limit has no room.
	laterBy = time.Minute

	// balanceFor is how long one answer may take.
	balanceFor = 30 * time.Second
)

// BalanceStep reads the balances that are due, stores them, and tells staff once when
// one has fallen below its floor, and when it is no longer.
func (w *Watch) BalanceStep(ctx context.Context) (worked bool, err error) {
	standings, err := db.Seen(ctx, w.DB, Standings)
	if err != nil {
		return false, err
	}
	now, due := w.DB.Now(), map[string]carrier.Carrier{}
	for name, c := range w.Carriers {
		at := slices.IndexFunc(standings, func(s Standing) bool { return s.Carrier == name })
		if !c.Abilities().ByHand && (at < 0 || !standings[at].due.After(now)) {
			due[name] = c
		}
	}
	if len(due) == 0 {
		return false, nil
	}
	mine, err := db.Written(ctx, w.DB, func(ctx context.Context, tx db.Tx) (map[string]carrier.Carrier, error) {
		mine := map[string]carrier.Carrier{}
		for _, name := range slices.Sorted(maps.Keys(due)) {
			ours, err := claim(ctx, tx, name, tx.Now().Add(laterBy))
			if err != nil {
				return nil, err
			}
			if ours {
				mine[name] = due[name]
			}
		}
		return mine, nil
	})
	if err != nil || len(mine) == 0 {
		return false, err
	}
	answers := all(ctx, mine, w.DB.Now, w.balance)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	heard, err := db.Written(ctx, w.DB, func(ctx context.Context, tx db.Tx) (news, error) { return w.record(ctx, tx, answers) })
	if err == nil {
		heard.tell(ctx, w.Log)
	}
	return err == nil, err
}

// balance asks one operator, as its plan of calls allows.
func (w *Watch) balance(ctx context.Context, c carrier.Carrier) (carrier.Cost, error) {
	limited, cancel := context.WithTimeout(ctx, balanceFor)
	defer cancel()
	return look(limited, c, func(ctx context.Context) (carrier.Cost, error) { return c.Balance(ctx) })
}

// look asks an operator what is no order's: it leaves the reserve alone, and waits
// while orders do.
func look[T any](ctx context.Context, c carrier.Carrier, ask func(context.Context) (T, error)) (T, error) {
	o, planned := c.(*calls.Operator)
	if !planned {
		return ask(ctx)
	}
	grant, given := o.Looks(1)
	defer grant.Return()
	if given == 0 {
		var none T
		return none, errNoRoom
	}
	return ask(grant.With(ctx))
}

// errNoRoom says that orders need what the operator allows.
var errNoRoom = fmt.Errorf("%w: orders come first", carrier.ErrNotSent)

// record stores answers, and opens and ends alarms.
func (w *Watch) record(ctx context.Context, tx db.Tx, answers []Answer[carrier.Cost]) (heard news, err error) {
	standings, err := Standings(ctx, tx)
	if err != nil {
		return heard, err
	}
	var b db.Batch
	for _, a := range answers {
		at := slices.IndexFunc(standings, func(s Standing) bool { return s.Carrier == a.Carrier })
		if at < 0 {
			continue // somebody has deleted it meanwhile
		}
		before := standings[at]
		next, spent := before.after(a)
		if a.Err == nil {
			if err := w.judge(ctx, tx, &next, &heard); err != nil {
				return heard, err
			}
		}
		next.keep(&b, before, spent)
	}
	return heard, tx.Batch(ctx, &b)
}

// after is a standing with an answer, or with why there is none.
func (s Standing) after(a Answer[carrier.Cost]) (next Standing, spent int64) {
	next = s
	switch {
	case a.Err == nil:
		next, spent = s.told(a.Value, a.AsOf)
		next.due = a.AsOf.Add(readsEvery)
	case errors.Is(a.Err, errNoRoom):
		next.due = a.AsOf.Add(laterBy)
	case a.Untold():
		next.Trouble, next.due = a.Said(), a.AsOf.Add(untoldEvery)
	default:
		next.Trouble, next.due = a.Said(), a.AsOf.Add(readsEvery)
	}
	return next, spent
}

// judge compares a balance that was just told with its floor.
func (w *Watch) judge(ctx context.Context, tx db.Tx, s *Standing, heard *news) error {
	floor := w.Floors.Of(*s, tx.Now())
	alarm := Alarm{Carrier: s.Carrier, Kind: LowBalance}
	switch low := s.Below(floor); {
	case low && !s.Low:
		s.Low, s.lowAt = true, floor.Units
		alarm.Told = fmt.Sprintf("The balance with %s is %s, below %s. Orders are refused when it is empty: pay in.", s.Carrier, s.Balance, s.in(floor.Units))
		return heard.open(ctx, tx, alarm)
	case !low:
		s.Low, s.lowAt = false, 0
		alarm.Told = fmt.Sprintf("The balance with %s is %s again.", s.Carrier, s.Balance)
		return heard.end(ctx, tx, alarm)
	}
	return nil
}

// in is an amount in units of the balance.
func (s Standing) in(units int64) carrier.Cost {
	return carrier.Cost{Units: units, Scale: s.Balance.Scale, Currency: s.Balance.Currency}
}
