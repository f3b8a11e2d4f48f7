package airalosim

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Operator is a network brand of the catalogue; packages belong to one.
type Operator struct {
	ID      int    // made up when 0
	Title   string // "Change"
	Country string // ISO alpha-2; empty: global or regional
	Slug    string // of the country or region; empty: from Country, or "world"

	NotRechargeable  bool // takes no top-ups
	InstallDays      int  // install_window_days; 0: null. Nothing happens when they are over.
	TopUpGraceDays   int  // days after a line's end in which it takes top-ups; 0: null, for ever
	ActivationPolicy string

	// Queues makes a top-up wait until what was bought before is over. Off, it
	// runs beside it, as the sample of the history shows.
	Queues bool
}

// Package is one row of the catalogue.
type Package struct {
	ID        string
	Operator  int
	TopUp     bool
	Price     int64 // USD cents, recommended retail price
	NetPrice  int64 // USD cents, what the seller pays; 0: Price
	AmountMB  int64 // 1 GB is 1024; 0 for unlimited
	Days      int
	Unlimited bool
	FairUse   string // "" none
	Voice     int    // minutes; 0: null
	Text      int    // messages; 0: null
	Stock     int    // eSIMs left; 0: plenty; negative: none
}

// offer is a package with what may become of it.
type offer struct {
	Package
	withdrawn bool
}

// AddOperator puts an operator into the catalogue and returns its ID.
func (s *Sim) AddOperator(o Operator) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.ID == 0 {
		s.seq++
		o.ID = 600 + s.seq
	}
	o.Slug = cmp.Or(o.Slug, strings.ToLower(o.Country), "world")
	o.ActivationPolicy = cmp.Or(o.ActivationPolicy, "first-usage")
	s.operators = append(s.operators, &operator{Operator: o})
	return o.ID
}

// operator is an operator with what may be turned.
type operator struct {
	Operator
	maintenance, topUpsOff bool
}

// AddPackage puts a package into the catalogue. It panics if its operator is
// unknown, its ID taken, or its figures make no sense.
func (s *Sim) AddPackage(p Package) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.NetPrice = cmp.Or(p.NetPrice, p.Price)
	switch {
	case s.operator(p.Operator) == nil:
		panic("airalosim: " + p.ID + " belongs to no operator")
	case p.ID == "" || s.offer(p.ID) != nil:
		panic("airalosim: the package ID " + p.ID + " is empty or taken")
	case p.Price < 1 || p.NetPrice < 1 || p.Days < 1 || p.Unlimited != (p.AmountMB == 0) || p.AmountMB < 0:
		panic("airalosim: " + p.ID + " has no sensible price, length or volume")
	}
	s.offers = append(s.offers, &offer{Package: p})
}

func (s *Sim) operator(id int) *operator {
	for _, o := range s.operators {
		if o.ID == id {
			return o
		}
	}
	return nil
}

func (s *Sim) offer(id string) *offer {
	for _, k := range s.offers {
		if k.ID == id {
			return k
		}
	}
	return nil
}

func (s *Sim) mustFind(id string) *offer {
	k := s.offer(id)
	if k == nil {
		panic("airalosim: no package " + id)
	}
	return k
}

func (s *Sim) mustOperator(id int) *operator {
	o := s.operator(id)
	if o == nil {
		panic("airalosim: no operator " + strconv.Itoa(id))
	}
	return o
}

// paid is what one of a package costs the seller.
func (s *Sim) paid(p Package) int64 {
	if s.cfg.DiscountPercent == 0 {
		return p.NetPrice
	}
	return p.Price - s.discount(p)
}

// discount is rounded half up to a cent; how the real one rounds is unconfirmed.
func (s *Sim) discount(p Package) int64 { return (p.Price*int64(s.cfg.DiscountPercent) + 50) / 100 }

// volume is how the data of a package is written.
func (p Package) volume() string {
	switch {
	case p.Unlimited:
		return "Unlimited"
	case p.AmountMB%1024 == 0:
		return fmt.Sprintf("%d GB", p.AmountMB/1024)
	}
	return fmt.Sprintf("%d MB", p.AmountMB)
}

func (p Package) title() string { return fmt.Sprintf("%s - %d Days", p.volume(), p.Days) }

func (p Package) kind() string {
	if p.TopUp {
		return "topup"
	}
	return "sim"
}

// netPrice is null for a seller with a discount [A].
func (s *Sim) netPrice(p Package) any {
	if s.cfg.DiscountPercent > 0 {
		return nil
	}
	return cents(p.NetPrice)
}

func (s *Sim) pricing() object {
	model := "net_pricing"
	if s.cfg.DiscountPercent > 0 {
		model = "discount_pricing"
	}
	return object{{"model", model}, {"discount_percentage", s.cfg.DiscountPercent}}
}

// prices are in three of the eighteen currencies, at the rates of the sample.
func (s *Sim) prices(p Package) object {
	in := func(usd int64) object {
		return object{{"USD", cents(usd)}, {"EUR", cents((usd*92 + 50) / 100)}, {"JPY", (usd*156 + 50) / 100}}
	}
	all := object{}
	if s.cfg.DiscountPercent == 0 {
		all = append(all, member{"net_price", in(p.NetPrice)})
	}
	return append(all, member{"recommended_retail_price", in(p.Price)})
}

