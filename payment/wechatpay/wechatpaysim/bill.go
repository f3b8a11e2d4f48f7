package wechatpaysim

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BillTrouble is what is wrong with one bill.
type BillTrouble string

// The troubles with bills. Where rows are changed, the totals agree with them.
const (
	NotYet      BillTrouble = "not_yet"      // 400 STATEMENT_CREATING, however late it is
	RowMissing  BillTrouble = "row_missing"  // the first row is not there
	RowTwice    BillTrouble = "row_twice"    // the first row is there twice
	WrongAmount BillTrouble = "wrong_amount" // the first row's amount is one fen too high
	WrongTotal  BillTrouble = "wrong_total"  // the totals are of one fen more than the rows
	Truncated   BillTrouble = "truncated"    // half of the file, with the hash of all
	WrongHash   BillTrouble = "wrong_hash"   // the hash is of another file
	Marked      BillTrouble = "marked"       // a byte order mark, and lines that end in CR LF, as in API v2
)

// BillTroubles are all of them, for tests that try each.
var BillTroubles = []BillTrouble{NotYet, RowMissing, RowTwice, WrongAmount, WrongTotal, Truncated, WrongHash, Marked}

// SpoilBill lets these troubles befall the next bills that are applied for, one
// each. An application that is refused uses none up.
func (s *Sim) SpoilBill(troubles ...BillTrouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoilt = append(s.spoilt, troubles...)
}

const (
	billReady    = 10 * time.Hour // after the day, in Beijing, has ended
	downloadLife = 5 * time.Minute
	downloadPath = "/v3/billdownload/file"
	billClock    = "2006-01-02 15:04:05"
)

// download is a bill that was applied for.
type download struct {
	body  []byte
	zip   bool
	until time.Time
}

// file is an answer that is not JSON and not signed.
type file struct {
	kind string
	body []byte
}

// applyTradeBill and applyFundBill make a bill's file and say where it is.
func (s *Sim) applyTradeBill(c *call) (int, any, *apiError) {
	return s.apply(c, "bill_type", []string{"ALL", "SUCCESS", "REFUND"}, s.tradeBill)
}

func (s *Sim) applyFundBill(c *call) (int, any, *apiError) {
	return s.apply(c, "account_type", []string{"BASIC", "OPERATION", "FEES"}, s.fundBill)
}

// table is a bill before it is written down.
type table struct {
	head, totals string
	rows         []row
	sum          func(rows []row) []string
}

// row is one line of a bill. amount is what text is about, in fen.
type row struct {
	at     time.Time
	amount int64
	fee    int64
	refund bool // or money that leaves the account
	text   func(amount int64) []string
}

func (s *Sim) apply(c *call, kindName string, kinds []string, draw func(kind string, from, to time.Time) table) (int, any, *apiError) {
	for name, values := range c.query {
		if len(values) != 1 || name != "bill_date" && name != kindName && name != "tar_type" {
			return 0, nil, badQuery(name, "is not a parameter of this call, or is there twice")
		}
	}
	kind, packed := c.query.Get(kindName), c.query.Get("tar_type")
	switch {
	case kind == "" && !c.query.Has(kindName):
		kind = kinds[0]
	case !slices.Contains(kinds, kind):
		return 0, nil, badQuery(kindName, "is not one of "+strings.Join(kinds, ", "))
	}
	if packed != "GZIP" && c.query.Has("tar_type") {
		return 0, nil, badQuery("tar_type", "is not GZIP")
	}
	day, e := s.billDay(c.query.Get("bill_date"))
	if e != nil {
		return 0, nil, e
	}
	t := draw(kind, day, day.AddDate(0, 0, 1))
	if len(t.rows) == 0 {
		return 0, nil, &apiError{status: http.StatusBadRequest, code: "NO_STATEMENT_EXIST", message: "there is no bill of that day"}
	}
	var trouble BillTrouble
	if len(s.spoilt) > 0 {
		trouble, s.spoilt = s.spoilt[0], s.spoilt[1:]
	}
	if trouble == NotYet {
		return 0, nil, creating()
	}
	hash, body := t.file(trouble)
	d := &download{body: body, zip: packed != "", until: s.now.Add(downloadLife)}
	token := s.word(letters, 43)
	s.downloads[token] = d
	return http.StatusOK, map[string]any{"hash_type": "SHA1", "hash_value": hash, "download_url": c.origin + downloadPath + "?token=" + token}, nil
}

