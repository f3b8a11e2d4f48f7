package order

import (
	"context"
	"errors"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
)

// OneTapConsent is the version of the words by which a customer allows one-tap
// payment; see [KeepConsent].
const OneTapConsent = "one-tap-1"

// OneTap is what a customer allows whoever opens one of their reminders' links:
// to pay with one tool, up to an amount for each link, without signing in.
type OneTap struct {
	Account string
	ID      string
	Tool    string      // a saved tool; "": the wallet
	Limit   money.Money // for each link, all that is paid through it added up
	Consent Consent
}

// Wallet reports whether the wallet may be used.
func (t OneTap) Wallet() bool { return t.Tool == "" }

// AllowedOneTap reads what an account allows; false where it allows nothing.
func AllowedOneTap(ctx context.Context, tx db.Tx, account string) (OneTap, bool, error) {
	t := OneTap{Account: account}
	var at db.Instant
	err := tx.QueryRow(ctx, `SELECT id, tool_id, minor, currency, consent, consent_language, consented_at
		FROM one_taps WHERE account_id = $1 AND revoked_at IS NULL`, account).
		Scan(&t.ID, &t.Tool, &t.Limit.Minor, &t.Limit.Currency, &t.Consent.Version, &t.Consent.Language, &at)
	t.Consent.At = at.Time
	if errors.Is(err, db.ErrNoRows) {
		return OneTap{}, false, nil
	}
	return t, err == nil, err
}

// OneTapLeft reads what may still be paid through one link for a quote, which is
// not held against itself when it was tried before; false where nothing is
// allowed.
func OneTapLeft(ctx context.Context, tx db.Tx, account, link, quote string) (OneTap, money.Money, bool, error) {
	t, ok, err := AllowedOneTap(ctx, tx, account)
	if !ok || err != nil {
		return t, money.Money{}, false, err
	}
	spent := int64(0)
	err = tx.QueryRow(ctx, `SELECT minor - COALESCE((SELECT minor FROM one_tap_uses WHERE account_id = $1 AND link_id = $2 AND quote_id = $4), 0)
		FROM one_tap_links WHERE account_id = $1 AND link_id = $2 AND currency = $3`,
		account, link, t.Limit.Currency, quote).Scan(&spent)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return t, money.Money{}, false, err
	}
	return t, money.Of(max(0, t.Limit.Minor-spent), t.Limit.Currency), true, nil
}

// AllowOneTap records that a customer allows one-tap payment, in place of what
// they allowed before, and tells them. language is that of the words they saw.
// It fails with [fault.Invalid] for an amount that is none, and for a tool that
// is not theirs or cannot be used.
func (d *Desk) AllowOneTap(ctx context.Context, account, tool string, limit money.Money, language string) error {
	switch {
	case limit.Minor <= 0 || limit.Minor > money.MaxMinor || limit.Currency.Validate() != nil || limit.Currency == money.Points:
		return fault.Because(fault.Invalid, "one_tap_amount", "Say up to which amount a link may pay.", nil)
	case tool == "" && d.Wallet == WalletOff:
		return fault.Because(fault.Invalid, "wallet_off", "The wallet cannot pay for this. Choose another way to pay.", nil)
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		facts := message.Facts{Amount: limit, Tool: string(payment.Wallet), At: tx.Now(), Link: ToolsPath}
		if tool != "" {
			t, err := getTool(ctx, tx, Key{account, tool})
			if err != nil {
				return err
			}
			if len(d.Chargeable([]SavedTool{t})) == 0 {
				return errToolOff()
			}
			facts.Tool, facts.ToolLabel = string(t.Rail), t.Label
		}
		id := d.IDs.Under("ot", account)
		var b db.Batch
		b.Add(`UPDATE one_taps SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL`, account, db.At(tx.Now()))
		b.Add(`INSERT INTO one_taps (account_id, id, tool_id, minor, currency, consent, consent_language, consented_at)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
			account, id, tool, limit.Minor, limit.Currency, OneTapConsent, language, db.At(tx.Now()))
		if err := message.AddTo(&b, tx.Now(), d.IDs.Under("msg", account), message.Draft{
			Account: account, Key: string(message.OneTapAllowed) + "/" + id, Kind: message.OneTapAllowed, Facts: facts,
		}); err != nil {
			return err
		}
		return tx.Batch(ctx, &b)
	})
}

// EndOneTap ends what the customer allowed, from this moment on.
func (d *Desk) EndOneTap(ctx context.Context, account string) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE one_taps SET revoked_at = $2 WHERE account_id = $1 AND revoked_at IS NULL`, account, db.At(tx.Now()))
		return err
	})
}

// TakeOneTap counts a quote against what its customer allows one link to pay
// with one tool, before it is paid. The same quote counts once, however often
// and with whatever outcome it is tried. It fails with [fault.Denied] where that
// is not allowed, or would be more than is.
func (d *Desk) TakeOneTap(ctx context.Context, account, link, quote, tool string) error {
	if link == "" {
		return errLinkTool()
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		t, ok, err := AllowedOneTap(ctx, tx, account)
		if err != nil {
			return err
		}
		q, err := GetQuote(ctx, tx, account, quote)
		if err != nil {
			return err
		}
		if !ok || t.Tool != tool || q.Kind == TopUp || q.Price.Currency != t.Limit.Currency || q.Price.Minor > t.Limit.Minor {
			return errLinkTool()
		}
		n, err := tx.Exec(ctx, `INSERT INTO one_tap_uses (account_id, quote_id, link_id, one_tap_id, minor, at)
			VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT (account_id, quote_id) DO NOTHING`,
			account, quote, link, t.ID, q.Price.Minor, db.At(tx.Now()))
		if err != nil || n == 0 {
			return err // counted before
		}
		n, err = tx.Exec(ctx, `INSERT INTO one_tap_links (account_id, link_id, currency, minor) VALUES ($1,$2,$3,$4)
			ON CONFLICT (account_id, link_id, currency) DO UPDATE SET minor = one_tap_links.minor + excluded.minor
			 WHERE one_tap_links.minor + excluded.minor <= $5`,
			account, link, q.Price.Currency, q.Price.Minor, t.Limit.Minor)
		if err == nil && n == 0 {
			return errLinkTool()
		}
		return err
	})
}

func errLinkTool() error {
	return fault.Because(fault.Denied, "link_tool",
		"With this link you can pay only with a tool that you enter now. Sign in to use your wallet and your saved tools.", nil)
}
