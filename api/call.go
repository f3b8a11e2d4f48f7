package api

import (
	"context"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"golang.org/x/time/rate"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// call is one request with what is known of the one who asks.
type call struct {
	key   Key
	voice ui.Voice
	route string // which operation: "GET /api/v1/lines/{id}"
}

type callKey struct{}

// callOf is what [Server.guard] found out.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// voiceOf speaks the language that a request asks for.
func voiceOf(r *http.Request, now time.Time) ui.Voice {
	return ui.NewVoice(locale.Match(r.Header.Get("Accept-Language")), nil, now)
}

// guard lets in whoever shows a key with the scope and is not too fast.
func (s *Server) guard(scope Scope) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		c := &call{voice: voiceOf(r, s.DB.Now()), route: hc.Operation().Method + " " + prefix + hc.Operation().Path}
		hc = huma.WithValue(hc, callKey{}, c)
		var err error
		c.key, err = s.who(r.Context(), r.Header.Get("Authorization"))
		if err == nil {
			err = s.limits.take(c.key.ID, c.voice.Now)
		}
		if err == nil && !c.key.may(scope) {
			err = errScope(scope)
		}
		if err != nil {
			s.write(w, s.problem(hc.Context(), c.voice, err))
			return
		}
		w.Header().Set("Content-Language", string(c.voice.Lang))
		next(hc)
	}
}

// limits are how fast each key may ask, in this process.
type limits struct {
	mu   sync.Mutex
	keys map[string]*rate.Limiter
}

// A key may ask so often a second, and so often at once after it was silent.
const (
	perSecond = 20
	atOnce    = 60
)

// take counts a request, or says how long to wait.
func (l *limits) take(key string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keys == nil {
		l.keys = map[string]*rate.Limiter{}
	}
	of := l.keys[key]
	if of == nil {
		of = rate.NewLimiter(perSecond, atOnce)
		l.keys[key] = of
	}
	r := of.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now)
	return errTooFast(int(math.Ceil(wait.Seconds())))
}

// account is the customer that a thing belongs to, if the key opens them. Of
// what is somebody else's it says that it does not exist, without looking.
func (c *call) account(thing string) (string, error) {
	owner, err := id.AccountOf(thing)
	if err != nil {
		return "", err
	}
	return owner, c.opens(owner)
}

// opens fails unless the key is for that customer.
func (c *call) opens(account string) error {
	if c.key.Account != "" && c.key.Account != account {
		return fault.Because(fault.NotFound, "no_such_id", "There is no such thing. Check the link.", nil)
	}
	return nil
}

// mayBuy fails as [account.Account.MayBuy] does.
func (s *Server) mayBuy(ctx context.Context, tx db.Tx, owner string) error {
	a, err := account.Get(ctx, tx, owner)
	if err != nil {
		return err
	}
	return a.MayBuy()
}

// place is where a plan's numbers get their meaning.
type place struct {
	plan catalogue.Plan
	op   catalogue.Operator
	loc  *time.Location // the operator's
}

// placeOf finds a plan's operator and its zone; UTC for what the catalogue no
// longer has.
func placeOf(c *catalogue.Catalogue, plan string) place {
	p := place{loc: time.UTC}
	p.plan, _ = c.Plan(plan)
	p.op, _ = c.Operator(p.plan.Operator)
	if loc, err := p.op.Zone.Location(); err == nil {
		p.loc = loc
	}
	return p
}
