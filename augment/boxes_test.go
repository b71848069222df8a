package augment

import (
	"math"
	"math/rand/v2"
	"testing"

	"vgg/boxes"
	"vgg/configs"
)

// A box moves, shrinks and is mirrored with its crop as a mask of it does, and comes back.
func TestBoxFollowsCrop(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 400 {
		width, height := 8+r.IntN(60), 8+r.IntN(60)
		left, top := r.IntN(width-4), r.IntN(height-4)
		right, bottom := left+3+r.IntN(width-left-3), top+3+r.IntN(height-top-3)
		p := Picture{width, height, 1, make([]uint8, width*height)}
		for k := range p.Pix {
			if x, y := k%width, k/width; x >= left && x < right && y >= top && y < bottom {
				p.Pix[k] = 255
			}
		}
		tr := Transform{Size: 24, Scale: configs.Scale{Min: 16, Max: 48}, RandomCrop: true, Pad: 4, Flip: true, Mean: []float64{0}, Std: []float64{1}}
		if i%4 == 0 {
			tr.Scale = configs.Scale{} // not resized, and maybe smaller than the crop
		}
		dst := make([]float32, 24*24)
		if err := tr.Augment(dst, p, 1, 2, i); err != nil {
			t.Fatal(err)
		}
		crop := tr.TrainingCrop(p, 1, 2, i)
		whole := boxes.Box{XMin: float64(left), YMin: float64(top), XMax: float64(right), YMax: float64(bottom)}.Scale(1/float64(width), 1/float64(height))
		b := crop.InCrop(p, whole)
		if back := crop.InPicture(p, b); boxes.IoU(back, whole) < 1-1e-9 {
			t.Fatalf("%v in %+v and back is %v", whole, crop, back)
		}
		mirrored := crop
		mirrored.Mirrored = !crop.Mirrored
		if twice := mirrored.InCrop(p, whole).Mirror(1); math.Abs(twice.XMin-b.XMin) > 1e-9 || math.Abs(twice.XMax-b.XMax) > 1e-9 {
			t.Fatalf("%v mirrored twice is %v", b, twice)
		}
		b = b.Scale(24, 24)
		for k, v := range dst { // a pixel whose middle is well inside the box is white, one that is well outside black
			const blur = 4
			x, y := float64(k%24)+0.5, float64(k/24)+0.5
			inside := min(x-b.XMin, b.XMax-x, y-b.YMin, b.YMax-y)
			if inside > blur && v < 200 || inside < -blur && v > 55 {
				t.Fatalf("%+v: pixel %g, %g is %g, the box %v", crop, x, y, v, b)
			}
		}
	}
}
