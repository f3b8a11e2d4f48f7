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
		if seen[r] == 0 && r != DoNone && r != ChangedLess && r != Overdue && r != ChangedMore && r != DoPause && r != DoReset && r != DoSlow && r != DoLater && r != DoMost && r != DoMostFast {
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
		{"what is left will not do", Cover{Service: Service{Volume: 5e9, ThrottleKbps: 128}, Days: 8, Bytes: 8e8}, DoLater},
		{"hardly any data is left", Cover{Service: Service{Volume: 5e9, ThrottleKbps: 128}, Days: 5, Bytes: 1e7}, DoPause},
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

// What is safer or faster is said to cost too much only where it is on sale, and
// nothing is called carefree that stops or becomes slow.
func TestOnlyWhatIsSoldIsCompared(t *testing.T) {
	heavy := Trip{Arrival: testDay, Today: testDay + 5, Told: testDay + 9}
	for i := range 5 {
		heavy.Days = append(heavy.Days, Day{Date: testDay + Date(i), Bytes: int64(4+i%3) * 1e9})
	}
	week := func(id string, price int64, s Service) Offer {
		return Offer{ID: id, Kind: Term, Days: 7, Price: price, Service: s}
	}
	slow := week("a GB a day", 1500, Service{DailyCap: 1e9, ThrottleKbps: 128})
	volume := week("5 GB", 1500, Service{Volume: 5e9})
	short := volume
	short.ID, short.Days, short.Price = "5 GB for 3 days", 3, 1480
	for _, tt := range []struct {
		name     string
		offers   []Offer
		want     Reason
		carefree string
	}{
		{"one limit", []Offer{slow}, DoMostFast, ""},
		{"a higher one, dear", []Offer{slow, week("60 GB a day", 90_000, Service{DailyCap: 60e9, ThrottleKbps: 128})}, DoTightFast, "60 GB a day"},
		{"a higher one that is too low, too", []Offer{slow, week("2 GB a day", 90_000, Service{DailyCap: 2e9, ThrottleKbps: 128})}, DoTightFast, ""},
		{"one volume", []Offer{volume, short}, DoMost, ""},
		{"a larger one, dear", []Offer{volume, week("200 GB", 90_000, Service{Volume: 200e9})}, DoBuyTight, "200 GB"},
		{"no limit, dear", []Offer{volume, week("no limit", 80_000, Service{}), week("200 GB", 90_000, Service{Volume: 200e9})}, DoBuyTight, "no limit"},
	} {
		a, err := mustBuild(t, Prior(), Shop{Costs: YenCosts(), Offers: tt.offers}).Recommend(Question{Trip: heavy})
		if err != nil || a.Best.Action != Buy || !slices.Contains(a.Reasons.All(), tt.want) {
			t.Errorf("%s: %s because of %v, want %s: %v", tt.name, a.Best.Action, a.Reasons.All(), tt.want, err)
		}
		free := ""
		if a.Carefree.Offer >= 0 {
			free = tt.offers[a.Carefree.Offer].ID
		}
		if free != tt.carefree || slices.Contains(a.Reasons.All(), Worry) != (free != "") {
			t.Errorf("%s: %q is carefree, want %q: %v", tt.name, free, tt.carefree, a.Reasons.All())
		}
		for _, l := range locale.All {
			onlyNumbersOf(t, &a, words(l), a.Sentence(words(l)))
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
	ten := Service{Volume: 10 << 30}
	offers := []Offer{{ID: "half", Kind: Term, Days: 15, Price: 1980, Service: ten}, {ID: "month", Kind: Term, Days: 30, Price: 2380, Service: ten}}
	trip := Trip{Arrival: testDay, Today: testDay + 5, Told: testDay + 13}
	for i, mb := range []int64{1527, 2220, 1989, 2570, 2097} {
		trip.Days = append(trip.Days, Day{Date: testDay + Date(i), Bytes: mb * 1e6})
	}
	trip.Days = append(trip.Days, Day{Date: trip.Today, Bytes: 11e6, Minutes: 600})
	trip.MinutesLeft = 840
	left := Cover{Service: ten, Days: 10, Bytes: 307 << 20}
	shop := Shop{Costs: YenCosts(), Rules: Rules{Mode: Extend}, Offers: offers}
	a, err := mustBuild(t, Prior(), shop).Recommend(Question{Trip: trip, State: State{Running: left}})
	if err != nil || a.Best.Action != Buy {
		t.Errorf("%s because of %v, %v", a.Best.Action, a.Reasons.All(), err)
	}
}
