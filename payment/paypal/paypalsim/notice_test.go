package paypalsim_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/payment/paypal/paypalsim"
)

func sorted(all []string) []string { slices.Sort(all); return all }

func file(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Three webhooks that PayPal published verify over the text that we sign, and
// with one byte changed none does. The key was recovered from the first two.
func TestPublishedWebhooksVerify(t *testing.T) {
	block, _ := pem.Decode(file(t, "py-pub.pem"))
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct{ name, id, at, webhook string }{
		{"py-1", "dfb3be50-fd74-11e4-8bf3-77339302725b", "2015-05-18T15:45:13Z", "4JH86294D6297924G"},
		{"py-2", "103e3700-8b0c-11e6-8695-6b62a8a99ac4", "2016-10-05T14:57:40Z", "3TR748995U920805P"},
		{"py-3", "d938e770-8046-11e6-8103-6b62a8a99ac4", "2016-09-21T22:00:46Z", "9XL90610J3647323C"},
	} {
		body, sig := file(t, v.name+"-body.txt"), string(file(t, v.name+"-sig.txt"))
		good := func(id, at, webhook string, body []byte) bool {
			return verifies(public.(*rsa.PublicKey), paypalsim.SignedText(id, at, webhook, body), sig)
		}
		if !good(v.id, v.at, v.webhook, body) {
			t.Errorf("%s does not verify", v.name)
		}
		for i := range body {
			changed := bytes.Clone(body)
			changed[i] ^= 1
			if i%50 == 0 && good(v.id, v.at, v.webhook, changed) {
				t.Errorf("%s verifies with byte %d changed", v.name, i)
			}
		}
		if good("e"+v.id[1:], v.at, v.webhook, body) || good(v.id, v.at[:19]+"z", v.webhook, body) || good(v.id, v.at, v.webhook+"0", body) {
			t.Errorf("%s verifies for another identifier, time or webhook", v.name)
		}
	}
}

func verifies(public *rsa.PublicKey, text, signature string) bool {
	sig, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256([]byte(text))
	return err == nil && rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], sig) == nil
}

// verify does what PayPal's document tells a merchant to do, written from it.
func (w *town) verify(n paypalsim.Notification) error {
	h := n.Header
	u, err := url.Parse(h.Get("PAYPAL-CERT-URL"))
	if err != nil || u.Scheme != "https" || !strings.HasSuffix(u.Host, ".paypal.com") {
		return errors.New("foreign certificate address")
	}
	rec := httptest.NewRecorder()
	w.sim.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, u.Path, nil))
	var certs []*x509.Certificate
	for rest := rec.Body.Bytes(); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		certs = append(certs, c)
	}
	if len(certs) < 2 {
		return fmt.Errorf("%d certificates", len(certs))
	}
	middle := x509.NewCertPool()
	for _, c := range certs[1:] {
		middle.AddCert(c)
	}
	if _, err := certs[0].Verify(x509.VerifyOptions{
		Roots: w.sim.Roots(), Intermediates: middle, CurrentTime: w.now, DNSName: "messageverificationcerts.paypal.com",
	}); err != nil {
		return err
	}
	text := fmt.Sprintf("%s|%s|%s|%d", h.Get("PAYPAL-TRANSMISSION-ID"), h.Get("PAYPAL-TRANSMISSION-TIME"), webhookID, crc32.ChecksumIEEE(n.Body))
	if h.Get("PAYPAL-AUTH-ALGO") != "SHA256withRSA" || !verifies(certs[0].PublicKey.(*rsa.PublicKey), text, h.Get("PAYPAL-TRANSMISSION-SIG")) {
		return errors.New("bad signature")
	}
	return nil
}

func TestNotificationsVerifyAndForgeriesDoNot(t *testing.T) {
	w := newTown()
	w.bought(t, "a")
	sent := w.sim.Notifications()
	if len(sent) != 2 {
		t.Fatalf("%d notifications", len(sent))
	}
	for _, n := range sent {
		if err := w.verify(n); err != nil {
			t.Errorf("%s: %v", n.Kind, err)
		}
		var e struct {
			ID       string `json:"id"`
			Type     string `json:"event_type"`
			Resource struct {
				CustomID string `json:"custom_id"`
				Units    []struct {
					CustomID string `json:"custom_id"`
				} `json:"purchase_units"`
			} `json:"resource"`
		}
		if err := json.Unmarshal(n.Body, &e); err != nil || e.ID != n.EventID || e.Type != n.Kind {
			t.Errorf("event %+v, %v", e, err)
		}
		if e.Resource.CustomID != "a" && (len(e.Resource.Units) != 1 || e.Resource.Units[0].CustomID != "a") {
			t.Errorf("%s does not name the merchant's reference: %s", n.Kind, n.Body)
		}
		n.Body = bytes.Replace(n.Body, []byte("1980"), []byte("1981"), 1)
		if w.verify(n) == nil {
			t.Errorf("%s verifies with another amount", n.Kind)
		}
	}
	if again := w.sim.Notifications(); len(again) != 0 {
		t.Errorf("fetched twice: %d", len(again))
	}
	forged := w.sim.Forge()
	if len(forged) != 9 {
		t.Errorf("%d forgeries", len(forged))
	}
	for i, n := range forged {
		if err := w.verify(n); err == nil || n.Attempt != 0 {
			t.Errorf("forgery %d verifies", i)
		}
	}
	if n := newTown().sim.Forge(); len(n) != 9 {
		t.Errorf("%d forgeries of nothing", len(n))
	}
}

