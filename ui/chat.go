package ui

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/assistant"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Chat puts an answer of the assistant into words: those of the pages, with nothing in
// them that is not in its pieces.
func (v Voice) Chat(a assistant.Answer) assistant.Said {
	out := assistant.Said{Text: []string{}, Options: []string{}}
	for _, p := range a.Pieces {
		v.chatPiece(&out, a.Shop, p)
	}
	for _, o := range a.Options {
		out.Options = append(out.Options, v.chatOption(a.Shop, o))
	}
	return out
}

// chatPiece says what is about a line, what is left of it and what can be bought.
func (v Voice) chatPiece(out *assistant.Said, shop *catalogue.Catalogue, p assistant.Piece) {
	switch p := p.(type) {
	case assistant.Standing:
		v.chatStanding(out, shop, p)
	case assistant.Lasting:
		v.chatSay(out, "chat.about_line", locale.Args{"line": v.LineName(p.Situation.Catalogue, p.Situation.Line)})
		out.Text = append(out.Text, v.Expected(p.Situation, &p.Forecast)...)
	case assistant.NoForecast:
		v.chatSay(out, "chat.no_forecast", locale.Args{"line": v.LineName(shop, p.Line)})
	case assistant.Advice:
		v.chatSay(out, "chat.advice", locale.Args{"line": v.LineName(shop, p.Situation.Line), "verdict": v.Verdict(&p.Answer), "attitude": v.T("attitude." + string(p.Attitude))})
		w := v.AdviceWords(p.Situation, &p.Answer)
		out.Text = append(append(out.Text, p.Answer.Sentence(w)), p.Answer.Notes(w)...)
	case assistant.NoAdvice:
		v.chatSay(out, "chat.no_advice", nil)
	case assistant.Terms:
		v.chatTerms(out, shop, p)
	case assistant.Quoted:
		v.chatQuote(out, shop, p)
	case assistant.NoQuote:
		v.chatSay(out, "chat.no_quote", nil)
	case assistant.Refused:
		v.chatRefusal(out, shop, p.Line, p.Refusal)
	case assistant.Failed:
		out.Text = append(out.Text, v.Fault(p.Err))
	case assistant.Order:
		v.chatOrder(out, p)
	default:
		v.chatTalk(out, shop, p)
	}
}

// chatTalk says what keeps a dialogue going.
func (v Voice) chatTalk(out *assistant.Said, shop *catalogue.Catalogue, p assistant.Piece) {
	switch p := p.(type) {
	case assistant.NoOrder:
		v.chatSay(out, "chat.no_order", nil)
	case assistant.EndAsked:
		if p.Told != 0 {
			v.chatSay(out, "stay.told", locale.Args{"day": v.OnDay(int64(p.Told))})
		}
		v.chatSay(out, "chat.end.ask", locale.Args{"line": v.LineName(shop, p.Line)})
	case assistant.EndKept:
		v.chatSay(out, "chat.end.kept", locale.Args{"line": v.LineName(shop, p.Line), "day": v.OnDay(int64(p.Day))})
	case assistant.EndDoubted:
		v.chatSay(out, "chat.end.doubt", locale.Args{"first": v.OnDay(int64(p.First)), "other": v.OnDay(int64(p.Other))})
	case assistant.EndRefused:
		v.chatSay(out, "fault.date_format", nil)
	case assistant.EndForgotten:
		v.chatSay(out, "chat.end.forgotten", locale.Args{"line": v.LineName(shop, p.Line)})
	case assistant.ToPeople:
		v.chatSay(out, "chat.person", nil)
		to := "/cases/new"
		if p.Line != "" {
			to += "?line=" + p.Line
		}
		out.Links = append(out.Links, assistant.Link{To: to, Text: v.T("cases.new")})
	case assistant.WhichLine:
		v.chatSay(out, "chat.which_line", nil)
	case assistant.LinePicked:
		v.chatSay(out, "chat.line_picked", locale.Args{"line": v.LineName(shop, p.Line)})
	case assistant.NoLine:
		v.chatSay(out, "lines.none", nil)
		out.Links = append(out.Links, assistant.Link{To: "/plans", Text: v.T("plans.title")})
	case assistant.Fine:
		v.chatSay(out, "chat.fine", nil)
	case assistant.Missed:
		v.chatSay(out, "chat.missed."+string(rune('0'+min(max(p.Times, 1), 3))), nil)
	case assistant.NotRead:
		v.chatSay(out, "chat.not_read", nil)
	default:
		v.chatSay(out, "chat.can_do", nil)
	}
}

