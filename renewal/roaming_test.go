package renewal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/money"
)

func TestRoamingSaving(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	row := func(perDay int64, in money.Currency, asOf, confidence string) catalogue.Roaming {
		return catalogue.Roaming{Home: "Home", Country: "US", PerDay: money.Of(perDay, in), AsOf: asOf, Source: "example.com", Confidence: confidence}
	}
	good := row(1200, "USD", "2025", "B")
	tenDays := Offer{Item: Item{Term, "machi-5gb", "10d"}, Price: money.Of(2650, "USD"), Days: 10}
	for _, tt := range []struct {
		name  string
		rows  []catalogue.Roaming
		home  string
		offer Offer
		now   time.Time
		want  NoFigure
		less  int64 // for the whole trip
	}{
		{name: "one good figure", rows: []catalogue.Roaming{good}, home: "Home", offer: tenDays, now: now, less: 12000 - 2650},
		{name: "nobody knows the home", rows: []catalogue.Roaming{good}, home: "Other", offer: tenDays, now: now, want: NoHome},
		{name: "the newest counts", rows: []catalogue.Roaming{good, row(1000, "USD", "2026-03", "A"), row(1500, "USD", "2025-07-01", "A")}, home: "Home", offer: tenDays, now: now, less: 10000 - 2650},
		{name: "the newest reliable one", rows: []catalogue.Roaming{good, row(9900, "USD", "2026-10", "C")}, home: "Home", offer: tenDays, now: now, less: 12000 - 2650},
		{name: "in the offer's currency", rows: []catalogue.Roaming{good, row(180_000, "JPY", "2026-10", "A")}, home: "Home", offer: tenDays, now: now, less: 12000 - 2650},
		{name: "none is converted", rows: []catalogue.Roaming{row(1800, "JPY", "2026", "A")}, home: "Home", offer: tenDays, now: now, want: OtherCurrency},
		{name: "not confident", rows: []catalogue.Roaming{row(1200, "USD", "2026", "C")}, home: "Home", offer: tenDays, now: now, want: Doubtful},
		{name: "no date", rows: []catalogue.Roaming{row(1200, "USD", "lately", "A")}, home: "Home", offer: tenDays, now: now, want: Doubtful},
		{name: "a date to come", rows: []catalogue.Roaming{row(1200, "USD", "2026-12", "A")}, home: "Home", offer: tenDays, now: now, want: Doubtful},
		{name: "24 months to the day", rows: []catalogue.Roaming{row(1200, "USD", "2024-11-23", "A")}, home: "Home", offer: tenDays, now: now, less: 12000 - 2650},
		{name: "24 months and a second", rows: []catalogue.Roaming{row(1200, "USD", "2024-11-23", "A")}, home: "Home", offer: tenDays, now: now.Add(time.Second), want: TooOld},
		{name: "a year counts from its beginning", rows: []catalogue.Roaming{row(1200, "USD", "2024", "A")}, home: "Home", offer: tenDays, now: now, want: TooOld},
		{name: "the reason that says most", rows: []catalogue.Roaming{row(1800, "JPY", "2026", "A"), row(1200, "USD", "2013", "A"), row(1200, "USD", "2026", "K")}, home: "Home", offer: tenDays, now: now, want: OtherCurrency},
		{name: "a dear offer is not hidden", rows: []catalogue.Roaming{row(100, "USD", "2026", "A")}, home: "Home", offer: tenDays, now: now, less: 1000 - 2650},
		{name: "no days", rows: []catalogue.Roaming{good}, home: "Home", offer: Offer{Item: Item{Pack, "ichiba-500", "500mb-all"}, Price: money.Of(80, "USD")}, now: now, want: NotCompared},
		{name: "a plan that is not compared", rows: []catalogue.Roaming{good}, home: "Home", offer: Offer{Item: Item{Term, "sumire-voice", "30d"}, Price: money.Of(4350, "USD"), Days: 30}, now: now, want: NotCompared},
		{name: "no such plan", rows: []catalogue.Roaming{good}, home: "Home", offer: Offer{Item: Item{Term, "nothing", "30d"}, Price: money.Of(4350, "USD"), Days: 30}, now: now, want: NotCompared},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := *demo
			c.Roaming = tt.rows
			got, why := RoamingSaving(&c, tt.home, tt.offer, tt.now)
			if why != tt.want || got.LessTrip.Minor != tt.less {
				t.Errorf("%s less, %q; want %d, %q", got.LessTrip, why, tt.less, tt.want)
			}
		})
	}
}

func TestRoamingPerDay(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	got, why := RoamingSaving(demo, "AT&T", Offer{Item: Item{Term, "machi-5gb", "7d"}, Price: money.Of(2100, "USD"), Days: 7}, now)
	if why != "" {
		t.Fatal(why)
	}
	want := Comparison{Days: 7, Trip: money.Of(8400, "USD"), LessTrip: money.Of(6300, "USD"), LessPerDay: money.Of(900, "USD"), Percent: 75}
	got.Roaming = catalogue.Roaming{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRoamingHomes(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	if diff := cmp.Diff([]string{"AT&T"}, RoamingHomes(demo, "USD", now)); diff != "" {
		t.Error(diff)
	}
	if homes := RoamingHomes(demo, "TWD", now); len(homes) != 0 {
		t.Errorf("figures of 2013 are offered: %v", homes)
	}
}