// The years pass: certificates end and are replaced in time; a new key works at
// once.
func TestCertificatesAreReplaced(t *testing.T) {
	w := newTown()
	seen := map[string]bool{}
	for i := range 6 {
		w.login()
		w.bought(t, fmt.Sprint(i))
		for _, n := range w.sim.Notifications() {
			if err := w.verify(n); err != nil {
				t.Errorf("after %d half years: %v", i, err)
			}
			seen[n.Header.Get("PAYPAL-CERT-URL")] = true
		}
		w.now = w.now.Add(183 * 24 * time.Hour)
	}
	if len(seen) < 2 {
		t.Errorf("%d certificates in three years", len(seen))
	}
	w.sim.RotateCertificate()
	w.login()
	w.bought(t, "rotated")
	for _, n := range w.sim.Notifications() {
		if err := w.verify(n); err != nil || seen[n.Header.Get("PAYPAL-CERT-URL")] {
			t.Errorf("after rotation: %v", err)
		}
	}
	want(t, w.get("/v1/notifications/certs/CERT-none"), 404)
}

func TestDeliveries(t *testing.T) {
	for how, want := range map[paypalsim.Delivery]struct {
		posts int
		first time.Duration // at the latest
		after time.Duration // not before
	}{
		paypalsim.Prompt: {1, 5 * time.Second, time.Second},
		paypalsim.Early:  {1, 0, 0},
		paypalsim.Late:   {1, time.Hour + 5*time.Second, time.Hour},
		paypalsim.Behind: {1, time.Minute + 5*time.Second, time.Minute},
		paypalsim.Twice:  {2, 5 * time.Second, time.Second},
		paypalsim.Never:  {0, 0, 0},
		paypalsim.Forged: {2, 0, 0},
	} {
		w := newTown(func(c *paypalsim.Config) {
			c.Deliver = func(kind string) paypalsim.Delivery {
				if kind == "PAYMENT.CAPTURE.COMPLETED" {
					return how
				}
				return paypalsim.Never
			}
		})
		w.bought(t, "a")
		got := w.sim.Notifications()
		if len(got) != want.posts {
			t.Errorf("%q: %d posts, want %d", how, len(got), want.posts)
			continue
		}
		if len(got) > 0 {
			if d := got[0].DueAt.Sub(w.now); d > want.first || d < want.after {
				t.Errorf("%q: due after %v", how, d)
			}
		}
		for i, n := range got {
			if forged := how == paypalsim.Forged && i == 0; (w.verify(n) != nil) != forged {
				t.Errorf("%q: post %d: %v", how, i, w.verify(n))
			}
		}
		if how == paypalsim.Twice && !bytes.Equal(got[0].Body, got[1].Body) {
			t.Error("twice, but two events")
		}
	}
	if len(paypalsim.Deliveries) != 6 {
		t.Errorf("%d deliveries", len(paypalsim.Deliveries))
	}
}

func TestWhatIsNotAcceptedComesAgain(t *testing.T) {
	w := newTown()
	w.bought(t, "a")
	n := w.sim.Notifications()[1]
	first, posts := n.DueAt, 1
	for ; ; posts++ {
		w.sim.Failed(n)
		next := w.sim.Notifications()
		if len(next) == 0 {
			break
		}
		if next[0].EventID != n.EventID || next[0].Attempt != n.Attempt+1 || !next[0].DueAt.After(n.DueAt) || w.verify(next[0]) != nil {
			t.Fatalf("again: %+v, %v", next[0], w.verify(next[0]))
		}
		n = next[0]
	}
	if posts != 25 || n.DueAt.Sub(first) > 72*time.Hour || n.DueAt.Sub(first) < 60*time.Hour {
		t.Errorf("%d posts in %v, want 25 in nearly three days", posts, n.DueAt.Sub(first))
	}
	for _, status := range []int{200, 204, 299} {
		if !w.sim.Accepts(status, nil) {
			t.Errorf("%d does not count", status)
		}
	}
	for _, status := range []int{199, 302, 400, 500} {
		if w.sim.Accepts(status, []byte("OK")) {
			t.Errorf("%d counts", status)
		}
	}
	for _, f := range w.sim.Forge() {
		w.sim.Failed(f)
	}
	if diff := cmp.Diff(0, len(w.sim.Notifications())); diff != "" {
		t.Error("a forgery is told again", diff)
	}
}
