package antomsim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/payment/antom/antomsim"
)

// TestWhateverHappensTheBooksAgree walks a town at random and checks after each
// step that nothing is taken twice, no more is given back than was taken, final
// states stay, and that the API says what is true.
func TestWhateverHappensTheBooksAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTown()
		refs, was := []string{"a", "b"}, map[string]string{}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			step(t, w, rapid.SampledFrom(refs).Draw(t, "ref"))
			for _, ref := range refs {
				agree(t, w, ref, was)
			}
		}
	})
}

func step(t *rapid.T, w *town, ref string) {
	value := rapid.SampledFrom([]int64{1, 500, 990, 1480, 1980, 1981}).Draw(t, "value")
	do := []string{"pay", "pay", "approve", "approve", "later", "settle", "decline", "anyway", "refund", "refund", "finish", "hand", "cancel", "minutes", "day", "year", "upset", "dispute", "judge"}
	switch rapid.SampledFrom(do).Draw(t, "do") {
	case "pay":
		amount := rapid.SampledFrom([]string{"1980", "1980", "500"}).Draw(t, "amount")
		w.call("pay", priced(ref, "ALIPAY_CN", "CNY", amount))
	case "approve":
		_, _ = w.Pay(ref)
	case "later":
		_, _ = w.PayLater(ref)
	case "settle":
		_ = w.Settle(ref, rapid.Bool().Draw(t, "paid"))
	case "decline":
		_, _ = w.Decline(ref)
	case "anyway":
		_ = w.PayAnyway(ref)
	case "refund":
		id := w.call("inquiryPayment", body{"paymentRequestId": ref}).at("paymentId")
		request := ref + rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "request")
		before := w.Refunded(ref).Minor
		a := w.refund(id, request, fmt.Sprint(value))
		moved := w.Refunded(ref).Minor - before
		if moved != 0 && moved != value || moved != 0 && a.at("result.resultStatus") == "F" {
			t.Fatalf("%s: moved %d of %d", a.raw, moved, value)
		}
	case "finish":
		_ = w.FinishRefund(ref+"1", rapid.Bool().Draw(t, "done"))
	case "hand":
		_ = w.RefundByHand(ref, value)
	case "cancel":
		before := w.Refunded(ref)
		if a := w.call("cancel", body{"paymentRequestId": ref}); a.said() == "S SUCCESS" && !before.IsZero() {
			t.Fatalf("%s after a refund of %v", a.raw, before)
		}
	case "minutes":
		w.pass(time.Duration(rapid.IntRange(1, 20).Draw(t, "n")) * time.Minute)
	case "day":
		w.pass(24 * time.Hour)
	case "year":
		w.pass(366 * 24 * time.Hour)
	case "upset":
		w.Upset(rapid.SampledFrom(antomsim.Troubles).Draw(t, "trouble"))
	case "dispute":
		_ = w.Dispute(ref)
	case "judge":
		_ = w.JudgeDispute(ref, rapid.Bool().Draw(t, "lost"))
	}
}

func agree(t *rapid.T, w *town, ref string, was map[string]string) {
	taken, back, status := w.Captured(ref), w.Refunded(ref), w.status(ref)
	if back.Minor > taken.Minor || back.Minor < 0 || w.Disputed(ref).Minor > taken.Minor {
		t.Fatalf("%s: taken %v, given back %v, disputed %v", ref, taken, back, w.Disputed(ref))
	}
	now, _, _ := strings.Cut(status, " ")
	if (now == "SUCCESS") != !taken.IsZero() {
		t.Fatalf("%s: %s, and taken %v", ref, status, taken)
	}
	final := map[string][]string{"SUCCESS": {"SUCCESS", "CANCELLED"}, "FAIL": {"FAIL"}, "CANCELLED": {"CANCELLED"}}
	if may, ok := final[was[ref]]; ok && !slices.Contains(may, now) {
		t.Fatalf("%s: %s, was %s", ref, now, was[ref])
	}
	was[ref] = now
	charges := 0
	for _, c := range w.Charges() {
		if c.Ref == ref {
			charges++
			if c.Captured != taken || c.Refunded != back {
				t.Fatalf("%+v, want %v and %v", c, taken, back)
			}
		}
	}
	if charges > 1 || charges == 0 && !taken.IsZero() {
		t.Fatalf("%s: %d charges of %v", ref, charges, taken)
	}
}
