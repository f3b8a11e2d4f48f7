package order

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/stock"
)

// Refund is one return of money from one payment.
type Refund struct {
	Account    string
	ID         string
	Order      string
	Payment    string
	Ref        string // our name for it at the provider; another one after the provider gave up on it
	Provider   string // "wallet": it refused, and the wallet got this
	Amount     money.Money
	State      payment.RefundState
	Why        string // "not_served": of an order that ends by it; "double": nobody waited for the money; "late": it came when its order was over; "amount_differs": it was not what a basket costs; "staff"
	ProviderID string
	Code       string
	Attempts   int
	DueAt      time.Time // zero: nothing more is done by itself
	CreatedAt  time.Time
	AskedAt    time.Time // when the provider may first have been called under this Ref
	DoneAt     time.Time
}

const (
	// refundPatience is how long a worker tries by itself where the provider
	// says nothing clear; then a person looks.
	refundPatience = 24 * time.Hour

	// refundArrives is how long a refund that the provider has may take.
	// Stripe speaks of 5 to 10 business days; the rest is margin of ours.
	refundArrives = 30 * 24 * time.Hour

	// lookBackAfter is when a refund that is done is looked at once more:
	// customers' banks return money days later.
	lookBackAfter = 7 * 24 * time.Hour
)

// giveUp turns an order that certainly was not served into one whose money goes
// back. From the wallet the money is back in the same transaction.
//
// What was paid for elsewhere cannot be given back here: a person decides.
func (d *Desk) giveUp(ctx context.Context, o Order, reason, evidence string) (Order, error) {
	if o.Granted() {
		return d.hold(ctx, o, reason, evidence)
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) {
		var b db.Batch
		due, err := d.addGiveUp(ctx, &b, tx, o, reason, evidence)
		if err != nil {
			return o, err
		}
		return due, conflict(tx.Batch(ctx, &b), o.ID)
	})
}

// addGiveUp appends everything that lets an order's money go back. A refund of
// it that was tried before is tried again.
func (d *Desk) addGiveUp(ctx context.Context, b *db.Batch, tx db.Tx, o Order, reason, evidence string) (Order, error) {
	due := addMove(b, tx, o, RefundDue, func(o *Order) {
		o.Reason, o.Evidence, o.DueAt = reason, clip(evidence), tx.Now()
	})
	line.Free(b, o.Account, o.Line, o.ID)
	if reason == operatorSilent {
		addLookAfter(b, tx, o)
	}
	if o.Kind == NewLine {
		stock.AddReleased(b, o.ID, tx.Now())
	}
	if o.Granted() {
		stock.AddUnredeemed(b, o.ID, tx.Now())
	}
	if o.Rest().IsZero() {
		return d.addOwnRefund(b, tx, due)
	}
	if err := d.addRefunds(ctx, b, tx, due); err != nil {
		return o, err
	}
	return due, d.addNews(b, tx, message.OrderRefundDue, due)
}

// addOwnRefund gives back what wallet and points paid and ends the order.
func (d *Desk) addOwnRefund(b *db.Batch, tx db.Tx, o Order) (Order, error) {
	done := addMove(b, tx, o, Refunded, func(o *Order) { o.DueAt, o.CompletedAt = time.Time{}, tx.Now() })
	o.addRestoring(b, tx.Now())
	return done, d.addNews(b, tx, message.OrderRefunded, done)
}

// addNews queues one message about an order's money.
func (d *Desk) addNews(b *db.Batch, tx db.Tx, kind message.Kind, o Order) error {
	f := message.Facts{Amount: o.Charged(), Order: o.ID, Method: string(o.Tool), Tool: string(o.Tool), RefundReason: refundWord(o.Reason)}
	if kind == message.OrderRefundDue || kind == message.OrderRefunded {
		f.PointsBack = o.Parts.Points
		if o.Parts.several() && o.Parts.Rest > 0 {
			f.Amount = o.Rest()
			if o.Parts.Wallet > 0 {
				f.WalletBack = o.FromWallet()
			}
		}
		if f.Amount.IsZero() {
			f.Amount = money.Money{} // points alone paid
		}
	}
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(kind) + "/" + o.ID, Kind: kind, Order: o.ID, Line: o.Line, Facts: f,
	})
}

