package paymenttest

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// vault is a shop that keeps tools. It keeps every promise but the one that
// wrong names.
type vault struct {
	*shop
	kept     map[payment.Token]bool
	asking   map[string]bool // by our reference: the bank waits for the customer
	asks     bool            // the bank asks at the next charge
	declines bool
}

func newVault(wrong string) *vault {
	return &vault{shop: newShop(wrong), kept: map[payment.Token]bool{}, asking: map[string]bool{}}
}

func (*vault) Keeps() []payment.Rail { return []payment.Rail{payment.Card} }

func (v *vault) Start(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	if a.Saved == "" {
		return v.shop.Start(ctx, a)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.now.Before(a.ExpiresAt) && v.wrong != "charges after the end" {
		return v.seen(a), nil
	}
	if err := v.act(func() { v.charge(a) }); err != nil {
		if v.wrong == "calls a lost charge dead" {
			return payment.Observation{State: payment.Dead, Reason: payment.Declined, AsOf: v.now}, nil
		}
		return payment.Observation{}, err
	}
	return v.seen(a), nil
}

func (v *vault) charge(a payment.Attempt) {
	if d, ok := v.deals[a.Ref]; ok {
		if v.wrong == "charges a repeated charge" && d.state == payment.Paid {
			d.captured += d.amount.Minor
		}
		return
	}
	v.open(a)
	d := v.deals[a.Ref]
	asks, declines := v.asks, v.declines
	v.asks, v.declines = false, false
	gone := !v.kept[a.Saved] && v.wrong != "charges what was forgotten"
	switch {
	case gone:
		d.state, d.reason, d.code = payment.Dead, payment.ToolGone, "gone"
		if v.wrong == "does not say that a tool is gone" {
			d.reason = payment.Declined
		}
	case declines:
		d.state, d.reason, d.code = payment.Dead, payment.NoFunds, "51"
		if v.wrong == "gives a tool up at once" {
			d.reason = payment.ToolGone
		}
	case asks && a.Absent && v.wrong != "asks nobody":
		d.state, d.reason, d.code = payment.Dead, payment.NotAuthenticated, "ask"
	case asks:
		v.asking[a.Ref] = true
	default:
		d.state, d.captured = payment.Paid, d.amount.Minor
	}
}

// seen is look, with what is kept.
func (v *vault) seen(a payment.Attempt) payment.Observation {
	obs := v.look(a)
	if a.Saved != "" && obs.State == payment.NeedsCustomer && !v.asking[a.Ref] {
		obs.State, obs.Next = payment.Open, payment.Next{}
	}
	if a.Saved != "" && obs.State == payment.Unknown && v.now.After(a.ExpiresAt.Add(2*time.Minute)) && v.wrong != "never lets go" {
		obs.State, obs.Reason = payment.Dead, payment.TooLate
	}
	if obs.State == payment.Paid && (a.Keep || v.wrong == "keeps what nobody agreed to") && a.Saved == "" {
		obs.Kept = payment.Kept{Token: payment.Token("tok-" + a.Ref), Holder: "holder", Label: "Visa •• 4242", Mark: "4242"}
		if v.wrong == "tells the number" {
			obs.Kept.Label = "4242 4242 4242 4242"
		}
		if v.wrong == "names each customer anew" {
			obs.Kept.Holder = "holder of " + a.Ref
		}
		if _, known := v.kept[obs.Kept.Token]; !known {
			v.kept[obs.Kept.Token] = true
		}
	}
	return obs
}

func (v *vault) Query(_ context.Context, a payment.Attempt) (payment.Observation, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.read(); err != nil {
		return payment.Observation{}, err
	}
	if a.Saved != "" && v.wrong == "charges when asked" {
		v.charge(a)
	}
	if a.Saved == payment.Forgotten && v.wrong == "hides what it forgot" {
		return payment.Observation{State: payment.Unknown, AsOf: v.now}, nil
	}
	return v.seen(a), nil
}

func (v *vault) Resume(ctx context.Context, a payment.Attempt, _ url.Values) (payment.Observation, error) {
	return v.Query(ctx, a)
}

func (v *vault) Abandon(ctx context.Context, a payment.Attempt) (payment.Observation, error) {
	if a.Saved == "" {
		return v.shop.Abandon(ctx, a)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.wrong == "charges to close" {
		v.charge(a)
	}
	if err := v.act(func() {
		if d := v.deals[a.Ref]; d != nil && d.state == payment.NeedsCustomer {
			d.state, d.reason = payment.Dead, payment.Abandoned
		}
	}); err != nil {
		return payment.Observation{}, err
	}
	return v.seen(a), nil
}

func (v *vault) Forget(_ context.Context, k payment.Kept) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.act(func() {
		if v.wrong != "forgets nothing" {
			v.kept[k.Token] = false
		}
	})
}

func (v *vault) keeper() KeeperBench {
	b := v.bench()
	b.Provider = v
	return KeeperBench{
		Bench: b, Keeper: v,
		Kept:    func(k payment.Kept) bool { return v.kept[k.Token] },
		Decline: func() { v.declines = true },
		Ask:     func() { v.asks = true },
		Answer: func(ref string, yes bool) url.Values {
			if d := v.deals[ref]; yes {
				d.state, d.captured = payment.Paid, d.amount.Minor
			} else if v.wrong == "takes no for yes" {
				d.state = payment.Paid
			} else {
				d.state, d.reason, d.code = payment.Dead, payment.NotAuthenticated, "no"
			}
			return nil
		},
		Lose: func(token payment.Token) { v.kept[token] = false },
	}
}

func keeperVerdicts(t *testing.T, wrong string) map[string]verdict {
	got := map[string]verdict{}
	for _, p := range keeperPromises() {
		r := &recorder{ctx: t.Context()}
		func() {
			defer func() {
				if e := recover(); e != nil && e != (stop{}) {
					panic(e)
				}
			}()
			p.keep(r, newVault(wrong).keeper())
		}()
		got[p.name] = r.verdict
	}
	return got
}

// An honest keeper passes, and no promise is skipped for it.
func TestHonestKeeperPasses(t *testing.T) {
	for name, v := range keeperVerdicts(t, "") {
		if v.skipped || len(v.failures) > 0 {
			t.Errorf("%s: skipped %t, failures %q", name, v.skipped, v.failures)
		}
	}
	RunKeeper(t, func(*testing.T) KeeperBench { return newVault("").keeper() })
}

// Each of these keepers breaks one promise, and that very promise sees it.
func TestWrongKeepersAreCaught(t *testing.T) {
	for _, tt := range []struct{ wrong, by string }{
		{"tells the number", "what the customer agreed to"},
		{"keeps what nobody agreed to", "without agreement"},
		{"names each customer anew", "the next tool"},
		{"charges a repeated charge", "a kept tool is charged exactly"},
		{"charges a repeated charge", "many charges"},
		{"charges a repeated charge", "the answer is lost: a charge"},
		{"charges a repeated charge", "the request arrives twice"},
		{"takes no for yes", "a bank that asks in vain"},
		{"asks nobody", "without the customer"},
		{"gives a tool up at once", "a declined charge"},
		{"charges after the end", "after its end"},
		{"calls a lost charge dead", "the request is lost: a charge"},
		{"calls a lost charge dead", "the request arrives late: neither asking"},
		{"charges when asked", "a charge never started"},
		{"charges when asked", "the request is lost: neither asking"},
		{"charges to close", "the request is lost: neither asking"},
		{"never lets go", "a charge never started"},
		{"hides what it forgot", "a token that the caller has forgotten"},
		{"forgets nothing", "a forgotten tool"},
		{"forgets nothing", "the answer is lost: forgetting"},
		{"charges what was forgotten", "a forgotten tool"},
		{"charges what was forgotten", "a tool that the provider lost"},
		{"does not say that a tool is gone", "a tool that the provider lost"},
	} {
		t.Run(tt.wrong+"/"+tt.by, func(t *testing.T) {
			var caught []string
			for name, v := range keeperVerdicts(t, tt.wrong) {
				if len(v.failures) > 0 {
					caught = append(caught, name)
				}
			}
			if !slices.ContainsFunc(caught, func(name string) bool { return strings.HasPrefix(name, tt.by) }) {
				t.Errorf("not caught by %q, only by %q", tt.by, caught)
			}
		})
	}
}
