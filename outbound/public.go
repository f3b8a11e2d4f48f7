package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// maxURL is how long an address may be that a stranger gives us.
const maxURL = 1000

// errNotPublic says that an address is not on the public internet.
var errNotPublic = errors.New("outbound: not a public address")

// PublicURL reads an address that a stranger gives us, to be called by a client
// with [PublicTransport]: https, at a name and at the usual port, and nobody's
// password in it. What the name stands for is seen when it is called.
func PublicURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxURL {
		return nil, errors.New("outbound: not an address that can be read")
	}
	host := u.Hostname()
	_, number := netip.ParseAddr(host)
	if u.Scheme != "https" || u.User != nil || u.Fragment != "" || u.Opaque != "" || u.Port() != "" && u.Port() != "443" ||
		number == nil || !strings.Contains(strings.Trim(host, "."), ".") || strings.Trim(host[strings.LastIndexByte(host, '.')+1:], "0123456789") == "" {
		return nil, errNotPublic
	}
	return u, nil
}

// PublicTransport carries requests to addresses that strangers gave us. It looks at
// the number that a name stands for at the moment of the call, and refuses what is
// not on the public internet: our own machine, its neighbours, a cloud's own
// services. It uses no proxy: a proxy would look for us, and see more than we.
func PublicTransport() *http.Transport {
	d := &net.Dialer{Timeout: 10 * time.Second, ControlContext: refuseNeighbours}
	return &http.Transport{
		DialContext: d.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second,
	}
}

func refuseNeighbours(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !public(at.Addr()) || at.Port() != 443 {
		return fmt.Errorf("%w: %s", errNotPublic, address)
	}
	return nil
}

// special are addresses that are for some purpose of their own, by the registries
// of IANA (RFC 6890), besides those that package netip knows.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("fec0::/10"),
}

func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
