package wechatpay

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/payment"
)

// order is what is asked for; the names are WeChat Pay's.
type order struct {
	AppID       string      `json:"appid"`
	MchID       string      `json:"mchid"`
	Description string      `json:"description"`
	OutTradeNo  string      `json:"out_trade_no"`
	TimeExpire  string      `json:"time_expire"`
	Attach      string      `json:"attach,omitempty"`
	NotifyURL   string      `json:"notify_url"`
	Amount      orderAmount `json:"amount"`
	Scene       *scene      `json:"scene_info,omitempty"`
}

type orderAmount struct {
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

type scene struct {
	PayerClientIP string `json:"payer_client_ip"`
	H5Info        h5Info `json:"h5_info"`
}

type h5Info struct {
	Type string `json:"type"`
}

// Start implements [payment.Provider].
//
// Once the attempt is over it sends nothing: WeChat Pay gives a late order
// another minute. It then looks, as Query does.
func (a *Adapter) Start(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	fen, err := toFen(at.Amount)
	if err != nil || at.Rail != payment.WeChatPay {
		return payment.Observation{
			State: payment.Dead, Reason: payment.NotAccepted, Code: "not_in_limits", Amount: at.Amount, AsOf: asOf,
		}, nil
	}
	if !asOf.Before(at.ExpiresAt) {
		return a.Query(ctx, at)
	}
	o := a.order(at, fen)
	uri := "/v3/pay/transactions/native"
	if o.Scene != nil {
		uri = "/v3/pay/transactions/h5"
	}
	got, f := a.do(ctx, http.MethodPost, uri, o)
	if f != nil {
		return payment.Observation{}, f.acted("start")
	}
	if got.no != "" {
		return a.refusedStart(ctx, at, got.no)
	}
	next, why := readNext(got, at, o.Scene != nil)
	if why != "" {
		return payment.Observation{}, strange("start", payment.ErrUnknown, why)
	}
	return payment.Observation{State: payment.NeedsCustomer, Amount: at.Amount, Next: next, AsOf: asOf}, nil
}

// order follows from the attempt alone, so that a repeated Start is the same
// request byte for byte.
func (a *Adapter) order(at payment.Attempt, fen int64) order {
	o := order{
		AppID:       a.config.AppID,
		MchID:       a.config.MchID,
		Description: clip(at.Description, 127),
		OutTradeNo:  at.Ref,
		TimeExpire:  at.ExpiresAt.In(time.FixedZone("", 8*60*60)).Format(time.RFC3339),
		Attach:      attach(at.Tags),
		NotifyURL:   a.config.NotifyURL,
		Amount:      orderAmount{fen, string(yuan)},
	}
	if o.Description == "" {
		o.Description = at.Ref
	}
	// An H5 order is refused without the customer's address; a code is not.
	if ip, err := netip.ParseAddr(at.ClientIP); err == nil && ip.Zone() == "" && a.config.H5 && at.Device == payment.Phone {
		o.Scene = &scene{PayerClientIP: ip.Unmap().String(), H5Info: h5Info{Type: "Wap"}}
	}
	return o
}

// attach is what the seller sees in WeChat Pay's bill of the day.
func attach(tags map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		if tags[k] != "" {
			parts = append(parts, k+"="+tags[k])
		}
	}
	return clip(strings.Join(parts, " "), 127)
}

