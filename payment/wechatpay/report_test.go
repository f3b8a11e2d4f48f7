package wechatpay

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

const reportDay = payment.Day("2026-03-03") // over in China since t0 less 13 hours

const tradeColumns = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额," +
	"微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"

const fundColumns = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号"

const transaction, refundID, refundNo = "4200000925202603034297714292", "50300806962026030305978994968", "refundrefundrefundrefund01"

// line is a row of a bill.
func line(values ...string) string { return "`" + strings.Join(values, ",`") + "\n" }

func paidRow(sum, fee string) string {
	return line("2026-03-03 10:11:12", testApp, testMch, "0", "", transaction, attempt().Ref, "o-openid", "NATIVE", "SUCCESS", "OTHERS", "CNY", sum, "0.00",
		"0", "0", "0.00", "0.00", "", "", "日本,10天", "", fee, "0.60%", sum, "0.00", "")
}

func refundRow(sum, fee, state string) string {
	return line("2026-03-03 12:00:00", testApp, testMch, "0", "", transaction, attempt().Ref, "o-openid", "NATIVE", "REFUND", "OTHERS", "CNY", "0.00", "0.00",
		refundID, refundNo, sum, "0.00", "ORIGINAL", state, "日本,10天", "", fee, "0.60%", "0.00", sum, "")
}

func trades(totals string, rows ...string) string {
	return "\ufeff" + tradeColumns + "\n" + strings.Join(rows, "") + "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n" + totals
}

func goodTrades() string {
	return trades("`2,`12.34,`5.00,`0.00,`0.04404,`12.34,`5.00\n", paidRow("12.34", "0.07404"), refundRow("5.00", "-0.03000", "SUCCESS"))
}

func goodFunds() string {
	return fundColumns + "\n" +
		line("2026-03-03 10:11:13", transaction, transaction, "交易", "交易", "收入", "12.34", "100.00", "system", "", attempt().Ref) +
		line("2026-03-03 10:11:13", transaction, transaction, "交易", "扣除交易手续费", "支出", "0.07", "99.93", "system", "", attempt().Ref) +
		line("2026-03-03 12:00:01", refundID, transaction, "退款", "退款", "支出", "4.97", "95.00", "api", "退款总金额5.00元;含手续费0.03元", refundNo) +
		line("2026-03-03 23:00:00", "1900009231", "77", "提现", "提现", "支出", "90.00", "5.00", "system", "", "w1") +
		line("2026-03-03 23:30:00", "1900009232", "78", "月球税", "月球税", "支出", "0.01", "4.99", "system", "", "m1") +
		"资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n`5.0,`1.0,`12.34,`4.0,`95.05\n"
}

