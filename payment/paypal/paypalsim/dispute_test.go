package paypalsim_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

const disputesPath = "/v1/customer/disputes"

// disputed is a sale of ¥1980 that is disputed; it returns the dispute's path.
func (w *town) disputed(t *testing.T, ref string, c paypalsim.Claim) string {
	t.Helper()
	w.bought(t, ref)
	if err := w.sim.DisputeAs(ref, c); err != nil {
		t.Fatal(err)
	}
	all := w.sim.Disputes()
	return disputesPath + "/" + all[len(all)-1].ID
}

// evidence posts a form with notes and files.
func (w *town) evidence(path, input string, files ...string) reply {
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	if input != "" {
		_ = form.WriteField("input", input)
	}
	for i, name := range files {
		part, _ := form.CreateFormFile(fmt.Sprint("file", i+1), name)
		_, _ = part.Write([]byte("content"))
	}
	_ = form.Close()
	r := w.request(http.MethodPost, path+"/provide-evidence", b.String(), "")
	r.Header.Set("Content-Type", form.FormDataContentType())
	return w.send(r)
}

func notes(text string) string {
	return fmt.Sprintf(`{"evidences":[{"evidence_type":"PROOF_FOR_SOFTWARE_OR_SERVICE_DELIVERED","notes":%q}]}`, text)
}

