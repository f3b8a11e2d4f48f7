package main

import (
	"encoding/json"
	"errors"
	"runtime/debug"
)

// bomCmd prints what this program is made of.
type bomCmd struct{}

// bom is a bill of materials in CycloneDX's form, as far as a Go program knows of itself.
type bom struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   bomAbout    `json:"metadata"`
	Components []component `json:"components"`
}

type bomAbout struct {
	Component component `json:"component"`
}

// component is one module; PURL is its address in the form of package-url.
type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

// Run prints JSON: the program, the modules that are built into it, and Go itself.
func (c *bomCmd) Run(s std) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("this program was built without its list of modules; build it with go build")
	}
	out := json.NewEncoder(s.out)
	out.SetIndent("", "  ")
	return out.Encode(materials(info))
}

// materials are the modules that a program was built from; of one that is replaced, what
// replaces it.
func materials(info *debug.BuildInfo) bom {
	of := func(kind string, m debug.Module) component {
		if m.Replace != nil {
			m = *m.Replace
		}
		return component{Type: kind, Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + m.Version}
	}
	b := bom{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: bomAbout{of("application", info.Main)}}
	for _, m := range info.Deps {
		b.Components = append(b.Components, of("library", *m))
	}
	b.Components = append(b.Components, of("library", debug.Module{Path: "std", Version: info.GoVersion}))
	return b
}
