package portal

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// reviewPage is everything review.html may use: all that the customer must
// know before they pay.
type reviewPage struct {
	ui.Frame
	ID           string
	Line         lineView // without ID for a top-up and a new line
	New          bool     // a new line
	Lasts        string   // of a new line: how long, from when it begins
	InstallBy    ui.Moment
	DeadlineNote string // what happens then
	Plan         string
	PlanID       string
	What         string
	Starts       ui.Moment
	Begins       string
	Ends         ui.Moment
	Effect       string
	Unused       string
	Price        string
	Tax          string
	Converted    string // from what and how; "" where the price stands in the list
	Points       string
	Refund       string
	Identity     string // what was checked, and how long it is kept; "": the plan asks for nothing
	Stands       ui.Moment
	Amount       int64 // what is confirmed, as the form sends it: minor units
	Currency     string
	Division     division
	Tools        []tool
	Unfit        []unfit
	Keep         string // the words by which the customer may agree that a tool is kept; "": nothing can be
	SignIn       string // where a link's holder signs in for more tools
	CanPay       bool
	Pay          string // the button's words
	Expired      bool
	Again        string // where another offer is chosen
	Owing        *owing
	Stopped      bool // nothing can pay
}

// tool is one way to pay, as a radio button.
type tool struct {
	Value    string
	Name     string
	Note     string
	Link     string // what helps where it is Off
	LinkText string
	Off      bool
	Chosen   bool
	Keeps    bool // what is entered can be kept for the next time
}

// quoted is a quote with what it was made from.
type quoted struct {
	quote     order.Quote
	catalogue *catalogue.Catalogue // the quote's version
	situation renewal.Situation    // zero for a top-up
	wallet    money.Money
	points    int64
	purse     purse
	accepted  string // the order that it became; ""
	debts     []order.Dispute
	priced    []money.Currency // in which the line can be renewed, or bought
}

// ownMoney is what of the account's own may pay: its wallet and its saved tools, and
// neither of them while something is owed.
func (q quoted) ownMoney() (wallet *money.Money, has purse) {
	if len(q.debts) > 0 {
		return nil, purse{}
	}
	return &q.wallet, q.purse
}

// reviewPage shows a quote before it is accepted.
func (s *Server) reviewPage(ctx context.Context, v *visit) (answer, error) {
	k, q, err := v.quoted(ctx)
	if err != nil {
		return answer{}, err
	}
	if q.accepted != "" {
		return goTo("/orders/" + q.accepted), nil
	}
	return show("review.html", v.review(k, q)), nil
}

func (v *visit) quoted(ctx context.Context) (keyhole, quoted, error) {
	id := v.r.PathValue("id")
	k, err := v.at(id)
	if err != nil {
		return k, quoted{}, err
	}
	q, err := v.readQuote(ctx, k, id)
	return k, q, err
}

// readQuote reads a quote with what it was made from.
func (v *visit) readQuote(ctx context.Context, k keyhole, id string) (quoted, error) {
	return db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (q quoted, err error) {
		if q.quote, err = order.GetQuote(ctx, tx, k.account, id); err != nil {
			return q, err
		}
		if err := k.shows(q.quote.Line); err != nil {
			return q, err
		}
		if q.catalogue, err = v.server.Shelf.At(ctx, tx, q.quote.Catalogue); err != nil {
			return q, err
		}
		o, found, err := order.ByQuote(ctx, tx, k.account, id)
		if err != nil {
			return q, err
		}
		if found {
			q.accepted = o.ID
		}
		if q.quote.Kind == order.NewLine {
			if _, q.situation, err = v.server.Desk.WithoutLine(ctx, tx, k.account, q.quote.Price.Currency); err != nil {
				return q, err
			}
			q.situation.Line.Plan = q.quote.Plan
			q.situation.Catalogue, q.situation.Rate = q.catalogue, q.quote.Exchange.Rate
		} else if q.quote.Kind != order.TopUp {
			if q.situation, err = v.server.Desk.Situation(ctx, tx, k.account, q.quote.Line, q.quote.Price.Currency, ""); err != nil {
				return q, err
			}
			q.situation.Catalogue, q.situation.Rate = q.catalogue, q.quote.Exchange.Rate
		}
		if q.quote.Kind != order.TopUp {
			if q.priced, err = order.PricedIn(ctx, tx, q.catalogue, q.situation.Line.Plan); err != nil {
				return q, err
			}
		}
		if q.purse, err = v.purse(ctx, tx, k, id); err != nil {
			return q, err
		}
		if q.wallet, err = ledger.Balance(ctx, tx, k.account, ledger.Wallet, q.quote.Price.Currency); err != nil {
			return q, err
		}
		if q.debts, err = order.Debts(ctx, tx, k.account); err != nil {
			return q, err
		}
		points, err := ledger.Balance(ctx, tx, k.account, ledger.Points, money.Points)
		q.points = points.Minor
		return q, err
	})
}

