package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// DisputeMode is what becomes of a customer's lines while their bank, or they at
// the provider, have taken money back that they owe us.
type DisputeMode string

// The modes. Wallet, points and saved tools are closed in each of them.
const (
	DisputeKeep        DisputeMode = "keep"         // renewals may be paid with a tool that is entered then
	DisputeEndRenewals DisputeMode = "end_renewals" // nothing is renewed until what is owed is paid
	DisputeSuspend     DisputeMode = "suspend"      // and staff are asked to suspend the line at its operator
)

// Dispute is what a customer's bank says against a payment, as stored. It is opened
// and changed only by what the provider answers when it is asked about the payment.
type Dispute struct {
	Account    string
	ID         string
	Order      string // under which the payment stands
	Payment    string
	Provider   string
	ProviderID string // "" where the provider tells only an amount
	State      payment.DisputeState
	Reason     string // the provider's word
	Amount     money.Money
	Wallet     int64 // of it, taken back out of the wallet; minor units
	Owed       int64 // of it, owed by the customer since
	Paid       int64 // of Owed, what they have paid
	Evidence   string
	AnswerBy   time.Time // zero: not told
	OpenedAt   time.Time
	AsOf       time.Time

	moves int
}

// Open is what the customer owes because of it.
func (d Dispute) Open() money.Money { return money.Of(d.Owed-d.Paid, d.Amount.Currency) }

const disputeColumns = `d.account_id, d.id, d.order_id, d.payment_id, d.provider, d.provider_id, d.state, d.reason, d.minor, d.currency,
	d.wallet_minor, d.owed_minor, d.paid_minor, d.moves, d.evidence, d.answer_by, d.opened_at, d.as_of`

func disputes(ctx context.Context, tx db.Tx, query string, args ...any) (out []Dispute, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d Dispute
		var answer, opened, asOf db.Instant
		if err := rows.Scan(&d.Account, &d.ID, &d.Order, &d.Payment, &d.Provider, &d.ProviderID, &d.State, &d.Reason, &d.Amount.Minor, &d.Amount.Currency,
			&d.Wallet, &d.Owed, &d.Paid, &d.moves, &d.Evidence, &answer, &opened, &asOf); err != nil {
			return nil, err
		}
		d.AnswerBy, d.OpenedAt, d.AsOf = answer.Time, opened.Time, asOf.Time
		out = append(out, d)
	}
	return out, rows.Err()
}

// Disputes reads the disputes of the payment of an order, oldest first.
func Disputes(ctx context.Context, tx db.Tx, o Order) ([]Dispute, error) {
	under := o.ID
	if o.Basket != "" {
		under = o.Basket
	}
	return disputes(ctx, tx, `SELECT `+disputeColumns+` FROM disputes d WHERE d.account_id = $1 AND d.order_id = $2 ORDER BY d.id`, o.Account, under)
}

// Debts reads the disputes because of which a customer owes something, oldest
// first. What is disputed of an order that they have not got is not among them: it
// is decided with the order.
func Debts(ctx context.Context, tx db.Tx, account string) ([]Dispute, error) {
	return disputes(ctx, tx, `SELECT `+disputeColumns+` FROM disputes d JOIN orders o ON o.account_id = d.account_id AND o.id = d.order_id
		WHERE d.account_id = $1 AND d.owed_minor > d.paid_minor AND o.state NOT IN ('held', 'refund_due') ORDER BY d.id LIMIT 100`, account)
}

// Owes reads what a customer owes in one currency.
func Owes(ctx context.Context, tx db.Tx, account string, c money.Currency) (money.Money, error) {
	sum := money.Of(0, c)
	debts, err := Debts(ctx, tx, account)
	for _, d := range debts {
		if d.Amount.Currency == c {
			sum.Minor += d.Open().Minor
		}
	}
	return sum, err
}

