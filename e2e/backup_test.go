package e2e

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/backup"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
)

// A backup that is made while customers renew and the shop works: restored, it
// holds every order that was acknowledged before it began, keeps every promise,
// and the shop it was taken from has noticed nothing.
func TestBackupWhileTheShopRenews(t *testing.T) {
	env := dbtest.SQLite(t)
	s := newStall(env.DB, env.Clock)
	quotes, err := s.stock(t.Context(), 60)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var acknowledged []order.Quote
	place := func(q order.Quote) {
		if _, err := s.place(t.Context(), q); err != nil {
			t.Errorf("place: %v", err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		acknowledged = append(acknowledged, q)
	}
	for _, q := range quotes[:20] {
		place(q)
	}
	var shop sync.WaitGroup
	began := make(chan struct{})
	shop.Go(func() {
		for i, q := range quotes[20:] {
			place(q)
			if i == 3 {
				close(began) // the rest meets the backup
			}
			if _, err := s.desk.Step(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	<-began
	mu.Lock()
	before := append([]order.Quote(nil), acknowledged...)
	mu.Unlock()
	r, err := backup.Make(t.Context(), env.DB, env.URL, t.TempDir(), backup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	shop.Wait()

	restored := filepath.Join(t.TempDir(), "restored.db")
	if _, err := backup.Restore(t.Context(), r.File, restored); err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), restored, db.Options{Now: env.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close() //nolint:errcheck // it only read
	for _, q := range before {
		err := d.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			if _, placed, err := order.ByQuote(ctx, tx, q.Account, q.ID); err != nil || !placed {
				t.Errorf("%s was acknowledged and is not in the backup (%v)", q.ID, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	found, err := audit.Run(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Errorf("the restored shop: %s", v)
	}
	t.Logf("%d of %d orders were acknowledged before; the backup holds %d", len(before), len(quotes), r.Facts.Rows["orders"])

	if err := s.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ends, wrong := s.judge(t.Context(), quotes); len(wrong) > 0 || ends[string(order.Completed)] != len(quotes) {
		t.Errorf("the running shop: %v, %v", ends, wrong)
	}
}
