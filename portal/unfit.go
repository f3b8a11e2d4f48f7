package portal

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/ui"
)

// unfit is a way to pay that the shop has and that cannot pay now.
type unfit struct {
	Name    string
	Why     string
	Instead string // what can pay in its place; "" where nothing does
	Switch  string // "See prices in Chinese yuan (CNY)", with which it could; ""
	To      string // the page that has them
}

// elsewise is where the same can be chosen again in other currencies.
type elsewise struct {
	page   string // "/lines/…/renew"; "" where there is no such page
	priced []money.Currency
}

// asking is a price that the visitor is to pay, for a line of a plan; "" for a
// top-up.
func (v *visit) asking(q order.Quote, c *catalogue.Catalogue, plan string) order.Asking {
	return order.AskingFor(q, c, plan, v.account.Zone)
}

// unfits are the ways to pay that are not among those shown, with why.
func (v *visit) unfits(a order.Asking, shown []tool, again elsewise) (all []unfit) {
	if a.Quote.Price.IsZero() {
		return nil
	}
	for _, u := range v.server.Desk.Unoffered(a) {
		if slices.ContainsFunc(shown, func(t tool) bool { return t.Value == string(u.Rail) }) {
			continue // it says itself why it is off
		}
		w := v.unfit(u, a.Quote.Price.Currency)
		for _, c := range u.Currencies {
			if again.page != "" && w.To == "" && slices.Contains(again.priced, c) {
				w.Switch = v.voice.Say("tool.not.switch", locale.Args{"currency": v.voice.Currency(c)})
				w.To = again.page + "?" + url.Values{"currency": {string(c)}}.Encode()
			}
		}
		all = append(all, w)
	}
	return all
}

// unfit says in words why a way to pay cannot pay, and what can.
func (v *visit) unfit(u order.Unoffered, c money.Currency) unfit {
	w := unfit{Name: v.voice.Tool(catalogue.Tool(u.Rail)), Why: v.voice.NotOffered(u, c)}
	if u.Instead != "" {
		w.Instead = v.voice.Instead(u.Instead)
	}
	return w
}

// refuses fails, in the customer's words, if a form asks for a way to pay that is
// not offered: the page was old, or is not ours. What the policy refuses is said
// by the renewal rules; what the shop does not have, by the desk.
func (v *visit) refuses(a order.Asking, rail payment.Rail, with payWith) error {
	if with.saved != "" || a.Quote.Price.IsZero() || !v.voice.Now.Before(a.Quote.ExpiresAt) {
		return nil
	}
	for _, u := range v.server.Desk.Unoffered(a) {
		if u.Rail == rail && u.Why != order.RefusedByPolicy {
			return errUnfit{fault.Because(fault.Invalid, "tool_currency",
				"This way to pay does not take that currency or amount. Choose another one.", nil), v.unfit(u, a.Quote.Price.Currency)}
		}
	}
	return nil
}

// errUnfit is the refusal of a way to pay, with its words.
type errUnfit struct {
	error
	words unfit
}

// Unwrap lets its kind be found.
func (e errUnfit) Unwrap() error { return e.error }

// notice is what the page says to a form that was not served.
func (v *visit) notice(err error) ui.Notice {
	text := v.voice.Fault(err)
	if u, ok := errors.AsType[errUnfit](err); ok {
		text = v.voice.Say("tool.not.notice", locale.Args{"tool": u.words.Name, "why": u.words.Why, "instead": u.words.Instead})
	}
	return ui.Notice{Tone: ui.Bad, Text: strings.Join(strings.Fields(text), " ")} // without an instead
}
