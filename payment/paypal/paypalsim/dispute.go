package paypalsim

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// The stages and states of a dispute.
const (
	inquiry       = "INQUIRY"
	chargeback    = "CHARGEBACK"
	forSeller     = "WAITING_FOR_SELLER_RESPONSE"
	reviewed      = "UNDER_REVIEW"
	resolved      = "RESOLVED"
	buyerWon      = "RESOLVED_BUYER_FAVOUR"
	sellerWon     = "RESOLVED_SELLER_FAVOUR"
	buyerWithdrew = "CANCELED_BY_BUYER"
)

// disputeTime is how long the seller may answer.
const disputeTime = 10 * 24 * time.Hour

// dispute is a payer's complaint about a capture.
type dispute struct {
	id         string
	capture    *capture
	units      int64
	reason     string
	stage      string
	status     string
	outcome    string
	returned   int64 // by the outcome
	evidences  []obj
	createdAt  time.Time
	updatedAt  time.Time
	dueAt      time.Time
	resolvedAt time.Time // zero: open
	holdID     string    // of the movement that withholds the money …
	releaseID  string    // … and of that which ends it
}

// Claim is what a payer says. The zero value is that nothing was received, all
// that is left of the payment, and ten days for an answer.
type Claim struct {
	Reason  string        // MERCHANDISE_OR_SERVICE_NOT_RECEIVED, UNAUTHORISED …
	Minor   int64         // in the house's minor units; 0 is all that is left
	Due     time.Duration // until when evidence is heard
	Inquiry bool          // the payer asks the seller first, before PayPal judges
}

// Dispute lets the customer dispute all that is left of what was taken for ref.
// PayPal withholds it.
func (s *Sim) Dispute(ref string) error { return s.DisputeAs(ref, Claim{}) }

// DisputeAs is Dispute with what the customer says.
func (s *Sim) DisputeAs(ref string, claim Claim) error {
	s.enter()
	defer s.mu.Unlock()
	c := s.captureFor(ref, completed)
	if c == nil || c.dispute != nil || c.refunded() == c.amount {
		return fmt.Errorf("paypalsim: nothing can be disputed for %s", ref)
	}
	d := &dispute{
		id: "PP-D-" + s.newID("0123456789", 5), capture: c, units: c.amount - c.refunded(), reason: "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
		stage: chargeback, status: forSeller, createdAt: s.now, dueAt: s.now.Add(disputeTime), holdID: s.newID(idLetters, 17),
	}
	if claim.Minor > 0 {
		units, ok := unitsOf(claim.Minor, c.order.currency)
		if !ok || units > d.units {
			return fmt.Errorf("paypalsim: %d of %s cannot be disputed", claim.Minor, ref)
		}
		d.units = units
	}
	if claim.Reason != "" {
		d.reason = claim.Reason
	}
	if claim.Due > 0 {
		d.dueAt = s.now.Add(claim.Due)
	}
	if claim.Inquiry {
		d.stage = inquiry
	}
	c.dispute = d
	s.disputes = append(s.disputes, d)
	s.disputeChanged(d, "CUSTOMER.DISPUTE.CREATED", "A new dispute was opened with case "+d.id)
	return nil
}

// Escalate lets the customer turn an inquiry about ref into a claim that PayPal
// judges.
func (s *Sim) Escalate(ref string) error {
	s.enter()
	defer s.mu.Unlock()
	c := s.captureFor(ref, completed)
	if c == nil || c.dispute == nil || !c.dispute.open() || c.dispute.stage != inquiry {
		return fmt.Errorf("paypalsim: nobody asks about %s", ref)
	}
	d := c.dispute
	d.stage, d.status, d.dueAt = chargeback, forSeller, s.now.Add(disputeTime)
	s.disputeChanged(d, "CUSTOMER.DISPUTE.UPDATED", "A dispute was updated with case "+d.id)
	return nil
}

// ResolveDispute ends the dispute about ref, whether or not the seller answered.
// Where the seller loses, PayPal returns what is disputed to the customer.
func (s *Sim) ResolveDispute(ref string, sellerWins bool) error {
	if sellerWins {
		return s.endDispute(ref, sellerWon)
	}
	return s.endDispute(ref, buyerWon)
}

// CancelDispute lets the customer take their complaint about ref back.
func (s *Sim) CancelDispute(ref string) error { return s.endDispute(ref, buyerWithdrew) }

func (s *Sim) endDispute(ref, outcome string) error {
	s.enter()
	defer s.mu.Unlock()
	c := s.captureFor(ref, completed)
	if c == nil || c.dispute == nil || !c.dispute.open() {
		return fmt.Errorf("paypalsim: no dispute is open for %s", ref)
	}
	s.decide(c.dispute, outcome)
	return nil
}