func (v *visit) review(k keyhole, q quoted) reviewPage {
	quote := q.quote
	p := reviewPage{
		Frame: v.frame(v.voice.T("review.title")), ID: quote.ID, Price: v.voice.Money(quote.Price),
		Amount: quote.Price.Minor, Currency: string(quote.Price.Currency),
		Stands: v.voice.Moment(quote.ExpiresAt, v.shopZone()), Again: "/wallet", Refund: v.voice.T("refundable.topup"),
		Expired: !v.voice.Now.Before(quote.ExpiresAt),
	}
	ask := v.asking(quote, q.catalogue, q.situation.Line.Plan)
	if p.Owing = v.owing(k, q.debts); p.Owing != nil && quote.Kind == order.TopUp {
		p.Owing.Link = "" // it is being paid
	}
	p.Stopped = v.stopped(q.debts, quote.Kind, order.Parts{})
	parts, division := v.divide(k, q, ask.Accepted)
	if p.Division = division; quote.Kind != order.TopUp {
		v.addPurchase(&p, q, money.Of(quote.Price.Minor-parts.Discount, quote.Price.Currency))
	}
	p.Pay = v.payWords(parts, quote.Price.Currency)
	ask.Quote.Price.Minor = parts.Rest
	p.Tools = v.toolsFor(k, q, ask, parts)
	p.Unfit = v.unfits(ask, p.Tools, elsewise{p.Again, q.priced})
	p.Keep, p.SignIn = v.keepWords(k, p.Tools), v.signInFor(k, "/quotes/"+quote.ID)
	for i := range p.Tools {
		if !p.Tools[i].Off {
			p.Tools[i].Chosen, p.CanPay = true, true
			break
		}
	}
	return p
}

// toolsFor are the ways to pay the rest of a quote, which is what is asked for.
func (v *visit) toolsFor(k keyhole, q quoted, rest order.Asking, p order.Parts) []tool {
	wallet, has := q.ownMoney()
	if p.Rest == 0 && q.quote.Price.Minor > 0 {
		return []tool{v.ownTool(p)}
	}
	if p.Wallet > 0 {
		wallet = nil // it pays its part already
	}
	return v.tools(k, rest, wallet, has)
}

