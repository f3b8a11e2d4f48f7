package stripesim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Shown is what the customer sees after an action.
type Shown struct {
	Redirect string // where the browser goes now; "" if the page stays
	Message  string // what the page says to the customer, "" if nothing
}

// What the page says when it has a step left, or nothing to offer.
const (
	saysAuthenticate = "Your bank wants to make sure that it is you."
	saysExpired      = "This page has expired. You were not charged."
	saysFailed       = "We are unable to authenticate your payment method. Choose a different one and try again."
)

// Pay pays with a card that is accepted. The name is that of a session, a
// payment intent, or one that we gave it: client_reference_id or a value in
// its metadata. Of several the newest open one is meant. It fails if there is
// nothing open by that name.
func (s *Sim) Pay(name string) (Shown, error) { return s.PayWith(name, "pm_card_visa") }

// Decline tries a card that the bank refuses.
func (s *Sim) Decline(name string) (Shown, error) { return s.PayWith(name, "pm_card_chargeDeclined") }

// PayWith is [Sim.Pay] with one of Stripe's test payment methods (pm_card_visa,
// pm_card_authenticationRequired …), with a rail (alipay, konbini …), or with a
// saved method that the session's page offers, by its identifier.
func (s *Sim) PayWith(name, tool string) (Shown, error) {
	s.enter()
	defer s.mu.Unlock()
	if cs := newest(s.named.sessions[name], func(cs *session) bool { return cs.status == "open" }); cs != nil {
		return s.submit(cs, tool, false)
	}
	p := newest(s.named.intents[name], func(p *intent) bool {
		return p.session == nil && slices.Contains([]string{requiresMethod, requiresConfirmation}, p.status)
	})
	if p == nil {
		return Shown{}, fmt.Errorf("stripesim: nothing open is called %q", name)
	}
	return s.enterFor(p, s.enterTool(tool))
}

// Authenticate answers the bank's question (3-D Secure) or finishes the step
// at another rail's own page: with yes, or in vain. It fails if nobody asked.
func (s *Sim) Authenticate(name string, ok bool) (Shown, error) {
	s.enter()
	defer s.mu.Unlock()
	p := newest(s.named.intents[name], (*intent).asks)
	if p == nil {
		return Shown{}, fmt.Errorf("stripesim: nobody asks the customer of %q anything", name)
	}
	return s.authenticated(p, ok), nil
}

// GiveUp returns where the page's way back leads. Nothing changes at Stripe:
// the session stays open until it expires, and the customer may come back. It
// fails if no session has that name.
func (s *Sim) GiveUp(name string) (Shown, error) {
	s.enter()
	defer s.mu.Unlock()
	cs := newest(s.named.sessions[name], func(*session) bool { return true })
	if cs == nil {
		return Shown{}, fmt.Errorf("stripesim: no session is called %q", name)
	}
	return Shown{Redirect: cs.cancelURL}, nil
}

// submit is the customer's press on the session's button, with the box for
// saving ticked or not.
func (s *Sim) submit(cs *session, tool string, save bool) (Shown, error) {
	if cs.status != "open" {
		return s.shown(cs), nil
	}
	m := newest(s.offeredTo(cs), func(m *method) bool { return m.id == tool })
	if t, known := tools[tool]; m == nil && (!known || !slices.Contains(cs.methods, t.kind)) {
		return Shown{}, fmt.Errorf("stripesim: the page does not offer %q", tool)
	}
	if m == nil {
		m = s.enterTool(tool)
	}
	cs.saving.ticked = save && cs.asksToSave()
	if cs.intent == nil {
		cs.intent = &intent{
			status:      requiresMethod,
			amount:      cs.amount,
			currency:    cs.currency,
			description: cs.forIntent.description,
			metadata:    cs.forIntent.metadata,
			methods:     cs.methods,
			manual:      cs.forIntent.captureMethod == "manual",
			capture:     cs.forIntent.captureMethod,
			futureUse:   cs.forIntent.futureUse,
			customer:    cs.customer,
			session:     cs,
		}
		s.addIntent(cs.intent)
	}
	return s.enterFor(cs.intent, m)
}

// enterFor gives an intent the method that the customer chose.
func (s *Sim) enterFor(p *intent, m *method) (Shown, error) {
	if m == nil || !slices.Contains(p.methods, m.tool.kind) {
		return Shown{}, errors.New("stripesim: the payment does not take what was chosen")
	}
	s.try(p, m, false) // a refusal is in p.lastError
	return s.shownFor(p), nil
}

// asks reports whether the customer has a step left that can be answered.
func (p *intent) asks() bool { return p != nil && p.status == requiresAction && !p.method.tool.later }

// authenticated goes on after the customer's extra step.
func (s *Sim) authenticated(p *intent, ok bool) Shown {
	if ok {
		s.debit(p) // a refusal is in p.lastError
	} else {
		s.decline(p, &apiError{
			status: 402, kind: invalidRequest, code: "payment_intent_authentication_failure",
			message: saysFailed, method: p.method,
		})
	}
	return s.shownFor(p)
}

func (s *Sim) shownFor(p *intent) Shown {
	if p.session != nil {
		return s.shown(p.session)
	}
	switch {
	case p.asks():
		return Shown{Message: saysAuthenticate}
	case p.returnURL != "":
		return Shown{Redirect: p.back()}
	case p.lastError != nil:
		return Shown{Message: p.lastError.message}
	}
	return Shown{}
}

// shown is what a session's page says in its present state.
func (s *Sim) shown(cs *session) Shown {
	switch {
	case cs.status == "complete":
		// Only the literal braces are replaced; encoded ones are not.
		return Shown{Redirect: strings.ReplaceAll(cs.successURL, "{CHECKOUT_SESSION_ID}", cs.id)}
	case cs.status == "expired":
		return Shown{Message: saysExpired}
	case cs.intent == nil:
		return Shown{}
	case cs.intent.asks():
		return Shown{Message: saysAuthenticate}
	case cs.intent.lastError != nil:
		return Shown{Message: cs.intent.lastError.message}
	}
	return Shown{}
}

// back is the return address of an intent, with what Stripe adds to it.
func (p *intent) back() string {
	outcome := "succeeded"
	if p.lastError != nil || p.status == canceled {
		outcome = "failed"
	}
	mark := "?"
	if strings.Contains(p.returnURL, "?") {
		mark = "&"
	}
	return p.returnURL + mark + "payment_intent=" + p.id + "&payment_intent_client_secret=" + p.secret + "&redirect_status=" + outcome
}

// newest returns the last of all that fits, nil without one.
func newest[T any](all []*T, fits func(*T) bool) *T {
	for _, v := range slices.Backward(all) {
		if fits(v) {
			return v
		}
	}
	return nil
}
