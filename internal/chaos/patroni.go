package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"text/template"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/dbtest/cluster"
)

// pair is PostgreSQL on two nodes that Patroni keeps, with one etcd, synchronous: what
// was acknowledged is on both. The shop reaches each node by a cable of its own.
type pair struct {
	run   *run
	who   *syscall.SysProcAttr
	etcd  *exec.Cmd
	nodes [2]*node

	mu        sync.Mutex
	busy      bool // a failover is under way
	failovers int
	switches  int
	over      sync.WaitGroup
}

// node is one Patroni with its PostgreSQL.
type node struct {
	Name       string
	Dir, Bin   string
	Rest, Port int
	Etcd       int
	cable      *cable
	cmd        *exec.Cmd
}

// The times are the least that Patroni takes: a node that is dead is noticed after ttl.
var nodeFile = template.Must(template.New("").Parse(`scope: chaos
name: {{.Name}}
restapi: {listen: "127.0.0.1:{{.Rest}}", connect_address: "127.0.0.1:{{.Rest}}"}
etcd3: {host: "127.0.0.1:{{.Etcd}}"}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 2
    retry_timeout: 5
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      parameters: {max_connections: 60, wal_keep_size: 128MB}
  initdb: [{encoding: UTF8}, {locale: C}]
postgresql:
  listen: "127.0.0.1:{{.Port}}"
  connect_address: "127.0.0.1:{{.Port}}"
  data_dir: {{.Dir}}/{{.Name}}
  bin_dir: {{.Bin}}
  pgpass: {{.Dir}}/{{.Name}}.pgpass
  authentication:
    superuser: {username: postgres, password: chaos}
    replication: {username: replicator, password: chaos}
  parameters: {unix_socket_directories: {{.Dir}}, shared_buffers: 32MB, synchronous_commit: "on", fsync: "on"}
  pg_hba: ["local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
`))

func (p *pair) open(ctx context.Context, r *run) (string, error) {
	bin, err := cluster.Binaries()
	if err != nil {
		return "", errSkipped{err.Error()}
	}
	initdb, err := filepath.EvalSymlinks(filepath.Join(bin, "initdb")) // Patroni needs all that stands beside it
	if err != nil {
		return "", err
	}
	bin = filepath.Dir(initdb)
	for _, program := range []string{"etcd", "patroni", "patronictl"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", errSkipped{"there is no " + program + ": install Debian's packages patroni and etcd-server"}
		}
	}
	p.run = r
	dir := filepath.Join(r.dir, "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	if p.who, err = cluster.Unprivileged(dir); err != nil {
		return "", err
	}
	client, err := p.startEtcd(ctx, dir)
	if err != nil {
		return "", err
	}
	for i := range p.nodes {
		n := &node{Name: fmt.Sprintf("node%d", i+1), Dir: dir, Bin: bin, Etcd: client}
		if n.Rest, err = freePort(ctx); err != nil {
			return "", err
		}
		if n.Port, err = freePort(ctx); err != nil {
			return "", err
		}
		if n.cable, err = layCable(ctx, n.Name, fmt.Sprintf("127.0.0.1:%d", n.Port), r.seed); err != nil {
			return "", err
		}
		p.nodes[i] = n
		r.cables = append(r.cables, n.cable)
		var text bytes.Buffer
		if err := nodeFile.Execute(&text, n); err != nil {
			return "", err
		}
		if err := os.WriteFile(n.file(), text.Bytes(), 0o644); err != nil { //nolint:gosec // Patroni runs as another user
			return "", err
		}
		if err := p.start(n); err != nil {
			return "", err
		}
	}
	r.say("two nodes under Patroni are being made")
	if err := p.heal(ctx); err != nil {
		return "", err
	}
	return "postgres://postgres:chaos@" + p.nodes[0].cable.address + "," + p.nodes[1].cable.address +
		"/postgres?target_session_attrs=read-write&sslmode=disable&connect_timeout=5", nil
}

func (n *node) file() string { return filepath.Join(n.Dir, n.Name+".yml") }

func (p *pair) startEtcd(ctx context.Context, dir string) (client int, err error) {
	client, err = freePort(ctx)
	if err != nil {
		return 0, err
	}
	peer, err := freePort(ctx)
	if err != nil {
		return 0, err
	}
	at := func(port int) string { return "http://127.0.0.1:" + strconv.Itoa(port) }
	p.etcd = p.command("etcd", "--name", "chaos", "--data-dir", filepath.Join(dir, "etcd"), "--listen-client-urls", at(client), "--advertise-client-urls", at(client),
		"--listen-peer-urls", at(peer), "--initial-advertise-peer-urls", at(peer), "--initial-cluster", "chaos="+at(peer), "--log-level", "error")
	return client, p.etcd.Start()
}

// command is a program that runs as who may run PostgreSQL.
func (p *pair) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...) //nolint:gosec,noctx // Debian's programs, ended by close
	cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Setpgid: true}, "/"
	if p.who != nil {
		cmd.SysProcAttr.Credential = p.who.Credential
	}
	cmd.Stdout, cmd.Stderr = p.run.log, p.run.log
	return cmd
}

func (p *pair) start(n *node) error {
	n.cmd = p.command("patroni", n.file())
	return n.cmd.Start()
}

