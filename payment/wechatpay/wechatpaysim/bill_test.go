package wechatpaysim_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	sim "github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
)

// till moves the clock to an instant in Beijing.
func (w *town) till(clock string) {
	w.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04:05", clock, time.FixedZone("", 8*60*60))
	if err != nil || at.Before(w.clock()) {
		w.t.Fatalf("cannot go to %q: %v", clock, err)
	}
	w.pass(at.Sub(w.clock()))
}

// download follows a download_url, as a client that asks for no particular kind.
func (w *town) download(link string) (int, http.Header, []byte) {
	w.t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.request("GET", u.RequestURI(), "")
	r.Header.Del("Accept")
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec.Code, rec.Header(), rec.Body.Bytes()
}

const (
	trades = "/v3/bill/tradebill"
	funds  = "/v3/bill/fundflowbill"
)

// bill applies for a bill and gives its file, and the hash that was promised.
func (w *town) bill(path, query string) (text, hash string) {
	w.t.Helper()
	got := w.call("GET", path+"?"+query, "")
	want(w.t, got, 200, "hash_type", "SHA1")
	if len(got.body) != 3 {
		w.t.Errorf("the answer has other members: %s", got.raw)
	}
	status, h, body := w.download(got.at("download_url").(string))
	if status != 200 || h.Get("Wechatpay-Signature") != "" {
		w.t.Fatalf("the file: %d, %v", status, h)
	}
	return string(body), got.at("hash_value").(string)
}

func sha(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// statement is a bill as a reader has it: values by column.
type statement struct {
	rows   []map[string]string
	totals map[string]string
}

func readBill(t testing.TB, text string) statement {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 4 || !strings.HasSuffix(text, "\n") {
		t.Fatalf("not a bill: %q", text)
	}
	read := func(head, line string) map[string]string {
		names, values := strings.Split(head, ","), strings.Split(line, ",")
		if len(names) != len(values) {
			t.Fatalf("%d columns, %d values: %s", len(names), len(values), line)
		}
		m := map[string]string{}
		for i, v := range values {
			bare, ticked := strings.CutPrefix(v, "`")
			if !ticked {
				t.Fatalf("a value without its mark: %q in %s", v, line)
			}
			m[names[i]] = bare
		}
		return m
	}
	end := len(lines) - 2
	b := statement{totals: read(lines[end], lines[end+1])}
	for _, line := range lines[1:end] {
		b.rows = append(b.rows, read(lines[0], line))
	}
	return b
}

// has checks pairs of column and value.
func has(t testing.TB, m map[string]string, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got, there := m[pairs[i]]; !there || got != pairs[i+1] {
			t.Errorf("%s is %q, want %q", pairs[i], got, pairs[i+1])
		}
	}
}

// busyDay is 2031-05-04: two payments and a refund of the first, at known times.
func busyDay(t testing.TB, change ...func(*sim.Config)) (w *town, first, second string) {
	t.Helper()
	w = newTown(t, change...)
	w.till("2031-05-04 12:00:00")
	first = w.paid("order-1", 129902)
	w.till("2031-05-04 13:00:00")
	want(t, w.refund("order-1", "back-1", 100, 129902), 200)
	w.till("2031-05-04 14:00:00")
	second = w.paid("order-2", 100)
	return w, first, second
}

