package e2e

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/world"
)

// A town in which much goes wrong keeps every promise, as far as its customers,
// banks and operators see; and the same seed tells the same story, byte for byte.
func TestTownKeepsThePromises(t *testing.T) {
	for _, tt := range []struct {
		seed   uint64
		faults world.Faults
		orders int
		times  int
	}{
		{1, world.NoFaults, 100, 2},
		{2, world.SomeFaults, 100, 2},
		{1, world.WildFaults, 100, 2},
		{2, world.WildFaults, 100, 2},
		{9, world.SomeFaults, 3_000, 1}, // disputes at PayPal that the seller loses
	} {
		if tt.orders > 1_000 && os.Getenv("TSUZUKU_EVERY_POINT") == "" {
			tt.orders = 600 // of the same seed, and another story
		}
		var first []byte
		for range tt.times {
			var log bytes.Buffer
			town := app.NewTown("memory:" + t.Name())
			r, err := world.Simulate(t.Context(), world.Plan{
				Seed: tt.seed, Orders: tt.orders, Faults: tt.faults, Keys: keys(), Log: &log,
				Open: town.House,
			})
			if err = errors.Join(err, town.Close()); err != nil {
				t.Fatal(err)
			}
			for _, v := range r.Violations {
				t.Errorf("seed %d, %s: %s", tt.seed, tt.faults, v)
			}
			if r.Outcomes["completed"] == 0 {
				t.Errorf("seed %d, %s: nothing was sold: %v", tt.seed, tt.faults, r.Outcomes)
			}
			if first != nil && !bytes.Equal(first, log.Bytes()) {
				t.Errorf("seed %d, %s: told another story the second time", tt.seed, tt.faults)
			}
			first = log.Bytes()
		}
	}
}
