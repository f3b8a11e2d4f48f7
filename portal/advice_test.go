package portal

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// advise makes ready what the pages of every line need.
func (w *town) advise(b *browser) {
	w.t.Helper()
	for key, id := range w.lines {
		if key != "other" {
			b.get("/lines/" + id + "/renew")
		}
	}
	for worked := true; worked; {
		var err error
		if worked, err = w.server.Advice.Step(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// used gives one of aiko's lines a history: bytes of each day, the last of them
// yesterday.
func (w *town) used(key string, unlimited bool, limit int64, days ...int64) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx db.Tx) error {
		l, err := line.Get(ctx, tx, w.aiko.ID, w.lines[key])
		if err != nil {
			return err
		}
		loc := placeOf(catalogue.Demo(), l.Plan).loc
		var sum int64
		for i, n := range days {
			sum += n
			end := line.DayOf(tx.Now(), loc) - line.Day(len(days)-1-i)
			u := line.Usage{Unlimited: unlimited, Total: limit, Used: sum, AsOf: end.Start(loc).Add(-time.Minute)}
			if unlimited {
				u.Used, u.Throttled = n, n >= limit
			}
			if err := line.NoteDay(ctx, tx, l.Account, l.ID, u, loc); err != nil {
				return err
			}
		}
		return nil
	})
}

// Every page says what we would do and why; the card of what is recommended is
// marked, once, and in the language of the page.
func TestRenewPageRecommends(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	before := b.see("/lines/" + w.lines["fresh"] + "/renew").html
	if strings.Contains(before, ui.NewVoice(locale.En, nil, time.Time{}).T("advice.recommended")) {
		t.Error("something is recommended before there are tables")
	}
	w.advise(b)
	for _, l := range locale.All {
		b.get("/?lang=" + string(l))
		v := ui.NewVoice(l, nil, time.Time{})
		for _, key := range []string{"fresh", "volume", "throttled", "queued", "packs"} {
			html := b.see("/lines/" + w.lines[key] + "/renew").html
			verdicts := 0
			for _, k := range []string{"advice.buy", "advice.wait", "advice.enough", "advice.no_offer"} {
				verdicts += strings.Count(html, "<h2>"+v.T(k)+"</h2>")
			}
			marks, buys := strings.Count(html, ">"+v.T("advice.recommended")+"<"), strings.Count(html, "<h2>"+v.T("advice.buy")+"</h2>")
			if verdicts != 1 || marks != buys {
				t.Errorf("%s: %s: %d verdicts, %d marks", l, key, verdicts, marks)
			}
		}
	}
	if w.log.Len() > 0 {
		t.Errorf("something was logged: %s", w.log)
	}
}

// The day of departure is told on either page, kept, used on both, changed and
// taken back; what is no day is said.
func TestStayIsKept(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	id := w.lines["fresh"]
	post := func(form url.Values) page { return b.do(http.MethodPost, "/lines/"+id+"/stay", form) }
	day := w.env.Clock.Now().Add(5 * 24 * time.Hour).Format(time.DateOnly)
	if p := post(url.Values{"until": {day}, "back": {"line"}}); p.to != "/lines/"+id {
		t.Errorf("goes to %q", p.to)
	}
	for _, path := range []string{"/lines/" + id, "/lines/" + id + "/renew"} {
		if html := b.see(path).html; !strings.Contains(html, `value="`+day+`"`) {
			t.Errorf("%s does not know %s", path, day)
		}
	}
	if html := b.see("/lines/" + id).html; !strings.Contains(html, "Until you leave on") {
		t.Error("the forecast does not know the day")
	}
	for _, bad := range []string{"yesterday", "2020-01-01", "9999-12-31"} {
		p := post(url.Values{"until": {bad}, "back": {"line"}})
		if html := b.see(p.to).html; !strings.Contains(html, `aria-invalid="true"`) || !strings.Contains(html, `value="`+day+`"`) {
			t.Errorf("%s is not refused, or the day before is lost", bad)
		}
	}
	post(url.Values{"until": {day}, "forget": {"1"}})
	if html := b.see("/lines/" + id + "/renew").html; strings.Contains(html, `value="`+day+`"`) {
		t.Error("the day is not forgotten")
	}
	other := w.browser(locale.En).signIn("other@example.com")
	if p := other.do(http.MethodPost, "/lines/"+id+"/stay", url.Values{"until": {day}}); p.status != http.StatusNotFound {
		t.Errorf("somebody else tells when aiko leaves: %d", p.status)
	}
}

