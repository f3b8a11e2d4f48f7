package order

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/payment"
)

// KeepConsent is the version of the words by which a customer agrees that a tool
// is kept; portals say them from the text "consent." and the version. Words that
// mean something else get another version, and the old ones stay.
const KeepConsent = "keep-1"

// Consent is what a customer agreed to.
type Consent struct {
	Version  string // of the words
	Language string // in which they were shown
	At       time.Time
}

// SavedTool is a customer's tool that a provider keeps for later charges.
type SavedTool struct {
	Account   string
	ID        string
	Provider  string // the adapter that can charge it
	Rail      payment.Rail
	Label     string
	Until     payment.Month
	Payment   string // the attempt that it was kept with
	Consent   Consent
	CreatedAt time.Time
	UsedAt    time.Time // when it was last charged, or tried; zero: never
	GoneAt    time.Time // when its bank said that it is of no more use; zero: it did not
	RevokedAt time.Time

	token    string // sealed; "" once it is forgotten
	holder   string
	mark     string
	attempts int
	dueAt    time.Time
}

// Expired reports whether the tool's last month has ended, or its bank said so.
func (t SavedTool) Expired(now time.Time) bool { return t.Until.Over(now) }

// Usable reports whether the tool can be charged, as far as we know.
func (t SavedTool) Usable(now time.Time) bool {
	return t.RevokedAt.IsZero() && t.GoneAt.IsZero() && !t.Expired(now)
}

const toolColumns = `account_id, id, provider, rail, token, holder, mark, label, until_month, payment_id,
	consent, consent_language, consented_at, created_at, used_at, gone_at, revoked_at, attempts, due_at`

func scanTool(row db.Row) (SavedTool, error) {
	var t SavedTool
	var until int
	var consented, created, used, gone, revoked, due db.Instant
	err := row.Scan(&t.Account, &t.ID, &t.Provider, &t.Rail, &t.token, &t.holder, &t.mark, &t.Label, &until, &t.Payment,
		&t.Consent.Version, &t.Consent.Language, &consented, &created, &used, &gone, &revoked, &t.attempts, &due)
	if until > 0 {
		t.Until = payment.Month{Year: until / 100, Month: time.Month(until % 100)}
	}
	t.Consent.At, t.CreatedAt, t.UsedAt, t.GoneAt, t.RevokedAt, t.dueAt = consented.Time, created.Time, used.Time, gone.Time, revoked.Time, due.Time
	return t, err
}