// decide ends a dispute. Where the buyer wins, the money goes back.
func (s *Sim) decide(d *dispute, outcome string) {
	c, units := d.capture, d.capture.disputed()
	if outcome != buyerWon {
		units = 0
	}
	s.resolve(d, outcome, units)
	if units == 0 {
		return
	}
	r := &refund{id: s.newID(idLetters, 17), capture: c, state: completed, units: units, reversal: true, createdAt: s.now, updatedAt: s.now}
	c.refunds = append(c.refunds, r)
	s.refundOf[r.id] = r
	r.totalAfter, c.updatedAt = c.refunded(), s.now
	s.changed(c.order)
	s.tell("PAYMENT.CAPTURE.REVERSED", "capture", "2.0", "A payment was reversed", s.captureView(c))
}

// resolve closes a dispute; where the money goes is the caller's affair.
func (s *Sim) resolve(d *dispute, outcome string, returned int64) {
	d.status, d.outcome, d.returned, d.resolvedAt, d.releaseID = resolved, outcome, returned, s.now, s.newID(idLetters, 17)
	s.disputeChanged(d, "CUSTOMER.DISPUTE.RESOLVED", "A dispute was resolved with case "+d.id)
}

func (s *Sim) disputeChanged(d *dispute, kind, summary string) {
	d.updatedAt = s.now
	s.changed(d.capture.order)
	s.tell(kind, "dispute", "", summary, d.view(true))
}

func (d *dispute) open() bool { return d.resolvedAt.IsZero() }

// answerDispute is a call by which the seller answers: with evidence, or by
// giving in.
func (s *Sim) answerDispute(r *http.Request, body []byte) answer {
	id, verb, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, disputesPath+"/"), "/")
	i := slices.IndexFunc(s.disputes, func(d *dispute) bool { return d.id == id })
	if i < 0 {
		return s.refuse(missing())
	}
	d := s.disputes[i]
	var no *refusal
	switch verb {
	case "provide-evidence":
		no = s.hear(d, r, body)
	case "accept-claim":
		no = s.giveIn(d, r, body)
	default:
		no = missing()
	}
	if no != nil {
		return s.refuse(no)
	}
	return say(http.StatusOK, obj{"links": []obj{self(d.path(), "self")}})
}

func (d *dispute) path() string { return disputesPath + "/" + d.id }

// notNow says that a dispute's state does not allow what was asked.
func notNow() *refusal { return unfit("ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE", "", "") }

// evidenceTypes are those of PayPal's that may fit a sale of data, of some
// eighty; others are refused.
var evidenceTypes = []string{
	"PROOF_OF_FULFILLMENT", "PROOF_OF_REFUND", "PROOF_OF_RECEIPT_COPY", "RETURN_POLICY", "BILLING_AGREEMENT", "ITEM_DESCRIPTION",
	"PROOF_OF_REFUND_OUTSIDE_PAYPAL", "DETAILS_OF_PURCHASE", "PROOF_FOR_SOFTWARE_OR_SERVICE_DELIVERED", "MERCHANT_RESPONSE", "OTHER",
}

var evidenceRule = map[string]rule{
	"evidences": {need: true, many: 100, each: map[string]rule{
		"evidence_type": {need: true, max: 255, among: evidenceTypes},
		"notes":         {max: 2000},
		"evidence_info": {parts: map[string]rule{
			"refund_ids": {many: 100, texts: 255},
		}},
	}},
}

// hear takes the seller's evidence: a form with a part named input, which is
// JSON, and files.
func (s *Sim) hear(d *dispute, r *http.Request, body []byte) *refusal {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return &refusal{status: http.StatusUnsupportedMediaType}
	}
	input, files, ok := readParts(multipart.NewReader(strings.NewReader(string(body)), params["boundary"]))
	if !ok {
		return bad("MALFORMED_REQUEST_JSON", "/", "")
	}
	fields, no := parse(input, evidenceRule)
	switch {
	case no != nil:
		return no
	case d.status != forSeller || !s.now.Before(d.dueAt):
		return notNow()
	}
	for _, name := range files {
		if !slices.Contains([]string{".pdf", ".png", ".jpg", ".jpeg", ".gif"}, strings.ToLower(path.Ext(name))) {
			return bad("INVALID_FILE_TYPE", "/"+name, "")
		}
	}
	for _, e := range fields["evidences"].([]any) {
		given := e.(obj)
		given["source"], given["date"] = "SUBMITTED_BY_SELLER", stamp(s.now)
		if len(files) > 0 {
			var documents []obj
			for _, name := range files {
				documents = append(documents, obj{"name": name})
			}
			given["documents"] = documents
		}
		d.evidences = append(d.evidences, given)
	}
	d.status = reviewed
	s.disputeChanged(d, "CUSTOMER.DISPUTE.UPDATED", "A dispute was updated with case "+d.id)
	return nil
}

const partsMax = 20

