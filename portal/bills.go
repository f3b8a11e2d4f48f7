package portal

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/ui"
)

// billPage is everything bill.html may use. What the document itself says does
// not change; only the words around it are in the reader's language.
type billPage struct {
	ui.Frame
	Kind         string
	Number       string
	Pending      bool // it has no number yet
	Date         string
	Recipient    string
	RecipientAt  string // their address, in several lines
	Seller       string
	Address      string
	SellerNumber string
	What         string
	Line         string
	Service      string
	Rate         string
	Reduced      bool
	Tax          string // "" for what is not taxed
	TaxLabel     string
	Amount       string // before points were taken off
	Discount     string // "" without one
	DiscountName string
	Given        string // points that went back, on a credit note
	Total        string
	Paid         string
	Of           *billLink // the document that a credit note is of; nil for others
	Order        string
}

// billPage shows one document, to be read and printed.
func (s *Server) billPage(ctx context.Context, v *visit) (answer, error) {
	id := v.r.PathValue("id")
	k, err := v.at(id)
	if err != nil {
		return answer{}, err
	}
	if k.limited() {
		return answer{}, errSignIn
	}
	var l line.Line
	var of billing.Bill
	b, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (billing.Bill, error) {
		b, err := billing.Get(ctx, tx, k.account, id)
		if err == nil && b.RefersTo != "" {
			of, err = billing.Get(ctx, tx, k.account, b.RefersTo)
		}
		if err != nil || b.Content.Line == "" {
			return b, err
		}
		found, err := line.Get(ctx, tx, k.account, b.Content.Line)
		if fault.KindOf(err) == fault.NotFound {
			return b, nil // the document outlives its line
		}
		l = found
		return b, err
	})
	if err != nil {
		return answer{}, err
	}
	return show("bill.html", v.bill(b, of, l)), nil
}

// bill shows a document, which may be of another one, and for a line; both may be zero.
func (v *visit) bill(b, of billing.Bill, l line.Line) billPage {
	zone := v.billZone(b)
	p := billPage{
		Kind: v.billKind(b), Number: v.billTitle(b), Pending: b.Number == 0, Date: v.voice.Day(b.IssuedAt, zone),
		Recipient: b.Content.Recipient, RecipientAt: b.Content.RecipientAddress, Seller: b.Content.Seller, Address: b.Content.SellerAddress,
		SellerNumber: b.Content.SellerNumber, What: v.voice.Billed(b.Content), Reduced: b.Content.Reduced,
		Rate: v.voice.T("bill.no_tax"), Total: v.voice.Money(b.Total), Order: b.Order,
		Amount: v.voice.Money(b.Total), Paid: v.voice.Say("bill.paid", locale.Args{"tool": v.paidWith(b)}),
	}
	v.addDiscount(&p, b)
	if b.Kind == billing.CreditNote {
		p.Paid = v.voice.Say("bill.returned", locale.Args{"tool": v.paidWith(b)})
	}
	if of.ID != "" {
		p.Of = &billLink{of.ID, v.billKind(of), v.billTitle(of)}
	}
	p.Frame = v.frame(p.Kind + " " + p.Number)
	if b.Kind == billing.Receipt {
		p.What = v.voice.T("bill.topup")
	}
	if b.Rate.Percent > 0 {
		rate := b.Rate.String()
		p.Rate, p.Tax = rate, v.voice.Money(b.Tax)
		p.TaxLabel = v.voice.Say("bill.tax", locale.Args{"rate": rate})
	}
	if l.ID != "" {
		p.Line = v.voice.Say("bill.line", locale.Args{"four": l.LastFour()})
	}
	from, err := time.Parse(time.RFC3339, b.Content.From)
	to, err2 := time.Parse(time.RFC3339, b.Content.To)
	if errors.Join(err, err2) == nil {
		p.Service = v.voice.Say("bill.service", locale.Args{
			"from": from.Format("2006-01-02 15:04:05"), "to": calendar.LastSecond(to).Format("2006-01-02 15:04:05 (-07:00)"),
		})
	}
	return p
}

// addDiscount says what points took off a price, or that they went back.
func (v *visit) addDiscount(p *billPage, b billing.Bill) {
	c := b.Content
	switch {
	case c.Points == 0:
	case b.Kind == billing.CreditNote:
		p.Given = v.voice.Say("bill.points_given", locale.Args{"points": c.Points})
	default:
		p.Amount = v.voice.Money(money.Of(b.Total.Minor+c.Discount, b.Total.Currency))
		p.Discount = v.voice.Money(money.Of(c.Discount, b.Total.Currency).Neg())
		p.DiscountName = v.voice.Say("bill.discount", locale.Args{"points": c.Points})
	}
}

// paidWith is what was paid with, with the amounts where there were two ways.
func (v *visit) paidWith(b billing.Bill) string {
	tool := v.voice.Tool(catalogue.Tool(b.Content.Tool))
	if b.Content.FromWallet == 0 {
		return tool
	}
	wallet := money.Of(b.Content.FromWallet, b.Total.Currency)
	return tool + " " + v.voice.Money(money.Of(b.Total.Minor-wallet.Minor, wallet.Currency)) +
		v.voice.T("list.comma") + v.voice.Tool(order.ToolWallet) + " " + v.voice.Money(wallet)
}

// billKind is what the document is called.
func (v *visit) billKind(b billing.Bill) string {
	if b.Kind == billing.Sale && b.Content.SellerNumber != "" {
		return v.voice.T("bill.kind.invoice")
	}
	return v.voice.T("bill.kind." + string(b.Kind))
}

func (v *visit) billTitle(b billing.Bill) string {
	if b.Number == 0 {
		return v.voice.T("bill.unnumbered")
	}
	return b.Title()
}

// billZone is the zone in which the document's date is read.
func (v *visit) billZone(b billing.Bill) *time.Location {
	loc, err := calendar.Zone(b.Content.Zone).Location()
	if err != nil {
		return v.shopZone()
	}
	return loc
}
