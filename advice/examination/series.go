package examination

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Series is one row of numbers in the order of time.
type Series struct {
	Row    int // the line of the file on which it begins, from 1
	ID     string
	Values []float64
}

// ReadSeries reads a CSV of series, in one of two forms. Wide: a name and then
// the values, a series a line, empty cells behind the last value; a heading such
// as "V1","V2",… is passed over. Long: the heading id,index,value, and a value a
// line, where the index (a number) orders them and may not come twice.
// Series with mistakes are left out.
func ReadSeries(file io.Reader) ([]Series, []Mistake, error) {
	in := csv.NewReader(file)
	in.FieldsPerRecord = -1
	var records [][]string
	var numbers []int
	var mistakes []Mistake
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			mistakes = append(mistakes, Mistake{parse.StartLine, parse.Err.Error()})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		number, _ := in.FieldPos(0)
		records, numbers = append(records, record), append(numbers, number)
	}
	if len(records) == 0 {
		return nil, mistakes, noSeries()
	}
	if isLong(records[0]) {
		if len(records) == 1 {
			return nil, mistakes, noSeries()
		}
		all, more := longSeries(records[1:], numbers[1:])
		return all, append(mistakes, more...), nil
	}
	if isHeading(records[0]) {
		records, numbers = records[1:], numbers[1:]
	}
	if len(records) == 0 {
		return nil, mistakes, noSeries()
	}
	all, more := wideSeries(records, numbers)
	return all, append(mistakes, more...), nil
}

func noSeries() error { return fault.New(fault.Invalid, "the file has no series") }

func isLong(head []string) bool {
	return len(head) == 3 && strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(head[0], "\ufeff")), "id") &&
		strings.EqualFold(strings.TrimSpace(head[1]), "index") && strings.EqualFold(strings.TrimSpace(head[2]), "value")
}

// isHeading reports whether not one cell behind the first is a number.
func isHeading(record []string) bool {
	return len(record) > 1 && !slices.ContainsFunc(record[1:], func(cell string) bool {
		_, err := number(cell)
		return err == nil
	})
}

// number is a finite number.
func number(cell string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is no number", cell)
	}
	return v, nil
}

func wideSeries(records [][]string, numbers []int) (all []Series, mistakes []Mistake) {
	seen := map[string]int{}
	for i, record := range records {
		s := Series{Row: numbers[i], ID: strings.TrimSpace(record[0])}
		cells := record[1:]
		for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
			cells = cells[:len(cells)-1]
		}
		what := ""
		if before, twice := seen[s.ID]; twice {
			what = fmt.Sprintf("%s stands in line %d already", s.ID, before)
		}
		seen[s.ID] = s.Row
		for k, cell := range cells {
			v, err := number(cell)
			if err != nil && what == "" {
				what = fmt.Sprintf("value %d: %v", k+1, err)
			}
			s.Values = append(s.Values, v)
		}
		if what != "" {
			mistakes = append(mistakes, Mistake{s.Row, what})
			continue
		}
		all = append(all, s)
	}
	return all, mistakes
}

func longSeries(records [][]string, numbers []int) (all []Series, mistakes []Mistake) {
	type point struct{ index, value float64 }
	points, wrong := map[string][]point{}, map[string]bool{}
	type place struct {
		id    string
		index float64
	}
	seen := map[place]bool{}
	at := map[string]int{}
	for i, record := range records {
		if len(record) != 3 {
			mistakes = append(mistakes, Mistake{numbers[i], fmt.Sprintf("%d columns instead of id, index and value", len(record))})
			wrong[strings.TrimSpace(record[0])] = true
			continue
		}
		id := strings.TrimSpace(record[0])
		if _, ok := at[id]; !ok {
			at[id] = len(all)
			all = append(all, Series{Row: numbers[i], ID: id})
		}
		index, err := number(record[1])
		value, err2 := number(record[2])
		if err = errors.Join(err, err2); err != nil {
			mistakes, wrong[id] = append(mistakes, Mistake{numbers[i], strings.ReplaceAll(err.Error(), "\n", "; ")}), true
			continue
		}
		if seen[place{id, index}] {
			mistakes, wrong[id] = append(mistakes, Mistake{numbers[i], fmt.Sprintf("index %s of %s comes twice", record[1], id)}), true
			continue
		}
		seen[place{id, index}] = true
		points[id] = append(points[id], point{index, value})
	}
	for i := range all {
		of := points[all[i].ID]
		slices.SortFunc(of, func(a, b point) int {
			if a.index < b.index {
				return -1
			}
			return 1
		})
		for _, p := range of {
			all[i].Values = append(all[i].Values, p.value)
		}
	}
	return slices.DeleteFunc(all, func(s Series) bool { return wrong[s.ID] }), mistakes
}

// digits of a quantile are written: more are the noise of computing.
const digits = 10

// WriteQuantiles forecasts each series and prints a line for each step: the
// series, the step from 1, and the quantiles at [advice.Levels]. Series that
// cannot be forecast are mistakes.
func WriteQuantiles(w io.Writer, all []Series, season, horizon int) ([]Mistake, error) {
	if season < 1 || season > advice.MaxSeries || horizon < 1 || horizon > advice.MaxHorizon {
		return nil, fault.New(fault.Invalid, "horizon is from 1 to %d and season from 1 to %d", advice.MaxHorizon, advice.MaxSeries)
	}
	out := csv.NewWriter(w)
	head := []string{"series", "step"}
	for _, l := range advice.Levels {
		head = append(head, strconv.FormatFloat(l, 'g', -1, 64))
	}
	if err := out.Write(head); err != nil {
		return nil, err
	}
	var mistakes []Mistake
	for _, s := range all {
		steps, err := advice.Series(s.Values, season, horizon)
		if err != nil {
			mistakes = append(mistakes, Mistake{s.Row, fmt.Sprintf("%s: %v", s.ID, err)})
			continue
		}
		for k, q := range steps {
			line := []string{s.ID, strconv.Itoa(k + 1)}
			for _, v := range q {
				line = append(line, strconv.FormatFloat(v, 'g', digits, 64))
			}
			if err := out.Write(line); err != nil {
				return nil, err
			}
		}
	}
	out.Flush()
	return mistakes, out.Error()
}
