package portal

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/ui"
)

// purse is what the visitor may pay with besides what they enter now: with a
// session the account's saved tools, with a link alone nothing, unless the
// customer allows one-tap payment with one of them or the wallet.
type purse struct {
	saved  []order.SavedTool
	oneTap bool // with a link: something is allowed
	tap    order.OneTap
	left   money.Money // through this link
}

func (v *visit) purse(ctx context.Context, tx db.Tx, k keyhole, quote string) (p purse, err error) {
	if k.limited() {
		p.tap, p.left, p.oneTap, err = order.OneTapLeft(ctx, tx, k.account, k.link, quote)
		if err != nil || !p.oneTap || p.tap.Wallet() {
			return p, err
		}
	}
	all, err := order.SavedTools(ctx, tx, k.account)
	for _, t := range v.server.Desk.Chargeable(all) {
		if !k.limited() || t.ID == p.tap.Tool {
			p.saved = append(p.saved, t)
		}
	}
	return p, err
}

// allows reports whether a link may pay a price with a saved tool, or with the
// wallet, which is "".
func (p purse) allows(tool string, price money.Money) bool {
	return p.oneTap && p.tap.Tool == tool && price.Currency == p.left.Currency && price.Minor <= p.left.Minor
}

// savedTools are the account's saved tools as ways to pay. A link shows none
// with which it may not pay.
func (v *visit) savedTools(q order.Quote, accepted []catalogue.Tool, has purse) (all []tool) {
	for _, saved := range has.saved {
		rail := catalogue.Tool(saved.Rail)
		t := tool{Value: savedPrefix + saved.ID, Name: saved.Label, Note: v.voice.T("tool.saved.note")}
		switch {
		case has.oneTap && !has.allows(saved.ID, q.Price), !v.server.Desk.Providers[saved.Provider].Limits().Takes(saved.Rail, q.Price):
			continue
		case len(accepted) > 0 && !slices.Contains(accepted, rail):
			t.Off, t.Note = true, v.voice.T("tool.refused.note")
		case has.oneTap:
			t.Note = v.oneTapNote(has)
		}
		all = append(all, t)
	}
	return all
}

func (v *visit) oneTapNote(has purse) string {
	return v.voice.Say("tool.onetap.note", locale.Args{"left": has.left})
}

// rail is by which rail a way to pay of a form pays.
func (p purse) rail(value string) payment.Rail {
	id, ok := strings.CutPrefix(value, savedPrefix)
	if !ok {
		return payment.Rail(value)
	}
	for _, t := range p.saved {
		if t.ID == id {
			return t.Rail
		}
	}
	return ""
}

// savedPrefix tells a saved tool from a rail in a form.
const savedPrefix = "saved:"

// payWith is how the chosen tool is used.
type payWith struct {
	saved string // the saved tool that is charged
	keep  bool   // the customer agreed that what they enter is kept
}

// chosen is what the form says about paying. A saved tool must be one that the
// visitor was shown.
func (v *visit) chosen(k keyhole, has purse) (catalogue.Tool, payWith, error) {
	value := v.field("tool")
	id, ok := strings.CutPrefix(value, savedPrefix)
	if !ok {
		return catalogue.Tool(value), payWith{keep: v.field("keep") == "1" && !k.limited()}, nil
	}
	for _, t := range has.saved {
		if t.ID == id {
			return catalogue.Tool(t.Rail), payWith{saved: id}, nil
		}
	}
	if k.limited() {
		return "", payWith{}, errLinkTool()
	}
	return "", payWith{}, fault.Because(fault.Invalid, "tool_off", "This saved way to pay can no longer be used. Choose another one.", nil)
}

func errLinkTool() error {
	return fault.Because(fault.Denied, "link_tool",
		"With this link you can pay only with a tool that you enter now. Sign in to use your wallet, points and saved tools.", nil)
}

// takeOneTap counts what a link is about to pay with the customer's own money
// against what they allow; a tool that is entered now needs no allowance.
func (s *Server) takeOneTap(ctx context.Context, k keyhole, quote string, tool catalogue.Tool, saved string) error {
	if !k.limited() || saved == "" && tool != order.ToolWallet {
		return nil
	}
	return s.Desk.TakeOneTap(ctx, k.account, k.link, quote, saved)
}

// keepWords are what the customer agrees to by ticking the box, "" where
// nothing of what is offered can be kept. Whoever has only a link keeps nothing:
// the account may not be theirs.
func (v *visit) keepWords(k keyhole, offered []tool) string {
	can := slices.ContainsFunc(offered, func(t tool) bool { return t.Keeps && !t.Off })
	if !can || k.limited() {
		return ""
	}
	return v.voice.Say("consent."+order.KeepConsent, locale.Args{"seller": v.frame("").Shop})
}

