package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/hooks"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/world"
)

// told is a notification on its way.
type told struct {
	header http.Header
	body   []byte
}

// overheard is what a bank tells of a paid order, which the house hears as well.
func (p *purchase) overheard(t *testing.T) (all []told) {
	t.Helper()
	_, err := p.town.Deliver(t.Context(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if strings.HasPrefix(r.URL.Path, "/hooks/payment/") {
			all = append(all, told{r.Header.Clone(), body})
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		p.house.ServeHTTP(w, r)
	}))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// hear gives the house a notification, and says whether it was taken.
func (p *purchase) hear(t *testing.T, n told) bool {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/payment/"+p.bank.Name, bytes.NewReader(n.body))
	r.Header = n.header.Clone()
	rec := httptest.NewRecorder()
	p.house.ServeHTTP(rec, r)
	if rec.Code >= 500 {
		t.Errorf("%d for %.200q", rec.Code, n.body)
	}
	return rec.Code < 300
}

// kept counts what is kept of notifications: those that were taken, and how often
// one was refused.
func (p *purchase) kept(t *testing.T) (taken int, refused int64) {
	t.Helper()
	err := p.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		all, err := hooks.Refused(ctx, tx, "payment/"+p.bank.Name, 1000)
		for _, r := range all {
			refused += r.Times
		}
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM provider_events WHERE provider = $1`, p.bank.Name).Scan(&taken)
	})
	if err != nil {
		t.Fatal(err)
	}
	return taken, refused
}

// Whatever is made of a genuine notification, and sent to the shop for an order
// that nobody has paid: it is kept, as evidence or as the bell that it may be, and
// moves nothing.
func TestForgedNotificationsOfEveryBank(t *testing.T) {
	forgeries := []struct {
		name  string
		forge func(n told, of, now string) told // of: the reference that it is about; now: the other order's
	}{
		{"about another order", func(n told, of, now string) told {
			return told{n.header, bytes.ReplaceAll(n.body, []byte(of), []byte(now))}
		}},
		{"of a hundred times as much", func(n told, of, now string) told {
			body := bytes.ReplaceAll(n.body, []byte(of), []byte(now))
			for _, amount := range []string{"1680", "76.00", "380.00", "1080", "10.80", "76", "380"} {
				body = bytes.ReplaceAll(body, []byte(amount), []byte(amount+"00"))
			}
			return told{n.header, body}
		}},
		{"in another currency", func(n told, of, now string) told {
			body := bytes.ReplaceAll(n.body, []byte(of), []byte(now))
			for _, c := range []string{"JPY", "CNY", "TWD", "USD", "jpy", "cny", "usd"} {
				body = bytes.ReplaceAll(body, []byte(c), []byte("KRW"))
			}
			return told{n.header, body}
		}},
		{"without its headers", func(n told, of, now string) told {
			return told{http.Header{"Content-Type": n.header["Content-Type"]}, bytes.ReplaceAll(n.body, []byte(of), []byte(now))}
		}},
		{"cut", func(n told, _, _ string) told { return told{n.header, n.body[:len(n.body)*2/3]} }},
		{"huge", func(n told, _, _ string) told {
			return told{n.header, append(bytes.Clone(n.body), bytes.Repeat([]byte(" "), 2<<20)...)}
		}},
		{"nothing", func(n told, _, _ string) told { return told{n.header, nil} }},
		{"again", func(n told, _, _ string) told { return n }},
	}
	for _, tool := range counters() {
		rail, chosen := payment.Rail(tool.rail), map[payment.Rail]string{}
		if tool.adapter != "" {
			chosen[rail] = tool.adapter
		}
		t.Run(strings.TrimSuffix(tool.rail+" through "+tool.adapter, " through "), func(t *testing.T) {
			b := openBranch(t, dbtest.SQLite(t), chosen)
			at := slices.IndexFunc(b.town.Banks, func(bank *world.Bank) bool { return bank.Name == b.Desk.Rails[rail] })
			if b.town.Banks[at].Name == "linepay" {
				t.Skip("LINE Pay tells nobody anything")
			}
			paid := b.buy(t, b.town.Banks[at], rail, money.Currency(tool.currency))
			paid.start(t)
			if _, err := paid.bank.Pay(paid.refs[0]); err != nil {
				t.Fatal(err)
			}
			paid.clock.Add(4 * time.Second) // within which everything is told
			genuine := paid.overheard(t)
			if len(genuine) == 0 {
				t.Fatal("the bank tells nothing")
			}
			paid.pass(t, time.Minute)

			open := b.buy(t, b.town.Banks[at], rail, money.Currency(tool.currency))
			open.start(t)
			heard := map[string]bool{string(genuine[0].body): true}
			for _, f := range forgeries {
				n := f.forge(genuine[0], paid.refs[0], open.refs[0])
				if bytes.Equal(n.body, genuine[0].body) && f.name != "again" { // it is encrypted, or says nothing of that
					n.body = bytes.Clone(n.body)
					n.body[len(n.body)/2]++
				}
				taken, refused := open.kept(t)
				ok := open.hear(t, n)
				open.work(t)
				nowTaken, nowRefused := open.kept(t)
				bells, evidence := nowTaken-taken, nowRefused-refused
				want := 1
				if ok && heard[string(n.body)] {
					want = 0 // kept already
				}
				heard[string(n.body)] = true
				if bells+int(evidence) != want || ok == (evidence > 0) {
					t.Errorf("%s: taken %v; kept %d times as a bell and %d times as evidence, want %d", f.name, ok, bells, evidence, want)
				}
			}
			paid.clock.Add(2 * time.Hour)
			open.hear(t, genuine[0])
			open.untouched(t)
		})
	}
}

// untouched wants that an order which nobody has paid moved nothing.
func (p *purchase) untouched(t *testing.T) {
	t.Helper()
	p.pass(t, time.Minute)
	var moved int
	o, err := db.Seen(t.Context(), p.DB, func(ctx context.Context, tx db.Tx) (order.Order, error) {
		err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM transfers WHERE account_id = $1 AND subject <> 'opening'`, p.order.Account).Scan(&moved)
		if err != nil {
			return order.Order{}, err
		}
		return order.Get(ctx, tx, p.order.Ref())
	})
	if err != nil {
		t.Fatal(err)
	}
	if moved != 0 || o.State != order.Placed && o.State != order.Cancelled {
		t.Errorf("an order that nobody has paid is %s, with %d transfers", o.State, moved)
	}
	found, err := audit.Run(t.Context(), p.DB)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Errorf("audit: %s", v)
	}
}
