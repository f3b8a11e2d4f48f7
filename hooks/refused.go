package hooks

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tsuzuku/tsuzuku/db"
)

// Reason is why a notification was refused.
type Reason string

// The reasons.
const (
	Forged     Reason = "forged"     // its signature, time or sender is not the stranger's
	Unreadable Reason = "unreadable" // not what the stranger sends
	TooLong    Reason = "too_long"
	CutOff     Reason = "cut_off" // the connection ended within it
)

// Refusal is a notification that was refused, as evidence. The same bytes on one
// day are one refusal, however often they came.
type Refusal struct {
	Stranger string    `json:"stranger"` // whose it claims to be, such as payment/stripe
	Reason   Reason    `json:"reason"`
	Why      string    `json:"why"`    // the adapter's words, for staff
	Client   string    `json:"client"` // where the last one came from
	Header   string    `json:"header"` // without what opens doors
	Body     string    `json:"body"`   // its beginning
	Bytes    int64     `json:"bytes"`  // of the body, as far as it was read
	Times    int64     `json:"times"`
	First    time.Time `json:"first_at"`
	Last     time.Time `json:"last_at"`

	// Others says that these are what came beyond the number kept of a day: only
	// their count and the last one's time are right.
	Others bool `json:"others"`
}

// What is kept, so that nobody fills our disk by lying to us. A wrong key of our
// own makes every notification a refused one, with customers' data in it: hence
// the short time.
const (
	keptOfDay    = 50
	keptFor      = 30 * 24 * time.Hour
	keptOfHeader = 2 << 10
	keptOfBody   = 4 << 10
	maxWhy       = 500

	refusedAtOnce    = 2 * keptOfDay
	refusedPerSecond = 1
)

// refusals bounds how often a refused notification costs a transaction.
type refusals struct {
	mu  sync.Mutex
	per map[string]*rate.Limiter
}

func (r *refusals) allow(stranger string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.per == nil {
		r.per = map[string]*rate.Limiter{}
	}
	if r.per[stranger] == nil {
		r.per[stranger] = rate.NewLimiter(refusedPerSecond, refusedAtOnce)
	}
	return r.per[stranger].AllowN(now, 1)
}

// refuse answers a notification that is not believed, and keeps it. Whether it
// could be kept changes nothing for its sender.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, refusal Refusal, body []byte) {
	said := map[Reason]string{
		Forged: "this notification cannot be verified", Unreadable: "this notification cannot be read",
		TooLong: "the notification is too long", CutOff: "the notification was cut off",
	}
	http.Error(w, said[refusal.Reason], status)
	now := s.Desk.DB.Now()
	log := s.Log.With("from", refusal.Stranger, "reason", refusal.Reason, "why", refusal.Why)
	if !s.refused.allow(refusal.Stranger, now) {
		log.WarnContext(r.Context(), "refused notification, one of too many to keep")
		return
	}
	log.WarnContext(r.Context(), "refused notification")
	refusal.Client, refusal.Header, refusal.Body, refusal.Bytes = s.from(r), headerText(r.Header), storable(body, keptOfBody), int64(len(body))
	// Who sends and hangs up is kept all the same.
	if err := keep(context.WithoutCancel(r.Context()), s.Desk.DB, refusal, body); err != nil {
		log.ErrorContext(r.Context(), "refused notification not kept", "err", err)
	}
}

func (s *Server) from(r *http.Request) string {
	if s.Client == nil {
		return r.RemoteAddr
	}
	return s.Client(r)
}

func keep(ctx context.Context, d *db.DB, r Refusal, body []byte) error {
	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	return d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		now := tx.Now()
		day := now.UTC().Format(time.DateOnly)
		if _, err := tx.Exec(ctx, `DELETE FROM refused_notifications WHERE first_at < $1`, db.At(now.Add(-keptFor))); err != nil {
			return err
		}
		var others int
		err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM refused_notifications WHERE stranger = $1 AND day = $2 AND digest NOT IN ('', $3)`,
			r.Stranger, day, digest).Scan(&others)
		if err != nil {
			return err
		}
		kept, r := digest, r
		if others >= keptOfDay {
			kept, r.Why, r.Header, r.Body = "", "", "", ""
		}
		_, err = tx.Exec(ctx, `INSERT INTO refused_notifications (stranger, day, digest, reason, why, client, header, body, bytes, times, first_at, last_at)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,1,$10,$10)
			ON CONFLICT (stranger, day, digest) DO UPDATE SET times = refused_notifications.times + 1, reason = excluded.reason,
				why = excluded.why, client = excluded.client, header = excluded.header, last_at = excluded.last_at`,
			r.Stranger, day, kept, string(r.Reason), storable([]byte(r.Why), maxWhy), storable([]byte(r.Client), maxWhy), r.Header, r.Body, r.Bytes, db.At(now))
		return err
	})
}

// headerText writes headers as they came over the line, without those that open
// doors: what is kept is read by people.
func headerText(h http.Header) string {
	h = h.Clone()
	for _, name := range []string{"Authorization", "Cookie", "Proxy-Authorization"} {
		if h.Get(name) != "" {
			h.Set(name, "[not kept]")
		}
	}
	var b bytes.Buffer
	_ = h.Write(&b) // a buffer takes everything
	return storable(b.Bytes(), keptOfHeader)
}

// storable is the beginning of a stranger's bytes as a text that both databases
// take.
func storable(b []byte, most int) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(b[:min(len(b), most)]), "?"), "\x00", "?")
}

// Refused lists what was refused, newest first: all that is kept, or what claims
// to be one stranger's. At most so many.
func Refused(ctx context.Context, tx db.Tx, stranger string, most int) (_ []Refusal, err error) {
	out := []Refusal{} // an empty list is one too
	rows, err := tx.Query(ctx, `SELECT stranger, digest, reason, why, client, header, body, bytes, times, first_at, last_at
		FROM refused_notifications WHERE $1 = '' OR stranger = $1 ORDER BY last_at DESC, stranger, digest LIMIT $2`, stranger, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // a read
	for rows.Next() {
		var r Refusal
		var digest string
		var first, last db.Instant
		if err := rows.Scan(&r.Stranger, &digest, &r.Reason, &r.Why, &r.Client, &r.Header, &r.Body, &r.Bytes, &r.Times, &first, &last); err != nil {
			return nil, err
		}
		r.First, r.Last, r.Others = first.Time, last.Time, digest == ""
		out = append(out, r)
	}
	return out, rows.Err()
}
