package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/order"
)

// Scope is what a key may do. The values are stored; do not rename.
type Scope string

// The scopes. None contains another one.
const (
	Read  Scope = "read"  // look at plans, and at lines, orders, bills and balances of a customer who is named
	Renew Scope = "renew" // quote, order, pay and cancel for them, and say when they leave
	Staff Scope = "staff" // find a customer by their mail address
)

// Scopes are all scopes.
var Scopes = []Scope{Read, Renew, Staff}

// Key is what one program of the seller's shows to be let in. It acts for the
// shop: the customer is named by what the request is about.
type Key struct {
	ID        string
	Name      string // what staff call it
	Scopes    []Scope
	Account   string // the one customer that it opens; empty: every one
	CreatedAt time.Time
	CreatedBy string
	UsedAt    time.Time // to the minute; zero: never
	RevokedAt time.Time // zero: it works

	digest string
}

const (
	keyPrefix   = "ak_"
	tokenPrefix = "tsuzuku_" //nolint:gosec // no key, but how one begins: so that a key that leaked is recognised by those who look for keys
	secretBytes = 32
	maxName     = 80
	usedEvery   = time.Minute // how old the last use may become before it is written down
	maxKeys     = 1000        // how many are listed
)

// Draft makes a key that has not been stored yet, and the token that its holder
// shows; nobody can find out the token again. It fails with [fault.Invalid]
// without a name or a scope, and for a scope that there is not. account may be
// empty.
func Draft(ids *id.Source, name string, scopes []Scope, account string) (k Key, token string, err error) {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || utf8.RuneCountInString(name) > maxName {
		return k, "", fault.New(fault.Invalid, "Give the key a name of at most %d characters, so that it is known which program has it.", maxName)
	}
	k = Key{ID: ids.Free("ak"), Name: name, Account: account}
	for _, s := range scopes {
		if !slices.Contains(Scopes, s) {
			return k, "", fault.New(fault.Invalid, "There is no scope %q; there are read, renew and staff.", s)
		}
		if !slices.Contains(k.Scopes, s) {
			k.Scopes = append(k.Scopes, s)
		}
	}
	if len(k.Scopes) == 0 {
		return k, "", fault.New(fault.Invalid, "Say what the key may do: read, renew or staff.")
	}
	secret := ids.Secret(secretBytes)
	k.digest = digestOf(k.ID, secret)
	return k, tokenPrefix + strings.TrimPrefix(k.ID, keyPrefix) + "." + secret, nil
}

// digestOf is what is kept of a secret: 256 random bits need no slower hash.
func digestOf(key, secret string) string {
	sum := sha256.Sum256([]byte(key + "\n" + secret))
	return hex.EncodeToString(sum[:])
}

// Add stores a drafted key, and who made it. It fails with [fault.NotFound] for
// an account that there is not.
func Add(ctx context.Context, tx db.Tx, ids *id.Source, k Key, a order.Act) (Key, error) {
	if k.Account != "" {
		if _, err := account.Get(ctx, tx, k.Account); err != nil {
			return k, err
		}
	}
	k.CreatedAt, k.CreatedBy = tx.Now(), a.Staff
	var b db.Batch
	b.Add(`INSERT INTO api_keys (id, name, digest, scopes, only_for, created_at, created_by) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
		k.ID, k.Name, k.digest, ScopeList(k.Scopes), k.Account, db.At(k.CreatedAt), k.CreatedBy)
	if err := order.AddTrail(&b, tx, ids, k.Account, a, "api-key-new", k.ID); err != nil {
		return k, err
	}
	return k, tx.Batch(ctx, &b)
}

// Revoke ends a key at once. It fails with [fault.NotFound]. One that was
// revoked stays so.
func Revoke(ctx context.Context, tx db.Tx, ids *id.Source, key string, a order.Act) error {
	k, err := get(ctx, tx, key)
	if err != nil || !k.RevokedAt.IsZero() {
		return err
	}
	var b db.Batch
	b.Add(`UPDATE api_keys SET revoked_at = $2 WHERE id = $1`, key, db.At(tx.Now()))
	if err := order.AddTrail(&b, tx, ids, k.Account, a, "api-key-revoke", key); err != nil {
		return err
	}
	return tx.Batch(ctx, &b)
}

// Keys lists the newest keys, those that were revoked among them.
func Keys(ctx context.Context, tx db.Tx) (all []Key, err error) {
	rows, err := tx.Query(ctx, `SELECT `+keyColumns+` FROM api_keys ORDER BY created_at DESC, id DESC LIMIT $1`, maxKeys)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

const keyColumns = `id, name, digest, scopes, only_for, created_at, created_by, used_at, revoked_at`

func get(ctx context.Context, tx db.Tx, key string) (Key, error) {
	k, err := scanKey(tx.QueryRow(ctx, `SELECT `+keyColumns+` FROM api_keys WHERE id = $1`, key))
	if errors.Is(err, db.ErrNoRows) {
		return k, fault.New(fault.NotFound, "There is no key %q; tsuzuku api key list prints them.", key)
	}
	return k, err
}

func scanKey(row db.Row) (Key, error) {
	var k Key
	var scopes string
	var created, used, revoked db.Instant
	err := row.Scan(&k.ID, &k.Name, &k.digest, &scopes, &k.Account, &created, &k.CreatedBy, &used, &revoked)
	for s := range strings.FieldsSeq(scopes) {
		k.Scopes = append(k.Scopes, Scope(s))
	}
	k.CreatedAt, k.UsedAt, k.RevokedAt = created.Time, used.Time, revoked.Time
	return k, err
}

// ScopeList writes scopes as they are stored and listed: "read renew".
func ScopeList(all []Scope) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = string(s)
	}
	return strings.Join(words, " ")
}

// may reports whether the key has a scope.
func (k Key) may(s Scope) bool { return slices.Contains(k.Scopes, s) }

// keyOf reads a token; its secret has not been compared with anything yet.
func keyOf(token string) (key, secret string) {
	part, secret, _ := strings.Cut(strings.TrimPrefix(token, tokenPrefix), ".")
	return keyPrefix + part, secret
}

// who finds the key of a request. Whatever is wrong with it, the answer is the
// same.
func (s *Server) who(ctx context.Context, authorization string) (Key, error) {
	scheme, token, _ := strings.Cut(authorization, " ")
	key, secret := keyOf(strings.TrimSpace(token))
	if !strings.EqualFold(scheme, "bearer") || len(token) > 200 || !utf8.ValidString(token) || strings.ContainsRune(token, 0) {
		return Key{}, errKey()
	}
	k, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (Key, error) { return get(ctx, tx, key) })
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return Key{}, err
	}
	right := subtle.ConstantTimeCompare([]byte(k.digest), []byte(digestOf(key, secret))) == 1
	if err != nil || !right || !k.RevokedAt.IsZero() {
		return Key{}, errKey()
	}
	return k, s.noteUse(ctx, k)
}

// noteUse keeps when a key was last used, to the minute.
func (s *Server) noteUse(ctx context.Context, k Key) error {
	if s.DB.Now().Sub(k.UsedAt) < usedEvery {
		return nil
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE api_keys SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at < $2)`, k.ID, db.At(tx.Now()))
		return err
	})
}
