package portal

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// togetherPage is everything together.html may use: an offer is chosen for each
// line.
type togetherPage struct {
	ui.Frame
	Lines    []togetherLine
	Currency string
}

// togetherLine is one line and what it can be renewed with.
type togetherLine struct {
	Line    lineView
	Options []ui.Choice
	Refusal string // why there are none
}

// itemField is the form's field for a line.
func itemField(lineID string) string { return "item_" + lineID }

// situations reads what decisions about all lines of the customer depend on, in
// one currency: that of the first.
func (v *visit) situations(ctx context.Context) ([]renewal.Situation, error) {
	k := keyhole{account: v.account.ID}
	return db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (all []renewal.Situation, err error) {
		lines, err := line.List(ctx, tx, k.account)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if !v.lineView(l).CanRenew {
				continue
			}
			s, err := v.situation(ctx, tx, k, l.ID)
			if err != nil {
				return nil, err
			}
			if len(all) > 0 {
				s.Currency = all[0].Currency
			}
			all = append(all, s)
		}
		return all, nil
	})
}

// togetherPage lists the lines that can be renewed.
func (s *Server) togetherPage(ctx context.Context, v *visit) (answer, error) {
	all, err := v.situations(ctx)
	if err != nil {
		return answer{}, err
	}
	return show("together.html", v.together(all)), nil
}

func (v *visit) together(all []renewal.Situation) togetherPage {
	p := togetherPage{Frame: v.frame(v.voice.T("together.title"))}
	for _, s := range all {
		at := placeOf(s.Catalogue, s.Line.Plan)
		row := togetherLine{Line: v.lineView(s.Line)}
		p.Currency = string(s.Currency)
		offers, no := renewal.Offers(s)
		if no != nil {
			row.Refusal = no.Text(v.voice.Lang, at.loc)
		}
		for _, o := range offers {
			value := ui.ValueOf(o.Item)
			row.Options = append(row.Options, ui.Choice{Value: value, Chosen: value == v.field(itemField(s.Line.ID)), Name: v.voice.Say("together.option", locale.Args{
				"item": v.voice.ItemName(s.Catalogue, o.Item), "price": o.Price, "end": v.voice.End(o.EndsAt, at.loc).Text,
			})})
		}
		p.Lines = append(p.Lines, row)
	}
	return p
}

// chooseTogether fixes what was chosen for each line as a quote, and goes on to
// the review of all of them.
func (s *Server) chooseTogether(ctx context.Context, v *visit) (answer, error) {
	if err := v.mayBuy(ctx, keyhole{account: v.account.ID}); err != nil {
		return answer{}, err
	}
	all, err := v.situations(ctx)
	if err != nil {
		return answer{}, err
	}
	var quotes []string
	for _, at := range all {
		value := v.field(itemField(at.Line.ID))
		if value == "" || len(quotes) == order.MaxTogether {
			continue
		}
		item, err := ui.ItemOf(value)
		if err != nil {
			return answer{}, err
		}
		q, err := s.Desk.Quote(ctx, v.account.ID, at.Line.ID, item, money.Currency(v.field("currency")))
		if refusedByRule(err) {
			return v.chooseAgain(all, err), nil
		}
		if err != nil {
			return answer{}, err
		}
		quotes = append(quotes, q.ID)
	}
	switch len(quotes) {
	case 0:
		return v.chooseAgain(all, fault.Because(fault.Invalid, "together_many", "Choose an offer for two lines or more.", nil)), nil
	case 1:
		return goTo("/quotes/" + quotes[0]), nil
	}
	return goTo("/together/review?" + url.Values{"q": quotes}.Encode()), nil
}

func (v *visit) chooseAgain(all []renewal.Situation, why error) answer {
	p := v.together(all)
	p.Notice = ui.Notice{Tone: ui.Bad, Text: v.voice.Fault(why)}
	return answer{template: "together.html", page: p, status: fault.KindOf(why).Status()}
}

// basketReviewPage is everything together_review.html may use.
type basketReviewPage struct {
	ui.Frame
	Rows     []basketRow
	Quotes   []string
	Sum      string
	Tax      string
	Amount   int64
	Currency string
	Stands   ui.Moment
	Tools    []tool
	Unfit    []unfit
	CanPay   bool
	Pay      string
	Expired  bool
	Owing    *owing
	Stopped  bool // nothing can pay
}

// basketRow is one line of a basket, before or after it was placed.
type basketRow struct {
	Line  lineView
	What  string
	Ends  ui.Moment
	Price string
	Badge ui.Badge
	Lead  string
	Why   string
	Order string // "" before
}

