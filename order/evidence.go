package order

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
)

// Evidence puts together, as plain text in English for a bank, what shows that an
// order was accepted, paid and delivered. Every time is UTC. It fails with
// [fault.NotFound].
func Evidence(ctx context.Context, tx db.Tx, k Key) (string, error) {
	o, err := Get(ctx, tx, k)
	if err != nil {
		return "", err
	}
	var w report
	w.title("Order " + o.ID)
	w.say("bought", o.WhatFor())
	w.say("price", o.Price.String())
	w.say("paid with", string(o.Tool))
	w.say("state", string(o.State))
	w.say("terms accepted", fmt.Sprintf("version %d of the catalogue, shown on the review page with its rules", o.Catalogue))
	w.title("What happened")
	w.at("accepted", o.PlacedAt)
	w.at("paid", o.PaidAt)
	w.at("sent to the operator", o.AskedAt)
	w.at("completed", o.CompletedAt)
	for _, part := range []func(context.Context, db.Tx, Order) error{w.payments, w.delivery, w.documents, w.messages} {
		if err := part(ctx, tx, o); err != nil {
			return "", err
		}
	}
	return w.String(), nil
}

// report is text that is written section by section.
type report struct{ strings.Builder }

func (w *report) title(t string) { fmt.Fprintf(w, "\n%s\n", t) }

func (w *report) say(what, value string) {
	if value != "" {
		fmt.Fprintf(w, "- %s: %s\n", what, value)
	}
}

func (w *report) at(what string, t time.Time) {
	if !t.IsZero() {
		w.say(what, t.UTC().Format(time.RFC3339))
	}
}

func (w *report) payments(ctx context.Context, tx db.Tx, o Order) error {
	paid, err := paymentsFor(ctx, tx, o)
	if err != nil {
		return err
	}
	w.title("Payment")
	for _, p := range paid {
		w.say(string(p.Rail), fmt.Sprintf("%s of %s, %s at %s, from address %s", p.given, p.Amount, p.MoneyID, p.Provider, p.ClientIP))
	}
	back, err := Refunds(ctx, tx, o.Ref())
	for _, r := range back {
		w.say("refund", fmt.Sprintf("%s, %s", r.Amount, r.State))
	}
	return err
}

// delivery is what the operator gave, and what was used of it.
func (w *report) delivery(ctx context.Context, tx db.Tx, o Order) error {
	w.title("Delivery")
	if o.Kind == NewLine && o.State != Completed {
		return nil // there is no line
	}
	if o.Line == "" {
		if o.State == Completed {
			w.say("credited", "the amount was put into the customer's wallet, or paid what they owed")
		}
		return nil
	}
	l, err := line.Get(ctx, tx, o.Account, o.Line)
	if err != nil {
		return err
	}
	w.say("line", l.ID+", ICCID "+l.ICCID)
	w.say("operator's reference", o.OperatorRef)
	periods, err := line.Periods(ctx, tx, o.Account, o.Line)
	if err != nil {
		return err
	}
	for _, p := range periods {
		if p.Order == o.ID {
			w.say("period", fmt.Sprintf("%d, from %s to %s, %s", p.Number, p.StartsAt.UTC().Format(time.RFC3339), p.EndsAt.UTC().Format(time.RFC3339), p.State))
		}
	}
	if !l.Usage.AsOf.IsZero() && l.Usage.AsOf.After(o.PaidAt) {
		w.say("used", fmt.Sprintf("%d bytes as of %s, after the purchase", l.Usage.Used, l.Usage.AsOf.UTC().Format(time.RFC3339)))
	}
	return nil
}

func (w *report) documents(ctx context.Context, tx db.Tx, o Order) error {
	bills, err := billing.OfOrder(ctx, tx, o.Account, o.ID)
	w.title("Documents")
	for _, b := range bills {
		w.say(string(b.Kind), b.Title()+", "+b.Total.String())
	}
	return err
}

func (w *report) messages(ctx context.Context, tx db.Tx, o Order) error {
	sent, err := message.List(ctx, tx, o.Account, message.MaxListed, "")
	w.title("Messages to the customer")
	for _, m := range sent {
		if m.Order == o.ID {
			w.say(string(m.Kind), string(m.State)+", queued "+m.CreatedAt.UTC().Format(time.RFC3339))
		}
	}
	return err
}
