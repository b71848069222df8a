package trainer

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// expected adds leaves as the tree is defined.
func expected(leaves [][]float32, n node) []float32 {
	if n.level == 0 {
		return leaves[n.index]
	}
	left := expected(leaves, node{n.level - 1, 2 * n.index})
	if (2*n.index+1)<<(n.level-1) >= len(leaves) {
		return left
	}
	sum := slices.Clone(left)
	for i, v := range expected(leaves, node{n.level - 1, 2*n.index + 1}) {
		sum[i] += v
	}
	return sum
}

// TestTree adds leaves on up to 9 ranks, each its own and then slices of what all have left: the bits are those of the
// tree.
func TestTree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for m := 1; m <= 17; m++ {
		leaves := make([][]float32, m)
		for i := range leaves {
			for range 31 {
				leaves[i] = append(leaves[i], float32(r.NormFloat64()))
			}
		}
		root := node{0, 0}
		for 1<<root.level < m {
			root.level++
		}
		want := expected(leaves, root)
		for ranks := 1; ranks <= min(9, m); ranks++ {
			total := sums{leaves: m}
			for rank := range ranks {
				own := sums{leaves: m}
				first, end := part(m, rank, ranks), part(m, rank+1, ranks)
				for leaf := first; leaf < end; leaf++ {
					own.push(node{0, leaf}, slices.Clone(leaves[leaf]))
				}
				if !slices.Equal(own.nodes, partials(m, first, end)) || ranks == m && len(own.nodes) != 1 {
					t.Errorf("%d leaves, rank %d of %d: nodes %v, expected by others %v", m, rank, ranks, own.nodes, partials(m, first, end))
				}
				for k, n := range own.nodes {
					total.push(n, own.data[k])
				}
			}
			if len(total.nodes) != 1 || total.nodes[0] != root || !slices.Equal(total.data[0], want) {
				t.Errorf("%d leaves on %d ranks: node %v is %v, want %v", m, ranks, total.nodes, total.data, want)
			}
		}
	}
	if got := partials(8, 2, 5); !slices.Equal(got, []node{{1, 1}, {0, 4}}) {
		t.Errorf("leaves 2 to 4 of 8 are left as %v", got)
	}
}
