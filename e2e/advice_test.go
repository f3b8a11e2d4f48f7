package e2e

import (
	"html"
	"regexp"
	"strings"
	"testing"
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
