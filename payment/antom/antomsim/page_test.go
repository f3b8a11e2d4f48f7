package antomsim_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/payment/antom/antomsim"
)

func TestTheWalletsPage(t *testing.T) {
	for _, c := range []struct {
		do, status string
		back       bool
		says       string
	}{
		{"pay", "SUCCESS SUCCESS", true, "Paid."},
		{"later", "PENDING PAYMENT_IN_PROCESS", true, "on its way"},
		{"decline", "FAIL USER_BALANCE_NOT_ENOUGH", false, "closed"},
		{"stumble", "PROCESSING PAYMENT_IN_PROCESS", false, "30 天 30 days"},
		{"giveup", "PROCESSING PAYMENT_IN_PROCESS", true, "30 天 30 days"},
		{"nonsense", "PROCESSING PAYMENT_IN_PROCESS", false, "30 天 30 days"},
	} {
		w := newTown()
		a := w.call("pay", order("a"))
		address := a.at("normalUrl")
		status, to, text := w.visit(address, c.do)
		if c.back && (status != http.StatusSeeOther || to != "https://shop.test/back?from=1") || !c.back && status != http.StatusOK {
			t.Errorf("%s: %d %q %s", c.do, status, to, text)
		}
		if got := w.status("a"); got != c.status {
			t.Errorf("%s: %s", c.do, got)
		}
		if _, _, text := w.visit(address, ""); !strings.Contains(text, c.says) || !strings.Contains(text, "simulated") {
			t.Errorf("%s: afterwards %s", c.do, text)
		}
		w.visit(address, "pay")
		w.visit(address, "pay")
		if n := len(w.Charges()); n > 1 {
			t.Errorf("%s: %d charges", c.do, n)
		}
	}
}

// Who scanned a code has the shop on another screen.
func TestAScannedCodeLeadsNowhere(t *testing.T) {
	w := newTown()
	code := w.call("pay", order("a")).at("orderCodeForm.codeDetails.0.codeValue")
	if status, _, text := w.visit(code, "pay"); status != http.StatusOK || !strings.Contains(text, "Paid.") || strings.Contains(text, "href") {
		t.Errorf("%d %s", status, text)
	}
	if got := w.status("a"); got != "SUCCESS SUCCESS" {
		t.Errorf("%s", got)
	}
}

func TestWhereThereIsNoPage(t *testing.T) {
	w := newTown()
	page := strings.TrimPrefix(w.call("pay", order("a")).at("normalUrl"), "https://pages.test/cashier/")
	for _, address := range []string{"https://pages.test/", "https://pages.test/cashier/x", "https://pages.test/other/" + page, "https://pages.test/cashier/" + page + "/x"} {
		if status, _, _ := w.visit(address, ""); status != http.StatusNotFound {
			t.Errorf("%s: %d", address, status)
		}
	}
}

func TestTheNextAtThePageIsDeclined(t *testing.T) {
	w := newTown()
	address := w.call("pay", order("a")).at("normalUrl")
	w.DeclineNext(1)
	if status, _, text := w.visit(address, "pay"); status != http.StatusOK || !strings.Contains(text, "You were not charged") {
		t.Errorf("%d %s", status, text)
	}
	if got := w.told(t); len(got) != 1 || got[0] != "failed PAYMENT_RESULT F USER_BALANCE_NOT_ENOUGH a " {
		t.Errorf("told %q", got)
	}
	if _, err := w.Stumble("a"); !errors.Is(err, antomsim.ErrNotPayable) {
		t.Errorf("%v", err)
	}
}
