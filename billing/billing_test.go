package billing_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/money"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func standard() billing.Rate { return billing.Rate{Class: "standard", Percent: 10, Scale: 1} }

func reduced() billing.Rate {
	return billing.Rate{Class: "reduced", Percent: 8, Scale: 1, Reduced: true}
}

// The tax of yen prices at Japan's two rates, worked out by hand, and the edges
// of what there can be.
func TestTaxIn(t *testing.T) {
	for _, tt := range []struct {
		total, percent, scale, tax int64
	}{
		{1100, 10, 1, 100},
		{1099, 10, 1, 99}, // 99.909… rounded down
		{1101, 10, 1, 100},
		{10, 10, 1, 0},
		{11, 10, 1, 1},
		{2980, 10, 1, 270}, // 270.909…
		{1080, 8, 1, 80},
		{1079, 8, 1, 79}, // 79.925…
		{2980, 8, 1, 220},
		{1085, 85, 10, 85},
		{1084, 85, 10, 84},
		{1085, 850, 100, 85},
		{1999, 0, 1, 0},
		{200, 100, 1, 100},
		{0, 10, 1, 0},
		{1100, 10, 0, 100}, // no scale is whole percents
		{money.MaxMinor, 10, 1, 818836295885544},
		{-1100, 10, 1, -100},
	} {
		r := billing.Rate{Percent: tt.percent, Scale: tt.scale}
		if got := billing.TaxIn(money.Of(tt.total, "JPY"), r); got != money.Of(tt.tax, "JPY") {
			t.Errorf("%d at %d/%d: %s, want %d", tt.total, tt.percent, tt.scale, got, tt.tax)
		}
	}
}

// The tax is the exact one rounded down once, whatever the total and the rate;
// a refund contains what its sale did.
func TestTaxInIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.SampledFrom([]int64{1, 10, 100, 10_000}).Draw(t, "scale")
		percent := rapid.OneOf(rapid.SampledFrom([]int64{0, 8 * scale, 10 * scale, 85 * scale / 10, 100 * scale}), rapid.Int64Range(0, 100*scale)).Draw(t, "percent")
		total := rapid.OneOf(rapid.Int64Range(0, money.MaxMinor), rapid.Int64Range(money.MaxMinor-1000, money.MaxMinor), rapid.Int64Range(0, 10_000)).Draw(t, "total")
		r := billing.Rate{Percent: percent, Scale: scale}

		exact := new(big.Int).Mul(big.NewInt(total), big.NewInt(percent))
		exact.Div(exact, big.NewInt(100*scale+percent))
		got := billing.TaxIn(money.Of(total, "JPY"), r)
		if got.Currency != "JPY" || exact.Cmp(big.NewInt(got.Minor)) != 0 || got.Minor > total {
			t.Fatalf("%d at %s: %s, want %s", total, r, got, exact)
		}
		if back := billing.TaxIn(money.Of(-total, "JPY"), r); back != got.Neg() {
			t.Fatalf("refunded: %s, sold: %s", back, got)
		}
	})
}

func TestRateThatIsNonePanics(t *testing.T) {
	for _, r := range []billing.Rate{{Percent: -1, Scale: 1}, {Percent: 101, Scale: 1}, {Percent: 1001, Scale: 10}, {Percent: 1, Scale: 1_000_000}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v: no panic", r)
				}
			}()
			billing.TaxIn(money.Of(100, "JPY"), r)
		}()
	}
}

