package billing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// Recipient is to whom documents are made out. The zero value: to nobody by name.
type Recipient struct {
	Name    string // one line
	Address string // up to five lines
}

// How long a recipient may be.
const (
	MostName     = 100 // characters
	MostAddress  = 300 // characters
	addressLines = 5
)

// SetRecipient keeps to whom the account's documents are made out that are numbered
// from now on; an empty one ends it. It fails with [fault.Invalid].
func SetRecipient(ctx context.Context, tx db.Tx, account string, r Recipient) error {
	r.Name = strings.Join(strings.Fields(printable(r.Name)), " ")
	var lines []string
	for line := range strings.SplitSeq(printable(r.Address), "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	r.Address = strings.Join(lines, "\n")
	if utf8.RuneCountInString(r.Name) > MostName || utf8.RuneCountInString(r.Address) > MostAddress || len(lines) > addressLines {
		return fault.Because(fault.Invalid, "bill_recipient",
			"A name has at most 100 characters, and an address 300 in five lines.", nil)
	}
	if r.Name == "" && r.Address != "" {
		return fault.Because(fault.Invalid, "bill_recipient_name", "Please give the name, too.", nil)
	}
	_, err := tx.Exec(ctx, `INSERT INTO bill_recipients (account_id, name, address, updated_at) VALUES ($1,$2,$3,$4)
		ON CONFLICT (account_id) DO UPDATE SET name = excluded.name, address = excluded.address, updated_at = excluded.updated_at`,
		account, r.Name, r.Address, db.At(tx.Now()))
	return err
}

// printable is s without what no document shows.
func printable(s string) string {
	s = strings.ReplaceAll(s, "\t", " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// RecipientOf is to whom the account's documents are made out.
func RecipientOf(ctx context.Context, tx db.Tx, account string) (r Recipient, err error) {
	err = tx.QueryRow(ctx, `SELECT name, address FROM bill_recipients WHERE account_id = $1`, account).Scan(&r.Name, &r.Address)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return r, err
}

// addressed is stored content with its recipient.
func addressed(content string, r Recipient) (string, error) {
	var c Content
	if err := json.Unmarshal([]byte(content), &c); err != nil {
		return "", fmt.Errorf("billing: content: %w", err)
	}
	c.Recipient, c.RecipientAddress = r.Name, r.Address
	out, err := json.Marshal(c)
	return string(out), err
}
