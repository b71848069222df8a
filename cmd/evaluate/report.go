package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/page"
	"vgg/internal/terminal"
	"vgg/metrics"
)

// timedTest is a test and how long it took.
type timedTest struct {
	*evaluate.Result
	set     *dataset.Set
	options evaluate.Options
	models  []*evaluate.Model
	skips   *dataset.Skips
	confused
	took      time.Duration
	notes     []string
	unwritten error // what was wrong with writing files, when all was tested
}

// ofData is the number of all pictures of the data.
func (t timedTest) ofData() int { return t.set.Train.Len() + t.set.Val.Len() }

func (t timedTest) picturesPerSecond() float64 { return float64(t.Pictures()) / t.took.Seconds() }

// loaderWaitPercent is the share of the time in which the nets wait for pictures.
func (t timedTest) loaderWaitPercent() float64 {
	return 100 * t.LoaderWait.Seconds() / t.took.Seconds()
}

// netLines say which nets are tested, and at which scales.
func (t timedTest) netLines() (lines []string) {
	for _, m := range t.models {
		scales := fmt.Sprintf("Q = %v", t.options.ScalesFor(m))
		if slices.Equal(t.options.ScalesFor(m), []int{0}) {
			scales = "pictures not resized"
		}
		lines = append(lines, fmt.Sprintf("net %s, width %g, input %d×%d: %s, %s", m.Info.Config, m.Info.Width, m.Info.Input, m.Info.Input, m.Name, scales))
	}
	return lines
}

// testedLine says which pictures are tested.
func (t timedTest) testedLine() string {
	return fmt.Sprintf("tested on %d of the %d pictures of %s: %s", t.Pictures(), t.ofData(), t.set.Name, t.set.Chosen())
}

func (t timedTest) print(w io.Writer, f flags) {
	for _, line := range append(t.netLines(), t.testedLine()) {
		fmt.Fprintln(w, terminal.Wrap(w, line))
	}
	low, high := t.Top1Interval()
	line := fmt.Sprintf("%s: %d pictures, top-1 error %.2f %% (95 %% interval %.2f to %.2f)", f.Protocol, t.Pictures(), t.Top1Error(), low, high)
	if !math.IsNaN(t.Top5Error()) {
		low, high := t.Top5Interval()
		line += fmt.Sprintf(", top-5 error %.2f %% (%.2f to %.2f)", t.Top5Error(), low, high)
	}
	line += fmt.Sprintf("; %.1f pictures/s, %.1f %% of the time spent waiting for pictures\n", t.picturesPerSecond(), t.loaderWaitPercent())
	fmt.Fprintln(w, terminal.Wrap(w, line+t.calibrationLine()))
	var rows []string
	for c, name := range t.Classes {
		if e := t.ClassError(c); !math.IsNaN(e) {
			rows = append(rows, fmt.Sprintf("%7.2f %%  %s\n", e, name))
		}
	}
	if len(rows) <= 40 {
		fmt.Fprintf(w, "\ntop-1 error of each class:\n%s", strings.Join(rows, ""))
	}
	if f.Out != "" {
		fmt.Fprintf(w, "\n%s\n", filepath.Join(f.Out, page.HTMLFile))
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
		"weights": f.Weights, "data": f.Data, "protocol": t.options.Protocol, "scales": t.options.ScalesFor(t.models[0]), "images": t.Pictures(),
		"images_of_data": t.ofData(), "split": t.set.Chosen(),
		"top1_error": number(t.Top1Error()), "top1_interval": []float64{low1, high1}, "top5_error": number(t.Top5Error()),
		"images_per_second": t.picturesPerSecond(), "loader_wait_percent": t.loaderWaitPercent(),
		"classes": t.Classes, "confusion": t.Confusion, "skipped": len(t.skips.List()), "notes": t.notes,
	}
	if !math.IsNaN(t.Top5Error()) {
		low, high := t.Top5Interval()
		object["top5_interval"] = []float64{low, high}
	}
	var errs []*float64
	var intervals [][]float64
	var pictures []int
	for c := range t.Classes {
		wrong, of := t.OfClass(c)
		var ends []float64 // null without pictures
		if of > 0 {
			ends = interval(metrics.Interval(wrong, of))
		}
		errs, intervals, pictures = append(errs, number(t.ClassError(c))), append(intervals, ends), append(pictures, of)
	}
	object["class_errors"], object["class_intervals"], object["class_images"] = errs, intervals, pictures
	object["expected_calibration_error"], object["calibration_bins"] = t.calibration.ECE(), f.Bins
	return errors.Wrap(json.NewEncoder(w).Encode(object), "--json")
}
