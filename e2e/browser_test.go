package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/world"
)

// theDemo is the demo, open on a port of its own, as one customer knows it.
type theDemo struct {
	*app.Demo
	url      string
	email    string
	customer string
	lines    map[string]line.Line // by plan
	house    *atomic.Int64        // in which visitors live, as network addresses say; 0: in this machine
}

// openDemo opens a demo of its own for the test.
func openDemo(t *testing.T) *theDemo {
	t.Helper()
	return openDemoWith(t, app.DemoOptions{})
}

// named is the URL of a demo that is reached by a name.
const named = "http://localhost"

// openDemoWith opens a demo in which something is configured as a seller may.
func openDemoWith(t *testing.T, o app.DemoOptions) *theDemo {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &theDemo{url: "http://" + l.Addr().String(), house: &atomic.Int64{}}
	if o.URL == named { // passkeys are for names, not for numbers
		d.url = strings.Replace(d.url, "127.0.0.1", "localhost", 1)
	}
	o.URL, o.Dir, o.Log = d.url, t.TempDir(), slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	d.Demo, err = app.OpenDemo(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	come := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at := d.client(); at != "" {
			r.RemoteAddr = net.JoinHostPort(at, "4711")
		}
		d.Handler().ServeHTTP(w, r)
	})
	server := &http.Server{Handler: come, ReadHeaderTimeout: time.Minute}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var all sync.WaitGroup
	all.Go(func() { _ = server.Serve(l) }) // it ends with Close
	all.Go(func() { d.Work(ctx) })
	t.Cleanup(func() {
		stop()
		_ = server.Close()
		all.Wait()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d.as(t, world.Traveller)
}

// as is the demo as that customer knows it.
func (d *theDemo) as(t *testing.T, email string) *theDemo {
	t.Helper()
	own := *d
	own.email, own.lines = email, map[string]line.Line{}
	d.read(t, func(ctx context.Context, tx db.Tx) error {
		a, err := account.ByEmail(ctx, tx, email)
		if err != nil {
			return err
		}
		own.customer = a.ID
		lines, err := line.List(ctx, tx, a.ID)
		for _, l := range lines {
			own.lines[l.Plan] = l
		}
		return err
	})
	return &own
}

func (d *theDemo) read(t *testing.T, fn func(context.Context, db.Tx) error) {
	t.Helper()
	if err := d.App.DB.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// orders are the customer's orders in the books, newest first.
func (d *theDemo) orders(t *testing.T) (all []order.Order) {
	t.Helper()
	d.read(t, func(ctx context.Context, tx db.Tx) (err error) {
		all, err = order.List(ctx, tx, d.customer, "", 100)
		return err
	})
	return all
}

// chromium starts a browser. Without one the test is skipped, except in CI.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path := "/usr/bin/chromium"
	if _, err := os.Stat(path); err != nil {
		if path, err = exec.LookPath("chromium"); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal("there is no chromium; install Debian's package chromium")
			}
			t.Skip("NOT TESTED IN A BROWSER: there is no chromium")
		}
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WSURLReadTimeout(time.Minute),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
		chromedp.Flag("lang", "en"),
	)
	allocator, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(end)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return ctx
}

// tab is one person's browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	demo *theDemo
	visitor

	pictures string               // the folder for them; empty: none are taken
	taken    map[string]bool      // by file
	survey   *survey              // looks every page over more closely; nil: nobody does
	memory   cdp.BrowserContextID // of cookies and what is kept; "": the browser's own

	mu         sync.Mutex
	complaints []string // of the browser's console
}

// visitor is how somebody looks at pages.
type visitor struct {
	lang    string
	size    [2]int64
	scripts bool
}

// phone and desktop are the sizes that pages are looked at in.
var (
	phone   = [2]int64{390, 844}
	desktop = [2]int64{1280, 800}
)

// clickLimit is how long one click may take, on a busy machine.
const clickLimit = 60 * time.Second

// openTab starts a browser for somebody with a phone.
func openTab(t *testing.T, d *theDemo, lang string, scripts bool) *tab {
	t.Helper()
	return newTab(t, chromium(t), d, visitor{lang, phone, scripts})
}

