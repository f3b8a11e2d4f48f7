package intake

import (
	"context"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/stock"
)

var lines = Kind{
	Name: "lines", Says: "lines that customers have, with the period that runs or ran last; they can be renewed at once",
	Columns: []Column{
		email, like(iccid, "8981100000000000036"), like(profile, "OP-4713"), plan,
		{"starts", true, "when the period began: a day, or an instant", "2026-03-01"},
		{"ends", true, "its last day, or the instant at which it ends", "2026-03-10"},
		{"term", false, "the id of the plan's term that was sold", "10d"},
		{"allowance", false, "data of the whole period, where the plan has an end of it: 5 GB", ""},
		{"used", false, "data used so far: 1.2 GB", "1.2 GB"},
		{"as_of", false, "when that was measured; empty: now", ""},
		{"name", false, "what the customer calls it", "Phone"},
		operator, like(msisdn, ""),
	},
	read: readLine, compare: compareLines,
}

// known is a line that a customer has, and the period of it that we are told of.
type known struct {
	email  string
	line   line.Line
	term   string
	plan   catalogue.Plan
	op     catalogue.Operator
	asOf   time.Time // zero: now, where anything was used
	told   bool      // of figures
	volume int64     // bytes of the period; 0: unlimited
}

func (k known) keys() []string {
	keys := []string{"iccid " + k.line.ICCID}
	if k.line.ProfileID != "" {
		keys = append(keys, "operator_id "+k.line.Operator+" "+k.line.ProfileID)
	}
	return keys
}

func readLine(d *Desk, r *record) entry {
	s := d.sold(r, false)
	k := known{plan: s.plan, op: s.operator, term: s.term.ID}
	var err error
	k.email, err = account.Normalise(r.cell("email"))
	r.fails("email", err)
	now := d.Orders.DB.Now()
	starts, ends := r.moment(now, "starts", s.zone, false), r.moment(now, "ends", s.zone, true)
	if !starts.IsZero() && !ends.IsZero() && !ends.After(starts) {
		r.wrong("ends", "The period ends before it begins. Correct one of the two.")
	}
	k.asOf = r.moment(now, "as_of", s.zone, false)
	if k.asOf.After(now) {
		r.wrong("as_of", "Nothing was measured in the future.")
	}
	if starts.After(now) {
		r.wrong("starts", "This period has not begun. Import the line when it has, or the one that runs now.")
	}
	total, used := r.data("allowance", s.operator.GB), r.data("used", s.operator.GB)
	if s.plan.Kind == catalogue.Volume && total == 0 {
		r.wrong("allowance", "Plan %q has an end of data. Say how much the period has in all.", s.plan.ID)
	}
	k.told = r.cell("used") != ""
	volume := total
	if s.plan.Kind != catalogue.Volume {
		total, volume = s.plan.DailyCap, 0 // of a day
	}
	if len(r.mistakes) > 0 {
		return k
	}
	k.line = line.Line{
		Operator: s.operator.ID, Plan: s.plan.ID, ProfileID: r.cell("operator_id"), ICCID: r.iccid(), MSISDN: r.number("msisdn"), Name: r.cell("name"),
		State: line.Active, Anchor: calendar.Anchor(starts, s.zone), StartedAt: starts, EndsAt: ends,
		GraceEnds: renewal.GraceEnd(s.plan, ends, s.zone), Periods: 1,
		Usage: line.Usage{Unlimited: s.plan.Kind != catalogue.Volume, Total: total, Used: used},
	}
	k.volume = volume
	if len(k.line.Name) > mostReference {
		r.wrong("name", "This is too long. Use at most %d characters.", mostReference)
	}
	return k
}

