package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"time"
)

// verdict is what the judge found.
type verdict struct {
	Attempts     int `json:"attempts"`
	Acknowledged int `json:"orders_acknowledged"`
	Orders       int `json:"orders"` // that exist: some were placed whose answer was lost
	Completed    int `json:"completed"`
	Refunded     int `json:"refunded"`
	Cancelled    int `json:"cancelled"`
	Held         int `json:"held"`

	Lost    []string `json:"lost"`    // what somebody was told of, or a stranger did, and is not there
	Doubled []string `json:"doubled"` // what was done twice
	Wrong   []string `json:"wrong"`   // what does not agree otherwise
}

func (v *verdict) lost(format string, args ...any) {
	v.Lost = append(v.Lost, fmt.Sprintf(format, args...))
}

func (v *verdict) doubled(format string, args ...any) {
	v.Doubled = append(v.Doubled, fmt.Sprintf(format, args...))
}

func (v *verdict) wrong(format string, args ...any) {
	v.Wrong = append(v.Wrong, fmt.Sprintf(format, args...))
}

// bad is how much was found.
func (v *verdict) bad() int { return len(v.Lost) + len(v.Doubled) + len(v.Wrong) }

// testimony is all that was seen from outside.
type testimony struct {
	attempts []*attempt
	orders   []placed
	books    books
	wallets  map[string]int64 // yen that each account has at the end
	opening  int64            // yen that each had at first
}

// judge compares what customers were told, what the shop says at the end, and what the
// operator and the provider did.
func (t testimony) judge() verdict {
	v := verdict{Attempts: len(t.attempts), Orders: len(t.orders)}
	byID, byQuote := map[string]placed{}, map[string]string{}
	for _, o := range t.orders {
		byID[o.ID] = o
		if other, ok := byQuote[o.Quote]; ok {
			v.doubled("the quote %s became two orders: %s and %s", o.Quote, other, o.ID)
		}
		byQuote[o.Quote] = o.ID
	}
	for _, a := range t.attempts {
		t.judgeAttempt(&v, a, byID)
		delete(byQuote, a.quote)
	}
	for quote, order := range byQuote {
		v.wrong("nobody asked for %s, of the quote %s", order, quote)
	}
	kept := map[string]int64{}
	for _, c := range t.books.Charges {
		if _, ok := byID[c.Order]; !ok {
			v.lost("the provider took %d yen by %s for %s, which is not there", c.Captured, c.Ref, c.Order)
		}
		kept[c.Order] += c.Captured - c.Refunded
	}
	for ref := range t.books.Acts {
		if _, ok := byID[ref]; !ok {
			v.lost("the operator acted for %s, which is not there", ref)
		}
	}
	spent := map[string]int64{}
	for _, o := range t.orders {
		spent[o.Account] += t.judgeOrder(&v, o, kept[o.ID])
	}
	for account, has := range t.wallets {
		if want := t.opening - spent[account]; has != want {
			v.wrong("the wallet of %s has %d yen, and should have %d", account, has, want)
		}
	}
	return v
}

// judgeAttempt looks whether what a customer was told still holds.
func (t testimony) judgeAttempt(v *verdict, a *attempt, byID map[string]placed) {
	if a.other != "" {
		v.doubled("one acceptance was answered with %s and with %s", a.order, a.other)
	}
	if a.order == "" {
		return
	}
	v.Acknowledged++
	o, ok := byID[a.order]
	switch {
	case !ok:
		v.lost("%s was acknowledged, and is not there", a.order)
	case o.Quote != a.quote:
		v.wrong("%s was acknowledged for %s, and is of %s", a.order, a.quote, o.Quote)
	case a.ended != "" && a.ended != o.State:
		v.lost("a customer saw %s %s, and it is %s", a.order, a.ended, o.State)
	}
}

