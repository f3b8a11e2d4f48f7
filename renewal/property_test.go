package renewal

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
)

// everything decides all items of a situation.
func everything(s Situation) map[Item]Offer {
	offers := map[Item]Offer{}
	for _, item := range allItems(s) {
		if o, no := Decide(s, item); no == nil {
			offers[item] = o
		}
	}
	return offers
}

func allItems(s Situation) []Item {
	var all []Item
	for _, p := range s.Catalogue.Plans {
		for _, t := range p.Terms {
			all = append(all, Item{Term, p.ID, t.ID})
		}
		for _, k := range p.Packs {
			all = append(all, Item{Pack, p.ID, k.ID})
		}
	}
	return all
}

// The draws above are worth something only if they lead to every effect and to
// every rule that an item can meet.
func TestDrawsReachEverything(t *testing.T) {
	reached := map[string]bool{}
	gen := rapid.Custom(situations)
	for seed := range 3000 {
		s := gen.Example(seed)
		for _, item := range allItems(s) {
			o, no := Decide(s, item)
			if no != nil {
				reached[string(no.Rule)] = true
				continue
			}
			reached["effect "+string(o.Effect)] = true
			reached["revives"] = reached["revives"] || o.Revives
			reached["for several days"] = reached["for several days"] || item.Kind == Pack && o.PackageDays > 1
			reached["not until the end"] = reached["not until the end"] || item.Kind == Term && o.TakeBy.Before(s.Line.EndsAt)
		}
	}
	for _, e := range effects {
		if !reached["effect "+string(e)] {
			t.Errorf("no offer with the effect %s", e)
		}
	}
	for _, r := range Rules {
		if !reached[string(r)] && !slices.Contains([]Rule{PlanGone, LineDead, LineSuspended}, r) { // the line's alone
			t.Errorf("no refusal by %s", r)
		}
	}
	for _, what := range []string{"revives", "for several days", "not until the end"} {
		if !reached[what] {
			t.Errorf("nothing that is %q", what)
		}
	}
}

func TestEveryDecisionIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations(t)
		for _, item := range allItems(s) {
			o, no := Decide(s, item)
			if no != nil {
				if !slices.Contains(Rules, no.Rule) || (o != Offer{}) {
					t.Fatalf("refused by %q, with the offer %v", no.Rule, o)
				}
				continue
			}
			sound(t, s, o)
		}
	})
}

func sound(t *rapid.T, s Situation, o Offer) {
	switch {
	case !o.EndsAt.After(o.StartsAt):
		t.Fatalf("%v ends %s, before it starts %s", o.Item, o.EndsAt, o.StartsAt)
	case !o.TakeBy.After(s.Now):
		t.Fatalf("%v can be had until %s, which is over", o.Item, o.TakeBy)
	case o.Price.Currency != s.Currency || o.Price.Minor < 1:
		t.Fatalf("%v costs %s, asked for in %s", o.Item, o.Price, s.Currency)
	case o.Revives == s.Now.Before(s.Line.EndsAt):
		t.Fatalf("%v revives: %t", o.Item, o.Revives)
	case o.Anchor < 0 || o.Anchor > 31:
		t.Fatalf("%v leaves the anchor %d", o.Item, o.Anchor)
	}
	for _, at := range []time.Time{o.StartsAt, o.EndsAt, o.TakeBy, o.Unused.At} {
		if at.Location() != time.UTC {
			t.Fatalf("%v has an instant that is not UTC: %s", o.Item, at)
		}
	}
	switch o.Effect {
	case catalogue.Append, catalogue.Queue:
		if !o.StartsAt.Equal(s.Line.EndsAt) || o.Revives {
			t.Fatalf("%s starts %s, but the line ends %s", o.Effect, o.StartsAt, s.Line.EndsAt)
		}
	case catalogue.Restart, catalogue.Parallel, catalogue.SameDay, catalogue.Adds:
		if !o.StartsAt.Equal(s.Now) {
			t.Fatalf("%s starts %s, not now", o.Effect, o.StartsAt)
		}
	}
	if adds := o.Effect == catalogue.Adds; adds != (o.Days == 0) || adds && o.EndsAt.After(s.Line.EndsAt) {
		t.Fatalf("%s brings %d days and ends %s", o.Effect, o.Days, o.EndsAt)
	}
	after := s.after(o)
	if o.Effect != catalogue.Restart && after.Line.EndsAt.Before(s.Line.EndsAt) {
		t.Fatalf("%s moves the end from %s back to %s", o.Effect, s.Line.EndsAt, after.Line.EndsAt)
	}
	for _, p := range s.Periods {
		if o.Effect == catalogue.Restart && p.StateAt(s.Now) == line.PeriodQueued {
			t.Fatalf("a restart cuts off period %d, which has not begun", p.Number)
		}
	}
}

