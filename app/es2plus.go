package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus"
	"github.com/tsuzuku/tsuzuku/hooks"
	"github.com/tsuzuku/tsuzuku/id"
)

// ES2Plus is the connection to the seller's own SM-DP+.
type ES2Plus struct {
	SMDP      `embed:""`
	Address   string                       `help:"The SM-DP+'s name for phones, as it stands in activation codes, for example smdp.example.com." placeholder:"NAME"`
	Renews    string                       `help:"Who renews the lines that the SM-DP+ makes, since ES2+ knows nothing of data: the name of a remote operator, or manual." placeholder:"ADAPTER"`
	Status    bool                         `help:"The SM-DP+ has getProfileStatus beside the functions of the specification: an order whose answer was lost is settled by it, and nothing is asked twice."`
	Point     map[int]carrier.ProfileState `help:"What a notification point beyond the specification's four means at this SM-DP+: --smdp-point 103=deleted. 5 is deleted, 101 enabled and 102 disabled unless said otherwise." placeholder:"NUMBER=STATE"`
	Listen    string                       `help:"Address on which the SM-DP+ tells what phones do with profiles, by HTTPS with certificates on both sides, for example 0.0.0.0:8443. Unset: nobody listens." placeholder:"ADDRESS"`
	ServeCert string                       `help:"File with the certificate of that address, and those above it, PEM. Unset: --smdp-cert." placeholder:"FILE"`
	ServeKey  string                       `help:"File with its key, PEM. Unset: --smdp-key." placeholder:"FILE"`
	Caller    []string                     `help:"Names of which one must stand in the certificate of who tells us, as its common name or DNS name. Unset: any that --smdp-ca vouches for." placeholder:"NAME"`
}

// SMDP is how an SM-DP+ is asked.
type SMDP struct {
	Base      string `name:"url" help:"Scheme and host of the SM-DP+'s ES2+ address, for example https://es2plus.example.com:8443. Unset: operators with carrier es2plus cannot be used." placeholder:"URL"`
	Requester string `help:"Our functionRequesterIdentifier: the object identifier that was agreed, for example 1.3.6.1.4.1.99999.1." placeholder:"OID"`
	Version   string `help:"Version of SGP.22 that is spoken. Unset: 2.2.0." placeholder:"VERSION"`
	Cert      string `help:"File with our certificate, and those above it, PEM." placeholder:"FILE"`
	Key       string `help:"File with its key, PEM." placeholder:"FILE"`
	CA        string `name:"ca" help:"File with the authorities that the SM-DP+'s certificates are from, PEM. No other is trusted." placeholder:"FILE"`
}

// check reports which settings are missing.
func (c ES2Plus) check() error {
	err := together("smdp", map[string]bool{
		"url": c.Base != "", "requester": c.Requester != "", "cert": c.Cert != "", "key": c.Key != "", "ca": c.CA != "",
		"address": c.Address != "", "renews": c.Renews != "",
	})
	if c.Base == "" && c.Listen != "" {
		err = errors.Join(err, errors.New("--smdp-listen needs the other settings of --smdp-…"))
	}
	if (c.ServeCert == "") != (c.ServeKey == "") {
		err = errors.Join(err, errors.New("--smdp-serve-cert and --smdp-serve-key go together"))
	}
	return err
}

// credentials are a certificate with its key, and whom we trust.
func credentials(certFile, keyFile, caFile string) (tls.Certificate, *x509.CertPool, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return cert, nil, err
	}
	text, err := os.ReadFile(caFile) //nolint:gosec // the engineer chooses the file
	if err != nil {
		return cert, nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return cert, nil, fmt.Errorf("%s: no certificate in PEM", caFile)
	}
	return cert, pool, nil
}

// transport shows our certificate, and trusts the configured authorities alone.
func (c SMDP) transport() (http.RoundTripper, error) {
	cert, pool, err := credentials(c.Cert, c.Key, c.CA)
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, RootCAs: pool},
		Proxy:           http.ProxyFromEnvironment, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
	}, nil
}

