package wechatpaysim_test

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	sim "github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
)

func TestOrderFromCodeToPaid(t *testing.T) {
	w := newTown(t)
	code := w.place("order00001", 1990)
	if !strings.HasPrefix(code, "weixin://wxpay/bizpayurl?pr=") {
		t.Errorf("code_url %s", code)
	}
	want(t, w.query("order00001"), 200, "trade_state", "NOTPAY", "out_trade_no", "order00001", "mchid", mchID, "transaction_id", nil, "amount", nil)
	if _, err := w.Decline("order00001"); err != nil {
		t.Fatal(err)
	}
	want(t, w.query("order00001"), 200, "trade_state", "NOTPAY")
	w.DeclineNext(1)
	if _, err := w.Pay("order00001"); err != nil || !w.Captured("order00001").IsZero() {
		t.Fatalf("a refused payment: %v, captured %v", err, w.Captured("order00001"))
	}
	back, err := w.Pay("order00001")
	if err != nil || len(back) != 0 {
		t.Fatal(back, err)
	}
	if got := w.Captured("order00001"); got != money.Of(1990, "CNY") {
		t.Errorf("captured %v", got)
	}
	id := w.Charges()[0].ID
	for _, r := range []reply{w.query("order00001"), w.call("GET", "/v3/pay/transactions/id/"+id+"?mchid="+mchID, "")} {
		want(t, r, 200, "trade_state", "SUCCESS", "transaction_id", id, "trade_type", "NATIVE", "amount.total", "1990", "amount.payer_total", "1990",
			"amount.currency", "CNY", "success_time", "2031-05-04T11:02:01+08:00")
	}
	if _, err := w.Pay("order00001"); err == nil {
		t.Error("paid twice")
	}
}

func TestOrderAskedForAgainGetsAFreshCodeAndLosesTheOld(t *testing.T) {
	w := newTown(t)
	first := w.place("order00001", 1990)
	second := w.place("order00001", 1990)
	if first == second {
		t.Fatal("the same code twice")
	}
	if got := w.page("GET", w.PageOf(first), "", ""); !strings.Contains(got.body, "expired") || strings.Contains(got.body, `id="pay"`) {
		t.Errorf("the old code still works: %s", got.body)
	}
	if got := w.page("GET", w.PageOf(second), "", ""); !strings.Contains(got.body, `id="pay"`) {
		t.Errorf("the new code does not work: %s", got.body)
	}
	for _, other := range []string{orderOf("order00001", 1991, ""), orderOf("order00001", 1990, `,"attach":"x"`)} {
		want(t, w.call("POST", "/v3/pay/transactions/native", other), 400, "code", "INVALID_REQUEST")
	}
	want(t, w.call("POST", "/v3/pay/transactions/h5", orderOf("order00001", 1990, h5Scene)), 400, "code", "INVALID_REQUEST")
	if _, err := w.Pay("order00001"); err != nil {
		t.Fatal(err)
	}
	want(t, w.call("POST", "/v3/pay/transactions/native", orderOf("order00001", 1990, "")), 403, "code", "OUT_TRADE_NO_USED")
	w.place("order00002", 1990)
	want(t, w.close("order00002"), 204)
	want(t, w.call("POST", "/v3/pay/transactions/native", orderOf("order00002", 1990, "")), 400, "code", "ORDER_CLOSED")
	if got := w.Captured("order00001"); got.Minor != 1990 {
		t.Errorf("captured %v", got)
	}
}

