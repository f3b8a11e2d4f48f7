package portal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// securityPath is the page of how one signs in, and of what belongs to it.
const securityPath = "/account/security"

// securityPage is everything security.html may use.
type securityPage struct {
	ui.Frame
	Login        string // the address that a browser keeps the password under
	Password     passwordForm
	Passkeys     []passkeyRow
	Passkey      passkeyForm
	PasskeyError string
	Connections  []connectionRow
	Connect      []wayRow // who else may let somebody in
	SignIns      []signInRow
	Addresses    []addressRow
	AddressError string
	Phone        numberForm
	Closing      string // when the account will be closed; "" where it stays
	Next         string // where who was led here was going; "" for nowhere else
	Stale        bool   // who wants to change something signs in again first
}

// passwordForm is where a password is set, changed or removed.
type passwordForm struct {
	Script  string // which shows it, and how far it has come
	Short   string // what it says of one that is too short, with # for what is missing
	Set     string // since when there is one; "" where there is none
	Current bool   // the one so far is asked for
	Error   string
	Wrong   string // which field Error is about
}

// securityPage shows how the customer signs in.
func (s *Server) securityPage(ctx context.Context, v *visit) (answer, error) {
	p, err := s.security(ctx, v)
	if err != nil {
		return answer{}, err
	}
	if done := v.r.URL.Query().Get("done"); ui.Texts().Has("security.done." + done) {
		p.Notice = ui.Notice{Tone: ui.Good, Text: v.voice.T("security.done." + done)}
		if done == "guessable" {
			p.Notice.Tone = ui.Warn
		}
	}
	p.Next = onward(v.r.URL.Query().Get("next"))
	return show("security.html", p), nil
}

func (s *Server) security(ctx context.Context, v *visit) (securityPage, error) {
	p := securityPage{Frame: v.frame(v.voice.T("security.title"))}
	addresses, err := s.Door.Addresses(ctx, v.account.ID)
	if err != nil {
		return p, err
	}
	if len(addresses) > 0 {
		p.Login = addresses[0].Value
	}
	p.Addresses, p.Phone = v.addressRows(addresses), v.numberForm()
	if v.account.State == account.Closing {
		at, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (time.Time, error) { return account.ClosesAt(ctx, tx, v.account.ID) })
		if err != nil {
			return p, err
		}
		p.Closing = v.voice.Moment(at, v.shopZone()).Text
	}
	password, err := s.Door.Password(ctx, v.account.ID)
	if err != nil {
		return p, err
	}
	p.Password.Script, p.Password.Short = passwordPath, v.voice.Say("password.step1", locale.Args{"n": "#"})
	if password.Set {
		p.Password.Set = v.voice.Say("password.since", locale.Args{"date": v.voice.Day(password.ChangedAt, v.shopZone())})
		p.Password.Current = v.session.NeedsPassword(v.voice.Now)
	}
	if p.Passkeys, err = v.passkeyRows(ctx); err != nil {
		return p, err
	}
	if p.Connections, err = v.connectionRows(ctx); err != nil {
		return p, err
	}
	if p.SignIns, err = v.signInRows(ctx); err != nil {
		return p, err
	}
	p.Connect = v.elsewhere("issuers.connect", securityPath, true)
	if p.Stale = !v.session.Fresh(v.voice.Now); !p.Stale {
		p.Passkey, err = v.adding(ctx)
	}
	return p, err
}

// changePassword sets, changes or removes the password.
func (s *Server) changePassword(ctx context.Context, v *visit) (answer, error) {
	done, err := "password", error(nil)
	if v.field("remove") != "" {
		done, err = "no_password", s.Door.RemovePassword(ctx, v.session, v.field("current"))
	} else {
		err = s.Door.SetPassword(ctx, v.session, v.field("current"), v.field("password"))
	}
	wrong := ""
	switch reason(err) {
	case "":
	case "current_password_wrong", "too_many_entries":
		wrong = "current"
	case "password_too_short", "password_too_long", "password_guessable":
		wrong = "password"
	default:
		return answer{}, err
	}
	if wrong != "" {
		p, e := s.security(ctx, v)
		if e != nil {
			return answer{}, e
		}
		p.Password.Error, p.Password.Wrong, p.Next = v.voice.Fault(err), wrong, onward(v.field("next"))
		return answer{template: "security.html", page: p, status: fault.KindOf(err).Status()}, nil
	}
	if err != nil {
		return answer{}, err
	}
	v.setCookie(markCookie, s.Door.Mark(v.account.ID), year)
	if next := onward(v.field("next")); next != "" {
		return goTo(next), nil
	}
	return goTo(securityPath + "?done=" + done), nil
}

// enterPassword opens a session for an address and a password.
func (s *Server) enterPassword(ctx context.Context, v *visit) (answer, error) {
	email, next := v.field("email"), safeNext(v.field("next"))
	token, a, err := s.Door.EnterPassword(ctx, email, v.field("password"), v.browser())
	switch kind := fault.KindOf(err); kind {
	case "":
		return s.signedIn(ctx, v, token, a, v.orAnother(next, email))
	case fault.Invalid, fault.Denied, fault.TooMany:
		p, e := v.signInForm(next)
		p.Email, p.PasswordError = email, v.voice.Fault(err)
		status := kind.Status()
		if kind == fault.Denied {
			status = http.StatusUnprocessableEntity
		}
		return answer{template: "signin.html", page: p, status: status}, e
	case fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
	}
	return answer{}, err
}

// orAnother is where somebody goes who came in with a password: on, or first where they
// choose another, if theirs has become one of those that are guessed first. From there
// they go on, too.
func (v *visit) orAnother(next string, addresses ...string) string {
	if !account.Guessable(v.field("password"), addresses...) {
		return next
	}
	to := url.Values{"done": {"guessable"}}
	if next = onward(next); next != "" {
		to.Set("next", next)
	}
	return securityPath + "?" + to.Encode()
}

// onward is where somebody goes on to from the page of security; "" where it was theirs
// to begin with, and for what is no path of ours.
func onward(next string) string {
	if next = safeNext(next); next == "/" || next == securityPath {
		return ""
	}
	return next
}

// signedIn gives the browser its new session, in place of what it had.
func (s *Server) signedIn(ctx context.Context, v *visit, token string, a account.Account, next string) (answer, error) {
	if device := v.cookie(deviceCookie); device != "" {
		if err := s.Door.KeepDevice(ctx, token, device); err != nil {
			return answer{}, err
		}
	}
	if v.account.ID == a.ID { // it has signed in again
		if err := s.Door.Revoke(ctx, a.ID, v.session.ID); err != nil {
			return answer{}, err
		}
	}
	for _, old := range []string{challengeCookie, addressCookie, linkCookie} {
		v.clearCookie(old)
	}
	v.setCookie(sessionCookie, token, year) // the door ends it sooner when it is not used
	v.setCookie(markCookie, s.Door.Mark(a.ID), year)
	return goTo(next), nil
}

// browser is what the visitor signs in with.
func (v *visit) browser() account.Browser {
	return account.Browser{Agent: v.r.UserAgent(), Client: v.client(), Mark: v.cookie(markCookie)}
}

// signInAgain is where somebody shows once more that they are the owner.
func (v *visit) signInAgain() string {
	return "/sign-in?again=1&" + strings.TrimPrefix(v.signInFirst(), "/sign-in?")
}

// reason is why something was refused; "" for no error and for one without.
func reason(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Reason
	}
	return ""
}
