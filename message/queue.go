package message

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
)

// State is how far a message has come. The values are stored; do not rename.
type State string

// The states of a message. Due, Sending and Unknown wait for something while
// they have a due time; all others are final.
const (
	Due       State = "due"       // waits for its time, or for the next attempt
	Sending   State = "sending"   // a worker has claimed it
	Sent      State = "sent"      // the channel has taken it over
	Unknown   State = "unknown"   // it may have been sent; with a due time it is sent once more
	Failed    State = "failed"    // refused, or tried too often
	Withdrawn State = "withdrawn" // nobody needs it any more, or it was too late
)

// Draft is a message before it is queued.
type Draft struct {
	Account string

	// Key makes the message once: a second draft of the account with the same
	// key is dropped. "order_completed/" and the order's id, for example.
	Key string

	Kind     Kind
	To       Address         // zero: the account's own, found by Sender.Fill when the message is due
	Language locale.Language // likewise
	Facts    Facts

	DueAt     time.Time // not before this; zero: at once
	ExpiresAt time.Time // not after this, since it would be worthless; zero: never

	Order string // the order it is about; may be empty
	Line  string // the line it is about; may be empty
}

const insertMessage = `
	INSERT INTO messages (account_id, id, key, kind, channel, address, language, facts,
	                      order_id, line_id, state, due_at, expires_at, created_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'due', $11, $12, $13)
	ON CONFLICT (account_id, key) DO NOTHING`

// Queue stores a message to be sent, in the transaction that makes it true. id
// is a new identifier under the account, with the prefix msg. If the account has
// a message with the draft's key already, nothing changes.
//
// A draft without an account, key or kind is a bug and panics.
func Queue(ctx context.Context, tx db.Tx, id string, d Draft) error {
	args, err := d.row(tx.Now(), id)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, insertMessage, args...)
	return err
}

// AddTo is [Queue] for a transaction that sends its statements together: it
// adds the one statement to b. now is the transaction's.
func AddTo(b *db.Batch, now time.Time, id string, d Draft) error {
	args, err := d.row(now, id)
	if err != nil {
		return err
	}
	b.Row(insertMessage, args...)
	return nil
}

func (d Draft) row(now time.Time, id string) ([]any, error) {
	if d.To == (Address{}) {
		d.To.Channel = Email // the sender's Fill finds the address when the message is due
	}
	if d.Account == "" || d.Key == "" || d.Kind == "" || !d.To.Channel.Valid() || id == "" {
		panic(fmt.Sprintf("message: draft %q of kind %q lacks something that every message has", d.Key, d.Kind))
	}
	facts, err := d.Facts.encode()
	if err != nil {
		return nil, err
	}
	due := d.DueAt
	if due.Before(now) {
		due = now
	}
	return []any{
		d.Account, id, d.Key, string(d.Kind), string(d.To.Channel), d.To.Value, string(d.Language), facts,
		d.Order, d.Line, db.At(due), db.At(d.ExpiresAt), db.At(now),
	}, nil
}

