package paypalsim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

func TestAnOrderIsMadeApprovedAndCaptured(t *testing.T) {
	w := newTown()
	made := w.post(orderPath, orderBody("a", "1980", "JPY"), "a.c")
	want(t, made, 201, "status", "PAYER_ACTION_REQUIRED", "purchase_units.0.amount.value", "1980", "purchase_units.0.payee.merchant_id", "TSUZUKU2345AB")
	id := made.str("id")
	if got, want := made.link("payer-action"), "https://paypalsim.invalid/checkoutnow?token="+id; got != want {
		t.Errorf("payer-action %q, want %q", got, want)
	}
	refused(t, w.capture(id, "early"), 422, "ORDER_NOT_APPROVED")

	back, err := w.sim.Pay("a")
	if err != nil || back.Get("token") != id || len(back.Get("PayerID")) != 13 {
		t.Fatalf("Pay: %v, %v", back, err)
	}
	want(t, w.get(orderPath+"/"+id), 200, "status", "APPROVED", "payer.payer_id", back.Get("PayerID"))
	if got := w.sim.Captured("a"); got != (money.Money{}) {
		t.Errorf("captured %v before anybody captured", got)
	}
	got := w.capture(id, "a.x")
	want(t, got, 201, "status", "COMPLETED", "purchase_units.0.payments.captures.0.status", "COMPLETED",
		"purchase_units.0.payments.captures.0.amount.value", "1980",
		"purchase_units.0.payments.captures.0.seller_receivable_breakdown.paypal_fee.value", "111")
	capture := got.str("purchase_units.0.payments.captures.0.id")
	want(t, w.get("/v2/payments/captures/"+capture), 200, "status", "COMPLETED", "custom_id", "a", "invoice_id", "a", "supplementary_data.related_ids.order_id", id)
	refused(t, w.capture(id, "again"), 422, "ORDER_ALREADY_CAPTURED")
	if got := w.sim.Captured("a"); got != money.Of(1980, "JPY") {
		t.Errorf("captured %v", got)
	}
	wantCharges := []paypalsim.Charge{{Ref: "a", ID: capture, Captured: money.Of(1980, "JPY"), Refunded: money.Of(0, "JPY"), At: w.now}}
	if diff := cmp.Diff(wantCharges, w.sim.Charges()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"}, sorted(w.kinds())); diff != "" {
		t.Error(diff)
	}
	if _, err := w.sim.Pay("a"); err == nil {
		t.Error("a paid order can be approved again")
	}
}

func TestWithoutPreferenceAnAnswerIsMinimal(t *testing.T) {
	w := newTown()
	r := w.request(http.MethodPost, orderPath, orderBody("a", "1980", "JPY"), "a.c")
	r.Header.Del("Prefer")
	got := w.send(r)
	want(t, got, 201, "status", "PAYER_ACTION_REQUIRED")
	if len(got.body) != 3 {
		t.Errorf("more than id, status, links: %s", got.raw)
	}
}

func TestOnlyATokenThatLivesOpensTheDoor(t *testing.T) {
	w := newTown(func(c *paypalsim.Config) { c.TokenLife = time.Hour })
	want(t, w.get(orderPath+"/NONE"), 404, "name", "RESOURCE_NOT_FOUND")
	w.now = w.now.Add(time.Hour)
	want(t, w.get(orderPath+"/NONE"), 401, "error", "invalid_token")
	w.login()
	want(t, w.get(orderPath+"/NONE"), 404)
	r := w.request(http.MethodGet, orderPath+"/NONE", "", "")
	r.Header.Del("Authorization")
	want(t, w.send(r), 401, "name", "AUTHENTICATION_FAILURE")
	for what, change := range map[string]func(*http.Request){
		"wrong secret": func(r *http.Request) { r.SetBasicAuth("client", "Secret") },
		"wrong client": func(r *http.Request) { r.SetBasicAuth("", "secret") },
		"no Basic":     func(r *http.Request) { r.Header.Del("Authorization") },
	} {
		r := w.request(http.MethodPost, "/v1/oauth2/token", "grant_type=client_credentials", "")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		change(r)
		if got := w.send(r); got.status != 401 || got.str("error") != "invalid_client" {
			t.Errorf("%s: %d %s", what, got.status, got.raw)
		}
	}
	r = w.request(http.MethodPost, "/v1/oauth2/token", "grant_type=password", "")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("client", "secret")
	want(t, w.send(r), 400, "error", "unsupported_grant_type")
}

