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
	"strings"
	"time"
)

// record is where it is kept which towns soak has run, a line each.
const record = "docs/town-runs.txt"

// townRun is one simulated town.
type townRun struct {
	engine, faults string
	orders         int
}

// townRuns are what one soak runs, each with a fresh seed.
var townRuns = []townRun{
	{"sqlite", "none", 10_000},
	{"sqlite", "some", 20_000},
	{"sqlite", "some", 20_000},
	{"sqlite", "some", 20_000},
	{"sqlite", "wild", 20_000},
	{"postgres", "some", 2_000},
	{"postgres", "wild", 1_000},
}

// towns runs the simulated town with fresh seeds, on both engines, and adds a line for
// each run to the record, whatever came of it.
func towns(ctx context.Context) error {
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
	var errs []error
	for _, r := range townRuns {
		errs = append(errs, r.run(ctx, binary, strings.TrimSpace(string(commit))))
	}
	return errors.Join(errs...)
}

func (r townRun) run(ctx context.Context, binary, commit string) error {
	seed := rand.IntN(1_000_000)                                                                                                                                  //nolint:gosec // any seed will do
	cmd := exec.CommandContext(ctx, binary, "simulate", "--engine", r.engine, "--faults", r.faults, "--orders", fmt.Sprint(r.orders), "--seed", fmt.Sprint(seed)) //nolint:gosec // our own program
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	ended := cmd.Run()
	var got struct {
		Orders     int
		Lives      int `json:"process_lives"`
		Hosts      int
		PerSecond  int `json:"orders_per_second"`
		Violations []string
		Replay     string
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		return errors.Join(fmt.Errorf("the town with seed %d, faults %s, on %s came to no end", seed, r.faults, r.engine), ended)
	}
	line := fmt.Sprintf("%s %s engine=%s faults=%s seed=%d orders=%d violations=%d crashes=%d orders_per_second=%d",
		time.Now().UTC().Format(time.RFC3339), commit, r.engine, r.faults, seed, got.Orders, len(got.Violations), got.Lives-got.Hosts, got.PerSecond)
	if got.Replay != "" {
		line += " replay: " + got.Replay
	}
	fmt.Fprintln(os.Stderr, "testall:", line)
	if err := keep(line); err != nil || len(got.Violations) == 0 {
		return err
	}
	return fmt.Errorf("a promise was broken: %s\n%s", got.Violations[0], got.Replay)
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
