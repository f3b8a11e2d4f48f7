package stripesim

import (
	"maps"
	"slices"
	"time"
)

// charge is one try to take money with one method.
type charge struct {
	sim         *Sim // for the present, under its lock
	id          string
	intent      *intent
	method      *method
	details     obj    // of the method as it was
	status      string // succeeded, pending, failed
	amount      int64
	captured    int64
	refunded    int64
	disputed    bool
	refusal     *apiError
	transaction string // identifier of the balance transaction
	createdAt   time.Time
	capturedAt  time.Time // zero until then
	feeAt       time.Time // when the balance transaction appears
}

const konbiniLife = 3 * 24 * time.Hour

// try lets the customer, or we off session, pay an intent with a method. It
// returns the bank's no.
func (s *Sim) try(p *intent, m *method, offSession bool) *apiError {
	p.method, p.lastError = m, nil
	asks := s.wantsCustomer(m, offSession)
	if asks && s.askNext > 0 {
		s.askNext--
	}
	switch {
	case asks && offSession:
		return s.refused(p, authenticationRequired)
	case asks:
		p.status = requiresAction
		s.emit("payment_intent.requires_action", p.json())
		return nil
	case m.tool.later:
		p.status = requiresAction
		s.emit("payment_intent.requires_action", p.json())
		s.complete(p)
		return nil
	}
	return s.debit(p)
}

// wantsCustomer reports whether the bank wants the customer for a try: a card
// that was set up for it is not asked for off session.
func (s *Sim) wantsCustomer(m *method, offSession bool) bool {
	return m.tool.authenticates && (!offSession || !m.tool.settled) || m.tool.kind == "card" && s.askNext > 0
}

// refused is the bank's no for a reason of its own.
func (s *Sim) refused(p *intent, decline string) *apiError {
	t := refusing("", decline)
	return s.decline(p, &apiError{status: 402, kind: cardError, code: t.code, decline: decline, message: t.says, method: p.method})
}

// debit asks the bank. The customer has done all that was asked.
func (s *Sim) debit(p *intent) *apiError {
	switch {
	case len(s.refuseNext) > 0:
		code := s.refuseNext[0]
		s.refuseNext = s.refuseNext[1:]
		return s.refused(p, code)
	case s.declineNext > 0:
		s.declineNext--
		return s.refused(p, "generic_decline")
	case p.method.expired(s.now):
		return s.refused(p, "expired_card")
	case p.method.tool.code != "":
		return s.decline(p, p.method.refusal())
	case s.pendNext > 0:
		s.pendNext--
		s.charge(p, "pending")
		p.status = processing
		s.emit("charge.pending", p.latest.json())
		s.emit("payment_intent.processing", p.json())
		s.complete(p)
		return nil
	case p.manual:
		s.charge(p, "succeeded")
		p.status, p.capturable = requiresCapture, p.amount
		s.authorised = append(s.authorised, p)
		s.emit("charge.succeeded", p.latest.json())
		s.emit("payment_intent.amount_capturable_updated", p.json())
		s.keepMethod(p)
		s.complete(p)
		return nil
	}
	s.charge(p, "succeeded")
	s.captured(p, p.amount)
	return nil
}

// charge writes down a try.
func (s *Sim) charge(p *intent, status string) *charge {
	ch := &charge{sim: s, id: s.newID("ch_3", 23), intent: p, method: p.method, details: p.method.chargeDetails(), status: status, amount: p.amount, createdAt: s.now}
	p.latest = ch
	p.charges = append(p.charges, ch)
	s.charges = append(s.charges, ch)
	s.named.intents[ch.id] = []*intent{p}
	return ch
}

// captured takes money that was charged or authorised.
func (s *Sim) captured(p *intent, amount int64) {
	ch, authorised := p.latest, p.status == requiresCapture
	ch.status, ch.captured, ch.capturedAt, ch.feeAt = "succeeded", amount, s.now, s.now.Add(s.cfg.FeeDelay)
	ch.transaction = s.newID("txn_3", 23)
	p.status, p.received, p.capturable = succeeded, amount, 0
	s.keepMethod(p)
	if authorised {
		s.emit("charge.captured", ch.json())
	} else {
		s.emit("charge.succeeded", ch.json())
	}
	s.emit("payment_intent.succeeded", p.json())
	s.complete(p)
}

// keepMethod saves the method with the customer where that was agreed.
func (s *Sim) keepMethod(p *intent) {
	m := p.method
	m.used = true
	if cs := p.session; cs != nil && cs.newCustomer && p.customer == nil {
		p.customer = s.newCustomer(cs.customerEmail, "", map[string]string{})
		cs.customer = p.customer
	}
	if p.futureUse == "off_session" && m.tool.settles {
		m.tool.settled = true
	}
	ticked := p.session != nil && p.session.saving.ticked
	if (p.futureUse == "" && !ticked) || p.customer == nil || p.customer.deleted || m.customer != nil {
		return
	}
	switch {
	case ticked:
		m.redisplay = "always"
	case p.session != nil && p.session.saving.redisplay != "":
		m.redisplay = p.session.saving.redisplay
	case p.session != nil:
		m.redisplay = "limited"
	}
	s.attach(m, p.customer)
}

// complete tells the session how its intent fares.
func (s *Sim) complete(p *intent) {
	cs := p.session
	if cs == nil {
		return
	}
	if p.status == succeeded {
		cs.paymentStatus = "paid"
	}
	if cs.status == "open" {
		cs.status = "complete"
		s.emit("checkout.session.completed", cs.json())
	}
}

