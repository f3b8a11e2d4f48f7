package cmi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

const (
	appKey    = "1cd6a5f869d64bd29a5fc30f36138593" // of the document's examples
	appSecret = "testsecret"
	card      = "89852342022006915895"
	bundle    = "D2403071535388188171"
	pack      = refuelPrefix + "R2402221642265481584"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func noonNow() time.Time { return noon }

// script answers each call by what is written down for it; a call that has a list is
// answered with its next entry, the last for ever. It keeps what it was asked.
type script struct {
	mu      sync.Mutex
	answers map[string][]string // by the call's name: a body, or a status and a body
	asked   []string            // names
	bodies  []map[string]any
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/aep/"), "/v1")
	var q map[string]any
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	if _, ok := q["thirdOrderId"]; ok && name == quotaCall {
		name += " by number"
	}
	s.asked, s.bodies = append(s.asked, name), append(s.bodies, q)
	list := s.answers[name]
	if len(list) == 0 {
		list = []string{`{"code":"1000039","description":"no such thing"}`}
	}
	answer := list[0]
	if len(list) > 1 {
		s.answers[name] = list[1:]
	}
	status := http.StatusOK
	if n, err := fmt.Sscanf(answer, "%3d ", &status); n == 1 && err == nil && answer[3] == ' ' {
		answer = answer[4:]
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer) // into a recorder
}

func (s *script) adapter() *Adapter {
	return New(Config{AppKey: appKey, AppSecret: appSecret, BaseURL: "https://gds.example:39043"},
		outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: s}}), noonNow, func() string { return "d36e316282959a9ed4c89851497a717f" })
}

const (
	tokenCall = "APP_getAccessToken_SBO"
	orderCall = "APP_createOrder_SBO"
	listCall  = "APP_getSubedUserDataBundle_SBO"
	quotaCall = "APP_getSubscriberAllQuota_SBO"
	undoCall  = "SBO_channel_unsubscribe"
	shopCall  = "app_getDataBundle_SBO"

	goodToken = `{"code":"0000000","description":"Success","accessToken":"token-0123456789","expireTime":"20260504121000"}`
	goodOrder = `{"code":"0000000","description":"Success","orderID":"212454265645","totalAmount":450,"quantity":1,"price":"450","currency":"USD"}`
	none      = `{"code":"0000000","userDataBundles":[]}`
)

func answering(pairs ...string) *script {
	s := &script{answers: map[string][]string{tokenCall: {goodToken}}}
	for i := 0; i < len(pairs); i += 2 {
		s.answers[pairs[i]] = append(s.answers[pairs[i]], pairs[i+1])
	}
	return s
}

func extension() carrier.Extension {
	return carrier.Extension{Ref: "ord_1", Profile: carrier.Profile{ICCID: card}, Package: bundle}
}

func kindOf(err error) string {
	if r, ok := errors.AsType[*carrier.Refusal](err); ok {
		return string(r.Reason)
	}
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, carrier.ErrUnknown) && !errors.Is(err, carrier.ErrNotSent):
		return "unknown"
	case errors.Is(err, carrier.ErrNotSent) && !errors.Is(err, carrier.ErrUnknown):
		return "not sent"
	}
	return "several kinds"
}

// The published vector of the digest.
func TestDigestVector(t *testing.T) {
	if got := digest("d36e316282959a9ed4c89851497a717f", "2003-12-15T14:43:07Z", "testsecret"); got != "lsDjRpymqjJu7/ORjZHpjRQ9/MRGsEThD0PiDTOoTP8=" {
		t.Error(got)
	}
}

