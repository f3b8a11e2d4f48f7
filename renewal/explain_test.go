package renewal

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
)

func TestBook(t *testing.T) {
	if err := texts.Check(); err != nil {
		t.Error(err)
	}
}

// whole checks that a text is said in full: nothing missing, nothing left over.
func whole(t testing.TB, l locale.Language, what, text string) {
	t.Helper()
	switch {
	case text == "":
		t.Errorf("%s: %s says nothing", l, what)
	case strings.ContainsAny(text, "[]{}|#"):
		t.Errorf("%s: %s has places that are not filled: %s", l, what, text)
	case strings.Contains(text, "  ") || strings.Contains(text, ": .") || strings.Contains(text, "：。"):
		t.Errorf("%s: %s has an empty place: %s", l, what, text)
	}
}

// refusals are one of every rule, with and without the instant where both occur.
func refusals(at time.Time) []*Refusal {
	policy := catalogue.Policy{
		Stack:      catalogue.Stack{Periods: 3, Ahead: calendar.Length{N: 90, Unit: calendar.Day}},
		Currencies: []money.Currency{"JPY", "USD"}, Tools: []catalogue.Tool{"card", "konbini"},
	}
	var all []*Refusal
	for _, r := range Rules {
		no := &Refusal{Rule: r, Policy: policy, Currency: "TWD", Priced: []money.Currency{"JPY", "TWD", "KRW"}, Least: money.Of(3000, "JPY")}
		switch {
		case slices.Contains([]Rule{Closed, TooLate, TooLateForEver, PackNeedsRunning, QueueFull}, r):
			no.At = at
		case slices.Contains([]Rule{TooEarly, StackFull, TooFarAhead}, r):
			later := *no
			later.At = at
			all = append(all, &later)
		}
		all = append(all, no)
	}
	return all
}

func TestEveryRuleHasItsWords(t *testing.T) {
	loc := zone(t, "Asia/Tokyo").Location
	at := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC) // 00:00 on the 11th in Japan
	for _, l := range locale.All {
		said := map[string]Rule{}
		for _, no := range refusals(at) {
			text := no.Text(l, loc)
			whole(t, l, string(no.Rule), no.Why(l, loc))
			whole(t, l, string(no.Rule), no.Instead(l, loc))
			if other, twice := said[text]; twice {
				t.Errorf("%s: %s says the same as %s", l, no.Rule, other)
			}
			if strings.Contains(no.Instead(l, loc), "TWD") {
				t.Errorf("%s: %s proposes what was refused: %s", l, no.Rule, text)
			}
			said[text] = no.Rule
			if from, until := locale.Moment(l, at, loc), locale.Moment(l, at.Add(-time.Second), loc); !no.At.IsZero() && strings.Contains(text, from) == strings.Contains(text, until) {
				t.Errorf("%s: %s does not name its instant: %s", l, no.Rule, text)
			}
			if got := strings.Contains(text, no.Why(l, loc)+" "); got != (l == locale.En || l == locale.Ko) {
				t.Errorf("%s: a space between the sentences: %t", l, got)
			}
		}
	}
}

func TestRefusalsInWords(t *testing.T) {
	s := running(t, "koyomi-3gb", "2026-02-09 23:59:00", "2026-03-11 00:00:00")
	c := clockOf(t, s.Line.Plan)
	for _, tt := range []struct {
		now  string
		l    locale.Language
		want string
	}{
		{"2026-02-23 23:59:59", locale.En, "It is too early to renew this line. You can renew it from Tue 24 Feb 2026, 00:00 JST on."},
		{"2026-02-23 23:59:59", locale.ZhHans, "还没到可以续费的时间。自2026年2月24日（周二）00:00（日本时间）起可以续费。"},
		{"2026-02-23 23:59:59", locale.Ja, "まだ更新できる時期ではありません。2026年2月24日(火) 00:00 (日本時間)から更新できます。"},
		{"2026-03-11 00:00:00", locale.En, "This line could be renewed until Tue 10 Mar 2026, 23:59 JST. To go on, buy a new line of the same plan."},
		{"2026-03-11 00:00:00", locale.ZhHans, "这张上网卡的续费已于2026年3月10日（周二）23:59（日本时间）截止。如需继续上网，请购买同一套餐的新上网卡。"},
		{"2026-03-11 00:00:00", locale.Ja, "この回線を更新できたのは2026年3月10日(火) 23:59 (日本時間)まででした。引き続き利用するには、同じプランの新しい回線をお買い求めください。"},
	} {
		s.Now = c.at(tt.now)
		_, no := Decide(s, Item{Term, s.Line.Plan, "10d"})
		if no == nil {
			t.Fatalf("not refused at %s", tt.now)
		}
		if got := no.Text(tt.l, c.Location); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.l, got, tt.want)
		}
	}
}

