package esimaccesssim_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	sim "github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
)

// The operator's published vector opens the door in either case of hex; with
// one character changed anywhere it does not.
func TestPublishedSignatureVector(t *testing.T) {
	const (
		body = `{"imsi":"326543826"}`
		sum  = "7eb765e27df5373dea2dbc8c41a7d9557743e46c8054750f3d851b3fd01d0835"
	)
	tests := []struct {
		name, body, sum, request, want string
	}{
		{"as published", body, sum, "4ce9d9cdac9e4e17b3a2c66c358c1ce2", "000105"}, // in, and no line named
		{"upper case", body, strings.ToUpper(sum), "4ce9d9cdac9e4e17b3a2c66c358c1ce2", "000105"},
		{"another body", `{"imsi":"326543827"}`, sum, "4ce9d9cdac9e4e17b3a2c66c358c1ce2", "101003"},
		{"another request id", body, sum, "4ce9d9cdac9e4e17b3a2c66c358c1ce3", "101003"},
		{"another sum", body, "8" + sum[1:], "4ce9d9cdac9e4e17b3a2c66c358c1ce2", "101003"},
		{"half a sum", body, sum[:32], "4ce9d9cdac9e4e17b3a2c66c358c1ce2", "101003"},
		{"not hex", body, "z" + sum[1:], "4ce9d9cdac9e4e17b3a2c66c358c1ce2", "101003"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(func(c *sim.Config) {
				c.AccessCode, c.SecretKey = "11111", "1111"
				c.Now = func() time.Time { return time.Unix(1628670421, 0) }
			})
			h := http.Header{}
			h.Set("RT-AccessCode", "11111")
			h.Set("RT-Timestamp", "1628670421")
			h.Set("RT-RequestID", tt.request)
			h.Set("RT-Signature", tt.sum)
			if got := b.send(t, http.MethodPost, "esim/suspend", tt.body, h).code(); got != tt.want {
				t.Errorf("code %q, want %q", got, tt.want)
			}
		})
	}
}

func TestHeadersAreChecked(t *testing.T) {
	const id, dashed = "0123456789abcdef0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef"
	millis := strconv.FormatInt(t0.UnixMilli(), 10)
	at := func(d time.Duration) string { return strconv.FormatInt(t0.Add(d).UnixMilli(), 10) }
	without := func(name string) func(http.Header) { return func(h http.Header) { h.Del(name) } }
	tests := []struct {
		name   string
		stamp  string
		id     string
		change func(http.Header)
		want   string
	}{
		{"milliseconds", millis, id, nil, ""},
		{"seconds", strconv.FormatInt(t0.Unix(), 10), id, nil, ""},
		{"request id with dashes", millis, dashed, nil, ""},
		{"just fresh", at(-5 * time.Minute), id, nil, ""},
		{"stale", at(-5*time.Minute - time.Millisecond), id, nil, "101001"},
		{"from the future", at(6 * time.Minute), id, nil, "101001"},
		{"timestamp of another length", millis + "0", id, nil, "000102"},
		{"timestamp in words", "yesterday", id, nil, "000102"},
		{"request id is no uuid", millis, "1", nil, "000102"},
		{"request id is too short", millis, id[:30], nil, "000102"},
		{"no access code", millis, id, without("RT-AccessCode"), "000101"},
		{"no timestamp", millis, id, without("RT-Timestamp"), "000101"},
		{"no request id", millis, id, without("RT-RequestID"), "000101"},
		{"no signature", millis, id, without("RT-Signature"), "000101"},
		{"another's access code", millis, id, func(h http.Header) { h.Set("RT-AccessCode", "other") }, "000102"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(func(c *sim.Config) { c.SecretKey = "secret" })
			h := signed("secret", tt.stamp, tt.id, access, "{}")
			if tt.change != nil {
				tt.change(h)
			}
			got := b.send(t, http.MethodPost, "balance/query", "{}", h)
			if got.code() != tt.want || got.Status != http.StatusOK {
				t.Errorf("code %q with HTTP %d, want %q with 200", got.code(), got.Status, tt.want)
			}
		})
	}
}

