package alipaysim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/alipay/alipaysim"
)

// TestWhateverHappensTheBooksAgree walks a town at random and checks after each
// step that nothing is taken twice, nothing is given back that was not taken,
// money does not disappear, and that the gateway says what is true.
func TestWhateverHappensTheBooksAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTown()
		refs := []string{"a", "b", "c"}
		product := map[string]string{"a": page, "b": wap, "c": code}
		given := map[string]int64{} // what answers and the desk said was given back
		was := map[string]money.Money{}
		steps := rapid.IntRange(1, 25).Draw(t, "steps")
		for range steps {
			ref := rapid.SampledFrom(refs).Draw(t, "ref")
			step(t, w, product[ref], ref, given)
			for _, ref := range refs {
				agree(t, w, ref, given[ref], was)
			}
		}
	})
}

func step(t *rapid.T, w *town, method, ref string, given map[string]int64) {
	fen := rapid.SampledFrom([]int64{1, 500, 990, 1480, 1980, 1981}).Draw(t, "fen")
	amount := fmt.Sprintf("%d.%02d", fen/100, fen%100)
	no := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "no")
	switch rapid.SampledFrom([]string{"open", "login", "pay", "pay", "refund", "refund", "hand", "close", "cancel", "pass", "years", "upset"}).Draw(t, "do") {
	case "open":
		total := rapid.SampledFrom([]string{"19.80", "19.80", "5.00"}).Draw(t, "total")
		if method == code {
			w.call(code, order(code, ref, "total_amount", total), "notify_url", "https://shop.test/notify")
		} else {
			_, _ = w.Open(w.link(method, order(method, ref, "total_amount", total)))
		}
	case "login":
		_ = w.Login(ref)
	case "pay":
		_, _ = w.Pay(ref)
	case "refund":
		b := biz{"out_trade_no": ref, "refund_amount": amount, "out_request_no": no}
		before := w.Refunded(ref).Minor
		a := w.call(refund, b)
		moved := w.Refunded(ref).Minor - before
		if moved != 0 && moved != fen || moved == 0 && a.at("fund_change") == "Y" || moved != 0 && a.at("fund_change") == "N" {
			t.Fatalf("%s: moved %d of %d", a.raw, moved, fen)
		}
		given[ref] += moved
	case "hand":
		if w.RefundByHand(ref, fen) == nil {
			given[ref] += fen
		}
	case "close":
		w.call(closing, biz{"out_trade_no": ref})
	case "cancel":
		before := w.Refunded(ref)
		w.call(cancel, biz{"out_trade_no": ref})
		if after := w.Refunded(ref); after != before {
			if after != w.Captured(ref) {
				t.Fatalf("cancel gave back %v of %v", after, w.Captured(ref))
			}
			given[ref] = after.Minor
		}
	case "pass":
		w.pass(time.Duration(rapid.IntRange(1, 200).Draw(t, "minutes")) * time.Minute)
	case "years":
		w.pass(95 * 24 * time.Hour)
	case "upset":
		w.Upset(rapid.SampledFrom(alipaysim.Troubles).Draw(t, "trouble"))
	}
}

func agree(t *rapid.T, w *town, ref string, given int64, was map[string]money.Money) {
	taken, back, status := w.Captured(ref), w.Refunded(ref), w.status(ref)
	if back.Minor != given || back.Minor > taken.Minor || back.Minor < 0 {
		t.Fatalf("%s: taken %v, given back %v, said %d", ref, taken, back, given)
	}
	if before := was[ref]; !before.IsZero() && taken != before {
		t.Fatalf("%s: taken %v, was %v", ref, taken, before)
	}
	was[ref] = taken
	charges := 0
	for _, c := range w.Charges() {
		if c.Ref == ref {
			charges++
			if c.Captured != taken || c.Refunded != back {
				t.Fatalf("%+v, want %v and %v", c, taken, back)
			}
		}
	}
	want := map[bool][]string{
		false: {"ACQ.TRADE_NOT_EXIST", "WAIT_BUYER_PAY", "TRADE_CLOSED"},
		true:  {"TRADE_SUCCESS", "TRADE_FINISHED"},
	}[!taken.IsZero()]
	if !taken.IsZero() && taken == back {
		want = []string{"TRADE_CLOSED"}
	}
	if (charges == 1) != !taken.IsZero() || charges > 1 || !strings.Contains(strings.Join(want, " "), status) {
		t.Fatalf("%s: %d charges, taken %v, given back %v, %s", ref, charges, taken, back, status)
	}
}
