package catalogue

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/internal/racetest"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
)

// Every text is there in every complete language.
func TestTextsAreComplete(t *testing.T) {
	if err := texts.Check(); err != nil {
		t.Error(err)
	}
}

// Whatever a rule's value is, there are words for it, and no words are left
// that nothing says.
func TestTextsFitTheRules(t *testing.T) {
	want := strings.Fields(`network sale.closed allowance.unlimited allowance.volume.stop allowance.volume.throttle
		allowance.daily_cap.midnight allowance.daily_cap.rolling address_in form.esim form.physical form.both
		term.day term.24h term.24h_to_day_end term.month term.year term.item.volume
		deadline.install.lost deadline.install.starts deadline.first_use.lost deadline.first_use.starts
		renew.never window.any window.opens last.end last.closes last.grace.day last.grace.24h terminal
		effect_ended.restart effect_ended.same_day data.lost.cap data.own.cap stack.periods stack.ahead change_to
		packs.none pack.each_day pack.refund minimum_spend currencies tools identity identity.kept.decision identity.kept.end rules.checked rules.version contact
		list.comma`)
	add := func(prefix string, words ...string) {
		for _, w := range words {
			want = append(want, prefix+w)
		}
	}
	for _, question := range []string{"tethering", "phone_number", "sms", "five_g", "reinstall"} {
		add(question, ".yes", ".no")
	}
	add("start.", "install", "first_use", "purchase")
	add("reset.", wordsOf(ResetMidnight, ResetRolling, ResetMonthly)...)
	add("allowance.unlimited.", wordsOf(ResetMidnight, ResetRolling, ResetMonthly)...)
	for _, prefix := range []string{"needs.", "pack_needs."} {
		add(prefix, wordsOf(NeedsStarted, NeedsRunning, NeedsDataLeft, NeedsNothingNext)...)
	}
	for _, prefix := range []string{"effect.", "effect_empty."} {
		add(prefix, wordsOf(Append, Queue, Restart, Parallel, SameDay, Adds)...)
	}
	for _, prefix := range []string{"pack.volume.", "pack.speed."} {
		add(prefix, wordsOf(RestOfPeriod, UntilReset, UntilDayEnd)...)
	}
	add("data.", wordsOf(DataCarried, DataLost, DataOwn)...)
	add("refund.", wordsOf(RefundNever, RefundBeforeStart, RefundBeforeUse)...)
	add("tool.", wordsOf(knownTools...)...)
	add("length.", wordsOf(calendar.Day, calendar.Hours24, calendar.Month, calendar.Year)...)
	for _, key := range texts.Keys() {
		if strings.HasPrefix(key, "zone.") {
			want = append(want, key)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, texts.Keys()); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
}

func wordsOf[T ~string](words ...T) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}

// A zone's words are about a zone that exists.
func TestZoneWordsNameZones(t *testing.T) {
	for _, key := range texts.Keys() {
		if name, ok := strings.CutPrefix(key, "zone."); ok {
			if _, err := calendar.LoadZone(name); err != nil {
				t.Error(err)
			}
		}
	}
}

// Every plan of the demo is said in every language without a gap, and in its
// own script.
func TestSentencesHaveNoGaps(t *testing.T) {
	c := Demo()
	c.Version = 3
	for _, p := range c.Plans {
		for _, l := range locale.All {
			for _, s := range Sentences(c, p, l) {
				if strings.ContainsAny(s.Text, "[]{}") || strings.TrimSpace(s.Text) == "" {
					t.Errorf("%s, %s, %s: %q", p.ID, l, s.Key, s.Text)
				}
				if l == locale.En && strings.ContainsFunc(s.Text, func(r rune) bool { return r > 0x2fff }) {
					t.Errorf("%s, %s: not English: %q", p.ID, s.Key, s.Text)
				}
			}
		}
	}
}

