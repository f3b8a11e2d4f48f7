// Package app puts the house together: configuration, adapters by name, the
// web server and the work that runs by itself. A seller's own program opens the
// same house with adapters of its own built in (see [Open]).
package app

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/api"
	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/hooks"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/leaving"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/metrics"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/portal"
	"github.com/tsuzuku/tsuzuku/portal/prose"
	"github.com/tsuzuku/tsuzuku/radius"
	"github.com/tsuzuku/tsuzuku/reminder"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/settlement"
	"github.com/tsuzuku/tsuzuku/upstream"
)

// Env is where the house meets the world: everything that a simulation
// replaces, and nothing else.
type Env struct {
	Now       func() time.Time
	Random    io.Reader                               // crypto/rand.Reader, or a seeded reader
	Transport func(stranger string) http.RoundTripper // nil, or nil for a stranger: the network
	Point     func(string)                            // called at commit and call boundaries; nil: nobody looks
	Reach     func(db.Point) error                    // the way to the database: see [db.Options]; nil: it is never cut
	Log       *slog.Logger

	// Timeless says that the clock stands still during a call, so that calls cannot be
	// spread over seconds.
	Timeless bool

	// Shelf has the catalogues that were read before; nil: there are none.
	Shelf *catalogue.Shelf

	// Heard counts how strangers answer, for the status page; nil: [Open] makes one.
	Heard *outbound.Heard
}

// Adapters are the strangers a house can talk to, by the names that the
// catalogue and stored rows use.
type Adapters struct {
	Carriers   map[string]carrier.Carrier
	Providers  map[string]payment.Provider
	Rails      map[payment.Rail]string
	Deliverers map[message.Channel]message.Deliverer

	// CarrierHooks are the unguessable last parts of the webhook addresses of
	// operators that do not sign.
	CarrierHooks map[string]string

	// Profiles tells what phones do with profiles; nil: nobody does.
	Profiles carrier.ProfileTeller

	// PayOrigins are the origins of payment pages, for the browser's policy.
	PayOrigins []string

	order []string // of the providers, as they were built
}

// App is a house that is ready to work.
type App struct {
	Config     Config
	Env        Env
	DB         *db.DB
	IDs        *id.Source
	Shelf      *catalogue.Shelf
	Desk       *order.Desk
	Door       *account.Door
	Sender     *message.Sender
	Settlement *settlement.Room
	Repairer   *audit.Repairer
	Adviser    *advice.Adviser
	Metrics    *metrics.Registry
	Watch      *upstream.Watch

	adapters Adapters
	programs *api.Server
	legal    prose.Legal
	pushKey  string // the public one
	radius   *radius.Server
	requests requests
}

