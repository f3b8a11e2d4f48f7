package paypay

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/payment"
)

// notice is PayPay's own example with our names in it.
const notice = `{
  "notification_type": "Transaction",
  "merchant_id": "` + merchant + `",
  "store_id": "123456",
  "pos_id": "123",
  "order_id": "` + moneyID + `",
  "merchant_order_id": "` + ref + `",
  "authorized_at": "2031-05-06T07:08:09Z",
  "expires_at": null,
  "paid_at": "2031-05-06T07:08:10Z",
  "order_amount": "12345",
  "state": "COMPLETED"
}`

func TestNotificationRings(t *testing.T) {
	d := newDesk(t, t0, always(500, ""))
	for _, body := range []string{
		notice,
		strings.Replace(notice, `"`+merchant+`"`, merchant, 1), // a number, as some have read it
		strings.Replace(notice, `"12345"`, `{"amount":1}`, 1),
		strings.Replace(notice, `"COMPLETED"`, `"EXPIRED_USER_CONFIRMATION","new":[1]`, 1),
	} {
		bell, err := d.Notification(t.Context(), nil, []byte(body))
		if err != nil || bell.Ref != ref || len(bell.EventID) != 64 || bell.Kind == "" || bell.Answer != "OK" || bell.AnswerType != "text/plain" {
			t.Errorf("%+v, %v", bell, err)
		}
		again, err := d.Notification(t.Context(), http.Header{"X": {"y"}}, []byte(body))
		if err != nil || again != bell {
			t.Errorf("again: %+v, %v", again, err)
		}
		if other, err := d.Notification(t.Context(), nil, []byte(body+" ")); err != nil || other.EventID == bell.EventID {
			t.Errorf("another body is the same event: %+v, %v", other, err)
		}
	}
	if len(d.asked) > 0 {
		t.Errorf("a notification alone made us ask %s", d.methods())
	}
}

func TestNotificationsThatAreNotOurs(t *testing.T) {
	d := newDesk(t, t0, always(500, ""))
	for what, body := range map[string]string{
		"nothing":                  "",
		"half":                     notice[:len(notice)/2],
		"twice":                    notice + notice,
		"a list":                   "[" + notice + "]",
		"null":                     "null",
		"huge":                     string(longer(notice, longestNotice)),
		"huge, and well made":      strings.Replace(notice, `"123456"`, `"`+string(longer("1", longestNotice))+`"`, 1),
		"another merchant":         strings.Replace(notice, merchant, "123456788", 1),
		"no merchant":              strings.Replace(notice, `"merchant_id"`, `"merchant"`, 1),
		"a merchant with decimals": strings.Replace(notice, `"`+merchant+`"`, merchant+".0", 1),
		"a file":                   strings.Replace(notice, "Transaction", "file.created", 1),
		"no reference":             strings.Replace(notice, ref, "", 1),
		"another's reference":      strings.Replace(notice, ref, "A12345", 1),
		"a reference too long":     strings.Replace(notice, ref, ref+"0", 1),
		"a reference in capitals":  strings.Replace(notice, ref, strings.ToUpper(ref), 1),
		"no state":                 strings.Replace(notice, "COMPLETED", "", 1),
		"a state that is a page":   strings.Replace(notice, "COMPLETED", "<script>", 1),
	} {
		if bell, err := d.Notification(t.Context(), nil, []byte(body)); !errors.Is(err, payment.ErrForged) || bell != (payment.Doorbell{}) {
			t.Errorf("%s: %+v, %v; want ErrForged", what, bell, err)
		}
	}
}

// Whatever anybody sends, it is refused, or rings for one of our references.
func FuzzNotification(f *testing.F) {
	f.Add([]byte(notice))
	f.Add([]byte(notice[:100]))
	f.Add([]byte(`{"notification_type":"Transaction","merchant_id":1e8}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, body []byte) {
		bell, err := (&Adapter{config: Config{MerchantID: merchant}}).Notification(t.Context(), nil, body)
		if err != nil {
			if !errors.Is(err, payment.ErrForged) {
				t.Errorf("error %v does not wrap ErrForged", err)
			}
			return
		}
		if !isRef(bell.Ref) || bell.EventID == "" || bell.Kind == "" || bell.ProviderID != "" || bell.MoneyID != "" || bell.Answer != "OK" {
			t.Errorf("%+v", bell)
		}
	})
}
