package world

import (
	"bytes"
	_ "embed"

	"github.com/tsuzuku/tsuzuku/catalogue"
)

//go:embed operators.yaml
var moreOperators []byte

//go:embed plans.yaml
var morePlans []byte

// ShopFile is the catalogue of the demo: the one that a shop begins with, and one plan
// more of each further operator of the town, so that a new eSIM can be bought from,
// and renewed with, every operator that there is an adapter for.
func ShopFile() []byte {
	operators, plans := []byte("\nnetworks:\n"), []byte("\n# What home operators charge")
	file := catalogue.DemoFile()
	file = bytes.Replace(file, operators, append(bytes.Clone(moreOperators), operators...), 1)
	return bytes.Replace(file, plans, append(append([]byte("\n"), morePlans...), plans[1:]...), 1)
}