// basketQuotes are the quotes that an address or a form names, with what they
// were made from; the second result is where to go if they were accepted.
func (v *visit) basketQuotes(ctx context.Context) (all []quoted, accepted string, err error) {
	if err := v.r.ParseForm(); err != nil {
		return nil, "", fault.Because(fault.Invalid, "no_such_id", "There is no such thing. Check the link.", nil)
	}
	ids := v.r.Form["q"]
	if len(ids) < 2 || len(ids) > order.MaxTogether {
		return nil, "/together", nil
	}
	for _, id := range ids {
		k, err := v.at(id)
		if err != nil {
			return nil, "", err
		}
		q, err := v.readQuote(ctx, k, id)
		if err != nil {
			return nil, "", err
		}
		if q.accepted != "" {
			return nil, "/orders/" + q.accepted, nil // which leads on
		}
		all = append(all, q)
	}
	return all, "", nil
}

// basketReview shows several quotes before they are accepted together.
func (s *Server) basketReview(ctx context.Context, v *visit) (answer, error) {
	all, to, err := v.basketQuotes(ctx)
	if err != nil || to != "" {
		return goTo(to), err
	}
	return show("together_review.html", v.reviewTogether(all)), nil
}

func (v *visit) reviewTogether(all []quoted) basketReviewPage {
	first := all[0].quote
	p := basketReviewPage{Frame: v.frame(v.voice.T("review.title")), Currency: string(first.Price.Currency)}
	for _, q := range all {
		at := placeOf(q.catalogue, q.situation.Line.Plan)
		item := renewal.Item{Kind: renewal.Kind(q.quote.Kind), Plan: q.quote.Plan, ID: q.quote.Item}
		p.Rows = append(p.Rows, basketRow{
			Line: v.lineView(q.situation.Line), What: v.voice.ItemName(q.catalogue, item),
			Ends: v.voice.End(q.quote.EndsAt, at.loc), Price: v.voice.Money(q.quote.Price),
		})
		p.Quotes = append(p.Quotes, q.quote.ID)
	}
	ask := v.askingTogether(all)
	sum, ends := ask.Quote.Price, ask.Quote.ExpiresAt
	p.Sum, p.Amount, p.Stands = v.voice.Money(sum), sum.Minor, v.voice.Moment(ends, v.shopZone())
	p.Pay, p.Expired = v.voice.Say("review.pay", locale.Args{"amount": sum}), !v.voice.Now.Before(ends)
	k := keyhole{account: v.account.ID}
	p.Owing, p.Stopped = v.owing(k, all[0].debts), v.stopped(all[0].debts, ask.Quote.Kind, order.Parts{})
	wallet, has := all[0].ownMoney()
	p.Tools = v.toolsTogether(ask, wallet, has)
	p.Unfit = v.unfits(ask, p.Tools, elsewise{})
	for i := range p.Tools {
		if !p.Tools[i].Off {
			p.Tools[i].Chosen, p.CanPay = true, true
			break
		}
	}
	return p
}

// askingTogether is the sum of several quotes, while all of them stand.
func (v *visit) askingTogether(all []quoted) order.Asking {
	first := all[0].quote
	var each []order.Asking
	for _, q := range all {
		each = append(each, v.asking(q.quote, q.catalogue, q.situation.Line.Plan))
	}
	return sumOf(order.Quote{Kind: first.Kind, Price: money.Of(0, first.Price.Currency), ExpiresAt: first.ExpiresAt}, each)
}

// sumOf asks for all at once: what each of them accepts, wherever the customer of
// one of them may be.
func sumOf(whole order.Quote, each []order.Asking) order.Asking {
	var policies [][]catalogue.Tool
	var countries []string
	var sold []money.Currency
	for _, a := range each {
		sold = append(sold, a.Sold...)
		policies, countries = append(policies, a.Accepted), append(countries, a.Countries...)
		if whole.Price.Minor += a.Quote.Price.Minor; a.Quote.ExpiresAt.Before(whole.ExpiresAt) {
			whole.ExpiresAt = a.Quote.ExpiresAt
		}
	}
	return order.Asking{Quote: whole, Lines: len(each), Accepted: commonTools(policies), Countries: countries, Sold: sold}
}

// toolsTogether are the ways to pay several quotes at once.
func (v *visit) toolsTogether(a order.Asking, wallet *money.Money, has purse) []tool {
	tools := v.tools(keyhole{account: v.account.ID}, a, wallet, has)
	if a.Lines < 2 {
		return tools
	}
	return slices.DeleteFunc(tools, func(t tool) bool {
		rail := has.rail(t.Value)
		name, ok := v.server.Desk.Rails[rail]
		return ok && !v.server.Desk.Providers[name].Limits().Partial
	})
}

