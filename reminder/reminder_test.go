package reminder_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/reminder"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Every kind of message finds its reader, in their language, and what is about
// a line names it; a complete one stays as it is.
func TestEveryKindIsAddressed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "hanako@example.com", locale.Ja)
		l := s.line(t, ac, unlimited, 24*time.Hour, nil)
		o := s.renew(t, l, "JPY")
		l.EndsAt = o.EndsAt
		for _, k := range message.Kinds() {
			m := due(k, l)
			m.Order = o.ID
			got, err := s.fill.Fill(t.Context(), m)
			if k == message.Usage80 || k == message.Usage100 {
				continue // this line has no volume; see TestUsageIsTold
			}
			if k == message.ClaimCode {
				continue // goes to the number of a card in stock, and here is none; see TestClaimCodesGoToTheLine
			}
			if k == message.ReminderInstall && errors.Is(err, message.ErrNotNeeded) {
				continue // this line is in use; see TestNewLineIsToldWithItsCode
			}
			if err != nil {
				t.Errorf("%s: %v", k, err)
				continue
			}
			if got.To.Value != "hanako@example.com" || got.Language != locale.Ja {
				t.Errorf("%s: to %v in %q", k, got.To, got.Language)
			}
			if f := got.Facts; f.LineName != l.Name || f.LineLastFour != l.LastFour() || f.PlanName != "まち無制限 1日5 GB" || f.Link == "" {
				t.Errorf("%s: %+v", k, f)
			}
			isReminder := slices.Contains(message.Reminders(), k)
			if wantsTerm := !isReminder; (got.Facts.TermName == "3日間") != wantsTerm {
				t.Errorf("%s: term %q", k, got.Facts.TermName)
			}
			about := "/orders/" + o.ID
			if k == message.WalletExpiring || k == message.WalletExpired {
				about = "/wallet"
			}
			if isReminder != strings.HasPrefix(got.Facts.Link, "/r/") || !isReminder && got.Facts.Link != about {
				t.Errorf("%s: link %q", k, got.Facts.Link)
			}
			if _, err := message.Write(k, got.Language, s.sender.From, withCode(got)); err != nil {
				t.Errorf("%s: %v", k, err)
			}
		}
		m := due(message.OrderCompleted, l)
		m.To.Value, m.Language, m.Facts.Link = "else@example.com", locale.Ko, "/elsewhere"
		got, err := s.fill.Fill(t.Context(), m)
		if err != nil || got.To != m.To || got.Language != locale.Ko || got.Facts.Link != "/elsewhere" {
			t.Errorf("a complete one: %+v, %v", got, err)
		}
		m.Language = ""
		if got, err = s.fill.Fill(t.Context(), m); err != nil || got.To != m.To || got.Language != locale.Ja {
			t.Errorf("one without a language: %+v, %v", got, err)
		}
	})
}

// withCode are m's facts with the code that only letters with a code have.
func withCode(m message.Message) message.Facts {
	if m.Kind == message.SignInCode || m.Kind == message.LineCode || m.Kind == message.AddressCode {
		m.Facts.Code = "123456"
	}
	return m.Facts
}

// Nobody is told who cannot be reached or has left; that is no error, and
// nothing is left behind.
func TestMessageToNobodyIsNotNeeded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		for name, sql := range map[string]string{
			"closed":             `UPDATE accounts SET state = 'closed' WHERE account_id = $1`,
			"address not proven": `UPDATE addresses SET verified_at = NULL WHERE account_id = $1`,
			"no address":         `DELETE FROM addresses WHERE account_id = $1`,
		} {
			l := s.line(t, s.customer(t, strings.ReplaceAll(name, " ", ".")+"@example.com", locale.En), unlimited, 24*time.Hour, nil)
			s.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, sql, l.Account)
				return err
			})
			for _, k := range []message.Kind{message.Reminder1Day, message.OrderCompleted} {
				if _, err := s.fill.Fill(t.Context(), due(k, l)); !errors.Is(err, message.ErrNotNeeded) {
					t.Errorf("%s, %s: %v, want not needed", name, k, err)
				}
			}
			if n := s.count(t, `SELECT COUNT(*) FROM links`); n != 0 {
				t.Errorf("%s: %d links to a line that nobody was told of", name, n)
			}
		}
	})
}

