package airalo

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tsuzuku/tsuzuku/carrier"
)

func signedHeader(body string) http.Header {
	h := http.Header{}
	h.Set("airalo-signature", sign(clientSecret, []byte(body)))
	return h
}

// Every kind of notification that the operator documents rings the bell of its
// SIM, and says nothing more.
func TestNotification(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want carrier.Doorbell
	}{
		"data low":       {`{"level":"75%","package_name":"3 GB / 30 Days","remaining_percentage":25,"iccid":"` + card + `"}`, carrier.Doorbell{Kind: "low_data", Profile: carrier.Profile{ICCID: card}}},
		"days low":       {`{"level":"3days","package_name":"é","remaining_percentage":null,"iccid":` + card + `}`, carrier.Doorbell{Kind: "low_data", Profile: carrier.Profile{ICCID: card}}},
		"a padded card":  {`{"level":"90%","iccid":"` + card + `F"}`, carrier.Doorbell{Kind: "low_data", Profile: carrier.Profile{ICCID: card}}},
		"no card":        {`{"level":"90%","iccid":"<b>"}`, carrier.Doorbell{Kind: "low_data"}},
		"credit":         {`{"message":"You have used 80% of your credit","remaining":"200.00"}`, carrier.Doorbell{Kind: "credit_limit"}},
		"an order":       {`{"request_id":"3NhR3gKmqCWK7IWppurpDX3Cg","id":9666,"description":"ord_01","sims":[{"iccid":"1"}]}`, carrier.Doorbell{Kind: "async_order", Ref: "ord_01"}},
		"a failed order": {`{"request_id":"3NhR3gKmqCWK7IWppurpDX3Cg","reason":"no","description":"Their Order!"}`, carrier.Doorbell{Kind: "async_order"}},
		"of next year":   {`{"event":"eclipse"}`, carrier.Doorbell{Kind: "other"}},
		"of nothing":     {`{}`, carrier.Doorbell{Kind: "other"}},
	} {
		got, err := open(nil).Notification(signedHeader(tt.body), []byte(tt.body))
		if err != nil || !strings.HasPrefix(got.EventID, "sha256:") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(carrier.Doorbell{}, "EventID")); diff != "" {
			t.Errorf("%s: doorbell (-want +got):\n%s", name, diff)
		}
	}
}

