package portal

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
)

// texting is a town whose shop sends SMS.
func texting(t *testing.T) *town {
	t.Helper()
	w := newTown(t)
	w.server.Door.SMS = &account.SMS{Countries: []string{"JP", "KR", "CN", "TW", "US"}}
	return w
}

// sentCode is the newest code of a kind that waits to be sent, and where to.
func (w *town) sentCode(k message.Kind) (code, to string) {
	w.t.Helper()
	var facts string
	err := w.env.DB.Read(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT facts, address FROM messages WHERE kind = $1 ORDER BY created_at DESC, id DESC LIMIT 1`, string(k)).Scan(&facts, &to)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	var f struct{ Code string }
	if err := json.Unmarshal([]byte(facts), &f); err != nil {
		w.t.Fatal(err)
	}
	return f.Code, to
}

// A number signs somebody up, and in by code or password; what it is and whether
// anybody has it changes no word; the account's pages show it.
func TestSigningInByPhone(t *testing.T) {
	w := texting(t)
	has(t, w.browser(locale.Ko).see("/sign-in").html, `<option value="KR" selected>`, "휴대전화 번호로 로그인")
	has(t, w.browser(locale.En).see("/sign-in").html, `<option value="JP" selected>Japan &#43;81</option>`, `formaction="/sign-in/phone/password"`)
	b := w.browser(locale.En)
	to := b.post("/sign-in/phone", url.Values{"country": {"CN"}, "number": {"138 1234 5678"}, "next": {"/wallet"}})
	if to != "/sign-in/code?next=%2Fwallet" {
		t.Errorf("asking leads to %q", to)
	}
	has(t, b.see(to).html, "We have sent a code to &#43;86 138 1234 5678.")
	code, at := w.sentCode(message.SignInCode)
	if to := b.post("/sign-in/code", url.Values{"code": {code}, "next": {"/wallet"}}); to != "/wallet" || at != "+8613812345678" {
		t.Errorf("the code to %s leads to %q", at, to)
	}
	has(t, b.see("/account").html, "<dt>Phone</dt><dd>&#43;86 138 1234 5678</dd>")
	has(t, b.see(securityPath).html, "E-mail addresses and phone numbers", "&#43;86 138 1234 5678", "Main address", `action="/account/security/numbers"`)
	has(t, b.see(tellingPath).html, "By SMS", "always come by SMS, because they are about your money", `name="mail" value="lines" checked`)
	b.post(securityPath+"/password", url.Values{"password": {"tall orange lanterns at dusk"}})
	pages := map[string]string{}
	for name, number := range map[string]string{"known": "13812345678", "unknown": "13912345678"} {
		other := w.browser(locale.En)
		p := other.do("POST", "/sign-in/phone/password", url.Values{"country": {"CN"}, "number": {number}, "password": {"not this one at all"}})
		if p.status != http.StatusUnprocessableEntity {
			t.Errorf("a wrong password: %d", p.status)
		}
		_, said, _ := strings.Cut(p.html, `id="number-error">`)
		said, _, _ = strings.Cut(said, "<")
		to := other.post("/sign-in/phone", url.Values{"country": {"CN"}, "number": {number}})
		pages[name] = strings.NewReplacer(number, "NUMBER", "138 1234 5678", "NUMBER", "139 1234 5678", "NUMBER").Replace(said + to + other.see(to).html)
	}
	if pages["known"] != pages["unknown"] {
		t.Errorf("a known number:\n%s\nanother:\n%s", pages["known"], pages["unknown"])
	}
	other := w.browser(locale.En)
	if to := other.post("/sign-in/phone/password", url.Values{"country": {"CN"}, "number": {"13812345678"}, "password": {"tall orange lanterns at dusk"}, "next": {"//evil.example"}}); to != "/" {
		t.Errorf("the password leads to %q", to)
	}
	for number, says := range map[string]string{"12": "no such telephone number", "03-1234-5678": "not a mobile number", "+18762101234": "numbers of this country", `"><b>`: "no such telephone number"} {
		p := other.do("POST", "/sign-in/phone", url.Values{"country": {"JP"}, "number": {number}})
		if p.status != http.StatusUnprocessableEntity || strings.Contains(p.html, "<b>") && !strings.Contains(p.html, "<b lang") {
			t.Errorf("%q: %d", number, p.status)
		}
		has(t, p.html, says, `aria-describedby="number-error"`, `<details class="card" open>`)
	}
	w.server.Door.SMS = nil
	if p := w.browser(locale.En).see("/sign-in").html; strings.Contains(p, "/sign-in/phone") {
		t.Error("a shop without SMS asks for a number")
	}
}

// A number is added beside a mail address, and SMS can then be wished for.
func TestANumberBesideMail(t *testing.T) {
	w := texting(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	has(t, b.see(tellingPath).html, "To be told by SMS, add the number")
	if p := b.do("POST", securityPath+"/numbers", url.Values{"country": {"JP"}, "number": {"12"}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("no number: %d", p.status)
	}
	to := b.post(securityPath+"/numbers", url.Values{"country": {"JP"}, "number": {"090-1234-5678"}})
	has(t, b.see(to).html, "We have sent a code to &#43;81 90-1234-5678", "Add a phone number")
	code, _ := w.sentCode(message.AddressCode)
	has(t, b.see(b.post(to, url.Values{"code": {code}})).html, "&#43;81 90-1234-5678")
	p := b.see(tellingPath).html
	has(t, p, `name="sms" value="lines">`, `name="sms" value="orders">`, `name="mail" value="lines" checked`)
	if strings.Contains(p, `name="sms" value="account"`) {
		t.Error("what is about the account can be wished for by SMS")
	}
	b.post(tellingPath, url.Values{"sms": {"lines", "account"}, "mail": {"cases"}})
	has(t, b.see(tellingPath+"?done=saved").html, "Saved.", `name="sms" value="lines" checked`, `name="mail" value="lines">`)
	if got := w.telling(w.aiko.ID); got.Of(message.AboutAccount).SMS || !got.Of(message.AboutLines).SMS {
		t.Errorf("%+v", got)
	}
	w.server.Door.SMS = nil // what the page does not ask stays
	b.post(tellingPath, url.Values{"mail": {"cases"}})
	if !w.telling(w.aiko.ID).Of(message.AboutLines).SMS {
		t.Error("a wish that was not asked for was taken away")
	}
}

// A card is added by a code to its line; for cards without a number, and for those of
// others, everything looks the same, and of the latter a person hears.
func TestClaimingACardByItsNumber(t *testing.T) {
	const iccid, bare = "8981100000000000010", "8981100000000000028"
	w := texting(t)
	w.stocked(map[string]string{iccid: "7KQ4-22MD", bare: "ABCD-1234"})
	b := w.browser(locale.En).signIn("aiko@example.com")
	if strings.Contains(b.see("/claim").html, "/claim/sms") {
		t.Error("offered where no number is known")
	}
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE stock SET msisdn = '+818012345678' WHERE iccid = $1`, iccid)
		return err
	})
	has(t, b.see("/claim").html, "Send a code to the line itself", `action="/claim/sms"`)
	claim := func(b *browser, iccid string) string {
		to := b.post("/claim/sms", url.Values{"iccid": {iccid}})
		return to + b.see(to).html
	}
	if one, other := claim(b, bare), claim(b, iccid); one != other {
		t.Errorf("a card without a number:\n%s\none with:\n%s", one, other)
	}
	code, to := w.sentCode(message.ClaimCode)
	if to != iccid {
		t.Errorf("the row names %q", to)
	}
	if p := b.do("POST", "/claim/code", url.Values{"code": {wrongCode(code)}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", p.status)
	}
	line := b.post("/claim/code", url.Values{"code": {code}})
	has(t, b.see(line).html, "…0010", "Not started")

	thief := w.browser(locale.En).signIn("other@example.com")
	w.env.Clock.Add(1)
	claim(thief, iccid)
	code, _ = w.sentCode(message.ClaimCode)
	p := thief.do("POST", "/claim/code", url.Values{"code": {code}})
	if p.status != http.StatusUnprocessableEntity {
		t.Errorf("claimed twice: %d", p.status)
	}
	has(t, p.html, "do not belong together")
	var cases int64
	w.write(func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM cases WHERE title = 'sim_claimed_twice' AND account_id = $1`, w.aiko.ID).Scan(&cases)
	})
	if cases != 1 {
		t.Errorf("%d cases", cases)
	}
	if p := w.browser(locale.En).get("/claim/code"); !strings.HasPrefix(p.to, "/sign-in") {
		t.Errorf("nobody: %d to %q", p.status, p.to)
	}
}

func wrongCode(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}
