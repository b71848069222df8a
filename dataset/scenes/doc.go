// Package scenes makes colour pictures with exact boxes out of the embedded garments (dataset/fashion), to train and
// test localisation (appendix A of the paper, arXiv 1409.1556) without any file: a garment at a random place, scale,
// rotation and colour on a textured canvas, among distractors.
//
// In go grey garments on black and their classes; out comes, for each garment, a scene and the boxes in it. There is no
// state: every random draw is a function of the seed and the scene's number.
package scenes
