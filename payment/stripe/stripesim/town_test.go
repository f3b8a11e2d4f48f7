package stripesim_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

const testKey = "sk_test_town"

// town is a simulator with a clock that the test moves.
type town struct {
	*stripesim.Sim
	mu  sync.Mutex
	now time.Time
}

func newTown(change ...func(*stripesim.Config)) *town {
	w := &town{now: time.Date(2031, 5, 4, 3, 2, 1, 500e6, time.UTC)}
	cfg := stripesim.Config{
		Key: testKey, WebhookSecret: "whsec_town", Now: w.clock,
		Rand: rand.New(rand.NewPCG(1, 2)), PageBase: "https://shop.test/sim",
	}
	for _, f := range change {
		f(&cfg)
	}
	w.Sim = stripesim.New(cfg)
	return w
}

func (w *town) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *town) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// reply is an answer of the API.
type reply struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

// at reads a value by its path: "error.code", "data.0.id". Null is "".
func (r reply) at(path string) any {
	var v any = r.body
	for _, p := range strings.Split(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[p]
		case []any:
			i := int(p[0] - '0')
			if i >= len(in) {
				return ""
			}
			v = in[i]
		default:
			return nil
		}
	}
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	if v == nil {
		return ""
	}
	return v
}

func (r reply) id() string { return r.at("id").(string) }

// call calls the API with parameters "name=value".
func (w *town) call(method, path, key string, params ...string) reply {
	values := url.Values{}
	for _, p := range params {
		k, v, _ := strings.Cut(p, "=")
		values.Add(k, v)
	}
	return w.send(request(method, path, key, values.Encode()))
}

func request(method, path, key, encoded string) *http.Request {
	var r *http.Request
	if method == http.MethodPost {
		r = httptest.NewRequest(method, path, strings.NewReader(encoded))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r = httptest.NewRequest(method, path+"?"+encoded, nil)
	}
	r.Header.Set("Authorization", "Bearer "+testKey)
	r.Header.Set("Stripe-Version", stripesim.Version)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	return r
}

func (w *town) send(r *http.Request) reply {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	got := reply{status: rec.Code, header: rec.Header(), raw: rec.Body.String()}
	d := json.NewDecoder(strings.NewReader(got.raw))
	d.UseNumber()
	if err := d.Decode(&got.body); err != nil {
		panic("the answer is not JSON: " + got.raw)
	}
	return got
}

// forYen is the parameters of a session about ref.
func forYen(ref, amount string, more ...string) []string {
	return append([]string{
		"mode=payment", "client_reference_id=" + ref, "success_url=https://shop.test/back?s={CHECKOUT_SESSION_ID}", "cancel_url=https://shop.test/cart",
		"line_items[0][quantity]=1", "line_items[0][price_data][currency]=jpy", "line_items[0][price_data][unit_amount]=" + amount,
		"line_items[0][price_data][product_data][name]=30 days", "payment_intent_data[metadata][order]=order of " + ref,
	}, more...)
}

// offer makes a session of 1980 yen.
func (w *town) offer(t *testing.T, ref string, more ...string) reply {
	t.Helper()
	r := w.call("POST", "/v1/checkout/sessions", "", forYen(ref, "1980", more...)...)
	want(t, r, 200, "status", "open")
	return r
}

// paid makes a session of 1980 yen that a customer paid, and returns its
// intent's identifier.
func (w *town) paid(t *testing.T, ref string) string {
	t.Helper()
	w.offer(t, ref)
	if _, err := w.Pay(ref); err != nil {
		t.Fatal(err)
	}
	cs, _ := w.Session(ref)
	return cs.PaymentIntent
}

// want checks the status of an answer, and pairs of path and value in it.
func want(t *testing.T, r reply, status int, pairs ...any) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.raw)
	}
	for i := 0; i < len(pairs); i += 2 {
		if got := r.at(pairs[i].(string)); got != pairs[i+1] {
			t.Errorf("%s is %v, want %v", pairs[i], got, pairs[i+1])
		}
	}
}

// told returns the types of the events so far, oldest first.
func (w *town) told() string {
	var kinds []string
	r := w.call("GET", "/v1/events", "", "limit=100")
	for _, e := range r.body["data"].([]any) {
		kinds = append([]string{e.(map[string]any)["type"].(string)}, kinds...)
	}
	return strings.Join(kinds, " ")
}