// refundWord is the word of package message for why money goes back; "" where
// it has no sentence for it.
func refundWord(reason string) string {
	switch carrier.Reason(reason) {
	case carrier.LineEnded, carrier.LineTerminal:
		return "line_ended"
	case carrier.LineUnknown, carrier.LineNotActive, carrier.PackageGone, carrier.NoBalance, carrier.StillInProgress,
		carrier.BadRequest, carrier.Unauthorised, carrier.OperatorRefuses:
		return "operator_refused"
	case carrier.PriceChanged:
		return "price_changed"
	case carrier.OutOfStock, carrier.Installed:
		return ""
	}
	switch reason {
	case "double":
		return "paid_twice"
	case "late":
		return "too_late"
	case operatorSilent, "operator_away":
		return "no_answer"
	case reasonByBank:
		return reasonByBank
	case "", "staff", "late_money", "amount_differs", "no_reading", "unclear_reading", "refund_failed", workLate:
		return ""
	}
	return "too_late" // the line or its rules no longer give what was paid for
}

// addRefunds appends a refund of everything that was allocated to the order, or
// sends again what was tried before. What wallet and points paid is back at once:
// it is ours to give, and the customer may want to use it while a provider takes
// its days.
func (d *Desk) addRefunds(ctx context.Context, b *db.Batch, tx db.Tx, o Order) error {
	paid, err := paymentsFor(ctx, tx, o)
	if err != nil {
		return err
	}
	before, err := Refunds(ctx, tx, o.Ref())
	if err != nil {
		return err
	}
	for _, p := range paid {
		d.addRefund(b, tx, p.Payment, o.ID, p.given, "not_served")
	}
	decided := false
	for _, r := range before {
		if r.Why == "not_served" {
			decided = true
			addRefundAgain(b, tx, r)
		}
	}
	if !decided {
		o.addRestoring(b, tx.Now())
	}
	return nil
}

// addRefund appends a refund, once for each reason.
func (d *Desk) addRefund(b *db.Batch, tx db.Tx, p Payment, order string, amount money.Money, why string) {
	b.Add(`INSERT INTO refunds (account_id, id, order_id, payment_id, ref, provider, minor, currency, state, why, due_at, created_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,'due',$9,$10,$10)
		ON CONFLICT (account_id, payment_id, order_id, why) DO NOTHING`,
		p.Account, d.IDs.Under("rf", p.Account), order, p.ID, reference(p.ID+order+why), p.Provider, amount.Minor, amount.Currency, why, db.At(tx.Now()))
}

// elsewhere reports whether the provider has no such refund: the customer's bank gave
// this back, or it went into the wallet.
func (r Refund) elsewhere() bool { return r.ByBank() || r.Provider == inWallet }

// rests reports whether a refund waits for a person.
func (r Refund) rests() bool { return r.State != payment.RefundDone && r.DueAt.IsZero() }

// addRefundAgain appends that a refund which waits for a person is sent again.
// One that failed gets a new name at the provider, who would repeat its no; one
// of which nothing clear was heard keeps its name, so that it is made once.
func addRefundAgain(b *db.Batch, tx db.Tx, r Refund) {
	if !r.rests() {
		return
	}
	state := r.State
	if r.State == payment.RefundFailed {
		r.Ref, r.ProviderID, state = reference(r.Ref), "", payment.RefundDue
	}
	b.Guard(`UPDATE refunds SET state = $4, ref = $5, provider_id = $6, due_at = $7, attempts = 1, asked_at = NULL
		WHERE account_id = $1 AND id = $2 AND state = $3 AND due_at IS NULL`,
		r.Account, r.ID, r.State, state, r.Ref, r.ProviderID, db.At(tx.Now()))
}

const refundColumns = `account_id, id, order_id, payment_id, ref, provider, minor, currency, state, why,
	provider_id, code, attempts, due_at, created_at, asked_at, done_at`

