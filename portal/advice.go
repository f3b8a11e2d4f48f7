package portal

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// adviceView is what we would do in the customer's place, and why.
type adviceView struct {
	Verdict   string // what it comes to: one term is recommended, wait, nothing is needed
	Sentence  string
	Notes     []string
	Attitudes []attitudeLink
}

// attitudeLink shows the same page for somebody who minds more or less.
type attitudeLink struct {
	Name, Href string
	Now        bool
}

// advised marks what the engine recommends, and says why. What it recommends
// must be among the offers at the very price; else it speaks of what was on sale
// a moment ago, and nothing is said.
func (v *visit) advised(ctx context.Context, p *renewPage, s renewal.Situation, f advice.Facts, offers []renewal.Offer, at place) {
	f.Attitude = v.attitude(f.Attitude)
	a, ok := v.server.Advice.Ask(ctx, s, f)
	if !ok {
		return
	}
	if item, buys := a.Item(&a.Best); buys {
		if !priced(offers, item, a.Best.First) {
			return
		}
		v.mark(p, item, "advice.recommended", true)
	}
	if a.Close {
		if item, buys := a.Item(&a.Second); buys && priced(offers, item, a.Second.First) {
			v.mark(p, item, "advice.as_good", false)
		} else {
			a.ForgetSecond()
		}
	}
	w := v.adviceWords(s, &a, at)
	p.Advice = &adviceView{
		Verdict: v.voice.T("advice." + string(a.Best.Action)), Sentence: a.Sentence(w), Notes: a.Notes(w),
		Attitudes: v.attitudeLinks(f.Attitude),
	}
}

func priced(offers []renewal.Offer, item renewal.Item, minor int64) bool {
	return slices.ContainsFunc(offers, func(o renewal.Offer) bool { return o.Item == item && o.Price.Minor == minor })
}

func (v *visit) mark(p *renewPage, item renewal.Item, key string, best bool) {
	for _, cards := range [][]offerCard{p.Offers, p.Packs} {
		for i := range cards {
			if cards[i].Value == ui.ValueOf(item) {
				cards[i].Advised, cards[i].Best = v.voice.T(key), best
			}
		}
	}
}

// adviceWords name the offers as the cards do.
func (v *visit) adviceWords(s renewal.Situation, a *advice.Answer, at place) advice.Words {
	return advice.Words{
		Language: v.voice.Lang, Currency: s.Currency, GB: gbOf(at.op),
		Name: func(i int) string {
			item := a.Items[i]
			name := v.voice.ItemName(s.Catalogue, item)
			if item.Plan != at.plan.ID {
				name = v.voice.PlanName(s.Catalogue, item.Plan) + " · " + name
			}
			return name
		},
	}
}

// gbOf is what the operator calls a GB.
func gbOf(op catalogue.Operator) int64 {
	if op.GB == 1e9 {
		return 1e9
	}
	return 1 << 30
}

// attitude is the one that this address asks for, else the account's.
func (v *visit) attitude(own advice.Attitude) advice.Attitude {
	if asked := advice.Attitude(v.r.URL.Query().Get("attitude")); slices.Contains(advice.Attitudes, asked) {
		return asked
	}
	return own
}

func (v *visit) attitudeLinks(now advice.Attitude) (links []attitudeLink) {
	for _, a := range advice.Attitudes {
		q := url.Values{"attitude": {string(a)}}
		for _, key := range []string{"until", "currency"} {
			if value := v.r.URL.Query().Get(key); value != "" {
				q.Set(key, value)
			}
		}
		links = append(links, attitudeLink{v.voice.T("attitude." + string(a)), v.r.URL.Path + "?" + q.Encode(), a == now})
	}
	return links
}

// usageView is what is to be expected of a line's use.
type usageView struct {
	Chart *ui.Chart
	Words []string // how long it lasts and how sure that is
}

