package cmisim

import (
	"fmt"
	"time"
)

// Card is a SIM for seeding.
type Card struct {
	ICCID   string // made up when empty
	Package string // that it comes with; empty: none
	ESIM    bool
	Foreign bool // it is another seller's

	ActiveFrom time.Time // first use of its package; zero: none
	UsedMB     int64     // at first use
	ExpiresAt  time.Time // of the card; zero: in ten years
}

// AddCard puts a card into the books without an order or a charge, and returns
// its ICCID. It panics if its package is unknown or its ICCID taken.
func (s *Sim) AddCard(given Card) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	if given.ICCID != "" && s.card(given.ICCID, s.now) != nil {
		panic("cmisim: the ICCID " + given.ICCID + " is taken")
	}
	at := s.now
	if !given.ActiveFrom.IsZero() && given.ActiveFrom.Before(at) {
		at = given.ActiveFrom.UTC()
	}
	c := s.newCard(given.ICCID, at)
	c.foreign = given.Foreign
	if !given.ExpiresAt.IsZero() {
		c.expires = given.ExpiresAt.UTC()
	}
	if given.ESIM {
		c.esim = &profile{code: s.hex(16), eid: "8904305120220000522300" + fmt.Sprintf("%010d", s.seq)}
	}
	if given.Package != "" {
		s.fill(c, given.Package, at)
	}
	if !given.ActiveFrom.IsZero() {
		c.events = append(c.events, event{at: given.ActiveFrom.UTC(), used: given.UsedMB * mega})
		s.watch(c)
	}
	return c.iccid
}

func (s *Sim) newCard(iccid string, at time.Time) *card {
	s.seq++
	if iccid == "" {
		iccid = luhn(fmt.Sprintf("8985234202%09d", 244_733+s.seq*11))
	}
	c := &card{iccid: iccid, himsi: fmt.Sprintf("45412%010d", s.seq), created: at, expires: at.AddDate(10, 0, 0)}
	s.cards = append(s.cards, c)
	return c
}

// fill gives a card a package without an order.
func (s *Sim) fill(c *card, id string, at time.Time) {
	o := s.offer(id)
	if o == nil {
		panic("cmisim: no package " + id)
	}
	s.seq++
	c.events = append(c.events, event{at: at, bought: &sub{key: fmt.Sprintf("seed%08d", s.seq), pack: o.Package, at: at, told: map[string]bool{}}})
}

// luhn puts the check digit behind the digits of an ICCID.
func luhn(digits string) string {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

// Subscription is a package on a card as it truly is.
type Subscription struct {
	Key, OrderID, ThirdOrderID, Package string
	At, StartsAt, EndsAt                time.Time
	Status                              int // 1 inactive, 2 expired, 3 active, 99 refunded
	FastMB, AllMB                       string
}

// Subscriptions are the packages that an ICCID's present card ever had, oldest
// first.
func (s *Sim) Subscriptions(iccid string) []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	c := s.card(iccid, s.now)
	if c == nil {
		return nil
	}
	var all []Subscription
	for _, st := range c.statesAt(s.now, s.cfg.Zone) {
		one := Subscription{
			Key: st.key, Package: st.pack.ID, At: st.at, StartsAt: st.started, EndsAt: st.ends,
			Status: st.status(s.now), FastMB: mb(st.fast), AllMB: mb(st.all),
		}
		if st.order != nil {
			one.OrderID, one.ThirdOrderID = st.order.id, st.order.third
		}
		all = append(all, one)
	}
	return all
}

// Orders is how many orders with this thirdOrderId were carried out and not
// taken back.
func (s *Sim) Orders(third string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	n := 0
	for _, o := range s.orders {
		if o.third == third && !o.refunded {
			n++
		}
	}
	return n
}

// Balance is what is left of the deposit, in hundredths.
func (s *Sim) Balance() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	return s.balance()
}

// SetBalance makes the deposit this much from now on, in hundredths.
func (s *Sim) SetBalance(to int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	s.post(to - s.balance())
}

// Use lets a card use data, in bytes; what is to begin with first use begins. It
// panics if there is no such card.
func (s *Sim) Use(iccid string, bytes int64) {
	s.change(iccid, func(c *card) {
		c.events = append(c.events, event{at: s.now, used: bytes})
		s.watch(c)
		s.tellUsed(c)
	})
}

// Install lets a phone install an eSIM. It panics if the card is none.
func (s *Sim) Install(iccid string) {
	s.change(iccid, func(c *card) {
		c.esim.installed = s.now
		s.tellProfile(c, "4")
		s.tellProfile(c, "101")
	})
}

// Code is what a phone installs an eSIM with, as the seller finds it in their portal.
// It panics if the card is none.
func (s *Sim) Code(iccid string) (code string) {
	s.change(iccid, func(c *card) { code = "LPA:1$" + smdpAddress + "$" + c.esim.code })
	return code
}

// SetStatus makes a card normal (0), paused (1) or cancelled (3). It panics if
// there is no such card.
func (s *Sim) SetStatus(iccid string, is int) {
	s.change(iccid, func(c *card) { c.statuses = append(c.statuses, status{s.now, is}) })
}

// Expire ends a card now. It panics if there is no such card.
func (s *Sim) Expire(iccid string) { s.change(iccid, func(c *card) { c.expires = s.now }) }

// Recycle gives an ICCID to another card of ours, with a fresh package. It panics
// if there is no such card or package.
func (s *Sim) Recycle(iccid, pack string) {
	s.change(iccid, func(*card) { s.fill(s.newCard(iccid, s.now), pack, s.now) })
}

func (s *Sim) change(iccid string, do func(*card)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	c := s.card(iccid, s.now)
	if c == nil {
		panic("cmisim: no card " + iccid)
	}
	do(c)
}
