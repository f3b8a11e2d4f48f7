package portal

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// story is one page in one state.
type story struct {
	name string // in addresses: "order-paid"
	tell func(context.Context, *visit) (answer, error)
}

// by asks a page's own handler, as if the address had been asked for.
func by(h func(*Server) handler, id, query string) func(context.Context, *visit) (answer, error) {
	return func(ctx context.Context, v *visit) (answer, error) {
		v.r.SetPathValue("id", id)
		v.r.URL.RawQuery = query
		return h(v.server)(ctx, v)
	}
}

// nobody is a story of somebody who has not signed in.
func nobody(tell func(context.Context, *visit) (answer, error)) func(context.Context, *visit) (answer, error) {
	return func(ctx context.Context, v *visit) (answer, error) {
		v.account = account.Account{}
		return tell(ctx, v)
	}
}

// stories are all pages in all states that look different.
func (b *Storybook) stories() []story {
	all := []story{
		{"welcome", nobody(by(func(s *Server) handler { return s.home }, "", ""))},
		{"sign-in", nobody(by(func(s *Server) handler { return s.signInPage }, "", ""))},
		{"sign-in-no-address", nobody(func(_ context.Context, v *visit) (answer, error) {
			p, err := v.signInForm("/")
			p.Email, p.Error = "aiko@", v.voice.Fault(fault.Because(fault.Invalid, "bad_email", "This is not a mail address.", nil))
			return show("signin.html", p), err
		})},
		{"code", nobody(b.code(""))},
		{"code-wrong", nobody(b.code("code_wrong"))},
		{"lines", by(func(s *Server) handler { return s.home }, "", "")},
		{"lines-none", func(_ context.Context, v *visit) (answer, error) {
			return show("lines.html", linesPage{Frame: v.frame(v.voice.T("lines.title"))}), nil
		}},
	}
	for _, l := range b.lines {
		all = append(all, story{"line-" + l.key, by(func(s *Server) handler { return s.linePage }, l.id, "")})
	}
	for _, l := range b.lines {
		all = append(all, story{"renew-" + l.key, by(func(s *Server) handler { return s.renewPage }, l.id, "")})
	}
	all = append(
		all,
		story{"renew-until", by(func(s *Server) handler { return s.renewPage }, b.line("plenty"), "until=2026-03-15")},
		story{"renew-link", func(ctx context.Context, v *visit) (answer, error) {
			v.link = account.Link{ID: "lk_sample", Account: v.account.ID, Line: b.line("plenty")}
			v.account = account.Account{}
			return by(func(s *Server) handler { return s.renewPage }, b.line("plenty"), "")(ctx, v)
		}},
	)
	all = append(all, b.reviews()...)
	all = append(all, b.orders()...)
	return append(all, b.others()...)
}

func (b *Storybook) code(why string) func(context.Context, *visit) (answer, error) {
	return func(_ context.Context, v *visit) (answer, error) {
		v.r.Header.Set("Cookie", addressCookie+"="+base64.RawURLEncoding.EncodeToString([]byte(sampleEmail)))
		p := v.codeForm("/")
		if why != "" {
			p.Error = v.voice.Fault(fault.Because(fault.Invalid, why, "The code is wrong.", map[string]string{"left": "4"}))
		}
		return show("code.html", p), nil
	}
}

