package svm

import (
	"math"
	"math/rand/v2"

	"github.com/pkg/errors"

	"vgg/internal/kernel"
)

const (
	// blockRows is the most rows of a block.
	blockRows = 512
	// blockSweeps is the number of times that a visit to a block takes each of its rows.
	blockSweeps = 4
)

// A solver descends on the dual variables α of all classes, block by block of rows. A row's position is its place in order,
// a random permutation that the blocks cut.
type solver struct {
	rows    *Rows
	targets Targets
	o       Options
	c       float64 // the value of C that is being solved for
	onGram  bool    // on X·Xᵀ

	// The matrix M whose combinations V are kept: X, so that V is the weights w (without the bias), or X·Xᵀ, so that V is
	// the scores w·x of all rows.
	m     []float32 // (N, width)
	width int
	order []int       // rows, by position
	grams [][]float32 // of the rows of each block, the bias feature included

	y            []float32 // (K, N) targets, by position
	alpha        []float32 // (K, N), by position
	v            []float32 // (active, width) Σ α y m
	sum          []float64 // (active) Σ α y
	active       []int     // the classes that are not done
	certificates []Certificate

	x, scores, delta, change []float32 // of a block: rows of M, scores, changes of α y; and what they add to v
	losses                   []float64 // (active) of the rows as the pass found them
}

// newSolver returns a solver that begins at α = 0.
func newSolver(rows *Rows, targets Targets, o Options, onGram bool) *solver {
	n, k := rows.n, targets.K
	s := &solver{rows: rows, targets: targets, o: o, onGram: onGram, m: rows.x, width: rows.d}
	if onGram {
		s.m, s.width = rows.products(), n
	}
	s.order = rand.New(rand.NewPCG(o.Seed, 0)).Perm(n)
	s.y, s.alpha = make([]float32, k*n), make([]float32, k*n)
	for p, row := range s.order {
		for c := range k {
			s.y[c*n+p] = float32(targets.Y[row*k+c])
		}
	}
	s.v, s.sum, s.losses = make([]float32, k*s.width), make([]float64, k), make([]float64, k)
	most := min(blockRows, n)
	s.x, s.change = make([]float32, most*s.width), make([]float32, k*s.width)
	s.scores, s.delta = make([]float32, k*most), make([]float32, k*most)
	for b := range s.blocks() {
		s.grams = append(s.grams, s.blockGram(b))
	}
	return s
}

// blocks is the number of blocks.
func (s *solver) blocks() int { return (s.rows.n + blockRows - 1) / blockRows }

// block gives the positions of a block's rows.
func (s *solver) block(b int) (lo, hi int) {
	n, count := s.rows.n, s.blocks()
	return n * b / count, n * (b + 1) / count
}

// gather copies a block's rows of M to s.x.
func (s *solver) gather(b int) (x []float32, rows []int) {
	lo, hi := s.block(b)
	rows = s.order[lo:hi]
	kernel.Parallel(len(rows), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(s.x[i*s.width:][:s.width], s.m[rows[i]*s.width:])
		}
	})
	return s.x[:len(rows)*s.width], rows
}

// blockGram computes the products of a block's rows.
func (s *solver) blockGram(b int) []float32 {
	x, rows := s.gather(b)
	n := len(rows)
	g := make([]float32, n*n)
	if s.onGram {
		for i := range rows {
			for j, row := range rows {
				g[i*n+j] = x[i*s.width+row]
			}
		}
	} else {
		kernel.Linear{N: n, In: s.width, Out: n}.Forward(g, x, x, nil, false)
	}
	for i := range g {
		g[i] += float32(s.o.Bias * s.o.Bias)
	}
	return g
}

// solve takes the classes to the optimum for c, from where they are.
func (s *solver) solve(c float64) error {
	s.c = c
	s.certificates = make([]Certificate, s.targets.K)
	s.active = s.active[:0]
	for k := range s.targets.K {
		s.active = append(s.active, k)
	}
	for i, a := range s.alpha {
		s.alpha[i] = min(a, float32(s.upper()))
	}
	s.rebuild()
	random := rand.New(rand.NewPCG(s.o.Seed, 1))
	for pass := 1; pass <= s.o.MaxPasses; pass++ {
		clear(s.losses)
		for _, b := range random.Perm(s.blocks()) {
			s.visit(b, random.Perm)
		}
		if s.promising() || pass == s.o.MaxPasses {
			s.certify(pass)
			if len(s.active) == 0 {
				return nil
			}
		}
	}
	e := &NotConvergedError{Tolerance: s.o.Tolerance, Passes: s.o.MaxPasses}
	for _, k := range s.active {
		e.Classes = append(e.Classes, s.targets.name(k))
		e.Gap = max(e.Gap, s.certificates[k].Gap)
	}
	return errors.WithStack(e)
}

