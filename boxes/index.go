package boxes

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// place is a box with what its match scores need, each computed once.
type place struct {
	Box
	x, y, width, height, diagonal, area float64
	box                                 int    // its index
	key                                 uint64 // see group.key
}

func newPlace(b Box, index int) place {
	width, height := b.XMax-b.XMin, b.YMax-b.YMin
	return place{b, (b.XMin + b.XMax) / 2, (b.YMin + b.YMax) / 2, width, height, math.Hypot(width, height), width * height, index, 0}
}

// slack keeps rounding from excluding a pair before its score is computed.
const slack = 1e-9

// matchScore is fullMatchScore, or +Inf if it exceeds most, which mostly needs no division and no root to tell: on each
// axis, boxes of mean side s whose centres are d apart have an IoU of at most (s − d) / (s + d), and no IoU exceeds the
// ratio of areas.
func (p *place) matchScore(q *place, most float64) float64 {
	dx, dy := math.Abs(p.x-q.x), math.Abs(p.y-q.y)
	if 2*dx*(2-most) > (most+slack)*(p.width+q.width) || 2*dy*(2-most) > (most+slack)*(p.height+q.height) ||
		min(p.area, q.area) < (1-most-slack)*max(p.area, q.area) {
		return math.Inf(1)
	}
	return p.fullMatchScore(q)
}

// fullMatchScore says how far two boxes are from being the same: the distance of their centres as a share of the mean of
// their diagonals, plus 1 − IoU. It is 0 for equal boxes and above 1 for boxes that do not overlap. OverFeat (arXiv
// 1312.6229, section 4.3) adds the distance and the area of the intersection, which grows the better boxes match.
func (p *place) fullMatchScore(q *place) float64 {
	if p.Box == q.Box { // which may have no area
		return 0
	}
	dx, dy := p.x-q.x, p.y-q.y
	score := 1.0
	if dx != 0 || dy != 0 {
		score += 2 * math.Sqrt(dx*dx+dy*dy) / (p.diagonal + q.diagonal)
	}
	width := min(p.XMax, q.XMax) - max(p.XMin, q.XMin)
	height := min(p.YMax, q.YMax) - max(p.YMin, q.YMin)
	if width > 0 && height > 0 {
		score -= width * height / (p.area + q.area - width*height)
	}
	return score
}

// index finds the boxes that match one. All but the recently added are in groups of similar places and sizes.
type index struct {
	whole  group   // as they were when the index was made
	groups []group // parts of it
	recent []place
}

// By go test -run x -bench Merge ./boxes.
const (
	groupSize  = 32
	mostRecent = 256
)

// group is some boxes with the range of each of their features.
type group struct {
	places   []place
	ranges   [features]span
	diagonal float64 // the longest
}

// features are a box's centre and sides.
const features = 4

type span struct{ low, high float64 }

func (p *place) features() [features]float64 { return [features]float64{p.x, p.y, p.width, p.height} }

func newIndex(all []place) *index {
	n := &index{whole: newGroup(all)}
	for i := range all {
		all[i].key = n.whole.key(&all[i])
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.key, b.key) })
	for part := range slices.Chunk(all, groupSize) {
		n.groups = append(n.groups, newGroup(part))
	}
	return n
}

func newGroup(places []place) group {
	g := group{places: places}
	for i := range g.ranges {
		g.ranges[i] = span{math.Inf(1), math.Inf(-1)}
	}
	for i := range places {
		for k, v := range places[i].features() {
			g.ranges[k].low, g.ranges[k].high = min(g.ranges[k].low, v), max(g.ranges[k].high, v)
		}
		g.diagonal = max(g.diagonal, places[i].diagonal)
	}
	return g
}

// key is a place on a Z-order curve through the group: places with near keys mostly have near features.
func (g *group) key(p *place) (key uint64) {
	const bits = 10
	for k, v := range p.features() {
		r := g.ranges[k]
		if r.high == r.low {
			continue
		}
		cell := uint64(min(max((v-r.low)/(r.high-r.low), 0), 1) * (1<<bits - 1))
		for b := range bits {
			key |= cell >> b & 1 << (features*b + k)
		}
	}
	return key
}

func (n *index) add(p place) { n.recent = append(n.recent, p) }

// isStale says whether a new index would be faster.
func (n *index) isStale() bool { return len(n.recent) > mostRecent }

// near calls each with the boxes whose match score with p is at most *most, which each may lower. It returns how many
// boxes it compared with p.
func (n *index) near(p *place, most *float64, each func(q *place, score float64)) (compared int) {
	scan := func(places []place) {
		compared += len(places)
		for i := range places {
			if score := p.matchScore(&places[i], *most); score <= *most {
				each(&places[i], score)
			}
		}
	}
	// Its own group first, which lowers *most.
	first := sort.Search(len(n.groups), func(i int) bool { return n.groups[i].places[0].key > n.whole.key(p) }) - 1
	if first >= 0 {
		scan(n.groups[first].places)
	}
	scan(n.recent)
	for i := range n.groups {
		if i != first && n.groups[i].leastScore(p) <= *most+slack {
			scan(n.groups[i].places)
		}
	}
	return compared
}

// leastScore is a lower bound of the match scores of p and the boxes of a group.
func (g *group) leastScore(p *place) float64 {
	x, y, width, height := &g.ranges[0], &g.ranges[1], &g.ranges[2], &g.ranges[3]
	dx, dy := x.distance(p.x), y.distance(p.y)
	least := 1 - min(overlap(dx, (p.width+width.high)/2), overlap(dy, (p.height+height.high)/2), width.ratio(p.width), height.ratio(p.height))
	if d := max(dx, dy); d > 0 {
		least += 2 * d / (p.diagonal + g.diagonal)
	}
	return least
}

// overlap is the largest IoU of two boxes whose centres are d apart on an axis and whose mean side is s: that on this
// axis.
func overlap(d, s float64) float64 {
	if d == 0 {
		return 1
	}
	return max(0, (s-d)/(s+d))
}

// distance is that of a value from the span, 0 inside.
func (s *span) distance(v float64) float64 { return max(0, s.low-v, v-s.high) }

// ratio is the largest IoU that boxes can have whose sides on an axis are v and one of the span.
func (s *span) ratio(v float64) float64 {
	switch {
	case v < s.low:
		return v / s.low
	case v > s.high:
		return s.high / v
	}
	return 1
}
