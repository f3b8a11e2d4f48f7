package cmisim

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	mega       = int64(1) << 20 // an MB; which kind is unconfirmed
	unusedDays = 180            // how long a package may lie unused; unconfirmed
)

// card is one SIM. One ICCID may have been several, one after the other.
type card struct {
	iccid, himsi string
	created      time.Time
	expires      time.Time
	foreign      bool     // another seller's
	statuses     []status // in order of time
	esim         *profile // nil: a plastic card
	events       []event  // in order of time, append-only; everything else follows from them
}

type status struct {
	at time.Time
	is int // 0 normal, 1 paused, 3 cancelled
}

type profile struct {
	code      string
	eid       string
	installed time.Time
}

// event is one thing that happened to a card.
type event struct {
	at     time.Time
	bought *sub
	starts *sub  // by the seller's wish or on its date
	ends   *sub  // early
	used   int64 // bytes
	refuel int64 // bytes, for days
	days   int
}

// sub is one package on a card: a child order.
type sub struct {
	key      string
	order    *order // nil when seeded
	pack     Package
	at       time.Time
	date     time.Time // asked for; zero: none
	refunded time.Time
	told     map[string]bool
}

func (c *card) statusAt(at time.Time) int {
	is := 0
	for _, st := range c.statuses {
		if !st.at.After(at) {
			is = st.is
		}
	}
	return is
}

// card is what an ICCID stands for; nil: nothing.
func (s *Sim) card(iccid string, at time.Time) *card {
	for _, c := range slices.Backward(s.cards) {
		if c.iccid == iccid && !c.created.After(at) {
			return c
		}
	}
	return nil
}

// named is the card that a request names by ICCID or IMSI, or why there is none.
func (s *Sim) named(q *request, imsi string) (*card, *answer) {
	iccid := q.text("iccid")
	if iccid == "" && q.text(imsi) == "" {
		return nil, no("1000005")
	}
	var c *card
	for _, other := range s.cards {
		if iccid == "" && other.himsi == q.text(imsi) {
			c = other
		}
	}
	if iccid != "" {
		c = s.card(iccid, q.asOf)
	}
	switch {
	case c == nil:
		return nil, no("1000013")
	case c.foreign:
		return nil, no("1000073")
	}
	return c, nil
}

// The states of a package on a card [3.2.6].
const (
	statusInactive = 1
	statusExpired  = 2
	statusActive   = 3
	statusRefunded = 99
)

// state is a package on a card at an instant.
type state struct {
	*sub
	started, ends time.Time // zero: not yet
	fast, all     int64     // bytes used at high speed, and with what was slow; of the day where the cap is daily
	day           string    // that they count
	refuelled     int64     // bytes, that count until
	refuelledTo   time.Time // zero: the end
	history       map[string]int64
}

// statesAt are all packages of a card as they were at an instant, oldest first.
func (c *card) statesAt(at time.Time, zone *time.Location) []state {
	var all []state
	for _, e := range c.events {
		if e.at.After(at) {
			break
		}
		switch {
		case e.bought != nil:
			all = append(all, state{sub: e.bought, history: map[string]int64{}})
		case e.refuel > 0:
			refuel(all, e, zone)
		case e.starts != nil || e.ends != nil:
			for i := range all {
				if all[i].sub == e.starts && all[i].status(e.at) == statusInactive {
					all[i].begin(e.at, zone)
				}
				if all[i].sub == e.ends && all[i].status(e.at) == statusActive {
					all[i].ends = e.at
				}
			}
		default:
			use(all, e, zone)
		}
	}
	for i := range all {
		all[i].turn(at, zone)
	}
	return all
}

// running is the package that is active, or else the oldest that may begin.
func running(all []state, at time.Time) *state {
	var next *state
	for i := range all {
		switch all[i].status(at) {
		case statusActive:
			return &all[i]
		case statusInactive:
			if next == nil && (all[i].date.IsZero() || !all[i].date.After(at)) {
				next = &all[i]
			}
		}
	}
	return next
}

