// Package cluster predicts the time of a training step that several hosts share (section 3.3 of arXiv 1409.1556), from
// the speed of one. In go the layers of a net as package graph counts them, the time of a micro-batch, and the rate of
// the network; out come the bytes that a rank sends, and the time that it computes, waits and updates its weights.
//
// The predicted step is that of package trainer: each rank computes its share of the mini-batch in micro-batches.
// Gradients are summed across ranks by exchanging slices, each layer as soon as the last micro-batch has it, so that
// the backward pass through the layers below hides the time. Where package outer holds a gradient as factors, ranks
// gather the factors of the whole mini-batch, and each multiplies them out when it updates its weights.
package cluster
