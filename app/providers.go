package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/alipay"
	"github.com/tsuzuku/tsuzuku/payment/antom"
	"github.com/tsuzuku/tsuzuku/payment/linepay"
	"github.com/tsuzuku/tsuzuku/payment/paypal"
	"github.com/tsuzuku/tsuzuku/payment/paypay"
	"github.com/tsuzuku/tsuzuku/payment/stripe"
	"github.com/tsuzuku/tsuzuku/payment/wechatpay"
)

// payments builds the payment providers that the configuration names, and says
// which of them takes which way to pay. This is the list of all there are.
func (a *Adapters) payments(c Config, env Env, ids *id.Source) error {
	for _, build := range []func(Config, Env, *id.Source) (payment.Provider, []string, error){
		viaStripe, viaPayPal, viaLINEPay, viaPayPay, viaAlipay, viaWeChatPay, viaAntom,
	} {
		p, origins, err := build(c, env, ids)
		if err != nil {
			return err
		}
		if p != nil {
			a.Providers[p.Name()] = p
			a.order = append(a.order, p.Name())
			a.PayOrigins = append(a.PayOrigins, origins...)
		}
	}
	return a.chooseRails(c.Rail)
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

// hook is where a provider's notifications arrive. Providers take no address
// without TLS; the demo, which has one, is told in process.
func (c Config) hook(name string) string {
	_, host, _ := strings.Cut(strings.TrimSuffix(c.URL, "/"), "://")
	return "https://" + host + "/hooks/payment/" + name
}

func viaStripe(c Config, env Env, _ *id.Source) (payment.Provider, []string, error) {
	if c.Stripe.Key == "" {
		return nil, nil, nil
	}
	p, err := stripe.New(stripe.Config{
		Key: string(c.Stripe.Key), WebhookSecrets: plain(c.Stripe.WebhookSecret), Rails: c.Stripe.Rails,
	}, env.client("stripe", 0), env.Now)
	return p, []string{"https://checkout.stripe.com"}, wrap("stripe", err)
}

func viaPayPal(c Config, env Env, _ *id.Source) (payment.Provider, []string, error) {
	if c.PayPal.ClientID == "" {
		return nil, nil, nil
	}
	p, err := paypal.New(paypal.Config{
		ClientID: c.PayPal.ClientID, ClientSecret: string(c.PayPal.ClientSecret), WebhookID: c.PayPal.WebhookID,
		MerchantID: c.PayPal.MerchantID, Disputes: c.PayPal.Disputes, Vault: c.PayPal.Vault, BaseURL: c.PayPal.Base, Roots: c.PayPal.Roots,
	}, env.client("paypal", 0), env.Now)
	return p, []string{"https://www.paypal.com", "https://www.sandbox.paypal.com"}, wrap("paypal", err)
}

func viaLINEPay(c Config, env Env, ids *id.Source) (payment.Provider, []string, error) {
	if c.LINEPay.ChannelID == "" {
		return nil, nil, nil
	}
	p, err := linepay.New(linepay.Config{
		ChannelID: c.LINEPay.ChannelID, ChannelSecret: string(c.LINEPay.ChannelSecret),
		Currency: money.Currency(c.LINEPay.Currency), BaseURL: c.LINEPay.Base,
	}, env.client("linepay", 0), env.Now, nonce(ids))
	return p, []string{"https://*.line.me"}, wrap("linepay", err)
}

func viaPayPay(c Config, env Env, ids *id.Source) (payment.Provider, []string, error) {
	if c.PayPay.Key == "" {
		return nil, nil, nil
	}
	p, err := paypay.New(paypay.Config{
		APIKey: string(c.PayPay.Key), APISecret: string(c.PayPay.Secret), MerchantID: c.PayPay.MerchantID, BaseURL: c.PayPay.Base,
	}, env.client("paypay", 0), env.Now, nonce(ids))
	return p, []string{"https://*.paypay.ne.jp"}, wrap("paypay", err)
}

func viaAlipay(c Config, env Env, _ *id.Source) (payment.Provider, []string, error) {
	if c.Alipay.AppID == "" {
		return nil, nil, nil
	}
	p, err := alipay.New(alipay.Config{
		AppID: c.Alipay.AppID, SellerID: c.Alipay.SellerID, PrivateKey: string(c.Alipay.PrivateKey), AlipayKeys: plain(c.Alipay.PublicKey),
		NotifyURL: c.hook("alipay"), QR: c.Alipay.QR, TradesOnly: c.Alipay.TradesOnly, Gateway: c.Alipay.Gateway,
	}, env.client("alipay", 0), env.Now)
	return p, []string{"https://*.alipay.com", "https://*.alipaydev.com"}, wrap("alipay", err)
}

func viaWeChatPay(c Config, env Env, ids *id.Source) (payment.Provider, []string, error) {
	if c.WeChatPay.MchID == "" {
		return nil, nil, nil
	}
	p, err := wechatpay.New(wechatpay.Config{
		MchID: c.WeChatPay.MchID, AppID: c.WeChatPay.AppID, Serial: c.WeChatPay.Serial, PrivateKey: string(c.WeChatPay.PrivateKey),
		APIv3Key: string(c.WeChatPay.APIKey), PublicKeyID: c.WeChatPay.PublicKeyID, PublicKey: string(c.WeChatPay.PublicKey),
		NotifyURL: c.hook("wechatpay"), H5: c.WeChatPay.H5, BaseURL: c.WeChatPay.Base,
	}, env.client("wechatpay", 0), env.Now, nonce(ids))
	return p, []string{"https://wx.tenpay.com"}, wrap("wechatpay", err)
}

func viaAntom(c Config, env Env, _ *id.Source) (payment.Provider, []string, error) {
	if c.Antom.ClientID == "" {
		return nil, nil, nil
	}
	p, err := antom.New(antom.Config{
		ClientID: c.Antom.ClientID, PrivateKey: string(c.Antom.PrivateKey), KeyVersion: c.Antom.KeyVersion, AntomKeys: plain(c.Antom.PublicKey),
		NotifyURL: c.hook("antom"), Rails: c.Antom.Rails, Settle: money.Currency(c.Antom.Settle), Gateway: c.Antom.Gateway,
	}, env.client("antom", 0), env.Now)
	// Its page leads on to the wallet's own.
	return p, []string{"https://*.alipayplus.com", "https://*.alipay.com", "https://*.paypay.ne.jp", "https://*.line.me"}, wrap("antom", err)
}
