package linepaysim_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/payment/linepay/linepaysim"
)

// Whatever is called in whatever order, with whatever going wrong: money is
// taken at most once per order, only what was asked for, only after the
// customer agreed and before time was up; no more goes back than was taken, and
// exactly what each refund that acted said; and the API tells that truth.
func TestTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newShop(t)
		m := &model{shop: w, orders: map[string]*modelOrder{}}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			m.step(t)
			m.audit(t)
		}
	})
}

type model struct {
	*shop
	orders map[string]*modelOrder
}

type modelOrder struct {
	id       string
	at       time.Time
	agreed   time.Time
	captured int64 // minor units
	refunded int64
}

func (m *model) step(t *rapid.T) {
	ref := fmt.Sprint("o", rapid.IntRange(0, 2).Draw(t, "order"))
	o := m.orders[ref]
	if o == nil {
		m.orders[ref] = &modelOrder{id: m.order(ref), at: m.now}
		return
	}
	trouble := rapid.SampledFrom(append(linepaysim.Troubles, linepaysim.NoTrouble, linepaysim.NoTrouble)).Draw(t, "trouble")
	acts := trouble == linepaysim.NoTrouble || strings.HasSuffix(string(trouble), "_after") || trouble == linepaysim.Broken
	switch rapid.SampledFrom([]string{"pay", "give up", "confirm", "confirm", "refund", "refund", "by hand", "wait"}).Draw(t, "do") {
	case "pay":
		if _, err := m.sim.Pay(ref); err == nil {
			o.agreed = m.now
		}
	case "give up":
		_, _ = m.sim.GiveUp(ref) // may be too late
	case "confirm":
		amount := rapid.SampledFrom([]int64{300, 300, 300, 30000, 3}).Draw(t, "amount")
		m.sim.Upset(trouble)
		a := m.post("/"+o.id+"/confirm", fmt.Sprintf(`{"amount":%d,"currency":"TWD"}`, amount))
		possible := amount == 300 && o.captured == 0 && !o.agreed.IsZero() && m.now.Before(o.agreed.Add(20*time.Minute))
		if possible && acts {
			o.captured = 30000
		}
		if a.Code == "0000" && !possible {
			t.Fatalf("confirm of %d took money of %+v at %v", amount, *o, m.now)
		}
	case "refund":
		amount := rapid.Int64Range(1, 301).Draw(t, "amount")
		m.sim.Upset(trouble)
		a := m.post("/"+o.id+"/refund", fmt.Sprintf(`{"refundAmount":%d}`, amount))
		possible := amount*100 <= o.captured-o.refunded
		if possible && acts {
			o.refunded += amount * 100
		}
		if a.Code == "0000" && !possible {
			t.Fatalf("refund of %d was taken for %+v", amount, *o)
		}
	case "by hand":
		minor := rapid.Int64Range(1, 40000).Draw(t, "minor")
		if m.sim.RefundByHand(ref, minor) == nil {
			o.refunded += minor
		}
	case "wait":
		m.later(time.Duration(rapid.IntRange(1, 15).Draw(t, "minutes")) * time.Minute)
	}
}

func (m *model) audit(t *rapid.T) {
	charges := 0
	for ref, o := range m.orders {
		m.took(ref, o.captured, o.refunded)
		if o.refunded > o.captured || o.refunded%100 != 0 {
			t.Fatalf("%s: %d went back of %d", ref, o.refunded, o.captured)
		}
		a := m.get("", "orderId="+ref)
		if o.captured == 0 {
			m.want("details", a, "1150")
			continue
		}
		charges++
		told := int64(0)
		for _, r := range m.want("details", a, "0000").transactions[0].RefundList {
			n, err := strconv.ParseInt(r.RefundAmount.String(), 10, 64)
			if err != nil || n >= 0 {
				t.Fatalf("refund of %s", r.RefundAmount)
			}
			told -= n * 100
		}
		if told != o.refunded {
			t.Fatalf("%s: details tell of %d, %d went back", ref, told, o.refunded)
		}
	}
	if got := len(m.sim.Charges()); got != charges {
		t.Fatalf("%d charges, want %d", got, charges)
	}
}

// Many at once: one request, one confirmation, and no more refunds than fit.
func TestSideBySide(t *testing.T) {
	w := newShop(t)
	crowd := func(make func() func() string) map[string]int {
		var mu sync.Mutex
		var all sync.WaitGroup
		codes := map[string]int{}
		for range 8 {
			call := make()
			all.Go(func() {
				code := call()
				mu.Lock()
				defer mu.Unlock()
				codes[code]++
			})
		}
		all.Wait()
		return codes
	}
	posts := func(path, body string) func() func() string {
		return func() func() string {
			r := w.signed("POST", "/v3/payments"+path, body)
			return func() string { return w.send(r).Code }
		}
	}
	if got := crowd(posts("/request", asked)); got["0000"] != 1 || got["1172"] != 7 {
		t.Errorf("requests: %v", got)
	}
	back, err := w.sim.Pay("ORDER")
	if err != nil {
		t.Fatal(err)
	}
	id := back.Get("transactionId")
	if got := crowd(posts("/"+id+"/confirm", twd300)); got["0000"] != 1 || got["1152"] != 7 {
		t.Errorf("confirmations: %v", got)
	}
	if got := crowd(posts("/"+id+"/refund", `{"refundAmount":100}`)); got["0000"] != 3 || got["1165"] != 5 {
		t.Errorf("refunds: %v", got)
	}
	w.took("ORDER", 30000, 30000)
}
