package alipay

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	// shortest is how long a link lives at least, from the attempt's creation:
	// Alipay counts in minutes and takes none that ends at once.
	shortest = 2 * time.Minute

	// longest is how long it lives at most, by Alipay's rule.
	longest = 15 * 24 * time.Hour

	// margin is how long after a link's end "no such trade" means that there
	// will be none: clocks differ, and a customer may be at the cashier.
	margin = 5 * time.Minute

	// maxAddress is how long an address may be that is given to Alipay; one
	// that is longer is left out.
	maxAddress = 256
)

// order is the business part of a link and of precreate.
type order struct {
	OutTradeNo  string `json:"out_trade_no"`
	TotalAmount string `json:"total_amount"`
	Subject     string `json:"subject"`
	Body        string `json:"body,omitempty"`
	ProductCode string `json:"product_code,omitempty"` // of links
	TimeExpire  string `json:"time_expire"`
	QuitURL     string `json:"quit_url,omitempty"` // wap.pay only
}

// named is the business part of calls about an order that was made.
type named struct {
	OutTradeNo string `json:"out_trade_no"`
}

// Start implements [payment.Provider]. After the link's end it only looks.
func (a *Adapter) Start(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	if !a.Limits().Takes(at.Rail, at.Amount) {
		return dead(at, payment.NotAccepted, "not_in_limits", asOf), nil
	}
	if !asOf.Before(linkEnd(at)) {
		return a.Query(ctx, at)
	}
	if a.scans(at) {
		return a.code(ctx, at, asOf)
	}
	link, err := a.link(at)
	if err != nil {
		return payment.Observation{}, fmt.Errorf("alipay: start: %w: %w", payment.ErrNotSent, err)
	}
	return payment.Observation{
		State: payment.NeedsCustomer, ProviderID: at.Ref, MoneyID: at.MoneyID, Amount: at.Amount,
		Next: payment.Next{RedirectURL: link}, AsOf: asOf,
	}, nil
}

// scans reports whether the customer gets a code instead of a link.
func (a *Adapter) scans(at payment.Attempt) bool { return a.qr && at.Device == payment.Computer }

// link is the address of Alipay's page. It follows from the attempt alone.
func (a *Adapter) link(at payment.Attempt) (string, error) {
	method, o, err := linked(at)
	if err != nil {
		return "", err
	}
	params, err := a.params(method, o, at.CreatedAt)
	if err != nil {
		return "", err
	}
	if at.ReturnURL != "" && len(at.ReturnURL) <= maxAddress {
		params["return_url"] = at.ReturnURL
	}
	if err := a.sign(params); err != nil {
		return "", err
	}
	return a.gateway + "?" + formOf(params).Encode(), nil
}

// linked chooses the page: the one for computers where we know that it is one,
// since on a phone only the other leads into the app.
func linked(at payment.Attempt) (method string, o order, err error) {
	o, err = ordered(at)
	if at.Device == payment.Computer {
		o.ProductCode = "FAST_INSTANT_TRADE_PAY"
		return pagePay, o, err
	}
	o.ProductCode = "QUICK_WAP_WAY"
	if len(at.CancelURL) <= maxAddress {
		o.QuitURL = at.CancelURL
	}
	return wapPay, o, err
}

func ordered(at payment.Attempt) (order, error) {
	amount, err := toYuan(at.Amount)
	subject := plain(at.Description, 128)
	if subject == "" {
		subject = at.Ref
	}
	var tags []string
	for _, k := range slices.Sorted(maps.Keys(at.Tags)) {
		tags = append(tags, k+" "+at.Tags[k])
	}
	return order{
		OutTradeNo: at.Ref, TotalAmount: amount, Subject: subject, Body: plain(strings.Join(tags, ", "), 128),
		TimeExpire: linkEnd(at).In(china).Format(stamp),
	}, err
}

// linkEnd is the time_expire of a link or code: whole seconds.
func linkEnd(at payment.Attempt) time.Time {
	end := at.ExpiresAt
	if earliest := at.CreatedAt.Add(shortest); end.Before(earliest) {
		end = earliest
	}
	if latest := at.CreatedAt.Add(longest); end.After(latest) {
		end = latest
	}
	return end.Truncate(time.Second)
}