func TestWhatPayPalWouldNotTakeIsRefused(t *testing.T) {
	good := orderBody("a", "1980", "JPY")
	swap := func(old, put string) string { return strings.Replace(good, old, put, 1) }
	for _, c := range []struct {
		name, body string
		status     int
		issue      string
	}{
		{"not JSON", `{"intent":`, 400, "MALFORMED_REQUEST_JSON"},
		{"two objects", good + "{}", 400, "MALFORMED_REQUEST_JSON"},
		{"an array", "[]", 400, "MALFORMED_REQUEST_JSON"},
		{"nothing", "", 400, "MISSING_REQUIRED_PARAMETER"},
		{"another intent", swap("CAPTURE", "AUTHORIZE"), 400, "INVALID_PARAMETER_VALUE"},
		{"no intent", swap(`"intent":"CAPTURE",`, ""), 400, "MISSING_REQUIRED_PARAMETER"},
		{"unknown field", swap(`"description"`, `"describe"`), 400, "NOT_SUPPORTED"},
		{"number as amount", swap(`"1980"`, `1980`), 400, "INVALID_PARAMETER_SYNTAX"},
		{"null as unit", swap(`[{`, `[null,{`), 400, "INVALID_ARRAY_MAX_ITEMS"},
		{"string as unit", `{"intent":"CAPTURE","purchase_units":["x"]}`, 400, "INVALID_PARAMETER_SYNTAX"},
		{"no unit", `{"intent":"CAPTURE","purchase_units":[]}`, 400, "INVALID_ARRAY_MIN_ITEMS"},
		{"exponent", swap(`"1980"`, `"1e3"`), 400, "INVALID_PARAMETER_SYNTAX"},
		{"plus sign", swap(`"1980"`, `"+1"`), 400, "INVALID_PARAMETER_SYNTAX"},
		{"line feed", swap(`"1980"`, `"1980\n"`), 400, "INVALID_PARAMETER_SYNTAX"},
		{"empty amount", swap(`"1980"`, `""`), 400, "INVALID_STRING_LENGTH"},
		{"long custom_id", swap(`"custom_id":"a"`, `"custom_id":"`+strings.Repeat("a", 128)+`"`), 400, "INVALID_STRING_LENGTH"},
		{"long in bytes", swap("7 days", strings.Repeat("日", 43)), 400, "INVALID_STRING_LENGTH"},
		{"long currency", swap(`"JPY"`, `"JPYY"`), 400, "INVALID_STRING_LENGTH"},
		{"locale", swap("ja-JP", "ja_JP"), 400, "INVALID_PARAMETER_SYNTAX"},
		{"relative address", swap("https://shop.example/cancel", "/cancel"), 400, "INVALID_PARAMETER_SYNTAX"},
		{"no way back", swap(`"return_url":"https://shop.example/back?a=1",`, ""), 400, "MISSING_REQUIRED_PARAMETER"},
		{"yen with decimals", swap(`"1980"`, `"1980.00"`), 422, "DECIMALS_NOT_SUPPORTED"},
		{"zero", swap(`"1980"`, `"0"`), 422, "CANNOT_BE_ZERO_OR_NEGATIVE"},
		{"negative", swap(`"1980"`, `"-1980"`), 422, "CANNOT_BE_ZERO_OR_NEGATIVE"},
		{"lower case", swap(`"JPY"`, `"jpy"`), 422, "INVALID_CURRENCY_CODE"},
		{"won", swap(`"JPY"`, `"KRW"`), 422, "INVALID_CURRENCY_CODE"},
		{"yuan", swap(`"JPY"`, `"CNY"`), 422, "CURRENCY_NOT_SUPPORTED_FOR_COUNTRY"},
		{"absurd", swap(`"1980"`, `"10000001"`), 422, "TRANSACTION_LIMIT_EXCEEDED"},
		{"beyond PayPal's digits", swap(`"1980"`, `"1000000000000000"`), 422, "MAX_VALUE_EXCEEDED"},
		{"another payee", swap(`"description"`, `"payee":{"merchant_id":"ANTHER2345ABC"},"description"`), 422, "PAYEE_ACCOUNT_INVALID"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTown()
			refused(t, w.post(orderPath, c.body, "k"), c.status, c.issue)
			if _, err := w.sim.Pay("a"); err == nil {
				t.Error("and an order was made")
			}
		})
	}
	w := newTown()
	refused(t, w.post(orderPath, good, ""), 400, "PAYPAL_REQUEST_ID_REQUIRED")
	refused(t, w.post(orderPath, good, strings.Repeat("k", 109)), 400, "INVALID_STRING_LENGTH")
	r := w.request(http.MethodPost, orderPath, good, "k")
	r.Header.Set("Content-Type", "text/plain")
	want(t, w.send(r), 415, "name", "UNSUPPORTED_MEDIA_TYPE")
	r = w.request(http.MethodPost, orderPath, good, "k")
	r.Header.Set("Prefer", "return=all")
	refused(t, w.send(r), 400, "INVALID_PARAMETER_VALUE")
	want(t, w.post("/v2/checkout/orders/X/void", "", "k"), 404)
	want(t, w.send(w.request(http.MethodDelete, orderPath+"/X", "", "")), 404)
	refused(t, w.get(orderPath+"/X?foo=1"), 400, "NOT_SUPPORTED")
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		value, currency string
		units           int64
		issue           string
	}{
		{"9.90", "USD", 990, ""},
		{"9.9", "USD", 990, ""},
		{"9", "USD", 900, ""},
		{".05", "USD", 5, ""},
		{"009.90", "USD", 990, ""},
		{"10000000.00", "USD", 1_000_000_000, ""},
		{"9.999", "USD", 0, "DECIMAL_PRECISION"},
		{"9.900", "USD", 0, "DECIMAL_PRECISION"},
		{"0.00", "USD", 0, "CANNOT_BE_ZERO_OR_NEGATIVE"},
		{"300", "TWD", 300, ""},
		{"300.00", "TWD", 0, "DECIMALS_NOT_SUPPORTED"},
		{"300.5", "HUF", 0, "DECIMALS_NOT_SUPPORTED"},
		{"1980.0", "JPY", 0, "DECIMALS_NOT_SUPPORTED"},
		{"10000000.01", "USD", 0, "TRANSACTION_LIMIT_EXCEEDED"},
		{"99999999999999999999999999999999", "USD", 0, "MAX_VALUE_EXCEEDED"},
	} {
		if units, issue := paypalsim.ReadAmount(c.value, c.currency); units != c.units || issue != c.issue {
			t.Errorf("%s %s is %d %q, want %d %q", c.value, c.currency, units, issue, c.units, c.issue)
		}
	}
	w := newTown()
	for currency, m := range map[string]money.Money{"TWD": money.Of(30000, "TWD"), "HUF": money.Of(30000, "HUF"), "JPY": money.Of(300, "JPY"), "USD": money.Of(30000, "USD")} {
		id := w.post(orderPath, orderBody(currency, "300", currency), currency).str("id")
		_, _ = w.sim.Pay(currency)
		w.capture(id, "")
		if got := w.sim.Captured(currency); got != m {
			t.Errorf("300 %s captured is %v, want %v", currency, got, m)
		}
	}
	if err := w.sim.RefundByHand("TWD", 12345); err == nil {
		t.Error("half a Taiwan dollar was refunded")
	}
}

