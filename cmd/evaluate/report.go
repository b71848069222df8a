package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/evaluate"
)

// timedTest is a test and how long it took.
type timedTest struct {
	*evaluate.Result
	set     *dataset.Set
	options evaluate.Options
	models  []*evaluate.Model
	skips   *dataset.Skips
	took    time.Duration
	notes   []string
}

// pictures is the number of all pictures of the data.
func (t timedTest) pictures() int { return t.set.Train.Len() + t.set.Val.Len() }

func (t timedTest) picturesPerSecond() float64 { return float64(t.Images) / t.took.Seconds() }

// loaderWaitPercent is the share of the time in which the nets wait for pictures.
func (t timedTest) loaderWaitPercent() float64 {
	return 100 * t.LoaderWait.Seconds() / t.took.Seconds()
}

func (t timedTest) print(w io.Writer, f flags) {
	for _, m := range t.models {
		scales := fmt.Sprintf("Q = %v", t.options.ScalesFor(m))
		if slices.Equal(t.options.ScalesFor(m), []int{0}) {
			scales = "pictures as large as they are"
		}
		fmt.Fprintf(w, "net %s, width %g, input %d×%d: %s, %s\n", m.Info.Config, m.Info.Width, m.Info.Input, m.Info.Input, m.Name, scales)
	}
	low, high := t.Top1Interval()
	fmt.Fprintf(w, "tested on %d of the %d pictures of %s: %s\n", t.Images, t.pictures(), t.set.Name, t.set.Chosen())
	fmt.Fprintf(w, "%s: %d pictures, top-1 error %.2f %% (95 %% interval %.2f to %.2f)", f.Protocol, t.Images, t.Top1Error(), low, high)
	if !math.IsNaN(t.Top5Error()) {
		low, high := t.Top5Interval()
		fmt.Fprintf(w, ", top-5 error %.2f %% (%.2f to %.2f)", t.Top5Error(), low, high)
	}
	fmt.Fprintf(w, "; %.1f pictures/s, %.1f %% of the time spent waiting for pictures\n", t.picturesPerSecond(), t.loaderWaitPercent())
	var rows []string
	for c, name := range t.Classes {
		if e := t.ClassError(c); !math.IsNaN(e) {
			rows = append(rows, fmt.Sprintf("%7.2f %%  %s\n", e, name))
		}
	}
	if len(rows) <= 40 {
		fmt.Fprintf(w, "\ntop-1 error of each class:\n%s", strings.Join(rows, ""))
	}
}

// number is a number in JSON, null for NaN.
func number(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func (t timedTest) printJSON(w io.Writer, f flags) error {
	low1, high1 := t.Top1Interval()
	object := map[string]any{
		"weights": f.Weights, "data": f.Data, "protocol": t.options.Protocol, "scales": t.options.ScalesFor(t.models[0]), "images": t.Images,
		"images_of_data": t.pictures(), "split": t.set.Chosen(),
		"top1_error": number(t.Top1Error()), "top1_interval": []float64{low1, high1}, "top5_error": number(t.Top5Error()),
		"images_per_second": t.picturesPerSecond(), "loader_wait_percent": t.loaderWaitPercent(),
		"classes": t.Classes, "confusion": t.Confusion, "skipped": len(t.skips.List()), "notes": t.notes,
	}
	if !math.IsNaN(t.Top5Error()) {
		low, high := t.Top5Interval()
		object["top5_interval"] = []float64{low, high}
	}
	var classes []*float64
	for c := range t.Classes {
		classes = append(classes, number(t.ClassError(c)))
	}
	object["class_errors"] = classes
	return errors.Wrap(json.NewEncoder(w).Encode(object), "--json")
}
