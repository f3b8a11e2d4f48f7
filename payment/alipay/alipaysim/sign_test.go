package alipaysim

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// vectors reads what others have published: see testdata/vectors.txt.
func vectors(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, block := range strings.Split(string(b), "\n== ")[1:] {
		name, value, _ := strings.Cut(block, "\n")
		all[name] = strings.TrimSuffix(value, "\n")
	}
	return all
}

func publicKey(t *testing.T, text string) *rsa.PublicKey {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PublicKey)
}

func TestPublishedSignaturesVerifyAndChangedOnesDoNot(t *testing.T) {
	v := vectors(t)
	form := func(lines string) url.Values {
		p := url.Values{}
		for line := range strings.SplitSeq(lines, "\n") {
			name, value, _ := strings.Cut(line, "=")
			p.Set(name, value)
		}
		return p
	}
	for _, c := range []struct{ name, text string }{
		{"AL-1", signedText(form(v["AL-1-params"]), "sign", "sign_type")}, // a payment notification: sign_type left out
		{"AL-2", signedText(form(v["AL-2-params"]), "sign")},              // kept, as in a request
		{"AL-3", v["AL-3-text"]},
		{"AL-4", v["AL-4-text"]},
	} {
		key, signature := publicKey(t, v[c.name+"-pub"]), v[c.name+"-sign"]
		if !verifies(key, c.text, signature) {
			t.Errorf("%s does not verify", c.name)
		}
		for i := range c.text {
			changed := []byte(c.text)
			changed[i] ^= 1
			if verifies(key, string(changed), signature) {
				t.Errorf("%s verifies with byte %d changed", c.name, i)
			}
		}
		for _, bad := range []string{"", "A" + signature[1:], signature[:len(signature)-4], signature + "\n", " " + signature, strings.ReplaceAll(signature, "=", "")} {
			if bad != signature && verifies(key, c.text, bad) {
				t.Errorf("%s verifies with signature %q", c.name, bad)
			}
		}
	}
	if verifies(publicKey(t, v["AL-1-pub"]), signedText(form(v["AL-1-params"]), "sign"), v["AL-1-sign"]) {
		t.Error("AL-1 verifies with sign_type")
	}
}

func TestEmptyValuesAreNotSigned(t *testing.T) {
	p := url.Values{"b": {"2"}, "a": {"1 &="}, "B": {"3"}, "empty": {""}, "sign": {"x"}, "sign_type": {"RSA2"}}
	if got, want := signedText(p, "sign"), "B=3&a=1 &=&b=2&sign_type=RSA2"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAnswersAreWrittenAsAlipayWritesThem(t *testing.T) {
	v := vectors(t)
	ok := object{{"code", "10000"}, {"msg", "Success"}}
	for name, o := range map[string]object{
		"AL-3": ok.with("file_id", "CAxAToWB1JsAAAAAAAAAAAAADgSLAQBr"),
		"AL-4": append(ok[:2:2], object{
			{"buyer_logon_id", "854***@qq.com"},
			{"buyer_pay_amount", "0.01"},
			{"buyer_user_id", "2088102363632794"},
			{"fund_bill_list", []map[string]string{{"fund_channel": "PCREDIT", "amount": "0.01"}}},
			{"gmt_payment", "2019-08-29 20:14:05"},
			{"invoice_amount", "0.01"},
			{"out_trade_no", "GZ201901301040361012"},
			{"point_amount", "0.00"},
			{"receipt_amount", "0.01"},
			{"total_amount", "0.01"},
			{"trade_no", "2019082922001432790585537960"},
		}...),
		"AL-5": append(ok[:2:2], object{
			{"image_id", "Zp1Nm6FDTZaEuSSniGd5awAAACMAAQED"},
			{"image_url", "http://oalipay-dl-django.alicdn.com/rest/1.0/image?fileIds=Zp1Nm6FDTZaEuSSniGd5awAAACMAAQED&zoom=original"},
		}...),
	} {
		if got := o.text(); got != v[name+"-text"] {
			t.Errorf("%s\n%s, want\n%s", name, got, v[name+"-text"])
		}
	}
	if got, want := envelope("a_response", reply{body: ok.with("sign", "x<é"), sign: "s/="}),
		`{"a_response":{"code":"10000","msg":"Success","sign":"x<é"},"sign":"s/="}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestYuan(t *testing.T) {
	for s, want := range map[string]int64{"0.01": 1, "0.1": 10, "1": 100, "88.8": 8880, "88.88": 8888, "100000000": maxFen, "100000000.00": maxFen} {
		if got, ok := readYuan(s); !ok || got != want {
			t.Errorf("%q is %d, %v; want %d", s, got, ok, want)
		}
	}
	for _, s := range []string{
		"", ".", "1.", ".5", "0", "0.0", "0.00", "-1", "+1", "1.234", "1,00", " 1", "1 ", "01", "00.10", "1e2", "１", "0x1",
		"100000000.01", "999999999.99", "1000000000", "1.2.3", "1.-1", "¥1", "NaN",
	} {
		if got, ok := readYuan(s); ok {
			t.Errorf("%q is read as %d", s, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		fen := rapid.Int64Range(1, maxFen).Draw(t, "fen")
		if got, ok := readYuan(yuan(fen)); !ok || got != fen {
			t.Fatalf("%d is written %q and read as %d, %v", fen, yuan(fen), got, ok)
		}
	})
}
