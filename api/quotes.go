package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/account"
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

// Quote is an offer fixed for a short time. It never changes.
type Quote struct {
	ID         string     `json:"id" example:"qt_01kjx3v5w8m2n4p6q801kjx3v5w8m2n4p6"`
	Account    string     `json:"account"`
	Kind       string     `json:"kind" doc:"term, pack, topup, or line: a new one."`
	Line       string     `json:"line,omitempty"`
	Item       string     `json:"item,omitempty"`
	Name       string     `json:"name"`
	Price      Money      `json:"price" doc:"With tax. An order confirms exactly this."`
	ListPrice  *Money     `json:"listPrice,omitempty" doc:"What price was converted from; absent: it stands in the price list."`
	Effect     string     `json:"effect,omitempty"`
	EffectText string     `json:"effectText,omitempty"`
	RefundText string     `json:"refundText,omitempty"`
	StartsAt   *time.Time `json:"startsAt,omitempty"`
	EndsAt     *time.Time `json:"endsAt,omitempty" doc:"Exclusive."`
	Zone       string     `json:"zone,omitempty" doc:"The operator's."`
	Version    int64      `json:"version" doc:"Of the catalogue whose rules hold for it."`
	ExpiresAt  time.Time  `json:"expiresAt" doc:"It can not be accepted from then on."`
	Order      string     `json:"order,omitempty" doc:"The order that it became."`
}

// Tools are the ways to pay a quote.
type Tools struct {
	Quote   string   `json:"quote"`
	Price   Money    `json:"price"`
	Tools   []Tool   `json:"tools" nullable:"false" doc:"What can pay all of it."`
	Others  []Unable `json:"others" nullable:"false" doc:"What the shop has and can not pay it, and why."`
	Wallet  Money    `json:"wallet" doc:"What is in the wallet in this currency."`
	Points  Points   `json:"points" doc:"What points could pay of it."`
	Consent string   `json:"consent,omitempty" doc:"The words by which the customer agrees that a tool is kept: show them before an order says keep."`
	Stopped string   `json:"stopped,omitempty" doc:"Why nothing can pay: something is owed first."`
}

// Points are points with what they pay.
type Points struct {
	Points   int64 `json:"points"`
	Discount Money `json:"discount"`
}

// Tool is one way to pay.
type Tool struct {
	Tool    string `json:"tool" doc:"What an order names." example:"card"`
	Name    string `json:"name"`
	OwnPage bool   `json:"ownPage" doc:"The customer goes to a page of the provider's."`
	Keeps   bool   `json:"keeps" doc:"Can be kept for the next time, if the customer agrees."`
}

// Unable is a way to pay that can not pay now.
type Unable struct {
	Tool    string `json:"tool"`
	Name    string `json:"name"`
	Reason  string `json:"reason" example:"currency"`
	Why     string `json:"why"`
	Instead string `json:"instead,omitempty"`
}

type newQuote struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"With it, the same request sent again gets the same quote."`
	Body           struct {
		Line     string `json:"line" maxLength:"64"`
		Item     string `json:"item" maxLength:"200" doc:"As an offer names it." example:"term/machi-5gb/10d"`
		Currency string `json:"currency" pattern:"^[A-Z]{3}$" example:"JPY"`
	}
}

type newLineQuote struct {
	OfAccount
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"With it, the same request sent again gets the same quote."`
	Body           struct {
		Item     string `json:"item" maxLength:"200" doc:"As a plan names it under newLines." example:"line/machi-5gb/3d"`
		Currency string `json:"currency" pattern:"^[A-Z]{3}$" example:"JPY"`
	}
}

type quoteInput struct {
	Quote string `path:"quote" maxLength:"64"`
}

func (s *Server) addQuotes(d huma.API) {
	add(s, d, route{
		id: "make-quote", method: http.MethodPost, path: "/quotes", scope: Renew, tag: "Renewing", makes: true,
		summary: "Fix an offer for a short time",
	}, s.makeQuote)
	add(s, d, route{
		id: "make-new-line-quote", method: http.MethodPost, path: "/accounts/{account}/quotes", scope: Renew, tag: "Buying", makes: true,
		summary: "Fix the price of a new line",
	}, s.makeNewLineQuote)
	add(s, d, route{
		id: "get-quote", method: http.MethodGet, path: "/quotes/{quote}", scope: Read, tag: "Renewing", summary: "A quote, and the order that it became",
	}, s.getQuote)
	add(s, d, route{
		id: "list-tools", method: http.MethodGet, path: "/quotes/{quote}/tools", scope: Read, tag: "Renewing",
		summary: "What can pay a quote, and why the rest can not",
	}, s.listTools)
}

