package es2plus_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus/es2plussim"
	"github.com/tsuzuku/tsuzuku/internal/certtest"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// said is a stranger that answers everything with the same, and keeps what it heard.
type said struct {
	status int
	body   string
	heard  *http.Request
	sent   string
}

func (s *said) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	s.heard, s.sent = r, string(body)
	return &http.Response{
		StatusCode: s.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(s.body)), Request: r,
	}, err
}

func clientOf(t *testing.T, s *said) *es2plus.Client {
	t.Helper()
	c, err := es2plus.NewClient("https://es2.example", requester, "", outbound.New(outbound.Options{Transport: s}), nonces())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What goes over the wire has the names, forms and headers of the specification
// (SGP.22, 5.3 and 6.5), with an ICCID of 19 digits filled with F.
func TestRequestsAreOfTheSpecification(t *testing.T) {
	const ok = `{"header":{"functionExecutionStatus":{"status":"Executed-Success"}},"iccid":"8981100000000000017F","matchingId":"A1"}`
	const iccid, eid = "8981100000000000017", "89049032123451234512345678901235"
	for path, c := range map[string]struct {
		ask  func(*es2plus.Client) error
		want map[string]any
	}{
		"downloadOrder": {func(c *es2plus.Client) error {
			_, err := c.DownloadOrder(t.Context(), es2plus.Wish{Ref: "ord_1", ICCID: iccid, ProfileType: travel, EID: eid})
			return err
		}, map[string]any{"iccid": iccid + "F", "profileType": travel, "eid": eid}},
		"confirmOrder": {func(c *es2plus.Client) error {
			_, err := c.ConfirmOrder(t.Context(), es2plus.Confirmation{ICCID: iccid, MatchingID: "A1", Confirmation: "7", Release: true})
			return err
		}, map[string]any{"iccid": iccid + "F", "matchingId": "A1", "confirmationCode": "7", "releaseFlag": true}},
		"cancelOrder": {func(c *es2plus.Client) error {
			return c.CancelOrder(t.Context(), es2plus.Taken{ICCID: iccid, MatchingID: "A1", ForEver: true})
		}, map[string]any{"iccid": iccid + "F", "matchingId": "A1", "finalProfileStatusIndicator": "Unavailable"}},
		"releaseProfile": {func(c *es2plus.Client) error {
			return c.ReleaseProfile(t.Context(), iccid+"0")
		}, map[string]any{"iccid": iccid + "0"}}, // 20 digits need no F
	} {
		t.Run(path, func(t *testing.T) {
			s := &said{status: 200, body: ok}
			if err := c.ask(clientOf(t, s)); err != nil {
				t.Fatal(err)
			}
			if s.heard.Method != http.MethodPost || s.heard.URL.Path != "/gsma/rsp2/es2plus/"+path {
				t.Errorf("%s %s", s.heard.Method, s.heard.URL.Path)
			}
			if p, ct := s.heard.Header.Get("X-Admin-Protocol"), s.heard.Header.Get("Content-Type"); p != "gsma/rsp/v2.2.0" || ct != "application/json" {
				t.Errorf("headers %q, %q", p, ct)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(s.sent), &got); err != nil {
				t.Fatal(err)
			}
			h, _ := got["header"].(map[string]any)
			if h["functionRequesterIdentifier"] != requester || h["functionCallIdentifier"] == "" {
				t.Errorf("header %v", h)
			}
			delete(got, "header")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// kindOf is which of the three kinds an error is, with a refusal's reason.
func kindOf(err error) string {
	no, refused := errors.AsType[*carrier.Refusal](err)
	switch {
	case err == nil:
		return "fine"
	case refused:
		return string(no.Reason)
	case errors.Is(err, carrier.ErrUnknown) && errors.Is(err, carrier.ErrNotSent):
		return "both"
	case errors.Is(err, carrier.ErrUnknown):
		return "unknown"
	case errors.Is(err, carrier.ErrNotSent):
		return "not sent"
	}
	return "no kind"
}

// The table of codes (SGP.22, 5.2.6): what is a definite no, and what is no answer. A
// silence of what harms nobody may be asked again.
func TestCodes(t *testing.T) {
	failed := func(subject, reason string) string {
		return `{"header":{"functionExecutionStatus":{"status":"Failed","statusCodeData":{"subjectCode":"` + subject + `","reasonCode":"` + reason + `","message":"m"}}}}`
	}
	for name, c := range map[string]struct {
		status   int
		body     string
		confirm  string
		download string
	}{
		"unknown requester":   {200, failed("1.1", "1.1"), "unauthorised", "unauthorised"},
		"not allowed":         {200, failed("8.2.1", "1.2"), "unauthorised", "unauthorised"},
		"invalid":             {200, failed("1.6", "2.1"), "bad_request", "bad_request"},
		"unknown type":        {200, failed("8.2.5", "3.9"), "package_gone", "package_gone"},
		"no more profiles":    {200, failed("8.2.5", "3.7"), "out_of_stock", "out_of_stock"},
		"unknown ICCID":       {200, failed("8.2.1", "3.9"), "line_unknown", "line_unknown"},
		"already in use":      {200, failed("8.2.1", "3.3"), "operator_refuses", "operator_refuses"},
		"invalid transition":  {200, failed("8.2.1", "3.5"), "operator_refuses", "operator_refuses"},
		"another EID":         {200, failed("8.1.1", "3.10"), "operator_refuses", "operator_refuses"},
		"execution error":     {200, failed("1.2", "4.2"), "unknown", "not sent"},
		"busy":                {200, failed("1.2", "4.4"), "unknown", "not sent"},
		"SM-DS inaccessible":  {200, failed("8.9", "5.1"), "unknown", "not sent"},
		"a no without a code": {200, `{"header":{"functionExecutionStatus":{"status":"Failed"}}}`, "unknown", "not sent"},
		"expired":             {200, `{"header":{"functionExecutionStatus":{"status":"Expired"}}}`, "unknown", "not sent"},
		"an unknown status":   {200, `{"header":{"functionExecutionStatus":{"status":"Perhaps"}}}`, "unknown", "not sent"},
		"nothing":             {200, ``, "unknown", "not sent"},
		"a page":              {200, `<html>`, "unknown", "not sent"},
		"yes with a 302":      {302, `{"header":{"functionExecutionStatus":{"status":"Executed-Success"}},"iccid":"8981100000000000017"}`, "unknown", "not sent"},
		"yes with a warning":  {200, `{"header":{"functionExecutionStatus":{"status":"Executed-WithWarning"}},"iccid":"8981100000000000017F"}`, "fine", "fine"},
		"another ICCID":       {200, `{"header":{"functionExecutionStatus":{"status":"Executed-Success"}},"iccid":"8981100000000000025F"}`, "fine", "not sent"},
		"an odd identifier":   {200, `{"header":{"functionExecutionStatus":{"status":"Executed-Success"}},"iccid":"8981100000000000017F","matchingId":"a$b"}`, "unknown", "fine"},
		"another identifier":  {200, `{"header":{"functionExecutionStatus":{"status":"Executed-Success"}},"iccid":"8981100000000000017F","matchingId":"B2"}`, "unknown", "fine"},
		"too many":            {429, ``, "not sent", "not sent"},
		"server error":        {500, ``, "unknown", "not sent"},
		"forbidden":           {403, ``, "unauthorised", "unauthorised"},
	} {
		t.Run(name, func(t *testing.T) {
			client := clientOf(t, &said{status: c.status, body: c.body})
			_, err := client.ConfirmOrder(t.Context(), es2plus.Confirmation{ICCID: "8981100000000000017", MatchingID: "A1", Release: true})
			if got := kindOf(err); got != c.confirm {
				t.Errorf("confirmOrder: %s (%v), want %s", got, err, c.confirm)
			}
			_, err = client.DownloadOrder(t.Context(), es2plus.Wish{ICCID: "8981100000000000017"})
			if got := kindOf(err); got != c.download {
				t.Errorf("downloadOrder: %s (%v), want %s", got, err, c.download)
			}
			if err != nil && strings.Contains(err.Error(), "8981100000000000025") {
				t.Errorf("an ICCID in the clear: %v", err)
			}
		})
	}
}

// After a silence only our own identifier proves that we were heard. An SM-DP+ that
// looks at states first says nothing of that: a person looks.
func TestWhatProvesNothing(t *testing.T) {
	w := newTown(t, es2plussim.WrongState, false, nil)
	p := carrier.Purchase{Ref: "ord_1", Package: travel, AskedAt: w.clock.Now()}
	var err error
	if p.Snapshot, err = w.able.Reserve(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if _, err := w.able.Issue(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	r, err := w.able.LookUpIssue(t.Context(), p)
	if err != nil || r.Found != carrier.FoundUnsure || !strings.Contains(r.Why, "8.2.1/3.3") || strings.Contains(r.Why, string(p.Snapshot)) {
		t.Errorf("%+v, %v", r, err)
	}
	if again, err := w.able.Reserve(t.Context(), p); err != nil || string(again) != string(p.Snapshot) || w.smdp.In(es2plussim.Allocated) != 0 {
		t.Errorf("a second profile was set aside: %s, %v", again, err)
	}
	if w.smdp.Sold() != 1 {
		t.Errorf("%d profiles are out", w.smdp.Sold())
	}
	profile := carrier.Profile{ID: string(p.Snapshot), ICCID: string(p.Snapshot)}
	if err := w.able.Withdraw(t.Context(), p, profile); err != nil {
		t.Fatal(err)
	}
	err = w.able.Withdraw(t.Context(), p, profile)
	if no, refused := errors.AsType[*carrier.Refusal](err); !refused || no.Reason == carrier.Installed {
		t.Errorf("cancelled again: %v, want a refusal that does not say that a phone has it", err)
	}
}

// An SM-DP+ that took the profile back at its console, or confirmed it under another
// identifier, is found out by getProfileStatus, and never taken for ours.
func TestStatusOfSomebodyElse(t *testing.T) {
	w := newTown(t, "", true, nil)
	p := carrier.Purchase{Ref: "ord_1", Package: travel, AskedAt: w.clock.Now()}
	var err error
	if p.Snapshot, err = w.able.Reserve(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	hand := w.able.Client()
	if _, err := hand.ConfirmOrder(t.Context(), es2plus.Confirmation{ICCID: string(p.Snapshot), MatchingID: "BY-HAND", Release: true}); err != nil {
		t.Fatal(err)
	}
	if r, err := w.able.LookUpIssue(t.Context(), p); err != nil || r.Found != carrier.FoundUnsure {
		t.Errorf("another's profile: %+v, %v", r, err)
	}
	if err := hand.CancelOrder(t.Context(), es2plus.Taken{ICCID: string(p.Snapshot), ForEver: true}); err != nil {
		t.Fatal(err)
	}
	if r, err := w.able.LookUpIssue(t.Context(), p); err != nil || r.Found != carrier.FoundUnsure {
		t.Errorf("one that is gone: %+v, %v", r, err)
	}
}

// A matching identifier is the same whenever it is made, another for another order,
// and in the specification's alphabet; the code is what the specification's example
// of one looks like.
func TestMatchingIdentifiers(t *testing.T) {
	form := regexp.MustCompile(`^LPA:1\$smdp\.example\.com\$([0-9A-Z]{5}-){4}[0-9A-Z]{5}$`)
	seen := map[string]bool{}
	for _, ref := range []string{"ord_1", "ord_2", "ord_3"} {
		w := newTown(t, "", false, nil)
		p := carrier.Purchase{Ref: ref, Package: travel}
		var err error
		if p.Snapshot, err = w.able.Reserve(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		got, err := w.able.Issue(t.Context(), p)
		if err != nil || !form.MatchString(got.Code) || seen[got.Code] {
			t.Errorf("%+v, %v", got, err)
		}
		seen[got.Code] = true
		if again, err := w.able.Issue(t.Context(), p); err != nil || again != got {
			t.Errorf("asked again: %+v, %v", again, err)
		}
	}
	if got := es2plus.ActivationCode("SMDP.GSMA.COM", "04386-AGYFT-A74Y8-3F815"); got != "LPA:1$SMDP.GSMA.COM$04386-AGYFT-A74Y8-3F815" {
		t.Errorf("%s", got) // SGP.22, 4.1
	}
}

// Who has no certificate of the right authority gets no connection, in either
// direction: nothing was sent.
func TestWrongCertificates(t *testing.T) {
	ca, other := certtest.New(t, "ours"), certtest.New(t, "somebody's")
	w := newTown(t, "", false, nil)
	s := listen(t, w.smdp, &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{ca.Issue(address)}, ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
	})
	ask := func(c *tls.Config) error {
		c.MinVersion, c.ServerName = tls.VersionTLS12, address
		tr := &http.Transport{TLSClientConfig: c}
		t.Cleanup(tr.CloseIdleConnections)
		client, err := es2plus.NewClient(s.URL, requester, "", outbound.New(outbound.Options{Transport: tr}), nonces())
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.DownloadOrder(t.Context(), es2plus.Wish{ProfileType: travel})
		return err
	}
	if err := ask(&tls.Config{RootCAs: ca.Pool(), Certificates: []tls.Certificate{ca.Issue("shop.example.com")}}); err != nil {
		t.Fatalf("with the right ones: %v", err)
	}
	for name, c := range map[string]*tls.Config{
		"no certificate":      {RootCAs: ca.Pool()},
		"another authority's": {RootCAs: ca.Pool(), Certificates: []tls.Certificate{other.Issue("shop.example.com")}},
		"a server of another": {RootCAs: other.Pool(), Certificates: []tls.Certificate{ca.Issue("shop.example.com")}},
	} {
		if err := ask(c); err == nil || kindOf(err) != "not sent" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(w.smdp.Calls()); n != 1 {
		t.Errorf("%d calls arrived", n)
	}
}