// reviews are quotes before they are accepted.
func (b *Storybook) reviews() []story {
	review := func(change func(*visit, *keyhole, *quoted)) func(context.Context, *visit) (answer, error) {
		return func(ctx context.Context, v *visit) (answer, error) {
			k := keyhole{account: v.account.ID}
			q, err := b.quote(ctx, v, "plenty", "10d")
			if err != nil {
				return answer{}, err
			}
			q.wallet, q.points = money.Of(12_000, "JPY"), 340
			change(v, &k, &q)
			return show("review.html", v.review(k, q)), nil
		}
	}
	return []story{
		{"review", review(func(*visit, *keyhole, *quoted) {})},
		{"review-short-wallet", review(func(_ *visit, _ *keyhole, q *quoted) { q.wallet.Minor = 1_200 })},
		{"review-in-parts", review(func(v *visit, _ *keyhole, q *quoted) {
			q.wallet.Minor = 1_200
			v.r.URL.RawQuery = "use_points=1&use_wallet=1"
		})},
		{"review-link", review(func(v *visit, k *keyhole, q *quoted) {
			*k = keyhole{account: k.account, line: q.quote.Line, link: "lk_sample"}
			v.account = account.Account{}
		})},
		{"review-expired", review(func(v *visit, _ *keyhole, q *quoted) { q.quote.ExpiresAt = v.voice.Now })},
		{"review-owing", review(func(_ *visit, _ *keyhole, q *quoted) { q.debts = []order.Dispute{b.dispute()} })},
		{"review-top-up", review(func(v *visit, _ *keyhole, q *quoted) {
			q.quote = order.Quote{Account: v.account.ID, ID: q.quote.ID, Kind: order.TopUp, Price: money.Of(5_000, "JPY"), CreatedAt: v.voice.Now, ExpiresAt: q.quote.ExpiresAt}
			q.situation = renewal.Situation{}
		})},
		{"review-new-line", func(ctx context.Context, v *visit) (answer, error) {
			q, err := v.server.Desk.QuoteNew(ctx, v.account.ID, "machi-5gb", "10d", "JPY")
			if err != nil {
				return answer{}, err
			}
			return by(func(s *Server) handler { return s.reviewPage }, q.ID, "")(ctx, v)
		}},
	}
}

// quote fixes the price of a term for a line.
func (b *Storybook) quote(ctx context.Context, v *visit, key, term string) (quoted, error) {
	q, err := v.server.Desk.Quote(ctx, v.account.ID, b.line(key), renewal.Item{Kind: renewal.Term, Plan: "machi-5gb", ID: term}, "JPY")
	if err != nil {
		return quoted{}, err
	}
	return v.readQuote(ctx, keyhole{account: v.account.ID}, q.ID)
}

func (b *Storybook) dispute() order.Dispute {
	return order.Dispute{
		Account: b.account.ID, ID: "dp_sample", Order: "ord_sample", State: payment.DisputeLost, Amount: money.Of(3_980, "JPY"), Owed: 3_980, Unserved: -1, Kept: 3_980,
		OpenedAt: b.now, AsOf: b.now,
	}
}

// orders are orders on their way and at their ends.
func (b *Storybook) orders() []story {
	ago := func(d time.Duration) time.Time { return b.now.Add(-d) }
	pay := func(s payment.State, change func(*order.Payment)) order.Payment {
		p := order.Payment{
			Account: b.account.ID, ID: "pay_sample", Rail: payment.Card, Amount: money.Of(3_980, "JPY"), State: s, Live: s != payment.Dead,
			CreatedAt: ago(20 * time.Second), UpdatedAt: ago(10 * time.Second), NextAt: ago(10 * time.Second),
		}
		if change != nil {
			change(&p)
		}
		return p
	}
	var all []story
	add := func(name string, state order.State, change func(*told)) {
		all = append(all, story{"order-" + name, func(ctx context.Context, v *visit) (answer, error) {
			t, err := b.order(ctx, v, state)
			if err == nil && change != nil {
				change(&t)
			}
			return show("order.html", v.story(keyhole{account: v.account.ID}, t)), err
		}})
	}
	add("placed", order.Placed, nil)
	add("asking", order.Placed, func(t *told) { t.payments = []order.Payment{pay(payment.Open, nil)} })
	add("page", order.Placed, func(t *told) {
		t.payments = []order.Payment{pay(payment.NeedsCustomer, func(p *order.Payment) { p.Next = payment.Next{RedirectURL: "https://pay.example/1"} })}
	})
	add("code", order.Placed, func(t *told) {
		t.payments = []order.Payment{pay(payment.NeedsCustomer, func(p *order.Payment) {
			p.Rail, p.Next = payment.WeChatPay, payment.Next{QR: "weixin://wxpay/bizpayurl?pr=sample"}
		})}
	})
	add("declined", order.Placed, func(t *told) {
		t.payments = []order.Payment{pay(payment.Dead, func(p *order.Payment) { p.Reason = payment.Declined })}
	})
	add("paid", order.Paid, nil)
	add("fulfilling", order.Fulfilling, nil)
	add("slow", order.Fulfilling, func(t *told) { t.order.Told, t.order.PaidAt = true, ago(4*time.Minute) })
	add("completed", order.Completed, func(t *told) { t.bills = []billing.Bill{b.bill(1)} })
	add("cancelled", order.Cancelled, nil)
	add("refund-due", order.RefundDue, func(t *told) {
		t.refunds = []order.Refund{{Amount: t.order.Price, State: payment.RefundState("sent")}}
	})
	add("refunded", order.Refunded, func(t *told) {
		t.refunds = []order.Refund{{Amount: t.order.Price, State: payment.RefundState("done")}}
	})
	add("held", order.Held, nil)
	add("disputed", order.Completed, func(t *told) {
		t.disputes = []order.Dispute{b.dispute()}
		t.debts = t.disputes
	})
	return all
}

