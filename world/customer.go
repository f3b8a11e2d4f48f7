package world

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/luhn"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Traveller is the demo customer's address.
const Traveller = "traveller@example.com"

// example is one line of the demo customer: what is said of it is relative to
// the instant at which the demo begins.
type example struct {
	name      string
	plan      string
	term      string
	began     time.Duration // before now
	usedParts int64         // of 100, of the allowance or of today's cap
	throttled bool
	endsIn    time.Duration // 0: as the term says; negative: ended
	queued    bool          // a further period of the same term follows
	state     line.State

	// days are what was used on the days before today, the last of them yesterday:
	// of an unlimited line in 100ths of a day's full speed, else in proportion to
	// what is used now.
	days   []int64
	leaves int // days from today on which the customer leaves; 0: not told
}

const day = 24 * time.Hour

// examples are as many kinds of travellers: each is advised otherwise, and for
// another reason.
var examples = []example{
	{name: "Almost used up", plan: "machi-10gb", term: "10gb-15d", began: 5 * day, usedParts: 97, state: line.Active, days: []int64{13, 19, 17, 22, 18}, leaves: 6},
	{name: "Plenty left", plan: "aurora-sum", term: "5gb-30x24h", began: 12 * day, usedParts: 30, state: line.Active, days: []int64{2, 3, 1, 2, 4, 2, 0, 3, 2, 1, 3, 2}, leaves: 4},
	{name: "Throttled today", plan: "kaigan-2gb", term: "5d", began: 2 * day, usedParts: 100, throttled: true, state: line.Active, days: []int64{83, 100}, leaves: 2},
	{name: "Ends tomorrow", plan: "machi-5gb", term: "7d", began: 6 * day, usedParts: 70, endsIn: 26 * time.Hour, state: line.Active, days: []int64{35, 90, 64, 100, 82, 71}, leaves: 6},
	{name: "A month of studies", plan: "koyomi-3gb", term: "10d", began: 9 * day, usedParts: 25, state: line.Active, days: []int64{31, 44, 22, 58, 39, 41, 27, 63, 35}, leaves: 30},
	{name: "Not sure how long", plan: "ichiba-speed", term: "15d", began: 14 * day, usedParts: 20, state: line.Active, days: []int64{28, 45, 33, 51, 20, 38, 47, 30, 41, 25, 36, 52, 29, 40}},
	{name: "Next one queued", plan: "kaigan-500", term: "5d", began: 3 * day, usedParts: 60, queued: true, state: line.Active, days: []int64{40, 75, 55}, leaves: 5},
	{name: "Just arrived", plan: "hinode-visitor-5", term: "5gb-21d", began: 2 * time.Hour, usedParts: 1, state: line.Active},
	{name: "In grace", plan: "shirakaba-steady", term: "30d", began: 32 * day, usedParts: 30, endsIn: -2 * day, state: line.Grace, days: []int64{4, 9, 6, 0, 12, 7, 8, 3, 6, 9, 5, 8, 2, 6, 7, 5, 9, 4, 6, 8, 3, 7, 6, 5, 9, 8, 6, 4, 7, 5, 0, 0}, leaves: 1},
	{name: "Dead", plan: "sumire-voice", term: "", began: 40 * day, usedParts: 50, endsIn: -9 * day, state: line.Terminal},
	{name: "One beside another", plan: "sorami-side", term: "3gb-30x24h", began: 10 * day, usedParts: 60, state: line.Active, days: []int64{5, 8, 6, 7, 4, 9, 6, 5, 7, 6}, leaves: 12},
	{name: "Bundle after bundle", plan: "hoshi-bundles", term: "3gb-30x24h", began: 20 * day, usedParts: 80, state: line.Active, days: []int64{4, 3, 5, 4, 2, 6, 4, 3, 5, 4, 4, 3, 6, 2, 5, 4, 3, 4, 5, 4}, leaves: 20},
	{name: "More for today", plan: "fuyou-1gb", term: "10d", began: 4 * day, usedParts: 90, state: line.Active, days: []int64{62, 100, 48, 77}, leaves: 6},
}

// guests are those lines that only guests have.
var guests = []example{
	{name: "Cannot be extended", plan: "tsumugi-light", term: "14d", began: 3 * day, usedParts: 40, state: line.Active, days: []int64{40, 30, 50}, leaves: 8},
}

// Guest is a customer who comes to the demo beside its own.
type Guest struct {
	Email    string
	Language locale.Language
	Number   int      // 1 or more, another for each: the numbers of their cards are made of it
	Plans    []string // of their lines, which are those of the demo's customer, and tsumugi-light, which cannot be extended
}

// Settle brings the demo customer to the shop, once, and lets the strangers
// know the customer's lines, which they forget when the demo ends.
func (s *Strangers) Settle(ctx context.Context, d *db.DB, ids *id.Source, cat *catalogue.Catalogue) error {
	s.stock(cat)
	s.stockAiralo(cat)
	s.stockESIMGo(cat)
	s.stockCMI(cat)
	s.stockMore(cat)
	who := account.New{Name: "Demo Traveller", Language: locale.En, Zone: "Asia/Shanghai", Email: Traveller}
	err := settle(ctx, d, ids, cat, who, 0, examples)
	if err != nil && fault.KindOf(err) != fault.Conflict {
		return err
	}
	return s.remember(ctx, d, cat, Traveller)
}

