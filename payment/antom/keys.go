package antom

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// minBits is the length that Antom asks for (ams/digital_signature).
const minBits = 2048

// privateKey reads our key. Its errors go on "the private key …".
func privateKey(text string) (*rsa.PrivateKey, error) {
	der, err := derOf(text)
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		parsed, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, errors.New("is neither PKCS#8 nor PKCS#1")
		}
		var ok bool
		if k, ok = parsed.(*rsa.PrivateKey); !ok {
			return nil, errors.New("is not an RSA key")
		}
	}
	return k, longEnough(&k.PublicKey)
}

// publicKey reads one of Antom's keys.
func publicKey(text string) (*rsa.PublicKey, error) {
	der, err := derOf(text)
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		parsed, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			return nil, errors.New("is neither an X.509 public key nor PKCS#1")
		}
		var ok bool
		if k, ok = parsed.(*rsa.PublicKey); !ok {
			return nil, errors.New("is not an RSA key")
		}
	}
	return k, longEnough(k)
}

// derOf is what a PEM block or bare base64 encodes.
func derOf(text string) ([]byte, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("is missing")
	}
	if strings.Contains(text, "-----") {
		block, rest := pem.Decode([]byte(text))
		switch {
		case block == nil:
			return nil, errors.New("is a broken PEM block")
		case len(bytes.TrimSpace(rest)) > 0:
			return nil, errors.New("has something after its PEM block")
		}
		return block.Bytes, nil
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, errors.New("is neither PEM nor base64")
	}
	return der, nil
}

func longEnough(k *rsa.PublicKey) error {
	if n := k.N.BitLen(); n < minBits {
		return fmt.Errorf("has %d bits; Antom wants %d", n, minBits)
	}
	return nil
}