func (s *Server) makeQuote(ctx context.Context, c *call, in *newQuote) (Quote, error) {
	owner, err := c.account(in.Body.Line)
	if err != nil {
		return Quote{}, err
	}
	make := func(ctx context.Context) (Quote, error) {
		err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error { return s.mayBuy(ctx, tx, owner) })
		if err != nil {
			return Quote{}, err
		}
		item, err := ui.ItemOf(in.Body.Item)
		if err != nil {
			return Quote{}, err
		}
		q, err := s.Desk.Quote(ctx, owner, in.Body.Line, item, money.Currency(in.Body.Currency))
		if refusedByRule(err) {
			return Quote{}, s.refused(ctx, c, in.Body.Line, item, money.Currency(in.Body.Currency), "", err)
		}
		if err != nil {
			return Quote{}, err
		}
		return s.readQuote(ctx, c, owner, q.ID)
	}
	return s.onceQuoted(ctx, c, owner, in.IdempotencyKey, "make-quote", in.Body, make)
}

func (s *Server) makeNewLineQuote(ctx context.Context, c *call, in *newLineQuote) (Quote, error) {
	if err := c.opens(in.Account); err != nil {
		return Quote{}, err
	}
	make := func(ctx context.Context) (Quote, error) {
		err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error { return s.mayBuy(ctx, tx, in.Account) })
		if err != nil {
			return Quote{}, err
		}
		item, err := ui.ItemOf(in.Body.Item)
		if err == nil && item.Kind != renewal.NewLine {
			err = fault.Because(fault.Invalid, "no_such_item", "This offer does not exist. Choose one from the list.", nil)
		}
		if err != nil {
			return Quote{}, err
		}
		q, err := s.Desk.QuoteNew(ctx, in.Account, item.Plan, item.ID, money.Currency(in.Body.Currency))
		if err != nil {
			return Quote{}, err
		}
		return s.readQuote(ctx, c, in.Account, q.ID)
	}
	return s.onceQuoted(ctx, c, in.Account, in.IdempotencyKey, "make-new-line-quote", in.Body, make)
}

// onceQuoted makes a quote, once for each key that is given.
func (s *Server) onceQuoted(ctx context.Context, c *call, owner, key, operation string, body any, make func(context.Context) (Quote, error)) (Quote, error) {
	if key == "" {
		return make(ctx)
	}
	r, err := c.requested(owner, key, operation, body)
	if err != nil {
		return Quote{}, err
	}
	return once(ctx, s, r, make)
}

// refusedByRule reports whether err is a refusal of the renewal rules.
func refusedByRule(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && strings.HasPrefix(f.Reason, "renewal.")
}

// refused says a refusal of the rules with its facts.
func (s *Server) refused(ctx context.Context, c *call, id string, item renewal.Item, in money.Currency, tool catalogue.Tool, err error) error {
	f, e := s.see(ctx, c, id, in)
	if e != nil {
		return err
	}
	f.situation.Tool = tool
	_, no := renewal.Decide(f.situation, item)
	if no == nil {
		return err // it can be had now
	}
	return said{err, no.Text(c.voice.Lang, placeOf(f.situation.Catalogue, f.situation.Line.Plan).loc)}
}

func (s *Server) getQuote(ctx context.Context, c *call, in *quoteInput) (Quote, error) {
	owner, err := c.account(in.Quote)
	if err != nil {
		return Quote{}, err
	}
	return s.readQuote(ctx, c, owner, in.Quote)
}

// quoted is a quote with what it was made from.
type quoted struct {
	quote     order.Quote
	catalogue *catalogue.Catalogue // the quote's version
	situation renewal.Situation    // zero for a top-up
	accepted  string               // the order that it became; ""
}

