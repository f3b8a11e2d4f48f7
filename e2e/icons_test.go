package e2e

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/ui"
)

var updateIcons = flag.Bool("update-icons", false, "draw ui/icons from ui/icon.svg")

// Every icon is ui/icon.svg, drawn by Chromium. It is looked at only when they are
// made anew: another version smooths edges otherwise.
func TestIcons(t *testing.T) {
	if !*updateIcons {
		t.Skip("icons are drawn with -update-icons only: make icons")
	}
	svg, err := os.ReadFile(filepath.Join("..", "ui", "icon.svg"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := chromium(t)
	for _, side := range ui.IconSides() {
		var shot []byte
		if err := chromedp.Run(ctx,
			emulation.SetDeviceMetricsOverride(int64(side), int64(side), 1, false),
			chromedp.Navigate("data:image/svg+xml;base64,"+base64.StdEncoding.EncodeToString(svg)),
			chromedp.CaptureScreenshot(&shot),
		); err != nil {
			t.Fatal(err)
		}
		small, err := fewColours(shot)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("..", "ui", "icons", fmt.Sprintf("icon-%d.png", side)), small, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fewColours writes a picture with 16 steps between its two colours, which nobody
// can tell from the original at a fifth of its weight.
func fewColours(shot []byte) ([]byte, error) {
	from, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return nil, err
	}
	const steps = 16
	ground, ink := color.RGBAModel.Convert(from.At(0, 0)).(color.RGBA), color.RGBA{255, 255, 255, 255}
	var palette color.Palette
	for i := range steps {
		mix := func(a, b uint8) uint8 { return uint8((int(a)*(steps-1-i) + int(b)*i) / (steps - 1)) }
		palette = append(palette, color.RGBA{mix(ground.R, ink.R), mix(ground.G, ink.G), mix(ground.B, ink.B), 255})
	}
	to := image.NewPaletted(from.Bounds(), palette)
	for y := range to.Bounds().Dy() {
		for x := range to.Bounds().Dx() {
			to.Set(x, y, from.At(x, y))
		}
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to)
	return out.Bytes(), err
}
