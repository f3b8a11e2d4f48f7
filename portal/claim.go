package portal

import (
	"context"
	"net/http"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/ui"
)

// claimPage is everything claim.html may use.
type claimPage struct {
	ui.Frame
	ICCID string // as it was typed
	Code  string
	Bad   string // what is wrong with the number

	ByNumber bool // there are cards that can be claimed by a code to their line
}

// claimPage asks for the number of a card and the code that came with it.
func (s *Server) claimPage(ctx context.Context, v *visit) (answer, error) {
	p, err := v.claim(ctx)
	return show("claim.html", p), err
}

func (v *visit) claim(ctx context.Context) (claimPage, error) {
	byNumber, err := v.claimsByNumber(ctx)
	return claimPage{Frame: v.frame(v.voice.T("claim.title")), ByNumber: byNumber}, err
}

// claimSIM gives the customer the line of the card that they hold. Whatever does not
// fit is told with the same words.
func (s *Server) claimSIM(ctx context.Context, v *visit) (answer, error) {
	if err := v.mayBuy(ctx, keyhole{account: v.account.ID}); err != nil {
		return answer{}, err
	}
	iccid, err := line.ParseICCID(v.field("iccid"))
	if err != nil {
		return v.claimAgain(err)
	}
	id, err := s.Desk.Claim(ctx, v.account.ID, iccid, v.field("code"), v.guess("claim", iccid))
	if err != nil {
		return v.claimAgain(err)
	}
	return goTo("/lines/" + id), nil
}

// askClaim opens a case of a customer who has not the code.
func (s *Server) askClaim(ctx context.Context, v *visit) (answer, error) {
	iccid, err := line.ParseICCID(v.field("iccid"))
	if err == nil {
		err = s.Desk.AskClaim(ctx, v.account.ID, iccid, v.field("words"), v.guess("claim", iccid))
	}
	if err != nil {
		return v.claimAgain(err)
	}
	p, err := v.claim(ctx)
	p.Notice = ui.Notice{Tone: ui.Good, Text: v.voice.T("claim.asked")}
	return show("claim.html", p), err
}

// claimAgain shows the form once more, with what is wrong.
func (v *visit) claimAgain(err error) (answer, error) {
	kind := fault.KindOf(err)
	switch kind {
	case fault.Invalid, fault.Denied, fault.TooMany:
	case fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
		return answer{}, err
	}
	p, e := v.claim(v.r.Context())
	p.ICCID, p.Code = v.field("iccid"), v.field("code")
	_, fits, no := line.ReadICCID(p.ICCID)
	switch {
	case kind == fault.Invalid && no == nil && !fits:
		p.Bad = v.voice.T("card.check")
	case kind == fault.Invalid:
		p.Bad = v.voice.Fault(err)
	default:
		p.Notice = v.notice(err)
	}
	return answer{template: "claim.html", page: p, status: http.StatusUnprocessableEntity}, e
}

// guess counts the visitor's tries.
func (v *visit) guess(what, thing string) order.Attempt {
	return func(ctx context.Context, tx db.Tx) error {
		return v.server.Door.Guess(ctx, tx, what, thing, v.account.ID, v.client())
	}
}

// redeemPage is everything redeem.html may use.
type redeemPage struct {
	ui.Frame
	Code   string
	SignIn string // where nobody has signed in: where to
}

func (v *visit) redeem() redeemPage {
	p := redeemPage{Frame: v.frame(v.voice.T("redeem.title"))}
	if v.account.ID == "" {
		p.SignIn = withNext("/sign-in", "/redeem")
	}
	return p
}

// redeemPage asks for a code that was sold elsewhere.
func (s *Server) redeemPage(_ context.Context, v *visit) (answer, error) {
	return show("redeem.html", v.redeem()), nil
}

// redeemCode turns a code into an order, and leads to it.
func (s *Server) redeemCode(ctx context.Context, v *visit) (answer, error) {
	if err := v.mayBuy(ctx, keyhole{account: v.account.ID}); err != nil {
		return answer{}, err
	}
	o, err := s.Desk.Redeem(ctx, v.account.ID, v.field("code"), v.guess("redeem", ""))
	switch kind := fault.KindOf(err); kind {
	case "":
		return goTo("/orders/" + o.ID), nil
	case fault.Denied, fault.TooMany:
		p := v.redeem()
		p.Code, p.Notice = v.field("code"), v.notice(err)
		return answer{template: "redeem.html", page: p, status: http.StatusUnprocessableEntity}, nil
	case fault.Invalid, fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
	}
	return answer{}, err
}
