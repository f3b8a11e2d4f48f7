package intake

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/phone"
)

const (
	// MostRows is how many records a file may have.
	MostRows = 1_000_000

	// mostBroken is how many records that are no CSV are told before reading ends.
	mostBroken = 50

	// noted is the column that [WriteBad] adds; it is read over.
	noted = "mistake"
)

// Table is a file as it was read: records with their places, and what could not be
// read.
type Table struct {
	Head     []string
	records  []*record
	mistakes []Mistake
}

// record is one row of a file.
type record struct {
	line     int
	cells    []string
	at       map[string]int // columns by name
	entry    entry
	mistakes []Mistake
}

// ReadTable reads CSV (RFC 4180) in UTF-8, with a mark of byte order or without,
// whose first record names the columns in any order. It fails with [fault.Invalid]
// where nothing can be made of the file at all.
func ReadTable(k Kind, in io.Reader) (*Table, error) {
	text := bufio.NewReader(in)
	if mark, err := text.Peek(3); err == nil && string(mark) == "\uFEFF" {
		_, _ = text.Discard(3) // they are in the buffer
	}
	r := csv.NewReader(text)
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The file has no head. Its first line names the columns: %s", strings.Join(names(k), ","))
	}
	if err := legible(head); err != nil {
		return nil, err
	}
	t := &Table{Head: head}
	columns, err := t.columns(k)
	if err != nil {
		return nil, err
	}
	for broken := 0; broken < mostBroken; {
		cells, err := r.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return t, nil
		case errors.As(err, &bad):
			broken++
			t.mistakes = append(t.mistakes, Mistake{bad.StartLine, "", fmt.Sprintf("This is no CSV: a quotation mark is not closed, or stands inside a field without being doubled (line %d, character %d).", bad.Line, bad.Column)})
			continue
		case err != nil:
			return nil, err
		case len(t.records) == MostRows:
			return nil, fault.New(fault.Invalid, "The file has more than %d rows. Divide it.", MostRows)
		}
		at, _ := r.FieldPos(0)
		t.add(at, cells, columns)
	}
	return t, nil
}

// legible fails for a head that is of another writing than UTF-8, or of rows that
// end as they did on old Macs: nothing that follows could be told rightly.
func legible(head []string) error {
	all := strings.Join(head, "")
	switch {
	case !utf8.ValidString(all) || strings.ContainsRune(all, 0):
		return fault.New(fault.Invalid, "The file is not UTF-8. Save it as CSV UTF-8.")
	case strings.Contains(all, "\r"):
		return fault.New(fault.Invalid, "The rows end as those of old Macs do, with CR alone. Save the file as CSV UTF-8.")
	}
	return nil
}

func names(k Kind) (all []string) {
	for _, c := range k.Columns {
		all = append(all, c.Name)
	}
	return all
}

// columns finds each column's place by its name in the head.
func (t *Table) columns(k Kind) (map[string]int, error) {
	if len(t.Head) == 1 && strings.ContainsAny(t.Head[0], ";\t") {
		return nil, fault.New(fault.Invalid, "The fields are not separated by commas. Save the file as CSV (UTF-8, comma separated).")
	}
	at := map[string]int{}
	known := names(k)
	for i, cell := range t.Head {
		name := strings.ToLower(strings.TrimSpace(cell))
		_, twice := at[name]
		switch {
		case twice:
			t.mistakes = append(t.mistakes, Mistake{1, name, "This column is there twice. Remove one."})
		case name != noted && !slices.Contains(known, name):
			t.mistakes = append(t.mistakes, Mistake{1, cell, "There is no such column. Those of " + k.Name + " are: " + strings.Join(known, ", ") + "."})
		}
		at[name] = i
	}
	for _, c := range k.Columns {
		if _, ok := at[c.Name]; !ok && c.Need {
			t.mistakes = append(t.mistakes, Mistake{1, c.Name, "This column is missing. Add it: " + c.Says + "."})
		}
	}
	return at, nil
}

