package portal

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/device"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// plansPage is everything plans.html may use.
type plansPage struct {
	ui.Frame
	Again []againLine
	Form  plansForm
	Plans []planRow
}

// planRow is one plan in the list of what can be bought.
type planRow struct {
	ID, Name, Network, Allowance string

	// Price is that of the cheapest term which lasts as long as is looked for, and Term
	// that term; where nobody said how long, it is what the plan begins with.
	Price, Term string
	price       money.Money
}

// plansPage lists the plans of which a new line can be bought.
func (s *Server) plansPage(ctx context.Context, v *visit) (answer, error) {
	own, err := v.without(ctx, func(context.Context, db.Tx) (money.Currency, error) {
		return cmp.Or(v.chosenCurrency(), money.Currency(v.cookie(currencyCookie)), v.shop.Seller.BaseCurrency), nil
	})
	if err != nil {
		return answer{}, err
	}
	p := plansPage{Frame: v.publicFrame(v.voice.T("plans.title"), v.voice.T("plans.lead"))}
	sold := slices.DeleteFunc(slices.Clone(v.shop.Plans), func(plan catalogue.Plan) bool { return !s.Desk.Sells(v.shop, plan) })
	w := wantedOf(v.r.URL.Query(), v.shop)
	p.Form = v.plansForm(w, sold)
	for _, plan := range sold {
		if !w.has(plan) {
			continue
		}
		if row, ok := v.planRow(own, w, plan); ok {
			p.Plans = append(p.Plans, row)
		}
	}
	p.Form.Found = v.found(w, len(p.Plans), len(sold))
	if w.days > 0 { // those in the visitor's currency first: others cannot be compared with them
		slices.SortStableFunc(p.Plans, func(a, b planRow) int {
			if other := a.price.Currency != own.Currency; other != (b.price.Currency != own.Currency) {
				return map[bool]int{true: 1, false: -1}[other]
			}
			return cmp.Compare(a.price.Minor, b.price.Minor)
		})
	}
	if v.account.ID != "" {
		p.Again, err = db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) ([]againLine, error) {
			return v.endedLines(ctx, tx, "")
		})
	}
	return showAll("plans.html", p), err
}

// planRow is a plan with its price in the visitor's currency, or where it has none in
// that, the shop's; false where it is not sold for as long as is looked for.
func (v *visit) planRow(own renewal.Situation, w wanted, plan catalogue.Plan) (planRow, bool) {
	row := planRow{ID: plan.ID, Name: plan.NameIn(v.voice.Lang), Allowance: v.allowance(plan)}
	network, _ := v.shop.Network(plan.Network)
	row.Network = network.Name
	base := own
	base.Currency = v.shop.Seller.BaseCurrency
	for _, in := range []renewal.Situation{own, base} {
		in.Line.Identity = true // prices are no secret
		offers, no := renewal.NewOffers(in, plan.ID)
		if no != nil {
			continue
		}
		best, ok := w.best(offers)
		switch row.price = best.Price; {
		case !ok:
			return row, false
		case w.days == 0:
			row.Price = v.voice.Say("plans.from", locale.Args{"price": best.Price})
		default:
			row.Price, row.Term = v.voice.Money(best.Price), v.voice.ItemName(v.shop, best.Item)
			if best.Days > 1 {
				row.Term += v.voice.T("list.comma") + v.voice.Say("offer.per_day", locale.Args{"price": best.PerDay})
			}
		}
		return row, true
	}
	return row, w.days == 0
}

// allowance is what a plan gives, in the words of its rules.
func (v *visit) allowance(plan catalogue.Plan) string {
	for _, s := range catalogue.Sentences(v.shop, plan, v.voice.Lang) {
		if strings.HasPrefix(s.Key, "allowance.") {
			return s.Text
		}
	}
	return ""
}

// planPage is everything plan.html may use.
type planPage struct {
	ui.Frame
	ID         string
	Name       string
	Network    string
	Allowance  string
	Coverage   []string
	Facts      []string // when its clock starts, until when, and whether it can be kept going
	Offers     []offerCard
	Refusal    *ui.Refusal
	Currency   string
	Currencies []ui.Choice
	SignIn     string // where nobody has signed in: where to
	Identity   string // what is to know about the check that it asks for; "": nothing
	Again      []againLine
	Owing      *owing
	Compared   bool // with roaming, for who says with whose
}

