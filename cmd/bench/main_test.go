package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
)

func small(mode string) flags {
	return flags{Config: "A", Mode: mode, Input: 32, Batch: 2, Steps: 3, Classes: 5, Width: 0.1, FC: 16}
}

// TestMeasure: every figure is there, and a step allocates under 1 MB.
func TestMeasure(t *testing.T) {
	for _, mode := range []string{"train", "infer"} {
		r, err := measure(context.Background(), small(mode))
		if err != nil {
			t.Fatal(err)
		}
		if r.SecondsPerStep <= 0 || r.ImagesPerSecond <= 0 || r.EffectiveGFLOPS <= 0 || r.PeakRSSBytes <= 0 || r.PlannedBytes <= 0 || r.PeakGFLOPS <= 0 {
			t.Errorf("%s: %+v", mode, r)
		}
		if r.AllocBytesPerStep > 1e6 {
			t.Errorf("%s: %d bytes allocated a step", mode, r.AllocBytesPerStep)
		}
	}
}

func TestBadInput(t *testing.T) {
	for want, change := range map[string]func(*flags){
		"unknown config": func(f *flags) { f.Config = "F" },
		"--input: ":      func(f *flags) { f.Input = 33 },
		"--batch":        func(f *flags) { f.Batch = 0 },
	} {
		f := small("train")
		change(&f)
		if _, err := measure(context.Background(), f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// TestBadAlone: flags that one process would ignore are refused.
func TestBadAlone(t *testing.T) {
	one, two, three := 1.0, 2, 3
	for want, change := range map[string]func(*flags){
		"--rates is for":         func(f *flags) { f.Rates = []float64{1} },
		"--latency is for":       func(f *flags) { f.Latency = &one },
		"--plot draws several":   func(f *flags) { f.Plot = "hosts.png" },
		"--all-reduce is for":    func(f *flags) { f.AllReduce = true },
		"--csv and --at are for": func(f *flags) { f.At = []float64{1} },
		"--sweep with --hosts":   func(f *flags) { f.Sweep, f.Hosts = "batch", []int{2} },
		"is for training":        func(f *flags) { f.Mode, f.MicroBatch = "infer", &two },
		"--batch, 8, is a":       func(f *flags) { f.Batch, f.MicroBatch = 8, &three },
	} {
		f := small("train")
		change(&f)
		if err := f.checkAlone(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	if err := small("train").checkAlone(); err != nil {
		t.Error(err)
	}
}

// TestPredict: each number of hosts is predicted at each rate, from speeds at the micro-batches that they need.
func TestPredict(t *testing.T) {
	f := small("train")
	f.FC, f.Batch, f.Hosts, f.Rates = 1536, 16, []int{2, 8}, []float64{0.1, 100}
	p, err := f.measureSpeeds(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Speeds) != 3 || p.Speeds[0].MicroBatch != 16 || p.Speeds[2].MicroBatch != 2 || p.Speeds[1].Product != p.Speeds[0].Product || p.Alone <= 0 {
		t.Errorf("%+v", p)
	}
	for _, s := range p.Speeds {
		if s.Forward <= 0 || s.Update <= 0 {
			t.Errorf("%+v", s)
		}
	}
	for _, hosts := range f.Hosts {
		for _, gbits := range f.rates() {
			r := p.share(f.job(hosts), gbits)
			if sum := r.Compute + r.Wait + r.Update; r.Hosts != hosts || r.MicroBatch != 16/hosts || r.Seconds != sum || r.Efficiency <= 0 {
				t.Errorf("%+v", r)
			}
			p.Rows = append(p.Rows, r)
		}
	}
	if p.Rows[0].Wait <= p.Rows[1].Wait || p.Rows[0].Sent != p.Rows[1].Sent || p.Rows[0].Sent >= p.Rows[2].Sent {
		t.Errorf("%+v", p.Rows)
	}
	var table strings.Builder
	if err := p.print(&table); err != nil || !strings.Contains(table.String(), "measured, micro-batch 2: ") ||
		!regexp.MustCompile(`(?m)^ +8 +2 +100 +`).MatchString(table.String()) {
		t.Errorf("%v, %s", err, table.String())
	}
	if _, err := p.draw(f.rates()); err != nil {
		t.Error(err)
	}
}

func TestBadHosts(t *testing.T) {
	zero, negative := 0, -1.0
	for want, change := range map[string]func(*flags){
		"--hosts 3: want 1 to --batch, 2":   func(f *flags) { f.Hosts = []int{3} },
		"--hosts: 3 hosts: want a power of": func(f *flags) { f.Batch, f.Hosts = 3, []int{3} },
		"--hosts: a mini-batch of 6":        func(f *flags) { f.Batch, f.Hosts = 6, []int{4} },
		"--all-reduce with --hosts":         func(f *flags) { f.AllReduce = true },
		"want --mode train":                 func(f *flags) { f.Mode = "infer" },
		"--hosts with --at or --csv":        func(f *flags) { f.CSV = "hosts.csv" },
		"--micro-batch 0":                   func(f *flags) { f.MicroBatch = &zero },
		"--latency -1":                      func(f *flags) { f.Latency = &negative },
		"--rates 0":                         func(f *flags) { f.Rates = []float64{1, 0} },
	} {
		f := small("train")
		f.Hosts = []int{2}
		change(&f)
		if err := f.checkHosts(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
