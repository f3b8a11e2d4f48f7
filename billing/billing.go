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
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
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
	Percent int64 // 0 to 100 × Scale
	Scale   int64 // 1, 10, 100 …; 0 means 1
	Reduced bool
}

// String writes the rate with as many decimals as it has: "10%", "8.5%", "8.25%".
func (r Rate) String() string {
	scale := max(1, r.Scale)
	s := strconv.FormatInt(r.Percent/scale, 10)
	if rest := r.Percent % scale; rest != 0 {
		digits := strconv.FormatInt(scale+rest, 10)[1:] // with its leading zeros
		s += "." + strings.TrimRight(digits, "0")
	}
	return s + "%"
}

// Content is what the document says besides its amounts, as it was said when
// the document was issued: it does not change with the catalogue.
type Content struct {
	Seller        string `json:"seller"`
	SellerAddress string `json:"seller_address,omitempty"`
	SellerNumber  string `json:"seller_number,omitempty"` // qualified-invoice issuer, T + 13 digits
	Recipient     string `json:"recipient,omitempty"`     // as the customer wishes; filled in with the number
	What          string `json:"what"`                    // plan and term, for staff; what customers read is made of Names and Sold
	Line          string `json:"line,omitempty"`
	From          string `json:"from,omitempty"` // first instant of service, RFC 3339 in the operator's zone
	To            string `json:"to,omitempty"`   // end of service, exclusive
	Tool          string `json:"tool"`           // how it was paid
	Zone          string `json:"zone"`           // in which the document's date is read
	Reduced       bool   `json:"reduced,omitempty"`

	// Names are the plan's, in every language that it had one in. None: the document is
	// a receipt, or older than this.
	Names map[locale.Language]string `json:"names,omitempty"`

	// Sold is what of the plan was bought.
	Sold *Sold `json:"sold,omitempty"`

	// RecipientAddress is in several lines.
	RecipientAddress string `json:"recipient_address,omitempty"`

	// A sale's points, and the minor units that they took off the price: the total
	// is what remained. A credit note's are those that went back.
	Points   int64 `json:"points,omitempty"`
	Discount int64 `json:"discount,omitempty"`

	// FromWallet are the minor units that the wallet paid, or got back, beside Tool.
	FromWallet int64 `json:"from_wallet,omitempty"`
}

// Sold is a term or a pack in figures, so that it can be said in every language.
type Sold struct {
	Unit    calendar.Unit   `json:"unit,omitempty"` // of a term
	N       int             `json:"n,omitempty"`
	Volume  int64           `json:"volume,omitempty"`   // bytes
	GB      int64           `json:"gb,omitempty"`       // bytes of what the operator calls a GB
	Until   catalogue.Until `json:"until,omitempty"`    // of a pack, which without a volume is full speed
	EachDay bool            `json:"each_day,omitempty"` // of a pack: for every day that is left
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

// Date is the day on which the document was issued, YYYY-MM-DD in its own zone.
func (b Bill) Date() string {
	loc, err := time.LoadLocation(b.Content.Zone)
	if err != nil {
		loc = time.UTC // a zone that was known when the document was issued
	}
	return b.IssuedAt.In(loc).Format(time.DateOnly)
}

// Part is what a document says about one tax rate. A qualified invoice must say
// it for every rate it has; ours have one, since an order buys one thing.
type Part struct {
	Rate  Rate
	Total money.Money // with the tax
	Net   money.Money
	Tax   money.Money
}

// Parts are the document's amounts by tax rate. A receipt has none: money
// changed hands and nothing was sold.
func (b Bill) Parts() []Part {
	if b.Kind == Receipt {
		return nil
	}
	return []Part{{b.Rate, b.Total, money.Of(b.Total.Minor-b.Tax.Minor, b.Total.Currency), b.Tax}}
}

// Qualified reports whether the document has everything that a Japanese
// qualified invoice must have: the issuer's name and number, the date, what was
// sold, and total, rate and tax for each rate. A recipient is needed too, unless
// the seller may issue simplified invoices; the document has a field for it.
func (b Bill) Qualified() bool {
	c := b.Content
	return b.Kind != Receipt && c.Seller != "" && c.SellerNumber != "" && c.What != "" && c.Zone != "" && !b.IssuedAt.IsZero()
}

// Series is the series of documents of a kind issued in a year of the shop. It
// panics for no kind: documents of none must not share a series.
func Series(k Kind, at time.Time, shop *time.Location) string {
	year := at.In(shop).Format("2006")
	switch k {
	case Sale:
		return "B" + year
	case Receipt:
		return "R" + year
	case CreditNote:
		return "C" + year
	}
	panic("billing: no series for documents of kind " + string(k))
}

// TaxIn is the tax contained in a total, rounded down once. Japan's qualified
// invoice wants one rounding per document and rate and leaves its direction to
// the issuer (National Tax Agency, pamphlet of July 2021, p. 7). It panics for a
// rate below 0 or above 100 %: the catalogue's check refuses those.
func TaxIn(total money.Money, r Rate) money.Money {
	hundred := 100 * max(1, r.Scale)
	if r.Percent < 0 || r.Percent > hundred || hundred > maxHundred {
		panic(fmt.Sprintf("billing: no tax of %d/%d percent", r.Percent, r.Scale))
	}
	// total × percent / den would pass int64. Split, no product passes 2^53.
	den := hundred + r.Percent
	whole, rest := total.Minor/den, total.Minor%den
	return money.Money{Minor: whole*r.Percent + rest*r.Percent/den, Currency: total.Currency}
}

// maxHundred is 100 % at the finest scale, a ten thousandth of a percent.
const maxHundred = 100 * 10_000

// AddTo appends the document's insertion to batch. A second document of the
// same kind for one order violates a unique key.
func (b Bill) AddTo(batch *db.Batch, now time.Time) {
	content, err := json.Marshal(b.Content)
	if err != nil {
		panic("billing: content does not encode: " + err.Error()) // strings and bools always do
	}
	batch.Row(`INSERT INTO bills (account_id, id, order_id, kind, series, minor, currency,
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

// Credited reads how much of each order of an account was given back after it was
// served, by its credit note; of the newest hundred.
func Credited(ctx context.Context, tx db.Tx, account string) (map[string]money.Money, error) {
	notes, err := list(ctx, tx, `SELECT `+columns+` FROM bills WHERE account_id = $1 AND kind = 'credit_note' ORDER BY issued_at DESC, id DESC LIMIT 100`, account)
	if err != nil {
		return nil, err
	}
	credited := make(map[string]money.Money, len(notes))
	for _, n := range notes {
		credited[n.Order] = n.Total
	}
	return credited, nil
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
