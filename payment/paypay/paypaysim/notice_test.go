package paypaysim

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// read is what a notification says.
func read(t *testing.T, n Notification) map[string]any {
	t.Helper()
	if got := n.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	var v map[string]any
	if err := json.Unmarshal(n.Body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPaymentIsNotified(t *testing.T) {
	w := newTown()
	w.offer(t, "ref1")
	if told := w.Notifications(); told != nil {
		t.Errorf("the making of a code is notified: %+v", told)
	}
	w.pay(t, "ref1")
	id := w.get("ref1").at("data.paymentId")
	told := w.Notifications()
	if len(told) != 1 || told[0].Kind != "COMPLETED" || told[0].Attempt != 1 {
		t.Fatalf("told %+v", told)
	}
	if d := told[0].DueAt.Sub(w.clock()); d <= 0 || d > 2*time.Second {
		t.Errorf("due %v after the payment", d)
	}
	want := map[string]any{
		"notification_type": "Transaction", "merchant_id": testMerchant, "store_id": nil, "pos_id": nil,
		"order_id": id, "merchant_order_id": "ref1", "authorized_at": nil, "expires_at": nil,
		"paid_at": "2031-05-06T13:30:00Z", "order_amount": "1980", "state": "COMPLETED",
	}
	if diff := cmp.Diff(want, read(t, told[0])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := w.Notifications(); again != nil {
		t.Errorf("told twice: %+v", again)
	}
	w.call("POST", "/v2/refunds", refundBody("r1", id, 1980))
	w.pass(time.Hour)
	if told := w.Notifications(); told != nil {
		t.Errorf("a refund is notified: %+v", told)
	}
}

func TestFailureIsNotified(t *testing.T) {
	w := newTown()
	w.offer(t, "ref1")
	w.PendNext(1)
	w.pay(t, "ref1")
	if told := w.Notifications(); told != nil {
		t.Errorf("a payment under way is notified: %+v", told)
	}
	if err := w.Settle("ref1", false); err != nil {
		t.Fatal(err)
	}
	told := w.Notifications()
	if len(told) != 1 || told[0].Kind != "FAILED" {
		t.Fatalf("told %+v", told)
	}
	v := read(t, told[0])
	if _, has := v["paid_at"]; has || v["state"] != "FAILED" || v["order_amount"] != "1980" {
		t.Errorf("told %v", v)
	}
}

func TestDeliveries(t *testing.T) {
	for how, want := range map[Delivery][]time.Duration{ // no sooner than this, and at most two seconds later
		Prompt: {0},
		Early:  {0},
		Late:   {time.Hour},
		Behind: {time.Minute},
		Twice:  {0, time.Second},
		Never:  nil,
		Forged: {0, 0},
	} {
		var asked []string
		w := newTown(func(c *Config) {
			c.Deliver = func(state string) Delivery { asked = append(asked, state); return how }
		})
		w.offer(t, "open1")
		w.paid(t, "ref1")
		told := w.Notifications()
		if len(told) != len(want) || !slices.Equal(asked, []string{"COMPLETED"}) {
			t.Errorf("%q: told %d times, asked %v", how, len(told), asked)
			continue
		}
		for i, n := range told {
			if d := n.DueAt.Sub(w.clock()) - want[i]; d < 0 || d > 2*time.Second || how == Early && d != 0 {
				t.Errorf("%q: number %d is due %v off", how, i, d)
			}
		}
		if how == Forged {
			if lie := read(t, told[0]); told[0].Attempt != 0 || lie["merchant_order_id"] == "ref1" || lie["state"] != "COMPLETED" {
				t.Errorf("the forgery says %v", lie)
			}
			w.Failed(told[0])
			if again := w.Notifications(); again != nil {
				t.Errorf("PayPay repeats a forgery: %+v", again)
			}
		}
	}
}

func TestBehindComesAfterWhatFollows(t *testing.T) {
	how := Behind
	w := newTown(func(c *Config) { c.Deliver = func(string) Delivery { return how } })
	w.paid(t, "ref1")
	how = Prompt
	w.pass(10 * time.Second)
	w.paid(t, "ref2")
	told := w.Notifications()
	if len(told) != 2 || read(t, told[0])["merchant_order_id"] != "ref2" {
		t.Errorf("told %+v", told)
	}
}

// Three tries, a tenth of a second apart, and then silence.
func TestFailedNotificationsAreRepeatedAndGivenUp(t *testing.T) {
	w := newTown()
	w.paid(t, "ref1")
	n := w.Notifications()[0]
	first := n.DueAt
	for attempt := 2; attempt <= 3; attempt++ {
		w.Failed(n)
		told := w.Notifications()
		if len(told) != 1 || told[0].Attempt != attempt || string(told[0].Body) != string(n.Body) || told[0].Kind != n.Kind {
			t.Fatalf("try %d: %+v", attempt, told)
		}
		n = told[0]
	}
	if d := n.DueAt.Sub(first); d <= 0 || d > time.Second {
		t.Errorf("the last try is %v after the first", d)
	}
	w.Failed(n)
	if told := w.Notifications(); told != nil {
		t.Errorf("a fourth try: %+v", told)
	}
}

func TestAcknowledgement(t *testing.T) {
	w := newTown()
	for _, tt := range []struct {
		status int
		body   string
		want   bool
	}{
		{200, "OK", true}, {200, "OK\n", true}, {200, "", false}, {200, "ok", false}, {200, `{"OK":1}`, false}, {204, "OK", false}, {500, "OK", false}, {302, "OK", false},
	} {
		if got := w.Accepts(tt.status, []byte(tt.body)); got != tt.want {
			t.Errorf("%d %q is an acknowledgement: %t", tt.status, tt.body, got)
		}
	}
}

// What is forged says of each unpaid code that it was paid, and tells of a
// payment and a merchant that do not exist. None of it is true.
func TestForge(t *testing.T) {
	w := newTown()
	w.paid(t, "paid")
	w.offer(t, "open1")
	w.call("DELETE", "/v2/payments/burnt", "")
	refs, merchants := map[any]bool{}, map[any]bool{}
	for _, n := range w.Forge() {
		v := read(t, n)
		if v["state"] != "COMPLETED" || v["paid_at"] == nil || n.Attempt != 0 || n.Header.Get("Content-Type") == "" {
			t.Errorf("forged %v", v)
		}
		refs[v["merchant_order_id"]] = true
		merchants[v["merchant_id"]] = true
	}
	if !refs["open1"] || refs["paid"] || refs["burnt"] || len(refs) != 2 || len(merchants) != 2 || !merchants[testMerchant] {
		t.Errorf("forged for %v, told to %v", refs, merchants)
	}
	w.wantMoney(t, "open1", 0, 0)
	if http.StatusOK != w.get("open1").status {
		t.Error("a forgery changed something")
	}
}
