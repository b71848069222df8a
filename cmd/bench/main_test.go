package main

import (
	"context"
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