// unowed fails with [fault.Denied] where a customer owes something and therefore
// may not pay for an order: by any means, or, where the seller keeps lines going,
// with what is theirs with us.
func (d *Desk) unowed(ctx context.Context, tx db.Tx, o Order, saved bool) error {
	ours := saved || o.Parts.Wallet > 0 || o.Parts.Points > 0
	if o.Kind == TopUp || d.Disputed == DisputeKeep && !ours {
		return nil
	}
	debts, err := Debts(ctx, tx, o.Account)
	if err != nil || len(debts) == 0 {
		return err
	}
	return fault.Because(fault.Denied, "owes",
		"A payment of yours was taken back, and that amount is still open. Pay it on the page of your wallet; then everything works again.", nil)
}

// told is what an observation says about disputes. Where the provider tells only
// how much is withheld, that is one dispute without a name.
func told(seen payment.Observation, known []Dispute) []payment.Dispute {
	all := seen.Disputes
	if len(all) == 0 && seen.Disputed.Minor > 0 {
		return []payment.Dispute{{State: payment.DisputeOpen, Amount: seen.Disputed}}
	}
	for _, k := range known {
		if k.ProviderID == "" && k.State == payment.DisputeOpen {
			all = append(all[:len(all):len(all)], payment.Dispute{State: payment.DisputeWon, Amount: k.Amount})
		}
	}
	return all
}

// among is how much of what went back is counted as disputed, too: what the
// customer got by winning.
func among(seen payment.Observation) int64 {
	taken := -seen.Disputed.Minor
	for _, d := range seen.Disputes {
		if d.State.Takes() {
			taken += d.Amount.Minor
		}
	}
	return max(0, taken)
}

// disputing is what one observation says about the disputes of a payment.
type disputing struct {
	payment  Payment
	all      basket
	asOf     time.Time
	has      int64 // what the wallet holds, and may have to give
	evidence string
}

// addDisputes appends what has changed about the disputes of a paid payment, and
// reports whether one is not decided, so that its provider is asked again.
//
// What an observation says that is older than the last one is not news. Whatever
// came between two of them, the second takes or gives back the difference.
func (d *Desk) addDisputes(ctx context.Context, b *db.Batch, tx db.Tx, all basket, p Payment, seen payment.Observation) (waits bool, err error) {
	known, err := disputes(ctx, tx, `SELECT `+disputeColumns+` FROM disputes d WHERE d.account_id = $1 AND d.payment_id = $2 ORDER BY d.id`, p.Account, p.ID)
	if err != nil {
		return false, err
	}
	now := told(seen, known)
	if len(now) == 0 {
		return false, nil
	}
	s := disputing{payment: p, all: all, asOf: seen.AsOf}
	if s.asOf.IsZero() {
		s.asOf = tx.Now()
	}
	if all.first().Kind == TopUp && all.are(Completed) {
		has, err := ledger.Balance(ctx, tx, p.Account, ledger.Wallet, p.Amount.Currency)
		if err != nil {
			return false, err
		}
		s.has = has.Minor
	}
	for _, said := range now {
		waits = waits || said.State == payment.DisputeOpen || said.State == payment.DisputeAsked
		if said.Amount.Currency != p.Amount.Currency || said.Amount.Minor <= 0 || said.Amount.Minor > p.Amount.Minor {
			addCase(b, tx, d.IDs, all.first(), CaseDisputed, "payment "+p.ID+": a dispute of "+said.Amount.String()+" is not of this payment's money")
			continue
		}
		if err := d.addDispute(ctx, b, tx, &s, known, said); err != nil {
			return false, err
		}
	}
	return waits, nil
}

