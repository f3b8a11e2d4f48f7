package portal

import (
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// The page says what the house sees, and that it sees nothing where nothing was
// asked; it counts once a minute.
func TestStatusSaysWhatIsSeen(t *testing.T) {
	w := newTown(t)
	heard := &outbound.Heard{Now: w.env.Clock.Now}
	w.server.Heard = heard
	b := w.browser(locale.En)
	has(t, b.see("/status").html, "We see no problems", "so we do not know", "Kazemachi", "Card")

	for i := range 10 {
		heard.Note("bank", i%2 == 0)
	}
	has(t, b.see("/status").html, "We see no problems") // still what was counted before
	w.env.Clock.Add(statusLife)
	has(t, b.see("/status").html, "There are problems", "Not responding", "5 of 10 requests in the last 15 minutes")
	w.env.Clock.Add(outbound.Lately)
	has(t, b.see("/status").html, "We see no problems", "It last answered at")

	w.operator.Choose = func(carrier.Extension) carriersim.Fault { return carriersim.LoseRequest }
	owner := w.browser(locale.En).signIn("aiko@example.com")
	quote := owner.quote("fresh", "term/machi-5gb/10d")
	owner.post("/quotes/"+quote, owner.confirm(quote, "wallet"))
	w.env.Clock.Add(3 * time.Minute)
	page := b.see("/status").html
	has(t, page, "There are problems", "Delays", "1 order waits for its answer")
	for _, private := range []string{"Aiko", "ord_", "4711"} {
		if strings.Contains(page, private) {
			t.Errorf("the page shows %s", private)
		}
	}
	w.env.Clock.Add(48 * time.Hour)
	for range 20 {
		if _, err := w.server.Desk.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.env.Clock.Add(10 * time.Minute)
	}
	if p := b.see("/status").html; strings.Contains(p, "order waits") && w.orders()[0].State.Final() {
		t.Error("an order that is over still waits")
	}
}

// What to try depends on the line.
func TestSlowHelpDependsOnTheLine(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	for key, says := range map[string][]string{
		"fresh":     {"airplane mode", "access point (APN)", "Kazemachi"},
		"throttled": {"Full speed returns on", "/renew"},
		"grace":     {"time is over", "/renew"},
		"new":       {"has not been used yet", "data roaming"},
		"dead":      {"no longer"},
	} {
		html := b.see("/lines/" + w.lines[key]).html
		_, html, ok := strings.Cut(html, `id="slow"`)
		if !ok {
			t.Fatalf("%s: no help", key)
		}
		html, _, _ = strings.Cut(html, "</details>")
		has(t, html, append(says, "/cases/new?line="+w.lines[key]+"&amp;topic=slow")...)
		if key == "throttled" && strings.Contains(html, "airplane") {
			t.Error("airplane mode lifts no cap")
		}
	}
}
