package paypay

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/outbound"
)

func TestConfigurationIsChecked(t *testing.T) {
	good := Config{APIKey: "a_key", APISecret: "whispered", MerchantID: merchant}
	client, now := outbound.New(outbound.Options{}), func() time.Time { return t0 }
	a, err := New(good, client, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if one, two := a.nonce(), a.nonce(); one == two || !isName(one) {
		t.Errorf("nonces %q and %q", one, two)
	}
	if a.config.BaseURL != "https://apigw.paypay.ne.jp" || a.config.CodeLife != 5*time.Minute {
		t.Errorf("defaults: %s, %v", a.config.BaseURL, a.config.CodeLife)
	}
	for what, change := range map[string]func(*Config){
		"API key is":        func(c *Config) { c.APIKey = "" },
		"colon":             func(c *Config) { c.APIKey = "a:b" },
		"API key secret is": func(c *Config) { c.APISecret = "two words" },
		"merchant ID is":    func(c *Config) { c.MerchantID = "1\n2" },
		"life":              func(c *Config) { c.CodeLife = 25 * time.Hour },
		"absolute":          func(c *Config) { c.BaseURL = "apigw.paypay.ne.jp" },
	} {
		c := good
		change(&c)
		if _, err := New(c, client, now, nil); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("want an error about %q, got %v", what, err)
		}
	}
	if _, err := New(Config{}, client, now, nil); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not all three are told: %v", err)
	}
	for _, s := range []string{fmt.Sprint(good), fmt.Sprintf("%+v %#v", good, good)} {
		if strings.Contains(s, "whispered") {
			t.Errorf("the secret shows: %s", s)
		}
	}
}
