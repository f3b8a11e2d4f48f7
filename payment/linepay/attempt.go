package linepay

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	// startWithin is how long after it was stored an attempt may be started, so
	// that it is known when a request whose answer was lost is over.
	startWithin = 5 * time.Minute

	// agreeWithin is how long a customer has from the request to their
	// agreement: code 0121 of the call check.
	agreeWithin = 20 * time.Minute

	// patience is how long an attempt without an end can be confirmed.
	patience = time.Hour
)

// requested is a payment request
// (https://developers-pay.line.me/online-api-v3/request-payment).
type requested struct {
	Amount       json.Number  `json:"amount"`
	Currency     string       `json:"currency"`
	OrderID      string       `json:"orderId"`
	Packages     []parcel     `json:"packages"`
	RedirectURLs redirectURLs `json:"redirectUrls"`
	Options      options      `json:"options"`
}

type parcel struct {
	ID       string      `json:"id"`
	Amount   json.Number `json:"amount"`
	Products []product   `json:"products"`
}

type product struct {
	Name     string      `json:"name"`
	Quantity int         `json:"quantity"`
	Price    json.Number `json:"price"`
}

type redirectURLs struct {
	ConfirmURL string `json:"confirmUrl"`
	CancelURL  string `json:"cancelUrl"`
}

type options struct {
	Payment struct {
		Capture bool `json:"capture"`
	} `json:"payment"`
	Display struct {
		Locale string `json:"locale"`
	} `json:"display"`
}

// Start implements [payment.Provider]. It asks for a payment once: LINE Pay
// takes an orderId once. An attempt that was stored too long ago is not sent any
// more; how it stands is what Query says.
func (a *Adapter) Start(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	no := payment.Observation{State: payment.Dead, Amount: at.Amount, AsOf: asOf}
	amount, err := a.scale.toWire(at.Amount)
	if err != nil || at.Rail != payment.LINEPay {
		no.Reason, no.Code = payment.NotAccepted, "not_in_limits"
		return no, nil
	}
	if !asOf.Before(at.CreatedAt.Add(startWithin)) {
		return a.Query(ctx, at)
	}
	got, f := a.ask(ctx, question{method: http.MethodPost, path: "/v3/payments/request", body: requestFor(at, amount)})
	switch {
	case f != nil:
		return payment.Observation{}, f.acted("start")
	case got.Code != fine:
		no.Reason, no.Code = reasonOf(got.Code), got.Code
		return no, nil
	}
	obs, ok := opened(at, got.Info, asOf)
	if !ok {
		return payment.Observation{}, strange("start", payment.ErrUnknown, "LINE Pay answered without a transaction or a page")
	}
	return obs, nil
}

func requestFor(at payment.Attempt, amount json.Number) requested {
	name := clip(at.Description, 100)
	if name == "" {
		name = at.Ref
	}
	r := requested{
		Amount: amount, Currency: string(at.Amount.Currency), OrderID: at.Ref,
		Packages:     []parcel{{ID: "1", Amount: amount, Products: []product{{Name: name, Quantity: 1, Price: amount}}}},
		RedirectURLs: redirectURLs{ConfirmURL: at.ReturnURL, CancelURL: at.CancelURL},
	}
	if r.RedirectURLs.CancelURL == "" {
		r.RedirectURLs.CancelURL = at.ReturnURL // LINE Pay wants both
	}
	r.Options.Payment.Capture = true // with confirm; there is no step after it
	r.Options.Display.Locale = pageLanguage(at.Language)
	return r
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// pageLanguage is LINE Pay's word for a BCP 47 tag: options.display.locale.
func pageLanguage(tag string) string {
	base, rest, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	switch base {
	case "ja", "ko", "th":
		return base
	case "zh":
		for _, old := range []string{"hant", "tw", "hk", "mo"} {
			if strings.Contains(rest, old) {
				return "zh_TW"
			}
		}
		return "zh_CN"
	}
	return "en"
}

// opened reads the answer to a request: its transaction and where the customer
// agrees to it. A computer's page shows a code for the phone; a phone opens the
// app by its own link.
func opened(at payment.Attempt, info json.RawMessage, asOf time.Time) (payment.Observation, bool) {
	var got struct {
		TransactionID identifier `json:"transactionId"`
		PaymentURL    struct {
			Web string `json:"web"`
			App string `json:"app"`
		} `json:"paymentUrl"`
	}
	if json.Unmarshal(info, &got) != nil || got.TransactionID == "" || !leads(got.PaymentURL.Web, "https", "http") {
		return payment.Observation{}, false
	}
	obs := payment.Observation{
		State: payment.NeedsCustomer, ProviderID: string(got.TransactionID), Amount: at.Amount,
		Next: payment.Next{RedirectURL: got.PaymentURL.Web}, AsOf: asOf,
	}
	if at.Device == payment.Phone && leads(got.PaymentURL.App, "line", "https", "http") {
		obs.Next.AppURL = got.PaymentURL.App
	}
	return obs, true
}

// leads reports whether s is an absolute address with one of the schemes.
func leads(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return false
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme {
			return true
		}
	}
	return false
}

