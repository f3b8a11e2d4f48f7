package catalogue

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/locale"
)

//go:embed texts.yaml
var textsFile []byte

var texts = locale.MustBook(textsFile)

// Sentence is one rule of a plan in words.
type Sentence struct {
	Key  string // names the rule, the same in every language
	Text string
}

// Sentences says all rules of a plan in l: what it gives, when its clock runs,
// when and with what effect a line of it can be renewed, what it costs at
// least, and since when the rules are known. The name and the prices of the
// plan are not in them. Two plans with the same sentences in one language have
// the same rules.
func Sentences(c *Catalogue, p Plan, l locale.Language) []Sentence {
	s := speaker{c: c, p: p, l: l}
	if o, known := c.Operator(p.Operator); known {
		s.operator = o
	}
	s.gives()
	s.facts()
	s.clock()
	if p.Policy.Renewable {
		s.when()
		s.effects()
		s.limits()
	} else {
		s.say("renew.never", nil)
	}
	s.packs()
	s.money()
	s.origin()
	return s.said
}

// speaker collects the sentences of one plan in one language.
type speaker struct {
	c        *Catalogue
	p        Plan
	operator Operator
	l        locale.Language
	said     []Sentence
}

func (s *speaker) say(key string, args locale.Args) {
	s.said = append(s.said, Sentence{key, texts.Say(s.l, key, args)})
}

// answer says yes or no to a question.
func (s *speaker) answer(key string, yes bool) {
	if yes {
		s.say(key+".yes", nil)
		return
	}
	s.say(key+".no", nil)
}

// gives says network and allowance.
func (s *speaker) gives() {
	if !s.p.OnSale {
		s.say("sale.closed", nil)
	}
	for _, n := range s.c.Networks {
		if n.ID == s.p.Network {
			s.say("network", locale.Args{"network": n.Name})
		}
	}
	args := locale.Args{"cap": s.volume(s.p.DailyCap), "speed": s.speed(s.p.ThrottleKbps)}
	switch {
	case s.p.Kind == Volume && s.p.ThrottleKbps == 0:
		s.say("allowance.volume.stop", nil)
	case s.p.Kind == Volume:
		s.say("allowance.volume.throttle", args)
	case s.p.Kind == Unlimited && s.p.DailyCap == 0:
		s.say("allowance.unlimited", nil)
	default:
		s.say("allowance."+string(s.p.Kind)+"."+string(s.p.Reset), args)
	}
	switch s.p.Reset {
	case ResetMidnight, ResetRolling, ResetMonthly:
		zone := s.p.ResetZone
		if zone == "" {
			zone = s.operator.Zone
		}
		s.say("reset."+string(s.p.Reset), locale.Args{"zone": s.zone(zone)})
	case ResetNone:
	}
}

func (s *speaker) facts() {
	f := s.p.Facts
	s.answer("tethering", f.Tethering)
	s.answer("phone_number", f.PhoneNumber)
	s.answer("sms", f.SMS)
	s.answer("five_g", f.FiveG)
	s.say("address_in", locale.Args{"country": s.country(f.AddressIn)})
	switch {
	case f.ESIM && f.PhysicalSIM:
		s.say("form.both", nil)
	case f.ESIM:
		s.say("form.esim", nil)
	default:
		s.say("form.physical", nil)
	}
	if f.ESIM {
		s.answer("reinstall", f.Reinstall)
	}
}

// clock says how long terms last and when the first of them begins. Terms with
// the same clock share a sentence.
func (s *speaker) clock() {
	clocks := []string{"term.day", "term.24h", "term.24h_to_day_end", "term.month", "term.year"}
	for _, key := range clocks {
		var items []string
		for _, t := range s.p.Terms {
			if clockOf(t) == key {
				items = append(items, s.item(t))
			}
		}
		if len(items) > 0 {
			s.say(key, locale.Args{"terms": s.list(items), "zone": s.zone(s.operator.Zone)})
		}
	}
	a := s.p.Activation
	s.say("start."+a.Start, nil)
	if a.Deadline.N == 0 {
		return
	}
	then := ".lost"
	if a.ByItself {
		then = ".starts"
	}
	s.say("deadline."+a.Start+then, locale.Args{"length": s.length(a.Deadline)})
}

