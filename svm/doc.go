// Package svm trains linear support vector machines on rows of float32 features, as appendix B of the paper does on the
// features of a net: one machine for each class, which tells the class from the rest. A row may be of one class
// (FromLabels) or of several, and may be left out of a class (Targets).
//
// Train solves, for each class, with y of 1 or -1 and a row's features x,
//
//	min over w of ½|w|² + C Σ loss(1 - y w·x), where loss(v) is max(0, v) (Hinge) or its square (SquaredHinge),
//
// by dual coordinate descent (Hsieh et al., A Dual Coordinate Descent Method for Large-scale Linear SVM, ICML 2008) on
// blocks of rows. It ends when the duality gap, which bounds the distance to the optimum, is small enough, and returns
// the gap of each class as a Certificate. ChooseC tries several values of C on validation rows.
//
// The same rows, targets and options give the same bits, whatever the number of threads.
package svm
