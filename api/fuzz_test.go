package api

import (
	"testing"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
)

// A cursor is one that we made, or refused as the caller's mistake.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add(cursorAt("or_01kjp7t0w0a442wgks01kjp7t0w0zzzzzz"))
	f.Add("%00../../")
	f.Fuzz(func(t *testing.T, cursor string) {
		after, err := Page{Cursor: cursor}.after()
		switch {
		case err != nil && fault.KindOf(err) != fault.Invalid:
			t.Errorf("%q: %v", cursor, err)
		case err == nil && after != "":
			if _, err := id.AccountOf(after); err != nil {
				t.Errorf("%q begins after %q, which is no identifier of ours", cursor, after)
			}
		}
	})
}
