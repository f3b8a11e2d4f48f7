package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/user"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// orderCmd is staff's tool until there is a console.
type orderCmd struct {
	Show        orderShowCmd        `cmd:"" help:"Print one order with its payments, refunds, bills, disputes, and the new line that it brought, as JSON; with what they wait for, since when, and until when."`
	List        orderListCmd        `cmd:"" help:"List the newest orders."`
	LookUp      orderLookUpCmd      `cmd:"" help:"Ask the operator once more what became of a held order."`
	Confirm     orderConfirmCmd     `cmd:"" help:"Decide that a held order was served, with the operator's reference as proof."`
	Refund      orderRefundCmd      `cmd:"" help:"Give money back: of an order that is not served, or of a completed one, with a credit note."`
	CancelESIM  orderCancelESIMCmd  `cmd:"" name:"cancel-esim" help:"Let the operator take a new eSIM back that nobody has installed, and give all of its money back."`
	RefundAgain orderRefundAgainCmd `cmd:"" help:"Send refunds once more that failed, or of which nothing clear was heard."`
	Disputes    orderDisputesCmd    `cmd:"" help:"List the disputes that are not decided, with the time until which each must be answered, and what customers owe because of disputes."`
	Evidence    orderEvidenceCmd    `cmd:"" help:"Print what shows that an order was accepted, paid and delivered, for a dispute."`
	WriteOff    orderWriteOffCmd    `cmd:"" help:"Let go what a customer owes because of a lost dispute of an order's payment: the seller's loss."`
	Hold        orderHoldCmd        `cmd:"" help:"Stop an order, so that a person decides about it."`
}

type orderShowCmd struct {
	database
	Order string `arg:"" help:"The order, ord_…"`
}

// orderStory is everything about one order.
type orderStory struct {
	Order    order.Order     `json:"order"`
	Payments []order.Payment `json:"payments"`
	Refunds  []order.Refund  `json:"refunds"`
	Bills    []billing.Bill  `json:"bills"`
	Disputes []order.Dispute `json:"disputes"`
	NewLine  *line.ESIM      `json:"new_line,omitempty"`
	Waits    []orderWait     `json:"waits"`
}

// orderWait is what the order, a payment or a refund waits for, since when, and until
// when at the latest.
type orderWait struct {
	order.Wait
	LateBy string `json:"late_by,omitempty"` // "" before the deadline
}

// waits are those of an order, by the settling times of the adapters that are built in.
func waits(ctx context.Context, tx db.Tx, k order.Key) ([]orderWait, error) {
	all, err := app.Patience().Waits(ctx, tx, &catalogue.Shelf{}, k)
	out := make([]orderWait, len(all))
	for i, w := range all {
		out[i].Wait = w
		if late := w.Late(tx.Now()); late > 0 {
			out[i].LateBy = late.Round(time.Second).String()
		}
	}
	return out, err
}

