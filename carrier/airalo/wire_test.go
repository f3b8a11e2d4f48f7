package airalo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
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
	card         = "8910300000005271146"
	simID        = "11047"
	extendCode   = "bonbon-mobile-30days-3gb-topup"
	clientID     = "client-id-of-the-seller"
	clientSecret = "secret/of<the>séller"
	bearer       = "token-of-today"
)

var (
	noon     = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	ours     = carrier.Profile{ID: simID, ICCID: card}
	wanted   = carrier.Extension{Ref: "ord_01", Profile: ours, Package: extendCode}
	topped   = `{"data":{"package_id":"` + extendCode + `","quantity":"1","type":"topup","description":"Topup (89340000000000872)","validity":30,"price":10,"created_at":"2023-02-07 07:42:17","id":174,"code":"20230207-000174","currency":"USD"},"meta":{"message":"success"}}`
	notFound = `{"data":[],"meta":{"message":"messages.resource_not_found"}}`
)

// operator answers by address, with the same words every time, and remembers
// what it was asked. Addresses that it has no words for are 404.
type operator struct {
	answers map[string]string // by method and address below /v2/, without the SIM's number; "422 …" for another status than 200
	tokens  []string          // what is answered when a token is asked for, one after the other; then the last again

	mu      sync.Mutex
	asked   []string // method, address and body, but for tokens
	headers []http.Header
	forms   []string // of requests for tokens
}

func (o *operator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // in memory
	o.mu.Lock()
	defer o.mu.Unlock()
	path := strings.TrimPrefix(r.URL.RequestURI(), "/v2/")
	if path == "token" {
		o.forms = append(o.forms, string(body))
		answer := o.tokens[min(len(o.forms), len(o.tokens))-1]
		o.headers = append(o.headers, r.Header)
		say(w, answer)
		return
	}
	asked := strings.TrimSpace(r.Method + " " + path + " " + string(body))
	o.asked, o.headers = append(o.asked, asked), append(o.headers, r.Header)
	if r.Header.Get("Authorization") != "Bearer "+bearer {
		say(w, `401 {"message":"Unauthenticated."}`)
		return
	}
	address, _, _ := strings.Cut(path, "?")
	answer, ok := o.answers[r.Method+" "+strings.Replace(address, card, "ICCID", 1)]
	if !ok {
		answer = "404 " + notFound
	}
	say(w, answer)
}

func say(w http.ResponseWriter, answer string) {
	status := 0
	if _, err := fmt.Sscanf(answer, "%3d ", &status); err == nil && len(answer) > 3 && answer[3] == ' ' {
		w.WriteHeader(status)
		answer = answer[4:]
	}
	_, _ = io.WriteString(w, answer) // into memory
}

// tokenAnswer gives a token that lives so many seconds.
func tokenAnswer(token string, seconds int) string {
	return fmt.Sprintf(`{"data":{"token_type":"Bearer","expires_in":%d,"access_token":%q},"meta":{"message":"success"}}`, seconds, token)
}

// town is an adapter in front of an operator, with a clock.
type town struct {
	*Adapter
	operator *operator
	wire     *outboundsim.Wire
	now      time.Time
}

func open(answers map[string]string) *town {
	t := &town{operator: &operator{answers: answers, tokens: []string{tokenAnswer(bearer, 86400)}}, now: noon}
	t.wire = &outboundsim.Wire{Stranger: t.operator}
	t.Adapter = New(Config{ClientID: clientID, ClientSecret: clientSecret}, outbound.New(outbound.Options{Transport: t.wire}), func() time.Time { return t.now })
	return t
}

