package linepaysim_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/linepay/linepaysim"
)

// What is not signed by the merchant is refused in LINE Pay's envelope and does
// nothing.
func TestStrangersAreKeptOut(t *testing.T) {
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	tests := []struct {
		name  string
		spoil func(*http.Request)
		code  string
	}{
		{"no channel", func(r *http.Request) { r.Header.Del("X-LINE-ChannelId") }, "1106"},
		{"no nonce", func(r *http.Request) { r.Header.Del("X-LINE-Authorization-Nonce") }, "1106"},
		{"no signature", func(r *http.Request) { r.Header.Del("X-LINE-Authorization") }, "1106"},
		{"two signatures", func(r *http.Request) { r.Header.Add("X-LINE-Authorization", "x") }, "1106"},
		{"another merchant", set("X-LINE-ChannelId", "2011100171"), "1104"},
		{"another nonce", set("X-LINE-Authorization-Nonce", "99999999-0000-4000-8000-000000000000"), "1106"},
		{"no kind of nonce", func(r *http.Request) {
			r.Header.Set("X-LINE-Authorization-Nonce", "once")
			r.Header.Set("X-LINE-Authorization", sign(secret, "/v3/payments/request", asked, "once"))
		}, "1106"},
		{"another key", func(r *http.Request) {
			nonce := r.Header.Get("X-LINE-Authorization-Nonce")
			r.Header.Set("X-LINE-Authorization", sign("other", "/v3/payments/request", asked, nonce))
		}, "1106"},
		{"another body", func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(asked, "300", "900", 1)))
		}, "1106"},
		{"a form", set("Content-Type", "application/x-www-form-urlencoded"), "1106"},
		{"a query", func(r *http.Request) { r.URL.RawQuery = "a=1" }, "2101"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newShop(t)
			r := w.signed(http.MethodPost, "/v3/payments/request", asked)
			tt.spoil(r)
			w.want("spoilt request", w.send(r), tt.code)
			if _, err := w.sim.Pay("ORDER"); err == nil {
				t.Error("the order exists all the same")
			}
		})
	}
}

// A GET is signed over its query.
func TestQueriesAreSigned(t *testing.T) {
	w := newShop(t)
	w.bought("a")
	r := w.signed(http.MethodGet, "/v3/payments", "orderId=a")
	r.URL.RawQuery = "orderId=b"
	w.want("another query", w.send(r), "1106")
	w.want("the query", w.get("", "orderId=a"), "0000")
}

// A nonce belongs to one request. The same request may arrive twice, and is
// then two requests.
func TestNonces(t *testing.T) {
	w := newShop(t)
	id := w.bought("a")
	again := func(body string) answer {
		r := w.signed(http.MethodPost, "/v3/payments/"+id+"/refund", body)
		w.nonces--
		return w.send(r)
	}
	w.want("refund", again(`{"refundAmount":100}`), "0000")
	w.want("refund, replayed", again(`{"refundAmount":100}`), "0000")
	w.want("same nonce, other refund", again(`{"refundAmount":50}`), "1106")
	w.took("a", 30000, 20000)
}

func TestWhatIsNoCall(t *testing.T) {
	w := newShop(t)
	for call, want := range map[string]int{
		"GET /v3/payments/request":           405,
		"POST /v3/payments":                  405,
		"GET /v3/payments/1/confirm":         405,
		"POST /v4/payments/request":          404,
		"POST /v3/payments/1/capture":        404,
		"GET /v3/payments/requests/1/check/": 404,
		"GET /":                              404,
	} {
		method, path, _ := strings.Cut(call, " ")
		if got := w.send(w.signed(method, path, "")).status; got != want {
			t.Errorf("%s: status %d, want %d", call, got, want)
		}
	}
}

