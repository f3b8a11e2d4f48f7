package esimaccesssim_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	sim "github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
)

const orderTwo = `{"transactionId":"o1","amount":150000,"packageInfoList":[` +
	`{"packageCode":"JP3","count":2,"price":60000},{"slug":"JP_1_DAY","count":1,"periodNum":3}]}`

// An order is charged at once and allocated later: polls get 200010 first, and
// the same transactionId is the same order.
func TestOrderIsAsynchronousAndRemembered(t *testing.T) {
	b := open(nil)
	type placed struct{ OrderNo, TransactionID string }
	first := must[placed](t, b, "esim/order", orderTwo)
	if again := must[placed](t, b, "esim/order", orderTwo); again != first || b.Balance() != 850_000 {
		t.Errorf("again %+v, first %+v, balance %d", again, first, b.Balance())
	}
	body := `{"orderNo":"` + first.OrderNo + `",` + pager + `}`
	for range 2 {
		if got := b.post(t, "esim/query", body).code(); got != "200010" {
			t.Errorf("too early: %q, want 200010", got)
		}
	}
	got := must[lines](t, b, "esim/query", body)
	if len(got.List) != 3 || got.Pager.Total != 3 {
		t.Fatalf("%d lines of %d, want 3", len(got.List), got.Pager.Total)
	}
	want := line{
		EsimTranNo: got.List[2].EsimTranNo, ICCID: got.List[2].ICCID, Status: "GOT_RESOURCE", SMDP: "RELEASED",
		Expires: "2031-08-31T05:06:07+0000", TotalVolume: 3 * gib, TotalDuration: 3, Rows: got.List[2].Rows,
	}
	if diff := cmp.Diff(want, got.List[2]); diff != "" || len(want.Rows) != 1 {
		t.Errorf("day pass (-want +got):\n%s", diff)
	}
	b.clock.add(time.Hour)
	if n := len(b.Profiles()); n != 3 {
		t.Errorf("%d lines after the allocation's own time, want 3", n)
	}
}

// Nobody polls: the lines come by themselves.
func TestOrderIsAllocatedByTheClock(t *testing.T) {
	b := open(nil)
	must[any](t, b, "esim/order", orderTwo)
	b.clock.add(30*time.Second - 1)
	if n := len(b.Profiles()); n != 0 {
		t.Errorf("%d lines too early", n)
	}
	b.clock.add(1)
	if n := len(b.Profiles()); n != 3 {
		t.Errorf("%d lines, want 3", n)
	}
}

// A line goes from new through use to its end, by the phone and by the clock.
func TestLifeOfALine(t *testing.T) {
	b := open(nil)
	no := b.AddProfile(sim.Profile{Package: "JP3"})
	look := func(status, smdp, expires string) {
		t.Helper()
		got := b.query(t, no)
		if got.Status != status || got.SMDP != smdp || got.Expires != expires || (got.EID == "") != (smdp == "RELEASED") {
			t.Errorf("%s/%s until %s eid %q; want %s/%s until %s", got.Status, got.SMDP, got.Expires, got.EID, status, smdp, expires)
		}
	}
	look("GOT_RESOURCE", "RELEASED", "2031-08-31T05:06:07+0000")
	b.Install(no)
	look("GOT_RESOURCE", "ENABLED", "2031-08-31T05:06:07+0000")
	must[receipt](t, b, "esim/topup", topUp(no, "TOPUP_JP1", "a")) // while new: more days later
	look("GOT_RESOURCE", "ENABLED", "2031-08-31T05:06:07+0000")
	b.clock.add(24 * time.Hour)
	b.Use(no, gib)
	look("IN_USE", "ENABLED", "2031-04-11T05:06:07+0000") // 37 days
	must[any](t, b, "esim/suspend", `{"esimTranNo":"`+no+`"}`)
	look("SUSPENDED", "ENABLED", "2031-04-11T05:06:07+0000")
	if got := b.Use(no, gib); got != 0 {
		t.Errorf("suspended, used %d", got)
	}
	must[any](t, b, "esim/unsuspend", `{"esimTranNo":"`+no+`"}`)
	b.Phone(no, "DELETED")
	look("IN_USE", "DELETED", "2031-04-11T05:06:07+0000")
	b.clock.add(37*24*time.Hour - time.Second)
	look("IN_USE", "DELETED", "2031-04-11T05:06:07+0000")
	b.clock.add(time.Second)
	look("USED_EXPIRED", "DELETED", "2031-04-11T05:06:07+0000")
}

