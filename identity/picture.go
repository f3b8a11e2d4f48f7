package identity

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"net/http"

	"github.com/tsuzuku/tsuzuku/fault"
)

// What a photo may be.
const (
	MostUpload = 10 << 20   // bytes, as it comes from a phone
	mostPixels = 25_000_000 // as it comes from a phone
	mostWork   = 192 << 20  // bytes of memory to read it
	leastSide  = 320        // pixels of the shorter side; less cannot be read
	keptSide   = 2000       // pixels of the longer side, as it is kept
	quality    = 85         // of the JPEG that is kept
)

// Picture is a photo as it is kept: a JPEG that was drawn anew, pixel by pixel, so
// that nothing is left of what else was in the file: no place, no time, no device, no
// thumbnail, nothing hidden behind the image.
type Picture []byte

// Draw reads a photo and draws it anew, upright, and no larger than staff need. It
// fails with [fault.Invalid] for what is no JPEG or PNG by its content, and for one
// that is too large or too small, before it takes the memory for it.
//
// It takes some tenths of a second and up to 200 MB: whoever serves many calls it one
// at a time.
func Draw(file []byte) (Picture, error) {
	if len(file) == 0 || len(file) > MostUpload {
		return nil, fault.Because(fault.Invalid, "photo_size", "The photo is empty or larger than 10 MB. Please take it again, or send a smaller one.", nil)
	}
	kind := http.DetectContentType(file)
	read, decode := jpeg.DecodeConfig, jpeg.Decode
	switch kind {
	case "image/jpeg":
	case "image/png":
		read, decode = png.DecodeConfig, png.Decode
	default:
		return nil, errKind()
	}
	size, err := read(bytes.NewReader(file))
	if err != nil {
		return nil, errKind()
	}
	if err := fits(size, kind, file); err != nil {
		return nil, err
	}
	whole, err := decode(bytes.NewReader(file))
	if err != nil {
		return nil, errKind()
	}
	turn := upright
	if kind == "image/jpeg" {
		turn = turnOf(file)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, turned(shrunk(whole, keptSide), turn), &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func errKind() error {
	return fault.Because(fault.Invalid, "photo_kind", "This is no photo that we can read. Please send a JPEG or PNG.", nil)
}

// fits fails unless a picture can be read with the memory that we give, and by a
// person.
func fits(size image.Config, kind string, file []byte) error {
	if size.Width <= 0 || size.Height <= 0 || size.Width > mostPixels/size.Height {
		return errPixels()
	}
	each := 3 // bytes of memory for one pixel of a JPEG
	switch {
	case kind == "image/png" && (size.ColorModel == color.NRGBA64Model || size.ColorModel == color.RGBA64Model || size.ColorModel == color.Gray16Model):
		each = 16
	case kind == "image/png":
		each = 7 // it may be interlaced
	case !baseline(file):
		each = 15 // all coefficients are kept until the end
	}
	if size.Width > mostWork/each/size.Height {
		return errPixels()
	}
	if min(size.Width, size.Height) < leastSide {
		return fault.Because(fault.Invalid, "photo_small", "The photo is too small to be read. Please take it again from nearer.", nil)
	}
	return nil
}

func errPixels() error {
	return fault.Because(fault.Invalid, "photo_pixels", "The photo has too many pixels. Please take it with fewer, or send a screenshot of it.", nil)
}

// shrunk draws an image on white so that its longer side has at most so many pixels,
// each the mean of those that it stands for. It takes the source in strips, so that
// it needs little memory besides.
func shrunk(src image.Image, side int) *image.RGBA {
	from := src.Bounds()
	w, h := from.Dx(), from.Dy()
	if long := max(w, h); long > side {
		w, h = max(1, w*side/long), max(1, h*side/long)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	room := image.NewRGBA(image.Rect(0, 0, from.Dx(), from.Dy()/h+1))
	for y := range h {
		top, end := y*from.Dy()/h, (y+1)*from.Dy()/h
		strip := &image.RGBA{Pix: room.Pix, Stride: room.Stride, Rect: image.Rect(0, 0, from.Dx(), end-top)}
		draw.Draw(strip, strip.Bounds(), image.White, image.Point{}, draw.Src)
		draw.Draw(strip, strip.Bounds(), src, image.Pt(from.Min.X, from.Min.Y+top), draw.Over)
		for x := range w {
			out.SetRGBA(x, y, mean(strip, x*from.Dx()/w, (x+1)*from.Dx()/w))
		}
	}
	return out
}

// mean is the colour of some columns of a strip.
func mean(strip *image.RGBA, left, right int) color.RGBA {
	var r, g, b, n int
	for y := range strip.Rect.Dy() {
		row := strip.Pix[y*strip.Stride+4*left : y*strip.Stride+4*right]
		for ; len(row) >= 4; row = row[4:] {
			r, g, b, n = r+int(row[0]), g+int(row[1]), b+int(row[2]), n+1
		}
	}
	return color.RGBA{uint8(r / n), uint8(g / n), uint8(b / n), 255} // means of bytes
}

// turn is how a camera was held: Exif's Orientation, 1 to 8 (CIPA DC-008, 4.6.4).
type turn int

const upright turn = 1

// turned is an image as its camera saw it.
func turned(src *image.RGBA, t turn) *image.RGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	if t == upright {
		return src
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if t >= 5 {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			to := t.of(x, y, w, h)
			out.SetRGBA(to.X, to.Y, src.RGBAAt(x, y))
		}
	}
	return out
}

// of is where a pixel of a w by h picture belongs.
func (t turn) of(x, y, w, h int) image.Point {
	switch t {
	case upright:
	case 2:
		return image.Pt(w-1-x, y)
	case 3:
		return image.Pt(w-1-x, h-1-y)
	case 4:
		return image.Pt(x, h-1-y)
	case 5:
		return image.Pt(y, x)
	case 6:
		return image.Pt(h-1-y, x)
	case 7:
		return image.Pt(h-1-y, w-1-x)
	case 8:
		return image.Pt(y, w-1-x)
	}
	return image.Pt(x, y)
}

// baseline reports whether a JPEG is certainly read in one pass.
func baseline(file []byte) bool {
	found := false
	_ = segments(file, func(marker byte, _ []byte) bool {
		found = marker == 0xc0 || marker == 0xc1 // SOF0, SOF1
		return !found && marker != 0xc2
	})
	return found
}

// turnOf reads how a JPEG's camera was held; upright where it does not say.
func turnOf(file []byte) turn {
	t := upright
	_ = segments(file, func(marker byte, body []byte) bool {
		exif, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00"))
		if marker != 0xe1 || !ok {
			return true
		}
		if found := orientation(exif); found > upright && found <= 8 {
			t = found
		}
		return false
	})
	return t
}

// segments walks the segments of a JPEG before its picture, while see says so (ITU-T
// T.81, B.1.1.4). It fails for what is not built like one.
func segments(file []byte, see func(marker byte, body []byte) bool) error {
	broken := errors.New("identity: no JPEG")
	if len(file) < 2 || file[0] != 0xff || file[1] != 0xd8 {
		return broken
	}
	for at := 2; at+4 <= len(file); {
		if file[at] != 0xff {
			return broken
		}
		marker := file[at+1]
		if marker == 0xff { // a fill byte
			at++
			continue
		}
		if marker == 0xda { // the picture begins
			return nil
		}
		if marker == 0x01 || marker >= 0xd0 && marker <= 0xd8 { // alone, without a length
			at += 2
			continue
		}
		end := at + 2 + int(binary.BigEndian.Uint16(file[at+2:]))
		if end < at+4 || end > len(file) {
			return broken
		}
		if !see(marker, file[at+4:end]) {
			return nil
		}
		at = end
	}
	return broken
}

// orientation reads tag 0x0112 of the first directory of a TIFF structure; 0 where it
// has none.
func orientation(tiff []byte) turn {
	if len(tiff) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(tiff[:2]) {
	case "II":
	case "MM":
		order = binary.BigEndian
	default:
		return 0
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	entries := int(order.Uint16(tiff[at:]))
	for i := range entries {
		entry := at + 2 + 12*int64(i)
		if entry+12 > int64(len(tiff)) {
			return 0
		}
		if order.Uint16(tiff[entry:]) == 0x0112 {
			return turn(order.Uint16(tiff[entry+8:]))
		}
	}
	return 0
}
