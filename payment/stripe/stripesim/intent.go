package stripesim

import (
	"maps"
	"slices"
	"time"
)

// The states of a payment intent.
const (
	requiresMethod       = "requires_payment_method"
	requiresConfirmation = "requires_confirmation"
	requiresAction       = "requires_action"
	requiresCapture      = "requires_capture"
	processing           = "processing"
	succeeded            = "succeeded"
	canceled             = "canceled"
)

var captureMethods = []string{"automatic", "automatic_async", "manual"}

// intent is a payment intent: what should be paid, and how far that has come.
type intent struct {
	id, secret   string
	status       string
	currency     string
	amount       int64
	capturable   int64
	received     int64
	description  string
	metadata     map[string]string
	methods      []string // accepted types
	automatic    bool     // automatic_payment_methods
	manual       bool     // capture is a call of its own
	capture      string   // capture_method as it was given
	futureUse    string
	receiptEmail string
	customer     *customer
	method       *method
	lastError    *apiError
	latest       *charge
	charges      []*charge
	session      *session // nil for an intent made through the API
	url          string   // where the customer authenticates
	returnURL    string
	createdAt    time.Time
	canceledAt   time.Time
	cancelReason string
}

// confirmation is the parameters of a try to pay.
type confirmation struct {
	methodID   string
	returnURL  string
	offSession bool
	noAction   bool // error_on_requires_action
}

func readConfirmation(f *form) confirmation {
	c := confirmation{
		methodID:   f.text("payment_method", 255),
		returnURL:  f.address("return_url"),
		offSession: !slices.Contains([]string{"", "false"}, f.word("off_session", "true", "false", "one_off", "recurring")),
		noAction:   f.flag("error_on_requires_action"),
	}
	f.ignore("use_stripe_sdk", "mandate_data", "radar_options", "shipping", "payment_method_options", "excluded_payment_method_types", "payment_details", "amount_details")
	f.refuse("confirmation_token", "mandate", "payment_method_data", "hooks")
	return c
}

func (s *Sim) createIntent(f *form, _ string) step {
	f.need("amount")
	amount, _ := f.integer("amount")
	p := &intent{
		status:       requiresMethod,
		amount:       amount,
		currency:     s.currency(f, "currency"),
		description:  f.text("description", 1000),
		metadata:     f.metadata("metadata"),
		methods:      f.words("payment_method_types", methodTypes...),
		capture:      f.word("capture_method", captureMethods...),
		futureUse:    f.word("setup_future_usage", "on_session", "off_session"),
		receiptEmail: f.text("receipt_email", 800),
	}
	now := f.flag("confirm")
	c := readConfirmation(f)
	customerID := f.text("customer", 255)
	p.manual = p.capture == "manual"
	redirects := f.word("automatic_payment_methods[allow_redirects]", "always", "never") != "never"
	f.flag("automatic_payment_methods[enabled]")
	f.ignore("confirmation_method", "statement_descriptor", "statement_descriptor_suffix", "transfer_group")
	f.refuse("application_fee_amount", "customer_account", "on_behalf_of", "payment_method_configuration", "transfer_data")
	if f.has("automatic_payment_methods") && len(p.methods) > 0 {
		f.fail(wrong("parameters_exclusive", "payment_method_types", "You may only specify one of these parameters: automatic_payment_methods, payment_method_types."))
	}
	if p.automatic = len(p.methods) == 0; p.automatic {
		p.methods = []string{"card"}
	}
	checkAmount(f, "amount", amount, p.currency, p.methods)
	switch {
	case !now && (c.returnURL != "" || f.has("off_session")):
		f.fail(wrong("", "confirm", "return_url and off_session can only be used when confirm is true."))
	case now && p.automatic && redirects && c.returnURL == "" && !c.offSession:
		f.fail(wrong("", "return_url", "This PaymentIntent accepts methods that may redirect: give a return_url, or forbid them with automatic_payment_methods[allow_redirects]=never."))
	}
	return func() (obj, *apiError) {
		if customerID != "" {
			if p.customer = s.customer(customerID); p.customer == nil {
				return nil, missing("customer", customerID, "customer")
			}
		}
		var m *method
		if c.methodID != "" {
			var e *apiError
			if m, e = s.usable(c.methodID, p); e != nil {
				return nil, e
			}
		}
		if m == nil && now {
			return nil, wrong("payment_intent_unexpected_state", "", "You cannot confirm this PaymentIntent because it's missing a payment method.")
		}
		s.addIntent(p)
		if m != nil {
			p.method, p.status = m, requiresConfirmation
		}
		if !now {
			return p.json(), nil
		}
		if e := s.confirm(p, m, c); e != nil {
			return nil, e
		}
		return p.json(), nil
	}
}

