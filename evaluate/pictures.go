package evaluate

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"github.com/pkg/errors"

	"vgg/dataset"
)

// ready is a picture as the nets see it.
type ready struct {
	index int
	views [][][]view // of each model, look by look; nil where the picture was passed over
	err   error
}

// prepared gives the pictures of a split in their order, decoded and cut on background goroutines a few ahead.
func prepared(ctx context.Context, split dataset.Split, models []*Model, looks map[*Model][]look, skips *dataset.Skips) iter.Seq2[ready, error] {
	return func(yield func(ready, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()
		workers := runtime.GOMAXPROCS(0)
		queue := make(chan chan ready, workers) // bounds the pictures in memory
		running.Go(func() {
			defer close(queue)
			for i := range split.Len() {
				out := make(chan ready, 1)
				select {
				case queue <- out:
				case <-ctx.Done():
					return
				}
				running.Go(func() { out <- prepare(split, i, models, looks, skips) })
			}
		})
		for out := range queue {
			r := <-out
			if r.err != nil {
				yield(r, r.err)
				return
			}
			if !yield(r, nil) || ctx.Err() != nil {
				return
			}
		}
	}
}

func prepare(split dataset.Split, i int, models []*Model, looks map[*Model][]look, skips *dataset.Skips) ready {
	r := ready{index: i}
	p, err := split.Picture(i)
	if err == nil && p.Channels != models[0].Info.Channels {
		err = errors.Errorf("%s has %d channels, and the nets are for %d", split.Name(i), p.Channels, models[0].Info.Channels)
	}
	if err != nil {
		r.err = skips.Skip(split.Name(i), err)
		return r
	}
	for _, m := range models {
		views, err := m.views(p, looks[m])
		if err != nil {
			r.err = errors.Wrap(err, split.Name(i))
			return r
		}
		r.views = append(r.views, views)
	}
	return r
}
