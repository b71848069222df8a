package trainer

import (
	"fmt"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"vgg/graph/machine"
	"vgg/internal/mpi"
	"vgg/internal/outer"
)

// Gradients sums the gradients of the micro-batches of a mini-batch, which ranks share (section 3.3), with the same bits for any
// number of ranks. Each rank computes neighbouring micro-batches, and in the end all have the whole sums. There are two
// ways, by layer and mini-batch alone (see outer.Pays):
//
//   - A gradient held as a matrix is added along a tree. Of a slice of its elements, each rank sends what it has summed to the
//     rank that owns the slice, which adds that up along the tree, and sends the result to all. This goes on in the
//     background while the gradients of the layers below are computed.
//   - Of a gradient held as factors, each rank sends its rows to all others as soon as a micro-batch has them, and each
//     multiplies those of the whole mini-batch, in the order of the pictures, in the solver's step.
//
// In a step call Begin, then Next before each run of the machine, and Finish.
type Gradients struct {
	Late bool // for measurements: nothing is sent before Finish

	world      *mpi.World
	leaves     int // micro-batches of a mini-batch
	rows       int // pictures of each
	first, end int // micro-batches of this rank
	leaf       int // that is computed
	vm         *machine.VM
	all        []*gradient
	of         map[*gorgonia.Node]*gradient
	partials   [][]node        // of each rank
	exchanges  []*mpi.Exchange // of this step
}

// gradient is that of one learnable.
type gradient struct {
	tag     int
	factors *outer.Gradient // nil where there is a sum
	sum     []float32
	saved   [][]float32 // sums of nodes, by their place in own
	own     sums
	arrived [][][]float32 // this rank's slice of each node's sum of each other rank
	done    int           // micro-batches of this rank that are in it
}

// NewGradients divides a number of micro-batches, each of that many pictures, among the ranks of a world.
func NewGradients(world *mpi.World, microBatches, pictures int) (*Gradients, error) {
	ranks := world.Size()
	if ranks > microBatches {
		return nil, errors.Errorf("trainer: %d ranks, and a mini-batch has %d micro-batches (training.batch = %d, training.micro_batch = %d): at most one rank for each; training.micro_batch = %d gives enough",
			ranks, microBatches, microBatches*pictures, pictures, enough(microBatches*pictures, ranks))
	}
	s := &Gradients{
		world: world, leaves: microBatches, rows: pictures, of: map[*gorgonia.Node]*gradient{},
		first: part(microBatches, world.Rank(), ranks), end: part(microBatches, world.Rank()+1, ranks),
	}
	for r := range ranks {
		s.partials = append(s.partials, partials(microBatches, part(microBatches, r, ranks), part(microBatches, r+1, ranks)))
	}
	return s, nil
}

// Share is what a rank has of the micro-batches of a mini-batch: how many it computes, and how many sums are left when
// it has added them along the tree, each of which it sends to the others. One is left wherever the number of ranks is a
// power of two.
func Share(microBatches, rank, ranks int) (own, sums int) {
	first, end := part(microBatches, rank, ranks), part(microBatches, rank+1, ranks)
	return end - first, len(partials(microBatches, first, end))
}

// enough is the largest size of micro-batches of which a mini-batch has one for each rank; 1 if there is none.
func enough(batch, ranks int) int {
	for size := batch / ranks; size > 1; size-- {
		if batch%size == 0 {
			return size
		}
	}
	return 1
}

// Alone tells whether there is nothing to add up: one rank and one micro-batch.
func (s *Gradients) Alone() bool { return s.leaves == 1 }

// Option is for the machine that computes the gradients.
func (s *Gradients) Option() machine.Option {
	if s.Alone() {
		return func(*machine.VM) {}
	}
	return machine.Ready(s.ready)
}

