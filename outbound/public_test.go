package outbound

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestAddressesOfStrangers(t *testing.T) {
	for _, s := range []string{
		"https://fcm.googleapis.com/fcm/send/abc:def", "https://updates.push.services.mozilla.com:443/wpush/v2/x?y=1", "https://web.push.apple.com/Q",
	} {
		if _, err := PublicURL(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{
		"http://fcm.googleapis.com/x", "https://127.0.0.1/x", "https://[::1]/x", "https://localhost/x", "https://intranet/x", "https://a.b:8443/x",
		"https://user@a.b/x", "https://a.b/x#y", "ftp://a.b/", "//a.b/", "https:a.b", "https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://169.254.169.254/latest",
		"https://a.b/" + strings.Repeat("x", maxURL), "https://a.b/\r\nX: y", "", "https://.", "https://localhost./",
	} {
		if u, err := PublicURL(s); err == nil {
			t.Errorf("%s is taken: %v", s, u)
		}
	}
}

func TestPublicNumbers(t *testing.T) {
	for _, s := range []string{"8.8.8.8", "142.250.1.1", "2a00:1450:4001::1", "::ffff:8.8.8.8"} {
		if !public(netip.MustParseAddr(s)) {
			t.Errorf("%s is not public", s)
		}
	}
	for _, s := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255", "198.18.0.1",
		"::1", "::", "fe80::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "fec0::1",
	} {
		if public(netip.MustParseAddr(s)) {
			t.Errorf("%s is public", s)
		}
	}
}

// A name that stands for our own machine is not called, whatever it is called.
func TestNoStrangerLeadsUsHome(t *testing.T) {
	asked := false
	here := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(here.Close)
	c := New(Options{Transport: PublicTransport()})
	for _, to := range []string{here.URL, strings.Replace(here.URL, "127.0.0.1", "localhost", 1), "https://localhost/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Do(t.Context(), r); !errors.Is(err, ErrNotSent) || !errors.Is(err, errNotPublic) {
			t.Errorf("%s: %v, want that it is refused", to, err)
		}
	}
	if asked {
		t.Error("our own machine was called")
	}
}
