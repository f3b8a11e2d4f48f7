package radius

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"testing"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
)

// A report that could not be stored is not answered, so that it comes again; then it is
// answered, and every time after that with the same words, without being looked at.
func TestAnsweredWhenStored(t *testing.T) {
	env := dbtest.SQLite(t)
	log := slog.New(slog.DiscardHandler)
	from := netip.MustParseAddrPort("[2001:db8::7]:40000")
	s := &Server{
		Desk: &order.Desk{DB: env.DB, Shelf: &catalogue.Shelf{}, Log: log}, DB: env.DB, Log: log, Find: []Find{{line.IMSI, "3GPP-IMSI"}},
		Clients: []Client{{netip.MustParsePrefix("2001:db8::/32"), []byte(secret)}},
	}
	raw := unhex(t, sent)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if reply := s.Take(gone, from, raw); reply != nil {
		t.Error("what was not stored was answered")
	}
	first := s.Take(t.Context(), from, raw)
	if again := s.Take(t.Context(), from, raw); first == nil || !bytes.Equal(first, again) {
		t.Errorf("answered with %x, then with %x", first, again)
	}
	if reply := s.Take(t.Context(), netip.MustParseAddrPort("192.0.2.1:1"), raw); reply != nil {
		t.Error("somebody of no network was answered")
	}
	got := s.Tallies()
	for o, want := range map[Outcome]int64{Failed: 1, "unknown_line": 1, Repeated: 1, Stranger: 1} {
		if got[o] != want {
			t.Errorf("%s: %d of %v", o, got[o], got)
		}
	}
}
