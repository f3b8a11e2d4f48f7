package catalogue

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
)

// Read reads a catalogue file. name is what the file is called in messages.
// The error is [Mistakes]: everything that is wrong, each with its line.
//
// The format is YAML with one block for each type of this package; demo.yaml
// shows all of it. Amounts are written in the currency's major unit and volumes
// in GB or MB as the plan's operator counts them; both are read exactly.
func Read(name string, data []byte) (*Catalogue, error) {
	c, _, err := Check(name, data)
	return c, err
}

// Check is [Read] that also returns what is doubtful but allowed.
func Check(name string, data []byte) (*Catalogue, Mistakes, error) {
	return outcome(read(name, data))
}

func outcome(c *Catalogue, mistakes, warnings Mistakes) (*Catalogue, Mistakes, error) {
	if len(mistakes) > 0 {
		return nil, warnings, mistakes
	}
	return c, warnings, nil
}

// read returns a catalogue even when there are mistakes: whatever could be
// read of it.
func read(name string, data []byte) (c *Catalogue, mistakes, warnings Mistakes) {
	return readWith(name, data, nil)
}

func readWith(name string, data []byte, able map[string]Able) (c *Catalogue, mistakes, warnings Mistakes) {
	r := &reading{file: name}
	b := &book{Catalogue: &Catalogue{}, reading: r, able: able}
	if root := r.parse(data); root.there() {
		b.read(root)
	}
	return b.Catalogue, r.mistakes.tidy(), r.warnings.tidy()
}

// book is a catalogue while it is being read.
type book struct {
	*Catalogue
	*reading
	policies map[string]section // as they stand in the file
	drafts   []draft
	able     map[string]Able // by adapter; nil: nobody compares
	used     map[string]bool // "operator tabi", "network docomo", "policy queue-after"
}

// draft is a plan together with the places it was read from.
type draft struct {
	Plan
	at       section
	policyAt section
	termsAt  []section
	packsAt  []section

	sourcesAt []sourceAt
}

func (b *book) read(root place) {
	b.used = map[string]bool{}
	top := root.section("seller", "operators", "networks", "policies", "plans", "roaming")
	if !top.there() {
		return
	}
	b.Seller = seller(top.need("seller"))
	operators := top.need("operators").list()
	for _, at := range operators {
		b.Operators = append(b.Operators, operator(at))
	}
	networks := top.need("networks").list()
	for _, at := range networks {
		b.Networks = append(b.Networks, network(at))
	}
	unique(operators, "operator")
	unique(networks, "network")
	b.readPolicies(top.opt("policies"))
	b.readPlans(top.need("plans"))
	for _, at := range top.opt("roaming").list() {
		r := roaming(at)
		if i := slices.IndexFunc(b.Roaming, func(former Roaming) bool { return former.Home == r.Home }); r.Names == nil && i >= 0 {
			r.Names = b.Roaming[i].Names
		}
		b.Roaming = append(b.Roaming, r)
	}
	b.checkPlans()
	b.sayUnused(operators, "operator")
	b.sayUnknownCarriers(operators)
	b.sayUnused(networks, "network")
	for _, e := range top.opt("policies").entries() {
		if !b.used["policy "+e.key] {
			e.keyAt.doubtful("No plan uses the policy %q.", e.key)
		}
	}
}

func seller(at place) Seller {
	s := at.section("name", "contact", "zone", "invoice_number", "address", "base_currency", "taxes", "points", "exchange", "least_margin_percent")
	out := Seller{
		Name:          s.need("name").text(),
		Contact:       s.need("contact").text(),
		Zone:          s.need("zone").zone(),
		InvoiceNumber: s.opt("invoice_number").invoiceNumber(),
		Address:       s.need("address").text(),
		BaseCurrency:  word(s.need("base_currency"), currencies...),
	}
	taxes := s.need("taxes").list()
	for _, at := range taxes {
		out.Taxes = append(out.Taxes, taxClass(at))
	}
	unique(taxes, "tax class")
	points := s.opt("points").section("earn_per", "worth", "most_percent")
	out.Points = PointsRule{
		EarnPer: minorUnits(points.need("earn_per").amounts()),
		Worth:   minorUnits(points.need("worth").amounts()),

		MostPercent: int64(points.opt("most_percent").number(0, 100)),
	}
	out.Points.check(points)
	out.Exchange = exchange(s.opt("exchange"), out.BaseCurrency)
	if s.has("least_margin_percent") {
		out.LeastMargin.Percent, out.LeastMargin.Scale = s.opt("least_margin_percent").percent()
	}
	return out
}

