package message_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jba/templatecheck"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
)

var shop = message.From{Seller: "Kumo Mobile", URL: "https://shop.example/", Contact: "help@shop.example"}

// full has every fact.
func full() message.Facts {
	at := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
	left := int64(1_500_000_000)
	return message.Facts{
		LineName: "Kyoto phone", LineLastFour: "1234", PlanName: "Japan Unlimited", TermName: "7 days",
		StartsAt: at, EndsAt: at.Add(72 * time.Hour), RenewUntil: at.Add(96 * time.Hour), Zone: "Asia/Tokyo",
		Left: &left, AsOf: at, GB: 1e9,
		Order: "ord_1", Bill: "2026-000123", Amount: money.Of(1980, "JPY"), Balance: money.Of(5000, "JPY"),
		Tool: "paypay", Method: "card", Points: 19, PointsUsed: 300, PointsBack: 300,
		ByTool: money.Of(1480, "JPY"), FromWallet: money.Of(500, "JPY"), WalletBack: money.Of(500, "JPY"), NextNewsAt: at.Add(time.Hour), PayBy: at.Add(30 * time.Minute),
		RefundReason: "no_answer", DebitReason: "no_funds",
		OfferName: "30 days", OfferPrice: money.Of(4980, "JPY"), Advice: "Thirty days suffice.",
		Code: "123456", CodeValidFor: 10 * time.Minute, Agent: "Firefox on Android", At: at,
		Case: "cs_1", Said: "iPhone 15.\n\nAPN tabi.", Closed: true,
		Link: "/r/abc", StopLink: "https://shop.example/stop/abc",
	}
}

// owing has every fact of somebody who owes something, too.
func owing() message.Facts {
	f := full()
	f.Owed, f.OwedPaid = money.Of(900, "JPY"), money.Of(1200, "JPY")
	return f
}

// bought has every fact of a new line, too.
func bought() message.Facts {
	f := full()
	f.Install, f.InstallBy = "LPA:1$smdp.example$AB-123", f.StartsAt.Add(180*24*time.Hour)
	return f
}

// minimal has no fact that can be missing.
func minimal() message.Facts { return message.Facts{Code: "123456"} }

// Every text exists in every complete language, names the same values in each,
// and is said by something.
func TestTexts(t *testing.T) {
	if err := message.Texts().Check(); err != nil {
		t.Error(err)
	}
	source := ""
	for _, file := range []string{"write.go", "outline.go", "install.go", "sms.go"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source += string(b)
	}
	for _, key := range message.Texts().Keys() {
		if i := strings.LastIndexByte(key, '.') + 1; strings.Contains(source, `"`+key[:i]+`"`) {
			continue // its end is a fact
		}
		if !strings.Contains(source, `"`+key+`"`) {
			t.Errorf("nothing says %s", key)
		}
	}
}

// Whatever is known, a letter is whole: no missing value or text, no empty
// sentence, the same words in both forms.
func TestEveryLetter(t *testing.T) {
	for _, kind := range message.Kinds() {
		for _, l := range append([]locale.Language{""}, locale.All...) {
			for name, facts := range map[string]message.Facts{"full": full(), "owing": owing(), "bought": bought(), "minimal": minimal()} {
				t.Run(strings.Join([]string{string(kind), string(l), name}, "/"), func(t *testing.T) {
					letter, err := message.Write(kind, l, shop, facts)
					if err != nil {
						t.Fatal(err)
					}
					wantWhole(t, letter)
					if slices.Contains(locale.All, l) && letter.Language != l {
						t.Errorf("written in %s", letter.Language)
					}
					wantOwnScript(t, letter.Language, letter)
				})
			}
		}
	}
}

var (
	blank    = regexp.MustCompile(`\n{3,}|[ \t]\n|  |[:：] *\n[^\nh]|[（(][）)]|。。|\.\.`)
	tags     = regexp.MustCompile(`(?s)<title>.*?</title>|<[^>]*>`)
	spaces   = regexp.MustCompile(`\s+`)
	kana     = regexp.MustCompile(`[ぁ-ヿ]`)
	han      = regexp.MustCompile(`\p{Han}`)
	hangul   = regexp.MustCompile(`\p{Hangul}`)
	anyValue = regexp.MustCompile(`\[[a-z_.0-9]*\]|[{}]|%!`)
)

