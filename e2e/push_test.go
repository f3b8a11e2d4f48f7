package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
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
	allow := browser.GrantPermissions([]browser.PermissionType{browser.PermissionTypeNotifications}).WithOrigin(b.demo.url)
	b.do(chromedp.ActionFunc(func(ctx context.Context) error {
		return allow.Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
	}), serviceworker.Enable())
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

	id := <-registered
	for _, title := range []string{"About a day left", "The last hours"} { // the newer in place of the older
		m, err := json.Marshal(map[string]string{"title": title, "text": "Service ends soon.", "tag": "line/1", "lang": "en", "link": b.demo.url + "/r/none"})
		if err != nil {
			b.t.Fatal(err)
		}
		b.do(serviceworker.DeliverPushMessage(b.demo.url, id, string(m)))
		b.until("it is shown", func() bool {
			return eval2[string](b, `navigator.serviceWorker.ready.then(r => r.getNotifications()).then(all => all.map(n => n.title + "|" + n.body + "|" + n.tag + "|" + n.lang).join("\n"))`) == title+"|Service ends soon.|line/1|en"
		})
	}
}