func clockOf(t Term) string {
	switch t.Length.Unit {
	case calendar.Day:
		return "term.day"
	case calendar.Hours24:
		if t.ToDayEnd {
			return "term.24h_to_day_end"
		}
		return "term.24h"
	case calendar.Month:
		return "term.month"
	case calendar.Year:
		return "term.year"
	}
	return ""
}

func (s *speaker) item(t Term) string {
	if t.Volume == 0 {
		return s.length(t.Length)
	}
	return texts.Say(s.l, "term.item.volume", locale.Args{"length": s.length(t.Length), "volume": s.volume(t.Volume)})
}

// when says from when to when renewing is possible, and on which conditions.
func (s *speaker) when() {
	p := s.p.Policy
	if p.Opens.N == 0 {
		s.say("window.any", nil)
	} else {
		s.say("window.opens", locale.Args{"length": s.length(p.Opens)})
	}
	switch {
	case p.Grace.N != 0:
		key := "last.grace.day"
		if p.Grace.Unit == calendar.Hours24 {
			key = "last.grace.24h"
		}
		s.say(key, locale.Args{"length": s.length(p.Grace), "zone": s.zone(s.operator.Zone)})
	case p.Closes.N != 0:
		s.say("last.closes", locale.Args{"length": s.length(p.Closes)})
	default:
		s.say("last.end", nil)
	}
	if p.TerminalAfterEnd {
		s.say("terminal", nil)
	}
	for _, c := range p.Needs {
		s.say("needs."+string(c), nil)
	}
}

// effects says what renewing does to the line and to its data.
func (s *speaker) effects() {
	p := s.p.Policy
	zone := locale.Args{"zone": s.zone(s.operator.Zone)}
	s.say("effect."+string(p.Effect), zone)
	if p.EffectEmpty != "" && p.EffectEmpty != p.Effect {
		s.say("effect_empty."+string(p.EffectEmpty), zone)
	}
	if p.Grace.N != 0 {
		ended := p.EffectEnded
		if ended == "" {
			ended = Restart
		}
		s.say("effect_ended."+string(ended), zone)
	}
	if s.p.Kind == Volume {
		s.say("data."+string(p.Data), nil)
	} else {
		s.say("data."+string(p.Data)+".cap", nil)
	}
}

func (s *speaker) limits() {
	p := s.p.Policy
	if p.Stack.Periods != 0 {
		s.say("stack.periods", locale.Args{"periods": p.Stack.Periods})
	}
	if p.Stack.Ahead.N != 0 {
		s.say("stack.ahead", locale.Args{"length": s.length(p.Stack.Ahead)})
	}
	var plans []string
	for _, id := range p.ChangeTo {
		if other, known := s.c.Plan(id); known {
			plans = append(plans, other.NameIn(s.l))
		}
	}
	if len(plans) > 0 {
		s.say("change_to", locale.Args{"plans": s.list(plans)})
	}
}

func (s *speaker) packs() {
	if len(s.p.Packs) == 0 {
		if s.p.Kind != Unlimited || s.p.DailyCap != 0 {
			s.say("packs.none", nil)
		}
		return
	}
	for _, k := range s.p.Packs {
		what := "pack.volume."
		if k.FullSpeed {
			what = "pack.speed."
		}
		s.say(what+string(k.Until), locale.Args{"volume": s.volume(k.Volume), "zone": s.zone(s.operator.Zone)})
		if k.EachDay {
			s.say("pack.each_day", nil)
		}
	}
	for _, c := range s.p.Policy.PackNeeds {
		s.say("pack_needs."+string(c), nil)
	}
	s.say("pack.refund", nil)
}

