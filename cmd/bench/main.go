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
	"strings"
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
	"vgg/internal/mpi"
	"vgg/internal/terminal"
	"vgg/internal/text"
	"vgg/internal/threads"
	"vgg/trainer"
)

type flags struct {
	Config  string  `help:"Net to measure: A (vgg11), A-LRN, B (vgg13), C, D (vgg16) or E (vgg19)." default:"A" placeholder:"NET"`
	Mode    string  `help:"train: a step of gradient descent; infer: a forward pass." enum:"train,infer" default:"train" placeholder:"MODE"`
	Input   int     `help:"Side of the pictures in pixels, a multiple of 32." default:"224" placeholder:"PIXELS"`
	Batch   int     `help:"Pictures per step." default:"8" placeholder:"N"`
	Steps   int     `help:"Steps to measure, after two warm-up steps." default:"5" placeholder:"N"`
	Classes int     `help:"Number of classes." default:"1000" placeholder:"N"`
	Width   float64 `help:"Multiplier of the channels of every convolution." default:"1" placeholder:"FACTOR"`
	FC      int     `name:"fc" help:"Width of the hidden fully connected layers." default:"4096" placeholder:"N"`
	JSON    bool    `name:"json" help:"Print one JSON object."`
	cli.Threads
	Plot       string    `help:"Draw what --sweep measures, or the efficiency of --hosts: .png, .svg or .pdf." placeholder:"FILE"`
	Sweep      string    `help:"Measure time and memory at several values of one of these: batch, input, threads, width." enum:",batch,input,threads,width" default:"" placeholder:"WHAT" group:"Cost curves:"`
	At         []float64 `help:"The values; default batches of 1 to 64, inputs of 64 to 512, widths of 0.125 to 1, and halves of all threads." placeholder:"N,…" group:"Cost curves:"`
	CSV        string    `name:"csv" help:"Write what --sweep measures." placeholder:"FILE" group:"Cost curves:"`
	Hosts      []int     `help:"Predict a training step of --batch pictures on this many hosts, from the speed of this one; powers of two." placeholder:"N,…" group:"Several hosts:"`
	Rates      []float64 `help:"Rates of their network in Gbit/s; default 1,10,25,100. With mpirun: that of its network, to say how long ranks may wait." placeholder:"GBITS,…" group:"Several hosts:"`
	Latency    *float64  `help:"Microseconds that a message takes beside its bytes; default 50." placeholder:"US" group:"Several hosts:"`
	AllReduce  bool      `help:"With mpirun: sum whole gradients, after the backward pass, for comparison." group:"Several hosts:"`
	MicroBatch *int      `help:"Pictures that a host computes at once; default at most 32 of them, and all without several hosts." placeholder:"N" group:"Several hosts:"`
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
	EffectiveGFLOPS   float64 `json:"effective_gflops"` // two operations per multiply-add of direct convolution, whatever the algorithm
	PeakGFLOPS        float64 `json:"peak_gflops"`      // multiply-adds in registers, measured in the same run
	MultiplyAdds      float64 `json:"multiply_adds"`    // of direct convolution, in a step
	PeakRSSBytes      int64   `json:"peak_rss_bytes"`
	PlannedBytes      int64   `json:"planned_bytes"` // shared by the results of all ops
	AllocBytesPerStep uint64  `json:"alloc_bytes_per_step"`
}

const description = `Measure training or inference of a net on random pictures.

Examples:

    go run ./cmd/bench --config D
    go run ./cmd/bench --config A --mode infer --batch 1
    go run ./cmd/bench --sweep batch --plot batch.png`

func main() {
	var f flags
	cli.Main("bench", description, &f, func(ctx context.Context) error {
		if err := f.Threads.Apply(); err != nil {
			return err
		}
		switch {
		case cli.World.Size() > 1:
			return f.measureRanks(ctx)
		case f.Hosts != nil && f.Sweep == "":
			return f.predict(ctx)
		}
		if err := f.checkAlone(); err != nil {
			return cli.Usage(err)
		}
		if f.Sweep != "" {
			return f.sweep(ctx)
		}
		r, err := measure(ctx, f)
		if err != nil {
			return err
		}
		if f.JSON {
			return errors.Wrap(json.NewEncoder(cli.Stdout).Encode(r), "bench")
		}
		report := fmt.Sprintf("net %s, %s, %s of %d×%d per step, %s, %s kernels\n", r.Config, r.Mode, text.Count(r.Batch, "picture"), r.Input, r.Input, text.Count(r.Threads, "thread"), r.ISA) +
			fmt.Sprintf("%.4g s per step (median of %d), %.4g pictures/s, %.4g effective GFLOP/s, %.2f of the measured peak %.4g\n",
				r.SecondsPerStep, f.Steps, r.ImagesPerSecond, r.EffectiveGFLOPS, r.EffectiveGFLOPS/r.PeakGFLOPS, r.PeakGFLOPS) +
			fmt.Sprintf("peak resident memory %.2f GB, of it %.2f GB planned; %.1f kB allocated per step\n",
				float64(r.PeakRSSBytes)/1e9, float64(r.PlannedBytes)/1e9, float64(r.AllocBytesPerStep)/1e3)
		fmt.Fprint(cli.Stdout, terminal.Wrap(cli.Stdout, report))
		return nil
	})
}

