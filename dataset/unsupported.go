package dataset

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// ErrFormat is, for errors.Is, the error of data that are no picture in a known format, rather than a damaged one.
var ErrFormat = errors.New("not a " + pictureFormats + " picture")

// unsupported is an ErrFormat that says more.
type unsupported string

func (u unsupported) Error() string        { return string(u) }
func (u unsupported) Is(target error) bool { return target == ErrFormat }

// notRead is the error of a format that is known but not read.
func notRead(format string) error {
	return errors.WithStack(unsupported(format + " is not supported: convert the picture to JPEG or PNG"))
}

// unsupportedFormats are told by their first bytes, of which ? stands for any.
var unsupportedFormats = []struct{ magic, name string }{
	{"II*\x00", "TIFF"}, {"MM\x00*", "TIFF"}, {"II+\x00", "TIFF"}, {"MM\x00+", "TIFF"},
	{"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"}, {"\xff\x4f\xff\x51", "JPEG 2000"},
	{"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"}, {"\xff\x0a", "JPEG XL"},
	{"II\xbc", "JPEG XR"},
	{"8BPS", "PSD"},
	{"\x00\x00\x01\x00", "ICO"}, {"\x00\x00\x02\x00", "CUR"},
	{"????ftypcrx", "the camera's raw format (CR3)"}, {"FUJIFILMCCD-RAW", "the camera's raw format (RAF)"}, {"IIRO", "the camera's raw format (ORF)"},
	{"IIRS", "the camera's raw format (ORF)"}, {"IIU\x00", "the camera's raw format (RW2)"},
	{"v/1\x01", "OpenEXR"}, {"#?RADIANCE", "Radiance HDR"}, {"qoif", "QOI"}, {"DDS ", "DDS"}, {"%PDF-", "PDF"},
	{"P1\n", "PBM"}, {"P2\n", "PGM"}, {"P3\n", "PPM"}, {"P4\n", "PBM"}, {"P5\n", "PGM"}, {"P6\n", "PPM"}, {"P7\n", "PAM"},
}

// refusal is the error of data in no format that is read. It is an ErrFormat.
func refusal(data []byte) error {
	if len(data) == 0 {
		return errors.WithStack(unsupported("an empty file"))
	}
	for _, f := range unsupportedFormats {
		if hasMagic(data, f.magic) {
			return notRead(f.name)
		}
	}
	switch brands := brandsOf(data); {
	case slices.ContainsFunc(brands, func(b string) bool { return b == "avif" || b == "avis" }):
		return notRead("AVIF")
	case slices.ContainsFunc(brands, func(b string) bool { return strings.HasPrefix(b, "he") || b == "mif1" || b == "msf1" }):
		return notRead("HEIC")
	}
	head := bytes.ToLower(bytes.TrimLeft(data[:min(len(data), headSize)], "\xef\xbb\xbf \t\r\n"))
	if bytes.HasPrefix(head, []byte("<")) && bytes.Contains(head, []byte("<svg")) {
		return notRead("SVG")
	}
	return errors.WithStack(ErrFormat)
}

// headSize is the length of the data by which a format is told.
const headSize = 1 << 10

// brandsOf are the brands of a file in the ISO base media format (ISO/IEC 14496-12, box ftyp): the main one, and those
// that it is compatible with.
func brandsOf(data []byte) (brands []string) {
	if !hasMagic(data, "????ftyp????") {
		return nil
	}
	length := int(data[2])<<8 | int(data[3])
	for at := 8; at+4 <= min(length, len(data)); at += 4 {
		if at != 12 { // the version
			brands = append(brands, string(data[at:at+4]))
		}
	}
	return brands
}

// hasMagic tells whether data begin with the bytes of magic, of which ? stands for any.
func hasMagic(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range magic {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}
