// Package notebooks holds the Go notebooks of the project: the paper (arXiv 1409.1556) computed from its graphs, what a
// lecture on it tells, and transfer learning. Its test checks that they are stored complete, as notebooks/run leaves them.
package notebooks
