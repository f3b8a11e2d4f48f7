package catalogue

import (
	"slices"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/money"
)

// A file says nothing that has no effect and nothing twice: what would be
// ignored was meant otherwise. So each of these rules refuses a combination
// that package renewal could only guess about.

func (b *book) checkPlans() {
	for i := range b.drafts {
		d := &b.drafts[i]
		d.checkAllowance()
		d.checkActivation()
		d.checkTerms()
		d.checkPacks()
		checkPolicy(d.Policy, d.policyAt)
		d.checkPolicyFits()
		b.checkChangeTo(d)
		b.checkAble(d)
		b.checkSources(d)
	}
}

// checkAllowance compares kind, cap, throttle and reset.
func (d *draft) checkAllowance() {
	at := d.at
	switch d.Kind {
	case Unlimited:
		switch {
		case d.DailyCap == 0 && d.ThrottleKbps != 0:
			at.where("throttle_kbps").breaks("The plan is throttled but has no cap after which. Add cap, or remove throttle_kbps.")
		case d.DailyCap != 0 && d.ThrottleKbps == 0 && !at.has("throttle_kbps"):
			at.where("cap").breaks("An unlimited plan goes on after its cap. Add throttle_kbps, or make it kind daily_cap.")
		}
		if at.has("cap") != (d.Reset != ResetNone) {
			at.where("reset").breaks("A cap and its reset go together: give both, or neither.")
		}
	case DailyCap:
		if !at.has("cap") {
			at.where("kind").breaks("A plan of kind daily_cap needs cap.")
		}
		if d.ThrottleKbps != 0 {
			at.where("throttle_kbps").breaks("A plan of kind daily_cap stops at its cap. Remove throttle_kbps, or make it kind unlimited.")
		}
		if d.Reset != "" && d.Reset != ResetMidnight && d.Reset != ResetRolling {
			at.where("reset").breaks("A daily cap begins anew every day: reset is midnight or rolling.")
		}
	case Volume:
		if at.has("cap") {
			at.where("cap").breaks("A plan of kind volume has no cap; its terms have a volume.")
		}
		if d.Reset != "" && d.Reset != ResetNone {
			at.where("reset").breaks("The data of a plan of kind volume is for the whole period and has no reset.")
		}
	}
	if d.ResetZone != "" && d.Reset != ResetMidnight && d.Reset != ResetMonthly {
		at.where("reset_zone").breaks("Only a reset at midnight or monthly has a zone.")
	}
}

func (d *draft) checkActivation() {
	at, a := d.at.where("activation"), d.Activation
	if a.ByItself && a.Deadline.N == 0 {
		at.breaks("The clock can start by itself only at a deadline. Add deadline, or remove by_itself.")
	}
	if a.Start == "purchase" && a.Deadline.N != 0 {
		at.breaks("A line whose clock starts at the purchase has no deadline for starting it.")
	}
	f := d.Facts
	if d.at.has("facts") && !f.ESIM && !f.PhysicalSIM {
		d.at.where("facts").breaks("The plan comes neither as esim nor as physical_sim.")
	}
	if f.Reinstall && !f.ESIM {
		d.at.where("facts").breaks("Only an eSIM can be installed again.")
	}
}

