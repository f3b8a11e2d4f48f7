package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// counter is the shop as its customers see it: the API, over real connections.
type counter struct {
	url    string // of the shop
	client *http.Client

	mu      sync.Mutex
	longest time.Duration // that somebody saw the shop away
	wait    time.Duration // for one answer, also while the shop said that it works on it
	errors  int           // answers that did not come, or were no answer
}

func newCounter(url string) *counter {
	return &counter{url: url, client: &http.Client{Timeout: 30 * time.Second}}
}

// problem is an answer that is a refusal.
type problem struct {
	Status int
	Reason string
	Detail string
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Reason, p.Detail) }

// errAway says that there was no answer.
var errAway = errors.New("the shop is away")

// program is who asks for a customer, with a key of the API: it may ask 20 times a
// second, and what is sent again counts as the same only with the same key.
type program struct {
	*counter
	key string
}

// call asks once. It fails with errAway, or with a *problem.
func (c program) call(ctx context.Context, method, path, idempotency string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("Content-Type", "application/json")
	if idempotency != "" {
		r.Header.Set("Idempotency-Key", idempotency)
	}
	resp, err := c.client.Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", errAway, err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 500 {
		return fmt.Errorf("%w: %d", errAway, resp.StatusCode)
	}
	if resp.StatusCode >= 300 {
		p := &problem{Status: resp.StatusCode}
		_ = json.Unmarshal(text, p) // else the status is all there is
		return p
	}
	return json.Unmarshal(text, out)
}

// insist asks until there is an answer, as people do who press again, and notes for
// how long there was none.
func (c program) insist(ctx context.Context, method, path, idempotency string, in, out any) error {
	began, since := time.Now(), time.Time{}
	defer func() { c.waited(time.Since(began)) }()
	for {
		err := c.call(ctx, method, path, idempotency, in, out)
		p, refused := errors.AsType[*problem](err)
		busy := refused && (p.Status == http.StatusTooManyRequests || p.Reason == "idempotency_key_running")
		away := errors.Is(err, errAway)
		if away && since.IsZero() {
			since = time.Now()
		}
		c.note(since, away)
		if !away {
			since = time.Time{}
		}
		if !away && !busy {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func (c *counter) waited(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wait = max(c.wait, d)
}

func (c *counter) note(since time.Time, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if failed {
		c.errors++
	}
	if !since.IsZero() {
		c.longest = max(c.longest, time.Since(since))
	}
}

// amount is money of the API.
type amount struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// placed is an order of the API.
type placed struct {
	ID, Account, Quote, State, Kind string

	Price   amount
	Parts   struct{ Wallet, Rest int64 }
	Payment *struct {
		State string
		Next  *struct{ RedirectURL string }
	}
	Bills []struct{ Kind string }
}

func (o placed) final() bool {
	return o.State == "completed" || o.State == "refunded" || o.State == "cancelled"
}

// customer has lines, and money.
type customer struct {
	program
	email   string
	account string
	lines   []string
}

// attempt is one wish of a customer, and what they were told of it.
type attempt struct {
	account string
	quote   string
	order   string // acknowledged; empty: the customer never heard of one
	ended   string // the final state that the customer has seen; empty: none yet
	other   string // another order that they were told of for the same wish
}

// crowd are the customers, and what they remember.
type crowd struct {
	*counter
	seed      uint64
	tools     []string // that they pay with
	customers []*customer

	mu       sync.Mutex
	attempts []*attempt
	refused  map[string]int // why they were turned away
}

// shop lets customers shop, each side by side with the others, until closing. Who has
// begun then still goes to the end.
func (c *crowd) shop(ctx context.Context, closing <-chan struct{}) {
	var all sync.WaitGroup
	for i, who := range c.customers {
		random := rand.New(rand.NewPCG(c.seed, 100+uint64(i))) //nolint:gosec // chosen again by the same seed
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				select {
				case <-closing:
					return
				case <-time.After(time.Duration(random.Int64N(int64(3 * time.Second)))):
				}
				if err := c.buy(ctx, who, random, fmt.Sprintf("%s-%d", who.account, n)); err != nil {
					c.remember(err)
				}
			}
		})
	}
	all.Wait()
}