// againLine is a line of the customer's that has ended and can go on with this plan
// without a new eSIM.
type againLine struct{ ID, Name, LastFour string }

// planPage shows one plan with the terms that a new line can be bought with.
func (s *Server) planPage(ctx context.Context, v *visit) (answer, error) {
	p, err := v.plan(ctx)
	if err != nil {
		return answer{}, err
	}
	return showAll("plan.html", p), nil
}

func (v *visit) plan(ctx context.Context) (planPage, error) {
	plan, ok := v.shop.Plan(v.r.PathValue("id"))
	if !ok {
		return planPage{}, fault.Because(fault.NotFound, "no_such_plan", "There is no such plan.", nil)
	}
	var priced []money.Currency
	sit, err := v.without(ctx, func(ctx context.Context, tx db.Tx) (c money.Currency, err error) {
		of := line.Line{Plan: plan.ID}
		if priced, err = order.PricedIn(ctx, tx, v.shop, of.Plan); err != nil {
			return "", err
		}
		return v.currency(ctx, tx, keyhole{account: v.account.ID}, v.shop, of)
	})
	if err != nil {
		return planPage{}, err
	}
	if sit.Currency == v.chosenCurrency() {
		v.setCookie(currencyCookie, string(sit.Currency), year)
	}
	network, _ := v.shop.Network(plan.Network)
	p := planPage{
		ID: plan.ID, Name: plan.NameIn(v.voice.Lang), Network: network.Name, Allowance: v.allowance(plan),
		Coverage: device.CoverageIn(v.voice.Lang, network, plan.Facts.FiveG), Currency: string(sit.Currency),
	}
	p.Frame = v.publicFrame(p.Name, p.Allowance)
	p.Compared = plan.RoamingAdvice && len(v.shop.Roaming) > 0
	at := placeOf(v.shop, plan.ID)
	p.Facts = v.newLineFacts(plan, at.loc)
	if v.account.ID == "" {
		p.SignIn = withNext("/sign-in", "/plans/"+plan.ID)
	}
	for _, c := range priced {
		p.Currencies = append(p.Currencies, ui.Choice{Value: string(c), Name: v.voice.Currency(c), Chosen: c == sit.Currency})
	}
	if plan.Policy.Identity && !sit.Line.Identity {
		p.Identity, sit.Line.Identity = v.voice.T("plan.identity"), true // it is seen before it can be bought
	}
	offers, no := renewal.NewOffers(sit, plan.ID)
	switch {
	case !v.server.Desk.Sells(v.shop, plan):
		p.Refusal = &ui.Refusal{Why: v.voice.T("plan.not_sold"), Instead: v.voice.T("plan.not_sold.instead")}
	case no != nil:
		refusal := v.voice.Refused(no, at.loc)
		p.Refusal = &refusal
	}
	if p.Refusal == nil {
		if offers, err = v.inStock(ctx, plan, offers); err != nil {
			return planPage{}, err
		}
		if len(offers) == 0 {
			p.Refusal = &ui.Refusal{Why: v.voice.T("plan.sold_out"), Instead: v.voice.T("plan.not_sold.instead")}
		}
		for _, o := range offers {
			card := offerCard{Offer: v.voice.Offer(v.shop, plan, o, at.loc), Choose: v.voice.T("plan.choose")}
			if c, none := renewal.RoamingSaving(v.shop, v.home(), o, v.voice.Now); none == "" {
				card.Roaming = c.Text(v.voice.Lang)
			}
			p.Offers = append(p.Offers, card)
		}
	}
	return p, v.addOwn(ctx, &p, plan)
}

// inStock are the offers that are not sold out.
func (v *visit) inStock(ctx context.Context, plan catalogue.Plan, offers []renewal.Offer) ([]renewal.Offer, error) {
	return db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (there []renewal.Offer, err error) {
		for _, o := range offers {
			err := v.server.Desk.InStock(ctx, tx, plan, o.Item.ID)
			switch fault.KindOf(err) {
			case "":
				there = append(there, o)
			case fault.Unavailable: // it is sold out
			case fault.Invalid, fault.Denied, fault.NotFound, fault.Conflict, fault.TooMany, fault.Internal:
				return nil, err
			}
		}
		return there, nil
	})
}