// The last letter goes to the owner of an account that is closed by then, in their language
// and with the shop's clock.
func TestLastLetter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "gone@example.com", locale.Ja)
		s.write(t, func(ctx context.Context, tx db.Tx) error {
			if _, err := tx.Exec(ctx, `UPDATE accounts SET state = 'closing', closes_at = $2 WHERE account_id = $1`, ac, db.At(tx.Now())); err != nil {
				return err
			}
			letter, err := account.LastLetter(ctx, tx, ac, 39)
			if err != nil {
				return err
			}
			if closed, err := account.EraseClosed(ctx, tx, ac, tx.Now().Add(time.Hour)); err != nil || !closed {
				t.Errorf("closed %v, %v", closed, err)
			}
			return message.Queue(ctx, tx, s.ids.Under("msg", ac), letter)
		})
		if _, err := s.sender.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		all := s.inbox.To("gone@example.com")
		if len(all) != 1 || all[0].To.Value != "gone@example.com" || all[0].Language != locale.Ja {
			t.Fatalf("%+v", all)
		}
		for _, says := range []string{"アカウントを閉鎖しました", "39ポイントは失効しました", "日本時間", "帳簿記録"} {
			if !strings.Contains(all[0].Subject+all[0].Text, says) {
				t.Errorf("it lacks %q:\n%s", says, all[0].Text)
			}
		}
	})
}

func (s *shop) count(t *testing.T, query string) (n int64) {
	t.Helper()
	err := s.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.QueryRow(ctx, query).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A reminder is true of one end of service. A line that ends at another time,
// or will never be renewed, gets none; other messages about it are still sent.
func TestReminderIsWithdrawn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "a@example.com", locale.En)
		for _, tt := range []struct {
			name   string
			change func(*line.Line)
			later  time.Duration // the line's end, after the end that the row knows
			wanted bool
		}{
			{"as it was", nil, 0, true},
			{"renewed since", nil, time.Microsecond, false},
			{"cut short since", nil, -time.Hour, false},
			{"dead at the operator", func(l *line.Line) { l.State = line.Terminal }, 0, false},
			{"the number is somebody else's", func(l *line.Line) { l.State = line.Recycled }, 0, false},
			{"stopped for now", func(l *line.Line) { l.State = line.Suspended }, 0, true},
		} {
			l := s.line(t, ac, unlimited, 24*time.Hour, tt.change)
			l.EndsAt = l.EndsAt.Add(-tt.later)
			for _, k := range message.Reminders() {
				if k == message.Usage80 || k == message.Usage100 {
					continue // see TestUsageIsTold
				}
				if _, err := s.fill.Fill(t.Context(), due(k, l)); errors.Is(err, message.ErrNotNeeded) == tt.wanted || err != nil && tt.wanted {
					t.Errorf("%s, %s: %v, wanted %v", tt.name, k, err, tt.wanted)
				}
			}
			if _, err := s.fill.Fill(t.Context(), due(message.OrderHeld, l)); err != nil {
				t.Errorf("%s: another message: %v", tt.name, err)
			}
		}
	})
}

// What is left is said where the operator's figures say it: of a fixed volume,
// and measured on the data that the line has now. Unlimited is never shown as 0.
func TestLeft(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "a@example.com", locale.En)
		now := env.Clock.Now()
		gb := int64(1 << 30)
		for _, tt := range []struct {
			name, plan string
			usage      line.Usage
			left       int64
			known      bool
		}{
			{"some of a volume", volume, line.Usage{Total: 10 * gb, Used: 3 * gb, AsOf: now.Add(-time.Hour)}, 7 * gb, true},
			{"nothing of a volume", volume, line.Usage{Total: 10 * gb, Used: 11 * gb, AsOf: now.Add(-time.Hour)}, 0, true},
			{"never reported", volume, line.Usage{}, 0, false},
			{"a total that nobody knows", volume, line.Usage{Used: gb, AsOf: now}, 0, false},
			{"unlimited", unlimited, line.Usage{Unlimited: true, AsOf: now}, 0, false},
			{"unlimited, with today's cap", unlimited, line.Usage{Unlimited: true, Total: 5 * gb, Used: 5 * gb, AsOf: now}, 0, false},
			{"unlimited, and the operator says otherwise", unlimited, line.Usage{Total: 5 * gb, Used: 5 * gb, AsOf: now}, 0, false},
			{"before the period, carried over", volume, line.Usage{Total: 10 * gb, Used: 3 * gb, AsOf: now.Add(-48 * time.Hour)}, 7 * gb, true},
			{"before the period, lost", "tsukimi-20", line.Usage{Total: 10 * gb, Used: 3 * gb, AsOf: now.Add(-48 * time.Hour)}, 0, false},
			{"in the period, not carried over", "tsukimi-20", line.Usage{Total: 10 * gb, Used: 3 * gb, AsOf: now.Add(-time.Hour)}, 7 * gb, true},
		} {
			l := s.line(t, ac, tt.plan, 24*time.Hour, func(l *line.Line) { l.Usage = tt.usage })
			m, err := s.fill.Fill(t.Context(), due(message.Reminder1Day, l))
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			got := m.Facts.Left
			if (got != nil) != tt.known || tt.known && (*got != tt.left || !m.Facts.AsOf.Equal(tt.usage.AsOf) || m.Facts.GB == 0) {
				t.Errorf("%s: %v as of %v, want %d (%v)", tt.name, got, m.Facts.AsOf, tt.left, tt.known)
			}
		}
	})
}

