// Package kernel computes the layers of a VGG net on float32 slices: convolution, linear layers, pooling, local
// response normalisation, dropout, the loss, the solver's step, and their gradients (sections 2.1 and 3.1 of the
// paper). Activations go in and out as (N, H, W, C), convolution weights as (Out, In, Kernel, Kernel), linear weights
// as (Out, In). Results have the same bits on any number of threads, which threads.Count tells: the order in which an
// element is summed depends on the shapes alone.
//
// # Three layers
//
// Threads: threads.go shares work between them; buffers.go keeps their buffers.
//
// Layers, with blocks for the caches: conv.go is convolution, which algorithm.go computes directly (direct.go,
// lines.go, joined.go) or by Winograd's minimal filtering (winograd.go, winograd_forward.go, winograd_gradient.go,
// winograd_tiles.go); dense.go is a fully connected layer on large maps, by the same filtering; linear.go, pool.go,
// lrn.go, dropout.go, loss.go, windows.go, layout.go, elementwise.go and finite.go are the others.
//
// Micro-kernels, on registers, one thread: gemm.go, dot.go, transpose.go, winograd_transforms.go and those of the
// element-by-element layers. Each is assembly for AVX-512 and AVX2, written by gen/, and a twin in Go for other
// processors; isa.go chooses (VGG_CPU). winograd_matrices.go has the matrices of minimal filtering,
// winograd_products.go transforms that are made of gemm.
//
// resample.go resizes pictures, on the thread that loads them.
//
// # The loops of a 3×3 layer
//
// From the layer to the registers, for minimal filtering, with what bounds each loop:
//
//	threads     some of the tiles each                 threads.Count
//	blocks      of tiles whose V and M stay in L2      cacheFloats, leastTiles, manyTiles
//	outputs     some panels of U and M at a time       outputsAtATime
//	elements    the α² products M = V U                m + r - 1
//	panels      of U, nr output channels each          nr
//	inputs      some input channels                    channelsAtATime
//	rows        of V: mr tiles, at most                mr
//	sums        of some of the inputs                  sumBlock
//	registers   mr×nr sums, one input channel a step
//
// The direct convolution has lines of pixels for tiles and the Kernel² taps for elements, which are summed up.
// tuning.go has the constants. A dense layer gives each thread all tiles and some of the panels.
//
// # The choice of the algorithm
//
// VGG_CONV names one. Otherwise Conv.winograd estimates the cost of F(m×m, 3×3), with m = 4 or 2, and 7 or 5 in wide
// layers, and of the direct convolution, and takes the least. Layers with few channels, such as the first, layers with
// kernels of 1×1, and all layers without assembly are direct. Dense.Pays compares F(2×2, r×r) with a linear layer on all
// windows, which VGG_CONV=direct keeps.
//
// # Words
//
//	tile        m×m outputs of a map, and the α×α inputs that they depend on
//	U, V, M     transformed filters, transformed inputs, and their products (Lavin & Gray)
//	panel       nr columns of a matrix, packed row by row
//	micro-tile  mr×nr sums in registers; mr and nr as in BLIS
//	run         products of one tap, or line, which gemm adds to those of the others
//	tap         one of the Kernel² weights between an input and an output channel
//	line        positions at equal distances, the rows of a direct convolution's product
//	pitch       floats from a row to the next
//	stride      floats from a matrix, or other element, to the next
//	grain       the least work for a thread
//	twin        the Go function that computes what an assembly function does
package kernel
