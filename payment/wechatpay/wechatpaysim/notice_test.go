package wechatpaysim_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	sim "github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
)

// believe verifies, opens and reads a notification as a merchant must.
func (w *town) believe(n sim.Notification) (e envelope, plain map[string]any, why string) {
	h := n.Header
	sent, err := strconv.ParseInt(h.Get("Wechatpay-Timestamp"), 10, 64)
	serials := w.query("none-at-all").header.Get("Wechatpay-Serial")
	switch {
	case err != nil || max(sent-n.DueAt.Unix(), n.DueAt.Unix()-sent) > 300:
		return e, nil, "stale"
	case h.Get("Wechatpay-Serial") != serials:
		return e, nil, "unknown serial"
	case verified(&w.platform.PublicKey, h, n.Body) != nil:
		return e, nil, "signature"
	case json.Unmarshal(n.Body, &e) != nil:
		return e, nil, "body"
	}
	text, err := unseal(apiKey, e.Resource)
	if err != nil {
		return e, nil, "seal"
	}
	if json.Unmarshal([]byte(text), &plain) != nil || plain["mchid"] != mchID {
		return e, nil, "merchant"
	}
	return e, plain, ""
}

func TestNotificationsSayWhatHappened(t *testing.T) {
	w := newTown(t)
	id := w.paid("order00001", 1990)
	want(t, w.refund("order00001", "refund1", 990, 1990), 200)
	w.HoldRefunds(true)
	w.pass(time.Hour)
	for number, status := range map[string]sim.RefundStatus{"refund2": sim.Abnormal, "refund3": sim.Closed} {
		want(t, w.refund("order00001", number, 10, 1990), 200)
		if err := w.SettleRefund(number, status); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour)
	}
	seen := map[string]map[string]any{}
	for _, n := range w.Notifications() {
		e, plain, why := w.believe(n)
		if why != "" || e.EventType != n.Kind || e.ResourceType != "encrypt-resource" || e.Resource.Algorithm != "AEAD_AES_256_GCM" || n.Attempt != 1 || n.URL != notifyURL ||
			n.Header.Get("Content-Type") != "application/json" || n.Header.Get("Wechatpay-Signature-Type") != "WECHATPAY2-SHA256-RSA2048" {
			t.Errorf("%s: %s %+v", n.Kind, why, e)
		}
		seen[n.Kind] = plain
	}
	pay := seen["TRANSACTION.SUCCESS"]
	for path, want := range map[string]any{"out_trade_no": "order00001", "transaction_id": id, "trade_state": "SUCCESS", "appid": appID, "amount.total": 1990.0, "amount.currency": "CNY"} {
		if got := within(pay, path); got != want {
			t.Errorf("payment: %s is %v, want %v", path, got, want)
		}
	}
	for kind, want := range map[string]string{"REFUND.SUCCESS": "refund1", "REFUND.ABNORMAL": "refund2", "REFUND.CLOSED": "refund3"} {
		got := seen[kind]
		if got["out_refund_no"] != want || "REFUND."+got["refund_status"].(string) != kind || (got["success_time"] != nil) != (kind == "REFUND.SUCCESS") || got["out_trade_no"] != "order00001" {
			t.Errorf("%s: %v", kind, got)
		}
	}
	if again := w.Notifications(); len(again) != 0 {
		t.Errorf("told again unasked: %v", again)
	}
	quiet := strings.Replace(refundOf("order00001", "refund4", 1, 1990), `"notify_url":"`+notifyURL+`",`, "", 1)
	w.HoldRefunds(false)
	want(t, w.call("POST", refunds, quiet), 200)
	if err := w.RefundByHand("order00001", 1); err != nil || len(w.Notifications()) != 0 {
		t.Error("a refund without notify_url is told", err)
	}
}

func TestDeliveries(t *testing.T) {
	for _, how := range append([]sim.Delivery{sim.Prompt}, sim.Deliveries...) {
		var kinds []string
		w := newTown(t, func(c *sim.Config) {
			c.Deliver = func(kind string) sim.Delivery {
				kinds = append(kinds, kind)
				if len(kinds) == 1 {
					return how
				}
				return sim.Prompt
			}
		})
		w.paid("order00001", 100)
		w.pass(10 * time.Second)
		w.paid("order00002", 200)
		paidAt := w.Charges()[0].At
		var refs []string
		var after []time.Duration
		for _, n := range w.Notifications() {
			_, plain, why := w.believe(n)
			if why != "" {
				refs = append(refs, "forged")
			} else {
				refs = append(refs, plain["out_trade_no"].(string)[9:])
			}
			if len(after) > 0 && n.DueAt.Before(paidAt.Add(after[len(after)-1])) {
				t.Errorf("%q: out of order", how)
			}
			after = append(after, n.DueAt.Sub(paidAt))
		}
		want := map[sim.Delivery]string{
			sim.Prompt: "1 2", sim.Early: "1 2", sim.Late: "2 1", sim.Behind: "2 1", sim.Twice: "1 1 2", sim.Never: "2", sim.Forged: "forged 1 2",
		}[how]
		if got := strings.Join(refs, " "); got != want {
			t.Errorf("%q: %s, want %s", how, got, want)
		}
		if early := after[0] == 0; early != (how == sim.Early || how == sim.Forged) {
			t.Errorf("%q: the first is due after %s", how, after[0])
		}
		if last := after[len(after)-1]; (last > time.Hour) != (how == sim.Late) {
			t.Errorf("%q: the last is due after %s", how, last)
		}
		if diff := cmp.Diff([]string{"TRANSACTION.SUCCESS", "TRANSACTION.SUCCESS"}, kinds); diff != "" {
			t.Error(diff)
		}
	}
}

