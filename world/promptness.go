package world

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tsuzuku/tsuzuku/order"
)

// What the auditor wants of time: what is wrong is found within a minute, and an order
// that was paid is settled within five, or within a minute after the longest settling
// time of its strangers where that is longer, counted from when nothing was in its way
// any more. Both are promised of 99 in 100. A shop works every second; the house of a town
// sleeps: see [nap], and [backTick], which is left to it.

const (
	findWithin = time.Minute

	// nap is how much counts of the time that the house of a town sleeps between two turns of
	// the repairer: so long is it from one to the next in a shop. Where the first was lost,
	// because its process died, was cut off or stood still, afterLost counts: another is
	// only taken when its lease is over.
	nap       = 5 * time.Second
	afterLost = 20 * time.Second

	// few is how many more than one in a hundred may be late: a town is small.
	few = 3

	// crowd is from how many orders on a town is no judge of that: customers come faster
	// than operators let themselves be asked.
	crowd = 6000

	// What was in the way for longAway is looked at seldom.
	longAway = 150 * time.Minute
	seldom   = 20 * time.Minute

	// holdsOn is for how long a process that died keeps what it had taken in hand, all of
	// it, with the pace of the house.
	holdsOn = time.Minute

	// foundAgain is for how long what a process found that died before it had kept that is
	// the same when another one finds it: a lease, and the longest sleep.
	foundAgain = 135 * time.Second
)

// breach is something wrong, and from when it is.
type breach struct {
	what  string
	since time.Time
}

// oursAlone are the signs that no stranger, fault or crash may bring about: what shows
// them is a mistake of ours, also where the repairer puts it right.
var oursAlone = []string{
	"served_nowhere", "money_of_nobody", "paid_twice", "given_twice", "served_unpaid", "served_unfinished", "no_document", "document_differs",
	"refund_forgotten", "refund_failed_unseen", "payment_unbooked", "refund_unbooked", "sale_unbooked", "forgotten", "held_without_case",
}

// notice is the repairer that has found something. One that died before it could keep
// that finds it again; what is found again later has come back. An order that a person
// sends on its way again is late from then on. What goes wrong once the house is no longer
// looked at but once in an hour cannot be found sooner.
func (a *auditor) notice(what string, since time.Time) {
	sign, about, _ := strings.Cut(what, " ")
	if slices.Contains(oursAlone, sign) {
		a.wrong("the repairer had to find %s: %s", sign, about)
	}
	if last := a.decided[about]; last.After(since) {
		since = last
	}
	if since.After(a.s.end()) {
		return
	}
	now, b := a.s.clock.Now(), breach{what, since}
	if last, known := a.breaches[b]; known && now.Sub(last) > foundAgain {
		return
	}
	a.breaches[b] = now
	a.s.log("found %s, true for %s", what, now.Sub(since))
}

// detected is how long everything that the repairer found had been true.
func (a *auditor) detected() Detection {
	var took []time.Duration
	late := 0
	for b, found := range a.breaches {
		d := workedBetween(a.s.woke, b.since, found)
		if took = append(took, d); d > findWithin {
			late++
		}
	}
	return Detection{len(took), late, spread(took)}
}

// wake is when the house of a town worked and could reach its database, and whether it
// lost a turn of the repairer then.
type wake struct {
	at   time.Time
	lost bool
}

// workedBetween is how much time a house had between two instants that woke so, in order:
// all of it, but of each sleep a nap.
func workedBetween(woke []wake, from, to time.Time) (sum time.Duration) {
	first, _ := slices.BinarySearchFunc(woke, from, func(w wake, t time.Time) int { return w.at.Compare(t) })
	most := nap
	for _, w := range append(woke[first:len(woke):len(woke)], wake{at: to}) {
		if w.at.After(to) {
			w.at = to
		}
		sum += min(most, max(0, w.at.Sub(from)))
		if from, most = w.at, nap; w.lost {
			most = afterLost
		}
	}
	return sum
}

// judgePromptness wants both promises kept.
func (a *auditor) judgePromptness() Detection {
	d := a.detected()
	if a.s.plan.Orders > crowd {
		return d
	}
	if d.Late > d.Times/100+few {
		a.wrong("%d of %d things that were wrong were found later than promised", d.Late, d.Times)
	}
	if n := len(a.reachable); a.late > n/100+few {
		a.wrong("%d of %d orders were settled later than promised", a.late, n)
	}
	return d
}

