// Package fashion holds the pictures that come with the project: the first 10,000 training and 2,000 test pictures of
// Fashion-MNIST (Xiao, Rasul and Vollgraf, arXiv 1708.07747), 28×28, grey, of ten kinds of clothing.
//
// They are four gzipped IDX files, 5 MB, which dataset.Open reads under the name "embedded".
package fashion
