package paypaysim

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// fields are the members of a JSON object. Each is taken out when it is read;
// the first thing found wrong is remembered, and what is left over is unknown.
type fields struct {
	all   map[string]json.RawMessage
	wrong *answer
}

func parse(raw []byte) *fields {
	f := &fields{}
	if err := json.Unmarshal(raw, &f.all); err != nil || f.all == nil {
		f.refuse(invalidRequest, "body")
	}
	return f
}

func (f *fields) refuse(r refusal, name string) {
	if f.wrong == nil {
		a := r.of(name)
		f.wrong = &a
	}
}

// take returns a member, nil for one that is missing or null.
func (f *fields) take(name string, required bool) json.RawMessage {
	raw := f.all[name]
	delete(f.all, name)
	if raw == nil || string(raw) == "null" {
		if required {
			f.refuse(missingParam, name)
		}
		return nil
	}
	return raw
}

// text reads a string of at most longest characters, or one of some values.
func (f *fields) text(name string, required bool, longest int, values ...string) string {
	raw := f.take(name, required)
	if raw == nil {
		return ""
	}
	var s string
	if json.Unmarshal(raw, &s) != nil || utf8.RuneCountInString(s) > longest || len(values) > 0 && !slices.Contains(values, s) {
		f.refuse(invalidRequest, name)
	}
	return s
}

// id reads an identifier of the merchant's.
func (f *fields) id(name string) string {
	s := f.text(name, true, 64)
	if !plain(s) {
		f.refuse(invalidRequest, name)
	}
	return s
}

// plain reports whether s may be an identifier of the merchant's.
func plain(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, letters+"-_") == ""
}

// whole reads an integer that is not negative.
func (f *fields) whole(name string, required bool) int64 {
	raw := f.take(name, required)
	if raw == nil {
		return 0
	}
	n, ok := wholeNumber(string(raw))
	if !ok {
		f.refuse(invalidRequest, name)
	}
	return n
}

func (f *fields) flag(name string) bool {
	raw := f.take(name, false)
	if raw != nil && string(raw) != "true" && string(raw) != "false" {
		f.refuse(invalidRequest, name)
	}
	return string(raw) == "true"
}

// yen reads an amount with its currency, at least one yen.
func (f *fields) yen(name string) int64 {
	raw := f.take(name, true)
	if raw == nil {
		return 0
	}
	inner := parse(raw)
	n := inner.whole("amount", true)
	inner.text("currency", true, 3, "JPY")
	if n == 0 {
		inner.refuse(invalidRequest, name)
	}
	f.adopt(inner)
	return n
}

// adopt ends the reading of an object inside f.
func (f *fields) adopt(inner *fields) {
	if wrong := inner.end(); wrong != nil && f.wrong == nil {
		f.wrong = wrong
	}
}

// end says what was wrong, nil if nothing was.
func (f *fields) end() *answer {
	for name := range f.all {
		f.refuse(invalidRequest, name)
	}
	return f.wrong
}

// item is a line of an order. PayPay reads and writes it with different names.
type item struct {
	name, category, productID string
	quantity, unitPrice       int64
}

func (f *fields) items(name string) []item {
	raw := f.take(name, false)
	if raw == nil {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		f.refuse(invalidRequest, name)
	}
	var all []item
	for _, one := range list {
		inner := parse(one)
		all = append(all, item{
			name:      inner.text("name", true, 255),
			category:  inner.text("category", false, 255),
			productID: inner.text("productId", false, 255),
			quantity:  inner.whole("quantity", true),
			unitPrice: inner.yen("unitPrice"),
		})
		f.adopt(inner)
	}
	return all
}

// order is what a code is made for.
type order struct {
	ref          string
	yen          int64
	description  string
	items        []item
	storeInfo    string
	storeID      string
	terminalID   string
	productType  string
	redirectURL  string
	redirectType string
	requestedAt  int64 // epoch seconds
	preAuth      bool
}

func readOrder(body []byte) (order, *answer) {
	f := parse(body)
	o := order{
		ref:          f.id("merchantPaymentId"),
		yen:          f.yen("amount"),
		description:  f.text("orderDescription", false, 255),
		items:        f.items("orderItems"),
		storeInfo:    f.text("storeInfo", false, 255),
		storeID:      f.text("storeId", false, 255),
		terminalID:   f.text("terminalId", false, 255),
		productType:  f.text("productType", false, 255, "VIRTUAL_BONUS_INVESTMENT", "PAY_LATER_REPAYMENT", "REAL_INVESTMENT", "UTILITY_BILL"),
		redirectURL:  f.text("redirectUrl", false, 2048),
		redirectType: f.text("redirectType", false, 255, "WEB_LINK", "APP_DEEP_LINK", "WEBVIEW_IN_PAYPAY"),
		requestedAt:  f.whole("requestedAt", false),
		preAuth:      f.flag("isAuthorization"),
	}
	f.text("codeType", true, 8, "ORDER_QR")
	f.text("userAgent", false, 2048)
	f.whole("authorizationExpiry", false)
	if ip := f.text("ipAddress", false, 45); ip != "" && !isIP(ip) {
		f.refuse(invalidRequest, "ipAddress")
	}
	if o.redirectURL != "" && !leads(o.redirectURL, o.redirectType) {
		f.refuse(invalidRequest, "redirectUrl")
	}
	if wrong := f.end(); wrong != nil {
		return order{}, wrong
	}
	if o.preAuth {
		a := noPreAuth.answer()
		return order{}, &a
	}
	return o, nil
}

// leads reports whether a redirectUrl can be followed: an app's link may have
// any scheme, the others are web addresses.
func leads(address, kind string) bool {
	u, err := url.Parse(address)
	if err != nil || !u.IsAbs() {
		return false
	}
	return kind == "APP_DEEP_LINK" || (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// same reports whether o and p ask for the same; when they were asked may differ.
func (o order) same(p order) bool {
	return o.ref == p.ref && o.yen == p.yen && o.description == p.description && slices.Equal(o.items, p.items) &&
		o.storeInfo == p.storeInfo && o.storeID == p.storeID && o.terminalID == p.terminalID &&
		o.productType == p.productType && o.redirectURL == p.redirectURL && o.redirectType == p.redirectType
}
