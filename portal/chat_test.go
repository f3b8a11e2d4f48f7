package portal

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/assistant"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/leaving"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/ui"
)

// chatting is somebody in the chat.
type chatting struct {
	*browser
	line string // that they came from
}

// newest is what stands at the end of the conversation, as text.
func (c chatting) newest() string {
	c.t.Helper()
	page := c.see("/chat").html
	_, last, ok := strings.Cut(page, `id="last"`)
	if !ok {
		c.t.Fatalf("nothing was said:\n%s", clean(page))
	}
	last, _, _ = strings.Cut(last, "<form")
	return html.UnescapeString(last)
}

// send sends a form of the chat's page.
func (c chatting) send(form url.Values) page {
	c.t.Helper()
	c.town.env.Clock.Add(4 * time.Second) // nobody types faster
	form.Set("after", hidden(c.t, c.see("/chat").html, "after"))
	form.Set("line", c.line)
	return c.do("POST", "/chat", form)
}

// says sends a sentence and returns what is answered.
func (c chatting) says(text string) string {
	c.t.Helper()
	if p := c.send(url.Values{"text": {text}}); p.status != http.StatusSeeOther || p.to != "/chat#last" {
		c.t.Fatalf("%q: %d to %q\n%s", text, p.status, p.to, clean(p.html))
	}
	return c.newest()
}

var buttons = regexp.MustCompile(`name="option" value="([^"]+)"[^>]*>\d\. ([^<]+)</button>`)

// offered are the buttons of the page: their tokens by what they say.
func (c chatting) offered() (tokens, texts []string) {
	c.t.Helper()
	for _, m := range buttons.FindAllStringSubmatch(c.see("/chat").html, -1) {
		tokens, texts = append(tokens, m[1]), append(texts, html.UnescapeString(m[2]))
	}
	return tokens, texts
}

// taps presses the button that has these words, and returns what is answered.
func (c chatting) taps(words string) string {
	c.t.Helper()
	tokens, texts := c.offered()
	i := slices.IndexFunc(texts, func(s string) bool { return strings.Contains(s, words) })
	if i < 0 {
		c.t.Fatalf("no button says %q: %q", words, texts)
	}
	if p := c.send(url.Values{"option": {tokens[i]}}); p.status != http.StatusSeeOther {
		c.t.Fatalf("%q: %d", words, p.status)
	}
	return c.newest()
}

func (w *town) chatting(l locale.Language, key string) chatting {
	b := w.browser(l).signIn("aiko@example.com")
	b.get("/?lang=" + string(l))
	c := chatting{browser: b}
	if key != "" {
		c.line = w.lines[key]
	}
	return c
}

func word(l locale.Language, key string) string { return ui.Texts().Say(l, key, nil) }

var reviewLink = regexp.MustCompile(`href="(/quotes/[^"]+)"`)

// Taps alone lead from the opening to the review, in every language; nothing is
// ordered before it is accepted there.
func TestChatByTapsAlone(t *testing.T) {
	for _, l := range locale.All {
		w := newTown(t)
		c := w.chatting(l, "")
		w.advise(c.browser)
		has(t, c.taps(word(l, "chat.do.status")), html.UnescapeString(word(l, "chat.which_line")))
		has(t, c.taps("Aiko's phone …4711"), word(l, "chat.to_line"))
		c.taps(word(l, "chat.do.end"))
		tokens, texts := c.offered()
		if p := c.send(url.Values{"option": {tokens[4]}}); p.status != http.StatusSeeOther {
			t.Fatalf("%s: %q: %d", l, texts[4], p.status)
		}
		has(t, c.newest(), texts[4])
		c.taps(word(l, "chat.do.forecast"))
		c.taps(word(l, "chat.do.compare"))
		said := c.taps(c.priced())
		to := reviewLink.FindStringSubmatch(said)
		if to == nil {
			t.Fatalf("%s: no review in %s", l, said)
		}
		has(t, said, "4711")
		if n := len(w.orders()); n != 0 {
			t.Fatalf("%s: %d orders before the review", l, n)
		}
		id := strings.TrimPrefix(to[1], "/quotes/")
		form := c.confirm(id, "wallet")
		has(t, said, ui.NewVoice(l, nil, time.Time{}).Money(priceOf(t, w, id)))
		c.post(to[1], form)
		if all := w.orders(); len(all) != 1 || all[0].Quote != id {
			t.Fatalf("%s: %v", l, all)
		}
		has(t, c.taps(word(l, "chat.do.menu")), word(l, "chat.can_do"))
		has(t, c.taps(word(l, "chat.do.orders")), word(l, "order.completed"))
	}
}

