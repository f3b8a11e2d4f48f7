package app

import (
	"errors"
	"fmt"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/smsbridge"
)

// SMS is the bridge that takes our SMS, and to whom codes go by SMS. Countries are a
// matter of money: see docs/sms-contract.md.
type SMS struct {
	URL        string   `name:"url" help:"Address of a bridge to an SMS gateway, that speaks docs/sms-contract.md. Unset: nothing goes by SMS, and nobody signs in with a telephone number." placeholder:"URL"`
	Secret     Secret   `help:"The key shared with it, whsec_…; two with a space between while it is being changed, the newest first." placeholder:"SECRET"`
	Countries  []string `default:"JP,KR,CN,TW,HK,MO,SG,US" help:"Countries (ISO 3166) whose numbers can be registered and get codes; the first is offered first. Every other is refused: there are people who earn by having codes sent to numbers of theirs." placeholder:"COUNTRY"`
	PerHour    int64    `help:"How many codes go by SMS in an hour, to everybody; 0: 300." placeholder:"N"`
	PerCountry int64    `help:"How many of them to the numbers of one country; 0: a third." placeholder:"N"`
}

// check reports what is wrong with the configuration of SMS.
func (s SMS) check() error {
	if err := together("sms", map[string]bool{"url": s.URL != "", "secret": s.Secret != ""}); err != nil || s.URL == "" {
		return err
	}
	_, err := smsbridge.New(smsbridge.Config{URL: s.URL, Secret: string(s.Secret)}, nil)
	if err != nil {
		err = fmt.Errorf("--sms-url, --sms-secret: %w", err)
	}
	if wrong := s.codes().Check(); wrong != nil {
		err = errors.Join(err, fmt.Errorf("--sms-countries: %w", wrong))
	}
	return err
}

// codes says to whom codes go by SMS; nil: to nobody.
func (s SMS) codes() *account.SMS {
	if s.URL == "" {
		return nil
	}
	return &account.SMS{Countries: s.Countries, PerHour: s.PerHour, PerCountry: s.PerCountry}
}

// sms builds the adapter to the bridge.
func (a *Adapters) sms(c Config, env Env) error {
	if c.SMS.URL == "" {
		return nil
	}
	const perSecond = 10 // what small contracts with gateways allow
	d, err := smsbridge.New(smsbridge.Config{URL: c.SMS.URL, Secret: string(c.SMS.Secret), Now: env.Now}, env.client("sms", perSecond))
	if err != nil {
		return wrap("smsbridge", err)
	}
	a.Deliverers[message.SMS] = d
	return nil
}
