package order

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	Paid       int64 // of Owed, what they have paid, or staff let go
	LetGo      int64 // of Paid, what staff let go: the seller's loss
	Unserved   int64 // of the payment, what they have neither got anything for nor back; not above 0 where it is nothing
	Kept       int64 // of the payment, what its provider has not given back as a refund; minor units
	Evidence   string
	AnswerBy   time.Time // zero: not told
	OpenedAt   time.Time
	AsOf       time.Time

	moves int
}

// Open is what the customer owes because of it: nothing for what they have not got.
// That is decided with its order, and owed from the moment it is served or given
// back all the same.
func (d Dispute) Open() money.Money {
	return money.Of(max(0, d.Owed-d.Paid-max(0, d.Unserved)), d.Amount.Currency)
}

// unserved is that of a payment p.
const unserved = `p.minor
	- COALESCE((SELECT SUM(a.minor) FROM allocations a JOIN orders o ON o.account_id = a.account_id AND o.id = a.order_id
	             WHERE a.account_id = p.account_id AND a.payment_id = p.id AND o.state IN ('fulfilling', 'completed')), 0)
	- COALESCE((SELECT SUM(r.minor) FROM refunds r WHERE r.account_id = p.account_id AND r.payment_id = p.id AND r.state = 'done'), 0)`

// owing is what holds for a dispute d of a payment p because of which the customer
// owes something.
const owing = `d.owed_minor > d.paid_minor AND d.owed_minor - d.paid_minor > ` + unserved

const disputeColumns = `d.account_id, d.id, d.order_id, d.payment_id, d.provider, d.provider_id, d.state, d.reason, d.minor, d.currency,
	d.wallet_minor, d.owed_minor, d.paid_minor, d.moves, d.evidence, d.answer_by, d.opened_at, d.as_of, CAST(` + unserved + ` AS bigint),
	p.minor - p.refunded_minor, d.let_go_minor`

const disputesFrom = ` FROM disputes d JOIN payments p ON p.account_id = d.account_id AND p.id = d.payment_id `

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
			&d.Wallet, &d.Owed, &d.Paid, &d.moves, &d.Evidence, &answer, &opened, &asOf, &d.Unserved, &d.Kept, &d.LetGo); err != nil {
			return nil, err
		}
		d.AnswerBy, d.OpenedAt, d.AsOf = answer.Time, opened.Time, asOf.Time
		out = append(out, d)
	}
	return out, rows.Err()
}

// Disputes reads the disputes of the payments of an order, oldest first.
func Disputes(ctx context.Context, tx db.Tx, o Order) ([]Dispute, error) {
	under := o.ID
	if o.Basket != "" {
		under = o.Basket
	}
	return disputes(ctx, tx, `SELECT `+disputeColumns+disputesFrom+`
		WHERE d.account_id = $1 AND (d.order_id = $2 OR d.payment_id IN (SELECT payment_id FROM allocations WHERE account_id = $1 AND order_id = $3))
		ORDER BY d.id`, o.Account, under, o.ID)
}

func disputesOf(ctx context.Context, tx db.Tx, p Payment) ([]Dispute, error) {
	return disputes(ctx, tx, `SELECT `+disputeColumns+disputesFrom+` WHERE d.account_id = $1 AND d.payment_id = $2 ORDER BY d.id`, p.Account, p.ID)
}

// returnable fails with [fault.Conflict] where so much of a payment may not be given
// back: while a dispute is open the money would go back twice, and what the
// customer's bank has taken its provider has not got any more.
func returnable(ctx context.Context, tx db.Tx, p Payment, amount money.Money) error {
	about, err := disputesOf(ctx, tx, p)
	if err != nil {
		return err
	}
	has := p.Amount.Minor - p.Refunded
	for _, d := range about {
		if d.State == payment.DisputeOpen {
			return errDisputed(d)
		}
		if d.State == payment.DisputeLost {
			has -= d.Amount.Minor
		}
	}
	if len(about) > 0 && has < amount.Minor {
		return fault.New(fault.Conflict, "The customer's bank has taken this payment back: its provider has only %s of it left, and not %s.",
			money.Of(max(0, has), amount.Currency), amount)
	}
	return nil
}

func errDisputed(d Dispute) error {
	return fault.New(fault.Conflict, "Payment %s is disputed, and that is not decided yet. Wait for it: the money would go back twice.", d.Payment)
}

