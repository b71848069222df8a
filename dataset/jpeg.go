package dataset

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"io"

	"github.com/pkg/errors"

	"vgg/internal/chroma"
)

// jpegHeader is what the segments of a JPEG before its first scan say of its colours.
type jpegHeader struct {
	components   int
	ids          [3]byte // of the first components
	subsampled   bool
	jfif         bool
	adobe        int // where the colour transform of Adobe's segment is; 0: no such segment
	adobeIsPlain bool
}

// The kinds of JPEG that are not read, by the last four bits of their frame's marker.
var otherJPEGs = map[byte]string{
	3: "lossless", 5: "hierarchical", 6: "hierarchical", 7: "lossless hierarchical", 9: "arithmetically coded",
	10: "arithmetically coded", 11: "lossless", 13: "hierarchical", 14: "hierarchical", 15: "lossless hierarchical",
}

// readJPEGHeader is an error for kinds of JPEG that are not read. Damage is left to the decoder to find.
func readJPEGHeader(data []byte) (h jpegHeader, err error) {
	for at := 2; at+4 <= len(data); {
		marker := data[at+1]
		if data[at] != 0xff || marker == 0xff || marker == 0 || marker >= 0xd0 && marker <= 0xd7 {
			at++ // fill bytes and what else decoders step over
			continue
		}
		end := at + 2 + int(binary.BigEndian.Uint16(data[at+2:]))
		if marker >= 0xd8 && marker <= 0xda || end < at+4 || end > len(data) {
			break
		}
		segment := data[at+4 : end]
		switch {
		case marker == 0xe0 && bytes.HasPrefix(segment, []byte("JFIF\x00")):
			h.jfif = true
		case marker == 0xee && bytes.HasPrefix(segment, []byte("Adobe")) && len(segment) >= 12:
			h.adobe, h.adobeIsPlain = at+4+11, segment[11] == 0
		case marker == 0xf7:
			return h, notRead("JPEG-LS")
		case marker&0xf0 == 0xc0 && marker != 0xc4 && marker != 0xc8 && marker != 0xcc && len(segment) >= 6:
			if kind := otherJPEGs[marker&15]; kind != "" {
				return h, errors.Errorf("%s JPEG is not supported: convert the picture to ordinary JPEG or PNG", kind)
			}
			if segment[0] != 8 {
				return h, errors.Errorf("JPEG of %d bits a sample is not supported: convert the picture to 8 bits", segment[0])
			}
			h.frame(segment)
		}
		at = end
	}
	return h, nil
}

// frame takes the components from a frame's segment.
func (h *jpegHeader) frame(segment []byte) {
	h.components = int(segment[5])
	for i := range h.components {
		c := segment[min(6+3*i, len(segment)):]
		if len(c) < 3 {
			return
		}
		if i < len(h.ids) {
			h.ids[i] = c[0]
		}
		h.subsampled = h.subsampled || c[1] != segment[7]
	}
}

// isRGB tells whether three components are red, green and blue, by libjpeg's rules.
func (h jpegHeader) isRGB() bool {
	if h.jfif || h.components != 3 {
		return false
	}
	if h.adobe > 0 {
		return h.adobeIsPlain
	}
	return string(h.ids[:]) == "RGB"
}

func configJPEG(data []byte) (image.Config, error) {
	if _, err := readJPEGHeader(data); err != nil {
		return image.Config{}, err
	}
	return jpeg.DecodeConfig(bytes.NewReader(data))
}

// decodeJPEG has image/jpeg hand out the samples as they are stored, by segments that it is shown instead of the file's
// own, and then interpolates and converts them.
func decodeJPEG(data []byte) (image.Image, error) {
	h, err := readJPEGHeader(data)
	if err != nil {
		return nil, err
	}
	const (
		jfif  = "\xff\xe0\x00\x07JFIF\x00"
		plain = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00" // no colour transform
	)
	shown := func(from int, segment string) io.Reader {
		return io.MultiReader(bytes.NewReader(data[:from]), bytes.NewReader([]byte(segment)), bytes.NewReader(data[from:]))
	}
	switch {
	case h.isRGB() && h.subsampled:
		img, err := jpeg.Decode(shown(2, jfif))
		if rgb, ok := img.(*image.YCbCr); ok && err == nil {
			return fromRGB(rgb), nil
		}
		return img, err
	case h.components != 4:
		return jpeg.Decode(bytes.NewReader(data))
	}
	in := shown(2, plain)
	if h.adobe > 0 {
		in = io.MultiReader(bytes.NewReader(data[:h.adobe]), bytes.NewReader([]byte{0}), bytes.NewReader(data[h.adobe+1:]))
	}
	img, err := jpeg.Decode(in)
	if ink, ok := img.(*image.CMYK); ok && err == nil {
		correctInks(ink, h.adobe > 0 && !h.adobeIsPlain, h.subsampled)
	}
	return img, err
}

// fromRGB interpolates an image whose planes are red, green and blue.
func fromRGB(planes *image.YCbCr) image.Image {
	img := image.NewRGBA(planes.Rect)
	rows := chroma.Rows(planes)
	for y := range img.Rect.Dy() {
		red, green, blue := rows(y)
		to := img.Pix[y*img.Stride:]
		for x := range red {
			copy(to[4*x:4*x+4], []uint8{red[x], green[x], blue[x], 255})
		}
	}
	return img
}

// correctInks interpolates and converts the first three components of an image to which image/jpeg gave the inverse of
// the samples, repeated where there are fewer than pixels. Adobe's programs, which alone make such files, store inks
// inverted. Their luminance and chroma (YCCK) are those of the inverse again.
func correctInks(img *image.CMYK, isYCCK, subsampled bool) {
	if !isYCCK && !subsampled {
		return
	}
	ratio, step := image.YCbCrSubsampleRatio444, 1
	if subsampled {
		ratio, step = image.YCbCrSubsampleRatio420, 2
	}
	size := img.Rect.Size()
	planes := image.NewYCbCr(image.Rectangle{Max: size}, ratio)
	for y := 0; y < size.Y; y += step {
		row := img.Pix[y*img.Stride:]
		at := y / step * planes.CStride
		for x := 0; x < size.X; x += step {
			planes.Cb[at], planes.Cr[at] = 255-row[4*x+1], 255-row[4*x+2]
			at++
		}
	}
	rows := chroma.Rows(planes)
	for y := range size.Y {
		row := img.Pix[y*img.Stride:][:4*size.X]
		light, cb, cr := rows(y)
		for x := range light {
			light[x] = 255 - row[4*x]
		}
		if isYCCK {
			chroma.RGB(row, 4, light, cb, cr)
			continue
		}
		for x := range cb {
			row[4*x+1], row[4*x+2] = 255-cb[x], 255-cr[x]
		}
	}
}
