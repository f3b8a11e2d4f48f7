package airalo

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// A status is as old as the operator's cache, and shows no 0 for unlimited.
func TestStatus(t *testing.T) {
	asOf := noon.Add(-20 * time.Minute)
	end, past := time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC), time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	usage := func(status, end, rest string) string {
		return `{"data":{"remaining":767,"total":2048,"expired_at":` + end + `,"is_unlimited":false,"status":"` + status + `","remaining_voice":0` + rest + `},"meta":{"message":"api.succes"}}`
	}
	const may31, may4 = `"2026-05-31 00:00:00"`, `"2026-05-04 12:00:00"`
	figures := func(s carrier.LineState, end time.Time) carrier.Status {
		return carrier.Status{State: s, EndsAt: end, Total: 2048 << 20, Used: (2048 - 767) << 20, AsOf: asOf}
	}
	for name, tt := range map[string]struct {
		answer string
		want   carrier.Status
	}{
		"running":          {usage("ACTIVE", may31, ""), figures(carrier.LineActive, end)},
		"new":              {usage("NOT_ACTIVE", "null", `,"remaining":2048`), carrier.Status{State: carrier.LineNew, Total: 2048 << 20, AsOf: asOf}},
		"used up":          {usage("FINISHED", may31, `,"remaining":0`), carrier.Status{State: carrier.LineDepleted, EndsAt: end, Total: 2048 << 20, Used: 2048 << 20, AsOf: asOf}},
		"finished by time": {usage("FINISHED", may4, ""), figures(carrier.LineIsOver, past)},
		"finished somehow": {usage("FINISHED", "null", ""), figures(carrier.LineDepleted, time.Time{})},
		"over":             {usage("EXPIRED", may4, ""), figures(carrier.LineIsOver, past)},
		"as text":          {usage("ACTIVE", may31, `,"remaining":"767","total":"2048","is_unlimited":"false"`), figures(carrier.LineActive, end)},
		"more than all":    {usage("ACTIVE", may31, `,"remaining":4096`), carrier.Status{State: carrier.LineActive, EndsAt: end, Total: 2048 << 20, AsOf: asOf}},
		"no figures":       {usage("ACTIVE", may31, `,"remaining":null`), carrier.Status{State: carrier.LineActive, EndsAt: end, AsOf: asOf}},
		"unlimited":        {usage("ACTIVE", may31, `,"remaining":0,"total":0,"is_unlimited":true`), carrier.Status{State: carrier.LineActive, EndsAt: end, Unlimited: true, AsOf: asOf}},
		"recycled": {
			`{"data":{"remaining":0,"total":0,"expired_at":null,"is_unlimited":null,"status":"RECYCLED","remaining_voice":0},"meta":{"message":"api.succes"}}`,
			carrier.Status{State: carrier.LineDead, AsOf: asOf},
		},
	} {
		got, err := open(map[string]string{"GET sims/ICCID/usage": tt.answer}).Status(t.Context(), ours)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: status (-want +got):\n%s", name, diff)
		}
	}
}

func TestStatusSaysWhenItCannot(t *testing.T) {
	for name, tt := range map[string]struct{ answer, want string }{
		"no such SIM":         {"404 " + notFound, "line_unknown"},
		"it does not know":    {`{"data":{"status":"UNKNOWN"}}`, "not sent"},
		"no state":            {`{"data":{}}`, "not sent"},
		"no data":             {`{"data":null}`, "not sent"},
		"data of another":     {`{"data":[]}`, "not sent"},
		"a word of next year": {`{"data":{"status":"ASLEEP"}}`, "operator_refuses"},
		"much":                {`{"data":{"status":"ACTIVE","remaining":"much"}}`, "not sent"},
		"half a byte":         {`{"data":{"status":"ACTIVE","total":0.5}}`, "not sent"},
		"an end of no form":   {`{"data":{"status":"ACTIVE","expired_at":"soon"}}`, "not sent"},
	} {
		got, err := open(map[string]string{"GET sims/ICCID/usage": tt.answer}).Status(t.Context(), ours)
		if k := kind(t, err); k != tt.want || got != (carrier.Status{}) {
			t.Errorf("%s: %q with %+v, want %q", name, k, got, tt.want)
		}
	}
	_, err := open(nil).Status(t.Context(), carrier.Profile{ID: simID})
	if k := kind(t, err); k != "line_unknown" {
		t.Errorf("without a number: %q", k)
	}
}