// Each request that is not exactly in order is refused by its code, and its
// order number stays free.
func TestRequestsAreReadStrictly(t *testing.T) {
	tests := []struct{ name, old, changed, code string }{
		{"no JSON", `{"amount"`, `{"amount`, "2102"},
		{"more after it", `false}}}`, `false}}} {}`, "2102"},
		{"amount in quotes", `{"amount":300`, `{"amount":"300"`, "2101"},
		{"amount with exponent", `{"amount":300`, `{"amount":3e2`, "2101"},
		{"no amount", `{"amount":300,`, `{`, "2101"},
		{"amount with decimals", `{"amount":300`, `{"amount":300.5`, "1124"},
		{"amount with empty decimals", `{"amount":300`, `{"amount":300.00`, "1124"},
		{"amount times a hundred", `{"amount":300`, `{"amount":30000`, "1124"},
		{"absurd amount", `{"amount":300`, `{"amount":10000001`, "1184"},
		{"unspeakable amount", `{"amount":300`, `{"amount":1234567890123456789012`, "1124"},
		{"amount zero", `{"amount":300`, `{"amount":0`, "1183"},
		{"negative amount", `{"amount":300`, `{"amount":-300`, "1183"},
		{"other currency", `"TWD"`, `"JPY"`, "1178"},
		{"no currency", `"currency":"TWD",`, ``, "2101"},
		{"no order number", `"orderId":"ORDER",`, ``, "2101"},
		{"empty order number", `"orderId":"ORDER"`, `"orderId":""`, "2101"},
		{"long order number", `"orderId":"ORDER"`, `"orderId":"` + strings.Repeat("x", 101) + `"`, "2101"},
		{"packages do not add up", `"id":"1","amount":300`, `"id":"1","amount":299`, "1124"},
		{"products do not add up", `"price":150`, `"price":151`, "1124"},
		{"prices beyond measure", `"price":150`, `"price":99999999999`, "1124"},
		{"a product that wraps around to 300", `"quantity":2,"price":150`, `"quantity":122041,"price":151152023284876`, "1124"},
		{"half a product", `"quantity":2`, `"quantity":2.5`, "1124"},
		{"no quantity", `"quantity":2`, `"quantity":0`, "2101"},
		{"no product's name", `"name":"Japan 10 GB, 30 days",`, ``, "2101"},
		{"no products", `[{"id":"p1","name":"Japan 10 GB, 30 days","quantity":2,"price":150}]`, `[]`, "2101"},
		{"products that are none", `[{"id":"p1","name":"Japan 10 GB, 30 days","quantity":2,"price":150}]`, `[1]`, "2101"},
		{"no way back", `"confirmUrl":"https://shop.example/back?a=1",`, ``, "2101"},
		{"relative way back", `https://shop.example/back`, `/back`, "2101"},
		{"called by a server", `"redirectUrls":{`, `"redirectUrls":{"confirmUrlType":"SERVER",`, "2101"},
		{"unknown language", `zh_TW`, `zh-TW`, "2101"},
		{"capture in words", `"capture":true`, `"capture":"true"`, "2101"},
		{"preapproved", `"capture":true`, `"payType":"PREAPPROVED"`, "1194"},
		{"options that are none", `"payment":{"capture":true}`, `"payment":true`, "2101"},
		{"unknown return address", `"redirectUrls":{`, `"redirectUrls":{"returnUrl":"https://shop.example/",`, "2101"},
		{"unknown display", `"locale"`, `"language":"zh","locale"`, "2101"},
		{"unknown in a product", `"quantity":2`, `"quantity":2,"qty":2`, "2101"},
		{"unknown option", `"capture":true`, `"Capture":true`, "2101"},
		{"customer fee", `"id":"1",`, `"id":"1","userFee":0,`, "2101"},
		{"unknown parameter", `{"amount"`, `{"amout":1,"amount"`, "2101"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newShop(t)
			if !strings.Contains(asked, tt.old) {
				t.Fatalf("the request has no %s", tt.old)
			}
			w.want(tt.changed, w.post("/request", strings.Replace(asked, tt.old, tt.changed, 1)), tt.code)
			w.order("ORDER")
		})
	}
}

