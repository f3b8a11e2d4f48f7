package airalosim_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	sim "github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
)

// The answer to a top-up has the documented fields, in exact decimals, and the
// order is in the books: charged at the net price, found by its description,
// without naming the line.
func TestTopUp(t *testing.T) {
	b := open(nil)
	iccid := b.running("change-7days-1gb")
	r := b.form("POST", "orders/topups", "package_id", "change-30days-3gb-topup", "iccid", iccid, "description", "ref_0a1b")
	for key, want := range map[string]string{
		"package_id": "change-30days-3gb-topup", "quantity": "1", "type": "topup", "description": "ref_0a1b", "currency": "USD",
		"validity": "30", "package": "Change-3 GB - 30 Days", "data": "3 GB", "price": "11", "net_price": "8.01",
		"pricing_model": "net_pricing", "created_at": "2031-03-04 05:06:07", "text": "null", "voice": "null",
	} {
		if got := r.data(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if code := r.data("code"); !strings.HasPrefix(code, "20310304-") || len(code) != 15 {
		t.Errorf("code %q", code)
	}
	if got := b.Balance(); got != opening-801 {
		t.Errorf("balance %d", got)
	}
	want := []sim.TopUp{{At: t0, Code: r.data("code"), Package: "change-30days-3gb-topup", Description: "ref_0a1b", Paid: 801}}
	if diff := cmp.Diff(want, b.TopUps(iccid)); diff != "" {
		t.Errorf("top-ups (-want +got):\n%s", diff)
	}
	list := b.get("orders?include=sims,status&filter[description]=" + url.QueryEscape("REF_0a1b")).body
	for _, part := range []string{`"total":1`, `"price":"11.00"`, `"validity":"30"`, `"sims":[]`, `"slug":"completed"`, r.data("code")} {
		if !strings.Contains(list, part) {
			t.Errorf("the list has no %s: %s", part, list)
		}
	}
	if list := b.get("orders?filter[iccid]=" + iccid).body; !strings.Contains(list, `"total":0`) {
		t.Errorf("by ICCID: %s", list)
	}
	if r := b.get("orders/" + r.data("id")); r.data("description") != "ref_0a1b" {
		t.Errorf("one order: %s", r.body)
	}
}

// There is no idempotency: the same request twice is two top-ups.
func TestTopUpTwice(t *testing.T) {
	b := open(nil)
	iccid := b.running("change-7days-1gb")
	for range 2 {
		b.form("POST", "orders/topups", "package_id", "change-7days-1gb-topup", "iccid", iccid, "description", "same")
	}
	if n := len(b.TopUps(iccid)); n != 2 || b.Balance() != opening-720 {
		t.Errorf("%d top-ups, balance %d", n, b.Balance())
	}
}

// A description that was not sent, or is forgotten, is made up.
func TestTopUpDescription(t *testing.T) {
	for _, forgets := range []bool{false, true} {
		b := open(func(c *sim.Config) { c.ForgetTopUpDescriptions = forgets })
		iccid := b.running("change-7days-1gb")
		made := "Topup (" + iccid + ")"
		if got := b.topUp(iccid, "change-7days-1gb-topup").data("description"); got != made {
			t.Errorf("without: %q", got)
		}
		got := b.form("POST", "orders/topups", "package_id", "change-7days-1gb-topup", "iccid", iccid, "description", "mine").data("description")
		if (got == made) != forgets {
			t.Errorf("forgets=%v: %q", forgets, got)
		}
	}
}

// Why a top-up is refused, with the documented words; nothing changes.
func TestTopUpRefusals(t *testing.T) {
	const pack = "change-7days-1gb-topup"
	misfit := `{"data":{"package_id":"invalid topup package"},"meta":{"message":"the parameter is invalid"}}`
	tests := []struct {
		name, base, pack string
		do               func(b *bench, iccid string)
		code             int
		body             string
	}{
		{"no package", "change-7days-1gb", "", nil, 0, `{"data":{"package_id":"The package id field is required."},"meta":{"message":"the parameter is invalid"}}`},
		{"unknown package", "change-7days-1gb", "nothing", nil, 0, misfit},
		{"no top-up", "change-7days-1gb", "change-7days-1gb", nil, 0, misfit},
		{"another operator", "moshi-7days-1gb", pack, nil, 0, misfit},
		{"not rechargeable", "discover-7days-500mb", pack, nil, 0, misfit},
		{"withdrawn", "change-7days-1gb", pack, func(b *bench, _ string) { b.Withdraw(pack) }, 34, "out of stock"},
		{"maintenance", "change-7days-1gb", pack, func(b *bench, _ string) { b.Maintain(b.change, true) }, 13, "maintenance"},
		{"disabled", "change-7days-1gb", pack, func(b *bench, _ string) { b.StopTopUps(b.change, true) }, 23, "disabled by the operator"},
		{"no credit", "change-7days-1gb", pack, func(b *bench, _ string) { b.SetBalance(359) }, 11, "Insufficient Airalo Credit: "},
		{"recycled", "change-7days-1gb", pack, func(b *bench, iccid string) { b.Recycle(iccid) }, 73, "has been recycled. It can no longer be used or topped up."},
		{"after the grace", "change-7days-1gb", pack, func(b *bench, _ string) { b.clock.move(37 * 24 * time.Hour); b.login() }, 23, "disabled"},
		{"too many", "change-7days-1gb", pack, func(b *bench, iccid string) { b.topUp(iccid, pack); b.topUp(iccid, pack) }, 0, "validation.order_exceed_limit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(func(c *sim.Config) { c.TopUpsMax = 2 })
			iccid := b.running(tt.base)
			if tt.do != nil {
				tt.do(b, iccid)
			}
			before, done := b.Balance(), len(b.TopUps(iccid))
			r := b.topUp(iccid, tt.pack)
			if r.status != 422 || r.code() != tt.code || !strings.Contains(r.body, tt.body) {
				t.Errorf("%d %s, want %d with %s", r.status, r.body, tt.code, tt.body)
			}
			if b.Balance() != before || len(b.TopUps(iccid)) != done {
				t.Error("it changed something")
			}
		})
	}
	b := open(nil)
	if r := b.topUp("", ""); r.body != `{"data":{"iccid":"The iccid field is required.","package_id":"The package id field is required."},"meta":{"message":"the parameter is invalid"}}` {
		t.Errorf("nothing: %s", r.body)
	}
	if r := b.topUp("123", pack); r.status != 422 || r.data("iccid") == "" {
		t.Errorf("unknown line: %d %s", r.status, r.body)
	}
}

// What a line is offered: its operator's top-ups at today's price; nothing when
// it takes none; 73 when it is gone.
func TestTopUpList(t *testing.T) {
	b := open(nil)
	iccid, fixed := b.running("change-7days-1gb"), b.running("discover-7days-500mb")
	list := func(id string) string { return b.get("sims/" + id + "/topups").body }
	b.ChangePrice("change-30days-3gb-topup", 1299, 905)
	b.Withdraw("change-7days-1gb-topup")
	got := list(iccid)
	for _, part := range []string{
		`{"pricing":{"model":"net_pricing","discount_percentage":0},"data":[{"id":"change-30days-3gb-topup","type":"topup","price":12.99,"amount":3072,"day":30,"is_unlimited":false`,
		`"net_price":9.05,"prices":{"net_price":{"USD":9.05,"EUR":8.33,"JPY":1412},"recommended_retail_price":{"USD":12.99`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
	if strings.Count(got, `"type":"topup"`) != 1 {
		t.Errorf("not one: %s", got)
	}
	if got := list(fixed); got != `{"data":[]}` {
		t.Errorf("not rechargeable: %s", got)
	}
	b.clock.move(37*24*time.Hour - time.Second)
	b.login()
	if got := list(iccid); got == `{"data":[]}` {
		t.Error("nothing in the last second of the grace")
	}
	b.clock.move(time.Second)
	if got := list(iccid); got != `{"data":[]}` {
		t.Errorf("after the grace: %s", got)
	}
	b.Recycle(iccid)
	if r := b.get("sims/" + iccid + "/topups"); r.status != 422 || r.code() != 73 {
		t.Errorf("recycled: %d %s", r.status, r.body)
	}
}

// The price may change between the list and the order; the order says nothing
// and charges the new one.
func TestPriceChangesUnnoticed(t *testing.T) {
	b := open(nil)
	iccid := b.running("change-7days-1gb")
	b.Fail(sim.TopUpOrder, sim.Reprice)
	if r := b.topUp(iccid, "change-7days-1gb-topup"); r.data("net_price") != "3.96" || b.Balance() != opening-396 {
		t.Errorf("%s, balance %d", r.body, b.Balance())
	}
}

// A seller with a discount has no net price and pays the rest.
func TestDiscountPricing(t *testing.T) {
	b := open(func(c *sim.Config) { c.DiscountPercent = 10 })
	iccid := b.running("change-7days-1gb")
	r := b.topUp(iccid, "change-7days-1gb-topup")
	for key, want := range map[string]string{
		"pricing_model": "discount_pricing", "discount_percentage": "10", "discount_amount": "0.45",
		"unit_paid_price": "4.05", "total_amount_paid": "4.05", "net_price": "null",
	} {
		if got := r.data(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if b.Balance() != opening-405 {
		t.Errorf("balance %d", b.Balance())
	}
	b.ChangePrice("change-7days-1gb-topup", 455, 360)
	if got := b.topUp(iccid, "change-7days-1gb-topup").data("discount_amount"); got != "0.46" {
		t.Errorf("a tenth of 4.55 is %s", got)
	}
}

// The last cent of credit may be spent.
func TestLastCent(t *testing.T) {
	b := open(nil)
	iccid := b.running("change-7days-1gb")
	b.SetBalance(360)
	if r := b.topUp(iccid, "change-7days-1gb-topup"); r.status != 200 || b.Balance() != 0 {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// When packages begin and end: beside each other, or one after the other; all at
// once with first use when they were bought before, as the published sample of
// the history shows; at once when the line was over.
func TestWhenPackagesRun(t *testing.T) {
	const day = 24 * time.Hour
	at := func(d time.Duration) string { return t0.Add(d).Format("2006-01-02T15:04:05-07:00") }
	type span struct{ Status, From, To string }
	tests := []struct {
		name, operator string
		unused         bool
		do             func(b *bench, iccid string)
		want           []span // newest first
	}{
		{"beside", "change", false, func(b *bench, iccid string) {
			b.clock.move(day)
			b.topUp(iccid, "change-7days-1gb-topup")
		}, []span{{"ACTIVE", at(day), at(8 * day)}, {"ACTIVE", at(0), at(7 * day)}}},
		{"queued", "moshi", false, func(b *bench, iccid string) {
			b.clock.move(day)
			b.topUp(iccid, "moshi-7days-1gb-topup")
		}, []span{{"NOT_ACTIVE", "", ""}, {"ACTIVE", at(0), at(7 * day)}}},
		{"queued, then its turn", "moshi", false, func(b *bench, iccid string) {
			b.topUp(iccid, "moshi-7days-1gb-topup")
			b.clock.move(8 * day)
		}, []span{{"ACTIVE", at(7 * day), at(14 * day)}, {"EXPIRED", at(0), at(7 * day)}}},
		{"queued, then used up", "moshi", false, func(b *bench, iccid string) {
			b.topUp(iccid, "moshi-7days-1gb-topup")
			b.clock.move(day)
			b.Use(iccid, gib+100)
		}, []span{{"ACTIVE", at(day), at(8 * day)}, {"FINISHED", at(0), at(7 * day)}}},
		{"before first use", "change", true, func(b *bench, iccid string) {
			b.topUp(iccid, "change-7days-1gb-topup")
			b.clock.move(2 * day)
			b.Use(iccid, 0)
		}, []span{{"ACTIVE", at(2 * day), at(9 * day)}, {"ACTIVE", at(2 * day), at(9 * day)}}},
		{"not used", "change", true, func(b *bench, iccid string) { b.clock.move(day) }, []span{{"NOT_ACTIVE", "", ""}}},
		{"within the grace", "change", false, func(b *bench, iccid string) {
			b.clock.move(20 * day)
			b.topUp(iccid, "change-7days-1gb-topup")
		}, []span{{"ACTIVE", at(20 * day), at(27 * day)}, {"EXPIRED", at(0), at(7 * day)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(func(c *sim.Config) { c.TokenLife = 100 * day })
			iccid := b.AddLine(sim.Line{Package: tt.operator + "-7days-1gb"})
			if !tt.unused {
				b.Use(iccid, 0)
			}
			tt.do(b, iccid)
			var got []span
			for _, r := range b.history(t, iccid) {
				got = append(got, span{r.Status, r.Activated, r.Expired})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever is asked for and used, in whatever order, each accepted top-up is one
// package, nothing else is, the credit is the opening less what was accepted,
// and no data is lost or made.
func TestBooksBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := open(func(c *sim.Config) {
			c.UsageCache = -1
			c.TokenLife = 10_000 * time.Hour
			c.Balance = 20_000
			c.Manners = sim.Manners{}
		})
		operator := rapid.SampledFrom([]string{"change", "moshi"}).Draw(t, "operator")
		base := operator + "-7days-1gb"
		iccid := b.AddLine(sim.Line{Package: base})
		accepted, spent, orders := 0, int64(0), 0
		price := map[string]int64{"change-7days-1gb-topup": 360, "change-30days-3gb-topup": 801, "moshi-7days-1gb-topup": 500}
		for i := range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				pack := rapid.SampledFrom([]string{"change-7days-1gb-topup", "change-30days-3gb-topup", "moshi-7days-1gb-topup", "nothing"}).Draw(t, "pack")
				if r := b.form("POST", "orders/topups", "package_id", pack, "iccid", iccid, "description", fmt.Sprint(i)); r.status == 200 {
					accepted++
					spent += price[pack]
				}
			case 2:
				b.Use(iccid, rapid.Int64Range(0, 2*gib).Draw(t, "mb"))
			case 3:
				b.clock.move(time.Duration(rapid.IntRange(1, 200).Draw(t, "hours")) * time.Hour)
			case 4:
				n := rapid.IntRange(1, 5).Draw(t, "quantity")
				if r := b.form("POST", "orders", "package_id", base, "quantity", fmt.Sprint(n)); r.status == 200 {
					orders++
					spent += int64(n) * map[string]int64{"change": 360, "moshi": 500}[operator]
				}
			}
		}
		b.clock.move(time.Hour)
		rows := b.history(t, iccid)
		if len(rows) != accepted+1 || len(b.TopUps(iccid)) != accepted {
			t.Fatalf("%d accepted, %d packages, %d top-ups", accepted, len(rows), len(b.TopUps(iccid)))
		}
		sum := int64(0)
		for _, e := range b.Ledger() {
			sum += e.Amount
		}
		if b.Balance() != 20_000-spent || sum != -spent || len(b.Ledger()) != accepted+orders {
			t.Fatalf("spent %d, balance %d, ledger %d", spent, b.Balance(), sum)
		}
		for _, r := range rows {
			if r.Remaining < 0 || (r.Status == "FINISHED") != (r.Remaining == 0) || (r.Status == "NOT_ACTIVE") != (r.Activated == "") {
				t.Fatalf("row %+v", r)
			}
		}
	})
}
