package ui

import "strings"

// Look is how a device wants pages to look. Pages follow the device by
// themselves; the storybook shows each look on any device.
type Look string

// The looks.
const (
	AsDevice     Look = ""
	Light        Look = "light"
	Dark         Look = "dark"
	Contrast     Look = "contrast" // prefers-contrast: more, light
	DarkContrast Look = "dark-contrast"
)

// Looks are all of them.
var Looks = []Look{AsDevice, Light, Dark, Contrast, DarkContrast}

// Sheet is a style sheet for one look.
type Sheet string

// Sheet is the style sheet as a device that wants the look would read it.
func (l Look) Sheet() Sheet {
	if l == AsDevice {
		return Sheet(style)
	}
	dark, contrast := "not all", "not all"
	scheme := "light"
	if l == Dark || l == DarkContrast {
		dark, scheme = "all", "dark"
	}
	if l == Contrast || l == DarkContrast {
		contrast = "all"
	}
	return Sheet(strings.NewReplacer(
		"(prefers-color-scheme: dark)", dark, "(prefers-contrast: more)", contrast, "color-scheme: light dark", "color-scheme: "+scheme,
	).Replace(style))
}

// Source names the sheet as a Content-Security-Policy does.
func (s Sheet) Source() string { return sourceOf(string(s)) }
