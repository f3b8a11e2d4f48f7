package esimaccess

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

const gigabyte = 1 << 30

// shown is an answer to /esim/query: a line in use, as the operator writes it,
// with members of its own in place of these.
func shown(members ...string) string {
	l := `"orderNo":"B23120118131854","transactionId":"ord_00","imsi":"232104070077567","smsStatus":1,"eid":"890","unknown":{"x":[]},` +
		`"esimTranNo":"23120118156818","iccid":"89852246280001113119","smdpStatus":"ENABLED","dataType":1,` +
		`"activateTime":"2026-05-01T00:00:00+0000","expiredTime":"2026-05-31T00:00:00+0000","totalVolume":5368709120,` +
		`"totalDuration":30,"durationUnit":"DAY","orderUsage":100,"esimStatus":"IN_USE",` +
		`"packageList":[{"packageName":"Spain","packageCode":"CKH003","slug":"ES_5_30","duration":30,"volume":5368709120,` +
		`"locationCode":"ES","createTime":"2026-04-30T18:34:17+0000"}]`
	for _, m := range members {
		l += "," + m // the later member of a name is the one that counts
	}
	return `{"success":true,"errorCode":"0","errorMsg":null,"obj":{"esimList":[{` + l + `}],"pager":{"pageSize":5,"pageNum":1,"total":1}}}`
}