// addPurchase says what is bought for a line; charged is what is paid in money.
func (v *visit) addPurchase(p *reviewPage, q quoted, charged money.Money) {
	quote, line := q.quote, q.situation.Line
	own := placeOf(q.catalogue, line.Plan)
	sold, _ := q.catalogue.Plan(quote.Plan)
	item := renewal.Item{Kind: renewal.Kind(quote.Kind), Plan: quote.Plan, ID: quote.Item}
	p.Plan, p.PlanID, p.What = v.voice.PlanName(q.catalogue, quote.Plan), quote.Plan, v.voice.ItemName(q.catalogue, item)
	p.Stands = v.voice.Moment(quote.ExpiresAt, own.loc)
	v.addPaperwork(p, q, sold, charged)
	if quote.Kind == order.NewLine {
		v.newLineTerms(p, q, own)
		if within := v.server.Desk.HandWithinNew(q.catalogue, sold, quote.Item); within > 0 {
			p.Begins = v.voice.ByHandWithin(within)
		}
		p.Refund = v.voice.T("new.refund." + string(own.plan.Policy.Refund))
		return
	}
	p.Line, p.Again = v.lineView(line), "/lines/"+line.ID+"/renew"
	p.Ends = v.voice.End(quote.EndsAt, own.loc)
	if quote.StartsAt.After(v.voice.Now) {
		p.Starts, p.Begins = v.voice.Moment(quote.StartsAt, own.loc), v.voice.T("review.begins.later")
	} else {
		p.Begins = v.voice.T("review.begins.now")
	}
	if within := v.server.Desk.HandWithin(q.catalogue, line); within > 0 {
		p.Begins = v.voice.ByHandWithin(within)
	}
	offer, no := renewal.Decide(q.situation, item)
	if no != nil { // accepting it will say why not
		offer = renewal.Offer{Item: item, Refund: own.plan.Policy.Refund, Revives: !quote.CreatedAt.Before(line.EndsAt)}
	}
	offer.Effect, offer.StartsAt, offer.EndsAt = quote.Effect, quote.StartsAt, quote.EndsAt
	p.Effect, p.Refund = offer.EffectText(v.voice.Lang, own.loc), offer.RefundText(v.voice.Lang, own.loc)
	if no == nil && quote.Kind == order.Term {
		p.Unused = offer.UnusedText(v.voice.Lang, own.op.GB)
	}
}

// addPaperwork says what the price was converted from, how much of it is tax, and
// what it earns.
func (v *visit) addPaperwork(p *reviewPage, q quoted, sold catalogue.Plan, charged money.Money) {
	if x := q.quote.Exchange; x != (order.Exchange{}) {
		p.Converted = v.voice.Say("review.converted", locale.Args{"list": x.List, "rate": v.voice.Rate(x.Rate, q.catalogue.Seller.Exchange.Margin)})
	}
	if sold.Policy.Identity {
		p.Identity = v.voice.T("identity.checked") + " " + v.sentence(sold, "identity.kept.")
	}
	p.Tax = v.taxIn(q.catalogue.Seller, sold.TaxClass, charged)
	if points := q.catalogue.Seller.Points.Earned(charged); points > 0 {
		p.Points = v.voice.Money(money.Of(points, money.Points))
	}
}

// taxIn says how much of a price is tax, as the bill will.
func (v *visit) taxIn(s catalogue.Seller, class string, price money.Money) string {
	i := slices.IndexFunc(s.Taxes, func(t catalogue.TaxClass) bool { return t.ID == class })
	if i < 0 || s.Taxes[i].Percent == 0 {
		return v.voice.T("review.tax.none")
	}
	t := s.Taxes[i]
	rate := billing.Rate{Class: t.ID, Percent: t.Percent, Scale: max(1, t.Scale), Reduced: t.Reduced}
	return v.voice.Say("review.tax", locale.Args{"tax": billing.TaxIn(price, rate), "rate": rate.String()})
}

