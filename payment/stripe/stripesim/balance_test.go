package stripesim_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/stripe/stripesim"
)

// row is one balance transaction as the list shows it.
type row struct {
	id, kind, category, source string
	amount, fee, net           int64
}

// report reads the whole list, oldest first, in pages of a size.
func (w *town) report(t interface{ Fatalf(string, ...any) }, limit int, params ...string) (rows []row) {
	params = append(params, "limit="+strconv.Itoa(limit))
	after := []string{}
	for range 200 {
		r := w.call("GET", "/v1/balance_transactions", "", append(after, params...)...)
		if r.status != 200 {
			t.Fatalf("%d %s", r.status, r.raw)
		}
		data := r.body["data"].([]any)
		for _, d := range data {
			one := reply{body: d.(map[string]any)}
			number := func(path string) int64 {
				n, _ := strconv.ParseInt(one.at(path).(string), 10, 64)
				return n
			}
			rows = append(rows, row{
				one.id(), one.at("type").(string), one.at("reporting_category").(string), one.at("source").(string),
				number("amount"), number("fee"), number("net"),
			})
		}
		if r.at("has_more") == false {
			slices.Reverse(rows)
			return rows
		}
		after = []string{"starting_after=" + rows[len(rows)-1].id}
	}
	t.Fatalf("the list does not end")
	return nil
}

func kinds(rows []row) string {
	var all []string
	for _, r := range rows {
		all = append(all, r.kind+"/"+r.category+" "+fmt.Sprint(r.amount, r.fee, r.net))
	}
	return strings.Join(all, ", ")
}

func TestEveryMovementIsInTheList(t *testing.T) {
	w := newTown()
	w.paid(t, "a")
	w.offer(t, "b", "payment_method_types[]=konbini")
	_, _ = w.PayWith("b", "konbini")
	_ = w.Settle("b", true)
	for _, ref := range []string{"a", "b"} {
		cs, _ := w.Session(ref)
		want(t, w.call("POST", "/v1/refunds", "", "payment_intent="+cs.PaymentIntent, "amount=80", "metadata[ref]=back of "+ref), 200)
	}
	_ = w.SettleRefund("back of a", false)
	_ = w.Dispute("a")
	_ = w.CloseDispute("a", true)
	w.BillFee(55, "jpy", "Radar")
	const wanted = "charge/charge 1980 71 1909, payment/charge 1980 71 1909, refund/refund -80 0 -80, payment_refund/refund -80 0 -80, " +
		"refund_failure/refund_failure 80 0 80, adjustment/dispute -1980 1300 -3280, adjustment/dispute_reversal 1980 0 1980, stripe_fee/fee -55 0 -55"
	if got := kinds(w.report(t, 100)); got != wanted {
		t.Errorf("listed: %s\nwanted: %s", got, wanted)
	}
	var sources []string
	for i, r := range w.report(t, 100) {
		sources = append(sources, r.source[:min(3, len(r.source))])
		one := w.call("GET", "/v1/balance_transactions/"+r.id, "", "expand[]=source")
		want(t, one, 200, "amount", itoa(r.amount), "currency", "jpy")
		if r.source != "" {
			want(t, one, 200, "source.id", r.source)
		}
		if truth := w.Transactions()[i]; truth.ID != r.id || truth.Amount != money.Of(r.amount, "JPY") || truth.Fee != money.Of(r.fee, "JPY") || truth.Source != r.source ||
			(r.source != "" && truth.Metadata["order"] == "") {
			t.Errorf("listed %+v, truth %+v", r, truth)
		}
	}
	if got := strings.Join(sources, " "); got != "ch_ ch_ re_ re_ re_ dp_ dp_ " {
		t.Errorf("sources: %s", got)
	}
	r := w.call("GET", "/v1/balance_transactions", "", "expand[]=data.source", "type=charge")
	want(t, r, 200, "data.0.source.object", "charge", "data.0.source.metadata.order", "order of a", "data.1.id", "", "url", "/v1/balance_transactions")
	re := w.call("GET", "/v1/refunds", "", "expand[]=data.balance_transaction", "expand[]=data.failure_balance_transaction")
	want(t, re, 200, "data.0.balance_transaction.amount", "-80", "data.1.status", "failed", "data.1.failure_balance_transaction.amount", "80")
	dp := w.call("GET", "/v1/disputes", "")
	want(t, dp, 200, "data.0.balance_transactions.0.fee", "1300", "data.0.balance_transactions.1.net", "1980")
}

