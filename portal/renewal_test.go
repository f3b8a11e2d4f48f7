package portal

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

func TestRenewalFromSignInToBill(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	if p := b.get("/lines/" + w.lines["fresh"]); p.to != "/sign-in?next=%2Flines%2F"+w.lines["fresh"] {
		t.Fatalf("nobody is sent to %q", p.to)
	}
	if to := b.post("/sign-in", url.Values{"email": {" Aiko@Example.com"}, "next": {"/lines/" + w.lines["fresh"]}}); !strings.HasPrefix(to, "/sign-in/code?next=") {
		t.Fatalf("after asking for a code: %q", to)
	}
	if p := b.do("POST", "/sign-in/code", url.Values{"code": {"00000000"}}); p.status != http.StatusUnprocessableEntity || !strings.Contains(p.html, "Tries left") {
		t.Fatalf("a wrong code: %d", p.status)
	}
	if to := b.post("/sign-in/code", url.Values{"code": {w.lastCode()}, "next": {"/lines/" + w.lines["fresh"]}}); to != "/lines/"+w.lines["fresh"] {
		t.Fatalf("after signing in: %q", to)
	}
	has(t, b.see("/").html, "Aiko&#39;s phone", "Tablet", "…4711")
	has(t, b.see("/lines/"+w.lines["fresh"]).html, "3 GB left at full speed", "of 5 GB", "Active", "As of", "12 minutes ago", "Sat 7 Mar 2026, 23:59:59 JST", "your time:", "Renew")

	html := b.see("/lines/" + w.lines["fresh"] + "/renew?until=2026-03-15").html
	has(t, html, "¥12,000", "10 days", "¥3,980", "¥398 a day", "Cheapest that lasts to Sun 15 Mar 2026", "Tue 17 Mar 2026, 23:59:59 JST", "% less a day")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	review := b.see("/quotes/" + quote).html
	has(t, review, "Aiko&#39;s phone", "…4711", "Machi Unlimited 5 GB a day", "10 days", "Tue 17 Mar 2026, 23:59:59 JST", "¥3,980",
		"including ¥361 tax (10%)", "Once, when you pay", "39 points", "as long as you have used nothing", "Offer valid until", "You have ¥12,000", "Pay ¥3,980")

	to := b.post("/quotes/"+quote, b.confirm(quote, "wallet"))
	done := b.see(to).html
	has(t, done, "<h1>Machi Unlimited 5 GB a day · 10 days</h1>", "Aiko&#39;s phone</a> <small>…4711</small>", "Complete", "Your line has been extended", "Bill issued", "number follows", "Wallet")
	if strings.Contains(done, "http-equiv") {
		t.Error("a finished order still asks for itself again")
	}
	if got := w.balance(); got != 12_000-3_980 {
		t.Errorf("the wallet has %d", got)
	}
	w.number()
	_, after, ok := strings.Cut(b.see(to).html, `<a href="/bills/`)
	bill, _, _ := strings.Cut(after, `"`)
	if !ok {
		t.Fatal("the order has no bill")
	}
	has(t, b.see("/bills/"+bill).html, "Qualified invoice", "B2026-00000001", "T9000000000000", "¥3,980", "of which tax at 10%", "¥361", "Tsuzuku Demo Store", "Date of sale", "Mon 2 Mar 2026")
	for _, l := range []struct {
		locale locale.Language
		what   string
	}{
		{locale.En, "Machi Unlimited 5 GB a day, 10 days"},
		{locale.ZhHans, "街行无限流量 每日5 GB、10天"},
		{locale.ZhHant, "街行無限流量 每日5 GB、10天"},
		{locale.Ja, "まち無制限 1日5 GB、10日間"},
		{locale.Ko, "마치 무제한 매일 5 GB, 10일"},
	} {
		b.get("/?lang=" + string(l.locale))
		has(t, b.see("/bills/"+bill).html, l.what)
	}
	b.get("/?lang=en")
	has(t, b.see("/account").html, "379 points", "B2026-00000001", "Points earned")
	has(t, b.see("/wallet").html, "−¥3,980", "Order paid", "Carried over")
	has(t, b.see("/lines/"+w.lines["fresh"]).html, "Tue 17 Mar 2026, 23:59:59 JST", "10 days")
	if p := b.get("/quotes/" + quote); p.to != to {
		t.Errorf("an accepted offer leads to %q", p.to)
	}
}