func TestTradeBill(t *testing.T) {
	w, first, second := busyDay(t)
	w.till("2031-05-05 10:00:00")
	text, hash := w.bill(trades, "bill_date=2031-05-04")
	if hash != sha(text) {
		t.Errorf("hash %s, the file has %s", hash, sha(text))
	}
	wantHead := "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\n"
	if !strings.HasPrefix(text, wantHead) {
		t.Errorf("columns: %s", text)
	}
	b := readBill(t, text)
	if len(b.rows) != 3 {
		t.Fatalf("%d rows: %s", len(b.rows), text)
	}
	has(t, b.rows[0],
		"交易时间", "2031-05-04 12:00:00", "公众账号ID", appID, "商户号", mchID, "特约商户号", "0", "微信订单号", first, "商户订单号", "order-1",
		"交易类型", "NATIVE", "交易状态", "SUCCESS", "货币种类", "CNY", "应结订单金额", "1299.02", "代金券金额", "0.00",
		"微信退款单号", "0", "商户退款单号", "0", "退款金额", "0.00", "退款类型", "", "退款状态", "",
		"商品名称", "30 天", "手续费", "7.79000", "费率", "0.60%", "订单金额", "1299.02", "申请退款金额", "0.00")
	has(t, b.rows[1],
		"交易时间", "2031-05-04 13:00:00", "微信订单号", first, "商户订单号", "order-1", "交易状态", "REFUND", "应结订单金额", "0.00",
		"商户退款单号", "back-1", "退款金额", "1.00", "退款类型", "ORIGINAL", "退款状态", "SUCCESS",
		"手续费", "0.00000", "订单金额", "0.00", "申请退款金额", "1.00")
	if id := b.rows[1]["微信退款单号"]; w.call("GET", refunds+"/back-1", "").at("refund_id") != id {
		t.Errorf("the refund's number is %s", id)
	}
	has(t, b.rows[2], "微信订单号", second, "手续费", "0.01000")
	has(t, b.totals, "总交易单数", "3", "应结订单总金额", "1300.02", "退款总金额", "1.00", "充值券退款总金额", "0.00", "手续费总金额", "7.80000",
		"订单总金额", "1300.02", "申请退款总金额", "1.00")
}

func TestTradeBillOfOneKind(t *testing.T) {
	w, first, _ := busyDay(t)
	w.till("2031-05-06 00:00:00")
	text, _ := w.bill(trades, "bill_date=2031-05-04&bill_type=SUCCESS")
	b := readBill(t, text)
	if len(b.rows) != 2 || strings.Contains(text, "退款") {
		t.Errorf("payments: %s", text)
	}
	has(t, b.rows[0], "应结订单金额", "1299.02", "手续费", "7.79000", "订单金额", "1299.02")
	has(t, b.totals, "总交易单数", "2", "应结订单总金额", "1300.02", "手续费总金额", "7.80000", "订单总金额", "1300.02")

	text, _ = w.bill(trades, "bill_date=2031-05-04&bill_type=REFUND")
	b = readBill(t, text)
	if len(b.rows) != 1 {
		t.Fatalf("refunds: %s", text)
	}
	has(t, b.rows[0], "微信订单号", first, "退款申请时间", "2031-05-04 13:00:00", "退款成功时间", "2031-05-04 13:00:03", "退款金额", "1.00")
	has(t, b.totals, "总交易单数", "1", "应结订单总金额", "0.00", "退款总金额", "1.00", "申请退款总金额", "1.00")
}

func TestFundBill(t *testing.T) {
	w := newTown(t)
	w.till("2031-05-04 12:00:00")
	first := w.paid("order-1", 129902)
	w.till("2031-05-05 13:00:00")
	want(t, w.refund("order-1", "back-1", 100000, 129902), 200)
	w.till("2031-05-05 14:00:00")
	w.paid("order-2", 50) // its fee is less than half a fen
	w.till("2031-05-06 10:00:00")
	text, hash := w.bill(funds, "bill_date=2031-05-05&account_type=BASIC")
	if hash != sha(text) || !strings.HasPrefix(text, "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\n") {
		t.Errorf("%s\n%s", hash, text)
	}
	b := readBill(t, text)
	if len(b.rows) != 3 {
		t.Fatal(text)
	}
	has(t, b.rows[0], "记账时间", "2031-05-05 13:00:00", "业务名称", "退款", "业务类型", "退款", "收支类型", "支出",
		"收支金额(元)", "1000.00", "账户结余(元)", "291.23", "业务凭证号", "back-1")
	has(t, b.rows[1], "业务类型", "退回交易手续费", "收支类型", "收入", "收支金额(元)", "6.00", "账户结余(元)", "297.23", "业务凭证号", "back-1")
	has(t, b.rows[2], "业务类型", "交易", "收支类型", "收入", "收支金额(元)", "0.50", "账户结余(元)", "297.73", "业务凭证号", "order-2")
	has(t, b.totals, "资金流水总笔数", "3.0", "收入笔数", "2.0", "收入金额", "6.50", "支出笔数", "1.0", "支出金额", "1000.00")

	text, _ = w.bill(funds, "bill_date=2031-05-04")
	b = readBill(t, text)
	has(t, b.rows[0], "微信支付业务单号", first, "业务类型", "交易", "收支金额(元)", "1299.02", "账户结余(元)", "1299.02")
	has(t, b.rows[1], "微信支付业务单号", first, "业务类型", "扣除交易手续费", "收支类型", "支出", "收支金额(元)", "7.79", "账户结余(元)", "1291.23")
	seen := map[string]bool{}
	for _, r := range b.rows {
		seen[r["资金流水单号"]] = true
	}
	if len(seen) != len(b.rows) {
		t.Errorf("movements share a number: %s", text)
	}
	for _, account := range []string{"OPERATION", "FEES"} {
		want(t, w.call("GET", funds+"?bill_date=2031-05-05&account_type="+account, ""), 400, "code", "NO_STATEMENT_EXIST")
	}
}

