package order

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// directoryPayment is the directory's kind for our references at providers.
const directoryPayment = "payment"

// directoryMoney is its kind for providers' identifiers of money, see moneyAt.
const directoryMoney = "money"

// Ways is where the customer goes after the provider's page.
type Ways struct {
	Return   string // absolute; the order's page
	Cancel   string // not kept yet: who gives up comes back to Return, too, where the provider is asked
	Language string // BCP 47, for the provider's pages
	Device   payment.Device
	ClientIP string // the customer's

	Saved  string // a tool of the account's that is charged, whatever the rail says
	Keep   bool   // the customer agrees, by the words of [KeepConsent], that what they pay with is kept
	Absent bool   // the customer is not there: only with Saved, and only where they agreed to that
}

// Pay starts an attempt to collect a placed order with one tool, and returns it
// with what the customer must do next. An order of a basket is paid with all
// others of it. Called again with the same tool, it returns the attempt that is
// already open. Another tool first closes the former attempt; if that turns out to
// be paid, the order is paid. While money of the former is on its way it fails
// with [fault.Conflict].
func (d *Desk) Pay(ctx context.Context, k Key, rail payment.Rail, w Ways) (Payment, error) {
	name, ok := d.Rails[rail]
	if w.Saved != "" {
		var err error
		if rail, name, err = d.railOf(ctx, k.Account, w.Saved); err != nil {
			return Payment{}, err
		}
		ok = true
	}
	if !ok {
		return Payment{}, fault.Because(fault.Invalid, "tool_unknown", "This shop does not take that. Choose another way to pay.", nil)
	}
	w.Keep = w.Keep && w.Saved == "" && d.Keeps(rail)
	all, live, err := d.payable(ctx, k, rail, name, w.Saved != "")
	if err != nil {
		return Payment{}, err
	}
	if live.ID != "" {
		if p, settled, err := d.former(ctx, live, rail, w); settled || err != nil {
			return p, err
		}
	}
	p, err := d.open(ctx, all, rail, name, w)
	if err != nil {
		return Payment{}, err
	}
	return d.start(ctx, p, true)
}

// payable reads an order with those that are paid together with it, and their
// live attempt, and checks that the rules and the provider let this tool pay.
func (d *Desk) payable(ctx context.Context, k Key, rail payment.Rail, name string, saved bool) (all basket, live Payment, err error) {
	err = d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		if all, err = basketOf(ctx, tx, k); err != nil {
			return err
		}
		if live, err = livePayment(ctx, tx, all.first().Ref()); err != nil {
			return err
		}
		ends := all.first().ExpiresAt
		switch {
		case !all.are(Placed):
			return errNotPayable()
		case !tx.Now().Before(ends):
			return errExpired()
		}
		if err := d.takesTogether(rail, name, all.rest(), len(all), tx.Now(), ends); err != nil {
			return err
		}
		for _, o := range all {
			if err := d.unowed(ctx, tx, o, saved); err != nil {
				return err
			}
			if o.Kind == TopUp || catalogue.Tool(rail) == o.Tool {
				continue
			}
			if err := d.allows(ctx, tx, o, rail); err != nil {
				return err
			}
		}
		return nil
	})
	return all, live, err
}

func errNotPayable() error {
	return fault.Because(fault.Conflict, "not_payable", "This order is not waiting for a payment. Look at its page.", nil)
}

func errOpening() error {
	return fault.Because(fault.Conflict, "payment_open", "A payment of this order is already open. Look at the order's page.", nil)
}

// allows asks the policy about another tool than the order was placed with.
func (d *Desk) allows(ctx context.Context, tx db.Tx, o Order, rail payment.Rail) error {
	cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
	if err != nil {
		return err
	}
	s, err := situation(ctx, tx, cat, o.Account, o.about(catalogue.Tool(rail)))
	if err != nil {
		return err
	}
	_, no := decided(s, o.Kind, o.Plan, o.Item)
	if no != nil && no.Rule == renewal.ToolRefused {
		return Refused(no)
	}
	return nil
}

