package esimgo

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

const (
	testKey = "test_api_key"
	card    = "8943108165015003887" // of the document's examples
	bundle  = "esim_1GB_7D_GB_V2"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// script answers each request with what is written down for it, by method and path
// below the version; it keeps what it was sent.
type script struct {
	mu      sync.Mutex
	answers map[string]string // "GET esims/…": a body, or a status and a body
	header  http.Header
	sent    []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	what := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/v2.4/")
	var q orderQuestion
	if json.Unmarshal(body, &q) == nil && q.Type != "" {
		what += " " + q.Type
	}
	s.sent = append(s.sent, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), "/v2.4/")+" "+string(body))
	for name, values := range s.header {
		w.Header()[name] = values
	}
	answer, ok := s.answers[what]
	if !ok {
		answer = "404 " + `{"message":"no such thing"}`
	}
	status := http.StatusOK
	if len(answer) > 4 && answer[3] == ' ' {
		switch answer[:3] {
		case "400", "401", "403", "404", "409", "429", "500", "502", "503", "302":
			status = int(answer[0]-'0')*100 + int(answer[1]-'0')*10 + int(answer[2]-'0')
			answer = answer[4:]
		}
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer) // into a recorder
}

func (s *script) adapter() *Adapter {
	return New(Config{APIKey: testKey}, outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: s}}), noonNow)
}

func answering(pairs ...string) *script {
	s := &script{answers: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		s.answers[pairs[i]] = pairs[i+1]
	}
	return s
}

const (
	fits    = "GET esims/" + card + "/compatible/" + bundle
	try     = "POST orders validate"
	buy     = "POST orders transaction"
	bundles = "GET esims/" + card + "/bundles"
	orders  = "GET orders"
	good    = `{"order":[{"type":"bundle","item":"` + bundle + `","quantity":1,"esims":[{"iccid":"` + card + `"}]}],"total":4.5,"currency":"USD","status":"completed","statusMessage":"Order completed","orderReference":"3a6e2e40-c674-45e9-b289-b35027bf72a9","createdDate":"2026-05-04T12:00:00Z","assigned":true}`
)

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