// A day is Beijing's: from 16:00 of the day before, in UTC.
func TestBillDayIsBeijings(t *testing.T) {
	w := newTown(t)
	w.till("2031-05-04 23:59:59")
	w.paid("order-1", 100)
	w.till("2031-05-05 00:00:00")
	w.paid("order-2", 200)
	want(t, w.refund("order-1", "back-1", 100, 100), 200)
	w.till("2031-05-06 10:00:00")
	for date, refs := range map[string]string{"2031-05-04": "order-1", "2031-05-05": "order-1 order-2"} {
		var got []string
		text, _ := w.bill(trades, "bill_date="+date)
		for _, r := range readBill(t, text).rows {
			got = append(got, r["商户订单号"])
		}
		if strings.Join(got, " ") != refs {
			t.Errorf("%s has %v, want %s", date, got, refs)
		}
	}
}

func TestBillsAreReadyAtTen(t *testing.T) {
	w, _, _ := busyDay(t)
	for _, path := range []string{trades, funds} {
		want(t, w.call("GET", path+"?bill_date=2031-05-04", ""), 400, "code", "INVALID_REQUEST")
	}
	w.till("2031-05-05 09:59:59")
	for _, path := range []string{trades, funds} {
		want(t, w.call("GET", path+"?bill_date=2031-05-04", ""), 400, "code", "STATEMENT_CREATING")
	}
	w.pass(time.Second)
	for _, path := range []string{trades, funds} {
		want(t, w.call("GET", path+"?bill_date=2031-05-04", ""), 200)
		want(t, w.call("GET", path+"?bill_date=2031-05-03", ""), 400, "code", "NO_STATEMENT_EXIST")
	}
	w.till("2031-08-04 00:00:01")
	want(t, w.call("GET", trades+"?bill_date=2031-05-04", ""), 400, "code", "INVALID_REQUEST")
}

func TestBillRefusals(t *testing.T) {
	w, _, _ := busyDay(t)
	w.till("2031-05-05 10:00:00")
	for _, q := range []string{
		"", "bill_date=", "bill_date=20310504", "bill_date=2031-05-32", "bill_date=2031-05-04&bill_date=2031-05-04",
		"bill_date=2031-05-04&bill_type=all", "bill_date=2031-05-04&bill_type=", "bill_date=2031-05-04&bill_type=BASIC",
		"bill_date=2031-05-04&tar_type=gzip", "bill_date=2031-05-04&tar_type=", "bill_date=2031-05-04&account_type=BASIC",
	} {
		want(t, w.call("GET", trades+"?"+q, ""), 400, "code", "PARAM_ERROR")
	}
	want(t, w.call("GET", funds+"?bill_date=2031-05-04&bill_type=ALL", ""), 400, "code", "PARAM_ERROR")
	want(t, w.call("GET", funds+"?bill_date=2031-05-04&account_type=ALL", ""), 400, "code", "PARAM_ERROR")
	want(t, w.call("POST", trades, "{}"), 404)
	r := w.request("GET", trades+"?bill_date=2031-05-04", "")
	r.Header.Del("Authorization")
	want(t, w.send(r), 401)
}

