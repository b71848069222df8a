package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/atomicfile"
	"vgg/internal/cli"
	"vgg/internal/finite"
	"vgg/internal/terminal"
	"vgg/internal/text"
	"vgg/internal/threads"
	"vgg/plots"
)

// cost is a step at one value of what is swept.
type cost struct {
	At float64 `json:"at"`
	result
}

// work is that of a thread.
func (c cost) work() float64 { return c.MultiplyAdds / float64(c.Threads) }

// sweep measures a step at each value, in a process of its own, whose memory is that of this step alone. What is measured
// is kept if a later value fails.
func (f flags) sweep(ctx context.Context) error {
	if f.Sweep != "threads" { // whose most are those of --threads
		if err := cli.Refuse("--sweep "+f.Sweep+" goes through several: give them with --at", "--"+f.Sweep); err != nil {
			return err
		}
	}
	values, err := f.values()
	if err != nil {
		return cli.Usage(err)
	}
	for flag, path := range map[string]string{"--csv": f.CSV, "--plot": f.Plot} {
		if err := cli.CheckOutput(flag, path); err != nil {
			return err
		}
	}
	if f.CSV != "" && filepath.Clean(f.CSV) == filepath.Clean(f.Plot) {
		return cli.Usage(errors.Errorf("--csv and --plot are both %s: give each a file of its own", f.CSV))
	}
	costs, failed := f.measureAll(ctx, values)
	switch {
	case len(costs) == 0:
		return failed
	case f.JSON:
		err = errors.Wrap(json.NewEncoder(cli.Stdout).Encode(costs), "bench")
	default:
		err = printCosts(cli.Stdout, f.Sweep, costs)
	}
	return cmp.Or(failed, err)
}

// measureAll measures each value, and gives what was measured before an error too.
func (f flags) measureAll(ctx context.Context, values []float64) (costs []cost, err error) {
	for _, value := range values {
		c, err := f.measureApart(ctx, value)
		if err != nil {
			return costs, errors.Wrapf(err, "--sweep %s at %g", f.Sweep, value)
		}
		costs = append(costs, c)
		if err := f.writeCosts(costs); err != nil {
			return costs, err
		}
		if !f.JSON {
			cli.Say(fmt.Sprintf("%s %g: %.4g s per step", f.Sweep, value, c.SecondsPerStep))
		}
	}
	return costs, nil
}

