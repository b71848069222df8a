package kernel

import (
	"sync/atomic"
	"time"

	"vgg/internal/threads"
)

// Peak measures for the given time how many floating-point operations a second the kernels could do at most, on all
// threads: multiply-adds, two operations each, on registers alone.
func Peak(seconds float64) float64 {
	const steps = 1 << 18
	loop, operations := peakLoop()
	count := threads.Count()
	var best float64
	for begin := time.Now(); best == 0 || time.Since(begin).Seconds() < seconds; {
		start := time.Now()
		parallel(count, 1, func(_, _ int) { loop(steps) })
		best = max(best, float64(count*steps*operations)/time.Since(start).Seconds())
	}
	return best
}

// peakLoop returns a loop of multiply-adds on registers, and its operations a step.
func peakLoop() (loop func(steps int), operations int) {
	if cpu.peak != nil {
		return cpu.peak, cpu.peakFLOP
	}
	return peakGo, peakGoFLOP
}

const peakGoFLOP = 8 * 2

//go:noinline
func peakGo(steps int) {
	var a, b, c, d, e, f, g, h float32
	for range steps {
		a, b, c, d, e, f, g, h = a*0.5+1, b*0.5+1, c*0.5+1, d*0.5+1, e*0.5+1, f*0.5+1, g*0.5+1, h*0.5+1
	}
	peakSink.Store(a + b + c + d + e + f + g + h)
}

// peakSink keeps the compiler from dropping the sums of peakGo.
var peakSink atomic.Value
