package reproduce

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pkg/errors"

	"vgg/boxes"
	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/metrics"
	"vgg/weights"
)

// ClassifierFile is the recipe of the classification net in a BoxPlan's folder.
const ClassifierFile = "classifier.toml"

// RunBoxes does what the plan's folder does not hold yet, and writes the report, as Run does. The set must have boxes.
func RunBoxes(ctx context.Context, p BoxPlan, set *dataset.Set, observer Observer) (*BoxReport, error) {
	if observer == nil {
		observer = silence{}
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	val, _, err := dataset.WithBoxes(set.Val)
	if err != nil {
		return nil, err
	}
	if err := p.openFolder(); err != nil {
		return nil, err
	}
	for _, seed := range p.Seeds {
		order := p.work(seed)
		for i, t := range order {
			observer.Notice(fmt.Sprintf("%d of %d: %s", i+1, len(order), p.describe(t)))
			if err := train(ctx, p.recipe(t), p.dir(t), set, observer); err != nil {
				return nil, errors.Wrap(err, p.describe(t))
			}
		}
		for _, row := range p.rows() {
			if err := p.test(ctx, row, seed, set, val, observer); err != nil {
				return nil, errors.Wrapf(err, "seed %d, test %s", seed, p.rowName(row))
			}
		}
	}
	return p.report(ctx, set, val)
}

func (p BoxPlan) openFolder() error {
	if err := openFolder(p.Dir, ClassifierFile, p.Classifier); err != nil {
		return err
	}
	return openFolder(p.Dir, "boxes.toml", p.Boxes)
}

// file is that of a test's outcomes.
func (p BoxPlan) file(r boxRow, seed uint64) string {
	return filepath.Join(p.seedDir(seed), "tests", p.rowName(r)+".safetensors")
}

// test makes a row's test if its outcomes are not there yet.
func (p BoxPlan) test(ctx context.Context, row boxRow, seed uint64, set *dataset.Set, val dataset.Boxed, observer Observer) error {
	if _, err := os.Stat(p.file(row, seed)); err == nil {
		return nil
	}
	began := time.Now()
	var all boxOutcomes
	var err error
	skips := dataset.NewSkips(set, p.Boxes.Pictures)
	if len(row.nets) == 0 {
		all, err = meanBoxOutcomes(set, val, skips)
	} else {
		err = p.localise(ctx, row, seed, val, skips, func(l evaluate.Localisation) error {
			rank, overlap := l.Rank(), l.CentralOverlap(0)
			if row.protocol == "" {
				rank = test1Rank(overlap)
			}
			all.add(l.Picture, rank, overlap)
			return nil
		})
	}
	if err != nil {
		return err
	}
	all.seconds = time.Since(began).Seconds()
	observer.Notice(fmt.Sprintf("tested: %s: error %.2f %%, %.1f s", p.rowName(row), metrics.Percent(all.errors().Top5, len(all.ranks)), all.seconds))
	return all.write(p.file(row, seed))
}

// test1Rank is 0 for a box that is right in test 1, and otherwise that of no guess.
func test1Rank(overlap float64) int {
	if boxes.RightInTest1(overlap) {
		return 0
	}
	return evaluate.MostGuesses
}

// localise makes a row's test on some pictures. In test 2 the classes are those of the classification nets of both
// scales, dense.
func (p BoxPlan) localise(ctx context.Context, row boxRow, seed uint64, split dataset.Boxed, skips *dataset.Skips, each func(evaluate.Localisation) error) error {
	var classifiers []*evaluate.Model
	var localisers []evaluate.Localiser
	read := func(t boxTraining) (*evaluate.Model, error) {
		t.seed = seed
		return evaluate.ReadModel(p.weights(t))
	}
	if row.protocol != "" {
		for _, s := range []configs.Scale{configs.S256, configs.S384} {
			m, err := read(boxTraining{scale: s})
			if err != nil {
				return err
			}
			defer m.Close()
			classifiers = append(classifiers, m)
		}
	}
	for _, n := range row.nets {
		m, err := read(n.boxTraining)
		if err != nil {
			return err
		}
		defer m.Close()
		var scales []int
		for _, q := range n.test {
			scales = append(scales, p.testScale(q))
		}
		localisers = append(localisers, evaluate.Localiser{Model: m, Scales: scales})
	}
	protocol := row.protocol
	if protocol == "" {
		protocol = configs.Center
	}
	skip := func(picture int, reason error) error { return skips.Skip(split.Name(picture), reason) }
	o := evaluate.BoxOptions{Options: evaluate.Options{Protocol: configs.Dense, Skip: skip}, Boxes: protocol}
	return evaluate.Localise(ctx, classifiers, localisers, split, o, each)
}

// meanBoxOutcomes are those of always answering the mean box of the training pictures.
func meanBoxOutcomes(set *dataset.Set, val dataset.Boxed, skips *dataset.Skips) (all boxOutcomes, err error) {
	train, _, err := dataset.WithBoxes(set.Train)
	if err != nil {
		return all, err
	}
	mean, err := evaluate.MeanBox(train, skips.Skip)
	if err != nil {
		return all, err
	}
	for i := range val.Len() {
		_, objects, err := val.Located(i)
		if err != nil {
			if err := skips.Skip(val.Name(i), err); err != nil {
				return all, err
			}
			continue
		}
		l := evaluate.Localisation{Prediction: evaluate.Prediction{Class: val.Label(i)}, Objects: objects}
		overlap := l.Overlap(mean, val.Label(i))
		all.add(i, test1Rank(overlap), overlap)
	}
	return all, nil
}

// boxOutcomes are what a test found for each picture.
type boxOutcomes struct {
	pictures, ranks, overlaps []float32 // the guesses before the first that is right; the IoU of test 1
	seconds                   float64
}

func (o *boxOutcomes) add(picture, rank int, overlap float64) {
	o.pictures, o.ranks, o.overlaps = append(o.pictures, float32(picture)), append(o.ranks, float32(rank)), append(o.overlaps, float32(overlap))
}

// wrong says of each picture whether none of its first guesses is right.
func (o boxOutcomes) wrong(guesses int) (all []bool) {
	for _, rank := range o.ranks {
		all = append(all, int(rank) >= guesses)
	}
	return all
}

func (o boxOutcomes) errors() (e metrics.Errors) {
	for _, rank := range o.ranks {
		e.Add(int(rank))
	}
	return e
}

func (o boxOutcomes) write(path string) error {
	if len(o.ranks) == 0 {
		return errors.New("reproduce: no validation picture can be read")
	}
	f := weights.File{Metadata: map[string]string{secondsKey: strconv.FormatFloat(o.seconds, 'f', 3, 64)}}
	for name, values := range map[string][]float32{picturesName: o.pictures, "ranks": o.ranks, "overlaps": o.overlaps} {
		f.Tensors = append(f.Tensors, weights.Tensor{Name: name, Shape: []int{len(values)}, Data: values})
	}
	if err := f.Seal(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return errors.Wrap(err, "reproduce: folder of the tests")
	}
	return weights.Write(path, f)
}

func readBoxOutcomes(path string) (o boxOutcomes, err error) {
	f, err := weights.Read(path)
	if err == nil {
		err = f.Verify()
	}
	if err != nil {
		return o, errors.Wrapf(err, "reproduce: %s cannot be used: remove it, and the next run repeats the test", path)
	}
	for name, values := range map[string]*[]float32{picturesName: &o.pictures, "ranks": &o.ranks, "overlaps": &o.overlaps} {
		t, _ := f.Tensor(name)
		*values = t.Data
	}
	o.seconds, err = strconv.ParseFloat(f.Metadata[secondsKey], 64)
	if n := len(o.ranks); err != nil || n == 0 || len(o.pictures) != n || len(o.overlaps) != n {
		return o, errors.Errorf("reproduce: %s holds no test of boxes: remove it, and the next run repeats the test", path)
	}
	return o, nil
}