func TestCodesAndOrdersEnd(t *testing.T) {
	for _, tt := range []struct {
		kind, more string
		lasts      time.Duration // as long as this the customer can pay
		state      string        // a second later
		again      bool          // can be paid after asking for a new code
	}{
		{"native", "", 2*time.Hour - time.Second, "NOTPAY", true},
		{"jsapi", payer, 2*time.Hour - time.Second, "NOTPAY", true},
		{"h5", h5Scene, 5*time.Minute - time.Second, "NOTPAY", true},
		{"native", `,"time_expire":"2031-05-04T11:32:01+08:00"`, 30*time.Minute - time.Second, "NOTPAY", false},
	} {
		w := newTown(t)
		body := orderOf("order00001", 100, tt.more)
		want(t, w.call("POST", "/v3/pay/transactions/"+tt.kind, body), 200)
		want(t, w.call("POST", "/v3/pay/transactions/"+tt.kind, orderOf("order00002", 100, tt.more)), 200)
		w.pass(tt.lasts)
		if _, err := w.Pay("order00002"); err != nil {
			t.Errorf("%s after %s: %v", tt.kind, tt.lasts, err)
		}
		w.pass(time.Second)
		if _, err := w.Pay("order00001"); err == nil {
			t.Errorf("%s can be paid after %s", tt.kind, tt.lasts+time.Second)
		}
		want(t, w.query("order00001"), 200, "trade_state", tt.state)
		if r := w.call("POST", "/v3/pay/transactions/"+tt.kind, body); (r.status == 200) != tt.again {
			t.Errorf("%s asked for again: %s", tt.kind, r.raw)
		}
		if _, err := w.Pay("order00001"); (err == nil) != tt.again {
			t.Errorf("%s paid after asking again: %v", tt.kind, err)
		}
	}
	w := newTown(t)
	w.place("order00001", 100)
	w.pass(7*24*time.Hour - time.Second)
	want(t, w.query("order00001"), 200, "trade_state", "NOTPAY")
	w.pass(time.Second)
	want(t, w.query("order00001"), 200, "trade_state", "CLOSED")
}

func TestClose(t *testing.T) {
	w := newTown(t)
	w.place("order00001", 100)
	for range 2 {
		if r := w.close("order00001"); r.status != 204 || r.raw != "" {
			t.Fatalf("close: %d %s", r.status, r.raw)
		}
	}
	want(t, w.query("order00001"), 200, "trade_state", "CLOSED")
	if _, err := w.Pay("order00001"); err == nil {
		t.Error("a closed order was paid")
	}
	w.paid("order00002", 100)
	want(t, w.close("order00002"), 400, "code", "ORDER_PAID")
	want(t, w.query("order00002"), 200, "trade_state", "SUCCESS")
	want(t, w.close("order00003"), 404, "code", "ORDER_NOT_EXIST")
	path := "/v3/pay/transactions/out-trade-no/order00002/close"
	for _, body := range []string{"", "{}", `{"mchid":"1900007292"}`, `{"mchid":"` + mchID + `","x":1}`} {
		want(t, w.call("POST", path, body), 400, "code", "PARAM_ERROR")
	}
}

