package kernel

// Constants that were set by measurement, and constants that bound blocks. Each has the benchmark that shows what it
// does:
//
//	go test -run '^$' -bench NAME ./internal/kernel
//
// Those that change the order in which sums are made, and so the last bits of results, say so.

// Caches.
const (
	// cacheFloats is what a thread's block may take: half of a level 2 cache of 1 MB. -bench LayersOfD
	cacheFloats = 1 << 17

	// setDistance is a number of floats at multiples of which addresses fall into few sets of the cache, and setPadding
	// the distance that is added to avoid it. Where many matrices are read together, see spread. -bench LayersOfD
	setDistance, setPadding = 256, 16

	// streaming is the least number of floats that are written around the cache: more than it could keep for a reader.
	// Such writes may be delayed; the locked instructions by which threads tell each other that they are done wait for
	// them. -bench 'Linear/.*/weight$'
	streaming = 1 << 22
)

// Threads.
const (
	// spins is how often a thread looks for an event before it sleeps: some hundreds of microseconds, longer than it takes
	// to wake a sleeping processor. After every spinsYield it lets other goroutines run. -bench 'Conv/32x'
	spins, spinsYield = 400000, 500

	// mostPieces is the most ranges of a long call for a thread. More let threads share better what is left while others
	// are busy with reading pictures: go test -run x -bench Center ./evaluate
	mostPieces = 4

	// elementwiseGrain is the least number of elements worth a thread. -bench 'Dropout|CrossEntropy'
	elementwiseGrain = 1 << 14
)

// Winograd's minimal filtering: winograd*.go.
const (
	// sumBlock is the most products that are summed up before they are added to the rest, of F(7×7, 3×3) half of it: the
	// transforms multiply rounding errors, and those of a long sum grow with its length (TestAccuracy). It sets the order
	// of sums. -bench LayersOfD
	sumBlock = 64

	// channelsAtATime is the most input channels of a product: their filters in a panel stay in the level 1 cache.
	// -bench LayersOfD
	channelsAtATime = 128

	// outputsAtATime is the least number of output channels that M and dM have at a time, where U stays in the caches.
	// -bench 'LayersOfD/(forward|weight)'
	outputsAtATime = 64

	// gradientBlocks times a sum's block is the most tiles whose products dU are summed up at a time, and gradientChannels
	// the least number of input channels that a thread takes. The first sets the order of sums. -bench LayersOfD/weight
	gradientBlocks, gradientChannels = 2, 2 * winogradChannels

	// mostSlices is the most parts of the tiles with sums of their own, sliceFloats the most floats of all sums. Both set
	// the order of sums. -bench LayersOfD/weight
	mostSlices, sliceFloats = 16, 1 << 22

	// tapRows is the number of rows (input channels) of weights that are copied and transformed at a time.
	// -bench 'Conv/32x(2x2|4x4)'
	tapRows = 64

	// fewFactor times cacheFloats is what V may take if all tiles are to stay in the caches. -bench 'Conv/32x(2x2|4x4)'
	fewFactor = 8

	// leastTiles, and mostTiles times mr, bound the tiles in a thread's block: more make better use of the filters, fewer
	// stay in the cache. Filters of more floats than fewFilters come from the memory for each block, which then has
	// manyTiles or more. -bench LayersOfD/forward
	leastTiles, mostTiles, fewFilters, manyTiles = 24, 8, 1 << 23, 56

	// densePanels is the number of panels that a thread takes at a time in a Dense layer: more read V less often, fewer
	// take less memory for M. -bench Dense
	densePanels = 16
)

// The choice of the algorithm: algorithm.go. The costs are in multiply-adds of the direct convolution: of a value that
// goes through the transform of inputs or outputs, through that of the filters, and the same if they are made part by
// part, or go to the memory, or are read from it. -bench Conv, with VGG_CONV=direct, winograd2, winograd4, winograd5 and winograd7
const transformCost, filterCost, filterCostFew, filterCostLarge, filterReadCost = 6, 20, 7, 32, 4

// F(5×5, 3×3) and F(7×7, 3×3) are for layers of manyChannels, F(7×7, 3×3) also for those of winograd7Channels on maps of
// at least winograd7Side on each side. Narrow nets and small maps keep their bits. -bench Conv/8x, with
// VGG_CONV=winograd4, winograd5 and winograd7
const manyChannels, winograd7Channels, winograd7Side = 256, 64, 48

// The same of a Dense layer, of a value that goes through the transform of inputs or outputs, and of a weight that is
// read. -bench Dense
const denseInputCost, denseOutputCost, denseReadCost = 80, 25, 16

// Direct convolution: direct.go, lines.go. VGG_CONV=direct -bench Conv
const (
	// directChannels is the most input channels at a time, so that their weights in a panel stay in the cache. It sets the
	// order of sums.
	directChannels = 128

	// inPlaceChannels is the most output channels whose gradient is read in place.
	inPlaceChannels = 128

	// acrossTiles, times mr, is the most pictures in a line across pictures. -bench 'Conv/32x2x2'
	acrossTiles = 3
)

// Linear layers: linear.go. -bench Linear
const (
	// linearForwardLeast is the least number of inputs that are summed up at a time. It sets the order of sums.
	linearForwardLeast = 256

	// linearMany is the least number of rows for which the forward pass is a product by gemm. That is faster from 32 rows
	// on, but 64 is the largest micro-batch whose bits are to stay. linearManyBlock is the most inputs that it sums up at a
	// time; it and linearMany set the order of sums. linearManyTiles is the least number of micro-tiles in a thread's range,
	// for each of which it reads all of x.
	linearMany, linearManyBlock, linearManyTiles = 65, 512, 16

	// linearDataRows is the most rows of weights that the data gradient sums over at a time: more rows write dx less
	// often. With fewer than linearDataFew pictures there is little work a weight, and fewer rows, read from end to end,
	// are faster: linearDataRowsFew. They set the order of sums.
	linearDataRows, linearDataFew, linearDataRowsFew = 256, 4, 8

	// linearAhead is how many floats ahead of its reads the data gradient fetches weights.
	linearAhead = 256

	// stepRowsFew is the most rows of weights that StepLinear takes at a time with fewer than stepFew pictures: their
	// weights and velocities are read from end to end.
	stepRowsFew, stepFew = 7, 32
)

// Others.
const (
	// biasBlock is the number of floats of dy in a block of BiasGradient, biasVector the least number that it adds at a
	// time. Both set the order of sums. -bench Memory/BiasGradient
	biasBlock, biasVector = 1 << 18, 1024

	// largestBlock is the number of floats in a block of Largest. -bench Finite
	largestBlock = 1 << 15

	// transposeBlock is the number of columns in a block of a change of layout. -bench Memory/To
	transposeBlock = 64
)
