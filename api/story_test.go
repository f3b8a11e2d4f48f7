package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// A whole renewal by a program: who, which line, what is left, what we would
// take, a quote, an order from the wallet, its bill; then another with a card,
// which is kept, and one with the kept card; and one that is given up. Every
// operation is asked for on the way, and every answer is as the document says.
func TestRenewalByAProgram(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, token := w.key("", Read, Renew, Staff)
	p := w.program(token)

	aiko := want[Account](p, http.StatusOK, "POST", "/accounts/find", map[string]any{"email": " Aiko@example.com"})
	if got := read[Account](p, "/accounts/"+aiko.ID); got != aiko || aiko.ID != w.aiko.ID {
		t.Errorf("found %+v, read %+v", aiko, got)
	}
	lines := read[Lines](p, "/accounts/"+aiko.ID+"/lines").Lines
	if len(lines) != 2 || lines[0].Left == nil || lines[0].Left.Text == "" {
		t.Fatalf("lines: %+v", lines)
	}
	read[Plans](p, "/plans")
	if plan := read[Plan](p, "/plans/machi-5gb"); len(plan.Rules) == 0 || plan.Zone != "Asia/Tokyo" {
		t.Errorf("plan: %+v", plan)
	}
	if r := read[Roaming](p, "/roaming?home=AT%26T&days=5"); !r.Reliable || r.PerDay == nil || *r.Trip != (Money{6000, "USD"}) || r.Source == "" || r.AsOf != "2025" {
		t.Errorf("roaming: %+v", r)
	}
	if r := read[Roaming](p, "/roaming?home=China+Mobile"); r.Reliable || r.PerDay != nil || r.Why == "" || len(r.Homes) < 4 {
		t.Errorf("weak roaming: %+v", r)
	}
	phone := want[Phone](p, http.StatusOK, "POST", "/devices/check", map[string]any{"phone": "iphone15", "plan": "machi-5gb", "soldIn": "CN"})
	if phone.Name != "Apple iPhone 15" || len(phone.Verdicts) != 1 || phone.Verdicts[0].Answer != "no_esim" || phone.Verdicts[0].Text == "" {
		t.Errorf("phone: %+v", phone)
	}
	if eid := want[Phone](p, http.StatusOK, "POST", "/devices/check", map[string]any{"phone": "89049032123451234512345678901235"}); len(eid.Verdicts) < 5 || !eid.EID {
		t.Errorf("an EID: %+v", eid)
	}
	if none := want[Phone](p, http.StatusOK, "POST", "/devices/check", map[string]any{"phone": "Telegraph 1844"}); len(none.Verdicts) != 0 {
		t.Errorf("no phone: %+v", none)
	}
	at := "/lines/" + w.lines["volume"]
	l := read[Line](p, at)
	if l.State != "active" || len(l.Periods) != 1 || *l.Left.LeftBytes != 4<<30 || *l.Left.TotalBytes != 10<<30 || l.Left.Unlimited {
		t.Errorf("line: %+v %+v", l, l.Left)
	}
	if u := read[Usage](p, at+"/usage"); len(u.Days) == 0 || u.Zone != "Asia/Tokyo" {
		t.Errorf("usage: %+v", u)
	}

	if told := want[Told](p, http.StatusOK, "PUT", at+"/stay", map[string]any{"lastDay": "2026-03-20"}); told.LastDay != "2026-03-20" {
		t.Errorf("told: %+v", told)
	}
	read[Advice](p, at+"/advice") // nobody has asked before: nothing is ready
	w.work()
	a := read[Advice](p.with("Accept-Language", "ja"), at+"/advice")
	if a.Forecast == nil || !a.Forecast.Told || a.Forecast.LastDay.Median != "2026-03-20" || a.Forecast.RunsOut == nil {
		t.Errorf("forecast: %+v", a.Forecast)
	}
	r := a.Recommendation
	if r == nil || r.Action != "buy" || r.Sentence == "" || strings.ContainsAny(r.Sentence, "{}") || !strings.Contains(r.Sentence, "。") {
		t.Fatalf("recommendation: %+v", r)
	}
	offers := read[Offers](p, at+"/offers")
	var price *Money
	for _, o := range offers.Offers {
		if o.Item == r.Item {
			price = &o.Price
		}
	}
	if price == nil || *price != *r.Price {
		t.Fatalf("%s at %v is recommended, and offered at %v", r.Item, r.Price, price)
	}
	want[Told](p, http.StatusOK, "DELETE", at+"/stay", nil)
	if l := read[Line](p, at); l.Stay != "" {
		t.Errorf("still told: %q", l.Stay)
	}

	q := p.quote("volume", r.Item)
	tools := read[Tools](p, "/quotes/"+q.ID+"/tools")
	if len(tools.Tools) != 2 || tools.Tools[0].Tool != "wallet" || !tools.Tools[1].OwnPage || !tools.Tools[1].Keeps || tools.Consent == "" {
		t.Errorf("tools: %+v", tools)
	}
	w.env.Clock.Add(time.Second) // identifiers of one millisecond sort by chance
	o := want[Order](p.with("Idempotency-Key", "one"), http.StatusCreated, "POST", "/orders", accept(q, "wallet"))
	w.work()
	o = read[Order](p, "/orders/"+o.ID)
	if o.State != "completed" || o.CompletedAt == nil || o.Price != q.Price || o.Parts.Wallet != q.Price.Amount || len(o.Bills) != 1 || o.Bills[0].Number == "" || len(o.Steps) != 5 {
		t.Errorf("order: %+v", o)
	}
	if got := read[Quote](p, "/quotes/"+q.ID); got.Order != o.ID {
		t.Errorf("the quote became %q", got.Order)
	}
	if b := read[Bill](p, "/bills/"+o.Bills[0].ID); b.Order != o.ID || b.Total != q.Price || b.Number != o.Bills[0].Number || b.What != "Machi 10 GB, "+q.Name {
		t.Errorf("bill: %+v", b)
	}
	if l := read[Line](p, at); !l.EndsAt.Equal(*o.EndsAt) || len(l.Periods) != 2 {
		t.Errorf("line ends %v, order %v", l.EndsAt, o.EndsAt)
	}

	talks(w, p)
	byCard(w, p)
	fresh := newLine(w, p)
	money := read[Balances](p, "/accounts/"+aiko.ID+"/balances")
	if len(money.Wallet) != 1 || money.Wallet[0].Amount != 12_000-q.Price.Amount-fresh.Amount || len(money.Owed) != 0 {
		t.Errorf("balances: %+v", money)
	}
	if all := read[Orders](p, "/accounts/"+aiko.ID+"/orders"); len(all.Orders) != 5 || all.Next != "" || all.Orders[4].ID != o.ID {
		t.Errorf("orders: %+v", all)
	}
	if all := read[Bills](p, "/accounts/"+aiko.ID+"/bills"); len(all.Bills) != 4 {
		t.Errorf("bills: %+v", all)
	}
	givesBack(w, p)
	takesBack(w, p)
	for path, item := range w.document.Paths {
		for _, op := range []string{"GET", "POST", "PUT", "DELETE"} {
			if known := w.operation(op, path); known != nil && !w.served[known.OperationID] {
				t.Errorf("%s was never answered (%v)", known.OperationID, item != nil)
			}
		}
	}
	w.sound()
}

