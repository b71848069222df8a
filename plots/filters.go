package plots

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"vgg/weights"
)

// Limits of a first layer; VGG's has the shape (64, 3, 3, 3).
const (
	maxFilters = 1024
	maxKernel  = 32
)

// Filters draws the filters of a first layer, weights of shape (Out, In, K, K), as a grid of K×K pictures: grey for
// In = 1, RGB for In = 3. Each filter is scaled by its largest weight, and 0 is middle grey. Another shape or a weight
// that is not finite is an error that names the tensor. The axes of the panel count columns, and rows from the top.
func Filters(w weights.Tensor) (*Figure, error) {
	if err := checkFilters(w); err != nil {
		return nil, err
	}
	out, in, k := w.Shape[0], w.Shape[1], w.Shape[2]
	columns := min(out, 8)
	if out > 32 {
		columns = 16
	}
	rows := make([][]image.Image, (out+columns-1)/columns)
	for i := range out {
		row := &rows[i/columns]
		*row = append(*row, filterPicture(w.Data[i*in*k*k:][:in*k*k], in, k))
	}
	// In pixels of the PNG, so that the edges of the squares are sharp.
	const gap, room, maxTile = 8, pngDPI * 10 / 3, 150
	square := min((room-gap*(columns-1))/columns, maxTile) / k // for one weight
	picture := mosaic(rows, image.Pt(square*k, square*k), gap)

	title, note := textStyle(titleSize), textStyle(tickSize)
	title.XAlign, title.YAlign = draw.XCenter, draw.YTop
	note.XAlign, note.YAlign = draw.XCenter, draw.YBottom
	heading := fit(title, fmt.Sprintf("%d filters, %d×%d×%d (%s)", out, in, k, k, w.Name), columnWidth-2*margin)
	size := picture.size()
	foot := vg.Length(math.Ceil(float64((margin+tickSize*1.8)/pixel))) * pixel
	left := vg.Length(math.Floor(float64((columnWidth-size.X)/2/pixel))) * pixel
	return &Figure{
		Panels: [][]*plot.Plot{{newTilePanel(picture)}},
		width:  columnWidth,
		height: foot + size.Y + titleSize*1.8 + margin,
		around: func(page draw.Canvas) {
			page.FillText(title, vg.Point{X: page.Center().X, Y: page.Max.Y - margin}, heading)
			page.FillText(note, vg.Point{X: page.Center().X, Y: page.Min.Y + margin}, "grey is 0; each filter scaled by its largest weight")
		},
		place: onePanel(vg.Point{X: left, Y: foot}, size),
	}, nil
}

func checkFilters(w weights.Tensor) error {
	if len(w.Shape) != 4 {
		return errors.Errorf("tensor %s: shape %v is not that of filters (Out, In, K, K)", w.Name, w.Shape)
	}
	out, in, k := w.Shape[0], w.Shape[1], w.Shape[2]
	switch {
	case in != 1 && in != 3:
		return errors.Errorf("tensor %s: %d channels, only a first layer's 1 or 3 make a picture", w.Name, in)
	case k != w.Shape[3] || k < 1 || k > maxKernel || out < 1 || out > maxFilters:
		return errors.Errorf("tensor %s: shape %v is not that of a first layer's filters", w.Name, w.Shape)
	case len(w.Data) != out*in*k*k:
		return errors.Errorf("tensor %s: %d values do not fill the shape %v", w.Name, len(w.Data), w.Shape)
	}
	for _, v := range w.Data {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return errors.Errorf("tensor %s: holds %v", w.Name, v)
		}
	}
	return nil
}

// filterPicture turns a filter (In, K, K) into a picture of K×K pixels: 0 is middle grey, the largest magnitude black
// or white, channel by channel.
func filterPicture(filter []float32, in, k int) *image.RGBA {
	largest := float32(0)
	for _, v := range filter {
		largest = max(largest, v, -v)
	}
	level := func(v float32) uint8 {
		if largest == 0 {
			return 128
		}
		return uint8(math.Round(127.5 + 127.5*float64(v/largest)))
	}
	picture := image.NewRGBA(image.Rect(0, 0, k, k))
	for i := range k * k {
		r := level(filter[i])
		g, b := r, r
		if in == 3 {
			g, b = level(filter[k*k+i]), level(filter[2*k*k+i])
		}
		picture.SetRGBA(i%k, i/k, color.RGBA{r, g, b, 255})
	}
	return picture
}