// addDispute appends what one dispute changes.
func (d *Desk) addDispute(ctx context.Context, b *db.Batch, tx db.Tx, s *disputing, known []Dispute, said payment.Dispute) (err error) {
	was := Dispute{
		Account: s.payment.Account, Order: s.all.first().ID, Payment: s.payment.ID, Provider: s.payment.Provider,
		ProviderID: storable(said.ID, 255), Amount: said.Amount, OpenedAt: tx.Now(),
	}
	for _, k := range known {
		if k.ProviderID == was.ProviderID {
			was = k
		}
	}
	if was.AsOf.After(s.asOf) {
		return nil
	}
	now := was
	now.State, now.Amount, now.Reason, now.AsOf = said.State, said.Amount, storable(said.Reason, 100), s.asOf
	if !said.AnswerBy.IsZero() {
		now.AnswerBy = said.AnswerBy
	}
	if was.ID == "" {
		now.ID = d.IDs.Under("dp", now.Account)
		if now.Evidence, err = s.about(ctx, tx); err != nil {
			return err
		}
	}
	now = s.addTaking(b, tx, now)
	addStoredDispute(b, was, now)
	if was.State == now.State {
		return nil
	}
	d.addDisputeCase(b, tx, s, now)
	return d.addDisputeNews(b, tx, s.all.first(), was, now)
}

// about is the evidence for all orders of the payment.
func (s *disputing) about(ctx context.Context, tx db.Tx) (string, error) {
	if s.evidence != "" {
		return s.evidence, nil
	}
	for _, o := range s.all {
		text, err := Evidence(ctx, tx, o.Ref())
		if err != nil {
			return "", err
		}
		s.evidence += text
	}
	return s.evidence, nil
}

// addTaking appends the transfers by which a dispute takes what it takes now: of a
// top-up the wallet gives back what it holds of it, and the rest is owed. What is
// given back first lessens what is owed; what was paid of that goes into the wallet.
//
// What the provider withholds or gives back itself is booked by package settlement,
// from its report: both sides meet in the book withheld.
func (s *disputing) addTaking(b *db.Batch, tx db.Tx, d Dispute) Dispute {
	target := int64(0)
	if d.State.Takes() {
		target = d.Amount.Minor
	}
	var out []ledger.Transfer
	move := func(from, to ledger.Book, minor int64) {
		out = append(out, ledger.Transfer{From: from, To: to, Amount: money.Of(minor, d.Amount.Currency)})
	}
	switch more := target - d.Wallet - d.Owed; {
	case more > 0:
		wallet := min(s.has, more)
		s.has -= wallet
		d.Wallet, d.Owed = d.Wallet+wallet, d.Owed+more-wallet
		move(ledger.Wallet, ledger.Withheld, wallet)
		move(ledger.Receivable, ledger.Withheld, more-wallet)
	case more < 0:
		owed := min(-more, d.Owed-d.Paid)
		paid := min(-more-owed, d.Paid)
		wallet := -more - owed - paid
		d.Owed, d.Paid, d.Wallet = d.Owed-owed-paid, d.Paid-paid, d.Wallet-wallet
		move(ledger.Withheld, ledger.Receivable, owed)
		move(ledger.Withheld, ledger.Wallet, paid+wallet)
	default:
		return d
	}
	d.moves++
	ledger.Posting{Account: d.Account, Subject: d.ID, Step: fmt.Sprintf("disputed:%d", d.moves), Transfers: out}.AddTo(b, tx.Now())
	return d
}

// addStoredDispute appends the row. The guard is that nobody has changed it since.
func addStoredDispute(b *db.Batch, was, d Dispute) {
	if was.ID == "" {
		b.Add(`INSERT INTO disputes (account_id, id, order_id, payment_id, provider, provider_id, state, reason, minor, currency,
				wallet_minor, owed_minor, paid_minor, moves, evidence, answer_by, opened_at, as_of)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18)`,
			d.Account, d.ID, d.Order, d.Payment, d.Provider, d.ProviderID, d.State, d.Reason, d.Amount.Minor, d.Amount.Currency,
			d.Wallet, d.Owed, d.Paid, d.moves, d.Evidence, db.At(d.AnswerBy), db.At(d.OpenedAt), db.At(d.AsOf))
		return
	}
	b.Guard(`UPDATE disputes SET state = $6, reason = $7, minor = $8, wallet_minor = $9, owed_minor = $10, paid_minor = $11, moves = $12,
			answer_by = $13, as_of = $14
		WHERE account_id = $1 AND id = $2 AND moves = $3 AND paid_minor = $4 AND as_of = $5`,
		d.Account, d.ID, was.moves, was.Paid, db.At(was.AsOf), d.State, d.Reason, d.Amount.Minor, d.Wallet, d.Owed, d.Paid, d.moves,
		db.At(d.AnswerBy), db.At(d.AsOf))
}