func compareLines(ctx context.Context, tx db.Tx, d *Desk, set []entry, b *db.Batch) ([]fate, error) {
	owners, err := owners(ctx, tx, set, func(e entry) string { return e.(known).email })
	if err != nil {
		return nil, err
	}
	iccids := make([]string, len(set))
	profiles := map[string][]string{}
	for i, e := range set {
		l := e.(known).line
		iccids[i] = l.ICCID
		if l.ProfileID != "" {
			profiles[l.Operator] = append(profiles[l.Operator], l.ProfileID)
		}
	}
	have, err := takenLines(ctx, tx, iccids, profiles)
	if err != nil {
		return nil, err
	}
	shelf, err := stock.Several(ctx, tx, iccids)
	if err != nil {
		return nil, err
	}
	first, err := firstPeriods(ctx, tx, have)
	if err != nil {
		return nil, err
	}
	fates := make([]fate, len(set))
	var members []*db.Batch
	for i, e := range set {
		k := e.(known)
		owner, known := owners[k.email]
		if !known {
			fates[i] = unknown(k.email)
			continue
		}
		if at, there := have.iccids[k.line.ICCID]; there {
			fates[i] = k.sameAs(owner.Account, at, first[line.Ref{Account: at.Account, ID: at.ID}])
			continue
		}
		if have.have(k.line.Operator, k.line.ProfileID, k.line.ICCID) {
			fates[i] = fate{column: "operator_id", wrong: "Another line has this identifier of the operator's. Correct it."}
			continue
		}
		if s := shelf[k.line.ICCID].State; s == stock.Free || s == stock.Reserved {
			fates[i] = fate{column: "iccid", wrong: "This SIM is in stock, and nobody's. Give it to its customer (tsuzuku line claim), or withdraw its batch."}
			continue
		}
		m := &db.Batch{}
		if err := d.addLine(m, tx, owner.Account, k); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	b.Join(members...)
	return fates, nil
}

// firstPeriods reads the first period of each line that is there, by line.
func firstPeriods(ctx context.Context, tx db.Tx, have taken) (map[line.Ref]line.Period, error) {
	refs := make([]line.Ref, 0, len(have.iccids))
	for _, e := range have.iccids {
		refs = append(refs, line.Ref{Account: e.Account, ID: e.ID})
	}
	all, err := line.Several(ctx, tx, refs)
	first := make(map[line.Ref]line.Period, len(all))
	for ref, k := range all {
		if len(k.Periods) > 0 && k.Periods[0].Number == 1 {
			first[ref] = k.Periods[0]
		}
	}
	return first, err
}

// sameAs says whether a line is the one that is there. What happened to it since it
// was imported does not matter.
func (k known) sameAs(owner string, at db.Entry, p line.Period) fate {
	switch {
	case at.Account != owner:
		return fate{column: "iccid", wrong: "This line is another customer's. Correct the address, or ask yourself who has the card."}
	case !p.StartsAt.IsZero() && (!p.StartsAt.Equal(k.line.StartedAt) || p.Plan != k.line.Plan):
		return fate{column: "starts", wrong: "This line is there, with plan " + p.Plan + " and a first period from " + p.StartsAt.Format(time.RFC3339) +
			". An import changes no line: remove the row."}
	}
	return fate{there: true}
}

// addLine appends a line with its period, and the reminders of its end.
func (d *Desk) addLine(b *db.Batch, tx db.Tx, owner string, k known) error {
	l, now := k.line, tx.Now()
	l.Account, l.ID = owner, d.Orders.IDs.Under("ln", owner)
	if k.told {
		if l.Usage.AsOf = k.asOf; k.asOf.IsZero() {
			l.Usage.AsOf = now
		}
	}
	line.AddKnown(b, l, now)
	state := line.PeriodActive
	if !l.EndsAt.After(now) {
		state = line.PeriodEnded
	}
	line.AddPeriod(b, line.Period{
		Account: owner, Line: l.ID, Number: 1, Plan: l.Plan, Term: k.term, Effect: string(catalogue.Append),
		StartsAt: l.StartedAt, EndsAt: l.EndsAt, Allowance: k.volume, State: state,
	}, now)
	if err := d.Orders.AddReminders(b, tx, k.plan, k.op, l); err != nil {
		return err
	}
	return order.AddTrail(b, tx, d.Orders.IDs, owner, d.act(), "import line", l.ID)
}
