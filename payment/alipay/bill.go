package alipay

import (
	"encoding/csv"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// table is the list in a bill: rows by the names of their columns, and what the
// bill says of itself in the lines around it, which begin with #.
//
// Columns are found by name, since their order has changed over the years.
type table struct {
	columns map[string]int
	rows    [][]string
	remarks []string
}

// maxRows bounds a bill.
const maxRows = 200_000

// tableOf finds the file that has a list with all these columns, and reads it. A
// bill's other file is a summary without them.
func tableOf(texts [][]byte, columns ...string) (t table, why string) {
	for _, raw := range texts {
		text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw)
		if err != nil {
			continue
		}
		t, why = readTable(string(text), columns)
		if why != "" || t.columns != nil {
			return t, why
		}
	}
	return table{}, "a bill without the list that should be in it"
}

func readTable(text string, columns []string) (t table, why string) {
	var list strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			t.remarks = append(t.remarks, strings.NewReplacer("：", ":", "，", ",").Replace(strings.TrimSpace(line)))
			continue
		}
		list.WriteString(strings.ReplaceAll(line, "\t", "")) // fields end with one, so that spreadsheets take them as texts
	}
	r := csv.NewReader(strings.NewReader(list.String()))
	r.LazyQuotes = true
	all, err := r.ReadAll() // every row has as many fields as the first
	if err != nil || len(all) == 0 {
		return table{}, ""
	}
	names := map[string]int{}
	for i, name := range all[0] {
		names[column(name)] = i
	}
	for _, want := range columns {
		if _, ok := names[want]; !ok {
			return table{}, ""
		}
	}
	if len(all) > maxRows {
		return table{}, fmt.Sprintf("a bill with more than %d rows", maxRows)
	}
	t.columns, t.rows = names, all[1:]
	return t, t.ends()
}

// column is a column's name without its unit, whatever brackets it has.
func column(name string) string {
	name = strings.NewReplacer("（", "(", "）", ")", "\ufeff", "").Replace(strings.TrimSpace(name))
	name, _, _ = strings.Cut(name, "(")
	return name
}

// get is a field; "" where there is no such column.
func (t table) get(row []string, column string) string {
	i, ok := t.columns[column]
	if !ok {
		return ""
	}
	return strings.TrimSpace(row[i])
}

// ends says what is wrong where a bill does not say that its list is over: it was
// cut.
func (t table) ends() string {
	for _, remark := range t.remarks {
		if strings.Contains(remark, "列表结束") {
			return ""
		}
	}
	return "a bill that is cut: its list has no end"
}

var (
	dateIn  = regexp.MustCompile(`起始日期:\[(\d{4})年(\d{2})月(\d{2})日`)
	ownerIn = regexp.MustCompile(`^#账号:\[(\d{16})`)
	sumIn   = regexp.MustCompile(`^#(\S+?)合计:(\d+)笔,\D*?(-?[0-9.]+)元`)
)

// about says what is wrong where a bill is another seller's, or of another day.
func (t table) about(seller string, day payment.Day) string {
	for _, remark := range t.remarks {
		if m := ownerIn.FindStringSubmatch(remark); m != nil && m[1] != seller {
			return "the bill of another seller"
		}
		if m := dateIn.FindStringSubmatch(remark); m != nil && m[1]+"-"+m[2]+"-"+m[3] != string(day) {
			return "the bill of another day"
		}
	}
	return ""
}

// total is what a bill says that some of its rows add up to.
type total struct {
	count int
	sum   int64 // fen, without sign: bills differ about it
}

// adds says what is wrong where a bill's own totals are not those of its rows.
func (t table) adds(of map[string]total) string {
	for _, remark := range t.remarks {
		m := sumIn.FindStringSubmatch(remark)
		if m == nil {
			continue
		}
		want, known := of[m[1]]
		if !known {
			continue
		}
		count, err := strconv.Atoi(m[2])
		sum, err2 := change(m[3])
		if err != nil || err2 != nil || count != want.count || abs(sum.Minor) != abs(want.sum) {
			return fmt.Sprintf("a bill that does not add up: it says %d of %s and lists %d of %s",
				count, sum.Decimal(), want.count, money.Of(abs(want.sum), cny).Decimal())
		}
	}
	return ""
}

func abs(n int64) int64 { return max(n, -n) }

// change reads an amount of either sign.
func change(s string) (money.Money, error) {
	rest, negative := strings.CutPrefix(s, "-")
	m, err := fromYuan(yuan(rest))
	if negative {
		m = m.Neg()
	}
	return m, err
}

// moment reads a time of a row, which must be on the bill's day.
func moment(s string, day payment.Day) (time.Time, bool) {
	t, err := time.ParseInLocation(stamp, s, china)
	return t.UTC(), err == nil && day.Holds(t, china)
}

// name is s if it can be an identifier, else nothing.
func name(s string) string {
	if len(s) > 64 || strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") != "" {
		return ""
	}
	return s
}

