// Package transfer reads the sets on which appendix B of the paper (arXiv 1409.1556) tests features of a net: VOC's, of
// several labels a picture or of actions with boxes, and Caltech-101, Caltech-256 and any other folder of classes, with
// random splits.
//
// In goes the path of a set (see Open); out comes a Set: pictures, samples to classify, their targets as package svm
// takes them, and which of them are for training, validation and test. A Set measures scores as the set asks for, and
// writes the result files of VOC's server.
//
// Pictures of classes are found by package dataset, objects' boxes read by dataset/annotations.
package transfer
