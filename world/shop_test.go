package world

import (
	"testing"

	"github.com/tsuzuku/tsuzuku/catalogue"
)

// The demo sells a plan of every operator that there is an adapter for, and one that
// several feed.
func TestShopFile(t *testing.T) {
	c, mistakes, err := catalogue.CheckWith("shop.yaml", ShopFile(), nil)
	if err != nil {
		t.Fatalf("%v\n%v", err, mistakes)
	}
	sold := map[string]bool{}
	several := 0
	for _, p := range c.Plans {
		if len(p.Sold()) == 0 {
			continue
		}
		for _, id := range p.Operators() {
			op, _ := c.Operator(id)
			sold[op.Carrier] = true
		}
		if len(p.Sources) > 0 {
			several++
		}
	}
	for _, adapter := range []string{"simple", "esimaccess", "airalo", "esimgo", "cmi", RemoteName, "es2plus", "manual"} {
		if !sold[adapter] {
			t.Errorf("nothing is sold of %s", adapter)
		}
	}
	if several == 0 {
		t.Error("no plan has several operators")
	}
}