// What we sign is what we would believe.
func TestSignIsVerified(t *testing.T) {
	a := answering().adapter()
	h := http.Header{}
	a.sign(h)
	want := `UsernameToken Username="` + appKey + `",PasswordDigest="` + digest("d36e316282959a9ed4c89851497a717f", "2026-05-04T12:00:00Z", appSecret) +
		`",Nonce="d36e316282959a9ed4c89851497a717f",Created="2026-05-04T12:00:00Z"`
	if got := h.Get("X-WSSE"); got != want || h.Get("Authorization") != `WSSE realm="SDP", profile="UsernameToken", type="Appkey"` {
		t.Errorf("%s\n%s", got, h.Get("Authorization"))
	}
	if !a.signed(h) || !a.signed(http.Header{"X-Wsse": {strings.ReplaceAll(want, ",", ", ")}}) {
		t.Error("not believed")
	}
	for name, header := range map[string]string{
		"none": "", "another user": strings.Replace(want, appKey, "bob", 1), "another time": strings.Replace(want, "12:00:00", "12:00:01", 1),
		"another nonce": strings.Replace(want, `Nonce="d`, `Nonce="e`, 1), "no time": strings.Replace(want, "Created", "Creates", 1),
		"no digest": strings.Replace(want, "PasswordDigest", "x", 1), "words": "UsernameToken", "another scheme": strings.Replace(want, "UsernameToken", "Digest", 1),
		"no nonce": `UsernameToken Username="` + appKey + `",PasswordDigest="` + digest("", "2026-05-04T12:00:00Z", appSecret) + `",Nonce="",Created="2026-05-04T12:00:00Z"`,
	} {
		if a.signed(http.Header{"X-WSSE": {header}}) {
			t.Errorf("%s is believed", name)
		}
	}
	a.config.AppSecret = ""
	if a.signed(http.Header{"X-WSSE": {want}}) {
		t.Error("believed without a secret")
	}
}

func (s *script) of(t *testing.T, name string) map[string]any {
	t.Helper()
	for i := len(s.asked) - 1; i >= 0; i-- {
		if s.asked[i] == name {
			return s.bodies[i]
		}
	}
	t.Fatalf("%s was not asked: %q", name, s.asked)
	return nil
}

// What goes over the wire for a package and for a refuelling: "1" is the package.
func TestOrderIsWritten(t *testing.T) {
	running := `{"code":"0000000","userDataBundles":[{"dataBundleId":"` + bundle + `","status":3,"orderID":"1","subscriptionKey":"k1","remainderDays":3,"isSupportFuelpack":"1"}]}`
	quota := `{"code":"0000000","subscriberQuota":{"qtavalue":"300.00","qtabalance":"0.00","qtaconsumption":"300.00","type":"2","refuelingTotal":"0.00","qtaconsumptionTotal":"325.11"}}`
	for code, want := range map[string]map[string]any{
		bundle: {"is_Refuel": "1", "dataBundleId": bundle, "quantity": 1.0},
		pack:   {"is_Refuel": "0", "dataBundleId": bundle, "refuelingId": "R2402221642265481584", "quantity": 3.0},
	} {
		s := answering(listCall, running, quotaCall, quota, orderCall, strings.Replace(goodOrder, `"quantity":1,`, "", 1))
		a := s.adapter()
		e := extension()
		e.Package = code
		if code == pack {
			e.Days = 3
		}
		var err error
		if e.Snapshot, err = a.Prepare(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		r, err := a.Extend(t.Context(), e)
		if err != nil || r.Ref != "212454265645" {
			t.Fatalf("%+v, %v", r, err)
		}
		got := s.of(t, orderCall)
		maps.Copy(want, map[string]any{
			"accessToken": "token-0123456789", "thirdOrderId": "ord_1", "transactionCode": transaction("ord_1"), "includeCard": 0.0, "ICCID": card,
		})
		if !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if n := len(transaction(strings.Repeat("x", 40))); n != 32 || transaction("a") == transaction("b") {
		t.Errorf("a transaction code of %d", n)
	}
}

// Every way to answer an order is one of done, a reason, unknown or not sent; every
// code of the document is in it.
func TestAnswersToAnOrder(t *testing.T) {
	code := func(c string) string { return `{"code":"` + c + `","description":"in the operator's words"}` }
	want := map[string]string{
		goodOrder: "done", `{"code":0,"orderID":12}`: "done",
		strings.Replace(goodOrder, "orderID", "x", 1):                 "unknown",
		strings.Replace(goodOrder, `"quantity":1`, `"quantity":2`, 1): "unknown",
		goodOrder[:len(goodOrder)/2]:                                  "unknown",
		"{}":                                                          "unknown", "null": "unknown", "[]": "unknown", "<html>ok</html>": "unknown",
		"500 " + goodOrder: "unknown", "302 {}": "unknown", "401 <html>": "unknown", "404 nothing": "unknown", "400 {}": "unknown",
		"429 ": "not sent", code("9000004"): "not sent", code("1000008"): "unauthorised", code("1000009"): "unauthorised", // of a token that is new
		"401 " + code("1000001"): "unauthorised", "500 " + code("1000103"): "unknown", "400 " + code("1000005"): "bad_request",
		code(""): "unknown", code("1"): "unknown", code("1000"): "unknown", code("7777777"): "unknown", code("000 1000"): "unknown",
	}
	for reason, all := range codes {
		for _, c := range strings.Fields(all) {
			want[code(c)] = string(reason)
		}
	}
	for _, c := range strings.Fields("1000154 1000162 1000176 9000001 9000002 9000003 9999999 1000024 1000025 1000052 2000000 2000006") {
		want[code(c)] = "unknown"
	}
	for answer, kind := range want {
		_, err := answering(orderCall, answer).adapter().Extend(t.Context(), extension())
		if got := kindOf(err); got != kind {
			t.Errorf("%s: %s (%v), want %s", answer, got, err, kind)
		}
	}
	for _, one := range []struct{ code, want string }{{"1000103", "no_balance"}, {"1000056", "line_ended"}, {"1000013", "line_unknown"}, {"1000094", "line_not_active"}, {"1000095", "bad_request"}} {
		if got := want[code(one.code)]; got != one.want {
			t.Errorf("%s is %s, want %s", one.code, got, one.want)
		}
	}
}

// Neither key, secret, token nor a whole ICCID is told by any error.
func TestErrorsTellNoSecret(t *testing.T) {
	for _, status := range []string{"", "302 ", "400 ", "401 ", "500 "} {
		for _, code := range []string{"1000039", "1000013", "7777777", card} {
			words := `{"code":"` + code + `","description":"` + strings.Join([]string{appKey, appSecret, "token-0123456789", card}, " ") + `"}`
			s := answering(orderCall, status+words, listCall, status+words, quotaCall, status+words, shopCall, status+words)
			a := s.adapter()
			e := extension()
			_, one := a.Prepare(t.Context(), e)
			_, two := a.Extend(t.Context(), e)
			_, three := a.Status(t.Context(), e.Profile)
			_, four := a.Packages(t.Context(), e.Profile)
			for _, err := range []error{one, two, three, four} {
				if err == nil {
					t.Fatal("no error")
				}
				for _, secret := range []string{appKey, appSecret, "token-0123456789", card} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("%v tells %s", err, secret)
					}
				}
			}
		}
	}
}

