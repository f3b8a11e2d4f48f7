package portal

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

const (
	withPath = "/sign-in/with/" // and an issuer's name: the way there; with /back, and back
	whoPath  = "/sign-in/who"   // where somebody shows whose account an issuer is to open
)

// issuerRoutes are those of signing in elsewhere.
func (s *Server) issuerRoutes() []route {
	return []route{
		{"GET " + withPath + "{issuer}", anyone, s.toIssuer},
		{"GET " + withPath + "{issuer}/back", anyone, s.fromIssuer},
		{"GET " + whoPath, anyone, s.whoPage},
		{"POST " + whoPath, anyone, s.connectStranger},
		{"GET " + whoPath + "/code", anyone, s.whoCodePage},
		{"POST " + whoPath + "/code", anyone, s.enterWhoCode},
		{"POST " + securityPath + "/issuers", customer, s.disconnect},
	}
}

// wayRow is one way to sign in elsewhere.
type wayRow struct{ Text, Link string }

// elsewhere are all of them: for who wants to sign in, or, with connect, to be let in
// by one from now on.
func (v *visit) elsewhere(text, next string, connect bool) (rows []wayRow) {
	for _, i := range v.server.Issuers {
		q := url.Values{}
		if next != "/" {
			q.Set("next", next)
		}
		if connect {
			q.Set("connect", "1")
		}
		to := url.URL{Path: withPath + i.Name(), RawQuery: q.Encode()}
		rows = append(rows, wayRow{v.voice.Say(text, locale.Args{"issuer": i.Title()}), to.String()})
	}
	return rows
}

// issuer is the one whose name is in the address.
func (v *visit) issuer() (account.Issuer, error) {
	for _, i := range v.server.Issuers {
		if i.Name() == v.r.PathValue("issuer") {
			return i, nil
		}
	}
	return nil, fault.Because(fault.NotFound, "page", "There is no such page.", nil)
}

// titleOf is what customers know an issuer by, also one that is not asked any more.
func (v *visit) titleOf(name string) string {
	for _, i := range v.server.Issuers {
		if i.Name() == name {
			return i.Title()
		}
	}
	return name
}

// toIssuer sends the browser to an issuer. It is a link and no form: a browser
// that is sent on from a form goes nowhere that the page's policy does not name, and
// a company's sign-in leads through places that nobody here knows.
func (s *Server) toIssuer(ctx context.Context, v *visit) (answer, error) {
	i, err := v.issuer()
	if err != nil {
		return answer{}, err
	}
	q := v.r.URL.Query()
	next := safeNext(q.Get("next"))
	if v.r.Header.Get("Sec-Fetch-Site") == "cross-site" { // another site does not begin it
		return goTo(withNext("/sign-in", next)), nil
	}
	e, sealed, err := s.Door.SetOut(i.Name(), s.URL+withPath+i.Name()+"/back", next, q.Has("connect") && v.account.ID != "")
	if err != nil {
		return answer{}, err
	}
	to, err := i.Ask(ctx, e.Question)
	if err != nil {
		return answer{}, v.issuerFailed(ctx, i, err)
	}
	v.setCookie(errandCookie, sealed, challengeLife)
	return goTo(to), nil
}

// issuerFailed keeps for those who read logs why an issuer let nobody in.
func (v *visit) issuerFailed(ctx context.Context, i account.Issuer, err error) error {
	v.server.Log.WarnContext(ctx, "portal: nobody signed in", "issuer", i.Name(), "err", err)
	return err
}

// fromIssuer takes the browser back: the one that was sent, once.
func (s *Server) fromIssuer(ctx context.Context, v *visit) (answer, error) {
	i, err := v.issuer()
	if err != nil {
		return answer{}, err
	}
	e, err := s.Door.Returned(v.cookie(errandCookie), i.Name())
	v.clearCookie(errandCookie)
	if err != nil {
		return answer{}, err
	}
	if err := s.Door.MayReturn(ctx, v.client()); err != nil {
		return answer{}, err
	}
	who, err := i.Hear(ctx, e.Question, v.r.URL.Query())
	if err != nil {
		s.Door.NotLetIn(ctx, err, v.browser())
		return answer{}, v.issuerFailed(ctx, i, err)
	}
	if !e.Connect {
		token, a, err := s.Door.EnterIdentity(ctx, who, string(v.language()), v.browser())
		if err == nil {
			return s.signedIn(ctx, v, token, a, safeNext(e.Next))
		}
		if reason(err) != "connection_unproven" {
			return answer{}, err
		}
	}
	sealed, err := s.Door.Wait(who, e.Next)
	if err != nil {
		return answer{}, err
	}
	v.setCookie(strangerCookie, sealed, challengeLife)
	return goTo(whoPath), nil
}

// whoForm is everything who.html may use.
type whoForm struct {
	ui.Frame
	Lead   string
	Email  string
	Error  string
	Button string
	Other  string // where one signs in in another way, and comes back from
}

// whoPage asks whose account an issuer is to open.
func (s *Server) whoPage(ctx context.Context, v *visit) (answer, error) {
	w, ok := s.Door.Waiting(v.cookie(strangerCookie))
	if !ok {
		return goTo("/sign-in"), nil
	}
	p, err := v.whoForm(ctx, w)
	return show("who.html", p), err
}