func TestMissingAccessCodeIsNamed(t *testing.T) {
	got := open(nil).send(t, http.MethodPost, "balance/query", "", http.Header{})
	if got.Text == nil || *got.Text != "Req Header:[RT-AccessCode] is null" {
		t.Errorf("text %v", got.Text)
	}
}

// Every error of the protocol comes with its own code, and is remembered.
func TestErrors(t *testing.T) {
	long := strings.Repeat("x", 51)
	tests := []struct{ name, path, body, want string }{
		{"bad JSON", "esim/topup", `{"esimTranNo":`, "000104"},
		{"no JSON", "esim/topup", ``, "000104"},
		{"JSON that is no object", "esim/topup", `[]`, "000104"},
		{"JSON null", "esim/topup", `null`, "000104"},
		{"number for a string", "esim/topup", `{"packageCode":1,"transactionId":"a"}`, "000104"},
		{"top-up without package", "esim/topup", `{"esimTranNo":"T","transactionId":"a"}`, "000105"},
		{"top-up with package null", "esim/topup", `{"esimTranNo":"T","packageCode":null,"transactionId":"a"}`, "000106"},
		{"top-up with package empty", "esim/topup", `{"esimTranNo":"T","packageCode":"","transactionId":"a"}`, "000106"},
		{"top-up without transaction", "esim/topup", `{"esimTranNo":"T","packageCode":"TOPUP_JP1"}`, "000105"},
		{"top-up with a long transaction", "esim/topup", topUp("T", "TOPUP_JP1", long), "000107"},
		{"top-up of nobody", "esim/topup", `{"packageCode":"TOPUP_JP1","transactionId":"a"}`, "000105"},
		{"top-up of a stranger", "esim/topup", topUp("nobody", "TOPUP_JP1", "a"), "310403"},
		{"top-up with an unknown package", "esim/topup", topUp("T", "TOPUP_X", "a"), "310241"},
		{"top-up with a base package", "esim/topup", topUp("T", "JP3", "a"), "310241"},
		{"top-up for another region", "esim/topup", topUp("T", "TOPUP_AS1", "a"), "310243"},
		{"top-up by the day of a fixed line", "esim/topup", topUp("T", "TOPUP_DAY", "a"), "310243"},
		{"top-up of a line that takes none", "esim/topup", topUp("N", "TOPUP_JP1", "a"), "310243"},
		{"top-up with days of a fixed package", "esim/topup", `{"esimTranNo":"T","packageCode":"TOPUP_JP1","transactionId":"a","periodNum":2}`, "200008"},
		{"top-up with another amount", "esim/topup", `{"esimTranNo":"T","packageCode":"TOPUP_JP1","transactionId":"a","amount":1}`, "200006"},
		{"top-up with a fraction", "esim/topup", `{"esimTranNo":"T","packageCode":"TOPUP_JP1","transactionId":"a","amount":1.5}`, "000104"},
		{"query without pager", "esim/query", `{"esimTranNo":"T"}`, "000105"},
		{"query with pager null", "esim/query", `{"esimTranNo":"T","pager":null}`, "000106"},
		{"query with small pages", "esim/query", `{"esimTranNo":"T","pager":{"pageNum":1,"pageSize":4}}`, "000107"},
		{"query with page 0", "esim/query", `{"esimTranNo":"T","pager":{"pageNum":0,"pageSize":5}}`, "000107"},
		{"query of nothing", "esim/query", `{` + pager + `}`, "000105"},
		{"query of an unknown order", "esim/query", `{"orderNo":"B0",` + pager + `}`, "310272"},
		{"query of an ICCID not in the order", "esim/query", `{"orderNo":"B1","iccid":"1",` + pager + `}`, "310403"},
		{"query with a bad time", "esim/query", `{"startTime":"noon","endTime":"night",` + pager + `}`, "000104"},
		{"usage of eleven", "esim/usage/query", `{"esimTranNoList":["1","2","3","4","5","6","7","8","9","10","11"]}`, "000107"},
		{"usage of none", "esim/usage/query", `{"esimTranNoList":[]}`, "000107"},
		{"order of an unknown package", "esim/order", `{"transactionId":"a","packageInfoList":[{"packageCode":"X","count":1}]}`, "310241"},
		{"order with another price", "esim/order", `{"transactionId":"a","packageInfoList":[{"packageCode":"JP3","count":1,"price":1}]}`, "200005"},
		{"order with another amount", "esim/order", `{"transactionId":"a","amount":1,"packageInfoList":[{"packageCode":"JP3","count":1}]}`, "200006"},
		{"order beyond the balance", "esim/order", `{"transactionId":"a","packageInfoList":[{"packageCode":"JP3","count":17}]}`, "200007"},
		{"order of two batches", "esim/order", `{"transactionId":"a","packageInfoList":[{"packageCode":"JPNO","count":16},{"packageCode":"JPNO","count":15}]}`, "200008"},
		{"order without list", "esim/order", `{"transactionId":"a"}`, "000105"},
		{"order of none", "esim/order", `{"transactionId":"a","packageInfoList":[{"packageCode":"JP3","count":0}]}`, "000107"},
		{"cancel of a running line", "esim/cancel", `{"esimTranNo":"T"}`, "200002"},
		{"unsuspend of a running line", "esim/unsuspend", `{"esimTranNo":"T"}`, "200002"},
		{"text that is too long", "esim/sendSms", `{"esimTranNo":"T","message":"` + strings.Repeat("あ", 501) + `"}`, "000107"},
		{"text to a line without texts", "esim/sendSms", `{"esimTranNo":"N","message":"hi"}`, "200002"},
		{"packages of an unknown ICCID", "package/list", `{"type":"TOPUP","iccid":"1"}`, "310403"},
		{"webhook that is no address", "webhook/save", `{"webhook":"here"}`, "000107"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(nil)
			for no, code := range map[string]string{"T": "JP3", "N": "JPNO"} {
				b.AddProfile(sim.Profile{TranNo: no, OrderNo: "B1", Package: code, ActivatedAt: t0})
			}
			got := b.post(t, tt.path, tt.body)
			if got.code() != tt.want || got.Status != http.StatusOK || got.Text == nil || string(got.Obj) != "null" {
				t.Errorf("answer %+v (code %q), want %q", got, got.code(), tt.want)
			}
			calls := b.Calls()
			if len(calls) != 1 || calls[0] != (sim.Call{At: t0, Path: tt.path, Code: tt.want}) {
				t.Errorf("calls %+v", calls)
			}
			if b.Balance() != 1_000_000 {
				t.Errorf("a refusal cost %d", 1_000_000-b.Balance())
			}
		})
	}
}

