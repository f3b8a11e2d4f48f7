package order_test

import (
	"bytes"
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus/es2plussim"
	"github.com/tsuzuku/tsuzuku/carrier/manual"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

const phoneEID = "89049032123451234512345678901235"

// ownSMDP is a shop with an SM-DP+ of its own: its lines are made by that, and fed by
// the operator in process. What starts the clock of machi-5gb is said.
type ownSMDP struct {
	*cashier
	smdp *es2plussim.Sim
	wire *outboundsim.Wire
	able *es2plus.Adapter
}

func newOwnSMDP(t *testing.T, env dbtest.Env, profiles int, status bool, start string) *ownSMDP {
	t.Helper()
	s := &ownSMDP{cashier: newCashier(t, env)}
	s.smdp = es2plussim.New(es2plussim.Config{Now: env.Clock.Now, Rand: mathrand.New(mathrand.NewPCG(5, 6)), Address: "smdp.example", Status: status})
	for n := range profiles {
		s.smdp.Add("ESIM-KAZ-MACHI-5GB-3D", fmt.Sprintf("898110000000%07d", n))
	}
	s.wire = &outboundsim.Wire{Stranger: s.smdp}
	calls := 0
	var err error
	s.able, err = es2plus.New(es2plus.Config{
		URL: "https://es2.example", Requester: "1.3.6.1.4.1.99999.1", Address: "smdp.example", Secret: "the secret of these tests, long enough", Status: status,
	}, s.Sim, outbound.New(outbound.Options{Transport: s.wire}), env.Clock.Now, func() string { calls++; return fmt.Sprintf("%032x", calls) })
	if err != nil {
		t.Fatal(err)
	}
	s.Desk.Carriers["simple"] = s.able
	s.Desk.Shelf = &catalogue.Shelf{}
	file := catalogue.DemoFile()
	at := bytes.Index(file, []byte("id: "+usedLater))
	file = append(file[:at:at], bytes.Replace(file[at:], []byte("{start: first_use"), []byte("{start: "+start), 1)...)
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, file, "test")
		return err
	})
	return s
}

// fail lets the next requests of a function suffer one fault each.
func (s *ownSMDP) fail(function string, faults ...outboundsim.Fault) {
	s.wire.Choose = func(r *http.Request) outboundsim.Fault {
		if len(faults) == 0 || !strings.HasSuffix(r.URL.Path, "/"+function) {
			return outboundsim.None
		}
		f := faults[0]
		faults = faults[1:]
		return f
	}
}

// came is what the SM-DP+ has made for a customer's order in the end, and whether a
// phone can install it with the code that the customer has.
func (s *ownSMDP) came(t *testing.T, o order.Order) {
	t.Helper()
	e, found := s.esim(t, o)
	done := s.get(t, o.Ref()).State == order.Completed
	if found != done {
		t.Fatalf("order is completed: %t, its line is here: %t", done, found)
	}
	if sold := s.smdp.Sold(); done != (sold == 1) {
		t.Errorf("order is completed: %t, and %d profiles are out", done, sold)
	}
	if done && s.smdp.Install(e.Code, phoneEID) != nil {
		t.Errorf("%s brings nothing", e.Code)
	}
	s.clean(t, o.Account)
}

