package alipaysim_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment/alipay/alipaysim"
)

func TestARequestThatIsNotRightIsRefusedAndChangesNothing(t *testing.T) {
	unsigned := func(set ...string) func(url.Values) {
		return func(p url.Values) {
			for i := 0; i < len(set); i += 2 {
				if p.Set(set[i], set[i+1]); set[i+1] == "" {
					p.Del(set[i])
				}
			}
		}
	}
	for name, c := range map[string]struct {
		more []string         // before signing
		then func(url.Values) // after it
		code string
		want string
	}{
		"no method":           {[]string{"method", ""}, nil, "40001", "isv.missing-method"},
		"other method":        {[]string{"method", "alipay.trade.pay"}, nil, "40002", "isv.invalid-method"},
		"no app":              {[]string{"app_id", ""}, nil, "40001", "isv.missing-app-id"},
		"other app":           {[]string{"app_id", "2031000000000002"}, nil, "40002", "isv.invalid-app-id"},
		"other app, no sign":  {nil, unsigned("app_id", "test", "sign", ""), "40002", "isv.invalid-app-id"},
		"no sign_type":        {[]string{"sign_type", ""}, nil, "40001", "isv.missing-signature-type"},
		"RSA":                 {[]string{"sign_type", "RSA"}, nil, "40002", "isv.invalid-signature-type"},
		"no sign":             {nil, unsigned("sign", ""), "40001", "isv.missing-signature"},
		"bad sign":            {nil, unsigned("sign", "AAAA"), "40002", "isv.invalid-signature"},
		"changed":             {nil, unsigned("biz_content", `{"out_trade_no":"b"}`), "40002", "isv.invalid-signature"},
		"added after signing": {nil, unsigned("notify_url", "https://shop.test"), "40002", "isv.invalid-signature"},
		"sign_type unsigned": {nil, func(p url.Values) {
			p.Set("sign", signed(made().merchant, signText(p, "sign", "sign_type")))
		}, "40002", "isv.invalid-signature"},
		"another's key": {nil, func(p url.Values) {
			p.Set("sign", signed(made().stranger, signText(p, "sign")))
		}, "40002", "isv.invalid-signature"},
		"no charset":        {[]string{"charset", ""}, nil, "40002", "isv.invalid-charset"},
		"GBK":               {[]string{"charset", "GBK"}, nil, "40002", "isv.invalid-charset"},
		"XML":               {[]string{"format", "XML"}, nil, "40002", "isv.invalid-format"},
		"no version":        {[]string{"version", ""}, nil, "40001", "isv.missing-version"},
		"version 2":         {[]string{"version", "2.0"}, nil, "40002", "isv.invalid-parameter"},
		"no timestamp":      {[]string{"timestamp", ""}, nil, "40001", "isv.missing-timestamp"},
		"UTC":               {[]string{"timestamp", "2031-05-04 03:02:01"}, nil, "40002", "isv.invalid-timestamp"},
		"late":              {[]string{"timestamp", "2031-05-04 10:52:00"}, nil, "40002", "isv.invalid-timestamp"},
		"early":             {[]string{"timestamp", "2031-05-04 11:12:02"}, nil, "40002", "isv.invalid-timestamp"},
		"ISO":               {[]string{"timestamp", "2031-05-04T11:02:01"}, nil, "40002", "isv.invalid-timestamp"},
		"unknown parameter": {[]string{"currency", "JPY"}, nil, "40002", "isv.invalid-parameter"},
		"app_auth_token":    {[]string{"app_auth_token", "x"}, nil, "40002", "isv.invalid-parameter"},
		"return_url":        {[]string{"return_url", "https://shop.test"}, nil, "40002", "isv.invalid-parameter"},
		"relative notify":   {[]string{"notify_url", "/notify"}, nil, "40002", "isv.invalid-parameter"},
		"long notify":       {[]string{"notify_url", "https://shop.test/" + strings.Repeat("x", 256)}, nil, "40002", "isv.invalid-parameter"},
		"twice":             {nil, func(p url.Values) { p.Add("version", "1.0") }, "40002", "isv.invalid-parameter"},
		"no content":        {[]string{"biz_content", ""}, nil, "40002", "isv.illegal-json"},
		"no JSON":           {[]string{"biz_content", "{"}, nil, "40002", "isv.illegal-json"},
		"an array":          {[]string{"biz_content", "[]"}, nil, "40002", "isv.illegal-json"},
		"more than JSON":    {[]string{"biz_content", `{"out_trade_no":"a"} x`}, nil, "40002", "isv.illegal-json"},
		"a name twice":      {[]string{"biz_content", `{"out_trade_no":"b","out_trade_no":"a"}`}, nil, "40002", "isv.illegal-json"},
		"too long":          {[]string{"biz_content", `{"out_trade_no":"a","operator_id":"` + strings.Repeat("x", 40<<10) + `"}`}, nil, "40002", "isv.illegal-json"},
		"long text":         {[]string{"biz_content", `{"out_trade_no":"a","operator_id":"` + strings.Repeat("x", 29) + `"}`}, nil, "40004", "ACQ.INVALID_PARAMETER"},
		"neither number":    {[]string{"biz_content", `{}`}, nil, "40004", "ACQ.INVALID_PARAMETER"},
		"an unknown member": {[]string{"biz_content", `{"out_trade_no":"a","x":""}`}, nil, "40004", "ACQ.INVALID_PARAMETER"},
		"an empty member":   {[]string{"biz_content", `{"out_trade_no":""}`}, nil, "40004", "ACQ.INVALID_PARAMETER"},
		"a number":          {[]string{"biz_content", `{"out_trade_no":1}`}, nil, "40004", "ACQ.INVALID_PARAMETER"},
		"null":              {[]string{"biz_content", `{"out_trade_no":null}`}, nil, "40004", "ACQ.INVALID_PARAMETER"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown()
			w.opened(t, page, "a")
			if err := w.Login("a"); err != nil {
				t.Fatal(err)
			}
			p := w.request(closing, biz{"out_trade_no": "a"}, c.more...)
			if c.then != nil {
				c.then(p)
			}
			got := w.send(p)
			if got.status != 200 || got.at("code") != c.code || got.said() != c.want || got.sign != "" || got.at("msg") == "" {
				t.Errorf("%+v, want %s %s, unsigned", got, c.code, c.want)
			}
			name := "alipay_trade_close_response"
			if strings.HasSuffix(c.want, "method") {
				name = "error_response"
			}
			if got.name != name {
				t.Errorf("answered in %s, want %s", got.name, name)
			}
			if s := w.status("a"); s != "WAIT_BUYER_PAY" {
				t.Errorf("the trade is %s", s)
			}
		})
	}
}

