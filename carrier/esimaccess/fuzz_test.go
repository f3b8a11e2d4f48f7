package esimaccess

import (
	"encoding/json"
	"testing"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// Whatever the operator answers to a top-up, it is a receipt that can be compared,
// a refusal or silence, and never two of them; a look at the line afterwards is a
// finding or silence.
func FuzzExtendAnswer(f *testing.F) {
	for _, r := range receipts {
		f.Add(200, `{"success":true,"errorCode":"0","obj":`+r.obj+`}`, true)
	}
	f.Add(200, `{"success":false,"errorCode":"200002","errorMsg":"no"}`, false)
	f.Add(401, `no`, false)
	f.Add(200, `{"success":true,"errorCode":"0","obj":{"totalVolume":-1}}`, true)
	f.Fuzz(func(t *testing.T, status int, body string, active bool) {
		if status < 200 || status > 599 || status/100 == 3 || status == 204 {
			return
		}
		o := &operator{status: status, answers: map[string]string{"/esim/topup": body, "/esim/query": body, "/package/list": body, "/esim/cancel": body}}
		a, e := adapter(o, outboundsim.None), order
		e.Snapshot = before(active, "1")
		r, err := a.Extend(t.Context(), e)
		if kind(t, err) != "" && r != (carrier.Receipt{}) { // kind fails for an error of two kinds
			t.Errorf("a receipt %+v with %v", r, err)
		}
		if err == nil && (r.Ref == "" || r.Total < 0 || !active && !r.EndsAt.IsZero()) {
			t.Errorf("receipt %+v", r)
		}
		reading, err := a.LookUp(t.Context(), e)
		if kind(t, err); err == nil && (reading.Found == "" || reading.AsOf.IsZero()) {
			t.Errorf("reading %+v", reading)
		}
		if s, err := a.Prepare(t.Context(), e); err == nil && !json.Valid(s) {
			t.Errorf("snapshot %q", s)
		}
		kind(t, a.Cancel(t.Context(), e))
	})
}
