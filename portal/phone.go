package portal

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/device"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/phone"
	"github.com/tsuzuku/tsuzuku/stock"
	"github.com/tsuzuku/tsuzuku/ui"
)

// phoneRoutes are those of telephone numbers, and of cards that are claimed by a code
// to their line.
func (s *Server) phoneRoutes() []route {
	return []route{
		{"POST /sign-in/phone", anyone, s.askCodeBySMS},
		{"POST /sign-in/phone/password", anyone, s.enterPasswordByPhone},
		{"POST " + securityPath + "/numbers", customer, s.addNumber},
		{"POST /claim/sms", customer, s.askClaimCode},
		{"GET /claim/code", customer, s.claimCodePage},
		{"POST /claim/code", customer, s.enterClaimCode},
	}
}

// numberForm is where a telephone number is typed. The zero numberForm asks for none.
type numberForm struct {
	ui.Voice

	Countries []ui.Choice // to whose numbers SMS go
	Number    string      // as it was typed
	Error     string
	Next      string
}

// numberForm is empty where the shop sends no SMS.
func (v *visit) numberForm() numberForm {
	sms := v.server.Door.SMS
	if sms == nil {
		return numberForm{}
	}
	f := numberForm{Voice: v.voice, Number: v.field("number"), Next: safeNext(v.field("next"))}
	chosen := v.country(sms.Countries)
	for _, code := range sms.Countries {
		name := fmt.Sprintf("%s +%d", device.Place(v.voice.Lang, code), phone.CallingCode(code))
		f.Countries = append(f.Countries, ui.Choice{Value: code, Name: name, Chosen: code == chosen})
	}
	return f
}

// homeOf is where most who read a language have their telephone.
var homeOf = map[locale.Language]string{locale.Ja: "JP", locale.Ko: "KR", locale.ZhHans: "CN", locale.ZhHant: "TW"}

// country is the one that was chosen, else the one that the language makes likely,
// else the first.
func (v *visit) country(offered []string) string {
	for _, code := range []string{v.field("country"), homeOf[v.voice.Lang]} {
		if slices.Contains(offered, code) {
			return code
		}
	}
	return offered[0]
}

// askCodeBySMS sends a code to a telephone. What is shown is the same whether or not
// somebody has the number.
func (s *Server) askCodeBySMS(ctx context.Context, v *visit) (answer, error) {
	next := safeNext(v.field("next"))
	challenge, number, err := s.Door.AskCodeBySMS(ctx, v.field("number"), v.field("country"), string(v.language()), v.browser())
	if err != nil {
		return v.numberAgain(next, err)
	}
	v.setCookie(challengeCookie, challenge, challengeLife)
	v.sentTo(number)
	return goTo(withNext("/sign-in/code", next)), nil
}

// sentTo keeps where a code went, for the page that asks for it.
func (v *visit) sentTo(number phone.Number) {
	v.setCookie(addressCookie, base64.RawURLEncoding.EncodeToString([]byte(number.Said())), challengeLife)
}

// numberAgain shows the sign-in page once more, with what is wrong with the number.
func (v *visit) numberAgain(next string, err error) (answer, error) {
	kind := fault.KindOf(err)
	switch kind {
	case fault.Invalid, fault.Denied, fault.TooMany:
	case fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
		return answer{}, err
	}
	p, e := v.signInForm(next)
	p.Phone.Error = v.voice.Fault(err)
	status := kind.Status()
	if kind == fault.Denied {
		status = http.StatusUnprocessableEntity
	}
	return answer{template: "signin.html", page: p, status: status}, e
}

// enterPasswordByPhone opens a session for a number and a password.
func (s *Server) enterPasswordByPhone(ctx context.Context, v *visit) (answer, error) {
	next := safeNext(v.field("next"))
	if s.Door.SMS == nil {
		return goTo(withNext("/sign-in", next)), nil
	}
	token, a, err := s.Door.EnterPasswordByPhone(ctx, v.field("number"), v.field("country"), v.field("password"), v.browser())
	if err != nil {
		return v.numberAgain(next, err)
	}
	return s.signedIn(ctx, v, token, a, v.orAnother(next))
}

