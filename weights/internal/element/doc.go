// Package element has what the readers of all formats of weights share: how elements of tensors become float32, and how
// many of them a shape has. Bytes of a file go in, and float32 come out.
package element