func TestTheListIsFiltered(t *testing.T) {
	w := newTown()
	start := w.clock()
	for i := range 3 {
		w.paid(t, fmt.Sprint("a", i))
		w.pass(time.Hour)
	}
	source := w.Charges()[1].ID
	for params, n := range map[string]int{
		"type=charge": 3, "type=payout": 0, "source=" + source: 1, "currency=jpy": 3, "currency=usd": 0,
		"created[gte]=" + itoa(start.Add(time.Hour).Unix()): 2, "created[lt]=" + itoa(start.Add(time.Hour).Unix()): 1,
		"created[gt]=" + itoa(start.Unix()): 2, "created[lte]=" + itoa(start.Unix()): 1,
	} {
		if rows := w.report(t, 2, params); len(rows) != n {
			t.Errorf("%s: %d rows, want %d", params, len(rows), n)
		}
	}
	for _, bad := range []string{"currency=xyz", "limit=0", "payout=po_none", "starting_after=txn_none", "kind=charge"} {
		if r := w.call("GET", "/v1/balance_transactions", "", bad); r.status != 400 {
			t.Errorf("%s: %d %s", bad, r.status, r.raw)
		}
	}
	want(t, w.call("GET", "/v1/balance_transactions/txn_none", ""), 404)
	want(t, w.call("GET", "/v1/balance_transactions", "", "expand[]=data.payer"), 400, "error.param", "expand")
}

func TestWhatHasClearedIsPaidOut(t *testing.T) {
	w := newTown()
	w.paid(t, "a")
	w.paid(t, "b")
	if w.Payout("jpy") == nil {
		t.Error("paid out before it cleared")
	}
	w.pass(5 * 24 * time.Hour)
	w.paid(t, "c")
	if err := w.Payout("jpy"); err != nil {
		t.Fatal(err)
	}
	po := w.call("GET", "/v1/payouts", "", "expand[]=data.balance_transaction")
	want(t, po, 200, "data.0.amount", "3818", "data.0.status", "in_transit", "data.0.balance_transaction.amount", "-3818", "data.0.balance_transaction.type", "payout")
	id := po.at("data.0.id").(string)
	if got := kinds(w.report(t, 100, "payout="+id)); got != "charge/charge 1980 71 1909, charge/charge 1980 71 1909, payout/payout -3818 0 -3818" {
		t.Errorf("of the payout: %s", got)
	}
	if w.Payout("jpy") == nil {
		t.Error("paid out twice")
	}
	w.pass(2 * 24 * time.Hour)
	want(t, w.call("GET", "/v1/payouts/"+id, ""), 200, "status", "paid")
	want(t, w.call("GET", "/v1/payouts", "", "status=paid"), 200, "data.0.id", id)
	want(t, w.call("GET", "/v1/payouts/po_none", ""), 404)
	w.pass(5 * 24 * time.Hour)
	if err := w.Payout("jpy"); err != nil {
		t.Fatal(err)
	}
	if got := kinds(w.report(t, 100, "payout="+id)); strings.Count(got, "charge/charge") != 2 {
		t.Errorf("of the first payout, after the second: %s", got)
	}
	if told := w.told(); !strings.Contains(told, "payout.created") || strings.Count(told, "payout.paid") != 1 {
		t.Errorf("told: %s", told)
	}
}