// kill ends a node as a power cut would: Patroni, PostgreSQL and all that they are.
func (n *node) kill() {
	pid := 0
	if text, err := os.ReadFile(filepath.Join(n.Dir, n.Name, "postmaster.pid")); err == nil {
		pid, _ = strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0]) // 0: it is not running
	}
	killTree(n.cmd.Process.Pid)
	if pid > 0 && n.owns(pid) {
		killTree(pid)
	}
	_ = n.cmd.Wait() // we killed it
}

// owns reports whether a process is this node's PostgreSQL, and no later one of that number.
func (n *node) owns(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	return err == nil && strings.Contains(string(text), filepath.Join(n.Dir, n.Name))
}

// members is what Patroni says of the cluster.
func (p *pair) members(ctx context.Context) (leader, standby *node) {
	for _, n := range p.nodes {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		var answer struct {
			Members []struct{ Name, Role, State string }
		}
		err := getJSON(ctx, fmt.Sprintf("http://127.0.0.1:%d/cluster", n.Rest), &answer)
		cancel()
		if err != nil {
			continue // ask the other one
		}
		for _, m := range answer.Members {
			for _, n := range p.nodes {
				switch {
				case n.Name != m.Name:
				case m.Role == "leader":
					leader = n
				case m.Role == "sync_standby":
					standby = n
				}
			}
		}
		return leader, standby
	}
	return nil, nil
}

// await waits until the cluster is as wanted.
func (p *pair) await(ctx context.Context, what string, well func(leader, standby *node) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if well(p.members(ctx)) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("Patroni's cluster came to no " + what)
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func whole(leader, standby *node) bool { return leader != nil && standby != nil }

func (p *pair) faults() []fault {
	var all []fault
	for _, n := range p.nodes {
		all = append(all, cableFaults(n.cable, 20*time.Millisecond)...)
	}
	one := func(do func(ctx context.Context, leader, standby *node) error) func(context.Context, time.Duration) {
		return func(ctx context.Context, _ time.Duration) { p.once(ctx, do) }
	}
	return append(all,
		fault{name: "the primary's node is killed", weight: 10, do: one(p.failOver), ready: p.ready},
		fault{name: "the primary's node loses its power", weight: 8, do: one(p.losePower), ready: p.ready},
		fault{name: "Patroni switches over", weight: 7, do: one(p.switchOver), ready: p.ready},
		fault{name: "the standby's node is killed", weight: 4, do: one(p.loseStandby), ready: p.ready},
	)
}

// ready reports whether the cluster is whole, and takes it: two nodes stand the loss of
// one.
func (p *pair) ready(ctx context.Context) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy || !whole(p.members(ctx)) {
		return false
	}
	p.busy = true
	p.over.Add(1)
	return true
}

// once does one of these things to the cluster that ready has taken.
func (p *pair) once(ctx context.Context, do func(ctx context.Context, leader, standby *node) error) {
	defer p.over.Done()
	began := time.Now()
	leader, standby := p.members(ctx)
	if whole(leader, standby) {
		err := do(context.WithoutCancel(ctx), leader, standby) // what was begun goes to its end
		p.run.say("%s was the primary; the cluster is whole again after %v %s", leader.Name, time.Since(began).Round(time.Second), say(err))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = false
}

func say(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (p *pair) failOver(ctx context.Context, leader, standby *node) error {
	leader.kill()
	err := p.await(ctx, "new primary", func(now, _ *node) bool { return now == standby })
	if err == nil {
		p.count(&p.failovers)
	}
	return errors.Join(err, p.start(leader), p.await(ctx, "two nodes", whole))
}

// silence is how long connections to a host without power hang until the kernel gives
// them up: as long as package db asks it to.
const silence = 20 * time.Second

// losePower is failOver of a node that says no good-bye: its connections just hang.
func (p *pair) losePower(ctx context.Context, leader, standby *node) error {
	leader.cable.hush()
	back := func() {
		leader.cable.cut()
		leader.cable.mend()
	}
	over := time.AfterFunc(silence, back)
	err := p.failOver(ctx, leader, standby)
	if over.Stop() {
		back()
	}
	return err
}

func (p *pair) switchOver(ctx context.Context, leader, standby *node) error {
	cmd := p.command("patronictl", "-c", leader.file(), "switchover", "--master", leader.Name, "--candidate", standby.Name, "--force")
	if err := cmd.Run(); err != nil {
		return err // the cluster was not ready for it
	}
	p.count(&p.switches)
	return p.await(ctx, "two nodes", func(now, second *node) bool { return now == standby && second == leader })
}

func (p *pair) loseStandby(ctx context.Context, _, standby *node) error {
	standby.kill()
	<-time.After(5 * time.Second) // meanwhile commits wait for it
	return errors.Join(p.start(standby), p.await(ctx, "two nodes", whole))
}

func (p *pair) count(n *int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*n++
}

func (p *pair) heal(ctx context.Context) error {
	p.over.Wait()
	for _, n := range p.nodes {
		n.cable.mend()
	}
	return p.await(ctx, "two nodes", whole)
}

func (p *pair) close() {
	for _, n := range p.nodes {
		if n != nil && n.cmd != nil && n.cmd.Process != nil {
			n.kill()
		}
	}
	if p.etcd != nil && p.etcd.Process != nil {
		killTree(p.etcd.Process.Pid)
		_ = p.etcd.Wait() // we killed it
	}
}

func getJSON(ctx context.Context, url string, out any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{}).Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	return json.NewDecoder(resp.Body).Decode(out)
}