// The line's page says how long it lasts, how sure that is, and draws it.
func TestLinePageForecasts(t *testing.T) {
	const gb = 1 << 30
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	html := b.see("/lines/" + w.lines["fresh"]).html
	if !strings.Contains(html, "We know little about your usage yet") || !strings.Contains(html, `class="half"`) || strings.Contains(html, `class="chart fan"`) {
		t.Error("with no history, it does not say so")
	}
	w.used("throttled", true, 5*gb, 5*gb, 5*gb)
	w.used("volume", false, 100*gb, 20*gb, 20*gb, 20*gb)
	html = b.see("/lines/" + w.lines["throttled"]).html
	if !strings.Contains(html, `class="capped"`) || !strings.Contains(html, "then slow or stopped") {
		t.Error("days that were cut off are not shown as such")
	}
	html = b.see("/lines/" + w.lines["volume"]).html
	if !strings.Contains(html, "What is left lasts until about") || !strings.Contains(html, `class="chart fan"`) {
		t.Error("it does not say how long a volume lasts, or does not draw it")
	}
	for _, shape := range []string{"nearly", "most", "half", "middle", "past", "out"} {
		if !strings.Contains(html, `class="`+shape+`" d="M`) {
			t.Errorf("the fan has no %s", shape)
		}
	}
	for _, trouble := range check(html, locale.En) {
		t.Error(trouble)
	}
}

// The attitude is kept with the account, and can be tried on the page.
func TestAttitude(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	w.advise(b)
	renew := "/lines/" + w.lines["fresh"] + "/renew"
	if html := b.see(renew).html; !strings.Contains(html, "<b>a good balance</b>") || !strings.Contains(html, renew+"?attitude=carefree") {
		t.Error("a balance is not what is assumed, or nothing else can be tried")
	}
	if html := b.see(renew + "?attitude=carefree").html; !strings.Contains(html, "<b>never running out</b>") {
		t.Error("another attitude cannot be tried")
	}
	b.post("/account", url.Values{"language": {"en"}, "zone": {"Asia/Shanghai"}, "attitude": {"cheapest"}})
	if html := b.see(renew).html; !strings.Contains(html, "<b>the lowest price</b>") {
		t.Error("what was chosen is not kept")
	}
	b.post("/account", url.Values{"language": {"en"}, "zone": {"Asia/Shanghai"}})
	if html := b.see(renew).html; !strings.Contains(html, "<b>the lowest price</b>") {
		t.Error("a form without it takes it back")
	}
}

// strange is a history that nobody should be able to have.
type strange struct {
	name   string
	days   []reported
	told   line.Day // after today; 0: not told
	says   string   // on the line's page
	advise bool     // something is advised on the renew page
}

// reported is what an operator said, so many days ago.
type reported struct {
	ago         int
	total, used int64
	refused     bool // such a report is not taken
}

