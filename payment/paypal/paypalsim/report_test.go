package paypalsim_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

const notYet = "Data for the given start date is not available."

// span is a search of everything between two instants.
func span(from, until time.Time, more ...string) string {
	q := url.Values{"start_date": {from.Format(time.RFC3339)}, "end_date": {until.Format(time.RFC3339)}}
	for _, m := range more {
		k, v, _ := strings.Cut(m, "=")
		q.Set(k, v)
	}
	return "/v1/reporting/transactions?" + q.Encode()
}

// rows reads a whole search in pages of a size.
func (w *town) rows(t interface{ Fatalf(string, ...any) }, from time.Time, size int, more ...string) (all []reply) {
	for page := 1; page < 100; page++ {
		got := w.get(span(from, w.now, append(more, fmt.Sprint("page_size=", size), fmt.Sprint("page=", page))...))
		if got.status != 200 {
			t.Fatalf("page %d: %d %s", page, got.status, got.raw)
		}
		list := got.at("transaction_details").([]any)
		for _, row := range list {
			all = append(all, reply{body: row.(map[string]any)["transaction_info"].(map[string]any)})
		}
		if float64(page) >= got.at("total_pages").(float64) {
			if got.link("next") != "" {
				t.Fatalf("the last page has a next one: %s", got.raw)
			}
			return all
		}
		if got.link("next") == "" {
			t.Fatalf("page %d has no next one: %s", page, got.raw)
		}
	}
	t.Fatalf("the report does not end")
	return nil
}

func brief(rows []reply) string {
	var all []string
	for _, r := range rows {
		all = append(all, strings.TrimSpace(r.str("transaction_event_code")+" "+r.str("transaction_status")+" "+r.str("transaction_amount.value")+" "+r.str("fee_amount.value")))
	}
	return strings.Join(all, ", ")
}

func TestEveryMovementIsReported(t *testing.T) {
	w := newTown()
	w.sim.DelayReports(0)
	start := w.now
	capture := w.bought(t, "a")
	want(t, w.refund(capture, yen("80"), "r1"), 201)
	w.now = w.now.Add(time.Minute)
	_ = w.sim.Dispute("a")
	w.now = w.now.Add(time.Minute)
	_ = w.sim.ResolveDispute("a", false)
	w.now = w.now.Add(time.Minute)
	_ = w.sim.BillFee(money.Of(300, "JPY"), "Reports")
	_ = w.sim.Withdraw(money.Of(1000, "JPY"))
	const wanted = "T0006 V 1980 -111, T1107 S -80, T1110 S -1900, T1106 S -1900, T1111 S 1900, T0100 S -300, T0400 S -1000"
	rows := w.rows(t, start, 100)
	if got := brief(rows); got != wanted {
		t.Errorf("reported: %s\nwanted:   %s", got, wanted)
	}
	for i, truth := range w.sim.Transactions() {
		r := rows[i]
		if r.str("transaction_id") != truth.ID || r.str("transaction_event_code") != truth.Code || r.str("transaction_status") != truth.Status || len(truth.ID) != 17 {
			t.Errorf("reported %v, truth %+v", r.body, truth)
		}
		if r.str("paypal_reference_id") != truth.Reference || truth.Reference != "" && r.str("paypal_reference_id_type") != "TXN" {
			t.Errorf("%s belongs to %q, truth %q", truth.Code, r.str("paypal_reference_id"), truth.Reference)
		}
		if i < 5 && (truth.Ref != "a" || r.str("custom_field") != "a" || r.str("invoice_id") != "a") {
			t.Errorf("%s is not said to be of a: %v", truth.Code, r.body)
		}
	}
	if rows[0].str("transaction_id") != capture || rows[1].str("paypal_reference_id") != capture {
		t.Errorf("the capture is %s, reported %v", capture, rows[0].body)
	}
	got := w.get(span(start, w.now, "fields=transaction_info,payer_info"))
	want(t, got, 200, "account_number", "TSUZUKU2345AB", "transaction_details.0.payer_info.payer_status", "Y",
		"transaction_details.0.transaction_info.transaction_initiation_date", "2031-03-04T05:06:07+0000")
	want(t, w.get(span(start, w.now)), 200, "transaction_details.0.payer_info.payer_status", "")
}

