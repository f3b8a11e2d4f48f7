package ui

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jba/templatecheck"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
)

var (
	now   = time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC) // 12:00 in Tokyo
	tokyo = zone("Asia/Tokyo")
)

func zone(name calendar.Zone) *time.Location {
	loc, err := name.Location()
	if err != nil {
		panic(err)
	}
	return loc
}

func TestTextsAreCompleteAndWellFormed(t *testing.T) {
	if err := texts.Check(); err != nil {
		t.Error(err)
	}
}

// Every word that is stored somewhere and ends up on a page has its text.
func TestEveryStoredWordHasItsText(t *testing.T) {
	var keys []string
	for _, s := range order.States {
		keys = append(keys, "order."+string(s), "order."+string(s)+".lead")
	}
	for _, r := range []payment.Reason{
		payment.Declined, payment.NoFunds, payment.CardExpired, payment.WrongDetails, payment.NotAuthenticated,
		payment.Abandoned, payment.TooLate, payment.NotAccepted, payment.ProviderTrouble, payment.ToolGone,
	} {
		keys = append(keys, "payment."+string(r))
	}
	for _, r := range []payment.Rail{
		payment.Card, payment.PayPal, payment.LINEPay, payment.Alipay, payment.WeChatPay, payment.PayPay, payment.Konbini, payment.Wallet,
	} {
		keys = append(keys, "tool."+string(r))
	}
	for _, s := range []payment.RefundState{payment.RefundDue, payment.RefundSent, payment.RefundUnknown, payment.RefundDone, payment.RefundFailed} {
		keys = append(keys, "refund_state."+string(s))
	}
	for _, k := range []fault.Kind{fault.Invalid, fault.Denied, fault.NotFound, fault.Conflict, fault.TooMany, fault.Unavailable, fault.Internal} {
		keys = append(keys, "fault.title."+string(k))
	}
	for _, e := range []catalogue.Effect{catalogue.Append, catalogue.Queue, catalogue.Restart, catalogue.Parallel, catalogue.SameDay, catalogue.Adds} {
		keys = append(keys, "offer."+string(e))
	}
	for _, k := range []catalogue.Pack{{Until: catalogue.RestOfPeriod}, {Until: catalogue.UntilReset}, {Until: catalogue.UntilDayEnd}, {EachDay: true}} {
		keys = append(keys, "pack.volume."+lasting(k.Until, k.EachDay), "pack.speed."+lasting(k.Until, k.EachDay))
	}
	for _, u := range []calendar.Unit{calendar.Day, calendar.Hours24, calendar.Month, calendar.Year} {
		keys = append(keys, "length."+string(u))
	}
	for _, s := range []StepState{StepDone, StepNow, StepAhead, StepWrong} {
		keys = append(keys, "step_state."+string(s))
	}
	for _, s := range []line.ProfileState{line.ProfileInstalled, line.ProfileEnabled, line.ProfileDisabled, line.ProfileDeleted} {
		keys = append(keys, "profile."+string(s))
	}
	for _, k := range keys {
		if !texts.Has(k) {
			t.Errorf("nobody wrote %s", k)
		}
	}
}

func whole(t *testing.T, about, text string) {
	t.Helper()
	if strings.TrimSpace(text) == "" || strings.ContainsAny(text, "[]{}") || strings.Contains(text, "  ") ||
		strings.Contains(text, "0001") || strings.Contains(text, " .") || strings.Contains(text, " ,") {
		t.Errorf("%s: %q", about, text)
	}
}