func TestARepeatedRequestIsTheSameRequest(t *testing.T) {
	w := newTown()
	body := orderBody("a", "1980", "JPY")
	id := w.post(orderPath, body, "k").str("id")
	want(t, w.post(orderPath, " "+body, "k"), 200, "id", id, "status", "PAYER_ACTION_REQUIRED")
	refused(t, w.post(orderPath, orderBody("a", "1981", "JPY"), "k"), 422, "PAYPAL_REQUEST_ID_PREVIOUSLY_USED")
	_, _ = w.sim.Pay("a")
	want(t, w.post(orderPath, body, "k"), 200, "id", id, "status", "APPROVED")
	refused(t, w.capture(id, "k"), 422, "PAYPAL_REQUEST_ID_PREVIOUSLY_USED")
	want(t, w.capture(id, "x"), 201)
	want(t, w.capture(id, "x"), 200, "status", "COMPLETED")
	w.now = w.now.Add(6*time.Hour - time.Second)
	want(t, w.post(orderPath, body, "k"), 200, "id", id, "status", "COMPLETED")
	w.now = w.now.Add(time.Second)
	refused(t, w.post(orderPath, body, "k"), 422, "DUPLICATE_INVOICE_ID")
	refused(t, w.capture(id, "x"), 422, "ORDER_ALREADY_CAPTURED")
	if n := len(w.sim.Charges()); n != 1 {
		t.Errorf("%d charges", n)
	}
}

// Two orders for one invoice may wait side by side; only one is ever paid.
func TestAnInvoiceIsPaidOnce(t *testing.T) {
	w := newTown()
	first := w.order(t, "a")
	_, _ = w.sim.Pay("a")
	second := w.post(orderPath, orderBody("a", "1980", "JPY"), "other").str("id")
	_, _ = w.sim.Pay("a")
	want(t, w.capture(second, ""), 201)
	refused(t, w.capture(first, ""), 422, "DUPLICATE_INVOICE_ID")
	refused(t, w.post(orderPath, orderBody("a", "1980", "JPY"), "third"), 422, "DUPLICATE_INVOICE_ID")
	if got := w.sim.Captured("a"); got != money.Of(1980, "JPY") {
		t.Errorf("captured %v", got)
	}
}

