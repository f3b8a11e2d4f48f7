package paypalsim

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// The codes of movements. See
// https://developer.paypal.com/docs/transaction-search/transaction-event-codes/.
const (
	codeSale     = "T0006"
	codeFee      = "T0100"
	codeWithdraw = "T0400"
	codeReversal = "T1106" // by PayPal, after a dispute
	codeRefund   = "T1107" // by the merchant
	codeHold     = "T1110" // for a dispute
	codeRelease  = "T1111" // end of that
)

// movement is one row of the merchant's account.
type movement struct {
	id, of    string // of is the transaction that it belongs to, "" for none
	code      string
	state     string // completed, pending, declined, failed
	undone    bool   // all of it went back
	units     int64
	fee       int64
	currency  string
	begunAt   time.Time
	settledAt time.Time // when its state became what it is
	payer     string
	invoice   string
	custom    string
	subject   string
	ref       string
}

// movements are all rows as they are now, oldest first.
func (s *Sim) movements() []movement {
	all := slices.Clone(s.byHand)
	for _, c := range s.captures {
		o := c.order
		base := movement{of: c.id, currency: o.currency, payer: o.payer, invoice: o.invoice(), custom: o.unit("custom_id"), ref: o.ref()}
		sale := base
		sale.id, sale.of, sale.code, sale.state, sale.units, sale.begunAt, sale.settledAt = c.id, "", codeSale, c.state, c.amount, c.createdAt, c.settledAt
		sale.undone = c.refunded() == c.amount
		if c.state == completed {
			sale.fee = feeOf(c.amount, o.currency)
		}
		all = append(all, sale)
		for _, r := range c.refunds {
			back := base
			back.id, back.code, back.state, back.units, back.begunAt, back.settledAt = r.id, codeRefund, r.state, -r.units, r.createdAt, r.updatedAt
			back.invoice, back.custom = cmp.Or(r.invoice, back.invoice), cmp.Or(r.custom, back.custom)
			if r.reversal {
				back.code = codeReversal
			}
			all = append(all, back)
		}
	}
	for _, d := range s.disputes {
		o := d.capture.order
		hold := movement{
			id: d.holdID, of: d.capture.id, code: codeHold, state: completed, units: -d.units, currency: o.currency, begunAt: d.createdAt,
			settledAt: d.createdAt, payer: o.payer, invoice: o.invoice(), custom: o.unit("custom_id"), ref: o.ref(),
		}
		all = append(all, hold)
		if !d.open() {
			hold.id, hold.code, hold.units, hold.begunAt, hold.settledAt = d.releaseID, codeRelease, d.units, d.resolvedAt, d.resolvedAt
			all = append(all, hold)
		}
	}
	slices.SortStableFunc(all, func(a, b movement) int { return a.begunAt.Compare(b.begunAt) })
	return all
}

// letter is a movement's state as the report shows it, as of an instant.
func (m movement) letter(then time.Time) string {
	switch {
	case m.state == pending || m.settledAt.After(then):
		return "P"
	case m.state == declined || m.state == failed:
		return "D"
	case m.code == codeSale && m.undone:
		return "V"
	}
	return "S"
}

// reportStamp is how PayPal writes instants in reports: not as RFC 3339 has it,
// although its description says so.
func reportStamp(t time.Time) string { return t.Format("2006-01-02T15:04:05-0700") }

func (m movement) view(fields []string, then time.Time) obj {
	info := obj{
		"transaction_id": m.id, "transaction_event_code": m.code, "transaction_initiation_date": reportStamp(m.begunAt),
		"transaction_updated_date": reportStamp(m.begunAt), "transaction_amount": signed(m.units, m.currency),
		"transaction_status": m.letter(then), "protection_eligibility": "01",
	}
	if !m.settledAt.After(then) {
		info["transaction_updated_date"] = reportStamp(m.settledAt)
	}
	if m.fee != 0 && m.letter(then) != "P" {
		info["fee_amount"] = signed(-m.fee, m.currency)
	}
	if m.of != "" {
		info["paypal_reference_id"], info["paypal_reference_id_type"] = m.of, "TXN"
	}
	for field, t := range map[string]string{"invoice_id": m.invoice, "custom_field": m.custom, "transaction_subject": m.subject, "paypal_account_id": m.payer} {
		if t != "" {
			info[field] = t
		}
	}
	v := obj{"transaction_info": info}
	if slices.Contains(fields, "payer_info") && m.payer != "" {
		v["payer_info"] = obj{"account_id": m.payer, "email_address": payerAddress, "payer_status": "Y"}
	}
	return v
}

// signed is an amount that may be negative.
func signed(units int64, currency string) obj {
	v := amountOf(max(units, -units), currency)
	if units < 0 {
		v["value"] = "-" + v["value"].(string)
	}
	return v
}

