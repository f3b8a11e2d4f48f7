package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/world"
)

// realAdapters are a shop's, connected with a town.
func realAdapters(url string, town *world.Strangers, ids *id.Source) (map[string]payment.Provider, error) {
	env := app.Env{Now: town.Clock.Now, Random: rand.Reader, Transport: town.Transport, Log: slog.New(slog.DiscardHandler)}
	all, err := app.Real(app.TownConfig(url, town), env, ids)
	return all.Providers, err
}

// only leaves one adapter of the real ones.
func only(name string) Adapters {
	return func(url string, town *world.Strangers, ids *id.Source) (map[string]payment.Provider, error) {
		all, err := realAdapters(url, town, ids)
		return map[string]payment.Provider{name: all[name]}, err
	}
}

// Every adapter is measured on every side that it has. That what was
// counted is stored and paid is checked by Payment itself.
func TestPaymentMeasuresEveryAdapter(t *testing.T) {
	r, err := Payment(t.Context(), PaymentOptions{
		Engine: db.SQLite, Adapters: realAdapters, Seconds: 1, Clients: 2, URL: filepath.Join(t.TempDir(), "bench.db"), Now: newTicking().Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range r.Adapters {
		names = append(names, a.Adapter)
		if a.ConfirmPerSecond <= 0 || a.Ask <= 0 {
			t.Errorf("nothing was measured: %+v", a)
		}
		if told := !proofs[a.Adapter].silent; told != (a.NotifyPerSecond > 0) || told != (a.VerifyPerSecond > 0) {
			t.Errorf("is told anything: %v, %+v", told, a)
		}
		if proven := proofs[a.Adapter].bare != nil; proven != (a.CryptoPerSecond > 0) || proven != (a.Ratio > 0) {
			t.Errorf("proven %v, limit %+v", proven, a)
		}
		if signs := proofs[a.Adapter].sign != nil; signs != (a.Sign > 0) {
			t.Errorf("signs its requests %v, %+v", signs, a)
		}
	}
	if d := cmp.Diff([]string{"stripe", "paypal", "linepay", "paypay", "alipay", "wechatpay", "antom"}, names); d != "" {
		t.Error(d)
	}
}

func TestPaymentOnPostgreSQL(t *testing.T) {
	env := dbtest.Postgres(t)
	r, err := Payment(t.Context(), PaymentOptions{
		Engine: db.PostgreSQL, Adapters: only("stripe"), Seconds: 1, Clients: 2, URL: env.URL, Now: newTicking().Now,
	})
	if err != nil || len(r.Adapters) != 1 || r.Adapters[0].ConfirmPerSecond <= 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPaymentOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, o := range []PaymentOptions{
		{Engine: "oracle", Seconds: 1, Clients: 1},
		{Engine: db.SQLite, Clients: 1},
		{Engine: db.SQLite, Seconds: 1},
		{Engine: db.SQLite, Seconds: 1, Clients: clientsMax + 1},
		{Engine: db.SQLite, Seconds: 1, Clients: 1, URL: ":memory:"},
	} {
		o.Adapters = realAdapters
		if _, err := Payment(t.Context(), o); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: err %v, want invalid", o, err)
		}
	}
}

// testTill is one adapter's till in a shop of its own.
func testTill(t *testing.T, env dbtest.Env, name string) *till {
	t.Helper()
	s := testShop(t, env, 0)
	tills, err := openTills(s, PaymentOptions{Adapters: only(name)})
	if err != nil || len(tills) != 1 {
		t.Fatalf("%d tills, %v", len(tills), err)
	}
	tills[0].open()
	return tills[0]
}

// The limit does the work that proves a notification: it accepts a genuine one
// and refuses it with one byte changed, or with another proof.
func TestTheLimitProvesWhatTheAdapterProves(t *testing.T) {
	for name, proof := range proofs {
		if proof.bare == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			till := testTill(t, dbtest.SQLite(t), name)
			lots, err := till.stock(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			n := lots[0].notices[0]
			accepts := func(n notice) bool {
				open, err := proof.bare(till.town.Keys, n)
				return err == nil && open()
			}
			if !accepts(n) {
				t.Error("a genuine notification is refused")
			}
			changed := notice{n.header, bytes.Replace(n.body, []byte(name[:1]), []byte("_"), 1)}
			if bytes.Equal(changed.body, n.body) {
				t.Fatalf("nothing to change in %s", n.body)
			}
			if accepts(changed) {
				t.Error("a changed one is accepted")
			}
			if _, err := till.provider.Notification(t.Context(), changed.header, changed.body); err == nil {
				t.Error("the adapter accepts a changed one")
			}
		})
	}
}