// money says what limits paying, and when money comes back.
func (s *speaker) money() {
	p := s.p.Policy
	if len(p.MinimumSpend) > 0 {
		var amounts []string
		for _, m := range p.MinimumSpend {
			amounts = append(amounts, locale.Money(s.l, m))
		}
		s.say("minimum_spend", locale.Args{"amounts": s.list(amounts)})
	}
	if len(p.Currencies) > 0 {
		s.say("currencies", locale.Args{"currencies": listed(p.Currencies, texts.Say(s.l, "list.comma", nil))})
	}
	if len(p.Tools) > 0 {
		var tools []string
		for _, t := range p.Tools {
			tools = append(tools, texts.Say(s.l, "tool."+string(t), nil))
		}
		s.say("tools", locale.Args{"tools": s.list(tools)})
	}
	s.say("refund."+string(p.Refund), nil)
	if p.Identity {
		kept, from := p.Kept()
		s.say("identity", nil)
		s.say("identity.kept."+string(from), locale.Args{"length": s.length(kept)})
	}
}

// origin says how old the rules are and whom to ask.
func (s *speaker) origin() {
	date := s.p.RulesDate
	if t, err := time.Parse(time.DateOnly, date); err == nil {
		date = locale.Day(s.l, t, time.UTC)
	}
	s.say("rules.checked", locale.Args{"date": date})
	if s.c.Version != 0 {
		s.say("rules.version", locale.Args{"version": s.c.Version})
	}
	s.say("contact", locale.Args{"contact": s.c.Seller.Contact})
}

func (s *speaker) list(items []string) string {
	return listed(items, texts.Say(s.l, "list.comma", nil))
}

func (s *speaker) length(l calendar.Length) string {
	return texts.Say(s.l, "length."+string(l.Unit), locale.Args{"n": l.N})
}

func (s *speaker) volume(bytes int64) string { return volume(s.l, bytes, s.operator.GB) }

// volume is exact, unlike what is shown of usage: in GB where one decimal
// suffices, else in MB.
func volume(l locale.Language, bytes, gb int64) string {
	if gb != binaryGB && gb != decimalGB {
		gb = decimalGB // there is no such operator
	}
	if bytes < gb || bytes%gb*10%gb == 0 {
		return locale.Data(l, bytes, gb)
	}
	return locale.Number(l, bytes/megabyte(gb)) + " MB"
}

// speed is exact, too.
func (s *speaker) speed(kbps int) string {
	if kbps < 1000 || kbps%100 == 0 {
		return locale.Speed(s.l, kbps)
	}
	return locale.Number(s.l, int64(kbps)) + " kbps"
}

// zone is a zone's name in words where we have them.
func (s *speaker) zone(z calendar.Zone) string {
	if key := "zone." + string(z); texts.Has(key) {
		return texts.Say(s.l, key, nil)
	}
	return strings.ReplaceAll(string(z), "_", " ")
}

func (s *speaker) country(code string) string { return CountryName(s.l, code) }

// CountryName is a country (ISO 3166) in words, or its code where there are none.
func CountryName(l locale.Language, code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	names := display.Regions(language.MustParse(string(l)))
	if names == nil {
		return code
	}
	return names.Name(region)
}

// NameIn is the plan's name in l, or in the language that readers of l know
// best among those given.
func (p Plan) NameIn(l locale.Language) string { return cmp.Or(NameIn(p.Name, l), p.ID) }

// NameIn is the one of names in l, or in the language that readers of l know best
// among those given; "" where none is.
func NameIn(names map[locale.Language]string, l locale.Language) string {
	for _, l := range slices.Concat([]locale.Language{l}, nearest[l], []locale.Language{locale.En}) {
		if name := names[l]; name != "" {
			return name
		}
	}
	return ""
}

// nearest are the languages to try when a name is missing.
var nearest = map[locale.Language][]locale.Language{
	locale.ZhHant: {locale.ZhHans, locale.Ja},
	locale.ZhHans: {locale.ZhHant},
}
