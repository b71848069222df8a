// Package terminal fits lines to the terminal that they are printed on.
package terminal
