package catalogue

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
)

// Change is one difference between two catalogues, for the staff who decide
// whether to apply a file.
type Change struct {
	Subject string // "plan tokyo-7, term 7d"
	Text    string // "price in JPY: 1980 → 2080", "added", "removed"
}

// String is the change on one line.
func (c Change) String() string { return c.Subject + ": " + c.Text }

// Diff says in words what becomes different when next replaces old, in the
// order of next; what is no longer there comes last. Version and time of
// applying are no differences, and neither is the order of a list.
func Diff(old, next *Catalogue) []Change {
	before, after := sheetsOf(old), sheetsOf(next)
	were, are := bySubject(before), bySubject(after)
	var out []Change
	for _, s := range after {
		was, known := were[s.subject]
		_, parentKnown := were[s.parent]
		switch {
		case known:
			out = append(out, s.since(was)...)
		case s.parent == "" || parentKnown: // the parts of something new need no mention
			out = append(out, Change{s.subject, "added"})
		}
	}
	for _, s := range before {
		_, still := are[s.subject]
		_, parentStill := are[s.parent]
		if !still && (s.parent == "" || parentStill) {
			out = append(out, Change{s.subject, "removed"})
		}
	}
	return out
}

// sheet is everything that is said of one thing.
type sheet struct {
	subject string
	parent  string // the subject that it is a part of
	facts   []fact
}

type fact struct{ name, value string }

func (s *sheet) put(name string, value any) {
	s.facts = append(s.facts, fact{name, fmt.Sprint(value)})
}

func (s *sheet) prices(name string, list []money.Money) {
	for _, m := range list {
		s.put(name+" in "+string(m.Currency), m.Decimal())
	}
}

// since lists what s says otherwise than was.
func (s *sheet) since(was *sheet) []Change {
	var out []Change
	say := func(name, from, to string) {
		if from != to {
			out = append(out, Change{s.subject, name + ": " + orNone(from) + " → " + orNone(to)})
		}
	}
	then := was.named()
	for _, f := range s.facts {
		say(f.name, then[f.name], f.value)
	}
	now := s.named()
	for _, f := range was.facts {
		if _, still := now[f.name]; !still {
			say(f.name, f.value, "")
		}
	}
	return out
}

