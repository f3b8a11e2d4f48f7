package advice

import (
	"math"
	"testing"
)

func TestQuickExp(t *testing.T) {
	for x := -50.0; x < 30; x += 0.00917 {
		if got, want := quickExp(x), math.Exp(x); math.Abs(got/want-1) > 2e-6 {
			t.Fatalf("e to the %v: %v, not %v", x, got, want)
		}
	}
}