// order is an order of a term, as far as it has come.
func (b *Storybook) order(ctx context.Context, v *visit, state order.State) (told, error) {
	q, err := b.quote(ctx, v, "plenty", "10d")
	if err != nil {
		return told{}, err
	}
	at := b.now.Add(-40 * time.Second)
	o := order.Order{
		Account: v.account.ID, ID: v.server.Desk.IDs.Under("ord", v.account.ID), State: state, Kind: order.Term, Line: q.quote.Line, Plan: q.quote.Plan, Item: q.quote.Item,
		Price: q.quote.Price, Tool: catalogue.Tool(payment.Card), Effect: q.quote.Effect, StartsAt: q.quote.StartsAt, EndsAt: q.quote.EndsAt,
		Parts:    order.Parts{Rest: q.quote.Price.Minor},
		PlacedAt: at, UpdatedAt: at.Add(20 * time.Second), ExpiresAt: q.quote.ExpiresAt,
	}
	if state != order.Placed && state != order.Cancelled {
		o.PaidAt = at.Add(15 * time.Second)
	}
	if state == order.Fulfilling || state == order.Completed {
		o.AskedAt = at.Add(16 * time.Second)
	}
	if state == order.Completed {
		o.CompletedAt = at.Add(18 * time.Second)
	}
	return told{order: o, line: q.situation.Line, cat: q.catalogue, purse: q.purse}, nil
}

func (b *Storybook) bill(number int64) billing.Bill {
	return billing.Bill{
		Account: b.account.ID, ID: "bl_sample", Order: "ord_sample", Kind: billing.Sale, Series: "B2026", Number: number,
		Total: money.Of(3_980, "JPY"), Rate: billing.Rate{Class: "standard", Percent: 10, Scale: 1}, Tax: money.Of(361, "JPY"), IssuedAt: b.now,
		Content: billing.Content{
			Seller: "Tsuzuku Demo Store", SellerNumber: "T9000000000000", What: "Machi Unlimited 5 GB a day, 10 days", Tool: string(payment.Card), Zone: "Asia/Tokyo",
			From: "2026-03-08T00:00:00+09:00", To: "2026-03-18T00:00:00+09:00",
		},
	}
}

