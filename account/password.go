package account

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
)

const (
	triesPerAccount = 10 // an hour, at the password so far
	triesPerClient  = 60 // an hour
)

// Password is what is told of a password.
type Password struct {
	Set       bool
	ChangedAt time.Time
}

// nobodysPassword is compared with where there is none, so that it takes as
// long. It is the hash of nothing that can be typed.
var nobodysPassword = stored{argon: todaysArgon, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}

// EnterPassword opens a session for a mail address and a password. It fails with
// [fault.Denied] and reason password_wrong, for whatever does not fit: the
// address, the password, an account that has none or is closed; the work is the
// same. It fails with [fault.Invalid] for what is no address, and with
// [fault.TooMany].
func (d *Door) EnterPassword(ctx context.Context, email, password string, from Browser) (token string, a Account, err error) {
	token, a, err = d.enterPassword(ctx, email, password, from)
	return d.came(byPassword, token, a, err)
}

func (d *Door) enterPassword(ctx context.Context, email, password string, from Browser) (token string, a Account, err error) {
	email, err = Normalise(email)
	if err != nil {
		return "", Account{}, err
	}
	return d.enterPasswordAt(ctx, message.Address{Channel: message.Email, Value: email}, password, from)
}

// enterPasswordAt is enterPassword for an address of any channel, in its one form.
func (d *Door) enterPasswordAt(ctx context.Context, at message.Address, password string, from Browser) (token string, a Account, err error) {
	err = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return d.limitTries(ctx, tx, at, from) })
	if err != nil {
		return "", Account{}, err
	}
	account, phc, err := d.passwordOf(ctx, at)
	if err != nil {
		return "", Account{}, err
	}
	right, better, err := d.fits(ctx, account, password, phc)
	if err != nil {
		return "", Account{}, err
	}
	if !right {
		err := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			return d.noteRefused(ctx, tx, account, byPassword, "password_wrong", from)
		})
		if err == nil {
			err = because(fault.Denied, "password_wrong", nil)
		}
		return "", Account{}, err
	}
	s := d.newSession(account, byPassword, from)
	e, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (entry, error) {
		n, err := tx.Exec(ctx, `
			UPDATE passwords SET hash = $3 WHERE account_id = $1 AND hash = $2`, account, phc, better)
		if err != nil || n == 0 { // changed a moment ago
			return entry{refused: because(fault.Denied, "password_wrong", nil)}, err
		}
		return d.admit(ctx, tx, account, s)
	})
	switch {
	case err != nil:
		return "", Account{}, err
	case e.refused != nil:
		return "", Account{}, because(fault.Denied, "password_wrong", nil)
	}
	return s.token(), e.account, nil
}

// passwordOf returns whose address it is, and the hash of their password; both
// may be empty. The statements are the same.
func (d *Door) passwordOf(ctx context.Context, at message.Address) (account, phc string, err error) {
	err = d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		var err error
		account, err = locateAt(ctx, tx, at)
		if err != nil {
			return err
		}
		phc, err = hashOf(ctx, tx, account)
		return err
	})
	return account, phc, err
}

// locateAt is whose an address is; nobody has it where account is "".
func locateAt(ctx context.Context, tx db.Tx, at message.Address) (account string, err error) {
	account, _, err = db.Locate(ctx, tx, kindOf(at.Channel), at.Value)
	if fault.KindOf(err) == fault.NotFound {
		return "", nil
	}
	return account, err
}

// hashOf is the hash of the account's password, "" where it has none.
func hashOf(ctx context.Context, tx db.Tx, account string) (phc string, err error) {
	err = tx.QueryRow(ctx, `SELECT hash FROM passwords WHERE account_id = $1`, account).Scan(&phc)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return phc, err
}

// fits says whether the password is the one that was hashed, and how it is to be
// stored from now on.
func (d *Door) fits(ctx context.Context, account, password, phc string) (right bool, better string, err error) {
	was, ok := readPHC(phc)
	if !ok {
		was = nobodysPassword
	}
	password, typed := normalPassword(password)
	right, err = was.fits(ctx, d.mac("password", account, password))
	if err != nil || !right || !ok || !typed {
		return false, "", err
	}
	if was.argon == d.argon() {
		return true, phc, nil
	}
	better, err = d.hashPassword(ctx, account, password)
	return err == nil, better, err
}

// hashPassword is how a password is stored. What is hashed is keyed with the
// door's secret and the account: the database alone does not let anybody guess,
// and a hash fits no other account.
func (d *Door) hashPassword(ctx context.Context, account, password string) (string, error) {
	return d.argon().hash(ctx, d.mac("password", account, password), d.IDs.Bytes(saltBytes))
}

func (d *Door) argon() argon {
	if d.cheap != (argon{}) {
		return d.cheap
	}
	return todaysArgon
}

// Password says whether the account has a password.
func (d *Door) Password(ctx context.Context, account string) (Password, error) {
	return db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Password, error) {
		var at db.Instant
		err := tx.QueryRow(ctx, `SELECT changed_at FROM passwords WHERE account_id = $1`, account).Scan(&at)
		if errors.Is(err, db.ErrNoRows) {
			return Password{}, nil
		}
		return Password{Set: err == nil, ChangedAt: at.Time}, err
	})
}

