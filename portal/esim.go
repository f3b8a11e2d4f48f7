package portal

import (
	"context"
	"html/template"
	"slices"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// installView is what a new line is installed with.
type installView struct {
	Code       code // to scan with the phone that is to have the line
	Address    string
	Activation string
	Whole      string       // LPA:1$…, as some phones want it
	IPhone     template.URL // opens the phone's own dialogue
	Android    template.URL
	By         ui.Moment // until when it must be in use; zero: at any time
	In         string    // how long until then
	Steps      []string
	Phones     []howTo // where settings have it
	Once       string
}

// howTo is where a kind of phone has eSIMs in its settings; open where the page is
// read on one.
type howTo struct {
	Name, Says string
	Open       bool
}

// howTos are those of all kinds of phones, that of this one first.
func (v *visit) howTos() (all []howTo) {
	mine := message.PhoneOf(v.r.UserAgent())
	for _, phone := range message.Phones {
		name, says := message.HowTo(v.voice.Lang, phone)
		h := howTo{Name: name, Says: says, Open: phone == mine}
		if h.Open {
			all = slices.Insert(all, 0, h)
		} else {
			all = append(all, h)
		}
	}
	return all
}

// installOf is nil where there is nothing to install.
func (v *visit) installOf(e line.ESIM, l line.Line, at place) *installView {
	address, activation, ok := message.InstallParts(e.Code)
	if !ok || !e.Installs(l) {
		return nil
	}
	i := &installView{
		Code: codeOf(e.Code), Address: address, Activation: activation, Whole: e.Code,
		IPhone:  template.URL(message.InstallLink(message.OneTapIPhone, e.Code)),  //nolint:gosec // a page of the phone's maker
		Android: template.URL(message.InstallLink(message.OneTapAndroid, e.Code)), //nolint:gosec // likewise
		Once:    v.voice.T("install.once"),
		Phones:  v.howTos(),
	}
	if at.plan.Facts.Reinstall {
		i.Once = v.voice.T("install.again")
	}
	if !e.InstallBy.IsZero() && l.At(v.voice.Now) == line.New {
		i.By, i.In = v.voice.End(e.InstallBy, at.loc), v.voice.In(e.InstallBy)
	}
	for _, step := range []string{"wifi", "scan", "label", "roaming"} {
		i.Steps = append(i.Steps, v.voice.T("install.step."+step))
	}
	return i
}

// profileView is what a phone last did with a line's eSIM.
type profileView struct {
	Says string
	At   ui.Moment
	Note string // what it means, and what to do, of one that was deleted
}

// profileView is nil where nobody has told anything. The time of who told it may be
// ahead of ours; it is shown no later than it was heard.
func (v *visit) profileView(p line.Profile, l line.Line, at place) *profileView {
	if p.State == "" {
		return nil
	}
	when := p.At
	if when.After(p.Heard) {
		when = p.Heard
	}
	view := &profileView{Says: v.voice.T("profile." + string(p.State)), At: v.voice.Moment(when, at.loc)}
	if p.State == line.ProfileDeleted {
		switch state := l.At(v.voice.Now); {
		case state == line.Ended || state == line.Terminal || state == line.Recycled:
		case at.plan.Facts.Reinstall:
			view.Note = v.voice.T("profile.deleted.again")
		default:
			view.Note = v.voice.T("profile.deleted.once")
		}
	}
	return view
}

// installing reads what a line is installed with, and asks for a look at the
// operator while nobody has used it: this page is where somebody waits for that.
func (v *visit) installing(ctx context.Context, l line.Line, at place) (*installView, error) {
	e, found, err := v.readESIM(ctx, l)
	if err != nil || !found {
		return nil, err
	}
	if l.StartedAt.IsZero() && l.State != line.Terminal && v.voice.Now.Sub(l.UpdatedAt) > line.Stale {
		err = v.server.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return line.LookSoon(ctx, tx, l.Account, l.ID) })
		if err != nil {
			return nil, err
		}
	}
	if e, err = e.Opened(v.server.Desk.Codes); err != nil {
		return nil, err
	}
	return v.installOf(e, l, at), nil
}

func (v *visit) readESIM(ctx context.Context, l line.Line) (e line.ESIM, found bool, err error) {
	err = v.server.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		e, found, err = line.GetESIM(ctx, tx, l.Account, l.ID)
		return err
	})
	return e, found, err
}

// mostAgain is how many ended lines are offered before new ones, and mostEnded of how
// many the rules are asked for that.
const mostAgain, mostEnded = 3, 10

// endedLines are the customer's lines that have ended, and whose operator can still
// feed them, with the plan that they came to buy or, for "", with any; those that
// ended last first.
func (v *visit) endedLines(ctx context.Context, tx db.Tx, plan string) (again []againLine, err error) {
	lines, err := line.List(ctx, tx, v.account.ID)
	if err != nil {
		return nil, err
	}
	asked := 0
	for _, l := range slices.Backward(lines) {
		state := l.At(v.voice.Now)
		if len(again) == mostAgain || asked == mostEnded {
			break
		}
		if plan != "" && l.Plan != plan || state != line.Grace && state != line.Ended {
			continue
		}
		asked++
		s, err := v.situation(ctx, tx, keyhole{account: v.account.ID}, l.ID)
		if err != nil {
			return nil, err
		}
		if offers, no := renewal.Offers(s); no == nil && len(offers) > 0 {
			view := v.lineView(l)
			again = append(again, againLine{l.ID, view.Name, view.LastFour})
		}
	}
	return again, nil
}

// newLineTerms says, of a new line that is about to be bought, when its service
// begins and how long it lasts from then on.
func (v *visit) newLineTerms(p *reviewPage, q quoted, at place) {
	plan, _ := q.catalogue.Plan(q.quote.Plan)
	term, _ := plan.Term(q.quote.Item)
	p.New = true
	p.Again = planAddress(plan.ID)
	p.Begins = v.voice.T("new.starts." + plan.Activation.Start)
	if !q.quote.StartsAt.IsZero() {
		p.Ends = v.voice.End(q.quote.EndsAt, at.loc)
	}
	p.Lasts = v.voice.Say("new.lasts", locale.Args{"length": v.voice.Length(term.Length)})
	if by := deadlineOf(plan, v.voice.Now, at.loc); !by.IsZero() {
		p.InstallBy = v.voice.End(by, at.loc)
		p.DeadlineNote = v.voice.T("new.deadline.lost")
		if plan.Activation.ByItself {
			p.DeadlineNote = v.voice.T("new.deadline.starts")
		}
	}
}
