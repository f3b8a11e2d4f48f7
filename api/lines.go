package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Line is one SIM or eSIM.
type Line struct {
	ID          string     `json:"id" example:"ln_01kjx3v5w8m2n4p6q801kjx3v5w8m2n4p6"`
	Account     string     `json:"account"`
	Name        string     `json:"name" doc:"The customer's own, or the plan's."`
	LastFour    string     `json:"lastFour" doc:"The end of its ICCID."`
	Plan        string     `json:"plan"`
	PlanName    string     `json:"planName"`
	Zone        string     `json:"zone" doc:"The operator's: its days begin and end there."`
	State       string     `json:"state" enum:"new,active,grace,ended,terminal,suspended,recycled" doc:"new: not switched on yet; grace: ended, and can still be renewed; ended: can not."`
	StateText   string     `json:"stateText"`
	StartedAt   *time.Time `json:"startedAt,omitempty"`
	EndsAt      *time.Time `json:"endsAt,omitempty" doc:"The first instant without service, after everything that is paid for."`
	RenewBefore *time.Time `json:"renewBefore,omitempty" doc:"The first instant at which it can not be renewed any more, where its plan says so."`
	Extending   string     `json:"extending,omitempty" doc:"The order that is at the operator just now."`
	Left        *Left      `json:"left,omitempty" doc:"Of a line that is running."`
	Refusal     *Refusal   `json:"refusal,omitempty" doc:"Why nothing can be bought for it now. Only where one line is asked for."`
	Periods     []Period   `json:"periods,omitempty" nullable:"false" doc:"Its newest periods, oldest first; those that are queued come next. Only where one line is asked for."`
	Install     *Install   `json:"install,omitempty" doc:"How the eSIM comes onto a phone, for keys with the scope renew; absent: it was not bought here, or nobody should any more. Only where one line is asked for."`
	Stay        string     `json:"stay,omitempty" format:"date" doc:"The last day on which the customer needs it, as they told. Only where one line is asked for."`
}

// Install is what a phone installs an eSIM from. Whoever has it can use the line.
type Install struct {
	Code       string     `json:"code" doc:"For a code to scan, and for phones that want all of it." example:"LPA:1$rsp.example.com$A1B2"`
	Address    string     `json:"address" doc:"To enter by hand: the SM-DP+ address."`
	Activation string     `json:"activation" doc:"To enter by hand: the activation code."`
	IPhone     string     `json:"iphone" doc:"Opens the dialogue of iOS 17.4 and later."`
	Android    string     `json:"android" doc:"Opens the dialogue of a recent Android."`
	By         *time.Time `json:"by,omitempty" doc:"The first instant at which it can not be started any more; absent: none is known, or it has started."`
}

func installOf(e line.ESIM, l line.Line) *Install {
	address, activation, ok := message.InstallParts(e.Code)
	if !ok || !e.Installs(l) {
		return nil
	}
	i := &Install{
		Code: e.Code, Address: address, Activation: activation,
		IPhone: message.InstallLink(message.OneTapIPhone, e.Code), Android: message.InstallLink(message.OneTapAndroid, e.Code),
	}
	if l.StartedAt.IsZero() {
		i.By = instant(e.InstallBy)
	}
	return i
}

// Left is what a running line still has. An unlimited line is never 0 of
// something.
type Left struct {
	Unlimited  bool       `json:"unlimited" doc:"Never ends within its period; the bytes are then those at full speed until the reset."`
	TotalBytes *int64     `json:"totalBytes,omitempty" doc:"Absent where nobody knows, or there is no limit."`
	LeftBytes  *int64     `json:"leftBytes,omitempty" doc:"As totalBytes."`
	Throttled  bool       `json:"throttled" doc:"As the operator last said."`
	AsOf       *time.Time `json:"asOf,omitempty" doc:"When the operator measured; absent: never."`
	Text       string     `json:"text" example:"1.2 GB left"`
	Detail     string     `json:"detail"`
}

// Period is one stretch of service.
type Period struct {
	Number         int        `json:"number"`
	Plan           string     `json:"plan"`
	Term           string     `json:"term,omitempty"`
	State          string     `json:"state" enum:"queued,active,ended,cancelled"`
	StartsAt       *time.Time `json:"startsAt,omitempty"`
	EndsAt         *time.Time `json:"endsAt,omitempty" doc:"Exclusive."`
	AllowanceBytes int64      `json:"allowanceBytes,omitempty" doc:"Absent: not limited for the period."`
	Order          string     `json:"order,omitempty"`
}

// Refusal is a no, with what can be done instead.
type Refusal struct {
	Rule    string     `json:"rule" example:"too_early"`
	Why     string     `json:"why"`
	Instead string     `json:"instead,omitempty"`
	At      *time.Time `json:"at,omitempty" doc:"The instant that the rule speaks of."`
}

// Lines are those of one customer.
type Lines struct {
	Lines []Line `json:"lines" nullable:"false" doc:"Those that can be kept going first, and of these the one that ends first."`
}