func (v *visit) whoForm(ctx context.Context, w account.Stranger) (whoForm, error) {
	title := v.titleOf(w.Identity.Issuer)
	p := whoForm{
		Frame: v.frame(v.voice.Say("who.title", locale.Args{"issuer": title})), Email: w.Identity.Email,
		Button: v.voice.T("signin.send"), Other: "/sign-in?next=" + url.QueryEscape(whoPath),
	}
	switch {
	case p.SignedIn:
		addresses, err := v.server.Door.Addresses(ctx, v.account.ID)
		if err != nil {
			return p, err
		}
		here := v.account.Name
		if len(addresses) > 0 {
			here = addresses[0].Said()
		}
		there := w.Identity.Email
		if there == "" {
			there = w.Identity.Name
		}
		p.Lead = v.voice.Say("who.connect.lead", locale.Args{"issuer": title, "there": there, "here": here})
		p.Button = v.voice.T("who.connect")
	case w.Identity.Verified:
		p.Lead = v.voice.Say("who.taken", locale.Args{"issuer": title})
	default:
		p.Lead = v.voice.Say("who.none", locale.Args{"issuer": title})
	}
	return p, nil
}

// connectStranger lets somebody in by an issuer from now on whose session shows whose
// account it is; to who has none it sends a code.
func (s *Server) connectStranger(ctx context.Context, v *visit) (answer, error) {
	w, ok := s.Door.Waiting(v.cookie(strangerCookie))
	switch {
	case !ok:
		return answer{}, fault.Because(fault.Denied, "errand_lost", "This sign-in was begun in another browser, or too long ago. Please begin again here.", nil)
	case v.field("forget") != "":
		v.clearCookie(strangerCookie)
		return goTo(safeNext(w.Next)), nil
	case v.account.ID != "":
		if err := s.Door.Connect(ctx, v.session, w.Identity, v.titleOf(w.Identity.Issuer)); err != nil {
			return answer{}, err
		}
		v.clearCookie(strangerCookie)
		return goTo(afterConnecting(w.Next)), nil
	}
	email := v.field("email")
	challenge, err := s.Door.AskCode(ctx, email, string(v.language()), v.browser())
	if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.TooMany {
		p, e := v.whoForm(ctx, w)
		p.Email, p.Error = email, v.voice.Fault(err)
		return answer{template: "who.html", page: p, status: kind.Status()}, e
	}
	if err != nil {
		return answer{}, err
	}
	v.setCookie(challengeCookie, challenge, challengeLife)
	v.setCookie(addressCookie, base64.RawURLEncoding.EncodeToString([]byte(email)), challengeLife)
	return goTo(whoPath + "/code"), nil
}

// afterConnecting is where the customer goes on to, and is told if that is the page
// that they came from for it.
func afterConnecting(next string) string {
	if next = safeNext(next); next == securityPath {
		next += "?done=connected"
	}
	return next
}

// whoCodePage asks for the code that shows whose account it is.
func (s *Server) whoCodePage(_ context.Context, v *visit) (answer, error) {
	w, ok := s.Door.Waiting(v.cookie(strangerCookie))
	if !ok || v.cookie(challengeCookie) == "" {
		return goTo(whoPath), nil
	}
	return show("code.html", v.whoCodeForm(w)), nil
}

func (v *visit) whoCodeForm(w account.Stranger) codeForm {
	p := v.codeForm("/")
	p.Action, p.Again, p.Next = whoPath+"/code", whoPath, ""
	p.Lead += " " + v.voice.Say("who.code", locale.Args{"issuer": v.titleOf(w.Identity.Issuer)})
	return p
}

// enterWhoCode signs in whoever has the right code, and lets the issuer do so from now
// on.
func (s *Server) enterWhoCode(ctx context.Context, v *visit) (answer, error) {
	w, ok := s.Door.Waiting(v.cookie(strangerCookie))
	if !ok {
		return answer{}, fault.Because(fault.Denied, "errand_lost", "This sign-in was begun in another browser, or too long ago. Please begin again here.", nil)
	}
	token, a, err := s.Door.EnterCode(ctx, v.cookie(challengeCookie), v.field("code"), v.browser())
	if slices.Contains([]fault.Kind{fault.Invalid, fault.Denied, fault.TooMany}, fault.KindOf(err)) {
		p := v.whoCodeForm(w)
		p.Error = v.voice.Fault(err)
		return answer{template: "code.html", page: p, status: http.StatusUnprocessableEntity}, nil
	}
	if err != nil {
		return answer{}, err
	}
	session, _, err := s.Door.Who(ctx, token)
	if err == nil {
		err = s.Door.Connect(ctx, session, w.Identity, v.titleOf(w.Identity.Issuer))
	}
	out, e := s.signedIn(ctx, v, token, a, afterConnecting(w.Next)) // also who could not be connected is signed in
	v.clearCookie(strangerCookie)
	if err != nil {
		return answer{}, err
	}
	return out, e
}

// connectionRow is one issuer that lets somebody in.
type connectionRow struct{ ID, Title, Label, Since, Used string }

func (v *visit) connectionRows(ctx context.Context) (rows []connectionRow, err error) {
	all, err := db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) ([]account.Connection, error) {
		return account.Connections(ctx, tx, v.account.ID)
	})
	for _, c := range all {
		row := connectionRow{ID: c.ID, Title: v.titleOf(c.Issuer), Label: c.Label, Since: v.voice.Say("issuers.since", locale.Args{"date": v.voice.Day(c.CreatedAt, v.shopZone())})}
		if !c.UsedAt.IsZero() {
			row.Used = v.voice.Say("passkey.used", locale.Args{"time": v.voice.Moment(c.UsedAt, v.shopZone()).Text})
		}
		rows = append(rows, row)
	}
	return rows, err
}

// disconnect lets nobody in by an issuer any more.
func (s *Server) disconnect(ctx context.Context, v *visit) (answer, error) {
	err := s.Door.Disconnect(ctx, v.session, v.field("remove"), v.titleOf)
	return goTo(securityPath + "?done=disconnected"), err
}
