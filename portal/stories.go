package portal

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/portal/prose"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/support"
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
		{"sign-in-phone", nobody(func(_ context.Context, v *visit) (answer, error) {
			p, err := v.signInForm("/")
			p.Phone.Number, p.Phone.Error = "03-1234-5678", v.voice.Fault(fault.Because(fault.Invalid, "number_not_mobile", "This is not a mobile number.", nil))
			return show("signin.html", p), err
		})},
		{"code", nobody(b.code(""))},
		{"code-wrong", nobody(b.code("code_wrong"))},
		{"connect", known(account.Identity{Issuer: "Kaisha", Email: "a.tanaka@kaisha.example", Verified: true})},
		{"connect-taken", nobody(known(account.Identity{Issuer: "Kaisha", Email: sampleEmail, Verified: true}))},
		{"connect-no-address", nobody(known(account.Identity{Issuer: "Kaisha"}))},
		{"lines", by(func(s *Server) handler { return s.home }, "", "")},
		{"lines-none", func(_ context.Context, v *visit) (answer, error) {
			return show("lines.html", linesPage{Frame: v.frame(v.voice.T("lines.title"))}), nil
		}},
	}
	for _, l := range b.lines {
		all = append(all, story{"line-" + l.key, by(func(s *Server) handler { return s.linePage }, l.id, "")})
	}
	all = append(all, story{"line-install", b.install})
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
	for name, query := range map[string]string{"": "", "-compared": "home=AT%26T&days=8", "-unknown": "home=China+Mobile"} {
		all = append(all, story{"roaming" + name, nobody(by(func(s *Server) handler { return s.roamingPage }, "", query))})
	}
	all = append(all, b.reviews()...)
	all = append(all, b.orders()...)
	all = append(all, b.baskets()...)
	return append(all, b.others()...)
}

// known is a story of somebody whom an issuer knows.
func known(who account.Identity) func(context.Context, *visit) (answer, error) {
	return func(ctx context.Context, v *visit) (answer, error) {
		p, err := v.whoForm(ctx, account.Stranger{Identity: who})
		return show("who.html", p), err
	}
}