// A token is asked for once, used until a minute before its end, and replaced once
// where it is refused: a reading goes on, an order is told that it was not sent.
func TestTokens(t *testing.T) {
	now := noon
	s := answering(listCall, none)
	a := s.adapter()
	a.now = func() time.Time { return now }
	count := func(name string) (n int) {
		for _, asked := range s.asked {
			if asked == name {
				n++
			}
		}
		return n
	}
	look := func() error { _, err := a.Status(t.Context(), extension().Profile); return err }
	for range 3 {
		if err := look(); err != nil || count(tokenCall) != 1 {
			t.Fatal(err, s.asked)
		}
	}
	now = noon.Add(9 * time.Minute)
	if err := look(); err != nil || count(tokenCall) != 2 {
		t.Error(err, s.asked)
	}
	s.answers[listCall] = []string{`{"code":"1000008"}`, none}
	if err := look(); err != nil || count(tokenCall) != 3 {
		t.Errorf("a reading whose token is refused: %v, %q", err, s.asked)
	}
	s.answers[orderCall] = []string{`{"code":"1000009"}`, goodOrder}
	if _, err := a.Extend(t.Context(), extension()); kindOf(err) != "not sent" || count(orderCall) != 1 {
		t.Errorf("an order whose token is refused: %v, %q", err, s.asked)
	}
	if _, err := a.Extend(t.Context(), extension()); err != nil {
		t.Errorf("the order, again: %v", err)
	}
	s.answers[listCall] = []string{`{"code":"1000008"}`}
	if err := look(); kindOf(err) != "unauthorised" {
		t.Errorf("tokens that are never taken: %v", err)
	}
	for answer, want := range map[string]string{
		`{"code":"1000001"}`: "unauthorised", `{"code":"0000000"}`: "not sent", "503 ": "not sent", `{"code":"9000004"}`: "not sent", `{"code":"1000008"}`: "not sent",
	} {
		if _, err := answering(tokenCall, "x").with(tokenCall, answer).Extend(t.Context(), extension()); kindOf(err) != want {
			t.Errorf("a token answered by %s: %v, want %s", answer, err, want)
		}
	}
}

func (s *script) with(name string, answers ...string) *Adapter {
	s.answers[name] = answers
	return s.adapter()
}