// Open opens the database and puts the house together. It does not migrate; a
// database that this program may not work on is refused with what to do about it.
func Open(ctx context.Context, c Config, env Env, build func(Config, Env, *id.Source) (Adapters, error)) (*App, error) {
	if env.Heard == nil {
		env.Heard = &outbound.Heard{Now: env.Now}
	}
	d, err := db.Open(ctx, c.Database, db.Options{Now: env.Now, Observe: func(p db.Point) { env.point(string(p)) }, Reach: env.Reach})
	if err != nil {
		return nil, err
	}
	if err := sound(ctx, d, env.Log); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	ahead, err := d.CheckSchema(ctx)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if ahead {
		env.Log.WarnContext(ctx, "the database's schema is ahead of this program, which may work on it; the newer program was here, or will be")
	}
	a, err := assemble(c, env, d, build)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if err := a.sign(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return a, nil
}

// glance is how long the database may be looked through before the shop opens. A
// file that takes longer is seen whole by every backup.
const glance = 3 * time.Second

// sound refuses a database that is damaged, as far as that is seen in time.
func sound(ctx context.Context, d *db.DB, log *slog.Logger) error {
	whole, err := d.Glance(ctx, glance)
	if err == nil && !whole {
		log.Info("the database was not looked through to its end at the start; tsuzuku backup does that", "limit", glance)
	}
	return err
}

// sign lets letters name the seller and a contact as the catalogue does, where
// there is one already.
func (a *App) sign(ctx context.Context) error {
	err := a.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		cat, err := a.Shelf.Current(ctx, tx)
		if err == nil {
			a.Sender.From.Seller, a.Sender.From.Contact = cat.Seller.Name, cmp.Or(a.Config.Contact.Mail, cat.Seller.Contact)
		}
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

func (e Env) point(name string) {
	if e.Point != nil {
		e.Point(name)
	}
}

func assemble(c Config, env Env, d *db.DB, build func(Config, Env, *id.Source) (Adapters, error)) (*App, error) {
	ids := id.NewSource(env.Now, env.Random)
	adapters, err := build(c, env, ids)
	if err != nil {
		return nil, err
	}
	adapters.planned(env.Now)
	legal, err := prose.ReadLegal(c.Seller.LegalDir)
	if err != nil {
		return nil, err
	}
	floors, err := c.Balance.Floors()
	if err != nil {
		return nil, err
	}
	shelf := cmp.Or(env.Shelf, &catalogue.Shelf{})
	desk := &order.Desk{
		DB: d, IDs: ids, Shelf: shelf, Carriers: adapters.Carriers, Providers: adapters.Providers, Rails: adapters.Rails,
		Seal: sealing(c, ids, "saved tools"), Codes: sealing(c, ids, "codes"), Funds: upstream.Left,
		Log: env.Log, Wallet: c.Wallet, WalletExpiry: c.WalletExpiry, Disputed: c.Disputed, QuoteTTL: c.QuoteTTL, Side: sideBySide,
		Meters: c.Radius.metered(),
	}
	door := &account.Door{
		DB: d, IDs: ids, Secret: []byte(c.Secret), Origin: strings.TrimSuffix(c.URL, "/"), Tally: &account.Tally{}, SMS: c.SMS.codes(),
	}
	adviser := &advice.Adviser{DB: d, Shelf: shelf, Log: env.Log}
	fill := &reminder.Filler{DB: d, Shelf: shelf, Door: door, Advice: adviser, Codes: desk.Codes}
	a := &App{
		Config: c, Env: env, DB: d, IDs: ids, Shelf: shelf, Desk: desk, Door: door, Adviser: adviser, adapters: adapters, legal: legal,
		Sender: &message.Sender{
			DB: d, Deliverers: adapters.Deliverers, Fill: fill.Fill, NotBefore: fill.NotBefore, Gone: fill.Gone,
			From: message.From{Seller: "Tsuzuku", URL: c.URL},
		},
		programs:   &api.Server{DB: d, Desk: desk, Shelf: shelf, Advice: adviser, Log: env.Log, URL: strings.TrimSuffix(c.URL, "/")},
		Settlement: &settlement.Room{DB: d, IDs: ids, Providers: adapters.Providers, Daily: c.reads, Log: env.Log},
		Repairer:   &audit.Repairer{DB: d, Desk: desk, Log: env.Log},
		Metrics:    &metrics.Registry{Log: env.Log},
		Watch:      &upstream.Watch{DB: d, Shelf: shelf, Carriers: adapters.Carriers, Floors: floors, Log: env.Log},
	}
	if a.radius, err = a.radiusServer(); err != nil {
		return nil, err
	}
	a.Metrics.Add(a.operatorMetrics()...)
	a.Metrics.Add(a.radiusMetrics()...)
	a.Metrics.Add(a.balanceMetrics()...)
	a.Metrics.Add(a.repairMetrics()...)
	a.Metrics.Add(a.doorMetrics()...)
	a.Metrics.Add(a.requests.metrics()...)
	return a, nil
}

// sealing hides things of one purpose with the shop's secret; nil where a command has
// none.
func sealing(c Config, ids *id.Source, purpose string) *seal.Box {
	if c.Secret == "" {
		return nil
	}
	return seal.New(purpose, string(c.Secret), plain(c.FormerSecret), randomOf{ids})
}

// randomOf reads the house's randomness; the source sees to it that two readers
// do not meet.
type randomOf struct{ ids *id.Source }

// Read implements [io.Reader].
func (r randomOf) Read(p []byte) (int, error) { return copy(p, r.ids.Bytes(len(p))), nil }

// sideBySide is how many strangers one step talks to at once.
const sideBySide = 16

// Step is one piece of work that runs by itself.
type Step struct {
	Name string
	Do   func(context.Context) (worked bool, err error)

	// Take is the first half of Do, where the work that it returns may be done while
	// more is claimed; nil: there is one at a time.
	Take func(context.Context) (do func(context.Context) error, err error)

	// Rung is the topic of [db.DB.Ring] that tells of new work; empty: none does.
	Rung string
}

// Steps are all of it, in the order in which one turn would take them.
func (a *App) Steps() []Step {
	numbering := &billing.Numbering{DB: a.DB}
	return []Step{
		{Name: "orders", Do: a.Desk.Step, Take: a.Desk.Take, Rung: order.OrdersDue},
		{Name: "payments", Do: a.Desk.PaymentStep, Rung: order.PaymentsDue},
		{Name: "refunds", Do: a.Desk.RefundStep},
		{Name: "late service", Do: a.Desk.AfterStep},
		{Name: "eSIMs given back", Do: a.Desk.WithdrawStep},
		{Name: "wallets", Do: a.Desk.WalletStep},
		{Name: "saved tools", Do: a.Desk.ToolStep},
		{Name: "usage", Do: a.Desk.LookStep, Take: a.Desk.TakeLooks, Rung: order.LooksDue},
		{Name: "operators", Do: a.Desk.OperatorStep},
		{Name: "balances with operators", Do: a.Watch.BalanceStep},
		{Name: "operators' prices", Do: a.Watch.PriceStep},
		{Name: "bill numbers", Do: numbering.Step},
		{Name: "messages", Do: a.Sender.Step},
		{Name: "sign-in leftovers", Do: a.Door.Step},
		{Name: "closing accounts", Do: a.leaving().Step},
		{Name: "identity papers", Do: a.leaving().PapersStep},
		{Name: "providers' reports", Do: a.Settlement.Step},
		{Name: "repairs", Do: a.Repairer.Step},
		{Name: "advice", Do: a.Adviser.Step},
		{Name: "learning", Do: a.Adviser.LearnStep},
		{Name: "answers to programs", Do: a.programs.Step},
	}
}

func (a *App) leaving() *leaving.Office {
	return &leaving.Office{DB: a.DB, Door: a.Door, Desk: a.Desk, Papers: a.papers()}
}

// papers opens what customers gave for an identity check.
func (a *App) papers() *seal.Box { return sealing(a.Config, a.IDs, identity.Purpose) }

// Handler is everything that is served: the portal, the API, the webhooks, and whether
// the house is well.
func (a *App) Handler() http.Handler { return a.guarded(a.doors()) }

// guarded lets no panic of a door end a connection unseen, says on every answer what
// browsers are to do with it, and counts them all.
func (a *App) guarded(doors http.Handler) http.Handler {
	return http.HandlerFunc(func(plain http.ResponseWriter, r *http.Request) {
		w := &answered{ResponseWriter: plain}
		defer func() { a.requests.note(doorOf(r.URL.Path), w.status) }()
		defer a.caught(w, r)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if strings.HasPrefix(a.Config.URL, "https://") {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		doors.ServeHTTP(w, r)
	})
}

// caught answers where a door panicked.
func (a *App) caught(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p) // the connection is to end, and nothing is wrong
	}
	err := fault.Panicked(p)
	a.Env.Log.ErrorContext(r.Context(), "a door panicked", "method", r.Method, "path", r.Pattern, "err", err)
	http.Error(w, fault.Message(err), http.StatusInternalServerError)
}

// doors are the handlers themselves: in a town a process dies in them.
func (a *App) doors() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/hooks/", (&hooks.Server{Desk: a.Desk, Carriers: a.adapters.Carriers, Paths: a.adapters.CarrierHooks, Log: a.Env.Log, Client: a.client}).Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", a.ready)
	mux.Handle("/api/", a.programs.Handler())
	mux.Handle("/", (&portal.Server{
		DB: a.DB, Desk: a.Desk, Door: a.Door, Shelf: a.Shelf, Leaving: a.leaving(), Advice: a.Adviser, Log: a.Env.Log, URL: strings.TrimSuffix(a.Config.URL, "/"),
		Secure: strings.HasPrefix(a.Config.URL, "https://"), PayOrigins: a.adapters.PayOrigins, Client: a.client, Heard: a.Env.Heard,
		Papers: a.papers(), Issuers: a.Config.issuers(a.Env),
		Contact: a.Config.Contact.Mail, Points: a.Config.Contact.points(), Seller: a.Config.facts(), Legal: a.legal,
		PushKey: a.pushKey,
	}).Handler())
	return mux
}

