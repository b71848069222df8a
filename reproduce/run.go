package reproduce

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/trainer"
	"vgg/weights"
)

// Observer is told how it goes.
type Observer interface {
	Training(dir string, r configs.Recipe) trainer.Observer // one begins, or goes on
	Notice(message string)
}

// Run does what of a plan is not done yet, and writes the report.
func Run(ctx context.Context, p Plan, set *dataset.Set, observer Observer) (*Report, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	for _, seed := range p.Seeds {
		order, tests := p.work(seed)
		for i, t := range order {
			observer.Notice(fmt.Sprintf("%d of %d: %s", i+1, len(order), p.describe(t)))
			if err := p.train(ctx, t, set, observer); err != nil {
				return nil, errors.Wrapf(err, "%s (the same command goes on from here)", p.describe(t))
			}
			if err := p.test(ctx, t, tests[t], set, observer); err != nil {
				return nil, errors.Wrapf(err, "tests of %s (the same command goes on from here)", p.describe(t))
			}
		}
	}
	return p.report(set)
}

// begin keeps the recipe in the plan's folder, and refuses a folder in which another one has trained.
func (p Plan) begin() error {
	trained, err := filepath.Glob(filepath.Join(p.Dir, "seed-*", "*", trainer.CheckpointDir, "*.safetensors"))
	if err != nil {
		return errors.Wrap(err, "reproduce: folder (--out)")
	}
	path := filepath.Join(p.Dir, trainer.RecipeFile)
	text, err := os.ReadFile(path)
	if len(trained) == 0 || errors.Is(err, fs.ErrNotExist) {
		if text, err = p.Recipe.TOML(); err != nil {
			return err
		}
		if err := os.MkdirAll(p.Dir, 0o755); err != nil {
			return errors.Wrap(err, "reproduce: folder (--out)")
		}
		return errors.Wrap(renameio.WriteFile(path, text, 0o644), "reproduce: recipe")
	}
	if err != nil {
		return errors.Wrap(err, "reproduce: folder (--out)")
	}
	begun, err := configs.ParseRecipe(text, path)
	if err != nil {
		return err
	}
	if changed := begun.Differences(p.Recipe, "seed", "checkpoint_minutes", "on_disk_full", "on_divergence", "log_every"); len(changed) > 0 {
		return errors.Errorf("reproduce: %s was begun otherwise: %s: ask for the same, or give another folder (--out)", p.Dir, strings.Join(changed, "; "))
	}
	return nil
}

// train trains a net, or the rest of it.
func (p Plan) train(ctx context.Context, t training, set *dataset.Set, observer Observer) error {
	job := trainer.Job{Recipe: p.recipe(t), Set: set, Dir: p.dir(t)}
	job.Observer = observer.Training(job.Dir, job.Recipe)
	if begun, err := filepath.Glob(filepath.Join(job.Dir, trainer.CheckpointDir, "*.safetensors")); err != nil || len(begun) > 0 {
		// The folder may have been moved, and with it where the weights are.
		job.Resume, job.Force = true, []string{"weights", "init_from"}
	}
	_, err := trainer.Train(ctx, job)
	if errors.Is(err, trainer.ErrFinished) {
		return nil
	}
	return err
}

// test makes the tests of a net that were not made yet.
func (p Plan) test(ctx context.Context, t training, tests []test, set *dataset.Set, observer Observer) error {
	var m *evaluate.Model
	for _, one := range tests {
		if _, err := os.Stat(p.file(one)); err == nil {
			continue
		}
		if m == nil {
			file := filepath.Join(p.dir(t), trainer.BestFile)
			w, err := weights.Read(file)
			if err != nil {
				return err
			}
			if m, err = evaluate.NewModel(file, w); err != nil {
				return err
			}
			defer m.Close()
		}
		began := time.Now()
		var predictions []evaluate.Prediction
		o := evaluate.Options{Protocol: one.protocol, Scales: []int{one.q}}
		if p.Recipe.Pictures.Bad == configs.BadSkip {
			o.Skips = dataset.NewSkips(set)
		}
		result, err := evaluate.Run(ctx, []*evaluate.Model{m}, set.Val, o, func(p evaluate.Prediction) error {
			predictions = append(predictions, p)
			return nil
		})
		if err != nil {
			return err
		}
		seconds := time.Since(began).Seconds()
		if err := keep(p.file(one), predictions, seconds); err != nil {
			return err
		}
		observer.Notice(fmt.Sprintf("tested: %s, Q = %d: top-1 error %.2f %%, %.1f s", one.protocol, one.q, result.Top1Error(), seconds))
	}
	return nil
}

// The names in a file of predictions.
const (
	picturesName      = "pictures"      // (N), their numbers in the split
	labelsName        = "labels"        // (N)
	probabilitiesName = "probabilities" // (N, Classes)
	secondsKey        = "seconds"       // that the test took
)

// keep writes predictions with checksums.
func keep(path string, predictions []evaluate.Prediction, seconds float64) error {
	classes := len(predictions[0].Probabilities)
	pictures, labels := make([]float32, len(predictions)), make([]float32, len(predictions))
	probabilities := make([]float32, 0, len(predictions)*classes)
	for i, p := range predictions {
		pictures[i], labels[i] = float32(p.Picture), float32(p.Class)
		for _, v := range p.Probabilities {
			probabilities = append(probabilities, float32(v))
		}
	}
	f := weights.File{
		Metadata: map[string]string{secondsKey: strconv.FormatFloat(seconds, 'f', 3, 64)},
		Tensors: []weights.Tensor{
			{Name: picturesName, Shape: []int{len(pictures)}, Data: pictures},
			{Name: labelsName, Shape: []int{len(labels)}, Data: labels},
			{Name: probabilitiesName, Shape: []int{len(predictions), classes}, Data: probabilities},
		},
	}
	if err := f.Seal(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return errors.Wrap(err, "reproduce: folder of the tests")
	}
	return weights.Write(path, f)
}

// load reads what keep wrote.
func load(path string) (predictions []evaluate.Prediction, seconds float64, err error) {
	f, err := weights.Read(path)
	if err == nil {
		err = f.Verify()
	}
	if err != nil {
		return nil, 0, errors.Wrapf(err, "reproduce: %s cannot be used: remove it, and the test is made again", path)
	}
	pictures, _ := f.Tensor(picturesName)
	labels, _ := f.Tensor(labelsName)
	probabilities, _ := f.Tensor(probabilitiesName)
	if seconds, err = strconv.ParseFloat(f.Metadata[secondsKey], 64); err != nil || len(pictures.Data) == 0 || len(labels.Data) != len(pictures.Data) || len(probabilities.Shape) != 2 || probabilities.Shape[0] != len(pictures.Data) {
		return nil, 0, errors.Errorf("reproduce: %s holds no predictions: remove it, and the test is made again", path)
	}
	classes := probabilities.Shape[1]
	for i := range pictures.Data {
		p := evaluate.Prediction{Picture: int(pictures.Data[i]), Class: int(labels.Data[i]), Probabilities: make([]float64, classes)}
		for c := range classes {
			p.Probabilities[c] = float64(probabilities.Data[i*classes+c])
		}
		predictions = append(predictions, p)
	}
	return predictions, seconds, nil
}

// summary reads that of a run.
func summary(dir string) (s trainer.Summary, err error) {
	path := filepath.Join(dir, trainer.SummaryFile)
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	return s, errors.Wrapf(err, "reproduce: %s", path)
}
