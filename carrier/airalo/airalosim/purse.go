package airalosim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// post moves the balance and tells what it has crossed.
func (s *Sim) post(at time.Time, amount int64, kind, ref string) {
	before := s.balance
	s.balance += amount
	s.ledger = append(s.ledger, Entry{at, amount, kind, ref})
	s.tellCredit(at, before)
}

// balanceAt is the balance at an earlier instant.
func (s *Sim) balanceAt(at time.Time) int64 {
	b := s.balance
	for i := len(s.ledger) - 1; i >= 0 && s.ledger[i].At.After(at); i-- {
		b -= s.ledger[i].Amount
	}
	return b
}

// getBalance serves GET balance.
func (s *Sim) getBalance(r *request) (*answer, *refusal) {
	return ok(object{{"balances", object{
		{"name", "balance"},
		{"availableBalance", object{{"amount", cents(s.balanceAt(r.asOf))}, {"currency", "USD"}}},
	}}}), nil
}

// refund is a request that a person at the operator decides on.
type refund struct {
	id      string
	iccids  []string
	reason  string
	decided bool
}

const (
	refundMax = 5
	notesMax  = 255
)

// refundReasons are all that may be given [A].
func refundReasons() []string {
	return strings.Fields(`INSTALLATION_FAILURE NO_COVERAGE APN_FAILURE TRIP_CANCELLATION INTERMITTENT_CONNECTION
		BLOCKED_NETWORK CHANGE_OF_PLAN DELETED_ESIM EARLY_EXPIRY HOTSPOT_NOT_WORKING IMSI_CHANGE INCOMPATIBLE_DEVICE
		LOCKED_DEVICE NO_VOICE_TEXT_SERVICES OVERCHARGED SLOW_SPEED TOP_UP_PACKAGE_FAILURE UNKNOWN_CHARGES
		WRONG_PURCHASE UNABLE_TO_ACCESS_APPS SERVICE_DEGRADATION QR_ISSUE_PARTNERS OTHERS`)
}

// requestRefund serves POST refund. Nothing is paid before [Sim.DecideRefund].
func (s *Sim) requestRefund(r *request) (*answer, *refusal) {
	iccids, reason := r.list("iccids"), r.text("reason")
	told := func(text string) *refusal { return &refusal{*said(http.StatusUnprocessableEntity, []any{}, text)} }
	switch {
	case len(iccids) == 0:
		return nil, told("The iccids field is required.")
	case len(iccids) > refundMax:
		return nil, told("The iccids may not have more than 5 items.")
	case reason == "":
		return nil, told("The reason field is required.")
	case !slices.Contains(refundReasons(), reason):
		return nil, invalidField("reason", "The selected reason is invalid. It must be one of the following: "+strings.Join(refundReasons(), ", "))
	case reason == "OTHERS" && r.text("notes") == "":
		return nil, missing("notes")
	case len([]rune(r.text("notes"))) > notesMax:
		return nil, invalidField("notes", "The notes may not be greater than 255 characters.")
	}
	var strange []string
	for _, iccid := range iccids {
		if s.lines[iccid] == nil {
			strange = append(strange, iccid)
		}
	}
	if len(strange) > 0 {
		return nil, told("The following ICCIDs do not belong to your company: " + strings.Join(strange, ", "))
	}
	s.seq++
	f := &refund{id: strconv.Itoa(10_000 + s.seq), iccids: iccids, reason: reason}
	s.refunds = append(s.refunds, f)
	return said(http.StatusAccepted, object{{"refund_id", f.id}, {"created_at", s.now.Format(minute)}}, "success"), nil
}
