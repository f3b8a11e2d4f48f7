package account

import (
	"context"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/seal"
)

const (
	codeValid   = 10 * time.Minute
	codeTries   = 5
	limitWindow = time.Hour

	codesPerClient = 20   // an hour
	codesForAll    = 2000 // an hour, unless the door says otherwise
)

// Door is where customers come in: by a code sent to them, by the session that
// they had, by a link to one line.
type Door struct {
	DB  *db.DB
	IDs *id.Source

	// Secret goes into every hash, so that the database alone opens nothing.
	// At least 16 random bytes. Another secret signs everybody out and makes
	// every link useless.
	Secret []byte

	// Origin is where browsers reach the shop, for passkeys: "https://shop.example".
	// There are none for an address without a name or without encryption, but for
	// localhost.
	Origin string

	// Push seals where notifications reach browsers; nil: the shop sends none.
	Push *seal.Box

	cheap argon // for tests; zero: todaysArgon

	// CodesPerHour is how many codes are sent in an hour, to everybody whose browser
	// is not known: what a flood may cost. 0: 2000.
	CodesPerHour int64

	// Tally counts who comes in and who does not; nil: nobody does.
	Tally *Tally
}

// AskCode sends a sign-in code to a mail address and returns the challenge that
// [Door.EnterCode] takes with it. An address that nobody has registered gets a
// code as well, and with it an account: this is also how one signs up. The work
// done and what is returned are the same for both.
//
// language is what the page was in. from says where the request came from; those of
// one client are limited together, and those of a browser that the owner is known to
// have signed in with alone.
//
// It fails with [fault.Invalid] for what is no address, and with
// [fault.TooMany].
func (d *Door) AskCode(ctx context.Context, email, language string, from Browser) (challenge string, err error) {
	email, err = Normalise(email)
	if err != nil {
		return "", err
	}
	a := d.prepareAsk(email, locale.Match(language), from)
	challenge, err = db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		return d.ask(ctx, tx, a)
	})
	if err != nil {
		return "", err
	}
	return d.seal(challenge, a.nonce), nil
}

// ask is everything about a request for a code that must be the same when the
// transaction runs again.
type ask struct {
	email    string
	from     Browser
	language locale.Language
	code     string // as long as one can be
	account  string // for an address that nobody has
	address  string
	nonce    []byte
}

func (d *Door) prepareAsk(email string, l locale.Language, from Browser) ask {
	account := d.IDs.Account()
	return ask{
		email: email, from: from, language: l, code: d.code(),
		account: account, address: d.IDs.Under("ad", account), nonce: d.IDs.Bytes(nonceLen),
	}
}

// ask stores the challenge and the message with the code. It executes the same
// statements whether or not somebody has the address.
func (d *Door) ask(ctx context.Context, tx db.Tx, a ask) (string, error) {
	account, address, err := locate(ctx, tx, a)
	if err != nil {
		return "", err
	}
	digits, err := d.allowCode(ctx, tx, asked{account, "address", a.email, a.from})
	if err != nil {
		return "", err
	}
	code := a.code[:digits]
	if err := insertAccount(ctx, tx, Account{ID: account, State: Unverified, Language: a.language}); err != nil {
		return "", err
	}
	if err := insertAddress(ctx, tx, account, address, a.email, time.Time{}); err != nil {
		return "", err
	}
	challenge := d.IDs.Under("ch", account)
	expires := tx.Now().Add(codeValid)
	_, err = tx.Exec(ctx, `
		INSERT INTO challenges (account_id, id, purpose, address_id, code_hash, created_at, expires_at)
		VALUES ($1, $2, 'sign_in', $3, $4, $5, $6)`,
		account, challenge, address, d.hash("code", challenge, code), db.At(tx.Now()), db.At(expires))
	if err != nil {
		return "", err
	}
	return challenge, message.Queue(ctx, tx, d.IDs.Under("msg", account), message.Draft{
		Account: account, Key: "sign_in_code/" + challenge, Kind: message.SignInCode,
		To: message.Address{Channel: message.Email, Value: a.email}, Language: a.language,
		Facts:     message.Facts{Code: code, CodeValidFor: codeValid},
		ExpiresAt: expires,
	})
}

// locate returns the account that has the address. If none has, the account
// that was prepared gets it.
func locate(ctx context.Context, tx db.Tx, a ask) (account, address string, err error) {
	account, address, err = db.Locate(ctx, tx, emailKind, a.email)
	unknown := fault.KindOf(err) == fault.NotFound
	if err != nil && !unknown {
		return "", "", err
	}
	if unknown {
		account, address = a.account, a.address
	}
	// For a known address this changes nothing but takes the same time: both
	// ways are one insert and one more look.
	err = db.Claim(ctx, tx, emailKind, a.email, account, address)
	if err != nil && fault.KindOf(err) != fault.Conflict {
		return "", "", err
	}
	if unknown || err != nil { // somebody else may have been faster
		return db.Locate(ctx, tx, emailKind, a.email)
	}
	return account, address, nil
}