// others are the pages around renewing.
func (b *Storybook) others() []story {
	page := func(name string, h func(*Server) handler, id, query string) story {
		return story{name, by(h, id, query)}
	}
	bill := func(name string, make func() billing.Bill) story {
		return story{name, func(_ context.Context, v *visit) (answer, error) {
			return show("bill.html", v.bill(make(), line.Line{})), nil
		}}
	}
	all := []story{
		bill("bill", func() billing.Bill { return b.bill(1) }),
		bill("bill-pending", func() billing.Bill { return b.bill(0) }),
		bill("bill-credit-note", func() billing.Bill {
			c := b.bill(2)
			c.Kind, c.Content.Points = billing.CreditNote, 39
			return c
		}),
		page("wallet", func(s *Server) handler { return s.walletPage }, "", ""),
		page("account", func(s *Server) handler { return s.accountPage }, "", ""),
		page("account-saved", func(s *Server) handler { return s.accountPage }, "", "saved=1"),
		page("account-sessions", func(s *Server) handler { return s.sessionsPage }, "", ""),
		page("together", func(s *Server) handler { return s.togetherPage }, "", ""),
		page("plans", func(s *Server) handler { return s.plansPage }, "", ""),
		page("plan", func(s *Server) handler { return s.planPage }, "machi-5gb", ""),
		page("plan-not-sold", func(s *Server) handler { return s.planPage }, "sumire-voice", ""),
		page("rules", func(s *Server) handler { return s.rules }, "machi-5gb", ""),
		page("plan-devices", func(s *Server) handler { return s.planDevices }, "machi-5gb", ""),
		page("devices", func(s *Server) handler { return s.devicesAnswer }, "", ""),
		page("devices-verdict", func(s *Server) handler { return s.devicesAnswer }, "", "q=iPhone+15"),
		page("devices-which", func(s *Server) handler { return s.devicesAnswer }, "", "q=pixel"),
		page("devices-unknown", func(s *Server) handler { return s.devicesAnswer }, "", "q=Fairphone+5"),
		{"error-not-found", func(ctx context.Context, v *visit) (answer, error) { return noSuchPage(ctx, v) }},
		{"error-internal", func(context.Context, *visit) (answer, error) { return answer{}, fmt.Errorf("a sample") }},
		{"error-link-over", nobody(func(context.Context, *visit) (answer, error) {
			return answer{}, fault.Because(fault.Denied, "link_expired", "This link is over.", nil)
		})},
		{"telling-no-hours", func(ctx context.Context, v *visit) (answer, error) {
			t, err := v.howTold(ctx)
			p := v.telling(t)
			p.To, p.Error = "", v.voice.Fault(fault.Because(fault.Invalid, "quiet_hours", "Quiet hours begin and end at a time.", nil))
			p.Devices = []deviceRow{{ID: "pd_sample", Agent: "Chrome (Android)", Since: v.voice.Say("telling.device.since", locale.Args{"date": "2026-03-05"}), This: true}}
			return show("telling.html", p), err
		}},
		page("offline", func(s *Server) handler { return s.offline }, "", ""),
		page("plan-identity", func(s *Server) handler { return s.planPage }, "kaisha-month", ""),
	}
	return append(append(all, b.checks()...), b.cancellings()...)
}

// cancellings are the pages about a new line that is not wanted.
func (b *Storybook) cancellings() (all []story) {
	for name, change := range map[string]func(*withdrawing){
		"": func(*withdrawing) {}, "-asked": func(w *withdrawing) { w.state = order.WithdrawAsked },
		"-installed": func(w *withdrawing) {
			w.no = fault.Because(fault.Conflict, "cancel_installed", "This eSIM is installed on a phone.", nil)
		},
	} {
		all = append(all, story{"cancel-esim" + name, func(ctx context.Context, v *visit) (answer, error) {
			w := withdrawing{what: order.Withdrawing{
				Tool: money.Of(2_980, "JPY"), Method: "card", Wallet: money.Of(1_000, "JPY"), Points: 340, Until: b.now.AddDate(0, 3, 0),
			}, order: order.Key{Account: v.account.ID, ID: "ord_sample"}}
			err := v.server.DB.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
				w.line, err = line.Get(ctx, tx, v.account.ID, b.line("plenty"))
				return err
			})
			w.line.State, w.line.StartedAt, w.line.EndsAt = line.New, time.Time{}, time.Time{}
			change(&w)
			return show("cancel.html", v.cancelView(w)), err
		}})
	}
	slices.SortFunc(all, func(a, b story) int { return strings.Compare(a.name, b.name) })
	return all
}

