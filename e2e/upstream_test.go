package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// The demo's lines at eSIM Go and at China Mobile International are fed by the real
// adapters over the town's wire, and once, or not at all and for nothing where the
// panel makes the operator refuse; a pack is added to a package that runs; and a new
// eSIM is bought. What becomes of lost answers is told beside the adapters.
func TestDemoFeedsItsLinesElsewhere(t *testing.T) {
	d := openDemo(t)
	bundles := func(card string) (n int) {
		for _, a := range d.Strangers.ESIMGo.Assignments(card) {
			if strings.HasSuffix(a.Bundle, "_JP_V2") {
				n++
			}
		}
		return n
	}
	packages := func(card string) int { return len(d.Strangers.CMI.Subscriptions(card)) }
	for _, tt := range []struct {
		trouble, plan, item string
		kind                renewal.Kind
		fed                 func(string) int
		want                order.State
		times               int
	}{
		{"", "hoshi-bundles", "1gb-7x24h", renewal.Term, bundles, order.Completed, 1},
		{"operator-refuse", "hoshi-bundles", "1gb-7x24h", renewal.Term, bundles, order.Refunded, 0},
		{"", "fuyou-1gb", "1gb-today", renewal.Pack, packages, order.Completed, 0},
		{"operator-refuse", "fuyou-1gb", "5d", renewal.Term, packages, order.Refunded, 0},
		{"", "fuyou-1gb", "5d", renewal.Term, packages, order.Completed, 1},
	} {
		l := d.lines[tt.plan]
		before := tt.fed(l.ICCID)
		d.provoke(t, tt.trouble)
		q, err := d.App.Desk.Quote(t.Context(), l.Account, l.ID, renewal.Item{Kind: tt.kind, Plan: l.Plan, ID: tt.item}, "JPY")
		if err != nil {
			t.Fatalf("%s %s: %v", tt.plan, tt.item, err)
		}
		d.settles(t, q, tt.want)
		if n := tt.fed(l.ICCID) - before; n != tt.times {
			t.Errorf("%s %s, %q: fed %d times, want %d", tt.plan, tt.item, tt.trouble, n, tt.times)
		}
	}
	d.buysAtESIMGo(t)
	d.countsItsCalls(t)
}

// isSample is a line of Prometheus' text format that is no comment.
var isSample = regexp.MustCompile(`^([a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*\})?) (-?[0-9]+(?:\.[0-9]+)?)$`)

// countsItsCalls reads what an engineer's Prometheus reads, after all this.
func (d *theDemo) countsItsCalls(t *testing.T) {
	t.Helper()
	w := httptest.NewRecorder()
	d.App.AdminHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	got := map[string]string{}
	for _, line := range strings.Split(strings.TrimSuffix(w.Body.String(), "\n"), "\n") {
		if strings.HasPrefix(line, "# HELP ") || strings.HasPrefix(line, "# TYPE ") {
			continue
		}
		found := isSample.FindStringSubmatch(line)
		if found == nil {
			t.Fatalf("no sample: %q", line)
		}
		if _, twice := got[found[1]]; twice {
			t.Errorf("%s is told twice", found[1])
		}
		got[found[1]] = found[2]
	}
	for name, want := range map[string]string{
		`tsuzuku_operator_calls_total{carrier="esimgo",call="extend",outcome="done"}`:    "1",
		`tsuzuku_operator_calls_total{carrier="esimgo",call="extend",outcome="refused"}`: "1",
		`tsuzuku_operator_calls_total{carrier="esimgo",call="issue",outcome="done"}`:     "1",
		`tsuzuku_operator_call_seconds_count{carrier="cmi",call="extend"}`:               "3",
		`tsuzuku_operator_state{carrier="cmi",state="well"}`:                             "1",
		`tsuzuku_operator_orders_due{carrier="cmi"}`:                                     "0",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %s", name, got[name], want)
		}
	}
}

// provoke lets the panel make an operator misbehave.
func (d *theDemo) provoke(t *testing.T, trouble string) {
	t.Helper()
	if trouble == "" {
		return
	}
	r, err := http.PostForm(d.url+"/sim/trouble", url.Values{"name": {trouble}})
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatal(r, err)
	}
	_ = r.Body.Close() // what it shows is another test's
}

// settles pays a quote from the wallet and waits for the order's end.
func (d *theDemo) settles(t *testing.T, q order.Quote, want order.State) (o order.Order) {
	t.Helper()
	if _, err := d.App.Desk.Place(t.Context(), order.Acceptance{Account: q.Account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet}); err != nil {
		t.Logf("%s: %v", q.ID, err)
	}
	if !eventuallyTrue(func() bool { o = d.orders(t)[0]; return o.State.Final() }) || o.State != want {
		t.Errorf("order %s is %s (%s), want %s", o.ID, o.State, o.Reason, want)
	}
	return o
}

// buysAtESIMGo buys a new line, which is made once and can be looked at.
func (d *theDemo) buysAtESIMGo(t *testing.T) {
	t.Helper()
	before := len(d.Strangers.ESIMGo.ICCIDs())
	q, err := d.App.Desk.QuoteNew(t.Context(), d.customer, "hoshi-bundles", "1gb-7x24h", "JPY")
	if err != nil {
		t.Fatal(err)
	}
	o := d.settles(t, q, order.Completed)
	if n := len(d.Strangers.ESIMGo.ICCIDs()) - before; n != 1 {
		t.Errorf("%d eSIMs were made", n)
	}
	var l line.Line
	d.read(t, func(ctx context.Context, tx db.Tx) (err error) {
		l, err = line.Get(ctx, tx, o.Account, o.Line)
		return err
	})
	if s, err := d.App.Desk.Carriers["esimgo"].Status(t.Context(), carrier.Profile{ID: l.ProfileID, ICCID: l.ICCID}); err != nil || s.State != carrier.LineNew {
		t.Errorf("%+v, %v", s, err)
	}
}
