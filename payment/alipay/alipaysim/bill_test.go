package alipaysim_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/payment/alipay/alipaysim"
)

const (
	billURL = "alipay.data.dataservice.bill.downloadurl.query"
	account = sellerID + "0156"
)

// till moves the clock to an instant in Beijing.
func (w *town) till(t testing.TB, clock string) {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05", clock, zone)
	if err != nil || at.Before(w.clock()) {
		t.Fatalf("cannot go to %q: %v", clock, err)
	}
	w.pass(at.Sub(w.clock()))
}

func billOf(day string) biz { return biz{"bill_type": "trade", "bill_date": day} }

// download follows an address of a bill.
func (w *town) download(link string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, link, nil))
	return rec
}

// ask asks for a day's bill and downloads it.
func (w *town) ask(t testing.TB, day string) []byte {
	t.Helper()
	a := w.call(billURL, billOf(day))
	if a.said() != "10000" || !isAlipays(a.raw, a.sign) || a.name != "alipay_data_dataservice_bill_downloadurl_query_response" {
		t.Fatalf("%s: %s %s", day, a.name, a.raw)
	}
	return w.download(a.at("bill_download_url")).Body.Bytes()
}

// unpack reads the files of a ZIP by their names.
func unpack(raw []byte) (names []string, texts map[string]string, err error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, nil, err
	}
	plain := simplifiedchinese.GBK.NewDecoder()
	texts = map[string]string{}
	for _, f := range z.File {
		name, err := plain.String(f.Name)
		if err != nil || !f.NonUTF8 {
			return nil, nil, fmt.Errorf("the name %q: %w", f.Name, err)
		}
		r, err := f.Open()
		if err != nil {
			return nil, nil, err
		}
		body, err := io.ReadAll(r)
		if err != nil {
			return nil, nil, err
		}
		text, err := plain.Bytes(body)
		if err != nil {
			return nil, nil, err
		}
		names, texts[name] = append(names, name), string(text)
	}
	return names, texts, nil
}

// statement is a bill as a reader has it.
type statement struct {
	detail, summary string
	rows            []map[string]string // of the detail
	sums            map[string]string   // of the summary
}

func readBill(t testing.TB, raw []byte, day string) (b statement) {
	t.Helper()
	names, texts, err := unpack(raw)
	name := account + "_" + strings.ReplaceAll(day, "-", "")
	slices.Sort(names)
	if err != nil || !slices.Equal(names, []string{name + "_业务明细(汇总).csv", name + "_业务明细.csv"}) {
		t.Fatalf("the ZIP: %v, %v", names, err)
	}
	b.detail, b.summary = texts[name+"_业务明细.csv"], texts[name+"_业务明细(汇总).csv"]
	b.rows = readTable(t, b.detail)
	b.sums = readTable(t, b.summary)[0]
	return b
}

// readTable takes a file apart: comments are skipped, the first line that is
// none names the columns.
func readTable(t testing.TB, text string) (rows []map[string]string) {
	t.Helper()
	var head []string
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		fields := strings.Split(line, ",")
		switch {
		case strings.HasPrefix(line, "#"):
			continue
		case head == nil:
			head = fields
			continue
		case len(fields) != len(head):
			t.Fatalf("%d columns, %d values: %q", len(head), len(fields), line)
		}
		m := map[string]string{}
		for i, v := range fields {
			m[head[i]] = strings.TrimSpace(v)
		}
		rows = append(rows, m)
	}
	return rows
}

// shows checks pairs of column and value.
func shows(t testing.TB, m map[string]string, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got, there := m[pairs[i]]; !there || got != pairs[i+1] {
			t.Errorf("%s is %q, want %q", pairs[i], got, pairs[i+1])
		}
	}
}

// busyDay is 2031-05-04: a payment, a part of it back, and a payment by a code
// that is cancelled.
func busyDay(t *testing.T, change ...func(*alipaysim.Config)) *town {
	t.Helper()
	w := newTown(change...)
	w.till(t, "2031-05-04 11:59:58")
	w.opened(t, page, "first", "total_amount", "1299.02", "body", "10 GB, 30 天 🐼")
	if err := w.Login("first"); err != nil {
		t.Fatal(err)
	}
	w.till(t, "2031-05-04 12:00:00")
	if _, err := w.Pay("first"); err != nil {
		t.Fatal(err)
	}
	w.till(t, "2031-05-04 13:00:00")
	w.want(t, w.call(refund, biz{"out_trade_no": "first", "refund_amount": "1000", "out_request_no": "back-1"}), "10000")
	w.till(t, "2031-05-04 14:00:00")
	w.bought(t, code, "second")
	w.want(t, w.call(cancel, biz{"out_trade_no": "second"}), "10000")
	w.till(t, "2031-05-04 15:00:00")
	w.opened(t, wap, "unpaid")
	return w
}

