package esimaccesssim_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	sim "github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
)

type receipt struct {
	TransactionID string `json:"transactionId"`
	ICCID         string `json:"iccid"`
	Expires       string `json:"expiredTime"`
	Volume        int64  `json:"totalVolume"`
	Days          int    `json:"totalDuration"`
	Used          int64  `json:"orderUsage"`
	TranNo        string `json:"topUpEsimTranNo"`
}

// A top-up is carried out at once, adds days and volume to the same plan, is
// charged, and shows as one more row.
func TestTopUpsAreSummed(t *testing.T) {
	b := open(nil)
	no := b.running()
	ends := t0.AddDate(0, 0, 10)
	for i, step := range []struct {
		code string // the second by slug, which a base package shares
		days int
		vol  int64
	}{{"TOPUP_JP1", 7, gib}, {"JP_3_30", 30, 3 * gib}} {
		before := b.query(t, no)
		ends = ends.AddDate(0, 0, step.days)
		got := must[receipt](t, b, "esim/topup", topUp(no, step.code, fmt.Sprint("t", i)))
		want := receipt{
			TransactionID: fmt.Sprint("t", i), ICCID: before.ICCID, Expires: ends.Format("2006-01-02T15:04:05+0000"),
			Volume: before.TotalVolume + step.vol, Days: before.TotalDuration + step.days, TranNo: got.TranNo,
		}
		if diff := cmp.Diff(want, got); diff != "" || got.TranNo == "" {
			t.Errorf("receipt (-want +got):\n%s", diff)
		}
		after := b.query(t, no)
		if after.TotalVolume != got.Volume || after.TotalDuration != got.Days || after.Expires != got.Expires || len(after.Rows) != i+2 {
			t.Errorf("query after top-up %d shows %+v, receipt %+v", i, after, got)
		}
	}
	if got := b.Balance(); got != 1_000_000-25_000-55_000 {
		t.Errorf("balance %d", got)
	}
	if got := b.TopUps(no); len(got) != 2 || got[1].Package != "TOPUP_JP3" || got[1].Price != 55_000 {
		t.Errorf("top-ups %+v", got)
	}
}

// A line by the day is extended by days, at the price of each.
func TestDayPassIsExtendedByDays(t *testing.T) {
	b := open(nil)
	no := b.AddProfile(sim.Profile{Package: "JPDAY", ActivatedAt: t0, TotalDays: 3})
	body := strings.TrimSuffix(topUp(no, "TOPUP_DAY", "a"), "}") + `,"periodNum":"5","amount":"45000"}`
	got := must[receipt](t, b, "esim/topup", body)
	if got.Days != 8 || got.Volume != 8*gib || got.Expires != "2031-03-12T05:06:07+0000" {
		t.Errorf("receipt %+v", got)
	}
	if spent := 1_000_000 - b.Balance(); spent != 45_000 {
		t.Errorf("charged %d, want 45000", spent)
	}
}

// The same transactionId twice: once where the operator remembers, twice where
// it does not, which is what the document leaves open.
func TestRepeatedTransaction(t *testing.T) {
	for _, remembers := range []bool{false, true} {
		t.Run(fmt.Sprint("remembers=", remembers), func(t *testing.T) {
			b := open(func(c *sim.Config) { c.TopUpRemembersTransaction = remembers })
			no := b.running()
			first := must[receipt](t, b, "esim/topup", topUp(no, "TOPUP_JP1", "same"))
			second := must[receipt](t, b, "esim/topup", topUp(no, "TOPUP_JP1", "same"))
			want := 2
			if remembers {
				want = 1
			}
			if n := len(b.TopUps(no)); n != want || (first == second) != remembers {
				t.Errorf("%d top-ups, want %d; receipts %+v and %+v", n, want, first, second)
			}
			if spent := 1_000_000 - b.Balance(); spent != int64(want)*25_000 {
				t.Errorf("spent %d", spent)
			}
		})
	}
}

