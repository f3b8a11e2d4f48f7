package app

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/world"
)

// Staff's own program cannot reach a demo's strangers, and says where the money is given
// back instead; there it is.
func TestRefundInADemo(t *testing.T) {
	dir := t.TempDir()
	d, err := OpenDemo(t.Context(), DemoOptions{URL: "http://demo.example", Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	o := renewedInDemo(t, d)

	secret, err := keptSecret(filepath.Join(dir, "demo.secret"))
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Database: filepath.Join(dir, "demo.db"), Secret: secret, URL: "http://demo.example/", Wallet: order.WalletFull}
	staff, err := Open(t.Context(), c, Env{Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}, Real)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = staff.Close() })
	_, err = staff.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, order.Act{Staff: "mika", Reason: "test"})
	if said := staff.OfDemo(t.Context(), err); err == nil || !strings.Contains(said.Error(), "page http://demo.example/sim/") || !errors.Is(said, err) {
		t.Errorf("from another process: %v", said)
	}
	if other := errors.New("other"); !errors.Is(d.App.OfDemo(t.Context(), other), other) || strings.Contains(d.App.OfDemo(t.Context(), other).Error(), "/sim/") {
		t.Error("the demo itself sends somebody to its page")
	}

	for _, says := range []string{"The money goes back.", "already"} {
		r := httptest.NewRequest("POST", "/sim/refund", strings.NewReader(url.Values{"order": {" " + o.ID}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		d.Handler().ServeHTTP(w, r)
		if to, err := url.QueryUnescape(w.Header().Get("Location")); w.Code != http.StatusSeeOther || err != nil || !strings.Contains(to, says) {
			t.Errorf("on the town's page: %d to %q, want %q", w.Code, to, says)
		}
	}
	bills, err := db.Seen(t.Context(), d.App.DB, func(ctx context.Context, tx db.Tx) ([]billing.Bill, error) {
		return billing.OfOrder(ctx, tx, o.Account, o.ID)
	})
	if err != nil || len(bills) != 2 || bills[1].Total != o.Price {
		t.Errorf("%+v, %v", bills, err)
	}
}

// renewedInDemo is an order of the demo's traveller, from the wallet, for a period that
// waits at the demo's own operator.
func renewedInDemo(t *testing.T, d *Demo) order.Order {
	t.Helper()
	desk := d.App.Desk
	l, err := db.Seen(t.Context(), d.App.DB, func(ctx context.Context, tx db.Tx) (l line.Line, err error) {
		a, err := account.ByEmail(ctx, tx, world.Traveller)
		if err != nil {
			return l, err
		}
		all, err := line.List(ctx, tx, a.ID)
		for _, one := range all {
			if one.Plan == "machi-5gb" && one.At(tx.Now()) == line.Active {
				l = one
			}
		}
		return l, err
	})
	if err != nil {
		t.Fatal(err)
	}
	q, err := desk.Quote(t.Context(), l.Account, l.ID, renewal.Item{Kind: renewal.Term, Plan: "machi-5gb", ID: "10d"}, "JPY")
	if err != nil {
		t.Fatal(err)
	}
	o, err := desk.Place(t.Context(), order.Acceptance{Account: l.Account, Quote: q.ID, Key: "k", Amount: q.Price, Tool: order.ToolWallet})
	if err != nil {
		t.Fatal(err)
	}
	d.catchUp(t.Context())
	if o, err = db.Seen(t.Context(), d.App.DB, func(ctx context.Context, tx db.Tx) (order.Order, error) { return order.Get(ctx, tx, o.Ref()) }); err != nil || o.State != order.Completed {
		t.Fatalf("%s, %v", o.State, err)
	}
	return o
}
