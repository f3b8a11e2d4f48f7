package renewal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/money"
)

// spelled is a cover in one line: "5d+3d 4160 to 2026-03-19 00:00:00".
func spelled(covers []Cover, c clock) []string {
	var all []string
	for _, cover := range covers {
		var terms []string
		for _, o := range cover.Offers {
			terms = append(terms, o.Item.ID)
		}
		all = append(all, fmt.Sprintf("%s %d to %s", strings.Join(terms, "+"), cover.Price.Minor, cover.EndsAt.In(c.Location).Format(clockLayout)))
	}
	return all
}

// stay is one traveller's question, and the answer; its instants are on the
// operator's clock.
type stay struct {
	name, plan, start, end, now, until string
	change                             func(*Situation)
	want                               []string
}

func (st stay) ask(t *testing.T) {
	t.Helper()
	s, c := running(t, st.plan, st.start, st.end), clockOf(t, st.plan)
	s.Now = c.at(st.now)
	if st.change != nil {
		st.change(&s)
	}
	offers, _ := Offers(s)
	if diff := cmp.Diff(st.want, spelled(Covering(s, offers, c.at(st.until), c.Location), c)); diff != "" {
		t.Error(diff)
	}
}

func TestCovering(t *testing.T) {
	for _, tt := range []stay{
		{
			name: "the line lasts that long", plan: "machi-5gb", start: "2026-03-01 09:00:00", end: "2026-03-11 00:00:00",
			now: "2026-03-05 12:00:00", until: "2026-03-10 23:59:59",
			want: []string{" 0 to 2026-03-11 00:00:00"},
		},
		{
			name: "a second more is a day more", plan: "machi-5gb", start: "2026-03-01 09:00:00", end: "2026-03-11 00:00:00",
			now: "2026-03-05 12:00:00", until: "2026-03-11 00:00:00",
			want: []string{
				"3d 1680 to 2026-03-14 00:00:00", "5d 2480 to 2026-03-16 00:00:00", "7d 3180 to 2026-03-18 00:00:00",
				"10d 3980 to 2026-03-21 00:00:00", "15d 5280 to 2026-03-26 00:00:00",
			},
		},
		{
			name: "further than any term", plan: "machi-5gb", start: "2026-03-01 09:00:00", end: "2026-03-11 00:00:00",
			now: "2026-03-05 12:00:00", until: "2026-04-12 12:00:00",
			want: []string{
				"3d+30d 9660 to 2026-04-13 00:00:00", "5d+30d 10460 to 2026-04-15 00:00:00", "7d+30d 11160 to 2026-04-17 00:00:00",
				"10d+30d 11960 to 2026-04-20 00:00:00", "15d+30d 13260 to 2026-04-25 00:00:00",
			},
		},
		{
			name: "two short ones for less than a long one", plan: "machi-5gb", start: "2026-03-01 09:00:00", end: "2026-03-11 00:00:00",
			now: "2026-03-05 12:00:00", until: "2026-03-16 12:00:00",
			change: func(s *Situation) {
				s.Catalogue = edited(t, "machi-5gb", func(p *catalogue.Plan) {
					p.Terms = slices.Clone(p.Terms)
					p.Terms[0].Prices = []money.Money{money.Of(500, "JPY")}
				})
			},
			want: []string{
				"3d+3d 1000 to 2026-03-17 00:00:00", "3d+5d 2980 to 2026-03-19 00:00:00", "7d 3180 to 2026-03-18 00:00:00",
				"10d 3980 to 2026-03-21 00:00:00", "15d 5280 to 2026-03-26 00:00:00",
			},
		},
	} {
		t.Run(tt.name, tt.ask)
	}
}

