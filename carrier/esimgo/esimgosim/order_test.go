package esimgosim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	sim "github.com/tsuzuku/tsuzuku/carrier/esimgo/esimgosim"
)

// An order is charged, put on the eSIM and listed; validating it does neither.
func TestOrder(t *testing.T) {
	b := open(nil)
	iccid := b.running()
	if r := b.must("POST", "orders", extend("validate", threeGB, iccid)); r.status != 200 || r.at("valid") != true || r.at("total") != "4.5" {
		t.Errorf("validate: %d %s", r.status, r.body)
	}
	if b.Balance() != opening || b.OrderCount() != 0 {
		t.Errorf("validating left %d and %d orders", b.Balance(), b.OrderCount())
	}
	r := b.extend(iccid, threeGB)
	ref, _ := r.at("orderReference").(string)
	if r.status != 200 || r.at("status") != "completed" || r.at("order", 0, "esims", 0, "iccid") != iccid || len(ref) != 36 || r.at("runningBalance") != "995.5" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if got := b.states(iccid); got != "queued active" {
		t.Errorf("states %q", got)
	}
	b.extend(iccid, threeGB) // there is no key: the same order again is another
	if b.Balance() != opening-900 || len(b.Assignments(iccid)) != 3 {
		t.Errorf("balance %d, %d assignments", b.Balance(), len(b.Assignments(iccid)))
	}
	if l := b.get("orders"); l.at("rows") != "2" || l.at("orders", 1, "orderReference") != ref {
		t.Errorf("%s", l.body)
	}
	if g := b.get("orders/" + ref); g.at("order", 0, "item") != threeGB || g.at("createdDate") != "2031-03-04T05:06:07.000000000Z" {
		t.Errorf("%s", g.body)
	}
	if o := b.get("organisation"); o.at("organisations", 0, "balance") != "991" || o.at("organisations", 0, "currency") != "USD" {
		t.Errorf("%s", o.body)
	}
}

