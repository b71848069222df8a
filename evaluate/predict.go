package evaluate

import (
	"math"
	"slices"
	"sync"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/configs"
)

// PredictOptions say what a net sees of pictures, and what is wanted of it.
type PredictOptions struct {
	Protocol configs.Protocol // "" = center
	Scales   []int            // as in Options
	Batch    int              // crops at a time, whatever pictures they are of; 0 = 10

	// Features is a hidden fully connected layer, fc6 or fc7, whose values after the ReLU are wanted as a description of
	// the picture (appendix B); "" = none.
	Features string
}

// Answer is what a net makes of a picture: the mean over all that it sees of it.
type Answer struct {
	Probabilities []float64 // soft-max outputs, by class
	Logits        []float64 // scores before the soft-max, by class
	Features      []float64 // averaged over mirror images, places and scales, then divided by their L2 norm; nil unless asked for
}

// Ranking gives the classes, the most probable first, of equals the lower one.
func (a Answer) Ranking() []int { return Prediction{Probabilities: a.Probabilities}.Ranking() }

// Predict gives an answer for each picture, which is made grey or RGB as the net wants it. Crops of the same size are
// computed together, of several pictures too. Features are of a crop and its mirror image with every protocol; the
// other answers of the center protocol are of the crop alone.
func (m *Model) Predict(o PredictOptions, pictures ...augment.Picture) ([]Answer, error) {
	p, err := m.newPredicting(o, pictures)
	if err != nil {
		return nil, err
	}
	for _, group := range p.groups() {
		if err := p.answer(group); err != nil {
			return nil, err
		}
	}
	for i := range p.answers {
		normalise(p.answers[i].Features)
	}
	return p.answers, nil
}

// predicting is one call of Predict.
type predicting struct {
	*Model
	pictures []augment.Picture
	looks    []look
	batch    int
	layer    string
	features int // length of the layer
	answers  []Answer
}

func (m *Model) newPredicting(o PredictOptions, pictures []augment.Picture) (*predicting, error) {
	seen := Options{Protocol: o.Protocol, Scales: o.Scales, Batch: o.Batch}.withDefaults()
	if err := seen.check(); err != nil {
		return nil, err
	}
	if err := m.checkScales(seen); err != nil {
		return nil, err
	}
	p := &predicting{Model: m, looks: m.looks(seen), batch: seen.Batch, layer: o.Features, answers: make([]Answer, len(pictures))}
	if o.Features != "" {
		if err := m.checkFeatures(o.Features); err != nil {
			return nil, err
		}
		p.features = m.Info.FC
	}
	for i, picture := range pictures {
		if err := picture.Check(); err != nil {
			return nil, err
		}
		p.pictures = append(p.pictures, picture.WithChannels(m.Info.Channels))
		p.answers[i] = Answer{make([]float64, len(m.Info.Classes)), make([]float64, len(m.Info.Classes)), make([]float64, p.features)}
		if p.features == 0 {
			p.answers[i].Features = nil
		}
	}
	return p, nil
}

// checkFeatures says whether the net has such a hidden fully connected layer.
func (m *Model) checkFeatures(layer string) error {
	var hidden []string
	for _, l := range m.config.FullyConnected() {
		if l.Hidden {
			hidden = append(hidden, l.Name)
		}
	}
	if !slices.Contains(hidden, layer) {
		return errors.Errorf("evaluate: features of a layer %q: want one of %v", layer, hidden)
	}
	return nil
}

// task is a window of a picture with its shares in the picture's means.
type task struct {
	picture         int
	window          augment.Crop
	dense           bool
	share, features float64
}

// groups are the tasks whose inputs are of the same size.
func (p *predicting) groups() [][]task {
	var groups [][]task
	place := map[purpose]int{}
	for i, picture := range p.pictures {
		for _, l := range p.looks {
			for _, t := range p.tasks(i, l, l.windows(picture, p.Info.Input, p.config.Stride())) {
				size := purpose{height: t.window.Height, width: t.window.Width, dense: t.dense}
				at, ok := place[size]
				if !ok {
					at = len(groups)
					place[size], groups = at, append(groups, nil)
				}
				groups[at] = append(groups[at], t)
			}
		}
	}
	return groups
}

func (p *predicting) tasks(picture int, l look, windows []augment.Crop) (all []task) {
	share := l.weight / float64(len(windows))
	for _, w := range windows {
		all = append(all, task{picture, w, l.protocol == configs.Dense, share, share})
	}
	if p.features > 0 && l.protocol == configs.Center {
		mirrored := all[0]
		mirrored.window.Mirrored, mirrored.share, mirrored.features = true, 0, share/2
		all[0].features = share / 2
		all = append(all, mirrored)
	}
	return all
}

// answer computes the tasks of a group. The filters are not prepared: a graph for a few pictures does not live to see
// the time come back.
func (p *predicting) answer(group []task) error {
	size := min(p.batch, len(group))
	first := group[0]
	r, err := p.runnerFor(purpose{n: size, height: first.window.Height, width: first.window.Width, dense: first.dense, features: p.layer})
	if err != nil {
		return err
	}
	for tasks := range slices.Chunk(group, size) {
		if err := r.compute(func(x []float32) error { return p.fill(x, tasks) }); err != nil {
			return err
		}
		for row, t := range tasks {
			a := p.answers[t.picture]
			logits := rowOf(values(r.net.Logits), row, size)
			addTo(a.Logits, logits, t.share)
			for c, probability := range softmax(logits) {
				a.Probabilities[c] += t.share * probability
			}
			if p.features > 0 {
				places := rowOf(values(r.features), row, size) // (places, features)
				for place := range slices.Chunk(places, p.features) {
					addTo(a.Features, place, t.features*float64(p.features)/float64(len(places)))
				}
			}
		}
	}
	return nil
}

// fill cuts the tasks' windows out of their pictures, side by side.
func (p *predicting) fill(x []float32, tasks []task) error {
	var running sync.WaitGroup
	errs := make([]error, len(tasks))
	for i, t := range tasks {
		running.Go(func() {
			size := p.Info.Channels * t.window.Height * t.window.Width
			errs[i] = p.transform.Crop(x[i*size:][:size], p.pictures[t.picture], t.window)
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// rowOf is one of several equal parts of values.
func rowOf(values []float32, row, rows int) []float32 {
	size := len(values) / rows
	return values[row*size:][:size]
}

func addTo(sum []float64, values []float32, weight float64) {
	for i, v := range values {
		sum[i] += weight * float64(v)
	}
}

// normalise divides a vector by its L2 norm; one of zeros stays as it is.
func normalise(v []float64) {
	norm := 0.0
	for _, x := range v {
		norm += x * x
	}
	if norm > 0 {
		for i := range v {
			v[i] /= math.Sqrt(norm)
		}
	}
}
