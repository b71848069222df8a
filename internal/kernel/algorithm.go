package kernel

import (
	"os"

	"github.com/pkg/errors"
)

// algorithm is the way to compute 3×3 convolutions that VGG_CONV asks for.
var algorithm, algorithmErr = chooseAlgorithm(os.Getenv("VGG_CONV"))

// Algorithm is the way to compute 3×3 convolutions that VGG_CONV asks for, "" for what is expected to be the fastest.
func Algorithm() string { return algorithm }

// The values of VGG_CONV and of algorithm.
const (
	fastest   = "" // what cost expects
	direct    = "direct"
	winograd2 = "winograd2" // where it is possible, else direct
	winograd4 = "winograd4" // the same
	winograd5 = "winograd5" // the same
	winograd7 = "winograd7" // the same, with winograd4 for layers of fewer channels than winograd7Channels
)

func chooseAlgorithm(name string) (string, error) {
	switch name {
	case fastest, direct, winograd2, winograd4, winograd5, winograd7:
		return name, nil
	}
	return fastest, errors.Errorf("VGG_CONV=%s: no such algorithm: use one of %s, %s, %s, %s, %s, or leave VGG_CONV unset", name, direct, winograd2, winograd4, winograd5, winograd7)
}

// winogradChannels is what the transforms take channels in multiples of: a vector of AVX-512.
const winogradChannels = 16

// winograd gives the minimal filtering with which to compute the passes of c, or nil for the direct convolution.
// prepared says that the transform of the filters costs nothing because it has been done.
func (c Conv) winograd(prepared bool) *winograd {
	if c.Kernel != 3 || c.In%winogradChannels != 0 || c.Out%winogradChannels != 0 {
		return nil
	}
	channels := min(c.In, c.Out)
	switch algorithm {
	case direct:
		return nil
	case winograd7:
		if channels < winograd7Channels {
			return winogradF4()
		}
		return winogradF7()
	case winograd5:
		return winogradF5()
	case winograd4:
		return winogradF4()
	case winograd2:
		return winogradF2()
	}
	if cpu.winograd4.input == nil {
		return nil // in Go the transforms take longer than what they save
	}
	filterings := []*winograd{winogradF4(), winogradF2()}
	if channels >= manyChannels {
		filterings = append(filterings, winogradF5())
	}
	if channels >= manyChannels || channels >= winograd7Channels && min(c.H, c.W) >= winograd7Side {
		filterings = append(filterings, winogradF7())
	}
	best, least := (*winograd)(nil), c.directCost()
	for _, f := range filterings {
		if cost := f.cost(c, prepared); cost < least {
			best, least = f, cost
		}
	}
	return best
}

// directCost is the number of multiply-adds of the direct convolution, without those at the borders that it leaves out.
func (c Conv) directCost() int {
	taps := c.Kernel / 2 * (c.Kernel/2 + 1) // of a line of pixels, those that are outside the map
	rows, columns := max(c.Kernel*c.H-taps, 1), c.Kernel*c.W
	if across(c.N, c.W) {
		columns = max(columns-taps, 1)
	}
	return c.N * rows * columns * c.In * c.Out
}

// cost estimates the time of a pass in multiply-adds of the direct convolution.
func (f *winograd) cost(c Conv, prepared bool) int {
	tiling := f.tiling(c)
	tiles, area := tiling.count(), f.alpha*f.alpha
	cost := tiles * area * (c.In*c.Out + transformCost*(c.In+c.Out))
	switch {
	case prepared && f.large(c):
		cost += filterReadCost * area * c.In * c.Out
	case prepared:
	case f.few(tiles, c.In):
		cost += filterCostFew * area * c.In * c.Out
	case f.large(c):
		cost += filterCostLarge * area * c.In * c.Out
	default:
		cost += filterCost * area * c.In * c.Out
	}
	return cost
}

// few reports whether V of that many tiles and channels fits into the caches, and M of a panel into a thread's own.
// Then U is better transformed in parts, each of which is used while it is in the cache.
func (f *winograd) few(tiles, channels int) bool {
	area := f.alpha * f.alpha
	return area*tiles*channels <= fewFactor*cacheFloats && area*tiles*cpu.nr <= cacheFloats
}

// large reports whether U does not fit into the caches, and comes from the memory.
func (f *winograd) large(c Conv) bool { return f.alpha*f.alpha*c.In*c.Out > fewFilters }

// tilesAtATime is the number of tiles in a thread's block, of which M has some outputs at a time: more make better use
// of the filters, fewer stay in the cache.
func (f *winograd) tilesAtATime(c Conv, outputs int) int {
	least := leastTiles
	if f.large(c) {
		least = manyTiles
	}
	return max(min(cacheFloats/(f.alpha*f.alpha*(c.In+outputs)), mostTiles*cpu.mr), ceilDiv(least, cpu.mr)*cpu.mr)
}