func TestTheListMayBeWrong(t *testing.T) {
	w := newTown()
	for i := range 5 {
		w.paid(t, fmt.Sprint("a", i))
		w.pass(time.Minute)
	}
	right := w.report(t, 2)
	id := right[2].id
	for flaw, wanted := range map[stripesim.Flaw][]int64{
		stripesim.RowLost: nil, stripesim.RowTwice: {1980, 1980}, stripesim.RowOther: {1981}, stripesim.NoFlaw: {1980},
	} {
		if err := w.Misreport(id, flaw); err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, r := range w.report(t, 3) {
			if r.id == id {
				got = append(got, r.amount)
			}
		}
		if !slices.Equal(got, wanted) {
			t.Errorf("%s: %v, want %v", flaw, got, wanted)
		}
		if n := len(w.Transactions()); n != 5 || w.Transactions()[2].Amount != money.Of(1980, "JPY") {
			t.Errorf("%s: the truth changed: %v", flaw, w.Transactions())
		}
	}
	if w.Misreport("txn_none", stripesim.RowLost) == nil {
		t.Error("a row that is not there was lost")
	}
	_ = w.Misreport(id, stripesim.NoFlaw)
	w.LosePages(1)
	if rows := w.report(t, 100); len(rows) != 0 {
		t.Errorf("%d rows on a lost page", len(rows))
	}
	for _, trouble := range stripesim.Troubles {
		w.UpsetReports(trouble)
		want(t, w.call("GET", "/v1/charges", ""), 200)
		if r := w.call("GET", "/v1/balance_transactions", ""); r.status < 429 {
			t.Errorf("%s: %d", trouble, r.status)
		}
	}
	if rows := w.report(t, 100); !slices.Equal(rows, right) {
		t.Errorf("afterwards: %v", rows)
	}
}

func TestTheListMayBeLate(t *testing.T) {
	w := newTown(func(c *stripesim.Config) { c.FeeDelay = time.Minute })
	w.DelayReports(3 * time.Hour)
	pi := w.paid(t, "a")
	want(t, w.call("POST", "/v1/refunds", "", "payment_intent="+pi), 200)
	for _, c := range []struct {
		pass time.Duration
		rows int
	}{{0, 0}, {3*time.Hour - 1, 0}, {1, 1}, {time.Minute, 2}} { // the refund is booked at once, the charge is not
		w.pass(c.pass)
		if rows := w.report(t, 100); len(rows) != c.rows {
			t.Errorf("after %v more: %s", c.pass, kinds(rows))
		}
	}
	// What comes late comes with the time at which it happened.
	r := w.call("GET", "/v1/balance_transactions", "", "type=charge")
	want(t, r, 200, "data.0.created", itoa(w.Charges()[0].CreatedAt.Unix()))
}

// Whatever happens, the list adds up to what came, went back and is withheld.
func TestTheListAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTown()
		refs := []string{"a", "b", "c"}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			ref := rapid.SampledFrom(refs).Draw(t, "ref")
			cs, _ := w.Session(ref)
			switch rapid.IntRange(0, 8).Draw(t, "step") {
			case 0, 1:
				w.call("POST", "/v1/checkout/sessions", "", forYen(ref, "1980")...)
				_, _ = w.Pay(ref)
			case 2, 3:
				w.call("POST", "/v1/refunds", "", "payment_intent="+cs.PaymentIntent, "amount="+itoa(rapid.Int64Range(1, 1980).Draw(t, "amount")), "metadata[ref]=back "+ref)
			case 4:
				w.HoldRefunds(rapid.Bool().Draw(t, "hold"))
				_ = w.SettleRefund("back "+ref, rapid.Bool().Draw(t, "ok"))
			case 5:
				_ = w.DisputeAs(ref, stripesim.Claim{Inquiry: rapid.Bool().Draw(t, "inquiry"), Minor: rapid.Int64Range(0, 2000).Draw(t, "disputed")})
			case 6:
				_ = w.CloseDispute(ref, rapid.Bool().Draw(t, "won"))
			case 7:
				_ = w.Escalate(ref)
			case 8:
				w.pass(time.Duration(rapid.IntRange(0, 100).Draw(t, "hours")) * time.Hour)
				_ = w.Payout("jpy")
			}
		}
		var moved, paidOut int64
		seen := map[string]bool{}
		for _, r := range w.report(t, rapid.IntRange(1, 10).Draw(t, "limit")) {
			if seen[r.id] || r.net != r.amount-r.fee {
				t.Fatalf("a row twice, or its figures do not fit: %+v", r)
			}
			seen[r.id] = true
			if r.kind == "payout" {
				paidOut -= r.amount
			} else {
				moved += r.amount
			}
		}
		var truth int64
		for _, ref := range refs {
			truth += w.Captured(ref).Minor - w.Refunded(ref).Minor - w.Disputed(ref).Minor
		}
		if moved != truth || paidOut < 0 {
			t.Fatalf("the list moves %d, really %d; paid out %d", moved, truth, paidOut)
		}
	})
}
