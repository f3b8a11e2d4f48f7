package app

import (
	"fmt"
	"slices"

	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/stripe"
)

// payments builds the payment providers that the configuration names, and says
// which of them takes which way to pay. This is the list of all there are.
func (a *Adapters) payments(c Config, env Env, ids *id.Source) error {
	if c.Stripe.Key != "" {
		s, err := stripe.New(stripe.Config{
			Key: string(c.Stripe.Key), WebhookSecrets: plain(c.Stripe.WebhookSecret), Rails: c.Stripe.Rails,
		}, env.client("stripe", 0), env.Now)
		if err != nil {
			return wrap("stripe", err)
		}
		a.pays(s, "https://checkout.stripe.com")
	}
	return a.chooseRails(c.Rail)
}

// pays adds a provider, with the origins of its pages.
func (a *Adapters) pays(p payment.Provider, origins ...string) {
	a.Providers[p.Name()] = p
	a.order = append(a.order, p.Name())
	a.PayOrigins = append(a.PayOrigins, origins...)
}

// chooseRails gives each rail to the provider that the seller chose, else to
// the first that has it.
func (a *Adapters) chooseRails(chosen map[payment.Rail]string) error {
	for _, name := range a.order {
		for _, rail := range a.Providers[name].Limits().Rails {
			if a.Rails[rail] == "" {
				a.Rails[rail] = name
			}
		}
	}
	for rail, name := range chosen {
		p, ok := a.Providers[name]
		if !ok {
			return fmt.Errorf("--rail %s=%s: %s is not configured", rail, name, name)
		}
		if !slices.Contains(p.Limits().Rails, rail) {
			return fmt.Errorf("--rail %s=%s: %s has only %v", rail, name, name, p.Limits().Rails)
		}
		a.Rails[rail] = name
	}
	return nil
}
