package stripesim

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// session is a Checkout Session: an offer to pay on Stripe's page, within a
// time. Its payment intent exists from the customer's first try.
type session struct {
	id            string
	ref           string // client_reference_id
	status        string // open, complete, expired
	paymentStatus string // paid, unpaid
	currency      string
	amount        int64
	items         []item
	successURL    string
	cancelURL     string
	customer      *customer
	customerEmail string
	newCustomer   bool // a customer is made when the session completes
	locale        string
	methods       []string
	metadata      map[string]string
	forIntent     intentData
	saving        saving
	intent        *intent
	url           string
	createdAt     time.Time
	expiresAt     time.Time
}

// intentData is what a session hands on to its payment intent.
type intentData struct {
	description   string
	metadata      map[string]string
	captureMethod string
	futureUse     string
}

// saving is what a session says about keeping the method, and what its customer
// chose.
type saving struct {
	offered   bool     // payment_method_save: the page has a box to tick
	ticked    bool     // … and it is ticked
	removes   string   // payment_method_remove as it was given
	filters   []string // which saved methods are shown: their allow_redisplay
	redisplay string   // allow_redisplay of a method that is saved without the box
	asked     bool     // saved_payment_method_options was given
}

// asksToSave reports whether the page has the box: without a customer there is
// nobody to save for.
func (cs *session) asksToSave() bool {
	return cs.saving.offered && (cs.customer != nil || cs.newCustomer)
}

type item struct {
	name, currency string
	unit, quantity int64
}

const (
	sessionLeast = 30 * time.Minute
	sessionMost  = 24 * time.Hour
	itemsMax     = 100
)

// locales are the languages of the page. Note zh-HK and zh-TW; there is no
// zh-Hant.
var locales = strings.Fields("auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW")

func (s *Sim) createSession(f *form, _ string) step {
	cs := &session{
		status:        "open",
		paymentStatus: "unpaid",
		ref:           f.text("client_reference_id", 200),
		successURL:    f.address("success_url"),
		cancelURL:     f.address("cancel_url"),
		customerEmail: f.text("customer_email", 800),
		newCustomer:   f.word("customer_creation", "always", "if_required") == "always",
		locale:        f.word("locale", locales...),
		methods:       f.words("payment_method_types", methodTypes...),
		metadata:      f.metadata("metadata"),
		forIntent: intentData{
			description:   f.text("payment_intent_data[description]", 1000),
			metadata:      f.metadata("payment_intent_data[metadata]"),
			captureMethod: f.word("payment_intent_data[capture_method]", captureMethods...),
			futureUse:     f.word("payment_intent_data[setup_future_usage]", "on_session", "off_session"),
		},
	}
	cs.saving = saving{
		asked:     f.has("saved_payment_method_options"),
		offered:   f.word("saved_payment_method_options[payment_method_save]", "enabled", "disabled") == "enabled",
		removes:   f.word("saved_payment_method_options[payment_method_remove]", "enabled", "disabled"),
		filters:   f.words("saved_payment_method_options[allow_redisplay_filters]", redisplays...),
		redisplay: f.word("payment_method_data[allow_redisplay]", redisplays...),
	}
	if f.need("mode") != "payment" {
		f.refuse("mode")
	}
	if f.word("ui_mode", "hosted_page", "embedded_page", "elements", "form") != "hosted_page" {
		f.refuse("ui_mode")
	}
	if cs.successURL == "" {
		f.need("success_url")
	}
	if len(cs.methods) == 0 {
		cs.methods = []string{"card"}
	}
	customerID := f.text("customer", 255)
	if customerID != "" && f.has("customer_email") {
		f.fail(wrong("", "customer_email", "You may only specify one of these parameters: customer, customer_email."))
	}
	s.readItems(f, cs)
	readExpiry(f, cs, s.now)
	readRest(f, cs)
	return func() (obj, *apiError) {
		if customerID != "" {
			if cs.customer = s.customer(customerID); cs.customer == nil {
				return nil, missing("customer", customerID, "customer")
			}
		}
		cs.id = s.newID("cs_test_a1", 48)
		cs.url = s.pageURL(cs.id)
		cs.createdAt = s.now
		s.sessions = append(s.sessions, cs)
		s.open = append(s.open, cs)
		s.nameSession(cs)
		return cs.json(), nil
	}
}

