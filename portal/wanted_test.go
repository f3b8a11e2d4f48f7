package portal

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/locale"
)

// Whoever says how long, what and where sees only what fits, each by its cheapest term
// that lasts so long, cheapest first; and is told where nothing does. What is not
// understood is not looked for.
func TestPlansAreLookedFor(t *testing.T) {
	b := newTown(t).browser(locale.En)
	all := b.see("/plans").html
	has(t, all, `name="days"`, `<option value="unlimited">Unlimited`, `<option value="rakuten">`, "from ¥1,680")
	if strings.Contains(all, "Show all") {
		t.Error("a list of everything offers to show all")
	}
	names := regexp.MustCompile(`<a href="/plans/([a-z0-9-]+)"><b>`)
	listed := func(html string) (ids []string) {
		for _, m := range names.FindAllStringSubmatch(html, -1) {
			ids = append(ids, m[1])
		}
		return ids
	}
	html := b.see("/plans?days=8&data=unlimited&network=rakuten").html
	has(t, html, `value="8"`, `<option value="unlimited" selected>`, `<option value="rakuten" selected>`, "with the cheapest term of 8 days or more",
		"<b>10 days, ¥398 a day</b>", "¥3,980", "Show all")
	if got := strings.Join(listed(html), " "); got != "tsukimi-free machi-5gb" {
		t.Errorf("8 unlimited days on Rakuten: %s", got)
	}
	if len(listed(b.see("/plans?data=volume").html)) >= len(listed(all)) {
		t.Error("every plan is of one kind")
	}
	none := b.see("/plans?days=365&data=volume").html
	if has(t, none, "0 of "); len(listed(none)) > 0 || strings.Contains(none, "come back later") {
		t.Errorf("a volume for a year: %v", listed(none))
	}
	for _, query := range []string{"days=0", "days=367", "days=x&data=y&network=z", "days=&data=&network="} {
		if got := listed(b.see("/plans?" + query).html); len(got) != len(listed(all)) {
			t.Errorf("%s: %v", query, got)
		}
	}
}
