package device

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/fault"
)

// Source is whose table was imported. The values are stored; do not rename.
type Source string

// The sources.
const (
	Samsung Source = "samsung" // TACs and the maker's codes: tac, model_codes
	Osmocom Source = "osmocom" // TACs and names: tac, brand, model, aka
	Own     Source = "own"     // the seller's own list of versions with their bands
)

// TAC is what a table says about the first 8 digits of an IMEI.
type TAC struct {
	TAC   string
	Brand string
	Model string   // a name, or a code; "" where only codes are given
	Codes []string // the maker's codes, or other names, of which one is meant
}

// Skipped is a row that was left out, for the one who imports.
type Skipped struct {
	Line int
	Why  string
}

// String is the row on one line.
func (s Skipped) String() string { return fmt.Sprintf("line %d: %s", s.Line, s.Why) }

// Limits of a table that is imported.
const (
	maxRows  = 500_000
	maxBytes = 64 << 20
	maxField = 300
)

var isTAC = regexp.MustCompile(`^[0-9]{8}$`)

// ReadSamsung reads a table of TACs with the codes of the models they may stand
// for, several of them with | between. A head is optional.
//
// It fails with [fault.Invalid] for a file that is no such table; single rows
// that cannot be read are returned as skipped.
func ReadSamsung(in io.Reader) ([]TAC, []Skipped, error) {
	t := table{
		columns: map[string][]string{"tac": {"tac"}, "codes": {"model_codes", "model", "models"}}, bare: []string{"tac", "codes"},
		never: []string{"brand", "name"}, instead: "This table has makers of its own, so it is not Samsung's. Import it with --osmocom.",
	}
	return t.tacs(in, func(row map[string]string) (TAC, string) {
		out := TAC{TAC: row["tac"], Brand: "Samsung", Codes: pieces(row["codes"], "|")}
		if len(out.Codes) == 0 {
			return out, "it names no model"
		}
		return out, ""
	})
}

// ReadOsmocom reads the Osmocom TAC database as CSV: as it is published, with its
// licence in the first line and two columns called name, or with the columns
// brand, model and aka. It fails as [ReadSamsung] does.
func ReadOsmocom(in io.Reader) ([]TAC, []Skipped, error) {
	t := table{columns: map[string][]string{"tac": {"tac"}, "brand": {"brand", "name"}, "model": {"model", "name"}, "aka": {"aka"}}}
	return t.tacs(in, func(row map[string]string) (TAC, string) {
		out := TAC{TAC: row["tac"], Brand: row["brand"], Model: row["model"], Codes: pieces(row["aka"], ",")}
		if out.Brand == "" || out.Model == "" {
			return out, "it names no model"
		}
		return out, ""
	})
}