// values are what is swept over, in rising order.
func (f flags) values() ([]float64, error) {
	config, err := configs.ByName(f.Config)
	if err != nil {
		return nil, errors.Wrap(err, "--config")
	}
	values := slices.Clone(f.At)
	if len(values) == 0 {
		switch f.Sweep {
		case "batch":
			values = []float64{1, 2, 4, 8, 16, 32, 64}
		case "input":
			values = []float64{64, 96, 128, 192, 256, 384, 512}
		case "width":
			values = []float64{0.125, 0.25, 0.5, 1}
		case "threads":
			for n := threads.Count(); n > 0; n /= 2 {
				values = append(values, float64(n))
			}
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	for _, v := range values {
		if whole := f.Sweep == "width" || v == math.Trunc(v); !(v > 0) || !finite.Is(v) || !whole {
			return nil, errors.Errorf("--at %v: want numbers above 0, whole ones but for --sweep width", v)
		}
		if f.Sweep == "threads" && v > float64(threads.Count()) {
			return nil, errors.Errorf("--at %v: more than %s (--threads)", v, text.Count(threads.Count(), "thread"))
		}
		if err := config.CheckInput(f.with(v).Input); err != nil {
			return nil, errors.Wrapf(err, "--sweep %s at %g", f.Sweep, v)
		}
	}
	return values, nil
}

// with are the flags of one value.
func (f flags) with(value float64) flags {
	switch f.Sweep {
	case "batch":
		f.Batch = int(value)
	case "input":
		f.Input = int(value)
	case "threads":
		f.Threads.Threads = int(value)
	case "width":
		f.Width = value
	}
	return f
}

// measureApart measures a value in another process.
func (f flags) measureApart(ctx context.Context, value float64) (c cost, err error) {
	f = f.with(value)
	c.At = value
	program, err := os.Executable()
	if err != nil {
		return c, errors.Wrap(err, "bench")
	}
	if f.Threads.Threads == 0 {
		f.Threads.Threads = threads.Count()
	}
	run := exec.CommandContext(ctx, program, "--json", "--config", f.Config, "--mode", f.Mode, "--input", strconv.Itoa(f.Input), "--batch", strconv.Itoa(f.Batch),
		"--steps", strconv.Itoa(f.Steps), "--classes", strconv.Itoa(f.Classes), "--width", fmt.Sprint(f.Width), "--fc", strconv.Itoa(f.FC),
		"--threads", strconv.Itoa(f.Threads.Threads))
	var stderr bytes.Buffer
	run.Stderr = &stderr
	out, err := run.Output()
	switch {
	case ctx.Err() != nil:
		return c, ctx.Err()
	case err != nil && stderr.Len() > 0:
		said, more, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
		if strings.Contains(more, "goroutine ") {
			return c, errors.Errorf("the process that measures ended, mostly for too little memory: %s", said)
		}
		return c, errors.New(strings.TrimPrefix(strings.TrimSpace(said+"\n"+more), "bench: "))
	case err != nil: // nothing was said: too little memory, mostly
		return c, errors.Wrap(err, "the process that measures ended")
	}
	return c, errors.Wrap(json.Unmarshal(out, &c.result), "bench")
}

// writeCosts writes the files that are asked for.
func (f flags) writeCosts(costs []cost) error {
	if f.CSV != "" {
		err := atomicfile.Encode(f.CSV, func(w io.Writer) error { return writeCSV(w, f.Sweep, costs) })
		if err != nil {
			return errors.Wrap(err, "--csv")
		}
	}
	if f.Plot == "" {
		return nil
	}
	var points []plots.Cost
	for _, c := range costs {
		points = append(points, plots.Cost{At: c.At, Seconds: c.SecondsPerStep, Work: c.work(), Bytes: float64(c.PeakRSSBytes)})
	}
	figure, err := plots.Costs(points, f.Sweep, f.costTitle(costs[0]))
	if err != nil {
		return err
	}
	return errors.Wrap(figure.Save(f.Plot), "--plot")
}

// costTitle names what stays the same.
func (f flags) costTitle(c cost) string {
	title := fmt.Sprintf("net %s, %s", c.Config, f.Mode)
	for _, same := range []struct{ name, text string }{
		{"batch", fmt.Sprintf("batch %d", f.Batch)}, {"input", fmt.Sprintf("%d×%d", f.Input, f.Input)},
		{"width", fmt.Sprintf("width %g", f.Width)}, {"threads", fmt.Sprintf("%d threads", c.Threads)},
	} {
		if same.name != f.Sweep {
			title += ", " + same.text
		}
	}
	return title + ", " + c.ISA
}

func writeCSV(w io.Writer, swept string, costs []cost) error {
	table := csv.NewWriter(w)
	rows := [][]string{{swept, "seconds_per_step", "images_per_second", "effective_gflops", "peak_gflops", "peak_rss_bytes", "planned_bytes", "multiply_adds"}}
	for _, c := range costs {
		rows = append(rows, []string{fmt.Sprint(c.At), fmt.Sprint(c.SecondsPerStep), fmt.Sprint(c.ImagesPerSecond), fmt.Sprint(c.EffectiveGFLOPS), fmt.Sprint(c.PeakGFLOPS),
			fmt.Sprint(c.PeakRSSBytes), fmt.Sprint(c.PlannedBytes), strconv.FormatFloat(c.MultiplyAdds, 'f', 0, 64)})
	}
	return table.WriteAll(rows)
}

// printCosts prints a table, and the powers with which time, work and memory grow.
func printCosts(w io.Writer, swept string, costs []cost) error {
	table := terminal.Table{Gap: 2, Right: true, Rows: [][]string{{swept, "s per step", "pictures/s", "GFLOP/s", "of the peak", "memory, GB"}}}
	var at, seconds, work, memory []float64
	for _, c := range costs {
		table.Rows = append(table.Rows, []string{fmt.Sprint(c.At), fmt.Sprintf("%.4g", c.SecondsPerStep), fmt.Sprintf("%.4g", c.ImagesPerSecond),
			fmt.Sprintf("%.4g", c.EffectiveGFLOPS), fmt.Sprintf("%.2f", c.EffectiveGFLOPS/c.PeakGFLOPS), fmt.Sprintf("%.3f", float64(c.PeakRSSBytes)/1e9)})
		at, seconds = append(at, c.At), append(seconds, c.SecondsPerStep)
		work, memory = append(work, c.work()), append(memory, float64(c.PeakRSSBytes))
	}
	if err := table.Fprint(w); err != nil || len(costs) == 1 {
		return errors.Wrap(err, "bench")
	}
	_, err := fmt.Fprintln(w, terminal.Wrap(w, fmt.Sprintf("\ntime grows as %s^%.2f, work of a thread as %s^%.2f, memory as %s^%.2f (least squares of the logarithms)",
		swept, exponent(at, seconds), swept, exponent(at, work), swept, exponent(at, memory))))
	return errors.Wrap(err, "bench")
}

// exponent is b of the power law y = a·x^b that is nearest in the logarithms, by least squares.
func exponent(x, y []float64) float64 {
	var meanX, meanY, xx, xy float64
	for i := range x {
		meanX += math.Log(x[i]) / float64(len(x))
		meanY += math.Log(y[i]) / float64(len(y))
	}
	for i := range x {
		dx := math.Log(x[i]) - meanX
		xx += dx * dx
		xy += dx * (math.Log(y[i]) - meanY)
	}
	return xy / xx
}
