package alipay

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	reportDay = payment.Day("2031-05-05")
	billsOf   = "alipay.data.dataservice.bill.downloadurl.query"
	tradeNo   = "2031050522001400000000000001"
	requestNo = "refundrefundrefundrefund01"
)

const tradeColumns = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）," +
	"支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"

const changeColumns = "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注"

// tradeRow is a row of the bill of trades.
func tradeRow(kind, sum, fee, request string) string {
	f := []string{
		tradeNo, attempt().Ref, kind, "日本10天,套餐", "2031-05-05 10:11:00", "2031-05-05 10:11:12", "", "", "", "", "王**(138****0000)", sum, sum,
		"0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00", request, fee, "0.00", "",
	}
	for i := range f {
		if strings.Contains(f[i], ",") {
			f[i] = `"` + f[i] + `"`
		}
	}
	return strings.Join(f, "\t,") + "\n"
}

// trades is the text of a bill of trades.
func trades(totals string, rows ...string) string {
	return "#支付宝业务明细查询\n#账号：[" + testSeller + "0156]\n#起始日期：[2031年05月05日 00:00:00]   终止日期：[2031年05月06日 00:00:00]\n" +
		"#-----------------------------------------业务明细列表----------------------------------------\n" + tradeColumns + "\n" + strings.Join(rows, "") +
		"#-----------------------------------------业务明细列表结束------------------------------------\n" + totals + "#导出时间：[2031年05月06日 08:00:00]\n"
}

func changeRow(id, order, in, out, kind string) string {
	return strings.Join([]string{id, tradeNo, order, "", "2031-05-05 11:00:00", "", in, out, "100.00", "支付宝", kind, ""}, "\t,") + "\n"
}

func balance(totals string, rows ...string) string {
	return "#支付宝账务明细查询\n#账号：[" + testSeller + "0156]\n#起始日期：[2031年05月05日 00:00:00]   终止日期：[2031年05月06日 00:00:00]\n" +
		"#----账务明细列表----\n" + changeColumns + "\n" + strings.Join(rows, "") + "#----账务明细列表结束----\n" + totals
}

// packed is a bill as Alipay sends it: a summary and the list, in GBK, in a ZIP.
func packed(texts ...string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, text := range append([]string{"#支付宝业务汇总查询\n门店编号,交易订单总笔数\n合计,1\n"}, texts...) {
		raw := must(simplifiedchinese.GBK.NewEncoder().String(text))
		w := must(z.Create(fmt.Sprintf("%s_20310505_%d.csv", testSeller, i)))
		_ = must(w.Write([]byte(raw)))
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// bank is a gateway that has bills: by type, what it answers and what the file
// holds.
type bank struct {
	refuse map[string]string // sub codes
	files  map[string]string
	host   string
}

// newBillDesk is an adapter over a bank.
func newBillDesk(t testing.TB, b bank) *desk {
	t.Helper()
	d := newDesk(t, false, nil)
	d.now = reportDay.Next().Start(china).Add(10 * time.Hour)
	if b.host == "" {
		b.host = "https://dwbillcenter.alipay.test"
	}
	stranger := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if kind, ok := strings.CutPrefix(r.URL.Path, "/bill/"); ok {
			_, _ = w.Write([]byte(b.files[kind]))
			return
		}
		_ = r.ParseForm()
		d.asked = append(d.asked, r.Form)
		kind := tradeBill
		if strings.Contains(r.Form.Get("biz_content"), balanceBill) {
			kind = balanceBill
		}
		answer := said(map[string]any{"bill_download_url": b.host + "/bill/" + kind})
		if code, ok := b.refuse[kind]; ok {
			answer = no("40004", code)
		}
		_, _ = w.Write([]byte(envelope(billsOf, answer)))
	})
	d.client = outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: stranger}})
	return d
}

func fen(n int64) money.Money { return money.Of(n, "CNY") }

var tradeTotals = "#交易合计：1笔，商家实收共19.80元，商家优惠共0.00元\n#退款合计：1笔，商家实收退款共-5.00元，商家优惠退款共0.00元\n"

func goodTrades() string {
	return trades(tradeTotals, tradeRow("交易", "19.80", "-0.12", ""), tradeRow("退款", "-5.00", "0.03", requestNo))
}

func goodBalance() string {
	return balance("#支出合计：3笔，共15.13元\n#收入合计：1笔，共19.80元\n",
		changeRow("901", attempt().Ref, "19.80", "0.00", "在线支付"), changeRow("902", attempt().Ref, "0.00", "-0.12", "收费"),
		changeRow("903", "", "", "-15.00", "提现"), changeRow("904", "", "0.00", "-0.01", "月球税"))
}

