package esimaccess

import (
	"context"
	"encoding/json"
	"errors"
	"io"
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
	tranNo     = "23120118156818"
	card       = "89852246280001113119"
	extendCode = "TOPUP_CKH003"
	accessCode = "access-code-of-the-seller"
	secretKey  = "secret-key-of-the-seller"
)

var (
	noon  = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	ours  = carrier.Profile{ID: tranNo, ICCID: card}
	order = carrier.Extension{Ref: "ord_01", Profile: ours, Package: extendCode}
)

// operator answers by path, with the same words every time, and remembers what
// it was asked.
type operator struct {
	status  int               // 0: 200
	answers map[string]string // by path below /api/v1/open

	mu     sync.Mutex
	header http.Header
	asked  []string // path and body
}

func (o *operator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // in memory
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/open")
	o.mu.Lock()
	o.header = r.Header
	o.asked = append(o.asked, r.Method+" "+path+" "+string(body))
	o.mu.Unlock()
	if o.status != 0 {
		w.WriteHeader(o.status)
	}
	_, _ = io.WriteString(w, o.answers[path]) // into memory
}

// adapter is one in front of o, at noon, on a wire with this fault.
func adapter(o http.Handler, fault outboundsim.Fault) *Adapter {
	wire := &outboundsim.Wire{Stranger: o, Choose: func(*http.Request) outboundsim.Fault { return fault }}
	return New(Config{AccessCode: accessCode, SecretKey: secretKey}, outbound.New(outbound.Options{Transport: wire}),
		func() time.Time { return noon }, func() string { return "4ce9d9cdac9e4e17b3a2c66c358c1ce2" })
}

// kind names which kind of error err is: a reason, unknown, not sent, or none.
func kind(t *testing.T, err error) string {
	t.Helper()
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
	if err == nil {
		return ""
	}
	if len(kinds) != 1 {
		t.Fatalf("error %v is of kinds %q, want one", err, kinds)
	}
	return kinds[0]
}

// The operator's published example of a signature comes out, and none of its
// parts can be changed without changing it.
func TestSignature(t *testing.T) {
	const want = "7eb765e27df5373dea2dbc8c41a7d9557743e46c8054750f3d851b3fd01d0835"
	sign := func(at, id, code, key, body string) string {
		a := &Adapter{config: Config{AccessCode: code, SecretKey: key}}
		return a.signature(at, id, []byte(body))
	}
	parts := [5]string{"1628670421", "4ce9d9cdac9e4e17b3a2c66c358c1ce2", "11111", "1111", `{"imsi":"326543826"}`}
	if got := sign(parts[0], parts[1], parts[2], parts[3], parts[4]); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	for i := range parts {
		p := parts
		p[i] = strings.Replace(p[i], "1", "2", 1)
		p[i] = strings.Replace(p[i], "imsi", "imsj", 1)
		if p[i] == parts[i] {
			p[i] += "x"
		}
		if sign(p[0], p[1], p[2], p[3], p[4]) == want {
			t.Errorf("part %d changed from %q to %q, and the signature did not", i, parts[i], p[i])
		}
	}
}

