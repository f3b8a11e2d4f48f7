package device

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/luhn"
)

// The numbers that others have published, however a phone or its owner writes
// them: IMEIs of encyclopedias, and EIDs of the
// GSMA's test certificates and of real cards.
func TestNumbersAreRead(t *testing.T) {
	for text, want := range map[string]Query{
		"490154203237518": {Kind: ByIMEI, TAC: "49015420"}, "49-015420-323751-8": {Kind: ByIMEI, TAC: "49015420"},
		"IMEI: 49 015420 323751 8": {Kind: ByIMEI, TAC: "49015420"}, "imei1 490154203237518": {Kind: ByIMEI, TAC: "49015420"},
		"IMEI 2: 356938035643809": {Kind: ByIMEI, TAC: "35693803"},
		"４９０１５４２０３２３７５１８":         {Kind: ByIMEI, TAC: "49015420"}, "490154203237518/19": {Kind: ByIMEI, TAC: "49015420"},
		"49015420323751": {Kind: ByIMEI, TAC: "49015420"}, "4901542032375101": {Kind: ByIMEI, TAC: "49015420"},
		"\u200e490154203237518\u202c":          {Kind: ByIMEI, TAC: "49015420"},
		"89049032123451234512345678901235":     {Kind: ByEID},
		"EID 89086030202200000022000023022943": {Kind: ByEID}, "8904 4045 1167 2749 4800 0000 0447 9366": {Kind: ByEID},
		"EID\n89044045116727494800000004479366": {Kind: ByEID},
		"iPhone 13":                             {Kind: ByName, Text: "iPhone 13"}, "13": {Kind: ByName, Text: "13"}, "ｉＰｈｏｎｅ　１３": {Kind: ByName, Text: "iPhone 13"},
		"2211133G": {Kind: ByName, Text: "2211133G"},
	} {
		got, err := ParseQuery(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// What can be no phone is refused with a reason that says what to do.
func TestWhatIsNoPhoneIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"": "device_empty", " \u3000\t": "device_empty", "\u200b\u200b": "device_empty",
		strings.Repeat("iPhone ", 20): "device_long", strings.Repeat("x", 1<<20): "device_long", strings.Repeat("\u200b", 1<<12): "device_long",
		"iPhone\x00 13": "device_unreadable", "\x1b[31miPhone": "device_unreadable", "iPhone \xff13": "device_unreadable",
		"490154203237519": "device_imei_mistyped", "490154203237581": "device_imei_mistyped", "IMEI 490154203237510": "device_imei_mistyped",
		"89049032123451234512345678901234": "device_eid_mistyped", "8981100022144450098": "device_iccid", "89811000221444500985": "device_iccid",
		"123456789": "device_number", "4901542032375181234": "device_number", "890490321234512345123456789012": "device_number",
	} {
		_, err := ParseQuery(text)
		var f *fault.Error
		if e, ok := err.(*fault.Error); ok { //nolint:errorlint // it is returned as it is
			f = e
		}
		if f == nil || f.Kind != fault.Invalid || f.Reason != want {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
		if f != nil && strings.Contains(f.Message, "490154203") {
			t.Errorf("the message repeats the number: %s", f.Message)
		}
	}
}

// A serial number is told from a name that nobody knows.
func TestSerialNumbersAreRecognised(t *testing.T) {
	for text, want := range map[string]bool{"C39XK1234ABC": true, "R5CW82XYYDL": true, "F2LX1234Q1": true, "Fairphone 5": false, "toaster": false, "ABCDEFGHIJK": false} {
		if f := find(t, text); f.Serial != want {
			t.Errorf("%q: serial %v, %v", text, f.Serial, called(f.Candidates))
		}
	}
}

// Every wrong digit of an IMEI, and of an EID every wrong digit and every two
// exchanged ones, are noticed.
func TestCheckDigitsNotice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		imei := rapid.StringMatching(`[0-9]{14}`).Draw(t, "imei")
		imei += string(rune(luhn.Digit(imei)))
		if !luhn.Checks(imei) {
			t.Fatalf("%s is refused", imei)
		}
		if wrong := otherDigit(t, imei); luhn.Checks(wrong) {
			t.Fatalf("%s passes for %s", wrong, imei)
		}
		eid := rapid.StringMatching(`89[0-9]{28}`).Draw(t, "eid")
		eid += fmt.Sprintf("%02d", 98-mod97(eid+"00"))
		if q, err := ParseQuery(eid); err != nil || q.Kind != ByEID {
			t.Fatalf("%s: %v", eid, err)
		}
		if wrong := otherDigit(t, eid); mod97(wrong) == 1 {
			t.Fatalf("%s passes for %s", wrong, eid)
		}
		at := rapid.IntRange(0, len(eid)-2).Draw(t, "swapped")
		swapped := eid[:at] + eid[at+1:at+2] + eid[at:at+1] + eid[at+2:]
		if swapped != eid && mod97(swapped) == 1 {
			t.Fatalf("%s passes for %s", swapped, eid)
		}
	})
}

func otherDigit(t *rapid.T, s string) string {
	at := rapid.IntRange(0, len(s)-1).Draw(t, "at")
	d := byte('0') + (s[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
	return s[:at] + string(d) + s[at+1:]
}

// Whatever is typed, the answer is a query or a sentence, never both, and a
// number never stays in it.
func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{"", "iPhone 13", "490154203237518", "EID 89049032123451234512345678901235", "IMEI 1: 4901/54", "*#06#", "ギャラクシー", "\x00", "国行", "١٢٣٤٥٦٧٨٩"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := ParseQuery(text)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid || q != (Query{}) {
				t.Fatalf("%q: %+v, %v", text, q, err)
			}
			return
		}
		switch q.Kind {
		case ByIMEI:
			if !isTAC.MatchString(q.TAC) || q.Text != "" {
				t.Fatalf("%q: %+v", text, q)
			}
		case ByEID:
			if q.TAC != "" || q.Text != "" {
				t.Fatalf("%q: %+v", text, q)
			}
		case ByName:
			if q.Text == "" || len([]rune(q.Text)) > maxQuery {
				t.Fatalf("%q: %+v", text, q)
			}
			found := Builtin().Search(q)
			if found.Phone.Model != nil && len(found.Candidates) > 0 || len(found.Candidates) > maxCandidates {
				t.Fatalf("%q: %+v", text, found)
			}
		default:
			t.Fatalf("%q: kind %q", text, q.Kind)
		}
	})
}