// signInFor is where the holder of a link signs in and comes back with their
// wallet and saved tools; "" for who has signed in. It says nothing about
// whether there are any.
func (v *visit) signInFor(k keyhole, page string) string {
	if !k.limited() {
		return ""
	}
	return "/sign-in?" + url.Values{"next": {page}}.Encode()
}

// savedRow is one saved tool on the account's page.
type savedRow struct {
	ID, Label, Since, Note string
	Off                    bool // it cannot be charged any more
}

// oneTapForm is everything about one-tap payment on the account's page.
type oneTapForm struct {
	Now        string // what is allowed; "": nothing
	Words      string // what the customer agrees to
	Tools      []ui.Choice
	Currencies []ui.Choice
	Amount     string
	Error      string
}

// savedRows lists the saved tools, those that are of no more use with the reason.
func (v *visit) savedRows(all []order.SavedTool) (rows []savedRow) {
	for _, t := range all {
		row := savedRow{ID: t.ID, Label: t.Label, Since: v.voice.Say("tools.since", locale.Args{"date": v.voice.Day(t.Consent.At, v.shopZone())})}
		switch {
		case t.Expired(v.voice.Now):
			row.Off, row.Note = true, v.voice.T("tools.expired")
		case !t.GoneAt.IsZero(), len(v.server.Desk.Chargeable([]order.SavedTool{t})) == 0:
			row.Off, row.Note = true, v.voice.T("tools.gone")
		case !t.UsedAt.IsZero():
			row.Note = v.voice.Say("tools.used", locale.Args{"date": v.voice.Day(t.UsedAt, v.shopZone())})
		}
		rows = append(rows, row)
	}
	return rows
}

// oneTapForm is nil where there is nothing that a link could pay with.
func (v *visit) oneTapForm(saved []order.SavedTool, tap order.OneTap, allowed bool) *oneTapForm {
	f := &oneTapForm{Words: v.voice.T("consent." + order.OneTapConsent)}
	if v.server.Desk.Wallet != order.WalletOff {
		f.Tools = append(f.Tools, ui.Choice{Value: walletTap, Name: v.voice.Tool(order.ToolWallet), Chosen: allowed && tap.Wallet()})
	}
	for _, t := range v.server.Desk.Chargeable(saved) {
		f.Tools = append(f.Tools, ui.Choice{Value: t.ID, Name: t.Label, Chosen: allowed && t.ID == tap.Tool})
	}
	if len(f.Tools) == 0 && !allowed {
		return nil
	}
	currency := v.shop.Seller.BaseCurrency
	if allowed {
		currency, f.Amount = tap.Limit.Currency, tap.Limit.Decimal()
		name := v.voice.Tool(order.ToolWallet)
		if i := slices.IndexFunc(saved, func(t order.SavedTool) bool { return t.ID == tap.Tool }); i >= 0 {
			name = saved[i].Label
		}
		f.Now = v.voice.Say("onetap.now", locale.Args{"tool": name, "limit": tap.Limit})
	}
	for _, c := range walletCurrencies {
		f.Currencies = append(f.Currencies, ui.Choice{Value: string(c), Name: v.voice.Currency(c), Chosen: c == currency})
	}
	return f
}

// walletTap is the wallet in the form of one-tap payment.
const walletTap = "wallet"

// removeTool ends the consent to one saved tool.
func (s *Server) removeTool(ctx context.Context, v *visit) (answer, error) {
	if err := s.Desk.RemoveTool(ctx, order.Key{Account: v.account.ID, ID: v.field("tool")}); err != nil {
		return answer{}, err
	}
	return goTo("/account?" + url.Values{"removed": {"1"}}.Encode() + "#tools"), nil
}

// oneTap allows one-tap payment, or ends it.
func (s *Server) oneTap(ctx context.Context, v *visit) (answer, error) {
	if v.field("end") != "" {
		if err := s.Desk.EndOneTap(ctx, v.account.ID); err != nil {
			return answer{}, err
		}
		return goTo("/account?" + url.Values{"saved": {"1"}}.Encode() + "#tools"), nil
	}
	tool := v.field("tool")
	if tool == walletTap {
		tool = ""
	}
	limit, err := readAmount(v.field("amount"), money.Currency(v.field("currency")))
	if err == nil && v.field("agree") != "1" {
		err = fault.Because(fault.Invalid, "one_tap_agree", "Tick the box to say that you agree, or leave it as it is.", nil)
	}
	if err == nil {
		err = s.Desk.AllowOneTap(ctx, v.account.ID, tool, limit, string(v.voice.Lang))
	}
	if err != nil {
		return answer{}, err
	}
	return goTo("/account?" + url.Values{"saved": {"1"}}.Encode() + "#tools"), nil
}
