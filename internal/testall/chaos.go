package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// tormented is what PostgreSQL that fails over needs.
var tormented = []pkgFile{
	{"/usr/lib/postgresql/*/bin/initdb", "postgresql"},
	{"/usr/bin/patroni", "patroni"},
	{"/usr/bin/etcd", "etcd-server"},
}

// goodbye is how long the run may take to end what it started, when it is interrupted.
const goodbye = time.Minute

// chaos builds the command of that name, gives it our further arguments and lets it
// run. Where something is missing that cannot be installed, it says what is not run.
func chaos(ctx context.Context) error {
	if err := install(ctx, tormented); err != nil {
		fmt.Fprintln(os.Stderr, "testall:", err)
	}
	dir, err := os.MkdirTemp("", "tsuzuku-testall-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	binary := filepath.Join(dir, "chaos")
	if err := run(ctx, nil, "go", "build", "-o", binary, "./internal/chaos"); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, os.Args[2:]...) //nolint:gosec // our own program
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, goodbye
	return cmd.Run()
}
