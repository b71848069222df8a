package trainer

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/mpi"
	"vgg/internal/ranks"
	"vgg/internal/text"
	"vgg/internal/threads"
)

// takeRecipe gives all ranks the recipe of rank 0. Their pictures may lie elsewhere.
func (s *session) takeRecipe() error {
	w := s.job.World
	if w.Size() == 1 {
		return nil
	}
	if w.Rank() > 0 {
		s.job.Dir, s.job.Resume, s.job.Force, s.job.Observer = "", false, nil, noObserver{}
	}
	return s.shareRecipe("the recipe")
}

func (s *session) shareRecipe(what string) error {
	r := &s.job.Recipe
	data, err := json.Marshal(*r)
	if err != nil {
		return errors.Wrap(err, "trainer: recipe")
	}
	if data, err = s.job.World.BroadcastBytes(what, data); err != nil || s.job.World.Rank() == 0 {
		return err
	}
	own := r.Data
	*r = configs.Recipe{}
	if err := json.Unmarshal(data, r); err != nil {
		return errors.Wrap(err, "trainer: recipe")
	}
	if own != "" {
		r.Data = own
	}
	return nil
}

// meet opens the data on all ranks, and refuses ranks that would not compute the same.
func (s *session) meet() error {
	w := s.job.World
	failed := s.openSet()
	if w.Size() == 1 {
		return failed
	}
	if _, err := s.agree("the others' pictures", report{}, failed); err != nil {
		return err
	}
	if err := ranks.Compare(w, s.set); err != nil {
		return err
	}
	seen, err := w.AllGather("what the others compute with", []byte(processors()))
	for rank, p := range seen {
		s.notes = append(s.notes, fmt.Sprintf("%s of %d: %s", w.Name(rank), w.Size(), p))
	}
	return err
}

// processors says what this rank computes with.
func processors() string {
	own := text.Count(threads.Count(), "thread")
	seen := fmt.Sprintf("%s, %s", text.Count(runtime.NumCPU(), "processor"), own)
	if all := mpi.HostProcessors(); all > runtime.NumCPU() {
		seen = fmt.Sprintf("%d of %d processors, %s", runtime.NumCPU(), all, own)
		if runtime.NumCPU() == 1 {
			seen += " (bound to one: mpirun's option bind-to none leaves it all)"
		}
	}
	return seen
}

// prepare reads what rank 0 alone reads, measures the pictures, and gives the outcome to all.
func (s *session) prepare(ctx context.Context) (f *start, c *checkpoint, err error) {
	w := s.job.World
	err = w.First("rank 0, which reads weights and measures pictures", func() (err error) {
		if f, err = s.readWeights(); err != nil {
			return err
		}
		if c, err = s.openDir(); err != nil {
			return err
		}
		return s.openData(ctx, f)
	})
	if err != nil || w.Size() == 1 {
		return f, c, err
	}
	if err := s.shareRecipe("the measured recipe"); err != nil {
		return nil, nil, err
	}
	skipped, err := json.Marshal(s.skips.List())
	if err == nil {
		skipped, err = w.BroadcastBytes("the skipped pictures", skipped)
	}
	if err == nil {
		err = json.Unmarshal(skipped, &s.progress.Skipped)
	}
	if err != nil {
		return nil, nil, errors.Wrap(err, "trainer: skipped pictures")
	}
	s.reported = map[string]bool{}
	for _, skip := range s.progress.Skipped {
		s.reported[skip.Picture] = true
	}
	if w.Rank() > 0 {
		err = s.openData(ctx, nil)
	}
	return f, c, err
}

// shareState gives all ranks the weights, velocities and progress of rank 0.
func (s *session) shareState() error {
	w := s.job.World
	if w.Size() == 1 {
		return nil
	}
	data, err := json.Marshal(s.progress)
	if err == nil {
		data, err = w.BroadcastBytes("the progress", data)
	}
	if err == nil && w.Rank() > 0 {
		s.progress = progress{}
		err = json.Unmarshal(data, &s.progress)
		s.progress.Schedule.Schedule = s.job.Recipe.Schedule
	}
	if err != nil {
		return errors.Wrap(err, "trainer: progress")
	}
	for _, p := range s.net.Parameters() {
		if err := mpi.Broadcast(w, "the weights", p.Node.Value().Data().([]float32)); err != nil {
			return err
		}
	}
	moving := []byte{0}
	if s.solver.velocities != nil {
		moving[0] = 1
	}
	if err := mpi.Broadcast(w, "the velocities", moving); err != nil || moving[0] == 0 {
		return err
	}
	if w.Rank() > 0 {
		s.solver.velocities = nil
		for _, n := range s.net.Learnables() {
			s.solver.velocities = append(s.solver.velocities, make([]float32, n.Shape().TotalSize()))
		}
	}
	for i, v := range s.solver.velocities {
		if v == nil {
			return errors.Errorf("trainer: learnable %d has no velocity", i)
		}
		if err := mpi.Broadcast(w, "the velocities", v); err != nil {
			return err
		}
	}
	return nil
}

// noteExchange says how gradients are exchanged.
func (s *session) noteExchange() {
	if s.job.World.Size() == 1 {
		return
	}
	var names []string
	for _, p := range s.net.Parameters() {
		if !p.Frozen {
			names = append(names, p.Layer)
		}
	}
	s.notes = append(s.notes, s.gradients.Note(names))
}
