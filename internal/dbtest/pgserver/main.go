// Command pgserver starts a throw-away PostgreSQL server for a whole test run,
// prints its URL, and runs until its standard input ends or it is told to stop.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tsuzuku/tsuzuku/internal/dbtest/cluster"
)

func main() {
	if err := run(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "pgserver:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c, err := cluster.Start(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(os.Stdout, c.URL); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	<-ctx.Done()
	return c.Stop()
}