// newTab makes a tab of a browser somebody's.
func newTab(t *testing.T, ctx context.Context, d *theDemo, v visitor) *tab {
	t.Helper()
	b := &tab{t: t, ctx: ctx, demo: d, visitor: v, taken: map[string]bool{}}
	chromedp.ListenTarget(ctx, func(ev any) {
		switch e := ev.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError && !strings.HasSuffix(e.Entry.URL, "/favicon.ico") { // strangers' pages have none
				b.complain(e.Entry.Text + " " + e.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			b.complain(e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				b.complain(fmt.Sprintf("a script calls console.%s", e.Type))
			}
		}
	})
	b.do(
		log.Enable(), network.Enable(), page.Enable(),
		emulation.SetScriptExecutionDisabled(!v.scripts),
		emulation.SetDeviceMetricsOverride(v.size[0], v.size[1], 1, v.size == phone),
	)
	return b
}

func (b *tab) complain(text string) {
	switch {
	case strings.Contains(text, "net::ERR_INTERNET_DISCONNECTED"): // the test has taken the network away
		return
	case strings.Contains(text, "a status of 422"): // the shop has refused a form, and says so on the page
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, text)
}

// do runs actions that lead to no other page.
func (b *tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, clickLimit)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.whereabouts())
	}
}

// follow runs actions that lead to another page, waits for it and looks it over.
func (b *tab) follow(actions ...chromedp.Action) {
	b.t.Helper()
	b.arrive(b.lead(actions...))
}

func (b *tab) lead(actions ...chromedp.Action) (*network.Response, error) {
	ctx, cancel := context.WithTimeout(b.ctx, clickLimit)
	defer cancel()
	return chromedp.RunResponse(ctx, actions...)
}

func (b *tab) arrive(r *network.Response, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%v\n%s", err, b.whereabouts())
	}
	if r != nil && r.Status >= 500 { // there is none of a page that loads itself anew meanwhile
		b.t.Errorf("%s answers %d", r.URL, r.Status)
	}
	b.inspect()
}

// open goes to a page of the demo.
func (b *tab) open(path string) {
	b.t.Helper()
	r, err := b.lead(chromedp.Navigate(b.demo.url + path))
	for tries := 3; tries > 0 && disturbed(err); tries-- {
		r, err = b.lead(chromedp.Navigate(b.demo.url + path))
	}
	b.arrive(r, err)
}

// disturbed reports whether a page that loads itself anew, because its order has gone
// on, came between.
func disturbed(err error) bool {
	if err == nil {
		return false
	}
	return slices.ContainsFunc([]string{
		"net::ERR_ABORTED", "context was destroyed", "Cannot find context", "Inspected target navigated", "Cannot read properties of null",
	}, func(s string) bool { return strings.Contains(err.Error(), s) })
}

// press clicks on something that leads to another page.
func (b *tab) press(selector string) {
	b.t.Helper()
	b.follow(chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible))
}

// set types into a field.
func (b *tab) set(selector, value string) {
	b.t.Helper()
	b.do(chromedp.SetValue(selector, value, chromedp.ByQuery))
}

// eval asks the page something.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	return evaluate[T](b, expression, false)
}

// eval2 asks the page something that takes a while.
func eval2[T any](b *tab, expression string) T {
	b.t.Helper()
	return evaluate[T](b, expression, true)
}

func evaluate[T any](b *tab, expression string, await bool) (v T) {
	b.t.Helper()
	patience := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(await) }
	b.do(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		for tries := 3; tries > 0; tries-- {
			if err = chromedp.Evaluate(expression, &v, patience).Do(ctx); !disturbed(err) {
				return err
			}
			err = errors.Join(err, chromedp.WaitReady("body", chromedp.ByQuery).Do(ctx))
		}
		return err
	}))
	return v
}

func (b *tab) has(selector string) bool {
	b.t.Helper()
	return eval[bool](b, fmt.Sprintf("document.querySelector(%q) !== null", selector))
}

func (b *tab) path() string {
	b.t.Helper()
	return eval[string](b, "location.pathname")
}

func (b *tab) words() string {
	b.t.Helper()
	return eval[string](b, "document.body ? document.body.innerText : ''")
}

// whereabouts is for the reader of a failed test.
func (b *tab) whereabouts() string {
	ctx, cancel := context.WithTimeout(b.ctx, clickLimit)
	defer cancel()
	var where, words string
	_ = chromedp.Run(ctx, chromedp.Evaluate("location.href", &where), chromedp.Evaluate("document.body ? document.body.innerText : ''", &words))
	return "on " + where + ":\n" + words
}

// forget takes the session away, as its end would.
func (b *tab) forget() {
	b.t.Helper()
	b.do(network.DeleteCookies("session").WithURL(b.demo.url))
}