// Packages keep the operator's price as it is, and a row that cannot be read
// costs only itself.
func TestPackages(t *testing.T) {
	usd := func(millionths int64) carrier.Cost {
		return carrier.Cost{Units: millionths, Scale: 1_000_000, Currency: "USD"}
	}
	w := open(map[string]string{"GET sims/ICCID/topups": `{"data":[
		{"id":"a-topup","type":"topup","price":10,"net_price":6.05,"amount":3072,"day":30,"is_unlimited":false,"title":"3 GB - 30 Days","voice":100,"text":100,"prices":{"net_price":{"USD":6.05,"JPY":900}}},
		{"id":"b-topup","type":"topup","price":"22.50","amount":10240,"day":"30","is_unlimited":false,"title":"10 GB"},
		{"id":"c-topup","type":"topup","price":30,"net_price":"21","amount":0,"day":7,"is_unlimited":true,"title":"Unlimited"},
		{"id":"d-topup","type":"topup","amount":1,"day":1,"title":"no price"},
		{"id":"e-topup","type":"topup","price":1,"net_price":0.30000000000000004,"amount":1,"day":1,"title":"a float's price"},
		{"id":"f-topup","type":"topup","price":-1,"amount":1,"day":1,"title":"a gift"},
		{"id":"g-topup","type":"topup","price":1,"amount":0.5,"day":1,"title":"half a megabyte"},
		{"id":"","type":"topup","price":1,"amount":1,"day":1,"title":"no name"},
		"what"]}`})
	want := []carrier.Package{
		{Code: "a-topup", Name: "3 GB - 30 Days", Cost: usd(6_050_000), Bytes: 3 << 30, Days: 30, TopUp: true, AsOfDate: noon},
		{Code: "b-topup", Name: "10 GB", Cost: usd(22_500_000), Bytes: 10 << 30, Days: 30, TopUp: true, AsOfDate: noon},
		{Code: "c-topup", Name: "Unlimited", Cost: usd(21_000_000), Days: 7, TopUp: true, AsOfDate: noon},
	}
	got, err := w.Packages(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	for discount, want := range map[string]int64{`20`: 8_760_000, `"12.5"`: 9_581_250, `0`: 10_950_000, `100`: 0, `101`: 10_950_000, `null`: 10_950_000, "": 10_950_000} {
		pricing := `{"model":"discount_pricing","discount_percentage":` + discount + `}`
		if discount == "" {
			pricing = "[]"
		}
		row := `{"id":"x","price":10.95,"net_price":null,"amount":1,"day":1}`
		w := open(map[string]string{"GET sims/ICCID/topups": `{"pricing":` + pricing + `,"meta":[],"data":[` + row + `]}`})
		if got, err := w.Packages(t.Context(), ours); err != nil || got[0].Cost != usd(want) {
			t.Errorf("discount %s: %+v, %v; want %d", discount, got, err, want)
		}
	}
	for name, tt := range map[string]struct {
		answer string
		p      carrier.Profile
		want   string
	}{
		"not rechargeable":    {`{"data":[]}`, ours, ""},
		"no list":             {`{}`, ours, "not sent"},
		"no row can be read":  {`{"data":["?"]}`, ours, "not sent"},
		"recycled":            {`422 {"code":73,"reason":"recycled"}`, ours, "line_terminal"},
		"no such SIM":         {"404 null", ours, "line_unknown"},
		"not a card's number": {`{"data":[]}`, carrier.Profile{ICCID: "12"}, "line_unknown"},
	} {
		got, err := open(map[string]string{"GET sims/ICCID/topups": tt.answer}).Packages(t.Context(), tt.p)
		if k := kind(t, err); k != tt.want || len(got) > 0 {
			t.Errorf("%s: %d packages, %q; want none, %q", name, len(got), k, tt.want)
		}
	}
}

// Everything is read page by page, of which the later have another shape; what
// is listed at several places is listed once.
func TestAllPackages(t *testing.T) {
	p := func(id, kind string) string {
		return `{"id":"` + id + `","type":"` + kind + `","price":4.5,"net_price":3.2,"amount":1024,"day":7,"is_unlimited":false,"title":"1 GB"}`
	}
	place := func(packages string) string {
		return `{"slug":"x","operators":[{"id":1,"packages":[` + packages + `]},{"id":2}]}`
	}
	answers := map[string]string{"GET packages": `{"data":{"50":` + place(p("a", "sim")+","+p("a-topup", "topup")) + `,"51":` + place(p("b", "sim")) + `,"52":` + place(p("a", "sim")) + `},"meta":{"last_page":2}}`}
	w := open(answers)
	got, err := w.Packages(t.Context(), carrier.Profile{})
	var names []string
	for _, p := range got {
		name := p.Code
		if p.TopUp {
			name += " on top"
		}
		names = append(names, name)
	}
	if diff := cmp.Diff([]string{"a", "a-topup on top", "b"}, names); err != nil || diff != "" {
		t.Errorf("%v; packages (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"GET packages?include=topup&limit=50&page=1", "GET packages?include=topup&limit=50&page=2"}, w.operator.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	for name, tt := range map[string]struct {
		answer string
		pages  int
		want   string
	}{
		"no end":         {`{"data":[` + place(p("a", "sim")) + `],"meta":{"last_page":100000}}`, 40, "not sent"},
		"no places":      {`{"data":{}}`, 1, ""},
		"no list":        {`{"data":"x"}`, 1, "not sent"},
		"a place of one": {`{"data":["x"]}`, 1, "not sent"},
		"unreadable":     {`{"data":[` + place(`"x"`) + `]}`, 1, "not sent"},
	} {
		w := open(map[string]string{"GET packages": tt.answer})
		got, err := w.Packages(t.Context(), carrier.Profile{})
		if k := kind(t, err); k != tt.want || len(got) > 0 || len(w.operator.asked) != tt.pages {
			t.Errorf("%s: %d packages, %q after %d pages", name, len(got), k, len(w.operator.asked))
		}
	}
}

func TestBalance(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		units  int64
		want   string
	}{
		"as in the document": {`{"data":{"balances":{"name":"balance","availableBalance":{"amount":1250.75,"currency":"USD"}}},"meta":{"message":"success"}}`, 1_250_750_000, ""},
		"a list":             {`{"data":{"balances":[{"name":"balance","availableBalance":{"amount":"0","currency":"USD"}}]}}`, 0, ""},
		"in debt":            {`{"data":{"balances":{"availableBalance":{"amount":-3,"currency":"USD"}}}}`, -3_000_000, ""},
		"no account":         {`{"data":{"balances":[]}}`, 0, "not sent"},
		"no amount":          {`{"data":{"balances":{"availableBalance":{"currency":"USD"}}}}`, 0, "not sent"},
		"no currency":        {`{"data":{"balances":{"availableBalance":{"amount":1}}}}`, 0, "not sent"},
		"nothing":            {`{"data":[]}`, 0, "not sent"},
	} {
		got, err := open(map[string]string{"GET balance": tt.answer}).Balance(t.Context())
		if k := kind(t, err); k != tt.want || got.Units != tt.units || err == nil && (got.Scale != 1_000_000 || got.Currency != "USD") {
			t.Errorf("%s: %+v, %q (%v)", name, got, k, err)
		}
	}
}

// Nothing can be taken back, and nobody is asked.
func TestCancel(t *testing.T) {
	w := open(nil)
	err := w.Cancel(t.Context(), wanted)
	if k := kind(t, err); k != "operator_refuses" || w.wire.Calls() > 0 || w.Abilities().Cancel {
		t.Errorf("%q after %d requests", k, w.wire.Calls())
	}
}
