package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
)

// Every operation, asked for with no key, with wrong ones, without its scope, and
// with a key of another customer's: nothing leaks, nothing changes.
func TestNobodyGetsInWithoutTheRightKey(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, all := w.key("", Scopes...)
	owner := w.program(all)
	q := owner.quote("fresh", tenDays)
	bought := want[Order](owner.with("Idempotency-Key", "mine"), http.StatusCreated, "POST", "/orders", accept(owner.quote("volume", volume), "wallet"))
	w.work()
	bought = read[Order](owner, "/orders/"+bought.ID)
	w.env.Clock.Add(time.Second) // identifiers of one millisecond sort by chance
	waiting := want[Order](owner.with("Idempotency-Key", "wait"), http.StatusCreated, "POST", "/orders", accept(owner.quote("fresh", tenDays), "card"))
	orders := len(w.orders())

	names := strings.NewReplacer("{account}", w.aiko.ID, "{line}", w.lines["fresh"], "{quote}", q.ID, "{order}", waiting.ID, "{bill}", bought.Bills[0].ID, "{plan}", "machi-5gb")
	bodies := w.bodies(q)
	public := []string{"GET /plans", "GET /plans/{plan}", "POST /devices/check", "GET /roaming"} // what is on sale, and works, is nobody's

	revoked, gone := w.key("", Scopes...)
	w.write(func(ctx context.Context, tx db.Tx) error {
		return Revoke(ctx, tx, w.ids, revoked.ID, order.Act{Staff: "tester", Reason: "test"})
	})
	_, stranger := w.key(w.other.ID, Scopes...)
	_, looks := w.key("", Read)
	_, renews := w.key("", Renew)
	_, staff := w.key("", Staff)
	only := map[Scope]string{Read: looks, Renew: renews, Staff: staff}
	wrong := map[string]string{
		"no key": "", "revoked": gone, "cut": all[:len(all)-1], "longer": all + "A", "another's secret": strings.Split(all, ".")[0] + "." + strings.Split(looks, ".")[1],
		"made up": "tsuzuku_01kjp7t0w0a442wgks." + strings.Repeat("A", 43), "nonsense": "'; DROP TABLE api_keys; --", "long": strings.Repeat("x", 5000), "empty secret": strings.Split(all, ".")[0] + ".",
	}
	for _, operation := range w.operations() {
		method, path, _ := strings.Cut(operation, " ")
		at, body := names.Replace(path), bodies[operation]
		if strings.Contains(at, "{") || (body == nil) != (method == "GET" || method == "DELETE" || strings.HasSuffix(path, "/cancel")) {
			t.Errorf("the matrix does not know %s", operation)
		}
		first := ""
		for name, token := range wrong {
			w.log.Reset()
			p := w.program(token).with("Idempotency-Key", "theirs")
			r := p.send(method, prefix+at, body)
			w.notedOnce(operation, "api_key", token)
			if r.status != http.StatusUnauthorized || r.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s with %s: %d %s", operation, name, r.status, r.body)
			}
			if first == "" {
				first = string(r.body)
			}
			if string(r.body) != first {
				t.Errorf("%s: what is wrong with a key shows:\n%s\n%s", operation, r.body, first)
			}
		}
		needs := scopeOf(t, w, operation)
		for scope, token := range only {
			if scope != needs {
				w.log.Reset()
				p := refused(w.program(token).with("Idempotency-Key", "theirs"), http.StatusForbidden, "denied", method, at, body)
				if p.Reason != "api_scope" || !strings.Contains(p.Detail, string(needs)) {
					t.Errorf("%s with %s: %+v", operation, scope, p)
				}
				w.notedOnce(operation, "api_scope", token)
			}
		}
		if slices.Contains(public, operation) {
			continue
		}
		w.log.Reset()
		r := w.program(stranger).with("Idempotency-Key", "theirs").send(method, prefix+at, body)
		w.notedOnce(operation, "no_such_id", w.aiko.ID)
		if r.status != http.StatusNotFound {
			t.Errorf("%s for another customer: %d %s", operation, r.status, r.body)
		}
		for _, secret := range []string{"Line", "4711", "12000", "8020", "aiko@"} {
			if strings.Contains(string(r.body), secret) {
				t.Errorf("%s shows another customer %q", operation, secret)
			}
		}
		w.env.Clock.Add(time.Second) // the keys are not to be too fast
	}
	if len(w.orders()) != orders || w.orders()[0].State != order.Placed {
		t.Errorf("%d orders, had %d; the newest is %s", len(w.orders()), orders, w.orders()[0].State)
	}
	if l := read[Line](owner, "/lines/"+w.lines["fresh"]); l.Stay != "" {
		t.Errorf("somebody told %s", l.Stay)
	}
	// What the stranger's own key is for, it opens.
	if l := read[Line](w.program(stranger), "/lines/"+w.lines["other"]); l.Account != w.other.ID {
		t.Errorf("their own line: %+v", l)
	}
}

