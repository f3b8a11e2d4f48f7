package account

import (
	"slices"
	"testing"
)

// What has leaked is a list that can be searched, and each of it that is long enough for
// a password is refused.
func TestLeakedPasswordsAreRefused(t *testing.T) {
	if n := len(known()); n < 10_000 || !slices.IsSorted(known()) {
		t.Fatalf("%d words, sorted: %v", n, slices.IsSorted(known()))
	}
	long := 0
	for _, w := range known() {
		if !leaked(w) {
			t.Errorf("%q is not found", w)
		}
		if len(w) < minPassword {
			continue
		}
		long++
		if _, err := goodPassword(w, nil); err == nil {
			t.Errorf("%q is taken", w)
		}
	}
	if long < 40 {
		t.Errorf("only %d are long enough for a password", long)
	}
}