// Every offer of every demo plan is said whole in every language.
func TestOffersAreWhole(t *testing.T) {
	c := catalogue.Demo()
	n := 0
	for _, l := range locale.All {
		v := NewVoice(l, zone("America/New_York"), now)
		for _, p := range c.Plans {
			ends := now.Add(2 * 24 * time.Hour)
			ln := line.Line{
				Plan: p.ID, Operator: p.Operator, State: line.Active, StartedAt: now.Add(-24 * time.Hour), EndsAt: ends, GraceEnds: ends,
				Identity: true, Usage: line.Usage{Total: 5e9, Used: 1e9, AsOf: now},
			}
			offers, _ := renewal.Offers(renewal.Situation{Now: now, Line: ln, Catalogue: c, Currency: "JPY"})
			for _, o := range offers {
				n++
				said := v.Offer(c, p, o, tokyo)
				whole(t, p.ID+" "+said.Value, said.Name+"/"+said.Price+"/"+said.Effect+"/"+said.Unused+"/"+said.Ends.Text+"/"+said.Ends.Own)
				item, err := ItemOf(said.Value)
				if err != nil || item != o.Item {
					t.Errorf("%q is read as %v: %v", said.Value, item, err)
				}
			}
		}
	}
	if n < 150 {
		t.Errorf("only %d offers", n)
	}
}

