package wechatpaysim_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	sim "github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
)

type shown struct {
	status   int
	location string
	body     string
}

// page visits a page on a server that has its pages under /sim.
func (w *town) page(method, address, referer, form string) shown {
	w.t.Helper()
	r := httptest.NewRequest(method, address, strings.NewReader(form))
	r.Header.Set("Referer", referer)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	rec := httptest.NewRecorder()
	http.StripPrefix("/sim", w.Pages()).ServeHTTP(rec, r)
	return shown{rec.Code, rec.Header().Get("Location"), rec.Body.String()}
}

func TestPhoneAfterScanning(t *testing.T) {
	w := newTown(t)
	address := w.PageOf(w.place("order00001", 1990))
	if !strings.HasPrefix(address, "https://shop.test/sim/pay/") {
		t.Fatalf("page at %s", address)
	}
	if got := w.page("GET", address, "", ""); got.status != 200 || !strings.Contains(got.body, "CNY 19.90") || !strings.Contains(got.body, "30 天") ||
		!strings.Contains(got.body, `id="pay"`) || !strings.Contains(got.body, `id="tool"`) || !strings.Contains(got.body, "simulated") || strings.Contains(got.body, "alert\"") {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, form := range []string{"do=decline", "do=pay&tool=poor"} {
		if got := w.page("POST", address, "", form); !strings.Contains(got.body, `role="alert"`) || !strings.Contains(got.body, `id="pay"`) {
			t.Errorf("after %s: %s", form, got.body)
		}
	}
	if got := w.page("POST", address, "", "do=pay&tool=gold"); got.status != 400 {
		t.Errorf("an unknown tool: %d", got.status)
	}
	if got := w.page("POST", address, "", "do=giveup"); got.status != 200 || !strings.Contains(got.body, "did not pay") {
		t.Errorf("gave up: %d %s", got.status, got.body)
	}
	if !w.Captured("order00001").IsZero() {
		t.Fatal("money was taken")
	}
	if got := w.page("POST", address, "", "do=pay&tool=card"); got.status != 200 || !strings.Contains(got.body, "Paid") || strings.Contains(got.body, `id="pay"`) {
		t.Errorf("paid: %d %s", got.status, got.body)
	}
	want(t, w.query("order00001"), 200, "trade_state", "SUCCESS", "bank_type", "CMB_DEBIT")
	if got := w.page("POST", address, "", "do=pay&tool=card"); !strings.Contains(got.body, "is paid") || len(w.Charges()) != 1 {
		t.Errorf("paid again: %s", got.body)
	}
	for _, none := range []string{"https://shop.test/sim/pay/none", "https://shop.test/sim/pay/", "https://shop.test/sim/", "https://shop.test/sim/cgi-bin/mmpayweb-bin/checkmweb"} {
		if got := w.page("GET", none, "", ""); got.status != 404 {
			t.Errorf("%s: %d", none, got.status)
		}
	}
	if w.PageOf("weixin://wxpay/bizpayurl?pr=none") != "" || w.PageOf("") != "" {
		t.Error("a page for a code that never was")
	}
	if got := w.page("PUT", address, "", ""); got.status != 405 {
		t.Errorf("PUT: %d", got.status)
	}
}

func TestH5LeadsBackWithNothingAdded(t *testing.T) {
	w := newTown(t, func(c *sim.Config) { c.H5Domain = "shop.test" })
	const referer, home = "https://shop.test/pay", "https://shop.test/orders/1?x=y"
	place := func(ref string) string {
		r := w.call("POST", "/v3/pay/transactions/h5", orderOf(ref, 1990, h5Scene))
		want(t, r, 200)
		return r.at("h5_url").(string)
	}
	address := place("order00001")
	if !strings.HasPrefix(address, "https://shop.test/sim/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx20310504") || !strings.Contains(address, "&package=") {
		t.Errorf("h5_url %s", address)
	}
	back := address + "&redirect_url=" + url.QueryEscape(home)
	for _, tt := range []struct {
		address, referer string
		opens            bool
	}{
		{back, referer, true},
		{address, referer, true},
		{back, "", false},
		{back, "https://elsewhere.test/", false},
		{address + "&redirect_url=" + url.QueryEscape("https://elsewhere.test/"), referer, false},
		{address + "&redirect_url=shop", referer, false},
	} {
		got := w.page("GET", tt.address, tt.referer, "")
		if strings.Contains(got.body, `id="pay"`) != tt.opens || strings.Contains(got.body, `role="alert"`) == tt.opens {
			t.Errorf("%s from %q: %s", tt.address, tt.referer, got.body)
		}
	}
	if got := w.page("POST", back, "", "do=giveup"); got.status != 303 || got.location != home || !w.Captured("order00001").IsZero() {
		t.Errorf("gave up: %+v", got)
	}
	if got := w.page("POST", back, "", "do=decline"); got.status != 200 || !strings.Contains(got.body, `role="alert"`) || !strings.Contains(got.body, `id="pay"`) {
		t.Errorf("declined: %+v", got)
	}
	if got := w.page("POST", back, "", "do=pay&tool=balance"); got.status != 303 || got.location != home {
		t.Errorf("paid: %+v", got)
	}
	want(t, w.query("order00001"), 200, "trade_state", "SUCCESS", "trade_type", "MWEB")
	ticket := strings.Split(strings.Split(address, "prepay_id=")[1], "&")[0]
	if got := w.page("GET", "https://shop.test/sim/pay/"+ticket, referer, ""); got.status != 404 {
		t.Errorf("an h5 order can be scanned: %+v", got)
	}
	late := place("order00002")
	w.pass(5 * time.Minute)
	if got := w.page("POST", late, "", "do=pay&tool=balance"); !strings.Contains(got.body, "expired") || !w.Captured("order00002").IsZero() {
		t.Errorf("after five minutes: %+v", got)
	}
}

func TestPaymentSheetOpensWithTheMerchantsSignatureOnly(t *testing.T) {
	w := newTown(t)
	r := w.call("POST", "/v3/pay/transactions/jsapi", orderOf("order00001", 1990, payer))
	want(t, r, 200)
	sheet := func() sim.Sheet {
		s := sim.Sheet{AppID: appID, TimeStamp: "1554208460", NonceStr: "593BEC0C930BF1AFEB40B4A08C8FB242", Package: "prepay_id=" + r.at("prepay_id").(string), SignType: "RSA"}
		s.PaySign = signed(w.merchant, s.AppID+"\n"+s.TimeStamp+"\n"+s.NonceStr+"\n"+s.Package+"\n")
		return s
	}
	page, err := w.Open(sheet())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*sim.Sheet){
		"another time":      func(s *sim.Sheet) { s.TimeStamp = "1554208461" },
		"another signature": func(s *sim.Sheet) { s.PaySign = flipped(s.PaySign) },
		"another appid":     func(s *sim.Sheet) { s.AppID = "wx0000000000000000" },
		"another type":      func(s *sim.Sheet) { s.SignType = "MD5" },
		"a bare prepay_id": func(s *sim.Sheet) {
			s.Package = strings.TrimPrefix(s.Package, "prepay_id=")
			s.PaySign = signed(w.merchant, s.AppID+"\n"+s.TimeStamp+"\n"+s.NonceStr+"\n"+s.Package+"\n")
		},
	} {
		s := sheet()
		if change(&s); func() error { _, err := w.Open(s); return err }() == nil {
			t.Errorf("the sheet opens with %s", name)
		}
	}
	if got := w.page("POST", page, "", "do=pay&tool=balance"); !strings.Contains(got.body, "Paid") {
		t.Errorf("%s", got.body)
	}
	want(t, w.query("order00001"), 200, "trade_type", "JSAPI", "payer.openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")
	if _, err := w.Open(sheet()); err == nil {
		t.Error("the sheet of a paid order opens")
	}
}

func TestLocalDemoTakesLoopback(t *testing.T) {
	w := newTown(t, func(c *sim.Config) { c.Local = true })
	body := strings.NewReplacer(notifyURL, "http://127.0.0.1:8080/hooks", "14.23.150.211", "127.0.0.1").Replace(orderOf("order00001", 1990, h5Scene))
	r := w.call("POST", "/v3/pay/transactions/h5", body)
	want(t, r, 200)
	if got := w.page("GET", r.at("h5_url").(string), "", ""); !strings.Contains(got.body, `id="pay"`) {
		t.Errorf("%s", got.body)
	}
}
