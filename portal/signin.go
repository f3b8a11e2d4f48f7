package portal

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/ui"
)

// signInForm is everything signin.html may use.
type signInForm struct {
	ui.Frame
	Email         string
	Next          string
	Error         string
	PasswordError string
	Passkey       passkeyForm
	Elsewhere     []wayRow
	Phone         numberForm
	Again         bool   // somebody who has signed in is to show once more that they are the owner
	Script        string // which shows passwords
	Resumes       bool   // a purchase that was begun goes on afterwards
}

// signInPage asks for a mail address.
func (s *Server) signInPage(ctx context.Context, v *visit) (answer, error) {
	next := safeNext(v.r.URL.Query().Get("next"))
	if v.account.ID != "" && !v.r.URL.Query().Has("again") {
		return goTo(next), nil
	}
	p, err := v.signInForm(next)
	if err != nil {
		return answer{}, err
	}
	if v.account.ID != "" {
		addresses, err := s.Door.Addresses(ctx, v.account.ID)
		if err != nil {
			return answer{}, err
		}
		p.Again, p.Elsewhere = true, nil // who is still signed in there might be asked for nothing
		switch {
		case len(addresses) == 0:
		case addresses[0].Channel == message.SMS:
			p.Phone.Number = addresses[0].Value
		default:
			p.Email = addresses[0].Value
		}
	}
	return show("signin.html", p), nil
}

func (v *visit) signInForm(next string) (signInForm, error) {
	passkey, err := v.entry()
	p := signInForm{
		Script: passwordPath,
		Frame:  v.publicFrame(v.voice.T("signin.title"), v.voice.T("signin.lead")), Next: next, Passkey: passkey, Phone: v.numberForm(), Elsewhere: v.elsewhere("signin.with", next, false),
		Resumes: strings.HasPrefix(next, "/quotes/") || strings.HasPrefix(next, "/orders/") || strings.HasPrefix(next, "/together"),
	}
	p.Phone.Next = next
	return p, err
}

// challengeLife is a little longer than a code is good for.
const challengeLife = 15 * time.Minute

// askCode sends a code. What is shown is the same whether or not somebody has
// the address.
func (s *Server) askCode(ctx context.Context, v *visit) (answer, error) {
	email, next := v.field("email"), safeNext(v.field("next"))
	challenge, err := s.Door.AskCode(ctx, email, string(v.language()), v.browser())
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.TooMany {
		p, e := v.signInForm(next)
		p.Email, p.Error = email, v.voice.Fault(err)
		return answer{template: "signin.html", page: p, status: kind.Status()}, e
	}
	if err != nil {
		return answer{}, err
	}
	v.setCookie(challengeCookie, challenge, challengeLife)
	v.setCookie(addressCookie, base64.RawURLEncoding.EncodeToString([]byte(email)), challengeLife)
	return goTo(withNext("/sign-in/code", next)), nil
}

func withNext(path, next string) string {
	if next == "/" {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}

// codeForm is everything code.html may use.
type codeForm struct {
	ui.Frame
	Action string // where the code goes
	Button string
	Lead   string
	Next   string
	Again  string // where another code is asked for
	Error  string
}

// codePage asks for the code that was sent.
func (s *Server) codePage(_ context.Context, v *visit) (answer, error) {
	next := safeNext(v.r.URL.Query().Get("next"))
	switch {
	case v.cookie(challengeCookie) != "":
	case v.account.ID != "":
		return goTo(next), nil
	default:
		return goTo(withNext("/sign-in", next)), nil
	}
	return show("code.html", v.codeForm(next)), nil
}

func (v *visit) codeForm(next string) codeForm {
	p := codeForm{
		Frame: v.frame(v.voice.T("code.title")), Next: next, Again: withNext("/sign-in", next),
		Action: "/sign-in/code", Button: v.voice.T("signin.title"),
		Lead: v.voice.T("code.lead.plain"),
	}
	if email, err := base64.RawURLEncoding.DecodeString(v.cookie(addressCookie)); err == nil && len(email) > 0 {
		p.Lead = v.voice.Say("code.lead", locale.Args{"email": string(email)})
	}
	return p
}

// enterCode opens a session for the right code.
func (s *Server) enterCode(ctx context.Context, v *visit) (answer, error) {
	next := safeNext(v.field("next"))
	token, a, err := s.Door.EnterCode(ctx, v.cookie(challengeCookie), v.field("code"), v.browser())
	switch kind := fault.KindOf(err); kind {
	case "":
		return s.signedIn(ctx, v, token, a, next)
	case fault.Invalid, fault.Denied, fault.TooMany:
		p := v.codeForm(next)
		p.Error = v.voice.Fault(err)
		return answer{template: "code.html", page: p, status: http.StatusUnprocessableEntity}, nil
	case fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
	}
	return answer{}, err
}

// signOut ends the session, and forgets a link.
func (s *Server) signOut(ctx context.Context, v *visit) (answer, error) {
	if token := v.cookie(sessionCookie); token != "" {
		if err := s.Door.SignOut(ctx, token); err != nil {
			return answer{}, err
		}
	}
	v.clearCookie(sessionCookie)
	v.clearCookie(linkCookie)
	v.w.Header().Set("Clear-Site-Data", `"storage"`) // what the device kept; sw.js forgets it, too
	return goTo("/"), nil
}

// openLink opens the renewal of the one line that a reminder's link is for. The
// link's token goes from the address into a cookie, so that it stands in no
// history and no later address.
func (s *Server) openLink(ctx context.Context, v *visit) (answer, error) {
	return s.open(ctx, v, v.r.PathValue("token"))
}

func (s *Server) open(ctx context.Context, v *visit, token string) (answer, error) {
	account, line, err := s.Door.OpenLink(ctx, token)
	if err != nil {
		return answer{}, err
	}
	if v.account.ID != account {
		v.setCookie(linkCookie, token, day)
	}
	return goTo("/lines/" + line + "/renew"), nil
}