// With a secret key the exact bytes that are sent are signed; without one the
// access code goes alone.
func TestRequestsAreSigned(t *testing.T) {
	o := &operator{answers: map[string]string{"/balance/query": `{"success":true,"obj":{"balance":1}}`}}
	a := adapter(o, outboundsim.None)
	if _, err := a.Balance(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(strings.TrimPrefix(o.asked[0], "POST "), " ")
	at := o.header.Get("RT-Timestamp")
	want := map[string]string{
		"RT-AccessCode": accessCode, "RT-RequestID": "4ce9d9cdac9e4e17b3a2c66c358c1ce2",
		"RT-Timestamp": "1777896000000", "RT-Signature": a.signature(at, a.nonce(), []byte(body)),
	}
	for name, v := range want {
		if got := o.header.Get(name); got != v {
			t.Errorf("%s %q, want %q", name, got, v)
		}
	}
	a.config.SecretKey = ""
	if _, err := a.Balance(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name := range want {
		if got := o.header.Get(name); (got != "") != (name == "RT-AccessCode") {
			t.Errorf("without a secret key: %s %q", name, got)
		}
	}
}

// The table of codes: what is certainly a no, and what nobody knows. A reading
// can always be repeated.
func TestErrorCodes(t *testing.T) {
	tests := []struct {
		code string
		want string
	}{
		{"000001", "unknown"},
		{"900001", "unknown"}, // busy: at which point is not documented
		{"000101", "unauthorised"},
		{"000102", "unauthorised"},
		{"000103", "bad_request"},
		{"000104", "bad_request"},
		{"000105", "bad_request"},
		{"000106", "bad_request"},
		{"000107", "bad_request"},
		{"101001", "unauthorised"},
		{"101002", "unauthorised"},
		{"101003", "unauthorised"},
		{"200002", "operator_refuses"},
		{"200005", "price_changed"},
		{"200006", "price_changed"},
		{"200007", "no_balance"},
		{"200008", "bad_request"},
		{"200009", "operator_refuses"},
		{"200010", "in_progress"},
		{"200011", "operator_refuses"},
		{"310201", "bad_request"},
		{"310241", "package_gone"},
		{"310243", "package_gone"},
		{"310272", "line_unknown"},
		{"310403", "line_unknown"},
		{"200099", "operator_refuses"}, // not in the document; of a family that is
		{"700001", "unknown"},
		{"900002", "unknown"},
		{"1", "unknown"},
		{"20000x", "unknown"},
	}
	for _, tt := range tests {
		answer := `{"success":false,"errorCode":"` + tt.code + `","errorMsg":"no","obj":null}`
		a := adapter(&operator{answers: map[string]string{"/esim/topup": answer, "/balance/query": answer}}, outboundsim.None)
		_, err := a.Extend(t.Context(), order)
		if got := kind(t, err); got != tt.want {
			t.Errorf("Extend, code %s: %s, want %s", tt.code, got, tt.want)
		}
		reading := strings.Replace(tt.want, "unknown", "not sent", 1)
		if tt.want == "line_unknown" {
			reading = tt.want
		}
		_, err = a.Balance(t.Context())
		if got := kind(t, err); got != reading {
			t.Errorf("Balance, code %s: %s, want %s", tt.code, got, reading)
		}
	}
}

// What cannot be understood is silence, not a no.
func TestAnswersThatSayNothing(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"empty", 200, ``, "unknown"},
		{"half", 200, `{"success":true,"obj":{"totalVol`, "unknown"},
		{"a page", 200, `<html>`, "unknown"},
		{"null", 200, `null`, "unknown"},
		{"a list", 200, `[]`, "unknown"},
		{"yes without obj", 200, `{"success":true}`, "unknown"},
		{"yes with an empty obj", 200, `{"success":true,"obj":{}}`, "unknown"},
		{"yes with a code", 200, `{"success":true,"errorCode":"200007","obj":{"totalVolume":1}}`, "unknown"},
		{"no without a code", 200, `{"success":false,"errorCode":null}`, "unknown"},
		{"no with code 0", 200, `{"success":"false","errorCode":"0"}`, "unknown"},
		{"neither yes nor no", 200, `{"errorCode":"0","obj":{"totalVolume":1}}`, "unknown"},
		{"perhaps", 200, `{"success":"perhaps","obj":{"totalVolume":1}}`, "unknown"},
		{"a fraction of a byte", 200, `{"success":true,"obj":{"totalVolume":1.5}}`, "unknown"},
		{"fewer than no bytes", 200, `{"success":true,"obj":{"totalVolume":-1}}`, "unknown"},
		{"another request's", 200, `{"success":true,"obj":{"transactionId":"ord_02","totalVolume":1}}`, "unknown"},
		{"another line's", 200, `{"success":true,"obj":{"iccid":"89852246280001113110","totalVolume":1}}`, "unknown"},
		{"yes with 500", 500, `{"success":true,"obj":{"totalVolume":1}}`, "unknown"},
		{"no with 500", 500, `{"success":false,"errorCode":"200007"}`, "unknown"},
		{"yes with 404", 404, `{"success":true,"obj":{"totalVolume":1}}`, "unknown"},
		{"a redirect", 302, ``, "unknown"},
		{"a gateway", 502, `<html>`, "unknown"},
		{"too many", 429, ``, "not sent"},
		{"a wall", 403, `<html>`, "unauthorised"},
		{"no with 400", 400, `{"success":false,"errorCode":"200007"}`, "no_balance"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &operator{status: tt.status, answers: map[string]string{"/esim/topup": tt.body}}
			_, err := adapter(o, outboundsim.None).Extend(t.Context(), order)
			if got := kind(t, err); got != tt.want {
				t.Errorf("Extend: %q (%v), want %q", got, err, tt.want)
			}
			if len(o.asked) != 1 {
				t.Errorf("asked %d times, want once", len(o.asked))
			}
		})
	}
}

