package examination

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/fault"
)

func TestReadSeries(t *testing.T) {
	for name, c := range map[string]struct{ file, series, mistakes string }{
		"as in the M4 competition": {
			"\"V1\",\"V2\",\"V3\",\"V4\"\n\"W1\",\"10\",\"12.5\",\"\"\n\"W2\",\"1\",\"2\",\"3\"\n", "[{2 W1 [10 12.5]} {3 W2 [1 2 3]}]", "[]",
		},
		"without a heading": {"W1,10,12\nW2,1,2\n", "[{1 W1 [10 12]} {2 W2 [1 2]}]", "[]"},
		"a hole":            {"W1,10,,12\nW2,1,2\n", "[{2 W2 [1 2]}]", `[line 1: value 2: "" is no number]`},
		"twice":             {"W1,10,12\nW1,1,2\n", "[{1 W1 [10 12]}]", "[line 2: W1 stands in line 1 already]"},
		"no number":         {"W1,10,NaN\nW2,1,2\nW3,1e999\n", "[{2 W2 [1 2]}]", `[line 1: value 2: "NaN" is no number line 3: value 1: "1e999" is no number]`},
		"long":              {"id,index,value\na,2,3\nb,1,7\na,1,2\nb,2,8\n", "[{2 a [2 3]} {3 b [7 8]}]", "[]"},
		"long, an index twice": {
			"id,index,value\na,2,3\na,2,2\nb,1,7\n", "[{4 b [7]}]", "[line 3: index 2 of a comes twice]",
		},
		"long, columns and numbers": {
			"id,index,value\na,2\nb,x,y\nc,1,1\n", "[{4 c [1]}]", `[line 2: 2 columns instead of id, index and value line 3: "x" is no number; "y" is no number]`,
		},
		"a quote that is not closed": {"W1,1,2\n\"W2,3\n", "[{1 W1 [1 2]}]", `[line 2: extraneous or missing " in quoted-field]`},
	} {
		t.Run(name, func(t *testing.T) {
			series, mistakes, err := ReadSeries(strings.NewReader(c.file))
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(series); got != c.series {
				t.Errorf("series %s, want %s", got, c.series)
			}
			if got := fmt.Sprint(mistakes); got != c.mistakes {
				t.Errorf("mistakes %s, want %s", got, c.mistakes)
			}
		})
	}
	for _, empty := range []string{"", "id,index,value\n", "V1,V2\n"} {
		if _, _, err := ReadSeries(strings.NewReader(empty)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q has series: %v", empty, err)
		}
	}
}

// Every series has a line for each step, its quantiles in order; what cannot be
// forecast is said.
func TestWriteQuantiles(t *testing.T) {
	values := make([]float64, 60)
	for i := range values {
		values[i] = float64(100 + i%7*10 + i*i%5)
	}
	var out bytes.Buffer
	mistakes, err := WriteQuantiles(&out, []Series{{1, "a", values}, {2, "short", values[:1]}}, 7, 3)
	if err != nil || len(mistakes) != 1 || mistakes[0].Row != 2 || !strings.HasPrefix(mistakes[0].What, "short: ") {
		t.Fatal(err, mistakes)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 || lines[0] != "series,step,0.025,0.1,0.25,0.5,0.75,0.9,0.975" {
		t.Fatal(out.String())
	}
	for step, line := range lines[1:] {
		cells := strings.Split(line, ",")
		if len(cells) != 9 || cells[0] != "a" || cells[1] != fmt.Sprint(step+1) {
			t.Fatal(line)
		}
		before, err := number(cells[2])
		for _, cell := range cells[3:] {
			v, err2 := number(cell)
			if err != nil || err2 != nil || v < before {
				t.Errorf("not in order: %s", line)
			}
			before = v
		}
	}
	out.Reset()
	if _, err := WriteQuantiles(&out, []Series{{1, "same", slices.Repeat([]float64{5}, 40)}}, 1, 1); err != nil || !strings.Contains(out.String(), "same,1,5,5,5,5,5,5,5\n") {
		t.Error(err, out.String())
	}
	for _, bad := range [][2]int{{0, 3}, {7, 0}, {7, advice.MaxHorizon + 1}, {advice.MaxSeries + 1, 3}} {
		if _, err := WriteQuantiles(&out, nil, bad[0], bad[1]); err == nil {
			t.Errorf("season %d and horizon %d", bad[0], bad[1])
		}
	}
}
