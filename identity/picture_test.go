package identity_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/identity"
)

// quarters is a picture whose corners are red, green, blue and white, in reading
// order.
func quarters(w, h int) *image.RGBA {
	p := image.NewRGBA(image.Rect(0, 0, w, h))
	colours := [2][2]color.RGBA{{{255, 0, 0, 255}, {0, 255, 0, 255}}, {{0, 0, 255, 255}, {255, 255, 255, 255}}}
	for y := range h {
		for x := range w {
			p.SetRGBA(x, y, colours[2*y/h][2*x/w])
		}
	}
	return p
}

func jpegOf(t *testing.T, p image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withExif puts an Exif segment with an orientation, a place and a device behind the
// first two bytes of a JPEG, as cameras do.
func withExif(file []byte, order binary.ByteOrder, orientation uint16) []byte {
	mark := map[binary.ByteOrder]string{binary.BigEndian: "MM", binary.LittleEndian: "II"}[order]
	tiff := []byte(mark)
	u16 := func(n uint16) {
		tiff = append(tiff, 0, 0)
		order.PutUint16(tiff[len(tiff)-2:], n)
	}
	u32 := func(n uint32) {
		tiff = append(tiff, 0, 0, 0, 0)
		order.PutUint32(tiff[len(tiff)-4:], n)
	}
	u16(42)
	u32(8)
	u16(2)
	u16(0x010f) // Make
	u16(2)
	u32(12)
	u32(38)
	u16(0x0112) // Orientation
	u16(3)
	u32(1)
	u16(orientation)
	u16(0)
	u32(0)
	tiff = append(tiff, "SECRETPHONE\x00GPS 35.6586N 139.7454E"...)
	body := append([]byte("Exif\x00\x00"), tiff...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2))
	return slices.Concat(file[:2], segment, body, file[2:], []byte("hidden behind the picture"))
}

// Nothing of a file is kept but its pixels, upright.
func TestOnlyPixelsAreKept(t *testing.T) {
	red, green, blue, white := "red", "green", "blue", "white"
	for orientation, want := range map[uint16][4]string{ // by CIPA DC-008: where row 0 and column 0 of the file are
		1: {red, green, blue, white}, 2: {green, red, white, blue}, 3: {white, blue, green, red}, 4: {blue, white, red, green},
		5: {red, blue, green, white}, 6: {blue, red, white, green}, 7: {white, green, blue, red}, 8: {green, white, red, blue},
		0: {red, green, blue, white}, 9: {red, green, blue, white},
	} {
		for _, order := range []binary.ByteOrder{binary.BigEndian, binary.LittleEndian} {
			got, err := identity.Draw(withExif(jpegOf(t, quarters(400, 320)), order, orientation))
			if err != nil {
				t.Fatal(err)
			}
			for _, trace := range []string{"Exif", "SECRETPHONE", "GPS", "35.6586", "hidden"} {
				if bytes.Contains(got, []byte(trace)) {
					t.Errorf("orientation %d: %q is still there", orientation, trace)
				}
			}
			p, err := jpeg.Decode(bytes.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			b := p.Bounds()
			if tall := b.Dy() > b.Dx(); tall != (orientation >= 5 && orientation <= 8) {
				t.Errorf("orientation %d: %v", orientation, b)
			}
			seen := [4]string{
				name(p.At(b.Dx()/4, b.Dy()/4)), name(p.At(3*b.Dx()/4, b.Dy()/4)), name(p.At(b.Dx()/4, 3*b.Dy()/4)), name(p.At(3*b.Dx()/4, 3*b.Dy()/4)),
			}
			if seen != want {
				t.Errorf("orientation %d, %v: %v, want %v", orientation, order, seen, want)
			}
		}
	}
}

// name is the colour that one comes near to.
func name(c color.Color) string {
	r, g, b, _ := c.RGBA()
	switch high := func(n uint32) bool { return n > 0x8000 }; {
	case high(r) && high(g) && high(b):
		return "white"
	case high(r):
		return "red"
	case high(g):
		return "green"
	case high(b):
		return "blue"
	}
	return "none"
}

// A PNG is kept as a JPEG, on white where nothing was drawn, and no larger than it
// needs to be.
func TestPicturesAreMadeSmaller(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 3001, 700))); err != nil {
		t.Fatal(err)
	}
	got, err := identity.Draw(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	p, err := jpeg.Decode(bytes.NewReader(got))
	if err != nil || p.Bounds().Dx() != 2000 || p.Bounds().Dy() != 466 || name(p.At(1000, 200)) != "white" {
		t.Errorf("%v %v %s", err, p.Bounds(), name(p.At(1000, 200)))
	}
}

