// Package metrics is what the house counts, in Prometheus' text format. Whoever
// counts something keeps the numbers, and registers a [Family] that reads them when
// somebody asks: there is no second copy that could be stale.
//
// Numbers are exact: whole ones, or decimals of them. Nothing here is a float.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package metrics

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Kind is how a number behaves.
type Kind string

// The kinds.
const (
	Counter Kind = "counter" // only grows while the process lives; its name ends in _total
	Gauge   Kind = "gauge"   // goes up and down
	Buckets Kind = "histogram"
)

// Label is one name and value that a sample is told apart by. Values are few:
// operators, outcomes, states; never customers.
type Label struct{ Name, Value string }

// Sample is one number of a family.
type Sample struct {
	Suffix string // "_bucket", "_sum", "_count" of a histogram; else empty
	Labels []Label
	Value  Number
}

// Family is all numbers of one name.
type Family struct {
	Name string // tsuzuku_…, with its unit last: _seconds, _bytes, _total
	Help string // one line
	Kind Kind

	// Read is called whenever somebody asks. It may read the database, not call
	// strangers.
	Read func(context.Context) ([]Sample, error)
}

// Number is an exact number. The zero value is 0.
type Number struct {
	units    int64
	decimals int
}

// Whole is a whole number.
func Whole(n int64) Number { return Number{units: n} }

// Seconds is a length of time.
func Seconds(d time.Duration) Number { return Number{int64(d), 9} }

// Unix is an instant, in seconds since 1970; of the zero time it is 0.
func Unix(t time.Time) Number {
	if t.IsZero() {
		return Number{}
	}
	return Number{t.UnixMicro(), 6}
}

// Decimal is units of which 10^decimals are one.
func Decimal(units int64, decimals int) Number { return Number{units, decimals} }

// Flag is 1 for what is so.
func Flag(so bool) Number {
	if so {
		return Whole(1)
	}
	return Number{}
}

// String is the number as it is written: "1.25".
func (n Number) String() string {
	digits, sign := strconv.FormatInt(n.units, 10), ""
	if n.units < 0 {
		sign, digits = "-", digits[1:]
	}
	if short := n.decimals + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	point := len(digits) - n.decimals
	decimals := strings.TrimRight(digits[point:], "0")
	if decimals == "" {
		return sign + digits[:point]
	}
	return sign + digits[:point] + "." + decimals
}

// Registry is all families. The zero value is empty; it is safe for concurrent use.
type Registry struct {
	Log *slog.Logger // nil: nobody is told what could not be read

	mu       sync.Mutex
	families []Family
}

var (
	isName  = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	escaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	oneLine = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
)

// Add registers families. It panics for a name that is taken or cannot be one: that
// is a bug.
func (r *Registry) Add(families ...Family) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range families {
		if !isName.MatchString(f.Name) || f.Kind == Counter != strings.HasSuffix(f.Name, "_total") {
			panic(fmt.Sprintf("metrics: %q cannot be the name of a %s", f.Name, f.Kind))
		}
		for _, other := range r.families {
			if other.Name == f.Name {
				panic(fmt.Sprintf("metrics: %q is registered twice", f.Name))
			}
		}
		r.families = append(r.families, f)
	}
}

// unread counts the families that could not be read, so that their absence is seen.
const unread = "tsuzuku_metrics_unread"

// Text writes all numbers as of now. A family that cannot be read is left out, is
// logged, and is told by tsuzuku_metrics_unread.
func (r *Registry) Text(ctx context.Context) []byte {
	r.mu.Lock()
	families := r.families // only ever appended to
	r.mu.Unlock()
	var b bytes.Buffer
	var failed []Sample
	for _, f := range families {
		samples, err := f.Read(ctx)
		if err != nil {
			failed = append(failed, Sample{Labels: []Label{{"family", f.Name}}, Value: Whole(1)})
			if r.Log != nil {
				r.Log.ErrorContext(ctx, "metrics", "family", f.Name, "err", err)
			}
			continue
		}
		f.write(&b, samples)
	}
	Family{Name: unread, Help: "Families that could not be read this time.", Kind: Gauge}.write(&b, failed)
	return b.Bytes()
}

func (f Family) write(b *bytes.Buffer, samples []Sample) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", f.Name, oneLine.Replace(f.Help), f.Name, f.Kind)
	for _, s := range samples {
		b.WriteString(f.Name + s.Suffix)
		for i, l := range s.Labels {
			b.WriteByte("{,"[min(i, 1)])
			fmt.Fprintf(b, `%s="%s"`, l.Name, escaped.Replace(l.Value))
		}
		if len(s.Labels) > 0 {
			b.WriteByte('}')
		}
		b.WriteString(" " + s.Value.String() + "\n")
	}
}

// ServeHTTP implements [http.Handler]: GET gives all numbers.
func (r *Registry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(r.Text(q.Context())) // whoever asked has left
}
