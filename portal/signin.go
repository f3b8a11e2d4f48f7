package portal

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// signInForm is everything signin.html may use.
type signInForm struct {
	ui.Frame
	Email string
	Next  string
	Error string
}

// signInPage asks for a mail address.
func (s *Server) signInPage(_ context.Context, v *visit) (answer, error) {
	next := safeNext(v.r.URL.Query().Get("next"))
	if v.account.ID != "" {
		return goTo(next), nil
	}
	return show("signin.html", v.signInForm(next)), nil
}

func (v *visit) signInForm(next string) signInForm {
	return signInForm{Frame: v.frame(v.voice.T("signin.title")), Next: next}
}

// challengeLife is a little longer than a code is good for.
const challengeLife = 15 * time.Minute

// askCode sends a code. What is shown is the same whether or not somebody has
// the address.
func (s *Server) askCode(ctx context.Context, v *visit) (answer, error) {
	email, next := v.field("email"), safeNext(v.field("next"))
	challenge, err := s.Door.AskCode(ctx, email, string(v.language()), v.client())
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.TooMany {
		p := v.signInForm(next)
		p.Email, p.Error = email, v.voice.Fault(err)
		return answer{template: "signin.html", page: p, status: kind.Status()}, nil
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
	Lead  string
	Next  string
	Again string // where another code is asked for
	Error string
}

// codePage asks for the code that was sent.
func (s *Server) codePage(_ context.Context, v *visit) (answer, error) {
	next := safeNext(v.r.URL.Query().Get("next"))
	if v.account.ID != "" {
		return goTo(next), nil
	}
	if v.cookie(challengeCookie) == "" {
		return goTo(withNext("/sign-in", next)), nil
	}
	return show("code.html", v.codeForm(next)), nil
}

func (v *visit) codeForm(next string) codeForm {
	p := codeForm{
		Frame: v.frame(v.voice.T("code.title")), Next: next, Again: withNext("/sign-in", next),
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
	token, _, err := s.Door.EnterCode(ctx, v.cookie(challengeCookie), v.field("code"), v.r.UserAgent())
	switch kind := fault.KindOf(err); kind {
	case "":
	case fault.Invalid, fault.Denied, fault.TooMany:
		p := v.codeForm(next)
		p.Error = v.voice.Fault(err)
		return answer{template: "code.html", page: p, status: http.StatusUnprocessableEntity}, nil
	case fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
		return answer{}, err
	}
	for _, old := range []string{challengeCookie, addressCookie, linkCookie} {
		v.clearCookie(old)
	}
	v.setCookie(sessionCookie, token, year) // the door ends it sooner when it is not used
	return goTo(next), nil
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
	token := v.r.PathValue("token")
	account, line, err := s.Door.OpenLink(ctx, token)
	if err != nil {
		return answer{}, err
	}
	if v.account.ID != account {
		v.setCookie(linkCookie, token, day)
	}
	return goTo("/lines/" + line + "/renew"), nil
}
