package wechatpay

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// table is a bill: rows by the names of their columns, and the totals at its end.
// Every value begins with a backtick, so that spreadsheets take it as a text;
// that also tells rows from headings. Columns are found by name, since their
// order depends on the bill's type and age (/doc/v3/merchant/4012791874).
type table struct {
	columns map[string]int
	rows    [][]string
	totals  map[string]string
}

// maxRows bounds a bill.
const maxRows = 200_000

// readTable reads a bill with at least these columns.
func readTable(text string, columns ...string) (t table, why string) {
	if !utf8.ValidString(text) {
		return t, "a bill that is no text"
	}
	var heads [][]string
	var last []string
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimRight(line, "\r\n")
		values, is := strings.CutPrefix(strings.TrimSpace(line), "`")
		switch {
		case strings.TrimSpace(line) == "":
		case !is:
			heads = append(heads, strings.Split(strings.TrimSpace(line), ","))
		case len(heads) == 1:
			t.rows = append(t.rows, strings.Split(values, ",`"))
		case len(heads) == 2 && last == nil:
			last = strings.Split(values, ",`")
		default:
			return table{}, "a bill with something before its heading or after its totals"
		}
		if len(t.rows) > maxRows {
			return table{}, fmt.Sprintf("a bill with more than %d rows", maxRows)
		}
	}
	if len(heads) != 2 || last == nil || len(last) != len(heads[1]) {
		return table{}, "a bill that is cut: it has no totals at its end"
	}
	t.columns, t.totals = map[string]int{}, map[string]string{}
	for i, name := range heads[0] {
		t.columns[column(name)] = i
	}
	for i, name := range heads[1] {
		t.totals[column(name)] = strings.TrimSpace(last[i])
	}
	for _, name := range columns {
		if _, ok := t.columns[name]; !ok {
			return table{}, "a bill without the column " + name
		}
	}
	for _, row := range t.rows {
		if len(row) != len(heads[0]) {
			return table{}, "a bill with a row of another length"
		}
	}
	return t, ""
}

// column is a column's name without its unit, whatever brackets it has.
func column(name string) string {
	name, _, _ = strings.Cut(strings.ReplaceAll(strings.TrimSpace(name), "（", "("), "(")
	return name
}

// get is a value of the first of these columns that there is.
func (t table) get(row []string, names ...string) string {
	for _, name := range names {
		if i, ok := t.columns[name]; ok {
			return strings.TrimSpace(row[i])
		}
	}
	return ""
}

// counted says what is wrong where the bill's own totals are not n and sums, in
// hundred-thousandths of a yuan. Old bills have other names for them, and fewer.
func (t table) counted(count string, n int, sums map[string]int64) string {
	said, ok := t.totals[count]
	if whole, zeros, _ := strings.Cut(said, "."); !ok || whole != strconv.Itoa(n) || strings.Trim(zeros, "0") != "" {
		return fmt.Sprintf("a bill that does not add up: it says %.20q rows and has %d", said, n)
	}
	for name, want := range sums {
		said, ok := t.totals[name]
		if !ok {
			continue
		}
		if got, ok := fine(said); !ok || got != want {
			return fmt.Sprintf("a bill that does not add up: %s is %.20q, and the rows come to %d.%05d", name, said, want/100_000, max(want, -want)%100_000)
		}
	}
	return ""
}

// fine reads an amount in yuan to the hundred-thousandth, as fees are written.
func fine(s string) (n int64, ok bool) {
	rest, negative := strings.CutPrefix(s, "-")
	whole, decimals, _ := strings.Cut(rest, ".")
	if whole == "" || len(whole) > 11 || len(decimals) > 5 || strings.Trim(whole+decimals, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+(decimals + "00000")[:5], 10, 64)
	if negative {
		n = -n
	}
	return n, err == nil
}

// inFen reads an amount in yuan that must be whole fen; of nothing where it is
// missing.
func inFen(s string) (money.Money, bool) {
	if s == "" {
		return money.Of(0, yuan), true
	}
	n, ok := fine(s)
	return money.Of(n/1000, yuan), ok && n%1000 == 0
}

