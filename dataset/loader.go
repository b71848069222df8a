package dataset

import (
	"context"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/configs"
	"vgg/internal/threads"
)

// LoaderOptions say how a Loader makes batches.
type LoaderOptions struct {
	Batch     int
	Transform augment.Transform
	Seed      uint64
	Training  bool                 // shuffled in each epoch, augmented, an incomplete last batch dropped; false = in order, centre crops, the last batch padded
	Workers   int                  // goroutines that decode and augment; 0 = as many as processors in use
	Take      func(batch int) bool // which batches of an epoch are made, by number from 0; nil = all
	Skips     *Skips               // takes the pictures that cannot be read, whose rows then have label -1 and zero pixels; nil = the first is an error

	// Boxes says which box of a picture is the target; the split must be a Boxed one. All instances of the picture's class
	// are candidates; OverFeat (arXiv 1312.6229) does not train on boxes of which less than half is in view. In training, the
	// row of a picture without a candidate that is enough in view has label -1. Otherwise only that of a picture without any
	// instance has, the target is the largest, and if none is enough in view, all are candidates. nil = batches without boxes.
	Boxes *configs.Boxes
}

// Batch is a mini-batch of pictures.
type Batch struct {
	Pixels   []float32 // (N, C, Size, Size)
	Labels   []int     // (N), -1 in rows that do not count: padding of an incomplete batch, skipped pictures, those without a box that is wanted
	Pictures int       // rows that are not padding

	// With LoaderOptions.Boxes; else nil.
	Boxes     []float32     // (N, 4), the target: centre x and y, width and height of a box, or with Boxes.Clip of its part in the crop, as shares of the crop's side; zeros in rows of label -1
	Instances [][]boxes.Box // (N), all instances of the picture's class, as shares of the crop's side, not clipped: each of them may be found; none in rows of label -1
}

// Loader makes mini-batches of a split on background goroutines, ahead of their use. It serves one epoch at a time.
type Loader struct {
	split    Split
	channels int
	options  LoaderOptions
	waited   time.Duration
}

// NewLoader makes a loader of pictures with the given number of channels. It is an error if the transform is not valid
// for them, or if the pictures do not fill one batch in training.
func NewLoader(split Split, channels int, o LoaderOptions) (*Loader, error) {
	switch {
	case o.Batch < 1:
		return nil, errors.Errorf("dataset: a batch of %d pictures: want at least 1", o.Batch)
	case o.Workers < 0:
		return nil, errors.Errorf("dataset: %d workers: want 0 (one for each processor) or more", o.Workers)
	case o.Workers == 0:
		o.Workers = threads.Count()
	}
	if err := o.Transform.Validate(channels); err != nil {
		return nil, err
	}
	if err := checkBoxes(o.Boxes, split); err != nil {
		return nil, err
	}
	l := &Loader{split: split, channels: channels, options: o}
	if l.Len() == 0 {
		return nil, errors.Errorf("dataset: %d pictures do not fill one batch of %d: lower the batch or give more pictures", split.Len(), o.Batch)
	}
	return l, nil
}

// Len is the number of batches in an epoch, whether or not they are made.
func (l *Loader) Len() int {
	if l.options.Training {
		return l.split.Len() / l.options.Batch
	}
	return (l.split.Len() + l.options.Batch - 1) / l.options.Batch
}

// Waited is the time that the loop over the last Epoch spent waiting for batches.
func (l *Loader) Waited() time.Duration { return l.waited }

// ahead is the number of batches in memory: one in use and others being filled.
const ahead = 3

// job is a batch being filled.
type job struct {
	*Batch
	rows sync.WaitGroup
	once sync.Once
	err  error // of the first row that failed
}

// row asks a worker to fill one row of a batch with a picture.
type row struct {
	job            *job
	index, picture int
}

// Epoch gives the batches of an epoch, those that LoaderOptions.Take takes. A *Batch is valid until the next iteration.
// The batches are the same for any number of workers; leaving the loop early, or cancelling ctx, ends them. Errors: a
// picture cannot be read or transformed and is not skipped, or ctx is done.
func (l *Loader) Epoch(ctx context.Context, epoch int) iter.Seq2[*Batch, error] {
	return l.EpochFrom(ctx, epoch, 0)
}

