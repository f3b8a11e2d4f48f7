package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// waiting buys a period that waits for its turn, from aiko's wallet.
func (p *program) waiting(key string) Order {
	p.w.t.Helper()
	p.w.env.Clock.Add(time.Second) // identifiers of one millisecond sort by chance
	o := want[Order](p.with("Idempotency-Key", key), http.StatusCreated, "POST", "/orders", accept(p.quote("fresh", tenDays), "wallet"))
	p.w.work()
	if o = read[Order](p, "/orders/"+o.ID); o.State != "completed" || !o.StartsAt.After(p.w.env.Clock.Now()) {
		p.w.t.Fatalf("it does not wait: %+v", o)
	}
	return o
}

// yen is what is in aiko's wallet.
func (p *program) yen() int64 {
	p.w.t.Helper()
	return read[Balances](p, "/accounts/"+p.w.aiko.ID+"/balances").Wallet[0].Amount
}

// A period that waits is cancelled by a program: what comes back and until when is said
// before; however often it is sent, the money comes back once; nobody else's key does it.
func TestCancellingAPeriodByAProgram(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		w := newTown(t, env)
		_, token := w.key("", Read, Renew)
		_, theirs := w.key(w.other.ID, Read, Renew)
		p, stranger := w.program(token), w.program(theirs).with("Idempotency-Key", "theirs")
		had := p.yen()
		first, second := p.waiting("first"), p.waiting("second")
		period := "/orders/" + second.ID + "/period"

		if c := read[Cancellation](p, period+"/cancellation"); c.State != "possible" || c.Order != second.ID || c.Wallet == nil || *c.Wallet != second.Price ||
			c.Tool != nil || c.Until == nil || !c.Until.Equal(*second.StartsAt) {
			t.Errorf("%+v of %+v", c, second)
		}
		if c := read[Cancellation](p, "/orders/"+first.ID+"/period/cancellation"); c.State != "impossible" || c.Reason != "period_under" || c.Why == "" || c.Wallet != nil {
			t.Errorf("the one under it: %+v", c)
		}
		refused(stranger, http.StatusNotFound, "not_found", "GET", period+"/cancellation", nil)
		refused(stranger, http.StatusNotFound, "not_found", "POST", period+"/cancel", nil)
		refused(p, http.StatusBadRequest, keyMissing, "POST", period+"/cancel", nil)
		if left := had - first.Price.Amount - second.Price.Amount; p.yen() != left {
			t.Errorf("the wallet has %d, want %d", p.yen(), left)
		}

		k := p.with("Idempotency-Key", "cancel")
		for range 2 {
			if c := want[Cancellation](k, http.StatusOK, "POST", period+"/cancel", nil); c.State != "done" || c.Order != second.ID {
				t.Errorf("%+v", c)
			}
		}
		refused(k, http.StatusUnprocessableEntity, keyReused, "POST", "/orders/"+first.ID+"/period/cancel", nil)
		w.loseAnswers()
		w.env.Clock.Add(answersLease)
		for _, again := range []*program{k, p.with("Idempotency-Key", "another")} {
			if c := want[Cancellation](again, http.StatusOK, "POST", period+"/cancel", nil); c.State != "done" {
				t.Errorf("again: %+v", c)
			}
		}
		if c := read[Cancellation](p, period+"/cancellation"); c.State != "done" {
			t.Errorf("afterwards: %+v", c)
		}
		if p.yen() != had-first.Price.Amount {
			t.Errorf("the wallet has %d, want %d", p.yen(), had-first.Price.Amount)
		}
		if o := read[Order](p, "/orders/"+second.ID); len(o.Bills) != 2 || o.Bills[1].Kind != "credit_note" || !strings.Contains(o.Text, "refunded in full") || o.Next != "" {
			t.Errorf("%+v", o)
		}

		// Periods keep their numbers: the one under it is still not the last one.
		if c := read[Cancellation](p, "/orders/"+first.ID+"/period/cancellation"); c.State != "impossible" || c.Reason != "period_under" {
			t.Errorf("the one under it, afterwards: %+v", c)
		}
		if l := read[Line](p, "/lines/"+w.lines["fresh"]); !l.EndsAt.Equal(*first.EndsAt) {
			t.Errorf("the line ends %v, and ended %v", l.EndsAt, first.EndsAt)
		}
		w.work()
		w.sound()
	})
}

// loseAnswers makes every request one whose process died before it answered.
func (w *town) loseAnswers() {
	w.t.Helper()
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE api_requests SET answer = ''`)
		return err
	})
}

// What cannot be cancelled is refused with the sentence of the page, and nothing changes:
// a period that has begun, an order that waits for money, and while the operator is
// silent, after which the same request is done.
func TestPeriodsThatCannotBeCancelled(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, token := w.key("", Read, Renew)
	p := w.program(token).with("Accept-Language", "ja")
	page := ui.NewVoice(locale.Ja, nil, w.env.Clock.Now())
	begun := func(o Order) {
		t.Helper()
		path, had := "/orders/"+o.ID+"/period", p.yen()
		c := read[Cancellation](p, path+"/cancellation")
		no := refused(p.with("Idempotency-Key", "cancel "+o.ID), http.StatusConflict, "conflict", "POST", path+"/cancel", nil)
		if c.State != "impossible" || c.Reason != "period_begun" || no.Reason != c.Reason || no.Detail != c.Why || c.Why != page.T("fault.period_begun") {
			t.Errorf("%+v and %+v", c, no)
		}
		if p.yen() != had {
			t.Errorf("the wallet has %d, had %d", p.yen(), had)
		}
	}
	begun(want[Order](p.with("Idempotency-Key", "card"), http.StatusCreated, "POST", "/orders", accept(p.quote("volume", volume), "card")))

	o, had := p.waiting("one"), p.yen()
	w.operator.Silence(true)
	k, path := p.with("Idempotency-Key", "cancel"), "/orders/"+o.ID+"/period/cancel"
	if no := refused(k, http.StatusServiceUnavailable, "unavailable", "POST", path, nil); no.Reason != "period_unclear" || no.Detail != page.T("fault.period_unclear") || p.yen() != had {
		t.Errorf("a silent operator: %+v, wallet %d", no, p.yen())
	}
	w.operator.Silence(false)
	if c := want[Cancellation](k, http.StatusOK, "POST", path, nil); c.State != "done" || p.yen() != had+o.Price.Amount {
		t.Errorf("%+v, wallet %d", c, p.yen())
	}

	w.sound()
	o = p.waiting("two")
	w.env.Clock.Add(o.StartsAt.Sub(w.env.Clock.Now()))
	begun(o)
}