// Volumes and speeds are exact: rounded, a rule would promise what is not so.
func TestVolumesAndSpeedsAreExact(t *testing.T) {
	tests := []struct {
		bytes, gb int64
		want      string
	}{
		{5 << 30, binaryGB, "5 GB"},
		{3 << 29, binaryGB, "1.5 GB"},
		{1280 << 20, binaryGB, "1,280 MB"},
		{1000 << 20, binaryGB, "1,000 MB"},
		{1_250_000_000, decimalGB, "1,250 MB"},
		{1_100_000_000, decimalGB, "1.1 GB"},
		{500_000_000, decimalGB, "500 MB"},
		{maxVolume, decimalGB, "100,000 GB"},
	}
	for _, tt := range tests {
		if got := volume(locale.En, tt.bytes, tt.gb); got != tt.want {
			t.Errorf("%d bytes are %q, want %q", tt.bytes, got, tt.want)
		}
	}
	s := speaker{l: locale.En}
	for kbps, want := range map[int]string{128: "128 kbps", 1500: "1.5 Mbps", 1050: "1,050 kbps", 5000: "5 Mbps"} {
		if got := s.speed(kbps); got != want {
			t.Errorf("%d kbps are %q, want %q", kbps, got, want)
		}
	}
}

// variation changes one field of a plan, in each of several ways.
type variation struct {
	field string
	of    func(Plan) []Plan
}

func vary[T any](field string, set func(*Plan, T), values ...T) variation {
	return variation{field, func(p Plan) []Plan {
		var out []Plan
		for _, v := range values {
			changed := p
			changed.Terms, changed.Packs = slices.Clone(p.Terms), slices.Clone(p.Packs)
			set(&changed, v)
			out = append(out, changed)
		}
		return out
	}}
}