// readRest takes what changes nothing here, and refuses what would.
func readRest(f *form, cs *session) {
	if slices.Contains(cs.methods, "wechat_pay") && f.need("payment_method_options[wechat_pay][client]") != "web" {
		f.fail(wrong("", "payment_method_options[wechat_pay][client]", "The only accepted value in Checkout is web."))
	}
	f.ignore("adaptive_pricing", "after_expiration", "billing_address_collection", "branding_settings", "consent_collection",
		"custom_fields", "custom_text", "customer_update", "excluded_payment_method_types", "integration_identifier", "name_collection",
		"origin_context", "payment_method_collection", "payment_method_options", "permissions", "phone_number_collection",
		"redirect_on_completion", "submit_type", "wallet_options",
		"payment_intent_data[receipt_email]", "payment_intent_data[shipping]",
		"payment_intent_data[statement_descriptor]", "payment_intent_data[statement_descriptor_suffix]")
	f.refuse("allow_promotion_codes", "automatic_tax", "currency", "customer_account", "discounts", "invoice_creation", "optional_items", "payment_method_configuration",
		"return_url", "setup_intent_data", "shipping_address_collection", "shipping_options", "subscription_data", "tax_id_collection")
}

// readItems reads what is sold and adds it up.
func (s *Sim) readItems(f *form, cs *session) {
	items := f.each("line_items")
	if len(items) == 0 {
		f.fail(wrong("parameter_missing", "line_items", "Missing required param: line_items."))
	}
	if len(items) > itemsMax {
		f.fail(wrong("", "line_items", "line_items has at most %d elements.", itemsMax))
		return
	}
	for _, at := range items {
		f.refuse(at+"[price]", at+"[dynamic_tax_rates]", at+"[tax_rates]", at+"[adjustable_quantity]",
			at+"[price_data][product]", at+"[price_data][recurring]", at+"[price_data][unit_amount_decimal]")
		f.ignore(at+"[metadata]", at+"[price_data][tax_behavior]", at+"[price_data][product_data][images]",
			at+"[price_data][product_data][description]", at+"[price_data][product_data][metadata]", at+"[price_data][product_data][tax_code]")
		it := item{
			currency: s.currency(f, at+"[price_data][currency]"),
			name:     f.need(at + "[price_data][product_data][name]"),
			unit:     f.count(at + "[price_data][unit_amount]"),
			quantity: f.count(at + "[quantity]"),
		}
		if it.unit > amountMax || it.quantity > 999_999 {
			f.fail(wrong("amount_too_large", at+"[price_data][unit_amount]", "The amount is too large."))
			return
		}
		if cs.currency != "" && it.currency != cs.currency {
			f.fail(wrong("", at+"[price_data][currency]", "All line items must have the same currency."))
		}
		cs.currency = it.currency
		cs.amount += it.unit * it.quantity
		cs.items = append(cs.items, it)
	}
	if len(items) > 0 {
		checkAmount(f, "line_items", cs.amount, cs.currency, cs.methods)
	}
}

func readExpiry(f *form, cs *session, now time.Time) {
	cs.expiresAt = now.Add(sessionMost)
	unix, ok := f.integer("expires_at")
	if !ok {
		return
	}
	cs.expiresAt = time.Unix(unix, 0).UTC()
	second := now.Truncate(time.Second) // expires_at knows no less
	switch {
	case cs.expiresAt.Before(second.Add(sessionLeast)):
		f.fail(wrong("", "expires_at", "The expires_at timestamp must be at least 30 minutes from Checkout Session creation."))
	case cs.expiresAt.After(second.Add(sessionMost)):
		f.fail(wrong("", "expires_at", "The expires_at timestamp must be less than 24 hours from Checkout Session creation."))
	}
}

func (s *Sim) getSession(_ *form, id string) step {
	return func() (obj, *apiError) {
		cs := s.session(id)
		if cs == nil {
			return nil, missing("checkout.session", id, "")
		}
		return cs.json(), nil
	}
}

func (s *Sim) expireSession(_ *form, id string) step {
	return func() (obj, *apiError) {
		cs := s.session(id)
		switch {
		case cs == nil:
			return nil, missing("checkout.session", id, "")
		case cs.status != "open":
			return nil, wrong("", "", "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of %s.", cs.status)
		}
		s.expire(cs)
		return cs.json(), nil
	}
}

// expire ends an open session, and with it whatever the customer had begun.
func (s *Sim) expire(cs *session) {
	cs.status = "expired"
	if p := cs.intent; p != nil && p.status != canceled {
		s.cancel(p, "expired")
	}
	s.emit("checkout.session.expired", cs.json())
}