func TestItemOfRefusesWhatIsNone(t *testing.T) {
	for _, s := range []string{"", "term", "term/a", "term//b", "term/a/", "topup/a/b", "term/a/b/c", strings.Repeat("a", 300)} {
		if _, err := ItemOf(s); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestEndsAreTheLastSecond(t *testing.T) {
	midnight := time.Date(2026, 3, 7, 15, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		l          locale.Language
		own        *time.Location
		text, own2 string
	}{
		{locale.En, nil, "Sat 7 Mar 2026, 23:59:59 JST", ""},
		{locale.En, tokyo, "Sat 7 Mar 2026, 23:59:59 JST", ""},
		{locale.En, zone("Asia/Seoul"), "Sat 7 Mar 2026, 23:59:59 JST", ""}, // the same clock
		{locale.En, zone("Asia/Shanghai"), "Sat 7 Mar 2026, 23:59:59 JST", "your time: 22:59:59 China time"},
		{locale.En, zone("Asia/Kolkata"), "Sat 7 Mar 2026, 23:59:59 JST", "your time: 20:29:59 UTC+5:30"},
		{locale.En, zone("Pacific/Auckland"), "Sat 7 Mar 2026, 23:59:59 JST", "your time: Sun 8 Mar 2026, 03:59:59 UTC+13"},
		{locale.ZhHans, zone("Asia/Shanghai"), "2026年3月7日（周六）23:59:59（日本时间）", "您的时间：22:59:59（北京时间）"},
		{locale.Ja, zone("Asia/Shanghai"), "2026年3月7日(土) 23:59:59 (日本時間)", "お客様の現地時間：22:59:59 (中国時間)"},
	} {
		got := NewVoice(c.l, c.own, now).End(midnight, tokyo)
		if got.Text != c.text || got.Own != c.own2 || got.ISO != "2026-03-07T23:59:59+09:00" {
			t.Errorf("%s: %+v", c.l, got)
		}
	}
	half := toTheSecond(locale.En, time.Date(2026, 3, 7, 5, 0, 7, 0, time.UTC), zone("Australia/Lord_Howe"))
	if half != "Sat 7 Mar 2026, 16:00:07 UTC+11" {
		t.Error(half)
	}
}

func TestWhatIsLeft(t *testing.T) {
	const gb = 1 << 30
	c := catalogue.Demo()
	plan := func(id string) catalogue.Plan {
		p, ok := c.Plan(id)
		if !ok {
			t.Fatalf("no plan %s", id)
		}
		return p
	}
	recent := now.Add(-time.Hour)
	v := NewVoice(locale.En, nil, now)
	for _, c := range []struct {
		name, plan, headline, badge string
		u                           line.Usage
	}{
		{"no cap", "koyomi-free", "Unlimited", "Active", line.Usage{Unlimited: true, Used: 90 * gb, AsOf: recent}},
		{"cap, some used", "machi-5gb", "3 GB left at full speed", "Active", line.Usage{Unlimited: true, Total: 5 * gb, Used: 2 * gb, AsOf: recent}},
		{"cap used up", "machi-5gb", "Unlimited, at 5 Mbps for now", "Slowed down", line.Usage{Unlimited: true, Total: 5 * gb, Used: 6 * gb, Throttled: true, AsOf: recent}},
		{"figure of yesterday", "machi-5gb", "Unlimited", "Active", line.Usage{Unlimited: true, Total: 5 * gb, Used: 6 * gb, Throttled: true, AsOf: now.Add(-13 * time.Hour)}},
		{"never reported", "machi-5gb", "Unlimited", "Active", line.Usage{Unlimited: true}},
		{"daily cap that stops", "asagao-pass-1gb", "Used up for now", "Data used up", line.Usage{Unlimited: true, Total: gb, Used: gb, AsOf: recent}},
		{"volume", "machi-10gb", "3.9 GB left", "Active", line.Usage{Total: 10 * gb, Used: 6*gb + 1, AsOf: recent}},
		{"volume used up", "machi-10gb", "All data is used", "Data used up", line.Usage{Total: 10 * gb, Used: 11 * gb, AsOf: recent}},
		{"volume used up, slow", "yokocho-base", "All data is used", "Active", line.Usage{Total: gb, Used: gb, AsOf: recent}},
		{"volume not reported", "machi-10gb", "No figure yet", "Active", line.Usage{Total: 10 * gb}},
	} {
		l := line.Line{State: line.Active, StartedAt: now.Add(-48 * time.Hour), EndsAt: now.Add(5 * 24 * time.Hour), Usage: c.u}
		got, badge := v.Left(l, plan(c.plan), gb, tokyo), v.LineBadge(l, plan(c.plan), tokyo)
		if got.Headline != c.headline || badge.Word != c.badge {
			t.Errorf("%s: %q, %q, want %q, %q", c.name, got.Headline, badge.Word, c.headline, c.badge)
		}
		whole(t, c.name, got.Headline+"/"+got.Detail)
	}
}

// Whatever an operator reports of an unlimited line, it never reads as nothing
// left; what is left is never more than there is; a bar is 0 to 100 %.
func TestUnlimitedNeverReadsZero(t *testing.T) {
	c := catalogue.Demo()
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom(c.Plans).Draw(t, "plan")
		u := line.Usage{
			Unlimited: p.Kind != catalogue.Volume, Throttled: rapid.Bool().Draw(t, "throttled"),
			Total: rapid.Int64Range(0, 1<<42).Draw(t, "total"), Used: rapid.Int64Range(0, 1<<43).Draw(t, "used"),
			AsOf: now.Add(-time.Duration(rapid.Int64Range(0, int64(72*time.Hour)).Draw(t, "age"))),
		}
		l := line.Line{State: line.Active, StartedAt: now.Add(-96 * time.Hour), EndsAt: now.Add(96 * time.Hour), Usage: u}
		left := NewVoice(locale.En, nil, now).Left(l, p, 1<<30, tokyo)
		if p.Kind == catalogue.Unlimited && (strings.HasPrefix(left.Headline, "0") || strings.Contains(left.Headline, "used")) {
			t.Fatalf("an unlimited line reads %q", left.Headline)
		}
		if left.Meter != nil && (left.Meter.Percent < 0 || left.Meter.Percent > 100) {
			t.Fatalf("a bar of %d %%", left.Meter.Percent)
		}
		if left.Headline == "" || left.Detail == "" {
			t.Fatalf("nothing is said: %+v", left)
		}
	})
}