// decline writes a refused try down. The intent is as before and may be tried
// again.
func (s *Sim) decline(p *intent, e *apiError) *apiError {
	ch := s.charge(p, "failed")
	ch.refusal = e
	e.charge = ch.id
	s.emit("charge.failed", ch.json())
	s.fail(p, e)
	return e
}

// fail returns an intent to where another method may be tried.
func (s *Sim) fail(p *intent, e *apiError) {
	p.status, p.method, p.lastError = requiresMethod, nil, e
	s.emit("payment_intent.payment_failed", p.json())
}

// cancel ends an intent; an authorisation is released.
func (s *Sim) cancel(p *intent, reason string) {
	if p.status == requiresCapture {
		ch := p.latest
		ch.refunded = ch.amount // what Stripe shows of a released authorisation
		s.emit("charge.refunded", ch.json())
	}
	p.status, p.capturable, p.canceledAt, p.cancelReason = canceled, 0, s.now, reason
	s.emit("payment_intent.canceled", p.json())
}

// settle ends what was waited for: a pending charge, or a konbini slip. The
// session is complete already, so it has events of its own for this.
func (s *Sim) settle(p *intent, paid bool) {
	if p.status == requiresAction {
		s.charge(p, "pending")
	}
	told := "checkout.session.async_payment_succeeded"
	if paid {
		s.captured(p, p.amount)
	} else {
		told = "checkout.session.async_payment_failed"
		e := &apiError{
			kind: invalidRequest, code: "payment_intent_payment_attempt_failed",
			message: "The payment attempt failed.", method: p.method, charge: p.latest.id,
		}
		p.latest.status, p.latest.refusal = "failed", e
		s.emit("charge.failed", p.latest.json())
		s.fail(p, e)
	}
	if p.session != nil {
		s.emit(told, p.session.json())
	}
}

// feeOf is 3.6 % rounded half up: the list price of cards in Japan.
func feeOf(amount int64) int64 { return (amount*36 + 500) / 1000 }

func (s *Sim) getCharge(_ *form, id string) step {
	return func() (obj, *apiError) {
		for _, p := range s.named.intents[id] {
			for _, ch := range p.charges {
				if ch.id == id {
					return ch.json(), nil
				}
			}
		}
		return nil, missing("charge", id, "")
	}
}

func (s *Sim) listCharges(f *form, _ string) step {
	intentID, l := f.text("payment_intent", 255), f.listing()
	return func() (obj, *apiError) {
		charges := s.charges
		if intentID != "" {
			p := s.intent(intentID)
			if p == nil {
				return nil, missing("payment_intent", intentID, "payment_intent")
			}
			charges = p.charges
		}
		var all []entry
		for _, ch := range charges {
			all = append(all, entry{ch.id, ch.createdAt, ch.json})
		}
		return l.show("/v1/charges", all)
	}
}

func (s *Sim) getTransaction(_ *form, id string) step {
	return func() (obj, *apiError) {
		i := slices.IndexFunc(s.charges, func(ch *charge) bool { return ch.transaction == id && !s.now.Before(ch.feeAt) })
		if i < 0 {
			return nil, missing("balance transaction", id, "")
		}
		return s.charges[i].transactionJSON(), nil
	}
}

func (ch *charge) link() link {
	if ch == nil {
		return link{}
	}
	return link{id: ch.id, open: ch.json}
}

func (ch *charge) json() obj {
	p := ch.intent
	o := obj{
		"id": ch.id, "object": "charge", "livemode": false, "created": ch.createdAt.Unix(),
		"amount": ch.amount, "amount_captured": ch.captured, "amount_refunded": ch.refunded, "currency": p.currency,
		"captured": !ch.capturedAt.IsZero(), "paid": ch.status == "succeeded", "status": ch.status,
		"refunded": ch.refunded > 0 && ch.refunded >= max(ch.captured, 1), "disputed": ch.disputed,
		"payment_intent": p.link(), "customer": p.customer.link(), "metadata": maps.Clone(p.metadata),
		"description": orNull(p.description), "balance_transaction": ch.transactionLink(),
		"payment_method": ch.method.id, "payment_method_details": ch.details,
		"failure_code": nil, "failure_message": nil, "failure_balance_transaction": nil,
		"outcome":         obj{"network_status": "approved_by_network", "type": "authorized", "reason": nil, "risk_level": "normal", "seller_message": "Payment complete."},
		"billing_details": obj{"email": nil, "name": nil, "phone": nil, "address": nil}, "receipt_url": nil, "receipt_email": orNull(p.receiptEmail), "review": nil,
	}
	if e := ch.refusal; e != nil {
		o["failure_code"], o["failure_message"] = e.code, e.message
		o["outcome"] = obj{"network_status": "declined_by_network", "type": "issuer_declined", "reason": orNull(e.decline), "risk_level": "normal", "seller_message": e.message}
	}
	return o
}

// transactionLink is null until Stripe has booked the charge.
func (ch *charge) transactionLink() any {
	if ch.transaction == "" || ch.sim.now.Before(ch.feeAt) {
		return link{}
	}
	return link{id: ch.transaction, open: ch.transactionJSON}
}

func (ch *charge) transactionJSON() obj {
	fee := feeOf(ch.captured)
	return obj{
		"id": ch.transaction, "object": "balance_transaction", "type": "charge", "reporting_category": "charge", "source": ch.id,
		"amount": ch.captured, "fee": fee, "net": ch.captured - fee, "currency": ch.intent.currency, "exchange_rate": nil,
		"fee_details": []any{obj{"amount": fee, "currency": ch.intent.currency, "description": "Stripe processing fees", "type": "stripe_fee", "application": nil}},
		"created":     ch.capturedAt.Unix(), "available_on": ch.capturedAt.Add(4 * 24 * time.Hour).Unix(), "status": "pending", "balance_type": "payments",
	}
}