// Run prints one JSON object.
func (c *orderShowCmd) Run(ctx context.Context, s std) error {
	k, err := order.KeyOf(c.Order)
	if err != nil {
		return err
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	story, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) (st orderStory, err error) {
		if st.Order, err = order.Get(ctx, tx, k); err != nil {
			return st, err
		}
		if st.Payments, err = order.Payments(ctx, tx, k); err != nil {
			return st, err
		}
		if st.Refunds, err = order.Refunds(ctx, tx, k); err != nil {
			return st, err
		}
		if st.Disputes, err = order.Disputes(ctx, tx, st.Order); err != nil {
			return st, err
		}
		if st.Waits, err = waits(ctx, tx, k); err != nil {
			return st, err
		}
		e, found, err := line.GetESIM(ctx, tx, k.Account, st.Order.Line)
		if err != nil {
			return st, err
		}
		if found && e.Order == k.ID {
			st.NewLine = &e
		}
		st.Bills, err = billing.OfOrder(ctx, tx, k.Account, k.ID)
		return st, err
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	return e.Encode(story)
}

type orderListCmd struct {
	database
	State order.State `help:"Only orders in this state." enum:",placed,paid,fulfilling,completed,cancelled,refund_due,refunded,held" default:"" placeholder:"STATE"`
	Limit int         `default:"50" help:"How many at most."`
}

// Run prints a table.
func (c *orderListCmd) Run(ctx context.Context, s std) error {
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	orders, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) ([]order.Order, error) {
		return order.Newest(ctx, tx, c.State, min(max(c.Limit, 1), 1000))
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	for _, o := range orders {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", o.ID, o.State, o.Price, o.Tool, o.PlacedAt.Format(time.RFC3339), o.Reason)
	}
	return w.Flush()
}

// decision is what every decision by staff needs.
type decision struct {
	app.Config `embed:""`
	Order      string `arg:"" help:"The order, ord_…"`
	Why        string `required:"" help:"Why, for the trail." placeholder:"TEXT"`
	Staff      string `help:"Who decides; by default the user's name." placeholder:"NAME"`
}

// do opens the house with its adapters and lets decide act on the order.
func (c *decision) do(ctx context.Context, s std, decide func(context.Context, *order.Desk, order.Key, order.Act) (order.Order, error)) error {
	k, err := order.KeyOf(c.Order)
	if err != nil {
		return err
	}
	who := c.Staff
	if u, err := user.Current(); who == "" && err == nil {
		who = u.Username
	}
	a, err := app.Open(ctx, c.Config, app.Env{Now: time.Now, Random: rand.Reader, Log: logger(s.err, c.LogLevel)}, app.Real)
	if err != nil {
		return err
	}
	o, err := decide(ctx, a.Desk, k, order.Act{Staff: who, Reason: c.Why})
	if fault.KindOf(err) == fault.Internal {
		err = a.OfDemo(ctx, err)
	}
	if err = errors.Join(err, a.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, o.State)
	return err
}

type orderLookUpCmd struct{ decision }

// Run prints the state the order is in now; the running shop does the rest.
func (c *orderLookUpCmd) Run(ctx context.Context, s std) error {
	return c.do(ctx, s, func(ctx context.Context, d *order.Desk, k order.Key, a order.Act) (order.Order, error) {
		return d.LookAgain(ctx, k, a)
	})
}

type orderConfirmCmd struct {
	decision
	OperatorRef string `required:"" help:"The operator's reference: the proof." placeholder:"REF"`
	Profile     string `help:"Of a new line: the operator's own number of it." placeholder:"ID" and:"made"`
	ICCID       string `name:"iccid" help:"Of a new line: its ICCID." placeholder:"ICCID" and:"made"`
	Code        string `help:"Of a new line: what a phone installs it with." placeholder:"LPA:1$$…" and:"made"`
}

// Run prints the state the order is in now.
func (c *orderConfirmCmd) Run(ctx context.Context, s std) error {
	return c.do(ctx, s, func(ctx context.Context, d *order.Desk, k order.Key, a order.Act) (order.Order, error) {
		if c.Profile == "" {
			return d.Confirm(ctx, k, c.OperatorRef, a)
		}
		made := carrier.Issued{Ref: c.OperatorRef, Profile: carrier.Profile{ID: c.Profile, ICCID: c.ICCID}, Code: c.Code}
		return d.ConfirmLine(ctx, k, made, a)
	})
}

type orderRefundCmd struct {
	decision
	Amount string `help:"Part of what was paid in money for a completed order, for example 500 or 12.50, in the order's currency; by default all of it." placeholder:"AMOUNT"`
	To     string `help:"Where it goes: the way it came, the tool first; or all of it into the wallet, with the customer's consent, which --why must tell." enum:"source,wallet" default:"source"`
}

// Run prints the state the order is in now; the running shop sends the refund.
func (c *orderRefundCmd) Run(ctx context.Context, s std) error {
	return c.do(ctx, s, func(ctx context.Context, d *order.Desk, k order.Key, a order.Act) (order.Order, error) {
		o, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (order.Order, error) { return order.Get(ctx, tx, k) })
		if err != nil {
			return o, err
		}
		if o.State != order.Completed {
			if c.To != "source" {
				return o, fault.New(fault.Invalid, "Only what was paid for a completed order can go into the wallet. Leave --to out: it goes back the way it came.")
			}
			if c.Amount != "" {
				return o, fault.New(fault.Invalid, "Only a completed order can be refunded in part. Leave --amount out: all of it goes back.")
			}
			return d.GiveBack(ctx, k, a)
		}
		var part money.Money
		if c.Amount != "" {
			if part, err = money.Parse(c.Amount, o.Price.Currency); err != nil {
				return o, err
			}
		}
		if c.To == "wallet" {
			return d.RefundToWallet(ctx, k, part, a)
		}
		return d.RefundCompleted(ctx, k, part, a)
	})
}

type orderCancelESIMCmd struct{ decision }

// Run prints the state the order is in now. Where the operator does not answer, the
// running shop finds out what became of it.
func (c *orderCancelESIMCmd) Run(ctx context.Context, s std) error {
	return c.do(ctx, s, func(ctx context.Context, d *order.Desk, k order.Key, a order.Act) (order.Order, error) {
		state, err := d.Withdraw(ctx, k, a)
		if err == nil && state != order.WithdrawDone {
			err = fault.New(fault.Unavailable, "The operator did not answer. The running shop finds out what became of it, and the customer hears: do nothing now.")
		}
		if err != nil {
			return order.Order{}, err
		}
		return db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (order.Order, error) { return order.Get(ctx, tx, k) })
	})
}