// kind names which kind of error err is: a reason, unknown, not sent, or none.
// No error has a secret or a SIM's whole number in it.
func kind(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	for _, secret := range []string{clientSecret, url.QueryEscape(clientSecret), "séller", bearer, clientID, card} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%v tells %s", err, secret)
		}
	}
	var kinds []string
	if r, ok := errors.AsType[*carrier.Refusal](err); ok {
		kinds = append(kinds, string(r.Reason))
	}
	if errors.Is(err, carrier.ErrUnknown) {
		kinds = append(kinds, "unknown")
	}
	if errors.Is(err, carrier.ErrNotSent) {
		kinds = append(kinds, "not sent")
	}
	if len(kinds) != 1 {
		t.Fatalf("error %v is of kinds %q, want one", err, kinds)
	}
	return kinds[0]
}

// What is asked for is exactly this, signed, once.
func TestExtendAsks(t *testing.T) {
	w := open(map[string]string{"POST orders/topups": topped})
	got, err := w.Extend(t.Context(), wanted)
	if want := (carrier.Receipt{Ref: "20230207-000174"}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	body := `{"package_id":"` + extendCode + `","iccid":"` + card + `","description":"ord_01"}`
	if diff := cmp.Diff([]string{"POST orders/topups " + body}, w.operator.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	h := w.operator.headers[1]
	if h.Get("Content-Type") != "application/json" || h.Get("Accept") != "application/json" || !signed(clientSecret, h.Get("airalo-signature"), []byte(body)) {
		t.Errorf("headers %v", h)
	}
}

// A token is asked for by a form, and signed as JSON.
func TestTokenIsAskedFor(t *testing.T) {
	w := open(nil)
	_, _ = w.Balance(t.Context()) // what comes of it is another test's
	want := "client_id=client-id-of-the-seller&client_secret=secret%2Fof%3Cthe%3Es%C3%A9ller&grant_type=client_credentials"
	if diff := cmp.Diff([]string{want}, w.operator.forms); diff != "" {
		t.Errorf("forms (-want +got):\n%s", diff)
	}
	payload := `{"client_id":"client-id-of-the-seller","client_secret":"secret\/of<the>s\u00e9ller","grant_type":"client_credentials"}`
	h := w.operator.headers[0]
	if got := h.Get("airalo-signature"); got != sign(clientSecret, []byte(payload)) {
		t.Errorf("signature %s", got)
	}
	if h.Get("Authorization") != "" || h.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("headers %v", h)
	}
}

// A bug of ours is refused without asking.
func TestExtendAsksNoNonsense(t *testing.T) {
	w := open(nil)
	for name, tt := range map[string]struct {
		change func(*carrier.Extension)
		want   string
	}{
		"no number":      {func(e *carrier.Extension) { e.Profile.ICCID = "" }, "line_unknown"},
		"an address":     {func(e *carrier.Extension) { e.Profile.ICCID = "../orders" }, "line_unknown"},
		"no reference":   {func(e *carrier.Extension) { e.Ref = "" }, "bad_request"},
		"a long one":     {func(e *carrier.Extension) { e.Ref = strings.Repeat("x", 41) }, "bad_request"},
		"a wild one":     {func(e *carrier.Extension) { e.Ref = "%" }, "bad_request"},
		"no package":     {func(e *carrier.Extension) { e.Package = "" }, "bad_request"},
		"a long package": {func(e *carrier.Extension) { e.Package = strings.Repeat("x", 201) }, "bad_request"},
		"days":           {func(e *carrier.Extension) { e.Days = 3 }, "bad_request"},
	} {
		e := wanted
		tt.change(&e)
		_, extend := w.Extend(t.Context(), e)
		_, prepare := w.Prepare(t.Context(), e)
		_, lookUp := w.LookUp(t.Context(), e)
		for _, err := range []error{extend, prepare, lookUp} {
			if got := kind(t, err); got != tt.want {
				t.Errorf("%s: %q, want %q", name, got, tt.want)
			}
		}
	}
	if w.wire.Calls() > 0 {
		t.Errorf("asked %q", w.operator.asked)
	}
}

// What the operator answers to a top-up is a receipt, a no, or silence; to a
// question that changes nothing, silence is as good as not sent.
func TestAnswers(t *testing.T) {
	coded := func(code, reason string) string { return `422 {"code":` + code + `,"reason":"` + reason + `"}` }
	for name, tt := range map[string]struct{ answer, extend, read string }{
		"a yes":                {topped, "", ""},
		"another shape of yes": {`201 {"data":{"id":"174"}}`, "", ""},

		"no credit":       {coded("11", "Insufficient Airalo Credit: 1"), "no_balance", "no_balance"},
		"maintenance":     {coded("13", "maintenance"), "operator_refuses", "operator_refuses"},
		"checksum":        {coded("14", "Invalid checksum"), "unauthorised", "unauthorised"},
		"disabled":        {coded("23", "disabled by the operator"), "package_gone", "package_gone"},
		"none left":       {coded(`"33"`, "stock"), "package_gone", "package_gone"},
		"not sold":        {coded("34", "invalid or out of stock"), "package_gone", "package_gone"},
		"bad request":     {coded("43", "Bad request"), "bad_request", "bad_request"},
		"unexpected":      {coded("53", "Something unexpected happened"), "unknown", "not sent"},
		"a code not told": {coded("99", "?"), "unknown", "not sent"},
		"recycled":        {coded("73", "The eSIM with iccid "+card+" has been recycled."), "line_terminal", "line_terminal"},
		"our address":     {`403 {"code":89,"reason":"not on the list"}`, "unauthorised", "unauthorised"},
		"forbidden":       {`403 <html>`, "unauthorised", "unauthorised"},

		"no such package":    {`422 {"data":{"package_id":"invalid topup package"},"meta":{"message":"the parameter is invalid"}}`, "package_gone", "package_gone"},
		"too many orders":    {`422 {"data":{"package_id":"validation.order_exceed_limit"},"meta":{"message":"the parameter is invalid"}}`, "operator_refuses", "operator_refuses"},
		"no such number":     {`422 {"data":{"iccid":["The iccid is invalid."]},"meta":{"message":"the parameter is invalid"}}`, "line_unknown", "line_unknown"},
		"fields are missing": {`422 {"data":{"iccid":"required","package_id":"required"},"meta":{"message":"the parameter is invalid"}}`, "bad_request", "bad_request"},
		"422 and nothing":    {`422 {}`, "unknown", "not sent"},
		"422 and a page":     {`422 <html>`, "unknown", "not sent"},

		"no such SIM":                {`404 ` + notFound, "line_unknown", "line_unknown"},
		"no such SIM, says 200":      {notFound, "line_unknown", "line_unknown"},
		"404 and null":               {`404 null`, "unknown", "line_unknown"},
		"404 of another program":     {`404 <html>`, "unknown", "not sent"},
		"a code and yet a yes":       {`{"code":11,"reason":"no"}`, "unknown", "not sent"},
		"too many requests":          {`429 {"message":"Too Many Attempts."}`, "not sent", "not sent"},
		"gateway":                    {`502 <html>`, "unknown", "not sent"},
		"500 with a code":            {`500 {"code":11,"reason":"no"}`, "unknown", "not sent"},
		"moved":                      {`302 `, "unknown", "not sent"},
		"time-out of a proxy":        {`408 `, "unknown", "not sent"},
		"half":                       {topped[:len(topped)/2], "unknown", "not sent"},
		"nothing":                    {``, "unknown", "not sent"},
		"null":                       {`null`, "unknown", "not sent"},
		"a list":                     {`[]`, "unknown", "not sent"},
		"a yes that names no order":  {`{"data":{"package_id":"` + extendCode + `"},"meta":{"message":"success"}}`, "unknown", "any"},
		"a yes about something else": {`{"data":{"id":1,"package_id":"other"}}`, "unknown", "any"},
		"a yes about a new SIM":      {`{"data":{"id":1,"type":"sim"}}`, "unknown", "any"},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(map[string]string{"POST orders/topups": tt.answer, "GET sims/ICCID": tt.answer})
			r, err := w.Extend(t.Context(), wanted)
			if got := kind(t, err); got != tt.extend || err != nil && r != (carrier.Receipt{}) {
				t.Errorf("Extend: %q with %+v, want %q", got, r, tt.extend)
			}
			if n := len(w.operator.asked); n != 1 {
				t.Errorf("asked %d times", n)
			}
			err = w.identify(t.Context(), carrier.Profile{ID: "174", ICCID: card}, card)
			if got := kind(t, err); got != tt.read && tt.read != "any" {
				t.Errorf("identify: %q, want %q", got, tt.read)
			}
		})
	}
}