// QueueCopy has a message brought to another device as well, once for each. Copies
// are sent like messages of their own, and stand in no inbox. What m says is as it
// was before anybody completed it.
func QueueCopy(ctx context.Context, tx db.Tx, id string, m Message, to Address) error {
	facts, err := m.Facts.encode()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO messages (account_id, id, key, kind, channel, address, language, facts,
		                      order_id, line_id, state, due_at, expires_at, created_at, copy_of)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'due', $11, $12, $11, $13)
		ON CONFLICT (account_id, key) DO NOTHING`,
		m.Account, id, m.Key+"/"+to.Value, string(m.Kind), string(to.Channel), to.Value, string(m.Language), facts,
		m.Order, m.Line, db.At(tx.Now()), db.At(m.ExpiresAt), m.ID)
	return err
}

// A message that is being sent cannot be called back; it expires now, so that it
// is not tried again. The others lose their facts, which may hold a link.
const withdrawMessages = `
	UPDATE messages
	   SET state      = CASE WHEN state = 'sending' THEN state ELSE 'withdrawn' END,
	       due_at     = CASE WHEN state = 'sending' THEN due_at END,
	       facts      = CASE WHEN state = 'sending' THEN facts ELSE '{}' END,
	       expires_at = $3
	 WHERE account_id = $1 AND line_id = $2
	   AND state IN ('due', 'sending', 'unknown') AND due_at IS NOT NULL
	   AND kind IN ($4, $5, $6, $7, $8, $9, $10)`

const maxWithdrawnKinds = 7

// Withdraw takes back the messages of these kinds (at most 7) about one line
// that have not been sent: the reminders of a line that has been renewed.
func Withdraw(ctx context.Context, tx db.Tx, account, line string, kinds ...Kind) error {
	_, err := tx.Exec(ctx, withdrawMessages, withdrawal(tx.Now(), account, line, kinds)...)
	return err
}

// AddWithdrawalTo is [Withdraw] for a transaction that sends its statements
// together. now is the transaction's.
func AddWithdrawalTo(b *db.Batch, now time.Time, account, line string, kinds ...Kind) {
	b.Add(withdrawMessages, withdrawal(now, account, line, kinds)...)
}

func withdrawal(now time.Time, account, line string, kinds []Kind) []any {
	if line == "" || len(kinds) > maxWithdrawnKinds {
		panic(fmt.Sprintf("message: withdraw %d kinds about line %q", len(kinds), line))
	}
	args := []any{account, line, db.At(now)}
	for i := range maxWithdrawnKinds {
		kind := ""
		if i < len(kinds) {
			kind = string(kinds[i])
		}
		args = append(args, kind)
	}
	return args
}

// Message is a stored message. Facts hold no code and no link once it has been
// sent.
type Message struct {
	Draft

	ID        string
	State     State
	Attempts  int64 // how often it was claimed to be sent
	Doubts    int64 // attempts whose outcome nobody knows
	CreatedAt time.Time
	SentAt    time.Time // zero unless Sent
	Deliverer string    // the adapter that had it last
	Receipt   string    // the channel's own reference
	Trouble   string    // the last error, for staff
	CopyOf    string    // the message that this brings to another device; "": none

	// What Sender.Fill adds and no row keeps. Reach is what the deliverer gets for
	// To, where rows may not say it. Otherwise is where the message goes when it
	// does not arrive there; zero: nowhere.
	Reach, Otherwise Address

	broken error // why Facts could not be read
}

const messageColumns = `account_id, id, key, kind, channel, address, language, facts, order_id, line_id,
	state, due_at, expires_at, attempts, doubts, created_at, sent_at, deliverer, receipt, trouble, copy_of`

// scan reads messageColumns.
func scan(row interface{ Scan(dest ...any) error }) (Message, error) {
	var (
		m                        Message
		facts                    string
		due, expires, made, sent db.Instant
	)
	err := row.Scan(&m.Account, &m.ID, &m.Key, &m.Kind, &m.To.Channel, &m.To.Value, &m.Language, &facts,
		&m.Order, &m.Line, &m.State, &due, &expires, &m.Attempts, &m.Doubts, &made, &sent,
		&m.Deliverer, &m.Receipt, &m.Trouble, &m.CopyOf)
	if err != nil {
		return Message{}, err
	}
	m.DueAt, m.ExpiresAt, m.CreatedAt, m.SentAt = due.Time, expires.Time, made.Time, sent.Time
	m.Facts, m.broken = decodeFacts(facts) // one bad row must not stop the others
	return m, nil
}

// MaxListed is the longest page that [List] gives.
const MaxListed = 100

// List is the account's inbox, newest first: everything that was said or is
// being said to the customer, whatever became of it on its way, but for codes
// and for what still waits for its day. after is the identifier of the last
// message of the page before, or empty. It gives at most limit, 1 to
// [MaxListed], messages.
func List(ctx context.Context, tx db.Tx, account string, limit int, after string) ([]Message, error) {
	if after == "" {
		after = "z" // sorts after every identifier, in every collation
	}
	rows, err := tx.Query(ctx, `
		SELECT `+messageColumns+`
		  FROM messages
		 WHERE account_id = $1 AND id < $2
		   AND state <> 'withdrawn' AND attempts > 0 AND copy_of = ''
		   AND kind NOT IN ('sign_in_code', 'line_code', 'address_code')
		 ORDER BY id DESC
		 LIMIT $3`,
		account, after, int64(min(max(limit, 1), MaxListed)))
	if err != nil {
		return nil, err
	}
	return all(rows)
}

func all(rows db.Rows) ([]Message, error) {
	defer rows.Close() //nolint:errcheck // Err below says more
	var out []Message
	for rows.Next() {
		m, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// ByKey returns the account's message with this key. It fails with
// [fault.NotFound].
func ByKey(ctx context.Context, tx db.Tx, account, key string) (Message, error) {
	m, err := scan(tx.QueryRow(ctx, `
		SELECT `+messageColumns+`
		  FROM messages
		 WHERE account_id = $1 AND key = $2`, account, key))
	if errors.Is(err, db.ErrNoRows) {
		return Message{}, fault.Because(fault.NotFound, "no_such_message", "There is no such message.", nil)
	}
	return m, err
}