func TestSameFormTwiceMakesOneOrder(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	form := b.confirm(quote, "wallet")
	var wg sync.WaitGroup
	to := make([]string, 4)
	for i := range to {
		wg.Go(func() { to[i] = b.do("POST", "/quotes/"+quote, form).to })
	}
	wg.Wait()
	for _, one := range to {
		if one == "" || one != to[0] {
			t.Errorf("the same form leads to %q", to)
		}
	}
	if n, left := len(w.orders()), w.balance(); n != 1 || left != 12_000-3_980 {
		t.Errorf("%d orders, %d left in the wallet", n, left)
	}
}

func TestAnotherAmountThanConfirmedChargesNothing(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	for name, c := range map[string]struct {
		change url.Values
		says   string
	}{
		"less":        {url.Values{"amount": {"1"}}, "so nothing was charged"},
		"none":        {url.Values{"amount": {""}}, "so nothing was charged"},
		"in dollars":  {url.Values{"currency": {"USD"}}, "so nothing was charged"},
		"not a sum":   {url.Values{"amount": {"3980.0"}}, "so nothing was charged"},
		"no tool":     {url.Values{"tool": {""}}, "Choose a way to pay"},
		"a lost tool": {url.Values{"tool": {"shells"}}, "does not take that"},
	} {
		form := b.confirm(quote, "wallet")
		maps.Copy(form, c.change)
		p := b.do("POST", "/quotes/"+quote, form)
		if p.status != http.StatusConflict && p.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, p.status)
		}
		has(t, p.html, c.says, `role="alert"`, "¥3,980")
	}
	if n, left := len(w.orders()), w.balance(); n != 0 || left != 12_000 {
		t.Errorf("%d orders, %d left in the wallet", n, left)
	}
}

func TestCardLeadsToTheProvidersPageAndBack(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.Ja).signIn("aiko@example.com")
	b.get("/?lang=ja")
	quote := b.quote("volume", "term/machi-10gb/10gb-15d")
	has(t, b.see("/quotes/"+quote).html, "決済サービスのページに移動します")
	to := b.post("/quotes/"+quote, b.confirm(quote, "card"))
	if !strings.HasPrefix(to, "https://pay.example/") {
		t.Fatalf("paying by card leads to %q", to)
	}
	o := w.orders()[0]
	page := "/orders/" + o.ID
	has(t, b.see(page).html, "お支払い待ち", `action="`+page+`/pay"`)

	w.bank.decline = payment.NoFunds
	if p := b.get(page + "?back=1&session_id=x"); p.to != page {
		t.Fatalf("coming back leads to %q", p.to)
	}
	has(t, b.see(page).html, "請求は行われていません", "残高が不足しているか")

	w.bank.decline = ""
	if to := b.post(page+"/pay", url.Values{"tool": {"card"}}); !strings.HasPrefix(to, "https://pay.example/") {
		t.Fatalf("paying again leads to %q", to)
	}
	b.get(page + "?back=1")
	has(t, b.see(page).html, "お支払い済み", `http-equiv="refresh"`)
	if _, err := w.server.Desk.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	has(t, b.see(page).html, "回線の更新が完了しました")
	if w.operator.Extended(o.ID) != 1 {
		t.Errorf("extended %d times", w.operator.Extended(o.ID))
	}
}

