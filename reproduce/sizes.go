package reproduce

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/page"
	"vgg/internal/text"
	"vgg/metrics"
	"vgg/plots"
)

// SizePlan asks how the errors of a shallow and of a deep net, A and E at the fixed scale, fall with the number of
// training pictures: the paper had 1.3 million. All are trained for as many steps.
type SizePlan struct {
	Plan        // its recipe is that of the largest size
	Sizes []int // numbers of training pictures, rising
}

// SizeReport is what the report's template is given.
type SizeReport struct {
	Data     string
	Classes  int
	Tested   string // what the tests were on
	Seeds    string
	Recipe   string // TOML, of the largest size
	Sealed   bool   // the tests were not opened
	Openings []Opening
	Lines    []SizeLine
	Figures  []Figure
}

// SizeLine is a number of training pictures. Intervals are over the seeds.
type SizeLine struct {
	Pictures int
	A, E     plots.Estimate // top-1 error, in percent
	Finding  Finding        // that E is better
}

// of is the plan of one size.
func (p SizePlan) of(pictures int) Plan {
	one := p.Plan
	name := fmt.Sprintf("pictures-%d", pictures)
	one.Nets, one.Ablation, one.fixed = []string{configs.A.Name, configs.E.Name}, false, true
	one.Dir, one.Records = filepath.Join(p.Dir, name), filepath.Join(p.Records, name)
	r := &one.Recipe
	largest := p.Sizes[len(p.Sizes)-1]
	scaled := func(epochs int) int { return (epochs*largest + pictures/2) / pictures }
	if r.Data == dataset.EmbeddedScenes || strings.HasPrefix(r.Data, dataset.EmbeddedScenes+":") { // the first ones, which show as many garments as they can
		separator := ","
		if r.Data == dataset.EmbeddedScenes {
			separator = ":"
		}
		r.Data += fmt.Sprintf("%spictures=%d", separator, pictures)
	} else {
		r.Training.Limit = pictures
	}
	r.Training.Epochs, r.Schedule.Patience, r.Schedule.Every = scaled(r.Training.Epochs), scaled(r.Schedule.Patience), scaled(r.Schedule.Every)
	return one
}

// Validate gives an error if the plan cannot be carried out.
func (p SizePlan) Validate() error {
	if len(p.Sizes) < 2 || !slices.IsSorted(p.Sizes) || len(slices.Compact(slices.Clone(p.Sizes))) < len(p.Sizes) || p.Sizes[0] < 1 {
		return errors.Errorf("reproduce: sizes %v: want two or more rising numbers of pictures", p.Sizes)
	}
	if limit := p.Recipe.Training.Limit; limit != 0 {
		return errors.Errorf("reproduce: training.limit = %d, and sizes are numbers of training pictures themselves: leave it out", limit)
	}
	for _, n := range p.Sizes {
		if err := p.of(n).Validate(); err != nil {
			return err
		}
	}
	return nil
}

// RunSizes is [Run] for a plan of sizes, by one process. It opens the pictures of each size as its recipe says.
func RunSizes(ctx context.Context, p SizePlan, open func(configs.Recipe) (*dataset.Set, error), observer Observer) (*SizeReport, error) {
	if observer == nil {
		observer = silence{}
	}
	p.Plan = p.withRecords()
	if err := p.Validate(); err != nil {
		return nil, err
	}
	// The largest is looked at first: there may be fewer pictures.
	largest := p.Sizes[len(p.Sizes)-1]
	set, err := open(p.of(largest).Recipe)
	if err != nil {
		return nil, err
	}
	defer set.Close()
	if have := set.Train.Len(); have < largest {
		return nil, errors.Errorf("reproduce: %d training pictures are asked for, and %s has %d", largest, set.Name, have)
	}
	p.Plan = p.forSet(set)
	var r *SizeReport
	for _, n := range p.Sizes {
		observer.Notice(fmt.Sprintf("%d training pictures, at most %s", n, text.Count(p.of(n).Recipe.Training.Epochs, "epoch")))
		one := p.of(n)
		set, err := open(one.Recipe)
		if err != nil {
			return nil, err
		}
		if err = one.finishSize(ctx, set, observer); err == nil && r == nil {
			r = &SizeReport{Data: set.Name, Classes: len(set.Classes), Tested: p.tested(set)}
		}
		set.Close()
		if err != nil {
			return nil, err
		}
	}
	return r, p.report(r)
}

// finishSize does what is left of a size.
func (p Plan) finishSize(ctx context.Context, set *dataset.Set, observer Observer) error {
	if err := p.checkHeldOut(set); err != nil {
		return err
	}
	return p.finish(ctx, set, observer)
}

// report collects the records, draws the figure and writes the report.
func (p SizePlan) report(r *SizeReport) error {
	recipe, err := p.Recipe.TOML()
	if err != nil {
		return err
	}
	r.Sealed, r.Seeds, r.Recipe = p.sealed(), text.List(p.Seeds, ", "), string(recipe)
	if p.HeldOut != nil {
		if r.Openings, err = p.open(); err != nil { // before anything is seen
			return err
		}
	}
	if !r.Sealed {
		for _, n := range p.Sizes {
			line, err := p.of(n).sizeLine(n, r.Classes)
			if err != nil {
				return err
			}
			r.Lines = append(r.Lines, line)
		}
		series := []plots.SizeSeries{{Name: "A, 11 layers"}, {Name: "E, 19 layers"}}
		for _, l := range r.Lines {
			series[0].Points = append(series[0].Points, plots.SizePoint{Pictures: l.Pictures, Error: l.A})
			series[1].Points = append(series[1].Points, plots.SizePoint{Pictures: l.Pictures, Error: l.E})
		}
		figure, err := plots.Sizes(series, "Top-1 error against training pictures")
		if err := page.Draw(p.Dir, &r.Figures, figure, err, "sizes.png", "Mean over the seeds, with its 95 % interval."); err != nil {
			return err
		}
	}
	if p.keepsOpened() {
		return nil
	}
	return writeReport(p.Dir, r.Data, sizesTemplate, r, r.Figures, r.Findings())
}

// Findings are those of all sizes.
func (r *SizeReport) Findings() (all []Finding) {
	for _, l := range r.Lines {
		all = append(all, l.Finding)
	}
	return all
}

// sizeLine compares the two nets of a size.
func (p Plan) sizeLine(pictures, classes int) (SizeLine, error) {
	kept, err := p.records()
	if err != nil {
		return SizeLine{}, err
	}
	line := SizeLine{Pictures: pictures}
	rows := rowsOf(configs.Table3())
	a := p.result(kept, find(rows, configs.A.Name, configs.S256, configs.Dense), classes)
	e := p.result(kept, find(rows, configs.E.Name, configs.S256, configs.Dense), classes)
	line.A, line.E = a.overSeeds(), e.overSeeds()
	claim := fmt.Sprintf("%d training pictures: E (19 layers) is better than A (11)", pictures)
	line.Finding = newFinding(claim, math.NaN(), isBetter, newGain(e.wrong, a.wrong, p.subject))
	return line, nil
}

// overSeeds is the mean top-1 error of the seeds with its 95 % interval; for one seed, that over the pictures.
func (r result) overSeeds() plots.Estimate {
	if len(r.wrong) == 1 {
		return r.top1
	}
	var errors []float64
	for _, seed := range r.wrong {
		n := 0
		for _, wrong := range seed {
			if wrong {
				n++
			}
		}
		errors = append(errors, metrics.Percent(n, len(seed)))
	}
	return gain{seeds: errors}.overSeeds()
}

//go:embed sizes.md.tmpl
var sizesTemplate string
