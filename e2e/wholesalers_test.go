package e2e

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/airalo"
	"github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
	"github.com/tsuzuku/tsuzuku/carrier/cmi"
	"github.com/tsuzuku/tsuzuku/carrier/cmi/cmisim"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus/es2plussim"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
	"github.com/tsuzuku/tsuzuku/carrier/esimgo"
	"github.com/tsuzuku/tsuzuku/carrier/esimgo/esimgosim"
	"github.com/tsuzuku/tsuzuku/carrier/manual"
	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/hooks"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/luhn"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/world"
)

// wholesalers are the columns of the table.
var wholesalers = []*wholesaler{&esimAccess, &airaloShop, &esimGo, &cmiGateway, &ownSMDP, &tabi, &byHand}

func path(end string) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, end) }
}

func chance(n uint64) *mathrand.Rand { return mathrand.New(mathrand.NewPCG(7, n)) }

var esimAccess = wholesaler{
	name: "esimaccess", gb: "binary", policy: "renewable: true, needs: [running], effect: append, data: carried, refund: before_use",
	code: "TOPUP_JP1", open: openESIMAccess,
	config: func(_ *testing.T, _ *market, c *app.Config) {
		c.ESIMAccess = app.ESIMAccess{AccessCode: world.AccessCode, SecretKey: world.AccessSecret, HookPath: world.AccessHook}
	},
	build: func(m *market, env app.Env, all *app.Adapters) error {
		all.Carriers["esimaccess"] = esimaccess.New(esimaccess.Config{AccessCode: world.AccessCode, SecretKey: world.AccessSecret}, m.client(), env.Now, nonces())
		return nil
	},
	verdict: map[string]verdict{
		"well": fine, "lost": back("operator_silent"), "silent": fine, "broken": fine, "half": fine, "slow": fine,
		"very-late": {ends: "refunded", reason: "operator_silent", served: 1, staff: "served_after_refund"},
		"busy":      fine, "away-shortly": fine, "away": back("operator_away"),
		"empty": back("no_balance"), "withdrawn": back("package_gone"), "dearer": fine,
		"ended": back("line_ended"), "ended-here": back("too_late"), "recycled": back("line_terminal"), "unknown": back("line_unknown"),
		"bells": fine, "no-bells": fine, "lag": fine,
		"queued":    none("it adds days and data to the plan that runs"),
		"gigabytes": fine, "number": fine, "dates": fine,
	},
}

func openESIMAccess(s *tale) booth {
	c := esimaccesssim.Config{
		Now: s.clock.Now, Rand: chance(s.number), AccessCode: world.AccessCode, SecretKey: world.AccessSecret,
		Balance: 5_000_0000, Webhook: "http://shop.invalid/hooks/carrier/esimaccess/" + world.AccessHook, UsageDelay: -1,
	}
	if s.is("lag") {
		c.UsageDelay = 2 * time.Hour
	}
	if s.is("number") {
		c.Manners.ICCID = "number"
	}
	sim := esimaccesssim.New(c)
	const day = 24 * time.Hour
	sim.AddPackage(esimaccesssim.Package{Code: "JP1", Slug: "JP_1_5", Name: "Japan 1 GB", Price: 18000, Volume: 1 << 30, Duration: 5})
	sim.AddPackage(esimaccesssim.Package{Code: "TOPUP_JP1", Slug: "JP_1_5", Name: "Japan 1 GB", Price: 18000, Volume: 1 << 30, Duration: 5})
	began := s.clock.Now().Add(-3 * day)
	if s.is("ended") {
		began = s.clock.Now().Add(-5*day + 10*time.Minute)
	}
	tran := sim.AddProfile(esimaccesssim.Profile{Package: "JP1", ActivatedAt: began})
	profile := carrier.Profile{ID: tran, ICCID: sim.Profile(tran).ICCID}
	if s.is("unknown") {
		profile = carrier.Profile{ID: "26000000000000", ICCID: nobodysCard}
	}
	return booth{
		handler: sim, acts: path("/esim/topup"), profile: profile,
		served: func() int { return len(sim.TopUps(tran)) }, next: sim.NextDue,
		rings: func() (all []ring) {
			for _, n := range sim.Notifications() {
				all = append(all, ring{at: n.DueAt, path: strings.TrimPrefix(n.URL, "http://shop.invalid"), header: n.Header, body: n.Body})
			}
			return all
		},
		much: 1500 << 20, dated: true, use: func(n int64) { sim.Use(tran, n) },
		figures: func() carrier.Status {
			p := sim.Profile(tran)
			return carrier.Status{Total: p.TotalVolume, Used: p.Used, EndsAt: p.EndsAt}
		},
		befalls: map[string]func(){
			"slow": func() { sim.ActAfter(4 * time.Minute) }, "very-late": func() { sim.ActAfter(2 * time.Hour) },
			"empty": func() { sim.SetBalance(0) }, "withdrawn": func() { sim.Withdraw("TOPUP_JP1") },
			"dearer": func() { sim.ChangePrice("TOPUP_JP1", 19000) }, "ended": func() { s.clock.Add(15 * time.Minute) },
			"recycled": func() { sim.Recycle(tran) }, "unknown": func() {},
		},
	}
}

