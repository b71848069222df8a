package machine

import (
	"slices"
	"sort"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/memory"
)

// A call is an op and the nodes that it reads.
type call struct {
	op     gorgonia.Op
	inputs gorgonia.Nodes
}

// fuse gives what to call for each node, but for those that are computed together with the node that reads them.
func (m *VM) fuse(g *gorgonia.ExprGraph, order gorgonia.Nodes) map[*gorgonia.Node]call {
	calls := map[*gorgonia.Node]call{}
	readers := map[*gorgonia.Node]int{}
	for _, n := range order {
		calls[n] = call{n.Op(), children(g, n)}
		for _, in := range calls[n].inputs {
			readers[in]++
		}
	}
	for _, n := range m.outputs {
		readers[n]++
	}
	for _, n := range m.learnables {
		readers[n.Deriv()]++
	}
	for _, n := range order {
		last := calls[n]
		fused, ok := last.op.(FusedOp)
		if !ok || len(last.inputs) == 0 || readers[last.inputs[0]] > 1 {
			continue
		}
		first := calls[last.inputs[0]]
		if both, ok := fused.Fuse(first.op); ok {
			calls[n] = call{both, append(slices.Clone(first.inputs), last.inputs[1:]...)}
			delete(calls, last.inputs[0])
		}
	}
	return calls
}

// block is memory that one planned result needs, or several that are written over one another in place.
type block struct {
	size        int // elements
	first, last int // steps between which it is in use
	offset      int // in the arena
}

// alignment keeps blocks on cache lines: 16 float32.
const alignment = 16

// plan finds out how long each value is needed and gives the planned ones their offsets in one arena.
func (m *VM) plan() {
	last := m.lastReads()
	blocks := make([]*block, len(m.steps)) // of each step; nil where the memory is not planned
	for i := range m.steps {
		s := &m.steps[i]
		if !s.isPlanned() {
			continue
		}
		size := s.node.Shape().TotalSize()
		if j := m.overwritten(i, last, blocks); j >= 0 {
			blocks[i] = blocks[j]
			blocks[i].last = last[i]
			continue
		}
		blocks[i] = &block{size: size, first: i, last: last[i]}
	}
	m.planned = place(blocks)
	for i, b := range blocks {
		m.steps[i].at = b
	}
	for i, l := range last {
		if l < len(m.steps) && l > i && len(m.steps[i].inputs) > 0 && !m.steps[i].once {
			m.steps[l].drop = append(m.steps[l].drop, i)
		}
	}
}

// bind gives the steps their planned memory: before the first run, and after another machine has made shared memory
// larger.
func (m *VM) bind() {
	if len(m.memory.floats) < m.planned {
		m.memory.floats = memory.Make[float32](m.planned)
	}
	if m.planned == 0 || m.bound != nil && &m.bound[0] == &m.memory.floats[0] {
		return
	}
	m.bound = m.memory.floats
	for i := range m.steps {
		s := &m.steps[i]
		if b := s.at; b != nil {
			s.buffer = tensor.New(tensor.WithShape(s.node.Shape()...), tensor.WithBacking(m.bound[b.offset:b.offset+b.size:b.offset+b.size]))
		}
	}
}

// lastReads gives for each step the last one that may read its value: len(steps) for outputs. The result of an op
// that is not planned may be a view of its inputs (a slice, a reshaping), so its readers count as theirs.
func (m *VM) lastReads() []int {
	last := make([]int, len(m.steps))
	for i := len(m.steps) - 1; i >= 0; i-- {
		s := &m.steps[i]
		last[i] = max(last[i], i)
		if s.output {
			last[i] = len(m.steps)
		}
		until := i
		if !s.isPlanned() && !s.addsDirectly() {
			until = last[i]
		}
		for _, j := range s.inputs {
			last[j] = max(last[j], until)
		}
	}
	return last
}

// isPlanned says whether the step's result goes to the arena.
func (s *step) isPlanned() bool {
	_, ok := s.op.(PlannedOp)
	return ok && !s.once && !s.addsDirectly() && !s.node.Shape().IsScalar() && s.node.Dtype() == tensor.Float32
}

// addsDirectly says whether the step adds to a gradient without a result of its own.
func (s *step) addsDirectly() bool { return s.sum != nil && s.canAdd() }

func (s *step) canAdd() bool {
	_, planned := s.op.(PlannedOp)
	_, incr := s.op.(gorgonia.IncrDoer)
	return planned && incr && !s.output && !s.read
}

// overwritten gives the input of step i over which its result is written, -1 if there is none. No later step may read
// that input, and the op must not read its memory through another input too.
func (m *VM) overwritten(i int, last []int, blocks []*block) int {
	s := &m.steps[i]
	for _, k := range s.op.(PlannedOp).InPlace() {
		j := s.inputs[k]
		alone := true
		for other, in := range s.inputs {
			alone = alone && (other == k || blocks[in] == nil || blocks[in] != blocks[j])
		}
		if blocks[j] != nil && blocks[j].last == i && last[j] == i && alone && blocks[j].size == s.node.Shape().TotalSize() {
			return j
		}
	}
	return -1
}

// place gives each block the lowest offset at which it overlaps no other block in use at the same time, the largest
// first, and returns the size of the arena.
func place(blocks []*block) int {
	var distinct []*block
	for i, b := range blocks {
		if b != nil && b.first == i {
			distinct = append(distinct, b)
		}
	}
	sort.SliceStable(distinct, func(i, j int) bool { return distinct[i].size > distinct[j].size })
	var placed []*block // by offset
	arena := 0
	for _, b := range distinct {
		for _, p := range placed {
			if p.first > b.last || b.first > p.last {
				continue
			}
			if b.offset+b.size <= p.offset {
				break
			}
			b.offset = max(b.offset, (p.offset+p.size+alignment-1)/alignment*alignment)
		}
		at, _ := slices.BinarySearchFunc(placed, b, func(x, y *block) int { return x.offset - y.offset })
		placed = slices.Insert(placed, at, b)
		arena = max(arena, b.offset+b.size)
	}
	return arena
}
