package reproduce

import (
	"math"
	"slices"

	"vgg/evaluate"
	"vgg/plots"
)

// outcome is what the nets of a row got wrong.
type outcome struct {
	wrong      [][]bool // by seed and picture: not the most probable class
	top1, top5 plots.Estimate
	confusion  [][]int // of the first seed
}

// outcome averages the tests of a row for each seed.
func (p Plan) outcome(r row, classes []string) (o outcome, err error) {
	var results []*evaluate.Result
	for _, seed := range p.Seeds {
		var tests [][]evaluate.Prediction
		for _, t := range p.tests(r, seed) {
			predictions, _, err := load(p.file(t))
			if err != nil {
				return o, err
			}
			tests = append(tests, predictions)
		}
		mean, err := evaluate.Average(tests...)
		if err != nil {
			return o, err
		}
		wrong := make([]bool, len(mean))
		for i, prediction := range mean {
			wrong[i] = prediction.Ranking()[0] != prediction.Class
		}
		o.wrong = append(o.wrong, wrong)
		results = append(results, evaluate.Score(classes, mean))
	}
	o.confusion = results[0].Confusion
	o.top1 = estimate(results, (*evaluate.Result).Top1Error, (*evaluate.Result).Top1Interval)
	o.top5 = estimate(results, (*evaluate.Result).Top5Error, (*evaluate.Result).Top5Interval)
	return o, nil
}

// estimate is the mean over the seeds and their range, or of one seed the binomial interval.
func estimate(results []*evaluate.Result, value func(*evaluate.Result) float64, interval func(*evaluate.Result) (low, high float64)) plots.Estimate {
	if len(results) == 1 {
		low, high := interval(results[0])
		return plots.Estimate{Value: value(results[0]), Low: low, High: high}
	}
	var all []float64
	sum := 0.0
	for _, r := range results {
		all = append(all, value(r))
		sum += value(r)
	}
	return plots.Estimate{Value: sum / float64(len(all)), Low: slices.Min(all), High: slices.Max(all)}
}

// gain is by how many points of top-1 error b is better than a, with its 95 % interval: over the pictures, of the mean
// over the seeds, each picture compared with itself.
func gain(a, b outcome) plots.Estimate {
	n := len(a.wrong[0])
	sum, squares := 0.0, 0.0
	for i := range n {
		d := 0.0
		for seed := range a.wrong {
			d += value(a.wrong[seed][i]) - value(b.wrong[seed][i])
		}
		d /= float64(len(a.wrong))
		sum += d
		squares += d * d
	}
	mean := sum / float64(n)
	half := 1.959964 * math.Sqrt((squares/float64(n)-mean*mean)/float64(n))
	return plots.Estimate{Value: 100 * mean, Low: 100 * (mean - half), High: 100 * (mean + half)}
}

func value(wrong bool) float64 {
	if wrong {
		return 1
	}
	return 0
}