func TestReportReadsBothBills(t *testing.T) {
	d := newBillDesk(t, bank{files: map[string]string{tradeBill: packed(goodTrades()), balanceBill: packed(goodBalance())}})
	got, err := d.Report(t.Context(), reportDay, "")
	if err != nil {
		t.Fatal(err)
	}
	at, later := time.Date(2031, 5, 5, 2, 11, 12, 0, time.UTC), time.Date(2031, 5, 5, 3, 0, 0, 0, time.UTC)
	want := payment.ReportPage{Whole: true, Movements: []payment.Movement{
		{ID: tradeNo, Kind: payment.MovedCharge, Code: "trade", Ref: attempt().Ref, MoneyID: tradeNo, Amount: fen(1980), Settled: fen(1980), Fee: fen(12), FeeTold: true, At: at},
		{
			ID: tradeNo + "/" + requestNo, Kind: payment.MovedRefund, Code: "refund", Ref: attempt().Ref, MoneyID: tradeNo, RefundRef: requestNo,
			Amount: fen(-500), Settled: fen(-500), Fee: fen(-3), FeeTold: true, At: at,
		},
		{ID: "balance/903", Kind: payment.MovedPayout, Code: "提现", Amount: fen(-1500), Settled: fen(-1500), FeeTold: true, At: later},
		{ID: "balance/904", Kind: payment.MovedOther, Code: "月球税", Amount: fen(-1), Settled: fen(-1), FeeTold: true, At: later},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if biz := d.asked[0].Get("biz_content"); biz != `{"bill_type":"trade","bill_date":"2031-05-05"}` {
		t.Errorf("asked %s", biz)
	}
}

// A bill that is cut, counts wrongly, or is somebody else's is refused as a whole.
func TestReportRefusesWhatIsNotWhole(t *testing.T) {
	fine := goodTrades()
	whole := packed(fine)
	end := strings.Index(fine, "#-----------------------------------------业务明细列表结束")
	damaged := []byte(whole)
	damaged[len(damaged)/2] ^= 0xff
	for name, file := range map[string]string{
		"half a ZIP":             whole[:len(whole)/2],
		"damaged":                string(damaged),
		"no ZIP":                 "not a zip",
		"no list":                packed("#nothing\n"),
		"cut":                    packed(fine[:end]),
		"a row is missing":       packed(trades(tradeTotals, tradeRow("交易", "19.80", "-0.12", ""))),
		"a row twice":            packed(trades(tradeTotals, tradeRow("交易", "19.80", "-0.12", ""), tradeRow("交易", "19.80", "-0.12", ""), tradeRow("退款", "-5.00", "0.03", requestNo))),
		"another sum":            packed(trades(tradeTotals, tradeRow("交易", "19.90", "-0.12", ""), tradeRow("退款", "-5.00", "0.03", requestNo))),
		"another day":            packed(strings.Replace(fine, "2031年05月05日", "2031年05月04日", 1)),
		"a row of another day":   packed(strings.ReplaceAll(fine, "2031-05-05 10:11:12", "2031-05-06 10:11:12")),
		"another seller":         packed(strings.Replace(fine, testSeller, "2088999999999999", 1)),
		"a kind of its own":      packed(strings.Replace(fine, "\t,交易\t", "\t,赠送\t", 1)),
		"an amount that is none": packed(strings.ReplaceAll(fine, "-0.12", "一毛二")),
		"too many fields":        packed(strings.Replace(fine, "\t,退款\t", "\t,退款\t,x", 1)),
	} {
		d := newBillDesk(t, bank{files: map[string]string{tradeBill: file, balanceBill: packed(goodBalance())}})
		got, err := d.Report(t.Context(), reportDay, "")
		if !errors.Is(err, payment.ErrBadReport) || len(got.Movements) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A ZIP that unpacks into more than a bill can be is not unpacked to its end.
func TestReportRefusesABomb(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w := must(z.Create("bill.csv"))
	zeros := make([]byte, 1<<20)
	for range maxText>>20 + 1 {
		_ = must(w.Write(zeros))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	d := newBillDesk(t, bank{files: map[string]string{tradeBill: b.String()}})
	if _, err := d.Report(t.Context(), reportDay, ""); !errors.Is(err, payment.ErrBadReport) {
		t.Error(err)
	}
}

// That there is no bill means that it is late, and later that nothing happened.
func TestNoBill(t *testing.T) {
	d := newBillDesk(t, bank{refuse: map[string]string{tradeBill: "isp.bill_not_exist", balanceBill: "NO_BILL_DATA"}})
	if _, err := d.Report(t.Context(), reportDay, ""); !errors.Is(err, payment.ErrNotReady) {
		t.Errorf("an hour late: %v", err)
	}
	d.now = d.now.Add(24 * time.Hour)
	if got, err := d.Report(t.Context(), reportDay, ""); err != nil || !got.Whole || len(got.Movements) != 0 {
		t.Errorf("a day later: %+v, %v", got, err)
	}
	unsigned := newDesk(t, false, func(string) (int, string) {
		return 200, `{"alipay_data_dataservice_bill_downloadurl_query_response":` + no("40004", "isp.bill_not_exist") + `}`
	})
	unsigned.now = d.now
	if got, err := unsigned.Report(t.Context(), reportDay, ""); err != nil || !got.Whole || len(got.Movements) != 0 {
		t.Errorf("unsigned: %+v, %v", got, err)
	}
	d.asked = nil
	if _, err := d.Report(t.Context(), "2031-05-07", ""); !errors.Is(err, payment.ErrNotReady) || len(d.asked) != 0 {
		t.Errorf("today: %v, asked %v", err, d.asked)
	}
	d = newBillDesk(t, bank{refuse: map[string]string{tradeBill: "isv.invalid-arguments"}})
	if _, err := d.Report(t.Context(), reportDay, ""); !errors.Is(err, payment.ErrNotSent) {
		t.Errorf("another no: %v", err)
	}
}

// The file is fetched over TLS or from the gateway's own host, from nowhere else.
func TestWhereBillsComeFrom(t *testing.T) {
	files := map[string]string{tradeBill: packed(goodTrades()), balanceBill: packed(goodBalance())}
	for host, ok := range map[string]bool{
		"https://dwbillcenter.alipay.com": true, "http://dwbillcenter.alipay.com": true, "https://openapi.alipay.com": true,
		"ftp://dwbillcenter.alipay.com": false, "": true, "file://": false, "https://user@alipay.com": false,
	} {
		d := newBillDesk(t, bank{files: files, host: host})
		if _, err := d.Report(t.Context(), reportDay, ""); (err == nil) != ok {
			t.Errorf("%q: %v", host, err)
		}
	}
}

// Whatever is in a bill is read as it was written, whatever order its columns have.
func TestBillsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.Permutation([]string{"支付宝交易号", "商户订单号", "业务类型", "完成时间", "订单金额（元）", "商家实收(元)", "退款请求号", "服务费（元）", "商品名称"}).Draw(t, "columns")
		var want []payment.Movement
		text := strings.Join(columns, ",") + "\n"
		for i := range rapid.IntRange(0, 20).Draw(t, "rows") {
			at := reportDay.Start(china).Add(time.Duration(rapid.IntRange(0, 86399).Draw(t, "second")) * time.Second)
			sum, fee := fen(rapid.Int64Range(1, 1_000_000).Draw(t, "sum")), fen(rapid.Int64Range(0, 10_000).Draw(t, "fee"))
			m := payment.Movement{
				ID: fmt.Sprintf("2031%d", i), MoneyID: fmt.Sprintf("2031%d", i), Ref: fmt.Sprintf("ref%d", i), Kind: payment.MovedCharge, Code: "trade",
				Amount: sum, Settled: sum, Fee: fee, FeeTold: true, At: at.UTC(),
			}
			fields := map[string]string{
				"支付宝交易号": m.ID, "商户订单号": m.Ref, "业务类型": "交易", "完成时间": at.Format(stamp), "订单金额": sum.Decimal(), "商家实收": sum.Decimal(), "服务费": fee.Decimal(),
				"商品名称": rapid.SampledFrom([]string{"日本流量", `"a,b"`, "龍㐂"}).Draw(t, "goods"),
			}
			if rapid.Bool().Draw(t, "refund") {
				m.Kind, m.Code, m.RefundRef, m.ID = payment.MovedRefund, "refund", fmt.Sprintf("rf%d", i), fmt.Sprintf("%s/rf%d", m.ID, i)
				m.Amount, m.Settled, m.Fee = sum.Neg(), sum.Neg(), fee.Neg()
				fields["业务类型"], fields["退款请求号"], fields["商家实收"] = "退款", m.RefundRef, sum.Neg().Decimal()
			}
			want = append(want, m)
			row := make([]string, len(columns))
			for j, c := range columns {
				row[j] = fields[column(c)]
			}
			text += strings.Join(row, rapid.SampledFrom([]string{",", "\t,"}).Draw(t, "separator")) + "\n"
		}
		raw := must(simplifiedchinese.GB18030.NewEncoder().String(text + "#列表结束\n"))
		got, why := readTrades([][]byte{[]byte(raw)}, testSeller, reportDay)
		if diff := cmp.Diff(want, got); diff != "" || why != "" {
			t.Fatalf("%s %s", why, diff)
		}
	})
}

// No bill, however broken, makes the reader fail otherwise than by saying so.
func FuzzBill(f *testing.F) {
	f.Add([]byte(must(simplifiedchinese.GBK.NewEncoder().String(goodTrades()))))
	f.Add([]byte(must(simplifiedchinese.GBK.NewEncoder().String(goodBalance()))))
	f.Add([]byte(packed(goodTrades())))
	f.Fuzz(func(t *testing.T, raw []byte) {
		texts, why := unzip(raw)
		if why != "" {
			texts = [][]byte{raw}
		}
		all, why := readTrades(texts, testSeller, reportDay)
		if why != "" && len(all) > 0 {
			t.Error("a refused bill has movements")
		}
		more, _ := readChanges(texts, testSeller, reportDay)
		for _, m := range append(all, more...) {
			if !reportDay.Holds(m.At, china) || m.Amount.Currency != cny || m.Kind == "" || m.ID == "" {
				t.Errorf("kept %+v", m)
			}
		}
	})
}
