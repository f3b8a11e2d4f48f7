package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
	"github.com/tsuzuku/tsuzuku/world"
)

var everyJourney = flag.Bool("every-journey", false, "every journey in every language, size, with and without scripts")

// journey is what one traveller does in one sitting, with lines of these plans.
type journey struct {
	name  string
	plans []string
	live  func(*tab)
}

// journeys are all that somebody comes for, and what comes between.
var journeys = []journey{
	{"buys and activates", nil, (*tab).buysAndActivates},
	{"renews from the wallet", []string{simplePlan}, (*tab).renewsFromTheWallet},
	{"renews by card", []string{simplePlan, accessPlan}, (*tab).renewsByCard},
	{"renews with every tool", []string{simplePlan}, (*tab).renewsWithEveryTool},
	{"comes late", []string{simplePlan, gracePlan, deadPlan, fixedPlan}, (*tab).comesLate},
	{"is in a hurry", []string{simplePlan}, (*tab).isInAHurry},
	{"comes by another door", []string{simplePlan, accessPlan}, (*tab).comesByAnotherDoor},
	{"has a passkey", []string{simplePlan}, (*tab).hasAPasskey},
}

// Lines of the demo in states that simplePlan's is not in.
const (
	gracePlan = "shirakaba-steady" // has ended, and can still be renewed
	deadPlan  = "sumire-voice"     // has ended, and cannot
	fixedPlan = "tsumugi-light"    // runs, and is never renewed
)

// The factors of a journey, and their values.
var (
	languages = locale.All
	sizes     = [][2]int64{phone, desktop}
	scripts   = []bool{true, false}
)

// factors are how many values each factor has: which journey, language, size, scripts.
var factors = []int{len(journeys), len(languages), len(sizes), len(scripts)}

// possible says which journeys can be made: passkeys need scripts.
func possible(row []int) bool {
	return scripts[row[3]] || journeys[row[0]].name != "has a passkey"
}

const (
	journeySeed  = 20261129
	mostJourneys = 40 // in CI
)

// What CI runs has every pair that can be: every journey in every language, in both
// sizes, with and without scripts.
func TestJourneysArePairwise(t *testing.T) {
	rows, all := pairwise(journeySeed, factors, possible), product(factors, possible)
	wantPairs(t, factors, possible, rows)
	if len(rows) > mostJourneys {
		t.Errorf("%d journeys, want at most %d", len(rows), mostJourneys)
	}
	if want := len(languages) * len(sizes) * (len(journeys)*len(scripts) - 1); len(all) != want {
		t.Errorf("%d journeys in all, want %d", len(all), want)
	}
}

// Travellers do what they come for, in one browser and one shop, each with an account
// of their own, in their language, on a phone and on a desktop, with and without
// scripts. Every page is looked over ([tab.inspect]); at the end of each journey the
// auditor finds nothing, and the strangers' books agree with the orders.
func TestJourneys(t *testing.T) {
	rows := pairwise(journeySeed, factors, possible)
	if *everyJourney {
		rows = product(factors, possible)
	} else if os.Getenv("TSUZUKU_EVERY_POINT") == "" {
		rows = slices.DeleteFunc(rows, func(row []int) bool { return (row[0]+row[1])%3 != 0 }) // each journey in one or two languages
	}
	t.Logf("%d journeys of %d", len(rows), len(product(factors, possible)))
	d := openDemoWith(t, app.DemoOptions{URL: named})
	browser := chromium(t)
	all := newSurvey(t)
	var guests []*theDemo
	for n, row := range rows {
		j := journeys[row[0]]
		v := visitor{string(languages[row[1]]), sizes[row[2]], scripts[row[3]]}
		t.Run(v.name()+"/"+j.name, func(t *testing.T) {
			own := d.receive(t, world.Guest{Email: fmt.Sprintf("guest%d@example.com", n+1), Language: languages[row[1]], Number: n + 1, Plans: j.plans})
			guests = append(guests, own)
			ctx, memory := person(t, browser)
			b := newTab(t, ctx, own, v)
			b.memory = memory
			if b.survey = all; *everyJourney {
				b.survey = newSurvey(t) // whatever this journey meets for the first time
			}
			b.comeIn()
			j.live(b)
			own.judge(t)
			if *everyJourney {
				all.looked += b.survey.looked
			}
		})
	}
	if len(guests) == 0 {
		return // some were chosen by -run, and these are not among what was chosen here
	}
	compareCharges(t, guests...)
	t.Logf("axe-core has looked over %d pages; the others have nothing that was not on those", all.looked)
	if len(guests) == len(rows) && !*everyJourney && all.looked < len(journeys) {
		t.Error("that is too few")
	}
}

