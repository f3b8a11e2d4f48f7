// Package catalogue is what the seller sells and by which rules: operators,
// networks, plans, terms, packs, prices and policies. All of it lives in one
// reviewable file; applying a file makes a new version, and nothing that was
// sold under an older version changes.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package catalogue

import (
	"cmp"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
)

// Catalogue is one version of everything on sale. It is immutable once read;
// whoever holds one may keep it.
type Catalogue struct {
	Version   int64     // 1, 2, 3 …; 0 for a file that has not been applied
	AppliedAt time.Time // zero for a file that has not been applied
	Seller    Seller
	Operators []Operator
	Networks  []Network
	Plans     []Plan
	Roaming   []Roaming
}

// Seller is what the documents and pages say about the company that sells.
type Seller struct {
	Name          string
	Contact       string         // shown where a rule page names a contact
	Zone          calendar.Zone  // the shop's own days: bills, reports
	InvoiceNumber string         // T + 13 digits; empty where the seller is not registered
	Address       string         // on bills
	Taxes         []TaxClass     // the classes that plans name
	Points        PointsRule     // what is earned and spent
	BaseCurrency  money.Currency // for reports
	Exchange      Exchange       // prices in further currencies; the zero value: only those in the price lists
	LeastMargin   Margin         // staff are warned of what leaves less of its price without tax; the zero value: of losses alone
}

// TaxClass is one kind of tax that a plan can be sold under.
type TaxClass struct {
	ID      string // "standard", "export"
	Percent int64  // 10 means 10 %
	Scale   int64  // Percent/Scale hundredths: 1 for whole percents, 10 for 8.5 % written as 85
	Reduced bool   // marked on a bill as a reduced rate
}

// PointsRule says what one completed order earns and what a point is worth.
// Points are earned on what was paid in money, in whole points, rounded down.
type PointsRule struct {
	EarnPer map[money.Currency]int64 // minor units that earn one point
	Worth   map[money.Currency]int64 // minor units that one point pays

	// MostPercent is how much of a price points may pay, 0 to 100; 0: points
	// are collected and pay for nothing.
	MostPercent int64
}

// Earned is how many points an amount of money earns: whole ones, rounded down.
func (r PointsRule) Earned(paid money.Money) int64 {
	per := r.EarnPer[paid.Currency]
	if per <= 0 {
		return 0
	}
	return paid.Minor / per
}

// Spendable is how many of a customer's points may pay for a price, and what they
// pay of it: whole points, never more than the price.
func (r PointsRule) Spendable(has int64, price money.Money) (points int64, discount money.Money) {
	worth := r.Worth[price.Currency]
	if worth <= 0 || has <= 0 {
		return 0, money.Of(0, price.Currency)
	}
	most := price.Minor/100*r.MostPercent + price.Minor%100*r.MostPercent/100 // the product alone may pass int64
	points = min(has, most/worth)
	return points, money.Of(points*worth, price.Currency)
}

// Exchange offers what has no price in a currency at its price in the base
// currency, converted at a published rate that the quote names and fixes. The
// rates are package exchange's.
type Exchange struct {
	To      []money.Currency         // none of them the base currency
	Margin  Margin                   // on top of the rate
	RoundTo map[money.Currency]int64 // converted prices are rounded up to multiples of this, in minor units; absent: one minor unit
	MaxDays int                      // a rate published for an older day is not used
}

// Margin is a part of a price: Percent/Scale hundredths, as in [TaxClass].
type Margin struct{ Percent, Scale int64 }

// Converts reports whether prices may be offered in c that stand in no price
// list.
func (e Exchange) Converts(c money.Currency) bool { return slices.Contains(e.To, c) }

// Operator is a network or wholesale partner that carries lines.
type Operator struct {
	ID      string
	Name    string
	Carrier string        // the adapter that talks to it
	Zone    calendar.Zone // its days begin and end here
	GB      int64         // bytes that it calls a GB: 1<<30 or 1e9
}

