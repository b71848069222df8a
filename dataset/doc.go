// Package dataset is where pictures come from: the set that comes with the project, class folders of photographs,
// ILSVRC-2012 as it is distributed, CIFAR and IDX files, each in a folder or in an archive.
//
// In goes the name of a set (see Open); out come two splits of labelled pictures, statistics of the training pictures
// (configs.Statistics), and a Loader that prepares mini-batches of transformed pictures (package augment) on background
// goroutines, as section 3.1 of the paper (arXiv 1409.1556) feeds its nets.
//
// Open is the only entry: it knows every kind of set but those of appendix B, which have several labels a picture or
// several splits, and are dataset/transfer's. What only one kind needs is in a package below this one that does
// not import it: dataset/fashion (the pictures that come with the project), dataset/imagenet (ILSVRC-2012's development
// kit); folders and archives are internal/archive's. Nothing registers itself, so the linker drops all of them from
// programs that use splits, loaders and statistics without Open.
package dataset
