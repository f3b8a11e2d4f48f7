package world

import (
	"context"
	"math/rand/v2"
	"time"
)

// suspension is that a process of ours stands still for a while, as one whose machine
// swaps or is moved, and then goes on where it stopped: holding what others have taken
// meanwhile because it seemed to be dead. Only a town with two of them has it.
type suspension struct {
	rand  *rand.Rand
	every int // at one boundary of a transaction or call in so many; 0: it does not happen
	now   *host
}

const (
	// suspendStep is how often the other process works meanwhile.
	suspendStep = 15 * time.Second

	// suspendMost is how many such steps it lasts at most: longer than any lease.
	suspendMost = 16

	// suspendStream makes its chance another one than everything else's. It is one by which
	// the towns in which a bug was found before there was this are what they were.
	suspendStream = 693_924
)

func newSuspension(p Plan, hosts int) suspension {
	s := suspension{rand: rand.New(rand.NewPCG(p.Seed, suspendStream))}
	if s.rand.IntN(2) == 0 && hosts > 1 && p.Faults != NoFaults {
		s.every = 2000 + s.rand.IntN(20_000)
	}
	return s
}

// boundary lets a process stand still here, perhaps.
func (s *Simulation) boundary(ctx context.Context, h *host) {
	p := &s.suspension
	if p.every == 0 || p.now != nil || s.cat == nil || p.rand.IntN(p.every) > 0 {
		return
	}
	p.now = h
	defer func() { p.now = nil }()
	s.weather.count["suspended"]++
	from := s.clock.Now()
	for range 1 + p.rand.IntN(suspendMost) {
		s.clock.Add(suspendStep)
		s.turn(ctx)
	}
	// Whatever it had in hand was out of reach, as if the database had been.
	s.weather.past = append(s.weather.past, outage{"database", from, s.clock.Now()})
	s.log("host was suspended for %s", s.clock.Now().Sub(from))
}

// awake are the processes that do not stand still.
func (s *Simulation) awake() []*host {
	if s.suspension.now == nil {
		return s.hosts
	}
	var all []*host
	for _, h := range s.hosts {
		if h != s.suspension.now {
			all = append(all, h)
		}
	}
	return all
}