func wantWhole(t *testing.T, l message.Letter) {
	t.Helper()
	if l.Subject == "" || strings.ContainsAny(l.Subject, "\r\n") || len([]rune(l.Subject)) > 100 {
		t.Errorf("subject %q", l.Subject)
	}
	for part, s := range map[string]string{"subject": l.Subject, "text": l.Text} {
		if bad := anyValue.FindString(s); bad != "" {
			t.Errorf("%s has %q:\n%s", part, bad, s)
		}
		if bad := blank.FindString(s); bad != "" {
			t.Errorf("%s has a hole %q:\n%s", part, bad, s)
		}
	}
	// What the text says the HTML says, link for link and word for word.
	html := tags.ReplaceAllString(l.HTML, " ")
	html = strings.NewReplacer("&amp;", "&", "&#43;", "+", "&#39;", "'", "&#34;", `"`).Replace(html)
	words := func(s string) string { return spaces.ReplaceAllString(s, "") }
	for _, line := range strings.Split(l.Text, "\n") {
		line = strings.TrimSpace(line)
		if line == "--" || strings.HasPrefix(line, "https://") {
			continue
		}
		line = strings.TrimSuffix(strings.TrimSuffix(line, ":"), "：")
		label, value, isRow := strings.Cut(strings.Replace(line, "：", ": ", 1), ": ")
		switch {
		case strings.Contains(words(html), words(line)):
		case isRow && strings.Contains(words(html), words(label+value)):
		case isRow && strings.HasPrefix(value, "https://") && strings.Contains(words(html), words(label)):
		default:
			t.Errorf("the HTML lacks %q:\n%s", line, l.HTML)
		}
	}
	if !slices.Contains(locale.All, l.Language) {
		t.Errorf("written in %q", l.Language)
	}
	if l.Link != "" && (strings.Count(l.Text, l.Link) != 1 || strings.Count(l.HTML, `href="`+l.Link+`"`) != 1) {
		t.Errorf("the link %s is not in both forms once", l.Link)
	}
	most := 6000 // it may be read over a throttled line
	if strings.Contains(l.HTML, "carddata=") {
		most = 24_000 // a new line's has a code to scan, and its reader has another connection
	}
	if len(l.HTML) > most {
		t.Errorf("%d bytes of HTML", len(l.HTML))
	}
}

// wantOwnScript finds sentences that were left in another language.
func wantOwnScript(t *testing.T, l locale.Language, letter message.Letter) {
	t.Helper()
	for _, line := range append(strings.Split(letter.Text, "\n"), letter.Subject) {
		isJa, isHan, isKo := kana.MatchString(line), han.MatchString(line), hangul.MatchString(line)
		chinese := l == locale.ZhHans || l == locale.ZhHant
		switch {
		case l == locale.En && (isJa || isHan || isKo), chinese && (isJa || isKo), l == locale.Ja && isKo, l == locale.Ko && isJa:
			t.Errorf("%s letter says %q", l, line)
		case l != locale.En && !isJa && !isHan && !isKo && len(strings.Fields(line)) > 3:
			t.Errorf("%s letter says %q", l, line)
		}
	}
}

// What goes back of an order that was served is not told as an order that could not be.
func TestCreditIsNoFailure(t *testing.T) {
	for _, l := range locale.All {
		failed, err := message.Write(message.OrderRefundDue, l, shop, full())
		if err != nil {
			t.Fatal(err)
		}
		facts := full()
		facts.Credited = true
		letter, err := message.Write(message.OrderRefundDue, l, shop, facts)
		if err != nil {
			t.Fatal(err)
		}
		wantWhole(t, letter)
		wantOwnScript(t, l, letter)
		if letter.Subject == failed.Subject || letter.Text == failed.Text {
			t.Errorf("%s: a credit is told as %q", l, letter.Subject)
		}
	}
}

// A message that is read again says what it said, and opens nothing.
func TestReadAgainOpensNothing(t *testing.T) {
	f := bought()
	f.Code, f.Link, f.StopLink = "913476", "/r/lk_secret", "https://shop.example/stop/secret"
	for _, k := range message.Kinds() {
		for _, l := range []locale.Language{locale.En, locale.Ja} {
			letter, err := shop.Read(message.Message{Draft: message.Draft{Kind: k, Language: l, Facts: f}})
			if err != nil {
				continue // a code without its code has no words
			}
			for _, secret := range []string{"913476", "secret", "smdp.example", "AB-123"} {
				if strings.Contains(letter.Subject+letter.Text+letter.HTML+letter.Link, secret) {
					t.Errorf("%s in %s shows %s", k, l, secret)
				}
			}
			if letter.Language != l || letter.Subject == "" {
				t.Errorf("%s is read in %s: %q", k, letter.Language, letter.Subject)
			}
		}
	}
}

