package hooks_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/hooks"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
	"github.com/tsuzuku/tsuzuku/renewal"
)

const (
	key    = "sk_test_hooks"
	secret = "whsec_hooks"
	path   = "a-path-that-nobody-guesses"

	extendable = "machi-5gb" // of the operator in process
	payHook    = "/hooks/payment/stripe"
	simpleHook = "/hooks/carrier/simple/" + path
	accessHook = "/hooks/carrier/esimaccess/" + path
)

// door is a shop whose webhooks are looked at: the real adapters, over the wire
// to simulated strangers.
type door struct {
	dbtest.Env
	ids    *id.Source
	desk   *order.Desk
	card   *stripesim.Sim
	simple *carriersim.Sim
	access *esimaccesssim.Sim
	http   http.Handler
}

func newDoor(t *testing.T, env dbtest.Env) *door {
	t.Helper()
	d := &door{
		Env: env, ids: id.NewSource(env.Clock.Now, rand.Reader),
		card:   stripesim.New(stripesim.Config{Key: key, WebhookSecret: secret, Now: env.Clock.Now, Rand: mathrand.New(mathrand.NewPCG(1, 1))}),
		simple: &carriersim.Sim{Title: "simple", Now: env.Clock.Now},
		access: esimaccesssim.New(esimaccesssim.Config{
			Now: env.Clock.Now, Rand: mathrand.New(mathrand.NewPCG(1, 2)), AccessCode: "code", UsageDelay: -1, Webhook: "https://shop.example" + accessHook,
		}),
	}
	card, err := stripe.New(stripe.Config{Key: key, WebhookSecrets: []string{secret}}, over(d.card), env.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	access := esimaccess.New(esimaccess.Config{AccessCode: "code"}, over(d.access), env.Clock.Now, func() string { return "request" })
	d.desk = &order.Desk{
		DB: env.DB, IDs: d.ids, Shelf: &catalogue.Shelf{}, Wallet: order.WalletFull, Log: slog.New(slog.DiscardHandler),
		Carriers:  map[string]carrier.Carrier{"simple": d.simple, "esimaccess": access},
		Providers: map[string]payment.Provider{"stripe": card}, Rails: map[payment.Rail]string{payment.Card: "stripe"},
	}
	d.http = (&hooks.Server{
		Desk: d.desk, Carriers: d.desk.Carriers, Log: d.desk.Log,
		Paths: map[string]string{"simple": path, "esimaccess": path, "nobody": path},
	}).Handler()
	d.write(t, func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "test")
		return err
	})
	return d
}

func over(stranger http.Handler) *outbound.Client {
	return outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: stranger}})
}

func (d *door) write(t *testing.T, fn func(context.Context, db.Tx) error) {
	t.Helper()
	if err := d.DB.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// post is what a stranger gets for a POST.
func (d *door) post(to string, h http.Header, body io.Reader) int {
	r := httptest.NewRequest(http.MethodPost, to, body)
	for name, values := range h {
		r.Header[name] = values
	}
	rec := httptest.NewRecorder()
	d.http.ServeHTTP(rec, r)
	return rec.Code
}

// answers checks the status of a POST, and how many notifications are stored.
func (d *door) answers(t *testing.T, what string, status int, stored int64, to string, h http.Header, body []byte) {
	t.Helper()
	if got := d.post(to, h, bytes.NewReader(body)); got != status {
		t.Errorf("%s: %d, want %d", what, got, status)
	}
	if got := d.number(t, `SELECT COUNT(*) FROM provider_events`); got != stored {
		t.Errorf("%s: %d notifications stored, want %d", what, got, stored)
	}
}

func (d *door) number(t *testing.T, query string, args ...any) (n int64) {
	t.Helper()
	err := d.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.QueryRow(ctx, query, args...).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// dueIn is in how long a row's due_at comes, or zero with false for never.
func (d *door) dueIn(t *testing.T, query string, args ...any) (time.Duration, bool) {
	t.Helper()
	var at db.Instant
	err := d.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.QueryRow(ctx, query, args...).Scan(&at) })
	if err != nil {
		t.Fatal(err)
	}
	return at.Sub(d.Clock.Now()), !at.IsZero()
}

