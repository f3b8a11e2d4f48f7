package linepay

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	id      = "2031050600000000017"
	check   = "GET /v3/payments/requests/" + id + "/check"
	details = "GET /v3/payments"
	confirm = "POST /v3/payments/" + id + "/confirm"
	none    = `{"returnCode":"1150"}`
)

func code(c string) string { return `{"returnCode":"` + c + `","returnMessage":"x"}` }

// shown are details of the attempt, with parts replaced.
func shown(replace ...string) string {
	return strings.NewReplacer(replace...).Replace(`{"returnCode":"0000","info":[{"transactionId":` + id +
		`,"orderId":"0123456789abcdefghijklmnop","transactionType":"PAYMENT","payStatus":"CAPTURE","currency":"TWD",` +
		`"payInfo":[{"method":"CREDIT_CARD","amount":200},{"method":"POINT","amount":40}],"refundList":[],"new":{"x":1}}]}`)
}

// Every state that LINE Pay publishes is one of ours.
func TestWhatIsSeenOfAnAttempt(t *testing.T) {
	twd := func(n int64) money.Money { return money.Of(n, "TWD") }
	paid := payment.Observation{State: payment.Paid, ProviderID: id, MoneyID: id, Amount: twd(240_00), Refunded: twd(0), AsOf: noon}
	seen := func(s payment.State, r payment.Reason, code string) payment.Observation {
		return payment.Observation{State: s, ProviderID: id, Amount: twd(240_00), Reason: r, Code: code, AsOf: noon}
	}
	refunded := paid
	refunded.Refunded = twd(100_00)
	for _, tt := range []struct {
		check, details string
		age            time.Duration
		want           payment.Observation
	}{
		{code("0000"), "", 0, seen(payment.NeedsCustomer, "", "")},
		{code("0110"), "", 0, seen(payment.Approved, "", "")},
		{code("0121"), "", 0, seen(payment.Dead, payment.Abandoned, "0121")},
		{code("0121"), "", 20 * time.Minute, seen(payment.Dead, payment.TooLate, "0121")},
		{code("0122"), "", 0, seen(payment.Dead, payment.Declined, "0122")},
		{code("0123"), shown(), 0, paid},
		{code("1150"), shown(), 0, paid},
		{code("1150"), none, 0, seen(payment.Unknown, "", "")},
		{code("1150"), none, 35 * time.Minute, seen(payment.Unknown, "", "")},
		{code("1150"), none, 36 * time.Minute, seen(payment.Dead, payment.TooLate, "1150")},
		{code("0000"), none, 36 * time.Minute, seen(payment.Dead, payment.TooLate, "0000")},
		{code("0110"), none, 35 * time.Minute, seen(payment.Approved, "", "")},
		{code("0110"), none, 36 * time.Minute, seen(payment.Dead, payment.TooLate, "0110")},
		{code("0110"), shown(), 36 * time.Minute, paid}, // confirmed, and check is behind
		{code("0123"), shown("CAPTURE", "AUTHORIZATION"), 0, seen(payment.Pending, "", "AUTHORIZATION")},
		{code("0123"), shown("CAPTURE", "VOIDED_AUTHORIZATION"), 0, seen(payment.Dead, payment.TooLate, "VOIDED_AUTHORIZATION")},
		{code("0123"), shown("CAPTURE", "EXPIRED_AUTHORIZATION"), 0, seen(payment.Dead, payment.TooLate, "EXPIRED_AUTHORIZATION")},
		{code("0123"), shown(`"refundList":[]`, `"refundList":null`), 0, paid},
		{code("0123"), shown(`"refundList":[]`, `"refundList":[{"refundTransactionId":5,"refundAmount":-40,"refundTransactionDate":"2031-05-06T12:00:00Z"},`+
			`{"refundTransactionId":6,"refundAmount":60},{"refundTransactionId":5,"refundAmount":-40}]`), 0, refunded},
		{code("0123"), shown(`[{"transactionId":`, `[{"transactionId":5,"orderId":"0123456789abcdefghijklmnop","transactionType":"PARTIAL_REFUND","originalTransactionId":`+id+
			`},{"transactionId":`), 0, paid},
		{code("0123"), shown(id, `"`+id+`"`), 0, paid},
	} {
		c := &canned{answers: map[string]string{check: tt.check, details: tt.details}}
		at := attempt()
		at.CreatedAt = noon.Add(-tt.age)
		at.ExpiresAt = at.CreatedAt.Add(15 * time.Minute)
		got, err := against(t, c).Query(t.Context(), at)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s, %s after %s: %v (-want +got)\n%s", tt.check, tt.details, tt.age, err, diff)
		}
	}
}

