// Package mpi lets processes work together: ranks of a [World], numbered from 0, that send each other bytes.
//
// With the build tag mpi it is a thin binding to Open MPI (Debian's libopenmpi-dev; pkg-config finds ompi-c), which
// mpirun or Slurm's srun starts. Without the tag, or where one process was started, a world has one rank and needs no
// cgo. [Local] makes worlds of goroutines in one process, for tests.
//
// A thread of its own makes all calls of MPI. Everything is built from messages that do not block, Isend and Irecv:
// Debian's Open MPI makes no progress while no thread is inside it, and its blocking calls spin, which takes a core
// from the kernels. So that thread stays in C, tests what is under way and sleeps in between, and bytes move while the
// net computes. No order of summation is left to MPI: it moves bytes, and the ranks add.
package mpi
