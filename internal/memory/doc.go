// Package memory knows how much memory the process may take, and allocates large slices whose pages are there at once.
// Otherwise the first touch of each page of 4 kB costs a fault, and net D at full width takes a gigabyte.
package memory
