package wechatpaysim

import (
	"slices"
	"strconv"
	"time"
)

// The columns of bills, in their order.
const (
	aboutTrade = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额"
	aboutGoods = "商品名称,商户数据包,手续费,费率,订单金额"

	allHead     = aboutTrade + ",微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态," + aboutGoods + ",申请退款金额,费率备注"
	successHead = aboutTrade + "," + aboutGoods + ",费率备注"
	refundHead  = aboutTrade + ",退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态," + aboutGoods + ",申请退款金额,费率备注"

	allTotals     = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
	successTotals = "总交易单数,应结订单总金额,手续费总金额,订单总金额"

	fundHead   = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号"
	fundTotals = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
)

// tradeBill has the payments of a day by the time they were made, and the
// refunds by the time they were accepted, in the state of the bill's making.
func (s *Sim) tradeBill(kind string, from, to time.Time) table {
	t := table{head: map[string]string{"ALL": allHead, "SUCCESS": successHead, "REFUND": refundHead}[kind], totals: allTotals, sum: sumTrades}
	if kind == "SUCCESS" {
		t.totals, t.sum = successTotals, sumPayments
	}
	within := func(at time.Time) bool { return !at.Before(from) && at.Before(to) }
	for _, o := range s.orders {
		if o.tradeID != "" && within(o.paidAt) && kind != "REFUND" {
			t.rows = append(t.rows, s.paymentRow(kind, o))
		}
		for _, r := range o.refunds {
			if within(r.createdAt) && kind != "SUCCESS" {
				t.rows = append(t.rows, s.refundRow(kind, r, to.Add(billReady)))
			}
		}
	}
	slices.SortStableFunc(t.rows, func(a, b row) int { return a.at.Compare(b.at) })
	return t
}

// aboutTrade are the columns of that name.
func (s *Sim) aboutTrade(o *order, at time.Time, state, settled string) []string {
	return []string{
		beijing(at).Format(billClock), s.cfg.AppID, s.cfg.MchID, "0", o.deviceID, o.tradeID, o.ref, o.openID, string(o.kind), state, o.bank, "CNY",
		settled, "0.00",
	}
}

// rate is the fee's, in percent.
func (s *Sim) rate() string { return yuan(max(s.cfg.FeeRate, 0)) + "%" }

func (s *Sim) paymentRow(kind string, o *order) row {
	fee := s.feeOf(o.total)
	return row{at: o.paidAt, amount: o.total, fee: fee, text: func(amount int64) []string {
		fields := s.aboutTrade(o, o.paidAt, "SUCCESS", yuan(amount))
		if kind == "ALL" {
			fields = append(fields, "0", "0", "0.00", "0.00", "", "")
		}
		fields = append(fields, o.description, o.attach, feeYuan(fee), s.rate(), yuan(amount))
		if kind == "ALL" {
			fields = append(fields, "0.00")
		}
		return append(fields, "")
	}}
}

// refundRow is a refund as it stood at an instant.
func (s *Sim) refundRow(kind string, r *refund, at time.Time) row {
	o, fee := r.order, -s.feeBack(r)
	status := r.statusAt(at)
	return row{at: r.createdAt, amount: r.amount, fee: fee, refund: true, text: func(amount int64) []string {
		fields := s.aboutTrade(o, r.createdAt, "REFUND", "0.00")
		if kind == "REFUND" {
			done := ""
			if status == Success {
				done = beijing(r.steps[len(r.steps)-1].at).Format(billClock)
			}
			fields = append(fields, beijing(r.createdAt).Format(billClock), done)
		}
		return append(fields, r.id, r.number, yuan(amount), "0.00", "ORIGINAL", billStatus(status),
			o.description, o.attach, feeYuan(fee), s.rate(), "0.00", yuan(amount), "")
	}}
}

// billStatus is a refund's state in the words of bills.
func billStatus(status RefundStatus) string {
	switch status {
	case Processing, Success:
		return string(status)
	case Abnormal:
		return "CHANGE"
	case Closed:
		return "FAIL"
	}
	panic("wechatpaysim: unknown state " + string(status))
}

func sums(rows []row) (paid, back, fees int64) {
	for _, r := range rows {
		fees += r.fee
		if r.refund {
			back += r.amount
		} else {
			paid += r.amount
		}
	}
	return paid, back, fees
}

func sumTrades(rows []row) []string {
	paid, back, fees := sums(rows)
	return []string{strconv.Itoa(len(rows)), yuan(paid), yuan(back), "0.00", feeYuan(fees), yuan(paid), yuan(back)}
}

func sumPayments(rows []row) []string {
	paid, _, fees := sums(rows)
	return []string{strconv.Itoa(len(rows)), yuan(paid), feeYuan(fees), yuan(paid)}
}

// flow is one movement of the basic account.
type flow struct {
	at            time.Time
	id            string // transaction_id or refund_id
	name, kind    string // 业务名称, 业务类型
	fen           int64  // less than nothing: money that leaves
	note, voucher string
}

// flows are all movements there ever were, in order.
func (s *Sim) flows() (all []flow) {
	add := func(f flow) {
		if f.fen != 0 {
			all = append(all, f)
		}
	}
	for _, o := range s.orders {
		if o.tradeID == "" {
			continue
		}
		add(flow{o.paidAt, o.tradeID, "交易", "交易", o.total, "", o.ref})
		add(flow{o.paidAt, o.tradeID, "交易", "扣除交易手续费", -s.feeOf(o.total), "", o.ref})
		for _, r := range o.refunds {
			reason, _ := r.params["reason"].(string)
			add(flow{r.createdAt, r.id, "退款", "退款", -r.amount, reason, r.number})
			add(flow{r.createdAt, r.id, "退款", "退回交易手续费", s.feeBack(r), reason, r.number})
			for _, p := range r.steps {
				if p.status == Closed && !p.at.After(s.now) {
					add(flow{p.at, r.id, "退款", "退款", r.amount, reason, r.number})
					add(flow{p.at, r.id, "退款", "扣除交易手续费", -s.feeBack(r), reason, r.number})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b flow) int { return a.at.Compare(b.at) })
	return all
}

// fundBill has the movements of a day on the basic account; the others never
// move.
func (s *Sim) fundBill(account string, from, to time.Time) table {
	t := table{head: fundHead, totals: fundTotals, sum: sumFlows}
	if account != "BASIC" {
		return t
	}
	balance := int64(0)
	for i, f := range s.flows() {
		balance += f.fen
		if f.at.Before(from) || !f.at.Before(to) {
			continue
		}
		left, number := balance, s.cfg.MchID+beijing(f.at).Format("20060102")+tail("00000000"+strconv.Itoa(i), 8)
		t.rows = append(t.rows, row{at: f.at, amount: max(f.fen, -f.fen), refund: f.fen < 0, text: func(amount int64) []string {
			way := map[bool]string{false: "收入", true: "支出"}[f.fen < 0]
			return []string{beijing(f.at).Format(billClock), f.id, number, f.name, f.kind, way, yuan(amount), yuan(left), "system", f.note, f.voucher}
		}})
	}
	return t
}

func tail(s string, n int) string { return s[len(s)-n:] }

func sumFlows(rows []row) []string {
	in, out, _ := sums(rows)
	leaving := 0
	for _, r := range rows {
		if r.refund {
			leaving++
		}
	}
	count := func(n int) string { return strconv.Itoa(n) + ".0" } // as in the published bills
	return []string{count(len(rows)), count(len(rows) - leaving), yuan(in), count(leaving), yuan(out)}
}