// line gives a new customer a line that ends tomorrow, and yen.
func (d *door) line(t *testing.T, plan, profile string) line.Line {
	t.Helper()
	p, ok := catalogue.Demo().Plan(plan)
	if !ok {
		t.Fatalf("no plan %s", plan)
	}
	now := d.Clock.Now()
	l := line.Line{
		Account: d.ids.Account(), Operator: p.Operator, Plan: plan, ProfileID: profile, State: line.Active,
		StartedAt: now.Add(-time.Hour), EndsAt: now.Add(24 * time.Hour), GraceEnds: now.Add(24 * time.Hour), Periods: 1,
	}
	l.ID = d.ids.Under("ln", l.Account)
	d.write(t, func(ctx context.Context, tx db.Tx) error {
		if err := line.Add(ctx, tx, l); err != nil {
			return err
		}
		var b db.Batch
		line.AddPeriod(&b, line.Period{
			Account: l.Account, Line: l.ID, Number: 1, Plan: plan, Term: "first", Effect: "append", StartsAt: l.StartedAt, EndsAt: l.EndsAt, State: line.PeriodActive,
		}, tx.Now())
		ledger.Posting{Account: l.Account, Subject: "opening", Step: "opening", Transfers: []ledger.Transfer{
			{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(50_000, "JPY")},
		}}.AddTo(&b, tx.Now())
		return tx.Batch(ctx, &b)
	})
	return l
}

func (d *door) place(t *testing.T, l line.Line, tool catalogue.Tool) order.Order {
	t.Helper()
	p, _ := catalogue.Demo().Plan(l.Plan)
	q, err := d.desk.Quote(t.Context(), l.Account, l.ID, renewal.Item{Kind: renewal.Term, Plan: l.Plan, ID: p.Terms[0].ID}, "JPY")
	if err != nil {
		t.Fatal(err)
	}
	o, err := d.desk.Place(t.Context(), order.Acceptance{Account: l.Account, Quote: q.ID, Amount: q.Price, Tool: tool})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// paid is an order whose customer has paid at the provider, who has something
// to tell and has not yet.
func (d *door) paid(t *testing.T) (order.Order, order.Payment, stripesim.Notification) {
	t.Helper()
	o := d.place(t, d.line(t, extendable, "pf_1"), catalogue.Tool(payment.Card))
	p, err := d.desk.Pay(t.Context(), o.Ref(), payment.Card, order.Ways{Return: "https://shop.example/back", Cancel: "https://shop.example/quit", Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.card.Pay(p.Ref); err != nil {
		t.Fatal(err)
	}
	d.Clock.Add(4 * time.Second) // within which everything is told, and before we would ask by ourselves
	for _, n := range d.card.Notifications() {
		if n.Type == "checkout.session.completed" {
			return o, p, n
		}
	}
	t.Fatal("the provider told nothing")
	return o, p, stripesim.Notification{}
}

const paymentDue = `SELECT due_at FROM payments WHERE account_id = $1 AND id = $2`

// A notification is stored once, however often it comes, and makes us ask now;
// it does not itself move money.
func TestPaymentIsAskedAboutNow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		d := newDoor(t, env)
		o, p, n := d.paid(t)
		if in, waits := d.dueIn(t, paymentDue, p.Account, p.ID); !waits || in <= 0 {
			t.Fatalf("asked about in %s (%v) before anybody told us; want later", in, waits)
		}
		for range 2 {
			d.answers(t, "genuine", http.StatusOK, 1, payHook, n.Header, n.Body)
			if in, waits := d.dueIn(t, paymentDue, p.Account, p.ID); !waits || in != 0 {
				t.Errorf("asked about in %s (%v), want now", in, waits)
			}
		}
		if got := d.number(t, `SELECT COUNT(*) FROM transfers WHERE account_id = $1 AND subject <> 'opening'`, o.Account); got != 0 {
			t.Errorf("a notification moved money: %d transfers", got)
		}
		if got := d.number(t, `SELECT COUNT(*) FROM provider_events WHERE account_id = $1 AND subject = $2`, p.Account, p.ID); got != 1 {
			t.Errorf("%d notifications beside the payment, want 1", got)
		}
		for range 5 {
			if _, err := d.desk.PaymentStep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := d.desk.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := d.number(t, `SELECT COUNT(*) FROM orders WHERE account_id = $1 AND state = 'completed'`, o.Account); got != 1 || d.simple.Extended(o.ID) != 1 {
			t.Errorf("%d orders completed and extended %d times after asking, want 1 and 1", got, d.simple.Extended(o.ID))
		}
	})
}

// What is not the provider's is kept as evidence, once for each body, and wakes
// nobody.
func TestForgedNotificationMovesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		d := newDoor(t, env)
		_, p, n := d.paid(t)
		before, _ := d.dueIn(t, paymentDue, p.Account, p.ID)
		now := d.Clock.Now()
		signed := func(at time.Time, secret string) http.Header {
			return http.Header{"Stripe-Signature": {stripesim.Sign(at, n.Body, secret)}}
		}
		for what, h := range map[string]http.Header{
			"no signature":         nil,
			"no proper signature":  {"Stripe-Signature": {"t=1,v1=00"}},
			"somebody else's":      signed(now, "whsec_other"),
			"stale":                signed(now.Add(-time.Hour), secret),
			"of another body":      {"Stripe-Signature": {stripesim.Sign(now, []byte("{}"), secret)}},
			"for another webhook":  {"X-Signature": n.Header["Stripe-Signature"]},
			"a signature too long": {"Stripe-Signature": {strings.Repeat("v1=0,", 10_000)}},
		} {
			d.answers(t, what, http.StatusBadRequest, 0, payHook, h, n.Body)
		}
		d.answers(t, "cut short", http.StatusBadRequest, 0, payHook, n.Header, n.Body[:len(n.Body)/2])
		if got := d.refused(t); len(got) != 2 || got[0].Times+got[1].Times != 8 {
			t.Errorf("%+v; want the whole one 7 times, and the short one", got)
		}
		if got := d.number(t, `SELECT COUNT(*) FROM transfers WHERE account_id = $1 AND subject <> 'opening'`, p.Account); got != 0 {
			t.Errorf("%d transfers", got)
		}
		if after, _ := d.dueIn(t, paymentDue, p.Account, p.ID); after != before {
			t.Errorf("asked about in %s, want %s as before", after, before)
		}
	})
}

