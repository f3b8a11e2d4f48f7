package ui

import (
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Refusal is a no in words.
type Refusal struct {
	Rule    renewal.Rule
	Why     string
	Instead string
}

// Refused says why a line cannot be renewed like that, and what its owner can
// do instead. Times are the operator's, whose zone loc is.
func (v Voice) Refused(no *renewal.Refusal, p catalogue.Plan, loc *time.Location) Refusal {
	args := v.facts(no, p, loc)
	key := "refusal." + string(no.Rule)
	return Refusal{Rule: no.Rule, Why: v.Say(key+".why", args), Instead: v.Say(key+".instead", args)}
}

// Explain is [Voice.Refused] as one paragraph.
func Explain(v Voice, no *renewal.Refusal, p catalogue.Plan, loc *time.Location) string {
	r := v.Refused(no, p, loc)
	if v.Lang == locale.En {
		return r.Why + " " + r.Instead
	}
	return r.Why + r.Instead
}

// facts are the values that the sentences of refusals name.
func (v Voice) facts(no *renewal.Refusal, p catalogue.Plan, loc *time.Location) locale.Args {
	args := locale.Args{
		"plan":       p.NameIn(v.Lang),
		"currencies": v.list(v.currencies(no.Policy.Currencies)),
		"tools":      v.list(v.tools(no.Policy.Tools)),
		"minimum":    v.list(v.amounts(no.Policy)),
		"periods":    no.Policy.Stack.Periods,
		"time":       "",
		"ahead":      "",
	}
	if no.Policy.Stack.Ahead.N > 0 {
		args["ahead"] = v.Length(no.Policy.Stack.Ahead)
	}
	switch {
	case no.At.IsZero():
	case no.Rule == renewal.TooLate || no.Rule == renewal.TooLateForEver:
		args["time"] = v.End(no.At, loc).Text
	default:
		args["time"] = locale.Moment(v.Lang, no.At, loc)
	}
	return args
}

func (v Voice) list(items []string) string { return strings.Join(items, v.T("list.comma")) }

func (v Voice) amounts(p catalogue.Policy) []string {
	all := make([]string, len(p.MinimumSpend))
	for i, m := range p.MinimumSpend {
		all[i] = v.Money(m)
	}
	return all
}

func (v Voice) currencies(of []money.Currency) []string {
	all := make([]string, len(of))
	for i, c := range of {
		all[i] = v.Currency(c)
	}
	return all
}

func (v Voice) tools(of []catalogue.Tool) []string {
	all := make([]string, len(of))
	for i, t := range of {
		all[i] = v.Tool(t)
	}
	return all
}

// Tool names a way to pay.
func (v Voice) Tool(t catalogue.Tool) string { return v.Either("tool."+string(t), "tool.other", nil) }

// Currency names a currency: "Japanese yen (JPY)".
func (v Voice) Currency(c money.Currency) string {
	if !texts.Has("currency." + string(c)) {
		return string(c)
	}
	return v.T("currency." + string(c))
}
