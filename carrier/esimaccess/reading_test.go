package esimaccess

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// A status has the operator's state, and the age that the operator gives its
// figures.
func TestStatus(t *testing.T) {
	start, end := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC)
	measured := noon.Add(-2 * time.Hour)
	usage := func(tran, at string) string {
		return `{"success":true,"obj":{"esimUsageList":[{"esimTranNo":"` + tran + `","dataUsage":1453344832,"totalData":1,"lastUpdateTime":"` + at + `"}]}}`
	}
	fresh := usage(tranNo, "2026-05-04T10:00:00+0000")
	running := carrier.Status{State: carrier.LineActive, StartsAt: start, EndsAt: end, Total: 5 * gigabyte, Used: 1453344832, AsOf: measured}
	with := func(change func(*carrier.Status)) carrier.Status { s := running; change(&s); return s }
	undated := with(func(s *carrier.Status) { s.Used, s.AsOf = 100, noon.Add(-3*time.Hour) })
	tests := []struct {
		name  string
		line  string
		usage string
		want  carrier.Status
	}{
		{"running", shown(), fresh, running},
		{"usage as a bare list", shown(), `{"success":true,"obj":[{"esimTranNo":23120118156818,"dataUsage":"1453344832","lastUpdateTime":"2026-05-04 10:00:00 UTC"}]}`, running},
		{"measured in the future", shown(), usage(tranNo, "2026-05-04T12:00:01Z"), with(func(s *carrier.Status) { s.AsOf = noon })},
		{"usage of another line", shown(), usage("1", "2026-05-04T10:00:00Z"), undated},
		{"no usage", shown(), `{"success":true,"obj":{"esimUsageList":[]}}`, undated},
		{"usage refused", shown(), `{"success":false,"errorCode":"200009"}`, undated},
		{"depleted", shown(`"esimStatus":"USED_UP"`), fresh, with(func(s *carrier.Status) { s.State = carrier.LineDepleted })},
		{"suspended", shown(`"esimStatus":"SUSPENDED"`), fresh, with(func(s *carrier.Status) { s.State = carrier.LineSuspended })},
		{"ended", shown(`"esimStatus":"USED_EXPIRED"`), fresh, with(func(s *carrier.Status) { s.State = carrier.LineIsOver })},
		{"revoked", shown(`"esimStatus":"REVOKED"`), fresh, with(func(s *carrier.Status) { s.State = carrier.LineDead })},
		{
			"over, whatever the status says", shown(`"expiredTime":"2026-05-04T11:00:00Z"`), fresh,
			with(func(s *carrier.Status) { s.State, s.EndsAt = carrier.LineIsOver, noon.Add(-time.Hour) }),
		},
		{
			"unlimited by the day", shown(`"dataType":"2"`), fresh,
			with(func(s *carrier.Status) { s.Unlimited, s.Total, s.Used = true, 0, 0 }),
		},
		{
			"not yet installed: its deadline is no end", shown(`"esimStatus":"GOT_RESOURCE","activateTime":null,"orderUsage":0`), "not asked",
			carrier.Status{State: carrier.LineNew, Total: 5 * gigabyte, AsOf: noon},
		},
		{"still being made", `{"success":false,"errorCode":"200010","errorMsg":"wait"}`, "not asked", carrier.Status{State: carrier.LineNew, AsOf: noon}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &operator{answers: map[string]string{"/esim/query": tt.line, "/esim/usage/query": tt.usage}}
			got, err := adapter(o, outboundsim.None).Status(t.Context(), ours)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStatusSaysWhenItCannot(t *testing.T) {
	for name, tt := range map[string]struct{ line, usage, want string }{
		"a new word":       {shown(`"esimStatus":"ASLEEP"`), "", "operator_refuses"},
		"no such line":     {`{"success":true,"obj":{"esimList":[]}}`, "", "line_unknown"},
		"garbage":          {"<", "", "not sent"},
		"garbled usage":    {shown(), "<", "not sent"},
		"unreadable usage": {shown(), `{"success":true,"obj":[{"dataUsage":"much"}]}`, "not sent"},
		"usage of no form": {shown(), `{"success":true,"obj":"none"}`, "not sent"},
	} {
		o := &operator{answers: map[string]string{"/esim/query": tt.line, "/esim/usage/query": tt.usage}}
		_, err := adapter(o, outboundsim.None).Status(t.Context(), ours)
		if got := kind(t, err); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// Packages keep the operator's price as it is, and a row that cannot be read
// costs only itself.
func TestPackages(t *testing.T) {
	o := &operator{answers: map[string]string{"/esim/query": shown(`"iccid":89852246280001113119`), "/package/list": `{"success":true,"errorCode":"0","obj":{"packageList":[
		{"packageCode":"TOPUP_A","slug":"a","name":"Japan 5GB","price":112500,"currencyCode":"USD","volume":5368709120,"duration":30,"durationUnit":"DAY","dataType":1,"supportTopUpType":2},
		{"packageCode":"TOPUP_B","name":"Japan 1GB a day","price":"9000","currencyCode":"USD","volume":1073741824,"duration":1,"durationUnit":"DAY","dataType":2,"supportTopUpType":"3","fupPolicy":"384 Kbps"},
		{"packageCode":"TOPUP_C","name":"cut off","price":8000,"currencyCode":"USD","volume":1073741824,"duration":1,"dataType":3,"supportTopUpType":true},
		{"packageCode":"TOPUP_D","name":"no price","currencyCode":"USD","volume":1,"duration":1},
		{"packageCode":"TOPUP_E","name":"half a byte","price":1,"currencyCode":"USD","volume":0.5,"duration":1},
		{"packageCode":"TOPUP_F","name":"moons","price":1,"currencyCode":"USD","volume":1,"duration":1,"durationUnit":"MOON"},
		"what"]}}`}}
	usd := func(units int64) carrier.Cost { return carrier.Cost{Units: units, Scale: 10000, Currency: "USD"} }
	want := []carrier.Package{
		{Code: "TOPUP_A", Alias: "a", Name: "Japan 5GB", Cost: usd(112500), Bytes: 5 * gigabyte, Days: 30, TopUp: true, AsOfDate: noon},
		{Code: "TOPUP_B", Name: "Japan 1GB a day", Cost: usd(9000), Days: 1, PerDay: true, TopUp: true, AsOfDate: noon},
		{Code: "TOPUP_C", Name: "cut off", Cost: usd(8000), Bytes: gigabyte, Days: 1, TopUp: true, AsOfDate: noon},
	}
	a := adapter(o, outboundsim.None)
	for _, p := range []carrier.Profile{ours, {ICCID: card + "F"}, {ID: tranNo}} {
		got, err := a.Packages(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("packages of %+v (-want +got):\n%s", p, diff)
		}
		if last := o.asked[len(o.asked)-1]; last != `POST /package/list {"type":"TOPUP","iccid":"89852246280001113119"}` {
			t.Errorf("asked %s", last)
		}
	}
	all, err := a.Packages(t.Context(), carrier.Profile{})
	if err != nil || len(all) != 6 || all[0].TopUp || !all[5].TopUp {
		t.Errorf("packages of nobody: %d, %v; want three to begin with and three to top up", len(all), err)
	}
}

func TestPackagesSayWhenTheyCannot(t *testing.T) {
	for name, tt := range map[string]struct {
		list string
		p    carrier.Profile
		want string
	}{
		"no list":             {`{"success":true,"obj":{}}`, ours, "not sent"},
		"no row can be read":  {`{"success":true,"obj":{"packageList":["?"]}}`, ours, "not sent"},
		"not a card's number": {`{"success":true,"obj":{"packageList":[]}}`, carrier.Profile{ICCID: "12"}, "line_unknown"},
		"nothing fits":        {`{"success":true,"obj":{"packageList":[]}}`, ours, ""},
	} {
		o := &operator{answers: map[string]string{"/package/list": tt.list}}
		got, err := adapter(o, outboundsim.None).Packages(t.Context(), tt.p)
		if k := kind(t, err); k != tt.want || len(got) > 0 {
			t.Errorf("%s: %d packages, %q; want none, %q", name, len(got), k, tt.want)
		}
	}
}
