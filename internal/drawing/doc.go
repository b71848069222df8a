// Package drawing draws boxes with labels on pictures, so that they can be read at any size of the picture.
package drawing