// newLine buys an eSIM from the wallet, and reads what a phone installs it from.
func newLine(w *town, p *program) Money {
	t := w.t
	t.Helper()
	w.env.Clock.Add(time.Second)
	sold := read[Plan](p, "/plans/machi-5gb").NewLines
	if len(sold) == 0 {
		t.Fatal("no new line is sold")
	}
	quotes := "/accounts/" + w.aiko.ID + "/quotes"
	want[Problem](p, http.StatusUnprocessableEntity, "POST", quotes, map[string]any{"item": "term/machi-5gb/10d", "currency": "JPY"})
	q := want[Quote](p, http.StatusCreated, "POST", quotes, map[string]any{"item": sold[0].Item, "currency": "JPY"})
	if q.Kind != "line" || q.Item != sold[0].Item || q.Price != sold[0].Prices[0] || q.RefundText == "" {
		t.Errorf("quote: %+v", q)
	}
	o := want[Order](p.with("Idempotency-Key", "new"), http.StatusCreated, "POST", "/orders", accept(q, "wallet"))
	w.work()
	if o = read[Order](p, "/orders/"+o.ID); o.State != "completed" {
		t.Fatalf("order: %+v", o)
	}
	l := read[Line](p, "/lines/"+o.Line)
	if l.State != "new" || l.Install == nil || l.Install.By == nil || l.Install.Code != "LPA:1$"+l.Install.Address+"$"+l.Install.Activation {
		t.Errorf("line: %+v %+v", l, l.Install)
	}
	_, token := w.key("", Read)
	if l := read[Line](w.program(token), "/lines/"+o.Line); l.Install != nil {
		t.Error("who may only read is given what installs the line")
	}
	return q.Price
}