// What happens on the wire is what the port says of it, and nothing is sent
// twice.
func TestWire(t *testing.T) {
	for fault, want := range map[outboundsim.Fault][2]string{
		outboundsim.Refuse:      {"not sent", "not sent"},
		outboundsim.LoseRequest: {"unknown", "not sent"},
		outboundsim.LoseAnswer:  {"unknown", "not sent"},
		outboundsim.ActLater:    {"unknown", "not sent"},
		outboundsim.Break:       {"unknown", "not sent"},
		outboundsim.Garble:      {"unknown", "not sent"},
		outboundsim.Busy:        {"not sent", "not sent"},
	} {
		t.Run(string(fault), func(t *testing.T) {
			w := open(map[string]string{"POST orders/topups": topped, "GET sims/ICCID/usage": `{"data":{"status":"ACTIVE"}}`})
			if _, _, err := w.token(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.wire.Choose = func(*http.Request) outboundsim.Fault { return fault }
			_, err := w.Extend(t.Context(), wanted)
			if got := kind(t, err); got != want[0] {
				t.Errorf("Extend: %q, want %q", got, want[0])
			}
			_, err = w.Status(t.Context(), ours)
			if got := kind(t, err); got != want[1] {
				t.Errorf("Status: %q, want %q", got, want[1])
			}
			if n := w.wire.Calls(); n != 3 {
				t.Errorf("%d requests, want one for a token and one for each question", n)
			}
		})
	}
}

// While no token can be had, nothing else was sent.
func TestTokenFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		fault  outboundsim.Fault
		want   string
	}{
		"refused connection": {"", outboundsim.Refuse, "not sent"},
		"lost":               {"", outboundsim.LoseAnswer, "not sent"},
		"garbled":            {"", outboundsim.Garble, "not sent"},
		"busy":               {"", outboundsim.Busy, "not sent"},
		"broken":             {"503 ", outboundsim.None, "not sent"},
		"moved":              {"301 ", outboundsim.None, "not sent"},
		"none in the answer": {`{"data":{"access_token":null}}`, outboundsim.None, "not sent"},
		"not JSON":           {`<html>`, outboundsim.None, "not sent"},
		"wrong credentials":  {`401 {"code":401,"reason":"no such client ` + clientSecret + `"}`, outboundsim.None, "unauthorised"},
		"wrong field":        {`422 {"data":{"client_id":"invalid"},"meta":{"message":"` + clientID + ` is invalid"}}`, outboundsim.None, "unauthorised"},
		"not on the list":    {`403 {"code":89,"reason":"address"}`, outboundsim.None, "unauthorised"},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(map[string]string{"POST orders/topups": topped})
			if tt.answer != "" {
				w.operator.tokens = []string{tt.answer}
			}
			w.wire.Choose = func(*http.Request) outboundsim.Fault { return tt.fault }
			_, err := w.Extend(t.Context(), wanted)
			if got := kind(t, err); got != tt.want {
				t.Errorf("%q (%v), want %q", got, err, tt.want)
			}
			if w.wire.Calls() != 1 || len(w.operator.asked) != 0 {
				t.Errorf("%d requests, asked %q; want one for a token", w.wire.Calls(), w.operator.asked)
			}
		})
	}
}

