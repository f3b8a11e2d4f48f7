package bench

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	// paymentsMax bounds how many attempts are made for one turn: signatures
	// carry their time, and must not be stale when their turn comes.
	paymentsMax = 2_000

	// proving is how long each of verifying and its limit takes in one turn.
	proving = turn / 4

	// provingSet is how many are verified before the other side has its turn.
	provingSet = 128

	// asking is how many attempts are asked about in one turn.
	asking = 32
)

// clocked is one side that is measured on one goroutine.
type clocked struct {
	n       int64
	elapsed time.Duration
}

// nanoseconds is how long one took, on average.
func (c clocked) nanoseconds() int64 {
	if c.n == 0 {
		return 0
	}
	return c.elapsed.Nanoseconds() / c.n
}

func (c clocked) perSecond() int64 {
	if c.elapsed <= 0 {
		return 0
	}
	return c.n * int64(time.Second) / int64(c.elapsed)
}

// tallies are all that is measured of one adapter.
type tallies struct {
	notify, confirm           tally
	verify, crypto, ask, sign clocked
}

// measure takes turns of confirming and then of taking notifications, each for
// as long as was asked: attempts that were never confirmed burden simulators.
func (t *till) measure(ctx context.Context, o PaymentOptions) (PaymentRun, error) {
	t.open()
	for _, do := range []func(context.Context, int, *tallies) error{t.confirm, t.take} {
		t.next = o.Clients * warmUp
		if err := do(ctx, o.Clients, &tallies{}); err != nil {
			return PaymentRun{}, err
		}
	}
	var all tallies
	wanted := time.Duration(o.Seconds) * time.Second
	for _, side := range []struct {
		name string
		do   func(context.Context, int, *tallies) error
		*tally
	}{{"confirmations", t.confirm, &all.confirm}, {"notifications", t.take, &all.notify}} {
		t.next = o.Clients * warmUp
		for once := t.proof.silent && side.tally == &all.notify; once || side.elapsed < wanted; {
			if err := side.do(ctx, o.Clients, &all); err != nil {
				return PaymentRun{}, err
			}
			if once {
				break // there was only something to ask
			}
			_, _ = fmt.Fprintf(o.Progress, "bench: %s, %s: %s for %v of %v, %d/s\n", o.Engine, t.bank.Name, side.name,
				side.elapsed.Round(time.Second/10), wanted, side.perSecond()/1000) // who watches may go away
		}
	}
	return paymentRunOf(t.bank.Name, t.rail, t.proof.name, all), nil
}

// take verifies a turn's notifications on their own and then has the desk store
// them. Nobody asks about their attempts any more.
func (t *till) take(ctx context.Context, clients int, all *tallies) error {
	lots, err := t.stock(ctx, t.next)
	if err != nil {
		return err
	}
	var notices []notice
	for _, p := range lots {
		notices = append(notices, p.notices...)
	}
	if err := errors.Join(t.prove(ctx, notices, all), t.ask(ctx, lots, all), t.sign(all)); err != nil {
		return err
	}
	var next atomic.Int64
	start := t.shop.db.Now()
	_, err = t.shop.race(ctx, clients, func(ctx context.Context) (bool, error) {
		i := next.Add(1) - 1
		if i >= int64(len(notices)) {
			return false, nil
		}
		return true, t.notify(ctx, notices[i])
	})
	elapsed := t.shop.db.Now().Sub(start)
	if err != nil {
		return err
	}
	all.notify.add(len(notices), elapsed, nil)
	t.notified += len(notices)
	t.next = min(nextTurn(len(lots), elapsed, clients), paymentsMax)
	return t.shop.forget(ctx)
}

