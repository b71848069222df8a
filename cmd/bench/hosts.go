package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"vgg/graph/machine"
	"vgg/internal/cli"
	"vgg/internal/cluster"
	"vgg/internal/finite"
	"vgg/internal/kernel"
	"vgg/internal/outer"
	"vgg/internal/terminal"
	"vgg/internal/text"
	"vgg/internal/threads"
	"vgg/plots"
)

// prediction is what --hosts --json prints.
type prediction struct {
	Config    string   `json:"config"`
	Input     int      `json:"input"`
	MiniBatch int      `json:"mini_batch"`
	Threads   int      `json:"threads"`
	ISA       string   `json:"isa"`
	Latency   float64  `json:"latency_seconds"`
	Speeds    []speed  `json:"speeds"` // as measured
	Alone     float64  `json:"images_per_second_alone"`
	Rows      []shared `json:"rows"`

	gradients []cluster.Gradient
}

// speed is that of this host at a micro-batch.
type speed struct {
	MicroBatch int     `json:"micro_batch"`
	Forward    float64 `json:"forward_seconds"`
	Backward   float64 `json:"backward_seconds"`
	Update     float64 `json:"update_seconds"`              // of the weights, without products
	Product    float64 `json:"product_seconds_per_picture"` // of factors
}

// shared is a step that hosts share over a network.
type shared struct {
	Hosts               int     `json:"hosts"`
	MicroBatch          int     `json:"micro_batch"`
	Gbits               float64 `json:"gbits_per_second"`
	Sent                float64 `json:"bytes_sent"` // by a host in a step
	Compute             float64 `json:"compute_seconds"`
	Wait                float64 `json:"wait_seconds"`
	Update              float64 `json:"update_seconds"`
	Seconds             float64 `json:"seconds_per_step"`
	ImagesPerSecond     float64 `json:"images_per_second"`
	Efficiency          float64 `json:"efficiency"`            // of the speed of as many hosts, each alone
	AllReduceEfficiency float64 `json:"all_reduce_efficiency"` // where whole gradients are summed after the backward pass
}

// predict predicts steps that hosts share, prints and draws them.
func (f flags) predict(ctx context.Context) error {
	if err := f.checkHosts(); err != nil {
		return cli.Usage(err)
	}
	if err := cli.CheckOutput("--plot", f.Plot); err != nil {
		return err
	}
	p, err := f.measureSpeeds(ctx)
	if err != nil {
		return err
	}
	for _, hosts := range f.Hosts {
		for _, gbits := range f.rates() {
			p.Rows = append(p.Rows, p.share(f.job(hosts), gbits))
		}
	}
	if f.Plot != "" {
		figure, err := p.draw(f.rates())
		if err != nil {
			return err
		}
		if err := figure.Save(f.Plot); err != nil {
			return errors.Wrap(err, "--plot")
		}
	}
	if f.JSON {
		return errors.Wrap(json.NewEncoder(cli.Stdout).Encode(p), "bench")
	}
	return p.print(cli.Stdout)
}

func (f flags) checkHosts() error {
	switch {
	case f.CSV != "" || f.At != nil:
		return errors.New("--hosts with --at or --csv: these are for --sweep: leave them out")
	case f.AllReduce:
		return errors.New("--all-reduce with --hosts: predictions have the efficiency of both: leave it out")
	case f.Mode != "train":
		return errors.New("--hosts: hosts share training steps: want --mode train")
	case f.MicroBatch != nil && *f.MicroBatch < 1:
		return errors.Errorf("--micro-batch %d: want a positive number", *f.MicroBatch)
	case f.latency() < 0 || !finite.Is(f.latency()):
		return errors.Errorf("--latency %v: want a number of microseconds", *f.Latency)
	}
	if err := f.checkRates(); err != nil {
		return err
	}
	for _, hosts := range f.Hosts {
		if hosts < 1 || hosts > f.Batch {
			return errors.Errorf("--hosts %d: want 1 to --batch, %d, so that each has a picture", hosts, f.Batch)
		}
		if err := f.job(hosts).Validate(); err != nil {
			return errors.Wrap(err, "--hosts")
		}
	}
	return nil
}

func (f flags) checkRates() error {
	for _, rate := range f.Rates {
		if !(rate > 0) || !finite.Is(rate) {
			return errors.Errorf("--rates %v: want positive numbers of Gbit/s", rate)
		}
	}
	return nil
}

