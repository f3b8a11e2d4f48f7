package portal

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/ui"
)

// orderPage is everything order.html may use.
type orderPage struct {
	ui.Frame
	ID       string
	Live     string // where its changes are told; "" while nothing is awaited
	What     string
	Progress ui.Progress
	Why      string
	Trouble  string // why the last debit failed
	Way      *payWay
	Tools    []tool // while it can still be paid
	Unfit    []unfit
	Keep     string
	SignIn   string
	Wallet   string // offers the wallet in the tool's place; "" where it cannot pay
	Waits    bool   // for money: it can be given up
	Done     bool   // what was ordered is there

	Given     string // how much of it was given back after that; ""
	AskRefund bool   // its plan gives money back while nothing was used, which a person looks at
	CanCancel bool   // its period waits, and can be cancelled

	Pay      string
	PayUntil string
	Line     lineView
	Open     bool // the line's own page may be seen
	Install  bool // it is a new line, and is there
	Plan     string
	PlanID   string
	Starts   ui.Moment
	Ends     ui.Moment
	Price    string
	Tool     string    // empty where Parts say it
	Parts    []partRow // where there are several
	Basket   string    // the page of those that are paid together with it
	Bills    []billLink
	Refunds  []refundRow
	Again    string   // where something else is chosen
	Disputed []string // what the customer's bank says of the payment
	Owing    *owing
}

// billLink leads to a document.
type billLink struct{ ID, Label, Title string }

// refundRow is one refund and how far it is.
type refundRow struct {
	Amount, State string
	Sent          ui.Moment // when it was sent; zero: not yet
	Arrives       string    // how long it usually takes from then
}

// refundRows say where the money is.
func (v *visit) refundRows(t told, loc *time.Location) (rows []refundRow) {
	for _, r := range t.refunds {
		row := refundRow{Amount: v.voice.Money(r.Amount), State: v.voice.T("refund_state." + string(r.State))}
		sent := cmp.Or(r.AskedAt, r.DoneAt)
		if r.State != payment.RefundFailed && !sent.IsZero() {
			rail := payment.Wallet
			for _, p := range t.payments {
				if p.ID == r.Payment {
					rail = p.Rail
				}
			}
			row.Sent, row.Arrives = v.voice.Moment(sent, loc), v.voice.Either("refund.arrives."+string(rail), "refund.arrives.other", nil)
		}
		rows = append(rows, row)
	}
	return rows
}

// told is an order with everything that its page tells.
type told struct {
	order    order.Order
	line     line.Line // zero for a top-up
	cat      *catalogue.Catalogue
	payments []order.Payment
	refunds  []order.Refund
	bills    []billing.Bill
	purse    purse
	wallet   money.Money     // while the order waits for money
	disputes []order.Dispute // of its payments
	debts    []order.Dispute // of the account's
	back     bool            // its new line was given back

	waits     bool            // its period has not begun, and can be cancelled as far as we know
	returning order.Returning // what that would come to
	stays     error           // why it cannot be
}

// linkShows is how long an order's result can be seen through a link that
// needs no signing in.
const linkShows = 24 * time.Hour

// orderPage shows each step of an order. Whoever comes back from a provider's
// page is recognised by what was added to the address; the provider is asked,
// and what the address says is not believed.
func (s *Server) orderPage(ctx context.Context, v *visit) (answer, error) {
	k, t, err := v.told(ctx)
	if err != nil {
		return answer{}, err
	}
	if v.r.URL.RawQuery != "" {
		if t.order.State == order.Placed {
			if err := s.Desk.Resume(ctx, t.order.Ref(), v.r.URL.Query()); err != nil {
				return answer{}, err
			}
		}
		return goTo("/orders/" + t.order.ID), nil
	}
	if t.order.State == order.Placed && t.order.Basket != "" && !k.limited() {
		return goTo(pathOf(t.order)), nil // it is paid with the others
	}
	return show("order.html", v.story(k, t)), nil
}