func TestBill(t *testing.T) {
	w := busyDay(t)
	w.till(t, "2031-05-05 09:00:00")
	b := readBill(t, w.ask(t, "2031-05-04"), "2031-05-04")
	if len(b.rows) != 4 {
		t.Fatal(b.detail)
	}
	id := w.call(query, biz{"out_trade_no": "first"}).at("trade_no")
	shows(t, b.rows[0], "支付宝交易号", id, "商户订单号", "first", "业务类型", "交易", "商品名称", "30 天 30 days",
		"创建时间", "2031-05-04 11:59:58", "完成时间", "2031-05-04 12:00:00", "订单金额（元）", "1299.02", "商家实收（元）", "1299.02",
		"支付宝优惠（元）", "0.00", "退款批次号/请求号", "", "服务费（元）", "-7.79", "分润（元）", "0.00", "备注", "10 GB  30 天 ?")
	shows(t, b.rows[1], "支付宝交易号", id, "商户订单号", "first", "业务类型", "退款", "完成时间", "2031-05-04 13:00:00",
		"订单金额（元）", "-1000.00", "商家实收（元）", "-1000.00", "退款批次号/请求号", "back-1", "服务费（元）", "6.00")
	shows(t, b.rows[2], "商户订单号", "second", "业务类型", "交易", "商家实收（元）", "19.80", "服务费（元）", "-0.12")
	shows(t, b.rows[3], "商户订单号", "second", "业务类型", "退款", "商家实收（元）", "-19.80", "退款批次号/请求号", "second", "服务费（元）", "0.12")
	shows(t, b.sums, "门店编号", "合计", "交易订单总笔数", "2", "退款订单总笔数", "2", "订单金额（元）", "299.02", "商家实收（元）", "299.02",
		"服务费（元）", "-1.79", "实收净额（元）", "297.23")
}

// What is around the tables, and the marks that keep spreadsheets from taking
// numbers for numbers, are written as in published bills.
func TestBillFrame(t *testing.T) {
	w := busyDay(t)
	w.till(t, "2031-05-06 00:00:00")
	b := readBill(t, w.ask(t, "2031-05-04"), "2031-05-04")
	lines := strings.Split(b.detail, "\r\n")
	wantLines := map[int]string{
		0:  "#支付宝业务明细查询",
		1:  "#账号：[20880000000000010156]",
		2:  "#起始日期：[2031年05月04日 00:00:00]   终止日期：[2031年05月05日 00:00:00]",
		3:  "#-----------------------------------------业务明细列表----------------------------------------",
		4:  "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注",
		9:  "#-----------------------------------------业务明细列表结束------------------------------------",
		10: "#交易合计：2笔，商家实收共1318.82元，商家优惠共0.00元",
		11: "#退款合计：2笔，商家实收退款共-1019.80元，商家优惠退款共0.00元",
		12: "#导出时间：[2031年05月05日 09:00:00]",
		13: "",
	}
	for i, line := range wantLines {
		if len(lines) != 14 || lines[i] != line {
			t.Errorf("line %d is %q, want %q", i, lines[i], line)
		}
	}
	if row := "\t,first\t,退款\t,30 天 30 days,2031-05-04 13:00:00,2031-05-04 13:00:00,\t,\t,\t,\t,*客(tra***@example.test)\t,-1000.00,-1000.00,0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,back-1\t,6.00,0.00,10 GB  30 天 ?"; !strings.HasSuffix(lines[6], row) {
		t.Errorf("the refund is %q", lines[6])
	}
	lines = strings.Split(b.summary, "\r\n")
	if lines[0] != "#支付宝业务汇总查询" || lines[4] != "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）" {
		t.Errorf("the summary is %s", b.summary)
	}
}

