// Package order carries a customer's wish to its end: quote, place, pay,
// fulfil, books, tell; or refund; or held, when a person must decide. Renewing
// a line, adding a pack, buying a new line and topping up the wallet differ only
// in how they are fulfilled.
//
// The files are the steps, to be read in that order. Every step is one
// transaction, or an intent that is stored before a stranger is called and a
// record of what came back. The rows are the work: whatever waits has a due
// time, and a worker that claims it moves that time by a lease.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package order

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/seal"
)

// Desk is where orders are taken and brought to their end. Its fields are set
// before first use and not changed.
type Desk struct {
	DB        *db.DB
	IDs       *id.Source
	Shelf     *catalogue.Shelf
	Carriers  map[string]carrier.Carrier  // by adapter name
	Providers map[string]payment.Provider // by adapter name
	Rails     map[payment.Rail]string     // which adapter a rail is paid through
	Log       *slog.Logger

	// Seal hides the tokens of kept tools in the database; nil: no tool is kept.
	Seal *seal.Box

	// Codes hides activation codes in the database, and is what claim codes and codes
	// to redeem are known by; nil: codes are stored as they are, and nothing is
	// claimed, redeemed or sold from stock.
	Codes *seal.Box

	// Funds says what is left with operators, for choosing the one that makes a new
	// line; nil: nobody knows.
	Funds Funds

	// Meters are the operators of the catalogue whose lines are counted by gateways that
	// report to us, see [Desk.Meter]. What else is said about their usage is not taken.
	Meters map[string]bool

	// Wallet says what the seller's wallet may be used for.
	Wallet WalletMode

	// WalletExpiry is how long value stays in a wallet before it expires, if it is
	// not spent; 0: for ever.
	WalletExpiry time.Duration

	// Disputed says what becomes of the lines of a customer who owes us what their
	// bank took back; empty: [DisputeEndRenewals].
	Disputed DisputeMode

	// QuoteTTL is how long a price is honoured; 0: 30 minutes.
	QuoteTTL time.Duration

	// Side is how many strangers a Step talks to side by side; 0: 1, in the
	// order of the rows.
	Side int

	// Set is how many due rows a Step takes at once; 0: 20.
	Set int

	silence silence
	due     backlog
	hands   hands // of orders
	lookers hands // of looks

	standing standing
}

// WalletMode is what stored value may be used for; the law differs by country.
type WalletMode string

// The modes of the wallet.
const (
	WalletOff         WalletMode = "off"
	WalletRefundsOnly WalletMode = "refunds_only" // spent, but not topped up
	WalletFull        WalletMode = "full"
)

// Kind is what an order buys. The values are stored; do not rename.
type Kind string

// The kinds of order.
const (
	Term    Kind = "term"  // more time on a line
	Pack    Kind = "pack"  // more data on a line
	TopUp   Kind = "topup" // money into the wallet
	NewLine Kind = "line"  // a new line, with its first term
)

// The tools of an order that no provider is asked for.
const (
	ToolWallet = catalogue.Tool(payment.Wallet) // from the wallet, perhaps with points
	ToolPoints = catalogue.Tool("points")       // from points alone
	ToolCode   = catalogue.Tool("redeem_code")  // paid elsewhere, where a code to redeem was sold
)

// Order is the customer's acceptance of a quote.
type Order struct {
	Account     string
	ID          string
	State       State
	Key         string // the customer's, which makes the order once
	Digest      string // of what was accepted under the key
	Quote       string // empty for an order that late money made
	Kind        Kind
	Line        string // of a new line, the identifier that it has once the order is completed
	Plan        string
	Item        string // term or pack
	Catalogue   int64  // version whose rules were accepted
	Price       money.Money
	Exchange    Exchange       // what Price was converted from
	Parts       Parts          // what pays the price
	Basket      string         // the first of the orders that are paid together; empty: it is paid alone
	Tool        catalogue.Tool // what pays what neither points nor the wallet pay; else one of these two
	Effect      catalogue.Effect
	StartsAt    time.Time // of the service bought; zero for a top-up, and where the first use decides
	EndsAt      time.Time // exclusive
	Anchor      int
	Bytes       int64 // data that it brings
	Periods     int   // the line's periods when it was quoted
	Enlarges    int   // the number of the period that gets more data; 0: a period of its own
	Snapshot    carrier.Snapshot
	AskedAt     time.Time // when the operator may first have been called; zero: certainly not
	OperatorRef string    // the operator's number of what was asked for; known before the order is completed where a new line takes a while
	Reason      string    // why it is refunded, cancelled or held: a key of texts
	Evidence    string    // for staff: what strangers answered
	Told        bool      // the customer has heard that it takes longer
	Attempts    int
	DueAt       time.Time // when a worker looks at it next; zero: nothing waits
	ExpiresAt   time.Time // until when it may be paid
	PlacedAt    time.Time
	PaidAt      time.Time
	CompletedAt time.Time
	UpdatedAt   time.Time
}

