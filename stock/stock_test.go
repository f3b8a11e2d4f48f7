package stock_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/stock"
)

// A code is known however it is typed, by its own item alone, and after a change of the
// secret.
func TestCodesAreKnownAsTyped(t *testing.T) {
	old := seal.New("codes", "an old secret of the tests", nil, nil)
	box := seal.New("codes", "a new secret of the tests", []string{"an old secret of the tests"}, nil)
	rapid.Check(t, func(t *rapid.T) {
		code := stock.NewCode(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "random"))
		typed := strings.NewReplacer("-", rapid.SampledFrom([]string{"", " ", "-", "–"}).Draw(t, "hyphen"), "0", rapid.SampledFrom([]string{"0", "o", "O"}).Draw(t, "nought"),
			"1", rapid.SampledFrom([]string{"1", "i", "L"}).Draw(t, "one")).Replace(code)
		if rapid.Bool().Draw(t, "small") {
			typed = strings.ToLower(typed)
		}
		item := stock.Item{ICCID: "8981100000000000010", Kind: stock.SIM}.Claimable(old, code)
		other := stock.Item{ICCID: "8981100000000000028", Kind: stock.SIM, Mark: item.Mark}
		if !item.Knows(box, typed) || item.Knows(box, typed[1:]) || other.Knows(box, typed) || strings.Contains(item.Mark, code[:4]) {
			t.Errorf("%q typed as %q: %+v", code, typed, item)
		}
		if sealed, err := (stock.Item{ICCID: "1"}).Sealed(old, "LPA:1$a$"+code); err != nil || !sealed.Knows(box, "LPA:1$a$"+code) {
			t.Errorf("%v", err)
		} else if open, err := sealed.Opened(box); err != nil || open != "LPA:1$a$"+code {
			t.Errorf("%q %v", open, err)
		}
	})
}
