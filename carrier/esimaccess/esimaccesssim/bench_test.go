package esimaccesssim_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	sim "github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
)

const (
	gib    = int64(1) << 30
	access = "access-code"
)

var t0 = time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC)

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a simulator with a small catalogue.
type bench struct {
	*sim.Sim
	clock *clock
}

// tame answers always in the same manner.
func tame() sim.Manners {
	return sim.Manners{
		ErrorCode: "0", Times: "offset", Revoked: "documented", ICCID: "string", UsageList: "object",
		EndedCode: "200002", PriceCode: "200006", GoneCode: "310241",
	}
}

func open(edit func(*sim.Config)) bench {
	c := &clock{now: t0}
	cfg := sim.Config{
		Now: c.Now, Rand: rand.New(rand.NewPCG(1, 2)), AccessCode: access, Balance: 1_000_000,
		Webhook: "https://shop.example/hook", Manners: tame(),
	}
	if edit != nil {
		edit(&cfg)
	}
	s := sim.New(cfg)
	s.AddPackage(sim.Package{Code: "JP3", Slug: "JP_3_30", Name: "Japan 3GB 30Days", Price: 60_000, Volume: 3 * gib, Duration: 30, SMSStatus: 1})
	s.AddPackage(sim.Package{Code: "JPNO", Slug: "JP_9_9", Price: 1000, Volume: gib, Duration: 9, SupportTopUpType: 1})
	s.AddPackage(sim.Package{Code: "JPDAY", Slug: "JP_1_DAY", Price: 10_000, Volume: gib, DataType: 3, FUPPolicy: "384 Kbps"})
	s.AddPackage(sim.Package{Code: "AS1", Slug: "AS_1_7", Price: 20_000, Volume: gib, Duration: 7, Location: "JP,KR,TW", LocationCode: "AS-3"})
	s.AddPackage(sim.Package{Code: "GL1", Slug: "GL_1_7", Price: 90_000, Volume: gib, Duration: 7, Location: "JP,US,FR", LocationCode: "GL-3"})
	s.AddPackage(sim.Package{Code: "TOPUP_JP1", Slug: "JP_1_7", Price: 25_000, Volume: gib, Duration: 7})
	s.AddPackage(sim.Package{Code: "TOPUP_JP3", Slug: "JP_3_30", Price: 55_000, Volume: 3 * gib, Duration: 30})
	s.AddPackage(sim.Package{Code: "TOPUP_DAY", Slug: "JP_1_DAY", Price: 9_000, Volume: gib, DataType: 3})
	s.AddPackage(sim.Package{Code: "TOPUP_AS1", Slug: "AS_1_7", Price: 19_000, Volume: gib, Duration: 7, Location: "JP,KR,TW", LocationCode: "AS-3"})
	return bench{s, c}
}

// running seeds a line in use, ten days before its end.
func (b bench) running() string {
	return b.AddProfile(sim.Profile{Package: "JP3", ActivatedAt: t0.AddDate(0, 0, -20)})
}

// reply is an answer as a stranger reads it.
type reply struct {
	Status  int             `json:"-"`
	Success bool            `json:"success"`
	Code    *string         `json:"errorCode"`
	Text    *string         `json:"errorMsg"`
	Obj     json.RawMessage `json:"obj"`
}

// code is empty for success.
func (r reply) code() string {
	if r.Success {
		return ""
	}
	if r.Code == nil {
		return strconv.Itoa(r.Status)
	}
	return *r.Code
}

func (b bench) send(t testing.TB, method, path, body string, h http.Header) reply {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, sim.Prefix+path, strings.NewReader(body))
	r.Header = h
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	got := reply{Status: w.Code}
	raw, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatalf("%s: %v in %s", path, err, raw)
		}
	}
	return got
}

func (b bench) post(t testing.TB, path, body string) reply {
	t.Helper()
	return b.send(t, http.MethodPost, path, body, http.Header{"Rt-Accesscode": {access}})
}

// must posts and reads obj.
func must[T any](t testing.TB, b bench, path, body string) T {
	t.Helper()
	r := b.post(t, path, body)
	if !r.Success {
		t.Fatalf("%s %s: refused with %s %v", path, body, r.code(), r.Text)
	}
	var v T
	d := json.NewDecoder(bytes.NewReader(r.Obj))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v in %s", path, err, r.Obj)
	}
	return v
}

type line struct {
	EsimTranNo    string `json:"esimTranNo"`
	ICCID         string `json:"iccid"`
	Status        string `json:"esimStatus"`
	SMDP          string `json:"smdpStatus"`
	EID           string `json:"eid"`
	Activated     any    `json:"activateTime"`
	Expires       string `json:"expiredTime"`
	TotalVolume   int64  `json:"totalVolume"`
	TotalDuration int    `json:"totalDuration"`
	Used          int64  `json:"orderUsage"`
	Rows          []any  `json:"packageList"`
}

type lines struct {
	List  []line                                 `json:"esimList"`
	Pager struct{ PageSize, PageNum, Total int } `json:"pager"`
}

const pager = `"pager":{"pageNum":1,"pageSize":50}`

func (b bench) query(t testing.TB, tranNo string) line {
	t.Helper()
	got := must[lines](t, b, "esim/query", `{"esimTranNo":"`+tranNo+`",`+pager+`}`)
	if len(got.List) != 1 {
		t.Fatalf("%d lines for %s, want 1", len(got.List), tranNo)
	}
	return got.List[0]
}

func topUp(tranNo, code, id string) string {
	return `{"esimTranNo":"` + tranNo + `","packageCode":"` + code + `","transactionId":"` + id + `"}`
}

// signed makes the four headers by the published formula.
func signed(secret, stamp, request, accessCode, body string) http.Header {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(stamp + request + accessCode + body))
	h := http.Header{}
	h.Set("RT-AccessCode", accessCode)
	h.Set("RT-Timestamp", stamp)
	h.Set("RT-RequestID", request)
	h.Set("RT-Signature", hex.EncodeToString(m.Sum(nil)))
	return h
}
