package esimaccess

import (
	"context"
	"encoding/json"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// priceScale: 10000 units are one US dollar.
const priceScale = 10000

// packageQuestion is the question of /package/list. Empty members do not
// restrict the answer.
type packageQuestion struct {
	Type  string `json:"type"` // BASE for new eSIMs, TOPUP for existing ones
	ICCID string `json:"iccid,omitempty"`
}

// packageRow is one package of the answer.
type packageRow struct {
	Code     text  `json:"packageCode"`
	Slug     text  `json:"slug"`
	Name     text  `json:"name"`
	Price    whole `json:"price"`
	Currency text  `json:"currencyCode"`
	Volume   whole `json:"volume"`
	Duration whole `json:"duration"`
	Unit     text  `json:"durationUnit"`
	DataType text  `json:"dataType"`
	Extends  text  `json:"supportTopUpType"` // 1: none; 2: yes; 3: yes, with a number of days
}

// complete reports whether a row says all that an order depends on. The unit
// has only ever been the day; another one would be misread.
func (p packageRow) complete() bool {
	return p.Code != "" && p.Price.given && p.Currency != "" && p.Duration.given && p.Duration.n <= 10*daysMax &&
		(p.Unit == "DAY" || p.Unit == "")
}

// Packages implements [carrier.Carrier]. The operator takes only an ICCID to
// ask what fits a line, so a profile without one costs a further query. With
// an empty profile the answer has thousands of rows; it is not for every day.
//
// Bytes of a package that cuts off after a daily amount are those of one day.
func (a *Adapter) Packages(ctx context.Context, p carrier.Profile) ([]carrier.Package, error) {
	if p == (carrier.Profile{}) {
		base, err := a.packages(ctx, packageQuestion{Type: "BASE"})
		if err != nil {
			return nil, err
		}
		more, err := a.packages(ctx, packageQuestion{Type: "TOPUP"})
		if err != nil {
			return nil, err
		}
		return append(base, more...), nil
	}
	if p.ICCID == "" {
		l, err := a.query(ctx, p)
		if err != nil {
			return nil, err
		}
		p.ICCID = string(l.ICCID)
	}
	card := cardNumber(p.ICCID)
	if card == "" { // without one the answer would be everything
		return nil, &carrier.Refusal{Reason: carrier.LineUnknown, Text: "the line has no ICCID"}
	}
	return a.packages(ctx, packageQuestion{Type: "TOPUP", ICCID: card})
}

func (a *Adapter) packages(ctx context.Context, q packageQuestion) ([]carrier.Package, error) {
	asOf := a.now().UTC()
	list, err := a.list(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]carrier.Package, len(list))
	for i, p := range list {
		out[i] = carrier.Package{
			Code:     string(p.Code),
			Alias:    string(p.Slug),
			Name:     carrier.Clip(string(p.Name)),
			Cost:     carrier.Cost{Units: p.Price.n, Scale: priceScale, Currency: string(p.Currency)},
			Days:     int(p.Duration.n),
			PerDay:   p.Extends == "3",
			TopUp:    q.Type == "TOPUP",
			New:      q.Type == "BASE",
			AsOfDate: asOf,
		}
		if !unlimited(string(p.DataType)) {
			out[i].Bytes = p.Volume.n
		}
	}
	return out, nil
}

// list asks for packages. A row that cannot be read is left out: it can then
// not be ordered, which is safe, and the other thousands can. When none can be
// read, that is no answer.
func (a *Adapter) list(ctx context.Context, q packageQuestion) ([]packageRow, error) {
	const path = "/package/list"
	var obj json.RawMessage
	if err := a.call(ctx, reads, path, q, &obj); err != nil {
		return nil, err
	}
	raw, err := rows(obj, "packageList")
	if err != nil {
		return nil, reads.silence("%s: %s", path, a.quote(err.Error()))
	}
	list := make([]packageRow, 0, len(raw))
	for _, r := range raw {
		var p packageRow
		if json.Unmarshal(r, &p) == nil && p.complete() {
			list = append(list, p)
		}
	}
	if len(list) == 0 && len(raw) > 0 {
		return nil, reads.silence("%s: none of %d rows can be read", path, len(raw))
	}
	return list, nil
}
