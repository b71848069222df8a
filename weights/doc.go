// Package weights keeps trained nets in files of the safetensors format. Named float32 tensors and a table of texts go
// in and come out; [Info] is that table's meaning: which net of Table 1 of the paper (arXiv 1409.1556) it is and how
// its pictures are normalised, so that a file says all that is needed to use it. Package foreign reads the formats of
// other frameworks.
//
// It serves section 3.1 of the paper, where the deeper nets start from the trained layers of net A, and the testing of
// section 3.2.
package weights
