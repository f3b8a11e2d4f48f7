package catalogue

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/money"
)

// Reading what was written gives the same catalogue: no field is forgotten.
func TestReadReadsEveryField(t *testing.T) {
	want := Demo()
	got, err := Read("written", fileOf(t, want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type block = map[string]any

// fileOf writes a catalogue as a file.
func fileOf(t interface{ Fatal(...any) }, c *Catalogue) []byte {
	s := c.Seller
	file := block{
		"seller": with(block{
			"name": s.Name, "contact": s.Contact, "zone": s.Zone, "address": s.Address, "base_currency": s.BaseCurrency,
			"taxes":  each(s.Taxes, taxBlock),
			"points": block{"earn_per": pointsBlock(s.Points.EarnPer), "worth": pointsBlock(s.Points.Worth), "most_percent": s.Points.MostPercent},
			"exchange": block{
				"to": s.Exchange.To, "margin_percent": percentOf(s.Exchange.Margin.Percent, s.Exchange.Margin.Scale),
				"round_to": pointsBlock(s.Exchange.RoundTo), "max_days": s.Exchange.MaxDays,
			},
			"least_margin_percent": percentOf(s.LeastMargin.Percent, s.LeastMargin.Scale),
		}, "invoice_number", s.InvoiceNumber),
		"operators": each(c.Operators, func(o Operator) block {
			gb := map[int64]string{binaryGB: "binary", decimalGB: "decimal"}[o.GB]
			return block{"id": o.ID, "name": o.Name, "carrier": o.Carrier, "zone": o.Zone, "gb": gb}
		}),
		"networks": each(c.Networks, func(n Network) block {
			out := block{"id": n.ID, "name": n.Name, "plmns": n.PLMNs, "bands": n.Bands}
			if l := n.Layers; l.Main != nil {
				layers := block{"main": l.Main, "reach": l.Reach}
				for key, list := range map[string][]string{"reach_more": l.ReachMore, "city": l.City, "five_g": l.FiveG} {
					if list != nil {
						layers[key] = list
					}
				}
				out["layers"] = layers
			}
			return out
		}),
		"plans": each(c.Plans, func(p Plan) block {
			o, _ := c.Operator(p.Operator)
			return planBlock(p, o.GB)
		}),
		"roaming": each(c.Roaming, func(r Roaming) block {
			out := block{
				"home": r.Home, "country": r.Country, "per_day": prices([]money.Money{r.PerDay}), "as_of": r.AsOf,
				"source": r.Source, "confidence": r.Confidence,
			}
			if len(r.Names) > 0 {
				out["names"] = r.Names
			}
			return out
		}),
	}
	data, err := json.Marshal(file) // which is YAML, and faster
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func planBlock(p Plan, gb int64) block {
	f, a := p.Facts, p.Activation
	b := block{
		"id": p.ID, "operator": p.Operator, "network": p.Network, "name": p.Name, "kind": p.Kind, "reset": p.Reset,
		"facts": block{
			"tethering": f.Tethering, "phone_number": f.PhoneNumber, "sms": f.SMS, "five_g": f.FiveG,
			"address_in": f.AddressIn, "reinstall": f.Reinstall, "esim": f.ESIM, "physical_sim": f.PhysicalSIM,
		},
		"activation": with(block{"start": a.Start, "by_itself": a.ByItself}, "deadline", length(a.Deadline)),
		"terms": each(p.Terms, func(t Term) block {
			b := block{"id": t.ID, "length": t.Length.String(), "to_day_end": t.ToDayEnd, "package": t.Package, "prices": prices(t.Prices)}
			b = with(withCost(withCost(b, "cost", t.Cost), "new_cost", t.NewCost), "new_package", t.NewPackage)
			return with(with(b, "volume", megabytes(t.Volume, gb)), "package_days", t.PackageDays)
		}),
		"packs": each(p.Packs, func(k Pack) block {
			b := block{"id": k.ID, "full_speed": k.FullSpeed, "until": k.Until, "each_day": k.EachDay, "package": k.Package, "prices": prices(k.Prices)}
			return with(withCost(b, "cost", k.Cost), "volume", megabytes(k.Volume, gb))
		}),
		"policy": policyBlock(p.Policy), "tax_class": p.TaxClass, "on_sale": p.OnSale, "rules_date": p.RulesDate,
		"rules_source": p.RulesSource, "roaming_advice": p.RoamingAdvice,
	}
	if len(p.Sources) > 0 {
		b["sources"] = each(p.Sources, sourceBlock)
	}
	b = with(b, "cap", megabytes(p.DailyCap, gb))
	b = with(b, "throttle_kbps", p.ThrottleKbps)
	return with(b, "reset_zone", p.ResetZone)
}

func sourceBlock(s Source) block {
	b := block{"operator": s.Operator, "terms": each(s.Terms, func(t Supply) block {
		b := withCost(withCost(block{"id": t.ID, "package": t.Package}, "cost", t.Cost), "new_cost", t.NewCost)
		return with(with(b, "new_package", t.NewPackage), "package_days", t.PackageDays)
	})}
	if len(s.Packs) > 0 {
		b["packs"] = each(s.Packs, func(k Supply) block { return withCost(block{"id": k.ID, "package": k.Package}, "cost", k.Cost) })
	}
	return b
}

func policyBlock(p Policy) block {
	b := block{"renewable": p.Renewable, "refund": p.Refund, "identity": p.Identity}
	b = with(b, "identity_kept", length(p.IdentityKept))
	b = with(b, "identity_from", p.IdentityFrom)
	b = with(b, "opens", length(p.Opens))
	b = with(b, "closes", length(p.Closes))
	b = with(b, "grace", length(p.Grace))
	b = with(b, "terminal_after_end", p.TerminalAfterEnd)
	b = with(b, "effect", p.Effect)
	b = with(b, "effect_ended", p.EffectEnded)
	b = with(b, "effect_empty", p.EffectEmpty)
	b = with(b, "data", p.Data)
	for key, list := range map[string]any{
		"needs": p.Needs, "currencies": p.Currencies, "tools": p.Tools, "change_to": p.ChangeTo, "pack_needs": p.PackNeeds,
	} {
		if fmt.Sprint(list) != "[]" {
			b[key] = list
		}
	}
	if len(p.MinimumSpend) > 0 {
		b["minimum_spend"] = prices(p.MinimumSpend)
	}
	if stack := with(with(block{}, "periods", p.Stack.Periods), "ahead", length(p.Stack.Ahead)); len(stack) > 0 {
		b["stack"] = stack
	}
	return b
}

// with adds a value that is not zero.
func with[T comparable](b block, key string, value T) block {
	var zero T
	if value != zero {
		b[key] = value
	}
	return b
}

func withCost(b block, key string, m money.Money) block {
	if m.IsZero() {
		return b
	}
	b[key] = block{string(m.Currency): m.Decimal()}
	return b
}

func each[T any](list []T, one func(T) block) []block {
	out := []block{}
	for _, v := range list {
		out = append(out, one(v))
	}
	return out
}

func taxBlock(t TaxClass) block {
	return block{"id": t.ID, "percent": percentOf(t.Percent, t.Scale), "reduced": t.Reduced}
}

func pointsBlock(list map[money.Currency]int64) block {
	b := block{}
	for c, minor := range list {
		b[string(c)] = money.Of(minor, c).Decimal()
	}
	return b
}

func prices(list []money.Money) block {
	b := block{}
	for _, m := range list {
		b[string(m.Currency)] = m.Decimal()
	}
	return b
}

func megabytes(bytes, gb int64) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprintf("%d MB", bytes/megabyte(gb))
}

func length(l calendar.Length) string { return lengthOrNone(l) }