// packageRow is a package as lists have it.
func (s *Sim) packageRow(p Package) object {
	return object{
		{"id", p.ID},
		{"type", p.kind()},
		{"price", cents(p.Price)},
		{"amount", p.AmountMB},
		{"day", p.Days},
		{"is_unlimited", p.Unlimited},
		{"title", p.title()},
		{"short_info", nil},
		{"qr_installation", "<p><b>eSIM</b></p>"},
		{"manual_installation", "<p><b>eSIM</b></p>"},
		{"is_fair_usage_policy", p.FairUse != ""},
		{"fair_usage_policy", orNull(p.FairUse)},
		{"data", p.volume()},
		{"voice", orNothing(p.Voice)},
		{"text", orNothing(p.Text)},
		{"net_price", s.netPrice(p)},
		{"prices", s.prices(p)},
	}
}

// sold reports whether a package is for sale: not withdrawn, not out of stock.
func (k *offer) sold() bool { return !k.withdrawn && k.Stock >= 0 }

// listPackages serves GET packages. Pages are of countries and regions. From the
// second page on data is an object, keyed by the row's number in the whole list
// [2.2]; without a limit everything comes at once.
func (s *Sim) listPackages(r *request) (*answer, *refusal) {
	p, no := r.readPage(0)
	if no != nil {
		return nil, no
	}
	kind := r.query.Get("filter[type]")
	if kind != "" && kind != "local" && kind != "global" {
		return nil, invalidField("filter.type", "The selected filter.type is invalid.")
	}
	topUps := slices.Contains(strings.Split(r.query.Get("include"), ","), "topup")
	places := s.places(kind, r.query.Get("filter[country]"), topUps)
	from, to := p.cut(len(places))
	var data any = places[from:to]
	if p.number > 1 {
		keyed := object{}
		for i := from; i < to; i++ {
			keyed = append(keyed, member{strconv.Itoa(i), places[i]})
		}
		data = keyed
	}
	links, meta := p.about(Packages, len(places))
	return plain(http.StatusOK, object{{"pricing", s.pricing()}, {"data", data}, {"links", links}, {"meta", meta}}), nil
}

// places are the countries and regions that match, with what is sold there.
func (s *Sim) places(kind, country string, topUps bool) []object {
	places := []object{}
	at := map[string]int{}
	for _, o := range s.operators {
		global := o.Country == ""
		if kind == "local" && global || kind == "global" && !global || country != "" && country != o.Country {
			continue
		}
		row := s.operatorRow(o, topUps)
		if row == nil {
			continue
		}
		i, known := at[o.Slug]
		if !known {
			i = len(places)
			at[o.Slug] = i
			places = append(places, object{
				{"slug", o.Slug},
				{"country_code", o.Country},
				{"title", o.Slug},
				{"image", picture()},
				{"operators", []object{}},
			})
		}
		list, _ := places[i].get("operators").([]object)
		places[i] = places[i].set("operators", append(list, row))
	}
	return places
}

func picture() object {
	return object{{"width", 132}, {"height", 99}, {"url", "https://cdn.airalo.com/images/a.png"}}
}

// operatorRow is an operator with its packages; nil if it sells nothing.
func (s *Sim) operatorRow(o *operator, topUps bool) object {
	packages := []object{}
	for _, k := range s.offers {
		if k.Operator == o.ID && k.sold() && (topUps || !k.TopUp) {
			packages = append(packages, s.packageRow(k.Package))
		}
	}
	if len(packages) == 0 {
		return nil
	}
	kind := "local"
	if o.Country == "" {
		kind = "global"
	}
	return object{
		{"id", o.ID},
		{"style", "light"},
		{"type", kind},
		{"is_prepaid", false},
		{"title", o.Title},
		{"esim_type", "Prepaid"},
		{"warning", nil},
		{"apn_type", "automatic"},
		{"apn_value", nil},
		{"is_roaming", true},
		{"info", []string{}},
		{"image", picture()},
		{"plan_type", "data"},
		{"activation_policy", o.ActivationPolicy},
		{"is_kyc_verify", false},
		{"rechargeability", !o.NotRechargeable},
		{"other_info", nil},
		{"coverages", []object{}},
		{"install_window_days", orNothing(o.InstallDays)},
		{"topup_grace_window_days", orNothing(o.TopUpGraceDays)},
		{"apn", apn()},
		{"packages", packages},
	}
}

func apn() object {
	auto := object{{"apn_type", "automatic"}, {"apn_value", nil}}
	return object{{"ios", auto}, {"android", auto}}
}

// listTopUps serves GET sims/{iccid}/topups: what this line takes now. An empty
// list means that it takes none.
func (s *Sim) listTopUps(r *request) (*answer, *refusal) {
	l := s.lines[r.id]
	switch {
	case l == nil:
		return nil, notFound()
	case l.recycledBy(r.asOf):
		return nil, refuse(73, l.iccid)
	}
	rows := []object{}
	for _, k := range s.offers {
		if k.TopUp && k.Operator == l.operator.ID && k.sold() && s.takesTopUps(l, r.asOf) {
			row := s.packageRow(k.Package)
			rows = append(rows, row.without("qr_installation", "manual_installation", "is_fair_usage_policy", "fair_usage_policy"))
		}
	}
	if len(rows) == 0 {
		return plain(http.StatusOK, object{{"data", rows}}), nil
	}
	return plain(http.StatusOK, object{{"pricing", s.pricing()}, {"data", rows}}), nil
}

// takesTopUps: the operator recharges, and the line's end is not longer ago
// than its grace.
func (s *Sim) takesTopUps(l *line, at time.Time) bool {
	o := l.operator
	if o.NotRechargeable || o.topUpsOff {
		return false
	}
	return !s.tooLate(l, at)
}

func (s *Sim) tooLate(l *line, at time.Time) bool {
	grace := l.operator.TopUpGraceDays
	ended, over := l.overAt(at)
	return over && grace > 0 && !at.Before(ended.AddDate(0, 0, grace))
}
