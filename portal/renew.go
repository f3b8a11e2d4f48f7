package portal

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// renewPage is everything renew.html may use.
type renewPage struct {
	ui.Frame
	Line       lineView
	Wallet     string // balance; "" where the wallet may not be used or seen
	Advice     *adviceView
	Live       string // an order of the line that is not finished
	Refusal    *ui.Refusal
	BuyNew     string // where a new line is bought instead; ""
	Until      string // the day that was asked for, as the field sends it
	UntilError string
	UntilNone  string
	Covered    string // that the line lasts as long as it is needed
	Today      string
	Currency   string
	Currencies []ui.Choice
	Converted  string   // how prices were converted; "" where they stand in the list
	Common     []string // what is the same for all terms, said once
	AskHome    bool     // whether to offer a comparison with roaming
	NoRoaming  string   // why nothing is compared with roaming, for a customer who asked
	Offers     []offerCard
	Packs      []offerCard
	Refused    []refusedItems
	Owing      *owing
}

// offerCard is an offer with the words around it.
type offerCard struct {
	ui.Offer
	EndsLabel string
	Choose    string
	Roaming   string // beside roaming at the customer's home operator
	Advised   string // what the engine says of it; "" where nothing
	Best      bool   // it is what the engine recommends
}

// refusedItems are what cannot be had, by the reason.
type refusedItems struct {
	Names string
	ui.Refusal
}

// renewPage compares what can be bought for a line.
func (s *Server) renewPage(ctx context.Context, v *visit) (answer, error) {
	p, err := v.renewal(ctx)
	if err != nil {
		return answer{}, err
	}
	return show("renew.html", p), nil
}

func (v *visit) renewal(ctx context.Context) (renewPage, error) {
	type facts struct {
		situation renewal.Situation
		live      string
		wallet    money.Money
		priced    []money.Currency
		debts     []order.Dispute
		advice    advice.Facts
	}
	k, err := v.at(v.r.PathValue("id"))
	if err != nil {
		return renewPage{}, err
	}
	f, err := db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (f facts, err error) {
		if f.situation, err = v.situation(ctx, tx, k, v.r.PathValue("id")); err != nil {
			return f, err
		}
		if f.live, err = liveOrder(ctx, tx, k.account, f.situation.Line.ID); err != nil {
			return f, err
		}
		if f.priced, err = order.PricedIn(ctx, tx, f.situation.Catalogue, f.situation.Line.Plan); err != nil {
			return f, err
		}
		if f.debts, err = order.Debts(ctx, tx, k.account); err != nil {
			return f, err
		}
		if f.advice, err = advice.FactsOf(ctx, tx, k.account, f.situation.Line.ID); err != nil {
			return f, err
		}
		f.wallet, err = ledger.Balance(ctx, tx, k.account, ledger.Wallet, f.situation.Currency)
		return f, err
	})
	if err != nil {
		return renewPage{}, err
	}
	if c := f.situation.Currency; c == v.chosenCurrency() {
		v.setCookie(currencyCookie, string(c), year)
	}
	p := renewPage{
		Frame: v.frame(v.voice.T("renew.title")), Line: v.lineView(f.situation.Line), Live: f.live, Owing: v.owing(k, f.debts),
		Currency: string(f.situation.Currency),
	}
	if !k.limited() && v.server.Desk.Wallet != order.WalletOff {
		p.Wallet = v.voice.Money(f.wallet)
	}
	for _, c := range f.priced {
		p.Currencies = append(p.Currencies, ui.Choice{Value: string(c), Name: v.voice.Currency(c), Chosen: c == f.situation.Currency})
	}
	v.addOffers(ctx, &p, f.situation, f.advice)
	p.AskHome = v.asksHome(f.situation.Line.Plan)
	return p, nil
}

