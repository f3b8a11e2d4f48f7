package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/portal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// One traveller without a mouse, with a connection that goes away, and then
// axe-core over every page in every state: in one browser, because starting one
// costs more than all of this.
func TestPortalIsLightAndForEverybody(t *testing.T) {
	d := openDemo(t)
	b := openTab(t, d, "en", true)
	b.signIn("/")
	b.withTheKeyboard()
	b.notified()
	b.withoutConnection()
	b.forEverybody()
	d.judge(t)
}

// withTheKeyboard renews a line from the wallet without touching anything but
// keys.
func (b *tab) withTheKeyboard() {
	b.t.Helper()
	b.open("/lines/" + b.demo.lines[simplePlan].ID)
	b.focus(`main a[href$="/renew"]`)
	b.follow(chromedp.KeyEvent(kb.Enter))
	b.focus(`ul.offers button[name="item"]`)
	b.follow(chromedp.KeyEvent(kb.Enter))
	b.focus(`input[name="tool"]`)
	for range 10 { // arrows choose among ways to pay
		if eval[string](b, `document.activeElement.value`) == "wallet" && eval[bool](b, `document.activeElement.checked`) {
			break
		}
		b.do(chromedp.KeyEvent(kb.ArrowDown))
	}
	b.focus(`form[action^="/quotes/"] button:not(.plain)`)
	b.follow(chromedp.KeyEvent(kb.Enter))
	if o := b.ended(order.Completed); o.Tool != order.ToolWallet {
		b.t.Errorf("the keyboard has paid with %s", o.Tool)
	}
}

// focus goes on with the tabulator until it is on the selector, and sees that
// where it stands is always visible.
func (b *tab) focus(selector string) {
	b.t.Helper()
	for range 60 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if eval[bool](b, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			if !eval[bool](b, `(() => { const r = document.activeElement.getBoundingClientRect(); const e = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
				return e !== null && (e === document.activeElement || document.activeElement.contains(e) || e.contains(document.activeElement)) })()`) {
				b.t.Errorf("%s has the focus and is hidden", selector)
			}
			return
		}
	}
	b.t.Fatalf("the tabulator does not come to %s\n%s", selector, b.whereabouts())
}

// withoutConnection looks at a line that was seen before, tries to renew, tries to
// pay, and signs out.
func (b *tab) withoutConnection() {
	b.t.Helper()
	b.until("the worker rules", func() bool {
		return eval2[bool](b, `navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)`)
	})
	line := "/lines/" + b.demo.lines[simplePlan].ID
	b.open(line)
	b.until("the line is kept", func() bool { return eval2[bool](b, fmt.Sprintf(`caches.match(%q).then(x => x !== undefined)`, line)) })
	quote := b.chooseOffer(simplePlan)
	orders := len(b.demo.orders(b.t))

	connection := b.connection()
	connection(false)
	b.do(chromedp.Click(`input[name="tool"][value="wallet"]`, chromedp.ByQuery))
	b.lost(chromedp.Click(`main form[action^="/quotes/"] button:not(.plain)`, chromedp.ByQuery))
	if w := b.words(); !strings.Contains(w, "Nothing was sent, and nothing was charged") || len(b.demo.orders(b.t)) != orders {
		b.t.Errorf("paying without a connection says:\n%s", w)
	}
	if again := eval[string](b, `document.querySelector("main .actions a").getAttribute("href")`); again != "/quotes/"+quote {
		b.t.Errorf("trying again leads to %q", again)
	}
	b.lost(chromedp.Navigate(b.demo.url + line))
	if w := b.words(); !strings.Contains(w, "This is what we knew on") || !strings.Contains(w, b.demo.lines[simplePlan].Name) {
		b.t.Errorf("the line without a connection:\n%s", w)
	}
	b.lost(chromedp.Navigate(b.demo.url + line + "/renew"))
	if w := b.words(); !strings.Contains(w, "Nothing was sent") {
		b.t.Errorf("renewing without a connection says:\n%s", w)
	}

	connection(true)
	b.press("main .actions a")
	if !strings.HasSuffix(b.path(), "/renew") {
		b.t.Errorf("trying again leads to %s", b.path())
	}
	if kept := eval2[string](b, `caches.keys().then(async names => (await Promise.all(names.map(async n => (await (await caches.open(n)).keys()).map(r => new URL(r.url).pathname)))).flat().join(" "))`); strings.Contains(kept, "quotes") || strings.Contains(kept, "orders") || strings.Contains(kept, "renew") {
		b.t.Errorf("the device keeps %s", kept)
	}
	b.open("/account")
	b.press(`form[action="/sign-out"] button`)
	b.until("nothing is kept", func() bool { return eval2[bool](b, fmt.Sprintf(`caches.match(%q).then(x => x === undefined)`, line)) })
}