// readParts reads the JSON of a form and the names of its files.
func readParts(form *multipart.Reader) (input []byte, files []string, ok bool) {
	for range partsMax {
		part, err := form.NextPart()
		if err == io.EOF { //nolint:errorlint // NextPart returns it as it is
			return input, files, input != nil
		}
		if err != nil {
			return nil, nil, false
		}
		if part.FileName() != "" {
			files = append(files, part.FileName())
			continue
		}
		if part.FormName() != "input" || input != nil {
			return nil, nil, false
		}
		if input, err = io.ReadAll(part); err != nil || !json.Valid(input) {
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// acceptRule is what may be said when giving in.
var acceptRule = map[string]rule{
	"note":              {need: true, max: 2000},
	"accept_claim_type": {max: 255, among: []string{"REFUND"}},
}

func (s *Sim) giveIn(d *dispute, r *http.Request, body []byte) *refusal {
	if mediaType(r) != "application/json" {
		return &refusal{status: http.StatusUnsupportedMediaType}
	}
	_, no := parse(body, acceptRule)
	switch {
	case no != nil:
		return no
	case !d.open():
		return notNow()
	}
	s.decide(d, buyerWon)
	return nil
}

// disputeStates is how a list names what a dispute waits for.
var disputeStates = map[string]string{forSeller: "REQUIRED_ACTION", reviewed: "UNDER_PAYPAL_REVIEW", resolved: resolved}

func (d *dispute) view(full bool) obj {
	v := obj{
		"dispute_id": d.id, "reason": d.reason, "status": d.status, "dispute_state": disputeStates[d.status],
		"dispute_amount": amountOf(d.units, d.capture.order.currency), "dispute_life_cycle_stage": d.stage,
		"dispute_channel": "INTERNAL", "create_time": stamp(d.createdAt), "update_time": stamp(d.updatedAt),
		"links": d.links(),
	}
	if d.status == forSeller {
		v["seller_response_due_date"] = stamp(d.dueAt)
	}
	if !full {
		return v
	}
	c := d.capture
	sale := obj{
		"seller_transaction_id": c.id, "create_time": stamp(c.createdAt), "transaction_status": c.status(),
		"gross_amount": amountOf(c.amount, c.order.currency), "buyer": obj{"name": "Simulated Payer"}, "seller": obj{"merchant_id": c.payee},
	}
	for field, name := range map[string]string{"custom": "custom_id", "invoice_number": "invoice_id"} {
		if t := c.order.unit(name); t != "" {
			sale[field] = t
		}
	}
	v["disputed_transactions"] = []obj{sale}
	if len(d.evidences) > 0 {
		v["evidences"] = d.evidences
	}
	if d.status == forSeller {
		v["allowed_response_options"] = obj{"accept_claim": obj{"accept_claim_types": []string{"REFUND"}}}
	}
	if !d.open() {
		v["dispute_outcome"] = obj{"outcome_code": d.outcome, "amount_refunded": amountOf(d.returned, c.order.currency)}
	}
	return v
}

// links are what can be done about a dispute now.
func (d *dispute) links() []obj {
	all := []obj{self(d.path(), "self")}
	if d.open() {
		all = append(all, link(apiBase+d.path()+"/accept-claim", "accept_claim", http.MethodPost))
	}
	if d.status == forSeller {
		all = append(all, link(apiBase+d.path()+"/provide-evidence", "provide_evidence", http.MethodPost))
	}
	return all
}

// disputeList is what a list of one capture's disputes shows.
func disputeList(d *dispute) obj {
	items := []obj{}
	if d != nil {
		items = append(items, d.view(false))
	}
	return obj{"items": items, "links": []obj{self(disputesPath, "self")}}
}

// Dispute is one dispute, for an auditor.
type Dispute struct {
	ID, Ref, Capture string
	Stage, Status    string
	Outcome          string // "" while it is open
	Amount           money.Money
	Heard            []string // the notes of the seller's evidence
	DueAt            time.Time
}

// Disputes returns all disputes, oldest first.
func (s *Sim) Disputes() []Dispute {
	s.enter()
	defer s.mu.Unlock()
	var all []Dispute
	for _, d := range s.disputes {
		v := Dispute{
			ID: d.id, Ref: d.capture.order.ref(), Capture: d.capture.id, Stage: d.stage, Status: d.status, Outcome: d.outcome,
			Amount: d.capture.money(d.units), DueAt: d.dueAt,
		}
		for _, e := range d.evidences {
			v.Heard = append(v.Heard, text(e, "notes"))
		}
		all = append(all, v)
	}
	return all
}

// disputesQuery is the key of the view of a list of disputes, "" if the query is
// not one that is simulated.
func disputesQuery(query url.Values) string {
	id := query.Get("disputed_transaction_id")
	if len(query) != 1 || !captureForm.MatchString(id) {
		return ""
	}
	return disputesPath + "?" + id
}
