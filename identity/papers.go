package identity

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/seal"
)

// Purpose names the box that papers and photos are sealed with, see [seal.New].
const Purpose = "identity"

// Document is what shows who somebody is. The values are stored; do not rename.
type Document string

// Documents are what can be shown, in the order in which they are offered.
var Documents = []Document{"passport", "residence_card", "driving_licence"}

// Papers are what a customer writes about themselves. They print as nothing, in logs
// too: whoever shows them names the field.
type Papers struct {
	Name        string   `json:"name"`        // as in the document
	Nationality string   `json:"nationality"` // ISO 3166
	Born        string   `json:"born"`        // YYYY-MM-DD
	Document    Document `json:"document"`
	Number      string   `json:"number"`         // of the document
	Expires     string   `json:"expires"`        // the document's last day, YYYY-MM-DD
	Stay        string   `json:"stay,omitempty"` // where they live or stay; may be empty
}

// hidden is what papers print as.
const hidden = "[identity]"

// String says nothing.
func (p Papers) String() string { return hidden }

// GoString says nothing.
func (p Papers) GoString() string { return hidden }

// LogValue says nothing.
func (p Papers) LogValue() slog.Value { return slog.StringValue(hidden) }

// Limits of what is written, in characters.
const (
	MostName   = 100
	MostNumber = 40
	MostStay   = 200
)

// Fields are the names of the form's fields, in its order: the keys of a fault's
// Fields, and the ends of the reasons' texts.
var Fields = []string{"name", "nationality", "born", "document", "number", "expires", "stay"}

// checked is p as it is kept. It fails with [fault.Invalid] and every field that
// cannot be right, as of an instant; a day that is still today somewhere is today.
func (p Papers) checked(now time.Time) (Papers, error) {
	p.Name, p.Number, p.Stay = tidy(p.Name), strings.ToUpper(tidy(p.Number)), tidy(p.Stay)
	wrong := map[string]string{}
	if n := utf8.RuneCountInString(p.Name); n < 2 || n > MostName || !strings.ContainsFunc(p.Name, unicode.IsLetter) {
		wrong["name"] = "Write your name as it stands in the document."
	}
	if !slices.Contains(Countries(), p.Nationality) {
		wrong["nationality"] = "Choose a country from the list."
	}
	today := now.UTC().Truncate(24 * time.Hour)
	born, err := time.Parse(time.DateOnly, p.Born)
	if err != nil || born.Year() < 1900 || born.After(today) {
		wrong["born"] = "Write the date of birth as it stands in the document."
	}
	if !slices.Contains(Documents, p.Document) {
		wrong["document"] = "Choose which document it is."
	}
	if n := utf8.RuneCountInString(p.Number); n < 4 || n > MostNumber || strings.ContainsFunc(p.Number, notOfNumber) {
		wrong["number"] = "Write the number of the document: letters, digits, spaces and hyphens."
	}
	expires, err := time.Parse(time.DateOnly, p.Expires)
	if err != nil || expires.Before(today.AddDate(0, 0, -1)) || expires.After(today.AddDate(50, 0, 0)) {
		wrong["expires"] = "The document must be valid. Write its last day, or use another document."
	}
	if utf8.RuneCountInString(p.Stay) > MostStay {
		wrong["stay"] = "This address is too long."
	}
	if len(wrong) > 0 {
		f := fault.Because(fault.Invalid, "identity_fields", "Something in the form cannot be right. Please look at what is marked.", nil)
		f.Fields = wrong
		return p, f
	}
	return p, nil
}

// notOfNumber reports what is in no document's number.
func notOfNumber(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ' ' && r != '-'
}

// tidy is one line without what nobody sees.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.Fields(s), " ")
}

// place is where something of a check is kept: what was sealed for one customer or
// check opens for no other.
func (k Key) place(what string) string { return "identity/" + k.Account + "/" + k.ID + "/" + what }

func (p Papers) sealed(box *seal.Box, k Key) (string, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("identity: %w", err)
	}
	return box.Seal(string(text), k.place("papers"))
}

// Papers opens what the customer wrote; found is false where nothing is kept. It
// fails with [seal.ErrOpen] where the box has not the secret.
func (c Check) Papers(box *seal.Box) (p Papers, found bool, err error) {
	if c.papers == "" {
		return Papers{}, false, nil
	}
	text, _, err := box.Open(c.papers, c.Key().place("papers"))
	if err != nil {
		return Papers{}, false, err
	}
	return p, true, json.Unmarshal([]byte(text), &p)
}
