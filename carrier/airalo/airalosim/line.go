package airalosim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// line is one eSIM.
type line struct {
	id       int
	iccid    string
	operator *operator
	order    *order // that brought it; nil when seeded
	created  time.Time
	matching string
	brand    string
	recycled time.Time // zero: not

	events []event // in order of time, append-only; everything else follows from them
	told   map[string]bool
	cache  *cachedUsage
}

// event is one thing that happened to a line: something was bought for it, it
// was first used, or data was used.
type event struct {
	at     time.Time
	bought *holding
	usedMB int64
}

// holding is one package that a line has.
type holding struct {
	id     int
	pack   Package
	order  *order // nil when seeded
	bought time.Time
}

// state is a holding at an instant.
type state struct {
	*holding
	started   time.Time // zero: not yet
	ends      time.Time
	finished  time.Time // when nothing was left; zero: not
	remaining int64     // MB; 0 for unlimited
}

// The statuses of packages and lines [2.2].
const (
	notActive = "NOT_ACTIVE"
	active    = "ACTIVE"
	finished  = "FINISHED"
	expired   = "EXPIRED"
	recycled  = "RECYCLED"
)

func (l *line) recycledBy(at time.Time) bool { return !l.recycled.IsZero() && !l.recycled.After(at) }

// statesAt are all packages of a line as they were at an instant, oldest first.
func (l *line) statesAt(at time.Time) []state {
	var all []state
	var firstUse time.Time
	for _, e := range l.events {
		if e.at.After(at) {
			break
		}
		l.begin(all, firstUse, e.at)
		switch {
		case e.bought != nil:
			all = append(all, state{holding: e.bought, remaining: e.bought.pack.AmountMB})
		case firstUse.IsZero():
			firstUse = e.at
		}
		l.begin(all, firstUse, e.at)
		for left := e.usedMB; left > 0; {
			next := consume(all, left, e.at)
			if next == left {
				break
			}
			l.begin(all, firstUse, e.at)
			left = next
		}
	}
	l.begin(all, firstUse, at)
	return all
}

// begin starts what is to start by an instant: nothing before the line's first
// use; then everything at once, or, where the operator queues, each when the one
// before is over.
func (l *line) begin(all []state, firstUse, at time.Time) {
	if firstUse.IsZero() {
		return
	}
	for i := range all {
		st := &all[i]
		if !st.started.IsZero() {
			continue
		}
		from := latest(firstUse, st.bought)
		if l.operator.Queues && i > 0 {
			over, isOver := all[i-1].over(at)
			if !isOver {
				return
			}
			from = latest(from, over)
		}
		st.started = from
		st.ends = from.AddDate(0, 0, st.pack.Days)
	}
}

// consume takes data from what is running, the first to end first, and returns
// what nothing was left for.
func consume(all []state, mb int64, at time.Time) int64 {
	var running []*state
	for i := range all {
		if all[i].status(at) == active {
			running = append(running, &all[i])
		}
	}
	slices.SortStableFunc(running, func(a, b *state) int { return a.ends.Compare(b.ends) })
	for _, st := range running {
		if st.pack.Unlimited {
			return 0
		}
		taken := min(mb, st.remaining)
		st.remaining -= taken
		mb -= taken
		if st.remaining == 0 {
			st.finished = at
		}
		if mb == 0 {
			break
		}
	}
	return mb
}

// over is when a package was used up or ended, if it was by then.
func (st *state) over(at time.Time) (time.Time, bool) {
	switch {
	case st.started.IsZero():
		return time.Time{}, false
	case !st.finished.IsZero():
		return st.finished, true
	case !st.ends.After(at):
		return st.ends, true
	}
	return time.Time{}, false
}

func (st *state) status(at time.Time) string {
	switch {
	case st.started.IsZero():
		return notActive
	case !st.finished.IsZero():
		return finished
	case !st.ends.After(at):
		return expired
	}
	return active
}

