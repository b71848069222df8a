package generalise

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/dataset/transfer"
	"vgg/internal/ordered"
	"vgg/internal/threads"
)

// Regions are the parts of a picture that features are of.
type Regions string

const (
	WholePicture  Regions = "picture"
	PictureAndBox Regions = "picture-and-box" // the picture, and the sample's box: actions only
)

// Progress is told how much of a task of several steps is done. A bar.Bar is one.
type Progress interface {
	Restart(steps int)
	Set(step int, what string)
}

type noProgress struct{}

func (noProgress) Restart(int)     {}
func (noProgress) Set(int, string) {}

// Pictures are the pictures of a set that its splits use, and, with PictureAndBox, what is in the samples' boxes.
type Pictures struct {
	set      *transfer.Set
	samples  []int    // of the set, rising
	regions  [][]int  // of each sample, its items
	items    []item   // without repetition
	content  [32]byte // a hash of all items
	progress Progress
}

// item is a picture, or what is in the box of a sample.
type item struct {
	sample int // one of those in the picture
	box    bool
}

// Read reads the pictures of a set, to know that all can be read and which features of a cache are theirs. It keeps
// none in memory. progress may be nil.
func Read(ctx context.Context, set *transfer.Set, regions Regions, progress Progress) (*Pictures, error) {
	switch {
	case regions != WholePicture && regions != PictureAndBox:
		return nil, errors.Errorf("regions %q: want %s or %s", regions, WholePicture, PictureAndBox)
	case regions == PictureAndBox && set.Task != transfer.Action:
		return nil, errors.Errorf("regions %s: the samples of %s have no boxes: want %s, or the task %s", regions, set.Name, WholePicture, transfer.Action)
	}
	if progress == nil {
		progress = noProgress{}
	}
	p := &Pictures{set: set, progress: progress}
	for _, s := range set.Splits {
		p.samples = slices.Concat(p.samples, s.Train, s.Val, s.Test)
	}
	slices.Sort(p.samples)
	p.samples = slices.Compact(p.samples)
	whole := map[int]int{} // by picture
	for _, sample := range p.samples {
		picture := set.Samples[sample].Picture
		if _, known := whole[picture]; !known {
			whole[picture] = len(p.items)
			p.items = append(p.items, item{sample: sample})
		}
		of := []int{whole[picture]}
		if regions == PictureAndBox {
			of = append(of, len(p.items))
			p.items = append(p.items, item{sample, true})
		}
		p.regions = append(p.regions, of)
	}
	return p, p.hash(ctx)
}

// Len is the number of pictures and boxes.
func (p *Pictures) Len() int { return len(p.items) }

// hash reads all items.
func (p *Pictures) hash(ctx context.Context) error {
	type result struct {
		sum [32]byte
		err error
	}
	sum := sha256.New()
	p.progress.Restart(len(p.items))
	for i, r := range ordered.Map(ctx, len(p.items), 2*threads.Count(), func(i int) (r result) {
		picture, err := p.picture(i)
		size := binary.LittleEndian.AppendUint64(nil, uint64(picture.Width))
		size = binary.LittleEndian.AppendUint64(size, uint64(picture.Channels))
		h := sha256.New()
		h.Write(size)
		h.Write(picture.Pix)
		return result{[32]byte(h.Sum(nil)), err}
	}) {
		if r.err != nil {
			return r.err
		}
		sum.Write(r.sum[:])
		p.progress.Set(i+1, "reading pictures")
	}
	p.content = [32]byte(sum.Sum(nil))
	return ctx.Err()
}

// picture is an item's, cut to its box.
func (p *Pictures) picture(i int) (augment.Picture, error) {
	at := p.items[i]
	picture, box, err := p.set.Located(at.sample)
	if err != nil || !at.box {
		return picture, err
	}
	return cut(picture, box), nil
}

// cut is the part of a picture in a box, in shares of its sides, with all pixels that the box touches.
func cut(p augment.Picture, b boxes.Box) augment.Picture {
	b = b.Scale(float64(p.Width), float64(p.Height))
	const rounding = 1e-6 // of pixels
	left, top := int(b.XMin+rounding), int(b.YMin+rounding)
	right, bottom := max(1, int(math.Ceil(b.XMax-rounding))), max(1, int(math.Ceil(b.YMax-rounding)))
	right, bottom = min(right, p.Width), min(bottom, p.Height)
	left, top = min(left, right-1), min(top, bottom-1)
	part := augment.Picture{Width: right - left, Height: bottom - top, Channels: p.Channels}
	for y := top; y < bottom; y++ {
		part.Pix = append(part.Pix, p.Pix[(y*p.Width+left)*p.Channels:(y*p.Width+right)*p.Channels]...)
	}
	return part
}

// block is neighbouring items as a dataset.Split of unknown classes, for a net.
type block struct {
	*Pictures
	first, n, channels int
}

func (b block) Len() int      { return b.n }
func (b block) Label(int) int { return -1 }

func (b block) Name(i int) string {
	at := b.items[b.first+i]
	name := b.set.Pictures.Name(b.set.Samples[at.sample].Picture)
	if at.box {
		name += ", box of an object"
	}
	return name
}

func (b block) Picture(i int) (augment.Picture, error) {
	p, err := b.picture(b.first + i)
	if err != nil {
		return p, err
	}
	return p.WithChannels(b.channels), nil
}
