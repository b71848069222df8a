package dataset

import (
	"bytes"
	"encoding/binary"
	"image"
	"math"

	"github.com/pkg/errors"
	"golang.org/x/image/webp"
)

// decodeWebP decodes a still picture, or the first frame of an animation. It gives a lossy picture its contrast:
// webp.Decode hands out VP8's luminance, from 16 to 235, and chrominance, from 16 to 240, as if they were JPEG's, from
// 0 to 255 (golang.org/issue/40173).
func decodeWebP(data []byte) (image.Image, error) {
	still, place, err := firstFrame(data)
	if err != nil {
		return nil, err
	}
	img, err := webp.Decode(bytes.NewReader(still))
	if err != nil {
		return nil, err
	}
	switch img := img.(type) {
	case *image.YCbCr:
		widen(img)
		img.Rect = img.Rect.Add(place)
	case *image.NYCbCrA:
		widen(&img.YCbCr)
		img.Rect = img.Rect.Add(place)
	case *image.NRGBA:
		img.Rect = img.Rect.Add(place)
	}
	return img, nil
}

func widen(img *image.YCbCr) {
	var luminance, chrominance [256]uint8
	for i := range luminance {
		luminance[i] = uint8(min(max(math.Round(float64(i-16)*255/219), 0), 255))
		chrominance[i] = uint8(min(max(math.Round(float64(i-128)*255/224)+128, 0), 255))
	}
	for i, v := range img.Y {
		img.Y[i] = luminance[v]
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = chrominance[img.Cb[i]], chrominance[img.Cr[i]]
	}
}

// The parts of a WebP file as its container specification has them: a chunk begins with four letters and its length,
// and has an even number of bytes in the file.
const (
	riffHeader  = 12
	chunkHeader = 8
	frameHeader = 16 // of a frame, before its chunks

	animated = 1 << 1 // flags of the chunk VP8X
	hasAlpha = 1 << 4
)

// webpChunk cuts off the first chunk; contents cut short, as by a damaged length, end with the data.
func webpChunk(data []byte) (kind string, contents, rest []byte) {
	if len(data) < chunkHeader {
		return "", nil, nil
	}
	length := uint64(binary.LittleEndian.Uint32(data[4:]))
	kind, data = string(data[:4]), data[chunkHeader:]
	end := min(length, uint64(len(data)))
	return kind, data[:end], data[min(end+length%2, uint64(len(data))):]
}

// uint24 is a number of three bytes.
func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// firstFrame gives the first frame of an animated WebP as a file of its own, and its place on the canvas; of a still
// picture the file itself.
func firstFrame(data []byte) (still []byte, place image.Point, err error) {
	kind, canvas, rest := webpChunk(data[min(riffHeader, len(data)):])
	if kind != "VP8X" || len(canvas) < 10 || canvas[0]&animated == 0 {
		return data, place, nil
	}
	for kind != "ANMF" {
		var contents []byte
		if kind, contents, rest = webpChunk(rest); kind == "" {
			return nil, place, errors.New("an animated WebP without a frame")
		}
		if kind == "ANMF" {
			rest = contents
		}
	}
	if len(rest) < frameHeader {
		return nil, place, errors.New("an animated WebP whose first frame is cut off")
	}
	place = image.Pt(2*uint24(rest), 2*uint24(rest[3:]))
	size := image.Pt(uint24(rest[6:])+1, uint24(rest[9:])+1)
	if place.X+size.X > uint24(canvas[4:])+1 || place.Y+size.Y > uint24(canvas[7:])+1 {
		return nil, place, errors.Errorf("an animated WebP whose first frame, %d×%d at (%d, %d), lies outside its canvas", size.X, size.Y, place.X, place.Y)
	}
	header := [10]byte{}
	copy(header[4:], rest[6:12])
	if kind, _, _ := webpChunk(rest[frameHeader:]); kind == "ALPH" {
		header[0] = hasAlpha
	}
	still = append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), header[:]...)
	still = append(still, rest[frameHeader:]...)
	if len(still)%2 != 0 {
		still = append(still, 0)
	}
	binary.LittleEndian.PutUint32(still[4:], uint32(len(still)-chunkHeader))
	return still, place, nil
}