// pieces are the parts of a list, without spaces and empty ones.
func pieces(list, separator string) []string {
	var out []string
	for p := range strings.SplitSeq(list, separator) {
		if p = strings.TrimSpace(p); p != "" && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// table says how a CSV file is read: which of its columns are meant, by the
// names that they may have; the same name twice is two columns, in their order.
type table struct {
	columns  map[string][]string
	bare     []string // the columns of a file without a head; nil: it must have one
	never    []string // columns that only another table has
	instead  string   // what to do with that one
	optional []string
}

// tacs reads rows of TACs. Of one that stands twice the codes are put together;
// a name is kept as it stood first.
func (t table) tacs(in io.Reader, read func(map[string]string) (TAC, string)) ([]TAC, []Skipped, error) {
	var out []TAC
	var skipped []Skipped
	seen := map[string]int{} // where in out
	err := t.rows(in, func(line int, row map[string]string) {
		tac, why := read(row)
		at, twice := seen[tac.TAC]
		switch {
		case !isTAC.MatchString(tac.TAC):
			why = "a TAC has 8 digits"
		case why == "" && twice && out[at].Model == "":
			out[at].Codes = pieces(strings.Join(append(out[at].Codes, tac.Codes...), "|"), "|")
			return
		case twice:
			why = "this TAC stands in the file before"
		}
		if why != "" {
			skipped = append(skipped, Skipped{line, why})
			return
		}
		seen[tac.TAC] = len(out)
		out = append(out, tac)
	})
	if err == nil && (len(out) == 0 || len(skipped) > len(out)) {
		err = fault.New(fault.Invalid, "This is no table of TACs: %d rows can be read and %d cannot.", len(out), len(skipped))
	}
	if err != nil {
		return nil, nil, err
	}
	return out, skipped, nil
}

// rows calls f with every row below the head.
func (t table) rows(in io.Reader, f func(line int, row map[string]string)) error {
	file, err := io.ReadAll(io.LimitReader(in, maxBytes+1))
	switch {
	case err != nil:
		return err
	case len(file) > maxBytes:
		return fault.New(fault.Invalid, "The file is larger than %d MB.", maxBytes>>20)
	case !utf8.Valid(file), bytes.ContainsRune(file, 0):
		return fault.New(fault.Invalid, "The file is not text in UTF-8.")
	}
	r := csv.NewReader(bufio.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\ufeff")))))
	r.Comment, r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = '#', -1, true, true
	var at map[string]int
	for n := 0; ; n++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fault.Wrap(fault.Invalid, err, "The file is not CSV.")
		}
		if n > maxRows {
			return fault.New(fault.Invalid, "The file has more than %d rows.", maxRows)
		}
		if at == nil {
			if t.anothers(record) {
				return fault.New(fault.Invalid, "%s", t.instead)
			}
			if at = t.head(record); at == nil && n > 2 {
				break
			}
			if at == nil || at[""] == 0 {
				continue // the licence, or the head itself
			}
			delete(at, "")
		}
		line, _ := r.FieldPos(0)
		f(line, pick(record, at))
	}
	if at == nil {
		return fault.New(fault.Invalid, "The file has no line that names its columns: %s.", strings.Join(t.needed(), ", "))
	}
	return nil
}

// anothers reports whether a record is the head of a table of TACs that is read in
// another way.
func (t table) anothers(record []string) bool {
	names := strings.Fields(strings.ToLower(strings.Join(record, " ")))
	return slices.Contains(names, "tac") && slices.ContainsFunc(t.never, func(n string) bool { return slices.Contains(names, n) })
}

// needed are the columns that must be there, by the first of their names.
func (t table) needed() (names []string) {
	for column, all := range t.columns {
		if column != "aka" && !slices.Contains(t.optional, column) {
			names = append(names, all[0])
		}
	}
	slices.Sort(names)
	return names
}

// head is where the columns stand if the record names them; with the key "" if
// the record is no head but the first row of a file without one.
func (t table) head(record []string) map[string]int {
	at, taken := map[string]int{}, map[int]bool{}
	for _, column := range []string{"tac", "brand", "model", "codes", "aka", "code", "sold_in", "esim", "lock", "bands", "source"} {
		for i, h := range record {
			if !taken[i] && slices.Contains(t.columns[column], strings.ToLower(strings.TrimSpace(h))) {
				at[column], taken[i] = i, true
				break
			}
		}
	}
	missing := 0
	for column := range t.columns {
		if _, ok := at[column]; !ok && column != "aka" && !slices.Contains(t.optional, column) {
			missing++
		}
	}
	if missing == 0 {
		return at
	}
	if t.bare == nil || len(record) < len(t.bare) || !isTAC.MatchString(strings.TrimSpace(record[0])) {
		return nil
	}
	at = map[string]int{"": 1}
	for i, column := range t.bare {
		at[column] = i
	}
	return at
}

// pick is the fields of a record by column, made fit to be stored and shown.
func pick(record []string, at map[string]int) map[string]string {
	out := make(map[string]string, len(at))
	for column, i := range at {
		if i < len(record) {
			out[column] = clean(record[i])
		}
	}
	return out
}

// clean is text without what cannot be shown, cut to a length that fits.
func clean(text string) string {
	text = strings.Join(strings.FieldsFunc(norm.NFC.String(text), func(r rune) bool { return r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }), " ")
	for len(text) > maxField {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
