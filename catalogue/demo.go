package catalogue

import (
	_ "embed"
	"slices"
)

//go:embed demo.yaml
var demoFile []byte

// DemoFile is the demo catalogue as a file: what `tsuzuku catalogue apply`
// would be given.
func DemoFile() []byte { return slices.Clone(demoFile) }

// Demo is the catalogue of the demo and of other packages' tests: invented
// operators and plans, and every rule in use. It is read anew on each call, so
// the caller may change it. It panics only when the program was built with a
// broken file.
func Demo() *Catalogue {
	c, err := Read("demo.yaml", demoFile)
	if err != nil {
		panic("catalogue: the built-in demo.yaml is broken:\n" + err.Error())
	}
	return c
}