// rounded is an amount to the fen, as WeChat Pay takes its fees.
func rounded(n int64) money.Money { return money.Of(money.DivRound(n, 1000, money.HalfUp), yuan) }

// moment reads a time of a row.
func moment(s string) (time.Time, bool) {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", s, china)
	return t.UTC(), err == nil
}

// name is s if it can be an identifier, else nothing. Bills write 0 for none.
func name(s string) string {
	if s == "0" || len(s) > 64 || strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-|*@") != "" {
		return ""
	}
	return s
}

// flows is what the bill of funds says that the other bill does not.
type flows struct {
	fees   map[string]int64 // fen that were taken, less those given back, by transaction or refund
	spent  map[string]int64 // fen that went out for a refund, by our reference
	at     map[string]time.Time
	backs  []payment.Movement // refunds that came back
	others []payment.Movement
}

// readFunds reads the bill of the basic account.
func readFunds(text string, day payment.Day) (f flows, why string) {
	f = flows{fees: map[string]int64{}, spent: map[string]int64{}, at: map[string]time.Time{}}
	if text == "" {
		return f, ""
	}
	t, why := readTable(text, "记账时间", "微信支付业务单号", "资金流水单号", "业务类型", "收支类型", "收支金额", "业务凭证号")
	if why != "" {
		return f, why
	}
	var in, out int64
	for _, row := range t.rows {
		m, ok := inFen(t.get(row, "收支金额"))
		at, on := moment(t.get(row, "记账时间"))
		if !ok || !on || !day.Holds(at, china) || m.Minor < 0 {
			return f, "a row of the bill of funds that makes no sense"
		}
		switch t.get(row, "收支类型") {
		case "收入":
			in += m.Minor
		case "支出":
			out += m.Minor
			m = m.Neg()
		default:
			return f, "a row of the bill of funds that goes neither in nor out"
		}
		f.add(t, row, m, at)
	}
	return f, t.counted("资金流水总笔数", len(t.rows), map[string]int64{"收入金额": in * 1000, "支出金额": out * 1000})
}

// add sorts one row. What a trade brought is left to the other bill: here it may
// stand a day later.
func (f *flows) add(t table, row []string, m money.Money, at time.Time) {
	id, number, voucher := name(t.get(row, "微信支付业务单号")), name(t.get(row, "资金流水单号")), name(t.get(row, "业务凭证号"))
	word := t.get(row, "业务类型")
	moved := payment.Movement{ID: "fund/" + id + "/" + number, Code: clip(word, 64), Amount: m, Settled: m, Fee: money.Of(0, yuan), FeeTold: true, At: at}
	switch {
	case word == "扣除交易手续费" || word == "退回交易手续费":
		f.fees[id] -= m.Minor
	case word == "退款" && m.Minor < 0:
		f.spent[voucher] -= m.Minor
		f.at[voucher] = at
	case word == "退款":
		moved.Kind, moved.MoneyID, moved.RefundRef, moved.RefundID = payment.MovedRefund, number, voucher, id
		f.backs = append(f.backs, moved)
	case word == "交易":
	case strings.Contains(word, "提现"):
		moved.Kind = payment.MovedPayout
		f.others = append(f.others, moved)
	default:
		moved.Kind = payment.MovedOther
		f.others = append(f.others, moved)
	}
}

// take is the fee of something, once.
func (f flows) take(id string) (money.Money, bool) {
	n, ok := f.fees[id]
	delete(f.fees, id)
	return money.Of(n, yuan), ok
}

// rest are the movements of which no trade of the day tells. The fee of a refund
// that came back belongs to it where the refund itself was on another day.
func (f flows) rest() []payment.Movement {
	for i, m := range f.backs {
		if fee, ok := f.take(m.RefundID); ok {
			f.backs[i].Fee = fee
		}
	}
	return append(f.backs, f.others...)
}

