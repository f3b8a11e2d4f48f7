package order_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

// The customer changes to another tool: the former session is closed first, and
// only the second can be paid.
func TestAnotherTool(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, first := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		second := c.pay(t, o, payment.LINEPay)
		if _, err := c.card.Pay(first.Ref); err == nil {
			t.Error("the former session could still be paid")
		}
		must(t)(c.linePay.Pay(second.Ref))
		c.come(t, o)
		c.pass(t, rest)
		if got := c.want(t, o, order.Completed, ""); got.Tool != "line_pay" {
			t.Errorf("the order says it was paid with %s", got.Tool)
		}
		c.fair(t, account, 0)
	})
}

// The former session cannot be closed, and both are paid, in either order and
// with any answer to the closing lost: one pays the order, the other goes back.
func TestTwoToolsBothPay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, f := range []outboundsim.Fault{outboundsim.Refuse, outboundsim.LoseRequest, outboundsim.Busy} {
			for _, firstFirst := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/first=%t", f, firstFirst), func(t *testing.T) {
					c := newCashier(t, env)
					account, ln := c.customer(t, extendable, 48*time.Hour, 0)
					o, first := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
					c.card.always("POST", f)
					second := c.pay(t, o, payment.LINEPay)
					if second.Next.RedirectURL == "" {
						t.Fatalf("second attempt: %+v", second)
					}
					// Both are paid before anybody looks.
					must(t)(c.card.Pay(first.Ref))
					must(t)(c.linePay.Pay(second.Ref))
					c.card.works()
					if c.card.mute, c.linePay.mute = !firstFirst, firstFirst; !firstFirst {
						c.come(t, o) // the live one is looked at first
					}
					c.pass(t, rest)
					c.want(t, o, order.Completed, "")
					back := c.refunds(t, o)
					if len(back) != 1 || back[0].Why != "double" || back[0].State != payment.RefundDone {
						t.Errorf("refunds %+v, want one of the second payment", back)
					}
					if n := c.told(t, account, message.OrderRefunded); n != 1 {
						t.Errorf("told %d times of the second payment's return", n)
					}
					c.fair(t, account, 0)
				})
			}
		}
	})
}

// One session pays; the other, which could not be closed before, is closed as
// soon as that works, so that the customer cannot pay twice.
func TestFormerSessionIsClosedLater(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, first := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		c.card.next("POST /expire", outboundsim.LoseRequest)
		second := c.pay(t, o, payment.LINEPay)
		c.pass(t, 10*time.Second)
		if s, _ := c.card.Session(first.Ref); s.Status != "expired" {
			t.Errorf("ten seconds later the former session is %s", s.Status)
		}
		must(t)(c.linePay.Pay(second.Ref))
		c.pass(t, rest)
		c.want(t, o, order.Completed, "")
		c.fair(t, account, 0)
	})
}

// An order that an earlier session paid does not leave the later one open.
func TestLaterSessionIsClosedWhenTheEarlierPays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, first := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		c.card.next("POST /expire", outboundsim.Refuse, outboundsim.Refuse)
		second := c.pay(t, o, payment.LINEPay)
		must(t)(c.card.Pay(first.Ref))
		c.pass(t, 30*time.Second)
		if s, _ := c.linePay.Session(second.Ref); s.Status != "expired" {
			t.Errorf("the order is paid, and its other session is %s", s.Status)
		}
		c.pass(t, rest)
		c.want(t, o, order.Completed, "")
		c.fair(t, account, 0)
	})
}