// The cheapest term is named, in the currency that the customer paid in last,
// or the shop's own.
func TestOfferIsTheCheapestInTheCustomersCurrency(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "a@example.com", locale.En)
		for c, want := range map[money.Currency]money.Money{
			"USD": money.Of(1100, "USD"),
			"TWD": money.Of(35500, "TWD"),
			"":    money.Of(1680, "JPY"),
		} {
			l := s.line(t, ac, unlimited, 24*time.Hour, nil)
			m := due(message.Reminder1Day, l)
			if c != "" {
				s.give(t, ac, money.Of(100_000, c))
				o := s.renew(t, l, c)
				m.Order, m.Facts.EndsAt = o.ID, o.EndsAt
			}
			got, err := s.fill.Fill(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			if got.Facts.OfferName != "Machi Unlimited 5 GB a day, 3 days" || got.Facts.OfferPrice != want {
				t.Errorf("paid in %q: %s for %s, want 3 days for %s", c, got.Facts.OfferName, got.Facts.OfferPrice, want)
			}
		}
	})
}

// Where somebody advises, a reminder says that: the term, the pack or nothing
// that it is best to buy, why, and at which price. Before there are tables, and
// where nobody advises, it names the cheapest term and gives no reason.
func TestReminderSaysTheAdvice(t *testing.T) {
	const gb = 1 << 30
	s := newShop(t, dbtest.SQLite(t))
	ac := s.customer(t, "a@example.com", locale.En)
	day := line.DayOf(s.Clock.Now(), time.UTC)
	for _, tt := range []struct {
		name         string
		plan         string
		ends         time.Duration
		leaves       line.Day // after today
		left         int64    // of a volume; of what full speed there is today
		before, says string   // the offer without advice, and the advice
		offer        string
	}{
		{"ten more days", unlimited, 24 * time.Hour, 11, 5 * gb, "Machi Unlimited 5 GB a day, 3 days", "(¥3,980)", "Machi Unlimited 5 GB a day, 10 days"},
		{"home tomorrow", unlimited, 24 * time.Hour, 0, 5 * gb, "Machi Unlimited 5 GB a day, 3 days", "you need to buy nothing", ""},
		{"slow is good enough", "yokocho-base", 72 * time.Hour, 2, 0, "Yokocho Base, 500 MB for 15 days", "wait: your data is used up and the line is slow", ""},
		{"a pack is enough", "ichiba-1gb", 72 * time.Hour, 0, 0, "Ichiba Daily 1 GB, 3 days", "1 GB more (¥280)", "Ichiba Daily 1 GB, 1 GB more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s.fill.Advice = nil
			total := int64(5 * gb)
			if tt.plan == "yokocho-base" {
				total = 500 << 20
			}
			l := s.line(t, ac, tt.plan, tt.ends, func(l *line.Line) {
				l.Usage = line.Usage{Unlimited: tt.plan != "yokocho-base", Total: total, Used: total - tt.left, AsOf: s.Clock.Now()}
			})
			s.write(t, func(ctx context.Context, tx db.Tx) error { return line.TellStay(ctx, tx, ac, l.ID, day+tt.leaves) })
			facts := func() message.Facts {
				m, err := s.fill.Fill(t.Context(), due(message.Reminder1Day, l))
				if err != nil {
					t.Fatal(err)
				}
				return m.Facts
			}
			if f := facts(); f.OfferName != tt.before || f.Advice != "" {
				t.Errorf("nobody advises: %q, %q", f.OfferName, f.Advice)
			}
			s.fill.Advice = &advice.Adviser{DB: s.DB, Shelf: s.fill.Shelf, Log: slog.New(slog.DiscardHandler)}
			if f := facts(); f.OfferName != tt.before || f.Advice != "" {
				t.Errorf("before there are tables: %q, %q", f.OfferName, f.Advice)
			}
			for worked := true; worked; {
				var err error
				if worked, err = s.fill.Advice.Step(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			f := facts()
			if !strings.Contains(f.Advice, tt.says) || !strings.HasPrefix(f.OfferName, tt.offer) || (f.OfferName == "") != (tt.offer == "") {
				t.Errorf("offers %q for %s and says %q", f.OfferName, f.OfferPrice, f.Advice)
			}
			if f.OfferName != "" && !strings.Contains(f.Advice, locale.Money(locale.En, f.OfferPrice)) {
				t.Errorf("another price is advised: %s, %q", f.OfferPrice, f.Advice)
			}
			t.Log(f.OfferName, f.OfferPrice, f.Advice)
		})
	}
}

func (s *shop) give(t *testing.T, account string, m money.Money) {
	t.Helper()
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		return ledger.Post(ctx, tx, ledger.Posting{Account: account, Subject: s.ids.Free("x"), Step: "opening", Transfers: []ledger.Transfer{
			{From: ledger.Opening, To: ledger.Wallet, Amount: m},
		}})
	})
}