// Usage is what was used day by day.
type Usage struct {
	Zone string     `json:"zone"`
	Days []UsageDay `json:"days" nullable:"false" doc:"Of this stay, oldest first. A day of which nothing is known is not among them."`
}

// UsageDay is what was used on one day of the operator's.
type UsageDay struct {
	Date   string `json:"date" format:"date"`
	Bytes  int64  `json:"bytes"`
	Capped bool   `json:"capped" doc:"More may have been wanted: it was slow or used up at some moment."`
}

// OfAccount names a customer. Like all that inputs embed it is exported, for huma
// to see it.
type OfAccount struct {
	Account string `path:"account" maxLength:"64" doc:"Of the customer." example:"ac_01kjx3v5w8m2n4p6q8"`
}

// OfLine names a line.
type OfLine struct {
	Line string `path:"line" maxLength:"64"`
}

func (s *Server) addLines(d huma.API) {
	add(s, d, route{
		id: "list-lines", method: http.MethodGet, path: "/accounts/{account}/lines", scope: Read, tag: "Lines", summary: "A customer's lines",
	}, s.listLines)
	add(s, d, route{
		id: "get-line", method: http.MethodGet, path: "/lines/{line}", scope: Read, tag: "Lines", summary: "One line: what is left, until when, and what comes next",
		about: "Figures that are older than ten minutes make us ask the operator anew; the next answer has newer ones.",
	}, s.getLine)
	add(s, d, route{
		id: "get-usage", method: http.MethodGet, path: "/lines/{line}/usage", scope: Read, tag: "Lines", summary: "What was used, day by day",
	}, s.getUsage)
	add(s, d, route{
		id: "list-offers", method: http.MethodGet, path: "/lines/{line}/offers", scope: Read, tag: "Lines",
		summary: "What can be bought for a line now, and why the rest can not",
	}, s.listOffers)
	add(s, d, route{
		id: "tell-stay", method: http.MethodPut, path: "/lines/{line}/stay", scope: Renew, tag: "Lines",
		summary: "Say until which day the customer needs the line", about: "Advice is then about these days.",
	}, s.tellStay)
	add(s, d, route{
		id: "forget-stay", method: http.MethodDelete, path: "/lines/{line}/stay", scope: Renew, tag: "Lines", summary: "Forget until when the customer needs the line",
	}, s.forgetStay)
	s.addCancelling(d)
}

func (s *Server) listLines(ctx context.Context, c *call, in *OfAccount) (Lines, error) {
	type facts struct {
		lines []line.Line
		cat   *catalogue.Catalogue
	}
	f, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (f facts, err error) {
		if err := c.customer(ctx, tx, in.Account); err != nil {
			return f, err
		}
		if f.cat, err = s.Shelf.Current(ctx, tx); err != nil {
			return f, err
		}
		f.lines, err = line.List(ctx, tx, in.Account)
		return f, err
	})
	if err != nil {
		return Lines{}, err
	}
	all := Lines{Lines: []Line{}}
	line.SortByUrgency(f.lines, c.voice.Now)
	for _, l := range f.lines {
		all.Lines = append(all.Lines, lineOf(c.voice, f.cat, l))
	}
	return all, nil
}

func lineOf(v ui.Voice, c *catalogue.Catalogue, l line.Line) Line {
	at := placeOf(c, l.Plan)
	out := Line{
		ID: l.ID, Account: l.Account, Name: cmp.Or(l.Name, v.PlanName(c, l.Plan)), LastFour: l.LastFour(), Plan: l.Plan,
		PlanName: v.PlanName(c, l.Plan), Zone: at.loc.String(), State: string(l.At(v.Now)), StateText: v.LineBadge(l, at.plan, at.loc).Word,
		StartedAt: instant(l.StartedAt), EndsAt: instant(l.EndsAt), Extending: l.Extending,
	}
	if !l.EndsAt.IsZero() {
		out.RenewBefore = instant(renewal.RenewBy(at.plan, l.EndsAt, at.loc))
	}
	if l.At(v.Now) == line.Active {
		out.Left = leftOf(v, l, at)
	}
	return out
}

func leftOf(v ui.Voice, l line.Line, at place) *Left {
	said := v.Left(l, at.plan, at.op.GB, at.loc)
	left := &Left{
		Unlimited: at.plan.Kind == catalogue.Unlimited, Throttled: l.Usage.Throttled, AsOf: instant(l.Usage.AsOf),
		Text: said.Headline, Detail: said.Detail,
	}
	if m := said.Meter; m != nil {
		left.TotalBytes, left.LeftBytes = &m.Whole, &m.Part
	}
	return left
}

// seenLine is a line with everything that is decided about it.
type seenLine struct {
	situation renewal.Situation
	facts     advice.Facts
	priced    []money.Currency
}