func (v Voice) chatSay(out *assistant.Said, key string, args locale.Args) {
	out.Text = append(out.Text, v.Say(key, args))
}

// LineName is what people recognise a line by: their name for it, or the plan's, and
// the end of its number.
func (v Voice) LineName(c *catalogue.Catalogue, l line.Line) string {
	return cmp.Or(l.Name, v.PlanName(c, l.Plan)) + " …" + l.LastFour()
}

// chatStanding says what the line's page says first.
func (v Voice) chatStanding(out *assistant.Said, shop *catalogue.Catalogue, p assistant.Standing) {
	l := p.Line
	plan, _ := shop.Plan(l.Plan)
	op, _ := shop.Operator(plan.Operator)
	loc := zoneOf(shop, plan)
	state := l.At(v.Now)
	say := func(text ...string) {
		for _, t := range text {
			if t != "" {
				out.Text = append(out.Text, t)
			}
		}
	}
	name := v.LineName(shop, l) + v.T("list.colon")
	switch state {
	case line.Active:
		left := v.Left(l, plan, op.GB, loc)
		say(name+joined(" · ", left.Headline, left.Detail), left.AsOf)
	case line.Terminal, line.Recycled:
		say(name + v.T("about.closed"))
	case line.New, line.Grace, line.Ended, line.Suspended:
		say(name + v.T("about."+string(state)))
	}
	if !l.EndsAt.IsZero() {
		end, key := v.End(l.EndsAt, loc), "chat.until"
		in := v.In(l.EndsAt)
		if in == "" {
			key = "chat.ended"
		}
		say(v.Say(key, locale.Args{"end": v.chatMoment(end), "in": in}))
	}
	if p.Refusal != nil {
		refused := v.Refused(p.Refusal, loc)
		say(refused.Why, refused.Instead)
	}
	out.Links = append(out.Links, assistant.Link{To: "/lines/" + l.ID, Text: v.T("chat.to_line")})
}

// chatMoment is an instant within a sentence.
func (v Voice) chatMoment(m Moment) string {
	if m.Own == "" {
		return m.Text
	}
	return v.Say("chat.own", locale.Args{"time": m.Text, "own": m.Own})
}

func (v Voice) chatTerms(out *assistant.Said, shop *catalogue.Catalogue, p assistant.Terms) {
	l := p.Situation.Line
	if p.Refusal != nil {
		v.chatRefusal(out, shop, l, p.Refusal)
		return
	}
	if p.None {
		v.chatSay(out, "chat.terms.none", nil)
	}
	v.chatSay(out, "chat.terms", locale.Args{"line": v.LineName(shop, l)})
	out.Links = append(out.Links, assistant.Link{To: "/lines/" + l.ID + "/renew", Text: v.T("chat.to_renew")})
}

func (v Voice) chatRefusal(out *assistant.Said, shop *catalogue.Catalogue, l line.Line, no *renewal.Refusal) {
	plan, _ := shop.Plan(l.Plan)
	refused := v.Refused(no, zoneOf(shop, plan))
	out.Text = append(out.Text, v.LineName(shop, l)+v.T("list.colon")+refused.Why, refused.Instead)
}

