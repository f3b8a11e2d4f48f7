package world

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// House is one process of ours as the town drives it: production code, step by
// step, from one goroutine.
type House struct {
	DB    *db.DB
	IDs   *id.Source
	Shelf *catalogue.Shelf
	Desk  *order.Desk
	Door  http.Handler // takes notifications
	Steps []Step
	Close func() error

	// Books is the database as the auditor reads it: no weather befalls it.
	Books *db.DB

	// Notice lets somebody hear what the repairer finds, and since when it is true.
	Notice func(do func(what string, since time.Time))
}

// Step is one piece of the house's work that runs by itself.
type Step struct {
	Name string
	Do   func(context.Context) (worked bool, err error)
}

// Plan is what a simulation is run with.
type Plan struct {
	Seed   uint64
	Orders int
	First  int // only so many of these orders are wanted, the first ones, of the same story; 0: all
	Faults Faults
	Keys   Keys      // of strangers who sign; they decide nothing
	Log    io.Writer // one line an event: the same seed gives the same log, byte for byte

	// Watch is told, often, how many orders were wanted so far, and how long ago the
	// town opened, by its own clock; nil: nobody is.
	Watch func(wanted int, since time.Duration)

	// Open opens a house on the run's database, again after a crash.
	Open func(ctx context.Context, s *Strangers, mail *Postbox, m Machine) (*House, error)
}

// Machine is what a process of ours runs on.
type Machine struct {
	Now    func() time.Time
	Random io.Reader
	Point  func(string)       // called at every commit and call boundary; panics where the process dies
	Reach  func(string) error // called before a transaction begins and after its commit; fails where the way to the database is cut
}

// Simulation is one run of a town.
type Simulation struct {
	plan    Plan
	rand    *rand.Rand
	weather *Weather
	town    *Strangers
	mail    *Postbox
	clock   *Clock
	epoch   time.Time
	length  time.Duration // how long customers come
	hosts   []*host
	cat     *catalogue.Catalogue // as the shop shows it now
	first   *catalogue.Catalogue // and as it opened

	queue events
	seq   int

	pause  time.Duration // until the next tick
	looked time.Time     // when the house last asked what lines have used

	people  []*customer
	comers  int       // who wanted to become one
	alert   time.Time // until then refunds are under way that staff asked for
	known   []*ticket // whose orders have no end, as far as was looked
	auditor *auditor
	settles map[string]time.Duration // after which the silence of a provider or operator means something
	faulty  []string

	suspension suspension
	deaths     []time.Time // when a process of ours died, or lost its way to the database
	woke       []wake
}

// host is a machine on which one process of ours runs.
type host struct {
	skew   time.Duration
	random *rand.ChaCha8
	house  *House // nil: it has crashed
	lives  int
}

var (
	// errCrash is what a process dies of.
	errCrash = errors.New("world: the process died here")

	errCut = errors.New("world: the way to the database is cut")
)

// event is something that happens at an instant.
type event struct {
	at  time.Time
	seq int
	do  func(context.Context)
}

type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// The pace of a town.
const (
	perSecond = 20               // orders that customers want in a second of the town's time, or more, …
	openMost  = 4 * time.Minute  // … for they all come within this
	busyTick  = time.Second      // how often the house works while customers come
	calmTick  = 20 * time.Second // … until every price has ended, as long as there is something to do
	calmMost  = 2 * time.Minute  // … and where there is nothing
	idleTick  = 10 * time.Minute // … and while only late money and deadlines are left
	idleMost  = time.Hour
	waitTick  = 30 * time.Second // … and while an order that was paid has no end, …
	backTick  = 50 * time.Second // … or a refund that staff asked for
	calmFor   = 2 * time.Hour
	idleFor   = 26 * time.Hour

	// lookEvery is how often the house asks what lines have used once no customer
	// comes any more: that is not what a town examines.
	lookEvery = 6 * time.Hour
)

