// Package progress shows how a training goes, for the commands that train: a progress bar on a terminal, a line per
// epoch everywhere, and in the run directory the loss and error curves (curves.png, curves.svg), redrawn after each
// epoch. Its Reporter is a trainer.Observer.
package progress