func (d *draft) checkTerms() {
	priced := pricedIn(d.Terms)
	for i, t := range d.Terms {
		at := d.termsAt[i]
		if d.Kind == Volume && !at.has("volume") {
			at.breaks("A term of a plan of kind volume needs volume.")
		}
		if d.Kind != Volume && d.Kind != "" && at.has("volume") {
			at.where("volume").breaks("Only a term of a plan of kind volume has volume; this plan is %s.", d.Kind)
		}
		if t.ToDayEnd && t.Length.Unit != calendar.Hours24 && t.Length.N != 0 {
			at.where("to_day_end").breaks("A length of %s ends with a day already. to_day_end is for lengths like 7x24h.", t.Length)
		}
		if days(t.Length) != t.PackageDays && t.PackageDays != 0 && days(t.Length) != 0 {
			at.where("package_days").doubtful("The term lasts %s but %d days are ordered.", t.Length, t.PackageDays)
		}
		if t.NewPackage != "" && !d.Facts.ESIM {
			at.where("new_package").breaks("The plan does not come as esim, so no new eSIM is sold with this term.")
		}
		if t.NewPackage == "" && !t.NewCost.IsZero() {
			at.where("new_cost").breaks("The operator makes no new eSIM for this term, so it has no cost. Add new_package, or remove new_cost.")
		}
		if t.FromStock && !d.Facts.ESIM {
			at.where("from_stock").breaks("The plan does not come as esim, so no new eSIM is sold with this term.")
		}
		if t.FromStock && t.NewPackage != "" {
			at.where("from_stock").breaks("A new eSIM of this term comes from stock or is made by the operator. Remove from_stock or new_package.")
		}
		for _, c := range priced {
			if _, ok := priceIn(t.Prices, c); !ok && at.has("prices") {
				at.where("prices").doubtful("There is no price in %s, but other terms of the plan have one.", c)
			}
		}
	}
}

// days is the length in days where it is counted in them.
func days(l calendar.Length) int {
	if l.Unit == calendar.Day || l.Unit == calendar.Hours24 {
		return l.N
	}
	return 0
}

func pricedIn(terms []Term) []money.Currency {
	var out []money.Currency
	for _, t := range terms {
		for _, m := range t.Prices {
			if !slices.Contains(out, m.Currency) {
				out = append(out, m.Currency)
			}
		}
	}
	return out
}

func (d *draft) checkPacks() {
	if len(d.Packs) > 0 && d.Kind == Unlimited && !d.at.has("cap") {
		d.at.where("packs").breaks("The plan is never throttled, so a pack would add nothing.")
	}
	daily := d.Reset == ResetMidnight || d.Reset == ResetRolling
	for i, k := range d.Packs {
		at := d.packsAt[i]
		if k.FullSpeed == at.has("volume") {
			at.breaks("A pack has either volume or full_speed: true.")
		}
		if k.FullSpeed && d.ThrottleKbps == 0 {
			at.where("full_speed").breaks("The plan is never throttled, so there is no full speed to buy.")
		}
		if k.Until == UntilReset && d.Reset == ResetNone {
			at.where("until").breaks("The plan has no reset. Use rest_of_period or until_2359.")
		}
		if k.EachDay && !daily {
			at.where("each_day").breaks("each_day is for plans whose cap begins anew every day.")
		}
		for _, c := range d.Policy.Currencies {
			if _, ok := priceIn(k.Prices, c); !ok && at.has("prices") {
				at.where("prices").breaks("The policy accepts %s, but the pack has no price in it.", c)
			}
		}
		for _, least := range d.Policy.MinimumSpend {
			if m, ok := priceIn(k.Prices, least.Currency); ok && m.Minor < least.Minor && !k.EachDay {
				at.where("prices").breaks("The pack costs less than the policy's minimum in %s, so it could never be bought.", m.Currency)
			}
		}
	}
	if len(d.Packs) == 0 && len(d.Policy.PackNeeds) > 0 {
		d.policyAt.where("pack_needs").breaks("Plan %q: pack_needs is given, but the plan has no packs.", d.ID)
	}
}

// onlyRenewable are the fields that mean nothing where no line is extended.
var onlyRenewable = []string{
	"opens", "closes", "grace", "terminal_after_end", "needs", "effect", "effect_ended", "effect_empty",
	"data", "stack", "minimum_spend", "change_to",
}

// checkPolicy compares the fields of a policy with each other.
func checkPolicy(p Policy, at section) {
	checkPapers(p, at)
	if !at.has("renewable") {
		return // told already
	}
	if !p.Renewable {
		for _, key := range onlyRenewable {
			if at.has(key) {
				at.where(key).breaks("The policy is not renewable, so %s means nothing. Remove it, or say renewable: true.", key)
			}
		}
		return
	}
	for _, key := range []string{"effect", "data"} {
		if !at.has(key) {
			at.breaks("A renewable policy needs %s.", key)
		}
	}
	checkWindow(p, at)
	checkNeeds(p, at)
	checkEffects(p, at)
	checkData(p, at)
}