func (f flags) rates() []float64 {
	if f.Rates == nil {
		return []float64{1, 10, 25, 100}
	}
	return f.Rates
}

// latency is in seconds.
func (f flags) latency() float64 {
	if f.Latency == nil {
		return 50e-6
	}
	return *f.Latency * 1e-6
}

// job is a step that hosts share: each computes its pictures at once, or in micro-batches of --micro-batch.
func (f flags) job(hosts int) cluster.Job {
	return cluster.Job{Ranks: hosts, MiniBatch: f.Batch, MicroBatch: min(f.mostMicroBatch(), f.Batch/hosts)}
}

func (f flags) mostMicroBatch() int {
	if f.MicroBatch == nil {
		return 32
	}
	return *f.MicroBatch
}

// measureSpeeds measures each micro-batch that a number of hosts needs, and that of one host alone, the largest first.
func (f flags) measureSpeeds(ctx context.Context) (prediction, error) {
	var sizes []int
	for _, hosts := range append([]int{1}, f.Hosts...) {
		sizes = append(sizes, f.job(hosts).MicroBatch)
	}
	slices.SortFunc(sizes, func(a, b int) int { return b - a })
	p := prediction{Input: f.Input, MiniBatch: f.Batch, Threads: threads.Count(), ISA: kernel.ISA(), Latency: f.latency()}
	for i, size := range slices.Compact(sizes) {
		b, err := newBench(f, job{miniBatch: f.Batch, microBatch: size})
		if err != nil {
			return p, err
		}
		s := speed{MicroBatch: size}
		if s.Forward, s.Backward, err = b.passes(ctx, f.Steps); err == nil && i == 0 {
			p.Config, p.gradients = b.net.Config.Name, cluster.Gradients(b.net.Summary(), f.Batch)
			s.Update, s.Product, err = b.updates(ctx, f.Batch, f.Steps)
		} else if err == nil { // they do not depend on the micro-batch
			s.Update, s.Product = p.Speeds[0].Update, p.Speeds[0].Product
		}
		b.vm.Close()
		if err != nil {
			return p, err
		}
		p.Speeds = append(p.Speeds, s)
	}
	alone := f.job(1)
	p.Alone = float64(f.Batch) / alone.Step(p.gradients, p.speed(alone), cluster.Network{BytesPerSecond: 1}).Total()
	return p, nil
}

// passes times the forward and the backward pass of a batch.
func (b *bench) passes(ctx context.Context, steps int) (forward, backward float64, err error) {
	vm, err := machine.New(b.net.Input.Graph(), machine.Outputs(b.loss))
	if err != nil {
		return 0, 0, err
	}
	forward, err = median(ctx, steps, vm.RunAll)
	vm.Close()
	if err != nil {
		return 0, 0, err
	}
	both, err := median(ctx, steps, func() error {
		b.sums.Begin()
		b.sums.Next()
		return b.vm.RunAll()
	})
	return forward, max(0, both-forward), err
}

// updates times the solver's step after a batch was computed: what it takes whatever the rows of the factors, and what
// each row adds.
func (b *bench) updates(ctx context.Context, rows, steps int) (update, product float64, err error) {
	learnables := gorgonia.NodesToValueGrads(b.net.Learnables())
	step := func(rows int) (float64, error) {
		for _, l := range learnables {
			gradient, err := l.Grad()
			if err != nil {
				return 0, errors.Wrap(err, "bench")
			}
			if p, ok := gradient.(*outer.Gradient); ok {
				fill(p, rows)
			}
		}
		return median(ctx, steps, func() error { return b.solver.Step(learnables) })
	}
	one, err := step(1)
	if err != nil || rows == 1 {
		return one, 0, err
	}
	all, err := step(rows)
	product = max(0, all-one) / float64(rows-1)
	return max(0, one-product), product, err
}

// fill gives a gradient random factors.
func fill(p *outer.Gradient, rows int) {
	r := rand.New(rand.NewPCG(2, 0))
	random := func(n int) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = 1e-3 * float32(r.NormFloat64())
		}
		return values
	}
	p.Clear()
	layer := p.Layer()
	for range rows {
		p.Add(random(layer.In), random(layer.Out))
	}
}

