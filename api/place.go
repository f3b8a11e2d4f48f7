package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// With is how the customer pays what a tool collects.
type With struct {
	Tool      string `json:"tool" maxLength:"100" doc:"As the quote's tools name it: wallet, points, a tool that the customer enters now, or saved: and one that they keep." example:"card"`
	ReturnURL string `json:"returnUrl,omitempty" format:"uri" maxLength:"500" doc:"Where the provider's page sends the customer back. Hand its query to resume-order. Default: the order's page in the shop."`
	Keep      bool   `json:"keep,omitempty" doc:"The customer has agreed, by the words of the tools' consent, that what they pay with is kept."`
	Device    string `json:"device,omitempty" enum:"phone,computer" doc:"What the customer holds: on a phone a wallet's app can be opened."`
	ClientIP  string `json:"clientIp,omitempty" format:"ip" maxLength:"45" doc:"The customer's address; some providers ask for it."`
}

type newOrder struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"Required: new for every order, and the same when the request is sent again. Answers are repeated for 48 hours; that there is one order holds for ever."`
	Body           struct {
		Quote  string      `json:"quote" maxLength:"64"`
		Amount Money       `json:"amount" doc:"The price that the customer confirmed: exactly the quote's."`
		Parts  *OwnedParts `json:"parts,omitempty" doc:"What points and wallet pay of it. Absent: the tool pays everything."`
		With
	}
}

// OwnedParts are what points and the wallet pay beside a tool.
type OwnedParts struct {
	Points   int64 `json:"points,omitempty" minimum:"0" maximum:"9007199254740991"`
	Discount int64 `json:"discount,omitempty" minimum:"0" maximum:"9007199254740991" doc:"Minor units that the points pay."`
	Wallet   int64 `json:"wallet,omitempty" minimum:"0" maximum:"9007199254740991" doc:"Minor units."`
}

type newPayment struct {
	OfOrder
	Body With
}

type comeBack struct {
	OfOrder
	Body struct {
		Query string `json:"query" maxLength:"4000" doc:"What followed the ? in the address to which the customer came back." example:"token=5O190127TN364715T&PayerID=QYR5Z8XDVJNXQ"`
	}
}

func (s *Server) addPlacing(d huma.API) {
	add(s, d, route{
		id: "place-order", method: http.MethodPost, path: "/orders", scope: Renew, tag: "Renewing", makes: true,
		summary: "Accept a quote, and begin to pay",
		about: "From the wallet, points or a saved tool the answer may be completed already. Where payment.next is there, the customer goes on by it. " +
			"An order that is placed and has no payment yet can be paid with pay-order.",
	}, s.placeOrder)
	add(s, d, route{
		id: "pay-order", method: http.MethodPost, path: "/orders/{order}/pay", scope: Renew, tag: "Renewing", summary: "Pay an order that waits for money, or with another tool",
		about: "The same tool again returns the attempt that is open; another one closes the former first.",
	}, s.payOrder)
	add(s, d, route{
		id: "resume-order", method: http.MethodPost, path: "/orders/{order}/resume", scope: Renew, tag: "Renewing", summary: "The customer came back from the provider's page",
		about: "The provider is asked; what the address says is not believed.",
	}, s.resumeOrder)
	add(s, d, route{
		id: "cancel-order", method: http.MethodPost, path: "/orders/{order}/cancel", scope: Renew, tag: "Renewing", summary: "Give up an order that waits for money",
	}, s.cancelOrder)
}

func (s *Server) placeOrder(ctx context.Context, c *call, in *newOrder) (Order, error) {
	if strings.TrimSpace(in.IdempotencyKey) == "" {
		return Order{}, errNoKey()
	}
	owner, err := c.account(in.Body.Quote)
	if err != nil {
		return Order{}, err
	}
	r, err := c.requested(owner, in.IdempotencyKey, "place-order", in.Body)
	if err != nil {
		return Order{}, err
	}
	return once(ctx, s, r, func(ctx context.Context) (Order, error) { return s.place(ctx, c, owner, in) })
}

// place places an order and begins to collect its price. The order's own key is
// the request's, so that whoever comes after a crash finds it again.
func (s *Server) place(ctx context.Context, c *call, owner string, in *newOrder) (Order, error) {
	if err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error { return s.mayBuy(ctx, tx, owner) }); err != nil {
		return Order{}, err
	}
	p, err := s.payable(ctx, owner, in.Body.Quote)
	if err != nil {
		return Order{}, err
	}
	tool, ways, err := s.waysOf(c, p.saved, in.Body.With)
	if err != nil {
		return Order{}, err
	}
	a := order.Acceptance{
		Account: owner, Quote: in.Body.Quote, Key: "api/" + c.key.ID + "/" + in.IdempotencyKey, Amount: in.Body.Amount.money(), Tool: tool,
	}
	ask := p.asking()
	if own := in.Body.Parts; own != nil && *own != (OwnedParts{}) {
		a.Parts = Parts{Points: own.Points, Discount: own.Discount, Wallet: own.Wallet}.of(a.Amount)
		if tool == order.ToolWallet && a.Parts.Rest > 0 { // it pays the rest, too
			a.Parts.Wallet, a.Parts.Rest = a.Parts.Wallet+a.Parts.Rest, 0
		}
		ask.Quote.Price.Minor = a.Parts.Rest
	}
	if p.accepted == "" {
		if err := s.fits(c.voice, ask, payment.Rail(tool), ways); err != nil {
			return Order{}, err
		}
	}
	o, err := s.Desk.Place(ctx, a)
	if refusedByRule(err) {
		item := renewal.Item{Kind: renewal.Kind(p.quote.Kind), Plan: p.quote.Plan, ID: p.quote.Item}
		return Order{}, s.refused(ctx, c, p.quote.Line, item, p.quote.Price.Currency, tool, err)
	}
	if err != nil {
		return Order{}, reused(err)
	}
	if o.State == order.Placed {
		s.collect(ctx, o, payment.Rail(tool), ways)
	}
	return s.readOrder(ctx, c, o.Ref())
}

// reused says, of an order that another request with the same key made when that
// request is no longer remembered, the same as of one that is.
func reused(err error) error {
	if f, ok := asFault(err); ok && f.Reason == "key_reused" {
		return errReused()
	}
	return err
}

// waysOf reads how the customer pays.
func (s *Server) waysOf(c *call, saved []order.SavedTool, w With) (catalogue.Tool, order.Ways, error) {
	ways := order.Ways{
		Return: w.ReturnURL, Cancel: w.ReturnURL, Language: string(c.voice.Lang), Device: payment.Device(w.Device), ClientIP: w.ClientIP, Keep: w.Keep,
	}
	if w.ReturnURL != "" && !isWebAddress(w.ReturnURL) {
		return "", ways, fault.Because(fault.Invalid, "api_return_url", "returnUrl must be an address that begins with https:// or http://.", nil)
	}
	kept, ok := strings.CutPrefix(w.Tool, savedPrefix)
	if !ok {
		return catalogue.Tool(w.Tool), ways, nil
	}
	for _, t := range saved {
		if t.ID == kept {
			ways.Saved, ways.Keep = kept, false
			return catalogue.Tool(t.Rail), ways, nil
		}
	}
	return "", ways, fault.Because(fault.Invalid, "tool_off", "This saved way to pay can no longer be used. Choose another one.", nil)
}

func isWebAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http")
}

// fits fails, in the customer's words, for a way to pay that the shop has and
// that does not fit. What the policy refuses is said by the renewal rules; what
// the shop does not have, by the desk.
func (s *Server) fits(v ui.Voice, a order.Asking, rail payment.Rail, w order.Ways) error {
	if w.Saved != "" || a.Quote.Price.IsZero() || !v.Now.Before(a.Quote.ExpiresAt) {
		return nil
	}
	for _, u := range s.Desk.Unoffered(a) {
		if u.Rail == rail && u.Why != order.RefusedByPolicy {
			text := v.NotOffered(u, a.Quote.Price.Currency)
			if u.Instead != "" {
				text += " " + v.Instead(u.Instead)
			}
			return said{fault.Because(fault.Invalid, "tool_currency", "This way to pay does not take that currency or amount. Choose another one.", nil), text}
		}
	}
	return nil
}

// collect begins to collect a placed order's price. What goes wrong stands in the
// order: it waits, and can be paid again.
func (s *Server) collect(ctx context.Context, o order.Order, rail payment.Rail, w order.Ways) {
	if _, err := s.Desk.Pay(ctx, o.Ref(), rail, s.home(o, w)); err != nil && fault.KindOf(err) == fault.Internal {
		s.Log.ErrorContext(ctx, "api: pay", "order", o.ID, "err", err)
	}
}

// home lets customers come back to the order's page in the shop where the request
// says nothing else.
func (s *Server) home(o order.Order, w order.Ways) order.Ways {
	if w.Return == "" {
		page := s.URL + "/orders/" + o.ID
		w.Return, w.Cancel = page+"?back=1", page+"?back=0"
	}
	return w
}

func (s *Server) payOrder(ctx context.Context, c *call, in *newPayment) (Order, error) {
	owner, err := c.account(in.Order)
	if err != nil {
		return Order{}, err
	}
	k := order.Key{Account: owner, ID: in.Order}
	type facts struct {
		order order.Order
		ask   order.Asking
		saved []order.SavedTool
	}
	f, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (f facts, err error) {
		if f.order, err = order.Get(ctx, tx, k); err != nil {
			return f, err
		}
		if err := s.mayBuy(ctx, tx, owner); err != nil {
			return f, err
		}
		f.ask, err = s.askingFor(ctx, tx, f.order)
		if err != nil {
			return f, err
		}
		all, err := order.SavedTools(ctx, tx, owner)
		f.saved = s.Desk.Chargeable(all)
		return f, err
	})
	if err != nil {
		return Order{}, err
	}
	tool, ways, err := s.waysOf(c, f.saved, in.Body)
	if err == nil && f.order.State == order.Placed {
		err = s.fits(c.voice, f.ask, payment.Rail(tool), ways)
	}
	if err != nil {
		return Order{}, err
	}
	if _, err := s.Desk.Pay(ctx, k, payment.Rail(tool), s.home(f.order, ways)); err != nil {
		return Order{}, err
	}
	return s.readOrder(ctx, c, k)
}

// askingFor is what an order still waits for.
func (s *Server) askingFor(ctx context.Context, tx db.Tx, o order.Order) (order.Asking, error) {
	cat, err := s.Shelf.At(ctx, tx, o.Catalogue)
	if err != nil {
		return order.Asking{}, err
	}
	customer, err := accountOf(ctx, tx, o.Account)
	if err != nil {
		return order.Asking{}, err
	}
	plan := ""
	if o.Line != "" {
		if plan, err = planOfLine(ctx, tx, o); err != nil {
			return order.Asking{}, err
		}
	}
	q := order.Quote{Kind: o.Kind, Price: money.Of(o.Rest().Minor, o.Price.Currency), ExpiresAt: o.ExpiresAt}
	return order.AskingFor(q, cat, plan, customer.Zone), nil
}

func (s *Server) resumeOrder(ctx context.Context, c *call, in *comeBack) (Order, error) {
	owner, err := c.account(in.Order)
	if err != nil {
		return Order{}, err
	}
	k := order.Key{Account: owner, ID: in.Order}
	query, err := url.ParseQuery(strings.TrimPrefix(in.Body.Query, "?"))
	if err != nil {
		return Order{}, fault.Because(fault.Invalid, "api_query", "This is not what follows the ? in an address.", nil)
	}
	o, err := s.told(ctx, k)
	if err != nil {
		return Order{}, err
	}
	if o.order.State == order.Placed {
		if err := s.Desk.Resume(ctx, k, query); err != nil {
			return Order{}, err
		}
	}
	return s.readOrder(ctx, c, k)
}

func (s *Server) cancelOrder(ctx context.Context, c *call, in *OfOrder) (Order, error) {
	owner, err := c.account(in.Order)
	if err != nil {
		return Order{}, err
	}
	k := order.Key{Account: owner, ID: in.Order}
	if _, err := s.Desk.Cancel(ctx, k); err != nil {
		return Order{}, err
	}
	return s.readOrder(ctx, c, k)
}