// Whatever the SM-DP+ does, a new line is charged and can be installed, once, or the
// money is back and no phone can have it. After a silence nothing is given back that
// may be out, and nothing made twice.
func TestOwnSMDPMakesOnceOrRefunds(t *testing.T) {
	const silent, lost, late, broken, garbled, refuse, busy = outboundsim.LoseAnswer, outboundsim.LoseRequest, outboundsim.ActLater,
		outboundsim.Break, outboundsim.Garble, outboundsim.Refuse, outboundsim.Busy
	for name, f := range map[string]struct {
		function string
		faults   []outboundsim.Fault
		profiles int
		ends     order.State
		reason   string
		aside    int // profiles that were set aside for nobody
	}{
		"all is well":                       {"", nil, 3, order.Completed, "", 0},
		"confirmed, and silent":             {"confirmOrder", []outboundsim.Fault{silent}, 3, order.Completed, "", 0},
		"confirmed, and silent three times": {"confirmOrder", []outboundsim.Fault{silent, silent, silent}, 3, order.Completed, "", 0},
		"confirmed, answered with 500":      {"confirmOrder", []outboundsim.Fault{broken}, 3, order.Completed, "", 0},
		"confirmed, answered with half":     {"confirmOrder", []outboundsim.Fault{garbled}, 3, order.Completed, "", 0},
		"the confirmation is lost":          {"confirmOrder", []outboundsim.Fault{lost}, 3, order.Completed, "", 0},
		"the confirmation acts late":        {"confirmOrder", []outboundsim.Fault{late}, 3, order.Completed, "", 0},
		"nobody is there to confirm":        {"confirmOrder", []outboundsim.Fault{refuse, busy}, 3, order.Completed, "", 0},
		"set aside, and silent":             {"downloadOrder", []outboundsim.Fault{silent}, 3, order.Completed, "", 1},
		"the wish is lost":                  {"downloadOrder", []outboundsim.Fault{lost}, 3, order.Completed, "", 0},
		"nobody is there at first":          {"downloadOrder", []outboundsim.Fault{refuse, busy, refuse}, 3, order.Completed, "", 0},
		"no more profiles":                  {"", nil, 0, order.Refunded, "package_gone", 0},
	} {
		tools := []catalogue.Tool{order.ToolWallet}
		if f.aside == 0 && len(f.faults) < 2 {
			tools = append(tools, catalogue.Tool(payment.Card))
		}
		for _, tool := range tools {
			t.Run(name+"/"+string(tool), func(t *testing.T) {
				s := newOwnSMDP(t, dbtest.SQLite(t), f.profiles, false, "install")
				s.fail(f.function, f.faults...)
				account := s.visitor(t, 6_000)
				o := s.buysNew(t, account, usedLater, tool)
				s.pass(t, time.Hour)
				s.wire.Deliver()
				s.pass(t, time.Hour)
				o = s.want(t, o, f.ends, f.reason)
				s.came(t, o)
				if got := s.smdp.In(es2plussim.Allocated); got != f.aside {
					t.Errorf("%d profiles are set aside for nobody, want %d", got, f.aside)
				}
				spent := 6_000 - s.wallet(t, account)
				if want := map[bool]int64{true: o.Price.Minor}[f.ends == order.Completed && tool == order.ToolWallet]; spent != want {
					t.Errorf("the wallet paid %d, want %d", spent, want)
				}
			})
		}
	}
}

// An SM-DP+ that can be asked is asked, and nothing is confirmed twice: what it does
// not have is refunded.
func TestOwnSMDPWithStatus(t *testing.T) {
	for fate, ends := range map[outboundsim.Fault]order.State{outboundsim.LoseAnswer: order.Completed, outboundsim.LoseRequest: order.Refunded} {
		s := newOwnSMDP(t, dbtest.SQLite(t), 2, true, "install")
		s.fail("confirmOrder", fate)
		o := s.buysNew(t, s.visitor(t, 6_000), usedLater, order.ToolWallet)
		s.pass(t, time.Hour)
		s.came(t, s.want(t, o, ends, map[order.State]string{order.Refunded: "operator_silent"}[ends]))
		confirmed := 0
		for _, c := range s.smdp.Calls() {
			if c.Function == "confirmOrder" {
				confirmed++
			}
		}
		if confirmed > 1 || s.smdp.In(es2plussim.Available) != 1 {
			t.Errorf("%s: confirmed %d times, %d profiles left", fate, confirmed, s.smdp.In(es2plussim.Available))
		}
	}
}