// A day is Beijing's: from 16:00 of the day before, in UTC.
func TestBillDayIsBeijings(t *testing.T) {
	w := newTown()
	w.till(t, "2031-05-04 23:59:59")
	w.bought(t, page, "first")
	w.till(t, "2031-05-05 00:00:00")
	w.bought(t, page, "second")
	w.want(t, w.call(refund, biz{"out_trade_no": "first", "refund_amount": "1", "out_request_no": "1"}), "10000")
	w.pass(time.Second)
	w.want(t, w.call(refund, biz{"out_trade_no": "first", "refund_amount": "2", "out_request_no": "2"}), "10000")
	w.till(t, "2031-05-06 00:00:00")
	if err := w.RefundByHand("first", 100); err != nil {
		t.Fatal(err)
	}
	w.till(t, "2031-05-07 09:00:00")
	for day, want := range map[string]string{"2031-05-04": "first 19.80", "2031-05-05": "first -1.00, second 19.80, first -2.00", "2031-05-06": "first -1.00"} {
		var got []string
		for _, r := range readBill(t, w.ask(t, day), day).rows {
			got = append(got, r["商户订单号"]+" "+r["商家实收（元）"])
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s has %q, want %s", day, got, want)
		}
	}
}

func TestBillsAreReadyAtNine(t *testing.T) {
	w := busyDay(t)
	w.want(t, w.call(billURL, billOf("2031-05-04")), "isv.invalid_arguments")
	w.till(t, "2031-05-05 00:00:00")
	w.want(t, w.call(billURL, billOf("2031-05-04")), "isp.bill_not_exist")
	w.till(t, "2031-05-05 08:59:59")
	w.want(t, w.call(billURL, billOf("2031-05-04")), "isp.bill_not_exist")
	w.pass(time.Second)
	first := w.ask(t, "2031-05-04")
	w.want(t, w.call(billURL, billOf("2031-05-03")), "isp.bill_not_exist")
	w.want(t, w.call(billURL, billOf("2031-05-05")), "isv.invalid_arguments")

	w.want(t, w.call(refund, biz{"out_trade_no": "first", "refund_amount": "1", "out_request_no": "back-2"}), "10000")
	w.pass(48 * time.Hour)
	if again := w.ask(t, "2031-05-04"); !bytes.Equal(first, again) {
		t.Error("the bill changed")
	}
}

func TestBillRefusals(t *testing.T) {
	w := busyDay(t)
	w.till(t, "2031-05-05 09:00:00")
	for _, b := range []biz{
		{},
		{"bill_type": "trade"},
		{"bill_date": "2031-05-04"},
		{"bill_type": "signcustomer", "bill_date": "2031-05-04"},
		billOf("2031-05"), billOf("20310504"),
		billOf("2031-05-32"),
		{"bill_type": "trade", "bill_date": "2031-05-04", "seller": "x"},
		{"bill_type": "trade", "bill_date": 20310504},
	} {
		a := w.call(billURL, b)
		if a.at("code") != "40004" {
			t.Errorf("%v: %s", b, a.raw)
		}
		w.want(t, a, "isv.invalid_arguments")
	}
	w.want(t, w.call(billURL, "{"), "isv.illegal-json")
	p := w.request(billURL, billOf("2031-05-04"))
	p.Set("sign", p.Get("sign")[4:]+"AAAA")
	w.want(t, w.send(p), "isv.invalid-signature")
	w.want(t, w.call(query, biz{"trade": "x"}), "ACQ.INVALID_PARAMETER") // as ever
}

func TestBillAddress(t *testing.T) {
	w := busyDay(t)
	w.till(t, "2031-05-05 09:00:00")
	link := w.call(billURL, billOf("2031-05-04")).at("bill_download_url")
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if !strings.HasPrefix(link, "https://pages.test/downloadBillFile.resource?bizType=trade&userId="+account+
		"&fileType=csv.zip&bizDates=20310504&downloadFileName="+account+"_20310504.csv.zip&fileId=") || len(q) != 6 {
		t.Errorf("the address is %s", link)
	}
	if other := w.call(billURL, billOf("2031-05-04")).at("bill_download_url"); other == link {
		t.Error("two questions have one address")
	}
	w.pass(30*time.Second - time.Nanosecond)
	got := w.download(link)
	readBill(t, got.Body.Bytes(), "2031-05-04")
	if h := got.Header(); h.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%v", h)
	}
	u.RawQuery = q.Encode() // in another order
	readBill(t, w.download(u.String()).Body.Bytes(), "2031-05-04")
	for name := range q {
		bad := u.Query()
		bad.Set(name, "x")
		u.RawQuery = bad.Encode()
		gone(t, w.download(u.String()))
		u.RawQuery = q.Encode()
	}
	gone(t, w.download("https://pages.test/downloadBillFile.resource"))
	gone(t, w.download("https://pages.test/downloadBillFile.resource?a=%zz"))
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, link, nil))
	gone(t, rec)
	w.pass(time.Nanosecond)
	gone(t, w.download(link))
}

