package esimaccesssim

import (
	"slices"
	"time"
)

// topUpRequest is a well-formed request for a top-up.
type topUpRequest struct {
	tranNo, iccid string
	code          string // packageCode or slug
	transactionID string
	amount        int64
	hasAmount     bool
	given         params // for periodNum, which depends on the package
}

// topUpAnswer is what a transactionId led to; nil obj while it is under way.
type topUpAnswer struct{ obj any }

// topUp serves esim/topup [1.4].
func (s *Sim) topUp(p params) (any, *refusal) {
	req, no := readTopUp(p)
	if no != nil {
		return nil, no
	}
	if known := s.toppedUp[req.transactionID]; known != nil && s.cfg.TopUpRemembersTransaction {
		if known.obj == nil {
			return nil, fail("900001")
		}
		return known.obj, nil
	}
	if d, ok := s.delay(); ok {
		s.toppedUp[req.transactionID] = &topUpAnswer{}
		s.later(s.now.Add(d), func(at time.Time) { s.settleTopUp(req, at) })
		return nil, fail("900001")
	}
	return s.settleTopUp(req, s.now)
}

// settleTopUp carries a top-up out, or refuses it, and remembers an answer.
func (s *Sim) settleTopUp(req topUpRequest, at time.Time) (any, *refusal) {
	obj, no := s.carryOut(req, at)
	if no != nil {
		delete(s.toppedUp, req.transactionID)
		return nil, no
	}
	s.toppedUp[req.transactionID] = &topUpAnswer{obj}
	return obj, nil
}

func readTopUp(p params) (topUpRequest, *refusal) {
	r := topUpRequest{given: p}
	var no *refusal
	if r.code, no = p.mandatory("packageCode", 100); no != nil {
		return r, no
	}
	if r.transactionID, no = p.mandatory("transactionId", transactionMax); no != nil {
		return r, no
	}
	if r.tranNo, r.iccid, no = p.line(); no != nil {
		return r, no
	}
	if r.tranNo == "" && r.iccid == "" {
		return r, failed("000105", "iccid")
	}
	r.amount, r.hasAmount, no = p.number("amount")
	return r, no
}

// carryOut checks everything, then charges and extends.
func (s *Sim) carryOut(req topUpRequest, at time.Time) (any, *refusal) {
	line := s.named(req.tranNo, req.iccid)
	if line == nil {
		return nil, fail("310403")
	}
	if no := s.takesTopUp(line, at); no != nil {
		return nil, no
	}
	k, no := s.topUpPackage(req.code, line.base)
	if no != nil {
		return nil, no
	}
	periods, no := readPeriods(req.given, k)
	if no != nil {
		return nil, no
	}
	if periods > 1 && line.base.SupportTopUpType != 3 {
		return nil, failed("200008", "periodNum")
	}
	price := k.Price * periods
	if req.hasAmount && req.amount != price {
		return nil, fail(s.pick(s.cfg.Manners.PriceCode, "200005", "200006"))
	}
	if price > s.balance {
		return nil, fail("200007")
	}
	done := TopUp{
		At: at, TranNo: s.number(at), TransactionID: req.transactionID, Package: k.Code,
		Price: price, Volume: k.Volume * periods, Days: k.Duration * int(periods),
	}
	s.post(at, -price, "topup", done.TranNo)
	line.topUps = append(line.topUps, done)
	s.extend(line, k, done)
	return s.topUpRow(line, done), nil
}

// extend adds volume and days to the same plan. Before activation the end is
// the install-by date, and stays.
func (s *Sim) extend(line *profile, k Package, done TopUp) {
	s.change(line, done.At, func(f *facts) {
		f.volume += done.Volume
		f.days += done.Days
		if !f.activated.IsZero() {
			f.ends = f.ends.Add(time.Duration(done.Days) * 24 * time.Hour)
		}
		if f.status == UsedUp {
			f.status = InUse
		}
		f.rows = append(slices.Clone(f.rows), row{k, done.Volume, done.Days, done.At})
	})
}

func (s *Sim) topUpRow(line *profile, done TopUp) map[string]any {
	f := line.latest()
	obj := map[string]any{
		"transactionId": done.TransactionID, "iccid": line.iccid, "expiredTime": s.say(f.ends),
		"totalVolume": f.volume, "totalDuration": f.days, "orderUsage": s.reportedAt(line, done.At),
		"topUpEsimTranNo": done.TranNo,
	}
	if s.cfg.Manners.TopUpOldShape {
		obj["transactionId"] = s.hex(32)
		delete(obj, "topUpEsimTranNo")
	}
	return obj
}

// takesTopUp: new, in use and depleted lines do; nothing else [1.4].
func (s *Sim) takesTopUp(line *profile, at time.Time) *refusal {
	switch s.statusAt(line, line.latest(), at) {
	case GotResource, InUse, UsedUp:
		return nil
	case Create, Paying, Paid, GettingResource:
		return fail("200010")
	case UsedExpired, UnusedExpired, Cancelled, Suspended, Revoked:
	}
	return fail(s.pick(s.cfg.Manners.EndedCode, "200002", "200009"))
}

// topUpPackage finds a top-up by code or slug; of several with one slug, the
// one that fits.
func (s *Sim) topUpPackage(code string, base Package) (Package, *refusal) {
	no := fail("310241")
	for _, k := range s.packages {
		if !k.isTopUp() || k.Code != code && k.Slug != code {
			continue
		}
		switch {
		case k.withdrawn:
			no = s.gone()
		case !fits(k.Package, base):
			no = fail("310243")
		default:
			return k.Package, nil
		}
	}
	return Package{}, no
}

// named finds a line; esimTranNo goes before ICCID, and an ICCID means its
// newest bearer.
func (s *Sim) named(tranNo, iccid string) *profile {
	if tranNo != "" {
		return s.profiles[tranNo]
	}
	if all := s.bearers[iccid]; len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// queryBalance serves balance/query.
func (s *Sim) queryBalance(params) (any, *refusal) {
	return map[string]any{"balance": s.balanceAt(s.now.Add(-s.lagReads))}, nil
}
