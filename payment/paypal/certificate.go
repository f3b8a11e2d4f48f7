package paypal

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	maxCerts     = 16       // kept; PayPal uses a new one every few months
	maxChain     = 8        // certificates in one file
	maxCertBytes = 64 << 10 // of one file; real ones have about 5 KiB
	certPath     = "/v1/notifications/certs/"
)

// errNotPayPals says that a certificate is not one of PayPal's for notifications.
var errNotPayPals = errors.New("its certificate is not PayPal's")

// shelf keeps certificates by their address, the latest last. An address stands
// for one certificate for ever: PayPal's are named after it. Whoever holds its
// turn may look, may fetch and may prove.
type shelf struct {
	turn  chan struct{} // one place
	files []certFile
}

type certFile struct {
	address string
	chain   []*x509.Certificate // the signer's first
	proven  proof               // the latest; the zero value is none
}

// proof says that a chain leads from key to whom we trust at every moment from
// the latest beginning in it to its earliest end: nothing else in the proof
// depends on the time, and whom we trust does not change.
type proof struct {
	key         *rsa.PublicKey
	from, until time.Time // both included, as in RFC 5280, 4.1.2.5
}

func (p proof) at(now time.Time) bool {
	return p.key != nil && !now.Before(p.from) && !now.After(p.until)
}

// signer returns the public key of the certificate at address. It fails with
// errNotPayPals before anything is fetched if the address is not PayPal's, and
// if the certificate does not hold at this moment; any other error says that
// it could not be had now.
func (a *Adapter) signer(ctx context.Context, address string) (*rsa.PublicKey, error) {
	if !a.certAddress(address) {
		return nil, errNotPayPals
	}
	select {
	case a.certs.turn <- struct{}{}:
		defer func() { <-a.certs.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f, err := a.certFile(ctx, address)
	if err != nil {
		return nil, err
	}
	now := a.now()
	if !f.proven.at(now) {
		f.proven, err = a.prove(f.chain, now)
	}
	return f.proven.key, err
}

// certAddress reports whether an address may be asked for a certificate. A
// stranger wrote it, so it is compared letter by letter: no other scheme, port,
// path or query, and nobody before the host.
func (a *Adapter) certAddress(address string) bool {
	for _, host := range a.config.CertHosts {
		name, ok := strings.CutPrefix(address, "https://"+host+certPath)
		if ok && word(name) != "" && strings.Trim(name, ".") != "" {
			return true
		}
	}
	return false
}

// certFile is called in turn. What it returns is on the shelf until the next turn.
func (a *Adapter) certFile(ctx context.Context, address string) (*certFile, error) {
	for i := range a.certs.files {
		if a.certs.files[i].address == address {
			return &a.certs.files[i], nil
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, errNotPayPals
	}
	got, err := a.client.Do(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case got.Status == http.StatusNotFound, got.Status == http.StatusGone:
		return nil, errNotPayPals
	case got.Status != http.StatusOK:
		return nil, fmt.Errorf("status %d", got.Status)
	}
	f := certFile{address: address}
	if f.chain, err = readChain(got.Body); err != nil {
		return nil, err
	}
	if f.proven, err = a.prove(f.chain, a.now()); err != nil {
		return nil, err // not kept: what does not hold shall not push out what does
	}
	a.certs.files = append(a.certs.files, f)
	if n := len(a.certs.files); n > maxCerts {
		a.certs.files = slices.Clone(a.certs.files[n-maxCerts:])
	}
	return &a.certs.files[len(a.certs.files)-1], nil
}

// readChain reads a file of certificates.
func readChain(file []byte) (chain []*x509.Certificate, err error) {
	if len(file) > maxCertBytes {
		return nil, errors.New("the certificate is too long")
	}
	for {
		var block *pem.Block
		if block, file = pem.Decode(file); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" || len(chain) == maxChain {
			return nil, errors.New("the certificate makes no sense")
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("the certificate cannot be read")
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, errors.New("there is no certificate")
	}
	return chain, nil
}

// prove checks that the chain leads to whom we trust, at now.
func (a *Adapter) prove(chain []*x509.Certificate, now time.Time) (proof, error) {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	ways, err := chain[0].Verify(x509.VerifyOptions{
		Roots: a.config.Roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return proof{}, errNotPayPals
	}
	// Whom the system trusts vouches for everybody on the web.
	if a.config.Roots == nil && !inPayPalsName(chain[0]) {
		return proof{}, errNotPayPals
	}
	key, ok := chain[0].PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() < 2048 {
		return proof{}, errNotPayPals
	}
	p := proof{key: key, from: chain[0].NotBefore, until: chain[0].NotAfter}
	for _, c := range ways[0] { // one way is enough; its root counts too
		if c.NotBefore.After(p.from) {
			p.from = c.NotBefore
		}
		if c.NotAfter.Before(p.until) {
			p.until = c.NotAfter
		}
	}
	return p, nil
}

// inPayPalsName reports whether a certificate was issued to PayPal. The names
// in use are messageverificationcerts.paypal.com and, in the sandbox,
// messageverificationcerts.sandbox.paypal.com.
func inPayPalsName(c *x509.Certificate) bool {
	for _, name := range append([]string{c.Subject.CommonName}, c.DNSNames...) {
		if strings.HasSuffix(strings.ToLower(name), ".paypal.com") {
			return true
		}
	}
	return false
}