// bomb is a PNG of so many pixels and no content, whose checksums are right.
func bomb(w, h uint32, depth byte) []byte {
	head := slices.Concat([]byte("IHDR"), binary.BigEndian.AppendUint32(nil, w), binary.BigEndian.AppendUint32(nil, h), []byte{depth, 6, 0, 0, 0})
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(head)), make([]byte, 64))
}

// A file that says it has more pixels than a photo has is refused before the memory
// for them is taken; so is one that is no photo, or that nobody can read.
func TestPicturesThatAreRefused(t *testing.T) {
	progressive := jpegOf(t, quarters(400, 320))
	at := bytes.Index(progressive, []byte{0xff, 0xc0})
	progressive[at+1] = 0xc2
	binary.BigEndian.PutUint16(progressive[at+5:], 4000)
	binary.BigEndian.PutUint16(progressive[at+7:], 6000)
	large := jpegOf(t, quarters(400, 320))
	at = bytes.Index(large, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(large[at+5:], 4000)
	binary.BigEndian.PutUint16(large[at+7:], 8000)
	first := 4 + int(binary.BigEndian.Uint16(progressive[4:]))
	dirty := slices.Concat(progressive[:first], []byte("dirt"), progressive[first:]) // which decoders step over
	for name, c := range map[string]struct {
		file []byte
		why  string
	}{
		"65,535 x 65,535":    {bomb(65_535, 65_535, 8), "photo_pixels"},
		"more than there is": {bomb(2_000_000_000, 2_000_000_000, 8), "photo_kind"},
		"16 bits a channel":  {bomb(5_000, 5_000, 16), "photo_pixels"},
		"32 million pixels":  {large, "photo_pixels"},
		"in several passes":  {progressive, "photo_pixels"},
		"dirt before it":     {dirty, "photo_pixels"},
		"one pixel high":     {bomb(3000, 1, 8), "photo_small"},
		"a page":             {[]byte("<!doctype html><img src=x>"), "photo_kind"},
		"an SVG":             {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "photo_kind"},
		"a GIF":              {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "photo_kind"},
		"a HEIC":             {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), "photo_kind"},
		"cut":                {jpegOf(t, quarters(400, 320))[:900], "photo_kind"},
		"nothing":            {nil, "photo_size"},
		"too long":           {make([]byte, identity.MostUpload+1), "photo_size"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := identity.Draw(c.file)
		runtime.ReadMemStats(&after)
		if f, ok := err.(*fault.Error); !ok || f.Kind != fault.Invalid || f.Reason != c.why { //nolint:errorlint // it is returned as it is
			t.Errorf("%s: %v, want %s", name, err, c.why)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
			t.Errorf("%s took %d MB", name, took>>20)
		}
	}
}

// No file, however broken, does more than be refused.
func TestBrokenPictures(t *testing.T) {
	good := withExif(jpegOf(t, quarters(330, 330)), binary.BigEndian, 6)
	rapid.Check(t, func(p *rapid.T) {
		file := slices.Clone(good)
		for range rapid.IntRange(1, 8).Draw(p, "blows") {
			file[rapid.IntRange(0, min(len(file), 700)-1).Draw(p, "at")] = rapid.Byte().Draw(p, "with")
		}
		file = file[:rapid.IntRange(0, len(file)).Draw(p, "length")]
		if _, err := identity.Draw(file); err != nil && fault.KindOf(err) != fault.Invalid {
			p.Fatal(err)
		}
	})
}
