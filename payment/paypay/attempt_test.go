package paypay

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// What is asked for follows from the attempt alone, is signed, and is the same
// request when it is asked for again.
func TestStartAsksForACode(t *testing.T) {
	d := newDesk(t, t0.Add(time.Minute), always(201, yes(madeCode)))
	for range 2 {
		if _, err := d.Start(t.Context(), attempt()); err != nil {
			t.Fatal(err)
		}
	}
	q := d.asked[0]
	if q.method != "POST" || q.path != "/v2/codes" || q.query != "" || d.asked[1].body != q.body {
		t.Errorf("asked %+v, then %+v", q, d.asked[1])
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(q.body), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"merchantPaymentId": ref, "amount": map[string]any{"amount": 2400., "currency": "JPY"}, "codeType": "ORDER_QR",
		"orderDescription": "Japan unlimited", "isAuthorization": false, "redirectUrl": "https://shop.test/back?o=1&p=2",
		"redirectType": "WEB_LINK", "requestedAt": float64(t0.Unix()), "ipAddress": "2001:db8::1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	hash := hashOf("application/json", []byte(q.body))
	epoch := fmt.Sprint(t0.Unix() + 60)
	mac := macOf("secret", "/v2/codes", "POST", "n0nce", epoch, "application/json", hash)
	for name, want := range map[string]string{
		"Authorization":     "hmac OPA-Auth:key:" + mac + ":n0nce:" + epoch + ":" + hash,
		"X-Assume-Merchant": merchant, "Content-Type": "application/json",
	} {
		if got := q.header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestWhatDoesNotFitIsLeftOut(t *testing.T) {
	at := attempt()
	at.Description, at.ReturnURL, at.ClientIP = strings.Repeat("長", 300), "", "unknown"
	ask, err := toYen(at.Amount)
	if err != nil {
		t.Fatal(err)
	}
	c := newCode(at, ask)
	if c.OrderDescription != strings.Repeat("長", 255) || c.RedirectType != "" || c.IPAddress != "" {
		t.Errorf("%+v", c)
	}
}

func TestCustomerIsShownTheWayForTheirDevice(t *testing.T) {
	const page, link = "https://qr.paypay.ne.jp/28180104fo6z9", "paypay://payment?link_key=https%3A%2F%2Fqr"
	for device, want := range map[payment.Device]payment.Next{
		payment.Phone:     {RedirectURL: page, AppURL: link},
		payment.Computer:  {RedirectURL: page, QR: page},
		payment.AnyDevice: {RedirectURL: page},
	} {
		at := attempt()
		at.Device = device
		obs, err := newDesk(t, t0, always(201, yes(madeCode))).Start(t.Context(), at)
		if err != nil || obs.State != payment.NeedsCustomer || obs.ProviderID != codeID || obs.Next != want {
			t.Errorf("%q: %+v, %v; want %+v", device, obs, err, want)
		}
	}
}

// An answer about something else, or about nothing, is no answer: the code may
// be there.
func TestStartBelievesOnlyItsOwnCode(t *testing.T) {
	for what, change := range map[string][2]string{
		"another attempt": {ref, "other" + ref[5:]}, "another amount": {"2400", "240000"}, "another currency": {"JPY", "USD"},
		"a number of decimals": {"2400", "2400.0"}, "no amount": {`"amount":{`, `"amounts":{`}, "a codeId like a path": {codeID, "../payments"},
		"no codeId": {"codeId", "id"}, "no page": {"https://qr.", "javascript:"}, "a page nowhere": {"https://qr.paypay.ne.jp/", "https:///"},
	} {
		d := newDesk(t, t0, always(201, yes(strings.Replace(madeCode, change[0], change[1], 1))))
		if obs, err := d.Start(t.Context(), attempt()); !errors.Is(err, payment.ErrUnknown) || errors.Is(err, payment.ErrNotSent) {
			t.Errorf("%s: %+v, %v; want ErrUnknown", what, obs, err)
		}
	}
}

func TestWhatLimitsDoNotTakeIsNotSent(t *testing.T) {
	for _, change := range []func(*payment.Attempt){
		func(a *payment.Attempt) { a.Amount = money.Of(2400, "USD") },
		func(a *payment.Attempt) { a.Amount = money.Of(maxYen+1, "JPY") },
		func(a *payment.Attempt) { a.Rail = payment.Card },
	} {
		at := attempt()
		change(&at)
		d := newDesk(t, t0, always(201, yes(madeCode)))
		if obs, err := d.Start(t.Context(), at); err != nil || obs.State != payment.Dead || obs.Reason != payment.NotAccepted || len(d.asked) > 0 {
			t.Errorf("%v by %s: %+v, %v, asked %s", at.Amount, at.Rail, obs, err, d.methods())
		}
	}
}

// Once the attempt is over a code is not asked for any more.
func TestLateStartOnlyLooks(t *testing.T) {
	d := newDesk(t, attempt().ExpiresAt, always(400, no(noPayment)))
	for _, call := range []func() (payment.Observation, error){
		func() (payment.Observation, error) { return d.Start(t.Context(), attempt()) },
		func() (payment.Observation, error) { return d.Abandon(t.Context(), attempt()) },
	} {
		if obs, err := call(); err != nil || obs.State != payment.Unknown || obs.Code == "" {
			t.Errorf("%+v, %v; want unknown", obs, err)
		}
	}
	if got, want := d.methods(), "GET /v2/codes/payments/"+ref+", GET /v2/codes/payments/"+ref; got != want {
		t.Errorf("asked %s", got)
	}
}

// What PayPay refuses is looked for: it may be there from before.
func TestRefusedStartLooks(t *testing.T) {
	live := yes(`{"status":"CREATED","acceptedAt":0,"requestedAt":0}`)
	for _, tt := range []struct {
		no, look string
		status   int
		want     payment.State
		reason   payment.Reason
		err      error
	}{
		{no: duplicate, look: live, status: 200, want: payment.NeedsCustomer},
		{no: duplicate, look: yes(paid("COMPLETED", "")), status: 200, want: payment.Paid},
		{no: duplicate, look: no(noPayment), status: 400, want: payment.Unknown},
		{no: duplicate, look: no("SERVICE_ERROR"), status: 500, err: payment.ErrUnknown},
		{no: duplicate, look: "", status: 429, err: payment.ErrUnknown},
		{no: "DYNAMIC_QR_BAD_REQUEST", look: live, status: 200, want: payment.NeedsCustomer},
		{no: "DYNAMIC_QR_BAD_REQUEST", look: no(noPayment), status: 400, want: payment.Dead, reason: payment.ProviderTrouble},
		{no: "LIMIT_EXCEEDED", look: no(noPayment), status: 400, want: payment.Dead, reason: payment.NotAccepted},
		{no: "INVALID_PARAMS", look: "<html>", status: 502, err: payment.ErrUnknown},
	} {
		d := newDesk(t, t0, func(q asked) (int, string) {
			if q.method == "POST" {
				return 400, no(tt.no)
			}
			return tt.status, tt.look
		})
		obs, err := d.Start(t.Context(), attempt())
		if !errors.Is(err, tt.err) || errors.Is(err, payment.ErrNotSent) || obs.State != tt.want || obs.Reason != tt.reason {
			t.Errorf("%s, then %d: %s %q, %v; want %s %q, %v", tt.no, tt.status, obs.State, obs.Reason, err, tt.want, tt.reason, tt.err)
		}
	}
}

// Each of PayPay's states, with a code that was shown to the customer.
func TestStatesArePayPays(t *testing.T) {
	for status, want := range map[string]struct {
		state  payment.State
		reason payment.Reason
	}{
		"CREATED": {payment.Pending, ""}, "AUTHORIZED": {payment.Pending, ""}, "REAUTHORIZING": {payment.Pending, ""},
		"COMPLETED": {payment.Paid, ""}, "FAILED": {payment.Dead, payment.Declined}, "CANCELED": {payment.Dead, payment.Abandoned},
		"EXPIRED": {payment.Dead, payment.TooLate},
	} {
		obs, err := newDesk(t, t0, always(200, yes(paid(status, `,"refunds":null`)))).Query(t.Context(), begun())
		if err != nil {
			t.Errorf("%s: %v", status, err)
			continue
		}
		code := status
		if want.state == payment.Paid {
			code = ""
		}
		expect := payment.Observation{
			State: want.state, ProviderID: codeID, MoneyID: moneyID, Amount: money.Of(2400, "JPY"), Reason: want.reason, Code: code, AsOf: t0,
		}
		if diff := cmp.Diff(expect, obs); diff != "" {
			t.Errorf("%s: %s", status, diff)
		}
	}
	obs, err := newDesk(t, t0, always(200, yes(`{"status":"CREATED","acceptedAt":0,"requestedAt":0}`))).Query(t.Context(), begun())
	if want := (payment.Observation{State: payment.NeedsCustomer, ProviderID: codeID, Amount: money.Of(2400, "JPY"), AsOf: t0}); err != nil || !reflect.DeepEqual(obs, want) {
		t.Errorf("a code nobody has paid: %+v, %v; want %+v", obs, err, want)
	}
}

func TestRefundsAreCounted(t *testing.T) {
	for _, tt := range []struct {
		status, more string
		want         int64
	}{
		{"COMPLETED", refunded(), 0},
		{"COMPLETED", refunded(refundSaid("r1", "CREATED", 100)), 100},
		{"REFUNDED", refunded(refundSaid("r1", "REFUNDED", 100)), 100},
		{"REFUNDED", refunded(refundSaid("r1", "REFUNDED", 100), refundSaid("r2", "REFUND_FAILED", 2300)), 2400},
	} {
		obs, err := newDesk(t, t0, always(200, yes(paid(tt.status, tt.more)))).Query(t.Context(), begun())
		if err != nil || obs.State != payment.Paid || obs.Amount != money.Of(2400, "JPY") || obs.Refunded.Minor != tt.want {
			t.Errorf("%s %s: %+v, %v; want paid, %d refunded", tt.status, tt.more, obs, err, tt.want)
		}
	}
}

// An answer about another payment, or one that money cannot be read from, is no
// answer.
func TestQueryBelievesOnlyItsOwnPayment(t *testing.T) {
	known := begun()
	known.MoneyID = moneyID
	for what, tt := range map[string]struct {
		at   payment.Attempt
		data string
	}{
		"another attempt":         {begun(), strings.Replace(paid("COMPLETED", ""), ref, "other"+ref[5:], 1)},
		"no attempt":              {begun(), strings.Replace(paid("FAILED", ""), `"merchantPaymentId"`, `"x"`, 1)},
		"another attempt's code":  {begun(), `{"status":"CREATED","merchantPaymentId":"other"}`},
		"another payment":         {known, strings.Replace(paid("COMPLETED", ""), moneyID, "1"+moneyID[1:], 1)},
		"a payment gone back":     {known, `{"status":"CREATED"}`},
		"no name":                 {begun(), strings.Replace(paid("COMPLETED", ""), moneyID, "", 1)},
		"a name that is a number": {begun(), strings.Replace(paid("COMPLETED", ""), `"`+moneyID+`"`, "12345678901234567890", 1)},
		"another currency":        {begun(), strings.Replace(paid("COMPLETED", ""), `2400,"currency":"JPY"`, `2400,"currency":"USD"`, 1)},
		"no amount":               {begun(), strings.Replace(paid("COMPLETED", ""), `"amount":{"amount":2400,"currency":"JPY"},"pay`, `"pay`, 1)},
		"a state nobody knows":    {begun(), paid("BLOCKED", "")},
		"refunded, by nothing":    {begun(), paid("REFUNDED", refunded())},
		"refunded more":           {begun(), paid("REFUNDED", refunded(refundSaid("r1", "REFUNDED", 2401)))},
		"another's refund":        {begun(), paid("REFUNDED", refunded(strings.Replace(refundSaid("r1", "REFUNDED", 1), moneyID, "7", 1)))},
		"a refund nobody knows":   {begun(), paid("REFUNDED", refunded(refundSaid("r1", "LOST", 1)))},
		"nothing":                 {begun(), "null"},
		"something else":          {begun(), "[1]"},
	} {
		obs, err := newDesk(t, t0, always(200, yes(tt.data))).Query(t.Context(), tt.at)
		if !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%s: %+v, %v; want ErrNotSent", what, obs, err)
		}
	}
}

// That nothing is found means the end of a code that was shown, and nothing yet
// for a Start that may still be under way.
func TestAbsence(t *testing.T) {
	seen := begun()
	seen.MoneyID = moneyID
	end := 15*time.Minute + settles + usualLife
	for _, tt := range []struct {
		name   string
		at     payment.Attempt
		after  time.Duration
		want   payment.State
		reason payment.Reason
	}{
		{"never answered", attempt(), 0, payment.Unknown, ""},
		{"never answered, at its end", attempt(), 15 * time.Minute, payment.Unknown, ""},
		{"never answered, a moment before", attempt(), end, payment.Unknown, ""},
		{"never answered, after all", attempt(), end + 1, payment.Dead, payment.TooLate},
		{"deleted", begun(), time.Minute, payment.Dead, payment.Abandoned},
		{"lapsed", begun(), usualLife, payment.Dead, payment.TooLate},
		{"a payment was seen", seen, 48 * time.Hour, payment.Unknown, ""},
	} {
		obs, err := newDesk(t, t0.Add(tt.after), always(400, no(noPayment))).Query(t.Context(), tt.at)
		if err != nil || obs.State != tt.want || obs.Reason != tt.reason || obs.Code != noPayment || obs.Amount != tt.at.Amount {
			t.Errorf("%s: %+v, %v; want %s %q", tt.name, obs, err, tt.want, tt.reason)
		}
	}
}

// Whatever PayPay says to the deletion, the look afterwards decides.
func TestAbandonLooksAfterwards(t *testing.T) {
	deleted := yes(`{"qrStatus":"DELETED"}`)
	for _, tt := range []struct {
		name, said string
		status     int
		look       string
		lookStatus int
		want       payment.State
		reason     payment.Reason
		err        error
	}{
		{"deleted", deleted, 200, no(noPayment), 400, payment.Dead, payment.Abandoned, nil},
		{"deleted, and paid just before", deleted, 200, yes(paid("COMPLETED", "")), 200, payment.Paid, "", nil},
		{"deleted, and under way", deleted, 200, yes(paid("CREATED", "")), 200, payment.Pending, "", nil},
		{"deleted, and still shown", deleted, 200, yes(`{"status":"CREATED"}`), 200, payment.NeedsCustomer, "", nil},
		{"gone before", no("DYNAMIC_QR_NOT_FOUND"), 404, no(noPayment), 400, payment.Dead, payment.TooLate, nil},
		{"paid before", no("DYNAMIC_QR_ALREADY_PAID"), 400, yes(paid("COMPLETED", "")), 200, payment.Paid, "", nil},
		{"failed", no("DYNAMIC_QR_NOT_FOUND"), 404, yes(paid("FAILED", "")), 200, payment.Dead, payment.Declined, nil},
		{"deleted, and no word after", deleted, 200, "", 429, "", "", payment.ErrUnknown},
		{"too fast", "", 429, "", 0, "", "", payment.ErrNotSent},
		{"no word", "", 500, "", 0, "", "", payment.ErrUnknown},
	} {
		d := newDesk(t, t0.Add(10*time.Minute), func(q asked) (int, string) {
			if q.method == "DELETE" {
				return tt.status, tt.said
			}
			return tt.lookStatus, tt.look
		})
		obs, err := d.Abandon(t.Context(), begun())
		if !errors.Is(err, tt.err) || obs.State != tt.want || obs.Reason != tt.reason {
			t.Errorf("%s: %s %q, %v; want %s %q, %v", tt.name, obs.State, obs.Reason, err, tt.want, tt.reason, tt.err)
		}
		if !strings.HasPrefix(d.methods(), "DELETE /v2/codes/"+codeID) {
			t.Errorf("%s: asked %s", tt.name, d.methods())
		}
	}
}

// A code whose name we were never told is asked for again, to be deleted; what
// happened until then may have changed something.
func TestAbandonNamesTheCodeFirst(t *testing.T) {
	for _, tt := range []struct {
		status int // of the deletion
		want   error
	}{{200, nil}, {429, payment.ErrUnknown}, {500, payment.ErrUnknown}} {
		d := newDesk(t, t0, func(q asked) (int, string) {
			switch q.method {
			case "POST":
				return 201, yes(madeCode)
			case "DELETE":
				return tt.status, yes(`{"qrStatus":"DELETED"}`)
			}
			return 400, no(noPayment)
		})
		obs, err := d.Abandon(t.Context(), attempt())
		if !errors.Is(err, tt.want) || errors.Is(err, payment.ErrNotSent) {
			t.Errorf("deletion answered with %d: %v, want %v", tt.status, err, tt.want)
		}
		if err == nil && (obs.State != payment.Dead || obs.ProviderID != codeID) {
			t.Errorf("%+v, want dead", obs)
		}
	}
}
