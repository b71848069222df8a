// Package nb is what the Go notebooks of this project share: errors that end a cell, and tables and figures as outputs
// of a cell. In go rows of text and figures, such as those of package vgg/plots; out come Markdown and pictures below
// the cell.
package nb
