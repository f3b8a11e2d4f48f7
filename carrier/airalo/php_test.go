package airalo

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// What PHP 8.2 makes of these texts by json_encode(json_decode(…, true)), from
// its own output; an empty want: it refuses the text.
var phpMakes = []struct{ text, want string }{
	// strings
	{`"https://example.com/hook"`, `"https:\/\/example.com\/hook"`},
	{`"\/"`, `"\/"`},
	{`"é日本😀"`, `"\u00e9\u65e5\u672c\ud83d\ude00"`},
	{`"\u00e9\u65e5\ud83d\ude00"`, `"\u00e9\u65e5\ud83d\ude00"`},
	{`"\u00E9\u65E5\uD83D\uDE00"`, `"\u00e9\u65e5\ud83d\ude00"`},
	{`"🇯🇵"`, `"\ud83c\uddef\ud83c\uddf5"`},
	{`"<>&'"`, `"<>&'"`},
	{`"\u003c\u003E\u0026"`, `"<>&"`},
	{`"a\u0000b\u001f\u007f\u2028"`, "\"a\\u0000b\\u001f\x7f\\u2028\""},
	{`"\b\f\n\r\t\"\\"`, `"\b\f\n\r\t\"\\"`},
	{`"\ufffd\uffff"`, `"\ufffd\uffff"`},
	{`"\\ud800"`, `"\\ud800"`},
	{`"\ud800"`, ``},
	{`"\udc00x"`, ``},
	{`"\ud800\u0041"`, ``},
	{`"\ud83d\\de00"`, ``},
	{`{"\udfff":1}`, ``},
	{"\"a\xff\"", ``},
	{`"x`, ``},
	// numbers
	{`-0`, `0`},
	{`-0.0`, `-0`},
	{`0.0`, `0`},
	{`0e5`, `0`},
	{`-0e1`, `-0`},
	{`1.0`, `1`},
	{`1e2`, `100`},
	{`1E+2`, `100`},
	{`1.5e3`, `1500`},
	{`0.1`, `0.1`},
	{`22.5`, `22.5`},
	{`0.0001`, `0.0001`},
	{`0.00001`, `1.0e-5`},
	{`0.000123456`, `0.000123456`},
	{`1e16`, `10000000000000000`},
	{`1e17`, `1.0e+17`},
	{`1e18`, `1.0e+18`},
	{`12345678901234567`, `12345678901234567`},
	{`123456789012345678901`, `1.2345678901234568e+20`},
	{`9223372036854775807`, `9223372036854775807`},
	{`9223372036854775808`, `9.223372036854776e+18`},
	{`-9223372036854775808`, `-9223372036854775808`},
	{`-9223372036854775809`, `-9.223372036854776e+18`},
	{`1e-400`, `0`},
	{`5e-324`, `5.0e-324`},
	{`1.7976931348623157e308`, `1.7976931348623157e+308`},
	{`9.4999999999999996`, `9.5`},
	{`123456789.123456789`, `123456789.12345679`},
	{`-1.25e-9`, `-1.25e-9`},
	{`999999999999999999999999`, `1.0e+24`},
	{`1e400`, ``},
	{`01`, ``},
	// lists and objects
	{`{}`, `[]`},
	{`[]`, `[]`},
	{`{"0":"a","1":"b"}`, `["a","b"]`},
	{`{"1":"a","0":"b"}`, `{"1":"a","0":"b"}`},
	{`{"1":"a"}`, `{"1":"a"}`},
	{`{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
	{`{"0":1,"0":2}`, `[2]`},
	{`{"":1}`, `{"":1}`},
	{`{"00":1}`, `{"00":1}`},
	{`{"-1":2}`, `{"-1":2}`},
	{"{ \"a\" : [ 1 ,\n2 ] }", `{"a":[1,2]}`},
	{`{"a":{}}`, `{"a":[]}`},
	{`{"a":{"0":[]}}`, `{"a":[[]]}`},
	{`{"\u0000a":1}`, `{"\u0000a":1}`},
	{`{"9223372036854775807":1}`, `{"9223372036854775807":1}`},
	{`{"a":1}x`, ``},
	{`1 2`, ``},
	// the others
	{`true`, `true`},
	{`null`, `null`},
	{` 1 `, `1`},
	{`TRUE`, ``},
	{``, ``},
}

func TestPHPNormal(t *testing.T) {
	for _, tt := range phpMakes {
		got, err := phpNormal([]byte(tt.text))
		if string(got) != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s: %s, %v; want %s", tt.text, got, err, tt.want)
		}
	}
	deep := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if _, err := phpNormal(deep(phpDepth)); err != nil {
		t.Errorf("as deep as PHP goes: %v", err)
	}
	if _, err := phpNormal(deep(phpDepth + 1)); err == nil {
		t.Error("deeper than PHP goes: no error")
	}
}

// The signatures are those of hash_hmac in PHP 8.2.
func TestSignature(t *testing.T) {
	const secret = "test_secret"
	for _, tt := range []struct{ body, want string }{
		{
			`{"key":"value"}`,
			"dbcda7872bdfde3ec60c0fc59c4a448280cfa5f84f31e61728c9157a4b13651ae7b7d294e046095567c67bcdc9ff738110ff69b93402208d9ace15eb9bf137b9",
		},
		{
			`{"webhook_url":"https://example.com/hook"}`,
			"3497082d819752bb607c85ab62a539db069f9f0df4915ebc0f60947f34f5eb64b36045d03bb1ae1eb1a183e057668e651610ee151e7f1b486e210fbd618642cc",
		},
		{
			`{"level":"75%","package_name":"日本 3 GB / 30 Days <é>","remaining_percentage":25,"iccid":"8910300000005271146"}`,
			"7e643ec8a73e4d2db24819339639a37b8ffa9c17c64292ffd0b8f60c88f63a5de28a035ebe3cce621821df2af50590cfc0f3961f218c1aec2909d899ba57b918",
		},
	} {
		normal, err := phpNormal([]byte(tt.body))
		if err != nil || sign(secret, normal) != tt.want {
			t.Errorf("%s: signed as %s", tt.body, sign(secret, normal))
		}
		for _, body := range []string{tt.body, string(normal), strings.Replace(tt.body, ":", " : ", 1)} {
			if !signed(secret, tt.want, []byte(body)) || !signed(secret, strings.ToUpper(tt.want), []byte(body)) {
				t.Errorf("%s: the signature is not believed", body)
			}
		}
		other := strings.Replace(tt.body, "e", "f", 1)
		for why, forged := range map[string]bool{
			"another body":      signed(secret, tt.want, []byte(other)),
			"another secret":    signed("other", tt.want, []byte(tt.body)),
			"no secret":         signed("", sign("", []byte(tt.body)), []byte(tt.body)),
			"no signature":      signed(secret, "", []byte(tt.body)),
			"half a signature":  signed(secret, tt.want[:64], []byte(tt.body)),
			"what is no JSON":   signed(secret, sign(secret, []byte("null")), []byte("{")),
			"another signature": signed(secret, strings.Repeat("0", 128), []byte(tt.body)),
		} {
			if forged {
				t.Errorf("%s: %s is believed", tt.body, why)
			}
		}
	}
	if body := []byte("level=75%"); !signed(secret, sign(secret, body), body) {
		t.Error("the signature of the very bytes is not believed, where they are no JSON")
	}
}

// What we send is what PHP would write of it.
func FuzzPHPObject(f *testing.F) {
	f.Add("package_id", "bonbon-mobile-30days-3gb-topup")
	f.Add("description", "a/b <é>&\"\\\x00\u2028😀")
	f.Fuzz(func(t *testing.T, name, value string) {
		got := phpObject(field{name, value}, field{name + "2", value})
		if utf8.ValidString(name) && utf8.ValidString(value) {
			var back map[string]string
			if err := json.Unmarshal(got, &back); err != nil || back[name] != value || back[name+"2"] != value {
				t.Fatalf("%s: %v", got, err)
			}
		}
		if normal, err := phpNormal(got); err != nil || !bytes.Equal(normal, got) {
			t.Errorf("%s: PHP would write %s (%v)", got, normal, err)
		}
	})
}

// A text's normal form is ASCII, normal itself, and says what the text says.
func FuzzPHPNormal(f *testing.F) {
	for _, tt := range phpMakes {
		f.Add([]byte(tt.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := phpNormal(text)
		if err != nil {
			return
		}
		for _, c := range got {
			if c < ' ' || c >= utf8.RuneSelf {
				t.Fatalf("%q is not printable ASCII", got)
			}
		}
		again, err := phpNormal(got)
		if err != nil || !bytes.Equal(again, got) && !bytes.Contains(got, []byte("-0")) { // -0.0, then -0, then 0, as PHP does
			t.Errorf("%s, then %s (%v)", got, again, err)
		}
		var want, have string
		if json.Unmarshal(text, &want) == nil && (json.Unmarshal(got, &have) != nil || have != want) {
			t.Errorf("%q became %q", want, have)
		}
		if !signed("s", sign("s", got), text) {
			t.Errorf("%s: its own signature is not believed", text)
		}
	})
}
