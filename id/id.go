// Package id makes sortable identifiers with a prefix that says what they
// name: ac_ an account, ln_ a line, qt_ a quote, ord_ an order, py_ a payment.
//
// An identifier of something that belongs to an account carries the account's
// own part, so that whoever holds ord_… knows which account to look in:
//
//	ac_01k9x2m4t7h8j9k2m3           prefix, account's part (18 characters)
//	ord_01k9x2m4t7h8j9k2m301k9x3…   prefix, account's part, own part (16)
//
// Parts are Crockford base 32 in lower case and begin with the millisecond of
// their making, so identifiers sort by age within an account. They are not
// secrets: whatever must not be guessed uses [Source.Secret].
//
// Tsuzuku is a program; this package promises nothing to other modules.
package id

import (
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
)

const (
	alphabet      = "0123456789abcdefghjkmnpqrstvwxyz"
	timeLen       = 10 // 50 bits of milliseconds
	accountRandom = 8  // 40 random bits
	ownRandom     = 6  // 30 random bits, within one millisecond of one account
	accountLen    = timeLen + accountRandom
	ownLen        = timeLen + ownRandom
)

// Source makes identifiers from a clock and random bytes. It is safe for
// concurrent use.
type Source struct {
	now    func() time.Time
	mu     sync.Mutex
	random io.Reader
}

// NewSource returns a Source; random is crypto/rand.Reader in production and a
// seeded reader in the simulated town.
func NewSource(now func() time.Time, random io.Reader) *Source {
	return &Source{now: now, random: random}
}

// Account returns a new account's identifier.
func (s *Source) Account() string { return "ac_" + s.part(accountRandom) }

// Under returns a new identifier of something of that account. It panics when
// account is not an account's identifier: that is a bug, not bad input.
func (s *Source) Under(prefix, account string) string {
	part, ok := strings.CutPrefix(account, "ac_")
	if !ok || len(part) != accountLen {
		panic(fmt.Sprintf("id: %q is not an account", account))
	}
	return prefix + "_" + part + s.part(ownRandom)
}

// Free returns a new identifier of something that belongs to no account.
func (s *Source) Free(prefix string) string { return prefix + "_" + s.part(accountRandom) }

// Secret returns n random bytes as URL-safe text: for tokens and codes.
func (s *Source) Secret(n int) string {
	return base64.RawURLEncoding.EncodeToString(s.Bytes(n))
}

// Bytes returns n random bytes.
func (s *Source) Bytes(n int) []byte {
	b := make([]byte, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.random, b); err != nil {
		panic("id: no random bytes: " + err.Error()) // nothing safe can be done without them
	}
	return b
}

func (s *Source) part(random int) string {
	out := make([]byte, timeLen+random)
	ms := s.now().UnixMilli()
	for i := timeLen - 1; i >= 0; i-- {
		out[i] = alphabet[ms&31]
		ms >>= 5
	}
	for i, b := range s.Bytes(random) {
		out[timeLen+i] = alphabet[b&31]
	}
	return string(out)
}

// AccountOf returns the account that an identifier made by [Source.Under]
// belongs to. It fails with [fault.NotFound] for anything else, since a
// mistyped identifier names nothing.
func AccountOf(id string) (string, error) {
	prefix, rest, ok := strings.Cut(id, "_")
	if !ok || prefix == "" || len(rest) != accountLen+ownLen || !valid(rest) {
		return "", fault.Because(fault.NotFound, "no_such_id", "There is no such thing. Check the link.", nil)
	}
	return "ac_" + rest[:accountLen], nil
}

func valid(s string) bool {
	for i := range len(s) {
		if strings.IndexByte(alphabet, s[i]) < 0 {
			return false
		}
	}
	return true
}
