package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/payment"
)

// PaymentResult is what was measured of payments, as it is printed for programs.
type PaymentResult struct {
	Engine   db.Engine    `json:"engine"`
	Seconds  int          `json:"seconds"` // notifying and confirming were each measured for at least so long
	Clients  int          `json:"clients"`
	CPUs     int          `json:"cpus"` // that this process may use
	Adapters []PaymentRun `json:"adapters"`
}

// PaymentRun is what was measured of one adapter. Verifying, its limit, asking
// and signing are measured on one goroutine, the rest with all clients.
type PaymentRun struct {
	Adapter string       `json:"adapter"`
	Rail    payment.Rail `json:"rail"`
	Proof   string       `json:"proof"` // what proves a notification

	NotifyPerSecond int64 `json:"notify_per_second"` // verified and stored; 0: it notifies nobody
	VerifyPerSecond int64 `json:"verify_per_second"`
	CryptoPerSecond int64 `json:"crypto_per_second"` // the limit; 0: nothing proves them

	// Overhead is what verifying takes beyond the limit, in microseconds. Ratio
	// is the rate of verifying to the limit's: from 0.500 on, the adapter adds no
	// more than its crypto.
	Overhead Thousandth `json:"overhead_us"`
	Ratio    Thousandth `json:"ratio"`

	Ask  Thousandth `json:"ask_us"`  // the adapter's own part of asking about an attempt, in microseconds
	Sign Thousandth `json:"sign_us"` // the bare signing of a request; 0: none is signed

	ConfirmPerSecond int64 `json:"confirm_per_second"` // the simulator's work is in it
}

// paymentRunOf puts together what was measured of one adapter.
func paymentRunOf(name string, rail payment.Rail, proof string, all tallies) PaymentRun {
	r := PaymentRun{
		Adapter: name, Rail: rail, Proof: proof,
		NotifyPerSecond: all.notify.perSecond() / 1000, ConfirmPerSecond: all.confirm.perSecond() / 1000,
		VerifyPerSecond: all.verify.perSecond(), CryptoPerSecond: all.crypto.perSecond(),
		Overhead: Thousandth(all.verify.nanoseconds() - all.crypto.nanoseconds()),
		Ask:      Thousandth(all.ask.nanoseconds()), Sign: Thousandth(all.sign.nanoseconds()),
	}
	if v := all.verify.nanoseconds(); v > 0 {
		r.Ratio = Thousandth(all.crypto.nanoseconds() * 1000 / v)
	}
	return r
}

// Report prints the result: one JSON object for programs, a table for people.
func (r PaymentResult) Report(programs, people io.Writer) error {
	out, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(programs, "%s\n", out); err != nil {
		return err
	}
	t := tabwriter.NewWriter(people, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, err = fmt.Fprintf(t, "%s, notifications of payments, %d clients, %d s each, %d CPUs\n"+
		"adapter\tproof\tnotify/s\tverify/s\tcrypto/s\toverhead µs\tratio\task µs\tsign µs\tconfirm/s\t\n", r.Engine, r.Clients, r.Seconds, r.CPUs)
	if err != nil {
		return err
	}
	for _, a := range r.Adapters {
		crypto, ratio, sign := fmt.Sprint(a.CryptoPerSecond), a.Ratio.String(), a.Sign.String()
		if a.CryptoPerSecond == 0 {
			crypto, ratio = "-", "-"
		}
		notify, verify, overhead := fmt.Sprint(a.NotifyPerSecond), fmt.Sprint(a.VerifyPerSecond), a.Overhead.String()
		if a.VerifyPerSecond == 0 {
			notify, verify, overhead = "-", "-", "-"
		}
		if a.Sign == 0 {
			sign = "-"
		}
		_, err := fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t\n", a.Adapter, a.Proof,
			notify, verify, crypto, overhead, ratio, a.Ask, sign, a.ConfirmPerSecond)
		if err != nil {
			return err
		}
	}
	return t.Flush()
}
