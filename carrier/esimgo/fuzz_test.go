package esimgo

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// Whatever the operator answers: an error is of one kind and tells no secret, a
// receipt has a reference, a reading an age, and figures are not negative.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		good, published, `{"orders":[` + good + `]}`, `[` + good + `]`, labelled("ord_1"), `{"message":"no ` + card + `"}`, `{"compatible":true,"bundles":null}`, `null`, `[]`,
		`{"balance":1.5,"currency":"USD","bundles":[{"name":"a","price":1,"duration":1,"dataAmount":1}]}`,
	} {
		f.Add(200, body)
	}
	f.Add(400, `{"message":"Insufficient balance"}`)
	f.Add(503, `{"message":"processing"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		stranger := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body)) // into a recorder
		})
		a := New(Config{APIKey: testKey}, outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: stranger}}), noonNow)
		e := extension()
		e.Snapshot = carrier.Snapshot(`{"rows":[],"takenAt":"2026-05-04T12:00:00Z"}`)
		check := func(err error) bool {
			kinds := 0
			if _, ok := errors.AsType[*carrier.Refusal](err); ok {
				kinds++
			}
			for _, kind := range []error{carrier.ErrUnknown, carrier.ErrNotSent} {
				if errors.Is(err, kind) {
					kinds++
				}
			}
			if err != nil && (kinds != 1 || strings.Contains(err.Error(), testKey) || strings.Contains(err.Error(), card)) {
				t.Errorf("%d kinds: %v", kinds, err)
			}
			return err == nil
		}
		_, err := a.Prepare(t.Context(), e)
		check(err)
		if r, err := a.Extend(t.Context(), e); check(err) && r.Ref == "" {
			t.Errorf("receipt %+v", r)
		}
		if r, err := a.LookUp(t.Context(), e); check(err) && (r.AsOf.IsZero() || r.Found == "" || (r.Found == carrier.FoundDone) != (r.Receipt.Ref != "")) {
			t.Errorf("reading %+v", r)
		}
		if s, err := a.Status(t.Context(), e.Profile); check(err) && (s.State == "" || s.Total < 0 || s.Used < 0 || s.AsOf.IsZero() || !s.EndsAt.IsZero() && !s.EndsAt.After(s.StartsAt)) {
			t.Errorf("status %+v", s)
		}
		if list, err := a.Packages(t.Context(), e.Profile); check(err) {
			for _, p := range list {
				if p.Code == "" || p.Bytes < 0 || p.Days < 0 || p.Cost.Units < 0 {
					t.Errorf("package %+v", p)
				}
			}
		}
		_, err = a.Balance(t.Context())
		check(err)
		check(a.Cancel(t.Context(), e))
		p := carrier.Purchase{Ref: "ord_1", Package: bundle, AskedAt: noon}
		if i, err := a.Issue(t.Context(), p); check(err) && (i.Ref == "" || i.Made() && !strings.HasPrefix(i.Code, "LPA:1$")) {
			t.Errorf("issued %+v", i)
		}
		for _, p.Theirs = range []string{"", "3a6e2e40-c674-45e9-b289-b35027bf72a9"} {
			if r, err := a.LookUpIssue(t.Context(), p); check(err) && (r.Found == "" || (r.Found == carrier.FoundDone) != r.Issued.Made()) {
				t.Errorf("reading %+v", r)
			}
		}
	})
}

// Whoever can reach the address can send anything; what bears our signature is
// read, and recognised when it comes again.
func FuzzNotification(f *testing.F) {
	f.Add(`{"iccid":"8943108165015003887","alertType":"Utilisation"}`)
	f.Add(`{"alertType":"FirstUse","iccid":8944538532008160000,"bundle":{"id":"215009266","initialQuantity":1000000000}}`)
	f.Add(`{"alertType":{},"iccid":[]}`)
	f.Fuzz(func(t *testing.T, body string) {
		a := New(Config{APIKey: testKey}, nil, noonNow)
		if _, err := a.Notification(http.Header{signatureHeader: {body}}, []byte(body)); kindOf(err) != "unauthorised" && len(body) <= notificationMax {
			t.Errorf("unsigned: %v", err)
		}
		h := http.Header{}
		h.Set(signatureHeader, signatureOf(testKey, body))
		bell, err := a.Notification(h, []byte(body))
		again, _ := a.Notification(h, []byte(body))
		if bell != again || err == nil && (bell.EventID == "" || bell.Kind == "") || err != nil && kindOf(err) != "bad_request" {
			t.Errorf("%+v, then %+v, %v", bell, again, err)
		}
		if c := bell.Profile.ICCID; c != "" && (len(c) < 18 || strings.Trim(c, "0123456789") != "") {
			t.Errorf("rings for %q", c)
		}
	})
}