// readTrades reads the bill of trades: what customers paid and got back, with the
// fees.
func readTrades(texts [][]byte, seller string, day payment.Day) (all []payment.Movement, why string) {
	if texts == nil {
		return nil, ""
	}
	t, why := tableOf(texts, "支付宝交易号", "商户订单号", "业务类型", "完成时间", "订单金额", "商家实收", "服务费")
	if why == "" {
		why = t.about(seller, day)
	}
	sums := map[string]total{"交易": {}, "退款": {}}
	for _, row := range t.rows {
		if why != "" {
			return nil, why
		}
		var m payment.Movement
		m, why = t.trade(row, day)
		all = append(all, m)
		kind := "交易"
		if m.Kind == payment.MovedRefund {
			kind = "退款"
		}
		sums[kind] = total{sums[kind].count + 1, sums[kind].sum + m.Settled.Minor}
	}
	if why == "" {
		why = t.adds(sums)
	}
	if why != "" {
		return nil, why
	}
	return all, ""
}

// trade reads one row of the bill of trades.
func (t table) trade(row []string, day payment.Day) (m payment.Movement, why string) {
	id := name(t.get(row, "支付宝交易号"))
	at, ok := moment(t.get(row, "完成时间"), day)
	price, err := change(t.get(row, "订单金额"))
	got, err2 := change(t.get(row, "商家实收"))
	fee, err3 := change(t.get(row, "服务费"))
	switch {
	case id == "":
		return m, "a row without a trade"
	case !ok:
		return m, id + " is of another day"
	case err != nil || err2 != nil || err3 != nil:
		return m, id + " has an amount that cannot be read"
	}
	m = payment.Movement{ID: id, Ref: name(t.get(row, "商户订单号")), MoneyID: id, FeeTold: true, At: at}
	fee.Minor = abs(fee.Minor) // some bills write what they take with a minus
	switch kind := t.get(row, "业务类型"); kind {
	case "交易":
		m.Kind, m.Code, m.Amount, m.Settled, m.Fee = payment.MovedCharge, "trade", price, got, fee
	case "退款":
		m.Kind, m.Code, m.Fee = payment.MovedRefund, "refund", fee.Neg()
		m.Settled = money.Of(-abs(got.Minor), cny)
		m.Amount = m.Settled
		m.RefundRef = name(t.request(row))
		m.ID += "/" + m.RefundRef
	default:
		return m, id + " is of a kind that we do not know"
	}
	return m, ""
}

// request is the number under which a refund was asked for. The column's name
// has changed.
func (t table) request(row []string) string {
	for _, c := range []string{"退款批次号/请求号", "退款请求号", "退款批次号"} {
		if s := t.get(row, c); s != "" {
			return s
		}
	}
	return ""
}

// readChanges reads the bill of the balance, for what is not in the bill of
// trades: payouts, fees that are not for a trade, and whatever there is besides.
// What is about a trade may stand in it a day later, and is left to the other bill.
func readChanges(texts [][]byte, seller string, day payment.Day) (all []payment.Movement, why string) {
	if texts == nil {
		return nil, ""
	}
	t, why := tableOf(texts, "账务流水号", "商户订单号", "发生时间", "收入金额", "支出金额", "业务类型")
	if why == "" {
		why = t.about(seller, day)
	}
	sums := map[string]total{"收入": {}, "支出": {}}
	for _, row := range t.rows {
		if why != "" {
			return nil, why
		}
		var m payment.Movement
		m, why = t.change(row, day)
		side := "收入"
		if m.Amount.Minor < 0 {
			side = "支出"
		}
		sums[side] = total{sums[side].count + 1, sums[side].sum + m.Amount.Minor}
		if m.Kind == payment.MovedCharge || m.Kind == payment.MovedRefund || m.Kind == payment.MovedFee && m.Ref != "" {
			continue
		}
		all = append(all, m)
	}
	if why == "" {
		why = t.adds(sums)
	}
	if why != "" {
		return nil, why
	}
	return all, ""
}

// changes are the words for why a balance changed, as sellers' bills show them.
var changes = map[string]payment.MovementKind{
	"在线支付": payment.MovedCharge, "交易付款": payment.MovedCharge, "交易": payment.MovedCharge,
	"退款": payment.MovedRefund, "交易退款": payment.MovedRefund, "退款(交易退款)": payment.MovedRefund,
	"收费": payment.MovedFee, "退费": payment.MovedFee, "服务费": payment.MovedFee, "手续费": payment.MovedFee,
	"提现": payment.MovedPayout, "提现退回": payment.MovedPayout,
}

// change reads one row of the bill of the balance.
func (t table) change(row []string, day payment.Day) (m payment.Movement, why string) {
	id := name(t.get(row, "账务流水号"))
	at, ok := moment(t.get(row, "发生时间"), day)
	in, err := change(orZero(t.get(row, "收入金额")))
	out, err2 := change(orZero(t.get(row, "支出金额")))
	switch {
	case id == "":
		return m, "a row without an identifier"
	case !ok:
		return m, id + " is of another day"
	case err != nil || err2 != nil || in.Minor < 0:
		return m, id + " has an amount that cannot be read"
	}
	word := strings.NewReplacer("（", "(", "）", ")").Replace(t.get(row, "业务类型"))
	m = payment.Movement{ID: "balance/" + id, Kind: changes[word], Code: clip(word, 20), Ref: name(t.get(row, "商户订单号")), FeeTold: true, At: at}
	if m.Kind == "" {
		m.Kind = payment.MovedOther
	}
	m.Amount = money.Of(in.Minor-abs(out.Minor), cny)
	m.Settled = m.Amount
	return m, ""
}

func orZero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