// The story of a payment, as each call tells it. Nothing but confirm moves
// money, and confirm only what was asked for, once.
func TestPaymentFromRequestToMoney(t *testing.T) {
	w := newShop(t)
	a := w.want("request", w.post("/request", asked), "0000")
	id := a.one.TransactionID.String()
	if len(id) != 19 || len(a.one.PaymentAccessToken) != 12 ||
		!strings.HasPrefix(a.one.PaymentURL.Web, "https://linepaysim.invalid/web/payment/wait?transactionReserveId=") ||
		!strings.HasPrefix(a.one.PaymentURL.App, "https://linepaysim.invalid/app/payment/") {
		t.Errorf("request is answered %s", a.Info)
	}
	w.want("the order number again", w.post("/request", asked), "1172")
	w.check(id, "0000")
	w.want("details", w.get("", "transactionId="+id), "1150")
	w.want("confirm too early", w.post("/"+id+"/confirm", twd300), "1169")
	w.want("refund too early", w.post("/"+id+"/refund", `{}`), "1150")
	w.pay("ORDER")
	w.check(id, "0110")
	w.want("details", w.get("", "orderId=ORDER"), "1150")
	w.took("ORDER", 0, 0)
	for body, code := range map[string]string{
		`{"amount":299,"currency":"TWD"}`:        "1153",
		`{"amount":30000,"currency":"TWD"}`:      "1153",
		`{"amount":300.0,"currency":"TWD"}`:      "1124",
		`{"amount":0,"currency":"TWD"}`:          "1183",
		`{"amount":300,"currency":"THB"}`:        "1178",
		`{"amount":300}`:                         "2101",
		`{"amount":300,"currency":"TWD","x":""}`: "2101",
		``:                                       "2102",
	} {
		w.want("confirm "+body, w.post("/"+id+"/confirm", body), code)
	}
	w.took("ORDER", 0, 0)
	w.later(time.Minute)
	got := w.want("confirm", w.post("/"+id+"/confirm", twd300), "0000").one
	if got.OrderID != "ORDER" || got.TransactionID.String() != id || len(got.PayInfo) != 1 || got.PayInfo[0].Amount != "300" || len(got.Packages) != 1 {
		t.Errorf("confirm is answered %+v", got)
	}
	w.check(id, "0123")
	w.want("confirm again", w.post("/"+id+"/confirm", twd300), "1152")
	w.took("ORDER", 30000, 0)

	all := w.want("details", w.get("", "transactionId="+id+"&orderId=ORDER"), "0000").transactions
	if len(all) != 1 {
		t.Fatalf("details show %d transactions", len(all))
	}
	d := all[0]
	if d.TransactionID.String() != id || d.OrderID != "ORDER" || d.PayStatus != "CAPTURE" || d.TransactionType != "PAYMENT" ||
		d.Currency != "TWD" || d.TransactionDate != "2026-11-23T03:05:05Z" || d.PayInfo[0].Amount != "300" || d.RefundList != nil {
		t.Errorf("details are %+v", d)
	}
	want := []linepaysim.Charge{{Ref: "ORDER", ID: id, Captured: money.Of(30000, "TWD"), At: w.now}}
	if diff := cmp.Diff(want, w.sim.Charges()); diff != "" {
		t.Errorf("charges (-want +got):\n%s", diff)
	}
}

// Twenty minutes to agree, and ConfirmWithin from there, to the instant.
func TestTimeRunsOut(t *testing.T) {
	w := newShop(t, func(c *linepaysim.Config) { c.ConfirmWithin = time.Hour })
	early, late := w.order("early"), w.order("late")
	w.later(20*time.Minute - 1)
	w.pay("early")
	w.later(1)
	w.check(late, "0121")
	if _, err := w.sim.Pay("late"); err == nil {
		t.Error("the customer could agree after twenty minutes")
	}
	w.want("confirm", w.post("/"+late+"/confirm", twd300), "1180")
	w.later(time.Hour - 2)
	w.check(early, "0110")
	w.later(1)
	w.check(early, "0121")
	w.want("confirm", w.post("/"+early+"/confirm", twd300), "1180")
	w.took("early", 0, 0)
}

// A bank refuses when we confirm, and that is the end of the request.
func TestRefusalsAtConfirm(t *testing.T) {
	w := newShop(t)
	refuse := map[string]func(ref string) error{
		"1298": func(ref string) error { _, err := w.sim.Decline(ref); return err },
		"1142": func(ref string) error { _, err := w.sim.PayWith(ref, "drained"); return err },
	}
	for code, try := range refuse {
		ref := "r" + code
		id := w.order(ref)
		if err := try(ref); err != nil {
			t.Fatal(err)
		}
		w.check(id, "0110")
		w.want("confirm", w.post("/"+id+"/confirm", twd300), code)
		w.check(id, "0122")
		w.want("confirm again", w.post("/"+id+"/confirm", twd300), "1159")
		w.want("details", w.get("", "orderId="+ref), "1150")
		w.took(ref, 0, 0)
		if _, err := w.sim.Pay(ref); err == nil {
			t.Error("the customer could agree again")
		}
	}
	w.sim.DeclineNext(1)
	first, second := w.order("first"), w.order("second")
	w.pay("first")
	w.pay("second")
	w.want("confirm", w.post("/"+first+"/confirm", twd300), "1298")
	w.want("confirm", w.post("/"+second+"/confirm", twd300), "0000")
}