// Bind takes the machine and its learnables, whose gradients it computes.
func (s *Gradients) Bind(vm *machine.VM, learnables gorgonia.Nodes) error {
	s.vm = vm
	if s.Alone() {
		return nil
	}
	ranks, rank := s.world.Size(), s.world.Rank()
	for i, n := range learnables {
		value, err := n.Grad()
		if err != nil {
			return errors.Wrap(err, "trainer")
		}
		g := &gradient{tag: 2 * i}
		if factors, ok := value.(*outer.Gradient); ok {
			g.factors = factors
		} else {
			g.sum = value.Data().([]float32)
			for range s.mostSaved() {
				g.saved = append(g.saved, make([]float32, len(g.sum)))
			}
			g.arrived = make([][][]float32, ranks)
			for r := range ranks {
				for range s.partials[r] {
					var own []float32
					if r != rank {
						own = make([]float32, part(len(g.sum), rank+1, ranks)-part(len(g.sum), rank, ranks))
					}
					g.arrived[r] = append(g.arrived[r], own)
				}
			}
		}
		s.all, s.of[n] = append(s.all, g), g
	}
	return nil
}

// mostSaved is how many sums this rank keeps at most while a gradient is computed.
func (s *Gradients) mostSaved() (most int) {
	for end := s.first + 1; end < s.end; end++ {
		most = max(most, len(partials(s.leaves, s.first, end)))
	}
	return max(most, len(partials(s.leaves, s.first, s.end))-1)
}

// Begin begins a step.
func (s *Gradients) Begin() {
	if s.Alone() {
		return
	}
	s.leaf, s.exchanges = s.first-1, s.exchanges[:0]
	for _, g := range s.all {
		g.done = 0
		g.own.clear()
		if g.factors == nil {
			continue
		}
		g.factors.Resize(s.leaves * s.rows)
		if s.world.Size() > 1 {
			x := s.world.Begin()
			s.world.Others(func(peer int) {
				for leaf := s.firstOf(peer); leaf < s.firstOf(peer+1); leaf++ {
					rowsX, rowsG := s.rowsOf(g, leaf)
					mpi.Receive(x, peer, g.tag, rowsX)
					mpi.Receive(x, peer, g.tag+1, rowsG)
				}
			})
			s.exchanges = append(s.exchanges, x.Start())
		}
		g.factors.Resize(s.first * s.rows)
	}
}

// takes tells whether this rank computes a micro-batch, by number in the epoch.
func (s *Gradients) takes(microBatch int) bool {
	leaf := microBatch % s.leaves
	return s.first <= leaf && leaf < s.end
}

// firstOf is the first micro-batch of a rank.
func (s *Gradients) firstOf(rank int) int { return part(s.leaves, rank, s.world.Size()) }

// rowsOf are the rows of a micro-batch in a gradient's factors.
func (s *Gradients) rowsOf(g *gradient, leaf int) (x, y []float32) {
	out, in := g.factors.Shape()[0], g.factors.Shape()[1]
	from, to := leaf*s.rows, (leaf+1)*s.rows
	return g.factors.X[:to*in][from*in:], g.factors.G[:to*out][from*out:]
}

// Next begins the next micro-batch of this rank.
func (s *Gradients) Next() {
	if s.Alone() {
		s.vm.ClearGradients()
		return
	}
	s.leaf++
	s.vm.ClearSums()
}

// ready takes a gradient of the current micro-batch.
func (s *Gradients) ready(learnable *gorgonia.Node) error {
	g := s.of[learnable]
	if g == nil {
		return errors.New("trainer: a run before the gradients were bound")
	}
	g.done++
	last := s.leaf == s.end-1
	if g.factors == nil {
		g.own.push(nodeOf(s.leaf, s.leaves), g.sum)
		if top := len(g.own.nodes) - 1; !last {
			copy(g.saved[top], g.sum)
			g.own.data[top] = g.saved[top]
		}
	}
	if !s.Late {
		s.send(g, s.leaf, last)
	}
	return nil
}

