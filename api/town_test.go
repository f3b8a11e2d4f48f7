package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/seal"
)

// town is a shop with two customers, an operator, and Stripe.
type town struct {
	t        *testing.T
	env      dbtest.Env
	ids      *id.Source
	server   *Server
	operator *carriersim.Sim
	stripe   *stripesim.Sim
	log      *bytes.Buffer
	web      *httptest.Server
	document *huma.OpenAPI
	routes   *http.ServeMux
	aiko     account.Account
	other    account.Account
	lines    map[string]string // by what they show; "other" is the other's
	mu       sync.Mutex
	served   map[string]bool // operations that answered as they should
}

func newTown(t *testing.T, env dbtest.Env) *town {
	t.Helper()
	w := &town{t: t, env: env, log: &bytes.Buffer{}, lines: map[string]string{}, served: map[string]bool{}, routes: http.NewServeMux()}
	w.ids = id.NewSource(env.Clock.Now, rand.NewChaCha8([32]byte{7}))
	w.operator = &carriersim.Sim{Now: env.Clock.Now}
	w.stripe = stripesim.New(stripesim.Config{Key: "sk_test_api", WebhookSecret: "whsec_api", Now: env.Clock.Now})
	client := outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: w.stripe}})
	card, err := stripe.New(stripe.Config{Key: "sk_test_api", WebhookSecrets: []string{"whsec_api"}}, client, env.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	shelf, log := &catalogue.Shelf{}, slog.New(slog.NewTextHandler(w.log, nil))
	w.server = &Server{
		DB: env.DB, Shelf: shelf, Log: log, Advice: &advice.Adviser{DB: env.DB, Shelf: shelf, Log: log}, URL: "https://shop.example",
		Desk: &order.Desk{
			DB: env.DB, IDs: w.ids, Shelf: shelf, Log: log, Wallet: order.WalletFull, Seal: seal.New("saved tools", "the secret of the tests", nil, nil),
			Carriers:  map[string]carrier.Carrier{"simple": w.operator, "esimaccess": w.operator},
			Providers: map[string]payment.Provider{"stripe": card},
			Rails:     map[payment.Rail]string{payment.Card: "stripe"},
		},
	}
	w.document = w.server.describe(w.routes).OpenAPI()
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "test")
		return err
	})
	w.aiko = w.customer("aiko@example.com", 12_000)
	w.other = w.customer("other@example.com", 777)
	const gb = 1 << 30
	w.line("fresh", w.aiko, "machi-5gb", "10d", line.Usage{Unlimited: true, Total: 5 * gb, Used: 2 * gb, AsOf: env.Clock.Now().Add(-12 * time.Minute)})
	w.line("volume", w.aiko, "machi-10gb", "10gb-15d", line.Usage{Total: 10 * gb, Used: 6 * gb, AsOf: env.Clock.Now().Add(-time.Hour)})
	w.line("other", w.other, "machi-5gb", "10d", line.Usage{Unlimited: true, Total: 5 * gb, Used: gb, AsOf: env.Clock.Now()})
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

func (w *town) customer(email string, yen int64) account.Account {
	w.t.Helper()
	a, err := db.Written(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) {
		a, err := account.Create(ctx, tx, w.ids, account.New{Email: email, Language: locale.En, Zone: "Asia/Shanghai"})
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

// line gives somebody a line that began yesterday and ends in five days.
func (w *town) line(key string, owner account.Account, plan, term string, u line.Usage) {
	w.t.Helper()
	now := w.env.Clock.Now()
	start, end := now.Add(-24*time.Hour), now.Add(5*24*time.Hour)
	at := placeOf(catalogue.Demo(), plan)
	l := line.Line{
		Account: owner.ID, ID: w.ids.Under("ln", owner.ID), Operator: at.op.ID, Plan: plan, Name: "Line " + key, State: line.Active,
		ProfileID: "pf-" + key, ICCID: fmt.Sprintf("89811234567890%05d", len(w.lines)+4711), Anchor: 2, StartedAt: start, EndsAt: end,
		GraceEnds: renewal.GraceEnd(at.plan, end, at.loc), Periods: 1, Identity: true, Usage: u,
	}
	w.write(func(ctx context.Context, tx db.Tx) error {
		if err := line.Add(ctx, tx, l); err != nil {
			return err
		}
		if err := line.NoteDay(ctx, tx, owner.ID, l.ID, u, at.loc); err != nil {
			return err
		}
		var b db.Batch
		line.AddPeriod(&b, line.Period{
			Account: owner.ID, Line: l.ID, Number: 1, Plan: plan, Term: term, Effect: "append", StartsAt: start, EndsAt: end, State: line.PeriodActive,
		}, tx.Now())
		return tx.Batch(ctx, &b)
	})
	w.lines[key] = l.ID
}

// key makes a key, for one account if that is not "".
func (w *town) key(account string, scopes ...Scope) (Key, string) {
	w.t.Helper()
	k, token, err := Draft(w.ids, "test", scopes, account)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := Add(ctx, tx, w.ids, k, order.Act{Staff: "tester", Reason: "test"})
		return err
	})
	return k, token
}

// program is something that holds a key.
type program struct {
	w      *town
	header http.Header
}

func (w *town) program(token string) *program {
	p := &program{w, http.Header{}}
	if token != "" {
		p.header.Set("Authorization", "Bearer "+token)
	}
	return p
}

// with is the same program that sends one header more.
func (p *program) with(name, value string) *program {
	h := p.header.Clone()
	h.Set(name, value)
	return &program{p.w, h}
}

