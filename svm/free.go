package svm

import (
	"math/rand/v2"

	"vgg/internal/kernel"
)

const (
	// freeMost is the most free rows of a class that are solved for together: 64 MB of products.
	freeMost = 4096
	// freeSweeps is the most times that each of them is taken.
	freeSweeps = 1000
)

// polish solves for the free rows of the classes.
func (s *solver) polish(pass int) {
	n := s.rows.n
	kernel.Parallel(len(s.active), func(lo, hi int) {
		for a := lo; a < hi; a++ {
			k := s.active[a]
			var free []int
			for i, y := range s.y[k*n:][:n] {
				alpha := s.alpha[k*n+i]
				if y != 0 && (alpha > 0 && float64(alpha) < s.upper() || s.gap(y, s.scores[k*n+i], alpha) > 0) {
					free = append(free, i)
				}
			}
			// With many free rows their products take longer than passes do: those come first.
			if cost := len(free) * len(free) / (32 * n); len(free) > freeMost || !s.onGram && pass-s.polished[k] < cost {
				continue
			}
			s.polished[k] = pass
			s.solveFree(a, free, rand.New(rand.NewPCG(s.o.Seed, uint64(k)<<32|uint64(pass))))
		}
	})
}

// solveFree descends on some rows of a class on their products, and adds what changes to v.
func (s *solver) solveFree(a int, free []int, random *rand.Rand) {
	k := s.active[a]
	scores := make([]float32, len(free))
	for i, row := range free {
		scores[i] = s.scores[k*s.rows.n+row]
	}
	d := s.descent(k, free, s.gram(free), scores)
	for i := range freeSweeps {
		d.sweep(random.Perm(len(free)))
		if i%8 == 7 && d.gap() <= s.o.Tolerance/4*s.certificates[k].Primal {
			break
		}
	}
	delta := make([]float32, len(free))
	d.finish(delta)
	for i, row := range free {
		if delta[i] != 0 {
			kernel.AddScaled(s.v[a*s.width:][:s.width], s.m[row*s.width:][:s.width], delta[i])
			s.sum[a] += float64(delta[i])
		}
	}
}
