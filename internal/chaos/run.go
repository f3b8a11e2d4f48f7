package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/world"
)

//go:embed shop.yaml
var catalogue []byte

// run is one shop on one engine, from its first customer to the verdict.
type run struct {
	engine string
	ground ground
	binary string
	next   string // of the next version; empty: there is none
	dir    string
	seed   uint64
	log    *os.File // of all programs but the server

	// What a test leaves out.
	calmly bool // nothing befalls anybody but the server, which is stopped in good order, often, and all pay from the wallet

	database string
	url      string
	at       addresses
	server   *server
	cables   []*cable

	mu     sync.Mutex
	faults map[string]int
}

// say tells whoever watches.
func (r *run) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s %-8s %s\n", time.Now().Format("15:04:05"), r.engine, fmt.Sprintf(format, args...))
}

func (r *run) count(fault string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults[fault]++
}

// opening is what is in every wallet at first, and linesEach how many lines each has.
const (
	opening   = 2_000_000
	linesEach = 6
)

// whole lets the engine be tormented, and judges it.
func (r *run) whole(ctx context.Context, o options) (s summary, err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	if err := os.Mkdir(r.dir, 0o711); err != nil { //nolint:gosec // PostgreSQL runs as another user and goes through
		return s, err
	}
	if r.log, err = os.Create(filepath.Join(r.dir, "others.log")); err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, r.log.Close()) }()
	defer r.ground.close()
	if r.database, err = r.ground.open(ctx, r); err != nil {
		return s, err
	}
	leave, err := r.meetStrangers(ctx, o.customers)
	if err != nil {
		return s, err
	}
	defer leave()
	c, stopped, err := r.openShop(ctx, o)
	if err != nil {
		return s, err
	}
	defer func() { end(); <-stopped }()
	settled, err := r.live(ctx, o, c)
	if err != nil {
		return s, err
	}
	t, err := r.testify(ctx, c)
	if err != nil {
		return s, err
	}
	s = r.sum(o, c, settled)
	s.verdict = t.judge()
	found, err := r.audited(ctx)
	s.Wrong = append(s.Wrong, found...)
	return s, err
}

// live is the time of faults, and then the time without.
func (r *run) live(ctx context.Context, o options, c *crowd) (settled time.Duration, err error) {
	faults := r.ground.faults()
	for _, k := range r.cables {
		if k.name == "operator" || k.name == "provider" {
			faults = append(faults, cableFaults(k, 400*time.Millisecond)...)
		}
	}
	if r.calmly {
		faults = nil
		if err := r.calm(ctx); err != nil {
			return 0, err
		}
	}
	closing := make(chan struct{})
	time.AfterFunc(o.length, func() { close(closing) })
	var all sync.WaitGroup
	if r.next != "" {
		all.Go(func() { r.upgrade(ctx, o.length/2) })
	}
	all.Go(func() { c.shop(ctx, closing) })
	r.torment(ctx, faults, closing)
	began := time.Now()
	r.say("no more faults")
	for _, k := range r.cables {
		k.mend()
	}
	if err := r.ground.heal(ctx); err != nil {
		return 0, err
	}
	if err := r.calm(ctx); err != nil {
		return 0, err
	}
	all.Wait()
	err = r.settle(ctx, c)
	return time.Since(began), err
}

func (r *run) sum(o options, c *crowd, settled time.Duration) summary {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.server.lived()
	s := summary{
		Engine: r.engine, Seed: r.seed, Seconds: int(o.length.Seconds()), Settled: int(settled.Seconds()), Faults: r.faults, Refusals: c.refused,
		Older: n.older, Newer: n.newer, Kills: n.kills, Stops: n.stops, Ends: n.ends, Errors: c.errors, Outage: int(c.longest.Milliseconds()), Wait: int(c.wait.Milliseconds()),
	}
	for _, k := range r.cables {
		s.Cuts += k.cutTimes()
	}
	switch g := r.ground.(type) {
	case *file:
		if g.disk != nil {
			s.FullDisks = g.disk.times
		}
	case *single:
		s.Restarts = g.restart
		if g.disk != nil {
			s.FullDisks = g.disk.times
		}
	case *pair:
		s.Failovers, s.Switchovers = g.failovers, g.switches
	}
	return s
}

