// Package generalise tests how well the features of trained nets do on other data, as appendix B of the paper (arXiv
// 1409.1556) does: the nets stay as they are, and a linear SVM learns the classes of the other data from their features.
//
// In go a transfer.Set and nets. Read reads the pictures of the set once. Pictures.Features are the outputs of a hidden
// layer, from dense and mirrored nets at several scales, which are kept in a cache; Pictures.Pixels are features without
// a net, for comparison, as is a net that RandomWeights makes. Classify trains a machine of package svm on the features
// of each split, and measures it on the test samples.
package generalise
