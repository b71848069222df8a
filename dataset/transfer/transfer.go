package transfer

import (
	"fmt"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/dataset"
	"vgg/internal/archive"
	"vgg/metrics"
)

// Task is what is to be told about a picture.
type Task string

const (
	Classification Task = "classification" // what is in the picture
	Action         Task = "action"         // what a person in a box does; VOC's only
)

// Metric is how a set is measured, all in percent.
type Metric string

const (
	AP2007          Metric = "mean AP (2007)" // metrics.Curve.AP2007
	AP2010          Metric = "mean AP (2010)" // metrics.Curve.AP2010
	MeanClassRecall Metric = "mean class recall"
)

// Rest is, in Options.Test, all pictures that are not for training.
const Rest = -1

// Options say how a set is opened. The fields from Train on are for sets that have no splits of their own.
type Options struct {
	Task Task // "" for Classification
	Year int  // of VOC, where there are several; 0 for the only one

	Train    int     // pictures of each class to train on; 0 for 60 if the set is Caltech-256, else 30
	Test     int     // the most of each class to test on, or Rest; 0 for Rest if the set is Caltech-256, else 50
	Splits   int     // how many; 0 for 3
	ValShare float64 // of the training pictures that choose the hyper-parameters; 0 for 0.2
	Seed     uint64  // draws the splits

	// Notice, if not nil, is called before slow operations, and with what was decided or left out.
	Notice func(message string)
}

// Set is a set of pictures to test features on.
type Set struct {
	Name     string
	Task     Task
	Year     int // of VOC, else 0
	Classes  []string
	Pictures dataset.Split // labels are those of sets with one label a picture, else -1
	Samples  []Sample
	// Targets is (N, K): 1 if a sample is of a class, -1 if not, 0 if it does not count for the class, neither in training
	// nor in testing, as where all its objects are difficult ones.
	Targets []int8
	Splits  []Split
	Metric  Metric
	// Unlabelled tells that the labels of the test samples are on a server: their targets are 0. See WriteResults.
	Unlabelled bool

	trees []archive.Tree
	set   *dataset.Set // that has the pictures of classes
}

// Sample is what is classified: a picture, or, for actions, an object in it.
type Sample struct {
	Picture int // its place among the pictures
	ID      string
	Object  int // its number in the picture from 1; 0 for the whole picture

	box      boxes.Box // of the object, in shares of the stored picture's sides
	inPixels bool      // or in its pixels
}

// Split is the places of samples, rising. Once Val has chosen the hyper-parameters, Train and Val are both to be
// trained on. Test is empty if a set of VOC has no test pictures.
type Split struct{ Train, Val, Test []int }

// Open opens a set: a folder, or a zip, tar or tar.gz archive, that holds
//
//   - VOC's folder VOC2007 or VOC2012 (VOCdevkit/VOC2007/{JPEGImages,Annotations,ImageSets}), or is it; its pictures for
//     training and for test may lie in two such folders, or in archives with VOC in their names beside each other;
//   - or anything that dataset.Open knows, such as class folders: 101_ObjectCategories/CLASS/*. Training and validation
//     pictures of such a set are put together, and divided by random splits. An archive in the archive is unpacked.
//
// Errors name the file and what would help.
func Open(spec string, o Options) (*Set, error) {
	if o.Task == "" {
		o.Task = Classification
	}
	if o.Task != Classification && o.Task != Action {
		return nil, errors.Errorf("dataset: task %q: want %s or %s", o.Task, Classification, Action)
	}
	s, err := openVOC(spec, o)
	if err == nil && s == nil && o.Task == Action {
		err = errors.Errorf("dataset %s: no folder VOC2012 with ImageSets/Action in it: actions are read from VOC's sets only", spec)
	}
	if err != nil || s != nil {
		return s, err
	}
	return openClasses(spec, o)
}

// Close closes the files that the set reads from.
func (s *Set) Close() error {
	first := closeAll(s.trees)
	if s.set != nil {
		first = s.set.Close()
	}
	return first
}

func closeAll(trees []archive.Tree) (first error) {
	for _, t := range trees {
		if err := t.Close(); err != nil && first == nil {
			first = errors.Wrapf(err, "dataset %s", t.Name())
		}
	}
	return first
}

// Located is the upright picture of a sample, and the box to look at, in shares of its sides: the whole picture, or the
// object. It is an error too if the box cannot be that of the picture.
func (s *Set) Located(sample int) (augment.Picture, boxes.Box, error) {
	at := s.Samples[sample]
	if at.Object == 0 {
		p, err := s.Pictures.Picture(at.Picture)
		return p, boxes.Unit, err
	}
	p, orientation, err := s.Pictures.(*vocPictures).stored(at.Picture)
	if err != nil {
		return p, boxes.Box{}, err
	}
	box := at.box
	if at.inPixels {
		width, height := float64(p.Width), float64(p.Height)
		if orientation >= 5 {
			width, height = height, width
		}
		box = box.Scale(1/width, 1/height)
	}
	box = box.Turn(orientation).Clip(boxes.Unit)
	if box.Empty() {
		return p, box, errors.Errorf("dataset %s: object %d is outside the picture (correct its annotation)", s.Pictures.Name(at.Picture), at.Object)
	}
	return p, box, nil
}

// Measure rates the scores (M, K) of M samples by the set's metric: the mean, and the value of each class, in percent.
// The scores of each class are those that svm.Model.Scores gives. It is an error if a class has no sample to be
// measured on.
func (s *Set) Measure(scores []float32, samples []int) (mean float64, each []float64, err error) {
	k := len(s.Classes)
	if len(scores) != len(samples)*k {
		return 0, nil, errors.Errorf("%d scores are not those of %d samples and %d classes", len(scores), len(samples), k)
	}
	if s.Metric == MeanClassRecall {
		predicted, labels := make([]int, len(samples)), make([]int, len(samples))
		for i, sample := range samples {
			predicted[i] = metrics.Ranking(scores[i*k:][:k])[0]
			labels[i] = s.Pictures.Label(s.Samples[sample].Picture)
		}
		return metrics.MeanClassRecall(predicted, labels, k)
	}
	truth := make([]int8, 0, len(scores))
	for _, sample := range samples {
		truth = append(truth, s.Targets[sample*k:][:k]...)
	}
	ap := metrics.Curve.AP2010
	if s.Metric == AP2007 {
		ap = metrics.Curve.AP2007
	}
	return metrics.MeanAP(scores, truth, k, ap)
}

// Curve is precision against recall of a class, by the scores (M, K) of M samples. It is an error if none is of the
// class.
func (s *Set) Curve(scores []float32, samples []int, class int) (metrics.Curve, error) {
	k := len(s.Classes)
	if len(scores) != len(samples)*k {
		return metrics.Curve{}, errors.Errorf("%d scores are not those of %d samples and %d classes", len(scores), len(samples), k)
	}
	of, truth := make([]float32, len(samples)), make([]int8, len(samples))
	for i, sample := range samples {
		of[i], truth[i] = scores[i*k+class], s.Targets[sample*k+class]
	}
	curve, err := metrics.NewCurve(of, truth)
	return curve, errors.Wrapf(err, "class %s", s.Classes[class])
}

// notes are what is said of a set in one notice.
type notes []string

func (n *notes) add(format string, args ...any) { *n = append(*n, fmt.Sprintf(format, args...)) }

func (n *notes) say(name string, notice func(string)) {
	if len(*n) > 0 && notice != nil {
		notice(name + ": " + strings.Join(*n, "; "))
	}
}

// fewNames is the number of names that messages give.
const fewNames = 6