func TestWhatIsPendingIsReportedWhenAskedFor(t *testing.T) {
	w := newTown()
	w.sim.DelayReports(0)
	start := w.now
	for _, ref := range []string{"paid", "unpaid"} {
		id := w.order(t, ref)
		_, _ = w.sim.PayWith(ref, paypalsim.ECheck)
		want(t, w.capture(id, ref+".x"), 201)
	}
	w.sim.HoldRefunds(true)
	back := w.refund(w.bought(t, "b"), yen("80"), "r1")
	check := func(wanted, all string) {
		t.Helper()
		if got := brief(w.rows(t, start, 100)); got != wanted {
			t.Errorf("reported: %s, wanted %s", got, wanted)
		}
		if got := brief(w.rows(t, start, 100, "balance_affecting_records_only=N")); got != all {
			t.Errorf("all reported: %s, wanted %s", got, all)
		}
	}
	check("T0006 S 1980 -111", "T0006 P 1980, T0006 P 1980, T0006 S 1980 -111, T1107 P -80")
	w.now = w.now.Add(48 * time.Hour)
	w.login()
	_ = w.sim.Settle("paid", true)
	_ = w.sim.Settle("unpaid", false)
	_ = w.sim.SettleRefund("r1", true)
	// Settled days later, they still stand where they began.
	check("T0006 S 1980 -111, T0006 S 1980 -111, T1107 S -80", "T0006 S 1980 -111, T0006 D 1980, T0006 S 1980 -111, T1107 S -80")
	row := w.get(span(start, start, "transaction_id="+back.str("id")))
	want(t, row, 200, "transaction_details.0.transaction_info.transaction_initiation_date", "2031-03-04T05:06:07+0000",
		"transaction_details.0.transaction_info.transaction_updated_date", "2031-03-06T05:06:07+0000")
}

func TestTheReportIsUpToThreeHoursLate(t *testing.T) {
	w := newTown()
	start := w.now
	id := w.order(t, "a")
	_, _ = w.sim.PayWith("a", paypalsim.ECheck)
	w.capture(id, "a.x")
	want(t, w.get(span(start, w.now)), 400, "name", "INVALID_REQUEST", "message", notYet, "details.0.issue", "")
	w.now = start.Add(3*time.Hour - 1)
	want(t, w.get(span(start, w.now)), 400, "name", "INVALID_REQUEST", "message", notYet, "details.0.issue", "")
	w.now = start.Add(3 * time.Hour)
	_ = w.sim.Settle("a", true)
	got := w.get(span(start, w.now, "balance_affecting_records_only=N"))
	want(t, got, 200, "transaction_details.0.transaction_info.transaction_status", "P", "transaction_details.0.transaction_info.fee_amount.value", "", "last_refreshed_datetime", "2031-03-04T05:06:07+0000", "end_date", "2031-03-04T05:06:07+0000")
	if rows := w.rows(t, start, 100); len(rows) != 0 {
		t.Errorf("known too early: %s", brief(rows))
	}
	w.now = start.Add(6 * time.Hour)
	if got := brief(w.rows(t, start, 100)); got != "T0006 S 1980 -111" {
		t.Errorf("reported: %s", got)
	}
	w.sim.DelayReports(24 * time.Hour)
	want(t, w.get(span(start, w.now)), 400, "name", "INVALID_REQUEST", "message", notYet, "details.0.issue", "")
}