// maxRateDays is how old a rate may be at most. The European Central Bank
// publishes on working days; its longest gap is five days, at Easter.
const maxRateDays = 14

func exchange(at place, base money.Currency) Exchange {
	if !at.there() {
		return Exchange{}
	}
	s := at.section("to", "margin_percent", "round_to", "max_days")
	out := Exchange{
		To:      words(s.need("to"), currencies...),
		RoundTo: minorUnits(s.opt("round_to").amounts()),
		MaxDays: s.need("max_days").number(1, maxRateDays),
	}
	out.Margin.Percent, out.Margin.Scale = s.opt("margin_percent").percent()
	if slices.Contains(out.To, base) {
		s.where("to").wrong("%s is the base currency: prices are converted from it.", base)
	}
	for c := range out.RoundTo {
		if !slices.Contains(out.To, c) {
			s.where("round_to").wrong("Nothing is converted to %s.", c)
		}
	}
	return out
}

// check finds a shop that gives back all that it takes.
func (r PointsRule) check(points section) {
	for _, c := range slices.Sorted(maps.Keys(r.EarnPer)) {
		if r.Worth[c] >= r.EarnPer[c] {
			points.where("worth").doubtful("A point is worth as much in %s as the amount that earns it.", c)
		}
	}
}

// minorUnits is nil for no amounts.
func minorUnits(amounts []money.Money) map[money.Currency]int64 {
	var out map[money.Currency]int64
	for _, m := range amounts {
		if out == nil {
			out = map[money.Currency]int64{}
		}
		out[m.Currency] = m.Minor
	}
	return out
}

func taxClass(at place) TaxClass {
	s := at.section("id", "percent", "reduced")
	percent, scale := s.need("percent").percent()
	return TaxClass{
		ID:      s.need("id").id(),
		Percent: percent,
		Scale:   scale,
		Reduced: s.opt("reduced").flag(),
	}
}

func operator(at place) Operator {
	s := at.section("id", "name", "carrier", "zone", "gb")
	out := Operator{
		ID:      s.need("id").id(),
		Name:    s.need("name").text(),
		Carrier: s.need("carrier").id(),
		Zone:    s.need("zone").zone(),
	}
	switch word(s.need("gb"), "binary", "decimal") {
	case "binary":
		out.GB = binaryGB
	case "decimal":
		out.GB = decimalGB
	}
	return out
}

func network(at place) Network {
	s := at.section("id", "name", "plmns", "bands", "layers")
	out := Network{ID: s.need("id").id(), Name: s.need("name").text()}
	for _, p := range s.need("plmns").list() {
		out.PLMNs = append(out.PLMNs, p.matching(isPLMN, "440-10"))
	}
	for _, p := range s.need("bands").list() {
		out.Bands = append(out.Bands, p.matching(isBand, "B19 or n78"))
	}
	if s.has("layers") {
		out.Layers = out.layers(s.opt("layers"))
	} else {
		s.where("bands").doubtful("The network has no layers, so the device check cannot say where a phone works.")
	}
	return out
}

