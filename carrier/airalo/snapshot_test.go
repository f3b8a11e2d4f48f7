package airalo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// row is a row of a history, as the operator writes it.
func row(id int, code string) string {
	return fmt.Sprintf(`{"id":%d,"status":"ACTIVE","remaining":2378,"activated_at":"2026-05-01T10:30:45+00:00","expired_at":"2026-05-31T10:30:45+00:00",`+
		`"finished_at":null,"package":{"id":%q,"type":"topup","price":10,"net_price":6,"amount":3072,"day":30,"is_unlimited":false}}`, id, code)
}

func list(rows ...string) string { return `{"data":[` + strings.Join(rows, ",") + `]}` }

// sold is an answer of what a SIM can be fed with.
const sold = `{"data":[{"id":"` + extendCode + `","type":"topup","price":10,"net_price":6,"amount":3072,"day":30,"is_unlimited":false,"title":"3 GB - 30 Days"}]}`

func prepared(t *testing.T, history string) (*town, carrier.Extension) {
	t.Helper()
	w := open(map[string]string{
		"GET sims/ICCID": `{"data":{"id":11047,"iccid":"` + card + `"}}`, "GET sims/ICCID/topups": sold, "GET sims/ICCID/packages": history,
	})
	e := wanted
	var err error
	if e.Snapshot, err = w.Prepare(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return w, e
}

func TestPrepareAsks(t *testing.T) {
	w, e := prepared(t, list(row(725, "base")))
	want := []string{"GET sims/" + card + "/topups", "GET sims/" + card, "GET sims/" + card + "/packages"}
	if diff := cmp.Diff(want, w.operator.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if want := `{"rows":["725"],"endsAt":"2026-05-31T10:30:45Z","takenAt":"2026-05-04T12:00:00Z"}`; string(e.Snapshot) != want {
		t.Errorf("snapshot %s, want %s", e.Snapshot, want)
	}
}

// A package is ordered only if the operator lists it for this very SIM.
func TestPrepareRefuses(t *testing.T) {
	running := list(row(725, "base"))
	past := strings.ReplaceAll(running, "2026-05-31", "2026-05-04")
	for name, tt := range map[string]struct {
		topups, sim, history, want string
	}{
		"another package is listed": {strings.ReplaceAll(sold, extendCode, "other"), `{"data":{"id":11047}}`, running, "package_gone"},
		"nothing is listed":         {`{"data":[]}`, `{"data":{"id":11047}}`, running, "package_gone"},
		"nothing, and all is over":  {`{"data":[]}`, `{"data":{"id":11047}}`, past, "line_ended"},
		"nothing, and nothing ever": {`{"data":[]}`, `{"data":{"id":11047}}`, list(), "line_ended"}, // the usage says so
		"said to be over":           {`{"data":[]}`, `{"data":{"id":11047}}`, strings.ReplaceAll(running, "ACTIVE", "EXPIRED"), "line_ended"},
		"used up, not over":         {`{"data":[]}`, `{"data":{"id":11047}}`, strings.ReplaceAll(running, "ACTIVE", "FINISHED"), "package_gone"},
		"over, and yet listed":      {sold, `{"data":{"id":11047}}`, past, ""},
		"recycled":                  {`422 {"code":73,"reason":"recycled"}`, `{"data":{"id":11047}}`, running, "line_terminal"},
		"no such SIM":               {"404 " + notFound, `{"data":{"id":11047}}`, running, "line_unknown"},
		"the number is another's":   {sold, `{"data":{"id":11048}}`, running, "line_unknown"},
		"a SIM without identifier":  {sold, `{"data":{}}`, running, "not sent"},
		"a history without rows":    {sold, `{"data":{"id":11047}}`, `{"data":null}`, "not sent"},
		"a row without identifier":  {sold, `{"data":{"id":11047}}`, `{"data":[{"package":{"id":"x"}}]}`, "not sent"},
		"a row without package":     {sold, `{"data":{"id":11047}}`, `{"data":[{"id":1}]}`, "not sent"},
		"two rows of one name":      {sold, `{"data":{"id":11047}}`, list(row(1, "x"), row(1, "y")), "not sent"},
		"a row of nonsense":         {sold, `{"data":{"id":11047}}`, `{"data":["x"]}`, "not sent"},
		"a list of nonsense":        {`{"data":["x"]}`, `{"data":{"id":11047}}`, running, "not sent"},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(map[string]string{
				"GET sims/ICCID": tt.sim, "GET sims/ICCID/topups": tt.topups, "GET sims/ICCID/packages": tt.history,
				"GET sims/ICCID/usage": `{"data":{"status":"EXPIRED"}}`,
			})
			s, err := w.Prepare(t.Context(), wanted)
			if got := kind(t, err); got != tt.want || err != nil && s != nil {
				t.Errorf("%q (%v) with %s, want %q", got, err, s, tt.want)
			}
		})
	}
	// A profile of which we have the card's number only cannot be compared.
	w := open(map[string]string{"GET sims/ICCID/topups": sold, "GET sims/ICCID/packages": running})
	for _, id := range []string{"", card, card + "F"} {
		e := wanted
		e.Profile.ID = id
		if _, err := w.Prepare(t.Context(), e); err != nil {
			t.Errorf("known as %q: %v", id, err)
		}
	}
}

