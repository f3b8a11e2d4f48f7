package portal

import (
	"errors"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// owing is what a customer owes because a payment was taken back, what that stops,
// and where it is paid.
type owing struct {
	Lines    []string
	Link     string // "" where they are about to pay it
	LinkText string
}

// owing is nil where nothing is owed. Whoever has only a link is not told how much.
func (v *visit) owing(k keyhole, debts []order.Dispute) *owing {
	switch {
	case len(debts) == 0:
		return nil
	case k.limited():
		return &owing{
			Lines: []string{v.voice.T("owed.link"), v.voice.T(v.stops())}, Link: v.signInFor(k, "/wallet"), LinkText: v.voice.T("signin.title"),
		}
	}
	o := &owing{Link: "/wallet", LinkText: v.voice.T("owed.pay")}
	for _, m := range sums(debts) {
		o.Lines = append(o.Lines, v.voice.Say("owed.sum", locale.Args{"amount": m}))
	}
	o.Lines = append(o.Lines, v.voice.T(v.stops()), v.voice.T("owed.how"))
	return o
}

// sums is what is owed, one sum for each currency, in the order in which they came.
func sums(debts []order.Dispute) (all []money.Money) {
	at := map[money.Currency]int{}
	for _, d := range debts {
		i, ok := at[d.Amount.Currency]
		if !ok {
			i = len(all)
			at[d.Amount.Currency] = i
			all = append(all, money.Of(0, d.Amount.Currency))
		}
		all[i].Minor += d.Open().Minor
	}
	return all
}

// stops is the key of the text that says what a debt stops.
func (v *visit) stops() string {
	if v.server.Desk.Disputed == order.DisputeKeep {
		return "owed.keep"
	}
	return "owed.stop"
}

// stopped reports whether what is owed leaves no way to pay for an order of those
// parts. Elsewhere it leaves the tools that are entered then.
func (v *visit) stopped(debts []order.Dispute, kind order.Kind, p order.Parts) bool {
	ours := p.Wallet > 0 || p.Points > 0
	return len(debts) > 0 && kind != order.TopUp && (ours || v.server.Desk.Disputed != order.DisputeKeep)
}

// disputeLines say what became of the payment of an order. A bank that only asks has
// taken nothing, and is not told.
func (v *visit) disputeLines(all []order.Dispute) (lines []string) {
	for _, d := range all {
		if d.State != payment.DisputeAsked {
			lines = append(lines, v.voice.Say("order.disputed."+string(d.State), locale.Args{"amount": d.Amount}))
		}
	}
	return lines
}

// owes reports whether an order was refused because something is owed.
func owes(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Reason == "owes"
}
