package airalosim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// order is one order that was carried out, of eSIMs or of a top-up.
type order struct {
	id          int
	at          time.Time
	pack        Package
	operator    *operator
	quantity    int
	description string
	brand       string
	requestID   string // of asynchronous and future orders
	unit        int64  // cents paid for one
	lines       []*line
	toppedUp    *line // of a top-up
}

func (o *order) code() string { return fmt.Sprintf("%s-%06d", o.at.UTC().Format("20060102"), o.id) }

// wish is a well-formed request for eSIMs.
type wish struct {
	pack                            string
	quantity                        int
	description, brand, webhook, id string
}

const quantityMax = 50

// readWish checks the fields of an order; the stock and the purse are looked at
// when it is carried out.
func (s *Sim) readWish(r *request) (wish, *refusal) {
	w := wish{pack: r.text("package_id"), description: r.text("description"), brand: r.text("brand_settings_name"), webhook: r.text("webhook_url")}
	wrong := object{}
	switch k := s.offer(w.pack); {
	case w.pack == "":
		wrong = append(wrong, member{"package_id", "The package id field is required."})
	case k == nil && sandboxCodes[w.pack] == 0 || k != nil && k.TopUp:
		wrong = append(wrong, member{"package_id", "The selected package is invalid."})
	}
	n, err := strconv.Atoi(r.text("quantity"))
	switch {
	case r.text("quantity") == "":
		wrong = append(wrong, member{"quantity", "The quantity field is required."})
	case err != nil:
		wrong = append(wrong, member{"quantity", "The quantity must be an integer."})
	case n < 1:
		wrong = append(wrong, member{"quantity", "The quantity must be at least 1."})
	case n > quantityMax:
		wrong = append(wrong, member{"quantity", "The quantity may not be greater than 50."})
	}
	w.quantity = n
	if kind := r.text("type"); kind != "" && kind != "sim" {
		wrong = append(wrong, member{"type", "The selected type is invalid."})
	}
	if w.brand != "" && !slices.Contains(s.cfg.Brands, w.brand) {
		wrong = append(wrong, member{"brand_settings_name", "Brand settings name doesn't exist."})
	}
	if r.text("to_email") != "" && len(r.list("sharing_option")) == 0 {
		wrong = append(wrong, member{"sharing_option", "The sharing option field is required when to email is present."})
	}
	for i, option := range r.list("sharing_option") {
		if option != "link" && option != "pdf" {
			wrong = append(wrong, member{
				fmt.Sprintf("sharing_option(%d)", i+1),
				fmt.Sprintf("Sharing option on position %d is invalid. Available options are: 'link' and 'pdf'.", i+1),
			})
		}
	}
	if len(wrong) > 0 {
		return w, invalid(wrong)
	}
	return w, nil
}

// sandboxCodes are the packages that always fail, with their codes [2.6]. Here
// they do in production as well: nobody sells a package of that name.
var sandboxCodes = map[string]int{
	"test-insufficient-balance-7days-1gb": 11,
	"test-maintenance-mode-7days-1gb":     13,
	"test-disabled-top-up-7days-1gb":      23,
	"test-not-enough-7days-1gb":           33,
	"test-out-of-stock-7days-1gb":         34,
}

// placeOrder serves POST orders.
func (s *Sim) placeOrder(r *request) (*answer, *refusal) {
	w, no := s.readWish(r)
	if no != nil {
		return nil, no
	}
	o, no := s.fulfil(w, s.now)
	if no != nil {
		return nil, no
	}
	return ok(s.orderAnswer(o)), nil
}

// fulfil carries an order out: checks everything, charges, makes the eSIMs.
func (s *Sim) fulfil(w wish, at time.Time) (*order, *refusal) {
	if code := sandboxCodes[w.pack]; code != 0 {
		return nil, refuse(code, "")
	}
	k := s.offer(w.pack)
	op := s.operator(k.Operator)
	switch {
	case !k.sold():
		return nil, refuse(34, "")
	case op.maintenance:
		return nil, refuse(13, "")
	case k.Stock > 0 && w.quantity > k.Stock:
		return nil, invalidField("quantity", fmt.Sprintf("SIM quantity is not available. Available quantity: %d.", k.Stock))
	}
	o := &order{
		at: at, pack: k.Package, operator: op, quantity: w.quantity,
		description: w.description, brand: w.brand, requestID: w.id,
	}
	if no := s.charge(o); no != nil {
		return nil, no
	}
	if k.Stock > 0 {
		if k.Stock -= w.quantity; k.Stock == 0 {
			k.Stock = -1 // 0 would be plenty
		}
	}
	for range w.quantity {
		l := s.newLine(op, "", at)
		l.order, l.brand = o, w.brand
		s.give(l, k.Package, o, at)
		o.lines = append(o.lines, l)
	}
	return o, nil
}

