package paypal

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

// refusal is an error as PayPal words it, with things that must not be told on.
func refusalOf(name, issue string) string {
	o := object{
		"name": name, "message": "No, Anna Schmidt.", "debug_id": "f6cdd80887b82",
		"details": []object{{"issue": issue, "description": "Anna's card", "value": "anna@customer.test"}},
	}
	if issue == "" {
		delete(o, "details")
	}
	return o.String()
}

// Each failure is sorted into what certainly happened, what certainly did not,
// and the rest. A question that failed was always simply not answered.
func TestFailuresAreSorted(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   string
		start  error // nil: PayPal's no
		reason payment.Reason
	}{
		{name: "broken", status: 500, body: refusalOf("INTERNAL_SERVER_ERROR", ""), start: payment.ErrUnknown},
		{name: "maintenance", status: 503, body: refusalOf("SERVICE_UNAVAILABLE", ""), start: payment.ErrUnknown},
		{name: "load balancer", status: 502, body: "<html>", start: payment.ErrUnknown},
		{name: "half an answer", status: 201, body: `{"id":"5O19`, start: payment.ErrUnknown},
		{name: "an answer about nothing", status: 201, body: `{}`, start: payment.ErrUnknown},
		{name: "the least answer", status: 201, body: `{"id":"5O190127TN364715T","status":"CREATED"}`, start: payment.ErrUnknown},
		{name: "an amount that is a number", status: 201, body: `{"id":"5O190127TN364715T","purchase_units":[{"amount":{"value":1980}}]}`, start: payment.ErrUnknown},
		{name: "redirect", status: 302, body: "", start: payment.ErrUnknown},
		{name: "captive portal", status: 404, body: "<html>", start: payment.ErrUnknown},
		{name: "proxy's no", status: 403, body: `{"message":"no"}`, start: payment.ErrUnknown},
		{name: "under way", status: 409, body: refusalOf("RESOURCE_CONFLICT", "PREVIOUS_REQUEST_IN_PROGRESS"), start: payment.ErrUnknown},
		{name: "conflict", status: 409, body: refusalOf("CONFLICT", ""), start: payment.ErrUnknown},
		{name: "under way, otherwise", status: 422, body: refusalOf("UNPROCESSABLE_ENTITY", "PREVIOUS_REQUEST_IN_PROGRESS"), start: payment.ErrUnknown},
		{name: "key with other content", status: 422, body: refusalOf("UNPROCESSABLE_ENTITY", "DUPLICATE_REQUEST_ID"), start: payment.ErrUnknown},
		{name: "paid under another order", status: 422, body: refusalOf("UNPROCESSABLE_ENTITY", "DUPLICATE_INVOICE_ID"), start: payment.ErrUnknown},
		{name: "too fast", status: 429, body: refusalOf("RATE_LIMIT_REACHED", ""), start: payment.ErrNotSent},
		{name: "too fast, bare", status: 429, body: "", start: payment.ErrNotSent},
		{name: "token refused twice", status: 401, body: `{"error":"invalid_token","error_description":"whisper"}`, start: payment.ErrNotSent},
		{name: "may not", status: 403, body: refusalOf("NOT_AUTHORIZED", "PERMISSION_DENIED"), start: payment.ErrNotSent},
		{name: "too much", status: 422, body: refusalOf("UNPROCESSABLE_ENTITY", "MAX_VALUE_EXCEEDED"), reason: payment.NotAccepted},
		{name: "our account", status: 422, body: refusalOf("UNPROCESSABLE_ENTITY", "PAYEE_ACCOUNT_RESTRICTED"), reason: payment.ProviderTrouble},
		{name: "bad request", status: 400, body: refusalOf("INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER"), reason: payment.ProviderTrouble},
		{name: "bad request, bare", status: 400, body: refusalOf("INVALID_REQUEST", ""), reason: payment.ProviderTrouble},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, always(tt.status, tt.body))
			obs, err := d.Start(t.Context(), attempt())
			if !errors.Is(err, tt.start) {
				t.Errorf("Start error %v, want %v", err, tt.start)
			}
			if errors.Is(err, payment.ErrNotSent) && errors.Is(err, payment.ErrUnknown) {
				t.Errorf("Start says both: %v", err)
			}
			if tt.start == nil && (obs.State != payment.Dead || obs.Reason != tt.reason || obs.Code == "" || obs.Amount != attempt().Amount) {
				t.Errorf("Start says %+v, want dead because %s", obs, tt.reason)
			}
			errs := []error{err}
			for _, at := range []payment.Attempt{started(), attempt()} {
				seen, err := d.Query(t.Context(), at)
				if at.ProviderID == "" && tt.start == nil {
					if err != nil || seen.State != payment.Dead {
						t.Errorf("Query of an order that cannot be made: %+v, %v", seen, err)
					}
					continue
				}
				if !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) {
					t.Errorf("Query error %v, want ErrNotSent", err)
				}
				errs = append(errs, err)
			}
			_, err = d.Abandon(t.Context(), started())
			for _, err := range append(errs, err) {
				if s := strings.ToLower(fmt.Sprint(err)); strings.Contains(s, "anna") || strings.Contains(s, "whisper") || strings.Contains(s, "token1") {
					t.Errorf("the error tells too much: %s", s)
				}
			}
		})
	}
}

