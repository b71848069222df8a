//go:build !mpi

package cli

// withMPI says whether the build can work as several ranks.
const withMPI = false