// A notification that nothing is stored of, or an order that is not paid, does
// not count, however fast it was.
func TestCheckFindsWhatIsNotStoredOrNotPaid(t *testing.T) {
	till := testTill(t, dbtest.SQLite(t), "stripe")
	lots, err := till.stock(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	check := func(notified, confirmed int) error {
		return till.shop.checkPayments(t.Context(), notified, confirmed)
	}
	if check(0, 0) != nil || check(1, 0) == nil || check(0, 1) == nil {
		t.Error("nothing has happened, and check says otherwise")
	}
	if err := till.notify(t.Context(), lots[0].notices[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := till.shop.desk.PaymentStep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := check(1, 1); err != nil {
		t.Error(err)
	}
}

// What only stores notifications leaves nothing to those who confirm.
func TestForgottenAttemptsAreNotAskedAbout(t *testing.T) {
	till := testTill(t, dbtest.SQLite(t), "stripe")
	lots, err := till.stock(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := till.notify(t.Context(), lots[0].notices[0]); err != nil {
		t.Fatal(err)
	}
	if err := till.shop.forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if worked, err := till.shop.desk.PaymentStep(t.Context()); worked || err != nil {
		t.Errorf("worked %v, %v", worked, err)
	}
}

// The adapter's own part of asking has nothing of the simulator's time.
func TestAskLeavesOutTheSimulator(t *testing.T) {
	env := dbtest.SQLite(t)
	till := testTill(t, env, "paypay")
	lots, err := till.stock(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	stranger := till.bank.Wire.Stranger
	till.bank.Wire.Stranger = timed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		env.Clock.Add(time.Second)
		stranger.ServeHTTP(w, r)
	}), till.shop.db.Now, till.stranger)
	till.provider = slowAdapter{till.provider, env.Clock.Add}
	var all tallies
	if err := till.ask(t.Context(), lots, &all); err != nil {
		t.Fatal(err)
	}
	if want := (clocked{n: 2, elapsed: 6 * time.Millisecond}); all.ask != want {
		t.Errorf("asked %+v, want %+v", all.ask, want)
	}
}

// slowAdapter takes three milliseconds of its own to ask.
type slowAdapter struct {
	payment.Provider
	pass func(time.Duration)
}

func (s slowAdapter) Query(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	s.pass(3 * time.Millisecond)
	return s.Provider.Query(ctx, at)
}

func TestPaymentRunOfTallies(t *testing.T) {
	var all tallies
	all.notify.add(100, 250*time.Millisecond, nil)
	all.confirm.add(30, 500*time.Millisecond, nil)
	all.verify = clocked{n: 1000, elapsed: 50 * time.Millisecond}
	all.crypto = clocked{n: 2000, elapsed: 60 * time.Millisecond}
	all.ask = clocked{n: 4, elapsed: 5 * time.Millisecond}
	all.sign = clocked{n: 10, elapsed: 7 * time.Millisecond}
	want := PaymentRun{
		Adapter: "alipay", Rail: payment.Alipay, Proof: "RSA-2048", NotifyPerSecond: 400, VerifyPerSecond: 20_000, CryptoPerSecond: 33_333,
		Overhead: 20_000, Ratio: 600, Ask: 1_250_000, Sign: 700_000, ConfirmPerSecond: 60,
	}
	if d := cmp.Diff(want, paymentRunOf("alipay", payment.Alipay, "RSA-2048", all)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(PaymentRun{}, paymentRunOf("", "", "", tallies{})); d != "" {
		t.Errorf("of nothing: %s", d)
	}
}

func TestPaymentReportIsOneObjectAndATable(t *testing.T) {
	r := PaymentResult{Engine: db.SQLite, Seconds: 3, Clients: 8, CPUs: 2, Adapters: []PaymentRun{
		{
			Adapter: "alipay", Rail: payment.Alipay, Proof: "RSA-2048", NotifyPerSecond: 400, VerifyPerSecond: 20_000, CryptoPerSecond: 33_333,
			Overhead: 20_001, Ratio: 600, Ask: 1_250_000, Sign: 700_000, ConfirmPerSecond: 60,
		},
		{Adapter: "paypay", Rail: payment.PayPay, Proof: "nothing", NotifyPerSecond: 500, VerifyPerSecond: 300_000, Overhead: 3_333, Ask: 900, ConfirmPerSecond: 70},
	}}
	var programs, people bytes.Buffer
	if err := r.Report(&programs, &people); err != nil {
		t.Fatal(err)
	}
	var back PaymentResult
	if err := json.Unmarshal(programs.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, back); d != "" {
		t.Errorf("the object does not say what the result says: %s", d)
	}
	if want := `"notify_per_second":400,"verify_per_second":20000,"crypto_per_second":33333,"overhead_us":20.001,"ratio":0.600,`; !strings.Contains(programs.String(), want) {
		t.Errorf("%s lacks %s", programs.String(), want)
	}
	want := "" +
		"sqlite, notifications of payments, 8 clients, 3 s each, 2 CPUs\n" +
		"  adapter     proof  notify/s  verify/s  crypto/s  overhead µs  ratio    ask µs  sign µs  confirm/s\n" +
		"   alipay  RSA-2048       400     20000     33333       20.001  0.600  1250.000  700.000         60\n" +
		"   paypay   nothing       500    300000         -        3.333      -     0.900        -         70\n"
	if d := cmp.Diff(want, people.String()); d != "" {
		t.Error(d)
	}
}

// A provider that is new in the town is measured, too, unless it tells nothing.
func TestEveryBankThatTellsHasAProof(t *testing.T) {
	keys, err := world.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	town := world.NewStrangers(&world.Clock{Real: newTicking().Now}, shopURL, 1, keys)
	for _, bank := range town.Banks {
		if _, measured := proofs[bank.Name]; !measured && bank.Name != "linepay" {
			t.Errorf("%s is not measured", bank.Name)
		}
	}
}
