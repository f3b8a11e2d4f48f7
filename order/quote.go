package order

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Quote is an offer fixed for a short time. It never changes.
type Quote struct {
	Account   string
	ID        string
	Kind      Kind
	Line      string // empty for a top-up; for a new line the identifier that it will have
	Plan      string
	Item      string
	Catalogue int64 // version
	Price     money.Money
	Exchange  Exchange // what Price was converted from
	Effect    catalogue.Effect
	StartsAt  time.Time // zero for a top-up, and where the first use decides
	EndsAt    time.Time // exclusive
	Anchor    int
	Bytes     int64
	Periods   int    // of the line when it was quoted
	Enlarges  int    // the number of the period that gets more data; 0: a period of its own
	Digest    string // of all of the above
	CreatedAt time.Time
	ExpiresAt time.Time // not accepted from this instant on
}

// Limits of a wallet top-up, in minor units of each currency that wallets are
// kept in; the least is what card providers take, the most keeps a stolen card
// from becoming stored value at once.
var topUpLimits = map[money.Currency]struct{ least, most int64 }{
	"JPY": {500, 50_000},
	"USD": {500, 50_000},
	"CNY": {2_000, 200_000},
	"TWD": {10_000, 1_000_000},
	"HKD": {3_000, 300_000},
	"KRW": {5_000, 500_000},
}

// KeepsWallet reports whether wallets are kept in a currency.
func KeepsWallet(c money.Currency) bool {
	_, ok := topUpLimits[c]
	return ok
}

const defaultQuoteTTL = 30 * time.Minute

// Quote fixes the price and effect of one item for one line. It fails with
// [fault.NotFound] without such a line, and with a refusal's fault (see
// [Refused]) when the policy does not allow it now.
func (d *Desk) Quote(ctx context.Context, account, lineID string, item renewal.Item, c money.Currency) (Quote, error) {
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Quote, error) {
		s, err := d.Situation(ctx, tx, account, lineID, c, "")
		if err != nil {
			return Quote{}, err
		}
		offer, no := renewal.Decide(s, item)
		if no != nil {
			return Quote{}, Refused(no)
		}
		q := d.fix(s, offer)
		return q, store(ctx, tx, q)
	})
}

// QuoteNew fixes the price of a new line with one term of a plan. It fails with
// [fault.Unavailable] where the plan's operator sells none or none is left, and with a refusal's
// fault (see [Refused]) when the policy does not allow it now.
func (d *Desk) QuoteNew(ctx context.Context, account, plan, term string, c money.Currency) (Quote, error) {
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Quote, error) {
		cat, s, err := d.WithoutLine(ctx, tx, account, c)
		if err != nil {
			return Quote{}, err
		}
		if p, known := cat.Plan(plan); !known || !d.Sells(cat, p) {
			return Quote{}, fault.Because(fault.Unavailable, "plan_not_sold", "This plan cannot be bought online at the moment. Choose another one.", nil)
		}
		offer, no := renewal.DecideNew(s, renewal.Item{Kind: renewal.NewLine, Plan: plan, ID: term})
		if no != nil {
			return Quote{}, Refused(no)
		}
		p, _ := cat.Plan(plan)
		if err := d.InStock(ctx, tx, p, term); err != nil {
			return Quote{}, err
		}
		s.Line.ID = d.IDs.Under("ln", account)
		q := d.fix(s, offer)
		return q, store(ctx, tx, q)
	})
}

// WithoutLine is the situation of a customer who has no line of a plan yet, under
// the current catalogue.
func (d *Desk) WithoutLine(ctx context.Context, tx db.Tx, account string, c money.Currency) (*catalogue.Catalogue, renewal.Situation, error) {
	cat, err := d.Shelf.Current(ctx, tx)
	if err != nil {
		return nil, renewal.Situation{}, err
	}
	rate, err := Rate(ctx, tx, cat, c)
	if err != nil {
		return nil, renewal.Situation{}, err
	}
	s, err := situation(ctx, tx, cat, account, about{kind: NewLine, currency: c, rate: rate})
	return cat, s, err
}

// QuoteTopUp fixes an amount to be put into the wallet. What the customer owes is
// paid from it first; exactly that may be paid whatever the wallet is used for.
func (d *Desk) QuoteTopUp(ctx context.Context, account string, amount money.Money) (Quote, error) {
	limit, ok := topUpLimits[amount.Currency]
	owed, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (money.Money, error) {
		return Owes(ctx, tx, account, amount.Currency)
	})
	settles := ok && !amount.IsZero() && amount == owed // all of it pays what is owed: nothing stays in the wallet
	switch {
	case err != nil:
		return Quote{}, err
	case settles:
	case d.Wallet != WalletFull:
		return Quote{}, fault.Because(fault.Denied, "wallet_off", "This shop's wallet cannot be topped up.", nil)
	case !ok:
		return Quote{}, fault.Because(fault.Invalid, "wallet_currency", "Wallets are not kept in this currency. Choose another one.", nil)
	case amount.Minor < limit.least || amount.Minor > limit.most:
		return Quote{}, fault.Because(fault.Invalid, "wallet_amount", "This amount is too small or too large for a top-up. Choose another one.", nil)
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Quote, error) {
		c, err := d.Shelf.Current(ctx, tx)
		if err != nil {
			return Quote{}, err
		}
		q := Quote{
			Account: account, ID: d.IDs.Under("qt", account), Kind: TopUp, Catalogue: c.Version, Price: amount,
			CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(d.quoteTTL()),
		}
		q.Digest = q.digest()
		return q, store(ctx, tx, q)
	})
}

