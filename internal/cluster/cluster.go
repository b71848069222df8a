package cluster

import (
	"math/bits"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/graph"
	"vgg/internal/outer"
	"vgg/trainer"
)

// Gradient is that of a layer, as ranks exchange it.
type Gradient struct {
	Layer   string
	Bytes   float64 // of all its values
	Summed  float64 // of those that are summed across ranks: the biases alone if the weights' factors are gathered
	Factors float64 // of the factors of a picture; 0 if none are gathered
	Ready   float64 // share of the time of a backward pass after which it is known
}

// Gradients are those of a net, of which each step has a mini-batch of so many pictures, in the order of the backward
// pass, the last layer first. The backward pass of a layer is taken to need time as its multiply-adds say: twice those
// of the forward pass, and once for the first layer, below which no gradient is needed.
func Gradients(layers []graph.LayerSummary, miniBatch int) []Gradient {
	var all []Gradient
	first, inputs := 0, make([]int, len(layers)) // of each layer, for one picture
	for i, l := range layers {
		if i > 0 {
			inputs[i] = layers[i-1].Activations
		}
		if first == 0 && l.Weights > 0 {
			first = i
		}
	}
	work, done := 0.0, 0.0
	for i := len(layers) - 1; i >= first; i-- {
		l := layers[i]
		if l.Weights == 0 {
			continue
		}
		work += 2 * float64(l.MultiplyAdds)
		if i == first {
			work -= float64(l.MultiplyAdds)
		}
		g := Gradient{Layer: l.Name, Bytes: 4 * float64(l.Parameters), Summed: 4 * float64(l.Parameters), Ready: work}
		if in, out := inputs[i], l.Activations; l.Kind == configs.FullyConnected && outer.Pays(miniBatch, out, in) {
			g.Summed, g.Factors = 4*float64(l.Parameters-l.Weights), 4*float64(in+out)
		}
		all = append(all, g)
		done = work
	}
	for i := range all {
		all[i].Ready /= done
	}
	return all
}

// Job is a mini-batch that ranks share, one on each host.
type Job struct {
	Ranks      int
	MiniBatch  int // pictures of all ranks
	MicroBatch int // pictures that a rank computes at once
}

// Validate gives an error for a step that is not predicted: one that ranks do not share equally.
func (j Job) Validate() error {
	switch {
	case j.Ranks < 1 || bits.OnesCount(uint(j.Ranks)) != 1:
		return errors.Errorf("%d hosts: want a power of two", j.Ranks)
	case j.MicroBatch < 1 || j.MiniBatch < 1 || j.MiniBatch%j.Ranks != 0 || j.MiniBatch/j.Ranks%j.MicroBatch != 0:
		return errors.Errorf("a mini-batch of %d pictures on %d hosts in micro-batches of %d: want the same whole number of them on each", j.MiniBatch, j.Ranks, j.MicroBatch)
	}
	return nil
}

// others is the share of a whole that a rank does not own.
func (j Job) others() float64 { return float64(j.Ranks-1) / float64(j.Ranks) }

// Sent is the number of bytes that a rank sends for a gradient, the mean of the ranks: each sum is exchanged as slices,
// and the sums of the slices are gathered; factors are gathered. It is right for any number of ranks.
func (j Job) Sent(g Gradient) float64 {
	return j.others() * ((j.sums()+1)*g.Summed + float64(j.MiniBatch)*g.Factors)
}

// sums is the mean number of those that a rank sends slices of.
func (j Job) sums() float64 {
	all := 0
	for rank := range j.Ranks {
		_, sums := trainer.Share(j.MiniBatch/j.MicroBatch, rank, j.Ranks)
		all += sums
	}
	return float64(all) / float64(j.Ranks)
}

// SentAll is the number of bytes that a rank sends in a step, the mean of the ranks.
func (j Job) SentAll(gradients []Gradient) (bytes float64) {
	for _, g := range gradients {
		bytes += j.Sent(g)
	}
	return bytes
}

// messages is the number of messages that a rank sends for a gradient.
func (j Job) messages(g Gradient) int {
	n := 2 * (j.Ranks - 1)
	if g.Factors > 0 {
		n += j.Ranks - 1
	}
	return n
}

// Speed is that of one rank, in seconds.
type Speed struct {
	Forward, Backward float64 // of a micro-batch
	Update            float64 // of the weights, from gradients that are matrices
	Product           float64 // of the factors of one picture
}

// Network is what joins the hosts.
type Network struct {
	BytesPerSecond float64 // that a host sends while it receives as many
	Latency        float64 // seconds that a message takes beside its bytes
}

// Cost is the time of a step, in seconds.
type Cost struct {
	Compute float64 // forward and backward
	Wait    float64 // for the gradients of other ranks, when there is nothing left to compute
	Update  float64 // of the weights, with the products of factors
	Hidden  float64 // in which the network works while the rank computes
}

// Total is the time of the step.
func (c Cost) Total() float64 { return c.Compute + c.Wait + c.Update }

func (n Network) seconds(bytes float64, messages int) float64 {
	return bytes/n.BytesPerSecond + float64(messages)*n.Latency
}

// compute is the time in which a rank computes its micro-batches.
func (j Job) compute(s Speed) float64 {
	return float64(j.MiniBatch/j.Ranks/j.MicroBatch) * (s.Forward + s.Backward)
}

// Step predicts a step in which gradients are exchanged during the backward pass of the last micro-batch.
func (j Job) Step(gradients []Gradient, s Speed, n Network) Cost {
	c := Cost{Compute: j.compute(s), Update: s.Update + float64(j.MiniBatch)*s.Product}
	began, free, busy := c.Compute-s.Backward, 0.0, 0.0 // when the last backward pass begins, and the network is free
	for _, g := range gradients {
		took := n.seconds(j.Sent(g), j.messages(g))
		free = max(free, began+g.Ready*s.Backward) + took
		busy += took
	}
	c.Wait = max(0, free-c.Compute)
	c.Hidden = busy - c.Wait
	return c
}

// StepAllReduced predicts, for comparison, a step after whose computation all gradients are summed as whole matrices,
// each rank multiplying the factors of its own pictures before.
func (j Job) StepAllReduced(gradients []Gradient, s Speed, n Network) Cost {
	c := Cost{Compute: j.compute(s), Update: s.Update + float64(j.MiniBatch/j.Ranks)*s.Product}
	for _, g := range gradients {
		c.Wait += n.seconds(2*j.others()*g.Bytes, 2*(j.Ranks-1))
	}
	return c
}
