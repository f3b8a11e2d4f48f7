package metrics

import (
	"context"
	"errors"
	"math/big"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func none(context.Context) ([]Sample, error) { return nil, nil }

// A number is written exactly, whatever its sign and length, and without needless
// zeros.
func TestNumbersAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Number{rapid.Int64().Draw(t, "units"), rapid.IntRange(0, 18).Draw(t, "decimals")}
		want := new(big.Rat).SetFrac(big.NewInt(n.units), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n.decimals)), nil))
		got, ok := new(big.Rat).SetString(n.String())
		if !ok || got.Cmp(want) != 0 {
			t.Fatalf("%+v: %q", n, n.String())
		}
		if s := n.String(); strings.Contains(s, ".") && strings.HasSuffix(s, "0") {
			t.Fatalf("%+v: %q", n, s)
		}
	})
	for want, n := range map[string]Number{
		"0": {}, "1.5": Seconds(1500 * time.Millisecond), "-0.05": Decimal(-5, 2), "1795946400.25": Unix(time.UnixMicro(1795946400250000)), "1": Flag(true),
	} {
		if n.String() != want {
			t.Errorf("%+v: %s, want %s", n, n, want)
		}
	}
	if Unix(time.Time{}).String() != "0" {
		t.Error("no time is not 0")
	}
}

// The text is what the format's document asks for, byte by byte. A family that cannot
// be read is told, and the others are there.
func TestText(t *testing.T) {
	r := &Registry{}
	r.Add(
		Family{Name: "tsuzuku_a_total", Kind: Counter, Help: "How\nmany \\ \"of\" it.", Read: func(context.Context) ([]Sample, error) {
			return []Sample{{Labels: []Label{{"of", "a\"b\\c\nd"}, {"to", "続く"}}, Value: Whole(3)}, {Value: Decimal(-125, 2)}}, nil
		}},
		Family{Name: "tsuzuku_b", Kind: Gauge, Help: "Broken.", Read: func(context.Context) ([]Sample, error) { return []Sample{{}}, errors.New("away") }},
		Family{Name: "tsuzuku_c", Kind: Gauge, Help: "Nothing.", Read: none},
	)
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	want := `# HELP tsuzuku_a_total How\nmany \\ "of" it.
# TYPE tsuzuku_a_total counter
tsuzuku_a_total{of="a\"b\\c\nd",to="続く"} 3
tsuzuku_a_total -1.25
# HELP tsuzuku_c Nothing.
# TYPE tsuzuku_c gauge
# HELP tsuzuku_metrics_unread Families that could not be read this time.
# TYPE tsuzuku_metrics_unread gauge
tsuzuku_metrics_unread{family="tsuzuku_b"} 1
`
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Error(diff)
	}
	if got := w.Header().Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("type %q", got)
	}
	w = httptest.NewRecorder()
	if r.ServeHTTP(w, httptest.NewRequest("POST", "/metrics", nil)); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}

// A histogram's buckets are cumulative, a value on a bound is within it, and the
// last one holds all.
func TestHistogram(t *testing.T) {
	var h Histogram
	for _, took := range []time.Duration{0, 50 * time.Millisecond, 51 * time.Millisecond, 20 * time.Second, time.Minute} {
		h.Note(took)
	}
	var got []string
	for _, s := range h.Samples(Label{"carrier", "x"}) {
		line := s.Suffix
		for _, l := range s.Labels {
			line += " " + l.Name + "=" + l.Value
		}
		got = append(got, line+" "+s.Value.String())
	}
	want := []string{
		"_bucket carrier=x le=0.05 2", "_bucket carrier=x le=0.1 3", "_bucket carrier=x le=0.25 3", "_bucket carrier=x le=0.5 3", "_bucket carrier=x le=1 3",
		"_bucket carrier=x le=2.5 3", "_bucket carrier=x le=5 3", "_bucket carrier=x le=10 3", "_bucket carrier=x le=20 4", "_bucket carrier=x le=+Inf 5",
		"_sum carrier=x 80.101", "_count carrier=x 5",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What cannot be a name, or is one already, is a bug and found at once.
func TestBadNamesPanic(t *testing.T) {
	for _, f := range []Family{
		{Name: "tsuzuku-a", Kind: Gauge}, {Name: "", Kind: Gauge}, {Name: "a__b", Kind: Gauge}, {Name: "tsuzuku_a", Kind: Counter}, {Name: "tsuzuku_a_total", Kind: Gauge}, {Name: "taken", Kind: Gauge},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was taken", f)
				}
			}()
			f.Read = none
			r := &Registry{}
			r.Add(Family{Name: "taken", Kind: Gauge, Read: none}, f)
		}()
	}
}