// A genuine notification about somebody else's attempt, such as another shop's
// with the same account, is kept and wakes nobody.
func TestForeignAttemptIsKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		d := newDoor(t, env)
		_, p, n := d.paid(t)
		before, _ := d.dueIn(t, paymentDue, p.Account, p.ID)
		body := bytes.ReplaceAll(n.Body, []byte(p.Ref), []byte("somebodyelse"))
		if bytes.Equal(body, n.Body) {
			t.Fatal("the notification does not name the attempt")
		}
		h := http.Header{"Stripe-Signature": {stripesim.Sign(d.Clock.Now(), body, secret)}}
		d.answers(t, "foreign", http.StatusOK, 1, payHook, h, body)
		if after, _ := d.dueIn(t, paymentDue, p.Account, p.ID); after != before {
			t.Errorf("asked about in %s, want %s as before", after, before)
		}
	})
}

// refused lists the evidence.
func (d *door) refused(t *testing.T) []hooks.Refusal {
	t.Helper()
	all, err := db.Seen(t.Context(), d.DB, func(ctx context.Context, tx db.Tx) ([]hooks.Refusal, error) { return hooks.Refused(ctx, tx, "", 1000) })
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What is kept shows what came, and opens no door to who reads it.
func TestEvidenceOfAForgery(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		d := newDoor(t, env)
		body := []byte("{\"id\":\"evt\x00\xff\"}" + strings.Repeat("x", 1<<20))
		d.answers(t, "too long", http.StatusRequestEntityTooLarge, 0, payHook, http.Header{
			"Stripe-Signature": {"t=1,v1=\xff"}, "Authorization": {"Bearer sesame"}, "Cookie": {"session=sesame"},
		}, body)
		d.Clock.Add(time.Hour)
		d.answers(t, "unreadable", http.StatusBadRequest, 0, simpleHook, nil, []byte(`{"line":`))
		got := d.refused(t)
		if len(got) != 2 {
			t.Fatalf("%d kept, want 2", len(got))
		}
		if r := got[0]; r.Stranger != "carrier/simple" || r.Reason != hooks.Unreadable || r.Body != `{"line":` || r.Bytes != 8 || r.Times != 1 || r.Others || !r.Last.Equal(d.Clock.Now()) {
			t.Errorf("unreadable: %+v", r)
		}
		r := got[1]
		if r.Stranger != "payment/stripe" || r.Reason != hooks.TooLong || r.Client != "192.0.2.1:1234" || len(r.Body) > 4<<10+8 || !strings.HasPrefix(r.Body, `{"id":"evt??"}xxx`) || r.Bytes != 1<<20 {
			t.Errorf("too long: %.300v", r)
		}
		if !strings.Contains(r.Header, "Stripe-Signature: t=1,v1=?") || strings.Contains(r.Header, "sesame") {
			t.Errorf("headers kept:\n%s", r.Header)
		}
	})
}

