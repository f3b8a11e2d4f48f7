package stripesim_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

// disputed makes a payment of 1980 yen that is disputed, and returns the dispute.
func (w *town) disputed(t *testing.T, ref string, c stripesim.Claim) (id string) {
	t.Helper()
	w.paid(t, ref)
	if err := w.DisputeAs(ref, c); err != nil {
		t.Fatal(err)
	}
	all := w.Disputes()
	return all[len(all)-1].ID
}

func TestEvidenceIsHeardOnceAndInTime(t *testing.T) {
	w := newTown()
	id := w.disputed(t, "a", stripesim.Claim{Reason: "product_not_received", Due: 48 * time.Hour})
	at := "/v1/disputes/" + id
	want(t, w.call("GET", at, ""), 200, "status", "needs_response", "reason", "product_not_received", "evidence_details.has_evidence", false,
		"evidence_details.submission_count", "0", "evidence_details.past_due", false, "evidence_details.due_by", itoa(w.clock().Add(48*time.Hour).Unix()), "is_charge_refundable", false)
	want(t, w.call("POST", at, "", "evidence[customer_name]=A", "submit=false"), 200, "status", "needs_response", "evidence_details.has_evidence", true, "evidence_details.submission_count", "0")
	want(t, w.call("POST", at, "", "metadata[case]=c1", "submit=false"), 200, "metadata.case", "c1", "status", "needs_response")
	want(t, w.call("POST", at, "", "evidence[uncategorized_text]=The line was used."), 200, "status", "under_review",
		"evidence.customer_name", "A", "evidence.uncategorized_text", "The line was used.", "evidence_details.submission_count", "1")
	if got := w.Disputes()[0]; !maps.Equal(got.Submitted, map[string]string{"customer_name": "A", "uncategorized_text": "The line was used."}) || got.Status != "under_review" {
		t.Errorf("the bank has %+v", got)
	}
	want(t, w.call("POST", at, "", "evidence[customer_name]=B"), 400, "error.param", "evidence")
	want(t, w.call("POST", at, "", "metadata[case]=c2"), 200, "metadata.case", "c2", "evidence_details.submission_count", "1")
	if err := w.CloseDispute("a", true); err != nil {
		t.Fatal(err)
	}
	want(t, w.call("GET", at, ""), 200, "status", "won")
	want(t, w.call("POST", at, "", "evidence[customer_name]=B"), 400)
	want(t, w.call("POST", at+"/close", ""), 400)
	if told := w.told(); strings.Count(told, "charge.dispute.updated") != 4 || !strings.HasSuffix(told, "charge.dispute.updated charge.dispute.funds_reinstated charge.dispute.closed") {
		t.Errorf("told: %s", told)
	}
	// Money that was won back can be refunded.
	cs, _ := w.Session("a")
	want(t, w.call("POST", "/v1/refunds", "", "payment_intent="+cs.PaymentIntent), 200)

	late := "/v1/disputes/" + w.disputed(t, "late", stripesim.Claim{})
	w.pass(7*24*time.Hour - 1)
	want(t, w.call("POST", late, "", "evidence[customer_name]=A", "submit=false"), 200)
	w.pass(1)
	want(t, w.call("POST", late, "", "evidence[customer_name]=A"), 400, "error.param", "evidence")
	want(t, w.call("GET", late, ""), 200, "evidence_details.past_due", true, "status", "needs_response")
	if w.Disputes()[1].Submitted != nil {
		t.Error("what was not submitted was heard")
	}
}

