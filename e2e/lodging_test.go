package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tsuzuku/tsuzuku/fault"
)

// errGone says that the house ended before it answered.
var errGone = errors.New("the house is gone")

// lodging is where the customer finds the house: at first in a process that may
// die, afterwards in this one.
type lodging struct {
	t    *testing.T
	town *town
	plan floorPlan

	url     string
	process *process
	open    []func()

	died string // at which boundary; empty: not yet, or never
}

// process is the house as a child.
type process struct {
	cmd    *exec.Cmd
	in     io.Closer
	mu     sync.Mutex
	stderr bytes.Buffer
}

// Write keeps what the child says.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(b)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// lodge opens a house in a process that ends at the n-th boundary.
func lodge(t *testing.T, s *town, database string, n int64) *lodging {
	t.Helper()
	l := &lodging{t: t, town: s, plan: floorPlan{Database: database, Town: s.URL, CrashAt: n, NowMicro: s.Clock.Now().UnixMicro()}}
	t.Cleanup(l.close)
	p := &process{cmd: exec.CommandContext(t.Context(), os.Args[0])}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), roleVariable+"="+roleHouse), p
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.process, p.in = p, in
	if err := json.NewEncoder(in).Encode(l.plan); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the house did not open: %v\n%s", err, p.said())
	}
	l.url = strings.TrimSpace(url)
	return l
}

// reopen opens the house again after it died, in this process.
func (l *lodging) reopen() {
	l.t.Helper()
	if l.process == nil {
		l.t.Fatal("a house that nobody kills is gone")
	}
	err := l.process.cmd.Wait()
	_ = l.process.in.Close()
	said := l.process.said()
	l.process = nil
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		l.t.Fatalf("the house was not killed: %v\n%s", err, said)
	}
	_, l.died, _ = strings.Cut(said, "died ")
	l.died = strings.TrimSpace(l.died)
	awaitGone(l.t, l.plan.Database)
	l.plan.NowMicro = l.town.Clock.Now().UnixMicro()
	h, err := openHouse(l.t.Context(), l.plan, func(string) {})
	if err != nil {
		l.t.Fatal(err)
	}
	server := httptest.NewServer(h)
	l.url = server.URL
	l.open = append(l.open, func() {
		server.Close()
		if err := h.app.Close(); err != nil {
			l.t.Error(err)
		}
	})
}

// awaitGone waits until PostgreSQL has noticed that a killed house is gone. Until
// then its rows are locked, and workers pass by what somebody else holds.
func awaitGone(t *testing.T, database string) {
	t.Helper()
	if !strings.HasPrefix(database, "postgres://") {
		return
	}
	c, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context()) //nolint:errcheck // it only looked
	for left := 1; left > 0; {
		err := c.QueryRow(t.Context(), `SELECT COUNT(*) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'tsuzuku'`).Scan(&left)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// close ends the house in good order.
func (l *lodging) close() {
	if p := l.process; p != nil {
		l.process = nil
		_ = p.in.Close()
		if err := p.cmd.Wait(); err != nil && !l.t.Failed() {
			l.t.Errorf("the house did not end well: %v\n%s", err, p.said())
		}
	}
	for _, shut := range l.open {
		shut()
	}
	l.open = nil
}

// post sends one request and never repeats it. It fails with errGone, or with a
// *refusal.
func (l *lodging) post(path string, header http.Header, body []byte) ([]byte, int, error) {
	r, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.url+path, bytes.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	if header != nil {
		r.Header = header.Clone()
	}
	r.GetBody, r.Close = nil, true
	l.town.stamp(r)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errGone, err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errGone, err)
	}
	return got, resp.StatusCode, nil
}

// ask is what the customer does at a door: when the house is gone, they wait
// until it is there again and do the same again.
func ask[Out any](l *lodging, path string, in any) (out Out, err error) {
	l.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		l.t.Fatal(err)
	}
	got, status, err := l.post(path, nil, body)
	if errors.Is(err, errGone) {
		l.reopen()
		got, status, err = l.post(path, nil, body)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	if status != http.StatusOK {
		r := &refusal{Kind: fault.Internal, Message: string(got)}
		_ = json.Unmarshal(got, r) // else the text is all there is
		return out, r
	}
	if err := json.Unmarshal(got, &out); err != nil {
		l.t.Fatalf("%s: %v: %s", path, err, got)
	}
	return out, nil
}

// ServeHTTP passes on what strangers send to the house, while it is there.
func (l *lodging) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	got, status, err := l.post(r.URL.Path, r.Header, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(got)
}
