package machine

import (
	"slices"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
	"vgg/internal/outer"
)

// PlannedOp is an op whose result the machine puts into planned memory: UsePreallocDo must write every element of
// its first argument and keep no reference to any of its arguments. InPlace lists the inputs over which the result
// may be written. Ops that also implement gorgonia.IncrDoer add directly to the gradients of learnables. All other ops,
// such as Gorgonia's own, run through Do and allocate the memory of their results.
type PlannedOp interface {
	gorgonia.Op
	gorgonia.UsePreallocDoer
	InPlace() []int
}

// FusedOp is an op that can be computed together with its first input, if it alone reads that. Fuse gives the op for
// both, whose inputs are those of first, and then its own others.
type FusedOp interface {
	gorgonia.Op
	Fuse(first gorgonia.Op) (both gorgonia.Op, ok bool)
}

// VM runs one graph. It implements gorgonia.VM and is not safe for concurrent use; several machines may run at the
// same time, also when their graphs share weights that none of them changes.
type VM struct {
	outputs    gorgonia.Nodes
	learnables gorgonia.Nodes
	constants  gorgonia.Nodes
	rows       int // pictures in a mini-batch, for gradients held as factors; 0 if none are

	steps         []step
	values        []gorgonia.Value // of each node in the order of steps; planned, bound or computed
	memory        *Memory          // of planned results
	bound         []float32        // that memory, as the steps know it
	planned       int              // elements
	overwriteAll  bool             // the next run overwrites the gradients
	overwriteSums bool             // the next run overwrites those that are sums, and adds rows to factors
	ready         func(learnable *gorgonia.Node) error
}

// step computes one node, and perhaps its first child with it.
type step struct {
	node   *gorgonia.Node
	op     gorgonia.Op
	inputs []int            // indices of the steps that it reads
	args   []gorgonia.Value // reused from run to run
	at     *block           // planned memory of the result; nil where Do allocates it
	buffer gorgonia.Value   // a tensor there
	sum    gorgonia.Value   // gradient of a learnable that this node's value is added to
	of     *gorgonia.Node   // that learnable
	output bool
	once   bool  // the value depends on constants alone: it is computed in the first run
	read   bool  // another step reads the value
	drop   []int // steps whose values no later step reads
}

// Memory is what machines that do not run at the same time can share for the results of PlannedOps. It grows to what
// the largest of them needs. The zero value is ready to use.
type Memory struct{ floats []float32 }

// Option is a choice that New leaves to its caller.
type Option func(*VM)

// Shared puts planned results into memory that other machines use too: a run of any of them overwrites the outputs of
// the others.
func Shared(memory *Memory) Option {
	return func(m *VM) { m.memory = memory }
}

// Outputs names the nodes whose values are wanted. After RunAll, Value() of each gives its value, which the next run
// overwrites. A node that is the gradient of a learnable given to Gradients has the sum over the runs as its value.
func Outputs(nodes ...*gorgonia.Node) Option {
	return func(m *VM) { m.outputs = append(m.outputs, nodes...) }
}

// Gradients asks for the gradients of learnables, which gorgonia.Grad must have declared. Each run adds to them;
// Grad() of each learnable gives the sum, and a gorgonia.Solver given the learnables clears it in its step. So k
// micro-batches run before one step accumulate their gradients.
func Gradients(learnables ...*gorgonia.Node) Option {
	return func(m *VM) { m.learnables = append(m.learnables, learnables...) }
}

// Products holds the gradients of large fully connected layers' weights as two factors with a row for each picture, if
// these take less memory. rows is the number of pictures in a mini-batch, all its micro-batches together. The solver
// must be able to work with such gradients: trainer.SGD is, Gorgonia's own solvers are not.
func Products(rows int) Option {
	return func(m *VM) { m.rows = rows }
}

// Ready calls f in each run when the gradient of a learnable has been added to, while those of the layers below are
// still to come. f must not keep the goroutine for long. Its error ends the run.
func Ready(f func(learnable *gorgonia.Node) error) Option {
	return func(m *VM) { m.ready = f }
}

// Constants names inputs whose values do not change after the first run, such as the weights of a net for inference.
// What depends on them alone is computed once.
func Constants(nodes ...*gorgonia.Node) Option {
	return func(m *VM) { m.constants = append(m.constants, nodes...) }
}

