package order

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/payment"
)

// directoryPayment is the directory's kind for our references at providers.
const directoryPayment = "payment"

// Ways is where the customer goes after the provider's page.
type Ways struct {
	Return   string // absolute; the order's page
	Cancel   string
	Language string // BCP 47, for the provider's pages
}

// Pay starts an attempt to collect a placed order with one tool, and returns it
// with what the customer must do next. Called again with the same tool, it
// returns the attempt that is already open. Another tool first closes the
// former attempt; if that turns out to be paid, the order is paid.
func (d *Desk) Pay(ctx context.Context, k Key, rail payment.Rail, w Ways) (Payment, error) {
	name, ok := d.Rails[rail]
	if !ok {
		return Payment{}, fault.Because(fault.Invalid, "tool_unknown", "This shop does not take that. Choose another way to pay.", nil)
	}
	o, live, err := d.payable(ctx, k, rail, name)
	if err != nil {
		return Payment{}, err
	}
	if live.ID != "" {
		if live.Rail == rail && live.NextURL != "" {
			return live, nil
		}
		if paid, err := d.close(ctx, live); err != nil || paid.State == payment.Paid {
			return paid, err
		}
	}
	p, err := d.open(ctx, o, rail, name, w)
	if err != nil {
		return Payment{}, err
	}
	return d.start(ctx, p)
}

// payable reads the order and its live attempt, and checks that the provider
// would take the amount.
func (d *Desk) payable(ctx context.Context, k Key, rail payment.Rail, name string) (o Order, live Payment, err error) {
	err = d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		if o, err = Get(ctx, tx, k); err != nil {
			return err
		}
		if live, err = livePayment(ctx, tx, k); err != nil {
			return err
		}
		switch {
		case o.State != Placed:
			return fault.Because(fault.Conflict, "not_payable", "This order is not waiting for a payment. Look at its page.", nil)
		case !tx.Now().Before(o.ExpiresAt):
			return fault.Because(fault.Invalid, "quote_expired", "This offer has expired. Choose one again; the price may have changed.", nil)
		case !d.Providers[name].Limits().Takes(rail, o.Price):
			return fault.Because(fault.Invalid, "tool_currency", "This way to pay does not take that currency or amount. Choose another one.", nil)
		}
		return nil
	})
	return o, live, err
}

// open stores an attempt before its first byte leaves.
func (d *Desk) open(ctx context.Context, o Order, rail payment.Rail, provider string, w Ways) (Payment, error) {
	p, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Payment, error) {
		p := Payment{
			Account: o.Account, ID: d.IDs.Under("py", o.Account), Order: o.ID, Rail: rail, Provider: provider, Amount: o.Price,
			State: payment.Created, Live: true, ReturnURL: w.Return, Language: w.Language,
			DueAt: tx.Now().Add(lease), ExpiresAt: o.ExpiresAt, CreatedAt: tx.Now(), UpdatedAt: tx.Now(), Attempts: 1,
		}
		p.Ref = reference(p.ID)
		if err := db.Claim(ctx, tx, directoryPayment, p.Ref, p.Account, p.ID); err != nil {
			return p, err
		}
		return p, insertPayment(ctx, tx, p)
	})
	if db.IsUnique(err) {
		return Payment{}, fault.Because(fault.Conflict, "payment_open", "A payment of this order is already open. Look at the order's page.", nil)
	}
	return p, err
}

// start makes the attempt known to the provider.
func (d *Desk) start(ctx context.Context, p Payment) (Payment, error) {
	call, cancel := d.callLimit(ctx)
	defer cancel()
	seen, err := d.Providers[p.Provider].Start(call, p.attempt())
	if errors.Is(err, payment.ErrNotSent) && p.Attempts <= 1 {
		// Certainly nothing there: this attempt is over, another may begin.
		_, dead := d.observe(ctx, p, payment.Observation{State: payment.Dead, Reason: payment.ProviderTrouble, Code: clip(err.Error())})
		return Payment{}, errors.Join(dead, fault.Wrap(fault.Unavailable, err,
			"The payment provider cannot be reached. Nothing was charged. Try again, or choose another way to pay."))
	}
	if err != nil {
		return d.observe(ctx, p, payment.Observation{State: payment.Unknown, Code: clip(err.Error())})
	}
	return d.observe(ctx, p, seen)
}