// addOffers decides about everything that the line's plan sells.
func (v *visit) addOffers(ctx context.Context, p *renewPage, s renewal.Situation, f advice.Facts) {
	at := placeOf(s.Catalogue, s.Line.Plan)
	p.Today = s.Now.In(at.loc).Format(time.DateOnly)
	offers, no := renewal.Offers(s)
	if no != nil {
		refusal := v.voice.Refused(no, at.loc)
		p.Refusal, p.BuyNew = &refusal, v.buyInstead(no.Rule, s.Line.Plan)
		return
	}
	until := v.until(p, s, &f, at.loc)
	reach := until
	if !s.Line.EndsAt.Before(until) {
		reach = time.Time{} // every term does
	}
	for _, o := range marked(offers, reach) {
		card := offerCard{Offer: v.voice.Offer(s.Catalogue, at.plan, o.Offer, at.loc)}
		card.EndsLabel, card.Choose, card.Short = v.voice.T("offer.until"), v.voice.T("offer.choose"), o.short
		if o.cheapest {
			card.Mark = v.voice.Say("offer.cheapest_until", locale.Args{"day": v.lastDay(until, at.loc)})
		}
		card.Roaming = v.roaming(p, s, o.Offer)
		if !o.ListPrice.IsZero() {
			p.Converted = v.voice.Say("renew.converted", locale.Args{
				"from": v.voice.Currency(s.Rate.From), "to": v.voice.Currency(s.Rate.To),
				"rate": v.voice.Rate(s.Rate, s.Catalogue.Seller.Exchange.Margin),
			})
		}
		if o.Item.Kind == renewal.Pack {
			p.Packs = append(p.Packs, card)
		} else {
			p.Offers = append(p.Offers, card)
		}
	}
	v.advised(ctx, p, s, f, offers)
	p.Offers = bestFirst(p.Offers)
	p.Common = common(p.Offers)
	v.sayUntil(p, s, until, at.loc)
	p.Refused = v.refused(s, at, offers)
}

// bestFirst puts what the page recommends at the top, even if it ends before the day
// that was asked for: the advice above says why.
func bestFirst(cards []offerCard) []offerCard {
	best := slices.IndexFunc(cards, func(c offerCard) bool { return c.Best })
	if best <= 0 {
		return cards
	}
	return slices.Insert(slices.Delete(slices.Clone(cards), best, best+1), 0, cards[best])
}

// roaming compares a term with roaming at the customer's home operator, where
// there is a reliable figure; why there is none is said once for the page.
func (v *visit) roaming(p *renewPage, s renewal.Situation, o renewal.Offer) string {
	home := v.home()
	if home == "" || o.Item.Kind != renewal.Term {
		return ""
	}
	compared, none := renewal.RoamingSaving(s.Catalogue, home, o, s.Now)
	if none != "" {
		p.NoRoaming = none.Text(v.voice.Lang)
		return ""
	}
	return compared.Text(v.voice.Lang)
}

// common takes out of the cards what all of them say, to be said once.
func common(cards []offerCard) (said []string) {
	if len(cards) < 2 {
		return nil
	}
	effect, unused := cards[0].Effect, cards[0].Unused
	same := func(say func(offerCard) string) bool {
		return !slices.ContainsFunc(cards, func(c offerCard) bool { return say(c) != say(cards[0]) })
	}
	if effect != "" && same(func(c offerCard) string { return c.Effect }) {
		said = append(said, effect)
		for i := range cards {
			cards[i].Effect = ""
		}
	}
	if unused != "" && same(func(c offerCard) string { return c.Unused }) {
		said = append(said, unused)
		for i := range cards {
			cards[i].Unused = ""
		}
	}
	return said
}

// until reads the day to which the customer needs the line: the one asked for
// in the address, else what they have told. It is the first instant after that
// day; zero where there is none.
func (v *visit) until(p *renewPage, s renewal.Situation, f *advice.Facts, loc *time.Location) time.Time {
	asked := v.r.URL.Query().Get("until")
	if asked != "" {
		day, ok := line.ReadLastDay(asked, s.Now, loc)
		if !ok {
			p.UntilError = v.voice.T("fault.date_format")
			return time.Time{}
		}
		f.Told = day
	}
	if f.Told < line.DayOf(s.Now, loc) {
		return time.Time{}
	}
	p.Until = advice.Date(f.Told).String()
	return (f.Told + 1).Start(loc).UTC()
}

func (v *visit) lastDay(until time.Time, loc *time.Location) string {
	return v.voice.Day(calendar.LastSecond(until), loc)
}

// sayUntil says when the answer to "until which day" is not among the offers.
func (v *visit) sayUntil(p *renewPage, s renewal.Situation, until time.Time, loc *time.Location) {
	if until.IsZero() {
		return
	}
	args := locale.Args{"day": v.lastDay(until, loc)}
	if !s.Line.EndsAt.Before(until) {
		if p.Advice != nil && p.Advice.Buys {
			return // the days are there, the data is not
		}
		p.Covered = v.voice.Say("renew.until.covered", args)
		return
	}
	for _, o := range p.Offers {
		if !o.Short {
			return
		}
	}
	if len(p.Offers) > 0 {
		p.UntilNone = v.voice.Say("renew.until.none", args)
	}
}

// markedOffer is an offer as it stands against the day that was asked for.
type markedOffer struct {
	renewal.Offer
	short    bool // it ends before
	cheapest bool // of those that last long enough
}