// An order that is paid while the customer changes to another tool gets no
// second attempt, and one whose time ends meanwhile neither.
func TestNoAttemptForAnOrderThatMovedOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for name, meanwhile := range map[string]func(*cashier, order.Order, string){
			"paid":    func(c *cashier, _ order.Order, ref string) { must(t)(c.card.Pay(ref)); c.pass(t, 6*time.Second) },
			"expired": func(c *cashier, o order.Order, _ string) { c.Clock.Set(o.ExpiresAt) },
		} {
			c := newCashier(t, env)
			account, ln := c.customer(t, extendable, 48*time.Hour, 0)
			o, first := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
			c.card.next("POST /expire", outboundsim.LoseRequest)
			once := true
			c.card.wire.Meanwhile = func(*http.Request) {
				if once {
					once = false
					meanwhile(c, o, first.Ref)
				}
			}
			if _, err := c.Desk.Pay(t.Context(), o.Ref(), payment.LINEPay, ways); !isConflict(err) {
				t.Errorf("%s: a second attempt: %v", name, err)
			}
			if n := len(c.payments(t, o)); n != 1 {
				t.Errorf("%s: %d attempts", name, n)
			}
			c.pass(t, rest)
			c.fair(t, account, 0)
		}
	})
}

// A second tab, while the first one is at the provider, opens nothing and closes
// nothing.
func TestSecondTabWhileTheFirstOpens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		q := c.quote(t, account, ln, extendable)
		o, err := c.Desk.Place(t.Context(), order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: "card"})
		if err != nil {
			t.Fatal(err)
		}
		tabs := []payment.Rail{payment.Card, payment.LINEPay}
		c.card.wire.Meanwhile = func(*http.Request) {
			for len(tabs) > 0 {
				rail := tabs[0]
				tabs = tabs[1:]
				if p, err := c.Desk.Pay(t.Context(), o.Ref(), rail, ways); !isConflict(err) {
					t.Errorf("a second tab with %s got %+v, %v", rail, p, err)
				}
			}
		}
		p := c.pay(t, o, payment.Card)
		must(t)(c.card.Pay(p.Ref))
		c.pass(t, rest)
		c.want(t, o, order.Completed, "")
		c.fair(t, account, 0)
	})
}

// An order that two sessions paid and the operator refuses: both payments go
// back, each once.
func TestTwoPaymentsOfARefusedOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		c.refuse()
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, first := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		c.card.next("POST /expire", outboundsim.LoseRequest)
		second := c.pay(t, o, payment.LINEPay)
		must(t)(c.card.Pay(first.Ref))
		must(t)(c.linePay.Pay(second.Ref))
		if _, err := c.Desk.PaymentStep(t.Context()); err != nil { // nothing is due yet
			t.Error(err)
		}
		c.Clock.Add(5 * time.Second)
		if _, err := c.Desk.PaymentStep(t.Context()); err != nil {
			t.Error(err)
		}
		c.pass(t, rest)
		c.want(t, o, order.Refunded, "operator_refuses")
		if back := c.refunds(t, o); len(back) != 2 {
			t.Errorf("%d refunds, want two", len(back))
		}
		c.fair(t, account, 0)
		if n := c.cases(t, account, "refund_failed"); n != 0 {
			t.Errorf("%d cases about refunds", n)
		}
	})
}

// late is a card order that was cancelled although its session stayed open: the
// provider said that it was closed, and money came all the same.
func (c *cashier) late(t *testing.T, q order.Quote) (order.Order, order.Payment) {
	t.Helper()
	o, p := c.checkout(t, q, payment.Card)
	c.card.wire.Stranger = lies{c.card.wire.Stranger}
	c.Clock.Set(o.ExpiresAt)
	c.pass(t, 2*time.Minute)
	c.card.wire.Stranger = c.card.Sim
	c.want(t, o, order.Cancelled, "expired")
	return o, p
}

// lies is a provider that says that it closed a session, and does not.
type lies struct{ http.Handler }

func (l lies) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/expire") {
		r.Method, r.URL.Path = http.MethodGet, strings.TrimSuffix(r.URL.Path, "/expire")
		l.Handler.ServeHTTP(rewriter{w}, r)
		return
	}
	l.Handler.ServeHTTP(w, r)
}

type rewriter struct{ http.ResponseWriter }

