package account

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
)

const (
	ceremonyValid  = 15 * time.Minute
	challengeBytes = 32
	maxPasskeys    = 20
)

// Passkey is one passkey of an account.
type Passkey struct {
	ID        string
	Name      string // what the customer calls it
	CreatedAt time.Time
	UsedAt    time.Time // zero: never
}

// Ceremony is what a browser needs to make or show a passkey.
type Ceremony struct {
	Options string // JSON for navigator.credentials, its publicKey member
	Ticket  string // comes back with the answer
}

// ticket is what a [Ceremony]'s ticket holds, sealed.
type ticket struct {
	Challenge string    `json:"c"`
	Expires   time.Time `json:"e"`
	Account   string    `json:"a,omitempty"` // who adds a passkey; empty: somebody signs in
	Session   string    `json:"s,omitempty"`
}

// relyingParty is who asks for passkeys, or nil where there can be none: a
// browser makes them for names alone, and over encrypted connections, or on the
// very machine.
func (d *Door) relyingParty(name string) *webauthn.WebAuthn {
	u, err := url.Parse(d.Origin)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Hostname() != "localhost" {
		return nil
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil
	}
	if name == "" {
		name = u.Hostname()
	}
	rp, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: name, RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired, // a passkey is all that is asked for
		},
	})
	if err != nil {
		return nil
	}
	return rp
}

// keyholder is an account as the library sees it.
type keyholder struct {
	account, name string
	keys          []webauthn.Credential
}

func (k keyholder) WebAuthnID() []byte                         { return []byte(k.account) }
func (k keyholder) WebAuthnName() string                       { return k.name }
func (k keyholder) WebAuthnDisplayName() string                { return k.name }
func (k keyholder) WebAuthnCredentials() []webauthn.Credential { return k.keys }

// BeginPasskey is what a browser needs to make a passkey for the session's
// account, under the seller's name. ok is false where the shop's address allows
// none.
func (d *Door) BeginPasskey(ctx context.Context, s Session, seller string) (c Ceremony, ok bool, err error) {
	rp := d.relyingParty(seller)
	if rp == nil {
		return Ceremony{}, false, nil
	}
	holder, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (keyholder, error) {
		to, err := PrimaryAddress(ctx, tx, s.Account)
		if err != nil {
			return keyholder{}, err
		}
		keys, err := credentials(ctx, tx, s.Account)
		return keyholder{s.Account, to.Value, keys}, err
	})
	if err != nil {
		return Ceremony{}, false, err
	}
	var known []protocol.CredentialDescriptor
	for _, k := range holder.keys {
		known = append(known, k.Descriptor())
	}
	challenge := d.IDs.Bytes(challengeBytes)
	made, _, err := rp.BeginRegistration(holder, webauthn.WithExclusions(known), func(o *protocol.PublicKeyCredentialCreationOptions) error {
		o.Challenge = challenge
		return nil
	})
	if err != nil {
		return Ceremony{}, false, err
	}
	c, err = d.ceremony(made.Response, challenge, s.Account, s.ID)
	return c, err == nil, err
}

// BeginEntry is what a browser needs to sign somebody in with a passkey. ok is
// false where the shop's address allows none.
func (d *Door) BeginEntry() (c Ceremony, ok bool, err error) {
	rp := d.relyingParty("")
	if rp == nil {
		return Ceremony{}, false, nil
	}
	challenge := d.IDs.Bytes(challengeBytes)
	asked, _, err := rp.BeginDiscoverableLogin(func(o *protocol.PublicKeyCredentialRequestOptions) error {
		o.Challenge = challenge
		return nil
	})
	if err != nil {
		return Ceremony{}, false, err
	}
	c, err = d.ceremony(asked.Response, challenge, "", "")
	return c, err == nil, err
}

func (d *Door) ceremony(options any, challenge []byte, account, session string) (Ceremony, error) {
	o, err := json.Marshal(options)
	if err != nil {
		return Ceremony{}, err
	}
	t, err := json.Marshal(ticket{base64url(challenge), d.DB.Now().Add(ceremonyValid), account, session})
	if err != nil {
		return Ceremony{}, err
	}
	nonce := d.IDs.Bytes(nonceLen)
	return Ceremony{string(o), base64url(d.box("passkey").Seal(nonce, nonce, t, nil))}, nil
}

// read opens a ticket that is still good.
func (d *Door) read(sealed string) (t ticket, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) < nonceLen || len(b) > 1000 {
		return ticket{}, false
	}
	b, err = d.box("passkey").Open(nil, b[:nonceLen], b[nonceLen:], nil)
	if err != nil || json.Unmarshal(b, &t) != nil {
		return ticket{}, false
	}
	return t, d.DB.Now().Before(t.Expires)
}

