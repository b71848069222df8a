package reproduce

import (
	"maps"
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
	for _, e := range scores {
		all = append(all, metrics.Percent(wrong(e), e.Pictures))
	}
	mean, _ := metrics.MeanDeviation(all)
	low, high := slices.Min(all), slices.Max(all)
	return plots.Estimate{Value: min(max(mean, low), high), Low: low, High: high} // rounding may put the mean of equal errors outside
}

// gain is the points of error by which a candidate is better than a baseline.
type gain struct {
	plots.Estimate           // the mean, with its 95 % interval over the pictures
	seeds          []float64 // of each seed by itself
}

// newGain compares which pictures both get wrong, by seed and picture. The pictures are the same for all seeds: each
// one's difference is averaged over the seeds. Pictures of the same subject are one sample of the interval, since a net
// errs alike on them; nil: each has its own.
func newGain(candidate, baseline [][]bool, subject func(picture int) int) gain {
	g := gain{seeds: make([]float64, len(baseline))}
	pictures, seeds := len(baseline[0]), len(baseline)
	won, gained := make([]int, pictures), 0 // counts, of pictures that the candidate has right and the baseline wrong, less the opposite
	for seed := range baseline {
		ofSeed := 0
		for i, before := range baseline[seed] {
			switch now := candidate[seed][i]; {
			case before && !now:
				won[i]++
				ofSeed++
			case now && !before:
				won[i]--
				ofSeed--
			}
		}
		gained += ofSeed
		g.seeds[seed] = 100 * float64(ofSeed) / float64(pictures)
	}
	n := float64(pictures)
	mean := float64(gained) / float64(seeds) / n
	residues := map[int]float64{} // by subject, of its pictures together
	for i, w := range won {
		of := i
		if subject != nil {
			of = subject(i)
		}
		residues[of] += float64(w)/float64(seeds) - mean
	}
	squares := 0.0
	for _, of := range slices.Sorted(maps.Keys(residues)) { // in an order, for the same bits
		squares += residues[of] * residues[of]
	}
	half := metrics.Z * math.Sqrt(squares) / n
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