// Until TakeBy the same offer is given whatever the instant, and from TakeBy on
// it is not.
func TestTakeByIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations(t)
		for item, o := range everything(s) {
			span := o.TakeBy.Sub(s.Now)
			for _, after := range []time.Duration{span - 1, time.Duration(rapid.Int64Range(0, int64(span-1)).Draw(t, "after"))} {
				later := s
				later.Now = s.Now.Add(after)
				if then, no := Decide(later, item); no != nil || !same(o, then) {
					t.Fatalf("%v is to be had until %s, but at %s:\n was %+v\n now %+v %+v", item, o.TakeBy, later.Now, o, then, no)
				}
			}
			later := s
			later.Now = o.TakeBy
			if then, no := Decide(later, item); no == nil && same(o, then) {
				t.Fatalf("%v is still to be had at %s:\n was %+v\n now %+v", item, o.TakeBy, o, then)
			}
		}
	})
}

// same reports whether a customer who was shown a gets the same with b.
func same(a, b Offer) bool {
	floats := a.Effect == catalogue.Restart || a.Effect == catalogue.Parallel
	return a.Item == b.Item && a.Price == b.Price && a.Effect == b.Effect && a.PackageDays == b.PackageDays && a.Bytes == b.Bytes &&
		(floats || a.EndsAt.Equal(b.EndsAt))
}

// promises are the rules that name an instant to come.
var promises = map[Rule]bool{TooEarly: true, QueueFull: true, StackFull: true, TooFarAhead: true}

// A refusal that names an instant from which it is possible means it.
func TestRefusalsKeepTheirInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations(t)
		for _, item := range allItems(s) {
			_, no := Decide(s, item)
			if no == nil || no.At.IsZero() {
				continue
			}
			if !promises[no.Rule] {
				if no.At.After(s.Now) {
					t.Fatalf("%s since %s, which is to come", no.Rule, no.At)
				}
				continue
			}
			if !no.At.After(s.Now) {
				t.Fatalf("%s: possible from %s, which is over", no.Rule, no.At)
			}
			later := s
			later.Now = no.At
			if _, again := Decide(later, item); again != nil && again.Rule == no.Rule {
				t.Fatalf("%s: possible from %s, but not then", no.Rule, no.At)
			}
		}
	})
}

func TestPricesPerDayAndSavingsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations(t)
		for item, o := range everything(s) {
			if o.Days == 0 {
				if o.PerDay != (money.Money{}) || o.Saving != 0 {
					t.Fatalf("%v has no days, but %s a day, %d%% less", item, o.PerDay, o.Saving)
				}
				continue
			}
			if off := o.PerDay.Minor*int64(o.Days) - o.Price.Minor; 2*off > int64(o.Days) || -2*off > int64(o.Days) {
				t.Fatalf("%s a day for %d days is not %s", o.PerDay, o.Days, o.Price)
			}
			plan, _ := s.Catalogue.Plan(item.Plan)
			if o.Effect == catalogue.SameDay {
				continue
			}
			savingAgrees(t, plan, o)
		}
	})
}

