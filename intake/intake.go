// Package intake brings in what a seller had before: stock, customers, their lines
// and their balances, from CSV files. A file is checked as a whole and every mistake
// is told; it is written in groups, each one transaction; and what is there already
// stays as it is, so that a file may be read again after a crash, or for no reason.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
)

// Column is one column of a kind of file.
type Column struct {
	Name   string
	Need   bool   // it must be there and be filled
	Says   string // what it holds, for staff
	Sample string
}

// Mistake is one thing that is wrong in a file.
type Mistake struct {
	Line   int // as an editor counts, from 1
	Column string
	Text   string // what is wrong, and what to do
}

// Says is the mistake as a compiler would print it.
func (m Mistake) Says(file string) string {
	if m.Column == "" {
		return fmt.Sprintf("%s:%d: %s", file, m.Line, m.Text)
	}
	return fmt.Sprintf("%s:%d: %s: %s", file, m.Line, m.Column, m.Text)
}

// Kind is one kind of file.
type Kind struct {
	Name    string
	Says    string // what it brings, for staff
	Columns []Column

	// read makes of a record what is to be stored; it says what is wrong with it.
	read func(*Desk, *record) entry

	// compare holds entries against what is there, and appends what is missing.
	compare func(context.Context, db.Tx, *Desk, []entry, *db.Batch) ([]fate, error)
}

// entry is a record that was understood.
type entry interface {
	keys() []string // what no two records of a file may have in common
}

// fate is what becomes of an entry.
type fate struct {
	there  bool   // it is there already, as it is said to be
	column string // of what is wrong
	wrong  string // "": nothing is
}

// Kinds are all kinds of file, in the order in which they are imported.
func Kinds() []Kind { return []Kind{customers, sims, esims, lines, balances} }

// KindOf finds a kind by its name. It fails with [fault.NotFound].
func KindOf(name string) (Kind, error) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, nil
		}
	}
	return Kind{}, fault.New(fault.NotFound, "There is no kind of file %q. Choose customers, sims, esims, lines or balances.", name)
}

// Desk is where files are brought to.
type Desk struct {
	Orders *order.Desk
	Staff  string // who imports
	Reason string // why, for the trail

	shop *catalogue.Catalogue
}

// Result is what came of a file.
type Result struct {
	Rows     int
	New      int
	There    int // were there already
	Mistakes []Mistake
	Bad      []Row // the records that have a mistake, as they were
	Broken   int   // what is no CSV, or a head that is wrong: no record that could be left out
	Head     []string
}

// Row is one record as it stood in the file.
type Row struct {
	Line  int
	Cells []string
	Wrong string
}

// group is how many records one transaction writes.
const group = 500

// Check reads a file and holds it against what is there. It writes nothing, so that
// nobody need say who they are.
func (d *Desk) Check(ctx context.Context, k Kind, t *Table) (Result, error) {
	asks := *d
	asks.Staff, asks.Reason = cmp.Or(d.Staff, "check"), cmp.Or(d.Reason, "check")
	return asks.run(ctx, k, t, false)
}

// Apply writes what is new in a file, and leaves records with mistakes out: who
// wants none of it then asks [Desk.Check] first. Groups that were written stay
// written whatever happens to the next.
func (d *Desk) Apply(ctx context.Context, k Kind, t *Table) (Result, error) {
	if d.Staff == "" || d.Reason == "" {
		return Result{}, fault.New(fault.Invalid, "Say who you are and why: both are kept in the trail.")
	}
	return d.run(ctx, k, t, true)
}

func (d *Desk) run(ctx context.Context, k Kind, t *Table, write bool) (Result, error) {
	out := Result{Rows: len(t.records), Head: t.Head}
	var err error
	if d.shop, err = db.Seen(ctx, d.Orders.DB, d.Orders.Shelf.Current); err != nil {
		return out, err
	}
	if d.Orders.Codes == nil && (k.Name == sims.Name || k.Name == esims.Name) {
		return out, fault.New(fault.Invalid, "Codes are kept under the shop's secret. Give --secret, the same that the shop runs with.")
	}
	all := t.understood(d, k)
	for good := range slices.Chunk(slices.Collect(sound(all)), group) {
		fates, err := d.bring(ctx, k, good, write)
		if err != nil {
			return out, err
		}
		for i, f := range fates {
			switch {
			case f.wrong != "":
				good[i].wrong(f.column, "%s", f.wrong)
			case f.there:
				out.There++
			default:
				out.New++
			}
		}
	}
	out.Mistakes, out.Broken = slices.Clone(t.mistakes), len(t.mistakes)
	for _, r := range all {
		out.Mistakes = append(out.Mistakes, r.mistakes...)
		if len(r.mistakes) > 0 {
			out.Bad = append(out.Bad, Row{r.line, r.cells, r.mistakes[0].Column + ": " + r.mistakes[0].Text})
		}
	}
	slices.SortStableFunc(out.Mistakes, func(a, b Mistake) int { return a.Line - b.Line })
	return out, nil
}

// tries is how often a group is tried again that met somebody who wrote the same.
const tries = 3

// bring compares one group, and writes what is new in it.
func (d *Desk) bring(ctx context.Context, k Kind, set []*record, write bool) (fates []fate, err error) {
	entries := make([]entry, len(set))
	for i, r := range set {
		entries[i] = r.entry
	}
	if !write {
		return db.Seen(ctx, d.Orders.DB, func(ctx context.Context, tx db.Tx) ([]fate, error) {
			return k.compare(ctx, tx, d, entries, &db.Batch{})
		})
	}
	for range tries {
		fates, err = db.Written(ctx, d.Orders.DB, func(ctx context.Context, tx db.Tx) ([]fate, error) {
			var b db.Batch
			fates, err := k.compare(ctx, tx, d, entries, &b)
			if err != nil {
				return nil, err
			}
			return fates, tx.Batch(ctx, &b)
		})
		if !db.IsUnique(err) && !errors.Is(err, db.ErrGuard) {
			break
		}
	}
	return fates, err
}

// sound are the records without a mistake.
func sound(all []*record) func(func(*record) bool) {
	return func(yield func(*record) bool) {
		for _, r := range all {
			if len(r.mistakes) == 0 && !yield(r) {
				return
			}
		}
	}
}

// act is who imports, for the trail.
func (d *Desk) act() order.Act { return order.Act{Staff: d.Staff, Reason: d.Reason} }
