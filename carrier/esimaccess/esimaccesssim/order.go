package esimaccesssim

import (
	"slices"
	"time"
)

const (
	transactionMax = 50 // characters
	batchMax       = 30 // eSIMs in one order
	readyAfter     = 30 * time.Second
)

// order is a purchase of new eSIMs.
type order struct {
	no, transactionID string
	items             []item
	pollsLeft         int
	ready             bool
	answer            any
}

// item is one line of an order.
type item struct {
	pack    Package
	count   int64
	periods int64 // days of a package sold by the day, else 1
}

func (i item) price() int64 { return i.pack.Price * i.periods }

// newFacts are those of an eSIM just allocated.
func newFacts(base Package, periods int64, at time.Time) facts {
	days, volume := base.Duration*int(periods), base.Volume*periods
	return facts{
		status: GotResource, smdp: "RELEASED",
		ends:   at.Truncate(time.Second).Add(time.Duration(base.UnusedValidTime) * 24 * time.Hour),
		volume: volume, days: days, rows: []row{{base, volume, days, at}},
	}
}

// placeOrder serves esim/order: charged at once, allocated later. A known
// transactionId is the same request and gets the same answer [1.4].
func (s *Sim) placeOrder(p params) (any, *refusal) {
	id, no := p.mandatory("transactionId", transactionMax)
	if no != nil {
		return nil, no
	}
	if known := s.ordered[id]; known != nil {
		return known.answer, nil
	}
	raw, no := list[params](p, "packageInfoList", 100)
	if no != nil {
		return nil, no
	}
	o := &order{transactionID: id, pollsLeft: s.cfg.PollsUntilReady}
	var total, count int64
	for _, r := range raw {
		it, no := s.readItem(r)
		if no != nil {
			return nil, no
		}
		o.items = append(o.items, it)
		count += it.count
		total += it.price() * it.count
	}
	amount, given, no := p.number("amount")
	switch {
	case no != nil:
		return nil, no
	case count > batchMax:
		return nil, failed("200008", "at most 30 profiles a batch")
	case given && amount != total:
		return nil, fail("200006")
	case total > s.balance:
		return nil, fail("200007")
	}
	o.no = "B" + s.number(s.now)
	s.post(s.now, -total, "order", o.no)
	o.answer = map[string]any{"orderNo": o.no, "transactionId": id}
	s.orders[o.no], s.ordered[id] = o, o
	s.later(s.now.Add(readyAfter), func(at time.Time) { s.allocate(o, at) })
	return o.answer, nil
}

func (s *Sim) readItem(r params) (item, *refusal) {
	code, no := r.optional("packageCode")
	if no != nil {
		return item{}, no
	}
	slug, no := r.optional("slug")
	if no != nil {
		return item{}, no
	}
	if code == "" && slug == "" {
		return item{}, failed("000105", "packageCode")
	}
	var found *pack
	for _, k := range s.packages {
		if !k.isTopUp() && (k.Code == code || code == "" && k.Slug == slug || k.Slug == code) {
			found = k
			break
		}
	}
	if found == nil {
		return item{}, fail("310241")
	}
	if found.withdrawn {
		return item{}, s.gone()
	}
	count, no := r.within("count", 1, batchMax)
	if no != nil {
		return item{}, no
	}
	periods, no := readPeriods(r, found.Package)
	if no != nil {
		return item{}, no
	}
	it := item{found.Package, count, periods}
	price, given, no := r.number("price")
	if no != nil {
		return item{}, no
	}
	if given && price != found.Price {
		return item{}, fail("200005")
	}
	return it, nil
}

// readPeriods reads periodNum, which only packages sold by the day take.
func readPeriods(r params, k Package) (int64, *refusal) {
	n, given, no := r.number("periodNum")
	switch {
	case no != nil:
		return 0, no
	case !given:
		return 1, nil
	case !k.PerDay() || n < 1 || n > 365:
		return 0, failed("200008", "periodNum")
	}
	return n, nil
}

func (s *Sim) gone() *refusal { return fail(s.pick(s.cfg.Manners.GoneCode, "310241", "310243")) }

// allocate makes an order's profiles.
func (s *Sim) allocate(o *order, at time.Time) {
	if o.ready {
		return
	}
	o.ready = true
	for _, it := range o.items {
		for range it.count {
			made := &profile{orderNo: o.no, transactionID: o.transactionID, base: it.pack, price: it.price(), created: at}
			s.enter(made, newFacts(it.pack, it.periods, at), at)
		}
	}
	s.notifyOrder(o, at)
}