// checks are an identity check in every state.
func (b *Storybook) checks() (all []story) {
	for _, s := range []identity.State{identity.Wanted, identity.Given, identity.Refused, identity.Approved} {
		all = append(all, story{"identity-" + string(s), func(_ context.Context, v *visit) (answer, error) {
			of := papersOf{found: true, check: identity.Check{ID: "idc_sample", State: s, Plan: "kaisha-month", UpdatedAt: b.now.Add(-time.Hour)}}
			if of.filled = of.check.Open(); of.filled {
				of.papers = identity.Papers{Name: "AIKO TANAKA", Nationality: "TW", Born: "1990-02-28", Document: "passport", Number: "XK1234567", Expires: "2031-05-01"}
				of.photos = []identity.Photo{{Kind: "document", Bytes: 412_000}}
			}
			if s == identity.Refused {
				of.check.Reason, of.photos = "cut_off", append(of.photos, identity.Photo{Kind: "face", Bytes: 305_000})
			}
			if s != identity.Given {
				of.check.DueAt = b.now.AddDate(0, 3, 0)
			}
			return show("identity.html", v.identity(of, "", nil)), nil
		}})
	}
	return all
}

// sampleLine is a line of the storybook.
type sampleLine struct{ key, id string }

func (b *Storybook) line(key string) string {
	for _, l := range b.lines {
		if l.key == key {
			return l.id
		}
	}
	panic("portal: the storybook has no line " + key)
}

const (
	sampleEmail = "aiko@example.com"
	gibibyte    = 1 << 30
)

// settle gives the storybook's customer a line in every state.
func (b *Storybook) settle(ctx context.Context) error {
	unlimited := func(used int64, throttled bool) line.Usage {
		return line.Usage{Unlimited: true, Total: 5 * gibibyte, Used: used, Throttled: throttled, AsOf: b.now.Add(-12 * time.Minute)}
	}
	volume := func(used, of int64) line.Usage {
		return line.Usage{Total: of, Used: used, AsOf: b.now.Add(-time.Hour)}
	}
	for _, l := range []struct {
		key, plan, term, name string
		start, end            float64 // days from now
		usage                 line.Usage
	}{
		{"plenty", "machi-5gb", "10d", "Aiko’s phone", -4, 5.5, unlimited(3*gibibyte/2, false)},
		{"soon", "machi-5gb", "3d", "Tablet", -2, 0.5, unlimited(gibibyte, false)},
		{"slow", "machi-5gb", "10d", "", -4, 5.5, unlimited(5*gibibyte, true)},
		{"volume", "machi-10gb", "10gb-15d", "Camera", -6, 2.2, volume(17*gibibyte/2, 10*gibibyte)},
		{"used-up", "hinode-visitor-5", "5gb-21d", "Router", -10, 3, volume(5*gibibyte, 5*gibibyte)},
		{"packs", "yokocho-base", "500mb-15d", "Watch", -1, 9, volume(100<<20, 500<<20)},
		{"next", "kaigan-2gb", "", "Mother", -1, 4, volume(gibibyte, 2*gibibyte)},
		{"grace", "hinode-visitor-5", "5gb-21d", "Old card", -22, -1, volume(5*gibibyte, 5*gibibyte)},
		{"closed", "sumire-voice", "15d", "Voice", -40, -10, line.Usage{}},
		{"new", "koyomi-3gb", "", "Next trip", 0, 0, line.Usage{}},
	} {
		at := placeOf(b.shop, l.plan)
		days := func(n float64) time.Time { return b.now.Add(time.Duration(n * float64(day))) }
		row := line.Line{
			Account: b.account.ID, ID: b.server.Desk.IDs.Under("ln", b.account.ID), Operator: at.op.ID, Plan: l.plan, Name: l.name, State: line.Active,
			ProfileID: "pf-" + l.key, ICCID: fmt.Sprintf("89811234567890%05d", 4711+len(b.lines)), Anchor: 2, StartedAt: days(l.start), EndsAt: days(l.end),
			GraceEnds: renewal.GraceEnd(at.plan, days(l.end), at.loc), Periods: 1, Identity: true, Usage: l.usage,
		}
		switch l.key {
		case "new":
			row.StartedAt, row.EndsAt, row.GraceEnds, row.Periods, row.State = time.Time{}, time.Time{}, time.Time{}, 0, line.New
		case "closed":
			row.State = line.Terminal
		}
		if err := b.server.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return b.addLine(ctx, tx, row, l.key, l.term, at) }); err != nil {
			return err
		}
		b.lines = append(b.lines, sampleLine{l.key, row.ID})
	}
	return nil
}

