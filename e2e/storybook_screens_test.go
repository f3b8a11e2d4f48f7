package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/tsuzuku/tsuzuku/locale"
)

// photographed are the stories that docs/screens shows.
var photographed = []string{
	"welcome", "sign-in", "lines", "line-soon", "line-install", "renew-soon", "review", "order-declined", "order-completed", "bill", "wallet", "plans", "offline",
}

// The pictures in docs/screens: main pages from the storybook, where the time stands
// still. In English on both sizes, light and dark; in the other languages on a phone.
// Taken only with -update-screens: make screens.
func TestScreens(t *testing.T) {
	if !*updateScreens {
		t.Skip("pictures are taken with -update-screens only: make screens")
	}
	d := openDemo(t)
	ctx := chromium(t)
	dir := album(t)
	take := func(name, lang, device string, size [2]int64, theme string) {
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
	for _, name := range photographed {
		for _, theme := range []string{"light", "dark"} {
			take(name, "en", "phone", phone, theme)
			take(name, "en", "desktop", desktop, theme)
		}
		for _, lang := range locale.All {
			if lang != locale.En {
				take(name, string(lang), "phone", phone, "light")
			}
		}
	}
}
