package jpeg

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"vgg/augment"
)

// file reads a JPEG of testdata, which dataset/testdata/pictures/make.py wrote.
func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".jpg"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// files reads all of them.
func files(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	paths, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(paths) < 19 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".jpg")
		all[name] = file(t, name)
	}
	return all
}

// TestPixels: the pixels are those of libjpeg, whatever the subsampling, the colours and the order of the coefficients.
func TestPixels(t *testing.T) {
	for name, data := range files(t) {
		want, err := os.ReadFile(filepath.Join("testdata", name+".ppm"))
		if err != nil {
			t.Fatal(err)
		}
		want, ok := bytes.CutPrefix(want, []byte("P6\n19 13\n255\n"))
		if !ok || len(want) != 19*13*3 {
			t.Fatalf("%s.ppm: %d bytes", name, len(want))
		}
		if size, err := Size(data); err != nil || size != image.Pt(19, 13) {
			t.Errorf("%s: size %v, %v", name, size, err)
		}
		img, err := Decode(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p := augment.FromImage(img, 3)
		for i, v := range p.Pix {
			if v != want[i] {
				t.Errorf("%s: channel %d of pixel (%d, %d) is %d, want %d", name, i%3, i/3%19, i/3/19, v, want[i])
				break
			}
		}
	}
}

// TestLikeGo: the samples of random pictures are those of image/jpeg, but for rounding.
func TestLikeGo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		size := image.Rect(0, 0, 1+r.IntN(70), 1+r.IntN(70))
		var img image.Image = image.NewGray(size)
		noise := 1 + r.IntN(100)
		colour := color.RGBA{A: 255}
		if i%2 == 0 {
			img = image.NewRGBA(size)
		}
		for at := range size.Dx() * size.Dy() {
			x, y := at%size.Dx(), at/size.Dx()
			colour.R, colour.G, colour.B = uint8(2*x+r.IntN(noise)), uint8(100+y+r.IntN(noise)), uint8(r.IntN(noise))
			img.(interface{ Set(x, y int, c color.Color) }).Set(x, y, colour)
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 10 + r.IntN(90)}); err != nil {
			t.Fatal(err)
		}
		ours, err := Decode(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := jpeg.Decode(&b)
		if err != nil || ours.Bounds() != size {
			t.Fatalf("%v, want %v, %v", ours.Bounds(), size, err)
		}
		for at := range size.Dx() * size.Dy() {
			a, b := samples(ours, at%size.Dx(), at/size.Dx()), samples(theirs, at%size.Dx(), at/size.Dx())
			for c, v := range a {
				if off := int(v) - int(b[c]); off < -2 || off > 2 {
					t.Fatalf("picture %d, component %d of pixel %d: %d, image/jpeg %d", i, c, at, v, b[c])
				}
			}
		}
	}
}

// samples gives those of a pixel, as they are stored.
func samples(img image.Image, x, y int) []uint8 {
	if grey, ok := img.(*image.Gray); ok {
		return []uint8{grey.GrayAt(x, y).Y}
	}
	c := img.(*image.YCbCr).YCbCrAt(x, y)
	return []uint8{c.Y, c.Cb, c.Cr}
}

// without cuts the first segment with a marker.
func without(t *testing.T, data []byte, marker byte) []byte {
	t.Helper()
	at := bytes.Index(data, []byte{0xff, marker})
	if at < 0 {
		t.Fatalf("no segment %x", marker)
	}
	end := at + 2 + int(data[at+2])<<8 + int(data[at+3])
	return append(bytes.Clone(data[:at]), data[end:]...)
}

