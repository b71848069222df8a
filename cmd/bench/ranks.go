package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/pkg/errors"

	"vgg/graph/machine"
	"vgg/internal/cli"
	"vgg/internal/kernel"
	"vgg/internal/mpi"
	"vgg/internal/threads"
)

// ranksResult is what --json prints for ranks.
type ranksResult struct {
	Config          string  `json:"config"`
	Input           int     `json:"input"`
	Ranks           int     `json:"ranks"`
	Threads         int     `json:"threads"` // of rank 0
	ISA             string  `json:"isa"`
	MiniBatch       int     `json:"mini_batch"`
	MicroBatch      int     `json:"micro_batch"`
	AllReduce       bool    `json:"all_reduce"`
	SecondsPerStep  float64 `json:"seconds_per_step"`        // median
	ImagesPerSecond float64 `json:"images_per_second"`       // of all ranks
	AloneImages     float64 `json:"images_per_second_alone"` // sum of as many trainings of a rank's share, at the same time
	Efficiency      float64 `json:"efficiency"`              // of the one of the other
	WaitPercent     float64 `json:"exchange_wait_percent"`   // of the steps' time, mean of the ranks
	BytesSent       []int64 `json:"bytes_sent_a_step_by_rank"`
	WaitSeconds     float64 `json:"exchange_wait_seconds"` // of a step
	MicroBatchTime  float64 `json:"micro_batch_seconds"`   // passes of one micro-batch
	Backward        float64 `json:"backward_seconds"`      // of the last micro-batch: two thirds of its passes
	PeakRSSBytes    int64   `json:"peak_rss_bytes"`        // of rank 0
	Bound           *bound  `json:"bound,omitempty"`       // with --rates
}

// bound is how long a step may wait for a network of a given rate.
type bound struct {
	Gbits  float64 `json:"gbits_per_second"`
	Bytes  float64 `json:"bytes_seconds"`  // that the network needs for what a rank sends in a step
	Beyond float64 `json:"beyond_seconds"` // of these, after the last backward pass has ended
	Wait   float64 `json:"wait_seconds"`   // 1.2 times as much, and 5 % of the step
}

// bound is that of a network. What is sent after the backward pass is all beyond it.
func (r ranksResult) bound(gbits float64) *bound {
	b := &bound{Gbits: gbits, Bytes: float64(slices.Max(r.BytesSent)) * 8 / (gbits * 1e9)}
	b.Beyond = b.Bytes
	if !r.AllReduce {
		b.Beyond = max(0, b.Bytes-r.Backward)
	}
	b.Wait = 1.2*b.Beyond + 0.05*r.SecondsPerStep
	return b
}

// microBatch is the number of pictures that each of some ranks computes at once.
func (f flags) microBatch(ranks int) int {
	if ranks == 1 && f.MicroBatch == nil {
		return f.Batch
	}
	return min(f.mostMicroBatch(), f.Batch/ranks)
}

func (f flags) checkRanks(ranks int) error {
	micro := f.microBatch(ranks)
	switch {
	case f.Hosts != nil || f.Latency != nil || f.Plot != "" || f.Sweep != "" || f.CSV != "" || f.At != nil:
		return errors.New("--hosts, --latency, --plot and --sweep measure one process: start it without mpirun")
	case len(f.Rates) > 1:
		return errors.New("--rates: ranks share steps over one network: want one rate")
	case f.Mode != "train":
		return errors.New("--mode infer: ranks share training steps: want --mode train, or one process")
	case micro < 1 || f.Batch%(micro*ranks) != 0:
		return errors.Errorf("--batch %d: %d ranks with micro-batches of %d pictures need a multiple of %d (--batch, --micro-batch)", f.Batch, ranks, micro, ranks*max(1, micro))
	}
	return f.checkRates()
}

// measureRanks measures steps that the ranks share, each after one of as many separate trainings, so that whatever else
// the hosts do slows both.
func (f flags) measureRanks(ctx context.Context) error {
	w := cli.World
	if err := f.checkRanks(w.Size()); err != nil {
		return cli.Usage(mpi.Share(err))
	}
	memory := new(machine.Memory)
	micro := f.microBatch(w.Size())
	alone, err := newBench(f, job{miniBatch: f.Batch / w.Size(), microBatch: micro, memory: memory})
	if err != nil {
		return err
	}
	defer alone.vm.Close()
	shared, err := newBench(f, job{world: w, miniBatch: f.Batch, microBatch: micro, allReduce: f.AllReduce, like: alone, memory: memory})
	if err != nil {
		return err
	}
	defer shared.vm.Close()
	var m measured
	for i := range warmUp + f.Steps {
		if i == warmUp {
			m = measured{}
		}
		if err := m.measure(w, alone, shared, i); err != nil {
			return err
		}
		stop, err := w.AllGather("the others' step", []byte{interrupted(ctx)})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(stop, func(s []byte) bool { return s[0] != 0 }) {
			return mpi.Share(errors.Wrap(context.Canceled, "bench"))
		}
	}
	r := ranksResult{
		Config: shared.net.Config.Name, Input: f.Input, Ranks: w.Size(), Threads: threads.Count(), ISA: kernel.ISA(),
		MiniBatch: f.Batch, MicroBatch: micro, AllReduce: f.AllReduce,
	}
	if err := m.sum(w, &r, f); err != nil {
		return err
	}
	if f.JSON {
		return errors.Wrap(json.NewEncoder(cli.Stdout).Encode(r), "bench")
	}
	r.print(cli.Stdout, f)
	return nil
}

