package portal

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/ui"
)

// cancelPage is everything cancel.html may use: about a new line, or about a period that
// waits.
type cancelPage struct {
	ui.Frame
	Line   lineView
	What   string    // the period; "" where it is about the line
	Starts ui.Moment // of the period
	Why    string    // why it cannot be given back; empty: it can
	Waits  bool      // the operator was asked, and has not answered
	Back   []string  // what comes back, one sentence for each way
	Until  ui.Moment // until when, at most; zero: nothing is known

	Lead, Sure, Do string
	At             string // where it is done
	To, Keep       string // where one goes without
}

// canCancel reports whether a new line can be given back, as far as is known without
// asking its operator.
func (v *visit) canCancel(ctx context.Context, l line.Line) (can bool, err error) {
	err = v.server.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		k, err := order.BoughtWith(ctx, tx, l.Account, l.ID)
		if err == nil {
			_, err = v.server.Desk.Withdrawing(ctx, tx, k)
		}
		if can = err == nil; fault.KindOf(err) == fault.Conflict {
			return nil
		}
		return err
	})
	return can, err
}

// withdrawing is what giving a line back would come to, and how it stands.
type withdrawing struct {
	line  line.Line
	order order.Key
	what  order.Withdrawing
	no    error // why it cannot be
	state order.WithdrawState
}

func (v *visit) withdrawing(ctx context.Context) (w withdrawing, err error) {
	k, err := v.at(v.r.PathValue("id"))
	if err != nil {
		return w, err
	}
	if k.limited() {
		return w, errSignIn
	}
	err = v.server.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		w = withdrawing{}
		var err error
		if w.line, err = line.Get(ctx, tx, k.account, v.r.PathValue("id")); err != nil {
			return err
		}
		if w.order, err = order.BoughtWith(ctx, tx, k.account, w.line.ID); err == nil {
			w.state, err = order.WithdrawalState(ctx, tx, w.order)
		}
		if err == nil {
			w.what, err = v.server.Desk.Withdrawing(ctx, tx, w.order)
		}
		if fault.KindOf(err) == fault.Conflict {
			w.no = err
			return nil
		}
		return err
	})
	return w, err
}

// cancelView is the page about giving a line back.
func (v *visit) cancelView(w withdrawing) cancelPage {
	at := placeOf(v.shop, w.line.Plan)
	to := "/lines/" + w.line.ID
	p := cancelPage{
		Frame: v.frame(v.voice.T("cancel.title")), Line: v.lineView(w.line), Lead: v.voice.T("cancel.lead"), Sure: v.voice.T("cancel.sure"),
		Do: v.voice.T("cancel.do"), At: to + "/cancel", To: to, Keep: v.voice.T("renew.back"),
	}
	switch {
	case w.state == order.WithdrawAsked || w.state == order.WithdrawUnclear:
		p.Waits = true
		if w.state == order.WithdrawAsked {
			p.Refresh = 10
		}
	case w.no != nil:
		p.Why = v.voice.Fault(w.no)
	default:
		p.Back, p.Keep = v.comesBack(w.what.Returning()), v.voice.T("cancel.keep")
		if !w.what.Until.IsZero() {
			p.Until = v.voice.End(w.what.Until, at.loc)
		}
	}
	return p
}

// comesBack says what is given back, by each way.
func (v *visit) comesBack(w order.Returning) (all []string) {
	if w.Tool.Minor > 0 {
		all = append(all, v.voice.Say("cancel.back.tool", locale.Args{"amount": v.voice.Money(w.Tool), "tool": v.voice.Tool(w.Method)}))
	}
	if w.Wallet.Minor > 0 {
		all = append(all, v.voice.Say("cancel.back.wallet", locale.Args{"amount": v.voice.Money(w.Wallet)}))
	}
	if w.Points > 0 {
		all = append(all, v.voice.Say("cancel.back.points", locale.Args{"points": w.Points}))
	}
	return all
}

// cancelLinePage asks whether a new line is to be given back, and says what for.
func (s *Server) cancelLinePage(ctx context.Context, v *visit) (answer, error) {
	w, err := v.withdrawing(ctx)
	if err != nil {
		return answer{}, err
	}
	if w.state == order.WithdrawDone {
		return goTo("/orders/" + w.order.ID), nil
	}
	return show("cancel.html", v.cancelView(w)), nil
}

// cancelLine gives it back.
func (s *Server) cancelLine(ctx context.Context, v *visit) (answer, error) {
	w, err := v.withdrawing(ctx)
	if err != nil {
		return answer{}, err
	}
	if w.order.ID != "" && v.field("sure") != "1" {
		return goTo("/lines/" + w.line.ID + "/cancel"), nil
	}
	if w.order.ID == "" {
		return answer{template: "cancel.html", page: v.cancelView(w), status: fault.Conflict.Status()}, nil
	}
	state, err := s.Desk.Withdraw(ctx, w.order, order.Act{})
	kind := fault.KindOf(err)
	switch {
	case err == nil && state == order.WithdrawDone:
		return goTo("/orders/" + w.order.ID), nil
	case err == nil:
		return goTo("/lines/" + w.line.ID + "/cancel"), nil
	case kind != fault.Conflict && kind != fault.Unavailable:
		return answer{}, err
	}
	now, again := v.withdrawing(ctx)
	if again != nil {
		return answer{}, again
	}
	now.no = err
	p := v.cancelView(now)
	if !now.what.Order.CompletedAt.IsZero() && kind == fault.Unavailable {
		now.no = nil // it can be tried again
		p = v.cancelView(now)
		p.Notice = ui.Notice{Tone: ui.Bad, Text: v.voice.Fault(err)}
	}
	return answer{template: "cancel.html", page: p, status: kind.Status()}, nil
}
