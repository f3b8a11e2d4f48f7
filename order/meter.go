package order

import (
	"context"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Metering is what became of a gateway's report.
type Metering string

// What can become of a report. In each case it need not come again.
const (
	MeterCounted   Metering = "counted"
	MeterKnown     Metering = "known"        // it says nothing that is not known
	MeterFell      Metering = "fell"         // its counters are lower than before; the figures stay, with their time
	MeterAbsurd    Metering = "absurd"       // more than a line can use
	MeterOld       Metering = "too_old"      // of a time of which nothing is kept
	MeterNoLine    Metering = "unknown_line" // nobody here has that card
	MeterElsewhere Metering = "other_operator"
)

// oldestReport is how late a gateway's report may come.
const oldestReport = 365 * day

// Meter takes what a gateway counted of the card with a number: the session is kept,
// and the figures of its line are made anew from all that is known. Reports may come
// late, twice and in any order. A line whose service begins with its first use begins.
// An error means that nothing was stored, and that the report must come again.
func (d *Desk) Meter(ctx context.Context, n line.CardNumber, c line.Count) (became Metering, err error) {
	switch {
	case !c.Plausible():
		return MeterAbsurd, nil
	case d.DB.Now().Sub(c.At) > oldestReport:
		return MeterOld, nil
	}
	err = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		l, err := line.ByNumber(ctx, tx, n)
		if fault.KindOf(err) == fault.NotFound {
			became = MeterNoLine
			return nil
		}
		if err != nil {
			return err
		}
		if !d.Meters[l.Operator] {
			became = MeterElsewhere
			return nil
		}
		if l, err = d.usedFirst(ctx, tx, l, c); err != nil {
			return err
		}
		became, err = d.meter(ctx, tx, l, c)
		return err
	})
	return became, err
}

// usedFirst lets the first period of a bought line begin that begins with its first
// use: whoever is connected uses it.
func (d *Desk) usedFirst(ctx context.Context, tx db.Tx, l line.Line, c line.Count) (line.Line, error) {
	if !l.StartedAt.IsZero() || l.State == line.Terminal || l.State == line.Recycled {
		return l, nil
	}
	e, bought, err := line.GetESIM(ctx, tx, l.Account, l.ID)
	if err != nil || !bought {
		return l, err
	}
	cat, err := d.Shelf.At(ctx, tx, e.Catalogue)
	if err != nil {
		return l, err
	}
	if plan, _ := cat.Plan(e.Plan); plan.Activation.Start != atFirstUse {
		return l, nil
	}
	if err := d.begun(ctx, tx, l, e, carrier.Status{State: carrier.LineActive, StartsAt: c.At.Add(-c.Lasted)}); err != nil {
		return l, err
	}
	return line.Get(ctx, tx, l.Account, l.ID)
}

// atFirstUse is the [catalogue.Activation.Start] of a line whose clock starts when it
// is used.
const atFirstUse = "first_use"

// meter keeps a report of a line, and makes its figures anew.
func (d *Desk) meter(ctx context.Context, tx db.Tx, l line.Line, c line.Count) (Metering, error) {
	m, err := d.metersOf(ctx, tx, l)
	if err != nil {
		return "", err
	}
	sessions, err := line.SessionsOf(ctx, tx, l.Account, l.ID, c.Gateway, c.Session)
	if err != nil {
		return "", err
	}
	s, fell := line.Counted(sessions, c, m, tx.Now())
	var was line.Session
	if i := slices.IndexFunc(sessions, func(x line.Session) bool { return x.Number == s.Number }); i >= 0 {
		was = sessions[i]
	}
	if was.Number != 0 && s.Says(was) {
		if fell {
			return MeterFell, nil
		}
		return MeterKnown, nil
	}
	var b db.Batch
	if was.Number == 0 {
		line.ForgetSessions(&b, l.Account, l.ID, tx.Now())
	}
	line.PutSession(&b, l.Account, l.ID, was, s)
	if err := tx.Batch(ctx, &b); err != nil {
		return "", err
	}
	u, err := m.figures(ctx, tx, s.Changed(was))
	if err != nil {
		return "", err
	}
	if err := d.remindUsage(ctx, tx, l, u); err != nil {
		return "", err
	}
	if fell {
		return MeterFell, nil
	}
	return MeterCounted, nil
}

// meters is a line with what its figures are made by.
type meters struct {
	line    line.Line
	periods []line.Period // without those that were cancelled, oldest first
	base    line.Usage    // what was said of it before; zero: nothing
	cat     *catalogue.Catalogue
	plan    catalogue.Plan
	loc     *time.Location // the operator's
}

func (d *Desk) metersOf(ctx context.Context, tx db.Tx, l line.Line) (m meters, err error) {
	m.line = l
	if m.cat, err = d.Shelf.Current(ctx, tx); err != nil {
		return m, err
	}
	m.plan, _ = m.cat.Plan(l.Plan)
	op, _ := m.cat.Operator(l.Operator)
	if m.loc, err = op.Zone.Location(); err != nil {
		return m, err
	}
	if m.base, err = line.MeterBase(ctx, tx, l); err != nil {
		return m, err
	}
	m.periods, err = line.Periods(ctx, tx, l.Account, l.ID)
	m.periods = slices.DeleteFunc(m.periods, func(p line.Period) bool { return p.State == line.PeriodCancelled })
	return m, err
}

