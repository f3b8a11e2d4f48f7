package api

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// However often and however close together an order is sent, there is one, paid
// once, and everybody who is told anything is told the same.
func TestOneOrderForOneKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		w := newTown(t, env)
		_, token := w.key("", Read, Renew)
		p := w.program(token).with("Idempotency-Key", "once")
		body := accept(p.with("Idempotency-Key", "").quote("fresh", tenDays), "wallet")
		const many = 8
		results := make([]result, many)
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() { results[i] = p.send("POST", prefix+"/orders", body) })
		}
		all.Wait()
		results = append(results, p.send("POST", prefix+"/orders", body))
		said := ""
		for _, r := range results {
			switch {
			case r.status == http.StatusConflict:
			case r.status != http.StatusCreated:
				t.Errorf("%d %s", r.status, r.body)
			case said == "":
				said = string(r.body)
			case said != string(r.body):
				t.Errorf("one is told\n%s\nanother\n%s", said, r.body)
			}
		}
		if last := results[many]; last.status != http.StatusCreated {
			t.Errorf("sent again: %d %s", last.status, last.body)
		}
		if n := len(w.orders()); n != 1 {
			t.Errorf("%d orders", n)
		}
		w.work()
		w.sound()
	})
}

// The same key with other contents is refused, before and after the first answer
// is forgotten; a key of another program's is another one.
func TestKeyWithOtherContents(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, token := w.key("", Read, Renew)
	p := w.program(token).with("Idempotency-Key", "k")
	plain := w.program(token)
	first, second := accept(plain.quote("fresh", tenDays), "wallet"), accept(plain.quote("volume", volume), "wallet")
	o := want[Order](p, http.StatusCreated, "POST", "/orders", first)
	refused(p, http.StatusUnprocessableEntity, keyReused, "POST", "/orders", second)
	refused(p, http.StatusUnprocessableEntity, keyReused, "POST", "/quotes", map[string]any{"line": w.lines["fresh"], "item": tenDays, "currency": "JPY"})

	w.env.Clock.Add(answersKept - time.Second)
	if again := want[Order](p, http.StatusCreated, "POST", "/orders", first); again.ID != o.ID {
		t.Errorf("%s, and then %s", o.ID, again.ID)
	}
	w.env.Clock.Add(time.Second)
	for {
		worked, err := w.server.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !worked {
			break
		}
	}
	if n := w.remembered(); n != 0 {
		t.Errorf("%d answers are still kept", n)
	}
	// The order itself knows its key for ever.
	if again := want[Order](p, http.StatusCreated, "POST", "/orders", first); again.ID != o.ID {
		t.Errorf("%s, and then %s", o.ID, again.ID)
	}
	w.forgetAll()
	late := accept(plain.quote("volume", volume), "wallet")
	refused(p, http.StatusUnprocessableEntity, keyReused, "POST", "/orders", late)
	_, another := w.key("", Read, Renew)
	want[Order](w.program(another).with("Idempotency-Key", "k"), http.StatusCreated, "POST", "/orders", late)
	if n := len(w.orders()); n != 2 {
		t.Errorf("%d orders", n)
	}
}

// A process that died while it worked on a request: until it is sure that nobody
// does any more, nobody else does; then the same request gets the same order,
// whether or not there is one already.
func TestRequestOfAProcessThatDied(t *testing.T) {
	for _, placed := range []bool{false, true} {
		t.Run(fmt.Sprintf("placed=%v", placed), func(t *testing.T) {
			w := newTown(t, dbtest.SQLite(t))
			k, token := w.key("", Read, Renew)
			p := w.program(token).with("Idempotency-Key", "k")
			body := accept(w.program(token).quote("fresh", tenDays), "wallet")
			was := ""
			if placed {
				was = want[Order](p, http.StatusCreated, "POST", "/orders", body).ID
				w.write(func(ctx context.Context, tx db.Tx) error {
					_, err := tx.Exec(ctx, `UPDATE api_requests SET answer = ''`)
					return err
				})
			} else {
				// What was asked for is known only by its digest; a refused order's
				// row is one that began and did not end.
				w.die(p, k, body)
			}
			refused(p, http.StatusConflict, keyRunning, "POST", "/orders", body)
			w.env.Clock.Add(answersLease - time.Second)
			refused(p, http.StatusConflict, keyRunning, "POST", "/orders", body)
			w.env.Clock.Add(time.Second)
			o := want[Order](p, http.StatusCreated, "POST", "/orders", body)
			if n := len(w.orders()); n != 1 || placed && o.ID != was {
				t.Errorf("%d orders; %s, was %s", n, o.ID, was)
			}
			w.work()
			w.sound()
		})
	}
}

// die begins an order and stops before it is placed: the shop's shelf is gone.
func (w *town) die(p *program, k Key, body map[string]any) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE accounts SET state = 'restricted' WHERE account_id = $1`, w.aiko.ID)
		return err
	})
	// A refusal forgets its row; a trigger stands for the process that did not get
	// that far.
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `CREATE TRIGGER dead BEFORE DELETE ON api_requests BEGIN SELECT RAISE(IGNORE); END`)
		return err
	})
	refused(p, http.StatusForbidden, "denied", "POST", "/orders", body)
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `DROP TRIGGER dead`)
		return err
	})
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE accounts SET state = 'active' WHERE account_id = $1`, w.aiko.ID)
		return err
	})
	if w.remembered() != 1 {
		w.t.Fatalf("no request of %s is under way", k.ID)
	}
}

// A refusal made nothing: the same key can be used again when it is mended.
func TestRefusalsFreeTheKey(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, token := w.key("", Read, Renew)
	p := w.program(token).with("Idempotency-Key", "k")
	q := w.program(token).quote("fresh", tenDays)
	body := accept(q, "wallet")
	body["amount"] = Money{q.Price.Amount - 1, "JPY"}
	if got := refused(p, http.StatusConflict, "conflict", "POST", "/orders", body); got.Reason != "amount_differs" {
		t.Errorf("%+v", got)
	}
	if w.remembered() != 0 {
		t.Error("a refusal is kept")
	}
	o := want[Order](p, http.StatusCreated, "POST", "/orders", accept(q, "wallet"))
	other := p.with("Idempotency-Key", "k2")
	if got := refused(other, http.StatusConflict, "conflict", "POST", "/orders", accept(q, "wallet")); got.Reason != "quote_used" || got.Order != o.ID {
		t.Errorf("%+v", got)
	}
}

// A quote that is sent again with a key is the same quote, without one another.
func TestQuotesWithAKey(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, token := w.key("", Read, Renew)
	p := w.program(token)
	a, b := p.with("Idempotency-Key", "q").quote("fresh", tenDays), p.with("Idempotency-Key", "q").quote("fresh", tenDays)
	if c := p.quote("fresh", tenDays); a.ID != b.ID || c.ID == a.ID {
		t.Errorf("%s %s %s", a.ID, b.ID, c.ID)
	}
}

func (w *town) remembered() (n int64) {
	w.t.Helper()
	err := w.env.DB.Read(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM api_requests`).Scan(&n)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *town) forgetAll() {
	w.t.Helper()
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM api_requests`)
		return err
	})
}