func tools(ctx context.Context, tx db.Tx, query string, args ...any) (all []SavedTool, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		t, err := scanTool(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

// SavedTools reads the tools that an account has, the usable ones and those that
// are not, oldest first. One whose consent was revoked is not among them.
func SavedTools(ctx context.Context, tx db.Tx, account string) ([]SavedTool, error) {
	return tools(ctx, tx, `SELECT `+toolColumns+` FROM saved_tools WHERE account_id = $1 AND revoked_at IS NULL ORDER BY id`, account)
}

// getTool reads a tool, also a revoked one. It fails with [fault.NotFound].
func getTool(ctx context.Context, tx db.Tx, k Key) (SavedTool, error) {
	t, err := scanTool(tx.QueryRow(ctx, `SELECT `+toolColumns+` FROM saved_tools WHERE account_id = $1 AND id = $2`, k.Account, k.ID))
	if errors.Is(err, db.ErrNoRows) {
		return SavedTool{}, errNoTool()
	}
	return t, err
}

func errNoTool() error {
	return fault.Because(fault.NotFound, "no_such_tool", "There is no such saved way to pay. Choose another one.", nil)
}

func errToolOff() error {
	return fault.Because(fault.Invalid, "tool_off", "This saved way to pay can no longer be used. Choose another one.", nil)
}

// keeps reports whether a provider keeps tools of a rail, and we can seal them.
func (d *Desk) keeps(provider string, rail payment.Rail) bool {
	k, ok := d.Providers[provider].(payment.Keeper)
	return ok && d.Seal != nil && slices.Contains(k.Keeps(), rail)
}

// Keeps reports whether what is paid with by a rail can be kept for later.
func (d *Desk) Keeps(rail payment.Rail) bool {
	return d.keeps(d.Rails[rail], rail)
}

// Chargeable are those of an account's tools that can be charged here and now.
func (d *Desk) Chargeable(all []SavedTool) []SavedTool {
	return slices.DeleteFunc(slices.Clone(all), func(t SavedTool) bool {
		return !d.keeps(t.Provider, t.Rail) || d.Rails[t.Rail] == "" || !t.Usable(d.DB.Now())
	})
}

// railOf is how an order is paid that is to be paid with a kept tool.
func (d *Desk) railOf(ctx context.Context, account, tool string) (payment.Rail, string, error) {
	t, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (SavedTool, error) { return getTool(ctx, tx, Key{account, tool}) })
	if err != nil {
		return "", "", err
	}
	if len(d.Chargeable([]SavedTool{t})) == 0 {
		return "", "", errToolOff()
	}
	return t.Rail, t.Provider, nil
}

// addUse notes that a kept tool is about to be charged. It fails if the customer
// has revoked it, or its bank given it up, meanwhile: who is later waits for
// the other's transaction.
func addUse(ctx context.Context, tx db.Tx, account, tool string) error {
	if tool == "" {
		return nil
	}
	n, err := tx.Exec(ctx, `UPDATE saved_tools SET used_at = $3 WHERE account_id = $1 AND id = $2 AND revoked_at IS NULL AND gone_at IS NULL`,
		account, tool, db.At(tx.Now()))
	if err == nil && n == 0 {
		return errToolOff()
	}
	return err
}

// toolPlace is where a token is kept, so that it opens nowhere else.
func toolPlace(account, id string) string { return "saved_tools " + account + " " + id }

// asked is an attempt as its provider is told of it.
type asked struct {
	payment.Attempt
	withdrawn bool // its tool was revoked: nothing more is sent that could charge it
	sealed    bool // its tool's token cannot be opened
}

// asked completes an attempt with the kept tool that it charges, and with the
// provider's name for its customer. What it finds is the same each time: a
// repeated Start must be the same request.
func (d *Desk) asked(ctx context.Context, p Payment) (asked, error) {
	at := asked{Attempt: p.attempt()}
	if p.Tool == "" && p.Keep == "" {
		return at, nil
	}
	t, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (SavedTool, error) {
		if p.Tool != "" {
			return getTool(ctx, tx, Key{p.Account, p.Tool})
		}
		earlier, err := tools(ctx, tx, `SELECT `+toolColumns+` FROM saved_tools
			WHERE account_id = $1 AND provider = $2 AND created_at < $3 AND holder <> '' ORDER BY id LIMIT 1`,
			p.Account, p.Provider, db.At(p.CreatedAt))
		if err != nil || len(earlier) == 0 {
			return SavedTool{}, err
		}
		return earlier[0], nil
	})
	if err != nil {
		return at, err
	}
	at.Holder = t.holder
	if p.Tool != "" {
		at.withdrawn = !t.RevokedAt.IsZero()
		if at.Saved, at.sealed = d.unseal(t); at.sealed {
			at.Saved = payment.Forgotten
		}
	}
	return at, nil
}

// unseal opens a tool's token. shut says that it cannot be opened.
func (d *Desk) unseal(t SavedTool) (token payment.Token, shut bool) {
	if d.Seal == nil || t.token == "" {
		return "", true
	}
	text, _, err := d.Seal.Open(t.token, toolPlace(t.Account, t.ID))
	return payment.Token(text), err != nil
}

// startWith makes an attempt known to its provider, unless its kept tool may not
// or cannot be charged.
func (d *Desk) startWith(ctx context.Context, p Payment, at asked) (payment.Observation, error) {
	if at.sealed || at.withdrawn {
		return payment.Observation{}, fmt.Errorf("%w: the tool was removed, or its token cannot be opened: was the shop's secret changed?", payment.ErrNotSent)
	}
	seen, err := d.Providers[p.Provider].Start(ctx, at.Attempt)
	return d.endRefused(ctx, p, at, seen, err)
}

// hushed is a notification as it is stored: without the tokens of the account's
// kept tools, which stand in the events of the payments made with them.
func (d *Desk) hushed(ctx context.Context, tx db.Tx, account, provider string, bell payment.Doorbell, body []byte) (string, error) {
	if _, keeps := d.Providers[provider].(payment.Keeper); !keeps || d.Seal == nil {
		return string(body), nil
	}
	if bell.Discreet {
		return "", nil
	}
	all, err := tools(ctx, tx, `SELECT `+toolColumns+` FROM saved_tools WHERE account_id = $1 AND provider = $2 AND token <> ''`, account, provider)
	if err != nil {
		return "", err
	}
	text := string(body)
	for _, t := range all {
		if token, shut := d.unseal(t); !shut {
			text = strings.ReplaceAll(text, string(token), token.String())
		}
	}
	return text, nil
}

