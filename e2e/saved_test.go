package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/db"
)

// keepCard pays by card on the payment service's page, with the box ticked, after
// another card was declined.
func (b *tab) keepCard() {
	b.t.Helper()
	b.chooseOffer(accessPlan)
	if b.has(`input[name="keep"]:checked`) {
		b.t.Error("the box is ticked already")
	}
	const shown = `document.querySelector('input[name="keep"]').checkVisibility()`
	if b.has(`input[value="wallet"]:checked`) && eval[bool](b, shown) {
		b.t.Error("something is to be kept beside the wallet")
	}
	b.do(chromedp.Click(`input[name="tool"][value="card"]`, chromedp.ByQuery))
	if !eval[bool](b, shown) {
		b.t.Error("no card can be kept")
	}
	b.do(chromedp.Click(`input[name="keep"]`, chromedp.ByQuery))
	b.byCard()
	if n := b.demo.kept(b.t); n != 1 {
		b.t.Fatalf("%d cards are kept", n)
	}
}

// savedTool is the kept card as a way to pay, on the page.
func (b *tab) savedTool() string {
	b.t.Helper()
	value := eval[string](b, `document.querySelector('input[name="tool"][value^="saved:"]')?.value ?? ""`)
	if value == "" {
		b.t.Fatalf("no kept card is offered:\n%s", b.whereabouts())
	}
	return value
}

func (b *tab) allowOneTap(limit string) {
	b.t.Helper()
	b.open("/account")
	value := eval[string](b, `document.querySelector('#tap option[value^="tl_"]').value`)
	b.do(
		chromedp.Click("details:has(#tap) summary", chromedp.ByQuery),
		chromedp.SetValue("#tap", value, chromedp.ByQuery),
		chromedp.SetValue("#tap-amount", limit, chromedp.ByQuery),
		chromedp.Click(`input[name="agree"]`, chromedp.ByQuery),
	)
	b.press(`form[action="/account/one-tap"]:has(#tap) button`)
	if !b.has(`form[action="/account/one-tap"] button[name="end"]`) {
		b.t.Errorf("it does not say what is allowed:\n%s", b.words())
	}
}

// signInAgain signs in again on the way to a page.
func (b *tab) signInAgain(at string) {
	b.t.Helper()
	b.open(at)
	b.signIn(at)
}

// watch records where the browser asks for something, until it is called.
func (b *tab) watch() func() []string {
	var mu sync.Mutex
	var all []string
	ctx, stop := context.WithCancel(b.ctx)
	chromedp.ListenTarget(ctx, func(ev any) {
		if e, ok := ev.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, e.Request.URL)
		}
	})
	return func() []string {
		stop()
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// wantOurs wants every request to go to the shop. The demo's strangers have
// their pages under /sim/.
func wantOurs(t *testing.T, d *theDemo, how string, requests []string) {
	t.Helper()
	if len(requests) < 4 {
		t.Errorf("%s: only %d requests were seen", how, len(requests))
	}
	for _, url := range requests {
		if strings.HasPrefix(url, "data:") {
			continue // the browser's own pictures
		}
		path, ours := strings.CutPrefix(url, d.url)
		if !ours || strings.HasPrefix(path, "/sim/") {
			t.Errorf("%s: the browser asked for %s", how, url)
		}
	}
}

// reminderLink is a link to one of the customer's lines, as a reminder has it.
func (d *theDemo) reminderLink(t *testing.T) string {
	t.Helper()
	token, err := db.Written(t.Context(), d.App.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		return d.App.Door.MakeLink(ctx, tx, d.customer, d.lines[simplePlan].ID, tx.Now().Add(7*24*time.Hour))
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// kept counts the cards that the simulated Stripe keeps for the customer.
func (d *theDemo) kept(t *testing.T) (n int) {
	t.Helper()
	d.read(t, func(ctx context.Context, tx db.Tx) error {
		var holder string
		err := tx.QueryRow(ctx, `SELECT holder FROM saved_tools WHERE account_id = $1 LIMIT 1`, d.customer).Scan(&holder)
		if err != nil {
			return fmt.Errorf("nothing was kept: %w", err)
		}
		n = len(d.Strangers.Stripe.Saved(holder))
		return nil
	})
	return n
}
