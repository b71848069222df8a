package main

import (
	"strings"
	"sync"
	"testing"

	"vgg/internal/mpi"
)

// TestRanks: two ranks send by factors and slices fewer bytes than by whole gradients, and every figure
// is there.
func TestRanks(t *testing.T) {
	f := small("train")
	f.FC, f.Batch, f.Steps, f.Rates = 2048, 8, 2, []float64{1}
	sent := map[bool]int64{}
	for _, f.AllReduce = range []bool{false, true} {
		var all sync.WaitGroup
		for rank, w := range mpi.Local(2) {
			all.Go(func() {
				j := job{miniBatch: f.Batch / 2, microBatch: f.microBatch(4)}
				alone, err := newBench(f, j)
				if err != nil {
					t.Error(err)
					return
				}
				shared, err := newBench(f, job{world: w, miniBatch: f.Batch, microBatch: j.microBatch, allReduce: f.AllReduce, like: alone})
				if err != nil {
					t.Error(err)
					return
				}
				var m measured
				for i := range f.Steps {
					if err := m.measure(w, alone, shared, i); err != nil {
						t.Error(err)
					}
				}
				r := ranksResult{Ranks: 2, MiniBatch: f.Batch, MicroBatch: j.microBatch}
				if err := m.sum(w, &r, f); err != nil {
					t.Error(err)
				}
				if r.ImagesPerSecond <= 0 || r.AloneImages <= 0 || r.Efficiency <= 0 || r.WaitSeconds <= 0 || r.Backward <= 0 || len(r.BytesSent) != 2 || r.Bound == nil || r.Bound.Bytes <= 0 {
					t.Errorf("%+v", r)
				}
				if rank == 0 {
					sent[f.AllReduce] = r.BytesSent[0]
				}
			})
		}
		all.Wait()
	}
	if sent[false] == 0 || sent[false] >= sent[true] {
		t.Errorf("bytes sent: %v", sent)
	}
}

// TestBound: the time that a step may wait, by hand.
func TestBound(t *testing.T) {
	r := ranksResult{Ranks: 2, Config: "A", BytesSent: []int64{5e7, 1e8}, Backward: 3, SecondsPerStep: 10}
	for _, c := range []struct {
		allReduce bool
		gbits     float64
		want      bound
	}{
		{false, 0.2, bound{Gbits: 0.2, Bytes: 4, Beyond: 1, Wait: 1.7}},
		{false, 1, bound{Gbits: 1, Bytes: 0.8, Wait: 0.5}},
		{true, 0.2, bound{Gbits: 0.2, Bytes: 4, Beyond: 4, Wait: 5.3}}, // sent after the backward pass
	} {
		if r.AllReduce = c.allReduce; *r.bound(c.gbits) != c.want {
			t.Errorf("%+v, want %+v", *r.bound(c.gbits), c.want)
		}
	}
	r.AllReduce = false
	r.Bound = r.bound(0.2)
	var text strings.Builder
	r.print(&text, flags{})
	if !strings.Contains(text.String(), "at 0.2 Gbit/s: 4 s for the bytes of a step, 1 s of them after the last backward pass; 1.2 times as much and 5 % of the step are 1.7 s\n") {
		t.Error(text.String())
	}
}

func TestBadRanks(t *testing.T) {
	for want, change := range map[string]func(*flags){
		"--mode infer":                    func(f *flags) { f.Mode = "infer" },
		"3 ranks with micro-batches of 2": func(f *flags) { f.Batch = 8 },
		"3 ranks with micro-batches of 0": func(f *flags) { f.Batch = 2 },
		"want one rate":                   func(f *flags) { f.Rates = []float64{1, 10} },
		"--rates 0":                       func(f *flags) { f.Batch, f.Rates = 6, []float64{0} },
		"start it without mpirun":         func(f *flags) { f.Hosts = []int{2} },
	} {
		f := small("train")
		change(&f)
		if err := f.checkRanks(3); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