func TestOrdersWithWrongParametersAreRefused(t *testing.T) {
	good := orderOf("order00001", 1990, "")
	swap := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for _, tt := range []struct{ kind, body, code string }{
		{"native", "", "PARAM_ERROR"},
		{"native", "[]", "PARAM_ERROR"},
		{"native", good + "{}", "PARAM_ERROR"},
		{"native", swap(`{"appid"`, `{"appid":"`+appID+`","appid"`), "PARAM_ERROR"},
		{"native", swap(`"30 天"`, `"`+strings.Repeat("天", 128)+`"`), "PARAM_ERROR"},
		{"native", swap(`"30 天"`, `null`), "PARAM_ERROR"},
		{"native", swap(`"30 天"`, "\"\xff\""), "PARAM_ERROR"},
		{"native", swap("1990", "0"), "PARAM_ERROR"},
		{"native", swap("1990", "-1"), "PARAM_ERROR"},
		{"native", swap("1990", "19.90"), "PARAM_ERROR"},
		{"native", swap("1990", "1990.0"), "PARAM_ERROR"},
		{"native", swap("1990", "1e3"), "PARAM_ERROR"},
		{"native", swap("1990", `"1990"`), "PARAM_ERROR"},
		{"native", swap("1990", "100000001"), "PARAM_ERROR"},
		{"native", swap("1990", "99999999999999999999"), "PARAM_ERROR"},
		{"native", swap("CNY", "JPY"), "PARAM_ERROR"},
		{"native", swap("CNY", "cny"), "PARAM_ERROR"},
		{"native", swap("order00001", "short"), "PARAM_ERROR"},
		{"native", swap("order00001", strings.Repeat("x", 33)), "PARAM_ERROR"},
		{"native", swap("order00001", "order/00001"), "PARAM_ERROR"},
		{"native", swap(notifyURL, notifyURL+"?a=b"), "PARAM_ERROR"},
		{"native", swap(notifyURL, "http://shop.test/hooks"), "PARAM_ERROR"},
		{"native", swap(notifyURL, "https://shop.test"), "PARAM_ERROR"},
		{"native", swap(notifyURL, "https://127.0.0.1/hooks"), "PARAM_ERROR"},
		{"native", swap(notifyURL, "https://me:secret@shop.test/hooks"), "PARAM_ERROR"},
		{"native", swap(notifyURL, "https://192.168.1.2/hooks"), "PARAM_ERROR"},
		{"native", swap(mchID, "1900007292"), "PARAM_ERROR"},
		{"native", swap(appID, "wx0000000000000000"), "APPID_MCHID_NOT_MATCH"},
		{"native", orderOf("order00001", 1990, `,"time_expire":"2031-05-04T11:03:01+08:00"`), "PARAM_ERROR"},
		{"native", orderOf("order00001", 1990, `,"time_expire":"2031-05-12T11:03:01+08:00"`), "PARAM_ERROR"},
		{"native", orderOf("order00001", 1990, `,"time_expire":"2031-05-04 12:03:01"`), "PARAM_ERROR"},
		{"native", orderOf("order00001", 1990, payer), "PARAM_ERROR"},
		{"native", orderOf("order00001", 1990, `,"limit_pay":["no_credit"]`), "PARAM_ERROR"},
		{"native", orderOf("order00001", 1990, `,"settle_info":{"profit_sharing":true}`), "PARAM_ERROR"},
		{"native", orderOf("order00001", 1990, `,"support_fapiao":"yes"`), "PARAM_ERROR"},
		{"jsapi", good, "PARAM_ERROR"},
		{"jsapi", orderOf("order00001", 1990, `,"payer":{}`), "PARAM_ERROR"},
		{"h5", good, "PARAM_ERROR"},
		{"h5", orderOf("order00001", 1990, `,"scene_info":{"payer_client_ip":"14.23.150.211"}`), "PARAM_ERROR"},
		{"h5", orderOf("order00001", 1990, `,"scene_info":{"h5_info":{"type":"Wap"}}`), "PARAM_ERROR"},
		{"h5", orderOf("order00001", 1990, strings.Replace(h5Scene, "14.23.150.211", "127.0.0.1", 1)), "PARAM_ERROR"},
		{"h5", orderOf("order00001", 1990, strings.Replace(h5Scene, "Wap", "Web", 1)), "PARAM_ERROR"},
	} {
		w := newTown(t)
		r := w.call("POST", "/v3/pay/transactions/"+tt.kind, tt.body)
		if r.status != 400 || r.at("code") != tt.code || r.at("message") == nil {
			t.Errorf("%s %s: %d %s, want 400 %s", tt.kind, tt.body, r.status, r.raw, tt.code)
		}
		want(t, w.query("order00001"), 404, "code", "ORDER_NOT_EXIST")
	}
	w := newTown(t)
	for kind, more := range map[string]string{
		"native": `,"attach":"a","goods_tag":"g","support_fapiao":true,"time_expire":"2031-05-04T11:03:02+08:00","settle_info":{"profit_sharing":false},"scene_info":{"device_id":"7"}`,
		"jsapi":  payer,
		"h5":     strings.Replace(h5Scene, "14.23.150.211", "2001:db8::1", 1),
	} {
		want(t, w.call("POST", "/v3/pay/transactions/"+kind, orderOf("order-"+kind+"|*_", 1990, more)), 200)
	}
}