// Network is a host network that phones attach to.
type Network struct {
	ID    string
	Name  string
	PLMNs []string // "440-10"
	Bands []string // "B1", "n78"

	Layers Layers // which of the bands carry what; the zero value: nobody has written it down
}

// Layers are a network's bands by what they carry. Within a layer a phone needs
// one of the bands, not all: 26 serves where 18 does.
type Layers struct {
	Main      []string // cities and suburbs all over the country
	Reach     []string // mountains, islands, and deep inside buildings
	ReachMore []string // helps there, and replaces neither
	City      []string // more room in cities
	FiveG     []string
}

// Kind is what an allowance means.
type Kind string

// The kinds of plan.
const (
	Unlimited Kind = "unlimited" // full speed up to DailyCap, then throttled until the reset; DailyCap 0: never throttled
	DailyCap  Kind = "daily_cap" // DailyCap a day, then nothing until the reset
	Volume    Kind = "volume"    // Term.Volume for the whole period, then nothing or throttled
)

// Plan is something on sale.
type Plan struct {
	ID       string
	Operator string // Operator.ID; the first to make new lines, where prices and health are alike
	Network  string // Network.ID
	Name     map[locale.Language]string
	Kind     Kind

	DailyCap      int64         // bytes a day at full speed; 0: none
	ThrottleKbps  int           // speed after the cap or volume; 0: no service then
	Reset         Reset         // when the daily or monthly cap begins anew
	ResetZone     calendar.Zone // empty: the operator's
	Facts         Facts
	Activation    Activation
	Terms         []Term
	Packs         []Pack
	Sources       []Source // further operators that feed lines of the plan
	Policy        Policy
	TaxClass      string // TaxClass.ID
	StockLow      int    // staff are warned when so few eSIMs of a term are left in stock
	OnSale        bool   // false: existing lines keep and renew it where its policy says so, new ones cannot be bought
	RulesDate     string // YYYY-MM-DD of the rules' last check, shown on the plan's page
	RulesSource   string // where the rules were read
	RoamingAdvice bool   // compare with roaming
}

// Reset is when a cap begins anew.
type Reset string

// The resets.
const (
	ResetNone     Reset = "none"     // a volume plan
	ResetMidnight Reset = "midnight" // 00:00 in the reset zone
	ResetRolling  Reset = "rolling"  // every 24 hours from the period's start
	ResetMonthly  Reset = "monthly"  // 00:00 on the first of the month in the reset zone
)

// Facts are what people ask before they buy.
type Facts struct {
	Tethering   bool
	PhoneNumber bool
	SMS         bool
	FiveG       bool
	AddressIn   string // ISO 3166 code of where the internet address appears to be
	Reinstall   bool   // the profile can be installed again
	ESIM        bool
	PhysicalSIM bool
}

// Activation is when a new line's clock starts.
type Activation struct {
	Start    string          // "install", "first_use" or "purchase"
	Deadline calendar.Length // install or use by; N 0: none
	ByItself bool            // the clock starts by itself at the deadline
}

// Term is more time: how long one purchase lasts and what it costs.
type Term struct {
	ID          string
	Length      calendar.Length
	ToDayEnd    bool   // a 24h length that is usable to the end of its last day
	Volume      int64  // bytes for the period, for kind Volume; 0 otherwise
	Package     string // the operator's code
	NewPackage  string // its code where the term comes with a new eSIM that the operator makes; empty: it is not sold so
	FromStock   bool   // the term comes with a new eSIM from the seller's stock
	PackageDays int    // days asked of a per-day package; 0: the package has its own length
	Prices      []money.Money

	// Cost is what the operator charges for Package, of all PackageDays, and NewCost
	// for NewPackage; the zero value: it is not written down. For staff alone.
	Cost, NewCost money.Money
}

// Until is how long a pack's data or speed lasts.
type Until string

// How long a pack lasts.
const (
	RestOfPeriod Until = "rest_of_period"
	UntilReset   Until = "until_reset"
	UntilDayEnd  Until = "until_2359"
)

