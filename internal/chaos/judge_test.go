package main

import (
	"strings"
	"testing"
)

// fair is a testimony in which all is well: an order of each end, and one whose
// answer was lost.
func fair() testimony {
	order := func(id, state string, wallet, rest int64) placed {
		o := placed{ID: id, Account: "ac", Quote: "q" + id, State: state}
		o.Parts.Wallet, o.Parts.Rest = wallet, rest
		if state == "completed" {
			o.Bills = []struct{ Kind string }{{"bill"}}
		}
		return o
	}
	return testimony{
		opening: 1000, wallets: map[string]int64{"ac": 620},
		attempts: []*attempt{
			{account: "ac", quote: "q1", order: "1", ended: "completed"},
			{account: "ac", quote: "q2", order: "2", ended: "completed"},
			{account: "ac", quote: "q3", order: "3"},
			{account: "ac", quote: "q4", order: "4", ended: "cancelled"},
			{account: "ac", quote: "q5"},
			{account: "ac", quote: "q6"},
		},
		orders: []placed{
			order("1", "completed", 380, 0), order("2", "completed", 0, 380), order("3", "refunded", 0, 380), order("4", "cancelled", 0, 380),
			order("5", "held", 0, 380),
		},
		books: books{
			Acts:    map[string]int{"1": 1, "2": 1, "5": 1},
			Charges: []charge{{"r2", "2", 380, 0}, {"r3", "3", 380, 380}, {"r5", "5", 380, 0}},
		},
	}
}

// The judge finds what is lost, doubled or wrong, and nothing else.
func TestJudge(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*testimony)
		finds  string // which of the three; empty: nothing
		says   string
	}{
		"all is well":                    {func(*testimony) {}, "", ""},
		"an acknowledged order is gone":  {func(t *testimony) { t.orders = t.orders[1:] }, "lost", "1 was acknowledged"},
		"a completed order is open":      {func(t *testimony) { t.orders[0].State = "fulfilling" }, "lost", "a customer saw 1 completed"},
		"the operator did nothing":       {func(t *testimony) { delete(t.books.Acts, "2") }, "lost", "2 is completed"},
		"an act for nobody":              {func(t *testimony) { t.books.Acts["9"] = 1 }, "lost", "acted for 9"},
		"money of nobody":                {func(t *testimony) { t.books.Charges = append(t.books.Charges, charge{"r9", "9", 380, 0}) }, "lost", "380 yen by r9"},
		"two acts":                       {func(t *testimony) { t.books.Acts["1"] = 2 }, "doubled", "2 times for 1"},
		"two acts for who waits":         {func(t *testimony) { t.books.Acts["5"] = 2 }, "doubled", "2 times for 5"},
		"charged twice":                  {func(t *testimony) { t.books.Charges = append(t.books.Charges, charge{"r2b", "2", 380, 0}) }, "doubled", "760 yen of 2"},
		"two orders of one quote":        {func(t *testimony) { t.orders[3].Quote = "q1" }, "doubled", "the quote q1"},
		"two answers":                    {func(t *testimony) { t.attempts[0].other = "2" }, "doubled", "with 1 and with 2"},
		"an act that was refunded":       {func(t *testimony) { t.books.Acts["3"] = 1 }, "wrong", "3 is refunded, and the operator acted"},
		"not refunded":                   {func(t *testimony) { t.books.Charges[1].Refunded = 0 }, "wrong", "should keep 0"},
		"paid and cancelled":             {func(t *testimony) { t.books.Charges[1].Order = "4" }, "", ""},
		"completed and given back":       {func(t *testimony) { t.books.Charges[0].Refunded = 380 }, "wrong", "should keep 380"},
		"the wallet has too little":      {func(t *testimony) { t.wallets["ac"] = 240 }, "wrong", "has 240 yen"},
		"the wallet has too much":        {func(t *testimony) { t.wallets["ac"] = 1000 }, "wrong", "has 1000 yen"},
		"no bill":                        {func(t *testimony) { t.orders[1].Bills = nil }, "wrong", "has 0 bills"},
		"an order never ends":            {func(t *testimony) { t.orders[4].State = "paid" }, "wrong", "never ended"},
		"an order that nobody asked for": {func(t *testimony) { t.attempts = t.attempts[:5]; t.orders[4].Quote = "q7" }, "wrong", "nobody asked for 5"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := fair()
			test.change(&seen)
			v := seen.judge()
			all := map[string][]string{"lost": v.Lost, "doubled": v.Doubled, "wrong": v.Wrong}
			if test.finds == "" {
				if v.bad() > 0 {
					t.Errorf("%v", all)
				}
				return
			}
			if !strings.Contains(strings.Join(all[test.finds], "\n"), test.says) {
				t.Errorf("%v; want %s: %q", all, test.finds, test.says)
			}
		})
	}
}
