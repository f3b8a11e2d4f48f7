package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/ui"
)

// say types a sentence into the chat and sends it.
func (b *tab) say(text string) (answer string) {
	b.t.Helper()
	b.set("#text", text)
	b.press(`form[action="/chat"]:has(#text) button`)
	return b.answered()
}

// answered is what the newest answer says.
func (b *tab) answered() string {
	b.t.Helper()
	if !strings.HasPrefix(b.path(), "/chat") || !b.has("#last + .ours") {
		b.t.Fatalf("nothing is answered:\n%s", b.whereabouts())
	}
	return eval[string](b, `document.querySelector("#last + .ours").innerText`)
}

// A traveller whose data is almost used up talks from what is left to the review, pays
// there, and asks where the order is: in three languages, without scripts.
func TestConversationInTheBrowser(t *testing.T) {
	for lang, says := range map[string]struct{ left, lasts, leave, correct, advise, choose, pay, order string }{
		"en": {
			"how much is left, and when does it end?", "how long will it last?", "I leave in nine days", "no, in six days", "what should I renew with?",
			"the first one", "I want to pay now", "where is my order?",
		},
		"zh-Hans": {"还剩多少流量，什么时候到期？", "够用多久？", "我再待九天", "不对，六天", "续哪个合适？", "第一个", "去付款", "我的订单呢？"},
		"ja":      {"残りと期限を教えて", "いつまでもちそう？", "あと9日います", "いや、あと6日です", "どれがおすすめ？", "1番目", "支払いたい", "注文はどうなった？"},
	} {
		t.Run(lang, func(t *testing.T) {
			d := openDemo(t)
			b := openTab(t, d, lang, false)
			b.comeIn()
			before := len(d.orders(t))
			l := d.lines["machi-10gb"]
			b.until("there is advice", func() bool {
				b.open("/lines/" + l.ID + "/renew")
				return strings.Contains(b.words(), b.text("advice.buy"))
			})
			b.open("/lines/" + l.ID)
			b.press(`main a[href="/chat?line=` + l.ID + `"]`)
			b.wants(b.say(says.left), l.LastFour(), "MB", "23:59:59")
			b.wants(b.say(says.lasts), "GB")
			b.say(says.leave)
			told := b.say(says.correct)
			day := advice.DateOf(d.App.DB.Now(), time.FixedZone("JST", 9*3600)) + 6 // what the page knows: the same facts are the same advice
			b.wants(told, ui.NewVoice(locale.Language(lang), nil, d.App.DB.Now()).OnDay(int64(day)))
			b.wants(b.say(says.advise), b.text("advice.buy"))
			b.wants(b.say(says.choose), l.LastFour(), "23:59:59", b.text("chat.to_review"))
			if got := b.say(says.pay); !strings.Contains(got, b.text("chat.to_review")) || len(d.orders(t)) != before {
				t.Fatalf("told to pay, there are %d orders, and it says %s", len(d.orders(t)), got)
			}
			b.press(`#last + .ours a[href^="/quotes/"]`)
			b.pay("wallet")
			o := b.ended(order.Completed)
			if len(d.orders(t)) != before+1 || o.Line != l.ID {
				t.Errorf("%d orders, had %d; the newest is for %s", len(d.orders(t)), before, o.Line)
			}
			b.open("/chat")
			b.wants(b.say(says.order), b.text("order.completed"))
		})
	}
}

func (b *tab) wants(said string, parts ...string) {
	b.t.Helper()
	for _, p := range parts {
		if !strings.Contains(said, p) {
			b.t.Errorf("%q is not in %s", p, said)
		}
	}
}