// AddPasskey keeps the passkey that a browser has made, and tells the owner. It
// fails with [fault.Denied], reason sign_in_again for a session that is not
// fresh, and passkey_unusable for what is not the answer to the ceremony.
func (d *Door) AddPasskey(ctx context.Context, s Session, sealed, name string, response []byte) error {
	if err := d.MustBeFresh(s); err != nil {
		return err
	}
	rp := d.relyingParty("")
	t, ok := d.read(sealed)
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if !ok || rp == nil || err != nil || t.Account != s.Account || t.Session != s.ID {
		return because(fault.Denied, "passkey_unusable", nil)
	}
	made, err := rp.CreateCredential(keyholder{account: s.Account}, webauthn.SessionData{
		Challenge: t.Challenge, RelyingPartyID: rp.Config.RPID, UserID: []byte(s.Account),
		UserVerification: protocol.VerificationRequired, CredParams: webauthn.CredentialParametersDefault(),
	}, parsed)
	if err != nil {
		return refusedPasskey("passkey_unusable", err)
	}
	key := d.IDs.Under("pk", s.Account)
	if name = clean(name); name == "" || len([]rune(name)) > maxName {
		name = s.Agent
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := answer(ctx, tx, s.Account, t.Challenge, "passkey_unusable"); err != nil {
			return err
		}
		var have int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM passkeys WHERE account_id = $1`, s.Account).Scan(&have); err != nil {
			return err
		}
		if have >= maxPasskeys {
			return because(fault.Denied, "passkey_unusable", nil)
		}
		n, err := tx.Exec(ctx, `
			INSERT INTO passkeys (account_id, id, credential, public_key, sign_count, flags, name, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT DO NOTHING`,
			s.Account, key, base64url(made.ID), base64url(made.PublicKey), int64(made.Authenticator.SignCount),
			int64(made.Flags.ProtocolValue()), name, db.At(tx.Now()))
		if err == nil && n == 0 {
			err = because(fault.Denied, "passkey_unusable", nil)
		}
		if err != nil {
			return err
		}
		return d.tell(ctx, tx, s.Account, message.PasskeyAdded, "passkey_added/"+key, message.Facts{Passkey: name, Agent: s.Agent, Link: securityPath})
	})
}

// RemovePasskey takes a passkey away, and tells the owner. One that is not the
// account's is left. It fails with [fault.Denied] and reason sign_in_again.
func (d *Door) RemovePasskey(ctx context.Context, s Session, key string) error {
	if err := d.MustBeFresh(s); err != nil {
		return err
	}
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var name string
		err := tx.QueryRow(ctx, `DELETE FROM passkeys WHERE account_id = $1 AND id = $2 RETURNING name`, s.Account, key).Scan(&name)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return d.tell(ctx, tx, s.Account, message.PasskeyRemoved, "passkey_removed/"+key, message.Facts{Passkey: name, Agent: s.Agent, Link: securityPath})
	})
}

// EnterPasskey opens a session for the answer of a passkey. It fails with
// [fault.Denied] and reason passkey_wrong for every answer that is not right:
// from another site, to a challenge that was answered before or is too old, by a
// passkey that we do not know or that seems to exist twice, without the person
// having been verified. It fails with [fault.TooMany].
func (d *Door) EnterPasskey(ctx context.Context, sealed string, response []byte, from Browser) (token string, a Account, err error) {
	token, a, err = d.enterPasskey(ctx, sealed, response, from)
	if reason := reasonOf(err); reason == "passkey_wrong" {
		// Whose it would have been is what the browser says, and it was not believed.
		e := d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			return d.noteRefused(ctx, tx, "", byPasskey, reason, from)
		})
		if e != nil {
			err = errors.Join(e, err)
		}
	}
	return d.came(byPasskey, token, a, err)
}

func (d *Door) enterPasskey(ctx context.Context, sealed string, response []byte, from Browser) (token string, a Account, err error) {
	err = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return limit{bucket: d.hash("limit", "passkeys", "client", network(from.Client)), most: triesPerClient, reason: refusedTries}.take(ctx, tx)
	})
	if err != nil {
		return "", Account{}, err
	}
	rp := d.relyingParty("")
	t, ok := d.read(sealed)
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if !ok || rp == nil || err != nil || t.Account != "" {
		return "", Account{}, because(fault.Denied, "passkey_wrong", nil)
	}
	owner := string(parsed.Response.UserHandle)
	was, after, err := d.check(ctx, rp, t, parsed, owner)
	if err != nil {
		return "", Account{}, err
	}
	s := d.newSession(owner, byPasskey, from)
	e, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (entry, error) {
		if err := answer(ctx, tx, owner, t.Challenge, "passkey_wrong"); err != nil {
			return entry{}, err
		}
		n, err := tx.Exec(ctx, `
			UPDATE passkeys
			   SET sign_count = $4, flags = $5, used_at = $6
			 WHERE account_id = $1 AND credential = $2 AND sign_count = $3`,
			owner, base64url(after.ID), int64(was.Authenticator.SignCount), int64(after.Authenticator.SignCount),
			int64(after.Flags.ProtocolValue()), db.At(tx.Now()))
		if err == nil && n == 0 { // removed, or shown elsewhere at the same time
			err = because(fault.Denied, "passkey_wrong", nil)
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

// check returns the passkey that gave the answer as it was stored, and as it is
// to be stored.
func (d *Door) check(ctx context.Context, rp *webauthn.WebAuthn, t ticket, parsed *protocol.ParsedCredentialAssertionData, owner string) (was, after webauthn.Credential, err error) {
	wrong := because(fault.Denied, "passkey_wrong", nil)
	if rest, ok := strings.CutPrefix(owner, "ac_"); !ok || strings.Trim(rest, "0123456789abcdefghijklmnopqrstuvwxyz") != "" {
		return was, after, wrong // no account: what comes from outside need not even be text
	}
	keys, err := db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]webauthn.Credential, error) {
		return credentials(ctx, tx, owner)
	})
	if err != nil {
		return was, after, err
	}
	_, right, err := rp.ValidatePasskeyLogin(func([]byte, []byte) (webauthn.User, error) {
		return keyholder{account: owner, keys: keys}, nil
	}, webauthn.SessionData{
		Challenge: t.Challenge, RelyingPartyID: rp.Config.RPID, UserVerification: protocol.VerificationRequired,
	}, parsed)
	if err != nil {
		return was, after, refusedPasskey("passkey_wrong", err)
	}
	if right.Authenticator.CloneWarning {
		return was, after, wrong
	}
	for _, k := range keys {
		if string(k.ID) == string(right.ID) {
			return k, *right, nil
		}
	}
	return was, after, wrong
}

// refusedPasskey keeps the library's reason for those who read logs.
func refusedPasskey(reason string, err error) error {
	f := because(fault.Denied, reason, nil)
	f.Err = err
	return f
}

// answer notes that a challenge has been answered. It fails with [fault.Denied]
// if that was so already.
func answer(ctx context.Context, tx db.Tx, account, challenge, reason string) error {
	n, err := tx.Exec(ctx, `
		INSERT INTO passkey_answers (account_id, challenge, at)
		VALUES ($1, $2, $3)
		ON CONFLICT DO NOTHING`, account, challenge, db.At(tx.Now()))
	if err == nil && n == 0 {
		err = because(fault.Denied, reason, nil)
	}
	return err
}

// credentials are the account's passkeys as the library sees them.
func credentials(ctx context.Context, tx db.Tx, account string) ([]webauthn.Credential, error) {
	rows, err := tx.Query(ctx, `
		SELECT credential, public_key, sign_count, flags
		  FROM passkeys
		 WHERE account_id = $1
		 ORDER BY id`, account)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below says more
	var all []webauthn.Credential
	for rows.Next() {
		var credential, key string
		var count, flags int64
		if err := rows.Scan(&credential, &key, &count, &flags); err != nil {
			return nil, err
		}
		c := webauthn.Credential{Flags: webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(flags))}
		c.Authenticator.SignCount = uint32(count)
		if c.ID, err = base64.RawURLEncoding.DecodeString(credential); err != nil {
			return nil, err
		}
		if c.PublicKey, err = base64.RawURLEncoding.DecodeString(key); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// Passkeys lists the account's passkeys, the oldest first.
func (d *Door) Passkeys(ctx context.Context, account string) ([]Passkey, error) {
	return db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Passkey, error) {
		rows, err := tx.Query(ctx, `
			SELECT id, name, created_at, used_at
			  FROM passkeys
			 WHERE account_id = $1
			 ORDER BY created_at, id`, account)
		if err != nil {
			return nil, err
		}
		defer rows.Close() //nolint:errcheck // Err below says more
		var all []Passkey
		for rows.Next() {
			var k Passkey
			var made, used db.Instant
			if err := rows.Scan(&k.ID, &k.Name, &made, &used); err != nil {
				return nil, err
			}
			k.CreatedAt, k.UsedAt = made.Time, used.Time
			all = append(all, k)
		}
		return all, rows.Err()
	})
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