// What goes over the wire, to the letter: an existing eSIM is named, and the
// operator is told never to take another.
func TestOrderIsWritten(t *testing.T) {
	s := answering(fits, `{"compatible":true}`, try, `{"valid":true,"total":4.5,"currency":"USD"}`, bundles, `{"bundles":[]}`, buy, good)
	a := s.adapter()
	e := extension()
	var err error
	if e.Snapshot, err = a.Prepare(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	r, err := a.Extend(t.Context(), e)
	if err != nil || r.Ref != "3a6e2e40-c674-45e9-b289-b35027bf72a9" {
		t.Fatalf("%+v, %v", r, err)
	}
	order := `"assign":true,"order":[{"type":"bundle","item":"` + bundle + `","quantity":1,"iccids":["` + card + `"],"allowReassign":false}]}`
	want := []string{
		fits + " ",
		`POST orders {"type":"validate",` + order,
		"GET esims/" + card + "/bundles?includeUsed=true&limit=200 ",
		`POST orders {"type":"transaction",` + order,
	}
	if diff := cmp.Diff(want, s.sent); diff != "" {
		t.Error(diff)
	}
}

// Every way to answer an order is one of done, a reason, unknown or not sent.
func TestAnswersToAnOrder(t *testing.T) {
	long := `{"message":"` + strings.Repeat("x", outbound.MaxBody) + `"}`
	for name, tt := range map[string]struct{ answer, want string }{
		"completed":              {good, "done"},
		"no status":              {strings.Replace(good, `"status":"completed",`, "", 1), "done"},
		"still processing":       {strings.Replace(good, "completed", "processing", 1), "unknown"},
		"not assigned":           {strings.Replace(good, `"assigned":true`, `"assigned":false`, 1), "unknown"},
		"on another eSIM":        {strings.Replace(good, card, "8943108165015003895", 1), "unknown"},
		"another bundle":         {strings.Replace(good, bundle, "esim_1GB_7D_FR_V2", 1), "unknown"},
		"without a reference":    {strings.Replace(good, "orderReference", "x", 1), "unknown"},
		"empty":                  {`{}`, "unknown"},
		"null":                   {`null`, "unknown"},
		"cut":                    {good[:len(good)/2], "unknown"},
		"a page":                 {"<html>ok</html>", "unknown"},
		"giant":                  {long, "unknown"},
		"no money":               {`400 {"message":"Insufficient balance"}`, "no_balance"},
		"not compatible":         {`400 {"message":"eSIM is not compatible with bundle"}`, "package_gone"},
		"no such bundle":         {`400 {"message":"Invalid bundle"}`, "package_gone"},
		"not our eSIM":           {`403 {"message":"ICCID not accessible"}`, "line_unknown"},
		"no reason":              {`400 {"message":"computer says no"}`, "operator_refuses"},
		"key not taken":          {`401 {"message":"unauthorized"}`, "unauthorised"},
		"a proxy's 403":          {"403 <html>forbidden</html>", "unknown"},
		"a proxy's 400":          {"400 <html>bad</html>", "unknown"},
		"not documented":         {`409 {"message":"conflict"}`, "unknown"},
		"no such address":        {`404 {"message":"not found"}`, "unknown"},
		"too many":               {`429 {"message":"Rate limit exceeded"}`, "not sent"},
		"processing, come later": {`503 {"message":"processing"}`, "unknown"},
		"server error":           {`500 {"message":"error"}`, "unknown"},
		"sent elsewhere":         {`302 {}`, "unknown"},
	} {
		_, err := answering(buy, tt.answer).adapter().Extend(t.Context(), extension())
		if got := kindOf(err); got != tt.want {
			t.Errorf("%s: %s (%.300v), want %s", name, got, err, tt.want)
		}
	}
}

// Whatever makes an order impossible is told before it is placed.
func TestPrepareRefuses(t *testing.T) {
	const money = `{"balance":100.5,"currency":"USD"}`
	for name, tt := range map[string]struct {
		change [2]string
		want   string
	}{
		"fits":              {[2]string{}, "done"},
		"does not fit":      {[2]string{fits, `{"compatible":false}`}, "package_gone"},
		"says nothing":      {[2]string{fits, `{}`}, "not sent"},
		"no such bundle":    {[2]string{fits, `400 {"message":"bundle not found"}`}, "package_gone"},
		"would be refused":  {[2]string{try, `{"valid":false,"statusMessage":"Insufficient funds"}`}, "no_balance"},
		"is refused":        {[2]string{try, `400 {"message":"balance too low"}`}, "no_balance"},
		"cannot be tried":   {[2]string{try, `503 {"message":"later"}`}, "not sent"},
		"no such eSIM":      {[2]string{bundles, `400 {"message":"not found"}`}, "line_unknown"},
		"not our eSIM":      {[2]string{bundles, `403 {"message":"forbidden"}`}, "line_unknown"},
		"processing":        {[2]string{bundles, `503 {"message":"processing"}`}, "not sent"},
		"an odd row":        {[2]string{bundles, `{"bundles":[{"name":"x","assignments":[{}]}]}`}, "not sent"},
		"a proxy's refusal": {[2]string{bundles, `403 <html>`}, "not sent"},
	} {
		s := answering(fits, `{"compatible":true}`, try, `{"valid":true}`, bundles, `{"bundles":[]}`, "GET organisation", money)
		s.answers[tt.change[0]] = tt.change[1]
		_, err := s.adapter().Prepare(t.Context(), extension())
		if got := kindOf(err); got != tt.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, tt.want)
		}
	}
	// A 403 is the key's where the key opens nothing else either.
	s := answering(fits, `403 {"message":"forbidden"}`, "GET organisation", `403 {"message":"access denied"}`)
	if _, err := s.adapter().Prepare(t.Context(), extension()); kindOf(err) != "unauthorised" {
		t.Errorf("a key that is not taken: %v", err)
	}
}