// charge enters an order into the books, if there is credit for it. The sandbox
// takes no money.
func (s *Sim) charge(o *order) *refusal {
	o.unit = s.paid(o.pack)
	total := o.unit * int64(o.quantity)
	if !s.cfg.Sandbox {
		if total > s.balance {
			return refuse(11, "the available balance is "+cents(s.balance).text()+" USD")
		}
	}
	s.seq++
	o.id = s.seq
	s.orders = append(s.orders, o)
	if !s.cfg.Sandbox {
		kind := "order"
		if o.pack.TopUp {
			kind = "topup"
		}
		s.post(o.at, -total, kind, o.code())
	}
	return nil
}

// topUp serves POST orders/topups. Nothing makes a repeated request the same
// one: there is no such key in this API [2.6].
func (s *Sim) topUp(r *request) (*answer, *refusal) {
	iccid, pack := r.text("iccid"), r.text("package_id")
	wrong := object{}
	if iccid == "" {
		wrong = append(wrong, member{"iccid", "The iccid field is required."})
	}
	if pack == "" {
		wrong = append(wrong, member{"package_id", "The package id field is required."})
	}
	if len(wrong) > 0 {
		return nil, invalid(wrong)
	}
	l := s.lines[iccid]
	if l == nil {
		return nil, invalidField("iccid", "The selected iccid is invalid.")
	}
	k, no := s.topUpPackage(l, pack)
	if no != nil {
		return nil, no
	}
	o := &order{at: s.now, pack: k, operator: l.operator, quantity: 1, description: r.text("description"), toppedUp: l}
	if o.description == "" || s.cfg.ForgetTopUpDescriptions {
		o.description = "Topup (" + iccid + ")"
	}
	if no := s.charge(o); no != nil {
		return nil, no
	}
	s.give(l, k, o, s.now)
	return ok(s.orderAnswer(o).without("sims", "brand_settings_name")), nil
}

// topUpPackage is the package that a line is to be topped up with, or why not.
func (s *Sim) topUpPackage(l *line, id string) (Package, *refusal) {
	misfit := invalidField("package_id", "invalid topup package")
	k := s.offer(id)
	switch {
	case l.recycledBy(s.now):
		return Package{}, refuse(73, l.iccid)
	case k == nil || !k.TopUp || k.Operator != l.operator.ID || l.operator.NotRechargeable:
		return Package{}, misfit
	case l.operator.maintenance:
		return Package{}, refuse(13, "")
	case !k.sold():
		if s.pick(s.cfg.Manners.Gone, "code", "field") == "field" {
			return Package{}, misfit
		}
		return Package{}, refuse(34, "")
	case l.operator.topUpsOff:
		return Package{}, refuse(23, "")
	case s.tooLate(l, s.now):
		if s.pick(s.cfg.Manners.TooLate, "code", "field") == "field" {
			return Package{}, misfit
		}
		return Package{}, refuse(23, "")
	case s.cfg.TopUpsMax > 0 && l.topUps() >= s.cfg.TopUpsMax:
		return Package{}, invalidField("package_id", "validation.order_exceed_limit")
	}
	return k.Package, nil
}

func (l *line) topUps() int {
	n := 0
	for _, e := range l.events {
		if e.bought != nil && e.bought.pack.TopUp {
			n++
		}
	}
	return n
}

// give adds a package to a line.
func (s *Sim) give(l *line, k Package, o *order, at time.Time) {
	s.seq++
	l.events = append(l.events, event{at: at, bought: &holding{id: s.seq, pack: k, order: o, bought: at}})
	s.watch(l, at)
}

