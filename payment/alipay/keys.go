package alipay

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

// minBits is what RSA2 asks for.
const minBits = 2048

// privateKey reads the application's key. Its errors go on "the private key …".
func privateKey(text string) (*rsa.PrivateKey, error) {
	der, err := derOf(text)
	if err != nil {
		return nil, err
	}
	k, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		any8, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			if _, err := publicIn(der); err == nil {
				return nil, errors.New("is a public key")
			}
			return nil, errors.New("is neither PKCS#8 nor PKCS#1")
		}
		var ok bool
		if k, ok = any8.(*rsa.PrivateKey); !ok {
			return nil, errors.New("is not an RSA key")
		}
	}
	return k, longEnough(&k.PublicKey)
}

// publicKey reads one of Alipay's keys.
func publicKey(text string) (*rsa.PublicKey, error) {
	der, err := derOf(text)
	if err != nil {
		return nil, err
	}
	k, err := publicIn(der)
	if err != nil {
		return nil, err
	}
	return k, longEnough(k)
}

func publicIn(der []byte) (*rsa.PublicKey, error) {
	if k, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKIXPublicKey(der)
	if err == nil {
		if k, ok := k.(*rsa.PublicKey); ok {
			return k, nil
		}
		return nil, errors.New("is not an RSA key")
	}
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return nil, errors.New("is a private key")
	}
	if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return nil, errors.New("is a private key")
	}
	if _, err := x509.ParseCertificate(der); err == nil {
		return nil, errors.New("is a certificate; choose keys (公钥), not certificates (公钥证书), for the application")
	}
	return nil, errors.New("is neither an X.509 public key nor PKCS#1")
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
		case strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "":
			return nil, errors.New("is locked with a password")
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
		return fmt.Errorf("has %d bits; RSA2 wants %d", n, minBits)
	}
	return nil
}