// A token is used by all calls until a tenth of its life is left, or ten
// minutes, and for a day at most.
func TestTokenIsKept(t *testing.T) {
	for name, tt := range map[string]struct {
		seconds int
		kept    time.Duration
	}{
		"a day": {86400, 24*time.Hour - 10*time.Minute}, "a year": {31622400, 24*time.Hour - 10*time.Minute},
		"a minute": {60, 54 * time.Second}, "no word": {0, 24*time.Hour - 10*time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(map[string]string{"POST orders/topups": topped})
			w.operator.tokens = []string{tokenAnswer(bearer, tt.seconds)}
			extend := func() {
				t.Helper()
				if _, err := w.Extend(t.Context(), wanted); err != nil {
					t.Fatal(err)
				}
			}
			extend()
			w.now = noon.Add(tt.kept - time.Second)
			extend()
			if n := len(w.operator.forms); n != 1 {
				t.Errorf("%d tokens within %v, want 1", n, tt.kept)
			}
			w.now = noon.Add(tt.kept)
			extend()
			if n := len(w.operator.forms); n != 2 {
				t.Errorf("%d tokens after %v, want 2", n, tt.kept)
			}
		})
	}
}

// However many need one at once, one is asked for; and who has gone does not
// wait for it.
func TestOneTokenAtATime(t *testing.T) {
	w := open(map[string]string{"POST orders/topups": topped})
	held, asked := make(chan struct{}), make(chan struct{})
	w.wire.Meanwhile = func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			close(asked)
			<-held
		}
	}
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() { _, errs[i] = w.Extend(t.Context(), wanted) })
	}
	<-asked
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.Extend(gone, wanted)
	if got := kind(t, err); got != "not sent" {
		t.Errorf("who has gone: %q, want not sent", got)
	}
	close(held)
	all.Wait()
	if err := errors.Join(errs...); err != nil || len(w.operator.forms) != 1 || len(w.operator.asked) != len(errs) {
		t.Errorf("%d tokens, %d top-ups, %v", len(w.operator.forms), len(w.operator.asked), err)
	}
}

