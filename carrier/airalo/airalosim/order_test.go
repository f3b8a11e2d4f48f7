package airalosim_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	sim "github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
)

// catalogue is what a list of packages shows, in its order.
func catalogue(t *testing.T, body string) (ids []string) {
	t.Helper()
	type place struct {
		Operators []struct{ Packages []struct{ ID string } }
	}
	var list struct{ Data []place }
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, p := range list.Data {
		for _, o := range p.Operators {
			for _, k := range o.Packages {
				ids = append(ids, k.ID)
			}
		}
	}
	return ids
}

// The filters of the catalogue; top-ups only on request; what is withdrawn or
// out of stock is gone.
func TestPackages(t *testing.T) {
	b := open(nil)
	b.Withdraw("moshi-7days-1gb")
	b.form("POST", "orders", "package_id", "few-7days-1gb", "quantity", "3")
	for query, want := range map[string][]string{
		"":                                    {"change-7days-1gb", "moshi-3days-unlimited", "discover-7days-500mb"},
		"filter[type]=local":                  {"change-7days-1gb", "moshi-3days-unlimited"},
		"filter[type]=global":                 {"discover-7days-500mb"},
		"filter[country]=JP":                  {"moshi-3days-unlimited"},
		"filter[country]=FR":                  nil,
		"filter[country]=US&include=topup":    {"change-7days-1gb", "change-7days-1gb-topup", "change-30days-3gb-topup"},
		"limit=2":                             {"change-7days-1gb", "moshi-3days-unlimited"},
		"limit=1000&filter[country]=JP":       {"moshi-3days-unlimited"},
		"filter[type]=local&filter[country]=": {"change-7days-1gb", "moshi-3days-unlimited"},
	} {
		if diff := cmp.Diff(want, catalogue(t, b.get("packages?"+query).body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	all := b.get("packages").body
	for _, part := range []string{
		`"is_unlimited":true,"title":"Unlimited - 3 Days"`, `"amount":0`, `"fair_usage_policy":"1 Mbps after 3 GB a day"`,
		`"price":4.5`, `"rechargeability":false`, `"topup_grace_window_days":30`, `"topup_grace_window_days":null`, `https:\/\/cdn`,
	} {
		if !strings.Contains(all, part) {
			t.Errorf("no %s in the list", part)
		}
	}
}

// From the second page on the list is an object, keyed by number.
func TestSecondPageIsAnObject(t *testing.T) {
	b := open(nil)
	var second struct {
		Data map[string]struct{ Slug string }
		Meta struct {
			Page  int `json:"current_page"`
			Last  int `json:"last_page"`
			Total int
		}
	}
	if err := json.Unmarshal([]byte(b.get("packages?limit=1&page=2").body), &second); err != nil {
		t.Fatal(err)
	}
	if second.Data["1"].Slug != "jp" || len(second.Data) != 1 || second.Meta.Page != 2 || second.Meta.Last != 3 || second.Meta.Total != 3 {
		t.Errorf("%+v", second)
	}
	if r := b.get("packages?limit=1&page=9"); r.status != 200 || !strings.Contains(r.body, `"data":[]`) {
		t.Errorf("beyond the end: %d %s", r.status, r.body)
	}
}

// An order is charged for each eSIM, which can then be looked at.
func TestOrder(t *testing.T) {
	b := open(nil)
	r := b.form("POST", "orders", "package_id", "change-7days-1gb", "quantity", "2", "type", "sim", "brand_settings_name", "our brand")
	if r.status != 200 || r.data("quantity") != "2" || r.data("price") != "4.5" || r.data("net_price") != "3.6" || r.data("package") != "Change-1 GB - 7 Days" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if b.Balance() != opening-720 {
		t.Errorf("balance %d", b.Balance())
	}
	var got struct {
		Data struct {
			Sims []struct{ ICCID, QRCode string }
		}
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || len(got.Data.Sims) != 2 || got.Data.Sims[0].ICCID == got.Data.Sims[1].ICCID {
		t.Fatalf("%v %+v", err, got)
	}
	iccid := got.Data.Sims[1].ICCID
	if len(iccid) != 19 || !luhn(iccid) || !strings.HasPrefix(got.Data.Sims[1].QRCode, "LPA:1$") {
		t.Errorf("eSIM %+v", got.Data.Sims[1])
	}
	one := b.get("sims/" + iccid + "?include=order,order.status")
	for _, part := range []string{`"recycled":false`, `"recycled_at":null`, `"simable":{"id":`, `"price":"4.50"`, `"slug":"completed"`, `"brand_settings_name":"our brand"`} {
		if !strings.Contains(one.body, part) {
			t.Errorf("no %s in %s", part, one.body)
		}
	}
	list := b.get("sims?filter[iccid]=" + iccid[5:15]).body
	if !strings.Contains(list, `"total":1`) || !strings.Contains(list, iccid) {
		t.Errorf("list: %s", list)
	}
	b.clock.move(24 * time.Hour)
	b.login()
	for query, want := range map[string]string{
		"filter[created_at]=2031-03-04%20-%202031-03-04": `"total":2`,
		"filter[created_at]=2031-03-05%20-%202031-03-06": `"total":0`,
		"limit=1&page=2": `"to":2,"total":2`,
		"limit=x&page=y": `{"data":{"limit":"The limit must be an integer.","page":"The page must be an integer."}`,
	} {
		if got := b.get("sims?" + query).body; !strings.Contains(got, want) {
			t.Errorf("%s: %s", query, got)
		}
	}
}

// luhn is the test's own check of an ICCID.
func luhn(s string) bool {
	sum := 0
	for i := range len(s) {
		n := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			n = n*2/10 + n*2%10
		}
		sum += n
	}
	return sum%10 == 0
}

// Why an order is refused, with the documented words; nothing is charged.
func TestOrderRefusals(t *testing.T) {
	tests := []struct {
		name  string
		pairs []string
		code  int
		body  string
	}{
		{"nothing", nil, 0, `"package_id":"The package id field is required.","quantity":"The quantity field is required."`},
		{
			"both wrong",
			[]string{"package_id", "x", "quantity", "51"},
			0,
			`{"data":{"package_id":"The selected package is invalid.","quantity":"The quantity may not be greater than 50."},"meta":{"message":"the parameter is invalid"}}`,
		},
		{"none", []string{"package_id", "change-7days-1gb", "quantity", "0"}, 0, "The quantity must be at least 1."},
		{"a top-up", []string{"package_id", "change-7days-1gb-topup", "quantity", "1"}, 0, "The selected package is invalid."},
		{"stock", []string{"package_id", "few-7days-1gb", "quantity", "4"}, 0, "SIM quantity is not available. Available quantity: 3."},
		{"brand", []string{"package_id", "change-7days-1gb", "quantity", "1", "brand_settings_name", "x"}, 0, "Brand settings name doesn't exist."},
		{"type", []string{"package_id", "change-7days-1gb", "quantity", "1", "type", "x"}, 0, "type"},
		{
			"sharing",
			[]string{"package_id", "change-7days-1gb", "quantity", "1", "to_email", "a@example.com", "sharing_option[]", "fax"},
			0, "Sharing option on position 1 is invalid. Available options are: 'link' and 'pdf'.",
		},
		{"credit", []string{"package_id", "moshi-3days-unlimited", "quantity", "50"}, 0, ""},
		{"sandbox 11", []string{"package_id", "test-insufficient-balance-7days-1gb", "quantity", "1"}, 11, ""},
		{"sandbox 13", []string{"package_id", "test-maintenance-mode-7days-1gb", "quantity", "1"}, 13, ""},
		{"sandbox 23", []string{"package_id", "test-disabled-top-up-7days-1gb", "quantity", "1"}, 23, ""},
		{"sandbox 33", []string{"package_id", "test-not-enough-7days-1gb", "quantity", "1"}, 33, ""},
		{"sandbox 34", []string{"package_id", "test-out-of-stock-7days-1gb", "quantity", "1"}, 34, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(nil)
			if tt.name == "credit" {
				b.SetBalance(50*1150 - 1)
				tt.code = 11
			}
			before := b.Balance()
			r := b.form("POST", "orders", tt.pairs...)
			if r.status != 422 || r.code() != tt.code || !strings.Contains(r.body, tt.body) || b.Balance() != before {
				t.Errorf("%d %s, balance %d", r.status, r.body, b.Balance())
			}
		})
	}
}

// The sandbox takes no money and is wrong about unlimited packages.
func TestSandbox(t *testing.T) {
	b := open(func(c *sim.Config) { c.Sandbox = true })
	if r := b.form("POST", "orders", "package_id", "change-7days-1gb", "quantity", "2"); r.status != 200 || b.Balance() != opening {
		t.Errorf("%d, balance %d", r.status, b.Balance())
	}
	iccid := b.running("moshi-3days-unlimited")
	if r := b.get("sims/" + iccid + "/usage"); r.data("is_unlimited") != "false" || r.data("total") != "0" {
		t.Errorf("%s", r.body)
	}
}

// Usage of lines in every state.
func TestUsage(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		name, pack string
		do         func(b *bench, iccid string)
		want       string
	}{
		{"not active", "change-7days-1gb", nil, `{"remaining":1024,"total":1024,"expired_at":null,"is_unlimited":false,"status":"NOT_ACTIVE",`},
		{"active", "change-7days-1gb", func(b *bench, id string) { b.Use(id, 257) }, `{"remaining":767,"total":1024,"expired_at":"2031-03-11 05:06:07","is_unlimited":false,"status":"ACTIVE",`},
		{"topped up", "change-7days-1gb", func(b *bench, id string) {
			b.Use(id, 24)
			b.topUp(id, "change-30days-3gb-topup")
		}, `{"remaining":4072,"total":4096,"expired_at":"2031-04-03 05:06:07","is_unlimited":false,"status":"ACTIVE",`},
		{"used up", "change-7days-1gb", func(b *bench, id string) { b.Use(id, 5000) }, `{"remaining":0,"total":1024,"expired_at":"2031-03-11 05:06:07","is_unlimited":false,"status":"FINISHED",`},
		{"over", "change-7days-1gb", func(b *bench, id string) { b.Use(id, 1); b.clock.move(7 * day); b.login() }, `{"remaining":0,"total":0,"expired_at":"2031-03-11 05:06:07","is_unlimited":false,"status":"EXPIRED",`},
		{"unlimited", "moshi-3days-unlimited", func(b *bench, id string) { b.Use(id, 90_000) }, `{"remaining":0,"total":0,"expired_at":"2031-03-07 05:06:07","is_unlimited":true,"status":"ACTIVE",`},
		{"recycled", "change-7days-1gb", func(b *bench, id string) { b.Use(id, 1); b.Recycle(id) }, `{"remaining":0,"total":0,"expired_at":null,"is_unlimited":null,"status":"RECYCLED",`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(nil)
			iccid := b.AddLine(sim.Line{Package: tt.pack})
			if tt.do != nil {
				tt.do(b, iccid)
			}
			want := `{"data":` + tt.want + `"remaining_voice":0,"remaining_text":0,"total_voice":0,"total_text":0},"meta":{"message":"api.succes"}}`
			if r := b.get("sims/" + iccid + "/usage"); r.status != 200 || r.body != want {
				t.Errorf("%d\ngot  %s\nwant %s", r.status, r.body, want)
			}
		})
	}
}

