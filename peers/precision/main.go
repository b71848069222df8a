// Command precision draws scores and truths, and prints them with our curve and average precisions, a JSON object a
// line, for check.py.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"math/rand/v2"
	"os"

	"vgg/metrics"
)

func main() {
	cases := flag.Int("cases", 200, "cases of each kind")
	seed := flag.Uint64("seed", 1, "seed of the draws")
	flag.Parse()
	r := rand.New(rand.NewPCG(*seed, 0))
	out := json.NewEncoder(os.Stdout)
	kinds := map[string]func(positive bool) float64{
		"distinct": func(bool) float64 { return r.NormFloat64() },
		"ties":     func(bool) float64 { return float64(r.IntN(12)) },
		"good": func(positive bool) float64 {
			if positive {
				return r.NormFloat64() + 2
			}
			return r.NormFloat64()
		},
		// Right ones first, then the others all with one score: precision never rises.
		"monotone": func(positive bool) float64 {
			if positive && r.IntN(4) > 0 {
				return 1 + r.Float64()
			}
			return 0
		},
	}
	for _, kind := range []string{"distinct", "ties", "good", "monotone"} {
		for range *cases {
			n := 2 + r.IntN(300)
			scores, truth := make([]float64, n), make([]int8, n)
			for i := range scores {
				truth[i] = -1
				if i == 0 || r.IntN(5) == 0 {
					truth[i] = 1
				}
				scores[i] = kinds[kind](truth[i] == 1)
			}
			curve, err := metrics.NewCurve(scores, truth)
			if err != nil {
				log.Fatal(err)
			}
			if err := out.Encode(map[string]any{
				"kind": kind, "scores": scores, "truth": truth, "points": curve.Points,
				"ap2007": curve.AP2007(), "ap2010": curve.AP2010(),
			}); err != nil {
				log.Fatal(err)
			}
		}
	}
}
