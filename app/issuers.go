package app

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/account/openid"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// Issuers are the OpenID providers that customers may sign in at, by a name that the
// seller's engineer chooses: it stands in the address that the provider is told.
type Issuers struct {
	URL      map[string]string `help:"OpenID provider that customers may sign in at, by a name of your choice: --issuer-url google=https://accounts.google.com. It is told the address URL/sign-in/with/NAME/back. Unset: there is none." placeholder:"NAME=URL"`
	Title    map[string]string `help:"What customers know it by: \"Sign in with …\". Unset: its name." placeholder:"NAME=TEXT"`
	ClientID map[string]string `name:"client-id" help:"Client ID that it gave you." placeholder:"NAME=ID"`
	Secret   map[string]Secret `help:"Client secret that it gave you." placeholder:"NAME=SECRET"`
	Scopes   map[string]string `help:"What is asked for besides openid, with spaces between. Unset: email profile." placeholder:"NAME=SCOPES"`
	Domains  map[string]string `help:"Its word that somebody reads mail at an address is taken for these domains only, with spaces between. Unset: for all. Whoever it says reads a customer's mail can never take an account over by that; but can make one for an address that nobody has here." placeholder:"NAME=DOMAINS"`
	BySecret []string          `help:"Those whose tokens are signed with the client secret (HS256) and not with a key of their own: LINE's for web pages." placeholder:"NAME"`
	Private  []string          `help:"Those that are reached at an address inside of your own network, at another port than 443 or without https. All others must be on the public internet." placeholder:"NAME"`
}

var issuerName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}$`)

// leastMAC is how long a secret must be that signs tokens, by RFC 7518, section 3.2.
const leastMAC = 32

// check reports what is wrong.
func (i Issuers) check() error {
	var errs []error
	say := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(i.names())) {
		switch {
		case !issuerName.MatchString(name):
			say("--issuer-url: %q is no name; use small letters, digits and hyphens", name)
			continue
		case i.URL[name] == "" || i.ClientID[name] == "" || i.Secret[name] == "":
			say("the issuer %q is configured in part: give --issuer-url, --issuer-client-id and --issuer-secret %s=…", name, name)
			continue
		case slices.Contains(i.BySecret, name) && len(i.Secret[name]) < leastMAC:
			say("--issuer-secret: %s signs tokens with it, and it has less than %d characters", name, leastMAC)
		}
		u, err := url.Parse(i.URL[name])
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
			say("--issuer-url: %s has no address like https://accounts.google.com", name)
			continue
		}
		if _, number := netip.ParseAddr(u.Hostname()); !slices.Contains(i.Private, name) && (u.Scheme != "https" || number == nil || u.Port() != "" && u.Port() != "443") {
			say("--issuer-url: %s is not at a public https address at port 443; if it is inside of your own network, say --issuer-private %s", name, name)
		}
	}
	return errors.Join(errs...)
}

// names are all that something is said about.
func (i Issuers) names() map[string]bool {
	all := map[string]bool{}
	for _, some := range []map[string]string{i.URL, i.Title, i.ClientID, i.Scopes, i.Domains} {
		for name := range some {
			all[name] = true
		}
	}
	for name := range i.Secret {
		all[name] = true
	}
	for _, name := range slices.Concat(i.BySecret, i.Private) {
		all[name] = true
	}
	return all
}

// issuerTimeout is how long one call to an issuer may take: a person waits for it.
const issuerTimeout = 8 * time.Second

// issuers are those that are configured, by name.
func (c Config) issuers(env Env) (all []account.Issuer) {
	for _, name := range slices.Sorted(maps.Keys(c.Issuers.URL)) {
		o := openid.Config{
			Name: name, Title: cmp.Or(c.Issuers.Title[name], name), Address: c.Issuers.URL[name], ClientID: c.Issuers.ClientID[name],
			ClientSecret: string(c.Issuers.Secret[name]), BySecret: slices.Contains(c.Issuers.BySecret, name),
			Domains: strings.Fields(c.Issuers.Domains[name]), Now: env.Now,
		}
		if scopes, given := c.Issuers.Scopes[name]; given {
			o.Scopes = strings.Fields(scopes)
		}
		all = append(all, openid.New(o, env.issuerClient(name, slices.Contains(c.Issuers.Private, name))))
	}
	return all
}

// issuerClient calls an issuer, and whatever address that names, on the public
// internet unless it is the seller's own.
func (e Env) issuerClient(name string, private bool) *outbound.Client {
	o := outbound.Options{Timeout: issuerTimeout, RatePerSecond: 20, Observe: func(p outbound.Point) { e.point(string(p)) }}
	if !private {
		o.Transport = outbound.PublicTransport()
	}
	if e.Transport != nil {
		if t := e.Transport(issuerStranger + name); t != nil {
			o.Transport = t
		}
	}
	return outbound.New(o)
}

// issuerStranger and its name are what a town calls an issuer.
const issuerStranger = "issuer "