// addIntent gives a new intent its identity.
func (s *Sim) addIntent(p *intent) {
	p.id = s.newID("pi_3", 23)
	p.secret = s.newID(p.id+"_secret_", 25)
	p.url = s.pageURL(p.id)
	if p.session != nil {
		p.url = p.session.url
	}
	p.createdAt = s.now
	s.intents = append(s.intents, p)
	names := []string{p.id}
	if p.session != nil {
		names = append(names, p.session.id, p.session.ref)
		names = namesOf(names, p.session.metadata)
	}
	for _, name := range namesOf(names, p.metadata) {
		s.named.intents[name] = append(s.named.intents[name], p)
	}
	s.emit("payment_intent.created", p.json())
}

// usable finds a method that may be used for an intent.
func (s *Sim) usable(id string, p *intent) (*method, *apiError) {
	m := s.method(id)
	switch {
	case m == nil:
		return nil, missing("PaymentMethod", id, "payment_method")
	case m.customer != nil && m.customer != p.customer:
		return nil, wrong("", "payment_method", "The payment method belongs to a customer; give the same customer with the PaymentIntent.")
	case m.customer == nil && m.used:
		return nil, usedUp("payment_method")
	case !slices.Contains(p.methods, m.tool.kind):
		return nil, wrong("payment_intent_incompatible_payment_method", "payment_method", "The payment method's type %s is not among those of the PaymentIntent.", m.tool.kind)
	}
	return m, nil
}

func (s *Sim) confirmIntent(f *form, id string) step {
	c := readConfirmation(f)
	futureUse := f.word("setup_future_usage", "on_session", "off_session")
	f.ignore("receipt_email")
	f.refuse("capture_method", "payment_method_types")
	return func() (obj, *apiError) {
		p := s.intent(id)
		if p == nil {
			return nil, missing("payment_intent", id, "")
		}
		if p.session != nil {
			return nil, byCheckout(p)
		}
		if !slices.Contains([]string{requiresMethod, requiresConfirmation, requiresAction}, p.status) {
			return nil, p.unexpected("confirm")
		}
		m := p.method
		if c.methodID != "" {
			var e *apiError
			if m, e = s.usable(c.methodID, p); e != nil {
				return nil, e
			}
		}
		if m == nil {
			e := wrong("payment_intent_unexpected_state", "", "You cannot confirm this PaymentIntent because it's missing a payment method.")
			e.intent = p
			return nil, e
		}
		if futureUse != "" {
			p.futureUse = futureUse
		}
		if e := s.confirm(p, m, c); e != nil {
			return nil, e
		}
		return p.json(), nil
	}
}

// confirm is a try to pay through the API: a refusal is an error there.
func (s *Sim) confirm(p *intent, m *method, c confirmation) *apiError {
	p.returnURL = c.returnURL
	if c.noAction && !c.offSession && s.wantsCustomer(m, false) {
		e := wrong("payment_intent_action_required", "", "This payment required an authentication action to complete, but error_on_requires_action was set.")
		e.status, e.kind, e.intent = 402, cardError, p
		return e
	}
	e := s.try(p, m, c.offSession)
	if e == nil {
		return nil
	}
	shown := *e
	shown.intent = p
	return &shown
}

func (s *Sim) captureIntent(f *form, id string) step {
	amount, some := f.integer("amount_to_capture")
	if some && amount < 1 {
		f.fail(wrong("parameter_invalid_integer", "amount_to_capture", "This value must be greater than or equal to 1."))
	}
	f.ignore("metadata", "statement_descriptor", "statement_descriptor_suffix", "final_capture")
	return func() (obj, *apiError) {
		p := s.intent(id)
		switch {
		case p == nil:
			return nil, missing("payment_intent", id, "")
		case p.status != requiresCapture:
			return nil, p.unexpected("capture")
		case amount > p.capturable:
			return nil, wrong("amount_too_large", "amount_to_capture", "The amount_to_capture is greater than the capturable amount (%d).", p.capturable)
		}
		if !some {
			amount = p.capturable
		}
		s.captured(p, amount)
		return p.json(), nil
	}
}