// Begin implements [line.Cuts]: a stretch begins with the operator's day, with a
// period, with our counting, and when a cap begins anew.
func (m meters) Begin(t time.Time) time.Time {
	from := calendar.StartOfDay(t, m.loc)
	later := func(at time.Time) {
		if !at.After(t) && at.After(from) {
			from = at
		}
	}
	later(m.base.AsOf)
	later(renewal.LastReset(m.plan, m.line, t, m.loc))
	for i := range m.periods {
		later(m.periods[i].StartsAt)
	}
	return from
}

// Next implements [line.Cuts].
func (m meters) Next(t time.Time) time.Time {
	next := calendar.NextDay(t, m.loc)
	sooner := func(at time.Time) {
		if at.After(t) && at.Before(next) {
			next = at
		}
	}
	sooner(m.base.AsOf)
	sooner(renewal.NextReset(m.plan, m.line, t, m.loc))
	for i := range m.periods {
		sooner(m.periods[i].StartsAt)
	}
	return next
}

// figures makes the figures of the line anew after what was used changed from an
// instant on. They are the zero Usage where no period runs.
func (m meters) figures(ctx context.Context, tx db.Tx, changed time.Time) (line.Usage, error) {
	from := calendar.StartOfDay(changed, m.loc)
	since, _, runs := m.data(tx.Now())
	read := from
	if runs && since.Before(read) {
		read = since
	}
	if yesterday := calendar.StartOfDay(m.line.Usage.AsOf, m.loc); yesterday.Before(read) && from.Sub(yesterday) <= 2*day {
		read = yesterday
	}
	used, err := line.Meter(ctx, tx, m.line.Account, m.line.ID, read)
	if err != nil {
		return line.Usage{}, err
	}
	var b db.Batch
	u, ok := m.usage(used, tx.Now())
	if ok {
		line.SetUsage(&b, m.line.Account, m.line.ID, u, tx.Now())
	}
	slow := ok && u.Total > 0 && u.Used >= u.Total
	m.days(&b, used, from, slow)
	return u, tx.Batch(ctx, &b)
}

// days writes what was used on the days from an instant on that have figures, and
// closes the one before, which nothing is added to any more.
func (m meters) days(b *db.Batch, used line.Metered, from time.Time, slow bool) {
	last := calendar.StartOfDay(used.AsOf, m.loc)
	seen := map[int64]bool{}
	for at := range used.Since {
		begins := calendar.StartOfDay(at, m.loc)
		if seen[begins.Unix()] || begins.Before(from) && !begins.Equal(calendar.StartOfDay(m.line.Usage.AsOf, m.loc)) {
			continue
		}
		seen[begins.Unix()] = true
		ends := calendar.NextDay(begins, m.loc)
		asOf := ends.Add(-time.Microsecond)
		if used.AsOf.Before(asOf) {
			asOf = used.AsOf
		}
		if asOf.Before(begins) {
			asOf = begins
		}
		line.SetDay(b, m.line.Account, m.line.ID, line.DayOf(begins, m.loc), used.Used(begins, ends), asOf, slow && !begins.Before(last))
	}
}

// usage is how the line stands. ok is false where no period runs.
func (m meters) usage(used line.Metered, now time.Time) (u line.Usage, ok bool) {
	since, total, runs := m.data(now)
	if !runs {
		return u, false
	}
	u = line.Usage{Unlimited: m.plan.Kind != catalogue.Volume, Total: total, AsOf: used.AsOf}
	if u.Unlimited {
		u.Total = m.plan.DailyCap
		if reset := renewal.LastReset(m.plan, m.line, now, m.loc); reset.After(since) {
			since = reset
		}
	}
	if u.AsOf.Before(since) {
		u.AsOf = since // until then nothing was used of this
	}
	if !m.base.AsOf.Before(since) && !m.base.AsOf.IsZero() {
		since, u.Used = m.base.AsOf, m.base.Used
		if u.Total == 0 && !u.Unlimited {
			u.Total = m.base.Total
		}
		if u.AsOf.Before(since) {
			u.AsOf = since
		}
	}
	u.Used += used.Used(since, now.Add(time.Microsecond))
	u.Throttled = m.plan.ThrottleKbps > 0 && u.Empty() || u.Unlimited && m.plan.ThrottleKbps > 0 && u.Total > 0 && u.Used >= u.Total
	return u, true
}

// data is what the line uses now: since when, and how much it has in all. A period
// whose data was added to that of the one before is one with it, as
// [allowance] says; of those that run side by side it has all.
func (m meters) data(at time.Time) (since time.Time, total int64, runs bool) {
	type heap struct {
		since, ends time.Time
		bytes       int64
	}
	var heaps []heap
	for _, p := range m.periods {
		plan, _ := m.cat.Plan(p.Plan)
		bytes := p.Allowance
		if term, _ := plan.Term(p.Term); bytes == 0 {
			bytes = term.Volume
		}
		carried := p.Effect == string(catalogue.Append) && plan.Policy.Data == catalogue.DataCarried && p.StartsAt.After(p.CreatedAt)
		if n := len(heaps); carried && n > 0 && !p.StartsAt.After(heaps[n-1].ends) {
			heaps[n-1].bytes += bytes
			heaps[n-1].ends = p.EndsAt
			continue
		}
		heaps = append(heaps, heap{p.StartsAt, p.EndsAt, bytes})
	}
	for _, h := range heaps {
		if at.Before(h.since) || !at.Before(h.ends) {
			continue
		}
		if !runs || h.since.Before(since) {
			since = h.since
		}
		total += h.bytes
		runs = true
	}
	return since, total, runs
}
