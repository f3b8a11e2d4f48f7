package reminder_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/inboxsim"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/reminder"
	"github.com/tsuzuku/tsuzuku/renewal"
)

const (
	unlimited = "machi-5gb"  // appends days; nothing is left over
	volume    = "machi-10gb" // appends days and data, which is carried over
)

// shop sells the demo catalogue, from quote to inbox.
type shop struct {
	dbtest.Env
	ids    *id.Source
	desk   *order.Desk
	door   *account.Door
	fill   *reminder.Filler
	inbox  *inboxsim.Inbox
	sender *message.Sender
}

func newShop(t *testing.T, env dbtest.Env) *shop {
	t.Helper()
	s := &shop{Env: env, ids: id.NewSource(env.Clock.Now, rand.Reader), inbox: &inboxsim.Inbox{Now: env.Clock.Now}}
	shelf := &catalogue.Shelf{}
	s.desk = &order.Desk{
		DB: env.DB, IDs: s.ids, Shelf: shelf, Wallet: order.WalletFull, Log: slog.New(slog.DiscardHandler),
		Carriers: map[string]carrier.Carrier{"simple": &carriersim.Sim{Title: "simple", Now: env.Clock.Now}},
	}
	s.door = &account.Door{DB: env.DB, IDs: s.ids, Secret: []byte("0123456789abcdef")}
	s.fill = &reminder.Filler{DB: env.DB, Shelf: shelf, Door: s.door}
	s.sender = &message.Sender{
		DB: env.DB, Fill: s.fill.Fill, From: message.From{URL: "https://shop.example"}, AtOnce: 1,
		Deliverers: map[message.Channel]message.Deliverer{message.Email: s.inbox},
	}
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "test")
		return err
	})
	return s
}

func (s *shop) write(t *testing.T, fn func(context.Context, db.Tx) error) {
	t.Helper()
	if err := s.DB.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// customer makes an account that can be written to.
func (s *shop) customer(t *testing.T, email string, l locale.Language) string {
	t.Helper()
	a, err := db.Written(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) {
		return account.Create(ctx, tx, s.ids, account.New{Email: email, Language: l})
	})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// line gives an account a line of a plan that has run for a day and ends after
// so long, as change wants it.
func (s *shop) line(t *testing.T, account, plan string, endsIn time.Duration, change func(*line.Line)) line.Line {
	t.Helper()
	now := s.Clock.Now()
	p, _ := catalogue.Demo().Plan(plan)
	l := line.Line{
		Account: account, ID: s.ids.Under("ln", account), Operator: p.Operator, Plan: plan, Name: "Mum's",
		State: line.Active, StartedAt: now.Add(-24 * time.Hour), EndsAt: now.Add(endsIn), GraceEnds: now.Add(endsIn), Periods: 1,
	}
	l.ProfileID = "pf_" + l.ID
	l.ICCID = "89811" + l.ID[len(l.ID)-14:] // one of its own; nobody looks at the digits
	if change != nil {
		change(&l)
	}
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		if err := line.Add(ctx, tx, l); err != nil {
			return err
		}
		var b db.Batch
		line.AddPeriod(&b, line.Period{
			Account: account, Line: l.ID, Number: 1, Plan: plan, Term: "first", Effect: "append",
			StartsAt: l.StartedAt, EndsAt: l.EndsAt, State: line.PeriodActive,
		}, tx.Now())
		return tx.Batch(ctx, &b)
	})
	return l
}

// renew buys the plan's first term from the wallet, in this currency.
func (s *shop) renew(t *testing.T, l line.Line, c money.Currency) order.Order {
	t.Helper()
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		return ledger.Post(ctx, tx, ledger.Posting{Account: l.Account, Subject: s.ids.Free("x"), Step: "opening", Transfers: []ledger.Transfer{
			{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(10_000, c)},
		}})
	})
	p, _ := catalogue.Demo().Plan(l.Plan)
	q, err := s.desk.Quote(t.Context(), l.Account, l.ID, renewal.Item{Kind: renewal.Term, Plan: l.Plan, ID: p.Terms[0].ID}, c)
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.desk.Place(t.Context(), order.Acceptance{Account: l.Account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet})
	if err != nil || o.State != order.Completed {
		t.Fatalf("order is %s, %v; want completed", o.State, err)
	}
	return o
}

// send delivers everything that is due now.
func (s *shop) send(t *testing.T) {
	t.Helper()
	for range 50 {
		worked, err := s.sender.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !worked {
			return
		}
	}
	t.Fatal("the sending never ends")
}

// until sends whatever falls due up to an instant, each when it does.
func (s *shop) until(t *testing.T, end time.Time) {
	t.Helper()
	for s.Clock.Now().Before(end) {
		next := end
		if at := s.nextDue(t); !at.IsZero() && at.Before(end) {
			next = at
		}
		s.Clock.Set(next)
		s.send(t)
	}
}

// nextDue is when the next message falls due; zero: none does.
func (s *shop) nextDue(t *testing.T) time.Time {
	t.Helper()
	var at db.Instant
	err := s.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT MIN(due_at) FROM messages WHERE due_at > $1`, db.At(tx.Now())).Scan(&at)
	})
	if err != nil {
		t.Fatal(err)
	}
	return at.Time
}

// due is a message about a line as it stands in its row when its time has come.
func due(k message.Kind, l line.Line) message.Message {
	return message.Message{Draft: message.Draft{
		Account: l.Account, Kind: k, Line: l.ID, To: message.Address{Channel: message.Email},
		Facts: message.Facts{EndsAt: l.EndsAt},
	}}
}
