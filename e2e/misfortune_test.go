package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// mishap is one thing that goes wrong between the offer and the service: a row of the
// table.
type mishap struct {
	name string
	says string // in docs/operators.md
	live func(*testing.T, *tale)
}

// verdict is how a mishap ends at one operator: a cell of the table.
type verdict struct {
	ends   order.State
	reason string // of the order
	served int    // by the operator's own books
	staff  string // the sign by which staff hear of it
	cannot string // why it cannot happen; nothing is tried then
}

// The verdicts that are given often.
var (
	fine = verdict{ends: order.Completed, served: 1}
	back = func(reason string) verdict { return verdict{ends: order.Refunded, reason: reason} }
	none = func(why string) verdict { return verdict{cannot: why} }
)

// before lets something happen while the customer is at the page of their card.
func before(happens func(*tale)) func(*testing.T, *tale) {
	return func(t *testing.T, s *tale) {
		s.asks(t)
		happens(s)
		s.pays(t)
		s.pass(t, 3*time.Hour)
	}
}

// arranged lets the operator's own misfortune happen meanwhile.
func arranged(t *testing.T, s *tale) {
	happens := s.booth.befalls[s.mishap]
	if happens == nil {
		t.Fatalf("nobody knows how %q happens at %s", s.mishap, s.at.name)
	}
	before(func(*tale) { happens() })(t, s)
}

func wire(f outboundsim.Fault, times int) func(*testing.T, *tale) {
	return before(func(s *tale) { s.suffer(f, times) })
}

// unreachable is an operator that nobody can connect to for a while.
func unreachable(d time.Duration) func(*testing.T, *tale) {
	return func(t *testing.T, s *tale) {
		s.asks(t)
		s.away(true)
		s.pays(t)
		s.pass(t, d)
		s.away(false)
		s.pass(t, 3*time.Hour)
	}
}

// mishaps are the rows of the table.
var mishaps = []mishap{
	{"well", "nothing goes wrong", before(func(*tale) {})},
	{"lost", "the request is lost: time-out before it acts", wire(outboundsim.LoseRequest, 1)},
	{"silent", "it acts, and the answer is lost: time-out after it acted", wire(outboundsim.LoseAnswer, 1)},
	{"broken", "it acts, and answers with 500", wire(outboundsim.Break, 1)},
	{"half", "it acts, and half of its answer arrives", wire(outboundsim.Garble, 1)},
	{"slow", "it acts minutes after our time limit", arranged},
	{"very-late", "it acts hours after our time limit, when the money has gone back", func(t *testing.T, s *tale) {
		arranged(t, s)
		s.deliver()
		s.pass(t, 26*time.Hour)
	}},
	{"busy", "429 with `Retry-After`, three times", wire(outboundsim.Busy, 3)},
	{"away-shortly", "it cannot be reached for ten minutes", unreachable(10 * time.Minute)},
	{"away", "it cannot be reached for two hours", unreachable(2 * time.Hour)},
	{"empty", "your balance with it is empty", arranged},
	{"withdrawn", "the package is withdrawn between the offer and the payment", arranged},
	{"dearer", "its price rises between the offer and the payment", arranged},
	{"ended", "the line has ended there between the offer and the payment", arranged},
	{"ended-here", "the line expires while the customer pays", before(func(s *tale) { s.clock.Add(25 * time.Minute) })},
	{"recycled", "the ICCID is given to another line", arranged},
	{"unknown", "a wrong ICCID was typed when the line was written down", arranged},
	{"bells", "its notifications come twice, out of order, an hour late, and forged", talkative},
	{"no-bells", "its notifications are lost", talkative},
	{"lag", "its figures of use are hours old", lagging},
	{"queued", "what was bought waits for the end of what runs", queueing},
	{"gigabytes", "it counts a GB in its own way", counting},
	{"number", "it writes an ICCID as a number", talkative},
	{"dates", "it writes dates in its own ways: `+0000`, without a zone, in words", dating},
}

// Every misfortune at every operator, over the whole engine and over real connections:
// a line is fed once and paid for, or not fed and the money is back; the operator's
// own books say so; the customer is told; and the audit is clean. What no rule can
// decide is before a person.
func TestEveryMisfortuneAtEveryOperator(t *testing.T) {
	for _, w := range wholesalers {
		t.Run(w.name, func(t *testing.T) {
			market := w.market(t)
			for _, m := range mishaps {
				v, ok := w.verdict[m.name]
				if !ok {
					t.Errorf("nobody says how %q ends at %s", m.name, w.name)
				}
				if !ok || v.cannot != "" {
					continue
				}
				t.Run(m.name, func(t *testing.T) {
					s := market.tale(t, m.name)
					live := m.live
					if own := s.booth.actions[m.name]; own != nil {
						live = own
					}
					live(t, s)
					s.judge(t, v)
				})
			}
		})
	}
}