// checkAlone refuses flags that mean nothing to one process that predicts nothing.
func (f flags) checkAlone() error {
	switch {
	case f.Rates != nil:
		return errors.New("--rates is for several hosts: give their numbers with --hosts, or start them with mpirun")
	case f.Latency != nil:
		return errors.New("--latency is for predictions of several hosts: give their numbers with --hosts")
	case f.Hosts != nil || f.MicroBatch != nil && f.Sweep != "":
		return errors.New("--sweep with --hosts or --micro-batch: it measures one host, which computes a batch at once: leave them out")
	case f.Plot != "" && f.Sweep == "":
		return errors.New("--plot draws several measurements: give --sweep or --hosts")
	case (f.CSV != "" || f.At != nil) && f.Sweep == "":
		return errors.New("--csv and --at are for --sweep: say what to measure at several values")
	case f.AllReduce:
		return errors.New("--all-reduce is for ranks that mpirun has started")
	case f.MicroBatch != nil && f.Mode != "train":
		return errors.New("--micro-batch is for training, which sums the gradients of several: leave it out, or give --batch")
	case f.MicroBatch != nil && (*f.MicroBatch < 1 || f.Batch%f.microBatch(1) != 0):
		return errors.Errorf("--micro-batch %d: want a number of pictures of which --batch, %d, is a multiple", *f.MicroBatch, f.Batch)
	}
	return nil
}

// warmUp is the number of steps before those that are measured.
const warmUp = 2

func measure(ctx context.Context, f flags) (result, error) {
	b, err := newBench(f, job{miniBatch: f.Batch, microBatch: f.microBatch(1)})
	if err != nil {
		return result{}, err
	}
	defer b.vm.Close()
	var seconds []float64
	var before, after runtime.MemStats
	for i := range warmUp + f.Steps {
		if i == warmUp {
			runtime.ReadMemStats(&before)
		}
		start := time.Now()
		if err := b.step(i); err != nil {
			return result{}, err
		}
		if i >= warmUp {
			seconds = append(seconds, time.Since(start).Seconds())
		}
		if err := ctx.Err(); err != nil {
			return result{}, err
		}
	}
	runtime.ReadMemStats(&after)
	slices.Sort(seconds)
	r := result{
		Config: b.net.Config.Name, Mode: f.Mode, Input: f.Input, Batch: f.Batch, Threads: threads.Count(), ISA: kernel.ISA(),
		SecondsPerStep: seconds[len(seconds)/2], PlannedBytes: b.vm.PlannedBytes(), PeakGFLOPS: kernel.Peak(0.3) / 1e9,
		AllocBytesPerStep: (after.TotalAlloc - before.TotalAlloc) / uint64(f.Steps),
	}
	r.ImagesPerSecond = float64(f.Batch) / r.SecondsPerStep
	r.MultiplyAdds = float64(f.Batch) * multiplyAdds(b.net, f.Mode)
	r.EffectiveGFLOPS = 2 * r.MultiplyAdds / r.SecondsPerStep / 1e9
	r.PeakRSSBytes, err = peakRSS()
	return r, err
}

// peakRSS returns the most resident memory that the process has had, in bytes.
func peakRSS() (int64, error) {
	// Linux's getrusage counts what the process had that started this one; its file does not.
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		if _, after, ok := strings.Cut(string(status), "VmHWM:"); ok {
			var kilobytes int64
			if _, err := fmt.Sscan(after, &kilobytes); err == nil {
				return 1024 * kilobytes, nil
			}
		}
	}
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0, errors.Wrap(err, "bench: resident memory")
	}
	if runtime.GOOS == "darwin" { // counts in bytes, the others in kilobytes
		return int64(usage.Maxrss), nil
	}
	return 1024 * int64(usage.Maxrss), nil
}

// multiplyAdds counts those of one picture: in the forward pass, and in training twice as many again for the two
// gradients, except the first layer's data gradient, which is not needed.
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