// byCard pays at the provider's page and keeps the card, pays with the kept one,
// and gives an order up.
func byCard(w *town, p *program) {
	t := w.t
	t.Helper()
	w.env.Clock.Add(time.Second)
	body := accept(p.quote("fresh", tenDays), "card")
	body["returnUrl"], body["keep"] = "https://app.example/paid?x=1", true
	o := want[Order](p.with("Idempotency-Key", "two"), http.StatusCreated, "POST", "/orders", body)
	if o.State != "placed" || o.Payment == nil || o.Payment.Next == nil || !strings.Contains(o.Payment.Next.RedirectURL, "stripesim") {
		t.Fatalf("order: %+v %+v", o, o.Payment)
	}
	shown, err := w.stripe.Pay(o.ID)
	if err != nil {
		t.Fatal(err)
	}
	back := shown.Redirect
	if !strings.HasPrefix(back, "https://app.example/paid") {
		t.Errorf("the customer comes back to %q", back)
	}
	_, query, _ := strings.Cut(back, "?")
	o = want[Order](p, http.StatusOK, "POST", "/orders/"+o.ID+"/resume", map[string]any{"query": query})
	w.work()
	if o = read[Order](p, "/orders/"+o.ID); o.State != "completed" || o.Payment.State != "paid" {
		t.Errorf("order: %+v %+v", o, o.Payment)
	}

	w.env.Clock.Add(time.Second)
	q := p.quote("fresh", tenDays)
	saved := ""
	for _, tool := range read[Tools](p, "/quotes/"+q.ID+"/tools").Tools {
		if strings.HasPrefix(tool.Tool, savedPrefix) {
			saved = tool.Tool
		}
	}
	o = want[Order](p.with("Idempotency-Key", "three"), http.StatusCreated, "POST", "/orders", accept(q, saved))
	w.work()
	if o = read[Order](p, "/orders/"+o.ID); o.State != "completed" || o.Payment.Tool != saved {
		t.Errorf("order: %+v %+v", o, o.Payment)
	}

	w.env.Clock.Add(time.Second)
	o = want[Order](p.with("Idempotency-Key", "four"), http.StatusCreated, "POST", "/orders", accept(p.quote("fresh", tenDays), "card"))
	again := want[Order](p, http.StatusOK, "POST", "/orders/"+o.ID+"/pay", map[string]any{"tool": "card"})
	if again.Payment.ID != o.Payment.ID {
		t.Errorf("the same tool again opened %s beside %s", again.Payment.ID, o.Payment.ID)
	}
	o = want[Order](p, http.StatusOK, "POST", "/orders/"+o.ID+"/cancel", nil)
	if o.State != "cancelled" {
		t.Errorf("order: %+v", o)
	}
}

// givesBack buys a new eSIM for a customer, reads what giving it back would come to, and
// gives it back, once.
func givesBack(w *town, p *program) {
	t := w.t
	t.Helper()
	w.env.Clock.Add(time.Second)
	q := want[Quote](p, http.StatusCreated, "POST", "/accounts/"+w.aiko.ID+"/quotes", map[string]any{"item": "line/machi-5gb/3d", "currency": "JPY"})
	o := want[Order](p.with("Idempotency-Key", "unwanted"), http.StatusCreated, "POST", "/orders", accept(q, "wallet"))
	w.work()
	o = read[Order](p, "/orders/"+o.ID)
	c := read[Cancellation](p, "/lines/"+o.Line+"/cancellation")
	if o.State != "completed" || c.State != "possible" || c.Order != o.ID || c.Wallet == nil || *c.Wallet != o.Price || c.Until == nil {
		t.Fatalf("%+v, and %+v", o, c)
	}
	if no := read[Cancellation](p, "/lines/"+w.lines["fresh"]+"/cancellation"); no.State != "impossible" || no.Reason != "cancel_no_line" || no.Why == "" {
		t.Errorf("%+v", no)
	}
	for range 2 {
		if done := want[Cancellation](p, http.StatusOK, "POST", "/lines/"+o.Line+"/cancel", nil); done.State != "done" {
			t.Errorf("%+v", done)
		}
	}
	if bills := read[Order](p, "/orders/"+o.ID).Bills; len(bills) != 2 || bills[1].Kind != "credit_note" {
		t.Errorf("%+v", bills)
	}
}

// takesBack buys a period that waits, and cancels it.
func takesBack(w *town, p *program) {
	t := w.t
	t.Helper()
	had := p.yen()
	o := p.waiting("too much")
	if c := read[Cancellation](p, "/orders/"+o.ID+"/period/cancellation"); c.State != "possible" || c.Wallet == nil || *c.Wallet != o.Price {
		t.Errorf("%+v", c)
	}
	want[Cancellation](p.with("Idempotency-Key", "not wanted"), http.StatusOK, "POST", "/orders/"+o.ID+"/period/cancel", nil)
	if p.yen() != had {
		t.Errorf("the wallet has %d, had %d", p.yen(), had)
	}
}
