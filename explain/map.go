package explain

import "math"

// Method is a way to make a map.
type Method string

// The methods.
const (
	Saliency  Method = "saliency"
	GradCAM   Method = "grad-cam"
	Occlusion Method = "occlusion"
)

// Methods are all of them.
func Methods() []Method { return []Method{Saliency, GradCAM, Occlusion} }

// Map says how much the score of a class depends on each place of a view. A value stands for a cell of the view.
type Map struct {
	Width, Height int       // in values
	Values        []float32 // (Height, Width)
	Cell          float64   // the side in pixels of the cell that a value stands for; those at the right and lower edge may be cut
}

// Peak is the middle of the cell of the largest value, the first of several, in pixels of the view from its left upper
// corner. ok is false if no value is above 0.
func (m Map) Peak() (x, y float64, ok bool) {
	best := -1
	for i, v := range m.Values {
		if v > 0 && (best < 0 || v > m.Values[best]) {
			best = i
		}
	}
	if best < 0 {
		return 0, 0, false
	}
	return (float64(best%m.Width) + 0.5) * m.Cell, (float64(best/m.Width) + 0.5) * m.Cell, true
}

// Most is the largest value.
func (m Map) Most() float32 {
	most := m.Values[0]
	for _, v := range m.Values {
		most = max(most, v)
	}
	return most
}

// Spread is the map in pixels of the view, (height, width): linear between the middles of the cells.
func (m Map) Spread(width, height int) []float32 {
	spread := make([]float32, width*height)
	for y := range height {
		top, bottom, down := between(y, m.Cell, m.Height)
		for x := range width {
			left, right, across := between(x, m.Cell, m.Width)
			upper := mix(m.Values[top*m.Width+left], m.Values[top*m.Width+right], across)
			lower := mix(m.Values[bottom*m.Width+left], m.Values[bottom*m.Width+right], across)
			spread[y*width+x] = mix(upper, lower, down)
		}
	}
	return spread
}

// between gives the two of n cells between whose middles a pixel lies, and the weight of the second.
func between(pixel int, cell float64, n int) (first, second int, weight float32) {
	at := min(max((float64(pixel)+0.5)/cell-0.5, 0), float64(n-1))
	first = int(math.Floor(at))
	return first, min(first+1, n-1), float32(at - float64(first))
}

func mix(a, b, share float32) float32 { return a + (b-a)*share }
