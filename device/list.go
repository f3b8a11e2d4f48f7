package device

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

//go:embed data/*.csv
var data embed.FS

// Compiled is when the tables of this program were compiled.
const Compiled = "2026-11-29"

// List is every model that is known, and the names under which it is found. It
// never changes and is safe for concurrent use.
type List struct {
	Models     []*Model
	exceptions map[Code]Exception
	names      []name
	byKey      map[string][]name
	byID       map[string]*Model
}

// builtin is the list of this program's own tables; it never changes.
var builtin = mustRead()

// Builtin is the list of this program's own tables.
func Builtin() *List { return builtin }

func mustRead() *List {
	l, err := read()
	if err != nil {
		panic(err) // the tables are part of the program
	}
	return l
}

func read() (*List, error) {
	models, err := readModels()
	if err != nil {
		return nil, err
	}
	exceptions, err := readExceptions()
	if err != nil {
		return nil, err
	}
	return newList(models, exceptions)
}

// newList gives the models their names. It fails for an exception that there is
// not and for two models with one address.
func newList(models []*Model, exceptions map[Code]Exception) (*List, error) {
	l := &List{Models: models, exceptions: exceptions, byKey: map[string][]name{}, byID: map[string]*Model{}}
	for _, m := range models {
		if l.byID[m.ID()] != nil {
			return nil, fmt.Errorf("device: %s is in the list twice", m.FullName())
		}
		l.byID[m.ID()] = m
		for _, e := range m.Exceptions {
			if _, ok := exceptions[e]; !ok {
				return nil, fmt.Errorf("device: %s has the exception %s, which nobody explains", m.FullName(), e)
			}
		}
		for _, n := range append([]string{m.Name}, m.Aka...) {
			l.nameModel(m, n)
		}
		for _, v := range m.Versions {
			l.add(name{tokens: tokens(v.Code), model: m, code: v.Code})
			if rest, ok := strings.CutPrefix(v.Code, "SM-"); ok {
				l.add(name{tokens: tokens(rest), model: m, code: v.Code, rank: 1})
			}
		}
	}
	return l, nil
}

// lines are the words that begin a name by which everybody knows the brand.
var lines = []string{"iphone", "galaxy", "pixel", "xperia", "edge", "find"}

// nameModel adds the spellings of one name: with and without the brand, the word
// of the line, and "5G".
func (l *List) nameModel(m *Model, called string) {
	brand, own := tokens(m.Brand), tokens(called)
	known := slices.Contains(lines, own[0])
	for _, short := range [][]string{own, withoutGeneration(own)} {
		rank := 0
		if len(short) < len(own) {
			rank = 1
		}
		l.add(name{tokens: slices.Concat(brand, short), model: m, rank: rank})
		bare := rank
		if !known {
			bare = 1
		}
		l.addWord(name{tokens: short, model: m, rank: bare})
		if !known || len(short) < 2 {
			continue
		}
		rest := short[1:]
		l.addWord(name{tokens: rest, model: m, rank: 1})
		l.add(name{tokens: slices.Concat(brand, rest), model: m, rank: 1})
		if rest[0] == "z" { // "Fold4"
			l.addWord(name{tokens: rest[1:], model: m, rank: 1})
			l.addWord(name{tokens: slices.Concat(short[:1], rest[1:]), model: m, rank: 1})
		}
	}
}

// addWord adds a name unless it is a number alone, which could be anybody's.
func (l *List) addWord(n name) {
	if strings.Trim(strings.Join(n.tokens, ""), "0123456789") != "" {
		l.add(n)
	}
}

func (l *List) add(n name) {
	n.key = strings.Join(n.tokens, "")
	for i, other := range l.byKey[n.key] {
		if other.model == n.model {
			if n.rank < other.rank {
				l.byKey[n.key][i].rank = n.rank
			}
			return
		}
	}
	l.byKey[n.key] = append(l.byKey[n.key], n)
	l.names = append(l.names, n)
}

// Model is the model with that ID.
func (l *List) Model(id string) (*Model, bool) {
	m, ok := l.byID[id]
	return m, ok
}

// Phone is a phone of that model, of which nothing else is known.
func (l *List) Phone(m *Model) Phone { return Phone{Model: m, Possible: m.Versions} }

// WithCode is a phone of that model and version.
func (l *List) WithCode(m *Model, code string) (Phone, bool) {
	for _, v := range m.Versions {
		if v.Code == code {
			return Phone{Model: m, Possible: []Version{v}, Exact: true}, true
		}
	}
	return Phone{}, false
}

func readModels() ([]*Model, error) {
	var models []*Model
	by := map[string]*Model{}
	err := eachRow("models.csv", func(at map[string]string) error {
		m := &Model{
			Brand: at["brand"], Name: at["model"], Aka: split(at["aka"]), ESIM: ESIM(at["esim"]), TwoESIMs: at["two_esims"] == "1",
			Bands: parseBands(at["bands"]), Source: "evidence " + at["evidence"],
		}
		for _, e := range split(at["exceptions"]) {
			m.Exceptions = append(m.Exceptions, Code(e))
		}
		if !slices.Contains([]ESIM{ESIMYes, ESIMNo, ESIMOnly, ESIMCheck}, m.ESIM) {
			return fmt.Errorf("device: %s: esim %q", m.FullName(), m.ESIM)
		}
		models = append(models, m)
		by[m.FullName()] = m
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = eachRow("versions.csv", func(at map[string]string) error {
		m := by[at["brand"]+" "+at["model"]]
		if m == nil {
			return fmt.Errorf("device: version %s is of no model", at["code"])
		}
		m.Versions = append(m.Versions, Version{
			Code: at["code"], SoldIn: split(at["sold_in"]), ESIM: ESIM(at["esim"]), LockRisk: at["lock"] == "risk",
			Why: Code(at["why"]), Bands: parseBands(at["bands"]), Confidence: at["confidence"],
		})
		return nil
	})
	return models, err
}

func readExceptions() (map[Code]Exception, error) {
	out := map[Code]Exception{}
	err := eachRow("exceptions.csv", func(at map[string]string) error {
		e := Exception{
			Code: Code(at["code"]), Effect: Effect(at["effect"]), SoldIn: split(at["sold_in"]), Carrier: at["carrier"] == "yes",
			Source: at["source"], Confidence: at["confidence"],
		}
		if slices.Equal(e.SoldIn, []string{"*"}) {
			e.SoldIn = nil
		}
		out[e.Code] = e
		return nil
	})
	return out, err
}

// eachRow calls f with each row of a table of data, by the names in its head.
func eachRow(file string, f func(map[string]string) error) (err error) {
	in, err := data.Open("data/" + file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	r := csv.NewReader(in)
	r.Comment = '#'
	head, err := r.Read()
	if err != nil {
		return err
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("device: %s: %w", file, err)
		}
		at := make(map[string]string, len(head))
		for i, h := range head {
			at[h] = row[i]
		}
		if err := f(at); err != nil {
			return err
		}
	}
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, "|")
}