// clip shortens s to n bytes, between characters: WeChat Pay counts bytes.
// Characters of four bytes, emoji for instance, it does not take
// (https://pay.weixin.qq.com/docs/merchant/development/interface-rules/basic-rules.html).
func clip(s string, n int) string {
	s = strings.Map(func(c rune) rune {
		if c > 0xffff {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// readNext is the customer's way, from the answer to an order.
func readNext(got reply, at payment.Attempt, h5 bool) (next payment.Next, why string) {
	var said struct {
		CodeURL string `json:"code_url"`
		H5URL   string `json:"h5_url"`
	}
	if got.status != http.StatusOK || json.Unmarshal(got.body, &said) != nil {
		return next, "WeChat Pay answered with an order that makes no sense"
	}
	if !h5 {
		if said.CodeURL == "" || len(said.CodeURL) > 512 {
			return next, "WeChat Pay answered without a code for the customer"
		}
		return payment.Next{QR: said.CodeURL}, ""
	}
	u, err := url.Parse(said.H5URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.Fragment != "" {
		return next, "WeChat Pay answered without a page for the customer"
	}
	page := said.H5URL
	if at.ReturnURL != "" { // the one thing that may be added to it
		sep := "&"
		if u.RawQuery == "" {
			sep = "?"
		}
		page += sep + "redirect_url=" + url.QueryEscape(at.ReturnURL)
	}
	return payment.Next{RedirectURL: page, AppURL: page}, ""
}

// refusedStart looks what became of an order that WeChat Pay would not make
// (again).
func (a *Adapter) refusedStart(ctx context.Context, at payment.Attempt, code string) (payment.Observation, error) {
	obs, err := a.Query(ctx, at)
	if err != nil {
		return payment.Observation{}, err
	}
	if obs.State == payment.Unknown && !exists(code) {
		obs.State, obs.Reason = payment.Dead, refusedStart(code)
	}
	if obs.Code == "" {
		obs.Code = code
	}
	return obs, nil
}

// Resume implements [payment.Provider]. WeChat Pay takes the money by itself,
// and what the browser brings along proves nothing.
func (a *Adapter) Resume(ctx context.Context, at payment.Attempt, _ url.Values) (payment.Observation, error) {
	return a.Query(ctx, at)
}

// Query implements [payment.Provider].
//
// An order that is not there means Unknown as long as a Start that is still
// under way could make it, and Dead afterwards: see [settlesWithin].
func (a *Adapter) Query(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	asOf := a.now().UTC()
	got, f := a.do(ctx, http.MethodGet, orderPath(at)+"?mchid="+url.QueryEscape(a.config.MchID), nil)
	switch {
	case f != nil:
		return payment.Observation{}, f.unread("query")
	case absent(got.no):
		obs := payment.Observation{State: payment.Unknown, Amount: at.Amount, AsOf: asOf}
		if asOf.After(at.ExpiresAt.Add(settlesWithin)) {
			obs.State, obs.Reason, obs.Code = payment.Dead, payment.TooLate, got.no
		}
		return obs, nil
	case got.no != "":
		return payment.Observation{}, refused("query", got.no)
	}
	obs, why := a.observe(at, got, asOf)
	if why != "" {
		return payment.Observation{}, strange("query", payment.ErrNotSent, why)
	}
	return obs, nil
}

func orderPath(at payment.Attempt) string {
	return "/v3/pay/transactions/out-trade-no/" + url.PathEscape(at.Ref)
}

// Abandon implements [payment.Provider]. It closes the order and looks what
// that did; an order that is not there is made first.
func (a *Adapter) Abandon(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	obs, err := a.closeOrder(ctx, at)
	if err != nil || obs.State != payment.Unknown {
		return obs, err
	}
	obs, err = a.Start(ctx, at)
	if err != nil || obs.State != payment.NeedsCustomer {
		return obs, err
	}
	return a.closeOrder(ctx, at)
}

func (a *Adapter) closeOrder(ctx context.Context, at payment.Attempt) (payment.Observation, error) {
	body := struct {
		MchID string `json:"mchid"`
	}{a.config.MchID}
	got, f := a.do(ctx, http.MethodPost, orderPath(at)+"/close", body)
	if f != nil {
		return payment.Observation{}, f.acted("abandon")
	}
	obs, err := a.Query(ctx, at)
	switch {
	case got.no != "" || got.status == http.StatusAccepted: // paid, closed before, being paid; closed by us in no case
		return obs, err
	case err != nil: // its own words would say that nothing was done
		return payment.Observation{}, fmt.Errorf("wechatpay: abandon: %w: closed, and then %v", payment.ErrUnknown, err) //nolint:errorlint // deliberately not wrapped
	case obs.State == payment.NeedsCustomer:
		return payment.Observation{}, strange("abandon", payment.ErrUnknown, "closed, and not seen closed yet")
	}
	return obs, nil
}