// checkPapers compares what is said about an identity check with whether there is one.
func checkPapers(p Policy, at section) {
	for _, key := range []string{"identity_kept", "identity_from"} {
		if at.has(key) && !p.Identity {
			at.where(key).breaks("There is no identity check, so %s means nothing. Remove it, or say identity: true.", key)
		}
	}
	if p.IdentityKept.Unit == calendar.Hours24 {
		at.where("identity_kept").breaks("What customers gave is erased by days, months or years. Write it like 90d.")
	}
}

func checkWindow(p Policy, at section) {
	if p.Grace.N != 0 {
		switch {
		case p.TerminalAfterEnd:
			at.where("terminal_after_end").breaks("A line that is dead after its end has no grace. Remove one of the two.")
		case p.Closes.N != 0:
			at.where("closes").breaks("Renewing closes before the end and is possible after it (grace). Remove one of the two.")
		case slices.Contains(p.Needs, NeedsRunning):
			at.where("needs").breaks("Renewing needs a running period and is possible after its end (grace). Remove one of the two.")
		}
	} else if p.EffectEnded != "" {
		at.where("effect_ended").breaks("effect_ended is for renewing after the end, which needs grace.")
	}
	if p.Opens.N != 0 && p.Closes.N != 0 && !longer(p.Opens, p.Closes) {
		at.where("closes").breaks("Renewing opens %s before the end and closes %s before it, so it is never open.", p.Opens, p.Closes)
	}
}

func checkNeeds(p Policy, at section) {
	if p.EffectEmpty != "" && slices.Contains(p.Needs, NeedsDataLeft) {
		at.where("effect_empty").breaks("effect_empty is for a line without data left, but needs says data_left.")
	}
	if !slices.Contains(p.Needs, NeedsNothingNext) {
		return
	}
	switch {
	case p.Effect != Queue && p.Effect != "":
		at.where("needs").breaks("nothing_next is for the effect queue; with %s no period is ever queued.", p.Effect)
	case p.Stack.Periods > 2:
		at.where("stack").breaks("needs says nothing_next, so there are never more than 2 periods.")
	}
}

func checkEffects(p Policy, at section) {
	switch p.EffectEnded {
	case "", Restart, SameDay:
	case Append, Queue, Parallel, Adds:
		at.where("effect_ended").breaks("After the end there is no period to which %s could refer. Use restart or same_day.", p.EffectEnded)
	}
	switch p.Effect {
	case Queue, Parallel, "":
		if p.Stack.Periods == 1 {
			at.where("stack").breaks("With a stack of 1 period nothing can be bought while one is running. Allow 2, or use the effect append.")
		}
	case Append, Restart, SameDay, Adds:
		if p.Stack.Periods != 0 {
			at.where("stack").breaks("With the effect %s there is only one period at a time. Limit the stack with ahead instead.", p.Effect)
		}
	}
}

// checkData compares what becomes of unused data with the effect.
func checkData(p Policy, at section) {
	var allowed []DataRule
	switch p.Effect {
	case Append:
		allowed = []DataRule{DataCarried, DataLost} // one period: it has no other to keep data beside
	case Queue:
		allowed = []DataRule{DataOwn, DataLost} // the old period ends before the new one begins
	case Restart:
		allowed = []DataRule{DataCarried, DataLost} // the old period ends at once
	case Parallel:
		allowed = []DataRule{DataOwn} // both run
	case SameDay:
		allowed = []DataRule{DataCarried, DataLost, DataOwn}
	case Adds:
		allowed = []DataRule{DataCarried} // the current period goes on
	case "":
		return
	}
	if p.Data != "" && !slices.Contains(allowed, p.Data) {
		at.where("data").breaks("Unused data cannot be %s with the effect %s. It is %s.", p.Data, p.Effect, listed(allowed, " or "))
	}
}