// overAt is the latest end of a line all of whose packages are over; what was
// used up still counts until its days are.
func (l *line) overAt(at time.Time) (time.Time, bool) {
	var end time.Time
	for _, st := range l.statesAt(at) {
		if st.started.IsZero() || st.ends.After(at) {
			return time.Time{}, false
		}
		end = latest(end, st.ends)
	}
	return end, true
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// figures are a whole line at an instant.
type figures struct {
	status           string
	total, remaining int64 // MB, of what is not past its end
	ends             time.Time
	unlimited        bool
	pack             Package // the newest that is not past its end
}

// figuresAt sums up a line. How the real one sums several packages up is
// unconfirmed: here everything counts that is not past its end, and the end is
// the latest of what has begun.
func (l *line) figuresAt(at time.Time) figures {
	if l.recycledBy(at) {
		return figures{status: recycled}
	}
	var f figures
	var began, running, waiting bool
	for _, st := range l.statesAt(at) {
		f.ends = latest(f.ends, st.ends)
		began = began || !st.started.IsZero()
		if st.status(at) == expired || !st.started.IsZero() && !st.ends.After(at) {
			continue
		}
		waiting = true
		running = running || st.status(at) == active
		f.unlimited = f.unlimited || st.pack.Unlimited
		f.total += st.pack.AmountMB
		f.remaining += st.remaining
		f.pack = st.pack
	}
	switch {
	case !began:
		f.status = notActive
	case running:
		f.status = active
	case waiting:
		f.status = finished
	default:
		f.status = expired
	}
	if f.unlimited {
		f.total, f.remaining = 0, 0
	}
	return f
}

// cachedUsage is a usage answer that is given again until it is stale.
type cachedUsage struct {
	until  time.Time
	answer *answer
}

// usage serves GET sims/{iccid}/usage, from a cache of 20 minutes [2.4]. Nothing
// clears the cache, not even a top-up.
func (s *Sim) usage(r *request) (*answer, *refusal) {
	l := s.lines[r.id]
	if l == nil {
		return nil, notFound()
	}
	if l.cache != nil && s.now.Before(l.cache.until) {
		return l.cache.answer, nil
	}
	f := l.figuresAt(r.asOf)
	var ends, unlimited any
	if f.status != recycled {
		unlimited = f.unlimited && !s.cfg.Sandbox
		if !f.ends.IsZero() {
			ends = stamp(f.ends)
		}
	}
	a := said(http.StatusOK, object{
		{"remaining", f.remaining},
		{"total", f.total},
		{"expired_at", ends},
		{"is_unlimited", unlimited},
		{"status", f.status},
		{"remaining_voice", 0},
		{"remaining_text", 0},
		{"total_voice", 0},
		{"total_text", 0},
	}, "api.succes") // so it is documented
	if s.cfg.UsageCache > 0 {
		l.cache = &cachedUsage{s.now.Add(s.cfg.UsageCache), a}
	}
	return a, nil
}

// history serves GET sims/{iccid}/packages, newest first as in the sample.
func (s *Sim) history(r *request) (*answer, *refusal) {
	l := s.lines[r.id]
	if l == nil {
		return nil, notFound()
	}
	rows := []object{}
	for _, st := range slices.Backward(l.statesAt(r.asOf)) {
		if !st.pack.TopUp && s.cfg.HistoryOfTopUpsOnly {
			continue
		}
		k := s.packageRow(st.pack)
		rows = append(rows, object{
			{"id", st.id},
			{"status", st.status(r.asOf)},
			{"remaining", st.remaining},
			{"activated_at", offset(st.started)},
			{"expired_at", offset(st.ends)},
			{"finished_at", offset(st.finished)},
			{"package", k.without("qr_installation", "manual_installation", "is_fair_usage_policy", "fair_usage_policy", "voice", "text", "prices")},
		})
	}
	return plain(http.StatusOK, object{{"pricing", s.pricing()}, {"data", rows}}), nil
}

// lineRow is an eSIM as orders carry it.
func (l *line) lineRow() object {
	return object{
		{"id", l.id},
		{"created_at", stamp(l.created)},
		{"iccid", l.iccid},
		{"lpa", "lpa.airalo.com"},
		{"imsis", nil},
		{"matching_id", l.matching},
		{"qrcode", "LPA:1$lpa.airalo.com$" + l.matching},
		{"qrcode_url", "https://www.airalo.com/qr?id=" + strconv.Itoa(l.id)},
		{"direct_apple_installation_url", "https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=LPA:1$lpa.airalo.com$" + l.matching},
		{"airalo_code", nil},
		{"apn_type", "automatic"},
		{"apn_value", nil},
		{"is_roaming", true},
		{"confirmation_code", nil},
		{"apn", apn()},
		{"msisdn", nil},
	}
}

// fullRow is an eSIM as GET sims has it; its order only on request.
func (s *Sim) fullRow(l *line, r *request) object {
	var at any
	if l.recycledBy(r.asOf) {
		at = stamp(l.recycled)
	}
	row := append(l.lineRow(), object{
		{"voucher_code", nil},
		{"brand_settings_name", orNull(l.brand)},
		{"recycled", at != nil},
		{"recycled_at", at},
	}...)
	if includes := strings.Split(r.query.Get("include"), ","); l.order != nil && slices.Contains(includes, "order") {
		simable := s.orderRow(l.order, nil)
		if slices.Contains(includes, "order.status") {
			simable = append(simable, member{"status", completed()})
		}
		row = append(row, member{"simable", simable})
	}
	return row
}

// getLine serves GET sims/{iccid}.
func (s *Sim) getLine(r *request) (*answer, *refusal) {
	l := s.lines[r.id]
	if l == nil || l.created.After(r.asOf) {
		return nil, notFound()
	}
	return ok(s.fullRow(l, r)), nil
}

// listLines serves GET sims, newest first. filter[iccid] finds every ICCID that
// contains it [A].
func (s *Sim) listLines(r *request) (*answer, *refusal) {
	p, no := r.readPage(100)
	if no != nil {
		return nil, no
	}
	from, to, ranged := time.Time{}, time.Time{}, r.query.Get("filter[created_at]")
	if ranged != "" {
		var understood bool
		if from, to, understood = period(ranged); !understood {
			return nil, invalidField("filter.created_at", "The filter.created at is not a valid date range.")
		}
	}
	var rows []*line
	for _, l := range slices.Backward(s.sequence) {
		inTime := ranged == "" || !l.created.Before(from) && l.created.Before(to)
		if inTime && !l.created.After(r.asOf) && strings.Contains(l.iccid, r.query.Get("filter[iccid]")) {
			rows = append(rows, l)
		}
	}
	data := []object{}
	first, last := p.cut(len(rows))
	for _, l := range rows[first:last] {
		data = append(data, s.fullRow(l, r))
	}
	links, meta := p.about(Lines, len(rows))
	return plain(http.StatusOK, object{{"data", data}, {"links", links}, {"meta", meta}}), nil
}
