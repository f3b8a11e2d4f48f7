package account

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

const (
	sessionIdle = 30 * 24 * time.Hour  // a session ends so long after it was last seen
	sessionLife = 365 * 24 * time.Hour // and so long after it began
	seenEvery   = time.Hour            // how old the last sight may become before it is written down
	maxSessions = 100                  // how many are listed
	freshFor    = 15 * time.Minute     // how long after signing in one may change how one signs in
)

// Way is how somebody showed that they are the owner of an account. The values
// are stored; do not rename.
type Way string

// The ways.
const (
	byCode     Way = "code"
	byPassword Way = "password"
	byPasskey  Way = "passkey"
	byIssuer   Way = "issuer"
	byLine     Way = "line" // a code that opens one line; it begins no session
)

// Browser is what somebody signs in with.
type Browser struct {
	Agent  string // what it says of itself
	Client string // the network address that it asks from
	Mark   string // what [Door.Mark] has given it, if it did
}

// Session is one browser or app in which a customer is signed in.
type Session struct {
	ID        string
	Account   string
	Agent     string // what it is, in words of ours: "Firefox on Android"
	CreatedAt time.Time
	SeenAt    time.Time // to the hour
	ExpiresAt time.Time
	Way       Way
}

// Fresh reports whether the session began so short a time ago that whoever has
// it may change how one signs in, or close the account: a browser that was left
// open somewhere may not. One that an issuer opened never does: who is still signed
// in there was perhaps asked for nothing.
func (s Session) Fresh(now time.Time) bool {
	return now.Sub(s.CreatedAt) < freshFor && s.Way != byIssuer
}

// MustBeFresh fails with [fault.Denied] and reason sign_in_again for a session
// that is not.
func (d *Door) MustBeFresh(s Session) error {
	if !s.Fresh(d.DB.Now()) {
		return because(fault.Denied, "sign_in_again", nil)
	}
	return nil
}

// secretSession is a session before it is stored, with its secret.
type secretSession struct {
	account, id, secret, hash, agent string
	way                              Way
	mark, client                     string
}

func (d *Door) newSession(account string, way Way, from Browser) secretSession {
	s := secretSession{account: account, agent: describe(from.Agent), way: way, mark: from.Mark, client: from.Client}
	s.id, s.secret = d.newToken("ss", account)
	s.hash = d.hash("session", s.id, s.secret)
	return s
}

func (s secretSession) token() string { return joinToken("ss", s.id, s.secret) }

