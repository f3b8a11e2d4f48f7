package antom

import (
	"context"
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	// settles is how long after its end a payment that Antom does not know was
	// certainly never made.
	settles = 5 * time.Minute

	// longest is how long a page lives at most: what Antom gives by itself
	// (pm/default_timeout). Longer ones are documented nowhere.
	longest = 14 * time.Minute

	// maxAddress is how long an address may be that is given to Antom.
	maxAddress = 1024
)

// order is what is asked for; the names are Antom's.
type order struct {
	ProductCode       string        `json:"productCode"`
	PaymentRequestID  string        `json:"paymentRequestId"`
	Order             details       `json:"order"`
	PaymentAmount     amount        `json:"paymentAmount"`
	PaymentMethod     paymentMethod `json:"paymentMethod"`
	PaymentExpiryTime string        `json:"paymentExpiryTime"`
	RedirectURL       string        `json:"paymentRedirectUrl,omitempty"`
	NotifyURL         string        `json:"paymentNotifyUrl"`
	Settle            *settlement   `json:"settlementStrategy,omitempty"`
	Env               env           `json:"env"`
}

type details struct {
	ReferenceOrderID string `json:"referenceOrderId"`
	OrderDescription string `json:"orderDescription"`
	OrderAmount      amount `json:"orderAmount"`
}

type paymentMethod struct {
	Type string `json:"paymentMethodType"`
}

type settlement struct {
	Currency string `json:"settlementCurrency"`
}

// env is where the customer sits. A browser on a phone (WAP) must come with its
// system, which we do not know: Antom is told ANDROID, and of its links only
// those to a page are used, which do not differ.
type env struct {
	TerminalType string `json:"terminalType"`
	OSType       string `json:"osType,omitempty"`
	ClientIP     string `json:"clientIp,omitempty"`
}

// named is a question or a cancellation, by our reference.
type named struct {
	PaymentRequestID string `json:"paymentRequestId"`
}

// Start implements [payment.Provider].
//
// Once the page's time is over it sends nothing, so that nothing can be opened
// later, and only looks. It looks, too, when Antom refuses, or says that all is
// done: the payment may be there from before.
func (a *Adapter) Start(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	o, err := a.order(at)
	if err != nil || !a.Limits().Takes(at.Rail, at.Amount) {
		return dead(at, payment.NotAccepted, "not_in_limits", asOf), nil
	}
	if !asOf.Before(pageEnd(at)) {
		return a.Query(ctx, at)
	}
	r, f := a.do(ctx, "pay", o)
	switch {
	case f != nil:
		return payment.Observation{}, f.acted("start")
	case r.status == perhaps && r.code == inProcess:
		obs, why := opened(at, r.body, asOf)
		if why != "" {
			return payment.Observation{}, strange("start", payment.ErrUnknown, why)
		}
		return obs, nil
	case r.status == perhaps:
		return payment.Observation{}, r.said("start", payment.ErrUnknown)
	}
	obs, err := a.look(ctx, at, "start", payment.ErrUnknown)
	switch {
	case err != nil:
		return payment.Observation{}, err
	case r.status == no && obs.State == payment.Unknown && !taken(r.code):
		return dead(at, refusedStart(r.code), r.code, asOf), nil
	case r.status == yes && obs.State == payment.NeedsCustomer:
		if shown, why := opened(at, r.body, asOf); why == "" {
			return shown, nil
		}
	}
	return obs, nil
}

// order follows from the attempt alone, so that a repeated Start is the same
// request byte for byte.
func (a *Adapter) order(at payment.Attempt) (order, error) {
	sum, err := toAmount(at.Amount)
	o := order{
		ProductCode: "CASHIER_PAYMENT", PaymentRequestID: at.Ref, PaymentAmount: sum,
		Order:             details{ReferenceOrderID: at.Ref, OrderDescription: plain(at.Description, 256), OrderAmount: sum},
		PaymentMethod:     paymentMethod{methods[at.Rail].name},
		PaymentExpiryTime: pageEnd(at).Format(time.RFC3339),
		NotifyURL:         a.notify,
		Env:               env{TerminalType: "WEB"},
	}
	if o.Order.OrderDescription == "" {
		o.Order.OrderDescription = at.Ref
	}
	if len(at.ReturnURL) <= maxAddress {
		o.RedirectURL = at.ReturnURL
	}
	if at.Device == payment.Phone {
		o.Env.TerminalType, o.Env.OSType = "WAP", "ANDROID"
	}
	if ip, err := netip.ParseAddr(at.ClientIP); err == nil && ip.Zone() == "" {
		o.Env.ClientIP = ip.Unmap().String()
	}
	if a.settle != "" {
		o.Settle = &settlement{string(a.settle)}
	}
	return o, err
}

// pageEnd is after when Antom takes no payment: whole seconds.
func pageEnd(at payment.Attempt) time.Time {
	end := at.ExpiresAt
	if latest := at.CreatedAt.Add(longest); end.After(latest) {
		end = latest
	}
	return end.UTC().Truncate(time.Second)
}