// Nobody fills our disk, nor keeps our database busy, by lying to us; and lies
// are forgotten after a month.
func TestForgeriesAreBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		d := newDoor(t, env)
		lie := func(n int) {
			if got := d.post(payHook, nil, strings.NewReader(fmt.Sprint(n))); got != http.StatusBadRequest {
				t.Fatalf("lie %d: %d", n, got)
			}
		}
		for n := range 300 {
			lie(n)
		}
		got := d.refused(t)
		times, others := int64(0), int64(0)
		for _, r := range got {
			if times += r.Times; r.Others {
				others = r.Times
			}
		}
		if len(got) != 51 || times != 100 || others != 50 {
			t.Errorf("%d kept, %d times, %d of them only counted; want 51, 100, 50", len(got), times, others)
		}
		d.Clock.Add(time.Minute)
		lie(0)
		if got := d.refused(t); got[0].Times != 2 || got[0].Others {
			t.Errorf("the first lie again: %+v", got[0])
		}
		d.Clock.Add(30*24*time.Hour + time.Second)
		lie(1)
		if got := d.refused(t); len(got) != 1 || got[0].Times != 1 {
			t.Errorf("%d kept after a month, want the new one", len(got))
		}
	})
}

// A forgery that cannot be kept is refused all the same.
func TestForgeryWithoutDatabase(t *testing.T) {
	d := newDoor(t, dbtest.SQLite(t))
	if err := d.DB.Close(); err != nil {
		t.Fatal(err)
	}
	if got := d.post(payHook, nil, strings.NewReader("{}")); got != http.StatusBadRequest {
		t.Errorf("%d, want 400", got)
	}
}

func TestWhatIsNoNotification(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		d := newDoor(t, env)
		bell := []byte(`{"line":"pf_1","event":"extended"}`)
		long := bytes.Repeat([]byte(" "), 1<<20+1)
		for _, tt := range []struct {
			what, to string
			body     []byte
			status   int
		}{
			{"unknown provider", "/hooks/payment/paypal", nil, 404},
			{"unknown provider, much to say", "/hooks/payment/paypal", long, 404},
			{"no provider", "/hooks/payment/", nil, 404},
			{"unknown carrier", "/hooks/carrier/other/" + path, bell, 404},
			{"a carrier that is only configured", "/hooks/carrier/nobody/" + path, bell, 404},
			{"wrong path", "/hooks/carrier/simple/another-path", bell, 404},
			{"the path's beginning", simpleHook[:len(simpleHook)-1], bell, 404},
			{"no path", "/hooks/carrier/simple", bell, 404},
			{"more than the path", simpleHook + "/x", bell, 404},
			{"too long, payment", payHook, long, 413},
			{"too long, carrier", simpleHook, long, 413},
			{"unreadable", simpleHook, []byte(`{"line":`), 400},
			{"unreadable, of the other", accessHook, []byte(`[]`), 400},
		} {
			d.answers(t, tt.what, tt.status, 0, tt.to, nil, tt.body)
		}
		for _, to := range []string{payHook, simpleHook} {
			if got := d.post(to, nil, iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("{}")))); got != 400 {
				t.Errorf("%s, cut off: %d, want 400", to, got)
			}
			rec := httptest.NewRecorder()
			d.http.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, to, nil))
			if rec.Code != http.StatusMethodNotAllowed {
				t.Errorf("GET %s: %d, want 405", to, rec.Code)
			}
		}
		d.answers(t, "as long as it may be", http.StatusOK, 1, simpleHook, nil, append(long[:1<<20-len(bell)], bell...))
	})
}