// New plans the execution of g. Without options every node that nothing depends on is an output.
func New(g *gorgonia.ExprGraph, options ...Option) (*VM, error) {
	if err := kernel.Check(); err != nil {
		return nil, errors.Wrap(err, "machine")
	}
	m := &VM{memory: new(Memory)}
	for _, option := range options {
		option(m)
	}
	if len(options) == 0 {
		m.outputs = g.Roots()
	}
	for _, n := range m.learnables {
		if n.Deriv() == nil {
			return nil, errors.Errorf("machine: no gradient of %v is declared: call gorgonia.Grad first, with it among the nodes to differentiate by", n.Name())
		}
	}
	order, err := needed(g, m.outputs, m.learnables)
	if err != nil {
		return nil, err
	}
	if err := m.compile(g, order); err != nil {
		return nil, err
	}
	return m, nil
}

// needed gives the nodes on which the outputs and gradients depend, children first.
func needed(g *gorgonia.ExprGraph, outputs, learnables gorgonia.Nodes) (gorgonia.Nodes, error) {
	wanted := map[int64]bool{}
	var visit func(n *gorgonia.Node) error
	visit = func(n *gorgonia.Node) error {
		if wanted[n.ID()] {
			return nil
		}
		if !g.Has(n.ID()) || n.Graph() != g {
			return errors.Errorf("machine: node %v is not in the graph", n.Name())
		}
		wanted[n.ID()] = true
		for _, child := range children(g, n) {
			if err := visit(child); err != nil {
				return err
			}
		}
		return nil
	}
	for _, n := range outputs {
		if err := visit(n); err != nil {
			return nil, err
		}
	}
	for _, n := range learnables {
		if err := visit(n.Deriv()); err != nil {
			return nil, err
		}
	}
	// The order of declaration is usually topological. Each gradient is then computed as soon as it can be, which frees
	// what it was computed from. Gorgonia's sort, the fallback, runs many gradients at the end.
	order := g.AllNodes()
	declared := map[int64]bool{}
	topological := true
	for _, n := range order {
		for _, child := range children(g, n) {
			topological = topological && declared[child.ID()]
		}
		declared[n.ID()] = true
	}
	if !topological {
		sorted, err := gorgonia.Sort(g)
		if err != nil {
			return nil, errors.Wrap(err, "machine: cannot sort the graph")
		}
		order = nil
		for i := len(sorted) - 1; i >= 0; i-- {
			order = append(order, sorted[i])
		}
	}
	var kept gorgonia.Nodes
	for _, n := range order {
		if wanted[n.ID()] {
			kept = append(kept, n)
		}
	}
	return kept, nil
}

// children gives a node's children in the order of its op's inputs.
func children(g *gorgonia.ExprGraph, n *gorgonia.Node) gorgonia.Nodes {
	var nodes gorgonia.Nodes
	for it := g.From(n.ID()); it.Next(); {
		nodes = append(nodes, it.Node().(*gorgonia.Node))
	}
	return nodes
}

// compile lays out the steps, their memory and the gradients' buffers.
func (m *VM) compile(g *gorgonia.ExprGraph, order gorgonia.Nodes) error {
	index := map[*gorgonia.Node]int{}
	calls := m.fuse(g, order)
	m.steps = make([]step, 0, len(order))
	for _, n := range order {
		c, ok := calls[n]
		if !ok {
			continue
		}
		index[n] = len(m.steps)
		s := step{node: n, op: c.op, args: make([]gorgonia.Value, len(c.inputs))}
		for _, in := range c.inputs {
			s.inputs = append(s.inputs, index[in])
			m.steps[index[in]].read = true
		}
		s.once = m.isConstant(n, &s)
		m.steps = append(m.steps, s)
	}
	m.values = make([]gorgonia.Value, len(m.steps))
	for _, n := range m.outputs {
		m.steps[index[n]].output = true
	}
	for _, n := range m.learnables {
		s := &m.steps[index[n.Deriv()]]
		if s.sum == nil {
			if n.Shape().IsScalar() {
				return errors.Errorf("machine: the learnable %v is a scalar: make it a vector of one element", n.Name())
			}
			s.sum, s.of = m.zero(s, n), n
		}
		if err := gorgonia.UnsafeLet(n.Deriv(), s.sum); err != nil {
			return errors.Wrapf(err, "machine: gradient of %v", n.Name())
		}
	}
	m.plan()
	return nil
}

// zero makes the value to which a step adds the gradient of a learnable.
func (m *VM) zero(s *step, n *gorgonia.Node) gorgonia.Value {
	if _, ok := s.op.(outer.Op); ok && s.canAdd() {
		if out, in := n.Shape()[0], n.Shape()[1]; outer.Pays(m.rows, out, in) {
			return outer.New(m.rows, out, in)
		}
	}
	return tensor.New(tensor.WithShape(n.Shape()...), tensor.Of(n.Dtype()))
}

