package db

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

const (
	// sendLanes is how many transactions of senders there are at once. Few are
	// best: whoever comes meanwhile shares the next one.
	sendLanes = 2

	// sendMax is how many senders share a transaction at most.
	sendMax = 64

	// sendLimit is how long a shared transaction may take.
	sendLimit = 10 * time.Second
)

// sender lets those who send at the same time share transactions. There is no
// goroutine of its own: of those who wait, one leads, and hands on when done.
type sender struct {
	attempt func(ctx context.Context, j job) error // one transaction

	mu      sync.Mutex
	leading int       // lanes in use
	waiting []*letter // in the order of their coming
}

// letter is one sender's batch.
type letter struct {
	job
	batch   *Batch
	verdict chan verdict // holds one
}

// verdict is what a sender is told.
type verdict struct {
	lead  bool // send what is waiting, yours too
	alone bool // nothing of it was stored; send yours by itself
	err   error
	crash any // what the observer of commits panicked with
}

// send returns alone if the batch must be sent by itself.
func (s *sender) send(ctx context.Context, j job, b *Batch) (alone bool, err error) {
	l := &letter{job: j, batch: b, verdict: make(chan verdict, 1)}
	s.join(l)
	for {
		v, err := s.wait(ctx, l)
		switch {
		case err != nil:
			return false, err
		case v.crash != nil:
			panic(v.crash)
		case !v.lead:
			return v.alone, v.err
		}
		s.lead(ctx, l)
	}
}

// join puts l in the queue; if there is a free lane it leads at once.
func (s *sender) join(l *letter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leading < sendLanes {
		s.leading++
		l.verdict <- verdict{lead: true}
		return
	}
	s.waiting = append(s.waiting, l)
}

// wait waits for a verdict. A caller who gives up gets its letter back, if it is
// still in the queue.
func (s *sender) wait(ctx context.Context, l *letter) (verdict, error) {
	select {
	case v := <-l.verdict:
		return v, nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	at := slices.Index(s.waiting, l)
	if at >= 0 {
		s.waiting = slices.Delete(s.waiting, at, at+1)
	}
	s.mu.Unlock()
	if at >= 0 {
		return verdict{}, ctx.Err()
	}
	return <-l.verdict, nil
}

// lead sends l and what is waiting, answers, and hands the lane on.
func (s *sender) lead(ctx context.Context, l *letter) {
	group := append([]*letter{l}, s.take(sendMax-1)...)
	v := verdict{err: ErrCommitUnknown} // if an observer ends this goroutine
	defer func() {
		if crash := recover(); crash != nil {
			v = verdict{crash: crash}
		}
		for _, l := range group {
			l.verdict <- v
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.waiting) == 0 {
			s.leading--
			return
		}
		s.waiting[0].verdict <- verdict{lead: true}
		s.waiting = slices.Delete(s.waiting, 0, 1)
	}()
	v = s.together(ctx, group)
}

// take takes up to n letters out of the queue.
func (s *sender) take(n int) []*letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = min(n, len(s.waiting))
	taken := slices.Clone(s.waiting[:n])
	s.waiting = slices.Delete(s.waiting, 0, n)
	return taken
}

// together sends a group's batches in one transaction.
func (s *sender) together(ctx context.Context, group []*letter) verdict {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendLimit) // one's impatience is not the others'
	defer cancel()
	batches := make([]*Batch, len(group))
	for i, l := range group {
		batches[i] = l.batch
	}
	var all Batch
	all.Join(batches...)
	j := group[0].job
	j.fn = func(ctx context.Context, tx Tx) error { return tx.Batch(ctx, &all) }
	err := s.attempt(ctx, j)
	var r *refused
	switch {
	case err == nil, errors.Is(err, ErrCommitUnknown):
		return verdict{err: err}
	case len(group) > 1 || errors.As(err, &r):
		return verdict{alone: true}
	}
	return verdict{err: err}
}