func TestTheReportIsSearched(t *testing.T) {
	w := newTown(func(c *paypalsim.Config) { c.ReportMost = 5 })
	w.sim.DelayReports(0)
	start := w.now
	var captures []string
	for i := range 3 {
		captures = append(captures, w.bought(t, fmt.Sprint("a", i)))
		w.now = w.now.Add(time.Hour)
	}
	want(t, w.refund(captures[0], yen("80"), "r1"), 201)
	for params, n := range map[string]int{
		"transaction_id=" + captures[1]: 1, "transaction_type=T1107": 1, "transaction_type=T0006": 3, "transaction_status=S": 4,
		"transaction_status=P": 0, "transaction_currency=USD": 0, "transaction_currency=JPY": 4,
	} {
		if rows := w.rows(t, start, 2, params); len(rows) != n {
			t.Errorf("%s: %s", params, brief(rows))
		}
	}
	got := w.get(span(start, start.Add(time.Hour), "page_size=1", "page=2"))
	want(t, got, 200, "transaction_details.0.transaction_info.transaction_id", captures[1])
	if fmt.Sprint(got.at("total_items"), got.at("total_pages"), got.at("page")) != "2 2 2" || got.link("prev") == "" || got.link("next") != "" {
		t.Errorf("page 2: %s", got.raw)
	}
	want(t, w.get(span(start, start.Add(time.Hour), "page_size=1", "page=3")), 200, "transaction_details.0.transaction_info.transaction_id", "")

	day := 24 * time.Hour
	for name, c := range map[string]struct{ path, issue string }{
		"no end":       {"/v1/reporting/transactions?start_date=2031-03-04T00:00:00Z", "MISSING_REQUIRED_PARAMETER"},
		"no start":     {"/v1/reporting/transactions?end_date=2031-03-04T00:00:00Z", "MISSING_REQUIRED_PARAMETER"},
		"no seconds":   {"/v1/reporting/transactions?end_date=2031-03-04T00:00Z&start_date=2031-03-04T00:00:00Z", "INVALID_PARAMETER_VALUE"},
		"no zone":      {"/v1/reporting/transactions?end_date=2031-03-04T00:00:00&start_date=2031-03-04T00:00:00Z", "INVALID_PARAMETER_VALUE"},
		"too long":     {span(start.Add(-31*day-1e9), start), "DATE_RANGE_TOO_LARGE"},
		"backwards":    {span(start, start.Add(-time.Second)), "INVALID_DATE_RANGE"},
		"too old":      {span(start.AddDate(-3, 0, -1), start.AddDate(-3, 0, 0)), "INVALID_DATE_RANGE"},
		"to come":      {span(w.now.Add(time.Second), w.now.Add(day)), ""},
		"large page":   {span(start, w.now, "page_size=501"), "INVALID_PARAMETER_VALUE"},
		"page nought":  {span(start, w.now, "page=0"), "INVALID_PARAMETER_VALUE"},
		"unknown":      {span(start, w.now, "limit=5"), "NOT_SUPPORTED"},
		"other fields": {span(start, w.now, "fields=everything"), "INVALID_PARAMETER_VALUE"},
	} {
		got := w.get(c.path)
		if got.status != 400 || got.str("details.0.issue") != c.issue {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
	want(t, w.get(span(start.Add(-31*day), start)), 200)
	w.bought(t, "b")
	w.bought(t, "c")
	want(t, w.get(span(start, w.now)), 400, "name", "RESULTSET_TOO_LARGE")
	w = newTown(func(c *paypalsim.Config) { c.NoReports = true })
	want(t, w.get(span(start.Add(-time.Hour), start)), 403, "name", "NOT_AUTHORIZED")
}

func TestTheReportMayBeWrong(t *testing.T) {
	w := newTown()
	w.sim.DelayReports(0)
	start := w.now
	var captures []string
	for i := range 4 {
		captures = append(captures, w.bought(t, fmt.Sprint("a", i)))
	}
	for flaw, wanted := range map[paypalsim.Flaw][]string{
		paypalsim.RowLost: nil, paypalsim.RowTwice: {"1980", "1980"}, paypalsim.RowOther: {"1981"}, paypalsim.NoFlaw: {"1980"},
	} {
		if err := w.sim.Misreport(captures[1], flaw); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range w.rows(t, start, 2) {
			if r.str("transaction_id") == captures[1] {
				got = append(got, r.str("transaction_amount.value"))
			}
		}
		if !slices.Equal(got, wanted) {
			t.Errorf("%s: %v, want %v", flaw, got, wanted)
		}
		if all := w.sim.Transactions(); len(all) != 4 || all[1].Amount != money.Of(1980, "JPY") {
			t.Errorf("%s: the truth changed: %v", flaw, all)
		}
	}
	if w.sim.Misreport("NONE", paypalsim.RowLost) == nil {
		t.Error("a row that is not there was lost")
	}
	_ = w.sim.Misreport(captures[1], paypalsim.NoFlaw)
	w.sim.LosePages(1)
	lost := w.get(span(start, w.now, "page_size=3"))
	if fmt.Sprint(lost.at("total_items"), lost.at("total_pages"), lost.at("transaction_details")) != "4 2 []" {
		t.Errorf("a lost page: %s", lost.raw)
	}
	for _, trouble := range paypalsim.Troubles {
		w.sim.UpsetReports(trouble)
		want(t, w.get("/v2/payments/captures/"+captures[0]), 200)
		if got := w.get(span(start, w.now)); got.status < 400 {
			t.Errorf("%s: %d", trouble, got.status)
		}
		w.login()
	}
	if rows := w.rows(t, start, 3); len(rows) != 4 {
		t.Errorf("afterwards: %s", brief(rows))
	}
}

// Whatever happens, the report adds up to what came, went back and is withheld.
func TestTheReportAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTown()
		w.sim.DelayReports(0)
		start := w.now
		ids := map[string][]string{}
		refs := []string{"a", "b"}
		for n := range rapid.IntRange(1, 40).Draw(t, "steps") {
			w.login()
			step(t, w, ids, rapid.SampledFrom(refs).Draw(t, "ref"), fmt.Sprint("k", n))
		}
		w.login()
		var moved, truth int64
		seen := map[string]bool{}
		for _, r := range w.rows(t, start, rapid.IntRange(1, 7).Draw(t, "size"), "balance_affecting_records_only=N") {
			id, code, status := r.str("transaction_id"), r.str("transaction_event_code"), r.str("transaction_status")
			if seen[id] {
				t.Fatalf("%s is reported twice", id)
			}
			seen[id] = true
			if status == "D" || status == "P" && code == "T0006" {
				continue // nothing came; a pending refund has left already
			}
			var amount int64
			if _, err := fmt.Sscan(r.str("transaction_amount.value"), &amount); err != nil {
				t.Fatal(err)
			}
			moved += amount
		}
		for _, ref := range refs {
			truth += w.sim.Captured(ref).Minor - w.sim.Refunded(ref).Minor - w.sim.Disputed(ref).Minor
		}
		if moved != truth {
			t.Fatalf("the report moves %d, really %d", moved, truth)
		}
	})
}
