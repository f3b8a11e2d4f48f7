package portal

import (
	"net/http"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/ui"
)

// The cookies. With https their names have the prefix __Host-, by which
// browsers refuse them from anybody but this very host.
const (
	sessionCookie    = "session"
	linkCookie       = "line" // a reminder's link
	challengeCookie  = "challenge"
	newAddressCookie = "newaddress" // the challenge of an address that is to be added
	cardCookie       = "card"       // the challenge of a line's code
	addressCookie    = "address"    // where the code went, to be shown
	languageCookie   = "lang"
	currencyCookie   = "currency"
	errandCookie     = "errand"   // the way to an issuer and back
	strangerCookie   = "stranger" // whom an issuer knows and nobody here yet
	deviceCookie     = "device"   // which of the devices that show notifications this is
	markCookie       = "known"    // by which the account's owner need not be told of signing in here
)

const (
	year = 365 * 24 * time.Hour
	day  = 24 * time.Hour
)

func (s *Server) cookieName(name string) string {
	if s.Secure {
		return "__Host-" + name
	}
	return name
}

// cookie is a cookie's value, or "".
func (v *visit) cookie(name string) string {
	c, err := v.r.Cookie(v.server.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

func (v *visit) setCookie(name, value string, life time.Duration) {
	http.SetCookie(v.w, &http.Cookie{ //nolint:gosec // Secure is off only where the portal is reached without https: the demo
		Name: v.server.cookieName(name), Value: value, Path: "/", MaxAge: int(life / time.Second),
		Secure: v.server.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (v *visit) clearCookie(name string) { v.setCookie(name, "", -time.Second) }

// setHeaders sets what protects every page: nothing is loaded but the page, its
// own style and pictures, and our own scripts, which speak with nobody else;
// nothing inside a page is ever run; forms lead here and to payment pages;
// nobody frames it; nothing personal stays in a browser's cache.
func (s *Server) setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; manifest-src 'self'; "+
		"style-src "+ui.StyleSource()+"; img-src 'self' data:; form-action "+
		strings.Join(append([]string{"'self'"}, s.PayOrigins...), " ")+"; frame-ancestors 'none'; base-uri 'none'")
	// Not "no-referrer", with which browsers say that our own forms come from
	// nowhere.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-store")
	h.Set("Accept-CH", "Save-Data, ECT, RTT") // see slowLine
	if s.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