func (v *visit) told(ctx context.Context) (keyhole, told, error) {
	id := v.r.PathValue("id")
	k, err := v.at(id)
	if err != nil {
		return k, told{}, err
	}
	key := order.Key{Account: k.account, ID: id}
	t, err := db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (t told, err error) {
		if t.order, err = order.Get(ctx, tx, key); err != nil {
			return t, err
		}
		if err := k.shows(t.order.Line); err != nil {
			return t, err
		}
		if k.limited() && t.order.State.Final() && t.order.PlacedAt.Before(tx.Now().Add(-linkShows)) {
			return t, errSignIn
		}
		if t.cat, err = v.server.Shelf.At(ctx, tx, t.order.Catalogue); err != nil {
			return t, err
		}
		if t.order.Line != "" && (t.order.Kind != order.NewLine || t.order.State == order.Completed) {
			if t.line, err = line.Get(ctx, tx, k.account, t.order.Line); err != nil {
				return t, err
			}
			state, err := order.WithdrawalState(ctx, tx, key)
			if err != nil {
				return t, err
			}
			t.back = state == order.WithdrawDone
		}
		if t.payments, err = order.Payments(ctx, tx, key); err != nil {
			return t, err
		}
		if t.refunds, err = order.Refunds(ctx, tx, key); err != nil {
			return t, err
		}
		if t.purse, err = v.purse(ctx, tx, k, t.order.Quote); err != nil {
			return t, err
		}
		if t.order.State == order.Placed {
			if t.wallet, err = ledger.Balance(ctx, tx, k.account, ledger.Wallet, t.order.Price.Currency); err != nil {
				return t, err
			}
		}
		if t.disputes, err = order.Disputes(ctx, tx, t.order); err != nil {
			return t, err
		}
		if t.debts, err = order.Debts(ctx, tx, k.account); err != nil {
			return t, err
		}
		if t.bills, err = billing.OfOrder(ctx, tx, k.account, id); err != nil {
			return t, err
		}
		t.returning, t.stays = v.server.Desk.Cancelling(ctx, tx, t.order)
		if t.waits = t.stays == nil; fault.KindOf(t.stays) == fault.Conflict {
			return t, nil
		}
		return t, t.stays
	})
	return k, t, err
}

// live is the attempt that is open; the zero Payment without one.
func (t told) live() order.Payment {
	for _, p := range t.payments {
		if p.Live {
			return p
		}
	}
	return order.Payment{}
}

// credited is what of a completed order was given back, or is on its way.
func (t told) credited() (sum money.Money) {
	sum.Currency = t.order.Price.Currency
	for _, b := range t.bills {
		if b.Kind == billing.CreditNote && t.order.State == order.Completed {
			sum.Minor += b.Total.Minor
		}
	}
	return sum
}

func (v *visit) story(k keyhole, t told) orderPage {
	o, at := t.order, placeOf(t.cat, t.order.Plan)
	if o.Kind == order.TopUp {
		at.loc = v.shopZone()
	}
	p := orderPage{
		Frame: v.frame(""), ID: o.ID, What: v.saleName(t.cat, o), Price: v.voice.Money(o.Price), Tool: v.voice.Tool(o.Tool),
		Why: v.voice.Why(o), Open: !k.limited(), Again: chosenAt(o),
	}
	if p.Parts = v.partRows(o.Parts, o.Price.Currency, o.Tool); p.Parts != nil {
		p.Tool = ""
	}
	if o.Basket != "" && !k.limited() {
		p.Basket = pathOf(o)
	}
	var billed time.Time
	for _, b := range t.bills {
		if b.Kind != billing.CreditNote {
			billed = b.IssuedAt
		}
		if !k.limited() {
			p.Bills = append(p.Bills, billLink{b.ID, v.billKind(b), v.billTitle(b)})
		}
	}
	p.Progress = v.voice.Progress(o, t.live(), billed, at.loc)
	if by, hand := v.server.Desk.HandTime(t.cat, t.line, o); hand {
		p.Progress = v.voice.ByHand(p.Progress, o, by, at.loc)
	}
	if p.Progress.Moving {
		since := o.UpdatedAt
		if live := t.live(); live.UpdatedAt.After(since) {
			since = live.UpdatedAt
		}
		p.Refresh = patience(v.voice.Now.Sub(since))
	}
	switch {
	case o.Kind == order.NewLine:
		p.Plan, p.PlanID = v.voice.PlanName(t.cat, o.Plan), o.Plan
		if t.line.ID != "" {
			p.Line, p.Install = v.lineView(t.line), p.Open
		}
		if !o.StartsAt.IsZero() {
			p.Starts, p.Ends = v.voice.Moment(o.StartsAt, at.loc), v.voice.End(o.EndsAt, at.loc)
		}
	case o.Line != "":
		p.Line, p.Plan, p.PlanID = v.lineView(t.line), v.voice.PlanName(t.cat, o.Plan), o.Plan
		p.Starts, p.Ends = v.voice.Moment(o.StartsAt, at.loc), v.voice.End(o.EndsAt, at.loc)
	}
	p.Refunds = v.refundRows(t, at.loc)
	p.Done = o.State == order.Completed
	v.undone(&p, t)
	p.Title = p.Progress.Badge.Word + " – " + p.What
	p.CanCancel = t.waits && p.Open
	p.AskRefund = p.Done && p.Open && !p.CanCancel && o.Kind == order.Term && at.plan.Policy.Refund == catalogue.RefundBeforeUse && v.voice.Now.Before(o.EndsAt)
	p.Waits = o.State == order.Placed && (o.Basket == "" || !k.limited())
	p.Disputed = v.disputeLines(t.disputes)
	if slices.ContainsFunc(t.disputes, func(d order.Dispute) bool { return !d.Open().IsZero() }) {
		p.Owing = v.owing(k, t.debts)
	}
	v.addPaying(&p, k, t, at)
	v.watching(&p, t)
	if o.State != order.Placed && o.State != order.Cancelled && o.State != order.Refunded {
		p.Again = "" // it goes on, or is done
	}
	return p
}

