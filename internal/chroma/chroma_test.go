package chroma

import (
	"image"
	"math"
	"slices"
	"testing"
)

// TestRows: samples of Cb are spread over the pixels as libjpeg-turbo spreads them.
func TestRows(t *testing.T) {
	for _, c := range []struct {
		ratio         image.YCbCrSubsampleRatio
		width, height int
		samples       []uint8
		want          [][]uint8
	}{
		{image.YCbCrSubsampleRatio444, 3, 2, []uint8{1, 2, 3, 4, 5, 6}, [][]uint8{{1, 2, 3}, {4, 5, 6}}},
		{image.YCbCrSubsampleRatio422, 6, 1, []uint8{10, 20, 41}, [][]uint8{{10, 13, 17, 25, 36, 41}}},
		{image.YCbCrSubsampleRatio422, 5, 1, []uint8{10, 20, 41}, [][]uint8{{10, 13, 17, 25, 36}}},
		{image.YCbCrSubsampleRatio422, 4, 1, []uint8{10, 20}, [][]uint8{{10, 10, 20, 20}}}, // too narrow
		{image.YCbCrSubsampleRatio440, 1, 5, []uint8{10, 20, 42}, [][]uint8{{10}, {13}, {17}, {26}, {36}}},
		{image.YCbCrSubsampleRatio420, 6, 2, []uint8{10, 20, 41}, [][]uint8{{10, 12, 18, 25, 36, 41}, {10, 12, 18, 25, 36, 41}}},
		{image.YCbCrSubsampleRatio420, 5, 3, []uint8{0, 100, 200, 40, 50, 60}, [][]uint8{
			{0, 25, 75, 125, 175},
			{10, 29, 68, 107, 146},
			{30, 38, 54, 71, 87},
		}},
		{image.YCbCrSubsampleRatio420, 3, 3, []uint8{10, 20, 30, 40}, [][]uint8{{10, 10, 20}, {10, 10, 20}, {30, 30, 40}}},
		{image.YCbCrSubsampleRatio411, 9, 1, []uint8{10, 20, 41}, [][]uint8{{10, 10, 10, 10, 20, 20, 20, 20, 41}}},
		{image.YCbCrSubsampleRatio410, 9, 3, []uint8{1, 2, 3, 4, 5, 6}, [][]uint8{
			{1, 1, 1, 1, 2, 2, 2, 2, 3}, {1, 1, 1, 1, 2, 2, 2, 2, 3}, {4, 4, 4, 4, 5, 5, 5, 5, 6},
		}},
	} {
		img := image.NewYCbCr(image.Rect(0, 0, c.width, c.height), c.ratio)
		copy(img.Cb, c.samples)
		rows := Rows(img)
		for y, want := range c.want {
			if light, cb, cr := rows(y); !slices.Equal(cb, want) || len(light) != c.width || len(cr) != c.width {
				t.Errorf("%v, row %d: %v, want %v", c.ratio, y, cb, want)
			}
		}
	}
	for y := range 2 {
		if light, _, _ := Rows(&image.YCbCr{})(y); len(light) != 0 {
			t.Errorf("%v in no picture", light)
		}
	}
}

// TestPlane: samples are repeated where pixels share them in a way that package image has no name for.
func TestPlane(t *testing.T) {
	for _, c := range []struct {
		across, down int
		want         [][]uint8
	}{
		{3, 1, [][]uint8{{10, 10, 10, 20, 20, 20, 41, 41, 41}, {1, 1, 1, 2, 2, 2, 3, 3, 3}}},
		{1, 3, [][]uint8{{10, 20, 41}, {10, 20, 41}, {10, 20, 41}, {1, 2, 3}, {1, 2, 3}, {1, 2, 3}}},
		{2, 4, [][]uint8{{10, 10, 20, 20, 41, 41}, {10, 10, 20, 20, 41, 41}}},
		{4, 4, [][]uint8{{10, 10, 10, 10, 20, 20, 20, 20, 41, 41, 41, 41}}},
	} {
		p := Plane{Pix: []uint8{10, 20, 41, 0, 1, 2, 3, 0}, Stride: 4, Width: 3, Height: 2, Across: c.across, Down: c.down}
		for y, want := range c.want {
			if got := p.Row(y); !slices.Equal(got, want) {
				t.Errorf("%d×%d, row %d: %v, want %v", c.across, c.down, y, got, want)
			}
		}
	}
}

// TestRGB: each colour is its equation's, rounded, for all luminance and chroma.
func TestRGB(t *testing.T) {
	const red, greenCb, greenCr, blue = 91881, 22554, 46802, 116130 // in 1/65536
	round := func(v int) int { return int(math.Floor(float64(v)/65536 + 0.5)) }
	byteOf := func(v int) uint8 { return uint8(min(max(v, 0), 255)) }
	light, cbs, crs := make([]uint8, 256), make([]uint8, 256), make([]uint8, 256)
	for i := range light {
		light[i] = uint8(i)
	}
	dst := make([]uint8, 4*256)
	for cb := range 256 {
		for cr := range 256 {
			for i := range light {
				cbs[i], crs[i], dst[4*i+3] = uint8(cb), uint8(cr), 9
			}
			RGB(dst, 4, light, cbs, crs)
			for y := range 256 {
				u, v := cb-128, cr-128
				want := [4]uint8{byteOf(y + round(red*v)), byteOf(y + round(-greenCb*u-greenCr*v)), byteOf(y + round(blue*u)), 9}
				if got := [4]uint8(dst[4*y:]); got != want {
					t.Fatalf("Y %d, Cb %d, Cr %d: %v, want %v", y, cb, cr, got, want)
				}
			}
		}
	}
}
