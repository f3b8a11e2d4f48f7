package main

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// cable lies between the shop and a stranger, or PostgreSQL, and has faults.
type cable struct {
	name    string
	address string // where it begins
	target  string // where it leads

	mu     sync.Mutex
	random *rand.Rand
	ends   map[net.Conn]bool
	delay  time.Duration // of each piece that passes
	tearBy int           // each new connection breaks after at most so many bytes; 0: never
	closed bool          // new connections are refused
	still  chan struct{} // nothing passes until this is closed; nil: all does
	cuts   int
}

// layCable leads from an address of its own to target, as host and port.
func layCable(ctx context.Context, name, target string, seed uint64) (*cable, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	k := &cable{
		name: name, address: l.Addr().String(), target: target, ends: map[net.Conn]bool{},
		random: rand.New(rand.NewPCG(seed, uint64(len(name)))), //nolint:gosec // chosen again by the same seed
	}
	go k.accept(ctx, l)
	go func() {
		<-ctx.Done()
		_ = l.Close()
		k.mend()
		k.cut()
	}()
	return k, nil
}

func (k *cable) accept(ctx context.Context, l net.Listener) {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		k.mu.Lock()
		closed := k.closed
		k.mu.Unlock()
		var to net.Conn
		if !closed {
			to, err = (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, "tcp", k.target)
		}
		if closed || err != nil {
			_ = from.Close()
			continue
		}
		k.connect(from, to)
	}
}

func (k *cable) connect(from, to net.Conn) {
	life := &span{left: -1}
	k.mu.Lock()
	k.ends[from], k.ends[to] = true, true
	if k.tearBy > 0 {
		life.left = 1 + k.random.IntN(k.tearBy)
		k.cuts++
	}
	k.mu.Unlock()
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			defer func() {
				_, _ = from.Close(), to.Close()
				k.mu.Lock()
				defer k.mu.Unlock()
				delete(k.ends, from)
				delete(k.ends, to)
			}()
			k.carry(way[0], way[1], life)
		}()
	}
}

// span is how many bytes a connection still lives for, in both directions together.
type span struct {
	mu   sync.Mutex
	left int // negative: for ever
}

// pass says how many of n bytes still pass.
func (s *span) pass(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left < 0 {
		return n
	}
	n = min(n, s.left)
	s.left -= n
	return n
}

// carry copies until an end closes or the cable tears.
func (k *cable) carry(from, to net.Conn, life *span) {
	piece := make([]byte, 8<<10)
	for {
		n, err := from.Read(piece)
		if err != nil {
			return
		}
		k.mu.Lock()
		delay, still := k.delay, k.still
		k.mu.Unlock()
		if still != nil {
			<-still
		}
		if delay > 0 {
			<-time.After(delay)
		}
		passes := life.pass(n)
		if _, err := to.Write(piece[:passes]); err != nil || passes < n {
			return
		}
	}
}

// cut breaks every connection there is.
func (k *cable) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for c := range k.ends {
		_ = c.Close()
	}
	k.cuts++
}

// slow delays every piece.
func (k *cable) slow(d time.Duration) { k.set(func() { k.delay = d }) }

// fray lets new connections break after at most so many bytes.
func (k *cable) fray(bytes int) { k.set(func() { k.tearBy = bytes }) }

// shut refuses new connections, and breaks those that are there.
func (k *cable) shut() {
	k.set(func() { k.closed = true })
	k.cut()
}

// hush lets nothing pass, and breaks nothing: both ends wait.
func (k *cable) hush() {
	k.set(func() {
		if k.still == nil {
			k.still = make(chan struct{})
		}
	})
}

// mend ends every fault.
func (k *cable) mend() {
	k.set(func() {
		k.delay, k.tearBy, k.closed = 0, 0, false
		if k.still != nil {
			close(k.still)
			k.still = nil
		}
	})
}

func (k *cable) set(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
}

func (k *cable) cutTimes() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.cuts
}