type orderRefundAgainCmd struct {
	decision
	To string `help:"Where it goes: to the provider once more; or into the wallet, where the provider refuses for good, with the customer's consent, which --why must tell." enum:"source,wallet" default:"source"`
}

// Run prints the state the order is in now; the running shop sends the refund.
func (c *orderRefundAgainCmd) Run(ctx context.Context, s std) error {
	return c.do(ctx, s, func(ctx context.Context, d *order.Desk, k order.Key, a order.Act) (order.Order, error) {
		if c.To == "wallet" {
			return d.RefundAgainToWallet(ctx, k, a)
		}
		return d.RefundAgain(ctx, k, a)
	})
}

type orderHoldCmd struct{ decision }

// Run prints the state the order is in now.
func (c *orderHoldCmd) Run(ctx context.Context, s std) error {
	return c.do(ctx, s, func(ctx context.Context, d *order.Desk, k order.Key, a order.Act) (order.Order, error) {
		return d.Hold(ctx, k, a)
	})
}

type orderWriteOffCmd struct{ decision }

// Run prints the state the order is in, which does not change.
func (c *orderWriteOffCmd) Run(ctx context.Context, s std) error {
	return c.do(ctx, s, func(ctx context.Context, d *order.Desk, k order.Key, a order.Act) (order.Order, error) {
		return d.WriteOff(ctx, k, a)
	})
}

type orderDisputesCmd struct {
	database
	Limit int `default:"200" help:"How many at most, from 1 to 1000."`
}

// Run prints a table, those that must be answered soonest first, and what is owed in
// all. Nothing is printed where there is nothing.
func (c *orderDisputesCmd) Run(ctx context.Context, s std) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return fault.New(fault.Invalid, "--limit: give a number from 1 to 1000, not %d", c.Limit)
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	all, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) ([]order.Dispute, error) {
		return order.OpenDisputes(ctx, tx, c.Limit)
	})
	now := base.Now()
	if err = errors.Join(err, base.Close()); err != nil || len(all) == 0 {
		return err
	}
	return listDisputes(s.out, all, now, len(all) == c.Limit)
}

// listDisputes writes disputes as a table; more says that there may be others.
func listDisputes(out io.Writer, all []order.Dispute, now time.Time, more bool) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ANSWER BY\tSTATE\tAMOUNT\tOWED\tORDER\tPROVIDER\tDISPUTE\tREASON\tSEEN")
	owed := map[money.Currency]int64{}
	for _, d := range all {
		open := d.Open()
		owed[open.Currency] += open.Minor
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", answerBy(d, now), d.State, d.Amount, open, d.Order,
			d.Provider, cmp.Or(d.ProviderID, "-"), cmp.Or(d.Reason, "-"), d.OpenedAt.Format(time.DateOnly))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, c := range slices.Sorted(maps.Keys(owed)) {
		if owed[c] == 0 {
			continue
		}
		if _, err := fmt.Fprintf(out, "owed: %s\n", money.Of(owed[c], c)); err != nil {
			return err
		}
	}
	if more {
		_, err := fmt.Fprintln(out, "There may be more: give a larger --limit.")
		return err
	}
	return nil
}

// answerBy says until when the seller is heard; "-" where nobody is any more, or
// where the provider does not tell.
func answerBy(d order.Dispute, now time.Time) string {
	switch {
	case d.AnswerBy.IsZero() || d.State == payment.DisputeWon || d.State == payment.DisputeLost:
		return "-"
	case !now.Before(d.AnswerBy):
		return d.AnswerBy.Format(time.RFC3339) + " (over)"
	}
	return d.AnswerBy.Format(time.RFC3339)
}

type orderEvidenceCmd struct {
	database
	Order string `arg:"" help:"The order, ord_…"`
}

// Run prints plain text: as it is now, and as it was when each dispute was opened.
func (c *orderEvidenceCmd) Run(ctx context.Context, s std) error {
	k, err := order.KeyOf(c.Order)
	if err != nil {
		return err
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	text, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) (string, error) {
		o, err := order.Get(ctx, tx, k)
		if err != nil {
			return "", err
		}
		all, err := order.Disputes(ctx, tx, o)
		if err != nil {
			return "", err
		}
		text, err := order.Evidence(ctx, tx, k)
		for _, d := range all {
			text += fmt.Sprintf("\n=== When dispute %s was opened, %s (%s) ===\n%s", d.ProviderID, d.OpenedAt.Format(time.RFC3339), d.State, d.Evidence)
		}
		return text, err
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprint(s.out, text)
	return err
}