// Whatever stands in the books of a line, both pages say something sensible or
// nothing, and never a number that stands on nothing.
func TestStrangeHistories(t *testing.T) {
	const gb = 1 << 30
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	w.advise(b)
	for _, tt := range []strange{
		{name: "empty", says: "We know little about your usage yet", advise: true},
		{name: "one day", days: []reported{{1, 10 * gb, 1 * gb, false}}, says: "We know little", advise: true},
		{name: "all zero", days: []reported{{2, 10 * gb, 0, false}, {1, 10 * gb, 0, false}, {0, 10 * gb, 0, false}}, says: "most likely use between", advise: true},
		{name: "absurd", days: []reported{{1, 1 << 60, 1 << 59, false}, {0, 1 << 60, 1 << 60, false}}, says: "We know little", advise: true},
		{name: "the counter falls", days: []reported{{2, 10 * gb, 5 * gb, false}, {1, 10 * gb, 1 * gb, false}, {0, 10 * gb, 0, false}}, says: "most likely use between", advise: true},
		{name: "less than nothing", days: []reported{{1, 10 * gb, -5, true}}, says: "We know little", advise: true},
		{name: "dated in the future", days: []reported{{-2, 10 * gb, 1 * gb, true}}, says: "We know little", advise: true},
		{name: "before the line began", days: []reported{{300, 10 * gb, 1 * gb, false}, {200, 10 * gb, 2 * gb, false}}, says: "We know little", advise: true},
		{name: "said twice", days: []reported{{1, 10 * gb, 2 * gb, false}, {1, 10 * gb, 2 * gb, false}, {0, 10 * gb, 3 * gb, false}, {0, 10 * gb, 3 * gb, false}}, says: "most likely use between", advise: true},
		{name: "days missing", days: []reported{{2, 10 * gb, 1 * gb, false}, {0, 10 * gb, 6 * gb, false}}, says: "most likely use between", advise: true},
		{name: "told a day that is past", told: -3, says: "When do you leave?", advise: true},
		{name: "told a day long past", told: -20000, says: "When do you leave?", advise: true},
		{name: "told a day in years", told: 729, says: "Until you leave on", advise: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, key := range []string{"volume", "fresh"} {
				w.haunt(t, w.lines[key], key == "fresh", tt)
				w.looksSound(t, b, w.lines[key], tt)
			}
		})
	}
	if w.log.Len() > 0 {
		t.Errorf("something was logged: %s", w.log)
	}
}

