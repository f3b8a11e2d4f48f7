package portal

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/leaving"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/seal"
)

// town is a shop with two customers, an operator and a card provider.
type town struct {
	t        *testing.T
	env      dbtest.Env
	server   *Server
	operator *carriersim.Sim
	bank     *bank
	log      *bytes.Buffer
	web      *httptest.Server
	aiko     account.Account
	other    account.Account
	lines    map[string]string // aiko's, by what they show
}

func newTown(t *testing.T) *town {
	t.Helper()
	env := dbtest.SQLite(t)
	w := &town{t: t, env: env, log: &bytes.Buffer{}, lines: map[string]string{}}
	ids := id.NewSource(env.Clock.Now, rand.NewChaCha8([32]byte{7}))
	w.operator = &carriersim.Sim{Now: env.Clock.Now}
	w.bank = &bank{now: env.Clock.Now}
	shelf := &catalogue.Shelf{}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	w.server = &Server{
		DB: env.DB, Shelf: shelf, Log: log, Advice: &advice.Adviser{DB: env.DB, Shelf: shelf, Log: log}, URL: "https://shop.example", PayOrigins: []string{"https://pay.example"},
		Door: &account.Door{DB: env.DB, IDs: ids, Secret: []byte("a secret of the tests"), Origin: "https://shop.example"},
		Desk: &order.Desk{
			DB: env.DB, IDs: ids, Shelf: shelf, Log: log, Wallet: order.WalletFull,
			Carriers:  map[string]carrier.Carrier{"simple": w.operator, "esimaccess": w.operator},
			Providers: map[string]payment.Provider{"bank": w.bank},
			Rails:     map[payment.Rail]string{payment.Card: "bank"},
		},
	}
	w.server.Papers = seal.New(identity.Purpose, "a secret of the tests", nil, nil)
	w.server.Leaving = &leaving.Office{DB: env.DB, Door: w.server.Door, Desk: w.server.Desk, Papers: w.server.Papers}
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "test")
		return err
	})
	w.aiko = w.customer("aiko@example.com", 12_000, ids)
	w.other = w.customer("other@example.com", 777, ids)
	w.settle(ids)
	w.web = httptest.NewServer(w.server.Handler())
	t.Cleanup(w.web.Close)
	return w
}

