package wechatpay_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
)

// Whatever befalls WeChat Pay in the middle of a call, the call can be made
// again, and takes and returns money once.
func TestTroubleAtWeChatPay(t *testing.T) {
	for _, tt := range []struct {
		trouble wechatpaysim.Trouble
		want    error
	}{
		{wechatpaysim.Outage, payment.ErrUnknown},
		{wechatpaysim.Unavailable, payment.ErrUnknown},
		{wechatpaysim.BrokenAfter, payment.ErrUnknown},
		{wechatpaysim.Missigned, payment.ErrUnknown},
		{wechatpaysim.Busy, payment.ErrNotSent},
	} {
		b := newBench(t, mode{})
		a := b.attempt()
		b.sim.Upset(tt.trouble)
		if _, err := b.Start(t.Context(), a); !errors.Is(err, tt.want) {
			t.Errorf("%s: Start error %v, want %v", tt.trouble, err, tt.want)
		}
		left := b.attempt()
		if _, err := b.Start(t.Context(), left); err != nil {
			t.Fatal(err)
		}
		b.sim.Upset(tt.trouble)
		if _, err := b.Abandon(t.Context(), left); !errors.Is(err, tt.want) {
			t.Errorf("%s: Abandon error %v, want %v", tt.trouble, err, tt.want)
		}
		if obs, err := b.Abandon(t.Context(), left); err != nil || obs.State != payment.Dead {
			t.Errorf("%s: Abandon again says %+v, %v", tt.trouble, obs, err)
		}
		b.refs = 0 // the first attempt once more
		a = b.bought(t)
		r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: money.Of(700, "CNY")}
		b.sim.Upset(tt.trouble)
		if _, err := b.Refund(t.Context(), r); !errors.Is(err, tt.want) {
			t.Errorf("%s: Refund error %v, want %v", tt.trouble, err, tt.want)
		}
		if got, err := b.Refund(t.Context(), r); err != nil || !got.Found || got.Amount != r.Amount {
			t.Errorf("%s: Refund again says %+v, %v", tt.trouble, got, err)
		}
		if got := b.sim.Refunded(a.Ref); got != r.Amount || b.sim.Captured(a.Ref) != a.Amount {
			t.Errorf("%s: %v went back of %v", tt.trouble, got, b.sim.Captured(a.Ref))
		}
	}
}

func TestRefundWithoutBalance(t *testing.T) {
	b := newBench(t, mode{})
	a := b.bought(t)
	r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: a.Amount}
	b.sim.Upset(wechatpaysim.NotEnough)
	if got, err := b.Refund(t.Context(), r); err != nil || got.State != payment.RefundFailed || got.Code != "NOT_ENOUGH" {
		t.Errorf("Refund says %+v, %v", got, err)
	}
	if got, err := b.Refund(t.Context(), r); err != nil || got.State != payment.RefundSent {
		t.Errorf("with a balance Refund says %+v, %v", got, err)
	}
}

// A second refund of a payment within a minute is turned away, not failed.
func TestRefundsTooFast(t *testing.T) {
	b := newBench(t, mode{})
	a := b.bought(t)
	one := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: money.Of(700, "CNY")}
	two := one
	two.Ref = "refundrefundrefundrefund01"
	if _, err := b.Refund(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Refund(t.Context(), two); !errors.Is(err, payment.ErrNotSent) {
		t.Errorf("at once: %+v, %v", got, err)
	}
	b.advance(time.Minute)
	if got, err := b.Refund(t.Context(), two); err != nil || got.State != payment.RefundSent {
		t.Errorf("a minute later: %+v, %v", got, err)
	}
}

func TestRefundsTakeTheirTime(t *testing.T) {
	for status, want := range map[wechatpaysim.RefundStatus]payment.RefundState{
		wechatpaysim.Success:  payment.RefundDone,
		wechatpaysim.Abnormal: payment.RefundFailed,
		wechatpaysim.Closed:   payment.RefundFailed,
	} {
		b := newBench(t, mode{})
		a := b.bought(t)
		b.sim.HoldRefunds(true)
		r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: a.Amount}
		got, err := b.Refund(t.Context(), r)
		if err != nil || got.State != payment.RefundSent {
			t.Fatalf("Refund says %+v, %v; want sent", got, err)
		}
		r.ProviderID = got.ProviderID
		if err := b.sim.SettleRefund(r.Ref, status); err != nil {
			t.Fatal(err)
		}
		if got, err = b.QueryRefund(t.Context(), r); err != nil || got.State != want {
			t.Errorf("%s: QueryRefund says %+v, %v", status, got, err)
		}
		if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Paid || obs.Amount != a.Amount {
			t.Errorf("%s: Query says %+v, %v", status, obs, err)
		}
		rung := false
		for _, n := range b.fetch() {
			b.advance(time.Second) // they are due within seconds
			bell, err := b.Notification(t.Context(), n.Header, n.Body)
			if err != nil {
				t.Errorf("%s: %v", status, err)
			}
			rung = rung || bell.Kind == "REFUND."+string(status) && bell.Ref == a.Ref && bell.MoneyID == a.MoneyID
		}
		if !rung {
			t.Errorf("%s: no notification rang for the attempt", status)
		}
	}
}

// What goes back at WeChat Pay's own desk leaves the payment paid, and is not
// taken for a refund of ours.
func TestRefundAtTheDesk(t *testing.T) {
	b := newBench(t, mode{})
	a := b.bought(t)
	if err := b.sim.RefundByHand(a.Ref, 700); err != nil {
		t.Fatal(err)
	}
	if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Paid || obs.Amount != a.Amount {
		t.Errorf("Query says %+v, %v", obs, err)
	}
	r := payment.Refund{Ref: "refundrefundrefundrefund00", Attempt: a, Amount: money.Of(700, "CNY")}
	if got, err := b.QueryRefund(t.Context(), r); err != nil || got.Found {
		t.Errorf("QueryRefund says %+v, %v", got, err)
	}
}

// Reads that lag behind never make us call dead what is paid, nor closed what
// is not seen closed.
func TestReadsThatLag(t *testing.T) {
	b := newBench(t, mode{})
	a := b.attempt()
	if _, err := b.Start(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	b.advance(time.Minute)
	b.sim.LagReads(30 * time.Second)
	if _, err := b.Abandon(t.Context(), a); !errors.Is(err, payment.ErrUnknown) || errors.Is(err, payment.ErrNotSent) {
		t.Errorf("Abandon error %v, want ErrUnknown", err)
	}
	b.advance(time.Minute)
	if obs, err := b.Abandon(t.Context(), a); err != nil || obs.State != payment.Dead {
		t.Errorf("Abandon later says %+v, %v", obs, err)
	}
}

// WeChat Pay changes its certificate between two calls.
func TestCertificateIsChanged(t *testing.T) {
	b := newBench(t, mode{})
	a := b.bought(t)
	fresh, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b.advance(24 * time.Hour)
	b.sim.Rotate(fresh)
	if obs, err := b.Query(t.Context(), a); err != nil || obs.State != payment.Paid {
		t.Errorf("Query says %+v, %v", obs, err)
	}
}
