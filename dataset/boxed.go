package dataset

import (
	"math/rand/v2"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/configs"
	"vgg/internal/splitmix"
)

// Instance is an object in a picture, with its box in shares of the upright picture's sides, inside the picture.
type Instance struct {
	boxes.Box
	Class int // -1: no class of the set
}

// Boxed is a split that knows where the objects in its pictures are.
type Boxed interface {
	Split
	// HasBox tells, without reading picture i, whether there is a box of an object of its class.
	HasBox(i int) bool
	// Located is Picture, and the objects in it. It is an error too if a box cannot be that of the picture.
	Located(i int) (augment.Picture, []Instance, error)
	// Orientation is EXIF's number, from 1 to 8, for how stored picture i was turned to be upright, as boxes.Box.Turn
	// takes it. It reads the picture's file, if it has one.
	Orientation(i int) (uint16, error)
}

// WithBoxes are the pictures of a split that have a box of their class, and the number of those without. It is an error
// if no picture has any.
func WithBoxes(split Split) (with Boxed, without int, err error) {
	b, ok := split.(Boxed)
	if !ok {
		return nil, split.Len(), errNoBoxes
	}
	var at []int
	for i := range b.Len() {
		if b.HasBox(i) {
			at = append(at, i)
		}
	}
	switch len(at) {
	case 0:
		return nil, b.Len(), errNoBoxes
	case b.Len():
		return b, 0, nil
	}
	return Pick(b, at).(Boxed), b.Len() - len(at), nil
}

var errNoBoxes = errors.New("dataset: no picture has a box: want a set with boxes beside its pictures, or " + EmbeddedScenes)

// checkBoxes refuses wrong options, and boxes of a split that has none.
func checkBoxes(o *configs.Boxes, split Split) error {
	if o == nil {
		return nil
	}
	switch {
	case o.Target != configs.TargetLargest && o.Target != configs.TargetRandom:
		return errors.Errorf("dataset: the target %q of several instances: want %s or %s", o.Target, configs.TargetLargest, configs.TargetRandom)
	case !(o.MinInView >= 0 && o.MinInView <= 1):
		return errors.Errorf("dataset: a box with a share of %g in view: want 0 to 1", o.MinInView)
	}
	_, _, err := WithBoxes(split)
	return errors.WithMessage(err, "a loader of boxes needs a set that was opened with Options.Boxes")
}

// read reads a picture, with its objects if they are wanted.
func (l *Loader) read(picture int) (p augment.Picture, objects []Instance, err error) {
	if l.options.Boxes == nil {
		p, err = pictureOf(l.split, picture, l.channels)
		return p, nil, err
	}
	if p, objects, err = l.split.(Boxed).Located(picture); err == nil {
		err = checkChannels(p, l.split, picture, l.channels)
	}
	return p, objects, err
}

// locate fills a row of a batch with the boxes of the crop that was taken of a picture.
func (l *Loader) locate(b *Batch, row int, p augment.Picture, objects []Instance, epoch, picture int) {
	o := l.options
	crop := o.Transform.ValidationCrop(p)
	if o.Training {
		crop = o.Transform.TrainingCrop(p, o.Seed, epoch, picture)
	}
	var seen []boxes.Box
	for _, object := range objects {
		if object.Class != b.Labels[row] {
			continue
		}
		inCrop := crop.InCrop(p, object.Box)
		b.Instances[row] = append(b.Instances[row], inCrop)
		if inCrop.InView(boxes.Unit) >= o.Boxes.MinInView && !inCrop.Clip(boxes.Unit).Empty() {
			seen = append(seen, inCrop)
		}
	}
	if len(seen) == 0 && !o.Training {
		seen = b.Instances[row]
	}
	if len(seen) == 0 {
		b.Labels[row], b.Instances[row] = -1, nil
		return
	}
	target := largest(seen)
	if o.Training && o.Boxes.Target == configs.TargetRandom {
		target = seen[drawTarget(o.Seed, epoch, picture, len(seen))]
	}
	if o.Boxes.Clip {
		target = target.Clip(boxes.Unit)
	}
	x, y, width, height := target.Centre()
	copy(b.Boxes[configs.BoxNumbers*row:], []float32{float32(x), float32(y), float32(width), float32(height)})
}

// largest is the box with the largest part in the crop.
func largest(all []boxes.Box) boxes.Box {
	found := all[0]
	for _, b := range all[1:] {
		if b.Clip(boxes.Unit).Area() > found.Clip(boxes.Unit).Area() {
			found = b
		}
	}
	return found
}

// drawTarget draws one of n instances, unrelated to the draws of the transform.
func drawTarget(seed uint64, epoch, picture, n int) int {
	r := rand.New(rand.NewPCG(splitmix.Mix(seed)^splitmix.Gamma, splitmix.Mix(uint64(epoch))+uint64(picture)))
	return r.IntN(n)
}
