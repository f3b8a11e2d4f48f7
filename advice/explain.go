package advice

import (
	_ "embed" // the words
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
)

//go:embed texts.yaml
var textsFile []byte

// texts never changes.
var texts = locale.MustBook(textsFile)

// Words is what an explanation needs besides the answer.
type Words struct {
	Language locale.Language
	Currency money.Currency         // of the shop's prices
	GB       int64                  // bytes that the operator calls a GB: 1<<30 or 1e9
	Name     func(offer int) string // what the shop calls its offers
}

// Sentence says in one sentence what to do and why. Every number in it is in
// Numbers or in Best.
func (a *Advice) Sentence(w Words) string {
	var need, do Reason
	for _, r := range a.Reasons.All() {
		switch {
		case r == NeedTold || r == NeedGuess || r == NeedNone:
			need = r
		case do == "":
			do = r
		}
	}
	if need == "" || do == "" {
		return ""
	}
	args := a.args(w)
	if do == DoNone {
		return texts.Say(w.Language, string(do), args)
	}
	return texts.Say(w.Language, "sentence", locale.Args{
		"need": texts.Say(w.Language, string(need), args),
		"do":   texts.Say(w.Language, string(do), args),
	})
}

// Notes says what belongs to it, a sentence each: what was used so far, what
// comes next, what is as good, what is saved, what it would cost not to have to
// think about it, and what would make the advice better.
func (a *Advice) Notes(w Words) (all []string) {
	args := a.args(w)
	for _, r := range a.Reasons.All() {
		if isNote(r) {
			all = append(all, texts.Say(w.Language, string(r), args))
		}
	}
	return all
}

func isNote(r Reason) bool {
	switch r {
	case NeedTold, NeedGuess, NeedNone, DoBuy, DoBuyFast, DoBuyFirst, DoFirstFast, DoBuyTight, DoTightFast, DoMost, DoMostFast, DoWait, DoWaitLeft, DoCovered, DoLater, DoReset, DoSlow, DoPause, DoNothing, DoNone:
		return false
	case Used, Little, ChangedMore, ChangedLess, Then, EndsBefore, SecondBest, Saves, Worry, TellEnd, Overdue, AwayFor:
	}
	return true
}

// args are the values that the words of reasons name.
func (a *Advice) args(w Words) locale.Args {
	n, l := &a.Numbers, w.Language
	args := locale.Args{
		"day": locale.DataAbout(l, n.PerDay, w.GB), "low": locale.DataAbout(l, n.NeedLow, w.GB), "high": locale.DataAbout(l, n.NeedHigh, w.GB),
		"days": n.OwnDays, "last": on(l, n.LastDay), "covered": on(l, n.Covered), "until": on(l, n.Until), "gap": n.Gap,
		"enough": n.EnoughOf100, "lasts": n.LastsOf100, "needed": n.CarefreeOf, "short": n.ShortOf100,
		"saving": money.Of(n.Saving, w.Currency), "more": money.Of(n.CarefreeMore, w.Currency),
		"since": on(l, n.Changed), "times": n.ChangedBy, "away": n.Away,
		"total": money.Of(n.Price, w.Currency),
	}
	a.Best.args(w, args, "plan", "price")
	if a.Best.Steps.N > 1 {
		args["next"], args["from"] = w.Name(a.Best.Steps.At[1].Offer), on(l, a.Best.Steps.At[1].On)
	}
	if a.Close {
		a.Second.args(w, args, "other", "other_price")
	}
	if a.Carefree.Offer >= 0 {
		args["carefree"] = w.Name(a.Carefree.Offer)
	}
	return args
}

func (c *Choice) args(w Words, args locale.Args, plan, price string) {
	if c.Steps.N > 0 {
		args[plan] = w.Name(c.Steps.At[0].Offer)
		args[price] = money.Of(c.First, w.Currency)
	}
}

func on(l locale.Language, d Date) string { return locale.NearDay(l, d.Time(), time.UTC) }