// The SIM's end passes between the picture and the top-up.
func TestTooLateIsSharpened(t *testing.T) {
	for after, want := range map[time.Duration]string{27 * 24 * time.Hour: "line_ended", time.Hour: "package_gone"} {
		w, e := prepared(t, list(row(725, "base")))
		w.operator.answers["POST orders/topups"] = `422 {"code":23,"reason":"disabled"}`
		w.now = noon.Add(after)
		_, err := w.Extend(t.Context(), e)
		if got := kind(t, err); got != want {
			t.Errorf("after %v: %q, want %q", after, got, want)
		}
	}
}

func TestLookUp(t *testing.T) {
	base := row(725, "base")
	mine, other := row(728, extendCode), row(729, "other")
	order := func(id int, description, code, status string) string {
		return fmt.Sprintf(`{"id":%d,"code":"20260504-%06d","description":%q,"type":"topup","package_id":%q,"quantity":1,"price":"9.50","status":{"name":"x","slug":%q}}`, id, id, description, code, status)
	}
	ordered := order(174, "ord_01", extendCode, "completed")
	row728 := carrier.Receipt{Ref: "728", StartsAt: time.Date(2026, 5, 1, 10, 30, 45, 0, time.UTC), EndsAt: time.Date(2026, 5, 31, 10, 30, 45, 0, time.UTC)}
	order174 := carrier.Receipt{Ref: "20260504-000174"}
	tests := []struct {
		name, history, orders string
		want                  carrier.Found
		receipt               carrier.Receipt
	}{
		{"one new row of ours", list(mine, base), "not asked", carrier.FoundDone, row728},
		{"ours and another's", list(mine, other, base), "not asked", carrier.FoundDone, row728},
		{"ours, not yet running", list(strings.ReplaceAll(strings.ReplaceAll(mine, `"2026-05-01T10:30:45+00:00"`, "null"), `"2026-05-31T10:30:45+00:00"`, "null")), "not asked", carrier.FoundDone, carrier.Receipt{Ref: "728"}},
		{"ours, over meanwhile", list(strings.ReplaceAll(mine, "05-31", "05-02"), base), "not asked", carrier.FoundDone, carrier.Receipt{Ref: "728", StartsAt: row728.StartsAt}},
		{"nothing new, no order", list(base), list(), carrier.FoundAbsent, carrier.Receipt{}},
		{"nothing new, the order is there", list(base), list(ordered), carrier.FoundDone, order174},
		{"nothing new, an order without state", list(base), list(strings.Replace(ordered, `"slug":"completed"`, `"slug":null`, 1)), carrier.FoundDone, order174},
		{"nothing new, the order failed", list(base), list(order(174, "ord_01", extendCode, "failed")), carrier.FoundAbsent, carrier.Receipt{}},
		{"nothing new, the order was refunded", list(base), list(order(174, "ord_01", extendCode, "refunded")), carrier.FoundUnsure, carrier.Receipt{}},
		{"nothing new, several orders", list(base), list(ordered, order(175, "ord_01", extendCode, "completed")), carrier.FoundUnsure, carrier.Receipt{}},
		{"orders of others are none", list(base), list(order(1, "ord_010", extendCode, "completed"), order(2, "xord_01", extendCode, "completed"), order(3, "ord_01", "other", "completed")), carrier.FoundAbsent, carrier.Receipt{}},
		{"another's row", list(other, base), list(), carrier.FoundUnsure, carrier.Receipt{}},
		{"another's row, and the order", list(other, base), list(ordered), carrier.FoundDone, order174},
		{"another's row, and it failed", list(other, base), list(order(174, "ord_01", extendCode, "failed")), carrier.FoundUnsure, carrier.Receipt{}},
		{"two rows, no order", list(mine, row(730, extendCode), base), list(), carrier.FoundUnsure, carrier.Receipt{}},
		{"two rows, one order", list(mine, row(730, extendCode), base), list(ordered), carrier.FoundDone, order174},
		{"two rows, and it failed", list(mine, row(730, extendCode), base), list(order(174, "ord_01", extendCode, "failed")), carrier.FoundUnsure, carrier.Receipt{}},
		{"shorter than before", list(), list(), carrier.FoundUnsure, carrier.Receipt{}},
		{"another list than before", list(other), list(), carrier.FoundUnsure, carrier.Receipt{}},
		{"the SIM is gone", "404 " + notFound, "not asked", carrier.FoundUnsure, carrier.Receipt{}},
		{"recycled", `422 {"code":73,"reason":"recycled"}`, "not asked", carrier.FoundUnsure, carrier.Receipt{}},
		{"an old row of ours is none", list(base), list(), carrier.FoundAbsent, carrier.Receipt{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, e := prepared(t, list(base))
			w.operator.answers["GET sims/ICCID/packages"], w.operator.answers["GET orders"] = tt.history, tt.orders
			w.operator.asked = nil
			got, err := w.LookUp(t.Context(), e)
			if err != nil || got.Found != tt.want || got.Receipt != tt.receipt || !got.AsOf.Equal(noon) || got.Why == "" {
				t.Errorf("%+v, %v; want %s, %+v", got, err, tt.want, tt.receipt)
			}
			if n := len(w.operator.asked); n != 2 && tt.orders != "not asked" || n != 1 && tt.orders == "not asked" {
				t.Errorf("asked %q", w.operator.asked)
			}
			if n := len(w.operator.asked); n == 2 && w.operator.asked[1] != "GET orders?filter%5Bdescription%5D=ord_01&include=status&limit=20" {
				t.Errorf("asked %q", w.operator.asked[1])
			}
		})
	}
}

