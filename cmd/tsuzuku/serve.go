package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
)

// serveCmd runs the shop: portal, webhooks and the work behind them.
type serveCmd struct {
	app.Config `embed:""`
}

// Run serves until the process is told to stop, and then finishes what it began.
func (c *serveCmd) Run(ctx context.Context, s std) error {
	log := logger(s.err, c.LogLevel)
	a, err := app.Open(ctx, c.Config, app.Env{Now: time.Now, Random: rand.Reader, Log: log}, app.Real)
	if err != nil {
		return err
	}
	if err := a.Notify(ctx); err != nil {
		return errors.Join(err, a.Close())
	}
	if missing, err := a.MissingFacts(ctx); err != nil {
		return errors.Join(err, a.Close())
	} else if len(missing) > 0 {
		log.Warn("the legal pages are not whole: they leave out what is not configured, which may be against the law where you sell", "missing", missing)
	}
	err = c.open(ctx, a, log)
	return errors.Join(err, a.Close())
}

// open serves the shop, and what is not for customers, until ctx ends.
func (c *serveCmd) open(ctx context.Context, a *app.App, log *slog.Logger) error {
	stopAdmin, err := serveAdmin(ctx, c.Admin, a.AdminHandler(), log)
	if err != nil {
		return err
	}
	closeDoor, err := openProfileDoor(ctx, a, log)
	if err != nil {
		return errors.Join(err, stopAdmin())
	}
	closeRadius, err := openRadiusDoor(ctx, a, log)
	if err != nil {
		return errors.Join(err, closeDoor(), stopAdmin())
	}
	err = serve(ctx, c.Listen, a.Handler(), func(ctx context.Context) { a.Work(ctx, time.Second) }, log,
		func(addr string) { log.Info("the shop is open", "address", addr, "url", c.URL) })
	return errors.Join(err, closeRadius(), closeDoor(), stopAdmin())
}

// nothing is served, so that nothing is to be stopped.
func nothing() error { return nil }

// openProfileDoor listens for the seller's SM-DP+, where one is configured.
func openProfileDoor(ctx context.Context, a *app.App, log *slog.Logger) (end func() error, err error) {
	door, ok, err := a.ProfileDoor()
	if err != nil || !ok {
		return nothing, err
	}
	l, err := door.Listener(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w. Choose another address with --smdp-listen", door.Address, err)
	}
	log.Info("listening for the SM-DP+", "address", l.Addr().String())
	return serveBeside(ctx, l, door.Handler, log), nil
}

// openRadiusDoor listens for gateways that count what lines use, where it is configured.
func openRadiusDoor(ctx context.Context, a *app.App, log *slog.Logger) (end func() error, err error) {
	conn, run, ok, err := a.RadiusDoor(ctx)
	if err != nil || !ok {
		return nothing, err
	}
	log.Info("listening for gateways", "address", conn.LocalAddr().String())
	taking, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- run(taking) }()
	return func() error { stop(); return <-ended }, nil
}

// serveAdmin serves what is not for customers; nothing where no address is given.
func serveAdmin(ctx context.Context, listen string, h http.Handler, log *slog.Logger) (stop func() error, err error) {
	if listen == "" {
		return nothing, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w. Choose another address with --admin-listen", listen, err)
	}
	log.Info("metrics are served", "address", l.Addr().String())
	return serveBeside(ctx, l, h, log), nil
}

// serveBeside serves on a listener of its own, until stop is called.
func serveBeside(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) (stop func() error) {
	server := newServer(h, log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	return func() error {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
		defer cancel()
		err := server.Shutdown(limit)
		if end := <-served; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
		return err
	}
}

// shutdown is how long requests that have begun may take when we stop.
const shutdown = 20 * time.Second

// newServer bounds what a client may take of time and memory.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 90 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// serve listens, works, and ends both in order: no new requests, the running
// ones, the work.
func serve(ctx context.Context, listen string, h http.Handler, work func(context.Context), log *slog.Logger, opened func(addr string)) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w. Choose another address with --listen", listen, err)
	}
	server := newServer(h, log)
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	idle := make(chan struct{})
	go func() {
		defer close(idle)
		work(working)
	}()
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	opened(l.Addr().String())
	select {
	case err = <-served:
	case <-ctx.Done():
		log.Info("closing")
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
		defer cancel()
		err = server.Shutdown(limit)
	}
	stopWork()
	<-idle
	return err
}