// confirm lets the clients each give one attempt's notification, or its customer
// who comes back, to the desk and then ask about what is due, until every order is paid.
func (t *till) confirm(ctx context.Context, clients int, all *tallies) error {
	lots, err := t.stock(ctx, t.next)
	if err != nil {
		return err
	}
	var next atomic.Int64
	start := t.shop.db.Now()
	_, err = t.shop.race(ctx, clients, func(ctx context.Context) (bool, error) {
		i := next.Add(1) - 1
		if i < int64(len(lots)) {
			if err := t.arrives(ctx, lots[i]); err != nil {
				return false, err
			}
		}
		worked, err := t.shop.desk.PaymentStep(ctx)
		return worked || i < int64(len(lots)), err
	})
	elapsed := t.shop.db.Now().Sub(start)
	if err != nil {
		return err
	}
	all.confirm.add(len(lots), elapsed, nil)
	if !t.proof.silent {
		t.notified += len(lots)
	}
	t.confirmed += len(lots)
	t.next = min(nextTurn(len(lots), elapsed, clients), paymentsMax)
	return nil
}

// arrives is what makes the desk ask about a paid attempt.
func (t *till) arrives(ctx context.Context, p paid) error {
	if t.proof.silent {
		return t.shop.desk.Resume(ctx, order.Key{Account: p.payment.Account, ID: p.payment.Order}, p.returned)
	}
	return t.notify(ctx, p.notices[0])
}

func (t *till) notify(ctx context.Context, n notice) error {
	_, err := t.shop.desk.Notify(ctx, t.bank.Name, n.header, n.body)
	return err
}

// prove lets the adapter and the bare operations take turns on the same
// notifications.
func (t *till) prove(ctx context.Context, notices []notice, all *tallies) error {
	if t.proof.silent {
		return nil
	}
	notices = notices[:min(len(notices), provingSet)]
	bare, err := t.bare(notices)
	if err != nil {
		return err
	}
	adapter := func(i int) error {
		_, err := t.provider.Notification(ctx, notices[i].header, notices[i].body)
		return err
	}
	limit := func(i int) error {
		if !bare[i]() {
			return fmt.Errorf("the limit refuses a genuine notification: %s", notices[i].body)
		}
		return nil
	}
	for enough := all.verify.elapsed + proving; all.verify.elapsed < enough; {
		if err := t.clock(&all.verify, len(notices), adapter); err != nil {
			return err
		}
		if bare == nil {
			continue
		}
		if err := t.clock(&all.crypto, len(notices), limit); err != nil {
			return err
		}
	}
	return nil
}

// bare takes notifications apart for the limit; nil where nothing proves them.
func (t *till) bare(notices []notice) ([]func() bool, error) {
	if t.proof.bare == nil {
		return nil, nil
	}
	all := make([]func() bool, len(notices))
	for i, n := range notices {
		var err error
		if all[i], err = t.proof.bare(t.town.Keys, n); err != nil {
			return nil, fmt.Errorf("the limit cannot read a notification: %w", err)
		}
	}
	return all, nil
}

// ask measures Query without the time that the simulator took.
func (t *till) ask(ctx context.Context, lots []paid, all *tallies) error {
	lots = lots[:min(len(lots), asking)]
	before := t.stranger.Load()
	err := t.clock(&all.ask, len(lots), func(i int) error {
		_, err := t.provider.Query(ctx, attemptOf(lots[i].payment))
		return err
	})
	all.ask.elapsed -= time.Duration(t.stranger.Load() - before)
	return err
}

// sign measures the bare signing of a request of the usual size.
func (t *till) sign(all *tallies) error {
	if t.proof.sign == nil {
		return nil
	}
	text := make([]byte, 512)
	return t.clock(&all.sign, asking, func(int) error { return t.proof.sign(t.town.Keys, text) })
}

// clock measures n calls, one after the other.
func (t *till) clock(c *clocked, n int, do func(int) error) error {
	start := t.shop.db.Now()
	for i := range n {
		if err := do(i); err != nil {
			return err
		}
	}
	c.elapsed += t.shop.db.Now().Sub(start)
	c.n += int64(n)
	return nil
}

// attemptOf is what the desk tells an adapter about an attempt.
func attemptOf(p order.Payment) payment.Attempt {
	return payment.Attempt{
		Ref: p.Ref, Rail: p.Rail, Amount: p.Amount, Description: "Order " + p.Order, Language: p.Language,
		ReturnURL: p.ReturnURL, CancelURL: p.ReturnURL, Tags: map[string]string{"order": p.Order},
		CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt, Device: p.Device, ClientIP: p.ClientIP,
		ProviderID: p.ProviderID, MoneyID: p.MoneyID,
	}
}