// Where nothing can be bought now, or the plan is gone, the reminder is still
// sent, and still opens the line.
func TestReminderWithoutAnOffer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "a@example.com", locale.ZhHans)
		for plan, name := range map[string]string{"tsumugi-light": "细语轻量 每日100 MB", "gone-from-the-shop": ""} {
			m, err := s.fill.Fill(t.Context(), due(message.Reminder3Days, s.line(t, ac, plan, 72*time.Hour, nil)))
			if f := m.Facts; err != nil || f.OfferName != "" || !f.OfferPrice.IsZero() || f.PlanName != name || !strings.HasPrefix(f.Link, "/r/") {
				t.Errorf("%s: %+v, %v", plan, m.Facts, err)
			}
		}
	})
}

func TestBestIsTheCheapestTerm(t *testing.T) {
	offer := func(k renewal.Kind, id string, minor int64, ends time.Duration) renewal.Offer {
		return renewal.Offer{Item: renewal.Item{Kind: k, ID: id}, Price: money.Of(minor, "JPY"), EndsAt: time.Unix(0, 0).Add(ends)}
	}
	pack := offer(renewal.Pack, "pack", 100, 0)
	for want, offers := range map[string][]renewal.Offer{
		"":      {pack},
		"month": {offer(renewal.Term, "year", 9000, 9), pack, offer(renewal.Term, "month", 900, 3), offer(renewal.Term, "quarter", 2500, 5)},
		"long":  {offer(renewal.Term, "short", 900, 3), offer(renewal.Term, "long", 900, 4)},
		"later": {offer(renewal.Term, "later", 900, 4), offer(renewal.Term, "sooner", 900, 3)},
	} {
		before := slices.Clone(offers)
		got, ok := reminder.Best(offers)
		if got.Item.ID != want || ok != (want != "") {
			t.Errorf("%q (%v), want %q", got.Item.ID, ok, want)
		}
		if diff := cmp.Diff(before, offers); diff != "" {
			t.Errorf("the caller's offers were changed: %s", diff)
		}
	}
	if _, ok := reminder.Best(nil); ok {
		t.Error("there is a best of nothing")
	}
}

// The link of a reminder opens its line, of its account, and no other, until a
// day after the last moment to renew.
func TestLinkOpensOneLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "a@example.com", locale.En)
		one, two := s.line(t, ac, unlimited, 24*time.Hour, nil), s.line(t, ac, unlimited, 24*time.Hour, nil)
		until := one.EndsAt.Add(48 * time.Hour)
		for _, l := range []line.Line{one, two} {
			m := due(message.Reminder1Day, l)
			m.Facts.RenewUntil = until
			m, err := s.fill.Fill(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			token, found := strings.CutPrefix(m.Facts.Link, "/r/")
			if account, opened, err := s.door.OpenLink(t.Context(), token); !found || account != ac || opened != l.ID || err != nil {
				t.Errorf("%s opens %s of %s, %v", m.Facts.Link, opened, account, err)
			}
			now := env.Clock.Now()
			env.Clock.Set(until.Add(24*time.Hour - time.Microsecond))
			if _, _, err := s.door.OpenLink(t.Context(), token); err != nil {
				t.Errorf("just before its end: %v", err)
			}
			env.Clock.Set(until.Add(24 * time.Hour))
			if _, _, err := s.door.OpenLink(t.Context(), token); err == nil {
				t.Error("it never ends")
			}
			env.Clock.Set(now)
		}
	})
}

