package alipay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// refunding is the business part of a refund, and without its amount of the
// question for one. Alipay refunds once for each out_request_no.
type refunding struct {
	OutTradeNo   string `json:"out_trade_no"`
	OutRequestNo string `json:"out_request_no"`
	Amount       string `json:"refund_amount,omitempty"`
	Reason       string `json:"refund_reason,omitempty"`
}

// Refund implements [payment.Provider].
//
// The answer to a repeated call tells only that no money moved this time. What
// became of the refund is then asked for.
func (a *Adapter) Refund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	amount, err := toYuan(r.Amount)
	if err != nil {
		return payment.RefundObservation{State: payment.RefundFailed, Amount: r.Amount, Code: "not_in_limits", AsOf: asOf}, nil
	}
	got, err := a.act(ctx, "alipay.trade.refund", refunding{r.Attempt.Ref, r.Ref, amount, plain(r.Note, 256)})
	switch {
	case err != nil:
		return payment.RefundObservation{}, err
	case got.no == sellerPoor:
		return payment.RefundObservation{}, fmt.Errorf("alipay: refund: %w: %w", payment.ErrNotSent, errors.New(got.no))
	case got.no != "":
		return a.refused(ctx, r, got.no)
	}
	var made struct {
		OutTradeNo string `json:"out_trade_no"`
		TradeNo    string `json:"trade_no"`
		Changed    string `json:"fund_change"`
		Sum        yuan   `json:"refund_fee"` // of all refunds of the trade
	}
	if err := json.Unmarshal(got.body, &made); err != nil || made.OutTradeNo != r.Attempt.Ref ||
		r.Attempt.MoneyID != "" && made.TradeNo != r.Attempt.MoneyID {
		return payment.RefundObservation{}, strange("refund", payment.ErrUnknown, "Alipay answered that it refunded another trade")
	}
	obs := payment.RefundObservation{State: payment.RefundDone, ProviderID: r.Ref, Amount: r.Amount, AsOf: asOf}
	if sum, err := fromYuan(made.Sum); made.Changed == "Y" && err == nil && sum.Minor >= r.Amount.Minor {
		return obs, nil
	}
	there, err := a.QueryRefund(ctx, r)
	if err != nil {
		return payment.RefundObservation{}, fmt.Errorf("alipay: refund: %w: taken, and not seen", payment.ErrUnknown)
	}
	if there.Found {
		return there, nil
	}
	obs.State, obs.Code = payment.RefundSent, brief("fund_change "+made.Changed)
	return obs, nil
}

// refused is the end of a refund that Alipay does not make, unless it was made
// before: some refusals are about what the first of two equal calls did.
func (a *Adapter) refused(ctx context.Context, r payment.Refund, code string) (payment.RefundObservation, error) {
	there, err := a.QueryRefund(ctx, r)
	if err != nil || there.Found {
		return there, err
	}
	return payment.RefundObservation{State: payment.RefundFailed, Amount: r.Amount, Code: code, AsOf: there.AsOf}, nil
}

// QueryRefund implements [payment.Provider].
func (a *Adapter) QueryRefund(ctx context.Context, r payment.Refund) (payment.RefundObservation, error) {
	asOf := a.now().UTC()
	got, err := a.read(ctx, "alipay.trade.fastpay.refund.query", refunding{OutTradeNo: r.Attempt.Ref, OutRequestNo: r.Ref})
	switch {
	case err != nil:
		return payment.RefundObservation{}, err
	case got.no == noTrade:
		return payment.RefundObservation{AsOf: asOf}, nil
	case got.no != "":
		return payment.RefundObservation{}, strange("query refund", payment.ErrNotSent, got.no)
	}
	obs, why := observeRefund(got.body, r, asOf)
	if why != "" {
		return payment.RefundObservation{}, strange("query refund", payment.ErrNotSent, why)
	}
	return obs, nil
}

// observeRefund reads the answer to a question for a refund. One that Alipay
// does not have is a success without contents; one with an amount and without
// the word that it succeeded is not final.
func observeRefund(body []byte, r payment.Refund, asOf time.Time) (obs payment.RefundObservation, why string) {
	var t struct {
		OutTradeNo   string `json:"out_trade_no"`
		TradeNo      string `json:"trade_no"`
		OutRequestNo string `json:"out_request_no"`
		Amount       yuan   `json:"refund_amount"`
		Status       string `json:"refund_status"`
	}
	if json.Unmarshal(body, &t) != nil {
		return obs, "Alipay answered with a refund we cannot read"
	}
	obs.AsOf = asOf
	if t.Status == "" && t.Amount == "" {
		return obs, ""
	}
	amount, err := fromYuan(t.Amount)
	switch {
	case err != nil:
		return obs, "Alipay answered with a refunded amount we cannot read"
	case t.OutTradeNo != r.Attempt.Ref || t.OutRequestNo != r.Ref:
		return obs, "Alipay answered with another refund"
	case r.Attempt.MoneyID != "" && t.TradeNo != r.Attempt.MoneyID:
		return obs, "Alipay answered with the refund of another trade"
	}
	obs.Found, obs.ProviderID, obs.Amount, obs.State = true, r.Ref, amount, payment.RefundSent
	if t.Status == "REFUND_SUCCESS" {
		obs.State = payment.RefundDone
	} else {
		obs.Code = brief("refund_status " + t.Status)
	}
	return obs, ""
}