func TestRateAsWritten(t *testing.T) {
	for want, r := range map[string]billing.Rate{
		"10%": {Percent: 10, Scale: 1}, "8.5%": {Percent: 85, Scale: 10}, "8.25%": {Percent: 825, Scale: 100},
		"8.05%": {Percent: 805, Scale: 100}, "7%": {Percent: 700, Scale: 100}, "0%": {}, "0.5%": {Percent: 50, Scale: 100},
	} {
		if got := r.String(); got != want {
			t.Errorf("%+v: %s, want %s", r, got, want)
		}
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// A series is a year of the shop, whose New Year is not UTC's.
func TestSeriesIsAYearOfTheShop(t *testing.T) {
	tokyo, honolulu := zone(t, "Asia/Tokyo"), zone(t, "Pacific/Honolulu")
	for _, tt := range []struct {
		kind billing.Kind
		at   string
		shop *time.Location
		want string
	}{
		{billing.Sale, "2026-12-31T23:30:00+09:00", tokyo, "B2026"},
		{billing.Sale, "2026-12-31T23:59:59.999999+09:00", tokyo, "B2026"},
		{billing.Sale, "2027-01-01T00:00:00+09:00", tokyo, "B2027"}, // 2026 in UTC
		{billing.Receipt, "2027-01-01T08:00:00+09:00", tokyo, "R2027"},
		{billing.CreditNote, "2027-01-01T08:00:00+09:00", honolulu, "C2026"},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := billing.Series(tt.kind, at.UTC(), tt.shop); got != tt.want {
			t.Errorf("%s at %s: %s, want %s", tt.kind, tt.at, got, tt.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a kind that is none has a series")
		}
	}()
	billing.Series("", noon, tokyo)
}

func TestTitle(t *testing.T) {
	for want, b := range map[string]billing.Bill{
		"":                    {Series: "B2026"},
		"B2026-00000001":      {Series: "B2026", Number: 1},
		"R2026-12345678":      {Series: "R2026", Number: 12_345_678},
		"C2026-1234567890123": {Series: "C2026", Number: 1_234_567_890_123},
	} {
		if got := b.Title(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// bill is a document of a sale, with everything that one can say.
func bill(id, order string) billing.Bill {
	total := money.Of(2980, "JPY")
	return billing.Bill{
		Account: "ac_1", ID: id, Order: order, Kind: billing.Sale, Series: "B2026", Total: total, Rate: reduced(), Tax: billing.TaxIn(total, reduced()),
		Content: billing.Content{
			Seller: "続く商店", SellerAddress: "1-2-3 Example", SellerNumber: "T9000000000000", Recipient: "王小明", What: "Visitor 30 days",
			Line: "ln_1", From: "2026-03-02T21:00:00+09:00", To: "2026-04-01T00:00:00+09:00", Tool: "wallet", Zone: "Asia/Tokyo", Reduced: true,
		},
	}
}

func issue(t testing.TB, d *db.DB, bills ...billing.Bill) error {
	t.Helper()
	return d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		for _, one := range bills {
			one.AddTo(&b, tx.Now())
		}
		return tx.Batch(ctx, &b)
	})
}

func TestWhatIsIssuedIsRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		sale := bill("bl_1", "ord_1")
		receipt := billing.Bill{
			Account: "ac_1", ID: "bl_2", Order: "ord_2", Kind: billing.Receipt, Series: "R2026", Total: money.Of(5000, "USD"), Tax: money.Of(0, "USD"),
			Rate: billing.Rate{Class: "none", Scale: 1}, Content: billing.Content{Seller: "S", What: "wallet top-up", Tool: "card", Zone: "UTC"},
		}
		note := bill("bl_3", "ord_1")
		note.Kind, note.Series, note.RefersTo = billing.CreditNote, "C2026", "bl_1"
		other := bill("bl_1", "ord_1")
		other.Account = "ac_2"
		for _, b := range []*billing.Bill{&sale, &receipt, &note, &other} {
			if err := issue(t, env.DB, *b); err != nil {
				t.Fatal(err)
			}
			b.IssuedAt = env.Clock.Now()
			env.Clock.Add(time.Second)
		}
		for _, want := range []billing.Bill{sale, receipt, note, other} {
			got, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (billing.Bill, error) {
				return billing.Get(ctx, tx, want.Account, want.ID)
			})
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s: %v %s", want.ID, err, diff)
			}
		}
		list := func(what string, read func(context.Context, db.Tx) ([]billing.Bill, error), want ...billing.Bill) {
			t.Helper()
			got, err := db.Seen(t.Context(), env.DB, read)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s: %v %s", what, err, diff)
			}
		}
		list("of an order", func(ctx context.Context, tx db.Tx) ([]billing.Bill, error) {
			return billing.OfOrder(ctx, tx, "ac_1", "ord_1")
		}, sale, note)
		list("newest", func(ctx context.Context, tx db.Tx) ([]billing.Bill, error) { return billing.List(ctx, tx, "ac_1", 2) }, note, receipt)
		list("another account's", func(ctx context.Context, tx db.Tx) ([]billing.Bill, error) { return billing.List(ctx, tx, "ac_2", 2) }, other)
		_, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (billing.Bill, error) { return billing.Get(ctx, tx, "ac_2", "bl_3") })
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.NotFound || f.Reason != "no_such_bill" {
			t.Errorf("another account's document: %v, want not found", err)
		}
	})
}

