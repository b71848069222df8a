package evaluate

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"slices"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/internal/mpi"
)

// The pictures of a split are divided into blocks of neighbours. No batch has crops of two blocks, so ranks that take
// the blocks in turn compute the same batches as one process. After each round, in which every rank has computed a
// block, all ranks tell each other what they predicted.

// Blocks have at least leastBlock full batches of pictures, and at most mostBlock: they are smaller in small splits,
// for the ranks to get equal shares of them.
const (
	leastBlock = 2
	mostBlock  = 8
	manyBlocks = 64
)

// blockSize is the number of pictures in a block. It depends on the pictures and options alone.
func (e *engine) blockSize() int {
	return e.options.Batch * min(mostBlock, max(leastBlock, e.split.Len()/(manyBlocks*e.options.Batch)))
}

// share lists the pictures of this rank's blocks, in order, and tells how many rounds there are.
func (e *engine) share() (own []int, rounds int) {
	ranks, size := e.options.World.Size(), e.blockSize()
	for i := range e.split.Len() {
		if i/size%ranks == e.options.World.Rank() {
			own = append(own, i)
		}
	}
	blocks := (e.split.Len() + size - 1) / size
	return own, (blocks + ranks - 1) / ranks
}

// outcome is what was made of a picture, or why it cannot be read.
type outcome[T any] struct {
	Picture int
	Result  T
	Unread  *failure
}

// message is what a rank tells the others after a round.
type message[T any] struct {
	Outcomes []outcome[T]
	Failed   *failure // ends the test
}

// failure is an error of a rank, as the others know it.
type failure struct {
	Text                 string
	Unreadable, Canceled bool
}

func (f *failure) Error() string { return f.Text }

// Is keeps what callers look for.
func (f *failure) Is(target error) bool {
	return f.Unreadable && target == dataset.ErrUnreadable || f.Canceled && target == context.Canceled
}

func (e *engine) failure(err error) *failure {
	if err == nil {
		return nil
	}
	w := e.options.World
	return &failure{fmt.Sprintf("%v (%s)", err, w.Name(w.Rank())), errors.Is(err, dataset.ErrUnreadable), errors.Is(err, context.Canceled)}
}

// runShared is run for ranks: all get all results, and return the same error.
func runShared[T any](ctx context.Context, e *engine, result func(*picture) (T, error), each func(T) error) error {
	var own message[T]
	told, ended := 0, false // rounds, and whether an error has ended the test on all ranks
	exchange := func() error {
		told++
		slices.SortStableFunc(own.Outcomes, func(a, b outcome[T]) int { return a.Picture - b.Picture }) // those skipped are known earlier
		err := tell(e, own, each)
		own, ended = message[T]{}, err != nil
		return err
	}
	pictures, rounds := e.share()
	collect := func(p *picture) error {
		r, err := result(p)
		if err == nil {
			own.Outcomes = append(own.Outcomes, outcome[T]{Picture: p.Picture, Result: r})
		}
		return err
	}
	skip := func(picture int, reason error) error {
		own.Outcomes = append(own.Outcomes, outcome[T]{Picture: picture, Unread: e.failure(reason)})
		return nil
	}
	err := e.sequence(ctx, pictures, collect, skip, exchange)
	switch {
	case ended:
		return err
	case told == rounds: // all have everything, even if this rank was interrupted since
		return nil
	}
	own.Failed = e.failure(err) // if any: this rank may have no block in the last round
	return exchange()
}

// tell exchanges the messages of a round, and takes them in the order of the pictures.
func tell[T any](e *engine, own message[T], each func(T) error) error {
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(own); err != nil {
		return errors.Wrap(err, "evaluate")
	}
	all, err := e.options.World.AllGather("what the others predict", encoded.Bytes())
	if err != nil {
		return err
	}
	for _, part := range all {
		var theirs message[T]
		if err := gob.NewDecoder(bytes.NewReader(part)).Decode(&theirs); err != nil {
			return errors.Wrap(err, "evaluate")
		}
		for _, o := range theirs.Outcomes {
			if o.Unread == nil {
				if err := each(o.Result); err != nil {
					return err // which the others need not have, such as that of a drawing
				}
			} else if err := e.skip(o.Picture, o.Unread); err != nil {
				return mpi.Share(err)
			}
		}
		if theirs.Failed != nil {
			return mpi.Share(theirs.Failed)
		}
	}
	return nil
}
