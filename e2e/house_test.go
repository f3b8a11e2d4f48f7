package e2e

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/world"
)

// roleHouse is the whole house as a process of its own. It is told what to do
// by its standard input and by HTTP, and it ends when its standard input does.
const roleHouse = "house"

// floorPlan is what a house needs to know to open.
type floorPlan struct {
	Database string
	Town     string // where the strangers are: http://127.0.0.1:…
	CrashAt  int64  // at which boundary of a commit or call the process ends; 0: nowhere
	NowMicro int64
}

// nowHeader carries the instant, so that house and strangers have one clock.
const nowHeader = "E2e-Now"

// beHouse is main of the child process.
func beHouse() int {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	var p floorPlan
	if err == nil {
		err = json.Unmarshal(line, &p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "house: no floor plan:", err)
		return 2
	}
	h, err := openHouse(context.Background(), p, dieAt(p.CrashAt))
	if err != nil {
		fmt.Fprintln(os.Stderr, "house:", err)
		return 2
	}
	server := httptest.NewServer(h)
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, in) // until the parent has had enough, or is no more
	server.Close()
	if err := h.app.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "house: close:", err)
		return 2
	}
	return 0
}

// dieAt ends the process at the n-th boundary, as a power cut would: nothing is
// flushed, closed or answered.
func dieAt(n int64) func(string) {
	var passed atomic.Int64
	return func(boundary string) {
		if passed.Add(1) != n {
			return
		}
		fmt.Fprintln(os.Stderr, "died", boundary)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// house is the real app with two doors: its own, and one for the customer of
// these stories, who does without pages.
type house struct {
	app   *app.App
	doors *http.ServeMux
	mu    sync.Mutex
	now   time.Time
}

func openHouse(ctx context.Context, p floorPlan, point func(string)) (*house, error) {
	h := &house{now: time.UnixMicro(p.NowMicro).UTC()}
	town := &townWire{to: p.Town}
	c := app.Config{
		URL: "http://shop.invalid", Database: p.Database, Secret: "nobody knows this secret of the test's house",
		Wallet: order.WalletFull, QuoteTTL: 30 * time.Minute,
		Stripe:     app.Stripe{Key: world.StripeKey, WebhookSecret: []app.Secret{world.StripeSecret}},
		ESIMAccess: app.ESIMAccess{AccessCode: world.AccessCode, SecretKey: world.AccessSecret, HookPath: world.AccessHook},
	}
	env := app.Env{
		Now: h.clock, Random: rand.Reader, Point: point, Transport: func(string) http.RoundTripper { return town },
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	a, err := app.Open(ctx, c, env, func(c app.Config, env app.Env, ids *id.Source) (app.Adapters, error) {
		all, err := app.Real(c, env, ids)
		if err != nil {
			return all, err
		}
		all.Carriers["simple"] = newFarCarrier(p.Town, env)
		all.Deliverers = map[message.Channel]message.Deliverer{message.Email: newFarMailbox(p.Town, env)}
		return all, nil
	})
	if err != nil {
		return nil, err
	}
	h.app, h.doors = a, http.NewServeMux()
	h.doors.Handle("/", a.Handler())
	h.doors.Handle("POST /e2e/quote", door(h.quote))
	h.doors.Handle("POST /e2e/place", door(h.place))
	h.doors.Handle("POST /e2e/together", door(h.together))
	h.doors.Handle("POST /e2e/pay", door(h.pay))
	h.doors.Handle("POST /e2e/resume", door(h.resume))
	h.doors.Handle("POST /e2e/look", door(h.look))
	h.doors.Handle("POST /e2e/toil", door(h.work))
	return h, nil
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// ServeHTTP sets the clock to the caller's.
func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if micro, err := strconv.ParseInt(r.Header.Get(nowHeader), 10, 64); err == nil {
		h.mu.Lock()
		h.now = time.UnixMicro(micro).UTC()
		h.mu.Unlock()
	}
	h.doors.ServeHTTP(w, r)
}

// refusal is an error as it travels: what the house told the customer.
type refusal struct {
	Kind    fault.Kind
	Message string
	Reason  string // for the reader of a failed test
}

func (r *refusal) Error() string { return string(r.Kind) + ": " + r.Message + " (" + r.Reason + ")" }

func reasonOf(err error) string {
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Reason != "" {
		return e.Reason
	}
	return err.Error()
}

// door makes a function a door: JSON in, JSON out.
func door[In, Out any](do func(context.Context, In) (Out, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, err := do(r.Context(), in)
		var answer any = out
		if err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			answer = refusal{fault.KindOf(err), fault.Message(err), reasonOf(err)}
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
}

// wish is what the customer wants: more of one line, a new one, or money in the
// wallet.
type wish struct {
	Account string
	Line    string
	Item    renewal.Item
	TopUp   money.Money
}

func (h *house) quote(ctx context.Context, w wish) (order.Quote, error) {
	if w.Item.Kind == renewal.NewLine {
		return h.app.Desk.QuoteNew(ctx, w.Account, w.Item.Plan, w.Item.ID, "JPY")
	}
	if w.Line == "" {
		return h.app.Desk.QuoteTopUp(ctx, w.Account, w.TopUp)
	}
	return h.app.Desk.Quote(ctx, w.Account, w.Line, w.Item, "JPY")
}

func (h *house) place(ctx context.Context, a order.Acceptance) (order.Order, error) {
	return h.app.Desk.Place(ctx, a)
}

func (h *house) together(ctx context.Context, t order.Together) ([]order.Order, error) {
	return h.app.Desk.PlaceTogether(ctx, t)
}

func (h *house) pay(ctx context.Context, k order.Key) (order.Payment, error) {
	return h.app.Desk.Pay(ctx, k, payment.Card, order.Ways{Return: "http://shop.invalid/orders/" + k.ID, Cancel: "http://shop.invalid/orders/" + k.ID})
}

func (h *house) resume(ctx context.Context, k order.Key) (struct{}, error) {
	return struct{}{}, h.app.Desk.Resume(ctx, k, nil)
}

// sight is what the order's page would show.
type sight struct {
	Order    order.Order
	Payments []order.Payment
	Refunds  []order.Refund
	NextDue  time.Time // when something of it is due next; zero: nothing is
}

func (h *house) look(ctx context.Context, k order.Key) (sight, error) {
	return db.Seen(ctx, h.app.DB, func(ctx context.Context, tx db.Tx) (s sight, err error) {
		if s.Order, err = order.Get(ctx, tx, k); err != nil {
			return s, err
		}
		if s.Payments, err = order.Payments(ctx, tx, k); err != nil {
			return s, err
		}
		if s.Refunds, err = order.Refunds(ctx, tx, k); err != nil {
			return s, err
		}
		due := []time.Time{s.Order.DueAt}
		for _, p := range s.Payments {
			due = append(due, p.DueAt)
		}
		for _, r := range s.Refunds {
			due = append(due, r.DueAt)
		}
		for _, d := range due {
			if !d.IsZero() && (s.NextDue.IsZero() || d.Before(s.NextDue)) {
				s.NextDue = d
			}
		}
		return s, nil
	})
}

// toil is which work there was.
type toil struct {
	Worked bool
	Errors []string
}

const roundsMax = 100

// work does everything that is due at this instant.
func (h *house) work(ctx context.Context, _ struct{}) (toil, error) {
	var t toil
	for round := 0; ; round++ {
		worked := false
		for _, s := range h.app.Steps() {
			if s.Name == "balances with operators" || s.Name == "operators' prices" {
				continue // they touch no order, and have stories of their own beside them
			}
			due, err := h.due(ctx, s.Name)
			if err != nil {
				return t, err
			}
			if !due {
				continue // an idle Step commits nothing but its own idleness
			}
			w, err := s.Do(ctx)
			if err != nil {
				t.Errors = append(t.Errors, s.Name+": "+err.Error())
			}
			worked = worked || w
		}
		t.Worked = t.Worked || worked
		if !worked {
			return t, nil
		}
		if round == roundsMax {
			return t, errors.New("the work never ends")
		}
	}
}

// waiting says for each Step whether it would find anything; those that are not
// listed are always taken.
var waiting = map[string]string{
	"orders":       `SELECT EXISTS (SELECT 1 FROM orders WHERE due_at <= $1)`,
	"payments":     `SELECT EXISTS (SELECT 1 FROM payments WHERE due_at <= $1)`,
	"refunds":      `SELECT EXISTS (SELECT 1 FROM refunds WHERE due_at <= $1)`,
	"usage":        `SELECT EXISTS (SELECT 1 FROM lines WHERE look_at <= $1)`,
	"bill numbers": `SELECT EXISTS (SELECT 1 FROM bills WHERE number IS NULL AND issued_at <= $1)`,
	"messages":     `SELECT EXISTS (SELECT 1 FROM messages WHERE due_at <= $1)`,
}

func (h *house) due(ctx context.Context, step string) (bool, error) {
	query, ok := waiting[step]
	if !ok {
		return false, nil // sweeping, which no story is about
	}
	return db.Seen(ctx, h.app.DB, func(ctx context.Context, tx db.Tx) (due bool, err error) {
		err = tx.QueryRow(ctx, query, db.At(tx.Now())).Scan(&due)
		return due, err
	})
}

// townWire leads every request to the town, whatever its address.
type townWire struct {
	to   string
	real http.Transport
}

// RoundTrip implements [http.RoundTripper].
func (w *townWire) RoundTrip(r *http.Request) (*http.Response, error) {
	there := r.Clone(r.Context())
	there.URL.Scheme, there.URL.Host = "http", w.to[len("http://"):]
	return w.real.RoundTrip(there)
}