func TestAClockTenMinutesOffIsStillGood(t *testing.T) {
	w := newTown()
	w.bought(t, page, "a")
	for _, d := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		w.want(t, w.call(query, biz{"out_trade_no": "a"}, "timestamp", w.at(d)), "10000")
	}
}

func TestParametersMayComeInAddressOrBody(t *testing.T) {
	w := newTown()
	w.bought(t, page, "a")
	p := w.request(query, biz{"out_trade_no": "a"})
	w.want(t, w.do(httptest.NewRequest(http.MethodGet, "/gateway.do?"+p.Encode(), nil)), "10000")
	w.want(t, w.post("/gateway.do?charset=utf-8", strings.Replace(p.Encode(), "charset=utf-8", "x", 1)), "isv.invalid-parameter")
	w.want(t, w.post("/gateway.do", p.Encode()), "10000")

	// Without charset in the address the body is read as GBK, and only ASCII is the same there.
	p = w.request(code, order(code, "b"))
	w.want(t, w.post("/gateway.do", p.Encode()), "isv.invalid-signature")
	w.want(t, w.send(p), "10000")
	p = w.request(code, order(code, "c", "subject", "30 days"))
	w.want(t, w.post("/gateway.do", p.Encode()), "10000")
}

func TestOtherPathsTypesAndMethodsAreNotTheGateway(t *testing.T) {
	w := newTown()
	q := w.request(query, biz{"out_trade_no": "a"}).Encode()
	for name, c := range map[string]struct {
		method, target, kind string
		want                 int
	}{
		"path":   {http.MethodGet, "/gateway?" + q, "", 404},
		"root":   {http.MethodGet, "/?" + q, "", 404},
		"put":    {http.MethodPut, "/gateway.do?" + q, "", 400},
		"JSON":   {http.MethodPost, "/gateway.do?" + q, "application/json", 400},
		"escape": {http.MethodGet, "/gateway.do?a=%zz", "", 400},
	} {
		r := httptest.NewRequest(c.method, c.target, nil)
		r.Header.Set("Content-Type", c.kind)
		if got := w.do(r); got.status != c.want {
			t.Errorf("%s: %d, want %d", name, got.status, c.want)
		}
	}
}

func TestAnOrderThatIsNotRightIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		more []string
		want string
	}{
		"no amount":        {[]string{"total_amount", ""}, "ACQ.INVALID_PARAMETER"},
		"zero":             {[]string{"total_amount", "0.00"}, "ACQ.INVALID_PARAMETER"},
		"three decimals":   {[]string{"total_amount", "19.800"}, "ACQ.INVALID_PARAMETER"},
		"too much":         {[]string{"total_amount", "100000000.01"}, "ACQ.INVALID_PARAMETER"},
		"no subject":       {[]string{"subject", ""}, "ACQ.INVALID_PARAMETER"},
		"forbidden letter": {[]string{"subject", "a/b"}, "ACQ.INVALID_PARAMETER"},
		"long subject":     {[]string{"subject", strings.Repeat("天", 257)}, "ACQ.INVALID_PARAMETER"},
		"long reference":   {[]string{"out_trade_no", strings.Repeat("a", 65)}, "ACQ.INVALID_PARAMETER"},
		"dotted reference": {[]string{"out_trade_no", "a.1"}, "ACQ.INVALID_PARAMETER"},
		"other product":    {[]string{"product_code", "QUICK_WAP_WAY"}, "ACQ.INVALID_PARAMETER"},
		"other seller":     {[]string{"seller_id", "2088000000000002"}, "ACQ.INVALID_PARAMETER"},
		"a currency":       {[]string{"trans_currency", "JPY"}, "ACQ.INVALID_PARAMETER"},
		"a discount":       {[]string{"discountable_amount", "1.00"}, "ACQ.INVALID_PARAMETER"},
		"text for a list":  {[]string{"goods_detail", "x"}, "ACQ.INVALID_PARAMETER"},
		"timeout 0m":       {[]string{"timeout_express", "0m"}, "ACQ.INVALID_PARAMETER"},
		"timeout 1.5h":     {[]string{"timeout_express", "1.5h"}, "ACQ.INVALID_PARAMETER"},
		"timeout 16d":      {[]string{"timeout_express", "16d"}, "ACQ.INVALID_PARAMETER"},
		"timeout 30":       {[]string{"timeout_express", "30"}, "ACQ.INVALID_PARAMETER"},
		"timeout m":        {[]string{"timeout_express", "m"}, "ACQ.INVALID_PARAMETER"},
		"2c":               {[]string{"timeout_express", "2c"}, "ACQ.INVALID_PARAMETER"},
		"expiry as ISO":    {[]string{"time_expire", "2031-05-04T12:00:00"}, "ACQ.INVALID_PARAMETER"},
		"expired":          {[]string{"time_expire", "2031-05-04 11:02:01"}, "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR"},
		"59 s":             {[]string{"time_expire", "2031-05-04 11:03:00"}, "ACQ.INVALID_PARAMETER"},
		"16 days":          {[]string{"time_expire", "2031-05-20 11:02:01"}, "ACQ.INVALID_PARAMETER"},
	} {
		w := newTown()
		if got := w.call(code, order(code, "a", c.more...)); got.at("code") != "40004" || got.said() != c.want {
			t.Errorf("%s: %s, want %s", name, got.raw, c.want)
		}
		if c.more[0] == "seller_id" || c.more[1] == "QUICK_WAP_WAY" {
			continue // page.pay knows no seller_id; the code is another
		}
		if _, err := w.Open(w.link(page, order(page, "a", c.more...))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the link says %v, want %s", name, err, c.want)
		}
		if _, err := w.Pay("a"); err == nil {
			t.Errorf("%s: paid", name)
		}
	}
	w := newTown()
	for ref, more := range map[string][]string{
		"min": {"total_amount", "0.01"}, "max": {"total_amount", "100000000"}, "one": {"total_amount", "19.8"}, "c": {"timeout_express", "1c"},
		"d": {"timeout_express", "15d"}, "s": {"seller_id", sellerID}, "x": {"time_expire", "2031-05-04 11:03:01"}, "p": {"product_code", ""},
	} {
		if got := w.call(code, order(code, ref, more...)); got.said() != "10000" {
			t.Errorf("%s: %s", ref, got.raw)
		}
	}
}

