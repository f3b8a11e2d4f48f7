package paypalsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
)

// rule is what a field of a request must look like. A rule with parts is an
// object, one with each an array of objects, one with texts an array of strings,
// any other a string.
type rule struct {
	need  bool
	max   int      // bytes; the least is 1
	among []string // if not nil, the values there are
	form  *regexp.Regexp
	url   bool // an absolute web address
	parts map[string]rule
	each  map[string]rule
	texts int // bytes of each string
	many  int // the most elements of an array; default 1
}

var (
	localeForm   = regexp.MustCompile(`^[a-z]{2}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`)
	nameForm     = regexp.MustCompile(`^[0-9a-zA-Z_-]+$`)
	merchantForm = regexp.MustCompile(`^[2-9A-HJ-NP-Z]{13}$`)
)

var amountRule = map[string]rule{
	"currency_code": {need: true, max: 3, form: currencyForm},
	"value":         {need: true, max: 32, form: amountForm},
}

// orderRule is what may stand in a request for an order.
var orderRule = map[string]rule{
	"intent": {need: true, max: 9, among: []string{"CAPTURE"}},
	"purchase_units": {need: true, each: map[string]rule{
		"reference_id":    {max: 256},
		"description":     {max: 127},
		"custom_id":       {max: 127},
		"invoice_id":      {max: 127},
		"soft_descriptor": {max: 22},
		"amount":          {need: true, parts: amountRule},
		"payee":           {parts: map[string]rule{"merchant_id": {need: true, max: 13, form: merchantForm}}},
	}},
	"payment_source": {need: true, parts: map[string]rule{
		"paypal": {need: true, parts: map[string]rule{
			"vault_id":   {max: 255, form: nameForm},
			"attributes": {parts: vaultRule},
			"stored_credential": {parts: map[string]rule{
				"payment_initiator": {need: true, max: 255, among: []string{initiatedByPayer, initiatedByMerchant}},
				"usage_pattern":     {max: 30, among: patterns},
				"charge_pattern":    {max: 30, among: patterns},
				"usage":             {max: 255, among: []string{"FIRST", "SUBSEQUENT", "DERIVED"}},
			}},
			"experience_context": {parts: map[string]rule{
				"brand_name":                {max: 127},
				"locale":                    {max: 10, form: localeForm},
				"shipping_preference":       {max: 24, among: []string{"GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"}},
				"return_url":                {max: 2048, url: true},
				"cancel_url":                {max: 2048, url: true},
				"landing_page":              {max: 13, among: []string{"LOGIN", "GUEST_CHECKOUT", "NO_PREFERENCE"}},
				"user_action":               {max: 8, among: []string{"CONTINUE", "PAY_NOW"}},
				"payment_method_preference": {max: 255, among: []string{"UNRESTRICTED", immediate}},
			}},
		}},
	}},
}

// vaultRule is what may be said about saving the payer's wallet.
var vaultRule = map[string]rule{
	"customer": {parts: map[string]rule{"id": {need: true, max: 22, form: nameForm}}},
	"vault": {parts: map[string]rule{
		"store_in_vault": {max: 255, among: []string{"ON_SUCCESS"}},
		"usage_type":     {need: true, max: 255, among: []string{"MERCHANT", "PLATFORM"}},
		"customer_type":  {max: 255, among: []string{"CONSUMER", "BUSINESS"}},
		"usage_pattern":  {max: 30, among: patterns},
		"description":    {max: 128},
	}},
}

// patterns are the ways in which a merchant may mean to use what is saved.
var patterns = []string{"IMMEDIATE", "DEFERRED", "RECURRING_PREPAID", "RECURRING_POSTPAID", "THRESHOLD_PREPAID", "THRESHOLD_POSTPAID"}

// Who begins a payment with what was saved.
const (
	initiatedByPayer    = "CUSTOMER"
	initiatedByMerchant = "MERCHANT"
)

const immediate = "IMMEDIATE_PAYMENT_REQUIRED"

// refundRule is what may stand in a request for a refund.
var refundRule = map[string]rule{
	"amount":        {parts: amountRule},
	"custom_id":     {max: 127},
	"invoice_id":    {max: 127},
	"note_to_payer": {max: 255},
}

// parse reads a body as one JSON object and checks it. An empty body is an
// empty object.
func parse(body []byte, rules map[string]rule) (obj, *refusal) {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, bad("MALFORMED_REQUEST_JSON", "/", "")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, bad("MALFORMED_REQUEST_JSON", "/", "")
	}
	fields, ok := v.(obj)
	if !ok {
		return nil, bad("MALFORMED_REQUEST_JSON", "/", "")
	}
	return fields, checkAll("", fields, rules)
}

// checkAll checks fields in the order of their names, so that runs repeat.
func checkAll(path string, fields obj, rules map[string]rule) *refusal {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		r, ok := rules[name]
		if !ok {
			return bad("NOT_SUPPORTED", path+"/"+name, "")
		}
		if no := check(path+"/"+name, fields[name], r); no != nil {
			return no
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		if _, ok := fields[name]; !ok && rules[name].need {
			return bad("MISSING_REQUIRED_PARAMETER", path+"/"+name, "")
		}
	}
	return nil
}

func check(path string, v any, r rule) *refusal {
	switch {
	case r.parts != nil:
		fields, ok := v.(obj)
		if !ok {
			return bad("INVALID_PARAMETER_SYNTAX", path, "")
		}
		return checkAll(path, fields, r.parts)
	case r.each != nil:
		return checkList(path, v, r.many, rule{parts: r.each})
	case r.texts > 0:
		return checkList(path, v, r.many, rule{max: r.texts})
	}
	text, ok := v.(string)
	switch {
	case !ok:
		return bad("INVALID_PARAMETER_SYNTAX", path, "")
	case len(text) < 1 || len(text) > r.max:
		return bad("INVALID_STRING_LENGTH", path, text)
	case r.form != nil && !r.form.MatchString(text):
		return bad("INVALID_PARAMETER_SYNTAX", path, text)
	case r.among != nil && !slices.Contains(r.among, text):
		return bad("INVALID_PARAMETER_VALUE", path, text)
	case r.url && !absolute(text):
		return bad("INVALID_PARAMETER_SYNTAX", path, text)
	}
	return nil
}

func checkList(path string, v any, many int, each rule) *refusal {
	list, ok := v.([]any)
	switch {
	case !ok:
		return bad("INVALID_PARAMETER_SYNTAX", path, "")
	case len(list) < 1:
		return bad("INVALID_ARRAY_MIN_ITEMS", path, strconv.Itoa(len(list)))
	case len(list) > max(many, 1):
		return bad("INVALID_ARRAY_MAX_ITEMS", path, strconv.Itoa(len(list)))
	}
	for i, element := range list {
		if no := check(path+"/"+strconv.Itoa(i), element, each); no != nil {
			return no
		}
	}
	return nil
}

func absolute(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// text follows a path of fields to a string; "" if there is none. Arrays have
// one element.
func text(fields obj, path ...string) string {
	var v any = fields
	for _, name := range path {
		if list, ok := v.([]any); ok {
			v = list[0]
		}
		o, _ := v.(obj)
		v = o[name]
	}
	t, _ := v.(string)
	return t
}
