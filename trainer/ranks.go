package trainer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/internal/mpi"
)

// report is what a rank tells the others about its part of a step, or of a round of validation.
type report struct {
	Leaves      []leaf         // of its micro-batches, in order
	Interrupted bool           // it was asked to end
	Failed      *failure       // it cannot go on
	Skipped     []dataset.Skip // pictures that it could not read, and has not reported
	Sent        int64          // bytes that it has sent in all steps so far
}

// leaf is what a micro-batch adds to the sums of a step.
type leaf struct {
	Meter meter
	Share float64 // of its rows, pictures that count
}

// failure is an error on its way to other ranks.
type failure struct {
	Text        string
	What, Layer string // of a divergence
	BadPicture  bool   // dataset.ErrBadPicture
	Unreadable  bool   // dataset.ErrUnreadable
}

func failureOf(err error) *failure {
	f := &failure{Text: err.Error(), BadPicture: errors.Is(err, dataset.ErrBadPicture), Unreadable: errors.Is(err, dataset.ErrUnreadable)}
	var d *divergence
	if errors.As(err, &d) {
		f.What, f.Layer = d.what, d.layer
	}
	return f
}

// failed makes the error of a rank's failure, the same on all ranks.
func (s *session) failed(rank int, f *failure) error {
	err := errors.Errorf("%s: %s", s.job.World.Name(rank), f.Text)
	switch {
	case f.What != "":
		return mpi.Share(s.divergence(f.What, f.Layer))
	case f.BadPicture:
		return mpi.Share(marked{err, dataset.ErrBadPicture})
	case f.Unreadable:
		return mpi.Share(marked{err, dataset.ErrUnreadable})
	}
	return mpi.Share(err)
}

// agree exchanges the ranks' reports. If any of them has failed, all have the error of the first, err on one that has.
// The skipped pictures of all are then known to all.
func (s *session) agree(what string, own report, err error) ([]report, error) {
	w := s.job.World
	if w.Size() == 1 {
		return []report{own}, err
	}
	if err != nil {
		own.Failed = failureOf(err)
	}
	skips := s.skips.List()
	for _, skip := range skips {
		if !s.reported[skip.Picture] {
			own.Skipped = append(own.Skipped, skip)
		}
	}
	own.Sent = s.sent
	var message bytes.Buffer
	if err := gob.NewEncoder(&message).Encode(own); err != nil {
		return nil, errors.Wrap(err, "trainer: report")
	}
	messages, err := w.AllGather(what, message.Bytes())
	if err != nil {
		return nil, err
	}
	reports := make([]report, len(messages))
	for rank, m := range messages {
		if err := gob.NewDecoder(bytes.NewReader(m)).Decode(&reports[rank]); err != nil {
			return nil, errors.Wrapf(err, "trainer: report of %s", w.Name(rank))
		}
	}
	return reports, s.verdict(reports)
}

// verdict adds the skipped pictures of all ranks, and gives the error of the first that has failed.
func (s *session) verdict(reports []report) error {
	for rank, r := range reports {
		for _, skip := range r.Skipped {
			s.reported[skip.Picture] = true
			if err := s.skips.SkipOf(skip.Picture, errors.New(skip.Reason), len(s.reported)); err != nil && r.Failed == nil {
				return s.failed(rank, failureOf(err))
			}
		}
		if r.Failed != nil {
			return s.failed(rank, r.Failed)
		}
	}
	return nil
}

// interruption is the error of a rank that was asked to end, for all.
func interruption(reports []report) error {
	for _, r := range reports {
		if r.Interrupted {
			return mpi.Share(errors.Wrap(context.Canceled, "trainer"))
		}
	}
	return nil
}

// loading is the context of a loader: several ranks end only when they have agreed to.
func (s *session) loading(ctx context.Context) context.Context {
	if s.job.World.Size() > 1 {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// pull gives the next batch of a loader.
func (s *session) pull(next func() (*dataset.Batch, error, bool)) (batch *dataset.Batch, err error) {
	err = s.job.World.Hold("pictures", func() error {
		var failed error
		batch, failed, _ = next()
		return failed
	})
	return batch, err
}

// compareWeights refuses to go on with ranks whose weights differ.
func (s *session) compareWeights() error {
	if s.job.World.Size() == 1 {
		return nil
	}
	sum := sha256.New()
	for _, t := range s.net.Tensors() {
		sum.Write([]byte(t.SHA256())) // a hash takes everything
	}
	return s.job.World.Compare(mpi.Fact{
		Name: fmt.Sprintf("the weights after epoch %d", s.progress.Epoch), Value: hex.EncodeToString(sum.Sum(nil)[:8]),
		Remedy: "a host computes wrongly: test its memory, and resume from the last checkpoint without it",
	})
}

// combineAlive lets rank 0 know which channels were active on any rank.
func (s *session) combineAlive() error {
	if s.job.World.Size() == 1 {
		return nil
	}
	own := make([]byte, len(s.alive))
	for i, alive := range s.alive {
		if alive {
			own[i] = 1
		}
	}
	all, err := s.job.World.AllGather("the others' validation", own)
	for _, one := range all {
		if s.alive == nil {
			s.alive = make([]bool, len(one))
		}
		for i, alive := range one {
			s.alive[i] = s.alive[i] || alive == 1
		}
	}
	return err
}

// count notes what a rank has done in a step.
func (s *session) count(rank, pictures int, sent int64) {
	if s.pictures == nil {
		s.pictures, s.bytes = make([]int, s.job.World.Size()), make([]int64, s.job.World.Size())
	}
	s.pictures[rank] += pictures
	s.bytes[rank] = sent
}
