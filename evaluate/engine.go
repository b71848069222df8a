package evaluate

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/memory"
	"vgg/internal/ordered"
	"vgg/internal/text"
)

// engine predicts the pictures of a split. Their crops wait in batches, one for each shape, until a batch is full or
// too much is waiting.
type engine struct {
	models    []*Model
	croppings [][]cropping // of each model
	split     dataset.Split
	options   Options
	features  int   // of a picture, if they are wanted
	prepared  bool  // the nets' filters, which changes the last bits
	kept      bool  // they are; else they are prepared anew for each batch
	memory    int64 // bytes that they, and a view of a picture, may take

	pictures []*picture // begun and not delivered yet, in the split's order
	batches  []*batch   // of crops that wait, in the order of their first crops
	waiting  int        // pixels of those crops
	waited   time.Duration
	free     sync.Pool // of *[]float32, the values of crops that were computed
}

// picture is a picture whose prediction is not complete, or waits for that of an earlier picture.
type picture struct {
	Prediction
	located
	maps    []outputMap
	missing int // crops that are not computed yet
}

// batch holds crops of one shape, of several pictures, that will be computed together.
type batch struct {
	shape
	crops []*crop
}

// shape is what the crops of a batch have in common.
type shape struct {
	model         int // index
	height, width int
	dense         bool
	layer         string // whose outputs are wanted too, "" for none
}

func (s shape) pixels() int { return s.height * s.width }

// crop is a crop for one of the nets.
type crop struct {
	shape
	values                []float32 // (C, Height, Width), normalised
	weight, featureWeight float64   // in the picture's means
	at                    augment.Crop
	protocol              configs.Protocol
	mapped                bool // the outputs of the layer are wanted as a map, rather than as features
	picture               *picture
}

