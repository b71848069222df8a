package svm

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/pkg/errors"

	"vgg/internal/kernel"
)

const (
	// blockRows is the most rows of a block.
	blockRows = 256
	// blockSweeps is the number of times that a visit to a block takes each of its rows.
	blockSweeps = 2
	// lookEvery is the most passes between two looks at the gaps.
	lookEvery = 4
)

// A solver descends on the dual variables α of all classes. A pass visits blocks of rows, for all classes together.
// Between passes, it solves for the rows of a class whose α are free to move, on the products of these rows alone.
type solver struct {
	rows    *Rows
	targets Targets
	o       Options
	asked   float64 // the value of C that is being solved for
	c       float64 // asked as float32, as α is: else no α that is cut at C would be seen to be at its bound
	onGram  bool    // on X·Xᵀ

	// The matrix M whose combinations V are kept: X, so that V is the weights w (without the bias), or X·Xᵀ, so that V is
	// the scores w·x of all rows.
	m      []float32 // (N, width)
	width  int
	blocks [][]int     // the rows of each block
	grams  [][]float32 // the products of the rows of each block, the bias feature included

	y, alpha     []float32 // (K, N)
	v            []float32 // (K, width) Σ α y m
	sum          []float64 // (K) Σ α y
	scores       []float32 // (K, N) as of the last look
	active       []int     // the classes that are not done
	polished     []int     // (K) the pass after which a class was last solved for its free rows
	certificates []Certificate
	gaps         []float64 // (K) as the pass found them

	x, part, delta, change []float32 // of a block: rows of M, scores, changes of α y; and what they add to v
}

// newSolver returns a solver that begins at α = 0. It works on X·Xᵀ if a pass on it, N² multiply-adds a class, is no
// longer than one on X, 2 N D.
func newSolver(rows *Rows, targets Targets, o Options) *solver {
	return newSolverOn(rows, targets, o, rows.n <= 2*rows.d)
}

// newSolverOn is newSolver on X·Xᵀ or on X.
func newSolverOn(rows *Rows, targets Targets, o Options, onGram bool) *solver {
	n, k := rows.n, targets.K
	s := &solver{rows: rows, targets: targets, o: o, onGram: onGram, m: rows.x, width: rows.d}
	if onGram {
		s.m, s.width = rows.products(), n
	}
	s.y, s.alpha, s.scores = make([]float32, k*n), make([]float32, k*n), make([]float32, k*n)
	for i, t := range targets.Y {
		s.y[i%k*n+i/k] = float32(t)
	}
	s.v, s.sum = make([]float32, k*s.width), make([]float64, k)
	s.gaps, s.polished = make([]float64, k), make([]int, k)
	order := rand.New(rand.NewPCG(o.Seed, 0)).Perm(n)
	count := (n + blockRows - 1) / blockRows
	most := (n + count - 1) / count
	s.x, s.change = make([]float32, most*s.width), make([]float32, k*s.width)
	s.part, s.delta = make([]float32, k*most), make([]float32, k*most)
	for b := range count {
		block := order[n*b/count : n*(b+1)/count]
		s.blocks = append(s.blocks, block)
		s.grams = append(s.grams, s.gram(block))
	}
	return s
}

// gather copies rows of M to x.
func (s *solver) gather(x []float32, rows []int) []float32 {
	kernel.Parallel(len(rows), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(x[i*s.width:][:s.width], s.m[rows[i]*s.width:])
		}
	})
	return x[:len(rows)*s.width]
}

// gram returns the products of some rows, the bias feature included.
func (s *solver) gram(rows []int) []float32 {
	n := len(rows)
	var g []float32
	if s.onGram {
		g = make([]float32, 0, n*n)
		for _, i := range rows {
			for _, j := range rows {
				g = append(g, s.m[i*s.width+j])
			}
		}
	} else {
		g = products(s.gather(make([]float32, n*s.width), rows), n, s.width)
	}
	for i := range g {
		g[i] += float32(s.o.Bias * s.o.Bias)
	}
	return g
}

// solve takes the classes to the optimum for c, from where they are. All have their certificates if it ends with a
// NotConvergedError.
func (s *solver) solve(c float64) error {
	s.asked, s.c = c, float64(float32(c))
	s.certificates = make([]Certificate, s.targets.K)
	s.active = s.active[:0]
	for k := range s.targets.K {
		s.active = append(s.active, k)
	}
	for i, a := range s.alpha {
		s.alpha[i] = min(a, float32(s.upper()))
	}
	clear(s.polished)
	if err := s.done(0); err != nil {
		return err
	}
	s.rebuild()
	random := rand.New(rand.NewPCG(s.o.Seed, 1))
	looked := 0
	for pass := 1; pass <= s.o.MaxPasses; pass++ {
		clear(s.gaps)
		for _, b := range random.Perm(len(s.blocks)) {
			s.visit(b, random.Perm)
		}
		if !s.promising() && pass < looked+lookEvery && pass < s.o.MaxPasses {
			continue
		}
		looked = pass
		before := len(s.active)
		s.look(pass)
		if err := s.done(before - len(s.active)); err != nil {
			return err
		}
		if len(s.active) == 0 {
			return nil
		}
		s.polish(pass)
	}
	e := &NotConvergedError{Tolerance: s.o.Tolerance, Passes: s.o.MaxPasses}
	for _, k := range s.active {
		e.Classes = append(e.Classes, s.targets.name(k))
		e.Gap = max(e.Gap, s.certificates[k].Gap)
	}
	if err := s.done(len(s.active)); err != nil {
		return err
	}
	return errors.WithStack(e)
}

