package airalo_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/airalo"
	"github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
)

// street is the adapter, its operator and a line, for stories that are this
// operator's own.
type street struct {
	*airalo.Adapter
	sim      *airalosim.Sim
	operator int
	clock    *clock
	e        carrier.Extension
}

func open(t *testing.T, line airalosim.Line, set func(*airalosim.Config)) *street {
	t.Helper()
	s := &street{clock: newClock()}
	s.sim = newSim(s.clock, 7, set)
	s.operator = stock(s.sim, false)
	s.Adapter = newAdapter(s.sim.Transport(), s.clock)
	line.Package = base
	all := []carrier.Profile{{ICCID: s.sim.AddLine(line)}}
	identify(t, s.sim, all)
	s.e = carrier.Extension{Ref: "ord_1", Profile: all[0], Package: more}
	return s
}

func running() airalosim.Line {
	return airalosim.Line{ActivatedAt: newClock().now.Add(-time.Hour)}
}

func (s *street) prepare(t *testing.T) {
	t.Helper()
	var err error
	if s.e.Snapshot, err = s.Prepare(t.Context(), s.e); err != nil {
		t.Fatal(err)
	}
}

func (s *street) lookUp(t *testing.T) carrier.Found {
	t.Helper()
	r, err := s.LookUp(t.Context(), s.e)
	if err != nil {
		t.Fatal(err)
	}
	return r.Found
}

func reason(err error) carrier.Reason {
	if r, ok := errors.AsType[*carrier.Refusal](err); ok {
		return r.Reason
	}
	return ""
}

// The operator turns a top-up away with every code that it documents; each is
// what the port calls it, and nothing was charged.
func TestRefusals(t *testing.T) {
	for code, want := range map[int]carrier.Reason{
		11: carrier.NoBalance, 13: carrier.OperatorRefuses, 14: carrier.Unauthorised, 23: carrier.PackageGone, 34: carrier.PackageGone,
		43: carrier.BadRequest, 53: "", 73: carrier.LineTerminal,
	} {
		s := open(t, running(), nil)
		s.prepare(t)
		s.sim.RefuseNext(airalosim.TopUpOrder, code)
		_, err := s.Extend(t.Context(), s.e)
		if reason(err) != want || want == "" && !errors.Is(err, carrier.ErrUnknown) {
			t.Errorf("%d: %v, want %q", code, err, want)
		}
		if f := s.lookUp(t); f != carrier.FoundAbsent || len(s.sim.Ledger()) > 0 {
			t.Errorf("%d: %s, charged %v", code, f, s.sim.Ledger())
		}
	}
}

// What changes between the picture and the top-up.
func TestMeanwhile(t *testing.T) {
	for name, tt := range map[string]struct {
		happens func(*street)
		want    carrier.Reason
		done    bool
	}{
		"the credit is used up":    {func(s *street) { s.sim.SetBalance(804) }, carrier.NoBalance, false},
		"the package is withdrawn": {func(s *street) { s.sim.Withdraw(more) }, carrier.PackageGone, false},
		"the network stops":        {func(s *street) { s.sim.StopTopUps(s.operator, true) }, carrier.PackageGone, false},
		"the network is down":      {func(s *street) { s.sim.Maintain(s.operator, true) }, carrier.OperatorRefuses, false},
		"the line ends":            {func(s *street) { s.clock.Advance(9 * 24 * time.Hour) }, carrier.LineEnded, false},
		"the line is taken back":   {func(s *street) { s.sim.Recycle(s.e.Profile.ICCID) }, carrier.LineTerminal, false},
		"our address is blocked":   {func(s *street) { s.sim.Block(true) }, carrier.Unauthorised, false},
		"the price rises":          {func(s *street) { s.sim.ChangePrice(more, 2000, 1500) }, "", true},
		"the line is used":         {func(s *street) { s.sim.Use(s.e.Profile.ICCID, 100) }, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, running(), nil)
			s.prepare(t)
			tt.happens(s)
			_, err := s.Extend(t.Context(), s.e)
			if reason(err) != tt.want || (err == nil) != tt.done || toppedUp(s.sim, s.e.Profile.ICCID) > 0 != tt.done {
				t.Errorf("%v, want %q; topped up %d times", err, tt.want, toppedUp(s.sim, s.e.Profile.ICCID))
			}
			s.sim.Block(false)
			_, err = s.Prepare(t.Context(), s.e)
			if prepared := reason(err); tt.want != "" && prepared != tt.want && name != "the credit is used up" && name != "the network is down" && name != "our address is blocked" {
				t.Errorf("Prepare, after it: %v, want %s", err, tt.want)
			}
		})
	}
}

