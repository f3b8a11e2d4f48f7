package airalosim_test

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	sim "github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
)

const (
	gib     = 1024 // MB
	secret  = "test_secret"
	opening = 100_000 // cents
)

var t0 = time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC)

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a simulator with a small catalogue and a token.
type bench struct {
	*sim.Sim
	clock  *clock
	token  string
	change int // operators
	queue  int
	fixed  int
}

// open makes a bench; set may be nil. The manners are fixed unless it changes
// them.
func open(set func(*sim.Config)) *bench {
	c := &clock{now: t0}
	cfg := sim.Config{
		Now: c.Now, Rand: rand.New(rand.NewPCG(1, 2)), ClientID: "id", ClientSecret: secret, Balance: opening,
		Brands:  []string{"our brand"},
		Manners: sim.Manners{ExpiresIn: "text", Unauthorised: "message", Quantity: "number", Gone: "code", TooLate: "code"},
	}
	if set != nil {
		set(&cfg)
	}
	b := &bench{Sim: sim.New(cfg), clock: c}
	b.change = b.AddOperator(sim.Operator{Title: "Change", Country: "US", TopUpGraceDays: 30})
	b.queue = b.AddOperator(sim.Operator{Title: "Moshi", Country: "JP", Queues: true})
	b.fixed = b.AddOperator(sim.Operator{Title: "Discover", NotRechargeable: true})
	for _, p := range []sim.Package{
		{ID: "change-7days-1gb", Operator: b.change, Price: 450, NetPrice: 360, AmountMB: gib, Days: 7},
		{ID: "change-7days-1gb-topup", TopUp: true, Operator: b.change, Price: 450, NetPrice: 360, AmountMB: gib, Days: 7},
		{ID: "change-30days-3gb-topup", TopUp: true, Operator: b.change, Price: 1100, NetPrice: 801, AmountMB: 3 * gib, Days: 30},
		{ID: "moshi-7days-1gb", Operator: b.queue, Price: 500, AmountMB: gib, Days: 7},
		{ID: "moshi-7days-1gb-topup", TopUp: true, Operator: b.queue, Price: 500, AmountMB: gib, Days: 7},
		{ID: "moshi-3days-unlimited", Operator: b.queue, Price: 1150, Unlimited: true, Days: 3, FairUse: "1 Mbps after 3 GB a day"},
		{ID: "discover-7days-500mb", Operator: b.fixed, Price: 900, AmountMB: 500, Days: 7},
		{ID: "few-7days-1gb", Operator: b.change, Price: 100, AmountMB: gib, Days: 7, Stock: 3},
	} {
		b.AddPackage(p)
	}
	b.login()
	return b
}

func (b *bench) login() {
	var got struct {
		Data struct {
			AccessToken string `json:"access_token"`
		}
	}
	r := b.form("POST", "token", "client_id", "id", "client_secret", secret, "grant_type", "client_credentials")
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || got.Data.AccessToken == "" {
		panic("no token: " + r.body)
	}
	b.token = got.Data.AccessToken
}

// reply is what a call was told.
type reply struct {
	status int
	header http.Header
	body   string
}

// code is the business code of a reply; 0: none.
func (r reply) code() int {
	var v struct{ Code int }
	_ = json.Unmarshal([]byte(r.body), &v)
	return v.Code
}

// data is a field of data; "" where there is none.
func (r reply) data(key string) string {
	var v struct{ Data map[string]any }
	d := json.NewDecoder(strings.NewReader(r.body))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return ""
	}
	switch x := v.Data[key].(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	case nil:
		return "null"
	}
	return ""
}

// do makes a call over the transport; the signature is left out if empty.
func (b *bench) do(method, path, kind, body, signature string) (reply, error) {
	r := httptest.NewRequest(method, "https://partners-api.airalo.com/v2/"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+b.token)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if signature != "" {
		r.Header.Set("airalo-signature", signature)
	}
	w, err := b.Transport().RoundTrip(r)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	return reply{w.StatusCode, w.Header, string(text)}, err
}

func (b *bench) must(r reply, err error) reply {
	if err != nil {
		panic(err)
	}
	return r
}

func (b *bench) get(path string) reply { return b.must(b.do("GET", path, "", "", "")) }

func (b *bench) form(method, path string, pairs ...string) reply {
	return b.must(b.do(method, path, "application/x-www-form-urlencoded", pack(pairs), ""))
}

func (b *bench) json(path, body string) reply {
	return b.must(b.do("POST", path, "application/json", body, ""))
}

// pack is a form in the given order.
func pack(pairs []string) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		parts = append(parts, url.QueryEscape(pairs[i])+"="+url.QueryEscape(pairs[i+1]))
	}
	return strings.Join(parts, "&")
}

// running is an eSIM of an operator, first used now.
func (b *bench) running(pack string) string {
	return b.AddLine(sim.Line{Package: pack, ActivatedAt: b.clock.Now()})
}

func (b *bench) topUp(iccid, pack string) reply {
	return b.form("POST", "orders/topups", "package_id", pack, "iccid", iccid)
}

// row is one package of a history.
type row struct {
	ID        int
	Status    string
	Remaining int64
	Activated string `json:"activated_at"`
	Expired   string `json:"expired_at"`
	Finished  string `json:"finished_at"`
	Package   struct {
		ID, Type string
		NetPrice json.Number `json:"net_price"`
	}
}

func (b *bench) history(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, iccid string,
) []row {
	t.Helper()
	r := b.get("sims/" + iccid + "/packages")
	var v struct{ Data []row }
	if err := json.Unmarshal([]byte(r.body), &v); err != nil || r.status != http.StatusOK {
		t.Fatalf("history: %d %v %s", r.status, err, r.body)
	}
	return v.Data
}

// hmac512 is the test's own signature.
func hmac512(key, text string) string {
	mac := hmac.New(sha512.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}
