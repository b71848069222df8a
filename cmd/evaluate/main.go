// Command evaluate tests trained nets as section 3.2 of the paper (arXiv 1409.1556) does.
package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/cli"
	"vgg/internal/progress/bar"
)

type flags struct {
	Weights     []string `help:"Weights of a trained net, such as RUN/best.safetensors; repeated, the nets are fused." required:"" placeholder:"FILE" sep:"none"`
	Data        string   `help:"Pictures, as train takes them; their validation split is tested on." default:"embedded" placeholder:"SPEC"`
	ValShare    float64  `help:"Share of the pictures to test on where the set has no val." default:"0.1" placeholder:"SHARE"`
	SplitSeed   uint64   `help:"Seed that draws this share." default:"1" placeholder:"N"`
	BadPictures string   `help:"stop at a picture that cannot be read, or skip it." enum:"stop,skip" default:"stop" placeholder:"stop|skip"`
	Predictions string   `help:"Write each picture's true class and five most probable ones." placeholder:"FILE.csv"`
	JSON        bool     `name:"json" help:"Print one JSON object."`
	cli.Overrides
	cli.Protocols
	cli.Threads
}

func main() {
	var f flags
	cli.Main("evaluate", "Test trained nets by the protocols of the paper (arXiv 1409.1556, section 3.2).", &f, func(ctx context.Context) error { return run(ctx, f) })
}

func run(ctx context.Context, f flags) error {
	if err := f.Threads.Apply(); err != nil {
		return err
	}
	if err := f.Protocols.Check(); err != nil {
		return err
	}
	var models []*evaluate.Model
	for _, file := range f.Weights {
		w, err := f.ReadWeights(file)
		if err != nil {
			return errors.Wrap(err, "--weights")
		}
		m, err := evaluate.NewModel(file, w)
		if err != nil {
			return errors.Wrap(cli.NameOverrides(err), "--weights")
		}
		defer m.Close()
		models = append(models, m)
	}
	o, err := f.Protocols.Options(models...)
	if err != nil {
		return err
	}
	set, err := dataset.Open(f.Data, dataset.Options{ValShare: f.ValShare, SplitSeed: f.SplitSeed, Notice: func(m string) { fmt.Fprintln(os.Stderr, m) }})
	if err != nil {
		return errors.Wrap(err, "--data")
	}
	defer set.Close()
	for _, m := range models {
		if numbered(m.Info.Classes) && len(m.Info.Classes) == len(set.Classes) {
			m.Info.Classes = set.Classes
		}
	}
	if known := models[0].Info.Classes; !slices.Equal(known, set.Classes) {
		return errors.Errorf("--data %s has other classes than --weights %s knows: %d (%s …), not %d (%s …); --classes FILE names those of the weights", f.Data, f.Weights[0], len(set.Classes), set.Classes[0], len(known), known[0])
	}
	if f.BadPictures == "skip" {
		o.Skips = dataset.NewSkips(set)
	}
	began := time.Now()
	result, predictions, err := test(ctx, models, set, o, f.Predictions != "")
	if err != nil {
		return err
	}
	seconds := time.Since(began).Seconds()
	if f.Predictions != "" {
		if err := renameio.WriteFile(f.Predictions, predictions, 0o644); err != nil {
			return errors.Wrap(err, "--predictions")
		}
	}
	for _, s := range o.Skips.List() {
		fmt.Fprintf(os.Stderr, "passed over: %s: %s\n", s.Picture, s.Reason)
	}
	if f.JSON {
		return printJSON(os.Stdout, f, o, models, result, seconds)
	}
	print(os.Stdout, f, o, models, result, seconds)
	return nil
}