// checkPolicyFits compares the policy with the plan that has it.
func (d *draft) checkPolicyFits() {
	p, at := d.Policy, d.policyAt
	if d.Kind != Volume && d.Kind != "" {
		if p.Data == DataCarried {
			at.where("data").breaks("Plan %q: a plan of kind %s has no data that could be carried over.", d.ID, d.Kind)
		}
		if p.EffectEmpty != "" {
			at.where("effect_empty").breaks("Plan %q: only the data of a plan of kind volume can be empty.", d.ID)
		}
		if slices.Contains(p.Needs, NeedsDataLeft) {
			at.where("needs").breaks("Plan %q: only the data of a plan of kind volume can be used up (data_left).", d.ID)
		}
		if p.Effect == Adds {
			at.where("effect").breaks("Plan %q: only a plan of kind volume can have data added to it.", d.ID)
		}
	}
	for i, t := range d.Terms {
		if t.Length.N == 0 {
			continue
		}
		if p.Stack.Ahead.N != 0 && longer(t.Length, p.Stack.Ahead) {
			d.termsAt[i].where("length").breaks("The term is longer than the stack that the policy allows (%s).", p.Stack.Ahead)
		}
		if p.Closes.N != 0 && !longer(t.Length, p.Closes) {
			d.termsAt[i].where("length").breaks("The policy closes %s before the end, so this term could never be renewed.", p.Closes)
		}
	}
	d.checkMoney()
}

// checkMoney compares accepted currencies and the minimum with the prices.
func (d *draft) checkMoney() {
	priced := pricedIn(d.Terms)
	accepted := d.Policy.Currencies
	for _, c := range accepted {
		for i, t := range d.Terms {
			if _, ok := priceIn(t.Prices, c); !ok && d.termsAt[i].has("prices") {
				d.termsAt[i].where("prices").breaks("The policy accepts %s, but the term has no price in it.", c)
			}
		}
	}
	at := d.policyAt.where("minimum_spend")
	for _, least := range d.Policy.MinimumSpend {
		c := least.Currency
		if !slices.Contains(priced, c) || (len(accepted) > 0 && !slices.Contains(accepted, c)) {
			at.breaks("Plan %q: there is a minimum in %s, but nothing is sold in it.", d.ID, c)
			continue
		}
		reached := slices.ContainsFunc(d.Terms, func(t Term) bool {
			m, ok := priceIn(t.Prices, c)
			return ok && m.Minor >= least.Minor
		})
		if !reached {
			at.breaks("Plan %q: the minimum in %s is above every price.", d.ID, c)
		}
	}
}

func (b *book) checkChangeTo(d *draft) {
	for i, id := range d.Policy.ChangeTo {
		at := d.policyAt.opt("change_to").element(i)
		other, known := b.Plan(id)
		switch {
		case !known:
			at.breaks("There is no plan %q%s", id, suggestion(id, ids(b.Plans, func(p Plan) string { return p.ID })))
		case id == d.ID:
			at.breaks("Plan %q: a plan cannot change to itself.", id)
		case !slices.Contains(other.Operators(), d.Operator):
			at.breaks("Plan %q: %q belongs to another operator, so it cannot be put on the same line.", d.ID, id)
		case slices.Index(d.Policy.ChangeTo, id) < i:
			at.breaks("%q is in the list twice.", id)
		}
	}
}

// longer reports whether a certainly lasts longer than b, whatever the months.
func longer(a, b calendar.Length) bool {
	least, _ := span(a)
	_, most := span(b)
	return least > most
}

// span is the fewest and the most days that a length can last.
func span(l calendar.Length) (least, most int) {
	switch l.Unit {
	case calendar.Day, calendar.Hours24:
		return l.N, l.N
	case calendar.Month:
		return 30*l.N - 2, 31 * l.N
	case calendar.Year:
		return 365 * l.N, 366 * l.N
	}
	return 0, 0
}