// result is what came back.
type result struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request, and holds the answer against the document.
func (p *program) send(method, path string, body any) result {
	p.w.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			p.w.t.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(p.w.t.Context(), method, p.w.web.URL+path, in)
	if err != nil {
		p.w.t.Fatal(err)
	}
	req.Header = p.header.Clone()
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.w.t.Error(err)
		return result{}
	}
	defer res.Body.Close() //nolint:errcheck // a test
	text, err := io.ReadAll(res.Body)
	if err != nil {
		p.w.t.Error(err)
	}
	r := result{res.StatusCode, res.Header, text}
	p.w.holdsTo(req, r)
	return r
}

// holdsTo fails the test where an answer is not what the document says.
func (w *town) holdsTo(req *http.Request, r result) {
	w.t.Helper()
	what := req.Method + " " + req.URL.Path
	_, pattern := w.routes.Handler(req)
	if !strings.HasPrefix(req.URL.Path, prefix) || pattern == "" || r.status == http.StatusNotModified {
		return
	}
	_, path, _ := strings.Cut(pattern, prefix)
	op := w.operation(req.Method, path)
	if op == nil {
		w.t.Errorf("%s: %s is not in the document", what, pattern)
		return
	}
	answer, media := op.Responses[fmt.Sprint(r.status)], "application/json"
	if r.status >= 400 {
		answer, media = op.Responses["default"], problemType
	}
	if answer == nil || answer.Content[media] == nil || r.header.Get("Content-Type") != media {
		w.t.Errorf("%s: %d with %q is not in the document", what, r.status, r.header.Get("Content-Type"))
		return
	}
	var value any
	if err := json.Unmarshal(r.body, &value); err != nil {
		w.t.Errorf("%s: %v: %s", what, err, r.body)
		return
	}
	found := &huma.ValidateResult{}
	huma.Validate(w.document.Components.Schemas, answer.Content[media].Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, found)
	if len(found.Errors) > 0 {
		w.t.Errorf("%s: %v\n%s", what, found.Errors, r.body)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.served[op.OperationID] = w.served[op.OperationID] || r.status < 300
}

func (w *town) operation(method, path string) *huma.Operation {
	item := w.document.Paths[path]
	if item == nil {
		return nil
	}
	return map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete}[method]
}

// read reads what must be there into a value.
func read[T any](p *program, path string) T {
	p.w.t.Helper()
	return want[T](p, http.StatusOK, http.MethodGet, path, nil)
}

// want sends a request that must be answered with a status.
func want[T any](p *program, status int, method, path string, body any) T {
	p.w.t.Helper()
	r := p.send(method, prefix+path, body)
	var out T
	if r.status != status {
		p.w.t.Fatalf("%s %s: %d, want %d\n%s", method, path, r.status, status, r.body)
	}
	if err := json.Unmarshal(r.body, &out); err != nil {
		p.w.t.Fatalf("%s %s: %v\n%s", method, path, err, r.body)
	}
	return out
}

// refused sends a request that must be refused, by its reason and type.
func refused(p *program, status int, kind, method, path string, body any) Problem {
	p.w.t.Helper()
	problem := want[Problem](p, status, method, path, body)
	if problem.Type != problemTypes+kind || problem.Status != status || problem.Title == "" || problem.Detail == "" {
		p.w.t.Errorf("%s %s: %+v, want type %s", method, path, problem, kind)
	}
	return problem
}

// quote makes a quote for one of aiko's lines.
func (p *program) quote(key, item string) Quote {
	p.w.t.Helper()
	return want[Quote](p, http.StatusCreated, http.MethodPost, "/quotes", map[string]any{"line": p.w.lines[key], "item": item, "currency": "JPY"})
}

const (
	tenDays = "term/machi-5gb/10d"
	volume  = "term/machi-10gb/10gb-15d"
)

// accept is the body that accepts a quote with a tool.
func accept(q Quote, tool string) map[string]any {
	return map[string]any{"quote": q.ID, "amount": q.Price, "tool": tool}
}

// work lets the shop do what is due.
func (w *town) work() {
	w.t.Helper()
	numbering := &billing.Numbering{DB: w.env.DB}
	for range 50 {
		worked := false
		for _, step := range []func(context.Context) (bool, error){w.server.Desk.Step, w.server.Desk.PaymentStep, w.server.Desk.ToolStep, numbering.Step, w.server.Advice.Step, w.server.Step} {
			did, err := step(w.t.Context())
			if err != nil {
				w.t.Fatal(err)
			}
			worked = worked || did
		}
		if !worked {
			return
		}
	}
}

// sound asks whether every promise was kept.
func (w *town) sound() {
	w.t.Helper()
	found, err := audit.Run(w.t.Context(), w.env.DB)
	if err != nil || len(found) > 0 {
		w.t.Errorf("audit: %v %v", found, err)
	}
	for line := range strings.Lines(w.log.String()) {
		if !strings.Contains(line, "msg=refused ") {
			w.t.Errorf("logged: %s", line)
		}
	}
}

func (w *town) orders() []order.Order {
	w.t.Helper()
	all, err := db.Seen(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) ([]order.Order, error) {
		return order.List(ctx, tx, w.aiko.ID, "", 100)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// operations are all operations of the document, as "GET /lines/{line}".
func (w *town) operations() (all []string) {
	for path, item := range w.document.Paths {
		v := reflect.ValueOf(*item)
		for _, method := range []string{"Get", "Post", "Put", "Delete", "Patch"} {
			if !v.FieldByName(method).IsNil() {
				all = append(all, strings.ToUpper(method)+" "+path)
			}
		}
	}
	slices.Sort(all)
	return all
}
