package order_test

import (
	"context"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/order"
)

const aCard = "8981100000000000017"

var itsIMSI = line.CardNumber{Kind: line.IMSI, Value: "440101234567890"}

// metered is a customer's line of a plan that gateways count, with the card that they mean.
func (s *shop) metered(t *testing.T, plan string) (account, lineID string) {
	t.Helper()
	p, _ := demo().Plan(plan)
	s.Desk.Meters = map[string]bool{p.Operator: true}
	account, lineID = s.customer(t, plan, 10*24*time.Hour, 0)
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		b.Add(`UPDATE lines SET used_bytes = 0, as_of = NULL WHERE account_id = $1 AND id = $2`, account, lineID)
		b.Add(`UPDATE periods SET allowance_bytes = $3 WHERE account_id = $1 AND line_id = $2`, account, lineID, int64(10)<<30)
		db.AddClaim(&b, line.ICCIDKind, aCard, account, lineID)
		line.SetCardNumber(&b, itsIMSI, aCard)
		return tx.Batch(ctx, &b)
	})
	return account, lineID
}

func (s *shop) counts(t *testing.T, want order.Metering, c line.Count) {
	t.Helper()
	c.Gateway = "pgw-1"
	got, err := s.Desk.Meter(t.Context(), itsIMSI, c)
	if err != nil || got != want {
		t.Fatalf("a report was %s, %v; want %s", got, err, want)
	}
}

func (s *shop) uses(t *testing.T, account, lineID string, bytes int64, ago time.Duration) {
	t.Helper()
	l := s.line(t, account, lineID)
	if asOf := s.Clock.Now().Add(-ago); l.Usage.Used != bytes || !l.Usage.AsOf.Equal(asOf) {
		t.Errorf("%d bytes as of %s, want %d as of %s", l.Usage.Used, l.Usage.AsOf, bytes, asOf)
	}
}

