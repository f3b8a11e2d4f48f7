package alipaysim

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// The columns of the two files, in their order.
const (
	detailHead = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）," +
		"支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
	summaryHead = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）"
)

// bill is a day's trades.
type bill struct {
	account  string
	from, to time.Time
	rows     []billRow
}

// billRow is a payment, or a refund if request is set. Its amounts are what the
// merchant's account gained, in fen: less than nothing for what it lost.
type billRow struct {
	*trade
	began, at time.Time
	request   string // out_request_no
	fen, fee  int64
}

// tradeBill has the payments of a day by their time, and refunds by theirs.
func (s *Sim) tradeBill(from, to time.Time) bill {
	b := bill{account: s.cfg.SellerID + "0156", from: from, to: to}
	add := func(r billRow) {
		if !r.at.Before(from) && r.at.Before(to) {
			b.rows = append(b.rows, r)
		}
	}
	for _, t := range s.paid {
		add(billRow{trade: t, began: t.createdAt, at: t.paidAt, fen: t.total, fee: -s.fee(t.total)})
		left := t.total
		for _, r := range t.refunds {
			add(billRow{trade: t, began: r.at, at: r.at, request: r.no, fen: -r.fen, fee: s.fee(left) - s.fee(left-r.fen)})
			left -= r.fen
		}
	}
	slices.SortStableFunc(b.rows, func(a, b billRow) int { return a.at.Compare(b.at) })
	return b
}

func (r billRow) line() string {
	kind := "交易"
	if r.request != "" {
		kind = "退款"
	}
	fields := []string{
		r.no + "\t", r.ref + "\t", kind + "\t", inColumn(r.subject), clock(r.began), clock(r.at), "\t", "\t", "\t", "\t", "*客(" + loginShown + ")\t",
		gained(r.fen), gained(r.fen), "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00\t", "0.00", r.request + "\t", gained(r.fee), "0.00", inColumn(r.body),
	}
	return strings.Join(fields, ",")
}

// inColumn is a text that cannot be taken for two columns or two lines.
func inColumn(text string) string {
	return strings.Map(func(c rune) rune {
		if c == ',' || c < ' ' {
			return ' '
		}
		return c
	}, text)
}

// gained writes fen that may be less than nothing.
func gained(fen int64) string {
	if fen < 0 {
		return "-" + yuan(-fen)
	}
	return yuan(fen)
}

// totals are a bill's sums.
type totals struct{ paid, back, payments, refunds, fees int64 }

func sum(rows []billRow) (t totals) {
	for _, r := range rows {
		t.fees += r.fee
		if r.request == "" {
			t.paid, t.payments = t.paid+r.fen, t.payments+1
		} else {
			t.back, t.refunds = t.back+r.fen, t.refunds+1
		}
	}
	return t
}

// detail is the file of all trades.
func (b bill) detail(rows []billRow, t totals) string {
	lines := []string{detailHead}
	for _, r := range rows {
		lines = append(lines, r.line())
	}
	return b.framed("业务明细", lines, []string{
		"#交易合计：" + count(t.payments) + "笔，商家实收共" + gained(t.paid) + "元，商家优惠共0.00元",
		"#退款合计：" + count(t.refunds) + "笔，商家实收退款共" + gained(t.back) + "元，商家优惠退款共0.00元",
	})
}

// summary is the file of their sums, by shops. There are none here.
func (b bill) summary(t totals) string {
	net := t.paid + t.back
	return b.framed("业务汇总", []string{
		summaryHead,
		strings.Join([]string{
			"合计\t", "\t", count(t.payments), count(t.refunds), gained(net), gained(net), "0.00", "0.00", "0.00", gained(t.fees), "0.00", gained(net + t.fees),
		}, ","),
	}, nil)
}

// framed puts the comments around a table.
func (b bill) framed(title string, table, after []string) string {
	day := func(t time.Time) string { return "[" + t.Format("2006年01月02日 15:04:05") + "]" }
	const rule = "-----------------------------------------"
	lines := slices.Concat([]string{
		"#支付宝" + title + "查询",
		"#账号：[" + b.account + "]",
		"#起始日期：" + day(b.from) + "   终止日期：" + day(b.to),
		"#" + rule + title + "列表" + rule[1:],
	}, table, []string{
		"#" + rule + title + "列表结束" + rule[5:],
	}, after, []string{
		"#导出时间：" + day(b.to.Add(billReady)),
	})
	return strings.Join(lines, "\r\n") + "\r\n"
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

// zip packs the bill, with what is to be wrong with it.
func (b bill) zip(name string, trouble BillTrouble) []byte {
	rows := b.rows
	switch trouble {
	case RowMissing:
		rows = rows[1:]
	case RowTwice:
		rows = slices.Insert(rows, 1, rows[0])
	case WrongAmount:
		rows[0].fen++
	case NotYet, WrongTotal, Truncated, WrongHash, SummaryFirst, "":
	}
	t := sum(rows)
	if trouble == WrongTotal {
		t.paid++
	}
	files := []packed{{name + "_业务明细.csv", b.detail(rows, t)}, {name + "_业务明细(汇总).csv", b.summary(t)}}
	if trouble == SummaryFirst {
		slices.Reverse(files)
	}
	all := archive(files, b.to.Add(billReady), trouble == WrongHash)
	if trouble == Truncated {
		all = all[:len(all)/2]
	}
	return all
}

// packed is a file in a ZIP.
type packed struct{ name, text string }

// archive makes a ZIP as Alipay does: names and texts in GBK, and nothing that
// says so. spoilt makes its checksums wrong.
func archive(files []packed, at time.Time, spoilt bool) []byte {
	var all bytes.Buffer
	z := zip.NewWriter(&all)
	for _, f := range files {
		body := gbk(f.text)
		h := &zip.FileHeader{Name: string(gbk(f.name)), NonUTF8: true, Method: zip.Deflate, Modified: at}
		var w io.Writer
		var err error
		if spoilt {
			h.Method, h.CRC32 = zip.Store, crc32.ChecksumIEEE(body)^1
			h.CompressedSize64, h.UncompressedSize64 = uint64(len(body)), uint64(len(body))
			w, err = z.CreateRaw(h)
		} else {
			w, err = z.CreateHeader(h)
		}
		if err == nil {
			_, err = w.Write(body)
		}
		if err != nil {
			panic("alipaysim: " + err.Error()) // memory takes everything
		}
	}
	if err := z.Close(); err != nil {
		panic("alipaysim: " + err.Error()) // as above
	}
	return all.Bytes()
}

// gbk writes a question mark for what GBK does not have.
func gbk(text string) []byte {
	var b bytes.Buffer
	for _, c := range text {
		one, err := simplifiedchinese.GBK.NewEncoder().String(string(c))
		if err != nil {
			one = "?"
		}
		b.WriteString(one)
	}
	return b.Bytes()
}