func use(all []state, e event, zone *time.Location) {
	st := running(all, e.at)
	if st == nil {
		return
	}
	if st.started.IsZero() {
		st.begin(e.at, zone)
	}
	st.turn(e.at, zone)
	st.fast += min(e.used, st.limit()-st.fast)
	st.all += e.used
	st.history[e.at.In(zone).Format("20060102")] += e.used
}

// refuel adds a pack to what is active: for the rest of it, or for so many of
// its days.
func refuel(all []state, e event, zone *time.Location) {
	st := running(all, e.at)
	if st == nil || st.started.IsZero() {
		return
	}
	if !st.pack.Daily {
		st.refuelled += e.refuel * int64(e.days)
		return
	}
	st.turn(e.at, zone)
	y, m, d := e.at.In(zone).Date()
	st.refuelled, st.refuelledTo = st.refuelled+e.refuel, time.Date(y, m, d+e.days, 0, 0, 0, 0, zone).UTC()
}

// begin starts a package.
func (st *state) begin(at time.Time, zone *time.Location) {
	st.started = at
	y, m, d := at.In(zone).Date()
	switch n := st.pack.Period; st.pack.PeriodType {
	case 0:
		st.ends = at.Add(time.Duration(n) * 24 * time.Hour)
	case 1:
		st.ends = time.Date(y, m, d+n, 0, 0, 0, 0, zone).UTC()
	case 2:
		st.ends = time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, zone).UTC()
	default:
		st.ends = time.Date(y+n, 1, 1, 0, 0, 0, 0, zone).UTC()
	}
}

// turn forgets what is of an earlier day where the cap is daily.
func (st *state) turn(at time.Time, zone *time.Location) {
	if !st.pack.Daily {
		return
	}
	if day := at.In(zone).Format("20060102"); day != st.day {
		st.day, st.fast, st.all = day, 0, 0
	}
	if !st.refuelledTo.IsZero() && !at.Before(st.refuelledTo) {
		st.refuelled, st.refuelledTo = 0, time.Time{}
	}
}

// limit is how much runs at high speed.
func (st *state) limit() int64 { return st.pack.MB*mega + st.refuelled }

func (st *state) status(at time.Time) int {
	switch {
	case !st.refunded.IsZero() && !st.refunded.After(at):
		return statusRefunded
	case st.started.IsZero() && !at.Before(st.expires()):
		return statusExpired
	case st.started.IsZero():
		return statusInactive
	case !at.Before(st.ends):
		return statusExpired
	}
	return statusActive
}

func (b *sub) expires() time.Time { return b.at.AddDate(0, 0, unusedDays) }

// daysLeft are the days that a package still runs, today included.
func (st *state) daysLeft(at time.Time, zone *time.Location) int {
	n := 0
	for y, m, d := at.In(zone).Date(); time.Date(y, m, d+n, 0, 0, 0, 0, zone).Before(st.ends); {
		n++
	}
	return n
}

// mb writes bytes as queries do: MB with two decimals [3.2.6].
func mb(bytes int64) string {
	hundredths := (bytes*100 + mega/2) / mega
	return fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100)
}

// userBundles serves a card's packages [3.2.6].
func (s *Sim) userBundles(q *request) *answer {
	if q.text("language") == "" {
		return no("1000005")
	}
	c, a := s.named(q, "hImsi")
	if a != nil {
		return a
	}
	rows := []object{}
	for _, st := range c.statesAt(q.asOf, s.cfg.Zone) {
		is := st.status(q.asOf)
		filter := map[string]bool{ // its numbers are not those that are shown
			"1": is == statusActive, "2": is == statusExpired && !st.started.IsZero(), "3": is == statusInactive,
			"4": is == statusExpired && st.started.IsZero(), "": true,
		}
		if filter[q.text("status")] {
			rows = append(rows, s.bundleRow(&st, q))
		}
	}
	if s.pick(s.cfg.Manners.Order, "newest", "oldest") == "newest" {
		slices.Reverse(rows)
	}
	page, bad := cut(q, rows)
	if bad != nil {
		return bad
	}
	return ok(object{"userDataBundles": page})
}