// savingAgrees compares with every shortest term: the saving is against one of
// them, at least as large as said, and less than one percent larger.
func savingAgrees(t *rapid.T, plan catalogue.Plan, o Offer) {
	own, _ := plan.Term(o.Item.ID)
	n := int64(nominalDays(own.Length))
	for _, base := range plan.Terms {
		m, ok := priceIn(base.Prices, o.Price.Currency)
		if !ok {
			continue
		}
		b := int64(nominalDays(base.Length))
		shortest := !slices.ContainsFunc(plan.Terms, func(x catalogue.Term) bool {
			_, priced := priceIn(x.Prices, o.Price.Currency)
			return priced && int64(nominalDays(x.Length)) < b
		})
		whole, part := m.Minor*n, o.Price.Minor*b
		if shortest && (whole-part)*100 >= int64(o.Saving)*whole && (whole-part)*100 < int64(o.Saving+1)*whole {
			return
		}
	}
	if o.Saving != 0 {
		t.Fatalf("%v saves %d%%, but against which term?", o.Item, o.Saving)
	}
}

// Of two terms of one plan that count the same unit, the longer never ends
// earlier.
func TestLongerTermsEndLater(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations(t)
		offers := everything(s)
		for a, first := range offers {
			for b, second := range offers {
				if a.Kind != Term || b.Kind != Term || a.Plan != b.Plan {
					continue
				}
				plan, _ := s.Catalogue.Plan(a.Plan)
				short, _ := plan.Term(a.ID)
				long, _ := plan.Term(b.ID)
				if short.Length.Unit == long.Length.Unit && short.ToDayEnd == long.ToDayEnd && short.Length.N <= long.Length.N &&
					first.EndsAt.After(second.EndsAt) {
					t.Fatalf("%s ends %s, %s ends %s", short.Length, first.EndsAt, long.Length, second.EndsAt)
				}
			}
		}
	})
}

func TestDecisionsAreDeterministicAndChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations(t)
		seen := s
		seen.Periods = slices.Clone(s.Periods)
		first, no := Offers(s)
		second, again := Offers(seen)
		if diff := cmp.Diff(first, second) + cmp.Diff(no, again); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(seen, s); diff != "" {
			t.Fatalf("the situation was changed: %s", diff)
		}
		for _, o := range first {
			if alone, no := Decide(s, o.Item); no != nil || alone != o {
				t.Fatalf("alone %v is decided otherwise: %v %v", o, alone, no)
			}
		}
		if (no == nil) == (len(first) == 0) {
			t.Fatalf("%d offers and the refusal %v", len(first), no)
		}
	})
}

// Whatever is missing or contradicts itself, there is an answer.
func TestNothingPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations(t)
		someday := rapid.Custom(func(t *rapid.T) time.Time {
			return rapid.SampledFrom([]time.Time{
				{},
				time.Unix(0, 0), s.Line.StartedAt, s.Line.EndsAt, s.Now,
				time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
			}).Draw(t, "someday")
		})
		s.Now, s.Line.StartedAt, s.Line.EndsAt = someday.Draw(t, "now"), someday.Draw(t, "started"), someday.Draw(t, "ends")
		s.Line.Usage.AsOf = someday.Draw(t, "as of")
		s.Line.Anchor = rapid.IntRange(-1, 40).Draw(t, "anchor")
		s.Line.State = rapid.SampledFrom([]line.State{line.New, line.Active, line.Grace, line.Ended, line.Terminal, line.Suspended, line.Recycled, ""}).Draw(t, "state")
		for i := range s.Periods {
			s.Periods[i].StartsAt, s.Periods[i].EndsAt = someday.Draw(t, "from"), someday.Draw(t, "to")
		}
		offers, no := Offers(s)
		if (no == nil) == (len(offers) == 0) || no != nil && !slices.Contains(Rules, no.Rule) {
			t.Fatalf("%d offers, %v", len(offers), no)
		}
		for _, o := range offers {
			if !o.EndsAt.After(o.StartsAt) {
				t.Fatalf("%v ends %s, before it starts %s", o.Item, o.EndsAt, o.StartsAt)
			}
		}
		Covering(s, offers, someday.Draw(t, "until"), time.UTC)
		for _, p := range s.Catalogue.Plans {
			NextReset(p, s.Line, s.Now, time.UTC)
			RenewBy(p, s.Line.EndsAt, time.UTC)
		}
	})
}