// close ends a live attempt at its provider. Where the provider cannot confirm
// that, the attempt is no longer the live one but is still asked about: the
// first payment that arrives counts, and later money goes back.
func (d *Desk) close(ctx context.Context, p Payment) (Payment, error) {
	call, cancel := d.callLimit(ctx)
	defer cancel()
	seen, err := d.Providers[p.Provider].Abandon(call, p.attempt())
	if err == nil && (seen.State == payment.Dead || seen.State == payment.Paid) {
		return d.observe(ctx, p, seen)
	}
	return p, d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE payments SET live = false, due_at = $3 WHERE account_id = $1 AND id = $2`,
			p.Account, p.ID, db.At(tx.Now().Add(pause(1))))
		return err
	})
}

// Resume is called when the customer comes back from the provider's page. It
// asks the provider; what the address says is not believed.
func (d *Desk) Resume(ctx context.Context, k Key, returned url.Values) error {
	live, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Payment, error) { return livePayment(ctx, tx, k) })
	if err != nil || live.ID == "" {
		return err
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	seen, err := d.Providers[live.Provider].Resume(call, live.attempt(), returned)
	if err != nil {
		return nil // the row is due; the order's page says that we are looking
	}
	_, err = d.observe(ctx, live, seen)
	return quiet(err)
}

// PaymentStep asks providers about attempts that are due.
func (d *Desk) PaymentStep(ctx context.Context) (worked bool, err error) {
	due, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Payment, error) {
		return payments(ctx, tx, `UPDATE payments SET due_at = $2, attempts = attempts + 1
			WHERE due_at <= $1 AND (account_id, id) IN (
				SELECT account_id, id FROM payments WHERE due_at <= $1 ORDER BY due_at LIMIT $3)
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

// query asks about one attempt, and closes it when its time is over.
func (d *Desk) query(ctx context.Context, p Payment) error {
	provider, ok := d.Providers[p.Provider]
	if !ok {
		return fault.New(fault.Internal, "payment %s needs the adapter %q, which is not configured", p.ID, p.Provider)
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	unheard := p.ProviderID == "" && (p.State == payment.Created || p.State == payment.Unknown)
	expired := !d.DB.Now().Before(p.ExpiresAt)
	var seen payment.Observation
	var err error
	switch {
	case unheard && provider.Limits().Keyed && !expired:
		seen, err = provider.Start(call, p.attempt()) // the answer was lost: the same key gives it again
	case expired && !p.State.Final():
		seen, err = provider.Abandon(call, p.attempt())
	default:
		seen, err = provider.Query(call, p.attempt())
	}
	if err != nil {
		seen = payment.Observation{State: p.State, Code: clip(err.Error())}
	}
	_, err = d.observe(ctx, p, seen)
	return err
}

// Notify takes what arrived at a provider's webhook address: it is verified,
// stored, and then makes the attempt due. It never moves money. The error
// wraps [payment.ErrForged] for what is not the provider's, and is otherwise a
// reason not to acknowledge.
func (d *Desk) Notify(ctx context.Context, provider string, h http.Header, body []byte) error {
	p, ok := d.Providers[provider]
	if !ok {
		return fault.New(fault.NotFound, "There is no such webhook.")
	}
	bell, err := p.Notification(h, body)
	if err != nil {
		return err
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		account, id := "", ""
		if bell.Ref != "" {
			account, id, err = db.Locate(ctx, tx, directoryPayment, bell.Ref)
			if err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `INSERT INTO provider_events (account_id, provider, event_id, kind, subject, body, at)
			VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT (account_id, provider, event_id) DO NOTHING`,
			account, provider, bell.EventID, bell.Kind, id, string(body[:min(len(body), maxEvidence)]), db.At(tx.Now())); err != nil {
			return err
		}
		if id == "" {
			return nil
		}
		_, err := tx.Exec(ctx, `UPDATE payments SET due_at = $3 WHERE account_id = $1 AND id = $2 AND (due_at IS NULL OR due_at > $3)`,
			account, id, db.At(tx.Now()))
		return err
	})
}

// maxEvidence bounds what is kept of a notification's body.
const maxEvidence = 64 << 10

// observe records what a provider says about an attempt. It is the one reducer:
// Paid never regresses, money moves the books here and nowhere else, and money
// that nobody waits for goes back.
func (d *Desk) observe(ctx context.Context, p Payment, seen payment.Observation) (Payment, error) {
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Payment, error) {
		was, err := GetPayment(ctx, tx, Key{p.Account, p.ID})
		if err != nil {
			return p, err
		}
		now := was.after(seen, tx.Now())
		var b db.Batch
		if now.State == payment.Paid && was.State != payment.Paid {
			if err := d.addMoney(ctx, &b, tx, &now, seen); err != nil {
				return p, err
			}
		}
		if now.State == payment.Dead && was.State != payment.Dead && now.Reason != payment.Abandoned && now.Reason != payment.TooLate {
			if err := d.addPaymentFailed(&b, tx, now); err != nil {
				return p, err
			}
		}
		b.Guard(`UPDATE payments SET state = $4, live = $5, provider_id = $6, next_url = $7, reason = $8, code = $9,
				fee_minor = $10, due_at = $11, paid_at = $12, updated_at = $13
			WHERE account_id = $1 AND id = $2 AND state = $3`,
			now.Account, now.ID, was.State, now.State, now.Live, now.ProviderID, now.NextURL, now.Reason, now.Code,
			now.Fee, db.At(now.DueAt), db.At(now.PaidAt), db.At(tx.Now()))
		return now, conflict(tx.Batch(ctx, &b), p.Order)
	})
}