func TestCoveringKeepsThePolicy(t *testing.T) {
	for _, tt := range []stay{
		{
			name: "no more than may wait", plan: "ichiba-500", start: "2026-03-01 09:00:00", end: "2026-03-04 00:00:00",
			now: "2026-03-02 12:00:00", until: "2026-03-20 12:00:00",
		},
		{
			name: "only a fresh month", plan: "tsukimi-free", start: "2026-03-01 09:00:00", end: "2026-04-01 00:00:00",
			now: "2026-03-25 12:00:00", until: "2026-04-25 12:00:00",
			want: []string{"1mo 3278 to 2026-04-26 00:00:00"},
		},
		{
			name: "a fresh month does not reach as far as two", plan: "tsukimi-free", start: "2026-03-01 09:00:00", end: "2026-04-01 00:00:00",
			now: "2026-03-25 12:00:00", until: "2026-04-26 12:00:00",
		},
		{
			name: "after the end: this evening, and days to follow", plan: "hinode-visitor-2", start: "2026-03-01 09:00:00", end: "2026-03-11 00:00:00",
			now: "2026-03-11 22:00:00", until: "2026-03-13 12:00:00",
			want: []string{"1gb-1d+1gb-1d+1gb-1d 1500 to 2026-03-14 00:00:00", "1gb-1d+2gb-10d 2480 to 2026-03-22 00:00:00"},
		},
		{
			name: "after the end: a restart, and what queues behind it", plan: "shirakaba-steady", start: "2026-03-01 09:00:00", end: "2026-03-11 00:00:00",
			now: "2026-03-11 22:00:00", until: "2026-05-09 12:00:00",
			want: []string{"30d+30d 5960 to 2026-05-10 00:00:00", "185d 14900 to 2026-09-12 00:00:00"},
		},
		{
			name: "a day that is over", plan: "machi-5gb", start: "2026-03-01 09:00:00", end: "2026-03-11 00:00:00",
			now: "2026-03-05 00:00:00", until: "2026-03-04 12:00:00",
		},
		{
			name: "what cannot be renewed", plan: "minato-1gb", start: "2026-03-01 09:00:00", end: "2026-03-11 00:00:00",
			now: "2026-03-05 00:00:00", until: "2026-03-14 12:00:00",
		},
	} {
		t.Run(tt.name, tt.ask)
	}
}

// The day is that of whoever asks: at 00:30 in Japan it is still the day before
// in Singapore.
func TestCoveringCountsTheAskersDay(t *testing.T) {
	s := running(t, "kaigan-2gb", "2026-03-01 09:00:00", "2026-03-11 00:00:00")
	japan, singapore := zone(t, "Asia/Tokyo"), zone(t, "Asia/Singapore")
	s.Now = s.Line.StartedAt
	offers, _ := Offers(s)
	until := japan.at("2026-03-11 00:30:00")
	if got := Covering(s, offers, until, singapore.Location); len(got) != 1 || len(got[0].Offers) != 0 {
		t.Errorf("in Singapore: %v", spelled(got, singapore))
	}
	if got := Covering(s, offers, until, japan.Location); len(got) == 0 || len(got[0].Offers) != 1 {
		t.Errorf("in Japan: %v", spelled(got, japan))
	}
}

// The first cover costs what the cheapest of all sequences costs, they are
// sorted, and every one of them covers, without a gap.
func TestCoveringFindsTheCheapest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations(t)
		loc, err := rapid.SampledFrom(zones).Draw(t, "asker").Location()
		if err != nil {
			t.Fatal(err)
		}
		term := rapid.SampledFrom(s.Catalogue.Plans[0].Terms).Draw(t, "about this term")
		days := rapid.IntRange(0, maxTerms).Draw(t, "times")*nominalDays(term.Length) + rapid.IntRange(-2, 1).Draw(t, "nearly")
		until := s.Line.EndsAt.Add(time.Duration(days) * day)
		need := calendar.NextDay(until, loc)
		offers, _ := Offers(s)
		covers := Covering(s, offers, until, loc)
		if !need.After(s.Now) {
			if len(covers) != 0 {
				t.Fatalf("the day is over, but there are %d covers", len(covers))
			}
			return
		}
		if !s.Line.EndsAt.Before(need) {
			if len(covers) != 1 || len(covers[0].Offers) != 0 {
				t.Fatalf("the line lasts, but there are %d covers", len(covers))
			}
			return
		}
		best, any := cheapest(s, need)
		if any != (len(covers) > 0) || any && covers[0].Price.Minor != best {
			t.Fatalf("%d covers %v, the cheapest costs %d (%t)", len(covers), spelled(covers, clock{loc}), best, any)
		}
		for i, cover := range covers {
			if i > 0 && cover.Price.Minor < covers[i-1].Price.Minor {
				t.Fatalf("not sorted: %v", spelled(covers, clock{loc}))
			}
			covered(t, s, cover, need)
		}
	})
}

