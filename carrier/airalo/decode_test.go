package airalo

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAmounts(t *testing.T) {
	for in, want := range map[string]string{
		`10`: "10000000", `9.5`: "9500000", `"9.50"`: "9500000", `22.5`: "22500000", `0`: "0", `0.1`: "100000", `-3.25`: "-3250000",
		`"4.123456"`: "4123456", `"4.123456000"`: "4123456", `999999999999.999999`: "999999999999999999", `null`: "", `""`: "",
		`"4.1234567"`: "error", `9.4999999999999996`: "error", `1e2`: "error", `"1,5"`: "error", `"."`: "error", `"5."`: "error", `".5"`: "error",
		`"--1"`: "error", `"+1"`: "error", `" 1"`: "error", `1234567890123`: "error", `{}`: "error", `true`: "error", `"٣"`: "error",
	} {
		var a amount
		err := json.Unmarshal([]byte(in), &a)
		got := fmt.Sprint(a.parts)
		if !a.given {
			got = ""
		}
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// Every amount of up to six decimals is read as what it is, however it is
// written.
func TestAmountsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.Int64Range(-999999999999_999999, 999999999999_999999).Draw(t, "parts")
		sign, abs := "", parts
		if parts < 0 {
			sign, abs = "-", -parts
		}
		written := fmt.Sprintf("%s%d.%06d", sign, abs/priceScale, abs%priceScale)
		short := strings.TrimSuffix(strings.TrimRight(written, "0"), ".")
		for _, s := range []string{written, short, written + "000"} {
			if got, err := decimal(s); err != nil || got != parts {
				t.Errorf("%s: %d, %v; want %d", s, got, err, parts)
			}
		}
	})
}

func TestQuantities(t *testing.T) {
	for in, want := range map[string]string{
		`3072`: "3221225472", `"3072"`: "3221225472", `1024.0`: "1073741824", `"767.000"`: "804257792", `0`: "0", `null`: "", `""`: "",
		`767.5`: "error", `-1`: "error", `1e3`: "error", `"much"`: "error", `[]`: "error", `9223372036854775807`: "error",
	} {
		var m megabytes
		got := ""
		if err := json.Unmarshal([]byte(in), &m); err != nil {
			got = "error"
		} else if m.given {
			got = fmt.Sprint(m.bytes())
		}
		if got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestInstants(t *testing.T) {
	want := time.Date(2023, 2, 9, 10, 30, 45, 0, time.UTC)
	for in, ok := range map[string]bool{
		`"2023-02-09T10:30:45+00:00"`: true, `"2023-02-09T10:30:45Z"`: true, `"2023-02-09T10:30:45+0000"`: true, `"2023-02-09 10:30:45"`: true,
		`"2023-02-09T19:30:45+09:00"`: true, `"2023-02-09T19:30:45+0900"`: true, `"2023-02-09T10:30:45.000000Z"`: true,
		`"09/02/2023"`: false, `1675938645`: false, `"1970-01-01 00:00:00"`: false, `"9999-12-31 23:59:59"`: false,
	} {
		var i instant
		err := json.Unmarshal([]byte(in), &i)
		if (err == nil) != ok || ok && !i.Equal(want) || !ok && !i.IsZero() {
			t.Errorf("%s: %v, %v", in, i, err)
		}
	}
	for _, in := range []string{`null`, `""`} {
		i := instant{want}
		if err := json.Unmarshal([]byte(in), &i); err != nil || !i.IsZero() {
			t.Errorf("%s: %v, %v", in, i, err)
		}
	}
}

func TestRows(t *testing.T) {
	for in, want := range map[string]string{
		`[1,{"a":2}]`: `1 {"a":2}`, `{"25":1,"26":{"a":2}}`: `1 {"a":2}`, `[]`: ``, ` {} `: ``,
		`{"packages":[]}`: "error", `null`: "error", ``: "error", `"x"`: "error", `7`: "error",
	} {
		list, err := rows(json.RawMessage(in))
		var words []string
		for _, r := range list {
			words = append(words, string(r))
		}
		got := strings.Join(words, " ")
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestCardNumbers(t *testing.T) {
	for in, want := range map[string]string{
		"8910300000005271146": "8910300000005271146", "8910300000005271146F": "8910300000005271146", "89340000000000872": "89340000000000872",
		"12": "", "": "", "../../v2/balance": "", "891030000000527114x": "", strings.Repeat("8", 23): "",
	} {
		if got := cardNumber(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
