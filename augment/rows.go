package augment

import (
	"image"

	"golang.org/x/image/draw"

	"vgg/internal/chroma"
)

// rgbRows gives a function that writes row y of an image as RGB. It is to be called for one row after another.
func rgbRows(img image.Image) func(dst []uint8, y int) {
	b := img.Bounds()
	switch img := img.(type) {
	case *image.Gray:
		return func(dst []uint8, y int) {
			for i, v := range img.Pix[img.PixOffset(b.Min.X, y):][:b.Dx()] {
				to := dst[3*i : 3*i+3]
				to[0], to[1], to[2] = v, v, v
			}
		}
	case *image.RGBA:
		if img.Opaque() {
			return func(dst []uint8, y int) { dropAlpha(dst, img.Pix[img.PixOffset(b.Min.X, y):]) }
		}
	case *image.NRGBA:
		if img.Opaque() {
			return func(dst []uint8, y int) { dropAlpha(dst, img.Pix[img.PixOffset(b.Min.X, y):]) }
		}
	case *image.CMYK:
		return func(dst []uint8, y int) { fromCMYK(dst, img.Pix[img.PixOffset(b.Min.X, y):]) }
	case *image.YCbCr:
		return chromaRows(img)
	case *image.NYCbCrA:
		rows := chromaRows(&img.YCbCr)
		return func(dst []uint8, y int) {
			rows(dst, y)
			overWhite(dst, img.A[img.AOffset(b.Min.X, y):][:b.Dx()])
		}
	}
	opaque, ok := img.(interface{ Opaque() bool })
	covers := ok && opaque.Opaque()
	row := image.NewRGBA(image.Rect(0, 0, b.Dx(), 1))
	return func(dst []uint8, y int) {
		op := draw.Src
		if !covers {
			draw.Draw(row, row.Rect, image.White, image.Point{}, draw.Src)
			op = draw.Over
		}
		draw.Draw(row, row.Rect, img, image.Pt(b.Min.X, y), op)
		dropAlpha(dst, row.Pix)
	}
}

func dropAlpha(dst, rgba []uint8) {
	for len(dst) >= 3 {
		from := rgba[:4]
		dst[2], dst[1], dst[0] = from[2], from[1], from[0]
		dst, rgba = dst[3:], rgba[4:]
	}
}

func chromaRows(img *image.YCbCr) func(dst []uint8, y int) {
	rows := chroma.Rows(img)
	return func(dst []uint8, y int) {
		light, cb, cr := rows(y)
		chroma.RGB(dst, 3, light, cb, cr)
	}
}

// fromCMYK turns ink into light: what black lets through, times what the colour's ink lets through.
func fromCMYK(dst, cmyk []uint8) {
	for len(dst) >= 3 {
		from := cmyk[:4]
		light := 255 - int(from[3])
		for c := range 3 {
			dst[c] = uint8(light - divide255(light*int(from[c])))
		}
		dst, cmyk = dst[3:], cmyk[4:]
	}
}

// overWhite lays pixels, not multiplied by their alpha, on white.
func overWhite(rgb, alpha []uint8) {
	for i, a := range alpha {
		for c := range 3 {
			v := &rgb[3*i+c]
			*v = uint8(255 - divide255(int(a)*(255-int(*v))))
		}
	}
}

// divide255 is v/255, rounded, of a product of two bytes.
func divide255(v int) int { return (v + 127) / 255 }
