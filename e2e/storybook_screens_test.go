package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// The pictures in docs/screens: main pages by language, device and theme, from the
// storybook, where the time stands still. Taken only with -update-screens: make
// screens.
func TestScreens(t *testing.T) {
	if !*updateScreens {
		t.Skip("pictures are taken with -update-screens only: make screens")
	}
	d := openDemo(t)
	ctx := chromium(t)
	dir := album(t)
	for _, lang := range []string{"en", "ja"} {
		for _, name := range []string{"lines", "line-soon", "renew-soon", "review", "order-completed", "order-declined", "offline"} {
			for device, size := range map[string][2]int64{"phone": phone, "desktop": desktop} {
				for _, theme := range []string{"light", "dark"} {
					if device == "desktop" && theme == "dark" && lang != "en" {
						continue
					}
					var png []byte
					if err := chromedp.Run(ctx,
						emulation.SetDeviceMetricsOverride(size[0], size[1], 1, device == "phone"),
						emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}),
						chromedp.Navigate(fmt.Sprintf("%s/storybook/%s?lang=%s", d.url, name, lang)),
						chromedp.CaptureScreenshot(&png),
					); err != nil {
						t.Fatal(err)
					}
					file := filepath.Join(dir, fmt.Sprintf("%s-%s-%s-%s.png", name, lang, device, theme))
					if err := os.WriteFile(file, png, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}