// client is where a request comes from, for limits: what the proxy says, where
// there is one, else the other end of the connection.
func (a *App) client(r *http.Request) string {
	if h := a.Config.ClientHeader; h != "" {
		// The last address is the one that our own proxy has seen. Some proxies leave the
		// header as it came, and add another one after it.
		all := strings.Split(strings.Join(r.Header.Values(h), ","), ",")
		if last := strings.TrimSpace(all[len(all)-1]); last != "" {
			return last
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// ready says whether orders can be taken now.
func (a *App) ready(w http.ResponseWriter, r *http.Request) {
	err := a.DB.Read(r.Context(), func(ctx context.Context, tx db.Tx) error {
		_, err := a.Shelf.Current(ctx, tx)
		return err
	})
	if err != nil {
		a.Env.Log.ErrorContext(r.Context(), "not ready", "err", err)
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

// Work does the work until ctx ends, each Step in a loop of its own: again at once
// while there is something to do, else when it is rung for, or after idle.
func (a *App) Work(ctx context.Context, idle time.Duration) { a.work(ctx, a.Steps(), idle) }

func (a *App) work(ctx context.Context, steps []Step, idle time.Duration) {
	var all sync.WaitGroup
	for _, s := range steps {
		all.Go(func() { a.loop(ctx, s, idle) })
	}
	all.Wait()
}

func (a *App) loop(ctx context.Context, s Step, idle time.Duration) {
	var under sync.WaitGroup
	defer under.Wait()
	free := make(chan struct{}, 1) // somebody has time again
	s, broken := s.caught()
	var rung <-chan struct{}
	if s.Rung != "" {
		var stop func()
		rung, stop = a.DB.Listen(s.Rung)
		defer stop()
	}
	for ctx.Err() == nil {
		if a.turn(ctx, s, &under, free) {
			continue
		}
		bell, panics := rung, broken.Load()
		if panics > 0 {
			bell = nil // a bell is no reason to panic sooner
		}
		select {
		case <-ctx.Done():
		case <-free:
		case <-bell:
		case <-time.After(patience(idle, panics)):
		}
	}
}

// mostPatience is how long a Step that panics waits at most before it is tried again.
const mostPatience = 5 * time.Minute

// patience is how long a loop waits: twice as long after every panic in a row.
func patience(idle time.Duration, panics int64) time.Duration {
	for range min(panics, 30) {
		idle = min(2*idle, max(idle, mostPatience))
	}
	return idle
}

// caught is the Step with its panics turned into errors, and how many there were since it
// last went well.
func (s Step) caught() (Step, *atomic.Int64) {
	broken := &atomic.Int64{}
	if do := s.Do; do != nil {
		s.Do = func(ctx context.Context) (worked bool, err error) {
			defer settle(broken, &err, true)
			return do(ctx)
		}
	}
	if take := s.Take; take != nil {
		s.Take = func(ctx context.Context) (do func(context.Context) error, err error) {
			defer settle(broken, &err, false) // what it claimed may still go wrong
			claimed, err := take(ctx)
			if claimed == nil {
				return nil, err
			}
			return func(ctx context.Context) (err error) {
				defer settle(broken, &err, true)
				return claimed(ctx)
			}, err
		}
	}
	return s, broken
}

// settle turns a panic into an error, and counts those in a row; to be deferred. What
// went well ends the row, where that is its end.
func settle(broken *atomic.Int64, err *error, end bool) {
	if p := recover(); p != nil {
		*err = fault.Panicked(p)
		broken.Add(1)
	} else if *err == nil && end {
		broken.Store(0)
	}
}

// turn takes a Step once, or begins what it claims, and reports whether there may be
// more to do now. What fails is not repeated in a tight loop.
func (a *App) turn(ctx context.Context, s Step, under *sync.WaitGroup, free chan<- struct{}) (more bool) {
	complain := func(err error) bool {
		if err != nil && ctx.Err() == nil {
			a.Env.Log.ErrorContext(ctx, "work", "step", s.Name, "err", err)
		}
		return err != nil
	}
	if s.Take == nil {
		worked, err := s.Do(ctx)
		return !complain(err) && worked
	}
	do, err := s.Take(ctx)
	if complain(err) || do == nil {
		return false
	}
	under.Go(func() {
		if complain(do(ctx)) {
			return
		}
		select {
		case free <- struct{}{}:
		default:
		}
	})
	return true
}

// Close closes the database.
func (a *App) Close() error { return a.DB.Close() }

// client makes the HTTP client for one stranger.
func (e Env) client(stranger string, perSecond int) *outbound.Client {
	return e.over(stranger, perSecond, nil)
}

// over is client for a stranger that is reached in a way of its own; nil: in the usual
// one.
func (e Env) over(stranger string, perSecond int, way http.RoundTripper) *outbound.Client {
	o := outbound.Options{RatePerSecond: perSecond, Observe: func(p outbound.Point) { e.point(string(p)) }}
	if e.Timeless {
		o.RatePerSecond = 0
	}
	if e.Heard != nil {
		o.Ended = func(answered bool) { e.Heard.Note(stranger, answered) }
	}
	if e.Transport != nil {
		o.Transport = e.Transport(stranger)
	}
	if o.Transport == nil {
		o.Transport = way
	}
	return outbound.New(o)
}

// nonce makes 32 hexadecimal digits.
func nonce(ids *id.Source) func() string {
	return func() string { return hex.EncodeToString(ids.Bytes(16)) }
}

// wrap says which adapter an error is about.
func wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("adapter %s: %w", name, err)
}