func creating() *apiError {
	return &apiError{status: http.StatusBadRequest, code: "STATEMENT_CREATING", message: "the bill is being made"}
}

// billDay reads bill_date: a day that is over, for which the bill is ready, and
// not more than three months ago.
func (s *Sim) billDay(text string) (time.Time, *apiError) {
	day, err := time.ParseInLocation(time.DateOnly, text, beijing(s.now).Location())
	if err != nil {
		return day, badQuery("bill_date", "is not like 2006-01-02")
	}
	end := day.AddDate(0, 0, 1)
	switch {
	case s.now.Before(end):
		return day, invalid("bill_date is not over")
	case s.now.Before(end.Add(billReady)):
		return day, creating()
	case s.now.After(day.AddDate(0, 3, 0)):
		return day, invalid("bill_date is more than three months ago")
	}
	return day, nil
}

// file writes a bill down, with what is to be wrong with it. The hash is of the
// file before it is packed.
func (t table) file(trouble BillTrouble) (hash string, body []byte) {
	rows := slices.Clone(t.rows)
	switch trouble {
	case RowMissing:
		rows = rows[1:]
	case RowTwice:
		rows = slices.Insert(rows, 1, rows[0])
	case WrongAmount:
		rows[0].amount++
	case NotYet, WrongTotal, Truncated, WrongHash, Marked, "":
	}
	lines := []string{t.head}
	for _, r := range rows {
		lines = append(lines, ticked(r.text(r.amount)))
	}
	if trouble == WrongTotal {
		rows[0].amount++
	}
	lines = append(lines, t.totals, ticked(t.sum(rows)))
	text := strings.Join(lines, "\n") + "\n"
	if trouble == Marked {
		text = "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")
	}
	sum := sha1.Sum([]byte(text))
	if trouble == WrongHash {
		sum[0] ^= 1
	}
	if trouble == Truncated {
		text = text[:len(text)/2]
	}
	return hex.EncodeToString(sum[:]), []byte(text)
}

// ticked is a line in which spreadsheets take no number for one.
func ticked(fields []string) string {
	for i, f := range fields {
		fields[i] = "`" + strings.Map(func(c rune) rune {
			if c == ',' || c < ' ' {
				return ' '
			}
			return c
		}, f)
	}
	return strings.Join(fields, ",")
}

// fetchBill is the call that a download_url leads to.
func (s *Sim) fetchBill(c *call) (int, any, *apiError) {
	d := s.downloads[c.query.Get("token")]
	if d == nil || len(c.query) != 1 || !s.now.Before(d.until) {
		return 0, nil, invalid("apply for the bill again")
	}
	if !d.zip {
		return http.StatusOK, file{"text/plain; charset=utf-8", d.body}, nil
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(d.body); err != nil {
		panic("wechatpaysim: " + err.Error()) // memory takes everything
	}
	if err := w.Close(); err != nil {
		panic("wechatpaysim: " + err.Error())
	}
	return http.StatusOK, file{"application/gzip", b.Bytes()}, nil
}

// originOf is where a request was sent: what stands before its path.
func originOf(r *http.Request) string {
	u := url.URL{Scheme: "https", Host: r.Host}
	if r.URL.Scheme == "http" || r.URL.Scheme == "" && r.TLS == nil {
		u.Scheme = "http"
	}
	return u.String()
}

// feeOf is what WeChat keeps of an amount: rounded to fen, half up.
func (s *Sim) feeOf(fen int64) int64 {
	if s.cfg.FeeRate < 0 {
		return 0
	}
	return (fen*s.cfg.FeeRate*2 + 10_000) / 20_000
}

// feeBack is what of the fee comes back with a refund: as much as the fee of
// what was left is higher than the fee of what is left now.
func (s *Sim) feeBack(r *refund) int64 {
	before := int64(0)
	for _, other := range r.order.refunds {
		if other == r {
			break
		}
		if other.statusAt(r.createdAt) != Closed {
			before += other.amount
		}
	}
	total := r.order.total
	return s.feeOf(total-before) - s.feeOf(total-before-r.amount)
}

// yuan writes fen with two decimals.
func yuan(fen int64) string {
	minus := ""
	if fen < 0 {
		minus, fen = "-", -fen
	}
	s := strconv.FormatInt(fen, 10)
	for len(s) < 3 {
		s = "0" + s
	}
	return minus + s[:len(s)-2] + "." + s[len(s)-2:]
}

// feeYuan is how bills write fees: rounded to fen, with five decimals.
func feeYuan(fen int64) string { return yuan(fen) + "000" }
