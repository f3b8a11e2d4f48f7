package reminder_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
)

// The letters about a new line have its code while it is not in use, and are
// written where the line does not exist yet, or never will.
func TestNewLineIsToldWithItsCode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "hanako@example.com", locale.En)
		s.give(t, ac, money.Of(6_000, "JPY"))
		buy := func() order.Order {
			q, err := s.desk.QuoteNew(t.Context(), ac, unlimited, "3d", "JPY")
			if err != nil {
				t.Fatal(err)
			}
			o, err := s.desk.Place(t.Context(), order.Acceptance{Account: ac, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet})
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		fill := func(k message.Kind, o order.Order) (message.Facts, error) {
			m := due(k, line.Line{Account: ac, ID: o.Line})
			m.Order = o.ID
			got, err := s.fill.Fill(t.Context(), m)
			return got.Facts, err
		}
		o := buy()
		for _, k := range []message.Kind{message.OrderCompleted, message.ReminderInstall} {
			f, err := fill(k, o)
			if err != nil || !strings.HasPrefix(f.Install, "LPA:1$") || f.InstallBy.IsZero() || f.PlanName == "" || f.LineLastFour == "" {
				t.Errorf("%s: %+v, %v", k, f, err)
			}
		}
		sim := s.desk.Carriers["simple"].(*carriersim.Sim)
		sim.ChooseIssue = func(carrier.Purchase) carriersim.Fault { return carriersim.LoseRequest }
		lost := buy()
		for _, k := range []message.Kind{message.OrderStillWorking, message.OrderRefundDue, message.OrderHeld} {
			if f, err := fill(k, lost); err != nil || f.Install != "" || f.PlanName == "" {
				t.Errorf("%s of a line that does not exist: %+v, %v", k, f, err)
			}
		}
		err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			l, err := line.Get(ctx, tx, ac, o.Line)
			sim.Use(l.ProfileID, time.Time{}, 0)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		env.Clock.Add(time.Hour)
		if _, err := s.desk.LookStep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := fill(message.ReminderInstall, o); !errors.Is(err, message.ErrNotNeeded) {
			t.Errorf("a line in use: %v", err)
		}
	})
}