func (w rewriter) Write(b []byte) (int, error) {
	return w.ResponseWriter.Write([]byte(strings.Replace(string(b), `"status":"open"`, `"status":"expired"`, 1)))
}

// Money that comes after its order was cancelled is honoured while the rules
// give what was quoted, and given back when they do not.
func TestLateMoney(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		t.Run("honoured", func(t *testing.T) {
			c := newCashier(t, env)
			account, ln := c.customer(t, extendable, 48*time.Hour, 0)
			q := c.quote(t, account, ln, extendable)
			o, p := c.late(t, q)
			must(t)(c.card.Pay(p.Ref))
			c.pass(t, rest)
			c.want(t, o, order.Cancelled, "expired")
			if l := c.line(t, account, ln); l.Periods != 2 || !l.EndsAt.Equal(q.EndsAt) {
				t.Errorf("late money: the line ends %v after %d periods, quoted was %v", l.EndsAt, l.Periods, q.EndsAt)
			}
			next, found, err := c.successor(t, o)
			if err != nil || !found || next.State != order.Completed || next.Price != o.Price {
				t.Errorf("successor %+v, %t, %v", next, found, err)
			}
			if n := c.told(t, account, message.OrderCompleted); n != 1 {
				t.Errorf("told %d times", n)
			}
			c.fair(t, account, 0)
		})
		t.Run("renewed meanwhile", func(t *testing.T) {
			c := newCashier(t, env)
			account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
			o, p := c.late(t, c.quote(t, account, ln, extendable))
			if _, err := c.place(t, c.quote(t, account, ln, extendable)); err != nil {
				t.Fatal(err)
			}
			must(t)(c.card.Pay(p.Ref))
			c.pass(t, rest)
			next, found, err := c.successor(t, o)
			if err != nil || !found || next.State != order.Refunded || next.Reason != "line_changed" {
				t.Errorf("successor %+v, %t, %v", next, found, err)
			}
			if c.told(t, account, message.OrderRefundDue) != 1 || c.told(t, account, message.OrderRefunded) != 1 {
				t.Error("the customer was not told that the money goes back")
			}
			c.fair(t, account, 50_000)
		})
		t.Run("the line ended meanwhile", func(t *testing.T) {
			c := newCashier(t, env)
			account, ln := c.customer(t, extendable, 45*time.Minute, 0)
			o, p := c.late(t, c.quote(t, account, ln, extendable))
			c.pass(t, 20*time.Minute)
			must(t)(c.card.Pay(p.Ref))
			c.pass(t, rest)
			next, _, err := c.successor(t, o)
			if err != nil || next.State != order.Refunded || next.Reason != "too_late" {
				t.Errorf("successor %s (%s), %v", next.State, next.Reason, err)
			}
			c.fair(t, account, 0)
		})
	})
}

func (c *cashier) successor(t *testing.T, o order.Order) (next order.Order, found bool, err error) {
	t.Helper()
	err = c.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		next, found, err = order.Successor(ctx, tx, o)
		return err
	})
	return next, found, err
}

// A top-up whose time was over and that is then paid in two sessions fills the
// wallet once.
func TestLateMoneyTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, _ := c.customer(t, extendable, 48*time.Hour, 0)
		q, err := c.Desk.QuoteTopUp(t.Context(), account, money.Of(5000, "JPY"))
		if err != nil {
			t.Fatal(err)
		}
		o, first := c.checkout(t, q, payment.Card)
		c.card.wire.Stranger, c.linePay.wire.Stranger = lies{c.card.Sim}, lies{c.linePay.Sim}
		second := c.pay(t, o, payment.LINEPay)
		c.pass(t, 40*time.Minute)
		c.want(t, o, order.Cancelled, "expired")
		must(t)(c.card.Pay(first.Ref))
		must(t)(c.linePay.Pay(second.Ref))
		c.pass(t, rest)
		if got := c.wallet(t, account); got != 5000 {
			t.Errorf("the wallet holds %d, want 5000", got)
		}
		c.fair(t, account, 0)
	})
}