func scanRefund(row db.Row) (Refund, error) {
	var r Refund
	var due, created, asked, done db.Instant
	err := row.Scan(&r.Account, &r.ID, &r.Order, &r.Payment, &r.Ref, &r.Provider, &r.Amount.Minor, &r.Amount.Currency, &r.State, &r.Why,
		&r.ProviderID, &r.Code, &r.Attempts, &due, &created, &asked, &done)
	r.DueAt, r.CreatedAt, r.AskedAt, r.DoneAt = due.Time, created.Time, asked.Time, done.Time
	return r, err
}

func refunds(ctx context.Context, tx db.Tx, query string, args ...any) (out []Refund, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r, err := scanRefund(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Refunds reads the refunds of an order, oldest first.
func Refunds(ctx context.Context, tx db.Tx, k Key) ([]Refund, error) {
	return refunds(ctx, tx, `SELECT `+refundColumns+` FROM refunds WHERE account_id = $1 AND order_id = $2 ORDER BY id`, k.Account, k.ID)
}

// wakeRefunds makes those refunds of a payment due that the provider knows of.
// One that may be on its way to the provider keeps its lease.
func wakeRefunds(ctx context.Context, tx db.Tx, account, payment string) error {
	_, err := tx.Exec(ctx, `UPDATE refunds SET due_at = $3 WHERE account_id = $1 AND payment_id = $2 AND state IN ('sent','done')`,
		account, payment, db.At(tx.Now()))
	return err
}

// RefundStep sends refunds that are due, and asks what became of those sent.
func (d *Desk) RefundStep(ctx context.Context) (worked bool, err error) {
	if any, err := d.DB.Finds(ctx, `SELECT 1 FROM refunds WHERE due_at <= $1 LIMIT 1`, db.At(d.DB.Now())); err != nil || !any {
		return false, err
	}
	due, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Refund, error) {
		return refunds(ctx, tx, `WITH due AS MATERIALIZED (
				SELECT account_id AS account, id AS row FROM refunds WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
			UPDATE refunds SET due_at = $2, attempts = attempts + 1, asked_at = COALESCE(asked_at, $1)
			FROM due WHERE account_id = account AND id = row
			RETURNING `+refundColumns, db.At(tx.Now()), db.At(tx.Now().Add(lease)), d.set())
	})
	if err != nil || len(due) == 0 {
		return false, err
	}
	errs := make([]error, len(due))
	d.sideBySide(len(due), func(i int) { errs[i] = quiet(d.refund(ctx, due[i])) })
	return true, errors.Join(errs...)
}

