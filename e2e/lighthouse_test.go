package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

var lighthouse = flag.String("lighthouse", "", "the program that judges pages; empty: they are not judged")

// leastScore is what Lighthouse must say of every page, of 100.
const leastScore = 95

// Lighthouse finds our pages accessible and well made; and those that everybody may
// see, easy to find. Not in CI: it takes minutes and needs Node.js. make lighthouse.
func TestLighthouse(t *testing.T) {
	if *lighthouse == "" {
		t.Skip("judged with -lighthouse only: make lighthouse")
	}
	d := openDemo(t)
	b := openTab(t, d, "en", true)
	b.signIn("/")
	pages := append(b.mainPages(), mainPage{"shop", "/plans"}, mainPage{"plan", "/plans/" + simplePlan}, mainPage{"home", "/"}, mainPage{"sign-in", "/sign-in"})
	headers := filepath.Join(t.TempDir(), "headers.json")
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		cookies, err := network.GetCookies().WithURLs([]string{d.url}).Do(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(cookies, func(c *network.Cookie) bool { return c.Name == "session" })
		// "live" is what a browser with scripts has after the first order's page.
		text, err := json.Marshal(map[string]string{"Cookie": "session=" + cookies[i].Value + "; live=1"})
		if err != nil {
			return err
		}
		return os.WriteFile(headers, text, 0o600)
	}))
	public := []string{"shop", "plan", "home", "sign-in"}
	rows := []string{fmt.Sprintf("%-8s  accessibility  best practices  SEO", "page")}
	for _, p := range pages {
		everybody := slices.Contains(public, p.name)
		args := []string{d.url + p.path, "--output=json", "--quiet", "--chrome-flags=--headless=new --no-sandbox", "--only-categories=accessibility,best-practices,seo"}
		if !everybody {
			args = append(args, "--extra-headers="+headers)
		}
		rows = append(rows, p.judge(t, args, everybody))
	}
	fmt.Println(strings.Join(rows, "\n"))
}

// judge has Lighthouse look at a page, and gives a row of the table. How easily it is
// found matters where everybody may see it.
func (p mainPage) judge(t *testing.T, args []string, everybody bool) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), *lighthouse, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	var report struct {
		FinalDisplayedURL string
		Categories        map[string]struct {
			Score     float64
			AuditRefs []struct {
				ID     string
				Weight float64
			}
		}
		Audits map[string]struct {
			Title string
			Score *float64
		}
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	if !strings.HasSuffix(report.FinalDisplayedURL, p.path) {
		t.Errorf("%s is not what was looked at, but %s", p.path, report.FinalDisplayedURL)
	}
	row := fmt.Sprintf("%-8s", p.name)
	for _, name := range []string{"accessibility", "best-practices", "seo"} {
		c := report.Categories[name]
		if name == "seo" && !everybody {
			row += "    -"
			continue
		}
		score := int(c.Score*100 + 0.5)
		row += fmt.Sprintf("  %13d", score)
		for _, ref := range c.AuditRefs {
			if a := report.Audits[ref.ID]; ref.Weight > 0 && a.Score != nil && *a.Score < 1 {
				t.Logf("%s, %s: %s", p.name, name, a.Title)
			}
		}
		if score < leastScore {
			t.Errorf("%s: %s is %d, want at least %d", p.name, name, score, leastScore)
		}
	}
	return row
}