func (s *Sim) cancelIntent(f *form, id string) step {
	reason := f.word("cancellation_reason", "abandoned", "duplicate", "fraudulent", "requested_by_customer")
	return func() (obj, *apiError) {
		p := s.intent(id)
		switch {
		case p == nil:
			return nil, missing("payment_intent", id, "")
		case p.session != nil && p.session.status == "open":
			return nil, byCheckout(p)
		case p.status == succeeded || p.status == canceled || p.status == processing:
			return nil, p.unexpected("cancel")
		}
		s.cancel(p, reason)
		return p.json(), nil
	}
}

// byCheckout says that only the session may end its intent.
func byCheckout(p *intent) *apiError {
	e := wrong("payment_intent_unexpected_state", "", "You cannot perform this action on PaymentIntents created by Checkout. Expire the Checkout Session instead.")
	e.intent = p
	return e
}

func (p *intent) unexpected(verb string) *apiError {
	e := wrong("payment_intent_unexpected_state", "", "You cannot %s this PaymentIntent because it has a status of %s.", verb, p.status)
	e.intent = p
	return e
}

func (s *Sim) getIntent(_ *form, id string) step {
	return func() (obj, *apiError) {
		if p := s.intent(id); p != nil {
			return p.json(), nil
		}
		return nil, missing("payment_intent", id, "")
	}
}

func (s *Sim) listIntents(f *form, _ string) step {
	customerID, l := f.text("customer", 255), f.listing()
	return func() (obj, *apiError) {
		var all []entry
		for _, p := range s.intents {
			if customerID == "" || p.customer != nil && p.customer.id == customerID {
				all = append(all, entry{p.id, p.createdAt, p.json})
			}
		}
		return l.show("/v1/payment_intents", all)
	}
}

func (s *Sim) intent(id string) *intent {
	for _, p := range s.named.intents[id] {
		if p.id == id {
			return p
		}
	}
	return nil
}

func (p *intent) link() link {
	if p == nil {
		return link{}
	}
	return link{id: p.id, open: p.json}
}

func (p *intent) json() obj {
	o := obj{
		"id": p.id, "object": "payment_intent", "livemode": false, "client_secret": p.secret,
		"status": p.status, "amount": p.amount, "amount_capturable": p.capturable, "amount_received": p.received,
		"currency": p.currency, "description": orNull(p.description), "metadata": maps.Clone(p.metadata),
		"payment_method_types": p.methods, "payment_method": p.method.link(), "customer": p.customer.link(),
		"capture_method": "automatic_async", "confirmation_method": "automatic", "setup_future_usage": orNull(p.futureUse),
		"latest_charge": p.latest.link(), "last_payment_error": nil, "next_action": nil, "processing": nil,
		"created": p.createdAt.Unix(), "canceled_at": unix(p.canceledAt), "cancellation_reason": orNull(p.cancelReason),
		"receipt_email": orNull(p.receiptEmail), "automatic_payment_methods": nil, "review": nil, "shipping": nil,
		"statement_descriptor": nil, "payment_method_options": obj{}, "amount_details": obj{"tip": obj{}},
	}
	if p.capture != "" {
		o["capture_method"] = p.capture
	}
	if p.automatic {
		o["automatic_payment_methods"] = obj{"enabled": true, "allow_redirects": "always"}
	}
	if p.lastError != nil {
		o["last_payment_error"] = p.lastError.bare()
	}
	if p.status == requiresAction {
		o["next_action"] = p.nextAction()
	}
	return o
}

// nextAction says what the customer must do now.
func (p *intent) nextAction() obj {
	switch {
	case p.method.tool.later:
		return obj{"type": "konbini_display_details", "konbini_display_details": obj{"expires_at": p.createdAt.Add(konbiniLife).Unix(), "hosted_voucher_url": p.url, "stores": obj{}}}
	case p.returnURL == "" && p.session == nil:
		return obj{"type": "use_stripe_sdk", "use_stripe_sdk": obj{"type": "three_d_secure_redirect", "stripe_js": p.url}}
	}
	return obj{"type": "redirect_to_url", "redirect_to_url": obj{"url": p.url, "return_url": orNull(p.returnURL)}}
}