func interrupted(ctx context.Context) byte {
	if ctx.Err() != nil {
		return 1
	}
	return 0
}

// measured is what a rank measures.
type measured struct {
	alone, shared []float64 // seconds of each step
	waits         []float64 // seconds of each shared step
	bytes         int64     // sent in shared steps
}

// measure adds a step of each kind. All ranks begin each together.
func (m *measured) measure(w *mpi.World, alone, shared *bench, i int) error {
	if err := w.Barrier("a step alone"); err != nil {
		return err
	}
	began := time.Now()
	if err := alone.step(i); err != nil {
		return err
	}
	m.alone = append(m.alone, time.Since(began).Seconds())
	if err := w.Barrier("a step together"); err != nil {
		return err
	}
	began, sent, waited := time.Now(), w.Sent(), w.Waited()
	if err := shared.step(i); err != nil {
		return err
	}
	m.shared = append(m.shared, time.Since(began).Seconds())
	m.waits = append(m.waits, (w.Waited() - waited).Seconds())
	m.bytes += w.Sent() - sent
	return nil
}

// sum puts the medians of all ranks together.
func (m *measured) sum(w *mpi.World, r *ranksResult, f flags) error {
	type numbers struct {
		Alone, Shared, Wait float64
		Bytes               int64
	}
	own, err := json.Marshal(numbers{middle(m.alone), middle(m.shared), middle(m.waits), m.bytes / int64(f.Steps)})
	if err != nil {
		return errors.Wrap(err, "bench")
	}
	all, err := w.AllGather("the others' figures", own)
	if err != nil {
		return err
	}
	for _, one := range all {
		var n numbers
		if err := json.Unmarshal(one, &n); err != nil {
			return errors.Wrap(err, "bench")
		}
		r.SecondsPerStep = max(r.SecondsPerStep, n.Shared)
		r.AloneImages += float64(f.Batch/w.Size()) / n.Alone
		r.WaitSeconds += n.Wait / float64(w.Size())
		r.WaitPercent += 100 * n.Wait / n.Shared / float64(w.Size())
		r.BytesSent = append(r.BytesSent, n.Bytes)
	}
	r.ImagesPerSecond = float64(f.Batch) / r.SecondsPerStep
	r.Efficiency = r.ImagesPerSecond / r.AloneImages
	r.MicroBatchTime = middle(m.alone) / float64(f.Batch/w.Size()/r.MicroBatch)
	r.Backward = r.MicroBatchTime * 2 / 3
	if len(f.Rates) == 1 {
		r.Bound = r.bound(f.Rates[0])
	}
	r.PeakRSSBytes, err = peakRSS()
	return err
}

// middle is the median.
func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func (r ranksResult) print(w io.Writer, f flags) {
	how := "gradients by factors and slices, during the backward pass"
	if r.AllReduce {
		how = "whole gradients, after the backward pass"
	}
	fmt.Fprintf(w, "net %s, mini-batch %d of %d×%d on %d ranks in micro-batches of %d, %d threads on rank 0, %s kernels: %s\n",
		r.Config, r.MiniBatch, r.Input, r.Input, r.Ranks, r.MicroBatch, r.Threads, r.ISA, how)
	fmt.Fprintf(w, "%.4g s per step (median of %d), %.4g pictures/s; separate trainings of %d pictures a step at the same time: %.4g pictures/s; efficiency %.3f\n",
		r.SecondsPerStep, f.Steps, r.ImagesPerSecond, r.MiniBatch/r.Ranks, r.AloneImages, r.Efficiency)
	fmt.Fprintf(w, "waiting for other ranks: %.4g s of a step, %.1f %%; the backward pass of the last micro-batch takes about %.4g s\n", r.WaitSeconds, r.WaitPercent, r.Backward)
	if b := r.Bound; b != nil {
		fmt.Fprintf(w, "at %g Gbit/s: %.4g s for the bytes of a step, %.4g s of them after the last backward pass; 1.2 times as much and 5 %% of the step are %.4g s\n",
			b.Gbits, b.Bytes, b.Beyond, b.Wait)
	}
	fmt.Fprint(w, "MB sent by a rank in a step:")
	for _, bytes := range r.BytesSent {
		fmt.Fprintf(w, " %.2f", float64(bytes)/1e6)
	}
	fmt.Fprintf(w, "\npeak resident memory of rank 0: %.2f GB\n", float64(r.PeakRSSBytes)/1e9)
}
