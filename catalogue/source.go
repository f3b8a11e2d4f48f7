package catalogue

import (
	"slices"

	"github.com/tsuzuku/tsuzuku/money"
)

// Source is a further operator that feeds lines of a plan, with its own packages. A
// new line is ordered from one of them; from then on its operator is that one.
type Source struct {
	Operator string   // Operator.ID
	Terms    []Supply // one of each of the plan's
	Packs    []Supply // one of each of the plan's
}

// Supply is what a source is asked for where the plan names one of its own operator's
// packages.
type Supply struct {
	ID          string // of the term or pack
	Package     string
	NewPackage  string // of a term: with a new eSIM; empty: this operator makes none with it
	PackageDays int    // of a term
	Cost        money.Money
	NewCost     money.Money
}

// Operators are all that feed lines of a plan, its own first.
func (p Plan) Operators() []string {
	all := []string{p.Operator}
	for _, s := range p.Sources {
		all = append(all, s.Operator)
	}
	return all
}

// From is the plan as one of its operators feeds it: with that operator, and its
// packages and costs; the plan itself for its own operator, and where none is named.
// It reports whether the operator is one of the plan's.
func (p Plan) From(operator string) (Plan, bool) {
	if operator == "" || operator == p.Operator {
		return p, true
	}
	i := slices.IndexFunc(p.Sources, func(s Source) bool { return s.Operator == operator })
	if i < 0 {
		return p, false
	}
	s := p.Sources[i]
	p.Operator, p.Terms, p.Packs = operator, slices.Clone(p.Terms), slices.Clone(p.Packs)
	for i, t := range p.Terms {
		of := supply(s.Terms, t.ID)
		t.Package, t.NewPackage, t.PackageDays, t.Cost, t.NewCost = of.Package, of.NewPackage, of.PackageDays, of.Cost, of.NewCost
		t.FromStock = false // stock is of the plan's own operator
		p.Terms[i] = t
	}
	for i, k := range p.Packs {
		of := supply(s.Packs, k.ID)
		k.Package, k.Cost = of.Package, of.Cost
		p.Packs[i] = k
	}
	return p, true
}

func supply(all []Supply, id string) Supply {
	i := slices.IndexFunc(all, func(s Supply) bool { return s.ID == id })
	if i < 0 {
		return Supply{} // of a catalogue with mistakes
	}
	return all[i]
}

// sourceAt is where a source was read.
type sourceAt struct {
	at           section
	terms, packs []section
}

func (b *book) readSources(d *draft, at place) {
	for _, one := range at.list() {
		s := one.section("operator", "terms", "packs")
		read := sourceAt{at: s}
		source := Source{Operator: b.refer(s.need("operator"), "operator", ids(b.Operators, func(o Operator) string { return o.ID }))}
		terms := s.need("terms").list()
		for _, one := range terms {
			t := one.section("id", "package", "new_package", "package_days", "cost", "new_cost")
			read.terms = append(read.terms, t)
			source.Terms = append(source.Terms, Supply{
				ID: t.need("id").id(), Package: t.need("package").text(), NewPackage: t.opt("new_package").text(),
				PackageDays: t.opt("package_days").number(1, maxPackDays), Cost: t.opt("cost").cost(), NewCost: t.opt("new_cost").cost(),
			})
		}
		unique(terms, "term")
		packs := s.opt("packs").list()
		for _, one := range packs {
			k := one.section("id", "package", "cost")
			read.packs = append(read.packs, k)
			source.Packs = append(source.Packs, Supply{ID: k.need("id").id(), Package: k.need("package").text(), Cost: k.opt("cost").cost()})
		}
		unique(packs, "pack")
		d.sourcesAt, d.Sources = append(d.sourcesAt, read), append(d.Sources, source)
	}
}

// checkSources makes sure that a line is the same, whoever feeds it: the days of its
// periods, its data, and everything that can be bought for it.
func (b *book) checkSources(d *draft) {
	own, ok := b.Operator(d.Operator)
	for i, s := range d.Sources {
		read := d.sourcesAt[i]
		at := read.at.where("operator")
		op, known := b.Operator(s.Operator)
		switch {
		case !ok || !known: // told already
		case s.Operator == d.Operator, slices.IndexFunc(d.Sources, func(o Source) bool { return o.Operator == s.Operator }) < i:
			at.breaks("Plan %q: operator %q is named twice.", d.ID, s.Operator)
		case op.Zone != own.Zone:
			at.breaks("Plan %q: operator %q counts days in %s and %q in %s, so that periods would end at different times. Make a plan of its own for it.",
				d.ID, op.ID, op.Zone, own.ID, own.Zone)
		case op.GB != own.GB:
			at.breaks("Plan %q: a GB of operator %q is %d bytes and one of %q %d. Make a plan of its own for it.", d.ID, op.ID, op.GB, own.ID, own.GB)
		}
		d.checkSupply(s, read)
		if from, known := d.From(s.Operator); known && s.Operator != d.Operator {
			b.checkAbleFrom(d, from, read.at.where("operator"))
		}
	}
}

func (d *draft) checkSupply(s Source, read sourceAt) {
	for _, t := range d.Terms {
		if supply(s.Terms, t.ID).ID == "" {
			read.at.where("terms").breaks("Plan %q: operator %q has no package for the term %q, so its lines could not be renewed with it.", d.ID, s.Operator, t.ID)
		}
	}
	for _, k := range d.Packs {
		if supply(s.Packs, k.ID).ID == "" {
			read.at.where("packs").breaks("Plan %q: operator %q has no package for the pack %q.", d.ID, s.Operator, k.ID)
		}
	}
	makes := false
	for i, of := range s.Terms {
		t, known := d.Term(of.ID)
		switch {
		case !known:
			read.terms[i].where("id").breaks("Plan %q has no term %q.", d.ID, of.ID)
		case of.NewPackage != "" && t.NewPackage == "":
			read.terms[i].where("new_package").breaks("Plan %q sells no new eSIM of its own operator with the term %q. Add new_package there, or remove it here.", d.ID, of.ID)
		}
		makes = makes || of.NewPackage != ""
	}
	for i, of := range s.Packs {
		if _, known := d.Pack(of.ID); !known {
			read.packs[i].where("id").breaks("Plan %q has no pack %q.", d.ID, of.ID)
		}
	}
	if !makes {
		read.at.where("terms").doubtful("Plan %q: operator %q makes no new eSIM with any term, so no line will be of it.", d.ID, s.Operator)
	}
}
