package evaluate

import (
	"slices"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/dataset"
	"vgg/internal/text"
	"vgg/weights"
)

// MatchClasses finds, for each class of a data set, the output of the models that stands for it, as
// weights.MatchClasses does. Models whose weights do not name their classes take the data's names. Predictions are over
// all outputs of the models, also where the data have some of their classes only: test on Relabel(split, outputs). The
// notes say what was decided, with the model's name.
func MatchClasses(models []*Model, classes []string) (outputs []int, notes []string, err error) {
	for i, m := range models {
		unnamed := weights.Unnamed(m.Info.Classes)
		if i > 0 && !unnamed {
			continue // Run compares it with the first
		}
		found, note, err := weights.MatchClasses(m.Info.Classes, classes)
		if err != nil {
			return nil, nil, errors.Wrap(err, m.Name)
		}
		if i == 0 {
			outputs = found
		}
		if note != "" {
			notes = append(notes, m.Name+": "+note)
		}
		if unnamed {
			m.Info.Classes = slices.Clone(m.Info.Classes)
			if all := weights.ImageNetClasses(); len(all) == len(m.Info.Classes) && text.WNID(classes[0]) != "" {
				m.Info.Classes = all // for the classes that the data do not have
			}
			for class, output := range found {
				m.Info.Classes[output] = classes[class]
			}
		}
	}
	return outputs, notes, nil
}

// Relabel makes class i of a split the output outputs[i].
func Relabel(split dataset.Split, outputs []int) dataset.Split {
	r := relabelled{split, outputs}
	if b, ok := split.(dataset.Boxed); ok {
		return relabelledBoxed{r, b}
	}
	return r
}

type relabelled struct {
	dataset.Split
	outputs []int
}

func (r relabelled) Label(i int) int { return r.outputs[r.Split.Label(i)] }

type relabelledBoxed struct {
	relabelled
	boxed dataset.Boxed
}

func (r relabelledBoxed) HasBox(i int) bool                 { return r.boxed.HasBox(i) }
func (r relabelledBoxed) Orientation(i int) (uint16, error) { return r.boxed.Orientation(i) }

func (r relabelledBoxed) Located(i int) (augment.Picture, []dataset.Instance, error) {
	p, objects, err := r.boxed.Located(i)
	objects = slices.Clone(objects)
	for i, o := range objects {
		if o.Class >= 0 {
			objects[i].Class = r.outputs[o.Class]
		}
	}
	return p, objects, err
}
