// Package billing writes the documents of completed sales: bills with tax,
// receipts of wallet top-ups, credit notes of refunds; and gives them their
// numbers.
//
// A document is complete when it is issued but for its number. Numbers are
// given by [Numbering] in batches, without gaps within a series, so that no
// two sales wait for one counter.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package billing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
)

// Kind is what a document is. The values are stored; do not rename.
type Kind string

// The kinds of document.
const (
	Sale       Kind = "bill"        // of a completed sale, with tax
	Receipt    Kind = "receipt"     // of money put into a wallet: no tax
	CreditNote Kind = "credit_note" // of a refund; refers to a bill
)

// Rate is a tax class at the rate in force when the document was issued.
// Percent/Scale is the rate in percent: 10/1, or 85/10 for 8.5 %.
type Rate struct {
	Class   string
	Percent int64
	Scale   int64
	Reduced bool
}

// Content is what the document says besides its amounts, as it was said when
// the document was issued: it does not change with the catalogue.
type Content struct {
	Seller        string `json:"seller"`
	SellerAddress string `json:"seller_address,omitempty"`
	SellerNumber  string `json:"seller_number,omitempty"` // qualified-invoice issuer, T + 13 digits
	Recipient     string `json:"recipient,omitempty"`
	What          string `json:"what"` // plan and term
	Line          string `json:"line,omitempty"`
	From          string `json:"from,omitempty"` // first instant of service, RFC 3339 in the operator's zone
	To            string `json:"to,omitempty"`   // end of service, exclusive
	Tool          string `json:"tool"`           // how it was paid
	Zone          string `json:"zone"`           // in which the document's date is read
	Reduced       bool   `json:"reduced,omitempty"`
}

// Bill is one document. Total includes the tax.
type Bill struct {
	Account  string
	ID       string
	Order    string
	Kind     Kind
	Series   string
	Number   int64 // 0 until numbered
	Total    money.Money
	Rate     Rate
	Tax      money.Money
	Content  Content
	RefersTo string // a credit note's bill
	IssuedAt time.Time
}

// Title is the document's number as people write it, or "" until it has one.
func (b Bill) Title() string {
	if b.Number == 0 {
		return ""
	}
	return fmt.Sprintf("%s-%08d", b.Series, b.Number)
}

// Series is the series of documents of a kind issued in a year of the shop.
func Series(k Kind, at time.Time, shop *time.Location) string {
	letter := map[Kind]string{Sale: "B", Receipt: "R", CreditNote: "C"}[k]
	return letter + at.In(shop).Format("2006")
}

// TaxIn is the tax contained in a total, rounded down once. Japan's qualified
// invoice wants one rounding per document and rate and leaves its direction to
// the issuer (National Tax Agency, pamphlet of July 2021, p. 7).
func TaxIn(total money.Money, r Rate) money.Money {
	// total × percent / (100 × scale + percent): at most 2^53 × 10^4, so
	// split to stay within int64.
	den := 100*r.Scale + r.Percent
	whole, rest := total.Minor/den, total.Minor%den
	return money.Money{Minor: whole*r.Percent + rest*r.Percent/den, Currency: total.Currency}
}

// AddTo appends the document's insertion to batch. A second document of the
// same kind for one order violates a unique key.
func (b Bill) AddTo(batch *db.Batch, now time.Time) {
	content, err := json.Marshal(b.Content)
	if err != nil {
		panic("billing: content does not encode: " + err.Error()) // strings and bools always do
	}
	batch.Add(`INSERT INTO bills (account_id, id, order_id, kind, series, minor, currency,
			tax_class, tax_rate, tax_scale, tax_minor, content, refers_to, issued_at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
		b.Account, b.ID, b.Order, b.Kind, b.Series, b.Total.Minor, b.Total.Currency,
		b.Rate.Class, b.Rate.Percent, b.Rate.Scale, b.Tax.Minor, string(content), b.RefersTo, db.At(now))
}

const columns = `account_id, id, order_id, kind, series, number, minor, currency,
	tax_class, tax_rate, tax_scale, tax_minor, content, refers_to, issued_at`

func scan(row db.Row) (Bill, error) {
	var b Bill
	var number *int64
	var content string
	var issued db.Instant
	err := row.Scan(&b.Account, &b.ID, &b.Order, &b.Kind, &b.Series, &number, &b.Total.Minor, &b.Total.Currency,
		&b.Rate.Class, &b.Rate.Percent, &b.Rate.Scale, &b.Tax.Minor, &content, &b.RefersTo, &issued)
	if err != nil {
		return Bill{}, err
	}
	if number != nil {
		b.Number = *number
	}
	b.Tax.Currency, b.IssuedAt = b.Total.Currency, issued.Time
	if err := json.Unmarshal([]byte(content), &b.Content); err != nil {
		return Bill{}, fmt.Errorf("billing: content of %s: %w", b.ID, err)
	}
	b.Rate.Reduced = b.Content.Reduced
	return b, nil
}

// Get reads one document. It fails with [fault.NotFound].
func Get(ctx context.Context, tx db.Tx, account, id string) (Bill, error) {
	b, err := scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM bills WHERE account_id = $1 AND id = $2`, account, id))
	if errors.Is(err, db.ErrNoRows) {
		return Bill{}, fault.Because(fault.NotFound, "no_such_bill", "There is no such bill in this account.", nil)
	}
	return b, err
}

// OfOrder reads the documents of an order, oldest first.
func OfOrder(ctx context.Context, tx db.Tx, account, order string) (bills []Bill, err error) {
	return list(ctx, tx, `SELECT `+columns+` FROM bills WHERE account_id = $1 AND order_id = $2 ORDER BY issued_at, kind`, account, order)
}

// List reads the newest documents of an account.
func List(ctx context.Context, tx db.Tx, account string, limit int) ([]Bill, error) {
	return list(ctx, tx, `SELECT `+columns+` FROM bills WHERE account_id = $1 ORDER BY issued_at DESC, id DESC LIMIT $2`, account, limit)
}

func list(ctx context.Context, tx db.Tx, query string, args ...any) (bills []Bill, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		b, err := scan(rows)
		if err != nil {
			return nil, err
		}
		bills = append(bills, b)
	}
	return bills, rows.Err()
}