func (b *Storybook) addLine(ctx context.Context, tx db.Tx, l line.Line, key, term string, at place) error {
	if err := line.Add(ctx, tx, l); err != nil || l.Periods == 0 {
		return err
	}
	var batch db.Batch
	add := func(number int, start, end time.Time, state line.PeriodState) {
		line.AddPeriod(&batch, line.Period{
			Account: l.Account, Line: l.ID, Number: number, Plan: l.Plan, Term: term, Effect: string(catalogue.Append), StartsAt: start, EndsAt: end, State: state,
		}, tx.Now())
	}
	add(1, l.StartedAt, l.EndsAt, line.PeriodActive)
	if key == "next" {
		add(2, l.EndsAt, l.EndsAt.Add(10*day), line.PeriodQueued)
	}
	if err := tx.Batch(ctx, &batch); err != nil {
		return err
	}
	sum := int64(0)
	used := []int64{21, 34, 12, 28, 40, 25}[:min(6, max(0, int(tx.Now().Sub(l.StartedAt)/day)))]
	for i, tenths := range used {
		u := l.Usage
		if u.AsOf.IsZero() {
			break
		}
		n := tenths * gibibyte / 10
		if sum += n / 3; u.Unlimited {
			u.Used, u.Throttled = n, false
		} else {
			u.Used = min(sum, l.Usage.Used)
		}
		u.AsOf = (line.DayOf(tx.Now(), at.loc) - line.Day(len(used)-i-1)).Start(at.loc).Add(-time.Minute)
		if err := line.NoteDay(ctx, tx, l.Account, l.ID, u, at.loc); err != nil {
			return err
		}
	}
	return nil
}

// sampleTill is a payment provider of which only its limits are asked.
type sampleTill struct{ payment.Provider }

// Limits takes yen and dollars by all ways that a story has.
func (sampleTill) Limits() payment.Limits {
	rails := []payment.Rail{payment.Card, payment.PayPal, payment.Alipay, payment.WeChatPay, payment.PayPay}
	l := payment.Limits{Rails: rails, OwnPage: true, Partial: true, Keyed: true, Currencies: map[payment.Rail][]money.Currency{}}
	for _, r := range rails {
		l.Currencies[r] = []money.Currency{"JPY", "USD"}
	}
	l.Currencies[payment.WeChatPay] = []money.Currency{"CNY", "JPY"}
	l.Currencies[payment.Alipay] = []money.Currency{"CNY"}
	return l
}

// visitOf is a signed-in customer who looks at a story.
func (b *Storybook) visitOf(r *http.Request, voice ui.Voice) *visit {
	return &visit{
		server: b.server, w: nowhere{}, r: &http.Request{Method: http.MethodGet, URL: &url.URL{Path: r.URL.Path}, Header: http.Header{}},
		voice: voice, shop: b.shop, account: b.account,
	}
}

// nowhere takes the cookies that a page would set.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

// advise has the advice of every line ready, as a shop's worker does.
func (b *Storybook) advise(ctx context.Context) error {
	for _, l := range b.lines {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
		if err != nil {
			return err
		}
		v := b.visitOf(r, ui.NewVoice("en", nil, b.now))
		if _, err := by(func(s *Server) handler { return s.renewPage }, l.id, "")(ctx, v); err != nil {
			return err
		}
	}
	for worked := true; worked; {
		var err error
		if worked, err = b.server.Advice.Step(ctx); err != nil {
			return err
		}
	}
	return nil
}
