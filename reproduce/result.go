package reproduce

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"vgg/metrics"
	"vgg/plots"
)

// result is what a row's tests give.
type result struct {
	wrong      [][]bool // by seed and picture: whether another class is the most probable
	top1, top5 plots.Estimate
	confusion  [][]int // of the first seed; nil for a single net
}

// result reads a row from the records, for each seed.
func (p Plan) result(kept map[string]*record, r row, classes int) (out result) {
	var scores []metrics.Errors
	for _, seed := range p.Seeds {
		o := kept[p.holder(r, seed)].Rows[p.key(r)]
		wrong := make([]bool, len(o.Ranks))
		for i, rank := range o.Ranks {
			wrong[i] = rank > 0
		}
		if out.wrong = append(out.wrong, wrong); out.confusion == nil {
			out.confusion = o.Confusion
		}
		scores = append(scores, o.Ranks.errors())
	}
	out.top1, out.top5 = estimate(scores, top1Wrong), plots.Estimate{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
	if classes >= metrics.MinTop5Classes {
		out.top5 = estimate(scores, top5Wrong)
	}
	return out
}

func top1Wrong(e metrics.Errors) int { return e.Top1 }
func top5Wrong(e metrics.Errors) int { return e.Top5 }

// estimate is the mean of an error over the seeds with their range; for one seed, with its 95 % interval.
func estimate(scores []metrics.Errors, wrong func(metrics.Errors) int) plots.Estimate {
	if len(scores) == 1 {
		k, n := wrong(scores[0]), scores[0].Pictures
		low, high := metrics.Interval(k, n)
		return plots.Estimate{Value: metrics.Percent(k, n), Low: low, High: high}
	}
	var all []float64
	sum := 0.0
	for _, e := range scores {
		v := metrics.Percent(wrong(e), e.Pictures)
		all = append(all, v)
		sum += v
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