// learn keeps by what name the provider calls a charge whose answer was lost, as
// its notification says: some providers have no other way to find it. What it
// comes to is still asked.
func learn(ctx context.Context, tx db.Tx, account, id string, bell payment.Doorbell) error {
	if bell.ProviderID == "" {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE payments SET provider_id = $3 WHERE account_id = $1 AND id = $2 AND provider_id = '' AND tool_id <> ''`,
		account, id, bell.ProviderID)
	return err
}

// endRefused closes an attempt whose kept tool was refused: nobody can try
// another one in it. Where that fails it is tried again with the next look.
func (d *Desk) endRefused(ctx context.Context, p Payment, at asked, seen payment.Observation, err error) (payment.Observation, error) {
	if err != nil || p.Tool == "" || seen.State != payment.Open || seen.Reason == "" {
		return seen, err
	}
	at.ProviderID = cmp.Or(seen.ProviderID, at.ProviderID)
	closed, err := d.Providers[p.Provider].Abandon(ctx, at.Attempt)
	if err != nil || !closed.State.Final() {
		return seen, nil
	}
	if closed.State == payment.Dead {
		closed.Reason, closed.Code = seen.Reason, seen.Code
	}
	return closed, nil
}

// keepsUntil is how long after a payment its provider is asked whether it has
// kept the tool, where it did not say so with the money.
const keepsUntil = time.Hour

// addKept stores the tool that a provider kept, once, and notes one that is gone.
// While the provider has not said, it is asked again.
func (d *Desk) addKept(ctx context.Context, b *db.Batch, tx db.Tx, was, now Payment, seen payment.Observation) (Payment, error) {
	if gone := now.Reason == payment.ToolGone || now.Reason == payment.CardExpired; gone && now.Tool != "" && now.State != payment.Paid {
		b.Add(`UPDATE saved_tools SET gone_at = $3, gone_reason = $4 WHERE account_id = $1 AND id = $2 AND gone_at IS NULL`,
			now.Account, now.Tool, db.At(tx.Now()), now.Reason)
	}
	if now.State != payment.Paid || now.Keep == "" || d.Seal == nil {
		return now, nil
	}
	n := 0
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM saved_tools WHERE account_id = $1 AND payment_id = $2`, now.Account, now.ID).Scan(&n)
	switch {
	case err != nil || n > 0:
		return now, err
	case seen.Kept.Token == "":
		if tx.Now().Before(now.PaidAt.Add(keepsUntil)) {
			now.DueAt = tx.Now().Add(2 * time.Minute)
		}
		return now, nil
	}
	return now, d.addTool(ctx, b, tx, was, seen.Kept)
}

// addTool stores a tool. The same card or account, kept before, is replaced: the
// consent that counts is the last.
func (d *Desk) addTool(ctx context.Context, b *db.Batch, tx db.Tx, p Payment, k payment.Kept) error {
	t := SavedTool{
		Account: p.Account, ID: d.IDs.Under("tl", p.Account), Provider: p.Provider, Rail: p.Rail, Label: storable(k.Label, 100),
		Until: k.Until, Payment: p.ID, holder: k.Holder, mark: d.Seal.Mark(cmp.Or(k.Mark, string(k.Token)), p.Provider),
	}
	var err error
	if t.token, err = d.Seal.Seal(string(k.Token), toolPlace(t.Account, t.ID)); err != nil {
		return err
	}
	former, err := tools(ctx, tx, `SELECT `+toolColumns+` FROM saved_tools
		WHERE account_id = $1 AND provider = $2 AND mark = $3 AND revoked_at IS NULL`, t.Account, t.Provider, t.mark)
	if err != nil {
		return err
	}
	for _, f := range former {
		b.Add(`UPDATE saved_tools SET revoked_at = $3, due_at = $3 WHERE account_id = $1 AND id = $2`, f.Account, f.ID, db.At(tx.Now()))
		if token, _ := d.unseal(f); token == k.Token { // to forget it would be to forget the new one
			b.Add(`UPDATE saved_tools SET token = '', due_at = NULL WHERE account_id = $1 AND id = $2`, f.Account, f.ID)
		}
		b.Add(`UPDATE one_taps SET tool_id = $3 WHERE account_id = $1 AND tool_id = $2 AND revoked_at IS NULL`, f.Account, f.ID, t.ID)
	}
	until := 0
	if !t.Until.IsZero() {
		until = 100*t.Until.Year + int(t.Until.Month)
	}
	b.Add(`INSERT INTO saved_tools (account_id, id, provider, rail, token, holder, mark, label, until_month, payment_id,
			consent, consent_language, consented_at, created_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
		t.Account, t.ID, t.Provider, t.Rail, t.token, t.holder, t.mark, t.Label, until, t.Payment,
		p.Keep, p.Language, db.At(p.CreatedAt), db.At(tx.Now()))
	// Events that came before nobody knew what is secret in them.
	b.Add(`UPDATE provider_events SET body = replace(body, $3, '[token]') WHERE account_id = $1 AND provider = $2 AND subject = $4`,
		t.Account, t.Provider, string(k.Token), p.ID)
	return d.tellOfTool(b, tx, message.ToolSaved, t, t.ID)
}

// tellOfTool queues a message about a kept tool, once for what.
func (d *Desk) tellOfTool(b *db.Batch, tx db.Tx, kind message.Kind, t SavedTool, what string) error {
	return message.AddTo(b, tx.Now(), d.IDs.Under("msg", t.Account), message.Draft{
		Account: t.Account, Key: string(kind) + "/" + what, Kind: kind,
		Facts: message.Facts{Tool: string(t.Rail), ToolLabel: t.Label, At: tx.Now(), Link: ToolsPath},
	})
}

// ToolsPath is where a customer sees and removes their tools, at the portal.
const ToolsPath = "/account#tools"

// RemoveTool ends the customer's consent: the tool is charged no more from this
// moment on, one-tap payment with it ends, and its provider is told to forget
// it. A charge that the customer confirmed before and that is under way is not
// stopped by it. Removing what is removed changes nothing. It fails with
// [fault.NotFound].
func (d *Desk) RemoveTool(ctx context.Context, k Key) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		t, err := getTool(ctx, tx, k)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE saved_tools SET revoked_at = $3, due_at = $3, attempts = 0 WHERE account_id = $1 AND id = $2 AND revoked_at IS NULL`,
			k.Account, k.ID, db.At(tx.Now()))
		if err != nil || n == 0 {
			return err
		}
		var b db.Batch
		b.Add(`UPDATE one_taps SET revoked_at = $3 WHERE account_id = $1 AND tool_id = $2 AND revoked_at IS NULL`, k.Account, k.ID, db.At(tx.Now()))
		if err := d.tellOfTool(&b, tx, message.ToolRemoved, t, t.ID); err != nil {
			return err
		}
		return tx.Batch(ctx, &b)
	})
}

