package smtp_test

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
)

// hang is the answer that never comes.
const hang = "(silence)"

// scripted is a relay that says what it is told to, whatever it hears.
type scripted struct {
	port int
	l    net.Listener

	mu     sync.Mutex
	lines  []string
	silent func()
	done   chan struct{}
}

// script starts a relay that gives these answers to one connection, one for
// the greeting and then one for each command or letter, and hangs up.
func script(t *testing.T, answers ...string) *scripted {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{port: l.Addr().(*net.TCPAddr).Port, l: l, silent: func() {}, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close() //nolint:errcheck // the script is over
		s.play(conn, answers)
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-s.done
	})
	return s
}

func (s *scripted) play(conn net.Conn, answers []string) {
	in := bufio.NewScanner(conn)
	letter := false
	for i, answer := range answers {
		if i > 0 && !s.hear(in, letter) {
			return
		}
		if answer == hang {
			s.hush()
			for in.Scan() { // until the other side gives up
			}
			return
		}
		letter = strings.HasPrefix(answer, "354")
		if _, err := conn.Write([]byte(answer + "\r\n")); err != nil {
			return
		}
	}
	if len(answers) > 0 {
		s.hear(in, letter) // so that it is certainly read before we hang up
	}
}

// hear reads one command, or one letter up to its final dot.
func (s *scripted) hear(in *bufio.Scanner, letter bool) bool {
	for in.Scan() {
		s.mu.Lock()
		s.lines = append(s.lines, in.Text())
		s.mu.Unlock()
		if !letter || in.Text() == "." {
			return true
		}
	}
	return false
}

func (s *scripted) onHang(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = f
}

func (s *scripted) hush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent()
}

// heard is everything that was said to the relay.
func (s *scripted) heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}