// plain is s in one line, without control characters and what is not in the
// first plane, and not longer than n.
func plain(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r > 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	runes := []rune(strings.Join(strings.Fields(s), " "))
	return strings.TrimSpace(string(runes[:min(len(runes), n)]))
}

// opened reads the answer with which a payment is made. why is not empty if it
// is another's, or has no page.
func opened(at payment.Attempt, body []byte, asOf time.Time) (obs payment.Observation, why string) {
	var made struct {
		PaymentRequestID string  `json:"paymentRequestId"`
		PaymentID        string  `json:"paymentId"`
		PaymentAmount    *amount `json:"paymentAmount"`
		NormalURL        string  `json:"normalUrl"`
		ApplinkURL       string  `json:"applinkUrl"`
	}
	if json.Unmarshal(body, &made) != nil || !isName(made.PaymentID) {
		return obs, "Antom answered with a payment that makes no sense"
	}
	if made.PaymentRequestID != at.Ref || at.ProviderID != "" && made.PaymentID != at.ProviderID {
		return obs, "Antom answered with another payment"
	}
	if made.PaymentAmount != nil {
		if m, err := made.PaymentAmount.money(); err != nil || m != at.Amount {
			return obs, "Antom answered with another amount"
		}
	}
	page := made.NormalURL
	if page == "" { // leads to a page where there is no app
		page = made.ApplinkURL
	}
	u, err := url.Parse(page)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return obs, "Antom answered without a page for the customer"
	}
	return payment.Observation{
		State: payment.NeedsCustomer, ProviderID: made.PaymentID, MoneyID: at.MoneyID, Amount: at.Amount,
		Next: payment.Next{RedirectURL: page}, AsOf: asOf,
	}, ""
}

// Resume implements [payment.Provider]. Antom takes the money by itself, and the
// customer brings nothing along.
func (a *Adapter) Resume(ctx context.Context, at payment.Attempt, _ url.Values) (payment.Observation, error) {
	return a.Query(ctx, at)
}

// Query implements [payment.Provider].
func (a *Adapter) Query(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	return a.look(ctx, at, "query", payment.ErrNotSent)
}

// look is Query on behalf of a call; its errors wrap kind.
//
// A payment that is not there means Unknown as long as a Start that is still
// under way could make it, and Dead afterwards.
func (a *Adapter) look(ctx context.Context, at payment.Attempt, call string, kind error) (payment.Observation, error) {
	asOf := a.now().UTC()
	r, f := a.do(ctx, "inquiryPayment", named{at.Ref})
	switch {
	case f != nil:
		return payment.Observation{}, f.as(call, kind)
	case r.status == no && r.code == noOrder && at.MoneyID == "":
		obs := payment.Observation{State: payment.Unknown, ProviderID: at.ProviderID, Amount: at.Amount, AsOf: asOf}
		if asOf.After(pageEnd(at).Add(settles)) {
			obs.State, obs.Reason, obs.Code = payment.Dead, payment.TooLate, r.code
		}
		return obs, nil
	case r.status != yes:
		return payment.Observation{}, r.said(call, kind)
	}
	obs, why := observe(at, r.body, asOf)
	if why != "" {
		return payment.Observation{}, strange(call, kind, why)
	}
	return obs, nil
}

// Abandon implements [payment.Provider]. It looks before it cancels: see the
// package comment. A payment that is not there is made first, so that a Start
// under way finds its name taken by one that is cancelled.
func (a *Adapter) Abandon(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	obs, err := a.Query(ctx, at)
	if err == nil && obs.State == payment.Unknown {
		obs, err = a.Start(ctx, at)
	}
	if err != nil || obs.State.Final() || obs.State == payment.Unknown {
		return obs, err
	}
	if at.ProviderID == "" {
		at.ProviderID = obs.ProviderID
	}
	asOf := a.now().UTC()
	r, f := a.do(ctx, "cancel", named{at.Ref})
	switch {
	case f != nil:
		return payment.Observation{}, f.acted("abandon")
	case r.status == perhaps:
		return payment.Observation{}, r.said("abandon", payment.ErrUnknown)
	case r.status == no:
		return a.look(ctx, at, "abandon", payment.ErrUnknown)
	}
	var canceled struct {
		PaymentRequestID string `json:"paymentRequestId"`
		PaymentID        string `json:"paymentId"`
	}
	if json.Unmarshal(r.body, &canceled) != nil || canceled.PaymentRequestID != at.Ref || canceled.PaymentID != at.ProviderID {
		return payment.Observation{}, strange("abandon", payment.ErrUnknown, "Antom answered that it cancelled another payment")
	}
	return dead(at, payment.Abandoned, "CANCELLED", asOf), nil
}

func dead(at payment.Attempt, why payment.Reason, code string, asOf time.Time) payment.Observation {
	return payment.Observation{
		State: payment.Dead, ProviderID: at.ProviderID, MoneyID: at.MoneyID, Amount: at.Amount, Reason: why, Code: code, AsOf: asOf,
	}
}