func TestOrderTellsSilenceAndRefund(t *testing.T) {
	w := newTown(t)
	w.operator.Choose = func(carrier.Extension) carriersim.Fault { return carriersim.LoseRequest }
	b := w.browser(locale.ZhHans).signIn("aiko@example.com")
	b.get("/?lang=zh-Hans")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	page := b.post("/quotes/"+quote, b.confirm(quote, "wallet"))
	has(t, b.see(page).html, "运营商处理中", "请勿重复付款", `http-equiv="refresh" content="3"`)
	for range 6 {
		w.env.Clock.Add(time.Minute)
		if _, err := w.server.Desk.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	has(t, b.see(page).html, "已退款", "款项已退回钱包", "运营商未能及时完成订单")
	if got := w.balance(); got != 12_000 {
		t.Errorf("the wallet has %d", got)
	}
}

func TestRefusalsSayWhyAndWhatInstead(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	for key, want := range map[string][]string{
		"never": {"the operator does not extend it", "buy a new line of the same plan", "help@tsuzuku.example", `class="button" href="/plans`},
		"dead":  {"closed this line for ever", "Buy a new line", `class="button" href="/plans`},
		"new":   {"clock of this line is not running yet", "Install it and use it first"},
	} {
		html := b.see("/lines/" + w.lines[key]).html
		has(t, html, want...)
		has(t, b.see("/lines/"+w.lines[key]+"/renew").html, want...)
		if strings.Contains(html, `/renew">`) {
			t.Errorf("%s: a line that cannot be renewed has a button to renew it", key)
		}
	}
	p := b.do("POST", "/lines/"+w.lines["never"]+"/renew", url.Values{"item": {"term/tsumugi-light/7d"}, "currency": {"JPY"}})
	if p.status != http.StatusUnprocessableEntity {
		t.Errorf("choosing what is refused: %d", p.status)
	}
	has(t, p.html, "cannot be renewed like that now", "the operator does not extend it")
	has(t, b.see("/lines/"+w.lines["packs"]+"/renew").html, "500 MB more", "100 MB more for today", "The end of your service does not change")
	has(t, b.see("/lines/"+w.lines["queued"]).html, "What comes next", "From")
	has(t, b.see("/").html, "<b>What comes next</b>", "After that you stay online", "The count starts anew on")
}

func TestUntilWhichDay(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	page := "/lines/" + w.lines["fresh"] + "/renew"
	covered := b.see(page + "?until=2026-03-05").html
	has(t, covered, "Your line already lasts to Thu 5 Mar 2026")
	lacks(t, covered, "Cheapest that lasts to") // no term is needed for that
	has(t, b.see(page+"?until=2026-09-05").html, "No single term lasts to Sat 5 Sep 2026", "offer short")
	for _, bad := range []string{"2026-03-01", "soon", "2026-02-30", "99999-01-01"} {
		has(t, b.see(page+"?until="+bad).html, "Choose a day from today on, at most two years ahead.", `aria-invalid="true"`)
	}
}

func TestWalletIsToppedUpByCard(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	for amount, want := range map[string]string{"x": "Write it like 300000", "1": "too small or too large", "999999999999999": "too small or too large"} {
		p := b.do("POST", "/wallet", url.Values{"amount": {amount}, "currency": {"JPY"}})
		if p.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", amount, p.status)
		}
		has(t, p.html, want)
	}
	quote, _ := strings.CutPrefix(b.post("/wallet", url.Values{"amount": {"３，０００"}, "currency": {"JPY"}}), "/quotes/")
	html := b.see("/quotes/" + quote).html
	has(t, html, "Money for your wallet", "¥3,000", "stays in your wallet")
	if strings.Contains(html, `value="wallet"`) {
		t.Error("the wallet is offered to top itself up")
	}
	b.post("/quotes/"+quote, b.confirm(quote, "card"))
	page := "/orders/" + w.orders()[0].ID
	b.get(page + "?back=1")
	if _, err := w.server.Desk.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	has(t, b.see(page).html, "¥3,000 has been added to your wallet", "Receipt issued")
	if got := w.balance(); got != 15_000 {
		t.Errorf("the wallet has %d", got)
	}
}

func TestShortWalletLeadsToTopUp(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("packs", "term/yokocho-base/1gb-30d")
	other := b.quote("fresh", "term/machi-5gb/30d")
	has(t, b.see("/quotes/"+quote).html, "You have ¥12,000. Paid at once")
	form := b.confirm(quote, "wallet")
	pay := b.confirm(other, "wallet")
	b.post("/quotes/"+other, pay) // 7,980
	third := b.quote("throttled", "term/machi-5gb/15d")
	has(t, b.see("/quotes/"+third).html, "You have ¥4,020: ¥1,260 short", "/wallet?amount=1260&amp;currency=JPY")
	if p := b.do("POST", "/quotes/"+third, b.confirm(third, "wallet")); p.status != http.StatusUnprocessableEntity {
		t.Errorf("paying from a short wallet: %d", p.status)
	} else {
		has(t, p.html, "not enough in your wallet", "nothing was charged")
	}
	b.post("/quotes/"+quote, form)
	if n := len(w.orders()); n != 2 {
		t.Errorf("%d orders", n)
	}
}

