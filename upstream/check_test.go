package upstream

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/exchange"
	"github.com/tsuzuku/tsuzuku/money"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// shop sells one term, at 1100 yen with 10 % tax in them, for which the catalogue says
// a cost of 5 dollars.
func shop(change func(*catalogue.Catalogue, *catalogue.Plan)) *catalogue.Catalogue {
	c := &catalogue.Catalogue{
		Seller:    catalogue.Seller{BaseCurrency: "JPY", Taxes: []catalogue.TaxClass{{ID: "standard", Percent: 10, Scale: 1}}},
		Operators: []catalogue.Operator{{ID: "north", Carrier: "north", Zone: "Asia/Tokyo"}},
	}
	p := catalogue.Plan{
		ID: "p", Operator: "north", TaxClass: "standard", OnSale: true, Policy: catalogue.Policy{Renewable: true},
		Terms: []catalogue.Term{{ID: "7d", Package: "JP7", Prices: []money.Money{money.Of(1100, "JPY")}, Cost: money.Of(500, "USD")}},
	}
	if change != nil {
		change(c, &p)
	}
	c.Plans = []catalogue.Plan{p}
	return c
}

// sells is what the operator answers: one package of that cost in dollars, for lines.
func sells(units, scale int64, change func(*carrier.Package)) []Answer[[]carrier.Package] {
	p := carrier.Package{Code: "JP7", Cost: carrier.Cost{Units: units, Scale: scale, Currency: "USD"}, TopUp: true, AsOfDate: noon}
	if change != nil {
		change(&p)
	}
	return []Answer[[]carrier.Package]{{Carrier: "north", Value: []carrier.Package{{Code: "other", New: true, TopUp: true}, p}, AsOf: noon}}
}

// fresh has 1 EUR = 1.25 USD = 187.5 JPY, so 1 USD = 150 JPY.
func fresh() Rates {
	return Rates{Now: noon, Sheet: exchange.Sheet{Source: "ECB", Base: "EUR", Day: "2026-11-27", Units: map[money.Currency]exchange.Units{
		"USD": {Numerator: 125, Denominator: 100}, "JPY": {Numerator: 1875, Denominator: 10},
	}}}
}