// cardNumber is a well written ICCID.
func cardNumber(prefix string, n uint64) string {
	digits := fmt.Sprintf("%s%012d", prefix, n)
	return digits + string(rune(luhn.Digit(digits)))
}

// client reaches the operator as the app's own does, only that it does not wait: a
// limit of so many calls a second is kept by real clocks.
func (m *market) client() *outbound.Client { return outbound.New(outbound.Options{Transport: m.way}) }

// nonces are words that never repeat.
func nonces() func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("%032x", n) }
}

// nobodysCard is a number that is well written, and of no card.
const nobodysCard = "8985200000000000991"

const (
	inPlace    = "renewable: true, needs: [running], effect: append, data: carried, refund: before_use"
	waitsOwn   = "renewable: true, needs: [running], effect: queue, data: own, stack: {periods: 3}, refund: before_start"
	besideOwn  = "renewable: true, needs: [running], effect: parallel, data: own, refund: never"
	lateAtMost = 2 * time.Hour // later than any operator says that it can be
)

var airaloShop = wholesaler{
	name: "airalo", gb: "binary", policy: besideOwn, code: "moshi-topup", open: openAiraloShop,
	config: func(_ *testing.T, _ *market, c *app.Config) {
		c.Airalo = app.Airalo{ClientID: world.AiraloClient, ClientSecret: world.AiraloSecret}
	},
	build: func(m *market, env app.Env, all *app.Adapters) error {
		all.Carriers["airalo"] = airalo.New(airalo.Config{ClientID: world.AiraloClient, ClientSecret: world.AiraloSecret}, m.client(), env.Now)
		return nil
	},
	verdict: map[string]verdict{
		"well": fine, "lost": back("operator_silent"), "silent": fine, "broken": fine, "half": fine, "slow": fine,
		"very-late": {ends: order.Refunded, reason: "operator_silent", served: 1, staff: "served_after_refund"},
		"busy":      fine, "away-shortly": fine, "away": back("operator_away"),
		"empty": back("no_balance"), "withdrawn": back("package_gone"), "dearer": fine,
		"ended": back("line_ended"), "ended-here": back("too_late"), "recycled": back("line_terminal"), "unknown": back("line_unknown"),
		"bells": fine, "no-bells": fine, "lag": fine, "queued": fine, "gigabytes": fine,
		"number": none("it writes them as text"), "dates": fine,
	},
}

