package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"golang.org/x/text/language"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/device"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
)

// deviceCmd is which phone takes which line, and why not.
type deviceCmd struct {
	Check  deviceCheckCmd  `cmd:"" help:"Say whether a phone works, plan by plan, and why not."`
	List   deviceListCmd   `cmd:"" help:"Print every known model with its answer for a plan."`
	Import deviceImportCmd `cmd:"" help:"Read a table of IMEIs' first digits (TAC), or your own list of phones and their bands. It takes the place of the last one."`
}

type deviceCheckCmd struct {
	database
	Phone  string `arg:"" help:"A name, a maker's code, an IMEI or an EID."`
	Plan   string `help:"Only this plan; otherwise all that are on sale." placeholder:"ID"`
	SoldIn string `help:"Where it was bought: a country like JP." placeholder:"COUNTRY"`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// answered is one verdict as JSON.
type answered struct {
	Plan    string            `json:"plan"`
	Network string            `json:"network"`
	Answer  device.Answer     `json:"answer"`
	ESIM    device.ESIM       `json:"esim"`
	Form    device.Form       `json:"form,omitempty"`
	FiveG   device.Presence   `json:"five_g"`
	Why     device.Code       `json:"why,omitempty"`
	Areas   []answeredArea    `json:"areas,omitempty"`
	Unless  []answeredUnless  `json:"unless,omitempty"`
	Says    string            `json:"says"`
	network catalogue.Network // for the sentences
	verdict device.Verdict
}

type answeredArea struct {
	Area    device.AreaKind `json:"area"`
	Level   device.Level    `json:"level"`
	Missing []string        `json:"missing,omitempty"`
}

type answeredUnless struct {
	Exception device.Code   `json:"exception"`
	SoldIn    []string      `json:"sold_in,omitempty"`
	Carrier   bool          `json:"carrier,omitempty"`
	Answer    device.Answer `json:"answer"`
}

// asked is the answer to one question as JSON.
type asked struct {
	Phone      string     `json:"phone,omitempty"`
	Evidence   string     `json:"evidence,omitempty"`
	Compiled   string     `json:"compiled,omitempty"`
	Code       string     `json:"code,omitempty"`
	EID        bool       `json:"eid,omitempty"`
	SoldIn     string     `json:"sold_in,omitempty"`
	Candidates []string   `json:"candidates,omitempty"`
	Verdicts   []answered `json:"verdicts,omitempty"`
}

// Run prints a verdict a plan. It ends with 1 where the phone is not known, or
// could be several.
func (c *deviceCheckCmd) Run(ctx context.Context, s std) error {
	q, err := device.ParseQuery(c.Phone)
	if err != nil {
		return err
	}
	if c.SoldIn, err = country(c.SoldIn); err != nil {
		return err
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	out, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) (asked, error) {
		cat, list, err := knownDevices(ctx, tx)
		if err != nil {
			return asked{}, err
		}
		found, err := list.Resolve(ctx, tx, q)
		if err != nil {
			return asked{}, err
		}
		return c.answer(cat, list, found)
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		err = e.Encode(out)
	} else {
		err = out.print(s)
	}
	if err == nil && len(out.Verdicts) == 0 {
		return quietExit(1)
	}
	return err
}

// country reads a code of two letters. What is none would be taken for a country that
// no version is made for, and be given the answer of another version.
func country(s string) (string, error) {
	s = strings.ToUpper(s)
	region, err := language.ParseRegion(s)
	if s != "" && (err != nil || !region.IsCountry() || region.String() != s) {
		return "", fault.New(fault.Invalid, "There is no country %q. --sold-in takes two letters, such as JP, CN, HK or US.", s)
	}
	return s, nil
}

// knownDevices is what a verdict is made from.
func knownDevices(ctx context.Context, tx db.Tx) (*catalogue.Catalogue, *device.List, error) {
	cat, err := catalogue.Current(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	list, err := (&device.Shelf{}).Current(ctx, tx)
	return cat, list, err
}

func (c *deviceCheckCmd) answer(cat *catalogue.Catalogue, list *device.List, found device.Found) (asked, error) {
	phone := found.Phone.In(c.SoldIn)
	out := asked{Phone: phone.Called(), EID: phone.EID, SoldIn: phone.SoldIn}
	if phone.Exact {
		out.Code = phone.Possible[0].Code
	}
	if phone.Model != nil {
		out.Evidence, out.Compiled = phone.Model.Source, device.Compiled
	}
	for _, m := range found.Candidates {
		out.Candidates = append(out.Candidates, m.FullName())
	}
	if phone.Model == nil && !phone.EID {
		return out, nil
	}
	for _, plan := range cat.Plans {
		if c.Plan != "" && plan.ID != c.Plan || c.Plan == "" && !plan.OnSale {
			continue
		}
		network, _ := cat.Network(plan.Network)
		out.Verdicts = append(out.Verdicts, answeredBy(plan, network, list.Judge(phone, cat, plan)))
	}
	if len(out.Verdicts) == 0 {
		return out, fault.New(fault.NotFound, "There is no such plan on sale.")
	}
	return out, nil
}

func answeredBy(plan catalogue.Plan, network catalogue.Network, v device.Verdict) answered {
	a := answered{
		Plan: plan.ID, Network: network.ID, Answer: v.Answer, ESIM: v.ESIM, Form: v.Form, FiveG: v.FiveG, Why: v.Why, Says: v.In(locale.En, network).Lead,
		network: network, verdict: v,
	}
	for _, area := range v.Areas {
		a.Areas = append(a.Areas, answeredArea{area.Kind, area.Level, area.Missing})
	}
	for _, u := range v.Unless {
		a.Unless = append(a.Unless, answeredUnless(u))
	}
	return a
}

// print is for people: what it is, then a line a plan with its reasons below.
func (out asked) print(s std) error {
	switch {
	case len(out.Candidates) > 0:
		fmt.Fprintln(s.err, "It could be one of these:")
		_, err := fmt.Fprintln(s.out, strings.Join(out.Candidates, "\n"))
		return err
	case out.EID:
		fmt.Fprintln(s.err, "A phone with an EID: it has an eSIM. Which model it is, an EID does not say.")
	case len(out.Verdicts) == 0:
		_, err := fmt.Fprintln(s.err, "This phone is not in the list. Dial *#06# on it: if an EID appears, it has an eSIM.")
		return err
	default:
		fmt.Fprintln(s.err, strings.TrimSpace(out.Phone+" "+out.Code))
	}
	said := map[string]bool{}
	for _, a := range out.Verdicts {
		w := a.verdict.In(locale.En, a.network)
		fmt.Fprintf(s.out, "%s\t%s\t%s\n", a.Plan, a.Network, w.Answer)
		lines := append([]string{w.Lead, w.Why}, w.Unless...)
		for _, area := range w.Areas {
			if area.Missing != "" {
				lines = append(lines, area.Kind+": "+area.Level+", "+area.Missing+".")
			}
		}
		for _, line := range lines {
			if line != "" && !said[a.Network+line] { // once a network is enough
				said[a.Network+line] = true
				fmt.Fprintln(s.out, "  "+line)
			}
		}
	}
	return nil
}

type deviceListCmd struct {
	database
	Plan string `required:"" help:"The plan." placeholder:"ID"`
}

// Run prints a line a model: its name, the answer, and the exceptions for which
// it is another one.
func (c *deviceListCmd) Run(ctx context.Context, s std) error {
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	lines, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) ([]string, error) {
		cat, list, err := knownDevices(ctx, tx)
		if err != nil {
			return nil, err
		}
		plan, ok := cat.Plan(c.Plan)
		if !ok {
			return nil, fault.New(fault.NotFound, "There is no plan %q.", c.Plan)
		}
		var out []string
		for _, m := range list.Models {
			v := list.Judge(list.Phone(m), cat, plan)
			unless := make([]string, len(v.Unless))
			for i, u := range v.Unless {
				unless[i] = fmt.Sprintf("%s: %s", u.Exception, u.Answer)
			}
			out = append(out, strings.TrimRight(fmt.Sprintf("%s\t%s\t%s", m.FullName(), v.Answer, strings.Join(unless, ", ")), "\t"))
		}
		return out, nil
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, strings.Join(lines, "\n"))
	return err
}

type deviceImportCmd struct {
	database
	Osmocom string `xor:"table" required:"" help:"The Osmocom TAC database as CSV (CC BY-SA: name it where you show it)." placeholder:"FILE"`
	Samsung string `xor:"table" required:"" help:"A CSV of TACs and Samsung's codes: tac, model_codes." placeholder:"FILE"`
	Own     string `xor:"table" required:"" help:"Your own list as CSV: brand, model, code, aka, sold_in, esim, lock, bands, source." placeholder:"FILE"`
	By      string `help:"Who imports; by default the user's name." placeholder:"NAME"`
}

// shownSkipped is how many skipped rows are named.
const shownSkipped = 10

// Run prints how many rows are in force.
func (c *deviceImportCmd) Run(ctx context.Context, s std) error {
	by := c.By
	if u, err := user.Current(); by == "" && err == nil {
		by = u.Username
	}
	load, rows, skipped, err := c.read()
	if err != nil {
		return err
	}
	for i, row := range skipped {
		if i == shownSkipped {
			fmt.Fprintf(s.err, "and %d more rows were skipped\n", len(skipped)-shownSkipped)
			break
		}
		fmt.Fprintln(s.err, "skipped:", row)
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	changed, err := db.Written(ctx, base, func(ctx context.Context, tx db.Tx) (bool, error) { return load(ctx, tx, by) })
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	if !changed {
		fmt.Fprintln(s.err, "nothing changed")
	}
	_, err = fmt.Fprintln(s.out, rows)
	return err
}

// read reads the file that is named, and returns what stores it.
func (c *deviceImportCmd) read() (load func(context.Context, db.Tx, string) (bool, error), rows int, skipped []device.Skipped, err error) {
	if c.Own != "" {
		in, err := os.Open(c.Own)
		if err != nil {
			return nil, 0, nil, err
		}
		defer in.Close() //nolint:errcheck // a read
		own, err := device.ReadOwn(in)
		return func(ctx context.Context, tx db.Tx, by string) (bool, error) {
			return device.ImportOwn(ctx, tx, own, by)
		}, len(own), nil, err
	}
	name, source, read := c.Samsung, device.Samsung, device.ReadSamsung
	if c.Osmocom != "" {
		name, source, read = c.Osmocom, device.Osmocom, device.ReadOsmocom
	}
	tacs, skipped, err := readTable(name, read)
	return func(ctx context.Context, tx db.Tx, by string) (bool, error) {
		return device.ImportTACs(ctx, tx, source, tacs, by)
	}, len(tacs), skipped, err
}

func readTable(name string, read func(io.Reader) ([]device.TAC, []device.Skipped, error)) ([]device.TAC, []device.Skipped, error) {
	in, err := os.Open(name) //nolint:gosec // the engineer chooses the file
	if err != nil {
		return nil, nil, err
	}
	defer in.Close() //nolint:errcheck // a read
	return read(in)
}