// judge compares how a story ended with what it should have come to.
func (s *tale) judge(t *testing.T, v verdict) {
	t.Helper()
	s.pass(t, time.Hour)
	o, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) (order.Order, error) { return order.Get(ctx, tx, s.order.Ref()) })
	if err != nil {
		t.Fatal(err)
	}
	kept := s.card.Captured(s.ref).Minor - s.card.Refunded(s.ref).Minor
	want := int64(0)
	if v.ends == order.Completed || v.ends == order.Held {
		want = o.Price.Minor
	}
	if o.State != v.ends || o.Reason != v.reason || kept != want {
		t.Errorf("the order is %s (%s: %s) and %d is kept, want %s (%s) and %d", o.State, o.Reason, o.Evidence, kept, v.ends, v.reason, want)
	}
	if n := s.booth.served(); n != v.served {
		t.Errorf("the operator has it %d times, want %d", n, v.served)
	}
	s.told(t, o, v)
	s.seen(t, v)
	found, err := audit.Run(t.Context(), s.DB)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("audit: %s", f)
	}
}

// told demands that the customer was told how it ended, once, by a letter that arrived.
func (s *tale) told(t *testing.T, o order.Order, v verdict) {
	t.Helper()
	kinds := map[order.State][]message.Kind{
		order.Completed: {message.OrderCompleted}, order.Refunded: {message.OrderRefundDue, message.OrderRefunded}, order.Held: {message.OrderHeld},
	}[v.ends]
	for _, kind := range kinds {
		n, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) (n int, err error) {
			return n, tx.QueryRow(ctx, `SELECT COUNT(*) FROM messages WHERE account_id = $1 AND order_id = $2 AND kind = $3 AND state = 'sent'`,
				o.Account, o.ID, string(kind)).Scan(&n)
		})
		if err != nil || n != 1 {
			t.Errorf("the customer got %d letters %s, %v", n, kind, err)
		}
	}
	if len(kinds) > len(s.inbox.To(s.email)) {
		t.Error("no letter arrived")
	}
}

// seen demands that the auditor, who looks now and a minute later, finds what is for
// staff, and nothing else.
func (s *tale) seen(t *testing.T, v verdict) {
	t.Helper()
	for range 3 {
		s.clock.Add(11 * time.Second)
		if _, err := s.Repairer.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.work(t)
	}
	found, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) ([]audit.Finding, error) {
		return audit.OpenFindings(ctx, tx, 100)
	})
	if err != nil {
		t.Fatal(err)
	}
	signs := ""
	found = slices.DeleteFunc(found, func(f audit.Finding) bool { return f.Account != s.line.Account })
	for _, f := range found {
		signs += f.Sign
	}
	if signs != v.staff {
		t.Errorf("staff hear of %q, want %q: %+v", signs, v.staff, found)
	}
	for _, f := range found {
		if f.CaseAt.IsZero() {
			t.Errorf("nobody was called about %s", f.Sign)
		}
	}
}

// talkative is an operator with much to tell: its bells make us look, and nothing else.
func talkative(t *testing.T, s *tale) {
	s.asks(t)
	s.suffer(outboundsim.LoseAnswer, 1)
	s.pays(t)
	s.pass(t, time.Hour)
	if s.booth.use == nil {
		return
	}
	s.booth.use(s.booth.much)
	s.pass(t, 5*time.Hour)
	if s.is("no-bells") {
		s.looks(t)
	}
	rang, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) (n int, err error) {
		return n, tx.QueryRow(ctx, `SELECT COUNT(*) FROM provider_events WHERE account_id = $1 AND provider = $2`, s.line.Account, s.at.name).Scan(&n)
	})
	if err != nil || (rang == 0) != s.is("no-bells") {
		t.Errorf("%d notifications of the line are kept, %v", rang, err)
	}
	if truth, known := s.booth.figures(), s.known(t); known.Usage.Used != truth.Used {
		t.Errorf("%d bytes are used, and we know of %d as of %v", truth.Used, known.Usage.Used, known.Usage.AsOf)
	}
}