func TestErrorsNameTheCall(t *testing.T) {
	d := newDesk(t, always(400, refusalOf("INVALID_REQUEST", "NOT_SUPPORTED")))
	_, err := d.Query(t.Context(), started())
	if want := "status 400 INVALID_REQUEST NOT_SUPPORTED debug f6cdd80887b82"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v lacks %q", err, want)
	}
}

func TestWordsAreCodes(t *testing.T) {
	for s, want := range map[string]string{
		"INSTRUMENT_DECLINED": "INSTRUMENT_DECLINED", "f6-c.d": "f6-c.d", "": "", "Anna Schmidt": "", "a@b": "", "名": "",
		strings.Repeat("A", 64): strings.Repeat("A", 64), strings.Repeat("A", 65): "", "a/b": "", "a\nb": "",
	} {
		if got := word(s); got != want {
			t.Errorf("word(%q) = %q", s, got)
		}
	}
}

// The token is fetched once, with the app's credentials, used until shortly
// before its end, and once more afterwards.
func TestTokenIsKept(t *testing.T) {
	d := newDesk(t, always(http.StatusOK, orderOf("CREATED", nil, nil).String()))
	var basic []string
	d.wire.Choose = func(r *http.Request) outboundsim.Fault {
		if strings.HasSuffix(r.URL.Path, "/oauth2/token") {
			basic = append(basic, r.Header.Get("Authorization"))
		}
		return outboundsim.None
	}
	for _, later := range []time.Duration{0, 58*time.Minute + 59*time.Second, time.Second, time.Minute} {
		d.advance(later)
		if _, err := d.Query(t.Context(), started()); err != nil {
			t.Fatal(err)
		}
	}
	var used []string
	for _, q := range d.asked {
		used = append(used, q.h.Get("Authorization"))
	}
	if want := []string{"Bearer token1", "Bearer token1", "Bearer token2", "Bearer token2"}; !slices.Equal(used, want) {
		t.Errorf("tokens used %q, want %q", used, want)
	}
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("client:whisper")); !slices.Equal(basic, []string{want, want}) {
		t.Errorf("credentials sent: %q", basic)
	}
}

// Many callers without a token wait for one request.
func TestTokenIsFetchedOnceForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, always(http.StatusOK, orderOf("CREATED", nil, nil).String()))
		answer := make(chan struct{})
		d.wire.Meanwhile = func(*http.Request) { <-answer }
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := d.Query(t.Context(), started()); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if n := d.wire.Calls(); n != 1 {
			t.Errorf("%d calls while the token is under way", n)
		}
		close(answer)
		wg.Wait()
		if d.tokens != 1 {
			t.Errorf("%d tokens were fetched", d.tokens)
		}
	})
}