// Nothing is set aside before somebody has paid, however often they try.
func TestNothingIsSetAsideUnpaid(t *testing.T) {
	s := newOwnSMDP(t, dbtest.SQLite(t), 3, false, "install")
	account := s.visitor(t, 0)
	for range 3 {
		if _, err := s.place(t, s.fresh(t, account, usedLater)); fault.KindOf(err) != fault.Invalid && fault.KindOf(err) != fault.Conflict {
			t.Errorf("bought with an empty wallet: %v", err)
		}
	}
	if n := len(s.smdp.Calls()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// The whole life of a line whose profile is the seller's own, on both engines: bought
// through a silence, begun when it is installed, renewed by its other operator, and
// deleted from the phone without losing a day.
func TestLifeOfAnOwnProfile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newOwnSMDP(t, env, 3, false, "install")
		s.fail("confirmOrder", outboundsim.LoseAnswer)
		account := s.visitor(t, 9_000)
		o := s.buysNew(t, account, usedLater, order.ToolWallet)
		s.pass(t, time.Hour)
		s.came(t, s.want(t, o, order.Completed, ""))
		iccid := s.line(t, account, o.Line).ICCID

		s.Clock.Add(3 * time.Minute)
		installed := s.told(t, nil)
		if l := s.line(t, account, o.Line); l.At(s.Clock.Now()) != line.Active || !l.StartedAt.Equal(installed) || l.Periods != 1 {
			t.Fatalf("installed at %v: %+v", installed, l)
		}
		for _, did := range []error{s.smdp.Enable(iccid), s.smdp.Disable(iccid)} {
			if did != nil {
				t.Fatal(did)
			}
		}
		late := s.smdp.Outbox() // they come after the deletion
		if _, err := s.place(t, s.quote(t, account, o.Line, usedLater)); err != nil {
			t.Fatal(err)
		}
		before := s.line(t, account, o.Line)
		if before.Periods != 2 {
			t.Fatalf("not renewed: %+v", before)
		}
		s.Clock.Add(time.Minute)
		if err := s.smdp.Delete(iccid); err != nil {
			t.Fatal(err)
		}
		s.told(t, late)
		s.told(t, late)
		if p := s.profile(t, account, o.Line); p.State != line.ProfileDeleted {
			t.Errorf("the profile is %+v", p)
		}
		if l := s.line(t, account, o.Line); l.At(s.Clock.Now()) != line.Active || !l.EndsAt.Equal(before.EndsAt) || l.Periods != 2 {
			t.Errorf("a deleted profile changed the line: %+v, was %+v", l, before)
		}
		if n := s.count(t, `SELECT COUNT(*) FROM provider_events WHERE account_id = $1 AND provider = 'simple'`, account); n != 5 {
			t.Errorf("%d notifications are kept, want 5", n)
		}
		s.pass(t, time.Hour)
		s.clean(t, account)
	})
}

// A line whose clock starts with its first use is installed and does not begin: only
// its operator knows when somebody uses it.
func TestInstallingIsNoFirstUse(t *testing.T) {
	s := newOwnSMDP(t, dbtest.SQLite(t), 1, false, "first_use")
	account := s.visitor(t, 9_000)
	o := s.buysNew(t, account, usedLater, order.ToolWallet)
	s.pass(t, time.Hour)
	s.came(t, s.want(t, o, order.Completed, ""))
	s.told(t, nil)
	if p, l := s.profile(t, account, o.Line), s.line(t, account, o.Line); p.State != line.ProfileInstalled || !l.StartedAt.IsZero() {
		t.Errorf("%+v, %+v", p, l)
	}
}

