package account

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
)

const (
	// issuerKind is how the directory calls people whom issuers know.
	issuerKind = "issuer"

	maxConnections     = 10
	returnsPerClient   = 60 // an hour: with whatever an issuer is to be asked about
	connectionUnproven = "connection_unproven"
)

// Connection lets somebody in whom an issuer knows.
type Connection struct {
	ID        string
	Issuer    string // its name in the configuration
	Label     string // how the person is called there, when it was connected; may be empty
	CreatedAt time.Time
	UsedAt    time.Time // zero: never
}

// mark is what the directory finds somebody by. It is not keyed with the door's
// secret, so that another secret shuts nobody out: it opens nothing.
func (i Identity) mark() string {
	sum := sha256.Sum256([]byte(i.Address + "\x00" + i.Subject))
	return base64url(sum[:])
}

// label is how the person is called there.
func (i Identity) label() string {
	if i.Email != "" {
		return cut(clean(i.Email))
	}
	return cut(clean(i.Name))
}

// MayReturn counts one browser that comes back from an issuer, before that is asked.
// It fails with [fault.TooMany].
func (d *Door) MayReturn(ctx context.Context, client string) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return limit{bucket: d.hash("limit", "issuers", "client", network(client)), most: returnsPerClient, reason: refusedTries}.take(ctx, tx)
	})
}

// EnterIdentity opens a session for somebody whom an issuer knows: who has been
// connected with an account, or whose mail the issuer has verified and nobody here
// has, and who gets an account with that. Whoever has an account with the address
// keeps it: then, and without a verified address, it fails with [fault.Denied] and
// reason connection_unproven, and the person must show in another way whose account
// it is to open.
func (d *Door) EnterIdentity(ctx context.Context, who Identity, language string, from Browser) (token string, a Account, err error) {
	token, a, err = d.enterIdentity(ctx, who, locale.Match(language), from)
	if reasonOf(err) == connectionUnproven {
		return token, a, err // it has not come to its end
	}
	return d.came(byIssuer, token, a, err)
}

func (d *Door) enterIdentity(ctx context.Context, who Identity, l locale.Language, from Browser) (token string, a Account, err error) {
	fresh := d.IDs.Account()
	owner, connection, err := d.connected(ctx, who)
	if err != nil {
		return "", Account{}, err
	}
	if owner == "" {
		return d.newcomer(ctx, fresh, who, l, from)
	}
	s := d.newSession(owner, byIssuer, from)
	e, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (entry, error) {
		n, err := tx.Exec(ctx, `
			UPDATE connections SET used_at = $3 WHERE account_id = $1 AND id = $2`, owner, connection, db.At(tx.Now()))
		if err == nil && n == 0 { // removed a moment ago
			err = because(fault.Denied, connectionUnproven, nil)
		}
		if err != nil {
			return entry{}, err
		}
		return d.admit(ctx, tx, owner, s)
	})
	if err == nil && e.refused != nil {
		err = e.refused
	}
	if err != nil {
		return "", Account{}, err
	}
	return s.token(), e.account, nil
}

// connected finds whose account somebody opens; "": nobody's.
func (d *Door) connected(ctx context.Context, who Identity) (owner, connection string, err error) {
	err = d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		var err error
		owner, connection, err = db.Locate(ctx, tx, issuerKind, who.mark())
		return err
	})
	if fault.KindOf(err) == fault.NotFound {
		return "", "", nil
	}
	return owner, connection, err
}

// newcomer makes an account for somebody whose mail the issuer has verified, unless
// somebody has the address.
func (d *Door) newcomer(ctx context.Context, account string, who Identity, l locale.Language, from Browser) (token string, a Account, err error) {
	email, err := Normalise(who.Email)
	if err != nil || !who.Verified {
		return "", Account{}, because(fault.Denied, connectionUnproven, nil)
	}
	address, connection := d.IDs.Under("ad", account), d.IDs.Under("cn", account)
	s := d.newSession(account, byIssuer, from)
	name, err := Preferences{Name: who.Name}.checked()
	if err != nil { // too long for a name: then none
		name.Name = ""
	}
	e, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (entry, error) {
		if err := db.Claim(ctx, tx, emailKind, email, account, address); err != nil {
			if fault.KindOf(err) == fault.Conflict {
				err = because(fault.Denied, connectionUnproven, nil)
			}
			return entry{}, err
		}
		if err := insertAccount(ctx, tx, Account{ID: account, State: Active, Name: name.Name, Language: l}); err != nil {
			return entry{}, err
		}
		if err := insertAddress(ctx, tx, account, address, email, tx.Now()); err != nil {
			return entry{}, err
		}
		if err := connect(ctx, tx, account, connection, who); err != nil {
			return entry{}, err
		}
		return d.admit(ctx, tx, account, s)
	})
	if err == nil && e.refused != nil {
		err = e.refused
	}
	if err != nil {
		return "", Account{}, err
	}
	return s.token(), e.account, nil
}

