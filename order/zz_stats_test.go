package order_test

import (
	"fmt"
	"os"
)

var stats = map[string]int{}

func (s *tale) note() {
	for _, o := range s.cashier.orders(s.t, s.account) {
		stats[fmt.Sprintf("order %s %s %s %s", o.Kind, o.Tool, o.State, o.Reason)]++
		for _, r := range s.cashier.refunds(s.t, o) {
			stats["refund "+r.Why+" "+string(r.State)]++
		}
		for _, p := range s.cashier.payments(s.t, o) {
			stats["payment "+string(p.State)+" "+string(p.Reason)]++
		}
	}
	f, _ := os.Create("/tmp/payhelper/stats.txt")
	defer f.Close()
	for k, v := range stats {
		fmt.Fprintln(f, v, k)
	}
}
