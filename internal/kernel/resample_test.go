package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomSide makes filters of n weights for count elements of a line, backwards if mirrored.
func randomSide(r *rand.Rand, length, n, count int, mirrored bool) Side {
	s := Side{n, make([]int, count), random(r, n*count)}
	for i := range s.First {
		s.First[i] = r.IntN(length - n + 1)
	}
	slices.Sort(s.First)
	if mirrored {
		slices.Reverse(s.First)
	}
	return s
}

// TestResampling: against float64, from one pixel up, mirrored or not; what lies between the rows of the result stays.
func TestResampling(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		r := generator(7)
		for range 200 {
			channels := 1 + 2*r.IntN(2)
			width, height := 1+r.IntN(50), 1+r.IntN(50)
			pix := make([]uint8, width*height*channels)
			for i := range pix {
				pix[i] = uint8(r.Uint32())
			}
			re := Resampling{
				Across: randomSide(r, width, 1+r.IntN(min(width, 9)), 1+r.IntN(70), r.IntN(2) == 1),
				Down:   randomSide(r, height, 1+r.IntN(min(height, 9)), 1+r.IntN(70), false),
				Factor: random(r, channels), Offset: random(r, channels),
			}
			columns, rows := len(re.Across.First), len(re.Down.First)
			pitch := columns + r.IntN(3)
			plane := rows*pitch + r.IntN(3)
			got := slices.Repeat([]float32{math.MaxFloat32}, channels*plane)
			re.Run(got, plane, pitch, pix, width)
			want := make([]float64, len(got))
			for i := range want {
				c, y, x := i/plane, i%plane/pitch, i%plane%pitch
				if y >= rows || x >= columns {
					if got[i] != math.MaxFloat32 {
						t.Fatalf("%d×%d of %d channels to %d×%d: element %d beyond the rows is %v", width, height, channels, columns, rows, i, got[i])
					}
					got[i] = 0
					continue
				}
				sum := 0.0
				for j := range re.Down.N {
					for k := range re.Across.N {
						v := pix[((re.Down.First[y]+j)*width+re.Across.First[x]+k)*channels+c]
						sum += float64(re.Down.Weights[y*re.Down.N+j]) * float64(re.Across.Weights[x*re.Across.N+k]) * float64(v)
					}
				}
				want[i] = min(max(sum, 0), 255)*float64(re.Factor[c]) + float64(re.Offset[c])
			}
			near(t, "resampled", got, want, 2e-5)
		}
	})
}
