package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ground is what the shop stands on: a database, and what can befall it.
type ground interface {
	// open makes it ready and returns the URL for the shop and its commands.
	open(ctx context.Context, run *run) (database string, err error)
	// faults are what befalls it, beside what befalls every shop.
	faults() []fault
	// heal ends every fault, and waits until the database is well.
	heal(ctx context.Context) error
	// close ends it.
	close()
}

// fault is one thing that goes wrong.
type fault struct {
	name   string
	weight int
	do     func(ctx context.Context, length time.Duration) // it ends what it began, length later
	ready  func(ctx context.Context) bool                  // whether it can happen now; nil: always
}

// grounds are the engines, by name. Each is a function because it exists once a run.
var grounds = map[string]func() ground{
	"sqlite":   func() ground { return &file{} },
	"postgres": func() ground { return &single{} },
	"patroni":  func() ground { return &pair{} },
}

// errSkipped is why an engine cannot be run here.
type errSkipped struct{ why string }

func (e errSkipped) Error() string { return e.why }

// file is SQLite on a disk of its own, where one may be mounted.
type file struct {
	bare bool // the disk is the machine's, and is not filled
	disk *disk
	run  *run
}

func (f *file) open(_ context.Context, r *run) (string, error) {
	dir := filepath.Join(r.dir, "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	f.run, f.disk = r, &disk{dir: dir}
	if f.bare {
		f.disk = nil
		return filepath.Join(dir, "shop.db"), nil
	}
	if err := f.disk.mount(256 << 20); err != nil {
		r.say("NOT TESTED ON A FULL DISK: this machine lets us mount none: %v", err)
		f.disk = nil
	}
	return filepath.Join(dir, "shop.db"), nil
}

func (f *file) faults() []fault {
	if f.disk == nil {
		return nil
	}
	return []fault{{name: "the disk is full", weight: 6, do: f.disk.beFull}}
}

func (f *file) heal(context.Context) error {
	if f.disk == nil {
		return nil
	}
	return f.disk.empty()
}

func (f *file) close() {
	if f.disk != nil {
		f.disk.unmount()
	}
}

// disk is one of our own that can be full.
type disk struct {
	dir   string
	mu    sync.Mutex
	times int
}

func (d *disk) filler() string { return filepath.Join(d.dir, "filler") }

// beFull leaves no room for a while.
func (d *disk) beFull(ctx context.Context, length time.Duration) {
	d.mu.Lock()
	d.times++
	d.mu.Unlock()
	if err := d.fill(); err != nil {
		return // somebody else has just filled it
	}
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
	_ = d.empty() // heal does it again, and says what is wrong
}

// fill writes until nothing fits any more.
func (d *disk) fill() (err error) {
	f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for size := 1 << 20; size > 0; size /= 16 {
		for piece := make([]byte, size); ; {
			if _, err := f.Write(piece); err != nil {
				break
			}
		}
	}
	return nil
}

func (d *disk) empty() error {
	if err := os.Remove(d.filler()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("make room again: %w", err)
	}
	return nil
}
