package airalosim

import (
	"strings"
	"time"
)

// Line is an eSIM for seeding and for auditors: the truth, not what stale reads
// and the usage cache show.
type Line struct {
	ICCID   string // made up when empty
	Package string // ID of the base package

	CreatedAt   time.Time // seeding: ActivatedAt, or now
	ActivatedAt time.Time // first use; zero before
	UsedMB      int64     // seeding only: at first use

	// Not for seeding.
	Status           string // as usage would say it, uncached
	TotalMB, LeftMB  int64
	EndsAt           time.Time // the latest end of what has begun and is not past it, else the latest
	Packages, TopUps int
}

// AddLine puts an eSIM into the books without an order or a charge, and returns
// its ICCID. It panics if its package is unknown or its ICCID taken.
func (s *Sim) AddLine(l Line) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	k := s.mustFind(l.Package)
	if l.CreatedAt.IsZero() {
		l.CreatedAt = s.now
		if !l.ActivatedAt.IsZero() {
			l.CreatedAt = l.ActivatedAt
		}
	}
	if s.lines[l.ICCID] != nil {
		panic("airalosim: the ICCID " + l.ICCID + " is taken")
	}
	made := s.newLine(s.operator(k.Operator), l.ICCID, l.CreatedAt.UTC())
	s.seq++
	made.events = append(made.events, event{at: made.created, bought: &holding{id: s.seq, pack: k.Package, bought: made.created}})
	if !l.ActivatedAt.IsZero() {
		made.events = append(made.events, event{at: l.ActivatedAt.UTC(), usedMB: l.UsedMB})
		s.watch(made, s.now)
	}
	return made.iccid
}

func (s *Sim) newLine(o *operator, iccid string, at time.Time) *line {
	if iccid == "" {
		iccid = s.freshICCID()
	}
	s.seq++
	l := &line{id: s.seq, iccid: iccid, operator: o, created: at, matching: s.matchingID(), told: map[string]bool{}}
	s.lines[iccid] = l
	s.sequence = append(s.sequence, l)
	return l
}

// Line is the truth about an eSIM now; the zero Line where there is none.
func (s *Sim) Line(iccid string) Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	l := s.lines[iccid]
	if l == nil {
		return Line{}
	}
	f := l.figuresAt(s.now)
	states := l.statesAt(s.now)
	truth := Line{
		ICCID: iccid, CreatedAt: l.created, Status: f.status, TotalMB: f.total, LeftMB: f.remaining,
		EndsAt: f.ends, Packages: len(states), TopUps: l.topUps(),
	}
	for _, st := range states {
		if !st.pack.TopUp {
			truth.Package, truth.ActivatedAt = st.pack.ID, st.started
		}
	}
	return truth
}

// Use lets an eSIM use data, in MB; its first use, of 0 as well, begins its
// packages. It panics if there is no such eSIM.
func (s *Sim) Use(iccid string, mb int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	l := s.mustLine(iccid)
	l.events = append(l.events, event{at: s.now, usedMB: mb})
	s.watch(l, s.now)
}

// Recycle takes an eSIM back for good. It panics if there is no such eSIM.
func (s *Sim) Recycle(iccid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.mustLine(iccid).recycled = s.now
}

// ICCIDs are those of all eSIMs, in order of creation.
func (s *Sim) ICCIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	all := make([]string, len(s.sequence))
	for i, l := range s.sequence {
		all[i] = l.iccid
	}
	return all
}

func (s *Sim) mustLine(iccid string) *line {
	l := s.lines[iccid]
	if l == nil {
		panic("airalosim: no eSIM " + iccid)
	}
	return l
}

// TopUp is one top-up that was carried out.
type TopUp struct {
	At          time.Time
	Code        string // of the order
	Package     string
	Description string // as it is kept
	Paid        int64  // USD cents
}

// TopUps are the top-ups that an eSIM got, oldest first.
func (s *Sim) TopUps(iccid string) []TopUp {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	var all []TopUp
	for _, o := range s.orders {
		if o.toppedUp != nil && o.toppedUp.iccid == iccid {
			all = append(all, TopUp{o.at, o.code(), o.pack.ID, o.description, o.unit})
		}
	}
	return all
}

// Entry is one movement of the seller's credit.
type Entry struct {
	At     time.Time
	Amount int64  // USD cents; negative when charged
	Kind   string // order, topup, refund, deposit
	Ref    string // the order's code, the refund's ID
}

// Ledger is every movement of the credit since the opening one of [Config].
func (s *Sim) Ledger() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	return append([]Entry(nil), s.ledger...)
}

// Balance is what the seller has left now, in USD cents.
func (s *Sim) Balance() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	return s.balance
}

// SetBalance sets what the seller has left, in USD cents, as a deposit or its
// opposite in the ledger.
func (s *Sim) SetBalance(usd int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.post(s.now, usd-s.balance, "deposit", "")
}

// DecideRefund is the operator's person: what is approved comes back as credit,
// in USD cents; 0 declines. It says whether there was such a request to decide.
func (s *Sim) DecideRefund(id string, approved int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	for _, f := range s.refunds {
		if f.id != id || f.decided {
			continue
		}
		f.decided = true
		if approved > 0 && !s.cfg.Sandbox {
			s.post(s.now, approved, "refund", id)
		}
		return true
	}
	return false
}

// freshICCID is 19 digits, the last of which checks the others (Luhn).
func (s *Sim) freshICCID() string {
	for {
		s.seq++
		digits := []byte("894446540")
		for range 9 {
			digits = append(digits, byte('0'+s.cfg.Rand.IntN(10)))
		}
		sum := 0
		for i, d := range digits {
			n := int(d - '0')
			if (len(digits)-i)%2 == 1 {
				if n *= 2; n > 9 {
					n -= 9
				}
			}
			sum += n
		}
		iccid := string(append(digits, byte('0'+(10-sum%10)%10)))
		if s.lines[iccid] == nil {
			return iccid
		}
	}
}

// letters are n letters, digits, underscores and dashes, as request_id has them.
func (s *Sim) letters(n int) string {
	return s.draw("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", n)
}

// matchingID has the letters that an activation code may have: capitals, digits and
// dashes (SGP.22, 4.1), and neither begins nor ends with a dash.
func (s *Sim) matchingID() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return s.draw(alphabet, 8) + "-" + s.draw(alphabet, 7)
}

func (s *Sim) draw(alphabet string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[s.cfg.Rand.IntN(len(alphabet))])
	}
	return b.String()
}
