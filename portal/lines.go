package portal

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// lineView is one line at a glance.
type lineView struct {
	ID         string
	Name       string // the customer's, or the plan's
	LastFour   string
	Plan       string
	PlanID     string
	Badge      ui.Badge
	ShowLeft   bool // it is running
	Left       ui.Left
	About      string // instead of Left, for a line that is not running
	Until      ui.Moment
	UntilLabel string
	In         string // how long until then
	CanRenew   bool
	Queue      []queued // what comes next, where that was looked up
}

// place is where a line's numbers get their meaning.
type place struct {
	plan catalogue.Plan
	op   catalogue.Operator
	loc  *time.Location // the operator's
}

// placeOf finds a plan's operator and its zone; UTC for what the catalogue no
// longer has.
func placeOf(c *catalogue.Catalogue, plan string) place {
	p := place{loc: time.UTC}
	p.plan, _ = c.Plan(plan)
	p.op, _ = c.Operator(p.plan.Operator)
	if loc, err := p.op.Zone.Location(); err == nil {
		p.loc = loc
	}
	return p
}

func (v *visit) lineView(l line.Line) lineView {
	at := placeOf(v.shop, l.Plan)
	out := lineView{
		ID: l.ID, Name: l.Name, LastFour: l.LastFour(), PlanID: l.Plan,
		Plan: v.voice.PlanName(v.shop, l.Plan), Badge: v.voice.LineBadge(l, at.plan, at.loc),
	}
	if out.Name == "" {
		out.Name = out.Plan
	}
	state := l.At(v.voice.Now)
	switch state {
	case line.Active:
		out.ShowLeft, out.Left = true, v.voice.Left(l, at.plan, at.op.GB, at.loc)
	case line.Terminal, line.Recycled:
		out.About = v.voice.T("about.closed")
	case line.New, line.Grace, line.Ended, line.Suspended:
		out.About = v.voice.T("about." + string(state))
	}
	if !l.EndsAt.IsZero() {
		out.Until, out.UntilLabel = v.voice.End(l.EndsAt, at.loc), v.voice.T("line.until")
		out.In = v.voice.In(l.EndsAt)
		if out.In == "" {
			out.UntilLabel = v.voice.T("line.ended")
		}
	}
	out.CanRenew = (state == line.Active || state == line.Grace) && (at.plan.Policy.Renewable || len(at.plan.Packs) > 0)
	return out
}

// welcomePage is everything welcome.html may use.
type welcomePage struct{ ui.Frame }

// linesPage is everything lines.html may use.
type linesPage struct {
	ui.Frame
	Lines   []lineView
	Several bool // more than one can be renewed
}

// home shows the customer's lines, or says what this is.
func (s *Server) home(ctx context.Context, v *visit) (answer, error) {
	if v.account.ID == "" {
		return show("welcome.html", welcomePage{v.publicFrame(v.voice.T("welcome.title"), v.voice.T("welcome.lead"))}), nil
	}
	coming := map[string][]line.Period{}
	lines, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) ([]line.Line, error) {
		periods, err := line.Coming(ctx, tx, v.account.ID)
		if err != nil {
			return nil, err
		}
		clear(coming)
		for _, p := range periods {
			coming[p.Line] = append(coming[p.Line], p)
		}
		return line.List(ctx, tx, v.account.ID)
	})
	if err != nil {
		return answer{}, err
	}
	p := linesPage{Frame: v.frame(v.voice.T("lines.title"))}
	line.SortByUrgency(lines, v.voice.Now)
	renewable := 0
	for _, l := range lines {
		view := v.lineView(l)
		view.Queue = v.queue(coming[l.ID], placeOf(v.shop, l.Plan))
		if view.CanRenew {
			renewable++
		}
		p.Lines = append(p.Lines, view)
	}
	p.Several = renewable > 1
	p.Offline = v.offlineNote()
	return keepable(show("lines.html", p)), nil
}

// linePage is everything line.html may use.
type linePage struct {
	ui.Frame
	Line    lineView
	Install *installView // of a line that was bought here, until it is renewed

	CanCancel bool         // it can be given back, as far as we know
	Profile   *profileView // nil where nobody told what its phone did
	RenewBy   ui.Moment
	Usage     *usageView
	Stay      *stayForm // nil where it does not matter
	Refusal   *ui.Refusal
	BuyNew    string // where a new line is bought instead; ""
	Queue     []queued
	Orders    []orderRow
	Slow      *slowHelp
}

