package line_test

import (
	"context"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
)

// The longer numbers are examples in support pages of Verizon and AT&T; the check
// digit of ISO/IEC 7812-1's 7992739871 is 3.
func TestReadICCID(t *testing.T) {
	for _, want := range []struct {
		typed, digits string
		fits          bool
	}{
		{"8991101200003204514", "8991101200003204514", true},
		{" 8991 1012-0000 3204 514\n", "8991101200003204514", true},
		{"8991101200003204514F", "8991101200003204514", true},
		{"８９９１１０１２００００３２０４５１４", "8991101200003204514", true},
		{"8991101200003204511", "8991101200003204511", false},
		{"8991101200003204541", "8991101200003204541", false},
		{"89148000000745809013", "89148000000745809013", true},
		{"89014103211118510720", "89014103211118510720", true},
		{"", "", false},
		{"899110120000320451", "", false},
		{"899110120000320451400", "", false},
		{"1234567890123456789", "", false},
		{"89911012000032045x0", "", false},
		{"٨٩911012000032045", "", false},
		{strings.Repeat("8", 1000), "", false},
		{"8991101200003204514; DROP TABLE", "", false},
	} {
		digits, fits, err := line.ReadICCID(want.typed)
		if digits != want.digits || fits != want.fits || (err == nil) != (want.digits != "") {
			t.Errorf("%q: %q, %v, %v", want.typed, digits, fits, err)
		}
	}
}

// One wrong digit, and two neighbours exchanged but for 0 and 9, never fit.
func TestCheckDigitFindsSlips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := "89" + rapid.StringMatching(`[0-9]{16,17}`).Draw(t, "digits")
		number := ""
		for _, last := range "0123456789" {
			if _, fits, _ := line.ReadICCID(body + string(last)); fits {
				number += body + string(last)
			}
		}
		if len(number) != len(body)+1 {
			t.Fatalf("%q has not one check digit: %q", body, number)
		}
		at := rapid.IntRange(2, len(number)-1).Draw(t, "at")
		other := '0' + (number[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if slip := number[:at] + string(other) + number[at+1:]; fitsOr(slip) {
			t.Errorf("%s fits like %s", slip, number)
		}
		a, b := number[at-1], number[at]
		if at > 2 && a != b && a+b != '0'+'9' {
			if slip := number[:at-1] + string(b) + string(a) + number[at+1:]; fitsOr(slip) {
				t.Errorf("%s fits like %s", slip, number)
			}
		}
	})
}

func fitsOr(number string) bool {
	_, fits, _ := line.ReadICCID(number)
	return fits
}

// A line is found by its number with and without the check digit.
func TestByICCID(t *testing.T) {
	env := dbtest.SQLite(t)
	const account = "ac_01k9x2m4t7h8j9k2m3"
	err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		for id, number := range map[string]string{"ln_long": "89148000000745809013", "ln_short": "8991101200003204514"} {
			if err := line.Add(ctx, tx, line.Line{Account: account, ID: id, ICCID: number, ProfileID: id, State: line.New}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for number, id := range map[string]string{
		"89148000000745809013": "ln_long", "8914800000074580901": "ln_long",
		"8991101200003204514": "ln_short", "89911012000032045147": "ln_short",
		"8991101200003204502": "",
	} {
		l, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) {
			return line.ByICCID(ctx, tx, number)
		})
		if l.ID != id || id == "" && fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: %q, %v", number, l.ID, err)
		}
	}
}
