package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// record is where it is kept which towns soak has run, a line each.
const record = "docs/town-runs.txt"

// townRun is one simulated town.
type townRun struct {
	engine, faults string
	orders         int
}

// townRuns are what one round of a soak runs, each with a fresh seed: mostly the towns
// of which a machine tells most in a night, and small ones in which much goes wrong, since
// each has a weather of its own and 600 of those found more than a million orders.
var townRuns = slices.Concat(
	[]townRun{{"postgres", "some", 2_000}, {"postgres", "wild", 1_000}, {"sqlite", "none", 5_000}},
	slices.Repeat(slices.Concat(
		slices.Repeat([]townRun{{"sqlite", "some", 5_000}}, 16), []townRun{{"sqlite", "wild", 2_000}}, slices.Repeat([]townRun{{"sqlite", "wild", 300}}, 16),
	), 4),
)

// towns runs the simulated town with fresh seeds, on both engines, one on each core,
// and adds a line for each run to the record, whatever came of it. An argument says
// how many rounds of [townRuns] there are to be, instead of one.
func towns(ctx context.Context) error {
	rounds := 1
	if len(os.Args) > 2 {
		n, err := strconv.Atoi(os.Args[2])
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of rounds; there is one without it", os.Args[2])
		}
		rounds = n
	}
	dir, err := os.MkdirTemp("", "tsuzuku-towns-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	binary := filepath.Join(dir, "tsuzuku")
	if err := run(ctx, nil, "go", "build", "-o", binary, "./cmd/tsuzuku"); err != nil {
		return err
	}
	commit, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return err
	}
	var (
		mu     sync.Mutex
		errs   []error
		beside sync.WaitGroup
	)
	next := make(chan townRun)
	for range runtime.NumCPU() {
		beside.Go(func() {
			for r := range next {
				line, err := r.run(ctx, binary, strings.TrimSpace(string(commit)))
				mu.Lock()
				if line != "" {
					fmt.Fprintln(os.Stderr, "testall:", line)
					err = errors.Join(err, keep(line))
				}
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	for range rounds {
		for _, r := range townRuns {
			if ctx.Err() == nil {
				next <- r
			}
		}
	}
	close(next)
	beside.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// run runs the town and returns its line for the record: none where it came to no end.
func (r townRun) run(ctx context.Context, binary, commit string) (line string, err error) {
	seed := rand.IntN(100_000_000)                                                                                                                                //nolint:gosec // any seed will do
	cmd := exec.CommandContext(ctx, binary, "simulate", "--engine", r.engine, "--faults", r.faults, "--orders", fmt.Sprint(r.orders), "--seed", fmt.Sprint(seed)) //nolint:gosec // our own program
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	ended := cmd.Run()
	type seconds struct {
		Times int `json:"times"`
		Late  int `json:"late"`
		P99   int `json:"p99"`
	}
	var got struct {
		Orders     int
		Lives      int `json:"process_lives"`
		Hosts      int
		PerSecond  int     `json:"orders_per_second"`
		Detect     seconds `json:"detect_seconds"`
		Settle     seconds `json:"settle_seconds"`
		Reachable  seconds `json:"settle_reachable_seconds"`
		Late       int     `json:"settled_late"`
		Violations []string
		Replay     string
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		return "", errors.Join(fmt.Errorf("the town with seed %d, faults %s, on %s came to no end", seed, r.faults, r.engine), ended)
	}
	line = fmt.Sprintf("%s %s engine=%s faults=%s seed=%d orders=%d violations=%d crashes=%d found=%d found_late=%d detect_p99=%d settle_p99=%d reachable_p99=%d settled_late=%d orders_per_second=%d",
		time.Now().UTC().Format(time.RFC3339), commit, r.engine, r.faults, seed, got.Orders, len(got.Violations), got.Lives-got.Hosts,
		got.Detect.Times, got.Detect.Late, got.Detect.P99, got.Settle.P99, got.Reachable.P99, got.Late, got.PerSecond)
	if len(got.Violations) == 0 {
		return line, nil
	}
	return line + " replay: " + got.Replay, fmt.Errorf("a promise was broken: %s\n%s", got.Violations[0], got.Replay)
}

// keep adds a line to the record.
func keep(line string) (err error) {
	f, err := os.OpenFile(record, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // everybody may read it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = fmt.Fprintln(f, line)
	return err
}