// Debts reads the disputes because of which a customer owes something, oldest first.
func Debts(ctx context.Context, tx db.Tx, account string) ([]Dispute, error) {
	return disputes(ctx, tx, `SELECT `+disputeColumns+disputesFrom+` WHERE d.account_id = $1 AND `+owing+` ORDER BY d.id LIMIT 100`, account)
}

// OpenDisputes reads the disputes of the whole shop that wait for the provider's
// decision, or because of which a customer owes something: first those that must be
// answered soonest. It is for staff: it reads across accounts.
func OpenDisputes(ctx context.Context, tx db.Tx, limit int) ([]Dispute, error) {
	return disputes(ctx, tx, `SELECT `+disputeColumns+disputesFrom+` WHERE d.state IN ('asked', 'open') OR `+owing+`
		ORDER BY CASE WHEN d.state IN ('asked', 'open') AND d.answer_by IS NOT NULL THEN 0 ELSE 1 END, d.answer_by, d.id LIMIT $1`, limit)
}

// Owes reads what a customer owes in one currency.
func Owes(ctx context.Context, tx db.Tx, account string, c money.Currency) (money.Money, error) {
	debts, err := Debts(ctx, tx, account)
	return owedIn(debts, c), err
}

func owedIn(debts []Dispute, c money.Currency) money.Money {
	sum := money.Of(0, c)
	for _, d := range debts {
		if d.Amount.Currency == c {
			sum.Minor += d.Open().Minor
		}
	}
	return sum
}

// unowed fails with [fault.Denied] where a customer owes something and therefore
// may not pay for an order: by any means, or, where the seller keeps lines going,
// with what is theirs with us.
func (d *Desk) unowed(ctx context.Context, tx db.Tx, o Order, saved bool) error {
	if !d.mindsDebts(o, saved) {
		return nil
	}
	debts, err := Debts(ctx, tx, o.Account)
	if err != nil || len(debts) == 0 {
		return err
	}
	return fault.Because(fault.Denied, "owes",
		"A payment of yours was taken back, and you still owe that amount. Pay it on the page of your wallet; then everything works again.", nil)
}

// mindsDebts reports whether a debt stops an order that is paid like that.
func (d *Desk) mindsDebts(o Order, saved bool) bool {
	ours := saved || o.Parts.Wallet > 0 || o.Parts.Points > 0
	return o.Kind != TopUp && (ours || d.Disputed != DisputeKeep)
}

// told is what an observation says about disputes. What is withheld beyond those
// that the provider names is one dispute without a name.
func told(seen payment.Observation, known []Dispute) []payment.Dispute {
	all := seen.Disputes[:len(seen.Disputes):len(seen.Disputes)]
	rest := seen.Disputed
	for _, d := range all {
		if d.State.Takes() {
			rest.Minor -= d.Amount.Minor
		}
	}
	if rest.Minor > 0 {
		return append(all, payment.Dispute{State: payment.DisputeOpen, Amount: rest})
	}
	for _, k := range known {
		if k.ProviderID == "" && k.State == payment.DisputeOpen {
			all = append(all, payment.Dispute{State: payment.DisputeWon, Amount: k.Amount})
		}
	}
	return all
}

// undecided reports whether a dispute that an observation does not name was open:
// a provider that says nothing of it has not decided it.
func undecided(known []Dispute, now []payment.Dispute, at time.Time) bool {
	return slices.ContainsFunc(known, func(k Dispute) bool {
		open := k.State == payment.DisputeOpen || k.State == payment.DisputeAsked
		named := slices.ContainsFunc(now, func(d payment.Dispute) bool { return storable(d.ID, 255) == k.ProviderID })
		return open && !named && at.Before(k.OpenedAt.Add(disputeEnds))
	})
}

