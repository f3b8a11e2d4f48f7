// Package audit holds the promises as queries: each finds what must not exist.
// It reads views that the owners of the tables declare, and changes nothing of theirs.
//
// [Run] asks everything at once, of a whole database. The [Repairer] runs with the shop
// all the time, a little at once, and does something about the seven wrongs that cannot
// persist: it repairs what a rule can decide and calls a person for the rest.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/order"
)

// Deadlines after which something that is on its way counts as stuck.
const (
	// Those of what package order carries are its own, see order.Limits.
	WorkLate   = order.WorkWithin
	NumberLate = order.NumberWithin
	RefundLate = order.RefundWithin

	// DifferLate is how long a provider's report may differ from our books: those
	// who were asked have answered by then.
	DifferLate = 24 * time.Hour

	// ReportLate is how long a provider's report may be missing. That there is
	// none of a quiet day is believed of some only a day after it.
	ReportLate = 48 * time.Hour
)

// Promise is one of the product's promises, by number.
type Promise string

// The promises that a database can be asked about.
const (
	ExactlyOnce       Promise = "exactly once"
	NothingForNothing Promise = "nothing for nothing"
	BooksBalance      Promise = "the books balance"
	NoSurprise        Promise = "no surprise"
	EverybodyTold     Promise = "everybody is told"
	NothingStuck      Promise = "nothing is stuck"
)

// Check is one query. It returns rows of (account, subject, detail), one for
// each violation. $1 is an instant before which things should be finished.
type Check struct {
	Name    string
	Promise Promise
	Says    string // in words, what a row means
	Late    time.Duration
	query   string
}

// Violation is something that must not exist.
type Violation struct {
	Check   string  `json:"check"`
	Promise Promise `json:"promise"`
	Says    string  `json:"says"`
	Account string  `json:"account,omitempty"`
	Subject string  `json:"subject"`
	Detail  string  `json:"detail,omitempty"`

	// Of an order, payment or refund that waits, see [Explain].
	Since    time.Time `json:"since,omitzero"`
	Deadline time.Time `json:"deadline,omitzero"`
	LateBy   string    `json:"late_by,omitempty"`
}

func (v Violation) String() string {
	text := fmt.Sprintf("%s: %s %s (%s)", v.Check, v.Says, v.Subject, v.Detail)
	if !v.Deadline.IsZero() {
		text += fmt.Sprintf(", since %s, deadline %s", v.Since.Format(time.RFC3339), v.Deadline.Format(time.RFC3339))
	}
	if v.LateBy != "" {
		text += ", late by " + v.LateBy
	}
	return text
}

// Explain adds to violations about what waits since when it does, and until when at
// the latest.
func Explain(ctx context.Context, d *db.DB, p order.Patience, all []Violation) ([]Violation, error) {
	shelf := &catalogue.Shelf{}
	return db.Seen(ctx, d, func(ctx context.Context, tx db.Tx) ([]Violation, error) {
		out := slices.Clone(all)
		for i, v := range out {
			w, ok, err := p.Of(ctx, tx, shelf, v.Account, v.Subject)
			if err != nil {
				return nil, fmt.Errorf("audit: %s: %w", v.Subject, err)
			}
			if !ok {
				continue
			}
			out[i].Since, out[i].Deadline = w.Since, w.Deadline
			if late := w.Late(tx.Now()); late > 0 {
				out[i].LateBy = late.Round(time.Second).String()
			}
		}
		return out, nil
	})
}

// MaxViolations is how many rows of one check are reported.
const MaxViolations = 100

// Run asks every check and returns all violations found.
func Run(ctx context.Context, d *db.DB) ([]Violation, error) {
	var all []Violation
	err := d.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		all = nil
		for _, c := range Checks {
			found, err := c.run(ctx, tx)
			if err != nil {
				return fmt.Errorf("audit: %s: %w", c.Name, err)
			}
			all = append(all, found...)
		}
		return nil
	})
	return all, err
}

func (c Check) run(ctx context.Context, tx db.Tx) (found []Violation, err error) {
	rows, err := tx.Query(ctx, c.query, db.At(tx.Now().Add(-c.Late)))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() && len(found) < MaxViolations {
		v := Violation{Check: c.Name, Promise: c.Promise, Says: c.Says}
		if err := rows.Scan(&v.Account, &v.Subject, &v.Detail); err != nil {
			return nil, err
		}
		found = append(found, v)
	}
	return found, rows.Err()
}
