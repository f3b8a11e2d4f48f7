package webpush

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

const (
	saltBytes  = 16
	keyBytes   = 32 // of a private key
	pointBytes = 65 // of a public key
	tagBytes   = 16 // of AES-GCM
	padTo      = 256

	// maxBody is what a push service must take, RFC 8030, section 7.2.
	maxBody = 4096

	// maxPlain is what fits with header, delimiter and tag.
	maxPlain = maxBody - saltBytes - 4 - 1 - pointBytes - 1 - tagBytes
)

// encrypt hides a text from everybody but the browser that has the key, as RFC 8291
// says: one record of RFC 8188, with the sender's key in its header. own is a key
// made for this message alone. The length is hidden as well, as far as steps of
// 256 bytes do.
func encrypt(plain []byte, to *ecdh.PublicKey, auth []byte, own *ecdh.PrivateKey, salt []byte) ([]byte, error) {
	if len(plain) > maxPlain {
		return nil, fmt.Errorf("webpush: %d bytes are more than %d", len(plain), maxPlain)
	}
	padded := make([]byte, min((len(plain)/padTo+1)*padTo, maxPlain+1))
	copy(padded, plain)
	padded[len(plain)] = 2 // the last record's delimiter; zeros follow
	return sealRecord(padded, to, auth, own, salt)
}

// sealRecord encrypts a record that has its padding.
func sealRecord(padded []byte, to *ecdh.PublicKey, auth []byte, own *ecdh.PrivateKey, salt []byte) ([]byte, error) {
	shared, err := own.ECDH(to)
	if err != nil {
		return nil, fmt.Errorf("webpush: %w", err)
	}
	mine := own.PublicKey().Bytes()
	info := "WebPush: info\x00" + string(to.Bytes()) + string(mine)
	ikm, err := hkdf.Key(sha256.New, shared, auth, info, 32)
	if err != nil {
		return nil, fmt.Errorf("webpush: %w", err)
	}
	cek, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, fmt.Errorf("webpush: %w", err)
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, fmt.Errorf("webpush: %w", err)
	}
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, fmt.Errorf("webpush: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("webpush: %w", err)
	}
	body := append([]byte{}, salt...)
	body = binary.BigEndian.AppendUint32(body, maxBody) // the record's size at most
	body = append(body, byte(len(mine)))
	body = append(body, mine...)
	return gcm.Seal(body, nonce, padded, nil), nil
}