// What cannot be ordered is refused and charged nothing.
func TestRefusals(t *testing.T) {
	b := open(nil)
	iccid, ended := b.running(), b.running()
	b.Deactivate(ended)
	b.Withdraw(threeGB)
	orders := map[string]struct {
		status int
		body   string
	}{
		"another's eSIM":       {403, extend("transaction", oneGB, "8999900000000000009")},
		"an ended eSIM":        {400, extend("transaction", oneGB, ended)},
		"a withdrawn bundle":   {400, extend("transaction", threeGB, iccid)},
		"an unknown bundle":    {400, extend("transaction", "ESIM_1GB_7D_JP_V2", iccid)},
		"a bundle that is odd": {400, extend("transaction", foreign, iccid)},
		"another type":         {400, extend("purchase", oneGB, iccid)},
		"two for one":          {400, strings.Replace(extend("transaction", oneGB, iccid), `"quantity":1`, `"quantity":2`, 1)},
		"iccids, no assign":    {400, strings.Replace(extend("transaction", oneGB, iccid), `"assign":true`, `"assign":false`, 1)},
		"no JSON":              {400, "{"},
	}
	for name, o := range orders {
		r := b.must("POST", "orders", o.body)
		if text, _ := r.at("message").(string); r.status != o.status || text == "" {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	b.SetBalance(135)
	if r := b.extend(iccid, oneGB); r.status != 400 || r.at("message") != "insufficient balance" {
		t.Errorf("an empty balance: %d %s", r.status, r.body)
	}
	if b.Balance() != 135 || len(b.Assignments(iccid)) != 1 {
		t.Error("something was carried out")
	}
	if r := b.get("esims/" + iccid + "/compatible/" + foreign); r.at("compatible") != false {
		t.Errorf("%s", r.body)
	}
	if r := b.get("esims/" + iccid + "/compatible/" + oneGB); r.at("compatible") != true {
		t.Errorf("%s", r.body)
	}
}

// A new eSIM takes the operator a while; then the order shows what a phone needs.
func TestNewESIM(t *testing.T) {
	b := open(func(c *sim.Config) { c.Lag = 5 * time.Minute })
	buy := `{"type":"transaction","assign":true,"order":[{"type":"bundle","item":"` + oneGB + `","quantity":1}]}`
	r := b.must("POST", "orders", buy)
	ref, _ := r.at("orderReference").(string)
	if r.at("status") != "processing" || r.at("order", 0, "esims") != nil || len(b.ICCIDs()) != 0 {
		t.Errorf("%s", r.body)
	}
	b.clock.move(5 * time.Minute)
	g := b.get("orders/" + ref)
	iccid, _ := g.at("order", 0, "esims", 0, "iccid").(string)
	if g.at("status") != "completed" || len(iccid) != 19 || g.at("order", 0, "esims", 0, "smdpAddress") == "" {
		t.Errorf("%s", g.body)
	}
	if d := b.get("esims/" + iccid); d.at("profileStatus") != "Released" || d.at("matchingId") != g.at("order", 0, "esims", 0, "matchingId") {
		t.Errorf("%s", d.body)
	}
	if got := b.states(iccid); got != "processing" {
		t.Errorf("states %q", got)
	}
	b.clock.move(5 * time.Minute)
	if got := b.states(iccid); got != "queued" {
		t.Errorf("states %q", got)
	}
	if c := b.get("esims/assignments?reference=" + ref); c.header.Get("Content-Type") != "text/csv" || !strings.Contains(c.body, iccid) {
		t.Errorf("%s", c.body)
	}
}

// The inventory is filled by an order without assign, and used up by apply.
func TestInventory(t *testing.T) {
	b := open(nil)
	iccid := b.running()
	b.must("POST", "orders", `{"type":"transaction","assign":false,"order":[{"type":"bundle","item":"`+oneGB+`","quantity":1}]}`)
	if r := b.get("inventory"); r.at("bundles", 0, "available", 0, "remaining") != "1" {
		t.Errorf("%s", r.body)
	}
	r := b.must("POST", "esims/apply", `{"iccid":"`+iccid+`","name":"`+oneGB+`"}`)
	if r.status != 200 || r.at("esims", 0, "iccid") != iccid || r.at("applyReference") == nil || len(b.Assignments(iccid)) != 2 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := b.must("POST", "esims/apply", `{"iccid":"`+iccid+`","name":"`+oneGB+`"}`); r.status != 403 {
		t.Errorf("an empty inventory: %d", r.status)
	}
	if r := b.get("orders"); r.at("orders", 0, "order", 0, "type") != "bundleAssignment" {
		t.Errorf("%s", r.body)
	}
}

// Who has the wrong key hears 401 at orders and 403 elsewhere.
func TestKey(t *testing.T) {
	b := open(nil)
	b.key = "other"
	for path, want := range map[string]int{"orders": 401, "catalogue": 403, "organisation": 403, "esims": 403, "nothing": 404} {
		if r := b.get(path); r.status != want {
			t.Errorf("%s: %d, want %d", path, r.status, want)
		}
	}
}

// Ten tokens a second; an operation may cost more than one.
func TestRateLimit(t *testing.T) {
	b := open(func(c *sim.Config) { c.PerSecond, c.Costs = 10, map[sim.Operation]int{sim.Orders: 5} })
	r := b.get("orders")
	if r.header.Get("X-Ratelimit-Limit") != "10" || r.header.Get("X-Ratelimit-Cost") != "5" || r.header.Get("X-Ratelimit-Remaining") != "5" {
		t.Errorf("%v", r.header)
	}
	for range 5 {
		b.get("catalogue")
	}
	r = b.get("catalogue")
	if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "1" || r.at("message") != "Rate limit exceeded" {
		t.Errorf("%d %v %s", r.status, r.header, r.body)
	}
	b.clock.move(time.Second)
	if r := b.get("catalogue"); r.status != 200 || r.header.Get("X-Ratelimit-Reset") != "2031-03-04T05:06:09Z" {
		t.Errorf("%d %v", r.status, r.header)
	}
}