// An order has one document of each kind: the second is not issued.
func TestOrderIsBilledOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		if err := issue(t, env.DB, bill("bl_1", "ord_1")); err != nil {
			t.Fatal(err)
		}
		if err := issue(t, env.DB, bill("bl_2", "ord_1")); !db.IsUnique(err) {
			t.Errorf("a second bill: %v, want a broken unique key", err)
		}
		note := bill("bl_3", "ord_1")
		note.Kind = billing.CreditNote
		if err := issue(t, env.DB, note); err != nil {
			t.Errorf("its credit note: %v", err)
		}
	})
}

// What a document says by tax rate adds up to what was paid, and there is
// everything that the law asks of a qualified invoice.
func TestQualifiedInvoice(t *testing.T) {
	b := bill("bl_1", "ord_1")
	b.IssuedAt = time.Date(2026, 12, 31, 15, 30, 0, 0, time.UTC)
	if got := b.Date(); got != "2027-01-01" {
		t.Errorf("dated %s, want the shop's day, 2027-01-01", got)
	}
	want := []billing.Part{{Rate: reduced(), Total: money.Of(2980, "JPY"), Net: money.Of(2760, "JPY"), Tax: money.Of(220, "JPY")}}
	if diff := cmp.Diff(want, b.Parts()); diff != "" {
		t.Error(diff)
	}
	if !b.Qualified() {
		t.Error("not a qualified invoice, want one")
	}
	for name, spoil := range map[string]func(*billing.Bill){
		"no issuer":            func(b *billing.Bill) { b.Content.Seller = "" },
		"no number":            func(b *billing.Bill) { b.Content.SellerNumber = "" },
		"nothing sold":         func(b *billing.Bill) { b.Content.What = "" },
		"no date":              func(b *billing.Bill) { b.IssuedAt = time.Time{} },
		"no zone of its date":  func(b *billing.Bill) { b.Content.Zone = "" },
		"a receipt of a topup": func(b *billing.Bill) { b.Kind = billing.Receipt },
	} {
		other := b
		spoil(&other)
		if other.Qualified() {
			t.Errorf("%s: qualified, want not", name)
		}
	}
	receipt := b
	receipt.Kind = billing.Receipt
	if got := receipt.Parts(); got != nil {
		t.Errorf("a receipt says %v about tax", got)
	}
	b.Content.Zone = "Mars/Olympus"
	if got := b.Date(); got != "2026-12-31" {
		t.Errorf("dated %s in a zone that is gone, want UTC's day", got)
	}
}

// For any price and rate the parts add up: nothing is lost between net and tax.
func TestPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := bill("bl_1", "ord_1")
		b.Rate = rapid.SampledFrom([]billing.Rate{standard(), reduced(), {Class: "export", Scale: 1}, {Percent: 85, Scale: 10}}).Draw(t, "rate")
		b.Total = money.Of(rapid.Int64Range(0, money.MaxMinor).Draw(t, "total"), "JPY")
		b.Tax = billing.TaxIn(b.Total, b.Rate)
		for _, p := range b.Parts() {
			sum, err := p.Net.Add(p.Tax)
			if err != nil || sum != b.Total || p.Total != b.Total || p.Net.Minor < 0 || p.Tax.Minor < 0 {
				t.Fatalf("%+v of %s (%v)", p, b.Total, err)
			}
		}
	})
}

func ids(prefix string, from, to int) (all []string) {
	for i := from; i <= to; i++ {
		all = append(all, fmt.Sprintf("%s%03d", prefix, i))
	}
	return all
}