// told lets the shop hear what the SM-DP+ has to say, and then what comes late; it
// returns the time of the last state.
func (s *ownSMDP) told(t *testing.T, late []es2plussim.Notification) (at time.Time) {
	t.Helper()
	for _, n := range append(s.smdp.Outbox(), late...) {
		e, err := s.able.ProfileEvent(nil, n.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Desk.Profiled(t.Context(), "simple", e, n.Body); err != nil {
			t.Fatal(err)
		}
		at = e.At
	}
	return at
}

func (s *ownSMDP) profile(t *testing.T, account, id string) (p line.Profile) {
	t.Helper()
	err := s.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		p, _, err = line.GetProfile(ctx, tx, account, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A notification moves nothing of a line of another operator, of a line that we do not
// have, and of the far future; it is kept all the same, once.
func TestProfilesOfOthers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newOwnSMDP(t, env, 3, false, "install")
		account := s.visitor(t, 9_000)
		o := s.buysNew(t, account, usedLater, order.ToolWallet)
		s.pass(t, time.Hour)
		s.want(t, o, order.Completed, "")
		iccid := s.line(t, account, o.Line).ICCID
		now := s.Clock.Now()
		for name, c := range map[string]struct {
			adapter string
			e       carrier.ProfileEvent
		}{
			"another operator's": {"esimaccess", carrier.ProfileEvent{EventID: "1", ICCID: iccid, State: carrier.ProfileInstalled, At: now}},
			"nobody's":           {"simple", carrier.ProfileEvent{EventID: "2", ICCID: "8981100000009999999", State: carrier.ProfileInstalled, At: now}},
			"of next week":       {"simple", carrier.ProfileEvent{EventID: "3", ICCID: iccid, State: carrier.ProfileInstalled, At: now.Add(7 * 24 * time.Hour)}},
			"without a state":    {"simple", carrier.ProfileEvent{EventID: "4", ICCID: iccid, At: now}},
		} {
			for range 2 {
				if err := s.Desk.Profiled(t.Context(), c.adapter, c.e, []byte("{}")); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if p := s.profile(t, account, o.Line); p.State != "" {
			t.Errorf("the profile is %+v", p)
		}
		if l := s.line(t, account, o.Line); !l.StartedAt.IsZero() {
			t.Errorf("it began: %+v", l)
		}
		for _, whose := range []string{account, ""} {
			if n := s.count(t, `SELECT COUNT(*) FROM provider_events WHERE account_id = $1 AND event_id IN ('1','2','3','4')`, whose); n != 2 {
				t.Errorf("%d of %q are kept", n, whose)
			}
		}
	})
}

// Where staff renew the lines by hand, the SM-DP+ still makes them by itself.
func TestOwnSMDPRenewedByHand(t *testing.T) {
	s := newOwnSMDP(t, dbtest.SQLite(t), 1, false, "install")
	hand, err := manual.New(time.Hour, s.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	s.able.Carrier = hand
	account := s.visitor(t, 9_000)
	o := s.buysNew(t, account, usedLater, order.ToolWallet)
	s.pass(t, time.Minute)
	s.came(t, s.want(t, o, order.Completed, ""))
	s.told(t, nil)
	again, err := s.place(t, s.quote(t, account, o.Line, usedLater))
	if err != nil {
		t.Fatal(err)
	}
	s.pass(t, time.Minute)
	s.want(t, again, order.Fulfilling, "") // on the work list
}

// What an SM-DP+ will not even set aside is no reason to give the money back, where
// another operator of the plan makes lines. One that cannot be reached is not waited for.
func TestAnOwnSMDPIsOneOfSeveralSources(t *testing.T) {
	const cheap, dear = "yamabiko", "kazemachi"
	for name, one := range map[string]struct {
		profiles int
		faults   []outboundsim.Fault // of what sets aside
		of       string              // whose the line is; empty: the money is back
		no       bool                // the other one refuses, too
		dear     int                 // how often that was asked
	}{
		"it has profiles":            {1, nil, cheap, false, 0},
		"it has none":                {0, nil, dear, false, 1},
		"nobody has any":             {0, nil, "", true, 1},
		"it cannot be reached":       {1, []outboundsim.Fault{outboundsim.Refuse}, dear, false, 1},
		"its setting aside is lost":  {1, []outboundsim.Fault{outboundsim.LoseAnswer}, dear, false, 1},
		"it is away, and nobody has": {0, []outboundsim.Fault{outboundsim.Refuse}, "", true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newOwnSMDP(t, dbtest.SQLite(t), 0, false, "first_use")
			for n := range one.profiles {
				s.smdp.Add("NEW-Y3", fmt.Sprintf("898110000000%07d", n))
			}
			s.Sim.Title = "simple"
			s.Desk.Carriers = map[string]carrier.Carrier{"simple": s.Sim, "esimaccess": s.able}
			s.Desk.Shelf = &catalogue.Shelf{}
			s.write(t, func(ctx context.Context, tx db.Tx) error {
				_, _, err := catalogue.Apply(ctx, tx, sourcedFile("8", "7"), "test")
				return err
			})
			if one.no {
				s.Sim.Sells = []carrier.Package{}
			}
			s.fail("downloadOrder", one.faults...)
			account := s.visitor(t, 20_000)
			o := s.buysNew(t, account, usedLater, order.ToolWallet)
			s.pass(t, 2*time.Hour)
			s.pass(t, rest)
			if one.of == "" {
				o = s.want(t, o, order.Refunded, "package_gone")
			} else {
				o = s.want(t, o, order.Completed, "")
				if l := s.line(t, account, o.Line); l.Operator != one.of {
					t.Errorf("the line is of %s, want %s", l.Operator, one.of)
				}
			}
			if n := s.Sim.Asked(o.ID); n != one.dear {
				t.Errorf("%s was asked %d times, want %d", dear, n, one.dear)
			}
			if made := s.Sim.Issues(o.ID) + s.smdp.Sold(); (made == 1) != (one.of != "") {
				t.Errorf("%d lines were made", made)
			}
			s.clean(t, account)
		})
	}
}