// What is asked for is exactly this, once.
func TestExtendAsks(t *testing.T) {
	o := &operator{answers: map[string]string{"/esim/topup": `{"success":true,"obj":{"totalVolume":1}}`}}
	a := adapter(o, outboundsim.None)
	daily := order
	daily.Days = 7
	for _, e := range []carrier.Extension{order, daily} {
		if _, err := a.Extend(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`POST /esim/topup {"transactionId":"ord_01","esimTranNo":"23120118156818","packageCode":"TOPUP_CKH003"}`,
		`POST /esim/topup {"transactionId":"ord_01","esimTranNo":"23120118156818","packageCode":"TOPUP_CKH003","periodNum":7}`,
	}
	if diff := cmp.Diff(want, o.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// A bug of ours is refused without asking.
func TestExtendAsksNoNonsense(t *testing.T) {
	o := &operator{}
	a := adapter(o, outboundsim.None)
	for want, change := range map[string]func(*carrier.Extension){
		"line_unknown":         func(e *carrier.Extension) { e.Profile.ID = "" },
		"bad_request":          func(e *carrier.Extension) { e.Ref = "" },
		"bad_request ":         func(e *carrier.Extension) { e.Ref = strings.Repeat("x", 51) },
		"bad_request, package": func(e *carrier.Extension) { e.Package = "" },
		"bad_request, days":    func(e *carrier.Extension) { e.Days = 366 },
		"bad_request, past":    func(e *carrier.Extension) { e.Days = -1 },
	} {
		e := order
		change(&e)
		want, _, _ = strings.Cut(strings.TrimSpace(want), ",")
		_, err := a.Extend(t.Context(), e)
		if got := kind(t, err); got != want {
			t.Errorf("Extend: %q, want %q", got, want)
		}
		_, err = a.Prepare(t.Context(), e)
		if got := kind(t, err); got != want {
			t.Errorf("Prepare: %q, want %q", got, want)
		}
	}
	if len(o.asked) > 0 {
		t.Errorf("asked %q", o.asked)
	}
}

// end is of the receipts below.
var end = time.Date(2026, 9, 7, 17, 1, 37, 0, time.UTC)

// before is a snapshot of such a line.
func before(active bool, dataType string) carrier.Snapshot {
	s, _ := json.Marshal(picture{TranNo: tranNo, Active: active, DataType: dataType, TakenAt: noon})
	return s
}

var full = carrier.Receipt{Ref: "26032702180013", EndsAt: end, Total: 7 * gigabyte}

// receipts: the published answer, and the other shapes it comes in.
var receipts = []struct {
	name     string
	snapshot carrier.Snapshot
	obj      string
	want     carrier.Receipt
}{
	{
		"as published", before(true, "1"),
		`{"transactionId":"ord_01","iccid":"89852246280001113119","expiredTime":"2026-09-07T17:01:37+0000","totalVolume":7516192768,"totalDuration":49,"orderUsage":6841270782,"topUpEsimTranNo":"26032702180013"}`,
		full,
	},
	{
		"strings as numbers and numbers as strings", before(true, "1"),
		`{"iccid":89852246280001113119,"expiredTime":"2026-09-07T17:01:37Z","totalVolume":"7516192768","topUpEsimTranNo":26032702180013}`,
		full,
	},
	{
		"the oldest form of a time", before(true, ""),
		`{"expiredTime":"2026-09-07 17:01:37 UTC","totalVolume":7516192768,"topUpEsimTranNo":"26032702180013"}`,
		full,
	},
	{
		"a time of type Long", before(true, ""),
		`{"expiredTime":1788800497000,"totalVolume":7516192768,"topUpEsimTranNo":"26032702180013"}`,
		full,
	},
	{
		"no reference of theirs", before(true, "1"),
		`{"expiredTime":"2026-09-07T17:01:37.000Z","totalVolume":7516192768}`,
		carrier.Receipt{Ref: "ord_01", EndsAt: end, Total: 7 * gigabyte},
	},
	{
		"a reference of theirs in the place of ours, with our card", before(true, "1"),
		`{"transactionId":"T1","iccid":"89852246280001113119F","expiredTime":"2026-09-07T17:01:37.000Z","totalVolume":7516192768}`,
		carrier.Receipt{Ref: "ord_01", EndsAt: end, Total: 7 * gigabyte},
	},
	{
		"a line not yet active has no end", before(false, "1"),
		`{"expiredTime":"2026-09-07T17:01:37+0000","totalVolume":7516192768}`,
		carrier.Receipt{Ref: "ord_01", Total: 7 * gigabyte},
	},
	{
		"the volume of a day pass says nothing", before(true, "2"),
		`{"expiredTime":"2026-09-07T17:01:37+0000","totalVolume":7516192768}`,
		carrier.Receipt{Ref: "ord_01", EndsAt: end},
	},
	{
		"without a snapshot the end is not known to be one", nil,
		`{"expiredTime":"2026-09-07T17:01:37+0000","totalVolume":7516192768}`,
		carrier.Receipt{Ref: "ord_01", Total: 7 * gigabyte},
	},
}

// A yes is read whatever its shape, and says no more than the operator did.
func TestExtendReadsTheReceipt(t *testing.T) {
	for _, tt := range receipts {
		t.Run(tt.name, func(t *testing.T) {
			for _, success := range []string{`true,"errorCode":null`, `"true","errorCode":"0"`, `true,"errorCode":0`} {
				o := &operator{answers: map[string]string{"/esim/topup": `{"success":` + success + `,"obj":` + tt.obj + `}`}}
				e := order
				e.Snapshot = tt.snapshot
				got, err := adapter(o, outboundsim.None).Extend(t.Context(), e)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("receipt (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// The operator has no code for "ended": its "not in this state" means that when
// the end has passed since Prepare.
func TestTooLateIsSaidAsSuch(t *testing.T) {
	for _, tt := range []struct {
		code string
		end  time.Time
		want string
	}{
		{"200002", noon, "line_ended"},
		{"200009", noon.Add(-time.Second), "line_ended"},
		{"200002", noon.Add(time.Second), "operator_refuses"},
		{"200002", time.Time{}, "operator_refuses"},
		{"200007", noon, "no_balance"},
	} {
		e := order
		e.Snapshot, _ = json.Marshal(picture{TranNo: tranNo, ExpiredAt: tt.end, TakenAt: noon.Add(-time.Minute)})
		o := &operator{answers: map[string]string{"/esim/topup": `{"success":false,"errorCode":"` + tt.code + `"}`}}
		_, err := adapter(o, outboundsim.None).Extend(t.Context(), e)
		if got := kind(t, err); got != tt.want {
			t.Errorf("%s with end at %v: %s, want %s", tt.code, tt.end, got, tt.want)
		}
	}
}

// Prepare asks for the line by the operator's own number, with the pager that
// it insists on, and remembers what an extension would change.
func TestPrepareRemembers(t *testing.T) {
	o := &operator{answers: map[string]string{"/esim/query": shown()}}
	got, err := adapter(o, outboundsim.None).Prepare(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"totalVolume":5368709120,"totalDuration":30,"tranNo":"","esimTranNo":"23120118156818",` +
		`"expiredTime":"2026-05-31T00:00:00Z","esimStatus":"IN_USE","active":true,"dataType":"1","packages":{"CKH003":1},"takenAt":"2026-05-04T12:00:00Z"}`
	var g, w map[string]any
	if json.Unmarshal(got, &g) != nil || json.Unmarshal([]byte(want), &w) != nil {
		t.Fatalf("snapshot %s is not JSON", got)
	}
	delete(w, "tranNo")
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
	asked := []string{`POST /esim/query {"esimTranNo":"23120118156818","pager":{"pageNum":1,"pageSize":5}}`}
	if diff := cmp.Diff(asked, o.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// Lines that are new, in use or depleted are fed; no others.
func TestPrepareRefuses(t *testing.T) {
	tests := []struct {
		name   string
		answer string
		want   string
	}{
		{"in use", shown(), ""},
		{"depleted", shown(`"esimStatus":"USED_UP"`), ""},
		{"new", shown(`"esimStatus":"GOT_RESOURCE","activateTime":null`), ""},
		{"card number without quotes", shown(`"iccid":89852246280001113119`), ""},
		{"list without an object around it", `{"success":"true","obj":[{"esimTranNo":"23120118156818","totalVolume":1,"esimStatus":"IN_USE"}]}`, ""},
		{"ended", shown(`"esimStatus":"USED_EXPIRED"`), "line_ended"},
		{"never used, ended", shown(`"esimStatus":"UNUSED_EXPIRED"`), "line_ended"},
		{"ended now, status late", shown(`"expiredTime":"2026-05-04T12:00:00Z"`), "line_ended"},
		{"ends in a second", shown(`"expiredTime":"2026-05-04T12:00:01Z"`), ""},
		{"cancelled", shown(`"esimStatus":"CANCEL"`), "line_terminal"},
		{"revoked", shown(`"esimStatus":"REVOKE"`), "line_terminal"},
		{"revoked, as notifications spell it", shown(`"esimStatus":"REVOKED"`), "line_terminal"},
		{"suspended", shown(`"esimStatus":"SUSPENDED"`), "line_not_active"},
		{"still being made", shown(`"esimStatus":"GETTING_RESOURCE"`), "in_progress"},
		{"still being made, by code", `{"success":false,"errorCode":"200010"}`, "in_progress"},
		{"a new word", shown(`"esimStatus":"ASLEEP"`), "operator_refuses"},
		{"the number of another card", shown(`"iccid":"89852246280001113110"`), "line_unknown"},
		{"no such line", `{"success":true,"obj":{"esimList":[]}}`, "line_unknown"},
		{"no such line, by code", `{"success":false,"errorCode":"310403"}`, "line_unknown"},
		{"other lines", shown(`"esimTranNo":"1"`), "not sent"},
		{"no list", `{"success":true,"obj":{}}`, "not sent"},
		{"nothing", `{"success":true,"obj":null}`, "not sent"},
		{"no totals", shown(`"totalVolume":null,"totalDuration":null`), "not sent"},
		{"an unreadable time", shown(`"expiredTime":"tomorrow"`), "not sent"},
		{"a time out of reach", shown(`"expiredTime":"9999-12-31T23:59:59-1000"`), "not sent"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &operator{answers: map[string]string{"/esim/query": tt.answer}}
			s, err := adapter(o, outboundsim.None).Prepare(t.Context(), order)
			if got := kind(t, err); got != tt.want {
				t.Errorf("Prepare: %q (%v), want %q", got, err, tt.want)
			}
			if (err == nil) != (len(s) > 0) {
				t.Errorf("snapshot %q with error %v", s, err)
			}
		})
	}
}

// Cancelling takes back a whole eSIM; so only one that is not installed and
// carries nothing else.
func TestCancel(t *testing.T) {
	const fresh = `"esimStatus":"GOT_RESOURCE","smdpStatus":"RELEASED","activateTime":null`
	tests := []struct {
		name   string
		line   string
		answer string
		want   string
		asks   bool
	}{
		{"not installed", shown(fresh), `{"success":true,"errorCode":"0","obj":{}}`, "", true},
		{"installed meanwhile", shown(fresh), `{"success":false,"errorCode":"200002"}`, "operator_refuses", true},
		{"no answer", shown(fresh), ``, "unknown", true},
		{"installed", shown(`"smdpStatus":"INSTALLATION","esimStatus":"GOT_RESOURCE"`), "", "operator_refuses", false},
		{"in use", shown(), "", "operator_refuses", false},
		{"carries more", shown(fresh, `"packageList":[{"packageCode":"CKH003"},{"packageCode":"TOPUP_CKH003"}]`), "", "operator_refuses", false},
		{"carries another", shown(fresh, `"packageList":[{"packageCode":"CKH004"}]`), "", "operator_refuses", false},
		{"does not say what it carries", shown(fresh, `"packageList":null`), "", "operator_refuses", false},
		{"the line cannot be seen", ``, "", "not sent", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &operator{answers: map[string]string{"/esim/query": tt.line, "/esim/cancel": tt.answer}}
			err := adapter(o, outboundsim.None).Cancel(t.Context(), order)
			if got := kind(t, err); got != tt.want {
				t.Errorf("Cancel: %q (%v), want %q", got, err, tt.want)
			}
			if asked := o.asked[len(o.asked)-1] == `POST /esim/cancel {"esimTranNo":"23120118156818"}`; asked != tt.asks {
				t.Errorf("asked %q", o.asked)
			}
		})
	}
}

func TestBalance(t *testing.T) {
	for body, want := range map[string]carrier.Cost{
		`{"balance":940000}`:                       {Units: 940000, Scale: 10000, Currency: "USD"},
		`{"balance":"0","lastUpdateTime":"today"}`: {Units: 0, Scale: 10000, Currency: "USD"},
	} {
		o := &operator{answers: map[string]string{"/balance/query": `{"success":true,"errorCode":"0","obj":` + body + `}`}}
		got, err := adapter(o, outboundsim.None).Balance(t.Context())
		if err != nil || got != want {
			t.Errorf("Balance of %s = %+v, %v; want %+v", body, got, err, want)
		}
	}
	o := &operator{answers: map[string]string{"/balance/query": `{"success":true,"obj":{}}`}}
	if _, err := adapter(o, outboundsim.None).Balance(t.Context()); kind(t, err) != "not sent" {
		t.Errorf("no balance: %v, want not sent", err)
	}
}
