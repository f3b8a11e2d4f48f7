package reminder_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
)

// subjects are what arrived, oldest first.
func (s *shop) subjects(address string) string {
	var all []string
	for _, k := range s.inbox.To(address) {
		all = append(all, k.At.Format("02 15:04 ")+k.Subject)
	}
	return strings.Join(all, "\n")
}

// A customer renews on Monday, is reminded three days, one day and three hours before
// the new end, and told that it has come, once each, in words and with a link that works; and hears nothing
// more after that.
func TestCustomerIsRemindedOnceEach(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "mum@example.com", locale.En)
		l := s.line(t, ac, volume, 24*time.Hour, func(l *line.Line) {
			l.Usage = line.Usage{Total: 10 << 30, Used: 3 << 30, AsOf: env.Clock.Now()}
		})
		o := s.renew(t, l, "USD")
		s.send(t)
		confirmed := s.inbox.To("mum@example.com")
		if len(confirmed) != 1 || !strings.Contains(confirmed[0].Text, "10 GB for 15 days") {
			t.Fatalf("confirmation: %+v", confirmed)
		}
		s.until(t, o.EndsAt.Add(100*time.Hour))

		letters := s.inbox.To("mum@example.com")[1:]
		if len(letters) != 4 {
			t.Fatalf("%d reminders, want 4:\n%s", len(letters), s.subjects("mum@example.com"))
		}
		for i, before := range []time.Duration{72 * time.Hour, 24 * time.Hour, 3 * time.Hour, 0} {
			k := letters[i]
			if want := o.EndsAt.Add(-before); !k.At.Equal(want) || k.Times != 1 {
				t.Errorf("reminder %d came at %s, %d times; the line ends at %s", i, k.At, k.Times, o.EndsAt)
			}
			token, ours := strings.CutPrefix(k.Link, "https://shop.example/r/")
			if !ours || !strings.Contains(k.Text, k.Link) || !strings.Contains(k.HTML, token) {
				t.Errorf("reminder %d has the link %q", i, k.Link)
			}
			says := []string{"17 GB", "Machi 10 GB, 10 GB for 15 days", "$"}
			if before == 0 {
				says = []string{"ended on", "See how to go on"} // it can be renewed no more
			}
			for _, want := range says {
				if !strings.Contains(k.Text, want) {
					t.Errorf("reminder %d does not say %q:\n%s", i, want, k.Text)
				}
			}
		}
		// The links work as long as renewing helps, and show this line.
		env.Clock.Set(o.EndsAt.Add(time.Hour))
		for _, k := range letters {
			token := strings.TrimPrefix(k.Link, "https://shop.example/r/")
			if account, opened, err := s.door.OpenLink(t.Context(), token); account != ac || opened != l.ID || err != nil {
				t.Errorf("the link opens %s of %s, %v", opened, account, err)
			}
		}
		if n := s.count(t, `SELECT COUNT(*) FROM messages WHERE state IN ('due', 'sending', 'unknown')`); n != 0 {
			t.Errorf("%d messages still wait", n)
		}
	})
}

// A customer who renews after the first reminder hears nothing more about the
// old end, and is reminded of the new one.
func TestRenewingEndsTheOldReminders(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "mum@example.com", locale.En)
		other := s.line(t, s.customer(t, "dad@example.com", locale.ZhHans), unlimited, 24*time.Hour, nil)
		l := s.line(t, ac, unlimited, 24*time.Hour, nil)
		first, others := s.renew(t, l, "JPY"), s.renew(t, other, "JPY")
		s.until(t, first.EndsAt.Add(-48*time.Hour)) // after the first reminder, before the second
		second := s.renew(t, l, "JPY")
		s.until(t, second.EndsAt.Add(time.Hour))

		var due []time.Time
		for _, k := range s.inbox.To("mum@example.com") {
			if strings.Contains(k.Link, "/r/") {
				due = append(due, k.At)
			}
		}
		want := []time.Time{first.EndsAt.Add(-72 * time.Hour), second.EndsAt.Add(-72 * time.Hour), second.EndsAt.Add(-24 * time.Hour), second.EndsAt.Add(-3 * time.Hour), second.EndsAt}
		if len(due) != len(want) {
			t.Fatalf("%d reminders, want %d:\n%s", len(due), len(want), s.subjects("mum@example.com"))
		}
		for i := range want {
			if !due[i].Equal(want[i]) {
				t.Errorf("reminder %d came at %s, want %s", i, due[i], want[i])
			}
		}
		if n := s.count(t, `SELECT COUNT(*) FROM messages WHERE state = 'withdrawn'`); n != 3 {
			t.Errorf("%d messages withdrawn, want the three of the old end", n)
		}
		reminded := 0
		for _, k := range s.inbox.To("dad@example.com") {
			if strings.Contains(k.Link, "/r/") && k.Language == locale.ZhHans {
				reminded++
			}
		}
		if reminded != 4 || !others.EndsAt.Equal(first.EndsAt) {
			t.Errorf("the other customer was reminded %d times, want 4", reminded)
		}
	})
}