// A carrier without a path of its own has no webhook: nobody may guess "".
func TestCarrierWithoutPathHasNoHook(t *testing.T) {
	d := newDoor(t, dbtest.SQLite(t))
	d.http = (&hooks.Server{Desk: d.desk, Carriers: d.desk.Carriers, Log: d.desk.Log}).Handler()
	for _, to := range []string{"/hooks/carrier/simple/", "/hooks/carrier/simple/x", simpleHook} {
		d.answers(t, to, http.StatusNotFound, 0, to, nil, []byte("{}"))
	}
}

// What cannot be stored is not acknowledged, with a status after which
// strangers try again; whatever the reason is called in the house.
func TestNotStoredIsNotAcknowledged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		d := newDoor(t, env)
		_, _, n := d.paid(t)
		bell := []byte(`{"line":"pf_1","event":"extended"}`)
		unstorable := []byte(`{"line":"pf_1","event":"\u0000"}`)
		if got := d.post(simpleHook, nil, bytes.NewReader(unstorable)); got < 500 {
			t.Errorf("a text that cannot be stored: %d, want a server's error", got)
		}
		if err := d.DB.Close(); err != nil {
			t.Fatal(err)
		}
		for to, n := range map[string]stripesim.Notification{payHook: n, simpleHook: {Body: bell}} {
			if got := d.post(to, n.Header, bytes.NewReader(n.Body)); got < 500 {
				t.Errorf("%s while the database is down: %d, want a server's error", to, got)
			}
		}
	})
}

const orderDue = `SELECT due_at FROM orders WHERE account_id = $1 AND id = $2`

