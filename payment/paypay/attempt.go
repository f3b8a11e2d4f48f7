package paypay

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/tsuzuku/tsuzuku/payment"
)

// codes is where codes are made and deleted.
const codes = "/v2/codes"

// codeOrder is what is asked for; the names are PayPay's. The seller's tags have
// no place in it.
type codeOrder struct {
	MerchantPaymentID string `json:"merchantPaymentId"`
	Amount            amount `json:"amount"`
	CodeType          string `json:"codeType"`
	OrderDescription  string `json:"orderDescription,omitempty"`
	IsAuthorization   bool   `json:"isAuthorization"`
	RedirectURL       string `json:"redirectUrl,omitempty"`
	RedirectType      string `json:"redirectType,omitempty"`
	RequestedAt       int64  `json:"requestedAt"`
	IPAddress         string `json:"ipAddress,omitempty"`
}

// Start implements [payment.Provider].
//
// Once the attempt is over it sends nothing, so that nothing can be opened
// later. It then looks, as Query does; and also when PayPay refuses, because the
// code may be there from before, or be paid already.
func (a *Adapter) Start(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	dead := payment.Observation{State: payment.Dead, Reason: payment.NotAccepted, Code: "not_in_limits", Amount: at.Amount, AsOf: asOf}
	ask, err := toYen(at.Amount)
	if err != nil || at.Rail != payment.PayPay {
		return dead, nil
	}
	if !asOf.Before(at.ExpiresAt) {
		return a.Query(ctx, at)
	}
	got, f := a.do(ctx, http.MethodPost, codes, "", newCode(at, ask))
	if f != nil {
		return payment.Observation{}, f.acted("start")
	}
	if got.no != "" {
		seen, err := a.look(ctx, at, "start", payment.ErrUnknown)
		if err != nil || seen.State != payment.Unknown || got.no == duplicate {
			return seen, err
		}
		dead.Reason, dead.Code = reasonOf(got.no), got.no
		return dead, nil
	}
	obs := payment.Observation{State: payment.NeedsCustomer, MoneyID: at.MoneyID, Amount: at.Amount, AsOf: asOf}
	var why string
	if obs.ProviderID, obs.Next, why = readCode(at, got.data); why != "" {
		return payment.Observation{}, strange("start", payment.ErrUnknown, why)
	}
	return obs, nil
}

// newCode follows from the attempt alone.
func newCode(at payment.Attempt, ask amount) codeOrder {
	c := codeOrder{
		MerchantPaymentID: at.Ref,
		Amount:            ask,
		CodeType:          "ORDER_QR",
		OrderDescription:  clip(at.Description, 255),
		RequestedAt:       at.CreatedAt.Unix(),
	}
	if at.ReturnURL != "" {
		c.RedirectURL, c.RedirectType = at.ReturnURL, "WEB_LINK"
	}
	if ip, err := netip.ParseAddr(at.ClientIP); err == nil {
		c.IPAddress = ip.Unmap().WithZone("").String()
	}
	return c
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// readCode reads a code that was made: its name, and the ways to it. why is not
// empty if it is not what was asked for.
func readCode(at payment.Attempt, data json.RawMessage) (id string, next payment.Next, why string) {
	var made struct {
		CodeID            string  `json:"codeId"`
		URL               string  `json:"url"`
		Deeplink          string  `json:"deeplink"`
		MerchantPaymentID string  `json:"merchantPaymentId"`
		Amount            *amount `json:"amount"`
	}
	if err := json.Unmarshal(data, &made); err != nil || !isName(made.CodeID) {
		return "", next, "PayPay answered with a code that makes no sense"
	}
	if m, err := made.Amount.money(); err != nil || m != at.Amount || made.MerchantPaymentID != at.Ref {
		return "", next, "PayPay answered with the code of another attempt"
	}
	page, err := url.Parse(made.URL)
	if err != nil || page.Host == "" || page.Scheme != "https" && page.Scheme != "http" {
		return "", next, "PayPay answered without a page for the customer"
	}
	next.RedirectURL = made.URL
	switch at.Device {
	case payment.Phone:
		if link, err := url.Parse(made.Deeplink); err == nil && link.Scheme != "" {
			next.AppURL = made.Deeplink
		}
	case payment.Computer:
		next.QR = made.URL
	case payment.AnyDevice:
	}
	return made.CodeID, next, ""
}

// Resume implements [payment.Provider]. PayPay takes the money by itself, and
// the customer brings nothing along.
func (a *Adapter) Resume(ctx context.Context, at payment.Attempt, _ url.Values) (payment.Observation, error) {
	return a.Query(ctx, at)
}

// Query implements [payment.Provider].
func (a *Adapter) Query(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	return a.look(ctx, at, "query", payment.ErrNotSent)
}

// look is Query on behalf of a call; its errors wrap kind.
func (a *Adapter) look(ctx context.Context, at payment.Attempt, call string, kind error) (payment.Observation, error) {
	asOf := a.now().UTC()
	got, f := a.do(ctx, http.MethodGet, codes+"/payments/"+url.PathEscape(at.Ref), "", nil)
	switch {
	case f != nil:
		return payment.Observation{}, f.as(call, kind)
	case got.no == noPayment:
		return a.absent(at, asOf), nil
	case got.no != "":
		return payment.Observation{}, refused(call, kind, got.no)
	}
	obs, why := observe(at, got.data, asOf)
	if why != "" {
		return payment.Observation{}, strange(call, kind, why)
	}
	return obs, nil
}

// Abandon implements [payment.Provider]. Whatever PayPay says to the deletion,
// the look afterwards decides: a code that is paid, gone or deleted before is
// refused, and one that was deleted may have been paid just before.
//
// A code whose codeId we do not know is asked for again. Where PayPay does not
// name it either, nobody can have been shown it, and it lapses.
func (a *Adapter) Abandon(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	unnamed := at.ProviderID == ""
	if unnamed {
		obs, err := a.Start(ctx, at)
		if err != nil || obs.State.Final() || obs.ProviderID == "" {
			return obs, err
		}
		at.ProviderID = obs.ProviderID
	}
	got, f := a.do(ctx, http.MethodDelete, codes+"/"+url.PathEscape(at.ProviderID), "", nil)
	if f != nil && unnamed { // the start has acted
		return payment.Observation{}, f.as("abandon", payment.ErrUnknown)
	}
	if f != nil {
		return payment.Observation{}, f.acted("abandon")
	}
	obs, err := a.look(ctx, at, "abandon", payment.ErrUnknown)
	if err == nil && got.no == "" && obs.State == payment.Dead && obs.Code == noPayment {
		obs.Reason = payment.Abandoned // by us, just now
	}
	return obs, err
}
