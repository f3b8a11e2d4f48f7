package ui

import (
	"html/template"
	"net/url"
	"strings"

	"github.com/tsuzuku/tsuzuku/device"
)

// DeviceBadge is the answer about a phone in a few words.
func (v Voice) DeviceBadge(a device.Answer) Badge {
	tone := Off
	switch a {
	case device.Works:
		tone = Good
	case device.Limited, device.LockRisk:
		tone = Warn
	case device.NoESIM, device.NoTray, device.NoBand:
		tone = Bad
	case device.Fits, device.Unknown:
	}
	return Badge{tone, a.Word(v.Lang)}
}

// ContactAbout is where questions go, with what a mail is about filled in.
func (f Frame) ContactAbout(subject, body string) template.URL {
	to := f.ContactLink()
	if !strings.HasPrefix(string(to), "mailto:") {
		return to
	}
	return to + template.URL("?subject="+url.PathEscape(subject)+"&body="+url.PathEscape(body)) //nolint:gosec // escaped, behind a fixed scheme
}