// haunt puts a strange history into the books, in place of whatever is there.
func (w *town) haunt(t *testing.T, id string, unlimited bool, h strange) {
	t.Helper()
	w.write(func(ctx context.Context, tx db.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM usage_days WHERE account_id = $1 AND line_id = $2`, w.aiko.ID, id); err != nil {
			return err
		}
		today := line.DayOf(tx.Now(), time.UTC)
		if h.told == 0 {
			today = 0
		}
		return line.TellStay(ctx, tx, w.aiko.ID, id, max(today+h.told, 0))
	})
	for _, r := range h.days {
		err := w.env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			u := line.Usage{Unlimited: unlimited, Total: r.total, Used: r.used, AsOf: tx.Now().AddDate(0, 0, -r.ago).Add(-time.Minute)}
			return line.NoteDay(ctx, tx, w.aiko.ID, id, u, time.UTC)
		})
		if (err != nil) != r.refused || err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("a report of %d of %d bytes, %d days ago: %v", r.used, r.total, r.ago, err)
		}
	}
}

// looksSound reads both pages of a line.
func (w *town) looksSound(t *testing.T, b *browser, id string, h strange) {
	t.Helper()
	page, renew := b.see("/lines/"+id).html, b.see("/lines/"+id+"/renew").html
	for _, html := range []string{page, renew} {
		for _, trouble := range check(html, locale.En) {
			t.Error(trouble)
		}
		for _, nonsense := range []string{"NaN", "Inf", "1970", "-9", "−", "%!", "{", "M-", "L-"} {
			if body := html[strings.Index(html, "<main"):]; strings.Contains(body, nonsense) {
				t.Errorf("%q in %s", nonsense, body)
			}
		}
	}
	if !strings.Contains(page, h.says) {
		t.Errorf("does not say %q: %s", h.says, page[strings.Index(page, "<main"):])
	}
	advised := false
	for _, k := range []string{"buy", "wait", "enough", "no_offer"} {
		advised = advised || strings.Contains(renew, "<h2>"+ui.NewVoice(locale.En, nil, time.Time{}).T("advice."+k)+"</h2>")
	}
	if advised != h.advise {
		t.Errorf("advised: %t, want %t", advised, h.advise)
	}
}

// A seller who sells nothing that fits, or forbids everything, makes a page that
// says so, or says nothing; nobody is sent to an offer that is not there.
func TestNothingThatFits(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(string) string
		says   string
	}{
		"a policy that forbids everything": {func(s string) string {
			return strings.Replace(s, "policy: extend-in-place", "policy: no-extension", 1) // the first is machi-10gb's
		}, "cannot be renewed"},
		"never so early": {func(s string) string {
			return strings.Replace(s, "  extend-in-place:\n    renewable: true", "  extend-in-place:\n    renewable: true\n    opens: 1d", 1)
		}, "too early"},
		"nothing that is priced in the currency": {func(s string) string {
			return strings.NewReplacer(
				"{JPY: 1980, USD: 13, CNY: 95, TWD: 415, HKD: 103, KRW: 18500}\n      - id: 10gb-30d", "{USD: 13}\n      - id: 10gb-30d",
				"{JPY: 2380, USD: 16, CNY: 114, TWD: 500, HKD: 124, KRW: 22200}", "{USD: 16}").Replace(s)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			file := tt.change(string(catalogue.DemoFile()))
			if file == string(catalogue.DemoFile()) {
				t.Fatal("the catalogue is the same")
			}
			w.write(func(ctx context.Context, tx db.Tx) error {
				_, _, err := catalogue.Apply(ctx, tx, []byte(file), "test")
				return err
			})
			b := w.browser(locale.En).signIn("aiko@example.com")
			w.advise(b)
			html := b.see("/lines/" + w.lines["volume"] + "/renew").html
			for _, trouble := range check(html, locale.En) {
				t.Error(trouble)
			}
			body := html[strings.Index(html, "<main"):]
			if !strings.Contains(body, tt.says) {
				t.Errorf("does not say %q: %s", tt.says, body)
			}
			v := ui.NewVoice(locale.En, nil, time.Time{})
			if strings.Contains(body, "<h2>"+v.T("advice.buy")+"</h2>") != strings.Contains(body, ">"+v.T("advice.recommended")+"<") {
				t.Errorf("something is recommended that is not there: %s", body)
			}
			if w.log.Len() > 0 {
				t.Errorf("something was logged: %s", w.log)
			}
		})
	}
}

// What was advised on is gone when prices change: until there are new tables
// nothing is said, rather than something that is not so any more.
func TestFormerPricesAreNotAdvised(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	w.write(func(ctx context.Context, tx db.Tx) error {
		return line.TellStay(ctx, tx, w.aiko.ID, w.lines["volume"], line.DayOf(tx.Now(), time.UTC)+12)
	})
	w.advise(b)
	path := "/lines/" + w.lines["volume"] + "/renew"
	buy := "<h2>" + ui.NewVoice(locale.En, nil, time.Time{}).T("advice.buy") + "</h2>"
	if html := b.see(path).html; !strings.Contains(html, buy) {
		t.Fatalf("nothing is recommended: %s", html)
	}
	w.write(func(ctx context.Context, tx db.Tx) error {
		file := strings.NewReplacer("{JPY: 1980, USD: 13, CNY: 95, TWD: 415, HKD: 103", "{JPY: 1990, USD: 13, CNY: 95, TWD: 415, HKD: 103",
			"{JPY: 2380, USD: 16", "{JPY: 2390, USD: 16").Replace(string(catalogue.DemoFile()))
		_, _, err := catalogue.Apply(ctx, tx, []byte(file), "test")
		return err
	})
	if html := b.see(path).html; strings.Contains(html, buy) || !strings.Contains(html, "2,390") {
		t.Error("a former price is advised on")
	}
	w.advise(b)
	if html := b.see(path).html; !strings.Contains(html, buy) {
		t.Error("nothing is recommended at the new prices")
	}
}
