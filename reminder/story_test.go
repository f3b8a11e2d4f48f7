package reminder_test

import (
	"context"
	"strings"
	"testing"
	"time"

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

// A customer renews on Monday, is reminded three days and one day before the
// new end, once each, in words and with a link that works; and hears nothing
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
		if len(letters) != 2 {
			t.Fatalf("%d reminders, want 2:\n%s", len(letters), s.subjects("mum@example.com"))
		}
		for i, before := range []time.Duration{72 * time.Hour, 24 * time.Hour} {
			k := letters[i]
			if want := o.EndsAt.Add(-before); !k.At.Equal(want) || k.Times != 1 {
				t.Errorf("reminder %d came at %s, %d times; the line ends at %s", i, k.At, k.Times, o.EndsAt)
			}
			token, ours := strings.CutPrefix(k.Link, "https://shop.example/r/")
			if !ours || !strings.Contains(k.Text, k.Link) || !strings.Contains(k.HTML, token) {
				t.Errorf("reminder %d has the link %q", i, k.Link)
			}
			for _, want := range []string{"17 GB", "Machi 10 GB, 10 GB for 15 days", "$"} {
				if !strings.Contains(k.Text, want) {
					t.Errorf("reminder %d does not say %q:\n%s", i, want, k.Text)
				}
			}
		}
		// The link works as long as renewing helps, and shows this line.
		env.Clock.Set(o.EndsAt.Add(-time.Hour))
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
		want := []time.Time{first.EndsAt.Add(-72 * time.Hour), second.EndsAt.Add(-72 * time.Hour), second.EndsAt.Add(-24 * time.Hour)}
		if len(due) != len(want) {
			t.Fatalf("%d reminders, want %d:\n%s", len(due), len(want), s.subjects("mum@example.com"))
		}
		for i := range want {
			if !due[i].Equal(want[i]) {
				t.Errorf("reminder %d came at %s, want %s", i, due[i], want[i])
			}
		}
		if n := s.count(t, `SELECT COUNT(*) FROM messages WHERE state = 'withdrawn'`); n != 1 {
			t.Errorf("%d messages withdrawn, want the one of the old end", n)
		}
		reminded := 0
		for _, k := range s.inbox.To("dad@example.com") {
			if strings.Contains(k.Link, "/r/") && k.Language == locale.ZhHans {
				reminded++
			}
		}
		if reminded != 2 || !others.EndsAt.Equal(first.EndsAt) {
			t.Errorf("the other customer was reminded %d times, want 2", reminded)
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
