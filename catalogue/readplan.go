package catalogue

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/tsuzuku/tsuzuku/money"
)

func (b *book) readPlans(at place) {
	list := at.list()
	for _, one := range list {
		d := b.plan(one)
		b.drafts = append(b.drafts, d)
		b.Plans = append(b.Plans, d.Plan)
	}
	unique(list, "plan")
	if at.there() && at.node.Kind == yaml.SequenceNode && len(list) == 0 {
		at.wrong("There is no plan.")
	}
}

func (b *book) plan(at place) draft {
	s := at.section("id", "operator", "network", "name", "kind", "cap", "throttle_kbps", "reset", "reset_zone",
		"facts", "activation", "terms", "packs", "sources", "policy", "tax_class", "stock_low", "on_sale", "rules_date", "rules_source", "roaming_advice")
	d := draft{at: s}
	d.ID = s.need("id").id()
	d.Operator = b.refer(s.need("operator"), "operator", ids(b.Operators, func(o Operator) string { return o.ID }))
	d.Network = b.refer(s.need("network"), "network", ids(b.Networks, func(n Network) string { return n.ID }))
	d.Name = names(s.need("name"))
	d.Kind = word(s.need("kind"), Unlimited, DailyCap, Volume)
	gb := int64(0)
	if o, known := b.Operator(d.Operator); known {
		gb = o.GB
	}
	d.DailyCap = s.opt("cap").bytes(gb)
	d.ThrottleKbps = s.opt("throttle_kbps").number(1, maxKbps)
	d.Reset = ResetNone
	if s.has("reset") {
		d.Reset = word(s.opt("reset"), ResetNone, ResetMidnight, ResetRolling, ResetMonthly)
	}
	d.ResetZone = s.opt("reset_zone").zone()
	d.Facts = facts(s.need("facts"))
	d.Activation = activation(s.need("activation"))
	d.readTerms(s.need("terms"), gb)
	d.readPacks(s.opt("packs"), gb)
	b.readSources(&d, s.opt("sources"))
	d.policyAt = b.policyOf(s.need("policy"))
	d.Policy = policy(d.policyAt)
	d.TaxClass = b.refer(s.need("tax_class"), "tax class", ids(b.Seller.Taxes, func(t TaxClass) string { return t.ID }))
	d.StockLow = s.opt("stock_low").number(1, maxStockLow)
	d.OnSale = !s.has("on_sale") || s.opt("on_sale").flag()
	d.RulesDate = s.need("rules_date").date()
	d.RulesSource = s.need("rules_source").text()
	d.RoamingAdvice = s.opt("roaming_advice").flag()
	return d
}

func facts(at place) Facts {
	s := at.section("tethering", "phone_number", "sms", "five_g", "address_in", "reinstall", "esim", "physical_sim")
	return Facts{
		Tethering:   s.need("tethering").flag(),
		PhoneNumber: s.opt("phone_number").flag(),
		SMS:         s.opt("sms").flag(),
		FiveG:       s.need("five_g").flag(),
		AddressIn:   s.need("address_in").country(),
		Reinstall:   s.opt("reinstall").flag(),
		ESIM:        s.opt("esim").flag(),
		PhysicalSIM: s.opt("physical_sim").flag(),
	}
}

func activation(at place) Activation {
	s := at.section("start", "deadline", "by_itself")
	return Activation{
		Start:    word(s.need("start"), "install", "first_use", "purchase"),
		Deadline: s.opt("deadline").length(),
		ByItself: s.opt("by_itself").flag(),
	}
}

func (d *draft) readTerms(at place, gb int64) {
	list := at.list()
	for _, one := range list {
		s := one.section("id", "length", "to_day_end", "volume", "package", "new_package", "from_stock", "package_days", "prices", "cost", "new_cost")
		d.termsAt = append(d.termsAt, s)
		d.Terms = append(d.Terms, Term{
			ID:          s.need("id").id(),
			Length:      s.need("length").length(),
			ToDayEnd:    s.opt("to_day_end").flag(),
			Volume:      s.opt("volume").bytes(gb),
			Package:     s.need("package").text(),
			NewPackage:  s.opt("new_package").text(),
			FromStock:   s.opt("from_stock").flag(),
			PackageDays: s.opt("package_days").number(1, maxPackDays),
			Prices:      s.need("prices").amounts(),
			Cost:        s.opt("cost").cost(),
			NewCost:     s.opt("new_cost").cost(),
		})
	}
	unique(list, "term")
	if at.there() && at.node.Kind == yaml.SequenceNode && len(list) == 0 {
		at.wrong("A plan needs at least one term.")
	}
}

