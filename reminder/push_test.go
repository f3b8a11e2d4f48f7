package reminder_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/pushsim"
	"github.com/tsuzuku/tsuzuku/message/webpush"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/seal"
)

// pushes gives the shop a key and a push service.
func (s *shop) pushes(t *testing.T) *pushsim.Service {
	t.Helper()
	s.door.Push = seal.New("notifications", "0123456789abcdef", nil, nil)
	text, err := s.door.PushKey(t.Context(), func() (string, error) {
		k, err := webpush.NewKey(rand.Reader)
		if err != nil {
			return "", err
		}
		return k.Text()
	})
	if err != nil {
		t.Fatal(err)
	}
	key, err := webpush.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	service := &pushsim.Service{Now: s.Clock.Now, Key: key.Public(), Random: rand.Reader}
	d := webpush.New(webpush.Config{Key: key, Contact: "https://shop.example", Random: rand.Reader, Now: s.Clock.Now}, outbound.New(outbound.Options{Transport: service}))
	s.sender.Deliverers[message.Push], s.sender.Gone = d, s.fill.Gone
	return service
}

// device lets a browser of the account show notifications, and returns where its
// push service has it.
func (s *shop) device(t *testing.T, service *pushsim.Service, of string) (endpoint string) {
	t.Helper()
	sub, err := service.Subscribe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.door.AddDevice(t.Context(), account.Session{ID: "ss_1", Account: of, Agent: "Firefox (Android)"}, sub); err != nil {
		t.Fatal(err)
	}
	return sub.Endpoint
}

// remindedOnly lets an account be reminded by these channels.
func remindedOnly(w account.Wish) account.Telling {
	return account.Telling{Wishes: map[message.Theme]account.Wish{message.AboutLines: w}}
}

// Two devices and a mailbox are told the same; the newest reminder replaces the one
// before on every device; the inbox has it once, and whole.
func TestDevicesAreToldBesideMail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newShop(t, env)
		service := s.pushes(t)
		ac := s.customer(t, "mum@example.com", locale.En)
		other := s.customer(t, "dad@example.com", locale.En)
		one, two := s.device(t, service, ac), s.device(t, service, ac)
		s.device(t, service, other)
		l := s.line(t, ac, volume, 24*time.Hour, nil)
		o := s.renew(t, l, "JPY")
		s.until(t, o.EndsAt.Add(time.Hour))
		if n := len(s.inbox.To("mum@example.com")); n != 5 {
			t.Errorf("%d letters by mail, want 5", n)
		}
		titles := map[string][]string{}
		for _, m := range service.All() {
			titles[m.Endpoint] = append(titles[m.Endpoint], m.Title)
			if strings.Contains(m.Title+m.Text, "Mum") || strings.Contains(m.Text, "mum@") {
				t.Errorf("a locked screen shows %+v", m)
			}
			if strings.HasPrefix(m.Title, "About a day") && (m.Urgency != "high" || m.TTL != 24*time.Hour || !strings.HasPrefix(m.Link, "https://shop.example/r/") || !strings.Contains(m.Text, "Machi 10 GB")) {
				t.Errorf("the last reminder: %+v", m)
			}
		}
		for _, endpoint := range []string{one, two} {
			if got := titles[endpoint]; len(got) != 2 || !strings.HasPrefix(got[0], "Order complete") || !strings.HasPrefix(got[1], "Ended") {
				t.Errorf("a device shows %q", got)
			}
		}
		if len(titles) != 2 {
			t.Errorf("%d devices show something, want 2", len(titles))
		}
		if n := s.count(t, `SELECT COUNT(*) FROM messages WHERE state <> 'sent'`); n != 0 {
			t.Errorf("%d messages are not sent", n)
		}
		if all := s.listed(t, ac); len(all) != 5 {
			t.Errorf("the inbox has %d messages, want 5", len(all))
		}
	})
}