// commonTools are those that all policies accept; none where all accept all.
func commonTools(policies [][]catalogue.Tool) (common []catalogue.Tool) {
	for _, p := range policies {
		switch {
		case len(p) == 0:
		case common == nil:
			common = slices.Clone(p)
		default:
			common = slices.DeleteFunc(common, func(t catalogue.Tool) bool { return !slices.Contains(p, t) })
			if len(common) == 0 {
				return []catalogue.Tool{""} // nothing is accepted by all
			}
		}
	}
	return common
}

// acceptTogether takes the customer at their word for several lines.
func (s *Server) acceptTogether(ctx context.Context, v *visit) (answer, error) {
	all, to, err := v.basketQuotes(ctx)
	if err != nil || to != "" {
		return goTo(to), err
	}
	if err := v.mayBuy(ctx, keyhole{account: v.account.ID}); err != nil {
		return answer{}, err
	}
	minor, amountErr := strconv.ParseInt(v.field("amount"), 10, 64)
	tool, with, err := v.chosen(keyhole{account: v.account.ID}, all[0].purse)
	t := order.Together{
		Account: v.account.ID, Quotes: v.r.PostForm["q"], Tool: tool,
		Amount: money.Of(minor, money.Currency(v.field("currency"))),
	}
	if err == nil {
		err = v.refuses(v.askingTogether(all), payment.Rail(t.Tool), with)
	}
	var placed []order.Order
	switch {
	case err != nil:
	case amountErr != nil:
		err = fault.Because(fault.Conflict, "amount_differs", "The confirmed amount is not the offer's. Reload the page and look again.", nil)
	case t.Tool == "":
		err = fault.Because(fault.Invalid, "tool_missing", "Choose a way to pay.", nil)
	default:
		placed, err = s.Desk.PlaceTogether(ctx, t)
	}
	if owes(err) { // since the page was shown
		if all, to, again := v.basketQuotes(ctx); again == nil && to == "" {
			p := v.reviewTogether(all)
			p.Notice = ui.Notice{Tone: ui.Bad, Text: v.voice.Fault(err)}
			return answer{template: "together_review.html", page: p, status: fault.Denied.Status()}, nil
		}
	}
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.Conflict || kind == fault.Unavailable {
		p := v.reviewTogether(all)
		p.Notice = v.notice(err)
		return answer{template: "together_review.html", page: p, status: kind.Status()}, nil
	}
	if err != nil {
		return answer{}, err
	}
	if placed[0].State == order.Placed {
		return goTo(s.collect(ctx, v, placed[0], payment.Rail(t.Tool), with)), nil
	}
	return goTo(pathOf(placed[0])), nil
}

// pathOf is the page of an order, or of those that are paid together with it.
func pathOf(o order.Order) string {
	if o.Basket != "" {
		return "/together/" + o.Basket
	}
	return "/orders/" + o.ID
}

// basketPage is everything basket.html may use: the first order's page, with the
// sum, and a row for each order.
type basketPage struct {
	orderPage
	Rows []basketRow
}

// basketTold is a basket with everything that its page tells.
type basketTold struct {
	told
	orders []order.Order
	lines  map[string]line.Line
}

func (v *visit) basketTold(ctx context.Context) (basketTold, error) {
	id := v.r.PathValue("id")
	k, err := v.at(id)
	if err != nil {
		return basketTold{}, err
	}
	if k.limited() {
		return basketTold{}, errSignIn
	}
	return db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (t basketTold, err error) {
		if t.order, err = order.Get(ctx, tx, order.Key{Account: k.account, ID: id}); err != nil {
			return t, err
		}
		if t.order.Basket != id {
			return t, fault.Because(fault.NotFound, "no_such_id", "There is no such thing. Check the link.", nil)
		}
		if t.orders, err = order.Basket(ctx, tx, t.order); err != nil {
			return t, err
		}
		t.lines = map[string]line.Line{}
		for _, o := range t.orders {
			if t.lines[o.Line], err = line.Get(ctx, tx, k.account, o.Line); err != nil {
				return t, err
			}
		}
		if t.cat, err = v.server.Shelf.At(ctx, tx, t.order.Catalogue); err != nil {
			return t, err
		}
		if t.purse, err = v.purse(ctx, tx, k, ""); err != nil {
			return t, err
		}
		if t.debts, err = order.Debts(ctx, tx, k.account); err != nil {
			return t, err
		}
		t.payments, err = order.Payments(ctx, tx, t.order.Ref())
		return t, err
	})
}

