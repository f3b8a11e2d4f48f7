package portal

import (
	"strconv"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
)

// division is how a price is divided among points, the wallet and a tool, and
// what the customer may change about it.
type division struct {
	Choices  []divider
	Rows     []partRow
	Points   int64 // as the form sends them
	Discount int64
	Wallet   int64
}

// divider is one thing that may pay a part, as a checkbox.
type divider struct {
	Name    string // of the field in the address
	Text    string
	Note    string
	Checked bool
}

// partRow is one part in words.
type partRow struct{ Name, Amount string }

// The fields with which a customer says what should pay first.
const (
	usePoints = "use_points"
	useWallet = "use_wallet"
)

// divide says what would pay a quote, as the customer has chosen, and what they
// may choose. With a link only a tool pays.
func (v *visit) divide(k keyhole, q quoted, accepted []catalogue.Tool) (order.Parts, division) {
	desk, rule, price := v.server.Desk, q.catalogue.Seller.Points, q.quote.Price
	if k.limited() || q.quote.Kind == order.TopUp || len(q.debts) > 0 {
		return order.Parts{Rest: price.Minor}, division{}
	}
	purse := order.Purse{
		Points: q.points, Wallet: q.wallet,
		UsePoints: v.r.FormValue(usePoints) != "", UseWallet: v.r.FormValue(useWallet) != "",
	}
	var d division
	all := purse
	all.UsePoints, all.UseWallet = true, false
	if most := desk.Divide(q.quote, rule, accepted, all); most.Points > 0 {
		d.Choices = append(d.Choices, divider{
			Name: usePoints, Checked: purse.UsePoints,
			Text: v.voice.Say("review.use_points", locale.Args{"points": most.Points, "amount": money.Of(most.Discount, price.Currency)}),
			Note: v.voice.Say("review.use_points.note", locale.Args{"points": q.points}),
		})
	}
	all.UsePoints, all.UseWallet = purse.UsePoints, true
	most := desk.Divide(q.quote, rule, accepted, all)
	if most.Wallet > 0 && most.Rest > 0 {
		d.Choices = append(d.Choices, divider{
			Name: useWallet, Checked: purse.UseWallet,
			Text: v.voice.Say("review.use_wallet", locale.Args{"amount": money.Of(most.Wallet, price.Currency)}),
			Note: v.voice.Say("review.use_wallet.note", locale.Args{"balance": q.wallet}),
		})
	} else {
		purse.UseWallet = false // it can pay everything, or nothing
	}
	p := desk.Divide(q.quote, rule, accepted, purse)
	d.Points, d.Discount, d.Wallet = p.Points, p.Discount, p.Wallet
	d.Rows = v.partRows(p, price.Currency, "")
	return p, d
}

// partRows says the parts of a price where there are several; tool pays the rest,
// if it is known already.
func (v *visit) partRows(p order.Parts, c money.Currency, tool catalogue.Tool) (rows []partRow) {
	if p.Points > 0 {
		rows = append(rows, partRow{
			v.voice.Say("parts.points", locale.Args{"points": p.Points}), v.voice.Money(money.Of(p.Discount, c).Neg()),
		})
	}
	if p.Points == 0 && (p.Wallet == 0 || p.Rest == 0) {
		return nil // one thing pays everything
	}
	if p.Wallet > 0 {
		rows = append(rows, partRow{v.voice.T("parts.wallet"), v.voice.Money(money.Of(p.Wallet, c))})
	}
	if p.Rest > 0 {
		name := v.voice.T("parts.rest")
		if tool != "" {
			name = v.voice.Tool(tool)
		}
		rows = append(rows, partRow{name, v.voice.Money(money.Of(p.Rest, c))})
	}
	return rows
}

// payWords are the button's: what leaves the customer's pockets.
func (v *visit) payWords(p order.Parts, c money.Currency) string {
	rest, wallet := money.Of(p.Rest, c), money.Of(p.Wallet, c)
	switch {
	case p.Wallet > 0 && p.Rest > 0:
		return v.voice.Say("review.pay_parts", locale.Args{"rest": rest, "wallet": wallet})
	case p.Wallet+p.Rest == 0 && p.Points > 0:
		return v.voice.Say("review.pay_points", locale.Args{"points": p.Points})
	}
	return v.voice.Say("review.pay", locale.Args{"amount": money.Of(p.Wallet+p.Rest, c)})
}

// ownTool is the one way to pay where nothing is left for a provider.
func (v *visit) ownTool(p order.Parts) tool {
	name := order.ToolWallet
	if p.Wallet == 0 {
		name = order.ToolPoints
	}
	return tool{Value: string(name), Name: v.voice.Tool(name), Note: v.voice.T("tool.here.note"), Chosen: true}
}

// parts are those that the form confirms. Where the wallet was chosen as the tool
// it pays the rest.
func (v *visit) parts(a order.Acceptance) (order.Parts, error) {
	var p order.Parts
	for name, field := range map[string]*int64{"points": &p.Points, "discount": &p.Discount, "wallet": &p.Wallet} {
		typed := v.field(name)
		if typed == "" {
			continue
		}
		n, err := strconv.ParseInt(typed, 10, 64)
		if err != nil || n < 0 || n > money.MaxMinor {
			return p, fault.Because(fault.Conflict, "amount_differs",
				"The confirmed amount is not the offer's. Reload the page and look again.", nil)
		}
		*field = n
	}
	if p == (order.Parts{}) {
		return p, nil
	}
	p.Rest = a.Amount.Minor - p.Discount - p.Wallet
	if a.Tool == order.ToolWallet && p.Rest > 0 {
		p.Wallet, p.Rest = p.Wallet+p.Rest, 0
	}
	return p, nil
}