func TestRequestsThatAreNotTheMerchantsAreRefused(t *testing.T) {
	w := newTown(t)
	body := orderOf("order00001", 1990, "")
	now := w.clock().Unix()
	const path = "/v3/pay/transactions/native"
	for name, change := range map[string]func(*http.Request){
		"no authorization": func(r *http.Request) { r.Header.Del("Authorization") },
		"two":              func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) },
		"another key":      func(r *http.Request) { w.authorize(r, mchID, serial, "n1", now, body, w.platform) },
		"another merchant": func(r *http.Request) { w.authorize(r, "1900007292", serial, "n1", now, body, w.merchant) },
		"another serial":   func(r *http.Request) { w.authorize(r, mchID, "0A", "n1", now, body, w.merchant) },
		"another body":     func(r *http.Request) { w.authorize(r, mchID, serial, "n1", now, body+" ", w.merchant) },
		"a long nonce":     func(r *http.Request) { w.authorize(r, mchID, serial, strings.Repeat("n", 33), now, body, w.merchant) },
		"an odd nonce":     func(r *http.Request) { w.authorize(r, mchID, serial, "n-1", now, body, w.merchant) },
		"too old":          func(r *http.Request) { w.authorize(r, mchID, serial, "n1", now-301, body, w.merchant) },
		"too new":          func(r *http.Request) { w.authorize(r, mchID, serial, "n1", now+301, body, w.merchant) },
		"another path": func(r *http.Request) {
			r.RequestURI = "/v3/pay/transactions/h5"
			w.authorize(r, mchID, serial, "n1", now, body, w.merchant)
			r.RequestURI = path
		},
		"another method": func(r *http.Request) {
			r.Method = "PUT"
			w.authorize(r, mchID, serial, "n1", now, body, w.merchant)
			r.Method = "POST"
		},
	} {
		r := w.request("POST", path, body)
		change(r)
		got := w.send(r)
		if got.status != 401 || got.at("code") != "SIGN_ERROR" || got.header.Get("Wechatpay-Signature") != "" {
			t.Errorf("%s: %d %s %v", name, got.status, got.raw, got.header)
		}
	}
	if r := w.query("order00001"); r.status != 404 {
		t.Errorf("there is an order nobody asked for: %s", r.raw)
	}
	for _, at := range []int64{now - 300, now + 300} {
		r := w.request("POST", path, body)
		w.authorize(r, mchID, serial, "n1", at, body, w.merchant)
		want(t, w.send(r), 200)
	}
}

func TestRulesOfEveryCall(t *testing.T) {
	w := newTown(t)
	body := orderOf("order00001", 1990, "")
	for name, change := range map[string]func(*http.Request){
		"no Accept":       func(r *http.Request) { r.Header.Del("Accept") },
		"Accept HTML":     func(r *http.Request) { r.Header.Set("Accept", "text/html") },
		"no Content-Type": func(r *http.Request) { r.Header.Del("Content-Type") },
		"a form":          func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
		"unknown serial":  func(r *http.Request) { r.Header.Set("Wechatpay-Serial", pubID) },
	} {
		r := w.request("POST", "/v3/pay/transactions/native", body)
		change(r)
		if got := w.send(r); got.status != 400 {
			t.Errorf("%s: %s", name, got.raw)
		}
	}
	for path, code := range map[string]string{
		"/v3/pay/transactions/out-trade-no/order00001":                         "PARAM_ERROR",
		"/v3/pay/transactions/out-trade-no/order00001?mchid=1900007292":        "PARAM_ERROR",
		"/v3/pay/transactions/out-trade-no/order00001?mchid=" + mchID + "&x=1": "PARAM_ERROR",
		"/v3/pay/transactions/out-trade-no/order00001?mchid=" + mchID:          "ORDER_NOT_EXIST",
		"/v3/pay/transactions/id/4200000000?mchid=" + mchID:                    "ORDER_NOT_EXIST",
		"/v3/pay/transactions/id/?mchid=" + mchID:                              "RESOURCE_NOT_EXISTS",
		"/v3/pay/transactions/native":                                          "RESOURCE_NOT_EXISTS",
		"/v3/pay/transactions/out-trade-no/order00001/close?mchid=" + mchID:    "RESOURCE_NOT_EXISTS",
		"/v3/refund/domestic/refunds/none":                                     "RESOURCE_NOT_EXISTS",
		"/v3/refund/domestic/refunds/none?mchid=" + mchID:                      "PARAM_ERROR",
		"/v3/certificates?algorithm_type=SM2":                                  "PARAM_ERROR",
		"/v3/certificates?algorithm_type=RSA&a=b":                              "PARAM_ERROR",
		"/v3/profitsharing/orders/none":                                        "RESOURCE_NOT_EXISTS",
	} {
		if got := w.call("GET", path, ""); got.at("code") != code {
			t.Errorf("%s: %s, want %s", path, got.raw, code)
		}
	}
	if got := w.call("GET", "/v3/certificates", "{}"); got.status != 400 {
		t.Errorf("a GET with a body: %s", got.raw)
	}
	if _, err := w.Pay("order00001"); err == nil {
		t.Error("one of them made an order")
	}
}

