package paypaysim

import (
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// payment is one merchantPaymentId: its code and what became of it. It holds
// instants rather than a state, some of them in the future, so that it can be
// seen as it was at any time.
type payment struct {
	order
	codeID      string // "" if it was cancelled before anybody made a code
	createdAt   time.Time
	expiresAt   time.Time // of the code
	deletedAt   time.Time // of the code
	cancelAsked bool

	paymentID   string // from when the customer said yes
	tool        string
	startedAt   time.Time
	completedAt time.Time
	failedAt    time.Time
	refunds     []*refund // as accepted, oldest first
}

func happened(at, t time.Time) bool { return !at.IsZero() && !t.Before(at) }

// The states that occur. See the package comment for those that do not.
const (
	created   = "CREATED"
	completed = "COMPLETED"
	refunded  = "REFUNDED"
	failed    = "FAILED"
)

// state is PayPay's word for p at an instant, "" if PayPay finds nothing.
func (p *payment) state(t time.Time) string {
	switch {
	case happened(p.failedAt, t):
		return failed
	case happened(p.completedAt, t):
		if slices.ContainsFunc(p.refunds, func(r *refund) bool { return happened(r.doneAt, t) }) {
			return refunded
		}
		return completed
	case happened(p.startedAt, t):
		return created
	case p.alive(t):
		return created
	}
	return ""
}

// alive reports whether the code can be scanned at t, paid or not.
func (p *payment) alive(t time.Time) bool {
	return happened(p.createdAt, t) && !happened(p.deletedAt, t) && t.Before(p.expiresAt)
}

// payable reports whether a customer who scans the code now can pay.
func (p *payment) payable(t time.Time) bool { return p.alive(t) && p.startedAt.IsZero() }

// captured is what was taken and not undone by a cancellation, in yen.
func (p *payment) captured(t time.Time) int64 {
	if happened(p.completedAt, t) && !happened(p.failedAt, t) {
		return p.yen
	}
	return 0
}

func (p *payment) refunded() (sum int64) {
	for _, r := range p.refunds {
		sum += r.yen
	}
	return sum
}

func (s *Sim) createCode(body []byte) answer {
	o, wrong := readOrder(body)
	if wrong != nil {
		return *wrong
	}
	if old := s.byRef[o.ref]; old != nil {
		if s.cfg.NeverReplays || old.cancelAsked || !old.payable(s.now) || !old.same(o) {
			return duplicateQR.answer()
		}
		return success(http.StatusCreated, s.codeJSON(old))
	}
	if o.requestedAt == 0 {
		o.requestedAt = s.now.Unix()
	}
	p := &payment{order: o, createdAt: s.now, expiresAt: s.now.Truncate(time.Second).Add(s.cfg.CodeLife)}
	p.codeID = s.unused("04-", letters, 16, s.byCode)
	s.byCode[p.codeID] = p
	s.add(p)
	return success(http.StatusCreated, s.codeJSON(p))
}

func (s *Sim) add(p *payment) {
	s.payments = append(s.payments, p)
	s.byRef[p.ref] = p
}

func (s *Sim) deleteCode(codeID string) answer {
	p := s.byCode[codeID]
	switch {
	case codeID == "" || len(codeID) > 255:
		return badQRRequest.answer()
	case p == nil:
		return codeNotFound.answer()
	case !p.completedAt.IsZero():
		return codePaid.answer()
	case !p.alive(s.now):
		return codeNotFound.answer()
	}
	// A payment that is being processed goes on without its code.
	p.deletedAt = s.now
	return success(http.StatusOK, obj{"qrStatus": "DELETED"})
}

func (s *Sim) paymentDetails(ref string) answer {
	if !plain(ref) {
		return badQRRequest.answer()
	}
	seen := s.now.Add(-s.lag)
	p := s.byRef[ref]
	if p == nil || p.state(seen) == "" {
		return paymentNotFound.answer()
	}
	if !happened(p.startedAt, seen) { // the whole of what PayPay prints for a code nobody paid
		return success(http.StatusOK, obj{"status": created, "acceptedAt": 0, "requestedAt": 0})
	}
	return success(http.StatusOK, p.detailsJSON(seen))
}

// detailsJSON is a payment as it was at t, from when the customer had said yes.
func (p *payment) detailsJSON(t time.Time) obj {
	v := obj{
		"paymentId":          p.paymentID,
		"status":             p.state(t),
		"acceptedAt":         epoch(p.completedAt, t, 0),
		"refunds":            nil,
		"captures":           nil,
		"revert":             nil,
		"merchantPaymentId":  p.ref,
		"amount":             yen(p.yen),
		"requestedAt":        p.requestedAt,
		"expiresAt":          nil,
		"canceledAt":         epoch(p.failedAt, t, nil),
		"storeId":            orNull(p.storeID),
		"terminalId":         orNull(p.terminalID),
		"orderReceiptNumber": nil,
		"orderDescription":   orNull(p.description),
		"orderItems":         itemsJSON(p.items, "unitPrice"),
		"paymentMethods":     []obj{},
	}
	if happened(p.completedAt, t) {
		v["paymentMethods"] = []obj{{"amount": yen(p.yen), "type": p.tool}}
	}
	var back []obj
	for _, r := range p.refunds {
		if happened(r.acceptedAt, t) {
			back = append(back, r.json(t))
		}
	}
	if back != nil {
		v["refunds"] = obj{"data": back}
	}
	return v
}

// codeJSON is the answer to the making of a code: what was asked, and the code.
func (s *Sim) codeJSON(p *payment) obj {
	v := obj{
		"codeId":            p.codeID,
		"url":               s.pageURL(p),
		"deeplink":          s.deeplink(p),
		"expiryDate":        p.expiresAt.Unix(),
		"merchantPaymentId": p.ref,
		"amount":            yen(p.yen),
		"codeType":          "ORDER_QR",
		"requestedAt":       p.requestedAt,
		"isAuthorization":   false,
	}
	for name, text := range map[string]string{
		"orderDescription": p.description,
		"storeInfo":        p.storeInfo,
		"storeId":          p.storeID,
		"terminalId":       p.terminalID,
		"productType":      p.productType,
		"redirectUrl":      p.redirectURL,
		"redirectType":     p.redirectType,
	} {
		if text != "" {
			v[name] = text
		}
	}
	if p.items != nil {
		v["orderItems"] = itemsJSON(p.items, "unit_price")
	}
	return v
}

// itemsJSON writes an order's lines. The answer to the making of a code calls
// the price of one unit_price, everything else unitPrice.
func itemsJSON(items []item, price string) any {
	if items == nil {
		return nil
	}
	all := []obj{}
	for _, it := range items {
		v := obj{"name": it.name, "quantity": it.quantity, price: yen(it.unitPrice)}
		if it.category != "" {
			v["category"] = it.category
		}
		if it.productID != "" {
			v["productId"] = it.productID
		}
		all = append(all, v)
	}
	return all
}

func yen(n int64) obj { return obj{"amount": n, "currency": "JPY"} }

// epoch is an instant in seconds, or something else while it is not reached.
func epoch(at, t time.Time, otherwise any) any {
	if happened(at, t) {
		return at.Unix()
	}
	return otherwise
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func isIP(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}
