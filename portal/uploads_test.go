package portal

import (
	"context"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// One customer sends two forms with files at once, all together sixteen, and whoever is
// done makes room; in a day all together send no more than is meant for it.
func TestUploadsAreBoundedTogether(t *testing.T) {
	var u uploading
	var ends []func()
	begin := func(account string, fits bool) {
		t.Helper()
		end, err := u.begin(account)
		if (err == nil) != fits || !fits && fault.KindOf(err) != fault.TooMany {
			t.Fatalf("%s: %v", account, err)
		}
		if fits {
			ends = append(ends, end)
		}
	}
	begin("a", true)
	begin("a", true)
	begin("a", false)
	for i := range 14 {
		begin(string(rune('b'+i)), true)
	}
	begin("z", false)
	ends[0]()
	begin("z", true)
	begin("a", false)
	for _, end := range ends[1:] {
		end()
	}
	if u.all != 0 || len(u.of) != 0 {
		t.Errorf("left: %d, %v", u.all, u.of)
	}

	w := newTown(t)
	take := func(n int64) error {
		return w.env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return w.server.Door.Room(ctx, tx, "files", n, 100)
		})
	}
	if err := take(60); err != nil {
		t.Fatal(err)
	}
	if err := take(41); fault.KindOf(err) != fault.TooMany || reason(err) != "uploads_full" {
		t.Errorf("101 of 100: %v", err)
	}
	if err := take(40); err != nil {
		t.Errorf("what failed took room: %v", err)
	}
	w.env.Clock.Add(24 * 3600e9)
	if err := take(100); err != nil {
		t.Errorf("a day later: %v", err)
	}
}
