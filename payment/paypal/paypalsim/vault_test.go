package paypalsim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

const (
	tokensPath = "/v3/vault/payment-tokens"
	vaultAt    = "payment_source.paypal.attributes.vault."
)

// saving is an order that asks for the wallet to be saved, for a customer or
// for one that PayPal names.
func saving(ref, customer string) string {
	about := `"vault":{"store_in_vault":"ON_SUCCESS","usage_type":"MERCHANT","usage_pattern":"IMMEDIATE"}`
	if customer != "" {
		about = fmt.Sprintf(`"customer":{"id":%q},`, customer) + about
	}
	return strings.Replace(orderBody(ref, "1980", "JPY"), `"experience_context"`, `"attributes":{`+about+`},"experience_context"`, 1)
}

// paying is an order that a saved wallet pays.
func paying(ref, token, initiator string) string {
	return fmt.Sprintf(`{"intent":"CAPTURE","purchase_units":[{"custom_id":%q,"invoice_id":%q,"amount":{"currency_code":"JPY","value":"700"}}],`+
		`"payment_source":{"paypal":{"vault_id":%q,"stored_credential":{"payment_initiator":%q,"usage":"SUBSEQUENT","usage_pattern":"IMMEDIATE"}}}}`, ref, ref, token, initiator)
}

// keep lets a customer pay for ref and save their wallet; it returns the token.
func (w *town) keep(t testing.TB, ref, customer string) string {
	t.Helper()
	id := w.post(orderPath, saving(ref, customer), ref+".c").str("id")
	if _, err := w.sim.Pay(ref); err != nil {
		t.Fatal(err)
	}
	got := w.capture(id, ref+".x")
	want(t, got, 201, "status", "COMPLETED", vaultAt+"status", "VAULTED")
	return got.str(vaultAt + "id")
}

func (w *town) del(path string) reply { return w.send(w.request(http.MethodDelete, path, "", "")) }

func TestAPaidOrderSavesTheWallet(t *testing.T) {
	w := newTown()
	made := w.post(orderPath, saving("a", "account-1"), "a.c")
	want(t, made, 201, "status", "PAYER_ACTION_REQUIRED", vaultAt+"status", "")
	if _, err := w.sim.Pay("a"); err != nil || len(w.sim.Saved("a")) != 0 {
		t.Errorf("%v, saved %v before the capture", err, w.sim.Saved("a"))
	}
	want(t, w.get(orderPath+"/"+made.str("id")), 200, "status", "APPROVED", vaultAt+"status", "")
	w.kinds()
	got := w.capture(made.str("id"), "a.x")
	saved := w.sim.Saved("account-1")
	if len(saved) != 1 {
		t.Fatalf("saved: %v", saved)
	}
	token := saved[0].ID
	want(t, got, 201, vaultAt+"id", token, vaultAt+"status", "VAULTED", vaultAt+"customer.id", "account-1", "payment_source.paypal.account_id", saved[0].Payer)
	want(t, w.get(orderPath+"/"+made.str("id")), 200, vaultAt+"id", token)
	want(t, w.get(tokensPath+"/"+token), 200, "id", token, "customer.id", "account-1", "payment_source.paypal.usage_type", "MERCHANT", "payment_source.paypal.payer_id", saved[0].Payer)
	want(t, w.get(tokensPath+"?customer_id=account-1"), 200, "customer.id", "account-1", "payment_tokens.0.id", token)
	if diff := cmp.Diff([]paypalsim.Saved{{ID: token, Customer: "account-1", Payer: saved[0].Payer, Ref: "a", At: w.now}}, w.sim.Saved("a")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"PAYMENT.CAPTURE.COMPLETED", "VAULT.PAYMENT-TOKEN.CREATED"}, sorted(w.kinds())); diff != "" {
		t.Error(diff)
	}
	// The same customer's wallet is saved once; another customer's is another.
	if again := w.keep(t, "b", "account-1"); again != token {
		t.Errorf("saved again as %s, before as %s", again, token)
	}
	if other := w.keep(t, "c", "account-2"); other == token {
		t.Error("two customers share a token")
	}
	named := w.keep(t, "d", "")
	if s := w.sim.Saved("d"); len(s) != 1 || s[0].ID != named || s[0].Customer == "" || len(s[0].Customer) > 22 {
		t.Errorf("saved: %v", s)
	}
}

