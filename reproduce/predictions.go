package reproduce

import (
	"os"
	"path/filepath"
	"strconv"

	"github.com/pkg/errors"

	"vgg/evaluate"
	"vgg/weights"
)

// The names in a file of predictions.
const (
	picturesName      = "pictures"      // (N), their indices in the split
	labelsName        = "labels"        // (N), their classes
	probabilitiesName = "probabilities" // (N, Classes)
	secondsKey        = "seconds"       // the time of the test
)

// writePredictions writes the predictions of a test with a checksum, and the seconds that it took.
func writePredictions(path string, predictions []evaluate.Prediction, seconds float64) error {
	if len(predictions) == 0 {
		return errors.New("reproduce: no validation picture can be read")
	}
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

// readPredictions reads what writePredictions wrote. It refuses a damaged file.
func readPredictions(path string) (predictions []evaluate.Prediction, seconds float64, err error) {
	f, err := weights.Read(path)
	if err == nil {
		err = f.Verify()
	}
	if err != nil {
		return nil, 0, errors.Wrapf(err, "reproduce: %s cannot be used: remove it, and the next run repeats the test", path)
	}
	defer f.Close()
	pictures, _ := f.Tensor(picturesName)
	labels, _ := f.Tensor(labelsName)
	probabilities, _ := f.Tensor(probabilitiesName)
	seconds, err = strconv.ParseFloat(f.Metadata[secondsKey], 64)
	n := len(pictures.Data)
	if err != nil || n == 0 || len(labels.Data) != n || len(probabilities.Shape) != 2 || probabilities.Shape[0] != n {
		return nil, 0, errors.Errorf("reproduce: %s holds no predictions: remove it, and the next run repeats the test", path)
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
