package airalosim

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// What PHP's manual and its tests say of json_encode without flags.
func TestPHPForm(t *testing.T) {
	tests := []struct{ name, given, want string }{
		{"slash", `{"u":"https://example.com/hook"}`, `{"u":"https:\/\/example.com\/hook"}`},
		{"accent", `{"a":"é"}`, `{"a":"\u00e9"}`},
		{"accent given as an escape", `{"a":"\u00E9"}`, `{"a":"\u00e9"}`},
		{"Japanese", `{"a":"日本"}`, `{"a":"\u65e5\u672c"}`},
		{"beyond the basic plane", `{"a":"😀"}`, `{"a":"\ud83d\ude00"}`},
		{"line separator", `{"a":"` + "\u2028" + `"}`, `{"a":"\u2028"}`},
		{"HTML stays", `{"a":"<b>&'</b>"}`, `{"a":"<b>&'<\/b>"}`},
		{"quotes and controls", `{"a":"\"\\\b\f\n\r\t\u0001\u001f"}`, `{"a":"\"\\\b\f\n\r\t\u0001\u001f"}`},
		{"delete stays", "{\"a\":\"\x7f\"}", "{\"a\":\"\x7f\"}"},
		{"spaces go, order stays", "{ \"b\" : 1 ,\n\"a\" : [ true , null ] }", `{"b":1,"a":[true,null]}`},
		{"a key twice", `{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
		{"empty object", `{"a":{}}`, `{"a":[]}`},
		{"empty list", `{"a":[]}`, `{"a":[]}`},
		{"keys too", `{"a/é":0}`, `{"a\/\u00e9":0}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := readJSON([]byte(tt.given))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(phpJSON(v)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// The first two are the reference's; the others were computed with another
// program: printf %s '…' | openssl dgst -sha512 -hmac test_secret
func TestSignatureVectors(t *testing.T) {
	tests := []struct{ payload, want string }{
		{`{"key":"value"}`, "dbcda7872bdfde3ec60c0fc59c4a448280cfa5f84f31e61728c9157a4b13651ae7b7d294e046095567c67bcdc9ff738110ff69b93402208d9ace15eb9bf137b9"},
		{`{"webhook_url":"https://example.com/hook"}`, "3497082d819752bb607c85ab62a539db069f9f0df4915ebc0f60947f34f5eb64b36045d03bb1ae1eb1a183e057668e651610ee151e7f1b486e210fbd618642cc"},
		{`{"package_id":"change-7days-1gb-topup","iccid":"8944465400003573253","description":"Café <&> 日本 😀"}`, "fee579a1cec69161e6471ad8776c6af9bd298e8225ccb35800dedbf746516a0055ddc05460a8f8b384776dc4bd3cdda8024c0b8f36766875b222db775a7536fa"},
	}
	for _, tt := range tests {
		v, err := readJSON([]byte(tt.payload))
		if err != nil {
			t.Fatal(err)
		}
		if got := sign("test_secret", phpJSON(v)); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.payload, got, tt.want)
		}
	}
}

// Dollars are written as PHP writes floats, and nothing is lost.
func TestDollars(t *testing.T) {
	for _, tt := range []struct {
		given        cents
		number, text string
	}{
		{0, "0", "0.00"},
		{1, "0.01", "0.01"},
		{10, "0.1", "0.10"},
		{405, "4.05", "4.05"},
		{450, "4.5", "4.50"},
		{950, "9.5", "9.50"},
		{1000, "10", "10.00"},
		{22_535, "225.35", "225.35"},
		{-450, "-4.5", "-4.50"},
	} {
		if n, s := tt.given.number(), tt.given.text(); n != tt.number || s != tt.text {
			t.Errorf("%d cents are %s and %s, want %s and %s", tt.given, n, s, tt.number, tt.text)
		}
	}
}

// Whatever text is written can be read back by anyone, and is ASCII.
func TestPHPTextIsReadable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "text")
		text := phpJSON(object{{"a", want}})
		var got struct{ A string }
		if err := json.Unmarshal(text, &got); err != nil || got.A != want {
			t.Fatalf("%q came back as %q (%v) from %s", want, got.A, err, text)
		}
		for _, b := range text {
			if b >= 0x80 || b < ' ' {
				t.Fatalf("not ASCII: %s", text)
			}
		}
	})
}
