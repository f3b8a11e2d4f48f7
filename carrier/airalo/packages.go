package airalo

import (
	"bytes"
	"context"
	"encoding/json"
	"math/bits"
	"net/url"
	"strconv"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// offer is a package that the operator sells, in the list of a SIM and in the
// list of everything.
type offer struct {
	ID        text      `json:"id"`
	Type      text      `json:"type"` // "sim" comes with a new SIM; "topup" goes on one that is there
	Title     text      `json:"title"`
	Price     amount    `json:"price"`     // what travellers are asked at the operator's own site
	NetPrice  amount    `json:"net_price"` // what the seller is charged, but for a discount; older answers lack it
	Amount    megabytes `json:"amount"`
	Day       days      `json:"day"`
	Unlimited flag      `json:"is_unlimited"`

	cost amount // what the seller is charged
}

// pricing is by which rule the seller is charged: net prices, or the travellers'
// with a discount. Lists without it are older than the second rule.
type pricing struct {
	Discount amount `json:"discount_percentage"`
}

// charged is what the seller is charged, in US dollars as all prices are, to the
// last fraction; how a discounted price is rounded is not documented.
func (o offer) charged(by pricing) amount {
	const all = 100 * priceScale // percent
	switch d := by.Discount; {
	case o.NetPrice.given:
		return o.NetPrice
	case !d.given || !o.Price.given || d.parts < 0 || d.parts > all || o.Price.parts < 0:
		return o.Price
	default:
		high, low := bits.Mul64(uint64(o.Price.parts), uint64(all-d.parts)) // neither is negative
		share, _ := bits.Div64(high, low, all)
		return amount{int64(share), true}
	}
}

// complete reports whether a row says all that an order depends on.
func (o offer) complete() bool {
	return o.ID != "" && len(o.ID) <= packageMax && o.cost.given && o.cost.parts >= 0 && o.Day.given && (o.Amount.given || bool(o.Unlimited))
}

// Packages implements [carrier.Carrier]. Of a SIM, it is what the operator lists
// for it; nothing, where it cannot be fed. With an empty profile it is
// everything, in some ten requests of megabytes; it is not for every day.
func (a *Adapter) Packages(ctx context.Context, p carrier.Profile) ([]carrier.Package, error) {
	if p == (carrier.Profile{}) {
		return a.everything(ctx)
	}
	card := cardNumber(p.ICCID)
	if card == "" {
		return nil, unnamed()
	}
	asOf := a.now().UTC()
	list, err := a.offers(ctx, card)
	if err != nil {
		return nil, err
	}
	out := make([]carrier.Package, len(list))
	for i, o := range list {
		out[i] = o.as(carrier.Package{TopUp: true, AsOfDate: asOf})
	}
	return out, nil
}

// as fills in a package.
func (o offer) as(p carrier.Package) carrier.Package {
	p.Code, p.Name, p.Days = string(o.ID), carrier.Clip(string(o.Title)), o.Day.n
	p.Cost = carrier.Cost{Units: o.cost.parts, Scale: priceScale, Currency: "USD"}
	if !o.Unlimited {
		p.Bytes = o.Amount.bytes()
	}
	return p
}

// offers is what a SIM can be fed with.
func (a *Adapter) offers(ctx context.Context, card string) ([]offer, error) {
	const what = "sims/…/topups"
	var answer struct {
		Pricing loose[pricing]  `json:"pricing"`
		Data    json.RawMessage `json:"data"`
	}
	if err := a.ask(ctx, question{effect: reads, what: what, path: "sims/" + card + "/topups"}, &answer); err != nil {
		return nil, err
	}
	return a.readOffers(what, answer.Pricing.in, answer.Data)
}

// readOffers reads a list of packages. A row that cannot be read is left out: it
// can then not be ordered, which is safe, and the others can. When none can be
// read, that is no answer.
func (a *Adapter) readOffers(what string, by pricing, data json.RawMessage) ([]offer, error) {
	raw, err := rows(data)
	if err != nil {
		return nil, reads.silence("%s: %s", what, a.quote(err.Error()))
	}
	list := make([]offer, 0, len(raw))
	for _, row := range raw {
		var o offer
		if json.Unmarshal(row, &o) != nil {
			continue
		}
		if o.cost = o.charged(by); o.complete() {
			list = append(list, o)
		}
	}
	if len(list) == 0 && len(raw) > 0 {
		return nil, reads.silence("%s: none of %d rows can be read", what, len(raw))
	}
	return list, nil
}

const (
	placesAPage = 50
	pagesMax    = 40
)

// everything reads the list of all packages, which is by place and network. A
// package is listed at each of its places and is kept once.
func (a *Adapter) everything(ctx context.Context) ([]carrier.Package, error) {
	const what = "packages"
	var out []carrier.Package
	seen := map[text]bool{}
	for page := 1; page <= pagesMax; page++ {
		asOf := a.now().UTC()
		var answer struct {
			Pricing loose[pricing]  `json:"pricing"`
			Data    json.RawMessage `json:"data"`
			Meta    loose[struct {
				Last text `json:"last_page"`
			}] `json:"meta"`
		}
		query := url.Values{"include": {"topup"}, "limit": {strconv.Itoa(placesAPage)}, "page": {strconv.Itoa(page)}}
		q := question{effect: reads, what: what, path: "packages?" + query.Encode(), rule: packagesRule}
		if err := a.ask(ctx, q, &answer); err != nil {
			return nil, err
		}
		list, err := a.placed(what, answer.Pricing.in, answer.Data)
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			if !seen[o.ID] {
				seen[o.ID] = true
				out = append(out, o.as(carrier.Package{TopUp: o.Type == "topup", New: o.Type != "topup", AsOfDate: asOf}))
			}
		}
		if last, err := strconv.Atoi(string(answer.Meta.in.Last)); err != nil || page >= last {
			return out, nil
		}
	}
	return nil, reads.silence("%s: more than %d pages", what, pagesMax)
}

// placed reads the packages of all places of a page.
func (a *Adapter) placed(what string, by pricing, data json.RawMessage) ([]offer, error) {
	places, err := rows(data)
	if err != nil {
		return nil, reads.silence("%s: %s", what, a.quote(err.Error()))
	}
	var all []offer
	for _, place := range places {
		var p struct {
			Operators []struct {
				Packages json.RawMessage `json:"packages"`
			} `json:"operators"`
		}
		if err := json.Unmarshal(place, &p); err != nil {
			return nil, reads.silence("%s: %s", what, a.quote(err.Error()))
		}
		for _, network := range p.Operators {
			if len(bytes.TrimSpace(network.Packages)) == 0 {
				continue
			}
			list, err := a.readOffers(what, by, network.Packages)
			if err != nil {
				return nil, err
			}
			all = append(all, list...)
		}
	}
	return all, nil
}
