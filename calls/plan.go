package calls

import (
	"cmp"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Job is an order that waits for its operator.
type Job struct {
	ID    string
	Cost  int       // requests
	Dark  time.Time // when its line goes dark; zero where it is dark already, or does not exist
	Waits time.Time // since when somebody waits for it
}

// Choose picks which jobs are begun now, with room for so many requests; later is
// how many more can begin until an instant. unseen is what further jobs cost that
// the caller has not listed, whose lines go dark after those of all jobs; keep is
// what is left of the room for others where no line's end presses.
//
// First come those without which, by the earliest deadline, not all lines could be
// kept from going dark; in want of room that is all of it. Of orders that cost the
// same no other order of work saves more lines. What room is then left is for those
// who have waited longest, whenever their lines end. A job that does not fit is
// waited for: what comes after it does not overtake.
func Choose(now time.Time, room, keep int, later func(time.Time) int, jobs []Job, unseen int) (chosen []int, pressed bool) {
	byDark := make([]int, 0, len(jobs))
	byWait := make([]int, len(jobs))
	for i, j := range jobs {
		byWait[i] = i
		if j.Dark.After(now) {
			byDark = append(byDark, i)
		}
	}
	slices.SortFunc(byDark, func(a, b int) int { return cmp.Or(jobs[a].Dark.Compare(jobs[b].Dark), first(jobs[a], jobs[b])) })
	slices.SortFunc(byWait, func(a, b int) int { return first(jobs[a], jobs[b]) })
	for ; len(byDark) > 0 && presses(jobs, byDark, later, unseen); byDark = byDark[1:] {
		i := byDark[0]
		if jobs[i].Cost > room {
			return chosen, true // what is left of the room is the next one's
		}
		chosen, room = append(chosen, i), room-jobs[i].Cost
	}
	room -= keep
	for _, i := range byWait {
		if slices.Contains(chosen, i) {
			continue
		}
		if jobs[i].Cost > room {
			break
		}
		chosen, room = append(chosen, i), room-jobs[i].Cost
	}
	return chosen, false
}

// first orders jobs by how long somebody waits for them.
func first(a, b Job) int { return cmp.Or(a.Waits.Compare(b.Waits), cmp.Compare(a.ID, b.ID)) }

// presses reports whether one of the lines would go dark if none of these jobs were
// begun now.
func presses(jobs []Job, byDark []int, later func(time.Time) int, unseen int) bool {
	demand := 0
	for n, i := range byDark {
		demand += jobs[i].Cost
		if n == len(byDark)-1 {
			demand += unseen
		}
		if demand > later(jobs[i].Dark) {
			return true
		}
	}
	return false
}

// queue is what is known of the orders that wait, and of the looks that do.
type queue struct {
	at      time.Time // when a worker last looked
	left    int       // requests of orders that it left due
	pressed bool      // lines would go dark if anything else took the room
	hungry  time.Time // since when looks were turned away; zero: they were not
	hunger  time.Time // when they last were
}

// fresh is how long a worker's look at the orders is believed.
const fresh = 5 * time.Second

// waits reports whether orders wait for room.
func (q queue) waits(now time.Time) bool { return q.left > 0 && now.Before(q.at.Add(fresh)) }

// starved reports whether looks have had nothing for so long.
func (q queue) starved(now time.Time, fast time.Duration) bool {
	return !q.hungry.IsZero() && !now.Before(q.hungry.Add(fast)) && now.Before(q.hunger.Add(fresh))
}

// Plan sets aside requests for those of jobs that are begun now, and says which
// these are. The jobs of an operator that is left alone are all let through, without
// any: each is turned away at its first call, and waits as what was not sent does.
func (o *Operator) Plan(jobs []Job, unseen, most int) (*Grant, []int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	o.queue.at, o.queue.left, o.queue.pressed = now, 0, false
	if o.brake.state != Well {
		all := make([]int, min(most, len(jobs)))
		for i := range all {
			all[i] = i
		}
		return nil, all
	}
	room, keep := o.meter.room(now), 0
	if o.queue.starved(now, o.budget.fast()) {
		keep = o.budget.few()
	}
	later := func(t time.Time) int { return o.meter.later(now, t) }
	chosen, pressed := Choose(now, room, keep, later, jobs, unseen)
	chosen = chosen[:min(len(chosen), most)]
	all, given := unseen, 0
	for _, j := range jobs {
		all += j.Cost
	}
	for _, i := range chosen {
		given += jobs[i].Cost
	}
	o.queue.left, o.queue.pressed = all-given, pressed
	o.meter.promised += given
	return &Grant{operator: o, left: given}, chosen
}

// Room is how many requests may begin now.
func (o *Operator) Room() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.meter.room(o.now())
}

// Looks sets aside requests for up to n looks at lines, and says for how many. They
// leave the reserve alone. While orders wait they get a tenth, and nothing while
// the end of a line presses.
func (o *Operator) Looks(n int) (*Grant, int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	if o.brake.state != Well {
		return nil, n
	}
	room := o.meter.room(now)
	switch starved := o.queue.starved(now, o.budget.fast()); {
	case !o.queue.waits(now):
		room -= o.budget.reserved()
	case o.queue.pressed || !starved:
		room = 0
	default:
		room = min(room, o.budget.few())
	}
	cost := max(1, o.budget.Costs.Status)
	given := min(n, max(0, room)/cost)
	switch {
	case given == n:
		o.queue.hungry = time.Time{}
	case given > 0 || o.queue.hungry.IsZero():
		o.queue.hungry = now
	}
	if given < n {
		o.queue.hunger = now
	}
	o.meter.promised += given * cost
	return &Grant{operator: o, left: given * cost}, given
}

// LineRoom says when the operator may be asked about a line; now, or zero, is at
// once.
func (o *Operator) LineRoom(p carrier.Profile) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	m := o.ofLine(p, now)
	if m == nil || m.room(now) >= o.budget.Costs.Status || len(m.began) == 0 {
		return time.Time{}
	}
	return m.began[0].Add(m.rules[0].Within)
}
