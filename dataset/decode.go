package dataset

import (
	"bytes"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/pkg/errors"
	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"

	"vgg/augment"
)

// largest is the size in pixels above which a picture is refused before it is decoded.
const largest = 100_000_000

// format decodes one kind of picture, known by its first bytes.
type format struct {
	magic  string // ? stands for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var formats = []format{
	{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"GIF8?a", gif.DecodeConfig, gif.Decode},
	{"RIFF????WEBPVP8", webp.DecodeConfig, webp.Decode},
	{"BM", bmp.DecodeConfig, bmp.Decode},
}

func (f format) matches(data []byte) bool {
	if len(data) < len(f.magic) {
		return false
	}
	for i := range f.magic {
		if f.magic[i] != '?' && f.magic[i] != data[i] {
			return false
		}
	}
	return true
}

// decode turns a file's contents into a picture of 3 channels. What it is decides the content, not the name.
func decode(data []byte) (augment.Picture, error) {
	for _, f := range formats {
		if !f.matches(data) {
			continue
		}
		config, err := f.config(bytes.NewReader(data))
		if err != nil {
			return augment.Picture{}, err
		}
		if config.Width < 1 || config.Height < 1 || config.Width > largest/config.Height {
			return augment.Picture{}, errors.Errorf("a picture of %d×%d: want at most %d pixels", config.Width, config.Height, largest)
		}
		img, err := f.decode(bytes.NewReader(data))
		if err != nil {
			return augment.Picture{}, err
		}
		return augment.FromImage(img, 3), nil
	}
	return augment.Picture{}, errors.New("not a JPEG, PNG, GIF, WebP or BMP picture")
}
