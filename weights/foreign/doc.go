// Package foreign reads trained nets from the files of other frameworks: PyTorch's state dicts, torchvision's and
// timm's safetensors, Caffe's models. It recognises the format of a file by its content. Out comes a weights.File with
// torchvision's names and shapes, and the metadata of weights.Info that the file allows to infer. The authors of the
// paper (arXiv 1409.1556) published their nets D and E, of section 4, in Caffe's format.
package foreign
