package advice

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Facts is what the shop knows of one traveller besides the situation of the
// line.
type Facts struct {
	Readings []line.Reading
	Told     line.Day // until when they need the line; 0: they have not said
	Attitude Attitude
}

// FactsOf reads the facts about a line. It fails with [fault.NotFound] for an
// account that does not exist.
func FactsOf(ctx context.Context, tx db.Tx, accountID, lineID string) (f Facts, err error) {
	a, err := account.Get(ctx, tx, accountID)
	if err != nil {
		return f, err
	}
	f.Attitude = Attitude(a.Attitude)
	if f.Told, err = line.Stay(ctx, tx, accountID, lineID); err != nil {
		return f, err
	}
	f.Readings, err = line.Readings(ctx, tx, accountID, lineID)
	return f, err
}

// sameStay is how long a line may be without a period while it is the same stay.
const sameStay = 7 * 24 * time.Hour

// TripOf is the stay that a line is used for, as of s.Now: it began with the
// first of the last periods that follow each other closely. ok is false for a
// line that has not begun, or whose plan the catalogue does not have.
func TripOf(s renewal.Situation, f Facts) (t Trip, ok bool) {
	plan, ok := s.Catalogue.Plan(s.Line.Plan)
	if !ok || s.Line.StartedAt.IsZero() || s.Now.Before(s.Line.StartedAt) {
		return t, false
	}
	op, _ := s.Catalogue.Operator(plan.Operator)
	loc, err := op.Zone.Location()
	if err != nil {
		return t, false
	}
	from := arrival(s)
	t = Trip{
		Segment: Segment{Use: string(plan.Kind)}, // where they come from is nobody's guess: a language is not a passport
		Arrival: DateOf(from, loc), Today: DateOf(s.Now, loc), Told: Date(f.Told),
		MinutesLeft: min(max(int(calendar.NextDay(s.Now, loc).Sub(s.Now)/time.Minute), 1), minutesPerDay),
	}
	t.Arrival = max(t.Arrival, t.Today-MaxTripDays)
	for _, d := range line.PerDay(f.Readings, from, loc) {
		on := Date(d.Day)
		if on < t.Arrival || on > t.Today || d.Bytes > MaxBytesPerDay {
			continue
		}
		day := Day{Date: on, Bytes: d.Bytes, Capped: d.Capped, Minutes: d.Minutes}
		if d.Capped {
			day.Full = min(d.Bytes, serviceOf(plan, 0).DailyCap)
		}
		t.Days = append(t.Days, day)
	}
	t.Purchases = purchases(s, t.Arrival, loc)
	if t.Told < t.Arrival {
		t.Told = 0 // of another stay
	}
	return t, true
}

// purchases are the periods of a stay, as of s.Now. The first period of a line is
// what its traveller came with: nobody is advised on buying a new line.
func purchases(s renewal.Situation, arrival Date, loc *time.Location) (all []Purchase) {
	for _, p := range s.Periods {
		plan, ok := s.Catalogue.Plan(p.Plan)
		from := DateOf(p.StartsAt, loc)
		if !ok || p.State == line.PeriodCancelled || p.CreatedAt.After(s.Now) && p.StartsAt.After(s.Now) || from < arrival {
			continue
		}
		all = append(all, Purchase{
			On: min(DateOf(p.CreatedAt, loc), from), From: from, Days: min(max(calendar.Days(p.StartsAt, p.EndsAt, loc), 1), MaxOfferDays),
			Volume: serviceOf(plan, volumeOf(plan, p)).Volume, Chosen: p.Number == 1,
		})
	}
	slices.SortStableFunc(all, func(a, b Purchase) int { return cmp.Compare(a.From, b.From) })
	return all
}

// arrival is when the stay began.
func arrival(s renewal.Situation) time.Time {
	begin, end := time.Time{}, time.Time{}
	for _, p := range s.Periods {
		if p.State == line.PeriodCancelled || p.StartsAt.After(s.Now) {
			continue
		}
		if begin.IsZero() || p.StartsAt.Sub(end) > sameStay {
			begin = p.StartsAt
		}
		if p.EndsAt.After(end) {
			end = p.EndsAt
		}
	}
	switch {
	case begin.IsZero():
		return s.Line.StartedAt
	case s.Now.Sub(end) > sameStay:
		return s.Now // whoever comes back stays anew
	}
	return begin
}

// finished is what became of a stay whose last period has ended. Whoever used
// the line to its last day may have stayed longer: that teaches only that it was
// no shorter.
func finished(s renewal.Situation, f Facts) (Trip, bool) {
	s.Now = s.Line.EndsAt.Add(-time.Second)
	t, ok := TripOf(s, f)
	if !ok || len(t.Days) == 0 {
		return t, false
	}
	t.MinutesLeft, t.Told = 0, 0
	if f.Told != 0 && Date(f.Told) >= t.Arrival {
		t.Told = Date(f.Told)
	}
	last := t.Arrival
	for i := range t.Days {
		if t.Days[i].Bytes >= activeBytes {
			last = t.Days[i].Date
		}
	}
	if last < t.Today {
		t.End, t.Today = last, last
		for n := len(t.Days); n > 0 && t.Days[n-1].Date > last; n-- {
			t.Days = t.Days[:n-1]
		}
	}
	return t, true
}

// QuestionOf asks about a line: what is paid for, what was used, what they
// usually buy. items are those that the tables know.
func QuestionOf(s renewal.Situation, f Facts, items []renewal.Item) (q Question, ok bool) {
	q = Question{State: StateOf(s), Attitude: f.Attitude}
	if q.Trip, ok = TripOf(s, f); !ok {
		return q, false
	}
	if plan, _ := s.Catalogue.Plan(s.Line.Plan); plan.Kind == catalogue.Volume && q.State.Running.Days > 0 && q.State.Running.Volume == 0 {
		return q, false // a volume of which nobody knows how much it is
	}
	for _, p := range s.Periods {
		if p.State == line.PeriodCancelled {
			continue
		}
		for i, item := range items {
			if item == (renewal.Item{Kind: renewal.Term, Plan: p.Plan, ID: p.Term}) {
				q.Usual = i + 1
			}
		}
	}
	return q, true
}

// Allowance is how many bytes the line can still use: what is left of the volume
// that runs, and what waits. ok is false where there is no such limit.
func Allowance(c *catalogue.Catalogue, s renewal.Situation) (bytes int64, ok bool) {
	plan, _ := c.Plan(s.Line.Plan)
	if plan.Kind != catalogue.Volume {
		return 0, false
	}
	state, u := StateOf(s), s.Line.Usage
	switch {
	case state.Running.Days < 1:
		return 0, false
	case state.Running.Volume == 0 && (u.Total == 0 || u.Unlimited):
		return 0, false
	case state.Running.Volume == 0:
		return u.Left(), true // the operator knows it better than the period's row
	}
	bytes = max(state.Running.Bytes, 0)
	for _, w := range state.Waiting {
		bytes += w.Volume
	}
	return bytes, true
}
