// Package towns tells long stories of towns: with the same seeds in every run, side by
// side.
package towns

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"testing"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/world"
)

// TestMain lets towns leave more lying about before it is collected, as the command
// simulate does: they live for a minute, and are there to be fast.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// town is one story.
type town struct {
	seed   uint64
	faults world.Faults
	orders int
}

// found are the towns in which a bug was found, and what it was. They are told again in
// every run; docs/reliability.md has the whole list, with the test that holds each.
var found = []struct {
	town
	what string
}{
	{town{101, world.WildFaults, 250}, "a dispute was not seen where the one question about it got no answer"},
	{town{10, world.SomeFaults, 15_000}, "a letter whose worker had died twice was never sent"},
	{town{104, world.WildFaults, 1_000}, "the town's clerk did not say which line was made, and its auditor missed what a held order had taken"},
	{town{38273820, world.SomeFaults, 5_000}, "our refund ended a dispute that nobody had heard of, and was counted as if it had taken the money"},
	{town{64424539, world.SomeFaults, 5_000}, "money for a cancelled order, disputed when it was first seen, stayed where it was"},
	{town{58273247, world.SomeFaults, 5_000}, "an old reading was the picture with which a line was compared, and an earlier extension was taken for the one that was lost"},
	{town{9, world.WildFaults, 300}, "the town's clerk did not look at the cases of refunds that nobody had disputed"},
	{town{207, world.WildFaults, 1_000}, "a refund failed after a lost dispute had been counted without it, and nobody looked again"},
	{town{82, world.WildFaults, 300}, "a refund on its way was asked about the less often the longer its provider could not be asked"},
	{town{624, world.WildFaults, 300}, "two refunds of one amount at LINE Pay, and after a crash nobody knew which of them was there"},
	{town{883, world.WildFaults, 300}, "the auditor took a second payment's way back for that of the order"},
	{town{644, world.WildFaults, 300}, "the town's first process died before there was a town"},
	{town{27190330, world.WildFaults, 300}, "the auditor did not allow for what a process that died had in hand"},
	{town{15, world.SomeFaults, 20_000}, "an offer ended between its acceptance and its order, and was taken all the same"},
	{town{81150435, world.SomeFaults, 5000}, "whoever died with a turn of the repairer's kept it for a minute"},
	{town{66625556, world.SomeFaults, 5000}, "a refund that staff sent again was late in that moment"},
	{town{31, world.WildFaults, 3_000}, "the town brought a request to its bank twice by which nobody knows it again"},
}

// longFrom is how many orders a town has at least that is told only where every point is wanted.
const longFrom = 10_000

// What was found once stays mended.
func TestFoundOnceStaysMended(t *testing.T) {
	keys, err := world.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Run(fmt.Sprintf("%s %d", f.faults, f.seed), func(t *testing.T) {
			t.Parallel()
			if f.orders >= longFrom && os.Getenv("TSUZUKU_EVERY_POINT") == "" {
				t.Skipf("NOT TOLD without TSUZUKU_EVERY_POINT, for its length: %s", f.what)
			}
			f.tell(t, keys)
		})
	}
}

// Twenty thousand orders, and everything that goes wrong with them, break no promise.
func TestTownsKeepThePromises(t *testing.T) {
	keys, err := world.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []town{
		{11, world.SomeFaults, 4_000},
		{12, world.SomeFaults, 4_000},
		{13, world.SomeFaults, 4_000},
		{14, world.SomeFaults, 4_000},
		{21, world.WildFaults, 2_000},
		{22, world.WildFaults, 2_000},
	} {
		t.Run(fmt.Sprintf("%s %d", one.faults, one.seed), func(t *testing.T) {
			t.Parallel()
			if r := one.tell(t, keys); r.Orders < one.orders || r.Outcomes["completed"] < one.orders/4 {
				t.Errorf("%d orders came to %v", r.Orders, r.Outcomes)
			}
		})
	}
}

func (one town) tell(t *testing.T, keys world.Keys) world.Result {
	t.Helper()
	houses := app.NewTown("memory:" + t.Name())
	r, err := world.Simulate(t.Context(), world.Plan{Seed: one.seed, Orders: one.orders, Faults: one.faults, Keys: keys, Open: houses.House})
	if err = errors.Join(err, houses.Close()); err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Violations {
		t.Error(v)
	}
	return r
}