func TestDownload(t *testing.T) {
	w, _, _ := busyDay(t)
	w.till("2031-05-05 10:00:00")
	apply := func(more string) (link, hash string) {
		got := w.call("GET", trades+"?bill_date=2031-05-04"+more, "")
		want(t, got, 200)
		return got.at("download_url").(string), got.at("hash_value").(string)
	}
	plain, hash := apply("")
	packed, sameHash := apply("&tar_type=GZIP")
	if hash != sameHash || plain == packed {
		t.Errorf("hashes %s and %s, links %s and %s", hash, sameHash, plain, packed)
	}
	_, _, body := w.download(packed)
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	inside, err := io.ReadAll(z)
	if err != nil || sha(string(inside)) != hash {
		t.Errorf("the packed file: %v, %s", err, inside)
	}
	if !strings.HasPrefix(plain, "http://example.com/v3/billdownload/file?token=") {
		t.Errorf("the link leads to %s", plain)
	}

	unsignedCall := httptest.NewRequest(http.MethodGet, plain, nil)
	unsignedCall.Header.Set("Accept", "application/json")
	want(t, w.send(unsignedCall), 401, "code", "SIGN_ERROR")
	want(t, w.call("GET", "/v3/billdownload/file?token=x", ""), 400, "code", "INVALID_REQUEST")
	u, _ := url.Parse(plain)
	want(t, w.call("GET", u.RequestURI()+"&tar_type=GZIP", ""), 400, "code", "INVALID_REQUEST")

	w.pass(5*time.Minute - time.Nanosecond)
	if status, _, again := w.download(plain); status != 200 || sha(string(again)) != hash {
		t.Errorf("the second download: %d", status)
	}
	w.pass(time.Nanosecond)
	want(t, w.call("GET", u.RequestURI(), ""), 400, "code", "INVALID_REQUEST")
}

// A download_url leads to where the application went, however it got there.
func TestDownloadOrigin(t *testing.T) {
	w, _, _ := busyDay(t)
	w.till("2031-05-05 10:00:00")
	for _, origin := range []string{"https://api.mch.weixin.qq.com", "http://127.0.0.1:4711"} {
		u, err := url.Parse(origin + trades + "?bill_date=2031-05-04")
		if err != nil {
			t.Fatal(err)
		}
		onWire := w.request("GET", u.RequestURI(), "")
		onWire.Host, onWire.URL = u.Host, u
		if link, _ := w.send(onWire).at("download_url").(string); !strings.HasPrefix(link, origin+"/v3/billdownload/") {
			t.Errorf("%s: %s", origin, link)
		}
	}
	secure := w.request("GET", trades+"?bill_date=2031-05-04", "")
	secure.TLS = &tls.ConnectionState{}
	if link, _ := w.send(secure).at("download_url").(string); !strings.HasPrefix(link, "https://example.com/") {
		t.Errorf("over TLS: %s", link)
	}
}

func TestRefundsInBills(t *testing.T) {
	w := newTown(t)
	for _, ref := range []string{"order-held", "order-sick", "order-shut"} {
		w.paid(ref, 10000)
	}
	w.HoldRefunds(true)
	for _, ref := range []string{"held", "sick", "shut"} {
		want(t, w.refund("order-"+ref, ref, 10000, 10000), 200)
	}
	for number, status := range map[string]sim.RefundStatus{"sick": sim.Abnormal, "shut": sim.Closed} {
		if err := w.SettleRefund(number, status); err != nil {
			t.Fatal(err)
		}
	}
	w.till("2031-05-05 11:00:00")
	before, _ := w.bill(trades, "bill_date=2031-05-04&bill_type=REFUND")
	for i, status := range []string{"PROCESSING", "CHANGE", "FAIL"} {
		has(t, readBill(t, before).rows[i], "退款状态", status, "退款成功时间", "", "手续费", "-0.60000")
	}
	text, _ := w.bill(funds, "bill_date=2031-05-04")
	has(t, readBill(t, text).totals, "资金流水总笔数", "14.0", "收入金额", "401.80", "支出金额", "302.40")

	if err := w.SettleRefund("held", sim.Success); err != nil {
		t.Fatal(err)
	}
	want(t, w.refund("order-shut", "shut-2", 10000, 10000), 200)
	w.till("2031-05-06 11:00:00")
	if after, _ := w.bill(trades, "bill_date=2031-05-04&bill_type=REFUND"); after != before {
		t.Errorf("the bill changed:\n%s\n%s", before, after)
	}
	if after, _ := w.bill(funds, "bill_date=2031-05-04"); after != text {
		t.Errorf("the bill changed:\n%s\n%s", text, after)
	}
	text, _ = w.bill(trades, "bill_date=2031-05-05")
	has(t, readBill(t, text).rows[0], "商户退款单号", "shut-2", "手续费", "-0.60000")
}

