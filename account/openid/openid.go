// Package openid asks OpenID providers who somebody is: the authorization code flow
// of OpenID Connect Core 1.0, with PKCE (RFC 7636, S256 alone), a nonce, and the
// issuer's name in its answer (RFC 9207). What is signed is read by
// github.com/coreos/go-oidc; here stands what is asked, and what must hold.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package openid

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/outbound"
)

const (
	// skew is how far the issuer's clock may be from ours.
	skew = time.Minute

	// lookAgain is for how long what an issuer says of itself is believed.
	lookAgain = 6 * time.Hour

	maxSubject = 255 // characters, by OpenID Connect Core, section 2
	maxAnswer  = 4096
)

// Config is one issuer as the seller's engineer describes it.
type Config struct {
	Name, Title  string
	Address      string // the issuer identifier: exactly what stands in its tokens as iss
	ClientID     string
	ClientSecret string

	// Scopes are asked for besides openid; nil: email and profile.
	Scopes []string

	// BySecret says that tokens are signed with the client's secret (HS256), and
	// with nothing else: LINE's for web pages are. Otherwise they are signed with a
	// key of the issuer's (RS256 or ES256), and with nothing else.
	BySecret bool

	// Domains are those of which the issuer is believed that somebody reads mail
	// there; nil: of all.
	Domains []string

	Now func() time.Time
}

// Issuer is one OpenID provider. It is safe for concurrent use.
type Issuer struct {
	c    Config
	http *http.Client

	mu    sync.Mutex
	known *known // what it says of itself; nil: not asked yet
}

// known is what an issuer says of itself.
type known struct {
	at       time.Time
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
	namesOut bool // it puts its name into what a browser comes back with (RFC 9207)
}

// New returns an issuer that is called with client. Nothing is asked yet.
func New(c Config, client *outbound.Client) *Issuer {
	if c.Scopes == nil {
		c.Scopes = []string{"email", "profile"}
	}
	return &Issuer{c: c, http: &http.Client{Transport: wire{client.RoundTripper()}}}
}

// Name implements [account.Issuer].
func (i *Issuer) Name() string { return i.c.Name }

// Title implements [account.Issuer].
func (i *Issuer) Title() string { return i.c.Title }

// Ask implements [account.Issuer].
func (i *Issuer) Ask(ctx context.Context, q account.Question) (string, error) {
	k, err := i.look(ctx)
	if err != nil {
		return "", account.IssuerSilent(i.c.Title, err)
	}
	o := k.oauth
	o.RedirectURL = q.Redirect
	return o.AuthCodeURL(q.State, oidc.Nonce(q.Nonce), oauth2.S256ChallengeOption(q.Verifier)), nil
}

// look asks the issuer what it says of itself, unless that is known.
func (i *Issuer) look(ctx context.Context) (*known, error) {
	i.mu.Lock()
	k := i.known
	i.mu.Unlock()
	if k != nil && i.c.Now().Sub(k.at) < lookAgain {
		return k, nil
	}
	fresh, err := i.discover(ctx)
	if err != nil && k != nil {
		return k, nil // what it said hours ago is better than nothing
	}
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.known = fresh
	return fresh, nil
}

// metadata is what we need of an issuer's own description besides what the library
// reads (OpenID Connect Discovery 1.0; RFC 9207, section 3).
type metadata struct {
	Keys     string   `json:"jwks_uri"`
	Methods  []string `json:"token_endpoint_auth_methods_supported"`
	NamesOut bool     `json:"authorization_response_iss_parameter_supported"`
}

func (i *Issuer) discover(ctx context.Context) (*known, error) {
	ctx = oidc.ClientContext(ctx, i.http)
	p, err := oidc.NewProvider(ctx, i.c.Address)
	if err != nil {
		return nil, err
	}
	var m metadata
	if err := p.Claims(&m); err != nil {
		return nil, err
	}
	end := p.Endpoint()
	end.AuthStyle = oauth2.AuthStyleInHeader // the specification's own default
	if len(m.Methods) > 0 && !slices.Contains(m.Methods, "client_secret_basic") {
		end.AuthStyle = oauth2.AuthStyleInParams
	}
	for _, at := range []string{end.AuthURL, end.TokenURL, m.Keys} {
		if !i.mayLead(at) {
			return nil, fmt.Errorf("openid: %s names the address %q, which is not encrypted or none", i.c.Name, at)
		}
	}
	config := &oidc.Config{
		ClientID: i.c.ClientID, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256},
		Now: func() time.Time { return i.c.Now().Add(-skew) },
	}
	verifier := oidc.NewVerifier(i.c.Address, keys{oidc.NewRemoteKeySet(ctx, m.Keys)}, config)
	if i.c.BySecret {
		config.SupportedSigningAlgs = []string{hs256}
		verifier = oidc.NewVerifier(i.c.Address, secretKey(i.c.ClientSecret), config)
	}
	return &known{
		at: i.c.Now(), verifier: verifier, namesOut: m.NamesOut,
		oauth: oauth2.Config{
			ClientID: i.c.ClientID, ClientSecret: i.c.ClientSecret, Endpoint: end, Scopes: append([]string{oidc.ScopeOpenID}, i.c.Scopes...),
		},
	}, nil
}

