package carriertest

import (
	"slices"
	"testing"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// listed finds a package that can be put on an existing line.
func listed(all []carrier.Package, code string) int {
	return slices.IndexFunc(all, func(p carrier.Package) bool { return p.Code == code && p.TopUp })
}

func checkEverything(t testing.TB, b Bench) {
	all, err := b.Packages(t.Context(), carrier.Profile{})
	if err != nil {
		t.Fatalf("Packages: %v", err)
	}
	need(t, len(all) > 0, "list all that it sells")
	type key struct {
		code  string
		topUp bool
	}
	seen := map[key]bool{}
	for _, p := range all {
		checkCost(t, p.Cost)
		if p.Code == "" || p.Code == p.Alias || p.Bytes < 0 || p.Days < 0 || !p.TopUp && !p.New || p.AsOfDate.IsZero() || p.AsOfDate.After(b.Now()) {
			t.Errorf("Packages: %+v is no package", p)
		}
		if seen[key{p.Code, p.TopUp}] {
			t.Errorf("Packages: %q is listed twice", p.Code)
		}
		seen[key{p.Code, p.TopUp}] = true
	}
	i := listed(all, b.Package)
	if i < 0 {
		t.Fatalf("Packages: %q is not among %d", b.Package, len(all))
	}
	fits, err := b.Packages(t.Context(), b.Profile)
	if err != nil {
		t.Fatalf("Packages: %v", err)
	}
	if j := listed(fits, b.Package); j < 0 || fits[j].Cost != all[i].Cost {
		t.Errorf("Packages: %q costs %+v, and not so in %+v", b.Package, all[i].Cost, fits)
	}
	if b.NewPackage != "" && !slices.ContainsFunc(all, func(p carrier.Package) bool { return p.Code == b.NewPackage && p.New }) {
		t.Errorf("Packages: %q, which comes with a new profile, is not among %d", b.NewPackage, len(all))
	}
}

func checkWithdrawn(t testing.TB, b Bench) {
	need(t, b.Withdraw != nil, "withdraw a package")
	b.Withdraw()
	for _, p := range []carrier.Profile{{}, b.Profile} {
		all, err := b.Packages(t.Context(), p)
		if err != nil {
			t.Fatalf("Packages: %v", err)
		}
		if listed(all, b.Package) >= 0 {
			t.Errorf("Packages of %+v: %q is listed and was withdrawn", p, b.Package)
		}
	}
}

func checkCharged(t testing.TB, b Bench) {
	need(t, b.Charges, "be charged")
	balance := func() carrier.Cost {
		c, err := b.Balance(t.Context())
		if err != nil {
			t.Fatalf("Balance: %v", err)
		}
		return c
	}
	all, err := b.Packages(t.Context(), b.Profile)
	if err != nil {
		t.Fatalf("Packages: %v", err)
	}
	i := listed(all, b.Package)
	if i < 0 {
		t.Fatalf("Packages: %q is not among %d", b.Package, len(all))
	}
	cost, before := all[i].Cost, balance()
	b.mustExtend(t, b.prepared(t, "ct_1"), fine)
	after := balance()
	want := cost.Units * int64(max(1, b.Days))
	if before.Scale != after.Scale || before.Currency != cost.Currency || after.Currency != cost.Currency ||
		(before.Units-after.Units)*cost.Scale != want*before.Scale {
		t.Errorf("Balance: %+v, then %+v; an extension costs %d times %+v", before, after, max(1, b.Days), cost)
	}
}

func checkHealth(t testing.TB, b Bench) {
	h, err := carrier.Ask(t.Context(), b.Carrier)
	if b.Abilities().ByHand {
		if kindOf(t, err) != refused {
			t.Errorf("Ask: %+v, %v of people", h, err)
		}
		return
	}
	if err != nil || !h.OK {
		t.Errorf("Ask: %+v, %v; want one that is well", h, err)
	}
}
