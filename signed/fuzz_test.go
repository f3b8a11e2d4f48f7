package signed_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/signed"
)

// Nothing is believed that was not signed: whatever a stranger writes into the headers,
// only what our key made is accepted, and not with another body.
func FuzzVerify(f *testing.F) {
	keys := signed.Keys{[]byte(strings.Repeat("k", 32))}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	ours := http.Header{}
	keys.Sign(ours, "evt_1", now, []byte(`{"a":1}`))
	f.Add("evt_1", ours.Get(signed.HeaderTimestamp), ours.Get(signed.HeaderSignature), []byte(`{"a":1}`))
	f.Add("evt_1", "-1", "v1,", []byte(nil))
	f.Add("", "99999999999999999999", strings.Repeat("v1,AAAA ", 50), []byte("x"))
	f.Fuzz(func(t *testing.T, id, at, signature string, body []byte) {
		h := http.Header{signed.HeaderID: {id}, signed.HeaderTimestamp: {at}, signed.HeaderSignature: {signature}}
		if keys.Verify(h, now, body) != nil {
			return
		}
		again := http.Header{}
		keys.Sign(again, id, now, body)
		if again.Get(signed.HeaderTimestamp) == at && !strings.Contains(" "+signature+" ", again.Get(signed.HeaderSignature)) {
			t.Errorf("%q %q %q %q was believed", id, at, signature, body)
		}
		if keys.Verify(h, now, append(body, 'x')) == nil || keys.Verify(h, now.Add(signed.Fresh*2+time.Second), body) == nil {
			t.Errorf("%q %q %q: another body, or an old one, is believed", id, at, signature)
		}
	})
}
