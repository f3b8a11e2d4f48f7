package esimgo

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// offer is a bundle of the catalogue.
type offer struct {
	Name        text     `json:"name"`
	Description text     `json:"description"`
	Megabytes   quantity `json:"dataAmount"` // of a million bytes
	Days        quantity `json:"duration"`
	Unlimited   bool     `json:"unlimited"`
	Price       amount   `json:"price"`
}

// megabyte is the operator's, whose gigabyte has a thousand of them.
const megabyte = 1_000_000

// complete reports whether a row says all that an order depends on.
func (o offer) complete() bool {
	amount := o.Megabytes.given && o.Megabytes.n >= 0 && o.Megabytes.n <= 1<<33
	return o.Name != "" && len(o.Name) <= bundleMax && o.Price.given && o.Price.parts >= 0 &&
		o.Days.given && o.Days.n >= 0 && o.Days.n <= 3660 && (amount || o.Unlimited)
}

// Paging of the catalogue.
const (
	bundlesPage = 200
	bundlesMost = 60 // pages
)

// Packages implements [carrier.Carrier]: the whole catalogue, in pages, and one
// request for the currency of its prices. Every bundle can be put on an eSIM that
// exists as well as on a new one; which of them fit a certain eSIM the operator says
// of one at a time, so that it is asked before an order and not here.
func (a *Adapter) Packages(ctx context.Context, p carrier.Profile) ([]carrier.Package, error) {
	const what = "catalogue"
	if p != (carrier.Profile{}) {
		if _, err := named(p); err != nil {
			return nil, err
		}
	}
	money, err := a.Balance(ctx)
	if err != nil {
		return nil, err
	}
	var out []carrier.Package
	seen := map[text]bool{}
	for page := 1; page <= bundlesMost; page++ {
		asOf := a.now().UTC()
		query := url.Values{"page": {strconv.Itoa(page)}, "perPage": {strconv.Itoa(bundlesPage)}}
		var answer json.RawMessage
		if err := a.ask(ctx, question{effect: reads, what: what, path: what + "?" + query.Encode()}, &answer); err != nil {
			return nil, err
		}
		list, pages, rows, err := readOffers(answer)
		if err != nil {
			return nil, reads.silence("%s: %s", what, a.quote(err.Error()))
		}
		if rows > 0 && len(list) == 0 {
			return nil, reads.silence("%s: none of %d rows can be read", what, rows)
		}
		fresh := false
		for _, o := range list {
			if !seen[o.Name] {
				seen[o.Name], fresh = true, true
				out = append(out, o.as(carrier.Package{TopUp: true, New: true, AsOfDate: asOf}, money.Currency))
			}
		}
		if !fresh || page >= pages && pages > 0 || pages == 0 && rows < bundlesPage {
			return out, nil
		}
	}
	return nil, reads.silence("%s: more than %d pages", what, bundlesMost)
}

// readOffers reads a page of the catalogue, bare or within an object. A row that
// cannot be read is left out: it can then not be ordered, which is safe.
func readOffers(b json.RawMessage) (list []offer, pages, rows int, err error) {
	var in struct {
		Bundles []json.RawMessage `json:"bundles"`
		Pages   quantity          `json:"pageCount"`
	}
	if len(b) > 0 && b[0] == '[' {
		err = json.Unmarshal(b, &in.Bundles)
	} else {
		err = json.Unmarshal(b, &in)
	}
	if err != nil {
		return nil, 0, 0, err
	}
	for _, row := range in.Bundles {
		var o offer
		if json.Unmarshal(row, &o) == nil && o.complete() {
			list = append(list, o)
		}
	}
	return list, int(max(0, min(in.Pages.n, bundlesMost+1))), len(in.Bundles), nil
}

// as fills in a package.
func (o offer) as(p carrier.Package, currency string) carrier.Package {
	p.Code, p.Name, p.Days = string(o.Name), carrier.Clip(string(o.Description)), int(o.Days.n)
	p.Cost = carrier.Cost{Units: o.Price.parts, Scale: priceScale, Currency: currency}
	if !o.Unlimited {
		p.Bytes = o.Megabytes.n * megabyte
	}
	return p
}