func (c *crowd) remember(err error) {
	why := err.Error()
	if p, ok := errors.AsType[*problem](err); ok {
		why = p.Reason
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused[why]++
}

// plan is what all lines have.
const (
	plan = "tabibito-1gb"
	term = "1gb-1x24h"
)

// buy renews a line, or buys a new one, and pays; key is its own in this run.
func (c *crowd) buy(ctx context.Context, who *customer, random *rand.Rand, key string) error {
	var quote struct {
		ID    string
		Price amount
	}
	path, wish := "/quotes", map[string]any{"line": who.lines[random.IntN(len(who.lines))], "item": "term/" + plan + "/" + term, "currency": "JPY"}
	if random.IntN(5) == 0 {
		path, wish = "/accounts/"+who.account+"/quotes", map[string]any{"item": "line/" + plan + "/" + term, "currency": "JPY"}
	}
	if err := who.insist(ctx, http.MethodPost, path, key+"-q", wish, &quote); err != nil {
		return fmt.Errorf("quote: %w", err)
	}
	a := &attempt{account: who.account, quote: quote.ID}
	c.mu.Lock()
	c.attempts = append(c.attempts, a)
	c.mu.Unlock()
	tool := c.tools[random.IntN(len(c.tools))]
	acceptance := map[string]any{"quote": quote.ID, "amount": quote.Price, "tool": tool, "returnUrl": c.url + "/"}
	var o placed
	if err := who.insist(ctx, http.MethodPost, "/orders", key, acceptance, &o); err != nil {
		return fmt.Errorf("order: %w", err)
	}
	a.order = o.ID
	if random.IntN(4) == 0 { // pressed twice
		var again placed
		if err := who.insist(ctx, http.MethodPost, "/orders", key, acceptance, &again); err == nil && again.ID != o.ID {
			a.other = again.ID
		}
	}
	return who.follow(ctx, a, tool, random)
}

// looks is how often customers look at their order before they go on with their lives.
const looks = 20

// follow pays where that is to be done, and looks until the order has ended, or the
// customer has had enough.
func (c *customer) follow(ctx context.Context, a *attempt, tool string, random *rand.Rand) error {
	gone := tool == "paypay" && random.IntN(12) == 0 // closes the browser
	visited := ""
	for range looks {
		var o placed
		if err := c.insist(ctx, http.MethodGet, "/orders/"+a.order, "", nil, &o); err != nil {
			return fmt.Errorf("look: %w", err)
		}
		if o.final() {
			a.ended = o.State
			return nil
		}
		switch {
		case gone:
			return nil
		case o.State != "placed" || tool == "wallet":
		case o.Payment == nil || o.Payment.State == "dead":
			_ = c.insist(ctx, http.MethodPost, "/orders/"+a.order+"/pay", "", map[string]any{"tool": tool, "returnUrl": c.url + "/"}, &o) // the next look tells
		case o.Payment.Next != nil && o.Payment.Next.RedirectURL != visited:
			visited = o.Payment.Next.RedirectURL
			c.payAt(ctx, visited)
			if random.IntN(2) == 0 { // else the provider tells it, or the shop asks
				_ = c.insist(ctx, http.MethodPost, "/orders/"+a.order+"/resume", "", map[string]any{"query": ""}, &o)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return nil
}

// payAt presses the button of the provider's page.
func (c *customer) payAt(ctx context.Context, page string) {
	form := url.Values{"do": {"pay"}, "tool": {"WALLET"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, page, strings.NewReader(form.Encode()))
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if resp, err := client.Do(r); err == nil {
		_ = resp.Body.Close()
	}
}
