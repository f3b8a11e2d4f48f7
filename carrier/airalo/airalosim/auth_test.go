package airalosim_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	sim "github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
)

// What POST token answers to whom, word for word where it is documented.
func TestToken(t *testing.T) {
	const right = "client_credentials"
	tests := []struct {
		name, id, secret, grant string
		status                  int
		body                    string
	}{
		{"right", "id", secret, right, 200, `"message":"success"`},
		{"wrong client", "other", secret, right, 422, `{"data":{"client_id":"The selected client id is invalid."},"meta":{"message":"the parameter is invalid"}}`},
		{"wrong secret", "id", "other", right, 401, `{"data":[],"meta":{"message":"Client authentication failed"}}`},
		{"no secret", "id", "", right, 422, `"client_secret":"The client secret field is required."`},
		{"wrong grant", "id", secret, "password", 422, `"grant_type"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(nil)
			r := b.form("POST", "token", "client_id", tt.id, "client_secret", tt.secret, "grant_type", tt.grant)
			if r.status != tt.status || !strings.Contains(r.body, tt.body) {
				t.Errorf("%d %s, want %d with %s", r.status, r.body, tt.status, tt.body)
			}
		})
	}
}

// A token lives a day, whatever expires_in says, and then everything is 401.
func TestTokensEnd(t *testing.T) {
	for _, manner := range []string{"text", "sample"} {
		b := open(func(c *sim.Config) { c.Manners.ExpiresIn = manner })
		b.clock.move(24*time.Hour - time.Second)
		if r := b.get("balance"); r.status != 200 {
			t.Errorf("a second before its end: %d %s", r.status, r.body)
		}
		b.clock.move(time.Second)
		if r := b.get("balance"); r.status != 401 {
			t.Errorf("at its end: %d %s", r.status, r.body)
		}
		b.login()
		if r := b.get("balance"); r.status != 200 {
			t.Errorf("with a new one: %d", r.status)
		}
		b.RevokeTokens()
		if r := b.get("balance"); r.status != 401 {
			t.Errorf("revoked: %d", r.status)
		}
	}
	b := open(func(c *sim.Config) { c.Manners.Unauthorised = "reason" })
	b.token = "made up"
	if r := b.get("sims"); r.status != 401 || r.code() != 401 {
		t.Errorf("unknown token: %d %s", r.status, r.body)
	}
}

// Who is not on the allow-list gets 403 and 89, and the token stays good.
func TestAllowList(t *testing.T) {
	b := open(nil)
	b.Block(true)
	if r := b.get("balance"); r.status != 403 || r.code() != 89 {
		t.Errorf("%d %s", r.status, r.body)
	}
	b.Block(false)
	if r := b.get("balance"); r.status != 200 {
		t.Errorf("afterwards %d", r.status)
	}
}

// The documented limits, with their headers; a window ends, and one key's calls
// are not another's.
func TestLimits(t *testing.T) {
	b := open(nil)
	one, other := b.running("change-7days-1gb"), b.running("change-7days-1gb")
	tests := []struct {
		name, key, otherKey string
		allowed, already    int
		pause               time.Duration // between calls, to stay within a narrower limit
		window              time.Duration
		call                func(key string) reply
	}{
		{"token", "x", "y", 3, 0, 0, time.Minute, func(key string) reply { return b.form("POST", "token", "client_id", key) }},
		{"history", one, other, 10, 0, 0, time.Minute, func(key string) reply { return b.get("sims/" + key + "/packages") }},
		{"usage of one line", one, other, 10, 0, time.Second, time.Minute, func(key string) reply { return b.get("sims/" + key + "/usage") }},
		{"packages", b.token, "nobody", 80, 0, 0, time.Minute, func(key string) reply {
			mine := b.token
			defer func() { b.token = mine }()
			b.token = key
			return b.get("packages")
		}},
		{"refund", "", "", 5, 0, 0, time.Minute, func(string) reply { return b.form("POST", "refund", "reason", "OTHERS") }},
		{"simulator", "", "", 5, 0, 0, time.Minute, func(string) reply { return b.json("simulator/webhook", `{}`) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i := range tt.allowed {
				r := tt.call(tt.key)
				if r.status == 429 || r.header.Get("X-RateLimit-Remaining") != strconv.Itoa(tt.allowed-1-i) {
					t.Fatalf("call %d: %d, %v", i+1, r.status, r.header)
				}
				b.clock.move(tt.pause)
			}
			r := tt.call(tt.key)
			wait, err := strconv.Atoi(r.header.Get("Retry-After"))
			if r.status != 429 || r.body != `{"message":"Too Many Attempts."}` || err != nil || r.header.Get("X-RateLimit-Limit") != strconv.Itoa(tt.allowed) {
				t.Fatalf("one more: %d %s %v", r.status, r.body, r.header)
			}
			if tt.otherKey != "" {
				if r := tt.call(tt.otherKey); r.status == 429 {
					t.Error("another key shares the limit")
				}
			}
			b.clock.move(time.Duration(wait) * time.Second)
			if r := tt.call(tt.key); r.status == 429 {
				t.Errorf("after %d seconds still %d", wait, r.status)
			}
		})
	}
}

// Usage is also limited for the whole company, five a second.
func TestUsageLimitOfTheCompany(t *testing.T) {
	b := open(nil)
	for i := range 6 {
		r := b.get("sims/" + b.running("change-7days-1gb") + "/usage")
		if (r.status == 429) != (i == 5) {
			t.Errorf("line %d: %d", i+1, r.status)
		}
	}
}

// The sandbox allows five a second of each endpoint.
func TestLimitOfTheSandbox(t *testing.T) {
	b := open(func(c *sim.Config) { c.Sandbox = true })
	for i := range 6 {
		if r := b.get("balance"); (r.status == 429) != (i == 5) {
			t.Errorf("call %d: %d", i+1, r.status)
		}
	}
	if r := b.get("sims"); r.status != 200 {
		t.Errorf("another endpoint: %d", r.status)
	}
}

// The signature covers the payload as PHP writes it, in its order, however the
// body is sent. A wrong one is refused and nothing happens; none is accepted.
func TestSignature(t *testing.T) {
	const note = "Café/1 <&>"
	typed := `{"package_id":"change-7days-1gb","quantity":2,"description":"Caf\u00e9\/1 <&>"}`
	texts := `{"package_id":"change-7days-1gb","quantity":"2","description":"Caf\u00e9\/1 <&>"}`
	form := pack([]string{"package_id", "change-7days-1gb", "quantity", "2", "description", note})
	var multi bytes.Buffer
	m := multipart.NewWriter(&multi)
	for _, f := range [][2]string{{"package_id", "change-7days-1gb"}, {"quantity", "2"}, {"description", note}} {
		if err := m.WriteField(f[0], f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	plain := `{"package_id":"change-7days-1gb","quantity":2,"description":"Café/1 <&>"}`
	const urlencoded, js = "application/x-www-form-urlencoded", "application/json"
	tests := []struct {
		name, kind, body, signature string
		ok                          bool
	}{
		{"none", js, plain, "", true},
		{"JSON", js, plain, hmac512(secret, typed), true},
		{"form, as text", urlencoded, form, hmac512(secret, texts), true},
		{"form, as the clients sign it", urlencoded, form, hmac512(secret, typed), true},
		{"multipart", m.FormDataContentType(), multi.String(), hmac512(secret, texts), true},
		{"slashes not escaped", js, plain, hmac512(secret, strings.ReplaceAll(typed, `\/`, "/")), false},
		{"over the bytes of a form", urlencoded, form, hmac512(secret, form), false},
		{"another order", js, `{"quantity":2,"package_id":"change-7days-1gb","description":"Café/1 <&>"}`, hmac512(secret, typed), false},
		{"another key", js, plain, hmac512("other", typed), false},
		{"capitals", js, plain, strings.ToUpper(hmac512(secret, typed)), false},
		{"nonsense", js, plain, "x", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(nil)
			r := b.must(b.do("POST", "orders", tt.kind, tt.body, tt.signature))
			if tt.ok && (r.status != 200 || r.data("description") != note || b.Balance() != opening-720) {
				t.Errorf("%d %s", r.status, r.body)
			}
			if !tt.ok && (r.status != 422 || r.code() != 14 || !strings.Contains(r.body, "Invalid checksum: ") || b.Balance() != opening) {
				t.Errorf("%d %s, balance %d", r.status, r.body, b.Balance())
			}
		})
	}
}

// What is not there is 404 in the documented form; nonsense is 43.
func TestNotFoundAndNonsense(t *testing.T) {
	b := open(nil)
	for _, path := range []string{"sims/1", "sims/1/usage", "sims/1/topups", "sims/1/packages", "orders/1", "nothing", "sims/1/nothing"} {
		if r := b.get(path); r.status != http.StatusNotFound || r.body != `{"data":[],"meta":{"message":"messages.resource_not_found"}}` {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	for _, body := range []string{"{", "[]", `{"a":1}x`, strings.Repeat("[", 100)} {
		if r := b.json("orders/topups", body); r.code() != 43 {
			t.Errorf("%s: %d %s", body, r.status, r.body)
		}
	}
}