func TestAnOrderNobodyApprovesIsForgotten(t *testing.T) {
	w := newTown()
	id := w.order(t, "a")
	w.now = w.now.Add(3*time.Hour - time.Second)
	want(t, w.get(orderPath+"/"+id), 200, "status", "PAYER_ACTION_REQUIRED")
	_, _ = w.sim.GiveUp("a") // the page was opened: from here it is three hours
	w.now = w.now.Add(3*time.Hour - time.Second)
	_, _ = w.sim.GiveUp("a") // once
	w.now = w.now.Add(time.Second)
	if _, err := w.sim.Pay("a"); err == nil {
		t.Error("approved after its time")
	}
	refused(t, w.get(orderPath+"/"+id), 404, "INVALID_RESOURCE_ID")
	refused(t, w.capture(id, "x"), 404, "INVALID_RESOURCE_ID")
}

func TestAnApprovalNobodyCapturesIsReversed(t *testing.T) {
	w := newTown()
	id, late := w.order(t, "a"), w.order(t, "b")
	w.now = w.now.Add(2 * time.Hour)
	_, _ = w.sim.Pay("a")
	_, _ = w.sim.Pay("b")
	w.kinds()
	w.now = w.now.Add(3*time.Hour - time.Second)
	want(t, w.capture(late, "b.x"), 201)
	w.now = w.now.Add(time.Second)
	refused(t, w.capture(id, "a.x"), 422, "ORDER_EXPIRED")
	want(t, w.get(orderPath+"/"+id), 200, "status", "VOIDED")
	if diff := cmp.Diff([]string{"CHECKOUT.PAYMENT-APPROVAL.REVERSED", "PAYMENT.CAPTURE.COMPLETED"}, sorted(w.kinds())); diff != "" {
		t.Error(diff)
	}
	if got := w.sim.Captured("a"); got != (money.Money{}) {
		t.Errorf("captured %v", got)
	}
}

func TestADeclinedInstrumentMayBeReplaced(t *testing.T) {
	for _, stays := range []bool{false, true} {
		w := newTown(func(c *paypalsim.Config) { c.DeclinedStaysApproved = stays })
		id := w.order(t, "a")
		back, err := w.sim.Decline("a")
		if err != nil || back.Get("token") != id {
			t.Fatalf("Decline: %v, %v", back, err)
		}
		got := w.capture(id, "x1")
		refused(t, got, 422, "INSTRUMENT_DECLINED")
		if way := got.link("redirect"); !strings.HasSuffix(way, "token="+id) {
			t.Errorf("the payer is sent to %q", way)
		}
		if stays {
			want(t, w.get(orderPath+"/"+id), 200, "status", "APPROVED")
			refused(t, w.capture(id, "x2"), 422, "INSTRUMENT_DECLINED")
		} else {
			want(t, w.get(orderPath+"/"+id), 200, "status", "PAYER_ACTION_REQUIRED")
			refused(t, w.capture(id, "x2"), 422, "ORDER_NOT_APPROVED")
		}
		if _, err := w.sim.Pay("a"); err != nil {
			t.Fatal(err)
		}
		refused(t, w.capture(id, "x1"), 422, "INSTRUMENT_DECLINED") // remembered
		want(t, w.capture(id, "x3"), 201, "status", "COMPLETED")
	}
}

func TestDeclineNextRefusesThoseWhoPay(t *testing.T) {
	w := newTown()
	w.sim.DeclineNext(1)
	first, second := w.order(t, "a"), w.order(t, "b")
	_, _ = w.sim.Pay("a")
	_, _ = w.sim.Pay("b")
	refused(t, w.capture(first, ""), 422, "INSTRUMENT_DECLINED")
	want(t, w.capture(second, ""), 201)
}

// A COMPLETED order does not mean money.
func TestADeniedCaptureCompletesTheOrderWithoutMoney(t *testing.T) {
	w := newTown()
	id := w.order(t, "a")
	if _, err := w.sim.PayWith("a", paypalsim.Denied); err != nil {
		t.Fatal(err)
	}
	got := w.capture(id, "x")
	want(t, got, 201, "status", "COMPLETED", "purchase_units.0.payments.captures.0.status", "DECLINED")
	refused(t, w.refund(got.str("purchase_units.0.payments.captures.0.id"), "", "r"), 422, "REFUND_NOT_ALLOWED")
	if got := w.sim.Captured("a"); got != (money.Money{}) {
		t.Errorf("captured %v", got)
	}
	want(t, w.post(orderPath, orderBody("a", "1980", "JPY"), "new"), 201) // the invoice is still unpaid
}