func openAiraloShop(s *tale) booth {
	c := airalosim.Config{Now: s.clock.Now, Rand: chance(s.number), ClientID: world.AiraloClient, ClientSecret: world.AiraloSecret, Balance: 5_000_00}
	if s.is("very-late") {
		c.SlowBy = lateAtMost
	}
	sim := airalosim.New(c)
	at := sim.AddOperator(airalosim.Operator{Title: "Moshi", Country: "JP", TopUpGraceDays: 1, Queues: s.is("queued")})
	sim.AddPackage(airalosim.Package{ID: "moshi-base", Operator: at, Price: 450, AmountMB: 1024, Days: 5})
	sim.AddPackage(airalosim.Package{ID: "moshi-topup", Operator: at, TopUp: true, Price: 450, AmountMB: 1024, Days: 5})
	began := s.clock.Now().Add(-72 * time.Hour)
	if s.is("ended") {
		began = s.clock.Now().Add(-6*24*time.Hour + 10*time.Minute) // and the day of grace ends, too
	}
	card := sim.AddLine(airalosim.Line{Package: "moshi-base", ActivatedAt: began})
	profile := carrier.Profile{ID: card, ICCID: card}
	if s.is("unknown") {
		profile = carrier.Profile{ID: nobodysCard, ICCID: nobodysCard}
	}
	const hook = "/hooks/carrier/airalo/signed"
	says := func(path string, payload map[string]string, token string) string {
		body, _ := json.Marshal(payload) // of strings
		r := httptest.NewRequest(http.MethodPost, airalosim.Prefix+path, strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		sim.ServeHTTP(rec, r)
		var answer struct {
			Data struct {
				Token string `json:"access_token"`
			} `json:"data"`
		}
		_ = json.Unmarshal(rec.Body.Bytes(), &answer) // a refusal shows in what is never told
		return answer.Data.Token
	}
	token := says("token", map[string]string{"client_id": world.AiraloClient, "client_secret": world.AiraloSecret, "grant_type": "client_credentials"}, "")
	says("notifications/opt-in", map[string]string{"type": "webhook_low_data", "webhook_url": "http://shop.invalid" + hook}, token)
	return booth{
		handler: sim, acts: path("/orders/topups"), profile: profile, next: sim.NextDue,
		served: func() int { return len(sim.TopUps(card)) },
		rings: func() (all []ring) {
			for _, n := range sim.Notifications() {
				all = append(all, ring{at: n.DueAt, path: hook, header: n.Header, body: n.Body, heard: func(status int) { sim.Answered(n.ID, status) }})
			}
			return all
		},
		much: 1900 << 20, dated: true, use: func(n int64) { sim.Use(card, n>>20) },
		figures: func() carrier.Status {
			l := sim.Line(card)
			return carrier.Status{Total: l.TotalMB << 20, Used: (l.TotalMB - l.LeftMB) << 20, EndsAt: l.EndsAt}
		},
		befalls: map[string]func(){
			"slow": func() { sim.Fail(airalosim.TopUpOrder, airalosim.Slow) }, "very-late": func() { sim.Fail(airalosim.TopUpOrder, airalosim.Slow) },
			"empty": func() { sim.SetBalance(0) }, "withdrawn": func() { sim.Withdraw("moshi-topup") },
			"dearer": func() { sim.ChangePrice("moshi-topup", 900, 900) }, "ended": func() { s.clock.Add(15 * time.Minute) },
			"recycled": func() { sim.Recycle(card) }, "unknown": func() {},
		},
	}
}

var esimGo = wholesaler{
	name: "esimgo", gb: "decimal", policy: waitsOwn, code: "esim_1GB_5D_JP_V2", open: openESIMGo,
	config: func(_ *testing.T, _ *market, c *app.Config) { c.ESIMGo = app.ESIMGo{APIKey: world.ESIMGoKey} },
	build: func(m *market, env app.Env, all *app.Adapters) error {
		all.Carriers["esimgo"] = esimgo.New(esimgo.Config{APIKey: world.ESIMGoKey}, m.client(), env.Now)
		return nil
	},
	verdict: map[string]verdict{
		"well": fine, "lost": back("operator_silent"), "silent": fine, "broken": fine, "half": fine, "slow": fine,
		"very-late": {ends: order.Refunded, reason: "operator_silent", served: 1, staff: "served_after_refund"},
		"busy":      fine, "away-shortly": fine, "away": back("operator_away"),
		"empty": back("no_balance"), "withdrawn": back("package_gone"), "dearer": fine,
		"ended":      none("it feeds an eSIM whose bundles are over"),
		"ended-here": back("too_late"), "recycled": back("line_terminal"), "unknown": back("line_unknown"),
		"bells": fine, "no-bells": fine, "lag": fine, "queued": fine, "gigabytes": fine, "number": fine, "dates": fine,
	},
}

func openESIMGo(s *tale) booth {
	const hook, base, more = "/hooks/carrier/esimgo/signed", "esim_base", "esim_1GB_5D_JP_V2"
	c := esimgosim.Config{Now: s.clock.Now, Rand: chance(s.number), APIKey: world.ESIMGoKey, Balance: 5_000_00, Webhook: "http://shop.invalid" + hook}
	if s.is("very-late") {
		c.SlowBy = lateAtMost
	}
	if s.is("number") {
		c.Manners.ICCID = "number"
	}
	if s.is("dates") {
		c.Manners.Created, c.Manners.Installed = "nanoseconds", "text"
	}
	sim := esimgosim.New(c)
	sim.AddBundle(esimgosim.Bundle{Name: base, MB: 1000, Days: 5, Price: 360})
	sim.AddBundle(esimgosim.Bundle{Name: more, MB: 1000, Days: 5, Price: 360})
	began := s.clock.Now().Add(-72 * time.Hour)
	card := sim.AddESIM(esimgosim.ESIM{ICCID: cardNumber("894310", s.number), Bundle: base, InstalledAt: began, UsedFrom: began})
	profile := carrier.Profile{ID: card, ICCID: card}
	if s.is("unknown") {
		profile = carrier.Profile{ID: nobodysCard, ICCID: nobodysCard}
	}
	return booth{
		handler: sim, profile: profile, next: sim.NextDue,
		acts: func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/orders") && says(r, `"transaction"`)
		},
		served: func() (n int) {
			for _, a := range sim.Assignments(card) {
				if a.Bundle == more {
					n++
				}
			}
			return n
		},
		rings: func() (all []ring) {
			for _, n := range sim.Notifications() {
				all = append(all, ring{at: n.DueAt, path: hook, header: n.Header, body: n.Body})
			}
			return all
		},
		much: 900_000_000, use: func(n int64) { sim.Use(card, n) },
		figures: func() (st carrier.Status) {
			for _, a := range sim.Assignments(card) {
				if a.State == "active" || a.State == "depleted" {
					st.Total, st.Used, st.EndsAt = st.Total+a.Total, st.Used+a.Total-a.Left, a.EndsAt
				}
			}
			return st
		},
		befalls: map[string]func(){
			"slow": func() { sim.Fail(esimgosim.PlaceOrder, esimgosim.None); sim.Fail(esimgosim.PlaceOrder, esimgosim.Slow) },
			"very-late": func() {
				sim.Fail(esimgosim.PlaceOrder, esimgosim.None) // the rehearsal
				sim.Fail(esimgosim.PlaceOrder, esimgosim.Slow)
			},
			"empty": func() { sim.SetBalance(0) }, "withdrawn": func() { sim.Withdraw(more) }, "dearer": func() { sim.ChangePrice(more, 720) },
			"recycled": func() { sim.Recycle(card, base) }, "unknown": func() {}, "lag": func() { sim.LagReads(100, 2*time.Hour) },
		},
	}
}

