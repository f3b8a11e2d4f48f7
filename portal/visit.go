package portal

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// visit is one request with everything that is known of the one who asks.
type visit struct {
	server  *Server
	w       http.ResponseWriter // for cookies; the wrapper writes the page
	r       *http.Request
	voice   ui.Voice
	shop    *catalogue.Catalogue // the current one; an empty one before the first is applied
	account account.Account      // zero: nobody has signed in
	session account.Session
	link    account.Link // the one line that a reminder's link opens; zero: no link
	sheet   ui.Sheet     // the storybook's; "": the page's own
}

// errSignIn says that a page needs somebody who has signed in.
var errSignIn = errors.New("portal: nobody has signed in")

// greet finds out who asks, and in which language.
func (s *Server) greet(ctx context.Context, w http.ResponseWriter, r *http.Request) (*visit, error) {
	v := &visit{server: s, w: w, r: r, shop: &catalogue.Catalogue{}}
	v.voice = ui.NewVoice(v.language(), nil, s.DB.Now())
	shop, err := db.Seen(ctx, s.DB, s.Shelf.Current)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return v, err
	}
	if err == nil {
		v.shop = shop
	}
	if token := v.cookie(sessionCookie); token != "" {
		v.session, v.account, err = s.Door.Who(ctx, token)
		switch {
		case fault.KindOf(err) == fault.Denied:
			v.clearCookie(sessionCookie)
		case err != nil:
			return v, err
		}
	}
	if token := v.cookie(linkCookie); token != "" {
		v.link, err = s.Door.Link(ctx, token)
		switch fault.KindOf(err) {
		case "":
		case fault.Denied, fault.NotFound:
			v.clearCookie(linkCookie)
		case fault.Invalid, fault.Conflict, fault.TooMany, fault.Unavailable, fault.Internal:
			return v, err
		}
	}
	v.voice = ui.NewVoice(v.language(), v.zone(), s.DB.Now())
	return v, nil
}

// language is what the visitor chose here, else what their account says, else
// what their browser asks for.
func (v *visit) language() locale.Language {
	if l, ok := locale.Parse(v.cookie(languageCookie)); ok {
		return l
	}
	if v.account.ID != "" {
		return v.account.Language
	}
	return locale.Match(v.r.Header.Get("Accept-Language"))
}

// zone is the traveller's own; nil where they have not said.
func (v *visit) zone() *time.Location {
	if v.account.Zone == "" {
		return nil
	}
	loc, err := v.account.Zone.Location()
	if err != nil {
		return nil
	}
	return loc
}

// may fails unless the visitor is one of those whom a route is for.
func (v *visit) may(a access) error {
	switch a {
	case anyone:
		return nil
	case holder:
		if v.account.ID != "" || v.link.Line != "" {
			return nil
		}
	case customer:
		if v.account.ID != "" {
			return nil
		}
	}
	return errSignIn
}

// keyhole is how a visitor looks at one thing: under which account, and whether
// only through a link to one line.
type keyhole struct {
	account string
	line    string // with a link: the only line
	link    string // which link
}

// limited reports whether the visitor has only a link.
func (k keyhole) limited() bool { return k.line != "" }

// shows fails unless the line may be seen through k.
func (k keyhole) shows(line string) error {
	if k.limited() && line != k.line {
		return errSignIn
	}
	return nil
}

// at says how the visitor may look at the thing with that identifier: as the
// owner of it, or through a link of its owner. Of what is somebody else's it
// says that it does not exist, without looking.
func (v *visit) at(thing string) (keyhole, error) {
	owner, err := id.AccountOf(thing)
	switch {
	case err != nil:
		return keyhole{}, err
	case v.account.ID == owner:
		return keyhole{account: owner}, nil
	case v.link.Account == owner:
		return keyhole{account: owner, line: v.link.Line, link: v.link.ID}, nil
	case v.account.ID == "":
		return keyhole{}, errSignIn
	}
	return keyhole{}, fault.Because(fault.NotFound, "no_such_id", "There is no such thing. Check the link.", nil)
}

// mayBuy fails as [account.Account.MayBuy] does.
func (v *visit) mayBuy(ctx context.Context, k keyhole) error {
	a, err := db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) {
		return account.Get(ctx, tx, k.account)
	})
	if err != nil {
		return err
	}
	return a.MayBuy()
}

// frame is what the page has around its contents.
func (v *visit) frame(title string) ui.Frame {
	f := ui.Frame{
		Voice: v.voice, Title: title, Shop: v.shop.Seller.Name, Contact: v.server.Contact,
		Languages: ui.LanguageChoices(v.voice.Lang), SignedIn: v.account.ID != "", Sheet: v.sheet,
		Script: statics.address("shop.js"), Icon: statics.address(ui.AppleIcon),
	}
	if f.Shop == "" {
		f.Shop = "Tsuzuku"
	}
	if f.Contact == "" {
		f.Contact = v.shop.Seller.Contact
	}
	return f
}

// publicFrame is the frame of a page that everybody may see, and find.
func (v *visit) publicFrame(title, about string) ui.Frame {
	f := v.frame(title)
	f.About = about
	return f
}

// shopZone is the zone of the shop's own days.
func (v *visit) shopZone() *time.Location {
	loc, err := v.shop.Seller.Zone.Location()
	if err != nil {
		return time.UTC
	}
	return loc
}

// client names where the request came from.
func (v *visit) client() string {
	if v.server.Client != nil {
		return v.server.Client(v.r)
	}
	host, _, err := net.SplitHostPort(v.r.RemoteAddr)
	if err != nil {
		return v.r.RemoteAddr
	}
	return host
}

// maxNext bounds the path that somebody goes on to after signing in.
const maxNext = 300

// safeNext is next if it is a path of the portal, else the home page: no
// address leads from here to another site.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || len(next) > maxNext || u.Scheme != "" || u.Host != "" || u.User != nil ||
		!strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
