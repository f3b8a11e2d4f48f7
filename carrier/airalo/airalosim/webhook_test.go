package airalosim_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sim "github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
)

const hook = "https://seller.example/hook"

func (b *bench) optIn(t *testing.T, kind string) {
	t.Helper()
	if r := b.json("notifications/opt-in", `{"type":"`+kind+`","webhook_url":"`+hook+`"}`); r.status != 200 {
		t.Fatalf("opt in: %d %s", r.status, r.body)
	}
}

// Opting in asks the address with HEAD; only 200 will do.
func TestOptIn(t *testing.T) {
	var asked []string
	status := 405
	b := open(func(c *sim.Config) {
		c.Head = func(address string) int { asked = append(asked, address); return status }
	})
	body := `{"type":"webhook_credit_limit","webhook_url":"` + hook + `","levels":[90,50]}`
	if r := b.json("notifications/opt-in", body); r.status != 422 || r.data("webhook_url") == "" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if got := b.get("notifications/opt-in").body; !strings.HasPrefix(got, `{"data":[]`) {
		t.Errorf("not opted in: %s", got)
	}
	if r := b.form("POST", "orders-async", "package_id", "change-7days-1gb", "quantity", "1", "webhook_url", hook); r.status != 422 || r.data("webhook_url") == "" {
		t.Errorf("the address of an order: %d %s", r.status, r.body)
	}
	status = 200
	want := `{"data":{"notification":{"type":"webhook_credit_limit","contact_point":"https:\/\/seller.example\/hook","levels":[50,90]}},"meta":{"message":"success"}}`
	if r := b.json("notifications/opt-in", body); r.body != want {
		t.Errorf("%d %s", r.status, r.body)
	}
	if got := b.get("notifications/opt-in").body; got != want {
		t.Errorf("look: %s", got)
	}
	if !slices.Equal(asked, []string{hook, hook, hook}) {
		t.Errorf("asked %v", asked)
	}
	if r := b.json("notifications/opt-out", `{"type":"webhook_credit_limit"}`); r.status != 204 || r.body != "" {
		t.Errorf("opt out: %d %s", r.status, r.body)
	}
	if r := b.json("notifications/opt-in", `{"type":"letters","webhook_url":"`+hook+`"}`); r.status != 422 {
		t.Errorf("unknown type: %d", r.status)
	}
}

// An asynchronous order is accepted, carried out later, and told with a
// signature over the body.
func TestAsyncOrder(t *testing.T) {
	b := open(nil)
	if r := b.form("POST", "orders-async", "package_id", "change-7days-1gb", "quantity", "1"); r.status != 422 || r.data("webhook_url") == "" {
		t.Errorf("nowhere to tell: %d %s", r.status, r.body)
	}
	b.optIn(t, "async_orders")
	r := b.form("POST", "orders-async", "package_id", "change-7days-1gb", "quantity", "1", "description", "d/é")
	if r.status != 202 || len(r.data("request_id")) != 25 || r.data("accepted_at") != "2031-03-04 05:06:07" || b.Balance() != opening {
		t.Fatalf("%d %s", r.status, r.body)
	}
	b.clock.move(30 * time.Second)
	got := b.Notifications()
	if len(got) != 1 || got[0].URL != hook || b.Balance() != opening-360 {
		t.Fatalf("%+v, balance %d", got, b.Balance())
	}
	var order struct {
		RequestID   string `json:"request_id"`
		Description string
		Sims        []struct{ ICCID string }
	}
	if err := json.Unmarshal(got[0].Body, &order); err != nil || order.RequestID != r.data("request_id") || len(order.Sims) != 1 || order.Description != "d/é" {
		t.Errorf("%v %s", err, got[0].Body)
	}
	if got[0].Header.Get("airalo-signature") != hmac512(secret, string(got[0].Body)) || !strings.Contains(string(got[0].Body), `d\/\u00e9`) {
		t.Errorf("signature %v over %s", got[0].Header, got[0].Body)
	}

	other := "https://seller.example/other"
	r = b.form("POST", "orders-async", "package_id", "change-7days-1gb", "quantity", "1", "webhook_url", other)
	b.Withdraw("change-7days-1gb")
	b.clock.move(time.Minute)
	got = b.Notifications()
	if len(got) != 1 || got[0].URL != other {
		t.Fatalf("%+v", got)
	}
	body := string(got[0].Body)
	if !strings.Contains(body, r.data("request_id")) || !strings.Contains(body, `"reason":"The requested eSIM package is invalid`) || strings.Contains(body, "sims") {
		t.Errorf("failure: %s", body)
	}
}

// low is a notification of low data.
type low struct {
	Level, ICCID string
	Package      string `json:"package_name"`
	Left         int    `json:"remaining_percentage"`
}