// NeedsPassword reports whether the owner of a session shows that they are the
// owner with their password, because they came in with it or long ago. Who has
// just come in with a code or a passkey need not: so a forgotten password is
// replaced.
func (s Session) NeedsPassword(now time.Time) bool { return s.Way == byPassword || !s.Fresh(now) }

// SetPassword gives the session's account a password, ends all its other
// sessions, and tells the owner. current is the password so far, where
// [Session.NeedsPassword] says so and there is one.
//
// It fails with [fault.Denied] for a wrong current password, or, with reason
// sign_in_again, where there is none and the session is not fresh; with
// [fault.Invalid] for a password that is too short or easily guessed; and with
// [fault.TooMany].
func (d *Door) SetPassword(ctx context.Context, s Session, current, next string) error {
	was, err := d.prove(ctx, s, current)
	if err != nil {
		return err
	}
	addresses, err := d.Addresses(ctx, s.Account)
	if err != nil {
		return err
	}
	var values []string
	for _, a := range addresses {
		values = append(values, knownOf(a)...)
	}
	next, err = goodPassword(next, values)
	if err != nil {
		return err
	}
	phc, err := d.hashPassword(ctx, s.Account, next)
	if err != nil {
		return err
	}
	change := d.IDs.Under("pw", s.Account)
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		n, err := tx.Exec(ctx, `
			INSERT INTO passwords (account_id, hash, changed_at)
			VALUES ($1, $2, $3)
			ON CONFLICT (account_id) DO UPDATE
			   SET hash = excluded.hash, changed_at = excluded.changed_at
			 WHERE passwords.hash = $4`, s.Account, phc, db.At(tx.Now()), was)
		if err == nil && n == 0 {
			err = because(fault.Conflict, "changed_meanwhile", nil)
		}
		if err != nil {
			return err
		}
		return d.changed(ctx, tx, s, message.PasswordSet, change)
	})
}

// RemovePassword takes the password away; codes and passkeys still open the
// account. It fails as [Door.SetPassword] does.
func (d *Door) RemovePassword(ctx context.Context, s Session, current string) error {
	was, err := d.prove(ctx, s, current)
	if err != nil || was == "" {
		return err
	}
	change := d.IDs.Under("pw", s.Account)
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		n, err := tx.Exec(ctx, `DELETE FROM passwords WHERE account_id = $1 AND hash = $2`, s.Account, was)
		if err != nil || n == 0 {
			return err
		}
		return d.changed(ctx, tx, s, message.PasswordRemoved, change)
	})
}

// prove fails unless whoever has the session may change how one signs in. It
// returns the hash of the password so far.
func (d *Door) prove(ctx context.Context, s Session, current string) (phc string, err error) {
	phc, err = db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		return hashOf(ctx, tx, s.Account)
	})
	switch {
	case err != nil:
		return "", err
	case !s.NeedsPassword(d.DB.Now()):
		return phc, nil
	case phc == "" && s.Fresh(d.DB.Now()):
		return "", nil
	case phc == "":
		return "", because(fault.Denied, "sign_in_again", nil)
	}
	err = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return limit{bucket: d.hash("limit", "passwords", "account", s.Account), most: triesPerAccount, reason: refusedTries}.take(ctx, tx)
	})
	if err != nil {
		return "", err
	}
	right, _, err := d.fits(ctx, s.Account, current, phc)
	if err == nil && !right {
		err = because(fault.Denied, "current_password_wrong", nil)
	}
	return phc, err
}

// changed ends what somebody else may have opened, and tells the owner that
// signing in has changed.
func (d *Door) changed(ctx context.Context, tx db.Tx, s Session, kind message.Kind, change string) error {
	if err := signOutOthers(ctx, tx, s.Account, s.ID); err != nil {
		return err
	}
	return d.tell(ctx, tx, s.Account, kind, string(kind)+"/"+change, message.Facts{Agent: s.Agent, Link: securityPath})
}

// securityPath is the portal's page of passwords and passkeys.
const securityPath = "/account/security"

// tell writes to the account's owner about their account.
func (d *Door) tell(ctx context.Context, tx db.Tx, account string, kind message.Kind, key string, f message.Facts) error {
	to, err := PrimaryAddress(ctx, tx, account)
	if err != nil {
		return err
	}
	return d.tellAt(ctx, tx, account, to, kind, key, f)
}

func (d *Door) tellAt(ctx context.Context, tx db.Tx, account string, to message.Address, kind message.Kind, key string, f message.Facts) error {
	a, err := Get(ctx, tx, account)
	if err != nil {
		return err
	}
	f.At, f.Zone = tx.Now(), a.Zone
	return message.Queue(ctx, tx, d.IDs.Under("msg", account), message.Draft{
		Account: account, Key: key, Kind: kind, To: to, Language: a.Language, Facts: f,
	})
}