func (w *town) write(fn func(context.Context, db.Tx) error) {
	w.t.Helper()
	if err := w.env.DB.Write(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) customer(email string, yen int64, ids *id.Source) account.Account {
	w.t.Helper()
	a, err := db.Written(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) {
		a, err := account.Create(ctx, tx, ids, account.New{Email: email, Language: locale.En, Zone: "Asia/Shanghai"})
		if err != nil {
			return a, err
		}
		return a, ledger.Post(ctx, tx, ledger.Posting{Account: a.ID, Subject: "import", Step: "opening", Transfers: []ledger.Transfer{
			{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(yen, "JPY")},
			{From: ledger.Opening, To: ledger.Points, Amount: money.Of(340, money.Points)},
		}})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// settle gives aiko lines in different states, and the other one line.
func (w *town) settle(ids *id.Source) {
	const gb = 1 << 30
	now := w.env.Clock.Now()
	at := func(days float64) time.Time { return now.Add(time.Duration(days * 24 * float64(time.Hour))) }
	unlimited := func(used int64, throttled bool) line.Usage {
		return line.Usage{Unlimited: true, Total: 5 * gb, Used: used, Throttled: throttled, AsOf: now.Add(-12 * time.Minute)}
	}
	add := func(key string, owner account.Account, plan, term, name string, start, end time.Time, u line.Usage) {
		cat := catalogue.Demo()
		p := placeOf(cat, plan)
		l := line.Line{
			Account: owner.ID, ID: ids.Under("ln", owner.ID), Operator: p.op.ID, Plan: plan, Name: name, State: line.Active,
			ProfileID: "pf-" + key, ICCID: fmt.Sprintf("89811234567890%05d", len(w.lines)+4711), Anchor: 2, StartedAt: start, EndsAt: end,
			GraceEnds: renewal.GraceEnd(p.plan, end, p.loc), Periods: 1, Identity: true, Usage: u,
		}
		if key == "new" {
			l.StartedAt, l.EndsAt, l.GraceEnds, l.Periods, l.State = time.Time{}, time.Time{}, time.Time{}, 0, line.New
		}
		if key == "dead" {
			l.State = line.Terminal
		}
		w.write(func(ctx context.Context, tx db.Tx) error {
			if err := line.Add(ctx, tx, l); err != nil || l.Periods == 0 {
				return err
			}
			var b db.Batch
			line.AddPeriod(&b, line.Period{
				Account: owner.ID, Line: l.ID, Number: 1, Plan: plan, Term: term, Effect: "append", StartsAt: start, EndsAt: end, State: line.PeriodActive,
			}, tx.Now())
			if key == "queued" {
				line.AddPeriod(&b, line.Period{
					Account: owner.ID, Line: l.ID, Number: 2, Plan: plan, Term: term, Effect: "queue", StartsAt: end, EndsAt: end.Add(10 * day), State: line.PeriodQueued,
				}, tx.Now())
			}
			return tx.Batch(ctx, &b)
		})
		w.lines[key] = l.ID
	}
	add("fresh", w.aiko, "machi-5gb", "10d", "Aiko's phone", at(-1), at(5.5), unlimited(2*gb, false))
	add("volume", w.aiko, "machi-10gb", "10gb-15d", "Tablet", at(-2), at(2.2), line.Usage{Total: 10 * gb, Used: 6 * gb, AsOf: now.Add(-time.Hour)})
	add("throttled", w.aiko, "machi-5gb", "10d", "", at(-1), at(5.5), unlimited(5*gb, true))
	add("grace", w.aiko, "hinode-visitor-5", "5gb-21d", "Old card", at(-22), at(-1), line.Usage{Total: 5 * gb, Used: 5 * gb, AsOf: now.Add(-time.Hour)})
	add("dead", w.aiko, "sumire-voice", "15d", "Voice", at(-40), at(-10), line.Usage{})
	add("never", w.aiko, "tsumugi-light", "7d", "Light", at(-1), at(5), unlimited(0, false))
	add("queued", w.aiko, "kaigan-2gb", "", "Kaigan", at(-1), at(4), line.Usage{Total: 2 * gb, Used: gb, AsOf: now.Add(-time.Hour)})
	add("packs", w.aiko, "yokocho-base", "500mb-15d", "Base", at(-1), at(9), line.Usage{Total: 500 << 20, Used: 100 << 20, AsOf: now.Add(-time.Hour)})
	add("new", w.aiko, "koyomi-3gb", "", "Next trip", at(0), at(0), line.Usage{})
	add("other", w.other, "machi-5gb", "10d", "Secret line", at(-1), at(5.5), unlimited(2*gb, false))
}

// browser is somebody with a browser.
type browser struct {
	t      *testing.T
	town   *town
	client *http.Client
	header http.Header
}

func (w *town) browser(l locale.Language) *browser {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{
		t: w.t, town: w, header: http.Header{"Accept-Language": {string(l)}, "Accept-Encoding": {"gzip"}},
		client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// page is what came back.
type page struct {
	status int
	to     string
	html   string
	header http.Header
	bytes  int // compressed, with headers
}

func (b *browser) do(method, path string, form url.Values) page {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.town.web.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header = b.header.Clone()
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // a test
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	var head bytes.Buffer
	_ = res.Header.Write(&head)
	p := page{status: res.StatusCode, to: res.Header.Get("Location"), header: res.Header, bytes: len(raw) + head.Len() + len("HTTP/1.1 200 OK\r\n\r\n")}
	if res.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			b.t.Fatal(err)
		}
		if raw, err = io.ReadAll(z); err != nil {
			b.t.Fatal(err)
		}
	}
	if res.Header.Get("Content-Encoding") == "br" {
		if raw, err = io.ReadAll(brotli.NewReader(bytes.NewReader(raw))); err != nil {
			b.t.Fatal(err)
		}
	}
	p.html = string(raw)
	return p
}

func (b *browser) get(path string) page { b.t.Helper(); return b.do("GET", path, nil) }

// see gets a page that must be there.
func (b *browser) see(path string) page {
	b.t.Helper()
	p := b.get(path)
	if p.status != http.StatusOK {
		b.t.Fatalf("GET %s: %d to %q\n%s", path, p.status, p.to, clean(p.html))
	}
	return p
}

// post sends a form that must lead on, and returns where to.
func (b *browser) post(path string, form url.Values) string {
	b.t.Helper()
	p := b.do("POST", path, form)
	if p.status != http.StatusSeeOther {
		b.t.Fatalf("POST %s %v: %d\n%s", path, form, p.status, clean(p.html))
	}
	return p.to
}

// signIn signs in by the code that was sent.
func (b *browser) signIn(email string) *browser {
	b.t.Helper()
	b.town.env.Clock.Add(time.Second) // so that there is a newest code
	b.post("/sign-in", url.Values{"email": {email}})
	b.post("/sign-in/code", url.Values{"code": {b.town.lastCode()}})
	return b
}

// lastCode reads the newest sign-in code from the row that waits to be sent.
func (w *town) lastCode() string {
	w.t.Helper()
	var facts string
	err := w.env.DB.Read(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT facts FROM messages WHERE kind = 'sign_in_code' ORDER BY created_at DESC, id DESC LIMIT 1`).Scan(&facts)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var f struct{ Code string }
	if err := json.Unmarshal([]byte(facts), &f); err != nil {
		w.t.Fatal(err)
	}
	return f.Code
}

// link opens a reminder's link to one of aiko's lines.
func (b *browser) link(key string) *browser {
	b.t.Helper()
	w := b.town
	token, err := db.Written(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		return w.server.Door.MakeLink(ctx, tx, w.aiko.ID, w.lines[key], tx.Now().Add(7*day))
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if p := b.get("/r/" + token); p.status != http.StatusSeeOther || p.to != "/lines/"+w.lines[key]+"/renew" {
		b.t.Fatalf("link: %d to %q", p.status, p.to)
	}
	return b
}

// quote chooses something for one of aiko's lines, and returns the quote.
func (b *browser) quote(key, item string) string {
	b.t.Helper()
	to := b.post("/lines/"+b.town.lines[key]+"/renew", url.Values{"item": {item}, "currency": {"JPY"}})
	id, ok := strings.CutPrefix(to, "/quotes/")
	if !ok {
		b.t.Fatalf("choosing leads to %q", to)
	}
	return id
}

// confirm is the form of a review's page, as it stands there.
func (b *browser) confirm(quote, tool string) url.Values {
	b.t.Helper()
	html := b.see("/quotes/" + quote).html
	return url.Values{"amount": {hidden(b.t, html, "amount")}, "currency": {hidden(b.t, html, "currency")}, "tool": {tool}}
}

// hidden is the value of a hidden field.
func hidden(t *testing.T, html, name string) string {
	t.Helper()
	_, after, ok := strings.Cut(html, `type="hidden" name="`+name+`" value="`)
	if !ok {
		t.Fatalf("no hidden field %s in\n%s", name, html)
	}
	value, _, _ := strings.Cut(after, `"`)
	return value
}

func (w *town) balance() int64 {
	w.t.Helper()
	m, err := db.Seen(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) (money.Money, error) {
		return ledger.Balance(ctx, tx, w.aiko.ID, ledger.Wallet, "JPY")
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return m.Minor
}

func (w *town) orders() []order.Order {
	w.t.Helper()
	all, err := db.Seen(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) ([]order.Order, error) {
		return order.List(ctx, tx, w.aiko.ID, "", 50)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *town) number() {
	w.t.Helper()
	if _, err := (&billing.Numbering{DB: w.env.DB}).Step(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// bank is a card provider with a page of its own. It pays what is resumed,
// unless it declines.
type bank struct {
	now     func() time.Time
	mu      sync.Mutex
	decline payment.Reason
	asked   int
	stuck   bool // attempts cannot be closed
}

func (b *bank) Name() string { return "bank" }

func (b *bank) Limits() payment.Limits {
	return payment.Limits{
		Rails: []payment.Rail{payment.Card}, OwnPage: true, Keyed: true, Partial: true,
		Currencies: map[payment.Rail][]money.Currency{payment.Card: {"JPY", "USD"}},
	}
}

func (b *bank) Start(_ context.Context, a payment.Attempt) (payment.Observation, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked++
	return payment.Observation{
		State: payment.NeedsCustomer, ProviderID: "cs_" + a.Ref, Amount: a.Amount, AsOf: b.now(),
		Next: payment.Next{RedirectURL: "https://pay.example/" + a.Ref},
	}, nil
}

func (b *bank) Resume(_ context.Context, a payment.Attempt, _ url.Values) (payment.Observation, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.decline != "" {
		return payment.Observation{State: payment.Dead, Reason: b.decline, Amount: a.Amount, AsOf: b.now()}, nil
	}
	return payment.Observation{State: payment.Paid, Amount: a.Amount, AsOf: b.now()}, nil
}

func (b *bank) Query(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	return payment.Observation{State: payment.NeedsCustomer, Amount: a.Amount, AsOf: b.now()}, ctx.Err()
}

func (b *bank) Abandon(_ context.Context, a payment.Attempt) (payment.Observation, error) {
	if b.stuck {
		return payment.Observation{State: payment.NeedsCustomer, Amount: a.Amount, AsOf: b.now()}, nil
	}
	return payment.Observation{State: payment.Dead, Reason: payment.Abandoned, Amount: a.Amount, AsOf: b.now()}, nil
}

func (b *bank) Refund(_ context.Context, r payment.Refund) (payment.RefundObservation, error) {
	return payment.RefundObservation{State: payment.RefundDone, Found: true, Amount: r.Amount, AsOf: b.now()}, nil
}

func (b *bank) QueryRefund(_ context.Context, r payment.Refund) (payment.RefundObservation, error) {
	return payment.RefundObservation{State: payment.RefundDone, Found: true, Amount: r.Amount, AsOf: b.now()}, nil
}

func (b *bank) Notification(context.Context, http.Header, []byte) (payment.Doorbell, error) {
	return payment.Doorbell{}, payment.ErrForged
}

// restrict stops aiko's account from buying, as staff would.
func (w *town) restrict() {
	w.t.Helper()
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE accounts SET state = 'restricted' WHERE account_id = $1`, w.aiko.ID)
		return err
	})
}
