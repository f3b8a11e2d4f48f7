package order

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Payment is one attempt to collect an order's amount with one tool, as stored.
type Payment struct {
	Account    string
	ID         string
	Order      string
	Ref        string // our name for it at the provider
	Rail       payment.Rail
	Provider   string // the adapter that made it, and that finishes it
	Amount     money.Money
	State      payment.State
	Live       bool // the order's one open attempt
	ProviderID string
	MoneyID    string
	Next       payment.Next // what the customer must do
	NextAt     time.Time    // since when Next is what it is
	Reason     payment.Reason
	Code       string
	Fee        int64 // minor units of Amount's currency
	Refunded   int64 // minor units
	ReturnURL  string
	Language   string
	Device     payment.Device
	ClientIP   string
	Tool       string // the kept tool that is charged; "": what the customer enters
	Keep       string // the version of the consent under which its tool is kept; "": it is not
	Absent     bool   // charged without the customer
	Attempts   int
	DueAt      time.Time
	ExpiresAt  time.Time
	CreatedAt  time.Time
	PaidAt     time.Time
	UpdatedAt  time.Time
}

// attempt is what the provider's adapter needs to know.
func (p Payment) attempt() payment.Attempt {
	return payment.Attempt{
		Ref: p.Ref, Rail: p.Rail, Amount: p.Amount, Description: "Order " + p.Order, Language: p.Language,
		ReturnURL: p.ReturnURL, CancelURL: p.ReturnURL, Tags: map[string]string{"order": p.Order},
		CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt, Device: p.Device, ClientIP: p.ClientIP,
		ProviderID: p.ProviderID, MoneyID: p.MoneyID, Keep: p.Keep != "", Absent: p.Absent,
	}
}

const paymentColumns = `account_id, id, order_id, ref, rail, provider, minor, currency, state, live, provider_id, money_id,
	next_url, next_app, next_qr, next_at, reason, code, fee_minor, refunded_minor, return_url, language, device, client_ip, attempts, due_at, expires_at, created_at, paid_at, updated_at, tool_id, keep, absent`

func scanPayment(row db.Row) (Payment, error) {
	var p Payment
	var next, due, expires, created, paid, updated db.Instant
	err := row.Scan(&p.Account, &p.ID, &p.Order, &p.Ref, &p.Rail, &p.Provider, &p.Amount.Minor, &p.Amount.Currency, &p.State, &p.Live,
		&p.ProviderID, &p.MoneyID, &p.Next.RedirectURL, &p.Next.AppURL, &p.Next.QR, &next, &p.Reason, &p.Code, &p.Fee, &p.Refunded,
		&p.ReturnURL, &p.Language, &p.Device, &p.ClientIP, &p.Attempts,
		&due, &expires, &created, &paid, &updated, &p.Tool, &p.Keep, &p.Absent)
	p.NextAt = next.Time
	p.DueAt, p.ExpiresAt, p.CreatedAt, p.PaidAt, p.UpdatedAt = due.Time, expires.Time, created.Time, paid.Time, updated.Time
	return p, err
}

func insertPayment(ctx context.Context, tx db.Tx, p Payment) error {
	_, err := tx.Exec(ctx, `INSERT INTO payments (`+paymentColumns+`)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31,$32,$33)`,
		p.Account, p.ID, p.Order, p.Ref, p.Rail, p.Provider, p.Amount.Minor, p.Amount.Currency, p.State, p.Live,
		p.ProviderID, p.MoneyID, p.Next.RedirectURL, p.Next.AppURL, p.Next.QR, db.At(p.NextAt), p.Reason, p.Code, p.Fee, p.Refunded,
		p.ReturnURL, p.Language, p.Device, p.ClientIP, p.Attempts,
		db.At(p.DueAt), db.At(p.ExpiresAt), db.At(p.CreatedAt), db.At(p.PaidAt), db.At(p.UpdatedAt), p.Tool, p.Keep, p.Absent)
	return err
}

// GetPayment reads one attempt. It fails with [fault.NotFound].
func GetPayment(ctx context.Context, tx db.Tx, k Key) (Payment, error) {
	p, err := scanPayment(tx.QueryRow(ctx, `SELECT `+paymentColumns+` FROM payments WHERE account_id = $1 AND id = $2`, k.Account, k.ID))
	if errors.Is(err, db.ErrNoRows) {
		return Payment{}, fault.New(fault.NotFound, "There is no such payment.")
	}
	return p, err
}

// livePayment reads the order's open attempt; the zero Payment without one.
func livePayment(ctx context.Context, tx db.Tx, order Key) (Payment, error) {
	p, err := scanPayment(tx.QueryRow(ctx, `SELECT `+paymentColumns+` FROM payments WHERE account_id = $1 AND order_id = $2 AND live`,
		order.Account, order.ID))
	if errors.Is(err, db.ErrNoRows) {
		return Payment{}, nil
	}
	return p, err
}

// Payments reads every attempt of an order, oldest first.
func Payments(ctx context.Context, tx db.Tx, order Key) ([]Payment, error) {
	return payments(ctx, tx, `SELECT `+paymentColumns+` FROM payments WHERE account_id = $1 AND order_id = $2 ORDER BY id`,
		order.Account, order.ID)
}

// allocated is a payment and how much of it was given to one order.
type allocated struct {
	Payment
	given money.Money
}

// paymentsFor reads the payments whose money was given to an order.
func paymentsFor(ctx context.Context, tx db.Tx, o Order) ([]allocated, error) {
	paid, err := payments(ctx, tx, `SELECT `+paymentColumns+` FROM payments
		WHERE account_id = $1 AND id IN (SELECT payment_id FROM allocations WHERE account_id = $1 AND order_id = $2) ORDER BY id`,
		o.Account, o.ID)
	if err != nil {
		return nil, err
	}
	out := make([]allocated, len(paid))
	for i, p := range paid {
		out[i] = allocated{p, money.Of(0, p.Amount.Currency)}
		if err := tx.QueryRow(ctx, `SELECT minor FROM allocations WHERE account_id = $1 AND payment_id = $2 AND order_id = $3`,
			o.Account, p.ID, o.ID).Scan(&out[i].given.Minor); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func payments(ctx context.Context, tx db.Tx, query string, args ...any) (out []Payment, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		p, err := scanPayment(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}