// A new line takes more before its first use, and one that is over does so for
// as long as its network lets it.
func TestWhenItTakesMore(t *testing.T) {
	for name, tt := range map[string]struct {
		line  airalosim.Line
		after time.Duration
		want  carrier.Reason
	}{
		"new":            {airalosim.Line{}, 0, ""},
		"running":        {running(), 0, ""},
		"in grace":       {running(), 7*24*time.Hour + time.Hour, ""},
		"after it":       {running(), 8 * 24 * time.Hour, carrier.LineEnded},
		"never was used": {airalosim.Line{}, 90 * 24 * time.Hour, ""},
	} {
		s := open(t, tt.line, nil)
		s.clock.Advance(tt.after)
		if _, err := s.Prepare(t.Context(), s.e); reason(err) != tt.want || (err == nil) != (tt.want == "") {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// A request that acts minutes later is found then, and not believed absent
// before.
func TestActsLater(t *testing.T) {
	s := open(t, running(), func(c *airalosim.Config) { c.SlowBy = 20 * time.Minute })
	s.prepare(t)
	s.sim.Fail(airalosim.TopUpOrder, airalosim.Slow)
	s.e.AskedAt = s.clock.Now()
	if _, err := s.Extend(t.Context(), s.e); !errors.Is(err, carrier.ErrUnknown) {
		t.Fatalf("Extend: %v, want unknown", err)
	}
	s.clock.Advance(19 * time.Minute)
	if r, err := s.LookUp(t.Context(), s.e); err != nil || r.Found != carrier.FoundAbsent || !r.AsOf.Before(s.e.AskedAt.Add(s.Abilities().SettlesWithin)) {
		t.Errorf("too early: %+v, %v", r, err)
	}
	s.clock.Advance(time.Minute)
	if f := s.lookUp(t); f != carrier.FoundDone {
		t.Errorf("later: %s", f)
	}
}

// Readings that are behind the truth are never believed before the settling
// time, and after it they have caught up.
func TestReadingsLag(t *testing.T) {
	s := open(t, running(), nil)
	s.prepare(t)
	s.sim.LagReads(100, 25*time.Minute)
	s.sim.Fail(airalosim.TopUpOrder, airalosim.SilenceAfter)
	if _, err := s.Extend(t.Context(), s.e); !errors.Is(err, carrier.ErrUnknown) {
		t.Fatal(err)
	}
	if f := s.lookUp(t); f != carrier.FoundAbsent {
		t.Errorf("at once: %s", f)
	}
	s.clock.Advance(s.Abilities().SettlesWithin)
	if f := s.lookUp(t); f != carrier.FoundDone {
		t.Errorf("when it settles: %s", f)
	}
}

// A top-up of the same package by hand beside ours: with the orders' words it is
// known which is which; without them a person looks.
func TestSamePackageByHand(t *testing.T) {
	for _, forgets := range []bool{false, true} {
		want := carrier.FoundDone
		if forgets {
			want = carrier.FoundUnsure
		}
		s := open(t, running(), func(c *airalosim.Config) { c.ForgetTopUpDescriptions = forgets })
		s.prepare(t)
		other := s.e
		other.Ref = "by_hand"
		if _, err := s.Extend(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		s.sim.Fail(airalosim.TopUpOrder, airalosim.BreakAfter)
		if _, err := s.Extend(t.Context(), s.e); !errors.Is(err, carrier.ErrUnknown) {
			t.Fatal(err)
		}
		if f := s.lookUp(t); f != want {
			t.Errorf("descriptions forgotten %t: %s, want %s", forgets, f, want)
		}
	}
}

// Tokens that end before their time cost a reading nothing, and a top-up one
// attempt that was not carried out.
func TestTokensAreRevoked(t *testing.T) {
	s := open(t, running(), nil)
	s.prepare(t)
	s.sim.RevokeTokens()
	if f := s.lookUp(t); f != carrier.FoundAbsent {
		t.Errorf("LookUp: %s", f)
	}
	s.clock.Advance(time.Minute)
	s.sim.RevokeTokens()
	if _, err := s.Extend(t.Context(), s.e); !errors.Is(err, carrier.ErrNotSent) {
		t.Errorf("Extend: %v, want not sent", err)
	}
	if _, err := s.Extend(t.Context(), s.e); err != nil || toppedUp(s.sim, s.e.Profile.ICCID) != 1 {
		t.Errorf("Extend, again: %v", err)
	}
}

// Usage is never claimed to be newer than the operator's cache.
func TestUsageIsAsOldAsTheCache(t *testing.T) {
	s := open(t, running(), nil)
	look := func() carrier.Status {
		t.Helper()
		st, err := s.Status(t.Context(), s.e.Profile)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	if st := look(); st.State != carrier.LineActive || st.Total != 1<<30 || st.Used != 0 {
		t.Errorf("%+v", st)
	}
	s.clock.Advance(time.Minute)
	s.sim.Use(s.e.Profile.ICCID, 512)
	usedAt := s.clock.Now()
	s.clock.Advance(18 * time.Minute)
	if st := look(); st.Used == 0 && !st.AsOf.Before(usedAt) {
		t.Errorf("%+v: half was used at %v", st, usedAt)
	}
	s.clock.Advance(time.Minute)
	if st := look(); st.Used != 512<<20 {
		t.Errorf("%+v, want half used", st)
	}
	s.sim.Recycle(s.e.Profile.ICCID)
	s.clock.Advance(20 * time.Minute)
	if st := look(); st.State != carrier.LineDead || st.Total != 0 {
		t.Errorf("%+v, want a dead line", st)
	}
}

// What the operator sells is listed with what the seller is charged.
func TestPackagesOfALine(t *testing.T) {
	for percent, want := range map[int]int64{0: 8_050_000, 25: 8_250_000} {
		s := open(t, running(), func(c *airalosim.Config) { c.DiscountPercent = percent })
		list, err := s.Packages(t.Context(), s.e.Profile)
		if err != nil || len(list) != 2 || list[0].Code != more || list[0].Bytes != 3<<30 || list[0].Days != 30 || list[0].Cost.Units != want {
			t.Errorf("%+v, %v; want a cost of %d", list, err, want)
		}
		all, err := s.Packages(t.Context(), carrier.Profile{})
		if err != nil || len(all) != 3 || all[0].TopUp || !all[1].TopUp {
			t.Errorf("everything: %+v, %v", all, err)
		}
		if b, err := s.Balance(t.Context()); err != nil || b != (carrier.Cost{Units: 10_000_000_000, Scale: 1_000_000, Currency: "USD"}) {
			t.Errorf("balance %+v, %v", b, err)
		}
	}
}

// What the operator sends rings the bell of the right line, of each event once,
// however often and in whatever shape it comes; what a stranger sends does not.
func TestNotificationsRing(t *testing.T) {
	for _, plain := range []bool{false, true} {
		s := open(t, running(), nil)
		s.sim.SetDelivery(airalosim.Delivery{RepeatPercent: 100, ForgePercent: 100, PlainBody: plain})
		optIn(t, s.sim)
		s.sim.Use(s.e.Profile.ICCID, 800)
		s.sim.Use(s.e.Profile.ICCID, 150)
		s.clock.Advance(time.Minute)
		bells, forged := map[string]int{}, 0
		for _, n := range s.sim.Notifications() {
			bell, err := s.Notification(n.Header, n.Body)
			if reason(err) == carrier.Unauthorised {
				forged++
				continue
			}
			if err != nil || bell.Kind != "low_data" || bell.Profile.ICCID != s.e.Profile.ICCID {
				t.Errorf("%s: %+v, %v", n.Body, bell, err)
			}
			bells[bell.EventID]++
		}
		if len(bells) != 2 || forged == 0 {
			t.Errorf("%d events, %d forged; want 75 and 90 percent, and some", len(bells), forged)
		}
		for id, n := range bells {
			if n != 2 {
				t.Errorf("event %s rang %d times, want both of its deliveries", id, n)
			}
		}
	}
}

func optIn(t *testing.T, sim *airalosim.Sim) {
	t.Helper()
	body := `{"type":"webhook_low_data","webhook_url":"https://shop.example/hooks/carrier/airalo/signed"}`
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://airalo.example/v2/notifications/opt-in", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+tokenOf(t, sim))
	got, err := sim.Transport().RoundTrip(r)
	if err != nil || got.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", got, err)
	}
	_ = got.Body.Close() // in memory
}