// holdToPromise notes how long an order took that was completed or given back by itself,
// from when nothing was in its way, and that it is late.
func (a *auditor) holdToPromise(t *ticket, o order.Order, p page) {
	if !a.decided[o.ID].IsZero() || o.CompletedAt.After(a.s.end()) {
		return // then the house wakes once in an hour
	}
	from, settles := a.free(t, o, p)
	took, most := max(0, o.CompletedAt.Sub(from)), max(order.SettleWithin, settles+time.Minute)+backTick
	if from.Sub(o.PaidAt) > longAway {
		most += seldom
	}
	if lastBefore(a.s.deaths, o.CompletedAt).After(from) {
		most += holdsOn
	}
	a.reachable = append(a.reachable, took)
	if took > most {
		a.late++
		a.s.log("%d settled late: %s (%s) %s after %s, when it was free; paid at %s, asked for at %s, tried %d times: %s",
			t.n, o.State, o.Reason, took, from, o.PaidAt, o.AskedAt, o.Attempts, o.Evidence)
		for _, back := range p.refunds {
			a.s.log("refund %+v", back)
		}
	}
}

// free is from when nothing was in the way of an order: it was paid and asked for, none
// of its strangers was away, and no call about it came to nothing any more. settles is
// the longest settling time of its strangers.
func (a *auditor) free(t *ticket, o order.Order, p page) (from time.Time, settles time.Duration) {
	strangers, names := []string{"database"}, []string{o.ID, o.OperatorRef}
	if t.line != nil {
		names = append(names, t.line.profile, t.line.iccid)
	}
	if o.Kind != order.TopUp {
		who := "simple"
		if o.Plan == plansAbroad {
			who = wholesaler
		}
		settles, strangers = a.s.settles[who], append(strangers, who)
	}
	for _, pay := range slices.Concat(p.payments, p.lent) {
		strangers, names = append(strangers, pay.Provider), append(names, pay.Ref, pay.ProviderID, pay.MoneyID)
		settles = max(settles, a.s.settles[pay.Provider])
	}
	for _, back := range p.refunds {
		names = append(names, back.Ref, back.ProviderID)
	}
	from = o.PaidAt
	if o.AskedAt.After(from) {
		from = o.AskedAt
	}
	for _, out := range a.s.weather.past {
		if slices.Contains(strangers, out.who) && out.from.Before(o.CompletedAt) && out.to.After(from) {
			from = out.to
		}
	}
	if last := a.s.weather.failed.last(names, o.CompletedAt); last.After(from) {
		from = last
	}
	if slices.Contains(strangers, wholesaler) {
		if last := lastBefore(a.s.weather.hail.calls, o.CompletedAt); last.After(from) {
			from = last
		}
	}
	return from, settles
}

// hail is a stranger that answers little: one that we leave alone. Of the last hailOf
// calls hailFrom or more came to nothing.
type hail struct {
	lately []bool      // whether they came to nothing
	calls  []time.Time // those in hail, and the one after
}

const (
	hailOf   = 10
	hailFrom = 4
)

// call notes one call.
func (h *hail) call(at time.Time, failed bool) {
	was := h.falls()
	h.lately = append(h.lately, failed)
	h.lately = h.lately[max(0, len(h.lately)-hailOf):]
	if was || h.falls() {
		h.calls = append(h.calls, at)
	}
}

func (h *hail) falls() bool {
	n := 0
	for _, failed := range h.lately {
		if failed {
			n++
		}
	}
	return n >= hailFrom
}

// failures are when calls to strangers came to nothing, by every name in them.
type failures map[string][]time.Time

// nameLeast is how many characters the names of orders, payments, refunds and lines have.
const nameLeast = 8

// add notes that a call came to nothing in which this stood.
func (f failures) add(at time.Time, text string) {
	for name := range strings.FieldsFuncSeq(text, func(r rune) bool { return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(name) >= nameLeast {
			f[name] = append(f[name], at)
		}
	}
}

// last is when the last call came to nothing, before an instant, in which one of these
// names stood; zero: none did.
func (f failures) last(names []string, before time.Time) (last time.Time) {
	for _, n := range names {
		if at := lastBefore(f[n], before); at.After(last) {
			last = at
		}
	}
	return last
}

// lastBefore is the last of these that is before an instant; zero: none is.
func lastBefore(all []time.Time, before time.Time) (last time.Time) {
	for _, at := range all {
		if at.Before(before) && at.After(last) {
			last = at
		}
	}
	return last
}

// wordsOf is what stands in a request.
func wordsOf(r *http.Request) string {
	if r.Body == nil {
		return r.URL.String()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return r.URL.String()
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	text := r.URL.String() + " " + string(body)
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}