const (
	reportPath  = "/v1/reporting/transactions"
	reportSpan  = 31 * 24 * time.Hour
	reportYears = 3
	pageDefault = 100
	pageMost    = 500
)

// wanted is what a caller wants to see of the report.
type wanted struct {
	from, until                time.Time
	size, page                 int
	fields                     []string
	id, code, status, currency string
	all                        bool // pending and denied movements, too
}

var reportFields = []string{"transaction_info", "payer_info", "shipping_info", "auction_info", "cart_info", "incentive_info", "store_info"}

func readWanted(query url.Values) (w wanted, no *refusal) {
	w = wanted{size: pageDefault, page: 1, fields: reportFields[:1]}
	for name := range query {
		v, fits := query.Get(name), true
		var err error
		switch name {
		case "start_date":
			w.from, err = readInstant(v)
		case "end_date":
			w.until, err = readInstant(v)
		case "page_size":
			w.size, err = strconv.Atoi(v)
			fits = w.size >= 1 && w.size <= pageMost
		case "page":
			w.page, err = strconv.Atoi(v)
			fits = w.page >= 1
		case "fields":
			w.fields = strings.Split(v, ",")
			if v == "all" {
				w.fields = reportFields
			}
			fits = !slices.ContainsFunc(w.fields, func(f string) bool { return !slices.Contains(reportFields, f) })
		case "transaction_id":
			w.id, fits = v, len(v) >= 17 && len(v) <= 19
		case "transaction_type":
			w.code, fits = v, len(v) == 5
		case "transaction_status":
			w.status, fits = v, slices.Contains([]string{"D", "P", "S", "V"}, v)
		case "transaction_currency":
			w.currency, fits = v, len(v) == 3
		case "balance_affecting_records_only":
			w.all, fits = v == "N", v == "Y" || v == "N"
		default:
			return w, bad("NOT_SUPPORTED", "?"+name, v)
		}
		if err != nil || !fits {
			return w, bad("INVALID_PARAMETER_VALUE", "?"+name, v)
		}
	}
	for _, name := range []string{"start_date", "end_date"} {
		if !query.Has(name) {
			return w, bad("MISSING_REQUIRED_PARAMETER", "?"+name, "")
		}
	}
	return w, nil
}

// readInstant reads RFC 3339 with seconds and a zone.
func readInstant(v string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(v))
	return t.UTC(), err
}

// notYet is the only sign by which PayPal tells that a search begins after what
// the report knows.
const notYet = "Data for the given start date is not available."

// report answers a search for transactions.
func (s *Sim) report(u *url.URL) answer {
	fresh := s.now.Add(-s.reportLag) // nothing newer is known to the report
	w, no := readWanted(u.Query())
	switch {
	case s.cfg.NoReports:
		no = &refusal{status: http.StatusForbidden}
	case no != nil:
	case w.until.Before(w.from):
		no = bad("INVALID_DATE_RANGE", "?end_date", "")
	case w.until.Sub(w.from) > reportSpan:
		no = bad("DATE_RANGE_TOO_LARGE", "?end_date", "")
	case w.from.Before(s.now.AddDate(-reportYears, 0, 0)):
		no = bad("INVALID_DATE_RANGE", "?start_date", "")
	case w.from.After(fresh):
		no = &refusal{status: http.StatusBadRequest, message: notYet}
	}
	if no != nil {
		return s.refuse(no)
	}
	if w.until.After(fresh) {
		w.until = fresh
	}
	var rows []obj
	for _, m := range s.movements() {
		if w.shows(m, fresh) {
			rows = append(rows, s.reported(m, w.fields, fresh)...)
		}
	}
	if len(rows) > s.cfg.ReportMost {
		return s.refuse(&refusal{status: http.StatusBadRequest, name: "RESULTSET_TOO_LARGE"})
	}
	return say(http.StatusOK, s.reportPage(u, w, rows, fresh))
}

// shows reports whether a movement is among those that are wanted.
func (w wanted) shows(m movement, fresh time.Time) bool {
	letter := m.letter(fresh)
	return !m.begunAt.Before(w.from) && !m.begunAt.After(w.until) &&
		(w.all || letter == "S" || letter == "V") &&
		(w.id == "" || w.id == m.id) && (w.code == "" || w.code == m.code) && (w.status == "" || w.status == letter) &&
		(w.currency == "" || w.currency == m.currency)
}

