package paypay

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

var t0 = time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)

const (
	merchant = "123456789"
	ref      = "attemptattemptattempt00000"
	codeID   = "04-fo6z9Zsq6NTyVOcE"
	moneyID  = "01234567890123456789"
)

// asked is one request that arrived.
type asked struct {
	method, path, query string
	header              http.Header
	body                string
}

// desk is an adapter whose PayPay is a function.
type desk struct {
	*Adapter
	asked []asked
}

func newDesk(t testing.TB, now time.Time, answer func(asked) (int, string)) *desk {
	t.Helper()
	d := &desk{}
	stranger := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		q := asked{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header, string(body)}
		d.asked = append(d.asked, q)
		status, text := answer(q)
		w.Header().Set("X-REQUEST-ID", "OPA45F681001AEF4605B2A50939F611F4B8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	})
	a, err := New(Config{APIKey: "key", APISecret: "secret", MerchantID: merchant},
		outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: stranger}}),
		func() time.Time { return now }, func() string { return "n0nce" })
	if err != nil {
		t.Fatal(err)
	}
	d.Adapter = a
	return d
}

// methods are the requests that arrived, in short.
func (d *desk) methods() string {
	var all []string
	for _, q := range d.asked {
		all = append(all, q.method+" "+q.path)
	}
	return strings.Join(all, ", ")
}

// always gives every request the same answer.
func always(status int, body string) func(asked) (int, string) {
	return func(asked) (int, string) { return status, body }
}

func yes(data string) string {
	return `{"resultInfo":{"code":"SUCCESS","message":"Success","codeId":"08100001"},"data":` + data + `}`
}

func no(code string) string {
	return fmt.Sprintf(`{"resultInfo":{"code":%q,"message":"told you: secret, Anna Schmidt","codeId":"01652073"},"data":null}`, code)
}

func attempt() payment.Attempt {
	return payment.Attempt{
		Ref: ref, Rail: payment.PayPay, Amount: money.Of(2400, "JPY"), Description: "Japan unlimited",
		ReturnURL: "https://shop.test/back?o=1&p=2", CancelURL: "https://shop.test/quit",
		Tags: map[string]string{"order": "ord_1"}, CreatedAt: t0, ExpiresAt: t0.Add(15 * time.Minute),
		Device: payment.Phone, ClientIP: "2001:db8::1",
	}
}

func begun() payment.Attempt {
	at := attempt()
	at.ProviderID = codeID
	return at
}

// madeCode is the answer to a code asked for as [attempt] does.
const madeCode = `{"codeId":"` + codeID + `","url":"https://qr.paypay.ne.jp/28180104fo6z9","deeplink":"paypay://payment?link_key=https%3A%2F%2Fqr","expiryDate":1935904389,` +
	`"merchantPaymentId":"` + ref + `","amount":{"amount":2400,"currency":"JPY"},"codeType":"ORDER_QR","requestedAt":1935904089,"new":{"x":1.5}}`

// paid is a payment in a state, with more in it.
func paid(status, more string) string {
	return `{"paymentId":"` + moneyID + `","status":"` + status + `","acceptedAt":1935904100,"merchantPaymentId":"` + ref + `",` +
		`"amount":{"amount":2400,"currency":"JPY"},"paymentMethods":[{"amount":{"amount":2400,"currency":"JPY"},"type":"WALLET"}]` + more + `}`
}

// refunded is the member of a payment that lists refunds.
func refunded(refunds ...string) string {
	return `,"refunds":{"data":[` + strings.Join(refunds, ",") + `]}`
}

func refundSaid(ref, status string, yen int) string {
	return fmt.Sprintf(`{"status":%q,"acceptedAt":1935904200,"merchantRefundId":%q,"paymentId":%q,"amount":{"amount":%d,"currency":"JPY"},"requestedAt":1935904199,"reason":null}`,
		status, ref, moneyID, yen)
}

// longer is s repeated until it is longer than n bytes.
func longer(s string, n int) []byte { return bytes.Repeat([]byte(s), n/len(s)+1) }
