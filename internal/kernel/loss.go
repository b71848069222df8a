package kernel

import "math"

// CrossEntropy returns the mean of -log softmax(logits)[label] over the rows of logits (len(labels), classes) whose label
// is not negative, or 0 if there is none. Sums are in float64.
func CrossEntropy(logits []float32, labels []int, classes int) float64 {
	n := len(labels) * classes
	logits = logits[:n:n]
	losses := make([]float64, len(labels))
	parallel(len(labels), 1+4096/classes, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			if label := labels[row]; label >= 0 {
				z := logits[row*classes:][:classes]
				largest, sum := softmaxSum(z)
				losses[row] = math.Log(sum) - (float64(z[label]) - largest)
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
// zero in rows with a negative label.
func CrossEntropyGradient(d, logits []float32, labels []int, classes int, scale float32) {
	n := len(labels) * classes
	logits, d = logits[:n:n], d[:n:n]
	factor := float64(scale) / float64(max(counted(labels), 1))
	parallel(len(labels), 1+4096/classes, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			z, g := logits[row*classes:][:classes], d[row*classes:][:classes]
			if labels[row] < 0 {
				clear(g)
				continue
			}
			largest, sum := softmaxSum(z)
			for i, v := range z {
				p := math.Exp(float64(v)-largest) / sum
				if i == labels[row] {
					p--
				}
				g[i] = float32(p * factor)
			}
		}
	})
}

// softmaxSum returns the largest of z and the sum of exp(z - largest).
func softmaxSum(z []float32) (largest, sum float64) {
	largest = math.Inf(-1)
	for _, v := range z {
		largest = max(largest, float64(v))
	}
	for _, v := range z {
		sum += math.Exp(float64(v) - largest)
	}
	return largest, sum
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