// Simulate runs a town until every order has had its time, and returns what the
// auditor found. The error is one of the simulation itself.
func Simulate(ctx context.Context, p Plan) (Result, error) {
	s, err := begin(ctx, p)
	if err != nil {
		return Result{}, err
	}
	defer s.close()
	s.after(busyTick, s.tick)
	s.after(clerkEvery, s.clerk)
	s.after(s.length, s.auditor.onTheWay)
	for i := range cmp.Or(p.First, p.Orders) {
		s.at(s.epoch.Add(s.length*time.Duration(i)/time.Duration(p.Orders)), s.wish)
	}
	end := s.end()
	for s.queue.Len() > 0 && ctx.Err() == nil {
		e := heap.Pop(&s.queue).(event)
		if e.at.After(end) {
			break
		}
		if d := e.at.Sub(s.clock.Now()); d > 0 {
			s.clock.Add(d)
		}
		e.do(ctx)
		if p.Watch != nil {
			p.Watch(len(s.auditor.tickets), s.clock.Now().Sub(s.epoch))
		}
	}
	s.weather.clear()
	s.suspension.every = 0
	for range 30 { // the sun shines, and what waits has its time
		s.clock.Add(time.Hour)
		s.clerk(ctx)
		_ = s.turn(ctx)
	}
	s.clock.Add(time.Minute) // what the clerk did last is due for every process, whose clocks differ
	_ = s.turn(ctx)
	return s.judge(ctx)
}

// end is when the house is no longer looked at but once in an hour.
func (s *Simulation) end() time.Time { return s.epoch.Add(s.length + calmFor + idleFor) }

func begin(ctx context.Context, p Plan) (*Simulation, error) {
	s := &Simulation{plan: p, rand: rand.New(rand.NewPCG(p.Seed, 1)), epoch: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
	s.clock = &Clock{Real: func() time.Time { return s.epoch }}
	s.length = min(time.Duration(p.Orders)*time.Second/perSecond, openMost)
	s.weather = NewWeather(p.Faults, rand.New(rand.NewPCG(p.Seed, 2)), s.epoch, s.length+calmFor)
	s.town = NewStrangers(s.clock, "http://shop.invalid", p.Seed, p.Keys)
	s.town.weather = s.weather
	s.town.Simple.Settles, s.town.Simple.Lag = 10*time.Minute, s.weather.lag
	for _, b := range s.town.Banks {
		b.Wire.Now, b.Wire.StaleMost = s.clock.Now, staleMost
	}
	s.mail = newPostbox(s.clock.Now, s.weather)
	s.auditor = newAuditor(s)
	for i := range s.weather.hosts {
		s.hosts = append(s.hosts, &host{
			skew: time.Duration(i) * s.weather.skew, random: rand.NewChaCha8([32]byte{byte(p.Seed), byte(p.Seed >> 8), byte(p.Seed >> 16), byte(i), 7}),
		})
	}
	s.suspension = newSuspension(p, len(s.hosts))
	h, err := s.open(ctx, s.hosts[0])
	if err != nil {
		return nil, err
	}
	s.cat, err = db.Written(ctx, h.DB, func(ctx context.Context, tx db.Tx) (*catalogue.Catalogue, error) {
		c, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "simulation")
		return c, err
	})
	s.first = s.cat
	s.sellAbroad()
	if p.Faults != NoFaults {
		s.changes()
	}
	return s, err
}

func (s *Simulation) close() {
	for _, h := range s.hosts {
		s.bury(h)
	}
}

// open starts a process on a host, if none runs there.
func (s *Simulation) open(ctx context.Context, h *host) (*House, error) {
	if h.house != nil {
		return h.house, nil
	}
	now := func() time.Time { return s.clock.Now().Add(h.skew) }
	point := func(name string) {
		if s.weather.crashes() && s.cat != nil { // before there is a catalogue there is no town
			s.deaths = append(s.deaths, s.clock.Now())
			panic(errCrash)
		}
		if name == string(outbound.BeforeCall) || name == string(outbound.AfterCall) {
			s.boundary(ctx, h)
		}
	}
	cut := func(string) error {
		s.boundary(ctx, h)
		if s.weather.cuts(s.clock.Now()) && s.cat != nil {
			s.deaths = append(s.deaths, s.clock.Now())
			return errCut
		}
		return nil
	}
	house, err := s.plan.Open(ctx, s.town, s.mail, Machine{Now: now, Random: h.random, Point: point, Reach: cut})
	if err != nil {
		return nil, err
	}
	house.Notice(s.auditor.notice)
	if s.settles == nil {
		s.settles = map[string]time.Duration{}
		for name, p := range house.Desk.Providers {
			s.settles[name] = p.Limits().SettlesWithin
		}
		for name, c := range house.Desk.Carriers {
			s.settles[name] = c.Abilities().SettlesWithin
		}
	}
	h.house = house
	h.lives++
	return house, nil
}

