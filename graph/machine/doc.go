// Package machine is a gorgonia.VM that runs an expression graph in memory that is planned beforehand.
//
// Any Gorgonia graph goes in, with the nodes whose values are wanted. Out come their values, and the gradients of the
// learnables, summed over the runs until a solver clears them. Gorgonia's own tape machine allocates every result anew
// in each run, which takes too much memory and time for nets as large as those of the paper (arXiv 1409.1556, Table 2).
// Here nodes on which nothing depends are left out, results share memory as soon as their last reader has run, ops work
// in place or are fused with the one before where they allow it, and a run after the first allocates next to nothing.
package machine