// upper bounds α.
func (s *solver) upper() float64 {
	if s.o.Loss == Hinge {
		return s.c
	}
	return math.Inf(1)
}

// ridge is what the dual adds to the diagonal of the rows' products.
func (s *solver) ridge() float64 {
	if s.o.Loss == Hinge {
		return 0
	}
	return 1 / (2 * s.c)
}

// loss is what a row costs that is v short of its margin.
func (s *solver) loss(v float64) float64 {
	v = max(0, v)
	if s.o.Loss == SquaredHinge {
		return v * v
	}
	return v
}

// visit descends on the α of a block's rows.
func (s *solver) visit(b int, permutation func(int) []int) {
	x, rows := s.gather(b)
	n := len(rows)
	s.scoreBlock(x, rows)
	orders := make([][]int, blockSweeps)
	for i := range orders {
		orders[i] = permutation(n)
	}
	kernel.Parallel(len(s.active), func(lo, hi int) {
		for a := lo; a < hi; a++ {
			s.descend(a, b, orders)
		}
	})
	s.apply(x, n)
}

// scoreBlock computes the scores w·x + b of a block's rows, (active, rows).
func (s *solver) scoreBlock(x []float32, rows []int) {
	n := len(rows)
	if s.onGram {
		for a := range s.active {
			for i, row := range rows {
				s.scores[a*n+i] = s.v[a*s.width+row]
			}
		}
	} else {
		kernel.Linear{N: len(s.active), In: s.width, Out: n}.Forward(s.scores, s.v, x, nil, false)
	}
	for a := range s.active {
		bias := float32(s.bias(a))
		for i := range n {
			s.scores[a*n+i] += bias
		}
	}
}

// bias is what the bias feature adds to a score.
func (s *solver) bias(a int) float64 { return s.o.Bias * s.o.Bias * s.sum[a] }

// apply adds the changes of a block's α y to v.
func (s *solver) apply(x []float32, n int) {
	k := len(s.active)
	change := s.change[:k*s.width]
	kernel.Linear{N: k, In: s.width, Out: n}.DataGradient(change, s.delta, x)
	kernel.Add(s.v[:len(change)], change)
	for a := range s.active {
		for _, d := range s.delta[a*n:][:n] {
			s.sum[a] += float64(d)
		}
	}
}

// descend takes the α of one class and block downhill, a row at a time, and leaves the changes of α y in s.delta.
func (s *solver) descend(a, b int, orders [][]int) {
	lo, hi := s.block(b)
	n, k := hi-lo, s.active[a]
	y, alpha := s.y[k*s.rows.n:][lo:hi], s.alpha[k*s.rows.n:][lo:hi]
	scores, delta, gram := s.scores[a*n:][:n], s.delta[a*n:][:n], s.grams[b]
	upper, ridge := s.upper(), s.ridge()
	for i, t := range y {
		delta[i] = -alpha[i] * t
		if t != 0 {
			s.losses[a] += s.loss(1 - float64(t*scores[i]))
		}
	}
	for _, order := range orders {
		for _, i := range order {
			t := float64(y[i])
			if t == 0 {
				continue
			}
			old := float64(alpha[i])
			slope := t*float64(scores[i]) - 1 + ridge*old
			if old == 0 && slope >= 0 || old == upper && slope <= 0 {
				continue
			}
			alpha[i] = float32(min(max(old-slope/(float64(gram[i*n+i])+ridge), 0), upper))
			if step := alpha[i] - float32(old); step != 0 {
				kernel.AddScaled(scores, gram[i*n:][:n], step*float32(t))
			}
		}
	}
	for i, t := range y {
		delta[i] += alpha[i] * t
	}
}