// Usage is answered from a cache, which not even a top-up clears; each line has
// its own.
func TestUsageCache(t *testing.T) {
	for _, sandbox := range []bool{false, true} {
		b := open(func(c *sim.Config) { c.Sandbox = sandbox })
		iccid := b.running("change-7days-1gb")
		usage := func() string { return b.get("sims/" + iccid + "/usage").data("remaining") }
		first := usage()
		b.Use(iccid, 100)
		b.topUp(iccid, "change-7days-1gb-topup")
		lasts := 20 * time.Minute
		if sandbox {
			lasts = time.Hour
		}
		b.clock.move(lasts - time.Second)
		if got := usage(); got != first || first != "1024" {
			t.Errorf("a second before: %s, first %s", got, first)
		}
		other := b.running("change-7days-1gb")
		b.Use(other, 24)
		if got := b.get("sims/" + other + "/usage").data("remaining"); got != "1000" {
			t.Errorf("another line: %s", got)
		}
		b.clock.move(time.Second)
		if got := usage(); got != "1948" {
			t.Errorf("afterwards: %s", got)
		}
	}
}

// Future orders are carried out when they fall due, and may be cancelled until a
// day before.
func TestFutureOrders(t *testing.T) {
	const hook = "https://seller.example/hook"
	b := open(func(c *sim.Config) { c.TokenLife = 1000 * time.Hour })
	order := func(due string) reply {
		return b.json("future-orders", fmt.Sprintf(`{"package_id":"change-7days-1gb","quantity":1,"due_date":%q,"webhook_url":%q,"description":"d"}`, due, hook))
	}
	for due, want := range map[string]string{
		"2031-03-05 23:59": "Minimum due date must be at least the day after tomorrow in UTC timezone.",
		"2032-03-05 00:00": "due_date",
		"soon":             "due_date",
		"":                 "The due date field is required.",
	} {
		if r := order(due); r.status != 422 || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s", due, r.status, r.body)
		}
	}
	one, two := order("2031-03-07 10:00"), order("2031-03-08 10:00")
	id := one.data("request_id")
	if one.status != 200 || len(id) != 25 || one.data("latest_cancellation_date") != "2031-03-06 10:00" {
		t.Fatalf("%d %s", one.status, one.body)
	}
	if list := b.get("future-orders").body; strings.Count(list, `"status":"pending"`) != 2 {
		t.Errorf("list: %s", list)
	}
	b.clock.move(3 * 24 * time.Hour) // 2031-03-07 05:06: the first can no longer be cancelled
	cancel := func(ids string) reply { return b.json("cancel-future-orders", `{"request_ids":`+ids+`}`) }
	if r := cancel(fmt.Sprintf(`[%q,"short"]`, id)); r.status != 422 ||
		!strings.Contains(r.body, `"request_ids.0":"Request ID: `+id+` is already processed and can not be cancelled.","request_ids.1":"Each request ID must be exactly 25 characters long."`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := cancel(fmt.Sprintf(`[%q]`, two.data("request_id"))); r.status != 200 || r.body != `{"data":[],"meta":{"message":"Future orders cancelled successfully"}}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	b.clock.move(48 * time.Hour)
	if got := b.Notifications(); len(got) != 1 || !strings.Contains(string(got[0].Body), `"request_id":"`+id+`"`) || b.Balance() != opening-360 {
		t.Errorf("%d notifications, balance %d", len(got), b.Balance())
	}
}

// Refunds are asked for and decided by a person.
func TestRefunds(t *testing.T) {
	b := open(nil)
	iccid := b.running("change-7days-1gb")
	for _, tt := range []struct {
		pairs []string
		want  string
	}{
		{[]string{"reason", "OTHERS"}, `{"data":[],"meta":{"message":"The iccids field is required."}}`},
		{[]string{"iccids[]", iccid, "reason", "BORED"}, "The selected reason is invalid. It must be one of the following: INSTALLATION_FAILURE, NO_COVERAGE"},
		{[]string{"iccids[]", iccid, "reason", "OTHERS"}, "notes"},
		{[]string{"iccids[]", "1", "iccids[]", "2", "reason", "OVERCHARGED"}, `{"data":[],"meta":{"message":"The following ICCIDs do not belong to your company: 1, 2"}}`},
	} {
		if r := b.form("POST", "refund", tt.pairs...); r.status != 422 || !strings.Contains(r.body, tt.want) {
			t.Errorf("%v: %d %s", tt.pairs, r.status, r.body)
		}
	}
	b.clock.move(time.Minute)
	r := b.form("POST", "refund", "iccids", `["`+iccid+`"]`, "reason", "TOP_UP_PACKAGE_FAILURE")
	if r.status != 202 || r.data("refund_id") == "" || b.Balance() != opening {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if !b.DecideRefund(r.data("refund_id"), 360) || b.DecideRefund(r.data("refund_id"), 360) || b.Balance() != opening+360 {
		t.Errorf("balance %d", b.Balance())
	}
	if got := b.get("balance").body; got != `{"data":{"balances":{"name":"balance","availableBalance":{"amount":1003.6,"currency":"USD"}}},"meta":{"message":"success"}}` {
		t.Errorf("balance: %s", got)
	}
}