var cmiGateway = wholesaler{
	name: "cmi", gb: "binary", policy: waitsOwn, code: "D2403071535388188172", open: openCMI,
	config: func(_ *testing.T, _ *market, c *app.Config) {
		c.CMI = app.CMI{AppKey: world.CMIKey, AppSecret: world.CMISecret, Base: "http://cmi.invalid", Currency: "USD"}
	},
	build: func(m *market, env app.Env, all *app.Adapters) error {
		all.Carriers["cmi"] = cmi.New(cmi.Config{AppKey: world.CMIKey, AppSecret: world.CMISecret, BaseURL: "http://cmi.invalid"}, m.client(), env.Now, nonces())
		return nil
	},
	verdict: map[string]verdict{
		"well": fine, "lost": back("operator_silent"), "silent": fine, "broken": fine, "half": fine, "slow": fine,
		"very-late": {ends: order.Refunded, reason: "operator_silent", served: 1, staff: "served_after_refund"},
		"busy":      fine, "away-shortly": fine, "away": back("operator_away"),
		"empty": back("no_balance"), "withdrawn": back("package_gone"), "dearer": fine,
		"ended": back("line_ended"), "ended-here": back("too_late"), "recycled": back("line_terminal"), "unknown": back("line_unknown"),
		"bells": fine, "no-bells": fine, "lag": fine, "queued": fine, "gigabytes": fine, "number": fine, "dates": fine,
	},
}

