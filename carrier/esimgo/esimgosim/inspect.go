package esimgosim

import (
	"strconv"
	"time"
)

// ESIM is a profile for seeding and for auditors: the truth, not what stale
// reads show.
type ESIM struct {
	ICCID    string // made up when empty
	Bundle   string // that it comes with; empty: none
	Provider string // without a Bundle

	InstalledAt time.Time // zero: never
	UsedFrom    time.Time // first use of its bundle; zero: none
	Used        int64     // bytes at first use
}

// AddESIM puts an eSIM into our account without an order or a charge, and
// returns its ICCID. It panics if its bundle is unknown or its ICCID is ours.
func (s *Sim) AddESIM(given ESIM) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	if given.ICCID != "" && s.find(given.ICCID, s.now) != nil {
		panic("esimgosim: the ICCID " + given.ICCID + " is taken")
	}
	now := s.now
	defer func() { s.now = now }()
	for _, at := range []time.Time{given.UsedFrom, given.InstalledAt} {
		if !at.IsZero() && at.Before(s.now) {
			s.now = at.UTC()
		}
	}
	e := s.newESIM(given.ICCID, given.Provider)
	e.installed = given.InstalledAt.UTC()
	if given.Bundle != "" {
		b := s.mustBundle(given.Bundle)
		e.provider = b.Provider
		s.assign(e, b.Bundle, "")
		e.events[0].assigned.readyAt = s.now
	}
	if !given.UsedFrom.IsZero() {
		if e.installed.IsZero() {
			e.installed = given.UsedFrom.UTC()
		}
		e.events = append(e.events, event{at: given.UsedFrom.UTC(), used: given.Used})
		s.watch(e)
	}
	return e.iccid
}

// Assignment is a bundle on an eSIM as it truly is.
type Assignment struct {
	ID, Reference, Bundle, Order string
	At, StartsAt, EndsAt         time.Time
	State                        string
	Total, Left                  int64
}

// Assignments are the bundles that an ICCID's present eSIM ever had, oldest
// first; nil when it is not ours.
func (s *Sim) Assignments(iccid string) []Assignment {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	e := s.find(iccid, s.now)
	if e == nil {
		return nil
	}
	var all []Assignment
	for _, st := range e.statesAt(s.now) {
		all = append(all, Assignment{
			strconv.Itoa(st.id), st.ref, st.bundle.Name, st.order, st.at, st.started, st.ends, st.word(s.now), st.total(), st.left,
		})
	}
	return all
}

// Revoked is how often a bundle of this name was taken off an eSIM, also one that has
// left our account.
func (s *Sim) Revoked(bundle string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	for _, e := range s.esims {
		for _, st := range e.statesAt(s.now) {
			if st.bundle.Name == bundle && st.word(s.now) == "revoked" {
				n++
			}
		}
	}
	return n
}

// ICCIDs are those of all eSIMs in our account, in order of creation.
func (s *Sim) ICCIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	var all []string
	for _, e := range s.esims {
		if e.ours(s.now) {
			all = append(all, e.iccid)
		}
	}
	return all
}

// OrderCount is how many orders and applications were accepted.
func (s *Sim) OrderCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	return len(s.orders)
}

// Balance is what is left, in cents.
func (s *Sim) Balance() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	return s.balanceAt(s.now)
}

// SetBalance makes the balance this many cents from now on.
func (s *Sim) SetBalance(cents int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.post(cents - s.balanceAt(s.now))
}

// Use lets an eSIM use data, in bytes; its first use installs it, and begins its
// oldest bundle. It panics if there is no such eSIM.
func (s *Sim) Use(iccid string, bytes int64) {
	s.change(iccid, func(e *esim) {
		if e.installed.IsZero() {
			e.installed = s.now
		}
		e.events = append(e.events, event{at: s.now, used: bytes})
		s.watch(e)
	})
}

// Install lets a phone install an eSIM. It panics if there was never such an eSIM.
func (s *Sim) Install(iccid string) { s.change(iccid, func(e *esim) { e.installed = s.now }) }

// Deactivate ends an eSIM: it is shown, and takes no bundle any more. It panics
// if there is no such eSIM.
func (s *Sim) Deactivate(iccid string) { s.change(iccid, func(e *esim) { e.deactivated = s.now }) }

// TakeAway takes an eSIM out of our account for good. It panics if there is no
// such eSIM.
func (s *Sim) TakeAway(iccid string) { s.change(iccid, func(e *esim) { e.gone = s.now }) }

// Recycle gives an ICCID to another eSIM of ours, with a fresh bundle of that
// name. It panics if there is no such eSIM or bundle.
func (s *Sim) Recycle(iccid, bundle string) {
	s.change(iccid, func(e *esim) {
		e.gone = s.now
		b := s.mustBundle(bundle)
		s.assign(s.newESIM(iccid, b.Provider), b.Bundle, "")
	})
}

func (s *Sim) change(iccid string, do func(*esim)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	e := s.find(iccid, s.now)
	for i := len(s.esims) - 1; e == nil && i >= 0; i-- {
		if s.esims[i].iccid == iccid {
			e = s.esims[i]
		}
	}
	if e == nil {
		panic("esimgosim: no eSIM " + iccid)
	}
	do(e)
}
