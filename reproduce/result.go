package reproduce

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"vgg/evaluate"
	"vgg/metrics"
	"vgg/plots"
)

// result is what a row's tests give.
type result struct {
	wrong      [][]bool // by seed and picture: whether another class is the most probable
	top1, top5 plots.Estimate
	confusion  [][]int // of the first seed
}

// result averages the tests of a row for each seed.
func (p Plan) result(r row, classes []string) (out result, err error) {
	var scores []*evaluate.Result
	for _, seed := range p.Seeds {
		var tests [][]evaluate.Prediction
		for _, t := range p.tests(r, seed) {
			predictions, _, err := readPredictions(p.predictions(t))
			if err != nil {
				return out, err
			}
			tests = append(tests, predictions)
		}
		mean, err := evaluate.Average(tests...)
		if err != nil {
			return out, err
		}
		wrong := make([]bool, len(mean))
		for i, prediction := range mean {
			wrong[i] = prediction.Ranking()[0] != prediction.Class
		}
		out.wrong = append(out.wrong, wrong)
		scores = append(scores, evaluate.Score(classes, mean))
	}
	out.confusion = scores[0].Confusion
	out.top1 = estimate(scores, (*evaluate.Result).Top1Error, (*evaluate.Result).Top1Interval)
	out.top5 = estimate(scores, (*evaluate.Result).Top5Error, (*evaluate.Result).Top5Interval)
	return out, nil
}

// estimate is the mean over the seeds with their range; for one seed, its error with the 95 % interval.
func estimate(scores []*evaluate.Result, value func(*evaluate.Result) float64, interval func(*evaluate.Result) (low, high float64)) plots.Estimate {
	if len(scores) == 1 {
		low, high := interval(scores[0])
		return plots.Estimate{Value: value(scores[0]), Low: low, High: high}
	}
	var all []float64
	sum := 0.0
	for _, r := range scores {
		all = append(all, value(r))
		sum += value(r)
	}
	return plots.Estimate{Value: sum / float64(len(all)), Low: slices.Min(all), High: slices.Max(all)}
}

// gain is the points of error by which a candidate is better than a baseline.
type gain struct {
	plots.Estimate           // the mean, with its 95 % interval over the pictures
	seeds          []float64 // of each seed by itself
}

// newGain compares which pictures both get wrong, by seed and picture. The pictures are the same for all seeds: each
// one's difference, averaged over the seeds, is a sample of the interval.
func newGain(candidate, baseline [][]bool) gain {
	g := gain{seeds: make([]float64, len(baseline))}
	n, seeds := len(baseline[0]), float64(len(baseline))
	sum, squares := 0.0, 0.0
	for i := range n {
		d := 0.0
		for seed := range baseline {
			switch {
			case baseline[seed][i] && !candidate[seed][i]:
				d++
				g.seeds[seed] += 100 / float64(n)
			case candidate[seed][i] && !baseline[seed][i]:
				d--
				g.seeds[seed] -= 100 / float64(n)
			}
		}
		d /= seeds
		sum += d
		squares += d * d
	}
	mean := sum / float64(n)
	half := metrics.Z * math.Sqrt((squares/float64(n)-mean*mean)/float64(n))
	g.Estimate = plots.Estimate{Value: 100 * mean, Low: 100 * (mean - half), High: 100 * (mean + half)}
	return g
}

// overSeeds is the mean of the seeds' gains with its 95 % interval by Student's t distribution: where the gain of nets
// of other seeds is expected on average. One seed has no interval: its ends are NaN.
func (g gain) overSeeds() plots.Estimate {
	mean, deviation := metrics.MeanDeviation(g.seeds)
	n := float64(len(g.seeds))
	if n < 2 {
		return plots.Estimate{Value: mean, Low: math.NaN(), High: math.NaN()}
	}
	half := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975) * deviation / math.Sqrt(n)
	return plots.Estimate{Value: mean, Low: mean - half, High: mean + half}
}