func TestAWalletIsSavedOnlyWhereMoneyCame(t *testing.T) {
	w := newTown()
	for tool, settled := range map[paypalsim.Tool]bool{paypalsim.ECheck: true, paypalsim.Denied: false} {
		ref := string(tool)
		id := w.post(orderPath, saving(ref, "account-"+ref), ref).str("id")
		_, _ = w.sim.PayWith(ref, tool)
		want(t, w.capture(id, ref+".x"), 201, "status", "COMPLETED", vaultAt+"status", "")
		_ = w.sim.Settle(ref, settled)
		if n := len(w.sim.Saved(ref)); (n == 1) != settled {
			t.Errorf("%s: %d saved", tool, n)
		}
	}
	id := w.post(orderPath, saving("gone", "account-gone"), "gone").str("id")
	_, _ = w.sim.Decline("gone")
	refused(t, w.capture(id, "gone.x"), 422, "INSTRUMENT_DECLINED")
	if n := len(w.sim.Saved("gone")); n != 0 {
		t.Errorf("%d saved by a refused capture", n)
	}
}

func TestAWalletThatIsSavedLaterIsTold(t *testing.T) {
	w := newTown()
	w.sim.HoldVault(true)
	id := w.post(orderPath, saving("a", "account-1"), "a.c").str("id")
	_, _ = w.sim.Pay("a")
	w.kinds()
	want(t, w.capture(id, "a.x"), 201, "status", "COMPLETED", vaultAt+"status", "APPROVED", vaultAt+"id", "", vaultAt+"customer.id", "", vaultAt+"links.0.rel", "up")
	if n := len(w.sim.Saved("a")); n != 0 || w.sim.Captured("a") != money.Of(1980, "JPY") {
		t.Errorf("%d saved, captured %v", n, w.sim.Captured("a"))
	}
	w.now = w.now.Add(time.Hour)
	if err := w.sim.FinishVault("a"); err != nil {
		t.Fatal(err)
	}
	token := w.sim.Saved("account-1")[0].ID
	want(t, w.get(orderPath+"/"+id), 200, vaultAt+"status", "VAULTED", vaultAt+"id", token)
	told := w.sim.Notifications()
	var last reply
	if err := json.Unmarshal(told[len(told)-1].Body, &last.body); err != nil {
		t.Fatal(err)
	}
	want(t, last, 0, "event_type", "VAULT.PAYMENT-TOKEN.CREATED", "resource_type", "payment_token", "resource_version", "3.0", "resource.id", token,
		"resource.customer.id", "account-1", "resource.metadata.order_id", id)
	if w.sim.FinishVault("a") == nil {
		t.Error("saved twice")
	}
}

func TestASavedWalletPaysAtOnce(t *testing.T) {
	w := newTown()
	token := w.keep(t, "a", "account-1")
	w.kinds()
	for _, initiator := range []string{"CUSTOMER", "MERCHANT"} {
		ref := "off-" + initiator
		got := w.post(orderPath, paying(ref, token, initiator), ref)
		want(t, got, 201, "status", "COMPLETED", "purchase_units.0.payments.captures.0.status", "COMPLETED",
			"purchase_units.0.payments.captures.0.amount.value", "700", "payer.payer_id", w.sim.Saved("a")[0].Payer)
		if got := w.sim.Captured(ref); got != money.Of(700, "JPY") {
			t.Errorf("captured %v", got)
		}
		again := w.post(orderPath, paying(ref, token, initiator), ref)
		want(t, again, 200, "id", got.str("id"), "status", "COMPLETED")
		refused(t, w.capture(got.str("id"), ref+".x"), 422, "ORDER_ALREADY_CAPTURED")
		refused(t, w.post(orderPath, paying(ref, token, initiator), ref+"2"), 422, "DUPLICATE_INVOICE_ID")
	}
	if diff := cmp.Diff([]string{"PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.COMPLETED"}, w.kinds()); diff != "" {
		t.Error(diff)
	}
	if len(w.sim.Charges()) != 3 {
		t.Errorf("charges: %v", w.sim.Charges())
	}
}