// after is the attempt as it stands once seen is known.
func (p Payment) after(seen payment.Observation, now time.Time) Payment {
	if seen.ProviderID != "" {
		p.ProviderID = seen.ProviderID
	}
	if seen.Fee.Minor != 0 {
		p.Fee = seen.Fee.Minor
	}
	p.Code = seen.Code
	switch {
	case p.State == payment.Paid: // never regresses
	case p.State == payment.Dead && seen.State != payment.Paid: // only late money wakes it
	case seen.State == payment.Unknown && p.State != payment.Created: // we know no less than before
	default:
		p.State, p.Reason = seen.State, seen.Reason
		if seen.Next.RedirectURL != "" {
			p.NextURL = seen.Next.RedirectURL
		}
	}
	p.DueAt = p.nextLook(now)
	if p.State.Final() {
		p.Live = false
	}
	return p
}

// nextLook is when the provider is asked again: soon at first, then less often,
// until a day after the attempt's end, since money may still come late.
func (p Payment) nextLook(now time.Time) time.Time {
	if p.State == payment.Paid || now.After(p.ExpiresAt.Add(24*time.Hour)) {
		return time.Time{}
	}
	if p.State == payment.Dead {
		return now.Add(time.Hour)
	}
	pauses := []time.Duration{5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 3 * time.Minute, 10 * time.Minute, 30 * time.Minute}
	next := now.Add(pauses[min(max(p.Attempts-1, 0), len(pauses)-1)])
	if now.Before(p.ExpiresAt) && next.After(p.ExpiresAt) {
		return p.ExpiresAt
	}
	return next
}

