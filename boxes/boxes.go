package boxes

// Box is a rectangle with continuous edges: x to the right, y down. A pixel in column i covers x from i to i+1. A box
// of pixels from xmin to xmax inclusive, counted from 1, as VOC and ILSVRC have them, thus has the edges xmin-1 and
// xmax (see FromPixels).
type Box struct{ XMin, YMin, XMax, YMax float64 }

// Unit is the whole picture or crop, where edges are shares of its sides.
var Unit = Box{XMax: 1, YMax: 1}

// FromPixels is the box of pixels that are counted from 1, the first and the last inclusive.
func FromPixels(xmin, ymin, xmax, ymax float64) Box { return Box{xmin - 1, ymin - 1, xmax, ymax} }

// Pixels is the reverse of FromPixels.
func (b Box) Pixels() (xmin, ymin, xmax, ymax float64) { return b.XMin + 1, b.YMin + 1, b.XMax, b.YMax }

// FromCentre is the box around a centre: the four numbers that a net predicts.
func FromCentre(x, y, width, height float64) Box {
	return Box{x - width/2, y - height/2, x + width/2, y + height/2}
}

// Centre is the reverse of FromCentre.
func (b Box) Centre() (x, y, width, height float64) {
	return (b.XMin + b.XMax) / 2, (b.YMin + b.YMax) / 2, b.XMax - b.XMin, b.YMax - b.YMin
}

// Empty tells a box without area, also one whose edges are in the wrong order or not numbers.
func (b Box) Empty() bool { return !(b.XMin < b.XMax && b.YMin < b.YMax) }

// Area is 0 if the box is empty.
func (b Box) Area() float64 {
	if b.Empty() {
		return 0
	}
	return (b.XMax - b.XMin) * (b.YMax - b.YMin)
}

// Clip is the part of a box inside another; if there is none, an empty box on its edge.
func (b Box) Clip(to Box) Box {
	inX, inY := func(x float64) float64 { return min(max(x, to.XMin), to.XMax) }, func(y float64) float64 { return min(max(y, to.YMin), to.YMax) }
	return Box{inX(b.XMin), inY(b.YMin), inX(b.XMax), inY(b.YMax)}
}

// InView is the share of a box that is inside another, from 0 to 1; 0 if the box is empty.
func (b Box) InView(of Box) float64 {
	if b.Empty() {
		return 0
	}
	return b.Clip(of).Area() / b.Area()
}

// MinIoU is the intersection over union with an object from which on a box is right: in test 2, by ILSVRC's measure,
// MinIoU itself is enough.
const MinIoU = 0.5

// RightInTest1 is the rule of test 1 as appendix A prints it: more than MinIoU.
func RightInTest1(iou float64) bool { return iou > MinIoU }

// IoU is the intersection over union of two boxes, from 0 to 1; 0 if one of them is empty.
func IoU(a, b Box) float64 {
	if a.Empty() || b.Empty() {
		return 0
	}
	both := a.Clip(b).Area()
	return both / (a.Area() + b.Area() - both)
}

// Scale multiplies all x and all y: shares become pixels by width and height of the picture, and back by 1 over them.
func (b Box) Scale(x, y float64) Box { return Box{b.XMin * x, b.YMin * y, b.XMax * x, b.YMax * y} }

// Move adds to all x and all y.
func (b Box) Move(x, y float64) Box { return Box{b.XMin + x, b.YMin + y, b.XMax + x, b.YMax + y} }

// Mirror swaps left and right in a picture of some width. Twice is the identity, up to rounding.
func (b Box) Mirror(width float64) Box { return Box{width - b.XMax, b.YMin, width - b.XMin, b.YMax} }

// flip swaps top and bottom.
func (b Box) flip(height float64) Box { return Box{b.XMin, height - b.YMax, b.XMax, height - b.YMin} }

// Turn follows a picture that is stored as an EXIF orientation from 1 to 8 says and is turned upright: from shares of
// the stored picture's sides to shares of the upright one's. Other numbers turn nothing, as in decoding.
func (b Box) Turn(orientation uint16) Box {
	switch orientation {
	case 2, 3, 7, 8:
		b = b.Mirror(1)
	}
	switch orientation {
	case 3, 4, 6, 7:
		b = b.flip(1)
	}
	switch orientation {
	case 5, 6, 7, 8:
		b = Box{b.YMin, b.XMin, b.YMax, b.XMax}
	}
	return b
}

// TurnBack is the reverse of Turn: from shares of the upright picture's sides to shares of the stored one's.
func (b Box) TurnBack(orientation uint16) Box {
	switch orientation {
	case 6: // a quarter turn, whose reverse is the other one
		orientation = 8
	case 8:
		orientation = 6
	}
	return b.Turn(orientation)
}