// A customer may use the key that late money would; their money is not stuck.
func TestLateMoneyWithATakenKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
		o, p := c.late(t, c.quote(t, account, ln, extendable))
		q := c.quote(t, account, ln, extendable)
		if _, err := c.Desk.Place(t.Context(), order.Acceptance{
			Account: account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet, Key: "late:" + o.ID,
		}); err != nil {
			t.Fatal(err)
		}
		must(t)(c.card.Pay(p.Ref))
		c.pass(t, rest)
		c.fair(t, account, 50_000)
	})
}

// A top-up by card fills the wallet and gives a receipt; the wallet then pays a
// renewal.
func TestTopUpByCard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		q, err := c.Desk.QuoteTopUp(t.Context(), account, money.Of(5000, "JPY"))
		if err != nil {
			t.Fatal(err)
		}
		o, p := c.checkout(t, q, payment.Card)
		must(t)(c.card.Pay(p.Ref))
		c.come(t, o)
		c.pass(t, time.Minute)
		c.want(t, o, order.Completed, "")
		bills, points := c.documents(t, account, o.ID)
		if len(bills) != 1 || bills[0].Kind != "receipt" || bills[0].Total != q.Price || !bills[0].Tax.IsZero() || points != 0 {
			t.Errorf("documents %+v, %d points", bills, points)
		}
		if n := c.told(t, account, message.WalletToppedUp); n != 1 || c.wallet(t, account) != 5000 {
			t.Errorf("told %d times, wallet %d", n, c.wallet(t, account))
		}
		if _, err := c.place(t, c.quote(t, account, ln, extendable)); err != nil {
			t.Fatal(err)
		}
		c.pass(t, rest)
		c.fair(t, account, 0)
	})
}

// skims is a provider that takes another amount than was asked for.
type skims struct {
	http.Handler
	amount, currency string
}

func (s skims) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Handler.ServeHTTP(skimmer{w, s}, r)
}

type skimmer struct {
	http.ResponseWriter
	s skims
}

func (w skimmer) Write(b []byte) (int, error) {
	text := strings.NewReplacer(`"amount_received":1680`, `"amount_received":`+w.s.amount).Replace(string(b))
	if w.s.currency != "" && strings.Contains(text, `"amount_received":`+w.s.amount) {
		at := strings.Index(text, `"amount_received":`+w.s.amount)
		text = text[:at] + strings.Replace(text[at:], `"currency":"jpy"`, `"currency":"`+w.s.currency+`"`, 1)
	}
	return w.ResponseWriter.Write([]byte(text))
}

// A provider that took another amount than the customer confirmed: nothing is
// granted, a person decides, the books show what really came, and what came
// goes back.
func TestAnotherAmountIsHeld(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for _, took := range []money.Money{money.Of(1, "JPY"), money.Of(168_000, "JPY"), money.Of(1680, "USD")} {
			t.Run(took.String(), func(t *testing.T) {
				c := newCashier(t, env)
				account, ln := c.customer(t, extendable, 48*time.Hour, 0)
				o, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
				must(t)(c.card.Pay(p.Ref))
				s := skims{c.card.Sim, fmt.Sprint(took.Minor), ""}
				if took.Currency != "JPY" {
					s.currency = strings.ToLower(string(took.Currency))
				}
				c.card.wire.Stranger = s
				c.pass(t, time.Hour)
				c.want(t, o, order.Held, "amount_differs")
				if got := c.payments(t, o)[0]; got.Amount != took || got.State != payment.Paid {
					t.Errorf("the payment says %s %v, the provider took %v", got.State, got.Amount, took)
				}
				if c.cases(t, account, "amount_differs") != 1 || c.told(t, account, message.OrderHeld) != 1 {
					t.Error("no case, or the customer was not told")
				}
				c.clean(t, account, "charged_another_amount") // and nothing else: the books are right
				act := order.Act{Staff: "mika", Reason: "compared with the provider"}
				if _, err := c.Desk.LookAgain(t.Context(), o.Ref(), act); !isConflict(err) {
					t.Errorf("asking the operator for it: %v", err)
				}
				if _, err := c.Desk.Confirm(t.Context(), o.Ref(), "op-1", act); !isConflict(err) {
					t.Errorf("confirming it: %v", err)
				}
				if _, err := c.Desk.GiveBack(t.Context(), o.Ref(), act); err != nil {
					t.Fatal(err)
				}
				c.clean(t, account, "charged_another_amount")
				c.card.wire.Stranger = obliging{s, took}
				c.pass(t, rest)
				c.want(t, o, order.Refunded, "staff")
				if owed := c.owed(t, account, "JPY"); owed != 0 {
					t.Errorf("we still owe %d", owed)
				}
				c.clean(t, account) // all of it went back
			})
		}
	})
}

