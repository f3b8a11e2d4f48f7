package identity

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

// A photo is refused, or comes out as a JPEG of a size that staff need, in which nothing
// is left of what else was in the file.
func FuzzDraw(f *testing.F) {
	small := image.NewGray(image.Rect(0, 0, leastSide, leastSide))
	small.SetGray(1, 1, color.Gray{200})
	var jpg, pic bytes.Buffer
	if err := jpeg.Encode(&jpg, small, nil); err != nil {
		f.Fatal(err)
	}
	if err := png.Encode(&pic, small); err != nil {
		f.Fatal(err)
	}
	f.Add(jpg.Bytes())
	f.Add(pic.Bytes())
	f.Add(append(bytes.Clone(jpg.Bytes()), "<script>secret</script>"...))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x20Exif\x00\x00II*\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if len(file) > 64<<10 { // a fuzzer has not the patience of a phone
			return
		}
		drawn, err := Draw(file)
		if err != nil {
			return
		}
		size, kind, err := image.DecodeConfig(bytes.NewReader(drawn))
		if err != nil || kind != "jpeg" || max(size.Width, size.Height) > keptSide {
			t.Errorf("drawn as %s, %d by %d, %v", kind, size.Width, size.Height, err)
		}
		if bytes.Contains(drawn, []byte("<script>secret")) || bytes.Contains(drawn, []byte("Exif")) {
			t.Error("something is left of the file")
		}
	})
}