// What is found of one term, in the words of its findings; with a margin where there
// is one.
func TestCheck(t *testing.T) {
	perDay := func(p *carrier.Package) { p.PerDay = true }
	weekly := func(_ *catalogue.Catalogue, p *catalogue.Plan) { p.Terms[0].PackageDays = 7 }
	unstated := func(_ *catalogue.Catalogue, p *catalogue.Plan) { p.Terms[0].Cost = money.Money{} }
	least := func(percent int64) func(*catalogue.Catalogue, *catalogue.Plan) {
		return func(c *catalogue.Catalogue, _ *catalogue.Plan) {
			c.Seller.LeastMargin = catalogue.Margin{Percent: percent, Scale: 1}
		}
	}
	refuses := func(reason carrier.Reason) []Answer[[]carrier.Package] {
		return []Answer[[]carrier.Package]{{Carrier: "north", Err: &carrier.Refusal{Reason: reason, Text: "no list"}}}
	}
	old := fresh()
	old.Now = noon.AddDate(0, 1, 0)
	for _, tt := range []struct {
		name   string
		cat    *catalogue.Catalogue
		sells  []Answer[[]carrier.Package]
		rates  Rates
		want   string
		margin string // of 1000 yen without tax
	}{
		{"as the catalogue says", shop(nil), sells(500, 100, nil), fresh(), "", "250 JPY 25 % operator"},
		{"in another scale", shop(nil), sells(50_000, 10_000, nil), fresh(), "", "250 JPY 25 % operator"},
		{"withdrawn", shop(nil), sells(500, 100, func(p *carrier.Package) { p.Code = "JP8" }), fresh(), "error withdrawn", ""},
		{"by its alias", shop(nil), sells(500, 100, func(p *carrier.Package) { p.Code, p.Alias = "N7", "JP7" }), fresh(), "", "250 JPY 25 % operator"},
		{"for new lines alone", shop(nil), sells(500, 100, func(p *carrier.Package) { p.TopUp, p.New = false, true }), fresh(), "error withdrawn", ""},
		{"dearer", shop(nil), sells(501, 100, nil), fresh(), "warning dearer", "248 JPY 24.85 % operator"},
		{"cheaper", shop(nil), sells(499, 100, nil), fresh(), "warning cheaper", "251 JPY 25.15 % operator"},
		{"a part of a cent dearer", shop(nil), sells(50_001, 10_000, nil), fresh(), "warning dearer", "249 JPY 24.99 % operator"},
		{"a part of a cent cheaper than can be written", shop(nil), sells(49_999, 10_000, nil), fresh(), "", "250 JPY 25 % operator"},
		{"at a loss", shop(nil), sells(667, 100, nil), fresh(), "error loss, warning dearer", "-1 JPY -0.05 % operator"},
		{"for nothing", shop(nil), sells(20, 3, nil), fresh(), "warning dearer", "0 JPY 0 % operator"},
		{"below the least margin", shop(least(26)), sells(500, 100, nil), fresh(), "warning thin_margin", "250 JPY 25 % operator"},
		{"at the least margin", shop(least(25)), sells(500, 100, nil), fresh(), "", "250 JPY 25 % operator"},
		{"by the day", shop(weekly), sells(1, 1, perDay), fresh(), "error loss, warning dearer", "-50 JPY -5 % operator"},
		{"by the day, its own length", shop(nil), sells(5, 1, perDay), fresh(), "", "250 JPY 25 % operator"},
		{"another currency", shop(nil), sells(4, 1, func(p *carrier.Package) { p.Cost.Currency = "EUR" }), fresh(), "warning other_money", "250 JPY 25 % operator"},
		{"no currency", shop(nil), sells(4, 1, func(p *carrier.Package) { p.Cost.Currency = "???" }), fresh(), "error other_money", ""},
		{"no cost stated", shop(unstated), sells(500, 100, nil), fresh(), "note cost_unstated", "250 JPY 25 % operator"},
		{"no rates", shop(nil), sells(500, 100, nil), Rates{Now: noon}, "note no_rate", ""},
		{"old rates", shop(nil), sells(500, 100, nil), old, "note no_rate", ""},
		{"no rate of this currency", shop(nil), sells(5, 1, func(p *carrier.Package) { p.Cost.Currency = "TWD" }), fresh(), "warning other_money, note no_rate", ""},
		{"silence", shop(nil), []Answer[[]carrier.Package]{{Carrier: "north", Err: carrier.ErrNotSent}}, fresh(), "error no_answer", "250 JPY 25 % catalogue"},
		{"credentials refused", shop(nil), refuses(carrier.Unauthorised), fresh(), "error no_answer", "250 JPY 25 % catalogue"},
		{"no list", shop(nil), refuses(carrier.OperatorRefuses), fresh(), "note not_compared", "250 JPY 25 % catalogue"},
		{"not configured", shop(nil), nil, fresh(), "note not_compared", "250 JPY 25 % catalogue"},
		{"nobody knows", shop(unstated), nil, fresh(), "note not_compared, note no_cost", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := Check(tt.cat, tt.sells, tt.rates)
			var found, margins []string
			for _, f := range r.Findings {
				found = append(found, fmt.Sprintf("%s %s", f.Severity, f.Kind))
				if !strings.HasSuffix(f.Text, ".") || strings.Contains(f.Text, "%!") {
					t.Errorf("not a sentence: %q", f.Text)
				}
			}
			for _, m := range r.Margins {
				margins = append(margins, fmt.Sprintf("%d %s %s %s", m.Margin.Minor, m.Margin.Currency, Percent(m.BasisPoints), m.From))
			}
			if got := strings.Join(found, ", "); got != tt.want {
				t.Errorf("found %q, want %q: %+v", got, tt.want, r.Findings)
			}
			if got := strings.Join(margins, ", "); got != tt.margin {
				t.Errorf("margin %q, want %q", got, tt.margin)
			}
		})
	}
}