// obliging is a provider that gives back whatever it took.
type obliging struct {
	skims
	took money.Money
}

func (o obliging) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refund := func(f url.Values) string {
		return fmt.Sprintf(`{"id":"re_1","object":"refund","amount":%d,"currency":%q,"status":"succeeded","metadata":{"ref":%q}}`,
			o.took.Minor, strings.ToLower(string(o.took.Currency)), f.Get("metadata[ref]"))
	}
	switch {
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/refunds"):
		_ = r.ParseForm() // a test's own request
		_, _ = w.Write([]byte(refund(r.PostForm)))
	case strings.HasSuffix(r.URL.Path, "/refunds"):
		_, _ = w.Write([]byte(`{"object":"list","data":[],"has_more":false}`))
	default:
		o.skims.ServeHTTP(w, r)
	}
}

// Money in another amount that nobody waits for goes back as it came.
func TestAnotherAmountForACancelledOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 0)
		o, p := c.late(t, c.quote(t, account, ln, extendable))
		must(t)(c.card.Pay(p.Ref))
		c.card.wire.Stranger = skims{c.card.Sim, "1000", ""}
		c.pass(t, 2*time.Hour)
		c.want(t, o, order.Cancelled, "expired")
		back := c.refunds(t, o)
		if len(back) != 1 || back[0].Amount != money.Of(1000, "JPY") || back[0].State != payment.RefundDone {
			t.Errorf("refunds %+v", back)
		}
		if owed := c.owed(t, account, "JPY"); owed != 0 {
			t.Errorf("we still owe %d", owed)
		}
		c.clean(t, account) // all of it went back
	})
}

// A paid order whose line another order occupies waits for it, and its customer
// hears that it takes longer.
func TestPaidOrderWaitsForTheLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := newCashier(t, env)
		account, ln := c.customer(t, extendable, 48*time.Hour, 50_000)
		o, p := c.checkout(t, c.quote(t, account, ln, extendable), payment.Card)
		c.Sim.Choose = func(carrier.Extension) carriersim.Fault { return carriersim.LoseAnswer }
		other, err := c.place(t, c.quote(t, account, ln, extendable))
		if err != nil {
			t.Fatal(err)
		}
		c.Sim.Silence(true)
		c.pass(t, time.Minute)
		act := order.Act{Staff: "mika", Reason: "the operator does not answer"}
		if _, err := c.Desk.Hold(t.Context(), other.Ref(), act); err != nil {
			t.Fatal(err)
		}
		c.Sim.Silence(false)
		must(t)(c.card.Pay(p.Ref))
		c.come(t, o)
		c.pass(t, 10*time.Minute)
		if got := c.get(t, o.Ref()); !got.Told || got.State != order.Paid {
			t.Errorf("ten minutes later: %s, told %t; want paid and told", got.State, got.Told)
		}
		if _, err := c.Desk.LookAgain(t.Context(), other.Ref(), act); err != nil {
			t.Fatal(err)
		}
		c.pass(t, rest)
		c.want(t, other, order.Completed, "staff")
		c.want(t, o, order.Refunded, "line_changed")
		c.fair(t, account, 50_000)
	})
}