// undone says what of an order was given back after it was completed, and of one whose
// service there never was, or is no more, no times and nothing to install.
func (v *visit) undone(p *orderPage, t told) {
	o, credited := t.order, t.credited()
	switch {
	case t.back:
		p.Progress = v.voice.Withdrawn(p.Progress)
	case wholly(credited, o):
		p.Progress = v.voice.Credited(p.Progress, credited)
		credited.Minor = 0
	case o.State != order.Cancelled && o.State != order.RefundDue && o.State != order.Refunded:
		p.Given = v.given(credited)
		return
	}
	p.Given = v.given(credited)
	p.Done, p.Install, p.Starts, p.Ends = false, false, ui.Moment{}, ui.Moment{}
}

// wholly reports whether that much of a completed order is all that it took. Money that
// was put into the wallet is another matter: it was there.
func wholly(credited money.Money, o order.Order) bool {
	return !credited.IsZero() && credited == o.Charged() && o.Kind != order.TopUp
}

// given says how much of an order was given back; nothing of nothing.
func (v *visit) given(m money.Money) string {
	if m.IsZero() {
		return ""
	}
	return v.voice.Say("order.page.given_back", locale.Args{"amount": m})
}

// addPaying offers the ways to pay an order that is still waiting for money.
func (v *visit) addPaying(p *orderPage, k keyhole, t told, at place) {
	o := t.order
	if o.State != order.Placed {
		return
	}
	if o.Kind != order.TopUp {
		p.Owing = v.owing(k, t.debts)
	}
	if n := len(t.payments); n > 0 && failed(t.payments[n-1]) {
		p.Trouble = v.voice.PaymentWhy(t.payments[n-1].Reason)
	}
	if o.Basket != "" && p.ID != o.Basket {
		return // it is paid with the others, on their page
	}
	if p.Progress.Moving && !v.unheard(t.live()) || !v.voice.Now.Before(o.ExpiresAt) || v.stopped(t.debts, o.Kind, o.Parts) {
		return
	}
	if p.Owing != nil {
		t.purse = purse{} // the account's own tools are closed
	}
	if p.Way = v.wayOn(t.live()); p.Way != nil {
		p.Refresh = patience(v.voice.Now.Sub(t.live().CreatedAt))
	}
	switch {
	case p.Progress.Moving:
		p.Progress.Next = v.voice.T("order.placed.unheard.next")
	case p.Way != nil:
		p.Progress.Next = v.voice.Say("order.placed.way.next", locale.Args{"tool": v.voice.Tool(catalogue.Tool(t.live().Rail))})
	}
	ask := v.askingFor(t)
	p.Tools = v.tools(k, ask, nil, t.purse)
	p.Unfit = v.unfits(ask, p.Tools, elsewise{})
	if p.Owing == nil {
		p.Wallet = v.fromWallet(k, t, ask)
	}
	p.Keep, p.SignIn = v.keepWords(k, p.Tools), v.signInFor(k, "/orders/"+o.ID)
	for i := range p.Tools {
		p.Tools[i].Chosen = p.Tools[i].Value == string(o.Tool) && !p.Tools[i].Off
	}
	p.Pay = v.voice.Say("review.pay", locale.Args{"amount": o.Rest()})
	p.PayUntil = v.voice.Say("order.page.pay_until", locale.Args{"time": v.voice.Moment(o.ExpiresAt, at.loc).Text})
}

// askingFor is what an order still waits for.
func (v *visit) askingFor(t told) order.Asking {
	o := t.order
	plan := t.line.Plan
	if o.Kind == order.NewLine {
		plan = o.Plan
	}
	return v.asking(order.Quote{Kind: o.Kind, Price: o.Rest(), ExpiresAt: o.ExpiresAt}, t.cat, plan)
}

// startPatience is how long a provider's answer to the start of a payment is
// waited for before the customer is let try again, or otherwise: the former
// attempt is closed then, or what it may still bring goes back.
const startPatience = 30 * time.Second

// unheard reports whether we waited that long.
func (v *visit) unheard(live order.Payment) bool {
	return (live.State == payment.Created || live.State == payment.Unknown) && v.voice.Now.Sub(live.CreatedAt) >= startPatience
}

