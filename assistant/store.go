package assistant

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
)

// What is kept, and what is taken.
const (
	Kept       = 30 * 24 * time.Hour // how long after its last turn a conversation is kept
	MostText   = 500                 // characters in one sentence
	MostTurns  = 200                 // of one conversation that are kept: the newest
	MostMinute = 20                  // turns of one account in a minute
	sweptAt    = 50                  // conversations that one step forgets
)

// Channel is where a conversation is held. The values are stored; do not rename.
type Channel string

// The channels.
const (
	Portal Channel = "portal"
	API    Channel = "api"
)

// Conversation is one dialogue of an account.
type Conversation struct {
	Account   string
	ID        string // "": it has not begun
	Channel   Channel
	State     State
	Turns     int // that there were
	UpdatedAt time.Time
}

// Turn is what was said and what was answered to it.
type Turn struct {
	Number   int             `json:"-"` // from 1
	At       time.Time       `json:"-"`
	Language locale.Language `json:"language"` // of the answer
	Asked    string          `json:"asked"`    // the sentence, or the words of the option
	Input    Input           `json:"input"`
	Said     Said            `json:"said"`
	Offered  Offered         `json:"offered"`
}

const conversationColumns = `account_id, id, channel, state, turns, updated_at`

func scanConversation(row db.Row) (Conversation, error) {
	var c Conversation
	var state string
	var updated db.Instant
	if err := row.Scan(&c.Account, &c.ID, &c.Channel, &state, &c.Turns, &updated); err != nil {
		return c, err
	}
	c.UpdatedAt = updated.Time
	return c, json.Unmarshal([]byte(state), &c.State)
}

// Newest is the account's newest conversation in a channel; one that has not begun
// where there is none.
func Newest(ctx context.Context, tx db.Tx, account string, channel Channel) (Conversation, error) {
	c, err := scanConversation(tx.QueryRow(ctx, `SELECT `+conversationColumns+` FROM conversations
		WHERE account_id = $1 AND channel = $2 ORDER BY updated_at DESC, id DESC LIMIT 1`, account, channel))
	if errors.Is(err, db.ErrNoRows) {
		return Conversation{Account: account, Channel: channel}, nil
	}
	return c, err
}

// Get reads a conversation. It fails with [fault.NotFound].
func Get(ctx context.Context, tx db.Tx, account, id string) (Conversation, error) {
	c, err := scanConversation(tx.QueryRow(ctx, `SELECT `+conversationColumns+` FROM conversations WHERE account_id = $1 AND id = $2`, account, id))
	if errors.Is(err, db.ErrNoRows) {
		return c, fault.Because(fault.NotFound, "no_such_conversation", "There is no such conversation. Begin a new one.", nil)
	}
	return c, err
}

// Newest are the newest turns of a conversation, up to most, the oldest first.
func (c Conversation) Newest(ctx context.Context, tx db.Tx, most int) ([]Turn, error) {
	return turns(ctx, tx, `SELECT number, body, at FROM conversation_turns
		WHERE account_id = $1 AND conversation_id = $2 AND number > $3 ORDER BY number`, c.Account, c.ID, c.Turns-most)
}

func turns(ctx context.Context, tx db.Tx, query string, args ...any) (all []Turn, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var t Turn
		var body string
		var at db.Instant
		if err := rows.Scan(&t.Number, &body, &at); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(body), &t); err != nil {
			return nil, err
		}
		t.At = at.Time
		all = append(all, t)
	}
	return all, rows.Err()
}

// turn reads one turn; the zero Turn where it is gone.
func (c Conversation) turn(ctx context.Context, tx db.Tx, number int) (t Turn, err error) {
	var body string
	var at db.Instant
	err = tx.QueryRow(ctx, `SELECT body, at FROM conversation_turns WHERE account_id = $1 AND conversation_id = $2 AND number = $3`,
		c.Account, c.ID, number).Scan(&body, &at)
	if errors.Is(err, db.ErrNoRows) {
		return t, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &t)
	}
	t.Number, t.At = number, at.Time
	return t, err
}

