package account

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
)

const (
	errandValid   = 10 * time.Minute // to sign in at the issuer
	strangerValid = 15 * time.Minute // to prove who one is here
	questionBytes = 32               // of what nobody may guess
)

// Errand is one browser's way to an issuer and back. It is kept by the browser,
// sealed: nobody else comes back from it.
type Errand struct {
	Issuer   string `json:"i"`
	Next     string `json:"x"` // where the customer goes on to afterwards
	Connect  bool   `json:"c,omitempty"`
	Question `json:"q"`
	Expires  time.Time `json:"e"`
}

// SetOut prepares an errand to an issuer, which sends the browser back to redirect.
// connect says that the customer, who is signed in, wants to be let in by it from
// now on.
func (d *Door) SetOut(issuer, redirect, next string, connect bool) (e Errand, sealed string, err error) {
	random := func() string { return base64url(d.IDs.Bytes(questionBytes)) }
	e = Errand{
		Issuer: issuer, Next: next, Connect: connect, Expires: d.DB.Now().Add(errandValid),
		Question: Question{State: random(), Nonce: random(), Verifier: random(), Redirect: redirect},
	}
	sealed, err = d.sealJSON("errand", e)
	return e, sealed, err
}

// Returned reads the errand that a browser comes back from. It fails with
// [fault.Denied] and reason errand_lost for one that is over, is none, or went to
// another issuer.
func (d *Door) Returned(sealed, issuer string) (Errand, error) {
	var e Errand
	if !d.openJSON("errand", sealed, &e) || e.Issuer != issuer || !d.DB.Now().Before(e.Expires) {
		return Errand{}, because(fault.Denied, "errand_lost", nil)
	}
	return e, nil
}

// Stranger is somebody whom an issuer knows and nobody here yet, until they have
// proved whose account it is to open. It is kept by the browser, sealed.
type Stranger struct {
	Identity Identity  `json:"w"`
	Next     string    `json:"x"`
	Expires  time.Time `json:"e"`
}

// Wait seals a stranger for the browser that brought them.
func (d *Door) Wait(who Identity, next string) (sealed string, err error) {
	who.Name, who.Email = cut(clean(who.Name)), cut(who.Email)
	return d.sealJSON("stranger", Stranger{who, next, d.DB.Now().Add(strangerValid)})
}

// cut bounds what is kept of an issuer's words.
func cut(s string) string {
	if len(s) > maxEmail {
		return ""
	}
	return s
}

// Waiting reads the stranger of a browser; ok is false where there is none, or no
// longer.
func (d *Door) Waiting(sealed string) (s Stranger, ok bool) {
	ok = d.openJSON("stranger", sealed, &s) && d.DB.Now().Before(s.Expires)
	return s, ok
}

// mostSealed is how long a cookie of ours may be.
const mostSealed = 3000

func (d *Door) sealJSON(purpose string, what any) (string, error) {
	text, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	nonce := d.IDs.Bytes(nonceLen)
	return base64url(d.box(purpose).Seal(nonce, nonce, text, nil)), nil
}

func (d *Door) openJSON(purpose, sealed string, into any) bool {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) < nonceLen || len(sealed) > mostSealed {
		return false
	}
	b, err = d.box(purpose).Open(nil, b[:nonceLen], b[nonceLen:], nil)
	return err == nil && json.Unmarshal(b, into) == nil
}
