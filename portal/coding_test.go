package portal

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/tsuzuku/tsuzuku/locale"
)

func TestCodingIsAsked(t *testing.T) {
	for header, want := range map[string]coding{
		"gzip": gzipped, "br, gzip;q=0.5": brotlied, "gzip;q=0": plain, "gzip; q=0.0": plain, "": plain, "br": brotlied, "GZIP": gzipped, "BR": brotlied,
		"gzip, deflate, br, zstd": brotlied, "br;q=0.5, gzip": gzipped, "br;q=0, gzip": gzipped, "gzip;q=0.001": gzipped, "br;Q=1.000": brotlied,
		"br;q=2, gzip;q=x": plain, "brotli": plain, "br;q=0.1234": plain, "br ; q=0.8 , gzip ; q=0.8": brotlied,
	} {
		if got := codingFor(header); got != want {
			t.Errorf("codingFor(%q) = %q, want %q", header, got, want)
		}
	}
}

// What is packed comes out again, also from a packer that was used before.
func TestPackingLosesNothing(t *testing.T) {
	open := map[coding]func(io.Reader) (io.Reader, error){
		plain:    func(r io.Reader) (io.Reader, error) { return r, nil },
		gzipped:  func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		brotlied: func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
	}
	for c, unpack := range open {
		for _, text := range []string{"", "a", strings.Repeat("続く ", 5000), strings.Repeat("b", 100)} {
			for _, packed := range [][]byte{c.pack([]byte(text)), c.packHard([]byte(text))} {
				r, err := unpack(bytes.NewReader(packed))
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r)
				if err != nil || string(got) != text {
					t.Errorf("%q: %d bytes became %d, %v", c, len(text), len(got), err)
				}
			}
		}
	}
}

// What everybody sees alike is not sent twice to those whom we do not know, and
// what is somebody's own is kept by no browser.
func TestWhatHasNotChangedIsNotSentAgain(t *testing.T) {
	w := newTown(t)
	nobody, aiko, holder := w.browser(locale.En), w.browser(locale.En).signIn("aiko@example.com"), w.browser(locale.En).link("grace")
	for _, path := range []string{"/plans", "/plans/machi-5gb", "/plans/machi-5gb/rules", "/plans/machi-5gb/devices", "/devices?q=pixel", "/offline"} {
		first := nobody.see(path)
		tag := first.header.Get("ETag")
		if tag == "" || first.header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s: ETag %q, Cache-Control %q", path, tag, first.header.Get("Cache-Control"))
		}
		nobody.header.Set("If-None-Match", `"other", W/`+tag)
		again := nobody.get(path)
		if again.status != http.StatusNotModified || again.html != "" || again.bytes > 1500 {
			t.Errorf("%s again: %d with %d bytes", path, again.status, again.bytes)
		}
		nobody.header.Set("If-None-Match", tag+"x")
		nobody.see(path)
		nobody.header.Del("If-None-Match")
		nobody.header.Set("Accept-Encoding", "br")
		if other := nobody.get(path); other.header.Get("ETag") == tag {
			t.Errorf("%s: the same tag for other bytes", path)
		}
		nobody.header.Set("Accept-Encoding", "gzip")
		for _, known := range []*browser{aiko, holder} {
			known.header.Set("If-None-Match", tag)
			if p := known.see(path); p.header.Get("Cache-Control") != "private, no-store" || p.header.Get("ETag") != "" {
				t.Errorf("%s for somebody known: %q", path, p.header.Get("Cache-Control"))
			}
		}
	}
	other := w.browser(locale.Ja)
	other.header.Set("If-None-Match", nobody.see("/plans").header.Get("ETag"))
	other.see("/plans") // in another language
}

func TestStaticFilesAreSentOnce(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	for name, kind := range map[string]string{"shop.js": "text/javascript", "icon-180.png": "image/png", "icon-192.png": "image/png", "icon-512.png": "image/png"} {
		p := b.see(statics.address(name))
		if !strings.Contains(p.header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(p.header.Get("Content-Type"), kind) ||
			p.header.Get("X-Content-Type-Options") != "nosniff" || p.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %v", name, p.header)
		}
	}
	worker := b.see("/sw.js")
	if worker.header.Get("Cache-Control") != "no-cache" || worker.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("the worker: %v", worker.header)
	}
	b.header.Set("If-None-Match", worker.header.Get("ETag"))
	if p := b.get("/sw.js"); p.status != http.StatusNotModified {
		t.Errorf("the worker again: %d", p.status)
	}
	for _, path := range []string{"/static/shop.js", "/static/sw.js", "/static/none", "/static/..%2fsw.js"} {
		if p := b.get(path); path != "/static/sw.js" && p.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, p.status)
		}
	}
}
