package kernel

const (
	setPadding                               = 16
	cacheFloats                              = 1 << 17
	sumBlock                                 = 64
	gradientTiles                            = 2 * sumBlock
	mostSlices                               = 16
	sliceFloats                              = 1 << 22
	gradientChannels                         = 2 * winogradChannels
	winogradChannels                         = 16
	tapRows                                  = 64
	streaming                                = 1 << 22
	transformCost, filterCost, filterCostFew = 6, 20, 7
)