// An answer that is about something else, or of which the money cannot be read,
// is no answer.
func TestAnswersAboutSomethingElse(t *testing.T) {
	for name, body := range map[string]string{
		"another order":            shown("ghijklmnop", "ghijklmnox"),
		"another transaction":      shown(id, "2031050600000000018"),
		"a refund":                 shown("PAYMENT", "PAYMENT_REFUND"),
		"another currency":         shown("TWD", "THB"),
		"no currency":              shown(`"currency":"TWD",`, ""),
		"a new state":              shown("CAPTURE", "FROZEN"),
		"no state":                 shown(`"payStatus":"CAPTURE",`, ""),
		"two payments":             strings.Replace(shown(), "]}", ","+strings.TrimPrefix(strings.TrimSuffix(shown(), "]}"), `{"returnCode":"0000","info":[`)+"]}", 1),
		"nothing taken":            shown("200", "0", "40", "0"),
		"no sources":               shown(`[{"method":"CREDIT_CARD","amount":200},{"method":"POINT","amount":40}]`, "[]"),
		"a source without amount":  shown(`"POINT","amount":40`, `"POINT"`),
		"cents":                    shown("200", "200.50"),
		"an exponent":              shown("200", "2e2"),
		"a negative source":        shown("40", "-40"),
		"an absurd amount":         shown("200", "90071992547409920000"),
		"a refund without name":    shown(`"refundList":[]`, `"refundList":[{"refundAmount":-40}]`),
		"a refund without amount":  shown(`"refundList":[]`, `"refundList":[{"refundTransactionId":5}]`),
		"a refund twice negative":  shown(`"refundList":[]`, `"refundList":[{"refundTransactionId":5,"refundAmount":"--40"}]`),
		"a name rounded to floats": shown(id, "2.0310506e18"),
		"an object":                `{"returnCode":"0000","info":{}}`,
		"nothing":                  `{"returnCode":"0000"}`,
		"trouble":                  code("9000"),
		"a stranger's code":        code("1177"),
		"nobody there":             none,
	} {
		for _, at := range []payment.Attempt{attempt(), func() payment.Attempt { a := attempt(); a.MoneyID = id; return a }()} {
			c := &canned{answers: map[string]string{check: code("0123"), details: body}}
			if got, err := against(t, c).Query(t.Context(), at); !errors.Is(err, payment.ErrNotSent) || errors.Is(err, payment.ErrUnknown) {
				t.Errorf("%s: Query says %+v, %v; want ErrNotSent", name, got, err)
			}
		}
	}
	at := attempt()
	at.ProviderID = "../../x"
	c := &canned{}
	if _, err := against(t, c).Query(t.Context(), at); !errors.Is(err, payment.ErrNotSent) || c.asked != nil {
		t.Errorf("an identifier that is none: error %v, asked %q", err, c.asked)
	}
}