func openCMI(s *tale) booth {
	const hook, base, more = "/hooks/carrier/cmi/signed", "D2403071535388188171", "D2403071535388188172"
	c := cmisim.Config{
		Now: s.clock.Now, Rand: chance(s.number), AppKey: world.CMIKey, AppSecret: world.CMISecret, Deposit: 5_000_00, Webhook: "http://shop.invalid" + hook,
	}
	if s.is("very-late") {
		c.SlowBy = lateAtMost
	}
	if s.is("number") {
		c.Manners.ICCID = "number"
	}
	sim := cmisim.New(c)
	sim.AddPackage(cmisim.Package{ID: base, MB: 1024, Period: 5, Price: 300})
	sim.AddPackage(cmisim.Package{ID: more, MB: 1024, Period: 5, Price: 300})
	card := sim.AddCard(cmisim.Card{ICCID: cardNumber("898523", s.number), Package: base, ActiveFrom: s.clock.Now().Add(-72 * time.Hour), ESIM: true})
	profile := carrier.Profile{ID: card, ICCID: card}
	if s.is("unknown") {
		profile = carrier.Profile{ID: nobodysCard, ICCID: nobodysCard}
	}
	var used int64
	return booth{
		handler: sim, acts: path("/" + string(cmisim.CreateOrder) + "/v1"), profile: profile, next: sim.NextDue,
		served: func() (n int) {
			for _, sub := range sim.Subscriptions(card) {
				if sub.Package == more && sub.Status != 99 {
					n++
				}
			}
			return n
		},
		rings: func() (all []ring) {
			for _, n := range sim.Notifications() {
				all = append(all, ring{at: n.DueAt, path: hook, header: n.Header, body: n.Body})
			}
			return all
		},
		much: 900 << 20, use: func(n int64) { used += n; sim.Use(card, n) },
		figures: func() carrier.Status {
			st := carrier.Status{Total: 1 << 30, Used: used}
			for _, sub := range sim.Subscriptions(card) {
				if sub.Status == 3 {
					st.EndsAt = sub.EndsAt
				}
			}
			return st
		},
		befalls: map[string]func(){
			"slow": func() { sim.Fail(cmisim.CreateOrder, cmisim.Slow) }, "very-late": func() { sim.Fail(cmisim.CreateOrder, cmisim.Slow) },
			"empty": func() { sim.SetBalance(0) }, "withdrawn": func() { sim.Withdraw(more) }, "dearer": func() { sim.ChangePrice(more, 400) },
			"ended": func() { sim.Expire(card) }, "recycled": func() { sim.Recycle(card, base) }, "unknown": func() {},
			"lag": func() { sim.LagReads(100, 2*time.Hour) },
		},
	}
}

