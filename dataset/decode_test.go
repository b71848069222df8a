package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/bmp"

	"vgg/augment"
)

// quarters are the colours of a picture: top left, top right, bottom left, bottom right.
type quarters [4]color.NRGBA

// The pictures that testdata/pictures/make.py draws have these colours too.
var (
	opaque = quarters{{200, 30, 40, 255}, {20, 150, 60, 255}, {40, 60, 190, 255}, {230, 210, 50, 255}}
	sheer  = quarters{opaque[0], opaque[1], {40, 60, 190, 128}, {230, 210, 50, 0}}
	paler  = quarters{opaque[0], opaque[1], {147, 157, 222, 255}, white} // the sheer ones over white
	greys  = quarters{{82, 82, 82, 255}, {101, 101, 101, 255}, {69, 69, 69, 255}, {198, 198, 198, 255}}
	two    = quarters{opaque[0], opaque[3], opaque[3], opaque[0]}
	white  = color.NRGBA{255, 255, 255, 255}
)

var frame = image.Rect(0, 0, 16, 12)

// on draws the quarters.
func (q quarters) on(dst draw.Image) draw.Image {
	b := dst.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			dst.Set(b.Min.X+x, b.Min.Y+y, q[2*(2*y/b.Dy())+2*x/b.Dx()])
		}
	}
	return dst
}

// picture has the quarters where EXIF's orientations 1 to 8 move them.
func (q quarters) picture(orientation int) augment.Picture {
	var moved quarters
	for i, from := range [8]string{"0123", "1032", "3210", "2301", "0213", "2031", "3120", "1302"}[orientation-1] {
		moved[i] = q[from-'0']
	}
	b := frame
	if orientation >= 5 {
		b.Max.X, b.Max.Y = b.Max.Y, b.Max.X
	}
	return augment.FromImage(moved.on(image.NewNRGBA(b)), 3)
}

// paletted is drawn in n colours, the last of which are the quarters'.
func (q quarters) paletted(b image.Rectangle, n int) *image.Paletted {
	p := make(color.Palette, n)
	for i := range p {
		p[i] = color.NRGBA{uint8(i), 255, 255, 255}
		if i >= n-4 {
			p[i] = q[i-n+4]
		}
	}
	img := image.NewPaletted(b, p)
	q.on(img)
	return img
}

// exif is a block with an orientation alone, or another tag of 16 bits.
func exif(mark string, order binary.AppendByteOrder, tag, value uint16) string {
	b := order.AppendUint16([]byte(mark), 42)
	b = order.AppendUint32(b, 8) // where the directory is
	b = order.AppendUint16(b, 1) // its length
	b = order.AppendUint16(b, tag)
	b = order.AppendUint16(b, 3) // 16 bits
	b = order.AppendUint32(b, 1) // a value
	b = order.AppendUint16(b, value)
	return string(b) + "\x00\x00\x00\x00\x00\x00"
}

// oriented is EXIF as most cameras write it.
func oriented(orientation int) string {
	return exif("MM", binary.BigEndian, 0x0112, uint16(orientation))
}

// jpegWith puts EXIF behind the first bytes of a JPEG.
func jpegWith(data []byte, exif string) []byte {
	segment := "Exif\x00\x00" + exif
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(segment)))
	return slices.Concat(data[:2], head, []byte(segment), data[2:])
}