// gone checks that an answer is a page, although its status is 200.
func gone(t testing.TB, rec *httptest.ResponseRecorder) {
	t.Helper()
	if rec.Code != 200 || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html") || !strings.Contains(rec.Body.String(), "not good") {
		t.Errorf("%d %v: %q", rec.Code, rec.Header(), rec.Body)
	}
}

func TestBillFees(t *testing.T) {
	for rate, fee := range map[int64]string{0: "-7.79", -1: "0.00", 38: "-4.94", 100: "-12.99"} {
		w := busyDay(t, func(c *alipaysim.Config) { c.FeeRate = rate })
		w.till(t, "2031-05-05 09:00:00")
		shows(t, readBill(t, w.ask(t, "2031-05-04"), "2031-05-04").rows[0], "服务费（元）", fee)
	}
}

func TestSpoiltBills(t *testing.T) {
	const day = "2031-05-04"
	w := busyDay(t)
	w.till(t, "2031-05-05 09:00:00")
	raw := w.ask(t, day)
	good := readBill(t, raw, day)
	for _, trouble := range alipaysim.BillTroubles {
		w.SpoilBill(trouble)
		w.want(t, w.call(billURL, billOf("2031-05-03")), "isp.bill_not_exist") // uses none up
		if trouble == alipaysim.NotYet {
			w.want(t, w.call(billURL, billOf(day)), "isp.bill_not_exist")
			continue
		}
		bad := w.ask(t, day)
		names, _, err := unpack(bad)
		switch trouble {
		case alipaysim.Truncated:
			if err == nil || !bytes.Equal(bad, raw[:len(raw)/2]) {
				t.Errorf("half of the ZIP: %v", err)
			}
			continue
		case alipaysim.WrongHash:
			if _, err := zip.NewReader(bytes.NewReader(bad), int64(len(bad))); err != nil {
				t.Error("the ZIP has no list of files")
			}
			if err == nil || !strings.Contains(err.Error(), "checksum") {
				t.Errorf("wrong checksums: %v", err)
			}
			continue
		case alipaysim.SummaryFirst:
			if !strings.HasSuffix(names[0], "(汇总).csv") {
				t.Errorf("the files are %v", names)
			}
		case alipaysim.NotYet, alipaysim.RowMissing, alipaysim.RowTwice, alipaysim.WrongAmount, alipaysim.WrongTotal:
		}
		spoilt(t, trouble, good, readBill(t, bad, day))
	}
	if again := w.ask(t, day); !bytes.Equal(again, raw) {
		t.Error("the troubles did not end")
	}
}

// spoilt checks what a trouble did to a bill.
func spoilt(t testing.TB, trouble alipaysim.BillTrouble, good, bad statement) {
	t.Helper()
	lines := func(b statement) []string {
		all := strings.Split(b.detail, "\r\n")
		return all[5 : 5+len(b.rows)]
	}
	was, is := lines(good), lines(bad)
	ok, agree := false, true
	switch trouble {
	case alipaysim.RowMissing:
		ok = slices.Equal(is, was[1:])
	case alipaysim.RowTwice:
		ok = slices.Equal(is[1:], was) && is[0] == was[0]
	case alipaysim.WrongAmount:
		ok = slices.Equal(is[1:], was[1:]) && is[0] == strings.ReplaceAll(was[0], "1299.02", "1299.03")
	case alipaysim.WrongTotal:
		ok, agree = slices.Equal(is, was), false
	case alipaysim.SummaryFirst:
		ok = bad.detail == good.detail && bad.summary == good.summary
	case alipaysim.NotYet, alipaysim.Truncated, alipaysim.WrongHash: // nothing to be read
	}
	if !ok {
		t.Errorf("%s: rows\n%s\nwere\n%s", trouble, strings.Join(is, "\n"), strings.Join(was, "\n"))
	}
	if got := addsUp(t, bad); got != agree {
		t.Errorf("%s: the totals agree: %v\n%s", trouble, got, bad.detail)
	}
}

