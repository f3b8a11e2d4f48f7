package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Order is the acceptance of a quote, and how far it has come.
type Order struct {
	ID          string        `json:"id" example:"ord_01kjx3v5w8m2n4p6q801kjx3v5w8m2n4p6"`
	Account     string        `json:"account"`
	Quote       string        `json:"quote,omitempty"`
	Kind        string        `json:"kind" doc:"term, pack, topup, or line: a new one."`
	Line        string        `json:"line,omitempty"`
	Item        string        `json:"item,omitempty"`
	Name        string        `json:"name"`
	State       string        `json:"state" enum:"placed,paid,fulfilling,completed,cancelled,refund_due,refunded,held" doc:"docs/states.md has every move. completed, cancelled and refunded are final."`
	Text        string        `json:"text" doc:"What has happened, in a sentence."`
	Next        string        `json:"next,omitempty" doc:"What happens next, or what the customer can do."`
	Why         string        `json:"why,omitempty" doc:"Why it did not go as it was meant to."`
	Price       Money         `json:"price"`
	Parts       Parts         `json:"parts" doc:"What pays the price."`
	Tool        string        `json:"tool" doc:"What pays the last part."`
	StartsAt    *time.Time    `json:"startsAt,omitempty" doc:"Of the service that is bought."`
	EndsAt      *time.Time    `json:"endsAt,omitempty" doc:"Exclusive."`
	Zone        string        `json:"zone,omitempty"`
	PlacedAt    time.Time     `json:"placedAt"`
	PaidAt      *time.Time    `json:"paidAt,omitempty"`
	SentAt      *time.Time    `json:"sentAt,omitempty" doc:"To the operator."`
	CompletedAt *time.Time    `json:"completedAt,omitempty" doc:"Or cancelled, or refunded."`
	PayBefore   *time.Time    `json:"payBefore,omitempty" doc:"While it waits for money."`
	Together    string        `json:"together,omitempty" doc:"The first of the orders that one payment pays."`
	Steps       []OrderStep   `json:"steps,omitempty" nullable:"false" doc:"Only where one order is asked for."`
	Payment     *Payment      `json:"payment,omitempty" doc:"The newest attempt to collect the money. Only where one order is asked for."`
	Refunds     []Refund      `json:"refunds,omitempty" nullable:"false" doc:"Only where one order is asked for."`
	Bills       []BillOfOrder `json:"bills,omitempty" nullable:"false" doc:"Only where one order is asked for."`
}

// Parts is what pays a price: discount, wallet and rest sum to it.
type Parts struct {
	Points   int64 `json:"points,omitempty"`
	Discount int64 `json:"discount,omitempty" doc:"Minor units that the points pay."`
	Wallet   int64 `json:"wallet,omitempty" doc:"Minor units."`
	Rest     int64 `json:"rest,omitempty" doc:"Minor units that the tool collects."`
}

// OrderStep is one step of an order.
type OrderStep struct {
	Name  string     `json:"name"`
	State string     `json:"state" enum:"done,now,ahead,wrong"`
	At    *time.Time `json:"at,omitempty"`
}

// Payment is one attempt to collect an order's money.
type Payment struct {
	ID     string      `json:"id"`
	Tool   string      `json:"tool"`
	State  string      `json:"state" enum:"created,open,needs_customer,approved,pending,paid,dead,unknown" doc:"unknown: the provider has not answered yet; it is asked again."`
	Amount Money       `json:"amount"`
	Reason string      `json:"reason,omitempty" doc:"Why the last debit failed."`
	Why    string      `json:"why,omitempty" doc:"The same in words."`
	Next   *NextAction `json:"next,omitempty" doc:"What the customer must do."`
}

// NextAction is what the customer must do to pay: any one of these.
type NextAction struct {
	RedirectURL string `json:"redirectUrl,omitempty" format:"uri" doc:"Open this page."`
	AppURL      string `json:"appUrl,omitempty" doc:"Open this link on a phone: it leads into the provider's app."`
	QR          string `json:"qr,omitempty" doc:"Scan this text as a QR code."`
}

