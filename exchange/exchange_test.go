package exchange

import (
	"bytes"
	"context"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/money"
)

const daily = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
	<Cube><Cube time='2026-04-13'>
		<Cube currency='USD' rate='1.1684'/><Cube currency='JPY' rate='186.75'/><Cube currency='KRW' rate='1740.86'/>
	</Cube></Cube>
</gesmes:Envelope>`

// The Bank's three forms say the same; of a history the newest day counts,
// wherever it stands.
func TestReadECB(t *testing.T) {
	want := Sheet{Source: ECB, Base: "EUR", Day: "2026-04-13", Units: map[money.Currency]Units{
		"USD": {11684, 10000}, "JPY": {18675, 100}, "KRW": {174086, 100},
	}}
	for name, file := range map[string]string{
		"XML":             daily,
		"the daily CSV":   "Date, USD, JPY, KRW, \n13 April 2026, 1.1684, 186.75, 1740.86, \n",
		"the history":     "Date,USD,JPY,KRW,ISK,\n2026-04-13,1.1684,186.75,1740.86,N/A,\n2026-04-10,1.1711,186.43,1737.06,N/A,\n",
		"the other way":   "date,USD,JPY,KRW\n2026-04-10,1.1711,186.43,1737.06\n2026-04-13,1.1684,186.75,1740.86\n",
		"with a BOM":      "\ufeffDate,USD,JPY,KRW\r\n2026-04-13,1.1684,186.75,1740.86\r\n",
		"unknown columns": "Date,USD,QQQ,JPY,KRW\n2026-04-13,1.1684,7,186.75,1740.86\n",
	} {
		got, err := ReadECB(strings.NewReader(file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Whatever is not the Bank's is refused in a sentence.
func TestReadECBRefuses(t *testing.T) {
	for name, file := range map[string]string{
		"nothing":          "",
		"a web page":       "<html><body>Not found</body></html>",
		"a broken page":    "<Envelope><Cube",
		"a zip":            "PK\x03\x04",
		"another table":    "name,price\nx,1\n",
		"no days":          "Date,USD\n",
		"only N/A":         "Date,USD\n2026-04-13,N/A\n",
		"a day in words":   "Date,USD\nyesterday,1.1\n",
		"a negative rate":  "Date,USD\n2026-04-13,-1.1\n",
		"zero":             "Date,USD\n2026-04-13,0.0000\n",
		"an exponent":      "Date,USD\n2026-04-13,1e3\n",
		"a decimal comma":  "Date,USD\n2026-04-13,\"1,1\"\n",
		"a short line":     "Date,USD,JPY\n2026-04-13,1.1\n",
		"a currency twice": "Date,USD,USD\n2026-04-13,1.1,1.2\n",
	} {
		s, err := ReadECB(strings.NewReader(file))
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, %v; want a refusal", name, s, err)
		}
	}
}

// A rate between two currencies, there and back, is exactly 1.
func TestRateInverts(t *testing.T) {
	s, err := ReadECB(strings.NewReader(daily))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		all := []money.Currency{"EUR", "USD", "JPY", "KRW"}
		from, to := rapid.SampledFrom(all).Draw(t, "from"), rapid.SampledFrom(all).Draw(t, "to")
		there, ok := s.Rate(from, to)
		back, ok2 := s.Rate(to, from)
		if ok != (from != to) || ok2 != ok {
			t.Fatalf("%s to %s: %t and %t", from, to, ok, ok2)
		}
		if !ok {
			return
		}
		if err := there.Validate(); err != nil {
			t.Fatal(err)
		}
		product := new(big.Rat).Mul(big.NewRat(there.Numerator, there.Denominator), big.NewRat(back.Numerator, back.Denominator))
		if product.Cmp(big.NewRat(1, 1)) != 0 {
			t.Fatalf("%s to %s and back is %s", from, to, product)
		}
	})
	if r, ok := s.Rate("JPY", "TWD"); ok {
		t.Errorf("the Bank has no Taiwan dollar, and the rate is %+v", r)
	}
	r, _ := s.Rate("JPY", "KRW")
	if got, err := r.Convert(money.Of(10_000, "JPY"), money.HalfUp); err != nil || got != money.Of(93_219, "KRW") { // 10000 / 186.75 × 1740.86
		t.Errorf("¥10,000 is %v, %v", got, err)
	}
}

// A sheet is used on its day and the days that are allowed after it, and never
// before it.
func TestFresh(t *testing.T) {
	s := Sheet{Day: "2026-04-10"}
	for _, tt := range []struct {
		now  string
		want bool
	}{
		{"2026-04-09T23:59:59Z", false},
		{"2026-04-10T00:00:00Z", true},
		{"2026-04-13T23:59:59Z", true},
		{"2026-04-14T08:59:59+09:00", true}, // 23:59:59 in UTC
		{"2026-04-14T00:00:00Z", false},
	} {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Fresh(now, 3); got != tt.want {
			t.Errorf("at %s: %t", tt.now, got)
		}
	}
}

// One sheet is in force: an older one, one of the future and one that has jumped
// are refused and change nothing; the same one again changes nothing.
func TestImport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		sheet := func(day string, jpy int64) Sheet {
			return Sheet{Source: ECB, Base: "EUR", Day: day, Units: map[money.Currency]Units{"JPY": {jpy, 100}, "USD": {11684, 10000}}}
		}
		env.Clock.Set(time.Date(2026, 4, 14, 9, 0, 0, 0, time.UTC))
		for _, step := range []struct {
			name    string
			sheet   Sheet
			jumps   bool
			changed bool
			refused bool
			inForce string
		}{
			{name: "the first", sheet: sheet("2026-04-10", 18643), changed: true, inForce: "2026-04-10"},
			{name: "again", sheet: sheet("2026-04-10", 18643), inForce: "2026-04-10"},
			{name: "corrected", sheet: sheet("2026-04-10", 18644), changed: true, inForce: "2026-04-10"},
			{name: "older", sheet: sheet("2026-04-09", 18643), refused: true, inForce: "2026-04-10"},
			{name: "of tomorrow", sheet: sheet("2026-04-15", 18643), refused: true, inForce: "2026-04-10"},
			{name: "jumped", sheet: sheet("2026-04-13", 1867), refused: true, inForce: "2026-04-10"},
			{name: "jumped, and meant", sheet: sheet("2026-04-13", 24000), jumps: true, changed: true, inForce: "2026-04-13"},
			{name: "empty", sheet: Sheet{Source: ECB, Base: "EUR", Day: "2026-04-14"}, refused: true, inForce: "2026-04-13"},
		} {
			changed, err := db.Written(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (bool, error) {
				return Import(ctx, tx, step.sheet, "mika", step.jumps)
			})
			if changed != step.changed || (fault.KindOf(err) == fault.Invalid) != step.refused {
				t.Errorf("%s: changed %t, %v", step.name, changed, err)
			}
			now, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (Sheet, error) { return Current(ctx, tx, ECB) })
			if err != nil || now.Day != step.inForce {
				t.Errorf("after %s: %v, %v; want %s in force", step.name, now, err, step.inForce)
			}
		}
	})
}

// Eleven years of the Bank's own figures can be read.
func TestReadsTheHistory(t *testing.T) {
	file, err := os.Open("../../shared/data/local/fx_ecb_daily.csv")
	if err != nil {
		t.Skip("the Bank's history is not here:", err)
	}
	defer file.Close() //nolint:errcheck // a read
	s, err := ReadECB(file)
	if err != nil || s.Day != "2026-04-13" || len(s.Units) != 14 {
		t.Errorf("%v, %v", s, err)
	}
}

// A file is refused in a sentence, or gives rates above nothing of one day that can
// be used, and are the same when they are written down and read again.
func FuzzReadECB(f *testing.F) {
	f.Add([]byte(daily))
	f.Add([]byte("Date,USD,JPY\n2026-04-13,1.1684,186.75\n"))
	f.Add([]byte("Date, USD, \n13 April 2026, 1.1684, \n"))
	f.Add([]byte("Date,USD\n9999-12-31,999999999.99999999\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ReadECB(bytes.NewReader(data))
		if err != nil {
			if fault.KindOf(err) != fault.Invalid || len(s.Units) > 0 {
				t.Fatalf("%v with %v", err, s)
			}
			return
		}
		head, row := "Date", s.Day
		for a, u := range s.Units {
			if u.Numerator <= 0 || u.Denominator <= 0 || a.Validate() != nil || a == money.Points {
				t.Fatalf("%s: %+v", a, u)
			}
			head, row = head+","+string(a), row+","+u.String()
			for b := range s.Units {
				if r, ok := s.Rate(a, b); ok {
					if err := r.Validate(); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		again, err := ReadECB(strings.NewReader(head + "\n" + row + "\n"))
		if err != nil || cmp.Diff(s, again) != "" {
			t.Fatalf("written down and read again: %v\n%s", err, cmp.Diff(s, again))
		}
	})
}
