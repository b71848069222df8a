package dataset

import (
	"bytes"
	"context"
	"image"
	"image/gif"
	"image/png"
	"io"

	"github.com/bep/imagemeta"
	"github.com/pkg/errors"
	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"

	"vgg/augment"
	"vgg/internal/archive"
)

// The sizes above which files and pictures are refused: of a file that is read whole, of a picture's file in bytes, and
// of a picture in pixels. The last is Pillow's, the one before leaves room for 8 bytes a pixel.
const (
	largestFile    = 1 << 28
	largestPicture = 3 << 29
	mostPixels     = 178_956_970
)

// decoding bounds the pixels of the pictures that are decoded at once, whatever the number of goroutines.
var decoding = semaphore.NewWeighted(mostPixels)

// format decodes one kind of picture, told by its first bytes.
type format struct {
	magic  string // ? stands for any byte
	config func(data []byte) (image.Config, error)
	decode func(data []byte) (image.Image, error)
	exif   imagemeta.ImageFormat // 0: the format has no EXIF
}

var formats = []format{
	{"\xff\xd8\xff", configJPEG, decodeJPEG, imagemeta.JPEG},
	{"\x89PNG\r\n\x1a\n", from(png.DecodeConfig), from(png.Decode), imagemeta.PNG},
	{"GIF8?a", from(gif.DecodeConfig), from(gif.Decode), 0},
	{"RIFF????WEBPVP8", from(webp.DecodeConfig), decodeWebP, imagemeta.WebP},
	{"BM", from(bmp.DecodeConfig), from(bmp.Decode), 0},
}

// from makes a function that reads into one of data.
func from[T any](read func(io.Reader) (T, error)) func([]byte) (T, error) {
	return func(data []byte) (T, error) { return read(bytes.NewReader(data)) }
}

func (f format) matches(data []byte) bool { return hasMagic(data, f.magic) }

// Decode reads a picture (JPEG, PNG, GIF, WebP or BMP, told by its content) into 3 channels, upright as EXIF says. It
// is an error if the file is longer than 1.5 GiB, or the picture has more than 178,956,970 pixels. Pictures that
// goroutines decode at the same time have no more than that together: others wait.
func Decode(r io.Reader) (augment.Picture, error) {
	p, _, err := DecodeStored(r)
	return p, err
}

// DecodeStored is Decode, and gives EXIF's number, from 1 to 8, for how the stored picture was turned to be upright, as
// boxes.Box.Turn takes it.
func DecodeStored(r io.Reader) (p augment.Picture, orientation uint16, err error) {
	data, err := readPicture(r, largestPicture)
	if err != nil {
		return p, 0, err
	}
	return decodeStored(data)
}

// readPicture reads a file whole, once its first bytes have told that it is a picture.
func readPicture(r io.Reader, limit int) ([]byte, error) {
	head := make([]byte, headSize)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	if _, err := formatOf(head[:n]); err != nil {
		return nil, err
	}
	data, err := archive.ReadAll(io.MultiReader(bytes.NewReader(head[:n]), r), 0, limit+1)
	if err == nil && len(data) > limit {
		err = errors.Errorf("longer than %d bytes", limit)
	}
	return data, err
}

// decode turns a file's contents into an upright picture of 3 channels. The content decides the format, not the name.
func decode(data []byte) (augment.Picture, error) {
	p, _, err := decodeStored(data)
	return p, err
}

// decodeStored also gives the number of the orientation.
func decodeStored(data []byte) (p augment.Picture, orientation uint16, err error) {
	f, canvas, err := header(data)
	if err != nil {
		return p, 0, err
	}
	pixels := int64(canvas.Dx()) * int64(canvas.Dy())
	if err := decoding.Acquire(context.Background(), pixels); err != nil {
		return p, 0, err
	}
	defer decoding.Release(pixels)
	img, err := f.decode(data)
	if err != nil {
		return p, 0, err
	}
	b := img.Bounds()
	if !b.In(canvas) {
		return p, 0, errors.Errorf("a picture of %d×%d whose header says %d×%d", b.Dx(), b.Dy(), canvas.Dx(), canvas.Dy())
	}
	p = augment.FromImage(img, 3)
	if b != canvas { // the first frame of an animation need not fill its canvas
		p = onCanvas(p, b.Min, canvas)
	}
	orientation = f.orientation(data)
	return upright(p, orientation), orientation, nil
}

// onCanvas puts a picture in its place on white.
func onCanvas(p augment.Picture, at image.Point, canvas image.Rectangle) augment.Picture {
	width, height := canvas.Dx(), canvas.Dy()
	out := augment.Picture{Width: width, Height: height, Channels: 3, Pix: bytes.Repeat([]byte{255}, 3*width*height)}
	for y := range p.Height {
		copy(out.Pix[3*((at.Y+y)*width+at.X):], p.Pix[3*y*p.Width:3*(y+1)*p.Width])
	}
	return out
}

// header gives the format and the size that a file claims; too large ones are refused before they cost memory.
func header(data []byte) (format, image.Rectangle, error) {
	f, err := formatOf(data)
	if err != nil {
		return f, image.Rectangle{}, err
	}
	c, err := f.config(data)
	if err == nil && (c.Width < 1 || c.Height < 1 || c.Width > mostPixels/c.Height) {
		err = errors.Errorf("a picture of %d×%d: want at least 1 and at most %d pixels: shrink it", c.Width, c.Height, mostPixels)
	}
	return f, image.Rect(0, 0, c.Width, c.Height), err
}

func formatOf(data []byte) (format, error) {
	for _, f := range formats {
		if f.matches(data) {
			return f, nil
		}
	}
	return format{}, refusal(data)
}

// orientation is EXIF's number, from 1 to 8, for how the stored picture is turned and mirrored; 1 if none can be read.
// In a WebP file, imagemeta fails behind a chunk of odd length; a photograph without alpha and colour profile has none.
func (f format) orientation(data []byte) (number uint16) {
	imagemeta.Decode(imagemeta.Options{
		R:               bytes.NewReader(data),
		ImageFormat:     f.exif,
		Sources:         imagemeta.EXIF,
		LimitTagSize:    2, // an orientation's; pointers to further directories, which might never end, are longer
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return t.Tag == "Orientation" && t.Namespace == "IFD0" },
		HandleTag: func(t imagemeta.TagInfo) error {
			number, _ = t.Value.(uint16)
			return imagemeta.ErrStopWalking
		},
	})
	if number < 1 || number > 8 {
		return 1
	}
	return number
}

// upright turns and mirrors a picture as its EXIF orientation asks.
func upright(p augment.Picture, orientation uint16) augment.Picture {
	if orientation == 1 {
		return p
	}
	first, right, down := 0, 1, p.Width // the pixel of p that comes first, and the steps to the next column and row
	switch orientation {
	case 2, 3, 7, 8:
		first, right = first+p.Width-1, -right
	}
	switch orientation {
	case 3, 4, 6, 7:
		first, down = first+(p.Height-1)*p.Width, -down
	}
	out := augment.Picture{Width: p.Width, Height: p.Height, Channels: 3, Pix: make([]uint8, len(p.Pix))}
	if orientation >= 5 {
		right, down = down, right
		out.Width, out.Height = p.Height, p.Width
	}
	for y := range out.Height {
		for x := range out.Width {
			from := 3 * (first + x*right + y*down)
			copy(out.Pix[3*(y*out.Width+x):], p.Pix[from:from+3])
		}
	}
	return out
}
