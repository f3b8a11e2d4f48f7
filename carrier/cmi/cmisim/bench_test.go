package cmisim_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	sim "github.com/tsuzuku/tsuzuku/carrier/cmi/cmisim"
)

const (
	appKey    = "1cd6a5f869d64bd29a5fc30f36138593"
	appSecret = "testsecret"
	opening   = 100_000
	five      = "D250101" // 5 natural days, 1 GB in all
	daily     = "D250102" // 3 days of 500 MB
	dated     = "D250103" // begins on a date
	monthly   = "D250104"
	hours     = "D250105" // 2 x 24 h
	pack      = "R2402221627575904176"
	otherPack = "R2402291445123241410"
)

// t0 is early in the morning of 5 March in Beijing, and still 4 March in London.
var t0 = time.Date(2031, 3, 4, 22, 6, 7, 0, time.UTC)

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a simulator with a small catalogue, and a client of the test's own.
type bench struct {
	*sim.Sim
	clock *clock
	token string
	n     int // nonces
}

// open makes a bench; set may be nil. The manners are fixed unless it changes
// them.
func open(set func(*sim.Config)) *bench {
	c := &clock{now: t0}
	cfg := sim.Config{
		Now: c.Now, Rand: rand.New(rand.NewPCG(1, 2)), AppKey: appKey, AppSecret: appSecret, Deposit: opening, Webhook: "https://seller.example/cmi",
		Manners: sim.Manners{
			TokenStatus: "200", Busy: "429", Quota: "flat", QuotaCode: "0", Card: "cardInfo",
			NotNormal: "1000153", NoPackage: "1000031", Order: "newest", ICCID: "string",
		},
	}
	if set != nil {
		set(&cfg)
	}
	b := &bench{Sim: sim.New(cfg), clock: c}
	b.AddPack(sim.Pack{ID: pack, MB: 500, Price: 100})
	b.AddPack(sim.Pack{ID: otherPack, MB: 20480, Price: 900})
	b.AddPackage(sim.Package{ID: five, MB: 1024, Period: 5, PeriodType: 1, Price: 450, Packs: []string{pack}})
	b.AddPackage(sim.Package{ID: daily, MB: 500, Daily: true, Period: 3, PeriodType: 1, Price: 300, Packs: []string{pack}})
	b.AddPackage(sim.Package{ID: dated, MB: 1024, Period: 1, PeriodType: 1, Activation: 1, Price: 200})
	b.AddPackage(sim.Package{ID: monthly, MB: 1024, Period: 1, PeriodType: 2, Price: 900})
	b.AddPackage(sim.Package{ID: hours, MB: 1024, Period: 2, Price: 300})
	b.login()
	return b
}

// reply is what a call was told.
type reply struct {
	status int
	body   string
}

// at is what stands at a path of fields and indices; empty where nothing does.
func (r reply) at(path ...any) string {
	d := json.NewDecoder(strings.NewReader(r.body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return ""
	}
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return ""
			}
			v = l[key]
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func (r reply) code() string { return r.at("code") }

// digest is the test's own: base64 of SHA-256 over nonce, time and secret.
func digest(nonce, created, secret string) string {
	sum := sha256.Sum256([]byte(nonce + created + secret))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// headers are those of the document's samples.
func (b *bench) headers() http.Header {
	b.n++
	nonce, created := fmt.Sprintf("%032X", b.n), b.clock.Now().Format("2006-01-02T15:04:05Z")
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("Authorization", `WSSE realm="SDP", profile="UsernameToken", type="Appkey"`)
	h.Set("X-WSSE", fmt.Sprintf(`UsernameToken Username="%s",PasswordDigest="%s",Nonce="%s", Created="%s"`, appKey, digest(nonce, created, appSecret), nonce, created))
	return h
}

// send makes a call with these headers.
func (b *bench) send(op sim.Operation, h http.Header, body string) (reply, error) {
	r := httptest.NewRequest(http.MethodPost, "https://gds.example:39043/aep/"+string(op)+"/v1", strings.NewReader(body))
	r.Header = h
	w, err := b.Transport().RoundTrip(r)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	return reply{w.StatusCode, string(text)}, err
}

// do makes a call with the token among the fields.
func (b *bench) do(op sim.Operation, fields string) (reply, error) {
	return b.send(op, b.headers(), `{"accessToken":"`+b.token+`",`+fields+`}`)
}

func (b *bench) call(op sim.Operation, fields string) reply {
	r, err := b.do(op, fields)
	if err != nil {
		panic(err)
	}
	return r
}

func (b *bench) login() {
	r, err := b.send(sim.Token, b.headers(), `{"id":"`+appKey+`","type":106}`)
	if err != nil || r.at("accessToken") == "" {
		panic("no token: " + r.body)
	}
	b.token = r.at("accessToken")
}

// buy are the fields of an order of one package.
func buy(iccid, pack, third, code string) string {
	return `"thirdOrderId":"` + third + `","includeCard":0,"is_Refuel":"1","dataBundleId":"` + pack + `","quantity":1,"ICCID":"` + iccid +
		`","sendLang":"2","transactionCode":"` + code + `"`
}

func (b *bench) buy(iccid, pack, third, code string) reply {
	return b.call(sim.CreateOrder, buy(iccid, pack, third, code))
}

func (b *bench) refuel(iccid, pack string, quantity int) reply {
	return b.call(sim.CreateOrder, fmt.Sprintf(`"thirdOrderId":"r","includeCard":"0","is_Refuel":"0","refuelingId":"%s","quantity":"%d","ICCID":"%s"`, pack, quantity, iccid))
}

func (b *bench) bundles(iccid string) reply {
	return b.call(sim.UserBundles, `"iccid":"`+iccid+`","language":"2"`)
}

// statuses are those of a card's packages, oldest first.
func (b *bench) statuses(iccid string) string {
	var all []string
	for _, u := range b.Subscriptions(iccid) {
		all = append(all, fmt.Sprint(u.Status))
	}
	return strings.Join(all, " ")
}

// running is a card whose package began now.
func (b *bench) running(pack string) string {
	return b.AddCard(sim.Card{Package: pack, ActiveFrom: b.clock.Now()})
}