// What cannot be read decides nothing, and may be asked again.
func TestLookUpSaysWhenItCannot(t *testing.T) {
	base := list(row(725, "base"))
	for name, tt := range map[string]struct{ history, orders, want string }{
		"the history breaks":     {"500 ", list(), "not sent"},
		"too early":              {"429 ", list(), "not sent"},
		"orders break":           {base, "500 ", "not sent"},
		"orders are no list":     {base, `{"data":"none"}`, "not sent"},
		"an order of nonsense":   {base, `{"data":[7]}`, "not sent"},
		"orders are not for us":  {base, `403 {"code":89,"reason":"address"}`, "unauthorised"},
		"the history is not":     {`403 {"code":89,"reason":"address"}`, list(), "unauthorised"},
		"an unreadable new row":  {strings.Replace(base, "[", `["x",`, 1), list(), "not sent"},
		"an unreadable new time": {strings.Replace(base, "2026-05-31", "soon", 1), list(), "not sent"},
	} {
		w, e := prepared(t, base)
		w.operator.answers["GET sims/ICCID/packages"], w.operator.answers["GET orders"] = tt.history, tt.orders
		got, err := w.LookUp(t.Context(), e)
		if k := kind(t, err); k != tt.want || got != (carrier.Reading{}) {
			t.Errorf("%s: %q with %+v, want %q", name, k, got, tt.want)
		}
	}
}

// Without a picture a person must look; nobody is asked.
func TestLookUpWithoutSnapshot(t *testing.T) {
	for _, s := range []string{"", "null", "{}", "x", `{"takenAt":"2026-05-04T12:00:00Z"}`, `{"rows":[]}`} {
		w, e := open(nil), wanted
		e.Snapshot = carrier.Snapshot(s)
		got, err := w.LookUp(t.Context(), e)
		if err != nil || got.Found != carrier.FoundUnsure || !got.AsOf.Equal(noon) || w.wire.Calls() > 0 {
			t.Errorf("%q: %+v, %v after %d requests", s, got, err, w.wire.Calls())
		}
	}
}
