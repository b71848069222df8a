package trainer

import "vgg/internal/kernel"

// The gradients of the micro-batches of a mini-batch are the leaves of a binary tree over their index, and are added
// along it. Its nodes at a depth divide the leaves as 1, 2, 4, 8 … ranks do, so that each of these ranks owns one node.
// The sum has the same bits whoever computes which nodes.

// node is a node of the tree: of the 2^depth parts of the leaves, the one with this index.
type node struct{ depth, index int }

// bounds are the leaves of a node, from first up to end.
func (n node) bounds(leaves int) (first, end int) {
	return part(leaves, n.index, 1<<n.depth), part(leaves, n.index+1, 1<<n.depth)
}

// nodeOf is the node of one leaf alone.
func nodeOf(leaf, leaves int) (n node) {
	for first, end := n.bounds(leaves); end-first > 1; first, end = n.bounds(leaves) {
		n = node{n.depth + 1, 2 * n.index}
		if _, middle := n.bounds(leaves); leaf >= middle {
			n.index++
		}
	}
	return n
}

// sums are nodes whose sums are known, in the order of their leaves, and not yet part of a larger one.
type sums struct {
	nodes []node
	data  [][]float32
}

// push adds the node that follows. Its data take up those of the nodes that it completes a larger one with. nil data
// only count.
func (s *sums) push(n node, data []float32) {
	for last := len(s.nodes) - 1; n.index%2 == 1 && last >= 0 && s.nodes[last] == (node{n.depth, n.index - 1}); last-- {
		kernel.Add(data, s.data[last])
		s.nodes, s.data = s.nodes[:last], s.data[:last]
		n = node{n.depth - 1, n.index / 2}
	}
	s.nodes, s.data = append(s.nodes, n), append(s.data, data)
}

// clear forgets all nodes.
func (s *sums) clear() { s.nodes, s.data = s.nodes[:0], s.data[:0] }

// partials are the nodes whose sums are left when the leaves from first up to end are added.
func partials(leaves, first, end int) []node {
	var s sums
	for leaf := first; leaf < end; leaf++ {
		s.push(nodeOf(leaf, leaves), nil)
	}
	return s.nodes
}

// part is the first of n things that rank number r of some ranks has; it has those up to the first of the next.
func part(n, r, ranks int) int { return n * r / ranks }
