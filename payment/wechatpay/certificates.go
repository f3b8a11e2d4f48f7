package wechatpay

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// publicKeyPrefix begins the ids of WeChat Pay's public keys; platform
// certificates are named by their serial numbers, in hex.
const publicKeyPrefix = "PUB_KEY_ID_"

// again is how soon certificates are downloaded again because of a name that
// is not among them. Strangers can make up names as fast as they like; WeChat
// Pay itself announces a certificate days before it signs with it.
const again = time.Minute

// pause is how long after a download that failed a name alone makes us try
// again, for the same reason.
const pause = 5 * time.Second

// keyring is WeChat Pay's keys, by the name that stands in a signature.
type keyring struct {
	publicID string // "" if there is none
	public   *rsa.PublicKey
	now      func() time.Time
	download func(context.Context) (map[string]certificate, error)

	fetching sync.Mutex // held while downloading: one asks for all who wait
	mu       sync.Mutex
	known    map[string]certificate
	asked    time.Time // when known was downloaded
	failed   time.Time // when a download last failed
	why      error
}

// certificate is a platform certificate and its time.
type certificate struct {
	key         *rsa.PublicKey
	from, until time.Time
}

// find returns the key called serial. Its error wraps [errFalse] if WeChat Pay
// has none of that name; any other means that we could not ask.
func (k *keyring) find(ctx context.Context, serial string) (*rsa.PublicKey, error) {
	if k.publicID != "" && serial == k.publicID {
		return k.public, nil
	}
	unknown := fmt.Errorf("%w: nobody knows its key", errFalse)
	if !isHex(serial) {
		return nil, unknown
	}
	if key := k.cached(serial); key != nil {
		return key, nil
	}
	k.fetching.Lock()
	defer k.fetching.Unlock()
	if key := k.cached(serial); key != nil {
		return key, nil
	}
	if err := k.resting(); err != nil {
		return nil, err
	}
	if err := k.refresh(ctx); err != nil {
		return nil, err
	}
	if key := k.cached(serial); key != nil {
		return key, nil
	}
	return nil, unknown
}

// ready makes sure that there is a key to check an answer with, before
// something is asked whose answer matters.
func (k *keyring) ready(ctx context.Context) error {
	if k.publicID != "" {
		return nil
	}
	k.fetching.Lock()
	defer k.fetching.Unlock()
	k.mu.Lock()
	some := false
	for _, c := range k.known {
		some = some || c.covers(k.now())
	}
	k.mu.Unlock()
	if some {
		return nil
	}
	return k.refresh(ctx)
}

// refresh downloads the certificates, unless that was done just now.
func (k *keyring) refresh(ctx context.Context) error {
	now := k.now()
	k.mu.Lock()
	fresh := !k.asked.IsZero() && now.Before(k.asked.Add(again))
	k.mu.Unlock()
	if fresh {
		return nil
	}
	known, err := k.download(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.failed, k.why = now, err
		return err
	}
	k.known, k.asked, k.failed, k.why = known, now, time.Time{}, nil
	return nil
}

// resting is why the last download failed, if that was just now.
func (k *keyring) resting() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.why != nil && k.now().Before(k.failed.Add(pause)) {
		return k.why
	}
	return nil
}

func (k *keyring) cached(serial string) *rsa.PublicKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.known[canonical(serial)]
	if !ok || !c.covers(k.now()) {
		return nil
	}
	return c.key
}

func (c certificate) covers(t time.Time) bool { return !t.Before(c.from) && t.Before(c.until) }

// canonical is a serial number as [big.Int] writes it.
func canonical(serial string) string { return strings.TrimLeft(strings.ToUpper(serial), "0") }

func isHex(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// certificates downloads the platform certificates. Each is proved by the
// APIv3 key it is encrypted with, and the answer by one of them, or by the
// public key. A merchant who only has the public key has no certificates.
func (a *Adapter) certificates(ctx context.Context) (map[string]certificate, error) {
	got, f := a.send(ctx, http.MethodGet, "/v3/certificates", nil)
	if f != nil {
		return nil, fmt.Errorf("download certificates: %w", f.cause)
	}
	s, err := a.readSignature(got.Header)
	if err != nil {
		return nil, fmt.Errorf("download certificates: status %d: %w", got.Status, hidden(err))
	}
	if got.Status != http.StatusOK {
		if a.ring.public != nil && s.serial == a.ring.publicID && s.fits(a.ring.public, got.Body) && got.Status/100 == 4 {
			return nil, nil
		}
		return nil, fmt.Errorf("download certificates: status %d", got.Status)
	}
	known, err := openCertificates(got.Body, a.config.APIv3Key)
	if err != nil {
		return nil, fmt.Errorf("download certificates: %w", err)
	}
	key := known[canonical(s.serial)].key
	if a.ring.public != nil && s.serial == a.ring.publicID {
		key = a.ring.public
	}
	if key == nil || !s.fits(key, got.Body) {
		return nil, errors.New("download certificates: the signature is by none of them")
	}
	return known, nil
}

// hidden keeps an unreadable download from looking like a forged signature:
// what waits for the certificate may be genuine.
func hidden(err error) error { return errors.New(err.Error()) }

func openCertificates(body []byte, key string) (map[string]certificate, error) {
	var list struct {
		Data []struct {
			Serial string `json:"serial_no"`
			Sealed sealed `json:"encrypt_certificate"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, errors.New("an answer that makes no sense")
	}
	known := map[string]certificate{}
	for _, d := range list.Data {
		text, err := d.Sealed.open(key)
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, errors.New("a certificate is not PEM")
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("a certificate cannot be read")
		}
		public, ok := c.PublicKey.(*rsa.PublicKey)
		if !ok || fmt.Sprintf("%X", c.SerialNumber) != canonical(d.Serial) {
			return nil, errors.New("a certificate is not the one it is said to be")
		}
		known[canonical(d.Serial)] = certificate{public, c.NotBefore, c.NotAfter}
	}
	return known, nil
}
