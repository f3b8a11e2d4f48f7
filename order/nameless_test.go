package order_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/linepay"
	"github.com/tsuzuku/tsuzuku/payment/linepay/linepaysim"
)

// taiwan is LINE Pay, whose refunds carry no name of ours.
type taiwan struct {
	*linepaysim.Sim
	wire *outboundsim.Wire
	shop *cashier
}

func (c *cashier) atLINEPay(t tester) *taiwan {
	t.Helper()
	sim := linepaysim.New(linepaysim.Config{ChannelID: "1234567890", ChannelSecret: "nameless", Currency: "TWD", Now: c.Clock.Now})
	l := &taiwan{Sim: sim, wire: &outboundsim.Wire{Stranger: sim}, shop: c}
	c.Desk.Rails[payment.LINEPay] = "taiwan"
	l.forget(t)
	return l
}

// forget is a process that starts again: it knows nothing of what it asked for before.
func (l *taiwan) forget(t tester) {
	t.Helper()
	a, err := linepay.New(linepay.Config{ChannelID: "1234567890", ChannelSecret: "nameless", Currency: "TWD"},
		outbound.New(outbound.Options{Transport: l.wire}), l.shop.Clock.Now, nil)
	done(t, err)
	l.shop.Desk.Providers["taiwan"] = a
}

// Two renewals of one price were paid at once at LINE Pay, and the operator refuses
// both: two refunds of one amount, which only their time tells apart. Whatever became of
// each, in whichever process, both are made, once, and nobody has to look.
func TestRefundsWithoutNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		fates := []outboundsim.Fault{outboundsim.None, outboundsim.LoseAnswer, outboundsim.LoseRequest}
		for _, first := range fates {
			for _, second := range fates {
				for _, side := range []int{1, 4} {
					for _, forgets := range []bool{false, true} {
						t.Run(fmt.Sprintf("%s,%s/side=%d/forgets=%t", first, second, side, forgets), func(t *testing.T) {
							namelessRefunds(t, env, []outboundsim.Fault{first, second}, side, forgets)
						})
					}
				}
			}
		}
	})
}

// LINE Pay shows nothing for longer than we try, and staff let it be sent again: what
// was made a day ago is still this refund.
func TestRefundWithoutANameAfterADay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		l := c.atLINEPay(t)
		account, all, p := l.refused(t, []outboundsim.Fault{outboundsim.LoseAnswer, outboundsim.None})
		l.forget(t)
		l.wire.Choose = func(*http.Request) outboundsim.Fault { return outboundsim.Refuse }
		c.pass(t, 25*time.Hour)
		lost := all[0]
		if c.refunds(t, lost)[0].State == payment.RefundDone {
			lost = all[1]
		}
		c.want(t, lost, order.Held, "refund_failed")
		l.wire.Choose = nil
		_, err := c.Desk.RefundAgain(t.Context(), lost.Ref(), mika)
		done(t, err)
		c.pass(t, 2*time.Hour)
		for _, o := range all {
			if got := c.get(t, o.Ref()).State; got != order.Refunded {
				t.Errorf("%s is %s", o.ID, got)
			}
		}
		if got := l.Refunded(p.Ref); got != p.Amount {
			t.Errorf("LINE Pay gave back %v of %v", got, p.Amount)
		}
		c.fair(t, account, 0)
	})
}

func namelessRefunds(t *testing.T, env dbtest.Env, fates []outboundsim.Fault, side int, forgets bool) {
	c := newCashier(t, env)
	l := c.atLINEPay(t)
	c.Desk.Side = side
	account, all, p := l.refused(t, fates)
	if forgets {
		l.forget(t)
	}
	c.pass(t, 2*time.Hour)
	for _, o := range all {
		c.want(t, o, order.Refunded, "operator_refuses")
		if got := c.refunds(t, o); len(got) != 1 || got[0].State != payment.RefundDone {
			t.Errorf("refunds of %s: %+v", o.ID, got)
		}
	}
	if got := l.Refunded(p.Ref); got != p.Amount {
		t.Errorf("LINE Pay gave back %v of %v", got, p.Amount)
	}
	if c.cases(t, account, "refund_failed") != 0 {
		t.Error("somebody had to look")
	}
	c.fair(t, account, 0)
}

// refused are two renewals that were paid at once and that the operator refuses. The
// requests for their refunds suffer these fates.
func (l *taiwan) refused(t *testing.T, fates []outboundsim.Fault) (account string, all []order.Order, p order.Payment) {
	t.Helper()
	c := l.shop
	c.Clock.Add(24 * time.Hour) // LINE Pay's identifiers are of a day
	c.refuse()
	account, first := c.customer(t, extendable, 48*time.Hour, 0)
	wish := order.Together{Account: account, Tool: "line_pay", Amount: money.Of(0, "TWD")}
	for _, ln := range []string{first, c.another(t, account, extendable, 40*time.Hour)} {
		q := c.priced(t, account, ln, extendable, "TWD")
		wish.Quotes, wish.Amount.Minor = append(wish.Quotes, q.ID), wish.Amount.Minor+q.Price.Minor
	}
	all, err := c.Desk.PlaceTogether(t.Context(), wish)
	done(t, err)
	p, err = c.Desk.Pay(t.Context(), all[0].Ref(), payment.LINEPay, order.Ways{Return: "https://shop.test/back", Cancel: "https://shop.test/no", Language: "en", Device: payment.Computer})
	done(t, err)
	back, err := l.Pay(p.Ref)
	done(t, err)
	l.wire.Choose = func(r *http.Request) outboundsim.Fault {
		if len(fates) == 0 || !strings.HasSuffix(r.URL.Path, "/refund") {
			return outboundsim.None
		}
		now := fates[0]
		fates = fates[1:]
		return now
	}
	done(t, c.Desk.Resume(t.Context(), all[0].Ref(), back))
	c.work(t)
	return account, all, p
}