// Each fault of the wire means one thing for a call that changes something, and
// one for a call that does not; and no call is repeated.
func TestFaultsOfTheWire(t *testing.T) {
	extend := map[outboundsim.Fault]string{
		outboundsim.Refuse: "not sent", outboundsim.Busy: "not sent", outboundsim.Twice: "",
		outboundsim.LoseRequest: "unknown", outboundsim.LoseAnswer: "unknown", outboundsim.ActLater: "unknown",
		outboundsim.Break: "unknown", outboundsim.Garble: "unknown",
	}
	for _, fault := range outboundsim.Faults {
		o := &operator{answers: map[string]string{
			"/esim/topup":    `{"success":true,"errorCode":"0","obj":{"totalVolume":1}}`,
			"/balance/query": `{"success":true,"errorCode":"0","obj":{"balance":1}}`,
		}}
		a := adapter(o, fault)
		_, err := a.Extend(t.Context(), order)
		if got := kind(t, err); got != extend[fault] {
			t.Errorf("%s: Extend %q, want %q", fault, got, extend[fault])
		}
		if fault != outboundsim.Twice && len(o.asked) > 1 {
			t.Errorf("%s: asked %d times", fault, len(o.asked))
		}
		_, err = a.Balance(t.Context())
		if got := kind(t, err); (fault == outboundsim.Twice) != (got == "") || got == "unknown" {
			t.Errorf("%s: Balance %q, want not sent", fault, got)
		}
	}
}

// Whatever the operator says about us, neither our secrets nor a whole card
// number gets into an error.
func TestErrorsTellNoSecrets(t *testing.T) {
	echo := `secret-key-of-the-seller access-code-of-the-seller 89852246280001113119 at 8985224628000111311\u0000`
	bodies := []string{
		`{"success":false,"errorCode":"200008","errorMsg":"` + echo + `"}`,
		`{"success":false,"errorCode":"900001","errorMessage":"` + echo + `"}`,
		`{"success":false,"errorCode":"` + echo + `"}`,
		`{"success":"` + echo + `"}`,
		`{"success":true,"obj":"` + echo + `"}`,
		`{"success":true,"obj":89852246280001113119}`,
		`{"success":true,"obj":{"totalVolume":89852246280001113119,"balance":89852246280001113119,"iccid":"89852246280001113110"}}`,
		`{"success":true,"obj":{"esimList":[{"esimTranNo":"` + tranNo + `","iccid":"89852246280001113110"}]}}`,
		`{"success":true,"obj":{"esimList":[{"esimTranNo":"` + tranNo + `","totalVolume":"` + echo + `"}]}}`,
		echo,
	}
	snapshot, err := json.Marshal(picture{TranNo: tranNo, TakenAt: noon})
	if err != nil {
		t.Fatal(err)
	}
	asked := order
	asked.Snapshot = snapshot
	for _, fault := range []outboundsim.Fault{outboundsim.None, outboundsim.Refuse, outboundsim.LoseAnswer, outboundsim.Garble} {
		for _, body := range bodies {
			answers := map[string]string{}
			for _, path := range []string{"/esim/topup", "/esim/query", "/balance/query", "/package/list"} {
				answers[path] = body
			}
			a := adapter(&operator{answers: answers}, fault)
			for name, call := range map[string]func(context.Context) error{
				"Extend":  func(ctx context.Context) error { _, err := a.Extend(ctx, asked); return err },
				"Prepare": func(ctx context.Context) error { _, err := a.Prepare(ctx, asked); return err },
				"LookUp": func(ctx context.Context) error {
					r, err := a.LookUp(ctx, asked)
					return errors.Join(err, errors.New(r.Why))
				},
				"Balance":  func(ctx context.Context) error { _, err := a.Balance(ctx); return err },
				"Packages": func(ctx context.Context) error { _, err := a.Packages(ctx, ours); return err },
			} {
				err := call(t.Context())
				if err == nil {
					t.Fatalf("%s: no error for %s", name, body)
				}
				for _, secret := range []string{secretKey, accessCode, card, card[:19], "89852246280001113110", "\x00"} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("%s: %q tells %q", name, err, secret)
					}
				}
			}
		}
	}
}