func TestGivingUpIsFinal(t *testing.T) {
	w := newShop(t)
	id := w.order("a")
	if got, err := w.sim.GiveUp("a"); err != nil || got.Get("transactionId") != id {
		t.Errorf("GiveUp = %v, %v", got, err)
	}
	w.check(id, "0121")
	w.want("confirm", w.post("/"+id+"/confirm", twd300), "1159")
	for _, again := range []func() error{
		func() error { _, err := w.sim.Pay("a"); return err },
		func() error { _, err := w.sim.GiveUp("a"); return err },
		func() error { _, err := w.sim.Pay("nobody"); return err },
	} {
		if again() == nil {
			t.Error("the customer could go on")
		}
	}
}

// Points pay a tenth: the parts of payInfo add up to what was taken.
func TestPointsArePartOfTheAmount(t *testing.T) {
	w := newShop(t)
	id := w.order("a")
	if _, err := w.sim.PayWith("a", "points"); err != nil {
		t.Fatal(err)
	}
	got := w.want("confirm", w.post("/"+id+"/confirm", twd300), "0000").one.PayInfo
	if len(got) != 2 || got[0].Amount != "270" || got[1].Method != "POINT" || got[1].Amount != "30" {
		t.Errorf("payInfo %v", got)
	}
	w.took("a", 30000, 0)
}

func TestDetailsQueries(t *testing.T) {
	w := newShop(t)
	a, _ := w.bought("a"), w.bought("b")
	for query, want := range map[string]int{
		"orderId=a":                           1,
		"orderId=a&orderId=b":                 2,
		"transactionId=" + a + "&orderId=b":   2,
		"transactionId=" + a + "&orderId=a":   1,
		"orderId=a&orderId=nobody&fields=ALL": 1,
	} {
		if got := len(w.want(query, w.get("", query), "0000").transactions); got != want {
			t.Errorf("%s shows %d, want %d", query, got, want)
		}
	}
	if d := w.want("fields", w.get("", "orderId=a&fields=TRANSACTION"), "0000").transactions[0]; len(d.Packages) != 0 {
		t.Errorf("packages %v", d.Packages)
	}
	for query, code := range map[string]string{
		"":                         "2101",
		"orderid=a":                "2101",
		"orderId=a&fields=ORDER":   "2101",
		"orderId=%zz":              "2101",
		"transactionId=x":          "2101",
		"transactionId=" + a + "0": "2101",
		"orderId=nobody":           "1150",
		"orderId=a" + strings.Repeat("&orderId=a", 100): "1177",
	} {
		w.want("details "+query, w.get("", query), code)
	}
	w.want("check of nothing", w.get("/requests/2021113000697317610/check", ""), "1150")
	w.want("check of no number", w.get("/requests/x/check", ""), "2101")
}

// Each trouble befalls one call that could act, and does what its comment says.
func TestTroubles(t *testing.T) {
	for _, trouble := range linepaysim.Troubles {
		t.Run(string(trouble), func(t *testing.T) {
			w := newShop(t)
			acts := trouble == linepaysim.Broken || trouble == linepaysim.UnwellAfter || trouble == linepaysim.RunningAfter
			struck := func(a answer, running, hiccup string) {
				t.Helper()
				want := map[linepaysim.Trouble]string{
					linepaysim.Unwell: "9000", linepaysim.UnwellAfter: "9000", linepaysim.Hiccup: hiccup,
					linepaysim.Running: running, linepaysim.RunningAfter: running,
				}[trouble]
				if want == "" && a.status != http.StatusInternalServerError || want != "" && a.Code != want {
					t.Fatalf("answered %d %s, want %q", a.status, a.Code, want)
				}
			}
			w.sim.Upset(trouble)
			struck(w.post("/request", asked), "1145", "1900")
			if again := w.post("/request", asked).Code; acts != (again == "1172") {
				t.Fatalf("requested again: %s", again)
			}
			w.pay("ORDER")
			id := w.order("b")
			w.pay("b")
			w.sim.Upset(trouble)
			w.check(id, "0110") // reads are spared
			struck(w.post("/"+id+"/confirm", twd300), "1198", "1280")
			if acts {
				w.took("b", 30000, 0)
			} else {
				w.took("b", 0, 0)
				w.want("confirm again", w.post("/"+id+"/confirm", twd300), "0000")
			}
			w.sim.Upset(linepaysim.NoTrouble, trouble)
			w.want("refund", w.post("/"+id+"/refund", `{"refundAmount":1}`), "0000")
			struck(w.post("/"+id+"/refund", `{"refundAmount":1}`), "1198", "1900")
			w.took("b", 30000, map[bool]int64{true: 200, false: 100}[acts])
		})
	}
}