// median is the time of a function in seconds, after it has run once.
func median(ctx context.Context, runs int, f func() error) (float64, error) {
	var seconds []float64
	for i := range 1 + runs {
		start := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		if i > 0 {
			seconds = append(seconds, time.Since(start).Seconds())
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	slices.Sort(seconds)
	return seconds[len(seconds)/2], nil
}

// speed is the measured one that a job needs.
func (p prediction) speed(j cluster.Job) cluster.Speed {
	i := slices.IndexFunc(p.Speeds, func(s speed) bool { return s.MicroBatch == j.MicroBatch })
	s := p.Speeds[i]
	return cluster.Speed{Forward: s.Forward, Backward: s.Backward, Update: s.Update, Product: s.Product}
}

// share predicts a step.
func (p prediction) share(j cluster.Job, gbits float64) shared {
	network := cluster.Network{BytesPerSecond: gbits * 1e9 / 8, Latency: p.Latency}
	s := p.speed(j)
	c := j.Step(p.gradients, s, network)
	perSecond := func(c cluster.Cost) float64 { return float64(p.MiniBatch) / c.Total() }
	ideal := float64(j.Ranks) * p.Alone
	return shared{
		Hosts: j.Ranks, MicroBatch: j.MicroBatch, Gbits: gbits, Sent: j.SentAll(p.gradients),
		Compute: c.Compute, Wait: c.Wait, Update: c.Update, Seconds: c.Total(), ImagesPerSecond: perSecond(c),
		Efficiency: perSecond(c) / ideal, AllReduceEfficiency: perSecond(j.StepAllReduced(p.gradients, s, network)) / ideal,
	}
}

func (p prediction) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "net %s, input %d×%d, mini-batch %d: predicted from this host with %s, %s kernels, and %.3g µs a message\n",
		p.Config, p.Input, p.Input, p.MiniBatch, text.Count(p.Threads, "thread"), p.ISA, 1e6*p.Latency)
	for _, s := range p.Speeds {
		fmt.Fprintf(&b, "measured, micro-batch %d: %.4g s forward, %.4g s backward\n", s.MicroBatch, s.Forward, s.Backward)
	}
	fmt.Fprintf(&b, "measured, update of the weights: %.4g s, and %.4g ms for each picture whose factors are multiplied\n", p.Speeds[0].Update, 1e3*p.Speeds[0].Product)
	fmt.Fprintf(&b, "one host alone: %.4g pictures/s\n\n", p.Alone)
	fmt.Fprint(w, terminal.Wrap(w, b.String()))
	table := terminal.Table{Gap: 2, Right: true, Rows: [][]string{
		{"hosts", "micro-batch", "Gbit/s", "MB sent", "compute s", "wait s", "update s", "step s", "pictures/s", "efficiency", "all-reduced"},
	}}
	for _, r := range p.Rows {
		table.Rows = append(table.Rows, strings.Split(fmt.Sprintf("%d\t%d\t%g\t%.1f\t%.3g\t%.3g\t%.3g\t%.3g\t%.4g\t%.1f %%\t%.1f %%", r.Hosts, r.MicroBatch, r.Gbits, r.Sent/1e6,
			r.Compute, r.Wait, r.Update, r.Seconds, r.ImagesPerSecond, 100*r.Efficiency, 100*r.AllReduceEfficiency), "\t"))
	}
	return errors.Wrap(table.Fprint(w), "bench")
}

// draw draws the efficiency of the rows beside that of all-reduced gradients.
func (p prediction) draw(rates []float64) (*plots.Figure, error) {
	ours, allReduced := plots.ScalingPanel{Label: "efficiency (%)"}, plots.ScalingPanel{Label: "all-reduced (%)"}
	for _, gbits := range rates {
		name := fmt.Sprintf("%g Gbit/s", gbits)
		a, b := plots.ScalingSeries{Name: name}, plots.ScalingSeries{Name: name}
		for _, r := range p.Rows {
			if r.Gbits == gbits {
				a.Points = append(a.Points, plots.ScalingPoint{Hosts: r.Hosts, Efficiency: 100 * r.Efficiency})
				b.Points = append(b.Points, plots.ScalingPoint{Hosts: r.Hosts, Efficiency: 100 * r.AllReduceEfficiency})
			}
		}
		ours.Series, allReduced.Series = append(ours.Series, a), append(allReduced.Series, b)
	}
	title := fmt.Sprintf("net %s, %d×%d, mini-batch %d, predicted", p.Config, p.Input, p.Input, p.MiniBatch)
	return plots.Scaling([]plots.ScalingPanel{ours, allReduced}, title)
}