// install is a line that was bought here and is not in a phone yet.
func (b *Storybook) install(ctx context.Context, v *visit) (answer, error) {
	a, err := by(func(s *Server) handler { return s.linePage }, b.line("new"), "")(ctx, v)
	page, ok := a.page.(linePage)
	if err != nil || !ok {
		return a, err
	}
	at := placeOf(b.shop, "koyomi-3gb")
	page.Install = v.installOf(line.ESIM{Code: "LPA:1$smdp.example$A1B2-C3D4-E5F6", InstallBy: b.now.AddDate(0, 3, 0)}, line.Line{State: line.New}, at)
	return show("line.html", page), nil
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
	add("unheard", order.Placed, func(t *told) {
		t.payments = []order.Payment{pay(payment.Unknown, func(p *order.Payment) { p.CreatedAt = ago(time.Minute) })}
	})
	add("page", order.Placed, func(t *told) {
		t.payments = []order.Payment{pay(payment.NeedsCustomer, func(p *order.Payment) { p.Next = payment.Next{RedirectURL: "https://pay.example/1"} })}
	})
	add("code", order.Placed, func(t *told) {
		t.payments = []order.Payment{pay(payment.NeedsCustomer, func(p *order.Payment) {
			p.Rail, p.Next = payment.WeChatPay, payment.Next{QR: "weixin://wxpay/bizpayurl?pr=sample"}
		})}
	})
	add("declined", order.Placed, func(t *told) {
		t.wallet = money.Of(12_000, "JPY")
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
	plan, _ := b.shop.Plan("machi-5gb")
	return billing.Bill{
		Account: b.account.ID, ID: "bl_sample", Order: "ord_sample", Kind: billing.Sale, Series: "B2026", Number: number,
		Total: money.Of(3_980, "JPY"), Rate: billing.Rate{Class: "standard", Percent: 10, Scale: 1}, Tax: money.Of(361, "JPY"), IssuedAt: b.now,
		Content: billing.Content{
			Seller: "Tsuzuku Demo Store", SellerNumber: "T9000000000000", Names: plan.Name, Sold: &billing.Sold{Unit: calendar.Day, N: 10}, Tool: string(payment.Card), Zone: "Asia/Tokyo",
			From: "2026-03-08T00:00:00+09:00", To: "2026-03-18T00:00:00+09:00",
		},
	}
}

// others are the pages around renewing.
func (b *Storybook) others() []story {
	page := func(name string, h func(*Server) handler, id, query string) story {
		return story{name, by(h, id, query)}
	}
	bill := func(name string, make func() (b, of billing.Bill)) story {
		return story{name, func(_ context.Context, v *visit) (answer, error) {
			own, of := make()
			return show("bill.html", v.bill(own, of, line.Line{})), nil
		}}
	}
	all := []story{
		bill("bill", func() (own, of billing.Bill) { return b.bill(1), of }),
		bill("bill-pending", func() (own, of billing.Bill) { return b.bill(0), of }),
		bill("bill-credit-note", func() (note, of billing.Bill) {
			note = b.bill(2)
			note.Kind, note.Content.Points = billing.CreditNote, 39
			return note, b.bill(1)
		}),
		page("wallet", func(s *Server) handler { return s.walletPage }, "", ""),
		page("account", func(s *Server) handler { return s.accountPage }, "", ""),
		page("account-saved", func(s *Server) handler { return s.accountPage }, "", "saved=1"),
		page("account-guessable", func(s *Server) handler { return s.securityPage }, "", "done=guessable&next=%2Flines%2F1"),
		page("account-sessions", func(s *Server) handler { return s.sessionsPage }, "", ""),
		page("together", func(s *Server) handler { return s.togetherPage }, "", ""),
		page("plans", func(s *Server) handler { return s.plansPage }, "", ""),
		page("plans-chosen", func(s *Server) handler { return s.plansPage }, "", "days=10&data=unlimited"),
		page("plans-none", func(s *Server) handler { return s.plansPage }, "", "days=365&data=volume"),
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
		{"telling-phone", func(ctx context.Context, v *visit) (answer, error) {
			t, err := v.howTold(ctx)
			t.addresses = append(t.addresses, account.Address{ID: "ad_sample", Channel: message.SMS, Value: "+819012345678"})
			return show("telling.html", v.telling(t)), err
		}},
		{"telling-phone-only", func(ctx context.Context, v *visit) (answer, error) {
			t, err := v.howTold(ctx)
			t.addresses = []account.Address{{ID: "ad_sample", Channel: message.SMS, Value: "+819012345678"}}
			return show("telling.html", v.telling(t)), err
		}},
		{"claim-by-number", func(ctx context.Context, v *visit) (answer, error) {
			p, err := v.claim(ctx)
			p.ByNumber = true
			return show("claim.html", p), err
		}},
		{"claim-code", func(_ context.Context, v *visit) (answer, error) { return show("code.html", v.claimCodeForm()), nil }},
		page("offline", func(s *Server) handler { return s.offline }, "", ""),
		page("plan-identity", func(s *Server) handler { return s.planPage }, "kaisha-month", ""),
	}
	return slices.Concat(all, b.checks(), b.cancellings(), b.periods(), b.talks(), b.readings())
}

// periods are the pages about a period that is not wanted.
func (b *Storybook) periods() (all []story) {
	for name, no := range map[string]error{
		"": nil, "-under": fault.Because(fault.Conflict, "period_under", "Another period was bought after this one.", nil),
	} {
		all = append(all, story{"cancel-period" + name, func(ctx context.Context, v *visit) (answer, error) {
			t, err := b.order(ctx, v, order.Completed)
			t.returning, t.stays = order.Returning{Tool: money.Of(3_980, "JPY"), Method: "card"}, no
			return show("cancel.html", v.periodView(t)), err
		}})
	}
	return all
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

// baskets are several lines renewed with one payment.
func (b *Storybook) baskets() []story {
	two := func(ctx context.Context, v *visit) (all []quoted, err error) {
		for _, wish := range [][2]string{{"plenty", "10d"}, {"soon", "5d"}} {
			q, err := b.quote(ctx, v, wish[0], wish[1])
			if err != nil {
				return nil, err
			}
			q.wallet, q.points = money.Of(12_000, "JPY"), 340
			all = append(all, q)
		}
		return all, nil
	}
	placed := func(state order.State, second order.State) func(context.Context, *visit) (answer, error) {
		return func(ctx context.Context, v *visit) (answer, error) {
			first, err := b.order(ctx, v, state)
			if err != nil {
				return answer{}, err
			}
			other, err := b.order(ctx, v, second)
			if err != nil {
				return answer{}, err
			}
			other.order.Line = b.line("soon")
			t := basketTold{told: first, orders: []order.Order{first.order, other.order}, lines: map[string]line.Line{first.order.Line: first.line, other.order.Line: first.line}}
			return show("basket.html", v.basketStory(t)), nil
		}
	}
	return []story{
		{"together-review", func(ctx context.Context, v *visit) (answer, error) {
			all, err := two(ctx, v)
			if err != nil {
				return answer{}, err
			}
			return show("together_review.html", v.reviewTogether(all)), nil
		}},
		{"together-placed", placed(order.Placed, order.Placed)},
		{"together-completed", placed(order.Completed, order.Completed)},
		{"together-half", placed(order.Completed, order.Refunded)},
	}
}

// talks are cases, as conversations.
func (b *Storybook) talks() []story {
	at := func(before time.Duration) time.Time { return b.now.Add(-before) }
	asked := support.Message{Number: 1, Author: support.Customer, Text: "The line is slow since noon.\nI am in Kyoto.", At: at(3 * time.Hour), Files: []support.File{{Number: 1, Name: "speed.png", Bytes: 81_000}}}
	answered := support.Message{Number: 2, Author: support.Staff, Text: "Thank you for telling us. The operator works on it until 18:00.", At: at(2 * time.Hour)}
	told := func(name string, change func(*talk)) story {
		return story{"case-" + name, func(ctx context.Context, v *visit) (answer, error) {
			l, err := db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) {
				return line.Get(ctx, tx, v.account.ID, b.line("slow"))
			})
			if err != nil {
				return answer{}, err
			}
			t := talk{
				c: support.Case{
					Account: v.account.ID, ID: "cs_sample", Line: l.ID, State: support.Open, OpenedBy: support.Customer, Topic: "slow", Turn: support.Staff,
					CreatedAt: at(3 * time.Hour), UpdatedAt: at(2 * time.Hour),
				},
				about: aboutCase{line: l}, messages: []support.Message{asked},
			}
			change(&t)
			return show("case.html", v.conversation(t, "sample")), nil
		}}
	}
	return []story{
		told("asked", func(*talk) {}),
		told("answered", func(t *talk) { t.c.Turn, t.messages = support.Customer, append(t.messages, answered) }),
		told("closed", func(t *talk) {
			t.c.State, t.c.ClosedAt, t.messages = support.Closed, b.now, append(t.messages, answered)
		}),
		b.chat("left", "slow", "what is left?"),
		b.chat("lines", "", "残りは？"),
		b.chat("terms", "slow", "I leave on 12 March", "比较一下"),
		b.chat("quote", "slow", "compare", "1"),
		b.chat("lost", "slow", "purple elephants", "purple elephants", "purple elephants"),
		b.chat("nothing-said", "slow", " "),
	}
}

// chat is the assistant after these sentences, said about a line.
func (b *Storybook) chat(name, about string, said ...string) story {
	return story{"chat-" + name, func(ctx context.Context, v *visit) (answer, error) {
		if _, err := v.server.forgetChat(ctx, v); err != nil {
			return answer{}, err
		}
		v.r.PostForm = url.Values{"line": {""}}
		if about != "" {
			v.r.PostForm.Set("line", b.line(about))
		}
		for _, text := range said {
			v.r.PostForm.Set("text", text)
			if a, err := v.server.say(ctx, v); err != nil || a.template != "" {
				return a, err
			}
		}
		p, err := v.chat(ctx, v.field("line"))
		return show("chat.html", p), err
	}}
}

// readings are pages of which a visitor only reads: help, law, letters.
func (b *Storybook) readings() []story {
	of := func(name string, h func(*Server) handler, key, value string) story {
		return story{name, func(ctx context.Context, v *visit) (answer, error) {
			v.r.SetPathValue(key, value)
			return h(v.server)(ctx, v)
		}}
	}
	var all []story
	for _, topic := range prose.Topics {
		all = append(all, of("help-"+topic, func(s *Server) handler { return s.helpTopic }, "topic", topic))
	}
	for _, page := range prose.LegalPages {
		all = append(all, of("legal-"+page, func(s *Server) handler { return s.legalPage }, "page", page))
	}
	return append(all, story{"letter", func(_ context.Context, v *visit) (answer, error) {
		at := v.shopZone()
		letter, err := message.Write(message.Reminder1Day, v.voice.Lang, v.letters(), message.Facts{
			LineName: "Tablet", LineLastFour: "4712", PlanName: v.voice.PlanName(b.shop, "machi-5gb"), EndsAt: b.now.Add(12 * time.Hour), Zone: "Asia/Tokyo",
		})
		if err != nil {
			return answer{}, err
		}
		return show("letter.html", letterPage{
			Frame: v.frame(letter.Subject), Subject: letter.Subject, Text: letter.Text, Lang: string(letter.Language), At: v.voice.Moment(b.now.Add(-time.Hour), at),
		}), nil
	}})
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