func TestWrongMethodPathAndBlockedAddress(t *testing.T) {
	b := open(nil)
	h := http.Header{"Rt-Accesscode": {access}}
	if got := b.send(t, http.MethodGet, "balance/query", "", h).code(); got != "000103" {
		t.Errorf("GET: %q, want 000103", got)
	}
	if got := b.send(t, http.MethodPost, "merchant/balance", "", h).Status; got != http.StatusNotFound {
		t.Errorf("unknown path: HTTP %d, want 404", got)
	}
	b.Block(true)
	if got := b.post(t, "balance/query", "").code(); got != "101002" {
		t.Errorf("blocked: %q, want 101002", got)
	}
	b.Block(false)
	if got := b.post(t, "balance/query", ""); !got.Success {
		t.Errorf("balance/query takes no empty body: %+v", got)
	}
}

func TestNinthRequestInASecondIsTurnedAway(t *testing.T) {
	for mode, want := range map[sim.Throttle]string{sim.ThrottleStatus: "429", sim.ThrottleBusy: "900001", sim.ThrottleOff: ""} {
		t.Run("mode="+string(mode), func(t *testing.T) {
			b := open(func(c *sim.Config) { c.Throttle = mode })
			for i := range 8 {
				if got := b.post(t, "balance/query", "").code(); got != "" {
					t.Fatalf("request %d: %s", i+1, got)
				}
				b.clock.add(100 * time.Millisecond)
			}
			if got := b.post(t, "balance/query", "").code(); got != want {
				t.Errorf("ninth: %q, want %q", got, want)
			}
			b.clock.add(200 * time.Millisecond) // a second after the first
			if got := b.post(t, "balance/query", "").code(); got != "" {
				t.Errorf("a second after the first: %q, want success", got)
			}
			if got := b.post(t, "balance/query", "").code(); got != want {
				t.Errorf("the one after that: %q, want %q", got, want)
			}
		})
	}
}