// usage says how long what is left will last, and shows use per day.
func (v *visit) usage(ctx context.Context, s renewal.Situation, f advice.Facts, at place) *usageView {
	got, trip, ok := v.server.Advice.Forecast(ctx, s, f)
	if !ok {
		return nil
	}
	gb := gbOf(at.op)
	half, wide := [2]int64{}, [2]int64{}
	half[0], half[1] = got.PerDay.Half()
	wide[0], wide[1] = got.PerDay.Most()
	ahead := ui.Ahead{Days: int(got.LastDay.Median()) - int(trip.Today), Wide: wide, Half: half, Median: got.PerDay.Median()}
	ahead.Days = max(ahead.Days, 0)
	var days []ui.ChartDay
	capped := 0
	for _, d := range trip.Days {
		days = append(days, ui.ChartDay{At: d.Date.Time(), Bytes: d.Bytes, Capped: d.Capped})
		if d.Capped {
			capped++
		}
	}
	u := &usageView{Chart: v.voice.Chart(days, ahead, gb)}
	say := func(key string, args locale.Args) { u.Words = append(u.Words, v.voice.Say(key, args)) }
	if _, limited := advice.Allowance(s.Catalogue, s); limited {
		v.lasts(say, &got, advice.DateOf(calendar.LastSecond(s.Line.EndsAt), at.loc))
	}
	low, high := got.Need.Most()
	need := "usage.need.guess"
	if got.Basis.Told {
		need = "usage.need.told"
	}
	say(need, locale.Args{"day": v.date(got.LastDay.Median()), "low": v.voice.Bytes(low, gb), "high": v.voice.Bytes(high, gb)})
	if capped > 0 && at.plan.Kind != catalogue.Volume {
		say("usage.capped", locale.Args{"n": capped, "of": len(trip.Days)})
	}
	switch {
	case got.Basis.Little():
		say("usage.little", nil)
	default:
		say("usage.own", locale.Args{"days": got.Basis.Days})
	}
	return u
}

// lasts says until when a volume lasts. Of what lasts longer than the line or
// than the stay, it says that.
func (v *visit) lasts(say func(string, locale.Args), f *advice.Forecast, ends advice.Date) {
	out := f.RunsOut.Median()
	low, high := f.RunsOut.Most()
	of100 := int(min(max(f.Lasts*100, 1), 99))
	switch {
	case out > f.LastDay.Median():
		say("usage.lasts.stay", locale.Args{"of": of100})
	case out > int64(ends):
		say("usage.lasts.line", locale.Args{"day": v.date(int64(ends))})
	case f.Lasts >= 0.1:
		say("usage.lasts.least", locale.Args{"day": v.date(out), "low": v.date(low)})
	default:
		say("usage.lasts", locale.Args{"day": v.date(out), "low": v.date(low), "high": v.date(high)})
	}
}

// date says a day of the operator's calendar.
func (v *visit) date(day int64) string {
	return v.voice.Day(advice.Date(day).Time(), time.UTC) //nolint:gosec // a day of our times
}

// tellStay keeps until which day the customer needs a line, and goes back to
// where they were.
func (s *Server) tellStay(ctx context.Context, v *visit) (answer, error) {
	id := v.r.PathValue("id")
	k, err := v.at(id)
	if err != nil {
		return answer{}, err
	}
	if err := k.shows(id); err != nil {
		return answer{}, err
	}
	q := url.Values{}
	if c := v.field("currency"); c != "" {
		q.Set("currency", c)
	}
	asked := strings.TrimSpace(v.field("until"))
	if v.field("forget") != "" {
		asked = ""
	}
	kept, err := db.Written(ctx, s.DB, func(ctx context.Context, tx db.Tx) (bool, error) {
		l, err := line.Get(ctx, tx, k.account, id)
		if err != nil {
			return false, err
		}
		last, ok := lastDayOf(asked, tx.Now(), placeOf(v.shop, l.Plan).loc)
		if !ok {
			return false, nil
		}
		return true, line.TellStay(ctx, tx, k.account, id, last)
	})
	if err != nil {
		return answer{}, err
	}
	back := "/lines/" + url.PathEscape(id)
	if v.field("back") != "line" || k.limited() {
		back += "/renew"
	}
	if !kept || asked != "" && v.field("back") != "line" {
		q.Set("until", cmp.Or(asked, "-"))
	}
	if len(q) > 0 {
		back += "?" + q.Encode()
	}
	return goTo(back), nil
}

// longestStay is how far ahead a day can be told.
const longestStay = 730

// lastDayOf reads a day as the field sends it. "" is 0: not told.
func lastDayOf(text string, now time.Time, loc *time.Location) (line.Day, bool) {
	if text == "" {
		return 0, true
	}
	at, err := time.ParseInLocation(time.DateOnly, text, loc)
	if err != nil {
		return 0, false
	}
	day, today := line.DayOf(at, loc), line.DayOf(now, loc)
	return day, day >= today && day <= today+longestStay
}

// stayForm asks when the customer leaves.
type stayForm struct {
	Until string // as the field sends it; "" where they have not said
	Said  string // the same in words
	Today string
	Error string
}

func (v *visit) stayForm(told line.Day, loc *time.Location) *stayForm {
	f := &stayForm{Today: v.voice.Now.In(loc).Format(time.DateOnly)}
	if told >= line.DayOf(v.voice.Now, loc) {
		f.Until, f.Said = advice.Date(told).String(), v.voice.Say("stay.told", locale.Args{"day": v.date(int64(told))}) //nolint:gosec // a day of our times
	}
	if v.r.URL.Query().Has("until") {
		f.Error = v.voice.T("fault.date_format")
	}
	return f
}