// certificates downloads and opens the platform certificates.
func (w *town) certificates() map[string]*x509.Certificate {
	w.t.Helper()
	r := w.send(w.request("GET", "/v3/certificates", ""))
	want(w.t, r, 200)
	all := map[string]*x509.Certificate{}
	for _, each := range r.body["data"].([]any) {
		s := within(each, "encrypt_certificate").(map[string]any)
		if s["associated_data"] != "certificate" || s["algorithm"] != "AEAD_AES_256_GCM" {
			w.t.Errorf("sealed as %v", s)
		}
		plain, err := unseal(apiKey, resource{Ciphertext: s["ciphertext"].(string), Nonce: s["nonce"].(string), AssociatedData: s["associated_data"].(string)})
		if err != nil {
			w.t.Fatal(err)
		}
		block, _ := pem.Decode([]byte(plain))
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			w.t.Fatal(err)
		}
		name := within(each, "serial_no").(string)
		if serialOf(c.SerialNumber) != name || !c.NotAfter.Equal(c.NotBefore.AddDate(5, 0, 0)) || c.NotBefore.After(w.clock()) {
			w.t.Errorf("certificate %s: %X, %s to %s", name, c.SerialNumber, c.NotBefore, c.NotAfter)
		}
		all[name] = c
	}
	return all
}

func TestCertificatesRotate(t *testing.T) {
	w := newTown(t)
	before := w.place("order00001", 100) // call verifies with the first key
	first := w.query("order00001").header.Get("Wechatpay-Serial")
	if got := w.certificates(); len(got) != 1 || got[first] == nil {
		t.Fatalf("certificates %v, signed by %s", got, first)
	}
	w.platform = privateKey(t, "WX-K1")
	second := w.Rotate(w.platform)
	if got := w.query("order00001").header.Get("Wechatpay-Serial"); got != second || second == first {
		t.Errorf("after rotation signed by %s, want %s", got, second)
	}
	if got := w.certificates(); len(got) != 2 || got[first] == nil || got[second] == nil || !w.platform.PublicKey.Equal(got[second].PublicKey) {
		t.Errorf("certificates %v", got)
	}
	if _, err := w.Pay("order00001"); err != nil || w.PageOf(before) == "" {
		t.Fatal(err)
	}
	if n := w.Notifications()[0]; n.Header.Get("Wechatpay-Serial") != second || verified(&w.platform.PublicKey, n.Header, n.Body) != nil {
		t.Error("the notification is not signed by the new certificate")
	}
	r := w.request("GET", "/v3/certificates", "")
	r.Header.Set("Wechatpay-Serial", first)
	want(t, w.send(r), 200)
}

