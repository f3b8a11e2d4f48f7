package alipaysim

import (
	"io"
	"net/http"
	"net/url"
	"time"
)

// BillTrouble is what is wrong with one bill.
type BillTrouble string

// The troubles with bills. Where rows are changed, the totals agree with them.
const (
	NotYet       BillTrouble = "not_yet"       // 40004 isp.bill_not_exist, however late it is
	RowMissing   BillTrouble = "row_missing"   // the first row is not there
	RowTwice     BillTrouble = "row_twice"     // the first row is there twice
	WrongAmount  BillTrouble = "wrong_amount"  // the first row's amount is one fen too high
	WrongTotal   BillTrouble = "wrong_total"   // the totals are of one fen more than the rows
	Truncated    BillTrouble = "truncated"     // half of the ZIP
	WrongHash    BillTrouble = "wrong_hash"    // the ZIP's checksums are of other files
	SummaryFirst BillTrouble = "summary_first" // the two files in the other order: nothing says that they have one
)

// BillTroubles are all of them, for tests that try each.
var BillTroubles = []BillTrouble{NotYet, RowMissing, RowTwice, WrongAmount, WrongTotal, Truncated, WrongHash, SummaryFirst}

// SpoilBill lets these troubles befall the next bills that are asked for, one
// each. A question that is refused uses none up.
func (s *Sim) SpoilBill(troubles ...BillTrouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spoilt = append(s.spoilt, troubles...)
}

const (
	billMethod   = "alipay.data.dataservice.bill.downloadurl.query"
	billInvalid  = "isv.invalid_arguments"
	billReady    = 9 * time.Hour // after the day, in Beijing, has ended
	downloadPath = "/downloadBillFile.resource"
	downloadLife = 30 * time.Second
)

// download is a bill that was asked for.
type download struct {
	zip   []byte
	until time.Time
}

// queryBill makes a day's bill and says where it is.
func (s *Sim) queryBill(c call) (object, *failure) {
	if c.content.texts["bill_type"] != "trade" {
		return nil, refused(billInvalid, "only bill_type trade is simulated")
	}
	day, err := time.ParseInLocation(time.DateOnly, c.content.texts["bill_date"], beijing)
	if err != nil {
		return nil, refused(billInvalid, "only bill_date like 2006-01-02 is simulated")
	}
	end := day.AddDate(0, 0, 1)
	if s.now.Before(end) {
		return nil, refused(billInvalid, "the day is not over")
	}
	b := s.tradeBill(day, end)
	if s.now.Before(end.Add(billReady)) || len(b.rows) == 0 {
		return nil, noBill()
	}
	var trouble BillTrouble
	if len(s.spoilt) > 0 {
		trouble, s.spoilt = s.spoilt[0], s.spoilt[1:]
	}
	if trouble == NotYet {
		return nil, noBill()
	}
	name := b.account + "_" + day.Format("20060102")
	query := "bizType=trade&userId=" + b.account + "&fileType=csv.zip&bizDates=" + day.Format("20060102") +
		"&downloadFileName=" + name + ".csv.zip&fileId=" + s.letters(32, "0123456789abcdef")
	s.downloads[inOrder(query)] = &download{zip: b.zip(name, trouble), until: s.now.Add(downloadLife)}
	return object{{"bill_download_url", s.cfg.PageBase + downloadPath + "?" + query}}, nil
}

func noBill() *failure { return refused("isp.bill_not_exist", "there is no such bill") }

// inOrder is a query by which equal ones are found. What cannot be read is "".
func inOrder(query string) string {
	v, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	return v.Encode()
}

// serveBill is what a bill_download_url leads to: no signature is asked for,
// and none is given.
func (s *Sim) serveBill(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.mu.Unlock()
	d := s.downloads[inOrder(r.URL.RawQuery)]
	if r.Method != http.MethodGet || d == nil || !s.now.Before(d.until) {
		w.Header().Set("Content-Type", "text/html;charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html>\n<title>Gone</title>\n<p>This address is not good, or not any more.\n") // the caller has left; that is their affair
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(d.zip) // as above
}

// fee is what Alipay keeps of an amount: rounded to fen, half up.
func (s *Sim) fee(fen int64) int64 {
	if s.cfg.FeeRate < 0 {
		return 0
	}
	return (fen*s.cfg.FeeRate*2 + 10_000) / 20_000
}