// priced is the first button that offers something.
func (c chatting) priced() string {
	c.t.Helper()
	_, texts := c.offered()
	i := slices.IndexFunc(texts, func(s string) bool { return strings.Contains(s, " · ") })
	if i < 0 {
		c.t.Fatalf("nothing has a price: %q", texts)
	}
	return texts[i]
}

func priceOf(t *testing.T, w *town, quote string) money.Money {
	t.Helper()
	q, err := db.Seen(t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) (order.Quote, error) {
		return order.GetQuote(ctx, tx, w.aiko.ID, quote)
	})
	if err != nil {
		t.Fatal(err)
	}
	return q.Price
}

var numbers = regexp.MustCompile(`\d+(?:[.,:]\d+)*`)

// What the chat says of a line is what its pages say: the same sentences, and no
// number that they do not have.
func TestChatSaysWhatThePagesSay(t *testing.T) {
	for _, l := range []locale.Language{locale.En, locale.ZhHans, locale.Ja} {
		w := newTown(t)
		w.used("volume", false, 10<<30, 2<<30, 2<<30, 2<<30)
		c := w.chatting(l, "volume")
		w.advise(c.browser)
		for key, asks := range map[string]string{"chat.do.status": "", "chat.do.forecast": "", "chat.do.advise": "/renew", "chat.do.compare": "/renew"} {
			page := html.UnescapeString(c.see("/lines/" + w.lines["volume"] + asks).html)
			said := c.says(map[locale.Language]map[string]string{
				locale.En:     {"chat.do.status": "what is left?", "chat.do.forecast": "how long will it last?", "chat.do.advise": "what should I buy?", "chat.do.compare": "compare"},
				locale.ZhHans: {"chat.do.status": "还剩多少", "chat.do.forecast": "够用多久", "chat.do.advise": "推荐一个", "chat.do.compare": "比较一下"},
				locale.Ja:     {"chat.do.status": "残りは？", "chat.do.forecast": "いつまでもつ？", "chat.do.advise": "おすすめは？", "chat.do.compare": "比較したい"},
			}[l][key])
			_, texts := c.offered()
			_, said, _ = strings.Cut(said, `class="ours"`) // not what was asked
			for _, n := range numbers.FindAllString(clean(said)+strings.Join(texts, " "), -1) {
				if !strings.Contains(page, n) {
					t.Errorf("%s: %s: %s is not on the line's page: %s", l, key, n, clean(said))
				}
			}
			if len(numbers.FindAllString(clean(said), -1)) < 2 {
				t.Errorf("%s: %s: there are no numbers in %s", l, key, clean(said))
			}
		}
	}
}

// A conversation is one's own: another customer's line does not exist, and nobody
// sees what others said.
func TestChatIsOnesOwn(t *testing.T) {
	w := newTown(t)
	c := w.chatting(locale.En, "fresh")
	has(t, c.says("how much is left on Aiko's phone"), "Aiko's phone …4711")
	other := chatting{browser: w.browser(locale.En).signIn("other@example.com")}
	if p := other.see("/chat"); strings.Contains(p.html, "Aiko") || strings.Contains(p.html, "id=\"last\"") {
		t.Errorf("another customer reads:\n%s", clean(p.html))
	}
	other.line = w.lines["fresh"]
	if p := other.send(url.Values{"text": {"how much is left"}}); p.status != http.StatusNotFound {
		t.Errorf("another's line: %d", p.status)
	}
	if p := other.get("/chat?line=" + w.lines["fresh"]); p.status != http.StatusNotFound {
		t.Errorf("another's line on the page: %d", p.status)
	}
	other.line = ""
	has(t, other.says("status of Aiko's phone 4711"), "Secret line") // their only line
	if p := w.browser(locale.En).get("/chat?line=x"); p.status != http.StatusSeeOther || p.to != "/sign-in?next=%2Fchat%3Fline%3Dx" {
		t.Errorf("nobody: %d to %q", p.status, p.to)
	}
	c.header.Set("Sec-Fetch-Site", "cross-site")
	if p := c.send(url.Values{"text": {"hello"}}); p.status != http.StatusForbidden {
		t.Errorf("a form of another site: %d", p.status)
	}
}