// Granted reports whether the order costs nothing here, because a code says that it
// was paid elsewhere.
func (o Order) Granted() bool { return o.Tool == ToolCode }

// Key names an order.
type Key struct{ Account, ID string }

// KeyOf finds the account in an order's identifier. It fails with [fault.NotFound].
func KeyOf(order string) (Key, error) {
	account, err := id.AccountOf(order)
	return Key{account, order}, err
}

// Key of o.
func (o Order) Ref() Key { return Key{o.Account, o.ID} }

const columns = `account_id, id, state, customer_key, input_digest, quote_id, kind, line_id, plan_id, item_id,
	catalogue_version, minor, currency, tool, effect, starts_at, ends_at, anchor, bytes, periods, enlarges,
	snapshot, asked_at, operator_ref, reason, evidence, told, attempts, due_at,
	expires_at, placed_at, paid_at, completed_at, updated_at, points, discount_minor, wallet_minor, basket, exchange`

func scan(row db.Row) (Order, error) {
	var o Order
	var quote db.Text
	var snapshot string
	var converted string
	var starts, ends, asked, due, expires, placed, paid, completed, updated db.Instant
	err := row.Scan(&o.Account, &o.ID, &o.State, &o.Key, &o.Digest, &quote, &o.Kind, &o.Line, &o.Plan, &o.Item,
		&o.Catalogue, &o.Price.Minor, &o.Price.Currency, &o.Tool, &o.Effect, &starts, &ends, &o.Anchor, &o.Bytes, &o.Periods, &o.Enlarges,
		&snapshot, &asked, &o.OperatorRef, &o.Reason, &o.Evidence, &o.Told, &o.Attempts, &due,
		&expires, &placed, &paid, &completed, &updated, &o.Parts.Points, &o.Parts.Discount, &o.Parts.Wallet, &o.Basket, &converted)
	if err != nil {
		return o, err
	}
	o.Exchange, err = storedExchange(converted)
	o.Parts.Rest = o.Price.Minor - o.Parts.Discount - o.Parts.Wallet
	o.Quote, o.Snapshot = string(quote), carrier.Snapshot(snapshot)
	o.StartsAt, o.EndsAt, o.AskedAt, o.DueAt = starts.Time, ends.Time, asked.Time, due.Time
	o.ExpiresAt, o.PlacedAt, o.PaidAt, o.CompletedAt, o.UpdatedAt = expires.Time, placed.Time, paid.Time, completed.Time, updated.Time
	return o, err
}

// insert appends the insertion of o to b.
func insert(b *db.Batch, o Order) {
	b.Row(`INSERT INTO orders (`+columns+`)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,
		        $21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31,$32,$33,$34,$35,$36,$37,$38,$39)`, o.row()...)
}

// row is o as the columns are.
func (o Order) row() []any {
	return []any{
		o.Account, o.ID, o.State, o.Key, o.Digest, db.Text(o.Quote), o.Kind, o.Line, o.Plan, o.Item,
		o.Catalogue, o.Price.Minor, o.Price.Currency, o.Tool, o.Effect, db.At(o.StartsAt), db.At(o.EndsAt), o.Anchor, o.Bytes, o.Periods, o.Enlarges,
		string(o.Snapshot), db.At(o.AskedAt), o.OperatorRef, o.Reason, o.Evidence, o.Told, o.Attempts, db.At(o.DueAt),
		db.At(o.ExpiresAt), db.At(o.PlacedAt), db.At(o.PaidAt), db.At(o.CompletedAt), db.At(o.UpdatedAt),
		o.Parts.Points, o.Parts.Discount, o.Parts.Wallet, o.Basket, o.Exchange.stored(),
	}
}

