// Package boxes is the geometry of the rectangles that localisation (appendix A of the paper, arXiv 1409.1556)
// predicts: overlap, clipping, mirroring and turning, and the four numbers of a net's output, centre and size.
//
// Merge makes the boxes that a net predicts at many places, scales and by several nets into few, as appendix A does.
//
// A Box has continuous edges, in whatever unit: pixels, or shares of a side. It knows nothing of pictures or nets.
package boxes
