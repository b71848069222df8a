package kernel

import (
	"math"
	"slices"
)

// CrossEntropy returns the mean of -log softmax(logits)[label] over the rows of logits (len(labels), classes) whose
// label is not negative, or 0 if there is none. A NaN among the logits of such a row makes it NaN. Sums are in float64.
func CrossEntropy(logits []float32, labels []int, classes int) float64 {
	n := len(labels) * classes
	logits = logits[:n:n]
	losses := make([]float64, len(labels))
	parallel(len(labels), 1+elementwiseGrain/classes, func(lo, hi int) {
		e := scratch.get(classes)
		defer scratch.put(e)
		for row := lo; row < hi; row++ {
			if label := labels[row]; label >= 0 {
				z := logits[row*classes:][:classes]
				largest, sum := softmax(e, z)
				losses[row] = math.Log(sum) + (float64(largest) - float64(z[label]))
			}
		}
	})
	var sum float64
	for _, v := range losses {
		sum += v
	}
	return sum / float64(max(counted(labels), 1))
}

// CrossEntropyGradient writes scale times the gradient of CrossEntropy to d: (softmax - one-hot)*scale/(rows counted),
// zero in rows with a negative label. d may be logits.
func CrossEntropyGradient(d, logits []float32, labels []int, classes int, scale float32) {
	n := len(labels) * classes
	logits, d = logits[:n:n], d[:n:n]
	factor := float64(scale) / float64(max(counted(labels), 1))
	parallel(len(labels), 1+elementwiseGrain/classes, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			g, label := d[row*classes:][:classes], labels[row]
			if label < 0 {
				clear(g)
				continue
			}
			_, sum := softmax(g, logits[row*classes:][:classes])
			p := float64(g[label]) / sum
			multiply(g, float32(factor/sum))
			g[label] = float32((p - 1) * factor)
		}
	})
}

// softmax writes exp(z - largest), the soft-max but for its denominator, to e and returns the largest of z and the sum
// of e, NaN if z has one. e may be z.
func softmax(e, z []float32) (largest float32, sum float64) {
	if cpu.softmax != nil {
		return cpu.softmax(&e[0], &z[0], len(z))
	}
	largest = slices.Max(z)
	for i, v := range z {
		e[i] = float32(math.Exp(float64(v) - float64(largest)))
		sum += float64(e[i])
	}
	return largest, sum
}

// multiply multiplies x by factor.
func multiply(x []float32, factor float32) {
	if cpu.scale != nil {
		cpu.scale(&x[0], len(x), factor)
		return
	}
	for i := range x {
		x[i] *= factor
	}
}

func counted(labels []int) int {
	n := 0
	for _, label := range labels {
		if label >= 0 {
			n++
		}
	}
	return n
}