var ownSMDP = wholesaler{
	name: "es2plus", gb: "binary", policy: inPlace, issues: true, code: "ESIM-JP-1", open: openSMDP,
	build: func(m *market, env app.Env, all *app.Adapters) error {
		hand, err := manual.New(time.Hour, env.Now)
		if err != nil {
			return err
		}
		e, err := es2plus.New(es2plus.Config{
			URL: "http://smdp.invalid", Requester: "1.3.6.1.4.1.99999.1", Address: "smdp.example", Secret: "the secret of these tests, long enough",
		}, hand, m.client(), env.Now, nonces())
		all.Carriers["es2plus"], m.teller = e, e
		return err
	},
	verdict: map[string]verdict{
		"well": fine, "lost": fine, "silent": fine, "broken": fine, "half": fine, "slow": fine, "very-late": fine,
		"busy": fine, "away-shortly": fine, "away": back("operator_away"),
		"empty": none("it is yours, and takes no money"), "withdrawn": back("package_gone"), "dearer": none("it is yours, and takes no money"),
		"ended": none(noData), "ended-here": none("there is no line yet"), "recycled": none("a profile that phones may have is never given again"),
		"unknown": none("it chooses the ICCID itself"),
		"bells":   fine, "no-bells": fine, "lag": none(noData), "queued": none(noData), "gigabytes": none(noData),
		"number": none("the specification writes them as text"), "dates": none("its notifications have RFC 3339, and are read in no other way"),
	},
}

const noData = "it knows nothing of data and its end: who renews its lines does"

func openSMDP(s *tale) booth {
	sim := es2plussim.New(es2plussim.Config{Now: s.clock.Now, Rand: chance(s.number), Address: "smdp.example"})
	for n := range 3 {
		if !s.is("withdrawn") {
			sim.Add("ESIM-JP-1", fmt.Sprintf("8981100000%04d%05d", s.number, n))
		}
	}
	profiles := (&hooks.Server{Desk: s.Desk, Log: s.Env.Log}).Profiles(s.teller)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{}}}} // what proves who sends is examined in package app
		profiles.ServeHTTP(w, r)
	}))
	s.ends = append(s.ends, server.Close)
	return booth{
		handler: sim, acts: path("/confirmOrder"), served: sim.Sold, door: server.URL,
		rings: func() (all []ring) {
			for _, n := range sim.Outbox() {
				all = append(all, ring{at: s.clock.Now(), path: n.Path, header: http.Header{"Content-Type": {"application/json"}}, body: n.Body})
			}
			return all
		},
		befalls: map[string]func(){
			"slow": func() { s.suffer("act_later", 1) }, "very-late": func() { s.suffer("act_later", 1) }, "withdrawn": func() {},
		},
		actions: map[string]func(*testing.T, *tale){
			"bells":    func(t *testing.T, s *tale) { s.installs(t, sim, line.ProfileEnabled) },
			"no-bells": func(t *testing.T, s *tale) { s.installs(t, sim, "") },
		},
	}
}

// installs is the customer who installs the new line and switches it on, off and on.
func (s *tale) installs(t *testing.T, sim *es2plussim.Sim, want line.ProfileState) {
	t.Helper()
	before(func(s *tale) { s.suffer("lose_answer", 1) })(t, s)
	var e line.ESIM
	var p line.Profile
	read := func() error {
		return s.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
			if e, _, err = line.GetESIM(ctx, tx, s.order.Account, s.order.Line); err == nil {
				p, _, err = line.GetProfile(ctx, tx, s.order.Account, s.order.Line)
			}
			return err
		})
	}
	err := read()
	if err == nil {
		e, err = e.Opened(s.Desk.Codes)
	}
	if err == nil {
		err = sim.Install(e.Code, "89049032123451234512345678901235")
	}
	iccid := fmt.Sprintf("8981100000%04d%05d", s.number, 0)
	for _, does := range []func(string) error{sim.Enable, sim.Disable, sim.Enable} {
		s.clock.Add(time.Minute)
		if err == nil {
			err = does(iccid)
		}
	}
	s.pass(t, 3*time.Hour)
	if err = cmp.Or(err, read()); err != nil || p.State != want {
		t.Errorf("the profile is %q, want %q; %v", p.State, want, err)
	}
}

