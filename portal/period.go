package portal

import (
	"context"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ui"
)

// periodOf is an order, for cancelling the period that it brought.
func (v *visit) periodOf(ctx context.Context) (told, error) {
	k, t, err := v.told(ctx)
	if err == nil && k.limited() {
		err = errSignIn
	}
	return t, err
}

func (v *visit) periodView(t told) cancelPage {
	o, at := t.order, placeOf(t.cat, t.order.Plan)
	to := "/orders/" + o.ID
	p := cancelPage{
		Frame: v.frame(v.voice.T("period.title")), Line: v.lineView(t.line),
		What: v.saleName(t.cat, o), Starts: v.voice.Moment(o.StartsAt, at.loc),
		Lead: v.voice.T("period.lead"), Sure: v.voice.T("period.sure"), Do: v.voice.T("period.do"), At: to + "/cancel-period", To: to, Keep: v.voice.T("period.keep"),
	}
	if t.stays != nil {
		p.Why = v.voice.Fault(t.stays)
		return p
	}
	p.Back = v.comesBack(t.returning)
	return p
}

// cancelPeriodPage asks whether a period that waits is to be cancelled, and says what
// for.
func (s *Server) cancelPeriodPage(ctx context.Context, v *visit) (answer, error) {
	t, err := v.periodOf(ctx)
	if err != nil {
		return answer{}, err
	}
	return show("cancel.html", v.periodView(t)), nil
}

// cancelPeriod cancels it.
func (s *Server) cancelPeriod(ctx context.Context, v *visit) (answer, error) {
	t, err := v.periodOf(ctx)
	if err != nil {
		return answer{}, err
	}
	if t.waits && v.field("sure") != "1" {
		return goTo("/orders/" + t.order.ID + "/cancel-period"), nil
	}
	if t.waits {
		t.stays = s.Desk.CancelPeriod(ctx, t.order.Ref())
	}
	no, kind := t.stays, fault.KindOf(t.stays)
	switch {
	case no == nil:
		return goTo("/orders/" + t.order.ID), nil
	case kind == fault.Unavailable: // it can be tried again
		t.stays = nil
		p := v.periodView(t)
		p.Notice = ui.Notice{Tone: ui.Bad, Text: v.voice.Fault(no)}
		return answer{template: "cancel.html", page: p, status: kind.Status()}, nil
	case kind == fault.Conflict:
		return answer{template: "cancel.html", page: v.periodView(t), status: kind.Status()}, nil
	}
	return answer{}, no
}