// New, running and depleted lines take a top-up; all others refuse it, with one
// of two codes, and nothing changes.
func TestWhichLinesTakeATopUp(t *testing.T) {
	old := t0.AddDate(0, 0, -40)
	tests := []struct {
		name string
		line sim.Profile
		want string
	}{
		{"new", sim.Profile{}, ""},
		{"running", sim.Profile{ActivatedAt: t0.AddDate(0, 0, -1)}, ""},
		{"last second", sim.Profile{ActivatedAt: old, EndsAt: t0.Add(time.Second)}, ""},
		{"depleted", sim.Profile{ActivatedAt: t0.AddDate(0, 0, -1), Status: sim.UsedUp}, ""},
		{"at its end", sim.Profile{ActivatedAt: old, EndsAt: t0}, "200009"},
		{"ended", sim.Profile{ActivatedAt: old}, "200009"},
		{"depleted and ended", sim.Profile{ActivatedAt: old, Status: sim.UsedUp}, "200009"},
		{"never installed in time", sim.Profile{CreatedAt: t0.AddDate(0, 0, -180)}, "200009"},
		{"cancelled", sim.Profile{Status: sim.Cancelled}, "200009"},
		{"revoked", sim.Profile{ActivatedAt: t0, Status: sim.Revoked}, "200009"},
		{"suspended", sim.Profile{ActivatedAt: t0, Status: sim.Suspended}, "200009"},
		{"being allocated", sim.Profile{Status: sim.GettingResource}, "200010"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(func(c *sim.Config) { c.Manners.EndedCode = "200009" })
			tt.line.Package = "JP3"
			no := b.AddProfile(tt.line)
			if got := b.post(t, "esim/topup", topUp(no, "TOPUP_JP1", "a")).code(); got != tt.want {
				t.Errorf("code %q, want %q", got, tt.want)
			}
			carried := len(b.TopUps(no)) == 1 && b.Balance() == 975_000
			if carried != (tt.want == "") {
				t.Errorf("top-ups %+v, balance %d", b.TopUps(no), b.Balance())
			}
		})
	}
}

func TestDepletedLineRunsAgainAfterTopUp(t *testing.T) {
	b := open(nil)
	no := b.running()
	if got := b.Use(no, 4*gib); got != 3*gib {
		t.Errorf("used %d of 3 GiB", got)
	}
	b.clock.add(4 * time.Hour)
	if got := b.query(t, no).Status; got != "USED_UP" {
		t.Fatalf("status %s, want USED_UP", got)
	}
	must[receipt](t, b, "esim/topup", topUp(no, "TOPUP_JP1", "a"))
	if got := b.query(t, no); got.Status != "IN_USE" || got.Used != 3*gib {
		t.Errorf("after the top-up %+v", got)
	}
	if got := b.Use(no, 4*gib); got != gib {
		t.Errorf("used %d of 1 GiB", got)
	}
}

// 900001 may mean that it happens all the same, later, under the rules of then.
func TestTopUpCarriedOutLater(t *testing.T) {
	b := open(nil)
	no := b.running()
	b.ActAfter(time.Minute)
	if got := b.post(t, "esim/topup", topUp(no, "TOPUP_JP1", "a")).code(); got != "900001" {
		t.Fatalf("code %q, want 900001", got)
	}
	b.clock.add(59 * time.Second)
	if n := b.query(t, no).TotalDuration; n != 30 || b.Balance() != 1_000_000 {
		t.Errorf("too early: %d days", n)
	}
	b.clock.add(time.Second)
	if n := b.query(t, no).TotalDuration; n != 37 || b.Balance() != 975_000 {
		t.Errorf("in time: %d days, balance %d", n, b.Balance())
	}

	// Two that fall due before and after the line's end, seen long afterwards.
	for _, d := range []time.Duration{16 * 24 * time.Hour, 60 * 24 * time.Hour} {
		b.ActAfter(d)
		b.post(t, "esim/topup", topUp(no, "TOPUP_JP1", "b"))
	}
	want := b.clock.Now().Add(16 * 24 * time.Hour)
	b.clock.add(90 * 24 * time.Hour)
	if got := b.TopUps(no); len(got) != 2 || !got[1].At.Equal(want) {
		t.Errorf("top-ups %+v, want one more at %v", got, want)
	}
}

