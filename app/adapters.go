package app

import (
	"fmt"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/airalo"
	"github.com/tsuzuku/tsuzuku/carrier/cmi"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess"
	"github.com/tsuzuku/tsuzuku/carrier/esimgo"
	"github.com/tsuzuku/tsuzuku/carrier/manual"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/smtp"
	"github.com/tsuzuku/tsuzuku/payment"
)

// signedHook ends the webhook address of an operator that signs what it tells: it
// need not be secret.
const signedHook = "signed"

// Real builds the adapters that the configuration names. This is the list of
// all there are, with providers.go; nothing registers itself.
func Real(c Config, env Env, ids *id.Source) (Adapters, error) {
	a := Adapters{
		Carriers: map[string]carrier.Carrier{}, Providers: map[string]payment.Provider{}, Rails: map[payment.Rail]string{},
		Deliverers: map[message.Channel]message.Deliverer{}, CarrierHooks: map[string]string{},
	}
	if err := a.allOperators(c, env, ids); err != nil {
		return a, err
	}
	if err := a.smdp(c, env, ids); err != nil {
		return a, err
	}
	if err := a.payments(c, env, ids); err != nil {
		return a, err
	}
	if c.Mail.Host != "" {
		m, err := smtp.New(smtp.Config{
			Host: c.Mail.Host, Port: c.Mail.Port, Security: c.Mail.Security, User: c.Mail.User,
			Password: string(c.Mail.Password), From: c.Mail.From, Now: env.Now,
		})
		if err != nil {
			return a, wrap("mail", err)
		}
		a.Deliverers[message.Email] = m
	}
	return a, a.sms(c, env)
}

// allOperators builds the adapters to operators of every kind.
func (a *Adapters) allOperators(c Config, env Env, ids *id.Source) error {
	a.operators(c, env, ids)
	if c.Manual.Within > 0 {
		m, err := manual.New(c.Manual.Within, env.Now)
		if err != nil {
			return fmt.Errorf("--manual-within: %w", err)
		}
		a.Carriers[m.Name()] = m
	}
	return a.remotes(c, env, ids)
}

// operators builds the adapters to operators that have an interface of their own.
func (a *Adapters) operators(c Config, env Env, ids *id.Source) {
	if c.ESIMAccess.AccessCode != "" {
		e := esimaccess.New(esimaccess.Config{
			AccessCode: string(c.ESIMAccess.AccessCode), SecretKey: string(c.ESIMAccess.SecretKey),
		}, env.client("esimaccess", 8), env.Now, nonce(ids))
		a.Carriers[e.Name()], a.CarrierHooks[e.Name()] = e, string(c.ESIMAccess.HookPath)
	}
	if c.Airalo.ClientID != "" {
		e := airalo.New(airalo.Config{ClientID: c.Airalo.ClientID, ClientSecret: string(c.Airalo.ClientSecret)}, env.client("airalo", 5), env.Now)
		a.Carriers[e.Name()], a.CarrierHooks[e.Name()] = e, signedHook
	}
	if c.ESIMGo.APIKey != "" {
		e := esimgo.New(esimgo.Config{APIKey: string(c.ESIMGo.APIKey)}, env.client("esimgo", 10), env.Now)
		a.Carriers[e.Name()], a.CarrierHooks[e.Name()] = e, signedHook
	}
	if c.CMI.AppKey != "" {
		e := cmi.New(cmi.Config{
			AppKey: string(c.CMI.AppKey), AppSecret: string(c.CMI.AppSecret), BaseURL: c.CMI.Base, Resale: c.CMI.Resale, Currency: c.CMI.Currency,
		}, env.client("cmi", 5), env.Now, nonce(ids))
		a.Carriers[e.Name()], a.CarrierHooks[e.Name()] = e, signedHook
	}
}