// A confirmation counts only if it says what it took, for this attempt. What is
// not said there is looked up.
func TestWhatAConfirmationSays(t *testing.T) {
	yes := func(replace ...string) string {
		return strings.NewReplacer(replace...).Replace(`{"returnCode":"0000","info":{"transactionId":` + id +
			`,"orderId":"0123456789abcdefghijklmnop","payInfo":[{"method":"BALANCE","amount":240}]}}`)
	}
	for _, tt := range []struct {
		name, confirm string
		then          []string // what check says: before, after
		details       string
		want          payment.State // "": ErrUnknown
		reason        payment.Reason
	}{
		{"yes", yes(), []string{"0110"}, none, payment.Paid, ""},
		{"yes, of another order", yes("mnop", "mnox"), []string{"0110", "0110"}, none, "", ""},
		{"yes, of another transaction", yes(id, "18"), []string{"0110", "0110"}, none, "", ""},
		{"yes, of nothing", yes("240", "0"), []string{"0110", "0110"}, none, "", ""},
		{"yes, without an amount", yes("240", "null"), []string{"0110", "0123"}, shown(), payment.Paid, ""},
		{"yes, and nothing is shown", `{"returnCode":"0000"}`, []string{"0110", "0123"}, none, "", ""},
		{"done before", code("1152"), []string{"0110", "0123"}, shown(), payment.Paid, ""},
		{"done before, and not shown", code("1152"), []string{"0110", "0110"}, none, "", ""},
		{"running", code("1198"), []string{"0110", "0110"}, none, "", ""},
		{"running, and then refused", code("1198"), []string{"0110", "0122"}, none, payment.Dead, payment.Declined},
		{"held only", code("1199"), []string{"0110", "0123"}, shown("CAPTURE", "AUTHORIZATION"), payment.Pending, ""},
		{"no funds", code("1142"), []string{"0110", "0122"}, none, payment.Dead, payment.NoFunds},
		{"no funds, and may try again", code("1142"), []string{"0110", "0110"}, none, payment.Open, payment.NoFunds},
		{"no funds, and must agree again", code("1142"), []string{"0110", "0000"}, none, payment.NeedsCustomer, payment.NoFunds},
		{"no funds, and nobody says more", code("1142"), []string{"0110", "9000"}, none, payment.Open, payment.NoFunds},
		{"given up meanwhile", code("1159"), []string{"0110", "0121"}, none, payment.Dead, payment.Abandoned},
		{"too late", code("1180"), []string{"0110", "0110"}, none, payment.Dead, payment.TooLate},
		{"a new code", code("1234"), []string{"0110", "0110"}, none, "", ""},
	} {
		c := &turns{canned: canned{answers: map[string]string{confirm: tt.confirm, details: tt.details}}, checks: tt.then}
		got, err := against(t, c).Resume(t.Context(), attempt(), nil)
		if tt.want == "" && !errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%s: Resume says %s, %v; want ErrUnknown", tt.name, got.State, err)
		}
		if tt.want != "" && (err != nil || got.State != tt.want || got.Reason != tt.reason || (tt.reason == "") != (got.Code == "") && tt.want != payment.Pending) {
			t.Errorf("%s: Resume says %s %s %q, %v; want %s %s", tt.name, got.State, got.Reason, got.Code, err, tt.want, tt.reason)
		}
		if tt.want == payment.Paid && got.Amount != money.Of(240_00, "TWD") {
			t.Errorf("%s: paid %v", tt.name, got.Amount)
		}
		const sent = "POST /v3/payments/" + id + `/confirm {"amount":240,"currency":"TWD"}`
		if n := strings.Count(strings.Join(c.asked, "\n"), sent); n != 1 {
			t.Errorf("%s: confirmed %d times: %q", tt.name, n, c.asked)
		}
	}
}

// The amount that counts is the one LINE Pay says it took.
func TestTakenAmountIsTold(t *testing.T) {
	c := &turns{canned: canned{answers: map[string]string{confirm: `{"returnCode":"0000","info":{"transactionId":` + id +
		`,"orderId":"0123456789abcdefghijklmnop","payInfo":[{"amount":1}]}}`}}, checks: []string{"0110"}}
	got, err := against(t, c).Resume(t.Context(), attempt(), nil)
	if err != nil || got.State != payment.Paid || got.Amount != money.Of(1_00, "TWD") {
		t.Errorf("Resume says %+v, %v", got, err)
	}
}

// An attempt that nobody agreed to is not confirmed, and one whose time is over
// is not either.
func TestNothingIsConfirmedUnasked(t *testing.T) {
	for check, expires := range map[string]time.Duration{"0000": time.Hour, "0121": time.Hour, "0122": time.Hour, "0110": 0} {
		c := &turns{checks: []string{check}}
		at := attempt()
		at.ExpiresAt = noon.Add(expires)
		if got, err := against(t, c).Resume(t.Context(), at, nil); err != nil || got.State == payment.Paid || len(c.asked) != 1 {
			t.Errorf("%s: Resume says %+v, %v; asked %q", check, got, err, c.asked)
		}
	}
}

