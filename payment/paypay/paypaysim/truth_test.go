package paypaysim

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever is called in whatever order: at most what was asked is captured,
// once; no more is returned than was captured, by
// each refund once; what the API shows without lag
// is the truth; and FAILED and absence hold no money.
func TestTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTown(func(c *Config) { c.MaxRefunds = 4 })
		codes := map[string]string{}
		ids := map[string]string{} // paymentId of a reference; it never changes
		ref := rapid.SampledFrom([]string{"ref1", "ref2", "ref3"})
		trouble := rapid.SampledFrom([]Trouble{NoTrouble, RateLimited, Maintenance, Broken, BrokenAfter})
		pause := rapid.SampledFrom([]time.Duration{time.Second, cancelTakes, refundTakes, throttle, 5 * time.Minute, 2 * time.Hour, 24 * time.Hour})
		t.Repeat(map[string]func(*rapid.T){
			"create": func(t *rapid.T) {
				r := ref.Draw(t, "ref")
				if a := w.call("POST", "/v2/codes", codeBody(r, rapid.SampledFrom([]int{0, 1980, 1981}).Draw(t, "yen"))); a.status == 201 {
					codes[r] = a.at("data.codeId")
				}
			},
			"delete":  func(t *rapid.T) { w.call("DELETE", "/v2/codes/"+codes[ref.Draw(t, "ref")], "") },
			"cancel":  func(t *rapid.T) { w.call("DELETE", "/v2/payments/"+ref.Draw(t, "ref"), "") },
			"pay":     func(t *rapid.T) { _, _ = w.Pay(ref.Draw(t, "ref")) },
			"decline": func(t *rapid.T) { _, _ = w.Decline(ref.Draw(t, "ref")) },
			"pend":    func(t *rapid.T) { w.PendNext(1) },
			"settle":  func(t *rapid.T) { _ = w.Settle(ref.Draw(t, "ref"), rapid.Bool().Draw(t, "paid")) },
			"by hand": func(t *rapid.T) { _ = w.RefundByHand(ref.Draw(t, "ref"), rapid.Int64Range(-1, 2000).Draw(t, "yen")) },
			"buy": func(t *rapid.T) {
				r := ref.Draw(t, "ref")
				codes[r] = w.call("POST", "/v2/codes", codeBody(r, 1980)).at("data.codeId")
				_, _ = w.Pay(r)
			},
			"refund": func(t *rapid.T) {
				if rapid.Bool().Draw(t, "patient") {
					w.pass(throttle)
				}
				id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
				w.call("POST", "/v2/refunds", refundBody(id, ids[ref.Draw(t, "ref")], rapid.SampledFrom([]int{1, 500, 1480, 1981}).Draw(t, "yen")))
			},
			"trouble": func(t *rapid.T) { w.Upset(trouble.Draw(t, "trouble")) },
			"hold":    func(t *rapid.T) { w.HoldRefunds(rapid.Bool().Draw(t, "hold")) },
			"wait":    func(t *rapid.T) { w.pass(pause.Draw(t, "pause")) },
			"": func(t *rapid.T) {
				for _, r := range []string{"ref1", "ref2", "ref3"} {
					w.holdsTrue(t, r, ids)
				}
			},
		})
	})
}

func (w *town) holdsTrue(t *rapid.T, ref string, ids map[string]string) {
	captured, back := w.Captured(ref).Minor, w.Refunded(ref).Minor
	a := w.get(ref)
	status := a.at("data.status")
	if back < 0 || back > captured {
		t.Fatalf("%s: %d of %d refunded", ref, back, captured)
	}
	if holds := status == completed || status == refunded; holds != (captured > 0) {
		t.Fatalf("%s is %s, and %d are captured", ref, status, captured)
	}
	if captured > 0 && a.at("data.amount.amount") != fmt.Sprint(captured) {
		t.Fatalf("%s: captured %d, told %s", ref, captured, a.raw)
	}
	var told int64
	seen := map[string]bool{}
	for i := 0; a.at(fmt.Sprintf("data.refunds.data.%d.status", i)) != "absent"; i++ {
		var n int64
		_, _ = fmt.Sscan(a.at(fmt.Sprintf("data.refunds.data.%d.amount.amount", i)), &n)
		told += n
		id := a.at(fmt.Sprintf("data.refunds.data.%d.merchantRefundId", i))
		if seen[id] {
			t.Fatalf("%s: refund %s is made twice: %s", ref, id, a.raw)
		}
		seen[id] = true
	}
	if told != back {
		t.Fatalf("%s: refunded %d, told %d", ref, back, told)
	}
	if id := a.at("data.paymentId"); id != "absent" && id != "<nil>" {
		if ids[ref] != "" && ids[ref] != id {
			t.Fatalf("%s is paid twice: %s, %s", ref, ids[ref], id)
		}
		ids[ref] = id
	}
	for other, id := range ids {
		if other != ref && id == ids[ref] {
			t.Fatalf("%s and %s share a paymentId", ref, other)
		}
	}
	charges := 0
	for _, c := range w.Charges() {
		if c.Ref == ref {
			charges++
			if c.Captured.Minor != captured || c.Refunded.Minor != back {
				t.Fatalf("%s: charge %+v, but %d captured and %d refunded", ref, c, captured, back)
			}
		}
	}
	if charges > 1 {
		t.Fatalf("%s: %d charges", ref, charges)
	}
}

// Many at once: one code, one payment, one refund.
func TestManyAtOnce(t *testing.T) {
	w := newTown()
	atOnce := func(f func(int)) {
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() { f(i) })
		}
		all.Wait()
	}
	codes := make([]string, 8)
	atOnce(func(i int) { codes[i] = w.call("POST", "/v2/codes", codeBody("ref1", 1980)).at("data.codeId") })
	for _, c := range codes {
		if c != codes[0] || c == "" {
			t.Fatalf("one reference has the codes %v", codes)
		}
	}
	atOnce(func(int) { _, _ = w.Pay("ref1"); w.Notifications(); w.Forge() })
	id := w.get("ref1").at("data.paymentId")
	atOnce(func(int) { w.call("POST", "/v2/refunds", refundBody("r1", id, 500)) })
	w.wantMoney(t, "ref1", 1980, 500)
	if n := len(w.Charges()); n != 1 {
		t.Errorf("%d charges", n)
	}
}
