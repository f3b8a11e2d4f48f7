package antomsim_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment/antom/antomsim"
)

const thanks = `{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`

// believable reports whether a merchant may believe a notification.
func believable(w *town, n antomsim.Notification) bool {
	u, err := url.Parse(n.URL)
	return err == nil && isAntoms(n.Header, "Request-Time", u.RequestURI(), n.Body) && n.Header.Get("Client-Id") == w.client
}

func TestAPaymentIsTold(t *testing.T) {
	w := newTown()
	id := w.bought(t, "a")
	all := w.Notifications()
	if len(all) != 1 || len(w.Notifications()) != 0 {
		t.Fatalf("%d notifications, or some twice", len(all))
	}
	n := all[0]
	if n.Kind != antomsim.Paid || n.Attempt != 1 || n.URL != notifyURL || n.DueAt.Before(w.clock()) || n.DueAt.After(w.clock().Add(5*time.Second)) || !believable(w, n) {
		t.Errorf("%+v", n)
	}
	if at, err := time.Parse(time.RFC3339, n.Header.Get("Request-Time")); err != nil || at != n.DueAt.Truncate(time.Second) {
		t.Errorf("%v: %v", n.Header, err)
	}
	var a answer
	if err := json.Unmarshal(n.Body, &a.body); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"notifyType": "PAYMENT_RESULT", "paymentRequestId": "a", "paymentId": id, "paymentAmount.value": "1980", "paymentAmount.currency": "CNY",
		"paymentCreateTime": "2032-12-31T20:02:01-07:00", "paymentTime": "2032-12-31T20:02:01-07:00", "result.resultStatus": "S", "result.resultCode": "SUCCESS",
	} {
		if a.at(path) != want {
			t.Errorf("%s is %q, want %q", path, a.at(path), want)
		}
	}
}