// stayedClosed is for a process that did not start, which it must where it can reach
// its database.
func (s *Simulation) stayedClosed(err error) {
	if !errors.Is(err, errCut) {
		s.note("open: %v", err)
	}
}

// bury lets go of a process that has ended.
func (s *Simulation) bury(h *host) {
	if h.house != nil {
		_ = h.house.Close() // a dead process closes nothing; this frees our memory
		h.house = nil
	}
}

// in does something in a process of some host. It reports whether the process
// lived through it. Errors that no customer and no stranger may see are noted.
func (s *Simulation) in(ctx context.Context, what string, do func(context.Context, *House) error) (alive bool, err error) {
	awake := s.awake()
	h := awake[s.rand.IntN(len(awake))]
	house, err := s.open(ctx, h)
	if err != nil {
		s.stayedClosed(err)
		return false, err
	}
	defer func() {
		crash := recover()
		switch {
		case crash == nil:
		case crash == any(errCrash):
			s.log("host died in %s", what)
			s.bury(h)
			alive = false
		default:
			panic(crash)
		}
	}()
	err = do(ctx, house)
	if err != nil && fault.KindOf(err) == fault.Internal {
		s.note("%s: %v", what, err)
	}
	return true, err
}

// note keeps an error that must not happen, as a violation.
func (s *Simulation) note(format string, args ...any) {
	said := fmt.Sprintf(format, args...)
	s.log("ERROR %s", said)
	if len(s.faulty) < maxNotes {
		s.faulty = append(s.faulty, said)
	}
}

// maxNotes bounds how many errors one run reports.
const maxNotes = 50

func (s *Simulation) log(format string, args ...any) {
	if s.plan.Log != nil {
		_, _ = fmt.Fprintf(s.plan.Log, s.clock.Now().Format("01-02T15:04:05.000 ")+format+"\n", args...) // a log that is full stops nobody
	}
}

func (s *Simulation) at(at time.Time, do func(context.Context)) {
	s.seq++
	heap.Push(&s.queue, event{at, s.seq, do})
}

func (s *Simulation) after(d time.Duration, do func(context.Context)) {
	s.at(s.clock.Now().Add(d), do)
}

// tick lets the house work, often while customers come, and less often when only
// late money and deadlines are left, or when there was nothing to do.
func (s *Simulation) tick(ctx context.Context) {
	worked := s.turn(ctx)
	least, most := busyTick, busyTick
	switch since := s.clock.Now().Sub(s.epoch); {
	case since >= s.length+calmFor:
		least, most = idleTick, idleMost
	case since >= s.length:
		least, most = calmTick, calmMost
	}
	if s.pause = min(2*s.pause, most); worked || s.pause < least {
		s.pause = least
	}
	pause := s.pause
	if s.clock.Now().Before(s.alert) {
		pause = min(pause, backTick)
	}
	if pause > waitTick && s.waits(ctx) {
		pause = waitTick
	}
	s.after(pause, s.tick)
}

// lookMost is how many orders are looked at to know whether one waits; the others have
// their turn after the next tick.
const lookMost = 1000

// waits reports whether an order of those that customers know of was paid and has no
// end, and no person to decide it. Of those that have one the auditor hears.
func (s *Simulation) waits(ctx context.Context) (waits bool) {
	var ended []order.Order
	_, _ = s.in(ctx, "looking around", func(ctx context.Context, h *House) error {
		return h.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
			look := s.known[:min(len(s.known), lookMost)]
			var left []*ticket
			ended = nil // what is read again counts once
			for i, t := range look {
				o, err := order.Get(ctx, tx, order.Key{Account: t.who.account, ID: t.order})
				if err != nil {
					return err
				}
				if o.State == order.Paid || o.State == order.Fulfilling || o.State == order.RefundDue {
					waits = true
					s.known = slices.Concat(look[i:i+1], left, s.known[i+1:]) // it is looked at first the next time
					return nil
				}
				if o.State.Final() {
					ended = append(ended, o)
				} else {
					left = append(left, t)
				}
			}
			s.known = append(s.known[len(look):len(s.known):len(s.known)], left...)
			return nil
		})
	})
	for _, o := range ended {
		s.auditor.ended(ctx, o)
	}
	return waits
}