func (s *sheet) named() map[string]string {
	out := make(map[string]string, len(s.facts))
	for _, f := range s.facts {
		out[f.name] = f.value
	}
	return out
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

func bySubject(list []*sheet) map[string]*sheet {
	out := make(map[string]*sheet, len(list))
	for _, s := range list {
		out[s.subject] = s
	}
	return out
}

func sheetsOf(c *Catalogue) []*sheet {
	out := sellerSheets(c.Seller)
	for _, o := range c.Operators {
		s := &sheet{subject: "operator " + o.ID}
		s.put("name", o.Name)
		s.put("adapter", o.Carrier)
		s.put("zone", o.Zone)
		s.put("bytes of a GB", o.GB)
		out = append(out, s)
	}
	for _, n := range c.Networks {
		s := &sheet{subject: "network " + n.ID}
		s.put("name", n.Name)
		s.put("codes", set(n.PLMNs))
		s.put("bands", set(n.Bands))
		s.put("main layer", set(n.Layers.Main))
		s.put("reaching layer", set(n.Layers.Reach))
		s.put("bands that help to reach", set(n.Layers.ReachMore))
		s.put("city layer", set(n.Layers.City))
		s.put("5G layer", set(n.Layers.FiveG))
		out = append(out, s)
	}
	for _, p := range c.Plans {
		out = append(out, planSheets(c, p)...)
	}
	for i, r := range c.Roaming {
		s := &sheet{subject: fmt.Sprintf("roaming %d, %s", i+1, r.Home)}
		s.put("country", r.Country)
		for _, l := range locale.All {
			s.put("name in "+string(l), r.Names[l])
		}
		s.put("price of a day", r.PerDay.Decimal()+" "+string(r.PerDay.Currency))
		s.put("as of", r.AsOf)
		s.put("source", r.Source)
		s.put("confidence", r.Confidence)
		out = append(out, s)
	}
	return out
}

func sellerSheets(seller Seller) []*sheet {
	s := &sheet{subject: "seller"}
	s.put("name", seller.Name)
	s.put("contact", seller.Contact)
	s.put("zone", seller.Zone)
	s.put("invoice number", seller.InvoiceNumber)
	s.put("address", seller.Address)
	s.put("base currency", seller.BaseCurrency)
	for _, c := range slices.Sorted(maps.Keys(seller.Points.EarnPer)) {
		s.put("amount that earns a point in "+string(c), money.Of(seller.Points.EarnPer[c], c).Decimal())
	}
	for _, c := range slices.Sorted(maps.Keys(seller.Points.Worth)) {
		s.put("worth of a point in "+string(c), money.Of(seller.Points.Worth[c], c).Decimal())
	}
	s.put("most percent of a price that points pay", seller.Points.MostPercent)
	s.put("prices converted to", set(seller.Exchange.To))
	s.put("margin of the exchange", percentOf(seller.Exchange.Margin.Percent, seller.Exchange.Margin.Scale))
	s.put("days that a rate may be old", seller.Exchange.MaxDays)
	for _, c := range slices.Sorted(maps.Keys(seller.Exchange.RoundTo)) {
		s.put("converted prices rounded up to, in "+string(c), money.Of(seller.Exchange.RoundTo[c], c).Decimal())
	}
	s.put("least margin", percentOf(seller.LeastMargin.Percent, seller.LeastMargin.Scale))
	out := []*sheet{s}
	for _, t := range seller.Taxes {
		tax := &sheet{subject: "tax class " + t.ID}
		tax.put("percent", percentOf(t.Percent, t.Scale))
		tax.put("reduced", t.Reduced)
		out = append(out, tax)
	}
	return out
}

// percentOf writes a rate as the file does: "10", "8.5".
func percentOf(percent, scale int64) string {
	if scale <= 1 {
		return fmt.Sprint(percent)
	}
	decimals := len(fmt.Sprint(scale)) - 1
	return fmt.Sprintf("%d.%0*d", percent/scale, decimals, percent%scale)
}

func planSheets(c *Catalogue, p Plan) []*sheet {
	gb := int64(0)
	if o, known := c.Operator(p.Operator); known {
		gb = o.GB
	}
	s := &sheet{subject: "plan " + p.ID}
	s.put("operator", p.Operator)
	s.put("network", p.Network)
	for _, l := range locale.All {
		if p.Name[l] != "" {
			s.put("name in "+string(l), p.Name[l])
		}
	}
	s.put("kind", p.Kind)
	s.put("cap", volumeOrNone(p.DailyCap, gb))
	s.put("throttle in kbps", p.ThrottleKbps)
	s.put("reset", p.Reset)
	s.put("zone of the reset", p.ResetZone)
	s.put("tax class", p.TaxClass)
	s.put("warned of stock at", p.StockLow)
	s.put("on sale", p.OnSale)
	s.put("rules' date", p.RulesDate)
	s.put("rules' source", p.RulesSource)
	s.put("compared with roaming", p.RoamingAdvice)
	s.factsAndActivation(p.Facts, p.Activation)
	s.policy(p.Policy)
	out := []*sheet{s}
	for _, t := range p.Terms {
		out = append(out, termSheet(s.subject, t, gb))
	}
	for _, k := range p.Packs {
		out = append(out, packSheet(s.subject, k, gb))
	}
	for _, from := range p.Sources {
		out = append(out, sourceSheet(s.subject, from))
	}
	return out
}

func (s *sheet) factsAndActivation(f Facts, a Activation) {
	s.put("tethering", f.Tethering)
	s.put("phone number", f.PhoneNumber)
	s.put("SMS", f.SMS)
	s.put("5G", f.FiveG)
	s.put("internet address in", f.AddressIn)
	s.put("can be installed again", f.Reinstall)
	s.put("eSIM", f.ESIM)
	s.put("physical SIM", f.PhysicalSIM)
	s.put("clock starts at", a.Start)
	s.put("activation deadline", lengthOrNone(a.Deadline))
	s.put("clock starts by itself", a.ByItself)
}

func (s *sheet) policy(p Policy) {
	s.put("policy, renewable", p.Renewable)
	s.put("policy, opens", lengthOrNone(p.Opens))
	s.put("policy, closes", lengthOrNone(p.Closes))
	s.put("policy, grace", lengthOrNone(p.Grace))
	s.put("policy, dead after its end", p.TerminalAfterEnd)
	s.put("policy, needs", set(p.Needs))
	s.put("policy, effect", p.Effect)
	s.put("policy, effect after the end", p.EffectEnded)
	s.put("policy, effect without data", p.EffectEmpty)
	s.put("policy, unused data", p.Data)
	s.put("policy, stack in periods", p.Stack.Periods)
	s.put("policy, stack ahead", lengthOrNone(p.Stack.Ahead))
	s.prices("policy, minimum spend", p.MinimumSpend)
	s.put("policy, currencies", set(p.Currencies))
	s.put("policy, tools", set(p.Tools))
	s.put("policy, refund", p.Refund)
	s.put("policy, identity check", p.Identity)
	s.put("policy, papers kept for", lengthOrNone(p.IdentityKept))
	s.put("policy, papers kept from", p.IdentityFrom)
	s.put("policy, can change to", set(p.ChangeTo))
	s.put("policy, packs need", set(p.PackNeeds))
}

func termSheet(plan string, t Term, gb int64) *sheet {
	s := &sheet{subject: plan + ", term " + t.ID, parent: plan}
	s.put("length", lengthOrNone(t.Length))
	s.put("to the end of the day", t.ToDayEnd)
	s.put("volume", volumeOrNone(t.Volume, gb))
	s.put("package", t.Package)
	s.put("package of a new eSIM", t.NewPackage)
	s.put("new eSIM from stock", t.FromStock)
	s.put("days asked of the package", t.PackageDays)
	s.prices("price", t.Prices)
	s.put("cost", costOrNone(t.Cost))
	s.put("cost of a new eSIM", costOrNone(t.NewCost))
	return s
}

func costOrNone(m money.Money) string {
	if m == (money.Money{}) {
		return ""
	}
	return m.Decimal() + " " + string(m.Currency)
}

func packSheet(plan string, k Pack, gb int64) *sheet {
	s := &sheet{subject: plan + ", pack " + k.ID, parent: plan}
	s.put("volume", volumeOrNone(k.Volume, gb))
	s.put("full speed", k.FullSpeed)
	s.put("until", k.Until)
	s.put("one for each day", k.EachDay)
	s.put("package", k.Package)
	s.prices("price", k.Prices)
	s.put("cost", costOrNone(k.Cost))
	return s
}

func sourceSheet(plan string, from Source) *sheet {
	s := &sheet{subject: plan + ", from " + from.Operator, parent: plan}
	for _, t := range from.Terms {
		s.put("package of "+t.ID, t.Package)
		s.put("package of a new eSIM of "+t.ID, t.NewPackage)
		s.put("days asked of the package of "+t.ID, t.PackageDays)
		s.put("cost of "+t.ID, costOrNone(t.Cost))
		s.put("cost of a new eSIM of "+t.ID, costOrNone(t.NewCost))
	}
	for _, k := range from.Packs {
		s.put("package of pack "+k.ID, k.Package)
		s.put("cost of pack "+k.ID, costOrNone(k.Cost))
	}
	return s
}

func volumeOrNone(bytes, gb int64) string {
	if bytes == 0 {
		return ""
	}
	return volume(locale.En, bytes, gb)
}

// set joins words whose order does not matter.
func set[T ~string](words []T) string {
	sorted := make([]string, len(words))
	for i, w := range words {
		sorted[i] = string(w)
	}
	slices.Sort(sorted)
	return strings.Join(sorted, ", ")
}

func lengthOrNone(l calendar.Length) string {
	if l.N == 0 {
		return ""
	}
	return l.String()
}