// What cannot be paid like that names what can, and not what was tried.
func TestRefusedPaymentsNameTheOthers(t *testing.T) {
	s := running(t, "kaisha-month", "2026-03-01 09:00:00", "2026-04-01 00:00:00")
	c := clockOf(t, s.Line.Plan)
	s.Now = s.Line.EndsAt.Add(-day)
	item := Item{Term, s.Line.Plan, "1mo"}
	s.Currency = "TWD"
	if _, no := Decide(s, item); no.Text(locale.En, c.Location) != "This plan cannot be paid for in TWD. Choose one of these currencies: JPY, USD." {
		t.Error(no.Text(locale.En, c.Location))
	}
	s.Currency, s.Tool = "JPY", "alipay"
	if _, no := Decide(s, item); no.Text(locale.En, c.Location) != "This plan cannot be paid for in the way that you chose. Pay with one of these: card, PayPal, wallet." {
		t.Error(no.Text(locale.En, c.Location))
	}
	s.Tool = ""
	s.Catalogue = edited(t, "kaisha-month", func(p *catalogue.Plan) { p.Policy.MinimumSpend = []money.Money{money.Of(5000, "JPY")} })
	if _, no := Decide(s, item); !strings.Contains(no.Text(locale.Ja, c.Location), "1回あたり5,000円以上") {
		t.Error(no.Text(locale.Ja, c.Location))
	}
	s.Catalogue = edited(t, "kaisha-month", func(p *catalogue.Plan) {
		p.Policy.Currencies, p.Terms = nil, slices.Clone(p.Terms)
		p.Terms[0].Prices = nil
	})
	if _, no := Decide(s, item); no.Text(locale.En, c.Location) != "This is not sold in JPY. Choose another offer." {
		t.Error(no.Text(locale.En, c.Location))
	}
}

// shown are offers with every effect, as term and as pack.
func shown() map[string]Offer {
	start := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)
	base := Offer{StartsAt: start, EndsAt: start.Add(5 * day), Price: money.Of(500, "JPY"), Days: 5}
	all := map[string]Offer{}
	for _, e := range effects {
		o := base
		o.Item.Kind, o.Effect = Term, e
		all["term "+string(e)] = o
		if e == catalogue.Restart || e == catalogue.SameDay {
			o.Revives = true
			all["term revives "+string(e)] = o
		}
	}
	for name, o := range map[string]Offer{
		"pack volume": {Bytes: 1 << 30, PackageDays: 1}, "pack volumes": {Bytes: 1 << 30, PackageDays: 3},
		"pack speed": {PackageDays: 1}, "pack speeds": {PackageDays: 3},
	} {
		o.Item.Kind, o.Effect, o.StartsAt, o.EndsAt = Pack, catalogue.Adds, base.StartsAt, base.EndsAt
		all[name] = o
	}
	return all
}

func TestEveryEffectHasItsWords(t *testing.T) {
	loc := zone(t, "Asia/Tokyo").Location
	for _, l := range locale.All {
		said := map[string]string{}
		for name, o := range shown() {
			text := o.EffectText(l, loc)
			whole(t, l, name, text)
			if other, twice := said[text]; twice {
				t.Errorf("%s: %s says the same as %s", l, name, other)
			}
			said[text] = name
			if end := locale.Moment(l, calendar.LastSecond(o.EndsAt), loc); !strings.Contains(text, end) {
				t.Errorf("%s: %s does not name its end: %s", l, name, text)
			}
		}
	}
}

