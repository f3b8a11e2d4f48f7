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

// Twenty thousand orders, and everything that goes wrong with them, break no promise.
func TestTownsKeepThePromises(t *testing.T) {
	keys, err := world.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	for _, town := range []struct {
		seed   uint64
		faults world.Faults
		orders int
	}{
		{11, world.SomeFaults, 4_000},
		{12, world.SomeFaults, 4_000},
		{13, world.SomeFaults, 4_000},
		{14, world.SomeFaults, 4_000},
		{21, world.WildFaults, 2_000},
		{22, world.WildFaults, 2_000},
	} {
		t.Run(fmt.Sprintf("%s %d", town.faults, town.seed), func(t *testing.T) {
			t.Parallel()
			houses := app.NewTown("memory:" + t.Name())
			r, err := world.Simulate(t.Context(), world.Plan{
				Seed: town.seed, Orders: town.orders, Faults: town.faults, Keys: keys, Open: houses.House,
			})
			if err = errors.Join(err, houses.Close()); err != nil {
				t.Fatal(err)
			}
			for _, v := range r.Violations {
				t.Error(v)
			}
			if r.Orders < town.orders || r.Outcomes["completed"] < town.orders/3 {
				t.Errorf("%d orders came to %v", r.Orders, r.Outcomes)
			}
		})
	}
}
