package esimgosim_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	sim "github.com/tsuzuku/tsuzuku/carrier/esimgo/esimgosim"
)

const (
	mega = 1_000_000
	day  = 24 * time.Hour
)

// A bundle waits for the one before it, is used up or ends, and lapses unused.
func TestStates(t *testing.T) {
	b := open(nil)
	iccid := b.AddESIM(sim.ESIM{Bundle: oneGB})
	b.extend(iccid, threeGB)
	steps := []struct {
		after time.Duration
		use   int64
		want  string // newest first
	}{
		{0, 0, "queued active"},
		{day, 999 * mega, "queued active"},
		{0, mega, "queued depleted"},
		{6 * day, 0, "active expired"},
		{30 * day, 0, "expired expired"},
	}
	for i, s := range steps {
		b.clock.move(s.after)
		b.Use(iccid, s.use)
		if got := b.states(iccid); got != s.want {
			t.Errorf("step %d: %q, want %q", i, got, s.want)
		}
	}
	if r := b.get("esims/" + iccid + "/bundles"); r.body != `{"bundles":[]}` {
		t.Errorf("what is over is shown unasked: %s", r.body)
	}
	unused := b.AddESIM(sim.ESIM{Bundle: oneGB})
	b.clock.move(366 * day)
	if got := b.states(unused); got != "lapsed" {
		t.Errorf("after a year: %q", got)
	}
}

// A gigabyte is a thousand megabytes, and quantities are bytes.
func TestQuantities(t *testing.T) {
	b := open(nil)
	iccid := b.running()
	b.Use(iccid, 250*mega)
	r := b.get("esims/" + iccid + "/bundles/" + oneGB)
	if r.at("assignments", 0, "initialQuantity") != "1000000000" || r.at("assignments", 0, "remainingQuantity") != "750000000" ||
		r.at("assignments", 0, "startTime") != "2031-03-04T05:06:07Z" || r.at("assignments", 0, "endTime") != "2031-03-11T05:06:07Z" {
		t.Errorf("%s", r.body)
	}
	if c := b.get("catalogue/" + oneGB); c.at("dataAmount") != "1000" || c.at("price") != "1.36" {
		t.Errorf("%s", c.body)
	}
}

// The list holds the 15 newest unless more are asked for.
func TestLimit(t *testing.T) {
	b := open(nil)
	iccid := b.running()
	for range 20 {
		b.extend(iccid, oneGB)
	}
	count := func(query string) int {
		return strings.Count(b.get("esims/"+iccid+"/bundles"+query).body, "assignmentReference")
	}
	if a, c := count(""), count("?limit=200"); a != 15 || c != 21 {
		t.Errorf("%d and %d", a, c)
	}
	if r := b.get("esims/" + iccid + "/bundles?limit=201"); r.status != 400 {
		t.Errorf("%d", r.status)
	}
}

// Only what is unused and young can be revoked; by name, the oldest goes.
func TestRevoke(t *testing.T) {
	b := open(nil)
	iccid := b.running()
	path := "esims/" + iccid + "/bundles/" + oneGB
	if r := b.must("DELETE", path, ""); r.status != 400 {
		t.Errorf("a running bundle was revoked: %s", r.body)
	}
	b.extend(iccid, oneGB)
	b.extend(iccid, oneGB)
	all := b.Assignments(iccid)
	if r := b.must("DELETE", path+"?type=validate", ""); r.status != 200 || b.states(iccid) != "queued queued active" {
		t.Errorf("%d, %s", r.status, b.states(iccid))
	}
	if r := b.must("DELETE", path+"?refundToBalance=true", ""); r.status != 200 || b.states(iccid) != "queued revoked active" || b.Balance() != opening-136 {
		t.Errorf("%d, %s, balance %d", r.status, b.states(iccid), b.Balance())
	}
	b.clock.move(61 * day)
	if r := b.must("DELETE", path+"/assignments/"+all[2].ID, ""); r.status != 400 {
		t.Errorf("after 61 days: %s", r.body)
	}
}

// Revoking the last bundle of an eSIM that nobody installed takes it out of the
// account, for good unless it is installed meanwhile.
func TestLastBundle(t *testing.T) {
	for _, installed := range []bool{true, false} {
		b := open(nil)
		iccid := b.AddESIM(sim.ESIM{Bundle: oneGB})
		if r := b.must("DELETE", "esims/"+iccid+"/bundles/"+oneGB, ""); r.status != 200 {
			t.Fatalf("%s", r.body)
		}
		if r := b.get("esims/" + iccid); r.status != 403 {
			t.Errorf("still ours: %s", r.body)
		}
		if r := b.extend(iccid, oneGB); r.status != 403 || b.Balance() != opening {
			t.Errorf("extended: %s", r.body)
		}
		if installed {
			b.Install(iccid)
		}
		b.clock.move(4 * day)
		if r := b.get("esims/" + iccid); (r.status == 200) != installed {
			t.Errorf("installed %v: %d", installed, r.status)
		}
	}
}

// An ICCID that comes back is another eSIM: nothing of the old one is shown.
func TestRecycled(t *testing.T) {
	b := open(nil)
	iccid := b.running()
	b.extend(iccid, threeGB)
	before := b.get("esims/" + iccid).at("matchingId")
	b.Recycle(iccid, oneGB)
	if got := b.states(iccid); got != "queued" || b.get("esims/"+iccid).at("matchingId") == before {
		t.Errorf("states %q", got)
	}
}

// Whatever happens in whatever order: no assignment has more left than it had,
// at most one is active, and what is over stays over.
func TestStatesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := open(nil)
		iccid := b.AddESIM(sim.ESIM{Bundle: oneGB})
		over := map[string]bool{}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				b.extend(iccid, rapid.SampledFrom([]string{oneGB, threeGB, endless}).Draw(t, "bundle"))
			case 1:
				b.Use(iccid, rapid.Int64Range(0, 2000*mega).Draw(t, "bytes"))
			case 2:
				b.clock.move(time.Duration(rapid.IntRange(1, 200).Draw(t, "hours")) * time.Hour)
			case 3:
				b.must("DELETE", "esims/"+iccid+"/bundles/"+oneGB+"?type="+rapid.SampledFrom([]string{"validate", "transaction"}).Draw(t, "type"), "")
			}
			active := 0
			for _, a := range b.Assignments(iccid) {
				if a.Left < 0 || a.Left > a.Total || over[a.ID] && (a.State == "active" || a.State == "queued") {
					t.Fatalf("%+v", a)
				}
				if a.State == "active" {
					active++
				}
				over[a.ID] = over[a.ID] || a.State == "expired" || a.State == "revoked" || a.State == "depleted"
			}
			if active > 1 {
				t.Fatalf("%s active", strconv.Itoa(active))
			}
		}
	})
}
