package app

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Contact points are read as they are written, in their order, and what customers
// could not use is refused when the program starts.
func TestContactPoints(t *testing.T) {
	secret := "--secret=" + strings.Repeat("s", minSecret)
	parse := func(args ...string) (Config, error) {
		var c Config
		k, err := kong.New(&c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.Parse(append(args, secret))
		return c, err
	}
	c, err := parse("--contact-mail=care@shop.example", "--contact-community=Kyoto, and around=https://a.example/x?y=1", "--contact-community=B=https://b.example")
	if err != nil {
		t.Fatal(err)
	}
	p := c.Contact.points()
	if p.Mail != "care@shop.example" || len(p.Community) != 2 || p.Community[0].Name != "Kyoto, and around" || p.Community[0].To != "https://a.example/x?y=1" {
		t.Errorf("%+v", p)
	}
	if f := c.facts(); f.Mail != "care@shop.example" {
		t.Errorf("%+v", f)
	}
	for _, bad := range []string{
		"--contact-mail=nobody", "--contact-chat=http://chat.example", "--contact-chat=javascript:alert(1)", "--contact-community=https://a.example",
		"--contact-community=A=javascript:x", "--contact-phone=" + strings.Repeat("9", 400),
	} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}