// addOwn adds what the customer has that matters here: lines that can go on
// instead, and what they owe.
func (v *visit) addOwn(ctx context.Context, p *planPage, plan catalogue.Plan) error {
	if v.account.ID == "" {
		return nil
	}
	return v.server.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		debts, err := order.Debts(ctx, tx, v.account.ID)
		if err != nil {
			return err
		}
		p.Owing = v.owing(keyhole{account: v.account.ID}, debts)
		p.Again, err = v.endedLines(ctx, tx, plan.ID)
		return err
	})
}

// newLineFacts says what starts the clock of a new line, until when that must be,
// and whether it can be renewed.
func (v *visit) newLineFacts(plan catalogue.Plan, loc *time.Location) []string {
	facts := []string{v.voice.T("new.starts." + plan.Activation.Start)}
	if by := deadlineOf(plan, v.voice.Now, loc); !by.IsZero() {
		key := "new.deadline"
		if plan.Activation.ByItself {
			key = "new.deadline.by_itself"
		}
		facts = append(facts, v.voice.Say(key, locale.Args{"length": v.voice.Length(plan.Activation.Deadline)}))
	}
	if plan.Policy.Renewable {
		facts = append(facts, v.voice.T("new.renewable"))
	} else {
		facts = append(facts, v.voice.T("new.not_renewable"))
	}
	return facts
}

// deadlineOf is until when a line bought now must be in use, by the plan's rules;
// zero where there is no such time.
func deadlineOf(plan catalogue.Plan, now time.Time, loc *time.Location) time.Time {
	if plan.Activation.Deadline.N == 0 {
		return time.Time{}
	}
	return plan.Activation.Deadline.End(now, loc, calendar.Anchor(now, loc))
}

// without is the situation of a visitor without a line, in a currency.
func (v *visit) without(ctx context.Context, in func(context.Context, db.Tx) (money.Currency, error)) (renewal.Situation, error) {
	return db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (renewal.Situation, error) {
		c, err := in(ctx, tx)
		if err != nil {
			return renewal.Situation{}, err
		}
		_, s, err := v.server.Desk.WithoutLine(ctx, tx, v.account.ID, c)
		return s, err
	})
}

// chooseNew fixes the price of a new line with the chosen term.
func (s *Server) chooseNew(ctx context.Context, v *visit) (answer, error) {
	if err := v.mayBuy(ctx, keyhole{account: v.account.ID}); err != nil {
		return answer{}, err
	}
	item, err := ui.ItemOf(v.field("item"))
	if err == nil && (item.Kind != renewal.NewLine || item.Plan != v.r.PathValue("id")) {
		err = fault.Because(fault.Invalid, "no_such_item", "This offer does not exist. Choose one from the list.", nil)
	}
	if err != nil {
		return answer{}, err
	}
	q, err := s.Desk.QuoteNew(ctx, v.account.ID, item.Plan, item.ID, money.Currency(v.field("currency")))
	switch fault.KindOf(err) {
	case "":
		return goTo("/quotes/" + q.ID), nil
	case fault.Invalid, fault.Conflict, fault.Unavailable:
		p, again := v.plan(ctx)
		switch p.Notice = v.notice(err); {
		case reason(err) == identityFirst:
			p.Notice.Text = p.Identity
		case refusedByRule(err):
			p.Notice.Text = v.voice.T("fault.new_line")
		}
		return answer{template: "plan.html", page: p, status: http.StatusUnprocessableEntity}, again
	case fault.Denied, fault.NotFound, fault.TooMany, fault.Internal:
	}
	return answer{}, err
}

// endings are the refusals of lines that cannot be kept going; only a new one helps.
var endings = []renewal.Rule{
	renewal.LineDead, renewal.NotRenewable, renewal.Closed, renewal.TooLate, renewal.TooLateForEver, renewal.NothingLeft,
}

// buyInstead is where a new line is bought in place of one that a rule refuses to
// keep going: at its plan, or where all are if that is not sold; "" after other
// refusals.
func (v *visit) buyInstead(rule renewal.Rule, plan string) string {
	if !slices.Contains(endings, rule) {
		return ""
	}
	if p, ok := v.shop.Plan(plan); ok && v.server.Desk.Sells(v.shop, p) {
		return planAddress(plan)
	}
	return "/plans"
}

// planAddress leads to a plan's page.
func planAddress(id string) string { return "/plans/" + url.PathEscape(id) }
