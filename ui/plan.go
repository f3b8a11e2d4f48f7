package ui

import (
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Length is "30 days", "1 month".
func (v Voice) Length(l calendar.Length) string {
	return v.Say("length."+string(l.Unit), locale.Args{"n": l.N})
}

// ItemName names a term or pack of a plan: "30 days", "5 GB, 21 days", "500 MB
// more". An item that the catalogue no longer has is named by its key.
func (v Voice) ItemName(c *catalogue.Catalogue, item renewal.Item) string {
	plan, ok := c.Plan(item.Plan)
	if !ok {
		return item.ID
	}
	gb := gbOf(c, plan)
	if item.Kind == renewal.Pack {
		k, ok := plan.Pack(item.ID)
		if !ok {
			return item.ID
		}
		return v.packName(lasting(k.Until, k.EachDay), k.Volume, gb)
	}
	t, ok := plan.Term(item.ID)
	if !ok {
		return item.ID
	}
	return v.termName(t.Length, t.Volume, gb)
}

func (v Voice) termName(l calendar.Length, volume, gb int64) string {
	if volume == 0 {
		return v.Length(l)
	}
	return v.Say("term.volume", locale.Args{"volume": v.volume(volume, gb), "length": v.Length(l)})
}

// packName is the name of a pack, which without a volume is full speed.
func (v Voice) packName(lasting string, volume, gb int64) string {
	if volume == 0 {
		return v.T("pack.speed." + lasting)
	}
	return v.Say("pack.volume."+lasting, locale.Args{"volume": v.volume(volume, gb)})
}

// Billed names what a document is about: the plan by the name that it had then, and
// the term or pack.
func (v Voice) Billed(c billing.Content) string {
	plan := catalogue.NameIn(c.Names, v.Lang)
	switch s := c.Sold; {
	case plan == "" || s == nil:
		return c.What
	case s.Until != "":
		return plan + v.T("list.comma") + v.packName(lasting(s.Until, s.EachDay), s.Volume, cleanGB(s.GB))
	default:
		return plan + v.T("list.comma") + v.termName(calendar.Length{N: s.N, Unit: s.Unit}, s.Volume, cleanGB(s.GB))
	}
}

// lasting is how the names of packs say how long one lasts. A pack for each day
// lasts to the end of the period, whatever one of its days does.
func lasting(until catalogue.Until, eachDay bool) string {
	if eachDay {
		return "each_day"
	}
	return string(until)
}

// PlanName is the plan's name, or its key when the catalogue no longer has it.
func (v Voice) PlanName(c *catalogue.Catalogue, id string) string {
	if p, ok := c.Plan(id); ok {
		return p.NameIn(v.Lang)
	}
	return id
}

// gbOf is what the plan's operator calls a GB.
func gbOf(c *catalogue.Catalogue, p catalogue.Plan) int64 {
	o, _ := c.Operator(p.Operator)
	return cleanGB(o.GB)
}

// cleanGB is gb, or the decimal one for an operator that the catalogue lacks:
// package locale knows no others.
func cleanGB(gb int64) int64 {
	if gb == 1<<30 {
		return gb
	}
	return 1e9
}

// volume is an exact amount of data: in GB where one decimal suffices, else in
// MB.
func (v Voice) volume(bytes, gb int64) string {
	if bytes < gb || bytes*10%gb == 0 {
		return locale.Data(v.Lang, bytes, gb)
	}
	mb := int64(1e6)
	if gb == 1<<30 {
		mb = 1 << 20
	}
	return v.Number(bytes/mb) + " MB"
}
