package carrier

import "strings"

const (
	clipMax     = 200 // characters of a stranger's words that are kept
	secretMin   = 8   // a shorter one is no secret, and a part of words
	maskedMin   = 15  // digits: an IMSI; ICCIDs have 18 to 20, those of a sandbox 17
	maskedShows = 4
)

// Quote makes a stranger's words fit to be read by staff and kept in logs: short,
// printable, without the secrets, and with the last four digits only of everything
// that could be an ICCID. Addresses that carry an ICCID stand in the errors of HTTP,
// so those are quoted, too.
func Quote(words string, secrets ...string) string {
	for _, secret := range secrets {
		if len(secret) >= secretMin {
			words = strings.ReplaceAll(words, secret, "[secret]")
		}
	}
	return Clip(masked(words))
}

// Clip bounds what a stranger wrote to 200 characters that can be printed. It hides
// nothing: it is for words that must stay what they are, such as an order's number.
func Clip(words string) string {
	var b strings.Builder
	n := 0
	for _, r := range words {
		if n == clipMax {
			b.WriteRune('…')
			break
		}
		if r < ' ' || r == 0x7f {
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// masked leaves the last four digits of everything in s that could be an ICCID.
func masked(s string) string {
	const digits = "0123456789"
	var b strings.Builder
	for s != "" {
		other := strings.IndexAny(s, digits)
		if other < 0 {
			other = len(s)
		}
		b.WriteString(s[:other])
		s = s[other:]
		run := len(s) - len(strings.TrimLeft(s, digits))
		if run < maskedMin {
			b.WriteString(s[:run])
		} else {
			b.WriteString("…" + s[run-maskedShows:run])
		}
		s = s[run:]
	}
	return b.String()
}