// What cannot be taken is said at the field; what is no option is no harm; nothing of
// it becomes a part of the page, and nothing stands in the log.
func TestChatTakesAnything(t *testing.T) {
	w := newTown(t)
	c := w.chatting(locale.En, "fresh")
	for text, want := range map[string]string{
		"": "Write what you would like to know", "   \n\t": "Write what you would like to know", strings.Repeat("あ", 501): "too long for one question",
	} {
		p := c.send(url.Values{"text": {text}})
		if p.status != http.StatusUnprocessableEntity {
			t.Errorf("%.10q: %d", text, p.status)
		}
		has(t, p.html, want, `id="text-error"`)
	}
	for _, token := range []string{"9.9", "-1.-1", "0.99", "1.", ".", "x", "1.1.1", "99999999999999999999.1", "0.0"} {
		if p := c.send(url.Values{"option": {token}}); p.status != http.StatusSeeOther {
			t.Errorf("%s: %d", token, p.status)
		}
		has(t, c.newest(), "You can ask what is left")
	}
	w.env.Clock.Add(time.Minute)
	const script = `<script>alert("1")</script>`
	c.says(script)
	c.says("my card 8981 1234 5678 9004 711 is slow, and 4242424242424242\x00\xff")
	page := c.see("/chat").html
	lacks(t, page, script, "8981", "42424242", "\x00")
	has(t, page, "&lt;script&gt;", "…4711", "…4242")
	err := w.env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		var all int64
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM conversation_turns WHERE body LIKE '%4242424242%' OR body LIKE '%8981 1234%'`).Scan(&all); err != nil {
			return err
		}
		if all != 0 {
			t.Error("a long number is kept")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.log.Len() > 0 {
		t.Errorf("the log has %s", w.log)
	}
}

// The same form sent twice is one turn, and too many in a minute are not taken.
func TestChatOnceAndNotTooFast(t *testing.T) {
	w := newTown(t)
	c := w.chatting(locale.En, "fresh")
	form := url.Values{"text": {"how much is left"}, "after": {"0"}, "line": {w.lines["fresh"]}}
	c.post("/chat", form)
	c.post("/chat", form)
	if got := hidden(t, c.see("/chat").html, "after"); got != "1" {
		t.Errorf("%s turns of one form sent twice", got)
	}
	for range assistant.MostMinute - 1 {
		c.post("/chat", url.Values{"text": {"hello"}, "line": {""}})
	}
	p := c.do("POST", "/chat", url.Values{"text": {"hello"}})
	if p.status != http.StatusTooManyRequests {
		t.Errorf("one more: %d", p.status)
	}
	has(t, p.html, "a lot in a minute")
	w.env.Clock.Add(time.Minute)
	has(t, c.says("hello"), "You can ask")
}

// The rules of the renew page hold here: an account that may not buy, and a line that
// can not be renewed, are told why.
func TestChatIsNoWayAroundARule(t *testing.T) {
	w := newTown(t)
	c := w.chatting(locale.En, "never")
	refused := html.UnescapeString(c.see("/lines/" + w.lines["never"] + "/renew").html)
	said := c.says("I want to renew")
	_, why, _ := strings.Cut(said, "Light …")
	why, _, _ = strings.Cut(why[strings.Index(why, ": ")+2:], "</p>")
	if !strings.Contains(refused, why) || len(why) < 10 {
		t.Errorf("refused because %q, the page says\n%s", why, clean(refused))
	}
	c.line = w.lines["fresh"]
	c.says("compare")
	w.restrict()
	has(t, c.taps(c.priced()), "Buying is stopped for this account")
	if n := countQuotes(t, w); n != 0 {
		t.Errorf("%d quotes of an account that may not buy", n)
	}
}

func countQuotes(t *testing.T, w *town) (n int64) {
	t.Helper()
	if err := w.env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM quotes`).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// The end of the stay is told, corrected, and taken back; what cannot be is refused
// in the words of the line's page.
func TestChatKeepsTheEndOfTheStay(t *testing.T) {
	w := newTown(t)
	c := w.chatting(locale.En, "fresh")
	today := line.DayOf(w.env.Clock.Now(), placeOf(w.shop(), "machi-5gb").loc)
	stay := func() line.Day {
		day, err := db.Seen(t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) (line.Day, error) {
			return line.Stay(ctx, tx, w.aiko.ID, w.lines["fresh"])
		})
		if err != nil {
			t.Fatal(err)
		}
		return day
	}
	c.says("staying five more days")
	if stay() != today+5 {
		t.Errorf("told %v, today is %v", stay(), today)
	}
	has(t, c.says("no, tomorrow"), "Noted")
	if stay() != today+1 {
		t.Errorf("corrected to %v", stay())
	}
	has(t, c.says("I leave on 1 January 1999"), word(locale.En, "fault.date_format"))
	if stay() != today+1 {
		t.Errorf("a day of the past is kept: %v", stay())
	}
	has(t, c.says("I don't know any more when I leave"), "we do not know any more")
	if stay() != 0 {
		t.Errorf("not forgotten: %v", stay())
	}
}