// The line is renewed after a worker has claimed the reminder and before it is
// written: what is sent is decided at the last moment.
func TestRenewedBetweenClaimAndLetter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		l := s.line(t, s.customer(t, "mum@example.com", locale.En), unlimited, 24*time.Hour, nil)
		first := s.renew(t, l, "JPY")
		s.until(t, first.EndsAt.Add(-25*time.Hour))
		before := len(s.inbox.To("mum@example.com"))
		renewed := false
		fill := s.sender.Fill
		s.sender.Fill = func(ctx context.Context, m message.Message) (message.Message, error) {
			if m.Kind == message.Reminder1Day && !renewed {
				renewed = true
				s.renew(t, l, "JPY")
			}
			return fill(ctx, m)
		}
		s.until(t, first.EndsAt.Add(-23*time.Hour))
		for _, k := range s.inbox.To("mum@example.com")[before:] {
			if strings.Contains(k.Link, "/r/") {
				t.Errorf("%s: %s, after renewing", k.At, k.Subject)
			}
		}
		if !renewed {
			t.Error("no reminder was due")
		}
	})
}

// A line that can be renewed for some days after its end is told of once more on the
// last of them; one that must be renewed before its end is warned of that moment.
func TestTheLastMomentIsWarnedOf(t *testing.T) {
	for name, one := range map[string]struct {
		rules string // added to the policy in the demo catalogue
		want  []time.Duration
	}{
		"at the end":    {"", []time.Duration{-72 * time.Hour, -24 * time.Hour, -3 * time.Hour, 0}},
		"in grace":      {"grace: 5d", []time.Duration{-72 * time.Hour, -24 * time.Hour, -3 * time.Hour, 0, 96 * time.Hour}},
		"a short grace": {"grace: 1d", []time.Duration{-72 * time.Hour, -24 * time.Hour, -3 * time.Hour, 0}},
		"before it":     {"closes: 1d", []time.Duration{-96 * time.Hour, -48 * time.Hour, -27 * time.Hour, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, dbtest.SQLite(t))
			s.applies(t, one.rules)
			l := s.line(t, s.customer(t, "mum@example.com", locale.En), volume, 48*time.Hour, nil)
			o := s.renew(t, l, "JPY")
			s.until(t, o.EndsAt.Add(10*24*time.Hour))
			var came []time.Duration
			for _, k := range s.inbox.To("mum@example.com") {
				if strings.Contains(k.Link, "/r/") {
					came = append(came, k.At.Sub(o.EndsAt))
				}
			}
			if !slices.Equal(came, one.want) {
				t.Errorf("reminders came at %v from the end, want %v\n%s", came, one.want, s.subjects("mum@example.com"))
			}
		})
	}
}

// applies gives the policy of volume in the demo catalogue another rule about the end
// of its lines.
func (s *shop) applies(t *testing.T, rule string) {
	t.Helper()
	if rule == "" {
		return
	}
	was := []byte("  extend-in-place:\n    renewable: true\n    needs: [running]\n")
	file := bytes.Replace(catalogue.DemoFile(), was, []byte("  extend-in-place:\n    renewable: true\n    "+rule+"\n"), 1)
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, file, "test")
		return err
	})
}

// That most of a volume is used is told once, and that all of it is, once for what
// was bought; not when more was bought before the letter, and of no unlimited line.
func TestUsageIsTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "mum@example.com", locale.En)
		l := s.line(t, ac, volume, 20*24*time.Hour, nil)
		endless := s.line(t, ac, unlimited, 20*24*time.Hour, nil)
		sim := s.desk.Carriers["simple"].(*carriersim.Sim)
		const gb = int64(1 << 30)
		ends := l.EndsAt
		reports := func(used, total int64) {
			t.Helper()
			env.Clock.Add(10 * time.Hour)
			now := env.Clock.Now()
			sim.Set(l.ProfileID, carrier.Status{State: carrier.LineActive, Total: total, Used: used, AsOf: now, EndsAt: ends})
			sim.Set(endless.ProfileID, carrier.Status{State: carrier.LineActive, Unlimited: true, Total: 5 * gb, Used: 5 * gb, AsOf: now, EndsAt: ends})
			s.write(t, func(ctx context.Context, tx db.Tx) error {
				return errors.Join(line.LookSoon(ctx, tx, ac, l.ID), line.LookSoon(ctx, tx, ac, endless.ID))
			})
			for range 3 {
				if _, err := s.desk.LookStep(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		told := func(want ...string) {
			t.Helper()
			s.send(t)
			var got []string
			for _, k := range s.inbox.To("mum@example.com") {
				if strings.Contains(k.Subject, "data is used") {
					got = append(got, strings.SplitN(k.Subject, ":", 2)[0])
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		const most, all = "Most of the data is used", "All data is used"
		reports(7*gb, 10*gb)
		told()
		reports(8*gb, 10*gb)
		told(most)
		reports(9*gb, 10*gb)
		told(most)
		reports(10*gb, 10*gb)
		reports(10*gb, 10*gb)
		told(most, all)
		o := s.renew(t, l, "JPY") // ten more, carried over
		ends = o.EndsAt
		reports(12*gb, 20*gb)
		told(most, all)
		reports(17*gb, 20*gb)
		o = s.renew(t, l, "JPY") // before the letter is written
		ends = o.EndsAt
		told(most, all)
		reports(29*gb, 30*gb)
		reports(30*gb, 30*gb) // both at once: the later one says it all
		told(most, all, all)
	})
}
