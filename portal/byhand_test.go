package portal

import (
	"path"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/manual"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
)

// Where a person extends the line the pages say so, before paying and after, and
// until when.
func TestPagesSayThatAPersonDoesIt(t *testing.T) {
	w := newTown(t)
	byHand, err := manual.New(12*time.Hour, w.env.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.server.Desk.Carriers = map[string]carrier.Carrier{"simple": byHand}
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	review := b.see("/quotes/" + quote).html
	has(t, review, "A member of our staff puts it through by hand, 12 hours after payment at the latest.")
	if strings.Contains(review, "within a minute") || strings.Contains(review, "Automatically;") {
		t.Error("the review promises what a person cannot keep")
	}
	to := b.post("/quotes/"+quote, b.confirm(quote, "wallet"))
	has(t, b.see(to).html, "With our staff", "puts your order through by hand", "by Tue 3 Mar 2026, 00:00 JST at the latest", "Please do not pay again")

	k, err := order.KeyOf(path.Base(to))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.server.Desk.Done(t.Context(), k, order.Proof{Reference: "R-1"}, order.Act{Staff: "mika", Reason: "by hand"}); err != nil {
		t.Fatal(err)
	}
	has(t, b.see(to).html, "Complete", "Your line has been extended")
}