func newEngine(models []*Model, split dataset.Split, o Options) (*engine, error) {
	o = o.withDefaults()
	if err := check(models, split, o); err != nil {
		return nil, err
	}
	var croppings [][]cropping
	for _, m := range models {
		croppings = append(croppings, m.croppings(o, 1/float64(len(models))))
	}
	e, err := engineFor(models, croppings, split, o)
	if err != nil {
		return nil, err
	}
	if o.Features != "" {
		if e.features, err = models[0].FeatureWidth(o.Features); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// engineFor makes an engine for models that are checked, with the croppings of each.
func engineFor(models []*Model, croppings [][]cropping, split dataset.Split, o Options) (*engine, error) {
	e := &engine{models: models, croppings: croppings, split: split, options: o, memory: memory.Limit() / 2 / int64(o.World.Neighbours())}
	e.prepared = float64(split.Len())*e.batchesOfPicture() >= preparedBatches // whatever the memory: the bits depend on it
	if !e.prepared {
		return e, nil
	}
	bytes, err := e.filterBytes()
	e.kept = bytes <= e.memory
	return e, err
}

// preparedBatches is the least number of batches for which it pays to prepare filters, which takes longer than a batch
// gains (go test -run x -bench Prepared -benchtime 5x ./evaluate).
const preparedBatches = 8

// cropsOfPicture is the most crops that a picture has.
func (e *engine) cropsOfPicture() (crops int) {
	for _, croppings := range e.croppings {
		for _, c := range croppings {
			crops += c.mostCrops()
		}
	}
	return crops
}

// batchesOfPicture is about the number of batches that the crops of a picture fill: see size.
func (e *engine) batchesOfPicture() (batches float64) {
	least := 1 / float64(e.options.Batch) // of a crop
	for i, croppings := range e.croppings {
		for _, c := range croppings {
			part := least
			if c.protocol == configs.Dense {
				side := float64(c.scale) / float64(e.models[i].Info.Input)
				part = max(least, min(0.5, least*side*side))
			}
			batches += part * float64(c.mostCrops())
		}
	}
	return batches
}

// run calls each with what result makes of every picture.
func run[T any](ctx context.Context, e *engine, result func(*picture) (T, error), each func(T) error) error {
	if e.options.World.Size() > 1 {
		return runShared(ctx, e, result, each)
	}
	pictures, _ := e.share()
	of := func(p *picture) error {
		r, err := result(p)
		if err != nil {
			return err
		}
		return each(r)
	}
	return e.sequence(ctx, pictures, of, e.skip, func() error { return nil })
}

// sequence predicts pictures in their order, and calls each with every picture, skip with every picture that cannot be
// read, and blockEnd after every block. While a batch is computed, other goroutines read and crop the next pictures.
func (e *engine) sequence(ctx context.Context, pictures []int, each func(*picture) error, skip func(int, error) error, blockEnd func() error) error {
	size := e.blockSize()
	idle := time.Now()
	for k, read := range ordered.Map(ctx, len(pictures), e.ahead(), func(k int) pictureCrops { return e.read(pictures[k]) }) {
		e.waited += time.Since(idle)
		i := pictures[k]
		if read.err == nil {
			if err := e.add(ctx, i, read); err != nil {
				return err
			}
		} else if stop := skip(i, read.err); stop != nil {
			if err := e.finish(ctx, each); err != nil {
				return err
			}
			return stop
		}
		if err := e.deliver(each); err != nil {
			return err
		}
		if k+1 == len(pictures) || pictures[k+1]/size != i/size {
			if err := e.finish(ctx, each); err != nil {
				return err
			}
			if err := blockEnd(); err != nil {
				return err
			}
		}
		idle = time.Now()
	}
	return ctx.Err()
}

// finish computes what waits, and delivers it.
func (e *engine) finish(ctx context.Context, each func(*picture) error) error {
	for len(e.batches) > 0 {
		if err := e.compute(ctx, e.batches[0]); err != nil {
			return err
		}
	}
	return e.deliver(each)
}

func (e *engine) skip(picture int, reason error) error {
	if e.options.Skip == nil {
		return reason
	}
	return e.options.Skip(picture, reason)
}

// ahead is the number of pictures to read ahead: enough for two batches.
func (e *engine) ahead() int { return 2 * e.options.Batch / e.cropsOfPicture() } // ordered.Map makes it 1 or more

// pictureCrops are the crops of a picture, or the reason why it cannot be read.
type pictureCrops struct {
	located
	crops []*crop
	err   error
}

// read reads a picture and crops it for all models. It runs on several goroutines at once.
func (e *engine) read(i int) (read pictureCrops) {
	p, objects, err := locate(e.split, i)
	if err != nil {
		return pictureCrops{err: err}
	}
	read.located = located{augment.Picture{Width: p.Width, Height: p.Height, Channels: p.Channels}, objects}
	for index, m := range e.models {
		if p.Channels != m.Info.Channels {
			return pictureCrops{err: errors.Errorf("%s has %s, and %s is for %d: give pictures as it was trained on", e.split.Name(i), text.Count(p.Channels, "channel"), m.Name, m.Info.Channels)}
		}
		for _, way := range e.croppings[index] {
			crops := way.crops(p, m.Info.Input)
			for j, at := range crops {
				c := &crop{shape: shape{index, at.Height, at.Width, way.protocol == configs.Dense, way.layer}, at: at, protocol: way.protocol, mapped: way.mapped}
				if err := e.fits(c.shape); err != nil {
					return pictureCrops{err: errors.Wrap(err, e.split.Name(i))}
				}
				c.weight, c.featureWeight = way.weights(j, len(crops))
				c.values = e.buffer(p.Channels * c.pixels())
				if err := m.transform.Crop(c.values, p, at); err != nil {
					return pictureCrops{err: errors.Wrap(err, e.split.Name(i))}
				}
				read.crops = append(read.crops, c)
			}
		}
	}
	return read
}

// buffer gives a slice of n values, which may be one of a crop that was computed: fresh memory takes longer to fill.
func (e *engine) buffer(n int) []float32 {
	if used, ok := e.free.Get().(*[]float32); ok && cap(*used) >= n {
		return (*used)[:n]
	}
	return make([]float32, n)
}

// mostWaiting bounds the memory of crops that wait, in full batches of crops of the input's size.
const mostWaiting = 4

// add puts the crops of a picture into batches and computes those that are full, and more if too much is waiting.
func (e *engine) add(ctx context.Context, i int, read pictureCrops) error {
	p := &picture{missing: len(read.crops), located: read.located, Prediction: Prediction{Picture: i, Class: e.split.Label(i)}}
	info := e.models[0].Info
	p.Probabilities, p.Logits = make([]float64, len(info.Classes)), make([]float64, len(info.Classes))
	if e.options.Features != "" {
		p.Features = make([]float64, e.features)
	}
	e.pictures = append(e.pictures, p)
	for _, c := range read.crops {
		c.picture = p
		b := e.batch(c.shape)
		b.crops = append(b.crops, c)
		e.waiting += c.pixels()
		if len(b.crops) == e.size(c.shape) {
			if err := e.compute(ctx, b); err != nil {
				return err
			}
		}
	}
	for e.waiting > mostWaiting*e.options.Batch*info.Input*info.Input {
		if err := e.compute(ctx, e.largest()); err != nil {
			return err
		}
	}
	if len(e.pictures) > 2*e.options.Batch {
		return e.complete(ctx, e.pictures[0])
	}
	return nil
}

// size is the number of crops in a full batch of a shape. A batch of dense crops has at most as many pixels as one of
// crops of the input's size, except that a crop and its mirrored one stay together.
func (e *engine) size(s shape) int {
	input := e.models[s.model].Info.Input
	pixels := float64(s.height) * float64(s.width) // may exceed an int
	return min(e.options.Batch, max(2, int(float64(e.options.Batch*input*input)/pixels)))
}

// batch gives the batch of a shape that is not full yet.
func (e *engine) batch(s shape) *batch {
	for _, b := range e.batches {
		if b.shape == s {
			return b
		}
	}
	b := &batch{shape: s}
	e.batches = append(e.batches, b)
	return b
}

// largest is the batch with the most pixels.
func (e *engine) largest() *batch {
	return slices.MaxFunc(e.batches, func(a, b *batch) int { return len(a.crops)*a.pixels() - len(b.crops)*b.pixels() })
}

// complete computes the batches that hold crops of a picture.
func (e *engine) complete(ctx context.Context, p *picture) error {
	for _, b := range slices.Clone(e.batches) {
		if !slices.ContainsFunc(b.crops, func(c *crop) bool { return c.picture == p }) {
			continue
		}
		if err := e.compute(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// compute computes a batch and adds the results to the means of its pictures. One that is not full gets a graph of its
// size, since padding would cost more than the graph.
func (e *engine) compute(ctx context.Context, b *batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	rows := len(b.crops)
	r, err := e.models[b.model].runner(e.purpose(b.shape, rows))
	if err != nil {
		return err
	}
	if err := r.run(b.crops); err != nil {
		return err
	}
	for row, c := range b.crops {
		if err := r.addTo(c, row); err != nil {
			return errors.Wrapf(err, "evaluate: %s, shown %s", e.models[b.model].Name, e.split.Name(c.picture.Picture))
		}
		c.picture.missing--
		e.free.Put(&c.values)
	}
	e.waiting -= rows * b.pixels()
	e.batches = slices.DeleteFunc(e.batches, func(other *batch) bool { return other == b })
	return nil
}

// purpose is that of a graph for batches of a shape.
func (e *engine) purpose(s shape, rows int) purpose {
	return purpose{rows, s.height, s.width, s.dense, e.prepared, e.kept, s.layer}
}

// deliver calls each with the pictures that are complete, up to the first that is not.
func (e *engine) deliver(each func(*picture) error) error {
	for len(e.pictures) > 0 && e.pictures[0].missing == 0 {
		p := e.pictures[0]
		e.pictures = e.pictures[1:]
		p.Norm = normalise(p.Features)
		if err := each(p); err != nil {
			return err
		}
	}
	return nil
}
