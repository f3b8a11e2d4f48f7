package cmisim_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	sim "github.com/tsuzuku/tsuzuku/carrier/cmi/cmisim"
)

const day = 24 * time.Hour

// Natural days, months and 24 hours end where they should in Beijing.
func TestEnds(t *testing.T) {
	b := open(nil)
	for pack, want := range map[string]string{
		five:    "20310309160000", // 5 March is the first of five
		monthly: "20310331160000",
		hours:   "20310306220607",
	} {
		iccid := b.running(pack)
		if r := b.bundles(iccid); r.at("userDataBundles", 0, "endTime") != want || r.at("userDataBundles", 0, "activeTime") != "20310304220607" {
			t.Errorf("%s: %s, want %s", pack, r.body, want)
		}
	}
}

// A package waits for the one before it, and expires unused.
func TestStates(t *testing.T) {
	b := open(nil)
	iccid := b.AddCard(sim.Card{Package: hours})
	b.buy(iccid, five, "x", "")
	steps := []struct {
		after time.Duration
		use   int64
		want  string // oldest first
	}{
		{0, 1, "3 1"},
		{2*day - time.Second, 1, "3 1"},
		{time.Second, 0, "2 3"},
		{200 * day, 1, "2 2"},
	}
	for i, s := range steps {
		b.clock.move(s.after)
		b.Use(iccid, s.use)
		if got := b.statuses(iccid); got != s.want {
			t.Errorf("step %d: %q, want %q", i, got, s.want)
		}
	}
	unused := b.AddCard(sim.Card{Package: hours})
	b.clock.move(180 * day)
	b.login()
	if got := b.statuses(unused); got != "2" {
		t.Errorf("after 180 days: %q", got)
	}
	filter := func(iccid, n string) int {
		return strings.Count(b.call(sim.UserBundles, `"language":"2","iccid":"`+iccid+`","status":"`+n+`"`).body, "subscriptionKey")
	}
	if filter(iccid, "2") != 2 || filter(unused, "4") != 1 || filter(unused, "3") != 0 {
		t.Error("the filter's numbers are not those that are shown")
	}
}

// A package may begin on a date, or when it is asked to.
func TestActivation(t *testing.T) {
	b := open(nil)
	iccid := b.AddCard(sim.Card{})
	if r := b.call(sim.CreateOrder, buy(iccid, dated, "x", "")+`,"setActiveTime":"20310310"`); r.code() != "0000000" {
		t.Fatalf("%s", r.body)
	}
	b.Use(iccid, 1)
	if got := b.statuses(iccid); got != "1" {
		t.Errorf("before its date: %q", got)
	}
	b.clock.move(5 * day)
	b.login()
	if r := b.bundles(iccid); r.at("userDataBundles", 0, "activeTime") != "20310309160000" {
		t.Errorf("%s", r.body)
	}
	other := b.AddCard(sim.Card{Package: five})
	activate := `"iccid":"` + other + `","dataBundleId":"` + five + `","mcc":"440"`
	if r := b.call(sim.Activate, activate); r.code() != "0000000" || b.statuses(other) != "3" {
		t.Errorf("%s", r.body)
	}
	if r := b.call(sim.Activate, activate); r.code() != "1000010" {
		t.Errorf("%s", r.body)
	}
	end := `"iccidPackageList":[{"iccid":"` + other + `","packageid":"` + five + `"}]` //nolint:misspell // so it is documented
	if r := b.call(sim.EndPackage, end); r.code() != "0" || b.statuses(other) != "2" {
		t.Errorf("%s", r.body)
	}
}

