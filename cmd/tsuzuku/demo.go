package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/world"
)

// demoCmd runs the shop with everything around it simulated.
type demoCmd struct {
	Listen  string                  `default:"127.0.0.1:8080" help:"Address to serve HTTP on."`
	URL     string                  `name:"url" help:"Where browsers reach it; by default http:// and the address." placeholder:"URL"`
	Data    string                  `help:"Folder to keep the demo in; by default one that is forgotten at the end." placeholder:"DIR" type:"path"`
	Rail    map[payment.Rail]string `help:"Which adapter takes a way to pay, as with serve: --rail alipay=antom, --rail konbini=stripe." placeholder:"RAIL=ADAPTER"`
	Quotes  time.Duration           `name:"quote-ttl" default:"30m" help:"How long a quoted price is honoured; a slip for a convenience store needs more than two days."`
	Verbose bool                    `short:"v" help:"Say what happens."`
}

// Run serves the demo until it is interrupted.
func (c *demoCmd) Run(ctx context.Context, s std) error {
	dir, forget, err := c.folder()
	if err != nil {
		return err
	}
	defer forget()
	level := slog.LevelWarn
	if c.Verbose {
		level = slog.LevelDebug
	}
	log := logger(s.err, level)
	url := c.URL
	if url == "" {
		url = "http://" + strings.Replace(c.Listen, "0.0.0.0", "127.0.0.1", 1)
	}
	d, err := app.OpenDemo(ctx, app.DemoOptions{URL: url, Dir: dir, Rails: c.Rail, QuoteTTL: c.Quotes, Log: log})
	if err != nil {
		return err
	}
	err = serve(ctx, c.Listen, d.Handler(), d.Work, log, func(string) { c.greet(s, url, d.Key) })
	return errors.Join(err, d.Close())
}

func (c *demoCmd) folder() (dir string, forget func(), err error) {
	if c.Data != "" {
		return c.Data, func() {}, os.MkdirAll(c.Data, 0o700)
	}
	dir, err = os.MkdirTemp("", "tsuzuku-demo-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

func (c *demoCmd) greet(s std, url, key string) {
	fmt.Fprintf(s.out, `The demo is open.

  the shop      %s/            sign in as %s
  the mailbox   %s/sim/inbox   the code to sign in is there
  the telephone %s/sim/phone   what its locked screen shows
  the lines     %s/sim/phones  install and use what was bought; staff's work by hand
  the town      %s/sim/        move the clock, make strangers misbehave
  the storybook %s/storybook   every page in every state
  the API       curl -H 'Authorization: Bearer %s' %s/api/v1/plans

A card that works: choose the first one on the simulated card page.
Ctrl-C ends it.
`, url, world.Traveller, url, url, url, url, url, key, url)
}
