package pushsim

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Browser holds what a browser keeps to itself of a subscription.
type Browser struct {
	Private *ecdh.PrivateKey
	Auth    []byte
}

// Open decrypts the body of a push message as RFC 8291, section 3.4, and RFC 8188,
// section 2, have a receiver do it.
func (b Browser) Open(body []byte) ([]byte, error) {
	const fixed = 16 + 4 + 1
	if len(body) < fixed {
		return nil, errors.New("pushsim: no header")
	}
	salt, size, idlen := body[:16], binary.BigEndian.Uint32(body[16:20]), int(body[20])
	if len(body) < fixed+idlen {
		return nil, errors.New("pushsim: the header is cut off")
	}
	keyid, record := body[fixed:fixed+idlen], body[fixed+idlen:]
	if size < 18 || uint64(len(record)) > uint64(size) { // one record only, section 4
		return nil, fmt.Errorf("pushsim: a record of %d bytes in size %d", len(record), size)
	}
	sender, err := ecdh.P256().NewPublicKey(keyid)
	if err != nil {
		return nil, fmt.Errorf("pushsim: keyid: %w", err)
	}
	secret, err := b.Private.ECDH(sender)
	if err != nil {
		return nil, fmt.Errorf("pushsim: %w", err)
	}
	// The two steps of HKDF written out, with one block of output each.
	prkKey := mac(b.Auth, secret)
	keyInfo := append([]byte("WebPush: info\x00"), b.Private.PublicKey().Bytes()...)
	keyInfo = append(append(keyInfo, keyid...), 1)
	ikm := mac(prkKey, keyInfo)
	prk := mac(salt, ikm)
	cek := mac(prk, []byte("Content-Encoding: aes128gcm\x00\x01"))[:16]
	nonce := mac(prk, []byte("Content-Encoding: nonce\x00\x01"))[:12]
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, record, nil)
	if err != nil {
		return nil, fmt.Errorf("pushsim: it was not encrypted for this browser: %w", err)
	}
	return unpad(plain)
}

// unpad takes the zeros and the last record's delimiter away.
func unpad(plain []byte) ([]byte, error) {
	for i := len(plain) - 1; i >= 0; i-- {
		switch plain[i] {
		case 0:
		case 2:
			return plain[:i], nil
		default:
			return nil, errors.New("pushsim: not the last record")
		}
	}
	return nil, errors.New("pushsim: nothing but padding")
}

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}