func TestPendingTransactionIsRemembered(t *testing.T) {
	b := open(func(c *sim.Config) { c.TopUpRemembersTransaction = true })
	no := b.running()
	b.ActAfter(time.Minute)
	for range 2 {
		if got := b.post(t, "esim/topup", topUp(no, "TOPUP_JP1", "a")).code(); got != "900001" {
			t.Errorf("code %q, want 900001", got)
		}
	}
	b.clock.add(time.Minute)
	if got := must[receipt](t, b, "esim/topup", topUp(no, "TOPUP_JP1", "a")); got.Days != 37 {
		t.Errorf("receipt %+v", got)
	}

	// One that is refused when its time comes leaves its transactionId free.
	b.ActAfter(time.Minute)
	b.post(t, "esim/topup", topUp(no, "NONE", "b"))
	b.clock.add(time.Minute)
	if got := must[receipt](t, b, "esim/topup", topUp(no, "TOPUP_JP1", "b")); got.Days != 44 {
		t.Errorf("receipt %+v", got)
	}
}

func TestKnobsOfTheCatalogue(t *testing.T) {
	b := open(nil)
	no := b.running()
	priced := strings.TrimSuffix(topUp(no, "TOPUP_JP1", "a"), "}") + `,"amount":25000}`
	b.ChangePrice("TOPUP_JP1", 26_000)
	if got := b.post(t, "esim/topup", priced).code(); got != "200006" {
		t.Errorf("price changed: %q", got)
	}
	b.Withdraw("TOPUP_JP1")
	if got := b.post(t, "esim/topup", priced).code(); got != "310241" {
		t.Errorf("withdrawn: %q", got)
	}
	b.Refuse("esim/topup", "200011")
	b.Refuse("", "000001")
	for _, want := range []string{"200011", "000001", ""} {
		if got := b.post(t, "esim/topup", topUp(no, "TOPUP_JP3", "a")).code(); got != want {
			t.Errorf("code %q, want %q", got, want)
		}
	}
	b.SetBalance(54_999)
	if got := b.post(t, "esim/topup", topUp(no, "TOPUP_JP3", "b")).code(); got != "200007" {
		t.Errorf("short of one: %q, want 200007", got)
	}
	b.SetBalance(55_000)
	if got := b.post(t, "esim/topup", topUp(no, "TOPUP_JP3", "b")).code(); got != "" || b.Balance() != 0 {
		t.Errorf("exactly enough: %q, left %d", got, b.Balance())
	}
}

// An ICCID is not a line: the number passes to a new one, esimTranNo does not.
func TestRecycledICCID(t *testing.T) {
	b := open(nil)
	old := b.running()
	iccid := b.Profile(old).ICCID
	b.clock.add(time.Hour)
	next := b.Recycle(old)
	if b.Profile(next).ICCID != iccid || b.Profile(old).Status != sim.Revoked {
		t.Fatalf("old %+v, new %+v", b.Profile(old), b.Profile(next))
	}
	if got := b.post(t, "esim/topup", topUp(old, "TOPUP_JP1", "a")).code(); got != "200002" {
		t.Errorf("the old line took a top-up: %q", got)
	}
	body := `{"iccid":"` + iccid + `","packageCode":"TOPUP_JP1","transactionId":"b"}`
	must[receipt](t, b, "esim/topup", body)
	if len(b.TopUps(next)) != 1 || len(b.TopUps(old)) != 0 {
		t.Errorf("by ICCID the wrong line was topped up")
	}
	byICCID := `{"iccid":"` + iccid + `",` + pager + `}`
	if got := must[lines](t, b, "esim/query", byICCID).List; len(got) != 1 || got[0].EsimTranNo != next {
		t.Errorf("query by ICCID shows %+v, want %s", got, next)
	}
	b.LagReads(time.Minute)
	if got := must[lines](t, b, "esim/query", byICCID).List; len(got) != 1 || got[0].EsimTranNo != old {
		t.Errorf("a minute ago the ICCID was %s's, not %+v", old, got)
	}
}

