// Package dataset is where pictures come from: the set that comes with the project, class folders of photographs,
// ILSVRC-2012 as it is distributed, CIFAR and IDX files, each in a folder or in an archive.
//
// In goes the name of a set (see Open); out come two splits of labelled pictures, statistics of the training pictures,
// and a Loader that prepares mini-batches of transformed pictures (package augment) on background goroutines, as section
// 3.1 of the paper (arXiv 1409.1556) feeds its nets.
package dataset
