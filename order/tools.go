package order

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// NotOffered is why a way to pay that the shop has is not offered for a price.
type NotOffered string

// Why a way to pay is not offered, the first that applies in this order.
const (
	RefusedByPolicy NotOffered = "policy"
	WrongCurrency   NotOffered = NotOffered(payment.WrongCurrency)
	TooLittle       NotOffered = NotOffered(payment.TooLittle)
	TooMuch         NotOffered = NotOffered(payment.TooMuch)
	NotWhole        NotOffered = NotOffered(payment.NotWhole)
	Elsewhere       NotOffered = "elsewhere"
	TooSlow         NotOffered = "too_slow"          // for the price
	TooSlowForLine  NotOffered = "too_slow_for_line" // whose last moment ends the price
	OneLineOnly     NotOffered = "one_line_only"
	Silent          NotOffered = "silent" // its provider has not answered lately
)

// Unoffered is a way to pay that cannot pay a price now, with the facts that its
// reason is about.
type Unoffered struct {
	Rail       payment.Rail
	Why        NotOffered
	Currencies []money.Currency // WrongCurrency: those that it takes, and in which the shop sells; where there are none, all that it takes
	Limit      money.Money      // TooLittle, TooMuch, NotWhole
	Countries  []string         // Elsewhere: where it can be used, ISO 3166
	Delay      time.Duration    // TooSlow, TooSlowForLine: how late its money may come
	Instead    payment.Rail     // the nearest one that can pay; "" where none can
}

// Asking is a price that is to be paid, and who asks.
type Asking struct {
	Quote     Quote
	Lines     int              // paid at once; 0: 1
	Accepted  []catalogue.Tool // by the policy; none: all
	Countries []string         // where the customer may be, ISO 3166; none: nobody knows
	Sold      []money.Currency // in which the shop sells; none: nobody knows
}

// AskingFor is a price that is to be paid for a line of a plan, "" for a top-up,
// by a customer whose clocks are in a zone, "" where nobody knows.
func AskingFor(q Quote, c *catalogue.Catalogue, plan string, home calendar.Zone) Asking {
	a := Asking{Quote: q, Sold: c.Sold()}
	if plan == "" {
		return a
	}
	own, _ := c.Plan(plan)
	a.Accepted, a.Countries = own.Policy.Tools, whereabouts(c.Country(plan), catalogue.CountryOf(home))
	return a
}

// whereabouts are where the customer may be: where their line is used, and at
// home, if they have said where their clocks are. None without the former: from
// home alone nobody can tell where a traveller is.
func whereabouts(line, home string) []string {
	switch {
	case line == "":
		return nil
	case home == "" || home == line:
		return []string{line}
	}
	return []string{line, home}
}

// Tools lists the rails that take an order's price, wallet first where it may
// pay; it is what the customer can choose from.
func (d *Desk) Tools(o Quote) []payment.Rail {
	var tools []payment.Rail
	if d.Wallet != WalletOff && o.Kind != TopUp {
		tools = append(tools, payment.Wallet)
	}
	for _, rail := range slices.Sorted(maps.Keys(d.Rails)) {
		if d.Providers[d.Rails[rail]].Limits().Takes(rail, o.Price) && !d.tooSlow(rail, d.DB.Now(), o.ExpiresAt) {
			tools = append(tools, rail)
		}
	}
	return tools
}

// Unoffered lists the shop's rails that cannot pay a price now, with why, and with
// what can instead. The wallet is not among them: it is not a rail.
func (d *Desk) Unoffered(a Asking) (all []Unoffered) {
	rails := slices.Sorted(maps.Keys(d.Rails))
	var able []payment.Rail
	for _, rail := range rails {
		if u := d.unoffered(rail, a); u.Why != "" {
			all = append(all, u)
		} else {
			able = append(able, rail)
		}
	}
	for i := range all {
		all[i].Instead = nearest(all[i].Rail, able)
	}
	return all
}

