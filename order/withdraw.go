package order

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
)

// A new eSIM that nobody has installed can be given back, where its plan and its
// operator allow it. The operator takes it back first; then the money returns, by the
// way of any other refund. A row says that it was asked: whoever finds that row knows
// that the operator may have done it, and asks what became of it.

// Withdrawing is what giving a new line back would come to.
type Withdrawing struct {
	Order Order
	Line  line.Line

	Tool   money.Money    // what goes back to the tool that paid
	Method catalogue.Tool // which that is
	Wallet money.Money
	Points int64 // that are given back

	// Until is the last moment at which the line can be installed, and given back,
	// exclusive; zero: none is known.
	Until time.Time

	credit crediting
	esim   line.ESIM
	maker  carrier.Withdrawer
	bought carrier.Purchase
}

// Withdrawing reads what giving the line back that an order brought would come to. It
// fails with [fault.Conflict], and the reason why it cannot be.
func (d *Desk) Withdrawing(ctx context.Context, tx db.Tx, k Key) (w Withdrawing, err error) {
	if w.Order, err = Get(ctx, tx, k); err != nil {
		return w, err
	}
	if w.Order.Kind != NewLine || w.Order.State != Completed || w.Order.Granted() {
		return w, cannot("cancel_no_line", "Only an eSIM that was bought here can be given back.", nil)
	}
	if w.Line, err = line.Get(ctx, tx, k.Account, w.Order.Line); err != nil {
		return w, err
	}
	var found bool
	if w.esim, found, err = line.GetESIM(ctx, tx, k.Account, w.Line.ID); err != nil || !found {
		return w, errors.Join(err, line.NotFound())
	}
	w.Until = w.esim.InstallBy
	if err := w.unused(ctx, tx); err != nil {
		return w, err
	}
	if err := d.withdrawable(ctx, tx, &w); err != nil {
		return w, err
	}
	if w.credit, err = d.crediting(ctx, tx, k, money.Money{}, false); err != nil {
		if kind := fault.KindOf(err); kind != fault.Conflict && kind != fault.Invalid {
			return w, err
		}
		return w, cannot("cancel_money", "The money for this eSIM cannot go back by itself any more. Write to us.", err)
	}
	c := w.credit
	w.Tool, w.Wallet = money.Of(c.byTool, c.amount.Currency), money.Of(c.toWallet, c.amount.Currency)
	w.Method, w.Points = w.Order.Tool, c.given
	return w, nil
}

// BoughtWith is the order that brought a new line, for giving it back; a line that was
// not bought here is refused as cancel_no_line (Conflict), one that there is not as
// NotFound.
func BoughtWith(ctx context.Context, tx db.Tx, account, lineID string) (Key, error) {
	if _, err := line.Get(ctx, tx, account, lineID); err != nil {
		return Key{}, err
	}
	e, found, err := line.GetESIM(ctx, tx, account, lineID)
	if err == nil && (!found || e.Order == "") {
		err = fault.Because(fault.Conflict, "cancel_no_line", "Only an eSIM that was bought here can be given back.", nil)
	}
	return Key{Account: account, ID: e.Order}, err
}

func cannot(reason, text string, cause error) error {
	if cause != nil {
		return fault.Because(fault.Conflict, reason, text, map[string]string{"why": cause.Error()})
	}
	return fault.Because(fault.Conflict, reason, text, nil)
}

func installedAlready() error {
	return cannot("cancel_installed", "This eSIM is installed on a phone. It stays yours, and its money is not given back.", nil)
}

// unused refuses a line that somebody uses, or that is over, by what we know.
func (w *Withdrawing) unused(ctx context.Context, tx db.Tx) error {
	if w.Line.State == line.Terminal || w.Line.State == line.Recycled {
		return cannot("cancel_over", "This eSIM was given back already, or is over.", nil)
	}
	p, known, err := line.GetProfile(ctx, tx, w.Line.Account, w.Line.ID)
	if err != nil {
		return err
	}
	if !w.Line.StartedAt.IsZero() || w.Line.State != line.New || known && p.State != "" {
		return installedAlready()
	}
	if !w.Until.IsZero() && !tx.Now().Before(w.Until) {
		return cannot("cancel_over", "This eSIM was given back already, or is over.", nil)
	}
	return nil
}