// Lookups name what they look for: the transaction where it is known.
func TestHowDetailsAreAskedFor(t *testing.T) {
	for _, tt := range []struct{ provider, money, want string }{
		{"", "", "GET /v3/payments?orderId=0123456789abcdefghijklmnop"},
		{"", id, "GET /v3/payments?transactionId=" + id},
		{id, id, "GET /v3/payments?transactionId=" + id},
	} {
		c := &canned{answers: map[string]string{details: shown()}}
		at := attempt()
		at.ProviderID, at.MoneyID = tt.provider, tt.money
		if got, err := against(t, c).Query(t.Context(), at); err != nil || got.State != payment.Paid {
			t.Errorf("Query says %+v, %v", got, err)
		}
		if diff := cmp.Diff([]string{tt.want}, c.asked); diff != "" {
			t.Errorf("asked (-want +got)\n%s", diff)
		}
		h := c.headers[0]
		_, query, _ := strings.Cut(tt.want, "?")
		if want := sign("s3cret", "/v3/payments", query, h.Get("X-LINE-Authorization-Nonce")); h.Get("X-LINE-Authorization") != want {
			t.Errorf("signed %q, want %q", h.Get("X-LINE-Authorization"), want)
		}
	}
}

// Money that is only held is not given back, and money that was taken is not
// called untaken because LINE Pay does not show it at the moment.
func TestRefundOfWhatIsNotShownAsTaken(t *testing.T) {
	r := payment.Refund{Ref: "refund", Attempt: attempt(), Amount: money.Of(80_00, "TWD")}
	held := &canned{answers: map[string]string{details: shown("CAPTURE", "AUTHORIZATION")}}
	if got, err := against(t, held).Refund(t.Context(), r); err != nil || got.State != payment.RefundFailed || got.Code != "not_paid" {
		t.Errorf("Refund of what is held says %+v, %v", got, err)
	}
	r.Attempt.MoneyID = id
	missing := &canned{answers: map[string]string{details: none}}
	if got, err := against(t, missing).Refund(t.Context(), r); !errors.Is(err, payment.ErrNotSent) {
		t.Errorf("Refund of what is not shown says %+v, %v; want ErrNotSent", got, err)
	}
	if got, err := against(t, missing).QueryRefund(t.Context(), r); !errors.Is(err, payment.ErrNotSent) {
		t.Errorf("QueryRefund of what is not shown says %+v, %v; want ErrNotSent", got, err)
	}
}

// A refund's answer must name a transaction of its own.
func TestWhatARefundSays(t *testing.T) {
	for info, want := range map[string]error{
		`{"refundTransactionId":2031050600000000099,"refundTransactionDate":"2031-05-06T12:00:00Z"}`: nil,
		`{"refundTransactionId":` + id + `}`:  payment.ErrUnknown,
		`{"refundTransactionId":0}`:           payment.ErrUnknown,
		`{"refundTransactionDate":"2031-05"}`: payment.ErrUnknown,
		`[]`:                                  payment.ErrUnknown,
	} {
		c := &canned{answers: map[string]string{details: shown(), "POST /v3/payments/" + id + "/refund": fmt.Sprintf(`{"returnCode":"0000","info":%s}`, info)}}
		a := against(t, c)
		r := payment.Refund{Ref: "refund", Attempt: attempt(), Amount: money.Of(80_00, "TWD")}
		got, err := a.Refund(t.Context(), r)
		if !errors.Is(err, want) || want == nil && (got.State != payment.RefundDone || got.ProviderID != "2031050600000000099") {
			t.Errorf("%s: %+v, %v; want %v", info, got, err, want)
		}
		// What LINE Pay does not show yet is not asked for again.
		if got, err := a.Refund(t.Context(), r); !errors.Is(err, payment.ErrUnknown) {
			t.Errorf("%s: again %+v, %v; want ErrUnknown", info, got, err)
		}
		if n := strings.Count(strings.Join(c.asked, "\n"), `/refund {"refundAmount":80}`); n != 1 {
			t.Errorf("%s: asked %d times", info, n)
		}
	}
}
