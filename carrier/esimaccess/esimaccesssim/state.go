package esimaccesssim

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// Status is the operator's esimStatus.
type Status string

// The statuses [1.3].
const (
	Create          Status = "CREATE"
	Paying          Status = "PAYING"
	Paid            Status = "PAID"
	GettingResource Status = "GETTING_RESOURCE"
	GotResource     Status = "GOT_RESOURCE"
	InUse           Status = "IN_USE"
	UsedUp          Status = "USED_UP"
	UsedExpired     Status = "USED_EXPIRED"
	UnusedExpired   Status = "UNUSED_EXPIRED"
	Cancelled       Status = "CANCEL"
	Suspended       Status = "SUSPENDED"
	Revoked         Status = "REVOKE" // on the wire also REVOKED
)

// profile is one line at the operator.
type profile struct {
	tranNo, orderNo, transactionID string
	iccid, imsi, eid               string
	base                           Package // as it was sold
	price                          int64   // what was paid for it, without top-ups
	created                        time.Time
	history                        []version // append-only, so that stale reads can be answered
	usage                          []usage   // append-only
	topUps                         []TopUp
	messages                       []string

	// What the notifications have already said.
	toldStatus Status
	toldEnd    time.Time
	toldRemain map[int64]bool // by percent remaining
	lookAt     time.Time      // the latest settling of usage that is on the agenda
}

// version is what was true of a profile from an instant on.
type version struct {
	at time.Time
	facts
}

// facts are what the operator stores; [profile.statusAt] derives the rest.
type facts struct {
	status    Status
	smdp      string
	activated time.Time // zero before
	ends      time.Time // before activation: the install-by date
	volume    int64     // bytes
	days      int
	rows      []row // packageList; never changed in place
}

// row is one entry of packageList.
type row struct {
	pack   Package
	volume int64
	days   int
	at     time.Time
}

// usage is data consumed: the sum of all up to and including at.
type usage struct {
	at  time.Time
	sum int64
}

// factsAt is the newest version at an instant; false before the profile was made.
func (p *profile) factsAt(at time.Time) (facts, bool) {
	for _, v := range slices.Backward(p.history) {
		if !v.at.After(at) {
			return v.facts, true
		}
	}
	return facts{}, false
}

// latest is the newest version.
func (p *profile) latest() facts { return p.history[len(p.history)-1].facts }

// usedAt is what was consumed up to an instant, whether known or not.
func (p *profile) usedAt(at time.Time) int64 {
	i := sort.Search(len(p.usage), func(i int) bool { return p.usage[i].at.After(at) })
	if i == 0 {
		return 0
	}
	return p.usage[i-1].sum
}

// settled is the instant up to which usage is known at another: the last full
// hour before the delay.
func (s *Sim) settled(at time.Time) time.Time {
	if s.cfg.UsageDelay < 0 {
		return at
	}
	return at.Add(-s.cfg.UsageDelay).Truncate(time.Hour)
}

// reportedAt is the usage that the operator knows of at an instant.
func (s *Sim) reportedAt(p *profile, at time.Time) int64 { return p.usedAt(s.settled(at)) }

// statusAt derives the status at an instant: the clock ends plans, known usage
// uses them up.
func (s *Sim) statusAt(p *profile, f facts, at time.Time) Status {
	over := !at.Before(f.ends)
	switch f.status {
	case Create, Paying, Paid, GettingResource, Cancelled, Revoked, UsedExpired, UnusedExpired:
		return f.status
	case GotResource:
		if over {
			return UnusedExpired
		}
	case Suspended:
		if over && !f.activated.IsZero() {
			return UsedExpired
		}
	case InUse, UsedUp:
		if over {
			return UsedExpired
		}
		if p.base.DataType == 1 && s.reportedAt(p, at) >= f.volume {
			return UsedUp
		}
	}
	return f.status
}

// change appends a version, looks at what is to be told, and notes when to look
// again.
func (s *Sim) change(p *profile, at time.Time, edit func(*facts)) {
	f := p.latest()
	edit(&f)
	p.history = append(p.history, version{at, f})
	s.observe(p, at)
	s.watchEnd(p, at)
}

// watchEnd puts the day before the end, and the end, on the agenda.
func (s *Sim) watchEnd(p *profile, at time.Time) {
	ends := p.latest().ends
	for _, t := range []time.Time{ends.Add(-24 * time.Hour), ends} {
		if t.After(at) {
			s.later(t, func(at time.Time) { s.observe(p, at) })
		}
	}
}

// activate starts the plan.
func (s *Sim) activate(p *profile, at time.Time) {
	s.change(p, at, func(f *facts) {
		f.status, f.smdp = InUse, "ENABLED"
		f.activated = at.Truncate(time.Second) // the operator tells no fractions
		f.ends = f.activated.Add(time.Duration(f.days) * 24 * time.Hour)
	})
}

// Phone says what the phone did with the profile: DOWNLOAD, INSTALLATION,
// ENABLED, DISABLED or DELETED. A plan that starts at installation starts with
// the first ENABLED. It panics if there is no such profile.
func (s *Sim) Phone(esimTranNo, smdpStatus string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	p := s.mustProfile(esimTranNo)
	s.phone(p, s.now, smdpStatus)
}

