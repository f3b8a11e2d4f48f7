package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// cableFaults are what befalls a connection; slowly is by how much each piece is
// delayed.
func cableFaults(k *cable, slowly time.Duration) []fault {
	during := func(begin func()) func(context.Context, time.Duration) {
		return func(ctx context.Context, length time.Duration) {
			begin()
			wait(ctx, length)
			k.mend()
		}
	}
	return []fault{
		{name: k.name + ": every connection is cut", weight: 3, do: func(context.Context, time.Duration) { k.cut() }},
		{name: k.name + ": connections are slow", weight: 2, do: during(func() { k.slow(slowly) })},
		{name: k.name + ": connections tear in the middle", weight: 2, do: during(func() { k.fray(20_000) })},
		{name: k.name + ": connections are refused", weight: 2, do: during(k.shut)},
		{name: k.name + ": nothing passes", weight: 2, do: during(k.hush)},
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// killEvery is how long the server may live between two kills, at most, once it is open;
// longest is how long a fault lasts, at most.
const (
	killEvery = 8 * time.Second
	longest   = 6 * time.Second
	faultPace = 7 * time.Second
)

// torment lets faults happen, and kills the server, at moments of chance until closing.
func (r *run) torment(ctx context.Context, faults []fault, closing <-chan struct{}) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-closing:
			stop()
		case <-ctx.Done():
		}
	}()
	every := killEvery
	if r.calmly {
		every /= 4
	}
	var all sync.WaitGroup
	all.Go(func() {
		random := rand.New(rand.NewPCG(r.seed, 3)) //nolint:gosec // chosen again by the same seed
		for {
			if random.IntN(8) > 0 { // else it may be killed before it is open
				r.server.awaitOpen(ctx, r.url)
			}
			if wait(ctx, time.Duration(random.Int64N(int64(every)))); ctx.Err() != nil {
				return
			}
			if r.calmly || random.IntN(6) == 0 {
				r.server.stop()
			} else {
				r.server.kill()
			}
		}
	})
	random, weights := rand.New(rand.NewPCG(r.seed, 4)), 0 //nolint:gosec // as above
	for _, f := range faults {
		weights += f.weight
	}
	for {
		if wait(ctx, time.Duration(random.Int64N(int64(faultPace)))); ctx.Err() != nil {
			break
		}
		if weights == 0 {
			continue
		}
		at, length := random.IntN(weights), time.Second+time.Duration(random.Int64N(int64(longest)))
		for _, f := range faults {
			if at -= f.weight; at >= 0 {
				continue
			}
			if f.ready == nil || f.ready(ctx) {
				r.say("%s", f.name)
				r.count(f.name)
				all.Go(func() { f.do(ctx, length) })
			}
			break
		}
	}
	all.Wait()
}
