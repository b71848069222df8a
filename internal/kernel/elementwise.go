package kernel

// ReLUGradient writes dy where y > 0 and zero elsewhere to dx, which may be dy.
func ReLUGradient(dx, dy, y []float32) {
	dy, y = dy[:len(dx):len(dx)], y[:len(dx):len(dx)]
	parallel(len(dx), elementwiseGrain, func(lo, hi int) { reluGradient(dx[lo:hi], dy[lo:hi], y[lo:hi]) })
}

// reluGradient is ReLUGradient on one thread.
func reluGradient(dx, dy, y []float32) {
	dy, y = dy[:len(dx)], y[:len(dx)]
	if cpu.reluGradient != nil && len(dx) > 0 {
		cpu.reluGradient(&dx[0], &dy[0], &y[0], len(dx))
		return
	}
	for i, v := range dy {
		if !(y[i] > 0) {
			v = 0
		}
		dx[i] = v
	}
}

// maskRows writes zero to rows of dx, stride floats apart, where y is not positive.
func maskRows(dx, y []float32, stride, rows, columns int) {
	if stride == columns {
		rows, columns = 1, rows*columns
	}
	for i := range rows {
		part := dx[i*stride:][:columns]
		reluGradient(part, part, y[i*stride:])
	}
}

// Add adds src to dst.
func Add(dst, src []float32) {
	src = src[:len(dst):len(dst)]
	parallel(len(dst), elementwiseGrain, func(lo, hi int) { add(dst[lo:hi], src[lo:hi]) })
}

// add is Add on one thread.
func add(dst, src []float32) {
	src = src[:len(dst)]
	if cpu.add != nil && len(dst) > 0 {
		cpu.add(&dst[0], &src[0], len(dst))
		return
	}
	for i, v := range src {
		dst[i] += v
	}
}

// AddScaled adds factor times src to dst, on one thread.
func AddScaled(dst, src []float32, factor float32) {
	src = src[:len(dst)]
	if cpu.addScaled != nil && len(dst) > 0 {
		cpu.addScaled(&dst[0], &src[0], len(dst), factor)
		return
	}
	for i, v := range src {
		dst[i] += factor * v
	}
}

// BiasGradient writes the column sums of dy (rows, len(db)) to db, or adds them if accumulate.
func BiasGradient(db, dy []float32, accumulate bool) {
	columns := len(db)
	if columns == 0 {
		return
	}
	dy = dy[:len(dy)/columns*columns]
	// Several rows side by side make a vector long enough for the inner loop.
	side := ceilDiv(biasVector, columns) * columns
	block := ceilDiv(biasBlock, side) * side
	blocks := ceilDiv(len(dy), block)
	partial := scratch.get(blocks * side)
	defer scratch.put(partial)
	parallel(blocks, 1, func(lo, hi int) {
		for b := lo; b < hi; b++ {
			sum := partial[b*side:][:side]
			clear(sum)
			part := dy[b*block : min((b+1)*block, len(dy))]
			for len(part) > 0 {
				n := min(side, len(part))
				add(sum[:n], part[:n])
				part = part[n:]
			}
			for i := columns; i < side; i += columns {
				add(sum[:columns], sum[i:])
			}
		}
	})
	if !accumulate {
		clear(db)
	}
	for b := range blocks {
		add(db, partial[b*side:])
	}
}

// SGD is stochastic gradient descent with momentum and weight decay (section 3.1). Scale multiplies the gradient.
type SGD struct {
	LearningRate, Momentum, WeightDecay, Scale float32

	Keep bool // leave the gradient as it is
}

// Step does v = Momentum*v - LearningRate*(Scale*g + WeightDecay*w), w += v and, unless Keep, g = 0 in one pass.
func (s SGD) Step(w, v, g []float32) {
	v, g = v[:len(w):len(w)], g[:len(w):len(w)]
	step := cpu.sgd
	if s.Keep {
		step = cpu.sgdKeep
	}
	parallel(len(w), elementwiseGrain, func(lo, hi int) {
		if step != nil {
			step(&w[lo], &v[lo], &g[lo], hi-lo, s.LearningRate, s.Momentum, s.WeightDecay, s.Scale)
			return
		}
		for i := lo; i < hi; i++ {
			v[i] = s.Momentum*v[i] - s.LearningRate*(s.Scale*g[i]+s.WeightDecay*w[i])
			w[i] += v[i]
		}
		if !s.Keep {
			clear(g[lo:hi])
		}
	})
}
