// Command bench measures how fast a net trains or infers on random pictures.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/graph"
	"vgg/graph/machine"
	"vgg/internal/cli"
	"vgg/internal/kernel"
	"vgg/trainer"
)

type flags struct {
	Config  string  `help:"Net to measure: A, A-LRN, B, C, D or E." default:"A" placeholder:"NET"`
	Mode    string  `help:"train: a step of gradient descent; infer: a forward pass." enum:"train,infer" default:"train" placeholder:"MODE"`
	Input   int     `help:"Side of the pictures in pixels, a multiple of 32." default:"224" placeholder:"PIXELS"`
	Batch   int     `help:"Pictures a step." default:"8" placeholder:"N"`
	Steps   int     `help:"Steps to measure, after two that are not." default:"5" placeholder:"N"`
	Classes int     `help:"Number of classes." default:"1000" placeholder:"N"`
	Width   float64 `help:"Multiplier of the channels of every convolution." default:"1" placeholder:"FACTOR"`
	FC      int     `name:"fc" help:"Width of the hidden fully connected layers." default:"4096" placeholder:"N"`
	JSON    bool    `name:"json" help:"Print one JSON object."`
	cli.Threads
}

// result is what --json prints.
type result struct {
	Config            string  `json:"config"`
	Mode              string  `json:"mode"`
	Input             int     `json:"input"`
	Batch             int     `json:"batch"`
	Threads           int     `json:"threads"`
	ISA               string  `json:"isa"`
	SecondsPerStep    float64 `json:"seconds_per_step"` // median
	ImagesPerSecond   float64 `json:"images_per_second"`
	EffectiveGFLOPS   float64 `json:"effective_gflops"` // 2 a multiply-add of direct convolution, whatever the algorithm
	PeakGFLOPS        float64 `json:"peak_gflops"`      // of multiply-adds in registers, measured in the same run
	PeakRSSBytes      int64   `json:"peak_rss_bytes"`
	PlannedBytes      int64   `json:"planned_bytes"` // shared by the results of all ops
	AllocBytesPerStep uint64  `json:"alloc_bytes_per_step"`
}

func main() {
	var f flags
	cli.Main("bench", "Measure training or inference of a net on random pictures.", &f, func(ctx context.Context) error {
		if err := f.Threads.Apply(); err != nil {
			return err
		}
		r, err := measure(ctx, f)
		if err != nil {
			return err
		}
		if f.JSON {
			return errors.Wrap(json.NewEncoder(os.Stdout).Encode(r), "bench")
		}
		fmt.Printf("net %s, %s, %d pictures of %d×%d a step, %d threads, %s kernels\n", r.Config, r.Mode, r.Batch, r.Input, r.Input, r.Threads, r.ISA)
		fmt.Printf("%.4g s a step (median of %d), %.4g pictures/s, %.4g effective GFLOP/s, %.2f of the measured peak %.4g\n",
			r.SecondsPerStep, f.Steps, r.ImagesPerSecond, r.EffectiveGFLOPS, r.EffectiveGFLOPS/r.PeakGFLOPS, r.PeakGFLOPS)
		fmt.Printf("peak resident memory %.2f GB, of it %.2f GB planned; %.1f kB allocated a step\n",
			float64(r.PeakRSSBytes)/1e9, float64(r.PlannedBytes)/1e9, float64(r.AllocBytesPerStep)/1e3)
		return nil
	})
}

func measure(ctx context.Context, f flags) (result, error) {
	step, net, vm, err := prepare(f)
	if err != nil {
		return result{}, err
	}
	defer vm.Close()
	var seconds []float64
	var before, after runtime.MemStats
	for i := range 2 + f.Steps {
		if i == 2 {
			runtime.ReadMemStats(&before)
		}
		start := time.Now()
		if err := step(i); err != nil {
			return result{}, err
		}
		if i >= 2 {
			seconds = append(seconds, time.Since(start).Seconds())
		}
		if err := ctx.Err(); err != nil {
			return result{}, err
		}
	}
	runtime.ReadMemStats(&after)
	slices.Sort(seconds)
	r := result{
		Config: net.Config.Name, Mode: f.Mode, Input: f.Input, Batch: f.Batch, Threads: runtime.GOMAXPROCS(0), ISA: kernel.ISA(),
		SecondsPerStep: seconds[len(seconds)/2], PlannedBytes: vm.PlannedBytes(), PeakGFLOPS: kernel.Peak(0.3) / 1e9,
		AllocBytesPerStep: (after.TotalAlloc - before.TotalAlloc) / uint64(f.Steps),
	}
	r.ImagesPerSecond = float64(f.Batch) / r.SecondsPerStep
	r.EffectiveGFLOPS = 2 * multiplyAdds(net, f.Mode) * r.ImagesPerSecond / 1e9
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return result{}, errors.Wrap(err, "bench: resident memory")
	}
	r.PeakRSSBytes = maxRSSBytes(usage)
	return r, nil
}

