package bench

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/andybalholm/brotli"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
)

// WeightOptions say whose pages are weighed.
type WeightOptions struct {
	// URL is where the shop is reached: "http://127.0.0.1:8080".
	URL string

	// Session is the value of a signed-in customer's session cookie. Empty: URL is
	// a demo, and its traveller signs in with the code from its mailbox, and buys
	// what there must be an order for.
	Session string

	// Traveller is the mail address that signs in to a demo.
	Traveller string

	Client *http.Client // nil: one that waits for a minute; its jar and redirects are not used
}

// WeightResult is what a browser loads at its first visit.
type WeightResult struct {
	URL      string       `json:"url"`
	MaxBytes int          `json:"max_bytes"` // of any page
	Pages    []PageWeight `json:"pages"`
	Once     []PageWeight `json:"once"`    // what is loaded beside the first page, once
	Missing  []string     `json:"missing"` // pages for which the customer has no order
}

// PageWeight is one answer: its header, and its body as it was packed for the
// way, in bytes.
type PageWeight struct {
	Page     string          `json:"page"`
	Language locale.Language `json:"language"`
	Bytes    int             `json:"bytes"`
	Coding   string          `json:"coding"`
}

// The pages that are weighed, by what they are to the customer.
const (
	statusOf = "status"
	renewOf  = "renew"
	reviewOf = "review"
	payOf    = "pay"
	resultOf = "result"
)

// Weight weighs the pages of a renewal in every language. With a session it
// changes nothing but the language that is shown in it and a quote.
func Weight(ctx context.Context, o WeightOptions) (WeightResult, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" {
		return WeightResult{}, fault.New(fault.Invalid, "%q is not where a shop is reached. Give an address such as http://127.0.0.1:8080.", o.URL)
	}
	v, err := newWeigher(o)
	if err != nil {
		return WeightResult{}, err
	}
	if err := v.signIn(ctx, o); err != nil {
		return WeightResult{}, err
	}
	r := WeightResult{URL: v.url, Missing: []string{}}
	paths, err := v.find(ctx, o.Session == "")
	if err != nil {
		return r, err
	}
	for _, page := range []string{statusOf, renewOf, reviewOf, payOf, resultOf} {
		if paths[page] == "" {
			r.Missing = append(r.Missing, page)
			continue
		}
		for _, l := range locale.All {
			w, err := v.weigh(ctx, page, paths[page], l)
			if err != nil {
				return r, err
			}
			r.Pages, r.MaxBytes = append(r.Pages, w), max(r.MaxBytes, w.Bytes)
		}
	}
	if r.Once, err = v.once(ctx); err != nil {
		return r, err
	}
	if o.Session == "" {
		return r, v.leave(ctx, paths[payOf])
	}
	return r, nil
}

// weigher is a browser with a scale.
type weigher struct {
	url    string
	client *http.Client
}

// answerMost bounds what is read of one answer.
const answerMost = 4 << 20