func TestPublicKeyModeHasNoCertificates(t *testing.T) {
	w := newTown(t, publicKeyMode)
	w.paid("order00001", 100)
	if got := w.query("order00001").header.Get("Wechatpay-Serial"); got != pubID {
		t.Errorf("signed by %s", got)
	}
	if got := w.Notifications()[0].Header.Get("Wechatpay-Serial"); got != pubID {
		t.Errorf("notification signed by %s", got)
	}
	want(t, w.call("GET", "/v3/certificates", ""), 404, "code", "RESOURCE_NOT_EXISTS")
}

func TestTroubles(t *testing.T) {
	for _, tt := range []struct {
		trouble sim.Trouble
		status  int
		code    any
		done    bool
	}{
		{sim.Outage, 500, "SYSTEM_ERROR", false},
		{sim.Unavailable, 503, "SERVICE_UNAVAILABLE", false},
		{sim.Busy, 429, "FREQUENCY_LIMITED", false},
		{sim.NotEnough, 403, "NOT_ENOUGH", false},
		{sim.BrokenAfter, 500, "SYSTEM_ERROR", true},
		{sim.Missigned, 200, nil, true},
	} {
		w := newTown(t)
		w.paid("order00001", 100)
		w.Upset(tt.trouble)
		want(t, w.query("order00001"), 200) // reads use up no trouble
		r := w.send(w.request("POST", refunds, refundOf("order00001", "refund1", 100, 100)))
		want(t, r, tt.status, "code", tt.code)
		probe := strings.HasPrefix(r.header.Get("Wechatpay-Signature"), "WECHATPAY/SIGNTEST/")
		if ok := verified(&w.platform.PublicKey, r.header, []byte(r.raw)) == nil; ok == (tt.trouble == sim.Missigned) || ok == probe {
			t.Errorf("%s: signature good %v, probe %v", tt.trouble, ok, probe)
		}
		if got := !w.Refunded("order00001").IsZero(); got != tt.done {
			t.Errorf("%s: done %v", tt.trouble, got)
		}
		want(t, w.refund("order00001", "refund1", 100, 100), 200)
		if got := w.Refunded("order00001").Minor; got != 100 {
			t.Errorf("%s: refunded %d", tt.trouble, got)
		}
	}
	w := newTown(t)
	w.Upset(sim.NotEnough)
	w.paid("order00001", 100) // orders do not meet it
	want(t, w.refund("order00001", "refund1", 100, 100), 403)
	if len(sim.Troubles) != 6 {
		t.Error("a trouble is not tried")
	}
}

func TestLaggingReadsShowThePast(t *testing.T) {
	w := newTown(t)
	w.LagReads(10 * time.Second)
	id := w.paid("order00001", 100)
	byID := "/v3/pay/transactions/id/" + id + "?mchid=" + mchID
	want(t, w.query("order00001"), 404)
	w.pass(9 * time.Second)
	want(t, w.call("GET", byID, ""), 404, "code", "ORDER_NOT_EXIST")
	want(t, w.refund("order00001", "refund1", 100, 100), 200, "status", "PROCESSING")
	w.pass(time.Second)
	want(t, w.query("order00001"), 200, "trade_state", "SUCCESS")
	want(t, w.call("GET", refunds+"/refund1", ""), 404)
	w.pass(9 * time.Second)
	want(t, w.query("order00001"), 200, "trade_state", "REFUND")
	want(t, w.call("GET", refunds+"/refund1", ""), 200, "status", "PROCESSING")
	w.pass(3 * time.Second)
	want(t, w.call("GET", refunds+"/refund1", ""), 200, "status", "SUCCESS")
	w.LagReads(0)
	w.place("order00002", 100)
	want(t, w.query("order00002"), 200)
	w.pass(time.Hour)
	w.LagReads(10 * time.Second)
	if _, err := w.Pay("order00002"); err != nil {
		t.Fatal(err)
	}
	want(t, w.query("order00002"), 200, "trade_state", "NOTPAY")
	want(t, w.call("GET", "/v3/pay/transactions/id/"+w.Charges()[1].ID+"?mchid="+mchID, ""), 404, "code", "ORDER_NOT_EXIST")
	if w.Captured("order00002").Minor != 100 {
		t.Error("the truth lags")
	}
}