// Neither the key nor a whole ICCID is told by any error, whatever was answered.
func TestErrorsTellNoSecret(t *testing.T) {
	for _, answer := range []string{"302 x", "400 ", "401 ", "403 ", "404 ", "500 ", "503 ", ""} {
		body := `{"message":"key ` + testKey + ` of ` + card + `","status":"` + testKey + card + `","statusMessage":"` + card + `","orderReference":"r1"}`
		s := answering(fits, answer+body, try, answer+body, buy, answer+body, bundles, answer+body, orders, answer+body, "GET organisation", answer+body, "GET catalogue", answer+body)
		a := s.adapter()
		e := extension()
		_, one := a.Prepare(t.Context(), e)
		_, two := a.Extend(t.Context(), e)
		_, three := a.Status(t.Context(), e.Profile)
		_, four := a.Packages(t.Context(), e.Profile)
		_, five := a.Issue(t.Context(), carrier.Purchase{Ref: "ord_1", Package: bundle})
		for _, err := range []error{one, two, three, four, five} {
			if err != nil && (strings.Contains(err.Error(), testKey) || strings.Contains(err.Error(), card)) {
				t.Errorf("%q: %v", answer, err)
			}
		}
	}
}

// The operator's wish to be left alone is kept as far as it is longer than the
// client's own pace, and no longer than a minute.
func TestGate(t *testing.T) {
	now := noon
	for name, tt := range map[string]struct {
		status int
		header http.Header
		until  time.Duration
	}{
		"nothing said":    {200, http.Header{}, 0},
		"one second":      {429, http.Header{"Retry-After": {"1"}}, 0},
		"seven seconds":   {429, http.Header{"Retry-After": {"7"}}, 7 * time.Second},
		"a day":           {429, http.Header{"Retry-After": {"86400"}}, time.Minute},
		"nonsense":        {429, http.Header{"Retry-After": {"-5"}}, 0},
		"processing":      {503, http.Header{"Retry-After": {"30"}}, 0}, // of this request, not of all
		"some left":       {200, http.Header{"X-Ratelimit-Remaining": {"3"}, "X-Ratelimit-Reset": {"2026-05-04T12:00:09Z"}}, 0},
		"none left":       {200, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"2026-05-04T12:00:09Z"}}, 9 * time.Second},
		"none left, past": {200, http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"2026-05-04T11:00:09Z"}}, 0},
	} {
		var g gate
		g.heed(now, outbound.Answer{Status: tt.status, Header: tt.header})
		if g.shut(now) != (tt.until > 0) || g.shut(now.Add(tt.until)) || tt.until > 0 && !g.shut(now.Add(tt.until-1)) {
			t.Errorf("%s: shut %t until %v", name, g.shut(now), g.until)
		}
	}
	s := answering(bundles, `429 {"message":"Rate limit exceeded"}`)
	s.header = http.Header{"Retry-After": {"7"}}
	a := s.adapter()
	for range 3 {
		if _, err := a.Status(t.Context(), extension().Profile); kindOf(err) != "not sent" {
			t.Error(err)
		}
	}
	if len(s.sent) != 1 {
		t.Errorf("asked %d times while shut", len(s.sent)-1)
	}
}

// A real server that speaks half and hangs up is silence, too.
func TestCutConnection(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, good[:20]) // the rest never comes
	}))
	defer server.Close()
	a := New(Config{APIKey: testKey, BaseURL: server.URL}, outbound.New(outbound.Options{}), noonNow)
	if _, err := a.Extend(t.Context(), extension()); kindOf(err) != "unknown" {
		t.Errorf("Extend: %v", err)
	}
	if _, err := a.Status(t.Context(), extension().Profile); kindOf(err) != "not sent" {
		t.Errorf("Status: %v", err)
	}
}

func noonNow() time.Time { return noon }