// withdrawable asks plan and operator.
func (d *Desk) withdrawable(ctx context.Context, tx db.Tx, w *Withdrawing) error {
	cat, err := d.Shelf.At(ctx, tx, w.Order.Catalogue)
	if err != nil {
		return err
	}
	plan, err := fedBy(cat, w.Order)
	if err != nil {
		return err
	}
	if plan.Policy.Refund == catalogue.RefundNever {
		return cannot("cancel_policy", "By the rules of this plan an eSIM is not taken back once it is paid.", nil)
	}
	op, _ := cat.Operator(w.Line.Operator)
	maker, ok := d.Carriers[op.Carrier].(carrier.Withdrawer)
	term, _ := plan.Term(w.Order.Item)
	if !ok || !maker.Abilities().Withdraws || term.FromStock {
		return cannot("cancel_operator", "The operator of this eSIM takes none back.", nil)
	}
	w.maker = maker
	w.bought = carrier.Purchase{
		Ref: w.Order.ID, Package: term.NewPackage, Days: term.PackageDays, AskedAt: w.Order.AskedAt, Theirs: w.Order.OperatorRef,
	}
	return nil
}

// WithdrawState is how giving a new line back stands. The values are stored; do not
// rename.
type WithdrawState string

// The states.
const (
	WithdrawAsked   WithdrawState = "asked"   // the operator may have taken it back
	WithdrawDone    WithdrawState = "done"    // it has, and the money goes back
	WithdrawRefused WithdrawState = "refused" // it has not, and the line stays
	WithdrawUnclear WithdrawState = "unclear" // nobody knows: a person looks
)

// withdrawal is one row.
type withdrawal struct {
	Key
	line     string
	state    WithdrawState
	staff    string
	attempts int
	askedAt  time.Time
	again    bool // it was asked before, and nobody knows what came of that
}

// Withdraw gives the line back that an order brought and nobody has installed: the
// operator takes it back, and then everything that was paid returns. It is done once.
// Where the operator does not answer the state is [WithdrawAsked]: a worker finds out,
// and the customer hears. Staff may ask again where that stayed unclear. It fails with
// [fault.Conflict] and why where it cannot be, and with [fault.Unavailable] where the
// operator cannot be reached; nothing has changed then. a is the zero Act of the
// customer.
func (d *Desk) Withdraw(ctx context.Context, k Key, a Act) (WithdrawState, error) {
	w, r, state, err := d.intendWithdrawal(ctx, k, a)
	if err != nil || state != "" {
		return state, err
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	err = w.maker.Withdraw(call, w.bought, w.profile())
	return d.withdrawn(context.WithoutCancel(ctx), w, r, err)
}

func (w Withdrawing) profile() carrier.Profile {
	return carrier.Profile{ID: w.Line.ProfileID, ICCID: w.Line.ICCID}
}

// intendWithdrawal stores that the operator is about to be asked, and reserves the line.
// state is not empty where somebody has asked already.
func (d *Desk) intendWithdrawal(ctx context.Context, k Key, a Act) (w Withdrawing, r withdrawal, state WithdrawState, err error) {
	err = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		state = ""
		before, found, err := withdrawalOf(ctx, tx, k)
		if err != nil || found && before.state != WithdrawRefused && (before.state != WithdrawUnclear || a.Staff == "") {
			state = before.state
			return err
		}
		again := found && before.state == WithdrawUnclear
		if w, err = d.Withdrawing(ctx, tx, k); err != nil {
			return err
		}
		r = withdrawal{Key: k, line: w.Line.ID, staff: a.Staff, attempts: 1, again: again}
		if w.Line.Extending != "" && w.Line.Extending != k.ID {
			return cannot("cancel_busy", "An order is at the operator for this eSIM just now. Try again in a few minutes.", nil)
		}
		var b db.Batch
		if w.Line.Extending == "" {
			line.Take(&b, k.Account, w.Line.ID, k.ID, w.Line.Periods)
		}
		b.Add(`INSERT INTO withdrawals (account_id, order_id, line_id, state, staff, attempts, due_at, asked_at) VALUES ($1,$2,$3,'asked',$4,1,$5,$6)
			ON CONFLICT (account_id, order_id) DO UPDATE SET state = 'asked', staff = excluded.staff, why = '', attempts = 1,
				due_at = excluded.due_at, asked_at = excluded.asked_at, ended_at = NULL`,
			k.Account, k.ID, w.Line.ID, a.Staff, db.At(tx.Now().Add(lease)), db.At(tx.Now()))
		if a.Staff != "" {
			d.addTrail(&b, tx, a, "give back a new line", w.Order)
		}
		return conflict(tx.Batch(ctx, &b), k.ID)
	})
	return w, r, state, err
}

const withdrawalColumns = `account_id, order_id, line_id, state, staff, attempts, asked_at`

func scanWithdrawal(row db.Row) (r withdrawal, err error) {
	var asked db.Instant
	err = row.Scan(&r.Account, &r.ID, &r.line, &r.state, &r.staff, &r.attempts, &asked)
	r.askedAt = asked.Time
	return r, err
}