// connect stores a connection. It fails with [fault.Conflict] where the person opens
// another account already.
func connect(ctx context.Context, tx db.Tx, account, id string, who Identity) error {
	if err := db.Claim(ctx, tx, issuerKind, who.mark(), account, id); err != nil {
		if fault.KindOf(err) == fault.Conflict {
			err = because(fault.Conflict, "connected_elsewhere", nil)
		}
		return err
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO connections (account_id, id, issuer, mark, label, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`, account, id, who.Issuer, who.mark(), who.label(), db.At(tx.Now()))
	return err
}

// Connect lets somebody in from now on whom an issuer knows, and tells the owner of
// the session's account. Whoever is let in there already is left. title is what
// customers know the issuer by. It fails with [fault.Denied] and reason
// sign_in_again, and with [fault.Conflict] where the person opens another account, or
// there are too many.
func (d *Door) Connect(ctx context.Context, s Session, who Identity, title string) error {
	if err := d.MustBeFresh(s); err != nil {
		return err
	}
	owner, _, err := d.connected(ctx, who)
	switch {
	case err != nil:
		return err
	case owner == s.Account:
		return nil
	case owner != "":
		return because(fault.Conflict, "connected_elsewhere", nil)
	}
	id := d.IDs.Under("cn", s.Account)
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := lockedAddresses(ctx, tx, s.Account); err != nil { // one after the other
			return err
		}
		have, err := Connections(ctx, tx, s.Account)
		if err == nil && len(have) >= maxConnections {
			err = because(fault.Conflict, "too_many_connections", nil)
		}
		if err != nil {
			return err
		}
		if err := connect(ctx, tx, s.Account, id, who); err != nil {
			return err
		}
		return d.tell(ctx, tx, s.Account, message.IssuerConnected, "issuer_connected/"+id,
			message.Facts{Issuer: title, Agent: s.Agent, Link: securityPath})
	})
}

// Disconnect ends a connection, and tells the owner; title says what they know an
// issuer by. A connection that is not the account's is left. It fails with [fault.Denied] and reason sign_in_again, and with
// [fault.Conflict] where nothing else opens the account.
func (d *Door) Disconnect(ctx context.Context, s Session, connection string, title func(issuer string) string) error {
	if err := d.MustBeFresh(s); err != nil {
		return err
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		addresses, err := lockedAddresses(ctx, tx, s.Account)
		if err != nil {
			return err
		}
		var mark, issuer string
		err = tx.QueryRow(ctx, `
			DELETE FROM connections WHERE account_id = $1 AND id = $2
			RETURNING mark, issuer`, s.Account, connection).Scan(&mark, &issuer)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := otherWay(ctx, tx, s.Account, len(addresses)); err != nil {
			return err
		}
		if err := db.Release(ctx, tx, issuerKind, mark, s.Account); err != nil {
			return err
		}
		return d.tell(ctx, tx, s.Account, message.IssuerDisconnected, "issuer_disconnected/"+connection,
			message.Facts{Issuer: title(issuer), Agent: s.Agent, Link: securityPath})
	})
}

// otherWay fails where nothing opens the account any more: no address for a code, no
// passkey, no connection.
func otherWay(ctx context.Context, tx db.Tx, account string, addresses int) error {
	if addresses > 0 {
		return nil
	}
	var left int64
	err := tx.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM passkeys WHERE account_id = $1) + (SELECT count(*) FROM connections WHERE account_id = $1)`,
		account).Scan(&left)
	if err == nil && left == 0 {
		err = because(fault.Conflict, "last_way", nil)
	}
	return err
}

// Connections lists who is let into an account by an issuer, the oldest first.
func Connections(ctx context.Context, tx db.Tx, account string) ([]Connection, error) {
	rows, err := tx.Query(ctx, `
		SELECT id, issuer, label, created_at, used_at
		  FROM connections
		 WHERE account_id = $1
		 ORDER BY created_at, id`, account)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below says more
	var all []Connection
	for rows.Next() {
		var c Connection
		var made, used db.Instant
		if err := rows.Scan(&c.ID, &c.Issuer, &c.Label, &made, &used); err != nil {
			return nil, err
		}
		c.CreatedAt, c.UsedAt = made.Time, used.Time
		all = append(all, c)
	}
	return all, rows.Err()
}

// dropConnections ends all connections of an account that is closed.
func dropConnections(ctx context.Context, tx db.Tx, account string) error {
	marks, err := deleted(ctx, tx, `DELETE FROM connections WHERE account_id = $1 RETURNING mark`, account)
	if err != nil {
		return err
	}
	for _, mark := range marks {
		if err := db.Release(ctx, tx, issuerKind, mark, account); err != nil {
			return err
		}
	}
	return nil
}
