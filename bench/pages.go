package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/portal"
)

// PagesResult is how many pages a second one server gives away, and beside it
// how many small files: what the machine, the HTTP server and the browsers of
// the measurement cost without us. Both share the machine's cores with the
// browsers.
type PagesResult struct {
	Engine  db.Engine `json:"engine"`
	Seconds int       `json:"seconds"` // each side was measured for at least so long
	Clients int       `json:"clients"`
	CPUs    int       `json:"cpus"`
	Status  PageRun   `json:"status"` // of a signed-in customer's line
	Static  PageRun   `json:"static"`
}

// PageRun is one side.
type PageRun struct {
	PerSecond int64      `json:"per_second"`
	P50       Thousandth `json:"p50_ms"`
	P99       Thousandth `json:"p99_ms"`
	Bytes     int        `json:"bytes"` // of one answer
}

const (
	reader      = "reader@example.com" // who looks at the status page
	pageClients = 8
)

// Pages measures the page of a line, which reads the customer's session, line,
// periods, usage and orders for every request, and a small static file from the
// same server. They take turns of a second.
func Pages(ctx context.Context, o Options) (result PagesResult, err error) {
	if o.Sets != 0 {
		return PagesResult{}, fault.New(fault.Invalid, "Pages are not made in sets.")
	}
	o.Clients = cmp.Or(o.Clients, pageClients)
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	s, end, err := begin(ctx, o)
	if err != nil {
		return PagesResult{}, err
	}
	defer func() { err = errors.Join(err, end()) }()
	house, shut, err := openHouse(ctx, s, o.Clients)
	if err != nil {
		return PagesResult{}, err
	}
	defer func() { err = errors.Join(err, shut()) }()
	status, static, err := house.enter(ctx, s)
	if err != nil {
		return PagesResult{}, err
	}
	sides := []*gets{{path: status}, {path: static}}
	wanted := time.Duration(o.Seconds) * time.Second
	for round := 0; sides[0].elapsed < wanted; round++ {
		for i := range sides {
			if err := sides[(i+round)%2].turn(ctx, s, house, o.Clients); err != nil {
				return PagesResult{}, err
			}
		}
		_, _ = fmt.Fprintf(o.Progress, "bench: %s: %v of %v, %d pages/s, %d files/s\n", o.Engine, sides[0].elapsed.Round(time.Second/10), wanted,
			sides[0].perSecond()/1000, sides[1].perSecond()/1000) // who watches may go away
	}
	return PagesResult{
		Engine: o.Engine, Seconds: o.Seconds, Clients: o.Clients, CPUs: runtime.GOMAXPROCS(0),
		Status: sides[0].run(), Static: sides[1].run(),
	}, nil
}

// openHouse serves the portal on a port of its own.
func openHouse(ctx context.Context, s *shop, clients int) (_ *weigher, shut func() error, err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("bench: %w", err)
	}
	log := slog.New(slog.DiscardHandler)
	door := &account.Door{DB: s.db, IDs: s.desk.IDs, Secret: []byte("a secret of a measurement, which ends with it")}
	house := &portal.Server{
		DB: s.db, Desk: s.desk, Door: door, Shelf: s.desk.Shelf, Log: log, URL: shopURL,
		Advice: &advice.Adviser{DB: s.db, Shelf: s.desk.Shelf, Log: log},
	}
	server := &http.Server{Handler: house.Handler(), ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	wires := &http.Transport{MaxIdleConnsPerHost: clients}
	v, err := newWeigher(WeightOptions{URL: "http://" + l.Addr().String(), Client: &http.Client{Transport: wires, Timeout: time.Minute}})
	return v, func() error {
		wires.CloseIdleConnections()
		err := server.Close()
		if end := <-served; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
		return err
	}, err
}

// enter signs a customer with a running line in, and says where the page of the
// line and a static file are.
func (v *weigher) enter(ctx context.Context, s *shop) (status, static string, err error) {
	line := ""
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := account.Create(ctx, tx, s.desk.IDs, account.New{Email: reader, Language: locale.Ja, Zone: "Asia/Shanghai"})
		if err != nil {
			return err
		}
		line = s.desk.IDs.Under("ln", a.ID)
		var b db.Batch
		if err := s.customer(ctx, tx, &b, a.ID, line); err != nil {
			return err
		}
		return tx.Batch(ctx, &b)
	})
	if err != nil {
		return "", "", err
	}
	if _, err := v.send(ctx, "/sign-in", url.Values{"email": {reader}}); err != nil {
		return "", "", err
	}
	code, err := db.Seen(ctx, s.db, func(ctx context.Context, tx db.Tx) (string, error) {
		var facts string
		if err := tx.QueryRow(ctx, `SELECT facts FROM messages WHERE kind = 'sign_in_code' LIMIT 1`).Scan(&facts); err != nil {
			return "", err
		}
		var f struct{ Code string }
		err := json.Unmarshal([]byte(facts), &f)
		return f.Code, err
	})
	if err != nil {
		return "", "", fmt.Errorf("bench: the code to sign in: %w", err)
	}
	if _, err := v.send(ctx, "/sign-in/code", url.Values{"code": {code}}); err != nil {
		return "", "", err
	}
	home, err := v.see(ctx, "/")
	if err != nil {
		return "", "", err
	}
	script := scriptLink.FindStringSubmatch(home.text)
	if script == nil {
		return "", "", errors.New("bench: the page has no script")
	}
	return "/lines/" + line, script[1], nil
}

// gets are one side's requests.
type gets struct {
	tally
	path  string
	bytes int
}

// turn asks for the path for about a second, and once before.
func (g *gets) turn(ctx context.Context, s *shop, v *weigher, clients int) error {
	first, err := v.see(ctx, g.path)
	if err != nil {
		return err
	}
	g.bytes = first.bytes
	start := s.db.Now()
	took, err := s.race(ctx, clients, func(ctx context.Context) (bool, error) {
		if s.db.Now().Sub(start) >= turn {
			return false, nil
		}
		return true, v.drain(ctx, g.path)
	})
	g.add(len(took), s.db.Now().Sub(start), took)
	return err
}

// drain asks for a page and reads it without looking.
func (v *weigher) drain(ctx context.Context, path string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+path, nil)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	r.Header.Set("Accept-Encoding", "gzip, br")
	res, err := v.client.Do(r)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	_, err = io.Copy(io.Discard, res.Body)
	if res.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("bench: %s answers %d", path, res.StatusCode))
	}
	return errors.Join(err, res.Body.Close())
}

func (g *gets) run() PageRun {
	return PageRun{PerSecond: g.perSecond() / 1000, P50: percentile(g.took, 50), P99: percentile(g.took, 99), Bytes: g.bytes}
}

// Report prints the result: one JSON object for programs, a table for people.
func (r PagesResult) Report(programs, people io.Writer) error {
	out, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(programs, "%s\n", out); err != nil {
		return err
	}
	t := tabwriter.NewWriter(people, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(t, "%s, %d browsers, %d s each, %d CPUs\nwhat\tanswers/s\tp50 ms\tp99 ms\tbytes\t\n", r.Engine, r.Clients, r.Seconds, r.CPUs)
	for _, side := range []struct {
		name string
		PageRun
	}{{"status page", r.Status}, {"static file", r.Static}} { // errors come with Flush
		_, _ = fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%d\t\n", side.name, side.PerSecond, side.P50, side.P99, side.Bytes)
	}
	return t.Flush()
}
