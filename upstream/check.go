package upstream

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/exchange"
	"github.com/tsuzuku/tsuzuku/money"
)

// Severity is what a finding asks for.
type Severity string

// The severities.
const (
	Bad  Severity = "error"   // it cannot be sold, or is sold at a loss, or nobody knows
	Warn Severity = "warning" // somebody should look
	Note Severity = "note"    // what was not compared, and why
)

// Kind is what was found. The values are stored; do not rename.
type Kind string

// The kinds of finding.
const (
	Withdrawn    Kind = "withdrawn"     // the operator does not sell the package
	Dearer       Kind = "dearer"        // it costs more than the catalogue says
	Cheaper      Kind = "cheaper"       // it costs less
	OtherMoney   Kind = "other_money"   // it costs another currency than the catalogue says
	Loss         Kind = "loss"          // its cost is more than its price without tax
	ThinMargin   Kind = "thin_margin"   // what it leaves is below the seller's least margin
	NoRate       Kind = "no_rate"       // the cost cannot be compared with the price
	Uncompared   Kind = "not_compared"  // the operator has no list, or is not configured here
	Unanswered   Kind = "no_answer"     // the operator did not answer
	NoCostKnown  Kind = "no_cost"       // neither the operator nor the catalogue says what it costs
	NoCostStated Kind = "cost_unstated" // the catalogue does not say, so that a change is not noticed
)

// Use is what a package is ordered for.
type Use string

// The uses.
const (
	ForLine    Use = "line"     // a term on a line that exists
	ForNewLine Use = "new_line" // a term with a new eSIM
	ForPack    Use = "pack"
)

// Item is one thing on sale and the package that is ordered for it.
type Item struct {
	Plan    string `json:"plan"`
	ID      string `json:"item"` // of the term or pack
	For     Use    `json:"for"`
	Carrier string `json:"carrier"`
	Package string `json:"package"`
	OnSale  bool   `json:"on_sale"` // anybody can buy it; false: only lines that have the plan

	days   int // asked of a per-day package
	cost   money.Money
	prices []money.Money
	tax    catalogue.TaxClass
}

// String names an item for staff.
func (i Item) String() string {
	switch i.For {
	case ForPack:
		return fmt.Sprintf("plan %s, pack %s (%s)", i.Plan, i.ID, i.Package)
	case ForNewLine:
		return fmt.Sprintf("plan %s, term %s with a new eSIM (%s)", i.Plan, i.ID, i.Package)
	case ForLine:
	}
	return fmt.Sprintf("plan %s, term %s (%s)", i.Plan, i.ID, i.Package)
}

// Finding is one thing that staff should know.
type Finding struct {
	Severity Severity `json:"severity"`
	Kind     Kind     `json:"kind"`
	Item     *Item    `json:"item,omitempty"`
	Carrier  string   `json:"carrier,omitempty"`
	Text     string   `json:"text"` // a sentence
}

// Margin is what one item leaves of one of its prices, before fees, points and
// discounts.
type Margin struct {
	Item        Item        `json:"item"`
	Price       money.Money `json:"price"`
	Net         money.Money `json:"net"`    // without tax, rounded half up
	Cost        money.Money `json:"cost"`   // in the price's currency, rounded half up
	Margin      money.Money `json:"margin"` // rounded down
	BasisPoints int64       `json:"basis_points"`
	From        string      `json:"from"` // where the cost was read: "operator" or "catalogue"
	Rate        string      `json:"rate,omitempty"`
}

// Report is a catalogue compared with what operators sell.
type Report struct {
	Findings []Finding `json:"findings"`
	Margins  []Margin  `json:"margins"`
}