// marked puts the terms that last to until first, the cheapest of them marked.
// Without a day nothing changes.
func marked(offers []renewal.Offer, until time.Time) []markedOffer {
	out := make([]markedOffer, len(offers))
	best := -1
	for i, o := range offers {
		out[i].Offer = o
		if until.IsZero() || o.Item.Kind != renewal.Term {
			continue
		}
		out[i].short = o.EndsAt.Before(until)
		if !out[i].short && (best < 0 || o.Price.Minor < offers[best].Price.Minor) {
			best = i
		}
	}
	if best >= 0 {
		out[best].cheapest = true
	}
	rank := func(o markedOffer) int {
		switch {
		case o.cheapest:
			return 0
		case o.short:
			return 2
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b markedOffer) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// refused lists what the plan sells and the line cannot have now, by the reason.
func (v *visit) refused(s renewal.Situation, at place, offers []renewal.Offer) (out []refusedItems) {
	for _, item := range renewal.Items(s.Catalogue, at.plan) {
		if slices.ContainsFunc(offers, func(o renewal.Offer) bool { return o.Item == item }) {
			continue
		}
		_, no := renewal.Decide(s, item)
		if no == nil || no.Rule == renewal.NothingOnSale {
			continue
		}
		name := v.voice.ItemName(s.Catalogue, item)
		refusal := v.voice.Refused(no, at.loc)
		same := slices.IndexFunc(out, func(r refusedItems) bool { return r.Refusal == refusal })
		if same >= 0 {
			out[same].Names += v.voice.T("list.comma") + name
		} else {
			out = append(out, refusedItems{name, refusal})
		}
	}
	return out
}

// currency is the one that the visitor pays in for a line: the one chosen now,
// or the last time; the one that the wallet has most of; the shop's; the first
// that there is a price in.
func (v *visit) currency(ctx context.Context, tx db.Tx, k keyhole, c *catalogue.Catalogue, l line.Line) (money.Currency, error) {
	priced, err := order.PricedIn(ctx, tx, c, l.Plan)
	if err != nil {
		return "", err
	}
	wanted := []money.Currency{v.chosenCurrency(), money.Currency(v.cookie(currencyCookie))}
	if !k.limited() {
		balances, err := ledger.Balances(ctx, tx, k.account, ledger.Wallet)
		if err != nil {
			return "", err
		}
		for _, m := range balances {
			if m.Minor > 0 {
				wanted = append(wanted, m.Currency)
			}
		}
	}
	return order.PayIn(c, priced, wanted...), nil
}

// chosenCurrency is what this form or address asks for; "" where it does not.
func (v *visit) chosenCurrency() money.Currency {
	return money.Currency(cmp.Or(v.field("currency"), v.r.URL.Query().Get("currency")))
}

// choose fixes the chosen offer as a quote, and goes on to its review.
func (s *Server) choose(ctx context.Context, v *visit) (answer, error) {
	id := v.r.PathValue("id")
	k, err := v.at(id)
	if err != nil {
		return answer{}, err
	}
	if err := k.shows(id); err != nil {
		return answer{}, err
	}
	if err := v.mayBuy(ctx, k); err != nil {
		return answer{}, err
	}
	if k.limited() {
		// A link holds at most one live order.
		live, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (string, error) {
			return liveOrder(ctx, tx, k.account, id)
		})
		if err != nil {
			return answer{}, err
		}
		if live != "" {
			return goTo("/orders/" + live), nil
		}
	}
	item, err := ui.ItemOf(v.field("item"))
	if err != nil {
		return answer{}, err
	}
	q, err := s.Desk.Quote(ctx, k.account, id, item, money.Currency(v.field("currency")))
	if refusedByRule(err) {
		return v.renewAgain(ctx, err)
	}
	if err != nil {
		return answer{}, err
	}
	return goTo("/quotes/" + q.ID), nil
}

// refusedByRule reports whether err is a refusal of the renewal rules.
func refusedByRule(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && strings.HasPrefix(f.Reason, "renewal.")
}

// renewAgain shows what is possible to somebody who chose what is not: it was,
// when the page was made.
func (v *visit) renewAgain(ctx context.Context, why error) (answer, error) {
	p, err := v.renewal(ctx)
	if err != nil {
		return answer{}, err
	}
	p.Notice = ui.Notice{Tone: ui.Bad, Text: v.voice.Fault(why)}
	return answer{template: "renew.html", page: p, status: http.StatusUnprocessableEntity}, nil
}

// lately is how many of a line's orders are looked at for one that is live.
const lately = 10

// liveOrder is the line's newest order that is not finished; "" without one.
func liveOrder(ctx context.Context, tx db.Tx, account, lineID string) (string, error) {
	orders, err := order.List(ctx, tx, account, lineID, lately)
	if err != nil {
		return "", err
	}
	for _, o := range orders {
		if !o.State.Final() {
			return o.ID, nil
		}
	}
	return "", nil
}
