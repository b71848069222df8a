package finite

import "math"

// Is tells whether v is a number: neither NaN nor infinite.
func Is(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