// addNumber sends a code to a number that the account is to have.
func (s *Server) addNumber(ctx context.Context, v *visit) (answer, error) {
	challenge, number, err := s.Door.AskNumber(ctx, v.session, v.field("number"), v.field("country"), v.browser())
	switch fault.KindOf(err) {
	case "":
		v.setCookie(newAddressCookie, challenge, challengeLife)
		v.sentTo(number)
		return goTo(securityPath + "/code"), nil
	case fault.Invalid, fault.TooMany:
		p, e := s.security(ctx, v)
		p.Phone.Error = v.voice.Fault(err)
		return answer{template: "security.html", page: p, status: fault.KindOf(err).Status()}, e
	case fault.Denied, fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
	}
	return answer{}, err
}

// claimCookie holds the challenge of a card's line.
const claimCookie = "claim"

// claimsByNumber reports whether there are cards that can be claimed by a code to
// their line.
func (v *visit) claimsByNumber(ctx context.Context) (bool, error) {
	if v.server.Door.SMS == nil {
		return false, nil
	}
	return db.Seen(ctx, v.server.DB, stock.AnyByNumber)
}

// askClaimCode sends a code to the line of a card, if it is one whose number is known.
// What is shown is the same for every card.
func (s *Server) askClaimCode(ctx context.Context, v *visit) (answer, error) {
	if err := v.mayBuy(ctx, keyhole{account: v.account.ID}); err != nil {
		return answer{}, err
	}
	iccid, err := line.ParseICCID(v.field("iccid"))
	if err != nil {
		return v.claimAgain(err)
	}
	number, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		i, _, err := stock.Find(ctx, tx, iccid)
		return i.NumberToClaim(tx.Now()), err
	})
	if err != nil {
		return answer{}, err
	}
	challenge, err := s.Door.AskClaimCode(ctx, account.CardAsk{Account: v.account.ID, ICCID: iccid, Number: number, From: v.browser()})
	if err != nil {
		return v.claimAgain(err)
	}
	v.setCookie(claimCookie, challenge, challengeLife)
	return goTo("/claim/code"), nil
}

// claimCodePage asks for the code that was sent to the line, if one was.
func (s *Server) claimCodePage(_ context.Context, v *visit) (answer, error) {
	if v.cookie(claimCookie) == "" {
		return goTo("/claim"), nil
	}
	return show("code.html", v.claimCodeForm()), nil
}

func (v *visit) claimCodeForm() codeForm {
	return codeForm{
		Frame: v.frame(v.voice.T("code.title")), Action: "/claim/code", Button: v.voice.T("claim.add"), Again: "/claim", Lead: v.voice.T("claim.sms.sent"),
	}
}

// enterClaimCode gives the customer the line whose code was right.
func (s *Server) enterClaimCode(ctx context.Context, v *visit) (answer, error) {
	if err := v.mayBuy(ctx, keyhole{account: v.account.ID}); err != nil {
		return answer{}, err
	}
	challenge, code := v.cookie(claimCookie), v.field("code")
	id, err := s.Desk.ClaimProven(ctx, v.account.ID, func(ctx context.Context, tx db.Tx) (string, *fault.Error, error) {
		return s.Door.EnterClaimCode(ctx, tx, v.account.ID, challenge, code)
	})
	switch fault.KindOf(err) {
	case "":
		v.clearCookie(claimCookie)
		return goTo("/lines/" + id), nil
	case fault.Invalid, fault.Denied:
		p := v.claimCodeForm()
		p.Error = v.voice.Fault(err)
		return answer{template: "code.html", page: p, status: http.StatusUnprocessableEntity}, nil
	case fault.TooMany, fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
	}
	return answer{}, err
}

// bySMS says which SMS somebody with these addresses can wish for: in the place of
// mail, where they have none, or beside it.
func (v *visit) bySMS(all []account.Address) (instead, beside bool) {
	if v.server.Door.SMS == nil {
		return false, false
	}
	mail := slices.ContainsFunc(all, func(a account.Address) bool { return a.Channel == message.Email })
	number := slices.ContainsFunc(all, func(a account.Address) bool { return a.Channel == message.SMS })
	return number && !mail, number && mail
}
