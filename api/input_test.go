package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// Whatever is sent, the answer is a problem that says what is wrong, nothing is
// made, and nothing is logged but what was refused.
func TestBadInput(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, token := w.key("", Scopes...)
	p := w.program(token)
	fresh, q := w.lines["fresh"], p.quote("fresh", tenDays)
	order := func(change func(map[string]any)) map[string]any {
		body := accept(q, "wallet")
		change(body)
		return body
	}
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		kind, reason string
		says         string
	}{
		{"GET", "/nothing", nil, 404, "not_found", "api_path", "no such operation"},
		{"GET", "/lines/x", nil, 404, "not_found", "no_such_id", "no such thing"},
		{"GET", "/lines/" + strings.Repeat("x", 65), nil, 422, malformed, "", "path.line"},
		{"GET", "/lines/..%2f..%2fetc", nil, 404, "not_found", "no_such_id", ""},
		{"GET", "/lines/%00", nil, 404, "not_found", "no_such_id", ""},
		{"GET", "/accounts/ac_none/lines", nil, 404, "not_found", "no_such_account", "no such account"},
		{"GET", "/accounts/%ff/lines", nil, 422, "invalid", "text_unstorable", ""},
		{"GET", "/plans/none", nil, 404, "not_found", "no_such_plan", "no such plan"},
		{"GET", "/plans?x=1", nil, 422, malformed, "", "query.x"},
		{"GET", "/lines/" + fresh + "/offers?currency=yen", nil, 422, malformed, "", "query.currency"},
		{"GET", "/lines/" + fresh + "/advice?attitude=brave", nil, 422, malformed, "", "query.attitude"},
		{"GET", "/lines/" + fresh + "/advice?until=2020-01-01", nil, 422, "invalid", "date_format", "Choose a day"},
		{"GET", "/accounts/" + w.aiko.ID + "/orders?limit=0", nil, 422, malformed, "", "query.limit"},
		{"GET", "/accounts/" + w.aiko.ID + "/orders?limit=1000000", nil, 422, malformed, "", "query.limit"},
		{"PATCH", "/plans", "{}", 405, malformed, "api_path", ""},
		{"DELETE", "/orders", nil, 405, malformed, "api_path", ""},
		{"POST", "/quotes", nil, 400, malformed, "", ""},
		{"POST", "/quotes", "{", 400, malformed, "", ""},
		{"POST", "/quotes", "[]", 422, malformed, "", ""},
		{"POST", "/quotes", `{"line":"` + fresh + `"}`, 422, malformed, "", "item"},
		{"POST", "/quotes", `{"line":"` + fresh + `","item":"x","currency":"JPY","price":1}`, 422, malformed, "", "body.price"},
		{"POST", "/quotes", `{"line":"` + fresh + `","item":"nonsense","currency":"JPY"}`, 422, "invalid", "no_such_item", "does not exist"},
		{"POST", "/quotes", `{"line":"` + fresh + `","item":"term/../x","currency":"JPY"}`, 422, "invalid", "renewal.plan_change_refused", ""},
		{"POST", "/quotes", `{"line":"` + fresh + `","item":"` + tenDays + `","currency":"XXX"}`, 422, "invalid", "renewal.no_price", ""},
		{"POST", "/quotes", `{"line":1,"item":"` + tenDays + `","currency":"JPY"}`, 422, malformed, "", "body.line"},
		{"POST", "/quotes", strings.Repeat(" ", maxBody) + "{}", 413, malformed, "", ""},
		{"PUT", "/lines/" + fresh + "/stay", `{"lastDay":"tomorrow"}`, 422, malformed, "", "body.lastDay"},
		{"PUT", "/lines/" + fresh + "/stay", `{"lastDay":"2026-03-01"}`, 422, "invalid", "date_format", ""},
		{"PUT", "/lines/" + fresh + "/stay", `{"lastDay":"2126-03-01"}`, 422, "invalid", "date_format", ""},
		{"POST", "/orders", order(func(map[string]any) {}), 400, keyMissing, keyMissing, "Idempotency-Key"},
		{"POST", "/devices/check", `{"phone":""}`, 422, malformed, "", "body.phone"},
		{"POST", "/devices/check", `{"phone":"490154203237519"}`, 422, "invalid", "", ""},
		{"POST", "/devices/check", `{"phone":"iPhone 15","plan":"none"}`, 404, "not_found", "no_such_plan", ""},
		{"POST", "/accounts/" + w.aiko.ID + "/chat", `{"text":"  "}`, 422, "invalid", "chat_empty", "Write what"},
		{"POST", "/accounts/" + w.aiko.ID + "/chat", `{"text":"` + strings.Repeat("x", 501) + `"}`, 422, "invalid", "chat_long", "too long"},
		{"POST", "/accounts/" + w.aiko.ID + "/chat", `{"text":"hello","line":"` + w.lines["other"] + `"}`, 404, "not_found", "no_such_line", ""},
		{"POST", "/accounts/" + w.aiko.ID + "/chat", `{"text":"hello","conversation":"cv_none"}`, 404, "not_found", "no_such_conversation", "Begin a new one"},
		{"POST", "/accounts/" + w.aiko.ID + "/chat", `{"text":"hello","pay":true}`, 422, malformed, "", "body.pay"},
		{"POST", "/accounts/ac_none/chat", `{"text":"hello"}`, 404, "not_found", "no_such_account", ""},
		{"POST", "/accounts/find", `{"email":"nobody"}`, 422, "invalid", "", ""},
		{"POST", "/accounts/find", `{"email":"nobody@example.com"}`, 404, "not_found", "no_such_account", ""},
	} {
		w.env.Clock.Add(100 * time.Millisecond)
		r := p.send(c.method, prefix+c.path, c.body)
		check(t, c.method+" "+c.path, r, c.status, c.kind, c.reason, c.says)
	}
	p = p.with("Idempotency-Key", "k")
	for name, c := range map[string]struct {
		change func(map[string]any)
		status int
		kind   string
		reason string
	}{
		"a decimal":          {func(b map[string]any) { b["amount"] = map[string]any{"amount": 1980.5, "currency": "JPY"} }, 422, malformed, ""},
		"as text":            {func(b map[string]any) { b["amount"] = map[string]any{"amount": "1980", "currency": "JPY"} }, 422, malformed, ""},
		"too large":          {func(b map[string]any) { b["amount"] = map[string]any{"amount": 1 << 60, "currency": "JPY"} }, 422, malformed, ""},
		"less":               {func(b map[string]any) { b["amount"] = Money{1, "JPY"} }, 409, "conflict", "amount_differs"},
		"another currency":   {func(b map[string]any) { b["amount"] = Money{q.Price.Amount, "USD"} }, 409, "conflict", "amount_differs"},
		"no tool":            {func(b map[string]any) { b["tool"] = "" }, 422, "invalid", ""},
		"an unknown tool":    {func(b map[string]any) { b["tool"] = "gold" }, 422, "invalid", ""},
		"another's tool":     {func(b map[string]any) { b["tool"] = "saved:ptl_1" }, 422, "invalid", "tool_off"},
		"points, too few":    {func(b map[string]any) { b["tool"] = "points" }, 422, "invalid", ""},
		"parts, too much":    {func(b map[string]any) { b["parts"] = map[string]any{"wallet": q.Price.Amount + 1} }, 409, "conflict", "amount_differs"},
		"negative parts":     {func(b map[string]any) { b["parts"] = map[string]any{"wallet": -1} }, 422, malformed, ""},
		"a script to return": {func(b map[string]any) { b["returnUrl"] = "javascript:alert(1)" }, 422, "invalid", "api_return_url"},
		"a file to return":   {func(b map[string]any) { b["returnUrl"] = "file:///etc/passwd" }, 422, "invalid", "api_return_url"},
		"no address":         {func(b map[string]any) { b["clientIp"] = "somewhere" }, 422, malformed, ""},
		"no device":          {func(b map[string]any) { b["device"] = "toaster" }, 422, malformed, ""},
		"another's quote":    {func(b map[string]any) { b["quote"] = "qt_" + strings.Repeat("0", 34) }, 404, "not_found", ""},
		"no quote":           {func(b map[string]any) { b["quote"] = "' OR 1=1" }, 404, "not_found", "no_such_id"},
		"a zero byte":        {func(b map[string]any) { b["quote"] = "qt_\x00" }, 404, "not_found", "no_such_id"},
	} {
		w.env.Clock.Add(100 * time.Millisecond)
		check(t, name, p.send("POST", prefix+"/orders", order(c.change)), c.status, c.kind, c.reason, "")
	}
	check(t, "a zero byte as key", p.with("Idempotency-Key", "a\tb").send("POST", prefix+"/orders", order(func(b map[string]any) { b["tool"] = "gold" })), 422, "invalid", "", "")
	check(t, "a long key", p.with("Idempotency-Key", strings.Repeat("k", 201)).send("POST", prefix+"/orders", order(func(map[string]any) {})), 422, malformed, "", "header")
	w.env.Clock.Add(time.Hour)
	check(t, "too late", p.send("POST", prefix+"/orders", order(func(map[string]any) {})), 422, "invalid", "quote_expired", "")
	if n := len(w.orders()); n != 0 {
		t.Errorf("%d orders", n)
	}
	if w.remembered() != 0 {
		t.Error("a refusal is kept")
	}
	w.sound()
}

func check(t *testing.T, name string, r result, status int, kind, reason, says string) {
	t.Helper()
	text := string(r.body)
	if r.status != status || r.header.Get("Content-Type") != problemType || !strings.Contains(text, `"type":"`+problemTypes+kind+`"`) ||
		reason != "" && !strings.Contains(text, `"reason":"`+reason+`"`) || !strings.Contains(text, says) {
		t.Errorf("%s: %d %s\nwant %d %s %s %q", name, r.status, text, status, kind, reason, says)
	}
	for _, inside := range []string{"goroutine", "sql", "panic", ".go:", "huma"} {
		if strings.Contains(text, inside) {
			t.Errorf("%s shows %q: %s", name, inside, text)
		}
	}
}

// The document can be had without a key, and pages of other sites get nothing.
func TestDocumentIsServed(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	r := w.program("").send("GET", "/api/openapi.json", nil)
	if r.status != http.StatusOK || string(r.body) != string(Document) || r.header.Get("ETag") == "" || r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", r.status, r.header)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
