package evaluate

import (
	"cmp"
	"math"
	"slices"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/boxes"
	"vgg/configs"
	"vgg/internal/finite"
	"vgg/metrics"
)

// outputMap is the outputs of a net's last layer in a crop: at each position, if dense, where windows of the size of
// the net's input begin; else at one.
type outputMap struct {
	model         int              // its index in the engine
	protocol      configs.Protocol // by which the crop was taken
	at            augment.Crop
	rows, columns int
	values        []float32 // (rows·columns, outputs)
}

// window is where the net's input is at position i: in shares of the crop's sides, beyond 1 where the crop ends in it.
func (m outputMap) window(i int, net *Model) boxes.Box {
	input, stride := float64(net.Info.Input), float64(net.config.Stride())
	left, top := stride*float64(i%m.columns), stride*float64(i/m.columns)
	return boxes.Box{XMin: left, YMin: top, XMax: left + input, YMax: top + input}.Scale(1/float64(m.at.Width), 1/float64(m.at.Height))
}

// box is the one predicted at position i for a class, in shares of the picture's sides. It may reach beyond the
// picture.
func (m outputMap) box(i, class int, net *Model, size augment.Picture) (boxes.Box, error) {
	values := configs.BoxOf(rowOf(m.values, i, m.rows*m.columns), class)
	for _, v := range values {
		if !finite.Is(float64(v)) {
			return boxes.Box{}, errors.Errorf("%s predicts a box of %v: want finite numbers", net.Name, values)
		}
	}
	// A net may predict a side below 0.
	inWindow := boxes.FromCentre(float64(values[0]), float64(values[1]), max(0, float64(values[2])), max(0, float64(values[3])))
	w := m.window(i, net)
	inCrop := inWindow.Scale(w.XMax-w.XMin, w.YMax-w.YMin).Move(w.XMin, w.YMin)
	return m.at.InPicture(size, inCrop), nil
}

// find makes boxes of a picture's maps.
func (l *localisation) find(p *picture) (Localisation, error) {
	found := Localisation{Prediction: p.Prediction, Width: p.size.Width, Height: p.size.Height, Objects: p.objects}
	err := l.findCentral(p, &found)
	if l.classifiers == 0 {
		found.Probabilities, found.Logits = nil, nil
	} else if err == nil {
		found.Guesses, err = l.guesses(p)
	}
	return found, errors.Wrap(err, l.engine.split.Name(p.Picture))
}

// findCentral finds the boxes of test 1.
func (l *localisation) findCentral(p *picture, found *Localisation) error {
	if p.Class < 0 {
		return nil
	}
	for i, net := range l.localisers {
		for _, m := range p.maps {
			if m.model == l.classifiers+i && m.protocol == configs.Center && m.at.Scale == net.Scale() {
				box, err := m.box(0, p.Class, net.Model, p.size)
				if err != nil {
					return err
				}
				found.Central = append(found.Central, box)
				break
			}
		}
	}
	return nil
}

// guesses merges the boxes of the most probable classes. The best box of each class comes first.
func (l *localisation) guesses(p *picture) (all []Guess, err error) {
	windows := l.windows(p)
	var more []Guess
	for _, class := range p.Ranking()[:min(l.options.Classes, len(p.Probabilities))] {
		var predicted []boxes.Merged
		for _, w := range windows {
			box, err := w.from.box(w.position, class, w.net, p.size)
			if err != nil {
				return nil, err
			}
			predicted = append(predicted, boxes.Merged{Box: box.Clip(boxes.Unit), Score: w.probabilities[class], Windows: 1})
		}
		merged, err := boxes.Merge(predicted, l.options.Limit)
		if err != nil {
			return nil, err
		}
		for i, m := range merged {
			guess := Guess{m, class, p.Probabilities[class]}
			if i == 0 {
				all = append(all, guess)
			} else {
				more = append(more, guess)
			}
		}
	}
	slices.SortStableFunc(more, func(a, b Guess) int { return cmp.Compare(b.Score, a.Score) })
	return append(all, more[:min(len(more), MostGuesses-len(all))]...), nil
}

// rated is a window of a localiser with the probabilities of the classes in it.
type rated struct {
	net           *Model
	from          outputMap
	position      int
	probabilities []float64
}

// windows lists those from which a picture's boxes are predicted. Each is rated by the windows of the classification
// nets nearest to it in the same view of the picture: the same ones, if the nets' inputs are of one size. A central crop
// is rated by the whole picture.
func (l *localisation) windows(p *picture) (all []rated) {
	for _, m := range p.maps {
		if m.model < l.classifiers || m.protocol != l.options.Boxes {
			continue
		}
		net := l.localisers[m.model-l.classifiers]
		if !slices.Contains(net.Scales, m.at.Scale) {
			continue // it is for test 1
		}
		for i := range m.rows * m.columns {
			probabilities := p.Probabilities
			if m.protocol != configs.Center {
				probabilities = l.probabilities(p, m, i)
			}
			all = append(all, rated{net.Model, m, i, probabilities})
		}
	}
	return all
}

// probabilities are the means over the classification nets of those in the windows nearest to position i of a
// localiser's map.
func (l *localisation) probabilities(p *picture, m outputMap, i int) []float64 {
	nearest := make([][]float32, l.classifiers) // the class scores there
	least := slices.Repeat([]float64{math.Inf(1)}, l.classifiers)
	for _, c := range p.maps {
		if c.model < l.classifiers && c.protocol == m.protocol && c.at.Scale == m.at.Scale && c.at.Mirrored == m.at.Mirrored {
			if j, d := l.nearest(c, m, i, p.size); d < least[c.model] {
				nearest[c.model], least[c.model] = rowOf(c.values, j, c.rows*c.columns), d
			}
		}
	}
	mean := make([]float64, len(p.Probabilities))
	for _, scores := range nearest {
		add(mean, metrics.Softmax(scores), 1/float64(l.classifiers))
	}
	return mean
}

// nearest is the position in one map whose window is nearest to that of position i of another, and how far it is, in
// shares of the picture's sides.
func (l *localisation) nearest(in, of outputMap, i int, size augment.Picture) (nearest int, least float64) {
	a, b := l.engine.models[in.model], l.engine.models[of.model]
	if in.at == of.at && a.Info.Input == b.Info.Input && a.config.Stride() == b.config.Stride() {
		return i, 0
	}
	x, y := l.centre(of, i, size)
	least = math.Inf(1)
	for j := range in.rows * in.columns {
		cx, cy := l.centre(in, j, size)
		if d := math.Hypot(cx-x, cy-y); d < least {
			nearest, least = j, d
		}
	}
	return nearest, least
}

// centre is the middle of the window at position i, in shares of the picture's sides.
func (l *localisation) centre(m outputMap, i int, size augment.Picture) (x, y float64) {
	x, y, _, _ = m.at.InPicture(size, m.window(i, l.engine.models[m.model])).Centre()
	return x, y
}
