package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// nextSchema is what the next version adds: to a table that every order is written to, and
// beside it.
//
//go:embed next.sql
var nextSchema []byte

// build makes the program, and that of the next version where one is wished for: the same
// with a migration more.
func (o options) build(ctx context.Context, dir string) (binary, next string, err error) {
	binary = filepath.Join(dir, "tsuzuku")
	if err := goBuild(ctx, binary); err != nil || !o.upgrade {
		return binary, "", err
	}
	overlay, err := oneMore(dir)
	if err != nil {
		return "", "", err
	}
	next = filepath.Join(dir, "tsuzuku-next")
	return binary, next, goBuild(ctx, next, "-overlay", overlay)
}

func goBuild(ctx context.Context, to string, flags ...string) error {
	args := append(append([]string{"build"}, flags...), "-o", to, "github.com/tsuzuku/tsuzuku/cmd/tsuzuku")
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil { //nolint:gosec // our own program
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	return nil
}

// oneMore makes the file for go build's -overlay that adds a migration for each engine
// after the last one.
func oneMore(dir string) (overlay string, err error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	added := filepath.Join(dir, "next.sql")
	if err := os.WriteFile(added, nextSchema, 0o600); err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, engine := range []string{"sqlite", "postgres"} {
		folder := filepath.Join(root, "db", "migrations", engine)
		files, err := filepath.Glob(filepath.Join(folder, "*.sql"))
		if err != nil || len(files) == 0 {
			return "", errors.Join(errors.New("no migrations in "+folder), err)
		}
		last, err := strconv.Atoi(filepath.Base(files[len(files)-1])[:5])
		if err != nil {
			return "", err
		}
		replace[filepath.Join(folder, fmt.Sprintf("%05d_next.sql", last+1))] = added
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// moduleRoot is the folder of go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("there is no go.mod here or above")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// upgrade lets the next version migrate the open shop, after a while, and from then on
// lets either version be started. What befalls the database befalls the migration, too:
// it is begun again until it is done.
func (r *run) upgrade(ctx context.Context, after time.Duration) {
	for wait(ctx, after); ctx.Err() == nil; wait(ctx, time.Second) {
		from, err := r.by(ctx, r.next, "migrate", "--database", r.database)
		if err != nil {
			r.say("the migration failed, and is begun again: %v", err)
			continue
		}
		r.say("the next version has migrated: %s", from)
		r.server.either(r.next, rand.New(rand.NewPCG(r.seed, 5))) //nolint:gosec // chosen again by the same seed
		return
	}
}
