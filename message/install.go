package message

import (
	"net/url"
	"strings"

	"github.com/boombuler/barcode/qr"

	"github.com/tsuzuku/tsuzuku/locale"
)

// The pages of the makers of phones that take a line's code and open the phone's
// own dialogue.
const (
	OneTapIPhone  = "https://esimsetup.apple.com/esim_qrcode_provisioning?carddata="
	OneTapAndroid = "https://esimsetup.android.com/esim_qrcode_provisioning?carddata="
)

// InstallLink is one of these pages with a line's code. Colons and dollars may stand
// in a query as they are, and do in every published example.
func InstallLink(page, code string) string {
	return page + strings.NewReplacer("%3A", ":", "%24", "$").Replace(url.QueryEscape(code))
}

// InstallParts are what a person types by hand: the address of the server that has
// the profile, and the activation code. ok is false for what is no such code.
func InstallParts(code string) (address, activation string, ok bool) {
	parts := strings.Split(code, "$")
	if len(parts) < 3 || !strings.EqualFold(parts[0], "LPA:1") {
		return "", "", false
	}
	return parts[1], parts[2], true
}

// install adds what a new line is installed with: a code to scan, what to type
// where nothing can be scanned, and a tap for the phone that the letter is read on.
func (w *writer) install() {
	address, activation, ok := InstallParts(w.f.Install)
	if !ok {
		return
	}
	w.page.Scan = toScan(w.f.Install)
	w.row("row.install_by", w.end(w.f.InstallBy))
	w.row("row.smdp", address)
	w.row("row.activation", activation)
	w.row("row.whole_code", w.f.Install)
	w.page.Taps = []tap{
		{w.say("install.iphone", nil), InstallLink(OneTapIPhone, w.f.Install)},
		{w.say("install.android", nil), InstallLink(OneTapAndroid, w.f.Install)},
	}
	w.note("install.scan", nil)
	for _, phone := range Phones {
		name, how := HowTo(w.l, phone)
		w.note("install.with", locale.Args{"phone": name, "how": how})
	}
	w.note("install.roaming", nil)
	w.note("install.once", nil)
}

// Phone is a kind of phone, by where its settings have eSIMs.
type Phone string

// The kinds of phones.
const (
	IPhone  Phone = "iphone"
	Samsung Phone = "samsung"
	Pixel   Phone = "pixel"
	Android Phone = "android" // any other
)

// Phones are all kinds, in the order in which they are told.
var Phones = []Phone{IPhone, Samsung, Pixel, Android}

// PhoneOf is what a browser says that it runs on; empty for a computer. Browsers on
// Android often do not say which phone it is: [Android].
func PhoneOf(agent string) Phone {
	for _, sign := range []struct {
		part  string
		phone Phone
	}{{"iPhone", IPhone}, {"iPad", IPhone}, {"SM-", Samsung}, {"SamsungBrowser", Samsung}, {"Pixel", Pixel}, {"Android", Android}} {
		if strings.Contains(agent, sign.part) {
			return sign.phone
		}
	}
	return ""
}

// HowTo names a kind of phone, and says where it has eSIMs in its settings, and what to
// choose there.
func HowTo(l locale.Language, p Phone) (name, how string) {
	l = written(l)
	return book.Say(l, "install.phone."+string(p), nil), book.Say(l, "install.on."+string(p), nil)
}

// tap is a link that a phone opens its own dialogue with.
type tap struct{ Name, To string }

// run is so many modules of one colour in a row of a code.
type run struct {
	Wide int
	Dark bool
}

// toScan is a QR code as rows of runs, its quiet zone included: as a table, since
// readers of mail show no drawings and no images that they were not asked for.
func toScan(text string) [][]run {
	const quiet = 4 // modules; ISO/IEC 18004
	c, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil
	}
	side := c.Bounds().Dx()
	rows := make([][]run, side+2*quiet)
	for y := range rows {
		for x := range rows {
			dark := false
			if in := func(n int) bool { return n >= quiet && n < side+quiet }; in(x) && in(y) {
				r, _, _, _ := c.At(x-quiet, y-quiet).RGBA()
				dark = r == 0
			}
			if n := len(rows[y]); n > 0 && rows[y][n-1].Dark == dark {
				rows[y][n-1].Wide++
				continue
			}
			rows[y] = append(rows[y], run{1, dark})
		}
	}
	return rows
}
