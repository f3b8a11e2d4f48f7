package towns

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/world"
)

// What is wrong for some hours only, and right again when the town ends, the auditor has
// seen on the way.
func TestWrongOnTheWayIsSeen(t *testing.T) {
	keys, err := world.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	for what, m := range map[string]meddler{
		"was seen to be refunded, and is completed":          {set: `UPDATE orders SET state = 'refunded' WHERE id = $1`, back: `UPDATE orders SET state = 'completed' WHERE id = $1`},
		"the shop's own audit":                               {set: `UPDATE lines SET periods = periods + 1 WHERE id = (SELECT line_id FROM orders WHERE id = $1)`, back: `UPDATE lines SET periods = periods - 1 WHERE id = (SELECT line_id FROM orders WHERE id = $1)`},
		"seen to be completed when its operator had acted 0": {cancelled: true, set: `UPDATE orders SET state = 'completed' WHERE id = $1`, back: `UPDATE orders SET state = 'cancelled' WHERE id = $1`},
	} {
		t.Run(what, func(t *testing.T) {
			houses := app.NewTown("memory:" + t.Name())
			open := func(ctx context.Context, s *world.Strangers, mail *world.Postbox, machine world.Machine) (*world.House, error) {
				h, err := houses.House(ctx, s, mail, machine)
				if err == nil {
					m.books, m.began = h.Books, machine.Now()
					h.Steps = append(h.Steps, world.Step{Name: "meddling", Do: m.step})
				}
				return h, err
			}
			r, err := world.Simulate(t.Context(), world.Plan{Seed: 3, Orders: 200, Faults: world.NoFaults, Keys: keys, Open: open})
			if err = errors.Join(err, houses.Close()); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(r.Violations, "\n"), what) {
				t.Errorf("nobody says so: %q", r.Violations)
			}
		})
	}
}

// meddler changes the rows of one order, and changes them back after three hours.
type meddler struct {
	set, back string
	cancelled bool // it is one that was never served

	books *db.DB
	began time.Time
	order string
	done  bool
}

func (m *meddler) step(ctx context.Context) (bool, error) {
	if m.done {
		return false, nil
	}
	return false, m.books.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if m.order == "" {
			state := map[bool]string{true: "cancelled", false: "completed"}[m.cancelled]
			err := tx.QueryRow(ctx, `SELECT id FROM orders WHERE state = $1 AND kind = 'term' AND plan_id <> 'aurora-sum' ORDER BY id LIMIT 1`, state).Scan(&m.order)
			if errors.Is(err, db.ErrNoRows) {
				return nil
			}
			if err == nil {
				_, err = tx.Exec(ctx, m.set, m.order)
			}
			return err
		}
		if tx.Now().Before(m.began.Add(3 * time.Hour)) {
			return nil
		}
		m.done = true
		_, err := tx.Exec(ctx, m.back, m.order)
		return err
	})
}
