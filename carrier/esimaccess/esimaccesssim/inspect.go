package esimaccesssim

import (
	"time"
)

// Profile is a line for seeding and for auditors: the truth, not what stale
// reads and late usage show.
type Profile struct {
	TranNo        string // esimTranNo; made up when empty, as the next three
	OrderNo       string
	TransactionID string
	ICCID         string

	Package string // code of the base package
	Status  Status // seeding: IN_USE when ActivatedAt is given, else GOT_RESOURCE
	SMDP    string // seeding: ENABLED when ActivatedAt is given, else RELEASED

	CreatedAt   time.Time // seeding: ActivatedAt, or now
	ActivatedAt time.Time // zero before activation
	EndsAt      time.Time // before activation the install-by date; seeding: from the package

	TotalVolume int64 // bytes; seeding: from the package
	TotalDays   int   // seeding: from the package
	Used        int64 // bytes, all; what is seeded is known to the operator at once
	Reported    int64 // bytes, known to the operator; not for seeding

	Messages []string // texts sent by sendSms; not for seeding
}

// AddProfile puts a line into the books without charging for it and returns
// its esimTranNo. It panics if the package or its identifiers make no sense.
func (s *Sim) AddProfile(p Profile) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	base := s.mustFind(p.Package).Package
	if p.CreatedAt.IsZero() {
		p.CreatedAt = s.now
		if !p.ActivatedAt.IsZero() {
			p.CreatedAt = p.ActivatedAt
		}
	}
	periods := int64(1)
	if p.TotalDays == 0 {
		p.TotalDays = base.Duration
	} else if base.PerDay() {
		periods = int64(p.TotalDays / base.Duration)
	}
	if p.TotalVolume == 0 {
		p.TotalVolume = base.Volume * periods
	}
	f := facts{
		status: GotResource, smdp: "RELEASED",
		activated: p.ActivatedAt.UTC(), ends: p.EndsAt.UTC(), volume: p.TotalVolume, days: p.TotalDays,
		rows: []row{{base, p.TotalVolume, p.TotalDays, p.CreatedAt}},
	}
	if p.ActivatedAt.IsZero() {
		f.activated = time.Time{}
	} else {
		f.status, f.smdp = InUse, "ENABLED"
	}
	if p.EndsAt.IsZero() {
		f.ends = p.CreatedAt.UTC().Truncate(time.Second).Add(time.Duration(base.UnusedValidTime) * 24 * time.Hour)
		if !f.activated.IsZero() {
			f.ends = f.activated.Add(time.Duration(p.TotalDays) * 24 * time.Hour)
		}
	}
	if p.Status != "" {
		f.status = p.Status
	}
	if p.SMDP != "" {
		f.smdp = p.SMDP
	}
	made := &profile{
		tranNo: p.TranNo, orderNo: p.OrderNo, transactionID: p.TransactionID, iccid: p.ICCID,
		base: base, price: base.Price * periods, created: p.CreatedAt.UTC(),
	}
	if f.status == UsedUp && base.DataType == 1 {
		p.Used = p.TotalVolume // or it would not be used up
	}
	if p.Used > 0 {
		made.usage = []usage{{time.Time{}, p.Used}}
	}
	if f.smdp != "RELEASED" {
		made.eid = "890490320050" + s.digits(20)
	}
	s.enter(made, f, s.now)
	s.markTold(made, f, s.now)
	return made.tranNo
}

// Profile is the truth about a line; the zero Profile where there is none.
func (s *Sim) Profile(esimTranNo string) Profile {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	p := s.profiles[esimTranNo]
	if p == nil {
		return Profile{}
	}
	f := p.latest()
	return Profile{
		TranNo: p.tranNo, OrderNo: p.orderNo, TransactionID: p.transactionID, ICCID: p.iccid,
		Package: p.base.Code, Status: s.statusAt(p, f, s.now), SMDP: f.smdp,
		CreatedAt: p.created, ActivatedAt: f.activated, EndsAt: f.ends,
		TotalVolume: f.volume, TotalDays: f.days,
		Used: p.usedAt(s.now), Reported: s.reportedAt(p, s.now),
		Messages: append([]string(nil), p.messages...),
	}
}

// Profiles are the esimTranNos of all lines, oldest first.
func (s *Sim) Profiles() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	all := make([]string, 0, len(s.sequence))
	for _, p := range s.sequence {
		all = append(all, p.tranNo)
	}
	return all
}

// Recycle gives a line's ICCID to a new profile of the same package and
// returns the new esimTranNo. The old line, unless over already, is revoked.
func (s *Sim) Recycle(esimTranNo string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	old := s.mustProfile(esimTranNo)
	switch s.statusAt(old, old.latest(), s.now) {
	case UsedExpired, UnusedExpired, Cancelled, Revoked:
	case Create, Paying, Paid, GettingResource, GotResource, InUse, UsedUp, Suspended:
		s.change(old, s.now, func(f *facts) { f.status, f.smdp = Revoked, "DELETED" })
	}
	made := &profile{iccid: old.iccid, base: old.base, price: old.price, created: s.now}
	s.enter(made, newFacts(old.base, 1, s.now), s.now)
	return made.tranNo
}

// TopUp is one top-up that was carried out.
type TopUp struct {
	At            time.Time
	TranNo        string // topUpEsimTranNo
	TransactionID string // ours
	Package       string
	Price         int64 // USD × 10,000, as charged
	Volume        int64 // bytes added
	Days          int   // added
}

// TopUps are the top-ups that a line got, oldest first.
func (s *Sim) TopUps(esimTranNo string) []TopUp {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	p := s.profiles[esimTranNo]
	if p == nil {
		return nil
	}
	return append([]TopUp(nil), p.topUps...)
}

// Entry is one movement of the seller's balance.
type Entry struct {
	At     time.Time
	Amount int64  // USD × 10,000; negative when charged
	Kind   string // order, topup, cancel, deposit
	Ref    string // orderNo, topUpEsimTranNo, esimTranNo
}

// Ledger is every movement of the balance since the opening one of [Config].
func (s *Sim) Ledger() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	return append([]Entry(nil), s.ledger...)
}

// Balance is what the seller has left now, in USD × 10,000.
func (s *Sim) Balance() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	return s.balance
}

// post moves the balance.
func (s *Sim) post(at time.Time, amount int64, kind, ref string) {
	s.balance += amount
	s.ledger = append(s.ledger, Entry{at, amount, kind, ref})
}

// balanceAt is the balance at an earlier instant.
func (s *Sim) balanceAt(at time.Time) int64 {
	b := s.balance
	for i := len(s.ledger) - 1; i >= 0 && s.ledger[i].At.After(at); i-- {
		b -= s.ledger[i].Amount
	}
	return b
}