// chunk is one of a PNG, of a kind and with contents.
func chunk(kind, contents string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(contents)))
	b = append(b, kind+contents...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

// sample is a file, and the picture in it.
type sample struct {
	data      []byte
	want      augment.Picture
	tolerance int
}

// interpolated is the tolerance of pictures with less chroma than pixels, of which those beside another colour may have
// any of both.
const interpolated = 3

// border tells whether a pixel has a neighbour of another colour.
func border(p augment.Picture, x, y int) bool {
	colour := func(x, y int) [3]uint8 { return [3]uint8(p.Pix[3*(y*p.Width+x):]) }
	for v := max(y-1, 0); v <= min(y+1, p.Height-1); v++ {
		for u := max(x-1, 0); u <= min(x+1, p.Width-1); u++ {
			if colour(u, v) != colour(x, y) {
				return true
			}
		}
	}
	return false
}

// samples has files of every kind that is read: those that Go writes, and those that make.py wrote.
func samples(t testing.TB) map[string]sample {
	all := map[string]sample{}
	add := func(name string, want augment.Picture, tolerance int, encode func(io.Writer) error) {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatal(err)
		}
		all[name] = sample{b.Bytes(), want, tolerance}
	}
	for name, s := range map[string]struct {
		img  image.Image
		want quarters
	}{
		"grey.png":           {opaque.on(image.NewGray(frame)), greys},
		"grey16.png":         {opaque.on(image.NewGray16(frame)), greys},
		"rgb.png":            {opaque.on(image.NewNRGBA(frame)), opaque},
		"rgb16.png":          {opaque.on(image.NewNRGBA64(frame)), opaque},
		"rgba.png":           {sheer.on(image.NewNRGBA(frame)), paler},
		"rgba16.png":         {sheer.on(image.NewNRGBA64(frame)), paler},
		"palette1.png":       {two.on(image.NewPaletted(frame, color.Palette{two[0], two[1]})), two},
		"palette2.png":       {opaque.paletted(frame, 4), opaque},
		"palette4.png":       {opaque.paletted(frame, 16), opaque},
		"palette8.png":       {opaque.paletted(frame, 256), opaque},
		"palette8-alpha.png": {sheer.paletted(frame, 256), paler},
	} {
		add(name, s.want.picture(1), 1, func(w io.Writer) error { return png.Encode(w, s.img) })
	}
	for name, s := range map[string]struct {
		img  image.Image
		want quarters
	}{
		"grey.bmp":    {opaque.on(image.NewGray(frame)), greys},
		"palette.bmp": {opaque.paletted(frame, 64), opaque},
		"24.bmp":      {opaque.on(image.NewNRGBA(frame)), opaque},
		"32.bmp":      {sheer.on(image.NewNRGBA(frame)), opaque}, // in files of this version the fourth byte means nothing
	} {
		add(name, s.want.picture(1), 0, func(w io.Writer) error { return bmp.Encode(w, s.img) })
	}

	add("whole.gif", opaque.picture(1), 0, func(w io.Writer) error { return gif.Encode(w, opaque.paletted(frame, 16), nil) })
	part, surrounded := image.Rect(3, 2, 15, 8), image.NewNRGBA(frame)
	draw.Draw(surrounded, frame, image.White, image.Point{}, draw.Src)
	quarters{opaque[0], opaque[1], opaque[2], white}.on(surrounded.SubImage(part).(draw.Image))
	add("part.gif", augment.FromImage(surrounded, 3), 0, func(w io.Writer) error {
		holed := quarters{opaque[0], opaque[1], opaque[2], {}}
		frames := []*image.Paletted{holed.paletted(part, 16), opaque.paletted(frame, 16)}
		return gif.EncodeAll(w, &gif.GIF{Image: frames, Delay: []int{1, 1}, Config: image.Config{Width: 16, Height: 12}})
	})

	quality := &jpeg.Options{Quality: 100}
	add("grey.jpg", greys.picture(1), 1, func(w io.Writer) error { return jpeg.Encode(w, opaque.on(image.NewGray(frame)), quality) })
	add("420.jpg", opaque.picture(1), interpolated, func(w io.Writer) error { return jpeg.Encode(w, opaque.on(image.NewNRGBA(frame)), quality) })
	for i := 1; i <= 8; i++ {
		all[fmt.Sprintf("orientation%d.jpg", i)] = sample{jpegWith(all["420.jpg"].data, oriented(i)), opaque.picture(i), interpolated}
	}
	all["little-endian.jpg"] = sample{jpegWith(all["420.jpg"].data, exif("II", binary.LittleEndian, 0x0112, 8)), opaque.picture(8), interpolated}
	const header = 8 + 25 // of a PNG: its mark and first chunk
	flat := all["rgb.png"].data
	all["turned.png"] = sample{slices.Concat(flat[:header], []byte(chunk("eXIf", oriented(6))), flat[header:]), opaque.picture(6), 0}

	frames := chunk("acTL", "\x00\x00\x00\x02\x00\x00\x00\x00") + chunk("fcTL", strings.Repeat("\x00", 26))
	all["animated.png"] = sample{slices.Concat(flat[:header], []byte(frames), flat[header:]), opaque.picture(1), 0}

	readSamples(t, all)
	return all
}