// EpochFrom is Epoch from batch number first on, counting all, for a run that is resumed.
func (l *Loader) EpochFrom(ctx context.Context, epoch, first int) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		l.waited = 0
		rows, filling, free := make(chan row), make(chan *job, ahead), make(chan *Batch, ahead)
		size := l.channels * l.options.Transform.Size * l.options.Transform.Size
		for range ahead {
			free <- l.newBatch(size)
		}
		running.Go(func() { l.dispatch(ctx, epoch, first, rows, filling, free) })
		for range l.options.Workers {
			running.Go(func() {
				for r := range rows {
					if err := l.fill(r.job.Batch, r.index, epoch, r.picture); err != nil {
						r.job.Labels[r.index] = -1
						if err = l.options.Skips.Skip(l.split.Name(r.picture), err); err != nil {
							r.job.once.Do(func() { r.job.err = err })
						}
					}
					r.job.rows.Done()
				}
			})
		}
		for b := first; b < l.Len(); b++ {
			if !l.takes(b) {
				continue
			}
			start := time.Now()
			var j *job
			select {
			case j = <-filling:
				j.rows.Wait()
			case <-ctx.Done():
			}
			l.waited += time.Since(start)
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if j.err != nil {
				yield(nil, j.err)
				return
			}
			if !yield(j.Batch, nil) {
				return
			}
			free <- j.Batch
		}
	}
}

func (l *Loader) newBatch(size int) *Batch {
	n := l.options.Batch
	b := &Batch{Pixels: make([]float32, n*size), Labels: make([]int, n)}
	if l.options.Boxes != nil {
		b.Boxes, b.Instances = make([]float32, configs.BoxNumbers*n), make([][]boxes.Box, n)
	}
	return b
}

// dispatch hands out the rows of all batches from one on, as buffers become free.
func (l *Loader) dispatch(ctx context.Context, epoch, from int, rows chan<- row, filling chan<- *job, free <-chan *Batch) {
	defer close(rows)
	var order []int
	if l.options.Training {
		order = rand.New(rand.NewPCG(l.options.Seed, uint64(epoch))).Perm(l.split.Len())
	}
	for b := from; b < l.Len(); b++ {
		if !l.takes(b) {
			continue
		}
		var j *job
		select {
		case batch := <-free:
			j = &job{Batch: batch}
		case <-ctx.Done():
			return
		}
		first := b * l.options.Batch
		j.Pictures = min(l.options.Batch, l.split.Len()-first)
		j.rows.Add(j.Pictures)
		size := len(j.Pixels) / l.options.Batch
		clear(j.Pixels[j.Pictures*size:])
		clear(j.Boxes)
		clear(j.Instances)
		for i := range j.Labels {
			j.Labels[i] = -1
			if i < j.Pictures {
				j.Labels[i] = l.split.Label(at(order, first+i))
			}
		}
		filling <- j // has room for every batch that there is
		for i := range j.Pictures {
			select {
			case rows <- row{j, i, at(order, first+i)}:
			case <-ctx.Done():
				j.rows.Add(i - j.Pictures) // nobody fills the rest
				return
			}
		}
	}
}

// takes tells whether a batch is made.
func (l *Loader) takes(batch int) bool { return l.options.Take == nil || l.options.Take(batch) }

// at is picture i of an epoch's order; nil is the split's own order.
func at(order []int, i int) int {
	if order == nil {
		return i
	}
	return order[i]
}

// fill transforms one picture into a row of a batch, whose pixels it fills with zeros if that fails.
func (l *Loader) fill(b *Batch, row, epoch, picture int) error {
	size := len(b.Pixels) / l.options.Batch
	dst := b.Pixels[row*size : (row+1)*size]
	p, objects, err := l.read(picture)
	if err != nil {
		clear(dst)
		return err
	}
	if l.options.Training {
		err = l.options.Transform.Augment(dst, p, l.options.Seed, epoch, picture)
	} else {
		err = l.options.Transform.CentreCrop(dst, p)
	}
	if err != nil {
		clear(dst)
		return errors.Wrap(err, l.split.Name(picture))
	}
	if l.options.Boxes != nil {
		l.locate(b, row, p, objects, epoch, picture)
	}
	return nil
}
