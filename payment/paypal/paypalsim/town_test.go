package paypalsim_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

// signingKey is shared: it takes a while to make.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// town is a merchant's program in front of a simulated PayPal.
type town struct {
	sim   *paypalsim.Sim
	now   time.Time
	token string
}

const webhookID = "4JH86294D6297924G"

func newTown(change ...func(*paypalsim.Config)) *town {
	w := &town{now: time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC)}
	cfg := paypalsim.Config{
		ClientID: "client", Secret: "secret", WebhookID: webhookID, MerchantID: "TSUZUKU2345AB",
		Now: func() time.Time { return w.now }, Key: signingKey(),
	}
	for _, f := range change {
		f(&cfg)
	}
	w.sim = paypalsim.New(cfg)
	w.login()
	return w
}

func (w *town) login() {
	r := httptest.NewRequest(http.MethodPost, "/v1/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	r.SetBasicAuth("client", "secret")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w.token, _ = w.send(r).at("access_token").(string)
}

// reply is an answer of the API.
type reply struct {
	status int
	body   map[string]any
	raw    string
}

// at follows a path like "purchase_units.0.amount.value".
func (r reply) at(path string) any {
	var v any = r.body
	for name := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (r reply) str(path string) string { s, _ := r.at(path).(string); return s }

func (r reply) link(rel string) string {
	links, _ := r.at("links").([]any)
	for _, l := range links {
		if m := l.(map[string]any); m["rel"] == rel {
			return m["href"].(string)
		}
	}
	return ""
}

func (w *town) send(r *http.Request) reply {
	rec := httptest.NewRecorder()
	w.sim.ServeHTTP(rec, r)
	got := reply{status: rec.Code, raw: rec.Body.String()}
	_ = json.Unmarshal(rec.Body.Bytes(), &got.body)
	return got
}

func (w *town) request(method, path, body, key string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Prefer", "return=representation")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("PayPal-Request-Id", key)
	}
	return r
}

func (w *town) get(path string) reply { return w.send(w.request(http.MethodGet, path, "", "")) }

func (w *town) post(path, body, key string) reply {
	return w.send(w.request(http.MethodPost, path, body, key))
}

const orderPath = "/v2/checkout/orders"

func orderBody(ref, value, currency string) string {
	return fmt.Sprintf(`{"intent":"CAPTURE","purchase_units":[{"custom_id":%q,"invoice_id":%q,"description":"7 days",`+
		`"amount":{"currency_code":%q,"value":%q}}],"payment_source":{"paypal":{"experience_context":{`+
		`"return_url":"https://shop.example/back?a=1","cancel_url":"https://shop.example/cancel","brand_name":"Shop","locale":"ja-JP"}}}}`,
		ref, ref, currency, value)
}

// order makes an order of ¥1980 and returns its identifier.
func (w *town) order(t testing.TB, ref string) string {
	t.Helper()
	got := w.post(orderPath, orderBody(ref, "1980", "JPY"), ref+".c")
	if got.status != http.StatusCreated {
		t.Fatalf("order: %d %s", got.status, got.raw)
	}
	return got.str("id")
}

// bought is an order that was approved and captured; it returns the capture.
func (w *town) bought(t testing.TB, ref string) string {
	t.Helper()
	id := w.order(t, ref)
	if _, err := w.sim.Pay(ref); err != nil {
		t.Fatal(err)
	}
	got := w.capture(id, ref+".x")
	if got.status != http.StatusCreated {
		t.Fatalf("capture: %d %s", got.status, got.raw)
	}
	return got.str("purchase_units.0.payments.captures.0.id")
}

func (w *town) capture(id, key string) reply { return w.post(orderPath+"/"+id+"/capture", "", key) }

func (w *town) refund(capture, body, key string) reply {
	return w.post("/v2/payments/captures/"+capture+"/refund", body, key)
}

func yen(value string) string {
	return fmt.Sprintf(`{"amount":{"currency_code":"JPY","value":%q}}`, value)
}

// want compares the status and some fields of an answer.
func want(t testing.TB, got reply, status int, pairs ...string) {
	t.Helper()
	if got.status != status {
		t.Errorf("status %d, want %d: %s", got.status, status, got.raw)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if s := got.str(pairs[i]); s != pairs[i+1] {
			t.Errorf("%s is %q, want %q: %s", pairs[i], s, pairs[i+1], got.raw)
		}
	}
}

// refused wants PayPal's envelope with an issue.
func refused(t testing.TB, got reply, status int, issue string) {
	t.Helper()
	names := map[int]string{400: "INVALID_REQUEST", 404: "RESOURCE_NOT_FOUND", 409: "RESOURCE_CONFLICT", 422: "UNPROCESSABLE_ENTITY"}
	want(t, got, status, "name", names[status], "details.0.issue", issue)
	if got.str("debug_id") == "" || got.str("message") == "" {
		t.Errorf("incomplete envelope: %s", got.raw)
	}
}

// kinds empties the queue and returns the kinds of what was in it.
func (w *town) kinds() (all []string) {
	for _, n := range w.sim.Notifications() {
		all = append(all, n.Kind)
	}
	return all
}