// maxRSSBytes: macOS counts in bytes, the others in kilobytes.
func maxRSSBytes(u unix.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss)
	}
	return 1024 * int64(u.Maxrss)
}

// multiplyAdds counts those of one picture: forward, and in training twice more for the two gradients, less the first
// layer's data gradient, which nobody needs.
func multiplyAdds(net *graph.Net, mode string) float64 {
	sum, first := 0, 0
	for _, l := range net.Summary() {
		if first == 0 {
			first = l.MultiplyAdds
		}
		sum += l.MultiplyAdds
	}
	if mode == "train" {
		return float64(3*sum - first)
	}
	return float64(sum)
}

// prepare builds the graph and gives a function that runs a step.
func prepare(f flags) (func(i int) error, *graph.Net, *machine.VM, error) {
	config, err := configs.ByName(f.Config)
	if err != nil {
		return nil, nil, nil, cli.Usage(errors.Wrap(err, "--config"))
	}
	if f.Batch < 1 || f.Steps < 1 {
		return nil, nil, nil, cli.Usage(errors.Errorf("--batch %d --steps %d: want positive numbers", f.Batch, f.Steps))
	}
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, f.Batch, 3, f.Input, f.Input)
	o := graph.Options{Classes: f.Classes, Width: f.Width, FC: f.FC, Seed: 1, Inference: f.Mode == "infer"}
	if !o.Inference {
		o.Dropout = 0.5
	}
	net, err := graph.Build(g, x, config, o)
	if err != nil {
		return nil, nil, nil, cli.Usage(err)
	}
	r := rand.New(rand.NewPCG(1, 0))
	pictures := make([]float32, x.Shape().TotalSize())
	for i := range pictures {
		pictures[i] = float32(r.NormFloat64())
	}
	if err := gorgonia.Let(x, tensor.New(tensor.WithShape(x.Shape()...), tensor.WithBacking(pictures))); err != nil {
		return nil, nil, nil, errors.Wrap(err, "bench")
	}
	if o.Inference {
		vm, err := machine.New(g, machine.Outputs(net.Logits), machine.Constants(net.Learnables()...))
		return func(int) error { return vm.RunAll() }, net, vm, err
	}
	classes := make([]int, f.Batch)
	for i := range classes {
		classes[i] = r.IntN(f.Classes)
	}
	labels := graph.NewLabels(g, f.Batch)
	if err := gorgonia.Let(labels, tensor.New(tensor.WithShape(f.Batch), tensor.WithBacking(classes))); err != nil {
		return nil, nil, nil, errors.Wrap(err, "bench")
	}
	loss, err := net.Loss(labels)
	if err != nil {
		return nil, nil, nil, err
	}
	if _, err := gorgonia.Grad(loss, net.Learnables()...); err != nil {
		return nil, nil, nil, errors.Wrap(err, "bench")
	}
	vm, err := machine.New(g, machine.Outputs(loss), machine.Gradients(net.Learnables()...), machine.Products(f.Batch))
	if err != nil {
		return nil, nil, nil, err
	}
	solver := &trainer.SGD{LearningRate: 1e-3, Momentum: 0.9, WeightDecay: 5e-4, KeepGradients: true}
	learnables := gorgonia.NodesToValueGrads(net.Learnables())
	return func(i int) error {
		if err := net.SetIteration(i); err != nil {
			return err
		}
		if err := vm.RunAll(); err != nil {
			return err
		}
		vm.ClearGradients()
		return solver.Step(learnables)
	}, net, vm, nil
}