// newlyDecided reports whether one of the disputes was not decided like that before, or
// took another amount.
func newlyDecided(known, now []Dispute) bool {
	return slices.ContainsFunc(now, func(d Dispute) bool {
		decided := d.State == payment.DisputeWon || d.State == payment.DisputeLost
		return decided && !slices.ContainsFunc(known, func(k Dispute) bool { return k.ID == d.ID && k.State == d.State && k.Amount == d.Amount })
	})
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

// withoutOurs takes out of lost disputes what we have given back ourselves: at PayPal a
// refund of the whole payment ends a dispute, and the customer counts as who has won.
// Where nothing is left of one, it took nothing.
func withoutOurs(ctx context.Context, tx db.Tx, p Payment, seen payment.Observation, all []payment.Dispute) ([]payment.Dispute, error) {
	among := among(seen)
	if among == 0 {
		return all, nil
	}
	back, err := refundsOf(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	ours := int64(0)
	for _, r := range back {
		if r.State != payment.RefundFailed && !r.AskedAt.IsZero() && !r.elsewhere() {
			ours += r.Amount.Minor
		}
	}
	all = slices.Clone(all)
	twice := among - max(0, seen.Refunded.Minor-ours)
	for i, d := range all {
		part := min(twice, d.Amount.Minor)
		if d.State != payment.DisputeLost || part <= 0 {
			continue
		}
		twice -= part
		if all[i].Amount.Minor -= part; all[i].Amount.Minor == 0 {
			all[i].State, all[i].Amount = payment.DisputeWon, d.Amount
		}
	}
	return all, nil
}

// disputing is what one observation says about the disputes of a payment.
type disputing struct {
	payment  Payment
	all      basket
	asOf     time.Time
	has      int64 // what the wallet holds, and may have to give
	unserved int64 // see Dispute.Unserved
	evidence string
}

// addDisputes appends what has changed about the disputes of a paid payment, and
// returns what they are then, and whether one is not decided, so that its provider is
// asked again.
//
// What an observation says that is older than the last one is not news. Whatever
// came between two of them, the second takes or gives back the difference.
func (d *Desk) addDisputes(ctx context.Context, b *db.Batch, tx db.Tx, orders basket, p Payment, seen payment.Observation) (all []Dispute, waits bool, err error) {
	known, err := disputesOf(ctx, tx, p)
	if err != nil {
		return nil, false, err
	}
	now := told(seen, known)
	if waits = undecided(known, now, tx.Now()); len(now) == 0 {
		return nil, waits, nil
	}
	if now, err = withoutOurs(ctx, tx, p, seen, now); err != nil {
		return nil, false, err
	}
	s := disputing{payment: p, all: orders, asOf: seen.AsOf}
	if err := tx.QueryRow(ctx, `SELECT CAST(`+unserved+` AS bigint) FROM payments p WHERE p.account_id = $1 AND p.id = $2`, p.Account, p.ID).Scan(&s.unserved); err != nil {
		return nil, false, err
	}
	if s.asOf.IsZero() {
		s.asOf = tx.Now()
	}
	if orders.first().Kind == TopUp && orders.are(Completed) {
		has, err := ledger.Balance(ctx, tx, p.Account, ledger.Wallet, p.Amount.Currency)
		if err != nil {
			return nil, false, err
		}
		s.has = has.Minor
	}
	for _, said := range now {
		waits = waits || said.State == payment.DisputeOpen || said.State == payment.DisputeAsked
		if said.Amount.Currency != p.Amount.Currency || said.Amount.Minor <= 0 || said.Amount.Minor > p.Amount.Minor {
			addCase(b, tx, d.IDs, orders.first(), CaseDisputed, "payment "+p.ID+": a dispute of "+said.Amount.String()+" is not of this payment's money")
			continue
		}
		after, err := d.addDispute(ctx, b, tx, &s, known, said)
		if err != nil {
			return nil, false, err
		}
		all = append(all, after)
	}
	if !waits && newlyDecided(known, all) {
		err = addDecided(ctx, b, tx, p)
	}
	return all, waits, err
}

// addDispute appends what one dispute changes, and returns what it is then.
func (d *Desk) addDispute(ctx context.Context, b *db.Batch, tx db.Tx, s *disputing, known []Dispute, said payment.Dispute) (now Dispute, err error) {
	was := Dispute{
		Account: s.payment.Account, Order: s.all.first().ID, Payment: s.payment.ID, Provider: s.payment.Provider,
		ProviderID: storable(said.ID, 255), Amount: said.Amount, OpenedAt: tx.Now(), Unserved: s.unserved,
	}
	for _, k := range known {
		if k.ProviderID == was.ProviderID {
			was = k
		}
	}
	if was.AsOf.After(s.asOf) {
		return was, nil
	}
	now = was
	now.State, now.Amount, now.Reason, now.AsOf = said.State, said.Amount, storable(said.Reason, 100), s.asOf
	if !said.AnswerBy.IsZero() {
		now.AnswerBy = said.AnswerBy
	}
	if was.ID == "" {
		now.ID = d.IDs.Under("dp", now.Account)
		if now.Evidence, err = s.about(ctx, tx); err != nil {
			return now, err
		}
	}
	now = s.addTaking(b, tx, now)
	addStoredDispute(b, was, now)
	if was.State == now.State {
		return now, nil
	}
	d.addDisputeCase(b, tx, s, was, now)
	return now, d.addDisputeNews(b, tx, s.all.first(), was, now)
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
// given back first lessens what is owed and then what was let go; what was paid of that
// goes into the wallet.
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
		letGo := min(-more-owed, d.LetGo)
		paid := min(-more-owed-letGo, d.Paid-d.LetGo)
		wallet := -more - owed - letGo - paid
		d.Owed, d.Paid, d.LetGo, d.Wallet = d.Owed-owed-letGo-paid, d.Paid-letGo-paid, d.LetGo-letGo, d.Wallet-wallet
		move(ledger.Withheld, ledger.Receivable, owed)
		move(ledger.Withheld, ledger.Loss, letGo)
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
			answer_by = $13, as_of = $14, let_go_minor = $15
		WHERE account_id = $1 AND id = $2 AND moves = $3 AND paid_minor = $4 AND as_of = $5`,
		d.Account, d.ID, was.moves, was.Paid, db.At(was.AsOf), d.State, d.Reason, d.Amount.Minor, d.Wallet, d.Owed, d.Paid, d.moves,
		db.At(d.AnswerBy), db.At(d.AsOf), d.LetGo)
}

// addDisputeCase appends what staff read, and stops what is not under way yet.
func (d *Desk) addDisputeCase(b *db.Batch, tx db.Tx, s *disputing, was, now Dispute) {
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
		if was.State.Takes() {
			d.addResuming(b, tx, s.all, text)
		}
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

// addResuming appends what asks staff to let lines go on that they were asked to
// suspend.
func (d *Desk) addResuming(b *db.Batch, tx db.Tx, all basket, why string) {
	for _, o := range all {
		if d.Disputed == DisputeSuspend && o.Line != "" && o.State == Completed {
			addCase(b, tx, d.IDs, o, CaseResumeLine, why+"; let line "+o.Line+" go on at its operator, if it was suspended")
		}
	}
}

// addSettled is addResuming for what a top-up has paid.
func (d *Desk) addSettled(ctx context.Context, b *db.Batch, tx db.Tx, debts []Dispute, paid money.Money) error {
	for _, debt := range debts {
		if debt.Amount.Currency != paid.Currency || d.Disputed != DisputeSuspend {
			continue
		}
		if paid.Minor -= debt.Open().Minor; paid.Minor < 0 {
			return nil // not all of it
		}
		all, err := basketOf(ctx, tx, Key{debt.Account, debt.Order})
		if err != nil {
			return err
		}
		d.addResuming(b, tx, all, "what was owed because of dispute "+debt.ProviderID+" is paid")
	}
	return nil
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

// WriteOff lets go what a customer owes because of lost disputes of an order's
// payment: it is the seller's loss, and what the debt had closed is open again. It
// fails with [fault.Conflict] where nothing is owed, or it is not decided yet.
func (d *Desk) WriteOff(ctx context.Context, k Key, a Act) (Order, error) {
	return d.act(ctx, k, a, "write off", func(ctx context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		about, err := Disputes(ctx, tx, o)
		if err != nil {
			return o, err
		}
		before := b.Len()
		for _, debt := range about {
			if open := debt.Open(); debt.State == payment.DisputeLost && !open.IsZero() {
				debt.addWrittenOff(b, tx, open)
			}
		}
		if b.Len() == before {
			return o, fault.New(fault.Conflict, "Nothing is owed because of order %s, or its dispute is not decided yet.", o.ID)
		}
		all, err := basketOf(ctx, tx, k)
		if err != nil {
			return o, err
		}
		d.addResuming(b, tx, all, "what was owed was written off")
		return o, nil
	})
}

func (d Dispute) addWrittenOff(b *db.Batch, tx db.Tx, open money.Money) {
	b.Guard(`UPDATE disputes SET paid_minor = paid_minor + $5, let_go_minor = let_go_minor + $5, moves = moves + 1
		WHERE account_id = $1 AND id = $2 AND moves = $3 AND paid_minor = $4`, d.Account, d.ID, d.moves, d.Paid, open.Minor)
	ledger.Posting{Account: d.Account, Subject: d.ID, Step: fmt.Sprintf("disputed:%d", d.moves+1), Transfers: []ledger.Transfer{
		{From: ledger.Loss, To: ledger.Receivable, Amount: open},
	}}.AddTo(b, tx.Now())
}