func withdrawalOf(ctx context.Context, tx db.Tx, k Key) (r withdrawal, found bool, err error) {
	r, err = scanWithdrawal(tx.QueryRow(ctx, `SELECT `+withdrawalColumns+` FROM withdrawals WHERE account_id = $1 AND order_id = $2`, k.Account, k.ID))
	if errors.Is(err, db.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, err
}

// WithdrawalState is how giving back the line of an order stands; empty: nobody asked.
func WithdrawalState(ctx context.Context, tx db.Tx, k Key) (WithdrawState, error) {
	r, _, err := withdrawalOf(ctx, tx, k)
	return r.state, err
}

// withdrawn records what came of asking the operator.
func (d *Desk) withdrawn(ctx context.Context, w Withdrawing, r withdrawal, err error) (WithdrawState, error) {
	no, refused := errors.AsType[*carrier.Refusal](err)
	switch {
	case err == nil:
		return WithdrawDone, d.creditWithdrawn(ctx, r)
	case refused && no.Reason == carrier.Installed:
		return WithdrawRefused, errors.Join(d.stays(ctx, r, no.Error()), installedAlready())
	case r.again: // it was perhaps done the first time: no other refusal says that it was not
		return d.learn(ctx, w, r, err)
	case refused:
		return WithdrawRefused, errors.Join(d.stays(ctx, r, no.Error()),
			cannot("cancel_refused", "The operator does not take this eSIM back. It stays yours, and can be installed.", nil))
	case errors.Is(err, carrier.ErrNotSent):
		return WithdrawRefused, errors.Join(d.stays(ctx, r, err.Error()),
			fault.Because(fault.Unavailable, "cancel_away", "The operator cannot be reached. Nothing has changed; try again later.", nil))
	}
	return d.learn(ctx, w, r, err)
}

// learn asks what became of an eSIM of which no answer came.
func (d *Desk) learn(ctx context.Context, w Withdrawing, r withdrawal, cause error) (WithdrawState, error) {
	call, cancel := d.callLimit(ctx)
	defer cancel()
	seen, err := w.maker.Withdrawal(call, w.bought, w.profile())
	switch {
	case err == nil && seen.Fate == carrier.FateGone:
		return WithdrawDone, d.creditWithdrawn(ctx, r)
	case err == nil && seen.Fate == carrier.FateInstalled:
		return WithdrawRefused, errors.Join(d.stays(ctx, r, seen.Why), installedAlready())
	case err != nil && r.attempts >= maxLooks:
		return WithdrawUnclear, d.withdrawalUnclear(ctx, r, err)
	case err != nil:
		cause = err
	case !seen.AsOf.Before(r.askedAt.Add(lease+w.maker.Abilities().SettlesWithin)) && !r.askedAt.IsZero():
		if r.attempts >= maxLooks {
			return WithdrawUnclear, d.withdrawalUnclear(ctx, r, errors.New(seen.Why))
		}
		return d.withdrawAgain(ctx, w, r) // it certainly was not done
	}
	why := "no answer"
	if cause != nil {
		why = cause.Error()
	}
	return WithdrawAsked, d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE withdrawals SET due_at = $3, why = $4 WHERE account_id = $1 AND order_id = $2 AND state = 'asked'`,
			r.Account, r.ID, db.At(tx.Now().Add(lookPause(r.attempts))), clip(why))
		return err
	})
}

// withdrawAgain asks once more what the operator has not done.
func (d *Desk) withdrawAgain(ctx context.Context, w Withdrawing, r withdrawal) (WithdrawState, error) {
	err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		b.Guard(`UPDATE withdrawals SET asked_at = $3, due_at = $4 WHERE account_id = $1 AND order_id = $2 AND state = 'asked' AND asked_at = $5`,
			r.Account, r.ID, db.At(tx.Now()), db.At(tx.Now().Add(lease)), db.At(r.askedAt))
		return conflict(tx.Batch(ctx, &b), r.ID)
	})
	if err != nil {
		return WithdrawAsked, quiet(err)
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	if err = w.maker.Withdraw(call, w.bought, w.profile()); err != nil && !isRefusal(err) {
		return WithdrawAsked, nil //nolint:nilerr // the row is due again when the lease ends
	}
	return d.withdrawn(ctx, w, r, err)
}

func isRefusal(err error) bool {
	_, refused := errors.AsType[*carrier.Refusal](err)
	return refused
}

// creditWithdrawn ends the line and gives back what was paid. Where the money cannot
// go back by itself any more, a person sees to it.
func (d *Desk) creditWithdrawn(ctx context.Context, r withdrawal) error {
	err := d.credited(ctx, r)
	if kind := fault.KindOf(err); err != nil && !isGuard(err) && (kind == fault.Conflict || kind == fault.Invalid) {
		return d.withdrawalUnclear(ctx, r, err)
	}
	return err
}

func (d *Desk) credited(ctx context.Context, r withdrawal) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		c, err := d.crediting(ctx, tx, r.Key, money.Money{}, false)
		if err != nil {
			return err
		}
		a := Act{Staff: r.staff, Reason: "given back before it was installed"}
		if a.Staff == "" {
			a.Staff = "customer"
		}
		var b db.Batch
		b.Guard(`UPDATE withdrawals SET state = 'done', due_at = NULL, ended_at = $3 WHERE account_id = $1 AND order_id = $2 AND state = 'asked'`,
			r.Account, r.ID, db.At(tx.Now()))
		line.Free(&b, r.Account, r.line, r.ID)
		line.AddState(&b, r.Account, r.line, line.Terminal, tx.Now())
		if err := d.addCredited(&b, tx, c, a); err != nil {
			return err
		}
		return conflict(tx.Batch(ctx, &b), r.ID)
	})
}

// stays records that the line stays the customer's. Who did not wait for the answer is
// told by a letter.
func (d *Desk) stays(ctx context.Context, r withdrawal, why string) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		b.Guard(`UPDATE withdrawals SET state = 'refused', due_at = NULL, ended_at = $3, why = $4 WHERE account_id = $1 AND order_id = $2 AND state = 'asked'`,
			r.Account, r.ID, db.At(tx.Now()), clip(why))
		line.Free(&b, r.Account, r.line, r.ID)
		if r.attempts > 1 {
			if err := message.AddTo(&b, tx.Now(), d.IDs.Under("msg", r.Account), message.Draft{
				Account: r.Account, Key: string(message.LineStays) + "/" + r.ID + "/" + strconv.FormatInt(r.askedAt.UnixMicro(), 36), Kind: message.LineStays,
				Order: r.ID, Line: r.line, Facts: message.Facts{Order: r.ID},
			}); err != nil {
				return err
			}
		}
		return conflict(tx.Batch(ctx, &b), r.ID)
	})
}

// withdrawalUnclear calls a person. The line stays reserved.
func (d *Desk) withdrawalUnclear(ctx context.Context, r withdrawal, cause error) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		o, err := Get(ctx, tx, r.Key)
		if err != nil {
			return err
		}
		var b db.Batch
		b.Guard(`UPDATE withdrawals SET state = 'unclear', due_at = NULL, why = $3 WHERE account_id = $1 AND order_id = $2 AND state = 'asked'`,
			r.Account, r.ID, clip(cause.Error()))
		addCase(&b, tx, d.IDs, o, "cancel_unclear", "the operator was asked to take back the eSIM that nobody has installed: "+cause.Error())
		return conflict(tx.Batch(ctx, &b), r.ID)
	})
}

// WithdrawStep finds out what became of eSIMs that operators were asked to take back,
// and of which no answer came.
func (d *Desk) WithdrawStep(ctx context.Context) (worked bool, err error) {
	if any, err := d.DB.Finds(ctx, `SELECT 1 FROM withdrawals WHERE due_at <= $1 LIMIT 1`, db.At(d.DB.Now())); err != nil || !any {
		return false, err
	}
	due, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (due []withdrawal, err error) {
		rows, err := tx.Query(ctx, `WITH due AS MATERIALIZED (
				SELECT account_id AS account, order_id AS row FROM withdrawals WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
			UPDATE withdrawals SET due_at = $2, attempts = attempts + 1 FROM due WHERE account_id = account AND order_id = row
			RETURNING `+withdrawalColumns, db.At(tx.Now()), db.At(tx.Now().Add(lease)), lookedAfterAtOnce)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			r, err := scanWithdrawal(rows)
			if err != nil {
				return nil, err
			}
			due = append(due, r)
		}
		return due, rows.Err()
	})
	if err != nil || len(due) == 0 {
		return false, err
	}
	var errs []error
	for _, r := range due {
		errs = append(errs, d.follow(ctx, r))
	}
	return true, errors.Join(errs...)
}

// follow takes one step of one withdrawal.
func (d *Desk) follow(ctx context.Context, r withdrawal) error {
	w, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (w Withdrawing, err error) {
		if w.Order, err = Get(ctx, tx, r.Key); err != nil {
			return w, err
		}
		if w.Line, err = line.Get(ctx, tx, r.Account, r.line); err != nil {
			return w, err
		}
		return w, d.withdrawable(ctx, tx, &w)
	})
	if fault.KindOf(err) == fault.Conflict { // who was asked is not to be asked any more
		return d.withdrawalUnclear(ctx, r, err)
	}
	if err != nil {
		return err
	}
	_, err = d.learn(ctx, w, r, nil)
	if kind := fault.KindOf(err); kind == fault.Conflict || kind == fault.Unavailable {
		return nil // the answer is for the customer, who has a letter
	}
	return err
}