// lagging is an operator that does not know yet what was used: what it says is shown
// with its age, and is right when its time has come.
func lagging(t *testing.T, s *tale) {
	s.asks(t)
	s.pays(t)
	s.pass(t, time.Minute)
	s.looks(t)
	if lag := s.booth.befalls["lag"]; lag != nil {
		lag()
	}
	s.booth.use(700 << 20)
	asked := s.clock.Now()
	if early := s.looks(t).Usage; early.Used != 0 || s.booth.dated && !early.AsOf.Before(asked) {
		t.Errorf("asked at %v: %+v", asked, early)
	}
	s.pass(t, 4*time.Hour)
	if late, truth := s.looks(t).Usage, s.booth.figures(); late.Used != truth.Used || late.Used == 0 {
		t.Errorf("hours later: %+v, and the truth is %+v", late, truth)
	}
}

// queueing is an operator at which a further package waits: so does the period.
func queueing(t *testing.T, s *tale) {
	before(func(*tale) {})(t, s)
	periods, err := db.Seen(t.Context(), s.DB, func(ctx context.Context, tx db.Tx) ([]line.Period, error) {
		return line.Periods(ctx, tx, s.line.Account, s.line.ID)
	})
	if err != nil || len(periods) != 2 {
		t.Fatalf("%d periods, %v", len(periods), err)
	}
	if p := periods[1]; p.StateAt(s.clock.Now()) != line.PeriodQueued || !p.StartsAt.Equal(periods[0].EndsAt) {
		t.Errorf("%+v follows %+v", p, periods[0])
	}
}

// counting compares figures to the byte.
func counting(t *testing.T, s *tale) {
	before(func(*tale) {})(t, s)
	s.booth.use(100 << 20)
	s.pass(t, 5*time.Hour)
	if known, truth := s.looks(t).Usage, s.booth.figures(); known.Total != truth.Total || known.Used != truth.Used || truth.Total == 0 {
		t.Errorf("%+v, and the truth is %+v", known, truth)
	}
}

// dating compares ends to the second.
func dating(t *testing.T, s *tale) {
	before(func(*tale) {})(t, s)
	c := s.Desk.Carriers[s.at.name]
	st, err := c.Status(t.Context(), carrier.Profile{ID: s.line.ProfileID, ICCID: s.line.ICCID})
	if truth := s.booth.figures(); err != nil || st.EndsAt.Truncate(time.Second) != truth.EndsAt.Truncate(time.Second) || truth.EndsAt.IsZero() {
		t.Errorf("%+v, %v, and the truth is %+v", st, err, truth)
	}
}

// The table in docs/operators.md is this one; -update writes it there.
func TestMisfortunesAreDocumented(t *testing.T) {
	const file, begins, ends = "../docs/operators.md", "<!-- misfortunes: written by the test of package e2e -->\n", "<!-- end of misfortunes -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begins)
	_, tail, ok2 := strings.Cut(rest, ends)
	if !ok || !ok2 {
		t.Fatal("the document has no place for the table")
	}
	want := head + begins + tableOfMisfortunes() + ends + tail
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Error("docs/operators.md has another table: go test ./e2e -run TestMisfortunesAreDocumented -update-misfortunes")
	}
}

var update = flag.Bool("update-misfortunes", false, "write the table of misfortunes into the document")

func tableOfMisfortunes() string {
	var b strings.Builder
	var reasons []string
	head, line := "| what happens |", "| --- |"
	for _, w := range wholesalers {
		head, line = head+" `"+w.shown()+"` |", line+" --- |"
	}
	fmt.Fprintf(&b, "%s\n%s\n", head, line)
	for _, m := range mishaps {
		fmt.Fprintf(&b, "| %s |", m.says)
		for _, w := range wholesalers {
			v := w.verdict[m.name]
			if v.cannot != "" && !slices.Contains(reasons, v.cannot) {
				reasons = append(reasons, v.cannot)
			}
			fmt.Fprintf(&b, " %s |", v.shown(slices.Index(reasons, v.cannot)+1))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for i, why := range reasons {
		fmt.Fprintf(&b, "%d. cannot happen: %s\n", i+1, why)
	}
	return b.String()
}

// shown is the adapter's name; that of a remote operator is the seller's own.
func (w *wholesaler) shown() string {
	if w.name == "tabi" {
		return "remote"
	}
	return w.name
}

func (v verdict) shown(reason int) string {
	switch {
	case v.cannot != "":
		return fmt.Sprintf("– (%d)", reason)
	case v.ends == order.Completed:
		return "served"
	case v.ends == order.Held:
		return "held: `" + v.reason + "`"
	case v.staff != "":
		return "back: `" + v.reason + "`, and staff hear `" + v.staff + "`"
	}
	return "back: `" + v.reason + "`"
}