func TestWhereItIsTold(t *testing.T) {
	w := newTown()
	w.bought(t, "a", "paymentNotifyUrl", nil)
	if all := w.Notifications(); len(all) != 1 || all[0].URL != dashboard || !believable(w, all[0]) {
		t.Errorf("%+v", all)
	}
	w = newTown(func(c *antomsim.Config) { c.NotifyURL = "" })
	w.bought(t, "a", "paymentNotifyUrl", nil)
	if all := w.Notifications(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestDeliveries(t *testing.T) {
	for how, want := range map[antomsim.Delivery][]time.Duration{
		antomsim.Prompt: {0}, antomsim.Early: {0}, antomsim.Late: {time.Hour}, antomsim.Behind: {time.Minute}, antomsim.Twice: {0, time.Second},
		antomsim.Never: {}, antomsim.Forged: {0, 0},
	} {
		w := newTown(func(c *antomsim.Config) { c.Deliver = func(string) antomsim.Delivery { return how } })
		w.bought(t, "a")
		all := w.Notifications()
		if len(all) != len(want) {
			t.Errorf("%q: %d notifications", how, len(all))
			continue
		}
		for i, n := range all {
			late := n.DueAt.Sub(w.clock()) - want[i]
			if late < 0 || late > 4*time.Second || how == antomsim.Early && late != 0 {
				t.Errorf("%q: notification %d is due after %v", how, i, n.DueAt.Sub(w.clock()))
			}
			if forged := how == antomsim.Forged && i == 0; believable(w, n) == forged || (n.Attempt == 0) != forged {
				t.Errorf("%q: notification %d: %+v", how, i, n)
			}
		}
	}
	if len(antomsim.Deliveries) != 6 {
		t.Errorf("%d deliveries are listed", len(antomsim.Deliveries))
	}
}

// Eight times in all, and only an exact answer ends it.
func TestWhatIsNotAcknowledgedComesAgain(t *testing.T) {
	w := newTown()
	w.bought(t, "a")
	start, first := w.clock(), w.Notifications()[0]
	n, pauses := first, []time.Duration{}
	for {
		w.pass(n.DueAt.Sub(w.clock()))
		at := w.clock()
		w.Failed(n)
		all := w.Notifications()
		if len(all) == 0 {
			break
		}
		n = all[0]
		pauses = append(pauses, n.DueAt.Sub(at))
		if string(n.Body) != string(first.Body) || n.Attempt != len(pauses)+1 || !believable(w, n) || n.Header.Get("Request-Time") == first.Header.Get("Request-Time") {
			t.Errorf("%+v", n)
		}
	}
	if want := []time.Duration{2 * time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour}; !slices.Equal(pauses, want) {
		t.Errorf("%v, want %v", pauses, want)
	}
	if took := w.clock().Sub(start); took < 24*time.Hour || took > 25*time.Hour {
		t.Errorf("it took %v", took)
	}
	for answer, want := range map[string]bool{
		thanks: true,
		`{ "result": {"resultMessage":"success","resultStatus":"S","resultCode":"SUCCESS"} }`: true,
		`success`: false, ``: false, `{}`: false, `{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}`: false,
		`{"result":{"resultCode":"FAIL","resultStatus":"F","resultMessage":"success"}}`: false,
	} {
		if w.Accepts(http.StatusOK, []byte(answer)) != want {
			t.Errorf("%s: accepted %t", answer, !want)
		}
	}
	if w.Accepts(http.StatusInternalServerError, []byte(thanks)) {
		t.Error("500 is accepted")
	}
	w.Failed(antomsim.Notification{Attempt: 0}) // a forgery is nobody's
	if len(w.Notifications()) != 0 {
		t.Error("a forgery comes again")
	}
}

func TestTheSandboxTellsOnce(t *testing.T) {
	w := newTown(func(c *antomsim.Config) { c.ClientID = "SANDBOX_5Y00000000000000" })
	w.bought(t, "a")
	w.Failed(w.Notifications()[0])
	if len(w.Notifications()) != 0 {
		t.Error("the sandbox tells again")
	}
}

func TestForgeriesLookWell(t *testing.T) {
	w := newTown()
	w.open(t, "a")
	all := w.Forge()
	if len(all) != 6 {
		t.Errorf("%d forgeries", len(all))
	}
	for _, n := range all {
		if believable(w, n) || n.Attempt != 0 || !json.Valid(n.Body) {
			t.Errorf("%+v", n)
		}
	}
	if !w.Captured("a").IsZero() {
		t.Error("a forgery took money")
	}
	if len(newTown().Forge()) != 6 {
		t.Error("nothing is forged before anything happened")
	}
}

func TestADispute(t *testing.T) {
	for _, lost := range []bool{true, false} {
		w := newTown()
		w.open(t, "a")
		if w.Dispute("a") == nil {
			t.Error("what is not paid is disputed")
		}
		_, _ = w.Pay("a")
		w.Notifications()
		if err := w.Dispute("a"); err != nil || w.Disputed("a").Minor != 1980 {
			t.Errorf("%v, %v", err, w.Disputed("a"))
		}
		if w.Dispute("a") == nil {
			t.Error("disputed twice")
		}
		w.pass(24 * time.Hour)
		if err := w.JudgeDispute("a", lost); err != nil {
			t.Error(err)
		}
		if w.JudgeDispute("a", lost) == nil {
			t.Error("judged twice")
		}
		result, left := "ACCEPT_BY_CUSTOMER", int64(0)
		if lost {
			result, left = "ACCEPT_BY_MERCHANT", 1980
		}
		if w.Disputed("a").Minor != left || w.status("a") != "SUCCESS SUCCESS" || w.Captured("a").Minor != 1980 {
			t.Errorf("disputed %v, %s", w.Disputed("a"), w.status("a"))
		}
		if got := w.told(t); !slices.Equal(got, []string{"disputed DISPUTE_CREATED   a ", "judged DISPUTE_JUDGED   a " + result}) {
			t.Errorf("told %q", got)
		}
	}
}