// The operator rings: an order that waits for it is looked at now, unless the
// call may still be under way; and so is the line.
func TestBellWakesTheOrderAfterItsLease(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		d := newDoor(t, env)
		d.simple.Settles = 24 * time.Hour // so that the order waits long
		d.simple.Choose = func(carrier.Extension) carriersim.Fault { return carriersim.ActLater }
		l := d.line(t, extendable, "pf_1")
		o := d.place(t, l, order.ToolWallet)
		if o.State != order.Fulfilling {
			t.Fatalf("order is %s, want fulfilling", o.State)
		}
		lease, stored := 40*time.Second, int64(0)
		ring := func(event string) {
			stored++
			d.answers(t, event, http.StatusOK, stored, simpleHook, nil, []byte(`{"line":"pf_1","event":"`+event+`"}`))
		}
		pushed := func(in time.Duration) { // as a worker does that looks, and sees nothing
			d.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE orders SET due_at = $1`, db.At(tx.Now().Add(in)))
				return err
			})
		}
		pushed(time.Hour)
		env.Clock.Add(lease - time.Microsecond)
		ring("too early")
		if in, _ := d.dueIn(t, orderDue, o.Account, o.ID); in != time.Hour-lease+time.Microsecond {
			t.Errorf("within its lease the order is due in %s", in)
		}
		if in, waits := d.dueIn(t, `SELECT look_at FROM lines WHERE account_id = $1 AND id = $2`, l.Account, l.ID); !waits || in != 0 {
			t.Errorf("the line is looked at in %s (%v), want now", in, waits)
		}
		env.Clock.Add(time.Microsecond)
		ring("in time")
		if in, _ := d.dueIn(t, orderDue, o.Account, o.ID); in != 0 {
			t.Errorf("after its lease the order is due in %s, want now", in)
		}
		if d.simple.Deliver() != 1 {
			t.Fatal("nothing was delivered late")
		}
		if _, err := d.desk.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := d.number(t, `SELECT COUNT(*) FROM orders WHERE state = 'completed'`); got != 1 || d.simple.Asked(o.ID) != 1 {
			t.Errorf("%d orders completed, asked %d times; want 1 and 1", got, d.simple.Asked(o.ID))
		}
		env.Clock.Add(time.Hour)
		ring("afterwards") // nothing waits any more
		if _, waits := d.dueIn(t, orderDue, o.Account, o.ID); waits {
			t.Error("a completed order is due")
		}
	})
}

// The same bell twice is kept once; one about a line that is not ours is kept
// and wakes nobody.
func TestBellIsKeptOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		d := newDoor(t, env)
		l := d.line(t, extendable, "pf_1")
		foreign := []byte(`{"line":"pf_2","event":"extended"}`)
		d.answers(t, "foreign", http.StatusOK, 1, simpleHook, nil, foreign)
		if _, waits := d.dueIn(t, `SELECT look_at FROM lines WHERE account_id = $1 AND id = $2`, l.Account, l.ID); waits {
			t.Error("another line's bell rings here")
		}
		for range 2 {
			d.answers(t, "ours", http.StatusOK, 2, simpleHook, nil, []byte(`{"line":"pf_1","event":"extended"}`))
		}
		if got := d.number(t, `SELECT COUNT(*) FROM provider_events WHERE account_id = $1 AND provider = 'simple' AND subject = $2`, l.Account, l.ID); got != 1 {
			t.Errorf("%d of the line, want 1", got)
		}
	})
}

// What the operator really sends about usage makes us look at the line, and
// looking brings the figure.
func TestUsageBellBringsTheFigure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		d := newDoor(t, env)
		d.access.AddPackage(esimaccesssim.Package{Code: "JP5", Slug: "JP_5_30", Name: "Japan 5 GB", Price: 90_000, Volume: 5 << 30, Duration: 30})
		tran := d.access.AddProfile(esimaccesssim.Profile{Package: "JP5", ActivatedAt: env.Clock.Now().Add(-time.Hour)})
		l := d.line(t, planOf(t, "northlight"), tran)
		d.access.Use(tran, 3<<30)
		env.Clock.Add(2 * time.Hour)
		told := d.access.Notifications()
		if len(told) == 0 {
			t.Fatal("the operator tells nothing")
		}
		for _, n := range told {
			to, ours := strings.CutPrefix(n.URL, "https://shop.example")
			if got := d.post(to, n.Header, bytes.NewReader(n.Body)); got != http.StatusOK || !ours {
				t.Errorf("%s: %d\n%s", n.URL, got, n.Body)
			}
		}
		if got := d.number(t, `SELECT COUNT(*) FROM provider_events WHERE account_id = $1 AND subject = $2 AND provider = 'esimaccess'`, l.Account, l.ID); got != int64(len(told)) {
			t.Errorf("%d notifications of the line stored, want %d", got, len(told))
		}
		if worked, err := d.desk.LookStep(t.Context()); !worked || err != nil {
			t.Errorf("nobody looked: %v, %v", worked, err)
		}
		got, err := db.Seen(t.Context(), d.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) { return line.Get(ctx, tx, l.Account, l.ID) })
		if err != nil || got.Usage.Used != 3<<30 || got.Usage.Total != 5<<30 {
			t.Errorf("%+v, %v; want 3 of 5 GB used", got.Usage, err)
		}
	})
}

// planOf is a plan of this operator in the demo catalogue.
func planOf(t *testing.T, operator string) string {
	t.Helper()
	for _, p := range catalogue.Demo().Plans {
		if p.Operator == operator {
			return p.ID
		}
	}
	t.Fatal(errors.New("no plan of " + operator))
	return ""
}