// forgetPatience is how often a provider is told to forget a tool before staff
// hear of it; it is told again after that, too.
const forgetPatience = 20

// ToolStep tells providers to forget the tools that customers removed.
func (d *Desk) ToolStep(ctx context.Context) (worked bool, err error) {
	if any, err := d.DB.Finds(ctx, `SELECT 1 FROM saved_tools WHERE due_at <= $1 LIMIT 1`, db.At(d.DB.Now())); err != nil || !any {
		return false, err
	}
	due, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]SavedTool, error) {
		return tools(ctx, tx, `WITH due AS MATERIALIZED (
				SELECT account_id AS account, id AS row FROM saved_tools WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
			UPDATE saved_tools SET due_at = $2, attempts = attempts + 1 FROM due WHERE account_id = account AND id = row
			RETURNING `+toolColumns, db.At(tx.Now()), db.At(tx.Now().Add(lease)), d.set())
	})
	if err != nil || len(due) == 0 {
		return false, err
	}
	slices.SortFunc(due, func(a, b SavedTool) int { return cmp.Compare(a.ID, b.ID) })
	errs := make([]error, len(due))
	d.sideBySide(len(due), func(i int) { errs[i] = d.forget(ctx, due[i]) })
	return true, errors.Join(errs...)
}

// forget tells one provider. A charge under way does not need the tool any more:
// it was sent, or is not sent again.
func (d *Desk) forget(ctx context.Context, t SavedTool) error {
	if !d.inTime(t.dueAt) {
		return nil
	}
	token, shut := d.unseal(t)
	if shut {
		return d.forgetLater(ctx, t, time.Hour, "the token cannot be opened: was the shop's secret changed?")
	}
	keeper, ok := d.Providers[t.Provider].(payment.Keeper)
	if !ok {
		return d.forgetLater(ctx, t, time.Hour, "the adapter "+t.Provider+" is not configured")
	}
	call, cancel := d.callLimit(ctx)
	defer cancel()
	if err := keeper.Forget(call, payment.Kept{Token: token, Holder: t.holder, Label: t.Label}); err != nil {
		return d.forgetLater(context.WithoutCancel(ctx), t, pause(t.attempts), err.Error())
	}
	return d.DB.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE saved_tools SET token = '', forgotten_at = $3, due_at = NULL, trouble = '' WHERE account_id = $1 AND id = $2 AND revoked_at IS NOT NULL`,
			t.Account, t.ID, db.At(tx.Now()))
		return err
	})
}

// forgetLater tries again after a while, and lets a person know when it has
// been tried often.
func (d *Desk) forgetLater(ctx context.Context, t SavedTool, after time.Duration, trouble string) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		b.Add(`UPDATE saved_tools SET due_at = $3, trouble = $4 WHERE account_id = $1 AND id = $2 AND due_at IS NOT NULL`,
			t.Account, t.ID, db.At(tx.Now().Add(after)), clip(trouble))
		if t.attempts == forgetPatience {
			addCase(&b, tx, d.IDs, Order{Account: t.Account}, "tool_not_forgotten", "saved tool "+t.ID+" at "+t.Provider+": "+trouble)
		}
		return tx.Batch(ctx, &b)
	})
}