// Receive brings a guest to the shop, once, and lets the strangers know the lines.
func (s *Strangers) Receive(ctx context.Context, d *db.DB, ids *id.Source, cat *catalogue.Catalogue, g Guest) error {
	var lines []example
	for _, e := range slices.Concat(examples, guests) {
		if slices.Contains(g.Plans, e.plan) {
			lines = append(lines, e)
		}
	}
	err := settle(ctx, d, ids, cat, account.New{Language: g.Language, Zone: "Asia/Shanghai", Email: g.Email}, g.Number, lines)
	if err != nil {
		return err
	}
	return s.remember(ctx, d, cat, g.Email)
}

func settle(ctx context.Context, d *db.DB, ids *id.Source, cat *catalogue.Catalogue, who account.New, number int, lines []example) error {
	return d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := account.Create(ctx, tx, ids, who)
		if err != nil {
			return err
		}
		if err := fund(ctx, tx, a.ID); err != nil {
			return err
		}
		for i, e := range lines {
			if err := e.add(ctx, tx, ids, cat, a.ID, number, i); err != nil {
				return fmt.Errorf("demo line %q: %w", e.name, err)
			}
		}
		return nil
	})
}

// fund gives the demo customer something to spend, as an opening balance.
func fund(ctx context.Context, tx db.Tx, account string) error {
	return ledger.Post(ctx, tx, ledger.Posting{Account: account, Subject: "opening", Step: "opening", Transfers: []ledger.Transfer{
		{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(20_000, "JPY")},
		{From: ledger.Opening, To: ledger.Points, Amount: money.Of(350, money.Points)},
	}})
}

func (e example) add(ctx context.Context, tx db.Tx, ids *id.Source, cat *catalogue.Catalogue, account string, guest, n int) error {
	plan, ok := cat.Plan(e.plan)
	if !ok {
		return fmt.Errorf("the catalogue has no plan %s", e.plan)
	}
	op, _ := cat.Operator(plan.Operator)
	loc, err := op.Zone.Location()
	if err != nil {
		return err
	}
	term, ok := plan.Term(cmp.Or(e.term, plan.Terms[0].ID))
	if !ok {
		return fmt.Errorf("plan %s has no term %s", e.plan, e.term)
	}
	now := tx.Now()
	starts := now.Add(-e.began)
	anchor := calendar.Anchor(starts, loc)
	ends := renewal.TermEnd(term, starts, loc, anchor)
	if e.endsIn != 0 {
		ends = calendar.StartOfDay(now.Add(e.endsIn), loc)
	}
	periods := []line.Period{{Number: 1, StartsAt: starts, EndsAt: ends}}
	if e.queued {
		periods = append(periods, line.Period{Number: 2, StartsAt: ends, EndsAt: renewal.TermEnd(term, ends, loc, anchor)})
	}
	last := periods[len(periods)-1].EndsAt
	total := cmp.Or(term.Volume, plan.DailyCap)
	l := line.Line{
		Account: account, ID: ids.Under("ln", account), Operator: op.ID, Plan: plan.ID, Name: e.name, State: e.state,
		ProfileID: fmt.Sprintf("demo-%02d", n+1), ICCID: ownICCID(guest, n),
		Anchor: anchor, StartedAt: starts, EndsAt: last, GraceEnds: renewal.GraceEnd(plan, last, loc), Periods: len(periods), Identity: true,
		Usage: line.Usage{
			Unlimited: plan.Kind != catalogue.Volume, Total: total, Used: total / 100 * e.usedParts,
			Throttled: e.throttled, AsOf: now.Add(-20 * time.Minute),
		},
	}
	if byCard[op.Carrier] || guest > 0 {
		l.ProfileID = l.ICCID
	}
	if err := line.Add(ctx, tx, l); err != nil {
		return err
	}
	var b db.Batch
	for _, p := range periods {
		p.Account, p.Line, p.Plan, p.Term, p.Allowance = account, l.ID, plan.ID, term.ID, term.Volume
		p.Effect, p.State = string(plan.Policy.Effect), p.StateAt(now)
		line.AddPeriod(&b, p, now)
	}
	if err := tx.Batch(ctx, &b); err != nil {
		return err
	}
	return e.remembers(ctx, tx, l, loc)
}

// ownICCID is the number of a demo customer's card: 19 digits, of which the last one checks
// the others.
func ownICCID(guest, n int) string {
	digits := fmt.Sprintf("8981123456%05d%03d", 78_901+guest, 120+n*111)
	return digits + string(rune(luhn.Digit(digits)))
}