// TestColours: segments and identifiers decide between the colours that components may mean.
func TestColours(t *testing.T) {
	pixel := func(data []byte) any {
		img, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		return img.At(9, 6)
	}
	for _, name := range []string{"cmyk", "ycck"} {
		plain := without(t, file(t, name), application14)
		if _, ok := pixel(plain).(color.CMYK); !ok || (name == "cmyk") != (pixel(plain) == pixel(file(t, name))) {
			t.Errorf("%s without Adobe's segment: %v, with %v", name, pixel(plain), pixel(file(t, name)))
		}
	}
	jfif := []byte("\xff\xe0\x00\x07JFIF\x00")
	rgb := file(t, "rgb")
	plain := without(t, rgb, application14)
	if pixel(plain) != pixel(rgb) { // by its identifiers
		t.Errorf("%v, want %v", pixel(plain), pixel(rgb))
	}
	if c, ok := pixel(slices.Concat(rgb[:2], jfif, rgb[2:])).(color.YCbCr); !ok {
		t.Errorf("%v in JFIF", c)
	}
	if c, ok := pixel(without(t, file(t, "444"), application0)).(color.YCbCr); !ok {
		t.Errorf("%v without a segment that says what it is", c)
	}
	adobe := []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x01")
	if c, ok := pixel(slices.Concat(plain[:2], adobe, plain[2:])).(color.YCbCr); !ok {
		t.Errorf("%v with a transform", c)
	}
}

// changed replaces bytes from a place behind a marker's on.
func changed(t *testing.T, name string, marker byte, offset int, values ...byte) []byte {
	t.Helper()
	data := file(t, name)
	at := bytes.Index(data, []byte{0xff, marker})
	if at < 0 {
		t.Fatalf("%s: no segment %x", name, marker)
	}
	copy(data[at+offset:], values)
	return data
}