func TestBillFeesAreOptional(t *testing.T) {
	for rate, fee := range map[int64][2]string{-1: {"0.00000", "0.00%"}, 100: {"12.99000", "1.00%"}, 38: {"4.94000", "0.38%"}} {
		w, _, _ := busyDay(t, func(c *sim.Config) { c.FeeRate = rate })
		w.till("2031-05-05 10:00:00")
		text, _ := w.bill(trades, "bill_date=2031-05-04")
		has(t, readBill(t, text).rows[0], "手续费", fee[0], "费率", fee[1])
	}
}

func TestBillTextsStayInTheirColumn(t *testing.T) {
	w := newTown(t)
	body := strings.Replace(orderOf("order-1", 100, `,"attach":"a,b\nc"`), "30 天", "10 GB, 30 天", 1)
	want(t, w.call("POST", "/v3/pay/transactions/native", body), 200)
	if _, err := w.Pay("order-1"); err != nil {
		t.Fatal(err)
	}
	w.till("2031-05-05 10:00:00")
	text, _ := w.bill(trades, "bill_date=2031-05-04")
	has(t, readBill(t, text).rows[0], "商品名称", "10 GB  30 天", "商户数据包", "a b c")
}

func TestSpoiltBills(t *testing.T) {
	for _, kind := range []string{trades, funds} {
		w, _, _ := busyDay(t)
		w.till("2031-05-05 10:00:00")
		const day = "bill_date=2031-05-04"
		good, goodHash := w.bill(kind, day)
		for _, trouble := range sim.BillTroubles {
			w.SpoilBill(trouble)
			want(t, w.call("GET", kind+"?bill_date=2031-05-03", ""), 400, "code", "NO_STATEMENT_EXIST") // uses none up
			if trouble == sim.NotYet {
				want(t, w.call("GET", kind+"?"+day, ""), 400, "code", "STATEMENT_CREATING")
				continue
			}
			bad, hash := w.bill(kind, day)
			if honest := trouble != sim.Truncated && trouble != sim.WrongHash; honest != (sha(bad) == hash) {
				t.Errorf("%s: the hash is %s, the file's %s", trouble, hash, sha(bad))
			}
			spoilt(t, trouble, good, bad)
		}
		if again, hash := w.bill(kind, day); again != good || hash != goodHash {
			t.Error("the troubles did not end")
		}
	}
}

// spoilt checks what a trouble did to a bill.
func spoilt(t testing.TB, trouble sim.BillTrouble, good, bad string) {
	t.Helper()
	rows, lines := strings.SplitAfter(good, "\n"), strings.SplitAfter(bad, "\n")
	end, last := len(rows)-2, len(lines)-2
	switch trouble {
	case sim.RowMissing:
		wantLines(t, lines[1:last], rows[2:end])
	case sim.RowTwice:
		wantLines(t, lines[1:2], rows[1:2])
		wantLines(t, lines[2:last], rows[1:end])
	case sim.WrongAmount:
		wantLines(t, lines[2:last], rows[2:end])
		if !strings.Contains(lines[1], ",`1299.03,") {
			t.Errorf("%s: %s", trouble, lines[1])
		}
	case sim.WrongTotal:
		wantLines(t, lines[:last], rows[:end])
	case sim.Truncated:
		if bad != good[:len(bad)] || len(bad) > len(good)/2 {
			t.Errorf("half of the file is %s", bad)
		}
		return
	case sim.WrongHash:
		wantLines(t, lines, rows)
		return
	case sim.Marked:
		if bad != "\ufeff"+strings.ReplaceAll(good, "\n", "\r\n") {
			t.Errorf("%q", bad)
		}
		return
	case sim.NotYet:
	}
	b, was := readBill(t, bad), readBill(t, good)
	addsUp(t, b, trouble != sim.WrongTotal)
	for _, column := range []string{"应结订单总金额", "收入金额"} {
		if total, is := b.totals[column]; is && total == was.totals[column] {
			t.Errorf("%s: the totals are as they were: %v", trouble, b.totals)
		}
	}
}

