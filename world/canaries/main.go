// Command canaries proves the auditor of the simulated town: each patch in this
// folder breaks the product in one way, and the auditor must find it.
//
// The program as it is must pass the same towns first. A patch begins with a
// sentence that says what it breaks. It is applied to a copy of the files that it
// touches, the program is built with them, and the town is run until a promise is
// broken, or for 20,000 orders.
//
//	go run ./world/canaries              every patch
//	go run ./world/canaries NAME ...     some
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// folder is where the patches are, seen from the root of the project.
const folder = "world/canaries"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := all(ctx, os.Stdout, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "canaries:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// all tries the patches of these names, or every one, and says whether the
// auditor found them all.
func all(ctx context.Context, out io.Writer, names []string) (bool, error) {
	if len(names) == 0 {
		files, err := filepath.Glob(filepath.Join(folder, "*.patch"))
		if err != nil {
			return false, err
		}
		for _, f := range files {
			names = append(names, strings.TrimSuffix(filepath.Base(f), ".patch"))
		}
	}
	if len(names) == 0 {
		return false, errors.New("there are no patches here; run this from the root of the project")
	}
	if err := sound(ctx); err != nil {
		return false, err
	}
	missed := 0
	for _, name := range names {
		found, err := try(ctx, name)
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		if found == nil {
			missed++
			fmt.Fprintf(out, "%-36s NOT FOUND\n", name)
			continue
		}
		fmt.Fprintf(out, "%-36s found by %s: %s\n", name, found.run, found.violation)
	}
	fmt.Fprintf(out, "%d of %d found\n", len(names)-missed, len(names))
	return missed == 0, nil
}

// run is one simulation.
type run struct {
	seed, orders int
	faults       string
}

func (r run) String() string {
	return fmt.Sprintf("tsuzuku simulate --seed %d --orders %d --faults %s", r.seed, r.orders, r.faults)
}

// runs are what each patch is looked for with: short towns first, and seeds whose
// weather has nearly every kind of fault. Together they have fewer than 20,000
// orders.
var runs = []run{
	{9, 200, "some"},
	{34, 300, "some"},
	{34, 300, "wild"},
	{9, 300, "wild"},
	{18, 300, "wild"},
	{14, 300, "wild"},
	{3190, 600, "wild"}, // in it one process stands still while the other works
	{34, 3_000, "some"},
	{9, 3_000, "some"},
	{2, 4_000, "some"},
	{5, 6_000, "some"},
}

// sound fails where the auditor finds something in the program as it is: what is found
// in one that is broken would prove nothing.
func sound(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "tsuzuku-canary-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	found, err := hunt(ctx, dir)
	if err == nil && found != nil {
		err = fmt.Errorf("%s finds this without any patch: %s", found.run, found.violation)
	}
	return err
}

// hunt builds the program in a folder and runs the towns until a promise is broken.
func hunt(ctx context.Context, dir string, flags ...string) (*finding, error) {
	binary := filepath.Join(dir, "tsuzuku")
	build := append(append([]string{"build"}, flags...), "-o", binary, "./cmd/tsuzuku")
	if out, err := exec.CommandContext(ctx, "go", build...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	for _, r := range runs {
		violation, err := simulate(ctx, binary, r)
		if err != nil || violation != "" {
			return &finding{r, violation}, err
		}
	}
	return nil, nil
}

// finding is how a patch was found.
type finding struct {
	run       run
	violation string
}

// try applies one patch and runs the town until a promise is broken. Nil means
// that none was.
func try(ctx context.Context, name string) (_ *finding, err error) {
	dir, err := os.MkdirTemp("", "tsuzuku-canary-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	overlay, err := apply(ctx, filepath.Join(folder, name+".patch"), dir)
	if err != nil {
		return nil, err
	}
	return hunt(ctx, dir, "-overlay", overlay)
}

// simulate runs a town and returns the first violation, if there is one. A town
// that does not come to its end has broken a promise too.
func simulate(ctx context.Context, binary string, r run) (string, error) {
	cmd := exec.CommandContext(ctx, binary, strings.Fields(strings.TrimPrefix(r.String(), "tsuzuku ")+" --no-shorten")...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	ended := cmd.Run()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	var result struct{ Violations []string }
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		if first, _, _ := strings.Cut(said.String(), "\n"); first != "" {
			return "the program ended: " + first, nil
		}
		return "", errors.Join(ended, err)
	}
	if len(result.Violations) == 0 {
		return "", ended
	}
	return result.Violations[0], nil
}

// apply applies a patch to copies, under dir, of the files that it touches, and
// returns the file for go build's -overlay.
func apply(ctx context.Context, patch, dir string) (overlay string, err error) {
	text, err := os.ReadFile(patch)
	if err != nil {
		return "", err
	}
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, touches := strings.CutPrefix(strings.TrimSpace(line), "+++ b/")
		if !touches {
			continue
		}
		file, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, file, 0o600)); err != nil {
			return "", err
		}
		replace[filepath.Join(root, filepath.FromSlash(name))] = at
	}
	cmd := exec.CommandContext(ctx, "git", "apply", "-")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(text)
	cmd.Env = slices.Concat(os.Environ(), []string{"GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir)})
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the patch no longer fits: %w\n%s", err, out)
	}
	content, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, content, 0o600)
}
