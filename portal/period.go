package portal

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/ui"
)

// periodPage is everything period.html may use.
type periodPage struct {
	ui.Frame
	Order  string
	Line   lineView
	What   string
	Starts ui.Moment
	Why    string   // why it cannot be cancelled; empty: it can
	Back   []string // what comes back, one sentence for each way
}

// periodOf is an order with what cancelling its period would come to, and why it cannot
// be cancelled; nil where it can.
func (v *visit) periodOf(ctx context.Context) (t told, back order.Returning, no, err error) {
	k, t, err := v.told(ctx)
	if err == nil && k.limited() {
		err = errSignIn
	}
	if err != nil {
		return t, back, nil, err
	}
	back, no = db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (order.Returning, error) {
		return v.server.Desk.Cancelling(ctx, tx, t.order.Ref())
	})
	if no != nil && fault.KindOf(no) != fault.Conflict {
		return t, back, nil, no
	}
	return t, back, no, nil
}

func (v *visit) periodView(t told, back order.Returning, no error) periodPage {
	o, at := t.order, placeOf(t.cat, t.order.Plan)
	p := periodPage{
		Frame: v.frame(v.voice.T("period.title")), Order: o.ID, Line: v.lineView(t.line),
		What: v.voice.PlanName(t.cat, o.Plan) + " · " + v.orderName(t.cat, o), Starts: v.voice.Moment(o.StartsAt, at.loc),
	}
	if no != nil {
		p.Why = v.voice.Fault(no)
		return p
	}
	p.Back = v.comesBack(back)
	return p
}

// cancelPeriodPage asks whether a period that waits is to be cancelled, and says what
// for.
func (s *Server) cancelPeriodPage(ctx context.Context, v *visit) (answer, error) {
	t, back, no, err := v.periodOf(ctx)
	if err != nil {
		return answer{}, err
	}
	return show("period.html", v.periodView(t, back, no)), nil
}

// cancelPeriod cancels it.
func (s *Server) cancelPeriod(ctx context.Context, v *visit) (answer, error) {
	t, back, no, err := v.periodOf(ctx)
	if err != nil {
		return answer{}, err
	}
	if no == nil && v.field("sure") != "1" {
		return goTo("/orders/" + t.order.ID + "/cancel-period"), nil
	}
	if no == nil {
		no = s.Desk.CancelPeriod(ctx, t.order.Ref())
	}
	switch kind := fault.KindOf(no); {
	case no == nil:
		return goTo("/orders/" + t.order.ID), nil
	case kind == fault.Unavailable: // it can be tried again
		p := v.periodView(t, back, nil)
		p.Notice = ui.Notice{Tone: ui.Bad, Text: v.voice.Fault(no)}
		return answer{template: "period.html", page: p, status: kind.Status()}, nil
	case kind == fault.Conflict:
		return answer{template: "period.html", page: v.periodView(t, back, no), status: kind.Status()}, nil
	}
	return answer{}, no
}