// numbered tells whether weights do not name their classes: they are then taken to be the data's, in their order.
func numbered(classes []string) bool {
	for i, name := range classes {
		if name != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// test shows progress on a terminal, and collects the predictions as a table.
func test(ctx context.Context, models []*evaluate.Model, set *dataset.Set, o evaluate.Options, collect bool) (*evaluate.Result, []byte, error) {
	progress := bar.New(os.Stderr, set.Val.Len(), "")
	var table strings.Builder
	out := csv.NewWriter(&table)
	header := []string{"picture", "class"}
	for i := range min(5, len(set.Classes)) {
		header = append(header, fmt.Sprintf("class_%d", i+1), fmt.Sprintf("probability_%d", i+1))
	}
	// The writer keeps its first error for Error.
	_ = out.Write(header)
	result, err := evaluate.Run(ctx, models, set.Val, o, func(p evaluate.Prediction) error {
		progress.Add(1)
		if !collect {
			return nil
		}
		row := []string{set.Val.Name(p.Picture), set.Classes[p.Class]}
		for _, class := range p.Ranking()[:min(5, len(set.Classes))] {
			row = append(row, set.Classes[class], strconv.FormatFloat(p.Probabilities[class], 'f', 6, 64))
		}
		return out.Write(row)
	})
	out.Flush()
	if err == nil {
		err = errors.Wrap(out.Error(), "--predictions")
	}
	return result, []byte(table.String()), err
}

func print(w io.Writer, f flags, o evaluate.Options, models []*evaluate.Model, r *evaluate.Result, seconds float64) {
	for _, m := range models {
		scales := fmt.Sprintf("Q = %v", asked(o, m))
		if slices.Equal(asked(o, m), []int{0}) {
			scales = "pictures as large as they are"
		}
		fmt.Fprintf(w, "net %s, width %g, input %d×%d: %s, %s\n", m.Info.Config, m.Info.Width, m.Info.Input, m.Info.Input, m.Name, scales)
	}
	low, high := r.Top1Interval()
	fmt.Fprintf(w, "%s: %d pictures, top-1 error %.2f %% (95 %% interval %.2f to %.2f)", f.Protocol, r.Images, r.Top1Error(), low, high)
	if !math.IsNaN(r.Top5Error()) {
		low, high := r.Top5Interval()
		fmt.Fprintf(w, ", top-5 error %.2f %% (%.2f to %.2f)", r.Top5Error(), low, high)
	}
	fmt.Fprintf(w, "; %.1f pictures/s\n", float64(r.Images)/seconds)
	if len(r.Classes) > 40 {
		return
	}
	fmt.Fprintln(w, "\ntop-1 error of each class:")
	for c, name := range r.Classes {
		fmt.Fprintf(w, "%7.2f %%  %s\n", r.ClassError(c), name)
	}
}

// asked are the scales at which a net is tested; 0 does not rescale.
func asked(o evaluate.Options, m *evaluate.Model) []int {
	if o.Scales == nil {
		return []int{m.Scale()}
	}
	return o.Scales
}

// figure is a number in JSON, null where it does not exist.
func figure(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func printJSON(w io.Writer, f flags, o evaluate.Options, models []*evaluate.Model, r *evaluate.Result, seconds float64) error {
	low1, high1 := r.Top1Interval()
	object := map[string]any{
		"weights": f.Weights, "data": f.Data, "protocol": o.Protocol, "scales": asked(o, models[0]), "images": r.Images,
		"top1_error": figure(r.Top1Error()), "top1_interval": []float64{low1, high1}, "top5_error": figure(r.Top5Error()),
		"images_per_second": float64(r.Images) / seconds, "classes": r.Classes, "confusion": r.Confusion, "skipped": len(o.Skips.List()),
	}
	if !math.IsNaN(r.Top5Error()) {
		low, high := r.Top5Interval()
		object["top5_interval"] = []float64{low, high}
	}
	var classes []*float64
	for c := range r.Classes {
		classes = append(classes, figure(r.ClassError(c)))
	}
	object["class_errors"] = classes
	return errors.Wrap(json.NewEncoder(w).Encode(object), "--json")
}
