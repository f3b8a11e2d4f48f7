// Command chaos runs the real program, as a seller would, and torments it: customers
// buy and renew over HTTP all the time, while the server is killed every few seconds,
// connections are cut and slowed, the disk fills up, and PostgreSQL is killed,
// restarted and failed over. Then everything may settle, and a judge compares what
// customers were told with what the shop says and what the operator and the payment
// provider did. It prints JSON, and ends with 1 if anything was lost or doubled.
//
// With -upgrade the schema is migrated half way, while the shop is open, by a program of
// the next version, and from then on either version is started.
//
//	chaos [-engines sqlite,postgres,patroni] [-for 5m] [-seed N] [-customers 16] [-upgrade] [-record FILE] [-keep]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == "strangers" {
		signal.Ignore(os.Interrupt) // Ctrl-C is for the parent, who tells us by our input
		if err := beStrangers(context.WithoutCancel(ctx)); err != nil {
			fmt.Fprintln(os.Stderr, "strangers:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.StringVar(&o.engines, "engines", "sqlite,postgres,patroni", "what the shop stands on, side by side")
	flag.DurationVar(&o.length, "for", 5*time.Minute, "how long faults happen; settling takes 12 minutes more")
	flag.Uint64Var(&o.seed, "seed", rand.Uint64N(1_000_000), "decides what happens when, and what customers do; not who is faster") //nolint:gosec // any seed will do
	flag.IntVar(&o.customers, "customers", 16, "who shop side by side")
	flag.StringVar(&o.record, "record", "docs/chaos-runs.txt", "file to add a line to for each engine; empty: none")
	flag.BoolVar(&o.upgrade, "upgrade", false, "half way a program of the next version migrates the open shop, and from then on either is started")
	flag.BoolVar(&o.keep, "keep", false, "keep data and logs, also when all was well")
	flag.Parse()
	if err := o.all(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// options are what is asked for.
type options struct {
	engines   string
	length    time.Duration
	seed      uint64
	customers int
	upgrade   bool
	record    string
	keep      bool
}

// all runs the engines side by side, as settling takes longer than all else.
func (o options) all(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "tsuzuku-chaos-")
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // PostgreSQL runs as another user and goes through
		return err
	}
	commit, err := built(ctx)
	if err != nil {
		return err
	}
	binary, next, err := o.build(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "chaos: seed %d, %v of faults, in %s\n", o.seed, o.length, dir)
	var mu sync.Mutex
	var errs []error
	var side sync.WaitGroup
	bad := false
	for _, name := range strings.Split(o.engines, ",") {
		make, ok := grounds[name]
		if !ok {
			return fmt.Errorf("there is no engine %q; there are sqlite, postgres, patroni", name)
		}
		r := &run{engine: name, ground: make(), binary: binary, next: next, dir: filepath.Join(dir, name), seed: o.seed, faults: map[string]int{}}
		side.Go(func() {
			s, err := r.whole(ctx, o)
			mu.Lock()
			defer mu.Unlock()
			if skipped, ok := errors.AsType[errSkipped](err); ok {
				r.say("NOT RUN: %s", skipped.why)
				return
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
				return
			}
			bad = bad || s.bad() > 0
			errs = append(errs, s.print(), o.keepLine(commit, s))
		})
	}
	side.Wait()
	if bad {
		errs = append(errs, errors.New("a promise was broken; the data and logs are in "+dir))
	}
	err = errors.Join(errs...)
	if err == nil && !o.keep {
		err = os.RemoveAll(dir)
	}
	return err
}

// built says which commit is built; a plus stands for what is not committed.
func built(ctx context.Context) (string, error) {
	commit, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "", err
	}
	changed, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--", "*.go", "go.mod").Output()
	mark := ""
	if len(changed) > 0 {
		mark = "+"
	}
	return strings.TrimSpace(string(commit)) + mark, err
}

// summary is what came of one run.
type summary struct {
	Engine      string         `json:"engine"`
	Seed        uint64         `json:"seed"`
	Seconds     int            `json:"seconds"`           // of faults
	Settled     int            `json:"seconds_to_settle"` // after them
	Kills       int            `json:"kills"`
	Stops       int            `json:"stops"`                            // in good order
	Ends        int            `json:"ended_itself"`                     // it could not go on, or not begin
	Older       int            `json:"starts_on_newer_schema,omitempty"` // of this version, after the next one's migration
	Newer       int            `json:"starts_of_next_version,omitempty"`
	Cuts        int            `json:"cuts"`      // of all connections to somebody, and connections that tore
	Restarts    int            `json:"restarts"`  // of PostgreSQL
	Failovers   int            `json:"failovers"` // after its node was killed
	Switchovers int            `json:"switchovers"`
	FullDisks   int            `json:"full_disks"`
	Errors      int            `json:"errors_seen"` // by customers
	Outage      int            `json:"longest_outage_ms"`
	Wait        int            `json:"longest_wait_ms"` // for one answer
	Faults      map[string]int `json:"faults"`
	Refusals    map[string]int `json:"refusals"` // why customers were turned away
	verdict
}

func (s summary) print() error {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(s)
}

// keepLine adds a run to the record.
func (o options) keepLine(commit string, s summary) (err error) {
	if o.record == "" {
		return nil
	}
	f, err := os.OpenFile(o.record, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // everybody may read it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	versions := ""
	if o.upgrade {
		versions = fmt.Sprintf(" older_starts=%d newer_starts=%d", s.Older, s.Newer)
	}
	_, err = fmt.Fprintf(f, "%s %s engine=%s seed=%d seconds=%d kills=%d cuts=%d restarts=%d failovers=%d switchovers=%d full_disks=%d acknowledged=%d completed=%d refunded=%d cancelled=%d held=%d lost=%d doubled=%d wrong=%d longest_outage_ms=%d%s\n",
		time.Now().UTC().Format(time.RFC3339), commit, s.Engine, s.Seed, s.Seconds, s.Kills, s.Cuts, s.Restarts, s.Failovers, s.Switchovers,
		s.FullDisks, s.Acknowledged, s.Completed, s.Refunded, s.Cancelled, s.Held, len(s.Lost), len(s.Doubled), len(s.Wrong), s.Outage, versions)
	return err
}
