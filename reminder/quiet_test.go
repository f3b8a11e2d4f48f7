package reminder_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
)

// wishes lets an account wish how it is told.
func (s *shop) wishes(t *testing.T, of string, zone calendar.Zone, told account.Telling) {
	t.Helper()
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		if err := account.SetPreferences(ctx, tx, of, account.Preferences{Language: locale.En, Zone: zone}); err != nil {
			return err
		}
		return account.SetTelling(ctx, tx, of, told)
	})
}

// Whatever the hours, the zone and what its clocks do that day: a reminder comes
// when it is due or, in quiet hours, when they are over; and never so late that
// less than an hour is left of what it is about, if it could have come earlier.
func TestRemindersWaitUnlessTheLineWouldGoDark(t *testing.T) {
	s := newShop(t, dbtest.SQLite(t))
	ac := s.customer(t, "mum@example.com", locale.En)
	zones := []calendar.Zone{"", "Asia/Tokyo", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Kiritimati", "America/Los_Angeles", "Africa/Casablanca"}
	berlin := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC) // the clocks of Europe go forward
	rapid.Check(t, func(r *rapid.T) {
		minute := rapid.IntRange(0, 24*60-1)
		q := calendar.Quiet{From: minute.Draw(r, "from"), To: minute.Draw(r, "to")}
		zone, operators := rapid.SampledFrom(zones).Draw(r, "zone"), calendar.Zone("Asia/Seoul")
		s.wishes(t, ac, zone, account.Telling{Quiet: q})
		due := berlin.Add(time.Duration(rapid.IntRange(-72*3600, 250*24*3600).Draw(r, "due")) * time.Second)
		s.Clock.Set(due)
		m := message.Message{Draft: message.Draft{Account: ac, Kind: message.Reminder1Day, Facts: message.Facts{
			EndsAt: due.Add(time.Duration(rapid.IntRange(1, 26*3600).Draw(r, "left")) * time.Second), Zone: operators,
		}}}
		at, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) (time.Time, error) { return s.fill.NotBefore(ctx, tx, m) })
		if err != nil {
			r.Fatal(err)
		}
		if zone == "" {
			zone = operators
		}
		loc, err := zone.Location()
		if err != nil {
			r.Fatal(err)
		}
		over := q.Over(due, loc)
		late := !over.Add(time.Hour).Before(m.Facts.EndsAt)
		switch {
		case late && !at.Equal(due):
			r.Fatalf("due %s, it comes %s, and the line ends %s", due, at, m.Facts.EndsAt)
		case !late && !at.Equal(over):
			r.Fatalf("due %s in quiet hours until %s, it comes %s", due, over, at)
		}
	})
}

// What may wait, and until when, by a customer whose line is in Japan and whose
// hours are as they were when the account was made.
func TestWhatWaits(t *testing.T) {
	s := newShop(t, dbtest.SQLite(t))
	ac := s.customer(t, "mum@example.com", locale.En)
	night := time.Date(2026, 3, 5, 15, 0, 0, 0, time.UTC)   // midnight in Japan
	morning := time.Date(2026, 3, 5, 23, 0, 0, 0, time.UTC) // 8:00 there
	day := time.Date(2026, 3, 6, 3, 0, 0, 0, time.UTC)      // noon
	ends := func(t time.Time) message.Facts { return message.Facts{EndsAt: t, Zone: "Asia/Tokyo"} }
	s.Clock.Set(night)
	for _, c := range []struct {
		why   string
		kind  message.Kind
		facts message.Facts
		want  time.Time
	}{
		{"the line ends in three days", message.Reminder3Days, ends(night.Add(72 * time.Hour)), morning},
		{"it ends at noon", message.Reminder3Hours, ends(day), morning},
		{"it ends half an hour after the night", message.Reminder3Hours, ends(morning.Add(30 * time.Minute)), night},
		{"it ends in the night", message.Reminder3Hours, ends(night.Add(3 * time.Hour)), night},
		{"it has ended, for ever", message.ReminderEnded, ends(night), morning},
		{"it has ended, and can be renewed in the night only", message.ReminderEnded, message.Facts{EndsAt: night, RenewUntil: morning, Zone: "Asia/Tokyo"}, night},
		{"it has ended, and can be renewed tomorrow", message.ReminderEnded, message.Facts{EndsAt: night, RenewUntil: day, Zone: "Asia/Tokyo"}, morning},
		{"a new line must be in use at six", message.ReminderInstall, message.Facts{InstallBy: morning.Add(-2 * time.Hour), Zone: "Asia/Tokyo"}, night},
		{"a new line must be in use in a week", message.ReminderInstall, message.Facts{InstallBy: night.Add(7 * 24 * time.Hour), Zone: "Asia/Tokyo"}, morning},
		{"no zone is known", message.Reminder3Days, message.Facts{EndsAt: night.Add(72 * time.Hour)}, night},
	} {
		m := message.Message{Draft: message.Draft{Account: ac, Kind: c.kind, Facts: c.facts}}
		at, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) (time.Time, error) { return s.fill.NotBefore(ctx, tx, m) })
		if err != nil || !at.Equal(c.want) {
			t.Errorf("%s: it comes %s, want %s (%v)", c.why, at, c.want, err)
		}
	}
}