// refund takes one step of one refund.
func (d *Desk) refund(ctx context.Context, r Refund) error {
	if !d.inTime(r.DueAt) {
		return nil
	}
	if r.elsewhere() {
		return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE refunds SET due_at = NULL WHERE account_id = $1 AND id = $2 AND state = 'done'`, r.Account, r.ID)
			return err
		})
	}
	provider, ok := d.Providers[r.Provider]
	if !ok {
		return fault.New(fault.Internal, "refund %s needs the adapter %q, which is not configured", r.ID, r.Provider)
	}
	var others []string
	p, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (p Payment, err error) {
		if p, err = GetPayment(ctx, tx, Key{r.Account, r.Payment}); err != nil {
			return p, err
		}
		if others, err = r.others(ctx, tx, p); err == nil && r.State == payment.RefundDue {
			err = returnable(ctx, tx, p, r.Amount)
		}
		return p, err
	})
	if fault.KindOf(err) == fault.Conflict { // it would be refused, or given twice
		if ended, failed := d.refundByBank(ctx, r); ended || failed != nil {
			return failed
		}
		r.State = payment.RefundFailed
		return d.refundRests(ctx, r, err.Error())
	}
	if err != nil {
		return err
	}
	at, err := d.asked(ctx, p)
	if err != nil {
		return err
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	ask := payment.Refund{Ref: r.Ref, Attempt: at.Attempt, Amount: r.Amount, ProviderID: r.ProviderID, Note: r.Why, Others: others, Since: r.CreatedAt}
	if r.State == payment.RefundDone {
		seen, err := provider.QueryRefund(call, ask)
		return d.refundLookedBack(ctx, r, seen, err)
	}
	seen, err := sendRefund(call, provider, r, ask)
	switch {
	case errors.Is(err, payment.ErrNotSent):
		return d.refundLater(ctx, r, false, err.Error())
	case err != nil:
		r.State = payment.RefundUnknown
		return d.refundLater(ctx, r, false, err.Error())
	}
	r.ProviderID = seen.ProviderID
	switch {
	case seen.State == payment.RefundDone && seen.Amount == r.Amount:
		return d.refundDone(ctx, r, seen.Code)
	case seen.State == payment.RefundDone:
		r.State = payment.RefundSent
		return d.refundRests(ctx, r, "the provider gave back "+seen.Amount.String())
	case seen.State == payment.RefundFailed:
		r.State = payment.RefundFailed
		return d.refundRests(ctx, r, seen.Code)
	}
	if seen.State == payment.RefundSent && r.State != payment.RefundSent {
		r.Attempts = 1 // those that did not reach the provider do not say how long it takes; not 0: it was asked
	}
	r.State = seen.State
	return d.refundLater(ctx, r, true, seen.Code)
}

// others are the provider's identifiers of the other refunds of a payment.
func (r Refund) others(ctx context.Context, tx db.Tx, p Payment) (ids []string, err error) {
	all, err := refundsOf(ctx, tx, p)
	for _, other := range all {
		if other.ID != r.ID && other.ProviderID != "" {
			ids = append(ids, other.ProviderID)
		}
	}
	return ids, err
}

// sendRefund asks for a refund, once. Whoever may have asked before reads first:
// a provider's memory of our key ends, and some have none.
func sendRefund(ctx context.Context, provider payment.Provider, r Refund, ask payment.Refund) (payment.RefundObservation, error) {
	if r.Attempts <= 1 {
		return provider.Refund(ctx, ask)
	}
	seen, err := provider.QueryRefund(ctx, ask)
	if err != nil || seen.Found {
		return seen, err
	}
	limits := provider.Limits()
	if !limits.Keyed && seen.AsOf.Before(r.AskedAt.Add(lease+limits.SettlesWithin)) {
		return payment.RefundObservation{State: payment.RefundUnknown, Code: "not seen yet"}, nil
	}
	return provider.Refund(ctx, ask)
}

// refundLater looks again after a pause, as long as that makes sense. The pauses of one
// that the provider has grow with each answer that it is on its way; a provider that was
// not heard has not said that: it is asked soon, and less often the longer that lasts.
func (d *Desk) refundLater(ctx context.Context, r Refund, heard bool, code string) error {
	now, after, patience := d.DB.Now(), lookPause(r.Attempts), refundPatience
	if r.State == payment.RefundSent {
		after, patience = min(6*time.Hour, 10*time.Second<<min(r.Attempts, 12)), refundArrives
		if !heard {
			r.Attempts--
			after = min(20*time.Minute, max(min(after, 5*time.Minute), now.Sub(r.AskedAt)/24))
		}
	}
	if now.After(r.AskedAt.Add(patience)) {
		return d.refundRests(ctx, r, code)
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE refunds SET state = $3, provider_id = $4, code = $5, due_at = $6, attempts = $7
			WHERE account_id = $1 AND id = $2 AND state IN ('due','sent','unknown')`,
			r.Account, r.ID, r.State, r.ProviderID, clip(code), db.At(tx.Now().Add(after)), r.Attempts)
		return err
	})
}

// refundRests leaves a refund to a person: the provider says no, or nothing
// clear for too long.
func (d *Desk) refundRests(ctx context.Context, r Refund, code string) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		b.Guard(`UPDATE refunds SET state = $3, provider_id = $4, code = $5, due_at = NULL
			WHERE account_id = $1 AND id = $2 AND state IN ('due','sent','unknown')`,
			r.Account, r.ID, r.State, r.ProviderID, clip(code))
		if r.State == payment.RefundFailed { // what a dispute took may have been counted without it
			b.Add(`UPDATE payments SET due_at = $3 WHERE account_id = $1 AND id = $2 AND state = 'paid'
				AND EXISTS (SELECT 1 FROM disputes d WHERE d.account_id = $1 AND d.payment_id = $2 AND d.state IN ('lost', 'won'))`,
				r.Account, r.Payment, db.At(tx.Now()))
		}
		o, err := Get(ctx, tx, Key{r.Account, r.Order})
		if err != nil {
			return err
		}
		if o.State == RefundDue {
			o = addMove(&b, tx, o, Held, func(o *Order) { o.DueAt, o.Reason = time.Time{}, "refund_failed" })
		}
		if err := d.addRefundTrouble(&b, tx, o, r, code); err != nil {
			return err
		}
		return conflict(tx.Batch(ctx, &b), r.ID)
	})
}

