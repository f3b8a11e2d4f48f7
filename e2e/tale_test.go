package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/inboxsim"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// market is a house that buys from one operator. All strangers are reached over real
// connections, and time passes when a tale says so.
type market struct {
	*app.App
	at    *wholesaler
	clock *dbtest.Clock
	card  *stripesim.Sim
	inbox *inboxsim.Inbox
	shop  string // where the house is
	way   *way   // to the operator
	tales uint64 // that were told here

	teller carrier.ProfileTeller // may be nil
	ends   []func()              // of what was opened for tales
}

// tale is one customer at a market, who pays by card. The operator knows of no other.
type tale struct {
	*market
	mishap string
	number uint64
	booth  booth
	email  string
	line   line.Line
	order  order.Order
	ref    string // of the payment
	rings  []ring // that have not arrived
}

// booth is an operator's end of a story: what its simulator makes of it.
type booth struct {
	handler http.Handler
	acts    func(*http.Request) bool // requests that feed a line, or make one
	profile carrier.Profile          // the customer's line there
	served  func() int               // how often it was really fed for us
	next    func() (time.Time, bool) // when something happens there by itself; may be nil
	rings   func() []ring            // what it has to tell; may be nil
	door    string                   // where it tells us, if not at the shop's address
	much    int64                    // bytes, of whose use it tells
	use     func(bytes int64)        // the customer goes online; may be nil
	dated   bool                     // its figures say how old they are
	figures func() carrier.Status    // the truth about the line; may be nil
	befalls map[string]func()        // what only this operator can arrange, by mishap
	actions map[string]func(*testing.T, *tale)
}

// ring is one notification on its way to us.
type ring struct {
	at     time.Time
	path   string
	header http.Header
	body   []byte
	heard  func(status int) // may be nil
}

// wholesaler is an operator of the table.
type wholesaler struct {
	name    string // of its adapter, and of its column
	gb      string // how the catalogue counts its data
	policy  string
	issues  bool   // the stories are of new lines: it feeds none
	code    string // of what is bought
	open    func(*tale) booth
	config  func(*testing.T, *market, *app.Config)
	build   func(*market, app.Env, *app.Adapters) error
	verdict map[string]verdict
}

const (
	storyKey, storySecret = "sk_test_story", "whsec_story"

	payHook = "/hooks/payment/stripe"
)

func (w *wholesaler) catalogue() []byte {
	packages := "package: " + w.code
	if w.issues {
		packages += ", new_package: " + w.code
	}
	return fmt.Appendf(nil, `
seller:
  name: Corner Shop
  contact: help@shop.example
  zone: Asia/Tokyo
  address: 1-2-3 Example, Chiyoda-ku, Tokyo 100-0000
  base_currency: JPY
  taxes:
    - {id: standard, percent: 10}
operators:
  - {id: upstream, name: Upstream, carrier: %s, zone: UTC, gb: %s}
networks:
  - {id: docomo, name: NTT DOCOMO, plmns: [440-10], bands: [B1, B3, B19, n78]}
plans:
`+planText(usual, packages, w.policy)+planText(waits, packages, waitsOwn), w.name, w.gb)
}

// The plans of a market: as its operator mostly does it, and one whose packages wait
// for the end of what runs.
const usual, waits = "japan", "japan-waits"

func planText(id, packages, policy string) string {
	return fmt.Sprintf(`  - id: %s
    operator: upstream
    network: docomo
    name: {en: Japan, zh-Hans: 日本, ja: 日本}
    kind: volume
    facts: {tethering: true, five_g: true, address_in: GB, esim: true}
    activation: {start: first_use, deadline: 90d}
    terms:
      - {id: more, length: 5x24h, volume: 1 GB, %s, prices: {JPY: 1780}}
    policy: {%s}
    tax_class: standard
    rules_date: 2026-11-20
    rules_source: the tale itself
`, id, packages, policy)
}

