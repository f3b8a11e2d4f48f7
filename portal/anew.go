package portal

import (
	"context"
	"slices"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// What pays an order is part of what its customer has confirmed, and never changes. Who
// would rather pay from the wallet gives it up, and confirms the same anew.

// fromWallet offers that for an order that waits for a tool's money; "" where the wallet
// cannot pay it.
func (v *visit) fromWallet(k keyhole, t told, ask order.Asking) string {
	o := t.order
	refused := len(ask.Accepted) > 0 && !slices.Contains(ask.Accepted, order.ToolWallet)
	if k.limited() || refused || v.server.Desk.Wallet == order.WalletOff || o.State != order.Placed || o.Kind == order.TopUp || o.Basket != "" ||
		t.wallet.Minor < o.Rest().Minor {
		return ""
	}
	return v.voice.Say("order.page.from_wallet", locale.Args{"balance": t.wallet})
}

// chooseAnew gives an order up, closing what was begun with its tool, and fixes the price
// of the same once more. Where that is not sold any more, its customer chooses.
func (s *Server) chooseAnew(ctx context.Context, v *visit) (answer, error) {
	k, t, err := v.told(ctx)
	if err == nil && k.limited() {
		err = errSignIn
	}
	if err == nil {
		err = v.mayBuy(ctx, k)
	}
	if err != nil {
		return answer{}, err
	}
	o := t.order
	if v.fromWallet(k, t, v.askingFor(t)) == "" {
		return goTo(pathOf(o)), nil
	}
	done, err := s.Desk.Cancel(ctx, o.Ref())
	if fault.KindOf(err) == fault.Conflict {
		return v.notGivenUp(ctx, k, t, err)
	}
	if err != nil || done.State != order.Cancelled { // it turned out to be paid
		return goTo(pathOf(o)), err
	}
	var q order.Quote
	if o.Kind == order.NewLine {
		q, err = s.Desk.QuoteNew(ctx, o.Account, o.Plan, o.Item, o.Price.Currency)
	} else {
		q, err = s.Desk.Quote(ctx, o.Account, o.Line, renewal.Item{Kind: renewal.Kind(o.Kind), Plan: o.Plan, ID: o.Item}, o.Price.Currency)
	}
	switch fault.KindOf(err) {
	case "":
		return goTo("/quotes/" + q.ID), nil
	case fault.Invalid, fault.Conflict, fault.Unavailable, fault.NotFound:
		return goTo(chosenAt(o)), nil
	case fault.Denied, fault.TooMany, fault.Internal:
	}
	return answer{}, err
}

// chosenAt is where something else is chosen than an order was for.
func chosenAt(o order.Order) string {
	switch {
	case o.Kind == order.NewLine:
		return planAddress(o.Plan)
	case o.Line != "":
		return "/lines/" + o.Line + "/renew"
	}
	return "/wallet"
}

// notGivenUp is the page of an order that cannot be given up, with why; or where it stands,
// if it went on meanwhile.
func (v *visit) notGivenUp(ctx context.Context, k keyhole, t told, no error) (answer, error) {
	_, now, err := v.told(ctx)
	if err != nil || now.order.State != order.Placed || now.order.Basket != "" {
		return goTo(pathOf(t.order)), err
	}
	p := v.story(k, now)
	p.Notice = ui.Notice{Tone: ui.Bad, Text: v.voice.Fault(no)}
	return answer{template: "order.html", page: p, status: fault.Conflict.Status()}, nil
}