// addRefundTrouble opens a case about a refund and tells the customer that a
// person is looking.
func (d *Desk) addRefundTrouble(b *db.Batch, tx db.Tx, o Order, r Refund, code string) error {
	addCase(b, tx, d.IDs, o, "refund_failed", "refund "+r.ID+" ("+r.ProviderID+") "+string(r.State)+": "+code)
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(message.OrderHeld) + "/" + r.Ref, Kind: message.OrderHeld, Order: o.ID, Line: o.Line,
		Facts: message.Facts{Amount: r.Amount, Order: o.ID},
	})
}

// refundDone books a refund, and ends the order when it was waiting for it. What the
// provider made is one refund, also where another one was taken for it just now: then
// this one is looked for again. (The row of the payment is locked before that is seen.)
func (d *Desk) refundDone(ctx context.Context, r Refund, code string) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		o, p, err := aboutRefund(ctx, tx, r)
		if err != nil {
			return err
		}
		var b db.Batch
		b.Add(`UPDATE payments SET refunded_minor = refunded_minor + $3 WHERE account_id = $1 AND id = $2`, r.Account, r.Payment, r.Amount.Minor)
		b.Guard(`UPDATE refunds SET state = 'done', provider_id = $3, code = $4, done_at = $5, due_at = $6, attempts = 0
			WHERE account_id = $1 AND id = $2 AND state IN ('due','sent','unknown')
			  AND NOT EXISTS (SELECT 1 FROM refunds AS o WHERE o.account_id = $1 AND o.payment_id = $7 AND o.id <> $2 AND o.provider_id = $3 AND o.provider_id <> '')`,
			r.Account, r.ID, r.ProviderID, clip(code), db.At(tx.Now()), db.At(tx.Now().Add(lookBackAfter)), r.Payment)
		booked, err := r.booked(ctx, tx, p, o)
		if err != nil {
			return err
		}
		ledger.Posting{Account: r.Account, Subject: r.ID, Step: r.step("refunded"), Transfers: reversed(booked)}.AddTo(&b, tx.Now())
		if r.Why == "not_served" {
			o = addRefunded(&b, tx, o)
		}
		if err := d.addRefundNews(&b, tx, o, p, r, r.reason(o)); err != nil {
			return err
		}
		return conflict(tx.Batch(ctx, &b), r.ID)
	})
}

func aboutRefund(ctx context.Context, tx db.Tx, r Refund) (o Order, p Payment, err error) {
	if o, err = Get(ctx, tx, Key{r.Account, r.Order}); err != nil {
		return o, p, err
	}
	p, err = GetPayment(ctx, tx, Key{r.Account, r.Payment})
	return o, p, err
}

// addRefunded ends an order whose money went back. One that was left to a
// person meanwhile needs none any more.
func addRefunded(b *db.Batch, tx db.Tx, o Order) Order {
	if o.State == Held {
		o = addMove(b, tx, o, RefundDue, nil)
	}
	if o.State != RefundDue {
		return o // the money came back once, and now went again
	}
	return addMove(b, tx, o, Refunded, func(o *Order) { o.DueAt, o.CompletedAt = time.Time{}, tx.Now() })
}