// What an order's message says was bought is what was bought, whatever the line
// and the catalogue are by now.
func TestOrderIsNamedAsItWasAccepted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "a@example.com", locale.En)
		l := s.line(t, ac, volume, 24*time.Hour, nil)
		o := s.renew(t, l, "JPY")
		s.write(t, func(ctx context.Context, tx db.Tx) error {
			file := strings.ReplaceAll(string(catalogue.DemoFile()), "en: Machi 10 GB,", "en: Another Name,")
			_, changed, err := catalogue.Apply(ctx, tx, []byte(file), "test")
			if !changed {
				t.Error("the catalogue did not change")
			}
			return err
		})
		if _, err := (&billing.Numbering{DB: env.DB}).Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := due(message.OrderCompleted, l)
		m.Order = o.ID
		got, err := s.fill.Fill(t.Context(), m)
		if f := got.Facts; err != nil || f.PlanName != "Machi 10 GB" || f.TermName != "10 GB for 15 days" || f.Bill != "B2026-00000001" {
			t.Errorf("%+v, %v", f, err)
		}
		m = due(message.OrderCompleted, l) // of no order: the line's plan as it is called now
		if got, err = s.fill.Fill(t.Context(), m); err != nil || got.Facts.PlanName != "Another Name" {
			t.Errorf("%+v, %v", got.Facts, err)
		}
	})
}

// Times in a letter are those of its line's operator, where it is about a line or an order;
// else the customer's or, until they have said where they are, the shop's.
func TestZoneOfALetter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		s.write(t, func(ctx context.Context, tx db.Tx) error {
			file := strings.Replace(string(catalogue.DemoFile()), "  zone: Asia/Tokyo", "  zone: Asia/Taipei", 1) // the shop's
			cat, _, err := catalogue.Apply(ctx, tx, []byte(file), "test")
			if err == nil && cat.Seller.Zone != "Asia/Taipei" {
				t.Errorf("the shop is in %s", cat.Seller.Zone)
			}
			return err
		})
		for home, want := range map[calendar.Zone]calendar.Zone{"": "Asia/Taipei", "Asia/Seoul": "Asia/Seoul"} {
			ac := s.customer(t, "a"+strings.ToLower(string(home[min(5, len(home)):]))+"@example.com", locale.En)
			l := s.line(t, ac, volume, 24*time.Hour, nil)
			o := s.renew(t, l, "JPY")
			s.write(t, func(ctx context.Context, tx db.Tx) error {
				_, err := tx.Exec(ctx, `UPDATE accounts SET zone = $2 WHERE account_id = $1`, ac, string(home))
				return err
			})
			ofOrder, ofLine, ofAccount := due(message.PaymentFailed, l), due(message.LineStays, l), due(message.NewSignIn, line.Line{Account: ac})
			ofOrder.Order, ofOrder.Line = o.ID, ""
			for i, m := range []message.Message{ofOrder, ofLine, ofAccount} {
				m.Facts.Zone = ""
				got, err := s.fill.Fill(t.Context(), m)
				if want := []calendar.Zone{"Asia/Tokyo", "Asia/Tokyo", want}[i]; err != nil || got.Facts.Zone != want {
					t.Errorf("%s to somebody in %q: %s, want %s (%v)", m.Kind, home, got.Facts.Zone, want, err)
				}
			}
		}
	})
}

// A top-up is told with the wallet as it is afterwards and its receipt's
// number, and without a word about lines.
func TestTopUpIsToldWithTheBalance(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "a@example.com", locale.En)
		s.give(t, ac, money.Of(700, "JPY"))
		o := s.topUpOrder(t, ac)
		m := message.Message{Draft: message.Draft{Account: ac, Kind: message.WalletToppedUp, Order: o, Facts: message.Facts{Amount: money.Of(500, "JPY")}}}
		got, err := s.fill.Fill(t.Context(), m)
		if f := got.Facts; err != nil || f.Balance != money.Of(700, "JPY") || f.Link != "/orders/"+o || f.PlanName != "" || f.Bill != "" {
			t.Errorf("%+v, %v", f, err)
		}
	})
}

// topUpOrder stores the row of a top-up; how it is paid is package order's.
func (s *shop) topUpOrder(t *testing.T, account string) string {
	t.Helper()
	q, err := s.desk.QuoteTopUp(t.Context(), account, money.Of(500, "JPY"))
	if err != nil {
		t.Fatal(err)
	}
	key := s.ids.Under("ord", account)
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO orders (account_id, id, state, customer_key, input_digest, quote_id, kind, line_id, plan_id, item_id,
				catalogue_version, minor, currency, tool, effect, bytes, periods, anchor, expires_at, placed_at, updated_at)
			VALUES ($1, $2, 'completed', 'k', 'd', $3, 'topup', '', '', '', 1, 500, 'JPY', 'card', '', 0, 0, 0, 1, 1, 1)`, account, key, q.ID)
		return err
	})
	return key
}