func (d *Desk) fix(s renewal.Situation, o renewal.Offer) Quote {
	q := Quote{
		Account: s.Line.Account, ID: d.IDs.Under("qt", s.Line.Account), Kind: Kind(o.Item.Kind),
		Line: s.Line.ID, Plan: o.Item.Plan, Item: o.Item.ID, Catalogue: s.Catalogue.Version, Price: o.Price, Exchange: exchangeOf(s, o),
		Effect: o.Effect, StartsAt: o.StartsAt, EndsAt: o.EndsAt, Anchor: o.Anchor, Bytes: bytesOf(o), Periods: s.Line.Periods, Enlarges: o.Period,
		CreatedAt: s.Now, ExpiresAt: s.Now.Add(d.quoteTTL()),
	}
	if !o.TakeBy.IsZero() && o.TakeBy.Before(q.ExpiresAt) {
		q.ExpiresAt = o.TakeBy // another effect from then on, or none
	}
	q.Digest = q.digest()
	return q
}

// bytesOf is all the data that an offer brings. What a pack for each remaining
// day brings is a day's.
func bytesOf(o renewal.Offer) int64 {
	if o.Item.Kind == renewal.Pack && o.PackageDays > 1 {
		return o.Bytes * int64(o.PackageDays)
	}
	return o.Bytes
}

func (d *Desk) quoteTTL() time.Duration {
	if d.QuoteTTL == 0 {
		return defaultQuoteTTL
	}
	return d.QuoteTTL
}

// Situation reads everything that a decision about a line depends on, under the
// current catalogue. Tool may be empty.
func (d *Desk) Situation(ctx context.Context, tx db.Tx, account, lineID string, c money.Currency, tool catalogue.Tool) (renewal.Situation, error) {
	current, err := d.Shelf.Current(ctx, tx)
	if err != nil {
		return renewal.Situation{}, err
	}
	rate, err := Rate(ctx, tx, current, c)
	if err != nil {
		return renewal.Situation{}, err
	}
	return situation(ctx, tx, current, account, about{Term, lineID, "", c, rate, tool})
}

// Refused is a refusal as an error. Its reason is "renewal." and the rule.
func Refused(no *renewal.Refusal) error {
	if no.Item.Kind == renewal.NewLine {
		return fault.Because(fault.Invalid, "renewal."+string(no.Rule), "This cannot be bought like that now. The plan's page says what is possible.", nil)
	}
	return fault.Because(fault.Invalid, "renewal."+string(no.Rule), "This line cannot be renewed like that now. Its page says what is possible.", nil)
}

func (q Quote) digest() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%s\n%s\n%d\n%d\n%s\n%s\n%s\n%d\n%d\n%d\n%d\n%d\n%d\n%d",
		q.Account, q.ID, q.Kind, q.Line, q.Plan, q.Item, q.Catalogue, q.Price.Minor, q.Price.Currency, q.Exchange.stored(),
		q.Effect, q.StartsAt.UnixMicro(), q.EndsAt.UnixMicro(), q.Anchor, q.Bytes, q.Periods, q.Enlarges, q.ExpiresAt.UnixMicro()))
	return hex.EncodeToString(sum[:])
}

func store(ctx context.Context, tx db.Tx, q Quote) error {
	_, err := tx.Exec(ctx, `INSERT INTO quotes (account_id, id, kind, line_id, plan_id, item_id, catalogue_version, minor, currency,
			effect, starts_at, ends_at, anchor, bytes, periods, enlarges, digest, created_at, expires_at, exchange)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20)`,
		q.Account, q.ID, q.Kind, q.Line, q.Plan, q.Item, q.Catalogue, q.Price.Minor, q.Price.Currency,
		q.Effect, db.At(q.StartsAt), db.At(q.EndsAt), q.Anchor, q.Bytes, q.Periods, q.Enlarges, q.Digest, db.At(q.CreatedAt), db.At(q.ExpiresAt), q.Exchange.stored())
	return err
}

// GetQuote reads a quote. It fails with [fault.NotFound], and with
// [fault.Internal] when the stored row is not what was quoted.
func GetQuote(ctx context.Context, tx db.Tx, account, id string) (Quote, error) {
	q := Quote{Account: account, ID: id}
	var starts, ends, created, expires db.Instant
	var converted string
	err := tx.QueryRow(ctx, `SELECT kind, line_id, plan_id, item_id, catalogue_version, minor, currency,
			effect, starts_at, ends_at, anchor, bytes, periods, enlarges, digest, created_at, expires_at, exchange
		FROM quotes WHERE account_id = $1 AND id = $2`, account, id).
		Scan(&q.Kind, &q.Line, &q.Plan, &q.Item, &q.Catalogue, &q.Price.Minor, &q.Price.Currency,
			&q.Effect, &starts, &ends, &q.Anchor, &q.Bytes, &q.Periods, &q.Enlarges, &q.Digest, &created, &expires, &converted)
	if errors.Is(err, db.ErrNoRows) {
		return Quote{}, fault.Because(fault.NotFound, "no_such_quote", "There is no such offer. Choose one again.", nil)
	}
	if err != nil {
		return Quote{}, err
	}
	q.StartsAt, q.EndsAt, q.CreatedAt, q.ExpiresAt = starts.Time, ends.Time, created.Time, expires.Time
	if q.Exchange, err = storedExchange(converted); err != nil {
		return Quote{}, err
	}
	if q.Digest != q.digest() {
		return Quote{}, fault.New(fault.Internal, "quote %s was changed after it was made", id)
	}
	return q, nil
}