// remembers gives a line the history of its days, and the day of departure.
func (e example) remembers(ctx context.Context, tx db.Tx, l line.Line, loc *time.Location) error {
	today := line.DayOf(tx.Now(), loc)
	if e.leaves > 0 {
		if err := line.TellStay(ctx, tx, l.Account, l.ID, today+line.Day(e.leaves)); err != nil {
			return err
		}
	}
	var all, sum int64
	for _, part := range e.days {
		all += part
	}
	for i, part := range e.days {
		end := (today - line.Day(len(e.days)-1-i)).Start(loc).Add(-5 * time.Minute)
		if !end.After(l.StartedAt) || !end.Before(l.Usage.AsOf) {
			continue
		}
		u := l.Usage
		sum += part
		u.AsOf, u.Throttled = end, false
		if u.Unlimited {
			u.Used = u.Total * part / 100
			u.Throttled = e.throttled && part >= 100
		} else {
			u.Used = u.Used * sum * 10 / (all*10 + 1) // a little was used today
		}
		if err := line.NoteDay(ctx, tx, l.Account, l.ID, u, loc); err != nil {
			return err
		}
	}
	if len(e.days) == 0 || l.At(tx.Now()) != line.Active {
		return nil
	}
	return line.NoteDay(ctx, tx, l.Account, l.ID, l.Usage, loc)
}

// remember makes every line of a customer known to its operator.
func (s *Strangers) remember(ctx context.Context, d *db.DB, cat *catalogue.Catalogue, email string) error {
	return d.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := account.ByEmail(ctx, tx, email)
		if err != nil {
			return err
		}
		lines, err := line.List(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		for _, l := range lines {
			op, _ := cat.Operator(l.Operator)
			plan, _ := cat.Plan(l.Plan)
			if s.rememberAt(op.Carrier, l, plan) {
				continue
			}
			state := carrier.LineActive
			switch l.State {
			case line.Terminal:
				state = carrier.LineDead
			case line.New:
				state = carrier.LineNew
			case line.Active, line.Grace, line.Ended, line.Suspended, line.Recycled:
			}
			s.Simple.Set(l.ProfileID, carrier.Status{
				State: state, StartsAt: l.StartedAt, EndsAt: l.EndsAt, Unlimited: l.Usage.Unlimited, Total: l.Usage.Total,
				Used: l.Usage.Used, Throttled: l.Usage.Throttled, AsOf: l.Usage.AsOf,
			})
		}
		return nil
	})
}

// byCard are the operators that know a line by the number of its card.
var byCard = map[string]bool{"airalo": true, "esimgo": true, "cmi": true}

// rememberAt makes a line known to an operator that has a wire.
func (s *Strangers) rememberAt(adapter string, l line.Line, p catalogue.Plan) bool {
	switch adapter {
	case "airalo":
		s.Airalo.remember(l)
	case "esimgo":
		s.ESIMGo.remember(l)
	case "cmi":
		s.CMI.remember(l, p)
	case "esimaccess":
		s.Access.AddProfile(esimaccesssim.Profile{
			TranNo: l.ProfileID, ICCID: l.ICCID, Package: base(l.Plan), ActivatedAt: l.StartedAt, EndsAt: l.EndsAt,
			TotalVolume: l.Usage.Total, TotalDays: 30, Used: l.Usage.Used,
		})
	default:
		return s.rememberMore(adapter, l)
	}
	return true
}

func base(plan string) string { return "BASE_" + plan }

// stock puts what the catalogue buys from eSIM Access into that operator's own
// catalogue, at prices of the operator's: 60 % of ours, in dollars.
func (s *Strangers) stock(cat *catalogue.Catalogue) {
	seen := map[string]bool{}
	for _, p := range cat.Plans {
		op, _ := cat.Operator(p.Operator)
		if op.Carrier != "esimaccess" {
			continue
		}
		s.Access.AddPackage(esimaccesssim.Package{Code: base(p.ID), Name: p.Name[locale.En], Price: 10_000, Volume: 1 << 30, Duration: 30, Location: "JP"})
		for _, t := range p.Sold() {
			if seen[t.NewPackage] {
				continue
			}
			seen[t.NewPackage] = true
			s.Access.AddPackage(ofTerm(t.NewPackage, p, t))
		}
		for _, t := range p.Terms {
			if seen[t.Package] || !strings.HasPrefix(t.Package, "TOPUP_") {
				continue
			}
			seen[t.Package] = true
			s.Access.AddPackage(ofTerm(t.Package, p, t))
		}
	}
}

// ofTerm is a package as the operator sells it.
func ofTerm(code string, p catalogue.Plan, t catalogue.Term) esimaccesssim.Package {
	k := esimaccesssim.Package{Code: code, Name: t.ID, Price: dollars(t.Prices) * 60, Volume: t.Volume, Duration: t.Length.N, Location: "JP"}
	if t.PackageDays > 0 {
		k.DataType, k.Duration, k.Volume = 2, 1, max(p.DailyCap, 1<<30)
	}
	return k
}

// dollars is a price in cents; a cent is 100 of the operator's units.
func dollars(prices []money.Money) int64 {
	for _, m := range prices {
		if m.Currency == "USD" {
			return m.Minor
		}
	}
	return 100
}
