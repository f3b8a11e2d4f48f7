package renewal

import (
	_ "embed" // the words
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
)

//go:embed texts.yaml
var textsFile []byte

// texts never changes.
var texts = locale.MustBook(textsFile)

// Text says in l which rule refuses and what the customer can do instead.
// Instants are in loc, the operator's zone.
func (r *Refusal) Text(l locale.Language, loc *time.Location) string {
	return join(l, r.Why(l, loc), r.Instead(l, loc))
}

// Why is the first half of [Refusal.Text]: the rule.
func (r *Refusal) Why(l locale.Language, loc *time.Location) string {
	return texts.Say(l, "refusal."+string(r.Rule)+".why", r.facts(l, loc))
}

// Instead is the second half of [Refusal.Text]: what to do.
func (r *Refusal) Instead(l locale.Language, loc *time.Location) string {
	key := "refusal." + string(r.Rule) + ".instead"
	switch {
	case r.At.IsZero() && texts.Has(key+".never"):
		key += ".never"
	case len(r.others()) == 0 && texts.Has(key+".none"):
		key += ".none"
	}
	return texts.Say(l, key, r.facts(l, loc))
}

// facts are the values that the words of refusals name.
func (r *Refusal) facts(l locale.Language, loc *time.Location) locale.Args {
	args := locale.Args{
		"currency": string(r.Currency), "currencies": list(l, r.others()), "tools": tools(l, r.Policy.Tools),
		"least": r.Least, "periods": r.Policy.Stack.Periods, "ahead": length(l, r.Policy.Stack.Ahead),
	}
	if r.At.IsZero() {
		return args
	}
	args["time"] = locale.Moment(l, r.At, loc)
	switch r.Rule {
	case Closed, TooLate, TooLateForEver, PackNeedsRunning:
		args["time"] = until(l, r.At, loc)
	case TooEarly, QueueFull, StackFull, TooFarAhead:
	case PlanGone, NothingOnSale, LineDead, LineSuspended, NotRenewable, IdentityMissing, NotStarted, CurrencyRefused,
		ToolRefused, PlanChangeRefused, NothingLeft, BelowMinimum, NoPrice, DayOnly: // they speak of no instant
	}
	return args
}

// others are the currencies in which the item can be had, but for the one that
// was asked for.
func (r *Refusal) others() []string {
	priced := r.Priced
	if len(priced) == 0 {
		priced = r.Policy.Currencies
	}
	var codes []string
	for _, c := range priced {
		if c != r.Currency {
			codes = append(codes, string(c))
		}
	}
	return codes
}

// EffectText says what the offer does to the line, when it begins and until
// when it runs, in loc, the operator's zone.
func (o Offer) EffectText(l locale.Language, loc *time.Location) string {
	return texts.Say(l, o.effectKey(), locale.Args{
		"before": until(l, o.StartsAt, loc), "end": until(l, o.EndsAt, loc), "days": o.PackageDays,
	})
}

func (o Offer) effectKey() string {
	key := "effect." + string(o.Effect)
	switch {
	case o.Item.Kind == Pack && o.Bytes == 0:
		key = "pack.speed"
	case o.Item.Kind == Pack:
		key = "pack.volume"
	}
	switch {
	case o.Item.Kind == Pack && o.PackageDays > 1:
		return key + ".days"
	case o.Item.Kind == Term && o.Revives:
		return key + ".revives"
	}
	return key
}

// UnusedText says what becomes of data that is unused when the offer takes
// effect. gb is how many bytes the operator calls a GB.
func (o Offer) UnusedText(l locale.Language, gb int64) string {
	switch {
	case o.Revives:
		return texts.Say(l, "unused.ended", nil)
	case !o.Unused.Limited:
		return texts.Say(l, "unused.unlimited", nil)
	}
	key := "unused." + string(o.Unused.Rule)
	if o.Unused.Rule == catalogue.DataLost && o.Effect == catalogue.Restart {
		key = "unused.lost_now"
	}
	if o.Unused.Bytes == 0 {
		return texts.Say(l, key+".unknown", nil)
	}
	return texts.Say(l, key, locale.Args{"left": locale.DataLeft(l, o.Unused.Bytes, gb)})
}

// RefundText says until when the money can be had back for the asking.
func (o Offer) RefundText(l locale.Language, loc *time.Location) string {
	key := "refund." + string(o.Refund)
	if o.Refund == catalogue.RefundBeforeStart && o.atOnce() {
		key += ".at_once"
	}
	return texts.Say(l, key, locale.Args{"start": locale.Moment(l, o.StartsAt, loc)})
}

// atOnce reports whether the service begins when it is bought.
func (o Offer) atOnce() bool { return o.Effect != catalogue.Append && o.Effect != catalogue.Queue }

// SavingText says how much less a day costs than with the plan's shortest term;
// "" where it costs no less.
func (o Offer) SavingText(l locale.Language) string {
	if o.Saving < 1 {
		return ""
	}
	return texts.Say(l, "saving", locale.Args{"percent": o.Saving})
}

// Text says what is saved against roaming, with the source of the figure.
func (c Comparison) Text(l locale.Language) string {
	key := "roaming.less"
	if c.LessTrip.Minor <= 0 {
		key = "roaming.not_less"
	}
	return texts.Say(l, key, locale.Args{
		"home": c.Roaming.HomeIn(l), "roaming": c.Roaming.PerDay, "days": c.Days, "trip": c.Trip,
		"less": c.LessTrip, "less_per_day": c.LessPerDay, "percent": c.Percent,
		"source": c.Roaming.Source, "date": c.Roaming.AsOf,
	})
}

// Text says that there is no reliable figure, and why; "" for no reason.
func (n NoFigure) Text(l locale.Language) string {
	if n == "" {
		return ""
	}
	return texts.Say(l, "roaming.none."+string(n), nil)
}

// until names the end of something by its last second: people take 00:00 of
// the next day for a day more.
func until(l locale.Language, end time.Time, loc *time.Location) string {
	return locale.Moment(l, calendar.LastSecond(end), loc)
}

func length(l locale.Language, n calendar.Length) string {
	if n.N == 0 {
		return ""
	}
	return texts.Say(l, "length."+string(n.Unit), locale.Args{"n": n.N})
}

func tools(l locale.Language, of []catalogue.Tool) string {
	var names []string
	for _, t := range of {
		if key := "tool." + string(t); texts.Has(key) {
			names = append(names, texts.Say(l, key, nil))
		} else {
			names = append(names, string(t))
		}
	}
	return list(l, names)
}

func list(l locale.Language, items []string) string {
	return strings.Join(items, texts.Say(l, "list.comma", nil))
}

// join puts one sentence after another. Chinese and Japanese have no space
// between them.
func join(l locale.Language, first, second string) string {
	spaced := l == locale.En || l == locale.Ko || !slices.Contains(locale.All, l)
	if spaced {
		return first + " " + second
	}
	return first + second
}
