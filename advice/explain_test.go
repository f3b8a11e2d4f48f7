package advice

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/racetest"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
)

func TestBook(t *testing.T) {
	if err := texts.Check(); err != nil {
		t.Error(err)
	}
	for _, r := range AllReasons {
		for _, l := range locale.All {
			said := texts.Say(l, string(r), nil)
			if strings.HasPrefix(said, "["+string(r)) {
				t.Errorf("%s has no words", r)
			}
			if l == locale.ZhHant && said == texts.Say(locale.ZhHans, string(r), nil) {
				t.Errorf("%s has no words of its own in %s", r, l)
			}
		}
	}
}

// words names offers without digits, so that every digit left is a number.
func words(l locale.Language) Words {
	return Words{Language: l, Currency: "JPY", GB: 1e9, Name: func(i int) string { return "Plan " + string(rune('A'+i)) }}
}

// numbersOf are all numbers that an answer gives out, as they are written.
func numbersOf(a *Advice, w Words) []string {
	l, n := w.Language, &a.Numbers
	all := []string{
		locale.DataAbout(l, n.PerDay, w.GB), locale.DataAbout(l, n.NeedLow, w.GB), locale.DataAbout(l, n.NeedHigh, w.GB),
	}
	for _, x := range []int{n.OwnDays, n.EnoughOf100, n.ShortOf100, n.LastsOf100, n.CarefreeOf, n.ChangedBy, n.Away, n.Gap} {
		if x > 0 {
			all = append(all, fmt.Sprint(x))
		}
	}
	for _, m := range []int64{a.Best.First, a.Second.First, n.Price, n.Saving, n.CarefreeMore} {
		all = append(all, locale.Money(l, money.Of(m, w.Currency)))
	}
	for _, d := range []Date{n.LastDay, n.Covered, n.Until, n.Changed} {
		all = append(all, locale.NearDay(l, d.Time(), time.UTC))
	}
	for _, s := range a.Best.Steps.All() {
		all = append(all, locale.NearDay(l, s.On.Time(), time.UTC))
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// onlyNumbersOf fails for a number in a text that the engine has not given out.
func onlyNumbersOf(t *testing.T, a *Advice, w Words, text string) {
	t.Helper()
	rest := text
	for _, of := range []string{" of 100", "100次", "100位", "100人", "100回", "100번"} {
		rest = strings.ReplaceAll(rest, of, "")
	}
	for _, n := range numbersOf(a, w) {
		rest = strings.ReplaceAll(rest, n, "")
	}
	rest = strings.ReplaceAll(rest, "1日", "") // a day
	if strings.ContainsAny(rest, "0123456789") {
		t.Errorf("%s: a number that no answer gives: %s", w.Language, text)
	}
	if strings.ContainsAny(text, "[]{}|#") || text == "" || strings.Contains(text, "1970") {
		t.Errorf("%s: a place that is not filled: %s", w.Language, text)
	}
}

func TestEveryNumberIsTheEngines(t *testing.T) {
	racetest.Skip(t)
	m, exam := testModel(t)
	shop := testShop()
	shop.Rules.MustRunOn = true
	tables := mustBuild(t, m, shop)
	seen := map[Reason]int{}
	for i, u := range exam {
		q := Question{Trip: u.upTo(i % len(u.wanted)), Usual: 1 + i%len(shop.Offers), Attitude: Attitudes[i%3]}
		switch i % 5 {
		case 1:
			q.State.Running = Cover{Service: shop.Offers[0].Service, Days: 1 + i%9, Bytes: 2e9}
		case 2:
			q.State.Running = Cover{Service: Service{Volume: 5e9}, Days: 20, Bytes: int64(i%40) * 1e8}
		case 3:
			q.Trip.Away = i % 3
		}
		a, err := tables.Recommend(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range locale.All {
			w := words(l)
			onlyNumbersOf(t, &a, w, a.Sentence(w))
			for _, n := range a.Notes(w) {
				onlyNumbersOf(t, &a, w, n)
			}
		}
		for _, r := range a.Reasons.All() {
			seen[r]++
		}
		if i < 12 {
			w := words(locale.En)
			t.Log(a.Sentence(w), a.Notes(w))
		}
	}
	for _, volume := range []int64{0, 20e9} {
		week := Offer{ID: "week", Kind: Term, Days: 7, Price: 1000, Service: Service{Volume: volume}}
		short := Shop{Costs: YenCosts(), Offers: []Offer{week, {ID: "day", Kind: Term, Days: 1, Price: 800}}}
		a, err := mustBuild(t, m, short).Recommend(Question{Trip: Trip{Arrival: testDay, Today: testDay, Told: testDay + 19}})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range locale.All {
			w := words(l)
			onlyNumbersOf(t, &a, w, a.Sentence(w))
		}
		for _, r := range a.Reasons.All() {
			seen[r]++
		}
	}
	for _, r := range AllReasons {
		if seen[r] == 0 && r != DoNone && r != ChangedLess && r != Overdue && r != ChangedMore && r != DoPause && r != DoReset && r != DoSlow && r != DoLater {
			t.Errorf("no traveller is told %s: %v", r, seen)
		}
	}
}

// Nobody whose data is used up is told that what they have will do.
func TestWaitingIsSaidAsItIs(t *testing.T) {
	tables := mustBuild(t, Prior(), Shop{Costs: YenCosts(), Offers: []Offer{{ID: "month", Kind: Term, Days: 30, Price: 90_000}}})
	for _, tt := range []struct {
		name    string
		running Cover
		want    Reason
	}{
		{"data is left", Cover{Service: Service{Volume: 5e9, ThrottleKbps: 128}, Days: 2, Bytes: 1e9}, DoWaitLeft},
		{"it runs on a little", Cover{Service: Service{DailyCap: 5e9, ThrottleKbps: 128}, Days: 2, Bytes: 5e9}, DoWait},
		{"it runs longer than the stay", Cover{Service: Service{DailyCap: 3e8, ThrottleKbps: 128}, Days: 20, Bytes: 3e8}, DoCovered},
		{"hardly any data is left", Cover{Service: Service{Volume: 5e9, ThrottleKbps: 128}, Days: 5, Bytes: 1e7}, DoLater},
		{"used up and slow", Cover{Service: Service{Volume: 5e9, ThrottleKbps: 128}, Days: 2}, DoSlow},
		{"used up and stopped", Cover{Service: Service{Volume: 5e9}, Days: 2}, DoPause},
		{"today's is used up", Cover{Service: Service{DailyCap: 1e9, ThrottleKbps: 128}, Days: 2}, DoReset},
		{"the last day's is used up", Cover{Service: Service{DailyCap: 1e9, ThrottleKbps: 128}, Days: 1}, DoWait},
		{"nothing runs", Cover{}, DoPause},
	} {
		q := Question{Trip: Trip{Arrival: testDay, Today: testDay + 1, Told: testDay + 9}, State: State{Running: tt.running}}
		a, err := tables.Recommend(q)
		if err != nil || a.Best.Action != Wait || !slices.Contains(a.Reasons.All(), tt.want) {
			t.Errorf("%s: %s because of %v, %v", tt.name, a.Best.Action, a.Reasons.All(), err)
		}
		for _, l := range locale.All {
			onlyNumbersOf(t, &a, words(l), a.Sentence(words(l)))
		}
	}
}

// A friend does not promise what is not so, and says what is.
func TestReasonsFitTheAnswer(t *testing.T) {
	m, exam := testModel(t)
	tables := mustBuild(t, m, testShop())
	for i, u := range exam {
		q := Question{Trip: u.upTo(i % len(u.wanted)), Usual: 1}
		a, err := tables.Recommend(q)
		if err != nil {
			t.Fatal(err)
		}
		has := func(r Reason) bool { return slices.Contains(a.Reasons.All(), r) }
		switch {
		case has(Saves) && a.Saving <= 0:
			t.Errorf("saves %d", a.Saving)
		case has(SecondBest) != a.Close:
			t.Error("the second is as good, and nobody says so")
		case has(Worry) && a.CarefreeMore <= 0:
			t.Errorf("carefree costs %d more", a.CarefreeMore)
		case has(Worry) && a.Close && a.Second.Steps.At[0].Offer == a.Carefree.Offer:
			t.Error("one offer is named twice")
		case has(TellEnd) && q.Trip.Told >= q.Trip.Today:
			t.Error("asks for what was told")
		case has(Little) == has(Used):
			t.Error("both or none of a little and enough history")
		case a.Best.Action == Buy && a.Best.First != tables.Shop().Offers[a.Best.Steps.At[0].Offer].Price:
			t.Error("another price than the offer's")
		}
	}
}

// Who uses a GB a day, day after day, is not told that 3 GB a day will be slow;
// and a quiet morning takes nothing from that.
func TestCalmTravellersAreKnown(t *testing.T) {
	trip := Trip{Arrival: testDay, Today: testDay + 10, Told: testDay + 24}
	for i, percent := range []int64{95, 130, 68, 170, 120, 120, 83, 110, 101, 97} {
		trip.Days = append(trip.Days, Day{Date: testDay + Date(i), Bytes: percent * 1e7})
	}
	m := Prior()
	before, err := m.Forecast(trip, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, high := before.PerDay.Most(); high > 3e9 {
		t.Errorf("a tenth of the days takes more than %d bytes", high)
	}
	trip.Days = append(trip.Days, Day{Date: trip.Today, Bytes: 11e6, Minutes: 9 * 60})
	trip.MinutesLeft = 15 * 60
	after, err := m.Forecast(trip, 0)
	if err != nil {
		t.Fatal(err)
	}
	if after.PerDay.Median() < before.PerDay.Median()*9/10 || after.Basis.Capped != 0 {
		t.Errorf("before breakfast %d bytes a day were expected, after it %d", before.PerDay.Median(), after.PerDay.Median())
	}
}

// A term that ends before the told day is not praised without saying so.
func TestGapsAreSaid(t *testing.T) {
	shop := Shop{Costs: YenCosts(), Offers: []Offer{{ID: "five", Kind: Term, Days: 5, Price: 900}}}
	a, err := mustBuild(t, Prior(), shop).Recommend(Question{Trip: Trip{Arrival: testDay, Today: testDay, Told: testDay + 5}})
	if err != nil || a.Best.Action != Buy || a.Numbers.Gap != 1 || a.Numbers.Until != testDay+4 || !slices.Contains(a.Reasons.All(), EndsBefore) {
		t.Errorf("%+v %v, %v", a.Numbers, a.Reasons.All(), err)
	}
}

// Of a volume that keeps what is left of it nobody is told to wait until it is
// nearly used up when it is.
func TestNobodyIsSentAwayForALittle(t *testing.T) {
	offer := Offer{ID: "ten", Kind: Term, Days: 15, Price: 1980, Service: Service{Volume: 10e9}}
	trip := Trip{Arrival: testDay, Today: testDay + 5, Told: testDay + 13}
	for i := range 5 {
		trip.Days = append(trip.Days, Day{Date: testDay + Date(i), Bytes: 2e9})
	}
	left := Cover{Service: Service{Volume: 10e9}, Days: 10, Bytes: 3e8}
	shop := Shop{Costs: YenCosts(), Rules: Rules{Mode: Extend}, Offers: []Offer{offer}}
	a, err := mustBuild(t, Prior(), shop).Recommend(Question{Trip: trip, State: State{Running: left}})
	if err != nil || a.Best.Action != Buy {
		t.Errorf("%s because of %v, %v", a.Best.Action, a.Reasons.All(), err)
	}
}