// see reads a line for whoever may see it. Without a currency it is the shop's
// own, or the first that there is a price in.
func (s *Server) see(ctx context.Context, c *call, id string, in money.Currency) (seenLine, error) {
	owner, err := c.account(id)
	if err != nil {
		return seenLine{}, err
	}
	return db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (f seenLine, err error) {
		if f.situation, err = s.Desk.Situation(ctx, tx, owner, id, "", ""); err != nil {
			return f, err
		}
		cat := f.situation.Catalogue
		if f.priced, err = order.PricedIn(ctx, tx, cat, f.situation.Line.Plan); err != nil {
			return f, err
		}
		f.situation.Currency = currencyOf(in, f.priced, cat)
		if f.situation.Rate, err = order.Rate(ctx, tx, cat, f.situation.Currency); err != nil {
			return f, err
		}
		f.facts, err = advice.FactsOf(ctx, tx, owner, id)
		return f, err
	})
}

func currencyOf(asked money.Currency, priced []money.Currency, c *catalogue.Catalogue) money.Currency {
	switch {
	case asked != "":
		return asked
	case len(priced) == 0 || slices.Contains(priced, c.Seller.BaseCurrency):
		return c.Seller.BaseCurrency
	}
	return priced[0]
}

func (s *Server) getLine(ctx context.Context, c *call, in *OfLine) (Line, error) {
	f, err := s.see(ctx, c, in.Line, "")
	if err != nil {
		return Line{}, err
	}
	l, at := f.situation.Line, placeOf(f.situation.Catalogue, f.situation.Line.Plan)
	if err := line.Refresh(ctx, s.DB, l, c.voice.Now); err != nil {
		return Line{}, err
	}
	out := lineOf(c.voice, f.situation.Catalogue, l)
	out.Periods = []Period{}
	for _, p := range f.situation.Periods {
		out.Periods = append(out.Periods, Period{
			Number: p.Number, Plan: p.Plan, Term: p.Term, State: string(p.StateAt(c.voice.Now)), StartsAt: instant(p.StartsAt), EndsAt: instant(p.EndsAt),
			AllowanceBytes: p.Allowance, Order: p.Order,
		})
	}
	if _, no := renewal.Offers(f.situation); no != nil {
		out.Refusal = refusalOf(c.voice, no, at.loc)
	}
	esim, bought, err := s.esim(ctx, l)
	if err != nil {
		return Line{}, err
	}
	if bought && c.key.may(Renew) {
		out.Install = installOf(esim, l)
	}
	if f.facts.Told >= line.DayOf(c.voice.Now, at.loc) {
		out.Stay = advice.Date(f.facts.Told).String()
	}
	return out, nil
}

func (s *Server) esim(ctx context.Context, l line.Line) (e line.ESIM, bought bool, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		e, bought, err = line.GetESIM(ctx, tx, l.Account, l.ID)
		return err
	})
	if err != nil {
		return e, bought, err
	}
	e, err = e.Opened(s.Desk.Codes)
	return e, bought, err
}

func refusalOf(v ui.Voice, no *renewal.Refusal, loc *time.Location) *Refusal {
	r := v.Refused(no, loc)
	return &Refusal{Rule: string(r.Rule), Why: r.Why, Instead: r.Instead, At: instant(no.At)}
}

func (s *Server) getUsage(ctx context.Context, c *call, in *OfLine) (Usage, error) {
	f, err := s.see(ctx, c, in.Line, "")
	if err != nil {
		return Usage{}, err
	}
	out := Usage{Zone: placeOf(f.situation.Catalogue, f.situation.Line.Plan).loc.String(), Days: []UsageDay{}}
	trip, _ := advice.TripOf(f.situation, f.facts)
	for _, d := range trip.Days {
		out.Days = append(out.Days, UsageDay{d.Date.String(), d.Bytes, d.Capped})
	}
	return out, nil
}

type stayInput struct {
	OfLine
	Body struct {
		LastDay string `json:"lastDay" format:"date" maxLength:"10" doc:"The last day on which it is needed, by the operator's calendar; today at the earliest." example:"2026-03-12"`
	}
}

// Told is until when the customer needs a line.
type Told struct {
	LastDay string `json:"lastDay,omitempty" format:"date" doc:"Absent: they have not said."`
}

func (s *Server) tellStay(ctx context.Context, c *call, in *stayInput) (Told, error) {
	return Told{in.Body.LastDay}, s.keepStay(ctx, c, in.Line, in.Body.LastDay)
}

func (s *Server) forgetStay(ctx context.Context, c *call, in *OfLine) (Told, error) {
	return Told{}, s.keepStay(ctx, c, in.Line, "")
}

func (s *Server) keepStay(ctx context.Context, c *call, id, day string) error {
	owner, err := c.account(id)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		l, err := line.Get(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		cat, err := s.Shelf.Current(ctx, tx)
		if err != nil {
			return err
		}
		last, ok := line.ReadLastDay(day, tx.Now(), placeOf(cat, l.Plan).loc)
		if !ok {
			return errDay()
		}
		return line.TellStay(ctx, tx, owner, id, last)
	})
}

func errDay() error {
	return fault.Because(fault.Invalid, "date_format", "Choose a day from today on, at most two years ahead.", nil)
}

func readDay(text string, c *call, at place) (line.Day, bool) {
	return line.ReadLastDay(text, c.voice.Now, at.loc)
}