func TestEvidenceIsChecked(t *testing.T) {
	w := newTown()
	at := "/v1/disputes/" + w.disputed(t, "a", stripesim.Claim{})
	for _, bad := range []string{"evidence[customer_name]=" + strings.Repeat("a", 5001), "evidence[receipt]=file_1", "evidence[mood]=good", "evidence[customer_name]=", "submit=perhaps", "reason=fraudulent"} {
		want(t, w.call("POST", at, "", bad), 400)
	}
	var much []string
	for _, field := range []string{"access_activity_log", "cancellation_policy_disclosure", "cancellation_rebuttal", "duplicate_charge_explanation", "product_description", "refund_policy_disclosure", "refund_refusal_explanation", "uncategorized_text"} {
		much = append(much, "evidence["+field+"]="+strings.Repeat("a", 20000))
	}
	want(t, w.call("POST", at, "", much...), 400, "error.param", "evidence")
	want(t, w.call("POST", at, "", much[:7]...), 200, "status", "under_review")
	want(t, w.call("POST", "/v1/disputes/dp_none", "", "submit=false"), 404)
	want(t, w.call("POST", "/v1/disputes/dp_none/close", ""), 404)
}

func TestADisputeCanBeAccepted(t *testing.T) {
	w := newTown()
	id := w.disputed(t, "a", stripesim.Claim{Minor: 500})
	if got := w.Disputed("a"); got != money.Of(500, "JPY") {
		t.Errorf("withheld %v", got)
	}
	want(t, w.call("POST", "/v1/disputes/"+id+"/close", ""), 200, "status", "lost", "amount", "500")
	if got := w.Disputed("a"); got != money.Of(500, "JPY") || w.CloseDispute("a", true) == nil {
		t.Errorf("withheld %v, or closed twice", got)
	}
	cs, _ := w.Session("a")
	want(t, w.call("POST", "/v1/refunds", "", "payment_intent="+cs.PaymentIntent), 400, "error.code", "charge_disputed")
	w.paid(t, "b")
	if w.DisputeAs("b", stripesim.Claim{Minor: 1981}) == nil {
		t.Error("more was disputed than was paid")
	}
}

func TestAnInquiryTakesNoMoneyUntilItEscalates(t *testing.T) {
	w := newTown()
	at := "/v1/disputes/" + w.disputed(t, "a", stripesim.Claim{Inquiry: true})
	want(t, w.call("GET", at, ""), 200, "status", "warning_needs_response", "is_charge_refundable", true, "payment_method_details.card.case_type", "inquiry", "balance_transactions.0", "")
	if got := w.Disputed("a"); !got.IsZero() || strings.Contains(w.told(), "withdrawn") {
		t.Errorf("withheld %v", got)
	}
	want(t, w.call("POST", at, "", "evidence[customer_name]=A"), 200, "status", "warning_under_review")
	if err := w.Escalate("a"); err != nil {
		t.Fatal(err)
	}
	want(t, w.call("GET", at, ""), 200, "status", "needs_response", "payment_method_details.card.case_type", "chargeback", "balance_transactions.0.amount", "-1980")
	if got := w.Disputed("a"); got != money.Of(1980, "JPY") || w.Escalate("a") == nil {
		t.Errorf("withheld %v, or escalated twice", got)
	}
	want(t, w.call("POST", at, "", "evidence[customer_name]=B"), 200, "status", "under_review")
	_ = w.CloseDispute("a", false)
	want(t, w.call("GET", at, ""), 200, "status", "lost")

	// An inquiry ends with an answer that satisfies, or with the money.
	over := "/v1/disputes/" + w.disputed(t, "b", stripesim.Claim{Inquiry: true})
	_ = w.CloseDispute("b", true)
	want(t, w.call("GET", over, ""), 200, "status", "warning_closed")
	given := "/v1/disputes/" + w.disputed(t, "d", stripesim.Claim{Inquiry: true})
	want(t, w.call("POST", given+"/close", ""), 200, "status", "warning_closed")
	if got := w.Disputed("d"); !got.IsZero() {
		t.Errorf("withheld %v of a question", got)
	}
	back := "/v1/disputes/" + w.disputed(t, "c", stripesim.Claim{Inquiry: true})
	cs, _ := w.Session("c")
	want(t, w.call("POST", "/v1/refunds", "", "payment_intent="+cs.PaymentIntent, "amount=1"), 200)
	want(t, w.call("GET", back, ""), 200, "status", "warning_needs_response")
	want(t, w.call("POST", "/v1/refunds", "", "payment_intent="+cs.PaymentIntent), 200)
	want(t, w.call("GET", back, ""), 200, "status", "warning_closed")
}