func (s *Server) quoted(ctx context.Context, tx db.Tx, owner, id string) (q quoted, err error) {
	if q.quote, err = order.GetQuote(ctx, tx, owner, id); err != nil {
		return q, err
	}
	if q.catalogue, err = s.Shelf.At(ctx, tx, q.quote.Catalogue); err != nil {
		return q, err
	}
	o, found, err := order.ByQuote(ctx, tx, owner, id)
	if err != nil {
		return q, err
	}
	if found {
		q.accepted = o.ID
	}
	if q.quote.Line == "" || q.quote.Kind == order.NewLine { // there is no line yet
		return q, nil
	}
	q.situation, err = s.Desk.Situation(ctx, tx, owner, q.quote.Line, q.quote.Price.Currency, "")
	q.situation.Catalogue, q.situation.Rate = q.catalogue, q.quote.Exchange.Rate
	return q, err
}

func (s *Server) readQuote(ctx context.Context, c *call, owner, id string) (Quote, error) {
	q, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (quoted, error) { return s.quoted(ctx, tx, owner, id) })
	if err != nil {
		return Quote{}, err
	}
	return quoteOf(c.voice, q), nil
}

func quoteOf(v ui.Voice, f quoted) Quote {
	q := f.quote
	out := Quote{
		ID: q.ID, Account: q.Account, Kind: string(q.Kind), Line: q.Line, Name: v.SaleName(f.catalogue, q.Kind, q.Plan, q.Item), Price: moneyOf(q.Price), ListPrice: given(q.Exchange.List),
		RefundText: v.T("refundable.topup"), Version: q.Catalogue, ExpiresAt: q.ExpiresAt.UTC(), Order: f.accepted,
	}
	if q.Kind == order.TopUp {
		return out
	}
	if q.Kind == order.NewLine {
		own := placeOf(f.catalogue, q.Plan)
		out.RefundText, out.Zone = v.T("new.refund."+string(own.plan.Policy.Refund)), own.loc.String()
		out.Item = ui.ValueOf(renewal.Item{Kind: renewal.NewLine, Plan: q.Plan, ID: q.Item})
		return out
	}
	own := placeOf(f.catalogue, f.situation.Line.Plan)
	item := renewal.Item{Kind: renewal.Kind(q.Kind), Plan: q.Plan, ID: q.Item}
	offer, no := renewal.Decide(f.situation, item)
	if no != nil { // accepting it will say why not
		offer = renewal.Offer{Item: item, Refund: own.plan.Policy.Refund, Revives: !q.CreatedAt.Before(f.situation.Line.EndsAt)}
	}
	offer.Effect, offer.StartsAt, offer.EndsAt = q.Effect, q.StartsAt, q.EndsAt
	out.Item, out.Zone, out.Effect = ui.ValueOf(item), own.loc.String(), string(q.Effect)
	out.EffectText, out.RefundText = offer.EffectText(v.Lang, own.loc), offer.RefundText(v.Lang, own.loc)
	out.StartsAt, out.EndsAt = instant(q.StartsAt), instant(q.EndsAt)
	return out
}

// payable is a quote with everything that could pay it.
type payable struct {
	quoted
	customer account.Account
	wallet   money.Money
	points   int64
	saved    []order.SavedTool
	owes     bool
}

func (s *Server) payable(ctx context.Context, owner, id string) (payable, error) {
	return db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (p payable, err error) {
		if p.quoted, err = s.quoted(ctx, tx, owner, id); err != nil {
			return p, err
		}
		if p.customer, err = account.Get(ctx, tx, owner); err != nil {
			return p, err
		}
		if p.wallet, err = ledger.Balance(ctx, tx, owner, ledger.Wallet, p.quote.Price.Currency); err != nil {
			return p, err
		}
		points, err := ledger.Balance(ctx, tx, owner, ledger.Points, money.Points)
		if err != nil {
			return p, err
		}
		all, err := order.SavedTools(ctx, tx, owner)
		if err != nil {
			return p, err
		}
		debts, err := order.Debts(ctx, tx, owner)
		p.points, p.saved, p.owes = points.Minor, s.Desk.Chargeable(all), len(debts) > 0
		return p, err
	})
}

// asking is what is to be paid, and who asks.
func (p payable) asking() order.Asking {
	plan := p.situation.Line.Plan
	if p.quote.Kind == order.NewLine {
		plan = p.quote.Plan
	}
	return order.AskingFor(p.quote, p.catalogue, plan, p.customer.Zone)
}

