package annotations

import (
	"math"
	"slices"

	"github.com/pkg/errors"

	"vgg/boxes"
)

// Object is an object in a picture.
type Object struct {
	Class string    // its name, such as a WNID
	Box   boxes.Box // see Picture
}

// Picture is what a file says of one picture. Boxes are inside it.
type Picture struct {
	Objects []Object
	// InPixels tells that boxes are in pixels of the stored picture, since its size is not given; else they are shares of
	// its sides. They are so of the size in the file, which need not be the picture's: copies are made in other sizes.
	InPixels bool
	Odd      Odd
}

// Odd counts what was put right, or left out.
type Odd struct {
	Swapped int // boxes whose edges are in the wrong order
	Clipped int // boxes that reach over the picture's edge
	Outside int // boxes that are wholly outside, and left out
}

// Add adds another count.
func (o *Odd) Add(other Odd) {
	o.Swapped += other.Swapped
	o.Clipped += other.Clipped
	o.Outside += other.Outside
}

// add adds an object whose box is in pixels, counted from 1, the last inclusive. The picture's sides are 0 if they are
// not given.
func (p *Picture) add(class string, corners [4]float64, width, height float64) error {
	for _, v := range corners {
		if math.IsNaN(v) || math.Abs(v) > mostPixels {
			return errors.Errorf("a box of %.40q with an edge at %g", class, v)
		}
	}
	fraction := slices.ContainsFunc(corners[:], func(v float64) bool { return v != math.Trunc(v) })
	if fraction && slices.Min(corners[:]) >= 0 && slices.Max(corners[:]) <= 1 {
		return errors.Errorf("a box of %.40q from %g,%g to %g,%g looks as if it were in shares of the picture's sides: want pixels", class, corners[0], corners[1], corners[2], corners[3])
	}
	xmin, ymin, xmax, ymax := corners[0], corners[1], corners[2], corners[3]
	if xmin > xmax || ymin > ymax {
		p.Odd.Swapped++
		xmin, xmax, ymin, ymax = min(xmin, xmax), max(xmin, xmax), min(ymin, ymax), max(ymin, ymax)
	}
	b := boxes.FromPixels(xmin, ymin, xmax, ymax)
	if p.InPixels = width == 0; !p.InPixels {
		inside, over := Inside(b, width, height)
		switch {
		case inside.Empty():
			p.Odd.Outside++
			return nil
		case over:
			p.Odd.Clipped++
		}
		b = inside.Scale(1/width, 1/height)
	}
	p.Objects = append(p.Objects, Object{class, b})
	return nil
}

// mostPixels is the largest side of a picture that a file may speak of.
const mostPixels = 1 << 24

// Inside is the part of a box in pixels that is in a picture. It reaches over the edge if that is by more than a pixel:
// many files count from 0.
func Inside(b boxes.Box, width, height float64) (inside boxes.Box, over bool) {
	over = b.XMin < -1 || b.YMin < -1 || b.XMax > width+1 || b.YMax > height+1
	return b.Clip(boxes.Box{XMax: width, YMax: height}), over
}
