package paypalsim

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"math/big"
	"time"
)

// certPath is where certificates are served, whatever Config.CertURL says.
const certPath = "/v1/notifications/certs/"

// leafName is whom the signing certificate names.
const leafName = "messageverificationcerts.paypal.com"

// How long certificates are good, and how long before its end one is replaced.
const (
	rootLife    = 30 * 365 * 24 * time.Hour
	leafLife    = 365 * 24 * time.Hour
	renewBefore = 30 * 24 * time.Hour
	madeBefore  = 24 * time.Hour
)

// authority is a root that clients trust, an intermediate certificate, and the
// leaf whose key signs webhooks.
type authority struct {
	root    *x509.Certificate
	middle  *x509.Certificate
	signer  *ecdsa.PrivateKey // of the intermediate certificate
	serial  int64
	leaf    leaf
	files   map[string][]byte // PEM, leaf first, by name
	forging *forger           // made when first needed
}

type leaf struct {
	name     string
	key      *rsa.PrivateKey
	notAfter time.Time
}

// newAuthority makes all of it. What it panics about is a bug, or a machine
// without random bytes.
func newAuthority(now time.Time, key *rsa.PrivateKey, name string) *authority {
	if key == nil {
		key = newKey()
	}
	a := &authority{files: map[string][]byte{}}
	rootKey := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	a.signer = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	ca := func(name string, public any, parent *x509.Certificate, signer *ecdsa.PrivateKey) *x509.Certificate {
		a.serial++
		c := &x509.Certificate{
			SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name, Organization: []string{"Simulated"}},
			NotBefore: now.Add(-madeBefore), NotAfter: now.Add(rootLife),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
		if parent == nil {
			parent = c
		}
		return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, c, parent, public, signer))))
	}
	a.root = ca("paypalsim root", rootKey.Public(), nil, rootKey)
	a.middle = ca("paypalsim issuer", a.signer.Public(), a.root, rootKey)
	a.leaf.key = key
	a.renew(now, name)
	return a
}

// renew replaces the leaf by a new one with the same key. Old files stay.
func (a *authority) renew(now time.Time, name string) {
	a.leaf.name, a.leaf.notAfter = name, now.Add(leafLife)
	a.issue(name, &a.leaf.key.PublicKey, now.Add(-madeBefore), a.leaf.notAfter)
}

// issue makes a leaf certificate and the file in which it is served.
func (a *authority) issue(name string, public *rsa.PublicKey, notBefore, notAfter time.Time) {
	a.serial++
	c := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: leafName, Organization: []string{"Simulated"}},
		DNSNames: []string{leafName}, NotBefore: notBefore, NotAfter: notAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der := must(x509.CreateCertificate(rand.Reader, c, a.middle, public, a.signer))
	var file bytes.Buffer
	for _, block := range [][]byte{der, a.middle.Raw} {
		_ = pem.Encode(&file, &pem.Block{Type: "CERTIFICATE", Bytes: block}) // into memory
	}
	a.files[name] = file.Bytes()
}

func newKey() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic("paypalsim: " + err.Error())
	}
	return v
}

// Roots is what a client that wants to verify our certificates has to trust.
func (s *Sim) Roots() *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(s.certs.root)
	return roots
}

// RotateCertificate lets webhooks be signed with a new key and certificate from
// now on, under a new address.
func (s *Sim) RotateCertificate() {
	key := newKey()
	s.enter()
	defer s.mu.Unlock()
	s.certs.leaf.key = key
	s.certs.renew(s.now, s.certName())
}

// signedText is what a webhook's signature covers.
func signedText(id, at, webhookID string, body []byte) string {
	return fmt.Sprintf("%s|%s|%s|%d", id, at, webhookID, crc32.ChecksumIEEE(body))
}

// sign makes PAYPAL-TRANSMISSION-SIG of a text: SHA256withRSA, PKCS #1 v1.5.
func sign(key *rsa.PrivateKey, text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(must(rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])))
}

// forger is somebody who is not PayPal: with a key, a certificate by an
// authority of their own, and one by ours that has expired.
type forger struct {
	key          *rsa.PrivateKey
	own, expired string // names of certificates
}

// stranger makes the forger when first needed: a key takes a while.
func (s *Sim) stranger() *forger {
	if s.certs.forging != nil {
		return s.certs.forging
	}
	f := &forger{key: newKey(), own: s.certName(), expired: s.certName()}
	theirs := newAuthority(s.now, f.key, f.own)
	s.certs.files[f.own] = theirs.files[f.own]
	long := s.now.Add(-leafLife)
	s.certs.issue(f.expired, &f.key.PublicKey, long, long.Add(renewBefore))
	s.certs.forging = f
	return f
}
