package reproduce

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/internal/mpi"
)

// Ranks that reproduce together train and test different nets, each as one process would. Rank 0 tells which: the next
// one whose weights to start from are there.

// What ranks send rank 0, besides the number of a job that is done, and what it answers besides that of the next.
const (
	tagDone, tagNext = 1, 2
	nothing          = 1<<32 + iota // no job
	interrupted                     // nor any more
)

// serve answers a rank until there is nothing left to do.
func (s *schedule) serve(w *mpi.World, rank int) error {
	for {
		word := make([]uint64, 1)
		x := w.Begin()
		mpi.Receive(x, rank, tagDone, word)
		if err := x.Start().Wait(); err != nil {
			return err
		}
		done := -1
		switch word[0] {
		case nothing:
		case interrupted:
			s.stop()
		default:
			done = int(word[0])
		}
		number, ok := s.next(rank, done)
		word[0] = nothing
		if ok {
			word[0] = uint64(number)
		}
		x = w.Begin()
		mpi.Send(x, rank, tagNext, word)
		if err := x.Start().Wait(); err != nil || !ok {
			return err
		}
	}
}

// ask is next on other ranks than 0.
func ask(w *mpi.World, word uint64) (number int, ok bool, err error) {
	answer := make([]uint64, 1)
	err = w.Wait("the next training", func() error {
		x := w.Begin()
		mpi.Send(x, 0, tagDone, []uint64{word})
		mpi.Receive(x, 0, tagNext, answer)
		return x.Start().Wait()
	})
	return int(answer[0]), answer[0] != nothing, err
}

// runShared does the trainings and tests that fall to this rank. All ranks end it together.
func (p Plan) runShared(ctx context.Context, set *dataset.Set, observer Observer) error {
	w := p.World
	if err := p.shareFolder(); err != nil {
		return err
	}
	jobs, err := p.left(observer)
	if err != nil {
		return err
	}
	var names []string
	for _, j := range jobs {
		names = append(names, p.describe(j.training))
	}
	// No rank begins before all have read what is left.
	fact := mpi.Fact{Name: "what is left to do", Value: strings.Join(names, "; "), Remedy: "give the records on a disk that all hosts share"}
	if err := w.Compare(fact); err != nil {
		return err
	}
	s := newSchedule(jobs, func(rank, number int) {
		observer.Notice(fmt.Sprintf("%d of %d, on %s: %s", number+1, len(jobs), w.Name(rank), p.describe(jobs[number].training)))
	})
	var serving sync.WaitGroup
	failed := make([]error, w.Size())
	if w.Rank() == 0 {
		defer context.AfterFunc(ctx, s.stop)()
		for rank := 1; rank < w.Size(); rank++ {
			serving.Go(func() { failed[rank] = s.serve(w, rank) })
		}
	}
	done := -1
	next := func() (int, bool, error) {
		if w.Rank() == 0 {
			number, ok := s.next(0, done)
			return number, ok, nil
		}
		switch {
		case ctx.Err() != nil:
			return ask(w, interrupted)
		case done < 0:
			return ask(w, nothing)
		}
		return ask(w, uint64(done))
	}
	for {
		number, ok, err := next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		done = number
		if err := p.do(ctx, jobs[number], set, observer); err != nil && !isInterruption(err) {
			return err
		}
		if ctx.Err() != nil { // it is not done
			done = -1
		}
	}
	serving.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return p.agree(ctx.Err())
}

// agree tells all ranks of one that was interrupted.
func (p Plan) agree(err error) error {
	word := []byte{0}
	if err != nil {
		word[0] = 1
	}
	all, err := p.World.AllGather("the others' trainings", word)
	for _, other := range all {
		if other[0] != 0 {
			return mpi.Share(errors.Wrap(context.Canceled, "reproduce"))
		}
	}
	return err
}

// shareFolder lets rank 0 prepare the plan's folder, and refuses ranks that do not see it: each reads the weights that
// others have trained.
func (p Plan) shareFolder() error {
	w := p.World
	var seen *os.File
	var message []byte
	if w.Rank() == 0 {
		err := p.openFolder()
		if err == nil {
			seen, err = os.CreateTemp(p.Dir, ".ranks-*")
		}
		if err != nil {
			return err
		}
		defer os.Remove(seen.Name())
		seen.Close()
		message = []byte(filepath.Base(seen.Name()))
	}
	message, err := w.BroadcastBytes("the folder of rank 0", message)
	if err != nil {
		return err
	}
	_, missing := os.Stat(filepath.Join(p.Dir, string(message)))
	fact := mpi.Fact{Name: "the folder " + p.Dir, Value: "that of rank 0", Remedy: "give one on a disk that all hosts share"}
	if missing != nil {
		fact.Value = "another one"
	}
	return w.Compare(fact)
}