func (s secretSession) insert(ctx context.Context, tx db.Tx) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO sessions (account_id, id, token_hash, agent, created_at, seen_at, expires_at, way)
		VALUES ($1, $2, $3, $4, $5, $5, $6, $7)`,
		s.account, s.id, s.hash, s.agent, db.At(tx.Now()), db.At(tx.Now().Add(sessionIdle)), string(s.way))
	return err
}

// Mark is what a browser in which the owner of an account has signed in keeps, to
// be known by when it comes again: signing in there is announced to nobody. It
// is not a secret that opens anything.
func (d *Door) Mark(account string) string {
	at := strconv.FormatInt(d.DB.Now().UnixMicro(), 10)
	return at + "." + d.hash("browser", account, at)
}

// expected reports whether the owner need not be told of the session: it is the
// first, or in a browser that was marked since sessions were last ended.
func (d *Door) expected(ctx context.Context, tx db.Tx, s secretSession) (bool, error) {
	if any, err := anySession(ctx, tx, s.account); err != nil || !any {
		return !any, err
	}
	return d.marked(ctx, tx, s.account, s.mark)
}

// anySession reports whether the account has or had a session that is still
// remembered.
func anySession(ctx context.Context, tx db.Tx, account string) (bool, error) {
	var one int64
	err := tx.QueryRow(ctx, `SELECT 1 FROM sessions WHERE account_id = $1 LIMIT 1`, account).Scan(&one)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Who returns the session and account that a token belongs to. It fails with
// [fault.Denied] for a token that is none, or no longer.
func (d *Door) Who(ctx context.Context, token string) (Session, Account, error) {
	identifier, account, secret, ok := splitToken("ss", token)
	if !ok {
		return Session{}, Account{}, because(fault.Denied, "signed_out", nil)
	}
	type holder struct {
		s Session
		a Account
	}
	h, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (holder, error) {
		s, a, err := d.who(ctx, tx, account, identifier, secret)
		return holder{s, a}, err
	})
	if err != nil {
		return Session{}, Account{}, err
	}
	if now := d.DB.Now(); now.Sub(h.s.SeenAt) >= seenEvery {
		// Whether this succeeds is no business of the request: at worst the
		// session ends a little early.
		_ = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			return h.s.seen(ctx, tx)
		})
	}
	return h.s, h.a, nil
}

func (d *Door) who(ctx context.Context, tx db.Tx, account, identifier, secret string) (Session, Account, error) {
	var (
		s                          Session
		a                          Account
		hash                       string
		made, seen, ends           db.Instant
		accountMade, accountChange db.Instant
	)
	err := tx.QueryRow(ctx, `
		SELECT s.id, s.account_id, s.agent, s.created_at, s.seen_at, s.expires_at, s.way, s.token_hash, `+accountColumns+`
		  FROM sessions s
		  JOIN accounts a ON a.account_id = s.account_id
		 WHERE s.account_id = $1 AND s.id = $2
		   AND s.revoked_at IS NULL AND s.expires_at > $3 AND a.state <> 'closed'`,
		account, identifier, db.At(tx.Now())).Scan(append(
		[]any{&s.ID, &s.Account, &s.Agent, &made, &seen, &ends, &s.Way, &hash},
		a.fields(&accountMade, &accountChange)...)...)
	if errors.Is(err, db.ErrNoRows) || err == nil && !same(hash, d.hash("session", identifier, secret)) {
		return Session{}, Account{}, because(fault.Denied, "signed_out", nil)
	}
	if err != nil {
		return Session{}, Account{}, err
	}
	s.CreatedAt, s.SeenAt, s.ExpiresAt = made.Time, seen.Time, ends.Time
	a.CreatedAt, a.UpdatedAt = accountMade.Time, accountChange.Time
	return s, a, nil
}

// seen moves the session's end, unless another request has just done so.
func (s Session) seen(ctx context.Context, tx db.Tx) error {
	ends := tx.Now().Add(sessionIdle)
	if last := s.CreatedAt.Add(sessionLife); ends.After(last) {
		ends = last
	}
	_, err := tx.Exec(ctx, `
		UPDATE sessions
		   SET seen_at = $4, expires_at = $5
		 WHERE account_id = $1 AND id = $2 AND seen_at = $3 AND revoked_at IS NULL`,
		s.Account, s.ID, db.At(s.SeenAt), db.At(tx.Now()), db.At(ends))
	return err
}

// Sessions lists where the account is signed in, the one seen last first. It
// gives at most 100.
func (d *Door) Sessions(ctx context.Context, account string) ([]Session, error) {
	return db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Session, error) {
		rows, err := tx.Query(ctx, `
			SELECT id, agent, created_at, seen_at, expires_at
			  FROM sessions
			 WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > $2
			 ORDER BY seen_at DESC, id DESC
			 LIMIT $3`, account, db.At(tx.Now()), int64(maxSessions))
		if err != nil {
			return nil, err
		}
		defer rows.Close() //nolint:errcheck // Err below says more
		var out []Session
		for rows.Next() {
			s := Session{Account: account}
			var made, seen, ends db.Instant
			if err := rows.Scan(&s.ID, &s.Agent, &made, &seen, &ends); err != nil {
				return nil, err
			}
			s.CreatedAt, s.SeenAt, s.ExpiresAt = made.Time, seen.Time, ends.Time
			out = append(out, s)
		}
		return out, rows.Err()
	})
}

// SignOut ends the session of a token. A token that is none has ended already.
func (d *Door) SignOut(ctx context.Context, token string) error {
	s, _, err := d.Who(ctx, token)
	if fault.KindOf(err) == fault.Denied {
		return nil
	}
	if err != nil {
		return err
	}
	return d.Revoke(ctx, s.Account, s.ID)
}

// Revoke ends one session of the account. One that has ended, or is another
// account's, is left as it is.
func (d *Door) Revoke(ctx context.Context, account, session string) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `
			UPDATE sessions SET revoked_at = $3 WHERE account_id = $1 AND id = $2 AND revoked_at IS NULL`,
			account, session, db.At(tx.Now()))
		if err != nil {
			return err
		}
		return dropDevices(ctx, tx, account, `DELETE FROM push_devices WHERE account_id = $1 AND session_id = $2 RETURNING mark`, session)
	})
}

// SignOutOthers ends all sessions of the account but one, which may be empty, and
// forgets which browsers were known.
func (d *Door) SignOutOthers(ctx context.Context, account, keep string) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return signOutOthers(ctx, tx, account, keep)
	})
}

func signOutOthers(ctx context.Context, tx db.Tx, account, keep string) error {
	_, err := tx.Exec(ctx, `
		UPDATE sessions SET revoked_at = $3 WHERE account_id = $1 AND id <> $2 AND revoked_at IS NULL`,
		account, keep, db.At(tx.Now()))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE accounts SET browsers_since = $2 WHERE account_id = $1`, account, db.At(tx.Now()))
	if err != nil {
		return err
	}
	return dropDevices(ctx, tx, account, `DELETE FROM push_devices WHERE account_id = $1 AND session_id <> $2 RETURNING mark`, keep)
}