// tools are the ways to pay, those that may be used and those that the rules
// refuse; for the others see unfits. wallet is nil where an order can no longer be
// paid from the wallet.
func (v *visit) tools(k keyhole, a order.Asking, wallet *money.Money, has purse) (all []tool) {
	q, accepted := a.Quote, a.Accepted
	kept, unfit := v.savedTools(q, accepted, has), v.server.Desk.Unoffered(a)
	for _, rail := range v.lightFirst(v.server.Desk.Tools(q), q.CreatedAt) {
		t := tool{Value: string(rail), Name: v.voice.Tool(catalogue.Tool(rail)), Note: v.voice.T("tool.here.note"), Keeps: v.server.Desk.Keeps(rail)}
		refused := len(accepted) > 0 && !slices.Contains(accepted, catalogue.Tool(rail))
		switch {
		case slices.ContainsFunc(unfit, func(u order.Unoffered) bool { return u.Rail == rail && u.Why != order.RefusedByPolicy }):
			continue
		case rail == payment.Wallet && (wallet == nil || k.limited() && !has.allows("", q.Price)):
			continue
		case refused:
			t.Off, t.Note = true, v.refusedNote(rail, unfit)
		case rail == payment.Wallet:
			v.addBalance(&t, q.Price, *wallet)
			if k.limited() {
				t.Note, t.Link = v.oneTapNote(has), ""
			}
		case v.server.Desk.Providers[v.server.Desk.Rails[rail]].Limits().OwnPage:
			t.Note = v.voice.T("tool.page.note")
		}
		if rail != payment.Wallet {
			all, kept = append(all, kept...), nil // after the wallet, before what is entered now
		}
		all = append(all, t)
	}
	return append(all, kept...)
}

// refusedNote says that the policy refuses a way to pay, and what can pay instead.
func (v *visit) refusedNote(rail payment.Rail, unfit []order.Unoffered) string {
	note := v.voice.T("tool.refused.note")
	if i := slices.IndexFunc(unfit, func(u order.Unoffered) bool { return u.Rail == rail && u.Instead != "" }); i >= 0 {
		note += " " + v.voice.Instead(unfit[i].Instead)
	}
	return note
}

func (v *visit) addBalance(t *tool, price, wallet money.Money) {
	args := locale.Args{"balance": wallet}
	if wallet.Minor >= price.Minor {
		t.Note = v.voice.Say("tool.wallet.note", args)
		return
	}
	missing := money.Of(price.Minor-wallet.Minor, price.Currency)
	args["missing"] = missing
	t.Off, t.Note = true, v.voice.Say("tool.wallet.short", args)
	if v.server.Desk.Wallet == order.WalletFull {
		t.LinkText = v.voice.T("tool.wallet.topup")
		t.Link = "/wallet?" + url.Values{"amount": {missing.Decimal()}, "currency": {string(price.Currency)}}.Encode()
	}
}

// accept takes the customer at their word: the amount and the tool are those of
// the form that they confirmed, and the quote makes the order once.
func (s *Server) accept(ctx context.Context, v *visit) (answer, error) {
	k, q, err := v.quoted(ctx)
	if err != nil {
		return answer{}, err
	}
	if q.accepted != "" {
		return goTo("/orders/" + q.accepted), nil // sent twice, or from another tab
	}
	if err := v.mayBuy(ctx, k); err != nil {
		return answer{}, err
	}
	a, with, err := v.acceptance(k, q)
	if err == nil {
		err = v.refuses(v.restOf(q, a), payment.Rail(a.Tool), with)
	}
	if err == nil {
		err = s.takeOneTap(ctx, k, q.quote.ID, a.Tool, with.saved)
	}
	if err != nil {
		return v.reviewAgain(k, q, err), nil
	}
	o, err := s.Desk.Place(ctx, a)
	if owes(err) { // since the page was shown
		k, q, again := v.quoted(ctx)
		return v.reviewAgain(k, q, err), again
	}
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.Conflict || kind == fault.Unavailable {
		return s.notPlaced(ctx, v, k, q, err)
	}
	if err != nil {
		return answer{}, err
	}
	if o.State == order.Placed {
		return goTo(s.collect(ctx, v, o, payment.Rail(a.Tool), with)), nil
	}
	return goTo("/orders/" + o.ID), nil
}

