package jpeg

import (
	"bytes"
	"encoding/binary"
	"image"
	"io"

	"github.com/pkg/errors"
)

// ErrLS is the error of JPEG-LS, another format behind the same first bytes.
var ErrLS = errors.New("JPEG-LS is not supported: convert the picture to ordinary JPEG or PNG")

// decoder is the state of reading one file.
type decoder struct {
	data  []byte // from the next segment on
	quant [4]*quantization
	huff  [2][4]*huffman // of DC and AC
	frame *frame

	restart  int // MCUs between restart markers; 0: no such markers
	jfif     bool
	hasAdobe bool
	adobe    byte // the colour transform of Adobe's segment
}

// newDecoder steps over the marker that begins every file.
func newDecoder(data []byte) (*decoder, error) {
	if !bytes.HasPrefix(data, []byte{0xff, startOfImage}) {
		return nil, errors.New("not a JPEG")
	}
	return &decoder{data: data[2:]}, nil
}

// Size gives the width and the height that a file claims, in pixels, each from 0 to 65,535.
func Size(data []byte) (image.Point, error) {
	d, err := newDecoder(data)
	for err == nil && d.frame == nil {
		var marker byte
		var segment []byte
		marker, segment, err = d.next()
		switch {
		case err != nil:
		case marker == startOfScan || marker == endOfImage:
			err = errNoFrame
		case marker != quantTables && marker != huffmanTables:
			err = d.read(marker, segment)
		}
	}
	if err != nil {
		return image.Point{}, err
	}
	return image.Pt(d.frame.width, d.frame.height), nil
}

// Decode gives the picture of a file: *image.Gray, *image.YCbCr with subsampled chroma, *image.RGBA for RGB and for
// subsampling that image.YCbCr has no name for, or *image.CMYK with 255 for full ink. It takes 1 byte a sample, 2 more
// for each of a progressive file, and 4 a pixel of RGBA and CMYK: look at Size first.
func Decode(data []byte) (image.Image, error) {
	d, err := newDecoder(data)
	if err != nil {
		return nil, err
	}
	for {
		marker, segment, err := d.next()
		if err == nil && marker == endOfImage {
			break
		}
		if err == nil {
			err = d.read(marker, segment)
		}
		if err != nil {
			return nil, err
		}
	}
	if d.frame == nil {
		return nil, errNoFrame
	}
	if err := d.frame.finish(); err != nil {
		return nil, err
	}
	return d.picture(), nil
}

// Markers, by their second bytes (table B.1).
const (
	baseline       = 0xc0
	extended       = 0xc1
	progressive    = 0xc2
	huffmanTables  = 0xc4
	firstRestart   = 0xd0 // of 8
	startOfImage   = 0xd8
	endOfImage     = 0xd9
	startOfScan    = 0xda
	quantTables    = 0xdb
	restartPeriod  = 0xdd
	application0   = 0xe0 // JFIF's
	application14  = 0xee // Adobe's
	application15  = 0xef
	startOfFrameLS = 0xf7
	comment        = 0xfe
)

// The kinds of JPEG that are not read, by their markers.
var otherKinds = map[byte]string{
	0xc3: "lossless", 0xc5: "hierarchical", 0xc6: "hierarchical", 0xc7: "lossless hierarchical", 0xc9: "arithmetically coded",
	0xca: "arithmetically coded", 0xcb: "lossless", 0xcc: "arithmetically coded", 0xcd: "hierarchical", 0xce: "hierarchical",
	0xcf: "lossless hierarchical", 0xde: "hierarchical", 0xdf: "hierarchical",
}

var errNoFrame = errors.New("a JPEG without a frame")

// cutOff is the error of a file that ends in the middle of what.
func cutOff(what string) error {
	return errors.Wrap(io.ErrUnexpectedEOF, "a JPEG cut off in "+what)
}

// next takes the next segment: its marker and contents. Bytes before a marker are stepped over, as are fill bytes, and
// restart markers, which some encoders write behind a scan.
func (d *decoder) next() (marker byte, segment []byte, err error) {
	for marker == 0 || marker == 0xff || marker&^7 == firstRestart {
		at := bytes.IndexByte(d.data, 0xff)
		if at < 0 || at+1 >= len(d.data) {
			return 0, nil, cutOff("its segments")
		}
		marker, d.data = d.data[at+1], d.data[at+1:]
	}
	d.data = d.data[1:]
	if marker == endOfImage {
		return marker, nil, nil
	}
	if len(d.data) < 2 {
		return 0, nil, cutOff("its segments")
	}
	length := int(binary.BigEndian.Uint16(d.data))
	if length < 2 {
		return 0, nil, errors.Errorf("a JPEG with a segment %#x of length %d", marker, length)
	}
	if length > len(d.data) {
		return 0, nil, cutOff("its segments")
	}
	segment, d.data = d.data[2:length], d.data[length:]
	return marker, segment, nil
}

// read takes what a segment says, and the scan that follows its header.
func (d *decoder) read(marker byte, segment []byte) error {
	switch {
	case marker == baseline || marker == extended || marker == progressive:
		return d.readFrame(segment, marker == progressive)
	case marker == huffmanTables:
		return d.readHuffman(segment)
	case marker == quantTables:
		return d.readQuantization(segment)
	case marker == restartPeriod:
		if len(segment) != 2 {
			return errors.Errorf("a JPEG whose restart interval has %d bytes: want 2", len(segment))
		}
		d.restart = int(binary.BigEndian.Uint16(segment))
	case marker == startOfScan:
		return d.readScan(segment)
	case marker == application0 && bytes.HasPrefix(segment, []byte("JFIF\x00")):
		d.jfif = true
	case marker == application14 && bytes.HasPrefix(segment, []byte("Adobe")) && len(segment) >= 12:
		d.hasAdobe, d.adobe = true, segment[11]
	case marker >= application0 && marker <= application15 || marker == comment:
	case marker == startOfFrameLS:
		return errors.WithStack(ErrLS)
	case otherKinds[marker] != "":
		return errors.Errorf("%s JPEG is not supported: convert the picture to ordinary JPEG or PNG", otherKinds[marker])
	default:
		return errors.Errorf("a JPEG with an unknown segment %#x", marker)
	}
	return nil
}