// variations are at least one for every field of Policy, and for the facts of a
// plan that are said.
func variations() []variation {
	days := func(n int) calendar.Length { return calendar.Length{N: n, Unit: calendar.Day} }
	hours := func(n int) calendar.Length { return calendar.Length{N: n, Unit: calendar.Hours24} }
	month, year := calendar.Length{N: 1, Unit: calendar.Month}, calendar.Length{N: 1, Unit: calendar.Year}
	none := calendar.Length{}
	yen, dollars := money.Of(500, "JPY"), money.Of(350, "USD")
	zones := []calendar.Zone{"", "UTC", "Asia/Tokyo", "Asia/Shanghai", "America/New_York"}
	return slices.Concat(policyVariations(), []variation{
		vary("Opens", func(p *Plan, l calendar.Length) { p.Policy.Opens = l }, none, days(3), hours(3), days(10), month, year),
		vary("Closes", func(p *Plan, l calendar.Length) { p.Policy.Closes = l }, none, days(1), hours(1), days(2)),
		vary("Grace", func(p *Plan, l calendar.Length) { p.Policy.Grace = l }, none, days(1), hours(1), days(60), month, year),
		vary("Stack", func(p *Plan, s Stack) { p.Policy.Stack = s },
			Stack{}, Stack{Periods: 2}, Stack{Periods: 4}, Stack{Ahead: days(366)}, Stack{Ahead: year}, Stack{Periods: 2, Ahead: year}),
		vary("MinimumSpend", func(p *Plan, m []money.Money) { p.Policy.MinimumSpend = m },
			nil, []money.Money{yen}, []money.Money{dollars}, []money.Money{yen, dollars}, []money.Money{money.Of(501, "JPY")}),
		vary("cap", func(p *Plan, n int64) { p.DailyCap = n }, 100_000_000, 500<<20, 1e9, 1<<30, 1_250_000_000, 1280<<20, 1300<<20),
		vary("throttle", func(p *Plan, n int) { p.ThrottleKbps = n }, 0, 128, 999, 1000, 1049, 1050, 2000),
		vary("reset", func(p *Plan, r Reset) { p.Reset = r }, ResetMidnight, ResetRolling, ResetMonthly),
		vary("reset zone", func(p *Plan, z calendar.Zone) { p.ResetZone = z }, zones...),
		vary("network", func(p *Plan, n string) { p.Network = n }, "docomo", "kddi", "softbank", "rakuten"),
		vary("on sale", func(p *Plan, b bool) { p.OnSale = b }, false, true),
		vary("rules date", func(p *Plan, s string) { p.RulesDate = s }, "2026-01-01", "2026-01-02"),
		vary("tethering", func(p *Plan, b bool) { p.Facts.Tethering = b }, false, true),
		vary("number", func(p *Plan, b bool) { p.Facts.PhoneNumber = b }, false, true),
		vary("sms", func(p *Plan, b bool) { p.Facts.SMS = b }, false, true),
		vary("5G", func(p *Plan, b bool) { p.Facts.FiveG = b }, false, true),
		vary("address", func(p *Plan, s string) { p.Facts.AddressIn = s }, "JP", "HK", "TW", "CN", "GB", "VA"),
		vary("reinstall", func(p *Plan, b bool) { p.Facts.Reinstall = b }, false, true),
		vary("esim", func(p *Plan, b bool) { p.Facts.ESIM = b }, false, true),
		vary("physical", func(p *Plan, b bool) { p.Facts.PhysicalSIM = b }, false, true),
		vary("start", func(p *Plan, s string) { p.Activation.Start = s }, "install", "first_use", "purchase"),
		vary("deadline", func(p *Plan, l calendar.Length) { p.Activation.Deadline = l }, none, days(30), hours(30), month),
		vary("by itself", func(p *Plan, b bool) { p.Activation.ByItself = b }, false, true),
		vary("length", func(p *Plan, l calendar.Length) { p.Terms[0].Length = l }, days(1), days(4), hours(1), hours(4), month, year),
		vary("to day end", func(p *Plan, b bool) { p.Terms[0].ToDayEnd = b }, false, true),
		vary("volume", func(p *Plan, n int64) { p.Terms[0].Volume = n }, 1e9, 1<<30, 1_250_000_000, 1280<<20),
		firstPack("each day", func(k *Pack) { k.EachDay = !k.EachDay }),
		firstPack("until", func(k *Pack) { k.Until = RestOfPeriod }),
		firstPack("until", func(k *Pack) { k.Until = UntilDayEnd }),
		vary("packs", func(p *Plan, list []Pack) { p.Packs = list }, packLists()...),
	})
}

func firstPack(field string, change func(*Pack)) variation {
	return variation{field, func(p Plan) []Plan {
		p.Packs = slices.Clone(p.Packs)
		if len(p.Packs) > 0 {
			change(&p.Packs[0])
		}
		return []Plan{p}
	}}
}

func packLists() [][]Pack {
	price := []money.Money{}
	for _, c := range currencies {
		price = append(price, money.Of(10_000_000, c))
	}
	var out [][]Pack
	for _, until := range []Until{RestOfPeriod, UntilReset, UntilDayEnd} {
		for _, eachDay := range []bool{false, true} {
			for _, k := range []Pack{{Volume: 1e9}, {Volume: 2e9}, {Volume: 1 << 30}, {FullSpeed: true}} {
				k.ID, k.Until, k.EachDay, k.Package, k.Prices = "p", until, eachDay, "P", price
				out = append(out, []Pack{k})
			}
		}
	}
	return append(out, nil)
}