func TestThePageSaysWhatIsAgreed(t *testing.T) {
	w := newTown()
	b := w.browser(t)
	_, _, page := b.do(w.post(orderPath, saving("a", "account-1"), "a").str("id"), nil)
	if !strings.Contains(page, "charge your PayPal account later") {
		t.Errorf("the page does not say that the wallet is saved: %s", page)
	}
	_, _, page = b.do(w.order(t, "b"), nil)
	if strings.Contains(page, "later, too") {
		t.Errorf("the page says that the wallet is saved: %s", page)
	}
	// A payer who is asked about a saved wallet has no shop's page to return to.
	token := w.keep(t, "c", "account-1")
	w.sim.AskNext(1)
	id := w.post(orderPath, paying("d", token, "CUSTOMER"), "d").str("id")
	if _, _, page = b.do(id, nil); strings.Contains(page, `id="cancel"`) {
		t.Errorf("a way back to nowhere: %s", page)
	}
	status, _, page := b.do(id, url.Values{"do": {"pay"}, "tool": {"balance"}})
	if status != 200 || !strings.Contains(page, "You approved") {
		t.Errorf("%d %s", status, page)
	}
	want(t, w.capture(id, "d.x"), 201, "status", "COMPLETED")
}

func TestASavedWalletMayWaitForTheCapture(t *testing.T) {
	w := newTown(func(c *paypalsim.Config) { c.VaultedWaits = true })
	token := w.keep(t, "a", "account-1")
	got := w.post(orderPath, paying("b", token, "MERCHANT"), "b")
	want(t, got, 201, "status", "APPROVED")
	if !w.sim.Captured("b").IsZero() {
		t.Error("captured without being asked")
	}
	want(t, w.capture(got.str("id"), "b.x"), 201, "status", "COMPLETED")
	if w.sim.Captured("b") != money.Of(700, "JPY") {
		t.Errorf("captured %v", w.sim.Captured("b"))
	}
}

func TestASavedWalletMayBeRefused(t *testing.T) {
	w := newTown()
	token := w.keep(t, "a", "account-1")
	try := func(ref, key, initiator string) reply { return w.post(orderPath, paying(ref, token, initiator), key) }
	w.sim.RefuseNext("PAYER_CANNOT_PAY", "INSTRUMENT_DECLINED")
	refused(t, try("b", "b1", "MERCHANT"), 422, "PAYER_CANNOT_PAY")
	refused(t, try("b", "b1", "MERCHANT"), 422, "INSTRUMENT_DECLINED") // the first was not kept
	refused(t, try("b", "b1", "MERCHANT"), 422, "INSTRUMENT_DECLINED") // the second is
	w.sim.DeclineNext(1)
	refused(t, try("b", "b2", "MERCHANT"), 422, "INSTRUMENT_DECLINED")
	w.sim.AskNext(2)
	refused(t, try("b", "b3", "MERCHANT"), 422, "PAYER_ACTION_REQUIRED")
	if got := w.sim.Captured("b"); got != (money.Money{}) {
		t.Errorf("captured %v", got)
	}
	asks := try("b", "b4", "CUSTOMER")
	want(t, asks, 201, "status", "PAYER_ACTION_REQUIRED")
	if !strings.Contains(asks.link("payer-action"), asks.str("id")) {
		t.Errorf("no way to the payer: %s", asks.raw)
	}
	refused(t, w.capture(asks.str("id"), "b4.x"), 422, "ORDER_NOT_APPROVED")
	if back, err := w.sim.Pay("b"); err != nil || back.Get("PayerID") != w.sim.Saved("a")[0].Payer {
		t.Errorf("%v, %v", back, err)
	}
	want(t, w.capture(asks.str("id"), "b4.y"), 201, "status", "COMPLETED", vaultAt+"status", "")
	for tool, c := range map[paypalsim.Tool]struct {
		status int
		issue  string // or what became of the capture
	}{
		paypalsim.DeclinedLater: {422, "INSTRUMENT_DECLINED"}, paypalsim.CardRefused: {422, "PAYER_ACTION_REQUIRED"},
		paypalsim.ECheck: {201, "PENDING"}, paypalsim.Denied: {201, "DECLINED"}, paypalsim.Balance: {201, "COMPLETED"},
	} {
		if err := w.sim.Turn(token, tool); err != nil {
			t.Fatal(err)
		}
		got := try(string(tool), string(tool), "MERCHANT")
		if issue := got.str("details.0.issue") + got.str("purchase_units.0.payments.captures.0.status"); got.status != c.status || issue != c.issue {
			t.Errorf("%s: %d %s", tool, got.status, got.raw)
		}
	}
}