func TestUnansweredNotificationsComeAgainByThePlan(t *testing.T) {
	w := newTown(t)
	w.paid("order00001", 100)
	n := w.Notifications()[0]
	var pauses []time.Duration
	var total time.Duration
	for range 40 {
		w.pass(n.DueAt.Sub(w.clock()))
		w.Failed(n)
		next := w.Notifications()
		if len(next) == 0 {
			break
		}
		if _, _, why := w.believe(next[0]); why != "" || string(next[0].Body) != string(n.Body) || next[0].Attempt != n.Attempt+1 ||
			next[0].Header.Get("Wechatpay-Signature") == n.Header.Get("Wechatpay-Signature") {
			t.Fatalf("sent again: %s %+v", why, next[0])
		}
		pauses = append(pauses, next[0].DueAt.Sub(n.DueAt))
		total += pauses[len(pauses)-1]
		n = next[0]
	}
	if !slices.Equal(pauses, sim.Retries) || len(pauses) != 15 || total != 24*time.Hour+4*time.Minute {
		t.Errorf("pauses %v, %s in all", pauses, total)
	}
}

func TestOnlyEmptyAnswersAcknowledge(t *testing.T) {
	w := newTown(t)
	genuine, probe := w.Forge()[0], w.Probe()
	for _, tt := range []struct {
		status int
		body   string
		good   bool // to a genuine one
		probe  bool // to a probe
	}{
		{200, "", true, false},
		{204, "", true, false},
		{200, "success", false, false},
		{200, `{"code":"SUCCESS"}`, false, false},
		{201, "", false, false},
		{302, "", false, false},
		{401, "", false, true},
		{400, `{"code":"FAIL","message":"signature"}`, false, true},
		{500, `{"code":"FAIL","message":"signature"}`, false, true},
		{0, "", false, false},
	} {
		if got := w.Accepts(tt.status, []byte(tt.body)); got != tt.good {
			t.Errorf("%d %q acknowledges: %v", tt.status, tt.body, got)
		}
		if got := w.AcceptsFor(genuine, tt.status, []byte(tt.body)); got != tt.good {
			t.Errorf("%d %q acknowledges a genuine one: %v", tt.status, tt.body, got)
		}
		if got := w.AcceptsFor(probe, tt.status, []byte(tt.body)); got != tt.probe {
			t.Errorf("%d %q is right for a probe: %v", tt.status, tt.body, got)
		}
	}
}

func TestProbesAreWrongOnPurpose(t *testing.T) {
	for _, paid := range []bool{false, true} {
		w := newTown(t)
		if paid {
			w.paid("order00001", 100)
			w.Notifications()
		}
		n := w.Probe()
		if !strings.HasPrefix(n.Header.Get("Wechatpay-Signature"), "WECHATPAY/SIGNTEST/") {
			t.Errorf("signature %s", n.Header.Get("Wechatpay-Signature"))
		}
		if _, _, why := w.believe(n); why != "signature" {
			t.Errorf("a probe fails by %q", why)
		}
		if w.Failed(n); len(w.Notifications()) != 0 {
			t.Error("a probe is repeated")
		}
	}
}

func TestForgeriesAreOfEveryKindAndNoneIsBelieved(t *testing.T) {
	for _, mode := range []func(*sim.Config){func(*sim.Config) {}, publicKeyMode} {
		for _, paid := range []bool{false, true} {
			w := newTown(t, mode)
			if paid {
				w.paid("order00001", 100)
				w.Notifications()
			}
			var why []string
			for _, n := range w.Forge() {
				_, _, reason := w.believe(n)
				why = append(why, reason)
				w.Failed(n)
			}
			wanted := []string{"signature", "signature", "stale", "signature", "unknown serial", "signature", "seal", "merchant"}
			if diff := cmp.Diff(wanted, why); diff != "" {
				t.Error(diff)
			}
			if len(w.Notifications()) != 0 {
				t.Error("a forgery is repeated")
			}
			if w.Captured("order00001").IsZero() == paid {
				t.Error("a forgery moved money")
			}
		}
	}
}
