package plots

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	"github.com/pkg/errors"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"vgg/weights"
)

// Bounds of what is taken for a first layer; VGG's is (64, 3, 3, 3).
const (
	maxFilters = 1024
	maxKernel  = 32
)

// Filters draws the filters of a first layer, weights of shape (Out, In, K, K),
// as a grid of K×K pictures, grey for In = 1 and RGB for In = 3. Each filter is
// scaled by its own largest weight, so that middle grey is 0. Another shape or
// a weight that is not finite is an error that names the tensor.
func Filters(w weights.Tensor) (*Figure, error) {
	if len(w.Shape) != 4 {
		return nil, errors.Errorf("tensor %s: shape %v is not that of filters (Out, In, K, K)", w.Name, w.Shape)
	}
	out, in, k := w.Shape[0], w.Shape[1], w.Shape[2]
	switch {
	case in != 1 && in != 3:
		return nil, errors.Errorf("tensor %s: %d channels, only a first layer's 1 or 3 make a picture", w.Name, in)
	case k != w.Shape[3] || k < 1 || k > maxKernel || out < 1 || out > maxFilters:
		return nil, errors.Errorf("tensor %s: shape %v is not that of a first layer's filters", w.Name, w.Shape)
	case len(w.Data) != out*in*k*k:
		return nil, errors.Errorf("tensor %s: %d values do not fill the shape %v", w.Name, len(w.Data), w.Shape)
	}
	for _, v := range w.Data {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, errors.Errorf("tensor %s: holds %v", w.Name, v)
		}
	}

	columns := min(out, 8)
	if out > 32 {
		columns = 16
	}
	rows := (out + columns - 1) / columns
	// In pixels of the PNG, so that the squares' edges are sharp.
	const dot, gap, room = vg.Inch / pngDPI, 8, pngDPI * 10 / 3
	across := room - gap*(columns-1)
	square := min(across/columns, 150) / k // of one weight; few filters need not fill the column
	pitch := square*k + gap
	picture := image.NewRGBA(image.Rect(0, 0, columns*pitch-gap, rows*pitch-gap))
	draw.Draw(picture, picture.Rect, image.White, image.Point{}, draw.Src)
	for i := range out {
		filter := w.Data[i*in*k*k:][:in*k*k]
		corner := image.Pt(i%columns*pitch, i/columns*pitch)
		for at, c := range filterColors(filter, in) {
			from := corner.Add(image.Pt(at%k*square, at/k*square))
			box := image.Rectangle{Min: from, Max: from.Add(image.Pt(square, square))}
			draw.Draw(picture, box, image.NewUniform(c), image.Point{}, draw.Src)
		}
	}

	title, note := textStyle(titleSize), textStyle(tickSize)
	heading := fit(title, fmt.Sprintf("%d filters, %d×%d×%d (%s)", out, in, k, k, w.Name), columnWidth-2*margin)
	const remark = "grey is 0; each filter scaled by its largest weight"
	size := vg.Point{X: vg.Length(picture.Rect.Dx()) * dot, Y: vg.Length(picture.Rect.Dy()) * dot}
	foot := vg.Length(math.Ceil(float64((margin+tickSize*1.8)/dot))) * dot
	height := foot + size.Y + titleSize*1.8 + margin
	paint := func(page vgdraw.Canvas) {
		left := vg.Length(math.Floor(float64((columnWidth-size.X)/2/dot))) * dot
		corner := vg.Point{X: left, Y: foot}
		page.DrawImage(vg.Rectangle{Min: corner, Max: corner.Add(size)}, picture)
		title.XAlign, title.YAlign = vgdraw.XCenter, vgdraw.YTop
		page.FillText(title, vg.Point{X: page.Center().X, Y: page.Max.Y - margin}, heading)
		note.XAlign, note.YAlign = vgdraw.XCenter, vgdraw.YBottom
		page.FillText(note, vg.Point{X: page.Center().X, Y: margin}, remark)
	}
	return &Figure{columnWidth, height, paint}, nil
}

// filterColors turns a filter (In, K, K) into K·K colours: 0 is middle grey,
// the largest magnitude black or white, channel by channel.
func filterColors(filter []float32, in int) []color.RGBA {
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
	area := len(filter) / in
	colors := make([]color.RGBA, area)
	for i := range colors {
		r := level(filter[i])
		g, b := r, r
		if in == 3 {
			g, b = level(filter[area+i]), level(filter[2*area+i])
		}
		colors[i] = color.RGBA{r, g, b, 255}
	}
	return colors
}
