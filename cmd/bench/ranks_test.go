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
	f.FC, f.Batch, f.Steps = 2048, 8, 2
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
				if r.ImagesPerSecond <= 0 || r.AloneImages <= 0 || r.Efficiency <= 0 || r.WaitSeconds <= 0 || r.Backward <= 0 || len(r.BytesSent) != 2 {
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

func TestBadRanks(t *testing.T) {
	for want, change := range map[string]func(*flags){
		"--mode infer":                    func(f *flags) { f.Mode = "infer" },
		"3 ranks with micro-batches of 2": func(f *flags) { f.Batch = 8 },
		"3 ranks with micro-batches of 0": func(f *flags) { f.Batch = 2 },
	} {
		f := small("train")
		change(&f)
		if err := f.checkRanks(3); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