// Query implements [payment.Provider]. It only looks.
func (a *Adapter) Query(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	return a.look(ctx, "query", at)
}

// Abandon implements [payment.Provider]. No call closes a request, so it says
// how the attempt stands. Nothing is taken unless Resume takes it.
func (a *Adapter) Abandon(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	return a.look(ctx, "abandon", at)
}

// look says how an attempt stands. What is not confirmed only the call check
// knows, by transaction; what is confirmed stands in the details, and for ever.
func (a *Adapter) look(ctx context.Context, call string, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	code := ""
	if at.ProviderID != "" && at.MoneyID == "" {
		var err error
		if code, err = a.check(ctx, call, at.ProviderID); err != nil {
			return payment.Observation{}, err
		}
	}
	obs := payment.Observation{State: payment.Unknown, ProviderID: at.ProviderID, Amount: at.Amount, AsOf: asOf}
	switch code {
	case "0121":
		obs.State, obs.Reason, obs.Code = payment.Dead, payment.Abandoned, code
		if !asOf.Before(at.CreatedAt.Add(agreeWithin)) {
			obs.Reason = payment.TooLate
		}
		return obs, nil
	case "0122":
		obs.State, obs.Reason, obs.Code = payment.Dead, payment.Declined, code
		return obs, nil
	case fine:
		obs.State = payment.NeedsCustomer
	case "0110":
		obs.State = payment.Approved
	}
	if obs.State != payment.Unknown && !over(at, asOf) {
		return obs, nil
	}
	s, found, err := a.details(ctx, call, at)
	switch {
	case err != nil:
		return payment.Observation{}, err
	case found:
		return s.observe(asOf), nil
	case code == "0123" || at.MoneyID != "":
		return payment.Observation{}, strange(call, payment.ErrNotSent, "LINE Pay does not show what was confirmed")
	case over(at, asOf):
		if code == "" {
			code = notThere
		}
		obs.State, obs.Reason, obs.Code = payment.Dead, payment.TooLate, code
	}
	return obs, nil
}

// takenUntil is when money is not wanted any more.
func takenUntil(at payment.Attempt) time.Time {
	if at.ExpiresAt.IsZero() {
		return at.CreatedAt.Add(patience)
	}
	return at.ExpiresAt
}

// over reports whether no call of ours can open or confirm the attempt any more,
// and none that did is still unseen.
func over(at payment.Attempt, now time.Time) bool {
	end := takenUntil(at)
	if agreed := at.CreatedAt.Add(startWithin + agreeWithin); end.Before(agreed) {
		end = agreed
	}
	return now.After(end.Add(settles))
}

// check asks how far a request has come
// (https://developers-pay.line.me/online-api-v3/check-payment-request-status):
// 0000 made, 0110 agreed to, 0121 cancelled or too late, 0122 failed, 0123
// confirmed, 1150 not there.
func (a *Adapter) check(ctx context.Context, call, id string) (code string, err error) {
	if !transaction(id) {
		return "", strange(call, payment.ErrNotSent, "the stored identifier is none of LINE Pay's")
	}
	got, f := a.ask(ctx, question{method: http.MethodGet, path: "/v3/payments/requests/" + id + "/check"})
	if f != nil {
		return "", f.unread(call)
	}
	switch got.Code {
	case fine, "0110", "0121", "0122", "0123", notThere:
		return got.Code, nil
	}
	return "", strange(call, payment.ErrNotSent, "LINE Pay checks a request and says "+got.Code)
}
