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
	Buys      bool
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
func (v *visit) advised(ctx context.Context, p *renewPage, s renewal.Situation, f advice.Facts, offers []renewal.Offer) {
	f.Attitude = v.attitude(f.Attitude)
	a, ok := v.server.Advice.Ask(ctx, s, f)
	if !ok {
		return
	}
	if !a.Holds(offers) {
		return
	}
	if o, buys := a.Offered(&a.Best, offers); buys {
		v.mark(p, o.Item, "advice.recommended", true)
	}
	if o, buys := a.Offered(&a.Second, offers); a.Close && buys {
		v.mark(p, o.Item, "advice.as_good", false)
	}
	w := v.voice.AdviceWords(s, &a)
	p.Advice = &adviceView{
		Verdict: v.voice.Verdict(&a), Sentence: a.Sentence(w), Notes: a.Notes(w),
		Attitudes: v.attitudeLinks(f.Attitude), Buys: a.Best.Action == advice.Buy,
	}
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

// usageView is what was used and what is to be expected of it.
type usageView struct {
	Left  *ui.Fan   // of a volume: what is left, day by day
	Chart *ui.Chart // use per day
	Words []string  // how long it lasts and how sure that is
}

// usage says how long what is left will last, and shows use per day.
func (v *visit) usage(ctx context.Context, s renewal.Situation, f advice.Facts, at place) *usageView {
	got, trip, ok := v.server.Advice.Forecast(ctx, s, f)
	if !ok {
		return nil
	}
	u := &usageView{Chart: v.chart(&got, trip, at, gbOf(at.op)), Words: v.voice.Expected(s, &got)}
	if left, limited := advice.Allowance(s.Catalogue, s); limited {
		u.Left = v.fan(ctx, s, &got, trip, left, at)
	}
	return u
}

func lastDayOfLine(s renewal.Situation, at place) advice.Date {
	return advice.DateOf(calendar.LastSecond(s.Line.EndsAt), at.loc)
}

// chart draws use per day, and what an ordinary day of the rest may take.
func (v *visit) chart(f *advice.Forecast, trip advice.Trip, at place, gb int64) *ui.Chart {
	var days []ui.ChartDay
	for _, d := range trip.Days {
		days = append(days, ui.ChartDay{At: d.Date.Time(), Bytes: d.Bytes, Capped: d.Capped})
	}
	ahead := ui.Ahead{Days: max(int(f.LastDay.Median())-int(trip.Today), 0), Median: f.PerDay.Median()}
	ahead.Half[0], ahead.Half[1] = f.PerDay.Half()
	ahead.Wide[0], ahead.Wide[1] = f.PerDay.Most()
	limit := int64(0)
	if at.plan.Kind != catalogue.Volume && at.plan.Reset != catalogue.ResetMonthly {
		limit = at.plan.DailyCap
	}
	return v.voice.Chart(days, ahead, limit, gb)
}

// fan draws how a volume was used up and how it may go on: until the line ends,
// or until nearly everybody like this one has left.
func (v *visit) fan(ctx context.Context, s renewal.Situation, f *advice.Forecast, trip advice.Trip, left int64, at place) *ui.Fan {
	ends := lastDayOfLine(s, at)
	_, gone := f.LastDay.Most()
	ahead, ok := v.server.Advice.Remaining(ctx, s, trip, left, min(int(ends), int(gone))-int(trip.Today)+1)
	if !ok {
		return nil
	}
	fan := ui.FanData{Today: trip.Today.Time(), Now: left, Gone: 24*60 - trip.MinutesLeft, Before: before(s, trip, left, at.loc)}
	for _, q := range ahead {
		d := ui.FanDay{Median: q.Median()}
		d.Half[0], d.Half[1] = q.Half()
		d.Most[0], d.Most[1] = q.Most()
		d.Nearly[0], d.Nearly[1] = q.Nearly()
		fan.Ahead = append(fan.Ahead, d)
	}
	if out := advice.Date(f.RunsOut.Median()); out <= ends && out <= advice.Date(f.LastDay.Median()) {
		fan.Out = out.Time()
	}
	return v.voice.Fan(fan, gbOf(at.op))
}

// before is what was left at the end of each day before today, newest first, as
// far back as it is certain: within the running period, while nothing waits
// behind it, and until the first day that was not measured.
func before(s renewal.Situation, trip advice.Trip, left int64, loc *time.Location) (ends []int64) {
	var begun time.Time
	for _, p := range s.Periods {
		switch p.StateAt(s.Now) {
		case line.PeriodQueued:
			return nil
		case line.PeriodActive:
			begun = p.StartsAt
		case line.PeriodEnded, line.PeriodCancelled:
		}
	}
	first := advice.DateOf(begun, loc)
	day := trip.Today
	for i := len(trip.Days) - 1; i >= 0 && day > first && len(ends) < ui.FanBefore; i-- {
		if d := trip.Days[i]; d.Date == day {
			left += d.Bytes
		} else if day < trip.Today || d.Date != day-1 {
			return ends
		} else {
			i++ // nothing of today was measured yet
		}
		ends = append(ends, left)
		day--
	}
	return ends
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
		last, ok := line.ReadLastDay(asked, tx.Now(), placeOf(v.shop, l.Plan).loc)
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
		f.Until, f.Said = advice.Date(told).String(), v.voice.Say("stay.told", locale.Args{"day": v.voice.OnDay(int64(told))})
	}
	if v.r.URL.Query().Has("until") {
		f.Error = v.voice.T("fault.date_format")
	}
	return f
}
