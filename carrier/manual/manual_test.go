package manual_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/manual"
)

// Nothing that a person has not said is certain: no call says done, refused once
// asked, or absent.
func TestNothingIsCertain(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	a, err := manual.New(time.Hour, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	e := carrier.Extension{Ref: "ord_1", Profile: carrier.Profile{ICCID: "8981100000000000017"}, Package: "P"}
	if _, err := a.Prepare(t.Context(), e); err != nil {
		t.Error(err)
	}
	if _, err := a.Extend(t.Context(), e); !errors.Is(err, carrier.ErrUnknown) {
		t.Errorf("Extend: %v", err)
	}
	if r, err := a.LookUp(t.Context(), e); err != nil || r.Found != carrier.FoundUnsure || r.AsOf != now {
		t.Errorf("LookUp: %+v %v", r, err)
	}
	p := carrier.Purchase{Ref: "ord_2", Package: "P"}
	if i, err := a.Issue(t.Context(), p); !errors.Is(err, carrier.ErrUnknown) || i != (carrier.Issued{}) {
		t.Errorf("Issue: %+v %v", i, err)
	}
	if r, err := a.LookUpIssue(t.Context(), p); err != nil || r.Found != carrier.FoundUnsure || r.AsOf != now {
		t.Errorf("LookUpIssue: %+v %v", r, err)
	}
	if s, err := a.Status(t.Context(), e.Profile); err != nil || s != (carrier.Status{}) {
		t.Errorf("Status: %+v %v, want nothing known", s, err)
	}
	if able := a.Abilities(); !able.ByHand || able.SettlesWithin != time.Hour || able.Cancel {
		t.Errorf("%+v", able)
	}
	for _, bad := range []carrier.Extension{{Ref: "r", Profile: e.Profile}, {Ref: "r", Package: "P"}} {
		_, err := a.Prepare(t.Context(), bad)
		if _, refused := errors.AsType[*carrier.Refusal](err); !refused {
			t.Errorf("%+v is prepared: %v", bad, err)
		}
	}
	for _, within := range []time.Duration{0, time.Minute, 8 * 24 * time.Hour} {
		if _, err := manual.New(within, nil); err == nil {
			t.Errorf("staff may take %v", within)
		}
	}
}
