package boxes

import (
	"cmp"
	"container/heap"
)

// merger merges boxes. A heap holds, for each box, the pair with the one that matches it best. When one of the two is
// gone by the time that the pair is the best of all, the box seeks another: no pair can be overlooked, since those that
// a box gains are held by the newer of the two.
type merger struct {
	limit float64
	boxes []Merged
	gone  []bool // those that were merged into others
	index *index // of the others, and of some that are gone
	pairs pairs

	compared int // pairs of boxes so far
}

func newMerger(all []Merged, limit float64) *merger {
	m := &merger{limit: limit, boxes: all, gone: make([]bool, len(all))}
	m.pairs.merger = m
	m.index = newIndex(m.live())
	for i := range all {
		m.seek(i)
	}
	return m
}

// live lists the places of the boxes that are not gone.
func (m *merger) live() (all []place) {
	for i, b := range m.boxes {
		if !m.gone[i] {
			all = append(all, newPlace(b.Box, i))
		}
	}
	return all
}

// run merges pairs until none matches well enough.
func (m *merger) run() {
	for len(m.pairs.list) > 0 {
		p := heap.Pop(&m.pairs).(pair)
		switch {
		case m.gone[p.box]:
		case m.gone[p.neighbour]:
			m.seek(p.box)
		default:
			low, high := m.pairs.ordered(p)
			m.gone[p.box], m.gone[p.neighbour] = true, true
			m.boxes, m.gone = append(m.boxes, low.with(high)), append(m.gone, false)
			m.index.add(newPlace(low.with(high).Box, len(m.boxes)-1))
			if m.index.isStale() {
				m.index = newIndex(m.live())
			}
			m.seek(len(m.boxes) - 1)
		}
	}
}

// seek adds the pair of a box with the one that matches it best, unless none matches well enough.
func (m *merger) seek(box int) {
	best := pair{score: m.limit, box: box, neighbour: box}
	own := newPlace(m.boxes[box].Box, box)
	m.compared += m.index.near(&own, &best.score, func(other *place, score float64) {
		if m.gone[other.box] || other.box == box {
			return
		}
		found := pair{score, box, other.box}
		if best.neighbour == box || m.pairs.before(found, best) {
			best = found
		}
	})
	if best.neighbour != box {
		heap.Push(&m.pairs, best)
	}
}

// pair is a box and the one that matched it best when it sought.
type pair struct {
	score          float64
	box, neighbour int
}

// pairs is a heap, the best match first.
type pairs struct {
	*merger
	list []pair
}

// ordered gives the boxes of a pair, the one of lower values first.
func (p *pairs) ordered(one pair) (low, high Merged) {
	low, high = p.boxes[one.box], p.boxes[one.neighbour]
	if compare(low, high) > 0 {
		low, high = high, low
	}
	return low, high
}

// before says whether a pair is merged before another.
func (p *pairs) before(a, b pair) bool {
	if a.score != b.score {
		return a.score < b.score
	}
	lowA, highA := p.ordered(a)
	lowB, highB := p.ordered(b)
	return cmp.Or(compare(lowA, lowB), compare(highA, highB)) < 0
}

// Len, Less, Swap, Push and Pop are heap.Interface.
func (p *pairs) Len() int           { return len(p.list) }
func (p *pairs) Less(i, j int) bool { return p.before(p.list[i], p.list[j]) }
func (p *pairs) Swap(i, j int)      { p.list[i], p.list[j] = p.list[j], p.list[i] }
func (p *pairs) Push(x any)         { p.list = append(p.list, x.(pair)) }

func (p *pairs) Pop() any {
	last := p.list[len(p.list)-1]
	p.list = p.list[:len(p.list)-1]
	return last
}
