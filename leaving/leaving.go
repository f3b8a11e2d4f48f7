// Package leaving is how a customer goes: everything that we hold on them, given
// out; what must happen before their account is closed; and what is erased then,
// and what the books keep. docs/accounts.md says it in sentences.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package leaving

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/assistant"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/support"
)

// Grace is how long an account is closing before it is closed: time to change
// one's mind, and for the owner of a stolen session to see the letter.
const Grace = 14 * 24 * time.Hour

const (
	lastWord  = 48 * time.Hour // for how long the last letter is tried, and where it goes is known
	again     = 24 * time.Hour // after which an account that cannot be closed yet is looked at again
	soon      = time.Hour      // and one whose cards the providers have not forgotten yet
	maxOrders = 20             // how many open orders are named
)

// Office is where accounts are closed.
type Office struct {
	DB   *db.DB
	Door *account.Door
	Desk *order.Desk

	// Papers opens what customers gave for an identity check; nil: there are none.
	Papers *seal.Box
}

// Why an account cannot be closed. The words are keys of texts.
const (
	LiveLine  = "line"   // a line is in service, and would be lost
	HasWallet = "wallet" // there is money in the wallet
	OpenOrder = "order"  // an order is not at its end
	Owes      = "owed"   // the customer owes us what a bank took back
)

// Obstacle is one thing that must happen before an account is closed.
type Obstacle struct {
	Why    string
	Line   line.Line // that is in service
	Order  string    // that is not at its end
	Amount money.Money
}

// Obstacles lists what must happen first; none: the account can be closed.
func Obstacles(ctx context.Context, tx db.Tx, of string) (all []Obstacle, err error) {
	lines, err := line.List(ctx, tx, of)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		if l.At(tx.Now()) == line.Active {
			all = append(all, Obstacle{Why: LiveLine, Line: l})
		}
	}
	orders, err := order.Unfinished(ctx, tx, of, maxOrders)
	if err != nil {
		return nil, err
	}
	for _, o := range orders {
		all = append(all, Obstacle{Why: OpenOrder, Order: o.ID, Amount: o.Price})
	}
	balances, err := ledger.Balances(ctx, tx, of, ledger.Wallet)
	if err != nil {
		return nil, err
	}
	for _, m := range balances {
		if m.Minor > 0 {
			all = append(all, Obstacle{Why: HasWallet, Amount: m})
		}
	}
	debts, err := order.Debts(ctx, tx, of)
	if err != nil {
		return nil, err
	}
	if len(debts) > 0 {
		all = append(all, Obstacle{Why: Owes})
	}
	return all, nil
}

// errObstacles says that something must happen first.
func errObstacles() error {
	return fault.Because(fault.Conflict, "close_later", "Your account cannot be closed yet. The page says what must happen first.", nil)
}

// Close begins to close the account of a session: nothing more can be bought,
// kept cards are forgotten, and after [Grace] the account is closed. The owner is
// told. It fails with [fault.Denied] and reason sign_in_again, and with
// [fault.Conflict] where there are obstacles.
func (o *Office) Close(ctx context.Context, s account.Session) error {
	err := o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		obstacles, err := Obstacles(ctx, tx, s.Account)
		if err == nil && len(obstacles) > 0 {
			err = errObstacles()
		}
		if err != nil {
			return err
		}
		return o.Door.BeginClosing(ctx, tx, s, tx.Now().Add(Grace))
	})
	if err != nil {
		return err
	}
	_, err = o.forgetTools(ctx, s.Account) // what fails is done by Step
	return err
}

// forgetTools takes away the account's kept tools and one-tap payment. done is
// false while a provider has not confirmed that it has forgotten a tool.
func (o *Office) forgetTools(ctx context.Context, of string) (done bool, err error) {
	tools, err := db.Seen(ctx, o.DB, func(ctx context.Context, tx db.Tx) ([]order.SavedTool, error) {
		return order.SavedTools(ctx, tx, of)
	})
	if err != nil {
		return false, err
	}
	for _, t := range tools {
		if err := o.Desk.RemoveTool(ctx, order.Key{Account: of, ID: t.ID}); err != nil && fault.KindOf(err) != fault.NotFound {
			return false, err
		}
	}
	if err := o.Desk.EndOneTap(ctx, of); err != nil {
		return false, err
	}
	return db.Seen(ctx, o.DB, func(ctx context.Context, tx db.Tx) (bool, error) {
		left, err := order.ToolsRemembered(ctx, tx, of)
		return !left, err
	})
}

// Step closes one account whose time has come, and erases what is personal in it;
// or puts it off, where something has come in between. Its owner is told where they were
// written to before; some time after that the letter is erased, too. While there is none, it
// forgets conversations with the assistant whose time is over. It is enough to call
// it once a minute.
func (o *Office) Step(ctx context.Context) (worked bool, err error) {
	of, err := db.Seen(ctx, o.DB, account.DueToClose)
	if err != nil {
		return false, err
	}
	if of == "" {
		return assistant.Sweep(ctx, o.DB)
	}
	forgotten, err := o.forgetTools(ctx, of)
	if err != nil {
		return false, err
	}
	return true, o.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if !forgotten {
			return account.PutOffClosing(ctx, tx, of, tx.Now().Add(soon))
		}
		if over, err := account.ForgetClosed(ctx, tx, of); err != nil || over {
			return errors.Join(err, message.Erase(ctx, tx, of))
		}
		obstacles, err := Obstacles(ctx, tx, of)
		if err != nil {
			return err
		}
		if len(obstacles) > 0 {
			return account.PutOffClosing(ctx, tx, of, tx.Now().Add(again))
		}
		return o.close(ctx, tx, of)
	})
}

// close erases what is personal in an account, and tells its owner that it is closed.
func (o *Office) close(ctx context.Context, tx db.Tx, of string) error {
	points, err := ledger.Balance(ctx, tx, of, ledger.Points, money.Points)
	if err != nil {
		return err
	}
	letter, unreachable := account.LastLetter(ctx, tx, of, points.Minor)
	if unreachable != nil && fault.KindOf(unreachable) != fault.NotFound {
		return unreachable
	}
	closed, err := account.EraseClosed(ctx, tx, of, tx.Now().Add(lastWord))
	if err != nil || !closed { // its owner has just changed their mind
		return err
	}
	if err := message.Erase(ctx, tx, of); err != nil {
		return err
	}
	if err := line.Erase(ctx, tx, of); err != nil {
		return err
	}
	if err := support.Erase(ctx, tx, of); err != nil {
		return err
	}
	if err := assistant.Forget(ctx, tx, of, ""); err != nil {
		return err
	}
	if err := o.erasePapersOf(ctx, tx, of); err != nil {
		return err
	}
	if err := billing.SetRecipient(ctx, tx, of, billing.Recipient{}); err != nil { // of bills to come; those that there are stay
		return err
	}
	if err := order.Erase(ctx, tx, of); err != nil || unreachable != nil {
		return err
	}
	return message.Queue(ctx, tx, o.Door.IDs.Under("msg", of), letter)
}
