package cmi

import (
	"context"
	"encoding/json"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// offer is a package of the catalogue. How much data it holds stands in its
// description only.
type offer struct {
	ID         text     `json:"id"`
	Name       dialects `json:"name"`
	Status     text     `json:"status"`     // 1: on sale
	Type       text     `json:"type"`       // 1: an amount in all; 2: a day
	PeriodType text     `json:"periodType"` // 0: 24 hours; 1: days; 2: months; 3: years
	Period     quantity `json:"period"`
	Prices     []price  `json:"priceInfo"`
	Refuels    []refuel `json:"refuelingPackage"`
}

// price is in hundredths.
type price struct {
	Currency text     `json:"currencyCode"`
	Price    quantity `json:"price"`
}

// refuel is a pack of more data for one package.
type refuel struct {
	ID      text     `json:"refuelingID"`
	Name    text     `json:"nameEN"`
	Value   quantity `json:"flowValue"`
	Unit    text     `json:"flowUnit"` // 1: MB; 2: GB
	HKD     quantity `json:"hkd"`      // hundredths
	USD     quantity `json:"usd"`
	CNY     quantity `json:"cny"`
	Ordered text     `json:"isOrderingAllowed"` // 2: no
}

// bytes is what a pack holds, 0 where it does not say.
func (r refuel) bytes() int64 {
	if r.Value.n > 1<<30 {
		return 0
	}
	if r.Unit == "1" {
		return r.Value.n << 20
	}
	if r.Unit == "2" {
		return r.Value.n << 30
	}
	return 0
}

func (r refuel) price(currency string) quantity {
	return map[string]quantity{"HKD": r.HKD, "USD": r.USD, "CNY": r.CNY}[currency]
}

// iso are the currencies as numbers, which is how some answers have them.
var iso = map[text]text{"840": "USD", "344": "HKD", "156": "CNY"}

func (o offer) price(currency string) quantity {
	for _, p := range o.Prices {
		if string(p.Currency) == currency || string(iso[p.Currency]) == currency {
			return p.Price
		}
	}
	return quantity{}
}

// days is a package's length where it is one of days.
func (o offer) days() int {
	if (o.PeriodType == "0" || o.PeriodType == "1") && o.Period.n <= 3660 {
		return int(o.Period.n)
	}
	return 0
}

// Paging of the catalogue.
const (
	offersPage = 50
	offersMost = 100 // pages
)

// Packages implements [carrier.Carrier]: the catalogue of the contract, in pages, of
// what has a price in its currency, with the packs for each package. Which of them a
// certain card takes the operator says when it is ordered.
func (a *Adapter) Packages(ctx context.Context, p carrier.Profile) ([]carrier.Package, error) {
	if p != (carrier.Profile{}) {
		if _, err := named(p); err != nil {
			return nil, err
		}
	}
	asOf := a.now().UTC()
	all, err := a.offers(ctx, "")
	if err != nil {
		return nil, err
	}
	var out []carrier.Package
	packs := map[text]bool{}
	for _, o := range all {
		if price := o.price(a.config.Currency); price.given && (o.Status == "1" || o.Status == "") {
			out = append(out, carrier.Package{
				Code: string(o.ID), Name: carrier.Clip(string(o.Name)), Cost: a.cost(price), Days: o.days(), TopUp: true, AsOfDate: asOf,
			})
		}
		for _, r := range o.Refuels {
			price := r.price(a.config.Currency)
			if packs[r.ID] || r.Ordered == "2" || !price.given || r.bytes() == 0 || !short(string(r.ID), packageMax-len(refuelPrefix), "_-") {
				continue
			}
			packs[r.ID] = true
			out = append(out, carrier.Package{
				Code: refuelPrefix + string(r.ID), Name: carrier.Clip(string(r.Name)), Cost: a.cost(price), Bytes: r.bytes(),
				PerDay: o.Type == "2", TopUp: true, AsOfDate: asOf,
			})
		}
	}
	return out, nil
}

func (a *Adapter) cost(q quantity) carrier.Cost {
	return carrier.Cost{Units: q.n, Scale: 100, Currency: a.config.Currency}
}

// offers reads the catalogue, or one package of it. A row that cannot be read is left
// out: it can then not be ordered, which is safe. When none can be read, that is no
// answer.
func (a *Adapter) offers(ctx context.Context, bundle string) ([]offer, error) {
	const what = "app_getDataBundle_SBO"
	var list []offer
	seen := map[text]bool{}
	for page := range offersMost {
		q := map[string]any{"language": "en", "status": 1, "beginIndex": page * offersPage, "count": offersPage, "cooperationMode": "2"}
		if a.config.Resale {
			q["cooperationMode"] = "1"
		}
		if bundle != "" {
			q["dataBundleId"] = bundle
		}
		var got struct {
			List []json.RawMessage `json:"dataBundles"`
		}
		if err := a.ask(ctx, reads, what, q, &got); err != nil {
			return nil, err
		}
		readable, fresh := 0, 0
		for _, row := range got.List {
			var o offer
			if json.Unmarshal(row, &o) != nil || !short(string(o.ID), packageMax, "_-") {
				continue
			}
			readable++
			if !seen[o.ID] {
				seen[o.ID] = true
				list = append(list, o)
				fresh++
			}
		}
		if readable == 0 && len(got.List) > 0 {
			return nil, reads.silence("%s: none of %d rows can be read", what, len(got.List))
		}
		if len(got.List) < offersPage || fresh == 0 {
			return list, nil
		}
	}
	return nil, reads.silence("%s: more than %d", what, offersMost*offersPage)
}

// sizeOf is what a pack for a package holds, 0 when the catalogue does not say.
func (a *Adapter) sizeOf(ctx context.Context, bundle, pack string) (int64, error) {
	all, err := a.offers(ctx, bundle)
	if err != nil {
		return 0, err
	}
	for _, o := range all {
		for _, r := range o.Refuels {
			if string(r.ID) == pack {
				return r.bytes(), nil
			}
		}
	}
	return 0, nil
}
