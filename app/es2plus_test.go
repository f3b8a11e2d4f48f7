package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus/es2plussim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/hooks"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/certtest"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
)

const phoneName = "smdp.example.com"

// smdpConfig is a shop whose own SM-DP+ is at base, with certificates of an authority.
func smdpConfig(t *testing.T, ca *certtest.Authority, base string) Config {
	t.Helper()
	cert, key := certtest.Files(t, ca.Issue("shop.example.com"))
	return Config{
		Secret: "the secret of these tests, long enough", Manual: Manual{Within: time.Hour},
		ES2Plus: ES2Plus{
			SMDP:    SMDP{Base: base, Requester: "1.3.6.1.4.1.99999.1", Cert: cert, Key: key, CA: ca.File()},
			Address: phoneName, Renews: "manual", Listen: "127.0.0.1:0", Caller: []string{phoneName},
		},
	}
}

func smdpServer(t *testing.T, h http.Handler, ca *certtest.Authority) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{ca.Issue(phoneName)}, ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func quietEnv() Env {
	return Env{Now: time.Now, Random: bytes.NewReader(make([]byte, 1<<16)), Log: slog.New(slog.DiscardHandler)}
}

// The SM-DP+ is configured whole or not at all, with somebody who renews its lines; the
// two are one operator, and what is configured orders over mutual TLS.
func TestOwnSMDP(t *testing.T) {
	ca := certtest.New(t, "ours")
	sim := es2plussim.New(es2plussim.Config{Now: time.Now, Rand: rand.New(rand.NewPCG(1, 1)), Address: phoneName})
	sim.Add("TRAVEL", "8981100000000000017")
	c, env := smdpConfig(t, ca, smdpServer(t, sim, ca).URL), quietEnv()
	a, err := Real(c, env, id.NewSource(env.Now, env.Random))
	if err != nil {
		t.Fatal(err)
	}
	own := a.Carriers["es2plus"]
	if able := own.Abilities(); !able.Issues || !able.Reserves || !able.Finishes || !able.ByHand || able.SettlesWithin != time.Hour || a.Profiles == nil {
		t.Fatalf("%+v", able)
	}
	p := carrier.Purchase{Ref: "ord_1", Package: "TRAVEL"}
	if p.Snapshot, err = own.(carrier.Reserver).Reserve(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if got, err := own.(carrier.Issuer).Issue(t.Context(), p); err != nil || !strings.HasPrefix(got.Code, "LPA:1$"+phoneName+"$") || sim.Sold() != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	for name, spoil := range map[string]func(*Config){
		"without somebody who renews":  func(c *Config) { c.ES2Plus.Renews = "" },
		"an address without the rest":  func(c *Config) { c.ES2Plus = ES2Plus{Listen: "127.0.0.1:0"} },
		"half a certificate to listen": func(c *Config) { c.ES2Plus.ServeCert = c.ES2Plus.Cert },
	} {
		bad := c
		spoil(&bad)
		if bad.ES2Plus.check() == nil {
			t.Errorf("%s passes", name)
		}
	}
	for name, spoil := range map[string]func(*Config){
		"renewed by nobody":    func(c *Config) { c.ES2Plus.Renews = "tabi" },
		"renewed by itself":    func(c *Config) { c.ES2Plus.Renews = "es2plus" },
		"no certificate there": func(c *Config) { c.ES2Plus.Cert = "nowhere.pem" },
		"a key for its own":    func(c *Config) { c.ES2Plus.CA = c.ES2Plus.Key },
		"a point of the four":  func(c *Config) { c.ES2Plus.Point = map[int]carrier.ProfileState{3: carrier.ProfileEnabled} },
		"a state that is none": func(c *Config) { c.ES2Plus.Point = map[int]carrier.ProfileState{103: "lost"} },
		"a name with a dollar": func(c *Config) { c.ES2Plus.Address = "a$b" },
	} {
		bad := c
		spoil(&bad)
		if _, err := Real(bad, env, id.NewSource(env.Now, env.Random)); err == nil {
			t.Errorf("%s is built", name)
		}
	}
}

// What an SM-DP+ tells over mutual TLS becomes the line's, in whatever order it comes;
// who has another certificate, or none, is not heard.
func TestSMDPTellsOfProfiles(t *testing.T) {
	const iccid = "8981100000000000017"
	ca, other := certtest.New(t, "ours"), certtest.New(t, "somebody's")
	env := dbtest.SQLite(t)
	ownLine(t, env, iccid)
	c := smdpConfig(t, ca, "https://127.0.0.1:1")
	c.Database = env.URL
	outside := quietEnv()
	outside.Now = env.Clock.Now
	a, err := Open(t.Context(), c, outside, Real)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	door, ok, err := a.ProfileDoor()
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	l, err := door.Listener(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: door.Handler, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })

	client := func(c tls.Certificate) *http.Client {
		tr := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: ca.Pool(), ServerName: "shop.example.com", Certificates: []tls.Certificate{c}}}
		t.Cleanup(tr.CloseIdleConnections)
		return &http.Client{Transport: tr}
	}
	told := func(c *http.Client) *es2plussim.Sim {
		return phone(t, env, iccid, es2plussim.Config{
			Receiver: "https://" + l.Addr().String(), Client: c, Delivery: es2plussim.Delivery{Shuffle: true, RepeatPercent: 50},
		})
	}
	for name, c := range map[string]*http.Client{
		"another authority": client(other.Issue(phoneName)), "another name": client(ca.Issue("printer.example.com")), "no certificate": client(tls.Certificate{}),
	} {
		if told(c).Deliver(t.Context()) == nil {
			t.Errorf("%s was heard", name)
		}
	}
	if p, found := profileOf(t, env); found {
		t.Errorf("somebody was believed: %+v", p)
	}
	if err := told(client(ca.Issue(phoneName))).Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, found := profileOf(t, env); !found || p.State != line.ProfileDeleted {
		t.Errorf("%+v", p)
	}
	plain := httptest.NewRecorder()
	door.Handler.ServeHTTP(plain, httptest.NewRequest(http.MethodPost, "/gsma/rsp2/es2plus/handleNotification", strings.NewReader("{}")))
	if plain.Code != http.StatusForbidden {
		t.Errorf("without TLS: %d", plain.Code)
	}
	err = env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		refused, err := hooks.Refused(ctx, tx, "carrier/es2plus", 10)
		if len(refused) != 1 || refused[0].Reason != hooks.Forged {
			t.Errorf("refused: %+v", refused)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// phone is an SM-DP+ whose one profile was installed, switched on and off, and deleted,
// a second each.
func phone(t *testing.T, env dbtest.Env, iccid string, c es2plussim.Config) *es2plussim.Sim {
	t.Helper()
	at := env.DB.Now().Add(-time.Hour)
	c.Now, c.Rand, c.Address = func() time.Time { at = at.Add(time.Second); return at }, rand.New(rand.NewPCG(3, 4)), phoneName
	sim := es2plussim.New(c)
	sim.Add("TRAVEL", iccid)
	askSMDP(t, sim, "downloadOrder", `"iccid":"`+iccid+`"`)
	askSMDP(t, sim, "confirmOrder", `"iccid":"`+iccid+`","matchingId":"A1","releaseFlag":true`)
	for _, did := range []error{sim.Install("LPA:1$"+phoneName+"$A1", strings.Repeat("8", 32)), sim.Enable(iccid), sim.Disable(iccid), sim.Enable(iccid), sim.Delete(iccid)} {
		if did != nil {
			t.Fatal(did)
		}
	}
	return sim
}

func askSMDP(t *testing.T, sim http.Handler, function, fields string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, es2plussim.Prefix+function,
		strings.NewReader(`{"header":{"functionRequesterIdentifier":"1.2","functionCallIdentifier":"c"},`+fields+`}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Admin-Protocol", "gsma/rsp/v2.2.0")
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), "Executed-Success") {
		t.Fatal(w.Body)
	}
}

func ownLine(t *testing.T, env dbtest.Env, iccid string) {
	t.Helper()
	err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		file := bytes.Replace(catalogue.DemoFile(), []byte("carrier: simple"), []byte("carrier: es2plus"), 1)
		cat, _, err := catalogue.Apply(ctx, tx, file, "test")
		if err != nil {
			return err
		}
		for _, op := range cat.Operators {
			if op.Carrier == "es2plus" {
				return line.Add(ctx, tx, line.Line{Account: "ac_1", ID: "ln_1", Operator: op.ID, ProfileID: iccid, ICCID: iccid, State: line.New})
			}
		}
		t.Error("no operator of the demo is simple")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func profileOf(t *testing.T, env dbtest.Env) (p line.Profile, found bool) {
	t.Helper()
	err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		p, found, err = line.GetProfile(ctx, tx, "ac_1", "ln_1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, found
}