// insertUnowed appends the insertion of o, and fails where the account owes something:
// a dispute may have been seen since o was decided.
func insertUnowed(b *db.Batch, o Order) {
	b.GuardRow(`INSERT INTO orders (`+columns+`)
		SELECT v.* FROM (VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,CAST($11 AS bigint),CAST($12 AS bigint),$13,$14,$15,
		        CAST($16 AS bigint),CAST($17 AS bigint),CAST($18 AS bigint),CAST($19 AS bigint),CAST($20 AS bigint),CAST($21 AS bigint),
		        $22,CAST($23 AS bigint),$24,$25,$26,CAST($27 AS boolean),CAST($28 AS bigint),CAST($29 AS bigint),
		        CAST($30 AS bigint),CAST($31 AS bigint),CAST($32 AS bigint),CAST($33 AS bigint),CAST($34 AS bigint),
		        CAST($35 AS bigint),CAST($36 AS bigint),CAST($37 AS bigint),$38,$39)) AS v
		 WHERE NOT EXISTS (SELECT 1`+disputesFrom+`WHERE d.account_id = column1 AND `+owing+`)`, o.row()...)
}

// Get reads an order. It fails with [fault.NotFound].
func Get(ctx context.Context, tx db.Tx, k Key) (Order, error) {
	o, err := scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM orders WHERE account_id = $1 AND id = $2`, k.Account, k.ID))
	if errors.Is(err, db.ErrNoRows) {
		return Order{}, fault.Because(fault.NotFound, "no_such_order", "There is no such order in this account.", nil)
	}
	return o, err
}

// byKey reads the order that the customer's key made.
func byKey(ctx context.Context, tx db.Tx, account, key string) (Order, bool, error) {
	return maybe(scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM orders WHERE account_id = $1 AND customer_key = $2`, account, key)))
}

// ByQuote reads the order that a quote became, if it became one.
func ByQuote(ctx context.Context, tx db.Tx, account, quote string) (Order, bool, error) {
	return maybe(scan(tx.QueryRow(ctx, `SELECT `+columns+` FROM orders WHERE account_id = $1 AND quote_id = $2`, account, quote)))
}

func maybe(o Order, err error) (Order, bool, error) {
	if errors.Is(err, db.ErrNoRows) {
		return Order{}, false, nil
	}
	return o, err == nil, err
}

// List reads the newest orders of an account; line "" means of all its lines.
func List(ctx context.Context, tx db.Tx, account, line string, limit int) ([]Order, error) {
	return all(ctx, tx, `SELECT `+columns+` FROM orders
		WHERE account_id = $1 AND ($2 = '' OR line_id = $2) ORDER BY id DESC LIMIT $3`, account, line, limit)
}

// Page reads the newest orders of an account that are older than another one,
// which may be "": the first page; line "" means of all its lines. Orders that
// are placed meanwhile are on no page but the first.
func Page(ctx context.Context, tx db.Tx, account, line, after string, limit int) ([]Order, error) {
	return all(ctx, tx, `SELECT `+columns+` FROM orders
		WHERE account_id = $1 AND ($2 = '' OR line_id = $2) AND ($3 = '' OR id < $3) ORDER BY id DESC LIMIT $4`, account, line, after, limit)
}

// Newest reads the newest orders of the whole shop in one state; "" means any.
// It is for staff: it reads across accounts.
func Newest(ctx context.Context, tx db.Tx, state State, limit int) ([]Order, error) {
	return all(ctx, tx, `SELECT `+columns+` FROM orders
		WHERE ($1 = '' OR state = $1) ORDER BY placed_at DESC, id DESC LIMIT $2`, state, limit)
}

func all(ctx context.Context, tx db.Tx, query string, args ...any) (orders []Order, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		o, err := scan(rows)
		if err != nil {
			return nil, err
		}
		orders = append(orders, o)
	}
	return orders, rows.Err()
}

func isGuard(err error) bool { return errors.Is(err, db.ErrGuard) }