func TestAppendInWords(t *testing.T) {
	s := running(t, "machi-5gb", "2026-03-01 09:00:00", "2026-03-11 00:00:00")
	c := clockOf(t, s.Line.Plan)
	s.Now = s.Line.StartedAt
	o, _ := Decide(s, Item{Term, s.Line.Plan, "5d"})
	for l, want := range map[locale.Language]string{
		locale.En:     "The time is added to the end of your service without a gap: instead of Tue 10 Mar 2026, 23:59 JST it then ends Sun 15 Mar 2026, 23:59 JST.",
		locale.ZhHans: "时长接在原到期时间之后，中间不中断：到期时间由2026年3月10日（周二）23:59（日本时间）延至2026年3月15日（周日）23:59（日本时间）。",
		locale.Ja:     "今の終了日時の後に、途切れることなく足されます。終了は2026年3月10日(火) 23:59 (日本時間)から2026年3月15日(日) 23:59 (日本時間)に延びます。",
	} {
		if got := o.EffectText(l, c.Location); got != want {
			t.Errorf("%s:\n got %s\nwant %s", l, got, want)
		}
	}
	if got, want := o.SavingText(locale.En), "11% less per day than the shortest term."; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestUnusedDataHasItsWords(t *testing.T) {
	cases := map[string]Offer{
		"ended":     {Revives: true},
		"unlimited": {},
	}
	for _, rule := range []catalogue.DataRule{catalogue.DataCarried, catalogue.DataLost, catalogue.DataOwn} {
		cases[string(rule)] = Offer{Unused: Unused{Rule: rule, Limited: true, Bytes: 1_400_000_000}}
		cases[string(rule)+", not known"] = Offer{Unused: Unused{Rule: rule, Limited: true}}
	}
	cases["lost now"] = Offer{Effect: catalogue.Restart, Unused: Unused{Rule: catalogue.DataLost, Limited: true, Bytes: 1_400_000_000}}
	cases["lost now, not known"] = Offer{Effect: catalogue.Restart, Unused: Unused{Rule: catalogue.DataLost, Limited: true}}
	for _, l := range locale.All {
		said := map[string]string{}
		for name, o := range cases {
			text := o.UnusedText(l, 1e9)
			whole(t, l, name, text)
			if other, twice := said[text]; twice {
				t.Errorf("%s: %s says the same as %s", l, name, other)
			}
			said[text] = name
			if known := o.Unused.Bytes > 0; strings.Contains(text, "1.4") != known {
				t.Errorf("%s: %s: %s", l, name, text)
			}
		}
	}
}

func TestRefundsAndSavingsHaveTheirWords(t *testing.T) {
	loc := zone(t, "Asia/Tokyo").Location
	start := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)
	refunds := map[string]Offer{
		"never":         {Refund: catalogue.RefundNever},
		"before use":    {Refund: catalogue.RefundBeforeUse},
		"before start":  {Refund: catalogue.RefundBeforeStart, Effect: catalogue.Queue, StartsAt: start},
		"starts itself": {Refund: catalogue.RefundBeforeStart, Effect: catalogue.Restart, StartsAt: start},
	}
	figure := catalogue.Roaming{Home: "Home", PerDay: money.Of(1200, "USD"), AsOf: "2025", Source: "example.com"}
	for _, l := range locale.All {
		said := map[string]string{}
		say := func(name, text string) {
			t.Helper()
			whole(t, l, name, text)
			if other, twice := said[text]; twice {
				t.Errorf("%s: %s says the same as %s", l, name, other)
			}
			said[text] = name
		}
		for name, o := range refunds {
			say(name, o.RefundText(l, loc))
		}
		say("saving", Offer{Saving: 12}.SavingText(l))
		for _, why := range NoFigures {
			say(string(why), why.Text(l))
		}
		for name, price := range map[string]int64{"cheaper": 2650, "dearer": 13_000} {
			c, _ := compare(figure, money.Of(price, "USD"), 10)
			say(name, c.Text(l))
		}
		if text := (Offer{Saving: 0}).SavingText(l) + (Offer{Saving: -5}).SavingText(l) + NoFigure("").Text(l); text != "" {
			t.Errorf("%s: something is said of nothing: %s", l, text)
		}
	}
}

// Whatever is decided can be said.
func TestEveryDecisionCanBeSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations(t)
		op, _ := s.Catalogue.Operator("op")
		loc, err := op.Zone.Location()
		if err != nil {
			t.Fatal(err)
		}
		l := rapid.SampledFrom(locale.All).Draw(t, "language")
		for _, item := range allItems(s) {
			o, no := Decide(s, item)
			said := []string{}
			if no != nil {
				said = append(said, no.Text(l, loc))
			} else {
				said = append(said, o.EffectText(l, loc), o.UnusedText(l, op.GB), o.RefundText(l, loc))
			}
			for _, text := range said {
				if text == "" || strings.ContainsAny(text, "[]{}|#") || strings.Contains(text, ": .") {
					t.Fatalf("%v %v: %q", o, no, text)
				}
			}
		}
	})
}
