package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/world"
)

// Adapters builds the adapters of payment providers that know the town's by its
// credentials, by their names. Only package app knows adapters, so whoever
// measures hands it in: what is measured is what a shop runs. url is where the
// shop is reached.
type Adapters func(url string, town *world.Strangers, ids *id.Source) (map[string]payment.Provider, error)

// PaymentOptions say what is measured of payments.
type PaymentOptions struct {
	Engine   db.Engine
	Adapters Adapters

	// Seconds is how long taking notifications is measured for each adapter, at
	// least 1; confirming takes as long again, and making paid attempts before
	// each turn about ten times as long as both.
	Seconds int

	// Clients is how many deliver notifications at the same time, at least 1.
	Clients int

	// URL is an empty database, as in [Options].
	URL string

	Progress io.Writer        // what is going on, for people; nil: nobody looks
	Now      func() time.Time // the clock; nil: the database's
}

// shopURL is where the shop says that it is. Nobody opens it.
const shopURL = "https://shop.invalid"

// Payment measures what it costs to learn of payments, for each adapter.
//
//   - notify: genuine ones that simulated customers caused, given to
//     [order.Desk.Notify] by all clients at once until they are stored.
//   - verify: the adapter's Notification alone, on one goroutine, and beside it
//     the limit: the bare operations that prove the same notifications, on
//     inputs that were taken apart before.
//   - ask: the adapter's own part of asking about an attempt, without the
//     simulator's, and beside it the bare signing of one request.
//   - confirm: attempts whose customer has paid, from the notification until the
//     order is paid; where nobody is notified, from the customer's coming back. The providers are simulated in process, by their wire
//     protocols, so the rate has their work in it, signatures included.
//
// It fails as [Renew] does.
func Payment(ctx context.Context, o PaymentOptions) (result PaymentResult, err error) {
	if o.Clients < 1 || o.Clients > clientsMax {
		return PaymentResult{}, fault.New(fault.Invalid, "Use 1 to %d clients.", clientsMax)
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	s, end, err := begin(ctx, Options{Engine: o.Engine, Seconds: o.Seconds, Clients: o.Clients, URL: o.URL, Now: o.Now})
	if err != nil {
		return PaymentResult{}, err
	}
	defer func() { err = errors.Join(err, end()) }()
	tills, err := openTills(s, o)
	if err != nil {
		return PaymentResult{}, err
	}
	result = PaymentResult{Engine: o.Engine, Seconds: o.Seconds, Clients: o.Clients, CPUs: runtime.GOMAXPROCS(0)}
	notified, confirmed := 0, 0
	for _, t := range tills {
		run, err := t.measure(ctx, o)
		if err != nil {
			return PaymentResult{}, fmt.Errorf("bench: %s: %w", t.bank.Name, err)
		}
		notified, confirmed = notified+t.notified, confirmed+t.confirmed
		result.Adapters = append(result.Adapters, run)
	}
	return result, s.checkPayments(ctx, notified, confirmed)
}

// forget lets no attempt be due: those of a turn that only stores notifications
// would otherwise be asked about in another one.
func (s *shop) forget(ctx context.Context) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE payments SET due_at = NULL WHERE due_at IS NOT NULL`)
		return err
	})
}

// checkPayments fails unless every notification that was counted is stored, and
// every order that was counted as confirmed is paid.
func (s *shop) checkPayments(ctx context.Context, notified, confirmed int) error {
	return s.db.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		var stored, paid int
		err := errors.Join(
			tx.QueryRow(ctx, `SELECT COUNT(*) FROM provider_events`).Scan(&stored),
			tx.QueryRow(ctx, `SELECT COUNT(*) FROM orders WHERE state <> 'placed'`).Scan(&paid),
		)
		if err == nil && (stored != notified || paid != confirmed) {
			err = fmt.Errorf("bench: %d notifications were counted and %d are stored; %d orders were counted and %d are paid",
				notified, stored, confirmed, paid)
		}
		return err
	})
}