// market opens the house.
func (w *wholesaler) market(t *testing.T) *market {
	t.Helper()
	env := dbtest.SQLite(t)
	m := &market{at: w, clock: env.Clock, inbox: &inboxsim.Inbox{Now: env.Clock.Now}}
	m.card = stripesim.New(stripesim.Config{
		Key: storyKey, WebhookSecret: storySecret, Now: env.Clock.Now, PageBase: "http://shop.invalid/sim/stripe", Rand: chance(0),
	})
	m.way = newWay(t, nil)
	bank := newWay(t, m.card)
	c := app.Config{
		URL: "http://shop.invalid", Database: env.URL, Secret: "nobody knows this secret of the story's house",
		Wallet: order.WalletFull, QuoteTTL: 30 * time.Minute,
		Stripe: app.Stripe{Key: storyKey, WebhookSecret: []app.Secret{storySecret}},
	}
	if w.config != nil {
		w.config(t, m, &c)
	}
	world := app.Env{Now: env.Clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler), Transport: func(stranger string) http.RoundTripper {
		if stranger == "stripe" {
			return bank
		}
		return m.way
	}}
	var err error
	m.App, err = app.Open(t.Context(), c, world, func(c app.Config, env app.Env, ids *id.Source) (app.Adapters, error) {
		all, err := app.Real(c, env, ids)
		if err == nil {
			all.Deliverers[message.Email] = m.inbox
		}
		if err == nil && w.build != nil {
			err = w.build(m, env, &all)
		}
		return all, err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	err = m.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, w.catalogue(), "e2e")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, end := range m.ends {
			end()
		}
	})
	house := httptest.NewServer(m.Handler())
	t.Cleanup(house.Close)
	m.shop = house.URL
	return m
}

