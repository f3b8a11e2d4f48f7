package esimaccesssim

import (
	"strings"
)

// Package is something in the operator's catalogue [1.3]. Zero values of the
// fields below Volume are replaced by the ones named.
type Package struct {
	Code   string // of a top-up it begins with TOPUP_
	Slug   string // e.g. JP_3_30; a top-up often shares it with its base package
	Name   string
	Price  int64 // USD × 10,000; of one day where sold by the day
	Volume int64 // bytes; of one day where sold by the day

	Duration         int    // days; 1
	DataType         int    // 1 total; sold by the day: 2 daily cap then slow, 3 daily cap then cut, 4 daily unlimited; 1
	Location         string // alpha-2, with commas; JP
	LocationCode     string // of a region e.g. AS-7, global GL-120; the Location
	SupportTopUpType int    // 1 no, 2 yes, 3 yes with periodNum; 3 by the day, else 2
	UnusedValidTime  int    // days an eSIM may wait for its installation; 180
	ActiveType       int    // plan starts at 1 installation, 2 first network; 2
	SMSStatus        int    // 0 none, 1 from phones and API, 2 API only
	FUPPolicy        string // e.g. "384 Kbps"
	Operator         string // one network; "Simulated"
}

// PerDay reports whether periodNum chooses the length.
func (p Package) PerDay() bool { return p.DataType != 1 }

func (p Package) isTopUp() bool { return strings.HasPrefix(p.Code, "TOPUP_") }

// pack is a package with its place in the catalogue.
type pack struct {
	Package
	withdrawn bool
}

// AddPackage puts p into the catalogue. A code may be added once; it panics
// otherwise.
func (s *Sim) AddPackage(p Package) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.Code == "" || s.find(p.Code) != nil {
		panic("esimaccesssim: package code is empty or taken: " + p.Code)
	}
	if p.Duration == 0 {
		p.Duration = 1
	}
	if p.DataType == 0 {
		p.DataType = 1
	}
	if p.Location == "" {
		p.Location = "JP"
	}
	if p.LocationCode == "" {
		p.LocationCode = p.Location
	}
	if p.SupportTopUpType == 0 {
		p.SupportTopUpType = 2
		if p.PerDay() {
			p.SupportTopUpType = 3
		}
	}
	if p.UnusedValidTime == 0 {
		p.UnusedValidTime = 180
	}
	if p.ActiveType == 0 {
		p.ActiveType = 2
	}
	if p.Operator == "" {
		p.Operator = "Simulated"
	}
	s.packages = append(s.packages, &pack{Package: p})
}

func (s *Sim) find(code string) *pack {
	for _, p := range s.packages {
		if p.Code == code {
			return p
		}
	}
	return nil
}

func (s *Sim) mustFind(code string) *pack {
	p := s.find(code)
	if p == nil {
		panic("esimaccesssim: no package " + code)
	}
	return p
}

// fits reports whether top can be put on a line that was sold as base: country
// with the same country, region with the same region [1.4].
func fits(top, base Package) bool {
	return top.isTopUp() && base.SupportTopUpType >= 2 &&
		top.LocationCode == base.LocationCode && top.PerDay() == base.PerDay()
}

// listPackages serves package/list. A pager is ignored, as by the real one.
func (s *Sim) listPackages(p params) (any, *refusal) {
	values := map[string]string{}
	for _, name := range []string{"locationCode", "type", "packageCode", "slug", "iccid"} {
		v, no := p.optional(name)
		if no != nil {
			return nil, no
		}
		values[name] = v
	}
	location, kind, code, slug := values["locationCode"], values["type"], values["packageCode"], values["slug"]
	n, given, no := p.number("dataType")
	if no != nil || given && n != 1 && n != 2 {
		return nil, failed("000104", "dataType")
	}
	if kind != "" && kind != "BASE" && kind != "TOPUP" {
		return nil, failed("000107", "type")
	}
	top := kind == "TOPUP"
	var base *Package // what a top-up must fit; nil: anything
	if top {
		if base, no = s.baseOf(values["iccid"], code, slug); no != nil {
			return nil, no
		}
	}
	rows := []any{}
	for _, k := range s.packages {
		switch {
		case k.withdrawn, k.isTopUp() != top, !inLocation(k.Package, location):
		case given && k.PerDay() != (n == 2):
		case !top && code != "" && k.Code != code, !top && slug != "" && k.Slug != slug:
		case base != nil && !fits(k.Package, *base):
		default:
			rows = append(rows, packageRow(k.Package))
		}
	}
	return map[string]any{"packageList": rows}, nil
}

// baseOf finds what was sold, for a question about fitting top-ups; nil when
// the question names nothing.
func (s *Sim) baseOf(iccid, code, slug string) (*Package, *refusal) {
	if iccid != "" {
		if line := s.named("", iccid); line != nil {
			return &line.base, nil
		}
		return nil, fail("310403")
	}
	if code == "" && slug == "" {
		return nil, nil
	}
	for _, k := range s.packages {
		if !k.isTopUp() && (k.Code == code || code == "" && k.Slug == slug) {
			return &k.Package, nil
		}
	}
	return nil, fail("310241")
}

func inLocation(p Package, code string) bool {
	switch code {
	case "":
		return true
	case "!GL":
		return isGlobal(p)
	case "!RG":
		return isRegion(p) && !isGlobal(p)
	}
	return p.LocationCode == code
}

func isRegion(p Package) bool { return strings.Contains(p.Location, ",") }
func isGlobal(p Package) bool { return strings.HasPrefix(p.LocationCode, "GL") }

func packageRow(p Package) map[string]any {
	networks := []any{}
	for country := range strings.SplitSeq(p.Location, ",") {
		networks = append(networks, map[string]any{
			"locationName": country, "locationLogo": "/img/flags/" + strings.ToLower(country) + ".png",
			"operatorList": []any{map[string]any{"operatorName": p.Operator, "networkType": "5G"}},
		})
	}
	return map[string]any{
		"packageCode": p.Code, "slug": p.Slug, "name": p.Name, "price": p.Price, "currencyCode": "USD",
		"volume": p.Volume, "smsStatus": p.SMSStatus, "dataType": p.DataType,
		"unusedValidTime": p.UnusedValidTime, "duration": p.Duration, "durationUnit": "DAY",
		"location": p.Location, "locationCode": p.LocationCode, "description": p.Name,
		"activeType": p.ActiveType, "favorite": false, "retailPrice": 2 * p.Price, "speed": "3G/4G/5G",
		"locationNetworkList": networks, "ipExport": "HK",
		"supportTopUpType": p.SupportTopUpType, "fupPolicy": p.FUPPolicy,
	}
}

// listLocations serves location/list: the places that the catalogue names.
func (s *Sim) listLocations(params) (any, *refusal) {
	rows, seen := []any{}, map[string]bool{}
	for _, k := range s.packages {
		if k.withdrawn || seen[k.LocationCode] {
			continue
		}
		seen[k.LocationCode] = true
		kind, parts := 1, []any(nil)
		if isRegion(k.Package) {
			kind = 2
			for country := range strings.SplitSeq(k.Location, ",") {
				parts = append(parts, map[string]any{"code": country, "name": country})
			}
		}
		rows = append(rows, map[string]any{
			"code": k.LocationCode, "name": k.LocationCode, "type": kind, "subLocationList": parts,
		})
	}
	return map[string]any{"locationList": rows}, nil
}
