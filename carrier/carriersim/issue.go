package carriersim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// InstallWithin is how long a profile that was issued can be installed.
const InstallWithin = 180 * 24 * time.Hour

// purchase is an order of a new profile that the operator has.
type purchase struct {
	carrier.Purchase
	issued carrier.Issued
	makeAt time.Time // from when on the profile is there
}

var _ carrier.Issuer = (*Sim)(nil)

// Issue implements [carrier.Issuer]. A profile that takes the operator a while,
// see [Sim.Making], is there when it is looked for after that.
func (s *Sim) Issue(ctx context.Context, p carrier.Purchase) (carrier.Issued, error) {
	if ctx.Err() != nil {
		return carrier.Issued{}, fmt.Errorf("%w: %w", carrier.ErrNotSent, ctx.Err())
	}
	i, err := s.issue(p)
	if s.MeanwhileIssue != nil {
		s.MeanwhileIssue(p)
	}
	if err == nil && ctx.Err() != nil {
		return carrier.Issued{}, fmt.Errorf("%w: the caller left: %w", carrier.ErrUnknown, ctx.Err())
	}
	return i, err
}

func (s *Sim) issue(p carrier.Purchase) (carrier.Issued, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil {
		s.asked = map[string]int{}
	}
	s.asked[p.Ref]++
	fault := None
	if s.ChooseIssue != nil {
		fault = s.ChooseIssue(p)
	}
	no := s.unsold(p.Package)
	switch {
	case s.silent:
		return carrier.Issued{}, fmt.Errorf("%w: the simulated operator is silent", carrier.ErrUnknown)
	case no != nil && (fault == None || fault == Refuse):
		return carrier.Issued{}, no
	}
	switch fault {
	case None:
		return s.shown(s.sell(p)), nil
	case Refuse:
		return carrier.Issued{}, &carrier.Refusal{Reason: carrier.OperatorRefuses, Code: "no", Text: "the simulated operator refuses"}
	case NotSent:
		return carrier.Issued{}, fmt.Errorf("%w: no connection", carrier.ErrNotSent)
	case LoseRequest:
		return carrier.Issued{}, fmt.Errorf("%w: request lost", carrier.ErrUnknown)
	case ActLater:
		s.laterIssues = append(s.laterIssues, p)
		return carrier.Issued{}, fmt.Errorf("%w: no answer in time", carrier.ErrUnknown)
	case LoseAnswer:
		if no == nil {
			s.sell(p)
		}
		return carrier.Issued{}, fmt.Errorf("%w: answer lost", carrier.ErrUnknown)
	}
	panic("carriersim: unknown fault " + string(fault))
}

// unsold is why the operator does not sell a package, or nil.
func (s *Sim) unsold(code string) *carrier.Refusal {
	if s.Sells == nil {
		return nil
	}
	for _, p := range s.Sells {
		if p.Code == code {
			return nil
		}
	}
	return &carrier.Refusal{Reason: carrier.PackageGone, Code: "package", Text: "no such package"}
}

// sell takes an order. An operator that is asked twice sells twice: that is what
// callers must not let happen.
func (s *Sim) sell(p carrier.Purchase) *purchase {
	s.sold++
	number := fmt.Sprintf("%s-%06d", s.Name(), s.sold)
	sold := &purchase{
		Purchase: p, makeAt: s.Now().Add(s.Making),
		issued: carrier.Issued{
			Ref: "op-" + number, Profile: carrier.Profile{ID: number, ICCID: iccid(s.Now(), s.sold)},
			Code: "LPA:1$smdp.simulated.invalid$" + fmt.Sprintf("SIM-%08X-%06d", uint32(s.Now().Unix()), s.sold), InstallBy: s.Now().Add(InstallWithin),
		},
	}
	if s.purchases == nil {
		s.purchases = map[string][]*purchase{}
	}
	s.purchases[p.Ref] = append(s.purchases[p.Ref], sold)
	return sold
}

// iccid is a card's number that no other card of this operator has: 19 digits,
// the last of which is the check digit.
func iccid(now time.Time, n int) string {
	body := fmt.Sprintf("8981%010d%04d", now.Unix()%1e10, n%1e4)
	sum := 0
	for i := range len(body) {
		d := int(body[len(body)-1-i] - '0')
		if i%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return body + string(rune('0'+(10-sum%10)%10))
}

// shown is what the operator says of an order now. With it the profile becomes a
// line of the operator's that nobody has used yet.
func (s *Sim) shown(p *purchase) carrier.Issued {
	if s.Now().Before(p.makeAt) {
		return carrier.Issued{Ref: p.issued.Ref}
	}
	if s.lines == nil {
		s.lines = map[string]carrier.Status{}
	}
	if _, known := s.lines[p.issued.Profile.ID]; !known {
		s.lines[p.issued.Profile.ID] = carrier.Status{State: carrier.LineNew, AsOf: s.Now()}
	}
	return p.issued
}

// LookUpIssue implements [carrier.Issuer].
func (s *Sim) LookUpIssue(ctx context.Context, p carrier.Purchase) (carrier.IssueReading, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.unread(ctx); err != nil {
		return carrier.IssueReading{}, err
	}
	began := s.Now()
	sold := s.purchases[p.Ref]
	if len(sold) == 0 {
		return carrier.IssueReading{Found: carrier.FoundAbsent, AsOf: began, Why: "no such reference"}, nil
	}
	r := carrier.IssueReading{Found: carrier.FoundDone, Issued: s.shown(sold[0]), AsOf: began, Why: "found by reference"}
	if !r.Issued.Made() {
		r.Found, r.Why = carrier.FoundPending, "still being made"
	}
	return r, nil
}

// Issues reports how many profiles were sold under a reference.
func (s *Sim) Issues(ref string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.purchases[ref])
}

// Made is what the operator's own people see of the profile that was sold first under
// a reference; ok is false as long as there is none.
func (s *Sim) Made(ref string) (made carrier.Issued, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.purchases[ref]) == 0 {
		return carrier.Issued{}, false
	}
	made = s.shown(s.purchases[ref][0])
	return made, made.Made()
}

// Sold are the references of all purchases, sorted.
func (s *Sim) Sold() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.purchases))
}

// UseNew is [Sim.Use] of every profile that nobody has used; it says how many there
// were.
func (s *Sim) UseNew() (n int) {
	s.mu.Lock()
	var all []string
	for id, st := range s.lines {
		if st.State == carrier.LineNew {
			all = append(all, id)
		}
	}
	s.mu.Unlock()
	for _, id := range all {
		s.Use(id, time.Time{}, 0)
	}
	return len(all)
}

// Use is somebody who installs a profile and goes online with it for the first
// time: it is active from now on, until ends; zero: the operator does not say.
func (s *Sim) Use(profile string, ends time.Time, total int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.lines[profile]
	if st.State != carrier.LineNew {
		return
	}
	s.lines[profile] = carrier.Status{
		State: carrier.LineActive, StartsAt: s.Now(), EndsAt: ends, Unlimited: total == 0, Total: total, AsOf: s.Now(),
	}
}