// TestRefused: kinds that are not read have their names in the error, and damage says what it is.
func TestRefused(t *testing.T) {
	whole := file(t, "444")
	behind := func(segment string) []byte { return slices.Concat(whole[:2], []byte(segment), whole[2:]) }
	for _, c := range []struct {
		data []byte
		want string
	}{
		{changed(t, "444", baseline, 1, 0xc3), "lossless JPEG is not supported"},
		{changed(t, "444", baseline, 1, 0xc5), "hierarchical JPEG is not supported"},
		{changed(t, "444", baseline, 1, 0xc9), "arithmetically coded JPEG is not supported"},
		{changed(t, "444", baseline, 1, 0xca), "arithmetically coded JPEG is not supported"},
		{changed(t, "444", baseline, 1, 0xf7), "JPEG-LS is not supported"},
		{changed(t, "444", baseline, 4, 12), "JPEG of 12 bits a sample is not supported"},
		{changed(t, "444", baseline, 11, 0x31, 0, 2, 0x21), "sampling factors of 2×1 beside 3×1 is not supported"},
		{changed(t, "444", baseline, 11, 0x51), "component 1 is damaged"},
		{changed(t, "444", baseline, 11, 0x10), "component 1 is damaged"},
		{changed(t, "444", baseline, 12, 4), "component 1 is damaged"},
		{changed(t, "444", baseline, 13, 1), "component 2 is damaged"},
		{changed(t, "444", baseline, 9, 2), "frame header has 15 bytes"},
		{changed(t, "444", baseline, 5, 0, 0), "19×0 pixels"},
		{changed(t, "444", baseline, 5, 0xff, 0xff, 0xff, 0xff), "cut off in its pixels"},
		{changed(t, "444", baseline, 2, 0xff), "cut off in its segments"},
		{behind("\xff\xc0\x00\x0e\x08\x00\x01\x00\x01\x02\x01\x11\x00\x02\x11\x00"), "JPEG of 2 components is not supported"},
		{behind("\xff\xc4\x00\x16\x00\x03" + strings.Repeat("\x00", 15) + "abc"), "more codes than bits can tell apart"},
		{changed(t, "444", quantTables, 3, 1), "length 1"},
		{changed(t, "444", quantTables, 4, 0x20), "damaged quantization table"},
		{changed(t, "444", quantTables, 4, 3), "before its tables"},
		{changed(t, "444", huffmanTables, 4, 4), "damaged Huffman table"},
		{changed(t, "444", huffmanTables, 4, 3), "before its tables"},
		{changed(t, "444", huffmanTables, 5, 3), "damaged Huffman table"},
		{changed(t, "444", startOfScan, 4, 4), "scan header is damaged"},
		{changed(t, "444", startOfScan, 5, 9), "damaged scan of component 9"},
		{changed(t, "444", startOfScan, 5, 2), "component 2 twice"},
		{changed(t, "progressive", startOfScan, 11, 1, 0), "coefficients 1 to 0"},
		{changed(t, "progressive", startOfScan, 11, 0, 5), "coefficients 0 to 5"},
		{changed(t, "144", baseline, 14, 0x14, 1, 3, 0x14), "12 blocks in an MCU"},
		{changed(t, "restarts", firstRestart, 1, 0xd1), "marker 0xd1 in its pixels: want 0xd0"},
		{changed(t, "restarts", firstRestart, 1, 0xd9), "marker 0xd9 in its pixels: want 0xd0"},
		{changed(t, "scans", startOfScan, 1, endOfImage), "without pixels of component 1"},
		{behind("\xff\xdd\x00\x03\x00"), "restart interval has 1 bytes"},
		{behind("\xff\x02\x00\x02"), "unknown segment 0x2"},
		{behind("\xff\xd9"), "without a frame"},
		{behind("\xff\xda\x00\x03\x00"), "without a frame"},
		{slices.Concat(whole[:len(whole)-2], whole[2:]), "more than one frame"},
		{whole[1:], "not a JPEG"},
	} {
		if _, err := Decode(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	for _, more := range []string{"\xff\xff\xff", "\xff\x00ab\x00", "\xff\xd3", "\xff\xfe\x00\x04ab", "\xff\xe5\x00\x02"} {
		if _, err := Decode(behind(more)); err != nil {
			t.Errorf("behind %q: %v", more, err)
		}
	}
}

// TestWideSteps: quantization steps of 16 bits are read.
func TestWideSteps(t *testing.T) {
	data := file(t, "grey")
	at := bytes.Index(data, []byte{0xff, quantTables})
	wide := []byte{0xff, quantTables, 0, 3 + 2*64, 0x10}
	for _, v := range data[at+5:][:64] {
		wide = append(wide, 0, v)
	}
	got, err := Decode(slices.Concat(data[:at], wide, data[at+5+64:]))
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := Decode(data); !bytes.Equal(got.(*image.Gray).Pix, want.(*image.Gray).Pix) {
		t.Error("other samples")
	}
}

// TestTruncated: a file that is cut off anywhere is an error that says so, and costs little.
func TestTruncated(t *testing.T) {
	for name, data := range files(t) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for end := range data {
			_, err := Decode(data[:end])
			if err == nil || end >= 2 && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s cut off at %d: %v", name, end, err)
			}
			Size(data[:end])
		}
		runtime.ReadMemStats(&after)
		if n := (after.TotalAlloc - before.TotalAlloc) / uint64(len(data)); n > 1<<16 {
			t.Errorf("%s: %d bytes allocated for a part of it", name, n)
		}
	}
}

// TestDamaged: one wrong byte makes an error or other pixels, no panic.
func TestDamaged(t *testing.T) {
	for name, data := range files(t) {
		for at := range data {
			for _, v := range []byte{0, 0xff, data[at] + 1, data[at] ^ 0x80} {
				other := bytes.Clone(data)
				other[at] = v
				size, _ := Size(other)
				if img, err := Decode(other); err == nil && img.Bounds().Size() != size {
					t.Errorf("%s with %d at %d: %v, want %v", name, v, at, img.Bounds(), size)
				}
			}
		}
	}
}

// FuzzDecode: what decodes has the size that its header says.
func FuzzDecode(f *testing.F) {
	for _, data := range files(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		size, err := Size(data)
		if size.X*size.Y > 1<<16 {
			t.Skip("it takes the time of many others")
		}
		img, failed := Decode(data)
		if failed == nil && (err != nil || img.Bounds() != image.Rectangle{Max: size}) {
			t.Errorf("%v, header %v, %v", img.Bounds(), size, err)
		}
		if failed == nil {
			augment.FromImage(img, 3)
		}
	})
}
