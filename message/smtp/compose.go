package smtp

import (
	"bytes"
	"errors"
	"fmt"
	netmail "net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wneessen/go-mail"

	"github.com/tsuzuku/tsuzuku/message"
)

const (
	maxSubject = 900     // bytes; longer ones are cut
	maxLetter  = 4 << 20 // bytes, as sent; relays take 10 MB and more
	maxAddress = 254     // bytes: RFC 5321, section 4.5.3.1.3, without the brackets
)

// known are the headers of [message.Letter] that become headers of the mail.
// Whatever else a letter brings along is dropped.
var known = []mail.Header{mail.HeaderListUnsubscribe, mail.HeaderListUnsubscribePost}

var validID = regexp.MustCompile(`^[0-9a-z_]{1,64}$`)

// recipient reads an address: name@host, nothing around it.
func recipient(a message.Address) (string, error) {
	if a.Channel != message.Email {
		return "", fmt.Errorf("%q is not an address for mail", a.Channel)
	}
	if len(a.Value) > maxAddress || !utf8.ValidString(a.Value) || strings.ContainsFunc(a.Value, troublesome) {
		return "", fmt.Errorf("%q is not a mail address", a.Value)
	}
	parsed, err := netmail.ParseAddress(a.Value)
	if err != nil {
		return "", err
	}
	if parsed.Name != "" || parsed.Address != a.Value {
		return "", fmt.Errorf("%q is more than a mail address", a.Value)
	}
	return parsed.Address, nil
}

// compose writes the letter as a mail.
func (d *Deliverer) compose(l message.Letter, to string) ([]byte, error) {
	if !validID.MatchString(l.ID) {
		return nil, fmt.Errorf("%q is not a letter's identifier", l.ID)
	}
	if l.Text == "" {
		return nil, errors.New("a letter without text")
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.FromMailAddress(d.from)
	m.ToMailAddress(&netmail.Address{Address: to})
	m.Subject(cut(line(l.Subject), maxSubject))
	m.SetMessageIDWithValue(l.ID + "@" + d.domain)
	m.SetDateWithValue(d.config.Now())
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no holiday replies, please
	if l.Language != "" {
		m.SetGenHeader("Content-Language", line(string(l.Language)))
	}
	for _, h := range known {
		if v := line(l.Headers[string(h)]); v != "" {
			m.SetGenHeader(h, v)
		}
	}
	m.SetBodyString(mail.TypeTextPlain, body(l.Text))
	if l.HTML != "" {
		m.AddAlternativeString(mail.TypeTextHTML, body(l.HTML))
	}
	var buf bytes.Buffer
	if _, err := m.WriteTo(&buf); err != nil {
		return nil, err
	}
	if buf.Len() > maxLetter {
		return nil, fmt.Errorf("a letter of %d bytes", buf.Len())
	}
	return buf.Bytes(), nil
}

// line keeps a header's value on its line.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if troublesome(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// troublesome are the characters that end a line somewhere, or cannot be seen.
func troublesome(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

// body makes a text fit to be sent: valid, without NUL, lines ended by \n.
func body(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(s)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
