package dataset

import (
	"errors"
	"strings"
	"testing"
)

// TestUnsupported: formats that are not read are refused by their names, whatever the file is called.
func TestUnsupported(t *testing.T) {
	rest := strings.Repeat("\x00", 99)
	for data, want := range map[string]string{
		"II*\x00\x08\x00\x00\x00" + rest:                              "TIFF is not supported: convert the picture to JPEG or PNG",
		"MM\x00*\x00\x00\x00\x08" + rest:                              "TIFF is",
		"II+\x00\x08\x00\x00\x00" + rest:                              "TIFF is",
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + rest:     "HEIC is",
		"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic" + rest:     "HEIC is",
		"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf" + rest: "AVIF is",
		"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf" + rest: "AVIF is",
		"\x00\x00\x00\x18ftypheic" + rest:                             "HEIC is",
		"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom" + rest:     "camera's raw format (CR3) is",
		"\x00\x00\x00\x0cjP  \r\n\x87\n" + rest:                       "JPEG 2000 is",
		"\xff\x4f\xff\x51" + rest:                                     "JPEG 2000 is",
		"\x00\x00\x00\x0cJXL \r\n\x87\n" + rest:                       "JPEG XL is",
		"\xff\x0a" + rest:                                             "JPEG XL is",
		"8BPS\x00\x01" + rest:                                         "PSD is",
		"\x00\x00\x01\x00\x01\x00" + rest:                             "ICO is",
		"P6\n1 1\n255\nabc":                                           "PPM is",
		"%PDF-1.7\n":                                                  "PDF is",
		"<svg xmlns='http://www.w3.org/2000/svg'/>":                   "SVG is",
		"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- drawn -->\n<SVG width='3' height='3'></SVG>": "SVG is",
		"<html><body></body></html>":                          "not a JPEG, PNG, GIF, WebP or BMP picture",
		"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00mp42" + rest: "not a JPEG",
		"RIFF\x00\x00\x00\x00WAVE" + rest:                     "not a JPEG",
		"":                                                    "an empty file",
		"\n":                                                  "not a JPEG",
	} {
		for name, read := range map[string]func() error{
			"decode": func() error { _, err := decode([]byte(data)); return err },
			"Decode": func() error { _, err := Decode(strings.NewReader(data)); return err },
		} {
			if err := read(); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s of %.30q: %v, want %q", name, data, err, want)
			}
		}
	}
}