// Refund is one return of money.
type Refund struct {
	ID     string     `json:"id"`
	Amount Money      `json:"amount"`
	State  string     `json:"state" enum:"due,sent,unknown,done,failed"`
	Text   string     `json:"text"`
	DoneAt *time.Time `json:"doneAt,omitempty"`
}

// BillOfOrder leads to a document.
type BillOfOrder struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Number string `json:"number,omitempty" doc:"Absent for the few seconds until it has one."`
}

// Orders are one page of a customer's orders.
type Orders struct {
	Orders []Order `json:"orders" nullable:"false" doc:"Newest first."`
	Next   string  `json:"next,omitempty" doc:"The cursor of the next page; absent: this is the last one."`
}

// Page is where a list goes on, and how long one page is.
type Page struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"As the last page named it; absent: from the beginning."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"How many at most."`
}

// after is the identifier after which a page begins; "" for the first page.
func (p Page) after() (string, error) {
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err == nil && len(text) > 0 {
		_, err = id.AccountOf(string(text))
	}
	if err != nil {
		return "", fault.Because(fault.Invalid, "api_cursor", "This cursor was not made by us. Begin the list anew, without one.", nil)
	}
	return string(text), nil
}

func cursorAt(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

// OfOrder names an order.
type OfOrder struct {
	Order string `path:"order" maxLength:"64"`
}

type ordersInput struct {
	OfAccount
	Page
	Line string `query:"line" maxLength:"64" doc:"Only those of one line."`
}

func (s *Server) addOrders(d huma.API) {
	s.addPlacing(d)
	add(s, d, route{
		id: "get-order", method: http.MethodGet, path: "/orders/{order}", scope: Read, tag: "Renewing", summary: "How far an order is",
	}, s.getOrder)
	add(s, d, route{
		id: "list-orders", method: http.MethodGet, path: "/accounts/{account}/orders", scope: Read, tag: "Customers", summary: "A customer's orders",
	}, s.listOrders)
}

// told is an order with everything that is told of it.
type told struct {
	order    order.Order
	cat      *catalogue.Catalogue
	payments []order.Payment
	refunds  []order.Refund
	bills    []billing.Bill
}

func (s *Server) told(ctx context.Context, k order.Key) (told, error) {
	return db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (t told, err error) {
		if t.order, err = order.Get(ctx, tx, k); err != nil {
			return t, err
		}
		if t.cat, err = s.Shelf.At(ctx, tx, t.order.Catalogue); err != nil {
			return t, err
		}
		if t.payments, err = order.Payments(ctx, tx, k); err != nil {
			return t, err
		}
		if t.refunds, err = order.Refunds(ctx, tx, k); err != nil {
			return t, err
		}
		t.bills, err = billing.OfOrder(ctx, tx, k.Account, k.ID)
		return t, err
	})
}

func (s *Server) getOrder(ctx context.Context, c *call, in *OfOrder) (Order, error) {
	owner, err := c.account(in.Order)
	if err != nil {
		return Order{}, err
	}
	return s.readOrder(ctx, c, order.Key{Account: owner, ID: in.Order})
}

func (s *Server) readOrder(ctx context.Context, c *call, k order.Key) (Order, error) {
	t, err := s.told(ctx, k)
	if err != nil {
		return Order{}, err
	}
	return s.tell(c.voice, t), nil
}

// tell is everything about one order.
func (s *Server) tell(v ui.Voice, t told) Order {
	live := order.Payment{}
	if i := slices.IndexFunc(t.payments, func(p order.Payment) bool { return p.Live }); i >= 0 {
		live = t.payments[i]
	}
	out := orderOf(v, t.cat, t.order, live)
	var billed time.Time
	for _, b := range t.bills {
		out.Bills = append(out.Bills, BillOfOrder{b.ID, string(b.Kind), b.Title()})
		switch {
		case b.Kind != billing.CreditNote:
			billed = b.IssuedAt
		case b.Total == t.order.Charged() && t.order.Kind != order.TopUp:
			out.Text, out.Next = v.Credited(ui.Progress{}, b.Total).Lead, ""
		}
	}
	for _, step := range v.Progress(t.order, live, billed, time.UTC).Steps {
		out.Steps = append(out.Steps, OrderStep{step.Name, string(step.State), instant(step.Since)})
	}
	for _, r := range t.refunds {
		out.Refunds = append(out.Refunds, Refund{r.ID, moneyOf(r.Amount), string(r.State), v.T("refund_state." + string(r.State)), instant(r.DoneAt)})
	}
	if n := len(t.payments); n > 0 {
		out.Payment = s.paymentOf(v, t.payments[n-1])
	}
	return out
}

// orderOf is what a list says of an order.
func orderOf(v ui.Voice, c *catalogue.Catalogue, o order.Order, live order.Payment) Order {
	told := v.Progress(o, live, time.Time{}, time.UTC)
	out := Order{
		ID: o.ID, Account: o.Account, Quote: o.Quote, Kind: string(o.Kind), Line: o.Line, Name: v.SaleName(c, o.Kind, o.Plan, o.Item), State: string(o.State),
		Text: told.Lead, Next: told.Next, Why: v.Why(o), Price: moneyOf(o.Price), Tool: string(o.Tool),
		Parts:    Parts{o.Parts.Points, o.Parts.Discount, o.Parts.Wallet, o.Parts.Rest},
		StartsAt: instant(o.StartsAt), EndsAt: instant(o.EndsAt), PlacedAt: o.PlacedAt.UTC(), PaidAt: instant(o.PaidAt), SentAt: instant(o.AskedAt),
		CompletedAt: instant(o.CompletedAt), Together: o.Basket,
	}
	if o.State == order.Placed {
		out.PayBefore = instant(o.ExpiresAt)
	}
	if o.Line != "" {
		item := renewal.Item{Kind: renewal.Kind(o.Kind), Plan: o.Plan, ID: o.Item}
		out.Item, out.Zone = ui.ValueOf(item), placeOf(c, o.Plan).loc.String()
	}
	return out
}

func (s *Server) paymentOf(v ui.Voice, p order.Payment) *Payment {
	out := &Payment{ID: p.ID, Tool: string(p.Rail), State: string(p.State), Amount: moneyOf(p.Amount), Reason: string(p.Reason)}
	if p.Tool != "" {
		out.Tool = savedPrefix + p.Tool
	}
	if p.Reason != "" {
		out.Why = v.PaymentWhy(p.Reason)
	}
	if p.State == payment.NeedsCustomer && p.Next != (payment.Next{}) && !s.Desk.Stale(p) {
		out.Next = &NextAction{p.Next.RedirectURL, p.Next.AppURL, p.Next.QR}
	}
	return out
}

func (s *Server) listOrders(ctx context.Context, c *call, in *ordersInput) (Orders, error) {
	after, err := in.after()
	if err != nil {
		return Orders{}, err
	}
	type facts struct {
		orders []order.Order
		cat    *catalogue.Catalogue
	}
	f, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (f facts, err error) {
		if err := c.customer(ctx, tx, in.Account); err != nil {
			return f, err
		}
		if f.cat, err = s.Shelf.Current(ctx, tx); err != nil {
			return f, err
		}
		f.orders, err = order.Page(ctx, tx, in.Account, in.Line, after, in.Limit+1)
		return f, err
	})
	if err != nil {
		return Orders{}, err
	}
	out := Orders{Orders: []Order{}}
	for i, o := range f.orders {
		if i == in.Limit {
			out.Next = cursorAt(out.Orders[i-1].ID)
			break
		}
		out.Orders = append(out.Orders, orderOf(c.voice, f.cat, o, order.Payment{}))
	}
	return out, nil
}

// of are the parts of a price; the tool collects what they leave.
func (p Parts) of(m money.Money) order.Parts {
	return order.Parts{Points: p.Points, Discount: p.Discount, Wallet: p.Wallet, Rest: m.Minor - p.Discount - p.Wallet}
}
