package account

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the common passwords
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/fault"
)

// NIST SP 800-63B-4, section 3.1.1.2: at least 15 characters where the password
// is all that is asked for, at least 64 allowed, every kind of character, no
// rules of composition, and none that is commonly used, expected or known.
const (
	minPassword = 15
	maxPassword = 128
	minOwn      = 8 // characters that a password has beside what everybody knows
	minDistinct = 5
)

//go:embed common.txt
var commonFile string

// common are those that guessers try first, sorted out by hand from lists of passwords
// that have become known; a word and its digits are one.
var common = strings.Fields(commonFile)

//go:embed known.txt.gz
var knownFile []byte

// known are more than 10,000 passwords that were found often among those that have
// become known, sorted: where they are from says known.LICENSE. They are unpacked when
// somebody first sets a password.
var known = sync.OnceValue(func() []string {
	unpacked, err := gzip.NewReader(bytes.NewReader(knownFile))
	if err != nil {
		panic(err) // it is part of the program
	}
	text, err := io.ReadAll(unpacked)
	if err != nil {
		panic(err) // it is part of the program
	}
	return strings.Fields(string(text))
})

// leaked reports whether a text is one that has become known.
func leaked(s string) bool {
	_, found := slices.BinarySearch(known(), s)
	return found || slices.Contains(common, s)
}

// rows are what fingers run along.
var rows = []string{"qwertyuiopasdfghjklzxcvbnm", "abcdefghijklmnopqrstuvwxyz", "0123456789", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"}

// normalPassword is a password in the one form in which it is hashed, whatever
// keyboard it was typed on.
func normalPassword(s string) (string, bool) {
	if len(s) > 8*maxPassword || !utf8.ValidString(s) {
		return "", false
	}
	s = norm.NFKC.String(s)
	return s, utf8.RuneCountInString(s) <= maxPassword
}

// goodPassword returns the password as it is hashed. It fails with
// [fault.Invalid] for one that is too short, too long, or among the first that
// somebody would guess who knows the account's addresses.
func goodPassword(s string, addresses []string) (string, error) {
	p, ok := normalPassword(s)
	switch {
	case !ok:
		return "", badPassword("password_too_long")
	case utf8.RuneCountInString(p) < minPassword:
		return "", badPassword("password_too_short")
	case guessable(strings.ToLower(p), addresses):
		return "", badPassword("password_guessable")
	}
	return p, nil
}

// Guessable reports whether a password is among the first that somebody would guess who
// knows these addresses, as may be so of one that was set when less had leaked.
func Guessable(password string, addresses ...string) bool {
	_, err := goodPassword(password, addresses)
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Reason == "password_guessable"
}

func badPassword(reason string) error {
	err := because(fault.Invalid, reason, nil)
	err.Fields = map[string]string{"password": err.Message}
	return err
}

// guessable says whether what is left of a password, without what everybody
// knows, is too little.
func guessable(p string, addresses []string) bool {
	distinct := []rune(p)
	slices.Sort(distinct)
	if len(slices.Compact(distinct)) < minDistinct {
		return true
	}
	for _, a := range addresses {
		name, host, _ := strings.Cut(strings.ToLower(a), "@")
		shop, _, _ := strings.Cut(host, ".")
		for _, own := range []string{name + "@" + host, host, name, shop} {
			if utf8.RuneCountInString(own) >= 3 {
				p = strings.ReplaceAll(p, own, "")
			}
		}
	}
	p = once(p)
	word := strings.TrimFunc(p, func(r rune) bool { return !unicode.IsLetter(r) })
	if leaked(p) || leaked(word) || leaked(once(word)) {
		return true
	}
	return utf8.RuneCountInString(p) < minOwn || isRun(p)
}

// once is what a text repeats, or the text.
func once(s string) string {
	for n := 1; n <= len(s)/2; n++ {
		if strings.Repeat(s[:n], len(s)/n+1)[:len(s)] == s {
			return s[:n]
		}
	}
	return s
}

// isRun reports whether s only runs along keys or letters, forwards or back,
// starting over as often as it likes.
func isRun(s string) bool {
	back := []rune(s)
	slices.Reverse(back)
	for _, row := range rows {
		long := strings.Repeat(row, maxPassword/len(row)+2)
		if strings.Contains(long, s) || strings.Contains(long, string(back)) {
			return true
		}
	}
	return false
}