func (d *Desk) unoffered(rail payment.Rail, a Asking) Unoffered {
	q, provider := a.Quote, d.Rails[rail]
	l, u := d.Providers[provider].Limits(), Unoffered{Rail: rail}
	misfit, limit := l.Misfit(rail, q.Price)
	switch {
	case len(a.Accepted) > 0 && !slices.Contains(a.Accepted, catalogue.Tool(rail)):
		u.Why = RefusedByPolicy
	case misfit == payment.WrongCurrency:
		u.Why, u.Currencies = WrongCurrency, useful(l.Currencies[rail], a.Sold)
	case misfit != "":
		u.Why, u.Limit = NotOffered(misfit), limit
	case !l.Reaches(rail, a.Countries):
		u.Why, u.Countries = Elsewhere, l.Places[rail]
	case d.tooSlow(rail, d.DB.Now(), q.ExpiresAt):
		u.Why, u.Delay = TooSlow, l.Slow[rail]
		if q.ExpiresAt.Before(q.CreatedAt.Add(d.quoteTTL())) {
			u.Why = TooSlowForLine // see Desk.fix
		}
	case a.Lines > 1 && !l.Partial:
		u.Why = OneLineOnly
	case d.silence.of(provider, d.DB.Now()):
		u.Why = Silent
	}
	return u
}

// useful are those of the currencies that a rail takes in which the shop sells; all, where
// it sells in none of them.
func useful(taken, sold []money.Currency) []money.Currency {
	some := slices.DeleteFunc(slices.Clone(taken), func(c money.Currency) bool { return !slices.Contains(sold, c) })
	if len(some) == 0 {
		return taken
	}
	return some
}

// tooSlow reports whether money by a rail may come after the price has ended.
func (d *Desk) tooSlow(rail payment.Rail, now, ends time.Time) bool {
	slow := d.Providers[d.Rails[rail]].Limits().Slow[rail]
	return slow > 0 && !now.Add(slow).Before(ends)
}

// kin are, for each rail, those that its customers are likeliest to have as well,
// nearest first: the other wallet of their country, then what is taken everywhere.
var kin = map[payment.Rail][]payment.Rail{
	payment.Alipay:    {payment.WeChatPay},
	payment.WeChatPay: {payment.Alipay},
	payment.PayPay:    {payment.LINEPay, payment.Konbini},
	payment.LINEPay:   {payment.PayPay},
	payment.Konbini:   {payment.PayPay},
	payment.PayPal:    {payment.Card},
	payment.Card:      {payment.PayPal},
}

// nearest is the rail among those that can pay which a customer who wanted
// another one is likeliest to have.
func nearest(wanted payment.Rail, able []payment.Rail) payment.Rail {
	for _, rail := range append(slices.Clone(kin[wanted]), payment.Card, payment.PayPal) {
		if slices.Contains(able, rail) {
			return rail
		}
	}
	if len(able) > 0 {
		return able[0]
	}
	return ""
}

// silence remembers, for this process alone, which providers have not answered
// lately, so that no customer is led where nobody opens. It is a hint for pages,
// never a reason to refuse an order. The zero value is ready.
type silence struct {
	mu    sync.Mutex
	calls map[string]unanswered
}

// unanswered are calls of one provider that brought no answer, without one
// between them that did.
type unanswered struct {
	n    int
	last time.Time
}

const (
	silentFrom = 3               // so many: one alone is the network's everyday life
	silentFor  = 2 * time.Minute // after the last of them somebody may try again
)

// hear notes what came of a call.
func (s *silence) hear(provider string, now time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil, errors.Is(err, payment.ErrUnproven):
		delete(s.calls, provider)
	case errors.Is(err, payment.ErrUnknown) || errors.Is(err, payment.ErrNotSent):
		if s.calls == nil {
			s.calls = map[string]unanswered{}
		}
		s.calls[provider] = unanswered{s.calls[provider].n + 1, now}
	}
}

// of reports whether a provider is silent now.
func (s *silence) of(provider string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[provider]
	return c.n >= silentFrom && now.Before(c.last.Add(silentFor))
}