// tale brings a customer, who holds a line with two days left, at an operator to whom
// something will happen. Nothing of who was here before is due any more.
func (m *market) tale(t *testing.T, mishap string) *tale {
	t.Helper()
	m.tales++
	s := &tale{market: m, mishap: mishap, number: m.tales, email: fmt.Sprintf("mei-%d@example.com", m.tales)}
	for _, quiet := range []string{`UPDATE lines SET look_at = NULL`, `UPDATE refunds SET due_at = NULL`, `UPDATE late_looks SET due_at = NULL`} {
		err := m.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { _, err := tx.Exec(ctx, quiet); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	if m.tales > 1 {
		s.pass(t, 10*time.Minute) // who was left alone is asked how it is
	}
	s.booth = m.at.open(s)
	m.way.opens(s.booth.handler)
	s.settle(t)
	return s
}

// settle brings the customer and their line.
func (s *tale) settle(t *testing.T) {
	t.Helper()
	var customer account.Account
	err := s.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		cat, err := s.Shelf.Current(ctx, tx)
		if err != nil {
			return err
		}
		if customer, err = account.Create(ctx, tx, s.IDs, account.New{Name: "Mei", Email: s.email}); err != nil || s.at.issues {
			return err
		}
		plan, _ := cat.Plan(s.plan())
		began, ends := tx.Now().Add(-72*time.Hour), tx.Now().Add(48*time.Hour)
		if s.mishap == "ended-here" {
			ends = tx.Now().Add(20 * time.Minute)
		}
		s.line = line.Line{
			Account: customer.ID, ID: s.IDs.Under("ln", customer.ID), Operator: plan.Operator, Plan: plan.ID,
			ProfileID: s.booth.profile.ID, ICCID: s.booth.profile.ICCID,
			State: line.Active, StartedAt: began, EndsAt: ends, GraceEnds: ends, Periods: 1,
			Usage: line.Usage{Total: plan.Terms[0].Volume, AsOf: tx.Now().Add(-time.Hour)},
		}
		if err := line.Add(ctx, tx, s.line); err != nil {
			return err
		}
		var b db.Batch
		line.AddPeriod(&b, line.Period{
			Account: customer.ID, Line: s.line.ID, Number: 1, Plan: plan.ID, Term: plan.Terms[0].ID, Effect: string(catalogue.Append),
			StartsAt: began, EndsAt: ends, State: line.PeriodActive,
		}, tx.Now())
		return tx.Batch(ctx, &b)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.line.Account = customer.ID
}

func (s *tale) plan() string {
	if s.is("queued") {
		return waits
	}
	return usual
}

// asks accepts an offer and opens the page of the card; the customer has not paid yet.
func (s *tale) asks(t *testing.T) {
	t.Helper()
	var q order.Quote
	var err error
	if s.at.issues {
		q, err = s.Desk.QuoteNew(t.Context(), s.line.Account, s.plan(), "more", "JPY")
	} else {
		q, err = s.Desk.Quote(t.Context(), s.line.Account, s.line.ID, renewal.Item{Kind: renewal.Term, Plan: s.plan(), ID: "more"}, "JPY")
	}
	if err == nil {
		s.order, err = s.Desk.Place(t.Context(), order.Acceptance{Account: q.Account, Quote: q.ID, Amount: q.Price, Tool: catalogue.Tool(payment.Card)})
	}
	if err != nil {
		t.Fatal(err)
	}
	back := "http://shop.invalid/orders/" + s.order.ID
	p, err := s.Desk.Pay(t.Context(), s.order.Ref(), payment.Card, order.Ways{Return: back, Cancel: back})
	if err != nil {
		t.Fatal(err)
	}
	s.ref = p.Ref
}

// pays is the customer at the page of the card, who then comes back.
func (s *tale) pays(t *testing.T) {
	t.Helper()
	if _, err := s.card.Pay(s.ref); err != nil {
		t.Fatal(err)
	}
	if err := s.Desk.Resume(t.Context(), s.order.Ref(), nil); err != nil {
		t.Fatal(err)
	}
	s.work(t)
}

// pass lets time go by, from one thing that is due to the next.
func (s *tale) pass(t *testing.T, d time.Duration) {
	t.Helper()
	end := s.clock.Now().Add(d)
	for range 2000 {
		s.work(t)
		next := s.next(t)
		if next.IsZero() || !next.Before(end) {
			break
		}
		if least := s.clock.Now().Add(time.Second); next.Before(least) {
			next = least // it is due, and waits for room
		}
		s.clock.Set(next)
	}
	s.clock.Set(end)
	s.work(t)
}

// dueRows is when something is due next, by the step that does it.
const dueRows = `SELECT 'orders', MIN(due_at) FROM orders UNION ALL SELECT 'payments', MIN(due_at) FROM payments
	UNION ALL SELECT 'refunds', MIN(due_at) FROM refunds UNION ALL SELECT 'late service', MIN(due_at) FROM late_looks
	UNION ALL SELECT 'usage', MIN(look_at) FROM lines UNION ALL SELECT 'messages', MIN(due_at) FROM messages
	UNION ALL SELECT 'bill numbers', MIN(issued_at) FROM bills WHERE number IS NULL`

// due is when each step has something to do next; what has nothing is not there.
func (s *tale) due(t *testing.T) map[string]time.Time {
	t.Helper()
	all := map[string]time.Time{}
	err := s.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		clear(all)
		rows, err := tx.Query(ctx, dueRows)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var step string
			var at db.Instant
			if err := rows.Scan(&step, &at); err != nil {
				return err
			}
			if !at.IsZero() {
				all[step] = at.Time
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (s *tale) next(t *testing.T) (first time.Time) {
	t.Helper()
	sooner := func(at time.Time) {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	for _, at := range s.due(t) {
		sooner(at)
	}
	for _, r := range s.rings {
		sooner(r.at)
	}
	if s.booth.next != nil {
		if at, ok := s.booth.next(); ok {
			sooner(at)
		}
	}
	return first
}

// work does everything that is due now, and lets arrive what was told.
func (s *tale) work(t *testing.T) {
	t.Helper()
	for range 100 {
		s.hear(t)
		worked, due := false, s.due(t)
		for _, step := range s.Steps() {
			if at, ok := due[step.Name]; step.Name != "operators" && (!ok || at.After(s.clock.Now())) {
				continue
			}
			w, err := step.Do(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", step.Name, err)
			}
			worked = worked || w
		}
		if !worked {
			return
		}
	}
	t.Fatal("the work never ends")
}

// hear lets arrive what bank and operator have told by now: as the story wants it,
// also late, twice, the newest first, or never.
func (s *tale) hear(t *testing.T) {
	t.Helper()
	for _, n := range s.card.Notifications() {
		s.rings = append(s.rings, ring{at: n.DueAt, path: payHook, header: n.Header, body: n.Body})
	}
	var told []ring
	if s.booth.rings != nil {
		told = s.booth.rings()
	}
	switch s.mishap {
	case "no-bells":
		told = nil
	case "bells":
		slices.Reverse(told)
		for _, r := range told {
			forged := r
			forged.header, forged.body = r.header.Clone(), bytes.Replace(r.body, []byte(`"`), []byte(`" `), 1)
			late := r
			late.at, late.heard = r.at.Add(time.Hour), nil
			s.rings = append(s.rings, forged, late, r)
		}
	}
	s.rings = append(s.rings, told...)
	later := s.rings[:0]
	for _, r := range s.rings {
		if r.at.After(s.clock.Now()) {
			later = append(later, r)
			continue
		}
		s.post(t, r)
	}
	s.rings = later
}

func (s *tale) post(t *testing.T, r ring) {
	t.Helper()
	to := s.shop + r.path
	if s.booth.door != "" && r.path != payHook {
		to = s.booth.door + r.path
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = r.header.Clone()
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close() // its status is all that counts
	if r.heard != nil {
		r.heard(answer.StatusCode)
	}
}

// way is a real connection to a stranger, on which things happen.
type way struct {
	stranger http.Handler
	near     townWire
	nobody   townWire // where nobody listens

	mu    sync.Mutex
	fate  func(*http.Request) outboundsim.Fault // nil: all is well
	later []*http.Request
	gone  bool // nobody can be reached
}

func newWay(t *testing.T, stranger http.Handler) *way {
	t.Helper()
	w := &way{stranger: stranger}
	server := httptest.NewServer(w)
	t.Cleanup(func() { w.near.real.CloseIdleConnections(); server.Close() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.near.to, w.nobody.to = server.URL, "http://"+l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return w
}

// opens lets another stranger answer, to whom nothing has happened.
func (w *way) opens(stranger http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stranger, w.fate, w.later, w.gone = stranger, nil, nil, false
}

// RoundTrip is our end.
func (w *way) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	gone := w.gone
	w.mu.Unlock()
	if gone {
		return w.nobody.RoundTrip(r)
	}
	return w.near.RoundTrip(r)
}

// ServeHTTP is the stranger's end.
func (w *way) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r = r.WithContext(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	fault := outboundsim.None
	if w.fate != nil {
		fault = w.fate(r)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if fault == outboundsim.ActLater {
		w.later = append(w.later, r)
	}
	stranger := w.stranger
	w.mu.Unlock()
	switch fault {
	case outboundsim.None:
		stranger.ServeHTTP(rw, r)
		return
	case outboundsim.Busy:
		rw.Header().Set("Retry-After", "2")
		rw.WriteHeader(http.StatusTooManyRequests)
		return
	case outboundsim.LoseRequest, outboundsim.ActLater:
		panic(http.ErrAbortHandler)
	}
	rec := httptest.NewRecorder()
	stranger.ServeHTTP(rec, r)
	switch fault {
	case outboundsim.Break:
		rw.WriteHeader(http.StatusInternalServerError)
	case outboundsim.Garble:
		rw.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		rw.WriteHeader(rec.Code)
		_, _ = rw.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
	default: // the answer is lost
		panic(http.ErrAbortHandler)
	}
}

// suffer lets the next requests that act suffer a fault, and the others pass.
func (s *tale) suffer(f outboundsim.Fault, times int) {
	s.way.mu.Lock()
	defer s.way.mu.Unlock()
	s.way.fate = func(r *http.Request) outboundsim.Fault {
		if times == 0 || !s.booth.acts(r) {
			return outboundsim.None
		}
		times--
		return f
	}
}

// away makes the operator unreachable, or ends that.
func (s *tale) away(gone bool) {
	s.way.mu.Lock()
	defer s.way.mu.Unlock()
	s.way.gone = gone
}

// deliver carries out what was to be carried out later; the answers go nowhere.
func (s *tale) deliver() {
	s.way.mu.Lock()
	later := s.way.later
	s.way.later = nil
	s.way.mu.Unlock()
	for _, r := range later {
		s.booth.handler.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// looks reads the line at its operator now, as its page does, and returns what is known
// then.
func (s *tale) looks(t *testing.T) line.Line {
	t.Helper()
	err := s.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return line.LookSoon(ctx, tx, s.line.Account, s.line.ID) })
	if err != nil {
		t.Fatal(err)
	}
	s.work(t)
	return s.known(t)
}

// known is the line as we have it.
func (s *tale) known(t *testing.T) line.Line {
	t.Helper()
	l, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) {
		return line.Get(ctx, tx, s.line.Account, s.line.ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// is reports whether the story is one of these.
func (s *tale) is(mishaps ...string) bool { return slices.Contains(mishaps, s.mishap) }

// says reports whether a request's body has a word in it.
func says(r *http.Request, word string) bool {
	body, _ := io.ReadAll(r.Body) // in memory
	r.Body = io.NopCloser(bytes.NewReader(body))
	return bytes.Contains(body, []byte(word))
}