func policyVariations() []variation {
	conditions := [][]Condition{nil, {NeedsStarted}, {NeedsRunning}, {NeedsDataLeft}, {NeedsNothingNext}, {NeedsStarted, NeedsRunning}}
	effects := []Effect{"", Append, Queue, Restart, Parallel, SameDay, Adds}
	return []variation{
		{"Renewable", func(p Plan) []Plan {
			out := []Plan{p, p, p} // alone it is a contradiction, so its fellows change with it
			if p.Policy.Renewable {
				out = out[:1]
				out[0].Policy = Policy{
					Refund: p.Policy.Refund, Identity: p.Policy.Identity,
					IdentityKept: p.Policy.IdentityKept, IdentityFrom: p.Policy.IdentityFrom, PackNeeds: p.Policy.PackNeeds,
					Currencies: p.Policy.Currencies, Tools: p.Policy.Tools,
				}
				return out
			}
			for i, e := range []Effect{Append, Queue, SameDay} {
				out[i].Policy.Renewable, out[i].Policy.Effect, out[i].Policy.Data = true, e, DataLost
			}
			return out
		}},
		vary("TerminalAfterEnd", func(p *Plan, b bool) { p.Policy.TerminalAfterEnd = b }, false, true),
		vary("Needs", func(p *Plan, list []Condition) { p.Policy.Needs = list }, conditions...),
		vary("Effect", func(p *Plan, e Effect) { p.Policy.Effect = e }, effects...),
		vary("EffectEnded", func(p *Plan, e Effect) { p.Policy.EffectEnded = e }, effects...),
		vary("EffectEmpty", func(p *Plan, e Effect) { p.Policy.EffectEmpty = e }, effects...),
		vary("Data", func(p *Plan, d DataRule) { p.Policy.Data = d }, DataCarried, DataLost, DataOwn),
		vary("Currencies", func(p *Plan, list []money.Currency) { p.Policy.Currencies = list },
			nil, []money.Currency{"JPY"}, []money.Currency{"JPY", "USD"}, []money.Currency{"JPY", "USD", "KRW"}),
		vary("Tools", func(p *Plan, list []Tool) { p.Policy.Tools = list },
			nil, []Tool{"card"}, []Tool{"wallet"}, []Tool{"card", "wallet", "points"}, knownTools),
		vary("Refund", func(p *Plan, r RefundRule) { p.Policy.Refund = r }, RefundNever, RefundBeforeStart, RefundBeforeUse),
		vary("Identity", func(p *Plan, b bool) { p.Policy.Identity = b }, false, true),
		vary("IdentityKept", func(p *Plan, l calendar.Length) { p.Policy.IdentityKept = l },
			calendar.Length{}, calendar.Length{N: 1, Unit: calendar.Day}, calendar.Length{N: 90, Unit: calendar.Day}, calendar.Length{N: 3, Unit: calendar.Year}),
		vary("IdentityFrom", func(p *Plan, f KeptFrom) { p.Policy.IdentityFrom = f }, "", FromDecision, FromEnd),
		vary("ChangeTo", func(p *Plan, list []string) { p.Policy.ChangeTo = list },
			nil, []string{"first-other"}, []string{"second-other"}, []string{"first-other", "second-other"}),
		vary("PackNeeds", func(p *Plan, list []Condition) { p.Policy.PackNeeds = list }, conditions...),
	}
}

// around is a catalogue of one plan and two others of its operator.
func around(demo *Catalogue, p Plan) *Catalogue {
	c := *demo
	c.Roaming = nil
	c.Plans = []Plan{p}
	for i, id := range []string{"first-other", "second-other"} {
		other := Plan{
			ID: id, Operator: p.Operator, Network: p.Network, Kind: Unlimited, Reset: ResetNone, OnSale: true,
			Name:       map[locale.Language]string{},
			Facts:      Facts{ESIM: true, AddressIn: "JP"},
			Activation: Activation{Start: "purchase"},
			Terms: []Term{{
				ID: "a", Length: calendar.Length{N: i + 1, Unit: calendar.Day}, Package: "A", Prices: []money.Money{money.Of(1, "JPY")},
			}},
			Policy:   Policy{Refund: RefundNever},
			TaxClass: "standard", RulesDate: "2026-01-01", RulesSource: "x",
		}
		for _, l := range locale.All {
			other.Name[l] = id
		}
		c.Plans = append(c.Plans, other)
	}
	return &c
}