// orderAnswer is an order as the call that made it is told.
func (s *Sim) orderAnswer(o *order) object {
	var quantity any = o.quantity
	if s.pick(s.cfg.Manners.Quantity, "number", "string") == "string" {
		quantity = strconv.Itoa(o.quantity)
	}
	a := object{
		{"id", o.id},
		{"code", o.code()},
		{"currency", "USD"},
		{"package_id", o.pack.ID},
		{"quantity", quantity},
		{"type", o.pack.kind()},
		{"description", orNull(o.description)},
		{"esim_type", "Prepaid"},
		{"validity", o.pack.Days},
		{"package", o.operator.Title + "-" + o.pack.title()},
		{"data", o.pack.volume()},
		{"price", cents(o.pack.Price)},
		{"pricing_model", s.pricing().get("model")},
	}
	if s.cfg.DiscountPercent > 0 {
		a = append(a, object{
			{"discount_percentage", s.cfg.DiscountPercent},
			{"discount_amount", cents(s.discount(o.pack))},
			{"unit_paid_price", cents(o.unit)},
			{"total_amount_paid", cents(o.unit * int64(o.quantity))},
		}...)
	}
	a = append(a, object{
		{"text", orNothing(o.pack.Text)},
		{"voice", orNothing(o.pack.Voice)},
		{"net_price", s.netPrice(o.pack)},
		{"created_at", stamp(o.at)},
		{"manual_installation", ""},
		{"qrcode_installation", ""},
		{"installation_guides", object{{"en", "https://www.airalo.com/help/getting-started-with-airalo"}}},
		{"brand_settings_name", orNull(o.brand)},
	}...)
	return append(a, member{"sims", lineRows(o.lines)})
}

func lineRows(lines []*line) []object {
	rows := []object{}
	for _, l := range lines {
		rows = append(rows, l.lineRow())
	}
	return rows
}

// orderRow is an order in a list: prices and days are text there, and a top-up
// names no eSIM [A].
func (s *Sim) orderRow(o *order, include []string) object {
	row := s.orderAnswer(o).without("sims", "net_price", "text", "voice")
	row = row.set("quantity", o.quantity).set("validity", strconv.Itoa(o.pack.Days)).set("price", cents(o.pack.Price).text())
	if slices.Contains(include, "sims") {
		row = append(row, member{"sims", lineRows(o.lines)})
	}
	if slices.Contains(include, "status") {
		row = append(row, member{"status", completed()})
	}
	return row
}

func completed() object { return object{{"name", "Completed"}, {"slug", "completed"}} }

// getOrder serves GET orders/{id}.
func (s *Sim) getOrder(r *request) (*answer, *refusal) {
	for _, o := range s.orders {
		if strconv.Itoa(o.id) == r.id && !o.at.After(r.asOf) {
			return ok(s.orderRow(o, strings.Split(r.query.Get("include"), ","))), nil
		}
	}
	return nil, notFound()
}

// listOrders serves GET orders, newest first.
func (s *Sim) listOrders(r *request) (*answer, *refusal) {
	p, no := r.readPage(50)
	if no != nil {
		return nil, no
	}
	if _, _, understood := period(r.query.Get("filter[created_at]")); r.query.Get("filter[created_at]") != "" && !understood {
		return nil, invalidField("filter.created_at", "The filter.created at is not a valid date range.")
	}
	var found []*order
	for _, o := range slices.Backward(s.orders) {
		if !o.at.After(r.asOf) && o.matches(r) {
			found = append(found, o)
		}
	}
	data := []object{}
	from, to := p.cut(len(found))
	for _, o := range found[from:to] {
		data = append(data, s.orderRow(o, strings.Split(r.query.Get("include"), ",")))
	}
	links, meta := p.about(Orders, len(found))
	return plain(http.StatusOK, object{{"data", data}, {"meta", meta}, {"links", links}}), nil
}

// matches: filter[description] finds what contains it, whatever the case, as
// filter[iccid] of GET sims does; filter[iccid] finds orders of the eSIM but not
// its top-ups, which name none. Both are unconfirmed.
func (o *order) matches(r *request) bool {
	filter := func(name string) string { return r.query.Get("filter[" + name + "]") }
	if code := filter("code"); code != "" && code != o.code() {
		return false
	}
	if status := filter("order_status"); status != "" && status != "completed" {
		return false
	}
	if from, to, given := period(filter("created_at")); given && (o.at.Before(from) || !o.at.Before(to)) {
		return false
	}
	if iccid := filter("iccid"); iccid != "" && !slices.ContainsFunc(o.lines, func(l *line) bool { return l.iccid == iccid }) {
		return false
	}
	return strings.Contains(strings.ToLower(o.description), strings.ToLower(filter("description")))
}
