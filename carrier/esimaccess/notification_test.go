package esimaccess

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Every kind of notification that the operator documents rings the bell of its
// line, and says nothing more.
func TestNotification(t *testing.T) {
	const ids = `"iccid":"89852246280001113119","orderNo":"B1","esimTranNo":"23120118156818","transactionId":"ord_00"`
	bell := func(kind string) carrier.Doorbell {
		return carrier.Doorbell{EventID: "n-1", Kind: kind, Profile: ours, Ref: "ord_00"}
	}
	tests := []struct {
		name string
		body string
		want carrier.Doorbell
	}{
		{"the address works", `{"notifyType":"CHECK_HEALTH","notifyId":"n-1","content":{"orderNo":"1234567890","orderStatus":"Test","esimTranNo":"1"}}`, carrier.Doorbell{EventID: "n-1", Kind: "CHECK_HEALTH"}},
		{"order ready", `{"notifyType":"ORDER_STATUS","notifyId":"n-1","eventGenerateTime":"2026-05-04T12:00:00Z","content":{"orderNo":"B1","orderStatus":"GOT_RESOURCE","transactionId":"ord_00"}}`, carrier.Doorbell{EventID: "n-1", Kind: "ORDER_STATUS", Ref: "ord_00"}},
		{"state changed", `{"notifyType":"ESIM_STATUS","notifyId":"n-1","content":{` + ids + `,"esimStatus":"REVOKED","smdpStatus":"ENABLED"}}`, bell("ESIM_STATUS")},
		{"on the phone", `{"notifyType":"SMDP_EVENT","notifyId":"n-1","content":{` + ids + `,"eid":"890","seqNumber":null,"notifyStatus":"Executed-Success"}}`, bell("SMDP_EVENT")},
		{"data low", `{"notifyType":"DATA_USAGE","notifyId":"n-1","content":{` + ids + `,"totalVolume":1,"orderUsage":1,"remain":0,"remainThreshold":0.1}}`, bell("DATA_USAGE")},
		{"days low", `{"notifyType":"VALIDITY_USAGE","notifyId":"n-1","content":{` + ids + `,"remain":1,"expiredTime":"2026-05-05 12:00:00 UTC"}}`, bell("VALIDITY_USAGE")},
		{"a kind of next year", `{"notifyType":"LOW_BALANCE","notifyId":"n-1","content":{}}`, carrier.Doorbell{EventID: "n-1", Kind: "LOW_BALANCE"}},
		{"no content", `{"notifyType":"DATA_USAGE","notifyId":7,"content":null}`, carrier.Doorbell{EventID: "7", Kind: "DATA_USAGE"}},
		{"numbers without quotes", `{"notifyType":"DATA_USAGE","notifyId":"n-1","content":{"iccid":89852246280001113119,"esimTranNo":23120118156818,"transactionId":"ord_00"}}`, bell("DATA_USAGE")},
		{"a card number padded", `{"notifyType":"DATA_USAGE","notifyId":"n-1","content":{"iccid":"8943108170000775671F"}}`, carrier.Doorbell{EventID: "n-1", Kind: "DATA_USAGE", Profile: carrier.Profile{ICCID: "8943108170000775671"}}},
		{"another's reference", `{"notifyType":"DATA_USAGE","notifyId":"n-1","content":{"transactionId":"Their Order!","esimTranNo":"<b>","iccid":"8.9e19"}}`, carrier.Doorbell{EventID: "n-1", Kind: "DATA_USAGE"}},
		{
			"an old one, without an identifier", `{"notifyType":"DATA_USAGE"}`,
			carrier.Doorbell{EventID: "sha256:80b6beaf5982429da3590eeb74fcd4759940ac32925a8cd362cbd06abc7e8e84", Kind: "DATA_USAGE"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := new(Adapter).Notification(nil, []byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("doorbell (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNotificationThatIsNone(t *testing.T) {
	for _, body := range []string{
		"", "null", "[]", `"x"`, "{}", "{", `{"notifyType":null}`, `{"notifyType":"two words"}`, `{"notifyType":{}}`,
		`{"notifyType":"` + strings.Repeat("X", 41) + `"}`, `{"notifyType":"X","content":[]}`,
		`{"notifyType":"X","pad":"` + strings.Repeat("x", notificationMax) + `"}`,
	} {
		_, err := new(Adapter).Notification(nil, []byte(body))
		if got := kind(t, err); got != "bad_request" {
			t.Errorf("Notification(%.60q): %q, want bad_request", body, got)
		}
	}
}

// Whatever arrives is a refusal or a bell whose every word is bounded.
func FuzzNotification(f *testing.F) {
	f.Fuzz(func(t *testing.T, body []byte) {
		bell, err := new(Adapter).Notification(nil, body)
		if err != nil {
			if got := kind(t, err); got != "bad_request" {
				t.Fatalf("%q: %v", got, err)
			}
			return
		}
		if bell.EventID == "" || len(bell.EventID) > 100 || bell.Kind == "" || len(bell.Kind) > 40 ||
			len(bell.Profile.ID) > 64 || len(bell.Ref) > refMax {
			t.Errorf("%+v is out of bounds", bell)
		}
		if c := bell.Profile.ICCID; c != "" && cardNumber(c) != c {
			t.Errorf("%q is not a card's number", c)
		}
		if again, _ := new(Adapter).Notification(nil, bytes.Clone(body)); again != bell {
			t.Errorf("%+v, then %+v", bell, again)
		}
	})
}