// failed reports whether a debit failed, for good or in a session in which the
// customer can try another card.
func failed(p order.Payment) bool {
	return p.State == payment.Dead || p.State == payment.NeedsCustomer && p.Reason != ""
}

// patience is after how many seconds a page that waits is asked for again.
func patience(waited time.Duration) int {
	switch {
	case waited < time.Minute:
		return 3
	case waited < 10*time.Minute:
		return 10
	}
	return 60
}

// payOrder collects an order that waits for money with the chosen tool.
func (s *Server) payOrder(ctx context.Context, v *visit) (answer, error) {
	k, t, err := v.told(ctx)
	if err != nil {
		return answer{}, err
	}
	if err := v.mayBuy(ctx, k); err != nil {
		return answer{}, err
	}
	tool, with, err := v.chosen(k, t.purse)
	if err != nil {
		return answer{}, err
	}
	rail := payment.Rail(tool)
	if _, ok := s.Desk.Rails[rail]; !ok {
		return answer{}, fault.Because(fault.Invalid, "tool_unknown", "This shop does not take that. Choose another way to pay.", nil)
	}
	if t.order.State != order.Placed || t.order.Basket != "" {
		return goTo("/orders/" + t.order.ID), nil
	}
	if err := v.refuses(v.askingFor(t), rail, with); err != nil {
		p := v.story(k, t)
		p.Notice = v.notice(err)
		return answer{template: "order.html", page: p, status: fault.Invalid.Status()}, nil
	}
	if err := s.takeOneTap(ctx, k, t.order.Quote, tool, with.saved); err != nil {
		return answer{}, err
	}
	return goTo(s.collect(ctx, v, t.order, rail, with)), nil
}

// cancelOrder gives up an order that waits for money, with those that are paid
// together with it.
func (s *Server) cancelOrder(ctx context.Context, v *visit) (answer, error) {
	k, t, err := v.told(ctx)
	if err != nil {
		return answer{}, err
	}
	if t.order.Basket != "" && k.limited() {
		return answer{}, errSignIn
	}
	_, err = s.Desk.Cancel(ctx, t.order.Ref())
	if fault.KindOf(err) == fault.Conflict {
		return v.notGivenUp(ctx, k, t, err)
	}
	if err != nil {
		return answer{}, err
	}
	return goTo(pathOf(t.order)), nil
}

// orderRow is one order in a list.
type orderRow struct {
	ID, Name, Price string
	Line            string // its name and last digits; "" where the page is about one line
	Badge           ui.Badge
	At              ui.Moment
}

// pastOrders are orders, the newest first, of some of which something was given back
// after they were served.
type pastOrders struct {
	list     []order.Order
	credited map[string]money.Money // by order
}

// readOrders reads the newest orders of an account, or of one line.
func readOrders(ctx context.Context, tx db.Tx, account, line string, most int) (p pastOrders, err error) {
	if p.list, err = order.List(ctx, tx, account, line, most); err != nil {
		return p, err
	}
	p.credited, err = billing.Credited(ctx, tx, account)
	return p, err
}

// withLines says of each order which line it is for.
func (v *visit) withLines(rows []orderRow, orders []order.Order, lines []line.Line) []orderRow {
	for i, o := range orders {
		if at := slices.IndexFunc(lines, func(l line.Line) bool { return l.ID == o.Line }); at >= 0 && o.Line != "" {
			own := v.lineView(lines[at])
			rows[i].Line = own.Name + " …" + own.LastFour
		}
	}
	return rows
}

func (v *visit) orderRows(past pastOrders) (rows []orderRow) {
	for _, o := range past.list {
		loc := v.shopZone()
		if o.Line != "" {
			loc = placeOf(v.shop, o.Plan).loc
		}
		p := v.voice.Progress(o, order.Payment{}, time.Time{}, loc)
		if all := past.credited[o.ID]; wholly(all, o) {
			p = v.voice.Credited(p, all)
		}
		rows = append(rows, orderRow{
			ID: o.ID, Name: v.orderName(v.shop, o), Price: v.voice.Money(o.Price),
			Badge: p.Badge, At: v.voice.Moment(o.PlacedAt, loc),
		})
	}
	return rows
}

// orderName says what an order is for.
func (v *visit) orderName(c *catalogue.Catalogue, o order.Order) string {
	return v.voice.SaleName(c, o.Kind, o.Plan, o.Item)
}

// saleName says what an order is for, and of which plan, where nothing beside it does.
func (v *visit) saleName(c *catalogue.Catalogue, o order.Order) string {
	if o.Kind == order.Term || o.Kind == order.Pack {
		return v.voice.PlanName(c, o.Plan) + " · " + v.orderName(c, o)
	}
	return v.orderName(c, o)
}
