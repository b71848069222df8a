// Package imagenet reads the development kit of ILSVRC-2012, the data set of the paper (section 4): the archive that
// says which class each of the 50,000 validation pictures is of.
//
// In goes the kit's Tree (package internal/archive); out come WNIDs such as n02119789, which are also the names of the
// training pictures' folders. The kit numbers classes in an order of its own (ILSVRC2012_ID), which is not that of the
// sorted WNIDs; what the numbers mean is in a MAT file of version 5 (mat.go).
package imagenet