// queryProfiles serves esim/query: one line by esimTranNo or ICCID, the batch
// by orderNo, or all made within a time [1.3].
func (s *Sim) queryProfiles(p params) (any, *refusal) {
	orderNo, no := p.optional("orderNo")
	if no != nil {
		return nil, no
	}
	tranNo, iccid, no := p.line()
	if no != nil {
		return nil, no
	}
	from, no := p.when("startTime")
	if no != nil {
		return nil, no
	}
	to, no := p.when("endTime")
	if no != nil {
		return nil, no
	}
	pg, no := p.pager()
	if no != nil {
		return nil, no
	}
	if orderNo == "" && tranNo == "" && iccid == "" && (from.IsZero() || to.IsZero()) {
		return nil, failed("000105", "orderNo")
	}
	at := s.now.Add(-s.lagReads)
	if orderNo != "" {
		if no := s.poll(orderNo); no != nil {
			return nil, no
		}
	}
	var found []*profile
	for _, k := range s.candidates(tranNo, iccid, at) {
		_, made := k.factsAt(at)
		inTime := from.IsZero() || to.IsZero() || !k.created.Before(from) && !k.created.After(to)
		if made && (orderNo == "" && inTime || orderNo != "" && k.orderNo == orderNo) {
			found = append(found, k)
		}
	}
	if orderNo != "" && len(found) == 0 {
		if iccid != "" {
			return nil, fail("310403")
		}
		return nil, fail("200010")
	}
	rows := []any{}
	first := min(int64(len(found)), (pg.number-1)*pg.size)
	for _, k := range found[first:min(int64(len(found)), first+pg.size)] {
		rows = append(rows, s.profileRow(k, at))
	}
	return map[string]any{
		"esimList": rows,
		"pager":    map[string]any{"pageSize": pg.size, "pageNum": pg.number, "total": len(found)},
	}, nil
}

// poll answers 200010 while an order is being allocated. Seeded profiles have
// order numbers without an order.
func (s *Sim) poll(orderNo string) *refusal {
	o := s.orders[orderNo]
	if o == nil {
		for _, k := range s.sequence {
			if k.orderNo == orderNo {
				return nil
			}
		}
		return fail("310272")
	}
	if !o.ready && o.pollsLeft > 0 {
		o.pollsLeft--
		return fail("200010")
	}
	s.allocate(o, s.now)
	return nil
}

// candidates are the profiles that can match: an ICCID means its newest bearer
// as of then.
func (s *Sim) candidates(tranNo, iccid string, at time.Time) []*profile {
	switch {
	case tranNo == "" && iccid == "":
		return s.sequence
	case tranNo != "":
		if k := s.profiles[tranNo]; k != nil {
			return []*profile{k}
		}
		return nil
	}
	for _, k := range slices.Backward(s.bearers[iccid]) {
		if _, made := k.factsAt(at); made {
			return []*profile{k}
		}
	}
	return nil
}

func (s *Sim) profileRow(p *profile, at time.Time) map[string]any {
	f, _ := p.factsAt(at)
	rows := []any{}
	for _, r := range f.rows {
		rows = append(rows, map[string]any{
			"packageName": r.pack.Name, "packageCode": r.pack.Code, "slug": r.pack.Slug,
			"duration": r.days, "volume": r.volume, "locationCode": r.pack.LocationCode, "createTime": s.say(r.at),
		})
	}
	var activated any
	if !f.activated.IsZero() {
		activated = s.say(f.activated)
	}
	eid := p.eid
	if f.smdp == "RELEASED" {
		eid = ""
	}
	return map[string]any{
		"esimTranNo": p.tranNo, "orderNo": p.orderNo, "transactionId": p.transactionID,
		"imsi": p.imsi, "iccid": p.iccid, "msisdn": "", "smsStatus": p.base.SMSStatus,
		"ac":        "LPA:1$rsp.example.invalid$" + p.tranNo,
		"qrCodeUrl": "https://qr.example.invalid/" + p.tranNo + ".png", "shortUrl": "https://qr.example.invalid/" + p.tranNo,
		"smdpStatus": f.smdp, "eid": eid, "activeType": p.base.ActiveType, "dataType": p.base.DataType,
		"activateTime": activated, "expiredTime": s.say(f.ends),
		"totalVolume": f.volume, "totalDuration": f.days, "durationUnit": "DAY",
		"orderUsage": s.reportedAt(p, at), "esimStatus": s.spell(s.statusAt(p, f, at), "REVOKE"),
		"pin": "", "puk": "", "apn": "internet", "packageList": rows,
	}
}

// queryUsage serves esim/usage/query, for up to ten lines. Unknown ones are
// left out.
func (s *Sim) queryUsage(p params) (any, *refusal) {
	asked, no := list[string](p, "esimTranNoList", 10)
	if no != nil {
		return nil, no
	}
	at := s.now.Add(-s.lagReads)
	rows := []any{}
	for _, tranNo := range asked {
		k := s.profiles[tranNo]
		if k == nil {
			continue
		}
		f, made := k.factsAt(at)
		if !made {
			continue
		}
		rows = append(rows, map[string]any{
			"esimTranNo": tranNo, "dataUsage": s.reportedAt(k, at), "totalData": f.volume,
			"lastUpdateTime": s.say(s.knownAt(k, at)),
		})
	}
	if s.pick(s.cfg.Manners.UsageList, "object", "array") == "array" {
		return rows, nil
	}
	return map[string]any{"esimUsageList": rows}, nil
}

// knownAt is the instant up to which a line's usage is known.
func (s *Sim) knownAt(p *profile, at time.Time) time.Time {
	if t := s.settled(at); t.After(p.created) {
		return t
	}
	return p.created
}

// line reads the two ways of naming a line.
func (p params) line() (tranNo, iccid string, no *refusal) {
	if tranNo, no = p.optional("esimTranNo"); no != nil {
		return "", "", no
	}
	iccid, no = p.optional("iccid")
	return tranNo, iccid, no
}