// layers reads which of the network's bands carry what. It refuses a band that
// the network has not, and one in two layers: the device check would contradict
// itself.
func (n Network) layers(at place) Layers {
	s := at.section("main", "reach", "reach_more", "city", "five_g")
	seen := map[string]bool{}
	read := func(key string) (out []string) {
		at := s.opt(key)
		list := at.list()
		if len(list) == 0 && at.there() {
			at.breaks("The layer %s has no band. Name one, or leave layers out.", key)
		}
		for _, p := range list {
			band := p.matching(isBand, "B19 or n78")
			switch {
			case band == "":
				continue
			case !slices.Contains(n.Bands, band):
				p.breaks("The network has no band %s. Add it to bands, or remove it here.", band)
			case key == "five_g" && band[0] != 'n':
				p.breaks("%s is a 4G band. 5G bands begin with n.", band)
			case seen[band]:
				p.breaks("The band %s is in two layers.", band)
			}
			seen[band] = true
			out = append(out, band)
		}
		return out
	}
	s.need("main")
	s.need("reach")
	return Layers{Main: read("main"), Reach: read("reach"), ReachMore: read("reach_more"), City: read("city"), FiveG: read("five_g")}
}

func roaming(at place) Roaming {
	s := at.section("home", "names", "country", "per_day", "as_of", "source", "confidence")
	out := Roaming{
		Home:       s.need("home").text(),
		Names:      languages(s.opt("names")),
		Country:    s.need("country").country(),
		AsOf:       s.need("as_of").dated(),
		Source:     s.need("source").text(),
		Confidence: word(s.need("confidence"), "A", "B", "C", "K"),
	}
	prices := s.need("per_day").amounts()
	switch len(prices) {
	case 1:
		out.PerDay = prices[0]
	case 0: // told already
	default:
		s.where("per_day").wrong("One operator charges in one currency. Make an entry for each.")
	}
	return out
}

// named are the languages in which a seller must name a plan; the other pages say
// the name in the one their language falls back to.
var named = []locale.Language{locale.En, locale.ZhHans, locale.Ja}

// names are a plan's name in each language.
func names(at place) map[locale.Language]string {
	out := languages(at)
	for _, l := range named {
		if _, given := out[l]; !given && at.there() && at.node.Kind == yaml.MappingNode {
			at.wrong("The name in %s is missing.", string(l))
		}
	}
	return out
}

// languages are names in some languages; nil where there are none.
func languages(at place) map[locale.Language]string {
	if !at.there() {
		return nil
	}
	out := map[locale.Language]string{}
	for _, e := range at.entries() {
		l := locale.Language(e.key)
		if !slices.Contains(locale.All, l) {
			e.keyAt.wrong("%q is not one of the languages: %s.", e.key, listed(locale.All, ", "))
			continue
		}
		out[l] = e.value.text()
	}
	return out
}

// unique complains about IDs that occur twice in a list.
func unique(list []place, what string) {
	first := map[string]int{}
	for _, at := range list {
		id, ok := idOf(at)
		if !ok {
			continue
		}
		if line, repeated := first[id.Value]; repeated {
			place{r: at.r, node: id, path: at.path}.wrong("There is another %s %q on line %d.", what, id.Value, line)
			continue
		}
		first[id.Value] = id.Line
	}
}

// idOf is the value of id in a mapping.
func idOf(at place) (*yaml.Node, bool) {
	if !at.there() || at.node.Kind != yaml.MappingNode {
		return nil, false
	}
	for k := 0; k+1 < len(at.node.Content); k += 2 {
		if at.node.Content[k].Value == "id" && at.node.Content[k+1].Kind == yaml.ScalarNode {
			return at.node.Content[k+1], true
		}
	}
	return nil, false
}

func (b *book) sayUnused(list []place, what string) {
	for _, at := range list {
		if id, ok := idOf(at); ok && !b.used[what+" "+id.Value] {
			place{r: b.reading, node: id, path: at.path}.doubtful("No plan uses the %s %q.", what, id.Value)
		}
	}
}

// refer reads the ID of something that must be among known.
func (b *book) refer(at place, what string, known []string) string {
	id := at.id()
	if id == "" {
		return ""
	}
	b.used[what+" "+id] = true
	if !slices.Contains(known, id) {
		at.wrong("There is no %s %q%s", what, id, suggestion(id, known))
	}
	return id
}

func ids[T any](list []T, id func(T) string) []string {
	out := make([]string, len(list))
	for i, one := range list {
		out[i] = id(one)
	}
	return out
}