// readTrades reads the bill of trades. What a trade really cost stands in the bill
// of funds, where there is one; else it is the fee that was worked out, to the fen.
func readTrades(text, merchant string, day payment.Day, f flows) (all []payment.Movement, why string) {
	if text == "" {
		return nil, ""
	}
	t, why := readTable(text, "交易时间", "商户号", "微信订单号", "商户订单号", "交易状态", "货币种类", "商户退款单号", "手续费")
	if why != "" {
		return nil, why
	}
	sums := map[string]int64{}
	for _, row := range t.rows {
		if t.get(row, "商户号") != merchant || t.get(row, "货币种类") != string(yuan) {
			return nil, "a bill of another merchant or in another currency"
		}
		m, moved, why := t.trade(row, day, f)
		if why != "" {
			return nil, why
		}
		if moved {
			all = append(all, m)
		}
		for total, columns := range map[string][]string{
			"应结订单总金额": {"应结订单金额"}, "总交易额": {"总金额"}, "退款总金额": {"退款金额"}, "总退款金额": {"退款金额"}, "手续费总金额": {"手续费"},
		} {
			n, _ := fine(t.get(row, columns...))
			sums[total] += n
		}
	}
	if why := t.counted("总交易单数", len(t.rows), sums); why != "" {
		return nil, why
	}
	return all, ""
}

// trade reads one row. moved is false for a refund that was not made after all.
func (t table) trade(row []string, day payment.Day, f flows) (m payment.Movement, moved bool, why string) {
	id := name(t.get(row, "微信订单号"))
	fee, ok := fine(t.get(row, "手续费"))
	at, timely := moment(t.get(row, "交易时间"))
	if id == "" || !ok {
		return m, false, "a row without a trade or its fee"
	}
	m = payment.Movement{ID: id, MoneyID: id, Ref: name(t.get(row, "商户订单号")), Fee: rounded(fee), FeeTold: true, At: at}
	price, settled := []string{"订单金额", "应结订单金额", "总金额"}, []string{"应结订单金额", "总金额"}
	m.Code = t.get(row, "交易状态")
	switch m.Code {
	case "SUCCESS":
		m.Kind = payment.MovedCharge
		if taken, ok := f.take(id); ok {
			m.Fee = taken
		}
		timely = timely && day.Holds(at, china)
	case "REFUND", "REVOKED":
		price, settled = []string{"申请退款金额", "退款金额"}, []string{"退款金额"}
		m.Kind, m.RefundRef, m.RefundID = payment.MovedRefund, name(t.get(row, "商户退款单号")), name(t.get(row, "微信退款单号"))
		if m.ID = m.RefundID; m.ID == "" {
			m.ID = id + "/" + m.RefundRef
		}
		m.At, timely = t.refundedAt(row, day, f, m.RefundRef), true
	default:
		return m, false, id + " is in no state that we know"
	}
	var ok2 bool
	m.Amount, ok = inFen(t.get(row, price...))
	m.Settled, ok2 = inFen(t.get(row, settled...))
	switch {
	case !ok || !ok2 || m.Amount.Minor < 0 || m.Settled.Minor < 0:
		return m, false, id + " has an amount that cannot be read"
	case !timely:
		return m, false, id + " is of another day"
	}
	if m.Kind == payment.MovedRefund {
		m.Amount, m.Settled = m.Amount.Neg(), m.Settled.Neg()
		spent, went := f.spent[m.RefundRef]
		if went {
			// The fee came back in a row of its own, or less went out than the
			// customer got.
			m.Fee, _ = f.take(m.RefundID)
			m.Fee.Minor -= max(-m.Settled.Minor-spent, 0)
		}
		return m, went || t.get(row, "退款状态") != "FAIL", ""
	}
	return m, true, ""
}

// refundedAt is when a refund was made: its row may only have the time of the
// payment.
func (t table) refundedAt(row []string, day payment.Day, f flows, ref string) time.Time {
	for _, column := range []string{"退款成功时间", "退款申请时间", "交易时间"} {
		if at, ok := moment(t.get(row, column)); ok && day.Holds(at, china) {
			return at
		}
	}
	if at, ok := f.at[ref]; ok && ref != "" {
		return at
	}
	return day.Start(china).UTC()
}
