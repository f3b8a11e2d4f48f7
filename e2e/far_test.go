package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/inboxsim"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// The simulated operator and the simulated mailbox have no wire of their own.
// So that they outlive the house, each gets one here: JSON over HTTP, as thin
// as possible. farCarrier and farMailbox are the house's ends of it, and
// nearCarrier and nearMailbox the town's.

// word is how an outcome travels.
type word string

const (
	wordDone    word = ""
	wordRefused word = "refused"
	wordNotSent word = "not sent"
	wordUnknown word = "unknown"
)

// farAnswer is what comes back.
type farAnswer struct {
	Word     word
	Text     string
	Refusal  *carrier.Refusal
	No       *message.Refusal
	Snapshot carrier.Snapshot
	Receipt  carrier.Receipt
	Reading  carrier.Reading
	Status   carrier.Status
	Letter   message.Receipt
}

// farWire carries a question to the town.
type farWire struct {
	client *outbound.Client
	town   string
}

func newFarWire(town string, env app.Env) farWire {
	return farWire{town: town, client: outbound.New(outbound.Options{Observe: func(p outbound.Point) { env.Point(string(p)) }})}
}

// ask fails with an error of outbound only.
func (f farWire) ask(ctx context.Context, path string, question any) (farAnswer, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return farAnswer{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.town+path, bytes.NewReader(body))
	if err != nil {
		return farAnswer{}, err
	}
	got, err := f.client.Do(ctx, r)
	if err != nil {
		return farAnswer{}, err
	}
	var a farAnswer
	if err := json.Unmarshal(got.Body, &a); err != nil {
		return farAnswer{}, fmt.Errorf("%w: %w", outbound.ErrSilent, err)
	}
	return a, nil
}

// farCarrier is an operator at the other end of a wire.
type farCarrier struct {
	carriersim.Sim // what it can do, which needs no wire
	wire           farWire
}

func newFarCarrier(town string, env app.Env) *farCarrier {
	return &farCarrier{Sim: carriersim.Sim{Title: "simple", Now: env.Now}, wire: newFarWire(town, env)}
}

func (c *farCarrier) ask(ctx context.Context, path string, question any, changes bool) (farAnswer, error) {
	a, err := c.wire.ask(ctx, path, question)
	switch {
	case errors.Is(err, outbound.ErrNotSent) || err != nil && !changes:
		return a, fmt.Errorf("%w: %w", carrier.ErrNotSent, err)
	case err != nil:
		return a, fmt.Errorf("%w: %w", carrier.ErrUnknown, err)
	case a.Word == wordRefused:
		return a, a.Refusal
	case a.Word == wordNotSent:
		return a, fmt.Errorf("%w: %s", carrier.ErrNotSent, a.Text)
	case a.Word == wordUnknown:
		return a, fmt.Errorf("%w: %s", carrier.ErrUnknown, a.Text)
	}
	return a, nil
}

func (c *farCarrier) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	a, err := c.ask(ctx, "/simple/prepare", e, false)
	return a.Snapshot, err
}

func (c *farCarrier) Extend(ctx context.Context, e carrier.Extension) (carrier.Receipt, error) {
	a, err := c.ask(ctx, "/simple/extend", e, true)
	return a.Receipt, err
}

func (c *farCarrier) LookUp(ctx context.Context, e carrier.Extension) (carrier.Reading, error) {
	a, err := c.ask(ctx, "/simple/lookup", e, false)
	return a.Reading, err
}

func (c *farCarrier) Status(ctx context.Context, p carrier.Profile) (carrier.Status, error) {
	a, err := c.ask(ctx, "/simple/status", p, false)
	return a.Status, err
}

// farMailbox is a mail relay at the other end of a wire.
type farMailbox struct{ wire farWire }

func newFarMailbox(town string, env app.Env) farMailbox { return farMailbox{newFarWire(town, env)} }

func (farMailbox) Name() string             { return "far" }
func (farMailbox) Channel() message.Channel { return message.Email }

func (m farMailbox) Deliver(ctx context.Context, l message.Letter) (message.Receipt, error) {
	a, err := m.wire.ask(ctx, "/mail", l)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return a.Letter, fmt.Errorf("%w: %w", message.ErrNotSent, err)
	case err != nil:
		return a.Letter, fmt.Errorf("%w: %w", message.ErrUnknown, err)
	case a.Word == wordRefused:
		return a.Letter, a.No
	case a.Word == wordNotSent:
		return a.Letter, fmt.Errorf("%w: %s", message.ErrNotSent, a.Text)
	case a.Word == wordUnknown:
		return a.Letter, fmt.Errorf("%w: %s", message.ErrUnknown, a.Text)
	}
	return a.Letter, nil
}

// nearCarrier answers for the simulated operator.
func nearCarrier(sim *carriersim.Sim) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /simple/prepare", near(func(ctx context.Context, e carrier.Extension) (a farAnswer, err error) {
		a.Snapshot, err = sim.Prepare(ctx, e)
		return a, err
	}))
	mux.Handle("POST /simple/extend", near(func(ctx context.Context, e carrier.Extension) (a farAnswer, err error) {
		a.Receipt, err = sim.Extend(context.WithoutCancel(ctx), e)
		return a, err
	}))
	mux.Handle("POST /simple/lookup", near(func(ctx context.Context, e carrier.Extension) (a farAnswer, err error) {
		a.Reading, err = sim.LookUp(ctx, e)
		return a, err
	}))
	mux.Handle("POST /simple/status", near(func(ctx context.Context, p carrier.Profile) (a farAnswer, err error) {
		a.Status, err = sim.Status(ctx, p)
		return a, err
	}))
	return mux
}

// nearMailbox answers for the simulated inbox.
func nearMailbox(inbox *inboxsim.Inbox) http.Handler {
	return near(func(ctx context.Context, l message.Letter) (a farAnswer, err error) {
		a.Letter, err = inbox.Deliver(context.WithoutCancel(ctx), l)
		return a, err
	})
}

func near[Q any](do func(context.Context, Q) (farAnswer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q Q
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a, err := do(r.Context(), q)
		var isRefusal, isNo bool
		a.Refusal, isRefusal = errors.AsType[*carrier.Refusal](err)
		a.No, isNo = errors.AsType[*message.Refusal](err)
		switch {
		case err == nil:
			a.Word = wordDone
		case isRefusal || isNo:
			a.Word = wordRefused
		case errors.Is(err, carrier.ErrNotSent) || errors.Is(err, message.ErrNotSent):
			a.Word = wordNotSent
		default:
			a.Word = wordUnknown
		}
		if err != nil {
			a.Text = err.Error()
		}
		_ = json.NewEncoder(w).Encode(a) // who hung up hears nothing
	})
}