// addMoney books money that has arrived, and gives it to the order that waits
// for it or sends it back.
func (d *Desk) addMoney(ctx context.Context, b *db.Batch, tx db.Tx, p *Payment, seen payment.Observation) error {
	p.PaidAt = tx.Now()
	o, err := Get(ctx, tx, Key{p.Account, p.Order})
	if err != nil {
		return err
	}
	if seen.Amount != p.Amount {
		// Never grant, never guess: a person compares.
		addCase(b, tx, d.IDs, o, "amount_differs", "payment "+p.ID+": asked for "+p.Amount.String()+", provider says "+seen.Amount.String())
		if o.State == Placed {
			paid := addMove(b, tx, o, Paid, func(o *Order) { o.PaidAt = tx.Now() })
			addMove(b, tx, paid, Held, func(o *Order) { o.DueAt, o.Reason = time.Time{}, "amount_differs" })
		}
		if seen.Amount.Currency != p.Amount.Currency || seen.Amount.Minor <= 0 {
			return nil // not even the books can say what it is
		}
		p.Amount = seen.Amount
	}
	ledger.Posting{Account: p.Account, Subject: p.ID, Step: "paid", Transfers: []ledger.Transfer{
		{From: ledger.Provider(p.Provider), To: ledger.Due, Amount: p.Amount},
	}}.AddTo(b, tx.Now())
	b.Add(`INSERT INTO allocations (account_id, payment_id, order_id, minor) VALUES ($1,$2,$3,$4)`, p.Account, p.ID, o.ID, p.Amount.Minor)
	switch {
	case seen.Amount != o.Price:
		return nil // held above
	case o.State == Placed:
		addMove(b, tx, o, Paid, func(o *Order) { o.PaidAt, o.DueAt = tx.Now(), tx.Now() })
		return nil
	case o.State == Cancelled:
		return d.addLate(ctx, b, tx, o, *p)
	}
	return d.addRefund(ctx, b, tx, *p, o.ID, p.Amount, "double")
}

// addLate deals with money for an order that was cancelled: a new order with
// the same contents is paid by it. Whether the rules still allow what was
// quoted is decided where every paid order is decided, in fulfil.go; if they do
// not, the money goes back.
func (d *Desk) addLate(ctx context.Context, b *db.Batch, tx db.Tx, o Order, p Payment) error {
	successor := o
	successor.ID, successor.State = d.IDs.Under("ord", o.Account), Paid
	successor.Key, successor.Quote, successor.Reason = "late:"+p.ID, "", "late_money"
	successor.PlacedAt, successor.PaidAt, successor.UpdatedAt, successor.DueAt = tx.Now(), tx.Now(), tx.Now(), tx.Now()
	successor.CompletedAt, successor.Attempts = time.Time{}, 0
	insert(b, successor)
	b.Add(`UPDATE allocations SET order_id = $4 WHERE account_id = $1 AND payment_id = $2 AND order_id = $3`, p.Account, p.ID, o.ID, successor.ID)
	return ctx.Err()
}

func (d *Desk) addPaymentFailed(b *db.Batch, tx db.Tx, p Payment) error {
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", p.Account), message.Draft{
		Account: p.Account, Key: string(message.PaymentFailed) + "/" + p.ID, Kind: message.PaymentFailed, Order: p.Order,
		Facts: message.Facts{Amount: p.Amount, Order: p.Order, Tool: string(p.Rail), DebitReason: string(p.Reason)},
	})
}

// expire cancels a placed order whose time is over, once no attempt of it is
// open any more.
func (d *Desk) expire(ctx context.Context, o Order) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		live, err := livePayment(ctx, tx, o.Ref())
		if err != nil {
			return err
		}
		if tx.Now().Before(o.ExpiresAt) || live.ID != "" {
			at := tx.Now().Add(30 * time.Second)
			if tx.Now().Before(o.ExpiresAt) {
				at = o.ExpiresAt
			}
			_, err := tx.Exec(ctx, `UPDATE orders SET due_at = $3 WHERE account_id = $1 AND id = $2 AND state = 'placed'`, o.Account, o.ID, db.At(at))
			return err
		}
		_, err = move(ctx, tx, o, Cancelled, func(o *Order) { o.DueAt, o.Reason, o.CompletedAt = time.Time{}, "expired", tx.Now() })
		return err
	})
}

// Tools lists the rails that take an order's price, wallet first where it may
// pay; it is what the customer can choose from.
func (d *Desk) Tools(o Quote) []payment.Rail {
	var tools []payment.Rail
	if d.Wallet != WalletOff && o.Kind != TopUp {
		tools = append(tools, payment.Wallet)
	}
	for _, rail := range slices.Sorted(maps.Keys(d.Rails)) {
		if d.Providers[d.Rails[rail]].Limits().Takes(rail, o.Price) {
			tools = append(tools, rail)
		}
	}
	return tools
}

// reference is our name for something at a provider: 26 of [a-z2-7], which fits
// every provider's rules, and always the same for the same thing.
func reference(of string) string {
	sum := sha256.Sum256([]byte(of))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}