// readSamples adds the files that make.py wrote.
func readSamples(t testing.TB, all map[string]sample) {
	for name, s := range map[string]sample{
		"444.jpg":             {nil, opaque.picture(1), 2},
		"progressive.jpg":     {nil, opaque.picture(1), interpolated},
		"cmyk.jpg":            {nil, opaque.picture(1), 2},
		"ycck.jpg":            {nil, opaque.picture(1), interpolated},
		"lossy.webp":          {nil, opaque.picture(1), interpolated},
		"lossy-alpha.webp":    {nil, paler.picture(1), interpolated},
		"lossless.webp":       {nil, opaque.picture(1), 0},
		"animated.webp":       {nil, opaque.picture(1), 0},
		"lossless-alpha.webp": {nil, paler.picture(1), 1},
		"turned.webp":         {nil, opaque.picture(6), interpolated},
	} {
		var err error
		if s.data, err = os.ReadFile(filepath.Join("testdata/pictures", name)); err != nil {
			t.Fatal(err)
		}
		all[name] = s
	}
}

// TestDecode: every kind of picture has its colours, where they belong.
func TestDecode(t *testing.T) {
	for name, s := range samples(t) {
		p, err := decode(s.data)
		if err != nil || p.Width != s.want.Width || p.Height != s.want.Height || len(p.Pix) != len(s.want.Pix) {
			t.Errorf("%s: %d×%d, %d bytes, %v", name, p.Width, p.Height, len(p.Pix), err)
			continue
		}
		for i, v := range p.Pix {
			if off := int(v) - int(s.want.Pix[i]); max(off, -off) > s.tolerance && !(s.tolerance == interpolated && border(s.want, i/3%p.Width, i/3/p.Width)) {
				t.Errorf("%s: channel %d of pixel (%d, %d) is %d, want %d", name, i%3, i/3%p.Width, i/3/p.Width, v, s.want.Pix[i])
				break
			}
		}
	}
}

// allocated is the number of bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// little is what decoding a small picture may allocate.
const little = 1 << 18

// TestTruncated: what remains of a file is a picture or an error, and costs little.
func TestTruncated(t *testing.T) {
	for name, s := range samples(t) {
		n := allocated(func() {
			for end := range s.data {
				if p, err := decode(s.data[:end]); err == nil && len(p.Pix) != len(s.want.Pix) {
					t.Errorf("%s cut off at %d: %d×%d, %d bytes", name, end, p.Width, p.Height, len(p.Pix))
				}
			}
		})
		if n /= uint64(len(s.data)); n > little {
			t.Errorf("%s: %d bytes allocated for a part of it", name, n)
		}
	}
}

