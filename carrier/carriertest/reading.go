package carriertest

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

func checkAbilities(t testing.TB, b Bench) {
	if n := b.Name(); n == "" || strings.Trim(n, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		t.Errorf("Name %q, want a word of [a-z0-9_]: it is stored", n)
	}
	a := b.Abilities()
	known := []carrier.Mode{carrier.ModeExtend, carrier.ModeQueue, carrier.ModeParallel, carrier.ModeSameDay}
	if len(a.Modes) == 0 {
		t.Error("no mode: what does a further package do?")
	}
	for _, m := range a.Modes {
		if !slices.Contains(known, m) {
			t.Errorf("mode %q is none of %q", m, known)
		}
	}
	if a.SettlesWithin <= 0 || a.SettlesWithin > 7*24*time.Hour {
		t.Errorf("SettlesWithin %v, want something that ends a wait", a.SettlesWithin)
	}
	if a.AfterEnd < 0 || a.UsageDelay < 0 {
		t.Errorf("AfterEnd %v, UsageDelay %v, want no negative times", a.AfterEnd, a.UsageDelay)
	}
	if a.RatePerSecond < 1 {
		t.Errorf("RatePerSecond %d, want at least one call", a.RatePerSecond)
	}
	if b.Days > 0 && !a.PerDay {
		t.Error("the bench orders days, and PerDay is false")
	}
}

func checkPackages(t testing.TB, b Bench) {
	list, err := b.Packages(t.Context(), b.Profile)
	if err != nil {
		t.Fatalf("Packages: %v", err)
	}
	i := slices.IndexFunc(list, func(p carrier.Package) bool { return p.Code == b.Package })
	if i < 0 {
		t.Fatalf("Packages: %q is not among %d", b.Package, len(list))
	}
	p := list[i]
	if !p.TopUp || p.Bytes < 0 || p.Days < 0 || p.AsOfDate.IsZero() || p.AsOfDate.After(b.Now()) || (b.Days > 0) != p.PerDay {
		t.Errorf("Packages: %+v is not a package for this line", p)
	}
	checkCost(t, p.Cost)
	balance, err := b.Balance(t.Context())
	if untold(err) {
		t.Log("not checked: this operator does not tell its balance")
		return
	}
	if err != nil {
		t.Fatalf("Balance: %v", err)
	}
	checkCost(t, balance)
}

// untold reports whether a balance was not told because the operator has no word for
// it.
func untold(err error) bool {
	r, ok := errors.AsType[*carrier.Refusal](err)
	return ok && r.Reason == carrier.OperatorRefuses
}

func checkCost(t testing.TB, c carrier.Cost) {
	t.Helper()
	if c.Scale < 1 || len(c.Currency) != 3 || strings.ToUpper(c.Currency) != c.Currency {
		t.Errorf("%+v is no amount of a currency", c)
	}
}

func checkStatus(t testing.TB, b Bench) {
	look := func(p carrier.Profile) carrier.Status {
		s, err := b.Status(t.Context(), p)
		if err != nil {
			t.Fatalf("Status: %v", err)
		}
		if s.AsOf.IsZero() || s.AsOf.After(b.Now()) {
			t.Errorf("Status: as of %v, want at most now, %v", s.AsOf, b.Now())
		}
		if s.Total < 0 || s.Used < 0 {
			t.Errorf("Status: used %d of %d bytes", s.Used, s.Total)
		}
		if !s.EndsAt.IsZero() && !s.EndsAt.After(s.StartsAt) {
			t.Errorf("Status: from %v to %v", s.StartsAt, s.EndsAt)
		}
		return s
	}
	takes := []carrier.LineState{carrier.LineNew, carrier.LineActive, carrier.LineDepleted}
	if s := look(b.Profile); !slices.Contains(takes, s.State) {
		t.Errorf("Status: %q, want one that can be extended, %q", s.State, takes)
	}
	b.mustExtend(t, b.prepared(t, "ct_1"), fine)
	look(b.Profile)
	if b.Advance != nil {
		b.Advance(time.Hour)
		look(b.Profile)
	}
	if b.Ended != (carrier.Profile{}) {
		if s := look(b.Ended); s.State != carrier.LineIsOver && s.State != carrier.LineDead {
			t.Errorf("Status: %q of a line past its end", s.State)
		}
	}
}

// Whoever can reach the webhook's address can send anything. A bell must have
// something to be recognised by when it rings twice.
func checkNotification(t testing.TB, b Bench) {
	bodies := [][]byte{
		nil,
		{},
		[]byte("null"), []byte("0"), []byte("[]"), []byte("{}"), []byte(`"x"`), []byte(`{"a":`),
		[]byte("a=1&b=2"), []byte("<x/>"), []byte("\xff\xfe\x00"), []byte(`{"content":null,"data":7,"type":[],"notifyType":{}}`),
		[]byte(`{"notifyType":"X","content":{"iccid":8.9e19,"esimTranNo":[1]}}`),
		[]byte(`{"iccid":89852245280000942210,"alertType":"Utilisation"}`),
		bytes.Repeat([]byte("["), 1<<20), bytes.Repeat([]byte("A"), 4<<20),
		append(bytes.Repeat([]byte(`{"content":`), 20000), bytes.Repeat([]byte("}"), 20000)...),
	}
	headers := []http.Header{nil, {}, {"Authorization": {"", "\x00"}, "X-Signature": {strings.Repeat("=", 1<<16)}}}
	for _, body := range bodies {
		for _, h := range headers {
			bell, err := ring(t, b, h, body)
			switch k := kindOf(t, err); {
			case k != fine && k != refused:
				t.Errorf("Notification(%.40q): %v, want a refusal or none", body, err)
			case k == fine && bell.EventID == "":
				t.Errorf("Notification(%.40q): a bell without an event's identifier", body)
			}
			if again, _ := ring(t, b, h, body); again != bell {
				t.Errorf("Notification(%.40q): %+v, then %+v", body, bell, again)
			}
		}
	}
}

func ring(t testing.TB, b Bench, h http.Header, body []byte) (carrier.Doorbell, error) {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("Notification(%.40q): panic: %v", body, p)
		}
	}()
	return b.Notification(h, slices.Clone(body))
}