func wantLines(t testing.TB, got, want []string) {
	t.Helper()
	if strings.Join(got, "") != strings.Join(want, "") {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, ""), strings.Join(want, ""))
	}
}

// fen reads yuan.
func fen(t testing.TB, s string) int64 {
	t.Helper()
	whole, part, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	if err != nil || strings.Trim(part[min(2, len(part)):], "0") != "" {
		t.Fatalf("%q is not an amount in whole fen", s)
	}
	return n
}

// addsUp adds the rows up.
func addsUp(t testing.TB, b statement, want bool) {
	t.Helper()
	var paid, back, fees, in, out int64
	for _, r := range b.rows {
		if way, is := r["收支类型"]; is {
			if way == "收入" {
				in += fen(t, r["收支金额(元)"])
			} else {
				out += fen(t, r["收支金额(元)"])
			}
			continue
		}
		paid, back, fees = paid+fen(t, r["应结订单金额"]), back+fen(t, r["退款金额"]), fees+fen(t, r["手续费"])
	}
	got := true
	for column, sum := range map[string]int64{
		"应结订单总金额": paid, "订单总金额": paid, "退款总金额": back, "申请退款总金额": back, "手续费总金额": fees, "收入金额": in, "支出金额": out,
	} {
		if total, is := b.totals[column]; is && fen(t, total) != sum {
			got = false
		}
	}
	if got != want {
		t.Errorf("the totals agree with the rows: %v, want %v: %v", got, want, b)
	}
}

// Whatever happened, the two bills of a day agree with each other and with what
// the simulator knows; and who gave everything back has paid no fee.
func TestBillsAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newTown(t)
		all := map[string]int64{}
		for i := range rapid.IntRange(1, 3).Draw(rt, "payments") {
			ref := "order-" + strconv.Itoa(i)
			total := rapid.Int64Range(1, 500_000).Draw(rt, "fen")
			w.paid(ref, total)
			all[ref] = total
			left := total
			for j := range rapid.IntRange(0, 2).Draw(rt, "refunds") {
				if left == 0 {
					break
				}
				part := rapid.Int64Range(1, left).Draw(rt, "part")
				w.pass(time.Minute)
				want(t, w.refund(ref, ref+"-"+strconv.Itoa(j), part, total), 200)
				left -= part
			}
			if left > 0 && rapid.Bool().Draw(rt, "rest") {
				w.pass(time.Minute)
				want(t, w.refund(ref, ref+"-rest", left, total), 200)
			}
		}
		w.till("2031-05-05 10:00:00")
		text, _ := w.bill(trades, "bill_date=2031-05-04")
		b := readBill(t, text)
		addsUp(t, b, true)
		flows, _ := w.bill(funds, "bill_date=2031-05-04")
		f := readBill(t, flows)
		addsUp(t, f, true)
		fees := map[string]int64{}
		var net int64
		for _, r := range b.rows {
			fees[r["商户订单号"]] += fen(t, r["手续费"])
			net += fen(t, r["应结订单金额"]) - fen(t, r["退款金额"]) - fen(t, r["手续费"])
		}
		if got := fen(t, f.totals["收入金额"]) - fen(t, f.totals["支出金额"]); got != net || fen(t, f.rows[len(f.rows)-1]["账户结余(元)"]) != net {
			rt.Errorf("the account moved by %d, the trades say %d:\n%s\n%s", got, net, text, flows)
		}
		for ref, total := range all {
			if w.Refunded(ref).Minor == total && fees[ref] != 0 {
				rt.Errorf("%s was all given back, and cost %d fen:\n%s", ref, fees[ref], text)
			}
		}
	})
}
