package wechatpay

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// refundOrder is what is asked for. The note is left out: WeChat Pay would show
// it to the customer.
type refundOrder struct {
	OutTradeNo  string       `json:"out_trade_no"`
	OutRefundNo string       `json:"out_refund_no"`
	NotifyURL   string       `json:"notify_url"`
	Amount      refundAmount `json:"amount"`
}

type refundAmount struct {
	Refund   int64  `json:"refund"`
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

// refund is what we read of a refund.
type refund struct {
	RefundID      string `json:"refund_id"`
	OutRefundNo   string `json:"out_refund_no"`
	OutTradeNo    string `json:"out_trade_no"`
	TransactionID string `json:"transaction_id"`
	Status        string `json:"status"`
	Amount        struct {
		Refund   *int64 `json:"refund"`
		Currency string `json:"currency"`
	} `json:"amount"`
}

// Refund implements [payment.Provider]. The same Ref is refunded once. What is
// refused is looked for before it is called failed: the refund may be there
// from before.
func (a *Adapter) Refund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	failed := payment.RefundObservation{State: payment.RefundFailed, Amount: r.Amount, Code: "not_in_limits", AsOf: asOf}
	part, err := toFen(r.Amount)
	if err != nil {
		return failed, nil
	}
	total, err := toFen(r.Attempt.Amount)
	if err != nil {
		return failed, nil
	}
	got, f := a.do(ctx, http.MethodPost, "/v3/refund/domestic/refunds", refundOrder{
		OutTradeNo: r.Attempt.Ref, OutRefundNo: r.Ref, NotifyURL: a.config.NotifyURL,
		Amount: refundAmount{Refund: part, Total: total, Currency: string(yuan)},
	})
	if f != nil {
		return payment.RefundObservation{}, f.acted("refund")
	}
	if got.no != "" {
		there, err := a.QueryRefund(ctx, r)
		if err != nil || there.Found {
			return there, err
		}
		failed.Code = got.no
		return failed, nil
	}
	obs, why := observeRefund(r, got, asOf)
	if why != "" {
		return payment.RefundObservation{}, strange("refund", payment.ErrUnknown, why)
	}
	return obs, nil
}

// QueryRefund implements [payment.Provider].
func (a *Adapter) QueryRefund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	got, f := a.do(ctx, http.MethodGet, "/v3/refund/domestic/refunds/"+url.PathEscape(r.Ref), nil)
	switch {
	case f != nil:
		return payment.RefundObservation{}, f.unread("query refund")
	case absent(got.no):
		return payment.RefundObservation{AsOf: asOf}, nil
	case got.no != "":
		return payment.RefundObservation{}, refused("query refund", got.no)
	}
	obs, why := observeRefund(r, got, asOf)
	if why != "" {
		return payment.RefundObservation{}, strange("query refund", payment.ErrNotSent, why)
	}
	return obs, nil
}

// observeRefund reads a refund; why is not empty if it is not r or makes no sense.
func observeRefund(r payment.Refund, got reply, asOf time.Time) (obs payment.RefundObservation, why string) {
	var said refund
	if got.status != http.StatusOK || json.Unmarshal(got.body, &said) != nil || said.RefundID == "" {
		return obs, "WeChat Pay answered with a refund that makes no sense"
	}
	switch {
	case said.OutRefundNo != r.Ref,
		said.OutTradeNo != r.Attempt.Ref,
		r.ProviderID != "" && said.RefundID != r.ProviderID,
		r.Attempt.MoneyID != "" && said.TransactionID != "" && said.TransactionID != r.Attempt.MoneyID:
		return obs, "WeChat Pay answered with another refund"
	}
	amount, err := fromFen(said.Amount.Refund, said.Amount.Currency)
	if err != nil {
		return obs, "WeChat Pay answered with an amount we cannot read"
	}
	obs = payment.RefundObservation{Found: true, ProviderID: said.RefundID, Amount: amount, AsOf: asOf}
	switch said.Status {
	case "PROCESSING":
		obs.State = payment.RefundSent
	case "SUCCESS":
		obs.State = payment.RefundDone
	case "CLOSED", "ABNORMAL": // no balance for a week; the customer's bank would not take it
		obs.State, obs.Code = payment.RefundFailed, said.Status
	default:
		return payment.RefundObservation{}, "WeChat Pay answered with a refund in no state we know"
	}
	return obs, ""
}
