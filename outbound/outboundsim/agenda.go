package outboundsim

import (
	"container/heap"
	"time"
)

// Agenda is what a simulated stranger will do by itself, in the order in which it
// falls due; of the same instant, in the order in which it was noted. The zero Agenda
// is empty. It is not safe for use by several goroutines.
type Agenda struct {
	noted int
	due   appointments
}

// Note puts something on the agenda. It is told for when that was.
func (a *Agenda) Note(at time.Time, do func(at time.Time)) {
	a.noted++
	heap.Push(&a.due, appointment{at, a.noted, do})
}

// Next is when the first thing falls due; false where nothing is noted.
func (a *Agenda) Next() (at time.Time, ok bool) {
	if len(a.due) == 0 {
		return time.Time{}, false
	}
	return a.due[0].at, true
}

// Do does everything that has fallen due, also what is noted meanwhile.
func (a *Agenda) Do(now time.Time) {
	for len(a.due) > 0 && !a.due[0].at.After(now) {
		next := heap.Pop(&a.due).(appointment)
		next.do(next.at)
	}
}

type appointment struct {
	at    time.Time
	noted int
	do    func(at time.Time)
}

// appointments implement [heap.Interface].
type appointments []appointment

func (a appointments) Len() int { return len(a) }

func (a appointments) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].noted < a[j].noted
	}
	return a[i].at.Before(a[j].at)
}

func (a appointments) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

func (a *appointments) Push(x any) { *a = append(*a, x.(appointment)) }

func (a *appointments) Pop() any {
	old := *a
	last := old[len(old)-1]
	*a = old[:len(old)-1]
	return last
}
