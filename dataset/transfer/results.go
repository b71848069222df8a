package transfer

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
	"vgg/internal/finite"
)

// Result is a line of a result file.
type Result struct {
	ID     string
	Object int // 0 where pictures are classified
	Score  float64
}

// competition is VOC's number of a task for methods that were trained on other pictures too, as nets of ILSVRC are.
var competition = map[Task]string{Classification: "comp2_cls", Action: "comp10_action"}

// WriteResults writes the result files of VOC's server to a folder, one a class, such as comp2_cls_test_cat.txt: id,
// for actions the object's number, and score of each test sample. Scores are (T, K), of the T test samples. It gives
// the paths.
func (s *Set) WriteResults(dir string, scores []float32) (files []string, err error) {
	k := len(s.Classes)
	switch {
	case s.Year == 0:
		return nil, errors.Errorf("dataset %s: result files are VOC's: this set has none", s.Name)
	case len(s.Splits[0].Test) == 0:
		return nil, errors.Errorf("dataset %s: no test pictures to write results of", s.Name)
	case len(scores) != len(s.Splits[0].Test)*k:
		return nil, errors.Errorf("%d scores are not those of %d samples and %d classes", len(scores), len(s.Splits[0].Test), k)
	}
	for i, score := range scores {
		if !finite.Is(float64(score)) {
			return nil, errors.Errorf("the score of %s for class %s is %g", s.Samples[s.Splits[0].Test[i/k]].ID, s.Classes[i%k], score)
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	for c, class := range s.Classes {
		var b bytes.Buffer
		for row, sample := range s.Splits[0].Test {
			at := s.Samples[sample]
			b.WriteString(at.ID)
			if s.Task == Action {
				fmt.Fprintf(&b, " %d", at.Object)
			}
			fmt.Fprintf(&b, " %s\n", strconv.FormatFloat(float64(scores[row*k+c]), 'f', -1, 32))
		}
		file := filepath.Join(dir, fmt.Sprintf("%s_test_%s.txt", competition[s.Task], class))
		if err := atomicfile.Write(file, b.Bytes()); err != nil {
			return files, err
		}
		files = append(files, file)
	}
	return files, nil
}

// ParseResults reads a result file of a task. Errors give the line.
func ParseResults(data []byte, task Task) (results []Result, err error) {
	f := form{object: task == Action}
	err = eachLine(data, func(words []string) error {
		last := len(words) - 1
		l, err := f.parse(words[:last])
		if err != nil {
			return errors.Wrap(err, "before its score")
		}
		score, err := strconv.ParseFloat(words[last], 64)
		if err != nil || !finite.Is(score) {
			return errors.Errorf("%.40q is no score", words[last])
		}
		results = append(results, Result{l.id, l.object, score})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}