func covered(t *rapid.T, s Situation, cover Cover, need time.Time) {
	var sum int64
	end := s.Line.EndsAt
	if end.Before(s.Now) {
		end = s.Now
	}
	for _, o := range cover.Offers {
		if o.StartsAt.After(end) {
			t.Fatalf("a gap from %s to %s", end, o.StartsAt)
		}
		if o.EndsAt.After(end) {
			end = o.EndsAt
		}
		sum += o.Price.Minor
	}
	if cover.EndsAt.Before(need) || end.Before(need) || sum != cover.Price.Minor || len(cover.Offers) > maxTerms || len(cover.Offers) == 0 {
		t.Fatalf("%d terms for %s (%d) last to %s, needed to %s", len(cover.Offers), cover.Price, sum, end, need)
	}
}

// cheapest tries every sequence.
func cheapest(s Situation, need time.Time) (best int64, any bool) {
	var try func(s Situation, price int64, depth int)
	try = func(now Situation, price int64, depth int) {
		if depth > 0 && !now.Line.EndsAt.Before(need) {
			if !any || price < best {
				best, any = price, true
			}
			return
		}
		if depth == maxTerms {
			return
		}
		for _, p := range now.Catalogue.Plans {
			if depth > 0 && p.ID != now.Line.Plan {
				continue
			}
			for _, t := range p.Terms {
				o, no := Decide(now, Item{Term, p.ID, t.ID})
				if no == nil && o.Effect != catalogue.Adds && (depth == 0 || o.StartsAt.Equal(now.Line.EndsAt)) {
					try(now.after(o), price+o.Price.Minor, depth+1)
				}
			}
		}
	}
	try(s, 0, 0)
	return best, any
}

// Purchases one after the other, at whatever instants: what is appended or
// queued starts exactly where the service before ends, and nothing but a
// restart ever moves the end back.
func TestChainsOfPurchases(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations(t)
		for range 5 {
			offers, _ := Offers(s)
			offers = slices.DeleteFunc(offers, func(o Offer) bool { return o.Item.Kind == Pack })
			if len(offers) > 0 {
				o := offers[rapid.IntRange(0, len(offers)-1).Draw(t, "offer")]
				next := s.after(o)
				if ahead := o.Effect == catalogue.Append || o.Effect == catalogue.Queue; ahead && !o.StartsAt.Equal(s.Line.EndsAt) {
					t.Fatalf("%s from %s to %s on a line that ends %s", o.Effect, o.StartsAt, o.EndsAt, s.Line.EndsAt)
				}
				if o.Effect != catalogue.Restart && next.Line.EndsAt.Before(s.Line.EndsAt) {
					t.Fatalf("%s shortens the line", o.Effect)
				}
				s = next
			}
			s.Now = s.Now.Add(time.Duration(rapid.IntRange(0, 40*24).Draw(t, "pause")) * time.Hour)
		}
	})
}

// A catalogue with thousands of terms does not keep the page waiting.
func TestCoveringIsBounded(t *testing.T) {
	s := running(t, "machi-5gb", "2026-03-01 09:00:00", "2026-03-11 00:00:00")
	s.Catalogue = edited(t, "machi-5gb", func(p *catalogue.Plan) {
		p.Terms = nil
		p.Policy.Stack = catalogue.Stack{}
		for i := range 200 {
			p.Terms = append(p.Terms, catalogue.Term{
				ID: fmt.Sprint(i), Length: calendar.Length{N: 1 + i%9, Unit: calendar.Day}, Prices: []money.Money{money.Of(int64(1000-i), "JPY")},
			})
		}
	})
	s.Now = s.Line.StartedAt
	offers, _ := Offers(s)
	search := search{need: s.Line.EndsAt.Add(1000 * day), left: maxTried, seen: map[string]bool{}}
	var ways []way
	for _, o := range offers {
		ways = search.add(ways, way{s: s}, o)
	}
	for range maxTerms - 1 {
		ways = search.longer(ways)
	}
	if len(ways) > maxTried || search.left >= 0 {
		t.Errorf("%d ways, %d decisions left", len(ways), search.left)
	}
}