// Lagging reads show an earlier truth; what acts sees the present.
func TestLaggingReads(t *testing.T) {
	w := newShop(t)
	w.sim.LagReads(time.Minute)
	id := w.order("a")
	w.check(id, "1150")
	w.later(time.Minute)
	w.check(id, "0000")
	w.pay("a")
	w.check(id, "0000")
	w.want("confirm", w.post("/"+id+"/confirm", twd300), "0000")
	w.want("details", w.get("", "orderId=a"), "1150")
	w.later(30 * time.Second)
	w.want("refund", w.post("/"+id+"/refund", `{"refundAmount":10}`), "0000")
	w.later(30 * time.Second)
	w.check(id, "0123")
	refunds := func() int {
		return len(w.want("details", w.get("", "orderId=a"), "0000").transactions[0].RefundList)
	}
	if got := refunds(); got != 0 {
		t.Errorf("%d refunds seen too early", got)
	}
	w.took("a", 30000, 1000)
	w.sim.LagReads(0)
	if got := refunds(); got != 1 {
		t.Errorf("%d refunds seen, want 1", got)
	}
}

// In Thailand amounts have two decimals, and are written without idle zeros.
func TestBaht(t *testing.T) {
	w := newShop(t, func(c *linepaysim.Config) { c.Currency = "THB" })
	id := w.order("a", `"TWD"`, `"THB"`, `"amount":300`, `"amount":9.90`, `"quantity":2`, `"quantity":3`, `"price":150`, `"price":3.3`)
	w.pay("a")
	w.want("confirm of a third decimal", w.post("/"+id+"/confirm", `{"amount":9.900,"currency":"THB"}`), "1124")
	got := w.want("confirm", w.post("/"+id+"/confirm", `{"amount":9.9,"currency":"THB"}`), "0000").one
	if got.PayInfo[0].Amount != "9.9" {
		t.Errorf("payInfo %v", got.PayInfo)
	}
	w.want("refund", w.post("/"+id+"/refund", `{"refundAmount":0.05}`), "0000")
	if c, r := w.sim.Captured("a"), w.sim.Refunded("a"); c != money.Of(990, "THB") || r != money.Of(5, "THB") {
		t.Errorf("captured %v, refunded %v", c, r)
	}
	if d := w.get("", "orderId=a").transactions[0]; d.RefundList[0].RefundAmount != "-0.05" {
		t.Errorf("refunds %+v", d.RefundList)
	}
}

// Two channels of the same seed say the same, byte for byte.
func TestSeedDecides(t *testing.T) {
	tell := func() string {
		w := newShop(t)
		var b bytes.Buffer
		for i := range 3 {
			id := w.bought(fmt.Sprint("o", i))
			b.Write(w.post("/"+id+"/refund", `{"refundAmount":1}`).Info)
			b.Write(w.get("", "orderId="+fmt.Sprint("o", i)).Info)
		}
		return b.String()
	}
	if one, two := tell(), tell(); one != two || one == "" {
		t.Errorf("told\n%s\nthen\n%s", one, two)
	}
}

func TestUnfinishedConfigurationPanics(t *testing.T) {
	full := linepaysim.Config{ChannelID: "c", ChannelSecret: "s", Now: func() time.Time { return time.Time{} }}
	for name, spoil := range map[string]func(*linepaysim.Config){
		"no channel":     func(c *linepaysim.Config) { c.ChannelID = "" },
		"no secret":      func(c *linepaysim.Config) { c.ChannelSecret = "" },
		"no clock":       func(c *linepaysim.Config) { c.Now = nil },
		"closed country": func(c *linepaysim.Config) { c.Currency = "JPY" },
	} {
		cfg := full
		spoil(&cfg)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			linepaysim.New(cfg)
		}()
	}
}
