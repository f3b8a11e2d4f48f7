package paypalsim_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

// Whatever the merchant, the customer and the desk do: one capture per invoice
// at most takes money, exactly the amount asked; no more goes back than was
// taken; and once the merchant looks, the API says the same as the truth.
func TestTheMoneyIsAlwaysRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTown(func(c *paypalsim.Config) {
			c.DeclinedStaysApproved = rapid.Bool().Draw(t, "stays approved")
			c.VaultedWaits = rapid.Bool().Draw(t, "saved wallets wait")
		})
		ids := map[string][]string{}
		refs := []string{"a", "b"}
		n := 0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			n++
			ref := rapid.SampledFrom(refs).Draw(t, "ref")
			key := fmt.Sprint("k", rapid.IntRange(0, 5).Draw(t, "key"))
			if rapid.Bool().Draw(t, "fresh key") {
				key = fmt.Sprint("fresh", n)
			}
			if rapid.IntRange(0, 7).Draw(t, "upset") == 0 {
				w.sim.Upset(rapid.SampledFrom(paypalsim.Troubles).Draw(t, "trouble"))
			}
			w.login()
			step(t, w, ids, ref, key)
			w.login() // the step may have lost the token
			for _, ref := range refs {
				rightMoney(t, w, ref, ids[ref])
			}
		}
	})
}

func step(t *rapid.T, w *town, ids map[string][]string, ref, key string) {
	some := func(all []string) string {
		if len(all) == 0 {
			return "NONE"
		}
		return rapid.SampledFrom(all).Draw(t, "which")
	}
	switch rapid.IntRange(0, 11).Draw(t, "step") {
	case 0, 1:
		bodies := []string{orderBody(ref, "1980", "JPY"), saving(ref, "account-1")}
		for _, saved := range w.sim.Saved("account-1") {
			bodies = append(bodies, strings.Replace(paying(ref, saved.ID, "CUSTOMER"), "700", "1980", 1))
		}
		w.sim.AskNext(rapid.IntRange(0, 1).Draw(t, "ask"))
		if id := w.post(orderPath, rapid.SampledFrom(bodies).Draw(t, "body"), key).str("id"); id != "" {
			ids[ref] = append(ids[ref], id)
		}
	case 2, 3:
		tool := rapid.SampledFrom([]paypalsim.Tool{paypalsim.Balance, paypalsim.Balance, paypalsim.ECheck, paypalsim.CardRefused, paypalsim.DeclinedLater, paypalsim.Denied}).Draw(t, "tool")
		_, _ = w.sim.PayWith(ref, tool)
	case 4, 5:
		w.capture(some(ids[ref]), key)
	case 6, 7:
		var captures []string
		for _, c := range w.sim.Charges() {
			captures = append(captures, c.ID)
		}
		value := rapid.SampledFrom([]string{"1", "990", "1980", "1981"}).Draw(t, "value")
		w.refund(some(captures), yen(value), key)
	case 8:
		_ = w.sim.RefundByHand(ref, rapid.Int64Range(-1, 2000).Draw(t, "by hand"))
	case 9:
		_ = w.sim.Settle(ref, rapid.Bool().Draw(t, "paid"))
		_ = w.sim.SettleRefund(key, rapid.Bool().Draw(t, "arrived"))
		w.sim.HoldRefunds(rapid.Bool().Draw(t, "hold"))
		w.sim.PendNext(rapid.IntRange(0, 1).Draw(t, "pend"))
	case 10:
		if w.sim.Dispute(ref) != nil {
			_ = w.sim.ResolveDispute(ref, rapid.Bool().Draw(t, "seller wins"))
		}
	case 11:
		w.now = w.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "hours")) * time.Hour)
		w.login()
	}
}

func rightMoney(t *rapid.T, w *town, ref string, ids []string) {
	took, back, held := w.sim.Captured(ref).Minor, w.sim.Refunded(ref).Minor, w.sim.Disputed(ref).Minor
	if took != 0 && took != 1980 {
		t.Fatalf("%s: captured %d", ref, took)
	}
	if back < 0 || held < 0 || back+held > took {
		t.Fatalf("%s: captured %d, refunded %d, disputed %d", ref, took, back, held)
	}
	var shown, charged, returned int64
	for _, c := range w.sim.Charges() {
		if c.Ref == ref {
			charged, returned = charged+c.Captured.Minor, returned+c.Refunded.Minor
		}
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		switch w.get(orderPath + "/" + id).str("purchase_units.0.payments.captures.0.status") {
		case "COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED":
			shown += 1980
		}
	}
	if charged != took || returned != back || shown != took {
		t.Fatalf("%s: captured %d, charges %d, shown %d; refunded %d, charges %d", ref, took, charged, shown, back, returned)
	}
}

func TestManyAtOnceTakeTheMoneyOnce(t *testing.T) {
	w := newTown()
	id := w.order(t, "a")
	_, _ = w.sim.Pay("a")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			w.capture(id, fmt.Sprint("x", i%2))
			w.get(orderPath + "/" + id)
			w.sim.Notifications()
			_, _ = w.sim.Pay("a")
		})
	}
	all.Wait()
	if n := len(w.sim.Charges()); n != 1 {
		t.Errorf("%d charges", n)
	}
}