func TestAPendingCaptureSettlesEitherWay(t *testing.T) {
	for _, paid := range []bool{true, false} {
		w := newTown()
		w.sim.PendNext(1)
		capture := w.bought(t, "a")
		want(t, w.get("/v2/payments/captures/"+capture), 200, "status", "PENDING", "status_details.reason", "PENDING_REVIEW")
		if got := w.sim.Captured("a"); got != (money.Money{}) || len(w.sim.Charges()) != 0 {
			t.Errorf("captured %v while pending", got)
		}
		refused(t, w.refund(capture, "", "r"), 422, "PENDING_CAPTURE")
		refused(t, w.post(orderPath, orderBody("a", "1980", "JPY"), "new"), 422, "DUPLICATE_INVOICE_ID")
		w.now = w.now.Add(48 * time.Hour)
		w.login()
		w.kinds()
		if err := w.sim.Settle("a", paid); err != nil {
			t.Fatal(err)
		}
		if err := w.sim.Settle("a", !paid); err == nil {
			t.Error("settled twice")
		}
		state, kind, took := "COMPLETED", "PAYMENT.CAPTURE.COMPLETED", money.Of(1980, "JPY")
		if !paid {
			state, kind, took = "DECLINED", "PAYMENT.CAPTURE.DECLINED", money.Money{}
		}
		want(t, w.get("/v2/payments/captures/"+capture), 200, "status", state)
		if got := w.sim.Captured("a"); got != took {
			t.Errorf("captured %v, want %v", got, took)
		}
		if diff := cmp.Diff([]string{kind}, w.kinds()); diff != "" {
			t.Error(diff)
		}
		again := w.post(orderPath, orderBody("a", "1980", "JPY"), "again")
		if free := again.status == 201; free == paid {
			t.Errorf("paid %t, and another order for the invoice: %d %s", paid, again.status, again.raw)
		}
	}
}

func TestTroubles(t *testing.T) {
	status := map[paypalsim.Trouble]int{
		paypalsim.ActsThenBreaks: 500, paypalsim.Breaks: 500, paypalsim.Unavailable: 503,
		paypalsim.Busy: 429, paypalsim.InProgress: 409, paypalsim.TokenGone: 401,
	}
	for _, trouble := range paypalsim.Troubles {
		w := newTown()
		id := w.order(t, "a")
		_, _ = w.sim.Pay("a")
		w.sim.Upset(trouble)
		want(t, w.get(orderPath+"/"+id), 200) // a question is not upset
		if got := w.capture(id, "x"); got.status != status[trouble] {
			t.Errorf("%s: %d %s", trouble, got.status, got.raw)
		}
		acted := trouble == paypalsim.ActsThenBreaks
		if took := !w.sim.Captured("a").IsZero(); took != acted {
			t.Errorf("%s: captured %t", trouble, took)
		}
		if trouble == paypalsim.TokenGone {
			want(t, w.capture(id, "x"), 401)
			w.login()
		}
		again := 201
		if acted {
			again = 200
		}
		want(t, w.capture(id, "x"), again, "status", "COMPLETED")
	}
}

func TestReadsLag(t *testing.T) {
	w := newTown()
	id := w.order(t, "a")
	w.sim.LagReads(time.Minute)
	refused(t, w.get(orderPath+"/"+id), 404, "INVALID_RESOURCE_ID")
	w.now = w.now.Add(time.Minute)
	want(t, w.get(orderPath+"/"+id), 200, "status", "PAYER_ACTION_REQUIRED")
	_, _ = w.sim.Pay("a")
	capture := w.capture(id, "x").str("purchase_units.0.payments.captures.0.id")
	want(t, w.get(orderPath+"/"+id), 200, "status", "PAYER_ACTION_REQUIRED")
	want(t, w.get("/v2/payments/captures/"+capture), 404)
	if w.sim.Captured("a").IsZero() {
		t.Error("the truth lags")
	}
	w.now = w.now.Add(time.Minute)
	want(t, w.get(orderPath+"/"+id), 200, "status", "COMPLETED")
	_ = w.sim.RefundByHand("a", 980)
	want(t, w.get("/v2/payments/captures/"+capture), 200, "status", "COMPLETED")
	w.sim.LagReads(0)
	want(t, w.get("/v2/payments/captures/"+capture), 200, "status", "PARTIALLY_REFUNDED")
}