// send sends what is known of a gradient after a micro-batch, the last one of this rank or not.
func (s *Gradients) send(g *gradient, leaf int, last bool) {
	switch {
	case s.world.Size() == 1:
	case g.factors != nil:
		x := s.world.Begin()
		rowsX, rowsG := s.rowsOf(g, leaf)
		s.world.Others(func(peer int) {
			mpi.Send(x, peer, g.tag, rowsX)
			mpi.Send(x, peer, g.tag+1, rowsG)
		})
		s.exchanges = append(s.exchanges, x.Start())
	case last:
		s.exchanges = append(s.exchanges, s.sendSlices(g))
	}
}

// slice is the part of a sum that a rank owns.
func (s *Gradients) slice(sum []float32, rank int) []float32 {
	return sum[part(len(sum), rank, s.world.Size()):part(len(sum), rank+1, s.world.Size())]
}

// node is the sum of the k-th node of this rank.
func (s *Gradients) node(g *gradient, k int) []float32 {
	if k == len(s.partials[s.world.Rank()])-1 {
		return g.sum
	}
	return g.saved[k]
}

// sendSlices sends each rank its slice of the nodes of this rank, and receives this rank's slice of theirs, which are then
// added up.
func (s *Gradients) sendSlices(g *gradient) *mpi.Exchange {
	x := s.world.Begin()
	s.world.Others(func(peer int) {
		for k := range s.partials[s.world.Rank()] {
			mpi.Send(x, peer, g.tag, s.slice(s.node(g, k), peer))
		}
		for k := range s.partials[peer] {
			mpi.Receive(x, peer, g.tag, g.arrived[peer][k])
		}
	})
	return x.Then(func() *mpi.Exchange { return s.addSlices(g) }).Start()
}

// addSlices adds up this rank's slice, and gives it to all.
func (s *Gradients) addSlices(g *gradient) *mpi.Exchange {
	rank := s.world.Rank()
	total, own := sums{}, s.slice(g.sum, rank)
	for r, nodes := range s.partials {
		for k, n := range nodes {
			if r == rank {
				total.push(n, s.slice(s.node(g, k), rank))
			} else {
				total.push(n, g.arrived[r][k])
			}
		}
	}
	copy(own, total.data[0])
	x := s.world.Begin()
	s.world.Others(func(peer int) {
		mpi.Send(x, peer, g.tag+1, own)
		mpi.Receive(x, peer, g.tag+1, s.slice(g.sum, peer))
	})
	return x.Start()
}

// Finish waits until all ranks have the gradients of the whole mini-batch. After a step that failed on some rank, the
// gradients mean nothing, but all ranks come to the same point.
func (s *Gradients) Finish() error {
	if s.Alone() {
		return nil
	}
	for _, g := range s.all {
		from := s.first + g.done
		if s.Late {
			from = s.first
		}
		for leaf := from; leaf < s.end; leaf++ {
			s.send(g, leaf, leaf == s.end-1)
		}
	}
	err := s.world.Wait("the gradients", func() error {
		var failed error
		for _, x := range s.exchanges {
			if err := x.Wait(); failed == nil {
				failed = err
			}
		}
		return failed
	})
	for _, g := range s.all {
		if g.factors != nil {
			g.factors.Resize(s.leaves * s.rows)
		}
	}
	return err
}

// Note says which layers' gradients are exchanged how.
func (s *Gradients) Note(names []string) string {
	bytes, rows, factors := 0, 0, ""
	for i, g := range s.all {
		if g.factors == nil {
			bytes += 4 * len(g.sum)
			continue
		}
		rows += 4 * (g.factors.Shape()[0] + g.factors.Shape()[1])
		factors += " " + names[i]
	}
	if factors == "" {
		return fmt.Sprintf("gradients: exchanged as sums, %.3g MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("gradients: exchanged as factors (%.3g kB a picture) for%s, as sums (%.3g MB) for all others", float64(rows)/1e3, factors, float64(bytes)/1e6)
}