// add keeps a record; one that is empty is a line at the end of a file.
func (t *Table) add(at int, cells []string, columns map[string]int) {
	if strings.TrimSpace(strings.Join(cells, "")) == "" {
		return
	}
	r := &record{line: at, cells: cells, at: columns}
	if len(cells) != len(t.Head) {
		r.wrong("", "This row has %d fields, and the head names %d columns. Look for a comma that is missing, or stands in a field without quotation marks.", len(cells), len(t.Head))
	}
	for _, c := range cells {
		if !utf8.ValidString(c) || strings.ContainsRune(c, 0) {
			r.wrong("", "This row is not UTF-8. Save the file as CSV UTF-8.")
			break
		}
	}
	t.records = append(t.records, r)
}

// understood lets a kind read the records that are whole. What two records have in
// common and must not is the second one's mistake. A file whose head is wrong is not
// read further.
func (t *Table) understood(d *Desk, k Kind) []*record {
	if slices.ContainsFunc(t.mistakes, func(m Mistake) bool { return m.Line == 1 }) {
		return nil
	}
	first := map[string]int{}
	for _, r := range t.records {
		if len(r.mistakes) > 0 {
			continue
		}
		for _, c := range k.Columns {
			if c.Need && r.cell(c.Name) == "" {
				r.wrong(c.Name, "This is missing: %s.", c.Says)
			}
		}
		if len(r.mistakes) > 0 {
			continue
		}
		if r.entry = k.read(d, r); len(r.mistakes) > 0 {
			continue
		}
		for _, key := range r.entry.keys() {
			if before, twice := first[key]; twice {
				r.wrong("", "Line %d says the same %s already. Remove one of the two.", before, key)
				break
			}
			first[key] = r.line
		}
	}
	return t.records
}

func (r *record) wrong(column, format string, args ...any) {
	r.mistakes = append(r.mistakes, Mistake{r.line, column, fmt.Sprintf(format, args...)})
}

// fails tells an error as a mistake.
func (r *record) fails(column string, err error) bool {
	if err != nil {
		r.wrong(column, "%s", fault.Message(err))
	}
	return err != nil
}

// cell is what a column holds, without spaces around it; "" where there is no such
// column.
func (r *record) cell(name string) string {
	i, ok := r.at[name]
	if !ok || i >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

// number reads a telephone number in E.164's form; spreadsheets take away its plus.
func (r *record) number(column string) string {
	s := r.cell(column)
	if s == "" {
		return ""
	}
	n, err := phone.ReadWhole(strings.TrimPrefix(s, "'"))
	switch {
	case err == nil:
	case strings.ContainsAny(s, "eE"):
		r.wrong(column, "%q is what a spreadsheet has made of a long number; its last digits are lost. Format the column as text and export once more.", s)
	case strings.HasPrefix(s, "0"):
		r.wrong(column, "%q is written as in its own country. Write the country's calling code first, without the 0: +818012345678.", s)
	default:
		r.wrong(column, "%q is no telephone number. Write it with the country's calling code: +818012345678.", s)
	}
	return string(n)
}

// iccid reads the number of a SIM.
func (r *record) iccid() string {
	s, err := line.ParseICCID(r.cell("iccid"))
	r.fails("iccid", err)
	return s
}

// sold is what a row's plan and term name.
type sold struct {
	plan     catalogue.Plan
	term     catalogue.Term
	operator catalogue.Operator
	zone     *time.Location
}

// sold finds the plan, its operator, and its term where one is named.
func (d *Desk) sold(r *record, term bool) (s sold) {
	s.zone = time.UTC
	var ok bool
	if s.plan, ok = d.shop.Plan(r.cell("plan")); !ok {
		r.wrong("plan", "The catalogue has no plan %q. Write its id as the catalogue file does, or apply a catalogue that has it first.", r.cell("plan"))
		return s
	}
	s.operator, _ = d.shop.Operator(s.plan.Operator)
	if other := r.cell("operator"); other != "" && other != s.operator.ID {
		r.wrong("operator", "Plan %q is of operator %q, not of %q. Correct one of the two.", s.plan.ID, s.operator.ID, other)
	}
	loc, err := s.operator.Zone.Location()
	if err == nil {
		s.zone = loc
	}
	if id := r.cell("term"); id != "" || term {
		if s.term, ok = s.plan.Term(id); !ok {
			r.wrong("term", "Plan %q has no term %q. Its terms are: %s.", s.plan.ID, id, termsOf(s.plan))
		}
	}
	return s
}

func termsOf(p catalogue.Plan) string {
	ids := make([]string, len(p.Terms))
	for i, t := range p.Terms {
		ids[i] = t.ID
	}
	return strings.Join(ids, ", ")
}

// moment reads an instant: with an offset, or in the operator's zone. A day alone is
// its first moment; where it ends something, the first moment after it. Years in which
// no line was sold, and those that nobody promises, are mistyped.
func (r *record) moment(now time.Time, column string, zone *time.Location, ends bool) time.Time {
	s := r.cell(column)
	if s == "" {
		return time.Time{}
	}
	t, ok := instant(s, zone, ends)
	switch {
	case !ok:
		r.wrong(column, "%q is no time. Write 2026-05-03, 2026-05-03 18:30 (both in the operator's zone), or 2026-05-03T18:30:00+09:00.", s)
	case t.Year() < firstYear || t.After(now.AddDate(mostYears, 0, 0)):
		r.wrong(column, "%q is a year that cannot be meant: from %d on, and at most %d years from now. Correct it.", s, firstYear, mostYears)
	default:
		return t
	}
	return time.Time{}
}

const (
	firstYear = 2000 // travellers bought SIMs, and not data, before
	mostYears = 20   // ahead: what ends later is as good as endless
)

func instant(s string, zone *time.Location, ends bool) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC().Truncate(time.Microsecond), true
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.UTC(), true
		}
	}
	t, err := time.ParseInLocation("2006-01-02", s, zone)
	if err == nil && ends {
		t = calendar.Length{N: 1, Unit: calendar.Day}.End(t, zone, 0)
	}
	return t.UTC(), err == nil
}