func (v visitor) name() string {
	size, with := "desktop", "without scripts"
	if v.size == phone {
		size = "phone"
	}
	if v.scripts {
		with = "with scripts"
	}
	return strings.Join([]string{v.lang, size, with}, ", ")
}

// receive brings a guest to the demo, who comes from a network of their own: limits
// against guessing are for each.
func (d *theDemo) receive(t *testing.T, g world.Guest) *theDemo {
	t.Helper()
	if err := d.Strangers.Receive(t.Context(), d.App.DB, d.App.IDs, catalogue.Demo(), g); err != nil {
		t.Fatal(err)
	}
	d.house.Store(int64(g.Number))
	return d.as(t, g.Email)
}

// client is the network address of the house that visitors live in; "": this machine.
func (d *theDemo) client() string {
	n := d.house.Load()
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("2001:db8:0:%x::1", n) // RFC 3849
}

// person is a browser without any memory, in the same process, with a first tab.
func person(t *testing.T, browser context.Context) (ctx context.Context, memory cdp.BrowserContextID) {
	t.Helper()
	executor := cdp.WithExecutor(browser, chromedp.FromContext(browser).Browser)
	memory, err := target.CreateBrowserContext().Do(executor)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := target.DisposeBrowserContext(memory).Do(executor); err != nil {
			t.Error(err)
		}
	})
	return openTarget(t, browser, target.CreateTarget("about:blank").WithBrowserContextID(memory).WithNewWindow(true)), memory
}

func openTarget(t *testing.T, browser context.Context, p *target.CreateTargetParams) context.Context {
	t.Helper()
	id, err := p.Do(cdp.WithExecutor(browser, chromedp.FromContext(browser).Browser))
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := chromedp.NewContext(browser, chromedp.WithTargetID(id))
	t.Cleanup(end)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// another is one more tab of the same browser.
func (b *tab) another() *tab {
	b.t.Helper()
	ctx := openTarget(b.t, b.ctx, target.CreateTarget("about:blank").WithBrowserContextID(b.memory))
	other := newTab(b.t, ctx, b.demo, b.visitor)
	other.survey, other.memory = b.survey, b.memory
	return other
}

// comeIn begins at home, in the traveller's language, and has a session from before.
func (b *tab) comeIn() {
	b.t.Helper()
	b.open("/?lang=" + b.lang)
	sent := len(b.demo.codes())
	door := b.demo.App.Door
	challenge, err := door.AskCode(b.t.Context(), b.demo.email, b.lang, account.Browser{Client: b.demo.client()})
	if err != nil {
		b.t.Fatal(err)
	}
	token, _, err := door.EnterCode(b.t.Context(), challenge, b.codeAfter(sent), account.Browser{Agent: "Chromium", Client: b.demo.client()})
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(network.SetCookie("session", token).WithURL(b.demo.url).WithHTTPOnly(true))
}

// text is one of the pages' texts, in the traveller's language.
func (b *tab) text(key string) string { return ui.Texts().Say(locale.Language(b.lang), key, nil) }

// nth is another number for each language, for what they share among themselves.
func (b *tab) nth() int {
	for i, l := range languages {
		if string(l) == b.lang {
			return i
		}
	}
	panic("e2e: no language " + b.lang)
}
