package portal

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// payWay is how the customer goes on with a payment that is open: the app, the
// provider's page, or a code to scan with another device.
type payWay struct {
	Title string
	Why   string       // why there is a page although the tool is kept; "": it is not
	App   template.URL // opens the provider's app; empty: there is none for this device
	Page  string
	Code  code
}

// code is a QR code as an SVG path on a square of Size modules, its quiet zone
// included.
type code struct {
	Size int
	Path string
}

// appSchemes are the links that lead into an app: those of the providers whose
// adapters we have, and the web's own.
var appSchemes = []string{"https", "http", "alipays", "alipay", "weixin", "line", "linepay", "paypay"}

// wayOn is nil where nothing is left to do at the provider.
func (v *visit) wayOn(live order.Payment) *payWay {
	if live.State != payment.NeedsCustomer || live.Next == (payment.Next{}) || v.server.Desk.Stale(live) {
		return nil
	}
	w := &payWay{Title: v.voice.Say("order.page.way", locale.Args{"tool": v.voice.Tool(catalogue.Tool(live.Rail))})}
	if live.Tool != "" {
		w.Why = v.voice.T("order.page.bank_asks")
	}
	if isWebAddress(live.Next.RedirectURL) {
		w.Page = live.Next.RedirectURL
	}
	if u, err := url.Parse(live.Next.AppURL); err == nil && slices.Contains(appSchemes, u.Scheme) && v.device() == payment.Phone {
		w.App = template.URL(live.Next.AppURL) //nolint:gosec // its scheme is one of ours
	}
	if live.Next.QR != "" {
		w.Code = codeOf(live.Next.QR)
	}
	return w
}

// codeOf draws text; a text that is too long for a code gives none.
func codeOf(text string) code {
	const quiet = 4 // modules; ISO/IEC 18004
	c, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return code{}
	}
	side := c.Bounds().Dx()
	var path strings.Builder
	for y := range side {
		for x := range side {
			if r, _, _, _ := c.At(x, y).RGBA(); r == 0 {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	return code{Size: side + 2*quiet, Path: path.String()}
}

// inApp are the rails whose app, on a phone, is opened by a link.
var inApp = []payment.Rail{payment.Alipay, payment.WeChatPay, payment.PayPay, payment.LINEPay}

// lightFirst puts what needs no page of a provider before what does, where the
// customer's line is slow: the wallet, then apps, then pages.
func (v *visit) lightFirst(rails []payment.Rail, quoted time.Time) []payment.Rail {
	if !v.slowLine(quoted) {
		return rails
	}
	weight := func(r payment.Rail) int {
		switch {
		case r == payment.Wallet:
			return 0
		case v.device() == payment.Phone && slices.Contains(inApp, r):
			return 1
		}
		return 2
	}
	return slices.SortedStableFunc(slices.Values(rails), func(a, b payment.Rail) int { return weight(a) - weight(b) })
}

// device is what the customer holds, as far as the browser says.
func (v *visit) device() payment.Device {
	if v.r.Header.Get("Sec-CH-UA-Mobile") == "?1" {
		return payment.Phone
	}
	agent := v.r.UserAgent()
	for _, phone := range []string{"Mobile", "Android", "iPhone", "iPad"} {
		if strings.Contains(agent, phone) {
			return payment.Phone
		}
	}
	return payment.Computer
}