// entry is what came of a code: a session, or the reason why not. A wrong code
// is no error inside the transaction, since that it was tried must be kept.
type entry struct {
	account Account
	refused *fault.Error
}

// EnterCode takes the code that was sent for a challenge and opens a session.
// token is the session's secret, for [Door.Who]; it is given out once. agent is
// what the browser says of itself.
//
// A challenge takes five tries and is good for ten minutes and for one session.
// EnterCode fails with [fault.Denied] for a wrong code, with reason code_wrong
// while there are tries left, and with [fault.Invalid] for what is no code.
func (d *Door) EnterCode(ctx context.Context, challenge, code string, from Browser) (token string, a Account, err error) {
	token, a, err = d.enterCode(ctx, challenge, code, from)
	return d.came(byCode, token, a, err)
}

func (d *Door) enterCode(ctx context.Context, challenge, code string, from Browser) (token string, a Account, err error) {
	code, ok := digits(code)
	if !ok {
		return "", Account{}, because(fault.Invalid, "code_format", nil)
	}
	challenge, account, ok := d.unseal(challenge)
	if !ok {
		return "", Account{}, because(fault.Denied, "code_expired", nil)
	}
	s := d.newSession(account, byCode, from)
	e, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (entry, error) {
		return d.enter(ctx, tx, account, challenge, code, s, from)
	})
	if err != nil {
		return "", Account{}, err
	}
	if e.refused != nil {
		return "", Account{}, e.refused
	}
	return s.token(), e.account, nil
}

func (d *Door) enter(ctx context.Context, tx db.Tx, account, challenge, code string, s secretSession, from Browser) (entry, error) {
	address, _, refused, err := d.try(ctx, tx, "sign_in", account, challenge, code, from)
	if err != nil || refused != nil {
		return entry{refused: refused}, err
	}
	// All other codes of the account end with this one: whoever has the mailbox
	// has just used it.
	_, err = tx.Exec(ctx, `
		UPDATE challenges SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL`,
		account, db.At(tx.Now()))
	if err != nil {
		return entry{}, err
	}
	return d.welcome(ctx, tx, account, address, s)
}

// welcome confirms the address and admits its owner.
func (d *Door) welcome(ctx context.Context, tx db.Tx, account, address string, s secretSession) (entry, error) {
	_, err := tx.Exec(ctx, `
		UPDATE accounts SET state = 'active', updated_at = $2 WHERE account_id = $1 AND state = 'unverified'`,
		account, db.At(tx.Now()))
	if err != nil {
		return entry{}, err
	}
	_, err = tx.Exec(ctx, `
		UPDATE addresses SET verified_at = $3 WHERE account_id = $1 AND id = $2 AND verified_at IS NULL`,
		account, address, db.At(tx.Now()))
	if err != nil {
		return entry{}, err
	}
	return d.admit(ctx, tx, account, s)
}

// admit opens the session, and tells the owner of an account that was in use
// about a browser that was not known.
func (d *Door) admit(ctx context.Context, tx db.Tx, account string, s secretSession) (entry, error) {
	a, err := Get(ctx, tx, account)
	if err != nil {
		return entry{}, err
	}
	if a.State == Closed || a.State == Unverified {
		err := d.noteRefused(ctx, tx, account, s.way, "account_closed", Browser{Mark: s.mark, Client: s.client})
		return entry{refused: because(fault.Denied, "account_closed", nil)}, err
	}
	known, err := d.expected(ctx, tx, s)
	if err != nil {
		return entry{}, err
	}
	if err := s.insert(ctx, tx); err != nil {
		return entry{}, err
	}
	err = d.note(ctx, tx, account, SignIn{Way: s.way, Known: known, Agent: s.agent, Client: s.client})
	if err != nil {
		return entry{}, err
	}
	if known {
		return entry{account: a}, nil
	}
	return entry{account: a}, d.announce(ctx, tx, a, s)
}

// announce tells the owner that somebody has signed in.
func (d *Door) announce(ctx context.Context, tx db.Tx, a Account, s secretSession) error {
	return d.tell(ctx, tx, a.ID, message.NewSignIn, "new_sign_in/"+s.id, message.Facts{Agent: s.agent, Link: sessionsPath})
}

// sessionsPath is the portal's page of sessions.
const sessionsPath = "/account/sessions"

// digits reads a code as people type and paste it.
func digits(s string) (string, bool) {
	if len(s) > 64 {
		return "", false
	}
	s = strings.NewReplacer(" ", "", "-", "", "\t", "", "\n", "", "\r", "").Replace(norm.NFKC.String(s))
	return s, (len(s) == shortDigits || len(s) == longDigits) && strings.Trim(s, "0123456789") == ""
}
