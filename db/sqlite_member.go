package db

import (
	"context"
	"errors"
	"fmt"
)

var errUnfinished = errors.New("db: the function did not return")

// member is one write in a group. Its function runs in the goroutine that
// called [DB.Write], so that a panic, and a test's FailNow, stay where they
// belong.
type member struct {
	job
	ctx   context.Context // the caller's
	turns chan turn       // closed when err is final
	back  chan struct{}   // the turn is over, and err is how it went
	err   error
	crash any // what the observer of commits panicked with
}

// turn is what a member's function runs with, until it returns.
type turn struct {
	ctx context.Context
	tx  *tx
}

// attend takes every turn the writer gives, and returns the answer.
func (m *member) attend() error {
	for t := range m.turns {
		m.take(t)
	}
	if m.crash != nil {
		panic(m.crash)
	}
	return m.err
}

// take runs the function. A panic goes on only when there is an answer, for until
// then nobody knows whether what the function saw is true: if this was a
// rehearsal, or if the group is lost, it runs again.
func (m *member) take(t turn) {
	m.err = errUnfinished
	returned := false
	defer func() {
		if returned {
			return
		}
		m.back <- struct{}{}
		for next := range m.turns {
			if recover() != nil {
				m.take(next)
				return
			}
			m.back <- struct{}{} // runtime.Goexit: this goroutine will not run it any more
		}
	}()
	m.err = t.tx.run(t.ctx, m.fn)
	returned = true
	m.back <- struct{}{}
}

// answer ends the member's wait with the err it has.
func (m *member) answer() { close(m.turns) }

// observe tells the observer of a commit boundary. If it panics, as a simulated
// crash does, every member panics.
func observe(members []*member, p Point) (err error) {
	defer func() {
		if crash := recover(); crash != nil {
			for _, m := range members {
				m.crash = crash
			}
			err = fmt.Errorf("db: observer: %v", crash)
		}
	}()
	members[0].observe(p)
	return nil
}
