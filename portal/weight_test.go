package portal

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/locale"
)

// renewalMost is what a whole renewal may weigh, from the reminder's link to the
// result, with everything that a browser loads for it (promise 5).
const renewalMost = 60 << 10

// requestHeaders is what the headers of a request weigh at most: those of a
// browser on a phone, with our cookies.
const requestHeaders = 1200

// A whole renewal from the wallet, from the link to the result, by a customer
// who is signed in and whose browser has never been here.
func TestRenewalFromTheWalletIsLight(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.Ja).signIn("aiko@example.com")
	w.weigh(b, "wallet", func() {})
}

// weigh renews a line with a tool. Japanese is the heaviest language.
func (w *town) weigh(b *browser, tool string, work func()) {
	w.t.Helper()
	path := "/lines/" + w.lines["volume"] + "/renew"
	b.get("/?lang=ja")
	for _, accept := range []string{"gzip", "br"} {
		b.header.Set("Accept-Encoding", accept)
		sum := 2 * 800 // the link and its answer
		add := func(p page) page { sum += p.bytes + requestHeaders; return p }
		for _, once := range []string{statics.address("shop.js"), "/sw.js", "/offline", "/manifest.webmanifest", statics.address("icon-192.png")} {
			add(b.see(once))
		}
		add(b.see(path))
		chosen := add(b.do(http.MethodPost, path, url.Values{"item": {"term/machi-10gb/10gb-15d"}, "currency": {"JPY"}}))
		review := add(b.see(chosen.to))
		paid := add(b.do(http.MethodPost, chosen.to, b.confirmed(review.html, tool)))
		work()
		done := add(b.see(paid.to))
		has(w.t, done.html, "完了")
		if refs := foreign(review.html + done.html); len(refs) > 0 {
			w.t.Errorf("the pages lead to %v", refs)
		}
		if sum > renewalMost {
			w.t.Errorf("with %s and %s a renewal weighs %d bytes, want at most %d", tool, accept, sum, renewalMost)
		}
		w.t.Logf("with %s and %s a renewal weighs %d bytes", tool, accept, sum)
	}
}

// The scripts do what they do in so many bytes, and say nothing of the seller's
// or the customer's.
func TestScriptsAreSmall(t *testing.T) {
	sum := 0
	for name, f := range statics.files {
		if strings.HasSuffix(name, ".js") {
			sum += len(f.body[brotlied])
			if len(f.body[brotlied]) >= len(f.body[gzipped]) || len(f.body[gzipped]) >= len(f.body[plain]) {
				t.Errorf("%s: %d, %d, %d bytes", name, len(f.body[plain]), len(f.body[gzipped]), len(f.body[brotlied]))
			}
			if strings.Contains(string(f.body[plain]), "//") && !strings.Contains(string(f.body[plain]), "://") {
				t.Errorf("%s still has its comments", name)
			}
		}
	}
	if sum > 2500 {
		t.Errorf("the scripts weigh %d bytes", sum)
	}
	t.Logf("the scripts weigh %d bytes", sum)
}