// books is the database as the auditor reads it; nil: no process has it open.
func (s *Simulation) books() *db.DB {
	for _, h := range s.hosts {
		if h.house != nil {
			return h.house.Books
		}
	}
	return nil
}

// roundsMax bounds the work of one turn; more is due again later.
const roundsMax = 40

// turn lets strangers tell what they have to tell, and every process take its
// Steps until nothing is due. It says whether anything was done.
//
// A Step that found nothing to do is not taken again, in whichever process, before
// another one has done something.
func (s *Simulation) turn(ctx context.Context) (worked bool) {
	s.strangersAct()
	if now := s.clock.Now(); !s.weather.out("database", now) {
		s.woke = append(s.woke, wake{at: now})
	}
	t := turn{idle: map[string]int{}}
	awake := s.awake()
	first := s.rand.IntN(len(awake))
	for range roundsMax {
		before := t.done
		for i := range awake {
			s.steps(ctx, awake[(first+i)%len(awake)], &t)
		}
		if t.done == before {
			break
		}
	}
	return t.done > 0
}

// turn is how far a turn has come.
type turn struct {
	done int            // how many Steps did something
	idle map[string]int // how many had, plus one, when this Step found nothing to do
}

// steps takes each Step of one process once. A process that is gone is started
// again.
func (s *Simulation) steps(ctx context.Context, h *host, t *turn) {
	house, err := s.open(ctx, h)
	if err != nil {
		s.stayedClosed(err)
		return
	}
	var doing string
	defer func() {
		if crash := recover(); crash != nil {
			if crash != any(errCrash) {
				panic(crash)
			}
			s.log("host died at work")
			s.bury(h)
			t.done++
			s.losesTurn(doing)
		}
	}()
	for _, step := range house.Steps {
		if t.idle[step.Name] == t.done+1 || step.Name == "usage" && !s.looks() {
			continue
		}
		doing = step.Name
		began := s.clock.Now()
		worked, err := step.Do(ctx)
		if err != nil || s.clock.Now().After(began) { // cut off, or stood still
			s.losesTurn(step.Name)
		}
		if err != nil && fault.KindOf(err) == fault.Internal {
			s.note("work: %v", err)
		}
		if worked || err != nil {
			t.done++
		} else {
			t.idle[step.Name] = t.done + 1
		}
	}
}

// losesTurn notes that a Step has come to nothing. One of the repairer's holds its lease.
func (s *Simulation) losesTurn(step string) {
	if step == "repairs" && len(s.woke) > 0 {
		s.woke[len(s.woke)-1].lost = true
	}
}

// looks reports whether the house asks now what lines have used.
func (s *Simulation) looks() bool {
	now := s.clock.Now()
	if now.Sub(s.epoch) >= s.length && now.Before(s.looked.Add(lookEvery)) && now.After(s.looked) {
		return false
	}
	s.looked = now
	return true
}

// strangersAct lets happen what was put off, and brings notifications on their
// way.
func (s *Simulation) strangersAct() {
	s.town.Simple.Silence(s.weather.out("simple", s.clock.Now()))
	if s.town.overdue(s.clock.Now()) {
		s.town.late()
	}
	s.tellAbroad()
	for _, b := range s.town.Banks {
		for _, n := range b.notices() {
			at := n.dueAt
			if at.Before(s.clock.Now()) {
				at = s.clock.Now()
			}
			s.at(at, func(ctx context.Context) { s.notify(ctx, b, n) })
		}
	}
}

// notify posts one notification to some process of ours. One that dies over it
// answers nothing.
func (s *Simulation) notify(ctx context.Context, b *Bank, n notice) {
	status, answer := http.StatusBadGateway, []byte(nil)
	_, _ = s.in(ctx, "a notification of "+b.Name, func(ctx context.Context, h *House) error {
		status, answer = post(ctx, h.Door, "/hooks/payment/"+b.Name, n.header, n.body)
		return nil
	})
	n.heard(status, answer)
}