// bench is a net on a batch of random pictures, and a function that computes a step with it.
type bench struct {
	net    *graph.Net
	loss   *gorgonia.Node // in training
	vm     *machine.VM
	sums   *trainer.Gradients // in training
	solver *trainer.SGD
	step   func(i int) error
}

// job is a training step.
type job struct {
	world                 *mpi.World // ranks that share it
	miniBatch, microBatch int        // pictures
	allReduce             bool       // whole gradients are summed, after the backward pass
	like                  *bench     // whose weights and memory it shares; nil = none
	memory                *machine.Memory
}

// newBench makes a bench for a step.
func newBench(f flags, j job) (*bench, error) {
	config, err := configs.ByName(f.Config)
	if err != nil {
		return nil, cli.Usage(errors.Wrap(err, "--config"))
	}
	switch {
	case f.Batch < 1 || f.Steps < 1:
		return nil, cli.Usage(errors.Errorf("--batch %d --steps %d: want positive numbers", f.Batch, f.Steps))
	case f.Classes < 1 || f.FC < 1 || !(f.Width > 0):
		return nil, cli.Usage(errors.Errorf("--classes %d --fc %d --width %g: want positive numbers", f.Classes, f.FC, f.Width))
	}
	if err := config.CheckInput(f.Input); err != nil {
		return nil, cli.Usage(errors.Wrap(err, "--input"))
	}
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, j.microBatch, 3, f.Input, f.Input)
	o := graph.Options{Classes: f.Classes, Width: f.Width, FC: f.FC, Seed: 1, Inference: f.Mode == "infer"}
	if !o.Inference {
		o.Dropout = 0.5
	}
	if j.like != nil {
		o.Weights = j.like.net
	}
	b := &bench{}
	if b.net, err = graph.Build(x, config, o); err != nil {
		return nil, cli.Usage(err)
	}
	r := rand.New(rand.NewPCG(1, 0))
	pictures := make([]float32, x.Shape().TotalSize())
	for i := range pictures {
		pictures[i] = float32(r.NormFloat64())
	}
	if err := gorgonia.Let(x, tensor.New(tensor.WithShape(x.Shape()...), tensor.WithBacking(pictures))); err != nil {
		return nil, errors.Wrap(err, "bench")
	}
	if o.Inference {
		return b, b.infer()
	}
	return b, b.train(r, j)
}

// infer makes a step a forward pass.
func (b *bench) infer() (err error) {
	b.vm, err = machine.New(b.net.Input.Graph(), machine.Outputs(b.net.Logits), machine.Constants(b.net.Learnables()...))
	b.step = func(int) error { return b.vm.RunAll() }
	return err
}

// train makes a step one of gradient descent, on random labels.
func (b *bench) train(r *rand.Rand, j job) (err error) {
	g, n := b.net.Input.Graph(), b.net.Input.Shape()[0]
	classes := make([]int, n)
	for i := range classes {
		classes[i] = r.IntN(b.net.Options.Classes)
	}
	labels := graph.NewLabels(g, n)
	if err := gorgonia.Let(labels, tensor.New(tensor.WithShape(n), tensor.WithBacking(classes))); err != nil {
		return errors.Wrap(err, "bench")
	}
	if b.loss, err = b.net.Loss(labels); err != nil {
		return err
	}
	if _, err := gorgonia.Grad(b.loss, b.net.Learnables()...); err != nil {
		return errors.Wrap(err, "bench")
	}
	micros := j.miniBatch / j.microBatch
	if b.sums, err = trainer.NewGradients(j.world, micros, j.microBatch); err != nil {
		return cli.Usage(err)
	}
	b.sums.Late = j.allReduce
	options := []machine.Option{machine.Outputs(b.loss), machine.Gradients(b.net.Learnables()...), b.sums.Option()}
	if !j.allReduce {
		options = append(options, machine.Products(j.miniBatch))
	}
	if j.memory != nil {
		options = append(options, machine.Shared(j.memory))
	}
	if b.vm, err = machine.New(g, options...); err != nil {
		return err
	}
	if err := b.sums.Bind(b.vm, b.net.Learnables()); err != nil {
		return err
	}
	b.solver = &trainer.SGD{LearningRate: 1e-3, Momentum: 0.9, WeightDecay: 5e-4, Accumulated: float64(micros), KeepGradients: true}
	learnables := gorgonia.NodesToValueGrads(b.net.Learnables())
	b.step = func(i int) error {
		b.sums.Begin()
		for range micros / j.world.Size() {
			if err := b.net.SetIteration(i); err != nil {
				return err
			}
			b.sums.Next()
			if err := b.vm.RunAll(); err != nil {
				return err
			}
		}
		if err := b.sums.Finish(); err != nil {
			return err
		}
		return b.solver.Step(learnables)
	}
	return nil
}
