// Package support is the conversations between customers and staff about
// something that went wrong, and where the seller can be reached.
//
// A case is opened by a customer, or by the system with evidence that only staff
// see. Both sides write into it; whose turn it is says who has to act. What is
// written is never changed.
//
// Errors for customers carry a reason; their texts are in package ui.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package support

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
)

// State is whether somebody works on a case. The values are stored; do not rename.
type State string

// The states of a case.
const (
	Open   State = "open"
	Closed State = "closed"
)

// Side is one of the two who speak in a case, or the system that opened it. The
// values are stored; do not rename.
type Side string

// The sides.
const (
	Customer Side = "customer"
	Staff    Side = "staff"
	System   Side = "system"
)

// Topic is what a customer says that a case is about. The values are stored; do
// not rename.
type Topic string

// Topics are what can be chosen, in the order in which they are offered.
var Topics = []Topic{"slow", "install", "renew", "pay", "refund", "device", "account", "other"}

// Case is one conversation.
type Case struct {
	Account   string
	ID        string
	Order     string // that it is about; may be empty
	Line      string // that it is about; may be empty
	State     State
	Title     string // of the system's: why it was opened; of a customer's: what makes it once
	Evidence  string // for staff only
	OpenedBy  Side   // Customer or System
	Topic     Topic  // of a customer's
	Subject   string // of a customer's: how the first message begins
	Turn      Side   // Customer or Staff: who speaks next
	Messages  int    // how many were written
	Files     int    // how many were sent
	CreatedAt time.Time
	UpdatedAt time.Time
	ClosedAt  time.Time // zero while it is open
}

// Key names a case.
type Key struct{ Account, ID string }

// Key is what c is named by.
func (c Case) Key() Key { return Key{c.Account, c.ID} }

// KeyOf is the key of a case by its identifier alone. It fails with
// [fault.NotFound] for what cannot be one.
func KeyOf(caseID string) (Key, error) {
	account, err := id.AccountOf(caseID)
	return Key{account, caseID}, err
}

// ReopenWithin is how long after its end a customer's answer opens a case again.
const ReopenWithin = 30 * 24 * time.Hour

// Answerable reports whether the customer may write into c at an instant.
func (c Case) Answerable(now time.Time) bool {
	return c.State == Open || now.Before(c.ClosedAt.Add(ReopenWithin))
}

const caseColumns = `account_id, id, order_id, line_id, state, title, evidence, opened_by, topic, subject, turn,
	messages, files, created_at, updated_at, closed_at`

func scan(row interface{ Scan(dest ...any) error }) (Case, error) {
	var c Case
	var made, changed, closed db.Instant
	err := row.Scan(&c.Account, &c.ID, &c.Order, &c.Line, &c.State, &c.Title, &c.Evidence, &c.OpenedBy, &c.Topic, &c.Subject, &c.Turn,
		&c.Messages, &c.Files, &made, &changed, &closed)
	c.CreatedAt, c.UpdatedAt, c.ClosedAt = made.Time, changed.Time, closed.Time
	return c, err
}

// Get reads a case. It fails with [fault.NotFound].
func Get(ctx context.Context, tx db.Tx, k Key) (Case, error) {
	c, err := scan(tx.QueryRow(ctx, `SELECT `+caseColumns+` FROM cases WHERE account_id = $1 AND id = $2`, k.Account, k.ID))
	if errors.Is(err, db.ErrNoRows) {
		return c, fault.Because(fault.NotFound, "no_such_case", "There is no such case.", nil)
	}
	return c, err
}

// MostListed is the longest list of cases.
const MostListed = 1000

// List gives an account's cases, the newest first: those of one line where line
// is not empty.
func List(ctx context.Context, tx db.Tx, account, line string, limit int) ([]Case, error) {
	return cases(ctx, tx, `SELECT `+caseColumns+` FROM cases
		WHERE account_id = $1 AND ($2 = '' OR line_id = $2) ORDER BY id DESC LIMIT $3`, account, line, limit)
}

// OpenOnes lists the open cases of all accounts, the longest untouched first.
func OpenOnes(ctx context.Context, tx db.Tx, limit int) ([]Case, error) {
	return cases(ctx, tx, `SELECT `+caseColumns+` FROM cases WHERE state = 'open' ORDER BY updated_at, account_id, id LIMIT $1`, limit)
}

// Newest lists cases of all accounts whatever their state, the newest first.
func Newest(ctx context.Context, tx db.Tx, limit int) ([]Case, error) {
	return cases(ctx, tx, `SELECT `+caseColumns+` FROM cases ORDER BY created_at DESC, account_id, id LIMIT $1`, limit)
}

func cases(ctx context.Context, tx db.Tx, query string, args ...any) (all []Case, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// Opened is a case that the system opens.
type Opened struct {
	Account, Order, Line string

	Title    string // why; one word that the guide for staff explains
	Evidence string // for staff
}

// mostEvidence is how much evidence a case keeps, in characters; the newest first.
const mostEvidence = 4000

// AddTo appends the opening of a case by the system. There is one for an order
// and title: what happens again is added to it, and opens it again. id is a new
// identifier under the account, with the prefix cs; now is the transaction's.
func (o Opened) AddTo(b *db.Batch, now time.Time, id string) {
	b.Add(`INSERT INTO cases (account_id, id, order_id, line_id, state, title, evidence, created_at, updated_at)
		VALUES ($1,$2,$3,$4,'open',$5,$6,$7,$7)
		ON CONFLICT (account_id, order_id, title) DO UPDATE
		   SET state = 'open', turn = 'staff', closed_at = NULL,
		       evidence = substr(excluded.evidence || ' / ' || cases.evidence, 1, 4000), updated_at = excluded.updated_at`,
		o.Account, id, o.Order, o.Line, o.Title, clip(o.Evidence, mostEvidence), db.At(now))
}

// AddSettled appends the end of a case that the system opened about an order, where
// what it was about is settled. One in which somebody wrote is left to them.
func AddSettled(b *db.Batch, now time.Time, account, order, title string) {
	b.Add(`UPDATE cases SET state = 'closed', turn = 'customer', closed_at = $4, updated_at = $4
		WHERE account_id = $1 AND order_id = $2 AND title = $3 AND state = 'open' AND opened_by = 'system' AND messages = 0`,
		account, order, title, db.At(now))
}