func TestPlanThatStartsAtInstallation(t *testing.T) {
	b := open(nil)
	b.AddPackage(sim.Package{Code: "INST", Price: 1, Volume: gib, Duration: 7, ActiveType: 1})
	no := b.AddProfile(sim.Profile{Package: "INST"})
	b.Install(no)
	if got := b.Profile(no); got.Status != sim.InUse || !got.ActivatedAt.Equal(t0) || !got.EndsAt.Equal(t0.AddDate(0, 0, 7)) {
		t.Errorf("%+v", got)
	}
}

func TestUnusedLineExpires(t *testing.T) {
	b := open(nil)
	no := b.AddProfile(sim.Profile{Package: "JP3"})
	b.clock.add(180 * 24 * time.Hour)
	if got := b.query(t, no).Status; got != "UNUSED_EXPIRED" {
		t.Errorf("status %s", got)
	}
	if got := b.Use(no, 1); got != 0 {
		t.Errorf("used %d", got)
	}
}

// A cancelled line gives its price back; a revoked one does not.
func TestCancelAndRevoke(t *testing.T) {
	b := open(nil)
	must[any](t, b, "esim/order", `{"transactionId":"o","packageInfoList":[{"packageCode":"JP3","count":2}]}`)
	b.clock.add(time.Minute)
	nos := b.Profiles()
	must[any](t, b, "esim/cancel", `{"esimTranNo":"`+nos[0]+`"}`)
	if got := b.Balance(); got != 940_000 || b.query(t, nos[0]).Status != "CANCEL" {
		t.Errorf("cancelled: balance %d, %+v", got, b.query(t, nos[0]))
	}
	if got := b.post(t, "esim/cancel", `{"esimTranNo":"`+nos[0]+`"}`).code(); got != "200002" {
		t.Errorf("cancelled twice: %q", got)
	}
	b.Phone(nos[1], "DOWNLOAD")
	if got := b.post(t, "esim/cancel", `{"esimTranNo":"`+nos[1]+`"}`).code(); got != "200002" {
		t.Errorf("cancelled after download: %q", got)
	}
	must[any](t, b, "esim/revoke", `{"esimTranNo":"`+nos[1]+`"}`)
	if got := b.Balance(); got != 940_000 || b.query(t, nos[1]).Status != "REVOKE" {
		t.Errorf("revoked: balance %d", got)
	}
}