func (s *Sim) bundleRow(st *state, q *request) object {
	kind, fuel := "1", "2"
	if st.pack.Daily {
		kind = "2"
	}
	if len(st.pack.Packs) > 0 {
		fuel = "1"
	}
	row := object{
		"bundleDesc": spoken(st.pack.Name), "name": spoken(st.pack.Name), "dataBundleId": st.pack.ID, "status": st.status(q.asOf),
		"subscriptionKey": st.key, "price": object{"currencyCode": s.cfg.Currency, "price": strconv.FormatInt(st.pack.Price, 10), "unit": "1"},
		"createTime": stamp(st.at), "expireTime": stamp(st.expires()), "isSupportFuelpack": fuel, "packageType": kind, "deductionModel": "1",
	}
	if st.order != nil {
		row["orderID"], row["orderChannel"] = st.order.id, "API"
	}
	if !st.date.IsZero() {
		row["setActiveTime"] = stamp(st.date)
	}
	if st.started.IsZero() {
		return row
	}
	row["activeTime"], row["endTime"] = stamp(st.started), stamp(st.ends)
	if st.status(q.asOf) == statusActive {
		left := int64(st.ends.Sub(q.asOf) / time.Second)
		row["remainFlow"] = mb(st.limit() - st.fast)
		row["remainTime"] = fmt.Sprintf("%d hours %d minutes %d seconds", left/3600, left/60%60, left%60)
		if st.pack.Daily {
			row["remainderDays"] = st.daysLeft(q.asOf, s.cfg.Zone)
		}
	}
	return row
}

// quota serves what was used of the package that runs, or of an order's [3.2.8].
func (s *Sim) quota(q *request) *answer {
	child, third := q.text("childOrderId"), q.text("thirdOrderId")
	var of *state
	pick := func(c *card, fits func(*state) bool) {
		states := c.statesAt(q.asOf, s.cfg.Zone)
		for i := range states {
			if fits(&states[i]) {
				of = &states[i]
			}
		}
	}
	switch {
	case child != "" || third != "":
		for _, o := range s.orders {
			if !o.at.After(q.asOf) && (child != "" || o.third == third) {
				pick(o.card, func(st *state) bool { return st.order == o && (child == "" || st.key == child) })
			}
		}
		if of == nil {
			return no("1000116")
		}
	default:
		c, a := s.named(q, "himsi")
		if a != nil {
			return a
		}
		pick(c, func(st *state) bool { return st.status(q.asOf) == statusActive })
		if of == nil {
			return no("1000010")
		}
	}
	return s.quotaRow(of)
}

func (s *Sim) quotaRow(of *state) *answer {
	kind := "1"
	if of.pack.Daily {
		kind = "2"
	}
	history := []object{}
	for _, day := range slices.Sorted(maps.Keys(of.history)) {
		history = append(history, object{"time": day, "qtaconsumption": mb(of.history[day]), "mcc": of.pack.MCC, "appName": nil})
	}
	figures := object{
		"subscriberQuota": object{
			"qtavalue": mb(of.pack.MB * mega), "qtabalance": mb(of.limit() - of.fast), "qtaconsumption": mb(of.fast),
			"qtaconsumptionTotal": mb(of.all), "refuelingTotal": mb(of.refuelled), "type": kind,
		},
		"historyQuota": history,
	}
	if s.pick(s.cfg.Manners.Quota, "flat", "list") == "list" {
		figures = object{"quotaList": []object{figures}}
	}
	figures["code"], figures["description"] = s.pick(s.cfg.Manners.QuotaCode, "0", success), "Success"
	return said(http.StatusOK, figures)
}

// start activates a package by wish or on its date.
func (s *Sim) start(c *card, b *sub) {
	c.events = append(c.events, event{at: s.now, starts: b})
	s.watch(c)
}

