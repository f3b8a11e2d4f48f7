package openidsim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
)

// keys are what one kind of token is signed with (RFC 7518).
type keys struct {
	id     string
	rsa    *rsa.PrivateKey
	ecdsa  *ecdsa.PrivateKey
	secret []byte
}

func newKeys(algorithm, secret string, random io.Reader) (k keys) {
	if random == nil {
		random = rand.Reader
	}
	var err error
	switch algorithm {
	case "RS256":
		k.rsa, err = rsa.GenerateKey(random, 2048)
	case "HS256":
		k.secret = []byte(secret)
	default:
		k.ecdsa, err = ecdsa.GenerateKey(elliptic.P256(), random)
	}
	if err != nil {
		panic(err)
	}
	id := make([]byte, 6)
	if _, err := io.ReadFull(random, id); err != nil {
		panic(err)
	}
	k.id = raw(id)
	return k
}

// public is the key set (RFC 7517); a secret is in none.
func (k keys) public() []map[string]string {
	switch {
	case k.rsa != nil:
		return []map[string]string{{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": k.id,
			"n": raw(k.rsa.N.Bytes()), "e": raw(big.NewInt(int64(k.rsa.E)).Bytes()),
		}}
	case k.ecdsa != nil:
		point, err := k.ecdsa.PublicKey.Bytes() // 4, x, y
		if err != nil {
			panic(err)
		}
		return []map[string]string{{"kty": "EC", "alg": "ES256", "use": "sig", "crv": "P-256", "kid": k.id, "x": raw(point[1:33]), "y": raw(point[33:])}}
	}
	return []map[string]string{}
}

// sign makes a token (RFC 7515, compact).
func (k keys) sign(algorithm string, claims map[string]any) string {
	head := map[string]string{"alg": algorithm, "typ": "JWT"}
	if k.secret == nil {
		head["kid"] = k.id
	}
	text := join(head, claims)
	sum := sha256.Sum256([]byte(text))
	var signature []byte
	var err error
	switch {
	case k.secret != nil:
		h := hmac.New(sha256.New, k.secret)
		_, _ = h.Write([]byte(text)) // a hash takes everything
		signature = h.Sum(nil)
	case k.rsa != nil:
		signature, err = rsa.SignPKCS1v15(nil, k.rsa, crypto.SHA256, sum[:])
	default:
		r, s, e := ecdsa.Sign(rand.Reader, k.ecdsa, sum[:])
		if err = e; err == nil {
			signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	}
	if err != nil {
		panic(err)
	}
	return text + "." + raw(signature)
}

func join(head, claims any) string { return encode(head) + "." + encode(claims) }

func encode(what any) string {
	b, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	return raw(b)
}

func raw(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
