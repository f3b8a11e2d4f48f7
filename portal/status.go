package portal

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/ui"
)

// statusLife is how long what was counted is shown before it is counted again.
const statusLife = time.Minute

// statusShelf keeps what was counted last, so that the page costs nothing however
// often it is looked at.
type statusShelf struct {
	mu   sync.Mutex
	last counted
}

// counted is what the house sees of strangers, as of one instant.
type counted struct {
	waiting order.Waiting
	pulse   map[string]outbound.Pulse
	at      time.Time
}

// count is what is waited for, at most a minute old. Whoever comes while it is
// counted waits for that.
func (s *Server) count(ctx context.Context) (counted, error) {
	s.status.mu.Lock()
	defer s.status.mu.Unlock()
	now := s.DB.Now()
	if age := now.Sub(s.status.last.at); age >= 0 && age < statusLife {
		return s.status.last, nil
	}
	w, err := db.Seen(ctx, s.DB, order.WaitingNow)
	if err != nil {
		return counted{}, err
	}
	c := counted{waiting: w, pulse: map[string]outbound.Pulse{}, at: now}
	if s.Heard != nil {
		for name := range s.Desk.Carriers {
			c.pulse[name] = s.Heard.Of(name)
		}
		for name := range s.Desk.Providers {
			c.pulse[name] = s.Heard.Of(name)
		}
	}
	s.status.last = c
	return c, nil
}

// statusPage is everything status.html may use.
type statusPage struct {
	ui.Frame
	Checked   string
	Operators []statusRow
	Payments  []statusRow
	Trouble   bool
	Reach     reach
}

// statusRow is how one stranger does.
type statusRow struct {
	Name  string
	Badge ui.Badge
	Words []string
}

// statusPage says how operators and payment providers do, as far as we see it.
func (s *Server) statusPage(ctx context.Context, v *visit) (answer, error) {
	c, err := s.count(ctx)
	if err != nil {
		return answer{}, err
	}
	p := statusPage{Frame: v.frame(v.voice.T("status.title")), Reach: v.reach()}
	p.Checked = v.voice.Say("status.checked", locale.Args{"time": v.voice.Moment(c.at, v.shopZone()).Text})
	for _, op := range v.shop.Operators {
		p.Operators = append(p.Operators, v.operatorState(c, op))
	}
	rails := map[string][]string{}
	for rail, provider := range s.Desk.Rails {
		rails[provider] = append(rails[provider], v.voice.Tool(catalogue.Tool(rail)))
	}
	for provider, names := range rails {
		slices.Sort(names)
		row := v.strangerState(c.pulse[provider], c.waiting.Providers[provider], 0, "payment")
		row.Name = strings.Join(names, v.voice.T("list.comma"))
		p.Payments = append(p.Payments, row)
	}
	slices.SortFunc(p.Payments, func(a, b statusRow) int { return cmp.Compare(a.Name, b.Name) })
	for _, row := range slices.Concat(p.Operators, p.Payments) {
		p.Trouble = p.Trouble || row.Badge.Tone == ui.Bad || row.Badge.Tone == ui.Warn
	}
	return show("status.html", p), nil
}

// operatorState is how an operator does, from the orders that it was asked for and the
// calls to it.
func (v *visit) operatorState(c counted, op catalogue.Operator) statusRow {
	if port := v.server.Desk.Carriers[op.Carrier]; port != nil && port.Abilities().ByHand {
		return statusRow{op.Name, ui.Badge{Tone: ui.Off, Word: v.voice.T("status.by_hand")}, []string{v.voice.T("status.by_hand.lead")}}
	}
	var waits order.Queue
	held := 0
	for a, n := range c.waiting.Held {
		if a.Of(v.shop) == op.ID {
			held += n
		}
	}
	for a, q := range c.waiting.Orders {
		if a.Of(v.shop) == op.ID {
			waits = waits.With(q)
		}
	}
	row := v.strangerState(c.pulse[op.Carrier], waits, held, "operator")
	row.Name = op.Name
	return row
}

const (
	someCalls = 3  // fewer say nothing about the rest
	fewOf100  = 10 // of 100 calls unanswered: trouble
	halfOf100 = 50 // of 100: it is away
)

// strangerState says how somebody does in words: kind is "operator" or "payment".
func (v *visit) strangerState(p outbound.Pulse, waits order.Queue, held int, kind string) (row statusRow) {
	say := func(tone ui.Tone, word string) { row.Badge = ui.Badge{Tone: tone, Word: v.voice.T("status." + word)} }
	share := 0
	if p.Calls > 0 {
		share = 100 * p.Unanswered / p.Calls
	}
	switch {
	case p.Calls >= someCalls && share >= halfOf100:
		say(ui.Bad, "away")
	case p.Calls >= someCalls && share >= fewOf100, waits.Count > 0, held > 0:
		say(ui.Warn, "slow")
	case p.Calls == 0:
		say(ui.Off, "quiet")
	default:
		say(ui.Good, "well")
	}
	if p.Unanswered > 0 {
		row.Words = append(row.Words, v.voice.Say("status.unanswered", locale.Args{"some": p.Unanswered, "all": p.Calls, "span": locale.Span(v.voice.Lang, outbound.Lately)}))
	}
	if waits.Count > 0 {
		row.Words = append(row.Words, v.voice.Say("status.waits."+kind, locale.Args{"count": waits.Count, "time": v.voice.Moment(waits.Since, v.shopZone()).Text}))
	}
	if held > 0 {
		row.Words = append(row.Words, v.voice.Say("status.held", locale.Args{"count": held}))
	}
	switch {
	case p.Calls == 0 && !p.Answered.IsZero():
		row.Words = append(row.Words, v.voice.Say("status.last", locale.Args{"time": v.voice.Moment(p.Answered, v.shopZone()).Text}))
	case p.Calls == 0 && len(row.Words) == 0:
		row.Words = append(row.Words, v.voice.Say("status.quiet.lead", locale.Args{"span": locale.Span(v.voice.Lang, outbound.Lately)}))
	case len(row.Words) == 0:
		row.Words = append(row.Words, v.voice.T("status.well.lead"))
	}
	return row
}
