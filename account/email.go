package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/fault"
)

// RFC 5321, section 4.5.3.1, and RFC 1035, section 2.3.4; in bytes.
const (
	maxEmail = 254
	maxLocal = 64
	maxLabel = 63
)

// Normalise gives a mail address the one form in which it is stored, looked up
// and written to: without spaces around it, in compatible Unicode (so that what
// a Japanese keyboard types full-width is meant) and in lower case. It fails
// with [fault.Invalid] for what mail cannot reach.
//
// Capital letters before the @ may in theory make a difference. They make none
// here: a code for Bob@ is sent to bob@, whoever asked for it, so nobody gets
// into an account by a different spelling of its address.
func Normalise(s string) (string, error) {
	if len(s) > 4*maxEmail || !utf8.ValidString(s) {
		return "", badEmail()
	}
	// Lower-casing can undo the normal form and the other way round.
	s = strings.TrimSpace(norm.NFKC.String(s))
	s = norm.NFKC.String(strings.ToLower(s))
	at := strings.LastIndexByte(s, '@')
	if at < 1 || len(s) > maxEmail {
		return "", badEmail()
	}
	local, domain := s[:at], strings.ReplaceAll(s[at+1:], "。", ".")
	if !plausibleLocal(local) || !plausibleDomain(domain) {
		return "", badEmail()
	}
	return local + "@" + domain, nil
}

func badEmail() error {
	err := because(fault.Invalid, "bad_email", nil)
	err.Fields = map[string]string{"email": err.Message}
	return err
}

// plausibleLocal takes what RFC 5321 calls a dot-string, and RFC 6531's further
// letters. Quoted names exist and are used by nobody.
func plausibleLocal(s string) bool {
	if len(s) > maxLocal || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, "..") {
		return false
	}
	for _, r := range s {
		if !letter(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r) {
			return false
		}
	}
	return true
}

func plausibleDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > maxLabel || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		for _, r := range label {
			if !letter(r) && r != '-' {
				return false
			}
		}
	}
	top := labels[len(labels)-1]
	return strings.Trim(top, "0123456789") != "" // not a number: that would be an address of the internet
}

func letter(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' ||
		r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
}
