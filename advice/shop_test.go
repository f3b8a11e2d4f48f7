package advice

import (
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/racetest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

var demo = catalogue.Demo()

// Every demo plan in every currency makes a shop in which every offer is what
// the catalogue sells, and advice can be had.
func TestShopOfEveryPlan(t *testing.T) {
	racetest.Skip(t)
	m := Prior()
	for _, p := range demo.Plans {
		for _, in := range []money.Currency{"JPY", "USD", "KRW"} {
			s, items, err := ShopOf(demo, p.ID, in)
			if err != nil {
				t.Fatal(err)
			}
			if len(items) != len(s.Offers) || s.Costs.Currency != in {
				t.Fatalf("%s: %d items, %d offers", p.ID, len(items), len(s.Offers))
			}
			for i, o := range s.Offers {
				plan, _ := demo.Plan(items[i].Plan)
				price, ok := int64(0), false
				if items[i].Kind == renewal.Term {
					term, _ := plan.Term(items[i].ID)
					price, ok = priceIn(term.Prices, in)
				} else {
					pack, _ := plan.Pack(items[i].ID)
					price, ok = priceIn(pack.Prices, in)
				}
				if !ok || o.Price != price {
					t.Errorf("%s costs %d, not %d", o.ID, o.Price, price)
				}
			}
			a, err := mustBuild(t, m, s).Recommend(Question{Trip: trip()})
			if err != nil {
				t.Fatal(err)
			}
			if p.Policy.Renewable && a.Best.Action == NoOffer && len(s.Offers) > 0 {
				t.Errorf("%s: nothing to advise", p.ID)
			}
			if !p.Policy.Renewable && a.Best.Action != NoOffer && a.Best.Action != Enough {
				t.Errorf("%s cannot be renewed, and the advice is %s", p.ID, a.Best.Action)
			}
		}
	}
	if _, _, err := ShopOf(demo, "no such plan", "JPY"); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

// The yardstick is worth the same in every currency, by the seller's own prices.
func TestCostsIn(t *testing.T) {
	yen, usd := CostsIn(demo, "JPY"), CostsIn(demo, "USD")
	if yen != YenCosts() {
		t.Error(yen)
	}
	if usd.OutageDay < 400 || usd.OutageDay > 700 { // 800 yen in cents
		t.Error(usd)
	}
	if none := CostsIn(&catalogue.Catalogue{}, "USD"); none.OutageDay != 0 || none.Currency != "USD" {
		t.Error(none)
	}
}

// What is paid for on a line is seen as it runs: days of the operator, what the
// operator says is left, and what waits.
func TestStateOf(t *testing.T) {
	var plan catalogue.Plan
	for _, p := range demo.Plans {
		if p.Kind == catalogue.Volume {
			plan = p
			break
		}
	}
	op, _ := demo.Operator(plan.Operator)
	loc, err := op.Zone.Location()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, loc)
	now := start.Add(30 * time.Hour)
	s := renewal.Situation{
		Now: now, Catalogue: demo, Currency: "JPY",
		Line: line.Line{Plan: plan.ID, StartedAt: start, EndsAt: start.AddDate(0, 0, 5), Usage: line.Usage{Total: 5e9, Used: 3e9, AsOf: now}},
		Periods: []line.Period{
			{Plan: plan.ID, StartsAt: start, EndsAt: time.Date(2026, 3, 7, 0, 0, 0, 0, loc), Allowance: 5e9},
			{Plan: plan.ID, StartsAt: time.Date(2026, 3, 7, 0, 0, 0, 0, loc), EndsAt: time.Date(2026, 3, 10, 0, 0, 0, 0, loc), Allowance: 1e9},
			{Plan: plan.ID, StartsAt: start, EndsAt: start.AddDate(0, 1, 0), Allowance: 9e9, State: line.PeriodCancelled},
		},
	}
	got := StateOf(s)
	if got.Running.Days != 4 || got.Running.Bytes != 2e9 || len(got.Waiting) != 1 || got.Waiting[0].Days != 3 || got.Waiting[0].Bytes != 1e9 {
		t.Errorf("%+v", got)
	}
	s.Line.Usage.AsOf = start.Add(-time.Hour) // older than the period
	if got := StateOf(s); got.Running.Bytes != 5e9 {
		t.Errorf("%+v", got)
	}
}
