package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/portal/prose"
	"github.com/tsuzuku/tsuzuku/support"
)

// Contact is where customers reach the seller, besides cases.
type Contact struct {
	Mail  string `help:"Mail address for questions. Unset: the catalogue's contact." placeholder:"ADDRESS"`
	Phone string `help:"Phone number as people write it." placeholder:"NUMBER"`
	Hours string `help:"When the phone is answered, for example 9:00-18:00 JST." placeholder:"TEXT"`
	Chat  string `help:"Address of a chat." placeholder:"URL"`

	Community []string `help:"Groups of travellers, in the order in which they are shown: \"Name=https://…\"." placeholder:"NAME=URL" sep:"none"`
}

// Seller is what the legal pages say of the seller, besides what the catalogue
// says.
type Seller struct {
	Name           string `help:"Name in law. Unset: the catalogue's." placeholder:"NAME"`
	Address        string `help:"Address. Unset: the catalogue's." placeholder:"TEXT"`
	Representative string `help:"Person who answers for the shop." placeholder:"NAME"`
	Phone          string `help:"Phone number. Unset: that for questions." placeholder:"NUMBER"`
	Mail           string `help:"Mail address. Unset: that for questions." placeholder:"ADDRESS"`
	Number         string `help:"Registration number for tax. Unset: the catalogue's invoice number." placeholder:"TEXT"`
	LegalDir       string `help:"Folder with own legal pages, page.language.md, in place of ours: terms, privacy, commerce, refunds." placeholder:"DIR"`
}

// mostSetting is how long what customers read of the configuration may be.
const mostSetting = 300

var mailLike = regexp.MustCompile(`^[^\s@]+@[^\s@]+\.[^\s@]+$`)

// check reports what cannot be shown to customers.
func (c Contact) check() error {
	var errs []error
	if c.Mail != "" && !mailLike.MatchString(c.Mail) {
		errs = append(errs, fmt.Errorf("--contact-mail: %q is not a mail address", c.Mail))
	}
	if c.Chat != "" && !secure(c.Chat) {
		errs = append(errs, fmt.Errorf("--contact-chat: %q is not an https address", c.Chat))
	}
	for name, value := range map[string]string{"phone": c.Phone, "hours": c.Hours} {
		if len(value) > mostSetting || !utf8.ValidString(value) {
			errs = append(errs, fmt.Errorf("--contact-%s: give at most %d bytes of text", name, mostSetting))
		}
	}
	for _, group := range c.Community {
		if name, to, ok := strings.Cut(group, "="); !ok || strings.TrimSpace(name) == "" || !secure(to) {
			errs = append(errs, fmt.Errorf("--contact-community: %q is not of the form Name=https://…", group))
		}
	}
	return errors.Join(errs...)
}

// secure reports whether an address is whole and https.
func secure(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// points are the contact points as pages show them.
func (c Contact) points() support.Points {
	p := support.Points{Mail: c.Mail, Phone: c.Phone, Hours: c.Hours, Chat: c.Chat}
	for _, group := range c.Community {
		name, to, _ := strings.Cut(group, "=")
		p.Community = append(p.Community, support.Link{Name: strings.TrimSpace(name), To: to})
	}
	return p
}

// facts are what the configuration tells the legal pages.
func (c Config) facts() prose.Facts {
	return prose.Facts{
		Name: c.Seller.Name, Address: c.Seller.Address, Representative: c.Seller.Representative, Phone: c.Seller.Phone,
		Mail: c.Seller.Mail, Number: c.Seller.Number, URL: strings.TrimSuffix(c.URL, "/"),
	}.Or(prose.Facts{Phone: c.Contact.Phone, Hours: c.Contact.Hours, Mail: c.Contact.Mail})
}

// MissingFacts names the settings that the legal pages lack: there, nothing is said
// in their place. It is for a warning.
func (a *App) MissingFacts(ctx context.Context) ([]string, error) {
	f, err := db.Seen(ctx, a.DB, func(ctx context.Context, tx db.Tx) (prose.Facts, error) {
		cat, err := a.Shelf.Current(ctx, tx)
		if fault.KindOf(err) == fault.NotFound {
			return prose.Facts{}, nil
		}
		if err != nil {
			return prose.Facts{}, err
		}
		f := prose.Facts{Name: cat.Seller.Name, Address: cat.Seller.Address}
		if mailLike.MatchString(cat.Seller.Contact) {
			f.Mail = cat.Seller.Contact
		}
		return f, nil
	})
	missing := a.Config.facts().Or(f).Missing()
	for i := range missing {
		missing[i] = "--seller-" + missing[i]
	}
	return slices.DeleteFunc(missing, func(name string) bool { return name == "--seller-url" }), err
}