// Reports of a line of some volume: its figure is what all sessions of the period used,
// and as old as the oldest of those that still run.
func TestGatewaysCountAVolume(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		account, id := s.metered(t, "machi-10gb")
		now := s.Clock.Now
		s.counts(t, order.MeterCounted, line.Count{Session: "a", Begins: true, At: now()})
		s.uses(t, account, id, 0, 0)
		s.Clock.Add(time.Hour)
		first := line.Count{Session: "a", At: now(), Lasted: time.Hour, Down: 700, Up: 50}
		s.counts(t, order.MeterCounted, first)
		s.counts(t, order.MeterKnown, first)
		s.uses(t, account, id, 750, 0)

		s.Clock.Add(10 * time.Minute)
		s.counts(t, order.MeterCounted, line.Count{Session: "b", At: now(), Lasted: time.Minute, Down: 40})
		s.uses(t, account, id, 790, 10*time.Minute) // of session a nobody knows more
		s.counts(t, order.MeterFell, line.Count{Session: "a", At: now(), Lasted: 70 * time.Minute, Down: 9})
		s.uses(t, account, id, 790, 10*time.Minute)
		s.counts(t, order.MeterCounted, line.Count{Session: "a", Stops: true, At: now(), Lasted: 70 * time.Minute, Down: 900, Up: 50})
		s.uses(t, account, id, 990, 0)
		s.counts(t, order.MeterAbsurd, line.Count{Session: "b", At: now(), Lasted: 2 * time.Minute, Down: 5 << 40})
		s.counts(t, order.MeterOld, line.Count{Session: "c", At: now().Add(-400 * 24 * time.Hour), Down: 1})
		s.uses(t, account, id, 990, 0)

		s.Clock.Add(time.Hour)
		most := line.Count{Session: "b", At: now(), Lasted: time.Hour, Down: 9 << 30}
		s.counts(t, order.MeterCounted, most)
		most.At, most.Lasted, most.Up = now().Add(-time.Minute), most.Lasted-time.Minute, 1 // told late, and a byte more
		s.counts(t, order.MeterCounted, most)
		told, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) (n int64, err error) {
			err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM messages WHERE account_id = $1 AND kind = $2`, account, message.Usage80).Scan(&n)
			return n, err
		})
		if err != nil || told != 1 {
			t.Errorf("the customer was told %d times that most is used, %v", told, err)
		}

		days, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) ([]line.Reading, error) {
			return line.Readings(ctx, tx, account, id)
		})
		if err != nil || len(days) != 1 || days[0].Usage.Used != 950+(9<<30)+1 {
			t.Errorf("the days: %+v, %v", days, err)
		}
	})
}

// Of a plan with a cap every day counts what was used since the cap began anew, in the
// operator's zone; what began before midnight is shared out.
func TestGatewaysCountACap(t *testing.T) {
	env := dbtest.SQLite(t)
	s := newShop(t, env)
	plan, zone := dailyPlan(t)
	account, id := s.metered(t, plan)
	midnight := time.Date(2026, 3, 3, 0, 0, 0, 0, zone)
	s.Clock.Set(midnight.Add(30 * time.Minute))
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE lines SET started_at = $1, ends_at = $2`, db.At(midnight.Add(-48*time.Hour)), db.At(midnight.Add(48*time.Hour)))
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE periods SET starts_at = $1, ends_at = $2`, db.At(midnight.Add(-48*time.Hour)), db.At(midnight.Add(48*time.Hour)))
		}
		return err
	})
	s.counts(t, order.MeterCounted, line.Count{Session: "a", At: s.Clock.Now(), Lasted: time.Hour, Down: 1000})
	s.uses(t, account, id, 500, 0)
	if l := s.line(t, account, id); !l.Usage.Unlimited || l.Usage.Throttled {
		t.Errorf("%+v", l.Usage)
	}
	s.Clock.Add(time.Minute)
	s.counts(t, order.MeterCounted, line.Count{Session: "a", At: s.Clock.Now(), Lasted: 61 * time.Minute, Down: 20 << 30})
	if l := s.line(t, account, id); l.Usage.Total == 0 || l.Usage.Used < l.Usage.Total {
		t.Errorf("the cap is used up: %+v", l.Usage)
	}
}

func dailyPlan(t *testing.T) (string, *time.Location) {
	t.Helper()
	for _, p := range demo().Plans {
		op, _ := demo().Operator(p.Operator)
		if p.Kind != catalogue.Volume && p.Reset == catalogue.ResetMidnight && p.ResetZone == "" && p.DailyCap > 0 {
			loc, err := op.Zone.Location()
			if err != nil {
				t.Fatal(err)
			}
			return p.ID, loc
		}
	}
	t.Fatal("the demo has no plan with a cap of the day")
	return "", nil
}

// What an adapter or staff say of such a line is not taken, and what was said of it
// before it was counted here stays in its figure.
func TestCountingGoesOnFromWhatWasSaid(t *testing.T) {
	s := newShop(t, dbtest.SQLite(t))
	account, id := s.metered(t, "machi-10gb")
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		_, err := line.Report(ctx, tx, account, id, line.Usage{Total: 5 << 30, Used: 2 << 30, AsOf: tx.Now()})
		return err
	})
	s.Clock.Add(time.Hour)
	s.counts(t, order.MeterCounted, line.Count{Session: "a", At: s.Clock.Now(), Lasted: 2 * time.Hour, Down: 1000})
	s.uses(t, account, id, 2<<30+500, 0)
	s.write(t, func(ctx context.Context, tx db.Tx) error { return line.LookSoon(ctx, tx, account, id) })
	if worked, err := s.Desk.LookStep(t.Context()); !worked || err != nil {
		t.Fatalf("nobody looked: %v", err)
	}
	s.uses(t, account, id, 2<<30+500, 0)
}

// A card of nobody, or of an operator that is not counted so, is no reason to try again.
func TestCardsOfNobody(t *testing.T) {
	s := newShop(t, dbtest.SQLite(t))
	s.counts(t, order.MeterNoLine, line.Count{Session: "a", At: s.Clock.Now()})
	s.metered(t, "machi-10gb")
	s.Desk.Meters = nil
	s.counts(t, order.MeterElsewhere, line.Count{Session: "a", At: s.Clock.Now()})
}

// The first session of a line that was bought begins its service, where that begins
// with the first use.
func TestFirstSessionBeginsTheLine(t *testing.T) {
	c := newCashier(t, dbtest.SQLite(t))
	account := c.visitor(t, 6_000)
	o := c.buysNew(t, account, usedLater, order.ToolWallet)
	c.pass(t, time.Minute)
	p, _ := demo().Plan(usedLater)
	c.Desk.Meters = map[string]bool{p.Operator: true}
	l := c.line(t, account, o.Line)
	if fault.KindOf(func() error {
		_, err := c.Desk.Meter(t.Context(), line.CardNumber{Kind: line.ICCID, Value: l.ICCID}, line.Count{Gateway: "g", Session: "a", Begins: true, At: c.Clock.Now()})
		return err
	}()) != fault.KindOf(nil) {
		t.Fatal("not taken")
	}
	if l = c.line(t, account, o.Line); !l.StartedAt.Equal(c.Clock.Now()) || l.Periods != 1 {
		t.Errorf("it has not begun: %+v", l)
	}
}
