package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
)

// Result is what was measured, as it is printed for programs.
type Result struct {
	Engine  db.Engine `json:"engine"`
	Seconds int       `json:"seconds"` // each run was measured for at least so long
	Sets    int       `json:"sets"`    // 0: customers one by one
	CPUs    int       `json:"cpus"`    // that this process may use
	Runs    []Run     `json:"runs"`
}

// Run is what was measured with one number of clients.
type Run struct {
	Clients           int        `json:"clients"`
	RenewalsPerSecond int64      `json:"renewals_per_second"`
	P50               Thousandth `json:"p50_ms"` // of a renewal; with sets, of a whole set
	P99               Thousandth `json:"p99_ms"`
	LimitPerSecond    int64      `json:"limit_per_second"`
	Ratio             Thousandth `json:"ratio"` // of our renewals to the limit's
}

// Thousandth is an exact number with three decimals: 1500 is written 1.500. As
// milliseconds it counts microseconds.
type Thousandth int64

// String writes all three decimals.
func (t Thousandth) String() string {
	sign, n := "", int64(t)
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%03d", sign, n/1000, n%1000)
}

// MarshalJSON writes a JSON number.
func (t Thousandth) MarshalJSON() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Thousandth) UnmarshalJSON(b []byte) error {
	whole, decimals, ok := strings.Cut(string(b), ".")
	var n int64
	if _, err := fmt.Sscanf(whole+decimals, "%d", &n); err != nil || !ok || len(decimals) != 3 {
		return fmt.Errorf("bench: %q is not a number with three decimals", b)
	}
	*t = Thousandth(n)
	return nil
}

// Report prints the result: one JSON object for programs, a table for people.
func (r Result) Report(programs, people io.Writer) error {
	out, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(programs, "%s\n", out); err != nil {
		return err
	}
	what := "renewals one by one"
	if r.Sets > 0 {
		what = fmt.Sprintf("due orders in sets of %d", r.Sets)
	}
	t := tabwriter.NewWriter(people, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, err = fmt.Fprintf(t, "%s, %s, %d s each, %d CPUs\nclients\trenewals/s\tp50 ms\tp99 ms\tlimit/s\tratio\t\n", r.Engine, what, r.Seconds, r.CPUs)
	if err != nil {
		return err
	}
	for _, run := range r.Runs {
		_, err := fmt.Fprintf(t, "%d\t%d\t%s\t%s\t%d\t%s\t\n",
			run.Clients, run.RenewalsPerSecond, run.P50, run.P99, run.LimitPerSecond, run.Ratio)
		if err != nil {
			return err
		}
	}
	return t.Flush()
}

// tally adds up the turns of one side.
type tally struct {
	renewals int64
	elapsed  time.Duration
	took     []time.Duration // each renewal or set
}

func (t *tally) add(renewals int, elapsed time.Duration, took []time.Duration) {
	t.renewals += int64(renewals)
	t.elapsed += elapsed
	t.took = append(t.took, took...)
}

// perSecond is the rate so far, in thousandths of a renewal a second.
func (t tally) perSecond() int64 {
	us := t.elapsed.Microseconds()
	if us <= 0 {
		return 0
	}
	return t.renewals * 1_000_000_000 / us
}

// percentile is the least of the times that p of 100 do not exceed; 0 of none.
func percentile(took []time.Duration, p int) Thousandth {
	if len(took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(took))
	rank := (len(sorted)*p + 99) / 100 // rounded up: the 99th of 100, the second of 2
	return Thousandth(sorted[max(rank, 1)-1].Microseconds())
}

func runOf(clients int, ours, limit tally) Run {
	r := Run{
		Clients: clients, RenewalsPerSecond: ours.perSecond() / 1000, LimitPerSecond: limit.perSecond() / 1000,
		P50: percentile(ours.took, 50), P99: percentile(ours.took, 99),
	}
	if l := limit.perSecond(); l > 0 {
		r.Ratio = Thousandth(ours.perSecond() * 1000 / l)
	}
	return r
}