// addDisputeCase appends what staff read, and stops what is not under way yet.
func (d *Desk) addDisputeCase(b *db.Batch, tx db.Tx, s *disputing, now Dispute) {
	o := s.all.first()
	text := fmt.Sprintf("payment %s: dispute %s of %s is %s (%s)", now.Payment, now.ProviderID, now.Amount, now.State, now.Reason)
	if !now.AnswerBy.IsZero() && now.State != payment.DisputeWon && now.State != payment.DisputeLost {
		text += "; answer by " + now.AnswerBy.Format(time.RFC3339) + " with tsuzuku order evidence " + o.ID
	}
	if now.State == payment.DisputeAsked {
		addCase(b, tx, d.IDs, o, CaseDisputeAsked, text)
		return
	}
	addCase(b, tx, d.IDs, o, CaseDisputed, text)
	if !now.State.Takes() {
		return
	}
	for _, o := range s.all {
		if o.State == Paid {
			addMove(b, tx, o, Held, func(o *Order) { o.DueAt, o.Reason = time.Time{}, CaseDisputed })
			if o.ID != s.all.first().ID {
				addCase(b, tx, d.IDs, o, CaseDisputed, text)
			}
		}
		if d.Disputed == DisputeSuspend && o.Line != "" && o.State == Completed {
			addCase(b, tx, d.IDs, o, CaseSuspendLine, text+"; suspend line "+o.Line+" at its operator")
		}
	}
	s.stopped(Paid, Held)
}

// stopped notes that orders were moved, so that another dispute of the same
// payment does not move them again.
func (s *disputing) stopped(from, to State) {
	all := make(basket, len(s.all))
	copy(all, s.all)
	for i := range all {
		if all[i].State == from {
			all[i].State = to
		}
	}
	s.all = all
}

// addDisputeNews appends what the customer is told: that money was taken back, and
// how it ended. What took no money is not told.
func (d *Desk) addDisputeNews(b *db.Batch, tx db.Tx, o Order, was, now Dispute) error {
	var kind message.Kind
	switch {
	case now.State == payment.DisputeOpen:
		kind = message.PaymentDisputed
	case now.State == payment.DisputeLost:
		kind = message.DisputeLost
	case now.State == payment.DisputeWon && was.State.Takes():
		kind = message.DisputeWon
	default:
		return nil
	}
	f := message.Facts{Amount: now.Amount, Order: o.ID, Tool: string(o.Tool), Link: "/wallet"}
	if left := now.Open(); !left.IsZero() {
		f.Owed = left
	}
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
		Account: o.Account, Key: string(kind) + "/" + now.ID, Kind: kind, Order: o.ID, Line: o.Line, Facts: f,
	})
}

// settling divides a top-up: what is owed is paid first, the oldest first.
func settling(b *db.Batch, debts []Dispute, came money.Money) (paid money.Money) {
	paid = money.Of(0, came.Currency)
	for _, d := range debts {
		part := min(d.Open().Minor, came.Minor-paid.Minor)
		if d.Amount.Currency != came.Currency || part <= 0 {
			continue
		}
		paid.Minor += part
		b.Guard(`UPDATE disputes SET paid_minor = paid_minor + $3 WHERE account_id = $1 AND id = $2 AND moves = $4 AND paid_minor = $5`,
			d.Account, d.ID, part, d.moves, d.Paid)
	}
	return paid
}
