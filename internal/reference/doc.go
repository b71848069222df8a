// Package reference holds the operations of a VGG net (arXiv 1409.1556, section 2) in float64, each written as its
// definition reads, for tests to compare with. Feature maps are (N, H, W, C); weights are (out, in, kernel, kernel) and
// (out, in), as in package graph/op.
package reference