// Count is how many findings have a severity.
func (r Report) Count(s Severity) (n int) {
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Rates are what costs are converted with.
type Rates struct {
	Sheet exchange.Sheet // the zero value: none were imported
	Now   time.Time
}

// mostDays is how old a rate may be where the seller sets nothing: the European
// Central Bank rests for five days at Easter.
const mostDays = 14

// comparison is a check under way.
type comparison struct {
	cat      *catalogue.Catalogue
	listings map[string]Answer[[]carrier.Package]
	rates    Rates
	report   Report
	said     map[string]bool // findings that concern many items, once
}

// Check compares every plan, term, new eSIM and pack with what operators sell. An
// operator that is in no listing is one that is not configured.
func Check(cat *catalogue.Catalogue, listings []Answer[[]carrier.Package], rates Rates) Report {
	c := &comparison{cat: cat, listings: map[string]Answer[[]carrier.Package]{}, rates: rates, said: map[string]bool{}}
	for _, l := range listings {
		c.listings[l.Carrier] = l
	}
	for _, i := range Items(cat) {
		c.item(i)
	}
	order := []Severity{Bad, Warn, Note}
	slices.SortStableFunc(c.report.Findings, func(a, b Finding) int { return slices.Index(order, a.Severity) - slices.Index(order, b.Severity) })
	return c.report
}

// Items are everything for which a package can be ordered: terms of plans that can be
// renewed or changed to, those that come with a new eSIM, and packs.
func Items(cat *catalogue.Catalogue) []Item {
	changedTo := map[string]bool{}
	for _, p := range cat.Plans {
		for _, id := range p.Policy.ChangeTo {
			changedTo[id] = true
		}
	}
	var out []Item
	for _, p := range fed(cat) {
		op, _ := cat.Operator(p.Operator)
		base := Item{Plan: p.ID, Carrier: op.Carrier, OnSale: p.OnSale}
		if i := slices.IndexFunc(cat.Seller.Taxes, func(t catalogue.TaxClass) bool { return t.ID == p.TaxClass }); i >= 0 {
			base.tax = cat.Seller.Taxes[i]
		}
		for _, t := range p.Terms {
			i := base
			i.ID, i.prices, i.days = t.ID, t.Prices, t.PackageDays
			if p.Policy.Renewable || p.OnSale && changedTo[p.ID] {
				i.For, i.Package, i.cost = ForLine, t.Package, t.Cost
				out = append(out, i)
			}
			if p.OnSale && t.NewPackage != "" {
				i.For, i.Package, i.cost = ForNewLine, t.NewPackage, t.NewCost
				out = append(out, i)
			}
		}
		for _, k := range p.Packs {
			i := base
			i.ID, i.For, i.Package, i.cost, i.prices = k.ID, ForPack, k.Package, k.Cost, k.Prices
			out = append(out, i)
		}
	}
	return out
}

// fed are all plans, as each of their operators feeds them.
func fed(cat *catalogue.Catalogue) (all []catalogue.Plan) {
	for _, p := range cat.Plans {
		for _, op := range p.Operators() {
			from, _ := p.From(op)
			all = append(all, from)
		}
	}
	return all
}

func (c *comparison) find(s Severity, k Kind, i Item, text string, args ...any) {
	text = fmt.Sprintf(text, args...)
	text = strings.ToUpper(text[:1]) + text[1:]
	c.report.Findings = append(c.report.Findings, Finding{Severity: s, Kind: k, Item: &i, Carrier: i.Carrier, Text: text})
}

// once finds what concerns all items of an operator, or all prices of a currency.
func (c *comparison) once(s Severity, k Kind, carrier, text string) {
	if !c.said[text] {
		c.said[text] = true
		c.report.Findings = append(c.report.Findings, Finding{Severity: s, Kind: k, Carrier: carrier, Text: text})
	}
}

func (c *comparison) item(i Item) {
	var costs *big.Rat
	var in money.Currency
	from := "catalogue"
	switch l, asked := c.listings[i.Carrier]; {
	case !asked:
		c.once(Note, Uncompared, i.Carrier, fmt.Sprintf("No adapter %q is configured here, so what it sells is not compared.", i.Carrier))
	case l.Untold():
		c.once(Note, Uncompared, i.Carrier, fmt.Sprintf("What %s sells is not compared: %s.", i.Carrier, l.Said()))
	case l.Err != nil:
		c.once(Bad, Unanswered, i.Carrier, fmt.Sprintf("What %s sells is not known: %s.", i.Carrier, l.Said()))
	default:
		p, ok := sold(l.Value, i)
		if !ok {
			c.find(Bad, Withdrawn, i, "%s: the operator does not sell this package.", i)
			return
		}
		costs, in, from = i.of(p), money.Currency(p.Cost.Currency), "operator"
		c.compare(i, costs, in)
	}
	if costs == nil && i.cost != (money.Money{}) {
		costs, in = whole(i.cost), i.cost.Currency
	}
	if costs == nil {
		c.find(Note, NoCostKnown, i, "%s: neither the operator nor the catalogue says what it costs.", i)
		return
	}
	c.margins(i, costs, in, from)
}

// sold finds the package of an item.
func sold(list []carrier.Package, i Item) (carrier.Package, bool) {
	for _, p := range list {
		if (p.Code == i.Package || p.Alias == i.Package) && (p.TopUp && i.For != ForNewLine || p.New && i.For == ForNewLine) {
			return p, true
		}
	}
	return carrier.Package{}, false
}

// of is what a package costs for an item, in whole units of its currency.
func (i Item) of(p carrier.Package) *big.Rat {
	costs := p.Cost.Rat()
	if p.PerDay && i.days > 0 {
		costs.Mul(costs, big.NewRat(int64(i.days), 1))
	}
	return costs
}

// whole is an amount in whole units of its currency.
func whole(m money.Money) *big.Rat {
	return new(big.Rat).SetFrac(big.NewInt(m.Minor), scaleOf(m.Currency))
}

func scaleOf(c money.Currency) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(money.Decimals(c))), nil)
}

// minor is an amount in minor units, a rest rounded up: a catalogue cannot say less.
func minor(r *big.Rat, c money.Currency) money.Money {
	n := new(big.Rat).Mul(r, new(big.Rat).SetInt(scaleOf(c)))
	q, rest := new(big.Int).DivMod(n.Num(), n.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	if !q.IsInt64() {
		return money.Of(money.MaxMinor, c)
	}
	return money.Of(q.Int64(), c)
}

// compare holds what the operator charges against what the catalogue says.
func (c *comparison) compare(i Item, costs *big.Rat, in money.Currency) {
	if in.Validate() != nil {
		c.find(Bad, OtherMoney, i, "%s: the operator charges in %q, which is no currency.", i, string(in))
		return
	}
	now := minor(costs, in)
	switch {
	case i.cost == (money.Money{}):
		c.find(Note, NoCostStated, i, "%s: the catalogue does not say what it costs; now it is %s.", i, shown(now))
	case i.cost.Currency != in:
		c.find(Warn, OtherMoney, i, "%s: costs %s, and the catalogue says %s.", i, shown(now), shown(i.cost))
	case now.Minor > i.cost.Minor:
		c.find(Warn, Dearer, i, "%s: costs %s, and the catalogue says %s.", i, shown(now), shown(i.cost))
	case now.Minor < i.cost.Minor:
		c.find(Warn, Cheaper, i, "%s: costs %s, and the catalogue says %s.", i, shown(now), shown(i.cost))
	}
}

func shown(m money.Money) string { return m.Decimal() + " " + string(m.Currency) }