// chatQuote says what the review says, and where that is: the offer is accepted there,
// and nowhere else.
func (v Voice) chatQuote(out *assistant.Said, shop *catalogue.Catalogue, p assistant.Quoted) {
	q := p.Quote
	plan, _ := shop.Plan(p.Line.Plan)
	loc := zoneOf(shop, plan)
	what := v.PlanName(shop, q.Plan) + " · " + v.SaleName(shop, q.Kind, q.Plan, q.Item)
	v.chatSay(out, "chat.quote", locale.Args{"what": what, "line": v.LineName(shop, p.Line)})
	starts := v.T("review.begins.now")
	if q.StartsAt.After(v.Now) {
		starts = v.Say("chat.quote.from", locale.Args{"start": v.chatMoment(v.Moment(q.StartsAt, loc))})
	}
	if p.Within > 0 {
		starts = v.ByHandWithin(p.Within)
	}
	out.Text = append(out.Text, starts, v.Say("chat.quote.to", locale.Args{"end": v.chatMoment(v.End(q.EndsAt, loc))}))
	v.chatSay(out, "chat.quote.total", locale.Args{"total": q.Price})
	v.chatSay(out, "chat.quote.confirm", locale.Args{"time": v.Moment(q.ExpiresAt, loc).Text})
	out.Links = append(out.Links, assistant.Link{To: "/quotes/" + q.ID, Text: v.T("chat.to_review")})
}

// chatOrder says where an order stands in the words of its page.
func (v Voice) chatOrder(out *assistant.Said, p assistant.Order) {
	o := p.Order
	plan, _ := p.Catalogue.Plan(o.Plan)
	loc := zoneOf(p.Catalogue, plan)
	at := v.Progress(o, p.Live, p.Billed, loc)
	if !p.HandBy.IsZero() {
		at = v.ByHand(at, o, p.HandBy, loc)
	}
	switch {
	case p.Withdrawn:
		at = v.Withdrawn(at)
	case !p.Credited.IsZero() && p.Credited == o.Charged() && o.Kind != order.TopUp:
		at = v.Credited(at, p.Credited)
	}
	what := v.SaleName(p.Catalogue, o.Kind, o.Plan, o.Item)
	if p.Line.ID != "" {
		what += " · " + v.LineName(p.Catalogue, p.Line)
	}
	v.chatSay(out, "chat.order", locale.Args{"what": what, "total": o.Price, "state": at.Badge.Word})
	for _, t := range []string{at.Lead, v.Why(o), at.Next} {
		if t != "" {
			out.Text = append(out.Text, t)
		}
	}
	out.Links = append(out.Links, assistant.Link{To: "/orders/" + o.ID, Text: v.T("chat.to_order")})
}

// chatOption says what can be chosen.
func (v Voice) chatOption(shop *catalogue.Catalogue, o assistant.Option) string {
	switch c := o.Command.(type) {
	case assistant.Choose:
		return v.chatOffer(o)
	case assistant.PickLine:
		if o.Line != nil {
			return v.LineName(shop, *o.Line)
		}
		return v.T("chat.do.line")
	case assistant.TellEnd:
		return v.OnDay(int64(c.Day))
	case assistant.Advise:
		return v.Either("chat.do.advise."+string(c.Attitude), "chat.do.advise", nil)
	case assistant.Status:
		return v.T("chat.do.status")
	case assistant.Forecast:
		return v.T("chat.do.forecast")
	case assistant.AskEnd:
		return v.T("chat.do.end")
	case assistant.ForgetEnd:
		return v.T("chat.do.forget")
	case assistant.Compare:
		return v.T("chat.do.compare")
	case assistant.Orders:
		return v.T("chat.do.orders")
	case assistant.Person:
		return v.T("chat.do.person")
	}
	return v.T("chat.do.menu")
}

// chatOffer is an offer as its card says it, in one line.
func (v Voice) chatOffer(o assistant.Option) string {
	if o.Offer == nil {
		return v.T("chat.do.compare")
	}
	c := o.Situation.Catalogue
	own, _ := c.Plan(o.Situation.Line.Plan)
	card := v.Offer(c, own, *o.Offer, zoneOf(c, own))
	parts := []string{card.Plan, card.Name, card.Price, card.PerDay, card.Saving}
	if card.Ends.Text != "" && o.Offer.Item.Kind == renewal.Term {
		parts = append(parts, v.T("offer.until")+" "+card.Ends.Text)
	}
	if o.Best {
		parts = append(parts, v.T("advice.recommended"))
	}
	return joined(" · ", parts...)
}

// joined is those of parts that say something.
func joined(by string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), by)
}
