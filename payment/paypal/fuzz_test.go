package paypal

import (
	"crypto/x509"
	"errors"
	"testing"
)

// Whatever a file of certificates holds, it is read within bounds or refused; what
// is read can be written and read again, and proves nobody whom the authority did
// not certify.
func FuzzCertificates(f *testing.F) {
	ours := authority().sign("messageverificationcerts.paypal.com", &ourKey().PublicKey, always2015)
	theirs := another().sign("messageverificationcerts.paypal.com", &ourKey().PublicKey, always2015)
	for _, text := range []string{
		file(ours), file(ours, authority().cert), file(theirs, another().cert), file(theirs, ours), "words before\n" + file(ours), file(),
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	} {
		f.Add([]byte(text))
	}
	d := newDeskWith(f, Config{Roots: roots(authority())}, always(200, ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		chain, err := readChain(data)
		if err != nil {
			if chain != nil || errors.Is(err, errNotPayPals) {
				t.Errorf("%d certificates and %v", len(chain), err)
			}
			return
		}
		if len(chain) == 0 || len(chain) > maxChain {
			t.Fatalf("%d certificates", len(chain))
		}
		again, err := readChain([]byte(file(chain...)))
		if err != nil || len(again) != len(chain) {
			t.Fatalf("written and read again: %d of %d, %v", len(again), len(chain), err)
		}
		for i := range chain {
			if !again[i].Equal(chain[i]) {
				t.Errorf("certificate %d is another when read again", i)
			}
		}
		p, err := d.prove(chain, always2015[0].AddDate(15, 0, 0))
		certified := chain[0].CheckSignatureFrom(authority().cert) == nil || chain[0].Equal(authority().cert)
		if err == nil && (!certified && signedBy(chain[0], chain[1:]) == 0 || p.key == nil || p.until.Before(p.from)) {
			t.Errorf("proved %v, which nobody certified: %+v", chain[0].Subject, p)
		}
	})
}

// signedBy counts those of others who signed a certificate.
func signedBy(c *x509.Certificate, others []*x509.Certificate) (n int) {
	for _, o := range others {
		if c.CheckSignatureFrom(o) == nil {
			n++
		}
	}
	return n
}