// reportPage is one page of the rows; pages count from 1.
func (s *Sim) reportPage(u *url.URL, w wanted, rows []obj, fresh time.Time) obj {
	pages := (len(rows) + w.size - 1) / w.size
	from := min((w.page-1)*w.size, len(rows))
	part := rows[from:min(from+w.size, len(rows))]
	if s.losePages > 0 {
		s.losePages--
		part = nil
	}
	if part == nil {
		part = []obj{}
	}
	to := func(page int, rel string) obj {
		q := u.Query()
		q.Set("page", strconv.Itoa(page))
		q.Set("page_size", strconv.Itoa(w.size))
		return self(reportPath+"?"+q.Encode(), rel)
	}
	links := []obj{to(w.page, "self")}
	if w.page < pages {
		links = append(links, to(w.page+1, "next"), to(pages, "last"))
	}
	if w.page > 1 {
		links = append(links, to(1, "first"), to(w.page-1, "prev"))
	}
	return obj{
		"transaction_details": part, "account_number": s.cfg.MerchantID, "start_date": reportStamp(w.from), "end_date": reportStamp(w.until),
		"last_refreshed_datetime": reportStamp(fresh), "page": w.page, "total_items": len(rows), "total_pages": pages, "links": links,
	}
}

// Flaw is what is wrong with one row of the report. What really happened is not
// affected.
type Flaw string

// The flaws.
const (
	NoFlaw   Flaw = ""
	RowLost  Flaw = "row_lost"  // the row is not reported
	RowTwice Flaw = "row_twice" // the row is reported twice
	RowOther Flaw = "row_other" // the row has another amount: one more of the smallest unit
)

// Flaws are all but NoFlaw, for tests that try each.
var Flaws = []Flaw{RowLost, RowTwice, RowOther}

// reported are the rows that the report has for a movement.
func (s *Sim) reported(m movement, fields []string, then time.Time) []obj {
	switch s.flaws[m.id] {
	case RowLost:
		return nil
	case RowTwice:
		return []obj{m.view(fields, then), m.view(fields, then)}
	case RowOther:
		m.units++
	case NoFlaw:
	}
	return []obj{m.view(fields, then)}
}

// Misreport lets the report be wrong about a transaction from now on, or right
// again. It fails if there is none by that identifier.
func (s *Sim) Misreport(transactionID string, flaw Flaw) error {
	s.enter()
	defer s.mu.Unlock()
	for _, m := range s.movements() {
		if m.id == transactionID {
			s.flaws[m.id] = flaw
			return nil
		}
	}
	return fmt.Errorf("paypalsim: no transaction is called %q", transactionID)
}

// DelayReports lets the report know only what was true d ago. It is three hours,
// the longest that PayPal takes, until this is called.
func (s *Sim) DelayReports(d time.Duration) {
	s.enter()
	defer s.mu.Unlock()
	s.reportLag = d
}

// LosePages lets the next n pages of the report come empty; they still say how
// many rows and pages there are.
func (s *Sim) LosePages(n int) {
	s.enter()
	defer s.mu.Unlock()
	s.losePages = n
}

// UpsetReports lets these troubles befall the next calls of the report, one each.
func (s *Sim) UpsetReports(troubles ...Trouble) {
	s.enter()
	defer s.mu.Unlock()
	s.upsetReports = append(s.upsetReports, troubles...)
}

// BillFee takes a fee of PayPal's that belongs to no payment, in the house's
// minor units.
func (s *Sim) BillFee(amount money.Money, subject string) error {
	return s.moveByHand(codeFee, amount, subject)
}

// Withdraw sends money to the merchant's bank.
func (s *Sim) Withdraw(amount money.Money) error { return s.moveByHand(codeWithdraw, amount, "") }

func (s *Sim) moveByHand(code string, amount money.Money, subject string) error {
	s.enter()
	defer s.mu.Unlock()
	units, ok := unitsOf(amount.Minor, string(amount.Currency))
	if !ok || units <= 0 {
		return fmt.Errorf("paypalsim: %v cannot be moved", amount)
	}
	s.byHand = append(s.byHand, movement{
		id: s.newID(idLetters, 17), code: code, state: completed, units: -units, currency: string(amount.Currency),
		begunAt: s.now, settledAt: s.now, subject: subject,
	})
	return nil
}

// Transaction is one movement as it really was, for an auditor.
type Transaction struct {
	ID, Code  string
	Reference string // of the transaction that it belongs to
	Ref       string // the merchant's own
	Status    string // S, P, D or V, as it is now
	Amount    money.Money
	Fee       money.Money
	At        time.Time
}

// Transactions returns all movements, oldest first, whatever the report shows.
func (s *Sim) Transactions() []Transaction {
	s.enter()
	defer s.mu.Unlock()
	var all []Transaction
	for _, m := range s.movements() {
		all = append(all, Transaction{
			ID: m.id, Code: m.code, Reference: m.of, Ref: m.ref, Status: m.letter(s.now),
			Amount: moneyOf(m.units, m.currency), Fee: moneyOf(m.fee, m.currency), At: m.begunAt,
		})
	}
	return all
}
