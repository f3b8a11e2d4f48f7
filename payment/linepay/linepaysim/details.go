package linepaysim

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const detailsMax = 100

// check says how far a request has come. It is the only call that knows one
// that was not confirmed.
func (s *Sim) check(id int64) reply {
	p := s.byID[id]
	if p == nil {
		return plain(noRecord)
	}
	switch s.phaseAt(p, s.now.Add(-s.lag)) {
	case unheard:
		return plain(noRecord)
	case waiting:
		return reply{Code: success, Message: "reserved transaction."}
	case approved:
		return plain(agreed)
	case lapsed, cancelled:
		return plain(cancelledCode)
	case failed:
		return plain(failedCode)
	case authorised, voided, released, captured:
	}
	return plain(completed)
}

// detail is a transaction as details show it: a payment, or one of its refunds.
type detail struct {
	TransactionID   int64          `json:"transactionId"`
	TransactionDate string         `json:"transactionDate"`
	TransactionType string         `json:"transactionType"`
	PayStatus       string         `json:"payStatus,omitempty"`
	ProductName     string         `json:"productName"`
	MerchantName    string         `json:"merchantName"`
	Currency        string         `json:"currency"`
	Expires         string         `json:"authorizationExpireDate,omitempty"`
	PayInfo         []payInfo      `json:"payInfo"`
	OrderID         string         `json:"orderId"`
	RefundList      []listedRefund `json:"refundList,omitempty"`
	Original        int64          `json:"originalTransactionId,omitempty"`
	Packages        []shownPackage `json:"packages,omitempty"`
}

// listedRefund is one refund among a payment's. Its amount is negative.
type listedRefund struct {
	ID     int64       `json:"refundTransactionId"`
	Type   string      `json:"transactionType"`
	Amount json.Number `json:"refundAmount"`
	At     string      `json:"refundTransactionDate"`
}

// details shows the transactions that have any of the names asked for.
func (s *Sim) details(query string) reply {
	q, err := url.ParseQuery(query)
	if err != nil {
		return parameter(map[string]string{"query": "not readable"})
	}
	packages := true
	for name, values := range q {
		switch {
		case name == "fields" && slices.Equal(values, []string{"ALL"}):
		case name == "fields" && slices.Equal(values, []string{"TRANSACTION"}):
			packages = false
		case name != "transactionId" && name != "orderId":
			return parameter(map[string]string{name: "unknown here"})
		}
	}
	asked := len(q["transactionId"]) + len(q["orderId"])
	switch {
	case asked == 0:
		return parameter(map[string]string{"transactionId": "neither this nor orderId"})
	case asked > detailsMax:
		return plain(tooMany)
	}
	ids := make([]int64, 0, asked)
	for _, text := range q["transactionId"] {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return parameter(map[string]string{"transactionId": "not a number"})
		}
		ids = append(ids, id)
	}
	found := s.find(ids, q["orderId"], s.now.Add(-s.lag))
	if len(found) == 0 {
		return plain(noRecord)
	}
	if !packages {
		for i := range found {
			found[i].Packages = nil
		}
	}
	return done(found)
}

// find shows what existed at an instant, oldest request first.
func (s *Sim) find(ids []int64, orders []string, at time.Time) []detail {
	var found []detail
	for _, p := range s.payments {
		if p.confirmedAt.IsZero() || p.confirmedAt.After(at) {
			continue
		}
		if slices.Contains(ids, p.id) || slices.Contains(orders, p.ref) {
			found = append(found, s.detail(p, at))
		}
		for _, r := range p.refunds {
			if slices.Contains(ids, r.id) && !r.at.After(at) {
				found = append(found, s.refundDetail(p, r))
			}
		}
	}
	return found
}

func (s *Sim) detail(p *payment, at time.Time) detail {
	v := detail{
		TransactionID: p.id, TransactionDate: stamp(p.confirmedAt), TransactionType: "PAYMENT",
		ProductName: p.title(), MerchantName: "Simulated merchant", Currency: string(s.cfg.Currency),
		PayInfo: s.payInfo(p, p.amount), OrderID: p.ref, Packages: s.shownPackages(p.order),
	}
	if !p.capture {
		v.Expires = stamp(p.confirmedAt.Add(authorisedFor))
	}
	switch s.phaseAt(p, at) {
	case captured:
		v.PayStatus = "CAPTURE"
		v.PayInfo = s.payInfo(p, p.captured)
	case authorised:
		v.PayStatus = "AUTHORIZATION"
	case voided:
		v.PayStatus = "VOIDED_AUTHORIZATION"
	case released:
		v.PayStatus = "EXPIRED_AUTHORIZATION"
	case unheard, waiting, approved, lapsed, cancelled, failed:
	}
	for _, r := range p.refunds {
		if !r.at.After(at) {
			v.RefundList = append(v.RefundList, listedRefund{r.id, r.kind(), s.number(-r.amount), stamp(r.at)})
		}
	}
	return v
}

func (s *Sim) refundDetail(p *payment, r *refund) detail {
	return detail{
		TransactionID: r.id, TransactionDate: stamp(r.at), TransactionType: r.kind(),
		ProductName: p.title(), MerchantName: "Simulated merchant", Currency: string(s.cfg.Currency),
		PayInfo: []payInfo{{p.tool.method, s.number(-r.amount)}}, OrderID: p.ref, Original: p.id,
		Packages: s.shownPackages(p.order),
	}
}

// kind is PAYMENT_REFUND only for one refund of all: the last of several parts
// is a part too.
func (r *refund) kind() string {
	if r.full {
		return "PAYMENT_REFUND"
	}
	return "PARTIAL_REFUND"
}

// title names what is bought.
func (o order) title() string {
	first := o.packages[0]
	if first.name != "" {
		return first.name
	}
	return first.products[0].name
}