// basketPage shows each order of a basket, and lets it be paid while it waits.
func (s *Server) basketPage(ctx context.Context, v *visit) (answer, error) {
	t, err := v.basketTold(ctx)
	if err != nil {
		return answer{}, err
	}
	if v.r.URL.RawQuery != "" {
		if t.order.State == order.Placed {
			if err := s.Desk.Resume(ctx, t.order.Ref(), v.r.URL.Query()); err != nil {
				return answer{}, err
			}
		}
		return goTo(pathOf(t.order)), nil
	}
	return show("basket.html", v.basketStory(t)), nil
}

func (v *visit) basketStory(t basketTold) basketPage {
	whole := t.order // as one order of the sum: what is waited for
	whole.Parts = order.Parts{}
	whole.Price.Minor = 0
	var p basketPage
	moving, since := false, t.live().UpdatedAt
	for _, o := range t.orders {
		at := placeOf(t.cat, o.Plan)
		whole.Price.Minor += o.Price.Minor
		progress := v.voice.Progress(o, t.live(), time.Time{}, at.loc)
		p.Rows = append(p.Rows, basketRow{
			Line: v.lineView(t.lines[o.Line]), What: v.orderName(t.cat, o), Ends: v.voice.End(o.EndsAt, at.loc),
			Price: v.voice.Money(o.Price), Badge: progress.Badge, Lead: progress.Lead, Why: v.voice.Why(o), Order: o.ID,
		})
		if moving = moving || progress.Moving; o.UpdatedAt.After(since) {
			since = o.UpdatedAt
		}
	}
	whole.Parts.Rest = whole.Price.Minor
	t.order = whole
	p.ID, p.Price, p.Tool, p.Again = whole.ID, v.voice.Money(whole.Price), v.voice.Tool(whole.Tool), "/"
	p.Progress = v.voice.Progress(whole, t.live(), time.Time{}, v.shopZone())
	p.Progress.Moving = moving
	p.Frame = v.frame(v.voice.Say("basket.title", locale.Args{"lines": len(t.orders)}))
	p.Waits = whole.State == order.Placed
	v.addPaying(&p.orderPage, keyhole{account: v.account.ID}, t.told, placeOf(t.cat, whole.Plan))
	if p.Owing != nil {
		t.purse = purse{}
	}
	if p.Tools != nil {
		ask := v.askingForAll(t)
		p.Tools = v.toolsTogether(ask, nil, t.purse)
		p.Unfit = v.unfits(ask, p.Tools, elsewise{})
		for i := range p.Tools {
			p.Tools[i].Chosen = p.Tools[i].Value == string(whole.Tool) && !p.Tools[i].Off
		}
	}
	if moving {
		p.Refresh = patience(v.voice.Now.Sub(since))
	}
	return p
}

// askingForAll is what a basket still waits for.
func (v *visit) askingForAll(t basketTold) order.Asking {
	var each []order.Asking
	for _, o := range t.orders {
		each = append(each, v.asking(order.Quote{Price: o.Rest(), ExpiresAt: o.ExpiresAt}, t.cat, t.lines[o.Line].Plan))
	}
	first := t.orders[0]
	return sumOf(order.Quote{Kind: first.Kind, Price: money.Of(0, first.Price.Currency), ExpiresAt: first.ExpiresAt}, each)
}

// payBasket collects a basket that waits for money with the chosen tool.
func (s *Server) payBasket(ctx context.Context, v *visit) (answer, error) {
	t, err := v.basketTold(ctx)
	if err != nil {
		return answer{}, err
	}
	if err := v.mayBuy(ctx, keyhole{account: v.account.ID}); err != nil {
		return answer{}, err
	}
	tool, with, err := v.chosen(keyhole{account: v.account.ID}, t.purse)
	if err != nil {
		return answer{}, err
	}
	rail := payment.Rail(tool)
	if _, ok := s.Desk.Rails[rail]; !ok {
		return answer{}, fault.Because(fault.Invalid, "tool_unknown", "This shop does not take that. Choose another way to pay.", nil)
	}
	if t.order.State != order.Placed {
		return goTo(pathOf(t.order)), nil
	}
	if err := v.refuses(v.askingForAll(t), rail, with); err != nil {
		p := v.basketStory(t)
		p.Notice = v.notice(err)
		return answer{template: "basket.html", page: p, status: fault.Invalid.Status()}, nil
	}
	return goTo(s.collect(ctx, v, t.order, rail, with)), nil
}