// fenOf reads yuan that may be less than nothing.
func fenOf(t testing.TB, s string) int64 {
	t.Helper()
	if len(s) < 4 || s[len(s)-3] != '.' {
		t.Fatalf("%q is not an amount with two decimals", s)
	}
	n, err := strconv.ParseInt(strings.Replace(s, ".", "", 1), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// addsUp reports whether both files say what the rows say.
func addsUp(t testing.TB, b statement) bool {
	t.Helper()
	var sums [2]int64
	var counts [2]int
	var fees int64
	for _, r := range b.rows {
		i := slices.Index([]string{"交易", "退款"}, r["业务类型"])
		if i < 0 || r["订单金额（元）"] != r["商家实收（元）"] {
			t.Fatalf("a row: %v", r)
		}
		sums[i] += fenOf(t, r["商家实收（元）"])
		counts[i]++
		fees += fenOf(t, r["服务费（元）"])
	}
	var shown [2]string
	for line := range strings.SplitSeq(b.detail, "\r\n") {
		for i, start := range []string{"#交易合计：", "#退款合计："} {
			if rest, is := strings.CutPrefix(line, start); is {
				n, rest, _ := strings.Cut(rest, "笔，商家实收")
				_, rest, _ = strings.Cut(rest, "共")
				amount, _, _ := strings.Cut(rest, "元，")
				shown[i] = n + " " + strconv.FormatInt(fenOf(t, amount), 10)
			}
		}
	}
	net := sums[0] + sums[1]
	return shown == [2]string{fmt.Sprint(counts[0], sums[0]), fmt.Sprint(counts[1], sums[1])} &&
		b.sums["交易订单总笔数"] == strconv.Itoa(counts[0]) && b.sums["退款订单总笔数"] == strconv.Itoa(counts[1]) &&
		fenOf(t, b.sums["商家实收（元）"]) == net && fenOf(t, b.sums["订单金额（元）"]) == net &&
		fenOf(t, b.sums["服务费（元）"]) == fees && fenOf(t, b.sums["实收净额（元）"]) == net+fees
}

// Whatever happened, the bills of all days together say what the simulator
// knows; and who gave everything back has paid no fee.
func TestBillsAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newTown()
		refs := []string{"a", "b"}
		for _, ref := range refs {
			yuan := fmt.Sprintf("%d.%02d", rapid.IntRange(1, 5000).Draw(rt, "yuan"), rapid.IntRange(0, 99).Draw(rt, "fen"))
			if _, err := w.Open(w.link(wap, order(wap, ref, "total_amount", yuan))); err != nil {
				rt.Fatal(err)
			}
			if _, err := w.Pay(ref); err != nil {
				rt.Fatal(err)
			}
			for range rapid.IntRange(0, 4).Draw(rt, "refunds") {
				w.pass(time.Duration(rapid.IntRange(0, 30).Draw(rt, "hours")) * time.Hour)
				left := w.Captured(ref).Minor - w.Refunded(ref).Minor
				if left == 0 {
					break
				}
				if err := w.RefundByHand(ref, rapid.OneOf(rapid.Int64Range(1, left), rapid.Just(left)).Draw(rt, "part")); err != nil {
					rt.Fatal(err)
				}
			}
		}
		last := w.clock().In(zone)
		w.pass(48 * time.Hour)
		took, gave, fees := map[string]int64{}, map[string]int64{}, map[string]int64{}
		for day := time.Date(2031, 5, 4, 0, 0, 0, 0, zone); day.Before(last); day = day.AddDate(0, 0, 1) {
			date := day.Format("2006-01-02")
			if w.call(billURL, billOf(date)).said() == "isp.bill_not_exist" {
				continue
			}
			b := readBill(t, w.ask(t, date), date)
			if !addsUp(t, b) {
				rt.Fatal(b.detail, b.summary)
			}
			for _, r := range b.rows {
				fen := fenOf(t, r["商家实收（元）"])
				if r["退款批次号/请求号"] == "" {
					took[r["商户订单号"]] += fen
				} else {
					gave[r["商户订单号"]] -= fen
				}
				fees[r["商户订单号"]] += fenOf(t, r["服务费（元）"])
			}
		}
		for _, ref := range refs {
			kept := w.Captured(ref).Minor - w.Refunded(ref).Minor
			if took[ref] != w.Captured(ref).Minor || gave[ref] != w.Refunded(ref).Minor || fees[ref] != -(kept*60*2+10_000)/20_000 {
				rt.Errorf("%s: took %d, gave %d, fees %d; kept %d", ref, took[ref], gave[ref], fees[ref], kept)
			}
		}
	})
}
