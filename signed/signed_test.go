package signed

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The vectors are those of the published contract.
func TestVectors(t *testing.T) {
	text, err := os.ReadFile("../docs/carrier-contract.md")
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseKeys([]string{"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1767323045, 0)
	rows := regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| `(\\{.*\\})` \\| `(v1,[^`]+)` \\|$").FindAllStringSubmatch(string(text), -1)
	if len(rows) != 3 {
		t.Fatalf("%d vectors in the contract, want 3", len(rows))
	}
	for _, r := range rows {
		h := http.Header{}
		k.Sign(h, r[1], now, []byte(r[2]))
		if got := h.Get(HeaderSignature); got != r[3] {
			t.Errorf("%s: %s, want %s", r[1], got, r[3])
		}
		if err := k.Verify(h, now, []byte(r[2])); err != nil {
			t.Errorf("%s: %v", r[1], err)
		}
	}
}

func TestVerify(t *testing.T) {
	key := "whsec_" + strings.Repeat("QUJD", 8)
	old := "whsec_" + strings.Repeat("Y2Jh", 8)
	ours, err := ParseKeys([]string{key})
	if err != nil {
		t.Fatal(err)
	}
	both, err := ParseKeys([]string{old, key})
	if err != nil {
		t.Fatal(err)
	}
	now, body := time.Unix(1767323045, 0), []byte(`{"a":1}`)
	for name, c := range map[string]struct {
		by     Keys
		change func(http.Header)
		at     time.Duration // of the reader's clock
		body   string
		fine   bool
	}{
		"as it is":              {by: ours, fine: true},
		"while a key changes":   {by: both, fine: true},
		"five minutes late":     {by: ours, at: 300 * time.Second, fine: true},
		"five minutes early":    {by: ours, at: -300 * time.Second, fine: true},
		"later":                 {by: ours, at: 301 * time.Second},
		"earlier":               {by: ours, at: -301 * time.Second},
		"another body":          {by: ours, body: `{"a":2}`},
		"another id":            {by: ours, change: func(h http.Header) { h.Set(HeaderID, "x") }},
		"another timestamp":     {by: ours, change: func(h http.Header) { h.Set(HeaderTimestamp, "1767323046") }},
		"no signature":          {by: ours, change: func(h http.Header) { h.Del(HeaderSignature) }},
		"no id":                 {by: ours, change: func(h http.Header) { h.Del(HeaderID) }},
		"another version first": {by: ours, change: func(h http.Header) { h.Set(HeaderSignature, "v1a,abc "+h.Get(HeaderSignature)) }, fine: true},
		"too many":              {by: ours, change: func(h http.Header) { h.Set(HeaderSignature, strings.Repeat("v1,x ", 100)+h.Get(HeaderSignature)) }},
	} {
		h := http.Header{}
		c.by.Sign(h, "msg_1", now, body)
		if c.change != nil {
			c.change(h)
		}
		read := body
		if c.body != "" {
			read = []byte(c.body)
		}
		if err := ours.Verify(h, now.Add(c.at), read); (err == nil) != c.fine {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"", "whsec_", "whsec_QUJD", strings.TrimPrefix(key, "whsec_"), "whsec_!!!!", "whsec_" + strings.Repeat("QUJD", 30)} {
		if _, err := ParseKeys([]string{bad}); err == nil {
			t.Errorf("the key %q is taken", bad)
		}
	}
}