// isConstant says whether a node's value is the same in each run: inputs named as constants, and what is computed from
// them alone.
func (m *VM) isConstant(n *gorgonia.Node, s *step) bool {
	if len(s.inputs) == 0 {
		return slices.Contains(m.constants, n)
	}
	return !slices.ContainsFunc(s.inputs, func(i int) bool { return !m.steps[i].once })
}

// ClearGradients makes the next run overwrite the gradients instead of adding to them. It is faster than setting them
// to zero.
func (m *VM) ClearGradients() { m.overwriteAll = true }

// ClearSums makes the next run overwrite the gradients that are held as matrices. It goes on adding rows to those that
// are held as factors (see Products).
func (m *VM) ClearSums() { m.overwriteSums = true }

// RunAll computes the outputs and adds to the gradients. It is part of gorgonia.VM.
func (m *VM) RunAll() error {
	m.bind()
	for i := range m.steps {
		s := &m.steps[i]
		if s.once && m.values[i] != nil {
			continue
		}
		if err := m.execute(i, s); err != nil {
			return errors.Wrapf(err, "machine: node %v (%v)", s.node.Name(), s.op)
		}
		if s.sum != nil && m.ready != nil {
			if err := m.ready(s.of); err != nil {
				return err
			}
		}
		for _, j := range s.drop {
			m.values[j] = nil
		}
	}
	m.overwriteAll, m.overwriteSums = false, false
	for i := range m.steps {
		s := &m.steps[i]
		if !s.output || s.sum != nil || len(s.inputs) == 0 {
			continue
		}
		if err := gorgonia.UnsafeLet(s.node, m.values[i]); err != nil {
			return errors.Wrapf(err, "machine: output %v", s.node.Name())
		}
	}
	return nil
}

func (m *VM) execute(i int, s *step) (err error) {
	for j, in := range s.inputs {
		s.args[j] = m.values[in]
	}
	op := s.op
	switch {
	case len(s.inputs) == 0:
		m.values[i], err = leaf(s.node)
	case s.addsDirectly():
		return m.add(s)
	case s.at != nil:
		m.values[i], err = op.(PlannedOp).UsePreallocDo(s.buffer, s.args...)
	default:
		m.values[i], err = op.Do(s.args...)
	}
	if err != nil || s.sum == nil {
		return err
	}
	if m.overwriteAll || m.overwriteSums {
		return tensor.Copy(s.sum.(tensor.Tensor), m.values[i].(tensor.Tensor))
	}
	_, err = tensor.Add(s.sum, m.values[i], tensor.UseUnsafe())
	return err
}

// add adds the result of a step to its sum.
func (m *VM) add(s *step) error {
	if sum, ok := s.sum.(*outer.Gradient); ok {
		if m.overwriteAll {
			sum.Clear()
		}
		x, g, err := s.op.(outer.Op).Factors(s.args...)
		if err == nil {
			sum.Add(x, g)
		}
		return err
	}
	if m.overwriteAll || m.overwriteSums {
		_, err := s.op.(PlannedOp).UsePreallocDo(s.sum, s.args...)
		return err
	}
	return s.op.(gorgonia.IncrDoer).IncrDo(s.sum, s.args...)
}

// leaf gives the value of a node without children, which is bound by the user, constant, or drawn at random.
func leaf(n *gorgonia.Node) (gorgonia.Value, error) {
	if v := n.Value(); v != nil {
		return v, nil
	}
	if n.Op() == nil {
		return nil, errors.New("no value is bound to this input: use gorgonia.Let")
	}
	return n.Op().Do()
}

// Reset does nothing: a further RunAll starts over by itself. It is part of gorgonia.VM.
func (m *VM) Reset() {}

// Close releases the memory. It is part of gorgonia.VM.
func (m *VM) Close() error {
	*m = VM{}
	return nil
}

// ConstantBytes is the size of what the first run computes from Constants and keeps.
func (m *VM) ConstantBytes() (bytes int64) {
	for i := range m.steps {
		if s := &m.steps[i]; s.once && len(s.inputs) > 0 {
			bytes += int64(s.node.Shape().TotalSize()) * int64(s.node.Dtype().Size())
		}
	}
	return bytes
}

// PlannedBytes is the size of the memory that the results of PlannedOps share.
func (m *VM) PlannedBytes() int64 { return 4 * int64(m.planned) }