func TestWhatWasDeletedPaysNothing(t *testing.T) {
	for _, byPayer := range []bool{false, true} {
		w := newTown()
		token := w.keep(t, "a", "account-1")
		w.kinds()
		wanted := []string{"VAULT.PAYMENT-TOKEN.DELETED"}
		if byPayer {
			if err := w.sim.Remove(token); err != nil {
				t.Fatal(err)
			}
		} else {
			wanted = append(wanted, "VAULT.PAYMENT-TOKEN.DELETION-INITIATED")
			if got := w.del(tokensPath + "/" + token); got.status != 204 || got.raw != "" {
				t.Errorf("%d %q", got.status, got.raw)
			}
		}
		if diff := cmp.Diff(wanted, sorted(w.kinds())); diff != "" {
			t.Error(diff)
		}
		want(t, w.get(tokensPath+"/"+token), 404, "name", "RESOURCE_NOT_FOUND")
		want(t, w.del(tokensPath+"/"+token), 404)
		want(t, w.get(tokensPath+"?customer_id=account-1"), 200, "payment_tokens.0.id", "")
		refused(t, w.post(orderPath, paying("b", token, "MERCHANT"), "b"), 422, "TOKEN_ID_NOT_FOUND")
		if w.sim.Remove(token) == nil || w.sim.Turn(token, paypalsim.Balance) == nil || len(w.sim.Saved("a")) != 0 {
			t.Error("what was deleted is still there")
		}
		if again := w.keep(t, "c", "account-1"); again == token {
			t.Error("a deleted token is back")
		}
	}
}

func TestTokensComeInPages(t *testing.T) {
	w := newTown()
	w.keep(t, "a", "account-1")
	for i := range 6 { // a customer with several PayPal accounts
		ref := fmt.Sprint("b", i)
		id := w.post(orderPath, saving(ref, "account-1"), ref).str("id")
		if _, err := w.sim.PayFrom(ref, fmt.Sprint("PAYER23456AB", i+2)); err != nil {
			t.Fatal(err)
		}
		want(t, w.capture(id, ref+".x"), 201)
	}
	all := w.sim.Saved("account-1")
	first := w.get(tokensPath + "?customer_id=account-1&total_required=true")
	want(t, first, 200, "payment_tokens.0.id", all[0].ID, "payment_tokens.4.id", all[4].ID, "payment_tokens.5.id", "")
	if fmt.Sprint(first.at("total_items"), first.at("total_pages")) != "7 2" {
		t.Errorf("totals: %s", first.raw)
	}
	want(t, w.get(tokensPath+"?customer_id=account-1&page=2"), 200, "payment_tokens.0.id", all[5].ID, "payment_tokens.2.id", "")
	want(t, w.get(tokensPath+"?customer_id=account-1&page=3&page_size=3"), 200, "payment_tokens.0.id", all[6].ID, "payment_tokens.1.id", "")
	want(t, w.get(tokensPath+"?customer_id=account-1&page=4&page_size=3"), 200, "payment_tokens.0.id", "")
	want(t, w.get(tokensPath+"?customer_id=account-9"), 200, "customer.id", "account-9", "payment_tokens.0.id", "")
	for _, query := range []string{"", "?customer_id=short", "?customer_id=account-1&page=0", "?customer_id=account-1&page_size=x", "?customer_id=account-1&limit=5", "?customer_id=account-1&total_required=1"} {
		if got := w.get(tokensPath + query); got.status != 400 {
			t.Errorf("%s: %d %s", query, got.status, got.raw)
		}
	}
	// One PayPal account may be saved for two customers.
	id := w.post(orderPath, saving("x", "account-2"), "x").str("id")
	_, _ = w.sim.PayFrom("x", all[0].Payer)
	want(t, w.capture(id, "x.x"), 201, vaultAt+"customer.id", "account-2")
	w.sim.LagReads(time.Minute)
	want(t, w.get(tokensPath+"?customer_id=account-2"), 200, "payment_tokens.0.id", "")
	w.now = w.now.Add(time.Hour)
	want(t, w.get(tokensPath+"?customer_id=account-2"), 200, "payment_tokens.0.customer.id", "account-2")
	old := w.sim.Saved("account-1")[0].ID
	_ = w.sim.Remove(old)
	want(t, w.get(tokensPath+"?customer_id=account-1"), 200, "payment_tokens.0.id", old)
	w.now = w.now.Add(time.Minute)
	want(t, w.get(tokensPath+"?customer_id=account-1"), 200, "payment_tokens.0.id", all[1].ID)
}

