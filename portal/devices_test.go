package portal

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/device"
	"github.com/tsuzuku/tsuzuku/locale"
)

// ask sends the form and follows it to the answer.
func (b *browser) ask(q, soldIn string) page {
	b.t.Helper()
	return b.see(b.post("/devices", url.Values{"q": {q}, "sold_in": {soldIn}}))
}

// A stranger asks by name, in any writing, and learns it for every plan on sale.
func TestAPhoneIsCheckedByName(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	p := b.ask("ｉＰｈｏｎｅ　１５", "")
	has(t, p.html, "Apple iPhone 15", "Works well", "All 39 plans", "NTT DOCOMO", "eSIM · 5G", "Versions made for mainland China, Hong Kong and Macao have no eSIM.", "/plans/koyomi-3gb/devices", "A phone from a carrier may be locked")
	p = b.ask("苹果15 国行", "")
	has(t, p.html, "Apple iPhone 15", "Does not work: no eSIM", "30 of 39 plans", "9 of 39 plans", `<option value="CN" selected>`, "Choose a plan with a SIM card")
	p = b.ask("galxy s23", "HK")
	has(t, p.html, "Samsung Galaxy S23", "You typed “galxy s23”", "Versions sold in mainland China and Hong Kong have no eSIM.")
	p = b.ask("A2634", "")
	has(t, p.html, "Version A2634", "Does not work: no eSIM")
	p = b.ask("Pixel 2", "")
	has(t, p.html, "May be locked", "works only with Google Fi")
	p = w.browser(locale.Ja).ask("アイフォーン１１", "")
	has(t, p.html, "Apple iPhone 11", "問題なく使えます", "山間部と離島")
}

// What could be several phones is asked back, and each answer leads on.
func TestSeveralPhonesAreAskedBack(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	p := b.ask("13 pro", "JP")
	has(t, p.html, "Which of these is it?", "Apple iPhone 13 Pro", "Xiaomi 13 Pro", "None of these?")
	if strings.Contains(p.html, "Works well") {
		t.Error("one of them was chosen")
	}
	_, after, _ := strings.Cut(p.html, `<li><a href="`)
	to, _, _ := strings.Cut(after, `"`)
	has(t, b.see(html.UnescapeString(to)).html, "13 Pro</h2>", `<option value="JP" selected>`)
}

// A phone that nobody knows: it is said so, with *#06#, and the seller can be
// asked with the model filled in. What was typed is shown, and stays text.
func TestAnUnknownPhoneIsSaidToBeUnknown(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	p := b.ask("Fairphone <b>5</b>", "DE")
	has(t, p.html, "Fairphone &lt;b&gt;5&lt;/b&gt; is not in our list", "*#06#", "mailto:help@tsuzuku.example?subject=", "Fairphone%20%3Cb%3E5", "Germany")
	if strings.Contains(p.html, "<b>5") || strings.Contains(p.html, "Works well") {
		t.Error("the name is not text, or an answer was guessed")
	}
	w.server.Contact = "https://shop.example/help"
	has(t, b.ask("Fairphone 5", "").html, `href="https://shop.example/help"`, "My phone: Fairphone 5.")
	w.server.Contact = "the desk in the lobby"
	has(t, b.ask("Fairphone 5", "").html, "the desk in the lobby", "My phone: Fairphone 5.")
	has(t, b.see("/devices?phone=no-such").html, "This phone is not in our list")
}

// Numbers that name one phone are checked, never stand in an address or on the
// page that answers, and an IMEI is found in what was imported.
func TestNumbersStayPrivate(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	const imei, eid = "352925110000009", "89049032123451234512345678901235"
	secret := func(where string) {
		t.Helper()
		if strings.Contains(where, imei) || strings.Contains(where, eid) || strings.Contains(where, imei[:10]) {
			t.Errorf("a number is shown: %s", where)
		}
	}
	to := b.post("/devices", url.Values{"q": {"IMEI: " + imei}})
	p := b.see(to)
	secret(to + p.html)
	has(t, p.html, "This phone is not in our list")
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := device.ImportTACs(ctx, tx, device.Osmocom, []device.TAC{{TAC: imei[:8], Brand: "Apple", Model: "A2221"}}, "test")
		return err
	})
	p = b.see(to)
	secret(p.html)
	has(t, p.html, "Apple iPhone 11", "Version A2221", "Works well")
	to = b.post("/devices", url.Values{"q": {"EID " + eid}})
	p = b.see(to)
	secret(to + p.html)
	has(t, p.html, "A phone with an EID", "this phone has an eSIM", "Fits; bands not checked")
}

// What is no phone gets a sentence beside the field, in the visitor's language.
func TestWhatIsNoPhoneIsExplained(t *testing.T) {
	w := newTown(t)
	for q, says := range map[string]string{
		"": "Type the name of your phone", strings.Repeat("x", 5000): "longer than any name", "a\x01b": "cannot be read", "352925110000000": "This IMEI is mistyped",
		"89049032123451234512345678901236": "This EID is mistyped", "8981100022144450098": "ICCID", "12345678901": "neither an IMEI", "C39XK1234ABC": "serial number",
	} {
		p := w.browser(locale.En).do("POST", "/devices", url.Values{"q": {q}, "sold_in": {"<script>"}})
		if p.status != http.StatusUnprocessableEntity {
			t.Errorf("%.30q: %d", q, p.status)
		}
		has(t, p.html, says, `aria-invalid="true"`)
	}
	p := w.browser(locale.Ko).do("POST", "/devices", url.Values{"q": {"352925110000000"}})
	has(t, p.html, "IMEI가 잘못되었습니다")
	for _, path := range []string{"/devices?q=%00", "/devices?q=" + strings.Repeat("x", 3000), "/devices?q=352925110000000"} {
		if p := w.browser(locale.En).get(path); p.status != http.StatusUnprocessableEntity {
			t.Errorf("%.40s: %d", path, p.status)
		}
	}
	if w.log.Len() > 0 {
		t.Errorf("something was logged: %s", w.log)
	}
}

// The list for a plan says where it works and which phones do.
func TestAPlanHasAListOfPhones(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	p := b.see("/plans/koyomi-3gb/devices")
	has(t, p.html, "Cities and suburbs: carried by band 1.", "reached by band 19. A phone without it has gaps there.", "<h3>Sony</h3>", "iPhone 17 Pro Max",
		"Galaxy S26 Ultra", "Does not work: no eSIM", "Versions sold in Japan have no eSIM.", "29 Nov 2026")
	if p := b.get("/plans/none/devices"); p.status != http.StatusNotFound {
		t.Errorf("no such plan: %d", p.status)
	}
	has(t, b.see("/plans/koyomi-3gb/rules").html, `href="/plans/koyomi-3gb/devices"`)
	has(t, b.see("/").html, `href="/devices"`)
}