// A line ends at midnight, as most do, and so its reminders fall due at midnight:
// they come in the morning, once each. What was bought is confirmed at once, even
// at night; and nothing is tried while it waits.
func TestRemindersComeInTheMorning(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		s.sender.NotBefore = s.fill.NotBefore
		ac := s.customer(t, "mum@example.com", locale.En)
		l := s.line(t, ac, volume, 24*time.Hour, nil)
		env.Clock.Set(time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)) // three in the morning
		o := s.renew(t, l, "JPY")
		s.send(t)
		if n := len(s.inbox.To("mum@example.com")); n != 1 {
			t.Fatalf("%d letters in the night, want the confirmation", n)
		}
		s.until(t, o.EndsAt.Add(24*time.Hour))
		var came []string
		for _, k := range s.inbox.To("mum@example.com")[1:] {
			came = append(came, k.At.In(time.FixedZone("JST", 9*3600)).Format("15:04:05"))
		}
		if strings.Join(came, " ") != "08:00:00 08:00:00 21:00:00 08:00:00" {
			t.Errorf("reminders came at %v, want 8:00 twice, the last hours before the night, and 8:00\n%s", came, s.subjects("mum@example.com"))
		}
		if n := s.count(t, `SELECT COUNT(*) FROM messages WHERE kind LIKE 'reminder%' AND attempts <> 1`); n != 0 {
			t.Errorf("%d reminders were tried while they waited", n)
		}
	})
}

// Who does not wish to be reminded by mail finds reminders in the inbox, complete,
// and is still told of their money.
func TestWhatNobodyWishesStandsInTheInboxOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		ac := s.customer(t, "mum@example.com", locale.En)
		none := map[message.Theme]account.Wish{}
		for _, theme := range message.Themes() {
			none[theme] = account.Wish{}
		}
		s.wishes(t, ac, "Asia/Tokyo", account.Telling{Wishes: none})
		l := s.line(t, ac, volume, 24*time.Hour, nil)
		o := s.renew(t, l, "JPY")
		s.until(t, o.EndsAt.Add(time.Hour))
		if got := s.inbox.To("mum@example.com"); len(got) != 1 || got[0].Subject == "" {
			t.Errorf("want the confirmation alone:\n%s", s.subjects("mum@example.com"))
		}
		all, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) ([]message.Message, error) {
			return message.List(ctx, tx, ac, 10, "")
		})
		if err != nil || len(all) != 5 {
			t.Fatalf("%d messages in the inbox, want 5 (%v)", len(all), err)
		}
		for _, m := range all[:4] {
			letter, err := message.From{}.Read(m)
			if err != nil || m.State != message.Sent || m.Facts.PlanName == "" || letter.Language != locale.En || m.Facts.Link != "" {
				t.Errorf("%s is %s: %+v, %v", m.Kind, m.State, m.Facts, err)
			}
		}
	})
}