// meaning is a plan without the differences that are none: defaults written
// out, and the order of lists.
func meaning(c *Catalogue, p Plan) Plan {
	o, _ := c.Operator(p.Operator)
	if p.ResetZone == o.Zone {
		p.ResetZone = ""
	}
	if p.Policy.Grace.N != 0 && p.Policy.EffectEnded == "" {
		p.Policy.EffectEnded = Restart
	}
	if p.Policy.Identity {
		p.Policy.IdentityKept, p.Policy.IdentityFrom = p.Policy.Kept()
	}
	if p.Policy.EffectEmpty == p.Policy.Effect {
		p.Policy.EffectEmpty = ""
	}
	p.Packs = slices.Clone(p.Packs)
	for i := range p.Packs { // names and prices are no rules
		p.Packs[i].ID, p.Packs[i].Package, p.Packs[i].Prices = "", "", nil
	}
	return p
}

func said(c *Catalogue, p Plan, l locale.Language) string {
	var b strings.Builder
	for _, s := range Sentences(c, p, l) {
		b.WriteString(s.Text + "\n")
	}
	return b.String()
}

// step checks one change of a valid plan. It returns the changed plan, and
// whether that is valid and means something else.
func step(t interface {
	Errorf(string, ...any)
	Fatal(...any)
}, demo *Catalogue, from, to Plan, field string,
) (Plan, bool) {
	c := around(demo, to)
	read, mistakes, _ := read("step", fileOf(t, c))
	if len(mistakes) > 0 {
		return from, false
	}
	was := around(demo, from)
	got := read.Plans[0]
	if cmp.Equal(meaning(was, from), meaning(read, got)) {
		return from, false
	}
	for _, l := range locale.All {
		if said(was, from, l) == said(read, got, l) {
			t.Errorf("%s: %s changed and the words in %s did not:\n%s\n%s", from.ID, field, l,
				cmp.Diff(from, got), said(read, got, l))
		}
	}
	return got, true
}

// From a plan of each sort, each change of a single rule changes the words.
// Every field of Policy is among what changes.
func TestEveryRuleIsSaid(t *testing.T) {
	racetest.Skip(t)
	demo := Demo()
	changed := map[string]int{}
	for _, id := range strings.Fields(`hinode-visitor-5 shirakaba-steady sumire-voice tsumugi-light tsubame-data
		aurora-rolling kaigan-2gb ichiba-speed yokocho-base fuji-quarter tsukimi-20`) {
		p, _ := demo.Plan(id)
		p.Policy.ChangeTo = nil
		for _, v := range variations() {
			for _, to := range v.of(p) {
				if _, ok := step(t, demo, p, to, v.field); ok {
					changed[v.field]++
				}
			}
		}
	}
	for f := range reflect.TypeFor[Policy]().Fields() {
		if changed[f.Name] == 0 {
			t.Errorf("no valid change of Policy.%s was tried", f.Name)
		}
	}
	for _, v := range variations() {
		if changed[v.field] == 0 {
			t.Errorf("no valid change of %s was tried", v.field)
		}
	}
	if t.Failed() {
		t.Log(maps.Collect(maps.All(changed)))
	}
}

// The same holds for plans that nobody wrote: on a random walk from valid plan
// to valid plan, each step changes the words.
func TestEveryRuleIsSaidOfAnyPlan(t *testing.T) {
	racetest.Skip(t)
	demo := Demo()
	all := variations()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(demo.Plans).Draw(t, "plan")
		p.Policy.ChangeTo = nil
		for range 12 {
			v := rapid.SampledFrom(all).Draw(t, "field")
			to := rapid.SampledFrom(v.of(p)).Draw(t, "change")
			p, _ = step(t, demo, p, to, v.field)
		}
	})
}