// A token that is no longer taken is replaced: a reading goes on with the new
// one; a top-up is left to its caller, who may ask again.
func TestTokenIsReplaced(t *testing.T) {
	stale := []string{tokenAnswer("of yesterday", 86400), tokenAnswer(bearer, 86400)}
	start := func() *town {
		w := open(map[string]string{"POST orders/topups": topped, "GET sims/ICCID/usage": `{"data":{"status":"ACTIVE"}}`})
		w.operator.tokens = stale
		if _, _, err := w.token(t.Context()); err != nil {
			t.Fatal(err)
		}
		return w
	}
	w := start()
	if _, err := w.Status(t.Context(), ours); err != nil || len(w.operator.asked) != 2 || len(w.operator.forms) != 2 {
		t.Errorf("a reading: %v, asked %q", err, w.operator.asked)
	}
	w = start()
	_, err := w.Extend(t.Context(), wanted)
	if got := kind(t, err); got != "not sent" || len(w.operator.asked) != 1 {
		t.Errorf("a top-up: %q, asked %q", got, w.operator.asked)
	}
	if _, err := w.Extend(t.Context(), wanted); err != nil {
		t.Errorf("a top-up, again: %v", err)
	}
	// Where new ones are refused too, that is a no: it would go on for ever.
	w = start()
	w.operator.tokens = stale[:1]
	_, err = w.Status(t.Context(), ours)
	if got := kind(t, err); got != "unauthorised" {
		t.Errorf("a new token is refused: %q", got)
	}
	w = open(map[string]string{"POST orders/topups": topped})
	w.operator.tokens = stale[:1]
	_, err = w.Extend(t.Context(), wanted)
	if got := kind(t, err); got != "unauthorised" || len(w.operator.asked) != 1 {
		t.Errorf("a new token is refused to a top-up: %q, asked %q", got, w.operator.asked)
	}
}