func packed(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

// archive is a WeChat Pay with bills.
type archive struct {
	trades, funds string // texts
	packed        string // instead of the packed bill of trades
	hash          string // instead of its digest
	host          string
	no            string // code of a refusal
}

func (b archive) say(q asked) said {
	text, file := b.trades, "trades"
	if strings.Contains(q.uri, "fund") {
		text, file = b.funds, "funds"
	}
	switch {
	case strings.HasPrefix(q.uri, "/v3/billdownload/"):
		body := packed(text)
		if b.packed != "" && file == "trades" {
			body = b.packed
		}
		return said{status: 200, body: body, as: signer{none: true}}
	case b.no != "":
		return said{status: 400, body: `{"code":"` + b.no + `","message":"x"}`}
	}
	sum := sha1.Sum([]byte(text))
	hash := hex.EncodeToString(sum[:])
	if b.hash != "" {
		hash = b.hash
	}
	host := b.host
	if host == "" {
		host = "https://api.mch.weixin.qq.com"
	}
	return said{status: 200, body: `{"hash_type":"SHA1","hash_value":"` + hash + `","download_url":"` + host + `/v3/billdownload/file?token=` + file + `"}`}
}

func fen(n int64) money.Money { return money.Of(n, "CNY") }

func TestReportReadsBothBills(t *testing.T) {
	d := newDesk(t, nil, archive{trades: goodTrades(), funds: goodFunds()}.say)
	got, err := d.Report(t.Context(), reportDay, "")
	if err != nil {
		t.Fatal(err)
	}
	at := func(h, m, s int) time.Time { return time.Date(2026, 3, 3, h-8, m, s, 0, time.UTC) }
	want := payment.ReportPage{Whole: true, Movements: []payment.Movement{
		{ID: transaction, Kind: payment.MovedCharge, Code: "SUCCESS", Ref: attempt().Ref, MoneyID: transaction, Amount: fen(1234), Settled: fen(1234), Fee: fen(7), FeeTold: true, At: at(10, 11, 12)},
		{
			ID: refundID, Kind: payment.MovedRefund, Code: "REFUND", Ref: attempt().Ref, MoneyID: transaction, RefundRef: refundNo, RefundID: refundID,
			Amount: fen(-500), Settled: fen(-500), Fee: fen(-3), FeeTold: true, At: at(12, 0, 0),
		},
		{ID: "fund/1900009231/77", Kind: payment.MovedPayout, Code: "提现", Amount: fen(-9000), Settled: fen(-9000), Fee: fen(0), FeeTold: true, At: at(23, 0, 0)},
		{ID: "fund/1900009232/78", Kind: payment.MovedOther, Code: "月球税", Amount: fen(-1), Settled: fen(-1), Fee: fen(0), FeeTold: true, At: at(23, 30, 0)},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d.asks[0].uri != "/v3/bill/tradebill?bill_date=2026-03-03&bill_type=ALL&tar_type=GZIP" || d.asks[1].header.Get("Authorization") == "" {
		t.Errorf("asked %+v", d.asks)
	}
}

// Without a bill of funds the fee that was worked out counts, to the fen; a refund
// that failed moved nothing; old bills have other columns.
func TestReportOfTradesAlone(t *testing.T) {
	text := trades("`2,`12.34,`5.00,`0.00,`0.04404,`12.34,`5.00\n", paidRow("12.34", "0.07404"), refundRow("5.00", "-0.03000", "FAIL"))
	got, why := readTrades(text, testMch, reportDay, flows{})
	if why != "" || len(got) != 1 || got[0].Fee != fen(7) {
		t.Errorf("%s: %+v", why, got)
	}
	old := "交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,货币种类,总金额,商户退款单号,微信退款单号,退款金额,手续费\n" +
		line("2026-03-03 10:11:12", testApp, testMch, transaction, attempt().Ref, "SUCCESS", "CNY", "12.3", "0", "0", "0", "0.07500") +
		"总交易单数,总交易额,总退款金额,总企业红包退款金额,手续费总金额\n`1,`12.30,`0,`0,`0.075\n"
	if got, why = readTrades(old, testMch, reportDay, flows{}); why != "" || len(got) != 1 || got[0].Amount != fen(1230) || got[0].Fee != fen(8) {
		t.Errorf("%s: %+v", why, got)
	}
}

// A refund that came back stands in the bill of funds alone; whether its fee was
// kept in a row of its own or not, the account's change is what is told.
func TestRefundsThatComeBack(t *testing.T) {
	funds := func(in, out string, rows ...string) string {
		return fundColumns + "\n" + strings.Join(rows, "") + "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n`" + fmt.Sprint(len(rows)) + ",`0,`" + in + ",`0,`" + out + "\n"
	}
	gone := line("2026-03-03 12:00:01", refundID, "8", "退款", "退款", "支出", "5.00", "0", "api", "", refundNo)
	feeBack := line("2026-03-03 12:00:01", refundID, "9", "退款", "退回交易手续费", "收入", "0.03", "0", "api", "", refundNo)
	back := line("2026-03-03 15:00:00", refundID, "10", "退款", "退款", "收入", "5.00", "0", "api", "", refundNo)
	feeAgain := line("2026-03-03 15:00:00", refundID, "11", "退款", "扣除交易手续费", "支出", "0.03", "0", "api", "", refundNo)
	one := trades("`1,`0.00,`5.00,`0.00,`-0.03000,`0.00,`5.00\n", refundRow("5.00", "-0.03000", "FAIL"))
	for name, c := range map[string]struct {
		trades, funds string
		want          []string // amounts and fees
	}{
		"on another day":                  {"", funds("5.00", "0.03", back, feeAgain), []string{"500 CNY 3 CNY"}},
		"on the same day":                 {one, funds("5.03", "5.03", gone, feeBack, back, feeAgain), []string{"-500 CNY 0 CNY", "500 CNY 0 CNY"}},
		"it failed after it had gone out": {one, funds("0.03", "5.00", gone, feeBack), []string{"-500 CNY -3 CNY"}},
		"it failed and never went":        {one, "", nil},
	} {
		f, why := readFunds(c.funds, reportDay)
		all, why2 := readTrades(c.trades, testMch, reportDay, f)
		var got []string
		for _, m := range append(all, f.rest()...) {
			if m.Kind != payment.MovedRefund || m.RefundRef != refundNo || m.RefundID != refundID {
				t.Errorf("%s: %+v", name, m)
			}
			got = append(got, m.Amount.String()+" "+m.Fee.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" || why+why2 != "" {
			t.Errorf("%s: %s %s %s", name, why, why2, diff)
		}
	}
}

// A bill that is cut, counts wrongly, has another digest or is somebody else's is
// refused as a whole.
func TestReportRefusesWhatIsNotWhole(t *testing.T) {
	fine := goodTrades()
	whole := packed(fine)
	rowsOf := func(s string) string { return s[:strings.Index(s, "总交易单数")] }
	for name, b := range map[string]archive{
		"another digest":         {trades: fine, hash: "79bb0f45fc4c42234a918000b2668d689e2bde04"},
		"half a GZIP":            {trades: fine, packed: whole[:len(whole)/2]},
		"another file":           {trades: fine, packed: packed(fine + " ")},
		"no GZIP":                {trades: fine, packed: "no bill"},
		"cut":                    {trades: rowsOf(fine)},
		"a row is missing":       {trades: strings.Replace(fine, refundRow("5.00", "-0.03000", "SUCCESS"), "", 1)},
		"a row twice":            {trades: strings.Replace(fine, paidRow("12.34", "0.07404"), paidRow("12.34", "0.07404")+paidRow("12.34", "0.07404"), 1)},
		"another sum":            {trades: strings.Replace(fine, paidRow("12.34", "0.07404"), paidRow("12.35", "0.07404"), 1)},
		"another fee":            {trades: strings.Replace(fine, "`0.07404", "`0.07504", 1)},
		"another merchant":       {trades: strings.ReplaceAll(fine, testMch, "1900009999")},
		"another currency":       {trades: strings.ReplaceAll(fine, "CNY", "HKD")},
		"a row of another day":   {trades: strings.Replace(fine, "2026-03-03 10:11:12", "2026-03-04 10:11:12", 1)},
		"a state of its own":     {trades: strings.Replace(fine, "`SUCCESS,`OTHERS", "`GIFT,`OTHERS", 1)},
		"too few fields":         {trades: strings.Replace(fine, "`NATIVE,", "", 1)},
		"funds that do not add":  {trades: fine, funds: strings.Replace(goodFunds(), "`95.05", "`95.06", 1)},
		"funds of another day":   {trades: fine, funds: strings.Replace(goodFunds(), "2026-03-03 23:00:00", "2026-03-02 23:00:00", 1)},
		"an address that is odd": {trades: fine, host: "ftp://api.mch.weixin.qq.com"},
	} {
		if b.funds == "" {
			b.funds = goodFunds()
		}
		got, err := newDesk(t, nil, b.say).Report(t.Context(), reportDay, "")
		if !errors.Is(err, payment.ErrBadReport) || len(got.Movements) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A GZIP that unpacks into more than a bill can be is not unpacked to its end.
func TestReportRefusesABomb(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range maxText>>20 + 1 {
		_, _ = z.Write(zeros)
	}
	_ = z.Close()
	d := newDesk(t, nil, archive{trades: "x", packed: b.String()}.say)
	if _, err := d.Report(t.Context(), reportDay, ""); !errors.Is(err, payment.ErrBadReport) {
		t.Error(err)
	}
}

func TestNoBill(t *testing.T) {
	for code, want := range map[string]error{"STATEMENT_CREATING": payment.ErrNotReady, "NO_STATEMENT_EXIST": nil, "NO_AUTH": payment.ErrNotSent} {
		d := newDesk(t, nil, archive{no: code}.say)
		got, err := d.Report(t.Context(), reportDay, "")
		if !errors.Is(err, want) || want == nil && !got.Whole {
			t.Errorf("%s: %+v, %v", code, got, err)
		}
	}
	d := newDesk(t, nil, archive{no: "NO_STATEMENT_EXIST"}.say)
	d.advance(-4 * time.Hour) // nine in the morning
	if _, err := d.Report(t.Context(), reportDay, ""); !errors.Is(err, payment.ErrNotReady) {
		t.Errorf("too early: %v", err)
	}
	d.asks = nil
	if _, err := d.Report(t.Context(), "2026-03-04", ""); !errors.Is(err, payment.ErrNotReady) || len(d.asks) != 0 {
		t.Errorf("today: %v, asked %v", err, d.asks)
	}
	d = newDesk(t, nil, func(asked) said { return said{status: 200, body: `{}`, as: signer{none: true}} })
	if _, err := d.Report(t.Context(), reportDay, ""); !errors.Is(err, payment.ErrNotSent) {
		t.Errorf("unsigned: %v", err)
	}
}

// Whatever is in a bill is read as it was written, whatever order its columns have.
func TestBillsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.Permutation([]string{"交易时间", "商户号", "微信订单号", "商户订单号", "交易状态", "货币种类", "应结订单金额", "订单金额", "商户退款单号", "微信退款单号", "申请退款金额", "退款金额", "手续费", "商品名称"}).Draw(t, "columns")
		text := strings.Join(columns, ",") + "\n"
		var want []payment.Movement
		var paid, back, fees int64
		n := rapid.IntRange(0, 20).Draw(t, "rows")
		for i := range n {
			at := reportDay.Start(china).Add(time.Duration(rapid.IntRange(0, 86399).Draw(t, "second")) * time.Second)
			sum, fee := fen(rapid.Int64Range(1, 1_000_000).Draw(t, "sum")), rapid.Int64Range(0, 1_000_000).Draw(t, "fee")
			m := payment.Movement{
				ID: fmt.Sprintf("42%d", i), MoneyID: fmt.Sprintf("42%d", i), Ref: fmt.Sprintf("ref%d", i), Kind: payment.MovedCharge, Code: "SUCCESS",
				Amount: sum, Settled: sum, Fee: rounded(fee), FeeTold: true, At: at.UTC(),
			}
			v := map[string]string{
				"交易时间": at.Format("2006-01-02 15:04:05"), "商户号": testMch, "微信订单号": m.ID, "商户订单号": m.Ref, "交易状态": "SUCCESS", "货币种类": "CNY",
				"应结订单金额": sum.Decimal(), "订单金额": sum.Decimal(), "商户退款单号": "0", "微信退款单号": "0", "申请退款金额": "0.00", "退款金额": "0.00",
				"手续费": fmt.Sprintf("%d.%05d", fee/100_000, fee%100_000), "商品名称": "a,b",
			}
			if rapid.Bool().Draw(t, "refund") {
				m.ID, m.Kind, m.Code = fmt.Sprintf("50%d", i), payment.MovedRefund, "REFUND"
				m.RefundID, m.RefundRef, m.Amount, m.Settled, m.Fee = m.ID, fmt.Sprintf("rf%d", i), sum.Neg(), sum.Neg(), rounded(-fee)
				v["交易状态"], v["商户退款单号"], v["微信退款单号"], v["申请退款金额"], v["退款金额"] = "REFUND", m.RefundRef, m.RefundID, sum.Decimal(), sum.Decimal()
				v["应结订单金额"], v["订单金额"], v["手续费"] = "0.00", "0.00", "-"+v["手续费"]
				back += sum.Minor
				fee = -fee
			} else {
				paid += sum.Minor
			}
			fees += fee
			want = append(want, m)
			row := make([]string, len(columns))
			for j, c := range columns {
				row[j] = v[c]
			}
			text += line(row...)
		}
		sign := ""
		if fees < 0 {
			sign, fees = "-", -fees
		}
		text += fmt.Sprintf("总交易单数,应结订单总金额,退款总金额,手续费总金额\n`%d,`%s,`%s,`%s%d.%05d\n", n, fen(paid).Decimal(), fen(back).Decimal(), sign, fees/100_000, fees%100_000)
		got, why := readTrades(text, testMch, reportDay, flows{})
		if diff := cmp.Diff(want, got); diff != "" || why != "" {
			t.Fatalf("%s %s", why, diff)
		}
	})
}

// No bill, however broken, makes the reader fail otherwise than by saying so.
func FuzzBill(f *testing.F) {
	f.Add([]byte(goodTrades()))
	f.Add([]byte(goodFunds()))
	f.Add([]byte(packed(goodTrades())))
	f.Fuzz(func(t *testing.T, raw []byte) {
		text, why := unpack(raw)
		if why != "" {
			return
		}
		flow, _ := readFunds(string(text), reportDay)
		all, why := readTrades(string(text), testMch, reportDay, flow)
		if why != "" && len(all) > 0 {
			t.Error("a refused bill has movements")
		}
		for _, m := range append(all, flow.rest()...) {
			if !reportDay.Holds(m.At, china) || m.Amount.Currency != yuan || m.Kind == "" || m.ID == "" {
				t.Errorf("kept %+v", m)
			}
		}
	})
}
