// Package onnx writes trained nets in the ONNX format, for onnxruntime and whatever else reads it.
//
// A weights file of a net of Table 1 of the paper (arXiv 1409.1556) goes in, with the metadata of weights.Info. Out
// comes a model that takes pixels from 0 to 255 and gives logits, the test time net of section 3.2 for one crop. Layers
// keep the names of package configs, and weights theirs.
package onnx