func (s *Sim) listSessions(f *form, _ string) step {
	intentID := f.text("payment_intent", 255)
	status := f.word("status", "open", "complete", "expired")
	customerID := f.text("customer", 255)
	l := f.listing()
	return func() (obj, *apiError) {
		var all []entry
		for _, cs := range s.sessions {
			if intentID != "" && (cs.intent == nil || cs.intent.id != intentID) ||
				customerID != "" && (cs.customer == nil || cs.customer.id != customerID) ||
				status != "" && cs.status != status {
				continue
			}
			all = append(all, entry{cs.id, cs.createdAt, cs.json})
		}
		return l.show("/v1/checkout/sessions", all)
	}
}

func (s *Sim) listItems(f *form, id string) step {
	l := f.listing()
	return func() (obj, *apiError) {
		cs := s.session(id)
		if cs == nil {
			return nil, missing("checkout.session", id, "")
		}
		return l.show("/v1/checkout/sessions/"+id+"/line_items", cs.entries())
	}
}

// entries lists the items in the order in which they were given: a list shows
// its end first.
func (cs *session) entries() []entry {
	var all []entry
	for i, it := range slices.Backward(cs.items) {
		id := "li_" + cs.id[len(cs.id)-20:] + digits(int64(i))
		all = append(all, entry{id, cs.createdAt, func() obj {
			total := it.unit * it.quantity
			return obj{
				"id": id, "object": "item", "description": it.name, "quantity": it.quantity, "currency": it.currency,
				"amount_subtotal": total, "amount_total": total, "amount_tax": 0, "amount_discount": 0,
			}
		}})
	}
	return all
}

func (s *Sim) session(id string) *session {
	for _, cs := range s.named.sessions[id] {
		if cs.id == id {
			return cs
		}
	}
	return nil
}

// nameSession makes a session findable by every name it has.
func (s *Sim) nameSession(cs *session) {
	for _, name := range namesOf([]string{cs.id, cs.ref}, cs.metadata, cs.forIntent.metadata) {
		s.named.sessions[name] = append(s.named.sessions[name], cs)
	}
}

// namesOf is the names and the values of metadata, each once.
func namesOf(names []string, metadata ...map[string]string) []string {
	for _, m := range metadata {
		names = slices.AppendSeq(names, maps.Values(m))
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == "" })
}

func (v saving) json() any {
	if !v.asked {
		return nil
	}
	o := obj{"allow_redisplay_filters": nil, "payment_method_remove": orNull(v.removes), "payment_method_save": "disabled"}
	if len(v.filters) > 0 {
		o["allow_redisplay_filters"] = v.filters
	}
	if v.offered {
		o["payment_method_save"] = "enabled"
	}
	return o
}

func (cs *session) json() obj {
	o := obj{
		"id": cs.id, "object": "checkout.session", "mode": "payment", "ui_mode": "hosted_page", "livemode": false,
		"status": cs.status, "payment_status": cs.paymentStatus,
		"amount_subtotal": cs.amount, "amount_total": cs.amount, "currency": cs.currency,
		"total_details":       obj{"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
		"client_reference_id": orNull(cs.ref), "metadata": maps.Clone(cs.metadata),
		"success_url": cs.successURL, "cancel_url": orNull(cs.cancelURL), "url": nil,
		"created": cs.createdAt.Unix(), "expires_at": cs.expiresAt.Unix(),
		"customer": cs.customer.link(), "customer_email": orNull(cs.customerEmail), "customer_details": nil,
		"locale": orNull(cs.locale), "payment_method_types": cs.methods, "payment_intent": cs.intent.link(),
		"payment_link": nil, "setup_intent": nil, "subscription": nil, "invoice": nil, "client_secret": nil,
		"automatic_tax":     obj{"enabled": false, "liability": nil, "provider": nil, "status": nil},
		"customer_creation": "if_required",
		"recovered_from":    nil, "custom_text": obj{"after_submit": nil, "shipping_address": nil, "submit": nil, "terms_of_service_acceptance": nil}, "after_expiration": nil, "consent": nil,
		"custom_fields": []any{}, "payment_method_options": obj{}, "shipping_options": []any{}, "submit_type": nil,
		"line_items": link{id: cs.id, hidden: true, open: func() obj {
			all, _ := listing{limit: itemsMax}.show("/v1/checkout/sessions/"+cs.id+"/line_items", cs.entries())
			return all
		}},
	}
	o["saved_payment_method_options"] = cs.saving.json()
	if cs.newCustomer {
		o["customer_creation"] = "always"
	}
	if cs.status == "open" {
		o["url"] = cs.url
	}
	if cs.status == "complete" {
		email := cs.customerEmail
		if email == "" && cs.customer != nil {
			email = cs.customer.email
		}
		o["customer_details"] = obj{"email": orNull(email), "name": nil, "phone": nil, "address": nil, "tax_exempt": "none", "tax_ids": []any{}}
	}
	return o
}
