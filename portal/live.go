package portal

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
)

const (
	// watchEvery is how often an order is looked at while its page is open: two
	// reads by key.
	watchEvery = time.Second

	// watchFor is how long one watch lasts; the browser then begins another, and
	// is asked again who it is.
	watchFor = time.Minute

	// watchersMost bounds how many watch at once; the pages of more are asked for
	// again every few seconds, as without scripts.
	watchersMost = 500
)

// watchedCookie is set by shop.js once it could watch: pages then need not ask for
// themselves, which it sees to.
const watchedCookie = "live"

// watching lets the order's page hear of changes from what it shows.
func (v *visit) watching(p *orderPage, t told) {
	if p.Refresh == 0 {
		return
	}
	p.Live = "/orders/" + t.order.ID + "/live?seen=" + seenOf(t.order, t.payments)
	if c, err := v.r.Cookie(watchedCookie); err == nil && c.Value == "1" {
		p.Refresh = 0
	}
}

// seenOf names what the page of an order shows of it and its payments.
func seenOf(o order.Order, payments []order.Payment) string {
	sum := fnv.New64a()
	_, _ = io.WriteString(sum, string(o.State)) // a hash takes everything
	for _, p := range payments {
		_, _ = fmt.Fprint(sum, "|", p.ID, p.State, p.Reason)
	}
	return fmt.Sprintf("%016x", sum.Sum64())
}

// watchOrder tells an open page that its order has changed, as a server-sent
// event of the HTML standard.
func (s *Server) watchOrder(ctx context.Context, v *visit) (answer, error) {
	k, t, err := v.told(ctx)
	if err != nil {
		return answer{}, err
	}
	s.watchers.begin(v.r)
	if !s.watchers.enter() {
		return answer{}, fault.Because(fault.Unavailable, "watchers", "Too many pages are being watched. Reload the page instead.", nil)
	}
	key := order.Key{Account: k.account, ID: t.order.ID}
	return answer{stream: func(ctx context.Context, v *visit) {
		defer s.watchers.leave()
		s.watch(ctx, v, key)
	}}, nil
}

// watch writes one event when what the order's page shows is no longer what the
// page has seen, and ends.
func (s *Server) watch(ctx context.Context, v *visit, key order.Key) {
	ctx, cancel := context.WithTimeout(ctx, watchFor)
	defer cancel()
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	out := http.NewResponseController(v.w)
	_, err := io.WriteString(v.w, "retry: 2000\n\n")
	if err != nil || out.Flush() != nil {
		return
	}
	seen := v.r.URL.Query().Get("seen")
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		now, err := s.shown(ctx, key)
		if err != nil {
			return // the browser asks again
		}
		if now != seen {
			_, _ = io.WriteString(v.w, "event: changed\ndata: \n\n") // the customer has left; nothing to do about it
			_ = out.Flush()                                          // likewise
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-s.watchers.closing:
			return
		case <-tick.C:
		}
	}
}

func (s *Server) shown(ctx context.Context, key order.Key) (string, error) {
	return db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		o, err := order.Get(ctx, tx, key)
		if err != nil {
			return "", err
		}
		payments, err := order.Payments(ctx, tx, key)
		return seenOf(o, payments), err
	})
}

// watchers are those who watch an order.
type watchers struct {
	places  chan struct{}
	closing chan struct{}
	once    chan struct{}
}

func newWatchers() watchers {
	w := watchers{places: make(chan struct{}, watchersMost), closing: make(chan struct{}), once: make(chan struct{}, 1)}
	w.once <- struct{}{}
	return w
}

// begin ends all watching when the server that answers r shuts down, so that it
// need not wait for it.
func (w watchers) begin(r *http.Request) {
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok {
		return
	}
	select {
	case <-w.once:
		server.RegisterOnShutdown(func() { close(w.closing) })
	default:
	}
}

func (w watchers) enter() bool {
	select {
	case w.places <- struct{}{}:
		return true
	default:
		return false
	}
}

func (w watchers) leave() { <-w.places }
