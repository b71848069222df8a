package trainer

import "vgg/internal/kernel"

// The gradients of the micro-batches of a mini-batch are the leaves of a binary tree over their index, and are added
// along it: node (l, i) is the sum of the nodes (l-1, 2i) and (l-1, 2i+1), or the first alone where there is no second.
// The sum has the same bits whoever computes which nodes.

// node is a node of the tree; level 0 is that of the leaves.
type node struct{ level, index int }

// climb gives the highest node of a tree of leaves that is the same sum as n.
func (n node) climb(leaves int) node {
	for n.index%2 == 0 && 1<<n.level < leaves && (n.index+1)<<n.level >= leaves {
		n = n.parent()
	}
	return n
}

func (n node) parent() node { return node{n.level + 1, n.index / 2} }

// sums are nodes whose sums are known, in the order of their leaves, and not yet part of a larger one.
type sums struct {
	leaves int // of the whole tree
	nodes  []node
	data   [][]float32
}

// push adds the node that follows. Its data take up those of the nodes that it completes a larger one with. nil data
// only count.
func (s *sums) push(n node, data []float32) {
	n = n.climb(s.leaves)
	for last := len(s.nodes) - 1; n.index%2 == 1 && last >= 0 && s.nodes[last] == (node{n.level, n.index - 1}); last-- {
		kernel.Add(data, s.data[last])
		s.nodes, s.data = s.nodes[:last], s.data[:last]
		n = n.parent().climb(s.leaves)
	}
	s.nodes, s.data = append(s.nodes, n), append(s.data, data)
}

// clear forgets all nodes.
func (s *sums) clear() { s.nodes, s.data = s.nodes[:0], s.data[:0] }

// partials are the nodes whose sums are left when the leaves from first up to end are added.
func partials(leaves, first, end int) []node {
	s := sums{leaves: leaves}
	for leaf := first; leaf < end; leaf++ {
		s.push(node{0, leaf}, nil)
	}
	return s.nodes
}

// part is the first of n things that rank number r of some ranks has; it has those up to the first of the next.
func part(n, r, ranks int) int { return n * r / ranks }