// Pack is more data or full speed within the current period, no more time.
type Pack struct {
	ID        string
	Volume    int64 // bytes; 0 with FullSpeed
	FullSpeed bool
	Until     Until
	EachDay   bool // one is needed for every remaining day of the period (the operator takes 1 or all)
	Package   string
	Prices    []money.Money
	Cost      money.Money // as of a term; with EachDay, of one day
}

// Roaming is what a home operator charges for a day in the destination.
type Roaming struct {
	Home       string                     // "China Telecom"
	Names      map[locale.Language]string // in the languages in which it has another one
	Country    string                     // ISO 3166 of the home operator
	PerDay     money.Money
	AsOf       string // YYYY, YYYY-MM or YYYY-MM-DD
	Source     string
	Confidence string // A to K, as in the source table; only A and B are shown
}

// HomeIn is the home operator's name in l, or in the language that readers of l know
// best among those given.
func (r Roaming) HomeIn(l locale.Language) string { return cmp.Or(NameIn(r.Names, l), r.Home) }

// Homes are the operators at home of which there is a figure, reliable or not, each once, by
// the first of its figures.
func (c *Catalogue) Homes() (first []Roaming) {
	for _, r := range c.Roaming {
		if !slices.ContainsFunc(first, func(f Roaming) bool { return f.Home == r.Home }) {
			first = append(first, r)
		}
	}
	return first
}

// Plan returns the plan with that ID.
func (c *Catalogue) Plan(id string) (Plan, bool) {
	for _, p := range c.Plans {
		if p.ID == id {
			return p, true
		}
	}
	return Plan{}, false
}

// Sold are the currencies in which the shop sells something: those of the price lists, and
// those that prices are converted to.
func (c *Catalogue) Sold() (all []money.Currency) {
	for _, p := range c.Plans {
		for _, t := range p.Terms {
			for _, m := range t.Prices {
				all = append(all, m.Currency)
			}
		}
		for _, k := range p.Packs {
			for _, m := range k.Prices {
				all = append(all, m.Currency)
			}
		}
	}
	all = append(all, c.Seller.Exchange.To...)
	slices.Sort(all)
	return slices.Compact(all)
}

// AsksIdentity reports whether a plan's policy, or that of one to which its lines can
// change, asks for an identity check; with "" whether any plan's does.
func (c *Catalogue) AsksIdentity(plan string) bool {
	own, _ := c.Plan(plan)
	return slices.ContainsFunc(c.Plans, func(p Plan) bool {
		return p.Policy.Identity && (plan == "" || p.ID == plan || slices.Contains(own.Policy.ChangeTo, p.ID))
	})
}

// Operator returns the operator with that ID.
func (c *Catalogue) Operator(id string) (Operator, bool) {
	for _, o := range c.Operators {
		if o.ID == id {
			return o, true
		}
	}
	return Operator{}, false
}

// Network returns the network with that ID.
func (c *Catalogue) Network(id string) (Network, bool) {
	for _, n := range c.Networks {
		if n.ID == id {
			return n, true
		}
	}
	return Network{}, false
}

// Term returns the plan's term with that ID.
func (p Plan) Term(id string) (Term, bool) {
	for _, t := range p.Terms {
		if t.ID == id {
			return t, true
		}
	}
	return Term{}, false
}

// ComesNew reports whether a term can come with a new eSIM.
func (t Term) ComesNew() bool { return t.NewPackage != "" || t.FromStock }

// Sold are the terms that come with a new eSIM, in the catalogue's order: none
// where the plan is not on sale.
func (p Plan) Sold() []Term {
	var sold []Term
	for _, t := range p.Terms {
		if p.OnSale && p.Facts.ESIM && t.ComesNew() {
			sold = append(sold, t)
		}
	}
	return sold
}

// Pack returns the plan's pack with that ID.
func (p Plan) Pack(id string) (Pack, bool) {
	for _, k := range p.Packs {
		if k.ID == id {
			return k, true
		}
	}
	return Pack{}, false
}
