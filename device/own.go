package device

import (
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/fault"
)

// OwnVersion is one row of the seller's own list: a version of a model, which
// this program's list may have or not.
type OwnVersion struct {
	Brand, Model string
	Aka          []string
	Version      Version
	Origin       string // where the seller has it from
}

var (
	isCountry = regexp.MustCompile(`^[A-Z]{2}$`)
	isBand    = regexp.MustCompile(`^(?:B?[1-9][0-9]{0,2}|n[1-9][0-9]{0,2}|no5g)$`)
)

// ReadOwn reads the seller's own list of versions, as CSV with a head: brand,
// model, code, and as far as they are known aka, sold_in, esim, lock, bands and
// source, written as in this program's own table. It fails as [ReadSamsung]
// does, and for a list in which any row is wrong: it is the seller's to mend.
func ReadOwn(in io.Reader) ([]OwnVersion, error) {
	columns := map[string][]string{}
	for _, c := range []string{"brand", "model", "code", "aka", "sold_in", "esim", "lock", "bands", "source"} {
		columns[c] = []string{c}
	}
	t := table{columns: columns, optional: []string{"aka", "sold_in", "esim", "lock", "bands", "source"}}
	var out []OwnVersion
	var wrong []Skipped
	seen := map[string]bool{}
	err := t.rows(in, func(line int, row map[string]string) {
		v, why := own(row)
		key := v.Brand + "\n" + v.Model + "\n" + v.Version.Code
		if why == "" && seen[key] {
			why = "this version stands in the file before"
		}
		if why != "" {
			wrong = append(wrong, Skipped{line, why})
		}
		seen[key] = true
		out = append(out, v)
	})
	switch {
	case err != nil:
		return nil, err
	case len(wrong) > 0:
		return nil, fault.New(fault.Invalid, "%d rows are wrong; the first is %s.", len(wrong), wrong[0])
	case len(out) == 0:
		return nil, fault.New(fault.Invalid, "The file has no rows.")
	}
	return out, nil
}

// own reads one row, and says what is wrong with it.
func own(row map[string]string) (OwnVersion, string) {
	v := OwnVersion{
		Brand: row["brand"], Model: row["model"], Aka: pieces(row["aka"], "|"), Origin: row["source"],
		Version: Version{
			Code: row["code"], SoldIn: pieces(row["sold_in"], "|"), ESIM: ESIM(row["esim"]), LockRisk: row["lock"] == "risk",
			Bands: parseBands(row["bands"]),
		},
	}
	switch {
	case len(tokens(v.Brand)) == 0, len(tokens(v.Model)) == 0, len(tokens(v.Version.Code)) == 0:
		return v, "brand, model and code are needed"
	case !slices.Contains([]ESIM{"", ESIMYes, ESIMNo, ESIMOnly, ESIMCheck, ESIMOnlyCheck}, v.Version.ESIM):
		return v, "esim is yes, no, only, check or empty"
	case row["lock"] != "" && row["lock"] != "risk":
		return v, "lock is risk or empty"
	case slices.ContainsFunc(v.Version.SoldIn, func(c string) bool { return !isCountry.MatchString(c) }):
		return v, "sold_in is a list of countries like JP|US"
	}
	for b := range strings.FieldsSeq(row["bands"]) {
		if !isBand.MatchString(b) {
			return v, "bands are written like 1 19 n78"
		}
	}
	return v, ""
}

// With is the list with the seller's own versions: theirs takes the place of
// one of ours with the same code, and a model that we have not is added.
func (l *List) With(rows []OwnVersion) (*List, error) {
	models := make([]*Model, len(l.Models))
	by := map[string]*Model{}
	for i, m := range l.Models {
		mine := *m
		mine.Versions = slices.Clone(m.Versions)
		models[i] = &mine
		by[mine.ID()] = &mine
	}
	for _, row := range rows {
		m := &Model{Brand: row.Brand, Name: row.Model, ESIM: ESIMCheck, Source: row.Origin}
		if known := by[m.ID()]; known != nil {
			m = known
		} else {
			by[m.ID()] = m
			models = append(models, m)
		}
		for _, a := range row.Aka {
			if !slices.Contains(m.Aka, a) {
				m.Aka = append(slices.Clone(m.Aka), a)
			}
		}
		m.put(row.Version)
	}
	return newList(models, maps.Clone(l.exceptions))
}

// put adds a version, or gives what is new about it to the one there is.
func (m *Model) put(v Version) {
	for i, old := range m.Versions {
		if old.Code != v.Code {
			continue
		}
		if v.ESIM == "" {
			v.ESIM, v.Why = old.ESIM, old.Why
		}
		if len(v.SoldIn) == 0 {
			v.SoldIn = old.SoldIn
		}
		if len(v.Bands.Names) == 0 {
			v.Bands = old.Bands
		}
		v.LockRisk = v.LockRisk || old.LockRisk
		m.Versions[i] = v
		return
	}
	m.Versions = append(m.Versions, v)
}
