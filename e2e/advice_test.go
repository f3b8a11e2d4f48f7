package e2e

import (
	"context"
	"html"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Every line of the demo that runs says how long it lasts, draws its days, and
// says what to renew with and why; and the travellers are not told the same.
func TestDemoLinesAreAdvised(t *testing.T) {
	d := openDemo(t)
	w := newWalker(t, d.url)
	w.signIn()
	verdict := regexp.MustCompile(`<section class="card">\s*<h2>([^<]+)</h2>\s*<p>([^<]+)</p>`)
	said := map[string]string{}
	for plan, l := range d.lines {
		page := w.get("/lines/" + l.ID)
		renewable := strings.Contains(page, "/lines/"+l.ID+"/renew")
		if running := strings.Contains(page, "When do you leave?") || strings.Contains(page, "You leave on"); running != strings.Contains(page, `class="chart"`) {
			t.Errorf("%s: a running line without its days", plan)
		}
		if !renewable {
			continue
		}
		var found []string
		if !eventuallyTrue(func() bool {
			found = verdict.FindStringSubmatch(w.get("/lines/" + l.ID + "/renew"))
			return found != nil
		}) {
			t.Errorf("%s: nothing is advised, or not why", plan)
			continue
		}
		t.Logf("%s (%s): %s. %s", plan, l.Name, found[1], html.UnescapeString(found[2]))
		if before, same := said[found[2]]; same {
			t.Errorf("%s and %s are told the same", plan, before)
		}
		said[found[2]] = plan
	}
	if len(said) < 6 {
		t.Errorf("only %d travellers are advised", len(said))
	}
}

// The demo's travellers are advised otherwise and for another reason each,
// whatever time it is when the demo begins.
func TestDemoTravellersDiffer(t *testing.T) {
	want := map[string]struct {
		action  advice.Action
		buys    string          // the term's or pack's key; "" any
		reasons []advice.Reason // among others
	}{
		"machi-10gb":       {advice.Buy, "10gb-15d", []advice.Reason{advice.DoBuy, advice.Used}},               // heavy, runs out tonight; another one should do for the seven days to come
		"aurora-sum":       {advice.Enough, "", []advice.Reason{advice.DoNothing}},                             // light, what there is lasts
		"kaigan-2gb":       {advice.Wait, "", []advice.Reason{advice.DoReset}},                                 // today's full speed is gone
		"machi-5gb":        {advice.Buy, "", []advice.Reason{advice.SecondBest}},                               // two are as good
		"sorami-side":      {advice.Buy, "", []advice.Reason{advice.Worry}},                                    // a little is best, and never to run out has a price
		"koyomi-3gb":       {advice.Buy, "30d", []advice.Reason{advice.Saves}},                                 // the long term instead of three short ones
		"ichiba-speed":     {advice.Buy, "5d", []advice.Reason{advice.NeedGuess, advice.Then, advice.TellEnd}}, // a first step while the end is open
		"kaigan-500":       {advice.Wait, "", []advice.Reason{advice.DoCovered}},                               // paid up until they have left
		"hinode-visitor-5": {advice.Wait, "", []advice.Reason{advice.Little, advice.NeedGuess}},                // nothing is known yet
		"shirakaba-steady": {advice.Wait, "", []advice.Reason{advice.DoPause}},                                 // gone quiet
	}
	for _, hour := range []int{0, 4, 8, 12, 16, 20} {
		env := dbtest.SQLite(t)
		env.Clock.Add(time.Duration(hour) * time.Hour)
		_, lines := newTown(t, env.Clock).settle(t, env.DB)
		for plan, tt := range want {
			a := adviceOn(t, env.DB, lines[plan])
			buys := ""
			if item, ok := a.Item(&a.Best); ok && tt.buys != "" {
				buys = item.ID
			}
			w := advice.Words{Language: locale.En, Currency: "JPY", GB: 1e9, Name: func(i int) string { return a.Items[i].ID }}
			if a.Best.Action != tt.action || buys != tt.buys {
				t.Errorf("%d o'clock: %s: %s %s, want %s %s: %s %v", hour, plan, a.Best.Action, buys, tt.action, tt.buys, a.Sentence(w), a.Notes(w))
			}
			for _, r := range tt.reasons {
				if !slices.Contains(a.Reasons.All(), r) {
					t.Errorf("%d o'clock: %s: not %s but %v: %s %v", hour, plan, r, a.Reasons.All(), a.Sentence(w), a.Notes(w))
				}
			}
		}
	}
}

// Whoever has hardly anything left and seven days to go is told to buy, at every half
// hour at which the demo may begin: the page of that line and the chat show it.
func TestAlmostUsedUpIsToldToBuy(t *testing.T) {
	for half := range 48 {
		env := dbtest.SQLite(t)
		env.Clock.Add(time.Duration(half) * 30 * time.Minute)
		_, lines := newTown(t, env.Clock).settle(t, env.DB)
		if a := adviceOn(t, env.DB, lines["machi-10gb"]); a.Best.Action != advice.Buy {
			t.Errorf("at %s: %s", env.Clock.Now().Format("15:04"), a.Best.Action)
		}
	}
}

// adviceOn is what a line's customer is advised, with tables made for it.
func adviceOn(t *testing.T, d *db.DB, l line.Line) advice.Answer {
	t.Helper()
	adviser := &advice.Adviser{DB: d, Shelf: &catalogue.Shelf{}, Log: slog.New(slog.DiscardHandler)}
	s := renewal.Situation{Line: l, Currency: "JPY"}
	f, err := db.Seen(t.Context(), d, func(ctx context.Context, tx db.Tx) (f advice.Facts, err error) {
		s.Now = tx.Now()
		if s.Catalogue, err = adviser.Shelf.Current(ctx, tx); err != nil {
			return f, err
		}
		if s.Periods, err = line.Periods(ctx, tx, l.Account, l.ID); err != nil {
			return f, err
		}
		return advice.FactsOf(ctx, tx, l.Account, l.ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := adviser.Ready(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	a, ok := adviser.Ask(t.Context(), s, f)
	if !ok {
		t.Fatalf("nothing is advised on %s", l.Plan)
	}
	return a
}