func (d *draft) readPacks(at place, gb int64) {
	list := at.list()
	for _, one := range list {
		s := one.section("id", "volume", "full_speed", "until", "each_day", "package", "prices", "cost")
		d.packsAt = append(d.packsAt, s)
		d.Packs = append(d.Packs, Pack{
			ID:        s.need("id").id(),
			Volume:    s.opt("volume").bytes(gb),
			FullSpeed: s.opt("full_speed").flag(),
			Until:     word(s.need("until"), RestOfPeriod, UntilReset, UntilDayEnd),
			EachDay:   s.opt("each_day").flag(),
			Package:   s.need("package").text(),
			Prices:    s.need("prices").amounts(),
			Cost:      s.opt("cost").cost(),
		})
	}
	unique(list, "pack")
}

// policyKeys are the fields of a policy in the file.
var policyKeys = []string{
	"renewable", "opens", "closes", "grace", "terminal_after_end", "needs", "effect", "effect_ended", "effect_empty",
	"data", "stack", "minimum_spend", "currencies", "tools", "refund", "identity", "identity_kept", "identity_from", "change_to", "pack_needs",
}

// knownTools are the rails of package payment, and points.
var knownTools = []Tool{"card", "paypal", "line_pay", "alipay", "wechat_pay", "paypay", "konbini", "wallet", "points"}

func (b *book) readPolicies(at place) {
	b.policies = map[string]section{}
	for _, e := range at.entries() {
		if !isID.MatchString(e.key) {
			e.keyAt.wrong("%q cannot be the name of a policy. Use small letters, digits and single hyphens.", e.key)
		}
		s := e.value.section(policyKeys...)
		b.policies[e.key] = s
		checkPolicy(policy(s), s)
	}
}

// policyOf finds what a plan says about its policy: the name of one, or a block
// of fields, which may start from a named one (use).
func (b *book) policyOf(at place) section {
	if at.there() && at.node.Kind == yaml.ScalarNode {
		named := b.policies[b.refer(at, "policy", slices.Sorted(maps.Keys(b.policies)))]
		return section{at, named.fields}
	}
	own := at.section(append([]string{"use"}, policyKeys...)...)
	if !own.has("use") {
		return own
	}
	base := b.policies[b.refer(own.opt("use"), "policy", slices.Sorted(maps.Keys(b.policies)))]
	fields := maps.Clone(base.fields)
	if fields == nil {
		fields = map[string]place{}
	}
	for key, value := range own.fields {
		if key != "use" {
			fields[key] = value
		}
	}
	return section{own.place, fields}
}

func policy(s section) Policy {
	p := Policy{
		Opens:            s.opt("opens").length(),
		Closes:           s.opt("closes").length(),
		Grace:            s.opt("grace").length(),
		TerminalAfterEnd: s.opt("terminal_after_end").flag(),
		Needs:            words(s.opt("needs"), NeedsStarted, NeedsRunning, NeedsDataLeft, NeedsNothingNext),
		Effect:           word(s.opt("effect"), Append, Queue, Restart, Parallel, SameDay, Adds),
		EffectEnded:      word(s.opt("effect_ended"), Append, Queue, Restart, Parallel, SameDay, Adds),
		EffectEmpty:      word(s.opt("effect_empty"), Append, Queue, Restart, Parallel, SameDay, Adds),
		Data:             word(s.opt("data"), DataCarried, DataLost, DataOwn),
		MinimumSpend:     s.opt("minimum_spend").amounts(),
		Currencies:       words(s.opt("currencies"), currencies...),
		Tools:            words(s.opt("tools"), knownTools...),
		Identity:         s.opt("identity").flag(),
		IdentityKept:     s.opt("identity_kept").length(),
		IdentityFrom:     word(s.opt("identity_from"), FromDecision, FromEnd),
		PackNeeds:        words(s.opt("pack_needs"), NeedsStarted, NeedsRunning, NeedsDataLeft, NeedsNothingNext),
	}
	if s.fields != nil { // nil: there is no such policy, told already
		p.Renewable = s.need("renewable").flag()
		p.Refund = word(s.need("refund"), RefundNever, RefundBeforeStart, RefundBeforeUse)
	}
	stack := s.opt("stack").section("periods", "ahead")
	p.Stack = Stack{Periods: stack.opt("periods").number(1, 1000), Ahead: stack.opt("ahead").length()}
	for _, at := range s.opt("change_to").list() {
		if id := at.id(); id != "" {
			p.ChangeTo = append(p.ChangeTo, id)
		}
	}
	return p
}

// priceIn is the amount in that currency.
func priceIn(prices []money.Money, c money.Currency) (money.Money, bool) {
	for _, m := range prices {
		if m.Currency == c {
			return m, true
		}
	}
	return money.Money{}, false
}
