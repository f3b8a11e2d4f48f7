package airalo

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Nobody is asked more often than the operator allows, each SIM by itself.
func TestBudget(t *testing.T) {
	usage := `{"data":{"status":"ACTIVE"}}`
	w := open(map[string]string{
		"GET sims/ICCID/usage": usage, "GET sims/" + strings.Replace(card, "1", "2", 1) + "/usage": usage, "GET sims/ICCID/packages": `{"data":[]}`,
	})
	look := func(p carrier.Profile, want string) {
		t.Helper()
		_, err := w.Status(t.Context(), p)
		if got := kind(t, err); got != want {
			t.Errorf("at %v: %q, want %q", w.now.Sub(noon), got, want)
		}
	}
	for range 10 {
		look(ours, "")
		w.now = w.now.Add(time.Second)
	}
	sent := w.wire.Calls()
	look(ours, "not sent")
	if w.wire.Calls() != sent {
		t.Error("the eleventh was sent")
	}
	look(carrier.Profile{ICCID: strings.Replace(card, "1", "2", 1)}, "")
	if _, err := w.history(t.Context(), card); err != nil {
		t.Errorf("the history is another limit: %v", err)
	}
	w.now = noon.Add(time.Minute - 1)
	look(ours, "not sent")
	w.now = noon.Add(time.Minute)
	look(ours, "")
	look(ours, "not sent")
}

// An operator that says for how long not to ask is believed, within reason; a
// top-up is paced by who asks for it.
func TestRetryAfter(t *testing.T) {
	for after, want := range map[string]time.Duration{"90": 90 * time.Second, "900": 15 * time.Minute, "99999999999999": 15 * time.Minute, "1000000": 15 * time.Minute, "soon": 0, "-1": 0, "": 0} {
		var b budget
		b.shut(usageRule, card, noon, http.Header{"Retry-After": {after}})
		if want > 0 && b.take(usageRule, card, noon.Add(want-1)) {
			t.Errorf("%q: asked too early", after)
		}
		if !b.take(usageRule, "other", noon) || !b.take(historyRule, card, noon) || !b.take(usageRule, card, noon.Add(want)) {
			t.Errorf("%q: not asked", after)
		}
	}
}

// What is over is forgotten, and only that.
func TestBudgetForgets(t *testing.T) {
	var b budget
	for i := range shutter {
		b.take(usageRule, string(rune('a'+i)), noon)
	}
	b.take(usageRule, "busy", noon.Add(59*time.Second))
	b.take(usageRule, "later", noon.Add(60*time.Second))
	if n := len(b.keys); n != 2 {
		t.Errorf("%d SIMs are remembered, want 2", n)
	}
}