func (s *shop) listed(t *testing.T, of string) (all []message.Message) {
	t.Helper()
	err := s.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		all, err = message.List(ctx, tx, of, 20, "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Who wishes no mail is told by the device; where that fails, by mail after all:
// at once where the device is gone, and it is then forgotten; after some tries where
// the service does not work, or does not say.
func TestMailIsTheOtherWay(t *testing.T) {
	for fate, mails := range map[pushsim.Fault]int{
		pushsim.None: 0, pushsim.Gone: 1, pushsim.Unknown: 1, pushsim.Refused: 1, pushsim.Busy: 1, pushsim.Broken: 1, pushsim.SilentBefore: 1, pushsim.SilentAfter: 1,
	} {
		t.Run(string(fate), func(t *testing.T) {
			s := newShop(t, dbtest.SQLite(t))
			service := s.pushes(t)
			service.Choose = func(string) pushsim.Fault { return fate }
			ac := s.customer(t, "mum@example.com", locale.En)
			s.wishes(t, ac, "Asia/Tokyo", remindedOnly(account.Wish{Push: true}))
			s.device(t, service, ac)
			l := s.line(t, ac, unlimited, 80*time.Hour, nil)
			s.remind(t, l, message.Reminder3Days)
			s.send(t)
			s.until(t, s.Clock.Now().Add(2*time.Hour))
			if got := s.inbox.To("mum@example.com"); len(got) != mails {
				t.Errorf("%d letters by mail, want %d", len(got), mails)
			}
			devices := int64(1)
			if fate == pushsim.Gone || fate == pushsim.Unknown {
				devices = 0
			}
			if n := s.count(t, `SELECT COUNT(*) FROM push_devices`); n != devices {
				t.Errorf("%d devices are left, want %d", n, devices)
			}
			if n := s.count(t, `SELECT COUNT(*) FROM directory WHERE kind = 'push'`); n != devices {
				t.Errorf("the directory knows %d devices, want %d", n, devices)
			}
			all := s.listed(t, ac)
			if len(all) != 1 || all[0].State != message.Sent {
				t.Errorf("the inbox has %+v", all)
			}
			if letter, err := (message.From{}).Read(all[0]); err != nil || !strings.Contains(letter.Subject, "Mum's") {
				t.Errorf("the inbox says %q, %v", letter.Subject, err)
			}
			if n := s.count(t, `SELECT COUNT(*) FROM messages WHERE address || trouble || receipt LIKE '%https:%'`); n != 0 {
				t.Error("a message's row says where a browser is reached")
			}
		})
	}
}

// remind queues a reminder that is due now.
func (s *shop) remind(t *testing.T, l line.Line, k message.Kind) {
	t.Helper()
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		return message.Queue(ctx, tx, s.ids.Under("msg", l.Account), message.Draft{
			Account: l.Account, Key: string(k) + "/" + l.ID, Kind: k, Line: l.ID, Facts: message.Facts{EndsAt: l.EndsAt, Zone: "Asia/Tokyo"}, ExpiresAt: l.EndsAt,
		})
	})
}

// Wishes, with a device and without one, in a shop that sends notifications.
func TestEveryWish(t *testing.T) {
	for _, c := range []struct {
		wish         account.Wish
		device       bool
		mails, shown int
	}{
		{account.Wish{}, true, 0, 0},
		{account.Wish{}, false, 0, 0},
		{account.Wish{Mail: true}, true, 1, 0},
		{account.Wish{Push: true}, true, 0, 1},
		{account.Wish{Push: true}, false, 1, 0}, // until there is a device
		{account.Wish{Mail: true, Push: true}, true, 1, 1},
		{account.Wish{Mail: true, Push: true}, false, 1, 0},
	} {
		s := newShop(t, dbtest.SQLite(t))
		service := s.pushes(t)
		ac := s.customer(t, "mum@example.com", locale.En)
		s.wishes(t, ac, "Asia/Tokyo", remindedOnly(c.wish))
		if c.device {
			s.device(t, service, ac)
		}
		s.remind(t, s.line(t, ac, unlimited, 80*time.Hour, nil), message.Reminder3Days)
		s.send(t)
		if mails, shown := len(s.inbox.To("mum@example.com")), len(service.All()); mails != c.mails || shown != c.shown {
			t.Errorf("%+v with a device %v: %d by mail and %d shown, want %d and %d", c.wish, c.device, mails, shown, c.mails, c.shown)
		}
		if n := len(s.listed(t, ac)); n != 1 {
			t.Errorf("%+v: %d messages in the inbox", c.wish, n)
		}
	}
}