// A reminder says what is left, until when, the best offer and its price, and
// where to renew.
func TestReminder(t *testing.T) {
	letter, err := message.Write(message.Reminder3Days, locale.En, shop, full())
	if err != nil {
		t.Fatal(err)
	}
	const want = `Service on Kyoto phone (…1234) ends on Thu 5 Mar 2026, 12:00 JST.

Plan: Japan Unlimited
Data left: 1.5 GB (as of Mon 2 Mar 2026, 12:00 JST)
Last moment to renew: Fri 6 Mar 2026, 12:00 JST
Best offer: 30 days, ¥4,980

Thirty days suffice.

Renewing takes less than a minute, even on a slow connection.

Renew now:
https://shop.example/r/abc

--
Kumo Mobile sent this message automatically.
Questions? help@shop.example
Stop messages like this one: https://shop.example/stop/abc
`
	if letter.Text != want {
		t.Errorf("text:\n%s\nwant:\n%s", letter.Text, want)
	}
	if letter.Link != "https://shop.example/r/abc" || letter.Subject != "A few days left: Kyoto phone (…1234)" {
		t.Errorf("link %q, subject %q", letter.Link, letter.Subject)
	}
	if got := letter.Headers["List-Unsubscribe"]; got != "<https://shop.example/stop/abc>" {
		t.Errorf("List-Unsubscribe: %q", got)
	}
}

// What we would do is said in its own words; who is advised to buy nothing is
// not hurried.
func TestReminderAdvises(t *testing.T) {
	f := full()
	f.Advice = "By Thu 5 Mar you will use 2 GB; 30 days for ¥4,980 should do."
	buy, err := message.Write(message.Reminder1Day, locale.En, shop, f)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(buy.Text, "\n\n"+f.Advice+"\n\n") || !strings.Contains(buy.Text, "Renew now") || !strings.Contains(buy.HTML, "should do.") {
		t.Errorf("says %s", buy.Text)
	}
	f.Advice, f.OfferName = "You need to buy nothing.", ""
	for _, k := range []message.Kind{message.Reminder3Days, message.ReminderEnded} {
		none, err := message.Write(k, locale.En, shop, f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(none.Text, f.Advice) || strings.Contains(none.Text, "Renew now") || strings.Contains(none.Text, "less than a minute") || strings.Contains(none.Text, "Best offer") {
			t.Errorf("%s says %s", k, none.Text)
		}
	}
}

// Nothing left is said; unlimited or unknown is not said to be nothing.
func TestLeft(t *testing.T) {
	nothing := int64(0)
	for _, tt := range []struct {
		name string
		left *int64
		want bool
	}{{"nothing left", &nothing, true}, {"not known", nil, false}} {
		f := full()
		f.Left = tt.left
		letter, err := message.Write(message.Reminder1Day, locale.En, shop, f)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(letter.Text, "Data left: 0"); got != tt.want {
			t.Errorf("%s: says 0 left: %t, want %t\n%s", tt.name, got, tt.want, letter.Text)
		}
	}
}

// Names that people typed stay names: they add no line, no header and no tag,
// and cannot turn the reading direction.
func TestNamesStayNames(t *testing.T) {
	nasty := rapid.StringOf(rapid.OneOf(
		rapid.SampledFrom([]rune("\r\n\t\v\f\x00\x1b\u0085\u2028\u2029\u202e\u2066\ufeff<>\"'&{}[]:;\\ %")),
		rapid.Rune(),
	))
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(message.Kinds()).Draw(t, "kind")
		l := rapid.SampledFrom(locale.All).Draw(t, "language")
		plain, odd := full(), full()
		for _, name := range []*string{
			&odd.LineName, &odd.LineLastFour, &odd.PlanName, &odd.TermName, &odd.Order, &odd.Bill, &odd.OfferName, &odd.Agent, &odd.Advice,
		} {
			*name = "x" + nasty.Draw(t, "name")
		}
		want, err := message.Write(kind, l, shop, plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := message.Write(kind, l, shop, odd)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(got.Subject, "\r\n\x00\x1b\u0085\u2028\u2029\u202e\u2066\ufeff") || len(got.Subject) > 600 {
			t.Errorf("subject %q", got.Subject)
		}
		if strings.Count(got.Text, "\n") != strings.Count(want.Text, "\n") || strings.ContainsAny(got.Text, "\r\x00\u2028\u202e") {
			t.Errorf("text %q", got.Text)
		}
		if a, b := strings.Count(got.HTML, "<"), strings.Count(want.HTML, "<"); a != b {
			t.Errorf("%d tags, want %d:\n%s", a, b, got.HTML)
		}
	})
}