// former deals with the attempt that is already open: the same tool goes on
// with it, another one closes it. settled says that no new one may be opened.
func (d *Desk) former(ctx context.Context, live Payment, rail payment.Rail, w Ways) (p Payment, settled bool, err error) {
	same := live.Rail == rail && live.Tool == w.Saved && (live.Keep != "") == w.Keep
	unanswered := live.State == payment.Created || live.State == payment.Unknown || d.Stale(live)
	switch {
	case same && live.Next != (payment.Next{}) && !d.Stale(live):
		return live, true, nil
	case live.State == payment.Created && d.DB.Now().Before(live.CreatedAt.Add(lease/2)):
		return Payment{}, true, errOpening() // another tab is talking to the provider
	case same && unanswered && d.Providers[live.Provider].Limits().Keyed:
		// The answer was lost: the same key gives it again.
		if p, err = d.start(ctx, live, false); err == nil && (p.Next != (payment.Next{}) || p.State == payment.Paid) {
			return p, true, nil
		}
	}
	p, err = d.close(ctx, live)
	if err == nil && p.State == payment.Pending {
		err = fault.Because(fault.Conflict, "payment_pending",
			"A payment of this order is just being processed. Look at the order's page in a moment.", nil)
	}
	return p, p.State == payment.Paid, err
}

// Stale reports whether the page or code of an attempt can no longer be used,
// while the attempt itself is still open: paying again with the same tool shows a
// fresh one.
func (d *Desk) Stale(p Payment) bool {
	provider, ok := d.Providers[p.Provider]
	if !ok || p.State != payment.NeedsCustomer {
		return false
	}
	lives := provider.Limits().NextLives
	return lives > 0 && !d.DB.Now().Before(p.NextAt.Add(lives))
}

// maxPayments bounds how many attempts one order may have.
const maxPayments = 20

// open stores an attempt before its first byte leaves. Its orders are touched in
// the same transaction, so that they are still waiting when the attempt is there.
func (d *Desk) open(ctx context.Context, all basket, rail payment.Rail, provider string, w Ways) (Payment, error) {
	o := all.first()
	p, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Payment, error) {
		p := Payment{
			Account: o.Account, ID: d.IDs.Under("py", o.Account), Order: o.ID, Rail: rail, Provider: provider, Amount: all.rest(),
			State: payment.Created, Live: true, ReturnURL: w.Return, Language: w.Language, Device: w.Device, ClientIP: w.ClientIP,
			DueAt: tx.Now().Add(lease), ExpiresAt: o.ExpiresAt, CreatedAt: tx.Now(), UpdatedAt: tx.Now(), Attempts: 1,
			Tool: w.Saved, Absent: w.Absent && w.Saved != "",
		}
		if w.Keep {
			p.Keep = KeepConsent
		}
		if err := addUse(ctx, tx, p.Account, p.Tool); err != nil {
			return p, err
		}
		p.Ref = reference(p.ID)
		for _, o := range all {
			n, err := tx.Exec(ctx, `UPDATE orders SET updated_at = $3 WHERE account_id = $1 AND id = $2 AND state = 'placed' AND expires_at > $3`,
				o.Account, o.ID, db.At(tx.Now()))
			if err == nil && n == 0 {
				err = errNotPayable()
			}
			if err == nil {
				err = d.unowed(ctx, tx, o, w.Saved != "") // a dispute may have been seen since it was asked
			}
			if err != nil {
				return p, err
			}
		}
		before, err := Payments(ctx, tx, o.Ref())
		if err != nil {
			return p, err
		}
		if len(before) >= maxPayments {
			return p, fault.Because(fault.TooMany, "payments_many", "This was tried very often. Choose an offer again.", nil)
		}
		if err := db.Claim(ctx, tx, directoryPayment, p.Ref, p.Account, p.ID); err != nil {
			return p, err
		}
		return p, insertPayment(ctx, tx, p)
	})
	if db.IsUnique(err) {
		return Payment{}, errOpening()
	}
	return p, err
}