func TestExpiredOfferIsNotPaid(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	form := b.confirm(quote, "wallet")
	w.env.Clock.Add(31 * time.Minute)
	has(t, b.see("/quotes/"+quote).html, "This offer has expired", "Choose again")
	if p := b.do("POST", "/quotes/"+quote, form); p.status != http.StatusUnprocessableEntity {
		t.Errorf("accepting an expired offer: %d", p.status)
	}
	if len(w.orders()) != 0 || w.balance() != 12_000 {
		t.Error("an expired offer was charged")
	}
}

func TestToolThatTheRulesRefuseIsExplained(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("grace", "term/hinode-visitor-5/1gb-1d") // by card only
	has(t, b.see("/quotes/"+quote).html, "rules for this plan do not allow it", "disabled")
	p := b.do("POST", "/quotes/"+quote, b.confirm(quote, "wallet"))
	if p.status != http.StatusUnprocessableEntity {
		t.Errorf("paying from the wallet: %d", p.status)
	}
	has(t, p.html, "cannot be paid for in the way that you chose", "Pay with one of these: card")
	if len(w.orders()) != 0 {
		t.Error("an order was placed")
	}
}

func TestLinkPaysByCardOnlyAndHoldsOneOrder(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).link("fresh")
	html := b.see("/lines/" + w.lines["fresh"] + "/renew").html
	if strings.Contains(html, "12,000") || strings.Contains(html, `href="/wallet"`) {
		t.Error("a link shows the wallet")
	}
	quote := b.quote("fresh", "term/machi-5gb/10d")
	if html := b.see("/quotes/" + quote).html; strings.Contains(html, `value="wallet"`) || strings.Contains(html, "12,000") {
		t.Error("a link offers the wallet")
	}
	p := b.do("POST", "/quotes/"+quote, b.confirm(quote, "wallet"))
	if p.status != http.StatusForbidden || w.balance() != 12_000 {
		t.Errorf("a link pays from the wallet: %d", p.status)
	}
	b.post("/quotes/"+quote, b.confirm(quote, "card"))
	o := w.orders()[0]
	if to := b.post("/lines/"+w.lines["fresh"]+"/renew", url.Values{"item": {"term/machi-5gb/30d"}, "currency": {"JPY"}}); to != "/orders/"+o.ID {
		t.Errorf("a second order by a link leads to %q", to)
	}
	b.get("/orders/" + o.ID + "?back=1")
	if _, err := w.server.Desk.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	html = b.see("/orders/" + o.ID).html
	has(t, html, "Your line has been extended")
	if strings.Contains(html, "/bills/") {
		t.Error("a link leads to bills")
	}
	w.env.Clock.Add(25 * time.Hour)
	if p := b.get("/orders/" + o.ID); p.status != http.StatusSeeOther {
		t.Errorf("a link shows an old order: %d", p.status)
	}
	w.env.Clock.Add(7 * day)
	if p := b.get("/lines/" + w.lines["fresh"] + "/renew"); !strings.HasPrefix(p.to, "/sign-in") {
		t.Errorf("an expired link: %d to %q", p.status, p.to)
	}
	if w.orders()[0].State != order.Completed {
		t.Error("the order is not complete")
	}
}

// has fails unless html has every one of the texts.
func has(t *testing.T, html string, texts ...string) {
	t.Helper()
	for _, want := range texts {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q:\n%s", want, clean(html))
		}
	}
}

// clean is a page without its head, for messages.
func clean(html string) string {
	if _, after, ok := strings.Cut(html, "<main"); ok {
		html, _, _ = strings.Cut(after, "</main>")
	}
	return html
}
