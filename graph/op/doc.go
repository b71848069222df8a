// Package op holds the operations of a VGG net as Gorgonia ops: convolution, max-pooling, local response normalisation,
// dropout, fully connected layers and the soft-max cross-entropy (sections 2.1 and 3.1 of the paper, arXiv 1409.1556),
// the windows and means of dense evaluation (section 3.2), and the Euclidean loss of boxes (appendix A).
//
// Every function takes nodes of a Gorgonia expression graph and returns the node of the result. The ops implement
// gorgonia.SDOp, so that gorgonia.Grad declares the backward pass in the same graph, out of ops of this package. They
// have no state, run in any gorgonia.VM, and offer what package machine needs to plan memory (UsePreallocDo, IncrDo and
// InPlace).
//
// Between ToNHWC and ToNCHW (or Flatten) the layout of feature maps is (N, H, W, C), which the kernels need. Weights
// are (out, in, kernel, kernel) and (out, in). The element type is float32.
package op