func TestFailuresAreSignedOnlyIfAskedFor(t *testing.T) {
	for want, c := range map[string]*bool{"": nil, "none": new(true), "signed": new(false)} {
		w := newTown(func(cfg *alipaysim.Config) { cfg.UnsignedFailures = c })
		got := w.call(query, biz{"out_trade_no": "a"})
		w.want(t, got, "ACQ.TRADE_NOT_EXIST")
		if (want == "signed") != isAlipays(got.raw, got.sign) || (want != "signed") != (got.sign == "") {
			t.Errorf("%q: sign %q", want, got.sign)
		}
		if got := w.call(query, biz{"out_trade_no": "a"}, "app_id", "x"); got.sign != "" {
			t.Errorf("%q: the gateway signed what it did not read: %q", want, got.sign)
		}
	}
}

func TestTroubles(t *testing.T) {
	type seen struct {
		status    int
		code, sub string
		acted     bool
	}
	want := map[alipaysim.Trouble]seen{
		alipaysim.BreaksAfter:   {500, "", "", true},
		alipaysim.BreaksBefore:  {500, "", "", false},
		alipaysim.UnknownAfter:  {200, "20000", "isp.unknow-error", true},
		alipaysim.UnknownBefore: {200, "20000", "aop.unknow-error", false},
		alipaysim.SystemAfter:   {200, "40004", "ACQ.SYSTEM_ERROR", true},
		alipaysim.SystemBefore:  {200, "40004", "ACQ.SYSTEM_ERROR", false},
		alipaysim.Limited:       {200, "40005", "isv.app-call-limited", false},
		alipaysim.Missigned:     {200, "10000", "", true},
		alipaysim.Poor:          {200, "40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH", false},
	}
	for _, trouble := range alipaysim.Troubles {
		w := newTown()
		w.bought(t, page, "a")
		w.Upset(trouble)
		if s := w.status("a"); s != "TRADE_SUCCESS" { // reads are left alone
			t.Errorf("%s: %s", trouble, s)
		}
		b := biz{"out_trade_no": "a", "refund_amount": "5.00", "out_request_no": "r"}
		got := w.call(refund, b)
		if s := (seen{got.status, got.at("code"), got.at("sub_code"), !w.Refunded("a").IsZero()}); s != want[trouble] {
			t.Errorf("%s: %+v, want %+v", trouble, s, want[trouble])
		}
		if trouble == alipaysim.Missigned && (got.sign == "" || isAlipays(got.raw, got.sign)) {
			t.Errorf("%s: the signature %q is Alipay's", trouble, got.sign)
		}
		again := w.call(refund, b)
		w.want(t, again, "10000")
		if change := again.at("fund_change"); (change == "N") != want[trouble].acted {
			t.Errorf("%s: again: fund_change %s", trouble, change)
		}
		if got := w.Refunded("a"); got != money.Of(500, "CNY") {
			t.Errorf("%s: refunded %v", trouble, got)
		}
	}
	w := newTown()
	w.Upset(alipaysim.Poor, alipaysim.Limited)
	w.want(t, w.call(code, order(code, "a")), "10000")
	w.want(t, w.call(code, order(code, "a")), "isv.app-call-limited")
	w.want(t, w.call(code, order(code, "a")), "10000")
}