func (s *Server) listTools(ctx context.Context, c *call, in *quoteInput) (Tools, error) {
	owner, err := c.account(in.Quote)
	if err != nil {
		return Tools{}, err
	}
	p, err := s.payable(ctx, owner, in.Quote)
	if err != nil {
		return Tools{}, err
	}
	out := Tools{Quote: p.quote.ID, Price: moneyOf(p.quote.Price), Tools: []Tool{}, Others: []Unable{}, Wallet: moneyOf(p.wallet)}
	out.Points.Discount.Currency = string(p.quote.Price.Currency)
	ask := p.asking()
	if p.owes && p.quote.Kind != order.TopUp {
		if s.Desk.Disputed != order.DisputeKeep {
			out.Stopped = c.voice.T("fault.owes")
			return out, nil
		}
	} else {
		parts := s.Desk.Divide(p.quote, p.catalogue.Seller.Points, ask.Accepted, order.Purse{Points: p.points, Wallet: p.wallet, UsePoints: true})
		out.Points = Points{parts.Points, moneyOf(money.Of(parts.Discount, p.quote.Price.Currency))}
		s.addOwn(c.voice, &out, p, ask)
	}
	s.addRails(c.voice, &out, p, ask)
	if slices.ContainsFunc(out.Tools, func(t Tool) bool { return t.Keeps }) {
		out.Consent = c.voice.Say("consent."+order.KeepConsent, locale.Args{"seller": p.catalogue.Seller.Name})
	}
	return out, nil
}

// addOwn lists the wallet and the saved tools.
func (s *Server) addOwn(v ui.Voice, out *Tools, p payable, ask order.Asking) {
	accepts := func(t catalogue.Tool) bool { return len(ask.Accepted) == 0 || slices.Contains(ask.Accepted, t) }
	if s.Desk.Wallet != order.WalletOff && p.quote.Kind != order.TopUp {
		switch missing := p.quote.Price.Minor - p.wallet.Minor; {
		case !accepts(order.ToolWallet):
			out.Others = append(out.Others, Unable{
				Tool: string(order.ToolWallet), Name: v.Tool(order.ToolWallet), Reason: string(order.RefusedByPolicy), Why: v.T("tool.refused.note"),
			})
		case missing > 0:
			args := locale.Args{"balance": p.wallet, "missing": money.Of(missing, p.wallet.Currency)}
			out.Others = append(out.Others, Unable{Tool: string(order.ToolWallet), Name: v.Tool(order.ToolWallet), Reason: "too_little_in_it", Why: v.Say("tool.wallet.short", args)})
		default:
			out.Tools = append(out.Tools, Tool{Tool: string(order.ToolWallet), Name: v.Tool(order.ToolWallet)})
		}
	}
	for _, t := range p.saved {
		if accepts(catalogue.Tool(t.Rail)) && s.Desk.Providers[t.Provider].Limits().Takes(t.Rail, p.quote.Price) {
			out.Tools = append(out.Tools, Tool{Tool: savedPrefix + t.ID, Name: t.Label})
		}
	}
}

// addRails lists what the customer enters now.
func (s *Server) addRails(v ui.Voice, out *Tools, p payable, ask order.Asking) {
	unable := s.Desk.Unoffered(ask)
	for _, rail := range s.Desk.Tools(p.quote) {
		if rail == payment.Wallet || slices.ContainsFunc(unable, func(u order.Unoffered) bool { return u.Rail == rail }) {
			continue
		}
		own := s.Desk.Providers[s.Desk.Rails[rail]].Limits().OwnPage
		out.Tools = append(out.Tools, Tool{string(rail), v.Tool(catalogue.Tool(rail)), own, s.Desk.Keeps(rail)})
	}
	for _, u := range unable {
		t := Unable{Tool: string(u.Rail), Name: v.Tool(catalogue.Tool(u.Rail)), Reason: string(u.Why), Why: v.NotOffered(u, p.quote.Price.Currency)}
		if u.Instead != "" {
			t.Instead = string(u.Instead)
		}
		out.Others = append(out.Others, t)
	}
}

// savedPrefix tells a saved tool from a rail.
const savedPrefix = "saved:"