// start makes the attempt known to the provider. first says that nobody can
// have done so before.
func (d *Desk) start(ctx context.Context, p Payment, first bool) (Payment, error) {
	call, cancel := d.callLimit(ctx)
	defer cancel()
	at, err := d.asked(ctx, p)
	if err != nil {
		return Payment{}, err // the row is due
	}
	seen, err := d.startWith(call, p, at)
	d.silence.hear(p.Provider, d.DB.Now(), err)
	ctx = context.WithoutCancel(ctx) // what came back is kept, even if the customer has left
	if first && errors.Is(err, payment.ErrNotSent) {
		// Certainly nothing there: this attempt is over, another may begin.
		dead, failed := d.observe(ctx, p, payment.Observation{State: payment.Dead, Reason: payment.ProviderTrouble, Code: clip(err.Error())})
		if failed == nil {
			failed = d.restUnsent(ctx, dead)
		}
		return Payment{}, errors.Join(failed, fault.Wrap(fault.Unavailable, err,
			"The payment provider cannot be reached. Nothing was charged. Try again, or choose another way to pay."))
	}
	if err != nil {
		seen = payment.Observation{State: payment.Unknown, Code: clip(err.Error())}
	}
	return d.observe(ctx, p, seen)
}

// restUnsent is for an attempt of which its provider certainly never heard: nobody asks
// about it any more. Where there is no identifier of the provider's, each look would be
// a search through all attempts of that time, of a provider that may have little
// patience just then. A notification of it would still wake it.
func (d *Desk) restUnsent(ctx context.Context, p Payment) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE payments SET due_at = NULL WHERE account_id = $1 AND id = $2 AND state = 'dead' AND provider_id = ''`,
			p.Account, p.ID)
		return err
	})
}

// close ends a live attempt at its provider. Where the provider cannot confirm
// that, the attempt is no longer the live one, and closing it is tried again:
// the first payment that arrives counts, and later money goes back.
func (d *Desk) close(ctx context.Context, p Payment) (Payment, error) {
	call, cancel := d.callLimit(ctx)
	defer cancel()
	at, err := d.asked(ctx, p)
	if err != nil {
		return p, err
	}
	seen, err := d.Providers[p.Provider].Abandon(call, at.Attempt)
	ctx = context.WithoutCancel(ctx)
	if err == nil && (seen.State.Final() || seen.State == payment.Pending) {
		return d.observe(ctx, p, seen)
	}
	return p, d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE payments SET live = false, due_at = $3 WHERE account_id = $1 AND id = $2`,
			p.Account, p.ID, db.At(tx.Now().Add(pause(1))))
		return err
	})
}

// Resume is called when the customer comes back from the provider's page. It
// asks the provider; what the address says is not believed. An earlier attempt
// that is not over, whose page the customer may have come from, is due at once.
func (d *Desk) Resume(ctx context.Context, k Key, returned url.Values) error {
	tried, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Payment, error) {
		all, err := basketOf(ctx, tx, k)
		if err != nil {
			return nil, err
		}
		return Payments(ctx, tx, all.first().Ref())
	})
	if err != nil {
		return err
	}
	for _, p := range tried {
		switch {
		case p.Live:
			err = errors.Join(err, d.resume(ctx, p, returned))
		case !p.State.Final():
			err = errors.Join(err, d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
				return wake(ctx, tx, p.Account, p.ID)
			}))
		}
	}
	return err
}

func (d *Desk) resume(ctx context.Context, p Payment, returned url.Values) error {
	call, cancel := d.callLimit(ctx)
	defer cancel()
	at, err := d.asked(ctx, p)
	if err != nil {
		return err
	}
	seen, err := d.Providers[p.Provider].Resume(call, at.Attempt, returned)
	seen, err = d.endRefused(call, p, at, seen, err)
	if err != nil {
		return nil // the row is due; the order's page says that we are looking
	}
	_, err = d.observe(context.WithoutCancel(ctx), p, seen)
	return quiet(err)
}

// wake makes an attempt due now.
func wake(ctx context.Context, tx db.Tx, account, id string) error {
	_, err := tx.Exec(ctx, `UPDATE payments SET due_at = $3 WHERE account_id = $1 AND id = $2 AND (due_at IS NULL OR due_at > $3)`,
		account, id, db.At(tx.Now()))
	return err
}