// Whatever is asked, the balance falls by the prices of what was carried out,
// and each line's totals are its base and the sum of its top-ups.
func TestBooksBalance(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		remembers := rapid.Bool().Draw(r, "remembers")
		b := open(func(c *sim.Config) {
			c.Balance = rapid.Int64Range(0, 400_000).Draw(r, "balance")
			c.TopUpRemembersTransaction = remembers
			c.Manners = sim.Manners{}
		})
		start := b.Balance()
		nos := []string{
			b.running(), b.AddProfile(sim.Profile{Package: "JP3"}),
			b.AddProfile(sim.Profile{Package: "JPDAY", ActivatedAt: t0, TotalDays: 2}),
		}
		base := map[string]sim.Profile{}
		for _, no := range nos {
			base[no] = b.Profile(no)
		}
		accepted := map[string]int{}
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			no := rapid.SampledFrom(nos).Draw(r, "line")
			switch rapid.IntRange(0, 5).Draw(r, "step") {
			case 0:
				b.clock.add(time.Duration(rapid.IntRange(1, 5*24*60).Draw(r, "minutes")) * time.Minute)
			case 1:
				b.Use(no, rapid.Int64Range(1, gib).Draw(r, "bytes"))
			case 2:
				b.ActAfter(time.Duration(rapid.IntRange(1, 60).Draw(r, "delay")) * time.Minute)
			default:
				code := rapid.SampledFrom([]string{"TOPUP_JP1", "TOPUP_JP3", "TOPUP_DAY", "TOPUP_AS1"}).Draw(r, "package")
				id := fmt.Sprint("t", rapid.IntRange(0, 9).Draw(r, "id"))
				if b.post(t, "esim/topup", topUp(no, code, id)).Success {
					accepted[no]++
				}
			}
		}
		b.clock.add(time.Hour) // what was put off happens
		var spent int64
		ids := map[string]bool{}
		for _, no := range nos {
			p, days, volume := b.Profile(no), base[no].TotalDays, base[no].TotalVolume
			tops := b.TopUps(no)
			for _, top := range tops {
				spent, days, volume = spent+top.Price, days+top.Days, volume+top.Volume
				if remembers && ids[top.TransactionID] {
					r.Errorf("%s carried out twice", top.TransactionID)
				}
				ids[top.TransactionID] = true
			}
			if p.TotalDays != days || p.TotalVolume != volume {
				r.Errorf("%s has %d days, %d bytes; want %d, %d", no, p.TotalDays, p.TotalVolume, days, volume)
			}
			if !remembers && len(tops) < accepted[no] { // more where one was put off
				r.Errorf("%s: %d accepted, %d carried out", no, accepted[no], len(tops))
			}
		}
		if got := start - b.Balance(); got != spent || b.Balance() < 0 {
			r.Errorf("spent %d, want %d; left %d", got, spent, b.Balance())
		}
		var moved int64
		for _, e := range b.Ledger() {
			moved += e.Amount
		}
		if moved != -spent {
			r.Errorf("ledger moved %d, want %d", moved, -spent)
		}
	})
}

// Many callers at once are served one after another.
func TestConcurrentTopUpsAreAllCounted(t *testing.T) {
	b := open(nil)
	no := b.running()
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			b.post(t, "esim/topup", topUp(no, "TOPUP_JP1", fmt.Sprint("t", i)))
			b.Use(no, 1000)
			b.Notifications()
		})
	}
	callers.Wait()
	if got := b.Profile(no); got.TotalDays != 30+8*7 || got.Used != 8000 || b.Balance() != 800_000 {
		t.Errorf("%+v, balance %d", got, b.Balance())
	}
	ids := map[string]bool{}
	for _, top := range b.TopUps(no) {
		ids[top.TranNo] = true
	}
	if len(ids) != 8 || slices.Contains(b.Profiles(), "") {
		t.Errorf("%d different top-up numbers, want 8", len(ids))
	}
}