// TestBrokenEXIF: it leaves the pixels where they are, and costs little.
func TestBrokenEXIF(t *testing.T) {
	whole := samples(t)["420.jpg"].data
	want, err := decode(whole)
	if err != nil {
		t.Fatal(err)
	}
	good := oriented(6)
	const front = "MM\x00*\x00\x00\x00\x08" // and then the directory
	for name, exif := range map[string]string{
		"empty":                    "",
		"noise":                    "neither byte order",
		"orientation 0":            oriented(0),
		"orientation 9":            oriented(9),
		"two orientations":         strings.Replace(good, "\x00\x03\x00\x00\x00\x01", "\x00\x03\x00\x00\x00\x02", 1),
		"orientation in words":     strings.Replace(good, "\x00\x03\x00\x00\x00\x01", "\x00\x02\x00\x00\x00\x01", 1),
		"unknown type":             strings.Replace(good, "\x00\x03\x00\x00\x00\x01", "\x00\x63\x00\x00\x00\x01", 1),
		"directory out of reach":   strings.Replace(good, front, "MM\x00*\xff\xff\xff\xff", 1),
		"directory cut off":        good[:15],
		"orientation of thumbnail": front + "\x00\x00" + "\x00\x00\x00\x0e" + good[len(front):],
		"large tags":               front + "\xff\xff" + strings.Repeat("\x01\x0e\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00", 5000),
		"directories without end": front + "\x00\x01" + "\x01\x4a\x00\x04\x00\x00\x09\x00\x00\x00\x00\x1a" + "\x00\x00\x00\x00" +
			strings.Repeat("\x00\x00\x24\x1a", 0x900) + "\x0f\x00" + strings.Repeat("\x01\x0e\x00\x02\xff\xff\xff\xff\x00\x00\x00\x00", 0xf00),
	} {
		data := jpegWith(whole, exif)
		var p augment.Picture
		n := allocated(func() { p, err = decode(data) })
		if err != nil || p.Width != want.Width || !slices.Equal(p.Pix, want.Pix) {
			t.Errorf("%s: %d×%d, %v", name, p.Width, p.Height, err)
		}
		if n > little {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}

// TestForgedSizes: a size over the limit, or more than one size, is refused before it costs memory.
func TestForgedSizes(t *testing.T) {
	all := samples(t)
	// forged replaces bytes of a file.
	forged := func(name, original, replacement string) string {
		data := string(all[name].data)
		if !strings.Contains(data, original) {
			t.Fatalf("%s has no %q", name, original)
		}
		return strings.Replace(data, original, replacement, 1)
	}
	header := func(size string) string { return chunk("IHDR", size+"\x08\x02\x00\x00\x00") }
	frame := func(size string) string { return "\x00\x11\x08" + size + "\x03" } // of a JPEG: its length, 8 bits, 3 components
	webp := string(all["lossless.webp"].data)
	for name, c := range map[string]struct{ data, want string }{
		"PNG":                     {forged("rgb.png", header("\x00\x00\x00\x10\x00\x00\x00\x0c"), header("\x00\x00\xea\x60\x00\x00\xea\x60")), "60000×60000: want"},
		"JPEG":                    {forged("444.jpg", frame("\x00\x0c\x00\x10"), frame("\xff\xff\xff\xff")), "65535×65535: want"},
		"progressive JPEG":        {forged("progressive.jpg", frame("\x00\x0c\x00\x10"), frame("\xff\xff\xff\xff")), "65535×65535: want"},
		"JPEG without height":     {forged("420.jpg", frame("\x00\x0c\x00\x10"), frame("\x00\x00\x00\x10")), "16×0: want"},
		"second size of a JPEG":   {forged("444.jpg", "\xff\xda", "\xff\xc0"+frame("\xff\xff\xff\xff")+"\x01\x11\x00\x02\x11\x01\x03\x11\x01\xff\xda"), "more than one frame"},
		"GIF":                     {forged("whole.gif", "GIF89a\x10\x00\x0c\x00", "GIF89a\xff\xff\xff\xff"), "65535×65535: want"},
		"frame of a GIF":          {forged("part.gif", "\x2c\x03\x00\x02\x00\x0c\x00\x06\x00", "\x2c\x03\x00\x02\x00\xff\xff\xff\xff"), "frame bounds"},
		"BMP":                     {forged("24.bmp", "\x10\x00\x00\x00\x0c\x00\x00\x00", "\x60\xea\x00\x00\x60\xea\x00\x00"), "60000×60000: want"},
		"lossy WebP":              {forged("lossy.webp", "\x9d\x01\x2a\x10\x00\x0c\x00", "\x9d\x01\x2a\xff\x3f\xff\x3f"), "16383×16383: want"},
		"lossless WebP":           {webp[:20] + "\x2f\xff\xff\xff\x0f" + webp[25:], "16384×16384: want"},
		"canvas of a WebP":        {forged("lossy-alpha.webp", "\x0f\x00\x00\x0b\x00\x00", "\xff\x3f\x00\xff\x3f\x00"), "16384×16384: want"},
		"lossy part of a WebP":    {forged("lossy-alpha.webp", "\x9d\x01\x2a\x10\x00\x0c\x00", "\x9d\x01\x2a\xff\x3f\xff\x3f"), "invalid format"},
		"lossless part of a WebP": {webp[:4] + "\x64" + webp[5:12] + "VP8X\x0a\x00\x00\x00" + "\x00\x00\x00\x00\x0f\x00\x00\x0b\x00\x00" + webp[12:20] + "\x2f\xff\xff\xff\x0f" + webp[25:], "invalid format"},
	} {
		var err error
		n := allocated(func() { _, err = decode([]byte(c.data)) })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if n > little {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}

// FuzzDecode: what decodes has the size that its header says.
func FuzzDecode(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, canvas, err := header(data)
		if err == nil && canvas.Dx()*canvas.Dy() > 1<<12 {
			t.Skip("allowed, but it takes the time of many others")
		}
		p, err := decode(data)
		if err != nil {
			return
		}
		if size := image.Pt(p.Width, p.Height); size != canvas.Size() && size != image.Pt(canvas.Dy(), canvas.Dx()) || len(p.Pix) != 3*p.Width*p.Height {
			t.Errorf("%d×%d, %d bytes of a picture of %v", p.Width, p.Height, len(p.Pix), canvas)
		}
	})
}

// BenchmarkDecode decodes a JPEG of 500×375 pixels and some 50 KB, and reads its orientation.
func BenchmarkDecode(b *testing.B) {
	p := augment.Picture{Width: 500, Height: 375, Channels: 3, Pix: make([]uint8, 500*375*3)}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range p.Pix {
		p.Pix[i] = uint8(i/6%250/2 + i/6000 + r.IntN(65))
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, p.Image(), nil); err != nil {
		b.Fatal(err)
	}
	for _, orientation := range []int{1, 6} {
		data := jpegWith(file.Bytes(), oriented(orientation))
		b.Run(fmt.Sprintf("orientation=%d", orientation), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("orientation alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			formats[0].orientation(file.Bytes())
		}
	})
}

// TestDecodeReader: pictures from anywhere, with the two kinds of refusal told apart.
func TestDecodeReader(t *testing.T) {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 5, 3))); err != nil {
		t.Fatal(err)
	}
	data := file.Bytes()
	if p, err := Decode(bytes.NewReader(data)); err != nil || p.Width != 5 || p.Height != 3 || p.Channels != 3 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := Decode(bytes.NewReader(data[:len(data)/2])); err == nil || errors.Is(err, ErrFormat) {
		t.Errorf("half a picture: %v", err)
	}
	if _, err := Decode(strings.NewReader("text")); !errors.Is(err, ErrFormat) {
		t.Errorf("a text: %v", err)
	}
	if _, err := readPicture(bytes.NewReader(data), len(data)-1); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a long file: %v", err)
	}
}

// TestDecodingAtOnce: a picture waits until those that are being decoded leave room for its pixels.
func TestDecodingAtOnce(t *testing.T) {
	data := samples(t)["rgb.png"].data
	if !decoding.TryAcquire(mostPixels - 16*12 + 1) {
		t.Fatal("pictures are being decoded")
	}
	done := make(chan error)
	go func() {
		_, err := decode(data)
		done <- err
	}()
	select {
	case <-done:
		t.Error("did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	decoding.Release(mostPixels - 16*12 + 1)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