// meetStrangers starts the operator and the provider, and lays cables to them.
func (r *run) meetStrangers(ctx context.Context, customers int) (leave func(), err error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	r.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "strangers") //nolint:gosec,noctx // ourselves, ended by closing its input
	cmd.Stderr = r.log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	leave = func() {
		_ = in.Close()
		_ = cmd.Wait() // it has nothing more to say
	}
	err = json.NewEncoder(in).Encode(errand{Seed: r.seed, Shop: r.url, Lines: linesOf(customers)})
	if err == nil {
		err = json.NewDecoder(bufio.NewReader(out)).Decode(&r.at)
	}
	for name, to := range map[string]*string{"operator": &r.at.Operator, "provider": &r.at.Provider} {
		if err != nil {
			break
		}
		var k *cable
		k, err = layCable(ctx, name, strings.TrimPrefix(*to, "http://"), r.seed)
		if err == nil {
			*to = "http://" + k.address
			r.cables = append(r.cables, k)
		}
	}
	if err != nil {
		leave()
	}
	return leave, err
}

// calm makes strangers well again.
func (r *run) calm(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.at.Books+"/calm", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{}).Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// lasts is how long imported lines run.
const lasts = 30 * 24 * time.Hour

func lineID(customer, line int) string { return fmt.Sprintf("L%d-%d", customer, line) }

// iccid is the number of a card, with the digit that checks the others (Luhn).
func iccid(customer, line int) string {
	digits := fmt.Sprintf("898110%08d%04d", customer, line)
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return digits + fmt.Sprint((10-sum%10)%10)
}

func linesOf(customers int) (all []remotesim.Line) {
	now := time.Now().UTC().Truncate(time.Second)
	for who := range customers {
		for n := range linesEach {
			all = append(all, remotesim.Line{ID: lineID(who, n), ICCID: iccid(who, n), Starts: now.Add(-24 * time.Hour), Ends: now.Add(lasts), Total: 1 << 30})
		}
	}
	return all
}

// openShop prepares the shop by its own commands, and opens it.
func (r *run) openShop(ctx context.Context, o options) (c *crowd, stopped <-chan struct{}, err error) {
	if err := r.stock(ctx, o.customers); err != nil {
		return nil, nil, err
	}
	var keys []string
	for n := range 4 {
		key, err := r.command(ctx, "api", "key", "new", "--database", r.database, "--scope", "read,renew,staff", fmt.Sprintf("customers %d", n))
		if err != nil {
			return nil, nil, err
		}
		keys = append(keys, key)
	}
	tools := []string{"wallet", "paypay"}
	if r.calmly {
		tools = tools[:1]
	}
	able, err := r.write("able.json", `{"contract": 1, "modes": ["extend"], "after_end_seconds": 0, "active_only": false, "per_day": true, "cancel": true,
		"issues": true, "usage_delay_seconds": 0, "settles_within_seconds": 600, "calls_per_second": 50}`)
	if err != nil {
		return nil, nil, err
	}
	log, err := os.Create(filepath.Join(r.dir, "server.log"))
	if err != nil {
		return nil, nil, err
	}
	r.server = &server{binary: r.binary, log: log, args: []string{
		"serve", "--database", r.database, "--listen", strings.TrimPrefix(r.url, "http://"), "--url", r.url, "--secret", secret, "--quote-ttl", "1m",
		"--remote-url", operatorName + "=" + r.at.Operator, "--remote-key", operatorName + "=" + world.RemoteKey, "--remote-capabilities", operatorName + "=" + able,
		"--paypay-key", world.PayPayKey, "--paypay-secret", world.PayPaySecret, "--paypay-merchant-id", world.PayPayMerchant, "--paypay-url", r.at.Provider,
		"--reports", "", "--push-off",
	}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.server.run(ctx)
		_ = log.Close() // nobody writes any more
	}()
	c = &crowd{counter: newCounter(r.url), seed: r.seed, tools: tools, refused: map[string]int{}}
	c.customers, err = c.come(ctx, o.customers, keys)
	c.longest, c.wait, c.errors = 0, 0, 0 // it was not open yet
	return c, ended, err
}

