package dataset

import (
	"image"

	"github.com/pkg/errors"

	"vgg/internal/jpeg"
)

func configJPEG(data []byte) (image.Config, error) {
	size, err := jpeg.Size(data)
	return image.Config{Width: size.X, Height: size.Y}, asFormat(err)
}

func decodeJPEG(data []byte) (image.Image, error) {
	img, err := jpeg.Decode(data)
	return img, asFormat(err)
}

// asFormat is the error of another format where internal/jpeg found one.
func asFormat(err error) error {
	if errors.Is(err, jpeg.ErrLS) {
		return notRead("JPEG-LS")
	}
	return err
}