// worker is the page's service worker, to be spoken with.
func (b *tab) worker() context.Context {
	b.t.Helper()
	all, err := chromedp.Targets(b.ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(t *target.Info) bool { return t.Type == "service_worker" })
	if i < 0 {
		b.t.Fatal("there is no worker")
	}
	worker, end := chromedp.NewContext(b.ctx, chromedp.WithTargetID(all[i].TargetID))
	b.t.Cleanup(end)
	return worker
}

// connection returns what takes the network away from the page and its worker, and
// gives it back.
func (b *tab) connection() func(there bool) {
	b.t.Helper()
	worker := b.worker()
	return func(there bool) {
		cut := network.EmulateNetworkConditions(!there, 0, -1, -1)
		b.do(cut)
		if err := chromedp.Run(worker, network.Enable(), cut); err != nil {
			b.t.Fatal(err)
		}
	}
}

// lost does something that needs the network while there is none, and waits for
// the page that comes instead.
func (b *tab) lost(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, clickLimit)
	defer cancel()
	_, err := chromedp.RunResponse(ctx, actions...)
	if err != nil {
		b.t.Fatalf("%v\n%s", err, b.whereabouts())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = nil // that there is no network, and no icon because of it
}

// forEverybody has axe-core look over every page in every state.
func (b *tab) forEverybody() {
	b.t.Helper()
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	if err != nil {
		b.t.Fatal(err)
	}
	// The test's own script, which the page's policy would not let in.
	b.do(page.SetBypassCSP(true))
	book, err := portal.OpenStorybook(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	names := append([]string{""}, book.Names()...)
	if err := book.Close(); err != nil {
		b.t.Error(err)
	}
	b.do(chromedp.Navigate(b.demo.url+"/storybook"), chromedp.Evaluate(string(axe), nil))
	every, looked := os.Getenv("TSUZUKU_EVERY_POINT") != "", 0
	for i, name := range names {
		look := ui.Looks[1+i%2] // light and dark by turns; contrast mode has the system's own colours
		if b.axe(strings.TrimSuffix("/storybook/"+name, "/")+"?lang=en&look="+string(look), every) {
			looked++
		}
	}
	b.t.Logf("axe-core has looked over %d of %d pages; the others have nothing that was not on those", looked, len(names))
	if looked < len(names)/4 {
		b.t.Error("that is too few")
	}
}

// axe reports what axe-core finds on a page. A page whose every element stands, with
// its class and its parent, on a page before it is left out, unless every one is
// wished for. The page is put in place of the one before: to load axe-core anew takes
// longer than to run it.
func (b *tab) axe(path string, every bool) (looked bool) {
	b.t.Helper()
	found := eval2[string](b, fmt.Sprintf(`(async () => {
		const page = new DOMParser().parseFromString(await (await fetch(%q)).text(), "text/html");
		const kind = e => e.tagName + "." + (e.getAttribute("class") ?? "") + "." + (e.getAttribute("type") ?? "");
		const before = (window.kinds ??= new Set()).size;
		for (const e of page.querySelectorAll("*")) kinds.add(kind(e.parentElement ?? e) + ">" + kind(e));
		if (kinds.size === before && !%t) return "";
		document.replaceChild(document.adoptNode(page.documentElement), document.documentElement);
		%s
	})()`, path, every, runAxe))
	if found == "" {
		return false
	}
	b.violations(path, found)
	return true
}