func (b *bench) lows(t *testing.T) (all []low) {
	t.Helper()
	for _, n := range b.Notifications() {
		var l low
		if err := json.Unmarshal(n.Body, &l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// Low data is told at 75 % and 90 % used, and three days and a day before the
// end, once each; again after a top-up.
func TestLowData(t *testing.T) {
	b := open(nil)
	b.optIn(t, "webhook_low_data")
	iccid := b.running("change-7days-1gb")
	const pack = "change-7days-1gb"
	steps := []struct {
		name string
		do   func()
		want []low
	}{
		{"a little", func() { b.Use(iccid, 700) }, nil},
		{"75 %", func() { b.Use(iccid, 68) }, []low{{"75%", iccid, pack, 25}}},
		{"again", func() { b.Use(iccid, 1) }, nil},
		{"90 %", func() { b.Use(iccid, 200) }, []low{{"90%", iccid, pack, 5}}},
		{"three days", func() { b.clock.move(4 * 24 * time.Hour) }, []low{{"3days", iccid, pack, 5}}},
		{"a day", func() { b.clock.move(2 * 24 * time.Hour) }, []low{{"1days", iccid, pack, 5}}},
		{"the end", func() { b.clock.move(2 * 24 * time.Hour) }, nil},
	}
	for _, step := range steps {
		step.do()
		if got := b.lows(t); !slices.Equal(got, step.want) {
			t.Errorf("%s: %+v, want %+v", step.name, got, step.want)
		}
	}
	b.login()
	b.topUp(iccid, "change-7days-1gb-topup")
	b.clock.move(4 * 24 * time.Hour)
	if got := b.lows(t); len(got) != 1 || got[0].Level != "3days" || got[0].Left != 100 {
		t.Errorf("after a top-up: %+v", got)
	}
}

// The levels of the credit are told as they are crossed.
func TestCreditLimit(t *testing.T) {
	b := open(nil)
	b.optIn(t, "webhook_credit_limit")
	b.SetBalance(opening/2 + 360)
	b.topUp(b.running("change-7days-1gb"), "change-7days-1gb-topup")
	got := b.Notifications()
	if len(got) != 1 || string(got[0].Body) != `{"message":"Surpassed 50% of the credit limit balance","remaining":500}` {
		t.Errorf("%+v", got)
	}
	b.SetBalance(opening / 10)
	if got := b.Notifications(); len(got) != 3 {
		t.Errorf("%d, want 70, 80 and 90", len(got))
	}
}

// Any answer but 200 to 203 brings a notification again, every 15 minutes, 20
// times and no more. 204 is such an answer.
func TestRetries(t *testing.T) {
	for _, tt := range []struct {
		status int
		again  bool
	}{{200, false}, {201, false}, {203, false}, {204, true}, {302, true}, {404, true}, {500, true}, {0, true}} {
		b := open(nil)
		b.optIn(t, "webhook_low_data")
		b.Use(b.running("change-7days-1gb"), 800)
		first := b.Notifications()
		b.Answered(first[0].ID, tt.status)
		b.clock.move(15*time.Minute - time.Second)
		if got := b.Notifications(); len(got) != 0 {
			t.Errorf("%d: too early", tt.status)
		}
		b.clock.move(time.Second)
		got := b.Notifications()
		if (len(got) == 1) != tt.again {
			t.Errorf("%d: %d more", tt.status, len(got))
		}
		if tt.again && string(got[0].Body) != string(first[0].Body) {
			t.Error("another body")
		}
	}
	b := open(nil)
	b.optIn(t, "webhook_low_data")
	b.Use(b.running("change-7days-1gb"), 800)
	n := 0
	for range 30 {
		n += b.DeliverTo(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if body, err := io.ReadAll(r.Body); err != nil || r.Header.Get("airalo-signature") != hmac512(secret, string(body)) || r.URL.Path != "/hook" {
				t.Errorf("%s %v %v", r.URL, r.Header, err)
			}
			w.WriteHeader(http.StatusNoContent)
		}))
		b.clock.move(15 * time.Minute)
	}
	if n != 21 {
		t.Errorf("delivered %d times", n)
	}
	if next, soon := b.NextDue(); !soon || next.Before(b.clock.Now()) {
		t.Errorf("next due %v %v: the line's end is still to come", next, soon)
	}
}

// Notifications get lost, come twice, overtake each other and are forged.
func TestBadDelivery(t *testing.T) {
	send := func(d sim.Delivery) []sim.Notification {
		b := open(func(c *sim.Config) { c.Delivery = d })
		b.optIn(t, "webhook_low_data")
		for range 20 {
			b.Use(b.running("change-7days-1gb"), 800)
			b.clock.move(time.Second)
		}
		b.clock.move(24 * time.Hour)
		return b.Notifications()
	}
	genuine := func(n sim.Notification) bool {
		return n.Header.Get("airalo-signature") == hmac512(secret, string(n.Body))
	}
	good := send(sim.Delivery{})
	if len(good) != 20 || !slices.ContainsFunc(good, genuine) {
		t.Fatalf("%d good ones", len(good))
	}
	if n := len(send(sim.Delivery{LosePercent: 50})); n == 0 || n >= 20 {
		t.Errorf("half lost: %d came", n)
	}
	if n := len(send(sim.Delivery{RepeatPercent: 100})); n != 40 {
		t.Errorf("twice: %d came", n)
	}
	forged := send(sim.Delivery{ForgePercent: 100})
	if n := len(slices.DeleteFunc(slices.Clone(forged), genuine)); len(forged) != 40 || n != 20 {
		t.Errorf("forged: %d of %d", n, len(forged))
	}
	late := send(sim.Delivery{LateMax: time.Hour})
	if len(late) != 20 || slices.IsSortedFunc(late, func(a, b sim.Notification) int { return a.ID - b.ID }) {
		t.Error("late: none has overtaken another")
	}
	b := open(nil)
	b.optIn(t, "webhook_low_data")
	b.Forge("webhook_low_data", []byte(`{"level":"90%"}`))
	if got := b.Notifications(); len(got) != 1 || got[0].URL != hook || genuine(got[0]) {
		t.Errorf("%+v", got)
	}
}

// Where slashes are left as they are, the signature is still one over the form
// that PHP writes.
func TestPlainBody(t *testing.T) {
	b := open(func(c *sim.Config) { c.Delivery.PlainBody = true })
	b.form("POST", "orders-async", "package_id", "change-7days-1gb", "quantity", "1", "webhook_url", hook)
	b.clock.move(time.Minute)
	n := b.Notifications()[0]
	body := string(n.Body)
	if !strings.Contains(body, "https://www.airalo.com/") || n.Header.Get("airalo-signature") != hmac512(secret, strings.ReplaceAll(body, "/", `\/`)) {
		t.Errorf("%v %s", n.Header, body)
	}
}

// The provider's own webhook simulator.
func TestWebhookSimulator(t *testing.T) {
	tests := []struct{ body, want string }{
		{`{"event":"low_data_notification","type":"expire_1","iccid":"89","webhook_url":"` + hook + `"}`, `"level":"1days"`},
		{`{"event":"low_data_notification","type":"data_75","webhook_url":"` + hook + `"}`, `"level":"75%"`},
		{`{"event":"credit_limit_notification","level":80,"webhook_url":"` + hook + `"}`, `"Surpassed 80% of the credit limit balance","remaining":225.35`},
		{`{"event":"async_order_notification","webhook_url":"` + hook + `"}`, `"request_id"`},
	}
	b := open(func(c *sim.Config) { c.Sandbox = true })
	for _, tt := range tests {
		r := b.json("simulator/webhook", tt.body)
		got := b.Notifications()
		if r.body != `{"success":"Notification sent"}` || len(got) != 1 || !strings.Contains(string(got[0].Body), tt.want) {
			t.Errorf("%s: %s %+v", tt.body, r.body, got)
		}
		b.clock.move(time.Minute)
	}
	if r := b.json("simulator/webhook", `{"event":"async_order_notification"}`); r.status != 400 || r.body != `{"error":"User is not opted in"}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := b.json("simulator/webhook", `{"event":"x"}`); !strings.Contains(r.body, "Event must be one of: low_data_notification, credit_limit_notification, async_order_notification") {
		t.Errorf("%s", r.body)
	}
}

// What has not been opted into is not told, and after opting out no longer is.
func TestNothingUnasked(t *testing.T) {
	b := open(nil)
	b.Use(b.running("change-7days-1gb"), 1000)
	b.optIn(t, "webhook_low_data")
	b.json("notifications/opt-out", `{"type":"webhook_low_data"}`)
	b.Use(b.running("change-7days-1gb"), 1000)
	if got := b.Notifications(); len(got) != 0 {
		t.Error(fmt.Sprint(got))
	}
	b = open(func(c *sim.Config) { c.Sandbox = true })
	b.optIn(t, "webhook_low_data")
	b.Use(b.running("change-7days-1gb"), 1000)
	if got := b.Notifications(); len(got) != 0 {
		t.Error("in the sandbox: ", got)
	}
}

// Everybody may call at once.
func TestConcurrentCalls(t *testing.T) {
	b := open(nil)
	iccid := b.running("moshi-7days-1gb")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			b.topUp(iccid, "moshi-7days-1gb-topup")
			b.get("orders")
			b.Use(iccid, 1)
			b.Notifications()
		})
	}
	wg.Wait()
	if n := len(b.TopUps(iccid)); n != 8 || b.Balance() != opening-8*500 || b.Line(iccid).LeftMB != 9*gib-8 {
		t.Errorf("%d top-ups, balance %d, line %+v", n, b.Balance(), b.Line(iccid))
	}
}
