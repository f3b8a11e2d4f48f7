package portal

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
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
	has(t, p, `name="quiet_from" type="time" value="22:00"`, `name="quiet_to" type="time" value="08:00"`, "clocks of Asia/Shanghai, where it is 11:00 now",
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
	has(t, b.see(tellingPath+"?saved=1").html, "Saved.", `name="quiet_from" type="time" value=""`)
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
