package kernel

import "github.com/pkg/errors"

// Windows are all square parts of feature maps (N, H, W, C), Size on a side, stride 1.
type Windows struct{ N, H, W, C, Size int }

// Validate checks that there is at least one window.
func (k Windows) Validate() error {
	if k.Size < 1 || k.H < k.Size || k.W < k.Size {
		return errors.Errorf("feature maps of %d×%d have no window of %d×%[3]d", k.H, k.W, k.Size)
	}
	return nil
}

// Count is the number of windows of a map.
func (k Windows) Count() int { return (k.H - k.Size + 1) * (k.W - k.Size + 1) }

// each calls f with the index of each window and the offset of its first value in the maps.
func (k Windows) each(f func(window, first int)) {
	across := k.W - k.Size + 1
	parallel(k.N*k.Count(), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			n, place := i/k.Count(), i%k.Count()
			y, x := place/across, place%across
			f(i, ((n*k.H+y)*k.W+x)*k.C)
		}
	})
}

// Forward writes each window as a row, channel by channel: out is (N·Count, C·Size·Size), x is (N, H, W, C).
func (k Windows) Forward(out, x []float32) {
	area := k.Size * k.Size
	k.each(func(window, first int) {
		row := out[window*k.C*area:][:k.C*area]
		for pixel := range area {
			from := x[first+(pixel/k.Size*k.W+pixel%k.Size)*k.C:][:k.C]
			for c, v := range from {
				row[c*area+pixel] = v
			}
		}
	})
}

// Gradient writes the gradient with regard to the maps, dx (N, H, W, C), from that of the windows, grad
// (N·Count, C·Size·Size): the sum where windows overlap.
func (k Windows) Gradient(dx, grad []float32) {
	area, across, down := k.Size*k.Size, k.W-k.Size+1, k.H-k.Size+1
	parallel(k.N*k.H*k.W, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			n, y, x := i/(k.H*k.W), i/k.W%k.H, i%k.W
			to := dx[i*k.C:][:k.C]
			clear(to)
			for top := max(0, y-k.Size+1); top <= min(y, down-1); top++ {
				for left := max(0, x-k.Size+1); left <= min(x, across-1); left++ {
					row := grad[(n*k.Count()+top*across+left)*k.C*area+(y-top)*k.Size+x-left:]
					for c := range to {
						to[c] += row[c*area]
					}
				}
			}
		}
	})
}

// MeanRows writes the mean of each count consecutive rows: out is (N, columns), x is (N·count, columns).
func MeanRows(out, x []float32, count, columns int) {
	parallel(len(out)/columns, 1, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			for j := range columns {
				sum := 0.0
				for i := range count {
					sum += float64(x[(n*count+i)*columns+j])
				}
				out[n*columns+j] = float32(sum / float64(count))
			}
		}
	})
}

// MeanRowsGradient writes grad (N, columns) over count to each row of dx (N·count, columns).
func MeanRowsGradient(dx, grad []float32, count, columns int) {
	for i := range dx {
		dx[i] = grad[i/(count*columns)*columns+i%columns] / float32(count)
	}
}