// promising says whether the gap of an active class, as the pass saw it on its way, is small enough to be looked at.
func (s *solver) promising() bool {
	n := s.rows.n
	for a, k := range s.active {
		v, alpha, y := s.v[a*s.width:][:s.width], s.alpha[k*n:][:n], s.y[k*n:][:n]
		squares := s.bias(a) * s.sum[a] // |w|²
		if s.onGram {
			for i, row := range s.order {
				squares += float64(alpha[i]*y[i]) * float64(v[row])
			}
		} else {
			for _, w := range v {
				squares += float64(w) * float64(w)
			}
		}
		var sum, quadratic float64
		for _, v := range alpha {
			sum += float64(v)
			quadratic += float64(v) * float64(v)
		}
		primal := squares/2 + s.c*s.losses[a]
		if dual := sum - squares/2 - s.ridge()/2*quadratic; primal-dual <= s.o.Tolerance*primal {
			return true
		}
	}
	return false
}

// rebuild computes v from α for the active classes.
func (s *solver) rebuild() {
	clear(s.v)
	clear(s.sum)
	for b := range s.blocks() {
		lo, hi := s.block(b)
		for a, k := range s.active {
			for i := lo; i < hi; i++ {
				s.delta[a*(hi-lo)+i-lo] = s.alpha[k*s.rows.n+i] * s.y[k*s.rows.n+i]
			}
		}
		x, _ := s.gather(b)
		s.apply(x, hi-lo)
	}
}

// certify computes the gaps of the active classes from their α alone, and removes those that are done.
func (s *solver) certify(pass int) {
	s.rebuild()
	n := s.rows.n
	losses, squares := make([]float64, len(s.active)), make([]float64, len(s.active))
	sum, quadratic := make([]float64, len(s.active)), make([]float64, len(s.active))
	for b := range s.blocks() {
		lo, hi := s.block(b)
		x, rows := s.gather(b)
		s.scoreBlock(x, rows)
		for a, k := range s.active {
			for i := lo; i < hi; i++ {
				y, alpha, score := float64(s.y[k*n+i]), float64(s.alpha[k*n+i]), float64(s.scores[a*(hi-lo)+i-lo])
				if y == 0 {
					continue
				}
				losses[a] += s.loss(1 - y*score)
				squares[a] += alpha * y * score
				sum[a] += alpha
				quadratic[a] += alpha * alpha
			}
		}
	}
	left := 0
	for a, k := range s.active {
		c := &s.certificates[k]
		c.Primal = squares[a]/2 + s.c*losses[a]
		c.Dual = sum[a] - squares[a]/2 - s.ridge()/2*quadratic[a]
		c.Gap, c.Passes = (c.Primal-c.Dual)/c.Primal, pass
		if c.Converged = c.Gap <= s.o.Tolerance; !c.Converged {
			copy(s.v[left*s.width:][:s.width], s.v[a*s.width:])
			s.sum[left], s.active[left] = s.sum[a], k
			left++
		}
	}
	s.active = s.active[:left]
}

// mostPasses is the most passes of any class.
func (s *solver) mostPasses() int {
	most := 0
	for _, c := range s.certificates {
		most = max(most, c.Passes)
	}
	return most
}

// model computes the weights from α.
func (s *solver) model() *Model {
	n, d, k := s.rows.n, s.rows.d, s.targets.K
	model := &Model{K: k, D: d, W: make([]float32, k*d), B: make([]float32, k), Certificates: s.certificates, Gram: s.onGram}
	for i, r := range s.order {
		for c := range k {
			if a := s.alpha[c*n+i] * s.y[c*n+i]; a != 0 {
				kernel.AddScaled(model.W[c*d:][:d], s.rows.x[r*d:][:d], a)
			}
		}
	}
	for c := range k {
		var sum float64
		for i := range n {
			sum += float64(s.alpha[c*n+i] * s.y[c*n+i])
		}
		model.B[c] = float32(s.o.Bias * s.o.Bias * sum)
	}
	return model
}

// scoresOf returns the scores (len(rows), K) of some rows.
func (s *solver) scoresOf(rows []int) ([]float32, error) {
	d := s.rows.d
	x := make([]float32, 0, len(rows)*d)
	for _, row := range rows {
		x = append(x, s.rows.x[row*d:][:d]...)
	}
	return s.model().Scores(&Rows{n: len(rows), d: d, x: x})
}