// judgeOrder holds one order against what the strangers did, and says what it has
// taken from the wallet.
func (t testimony) judgeOrder(v *verdict, o placed, kept int64) (wallet int64) {
	acts, want, pays := t.books.Acts[o.ID], 0, int64(0)
	switch o.State {
	case "completed":
		v.Completed++
		want, pays, wallet = 1, o.Parts.Rest, o.Parts.Wallet
		if len(o.Bills) != 1 {
			v.wrong("%s is completed and has %d bills", o.ID, len(o.Bills))
		}
	case "refunded":
		v.Refunded++
	case "cancelled":
		v.Cancelled++
	case "held": // a person decides; nothing of it may be done twice
		v.Held++
		want, pays, wallet = min(acts, 1), kept, o.Parts.Wallet
	default:
		v.wrong("%s never ended: it is %s", o.ID, o.State)
		return o.Parts.Wallet
	}
	switch {
	case acts > 1:
		v.doubled("the operator acted %d times for %s", acts, o.ID)
	case acts < want:
		v.lost("%s is completed, and the operator did nothing", o.ID)
	case acts > want:
		v.wrong("%s is %s, and the operator acted", o.ID, o.State)
	}
	switch {
	case kept > pays && pays > 0:
		v.doubled("the provider keeps %d yen of %s, which cost %d there", kept, o.ID, pays)
	case kept != pays:
		v.wrong("%s is %s: the provider keeps %d yen, and should keep %d", o.ID, o.State, kept, pays)
	}
	return wallet
}

// testify asks the shop and the strangers for all that there is to see.
func (r *run) testify(ctx context.Context, c *crowd) (testimony, error) {
	t := testimony{attempts: c.attempts, wallets: map[string]int64{}, opening: opening}
	for _, who := range c.customers {
		all, err := who.list(ctx)
		if err != nil {
			return t, err
		}
		for _, one := range all {
			var o placed
			if err := who.insist(ctx, http.MethodGet, "/orders/"+one.ID, "", nil, &o); err != nil {
				return t, err
			}
			t.orders = append(t.orders, o)
		}
		var has struct{ Wallet []amount }
		if err := who.insist(ctx, http.MethodGet, "/accounts/"+who.account+"/balances", "", nil, &has); err != nil {
			return t, err
		}
		t.wallets[who.account] = 0
		for _, m := range has.Wallet {
			if m.Currency == "JPY" {
				t.wallets[who.account] = m.Amount
			}
		}
	}
	return t, getJSON(ctx, r.at.Books+"/books", &t.books)
}

// list is all orders of the customer, the newest first.
func (c *customer) list(ctx context.Context) (all []placed, err error) {
	for cursor := ""; ; {
		var page struct {
			Orders []placed
			Next   string
		}
		path := "/accounts/" + c.account + "/orders?limit=100"
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		if err := c.insist(ctx, http.MethodGet, path, "", nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Orders...)
		if cursor = page.Next; cursor == "" {
			return all, nil
		}
	}
}

// settleMost is how long orders may take to end when nothing befalls anybody any more:
// the least time after which an operator's silence is proof, and what comes after it.
const settleMost = 20 * time.Minute

// settle waits until every order has ended, or is in front of a person.
func (r *run) settle(ctx context.Context, c *crowd) error {
	end := time.Now().Add(settleMost)
	for left := -1; ; {
		open := map[string]int{}
		n := 0
		for _, who := range c.customers {
			all, err := who.list(ctx)
			if err != nil {
				return err
			}
			for _, o := range all {
				if !o.final() && o.State != "held" {
					open[o.State]++
					n++
				}
			}
		}
		if n != left {
			r.say("%d orders have not ended: %v", n, open)
		}
		if left = n; n == 0 || time.Now().After(end) {
			return nil // the judge says which never ended
		}
		if wait(ctx, 5*time.Second); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// audited runs the shop's own audit, and says what it found. What a worker has just
// begun may look wrong for a moment, so it is asked a few times.
func (r *run) audited(ctx context.Context) (found []string, err error) {
	for range 5 {
		out, failed := exec.CommandContext(ctx, r.binary, "audit", "--database", r.database).Output() //nolint:gosec // our own program
		var report struct {
			Checks     int
			Violations []json.RawMessage
		}
		if err := json.Unmarshal(out, &report); err != nil {
			return nil, fmt.Errorf("audit: %w: %w: %s", err, failed, out)
		}
		if found = found[:0]; len(report.Violations) == 0 {
			return nil, nil
		}
		for _, one := range report.Violations {
			found = append(found, "audit: "+string(one))
		}
		if wait(ctx, 15*time.Second); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return slices.Clip(found), nil
}