// PaymentStep asks providers about attempts that are due.
func (d *Desk) PaymentStep(ctx context.Context) (worked bool, err error) {
	if any, err := d.DB.Finds(ctx, `SELECT 1 FROM payments WHERE due_at <= $1 LIMIT 1`, db.At(d.DB.Now())); err != nil || !any {
		return false, err
	}
	due, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Payment, error) {
		return payments(ctx, tx, `WITH due AS MATERIALIZED (
				SELECT account_id AS account, id AS row FROM payments WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
			UPDATE payments SET due_at = $2, attempts = attempts + 1 FROM due WHERE account_id = account AND id = row
			RETURNING `+paymentColumns, db.At(tx.Now()), db.At(tx.Now().Add(lease)), d.set())
	})
	if err != nil || len(due) == 0 {
		return false, err
	}
	slices.SortFunc(due, func(a, b Payment) int { return cmp.Compare(a.ID, b.ID) })
	errs := make([]error, len(due))
	d.sideBySide(len(due), func(i int) { errs[i] = quiet(d.query(ctx, due[i])) })
	return true, errors.Join(errs...)
}

// inTime reports whether the worker that claimed a row until leaseEnds may still
// call a stranger for it. One that had to wait for others of its set may not:
// the row is claimed again.
func (d *Desk) inTime(leaseEnds time.Time) bool { return d.DB.Now().Before(leaseEnds.Add(-lease / 2)) }

// query asks about one attempt, and closes it when its time is over or another
// attempt has taken its place.
func (d *Desk) query(ctx context.Context, p Payment) error {
	if !d.inTime(p.DueAt) {
		return nil
	}
	provider, ok := d.Providers[p.Provider]
	if !ok {
		return fault.New(fault.Internal, "payment %s needs the adapter %q, which is not configured", p.ID, p.Provider)
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	unheard := p.ProviderID == "" && (p.State == payment.Created || p.State == payment.Unknown)
	at, err := d.asked(ctx, p)
	if err != nil {
		return err
	}
	wanted := p.Live && d.DB.Now().Before(p.ExpiresAt) && (!unheard || !at.withdrawn)
	var seen payment.Observation
	switch {
	case !p.State.Final() && !wanted:
		seen, err = d.abandon(call, provider, p, at.Attempt)
		switch {
		case err != nil && !d.DB.Now().Before(p.ExpiresAt.Add(letGoAfter)):
			return d.letGo(ctx, p, payment.Observation{State: payment.Unknown, Code: clip(err.Error())})
		case err == nil && !seen.State.Final() && seen.State != payment.Pending:
			return d.letGo(ctx, p, seen)
		}
	case unheard && provider.Limits().Keyed:
		seen, err = d.startWith(call, p, at) // the answer was lost: the same key gives it again
	default:
		seen, err = provider.Query(call, at.Attempt)
		seen, err = d.endRefused(call, p, at, seen, err)
	}
	if err == nil && seen.State == payment.Approved && wanted {
		// The customer agreed and never came back: the money is taken here.
		p, err = d.observe(ctx, p, seen)
		if err != nil {
			return err
		}
		at.ProviderID, at.MoneyID = p.ProviderID, p.MoneyID
		seen, err = provider.Resume(call, at.Attempt, nil)
	}
	d.silence.hear(p.Provider, d.DB.Now(), err)
	if err != nil {
		seen = payment.Observation{State: payment.Unknown, Code: clip(err.Error())}
	}
	_, err = d.observe(ctx, p, seen)
	return err
}

// abandon closes an attempt that nobody wants any more, and says how it stands.
func (d *Desk) abandon(ctx context.Context, provider payment.Provider, p Payment, at payment.Attempt) (seen payment.Observation, err error) {
	if !p.Live && !d.DB.Now().Before(p.ExpiresAt.Add(letGoAfter)) { // no order waits: first see whether there is anything to close
		if seen, err = provider.Query(ctx, at); err != nil || seen.State.Final() || seen.State == payment.Pending {
			return seen, err
		}
	}
	if seen, err = provider.Abandon(ctx, at); err != nil {
		seen, err = provider.Query(ctx, at) // some close nothing that was paid, and say no more than that
	}
	return seen, err
}

// letGoAfter is how long after its end an attempt holds its order while its
// provider gives no reading.
const letGoAfter = 15 * time.Minute

// letGo is for an attempt that nobody wants any more and that its provider cannot
// close, or says nothing of: its order need not wait for it. It is still asked about, and money that
// comes is late money.
func (d *Desk) letGo(ctx context.Context, p Payment, seen payment.Observation) error {
	if _, err := d.observe(ctx, p, seen); err != nil {
		return err
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE payments SET live = false WHERE account_id = $1 AND id = $2 AND live`, p.Account, p.ID)
		return err
	})
}

// Notify takes what arrived at a provider's webhook address: it is verified,
// stored, and then makes the attempt due, with those of its refunds that the
// provider knows of. It never moves money. The error wraps [payment.ErrForged]
// for what is not the provider's, and is otherwise a reason not to acknowledge.
//
// A worker may hold the attempt's lease at that moment, so two may ask at once.
// That is safe: only a provider that keeps our key is ever sent a Start again,
// and what both hear goes through [Desk.observe].
func (d *Desk) Notify(ctx context.Context, provider string, h http.Header, body []byte) (payment.Doorbell, error) {
	p, ok := d.Providers[provider]
	if !ok {
		return payment.Doorbell{}, fault.New(fault.NotFound, "There is no such webhook.")
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	bell, err := p.Notification(call, h, body)
	if err != nil {
		return bell, err
	}
	err = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		account, id, err := rungFor(ctx, tx, provider, bell)
		if err != nil {
			return err
		}
		evidence, err := d.hushed(ctx, tx, account, provider, bell, body)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO provider_events (account_id, provider, event_id, kind, subject, body, at)
			VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT (account_id, provider, event_id) DO NOTHING`,
			account, provider, bell.EventID, bell.Kind, id, storable(evidence, maxEvidence), db.At(tx.Now())); err != nil {
			return err
		}
		if id == "" {
			return nil
		}
		if err := wakeRefunds(ctx, tx, account, id); err != nil {
			return err
		}
		if err := learn(ctx, tx, account, id, bell); err != nil {
			return err
		}
		return wake(ctx, tx, account, id)
	})
	if err == nil {
		d.DB.Ring(PaymentsDue)
	}
	return bell, err
}