func TestWhatIsSaidWrongAboutSavingIsRefused(t *testing.T) {
	w := newTown()
	token := w.keep(t, "k", "account-1")
	good, pay := saving("a", "account-1"), paying("a", token, "MERCHANT")
	for name, c := range map[string]struct {
		body   string
		status int
		issue  string
	}{
		"another moment":    {strings.Replace(good, "ON_SUCCESS", "ALWAYS", 1), 400, "INVALID_PARAMETER_VALUE"},
		"no moment":         {strings.Replace(good, `"store_in_vault":"ON_SUCCESS",`, "", 1), 422, "VAULT_INSTRUCTION_REQUIRED"},
		"no usage":          {strings.Replace(good, `"usage_type":"MERCHANT",`, "", 1), 400, "MISSING_REQUIRED_PARAMETER"},
		"long customer":     {saving("a", strings.Repeat("a", 23)), 400, "INVALID_STRING_LENGTH"},
		"strange customer":  {saving("a", "a@shop"), 400, "INVALID_PARAMETER_SYNTAX"},
		"no way back":       {strings.Replace(good, `"return_url":"https://shop.example/back?a=1",`, "", 1), 400, "MISSING_REQUIRED_PARAMETER"},
		"unknown token":     {paying("a", "none", "MERCHANT"), 422, "TOKEN_ID_NOT_FOUND"},
		"another's party":   {paying("a", token, "PAYPAL"), 400, "INVALID_PARAMETER_VALUE"},
		"strange usage":     {strings.Replace(pay, "SUBSEQUENT", "SECOND", 1), 400, "INVALID_PARAMETER_VALUE"},
		"saves and pays":    {strings.Replace(good, `"attributes"`, `"vault_id":"`+token+`","attributes"`, 1), 400, "NOT_SUPPORTED"},
		"pays with nothing": {strings.Replace(pay, `"vault_id":"`+token+`",`, "", 1), 400, "NOT_SUPPORTED"},
	} {
		got := w.post(orderPath, c.body, name)
		if got.status != c.status || got.str("details.0.issue") != c.issue {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
	w = newTown(func(c *paypalsim.Config) { c.NoVault = true })
	refused(t, w.post(orderPath, good, "a"), 422, "NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE")
	want(t, w.get(tokensPath+"?customer_id=account-1"), 403, "name", "NOT_AUTHORIZED")
	want(t, w.del(tokensPath+"/none"), 403, "name", "NOT_AUTHORIZED")
	want(t, w.post(orderPath, orderBody("b", "1980", "JPY"), "b"), 201)
}

// Whatever goes wrong with the call: one debit at most, and the same identifier
// tells of it.
func TestASavedWalletPaysOnceUnderItsIdentifier(t *testing.T) {
	for _, trouble := range paypalsim.Troubles {
		w := newTown()
		token := w.keep(t, "a", "account-1")
		w.sim.Upset(trouble)
		if got := w.post(orderPath, paying("b", token, "MERCHANT"), "b"); got.status < 400 {
			t.Errorf("%s: %d", trouble, got.status)
		}
		if got := !w.sim.Captured("b").IsZero(); got != (trouble == paypalsim.ActsThenBreaks) {
			t.Errorf("%s: captured %v", trouble, w.sim.Captured("b"))
		}
		w.login()
		got := w.post(orderPath, paying("b", token, "MERCHANT"), "b")
		if got.status/100 != 2 || got.str("status") != "COMPLETED" || w.sim.Captured("b") != money.Of(700, "JPY") {
			t.Errorf("%s, then %d, captured %v: %s", trouble, got.status, w.sim.Captured("b"), got.raw)
		}
		w.sim.Upset(trouble)
		gone := trouble == paypalsim.ActsThenBreaks
		if got := w.del(tokensPath + "/" + token); got.status < 400 || (len(w.sim.Saved("a")) == 0) != gone {
			t.Errorf("%s: delete %d, saved %v", trouble, got.status, w.sim.Saved("a"))
		}
	}
}
