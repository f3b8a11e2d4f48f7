package support

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/message"
)

// What a customer may write, at most.
const (
	MostText    = 4000 // characters in one message
	MostOpen    = 5    // open cases that they opened
	MostADay    = 30   // messages in 24 hours, in all cases
	mostSubject = 80   // characters of a first message that lists show
	mostKey     = 64   // bytes of what makes a message once
)

// Said is what a customer writes.
type Said struct {
	Key   string // of the form that it was written in: the same form sent again changes nothing
	Text  string
	Files []File // without Number, Message and At
}

// Question is what a customer opens a case with.
type Question struct {
	Account string
	Topic   Topic
	Order   string // of the account; may be empty
	Line    string // of the account; may be empty
	Said
}

// Ask opens a case of a customer's. The same form sent again is the same case. It
// fails with [fault.Invalid] for what cannot be read or kept, and with
// [fault.TooMany] where too many cases are open or too much was written today.
//
// That order and line are the account's is for the caller to see to.
func Ask(ctx context.Context, tx db.Tx, ids *id.Source, q Question) (Case, error) {
	if !slices.Contains(Topics, q.Topic) {
		return Case{}, fault.Because(fault.Invalid, "case_topic", "Choose what it is about.", nil)
	}
	said, err := q.checked()
	if err != nil {
		return Case{}, err
	}
	title := "asked/" + said.Key
	before, err := scan(tx.QueryRow(ctx, `SELECT `+caseColumns+` FROM cases WHERE account_id = $1 AND order_id = $2 AND title = $3`, q.Account, q.Order, title))
	if !errors.Is(err, db.ErrNoRows) {
		return before, err
	}
	if err := mayAsk(ctx, tx, q.Account); err != nil {
		return Case{}, err
	}
	c := Case{
		Account: q.Account, ID: ids.Under("cs", q.Account), Order: q.Order, Line: q.Line, State: Open, Title: title, OpenedBy: Customer,
		Topic: q.Topic, Subject: clip(firstLine(said.Text), mostSubject), Turn: Staff, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
	}
	if _, err := tx.Exec(ctx, `INSERT INTO cases (account_id, id, order_id, line_id, state, title, evidence, opened_by, topic, subject, created_at, updated_at)
		VALUES ($1,$2,$3,$4,'open',$5,'','customer',$6,$7,$8,$8)`,
		c.Account, c.ID, c.Order, c.Line, c.Title, c.Topic, c.Subject, db.At(tx.Now())); err != nil {
		return Case{}, err
	}
	return write(ctx, tx, c, Customer, "", said)
}

// Reply is a customer's next message in a case; a closed one is open again. The
// same form sent again changes nothing. It fails as [Ask] does, with
// [fault.NotFound], and with [fault.Conflict] for a case that was closed more
// than [ReopenWithin] ago.
func Reply(ctx context.Context, tx db.Tx, k Key, s Said) (Case, error) {
	said, err := s.checked()
	if err != nil {
		return Case{}, err
	}
	c, err := Get(ctx, tx, k)
	if err != nil {
		return c, err
	}
	if again, err := written(ctx, tx, k, said.Key); again || err != nil {
		return c, err
	}
	if !c.Answerable(tx.Now()) {
		return c, fault.Because(fault.Conflict, "case_over", "This case was closed some time ago. Please open a new one.", nil)
	}
	if err := mayWrite(ctx, tx, k.Account); err != nil {
		return c, err
	}
	return write(ctx, tx, c, Customer, "", said)
}

// Answer is what a member of staff writes into a case; the customer gets it as a
// letter, too. With end, the case is closed by it. It fails with [fault.NotFound],
// and with [fault.Invalid] for an empty or too long text. What is allowed to whom,
// and the trail, are the caller's.
func Answer(ctx context.Context, tx db.Tx, ids *id.Source, k Key, staff, text string, end bool) (Case, error) {
	said, err := Said{Key: ids.Secret(12), Text: text}.checked()
	if err != nil {
		return Case{}, err
	}
	c, err := Get(ctx, tx, k)
	if err != nil {
		return c, err
	}
	if c, err = write(ctx, tx, c, Staff, staff, said); err != nil {
		return c, err
	}
	if end {
		if c, err = shut(ctx, tx, c); err != nil {
			return c, err
		}
	}
	return c, message.Queue(ctx, tx, ids.Under("msg", k.Account), letter(message.CaseAnswered, c, said.Text))
}

// Close ends a case without a word more. A customer who has written in it, or was
// written to, is told. It fails with [fault.NotFound], and with [fault.Conflict]
// for a case that is closed already.
func Close(ctx context.Context, tx db.Tx, ids *id.Source, k Key) (Case, error) {
	c, err := Get(ctx, tx, k)
	if err != nil {
		return c, err
	}
	if c.State == Closed {
		return c, fault.New(fault.Conflict, "Case %s is closed already.", c.ID)
	}
	if c, err = shut(ctx, tx, c); err != nil || c.Messages == 0 {
		return c, err
	}
	return c, message.Queue(ctx, tx, ids.Under("msg", k.Account), letter(message.CaseClosed, c, ""))
}