// bodies are what each operation that wants a body may be sent.
func (w *town) bodies(q Quote) map[string]any {
	return map[string]any{
		"PUT /lines/{line}/stay": map[string]any{"lastDay": "2026-03-20"}, "POST /quotes": map[string]any{"line": w.lines["fresh"], "item": tenDays, "currency": "JPY"},
		"POST /accounts/{account}/quotes": map[string]any{"item": "line/machi-5gb/3d", "currency": "JPY"},
		"POST /orders":                    accept(q, "wallet"), "POST /orders/{order}/pay": map[string]any{"tool": "card"}, "POST /orders/{order}/resume": map[string]any{"query": "a=b"},
		"POST /devices/check":           map[string]any{"phone": "iphone 15"},
		"POST /accounts/{account}/chat": map[string]any{"text": "how much is left?"},
		"POST /accounts/find":           map[string]any{"email": "aiko@example.com"},
	}
}

// notedOnce fails unless the log says once that this operation refused and why, and
// nothing of a key's secret or whom it was about.
func (w *town) notedOnce(operation, why, secret string) {
	w.t.Helper()
	method, path, _ := strings.Cut(operation, " ")
	said := w.log.String()
	if strings.Count(said, "\n") != 1 || !strings.Contains(said, "msg=refused door=api path=\""+method+" "+prefix) || !strings.Contains(said, "reason="+why) {
		w.t.Errorf("%s: logged %q", path, said)
	}
	if secret != "" && strings.Contains(said, secret) || strings.Contains(said, "aiko") {
		w.t.Errorf("%s: the log tells too much: %s", path, said)
	}
}

func scopeOf(t *testing.T, w *town, operation string) Scope {
	t.Helper()
	method, path, _ := strings.Cut(operation, " ")
	security := w.operation(method, path).Security
	if len(security) != 1 || len(security[0]["key"]) != 1 || !slices.Contains(Scopes, Scope(security[0]["key"][0])) {
		t.Fatalf("%s says %v about keys", operation, security)
	}
	return Scope(security[0]["key"][0])
}

// A key is stored as a digest, its uses and its end are kept, and who made and
// ended it stands in the trail.
func TestKeysAreKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		w := newTown(t, env)
		k, token := w.key(w.aiko.ID, Read, Renew, Read)
		_, secret, _ := strings.Cut(token, ".")
		list := func() []Key {
			all, err := db.Seen(t.Context(), env.DB, Keys)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		kept := list()[0]
		if kept.ID != k.ID || ScopeList(kept.Scopes) != "read renew" || kept.Account != w.aiko.ID || kept.CreatedBy != "tester" || !kept.UsedAt.IsZero() ||
			strings.Contains(kept.digest, secret) || kept.digest == "" {
			t.Errorf("kept: %+v", kept)
		}
		read[Account](w.program(token), "/accounts/"+w.aiko.ID)
		used := list()[0].UsedAt
		env.Clock.Add(30 * time.Second)
		read[Account](w.program(token), "/accounts/"+w.aiko.ID)
		if got := list()[0].UsedAt; !got.Equal(used) || used.IsZero() {
			t.Errorf("used %v, then %v", used, got)
		}
		env.Clock.Add(30 * time.Second)
		read[Account](w.program(token), "/accounts/"+w.aiko.ID)
		if got := list()[0].UsedAt; !got.Equal(used.Add(time.Minute)) {
			t.Errorf("used %v", got)
		}
		for range 2 {
			w.write(func(ctx context.Context, tx db.Tx) error {
				return Revoke(ctx, tx, w.ids, k.ID, order.Act{Staff: "other", Reason: "lost"})
			})
			env.Clock.Add(time.Minute)
		}
		refused(w.program(token), http.StatusUnauthorized, unauthenticated, "GET", "/plans", nil)
		if got := list()[0]; got.RevokedAt.IsZero() || !got.UsedAt.Equal(used.Add(time.Minute)) {
			t.Errorf("revoked %v, used %v", got.RevokedAt, got.UsedAt)
		}
		var trail []string
		err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			rows, err := tx.Query(ctx, `SELECT staff, action, reason FROM trail WHERE account_id = $1 AND subject = $2 ORDER BY at`, w.aiko.ID, k.ID)
			if err != nil {
				return err
			}
			for rows.Next() {
				var staff, action, reason string
				if err := rows.Scan(&staff, &action, &reason); err != nil {
					return err
				}
				trail = append(trail, staff+" "+action+" "+reason)
			}
			return rows.Close()
		})
		if want := []string{"tester api-key-new test", "other api-key-revoke lost"}; err != nil || !slices.Equal(trail, want) {
			t.Errorf("the trail has %q, %v", trail, err)
		}
	})
}

