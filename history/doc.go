// Package history holds the record of a training run: the losses, errors and speed of each epoch, which a run keeps in
// history.csv. The trainer appends to a History and writes it; figures and reports read it back, without linking what
// computes.
package history