func shut(ctx context.Context, tx db.Tx, c Case) (Case, error) {
	_, err := tx.Exec(ctx, `UPDATE cases SET state = 'closed', turn = 'customer', closed_at = $3, updated_at = $3 WHERE account_id = $1 AND id = $2`,
		c.Account, c.ID, db.At(tx.Now()))
	c.State, c.Turn, c.ClosedAt, c.UpdatedAt = Closed, Customer, tx.Now(), tx.Now()
	return c, err
}

// letter tells the customer: once for each message, and once for an end after it.
func letter(kind message.Kind, c Case, text string) message.Draft {
	return message.Draft{
		Account: c.Account, Key: fmt.Sprintf("%s/%s/%d", kind, c.ID, c.Messages), Kind: kind,
		Facts: message.Facts{Case: c.ID, Order: c.Order, Said: text, Closed: c.State == Closed, Link: "/cases/" + c.ID},
	}
}

// write appends a message of one side, and gives the turn to the other.
func write(ctx context.Context, tx db.Tx, c Case, by Side, staff string, s Said) (Case, error) {
	turn := Customer
	if by == Customer {
		turn = Staff
	}
	var number, files int64
	err := tx.QueryRow(ctx, `UPDATE cases SET state = 'open', closed_at = NULL, turn = $3, messages = messages + 1, files = files + $4, updated_at = $5
		WHERE account_id = $1 AND id = $2 RETURNING messages, files`,
		c.Account, c.ID, turn, len(s.Files), db.At(tx.Now())).Scan(&number, &files)
	if err != nil {
		return c, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO case_messages (account_id, case_id, number, key, author, staff, body, at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		c.Account, c.ID, number, s.Key, by, staff, s.Text, db.At(tx.Now())); err != nil {
		return c, err
	}
	c.State, c.ClosedAt, c.Turn, c.Messages, c.Files, c.UpdatedAt = Open, time.Time{}, turn, int(number), int(files), tx.Now()
	return c, keep(ctx, tx, c, s.Files)
}

// mayAsk fails where too many cases of the account are open.
func mayAsk(ctx context.Context, tx db.Tx, account string) error {
	var open int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM cases WHERE account_id = $1 AND opened_by = 'customer' AND state = 'open'`, account).Scan(&open); err != nil {
		return err
	}
	if open >= MostOpen {
		return fault.Because(fault.TooMany, "case_open", "You have several open cases already. Please write into one of them.", nil)
	}
	return mayWrite(ctx, tx, account)
}

// mayWrite fails where the customer has written enough for a day.
func mayWrite(ctx context.Context, tx db.Tx, account string) error {
	var today int
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM case_messages WHERE account_id = $1 AND at > $2 AND author = 'customer'`,
		account, db.At(tx.Now().Add(-24*time.Hour))).Scan(&today)
	if err == nil && today >= MostADay {
		err = fault.Because(fault.TooMany, "case_messages", "You have written to us very often today. Please wait until tomorrow; we read everything.", nil)
	}
	return err
}

// written reports whether the form with that key was sent before.
func written(ctx context.Context, tx db.Tx, k Key, key string) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM case_messages WHERE account_id = $1 AND case_id = $2 AND key = $3`, k.Account, k.ID, key).Scan(&n)
	return n > 0, err
}

// checked is s as it is kept.
func (s Said) checked() (Said, error) {
	s.Text = strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(strings.ToValidUTF8(s.Text, "?"), "\x00", ""), "\r\n", "\n"))
	switch {
	case s.Text == "":
		return s, fault.Because(fault.Invalid, "case_empty", "Please write what happened.", nil)
	case utf8.RuneCountInString(s.Text) > MostText:
		return s, fault.Because(fault.Invalid, "case_long", "This is too long for one message. Please shorten it to 4,000 characters.", nil)
	case s.Key == "" || len(s.Key) > mostKey || !utf8.ValidString(s.Key) || strings.ContainsRune(s.Key, 0):
		return s, fault.Because(fault.Invalid, "case_form", "This form cannot be used any more. Please open the page again.", nil)
	case len(s.Files) > MostFiles:
		return s, fault.Because(fault.Invalid, "case_files", "Too many files at once. Please send the rest with your next message.", nil)
	}
	for i := range s.Files {
		if err := s.Files[i].check(); err != nil {
			return s, err
		}
	}
	return s, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return strings.TrimSpace(line)
}

// clip is as much of s as fits, in characters, without what no database takes.
func clip(s string, most int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// Message is what one side wrote.
type Message struct {
	Number int
	Author Side   // Customer or Staff
	Staff  string // who of them; not for customers
	Text   string
	At     time.Time
	Files  []File // without content
}

// Messages are all of a case, the oldest first, each with its files.
func Messages(ctx context.Context, tx db.Tx, k Key) (all []Message, err error) {
	files, err := Files(ctx, tx, k)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `SELECT number, author, staff, body, at FROM case_messages WHERE account_id = $1 AND case_id = $2 ORDER BY number`, k.Account, k.ID)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var m Message
		var at db.Instant
		if err := rows.Scan(&m.Number, &m.Author, &m.Staff, &m.Text, &at); err != nil {
			return nil, err
		}
		m.At = at.Time
		for _, f := range files {
			if f.Message == m.Number {
				m.Files = append(m.Files, f)
			}
		}
		all = append(all, m)
	}
	return all, rows.Err()
}