// done says that so many more classes need no more passes.
func (s *solver) done(classes int) error {
	if s.o.Done == nil {
		return nil
	}
	return s.o.Done(s.asked, classes)
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

// gap is what a row adds to the duality gap: of a row with target y, score and α.
func (s *solver) gap(y, score, alpha float32) float64 {
	a, v := float64(alpha), 1-float64(y)*float64(score)
	return s.c*s.loss(v) + s.ridge()/2*a*a - a*v
}

// visit descends on the α of a block's rows.
func (s *solver) visit(b int, permutation func(int) []int) {
	rows := s.blocks[b]
	n := len(rows)
	x := s.gather(s.x, rows)
	s.scoreBlock(x, rows)
	orders := make([][]int, blockSweeps)
	for i := range orders {
		orders[i] = permutation(n)
	}
	kernel.Parallel(len(s.active), func(lo, hi int) {
		for a := lo; a < hi; a++ {
			k := s.active[a]
			d := s.descent(k, rows, s.grams[b], s.part[a*n:][:n])
			s.gaps[k] += d.gap()
			for _, order := range orders {
				d.sweep(order)
			}
			d.finish(s.delta[a*n:][:n])
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
				s.part[a*n+i] = s.v[a*s.width+row]
			}
		}
	} else {
		kernel.Linear{N: len(s.active), In: s.width, Out: n}.Forward(s.part, s.v, x, nil, false)
	}
	for a := range s.active {
		bias := float32(s.o.Bias * s.o.Bias * s.sum[a])
		for i := range n {
			s.part[a*n+i] += bias
		}
	}
}

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

// promising says whether an active class seems to be done, from the gap as the pass found it on its way.
func (s *solver) promising() bool {
	return slices.ContainsFunc(s.active, func(k int) bool {
		return s.gaps[k] <= s.o.Tolerance*s.certificates[k].Primal
	})
}

// chunks calls f with as many rows as a block has, in order, and their part of M.
func (s *solver) chunks(f func(x []float32, first, n int)) {
	n, most := s.rows.n, len(s.x)/s.width
	for lo := 0; lo < n; lo += most {
		size := min(most, n-lo)
		f(s.m[lo*s.width:][:size*s.width], lo, size)
	}
}

// rebuild computes v from α for the active classes.
func (s *solver) rebuild() {
	clear(s.v)
	clear(s.sum)
	s.chunks(func(x []float32, first, n int) {
		for a, k := range s.active {
			y, alpha := s.y[k*s.rows.n+first:], s.alpha[k*s.rows.n+first:]
			for i := range n {
				s.delta[a*n+i] = alpha[i] * y[i]
			}
		}
		s.apply(x, n)
	})
}

// look computes the scores and gaps of the active classes from their α alone, and removes those that are done.
func (s *solver) look(pass int) {
	s.rebuild()
	n := s.rows.n
	s.chunks(func(x []float32, first, size int) {
		if s.onGram {
			for a, k := range s.active {
				copy(s.scores[k*n+first:][:size], s.v[a*s.width+first:])
			}
		} else {
			kernel.Linear{N: len(s.active), In: s.width, Out: size}.Forward(s.part, s.v, x, nil, false)
			for a, k := range s.active {
				copy(s.scores[k*n+first:][:size], s.part[a*size:])
			}
		}
		for a, k := range s.active {
			bias := float32(s.o.Bias * s.o.Bias * s.sum[a])
			for i := range size {
				s.scores[k*n+first+i] += bias
			}
		}
	})
	left := 0
	for a, k := range s.active {
		var squares, losses, gap float64
		for i, y := range s.y[k*n:][:n] {
			if y != 0 {
				score, alpha := s.scores[k*n+i], s.alpha[k*n+i]
				squares += float64(alpha*y) * float64(score)
				losses += s.loss(1 - float64(y)*float64(score))
				gap += s.gap(y, score, alpha)
			}
		}
		c := &s.certificates[k]
		c.Primal, c.Passes = squares/2+s.c*losses, pass
		c.Dual, c.Gap = c.Primal-gap, gap/c.Primal
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
	for i := range n {
		for c := range k {
			if a := s.alpha[c*n+i] * s.y[c*n+i]; a != 0 {
				kernel.AddScaled(model.W[c*d:][:d], s.rows.x[i*d:][:d], a)
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