// mayLead reports whether an address that the issuer names is as well encrypted as
// its own.
func (i *Issuer) mayLead(at string) bool {
	u, err := url.Parse(at)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(i.c.Address, "http://"))
}

// Hear implements [account.Issuer].
func (i *Issuer) Hear(ctx context.Context, q account.Question, back url.Values) (account.Identity, error) {
	k, err := i.look(ctx)
	if err != nil {
		return account.Identity{}, account.IssuerSilent(i.c.Title, err)
	}
	code, err := i.answered(k, q, back)
	if err != nil {
		return account.Identity{}, err
	}
	raw, err := i.exchange(ctx, k, q, code)
	if err != nil {
		return account.Identity{}, err
	}
	var keysMissing error
	who, err := i.read(context.WithValue(ctx, missing{}, &keysMissing), k, q, raw)
	switch {
	case err == nil:
		return who, nil
	case keysMissing != nil:
		return account.Identity{}, account.IssuerSilent(i.c.Title, keysMissing)
	}
	return account.Identity{}, account.IssuerUntrue(i.c.Title, err)
}

// answered reads what the browser came back with: once it is clear that it is ours,
// and this issuer's.
func (i *Issuer) answered(k *known, q account.Question, back url.Values) (code string, err error) {
	for name, all := range back {
		if len(all) > 1 || len(all[0]) > maxAnswer {
			return "", account.IssuerUntrue(i.c.Title, fmt.Errorf("openid: parameter %q came twice or is too long", name))
		}
	}
	if q.State == "" || subtle.ConstantTimeCompare([]byte(back.Get("state")), []byte(q.State)) != 1 {
		return "", account.IssuerUntrue(i.c.Title, errors.New("openid: the state is not the one that this browser was given"))
	}
	if iss := back.Get("iss"); iss != i.c.Address && (iss != "" || k.namesOut) {
		return "", account.IssuerUntrue(i.c.Title, fmt.Errorf("openid: the answer is from issuer %q", iss))
	}
	if e := back.Get("error"); e != "" {
		err := fmt.Errorf("openid: the issuer answered %q", e)
		switch e {
		case "access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required":
			return "", account.IssuerRefused(i.c.Title, err)
		}
		return "", account.IssuerSilent(i.c.Title, err)
	}
	if back.Get("code") == "" {
		return "", account.IssuerUntrue(i.c.Title, errors.New("openid: the answer has no code"))
	}
	return back.Get("code"), nil
}

// exchange shows the code and gets what the issuer signed. It is asked once: a code
// is good once, and whoever has no answer begins anew.
func (i *Issuer) exchange(ctx context.Context, k *known, q account.Question, code string) (raw string, err error) {
	o := k.oauth
	o.RedirectURL = q.Redirect
	t, err := o.Exchange(oidc.ClientContext(ctx, i.http), code, oauth2.VerifierOption(q.Verifier))
	refused, answered := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case answered: // what it says besides may hold what we sent
		return "", account.IssuerUntrue(i.c.Title, fmt.Errorf("openid: the code was refused: %q", refused.ErrorCode))
	case silent(err):
		return "", account.IssuerSilent(i.c.Title, err)
	case err != nil:
		return "", account.IssuerUntrue(i.c.Title, errors.New("openid: the answer to the code cannot be read"))
	}
	raw, ok := t.Extra("id_token").(string)
	if !ok || raw == "" {
		return "", account.IssuerUntrue(i.c.Title, errors.New("openid: the answer to the code has no ID token"))
	}
	return raw, nil
}

// silent reports whether an issuer gave no answer that means anything.
func silent(err error) bool {
	return errors.Is(err, outbound.ErrNotSent) || errors.Is(err, outbound.ErrSilent)
}

// wire carries requests to the issuer. An answer that says that the issuer is broken
// is none, whoever asked: the library tells the two apart by their words alone.
type wire struct{ under http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := w.under.RoundTrip(r)
	if err == nil && a.StatusCode >= http.StatusInternalServerError {
		return nil, errors.Join(fmt.Errorf("%w: status %d", outbound.ErrSilent, a.StatusCode), a.Body.Close())
	}
	return a, err
}

// keys are an issuer's, and remember why they could not be had: the library passes on
// only the words.
type keys struct{ under oidc.KeySet }

// missing is where keys write down why they could not be had.
type missing struct{}

// VerifySignature implements the library's KeySet.
func (k keys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.under.VerifySignature(ctx, jwt)
	if why, ok := ctx.Value(missing{}).(*error); ok && silent(err) {
		*why = err
	}
	return payload, err
}
