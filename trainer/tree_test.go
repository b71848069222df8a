package trainer

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// expected adds leaves as the tree is defined: part i of 2^d is the sum of its halves.
func expected(leaves [][]float32, d, i int) []float32 {
	first, middle, end := len(leaves)*i>>d, len(leaves)*(2*i+1)>>(d+1), len(leaves)*(i+1)>>d
	if end-first == 1 {
		return leaves[first]
	}
	if first == middle || middle == end {
		panic("a half without leaves")
	}
	sum := slices.Clone(expected(leaves, d+1, 2*i))
	for k, v := range expected(leaves, d+1, 2*i+1) {
		sum[k] += v
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
		want := expected(leaves, 0, 0)
		for ranks := 1; ranks <= min(9, m); ranks++ {
			var total sums
			for rank := range ranks {
				var own sums
				first, end := part(m, rank, ranks), part(m, rank+1, ranks)
				for leaf := first; leaf < end; leaf++ {
					own.push(nodeOf(leaf, m), slices.Clone(leaves[leaf]))
				}
				if !slices.Equal(own.nodes, partials(m, first, end)) || (ranks == m || ranks&(ranks-1) == 0) && len(own.nodes) != 1 {
					t.Errorf("%d leaves, rank %d of %d: nodes %v, expected by others %v", m, rank, ranks, own.nodes, partials(m, first, end))
				}
				for k, n := range own.nodes {
					total.push(n, own.data[k])
				}
			}
			if len(total.nodes) != 1 || total.nodes[0] != (node{}) || !slices.Equal(total.data[0], want) {
				t.Errorf("%d leaves on %d ranks: node %v is %v, want %v", m, ranks, total.nodes, total.data, want)
			}
		}
	}
	if got := partials(8, 2, 5); !slices.Equal(got, []node{{2, 1}, {3, 4}}) {
		t.Errorf("leaves 2 to 4 of 8 are left as %v", got)
	}
}
