package airalo_test

import (
	"errors"
	"testing"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/airalo/airalosim"
)

// What Airalo says when it does not sell, in the words that we act on: an operator
// that has none left is not one that we cannot pay.
func TestNewSIMsThatAreNotSold(t *testing.T) {
	c := newClock()
	sim := newSim(c, 1, nil)
	operator := stock(sim, false)
	sim.AddPackage(airalosim.Package{ID: "last", Operator: operator, Price: 450, AmountMB: 1024, Days: 7, Stock: 1})
	sim.AddPackage(airalosim.Package{ID: "dear", Operator: operator, Price: 100_000_000, AmountMB: 1024, Days: 7})
	a := newAdapter(sim.Transport(), c)
	buy := func(ref, code string) carrier.Reason {
		_, err := a.Issue(t.Context(), carrier.Purchase{Ref: ref, Package: code, AskedAt: c.Now()})
		if no, refused := errors.AsType[*carrier.Refusal](err); refused {
			return no.Reason
		}
		if err != nil {
			t.Errorf("%s: %v", code, err)
		}
		return ""
	}
	for _, tt := range []struct {
		code string
		want carrier.Reason
	}{
		{"last", ""},
		{"last", carrier.PackageGone},
		{"dear", carrier.NoBalance},
		{more, carrier.PackageGone},
		{"test-not-enough-7days-1gb", carrier.OutOfStock},
		{"test-out-of-stock-7days-1gb", carrier.PackageGone},
	} {
		if got := buy("ord_"+tt.code[:4], tt.code); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.code, got, tt.want)
		}
	}
}

// Two orders under one reference, which we never make, are for a person.
func TestTwoOrdersUnderOneReference(t *testing.T) {
	c := newClock()
	sim := newSim(c, 1, nil)
	stock(sim, false)
	a := newAdapter(sim.Transport(), c)
	p := carrier.Purchase{Ref: "ord_1", Package: base, AskedAt: c.Now()}
	for range 2 {
		if _, err := a.Issue(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := a.LookUpIssue(t.Context(), p); err != nil || r.Found != carrier.FoundUnsure {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := a.LookUpIssue(t.Context(), carrier.Purchase{Ref: "ord_2", Package: base, Theirs: "20260504-000009"}); err != nil || r.Found != carrier.FoundUnsure {
		t.Errorf("an order that was accepted and is not shown: %+v, %v", r, err)
	}
}