// keep appends a turn, and forgets those that are too many.
func (c Conversation) keep(ctx context.Context, tx db.Tx, t Turn) (Turn, error) {
	state, err := json.Marshal(c.State)
	if err != nil {
		return t, err
	}
	body, err := json.Marshal(t)
	if err != nil {
		return t, err
	}
	err = tx.QueryRow(ctx, `INSERT INTO conversations (account_id, id, channel, state, turns, created_at, updated_at) VALUES ($1,$2,$3,$4,1,$5,$5)
		ON CONFLICT (account_id, id) DO UPDATE SET state = excluded.state, turns = conversations.turns + 1, updated_at = excluded.updated_at
		RETURNING turns`, c.Account, c.ID, c.Channel, string(state), db.At(tx.Now())).Scan(&t.Number)
	if err != nil {
		return t, err
	}
	t.At = tx.Now()
	if _, err := tx.Exec(ctx, `INSERT INTO conversation_turns (account_id, conversation_id, number, body, at) VALUES ($1,$2,$3,$4,$5)`,
		c.Account, c.ID, t.Number, string(body), db.At(t.At)); err != nil {
		return t, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM conversation_turns WHERE account_id = $1 AND conversation_id = $2 AND number <= $3`, c.Account, c.ID, t.Number-MostTurns)
	return t, err
}

// mayTalk fails where the account has said a lot just now.
func mayTalk(ctx context.Context, tx db.Tx, account string) error {
	var lately int
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM conversation_turns WHERE account_id = $1 AND at > $2`, account, db.At(tx.Now().Add(-time.Minute))).Scan(&lately)
	if err == nil && lately >= MostMinute {
		err = fault.Because(fault.TooMany, "chat_often", "That was a lot in a minute. Please wait a moment, then go on.", nil)
	}
	return err
}

// Everything is all that is kept of an account's conversations, the oldest first.
func Everything(ctx context.Context, tx db.Tx, account string, most int) ([]Turn, error) {
	return turns(ctx, tx, `SELECT number, body, at FROM conversation_turns WHERE account_id = $1 ORDER BY at, conversation_id, number LIMIT $2`, account, most)
}

// Forget erases an account's conversations of one channel, or of all where channel
// is "".
func Forget(ctx context.Context, tx db.Tx, account string, channel Channel) error {
	if _, err := tx.Exec(ctx, `DELETE FROM conversation_turns WHERE account_id = $1 AND conversation_id IN
		(SELECT id FROM conversations WHERE account_id = $1 AND ($2 = '' OR channel = $2))`, account, channel); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM conversations WHERE account_id = $1 AND ($2 = '' OR channel = $2)`, account, channel)
	return err
}

// Sweep forgets conversations whose time is over. While there are none it only
// reads. It is enough to call it once a minute.
func Sweep(ctx context.Context, base *db.DB) (worked bool, err error) {
	before := db.At(base.Now().Add(-Kept))
	if any, err := base.Finds(ctx, `SELECT 1 FROM conversations WHERE updated_at < $1 LIMIT 1`, before); err != nil || !any {
		return false, err
	}
	return true, base.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		before := db.At(tx.Now().Add(-Kept))
		if _, err := tx.Exec(ctx, `DELETE FROM conversation_turns WHERE (account_id, conversation_id) IN
			(SELECT account_id, id FROM conversations WHERE updated_at < $1 ORDER BY updated_at, account_id, id LIMIT $2)`, before, int64(sweptAt)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM conversations WHERE (account_id, id) IN
			(SELECT account_id, id FROM conversations WHERE updated_at < $1 ORDER BY updated_at, account_id, id LIMIT $2)`, before, int64(sweptAt))
		return err
	})
}

// longNumber is a number as long as those of cards, of SIMs and of telephones.
var longNumber = regexp.MustCompile(`\d(?:[ \-]?\d){8,}`)

// kept is a sentence as it is kept: of long numbers only the last four digits.
func kept(text string) string {
	return longNumber.ReplaceAllStringFunc(text, func(n string) string {
		digits := strings.NewReplacer(" ", "", "-", "").Replace(n)
		return "…" + digits[len(digits)-4:]
	})
}

// checked is a sentence as it is read. It fails with [fault.Invalid] for one that is
// empty or too long.
func checked(text string) (string, error) {
	text = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(text, "?"), "\x00", ""))
	text = strings.Join(strings.Fields(text), " ")
	switch {
	case text == "":
		return "", fault.Because(fault.Invalid, "chat_empty", "Write what you would like to know, or choose one of the options.", nil)
	case utf8.RuneCountInString(text) > MostText:
		return "", fault.Because(fault.Invalid, "chat_long", "That is too long for one question. Please shorten it to 500 characters.", nil)
	}
	return text, nil
}
