// Package memory allocates large slices on huge pages. The first touch of a page costs a fault: for the gigabyte that
// net D at full width takes, a second of processor time with pages of 4 kB, and next to nothing with pages of 2 MB.
package memory