// booked is how the money of a refund stands in the books before it goes: as it
// came, when the order for which it came is not served, without what the customer's
// bank gave back of it; else as owed.
func (r Refund) booked(ctx context.Context, tx db.Tx, p Payment, o Order) ([]ledger.Transfer, error) {
	if r.Why != "not_served" {
		return []ledger.Transfer{{From: ledger.Provider(p.Provider), To: ledger.Due, Amount: r.Amount}}, nil
	}
	price := o.Rest()
	all, err := Refunds(ctx, tx, o.Ref())
	for _, other := range all {
		if other.Why == whyByBank {
			price.Minor -= other.Amount.Minor
		}
	}
	return received(p.Provider, r.Amount, price), err
}

// step names a posting of the refund, which the provider may make several times.
func (r Refund) step(what string) string {
	if r.Ref == reference(r.Payment+r.Order+r.Why) {
		return what
	}
	return what + ":" + r.Ref
}

// reason is why the money goes back, for the customer.
func (r Refund) reason(o Order) string {
	if r.Why == "not_served" {
		return o.Reason
	}
	return r.Why
}

func (d *Desk) addRefundNews(b *db.Batch, tx db.Tx, o Order, p Payment, r Refund, reason string) error {
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(message.OrderRefunded) + "/" + r.Ref, Kind: message.OrderRefunded, Order: o.ID, Line: o.Line,
		Facts: message.Facts{Amount: r.Amount, Order: o.ID, Method: string(p.Rail), RefundReason: refundWord(reason)},
	})
}

// refundLookedBack deals with what a provider says about a refund that was done
// some time ago: mostly that it still is.
func (d *Desk) refundLookedBack(ctx context.Context, r Refund, seen payment.RefundObservation, err error) error {
	if err == nil && seen.State == payment.RefundFailed {
		return d.refundCameBack(ctx, r, seen.Code)
	}
	now, again := d.DB.Now(), time.Time{}
	switch {
	case now.Before(r.DoneAt.Add(lookBackAfter)):
		again = r.DoneAt.Add(lookBackAfter)
	case err != nil && now.Before(r.DoneAt.Add(refundArrives)):
		again = now.Add(pause(r.Attempts))
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE refunds SET due_at = $3 WHERE account_id = $1 AND id = $2 AND state = 'done'`, r.Account, r.ID, db.At(again))
		return err
	})
}

// refundCameBack takes a refund out of the books that the customer's bank did
// not take: we owe the money again, and a person finds out where to send it.
func (d *Desk) refundCameBack(ctx context.Context, r Refund, code string) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		o, p, err := aboutRefund(ctx, tx, r)
		if err != nil {
			return err
		}
		var b db.Batch
		b.Guard(`UPDATE refunds SET state = 'failed', code = $3, due_at = NULL, done_at = NULL WHERE account_id = $1 AND id = $2 AND state = 'done'`,
			r.Account, r.ID, clip(code))
		b.Add(`UPDATE payments SET refunded_minor = refunded_minor - $3 WHERE account_id = $1 AND id = $2`, r.Account, r.Payment, r.Amount.Minor)
		booked, err := r.booked(ctx, tx, p, o)
		if err != nil {
			return err
		}
		ledger.Posting{Account: r.Account, Subject: r.ID, Step: r.step("came_back"), Transfers: booked}.AddTo(&b, tx.Now())
		r.State = payment.RefundFailed
		if err := d.addRefundTrouble(&b, tx, o, r, code); err != nil {
			return err
		}
		return conflict(tx.Batch(ctx, &b), r.ID)
	})
}

// settleRefund looks after an order in refund_due whose own row is due: the
// refund's row does the work, so there is nothing left to wait for here unless
// the refund was never written.
func (d *Desk) settleRefund(ctx context.Context, o Order) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		if o.Rest().IsZero() {
			if _, err := d.addOwnRefund(&b, tx, o); err != nil {
				return err
			}
			return conflict(tx.Batch(ctx, &b), o.ID)
		}
		paid, err := paymentsFor(ctx, tx, o)
		if err != nil {
			return err
		}
		for _, p := range paid {
			d.addRefund(&b, tx, p.Payment, o.ID, p.given, "not_served")
		}
		b.Add(`UPDATE orders SET due_at = NULL WHERE account_id = $1 AND id = $2 AND state = 'refund_due'`, o.Account, o.ID)
		return tx.Batch(ctx, &b)
	})
}
