package account

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// argon is how much work one guess of a password costs: argon2id as RFC 9106
// has it.
type argon struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
}

// todaysArgon is what OWASP's Password Storage Cheat Sheet asks for at least,
// and what one small server can give to several people at once. Passwords that
// were hashed with other parameters are hashed anew when they are next entered.
var todaysArgon = argon{memory: 19 << 10, passes: 2, lanes: 1}

const (
	saltBytes = 16
	keyBytes  = 32

	// What a stored text may ask for: it is ours, but a mistake in it must not
	// take all memory.
	maxMemory = 1 << 20
	maxPasses = 64
	maxLanes  = 16

	hashersAtOnce = 4 // of todaysArgon: 76 MiB
)

// hashers is who may hash at the moment: as many as the process has memory for,
// whatever number of doors there are.
var hashers = make(chan struct{}, hashersAtOnce)

// key derives a key. It waits for its turn, and fails only when ctx ends.
func (a argon) key(ctx context.Context, password, salt []byte, length int) ([]byte, error) {
	select {
	case hashers <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-hashers }()
	return argon2.IDKey(password, salt, a.passes, a.memory, a.lanes, uint32(length)), nil
}

// hash is the PHC string of a password, see
// https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md.
func (a argon) hash(ctx context.Context, password, salt []byte) (string, error) {
	key, err := a.key(ctx, password, salt, keyBytes)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.passes, a.lanes, b64(salt), b64(key)), nil
}

// stored is a PHC string that has been read.
type stored struct {
	argon
	salt, key []byte
}

func readPHC(s string) (p stored, ok bool) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return stored{}, false
	}
	n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes)
	if err != nil || n != 3 || parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", p.memory, p.passes, p.lanes) {
		return stored{}, false
	}
	b64 := base64.RawStdEncoding.Strict()
	if p.salt, err = b64.DecodeString(parts[4]); err != nil {
		return stored{}, false
	}
	if p.key, err = b64.DecodeString(parts[5]); err != nil {
		return stored{}, false
	}
	ok = p.passes > 0 && p.passes <= maxPasses && p.lanes > 0 && p.lanes <= maxLanes && p.memory <= maxMemory &&
		len(p.salt) >= 8 && len(p.salt) <= 64 && len(p.key) >= 16 && len(p.key) <= 64
	return p, ok
}

// fits reports whether the password has the stored hash, in a time that tells
// nothing but the parameters.
func (p stored) fits(ctx context.Context, password []byte) (bool, error) {
	key, err := p.argon.key(ctx, password, p.salt, len(p.key))
	return err == nil && subtle.ConstantTimeCompare(key, p.key) == 1, err
}
