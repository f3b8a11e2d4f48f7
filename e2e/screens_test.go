package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var updateScreens = flag.Bool("update-screens", false, "write the pictures in docs/screens")

// album is where pictures go: docs/screens with -update-screens, else a folder
// that is forgotten.
func album(t *testing.T) string {
	t.Helper()
	if !*updateScreens {
		return t.TempDir()
	}
	dir := filepath.Join("..", "docs", "screens")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// screens takes pictures of the page as it is, on a phone and on a desktop,
// light and dark, the first time that it is called with that name.
func (b *tab) screens(name string) {
	b.t.Helper()
	if b.pictures == "" {
		return
	}
	for device, size := range map[string][2]int64{"phone": phone, "desktop": desktop} {
		for _, theme := range []string{"light", "dark"} {
			file := filepath.Join(b.pictures, fmt.Sprintf("%s-%s-%s.png", name, device, theme))
			if b.taken[file] {
				continue
			}
			b.taken[file] = true
			var png []byte
			b.do(
				emulation.SetDeviceMetricsOverride(size[0], size[1], 1, device == "phone"),
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}),
				chromedp.CaptureScreenshot(&png),
			)
			if err := os.WriteFile(file, png, 0o644); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	b.do(emulation.SetDeviceMetricsOverride(phone[0], phone[1], 1, true), emulation.SetEmulatedMedia())
}