// activateBundle serves the activation of a package that was ordered [3.2.3].
func (s *Sim) activateBundle(q *request) *answer {
	if q.text("dataBundleId") == "" || q.text("mcc") == "" {
		return no("1000005")
	}
	c, a := s.named(q, "hImsi")
	if a != nil {
		return a
	}
	for _, st := range c.statesAt(s.now, s.cfg.Zone) {
		if st.pack.ID == q.text("dataBundleId") && st.status(s.now) == statusInactive {
			s.start(c, st.sub)
			return ok(object{})
		}
	}
	return no("1000010")
}

// endPackage serves the early end of packages [3.2.9].
func (s *Sim) endPackage(q *request) *answer {
	var list []struct{ ICCID, PackageID string }
	if json.Unmarshal(q.fields["iccidPackageList"], &list) != nil || len(list) == 0 {
		return no("1000005")
	}
	failed := []object{}
	for _, one := range list {
		done := false
		if c := s.card(one.ICCID, s.now); c != nil && !c.foreign {
			for _, st := range c.statesAt(s.now, s.cfg.Zone) {
				if st.pack.ID == one.PackageID && st.status(s.now) == statusActive {
					c.events = append(c.events, event{at: s.now, ends: st.sub})
					done = true
				}
			}
		}
		if !done {
			failed = append(failed, object{"parameterName": one.ICCID, "parameterValue": texts["1000010"]})
		}
	}
	if len(failed) > 0 {
		return said(http.StatusOK, object{"code": "1000052", "description": texts["1000052"], "errorList": failed})
	}
	return said(http.StatusOK, object{"code": "0", "description": "Success"})
}

const cardsMax = 100

// simInfo serves the state of cards; the body is a list, alone or in a field
// [3.2.10].
func (s *Sim) simInfo(q *request) *answer {
	raw := q.fields["querySIMInfoVOList"]
	if raw == nil {
		raw = q.body
	}
	var list []struct{ ICCID, IMSI string }
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 || len(list) > cardsMax {
		return no("1000005")
	}
	rows := []object{}
	for _, one := range list {
		for _, c := range s.cards {
			if s.card(c.iccid, q.asOf) != c || c.foreign || c.iccid != one.ICCID && c.himsi != one.IMSI {
				continue
			}
			rows = append(rows, object{
				"hImsi": c.himsi, "msisdn": "852" + c.himsi[len(c.himsi)-8:], "iccid": c.iccid, "status": c.statusAt(q.asOf),
				"createTime": stamp(c.created), "expireTime": stamp(c.expires), "lastModifyTime": stamp(c.created), "serviceUsageMode": "1",
				"realRuleList": nil,
			})
		}
	}
	if len(rows) == 0 {
		return no("1000013")
	}
	return said(http.StatusOK, object{"code": "0", "description": "Success", "himsis": rows})
}

const smdpAddress = "cmi.prod.ondemandconnectivity.com"

// esimInfo serves what a phone installs a card with [3.2.13].
func (s *Sim) esimInfo(q *request) *answer {
	c, a := s.named(q, "")
	if a != nil {
		return a
	}
	if c.esim == nil {
		return no("1000090")
	}
	info := object{
		"smdpAddress": smdpAddress, "activationCode": c.esim.code, "state": "Released", "eid": "",
		"installCount": 0, "installTime": nil, "installDevice": nil, "updateTime": nil,
		"downloadUrl": "LPA:1$" + smdpAddress + "$" + c.esim.code,
	}
	if !c.esim.installed.IsZero() && !c.esim.installed.After(q.asOf) {
		info["state"], info["eid"], info["installCount"] = "Installed", c.esim.eid, 1
		info["installTime"] = c.esim.installed.UTC().Format(time.DateTime)
	}
	if s.pick(s.cfg.Manners.Card, "cardInfo", "data") == "data" {
		return said(http.StatusOK, object{"code": success, "msg": "Success", "data": info})
	}
	return ok(object{"cardInfo": info})
}