func TestEvidenceIsHeardOnceAndInTime(t *testing.T) {
	w := newTown()
	at := w.disputed(t, "a", paypalsim.Claim{Reason: "UNAUTHORISED", Due: 48 * time.Hour})
	got := w.get(at)
	want(t, got, 200, "status", "WAITING_FOR_SELLER_RESPONSE", "dispute_state", "REQUIRED_ACTION", "reason", "UNAUTHORISED", "dispute_life_cycle_stage", "CHARGEBACK",
		"seller_response_due_date", "2031-03-06T05:06:07Z", "disputed_transactions.0.custom", "a", "disputed_transactions.0.invoice_number", "a",
		"disputed_transactions.0.gross_amount.value", "1980", "dispute_amount.value", "1980", "dispute_outcome.outcome_code", "")
	if got.link("provide_evidence") == "" || got.link("accept_claim") == "" {
		t.Errorf("links: %s", got.raw)
	}
	w.kinds()
	want(t, w.evidence(at, notes("The line was used."), "usage.pdf"), 200, "links.0.rel", "self")
	got = w.get(at)
	want(t, got, 200, "status", "UNDER_REVIEW", "dispute_state", "UNDER_PAYPAL_REVIEW", "evidences.0.notes", "The line was used.",
		"evidences.0.source", "SUBMITTED_BY_SELLER", "evidences.0.documents.0.name", "usage.pdf", "seller_response_due_date", "")
	if got.link("provide_evidence") != "" {
		t.Errorf("links: %s", got.raw)
	}
	if d := w.sim.Disputes()[0]; !slices.Equal(d.Heard, []string{"The line was used."}) || d.Status != "UNDER_REVIEW" || d.Ref != "a" {
		t.Errorf("PayPal has %+v", d)
	}
	refused(t, w.evidence(at, notes("More.")), 422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
	_ = w.sim.ResolveDispute("a", true)
	want(t, w.get(at), 200, "status", "RESOLVED", "dispute_outcome.outcome_code", "RESOLVED_SELLER_FAVOUR", "dispute_outcome.amount_refunded.value", "0")
	if diff := cmp.Diff([]string{"CUSTOMER.DISPUTE.RESOLVED", "CUSTOMER.DISPUTE.UPDATED"}, sorted(w.kinds())); diff != "" {
		t.Error(diff)
	}
	if got := w.sim.Refunded("a"); !got.IsZero() {
		t.Errorf("refunded %v", got)
	}

	late := w.disputed(t, "late", paypalsim.Claim{})
	w.now = w.now.Add(10 * 24 * time.Hour)
	w.login()
	refused(t, w.evidence(late, notes("Too late.")), 422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
	_ = w.sim.ResolveDispute("late", false)
	want(t, w.get(late), 200, "dispute_outcome.outcome_code", "RESOLVED_BUYER_FAVOUR", "dispute_outcome.amount_refunded.value", "1980")
	if got := w.sim.Refunded("late"); got != money.Of(1980, "JPY") {
		t.Errorf("refunded %v", got)
	}
}

func TestEvidenceIsChecked(t *testing.T) {
	w := newTown()
	at := w.disputed(t, "a", paypalsim.Claim{})
	many := `{"evidences":[` + strings.Repeat(`{"evidence_type":"OTHER"},`, 100) + `{"evidence_type":"OTHER"}]}`
	for name, c := range map[string]struct {
		got    reply
		status int
	}{
		"JSON":         {w.post(at+"/provide-evidence", notes("a"), ""), 415},
		"no input":     {w.evidence(at, "", "usage.pdf"), 400},
		"no JSON":      {w.evidence(at, "The line was used."), 400},
		"nothing":      {w.evidence(at, "{}"), 400},
		"none":         {w.evidence(at, `{"evidences":[]}`), 400},
		"too many":     {w.evidence(at, many), 400},
		"no type":      {w.evidence(at, `{"evidences":[{"notes":"a"}]}`), 400},
		"other type":   {w.evidence(at, `{"evidences":[{"evidence_type":"PROOF"}]}`), 400},
		"strange ids":  {w.evidence(at, `{"evidences":[{"evidence_type":"OTHER","evidence_info":{"refund_ids":["R1",2]}}]}`), 400},
		"long notes":   {w.evidence(at, notes(strings.Repeat("a", 2001))), 400},
		"strange file": {w.evidence(at, notes("a"), "usage.exe"), 400},
		"no dispute":   {w.evidence(disputesPath+"/PP-D-0", notes("a")), 404},
		"other verb":   {w.post(at+"/appeal", "{}", ""), 404},
	} {
		if c.got.status != c.status {
			t.Errorf("%s: %d %s", name, c.got.status, c.got.raw)
		}
	}
	want(t, w.get(at), 200, "status", "WAITING_FOR_SELLER_RESPONSE", "evidences.0.notes", "")
	want(t, w.evidence(at, `{"evidences":[{"evidence_type":"PROOF_OF_REFUND","evidence_info":{"refund_ids":["R1"]}},{"evidence_type":"OTHER","notes":"b"}]}`), 200)
	if d := w.sim.Disputes()[0]; !slices.Equal(d.Heard, []string{"", "b"}) {
		t.Errorf("PayPal has %+v", d)
	}
	want(t, w.get(disputesPath+"/PP-D-0"), 404)
}

func TestAClaimCanBeAccepted(t *testing.T) {
	w := newTown()
	at := w.disputed(t, "a", paypalsim.Claim{Minor: 500})
	if got := w.sim.Disputed("a"); got != money.Of(500, "JPY") {
		t.Errorf("withheld %v", got)
	}
	want(t, w.post(at+"/accept-claim", `{}`, ""), 400)
	want(t, w.post(at+"/accept-claim", `{"note":"Sorry.","accept_claim_type":"REPLACEMENT"}`, ""), 400)
	want(t, w.post(at+"/accept-claim", `{"note":"Sorry.","accept_claim_type":"REFUND"}`, ""), 200)
	want(t, w.get(at), 200, "status", "RESOLVED", "dispute_outcome.outcome_code", "RESOLVED_BUYER_FAVOUR", "dispute_outcome.amount_refunded.value", "500")
	if back, held := w.sim.Refunded("a"), w.sim.Disputed("a"); back != money.Of(500, "JPY") || !held.IsZero() {
		t.Errorf("refunded %v, withheld %v", back, held)
	}
	refused(t, w.post(at+"/accept-claim", `{"note":"Again."}`, ""), 422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE")
	w.bought(t, "b")
	if w.sim.DisputeAs("b", paypalsim.Claim{Minor: 1981}) == nil {
		t.Error("more was disputed than was paid")
	}
	// A call that breaks after it acted has acted.
	at = w.disputed(t, "c", paypalsim.Claim{})
	w.sim.Upset(paypalsim.ActsThenBreaks)
	want(t, w.post(at+"/accept-claim", `{"note":"Sorry."}`, ""), 500)
	want(t, w.get(at), 200, "status", "RESOLVED")
}

func TestAnInquiryMayEscalateOrEnd(t *testing.T) {
	w := newTown()
	at := w.disputed(t, "a", paypalsim.Claim{Inquiry: true, Due: time.Hour})
	want(t, w.get(at), 200, "dispute_life_cycle_stage", "INQUIRY", "status", "WAITING_FOR_SELLER_RESPONSE")
	want(t, w.evidence(at, notes("a")), 200)
	w.now = w.now.Add(2 * time.Hour)
	if err := w.sim.Escalate("a"); err != nil {
		t.Fatal(err)
	}
	want(t, w.get(at), 200, "dispute_life_cycle_stage", "CHARGEBACK", "status", "WAITING_FOR_SELLER_RESPONSE")
	want(t, w.evidence(at, notes("b")), 200)
	if w.sim.Escalate("a") == nil {
		t.Error("escalated twice")
	}
	w.kinds()
	if err := w.sim.CancelDispute("a"); err != nil {
		t.Fatal(err)
	}
	want(t, w.get(at), 200, "status", "RESOLVED", "dispute_outcome.outcome_code", "CANCELED_BY_BUYER")
	if diff := cmp.Diff([]string{"CUSTOMER.DISPUTE.RESOLVED"}, w.kinds()); diff != "" {
		t.Error(diff)
	}
	if !w.sim.Disputed("a").IsZero() || !w.sim.Refunded("a").IsZero() || w.sim.CancelDispute("a") == nil {
		t.Errorf("withheld %v, refunded %v", w.sim.Disputed("a"), w.sim.Refunded("a"))
	}
}