const secret = "nobody knows this secret of a shop that is tormented"

// stock brings the database to this version and fills it, by the shop's own commands.
func (r *run) stock(ctx context.Context, customers int) error {
	people, lines, balances := "email\n", "email,iccid,operator_id,plan,starts,ends,term,allowance\n", "email,currency,amount,reference\n"
	now := time.Now().UTC().Truncate(time.Second)
	for who := range customers {
		people += email(who) + "\n"
		balances += fmt.Sprintf("%s,JPY,%d,opening-%d\n", email(who), opening, who)
		for n := range linesEach {
			lines += strings.Join([]string{
				email(who), iccid(who, n), lineID(who, n), plan, now.Add(-24 * time.Hour).Format(time.RFC3339), now.Add(lasts).Format(time.RFC3339), term, "1 GB",
			}, ",") + "\n"
		}
	}
	if _, err := r.command(ctx, "migrate", "--database", r.database); err != nil {
		return err
	}
	file, err := r.write("catalogue.yaml", string(catalogue))
	if err != nil {
		return err
	}
	if _, err := r.command(ctx, "catalogue", "apply", "--database", r.database, file); err != nil {
		return err
	}
	for _, one := range []struct{ kind, text string }{{"customers", people}, {"lines", lines}, {"balances", balances}} {
		file, err := r.write(one.kind+".csv", one.text)
		if err != nil {
			return err
		}
		if _, err := r.command(ctx, "import", "apply", "--database", r.database, "--secret", secret, "--why", "a shop to torment", one.kind, file); err != nil {
			return err
		}
	}
	return nil
}

func email(who int) string { return fmt.Sprintf("customer%d@example.com", who) }

func (r *run) write(name, text string) (file string, err error) {
	file = filepath.Join(r.dir, name)
	return file, os.WriteFile(file, []byte(text), 0o600)
}

// command runs one of the program's commands and returns what it prints.
func (r *run) command(ctx context.Context, args ...string) (string, error) {
	return r.by(ctx, r.binary, args...)
}

func (r *run) by(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // our own program
	cmd.Env = cleanEnviron()
	var said strings.Builder
	cmd.Stderr = io.MultiWriter(&said, r.log)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("tsuzuku %s: %w: %s", args[0], err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// cleanEnviron is our environment without what configures the program.
func cleanEnviron() (env []string) {
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "TSUZUKU_") {
			env = append(env, v)
		}
	}
	return env
}

// come finds out who the customers are, and which lines they have.
func (c *crowd) come(ctx context.Context, n int, keys []string) (all []*customer, err error) {
	for who := range n {
		one := &customer{program: program{c.counter, keys[who%len(keys)]}, email: email(who)}
		var found struct{ ID string }
		if err := one.insist(ctx, http.MethodPost, "/accounts/find", "", map[string]any{"email": one.email}, &found); err != nil {
			return nil, err
		}
		one.account = found.ID
		var lines struct{ Lines []struct{ ID string } }
		if err := one.insist(ctx, http.MethodGet, "/accounts/"+one.account+"/lines", "", nil, &lines); err != nil {
			return nil, err
		}
		for _, l := range lines.Lines {
			one.lines = append(one.lines, l.ID)
		}
		if len(one.lines) == 0 {
			return nil, fmt.Errorf("%s has no lines", one.email)
		}
		all = append(all, one)
	}
	return all, nil
}