// However an order stands, its story is whole, its steps are in order, and it
// asks for itself again exactly when something else will move it.
func TestProgress(t *testing.T) {
	moving := map[order.State]bool{order.Paid: true, order.Fulfilling: true, order.RefundDue: true}
	for _, l := range locale.All {
		v := NewVoice(l, nil, now)
		for _, s := range order.States {
			for _, k := range []order.Kind{order.Term, order.Pack, order.TopUp} {
				o := order.Order{State: s, Kind: k, Tool: "card", Price: money.Of(1980, "JPY"), PlacedAt: now, UpdatedAt: now}
				if s != order.Placed && s != order.Cancelled {
					o.PaidAt = now
				}
				if s == order.Completed {
					o.AskedAt, o.CompletedAt = now, now
				}
				p := v.Progress(o, order.Payment{}, time.Time{}, tokyo)
				whole(t, string(s), p.Badge.Word+"/"+p.Lead+"/"+p.Next+"/")
				if p.Moving != moving[s] {
					t.Errorf("%s: moving is %v", s, p.Moving)
				}
				ahead := false
				for _, step := range p.Steps {
					whole(t, string(s), step.Name+"/"+step.Word)
					if ahead && step.State == StepDone {
						t.Errorf("%s %s: a step is done after one that is not", s, k)
					}
					ahead = step.State == StepAhead || step.State == StepNow
				}
			}
		}
	}
	asking := NewVoice(locale.En, nil, now).Progress(order.Order{State: order.Placed}, order.Payment{ID: "py_1", State: payment.Pending}, time.Time{}, tokyo)
	if !asking.Moving {
		t.Error("a pending payment is not waited for")
	}
}

// Whatever reason an order has, no key is shown.
func TestReasonsAreWhole(t *testing.T) {
	v := NewVoice(locale.Ja, nil, now)
	for _, r := range []string{"expired", "operator_silent", "too_late", "made_up", "line_ended"} {
		whole(t, r, v.Why(order.Order{State: order.RefundDue, Reason: r}))
	}
	whole(t, "payment", v.PaymentWhy("made_up"))
}

func TestFaults(t *testing.T) {
	v := NewVoice(locale.Ja, nil, now)
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("sql: secret"), texts.Say(locale.Ja, "fault.internal", nil)},
		{fault.New(fault.Internal, "secret"), texts.Say(locale.Ja, "fault.internal", nil)},
		{fault.Because(fault.Invalid, "quote_expired", "x", nil), texts.Say(locale.Ja, "fault.quote_expired", nil)},
		{fault.Because(fault.Invalid, "renewal.too_early", "x", nil), texts.Say(locale.Ja, "fault.renewal", nil)},
		{fault.Because(fault.Invalid, "amount_format", "x", map[string]string{"example": "3000"}), "金額の形式が正しくありません。3000のように入力してください。"},
		{fault.Because(fault.Invalid, "code_format", "x", nil), "確認コードは8桁または12桁の数字です。すべて入力してください。"},
		{fault.New(fault.Invalid, "Only in English."), "Only in English."},
	} {
		if got := v.Fault(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

func TestPagesAreWrittenInTheProductsLanguages(t *testing.T) {
	for l, want := range map[locale.Language]locale.Language{
		locale.En: locale.En, locale.Ja: locale.Ja, locale.ZhHans: locale.ZhHans, locale.ZhHant: locale.ZhHant, locale.Ko: locale.Ko, "": locale.En, "fr": locale.En,
	} {
		if got := Written(l); got != want {
			t.Errorf("%s is written as %s", l, got)
		}
	}
}

func TestLayoutFitsItsStructs(t *testing.T) {
	for name, data := range map[string]any{
		"top": Frame{}, "bottom": Frame{}, "badge": Badge{}, "meter": &Meter{}, "moment": Moment{}, "notice": Notice{}, "steps": []Step{},
	} {
		if err := templatecheck.CheckHTML(layout.Lookup(name), data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The style in the page is byte for byte what the policy allows.
func TestStyleIsTheOneThatThePolicyNames(t *testing.T) {
	var buf bytes.Buffer
	if err := layout.ExecuteTemplate(&buf, "top", Frame{Voice: NewVoice(locale.En, nil, now)}); err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(buf.String(), "<style>")
	sheet, _, ok := strings.Cut(after, "</style>")
	if !ok || sheet != style {
		t.Errorf("the page has another style than the policy allows:\n%s", sheet)
	}
	if strings.Contains(style, "/*") || !strings.HasPrefix(StyleSource(), "'sha256-") {
		t.Error(StyleSource())
	}
}