func TestTextsReachInstalledLines(t *testing.T) {
	b := open(nil)
	no := b.AddProfile(sim.Profile{Package: "JP3"})
	body := `{"esimTranNo":"` + no + `","message":"こんにちは"}`
	if got := b.post(t, "esim/sendSms", body).code(); got != "200002" {
		t.Errorf("not installed: %q", got)
	}
	b.Install(no)
	must[any](t, b, "esim/sendSms", body)
	longest := strings.Repeat("あ", 500)
	must[any](t, b, "esim/sendSms", `{"esimTranNo":"`+no+`","message":"`+longest+`"}`)
	if diff := cmp.Diff([]string{"こんにちは", longest}, b.Profile(no).Messages); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

type usageList struct {
	List []struct {
		EsimTranNo     string `json:"esimTranNo"`
		DataUsage      int64  `json:"dataUsage"`
		TotalData      int64  `json:"totalData"`
		LastUpdateTime string `json:"lastUpdateTime"`
	} `json:"esimUsageList"`
}

// Usage is known by full hours, two hours late, and says so.
func TestUsageIsLate(t *testing.T) {
	b := open(nil)
	no := b.running()
	b.Use(no, gib) // at 05:06:07
	for _, tt := range []struct {
		after time.Duration
		used  int64
		as    string
	}{
		{0, 0, "2031-03-04T03:00:00+0000"},
		{2*time.Hour + 53*time.Minute + 52*time.Second, 0, "2031-03-04T05:00:00+0000"},
		{2*time.Hour + 53*time.Minute + 53*time.Second, gib, "2031-03-04T06:00:00+0000"},
	} {
		b.clock.add(t0.Add(tt.after).Sub(b.clock.Now()))
		got := must[usageList](t, b, "esim/usage/query", `{"esimTranNoList":["`+no+`","nobody"]}`).List
		if len(got) != 1 || got[0].DataUsage != tt.used || got[0].LastUpdateTime != tt.as || got[0].TotalData != 3*gib {
			t.Errorf("after %v: %+v, want %d as of %s", tt.after, got, tt.used, tt.as)
		}
		if p := b.Profile(no); p.Used != gib || p.Reported != tt.used {
			t.Errorf("after %v: truly used %d, reported %d", tt.after, p.Used, p.Reported)
		}
	}
}

// Lines by the day never run out; only a cap that cuts off ends the day early.
func TestDailyCaps(t *testing.T) {
	for _, tt := range []struct {
		dataType           int
		today, night, next int64 // got at 05:06, 23:59 and 00:00 UTC when asked for 2 GiB
	}{
		{2, 2 * gib, 2 * gib, 2 * gib},
		{3, gib, 0, gib},
		{4, 2 * gib, 2 * gib, 2 * gib},
	} {
		b := open(nil)
		b.AddPackage(sim.Package{Code: "DAY", Price: 1, Volume: gib, DataType: tt.dataType})
		no := b.AddProfile(sim.Profile{Package: "DAY", ActivatedAt: t0, TotalDays: 5})
		for i, want := range []int64{tt.today, tt.night, tt.next} {
			if got := b.Use(no, 2*gib); got != want {
				t.Errorf("type %d, step %d: got %d, want %d", tt.dataType, i, got, want)
			}
			b.clock.add([]time.Duration{18*time.Hour + 53*time.Minute + 52*time.Second, time.Second, 0}[i])
		}
		b.clock.add(24 * time.Hour)
		if got := b.query(t, no).Status; got != "IN_USE" {
			t.Errorf("type %d: %s", tt.dataType, got)
		}
	}
}

// Reads may lag: a top-up that was carried out does not show yet.
func TestStaleReads(t *testing.T) {
	b := open(nil)
	no := b.running()
	b.LagReads(20 * time.Second)
	b.clock.add(time.Minute)
	must[receipt](t, b, "esim/topup", topUp(no, "TOPUP_JP1", "a"))
	for _, tt := range []struct {
		wait    time.Duration
		days    int
		balance string
	}{{19 * time.Second, 30, "1000000"}, {time.Second, 37, "975000"}} {
		b.clock.add(tt.wait)
		got := b.query(t, no)
		if got.TotalDuration != tt.days || len(got.Rows) != 1+tt.days/37 {
			t.Errorf("after %v: %+v, want %d days", tt.wait, got, tt.days)
		}
		if left := must[map[string]json.Number](t, b, "balance/query", "")["balance"]; left.String() != tt.balance {
			t.Errorf("after %v: balance %s, want %s", tt.wait, left, tt.balance)
		}
		if used := must[usageList](t, b, "esim/usage/query", `{"esimTranNoList":["`+no+`"]}`).List; (used[0].TotalData == 4*gib) != (tt.days == 37) {
			t.Errorf("after %v: usage shows %+v", tt.wait, used)
		}
	}
	fresh := b.AddProfile(sim.Profile{Package: "JP3"})
	if got := must[lines](t, b, "esim/query", `{"esimTranNo":"`+fresh+`",`+pager+`}`); len(got.List) != 0 {
		t.Errorf("a line made just now shows: %+v", got.List)
	}
	b.LagReads(0)
	b.query(t, fresh)
}

func TestQueryByTimeIsPaged(t *testing.T) {
	b := open(nil)
	for i := range 12 {
		b.AddProfile(sim.Profile{Package: "JP3", CreatedAt: t0.Add(time.Duration(i) * time.Minute)})
	}
	// 05:07 to 05:18 leaves out the first, made at 05:06:07.
	page := func(n string) lines {
		return must[lines](t, b, "esim/query", `{"startTime":"2031-03-04T05:07+00:00","endTime":"2031-03-04T05:18+00:00",`+
			`"pager":{"pageNum":`+n+`,"pageSize":5}}`)
	}
	b.clock.add(time.Hour)
	seen := map[string]bool{}
	for n, want := range map[string]int{"1": 5, "2": 5, "3": 1, "4": 0} {
		got := page(n)
		if len(got.List) != want || got.Pager.Total != 11 {
			t.Errorf("page %s has %d of %d, want %d of 11", n, len(got.List), got.Pager.Total, want)
		}
		for _, l := range got.List {
			seen[l.EsimTranNo] = true
		}
	}
	if len(seen) != 11 {
		t.Errorf("%d different lines, want 11", len(seen))
	}
}

func TestPackageList(t *testing.T) {
	b := open(nil)
	jp := b.Profile(b.running()).ICCID
	day := b.Profile(b.AddProfile(sim.Profile{Package: "JPDAY"})).ICCID
	none := b.Profile(b.AddProfile(sim.Profile{Package: "JPNO"})).ICCID
	for _, tt := range []struct{ name, body, want string }{
		{"everything on sale", `{}`, "JP3 JPNO JPDAY AS1 GL1"},
		{"pages are ignored", `{"pager":{"pageNum":7,"pageSize":5},"type":""}`, "JP3 JPNO JPDAY AS1 GL1"},
		{"country", `{"locationCode":"JP"}`, "JP3 JPNO JPDAY"},
		{"regions", `{"locationCode":"!RG"}`, "AS1"},
		{"global", `{"locationCode":"!GL"}`, "GL1"},
		{"by the day", `{"dataType":"2"}`, "JPDAY"},
		{"fixed, in Japan", `{"dataType":1,"locationCode":"JP","type":"BASE"}`, "JP3 JPNO"},
		{"one code", `{"packageCode":"AS1"}`, "AS1"},
		{"one slug", `{"slug":"JP_3_30"}`, "JP3"},
		{"top-ups", `{"type":"TOPUP"}`, "TOPUP_JP1 TOPUP_JP3 TOPUP_DAY TOPUP_AS1"},
		{"what fits a line", `{"type":"TOPUP","iccid":"` + jp + `"}`, "TOPUP_JP1 TOPUP_JP3"},
		{"what fits a line by the day", `{"type":"TOPUP","iccid":"` + day + `"}`, "TOPUP_DAY"},
		{"what fits a line that takes none", `{"type":"TOPUP","iccid":"` + none + `"}`, ""},
		{"what fits a slug", `{"type":"TOPUP","slug":"AS_1_7"}`, "TOPUP_AS1"},
		{"what fits a code", `{"type":"TOPUP","packageCode":"AS1","slug":"","iccid":""}`, "TOPUP_AS1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := must[struct {
				PackageList []struct {
					PackageCode, Name, CurrencyCode string
					Price, Volume                   int64
				}
			}](t, b, "package/list", tt.body)
			var codes []string
			for _, p := range got.PackageList {
				codes = append(codes, p.PackageCode)
				if p.Price == 0 || p.Volume == 0 || p.CurrencyCode != "USD" {
					t.Errorf("row %+v", p)
				}
			}
			if s := strings.Join(codes, " "); s != tt.want {
				t.Errorf("listed %q, want %q", s, tt.want)
			}
		})
	}
	b.Withdraw("AS1")
	if got := b.post(t, "package/list", `{"locationCode":"!RG"}`); strings.Contains(string(got.Obj), "AS1") {
		t.Errorf("a withdrawn package is listed: %s", got.Obj)
	}
}

func TestLocationList(t *testing.T) {
	got := open(nil).post(t, "location/list", "{}")
	want := `{"locationList":[{"code":"JP","name":"JP","subLocationList":null,"type":1},` +
		`{"code":"AS-3","name":"AS-3","subLocationList":[{"code":"JP","name":"JP"},{"code":"KR","name":"KR"},{"code":"TW","name":"TW"}],"type":2},` +
		`{"code":"GL-3","name":"GL-3","subLocationList":[{"code":"JP","name":"JP"},{"code":"US","name":"US"},{"code":"FR","name":"FR"}],"type":2}]}`
	if diff := cmp.Diff(want, string(got.Obj)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
