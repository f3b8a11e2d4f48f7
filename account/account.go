// Package account is the customers: who they are, where they can be reached,
// how they sign in with a code sent by mail, a password or a passkey, and the
// links that open one line without signing in.
//
// Everything that a stranger could learn something from behaves the same for
// an address that is registered and one that is not, and everything that could
// be guessed is limited. Codes, tokens and links are stored only as hashes.
//
// Errors for customers carry a reason, whose texts in every language are
// [Texts].
//
// Tsuzuku is a program; this package promises nothing to other modules.
package account

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
)

// State is what an account may do. The values are stored; do not rename.
type State string

// The states of an account.
const (
	Unverified State = "unverified" // somebody typed this address; nobody has shown that it is theirs
	Active     State = "active"
	Restricted State = "restricted" // signs in and looks; staff stopped the rest
	Closing    State = "closing"    // asked to be closed; runs out
	Closed     State = "closed"     // nobody signs in; the books are kept
)

// Account is one customer.
type Account struct {
	ID           string
	State        State
	Name         string // what the customer wants to be called; may be empty
	Language     locale.Language
	Zone         calendar.Zone // where the customer's clocks are; empty until they say
	HomeOperator string        // whose roaming prices they compare with; may be empty
	Attitude     string        // how much they mind to run out: one of Attitudes
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// MayBuy fails with [fault.Denied] for an account that buys nothing now: it is being
// closed, or staff have stopped it.
func (a Account) MayBuy() error {
	switch a.State {
	case Active:
		return nil
	case Closing:
		return fault.Because(fault.Denied, "account_closing",
			"This account is being closed, so nothing can be bought. To keep it, sign in and open “Signing in and security”.", nil)
	case Restricted, Closed, Unverified:
	}
	return fault.Because(fault.Denied, "account_restricted",
		"Buying is stopped for this account at the moment. Please contact us.", nil)
}

// emailKind is how the directory calls mail addresses.
const emailKind = "email"

// maxName is how long a name or the name of a home operator may be, in
// characters.
const maxName = 80

const accountColumns = `a.account_id, a.state, a.name, a.language, a.zone, a.home_operator, a.attitude, a.created_at, a.updated_at`

// fields are where accountColumns are scanned to.
func (a *Account) fields(made, changed *db.Instant) []any {
	return []any{&a.ID, &a.State, &a.Name, &a.Language, &a.Zone, &a.HomeOperator, &a.Attitude, made, changed}
}

// Get returns an account. It fails with [fault.NotFound].
func Get(ctx context.Context, tx db.Tx, account string) (Account, error) {
	var a Account
	var made, changed db.Instant
	err := tx.QueryRow(ctx, `
		SELECT `+accountColumns+`
		  FROM accounts a
		 WHERE a.account_id = $1`, account).Scan(a.fields(&made, &changed)...)
	if errors.Is(err, db.ErrNoRows) {
		return Account{}, because(fault.NotFound, "no_such_account", nil)
	}
	if err != nil {
		return Account{}, err
	}
	a.CreatedAt, a.UpdatedAt = made.Time, changed.Time
	return a, nil
}

// ByEmail returns the account that a mail address belongs to, whether or not
// that has been confirmed. It fails with [fault.Invalid] for what is no
// address and with [fault.NotFound]. It is for staff and imports: what it
// answers must never reach whoever typed the address.
func ByEmail(ctx context.Context, tx db.Tx, email string) (Account, error) {
	email, err := Normalise(email)
	if err != nil {
		return Account{}, err
	}
	account, _, err := db.Locate(ctx, tx, emailKind, email)
	if fault.KindOf(err) == fault.NotFound {
		return Account{}, because(fault.NotFound, "no_such_account", nil)
	}
	if err != nil {
		return Account{}, err
	}
	return Get(ctx, tx, account)
}

// New is an account that is made without anybody signing up: an imported or
// simulated customer.
type New struct {
	Email        string // taken for confirmed
	Name         string
	Language     locale.Language // empty: English
	Zone         calendar.Zone   // may be empty
	HomeOperator string          // may be empty
}

// Create makes an active account with a confirmed mail address. It fails with
// [fault.Conflict] when the address belongs to an account already, and with
// [fault.Invalid].
func Create(ctx context.Context, tx db.Tx, ids *id.Source, n New) (Account, error) {
	email, err := Normalise(n.Email)
	if err != nil {
		return Account{}, err
	}
	p, err := Preferences{Name: n.Name, Language: n.Language, Zone: n.Zone, HomeOperator: n.HomeOperator}.checked()
	if err != nil {
		return Account{}, err
	}
	a := Account{
		ID: ids.Account(), State: Active, Name: p.Name, Language: p.Language, Zone: p.Zone,
		HomeOperator: p.HomeOperator, Attitude: p.Attitude, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
	}
	address := ids.Under("ad", a.ID)
	err = db.Claim(ctx, tx, emailKind, email, a.ID, address)
	if fault.KindOf(err) == fault.Conflict {
		return Account{}, because(fault.Conflict, "address_taken", nil)
	}
	if err != nil {
		return Account{}, err
	}
	if err := insertAccount(ctx, tx, a); err != nil {
		return Account{}, err
	}
	return a, insertAddress(ctx, tx, a.ID, address, message.Address{Channel: message.Email, Value: email}, tx.Now())
}

// AddNew appends what [Create] writes, and returns the account. An address that
// belongs to an account violates a unique key. It fails with [fault.Invalid].
func AddNew(b *db.Batch, ids *id.Source, n New, now time.Time) (Account, error) {
	email, err := Normalise(n.Email)
	if err != nil {
		return Account{}, err
	}
	p, err := Preferences{Name: n.Name, Language: n.Language, Zone: n.Zone, HomeOperator: n.HomeOperator}.checked()
	if err != nil {
		return Account{}, err
	}
	a := Account{
		ID: ids.Account(), State: Active, Name: p.Name, Language: p.Language, Zone: p.Zone,
		HomeOperator: p.HomeOperator, Attitude: p.Attitude, CreatedAt: now, UpdatedAt: now,
	}
	address := ids.Under("ad", a.ID)
	db.AddClaim(b, emailKind, email, a.ID, address)
	b.Row(`INSERT INTO accounts (account_id, state, name, language, zone, home_operator, created_at, updated_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		a.ID, string(a.State), a.Name, string(a.Language), string(a.Zone), a.HomeOperator, db.At(now), db.At(now))
	b.Row(`INSERT INTO addresses (account_id, id, channel, value, verified_at, created_at) VALUES ($1,$2,'email',$3,$4,$5)`,
		a.ID, address, email, db.At(now), db.At(now))
	return a, nil
}

// AddConfirmed appends that an address which somebody typed is known to be its
// account's: an imported customer. What is confirmed already stays as it is.
func AddConfirmed(b *db.Batch, account, address string, now time.Time) {
	b.Row(`UPDATE accounts SET state = 'active', updated_at = column2 FROM (VALUES ($1,CAST($2 AS bigint))) AS v
		WHERE account_id = column1 AND state = 'unverified'`, account, db.At(now))
	b.Row(`UPDATE addresses SET verified_at = column3 FROM (VALUES ($1,$2,CAST($3 AS bigint))) AS v
		WHERE account_id = column1 AND id = column2 AND verified_at IS NULL`, account, address, db.At(now))
}

// EmailKind is how the directory calls mail addresses.
const EmailKind = emailKind

// insertAccount stores a new account; one that exists stays as it is.
func insertAccount(ctx context.Context, tx db.Tx, a Account) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO accounts (account_id, state, name, language, zone, home_operator, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
		ON CONFLICT DO NOTHING`,
		a.ID, string(a.State), a.Name, string(a.Language), string(a.Zone), a.HomeOperator, db.At(tx.Now()))
	return err
}

// insertAddress stores a new address; one that exists stays as it is.
// verified is zero for one that nobody has confirmed.
func insertAddress(ctx context.Context, tx db.Tx, account, address string, to message.Address, verified time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO addresses (account_id, id, channel, value, verified_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`,
		account, address, string(to.Channel), to.Value, db.At(verified), db.At(tx.Now()))
	return err
}

// Preferences are what a customer chooses.
type Preferences struct {
	Name         string
	Language     locale.Language
	Zone         calendar.Zone
	HomeOperator string
	Attitude     string // empty or unknown: the middle one
}

// Attitudes are how much people mind to run out, as package advice calls them:
// from the least to the most.
var Attitudes = []string{"cheapest", "balanced", "carefree"}

// SetPreferences changes all preferences of an account. It fails with
// [fault.Invalid] for a zone that does not exist or a name that is too long,
// and with [fault.NotFound].
func SetPreferences(ctx context.Context, tx db.Tx, account string, p Preferences) error {
	p, err := p.checked()
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `
		UPDATE accounts
		   SET name = $2, language = $3, zone = $4, home_operator = $5, updated_at = $6, attitude = $7
		 WHERE account_id = $1 AND state <> 'closed'`,
		account, p.Name, string(p.Language), string(p.Zone), p.HomeOperator, db.At(tx.Now()), p.Attitude)
	if err == nil && n == 0 {
		return because(fault.NotFound, "no_such_account", nil)
	}
	return err
}

func (p Preferences) checked() (Preferences, error) {
	p.Name, p.HomeOperator = clean(p.Name), clean(p.HomeOperator)
	if utf8.RuneCountInString(p.Name) > maxName || utf8.RuneCountInString(p.HomeOperator) > maxName {
		return p, because(fault.Invalid, "name_too_long", nil)
	}
	p.Language, _ = locale.Parse(string(p.Language))
	if !slices.Contains(Attitudes, p.Attitude) {
		p.Attitude = "balanced"
	}
	if p.Zone != "" {
		if _, err := p.Zone.Location(); err != nil {
			return p, err
		}
	}
	return p, nil
}

// clean takes out what does not belong in a name.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// Address is one confirmed address of an account.
type Address struct {
	ID, Value string
	Channel   message.Channel
	Primary   bool // where the account is written to
	At        time.Time
}

// maxAddresses is how many addresses an account may have.
const maxAddresses = 5

// Addresses lists the confirmed addresses of an account, mail before telephones, the
// one that it is written to first.
func (d *Door) Addresses(ctx context.Context, account string) ([]Address, error) {
	return db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Address, error) {
		return Addresses(ctx, tx, account)
	})
}

// Addresses is [Door.Addresses] within a transaction.
func Addresses(ctx context.Context, tx db.Tx, account string) ([]Address, error) {
	rows, err := tx.Query(ctx, `
		SELECT id, channel, value, verified_at
		  FROM addresses
		 WHERE account_id = $1 AND verified_at IS NOT NULL AND channel IN ('email', 'sms')
		 ORDER BY channel, verified_at, id`, account)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below says more
	var all []Address
	for rows.Next() {
		a := Address{Primary: len(all) == 0}
		var at db.Instant
		if err := rows.Scan(&a.ID, &a.Channel, &a.Value, &at); err != nil {
			return nil, err
		}
		a.At = at.Time
		all = append(all, a)
	}
	return all, rows.Err()
}

// PrimaryAddress is where an account is written to: the mail address it
// confirmed first or, where there is none, the telephone. It fails with
// [fault.NotFound] when there is neither.
func PrimaryAddress(ctx context.Context, tx db.Tx, account string) (message.Address, error) {
	var a message.Address
	err := tx.QueryRow(ctx, `
		SELECT channel, value
		  FROM addresses
		 WHERE account_id = $1 AND verified_at IS NOT NULL AND channel IN ('email', 'sms')
		 ORDER BY channel, verified_at, id
		 LIMIT 1`, account).Scan(&a.Channel, &a.Value)
	if errors.Is(err, db.ErrNoRows) {
		return message.Address{}, because(fault.NotFound, "no_address", nil)
	}
	return a, err
}
