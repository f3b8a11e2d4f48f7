// Package seal hides texts in the database from those who have only the
// database: what is sealed can be opened with the shop's secret alone, and only
// where it was put.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrOpen says that a text cannot be opened: it was sealed with a secret that we
// do not have, for another place, or was changed.
var ErrOpen = errors.New("seal: it cannot be opened")

// Box seals and opens texts for one purpose. It is safe for concurrent use.
type Box struct {
	keys   []key // the first seals and marks; all open
	random io.Reader
}

type key struct {
	name  string // the first characters of a hash of it
	aead  cipher.AEAD
	marks []byte
}

// version begins every sealed text: AES-256-GCM with a key from HKDF-SHA-256.
const version = "1"

// New returns a box for one purpose. Keys of different purposes have nothing to
// do with each other. What former secrets have sealed is still opened; nil
// random is the system's. It panics without a secret.
func New(purpose, secret string, former []string, random io.Reader) *Box {
	if secret == "" {
		panic("seal: a box without a secret")
	}
	if random == nil {
		random = rand.Reader
	}
	b := &Box{random: random}
	for _, s := range append([]string{secret}, former...) {
		if s != "" {
			b.keys = append(b.keys, newKey(derive(s, "seal "+purpose), derive(s, "mark "+purpose)))
		}
	}
	return b
}

func derive(secret, use string) []byte {
	k, err := hkdf.Key(sha256.New, []byte(secret), nil, "tsuzuku "+use, 32)
	if err != nil {
		panic(err) // 32 bytes are not too many
	}
	return k
}

func newKey(k, marks []byte) key {
	block, err := aes.NewCipher(k)
	if err != nil {
		panic(err) // a key of 32 bytes is right
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(k)
	return key{base64.RawURLEncoding.EncodeToString(sum[:6]), aead, marks}
}

// Seal hides text. It can be opened only with the same place, which says where
// it is kept: a table, an account, a row. The same text sealed twice looks
// different.
func (b *Box) Seal(text, place string) (string, error) {
	k := b.keys[0]
	nonce := make([]byte, k.aead.NonceSize())
	if _, err := io.ReadFull(b.random, nonce); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	sealed := k.aead.Seal(nonce, nonce, []byte(text), []byte(place))
	return version + "." + k.name + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Open returns what was sealed for that place. It fails with [ErrOpen]. stale
// says that another secret than today's sealed it.
func (b *Box) Open(sealed, place string) (text string, stale bool, err error) {
	parts := strings.Split(sealed, ".")
	if len(parts) != 3 || parts[0] != version {
		return "", false, ErrOpen
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return "", false, ErrOpen
	}
	for i, k := range b.keys {
		n := k.aead.NonceSize()
		if k.name != parts[1] || len(raw) < n {
			continue
		}
		plain, err := k.aead.Open(nil, raw[:n], raw[n:], []byte(place))
		if err != nil {
			return "", false, ErrOpen
		}
		return string(plain), i > 0, nil
	}
	return "", false, ErrOpen
}

// Mark is the same for the same text and place, and tells nothing of the text.
// Another secret makes other marks.
func (b *Box) Mark(text, place string) string { return b.keys[0].mark(text, place) }

// Marks are all that [Box.Mark] may have made of a text, with today's secret first
// and then with the former ones: what was marked long ago is found by one of them.
func (b *Box) Marks(text, place string) []string {
	all := make([]string, len(b.keys))
	for i, k := range b.keys {
		all[i] = k.mark(text, place)
	}
	return all
}

func (k key) mark(text, place string) string {
	h := hmac.New(sha256.New, k.marks)
	_, _ = fmt.Fprintf(h, "%d %s %s", len(place), place, text) // a hash takes everything
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}
