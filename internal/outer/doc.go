// Package outer holds the gradient of a fully connected layer's weights as its factors. For a picture that gradient is
// the outer product of two vectors, the layer's input and the gradient of its output; for a mini-batch it is the sum of
// the pictures' products, gᵀx. The op of package graph/op that computes it gives its factors too ([Op]); package
// graph/machine collects them in a [Gradient], where [Pays] says so; and the solver of package trainer multiplies them
// tile by tile in the pass that updates the weights.
//
// What it brings, for the three fully connected layers of the paper's nets (arXiv 1409.1556, Table 1) with 1,000
// classes:
//
//   - memory: 170 kB a picture, 43 MB for a mini-batch of 256, instead of matrices of 494 MB;
//   - time: 1 GB less memory traffic for each micro-batch, which would write the matrices and read them again;
//   - communication: processes that train together need to exchange only the factors, a tenth of the bytes.
package outer
