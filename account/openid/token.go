package openid

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"github.com/tsuzuku/tsuzuku/account"
)

const hs256 = string(jose.HS256)

// secretKey verifies what is signed with the client's secret.
type secretKey string

// VerifySignature implements the library's KeySet.
func (s secretKey) VerifySignature(_ context.Context, jwt string) ([]byte, error) {
	if s == "" {
		return nil, errors.New("openid: there is no secret")
	}
	signed, err := jose.ParseSignedCompact(jwt, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return nil, err
	}
	return signed.Verify([]byte(s))
}

// claims are what we read of an ID token besides what the library does.
type claims struct {
	Party    string `json:"azp"`
	Email    string `json:"email"`
	Verified yes    `json:"email_verified"`
	Name     string `json:"name"`
}

// yes is true also where an issuer writes it as a text, as some do.
type yes bool

// UnmarshalJSON reads it.
func (y *yes) UnmarshalJSON(b []byte) error {
	*y = yes(slices.Contains([]string{`true`, `"true"`}, string(b)))
	return nil
}

// read takes an ID token and believes it if everything holds that OpenID Connect
// Core, section 3.1.3.7, asks for. Errors hold nothing of the token but names.
func (i *Issuer) read(ctx context.Context, k *known, q account.Question, raw string) (account.Identity, error) {
	t, err := k.verifier.Verify(ctx, raw) // signature, algorithm, issuer, audience, expiry
	if err != nil {
		return account.Identity{}, err
	}
	var c claims
	if err := t.Claims(&c); err != nil {
		return account.Identity{}, fmt.Errorf("openid: the claims cannot be read: %w", err)
	}
	latest := i.c.Now().Add(skew)
	switch {
	case len(t.Audience) != 1: // we trust nobody else for whom it is also meant
		err = errors.New("openid: the token is for others, too")
	case c.Party != "" && c.Party != i.c.ClientID:
		err = fmt.Errorf("openid: the token was given to %q", c.Party)
	case q.Nonce == "" || subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(q.Nonce)) != 1:
		err = errors.New("openid: the nonce is not the one that was asked with")
	case t.IssuedAt.IsZero() || t.IssuedAt.After(latest):
		err = errors.New("openid: the token was issued in the future, or nobody says when")
	case t.Subject == "" || utf8.RuneCountInString(t.Subject) > maxSubject:
		err = errors.New("openid: the token names nobody")
	}
	if err != nil {
		return account.Identity{}, err
	}
	return account.Identity{
		Issuer: i.c.Name, Address: i.c.Address, Subject: t.Subject,
		Email: c.Email, Verified: bool(c.Verified) && i.knowsMailOf(c.Email), Name: c.Name,
	}, nil
}

// knowsMailOf reports whether the issuer is believed of addresses like that.
func (i *Issuer) knowsMailOf(email string) bool {
	_, domain, ok := strings.Cut(strings.ToLower(email), "@")
	return ok && (len(i.c.Domains) == 0 || slices.ContainsFunc(i.c.Domains, func(d string) bool { return strings.EqualFold(d, domain) }))
}