// smdp builds the adapter to the seller's SM-DP+, on that of who renews its lines.
func (a *Adapters) smdp(c Config, env Env, ids *id.Source) error {
	if c.ES2Plus.Base == "" {
		return nil
	}
	renews := a.Carriers[c.ES2Plus.Renews]
	if _, isRemote := c.Remote.URL[c.ES2Plus.Renews]; renews == nil || !isRemote && c.ES2Plus.Renews != "manual" {
		return fmt.Errorf("--smdp-renews: %q is neither manual, with --manual-within, nor a configured remote operator", c.ES2Plus.Renews)
	}
	transport, err := c.ES2Plus.transport()
	if err != nil {
		return wrap(es2plus.Name, err)
	}
	e, err := es2plus.New(es2plus.Config{
		URL: c.ES2Plus.Base, Requester: c.ES2Plus.Requester, Version: c.ES2Plus.Version, Address: c.ES2Plus.Address, Status: c.ES2Plus.Status,
		Secret: string(c.Secret), Points: c.ES2Plus.Point,
	}, renews, env.over(es2plus.Name, 5, transport), env.Now, nonce(ids))
	if err != nil {
		return wrap(es2plus.Name, err)
	}
	a.Carriers[e.Name()], a.CarrierHooks[e.Name()], a.Profiles = e, signedHook, e
	return nil
}

// Door is an address of its own, beside the shop's.
type Door struct {
	Address string
	TLS     *tls.Config
	Handler http.Handler
}

// ProfileDoor is where an SM-DP+ tells what phones do with profiles. ok is false where
// none is configured.
func (a *App) ProfileDoor() (d Door, ok bool, err error) {
	c := a.Config.ES2Plus
	if c.Listen == "" || a.adapters.Profiles == nil {
		return Door{}, false, nil
	}
	cert, pool, err := credentials(cmp.Or(c.ServeCert, c.Cert), cmp.Or(c.ServeKey, c.Key), c.CA)
	if err != nil {
		return Door{}, false, wrap(es2plus.Name, err)
	}
	server := &hooks.Server{Desk: a.Desk, Log: a.Env.Log}
	return Door{c.Listen, &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
		VerifyConnection: func(s tls.ConnectionState) error { return known(s.PeerCertificates, c.Caller) },
	}, server.Profiles(a.adapters.Profiles)}, true, nil
}

// known refuses a caller whose certificate has none of the names; without names it
// refuses nobody. The authority was looked at before.
func known(certs []*x509.Certificate, names []string) error {
	if len(names) == 0 {
		return nil
	}
	for _, name := range names {
		same := func(other string) bool { return strings.EqualFold(name, other) }
		if len(certs) > 0 && (same(certs[0].Subject.CommonName) || slices.ContainsFunc(certs[0].DNSNames, same)) {
			return nil
		}
	}
	return errors.New("the certificate is of a caller that is not configured")
}

// Listener listens at the door.
func (d Door) Listener(ctx context.Context) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", d.Address)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(l, d.TLS), nil
}

// SMDPHand asks an SM-DP+ for what staff want by hand.
type SMDPHand = es2plus.Client

// SMDPWish is which profile a download order is for.
type SMDPWish = es2plus.Wish

// SMDPConfirmation is what confirms it.
type SMDPConfirmation = es2plus.Confirmation

// SMDPTaken is an order that is taken back.
type SMDPTaken = es2plus.Taken

// ActivationCode is what a phone installs a profile with.
func ActivationCode(address, matching string) string {
	return es2plus.ActivationCode(address, matching)
}

// SMDPClient asks an SM-DP+ as staff do, without a shop.
func SMDPClient(c SMDP, env Env) (*SMDPHand, error) {
	if missing := together("smdp", map[string]bool{
		"url": c.Base != "", "requester": c.Requester != "", "cert": c.Cert != "", "key": c.Key != "", "ca": c.CA != "",
	}); missing != nil || c.Base == "" {
		return nil, errors.Join(missing, errors.New("give the --smdp-… settings of the server"))
	}
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	return es2plus.NewClient(c.Base, c.Requester, c.Version, env.over(es2plus.Name, 5, transport), nonce(id.NewSource(env.Now, env.Random)))
}