// queued is a period that comes next.
type queued struct {
	Name         string
	Starts, Ends ui.Moment
}

const ordersOfLine = 5

// linePage is the personal centre of one line.
func (s *Server) linePage(ctx context.Context, v *visit) (answer, error) {
	type facts struct {
		situation renewal.Situation
		orders    pastOrders
		advice    advice.Facts
		profile   line.Profile
	}
	k, err := v.at(v.r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	if k.limited() {
		return answer{}, errSignIn
	}
	f, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (f facts, err error) {
		if f.situation, err = v.situation(ctx, tx, k, v.r.PathValue("id")); err != nil {
			return f, err
		}
		if f.advice, err = advice.FactsOf(ctx, tx, k.account, f.situation.Line.ID); err != nil {
			return f, err
		}
		if f.profile, _, err = line.GetProfile(ctx, tx, k.account, f.situation.Line.ID); err != nil {
			return f, err
		}
		f.orders, err = readOrders(ctx, tx, k.account, f.situation.Line.ID, ordersOfLine)
		return f, err
	})
	if err != nil {
		return answer{}, err
	}
	if err := line.Refresh(ctx, s.DB, f.situation.Line, v.voice.Now); err != nil {
		return answer{}, err
	}
	l, at := f.situation.Line, placeOf(v.shop, f.situation.Line.Plan)
	p := linePage{Line: v.lineView(l), Orders: v.orderRows(f.orders)}
	p.Frame = v.frame(p.Line.Name)
	if l.Extending != "" {
		p.Refresh = 10
	}
	if by := renewal.RenewBy(at.plan, l.EndsAt, at.loc); !by.IsZero() && by.After(v.voice.Now) && !by.Equal(l.EndsAt) {
		p.RenewBy = v.voice.End(by, at.loc)
	}
	p.Profile = v.profileView(f.profile, l, at)
	if p.Install, err = v.installing(ctx, l, at); err != nil {
		return answer{}, err
	}
	fresh := p.Install != nil && l.At(v.voice.Now) == line.New
	if fresh {
		if p.CanCancel, err = v.canCancel(ctx, l); err != nil {
			return answer{}, err
		}
	}
	offers, no := renewal.Offers(f.situation)
	if no != nil && !fresh {
		refusal := v.voice.Refused(no, at.loc)
		p.Refusal, p.Line.CanRenew, p.BuyNew = &refusal, false, v.buyInstead(no.Rule, l.Plan)
	}
	if l.At(v.voice.Now) == line.Active {
		p.Usage, p.Stay = v.usage(ctx, f.situation, f.advice, at), v.stayForm(f.advice.Told, at.loc)
	}
	p.Queue, p.Slow = v.queue(f.situation.Periods, at), v.slowHelp(ctx, f.situation, at, offers)
	p.Offline = v.offlineNote()
	return keepable(show("line.html", p)), nil
}

// queue are the periods that come next.
func (v *visit) queue(periods []line.Period, at place) (all []queued) {
	for _, period := range periods {
		if period.StateAt(v.voice.Now) == line.PeriodQueued {
			item := renewal.Item{Kind: renewal.Term, Plan: period.Plan, ID: period.Term}
			all = append(all, queued{
				Name:   v.voice.PlanName(v.shop, period.Plan) + " · " + v.voice.ItemName(v.shop, item),
				Starts: v.voice.Moment(period.StartsAt, at.loc), Ends: v.voice.End(period.EndsAt, at.loc),
			})
		}
	}
	return all
}

// situation reads what a decision about a line depends on, in the currency that
// the visitor pays in.
func (v *visit) situation(ctx context.Context, tx db.Tx, k keyhole, lineID string) (renewal.Situation, error) {
	s, err := v.server.Desk.Situation(ctx, tx, k.account, lineID, "", "")
	if err != nil {
		return s, err
	}
	if err := k.shows(s.Line.ID); err != nil {
		return s, err
	}
	if s.Currency, err = v.currency(ctx, tx, k, s.Catalogue, s.Line); err != nil {
		return s, err
	}
	s.Rate, err = order.Rate(ctx, tx, s.Catalogue, s.Currency)
	return s, err
}
