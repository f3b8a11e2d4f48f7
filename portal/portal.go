// Package portal is the customer's pages: lines, renewing, paying, orders,
// bills, wallet and account. They are rendered on the server, work without
// scripts, and are small enough for a throttled line.
//
// Whoever asks is nobody, a customer who has signed in, or somebody who holds
// a link to one line. Every page says in [Server.routes] for whom it is, and
// everything is looked up under the account of the one who asks: what belongs
// to somebody else does not exist.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package portal

import (
	"embed"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/device"
	"github.com/tsuzuku/tsuzuku/leaving"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/portal/prose"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/support"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Server serves the portal. Its fields are set before [Server.Handler] is
// called and not changed.
type Server struct {
	DB    *db.DB
	Desk  *order.Desk
	Door  *account.Door
	Shelf *catalogue.Shelf
	Log   *slog.Logger

	// Leaving gives out what we hold on a customer, and closes accounts.
	Leaving *leaving.Office

	// Advice says what to renew with; nil: nothing is advised.
	Advice *advice.Adviser

	// URL is the portal's public address without a slash at its end; payment
	// pages send customers back to it.
	URL string

	// Secure says that browsers reach URL by https: cookies then have the
	// __Host- prefix and are never sent without encryption.
	Secure bool

	// PayOrigins are the origins of payment providers' pages, which forms may
	// lead to: "https://checkout.stripe.com".
	PayOrigins []string

	// Contact is where questions go, a mail address or a page; empty: the
	// catalogue's.
	Contact string

	// Client names where a request came from, for limits; nil: its network
	// address. Behind a proxy it must be what the proxy says.
	Client func(*http.Request) string

	// Points are where the seller can be reached besides a case; Seller and Legal
	// are what the legal pages say.
	Points support.Points
	Seller prose.Facts
	Legal  prose.Legal

	// Heard says how operators and payment providers answered lately; nil: only
	// what waits for them is known.
	Heard *outbound.Heard

	// PushKey is the key that browsers give their push services, who then take
	// notifications from us alone; empty: the shop sends none.
	PushKey string

	// Issuers are those that customers can sign in at, in the order of their buttons.
	Issuers []account.Issuer

	// Papers opens what customers gave for an identity check; nil: there are none.
	Papers *seal.Box

	devices  device.Shelf
	status   statusShelf
	watchers watchers
	drawing  sync.Mutex // of photos

	uploading uploading
}

//go:embed pages/*.html
var pageFiles embed.FS

// pages is every template; it never changes.
var pages = ui.Pages(pageFiles, "pages/*.html")

// access says for whom a route is.
type access string

const (
	anyone   access = "anyone"
	customer access = "customer" // signed in
	holder   access = "holder"   // signed in, or with a link to the line that it is about
)

// route is one page or form.
type route struct {
	pattern string
	access  access
	handle  handler
}

// routes are all pages and forms. A test walks them as everybody.
func (s *Server) routes() []route {
	return slices.Concat(s.waysIn(), s.securityRoutes(), s.issuerRoutes(), s.tellingRoutes(), s.identityRoutes(), s.phoneRoutes(), s.chatRoutes(), []route{
		{"GET /{$}", anyone, s.home},
		{"GET /plans", anyone, s.plansPage},
		{"GET /plans/{id}", anyone, s.planPage},
		{"POST /plans/{id}", customer, s.chooseNew},
		{"GET /plans/{id}/rules", anyone, s.rules},
		{"GET /plans/{id}/devices", anyone, s.planDevices},
		{"GET /devices", anyone, s.devicesAnswer},
		{"GET /roaming", anyone, s.roamingPage},
		{"POST /devices", anyone, s.askDevice},

		{"GET /lines/{id}", customer, s.linePage},
		{"GET /lines/{id}/renew", holder, s.renewPage},
		{"POST /lines/{id}/renew", holder, s.choose},
		{"POST /lines/{id}/stay", holder, s.tellStay},
		{"GET /lines/{id}/cancel", customer, s.cancelLinePage},
		{"POST /lines/{id}/cancel", customer, s.cancelLine},
		{"GET /orders/{id}/cancel-period", customer, s.cancelPeriodPage},
		{"POST /orders/{id}/cancel-period", customer, s.cancelPeriod},
		{"GET /quotes/{id}", holder, s.reviewPage},
		{"POST /quotes/{id}", holder, s.accept},
		{"GET /orders/{id}", holder, s.orderPage},
		{"GET /orders/{id}/live", holder, s.watchOrder},
		{"POST /orders/{id}/pay", holder, s.payOrder},
		{"POST /orders/{id}/cancel", holder, s.cancelOrder},
		{"POST /orders/{id}/anew", customer, s.chooseAnew},

		{"GET /together", customer, s.togetherPage},
		{"POST /together", customer, s.chooseTogether},
		{"GET /together/review", customer, s.basketReview},
		{"POST /together/review", customer, s.acceptTogether},
		{"GET /together/{id}", customer, s.basketPage},
		{"POST /together/{id}/pay", customer, s.payBasket},

		{"GET /claim", customer, s.claimPage},
		{"POST /claim", customer, s.claimSIM},
		{"POST /claim/ask", customer, s.askClaim},
		{"GET /redeem", anyone, s.redeemPage},
		{"POST /redeem", customer, s.redeemCode},

		{"GET /bills/{id}", customer, s.billPage},
		{"GET /wallet", customer, s.walletPage},
		{"POST /wallet", customer, s.topUp},
		{"GET /account", customer, s.accountPage},
		{"POST /account", customer, s.saveAccount},
		{"POST /account/tools", customer, s.removeTool},
		{"POST /account/one-tap", customer, s.oneTap},
		{"GET /account/sessions", customer, s.sessionsPage},
		{"POST /account/sessions", customer, s.endSessions},

		{"GET /offline", anyone, s.offline},
		{"GET /manifest.webmanifest", anyone, s.manifest},

		{"GET /help", anyone, s.helpPage},
		{"GET /help/{topic}", anyone, s.helpTopic},
		{"GET /legal/{page}", anyone, s.legalPage},
		{"GET /status", anyone, s.statusPage},
		{"POST /account/bills", customer, s.saveBillTo},
		{"GET /inbox", customer, s.inboxPage},
		{"GET /inbox/{id}", customer, s.letterPage},
		{"GET /cases", customer, s.casesPage},
		{"GET " + newCase, customer, s.newCasePage},
		{"POST " + newCase, customer, s.openCase},
		{"GET /cases/{id}", customer, s.casePage},
		{"POST /cases/{id}", customer, s.answerCase},
		{"GET /cases/{id}/files/{n}", customer, s.caseFile},
	})
}

// waysIn are the pages and forms of signing in, and of opening one line without.
func (s *Server) waysIn() []route {
	return []route{
		{"GET /sign-in", anyone, s.signInPage},
		{"POST /sign-in", anyone, s.askCode},
		{"GET /sign-in/code", anyone, s.codePage},
		{"POST /sign-in/code", anyone, s.enterCode},
		{"POST /sign-in/password", anyone, s.enterPassword},
		{"POST /sign-in/passkey", anyone, s.enterPasskey},
		{"GET /passkey.js", anyone, s.passkeyScript},
		{"GET /password.js", anyone, s.passwordScript},
		{"POST /sign-out", anyone, s.signOut},
		{"GET /renew", anyone, s.cardPage},
		{"POST /renew", anyone, s.askLineCode},
		{"GET /renew/code", anyone, s.lineCodePage},
		{"POST /renew/code", anyone, s.enterLineCode},
		{"GET /r/{token}", anyone, s.openLink},
	}
}

// securityRoutes are those of how one signs in, and of leaving.
func (s *Server) securityRoutes() []route {
	return []route{
		{"GET /account/security", customer, s.securityPage},
		{"POST /account/security/password", customer, s.changePassword},
		{"POST /account/security/passkeys", customer, s.changePasskeys},
		{"POST /account/security/addresses", customer, s.changeAddresses},
		{"GET /account/security/data", customer, s.exportData},
		{"GET /account/security/close", customer, s.closePage},
		{"POST /account/security/close", customer, s.closeAccount},
		{"GET /account/security/code", customer, s.addressCodePage},
		{"POST /account/security/code", customer, s.enterAddressCode},
	}
}

// tellingRoutes are those of how customers are told.
func (s *Server) tellingRoutes() []route {
	return []route{
		{"GET " + tellingPath, customer, s.tellingPage},
		{"POST " + tellingPath, customer, s.saveTelling},
		{"POST " + tellingPath + "/devices", customer, s.changeDevices},
		{"GET /push.js", anyone, s.pushScript},
	}
}

// Handler answers every request for the portal. It is safe for concurrent use.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	s.watchers = newWatchers()
	mux.HandleFunc("GET /sw.js", s.worker)
	mux.HandleFunc("GET /static/{name}", s.static)
	for _, r := range s.routes() {
		mux.Handle(r.pattern, s.page(r.access, r.handle))
	}
	same := http.NewCrossOriginProtection()
	same.SetDenyHandler(s.page(anyone, crossOrigin))
	known := same.Handler(mux)
	lost, misused := s.page(anyone, noSuchPage), s.page(anyone, noSuchMethod)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.setHeaders(w.Header())
		if _, pattern := mux.Handler(r); pattern != "" {
			known.ServeHTTP(w, r)
			return
		}
		other := r.Clone(r.Context())
		other.Method = http.MethodGet
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			other.Method = http.MethodPost
		}
		if _, pattern := mux.Handler(other); pattern != "" {
			w.Header().Set("Allow", other.Method)
			misused.ServeHTTP(w, r)
			return
		}
		lost.ServeHTTP(w, r)
	})
}