func newWeigher(o WeightOptions) (*weigher, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := cmp.Or(o.Client, &http.Client{Timeout: time.Minute})
	c = &http.Client{Transport: c.Transport, Timeout: c.Timeout, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	v := &weigher{url: strings.TrimSuffix(o.URL, "/"), client: c}
	if o.Session != "" {
		u, err := url.Parse(v.url)
		if err != nil {
			return nil, err
		}
		secure := u.Scheme == "https"
		name := "session"
		if secure {
			name = "__Host-session"
		}
		jar.SetCookies(u, []*http.Cookie{{Name: name, Value: o.Session, Path: "/", Secure: secure, HttpOnly: true}}) //nolint:gosec // as the shop itself sets it
	}
	return v, nil
}

// said is one answer.
type said struct {
	status int
	to     string
	text   string
	coding string
	bytes  int
}

func (v *weigher) ask(ctx context.Context, method, path string, form url.Values) (said, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, v.url+path, body)
	if err != nil {
		return said{}, fmt.Errorf("bench: %w", err)
	}
	r.Header.Set("Accept-Encoding", "gzip, br")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := v.client.Do(r)
	if err != nil {
		return said{}, fmt.Errorf("bench: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, answerMost))
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return said{}, fmt.Errorf("bench: %s: %w", path, err)
	}
	a := said{status: res.StatusCode, to: res.Header.Get("Location"), coding: res.Header.Get("Content-Encoding"), text: string(raw)}
	var head bytes.Buffer
	_ = res.Header.Write(&head) // a buffer takes everything
	a.bytes = len("HTTP/1.1 ") + len(res.Status) + len("\r\n\r\n") + head.Len() + len(raw)
	if a.coding == "br" {
		plain, err := io.ReadAll(io.LimitReader(brotli.NewReader(bytes.NewReader(raw)), answerMost))
		if err != nil {
			return a, fmt.Errorf("bench: %s: %w", path, err)
		}
		a.text = string(plain)
	}
	return a, nil
}

// see asks for a page that must be there.
func (v *weigher) see(ctx context.Context, path string) (said, error) {
	a, err := v.ask(ctx, http.MethodGet, path, nil)
	if err == nil && a.status != http.StatusOK {
		err = fault.New(fault.Invalid, "%s answers %d and leads to %q. Is this a shop, and is somebody signed in with lines that can be renewed?", v.url+path, a.status, a.to)
	}
	return a, err
}

// send sends a form, which must lead on.
func (v *weigher) send(ctx context.Context, path string, form url.Values) (string, error) {
	a, err := v.ask(ctx, http.MethodPost, path, form)
	if err == nil && a.status != http.StatusSeeOther {
		err = fmt.Errorf("bench: POST %s answers %d", path, a.status)
	}
	return a.to, err
}

var (
	inboxCode   = regexp.MustCompile(`\b\d{8}(?:\d{4})?\b`)
	renewLink   = regexp.MustCompile(`href="(/lines/[a-z0-9_]+)/renew"`)
	orderLink   = regexp.MustCompile(`href="(/orders/[a-z0-9_]+)"`)
	itemButton  = regexp.MustCompile(`<button name="item" value="([^"]+)"`)
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)
	scriptLink  = regexp.MustCompile(`<script src="([^"]+)"`)
	iconLink    = regexp.MustCompile(`/static/icon-192[^"]*`)
)

