package linepay

import (
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

func asking(ref string, minor int64) payment.Refund {
	return payment.Refund{Ref: ref, Amount: money.Of(minor, "TWD")}
}

// The notebook has an end, and what falls out of it is treated as unknown.
func TestNotebookForgetsTheOldest(t *testing.T) {
	var n notebook
	s := sale{id: "1", amount: money.Of(1000_00, "TWD")}
	for i := range maxPages + 1 {
		ref := string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		if !n.begin(ref, s, 100, noon) {
			t.Fatalf("refund %d may not begin", i)
		}
		n.end(ref, "", false, true)
	}
	if len(n.pages) != maxPages || len(n.age) != maxPages || n.knows("a") || !n.knows("b") {
		t.Errorf("%d pages, %d in order; the oldest is known: %t", len(n.pages), len(n.age), n.knows("a"))
	}
	s.refunds = []given{{id: "5", amount: money.Of(100, "TWD")}}
	if _, what := n.find(asking("a", 100), s); what != possible {
		t.Errorf("a forgotten refund is found as %v, want possible", what)
	}
}

// A refund is not begun twice at once, nor before the first call has settled,
// nor ever once its identifier is known.
func TestWhenARefundMayBegin(t *testing.T) {
	var n notebook
	s := sale{id: "1", amount: money.Of(1000_00, "TWD")}
	late := noon.Add(time.Hour)
	begins := func(what string, now time.Time, want bool) {
		t.Helper()
		if got := n.begin("a", s, 100, now); got != want {
			t.Errorf("%s may begin: %t, want %t", what, got, want)
		}
	}
	begins("a new one", noon, true)
	begins("one under way", late, false)
	n.end("a", "", false, true)
	begins("one unsettled", noon.Add(settles-time.Second), false)
	begins("one that never showed", noon.Add(settles), true)
	n.end("a", "5", false, false)
	begins("one that was made", late, false)
}

// A refund that was added while another of its amount is being asked for may be
// either.
func TestNothingIsClaimedWhileAnotherIsUnderWay(t *testing.T) {
	var n notebook
	s := sale{id: "1", amount: money.Of(1000_00, "TWD")}
	n.begin("lost", s, 100, noon)
	n.end("lost", "", false, true)
	n.begin("asking", s, 100, noon)
	s.refunds = []given{{id: "5", amount: money.Of(100, "TWD")}}
	if _, what := n.find(asking("lost", 100), s); what != busy {
		t.Errorf("meanwhile it is found as %v, want busy", what)
	}
	n.end("asking", "5", false, true)
	if _, what := n.find(asking("lost", 100), s); what != absent {
		t.Errorf("afterwards it is found as %v, want absent", what)
	}
	s.refunds = append(s.refunds, given{id: "6", amount: money.Of(100, "TWD")})
	if id, what := n.find(asking("lost", 100), s); what != present || id != "6" {
		t.Errorf("in the end it is found as %v %q, want 6", what, id)
	}
}
