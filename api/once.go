package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// How long answers to requests with an Idempotency-Key are repeated, and after
// how long one that has not been finished counts as given up: longer than any
// request may take.
const (
	answersKept  = 48 * time.Hour
	answersLease = 2 * time.Minute
)

// request is one request with an Idempotency-Key.
type request struct {
	account, key, name string
	digest             string // of what is asked for
}

// requested names a request: what is asked for is the operation and the body.
func (c *call) requested(account, name, operation string, body any) (request, error) {
	text, err := json.Marshal(body)
	sum := sha256.Sum256(append([]byte(operation+"\n"), text...))
	return request{account, c.key.ID, name, hex.EncodeToString(sum[:])}, err
}

// once does what a request asks for, or repeats what was answered to it before.
// The same key with other contents is refused, and so is a request that is being
// worked on.
//
// That something is made once is for do to see to, by a unique key in the
// transaction that makes it: whoever comes after a crash does it again. A refusal
// made nothing; it is not kept, and the key can be used again.
func once[T any](ctx context.Context, s *Server, r request, do func(context.Context) (T, error)) (T, error) {
	var out T
	answer, err := s.begin(ctx, r)
	if err != nil {
		return out, err
	}
	if answer != "" {
		return out, json.Unmarshal([]byte(answer), &out)
	}
	out, err = do(ctx)
	// The caller may have left; what came of it is kept all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answersLease/4)
	defer cancel()
	if err != nil {
		return out, errors.Join(err, s.forget(ctx, r))
	}
	text, err := json.Marshal(out)
	if err != nil {
		return out, err
	}
	return out, s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE api_requests SET answer = $5 WHERE account_id = $1 AND key_id = $2 AND request_key = $3 AND digest = $4`,
			r.account, r.key, r.name, r.digest, string(text))
		return err
	})
}

// begin takes a request on, or returns what was answered to it.
func (s *Server) begin(ctx context.Context, r request) (answer string, err error) {
	return db.Written(ctx, s.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		now := tx.Now()
		// A row that nobody needs any more is taken over: one that was given up, by
		// the same request, and one that was kept long enough, by any.
		n, err := tx.Exec(ctx, `INSERT INTO api_requests (account_id, key_id, request_key, digest, began_at, kept_until) VALUES ($1,$2,$3,$4,$5,$6)
			ON CONFLICT (account_id, key_id, request_key) DO UPDATE SET digest = excluded.digest, answer = '', began_at = excluded.began_at, kept_until = excluded.kept_until
			 WHERE api_requests.kept_until <= $5 OR api_requests.answer = '' AND api_requests.digest = excluded.digest AND api_requests.began_at <= $7`,
			r.account, r.key, r.name, r.digest, db.At(now), db.At(now.Add(answersKept)), db.At(now.Add(-answersLease)))
		if err != nil || n == 1 {
			return "", err
		}
		var digest, answer string
		err = tx.QueryRow(ctx, `SELECT digest, answer FROM api_requests WHERE account_id = $1 AND key_id = $2 AND request_key = $3`,
			r.account, r.key, r.name).Scan(&digest, &answer)
		switch {
		case errors.Is(err, db.ErrNoRows): // forgotten just now
			return "", errRunning()
		case err != nil:
			return "", err
		case digest != r.digest:
			return "", errReused()
		case answer == "":
			return "", errRunning()
		}
		return answer, nil
	})
}

// forget lets the key of a request that made nothing be used again.
func (s *Server) forget(ctx context.Context, r request) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM api_requests WHERE account_id = $1 AND key_id = $2 AND request_key = $3 AND digest = $4 AND answer = ''`,
			r.account, r.key, r.name, r.digest)
		return err
	})
}

// Step forgets answers that were kept long enough. While there are none it only
// reads.
func (s *Server) Step(ctx context.Context) (worked bool, err error) {
	const most = 500
	due, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (n int64, err error) {
		err = tx.QueryRow(ctx, `SELECT 1 FROM api_requests WHERE kept_until <= $1 LIMIT 1`, db.At(tx.Now())).Scan(&n)
		if errors.Is(err, db.ErrNoRows) {
			return 0, nil
		}
		return n, err
	})
	if err != nil || due == 0 {
		return false, err
	}
	n, err := db.Written(ctx, s.DB, func(ctx context.Context, tx db.Tx) (int64, error) {
		return tx.Exec(ctx, `DELETE FROM api_requests WHERE (account_id, key_id, request_key) IN
			(SELECT account_id, key_id, request_key FROM api_requests WHERE kept_until <= $1 ORDER BY kept_until LIMIT $2)`, db.At(tx.Now()), most)
	})
	return n > 0, err
}

func errReused() error {
	return kinded{fault.Because(fault.Invalid, keyReused,
		"This Idempotency-Key was sent before with other contents. Send the same contents, or a new key.", nil), keyReused, http.StatusUnprocessableEntity, 0}
}

func errRunning() error {
	return kinded{fault.Because(fault.Conflict, keyRunning,
		"The first request with this Idempotency-Key is still being worked on. Send the same again in a moment.", nil), keyRunning, http.StatusConflict, 1}
}

func errNoKey() error {
	return kinded{fault.Because(fault.Invalid, keyMissing,
		"Send an Idempotency-Key: a text that is new for everything that you ask for, and the same when you send that again.", nil), keyMissing, http.StatusBadRequest, 0}
}