var tabi = wholesaler{
	name: "tabi", gb: "binary", policy: inPlace, code: "JP1", open: openTabi,
	config: func(t *testing.T, m *market, c *app.Config) {
		server := httptest.NewServer(&remotesim.Sim{Key: tabiKey, Now: m.clock.Now})
		defer server.Close()
		able, err := app.RemoteServer{URL: server.URL, Key: tabiSecret}.Capabilities(t.Context(), app.Env{Now: m.clock.Now, Random: randomBytes{}})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(able)
		file := filepath.Join(t.TempDir(), "tabi.json")
		if err == nil {
			err = os.WriteFile(file, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Remote = app.Remote{
			URL: map[string]string{"tabi": "http://tabi.invalid/"}, Key: map[string]app.Secret{"tabi": tabiSecret}, Capabilities: map[string]string{"tabi": file},
		}
	},
	verdict: map[string]verdict{
		"well": fine, "lost": back("operator_silent"), "silent": fine, "broken": fine, "half": fine, "slow": fine,
		"very-late": {ends: order.Refunded, reason: "operator_silent", served: 1, staff: "served_after_refund"},
		"busy":      fine, "away-shortly": fine, "away": back("operator_away"),
		"empty": back("no_balance"), "withdrawn": back("package_gone"), "dearer": back("price_changed"),
		"ended": back("line_ended"), "ended-here": back("too_late"), "recycled": back("line_unknown"), "unknown": back("line_unknown"),
		"bells": fine, "no-bells": fine, "lag": fine, "queued": fine, "gigabytes": fine,
		"number": none("the contract writes them as text"), "dates": none("the contract writes RFC 3339, and nothing else is read"),
	},
}

var (
	tabiKey    = []byte("a key for tests, 32 bytes long.")
	tabiSecret = app.Secret("whsec_" + base64.StdEncoding.EncodeToString(tabiKey))
)

// randomBytes are good enough for a request of these tests.
type randomBytes struct{}

func (randomBytes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(mathrand.Uint32())
	}
	return len(p), nil
}

func openTabi(s *tale) booth {
	const hook = "/hooks/carrier/tabi/signed"
	sim := &remotesim.Sim{Key: tabiKey, Now: s.clock.Now, Queues: s.is("queued"), Packages: []remotesim.Package{{Code: "JP1", Bytes: 1 << 30, Days: 5}}}
	if s.is("lag") {
		sim.UsageDelay = 2 * time.Hour
	}
	id, card := fmt.Sprintf("L%d", s.number), fmt.Sprintf("898110000000%07d", s.number)
	now := s.clock.Now()
	l := remotesim.Line{ID: id, ICCID: card, Starts: now.Add(-72 * time.Hour), Ends: now.Add(48 * time.Hour), Total: 1 << 30}
	sim.Add(l)
	profile := carrier.Profile{ID: id, ICCID: card}
	if s.is("unknown") {
		profile.ICCID = nobodysCard
	}
	told := []ring(nil)
	change := func(what string, f func(*remotesim.Line)) {
		sim.Change(id, func(now *remotesim.Line) { f(now); l = *now })
		h, body := sim.Bell(fmt.Sprintf("evt_%s_%d", what, s.number), what, id)
		told = append(told, ring{at: s.clock.Now(), path: hook, header: h, body: body})
	}
	return booth{
		handler: sim, profile: profile, next: sim.NextDue,
		acts:   func(r *http.Request) bool { return says(r, `"call":"extend"`) },
		served: func() int { return sim.Extended(id, func(string) bool { return true }) },
		rings:  func() []ring { all := told; told = nil; return all },
		much:   900 << 20, dated: true, use: func(n int64) { change("usage", func(l *remotesim.Line) { l.Used += n }) },
		figures: func() carrier.Status {
			sim.Change(id, func(now *remotesim.Line) { l = *now })
			return carrier.Status{Total: l.Total, Used: l.Used, EndsAt: l.Ends}
		},
		befalls: map[string]func(){
			"slow": func() { sim.ActAfter(4 * time.Minute) }, "very-late": func() { sim.ActAfter(lateAtMost) },
			"empty": func() { sim.RefuseNext("no_balance") }, "withdrawn": func() { sim.Withdraw("JP1") }, "dearer": func() { sim.RefuseNext("price_changed") },
			"ended":    func() { change("ended", func(l *remotesim.Line) { l.Ends = s.clock.Now() }) },
			"recycled": func() { change("recycled", func(l *remotesim.Line) { l.ICCID = nobodysCard }) }, "unknown": func() {},
		},
	}
}

var byHand = wholesaler{
	name: "manual", gb: "binary", policy: inPlace, code: "the five days on their site", open: openByHand,
	config: func(_ *testing.T, _ *market, c *app.Config) { c.Manual.Within = 2 * time.Hour },
	verdict: map[string]verdict{
		"well": fine, "lost": none(nobodyCalls), "silent": {ends: order.Held, reason: "work_late", served: 1}, "broken": none(nobodyCalls), "half": none(nobodyCalls),
		"slow": fine, "very-late": {ends: order.Held, reason: "work_late", served: 1},
		"busy": none(nobodyCalls), "away-shortly": none(nobodyCalls), "away": {ends: order.Held, reason: "work_late"},
		"empty": back("operator_refuses"), "withdrawn": back("operator_refuses"), "dearer": back("operator_refuses"),
		"ended": back("operator_refuses"), "ended-here": back("too_late"), "recycled": back("operator_refuses"), "unknown": back("operator_refuses"),
		"bells": none(nobodyTells), "no-bells": none(nobodyTells), "lag": none(nobodyTells), "queued": none(nobodyTells), "gigabytes": none(nobodyTells),
		"number": none(nobodyTells), "dates": none(nobodyTells),
	},
}

const (
	nobodyCalls = "nobody is called"
	nobodyTells = "nobody tells anything but the staff"
)

func openByHand(s *tale) booth {
	done := 0
	mika := order.Act{Staff: "mika", Reason: "on their site"}
	work := func(after time.Duration, does, says bool) func(*testing.T, *tale) {
		return func(t *testing.T, s *tale) {
			s.asks(t)
			s.pays(t)
			s.pass(t, after)
			if does {
				done++
			}
			var err error
			switch {
			case says && does:
				_, err = s.Desk.Done(t.Context(), s.order.Ref(), order.Proof{Reference: "their-4711"}, mika)
			case says:
				_, err = s.Desk.NotDone(t.Context(), s.order.Ref(), mika)
			}
			if err != nil {
				t.Error(err)
			}
			s.pass(t, 3*time.Hour)
		}
	}
	acts := map[string]func(*testing.T, *tale){
		"well": work(20*time.Minute, true, true), "slow": work(110*time.Minute, true, true),
		"silent": work(20*time.Minute, true, false), "very-late": work(3*time.Hour, true, false), "away": work(time.Minute, false, false),
	}
	for _, refused := range []string{"empty", "withdrawn", "dearer", "ended", "recycled", "unknown"} {
		acts[refused] = work(20*time.Minute, false, true)
	}
	return booth{
		handler: http.NotFoundHandler(), profile: carrier.Profile{ID: fmt.Sprintf("hand-%d", s.number)},
		served: func() int { return done }, actions: acts,
	}
}
