package dataset

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// waves gives a JPEG of testdata/waves and its pixels according to libjpeg.
func waves(t *testing.T, name string) (file, pixels []byte) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata/waves", name+".jpg"))
	if err != nil {
		t.Fatal(err)
	}
	pixels, err = os.ReadFile(filepath.Join("testdata/waves", name+".ppm"))
	if err != nil {
		t.Fatal(err)
	}
	pixels, ok := bytes.CutPrefix(pixels, []byte("P6\n19 13\n255\n"))
	if !ok || len(pixels) != 19*13*3 {
		t.Fatalf("%s.ppm: %d bytes", name, len(pixels))
	}
	return file, pixels
}

// TestJPEGPixels: the pixels are libjpeg's, but for samples where its inverse transform rounds otherwise than Go's.
func TestJPEGPixels(t *testing.T) {
	for _, name := range []string{"444", "422", "420", "440", "411", "410", "progressive", "grey", "rgb", "rgb420", "cmyk", "ycck", "ycck420"} {
		file, want := waves(t, name)
		p, err := decode(file)
		if err != nil || p.Width != 19 || p.Height != 13 {
			t.Errorf("%s: %d×%d, %v", name, p.Width, p.Height, err)
			continue
		}
		differ, far := 0, 0
		for i, v := range p.Pix {
			switch off := int(v) - int(want[i]); {
			case off < -3 || off > 3:
				t.Errorf("%s: channel %d of pixel (%d, %d) is %d, want %d", name, i%3, i/3%19, i/3/19, v, want[i])
			case off < -1 || off > 1:
				far++
				fallthrough
			case off != 0:
				differ++
			}
		}
		if t.Logf("%s: %d samples differ, %d by more than 1", name, differ, far); differ > len(want)/10 || far > len(want)/50 {
			t.Errorf("%s: %d of %d samples differ, %d by more than 1", name, differ, len(want), far)
		}
	}
}

// without cuts the first segment of a JPEG with a marker.
func without(t *testing.T, file []byte, marker byte) []byte {
	t.Helper()
	at := bytes.Index(file, []byte{0xff, marker})
	if at < 0 {
		t.Fatalf("no segment %x", marker)
	}
	end := at + 2 + int(file[at+2])<<8 + int(file[at+3])
	return append(bytes.Clone(file[:at]), file[end:]...)
}

// TestFourComponents: without Adobe's segment they are CMYK, as Pillow reads them.
func TestFourComponents(t *testing.T) {
	file, _ := waves(t, "cmyk")
	want, err := decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := decode(without(t, file, 0xee)); err != nil || !bytes.Equal(p.Pix, want.Pix) {
		t.Errorf("without Adobe's segment: other pixels, %v", err)
	}
}

// TestOtherJPEGs: those that are not read are refused by their names.
func TestOtherJPEGs(t *testing.T) {
	file, _ := waves(t, "444")
	at := bytes.Index(file, []byte{0xff, 0xc0})
	for _, c := range []struct {
		offset int
		value  byte
		want   string
	}{
		{1, 0xc3, "lossless JPEG is not supported"},
		{1, 0xc5, "hierarchical JPEG is not supported"},
		{1, 0xc9, "arithmetically coded JPEG is not supported"},
		{1, 0xca, "arithmetically coded JPEG is not supported"},
		{1, 0xf7, "JPEG-LS is not supported"},
		{4, 12, "JPEG of 12 bits a sample is not supported"},
		{11, 0x31, "unsupported JPEG feature: luma/chroma subsampling ratio"},
	} {
		other := bytes.Clone(file)
		other[at+c.offset] = c.value
		if _, err := decode(other); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("byte %d of the frame %d: %v, want %q", c.offset, c.value, err, c.want)
		}
	}
	if _, err := decode(file[:len(file)*2/3]); err == nil || errors.Is(err, ErrFormat) {
		t.Errorf("cut off: %v", err)
	}
	filled := slices.Concat(file[:2], []byte("\xff\xff\xff"), file[2:])
	if _, err := decode(filled); err != nil {
		t.Errorf("with fill bytes: %v", err)
	}
}