// A repeated notification is the same event; the same words on another day are
// not.
func TestNotificationsAreRecognised(t *testing.T) {
	w := open(nil)
	ring := func(body string) string {
		t.Helper()
		got, err := w.Notification(signedHeader(body), []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return got.EventID
	}
	first := ring(`{"level":"75%","iccid":"1"}`)
	w.now = noon.Add(5 * time.Hour) // they try for as long
	if again := ring(`{"level":"75%","iccid":"1"}`); again != first {
		t.Error("the same, hours later, is another event")
	}
	if other := ring(`{"level":"90%","iccid":"1"}`); other == first {
		t.Error("another level is the same event")
	}
	w.now = noon.AddDate(0, 0, 30)
	if later := ring(`{"level":"75%","iccid":"1"}`); later == first {
		t.Error("the same, next month, is the same event")
	}
}

// Only what is signed is read, over the bytes or over what PHP makes of them.
func TestNotificationIsSigned(t *testing.T) {
	body := `{ "level":"75%", "package_name":"3 GB / 30 Days", "iccid":"` + card + `" }`
	normal, err := phpNormal([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	w := open(nil)
	for name, tt := range map[string]struct {
		signature, body, want string
	}{
		"the bytes":        {sign(clientSecret, []byte(body)), body, ""},
		"as PHP writes it": {sign(clientSecret, normal), body, ""},
		"written anew":     {sign(clientSecret, normal), string(normal), ""},
		"of another body":  {sign(clientSecret, []byte(body)), body + " ", "unauthorised"},
		"of another key":   {sign("other", []byte(body)), body, "unauthorised"},
		"none":             {"", body, "unauthorised"},
		"no JSON":          {sign(clientSecret, []byte("x")), "x", "bad_request"},
		"a list":           {sign(clientSecret, []byte("[]")), "[]", "bad_request"},
		"a list of lists":  {sign(clientSecret, []byte(`{"level":[]}`)), `{"level":[]}`, "bad_request"},
		"too long":         {sign(clientSecret, make([]byte, notificationMax+1)), string(make([]byte, notificationMax+1)), "bad_request"},
	} {
		h := http.Header{}
		h.Set("Airalo-Signature", tt.signature)
		_, err := w.Notification(h, []byte(tt.body))
		if got := kind(t, err); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// Whatever arrives signed is a refusal or a bell whose every word is bounded.
func FuzzNotification(f *testing.F) {
	f.Add([]byte(`{"level":"75%","iccid":"` + card + `"}`))
	f.Add([]byte(`{"request_id":1,"description":"ord_01"}`))
	f.Add([]byte(`{"message":"x","remaining":1.5}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		bell, err := open(nil).Notification(signedHeader(string(body)), body)
		if err != nil {
			if got := kind(t, err); got != "bad_request" {
				t.Fatalf("%q: %v", got, err)
			}
			return
		}
		if len(bell.EventID) != 71 || bell.Kind == "" || len(bell.Kind) > 20 || bell.Profile.ID != "" || len(bell.Ref) > refMax {
			t.Errorf("%+v is out of bounds", bell)
		}
		if c := bell.Profile.ICCID; c != "" && cardNumber(c) != c {
			t.Errorf("%q is not a card's number", c)
		}
	})
}

// Whatever the operator answers, it is a receipt, a refusal or silence, and never
// two of them; a look afterwards is a finding or silence; no secret is told.
func FuzzAnswers(f *testing.F) {
	f.Add(200, topped)
	f.Add(200, list(row(1, "base"), row(2, extendCode)))
	f.Add(200, sold)
	f.Add(422, `{"code":73,"reason":"recycled"}`)
	f.Add(422, `{"data":{"package_id":"x"},"meta":{"message":"y"}}`)
	f.Add(404, notFound)
	f.Add(200, `{"data":{"remaining":767,"total":2048,"expired_at":"2022-01-01 00:00:00","is_unlimited":true,"status":"ACTIVE"}}`)
	f.Add(200, `{"data":{"balances":{"availableBalance":{"amount":1.5,"currency":"USD"}}}}`)
	f.Add(200, `{"data":{"1":{"operators":[{"packages":[]}]}},"meta":{"last_page":1}}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || status == 204 || status == 304 || strings.Contains(body, "-of-the-seller") || strings.Contains(body, bearer) {
			return
		}
		answers := map[string]string{}
		for _, a := range []string{"POST orders/topups", "GET orders", "GET packages", "GET balance", "GET sims/ICCID", "GET sims/ICCID/topups", "GET sims/ICCID/packages", "GET sims/ICCID/usage"} {
			answers[a] = strconv.Itoa(status) + " " + body
		}
		w, e := open(answers), wanted
		e.Snapshot = carrier.Snapshot(`{"rows":["1"],"takenAt":"2026-05-04T12:00:00Z"}`)
		r, err := w.Extend(t.Context(), e)
		if kind(t, err) != "" && r != (carrier.Receipt{}) || err == nil && r.Ref == "" {
			t.Errorf("a receipt %+v with %v", r, err)
		}
		reading, err := w.LookUp(t.Context(), e)
		if kind(t, err) == "unknown" || err == nil && (reading.Found == "" || reading.AsOf.IsZero() || reading.Found == carrier.FoundDone && reading.Receipt.Ref == "") {
			t.Errorf("reading %+v, %v", reading, err)
		}
		s, err := w.Prepare(t.Context(), e)
		kind(t, err)
		if _, unread := readPicture(s); err == nil && unread != nil {
			t.Errorf("snapshot %q: %v", s, unread)
		}
		st, err := w.Status(t.Context(), ours)
		if kind(t, err) == "" && (st.State == "" || st.Used < 0 || st.Total < 0 || st.Unlimited && st.Total != 0) {
			t.Errorf("status %+v", st)
		}
		_, err = w.Packages(t.Context(), ours)
		kind(t, err)
		_, err = w.Packages(t.Context(), carrier.Profile{})
		kind(t, err)
		_, err = w.Balance(t.Context())
		kind(t, err)
	})
}