// units are what data is counted in; a GB is what the operator calls one.
func units(gb int64) map[string]int64 {
	if gb == 1<<30 {
		return map[string]int64{"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
	}
	return map[string]int64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
}

// data reads an amount of data: bytes, or with a unit and up to three decimals.
func (r *record) data(column string, gb int64) int64 {
	s := strings.ToUpper(r.cell(column))
	if s == "" {
		return 0
	}
	number := strings.TrimRight(s, "BKMGT ")
	unit, ok := units(gb)[strings.TrimSpace(s[len(number):])]
	whole, fraction, _ := strings.Cut(number, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	thousandths, err2 := strconv.ParseInt((fraction + "000")[:3], 10, 64)
	const most = int64(1) << 50
	if !ok || err != nil || err2 != nil || len(fraction) > 3 || n < 0 || thousandths < 0 || n > most/unit {
		r.wrong(column, "%q is no amount of data. Write 5368709120, 5 GB or 512 MB.", r.cell(column))
		return 0
	}
	return n*unit + thousandths*unit/1000
}

// WriteBad writes the records that have a mistake, with the first of it as a further
// column; what was corrected there is imported as it is.
func WriteBad(out io.Writer, res Result) error {
	w := csv.NewWriter(out)
	head := res.Head
	marked := slices.IndexFunc(head, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), noted) })
	if marked < 0 {
		head = append(slices.Clone(head), noted)
	}
	if err := w.Write(head); err != nil {
		return err
	}
	for _, b := range res.Bad {
		cells := slices.Clone(b.Cells)
		for len(cells) < len(res.Head) {
			cells = append(cells, "")
		}
		if marked >= 0 {
			cells[marked] = b.Wrong
		} else {
			cells = append(cells, b.Wrong)
		}
		if err := w.Write(cells); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// Sample is a file of the kind with one record, to begin with.
func Sample(out io.Writer, k Kind) error {
	w := csv.NewWriter(out)
	samples := make([]string, len(k.Columns))
	for i, c := range k.Columns {
		samples[i] = c.Sample
	}
	return w.WriteAll([][]string{names(k), samples})
}
