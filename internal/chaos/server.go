package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// server is the program that is killed, and what starts it again, as a service manager does.
type server struct {
	binary string
	args   []string
	log    *os.File

	mu      sync.Mutex
	next    string     // the program of the next version; empty: the schema is this one's
	random  *rand.Rand // which of the two is started
	process *os.Process
	asked   bool
	lives
}

// lives are a server's beginnings and ends.
type lives struct {
	older int // starts of this version's program on the next one's schema
	newer int // starts of the next version's
	kills int // by us, without a warning
	stops int // by us, in good order
	ends  int // by itself: it could not go on, or not begin
}

// lived is how it has begun and ended until now.
func (s *server) lived() lives {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lives
}

// pause is what lies between an end of the server and its next start.
const pause = 300 * time.Millisecond

// run keeps the server running until ctx ends.
func (s *server) run(ctx context.Context) {
	for ctx.Err() == nil {
		s.live(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (s *server) live(ctx context.Context) {
	cmd := exec.Command(s.program(), s.args...) //nolint:gosec,noctx // our own program; ctx ends it in good order, below
	cmd.Env = cleanEnviron()
	cmd.Stdout, cmd.Stderr = s.log, s.log
	s.mu.Lock()
	err := cmd.Start()
	s.process, s.asked = cmd.Process, false
	s.mu.Unlock()
	if err != nil {
		return
	}
	ended := make(chan struct{})
	go func() {
		select {
		case <-ended:
		case <-ctx.Done():
			s.stop()
		}
	}()
	_ = cmd.Wait() // how it ended is in its log
	close(ended)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process = nil; !s.asked {
		s.ends++
	}
}

// program is the one to start.
func (s *server) program() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.next == "":
		return s.binary
	case s.random.IntN(2) == 0:
		s.older++
		return s.binary
	}
	s.newer++
	return s.next
}

// either lets both versions be started from now on.
func (s *server) either(next string, random *rand.Rand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next, s.random = next, random
}

// openMost bounds how long the server is spared because it has not opened.
const openMost = 20 * time.Second

// awaitOpen waits until the server answers, but not for ever: its database may be away.
func (s *server) awaitOpen(ctx context.Context, url string) {
	ctx, cancel := context.WithTimeout(ctx, openMost)
	defer cancel()
	for ctx.Err() == nil {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/healthz", http.NoBody)
		if err != nil {
			return
		}
		if resp, err := (&http.Client{}).Do(r); err == nil {
			_ = resp.Body.Close()
			return
		}
		wait(ctx, 100*time.Millisecond)
	}
}

// kill ends the server as a power cut would.
func (s *server) kill() { s.signal(syscall.SIGKILL, &s.kills) }

// stop ends it in good order.
func (s *server) stop() { s.signal(syscall.SIGTERM, &s.stops) }

func (s *server) signal(how syscall.Signal, count *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return // it is just being started
	}
	if s.process.Signal(how) == nil {
		*count++
		s.asked = true
	}
}
