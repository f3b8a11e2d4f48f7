package wechatpaysim_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	sim "github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
)

// Whatever anybody does: one capture per order and of its amount, never more
// back than was taken, nothing taken after a close, money that never moves
// back by itself, and a query that agrees with the truth.
func TestTruthHoldsWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newTown(t, publicKeyMode)
		const total = 1000
		ends := []sim.RefundStatus{sim.Success, sim.Abnormal, sim.Closed}
		captured, closed, desk := map[string]bool{}, map[string]bool{}, map[string]int64{}
		for _, ref := range []string{"order1", "order2"} {
			if rapid.IntRange(0, 3).Draw(rt, "begun") > 0 {
				w.place(ref, total)
			}
			if rapid.Bool().Draw(rt, "paid") {
				_, _ = w.Pay(ref)
			}
		}
		for range rapid.IntRange(1, 16).Draw(rt, "steps") {
			ref := fmt.Sprintf("order%d", rapid.IntRange(1, 2).Draw(rt, "order"))
			number := fmt.Sprintf("%s-r%d", ref, rapid.IntRange(1, 4).Draw(rt, "refund"))
			if rapid.IntRange(0, 4).Draw(rt, "trouble") == 0 {
				w.Upset(rapid.SampledFrom(sim.Troubles).Draw(rt, "kind"))
			}
			switch rapid.SampledFrom([]string{"desk", "refund", "settle", "pay", "place", "close", "decline", "desk", "refund"}).Draw(rt, "act") {
			case "place":
				w.send(w.request("POST", "/v3/pay/transactions/native", orderOf(ref, total, "")))
			case "pay":
				_, _ = w.Pay(ref)
			case "decline":
				_, _ = w.Decline(ref)
			case "close":
				if r := w.send(w.request("POST", "/v3/pay/transactions/out-trade-no/"+ref+"/close", `{"mchid":"`+mchID+`"}`)); r.status == 204 {
					closed[ref] = true
				}
			case "refund":
				w.HoldRefunds(rapid.Bool().Draw(rt, "hold"))
				w.send(w.request("POST", refunds, refundOf(ref, number, rapid.SampledFrom([]int64{700, 400, 1, 1000, 1001}).Draw(rt, "fen"), total)))
			case "settle":
				_ = w.SettleRefund(number, rapid.SampledFrom(ends).Draw(rt, "end"))
			case "desk":
				if n := rapid.SampledFrom([]int64{700, 400, 1, 1000, 1001}).Draw(rt, "by hand"); w.RefundByHand(ref, n) == nil {
					desk[ref] += n
				}
			}
			w.pass(rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute, time.Hour, 80 * time.Hour}).Draw(rt, "pause"))
			w.holds(rt, total, captured, closed)
		}
		w.agree(rt, desk)
	})
}

func (w *town) holds(rt *rapid.T, total int64, captured, closed map[string]bool) {
	charges := map[string]int{}
	for _, c := range w.Charges() {
		charges[c.Ref]++
	}
	for _, ref := range []string{"order1", "order2"} {
		took, gave := w.Captured(ref).Minor, w.Refunded(ref).Minor
		if took != 0 && took != total || charges[ref] > 1 || (charges[ref] == 1) != (took == total) {
			rt.Fatalf("%s: captured %d in %d charges", ref, took, charges[ref])
		}
		if gave < 0 || gave > took {
			rt.Fatalf("%s: %d back of %d", ref, gave, took)
		}
		if captured[ref] && took == 0 || closed[ref] && took != 0 {
			rt.Fatalf("%s: captured %d, captured before %v, closed %v", ref, took, captured[ref], closed[ref])
		}
		captured[ref] = took != 0
	}
}

// agree compares what queries show, and what the desk gave, with the truth.
func (w *town) agree(rt *rapid.T, desk map[string]int64) {
	for _, ref := range []string{"order1", "order2"} {
		took, gave := w.Captured(ref).Minor, w.Refunded(ref).Minor
		state := w.query(ref).at("trade_state")
		if paid := state == "SUCCESS" || state == "REFUND"; paid != (took != 0) || gave > 0 && state != "REFUND" {
			rt.Fatalf("%s: %v with %d captured and %d back", ref, state, took, gave)
		}
		var said int64
		for i := 1; i <= 4; i++ {
			r := w.call("GET", fmt.Sprintf("%s/%s-r%d", refunds, ref, i), "")
			if status := r.at("status"); status == "PROCESSING" || status == "SUCCESS" {
				var n int64
				_, _ = fmt.Sscan(r.at("amount.refund").(string), &n)
				said += n
			}
		}
		if said+desk[ref] != gave {
			rt.Fatalf("%s: refunds of %d are shown and %d were given by hand, %d is the truth", ref, said, desk[ref], gave)
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	run := func() (log string) {
		w := newTown(t)
		log += w.place("order00001", 100)
		_, _ = w.Pay("order00001")
		r := w.refund("order00001", "refund1", 1, 100)
		log += r.raw + fmt.Sprint(r.header) + w.call("GET", "/v3/certificates", "").raw
		for _, n := range append(w.Notifications(), append(w.Forge(), w.Probe())...) {
			log += fmt.Sprintf("%+v", n)
		}
		return log
	}
	if first, second := run(), run(); first != second {
		t.Error("two runs of one seed differ")
	}
}
