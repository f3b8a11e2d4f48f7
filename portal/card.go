package portal

import (
	"context"
	"net/http"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/ui"
)

// cardPage is everything card.html may use: where somebody renews by the number
// of their card, without signing in.
type cardPage struct {
	ui.Frame
	Number string
	Error  string
	Sure   bool // the check digit does not fit, and they may say that it is right
}

func (s *Server) cardPage(_ context.Context, v *visit) (answer, error) {
	return show("card.html", cardPage{Frame: v.frame(v.voice.T("card.title"))}), nil
}

// askLineCode sends a code to the owner of the line with that number. What is
// shown is the same whether or not there is one.
func (s *Server) askLineCode(ctx context.Context, v *visit) (answer, error) {
	p := cardPage{Frame: v.frame(v.voice.T("card.title")), Number: v.field("iccid")}
	number, fits, err := line.ReadICCID(p.Number)
	switch {
	case err != nil:
		p.Error = v.voice.Fault(err)
		return answer{template: "card.html", page: p, status: http.StatusUnprocessableEntity}, nil
	case !fits && v.field("sure") != number:
		p.Number, p.Sure, p.Error = number, true, v.voice.T("card.check")
		return answer{template: "card.html", page: p, status: http.StatusUnprocessableEntity}, nil
	}
	l, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) {
		return line.ByICCID(ctx, tx, number)
	})
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return answer{}, err
	}
	challenge, err := s.Door.AskLineCode(ctx, account.LineAsk{
		Number: number, Account: l.Account, Line: l.ID, LastFour: l.LastFour(), Name: l.Name, From: v.browser(),
	})
	if fault.KindOf(err) == fault.TooMany {
		p.Error = v.voice.Fault(err)
		return answer{template: "card.html", page: p, status: http.StatusTooManyRequests}, nil
	}
	if err != nil {
		return answer{}, err
	}
	v.setCookie(cardCookie, challenge, challengeLife)
	return goTo("/renew/code"), nil
}

// lineCodePage asks for the code that was sent, if one was.
func (s *Server) lineCodePage(_ context.Context, v *visit) (answer, error) {
	if v.cookie(cardCookie) == "" {
		return goTo("/renew"), nil
	}
	return show("code.html", v.lineCodeForm()), nil
}

func (v *visit) lineCodeForm() codeForm {
	return codeForm{
		Frame: v.frame(v.voice.T("code.title")), Action: "/renew/code", Button: v.voice.T("card.open"), Again: "/renew", Lead: v.voice.T("card.sent"),
	}
}

// enterLineCode opens the renewal of the line whose code was right.
func (s *Server) enterLineCode(ctx context.Context, v *visit) (answer, error) {
	token, err := s.Door.EnterLineCode(ctx, v.cookie(cardCookie), v.field("code"), v.browser())
	switch fault.KindOf(err) {
	case "":
	case fault.Invalid, fault.Denied:
		p := v.lineCodeForm()
		p.Error = v.voice.Fault(err)
		return answer{template: "code.html", page: p, status: http.StatusUnprocessableEntity}, nil
	case fault.TooMany, fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
		return answer{}, err
	}
	v.clearCookie(cardCookie)
	return s.open(ctx, v, token)
}