// Conversations are given out, deleted on request, with the account, and after a month.
func TestChatIsForgotten(t *testing.T) {
	w := newTown(t)
	c := w.chatting(locale.Ja, "fresh")
	kept := func() (n int64) {
		if err := w.env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM conversations) + (SELECT COUNT(*) FROM conversation_turns)`).Scan(&n)
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	c.says("残りはどのくらい？")
	var all leaving.Everything
	if err := json.Unmarshal([]byte(c.see(securityPath+"/data").html), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Chat) != 1 || all.Chat[0].Asked != "残りはどのくらい？" || len(all.Chat[0].Answer) == 0 {
		t.Errorf("given out: %+v", all.Chat)
	}
	c.post("/chat/forget", nil)
	if kept() != 0 {
		t.Error("not deleted on request")
	}
	c.says("こんにちは")
	w.env.Clock.Add(assistant.Kept - time.Minute)
	if w.step() || kept() != 2 {
		t.Error("forgotten too early")
	}
	w.env.Clock.Add(2 * time.Minute)
	if !w.step() || kept() != 0 || w.step() {
		t.Error("not forgotten in time, or twice")
	}
}

// Whatever is said in whatever order, nobody else's line is shown, nothing is ordered,
// and nothing breaks.
func TestChatHoldsWhateverIsSaid(t *testing.T) {
	w := newTown(t)
	w.advise(w.browser(locale.En).signIn("aiko@example.com"))
	desk := w.server.assistant()
	rapid.Check(t, func(t *rapid.T) {
		v := &visit{server: w.server, shop: w.shop(), voice: ui.NewVoice(locale.En, nil, w.env.Clock.Now())}
		who := assistant.Asker{Account: w.aiko.ID, Channel: assistant.API, Anew: true}
		last := 0
		for range rapid.IntRange(1, 8).Draw(t, "turns") {
			w.env.Clock.Add(time.Minute)
			who.Page = rapid.SampledFrom(locale.All).Draw(t, "page")
			said := assistant.Words{After: -1}
			if rapid.Bool().Draw(t, "taps") {
				said.Option = assistant.Token(max(last-rapid.IntRange(0, 1).Draw(t, "ago"), 0), rapid.IntRange(1, 9).Draw(t, "option"))
			} else {
				said.Text = rapid.OneOf(rapid.SampledFrom(sentences), rapid.StringN(1, 60, 200)).Draw(t, "text") + "."
			}
			talk, turn, err := desk.Turn(t.Context(), who, said, v.speaks)
			if err != nil {
				t.Fatalf("%+v: %v", said, err)
			}
			text := strings.Join(turn.Said.Text, "\n") + strings.Join(turn.Said.Options, "\n")
			if strings.Contains(text, "Secret") || strings.Contains(text, "898112345") || strings.ContainsRune(text, '[') {
				t.Fatalf("%+v is answered with %s", said, text)
			}
			if len(turn.Said.Text) == 0 || len(turn.Said.Options) == 0 || len(turn.Said.Options) > 9 {
				t.Fatalf("%+v is answered with %+v", said, turn.Said)
			}
			who.Conversation, who.Anew, last = talk.ID, false, turn.Number
		}
	})
	if n := len(w.orders()); n != 0 {
		t.Errorf("%d orders", n)
	}
}

// sentences are some of which dialogues are made.
var sentences = []string{
	"how much is left", "够用多久", "おすすめは", "I leave on 12 March", "no, the 13th", "yes", "no", "好", "はい", "2", "第二个", "the last one", "renew for 10 days", "続7天",
	"pay", "confirm", "下单", "確定", "yes pay now", "where is my order", "Secret line", "tablet", "4712", "4721", "不知道哪天走", "比较", "切り替えて 回線", "help", "나는 몰라요", "10日", "-1", "0",
}

// shop is the catalogue in force.
func (w *town) shop() *catalogue.Catalogue {
	w.t.Helper()
	c, err := db.Seen(w.t.Context(), w.env.DB, w.server.Shelf.Current)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}