// acceptance is what the form says.
func (v *visit) acceptance(k keyhole, f quoted) (order.Acceptance, payWith, error) {
	q := f.quote
	minor, err := strconv.ParseInt(v.field("amount"), 10, 64)
	if err != nil {
		return order.Acceptance{}, payWith{}, fault.Because(fault.Conflict, "amount_differs",
			"The confirmed amount is not the offer's. Reload the page and look again.", nil)
	}
	tool, with, err := v.chosen(k, f.purse)
	a := order.Acceptance{
		Account: k.account, Quote: q.ID, Tool: tool,
		Amount: money.Of(minor, money.Currency(v.field("currency"))),
	}
	if err == nil && a.Tool == "" {
		err = fault.Because(fault.Invalid, "tool_missing", "Choose a way to pay.", nil)
	}
	if err == nil {
		a.Parts, err = v.parts(a)
	}
	if err == nil && k.limited() && (a.Tool == order.ToolPoints || a.Parts != (order.Parts{})) {
		err = errLinkTool()
	}
	return a, with, err
}

// restOf is what a form asks a tool to pay.
func (v *visit) restOf(q quoted, a order.Acceptance) order.Asking {
	ask := v.asking(q.quote, q.catalogue, q.situation.Line.Plan)
	if a.Parts != (order.Parts{}) {
		ask.Quote.Price.Minor = a.Parts.Rest
	}
	return ask
}

// notPlaced says why an order was not placed, where it can be tried again. A
// quote that another request has accepted meanwhile leads to its order.
func (s *Server) notPlaced(ctx context.Context, v *visit, k keyhole, q quoted, why error) (answer, error) {
	o, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		o, _, err := order.ByQuote(ctx, tx, k.account, q.quote.ID)
		return o.ID, err
	})
	if err != nil {
		return answer{}, err
	}
	if o != "" {
		return goTo("/orders/" + o), nil
	}
	return v.reviewAgain(k, q, why), nil
}

func (v *visit) reviewAgain(k keyhole, q quoted, why error) answer {
	p := v.review(k, q)
	p.Notice = v.notice(why)
	if refusedByRule(why) {
		p.Notice.Text = v.why(q, why)
	}
	return answer{template: "review.html", page: p, status: fault.KindOf(why).Status()}
}

// why is err in words; a rule that refuses is said with its facts.
func (v *visit) why(q quoted, err error) string {
	if refusedByRule(err) {
		own := placeOf(q.catalogue, q.situation.Line.Plan)
		s := q.situation
		s.Tool = catalogue.Tool(v.field("tool"))
		item := renewal.Item{Kind: renewal.Kind(q.quote.Kind), Plan: q.quote.Plan, ID: q.quote.Item}
		decide := renewal.Decide
		if q.quote.Kind == order.NewLine {
			decide = renewal.DecideNew
		}
		if _, no := decide(s, item); no != nil {
			return no.Text(v.voice.Lang, own.loc)
		}
	}
	return v.voice.Fault(err)
}

// collect begins to collect a placed order's price, and says where the customer
// goes next: to the provider's page, or to the order's, which tells the rest.
//
// A kept tool is charged without another page. Where its bank asks, the order's
// page says so before it leads there.
func (s *Server) collect(ctx context.Context, v *visit, o order.Order, rail payment.Rail, with payWith) string {
	page := pathOf(o)
	p, err := s.Desk.Pay(ctx, o.Ref(), rail, order.Ways{
		Return: s.URL + page + "?back=1", Cancel: s.URL + page + "?back=0", Language: string(v.voice.Lang),
		Device: v.device(), ClientIP: v.client(), Saved: with.saved, Keep: with.keep,
	})
	if err != nil && fault.KindOf(err) == fault.Internal {
		s.Log.ErrorContext(ctx, "portal: pay", "order", o.ID, "err", err)
	}
	if err != nil || with.saved != "" || p.State == payment.Paid || p.Next.AppURL != "" || !isWebAddress(p.Next.RedirectURL) {
		return page // which shows the app's link and the code
	}
	return p.Next.RedirectURL
}

func isWebAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}