// plain is s without the characters that Alipay refuses in a subject (/, =, & and
// the like) and not longer than n.
func plain(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r > 0xffff || strings.ContainsRune(`/=&<>"'\|%#+?`, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	runes := []rune(strings.Join(strings.Fields(s), " "))
	return strings.TrimSpace(string(runes[:min(len(runes), n)]))
}

// code asks for a code to scan. The same order gives a code of the same
// trade again, however often it is asked for.
func (a *Adapter) code(ctx context.Context, at payment.Attempt, asOf time.Time) (payment.Observation, error) {
	o, err := ordered(at)
	if err != nil {
		return payment.Observation{}, fmt.Errorf("alipay: start: %w: %w", payment.ErrNotSent, err)
	}
	r, err := a.act(ctx, precreate, o)
	if err != nil {
		return payment.Observation{}, err
	}
	if reason, ok := refusals[r.no]; ok {
		return dead(at, reason, r.no, asOf), nil
	}
	if r.no != "" {
		return a.Query(ctx, at) // there is a trade already
	}
	var made struct {
		OutTradeNo string `json:"out_trade_no"`
		QRCode     string `json:"qr_code"`
	}
	if err := json.Unmarshal(r.body, &made); err != nil || made.OutTradeNo != at.Ref || made.QRCode == "" {
		return payment.Observation{}, strange("start", payment.ErrUnknown, "Alipay answered with no code for this order")
	}
	return payment.Observation{
		State: payment.NeedsCustomer, ProviderID: at.Ref, MoneyID: at.MoneyID, Amount: at.Amount,
		Next: payment.Next{QR: made.QRCode}, AsOf: asOf,
	}, nil
}

// Resume implements [payment.Provider]. Alipay takes the money by itself, and
// what the browser brings along is not needed.
func (a *Adapter) Resume(ctx context.Context, at payment.Attempt, _ url.Values) (payment.Observation, error) {
	return a.Query(ctx, at)
}

// Query implements [payment.Provider].
func (a *Adapter) Query(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	r, err := a.read(ctx, "alipay.trade.query", named{at.Ref})
	switch {
	case err != nil:
		return payment.Observation{}, err
	case r.no == noTrade:
		return a.unopened(at, asOf), nil
	case r.no != "":
		return payment.Observation{}, strange("query", payment.ErrNotSent, r.no)
	}
	return a.observe(at, r.body, asOf)
}

// unopened is an attempt of which Alipay knows nothing. Without a ProviderID
// nobody knows whether the customer was ever shown a way.
func (a *Adapter) unopened(at payment.Attempt, asOf time.Time) payment.Observation {
	if !asOf.Before(linkEnd(at).Add(margin)) {
		return dead(at, payment.TooLate, noTrade, asOf)
	}
	obs := payment.Observation{State: payment.Unknown, ProviderID: at.ProviderID, Amount: at.Amount, AsOf: asOf}
	if at.ProviderID != "" {
		obs.State, obs.Next = payment.NeedsCustomer, a.way(at)
	}
	return obs
}

// way is the link again. A code is not made again by those who only look.
func (a *Adapter) way(at payment.Attempt) payment.Next {
	if a.scans(at) {
		return payment.Next{}
	}
	link, err := a.link(at)
	if err != nil {
		return payment.Next{}
	}
	return payment.Next{RedirectURL: link}
}

// Abandon implements [payment.Provider]. A trade that nobody has opened cannot
// be closed; it is then as open as before.
func (a *Adapter) Abandon(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	r, err := a.act(ctx, "alipay.trade.close", named{at.Ref})
	switch {
	case err != nil:
		return payment.Observation{}, err
	case r.no == noTrade:
		return a.unopened(at, asOf), nil
	case r.no != "":
		return a.Query(ctx, at) // paid, or closed before
	}
	var closed struct {
		OutTradeNo string `json:"out_trade_no"`
		TradeNo    string `json:"trade_no"`
	}
	if err := json.Unmarshal(r.body, &closed); err != nil || closed.OutTradeNo != at.Ref || at.MoneyID != "" && closed.TradeNo != at.MoneyID {
		return payment.Observation{}, strange("abandon", payment.ErrUnknown, "Alipay answered that it closed another trade")
	}
	obs := dead(at, payment.Abandoned, "TRADE_CLOSED", asOf)
	obs.MoneyID, obs.Closed = closed.TradeNo, true
	return obs, nil
}

func dead(at payment.Attempt, why payment.Reason, code string, asOf time.Time) payment.Observation {
	return payment.Observation{
		State: payment.Dead, ProviderID: at.ProviderID, MoneyID: at.MoneyID, Amount: at.Amount, Reason: why, Code: code, AsOf: asOf,
	}
}
