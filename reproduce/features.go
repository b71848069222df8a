package reproduce

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/dataset/transfer"
	"vgg/evaluate"
	"vgg/generalise"
	"vgg/internal/page"
	"vgg/internal/text"
	"vgg/metrics"
	"vgg/svm"
	"vgg/trainer"
)

// FeaturePlan says what of appendix B is reproduced: a net is trained on some classes, and its features are tested on
// others by Caltech's protocol, beside raw pixels and a net of random weights.
type FeaturePlan struct {
	Recipe configs.Recipe // trains the net
	Other  string         // the other classes, as transfer.Open takes them
	Seeds  []uint64       // everything is done once with each
	Dir    string         // the folder of all files
}

// Validate gives an error if the plan cannot be carried out.
func (p FeaturePlan) Validate() error {
	if p.Recipe.Boxes.Regression != "" {
		return errors.Errorf("reproduce: recipe %s trains no classification net (boxes.regression)", p.Recipe.Name)
	}
	if err := checkSeeds(p.Seeds); err != nil {
		return err
	}
	return p.Recipe.Validate()
}

// FeatureReport is what the template of the report on features is given.
type FeatureReport struct {
	Data, Other    string
	Classes        []string // the other ones
	Seeds          []uint64
	Values         string // as Markdown
	Findings       []Finding
	Notes          []string
	Drawn          *generalise.Drawn
	Scales, Recipe string
}

//go:embed features.md.tmpl
var featureTemplate string

// featureNames are the kinds of features that are tested.
var featureNames = []string{"features of the trained net", "raw pixels", "features of a net of random weights"}

// tested is what one kind of features reached, over all seeds.
type tested struct {
	wrong  [][]bool  // by seed, of the test pictures of all its splits
	values []float64 // mean class recall of each seed and split
}

// RunFeatures does what the plan's folder does not hold yet, and writes the report. The set is the recipe's.
func RunFeatures(ctx context.Context, p FeaturePlan, set *dataset.Set, observer Observer) (*FeatureReport, error) {
	if observer == nil {
		observer = silence{}
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if err := openFolder(p.Dir, trainer.RecipeFile, p.Recipe); err != nil {
		return nil, err
	}
	r := &FeatureReport{Data: set.Name, Other: p.Other, Seeds: p.Seeds}
	all := make([]tested, len(featureNames))
	for _, seed := range p.Seeds {
		recipe, dir := p.Recipe, filepath.Join(p.Dir, seedFolder(seed), "features")
		recipe.Training.Seed = seed
		observer.Notice(fmt.Sprintf("seed %d: net %s on %s", seed, recipe.Config, set.Name))
		if err := train(ctx, recipe, dir, set, observer); err != nil {
			return nil, errors.Wrapf(err, "seed %d", seed)
		}
		if err := p.test(ctx, r, all, seed, filepath.Join(dir, trainer.BestFile)); err != nil {
			return nil, errors.Wrapf(err, "seed %d, features", seed)
		}
	}
	var rows [][]string
	for i, t := range all {
		mean, deviation := metrics.MeanDeviation(t.values)
		rows = append(rows, []string{featureNames[i], fmt.Sprintf("%.1f ± %.1f", mean, deviation)})
	}
	r.Values = page.Table([]string{"", "mean class recall (%)"}, rows)
	for i, claim := range []string{"Features of the trained net are better than raw pixels", "Features of the trained net are better than those of random weights"} {
		r.Findings = append(r.Findings, newFinding(claim, math.NaN(), isBetter, all[0].gain(all[i+1])))
	}
	text, err := p.Recipe.TOML()
	if err != nil {
		return nil, err
	}
	r.Recipe = string(text)
	figures := slices.Concat(r.Drawn.Bars, r.Drawn.Curves, r.Drawn.Pictures)
	return r, writeReport(p.Dir, r.Data, featureTemplate, r, figures, r.Findings)
}

// test tests the features of a seed's net, whose splits it draws too, and adds to what all seeds reached. The figures
// are of the first seed.
func (p FeaturePlan) test(ctx context.Context, r *FeatureReport, all []tested, seed uint64, file string) error {
	m, err := evaluate.ReadModel(file)
	if err != nil {
		return err
	}
	defer m.Close()
	random, err := generalise.RandomWeights(m, seed)
	if err != nil {
		return err
	}
	defer random.Close()
	note := func(message string) { r.Notes = append(r.Notes, fmt.Sprintf("seed %d: %s", seed, message)) }
	other, err := transfer.Open(p.Other, transfer.Options{Seed: seed, Notice: note})
	if err != nil {
		return err
	}
	defer other.Close()
	r.Classes = other.Classes
	pictures, err := generalise.Read(ctx, other, generalise.WholePicture, nil)
	if err != nil {
		return err
	}
	scales := generalise.DefaultScales(other, m)
	r.Scales = text.List(scales, ", ")
	o := generalise.Options{Layer: "fc7", Aggregate: generalise.DefaultAggregation(other), Cache: filepath.Join(p.Dir, "cache"), Notice: note}
	for i := range all {
		var f *generalise.Features
		switch i {
		case 0:
			f, err = pictures.Features(ctx, []generalise.Net{{Model: m, Scales: scales}}, o)
		case 1:
			f, err = pictures.Pixels(ctx, m)
		default:
			f, err = pictures.Features(ctx, []generalise.Net{{Model: random, Scales: scales}}, o)
		}
		if err != nil {
			return err
		}
		reached, err := generalise.Classify(ctx, f, featureC, svm.Options{Bias: 1, Seed: 1})
		if err != nil {
			return errors.WithMessage(err, featureNames[i])
		}
		for _, line := range reached.LeftOut() {
			note(featureNames[i] + ": " + line)
		}
		all[i].add(other, reached)
		if i == 0 && r.Drawn == nil {
			if r.Drawn, err = generalise.Draw(p.Dir, other, reached); err != nil {
				return err
			}
		}
	}
	return nil
}

// featureC are the values of C to choose from.
var featureC = []float64{0.01, 0.1, 1, 10, 100}

// add adds what a seed's splits reached.
func (t *tested) add(set *transfer.Set, r *generalise.Result) {
	k := len(set.Classes)
	var wrong []bool
	for i, s := range r.Splits {
		t.values = append(t.values, s.Value)
		for j, class := range svm.Argmax(s.Scores, k) {
			wrong = append(wrong, set.Targets[set.Splits[i].Test[j]*k+class] != 1)
		}
	}
	t.wrong = append(t.wrong, wrong)
}

// gain compares with other features of the same samples, which are others for each seed.
func (t tested) gain(baseline tested) gain {
	g := newGain([][]bool{slices.Concat(t.wrong...)}, [][]bool{slices.Concat(baseline.wrong...)}, nil)
	g.seeds = nil
	for i := range t.wrong {
		g.seeds = append(g.seeds, newGain(t.wrong[i:i+1], baseline.wrong[i:i+1], nil).Value)
	}
	return g
}
