package ui

import (
	"embed"
	"fmt"
	"slices"
)

//go:embed icons/*.png
var iconFiles embed.FS

// Background is the colour around an installed portal, which a browser shows
// before the first page.
const Background = "#f3f5f8"

// AppleIcon is the name of the icon that Apple's phones take.
const AppleIcon = "icon-180.png"

// Icon is the portal's sign as a picture. All are made from icon.svg by
// `make icons`.
type Icon struct {
	Name    string
	Side    int    // in pixels
	Purpose string // of the Web App Manifest: our sign stays within the part that every mask leaves
	PNG     []byte
}

// Sizes is the icon's size as HTML says it.
func (i Icon) Sizes() string { return fmt.Sprintf("%dx%d", i.Side, i.Side) }

// IconSides are the sizes that phones ask for.
func IconSides() []int { return []int{180, 192, 512} }

// Icons are the portal's sign in every size.
func Icons() (all []Icon) {
	for _, side := range IconSides() {
		name := fmt.Sprintf("icon-%d.png", side)
		png, err := iconFiles.ReadFile("icons/" + name)
		if err != nil {
			panic(err) // they are part of the program
		}
		all = append(all, Icon{Name: name, Side: side, Purpose: "any maskable", PNG: slices.Clip(png)})
	}
	return all
}
