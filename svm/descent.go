package svm

import "vgg/internal/kernel"

// A descent is on the α of some rows of one class, with the products of these rows: their scores follow every step.
type descent struct {
	*solver
	k                int
	rows             []int
	gram             []float32 // (n, n)
	y, alpha, scores []float32 // (n)
}

// descent begins a descent from the present α. It owns scores.
func (s *solver) descent(k int, rows []int, gram, scores []float32) *descent {
	d := &descent{solver: s, k: k, rows: rows, gram: gram, scores: scores}
	d.y, d.alpha = make([]float32, len(rows)), make([]float32, len(rows))
	for i, row := range rows {
		d.y[i], d.alpha[i] = s.y[k*s.rows.n+row], s.alpha[k*s.rows.n+row]
	}
	return d
}

// sweep minimises over the α of each row in turn.
func (d *descent) sweep(order []int) {
	n := len(d.rows)
	upper, ridge := d.upper(), d.ridge()
	for _, i := range order {
		y, old := float64(d.y[i]), float64(d.alpha[i])
		if y == 0 {
			continue
		}
		slope := y*float64(d.scores[i]) - 1 + ridge*old
		if old == 0 && slope >= 0 || old == upper && slope <= 0 {
			continue
		}
		d.alpha[i] = float32(min(max(old-slope/(float64(d.gram[i*n+i])+ridge), 0), upper))
		if step := d.alpha[i] - float32(old); step != 0 {
			kernel.AddScaled(d.scores, d.gram[i*n:][:n], step*d.y[i])
		}
	}
}

// gap is what the rows add to the duality gap.
func (d *descent) gap() float64 {
	var sum float64
	for i, y := range d.y {
		if y != 0 {
			sum += d.solver.gap(y, d.scores[i], d.alpha[i])
		}
	}
	return sum
}

// finish stores the α, and writes the changes of α y to delta.
func (d *descent) finish(delta []float32) {
	for i, row := range d.rows {
		alpha := &d.solver.alpha[d.k*d.solver.rows.n+row]
		delta[i] = (d.alpha[i] - *alpha) * d.y[i]
		*alpha = d.alpha[i]
	}
}