// Quotas are MB with two decimals; what a day allows comes back with the next
// day, in Beijing; what was slow is counted apart.
func TestQuota(t *testing.T) {
	b := open(nil)
	iccid := b.running(daily)
	look := func() string {
		q := b.call(sim.Quota, `"iccid":"`+iccid+`"`)
		return q.at("subscriberQuota", "qtabalance") + " " + q.at("subscriberQuota", "qtaconsumption") + " " + q.at("subscriberQuota", "qtaconsumptionTotal")
	}
	b.Use(iccid, 400<<20+1<<19)
	if got := look(); got != "99.50 400.50 400.50" {
		t.Errorf("%s", got)
	}
	b.Use(iccid, 200<<20)
	if got := look(); got != "0.00 500.00 600.50" {
		t.Errorf("slow: %s", got)
	}
	b.clock.move(18 * time.Hour) // past midnight in Beijing
	b.login()
	if got := look(); got != "500.00 0.00 0.00" {
		t.Errorf("the next day: %s", got)
	}
	b2 := open(func(c *sim.Config) { c.Manners.Quota, c.Manners.QuotaCode = "list", "0000000" })
	card := b2.running(five)
	if q := b2.call(sim.Quota, `"iccid":"`+card+`"`); q.at("quotaList", 0, "subscriberQuota", "qtavalue") != "1024.00" || q.code() != "0000000" {
		t.Errorf("%s", q.body)
	}
}

// Cards and profiles are shown in the forms of the table and of the sample.
func TestCards(t *testing.T) {
	b := open(nil)
	iccid, plastic := b.AddCard(sim.Card{Package: five, ESIM: true}), b.running(five)
	if r := b.call(sim.ESIMInfo, `"iccid":"`+plastic+`"`); r.code() != "1000090" {
		t.Errorf("%s", r.body)
	}
	if r := b.call(sim.ESIMInfo, `"iccid":"`+iccid+`"`); r.at("cardInfo", "activationCode") == "" || r.at("cardInfo", "installCount") != "0" {
		t.Errorf("%s", r.body)
	}
	b.Install(iccid)
	if r := b.call(sim.ESIMInfo, `"iccid":"`+iccid+`"`); r.at("cardInfo", "installTime") != "2031-03-04 22:06:07" || len(r.at("cardInfo", "eid")) != 32 {
		t.Errorf("%s", r.body)
	}
	b.SetStatus(iccid, 3)
	if r, _ := b.send(sim.SIMInfo, b.headers(), `[{"iccid":"`+iccid+`"},{"iccid":"`+plastic+`"}]`); r.at("himsis", 0, "status") != "3" || r.at("himsis", 1, "status") != "0" {
		t.Errorf("%s", r.body)
	}
}

// An ICCID that comes back is another card: nothing of the old one is shown.
func TestRecycled(t *testing.T) {
	b := open(nil)
	iccid := b.running(five)
	b.buy(iccid, hours, "x", "")
	imsi := func() string {
		r, _ := b.send(sim.SIMInfo, b.headers(), `[{"iccid":"`+iccid+`"}]`)
		return r.at("himsis", 0, "hImsi")
	}
	before := imsi()
	b.Recycle(iccid, five)
	if got := b.statuses(iccid); got != "1" || imsi() == before {
		t.Errorf("statuses %q, IMSI %s", got, imsi())
	}
}

// Whatever happens in whatever order: at most one package is active, none ends
// twice, and none has used more than it may at high speed.
func TestStatesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := open(nil)
		iccid := b.AddCard(sim.Card{Package: hours})
		over := map[string]bool{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				b.buy(iccid, rapid.SampledFrom([]string{five, daily, hours, monthly}).Draw(t, "package"), "x", "")
			case 1:
				b.Use(iccid, rapid.Int64Range(0, 2<<30).Draw(t, "bytes"))
			case 2:
				b.clock.move(time.Duration(rapid.IntRange(1, 100).Draw(t, "hours")) * time.Hour)
				b.login()
			case 3:
				b.refuel(iccid, pack, 1)
			}
			active := 0
			for _, u := range b.Subscriptions(iccid) {
				if over[u.Key] && u.Status != 2 {
					t.Fatalf("%+v came back", u)
				}
				over[u.Key] = u.Status == 2
				if u.Status == 3 {
					active++
				}
			}
			if r := b.bundles(iccid); active > 1 || strings.Contains(r.body, `"remainFlow":"-`) {
				t.Fatalf("%d active: %s", active, r.body)
			}
		}
	})
}