// What is compared: whatever an order can ask the operator for, and nothing else.
func TestItems(t *testing.T) {
	c := shop(func(_ *catalogue.Catalogue, p *catalogue.Plan) {
		p.Terms[0].NewPackage = "N7"
		p.Packs = []catalogue.Pack{{ID: "1gb", Package: "K1"}}
	})
	plan := func(id string, change func(*catalogue.Plan)) {
		p := c.Plans[0]
		p.ID, p.Packs = id, nil
		change(&p)
		c.Plans = append(c.Plans, p)
	}
	plan("off", func(p *catalogue.Plan) { p.OnSale = false })
	plan("once", func(p *catalogue.Plan) { p.Policy.Renewable = false })
	plan("target", func(p *catalogue.Plan) { p.Policy.Renewable = false })
	plan("changes", func(p *catalogue.Plan) { p.Policy.ChangeTo = []string{"target", "off"}; p.Terms = nil })
	var got []string
	for _, i := range Items(c) {
		got = append(got, fmt.Sprintf("%s %s %s %t", i.Plan, i.For, i.Package, i.OnSale))
	}
	want := []string{
		"p line JP7 true", "p new_line N7 true", "p pack K1 true", "off line JP7 false", "once new_line N7 true", "target line JP7 true", "target new_line N7 true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever the tax, rate and cost: price, cost and margin agree with exact fractions
// to a unit, and a loss is an error whatever is rounded.
func TestMarginsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := money.Of(rapid.Int64Range(1, 1_000_000).Draw(t, "price"), rapid.SampledFrom([]money.Currency{"JPY", "USD", "EUR"}).Draw(t, "currency"))
		units, scale := rapid.Int64Range(0, 10_000_000).Draw(t, "units"), rapid.SampledFrom([]int64{1, 3, 100, 10_000, 1_000_000}).Draw(t, "scale")
		percent := rapid.Int64Range(0, 3000).Draw(t, "tax")
		c := shop(func(c *catalogue.Catalogue, p *catalogue.Plan) {
			c.Seller.Taxes[0] = catalogue.TaxClass{ID: "standard", Percent: percent, Scale: 100}
			p.Terms[0].Prices, p.Terms[0].Cost = []money.Money{price}, money.Money{}
		})
		r := Check(c, sells(units, scale, nil), fresh())
		if len(r.Margins) != 1 {
			t.Fatalf("%+v", r)
		}
		m := r.Margins[0]
		perUSD := map[money.Currency]*big.Rat{"JPY": big.NewRat(150, 1), "USD": big.NewRat(1, 1), "EUR": big.NewRat(4, 5)}[price.Currency]
		toMinor := map[money.Currency]int64{"JPY": 1, "USD": 100, "EUR": 100}[price.Currency]
		net := new(big.Rat).Mul(big.NewRat(price.Minor, 1), big.NewRat(10_000, 10_000+percent))
		cost := new(big.Rat).Mul(new(big.Rat).Mul(big.NewRat(units, scale), perUSD), big.NewRat(toMinor, 1))
		left := new(big.Rat).Sub(net, cost)
		if gap := new(big.Rat).Sub(left, big.NewRat(m.Margin.Minor, 1)); gap.Sign() < 0 || gap.Cmp(big.NewRat(1, 1)) >= 0 {
			t.Fatalf("margin %s, exactly %s", m.Margin, left.FloatString(6))
		}
		for what, gap := range map[string]*big.Rat{"net": net.Sub(net, big.NewRat(m.Net.Minor, 1)), "cost": cost.Sub(cost, big.NewRat(m.Cost.Minor, 1))} {
			if gap.Abs(gap).Cmp(big.NewRat(1, 2)) > 0 {
				t.Fatalf("%s is off by %s", what, gap.FloatString(6))
			}
		}
		loss := slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Kind == Loss && f.Severity == Bad })
		if loss != (left.Sign() < 0) {
			t.Fatalf("loss %t of %s", loss, left.FloatString(6))
		}
	})
}