// rungFor finds the attempt that a doorbell is about; empty where we have none.
func rungFor(ctx context.Context, tx db.Tx, provider string, bell payment.Doorbell) (account, id string, err error) {
	account, id, err = db.Locate(ctx, tx, directoryPayment, bell.Ref)
	if fault.KindOf(err) == fault.NotFound && bell.MoneyID != "" {
		account, id, err = db.Locate(ctx, tx, directoryMoney, moneyAt(provider, bell.MoneyID))
	}
	if fault.KindOf(err) == fault.NotFound {
		return "", "", nil
	}
	return account, id, err
}

// maxEvidence bounds what is kept of a notification's body.
const maxEvidence = 64 << 10

// expire cancels a placed order whose time is over, with all that are paid
// together with it, once no attempt of them is open any more.
func (d *Desk) expire(ctx context.Context, o Order) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		all, err := basketOf(ctx, tx, o.Ref())
		if err != nil || !all.are(Placed) {
			return err // somebody was faster
		}
		live, err := livePayment(ctx, tx, all.first().Ref())
		if err != nil {
			return err
		}
		at := o.ExpiresAt
		if !tx.Now().Before(at) && live.ID != "" {
			at = later(tx.Now(), live.DueAt).Add(30 * time.Second) // its provider is asked first
		}
		var b db.Batch
		for _, o := range all {
			if tx.Now().Before(at) {
				b.Add(`UPDATE orders SET due_at = $3 WHERE account_id = $1 AND id = $2 AND state = 'placed'`, o.Account, o.ID, db.At(at))
				continue
			}
			addMove(&b, tx, o, Cancelled, func(o *Order) { o.DueAt, o.Reason, o.CompletedAt = time.Time{}, "expired", tx.Now() })
			o.addReturn(&b, tx.Now())
		}
		return conflict(tx.Batch(ctx, &b), o.ID)
	})
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// reference is our name for something at a provider: 26 of [a-z2-7], which fits
// every provider's rules, and always the same for the same thing.
func reference(of string) string {
	sum := sha256.Sum256([]byte(of))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}