// What cannot be said is an error, not half a letter.
func TestWriteRefuses(t *testing.T) {
	with := func(change func(*message.Facts)) message.Facts {
		f := full()
		change(&f)
		return f
	}
	for name, tt := range map[string]struct {
		kind  message.Kind
		facts message.Facts
	}{
		"a code without the code": {message.SignInCode, message.Facts{}},
		"a kind without words":    {"gossip", full()},
		"a link that runs":        {message.Reminder1Day, with(func(f *message.Facts) { f.Link = "javascript:alert(1)" })},
		"a link to nowhere":       {message.Reminder1Day, with(func(f *message.Facts) { f.Link = "shop.example/r" })},
		"a link of two lines":     {message.Reminder1Day, with(func(f *message.Facts) { f.Link = "/r/\r\nBcc: x" })},
		"a stop link that runs":   {message.Reminder1Day, with(func(f *message.Facts) { f.StopLink = "data:text/html,x" })},
	} {
		if l, err := message.Write(tt.kind, locale.En, shop, tt.facts); err == nil {
			t.Errorf("%s: wrote %q", name, l.Subject)
		}
	}
}

// The sheet fits what it is given.
func TestSheet(t *testing.T) {
	if err := templatecheck.CheckHTML(message.Sheet, message.Page{}); err != nil {
		t.Error(err)
	}
}

// The letter of a new line has all that a phone needs, once to scan, once to type
// and once to tap, and the stored message forgets it.
func TestNewLineLetter(t *testing.T) {
	letter, err := message.Write(message.OrderCompleted, locale.En, shop, bought())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"SM-DP+ address: smdp.example", "Activation code: AB-123",
		"https://esimsetup.apple.com/esim_qrcode_provisioning?carddata=LPA:1$smdp.example$AB-123",
		"https://esimsetup.android.com/esim_qrcode_provisioning?carddata=LPA:1$smdp.example$AB-123",
	} {
		if !strings.Contains(letter.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, letter.Text)
		}
	}
	const dark, wide = `bgcolor="#000"`, `<td width="5">`
	if n := strings.Count(letter.HTML, dark); n < 100 {
		t.Errorf("the code to scan has %d dark runs", n)
	}
	// A code of version 2 has 25 modules a side, and 4 of quiet on each.
	if n := strings.Count(letter.HTML, wide); n != 33 {
		t.Errorf("the code to scan is %d modules wide", n)
	}
}

// What ends with a day ends at 23:59 of it, in letters and in SMS as on pages: at 00:00
// people read the day after. What ends within a day ends when it does.
func TestEndsAreOfTheDayThatPeopleMean(t *testing.T) {
	midnight := time.Date(2026, 3, 9, 15, 0, 0, 0, time.UTC) // in Tokyo
	for _, tt := range []struct {
		ends time.Time
		says string
	}{{midnight, "Mon 9 Mar 2026, 23:59 JST"}, {midnight.Add(10 * time.Hour), "Tue 10 Mar 2026, 10:00 JST"}} {
		f := message.Facts{EndsAt: tt.ends, InstallBy: tt.ends, Zone: "Asia/Tokyo", Install: "LPA:1$smdp.example$AB-123"}
		for _, k := range []message.Kind{message.Reminder1Day, message.ReminderInstall} {
			l, err := message.Write(k, locale.En, message.From{}, f)
			if err != nil || !strings.Contains(l.Text, tt.says) {
				t.Errorf("%s, %v: want %q in\n%s", k, err, tt.says, l.Text)
			}
		}
	}
}

// The letter says for every kind of phone where its settings have eSIMs.
func TestLettersSayHowToInstall(t *testing.T) {
	for _, l := range locale.All {
		letter, err := message.Write(message.OrderCompleted, l, message.From{}, message.Facts{Install: "LPA:1$smdp.example$AB-123", Order: "o"})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range message.Phones {
			if name, how := message.HowTo(l, p); !strings.Contains(letter.Text, name) || !strings.Contains(letter.Text, how) {
				t.Errorf("%s: nothing for %s in\n%s", l, p, letter.Text)
			}
		}
	}
}
