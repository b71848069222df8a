// Package vgg is the root of a module that trains, tests and uses the nets of Simonyan & Zisserman, "Very Deep
// Convolutional Networks for Large-Scale Image Recognition" (arXiv 1409.1556), as Gorgonia expression graphs. It holds
// no code: begin with the commands (README.md) or with these packages, in the order in which data goes through them:
//
//   - vgg/configs: the nets of Table 1 as data, and recipes for training them.
//   - vgg/dataset and vgg/augment: read pictures and turn them into mini-batches (section 3.1).
//   - vgg/graph: declares a net as a Gorgonia graph; vgg/graph/machine runs it. Its package comment builds and trains a net.
//   - vgg/trainer: trains a net by a recipe, with checkpoints, and provides the solver.
//   - vgg/weights: files of weights; vgg/weights/foreign reads those of PyTorch and Caffe, and vgg/onnx writes ONNX.
//   - vgg/evaluate: tests nets (section 3.2), predicts classes and boxes (appendix A, with vgg/boxes) and extracts features
//     (appendix B). vgg/explain shows what in a picture a class score depends on.
//   - vgg/generalise: tests features on other data with a linear SVM, vgg/svm (appendix B).
//   - vgg/plots and vgg/reproduce: figures, and section 4 and the appendices in miniature as reports.
//
// The examples below are the code that README.md and docs/library.md show.
package vgg
