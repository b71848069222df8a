// Command jpegs draws pictures, and compares the pixels that our code decodes from JPEGs of them with those of other
// programs. peers/check-jpeg has the others encode and decode.
package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/dataset"
	"vgg/internal/cli"
)

type flags struct {
	Draw   bool   `help:"Write pictures as PPM into the folder."`
	Folder string `arg:"" help:"Of the pictures, or of NAME.jpg and NAME.ppm with its pixels."`
}

func main() {
	var f flags
	cli.Main("jpegs", "Compare the pixels of JPEGs with those that other programs decode.", &f, func(context.Context) error {
		if f.Draw {
			return draw(f.Folder)
		}
		return compare(f.Folder)
	})
}

// draw writes two large pictures and small ones of all sides from 1 to 9, and 17 and 18.
func draw(folder string) error {
	sizes := []image.Point{{500, 375}, {331, 499}}
	for _, width := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 18} {
		for _, height := range []int{1, 2, 3, 4, 5, 9, 17, 18} {
			sizes = append(sizes, image.Pt(width, height))
		}
	}
	for i, size := range sizes {
		p := photograph(rand.New(rand.NewPCG(1, uint64(i))), size)
		ppm := fmt.Appendf(nil, "P6\n%d %d\n255\n%s", p.Width, p.Height, p.Pix)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%03d.ppm", i)), ppm, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// photograph is a picture with what photographs have: slow changes, edges, and noise, most of it of luminance.
func photograph(r *rand.Rand, size image.Point) augment.Picture {
	p := augment.Picture{Width: size.X, Height: size.Y, Channels: 3, Pix: make([]uint8, 3*size.X*size.Y)}
	var waves [18][4]float64
	for i := range waves {
		waves[i] = [4]float64{0.06 * r.NormFloat64(), 0.06 * r.NormFloat64(), 7 * r.Float64(), 10 + 25*r.Float64()}
	}
	type disc struct{ x, y, radius, red, green, blue float64 }
	discs := make([]disc, 25)
	for i := range discs {
		discs[i] = disc{r.Float64() * float64(size.X), r.Float64() * float64(size.Y), 3 + 57*r.Float64(), 255 * r.Float64(), 255 * r.Float64(), 255 * r.Float64()}
	}
	for i := range size.X * size.Y {
		x, y := float64(i%size.X), float64(i/size.X)
		colour := [3]float64{128, 128, 128}
		for k, w := range waves {
			colour[k%3] += w[3] * math.Sin(w[0]*x+w[1]*y+w[2])
		}
		for _, d := range discs {
			if math.Hypot(x-d.x, y-d.y) < d.radius {
				for c, v := range [3]float64{d.red, d.green, d.blue} {
					colour[c] = 0.2*colour[c] + 0.8*v
				}
			}
		}
		grain := 5 * r.NormFloat64()
		for c, v := range colour {
			p.Pix[3*i+c] = uint8(min(max(v+grain+2*r.NormFloat64(), 0), 255))
		}
	}
	return p
}

// difference counts samples by how far they are from the others' samples.
type difference struct {
	samples, equal, near, most int
	squares                    float64
}

func (d *difference) add(ours, theirs []uint8) error {
	if len(ours) != len(theirs) {
		return errors.Errorf("%d samples: want %d", len(ours), len(theirs))
	}
	for i, v := range ours {
		off := max(int(v)-int(theirs[i]), int(theirs[i])-int(v))
		d.samples++
		d.most = max(d.most, off)
		d.squares += float64(off * off)
		if off <= 1 {
			d.near++
		}
		if off == 0 {
			d.equal++
		}
	}
	return nil
}

func (d difference) percent(n int) float64 { return 100 * float64(n) / float64(max(1, d.samples)) }
func (d difference) rms() float64          { return math.Sqrt(d.squares / float64(max(1, d.samples))) }

// compare prints what decoded files have in common with the others' pixels.
func compare(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.jpg"))
	if err != nil || len(files) == 0 {
		return errors.Errorf("folder %s: no JPEGs", folder)
	}
	var d difference
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		p, err := dataset.Decode(bytes.NewReader(data))
		if err != nil {
			return errors.Wrap(err, file)
		}
		want, err := readPPM(strings.TrimSuffix(file, ".jpg")+".ppm", p.Width, p.Height)
		if err != nil {
			return err
		}
		if err := d.add(p.Pix, want); err != nil {
			return errors.Wrap(err, file)
		}
	}
	fmt.Printf("%9d  %7.3f  %7.3f  %4d  %5.3f\n", d.samples, d.percent(d.equal), d.percent(d.near), d.most, d.rms())
	if d.equal < d.samples {
		return errors.New("not the same pixels")
	}
	return nil
}

func readPPM(file string, width, height int) ([]uint8, error) {
	data, err := os.ReadFile(file)
	pixels, ok := bytes.CutPrefix(data, fmt.Appendf(nil, "P6\n%d %d\n255\n", width, height))
	if err == nil && !ok {
		err = errors.Errorf("%s: not a PPM of %d×%d", file, width, height)
	}
	return pixels, err
}
