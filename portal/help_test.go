package portal

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/portal/prose"
	"github.com/tsuzuku/tsuzuku/support"
)

// Every link of help and the legal pages leads to a page that is there.
func TestLinksOfProseLead(t *testing.T) {
	w := newTown(t)
	mux := http.NewServeMux()
	for _, r := range w.server.routes() {
		mux.Handle(r.pattern, http.NotFoundHandler())
	}
	checked := 0
	for _, l := range locale.All {
		var all []prose.Page
		for _, topic := range prose.Topics {
			p, _ := prose.Help(l, topic)
			all = append(all, p)
		}
		for _, id := range prose.LegalPages {
			p, _ := prose.Legal{}.Page(l, id, prose.Facts{Name: "x", Mail: "y"})
			all = append(all, p)
		}
		for _, p := range all {
			for _, b := range p.Blocks {
				for _, item := range b.Items {
					for _, s := range item {
						if s.Link == "" {
							continue
						}
						checked++
						to, err := url.Parse(s.Link)
						if err != nil {
							t.Fatal(err)
						}
						_, pattern := mux.Handler(&http.Request{Method: "GET", URL: to, Host: "shop.example"})
						if id, ok := strings.CutPrefix(to.Path, "/legal/"); ok {
							if _, ok := (prose.Legal{}).Page(l, id, prose.Facts{}); !ok {
								pattern = ""
							}
						}
						if pattern == "" {
							t.Errorf("%s %s leads to %s", l, p.ID, s.Link)
						}
					}
				}
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d links found", checked)
	}
}

// Help is found by asking, and shows where to reach the seller as configured.
func TestHelpAndContacts(t *testing.T) {
	w := newTown(t)
	w.server.Points = support.Points{
		Mail: "care@shop.example", Phone: "+81 3-1234-5678", Hours: "9–18 JST", Chat: "https://chat.example/shop",
		Community: []support.Link{{Name: "Travellers in Japan", To: "https://group.example/japan"}},
	}
	w.server.Seller = prose.Facts{Representative: "Hanako Yamada"}
	b := w.browser(locale.En)
	has(t, b.see("/help").html, "Renewing a line", "care@shop.example", `href="tel:&#43;81312345678"`, "9–18 JST", "https://chat.example/shop", "Travellers in Japan", "/cases/new")
	found := b.see("/help?q=" + url.QueryEscape("<b>refund</b> how long")).html
	has(t, found, "/help/refund", "&lt;b&gt;refund&lt;/b&gt;")
	has(t, b.see("/help/refund").html, "Where it goes", "/cases/new?topic=refund", "care@shop.example")
	for _, path := range []string{"/help/none", "/legal/none", "/help/..%2flegal"} {
		if p := b.get(path); p.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.status)
		}
	}
	seller := b.see("/legal/commerce").html
	has(t, seller, "Hanako Yamada", "https://shop.example")
	if strings.Contains(seller, "Phone hours") {
		t.Error("a row without a value is shown")
	}
	owner := w.browser(locale.En).signIn("aiko@example.com")
	has(t, owner.see("/quotes/"+owner.quote("fresh", "term/machi-5gb/10d")).html, "/legal/terms", "/legal/refunds", "/legal/commerce", "/legal/privacy")
}
