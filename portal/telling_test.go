package portal

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/pushsim"
	"github.com/tsuzuku/tsuzuku/seal"
)

func (w *town) telling(of string) account.Telling {
	w.t.Helper()
	t, err := db.Seen(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) (account.Telling, error) {
		return account.TellingOf(ctx, tx, of)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// A customer sees the hours that everybody begins with, changes them, and wishes
// for no reminders; what is about money and the account cannot be wished away, not
// even by a form of one's own.
func TestHowACustomerIsTold(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	p := b.see(tellingPath).html
	has(t, b.see("/account").html, `href="`+tellingPath+`"`)
	has(t, p, `name="quiet_from" type="time" value="22:00"`, `name="quiet_to" type="time" value="08:00"`, "clocks of Beijing, Shanghai, where it is 11:00 now",
		`name="mail" value="lines" checked`, `name="mail" value="cases" checked`, "because they are about your money", "by nothing else")
	for _, not := range []string{`value="orders"`, `value="account"`} {
		if strings.Contains(p, not) {
			t.Errorf("%s can be chosen", not)
		}
	}
	to := b.post(tellingPath, url.Values{"quiet_from": {"23:30"}, "quiet_to": {"06:15"}, "mail": {"cases"}})
	p = b.see(to).html
	has(t, p, "Nobody will tell you", `value="23:30"`, `value="06:15"`, `name="mail" value="lines">`, `name="mail" value="cases" checked`)
	got := w.telling(w.aiko.ID)
	if want := (calendar.Quiet{From: 23*60 + 30, To: 6*60 + 15}); got.Quiet != want {
		t.Errorf("quiet hours %v, want %v", got.Quiet, want)
	}
	for _, theme := range message.Themes() {
		if mail := got.Of(theme).Mail; mail == (theme == message.AboutLines) {
			t.Errorf("%s by mail: %v", theme, mail)
		}
	}
	if b.post(tellingPath, url.Values{"mail": {"lines", "cases"}}); !w.telling(w.aiko.ID).Quiet.None() {
		t.Errorf("quiet hours are left: %v", w.telling(w.aiko.ID).Quiet)
	}
	has(t, b.see(tellingPath+"?done=saved").html, "Saved.", `name="quiet_from" type="time" value=""`)
	if other := w.telling(w.other.ID); other.Quiet != calendar.Night || !other.Of(message.AboutLines).Mail {
		t.Errorf("another customer is told otherwise now: %v", other)
	}
}

func TestQuietHoursThatAreNone(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	for _, f := range []url.Values{
		{"quiet_from": {"22:00"}}, {"quiet_to": {"08:00"}}, {"quiet_from": {"25:00"}, "quiet_to": {"08:00"}}, {"quiet_from": {`"><b>`}, "quiet_to": {"08:00"}},
	} {
		f["mail"] = []string{"cases"}
		p := b.do("POST", tellingPath, f)
		if p.status != http.StatusUnprocessableEntity || strings.Contains(p.html, "<b>") {
			t.Errorf("%v: %d", f, p.status)
		}
		has(t, p.html, "begin and end at a time", `aria-invalid="true"`, `name="mail" value="lines">`)
	}
	if got := w.telling(w.aiko.ID); got.Quiet != calendar.Night || !got.Of(message.AboutLines).Mail {
		t.Errorf("something was kept: %v", got)
	}
}

// pushes lets the shop send notifications.
func (w *town) pushes() *pushsim.Service {
	w.server.Door.Push, w.server.PushKey = seal.New("notifications", "a secret of the tests", nil, nil), "BKey"
	return &pushsim.Service{Random: rand.Reader, Now: w.env.Clock.Now}
}

// subscribe lets a browser show notifications.
func (b *browser) subscribe(s *pushsim.Service) message.Subscription {
	b.t.Helper()
	b.town.env.Clock.Add(time.Second) // so that one was first
	sub, err := s.Subscribe()
	if err != nil {
		b.t.Fatal(err)
	}
	if to := b.post(tellingPath+"/devices", url.Values{"endpoint": {sub.Endpoint}, "p256dh": {sub.Key}, "auth": {sub.Auth}}); to != tellingPath+"?done=device" {
		b.t.Fatalf("subscribing leads to %q", to)
	}
	return sub
}

func (w *town) devices(of account.Account) []account.Device {
	w.t.Helper()
	all, err := db.Seen(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) ([]account.Device, error) {
		return w.server.Door.Devices(ctx, tx, of.ID)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// A device is listed where it was added, is stored so that the database alone does
// not tell where it is reached, survives signing in again, and ends with being
// removed, with signing out, and with being signed out from elsewhere.
func TestDevicesThatShowNotifications(t *testing.T) {
	w := newTown(t)
	service := w.pushes()
	phone, laptop := w.browser(locale.En).signIn("aiko@example.com"), w.browser(locale.En).signIn("aiko@example.com")
	has(t, phone.see(tellingPath).html, `data-push="BKey"`, `name="push" value="lines" checked`, `name="push" value="orders" checked`, "None yet", `src="`+pushPath+`"`)
	if strings.Contains(phone.see(tellingPath).html, `name="push" value="account"`) {
		t.Error("what is about the account can be shown on devices")
	}
	sub := phone.subscribe(service)
	laptop.subscribe(service)
	has(t, phone.see(tellingPath+"?done=device").html, "shows our notifications from now on", "this one", "since ")
	if got := w.devices(w.aiko); len(got) != 2 || got[0].Reach != sub {
		t.Fatalf("devices: %+v", got)
	}
	stored := 0
	w.write(func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM push_devices WHERE sealed || mark LIKE '%push.invalid%' OR sealed LIKE '%' || $1 || '%'`, sub.Auth).Scan(&stored)
	})
	if stored != 0 {
		t.Error("the database says where a browser is reached")
	}
	phone.post("/sign-in", url.Values{"email": {"aiko@example.com"}}) // once more
	phone.post("/sign-in/code", url.Values{"code": {w.lastCode()}})
	if got := w.devices(w.aiko); len(got) != 2 {
		t.Fatalf("after signing in again %d devices are left", len(got))
	}
	phone.post("/sign-out", nil)
	if got := w.devices(w.aiko); len(got) != 1 || got[0].Reach == sub {
		t.Fatalf("after signing out: %+v", got)
	}
	phone.signIn("aiko@example.com").subscribe(service)
	laptop.post("/account/sessions", url.Values{"session": {"others"}})
	if got := w.devices(w.aiko); len(got) != 1 {
		t.Errorf("after signing out elsewhere %d devices are left, want the one here", len(got))
	}
	laptop.post(tellingPath+"/devices", url.Values{"remove": {w.devices(w.aiko)[0].ID}})
	has(t, laptop.see(tellingPath+"?done=no_device").html, "no more notifications", "None yet")
	laptop.post(tellingPath, url.Values{"push": {"cases"}})
	for theme, want := range map[message.Theme]account.Wish{
		message.AboutLines: {}, message.AboutOrders: {Mail: true}, message.AboutCases: {Push: true}, message.AboutAccount: {Mail: true},
	} {
		if got := w.telling(w.aiko.ID).Of(theme); got != want {
			t.Errorf("%s: %+v, want %+v", theme, got, want)
		}
	}
}

// One browser shows the notifications of who signed in there last; nobody removes
// another's; what no browser says is refused, and so is an eleventh.
func TestDevicesOfOthers(t *testing.T) {
	w := newTown(t)
	service := w.pushes()
	aiko, other := w.browser(locale.En).signIn("aiko@example.com"), w.browser(locale.En).signIn("other@example.com")
	sub := aiko.subscribe(service)
	mine := w.devices(w.aiko)[0].ID
	other.post(tellingPath+"/devices", url.Values{"remove": {mine}})
	if len(w.devices(w.aiko)) != 1 {
		t.Fatal("somebody else removed a device")
	}
	if to := other.post(tellingPath+"/devices", url.Values{"endpoint": {sub.Endpoint}, "p256dh": {sub.Key}, "auth": {sub.Auth}}); to != tellingPath+"?done=device" {
		t.Fatalf("subscribing leads to %q", to)
	}
	if a, b := len(w.devices(w.aiko)), len(w.devices(w.other)); a != 0 || b != 1 {
		t.Errorf("the one has %d devices and the other %d, want 0 and 1", a, b)
	}
	for _, endpoint := range []string{"", "http://push.invalid/x", "https://127.0.0.1/x", "https://10.0.0.1/", "https://localhost/x", "https://push.invalid/<b>"} {
		p := aiko.do("POST", tellingPath+"/devices", url.Values{"endpoint": {endpoint}, "p256dh": {sub.Key}, "auth": {sub.Auth[1:]}})
		if p.status != http.StatusUnprocessableEntity || strings.Contains(p.html, "<b>") && strings.Contains(p.html, "invalid/<b>") {
			t.Errorf("%q: %d", endpoint, p.status)
		}
		has(t, p.html, "did not say how it can be reached")
	}
	for range 10 {
		aiko.subscribe(service)
	}
	eleventh, err := service.Subscribe()
	if err != nil {
		t.Fatal(err)
	}
	p := aiko.do("POST", tellingPath+"/devices", url.Values{"endpoint": {eleventh.Endpoint}, "p256dh": {eleventh.Key}, "auth": {eleventh.Auth}})
	if p.status != http.StatusConflict || len(w.devices(w.aiko)) != 10 {
		t.Errorf("an eleventh device: %d", p.status)
	}
	has(t, p.html, "Ten devices")
}