// Whoever waits for somebody else's token may stop waiting.
func TestWaitingForATokenEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, always(http.StatusOK, orderOf("CREATED", nil, nil).String()))
		answer := make(chan struct{})
		d.wire.Meanwhile = func(*http.Request) { <-answer }
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = d.Query(t.Context(), started()) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.Start(ctx, attempt()); !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) {
			t.Errorf("error %v, want ErrNotSent", err)
		}
		close(answer)
		wg.Wait()
	})
}

// A token that PayPal no longer knows is replaced, once, for all who hold it.
func TestTokenIsReplacedOnce(t *testing.T) {
	d := newDesk(t, func(q asked) (int, string) {
		if q.h.Get("Authorization") == "Bearer token1" {
			return http.StatusUnauthorized, `{"error":"invalid_token"}`
		}
		return http.StatusCreated, orderOf("CREATED", nil, nil).String()
	})
	for range 3 {
		if obs, err := d.Start(t.Context(), attempt()); err != nil || obs.State != payment.NeedsCustomer {
			t.Errorf("Start says %+v, %v", obs, err)
		}
	}
	if d.tokens != 2 || len(d.asked) != 4 {
		t.Errorf("%d tokens for %q", d.tokens, d.lines())
	}
	for _, q := range d.asked {
		if q.body != d.asked[0].body || q.h.Get("PayPal-Request-Id") != ref+".c" {
			t.Errorf("the repeated request differs: %+v", q)
		}
	}
}

// While there is no token nothing was sent.
func TestNoToken(t *testing.T) {
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"wrong credentials": {401, `{"error":"invalid_client","error_description":"whisper client"}`},
		"broken":            {500, ``},
		"half":              {200, `{"access_token":"x`},
		"no token":          {200, `{"token_type":"Bearer","expires_in":1}`},
		"another kind":      {200, `{"access_token":"x","token_type":"MAC","expires_in":1}`},
		"a header in it":    {200, `{"access_token":"x\r\nHost: y","token_type":"Bearer","expires_in":1}`},
		"float life":        {200, `{"access_token":"x","token_type":"Bearer","expires_in":1.5}`},
	} {
		calls := 0
		a := newDesk(t, always(200, "")).Adapter
		wire := &outboundsim.Wire{Stranger: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.WriteHeader(answer.status)
			_, _ = w.Write([]byte(answer.body))
		})}
		a.client = clientOver(wire)
		_, err := a.Start(t.Context(), attempt())
		if !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) || calls != 1 {
			t.Errorf("%s: %v after %d calls", name, err, calls)
		}
		if strings.Contains(fmt.Sprint(err), "whisper") {
			t.Errorf("%s: the error tells too much: %v", name, err)
		}
	}
	for _, f := range []outboundsim.Fault{outboundsim.Refuse, outboundsim.LoseRequest, outboundsim.LoseAnswer, outboundsim.Break, outboundsim.Garble, outboundsim.Busy} {
		d := newDesk(t, always(200, ""))
		d.wire.Choose = func(*http.Request) outboundsim.Fault { return f }
		if _, err := d.Start(t.Context(), attempt()); !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) || len(d.asked) != 0 {
			t.Errorf("%s: %v, asked %q", f, err, d.lines())
		}
	}
}

// A life that makes no sense is not believed: the token is used at most a day.
func TestTokenLife(t *testing.T) {
	for said, want := range map[string]time.Duration{"32400": 9 * time.Hour, "-5": 0, "0": 0, "9223372036854775807": 24 * time.Hour} {
		wire := &outboundsim.Wire{Stranger: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"access_token":"x","token_type":"bearer","expires_in":%s}`, said)
		})}
		a := newDesk(t, always(200, "")).Adapter
		a.client = clientOver(wire)
		if _, life, err := a.fetchToken(t.Context()); err != nil || life != want {
			t.Errorf("%s seconds are %v, %v; want %v", said, life, err, want)
		}
	}
}
