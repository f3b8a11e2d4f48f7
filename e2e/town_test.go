package e2e

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/world"
)

// town is the strangers of one story. They outlive every house, and are reached
// over real connections.
type town struct {
	*world.Strangers
	Clock *dbtest.Clock
	URL   string

	mu        sync.Mutex
	lose      func(*http.Request) bool // whose answer is lost, once
	simpleBad carriersim.Fault         // what befalls the next extension at the simple operator
}

// keys are the same for all towns: making some takes a moment.
var keys = sync.OnceValue(func() world.Keys {
	k, err := world.NewKeys()
	if err != nil {
		panic(err) // there is no randomness
	}
	return k
})

func newTown(t *testing.T, clock *dbtest.Clock) *town {
	t.Helper()
	s := &town{Clock: clock, Strangers: world.NewStrangers(&world.Clock{Real: clock.Now}, "http://shop.invalid", 1, keys())}
	s.Simple.Choose = func(carrier.Extension) carriersim.Fault {
		s.mu.Lock()
		defer s.mu.Unlock()
		f := s.simpleBad
		s.simpleBad = carriersim.None
		return f
	}
	mux := http.NewServeMux()
	mux.Handle("/simple/", nearCarrier(s.Simple))
	mux.Handle("/mail", nearMailbox(s.Inbox))
	mux.Handle("/v1/", s.Stripe)
	mux.Handle("/", s.Access)
	server := httptest.NewServer(s.lossy(mux))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// lossy lets a request be carried out and its answer be lost.
func (s *town) lossy(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		lost := s.lose != nil && s.lose(r)
		if lost {
			s.lose = nil
		}
		s.mu.Unlock()
		if !lost {
			h.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = c.Close() // that is the fault
		}
	})
}

// loseAnswer loses the answer of the next request to an address that ends so.
func (s *town) loseAnswer(suffix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = func(r *http.Request) bool {
		return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, suffix)
	}
}

// settle brings the demo's customer to the shop, with lines in every state. The
// lines are returned by plan.
func (s *town) settle(t *testing.T, d *db.DB) (customer string, lines map[string]line.Line) {
	t.Helper()
	cat, err := db.Written(t.Context(), d, func(ctx context.Context, tx db.Tx) (*catalogue.Catalogue, error) {
		c, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "e2e")
		return c, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Settle(t.Context(), d, id.NewSource(s.Clock.Now, rand.Reader), cat); err != nil {
		t.Fatal(err)
	}
	lines = map[string]line.Line{}
	err = d.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		a, err := account.ByEmail(ctx, tx, world.Traveller)
		if err != nil {
			return err
		}
		customer = a.ID
		all, err := line.List(ctx, tx, a.ID)
		for _, l := range all {
			lines[l.Plan] = l
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return customer, lines
}

// stamp tells a house the time.
func (s *town) stamp(r *http.Request) {
	r.Header.Set(nowHeader, strconv.FormatInt(s.Clock.Now().UnixMicro(), 10))
}

// seeded is a migrated database with the demo's customer in it.
type seeded struct {
	url      string
	customer string
	lines    map[string]line.Line // by plan
}

// seed prepares the database of env for a story, and lets go of it.
func (s *town) seed(t *testing.T, env dbtest.Env) seeded {
	t.Helper()
	d, err := db.Open(t.Context(), env.URL, db.Options{Now: s.Clock.Now}) // a rehearsal of every write would take its time
	if err != nil {
		t.Fatal(err)
	}
	customer, lines := s.settle(t, d)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := env.DB.Close(); err != nil { // so that what crashed is really opened again
		t.Fatal(err)
	}
	return seeded{env.URL, customer, lines}
}
