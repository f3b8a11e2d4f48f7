package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// This file is what the storybook's pages are about: a shop, lines and their use, and
// strangers of whom only their abilities are asked.

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

// sampleOperator is an operator that sells lines, and is never asked for one.
type sampleOperator struct{ carrier.Issuer }

// Name is that of the adapter whose place it takes.
func (sampleOperator) Name() string { return "simple" }

// Abilities say that it sells lines.
func (sampleOperator) Abilities() carrier.Abilities { return carrier.Abilities{Issues: true} }

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
