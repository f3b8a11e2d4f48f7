package account

import (
	"context"
	"net/url"

	"github.com/tsuzuku/tsuzuku/fault"
)

// Identity is somebody as an issuer knows them.
type Identity struct {
	Issuer   string // its name in the configuration: "google"
	Address  string // by which it is known everywhere: "https://accounts.google.com"
	Subject  string // its name for the person; it never changes and is nobody else's
	Email    string // may be empty, or no address at all
	Verified bool   // the issuer has seen that the person reads mail at Email
	Name     string // what they are called there; may be empty
}

// Question is what one browser asks an issuer once. What is random in it is told
// apart: State comes back with the browser, Nonce in what the issuer signs, and the
// issuer has seen only a hash of Verifier when it is shown (RFC 7636).
type Question struct {
	State, Nonce, Verifier string
	Redirect               string // where the issuer sends the browser back to
}

// Issuer says who somebody is: a large service or a company's own sign-in. It is
// a stranger, so nothing is asked of it inside a transaction.
type Issuer interface {
	// Name is what it is called in addresses and in the database: letters, digits
	// and hyphens.
	Name() string

	// Title is what customers know it by.
	Title() string

	// Ask is where a browser is sent to ask it. It fails with
	// [fault.Unavailable] where the issuer does not say how it is asked.
	Ask(ctx context.Context, q Question) (string, error)

	// Hear takes what the browser came back with. It fails with [fault.Denied],
	// reason issuer_refused where the person said no there, and issuer_untrue for
	// whatever does not hold; and with [fault.Unavailable] where the issuer does
	// not answer.
	Hear(ctx context.Context, q Question, back url.Values) (Identity, error)
}

// IssuerSilent is why something failed that an issuer did not answer: its title
// goes into the sentence.
func IssuerSilent(title string, err error) error {
	return issuerFault(fault.Unavailable, "issuer_silent", title, err)
}

// IssuerRefused is why something failed that the person said no to, at the issuer.
func IssuerRefused(title string, err error) error {
	return issuerFault(fault.Denied, "issuer_refused", title, err)
}

// IssuerUntrue is why something failed that an issuer is said to have said. err
// says for the log what does not hold; it must hold no token.
func IssuerUntrue(title string, err error) error {
	return issuerFault(fault.Denied, "issuer_untrue", title, err)
}

func issuerFault(k fault.Kind, reason, title string, err error) error {
	f := because(k, reason, map[string]string{"issuer": title})
	f.Err = err
	return f
}
