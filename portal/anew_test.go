package portal

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
)

// Who began to pay with a tool and would rather pay from the wallet gives the order up,
// sees the same once more, and is charged once.
func TestFromTheWalletInTheToolsPlace(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	for _, sale := range []func() string{
		func() string { return "/quotes/" + b.quote("fresh", "term/machi-5gb/10d") },
		func() string {
			return b.post("/plans/machi-5gb", map[string][]string{"item": {"line/machi-5gb/3d"}, "currency": {"JPY"}})
		},
	} {
		w.env.Clock.Add(time.Second) // identifiers of one millisecond sort by chance
		had, quote := w.balance(), sale()
		name := regexp.MustCompile(`<h2>(.*?)</h2>`).FindString(b.see(quote).html)
		b.post(quote, b.confirm(strings.TrimPrefix(quote, "/quotes/"), "card"))
		page := "/orders/" + w.orders()[0].ID
		has(t, b.see(page).html, "Pay from the wallet instead (", `action="`+page+`/anew"`)
		w.env.Clock.Add(time.Second)
		anew := b.post(page+"/anew", nil)
		if anew == quote || !strings.HasPrefix(anew, "/quotes/") {
			t.Fatalf("it leads to %q", anew)
		}
		has(t, b.see(page).html, "Cancelled")
		has(t, b.see(anew).html, name)
		if to := b.post(page+"/anew", nil); to != page {
			t.Errorf("once more: %q", to)
		}
		if to := b.post(anew, b.confirm(strings.TrimPrefix(anew, "/quotes/"), "wallet")); to == page || w.orders()[0].Tool != order.ToolWallet {
			t.Errorf("paid at %q with %s", to, w.orders()[0].Tool)
		}
		if o := w.orders()[0]; w.balance() != had-o.Price.Minor {
			t.Errorf("the wallet has %d of %d after %s", w.balance(), had, o.Price)
		}
	}
}

// A wallet that holds too little is not offered, nor believed in; where the tool's attempt
// cannot be closed the order stays, and its page says so.
func TestWhenTheWalletCannotTakeTheToolsPlace(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	b.post("/quotes/"+quote, b.confirm(quote, "card"))
	page := "/orders/" + w.orders()[0].ID
	w.bank.stuck = true
	p := b.do("POST", page+"/anew", nil)
	if has(t, p.html, "cannot be closed"); p.status != http.StatusConflict || w.orders()[0].State != order.Placed {
		t.Errorf("%d, and the order is %s", p.status, w.orders()[0].State)
	}
	w.bank.stuck = false
	w.credit(-(w.balance() - 3_979))
	lacks(t, b.see(page).html, "from the wallet")
	if to := b.post(page+"/anew", nil); to != page || w.orders()[0].State != order.Placed {
		t.Errorf("to %q, and the order is %s", to, w.orders()[0].State)
	}
}