func TestKeysThatCannotBe(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	for _, c := range []struct {
		name   string
		scopes []Scope
	}{{"", []Scope{Read}}, {" \n", []Scope{Read}}, {strings.Repeat("é", maxName+1), []Scope{Read}}, {"a", nil}, {"a", []Scope{"admin"}}, {"a", []Scope{""}}} {
		if _, token, err := Draft(w.ids, c.name, c.scopes, ""); err == nil || token != "" {
			t.Errorf("%q %v: %q, %v", c.name, c.scopes, token, err)
		}
	}
	k, _, err := Draft(w.ids, "a", []Scope{Read}, w.ids.Account())
	if err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(context.Context, db.Tx) error{
		"for nobody": func(ctx context.Context, tx db.Tx) error {
			_, err := Add(ctx, tx, w.ids, k, order.Act{Staff: "tester", Reason: "test"})
			return err
		},
		"by nobody": func(ctx context.Context, tx db.Tx) error {
			_, err := Add(ctx, tx, w.ids, Key{ID: "ak_x", Name: "a", Scopes: []Scope{Read}}, order.Act{})
			return err
		},
		"not there": func(ctx context.Context, tx db.Tx) error {
			return Revoke(ctx, tx, w.ids, "ak_x", order.Act{Staff: "tester", Reason: "test"})
		},
	} {
		if err := w.env.DB.Write(t.Context(), do); err == nil {
			t.Errorf("a key %s", name)
		}
	}
}

// A key that asks too often waits, and keeps nobody else waiting.
func TestKeysAreNotTooFast(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, fast := w.key("", Read)
	_, slow := w.key("", Read)
	p := w.program(fast)
	for range atOnce {
		read[Plan](p, "/plans/machi-5gb")
	}
	r := p.send("GET", prefix+"/plans/machi-5gb", nil)
	if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "1" {
		t.Errorf("%d, Retry-After %q: %s", r.status, r.header.Get("Retry-After"), r.body)
	}
	refused(p, http.StatusTooManyRequests, "too_many", "GET", "/plans", nil)
	read[Plan](w.program(slow), "/plans/machi-5gb")
	w.env.Clock.Add(time.Second)
	for range perSecond {
		read[Plan](p, "/plans/machi-5gb")
	}
	refused(p, http.StatusTooManyRequests, "too_many", "GET", "/plans", nil)
}

// An account that staff stopped from buying is looked at, and buys nothing.
func TestRestrictedAccountLooksAndDoesNotBuy(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, token := w.key("", Read, Renew)
	p := w.program(token)
	q := p.quote("fresh", tenDays)
	o := want[Order](p.with("Idempotency-Key", "1"), http.StatusCreated, "POST", "/orders", accept(p.quote("fresh", tenDays), "card"))
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE accounts SET state = 'restricted' WHERE account_id = $1`, w.aiko.ID)
		return err
	})
	read[Line](p, "/lines/"+w.lines["fresh"])
	p = p.with("Idempotency-Key", "2")
	for path, body := range map[string]any{
		"/quotes": map[string]any{"line": w.lines["fresh"], "item": tenDays, "currency": "JPY"}, "/orders": accept(q, "wallet"), "/orders/" + o.ID + "/pay": map[string]any{"tool": "card"},
	} {
		if got := refused(p, http.StatusForbidden, "denied", "POST", path, body); got.Reason != "account_restricted" {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if len(w.orders()) != 1 {
		t.Error("an order was placed")
	}
}

// Every problem is in the caller's language, and shows nothing of the inside.
func TestProblemsSpeakAndKeepQuiet(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, token := w.key("", Read)
	p := w.program(token)
	for accept, says := range map[string]string{"": "There is no such line", "ja": "回線", "zh-TW": "上網卡", "zh-CN": "上网卡", "ko-KR": "회선"} {
		r := p.with("Accept-Language", accept).send("GET", prefix+"/lines/ln_"+strings.TrimPrefix(w.aiko.ID, "ac_")+"01kjp7t0w0zzzzzz", nil)
		if r.status != http.StatusNotFound || !strings.Contains(string(r.body), says) {
			t.Errorf("%q: %d %s", accept, r.status, r.body)
		}
	}
	if err := w.env.DB.Close(); err != nil {
		t.Fatal(err)
	}
	w.log.Reset()
	r := p.send("GET", prefix+"/plans", nil)
	var problem Problem
	if err := json.Unmarshal(r.body, &problem); err != nil || r.status != 500 || problem.Type != problemTypes+"internal" || strings.Contains(string(r.body), "sql") || strings.Contains(string(r.body), "database") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if w.log.Len() == 0 {
		t.Error("nothing was logged")
	}
}