func (v *weigher) signIn(ctx context.Context, o WeightOptions) error {
	if o.Session != "" {
		return nil
	}
	if _, err := v.send(ctx, "/sign-in", url.Values{"email": {o.Traveller}}); err != nil {
		return err
	}
	for range 100 { // the demo sends its letters within a second
		inbox, err := v.ask(ctx, http.MethodGet, "/sim/inbox?to="+url.QueryEscape(o.Traveller), nil)
		if err != nil {
			return err
		}
		if inbox.status != http.StatusOK {
			return fault.New(fault.Invalid, "%s is not a demo: it has no mailbox. Give --session, a customer's session cookie.", v.url)
		}
		if code := inboxCode.FindString(inbox.text); code != "" {
			a, err := v.ask(ctx, http.MethodPost, "/sign-in/code", url.Values{"code": {code}})
			if err != nil || a.status == http.StatusSeeOther {
				return err
			}
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("bench: no code came to the mailbox of %s", o.Traveller)
}

// find says where the pages are. In a demo it buys what there is no order of.
func (v *weigher) find(ctx context.Context, demo bool) (map[string]string, error) {
	home, err := v.see(ctx, "/")
	if err != nil {
		return nil, err
	}
	lines := renewLink.FindAllStringSubmatch(home.text, -1)
	if len(lines) == 0 {
		return nil, fault.New(fault.Invalid, "The customer has no line that can be renewed now.")
	}
	line := lines[0][1]
	paths := map[string]string{statusOf: line, renewOf: line + "/renew"}
	if paths[reviewOf], err = v.quote(ctx, line); err != nil {
		return nil, err
	}
	if demo {
		return paths, v.buy(ctx, line, paths)
	}
	account, err := v.see(ctx, "/account")
	if err != nil {
		return nil, err
	}
	for _, m := range orderLink.FindAllStringSubmatch(account.text, -1) {
		order, err := v.see(ctx, m[1])
		if err != nil {
			return nil, err
		}
		switch {
		case strings.Contains(order.text, `action="`+m[1]+`/pay"`):
			paths[payOf] = cmp.Or(paths[payOf], m[1])
		case strings.Contains(order.text, `<a href="/bills/`):
			paths[resultOf] = cmp.Or(paths[resultOf], m[1])
		}
	}
	return paths, nil
}

// quote chooses the first offer of a line.
func (v *weigher) quote(ctx context.Context, line string) (string, error) {
	renew, err := v.see(ctx, line+"/renew")
	if err != nil {
		return "", err
	}
	item := itemButton.FindStringSubmatch(renew.text)
	if item == nil {
		return "", fmt.Errorf("bench: %s offers nothing", line)
	}
	form := hidden(renew.text)
	form.Set("item", html.UnescapeString(item[1]))
	return v.send(ctx, line+"/renew", form)
}

func hidden(page string) url.Values {
	form := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return form
}

// buy leaves one order that waits for a card and one that the wallet has paid.
func (v *weigher) buy(ctx context.Context, line string, paths map[string]string) error {
	for page, tool := range map[string]string{payOf: "card", resultOf: "wallet"} {
		quote, err := v.quote(ctx, line)
		if err != nil {
			return err
		}
		review, err := v.see(ctx, quote)
		if err != nil {
			return err
		}
		form := hidden(review.text)
		form.Set("tool", tool)
		if _, err := v.send(ctx, quote, form); err != nil {
			return err
		}
		a, err := v.ask(ctx, http.MethodGet, quote, nil) // it leads to its order
		if err != nil {
			return err
		}
		paths[page] = a.to
	}
	return nil
}

// weigh asks for a page in a language.
func (v *weigher) weigh(ctx context.Context, page, path string, l locale.Language) (PageWeight, error) {
	if _, err := v.ask(ctx, http.MethodGet, "/?lang="+string(l), nil); err != nil {
		return PageWeight{}, err
	}
	a, err := v.see(ctx, path)
	if err == nil && !strings.Contains(a.text, `<html lang="`+string(l)+`"`) {
		err = fmt.Errorf("bench: %s is not in %s", path, l)
	}
	return PageWeight{Page: page, Language: l, Bytes: a.bytes, Coding: a.coding}, err
}

// once is what comes beside the first page and is then on the device.
func (v *weigher) once(ctx context.Context) (all []PageWeight, err error) {
	home, err := v.see(ctx, "/")
	if err != nil {
		return nil, err
	}
	paths := []string{"/sw.js", "/offline", "/manifest.webmanifest"}
	if m := scriptLink.FindStringSubmatch(home.text); m != nil {
		paths = slices.Insert(paths, 0, m[1])
	}
	for i := 0; i < len(paths); i++ {
		a, err := v.see(ctx, paths[i])
		if err != nil {
			return nil, err
		}
		if icon := iconLink.FindString(a.text); icon != "" && paths[i] == "/manifest.webmanifest" {
			paths = append(paths, icon)
		}
		all = append(all, PageWeight{Page: paths[i], Bytes: a.bytes, Coding: a.coding})
	}
	return all, nil
}

// leave gives up the order that waits for a card, where this run has made it.
func (v *weigher) leave(ctx context.Context, order string) error {
	_, err := v.send(ctx, order+"/cancel", url.Values{})
	return err
}

// pause lets the demo do what it does by itself.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(50 * time.Millisecond):
		return nil
	}
}

// Report prints the result: one JSON object for programs, a table for people.
func (r WeightResult) Report(programs, people io.Writer) error {
	out, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(programs, "%s\n", out); err != nil {
		return err
	}
	t := tabwriter.NewWriter(people, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(t, "bytes") // errors come with Flush
	for _, l := range locale.All {
		_, _ = fmt.Fprintf(t, "\t%s", l)
	}
	for i, p := range r.Pages {
		if i == 0 || r.Pages[i-1].Page != p.Page {
			_, _ = fmt.Fprintf(t, "\t\n%s", p.Page)
		}
		_, _ = fmt.Fprintf(t, "\t%d", p.Bytes)
	}
	_, _ = fmt.Fprint(t, "\t\n")
	for _, p := range r.Once {
		_, _ = fmt.Fprintf(t, "once %s\t%d\t\n", p.Page, p.Bytes)
	}
	_, _ = fmt.Fprintf(t, "the most\t%d\t\n", r.MaxBytes)
	for _, p := range r.Missing {
		_, _ = fmt.Fprintf(t, "no order for\t%s\t\n", p)
	}
	return t.Flush()
}
