package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tsuzuku/tsuzuku/internal/dbtest/cluster"
)

// single is one PostgreSQL server behind a cable. It writes as it does in a shop:
// what it has acknowledged survives its end.
type single struct {
	bare  bool // the disk is the machine's, and is not filled
	run   *run
	bin   string
	dir   string
	port  int
	who   *syscall.SysProcAttr
	disk  *disk
	cable *cable

	mu      sync.Mutex
	cmd     *exec.Cmd
	stopped bool
	ended   chan struct{}
	restart int
}

// parameters are those of every PostgreSQL here.
var parameters = map[string]string{
	"fsync": "on", "synchronous_commit": "on", "max_connections": "60", "shared_buffers": "32MB", "max_wal_size": "96MB", "min_wal_size": "32MB",
}

func (s *single) open(ctx context.Context, r *run) (string, error) {
	bin, err := cluster.Binaries()
	if err != nil {
		return "", errSkipped{err.Error()}
	}
	s.run, s.bin, s.dir = r, bin, filepath.Join(r.dir, "data")
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return "", err
	}
	if !s.bare {
		s.disk = &disk{dir: s.dir}
		if err := s.disk.mount(512 << 20); err != nil {
			r.say("NOT TESTED ON A FULL DISK: this machine lets us mount none: %v", err)
			s.disk = nil
		}
	}
	if s.who, err = cluster.Unprivileged(s.dir); err != nil {
		return "", err
	}
	if s.port, err = freePort(ctx); err != nil {
		return "", err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(s.dir, "pg"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C") //nolint:gosec // PostgreSQL's own
	initdb.SysProcAttr, initdb.Dir = s.who, "/"
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, out)
	}
	s.ended = make(chan struct{})
	go s.keep(ctx)
	if s.cable, err = layCable(ctx, "PostgreSQL", fmt.Sprintf("127.0.0.1:%d", s.port), r.seed); err != nil {
		return "", err
	}
	r.cables = append(r.cables, s.cable)
	return "postgres://postgres@" + s.cable.address + "/postgres?sslmode=disable&connect_timeout=5", s.heal(ctx)
}

// keep keeps the server running, as a service manager does.
func (s *single) keep(ctx context.Context) {
	defer close(s.ended)
	for {
		args := []string{"-D", filepath.Join(s.dir, "pg"), "-p", strconv.Itoa(s.port), "-k", s.dir, "-c", "listen_addresses=127.0.0.1"}
		for name, value := range parameters {
			args = append(args, "-c", name+"="+value)
		}
		cmd := exec.Command(filepath.Join(s.bin, "postgres"), args...) //nolint:gosec,noctx // PostgreSQL's own, ended by close
		cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Setpgid: true}, "/"
		if s.who != nil {
			cmd.SysProcAttr.Credential = s.who.Credential
		}
		cmd.Stdout, cmd.Stderr = s.run.log, s.run.log
		s.mu.Lock()
		if s.stopped || ctx.Err() != nil {
			s.mu.Unlock()
			return
		}
		err := cmd.Start()
		s.cmd = cmd
		s.mu.Unlock()
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
		<-time.After(pause)
	}
}

func (s *single) faults() []fault {
	all := cableFaults(s.cable, 20*time.Millisecond)
	all = append(all,
		fault{name: "PostgreSQL is killed", weight: 5, do: func(context.Context, time.Duration) { s.end(syscall.SIGKILL) }},
		fault{name: "PostgreSQL is restarted", weight: 3, do: func(context.Context, time.Duration) { s.end(syscall.SIGINT) }},
		fault{name: "PostgreSQL stops at once", weight: 2, do: func(context.Context, time.Duration) { s.end(syscall.SIGQUIT) }},
	)
	if s.disk != nil {
		all = append(all, fault{name: "the disk is full", weight: 3, do: s.disk.beFull})
	}
	return all
}

// end ends the server, and with SIGKILL everything that it is, so that nothing is put in order.
func (s *single) end(how syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	s.restart++
	if how == syscall.SIGKILL {
		killTree(s.cmd.Process.Pid)
		return
	}
	_ = s.cmd.Process.Signal(how) // it may just have ended
}

func (s *single) heal(ctx context.Context) error {
	s.cable.mend()
	if s.disk != nil {
		if err := s.disk.empty(); err != nil {
			return err
		}
	}
	return awaitPostgres(ctx, fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable&connect_timeout=2", s.port))
}

func (s *single) close() {
	if s.ended != nil {
		s.mu.Lock()
		s.stopped = true
		if s.cmd != nil && s.cmd.Process != nil {
			_ = s.cmd.Process.Signal(syscall.SIGQUIT) // it may just have ended
		}
		s.mu.Unlock()
		<-s.ended
	}
	if s.disk != nil {
		s.disk.unmount()
	}
}

// patience is how long a database may take to be well when nothing befalls it any more.
const patience = 2 * time.Minute

// awaitPostgres waits until the server takes writes.
func awaitPostgres(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := writable(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("PostgreSQL is not well again"), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func writable(ctx context.Context, url string) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer c.Close(ctx) //nolint:errcheck // it only looked
	var standby bool
	if err := c.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
		return err
	}
	if standby {
		return errors.New("it is a standby")
	}
	return nil
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// killTree kills a process that we started and all its children, the children after it.
func killTree(pid int) {
	children := childrenOf(pid)
	_ = syscall.Kill(pid, syscall.SIGKILL) // it may just have ended
	for _, child := range children {
		killTree(child)
	}
}

// childrenOf reads who was started by pid from /proc.
func childrenOf(pid int) (all []int) {
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	for _, name := range found {
		text, err := os.ReadFile(name) //nolint:gosec // the kernel's own
		if err != nil {
			continue // it has ended meanwhile
		}
		_, rest, ok := strings.Cut(string(text), ") ")
		words := strings.Fields(rest)
		if !ok || len(words) < 2 || words[1] != strconv.Itoa(pid) {
			continue
		}
		if child, err := strconv.Atoi(strings.Split(name, "/")[2]); err == nil {
			all = append(all, child)
		}
	}
	return all
}
