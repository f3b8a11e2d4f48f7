package e2e

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
)

var benchPages = flag.Bool("bench-pages", false, "measure when pages are usable on a slow line")

// The line of promise 5: 128 kbit/s with 300 ms from request to answer.
const (
	slowBytes   = 128_000 / 8
	slowLatency = 300
)

// When each page of a renewal is usable on a throttled line, in a browser that has
// never been here, for people to read: no test asserts a time. make bench-pages.
func TestUsableOnAThrottledLine(t *testing.T) {
	if !*benchPages {
		t.Skip("measured with -bench-pages only: make bench-pages")
	}
	d := openDemo(t)
	b := openTab(t, d, "en", true)
	b.signIn("/")
	pages := b.mainPages()
	rows := []string{"page      language  usable ms  bytes"}
	for _, lang := range locale.All {
		b.do(network.EmulateNetworkConditions(false, 0, -1, -1), chromedp.Navigate(d.url+"/?lang="+string(lang)))
		for _, p := range pages {
			b.do(
				network.SetCacheDisabled(true), network.SetBypassServiceWorker(true),
				network.EmulateNetworkConditions(false, slowLatency, slowBytes, slowBytes),
				chromedp.Navigate(d.url+p.path),
			)
			// Drawn, and everything in it can be used: the page needs nothing else.
			usable := eval[int](b, `Math.round(Math.max(performance.getEntriesByType("navigation")[0].domInteractive, ...performance.getEntriesByType("paint").map(p => p.startTime)))`)
			bytes := eval[int](b, `performance.getEntriesByType("navigation")[0].transferSize`)
			rows = append(rows, fmt.Sprintf("%-8s  %-8s  %9d  %5d", p.name, lang, usable, bytes))
		}
	}
	fmt.Println(strings.Join(rows, "\n"))
}

// mainPage is one of those that a renewal goes through.
type mainPage struct{ name, path string }

// mainPages makes what the main pages are about: a review, an order that waits to be
// paid, and one that is complete.
func (b *tab) mainPages() []mainPage {
	b.t.Helper()
	line := "/lines/" + b.demo.lines[simplePlan].ID
	b.chooseOffer(simplePlan)
	b.pay("card")
	waiting := "/orders/" + b.demo.orders(b.t)[0].ID
	review := b.chooseOffer(simplePlan)
	b.chooseOffer(simplePlan)
	b.pay("wallet")
	result := b.ended(order.Completed)
	return []mainPage{{"status", line}, {"renew", line + "/renew"}, {"review", "/quotes/" + review}, {"pay", waiting}, {"result", "/orders/" + result.ID}}
}