func (s *Sim) phone(p *profile, at time.Time, smdpStatus string) {
	if p.eid == "" {
		p.eid = "890490320050" + s.digits(20)
	}
	s.change(p, at, func(f *facts) { f.smdp = smdpStatus })
	f := p.latest()
	if smdpStatus == "ENABLED" && p.base.ActiveType == 1 && s.statusAt(p, f, at) == GotResource {
		s.activate(p, at)
	}
	s.notifyPhone(p, at)
}

// Install is download, installation and enabling at once.
func (s *Sim) Install(esimTranNo string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.install(s.mustProfile(esimTranNo), s.now)
}

func (s *Sim) install(p *profile, at time.Time) {
	for _, step := range []string{"DOWNLOAD", "INSTALLATION", "ENABLED"} {
		s.phone(p, at, step)
	}
}

// Use lets a line consume data now, installing and activating it if it is new,
// and returns how much it got: less than asked when the plan ran out or the
// day's cap cuts off, nothing when the line may not be used. The operator will
// know of it later. It panics if there is no such profile.
func (s *Sim) Use(esimTranNo string, bytes int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	p, at := s.mustProfile(esimTranNo), s.now
	f := p.latest()
	if s.statusAt(p, f, at) == GotResource {
		if f.smdp == "RELEASED" {
			s.install(p, at)
		}
		if p.latest().activated.IsZero() {
			s.activate(p, at)
		}
	}
	f = p.latest()
	switch s.statusAt(p, f, at) {
	case InUse:
	case Create, Paying, Paid, GettingResource, GotResource, UsedUp, UsedExpired, UnusedExpired,
		Cancelled, Suspended, Revoked:
		return 0
	}
	got := min(bytes, p.allowance(f, at))
	if got <= 0 {
		return 0
	}
	p.usage = append(p.usage, usage{at, p.usedAt(at) + got})
	s.watchUsage(p, at)
	return got
}

// allowance is how much a line may still consume at an instant.
func (p *profile) allowance(f facts, at time.Time) int64 {
	switch p.base.DataType {
	case 1:
		return f.volume - p.usedAt(at)
	case 3: // cut off for the rest of the UTC day
		day := at.Truncate(24 * time.Hour)
		return p.base.Volume - (p.usedAt(at) - p.usedAt(day.Add(-time.Nanosecond)))
	}
	return 1 << 62 // slowed down, or unlimited
}

// watchUsage puts the settling of what was used at an instant on the agenda.
func (s *Sim) watchUsage(p *profile, at time.Time) {
	t := at
	if s.cfg.UsageDelay >= 0 {
		hour := at.Truncate(time.Hour)
		if hour.Before(at) {
			hour = hour.Add(time.Hour)
		}
		t = hour.Add(s.cfg.UsageDelay)
	}
	if t.Equal(p.lookAt) && t.After(s.now) {
		return
	}
	p.lookAt = t
	s.later(t, func(at time.Time) { s.observe(p, at) })
}

func (s *Sim) mustProfile(tranNo string) *profile {
	p := s.profiles[tranNo]
	if p == nil {
		panic("esimaccesssim: no profile " + tranNo)
	}
	return p
}

// enter puts a new profile into the books and gives it the identifiers that it
// lacks.
func (s *Sim) enter(p *profile, f facts, at time.Time) {
	if p.tranNo == "" {
		p.tranNo = s.number(at)
	}
	if p.orderNo == "" {
		p.orderNo = "B" + s.number(at)
	}
	if p.transactionID == "" {
		p.transactionID = "seed-" + p.tranNo
	}
	if p.iccid == "" {
		p.iccid = s.newICCID()
	}
	if s.profiles[p.tranNo] != nil {
		panic("esimaccesssim: esimTranNo is taken: " + p.tranNo)
	}
	p.imsi = "454006" + s.digits(9)
	p.toldRemain = map[int64]bool{}
	p.history = []version{{p.created, f}}
	p.toldStatus = s.statusAt(p, f, at) // the first status is never told
	s.profiles[p.tranNo] = p
	s.bearers[p.iccid] = append(s.bearers[p.iccid], p)
	s.sequence = append(s.sequence, p)
	s.watchEnd(p, at)
}

// number is an order or transaction number: the minute and a counter.
func (s *Sim) number(at time.Time) string {
	s.seq++
	return fmt.Sprintf("%s%04d", at.UTC().Format("0601021504"), s.seq)
}

// newICCID makes 19 or 20 digits that end in the right check digit.
func (s *Sim) newICCID() string {
	body := "898522" + s.digits(12+s.cfg.Rand.IntN(2))
	for check := range 10 {
		if iccid := fmt.Sprintf("%s%d", body, check); luhn(iccid) && s.bearers[iccid] == nil {
			return iccid
		}
	}
	return s.newICCID() // taken: once in a trillion
}

func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}

func (s *Sim) digits(n int) string { return s.letters("0123456789", n) }

func (s *Sim) hex(n int) string { return s.letters("0123456789abcdef", n) }

func (s *Sim) letters(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[s.cfg.Rand.IntN(len(alphabet))]
	}
	return string(b)
}
