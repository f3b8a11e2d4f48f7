package e2e

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"
)

// notified looks at what the demo's telephone shows of a renewal, subscribes this
// browser, with an answer in place of a push service's, which it cannot reach, and
// hands its worker what such a service would.
func (b *tab) notified() {
	b.t.Helper()
	b.until("the telephone shows the order", func() bool {
		for _, m := range b.demo.Strangers.Push.All() {
			if strings.HasPrefix(m.Title, "Order complete") {
				return true
			}
		}
		return false
	})
	registered := make(chan serviceworker.RegistrationID, 16)
	chromedp.ListenTarget(b.ctx, func(ev any) {
		if e, ok := ev.(*serviceworker.EventWorkerRegistrationUpdated); ok {
			for _, r := range e.Registrations {
				select {
				case registered <- r.RegistrationID:
				default:
				}
			}
		}
	})
	b.do(serviceworker.Enable())
	b.open("/account/messages")
	b.until("the button is there", func() bool {
		return eval[bool](b, `!document.querySelector("[data-push]").parentElement.hidden && document.getElementById("push-cannot").hidden`)
	})
	sub, err := b.demo.Strangers.Push.Subscribe()
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Evaluate(fmt.Sprintf(`PushManager.prototype.subscribe = async (o) => {
		if (!o.userVisibleOnly || o.applicationServerKey.length !== 87) throw new Error("asked for something else");
		return { endpoint: %q, toJSON: () => ({ keys: { p256dh: %q, auth: %q } }) };
	}; 0`, sub.Endpoint, sub.Key, sub.Auth), nil))
	b.press(`[data-push] button`)
	if w := b.words(); !strings.Contains(w, "This device shows our notifications") || !strings.Contains(w, "this one") {
		b.t.Errorf("after subscribing the page says:\n%s", w)
	}

	// This browser has no screen: what its worker wants to be shown is looked at.
	worker := b.worker()
	run := func(script string, into any) {
		b.t.Helper()
		if err := chromedp.Run(worker, chromedp.Evaluate(script, into)); err != nil {
			b.t.Fatal(err)
		}
	}
	run(`self.said = []; registration.showNotification = async (title, o) => { said.push([title, o.body, o.tag, o.lang, o.data].join("|")); }; 0`, nil)
	m, err := json.Marshal(map[string]string{"title": "The last hours", "text": "Service ends soon.", "tag": "line/1", "lang": "en", "link": b.demo.url + "/r/x"})
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(serviceworker.DeliverPushMessage(b.demo.url, <-registered, string(m)))
	var said string
	b.until("the worker shows it", func() bool { run(`said.join("\n")`, &said); return said != "" })
	if want := "The last hours|Service ends soon.|line/1|en|" + b.demo.url + "/r/x"; said != want {
		b.t.Errorf("the worker shows %q, want %q", said, want)
	}
}
